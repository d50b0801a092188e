// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mistake in a policy file: where, in which member, what is wrong, and what to write instead.
//!
//! Apart because readers and look-ups tell mistakes alike. Invariant: every mistake says what to do.

use std::fmt;

/// A place in a file; lines and columns begin with 1, and a column is a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The member, e.g. `rules[0].ports`; empty for the file as a whole.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.place.line, self.place.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}; {}", self.message, self.fix)
    }
}

/// Mistakes that are told; who has more begins with these.
const MOST: usize = 50;

/// A line for each mistake of a file, up to so many that a person can work on.
pub fn told(path: &str, problems: &[Problem]) -> Vec<String> {
    let first = problems.iter().take(MOST);
    let mut lines: Vec<String> = first.map(|problem| format!("{path}:{problem}")).collect();
    if let more @ 1.. = problems.len().saturating_sub(MOST) {
        lines.push(format!(
            "{path}: and {more} more mistakes; correct these first"
        ));
    }
    lines
}

/// The known word that is nearest to one that is not known, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let near = known
        .iter()
        .map(|own| (distance(&lower, &own.to_lowercase()), *own));
    near.min()
        .filter(|(distance, own)| *distance <= (own.len().max(lower.len()) / 3).max(1))
        .map(|(_, own)| own)
}

/// How many characters have to be put in, left out, replaced or swapped with a neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (
        one.chars().take(64).collect(),
        other.chars().take(64).collect(),
    );
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (line, own) in one.iter().enumerate() {
        let before = &rows[line];
        let mut row = vec![line + 1];
        for (place, theirs) in other.iter().enumerate() {
            let mut least = (before[place] + usize::from(own != theirs))
                .min(before[place + 1] + 1)
                .min(row[place] + 1);
            if line > 0 && place > 0 && *own == other[place - 1] && one[line - 1] == *theirs {
                least = least.min(rows[line - 1][place - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}
