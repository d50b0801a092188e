// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cases, by section of docs/hns-behaviour.md.
//!
//! A file has the cases of one noun. Facts that only packets show are not here: no client sees them through the API.

mod acl;
mod address;
mod call;
mod check;
mod code;
mod document;
mod endpoint;
mod endpoint_policy;
mod enumeration;
mod event;
mod failure;
mod filter;
mod guest;
mod lifecycle;
mod load_balancer;
mod member;
mod modify;
mod namespace;
mod network;
mod network_policy;
mod path;
mod port;
mod query;
mod recipe;
mod rule;
mod sdn_route;
mod shape;
mod v1;

use crate::case::Case;

/// What the files of cases import.
mod kit {
    pub use hcn_api::{Answer, Feature, HcnCode, Kind, ObjectId};
    pub use hcn_schema::Guid;
    pub use serde_json::{Value, json};

    pub(crate) use crate::case::table;
    pub use crate::{
        case::Case,
        finding::{Finding, equal, fails, has, holds, works},
        scene::{
            GATEWAY, HOST, NOBODY, PREFIX, SUBNET, Scene, V2, count, id_of, marked, policy, text,
            v2,
        },
    };
}

/// Every case, in the order of the record.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        query::CASES,
        enumeration::CASES,
        filter::CASES,
        call::CASES,
        path::CASES,
        shape::CASES,
        document::CASES,
        network::CASES,
        modify::CASES,
        network_policy::CASES,
        endpoint::CASES,
        member::CASES,
        endpoint_policy::CASES,
        v1::CASES,
        namespace::CASES,
        load_balancer::CASES,
        sdn_route::CASES,
        guest::CASES,
        failure::CASES,
        code::CASES,
        acl::CASES,
        rule::CASES,
        recipe::CASES,
        address::CASES,
        port::CASES,
        lifecycle::CASES,
        event::CASES,
        check::CASES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::case::Confidence;

    const RECORD: &str = include_str!("../../../docs/hns-behaviour.md");

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let mut names = HashSet::new();
        for case in all() {
            assert!(names.insert(case.name), "{} stands twice", case.name);
        }
    }

    #[test]
    fn every_section_is_one_of_the_record() {
        for case in all() {
            let check = case.section.strip_prefix("8.1.");
            let heading = match check {
                // The checks of 8.1 are a numbered list.
                Some(number) => format!("\n{number}. "),
                None => format!(" {} ", case.section),
            };
            let found = match check {
                Some(_) => RECORD
                    .split_once("\n## 8.1 ")
                    .is_some_and(|(_, checks)| checks.contains(&heading)),
                None => RECORD
                    .lines()
                    .any(|line| line.starts_with("##") && line.contains(&heading)),
            };
            assert!(found, "{}: no section {}", case.name, case.section);
        }
    }

    #[test]
    fn every_guess_names_its_open_question_and_every_question_is_one_of_the_record() {
        for case in all() {
            match case.question {
                Some(number) => assert!(
                    RECORD.contains(&format!("\n| Q{number} |")),
                    "{}: there is no Q{number}",
                    case.name
                ),
                None => assert!(
                    case.confidence != Confidence::Guessed,
                    "{}: a guess without a question",
                    case.name
                ),
            }
        }
    }

    #[test]
    fn every_question_of_the_record_has_a_number_of_its_own() {
        let mut numbers = HashSet::new();
        for line in RECORD.lines() {
            let cell = line
                .strip_prefix("| Q")
                .and_then(|rest| rest.split_once(" |"));
            // QOS is a policy.
            if let Some(number) = cell.and_then(|(number, _)| number.parse::<u16>().ok()) {
                assert!(numbers.insert(number), "Q{number} stands twice");
            }
        }
        // As many as there were when this was written.
        assert!(numbers.len() >= 80, "{} questions", numbers.len());
    }

    #[test]
    fn each_check_for_a_real_host_has_a_case() {
        for check in 1..=8 {
            let section = format!("8.1.{check}");
            assert!(
                all().any(|case| case.section == section),
                "check {check} of 8.1 has none"
            );
        }
    }
}
