// SPDX-License-Identifier: MIT OR Apache-2.0
//! One value of a Format-List: `@{…}` and `{…}` taken apart again, scalars given their type back.
//!
//! The text is not quoted, so a value that holds `; ` and a name with `=` cannot be told from two members; everything else can.

use serde_json::{Map, Number, Value};

/// What PowerShell puts after the fourth item of a list that is longer.
pub const CUT: &str = "...";

/// Depth to which braces are taken apart; Format-List itself does not go deeper than two.
const DEEPEST: usize = 16;

/// Whether the value is what PowerShell prints in place of a list that it does not go into.
pub fn is_hidden(value: &Value) -> bool {
    matches!(
        value.as_str(),
        // The second under PowerShell 7, where the HNS module runs in a compatibility session.
        Some("System.Object[]" | "System.Collections.ArrayList")
    )
}

/// Reads a value.
pub(super) fn read(text: &str) -> Value {
    value(text.trim(), 0)
}

fn value(text: &str, depth: usize) -> Value {
    if depth < DEEPEST {
        if let Some(inner) = text
            .strip_prefix("@{")
            .and_then(|text| text.strip_suffix('}'))
            && let Some(members) = members(inner, depth)
        {
            return Value::Object(members);
        }
        if let Some(inner) = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            return Value::Array(items(inner, depth));
        }
    }
    scalar(text)
}

/// The members between the braces of an object; `None` where they are none.
fn members(inner: &str, depth: usize) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    let mut pending: Option<(String, String)> = None;
    for part in split(inner, "; ") {
        match (name_of(part), &mut pending) {
            (Some((name, text)), pending) => {
                if let Some((name, text)) = pending.replace((name.to_owned(), text.to_owned())) {
                    members.insert(name, value(text.trim(), depth + 1));
                }
            }
            // Part of a value that holds a semicolon.
            (None, Some((_, text))) => {
                text.push_str("; ");
                text.push_str(part);
            }
            (None, None) if inner.trim().is_empty() => {}
            (None, None) => return None,
        }
    }
    if let Some((name, text)) = pending {
        members.insert(name, value(text.trim(), depth + 1));
    }
    Some(members)
}

/// Takes `Name=text` apart; `None` where what stands before `=` is no name.
fn name_of(part: &str) -> Option<(&str, &str)> {
    let (name, text) = part.trim_start().split_once('=')?;
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
    is_name.then_some((name, text))
}

/// The items between the braces of a list; one that was cut keeps [`CUT`] as its last item.
fn items(inner: &str, depth: usize) -> Vec<Value> {
    if inner.trim().is_empty() {
        return Vec::new();
    }
    let mut items = Vec::new();
    for part in split(inner, ", ") {
        let part = part.trim();
        match part.strip_suffix(CUT) {
            // `{a, b, c, d...}`: the mark has no comma before it.
            Some(last) if !last.is_empty() => {
                items.push(value(last.trim_end(), depth + 1));
                items.push(Value::String(CUT.to_owned()));
            }
            _ => items.push(value(part, depth + 1)),
        }
    }
    items
}

/// Splits at a separator that stands outside all braces.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    let mut skip = 0;
    for (at, character) in text.char_indices() {
        if at < skip {
            continue;
        }
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
                skip = start;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A text, or the boolean or whole number that it looks like, or null where it is empty.
fn scalar(text: &str) -> Value {
    match text {
        "" => Value::Null,
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        digits => match whole_number(digits) {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    }
}

/// A number that is printed exactly as the text stands: no sign but minus, no zeros before it, within 64 bits.
fn whole_number(text: &str) -> Option<Number> {
    if let Ok(number) = text.parse::<u64>()
        && number.to_string() == text
    {
        return Some(number.into());
    }
    let number = text.parse::<i64>().ok()?;
    (number.to_string() == text).then(|| number.into())
}
