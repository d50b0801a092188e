// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case: a promise, where it is written, how sure its source is, and which versions of HNS make it.

use std::fmt;

use hcn_api::{Feature, HnsVersion};

use crate::{finding::Finding, scene::Scene};

/// How sure a behaviour is (hns-behaviour 0.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Well supported: documents, sources of Microsoft, or raw output.
    Supported,
    /// Follows from how several clients behave.
    Inferred,
    /// The record is silent; what the embedded HNS does.
    Guessed,
}

impl Confidence {
    /// Every one, surest first.
    pub const ALL: [Confidence; 3] = [
        Confidence::Supported,
        Confidence::Inferred,
        Confidence::Guessed,
    ];

    /// The mark of the record.
    pub fn mark(self) -> char {
        match self {
            Confidence::Supported => 'S',
            Confidence::Inferred => 'I',
            Confidence::Guessed => 'G',
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Confidence::Supported => "supported",
            Confidence::Inferred => "inferred",
            Confidence::Guessed => "guessed",
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
    /// Section of hns-behaviour; `8.1.N` is check N of 8.1.
    pub section: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// Lowest version of HNS that it holds for.
    pub since: HnsVersion,
    /// Version from which on it holds no more.
    pub until: Option<HnsVersion>,
    /// Feature that the HNS must have for it to hold.
    pub feature: Option<Feature>,
    /// Number of the open question (hns-behaviour 8) that it settles.
    pub question: Option<u16>,
    /// Finds out.
    pub examine: fn(&Scene<'_>) -> Finding,
}

impl Case {
    /// A case that holds for every version.
    pub(crate) const fn new(
        section: &'static str,
        confidence: Confidence,
        name: &'static str,
        examine: fn(&Scene<'_>) -> Finding,
    ) -> Case {
        Case {
            name,
            section,
            confidence,
            since: HnsVersion::new(0, 0),
            until: None,
            feature: None,
            question: None,
            examine,
        }
    }

    pub(crate) const fn since(mut self, major: u32, minor: u32) -> Case {
        self.since = HnsVersion::new(major, minor);
        self
    }

    pub(crate) const fn until(mut self, major: u32, minor: u32) -> Case {
        self.until = Some(HnsVersion::new(major, minor));
        self
    }

    pub(crate) const fn needs(mut self, feature: Feature) -> Case {
        self.feature = Some(feature);
        self
    }

    pub(crate) const fn settles(mut self, question: u16) -> Case {
        self.question = Some(question);
        self
    }

    /// Whether it is promised of a version.
    pub fn holds_in(&self, version: HnsVersion) -> bool {
        self.since <= version
            && self.until.is_none_or(|until| version < until)
            && self.feature.is_none_or(|feature| feature.is_in(version))
    }

    /// The promise as a sentence without its end.
    pub fn words(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// Rows of a table of cases: mark, section, function; then, where they apply, `since(14, 0)`, `until(10, 0)`, `needs(Feature::TierAcl)` and
/// `settles(6)`.
macro_rules! table {
    ($($mark:ident $section:literal $name:ident $($clause:ident $arguments:tt)*;)*) => {
        &[$($crate::case::Case::new($section, $crate::case::table!(@mark $mark), stringify!($name), $name)
            $(.$clause $arguments)*),*]
    };
    (@mark S) => { $crate::case::Confidence::Supported };
    (@mark I) => { $crate::case::Confidence::Inferred };
    (@mark G) => { $crate::case::Confidence::Guessed };
}
pub(crate) use table;

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &Scene<'_>) -> Finding {
        Ok(())
    }

    #[test]
    fn a_case_holds_from_its_first_version_to_before_its_last() {
        let case = Case::new("1.1", Confidence::Supported, "nothing", nothing);
        let version = HnsVersion::new;
        assert!(case.holds_in(version(0, 0)) && case.holds_in(version(16, 0)));
        let case = case.since(10, 0).until(15, 5);
        assert!(!case.holds_in(version(9, 9)) && case.holds_in(version(10, 0)));
        assert!(case.holds_in(version(15, 4)) && !case.holds_in(version(15, 5)));
        // 2.9: DSR is in 9.3 to 9.x and from 10.2 on.
        let case = Case::new("2.9", Confidence::Supported, "nothing", nothing).needs(Feature::Dsr);
        assert!(!case.holds_in(version(10, 1)) && case.holds_in(version(10, 2)));
    }
}
