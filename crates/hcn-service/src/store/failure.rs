// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the file system and SQLite refuse, as the codes that Windows has for it.

use std::path::Path;

use hcn_api::{HcnCode, HnsError};
use rusqlite::{Error, ErrorCode, ffi};

/// A failure of the open store.
pub(crate) fn failed(error: Error) -> HnsError {
    HnsError::because(code(&error), words(&error))
}

/// A failure with the place of the store.
pub(super) fn at(path: &Path, error: &Error) -> HnsError {
    HnsError::because(
        code(error),
        format!("the store {}: {}", path.display(), words(error)),
    )
}

/// The store cannot be written.
pub(super) fn write_protected(path: &Path) -> HnsError {
    HnsError::because(
        HcnCode::ERROR_WRITE_PROTECT,
        format!(
            "the store {} is read-only; nothing was changed",
            path.display()
        ),
    )
}

/// The log beside the store has answers in it, and reading them needs a file that cannot be made here.
pub(super) fn log_unread(path: &Path) -> HnsError {
    HnsError::because(
        HcnCode::ERROR_WRITE_PROTECT,
        format!(
            "the store {} is read-only, and its last changes are in the log beside it, which cannot be read without writing; copy the directory to where it can be written",
            path.display()
        ),
    )
}

/// The store's content is not what it should be.
pub(super) fn damaged(path: &Path, why: &str) -> HnsError {
    HnsError::because(
        HcnCode::ERROR_FILE_CORRUPT,
        format!("the store {} is damaged: {why}", path.display()),
    )
}

/// The state directory cannot be made.
pub(super) fn cannot_use(directory: &Path, error: &std::io::Error) -> HnsError {
    use std::io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::PermissionDenied => HcnCode::E_ACCESSDENIED,
        ErrorKind::ReadOnlyFilesystem => HcnCode::ERROR_WRITE_PROTECT,
        ErrorKind::StorageFull => HcnCode::ERROR_DISK_FULL,
        _ => HcnCode::E_INVALIDARG,
    };
    HnsError::because(
        code,
        format!(
            "the state directory {} cannot be used: {error}",
            directory.display()
        ),
    )
}

/// Whether the failure is about what we may do with the file, not about what is in it.
pub(super) fn is_about_access(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}

/// SQLite's own code, with one repair: where the index of the log does not grow, it is the disk that is full.
fn cause(error: &Error) -> Option<ErrorCode> {
    match error.sqlite_error() {
        Some(cause) if cause.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            Some(ErrorCode::DiskFull)
        }
        _ => error.sqlite_error_code(),
    }
}

fn code(error: &Error) -> HcnCode {
    match cause(error) {
        Some(ErrorCode::ReadOnly) => HcnCode::ERROR_WRITE_PROTECT,
        Some(ErrorCode::DiskFull) => HcnCode::ERROR_DISK_FULL,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => HcnCode::E_ACCESSDENIED,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            HcnCode::ERROR_SHARING_VIOLATION
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => HcnCode::ERROR_FILE_CORRUPT,
        Some(ErrorCode::SystemIoFailure) => HcnCode::ERROR_IO_DEVICE,
        Some(ErrorCode::OutOfMemory) => HcnCode::E_OUTOFMEMORY,
        _ => HcnCode::E_FAIL,
    }
}

fn words(error: &Error) -> String {
    match cause(error) {
        Some(ErrorCode::DiskFull) => "the disk is full; nothing was changed".to_owned(),
        Some(ErrorCode::ReadOnly) => "it is read-only; nothing was changed".to_owned(),
        Some(ErrorCode::DatabaseBusy) => {
            "another process holds it; nothing was changed, try again".to_owned()
        }
        Some(ErrorCode::NotADatabase) => "the file is not a store of an embedded HNS".to_owned(),
        _ => error.to_string(),
    }
}
