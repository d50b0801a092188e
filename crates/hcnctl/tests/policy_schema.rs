// SPDX-License-Identifier: MIT OR Apache-2.0
//! The published schemas: `policy.json` says of a file what the reader says, and what `plan -o json` prints is as `plan.json` says.

use std::{collections::BTreeSet, fs, path::Path};

use hcnctl::policy_file::{KEYS, read};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    serde_json::from_str(&fs::read_to_string(path.join(name)).unwrap()).unwrap()
}

/// The patterns of our schemas; what they say is told in Rust below.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]*$";
const TRAFFIC: &str = "^(([0-9]+(-[0-9]+)?/)?([Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp])|[Ii][Cc][Mm][Pp]([Vv]6)?|[Ii][Gg][Mm][Pp]|[Gg][Rr][Ee]|[Ee][Ss][Pp]|[Aa][Hh]|[Pp][Rr][Oo][Tt][Oo][Cc][Oo][Ll]/[0-9]+|[Aa][Nn][Yy])$";

/// What the pattern for traffic says, of a text in lower case.
fn is_traffic(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    let names = [
        "icmp", "icmpv6", "igmp", "gre", "esp", "ah", "any", "tcp", "udp", "sctp",
    ];
    match text.split_once('/') {
        None => names.contains(&text),
        Some(("protocol", number)) => digits(number),
        Some((ports, protocol)) => {
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            ["tcp", "udp", "sctp"].contains(&protocol) && digits(first) && digits(last)
        }
    }
}

/// Where a value is not as a schema says; the part of JSON Schema 2020-12 that ours are written in, and no word that it does not know.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if schema == &json!(false) {
        return vec![format!("{at}: it may not be there")];
    }
    for (word, said) in schema.as_object().expect("a schema is an object") {
        let good = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = said.as_str().unwrap().strip_prefix('#').unwrap();
                found.extend(faults(
                    root,
                    root.pointer(pointer)
                        .expect("the reference leads somewhere"),
                    value,
                    at,
                ));
                true
            }
            "const" => value == said,
            "enum" => said.as_array().unwrap().contains(value),
            "type" => {
                let types = match said {
                    Value::Array(several) => several.clone(),
                    one => vec![one.clone()],
                };
                types.iter().any(|own| is_a(value, own.as_str().unwrap()))
            }
            "oneOf" => {
                let fitting = said.as_array().unwrap().iter();
                fitting
                    .filter(|own| faults(root, own, value, at).is_empty())
                    .count()
                    == 1
            }
            "properties" => {
                for (key, own) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = said.get(key) {
                        found.extend(faults(root, schema, own, &format!("{at}/{key}")));
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(said, &json!(false));
                let known = schema["properties"].as_object().unwrap();
                value
                    .as_object()
                    .is_none_or(|members| members.keys().all(|key| known.contains_key(key)))
            }
            "required" => value.as_object().is_none_or(|members| {
                let needed = said.as_array().unwrap().iter();
                needed
                    .map(|key| key.as_str().unwrap())
                    .all(|key| members.contains_key(key))
            }),
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(faults(root, said, item, &format!("{at}/{place}")));
                }
                true
            }
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 <= said.as_u64().unwrap()),
            "minProperties" => value
                .as_object()
                .is_none_or(|own| own.len() as u64 >= said.as_u64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= said.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= said.as_u64().unwrap()),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= said.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= said.as_i64().unwrap()),
            "pattern" => value
                .as_str()
                .is_none_or(|text| match said.as_str().unwrap() {
                    NAME => {
                        text.starts_with(|one: char| one.is_ascii_alphanumeric())
                            && text
                                .chars()
                                .all(|one| one.is_ascii_alphanumeric() || "._-".contains(one))
                    }
                    TRAFFIC => is_traffic(&text.to_ascii_lowercase()),
                    other => panic!("the pattern {other:?} is not known here"),
                }),
            other => panic!("the word {other:?} is not known here"),
        };
        if !good {
            found.push(format!("{at}: {word} {said}: {value}"));
        }
    }
    found
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other:?} is not known here"),
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    faults(schema, schema, value, "").is_empty()
}

#[test]
fn the_schema_has_the_members_that_the_reader_knows() {
    let schema = schema("policy.json");
    for (mapping, keys) in KEYS {
        let properties = schema["$defs"][mapping]["properties"].as_object().unwrap();
        let published: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(published, keys.iter().copied().collect(), "{mapping}");
    }
}

#[test]
fn schema_and_reader_take_and_refuse_the_same() {
    let schema = schema("policy.json");
    let base = json!({"$schema": "policy.json", "apiVersion": "hcnctl/v1", "name": "web", "endpoints": "nginx", "otherwise": "allow",
        "rules": [{"name": "a", "action": "block", "direction": "in", "ports": "80/tcp", "from": ["10.0.0.0/8", {"name": "web-*"}], "priority": 100}]});
    assert!(fits(&schema, &base) && read(&base.to_string()).is_ok());
    let changes = [
        ("/otherwise", json!({"in": "deny", "out": "allow"}), true),
        ("/otherwise", json!({"in": "deny"}), false),
        ("/otherwise", json!("drop"), false),
        ("/apiVersion", json!("v1"), false),
        ("/name", json!("a b"), false),
        ("/name", json!("5"), true),
        ("/name", json!(5), false),
        ("/name", json!("x".repeat(64)), false),
        ("/endpoints", json!([]), false),
        ("/endpoints", json!(["a", {"network": "nat"}]), true),
        ("/endpoints", json!([{}]), false),
        ("/endpoints", json!({"network": ""}), false),
        ("/endpoints", json!({"net": "nat"}), false),
        ("/endpoints", json!(null), false),
        ("/rules", json!([]), true),
        ("/rules", json!({}), false),
        ("/rules", json!([5]), false),
        ("/rules/0/action", json!("deny"), false),
        ("/rules/0/ports", json!(80), false),
        ("/rules/0/ports", json!(["80/tcp", "icmp"]), true),
        ("/rules/0/ports", json!([]), false),
        ("/rules/0/ports", json!("47"), false),
        ("/rules/0/ports", json!("6"), false),
        ("/rules/0/ports", json!("80/6"), false),
        ("/rules/0/ports", json!("80/icmp"), false),
        ("/rules/0/ports", json!("http"), false),
        ("/rules/0/ports", json!("80-90/TCP"), true),
        (
            "/rules/0/ports",
            json!([
                "protocol/47",
                "gre",
                "esp",
                "ah",
                "sctp",
                "igmp",
                "icmpv6",
                "Any"
            ]),
            true,
        ),
        ("/$schema", json!("docs/schema/policy.json"), true),
        ("/$schema", json!(5), false),
        ("/rules/0/direction", json!("out"), false),
        ("/rules/0/from", json!("any"), true),
        ("/rules/0/from", json!(""), false),
        ("/rules/0/priority", json!(0), false),
        ("/rules/0/priority", json!(65_498), true),
        ("/rules/0/priority", json!(65_499), false),
        ("/rules/0/priority", json!("100"), false),
        ("/rules/0/priority", json!(1.5), false),
    ];
    for (pointer, value, good) in changes {
        let mut document = base.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        assert_eq!(fits(&schema, &document), good, "the schema on {document}");
        assert_eq!(
            read(&document.to_string()).is_ok(),
            good,
            "the reader on {document}"
        );
    }
    for key in ["apiVersion", "name", "endpoints", "otherwise"] {
        let mut document = base.clone();
        document.as_object_mut().unwrap().shift_remove(key);
        assert!(
            !fits(&schema, &document) && read(&document.to_string()).is_err(),
            "{key}"
        );
    }
}

/// Values that may stand anywhere.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(5),
        json!(100),
        json!(""),
        json!("web"),
        json!("5"),
        json!("allow"),
        json!("deny"),
        json!("in"),
        json!("80/tcp"),
        json!("47"),
        json!("protocol/47"),
        json!("10.0.0.0/8"),
        json!("any"),
        json!("a b"),
        json!("hcnctl/v1"),
        json!([]),
        json!({}),
    ]);
    let keys = prop::sample::select(vec![
        "name",
        "in",
        "out",
        "network",
        "address",
        "action",
        "direction",
        "ports",
        "x",
    ]);
    leaf.prop_recursive(2, 6, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 1..3).prop_map(|all| Value::Object(
                all.into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Map<_, _>>()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The reader looks closer (at ports, prefixes, names that stand twice), so what it takes the schema takes, and never the other way round only.
    #[test]
    fn what_the_reader_takes_the_schema_takes(changes in prop::collection::vec((0..13usize, any_value()), 0..3)) {
        const PLACES: [&str; 13] = ["/apiVersion", "/name", "/endpoints", "/otherwise", "/rules", "/rules/0", "/rules/0/name", "/rules/0/action",
            "/rules/0/direction", "/rules/0/ports", "/rules/0/from", "/rules/0/from/1", "/rules/0/priority"];
        let schema = schema("policy.json");
        let mut document = json!({"apiVersion": "hcnctl/v1", "name": "web", "endpoints": "nginx", "otherwise": "allow",
            "rules": [{"name": "a", "action": "block", "direction": "in", "ports": "80/tcp", "from": ["10.0.0.0/8", {"name": "web-*"}], "priority": 100}]});
        for (place, value) in changes {
            if let Some(at) = document.pointer_mut(PLACES[place]) {
                *at = value;
            }
        }
        if read(&document.to_string()).is_ok() {
            let faults = faults(&schema, &schema, &document, "");
            prop_assert!(faults.is_empty(), "{document}: {faults:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn plans_are_as_their_schema_says() {
    let schema = schema("plan.json");
    let folder = std::env::temp_dir().join(format!("hcnctl-plan-schema-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let run = |line: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", line])
            .current_dir(&folder)
            .env("H", env!("CARGO_BIN_EXE_hcnctl"))
            .env("HCNCTL_STATE", "state")
            .env_remove("HCNCTL_HOST")
            .env_remove("HCNCTL_PROFILE")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    run(
        "$H create network nat; $H run --name a; $H run --name b; $H acl add b 'Action=Allow; Direction=In; Priority=300'",
    );
    let policy = json!({"apiVersion": "hcnctl/v1", "name": "web", "endpoints": "*", "otherwise": {"in": "deny", "out": "allow"},
        "rules": [{"name": "http", "action": "allow", "direction": "in", "ports": "80/tcp", "from": "a"}]});
    fs::write(folder.join("web.yaml"), policy.to_string()).unwrap();
    for (line, state, endpoints) in [
        ("$H plan -f web.yaml -o json", "planned", 2),
        ("$H diff -f web.yaml -o json", "planned", 2),
        (
            "$H apply -f web.yaml -o json --confirm-within 1s",
            "taken-back",
            2,
        ),
        ("$H apply -f web.yaml -o json", "applied", 2),
        // Of both there is something to say still: rules of others, and a rule that names its own endpoint.
        ("$H plan -f web.yaml -o json", "planned", 2),
        (
            "$H plan --remove web -o json --expect-no-new-access",
            "refused",
            2,
        ),
    ] {
        let printed = run(line);
        let page: Value =
            serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{line}: {printed}"));
        assert_eq!(faults(&schema, &schema, &page, ""), [""; 0], "{line}");
        assert_eq!(
            (&page["state"], page["endpoints"].as_array().unwrap().len()),
            (&json!(state), endpoints),
            "{line}"
        );
    }
    fs::remove_dir_all(folder).unwrap();
}
