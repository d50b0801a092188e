// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which dead parts of a rule are told, and which are exceptions that somebody meant.

use serde_json::{Value, json};

use super::{acl, endpoint, lint, network};

/// What is said of dead parts of the second rule, In; everything else stays open.
fn parts(stronger: (&str, Value), weaker: (&str, Value)) -> Vec<String> {
    let rules = json!([
        acl(stronger.0, 100, stronger.1),
        acl(weaker.0, 200, weaker.1),
        acl("Block In", 65_500, json!({})),
        acl("Allow Out", 65_500, json!({})),
    ]);
    let found = lint(&[network(json!([])), endpoint(1, rules)]);
    let of_check = found
        .into_iter()
        .filter(|found| found.check.name == "partly-shadowed-rule");
    of_check
        .map(|found| format!("{}: {}", found.pointer, found.message))
        .collect()
}

fn tcp(ports: &str) -> Value {
    json!({"Protocols": "6", "LocalPorts": ports})
}

#[test]
fn ports_on_which_neither_rule_is_an_exception_from_the_other_are_told() {
    let overlap = parts(("Block In", tcp("80-90")), ("Allow In", tcp("85-95")));
    let told = "/Policies/1/Settings/LocalPorts: stronger rules decide tcp 85-90 otherwise";
    assert_eq!(overlap, [told]);
    // The walk-through's way of writing: the endpoint's own address as the local one.
    let mut own = tcp("80-90");
    own["LocalAddresses"] = "10.0.0.1".into();
    assert_eq!(parts(("Block In", own), ("Allow In", tcp("85-95"))), [told]);
    // Inside of the weaker rule's ports it is an exception, and so it is for one address.
    let near: [(Value, &str); 2] = [
        (tcp("85-90"), "85-95"),
        (
            json!({"Protocols": "6", "LocalPorts": "80-90", "RemoteAddresses": "10.0.0.9"}),
            "85-95",
        ),
    ];
    for (stronger, ports) in near {
        let found = parts(("Block In", stronger.clone()), ("Allow In", tcp(ports)));
        assert!(found.is_empty(), "{stronger}: {found:?}");
    }
    // Doing the same, the stronger one takes nothing away.
    let same = parts(("Allow In", tcp("80-90")), ("Allow In", tcp("85-95")));
    assert!(same.is_empty(), "{same:?}");
}

#[test]
fn a_protocol_with_a_port_that_the_rule_names_is_told() {
    let both = || json!({"Protocols": "6,17", "LocalPorts": "80,8080"});
    let told = ["/Policies/1/Settings/LocalPorts: stronger rules decide tcp 80 otherwise"];
    assert_eq!(
        parts(("Block In", tcp("1-8079")), ("Allow In", both())),
        told
    );
    assert_eq!(parts(("Block In", tcp("80")), ("Allow In", both())), told);
    let other = parts(("Block In", tcp("1-79,81-8079")), ("Allow In", both()));
    assert!(other.is_empty(), "{other:?}");
}

/// A dead item is told as an item, which can be left out, and not once more as a port.
#[test]
fn an_item_and_a_port_of_one_list_are_told_apart() {
    let found = parts(
        ("Block In", tcp("80,443-500")),
        ("Allow In", tcp("80,8080,490-510")),
    );
    assert_eq!(
        found,
        [
            "/Policies/1/Settings/LocalPorts: stronger rules decide all packets to which 80 applies",
            "/Policies/1/Settings/LocalPorts: stronger rules decide tcp 490-500 otherwise",
        ]
    );
}

#[test]
fn an_exception_from_a_rule_that_names_no_ports_is_not_told() {
    for wider in [
        json!({}),
        json!({"Protocols": "6"}),
        json!({"RemoteAddresses": "10.0.0.0/24"}),
        json!({"Protocols": "6", "LocalPorts": "1-65535"}),
    ] {
        let found = parts(("Block In", tcp("80")), ("Allow In", wider.clone()));
        assert!(found.is_empty(), "{wider}: {found:?}");
    }
    // A subnet is kept out of a port that is open to others.
    let subnet = json!({"RemoteAddresses": "10.0.0.0/24"});
    let found = parts(("Block In", subnet), ("Allow In", tcp("80,443")));
    assert!(found.is_empty(), "{found:?}");
}
