// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints that are cut off although an Allow rule stands there.

use serde_json::{Value, json};

use super::{acl, endpoint, lint, network, told};
use crate::lint::{Finding, Flows};

fn web() -> Value {
    json!({"Protocols": "6", "LocalPorts": "80"})
}

fn tier(rules: Value) -> Value {
    json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1, "TierAclRules": rules}})
}

fn tier_rule(action: &str, priority: u16) -> Value {
    json!({"TierAclRuleAction": action, "Protocols": "6", "LocalPorts": "80", "Priority": priority})
}

fn of_network(what: &str, priority: u16) -> Value {
    let mut rule = acl(what, priority, web());
    rule["Type"] = "NetworkACL".into();
    rule["Settings"]
        .as_object_mut()
        .unwrap()
        .shift_remove("RuleType");
    rule
}

fn lone(found: &[Finding]) -> Vec<&Finding> {
    let of_check = found
        .iter()
        .filter(|found| found.check.name == "lone-block");
    of_check.collect()
}

/// A Block decides all that the Allow matches: in an endpoint's ACLs, in a tier, among a network's rules.
#[test]
fn an_allow_that_decides_nothing_does_not_hide_a_cut_off() {
    let acls = json!([acl("Block In", 100, web()), acl("Allow In", 200, web())]);
    let tiers = json!([tier(json!([
        tier_rule("Block", 100),
        tier_rule("Allow", 200)
    ]))]);
    let rules = json!([of_network("Block In", 100), of_network("Allow In", 200)]);
    for (documents, place) in [
        ([network(json!([])), endpoint(1, acls)], 1),
        ([network(json!([])), endpoint(1, tiers)], 1),
        ([network(rules), endpoint(1, json!([]))], 0),
    ] {
        let found = lint(&documents);
        let names: Vec<&str> = found.iter().map(|found| found.check.name).collect();
        assert!(!names.contains(&"one-way-rules"), "{names:?}");
        let [cut_off] = lone(&found)[..] else {
            panic!("{found:#?}");
        };
        let mut edited = documents.clone();
        edited[place] = cut_off.fix.applied(&documents[place]).unwrap();
        assert!(lone(&lint(&edited)).is_empty(), "{:#?}", lint(&edited));
    }
    // Before the Block, the Allow decides: nothing else comes in, which is another finding.
    let acls = json!([acl("Block In", 200, web()), acl("Allow In", 100, web())]);
    let found = lint(&[network(json!([])), endpoint(1, acls)]);
    assert_eq!(
        told(&found),
        [
            ("one-way-rules", "/Policies/0"),
            ("shadowed-rule", "/Policies/0")
        ]
    );
}

/// The tier drops all that the only Allow lets in, and the default drops the rest.
#[test]
fn an_allow_whose_packets_another_list_drops_does_not_hide_a_cut_off() {
    let rest = json!({"TierAclRuleAction": "Allow", "Priority": 300});
    let policies = |action: &str| {
        json!([
            tier(json!([tier_rule(action, 100), rest])),
            acl("Block In", 100, json!({"RemoteAddresses": "10.0.0.9"})),
            acl("Allow In", 200, web()),
        ])
    };
    let documents = [network(json!([])), endpoint(1, policies("Block"))];
    let found = lint(&documents);
    let [cut_off] = lone(&found)[..] else {
        panic!("{found:#?}");
    };
    assert_eq!(
        (cut_off.pointer.as_str(), cut_off.fix.flows),
        ("/Policies/1", Flows::Changed)
    );
    // Which way its rules would allow is of no weight then.
    let of_rules = ("one-way-rules", "/Policies/1");
    assert!(!told(&found).contains(&of_rules), "{found:#?}");
    let overruled = found
        .iter()
        .find(|found| found.check.name == "overruled-rule");
    // Without it, Block rules alone would be left.
    assert_eq!(overruled.unwrap().fix.edits, []);
    let near = lint(&[network(json!([])), endpoint(1, policies("Allow"))]);
    assert!(lone(&near).is_empty(), "{near:#?}");
}

/// A network that lets nothing in or out is told of the network, not of each endpoint whose own rules would do.
#[test]
fn a_cut_off_by_the_network_is_not_told_of_endpoints() {
    let closed = ["Block In", "Block Out"].map(|what| {
        let mut rule = of_network(what, 100);
        for condition in ["Protocols", "LocalPorts"] {
            rule["Settings"]
                .as_object_mut()
                .unwrap()
                .shift_remove(condition);
        }
        rule
    });
    let own = json!([
        acl("Allow In", 100, web()),
        acl("Allow Out", 100, json!({}))
    ]);
    let found = lint(&[network(json!(closed)), endpoint(1, own)]);
    assert!(lone(&found).is_empty(), "{found:#?}");
}
