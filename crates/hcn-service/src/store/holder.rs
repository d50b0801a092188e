// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who holds port reservations, and whether it still lives.
//!
//! A holder keeps a file beside the store locked. The operating system ends the lock with the process, however that ends, so a reservation
//! whose file is free or gone is nobody's. Holders start and the dead are buried under the store's write lock alone: a file that is free then is
//! never one whose holder is about to lock it.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use hcn_api::Answer;

use super::failure;

const PREFIX: &str = "ports-";
const SUFFIX: &str = ".lock";

/// One that holds port reservations, for as long as it is there.
#[derive(Debug)]
pub(crate) struct Holder {
    path: PathBuf,
    file: File,
}

impl Holder {
    /// A holder with a number that no other has.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn new(directory: &Path, number: u64) -> Answer<Holder> {
        let failed = |error| failure::cannot_use(directory, &error);
        let path = path(directory, number);
        let file = File::create_new(&path).map_err(failed)?;
        let holder = Holder { path, file };
        holder.file.lock().map_err(failed)?;
        Ok(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // What is left is buried by the next one who reserves.
    }
}

/// Whether a holder is there; where nobody can tell, it is.
pub(super) fn lives(directory: &Path, number: u64) -> bool {
    match File::open(path(directory, number)) {
        // Shared, so that two who look at the same time do not take each other for the holder.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Removes what holders left that ended without a word.
pub(super) fn bury(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| {
            let number = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
            u64::from_str_radix(number, 16).ok()
        });
        if number.is_some_and(|number| !lives(directory, number)) {
            let _ = fs::remove_file(entry.path()); // It does no harm but for being there.
        }
    }
}

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{PREFIX}{number:016x}{SUFFIX}"))
}
