// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents as text: one module a form.
//!
//! Apart from the commands because every form is a pure function of documents. Text from a document reaches a terminal only through
//! [`shown`] (in `list`, `table`, `describe`, `rule`) or escaped by the format itself (`json`, `yaml`).

pub mod describe;
pub mod flows;
pub mod json;
pub mod lint;
pub mod list;
pub mod name;
pub mod reach;
pub mod rule;
pub mod table;
pub mod why;
pub mod word;
pub mod yaml;

use std::{borrow::Cow, fmt::Display};

use hcn_schema::{Field, Shape};
use serde_json::Value;

/// The text with its control characters written as escapes.
///
/// A name is what its author made of it: one with a line break would forge a row, one with an escape sequence would drive the
/// reader's terminal.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_treacherous) {
        let mut safe = String::with_capacity(text.len() + 8);
        for character in text.chars() {
            if is_treacherous(character) {
                safe.extend(character.escape_default());
            } else {
                safe.push(character);
            }
        }
        Cow::Owned(safe)
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and marks that turn the direction of writing and so let a line read otherwise than it is.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A member as text: the readable value, else the JSON that came, else nothing.
pub(crate) fn field_text<T: Shape + Display>(field: &Field<T>) -> String {
    match (field.get(), field.odd()) {
        (Some(value), _) => shown(&value.to_string()).into_owned(),
        (None, Some(odd)) => shown(&plain(odd)).into_owned(),
        (None, None) => String::new(),
    }
}

/// A value as text: a string as it is, anything else as compact JSON; null as nothing.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first eight characters of an id, enough to name an object of one host.
pub fn short_id(id: &str) -> String {
    shown(id.trim_start_matches('{')).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown("web\u{1b}[2J\n\u{9b}x"), r"web\u{1b}[2J\n\u{9b}x");
        assert!(matches!(shown("größe 1"), Cow::Borrowed("größe 1")));
    }

    #[test]
    fn ids_are_shortened_in_either_form() {
        assert_eq!(
            short_id("{EDFFC876-3051-46EC-80B3-820DDA20AA14}"),
            "EDFFC876"
        );
        assert_eq!(short_id("ab"), "ab");
    }
}
