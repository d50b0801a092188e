// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of an exam: for people on a terminal, for programs, and as a page to be sent in.

use std::{collections::BTreeMap, fmt::Write};

use hcn_api::HnsVersion;
use serde_json::{Value, json};

use crate::{case::Case, finding::Difference, ground::Block};

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As promised.
    Passed,
    /// Otherwise.
    Differs(Difference),
    /// The host cannot do what the case needs.
    Impossible(String),
    /// The promise is not of this version of HNS.
    NotThere,
}

impl Outcome {
    /// One word, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Differs(_) => "differs",
            Outcome::Impossible(_) => "not-possible-here",
            Outcome::NotThere => "not-for-this-version",
        }
    }
}

/// What came of an exam.
pub struct Report {
    /// The version that the HNS tells.
    pub version: Option<HnsVersion>,
    /// The addresses that the networks had.
    pub block: Block,
    /// Every case with its outcome.
    pub rows: Vec<(&'static Case, Outcome)>,
}

/// What a report says beside its cases.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Which HNS sat it.
    pub target: String,
    /// When, in UTC.
    pub date: String,
    /// Which Windows, where it is known.
    pub windows: Option<String>,
    /// The program that examined.
    pub program: String,
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As the record says.
    pub passed: usize,
    /// Otherwise.
    pub differ: usize,
    /// Not possible on this host.
    pub impossible: usize,
    /// Not promised of this version.
    pub not_there: usize,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Differs(_) => &mut self.differ,
            Outcome::Impossible(_) => &mut self.impossible,
            Outcome::NotThere => &mut self.not_there,
        } += 1;
    }

    fn cells(self) -> [usize; 4] {
        [self.passed, self.differ, self.impossible, self.not_there]
    }
}

/// Titles of the counts.
const TITLES: [&str; 4] = ["as recorded", "otherwise", "not possible", "other version"];

impl Report {
    /// Cases that did not find what they promise.
    pub fn differing(&self) -> impl Iterator<Item = (&'static Case, &Difference)> {
        self.rows
            .iter()
            .filter_map(|(case, outcome)| match outcome {
                Outcome::Differs(difference) => Some((*case, difference)),
                _ => None,
            })
    }

    /// How many ended how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, outcome) in &self.rows {
            counts.add(outcome);
        }
        counts
    }

    fn counts_by<K: Ord>(&self, key: impl Fn(&Case) -> K) -> BTreeMap<K, Counts> {
        let mut found: BTreeMap<K, Counts> = BTreeMap::new();
        for (case, outcome) in &self.rows {
            found.entry(key(case)).or_default().add(outcome);
        }
        found
    }

    /// The open questions that a case of the exam answers, with the cases, and whether each is as the embedded HNS guesses.
    pub fn questions(&self) -> BTreeMap<u16, Vec<(&'static Case, &Outcome)>> {
        let mut found: BTreeMap<u16, Vec<_>> = BTreeMap::new();
        for (case, outcome) in &self.rows {
            if let Some(question) = case.question {
                found.entry(question).or_default().push((*case, outcome));
            }
        }
        found
    }

    fn version_text(&self) -> String {
        self.version
            .map_or("an unknown version".to_owned(), |version| {
                version.to_string()
            })
    }

    /// For people: the sum, what differs, and the counts by part of the record; with `all`, a line for every case before them.
    pub fn text(&self, all: bool) -> String {
        let mut text = String::new();
        if all {
            for (case, outcome) in &self.rows {
                let word = match outcome {
                    Outcome::Passed => "ok",
                    Outcome::Differs(_) => "DIFFERS",
                    Outcome::Impossible(_) => "not here",
                    Outcome::NotThere => "-",
                };
                let (section, mark, words) = (case.section, case.confidence, case.words());
                let _ = writeln!(text, "{word:8}  {section:6} {mark}  {words}");
            }
            text.push('\n');
        }
        let Counts {
            passed,
            differ,
            impossible,
            not_there,
        } = self.counts();
        let _ = writeln!(
            text,
            "HNS {}: {} cases: {passed} as the record says, {differ} otherwise, {impossible} not possible here, {not_there} of other versions",
            self.version_text(),
            self.rows.len(),
        );
        for (case, difference) in self.differing() {
            let (section, mark, words) = (case.section, case.confidence, case.words());
            let question = case
                .question
                .map_or(String::new(), |number| format!(", Q{number}"));
            let _ = writeln!(text, "\n{words}  ({section} {mark}{question})");
            if difference.expected.is_empty() && difference.got.is_empty() {
                let _ = writeln!(text, "    {}", difference.what);
            } else {
                let _ = writeln!(text, "    {}", difference.what);
                let _ = writeln!(text, "    expected  {}", difference.expected);
                let _ = writeln!(text, "    got       {}", difference.got);
            }
        }
        if impossible > 0 {
            text.push_str("\nNot possible here:\n");
            for (why, count) in self.reasons() {
                let _ = writeln!(text, "    {count:3}  {why}");
            }
        }
        let _ = writeln!(text, "\n{:22}{}", "section", heads());
        for (part, counts) in self.counts_by(part) {
            let _ = writeln!(text, "{part:22}{}", line(counts));
        }
        let _ = writeln!(text, "\n{:22}{}", "confidence", heads());
        for (confidence, counts) in self.counts_by(|case| case.confidence) {
            let _ = writeln!(text, "{:22}{}", confidence.words(), line(counts));
        }
        text
    }

    /// Why cases were not possible, each with their number.
    fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for (_, outcome) in &self.rows {
            if let Outcome::Impossible(why) = outcome {
                *reasons.entry(why.as_str()).or_default() += 1;
            }
        }
        reasons
    }

    /// For programs.
    pub fn json(&self, circumstances: &Circumstances) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|(case, outcome)| {
                let mut row = json!({
                    "case": case.name, "section": case.section, "confidence": case.confidence.to_string(),
                    "question": case.question.map(|number| format!("Q{number}")), "outcome": outcome.word(),
                });
                match outcome {
                    Outcome::Differs(found) => {
                        row["what"] = json!(found.what);
                        row["expected"] = json!(found.expected);
                        row["got"] = json!(found.got);
                    }
                    Outcome::Impossible(why) => row["why"] = json!(why),
                    Outcome::Passed | Outcome::NotThere => {}
                }
                row
            })
            .collect();
        let counts = self.counts();
        json!({
            "version": self.version.map(|version| version.to_string()),
            "target": circumstances.target,
            "windows": circumstances.windows,
            "date": circumstances.date,
            "program": circumstances.program,
            "addresses": self.block.prefix(),
            "passed": counts.passed, "differ": counts.differ,
            "not-possible-here": counts.impossible, "not-for-this-version": counts.not_there,
            "cases": rows,
        })
    }

    /// A page to be sent in: what differs case by case, the counts, and the open questions that are settled.
    pub fn markdown(&self, circumstances: &Circumstances) -> String {
        let mut page = String::new();
        let _ = writeln!(page, "# How HNS {} differs\n", self.version_text());
        let windows = circumstances.windows.as_deref().unwrap_or("not known");
        for (key, value) in [
            ("HNS version", self.version_text().as_str()),
            ("HNS asked", circumstances.target.as_str()),
            ("Windows", windows),
            ("date", circumstances.date.as_str()),
            ("examined by", circumstances.program.as_str()),
        ] {
            let _ = writeln!(page, "- {key}: {}", cell(value));
        }
        if self.block != Block::WRITTEN {
            let _ = writeln!(
                page,
                "- addresses: those of {} stand below for {}",
                Block::WRITTEN.prefix(),
                self.block.prefix()
            );
        }
        let counts = self.counts();
        let _ = writeln!(
            page,
            "\n{} cases: {} as the record says, {} otherwise, {} not possible on this host, {} of other versions.",
            self.rows.len(),
            counts.passed,
            counts.differ,
            counts.impossible,
            counts.not_there
        );
        self.differences_page(&mut page);
        self.questions_page(&mut page);
        if counts.impossible > 0 {
            page.push_str("\n## Not possible on this host\n\n| cases | why |\n|---|---|\n");
            for (why, count) in self.reasons() {
                let _ = writeln!(page, "| {count} | {} |", cell(why));
            }
        }
        let titles = TITLES.join(" | ");
        let _ = writeln!(
            page,
            "\n## By section\n\n| section | {titles} |\n|---|---|---|---|---|"
        );
        for (chapter, counts) in self.counts_by(chapter) {
            let _ = writeln!(page, "| {} | {} |", chapter.1, columns(counts));
        }
        let _ = writeln!(
            page,
            "\n## By confidence\n\n| confidence | {titles} |\n|---|---|---|---|---|"
        );
        for (confidence, counts) in self.counts_by(|case| case.confidence) {
            let _ = writeln!(page, "| {} | {} |", confidence.words(), columns(counts));
        }
        page
    }

    fn differences_page(&self, page: &mut String) {
        page.push_str("\n## What differs\n\n");
        if self.differing().next().is_none() {
            page.push_str("Nothing.\n");
            return;
        }
        page.push_str("| case | section | confidence | expected | got |\n|---|---|---|---|---|\n");
        for (case, difference) in self.differing() {
            let expected = match difference.expected.as_str() {
                "" => "as the case says".to_owned(),
                expected => format!("{}: {expected}", difference.what),
            };
            let got = match difference.got.as_str() {
                "" => &difference.what,
                got => got,
            };
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                cell(&case.words()),
                case.section,
                case.confidence,
                cell(&expected),
                cell(got)
            );
        }
    }

    fn questions_page(&self, page: &mut String) {
        let questions = self.questions();
        if questions.is_empty() {
            return;
        }
        page.push_str(
            "\n## Open questions\n\nQ numbers are those of section 8 of docs/hns-behaviour.md.\n\n",
        );
        page.push_str("| question | case | answer |\n|---|---|---|\n");
        for (number, cases) in questions {
            for (case, outcome) in cases {
                let answer = match outcome {
                    Outcome::Passed => "as guessed".to_owned(),
                    Outcome::Differs(found) => format!("otherwise: {found}"),
                    Outcome::Impossible(_) => "open: not possible on this host".to_owned(),
                    Outcome::NotThere => "open: of another version".to_owned(),
                };
                let _ = writeln!(
                    page,
                    "| Q{number} | {} | {} |",
                    cell(&case.words()),
                    cell(&answer)
                );
            }
        }
    }
}

/// The part of the record that a section is of, in words.
fn part(case: &Case) -> &'static str {
    match case.section.split('.').next() {
        Some("1") => "1 calls",
        Some("2") => "2 documents",
        Some("3") => "3 errors",
        Some("4") => "4 rules",
        Some("5") => "5 addresses, ports",
        Some("6") => "6 lives and ends",
        Some("7") => "7 suites of others",
        _ => "8 checks for Windows",
    }
}

/// The section to two numbers, after a key by which 2.10 comes after 2.9.
fn chapter(case: &Case) -> (Vec<u32>, String) {
    let parts: Vec<&str> = case.section.split('.').take(2).collect();
    let key = parts.iter().map(|part| part.parse().unwrap_or(0)).collect();
    (key, parts.join("."))
}

fn heads() -> String {
    TITLES.map(|title| format!("{title:>14}")).concat()
}

fn line(counts: Counts) -> String {
    let dashed = |number: usize| match number {
        0 => "-".to_owned(),
        number => number.to_string(),
    };
    counts
        .cells()
        .map(|number| format!("{:>14}", dashed(number)))
        .concat()
}

fn columns(counts: Counts) -> String {
    counts.cells().map(|number| number.to_string()).join(" | ")
}

/// A text that stays in its cell of a Markdown table and shows as it is.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '<' | '\\' | '[' => {
                cell.push('\\');
                cell.push(character);
            }
            '\n' | '\r' => cell.push(' '),
            other => cell.push(other),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cases, finding::Amiss};

    fn report() -> Report {
        let mut cases = cases::all();
        let Amiss::Differs(difference) = crate::finding::equal("Na|me", "a", "b").unwrap_err()
        else {
            panic!("a difference")
        };
        let guess = cases::all()
            .find(|case| case.question == Some(6))
            .expect("Q6 has a case");
        Report {
            version: Some(HnsVersion::new(20, 1)),
            block: Block::WRITTEN,
            rows: vec![
                (cases.next().unwrap(), Outcome::Passed),
                (cases.next().unwrap(), Outcome::Differs(difference)),
                (
                    cases.next().unwrap(),
                    Outcome::Impossible("no adapter".to_owned()),
                ),
                (cases.next().unwrap(), Outcome::NotThere),
                (guess, Outcome::Passed),
            ],
        }
    }

    #[test]
    fn a_report_counts_every_case_once() {
        let counts = report().counts();
        assert_eq!(counts.cells(), [2, 1, 1, 1]);
        let text = report().text(false);
        assert!(
            text.starts_with("HNS 20.1: 5 cases: 2 as the record says, 1 otherwise, 1 not possible here, 1 of other versions\n"),
            "{text}"
        );
    }

    #[test]
    fn a_page_has_a_row_for_each_difference_and_each_question() {
        let circumstances = Circumstances {
            windows: Some("Windows 10.0.26100".to_owned()),
            ..Circumstances::default()
        };
        let page = report().markdown(&circumstances);
        assert!(page.contains(r#"| Na\|me: "b" | "a" |"#), "{page}");
        assert!(
            page.contains("| Q6 | ") && page.contains("| as guessed |"),
            "{page}"
        );
        assert!(page.contains("- Windows: Windows 10.0.26100\n"), "{page}");
        assert!(page.contains("| 1 | no adapter |"), "{page}");
    }

    #[test]
    fn json_tells_expected_and_got() {
        let json = report().json(&Circumstances::default());
        assert_eq!(json["cases"][1]["expected"], r#""b""#);
        assert_eq!(json["cases"][1]["got"], r#""a""#);
        assert_eq!(json["cases"][4]["question"], "Q6");
        assert_eq!(json["differ"], 1);
    }
}
