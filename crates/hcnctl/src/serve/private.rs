// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that only their owner reads.

use std::{fs, io, io::Write, path::Path};

/// Writes a file anew, with mode 0600 from its first moment where the system has modes.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}
