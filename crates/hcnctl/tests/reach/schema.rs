// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks a document against a schema of docs/schema, as far as those schemas go.
//!
//! Apart because it knows JSON Schema and nothing else. A keyword that it does not know fails the test, so that no rule of a schema is
//! passed over.

use std::fs;

use serde_json::Value;

/// Keywords that say nothing about a document.
const WORDS: [&str; 5] = ["$schema", "$id", "$defs", "title", "description"];

/// Panics where the text is not as the schema of a file has it.
pub fn check(file: &str, text: &[u8]) {
    let document: Value = serde_json::from_slice(text).unwrap();
    let root = read(file);
    validate(&root, &root, &document, file);
}

fn read(file: &str) -> Value {
    let path = testkit::repository().join("docs/schema").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validate(root: &Value, schema: &Value, value: &Value, at: &str) {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (keyword, rule) in members(schema) {
        match keyword.as_str() {
            word if WORDS.contains(&word) => {}
            "$ref" => {
                let (file, pointer) = rule.as_str().unwrap().split_once('#').unwrap();
                let other = if file.is_empty() {
                    root.clone()
                } else {
                    read(file)
                };
                validate(&other, other.pointer(pointer).unwrap(), value, at);
            }
            "type" => {
                let kind = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                let takes = rule.as_str() == Some(kind)
                    || rule
                        .as_array()
                        .is_some_and(|kinds| kinds.contains(&kind.into()));
                assert!(takes, "{at} is {kind} and should be {rule}");
            }
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at} is {value}"),
            // The one pattern of the schemas: a version.
            "pattern" => {
                assert_eq!(rule, r"^[0-9]+\.[0-9]+$");
                let parts: Vec<&str> = value.as_str().unwrap().split('.').collect();
                let is_number = |part: &&str| part.parse::<u32>().is_ok();
                assert!(
                    parts.len() == 2 && parts.iter().all(is_number),
                    "{at} is {value}"
                );
            }
            "properties" => {
                for (name, schema) in members(&rule) {
                    if let Some(value) = value.get(&name) {
                        validate(root, &schema, value, &format!("{at}/{name}"));
                    }
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    assert!(
                        value.get(name.as_str().unwrap()).is_some(),
                        "{at} has no {name}"
                    );
                }
            }
            "additionalProperties" => {
                for (name, value) in members(value) {
                    let is_known = schema["properties"].get(&name).is_some();
                    match &rule {
                        Value::Bool(false) => assert!(is_known, "{at} has {name}"),
                        rule if !is_known => validate(root, rule, &value, &format!("{at}/{name}")),
                        _ => {}
                    }
                }
            }
            "items" => {
                for (place, value) in value.as_array().into_iter().flatten().enumerate() {
                    validate(root, &rule, value, &format!("{at}/{place}"));
                }
            }
            "minItems" | "maxItems" => {
                let count = value.as_array().unwrap().len() as u64;
                let limit = rule.as_u64().unwrap();
                let fits = if keyword == "minItems" {
                    count >= limit
                } else {
                    count <= limit
                };
                assert!(fits, "{at} has {count} items");
            }
            "minimum" => assert!(value.as_i64() >= rule.as_i64(), "{at} is {value}"),
            "maximum" => assert!(value.as_i64() <= rule.as_i64(), "{at} is {value}"),
            other => panic!("{at}: the schema says {other}, which nobody checks"),
        }
    }
}
