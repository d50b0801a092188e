// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests share: where recorded HNS data is, and skips that are counted.
//!
//! Apart because every crate's tests ask the same question. Recorded data lies outside the repository, since its licences differ; a test
//! that needs it and does not find it says so in a line that `.ci/run` counts, and never passes in silence.

pub mod oracle;
pub mod schema;

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Folder of recorded HNS data: `HCNCTL_CORPUS`, else `../shared/corpus` beside the repository; `None` where neither exists.
pub fn corpus() -> Option<PathBuf> {
    let folder = match env::var_os("HCNCTL_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/corpus"),
    };
    folder.is_dir().then_some(folder)
}

/// Folder of the wire traces of real clients: `traces` beside the corpus; `None` where there is none.
pub fn traces() -> Option<PathBuf> {
    let folder = corpus()?.parent()?.join("traces");
    folder.is_dir().then_some(folder)
}

/// The folder of recorded data, or a skip that is printed and counted.
///
/// A test that gets `None` returns at once.
pub fn corpus_or_skip(test: &str) -> Option<PathBuf> {
    or_skip(
        corpus(),
        test,
        "no recorded HNS data (set HCNCTL_CORPUS to its folder)",
    )
}

/// The folder of wire traces, or a skip that is printed and counted.
///
/// A test that gets `None` returns at once.
pub fn traces_or_skip(test: &str) -> Option<PathBuf> {
    or_skip(
        traces(),
        test,
        "no wire traces (set HCNCTL_CORPUS to a corpus with `traces` beside it)",
    )
}

/// Says that a test did not run and why, past the harness's capture, in the form that `.ci/run` counts.
///
/// One test prints at most one such line: the count of skips is the count of lines.
pub fn skip(test: &str, why: &str) {
    // The harness captures `eprintln!`, not writes to the handle. One write, so that no other line gets between.
    let line = skip_line(test, why);
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Top folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn or_skip(folder: Option<PathBuf>, test: &str, why: &str) -> Option<PathBuf> {
    if folder.is_none() {
        skip(test, why);
    }
    folder
}

fn skip_line(test: &str, why: &str) -> String {
    format!("SKIPPED {test}: {}\n", why.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_the_folder_of_the_workspace_manifest() {
        let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"), "{manifest}");
    }

    #[test]
    fn a_skip_is_one_line_that_names_the_test() {
        assert_eq!(
            skip_line("rules::all", "no\ndata"),
            "SKIPPED rules::all: no data\n"
        );
    }

    #[test]
    fn traces_are_found_only_beside_a_corpus() {
        assert!(corpus().is_some() || traces().is_none());
    }
}
