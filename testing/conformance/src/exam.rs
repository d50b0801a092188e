// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sitting the exam, one case after the other, and sweeping up after one that was killed.
//!
//! Invariant: nothing is touched that the exam did not make, which its name or its id tells.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hcn_api::{Answer, Hns, HnsVersion, Kind, ObjectId};
use serde_json::Value;

use crate::{
    case::Case,
    cases,
    finding::Amiss,
    ground::{Block, Moved},
    report::{Outcome, Report},
    scene::{PREFIX, Scene, V2, is_marked},
};

/// What of the exam is sat, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only the cases whose name contains this, or whose section is this or below it.
    pub only: Option<String>,
    /// Whether networks may be made that take an adapter of the host: Transparent, L2Bridge, L2Tunnel and Overlay.
    pub external: bool,
    /// The addresses that the networks get.
    pub block: Block,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            only: None,
            external: true,
            block: Block::WRITTEN,
        }
    }
}

/// How far an exam is.
#[derive(Clone, Copy)]
pub struct Progress {
    /// Cases that are done.
    pub done: usize,
    /// Cases in all.
    pub all: usize,
    /// The case that comes next.
    pub next: &'static Case,
    /// How many differ up to now.
    pub differ: usize,
}

/// The cases that [`Options::only`] leaves.
pub fn chosen(only: Option<&str>) -> Vec<&'static Case> {
    cases::all().filter(|case| is_wanted(case, only)).collect()
}

/// Sits the exam.
pub fn sit(hns: &dyn Hns, options: &Options, tell: &mut dyn FnMut(Progress)) -> Report {
    let version = version(hns);
    let moved = Moved::new(hns, options.block);
    let hns: &dyn Hns = if options.block == Block::WRITTEN {
        hns
    } else {
        &moved
    };
    let chosen = chosen(options.only.as_deref());
    let mut rows: Vec<(&'static Case, Outcome)> = Vec::with_capacity(chosen.len());
    let mut differ = 0;
    for (done, case) in chosen.iter().copied().enumerate() {
        tell(Progress {
            done,
            all: chosen.len(),
            next: case,
            differ,
        });
        let outcome = if version.is_none_or(|version| case.holds_in(version)) {
            examine(hns, case, options.external)
        } else {
            Outcome::NotThere
        };
        differ += usize::from(matches!(outcome, Outcome::Differs(_)));
        rows.push((case, outcome));
    }
    Report {
        version,
        block: options.block,
        rows,
    }
}

fn examine(hns: &dyn Hns, case: &Case, external: bool) -> Outcome {
    let scene = Scene::new(hns, external);
    // An HNS that makes a case panic has failed it; the others go on.
    match catch_unwind(AssertUnwindSafe(|| (case.examine)(&scene))) {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(Amiss::Differs(difference))) => Outcome::Differs(difference),
        Ok(Err(Amiss::Impossible(why))) => Outcome::Impossible(why),
        Err(_) => match Amiss::from("the case panicked".to_owned()) {
            Amiss::Differs(difference) => Outcome::Differs(difference),
            Amiss::Impossible(why) => Outcome::Impossible(why),
        },
    }
}

/// A text that begins with a digit is a section: 2.1 is 2.1 and 2.1.1 and not 2.10.
fn is_wanted(case: &Case, only: Option<&str>) -> bool {
    let Some(only) = only else {
        return true;
    };
    if !only.starts_with(|first: char| first.is_ascii_digit()) {
        return case.name.contains(&only.replace(' ', "_"));
    }
    case.section
        .strip_prefix(only.trim_end_matches('.'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn version(hns: &dyn Hns) -> Option<HnsVersion> {
    let envelope: Value =
        serde_json::from_str(&hns.call("GET", "/globals/version", "").ok()?).ok()?;
    let part = |name: &str| u32::try_from(envelope["Output"][name].as_u64()?).ok();
    Some(HnsVersion::new(part("Major")?, part("Minor")?))
}

/// Takes away what an exam left behind that was killed, and tells how many objects that were.
///
/// # Errors
/// Where the networks cannot be listed, or one of the exam's does not go.
pub fn sweep(hns: &dyn Hns) -> Answer<usize> {
    // What names a network goes before it; endpoints go with it.
    const ORDER: [Kind; 5] = [
        Kind::LoadBalancer,
        Kind::SdnRoute,
        Kind::GuestNetworkService,
        Kind::Namespace,
        Kind::Network,
    ];
    let mut gone = 0;
    for kind in ORDER {
        let listed = match hns.list(kind, V2) {
            Ok(listed) => listed,
            // Old versions lack some kinds; networks they have all.
            Err(_) if kind != Kind::Network => continue,
            Err(error) => return Err(error),
        };
        for text in listed {
            let document: Value = serde_json::from_str(&text).unwrap_or_default();
            let Some(id) = document["ID"].as_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            let named = document["Name"]
                .as_str()
                .is_some_and(|name| name.starts_with(PREFIX));
            if named || is_marked(id) {
                hns.delete(ObjectId { kind, id })?;
                gone += 1;
            }
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_not_taken_for_another_that_begins_alike() {
        let sections = |only: &str| -> Vec<&str> {
            chosen(Some(only)).iter().map(|case| case.section).collect()
        };
        assert!(!sections("2.1").is_empty());
        assert!(sections("2.1").iter().all(|section| *section == "2.1"));
        assert!(sections("1.7").contains(&"1.7.1"));
        assert!(
            sections("4.")
                .iter()
                .all(|section| section.starts_with("4."))
        );
        assert!(!sections("namespace").is_empty());
    }
}
