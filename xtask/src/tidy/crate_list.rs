// SPDX-License-Identifier: MIT OR Apache-2.0
//! `crates/README.md` lists every crate with the first sentence of its own documentation.
//!
//! Apart because it ties a page to the sources: a newcomer's map that may not lie. A row is ``| [`name`](link) | sentence |``.

use std::collections::BTreeMap;

use super::{Finding, tree::Tree};

const LIST: &str = "crates/README.md";

/// Compares the list with the crates.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.text(LIST) else {
        return Vec::new(); // `links` says which files are missing.
    };
    let mut findings = Vec::new();
    let mut rows: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (index, line) in list.lines().enumerate() {
        if let Some((name, sentence)) = row(line)
            && rows.insert(name, (index + 1, sentence)).is_some()
        {
            findings.push(Finding::new(
                LIST,
                index + 1,
                format!("{name} is listed twice"),
            ));
        }
    }
    for folder in tree.crates() {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        // A program may have a library beside it for its tests; the program is what the crate is for.
        let Some((source, text)) = ["src/main.rs", "src/lib.rs"].iter().find_map(|file| {
            let source = format!("{folder}/{file}");
            let text = tree.text(&source)?;
            Some((source, text))
        }) else {
            continue;
        };
        let sentence = first_sentence(text);
        match rows.remove(name) {
            None => findings.push(Finding::new(
                LIST,
                1,
                format!("{name} is not listed; its row would be | [`{name}`](…) | {sentence} |"),
            )),
            Some((line, listed)) if listed != sentence => findings.push(Finding::new(
                LIST,
                line,
                format!("{name} is listed as \"{listed}\", and {source} says \"{sentence}\""),
            )),
            Some(_) => {}
        }
    }
    for (name, (line, _)) in rows {
        findings.push(Finding::new(
            LIST,
            line,
            format!("{name} is listed, and there is no such crate"),
        ));
    }
    findings
}

/// Name and sentence of a row of the list.
fn row(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("| [`")?;
    let (name, rest) = rest.split_once("`](")?;
    let (_, rest) = rest.split_once(") | ")?;
    Some((name, rest.trim_end().strip_suffix('|')?.trim_end()))
}

/// The first sentence of the `//!` documentation, on one line.
fn first_sentence(text: &str) -> String {
    let paragraph = text
        .lines()
        .skip_while(|line| !line.starts_with("//!"))
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRATE: (&str, &str) = (
        "crates/hcn/src/lib.rs",
        "// SPDX\n//! The front door: what a program\n//! imports. More.\n//!\n//! Other.\n",
    );
    const MANIFEST: (&str, &str) = ("crates/hcn/Cargo.toml", "");

    fn check_list(list: &str) -> Vec<String> {
        let tree = Tree::of(&[CRATE, MANIFEST, (LIST, list)]);
        check(&tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_crate_with_its_own_sentence_is_in_order() {
        assert_eq!(
            check_list("| [`hcn`](hcn) | The front door: what a program imports. |\n"),
            [""; 0]
        );
    }

    #[test]
    fn another_sentence_is_found() {
        assert_eq!(
            check_list("# Crates\n| [`hcn`](hcn) | The back door. |\n"),
            [
                "crates/README.md:2: hcn is listed as \"The back door.\", and crates/hcn/src/lib.rs says \
                 \"The front door: what a program imports.\""
            ]
        );
    }

    #[test]
    fn a_crate_that_is_missing_unknown_or_twice_in_the_list_is_found() {
        let missing = check_list("# Crates\n");
        assert_eq!(missing.len(), 1);
        assert!(missing[0].starts_with("crates/README.md:1: hcn is not listed"));
        let row = "| [`hcn`](hcn) | The front door: what a program imports. |\n";
        assert_eq!(
            check_list(&format!("{row}{row}")),
            ["crates/README.md:2: hcn is listed twice"]
        );
        assert_eq!(
            check_list(&format!("{row}| [`gone`](gone) | Was here. |\n")),
            ["crates/README.md:2: gone is listed, and there is no such crate"]
        );
    }
}
