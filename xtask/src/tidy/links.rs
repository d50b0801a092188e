// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages that a newcomer looks for are there, and relative links lead somewhere.
//!
//! Apart because it reads Markdown. Links to other sites are not followed: a check that needs a network cannot be trusted to fail.

use super::{Finding, tree::Tree};

/// Pages that every reader expects at the top.
const PAGES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates/README.md",
];

/// Checks the pages and the links of every Markdown file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = PAGES
        .iter()
        .filter(|page| tree.text(page).is_none())
        .map(|page| Finding::new(page, 1, "is missing"))
        .collect();
    for (path, text) in tree.files() {
        if !path.ends_with(".md") {
            continue;
        }
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap_or_default();
            let leads = resolve(path, file).is_some_and(|resolved| tree.has(&resolved));
            if !leads {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("the link {target} leads nowhere in the repository"),
                ));
            }
        }
    }
    findings
}

/// Line and target of each link of a page, outside code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        // `[words]: target`
        if let Some((_, rest)) = line.split_once("]: ")
            && line.starts_with('[')
        {
            links.extend(
                rest.split_whitespace()
                    .next()
                    .map(|target| (index + 1, target)),
            );
        }
        // `[words](target "title")`
        for (at, _) in line.match_indices("](") {
            let in_code = line[..at].matches('`').count() % 2 == 1;
            if in_code {
                continue;
            }
            let rest = &line[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            links.push((index + 1, target));
        }
    }
    links
}

/// The path from the top of a target that stands in the page `from`; `None` where it leads out of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_page(path: &str, text: &str) -> Vec<usize> {
        let mut files: Vec<(&str, &str)> = PAGES.iter().map(|page| (*page, "")).collect();
        files.push((path, text));
        check(&Tree::of(&files))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn a_missing_page_is_found() {
        let files: Vec<(&str, &str)> = PAGES.iter().skip(1).map(|page| (*page, "")).collect();
        assert_eq!(
            check(&Tree::of(&files)),
            [Finding::new("ARCHITECTURE.md", 1, "is missing")]
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        assert_eq!(
            check_page(
                "docs/a.md",
                "[one](b.md)\n[two](../README.md#top) and [three](c/)\n\n[four]: d.md\n"
            ),
            [1, 2, 4]
        );
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(
            check_page("docs/a.md", "[one](../../README.md)\n[two](/etc/hosts)\n"),
            [1, 2]
        );
    }

    #[test]
    fn links_that_lead_somewhere_are_in_order() {
        assert_eq!(
            check_page(
                "docs/adr/a.md",
                "[one](../../README.md \"title\") [two](a.md) [three](#four) [five](https://example.org/x) [six](../adr)\n\
                 `[code](gone.md)`\n```\n[code](gone.md)\n```\n"
            ),
            [0; 0]
        );
    }
}
