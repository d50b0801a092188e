// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is admitted and what is refused: hns-behaviour 4.4, 4.7, and section 8, Q4, Q5, Q14, Q15 and Q17.

use hcn_schema::policy::{acl::TierAcl, network::SetPolicy};

use super::*;
use crate::sets::Sets;

fn acl(json: &str) -> Acl {
    Acl::from_json(json).expect("the test's JSON is good")
}

fn admit(json: &str) -> Result<Rule, AclFault> {
    check(&acl(json), &Semantics::default(), &|id| {
        id.starts_with("azure-npm-")
    })
}

/// The fields that every rule needs, and these.
fn with(fields: &str) -> String {
    format!(r#"{{"Action":"Allow","Direction":"In",{fields}}}"#)
}

fn admitted(fields: &str) -> Rule {
    admit(&with(fields)).unwrap_or_else(|fault| panic!("{fields} is refused: {fault}"))
}

/// The sentence that refuses these fields.
fn refused(fields: &str) -> String {
    match admit(&with(fields)) {
        Ok(_) => panic!("{fields} is admitted"),
        Err(fault) => fault.to_string(),
    }
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn protocols(numbers: &[u8]) -> ProtocolSet {
    ProtocolSet::ALL.filter(|number| numbers.contains(&number))
}

#[test]
fn the_rules_of_the_walk_through_are_admitted() {
    let rule = admit(
        r#"{"Protocols":"6","Action":"Block","Direction":"In","LocalAddresses":"172.19.6.74","LocalPorts":"80","Priority":100}"#,
    )
    .unwrap();
    assert_eq!(
        rule,
        Rule {
            action: AclAction::Block,
            direction: Direction::In,
            rule_type: AclRuleType::Switch,
            priority: 100,
            protocols: protocols(&[6]),
            local_addresses: Addresses {
                prefixes: nets(&["172.19.6.74/32"]),
                sets: Vec::new(),
            },
            remote_addresses: Addresses::default(),
            local_ports: vec![(80, 80)],
            remote_ports: Vec::new(),
        }
    );
    assert!(rule.remote_addresses.is_any());
}

#[test]
fn protocols_are_numbers_and_256_or_nothing_is_any() {
    assert_eq!(
        admitted(r#""Protocols":"6, 17,1,58,2,132,252""#).protocols,
        protocols(&[6, 17, 1, 58, 2, 132, 252])
    );
    for any in [
        r#""Protocols":"""#,
        r#""Protocols":"256""#,
        r#""Protocols":256"#,
        r#""Id":"x""#,
    ] {
        assert_eq!(admitted(any).protocols, ProtocolSet::ALL, "{any}");
    }
    assert_eq!(admitted(r#""Protocols":"0""#).protocols, protocols(&[0]));
    assert_eq!(
        refused(r#""Protocols":"6,tcp""#),
        "Protocols: \"tcp\" is a name; write the protocol's number, 6"
    );
    assert_eq!(
        refused(r#""Protocols":"ICMPv6""#),
        "Protocols: \"ICMPv6\" is a name; write the protocol's number, 58"
    );
    for bad in ["257", "-1", "+6", "6.0", "ip", "6-17"] {
        let sentence = refused(&format!(r#""Protocols":"{bad}""#));
        assert_eq!(
            sentence,
            format!(
                "Protocols: {bad:?} is no protocol; write numbers from 0 to 255 joined by commas, or 256 for any"
            )
        );
    }
}

#[test]
fn addresses_are_addresses_and_cidrs_of_both_families() {
    assert_eq!(
        admitted(r#""LocalAddresses":" 10.0.0.1,10.1.0.0/16 , fd00::1,fd00:1::/64,0.0.0.0/0""#)
            .local_addresses
            .prefixes,
        nets(&[
            "10.0.0.1/32",
            "10.1.0.0/16",
            "fd00::1/128",
            "fd00:1::/64",
            "0.0.0.0/0"
        ])
    );
    assert!(admitted(r#""LocalAddresses":" ""#).local_addresses.is_any());
}

#[test]
fn a_word_for_any_address_is_refused() {
    for word in ["Any", "any", "*", "ALL"] {
        assert_eq!(
            refused(&format!(r#""LocalAddresses":"{word}""#)),
            format!(
                "LocalAddresses: {word:?} is no address; leave the field out to mean every address"
            )
        );
    }
}

#[test]
fn host_bits_are_refused_with_what_may_be_meant() {
    assert_eq!(
        refused(r#""RemoteAddresses":"10.0.0.0/8,172.17.0.1/16""#),
        "RemoteAddresses: \"172.17.0.1/16\" has host bits set; write 172.17.0.0/16 for the subnet, or 172.17.0.1 for the one address"
    );
    assert_eq!(
        refused(r#""RemoteAddresses":"fd00::1/64""#),
        "RemoteAddresses: \"fd00::1/64\" has host bits set; write fd00::/64 for the subnet, or fd00::1 for the one address"
    );
}

#[test]
fn other_texts_for_addresses_are_refused_by_what_they_look_like() {
    assert_eq!(
        refused(r#""LocalAddresses":"10.0.0.1-10.0.0.9""#),
        "LocalAddresses: \"10.0.0.1-10.0.0.9\" looks like a range; write CIDRs such as 10.0.0.0/24 instead"
    );
    assert_eq!(
        refused(r#""LocalAddresses":"10.0.0.0/33""#),
        "LocalAddresses: \"10.0.0.0/33\" has a prefix length over 32, the most that this family has"
    );
    for bad in [
        "web",
        "10.0.0",
        "10.0.0.0/",
        "10.0.0.0/x",
        "10.0.0.0/+8",
        "01.2.3.4",
        "fd00::/1000x",
    ] {
        assert_eq!(
            refused(&format!(r#""LocalAddresses":"{bad}""#)),
            format!(
                "LocalAddresses: {bad:?} is no address, no CIDR and no id of a SetPolicy of the network; correct it, or add the set first"
            )
        );
    }
    assert_eq!(
        refused(r#""LocalAddresses":"fd00::/1000""#),
        "LocalAddresses: \"fd00::/1000\" has a prefix length over 128, the most that this family has"
    );
}

#[test]
fn ids_of_known_sets_are_addresses() {
    let rule = admitted(
        r#""LocalAddresses":"azure-npm-1,azure-npm-2","RemoteAddresses":"10.0.0.1,azure-npm-3""#,
    );
    assert_eq!(rule.local_addresses.sets, ["azure-npm-1", "azure-npm-2"]);
    assert_eq!(rule.remote_addresses.sets, ["azure-npm-3"]);
    assert_eq!(rule.remote_addresses.prefixes, nets(&["10.0.0.1/32"]));
}

#[test]
fn ports_are_numbers_and_ranges() {
    let rule =
        admitted(r#""Protocols":"6","LocalPorts":"80, 8000-8080,0,65535","RemotePorts":443"#);
    assert_eq!(
        rule.local_ports,
        [(80, 80), (8000, 8080), (0, 0), (65_535, 65_535)]
    );
    assert_eq!(rule.remote_ports, [(443, 443)]);
    for bad in [
        "70000", "http", "80-", "-80", "1-70000", "80:90", "+80", "1-2-3",
    ] {
        assert_eq!(
            refused(&format!(r#""LocalPorts":"{bad}""#)),
            format!(
                "LocalPorts: {bad:?} is no port; write numbers from 0 to 65535, or ranges such as 8000-8080, joined by commas"
            )
        );
    }
    assert_eq!(
        refused(r#""RemotePorts":"9000-8000""#),
        "RemotePorts: the range \"9000-8000\" ends before it starts; write the lower port first"
    );
}

#[test]
fn a_lone_comma_does_not_turn_a_rule_into_one_for_everything() {
    for field in [
        "Protocols",
        "LocalAddresses",
        "RemoteAddresses",
        "LocalPorts",
        "RemotePorts",
    ] {
        for list in [",", "6,", ",6"] {
            assert_eq!(
                refused(&format!(r#""{field}":"{list}","Priority":1"#))
                    .split_once(' ')
                    .unwrap(),
                (
                    field,
                    "has an empty item; leave the whole field out to mean every value, or take the comma away"
                ),
            );
            if field.ends_with("Addresses") {
                break; // "6" is no address either.
            }
        }
    }
}

#[test]
fn action_and_direction_are_required() {
    let sentence = |json| admit(json).unwrap_err().to_string();
    assert_eq!(
        sentence(r#"{"Direction":"In"}"#),
        "Action is missing; it must be Allow or Block"
    );
    assert_eq!(
        sentence(r#"{"Action":"Allow","Direction":null}"#),
        "Direction is missing; it must be In or Out"
    );
    assert_eq!(
        sentence(r#"{"Action":"Pass","Direction":"In"}"#),
        "Action: \"Pass\" is for the rules of a TierAcl; here it must be Allow or Block"
    );
    assert_eq!(
        sentence(r#"{"Action":"Deny","Direction":"In"}"#),
        "Action: \"Deny\" cannot be read; it must be Allow or Block"
    );
    assert_eq!(
        sentence(r#"{"Action":"Allow","Direction":"Sideways"}"#),
        "Direction: \"Sideways\" cannot be read; it must be In or Out"
    );
}

#[test]
fn a_field_of_another_shape_is_refused_by_name() {
    assert_eq!(
        refused(r#""priority":"high""#),
        "Priority: \"high\" cannot be read; it must be a number from 0 to 65535"
    );
    assert_eq!(
        refused(r#""Priority":70000"#),
        "Priority: \"70000\" cannot be read; it must be a number from 0 to 65535"
    );
    assert_eq!(
        refused(r#""RuleType":"Bridge""#),
        "RuleType: \"Bridge\" cannot be read; it must be Switch or Host"
    );
    assert_eq!(
        refused(r#""LocalPorts":[80]"#),
        "LocalPorts: \"[80]\" cannot be read; it must be a text"
    );
}

#[test]
fn a_long_value_is_cut_in_the_sentence_and_whole_in_the_fault() {
    let long = "x".repeat(100_000);
    let fault = admit(&with(&format!(r#""LocalPorts":"{long}""#))).unwrap_err();
    assert_eq!(fault.value, long);
    assert!(fault.to_string().len() < 250, "{fault}");
    assert_eq!(fault.pointer(), "/LocalPorts");
}

#[test]
fn priorities_over_65500_are_refused_by_a_switch() {
    assert_eq!(admitted(r#""Priority":65500"#).priority, 65_500);
    assert_eq!(
        refused(r#""Priority":65501"#),
        "Priority: \"65501\" is over 65500, the highest number with which a rule works; lower numbers are stronger"
    );
    let taking = Semantics {
        refuse_priority_over_65500: false,
        ..Semantics::default()
    };
    let rule = acl(&with(r#""Priority":65535"#));
    assert_eq!(check(&rule, &taking, &|_| false).unwrap().priority, 65_535);
}

#[test]
fn a_switch_rule_without_priority_is_taken_unless_a_switch_refuses_it() {
    let refusing = Semantics {
        refuse_switch_priority_zero: true,
        ..Semantics::default()
    };
    for fields in [r#""Id":"x""#, r#""Priority":0"#] {
        assert_eq!(admitted(fields).priority, 0);
        let fault = check(&acl(&with(fields)), &refusing, &|_| false).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "Priority is 0 or missing on a Switch rule; write a number from 1 to 65500, lower is stronger"
        );
    }
    // Host rules of big users have priority 0 (4.15).
    let host = acl(&with(r#""RuleType":"Host","Priority":0"#));
    assert_eq!(check(&host, &refusing, &|_| false).unwrap().priority, 0);
}

#[test]
fn an_omitted_rule_type_is_switch_unless_a_switch_says_host() {
    assert_eq!(admitted(r#""Priority":1"#).rule_type, AclRuleType::Switch);
    let other = Semantics {
        omitted_rule_type: AclRuleType::Host,
        ..Semantics::default()
    };
    let rule = check(&acl(&with(r#""Priority":1"#)), &other, &|_| false).unwrap();
    assert_eq!(rule.rule_type, AclRuleType::Host);
}

#[test]
fn a_bad_rule_of_a_tier_is_told_by_its_place() {
    let tier = |rules: &str| {
        let json =
            format!(r#"{{"Name":"t","Direction":"Out","Order":1001,"TierAclRules":{rules}}}"#);
        let tier = TierAcl::from_json(&json).unwrap();
        check_tier(&tier, &Semantics::default(), &|_| false)
    };
    let good =
        tier(r#"[{"TierAclRuleAction":"Pass","Priority":2000},{"TierAclRuleAction":"Block"}]"#)
            .unwrap();
    assert_eq!((good.direction, good.order), (Direction::Out, 1001));
    assert_eq!(good.rules[0].action, AclAction::Pass);
    assert_eq!(good.rules[1].direction, Direction::Out);

    let fault = tier(
        r#"[{"TierAclRuleAction":"Pass"},{"TierAclRuleAction":"Allow","LocalAddresses":"Any"}]"#,
    )
    .unwrap_err();
    assert_eq!(fault.pointer(), "/TierAclRules/1/LocalAddresses");
    assert_eq!(
        fault.to_string(),
        "rule 1 of the tier: LocalAddresses: \"Any\" is no address; leave the field out to mean every address"
    );
    for (rules, sentence) in [
        (
            r#"[{"TierAclRuleAction":"Pass","Priority":"high"}]"#,
            "rule 0 of the tier: Priority: \"high\" cannot be read; it must be a number from 0 to 65535",
        ),
        (
            r#"[{"Priority":1}]"#,
            "rule 0 of the tier: TierAclRuleAction is missing; it must be Allow, Block or Pass",
        ),
        (
            r#"[{"TierAclRuleAction":"Allow","Priority":65501}]"#,
            "rule 0 of the tier: Priority: \"65501\" is over 65500, the highest number with which a rule works; lower numbers are stronger",
        ),
        (
            r#""none""#,
            "TierAclRules: \"none\" cannot be read; it must be a list of rules",
        ),
    ] {
        assert_eq!(tier(rules).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn a_tier_needs_a_direction() {
    let tier = TierAcl::from_json(r#"{"Name":"t","Order":1}"#).unwrap();
    let fault = check_tier(&tier, &Semantics::default(), &|_| false).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "Direction is missing; it must be In or Out"
    );
}

#[test]
fn sets_hold_addresses_or_sets_that_exist() {
    let faults = |fields: &str| -> Vec<String> {
        let texts = [
            &*format!(r#"{{"Id":"a",{fields}}}"#),
            r#"{"Id":"b","PolicyType":"IPSET"}"#,
        ];
        let sets = texts.map(|text| SetPolicy::from_json(text).unwrap());
        let (_, faults) = Sets::of(&sets);
        faults
            .into_iter()
            .map(|(_, fault)| fault.to_string())
            .collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(
        faults(r#""PolicyType":"IPSET","Values":"10.0.0.1,10.1.0.0/16""#),
        none
    );
    assert_eq!(faults(r#""PolicyType":"IPSET","Values":"""#), none);
    assert_eq!(faults(r#""PolicyType":"NESTEDIPSET","Values":"b""#), none);
    assert_eq!(
        faults(r#""PolicyType":"NESTEDIPSET","Values":"b,c""#),
        ["Values: \"c\" is no id of a SetPolicy of the network; add that set first"]
    );
    assert_eq!(
        faults(r#""PolicyType":"IPSET","Values":"b""#),
        [
            "Values: \"b\" is no address, no CIDR and no id of a SetPolicy of the network; correct it, or add the set first"
        ]
    );
    assert_eq!(
        faults(r#""Values":"10.0.0.1""#),
        ["PolicyType is missing; it must be IPSET or NESTEDIPSET"]
    );
}

#[test]
fn a_stored_rule_is_read_as_far_as_it_has_one_meaning() {
    let mut reading = Reading::Stored(Vec::new());
    let stored = acl(&with(
        r#""Protocols":"TCP","LocalAddresses":"10.0.0.1/8","Priority":65535"#,
    ));
    let rule = read(&stored, &Semantics::default(), &|_| false, &mut reading).unwrap();
    assert_eq!(rule.protocols, protocols(&[6]));
    assert_eq!(rule.local_addresses.prefixes, nets(&["10.0.0.0/8"]));
    assert_eq!(rule.priority, 65_535);
    let Reading::Stored(told) = reading else {
        unreachable!("a reading stays of its kind");
    };
    let fields: Vec<&str> = told.iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["Protocols", "LocalAddresses"]);

    let hopeless = acl(&with(r#""LocalAddresses":"Any""#));
    let mut reading = Reading::Stored(Vec::new());
    assert!(read(&hopeless, &Semantics::default(), &|_| false, &mut reading).is_err());
}

#[test]
fn every_recorded_rule_is_admitted() {
    const TEST: &str = "every_recorded_rule_is_admitted";
    let Some(corpus) = testkit::corpus_or_skip(TEST) else {
        return;
    };
    let mut rules = 0;
    let mut folders = vec![corpus];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let Ok(json) = serde_json::from_str(text.trim_start_matches('\u{feff}')) else {
                continue;
            };
            for settings in acls_in(&json) {
                // The V1 form has the type among the settings; templates name addresses in braces.
                if settings
                    .values()
                    .any(|value| value.as_str().is_some_and(|text| text.contains('{')))
                {
                    continue;
                }
                let acl = Acl::from_map(&settings);
                let admitted = check(&acl, &Semantics::default(), &|_| false);
                assert!(admitted.is_ok(), "{}: {admitted:?}", path.display());
                rules += 1;
            }
        }
    }
    // The allocators of the swarm listings alone have two rules each, the CNI files at least ten.
    assert!(rules >= 20, "only {rules} recorded rules were found");
}

/// The settings of every ACL anywhere inside a document.
fn acls_in(json: &serde_json::Value) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let mut found = Vec::new();
    match json {
        serde_json::Value::Array(items) => found.extend(items.iter().flat_map(acls_in)),
        serde_json::Value::Object(map) => {
            if map.get("Type").and_then(|text| text.as_str()) == Some("ACL") {
                let settings = map
                    .get("Settings")
                    .and_then(|settings| settings.as_object());
                found.push(settings.unwrap_or(map).clone());
            }
            found.extend(map.values().flat_map(acls_in));
        }
        _ => {}
    }
    found
}
