// SPDX-License-Identifier: MIT OR Apache-2.0
//! That no case vanishes, and that each tells what of it is whose.

use super::*;

/// How many a file has: of cases, stated and derived; of packets, those that pass, those that do not, and those of IPv6 among both; and of tests
/// that are no case here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    stated: usize,
    derived: usize,
    pass: usize,
    blocked: usize,
    ipv6: usize,
    left_out: usize,
}

fn count(text: &str) -> Count {
    let mut count = Count {
        left_out: list(&serde_json::from_str::<Value>(text).unwrap()["left out"]).len(),
        ..Count::default()
    };
    for case in file(text) {
        match case.origin.standing {
            Standing::Stated => count.stated += 1,
            Standing::Derived => count.derived += 1,
        }
        for (packet, passes) in &case.packets {
            match passes {
                true => count.pass += 1,
                false => count.blocked += 1,
            }
            count.ipv6 += usize::from(packet.source.0.is_ipv6());
        }
    }
    count
}

/// The numbers are what was written down; one that is more or less is told here, with the reason in its commit.
#[test]
fn no_case_and_no_packet_vanishes() {
    let calico = Count {
        stated: 56,
        derived: 4,
        pass: 132,
        blocked: 211,
        ipv6: 59,
        left_out: 6,
    };
    let azure_npm = Count {
        stated: 43,
        derived: 38,
        pass: 467,
        blocked: 118,
        ipv6: 117,
        left_out: 18,
    };
    assert_eq!(FILES.map(count), [calico, azure_npm]);
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let cases = cases();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
}

/// The member of a case that a part is about.
fn about(part: &str) -> &str {
    part.split(':').next().unwrap_or(part)
}

#[test]
fn every_part_of_a_case_is_told_to_be_upstreams_or_ours() {
    for case in cases() {
        let Origin { own, ours, .. } = &case.origin;
        let told: Vec<&str> = own
            .iter()
            .chain(ours.iter().map(|(part, _)| part))
            .map(|part| about(part))
            .collect();
        let parts = [
            ("endpoint", true),
            ("sets", !case.sets.is_empty()),
            ("tiers", !case.tiers.is_empty()),
            ("rules", true),
            ("packets", true),
        ];
        for (part, is_there) in parts {
            assert!(!is_there || told.contains(&part), "{}: {part}", case.name);
        }
        for part in told {
            let known = parts.iter().any(|(name, _)| *name == part) || part == "verdicts";
            assert!(known, "{}: {part}", case.name);
        }
        assert!(
            ours.iter().all(|(_, from)| !from.is_empty()),
            "{}",
            case.name
        );
    }
}

/// Stated: rules or verdicts are upstream's own, and no whole of the rules is ours but where the verdicts are upstream's. Derived: the rules are ours.
#[test]
fn what_is_derived_does_not_pass_for_a_statement() {
    for case in cases() {
        let Origin { own, ours, .. } = &case.origin;
        let has = |part: &str| own.iter().any(|own| about(own) == part);
        let rules_are_ours = ours.iter().any(|(part, _)| part == "rules");
        let stated = has("verdicts") && rules_are_ours || has("rules") && !rules_are_ours;
        match case.origin.standing {
            Standing::Stated => assert!(stated, "{}", case.name),
            Standing::Derived => assert!(rules_are_ours, "{}", case.name),
        }
        // No test upstream has a packet, so that packets are upstream's nowhere.
        assert!(!has("packets"), "{}", case.name);
    }
}

#[test]
fn every_case_says_where_it_is_from_and_what_is_expected_there() {
    for case in cases() {
        let Origin {
            place,
            test,
            states,
            ..
        } = &case.origin;
        let pull_request = place.strip_prefix("pull request ");
        let is_place = match (pull_request, place.split_once('@')) {
            (Some(number), _) => number.parse::<u32>().is_ok(),
            (None, Some((file, commit))) => {
                let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                file.ends_with("_test.go") && commit.len() == 40 && commit.bytes().all(hexadecimal)
            }
            (None, None) => false,
        };
        assert!(is_place, "{place}");
        assert!(
            test.iter().chain([states]).all(|text| !text.is_empty()),
            "{}",
            case.name
        );
    }
}

#[test]
fn every_source_has_a_case_and_what_is_left_out_has_a_reason() {
    for text in FILES {
        let file: Value = serde_json::from_str(text).unwrap();
        let used: Vec<String> = list(&file["cases"])
            .iter()
            .map(|case| word(&case["source"]))
            .collect();
        for source in file["sources"].as_object().unwrap().keys() {
            assert!(used.contains(source), "{source}");
        }
        for test in list(&file["left out"]) {
            for key in ["file", "test", "why"] {
                assert!(!word(&test[key]).is_empty(), "{test}");
            }
        }
    }
}

/// A rule set says nothing of a direction that it has no rule for; one without rules says that everything passes.
#[test]
fn every_packet_is_of_one_family_and_of_a_direction_that_has_rules() {
    for case in cases() {
        assert!(!case.packets.is_empty(), "{}", case.name);
        for (packet, _) in &case.packets {
            let Packet {
                source,
                destination,
                ..
            } = packet;
            assert_eq!(
                source.0.is_ipv4(),
                destination.0.is_ipv4(),
                "{}",
                packet.text
            );
            let direction = if packet.is_in { "In" } else { "Out" };
            let mut directions = case.rules.iter().map(|rule| &rule["Direction"]);
            assert!(
                case.rules.is_empty() || directions.any(|of| of == direction),
                "{}: {}",
                case.name,
                packet.text
            );
        }
    }
}
