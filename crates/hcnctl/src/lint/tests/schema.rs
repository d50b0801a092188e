// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output against its schemas: ours, and the part of SARIF's that we write.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::render::lint as render;

/// What a schema forbids in a value, with its place. Knows the keywords that the schemas here use, and stops at any other.
fn wrong(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                wrong(root, root.pointer(pointer).unwrap(), value, at, found);
                true
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                other => panic!("{other}"),
            },
            "enum" => wanted.as_array().unwrap().contains(value),
            "const" => wanted == value,
            "anyOf" => wanted.as_array().unwrap().iter().any(|one| {
                let mut inside = Vec::new();
                wrong(root, one, value, at, &mut inside);
                inside.is_empty()
            }),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
            "required" => {
                let keys = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|key| key.as_str().unwrap());
                keys.into_iter().all(|key| value.get(key).is_some())
            }
            "properties" => {
                for (key, one) in wanted.as_object().unwrap() {
                    if let Some(member) = value.get(key) {
                        wrong(root, one, member, &format!("{at}/{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                *wanted == json!(true)
                    || value
                        .as_object()
                        .is_none_or(|own| own.keys().all(|key| known.contains_key(key)))
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    wrong(root, wanted, item, &format!("{at}/{place}"), found);
                }
                true
            }
            other => panic!("{other}"),
        };
        if !fits {
            found.push(format!("{at}: {keyword} {wanted}: {value}"));
        }
    }
}

fn check(schema: &Value, value: &Value) {
    let mut found = Vec::new();
    wrong(schema, schema, value, "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

/// The members of SARIF 2.1.0 that we write, each with what its section of the standard says of it.
fn sarif_schema() -> Value {
    serde_json::from_str(include_str!("sarif.json")).unwrap()
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
    let path = testkit::repository().join("docs/schema/lint.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let value = render::json(&subject, &found);
    check(&schema, &value);
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

#[test]
fn a_value_that_breaks_a_schema_is_seen() {
    let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {"a": {"enum": [1]}}});
    for bad in [
        json!({}),
        json!({"a": 2}),
        json!({"a": 1, "b": 1}),
        json!([]),
    ] {
        let mut found = Vec::new();
        wrong(&schema, &schema, &bad, "", &mut found);
        assert!(!found.is_empty(), "{bad}");
    }
}
