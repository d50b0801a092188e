// SPDX-License-Identifier: MIT OR Apache-2.0
//! What no compiler checks: the list of crates, the arrows between them, the heads of files, words, links.
//!
//! Each check is a pure function from the [`Tree`] of texts to findings, so that its tests show that it can fail.

mod arrows;
mod crate_list;
mod links;
mod lint_overrides;
mod rust_files;
mod tree;
mod words;

use std::{fmt, path::Path};

pub use arrows::metadata;
use tree::Tree;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the top of the repository.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub sentence: String,
}

impl Finding {
    fn new(file: &str, line: usize, sentence: impl Into<String>) -> Self {
        Finding {
            file: file.to_owned(),
            line,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.sentence)
    }
}

/// Prints every finding; whether there was none.
pub fn report(repository: &Path) -> bool {
    match findings(repository) {
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} findings", findings.len());
            findings.is_empty()
        }
        Err(error) => {
            println!("tidy could not look: {error}");
            false
        }
    }
}

fn findings(repository: &Path) -> Result<Vec<Finding>, String> {
    let tree = Tree::read(repository)?;
    let metadata = metadata(repository)?;
    let mut findings = [
        crate_list::check(&tree),
        arrows::check(&tree, &metadata)?,
        lint_overrides::check(&tree),
        rust_files::check(&tree),
        words::check(&tree),
        links::check(&tree),
    ]
    .concat();
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_printed_where_editors_look_for_it() {
        let finding = Finding::new("crates/hcn/src/lib.rs", 7, "is wrong");
        assert_eq!(finding.to_string(), "crates/hcn/src/lib.rs:7: is wrong");
    }

    #[test]
    fn this_repository_can_be_read() {
        let tree = Tree::read(&crate::repository()).unwrap();
        assert!(tree.text("xtask/src/tidy.rs").is_some());
        assert!(tree.text("Cargo.toml").is_some());
        assert!(!tree.paths().any(|path| path.starts_with("target/")));
    }
}
