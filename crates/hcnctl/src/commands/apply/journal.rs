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
//!
//! Those of an embedded HNS lie in the folder `apply` of its state directory, and go where the directory goes. Those of any other lie in a folder of its own
//! in the platform's, whatever `--state` says: one HNS, one place.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hcn::{Target, batch::Undo, target::default_state};
use serde_json::{Value, json};

use crate::{failure::Failure, policy_file::is_name};

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

/// What is left of a change that is neither confirmed nor taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Name of the policy.
    pub policy: String,
    /// How far it is.
    pub stage: Stage,
    /// Whether the apply that made it, or another process in its place, is at work.
    pub has_apply: bool,
    /// Whether a guard waits, or takes it back.
    pub has_guard: bool,
}

/// How far a change is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sent in part or as a whole.
    Sending,
    /// Sent, and to be confirmed until then, in seconds since 1970.
    Waiting(u64),
    /// Taken back in part.
    Undoing,
    /// Its journal cannot be read: why.
    Unreadable(String),
}

impl Left {
    /// What the user should know, and can do.
    pub fn sentence(&self, now: u64) -> String {
        let policy = &self.policy;
        let is_kept = self.has_apply || self.has_guard;
        let is_asked = "hcnctl apply --recover takes it back";
        match &self.stage {
            Stage::Waiting(deadline) if *deadline >= now => {
                let otherwise = match self.has_apply {
                    true => "without that it is taken back at the end of its time".to_owned(),
                    false => format!("{is_asked} now"),
                };
                format!(
                    "a change of policy {policy} waits to be confirmed: hcnctl confirm {policy} keeps it, {otherwise}"
                )
            }
            Stage::Sending if self.has_apply => {
                format!("another apply of policy {policy} is at work")
            }
            Stage::Undoing if self.has_apply => {
                format!("a change of policy {policy} is being taken back")
            }
            Stage::Sending | Stage::Waiting(_) if is_kept => {
                format!("a change of policy {policy} is about to be taken back")
            }
            Stage::Undoing => format!(
                "a change of policy {policy} is not taken back as a whole: hcnctl apply --recover tries again, hcnctl apply --discard {policy} forgets it"
            ),
            Stage::Sending | Stage::Waiting(_) => format!(
                "an apply of policy {policy} ended before its change was done or confirmed: {is_asked}"
            ),
            Stage::Unreadable(why) => format!(
                "what an apply of policy {policy} wrote down cannot be read ({why}), so what it left is not known: look at the endpoints with hcnctl acl list, then hcnctl apply --discard {policy} forgets it"
            ),
        }
    }
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
    /// Those of an HNS.
    pub fn of(target: &Target) -> Journals {
        match target.absolute() {
            // The directory is the HNS, whatever it is called.
            Target::Embedded(folder) => Journals {
                folder: folder.unwrap_or_else(default_state).join("apply"),
                target: "embedded".to_owned(),
            },
            other => {
                let target = other.to_string();
                let own = format!("{:016x}", fingerprint(&target));
                Journals {
                    folder: default_state().join("apply").join(own),
                    target,
                }
            }
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

    /// Whether a living process is responsible for a policy; who may not even look takes it for so.
    pub fn is_kept(&self, policy: &str, keeper: Keeper) -> bool {
        // Somebody else who only looks holds it for a moment.
        for _ in 0..3 {
            match File::open(self.path(policy, keeper.extension())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
                Ok(file) if file.try_lock().is_ok() => return false,
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        true
    }

    /// Writes down what is about to be changed; it is on the disk when this returns.
    ///
    /// # Errors
    /// Where it cannot be written, or would replace a journal that is not of this HNS.
    pub fn begin(&self, journal: &Journal) -> Result<(), Failure> {
        let _ = fs::remove_file(self.path(&journal.policy, CONFIRMED));
        self.write(journal, PENDING)
    }

    /// Writes down what is still to be taken back.
    pub fn keep(&self, journal: &Journal) -> Result<(), Failure> {
        self.write(journal, UNDOING)
    }

    fn write(&self, journal: &Journal, extension: &str) -> Result<(), Failure> {
        let path = self.path(&journal.policy, extension);
        if let Ok(text) = fs::read_to_string(&path) {
            self.parse(&path, &text)?;
        }
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

    /// What is left of a policy's change. Who holds the policy asks before holding it.
    pub fn left(&self, policy: &str) -> Option<Left> {
        let stage = match self.stage(policy, PENDING) {
            None => self.stage(policy, UNDOING)?,
            Some(pending) => pending,
        };
        Some(Left {
            policy: policy.to_owned(),
            stage,
            has_apply: self.is_kept(policy, Keeper::Apply),
            has_guard: self.is_kept(policy, Keeper::Guard),
        })
    }

    fn stage(&self, policy: &str, extension: &str) -> Option<Stage> {
        match self.read(&self.path(policy, extension)) {
            Ok(None) => None,
            Ok(Some(_)) if extension == UNDOING => Some(Stage::Undoing),
            Ok(Some(journal)) => Some(journal.deadline.map_or(Stage::Sending, Stage::Waiting)),
            Err(Failure::File { path, error }) => {
                Some(Stage::Unreadable(format!("{path}: {error}")))
            }
            Err(other) => Some(Stage::Unreadable(other.page())),
        }
    }

    /// What is left of the changes of all policies.
    pub fn all_left(&self) -> Result<Vec<Left>, Failure> {
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
            let policy = path.file_stem().and_then(|stem| stem.to_str());
            if let (true, Some(policy)) = (is_journal, policy)
                && is_name(policy)
            {
                policies.push(policy.to_owned());
            }
        }
        policies.sort_unstable();
        policies.dedup();
        let left = policies.iter().filter_map(|policy| self.left(policy));
        Ok(left.collect())
    }

    fn read(&self, path: &Path) -> Result<Option<Journal>, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => self.parse(path, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path)(error)),
        }
    }

    fn parse(&self, path: &Path, text: &str) -> Result<Journal, Failure> {
        let wrong = |why: String| failed(path)(io::Error::new(io::ErrorKind::InvalidData, why));
        let none = || wrong("it is no journal of apply".to_owned());
        let page: Value = serde_json::from_str(text).map_err(|_| none())?;
        let target = page.get("target").and_then(Value::as_str);
        let target = target.ok_or_else(none)?;
        if target != self.target {
            return Err(wrong(format!("it is about another HNS, {target}")));
        }
        let undos = page.get("undo").and_then(Value::as_array);
        let undos: Option<Vec<Undo>> =
            undos.and_then(|undos| undos.iter().map(Undo::from_value).collect());
        let policy = page.get("policy").and_then(Value::as_str);
        match (policy, undos) {
            (Some(policy), Some(undos)) => Ok(Journal {
                policy: policy.to_owned(),
                deadline: page.get("deadline").and_then(Value::as_u64),
                undos,
            }),
            _ => Err(none()),
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

/// A name for a folder that is the same in every build: FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>. Two names with one print are told apart by what
/// the journals say.
fn fingerprint(text: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    text.bytes().fold(BASIS, |print, byte| {
        (print ^ u64::from(byte)).wrapping_mul(PRIME)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("hcnctl-journal-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn journals(&self, target: &str) -> Journals {
            Journals {
                folder: self.0.clone(),
                target: target.to_owned(),
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn journal(deadline: Option<u64>) -> Journal {
        Journal {
            policy: "web".to_owned(),
            deadline,
            undos: Vec::new(),
        }
    }

    #[test]
    fn an_fnv_1a_print_is_as_published() {
        // Test vectors of draft-eastlake-fnv, 64 bits.
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_hns_but_an_embedded_one_has_a_folder_of_its_own_and_a_spelling_makes_no_other() {
        let of = |text: &str| Journals::of(&text.parse().unwrap());
        let folders: Vec<PathBuf> = [
            "unix:/a.sock",
            "unix:/b.sock",
            "http://127.0.0.1:80",
            "native",
        ]
        .map(|text| of(text).folder)
        .into();
        for (place, folder) in folders.iter().enumerate() {
            assert!(folder.starts_with(default_state().join("apply")));
            assert!(!folders[..place].contains(folder));
            assert_ne!(*folder, of("embedded").folder);
        }
        assert_eq!(
            of("http://localhost:80").folder,
            of("http://127.0.0.1:80").folder
        );
        let folder = Folder::new("spelling");
        let plain = of(&format!("embedded:{}", folder.0.display()));
        let other = of(&format!("embedded:{}/./", folder.0.display()));
        assert_eq!((plain.folder, plain.target), (other.folder, other.target));
    }

    #[test]
    fn a_journal_of_another_hns_is_neither_replaced_nor_taken_for_none() {
        let folder = Folder::new("other");
        folder
            .journals("unix:/a.sock")
            .begin(&journal(None))
            .unwrap();
        let text = fs::read(folder.0.join("web.pending")).unwrap();
        let other = folder.journals("unix:/b.sock");
        assert!(other.begin(&journal(None)).is_err());
        assert!(other.pending("web").is_err());
        assert!(matches!(
            other.left("web").unwrap().stage,
            Stage::Unreadable(_)
        ));
        assert_eq!(fs::read(folder.0.join("web.pending")).unwrap(), text);
    }

    #[test]
    fn what_is_left_says_how_far_it_is_and_who_is_at_it() {
        let folder = Folder::new("left");
        let journals = folder.journals("unix:/a.sock");
        assert_eq!(journals.all_left().unwrap(), []);
        journals.begin(&journal(None)).unwrap();
        let stage = || journals.all_left().unwrap()[0].stage.clone();
        assert_eq!(stage(), Stage::Sending);
        journals.begin(&journal(Some(7))).unwrap();
        assert_eq!(stage(), Stage::Waiting(7));
        let held = journals.hold("web", Keeper::Guard).unwrap().unwrap();
        assert!(journals.left("web").unwrap().has_guard);
        drop(held);
        assert!(!journals.left("web").unwrap().has_guard);
        journals.claim("web").unwrap().unwrap();
        assert_eq!(stage(), Stage::Undoing);
        // Torn, as no rename leaves it; and what is no journal at all.
        fs::write(folder.0.join("web.undoing"), "{").unwrap();
        fs::write(folder.0.join("no name.pending"), "").unwrap();
        assert!(matches!(stage(), Stage::Unreadable(_)));
        journals.end("web").unwrap();
        assert_eq!(journals.all_left().unwrap(), []);
    }
    #[test]
    fn only_what_can_be_done_about_a_change_is_offered() {
        let of = |stage, has_apply, has_guard| {
            let policy = "web".to_owned();
            let left = Left {
                policy,
                stage,
                has_apply,
                has_guard,
            };
            let text = left.sentence(100);
            ["confirm web", "--recover", "--discard web"].map(|command| text.contains(command))
        };
        let unreadable = || Stage::Unreadable("torn".to_owned());
        for (stage, has_apply, has_guard, offered) in [
            // Only what waits, and whose time is not over, can be confirmed.
            (Stage::Waiting(200), true, true, [true, false, false]),
            (Stage::Waiting(200), false, true, [true, true, false]),
            (Stage::Waiting(200), false, false, [true, true, false]),
            (Stage::Waiting(99), false, false, [false, true, false]),
            (Stage::Waiting(99), false, true, [false, false, false]),
            (Stage::Sending, true, false, [false, false, false]),
            (Stage::Sending, false, true, [false, false, false]),
            (Stage::Sending, false, false, [false, true, false]),
            (Stage::Undoing, true, true, [false, false, false]),
            (Stage::Undoing, false, true, [false, true, true]),
            (Stage::Undoing, false, false, [false, true, true]),
            (unreadable(), false, false, [false, false, true]),
        ] {
            let said = of(stage.clone(), has_apply, has_guard);
            assert_eq!(said, offered, "{stage:?} {has_apply} {has_guard}");
        }
    }
}
