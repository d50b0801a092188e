// SPDX-License-Identifier: MIT OR Apache-2.0
//! The published schemas: `policy.json` says of a file what the reader says, and what `plan -o json` prints is as `plan.json` says.

use std::{collections::BTreeSet, fs};

use hcnctl::policy_file::{KEYS, read};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use testkit::schema::Schema;

#[test]
fn the_schema_has_the_members_that_the_reader_knows() {
    let schema = Schema::published("policy.json");
    for (mapping, keys) in KEYS {
        let properties = schema.document()["$defs"][mapping]["properties"]
            .as_object()
            .unwrap();
        let published: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(published, keys.iter().copied().collect(), "{mapping}");
    }
}

#[test]
fn schema_and_reader_take_and_refuse_the_same() {
    let schema = Schema::published("policy.json");
    let base = json!({"$schema": "policy.json", "apiVersion": "hcnctl/v1", "name": "web", "endpoints": "nginx", "otherwise": "allow",
        "rules": [{"name": "a", "action": "block", "direction": "in", "ports": "80/tcp", "from": ["10.0.0.0/8", {"name": "web-*"}], "priority": 100}]});
    assert!(schema.fits(&base) && read(&base.to_string()).is_ok());
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
        assert_eq!(schema.fits(&document), good, "the schema on {document}");
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
            !schema.fits(&document) && read(&document.to_string()).is_err(),
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
        let schema = Schema::published("policy.json");
        let mut document = json!({"apiVersion": "hcnctl/v1", "name": "web", "endpoints": "nginx", "otherwise": "allow",
            "rules": [{"name": "a", "action": "block", "direction": "in", "ports": "80/tcp", "from": ["10.0.0.0/8", {"name": "web-*"}], "priority": 100}]});
        for (place, value) in changes {
            if let Some(at) = document.pointer_mut(PLACES[place]) {
                *at = value;
            }
        }
        if read(&document.to_string()).is_ok() {
            let faults = schema.faults(&document);
            prop_assert!(faults.is_empty(), "{document}: {faults:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn plans_are_as_their_schema_says() {
    let schema = Schema::published("plan.json");
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
        assert_eq!(schema.faults(&page), [""; 0], "{line}");
        assert_eq!(
            (&page["state"], page["endpoints"].as_array().unwrap().len()),
            (&json!(state), endpoints),
            "{line}"
        );
    }
    fs::remove_dir_all(folder).unwrap();
}
