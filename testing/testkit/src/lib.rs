// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests share: where the corpus is, and skips that are counted.

use std::path::{Path, PathBuf};

/// Folder of recorded HNS data: `HCNCTL_CORPUS`, else `../shared/corpus` beside the repository; `None` where neither exists.
pub fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("HCNCTL_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/corpus"),
    };
    folder.is_dir().then_some(folder)
}

/// The folder of recorded data, or a skip that is printed and counted.
///
/// A test that gets `None` returns at once; `.ci/run` counts the lines.
pub fn corpus_or_skip(test: &str) -> Option<PathBuf> {
    let folder = corpus();
    if folder.is_none() {
        skip(test, "no recorded HNS data (set HCNCTL_CORPUS)");
    }
    folder
}

/// Says that a test did not run and why, past the harness's capture, in the form that `.ci/run` counts.
pub fn skip(test: &str, why: &str) {
    use std::io::Write;
    // The harness captures `eprintln!`, not writes to the handle.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

/// Top folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
