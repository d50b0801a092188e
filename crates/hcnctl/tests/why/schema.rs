// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much of JSON Schema 2020-12 as the published schemas use.
//!
//! Apart because it knows nothing of what is described. A keyword that it does not know is a fault, so that no schema is checked by half.

use serde_json::{Map, Value};

/// A schema document.
pub struct Schema(pub Value);

/// Keywords that say nothing about the instance.
const COMMENTS: [&str; 5] = ["$schema", "$id", "title", "description", "$defs"];

impl Schema {
    /// What of a document is not as the schema says.
    pub fn faults(&self, instance: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.0, instance, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, instance: &Value, at: &str, faults: &mut Vec<String>) {
        let Some(keywords) = schema.as_object() else {
            faults.push(format!("{at}: the schema {schema} is no object"));
            return;
        };
        for (keyword, argument) in keywords {
            let is_met = match keyword.as_str() {
                "$ref" => {
                    let target = argument.as_str().and_then(|text| text.strip_prefix('#'));
                    match target.and_then(|pointer| self.0.pointer(pointer)) {
                        Some(target) => self.check(target, instance, at, faults),
                        None => faults.push(format!("{at}: {argument} leads nowhere")),
                    }
                    true
                }
                "type" => match argument {
                    Value::Array(names) => names.iter().any(|name| is_a(instance, name)),
                    name => is_a(instance, name),
                },
                "enum" => argument
                    .as_array()
                    .is_some_and(|all| all.contains(instance)),
                "const" => argument == instance,
                "anyOf" => argument.as_array().is_some_and(|all| {
                    all.iter().any(|one| {
                        let mut own = Vec::new();
                        self.check(one, instance, at, &mut own);
                        own.is_empty()
                    })
                }),
                "items" => {
                    for (place, item) in instance.as_array().into_iter().flatten().enumerate() {
                        self.check(argument, item, &format!("{at}/{place}"), faults);
                    }
                    true
                }
                "required" => argument.as_array().into_iter().flatten().all(|name| {
                    let members = instance.as_object();
                    name.as_str()
                        .is_some_and(|name| members.is_none_or(|own| own.contains_key(name)))
                }),
                "properties" => {
                    for (name, member) in instance.as_object().into_iter().flatten() {
                        if let Some(own) = argument.get(name) {
                            self.check(own, member, &format!("{at}/{name}"), faults);
                        }
                    }
                    true
                }
                "additionalProperties" if *argument == Value::Bool(false) => {
                    has_only_known_members(keywords, instance)
                }
                known if COMMENTS.contains(&known) => true,
                _ => {
                    faults.push(format!("{at}: the keyword {keyword} is not known"));
                    true
                }
            };
            if !is_met {
                faults.push(format!(
                    "{at}: {instance} is not as {keyword} {argument} says"
                ));
            }
        }
    }
}

fn has_only_known_members(keywords: &Map<String, Value>, instance: &Value) -> bool {
    let known = keywords.get("properties");
    let mut members = instance.as_object().into_iter().flatten();
    members.all(|(name, _)| known.is_some_and(|known| known.get(name).is_some()))
}

fn is_a(instance: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => instance.is_object(),
        Some("array") => instance.is_array(),
        Some("string") => instance.is_string(),
        Some("integer") => instance.is_i64() || instance.is_u64(),
        Some("boolean") => instance.is_boolean(),
        Some("null") => instance.is_null(),
        _ => false,
    }
}

#[test]
fn what_is_not_as_the_schema_says_is_found() {
    let schema = Schema(serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {"a": {"type": ["integer", "null"]}, "b": {"type": "array", "items": {"enum": ["x"]}}},
    }));
    let faults = |instance: Value| schema.faults(&instance).len();
    assert_eq!(faults(serde_json::json!({"a": 1, "b": ["x"]})), 0);
    assert_eq!(faults(serde_json::json!({"a": "1"})), 1);
    assert_eq!(faults(serde_json::json!({"b": ["x", "y"]})), 2);
    assert_eq!(faults(serde_json::json!({"a": null, "c": 1})), 1);
    assert_eq!(faults(serde_json::json!([])), 1);
}
