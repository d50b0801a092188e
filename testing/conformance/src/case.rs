// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case: a promise, where it is written, and how sure its source is.

use std::fmt;

use crate::scene::Scene;

/// Nothing, or what was found instead of what the case promises.
pub type Finding = Result<(), String>;

/// How sure a behaviour is (hns-behaviour 0.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Well supported: documents, sources of Microsoft, or raw output.
    Supported,
    /// Follows from how several clients behave.
    Inferred,
    /// The record is silent; what the embedded HNS does.
    Guessed,
}

impl Confidence {
    /// The mark of the record.
    pub fn mark(self) -> char {
        match self {
            Confidence::Supported => 'S',
            Confidence::Inferred => 'I',
            Confidence::Guessed => 'G',
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mark())
    }
}

/// One case.
pub struct Case {
    /// The promise in words, joined by underscores; unique.
    pub name: &'static str,
    /// Section of hns-behaviour.
    pub section: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// Lowest version of HNS that has it, as (major, minor); (0, 0) for all.
    pub since: (u32, u32),
    /// Finds out.
    pub examine: fn(&Scene<'_>) -> Finding,
}

impl Case {
    /// The promise as a sentence without its end.
    pub fn words(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// Rows of a table of cases: mark, section, function; from which version, where it is not all.
macro_rules! table {
    ($($mark:ident $section:literal $name:ident $(since $major:literal . $minor:literal)?;)*) => {
        &[$($crate::case::Case {
            name: stringify!($name),
            section: $section,
            confidence: $crate::case::table!(@mark $mark),
            since: $crate::case::table!(@since $($major $minor)?),
            examine: $name,
        }),*]
    };
    (@mark S) => { $crate::case::Confidence::Supported };
    (@mark I) => { $crate::case::Confidence::Inferred };
    (@mark G) => { $crate::case::Confidence::Guessed };
    (@since) => { (0, 0) };
    (@since $major:literal $minor:literal) => { ($major, $minor) };
}
pub(crate) use table;
