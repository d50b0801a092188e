// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an apply writes down before it changes anything, so that a process that dies leaves no half of a change.
//!
//! Apart from the apply itself, because others read it: `confirm`, the guard, and the next apply. A journal is one file whose name tells its state,
//! and a state is left by renaming, of which exactly one process succeeds. Who is responsible for a journal holds a lock that the system lets go with
//! the process. Invariant: a change that is neither confirmed nor taken back has a journal.
//!
//! | file | meaning |
//! |---|---|
//! | `NAME.pending` | being sent, or sent and to be confirmed, where it has a deadline |
//! | `NAME.confirmed` | somebody confirmed it |
//! | `NAME.undoing` | being taken back |
//! | `NAME.apply-lock`, `NAME.guard-lock` | held by the apply, and by its guard |

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hcn::{Target, batch::Undo, target::default_state};
use serde_json::{Value, json};

use crate::failure::Failure;

const PENDING: &str = "pending";
const CONFIRMED: &str = "confirmed";
const UNDOING: &str = "undoing";

/// Who is responsible for a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The apply that made the change.
    Apply,
    /// The process beside it.
    Guard,
}

impl Keeper {
    fn extension(self) -> &'static str {
        match self {
            Keeper::Apply => "apply-lock",
            Keeper::Guard => "guard-lock",
        }
    }
}

/// The journals of one HNS.
#[derive(Clone, Debug)]
pub struct Journals {
    folder: PathBuf,
    target: String,
}

/// What a journal says.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// Name of the policy.
    pub policy: String,
    /// Until when it has to be confirmed, in seconds since 1970; `None` while it is being sent, and where it need not be.
    pub deadline: Option<u64>,
    /// What it takes to take the change back.
    pub undos: Vec<Undo>,
}

/// Held as long as it lives.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

impl Journals {
    /// Those of an HNS: in the state directory of an embedded one, else in the platform's.
    pub fn of(target: &Target) -> Journals {
        let folder = match target {
            Target::Embedded(Some(folder)) => folder.clone(),
            _ => default_state(),
        };
        Journals {
            folder: folder.join("apply"),
            target: target.to_string(),
        }
    }

    fn path(&self, policy: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{policy}.{extension}"))
    }

    /// Becomes responsible for a policy; `None` where another process is.
    pub fn hold(&self, policy: &str, keeper: Keeper) -> Result<Option<Held>, Failure> {
        // Somebody who only looks holds it for a moment.
        for _ in 0..20 {
            if let Some(held) = self.try_hold(policy, keeper)? {
                return Ok(Some(held));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    }

    fn try_hold(&self, policy: &str, keeper: Keeper) -> Result<Option<Held>, Failure> {
        let path = self.path(policy, keeper.extension());
        let failed = failed(&path);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether a living process is responsible for a policy.
    pub fn is_kept(&self, policy: &str, keeper: Keeper) -> Result<bool, Failure> {
        if !self.path(policy, keeper.extension()).exists() {
            return Ok(false);
        }
        Ok(self.try_hold(policy, keeper)?.is_none())
    }

    /// Writes down what is about to be changed; it is on the disk when this returns.
    pub fn begin(&self, journal: &Journal) -> Result<(), Failure> {
        let path = self.path(&journal.policy, PENDING);
        let _ = fs::remove_file(self.path(&journal.policy, CONFIRMED));
        let undos: Vec<Value> = journal.undos.iter().map(Undo::to_value).collect();
        let page = json!({
            "target": self.target,
            "policy": journal.policy,
            "deadline": journal.deadline,
            "undo": undos,
        });
        let new = self.path(&journal.policy, "new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(page.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_folder(&self.folder)
        };
        write().map_err(failed(&path))
    }

    /// The journal of a policy that is neither confirmed nor being taken back.
    pub fn pending(&self, policy: &str) -> Result<Option<Journal>, Failure> {
        self.read(&self.path(policy, PENDING))
    }

    /// Names of the policies that have a journal of this HNS, pending or half taken back.
    pub fn policies(&self) -> Result<Vec<String>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder)(error)),
        };
        let mut policies = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.folder))?.path();
            let is_journal = [PENDING, UNDOING]
                .iter()
                .any(|own| path.extension().is_some_and(|extension| extension == *own));
            if is_journal && let Some(journal) = self.read(&path)? {
                policies.push(journal.policy);
            }
        }
        policies.sort_unstable();
        policies.dedup();
        Ok(policies)
    }

    fn read(&self, path: &Path) -> Result<Option<Journal>, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path)(error)),
        };
        let unreadable = || {
            failed(path)(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is no journal of apply",
            ))
        };
        let page: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
        if page.get("target").and_then(Value::as_str) != Some(&self.target) {
            return Ok(None);
        }
        let undos = page.get("undo").and_then(Value::as_array);
        let undos: Option<Vec<Undo>> =
            undos.and_then(|undos| undos.iter().map(Undo::from_value).collect());
        let policy = page.get("policy").and_then(Value::as_str);
        match (policy, undos) {
            (Some(policy), Some(undos)) => Ok(Some(Journal {
                policy: policy.to_owned(),
                deadline: page.get("deadline").and_then(Value::as_u64),
                undos,
            })),
            _ => Err(unreadable()),
        }
    }

    /// Marks a change as confirmed; false where it was confirmed or taken back already.
    pub fn confirm(&self, policy: &str) -> Result<bool, Failure> {
        self.rename(policy, PENDING, CONFIRMED)
    }

    /// Whether somebody confirmed it.
    pub fn is_confirmed(&self, policy: &str) -> bool {
        self.path(policy, CONFIRMED).exists()
    }

    /// Takes on the task to take a change back: the journal, or `None` where there is nothing to take back.
    pub fn claim(&self, policy: &str) -> Result<Option<Journal>, Failure> {
        self.rename(policy, PENDING, UNDOING)?;
        self.read(&self.path(policy, UNDOING))
    }

    /// The same, from a process that still waits: the journal, or `None` where somebody else was faster.
    pub fn wrest(&self, policy: &str) -> Result<Option<Journal>, Failure> {
        match self.rename(policy, PENDING, UNDOING)? {
            true => self.read(&self.path(policy, UNDOING)),
            false => Ok(None),
        }
    }

    /// Forgets a policy's journal.
    pub fn end(&self, policy: &str) -> Result<(), Failure> {
        for extension in [PENDING, CONFIRMED, UNDOING] {
            let path = self.path(policy, extension);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn rename(&self, policy: &str, from: &str, to: &str) -> Result<bool, Failure> {
        let path = self.path(policy, from);
        match fs::rename(&path, self.path(policy, to)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&path)(error)),
        }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure + Copy + '_ {
    move |error| Failure::File {
        path: path.display().to_string(),
        error,
    }
}

/// A renamed file is there after a power failure only once its folder is written.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
