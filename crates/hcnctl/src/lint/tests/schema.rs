// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output against its schemas: ours, and the part of SARIF's that we write.

use serde_json::{Value, json};
use testkit::schema::Schema;

use super::*;
use crate::render::lint as render;

fn check(schema: &Schema, value: &Value) {
    let faults = schema.faults(value);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The members of SARIF 2.1.0 that we write, each with what its section of the standard says of it.
fn sarif_schema() -> Schema {
    Schema::new(serde_json::from_str(include_str!("sarif.json")).unwrap())
}

/// Documents with packets, places of two objects, patches and requests among their findings.
fn troubled() -> Vec<Value> {
    vec![
        network(
            json!([{"Type": "SetPolicy", "Settings": {"Id": "a", "Name": "a", "PolicyType": "IPSET", "Values": ""}}]),
        ),
        endpoint(
            1,
            json!([
                acl(
                    "Block In",
                    100,
                    json!({"Protocols": "6", "LocalPorts": "80"})
                ),
                acl(
                    "Block In",
                    100,
                    json!({"Protocols": "6", "LocalPorts": "80"})
                ),
                acl(
                    "Block Out",
                    100,
                    json!({"Protocols": "6", "RemoteAddresses": "a"})
                ),
            ]),
        ),
    ]
}

#[test]
fn json_is_as_its_schema_says() {
    let subject = subject(&troubled());
    let found = run(&subject);
    let value = render::json(&subject, &found);
    check(&Schema::published("lint.json"), &value);
    let text = value.to_string();
    for member in [
        "\"packet\"",
        "\"patch\"",
        "\"request\"",
        "\"object\"",
        "\"flows\":\"unchanged\"",
    ] {
        assert!(text.contains(member), "{member}");
    }
    // The request of the double: what is left of the rules.
    let double = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "duplicate-rule")
        .unwrap();
    assert_eq!(
        double["fix"]["patch"],
        json!([{"op": "remove", "path": "/Policies/1"}])
    );
    let sent = double["fix"]["request"]["Settings"]["Policies"]
        .as_array()
        .unwrap();
    assert_eq!(sent.len(), 2);
}

#[test]
fn sarif_is_as_the_standard_says() {
    let subject = subject(&troubled());
    let found = run(&subject);
    for source in [None, Some("dumps/node 1.json")] {
        let log = render::sarif(&subject, &found, source);
        check(&sarif_schema(), &log);
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            // 3.27.6: the index is that of the rule with the id.
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
            let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            assert_eq!(uri.as_str(), source.map(|_| "dumps/node%201.json"));
        }
    }
}
