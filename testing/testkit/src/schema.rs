// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much of JSON Schema 2020-12 as the published schemas use.
//!
//! Apart because every command that prints JSON has a schema, and its tests ask the same question. A keyword, a type or a pattern that is not known
//! here ends the test, so that no schema is checked by half.

use std::fs;

use serde_json::Value;

/// A schema document.
pub struct Schema(Value);

impl Schema {
    /// A schema that is at hand.
    pub fn new(document: Value) -> Schema {
        Schema(document)
    }

    /// The published schema of this name: `docs/schema/NAME`.
    ///
    /// # Panics
    /// Where there is none, or it is no JSON.
    pub fn published(name: &str) -> Schema {
        let path = crate::repository().join("docs/schema").join(name);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document = serde_json::from_str(&text);
        Schema(document.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The document itself.
    pub fn document(&self) -> &Value {
        &self.0
    }

    /// What of a value is not as the schema says, each with its place.
    pub fn faults(&self, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&self.0, value, "", &mut found);
        found
    }

    /// Whether a value is as the schema says.
    pub fn fits(&self, value: &Value) -> bool {
        self.faults(value).is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        if schema == &Value::Bool(false) {
            found.push(format!("{at}: it may not be there"));
            return;
        }
        let keywords = schema.as_object().expect("a schema is an object");
        for (keyword, said) in keywords {
            let number = || said.as_u64().expect("the limit is a number");
            let several = || said.as_array().expect("the argument is a list");
            let is_met = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    let (file, pointer) = said
                        .as_str()
                        .and_then(|text| text.split_once('#'))
                        .expect("a reference has a #");
                    let other;
                    let root = match file {
                        "" => self,
                        file => {
                            other = Schema::published(file);
                            &other
                        }
                    };
                    let target = root.0.pointer(pointer);
                    root.check(
                        target.expect("a reference leads somewhere"),
                        value,
                        at,
                        found,
                    );
                    true
                }
                "type" => match said {
                    Value::Array(names) => names.iter().any(|name| is_a(value, name)),
                    name => is_a(value, name),
                },
                "enum" => several().contains(value),
                "const" => said == value,
                "anyOf" => self.fitting(several(), value) > 0,
                "oneOf" => self.fitting(several(), value) == 1,
                "properties" => {
                    for (key, member) in value.as_object().into_iter().flatten() {
                        if let Some(own) = said.get(key) {
                            self.check(own, member, &format!("{at}/{key}"), found);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = schema.get("properties");
                    let is_known = |key: &str| known.is_some_and(|known| known.get(key).is_some());
                    let mut members = value.as_object().into_iter().flatten();
                    match said {
                        Value::Bool(may) => *may || members.all(|(key, _)| is_known(key)),
                        own => {
                            for (key, member) in members.filter(|(key, _)| !is_known(key)) {
                                self.check(own, member, &format!("{at}/{key}"), found);
                            }
                            true
                        }
                    }
                }
                "required" => {
                    let keys = several()
                        .iter()
                        .map(|key| key.as_str().expect("a key is a text"));
                    let mut missing = keys.filter(|key| value.get(key).is_none());
                    !value.is_object() || missing.next().is_none()
                }
                "items" => {
                    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(said, item, &format!("{at}/{place}"), found);
                    }
                    true
                }
                "minItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 >= number()),
                "maxItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 <= number()),
                "minProperties" => value
                    .as_object()
                    .is_none_or(|own| own.len() as u64 >= number()),
                "minLength" => value
                    .as_str()
                    .is_none_or(|text| text.chars().count() as u64 >= number()),
                "maxLength" => value
                    .as_str()
                    .is_none_or(|text| text.chars().count() as u64 <= number()),
                "minimum" => !value.is_number() || value.as_f64() >= said.as_f64(),
                "maximum" => !value.is_number() || value.as_f64() <= said.as_f64(),
                "pattern" => value.as_str().is_none_or(|text| is_of(said, text)),
                other => panic!("{at}: the keyword {other} is not known here"),
            };
            if !is_met {
                found.push(format!("{at}: {value} is not as {keyword} {said} says"));
            }
        }
    }

    fn fitting(&self, schemas: &[Value], value: &Value) -> usize {
        let fits = |one: &&Value| {
            let mut inside = Vec::new();
            self.check(one, value, "", &mut inside);
            inside.is_empty()
        };
        schemas.iter().filter(fits).count()
    }
}

fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => panic!("the type {name} is not known here"),
    }
}

/// Protocols with ports, or ports of one: what the schema of policies says of `ports`.
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

/// The patterns of the schemas: a version of HNS with the switches that are set, the name of a policy, and traffic.
fn is_of(pattern: &Value, text: &str) -> bool {
    match pattern.as_str() {
        Some(r"^[0-9]+\.[0-9]+(,[a-z-]+=[a-z0-9-]+)*$") => {
            let is_all =
                |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
            let is_number = |text: &str| is_all(text, |byte| byte.is_ascii_digit());
            let is_name =
                |text: &str| is_all(text, |byte| byte.is_ascii_lowercase() || byte == b'-');
            let is_value = |text: &str| {
                is_all(
                    text,
                    |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'),
                )
            };
            let mut parts = text.split(',');
            let version = parts.next().and_then(|version| version.split_once('.'));
            version.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
                && parts.all(|part| {
                    let switch = part.split_once('=');
                    switch.is_some_and(|(name, value)| is_name(name) && is_value(value))
                })
        }
        Some("^[A-Za-z0-9][A-Za-z0-9._-]*$") => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(fits)
        }
        Some(TRAFFIC) => is_traffic(&text.to_ascii_lowercase()),
        _ => panic!("the pattern {pattern} is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_the_schema_says_is_found() {
        let schema = Schema::new(json!({
            "type": "object", "additionalProperties": false, "required": ["a"],
            "properties": {
                "a": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
                "b": {"type": "array", "maxItems": 2, "minItems": 1, "items": {"enum": ["x", "y"]}},
                "c": {"anyOf": [{"const": 1}, {"$ref": "#/$defs/word"}]},
                "v": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+(,[a-z-]+=[a-z0-9-]+)*$"},
                "d": {"oneOf": [{"type": "string", "minLength": 2}, {"$ref": "#/$defs/word"}]},
            },
            "$defs": {"word": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": 3}},
        }));
        let faults = |value: Value| schema.faults(&value).len();
        assert_eq!(faults(json!({"a": 1, "b": ["x"], "c": "w-b", "d": "w"})), 0);
        for (value, count) in [
            (json!({"a": "1"}), 1),
            (json!({"a": 10}), 1),
            (json!({"a": -1}), 1),
            (json!({"b": ["x", "z"]}), 2),
            (json!({"a": null, "e": 1}), 1),
            (json!({"a": null, "b": []}), 1),
            (json!({"a": null, "b": ["x", "x", "x"]}), 1),
            (json!({"a": null, "c": "-w"}), 1),
            (json!({"a": null, "c": "long"}), 1),
            (json!({"a": null, "v": "15.0"}), 0),
            (
                json!({"a": null, "v": "15.0,tie=first-wins,default-deny=ruled-directions"}),
                0,
            ),
            (json!({"a": null, "v": "15"}), 1),
            (json!({"a": null, "v": "15.0,"}), 1),
            (json!({"a": null, "v": "15.0,tie"}), 1),
            // Both fit.
            (json!({"a": null, "d": "ww"}), 1),
            (json!([]), 1),
        ] {
            assert_eq!(faults(value.clone()), count, "{value}");
        }
    }
}
