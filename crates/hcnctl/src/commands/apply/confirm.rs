// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--confirm-within` and `confirm`: a change that is taken back unless somebody says that it is good.
//!
//! Apart from the apply, because three processes take part: the apply waits, `confirm` says yes, and a guard beside the apply takes the change back
//! where the apply is gone (the usual reason to wait is that the change may cut off whoever makes it). Invariant: at the end of the time the change is
//! confirmed or being taken back, whichever of the processes lives; where none does, by the next apply of the policy or `apply --recover`. What cannot
//! be said to anybody keeps no change from being taken back.

use std::{
    io::{self, IsTerminal},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use hcn::{
    batch::{Undone, take_back},
    schema::Guid,
};

use super::{
    journal::{Journal, Journals, Keeper, Stage, now},
    named,
    report::undone_line,
};
use crate::{
    cli::apply::ConfirmArgs,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
};

/// How often a waiting process looks.
const LOOK: Duration = Duration::from_millis(50);
/// Endpoints of which there is the same to say and that are named one by one.
const MOST_PLAIN: usize = 8;
/// How long a guard may take to start.
const START: Duration = Duration::from_secs(30);
/// What a guard leaves to its apply after the deadline.
const GRACE: u64 = 2;
/// How long a guard waits before it tries again to take a change back.
const AGAIN: Duration = Duration::from_secs(5);
/// How long it goes on trying.
const PERSISTENCE: Duration = Duration::from_secs(3600);

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Somebody said yes.
    Confirmed,
    /// The time was over.
    Late,
    /// Somebody else took it back meanwhile.
    TakenBack,
}

/// Starts the process that takes the change back where this one does not come to do so.
///
/// # Errors
/// Where it does not start, or does not say in time that it is there; the change must not be made then.
pub fn start_guard(desk: &Desk<'_>, journals: &Journals, policy: &str) -> Result<(), Failure> {
    let start = || -> io::Result<()> {
        let mut guard = Command::new(std::env::current_exe()?);
        guard
            .args([
                "--host",
                &desk.target().to_string(),
                "apply",
                "--guard",
                policy,
            ])
            // The target says it all; a variable could name another directory.
            .env_remove("HCNCTL_STATE")
            .env_remove("HCNCTL_HOST")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A signal to this process and its terminal is none to the guard.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut guard, 0);
        #[cfg(windows)]
        {
            const DETACHED_PROCESS: u32 = 8;
            const CREATE_NEW_PROCESS_GROUP: u32 = 512;
            std::os::windows::process::CommandExt::creation_flags(
                &mut guard,
                DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP,
            );
        }
        guard.spawn().map(drop)
    };
    let failed = |why: &str| {
        Failure::change(format!(
            "nothing was sent: the process that guards the change cannot be started: {why}"
        ))
    };
    start().map_err(|error| failed(&error.to_string()))?;
    let end = Instant::now() + START;
    while !journals.is_kept(policy, Keeper::Guard) {
        if Instant::now() >= end {
            return Err(failed("it does not answer"));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Waits until the change is confirmed or the time is over.
pub fn wait(
    desk: &mut Desk<'_>,
    journals: &Journals,
    policy: &str,
    time: Duration,
) -> Result<Answer, Failure> {
    let end = Instant::now() + time;
    let seconds = time.as_secs();
    let entered = if io::stdin().is_terminal() {
        desk.tell(&format!(
            "press Enter within {seconds} s to keep the change, or run: hcnctl confirm {policy}"
        ));
        Some(enter())
    } else {
        desk.tell(&format!("waiting {seconds} s for: hcnctl confirm {policy}"));
        None
    };
    loop {
        if journals.is_confirmed(policy) {
            return Ok(Answer::Confirmed);
        }
        if journals.pending(policy)?.is_none() && !journals.is_confirmed(policy) {
            return Ok(Answer::TakenBack);
        }
        if let Some(entered) = &entered
            && entered.try_recv().is_ok()
        {
            journals.confirm(policy)?;
            continue;
        }
        if Instant::now() >= end {
            return Ok(Answer::Late);
        }
        thread::sleep(LOOK);
    }
}

/// Hears of Enter.
fn enter() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        // The end of input is no yes.
        if io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            let _ = sender.send(());
        }
    });
    receiver
}

/// Says that a change is good.
pub fn run(desk: &mut Desk<'_>, args: &ConfirmArgs) -> Outcome {
    let journals = Journals::of(desk.target());
    if let Some(name) = &args.name {
        named(name)?;
    }
    let mut waiting = Vec::new();
    for left in journals.all_left()? {
        match left.stage {
            Stage::Waiting(_) => waiting.extend(journals.pending(&left.policy)?),
            Stage::Unreadable(_) => desk.tell(&format!("note: {}", left.sentence(now()))),
            Stage::Sending | Stage::Undoing => {}
        }
    }
    let journal = match (&args.name, &waiting[..]) {
        (Some(name), all) => all.iter().find(|journal| journal.policy == *name),
        (None, [one]) => Some(one),
        (None, []) => None,
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|own| own.policy.as_str()).collect();
            return Err(Failure::Usage(format!(
                "several changes wait; say which: {}",
                names.join(", ")
            )));
        }
    };
    let Some(journal) = journal else {
        return Err(Failure::Absent(match &args.name {
            Some(name) => match journals.left(name) {
                Some(left) => format!(
                    "no change of policy {name:?} waits to be confirmed: {}",
                    left.sentence(now())
                ),
                None => format!("no change of policy {name:?} waits to be confirmed"),
            },
            None => "no change waits to be confirmed".to_owned(),
        }));
    };
    if desk.is_dry_run() {
        desk.tell(&format!("policy {}: would be confirmed", journal.policy));
        return Ok(exit::DONE);
    }
    let is_late = journal.deadline.is_some_and(|deadline| now() > deadline);
    if is_late || !journals.confirm(&journal.policy)? {
        return Err(Failure::Absent(format!(
            "the time to confirm policy {:?} is over, and the change is taken back; hcnctl apply --recover does it where no process is left to",
            journal.policy
        )));
    }
    desk.tell(&format!("policy {}: confirmed", journal.policy));
    Ok(exit::DONE)
}

/// What an endpoint is called; of an HNS that may be asked only where that is said.
pub type Label<'a> = &'a dyn Fn(&Desk<'_>, Guid, bool) -> Option<String>;

/// What became of taking a change back.
pub struct Undoing {
    /// Of each endpoint: its id, what it is called, and what became of it.
    pub endpoints: Vec<(Guid, String, Undone)>,
}

impl Undoing {
    /// Whether nothing is left to be taken back.
    pub fn is_whole(&self) -> bool {
        let mut all = self.endpoints.iter();
        !all.any(|(_, _, undone)| matches!(undone, Undone::Failed(_)))
    }
}

/// Takes back a change for which this process is responsible, and says what became of it; `label` knows what endpoints are called.
///
/// # Errors
/// Where the journal cannot be written; the endpoints are taken back all the same.
pub fn undo(
    desk: &mut Desk<'_>,
    journals: &Journals,
    journal: &Journal,
    label: Label<'_>,
) -> Result<Undoing, Failure> {
    let endpoints = take_back(desk.client(), &journal.undos);
    let endpoints = endpoints.into_iter().map(|(id, undone)| {
        // Who did not answer about the rules is not asked for a name.
        let may_ask = !matches!(undone, Undone::Failed(_) | Undone::Gone);
        let label = label(desk, id, may_ask);
        let label = label.unwrap_or_else(|| crate::render::short_id(&id.to_string()));
        (id, label, undone)
    });
    let undoing = Undoing {
        endpoints: endpoints.collect(),
    };
    // First of all: what is written down has to be true, whoever hears of it.
    let kept = match undoing.is_whole() {
        true => journals.end(&journal.policy),
        false => {
            let mut rest = journal.clone();
            rest.undos.retain(|undo| {
                let mut all = undoing.endpoints.iter();
                all.any(|(id, _, undone)| *id == undo.id && matches!(undone, Undone::Failed(_)))
            });
            journals.keep(&rest)
        }
    };
    for line in lines(&undoing) {
        desk.tell(&crate::render::shown(&line));
    }
    if !undoing.is_whole() {
        desk.tell(&format!(
            "what could not be taken back stays written down: hcnctl apply --recover tries again, hcnctl apply --discard {} forgets it",
            journal.policy
        ));
    }
    kept.map(|()| undoing)
}

/// What became of the endpoints: each in a line, but failures of one cause together, and many that are as they were by their number.
fn lines(undoing: &Undoing) -> Vec<String> {
    let all = &undoing.endpoints;
    let is_plain = |undone: &Undone| matches!(undone, Undone::Back | Undone::Untouched);
    let plain = all.iter().filter(|(_, _, undone)| is_plain(undone)).count();
    let mut lines: Vec<String> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for (_, label, undone) in all {
        match undone {
            Undone::Failed(error) => {
                let cause = error.to_string();
                if told.contains(&cause) {
                    continue;
                }
                let same = all.iter().filter(|(_, _, other)| {
                    matches!(other, Undone::Failed(error) if error.to_string() == cause)
                });
                let mut labels: Vec<&str> = same.map(|(_, label, _)| label.as_str()).collect();
                let more = labels.len().saturating_sub(MOST_PLAIN);
                labels.truncate(MOST_PLAIN);
                let mut who = labels.join(", ");
                if more > 0 {
                    who.push_str(&format!(" and {more} more"));
                }
                lines.push(undone_line(&who, undone));
                told.push(cause);
            }
            _ if is_plain(undone) && plain > MOST_PLAIN => {}
            _ => lines.push(undone_line(label, undone)),
        }
    }
    if plain > MOST_PLAIN {
        lines.push(format!("{plain} endpoints are as they were, and read back"));
    }
    lines
}

/// Waits beside an apply; nobody reads what it says. What cannot be taken back is tried again for a while: the change may have cut the way to the HNS.
pub fn guard(desk: &mut Desk<'_>, policy: &str) -> Outcome {
    let journals = Journals::of(desk.target());
    let Some(_held) = journals.hold(policy, Keeper::Guard)? else {
        return Ok(exit::DONE);
    };
    let mut end = None;
    while let Some(left) = journals.left(policy) {
        let is_alone = !left.has_apply;
        let is_over = match left.stage {
            Stage::Sending | Stage::Undoing => is_alone,
            Stage::Waiting(deadline) => now() > deadline + GRACE || now() >= deadline && is_alone,
            Stage::Unreadable(_) => return Ok(exit::HNS),
        };
        if !is_over {
            thread::sleep(LOOK * 4);
            continue;
        }
        let held = journals.hold(policy, Keeper::Apply)?;
        if is_alone && held.is_none() {
            // Somebody else takes it back.
            continue;
        }
        if let Some(journal) = journals.claim(policy)? {
            undo(desk, &journals, &journal, &asked)?;
        }
        drop(held);
        if Instant::now() >= *end.get_or_insert_with(|| Instant::now() + PERSISTENCE) {
            return Ok(exit::HNS);
        }
        if journals.left(policy).is_some() {
            thread::sleep(AGAIN);
        }
    }
    Ok(exit::DONE)
}

/// What an endpoint is called, of the HNS.
fn asked(desk: &Desk<'_>, id: Guid, may_ask: bool) -> Option<String> {
    if !may_ask {
        return None;
    }
    let endpoint = desk.client().endpoint(id).ok()?;
    desk.endpoint_label(&endpoint).ok()
}

/// Takes back what an apply of a policy left behind, for which this process is responsible now.
pub fn recover_one(
    desk: &mut Desk<'_>,
    journals: &Journals,
    journal: &Journal,
) -> Result<(), Failure> {
    let policy = &journal.policy;
    desk.tell(&format!(
        "an apply of policy {policy} ended before its change was done or confirmed; taking it back"
    ));
    match undo(desk, journals, journal, &asked)?.is_whole() {
        true => Ok(()),
        false => Err(Failure::change(format!(
            "the change of policy {policy} is not taken back as a whole"
        ))),
    }
}

/// Takes back what applies left behind for which no process is responsible, and what a guard would take back at the end of its time. One that cannot be
/// taken back keeps no other from it.
pub fn recover(desk: &mut Desk<'_>, journals: &Journals) -> Outcome {
    let all = journals.all_left()?;
    if all.is_empty() {
        desk.tell("nothing is left to be taken back");
    }
    let mut failures = Vec::new();
    for left in all {
        if desk.is_dry_run() {
            desk.tell(&left.sentence(now()));
            continue;
        }
        if let Stage::Unreadable(_) = left.stage {
            failures.push(Failure::change(left.sentence(now())));
            continue;
        }
        let one = |desk: &mut Desk<'_>| -> Result<(), Failure> {
            let policy = &left.policy;
            let Some(_held) = journals.hold(policy, Keeper::Apply)? else {
                desk.tell(&left.sentence(now()));
                return Ok(());
            };
            let journal = match left.has_guard && left.stage != Stage::Undoing {
                false => journals.claim(policy)?,
                true => journals.wrest(policy)?,
            };
            match journal {
                Some(journal) => recover_one(desk, journals, &journal),
                None => {
                    desk.tell(&left.sentence(now()));
                    Ok(())
                }
            }
        };
        failures.extend(one(desk).err());
    }
    let last = failures.pop();
    for failure in failures {
        desk.tell(failure.page().trim_end());
    }
    last.map_or(Ok(exit::DONE), Err)
}

/// Forgets what an apply of a policy left behind; the endpoints stay as they are.
pub fn discard(desk: &mut Desk<'_>, journals: &Journals, policy: &str) -> Outcome {
    let Some(left) = journals.left(policy) else {
        return Err(Failure::Absent(format!(
            "no apply of policy {policy:?} left anything to be forgotten"
        )));
    };
    let held = journals.hold(policy, Keeper::Apply)?;
    // A guard that tries again finds nothing to do.
    if held.is_none() || left.has_guard && left.stage != Stage::Undoing {
        return Err(Failure::change(left.sentence(now())));
    }
    let is = match desk.is_dry_run() {
        true => "would be",
        false => {
            journals.end(policy)?;
            "is"
        }
    };
    desk.tell(&format!(
        "policy {policy}: what an apply left {is} forgotten; the endpoints stay as they are"
    ));
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use hcn::{HcnCode, HnsError};

    use super::*;

    #[test]
    fn what_has_one_cause_is_said_once_and_many_endpoints_are_counted() {
        let dead = || Undone::Failed(HnsError::new(HcnCode::RPC_S_SERVER_UNAVAILABLE));
        let of = |all: Vec<(usize, Undone)>| {
            let endpoints = all.into_iter();
            let endpoints =
                endpoints.map(|(number, undone)| (Guid::ZERO, format!("c{number}"), undone));
            lines(&Undoing {
                endpoints: endpoints.collect(),
            })
        };
        let said = of((1..=40).map(|number| (number, dead())).collect());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("c1, c2, c3, c4, c5, c6, c7, c8 and 32 more: NOT taken back"),
            "{said:?}"
        );
        let few = of(vec![
            (1, Undone::Back),
            (2, dead()),
            (3, Undone::Gone),
            (4, dead()),
        ]);
        assert_eq!(few.len(), 3, "{few:?}");
        assert!(few[1].starts_with("c2, c4: NOT"), "{few:?}");
        let many = of((1..=9)
            .map(|number| (number, Undone::Back))
            .chain([(10, Undone::Merged)])
            .collect());
        assert_eq!(many.len(), 2, "{many:?}");
        assert_eq!(many[1], "9 endpoints are as they were, and read back");
    }
}
