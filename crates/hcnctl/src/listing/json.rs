// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listings in JSON: an object, an array, several of them after each other, and the envelopes round them.

use serde_json::Value;

use super::{ListingError, member};

/// Reads all objects of the text.
pub(super) fn read(text: &str) -> Result<Vec<Value>, ListingError> {
    let mut objects = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|source| ListingError::Json {
            line: source.line(),
            column: source.column(),
            source,
        })?;
        add(value, &mut objects, true)?;
    }
    Ok(objects)
}

/// Adds an object, or those of a list; `outer` is false inside a list, where there are no envelopes.
fn add(value: Value, objects: &mut Vec<Value>, outer: bool) -> Result<(), ListingError> {
    match value {
        Value::Array(items) if outer => {
            for item in items {
                add(item, objects, false)?;
            }
        }
        Value::Object(mut members) if outer => {
            let value = Value::Object(members.clone());
            let has = |name| member(&value, name).is_some();
            let inner = if has("Success") && has("Output") {
                "Output"
            } else if has("value") && has("Count") && members.len() == 2 {
                "value"
            } else {
                objects.push(value);
                return Ok(());
            };
            let inner = members
                .iter_mut()
                .find(|(name, _)| name.eq_ignore_ascii_case(inner))
                .map(|(_, value)| value.take())
                .unwrap_or_default();
            match inner {
                Value::Array(items) => {
                    for item in items {
                        add(item, objects, false)?;
                    }
                }
                other => add(other, objects, false)?,
            }
        }
        object @ Value::Object(_) => objects.push(object),
        other => {
            return Err(ListingError::NotAnObject {
                index: objects.len(),
                found: match other {
                    Value::Null => "null",
                    Value::Bool(_) => "a boolean",
                    Value::Number(_) => "a number",
                    Value::String(_) => "a text",
                    Value::Array(_) | Value::Object(_) => "a list",
                },
            });
        }
    }
    Ok(())
}
