// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words that do not belong in the repository.
//!
//! Apart because it reads every text. The words are written here in two parts, so that this file does not hold them.

use super::{Finding, tree::Tree};

/// A word, and why it does not belong.
const WORDS: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "is a path of one machine"),
    (concat!("/ro", "ot/"), "is a path of one machine"),
    (concat!("/ho", "me/"), "is a path of one machine"),
    (concat!("/Us", "ers/"), "is a path of one machine"),
    (
        concat!("#[ig", "nore"),
        "hides a test: assert today's behaviour, or skip with a printed reason",
    ),
];

/// Finds the words in every text.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            for (word, why) in WORDS {
                if holds(line, word) {
                    findings.push(Finding::new(path, index + 1, format!("{word} {why}")));
                }
            }
        }
    }
    findings
}

/// Whether the line holds the word, not as the inside of a longer path or URL.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !word.starts_with('/')
            || line[..at]
                .chars()
                .next_back()
                .is_none_or(|before| !before.is_alphanumeric() && !"._-~*}/".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_in_any_text() {
        let path = concat!("/ho", "me/someone/hcnctl");
        let text = format!("fine\nsee `{path}`\n{path}\n");
        let tree = Tree::of(&[("docs/a.md", &text)]);
        let lines: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn a_hidden_test_is_found() {
        let text = concat!("#[test]\n#[ig", "nore = \"slow\"]\n");
        let tree = Tree::of(&[("a.rs", text)]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn the_inside_of_an_address_is_not_a_path() {
        let text = concat!("https://example.org/ho", "me/page ../ho", "me/x\n");
        let tree = Tree::of(&[("a.md", text)]);
        assert_eq!(check(&tree), []);
    }
}
