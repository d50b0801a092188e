// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every document has: known fields, the rest in `extra`, and the spelling of its keys.
//!
//! HNS compares keys without case (`DNS`, `Dns`), so a known key is found in any case and written back as it was spelled.

use serde_json::{Map, Value};

/// A JSON object with known fields that keeps everything it does not know.
pub trait Document: Sized + Clone + Default {
    /// Canonical spelling of the known keys.
    const KEYS: &'static [&'static str];

    /// Reads an object; never fails and never drops a member.
    fn from_map(map: &Map<String, Value>) -> Self;
    /// Writes known fields in their canonical order, then the others.
    fn to_map(&self) -> Map<String, Value>;
    /// JSON pointers and values of the members that are present and not readable, also inside nested documents.
    ///
    /// A pointer spells keys as the document does, so that it leads there.
    fn odd_fields(&self) -> Vec<(String, &Value)>;

    /// Parses text.
    ///
    /// # Errors
    /// Where the text is not JSON, or is JSON but not an object.
    fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self::from_map(&serde_json::from_str(text)?))
    }

    /// Reads a value; `None` where it is not an object.
    fn from_value(value: &Value) -> Option<Self> {
        value.as_object().map(Self::from_map)
    }

    /// Writes the document as a value.
    fn to_value(&self) -> Value {
        Value::Object(self.to_map())
    }

    /// Writes the document as compact text.
    fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}

/// Declares a document: `field: Type = "Key"`, or `= exact "Key"` for a key that is not matched without case.
///
/// Doc comments go through. Each struct has `extra` with the members that have no field.
macro_rules! document {
    ($(#[$meta:meta])* pub struct $name:ident { $( $(#[$field_meta:meta])* $field:ident : $type:ty = $($exact:ident)? $key:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $( $(#[$field_meta])* #[doc = concat!("\n\nKey `", $key, "`.")] pub $field: $crate::field::Field<$type>, )*
            /// Members without a field here, as they came.
            pub extra: serde_json::Map<String, serde_json::Value>,
            /// How known keys were spelled. Public so that `..Default::default()` works, opaque all the same.
            pub spelling: $crate::document::Spelling,
        }

        impl $crate::document::Document for $name {
            const KEYS: &'static [&'static str] = &[$($key),*];

            fn from_map(map: &serde_json::Map<String, serde_json::Value>) -> Self {
                let mut document = Self::default();
                for (key, value) in map {
                    $(
                        if document.$field.is_absent() && $crate::document::same_key(key, $key, document!(@exact $($exact)?)) {
                            document.$field = $crate::field::Field::read(value);
                            if key != $key {
                                document.spelling.0.push(($key, key.clone()));
                            }
                            continue;
                        }
                    )*
                    document.extra.insert(key.clone(), value.clone());
                }
                document
            }

            fn to_map(&self) -> serde_json::Map<String, serde_json::Value> {
                let mut map = serde_json::Map::new();
                $(
                    if let Some(value) = self.$field.write() {
                        map.insert(self.spelled($key).to_owned(), value);
                    }
                )*
                for (key, value) in &self.extra {
                    // A second spelling of a known key must not win over the field once keys are canonical.
                    map.entry(key.clone()).or_insert_with(|| value.clone());
                }
                map
            }

            fn odd_fields(&self) -> Vec<(String, &serde_json::Value)> {
                #[allow(unused_mut, reason = "a document without fields pushes nothing")]
                let mut found = Vec::new();
                $( self.$field.odd_fields(format!("/{}", self.spelled($key)), &mut found); )*
                found
            }
        }

        /// Equal when they would be written alike; the order of members means nothing.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::document::Document::to_map(self) == $crate::document::Document::to_map(other)
            }
        }

        impl $name {
            /// How the document spells a known key.
            #[allow(dead_code, reason = "a document without fields has no key to ask for")]
            pub(crate) fn spelled(&self, known: &'static str) -> &str {
                self.spelling.0.iter().find(|(key, _)| *key == known).map_or(known, |(_, spelled)| spelled)
            }

            /// Forgets how keys were spelled and uses the canonical spelling from here on, in this document (not in nested ones).
            pub fn canonical_keys(&mut self) {
                self.spelling = $crate::document::Spelling::default();
            }
        }

        impl $crate::field::Shape for $name {
            const LOSSLESS: bool = true;
            fn read(value: &serde_json::Value) -> Option<Self> {
                $crate::document::Document::from_value(value)
            }
            fn write(&self) -> serde_json::Value {
                $crate::document::Document::to_value(self)
            }
            fn odd_fields<'a>(&'a self, at: &str, found: &mut Vec<(String, &'a serde_json::Value)>) {
                for (pointer, value) in $crate::document::Document::odd_fields(self) {
                    found.push((format!("{at}{pointer}"), value));
                }
            }
        }
    };
    (@exact exact) => { true };
    (@exact) => { false };
}
pub(crate) use document;

/// Known keys that a document spelled otherwise: canonical form and the spelling read.
#[derive(Clone, Debug, Default)]
pub struct Spelling(pub(crate) Vec<(&'static str, String)>);

/// Whether a key of a document is the known key.
pub(crate) fn same_key(key: &str, known: &str, exact: bool) -> bool {
    if exact {
        key == known
    } else {
        key.eq_ignore_ascii_case(known)
    }
}

document! {
    /// `SchemaVersion` of a v2 document or query.
    pub struct SchemaVersion {
        /// 1 for the HNS shapes, 2 for the HCN ones.
        major: u32 = "Major",
        /// Not checked strictly by HNS.
        minor: u32 = "Minor",
    }
}

impl SchemaVersion {
    /// A version by its two numbers.
    pub fn new(major: u32, minor: u32) -> Self {
        SchemaVersion {
            major: major.into(),
            minor: minor.into(),
            ..Self::default()
        }
    }
}

document! {
    /// The members that every v2 object may carry, for code that treats the kinds alike.
    pub struct Base {
        /// The object's id.
        id: crate::Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The object's name; need not be unique.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made the object.
        version: u64 = "Version",
        /// Which API shape the document has.
        schema_version: SchemaVersion = "SchemaVersion",
        /// Flags of the kind.
        flags: u32 = "Flags",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_found_in_any_case_and_written_as_spelled() {
        let text = json!({"id": "x", "NAME": "nat", "Mystery": [1]});
        let base = Base::from_value(&text).unwrap();
        assert_eq!(base.name.get().map(String::as_str), Some("nat"));
        assert_eq!(base.to_value(), text);
    }

    #[test]
    fn a_second_spelling_of_a_key_is_not_lost() {
        let text = json!({"Name": "a", "name": "b"});
        let base = Base::from_value(&text).unwrap();
        assert_eq!(base.name.get().map(String::as_str), Some("a"));
        assert_eq!(base.to_value(), text);
    }

    #[test]
    fn odd_members_are_told_with_their_place() {
        let base =
            Base::from_value(&json!({"SchemaVersion": {"Major": "two"}, "Flags": null})).unwrap();
        assert_eq!(
            base.odd_fields(),
            [("/SchemaVersion/Major".to_owned(), &json!("two"))]
        );
    }
}
