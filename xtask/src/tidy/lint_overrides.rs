// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may override the lint against unsafe code.
//!
//! Apart from the lint, which cannot tell an override from a need: the workspace denies unsafe code, and only the crates at a foreign
//! border may say otherwise.

use super::{
    Finding,
    tree::{Tree, line_of},
};

/// Crates that call, or are called by, something that is not Rust.
const MAY_OVERRIDE: &[&str] = &["crates/hcn-native", "crates/hcn-dll", "crates/hcn-linux"];

/// The lint's name, in two parts so that this file does not hold it.
const LINT: &str = concat!("unsafe", "_code");

/// Finds overrides of the lint, and manifests that do not take the workspace's lints.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = tree.text("Cargo.toml").unwrap_or_default();
    if !root
        .lines()
        .any(|line| line.trim() == format!("{LINT} = \"deny\""))
    {
        findings.push(Finding::new(
            "Cargo.toml",
            line_of(root, |line| line.starts_with("[workspace.lints")),
            format!("[workspace.lints.rust] does not say {LINT} = \"deny\""),
        ));
    }
    for folder in tree.crates() {
        if MAY_OVERRIDE.contains(&folder) {
            continue;
        }
        let manifest = format!("{folder}/Cargo.toml");
        let text = tree.text(&manifest).unwrap_or_default();
        let takes_lints = text
            .lines()
            .skip_while(|line| line.trim() != "[lints]")
            .nth(1)
            .is_some_and(|line| line.trim() == "workspace = true");
        if !takes_lints {
            findings.push(Finding::new(
                &manifest,
                line_of(text, |line| line.starts_with("[lints")),
                "does not take the lints of the workspace: [lints] workspace = true",
            ));
        }
        let prefix = format!("{folder}/");
        for (path, text) in tree.files() {
            if !path.starts_with(&prefix) || !path.ends_with(".rs") {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                if line.contains(LINT) && !line.trim_start().starts_with("//") {
                    findings.push(Finding::new(
                        path,
                        index + 1,
                        format!("overrides {LINT}; only {} may", MAY_OVERRIDE.join(", ")),
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\n[lints]\nworkspace = true\n";

    fn root() -> String {
        format!("[workspace.lints.rust]\n{LINT} = \"deny\"\n")
    }

    #[test]
    fn an_override_is_found_where_it_may_not_be() {
        let source = format!("//! A word on {LINT}.\n#![allow({LINT})]\n");
        let tree = Tree::of(&[
            ("Cargo.toml", &root()),
            ("crates/hcn/Cargo.toml", GOOD),
            ("crates/hcn/src/lib.rs", &source),
            ("crates/hcn-dll/Cargo.toml", "[package]\n"),
            ("crates/hcn-dll/src/lib.rs", &source),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(
            (findings[0].file.as_str(), findings[0].line),
            ("crates/hcn/src/lib.rs", 2)
        );
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        let tree = Tree::of(&[
            ("Cargo.toml", &root()),
            ("crates/hcn/Cargo.toml", "[package]\n[lints]\nrust = {}\n"),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].line, 2);
    }

    #[test]
    fn a_workspace_without_the_lint_is_found() {
        let tree = Tree::of(&[("Cargo.toml", "[workspace.lints.rust]\n")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
