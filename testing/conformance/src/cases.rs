// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cases, by section of docs/hns-behaviour.md.

mod acl;
mod address;
mod call;
mod document;
mod endpoint;
mod failure;
mod lifecycle;
mod namespace;
mod query;

use crate::case::Case;

/// Every case, in the order of the record.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        query::CASES,
        call::CASES,
        document::CASES,
        endpoint::CASES,
        namespace::CASES,
        failure::CASES,
        acl::CASES,
        address::CASES,
        lifecycle::CASES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_section() {
        let mut names = HashSet::new();
        for case in all() {
            assert!(names.insert(case.name), "{} stands twice", case.name);
            let parts: Vec<&str> = case.section.split('.').collect();
            assert!(
                parts.iter().all(|part| part.parse::<u32>().is_ok()),
                "{}",
                case.name
            );
            assert!(
                (1..=7).contains(&parts[0].parse::<u32>().unwrap()),
                "{}",
                case.name
            );
        }
    }
}
