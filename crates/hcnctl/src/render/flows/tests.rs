// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets in words, by hand.

use hcn_engine::{Documents, Semantics, Switch, change::Changes};
use hcn_schema::{Document, Endpoint, Guid};
use serde_json::{Value, json};

use super::*;

/// A switch with one endpoint of these rules.
fn switch(rules: &Value) -> Switch {
    let documents = Documents {
        endpoints: vec![
            Endpoint::from_value(&json!({"ID": Guid(1).to_string(), "Policies": rules,
                "IpConfigurations": [{"IpAddress": "10.0.0.1"}, {"IpAddress": "10.0.0.2"}, {"IpAddress": "fd00::1"}]}))
            .unwrap(),
        ],
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, &Semantics::default());
    assert!(
        faults
            .iter()
            .all(|fault| fault.pointer == "/HostComputeNetwork"),
        "the endpoint stands alone, and its rules are good: {faults:?}"
    );
    switch
}

/// Lines for what closes at 10.0.0.1 when an endpoint without rules gets these.
fn closed(rules: &Value) -> Vec<String> {
    let (before, after) = (switch(&json!([])), switch(rules));
    let names =
        |address: IpAddr| (address == IpAddr::from([10, 0, 0, 9])).then(|| "client".to_owned());
    let mut said = Vec::new();
    for family in [Family::V4, Family::V6] {
        let mut changes = Changes::between(&before, &after, &[Guid(1)], family);
        for change in changes.changes.clone() {
            let sets = Sets::of(&mut changes.space, &change, false);
            let lines = lines(&mut changes.space, &sets, change.direction, &names);
            said.extend(
                lines
                    .iter()
                    .map(|line| format!("{} {} {line}", super::family(family), change.direction)),
            );
        }
    }
    said
}

fn rule(action: &str, direction: &str, members: Value) -> Value {
    let mut settings = json!({"Action": action, "Direction": direction, "Priority": 100});
    let members = members.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(members);
    json!({"Type": "ACL", "Settings": settings})
}

fn rest(direction: &str) -> Value {
    rule("Allow", direction, json!({"Priority": 65500}))
}

#[test]
fn a_set_is_said_by_what_is_in_it_or_by_what_is_missing() {
    let block = rule(
        "Block",
        "In",
        json!({"Protocols": "6", "LocalPorts": "80,443", "RemoteAddresses": "10.0.0.9,10.1.0.0/16"}),
    );
    assert_eq!(
        closed(&json!([block, rest("In"), rest("Out")])),
        ["IPv4 In tcp 80,443 from client 10.0.0.9,10.1.0.0/16"]
    );
    let allow = rule(
        "Allow",
        "In",
        json!({"Protocols": "6", "LocalPorts": "80", "RemoteAddresses": "10.0.0.9"}),
    );
    assert_eq!(
        closed(&json!([allow, rest("Out")])),
        [
            "IPv4 In everything but tcp 80 from client 10.0.0.9 (stays open)",
            "IPv6 In everything"
        ]
    );
}

#[test]
fn several_things_that_are_missing_stand_below_each_other() {
    let one = rule("Allow", "In", json!({"Protocols": "6", "LocalPorts": "80"}));
    let other = rule(
        "Allow",
        "In",
        json!({"Protocols": "17", "LocalPorts": "53", "RemoteAddresses": "10.0.0.9"}),
    );
    assert_eq!(
        closed(&json!([one, other, rest("Out")])),
        [
            "IPv4 In everything but:",
            "IPv4 In   tcp 80 from anybody but client 10.0.0.9 (stays open)",
            "IPv4 In   tcp 80 from client 10.0.0.9 (stays open)",
            "IPv4 In   udp 53 from client 10.0.0.9 (stays open)",
            "IPv6 In everything but tcp 80 from anybody (stays open)"
        ]
    );
}

#[test]
fn values_of_an_axis_are_said_the_shorter_way_too() {
    let all_but = rule(
        "Block",
        "Out",
        json!({"Protocols": "6", "RemotePorts": "1-79,81-65535", "RemoteAddresses": "0.0.0.0/1,128.0.0.0/2,192.0.0.0/2"}),
    );
    assert_eq!(
        closed(&json!([all_but, rest("In"), rest("Out")])),
        ["IPv4 Out tcp every port but 0,80 to anybody"]
    );
    let own = rule(
        "Block",
        "In",
        json!({"Protocols": "1", "LocalAddresses": "10.0.0.2"}),
    );
    assert_eq!(
        closed(&json!([own, rest("In"), rest("Out")])),
        ["IPv4 In icmp from anybody at 10.0.0.2"]
    );
    let peers = rule("Block", "In", json!({"Protocols": "17"}));
    let but = rule(
        "Allow",
        "In",
        json!({"Protocols": "17", "RemoteAddresses": "fd00::/8", "Priority": 50}),
    );
    assert_eq!(
        closed(&json!([peers, but, rest("In"), rest("Out")])),
        [
            "IPv4 In udp from anybody",
            "IPv6 In udp from anybody but fd00::/8"
        ]
    );
}

/// By hand: 22 is closed before, 80 is allowed by both, 443 opens; the rest was open and closes.
#[test]
fn of_exceptions_it_is_said_what_becomes_of_them() {
    let block = rule(
        "Block",
        "In",
        json!({"Protocols": "6", "LocalPorts": "22,443", "Priority": 10}),
    );
    let before = json!([block, rest("In"), rest("Out")]);
    let allow = rule(
        "Allow",
        "In",
        json!({"Protocols": "6", "LocalPorts": "80,443"}),
    );
    let after = json!([allow, rest("Out")]);
    let told = |before: &Value, after: &Value, opens: bool| {
        let (before, after) = (switch(before), switch(after));
        let mut changes = Changes::between(&before, &after, &[Guid(1)], Family::V6);
        let [change] = changes.changes[..] else {
            panic!("{:?}", changes.changes);
        };
        let sets = Sets::of(&mut changes.space, &change, opens);
        lines(&mut changes.space, &sets, Direction::In, &|_| None)
    };
    assert_eq!(told(&before, &after, true), ["tcp 443 from anybody"]);
    assert_eq!(
        told(&before, &after, false),
        [
            "everything but:",
            "  tcp 80 from anybody (stays open)",
            "  tcp 22 from anybody (closed already)",
            "  tcp 443 from anybody (opens)"
        ]
    );
    assert_eq!(told(&after, &before, false), ["tcp 443 from anybody"]);
    assert_eq!(
        told(&after, &before, true),
        [
            "everything but:",
            "  tcp 80 from anybody (open already)",
            "  tcp 22 from anybody (stays closed)",
            "  tcp 443 from anybody (closes)"
        ]
    );
}

#[test]
fn of_many_addresses_the_first_are_named() {
    let many: Vec<String> = (0..40).map(|last| format!("10.1.0.{}", 2 * last)).collect();
    let block = rule(
        "Block",
        "In",
        json!({"Protocols": "6", "RemoteAddresses": many.join(",")}),
    );
    assert_eq!(
        closed(&json!([block, rest("In"), rest("Out")])),
        [
            "IPv4 In tcp from 10.1.0.0,10.1.0.2,10.1.0.4,10.1.0.6,10.1.0.8,10.1.0.10,10.1.0.12,10.1.0.14 and 32 more"
        ]
    );
}
