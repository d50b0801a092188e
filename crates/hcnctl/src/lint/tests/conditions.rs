// SPDX-License-Identifier: MIT OR Apache-2.0
//! What single rules say by themselves, where one example and a near miss do not show the line.

use serde_json::{Value, json};

use super::{NETWORK, acl, endpoint, lint, network};
use crate::lint::{Finding, Severity};

/// What a check finds in one rule; everything else stays open.
fn of(check: &str, what: &str, members: Value) -> Vec<Finding> {
    let rules = json!([
        acl(what, 100, members),
        acl("Allow In", 65_500, json!({})),
        acl("Allow Out", 65_500, json!({})),
    ]);
    let found = lint(&[network(json!([])), endpoint(1, rules)]);
    let of_check = found.into_iter().filter(|found| found.check.name == check);
    of_check.collect()
}

#[test]
fn an_address_that_is_written_and_empty_is_told_of_any_rule_that_names_nobody() {
    let web = |members: Value| {
        let mut own = json!({"Protocols": "6", "LocalPorts": "80"});
        for (key, value) in members.as_object().unwrap() {
            own[key] = value.clone();
        }
        own
    };
    for (what, members, place, severity) in [
        (
            "Allow In",
            web(json!({"RemoteAddresses": ""})),
            "RemoteAddresses",
            Severity::Warning,
        ),
        (
            "Allow In",
            json!({"RemoteAddresses": " ", "LocalAddresses": ""}),
            "RemoteAddresses",
            Severity::Warning,
        ),
        (
            "Allow Out",
            json!({"localaddresses": ""}),
            "localaddresses",
            Severity::Warning,
        ),
        (
            "Block In",
            web(json!({"RemoteAddresses": ""})),
            "RemoteAddresses",
            Severity::Note,
        ),
    ] {
        let found = of("any-address", what, members.clone());
        let [finding] = &found[..] else {
            panic!("{what} {members}: {found:#?}");
        };
        let pointer = format!("/Policies/0/Settings/{place}");
        assert_eq!((&finding.pointer, finding.severity), (&pointer, severity));
    }
    for (what, members) in [
        // The baseline of agents and policy files, and a port that is open to all.
        ("Allow In", json!({})),
        ("Allow In", web(json!({}))),
        // Somebody is named, so that an empty address at the own end opens nothing.
        (
            "Allow In",
            json!({"RemoteAddresses": "10.0.0.0/24", "LocalAddresses": ""}),
        ),
    ] {
        let found = of("any-address", what, members.clone());
        assert!(found.is_empty(), "{what} {members}: {found:#?}");
    }
}

#[test]
fn ports_of_the_end_that_opens_a_flow_are_told() {
    let told = |what: &str, members: Value| {
        let found = of("source-port", what, members);
        found.first().map(|found| found.severity)
    };
    let out = |ports: &str| json!({"Protocols": "6", "LocalPorts": ports});
    assert_eq!(told("Allow Out", out("80")), Some(Severity::Warning));
    // Some client's ports, and a service beside them.
    assert_eq!(told("Allow Out", out("49152-65535")), None);
    let both = json!({"Protocols": "6", "LocalPorts": "80", "RemotePorts": "443"});
    assert_eq!(told("Allow Out", both), None);
    let dhcp = json!({"Protocols": "17", "RemotePorts": "67"});
    assert_eq!(told("Allow In", dhcp), Some(Severity::Note));
}

#[test]
fn the_echo_of_the_other_family_is_told_where_nothing_else_is_named() {
    let told = |members: Value| of("icmp-other-family", "Allow Out", members).len();
    let rule =
        |protocols: &str, remote: &str| json!({"Protocols": protocols, "RemoteAddresses": remote});
    assert_eq!(told(rule("1", "fd00::7")), 1);
    assert_eq!(told(rule("58", "10.0.0.0/24")), 1);
    for (protocols, remote) in [
        ("1", "10.0.0.7"),
        ("1,58", "10.0.0.7"),
        ("58", "10.0.0.7,fd00::7"),
        ("", "fd00::7"),
    ] {
        assert_eq!(told(rule(protocols, remote)), 0, "{protocols} {remote}");
    }
}

/// A rule of Calico's felix as HNS reads it back (hns-behaviour 4.9).
#[test]
fn what_hns_fills_in_is_nobodys_empty_address() {
    let mut rule = json!({
        "Action": "Allow", "Direction": "In", "Id": "allow-web", "InternalPort": 0, "LocalAddresses": "", "LocalPort": 80, "Priority": 1000,
        "Protocol": 6, "RemoteAddresses": "", "RemotePort": 0, "RuleType": "Switch", "Scope": 0, "ServiceName": "", "Type": "ACL",
    });
    let found = |rule: &Value| {
        let own = json!({"ID": NETWORK, "Name": "e", "IPAddress": "10.0.0.1", "Policies": [rule]});
        let found = lint(&[own]);
        found.iter().any(|found| found.check.name == "any-address")
    };
    assert!(!found(&rule));
    rule.as_object_mut().unwrap().shift_remove("InternalPort");
    assert!(found(&rule));
}

/// `LocalPort` is a member of v1: in a v2 rule it is an unknown key, and the rule is for every port.
#[test]
fn evidence_tells_no_condition_that_is_not_read() {
    let told = |members: Value| {
        let found = of("any-address", "Allow In", members);
        let [finding] = &found[..] else {
            panic!("{found:#?}");
        };
        assert!(
            finding.message.contains("every port"),
            "{}",
            finding.message
        );
        format!("{:?}", finding.evidence)
    };
    let evidence = told(json!({"Protocols": "6", "LocalPort": "80"}));
    assert!(
        evidence.contains("Allow In tcp, priority 100, rule type Switch, LocalPort=80 (not read)"),
        "{evidence}"
    );
    let evidence = told(json!({"Protocols": "6", "LocalPort": 0}));
    assert!(!evidence.contains("not read"), "{evidence}");
}

/// With PreserveDIP the backend is the one that has the virtual address.
#[test]
fn a_kept_destination_is_an_address_of_the_backend() {
    let rules = json!([
        acl("Block In", 100, json!({"LocalAddresses": "10.96.0.10"})),
        acl("Allow In", 65_500, json!({})),
        acl("Allow Out", 65_500, json!({})),
    ]);
    let own = endpoint(1, rules);
    let balancer = |backend: &Value, flags: u32| {
        json!({
            "ID": "c0000001-0000-4000-8000-000000000001", "HostComputeEndpoints": [backend["ID"]], "FrontendVIPs": ["10.96.0.10"], "Flags": 1,
            "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80, "Flags": flags}], "SchemaVersion": {"Major": 2, "Minor": 0},
        })
    };
    let other = endpoint(2, json!([]));
    let is_foreign = |balancer: Value| {
        let found = lint(&[network(json!([])), own.clone(), other.clone(), balancer]);
        let mut found = found.iter();
        found.any(|found| found.check.name == "foreign-local-address")
    };
    assert!(!is_foreign(balancer(&own, 8)));
    assert!(is_foreign(balancer(&own, 0)));
    assert!(is_foreign(balancer(&other, 8)));
}
