// SPDX-License-Identifier: MIT OR Apache-2.0
//! `apply` and `plan`: the rules of a policy file on the endpoints that it selects.
//!
//! Apart from `block` and `allow`, which add a wish: here a file says all that there shall be. Invariant: nothing is sent before the whole file is
//! understood, the plan is made and what is expected of it holds; and after a failure the endpoints are as they were, or it is said which are not.

pub mod confirm;
mod draft;
mod journal;
mod pairs;
mod report;
pub(super) mod world;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use hcn::{
    HcnCode, HnsError, Kind, ObjectId,
    batch::{Undo, Undone, carry_out},
    owned::policy_of,
    schema::{Policy, policy::Acl},
};
use serde_json::{Value, json};

use self::{
    confirm::{Answer, Undoing},
    draft::Draft,
    journal::{Journal, Journals, Keeper, Left, Stage, now},
    report::{Detail, State},
    world::World,
};
use crate::{
    cli::{
        ProbeOutput,
        apply::{ApplyArgs, PlanArgs, PolicySource},
    },
    desk::{Desk, Outcome},
    difference::{self, Options},
    failure::{Failure, exit},
    listing,
    policy_file::{self, PolicyFile, Problem},
    render::json::write_object,
};

/// Others that change the endpoints all the time make an apply begin anew this often.
const TRIES: usize = 100;

/// What is to be planned.
enum Wish {
    File(String, PolicyFile),
    Removal(String),
}

/// Prints what apply would do.
pub fn plan(desk: &mut Desk<'_>, args: &PlanArgs) -> Outcome {
    let wish = wish(&args.source)?;
    let left = note_left(desk, None)?;
    let mut draft = draft(desk, &wish)?;
    // Text has them already.
    if args.source.output == ProbeOutput::Json {
        draft.notes.splice(0..0, left);
    }
    show(desk, &draft, args.source.output, args.requests)?;
    if args.source.expect_no_new_access && draft.opens() {
        return refuse(desk, &draft, args.source.output);
    }
    finish(desk, &draft, args.source.output, State::Planned).map(|()| exit::DONE)
}

/// Says which changes are neither confirmed nor taken back, but for those of a policy; gives what was said.
fn note_left(desk: &mut Desk<'_>, but: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for left in Journals::of(desk.target()).all_left()? {
        if but != Some(left.policy.as_str()) {
            let note = left.sentence(now());
            desk.say(&format!("note: {note}"))?;
            notes.push(note);
        }
    }
    Ok(notes)
}

/// Ends where a plan would open something that was not expected.
fn refuse(desk: &mut Desk<'_>, draft: &Draft, output: ProbeOutput) -> Outcome {
    finish(desk, draft, output, State::Refused)?;
    for line in report::refusal(draft) {
        desk.say(&line)?;
    }
    Ok(exit::DENIED)
}

/// Makes the endpoints as a file says.
pub fn run(desk: &mut Desk<'_>, args: &ApplyArgs) -> Outcome {
    let journals = Journals::of(desk.target());
    if let Some(policy) = &args.guard {
        return confirm::guard(desk, named(policy)?);
    }
    if args.recover {
        return confirm::recover(desk, &journals);
    }
    if let Some(policy) = &args.discard {
        return confirm::discard(desk, &journals, named(policy)?);
    }
    let wish = wish(&args.source)?;
    let policy = match &wish {
        Wish::File(_, file) => file.name.clone(),
        Wish::Removal(name) => name.clone(),
    };
    if desk.is_dry_run() {
        let left = note_left(desk, None)?;
        let mut draft = draft(desk, &wish)?;
        if args.source.output == ProbeOutput::Json {
            draft.notes.splice(0..0, left);
        }
        show(desk, &draft, args.source.output, false)?;
        if args.source.expect_no_new_access && draft.opens() {
            return refuse(desk, &draft, args.source.output);
        }
        for step in &draft.steps {
            // A dry run notes the request, and its endpoint cannot be read back.
            let object = ObjectId {
                kind: Kind::Endpoint,
                id: step.id,
            };
            let request = step.plan.request().unwrap_or_default();
            let noted = desk
                .client()
                .hns()
                .modify_seen(object, &step.seen, &request);
            noted.map_err(Failure::hns("note the request"))?;
        }
        return finish(desk, &draft, args.source.output, State::Planned).map(|()| exit::DONE);
    }
    // What applies of other policies left is not undone in passing.
    let of_others = note_left(desk, Some(&policy))?;
    let before = journals.left(&policy);
    let Some(_held) = journals.hold(&policy, Keeper::Apply)? else {
        return Err(Failure::change(before.map_or_else(
            || format!("another apply of policy {policy} is at work"),
            |left| left.sentence(now()),
        )));
    };
    if let Some(left) = journals.left(&policy) {
        let left = Left {
            has_apply: false,
            ..left
        };
        let is_guarded = left.has_guard && left.stage != Stage::Undoing;
        if is_guarded || matches!(left.stage, Stage::Unreadable(_)) {
            return Err(Failure::change(left.sentence(now())));
        }
        if let Wish::File(..) = wish {
            // What the names mean is looked up first: with a mistake in the file nothing is sent, nor taken back.
            let mut draft = draft(desk, &wish)?;
            if args.source.expect_no_new_access {
                draft.notes.push(left.sentence(now()));
                finish(desk, &draft, args.source.output, State::Refused)?;
            }
        }
        if args.source.expect_no_new_access {
            desk.say(&format!(
                "refused: {}, which may open flows; nothing was sent",
                left.sentence(now())
            ))?;
            return Ok(exit::DENIED);
        }
        if let Some(journal) = journals.claim(&policy)? {
            confirm::recover_one(desk, &journals, &journal)?;
        }
    }
    for tried in 0..TRIES {
        let mut draft = draft(desk, &wish)?;
        if args.source.output == ProbeOutput::Json {
            draft.notes.splice(0..0, of_others.iter().cloned());
        }
        show(desk, &draft, args.source.output, false)?;
        if args.source.expect_no_new_access && draft.opens() {
            return refuse(desk, &draft, args.source.output);
        }
        if draft.steps.is_empty() {
            finish(desk, &draft, args.source.output, State::Applied)?;
            return Ok(exit::DONE);
        }
        if let Some(code) = attempt(desk, args, &journals, &draft, tried)? {
            return Ok(code);
        }
        desk.tell("others changed the endpoints meanwhile; nothing of this try stayed, and it is planned anew");
    }
    Err(Failure::Change {
        message: "the policy is not applied".to_owned(),
        error: Some(HnsError::because(
            HcnCode::ERROR_SHARING_VIOLATION,
            "others change the endpoints all the time; nothing of ours was changed",
        )),
    })
}

/// Sends a plan, of which so many were tried before; `None` where it was made for documents that are no more.
///
/// From the first request to the end of the journal nothing that fails ends it early: the change stays as a whole, or is taken back.
fn attempt(
    desk: &mut Desk<'_>,
    args: &ApplyArgs,
    journals: &Journals,
    draft: &Draft,
    tried: usize,
) -> Result<Option<u8>, Failure> {
    let output = args.source.output;
    let policy = &draft.policy;
    let undos: Vec<Undo> = draft.steps.iter().map(|step| step.undo()).collect();
    let wait = args.confirm_within.map(|wait| wait.0);
    let mut journal = Journal {
        policy: policy.clone(),
        deadline: None,
        undos,
    };
    journals.begin(&journal)?;
    if wait.is_some()
        && let Err(failure) = confirm::start_guard(desk, journals, policy)
    {
        journals.end(policy)?;
        return Err(failure);
    }
    let label = |_: &Desk<'_>, id, _| {
        let row = draft.rows.iter().find(|row| row.id == id);
        row.map(|row| row.label.clone())
    };
    let tally = match carry_out(desk.client(), &draft.steps) {
        Ok(tally) => tally,
        Err(broken) => {
            // Nobody else takes it back while this process holds the policy, whether or not that can be written down.
            let _ = journals.claim(policy);
            journal.undos.truncate(broken.begun);
            let undoing = confirm::undo(desk, journals, &journal, &label)?;
            if broken.error.is_none() && undoing.is_whole() {
                return Ok(None);
            }
            let error = broken.error.unwrap_or_else(|| {
                HnsError::because(
                    HcnCode::ERROR_SHARING_VIOLATION,
                    "others changed the endpoint meanwhile",
                )
            });
            // What HNS said outweighs that it could not be printed.
            let _ = finish_undone(desk, draft, output, State::Failed, &undoing, Some(&error));
            let id = crate::render::short_id(&broken.id.to_string());
            let became = match undoing.is_whole() {
                true => "nothing of it stayed",
                false => "a part of it stayed",
            };
            return Err(Failure::Change {
                message: format!("cannot apply the policy to endpoint {id}; {became}"),
                error: Some(error),
            });
        }
    };
    let sent = format!(
        "sent: {} call(s) with {} rule(s), and read back{}",
        tally.calls,
        tally.rules,
        match tried {
            0 => String::new(),
            _ => format!(", after {tried} tries whose calls were taken back"),
        }
    );
    let Some(time) = wait else {
        journals.end(policy).map_err(stays_pending(policy))?;
        desk.tell(&sent);
        finish(desk, draft, output, State::Applied)?;
        return Ok(Some(exit::DONE));
    };
    // The time begins when everything is sent.
    journal.deadline = Some(now() + time.as_secs());
    let answer = journals.begin(&journal).and_then(|()| {
        desk.tell(&sent);
        confirm::wait(desk, journals, policy, time)
    });
    let claimed = match &answer {
        Ok(Answer::Confirmed) => None,
        Ok(Answer::TakenBack) => {
            desk.tell("not confirmed: another process took the change back");
            finish(desk, draft, output, State::TakenBack)?;
            return Ok(Some(exit::DENIED));
        }
        // Somebody may have said yes in this very moment.
        Ok(Answer::Late) => match journals.claim(policy) {
            Ok(None) if !journals.is_confirmed(policy) => {
                desk.tell("not confirmed: another process took the change back");
                finish(desk, draft, output, State::TakenBack)?;
                return Ok(Some(exit::DENIED));
            }
            Ok(claimed) => claimed,
            // It is taken back, whether or not that can be written down.
            Err(_) => Some(journal),
        },
        // It cannot be waited for.
        Err(_) => {
            let _ = journals.claim(policy);
            Some(journal)
        }
    };
    if let Some(journal) = claimed {
        if answer.is_ok() {
            desk.tell("not confirmed in time: taking the change back");
        }
        let undoing = confirm::undo(desk, journals, &journal, &label)?;
        let state = match undoing.is_whole() {
            true => State::TakenBack,
            false => State::Failed,
        };
        finish_undone(desk, draft, output, state, &undoing, None)?;
        answer?;
        return Ok(Some(match undoing.is_whole() {
            true => exit::DENIED,
            false => exit::HNS,
        }));
    }
    desk.tell("confirmed");
    journals.end(policy)?;
    finish(desk, draft, output, State::Applied)?;
    Ok(Some(exit::DONE))
}

/// A change that is made and whose journal stays would be taken back some day.
fn stays_pending(policy: &str) -> impl Fn(Failure) -> Failure + '_ {
    move |failure| {
        let page = failure.page();
        let why = page.trim_end().trim_start_matches("error: ");
        Failure::change(format!(
            "policy {policy} is applied, but its journal stays ({why}), and the next apply of the policy would take it back; hcnctl apply --discard {policy} keeps it"
        ))
    }
}

/// Prints how the documents would differ, and which flows that opens and closes; the exit code says whether they would.
pub fn diff(desk: &mut Desk<'_>, file: &Path, options: Options, output: ProbeOutput) -> Outcome {
    let wish = wish_of_file(file)?;
    note_left(desk, None)?;
    let draft = draft(desk, &wish)?;
    let listed = |documents: Vec<Value>| listing::of_values(documents);
    let before = draft
        .rows
        .iter()
        .map(|row| hcn::schema::Document::to_value(&row.before));
    let after = draft
        .rows
        .iter()
        .map(|row| hcn::schema::Document::to_value(&row.plan.outcome(&row.before)));
    let difference =
        difference::compare(&listed(before.collect()), &listed(after.collect()), options);
    match output {
        ProbeOutput::Text => {
            let code =
                crate::commands::diff::print_difference(&difference, output, desk.out, desk.words)?;
            report::print(desk, &draft, Detail::Flows)?;
            Ok(code)
        }
        ProbeOutput::Json => {
            let mut plan = report::to_value(&draft, State::Planned);
            plan["changes"] = difference.json();
            write_object(&mut desk.out, &plan.to_string())?;
            for note in &difference.notes {
                desk.say(&format!("note: {note}"))?;
            }
            Ok(match difference.is_different() {
                true => exit::DENIED,
                false => exit::DONE,
            })
        }
    }
}

fn wish(source: &PolicySource) -> Result<Wish, Failure> {
    match (&source.file, &source.remove) {
        (Some(file), _) => wish_of_file(file),
        (None, Some(name)) => named(name).map(|name| Wish::Removal(name.to_owned())),
        (None, None) => Err(Failure::Usage(
            "say which policy: --file or --remove".to_owned(),
        )),
    }
}

/// The name of a policy, which becomes a name of files.
fn named(name: &str) -> Result<&str, Failure> {
    match policy_file::is_name(name) {
        true => Ok(name),
        false => Err(Failure::Usage(format!(
            "{name:?} cannot be the name of a policy"
        ))),
    }
}

fn wish_of_file(path: &Path) -> Result<Wish, Failure> {
    let shown = path.display().to_string();
    match policy_file::read_bytes(&bytes(path)?) {
        Ok(file) => Ok(Wish::File(shown, file)),
        Err(problems) => Err(bad_file(&shown, &problems, false)),
    }
}

/// A file, or standard input for `-`; of a huge one no more than it takes to see that it is huge.
fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| {
        let fix = match error.kind() {
            io::ErrorKind::NotFound => "say where it is, or - for standard input",
            io::ErrorKind::IsADirectory => "name a file in it",
            _ => "name a file that can be read",
        };
        Failure::BadFile {
            problems: vec![format!(
                "the file {} cannot be used: {error}; {fix}",
                path.display()
            )],
            is_unknown: false,
        }
    };
    let source: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(failed)?),
    };
    let mut bytes = Vec::new();
    let most = 2 * policy_file::MOST_BYTES as u64 + 4;
    source.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn bad_file(path: &str, problems: &[Problem], is_unknown: bool) -> Failure {
    Failure::BadFile {
        problems: policy_file::told(path, problems),
        is_unknown,
    }
}

fn draft(desk: &mut Desk<'_>, wish: &Wish) -> Result<Draft, Failure> {
    let world = World::ask(desk)?;
    match wish {
        Wish::File(path, file) => {
            let meaning = world
                .meaning(file)
                .map_err(|problems| bad_file(path, &problems, true))?;
            Draft::of(&world, meaning)
        }
        Wish::Removal(name) => {
            let applied = policies(&world);
            match applied.contains(name) {
                true => Draft::removal(&world, name),
                false => Err(not_applied(name, &applied)),
            }
        }
    }
}

/// Names of the policies of which any endpoint has rules.
fn policies(world: &World) -> BTreeSet<String> {
    let rules = world.endpoints().iter().flat_map(|endpoint| {
        let policies = endpoint.policies.get().into_iter().flatten();
        policies.filter(|policy| policy.is("ACL"))
    });
    let rules = rules.map(Policy::settings_as::<Acl>);
    rules
        .filter_map(|acl| policy_of(&acl).map(str::to_owned))
        .collect()
}

fn not_applied(name: &str, applied: &BTreeSet<String>) -> Failure {
    let known: Vec<&str> = applied.iter().map(String::as_str).collect();
    let instead = match (policy_file::nearest(name, &known), &known[..]) {
        (Some(near), _) => format!("is {near:?} meant?"),
        (None, []) => "no policy is applied".to_owned(),
        (None, all) => format!("applied are {}", all.join(", ")),
    };
    Failure::Absent(format!(
        "no endpoint has rules of a policy {name:?}; {instead}"
    ))
}

/// Shows a plan before it is carried out; as JSON it comes at the end, with what became of it.
fn show(
    desk: &mut Desk<'_>,
    draft: &Draft,
    output: ProbeOutput,
    requests: bool,
) -> Result<(), Failure> {
    match output {
        ProbeOutput::Text => {
            let detail = match requests {
                true => Detail::Requests,
                false => Detail::Rules,
            };
            report::print(desk, draft, detail)?;
            // Seen before it is done: an apply may wait.
            desk.out.flush()?;
            Ok(())
        }
        ProbeOutput::Json => Ok(()),
    }
}

fn finish(
    desk: &mut Desk<'_>,
    draft: &Draft,
    output: ProbeOutput,
    state: State,
) -> Result<(), Failure> {
    print_end(desk, output, || report::to_value(draft, state))
}

/// The same, where something was taken back.
fn finish_undone(
    desk: &mut Desk<'_>,
    draft: &Draft,
    output: ProbeOutput,
    state: State,
    undoing: &Undoing,
    error: Option<&HnsError>,
) -> Result<(), Failure> {
    print_end(desk, output, || {
        let mut value = report::to_value(draft, state);
        let endpoints = undoing.endpoints.iter().map(|(id, label, undone)| {
            let (became, error) = match undone {
                Undone::Back => ("back", None),
                Undone::Merged => ("merged", None),
                Undone::Untouched => ("untouched", None),
                Undone::Gone => ("gone", None),
                Undone::Failed(error) => ("not-back", Some(error.to_string())),
            };
            json!({"id": id.to_string(), "label": label, "became": became, "error": error})
        });
        value["undone"] = endpoints.collect();
        value["error"] = json!(error.map(ToString::to_string));
        value
    })
}

fn print_end(
    desk: &mut Desk<'_>,
    output: ProbeOutput,
    value: impl FnOnce() -> Value,
) -> Result<(), Failure> {
    if output == ProbeOutput::Json {
        write_object(&mut desk.out, &value().to_string())?;
    }
    desk.out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests;
