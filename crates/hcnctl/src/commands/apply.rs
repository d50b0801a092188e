// SPDX-License-Identifier: MIT OR Apache-2.0
//! `apply` and `plan`: the rules of a policy file on the endpoints that it selects.
//!
//! Apart from `block` and `allow`, which add a wish: here a file says all that there shall be. Invariant: nothing is sent before the whole file is
//! understood, the plan is made and what is expected of it holds; and after a failure the endpoints are as they were, or it is said which are not.

pub mod confirm;
mod draft;
mod journal;
mod report;
mod world;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use hcn::{
    HcnCode, HnsError, Kind, ObjectId,
    batch::{Undo, carry_out},
};

use self::{
    confirm::Answer,
    draft::Draft,
    journal::{Journal, Journals, Keeper, now},
    report::State,
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
    render::json,
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
    let journals = Journals::of(desk.target());
    for policy in journals.policies()? {
        desk.say(&format!(
            "note: a change of policy {policy} is neither confirmed nor taken back yet; hcnctl confirm {policy} keeps it while its time lasts, hcnctl apply --recover takes it back"
        ))?;
    }
    let draft = draft(desk, &wish)?;
    show(desk, &draft, args.source.output, args.requests)?;
    if args.source.expect_no_new_access && draft.opens() {
        return refuse(desk, &draft, args.source.output);
    }
    finish(desk, &draft, args.source.output, State::Planned).map(|()| exit::DONE)
}

/// Ends where a plan would open something that was not expected.
fn refuse(desk: &mut Desk<'_>, draft: &Draft, output: ProbeOutput) -> Outcome {
    finish(desk, draft, output, State::Refused)?;
    desk.say("refused: flows would become allowed that are blocked now; nothing was sent")?;
    Ok(exit::DENIED)
}

/// Makes the endpoints as a file says.
pub fn run(desk: &mut Desk<'_>, args: &ApplyArgs) -> Outcome {
    let journals = Journals::of(desk.target());
    if let Some(policy) = &args.guard {
        return confirm::guard(desk, named(policy)?);
    }
    if args.recover {
        if confirm::recover(desk, &journals, true)? == 0 {
            desk.say("nothing is left to be taken back")?;
        }
        return Ok(exit::DONE);
    }
    let wish = wish(&args.source)?;
    if desk.is_dry_run() {
        let draft = draft(desk, &wish)?;
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
    confirm::recover(desk, &journals, false)?;
    let policy = match &wish {
        Wish::File(_, file) => file.name.clone(),
        Wish::Removal(name) => name.clone(),
    };
    let held = journals.hold(&policy, Keeper::Apply)?;
    if held.is_none() || journals.pending(&policy)?.is_some() {
        return Err(Failure::Usage(format!(
            "another apply of policy {policy} is at work or waits to be confirmed; hcnctl confirm {policy} says that its change is good, and hcnctl apply --recover takes it back where its process is gone"
        )));
    }
    for _ in 0..TRIES {
        let draft = draft(desk, &wish)?;
        show(desk, &draft, args.source.output, false)?;
        if args.source.expect_no_new_access && draft.opens() {
            return refuse(desk, &draft, args.source.output);
        }
        if draft.steps.is_empty() {
            finish(desk, &draft, args.source.output, State::Applied)?;
            return Ok(exit::DONE);
        }
        if let Some(code) = attempt(desk, args, &journals, &draft)? {
            return Ok(code);
        }
        desk.say("others changed the endpoints meanwhile; nothing of this try stayed, and it is planned anew")?;
    }
    Err(Failure::hns("apply the policy")(HnsError::because(
        HcnCode::ERROR_SHARING_VIOLATION,
        "others change the endpoints all the time; nothing of ours was changed",
    )))
}

/// Sends a plan; `None` where it was made for documents that are no more.
fn attempt(
    desk: &mut Desk<'_>,
    args: &ApplyArgs,
    journals: &Journals,
    draft: &Draft,
) -> Result<Option<u8>, Failure> {
    let undos: Vec<Undo> = draft.steps.iter().map(|step| step.undo()).collect();
    let wait = args.confirm_within.map(|wait| wait.0);
    let mut journal = Journal {
        policy: draft.policy.clone(),
        deadline: None,
        undos,
    };
    journals.begin(&journal)?;
    if wait.is_some()
        && let Err(failure) = confirm::start_guard(desk, journals, &draft.policy)
    {
        journals.end(&draft.policy)?;
        return Err(failure);
    }
    let tally = match carry_out(desk.client(), &draft.steps) {
        Ok(tally) => tally,
        Err(broken) => {
            journals.claim(&draft.policy)?;
            journal.undos.truncate(broken.begun);
            let is_back = confirm::undo(desk, journals, &journal)?;
            return match broken.error {
                None if is_back => Ok(None),
                error => {
                    let error = error.unwrap_or_else(|| {
                        HnsError::because(
                            HcnCode::ERROR_SHARING_VIOLATION,
                            "others changed the endpoint meanwhile",
                        )
                    });
                    let id = crate::render::short_id(&broken.id.to_string());
                    Err(Failure::hns(format!("apply the policy to endpoint {id}"))(
                        error,
                    ))
                }
            };
        }
    };
    desk.say(&format!(
        "sent: {} call(s) with {} rule(s), and read back",
        tally.calls, tally.rules
    ))?;
    if let Some(time) = wait {
        // The time begins when everything is sent.
        journal.deadline = Some(now() + time.as_secs());
        journals.begin(&journal)?;
        let answer = confirm::wait(desk, journals, &draft.policy, time)?;
        let claimed = match answer {
            Answer::Confirmed => None,
            // Somebody may have said yes in this very moment.
            Answer::Late => journals.claim(&draft.policy)?,
            Answer::TakenBack => {
                desk.say("not confirmed: another process took the change back")?;
                finish(desk, draft, args.source.output, State::TakenBack)?;
                return Ok(Some(exit::DENIED));
            }
        };
        if let Some(journal) = claimed {
            desk.say("not confirmed in time: taking the change back")?;
            let is_back = confirm::undo(desk, journals, &journal)?;
            finish(desk, draft, args.source.output, State::TakenBack)?;
            return Ok(Some(if is_back { exit::DENIED } else { exit::HNS }));
        }
        desk.say("confirmed")?;
    }
    journals.end(&draft.policy)?;
    finish(desk, draft, args.source.output, State::Applied)?;
    Ok(Some(exit::DONE))
}

/// Prints how the documents would differ; the exit code says whether they would.
pub fn diff(desk: &mut Desk<'_>, file: &Path, options: Options, output: ProbeOutput) -> Outcome {
    let wish = wish_of_file(file)?;
    let draft = draft(desk, &wish)?;
    let listed = |documents: Vec<serde_json::Value>| listing::of_values(documents);
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
    crate::commands::diff::print_difference(&difference, output, desk.out, desk.words)
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
    let failed = |error| Failure::File {
        path: path.display().to_string(),
        error,
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
        problems: problems
            .iter()
            .map(|problem| format!("{path}:{problem}"))
            .collect(),
        is_unknown,
    }
}

fn draft(desk: &mut Desk<'_>, wish: &Wish) -> Result<Draft, Failure> {
    let world = World::ask(desk)?;
    let semantics = desk
        .connection()
        .profile()
        .map_err(Failure::hns("read the version of HNS"))?
        .semantics;
    match wish {
        Wish::File(path, file) => {
            let meaning = world
                .meaning(file)
                .map_err(|problems| bad_file(path, &problems, true))?;
            Ok(Draft::of(&world, meaning, &semantics))
        }
        Wish::Removal(name) => Ok(Draft::removal(&world, name, &semantics)),
    }
}

/// Shows a plan before it is carried out; as JSON it comes at the end, with what became of it.
fn show(
    desk: &mut Desk<'_>,
    draft: &Draft,
    output: ProbeOutput,
    requests: bool,
) -> Result<(), Failure> {
    match output {
        ProbeOutput::Text => report::print(desk, draft, requests),
        ProbeOutput::Json => Ok(()),
    }
}

fn finish(
    desk: &mut Desk<'_>,
    draft: &Draft,
    output: ProbeOutput,
    state: State,
) -> Result<(), Failure> {
    if output == ProbeOutput::Json {
        json::write_object(&mut desk.out, &report::to_value(draft, state).to_string())?;
    }
    desk.out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests;
