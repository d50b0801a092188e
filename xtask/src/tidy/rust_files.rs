// SPDX-License-Identifier: MIT OR Apache-2.0
//! How each Rust file begins, and how long it may be.
//!
//! Apart because it reads every source and no other text.

use super::{Finding, tree::Tree};

const LICENCE: &str = "// SPDX-License-Identifier: MIT OR Apache-2.0";

/// Past this, a file holds more than one noun.
const MOST_LINES: usize = 800;

/// Files that may be longer, each with the reason.
const MAY_BE_LONGER: &[(&str, &str)] = &[];

/// Checks the head and the length of every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, MAY_BE_LONGER)
}

fn check_with(tree: &Tree, may_be_longer: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        if !path.ends_with(".rs") {
            continue;
        }
        let mut lines = text.lines();
        if lines.next() != Some(LICENCE) {
            findings.push(Finding::new(
                path,
                1,
                format!("does not begin with {LICENCE}"),
            ));
        }
        if !lines.next().is_some_and(|line| line.starts_with("//! ")) {
            findings.push(Finding::new(
                path,
                2,
                "does not say with //! on its second line what it holds",
            ));
        }
        let count = text.lines().count();
        let listed = may_be_longer.iter().any(|(own, _)| *own == path);
        if count > MOST_LINES && !listed {
            findings.push(Finding::new(
                path,
                MOST_LINES + 1,
                format!(
                    "has {count} lines, more than {MOST_LINES}: split it by noun, or list it with a reason in xtask/src/tidy/rust_files.rs"
                ),
            ));
        }
        if count <= MOST_LINES && listed {
            findings.push(Finding::new(
                path,
                1,
                "is short enough and need not be listed in xtask/src/tidy/rust_files.rs",
            ));
        }
    }
    for (path, _) in may_be_longer {
        if tree.text(path).is_none() {
            findings.push(Finding::new(
                path,
                1,
                "is listed in xtask/src/tidy/rust_files.rs and is not there",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(rest: &str) -> String {
        format!("{LICENCE}\n//! Holds it.\n{rest}")
    }

    #[test]
    fn a_file_with_its_head_is_in_order_and_other_files_need_none() {
        let tree = Tree::of(&[("a.rs", &head("")), ("a.toml", "")]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_missing_licence_and_a_missing_word_are_found() {
        let tree = Tree::of(&[
            ("a.rs", "//! Holds it.\n"),
            ("b.rs", &format!("{LICENCE}\nuse std::fs;\n")),
        ]);
        let places: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| (finding.file, finding.line))
            .collect();
        assert_eq!(
            places,
            [
                ("a.rs".to_owned(), 1),
                ("a.rs".to_owned(), 2),
                ("b.rs".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        // 2 lines of head and 799 more.
        let long = head(&"\n".repeat(799));
        let tree = Tree::of(&[("a.rs", &long)]);
        assert_eq!(check(&tree).len(), 1);
        assert_eq!(check_with(&tree, &[("a.rs", "a table")]), []);
        let tree = Tree::of(&[("a.rs", &head(&"\n".repeat(798)))]);
        assert_eq!(check(&tree), []);
        assert_eq!(check_with(&tree, &[("a.rs", "a table")]).len(), 1);
        assert_eq!(
            check_with(&tree, &[("gone.rs", "a table")]).len(),
            1,
            "a list that names no file"
        );
    }
}
