// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file in which simulated containers are kept beside an HNS that keeps none.
//!
//! Apart from who makes them. One file of a state directory, a list for each HNS. Invariants: who changes it holds the lock beside it from
//! reading to writing; the file is replaced as a whole, so that a reader, or a crash, meets the old list or the new one; the lists of
//! other HNSs in it stay as they are.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_service::Container;
use serde_json::{Map, Value, json};

use crate::wire;

/// Its name.
const FILE: &str = "native-containers.json";

/// The lock is another file, since this one is replaced.
const LOCK: &str = "native-containers.lock";

/// The shape that is written. A file of a later one is not touched.
const FORMAT: u64 = 1;

/// Marks a container that is being made.
const UNFINISHED: &str = "Unfinished";

/// Where the containers of one HNS are kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    host: String,
}

/// A container, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub container: Container,
    /// Whether it is only being made. Whoever finds this while holding the lock knows that its maker did not get to the end.
    pub unfinished: bool,
}

/// The list, to be changed by nobody else until this is dropped.
pub(super) struct Change<'a> {
    kept: &'a Kept,
    /// The whole file.
    page: Value,
    /// Oldest first.
    pub entries: Vec<Entry>,
    _lock: File,
}

impl Kept {
    /// In a state directory, under the name of an HNS.
    pub fn new(folder: PathBuf, host: String) -> Kept {
        Kept { folder, host }
    }

    /// The list as it is; empty where there is no file.
    pub fn read(&self) -> Answer<Vec<Entry>> {
        let path = self.folder.join(FILE);
        // A state directory that cannot be written can be read all the same; then nobody changes it either.
        let lock = File::options().read(true).open(self.folder.join(LOCK));
        if let Ok(lock) = &lock {
            lock.lock_shared()
                .map_err(|error| cannot(&path, "locked", &error))?;
        }
        let page = page(&path)?;
        self.entries(&path, &page)
    }

    /// The list, locked until the change is dropped. The directory is made where it is missing.
    pub fn change(&self) -> Answer<Change<'_>> {
        let path = self.folder.join(FILE);
        let lock = self.folder.join(LOCK);
        fs::create_dir_all(&self.folder).map_err(|error| cannot(&self.folder, "made", &error))?;
        let lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| cannot(&lock, "locked", &error))?;
        let page = page(&path)?;
        Ok(Change {
            entries: self.entries(&path, &page)?,
            kept: self,
            page,
            _lock: lock,
        })
    }

    fn entries(&self, path: &Path, page: &Value) -> Answer<Vec<Entry>> {
        let Some(list) = page["Hosts"].get(&self.host) else {
            return Ok(Vec::new());
        };
        let entry = |value: &Value| {
            Some(Entry {
                container: wire::read_container(value)?,
                unfinished: value[UNFINISHED] == true,
            })
        };
        list.as_array()
            .and_then(|list| list.iter().map(entry).collect())
            .ok_or_else(|| damaged(path, "its list of containers cannot be read"))
    }
}

impl Change<'_> {
    /// Writes the list; durable when this returns.
    pub fn write(&mut self) -> Answer<()> {
        let path = self.kept.folder.join(FILE);
        let list: Vec<Value> = self
            .entries
            .iter()
            .map(|entry| {
                let mut value = wire::container(&entry.container);
                if entry.unfinished {
                    value[UNFINISHED] = true.into();
                }
                value
            })
            .collect();
        if let Some(hosts) = self.page["Hosts"].as_object_mut() {
            if list.is_empty() {
                hosts.shift_remove(&self.kept.host);
            } else {
                hosts.insert(self.kept.host.clone(), list.into());
            }
        }
        replace(&path, &format!("{:#}\n", self.page))
            .map_err(|error| cannot(&path, "written", &error))
    }
}

/// The whole file; what an empty one would hold where there is none.
fn page(path: &Path) -> Answer<Value> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(json!({"Format": FORMAT, "Hosts": Map::new()}));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(damaged(path, "it is not text"));
        }
        Err(error) => return Err(cannot(path, "read", &error)),
    };
    let page: Value =
        serde_json::from_str(&text).map_err(|error| damaged(path, &error.to_string()))?;
    match page["Format"].as_u64() {
        Some(FORMAT) if page["Hosts"].is_object() => Ok(page),
        Some(later) if later > FORMAT => Err(HnsError::because(
            HcnCode::ERROR_WRONG_DISK,
            format!("{} is of a later hcnctl (format {later})", path.display()),
        )),
        _ => Err(damaged(path, "it is not a list of containers")),
    }
}

/// Puts a text in the place of a file: whole on the disk before it has the name.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    // The name is durable once the directory is; only Unix opens one.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn cannot(path: &Path, what: &str, error: &io::Error) -> HnsError {
    use io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::PermissionDenied => HcnCode::E_ACCESSDENIED,
        ErrorKind::ReadOnlyFilesystem => HcnCode::ERROR_WRITE_PROTECT,
        ErrorKind::StorageFull => HcnCode::ERROR_DISK_FULL,
        _ => HcnCode::E_INVALIDARG,
    };
    let path = path.display();
    HnsError::because(
        code,
        format!("{path}, where simulated containers are kept, cannot be {what}: {error}"),
    )
}

fn damaged(path: &Path, why: &str) -> HnsError {
    HnsError::because(
        HcnCode::ERROR_FILE_CORRUPT,
        format!(
            "{}, where simulated containers are kept, is damaged ({why}); mend it, or move it away and take away their endpoints by hand",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use hcn_schema::Guid;

    use super::*;

    /// A directory of its own; gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder =
                std::env::temp_dir().join(format!("hcn-kept-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            Folder(folder)
        }

        fn of(&self, host: &str) -> Kept {
            Kept::new(self.0.clone(), host.to_owned())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn entry(name: &str) -> Entry {
        Entry {
            container: Container {
                name: name.to_owned(),
                id: "1".repeat(64),
                endpoint: Guid(1),
                namespace: Some(Guid(2)),
                listeners: Vec::new(),
                created_ms: 1,
                adopted: false,
            },
            unfinished: name == "half",
        }
    }

    #[test]
    fn each_hns_has_its_own_list_and_reads_it_back() {
        let folder = Folder::new("hosts");
        assert_eq!(folder.of("native").read(), Ok(Vec::new()));
        assert!(!folder.0.exists(), "reading makes nothing");
        for (host, names) in [("native", &["web", "half"][..]), ("native:x", &["db"])] {
            let kept = folder.of(host);
            let mut change = kept.change().unwrap();
            change.entries = names.iter().map(|name| entry(name)).collect();
            change.write().unwrap();
        }
        assert_eq!(
            folder.of("native").read(),
            Ok(vec![entry("web"), entry("half")])
        );
        assert_eq!(folder.of("native:x").read(), Ok(vec![entry("db")]));
    }

    #[test]
    fn eight_writers_lose_nothing_of_each_other() {
        let folder = Folder::new("writers");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let kept = folder.of("native");
                scope.spawn(move || {
                    for number in 0..10 {
                        let mut change = kept.change().unwrap();
                        change.entries.push(entry(&format!("w{writer}-{number}")));
                        change.write().unwrap();
                        drop(change);
                        kept.read().unwrap();
                    }
                });
            }
        });
        assert_eq!(folder.of("native").read().unwrap().len(), 80);
    }

    #[test]
    fn a_file_that_is_damaged_or_of_a_later_format_is_told_and_left_alone() {
        let folder = Folder::new("damaged");
        fs::create_dir_all(&folder.0).unwrap();
        let path = folder.0.join(FILE);
        for (text, code) in [
            ("", HcnCode::ERROR_FILE_CORRUPT),
            ("[]", HcnCode::ERROR_FILE_CORRUPT),
            (
                r#"{"Format":1,"Hosts":{"native":[{"Name":1}]}}"#,
                HcnCode::ERROR_FILE_CORRUPT,
            ),
            (r#"{"Format":2,"Containers":[]}"#, HcnCode::ERROR_WRONG_DISK),
        ] {
            fs::write(&path, text).unwrap();
            let kept = folder.of("native");
            assert_eq!(kept.read().unwrap_err().code, code, "{text}");
            assert_eq!(kept.change().err().unwrap().code, code, "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
