// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking a client's document: JSON or not, which shape, and which members cannot be read.

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_schema::{Document, Guid, Id, document::SchemaVersion};
use serde_json::{Map, Value};

/// Parses a document.
///
/// # Errors
/// `HCN_E_INVALID_JSON` where the text is not a JSON object.
pub(crate) fn object(text: &str) -> Answer<Map<String, Value>> {
    if text.trim().is_empty() {
        return Err(HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            "the document is empty; a JSON object is needed",
        ));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the document is {}; a JSON object is needed", shape(&other)),
        )),
        Err(error) => Err(HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the document is not JSON: {error}"),
        )),
    }
}

/// Whether a document is of the v2 API: `SchemaVersion.Major` is 2 (hns-behaviour 2.1).
pub(crate) fn is_v2(map: &Map<String, Value>) -> bool {
    map.iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("SchemaVersion"))
        .and_then(|(_, value)| SchemaVersion::from_value(value))
        .and_then(|version| version.major.get().copied())
        .is_some_and(|major| major >= 2)
}

/// Refuses a document with a member that cannot be read.
///
/// # Errors
/// The code, at the member; a word that names a type gets `type_code`.
pub(crate) fn refuse_odd(document: &impl Document, code: HcnCode) -> Answer<()> {
    match document.odd_fields().first() {
        None => Ok(()),
        Some((pointer, value)) => Err(HnsError::at(
            code,
            pointer,
            format!("{} cannot be read here", cut(&value.to_string())),
        )),
    }
}

/// The id that an object gets: the caller's, else the document's, else a new one (hns-behaviour 1.3).
///
/// # Errors
/// `HCN_E_GUID_CONVERSION_FAILURE` where the document's is not a GUID.
pub(crate) fn chosen_id(
    caller: Guid,
    document: Option<&Id>,
    new: impl FnOnce() -> Guid,
) -> Answer<Guid> {
    if !caller.is_zero() {
        return Ok(caller);
    }
    match document {
        Some(id) if !id.0.is_empty() => {
            let guid = guid(id, "/ID")?;
            Ok(if guid.is_zero() { new() } else { guid })
        }
        _ => Ok(new()),
    }
}

/// An id in a document as a GUID.
///
/// # Errors
/// `HCN_E_GUID_CONVERSION_FAILURE`.
pub(crate) fn guid(id: &Id, field: &str) -> Answer<Guid> {
    id.guid().ok_or_else(|| {
        HnsError::at(
            HcnCode::HCN_E_GUID_CONVERSION_FAILURE,
            field,
            format!(
                "{:?} is not a GUID of the form 00000000-0000-0000-0000-000000000000",
                cut(&id.0)
            ),
        )
    })
}

/// Refuses a name that is too long.
///
/// # Errors
/// The code, at `/Name`.
pub(crate) fn refuse_long_name(name: &str, limit: usize, code: HcnCode) -> Answer<()> {
    let length = name.encode_utf16().count();
    if length <= limit {
        return Ok(());
    }
    Err(HnsError::at(
        code,
        "/Name",
        format!("the name has {length} characters; at most {limit} are allowed"),
    ))
}

/// The value of a key, found without case.
pub(crate) fn member<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).or_else(|| {
        map.iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    })
}

/// A value short enough for a message.
pub(crate) fn cut(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
