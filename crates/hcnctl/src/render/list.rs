// SPDX-License-Identifier: MIT OR Apache-2.0
//! `-o list`: what PowerShell's Format-List prints for an HNS v1 object.
//!
//! Apart because the layout is PowerShell's, not ours. Layout and wrapping were worked out from recorded listings (the walk-through's
//! and others at 120 to 200 columns), which this module repeats to the character. Invariant: every member of the object is printed.
//!
//! DIFFERS: a list is not cut after four items with `...`, because the fifth ACL is the one that somebody is looking for.
//! DIFFERS: a word longer than the line is not broken, so that an id can be copied whole.
//! DIFFERS: control characters are escaped; blanks at line ends and after the last object are left out.

use serde_json::{Map, Value};

use super::shown;

/// The listing of objects, with the two empty lines that Windows PowerShell begins with and one between objects; `""` for no object.
///
/// `width` is that of the terminal; `None` does not wrap. An item that is no object is printed on a line of its own.
pub fn list(values: &[Value], width: Option<usize>) -> String {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        text.push_str(if index == 0 { "\n\n" } else { "\n" });
        match value {
            Value::Object(members) => object(&mut text, members, width),
            other => {
                text.push_str(&member_text(other));
                text.push('\n');
            }
        }
    }
    text
}

/// Prints one object: a line a member, names padded to the longest of this object.
fn object(text: &mut String, members: &Map<String, Value>, width: Option<usize>) {
    let names: Vec<_> = members.keys().map(|name| shown(name)).collect();
    let longest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let indent = longest + " : ".len();
    // PowerShell leaves the console's last column empty.
    let column = width.map(|width| {
        width
            .saturating_sub(1)
            .saturating_sub(indent)
            .max(NARROWEST)
    });
    for (name, value) in names.iter().zip(members.values()) {
        text.push_str(name);
        blanks(text, longest - name.chars().count());
        text.push_str(" :");
        let value = member_text(value);
        if !value.is_empty() {
            text.push(' ');
            wrap(text, &value, indent, column);
        }
        text.push('\n');
    }
}

/// Columns that a value gets however narrow the terminal is.
const NARROWEST: usize = 20;

/// Puts words on lines. A word counts with the blank after it, as PowerShell has it, so a word that fits to the very last column but
/// is followed by a blank goes to the next line.
fn wrap(text: &mut String, value: &str, indent: usize, column: Option<usize>) {
    let Some(column) = column else {
        text.push_str(value);
        return;
    };
    let mut used = 0;
    let mut pieces = value.split(' ').peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        let width = piece.chars().count() + usize::from(!last);
        if used > 0 && used + width > column {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            blanks(text, indent);
            used = 0;
        }
        text.push_str(piece);
        if !last {
            text.push(' ');
        }
        used += width;
    }
    text.truncate(text.trim_end_matches(' ').len());
}

fn blanks(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n(' ', count));
}

/// A member's value as Format-List prints it.
fn member_text(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(item_text).collect();
            format!("{{{}}}", items.join(", "))
        }
        other => item_text(other),
    }
}

/// An item of a list, or a member that is no list.
fn item_text(value: &Value) -> String {
    match value {
        // ConvertFrom-Json makes an object without properties of `{}`, which prints as nothing.
        Value::Object(members) if members.is_empty() => String::new(),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}={}", shown(name), inner_text(value)))
                .collect();
            format!("@{{{}}}", members.join("; "))
        }
        other => inner_text(other),
    }
}

/// A value inside an object: what is nested deeper is only hinted at.
fn inner_text(value: &Value) -> String {
    match value {
        Value::Null | Value::Object(_) => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => shown(text).into_owned(),
        Value::Array(_) => ARRAY.to_owned(),
    }
}

/// How PowerShell prints an array where it does not go into it.
pub const ARRAY: &str = "System.Object[]";

#[cfg(test)]
mod tests;
