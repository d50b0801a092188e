// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of an exam: a line for each case, and what differs.

use std::{
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use hcn_api::{Answer, Hns, HnsVersion, Kind, ObjectId};
use serde_json::{Value, json};

use crate::{
    case::Case,
    cases,
    scene::{PREFIX, Scene, V2},
};

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As promised.
    Passed,
    /// Otherwise, with what was found.
    Failed(String),
    /// This version of HNS does not have it.
    NotThere,
}

/// What came of an exam.
pub struct Report {
    /// The version that the HNS tells.
    pub version: Option<HnsVersion>,
    /// Every case with its outcome.
    pub rows: Vec<(&'static Case, Outcome)>,
}

/// Sits the exam; of it only the cases whose name or section contains the text, where there is one.
pub fn sit(hns: &dyn Hns, only: Option<&str>) -> Report {
    let version = version(hns);
    let wanted = |case: &&'static Case| {
        only.is_none_or(|only| case.name.contains(only) || case.section.starts_with(only))
    };
    let rows = cases::all()
        .filter(wanted)
        .map(|case| {
            let (major, minor) = case.since;
            if version.is_some_and(|version| version < HnsVersion::new(major, minor)) {
                return (case, Outcome::NotThere);
            }
            let scene = Scene::new(hns);
            // An HNS that makes a case panic has failed it; the others go on.
            let found = catch_unwind(AssertUnwindSafe(|| (case.examine)(&scene)));
            let outcome = match found {
                Ok(Ok(())) => Outcome::Passed,
                Ok(Err(found)) => Outcome::Failed(found),
                Err(_) => Outcome::Failed("the case panicked".to_owned()),
            };
            (case, outcome)
        })
        .collect();
    Report { version, rows }
}

fn version(hns: &dyn Hns) -> Option<HnsVersion> {
    let envelope: Value =
        serde_json::from_str(&hns.call("GET", "/globals/version", "").ok()?).ok()?;
    let part = |name: &str| u32::try_from(envelope["Output"][name].as_u64()?).ok();
    Some(HnsVersion::new(part("Major")?, part("Minor")?))
}

impl Report {
    /// Cases that did not find what they promise.
    pub fn failed(&self) -> impl Iterator<Item = (&'static Case, &str)> {
        self.rows
            .iter()
            .filter_map(|(case, outcome)| match outcome {
                Outcome::Failed(found) => Some((*case, found.as_str())),
                _ => None,
            })
    }

    /// Number of cases with an outcome like this one.
    pub fn count(&self, like: impl Fn(&Outcome) -> bool) -> usize {
        self.rows
            .iter()
            .filter(|(_, outcome)| like(outcome))
            .count()
    }

    /// For people: a line for each case, then what differs.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let version = self
            .version
            .map_or("of an unknown version".to_owned(), |version| {
                version.to_string()
            });
        let _ = writeln!(text, "HNS {version}");
        for (case, outcome) in &self.rows {
            let word = match outcome {
                Outcome::Passed => "ok",
                Outcome::Failed(_) => "DIFFERS",
                Outcome::NotThere => "-",
            };
            let _ = writeln!(
                text,
                "{word:7}  {:5} {}  {}",
                case.section,
                case.confidence,
                case.words()
            );
            if let Outcome::Failed(found) = outcome {
                let _ = writeln!(text, "                  {found}");
            }
        }
        let _ = writeln!(
            text,
            "{} as the record says, {} otherwise, {} not in this version",
            self.count(|outcome| *outcome == Outcome::Passed),
            self.failed().count(),
            self.count(|outcome| *outcome == Outcome::NotThere),
        );
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|(case, outcome)| {
                let (word, found) = match outcome {
                    Outcome::Passed => ("passed", None),
                    Outcome::Failed(found) => ("failed", Some(found)),
                    Outcome::NotThere => ("not-there", None),
                };
                json!({"case": case.name, "section": case.section, "confidence": case.confidence.to_string(), "outcome": word, "found": found})
            })
            .collect();
        json!({"version": self.version.map(|version| version.to_string()), "cases": rows})
    }
}

/// Takes away the networks that an exam left behind that was killed, and what is on them.
///
/// # Errors
/// Where the networks cannot be listed, or one does not go.
pub fn sweep(hns: &dyn Hns) -> Answer<usize> {
    let mut gone = 0;
    for text in hns.list(Kind::Network, V2)? {
        let network: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_ours = network["Name"]
            .as_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        let id = network["ID"].as_str().and_then(|id| id.parse().ok());
        if let (true, Some(id)) = (is_ours, id) {
            hns.delete(ObjectId {
                kind: Kind::Network,
                id,
            })?;
            gone += 1;
        }
    }
    Ok(gone)
}
