// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rule sets that agents write on purpose (hns-behaviour 4.15): a node on which they work has to be clean of errors.

use serde_json::json;

use super::{acl, endpoint, lint, network};
use crate::lint::Severity;

#[test]
fn standard_rule_sets_of_agents_are_no_error() {
    let any = |what: &str, priority: u16| acl(what, priority, json!({}));
    let host = |what: &str| acl(what, 0, json!({"RuleType": "Host"}));
    let wire = || {
        let members =
            json!({"Protocols": "6", "RemoteAddresses": "168.63.129.16/32", "RemotePorts": "80"});
        acl("Block Out", 200, members)
    };
    let web = |remote: &str, priority: u16| {
        let members = json!({"Protocols": "6", "RemoteAddresses": remote, "LocalPorts": "80"});
        acl("Allow In", priority, members)
    };
    let node = |priority: u16| {
        acl(
            "Allow In",
            priority,
            json!({"RemoteAddresses": "10.0.0.254"}),
        )
    };
    let closed = acl(
        "Block In",
        65_500,
        json!({"Protocols": "256", "Id": "CNIDefaultDenyAllPolicy"}),
    );
    let npm = [
        node(201),
        web("10.0.0.2", 222),
        any("Block In", 3000),
        wire(),
        any("Allow In", 65_499),
        any("Allow Out", 65_499),
        host("Allow In"),
        host("Allow Out"),
    ];
    let felix = [
        node(900),
        web("10.0.0.0/24", 1000),
        any("Block In", 1001),
        any("Allow Out", 1000),
        host("Allow In"),
        host("Allow Out"),
    ];
    for (agent, rules) in [
        ("Azure NPM", json!(npm)),
        ("Calico felix", json!(felix)),
        ("Calico CNI", json!([closed])),
        (
            "Azure CNI",
            json!([wire(), any("Allow In", 65_500), any("Allow Out", 65_500)]),
        ),
        (
            "CNS SwiftV2",
            json!([any("Block In", 10_000), any("Block Out", 10_000)]),
        ),
    ] {
        let found = lint(&[network(json!([])), endpoint(1, rules)]);
        let errors: Vec<_> = found
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{agent}: {errors:#?}");
        // Their exceptions and baselines are written on purpose.
        let doubted: Vec<_> = found
            .iter()
            .filter(|found| {
                let of_parts = ["partly-shadowed-rule", "source-port", "any-address"];
                of_parts.contains(&found.check.name)
            })
            .collect();
        assert!(doubted.is_empty(), "{agent}: {doubted:#?}");
    }
}
