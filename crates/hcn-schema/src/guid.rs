// SPDX-License-Identifier: MIT OR Apache-2.0
//! GUIDs, and ids as clients write them.
//!
//! HNS prints GUIDs in both cases (hns-behaviour 2.1), so comparing is done on the number and the text form is the writer's choice.

use std::{fmt, str::FromStr};

use serde_json::Value;

use crate::field::Shape;

/// A 128-bit id; `Display` gives the 36-character lower-case form without braces.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub u128);

impl Guid {
    /// The all-zero id, by which Go clients say "choose one".
    pub const ZERO: Guid = Guid(0);

    /// Whether this is [`Guid::ZERO`].
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The upper-case form of v2 answers.
    pub fn upper(self) -> String {
        self.to_string().to_ascii_uppercase()
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (n >> 96) as u32,
            (n >> 80) as u16,
            (n >> 64) as u16,
            (n >> 48) as u16,
            n & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAGuid;

impl fmt::Display for NotAGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a GUID of the form 00000000-0000-0000-0000-000000000000")
    }
}

impl std::error::Error for NotAGuid {}

impl FromStr for Guid {
    type Err = NotAGuid;

    /// Takes any case, with or without one pair of braces.
    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let text = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .unwrap_or(text);
        if text.len() != 36 {
            return Err(NotAGuid);
        }
        let mut number = 0u128;
        for (index, byte) in text.bytes().enumerate() {
            if matches!(index, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(NotAGuid);
                }
            } else {
                let digit = (byte as char).to_digit(16).ok_or(NotAGuid)?;
                number = number << 4 | u128::from(digit);
            }
        }
        Ok(Guid(number))
    }
}

/// An id as a document writes it: text, in any case, perhaps empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Id(pub String);

impl Id {
    /// The GUID that the text names; `None` for an empty text or one that is no GUID.
    pub fn guid(&self) -> Option<Guid> {
        self.0.parse().ok()
    }
}

impl From<Guid> for Id {
    /// The upper-case form, as v2 answers have it.
    fn from(guid: Guid) -> Self {
        Id(guid.upper())
    }
}

impl Shape for Id {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(|text| Id(text.to_owned()))
    }
    fn write(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_braces_name_the_same_id() {
        let lower: Guid = "edffc876-3051-46ec-80b3-820dda20aa14".parse().unwrap();
        assert_eq!("{EDFFC876-3051-46EC-80B3-820DDA20AA14}".parse(), Ok(lower));
        assert_eq!(lower.to_string(), "edffc876-3051-46ec-80b3-820dda20aa14");
        assert_eq!(lower.upper(), "EDFFC876-3051-46EC-80B3-820DDA20AA14");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "nat",
            "edffc876-3051-46ec-80b3-820dda20aa1",
            "edffc8763-051-46ec-80b3-820dda20aa14",
            "ggffc876-3051-46ec-80b3-820dda20aa14",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
    }
}
