// SPDX-License-Identifier: MIT OR Apache-2.0
//! A listing of HNS objects read from whatever text somebody kept: JSON in any arrangement, or what PowerShell printed.
//!
//! Apart because it reads what others wrote, and guesses where the text leaves no choice; nothing else in the tool may guess. Invariant:
//! no text makes it panic, and what it cannot take apart stays as text.

mod format_list;
mod json;
mod kind;
mod structure;

pub use kind::Kind;
pub use structure::{CUT, is_hidden};

use hcn_schema::Guid;
use serde_json::Value;

/// One object of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What it is, as far as its members tell.
    pub kind: Kind,
    /// What it is matched by: the id in lower case, or kind and name, or kind and place in the listing.
    pub identity: String,
    /// Where it was read from.
    pub source: Source,
    /// The object.
    pub value: Value,
}

/// How much a listing could say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// JSON: all of it.
    Json,
    /// Format-List: lists may be cut, what is nested deep is not shown, and a number looks like a text of digits.
    FormatList,
}

/// Why a text is no listing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// Bytes in no encoding that PowerShell or anybody else writes here.
    #[error("not text: neither UTF-8 nor UTF-16 with a byte order mark")]
    NotText,
    /// It begins like JSON and does not go on like JSON.
    #[error("not valid JSON, in line {line} column {column}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A list holds something that is no object.
    #[error("item {index} of the listing is {found}, not an object")]
    NotAnObject {
        /// Counted from 0.
        index: usize,
        /// What it is, in words.
        found: &'static str,
    },
    /// No line is JSON or `Name : value`.
    #[error("neither JSON nor a PowerShell listing: no line has the form `Name : value`")]
    Neither,
    /// A table of names and ids.
    #[error(
        "a table of hnsdiag, which names objects and says nothing of them; take hnsdiag list all -df, or Get-HnsEndpoint | ConvertTo-Json -Depth 20"
    )]
    Table,
}

/// Reads a listing; a text without content is a listing without objects.
///
/// Takes a JSON object, an array, objects one after the other or one a line, the `Success`/`Output` envelope of HNS, the
/// `value`/`Count` pair of Windows PowerShell, `-o list` of this tool and captures of Format-List.
///
/// # Errors
/// [`ListingError`] where the text is something else.
pub fn read(text: &str) -> Result<Vec<Listed>, ListingError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body = format_list::without_prompts(text);
    let (source, values) = match body.trim_start().chars().next() {
        None => (Source::Json, Vec::new()),
        Some('{' | '[') => (Source::Json, json::read(body)?),
        Some(_) => (Source::FormatList, format_list::read(text)?),
    };
    Ok(values
        .into_iter()
        .enumerate()
        .map(|(index, value)| listed(index, source, value))
        .collect())
}

/// Lists objects that are at hand, e.g. those that the service just told.
pub fn of_values(values: impl IntoIterator<Item = Value>) -> Vec<Listed> {
    values
        .into_iter()
        .enumerate()
        .map(|(index, value)| listed(index, Source::Json, value))
        .collect()
}

/// The text of a file: UTF-8, or the UTF-16 that Windows PowerShell's `>` writes.
///
/// # Errors
/// [`ListingError::NotText`] where it is neither.
pub fn decode(bytes: &[u8]) -> Result<String, ListingError> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks(2)
            .map(|pair| <[u8; 2]>::try_from(pair).map(unit))
            .collect::<Result<_, _>>()
            .ok()?;
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
    .ok_or(ListingError::NotText)
}

/// A member of an object, by its name in any case.
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| {
        members
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

impl Listed {
    /// The object's id as it is written, if it has one.
    pub fn id(&self) -> Option<&str> {
        member(&self.value, "ID")?
            .as_str()
            .filter(|id| !id.is_empty())
    }

    /// The object's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        member(&self.value, "Name")?
            .as_str()
            .filter(|name| !name.is_empty())
    }
}

fn listed(index: usize, source: Source, value: Value) -> Listed {
    let mut listed = Listed {
        kind: Kind::of(&value),
        identity: String::new(),
        source,
        value,
    };
    listed.identity = match (listed.id(), listed.name()) {
        (Some(id), _) => match id.parse::<Guid>() {
            Ok(guid) => guid.to_string(),
            Err(_) => id.to_lowercase(),
        },
        (None, Some(name)) => format!("{} {name}", listed.kind),
        (None, None) => format!("{} #{index}", listed.kind),
    };
    listed
}

#[cfg(test)]
mod tests;
