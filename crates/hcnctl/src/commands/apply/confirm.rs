// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--confirm-within` and `confirm`: a change that is taken back unless somebody says that it is good.
//!
//! Apart from the apply, because three processes take part: the apply waits, `confirm` says yes, and a guard beside the apply takes the change back
//! where the apply is gone (the usual reason to wait is that the change may cut off whoever makes it). Invariant: at the end of the time the change is
//! confirmed or being taken back, whichever of the processes lives; where none does, by the next apply or `apply --recover`.

use std::{
    io::{self, IsTerminal},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use hcn::batch::{Undone, take_back};

use super::{
    journal::{Journal, Journals, Keeper, now},
    report::undone_line,
};
use crate::{
    cli::apply::ConfirmArgs,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
};

/// How often a waiting process looks.
const LOOK: Duration = Duration::from_millis(50);
/// Endpoints that went back as they should and are named one by one.
const MOST_PLAIN: usize = 8;
/// How long a guard may take to start.
const START: Duration = Duration::from_secs(10);
/// What a guard leaves to its apply after the deadline.
const GRACE: u64 = 2;

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
        Failure::Usage(format!(
            "nothing was sent: the process that guards the change cannot be started: {why}"
        ))
    };
    start().map_err(|error| failed(&error.to_string()))?;
    let end = Instant::now() + START;
    while !journals.is_kept(policy, Keeper::Guard)? {
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
    let entered = if io::stdin().is_terminal() {
        desk.say(&format!(
            "press Enter within {} s to keep the change, or run: hcnctl confirm {policy}",
            time.as_secs()
        ))?;
        Some(enter())
    } else {
        desk.say(&format!(
            "waiting {} s for: hcnctl confirm {policy}",
            time.as_secs()
        ))?;
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
    let mut waiting = Vec::new();
    for policy in journals.policies()? {
        if let Some(journal) = journals.pending(&policy)?
            && journal.deadline.is_some()
        {
            waiting.push(journal);
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
            Some(name) => format!("no change of policy {name:?} waits to be confirmed"),
            None => "no change waits to be confirmed".to_owned(),
        }));
    };
    let is_late = journal.deadline.is_some_and(|deadline| now() > deadline);
    if is_late || !journals.confirm(&journal.policy)? {
        return Err(Failure::Absent(format!(
            "the time to confirm policy {:?} is over, and the change is taken back; hcnctl apply --recover does it where no process is left to",
            journal.policy
        )));
    }
    desk.say(&format!("policy {}: confirmed", journal.policy))?;
    Ok(exit::DONE)
}

/// Takes back a change for which this process is responsible, and says what became of it; false where a part failed.
pub fn undo(desk: &mut Desk<'_>, journals: &Journals, journal: &Journal) -> Result<bool, Failure> {
    let undone = take_back(desk.client(), &journal.undos);
    let good = !undone
        .iter()
        .any(|(_, undone)| matches!(undone, Undone::Failed(_)));
    let is_plain = |undone: &Undone| matches!(undone, Undone::Back | Undone::Untouched);
    let plain = undone.iter().filter(|(_, undone)| is_plain(undone)).count();
    for (id, undone) in &undone {
        if plain > MOST_PLAIN && is_plain(undone) {
            continue;
        }
        let label = match desk.client().endpoint(*id) {
            Ok(endpoint) => desk.endpoint_label(&endpoint)?,
            Err(_) => crate::render::short_id(&id.to_string()),
        };
        desk.say(&crate::render::shown(&undone_line(&label, undone)))?;
    }
    if plain > MOST_PLAIN {
        desk.say(&format!(
            "{plain} endpoints are as they were, and read back"
        ))?;
    }
    if good {
        journals.end(&journal.policy)?;
    } else {
        desk.say(
            "what could not be taken back stays written down: hcnctl apply --recover tries again",
        )?;
    }
    Ok(good)
}

/// Waits beside an apply; nobody reads what it says.
pub fn guard(desk: &mut Desk<'_>, policy: &str) -> Outcome {
    let journals = Journals::of(desk.target());
    let Some(_held) = journals.hold(policy, Keeper::Guard)? else {
        return Ok(exit::DONE);
    };
    loop {
        let Some(journal) = journals.pending(policy)? else {
            return Ok(exit::DONE);
        };
        let is_alone = !journals.is_kept(policy, Keeper::Apply)?;
        let is_over = match journal.deadline {
            // Still being sent.
            None => is_alone,
            Some(deadline) => now() > deadline + GRACE || now() >= deadline && is_alone,
        };
        if is_over {
            if let Some(journal) = journals.claim(policy)? {
                undo(desk, &journals, &journal)?;
            }
            return Ok(exit::DONE);
        }
        thread::sleep(LOOK * 4);
    }
}

/// Takes back what applies left behind for which no process is responsible; says how many there were. Where the user asks for it, what a guard would
/// take back at the end of its time is taken back now.
pub fn recover(desk: &mut Desk<'_>, journals: &Journals, is_asked: bool) -> Result<usize, Failure> {
    let mut count = 0;
    for policy in journals.policies()? {
        let Some(_held) = journals.hold(&policy, Keeper::Apply)? else {
            continue;
        };
        let journal = match journals.is_kept(&policy, Keeper::Guard)? {
            false => journals.claim(&policy)?,
            true if is_asked => journals.wrest(&policy)?,
            true => None,
        };
        let Some(journal) = journal else {
            continue;
        };
        count += 1;
        desk.say(&format!(
            "an apply of policy {policy} ended before its change was done or confirmed; taking it back"
        ))?;
        if !undo(desk, journals, &journal)? {
            return Err(Failure::Usage(format!(
                "the change of policy {policy} is not taken back as a whole"
            )));
        }
    }
    Ok(count)
}
