// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words and bit masks: values that HNS takes as a text or as a number.
//!
//! Numbers and names are those of hns-behaviour 2.1 to 2.13; a word that is not listed makes its field odd, and stays.

/// Declares an enumeration that is read from a name (without case) or a number and written as the name.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$item_meta:meta])* $item:ident = $number:literal $text:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( $(#[$item_meta])* #[doc = concat!("\n\nWritten `", $text, "`.")] $item = $number, )* }

        impl $name {
            /// Every word, in the order of its number.
            pub const ALL: &'static [$name] = &[$($name::$item),*];

            /// The canonical text.
            pub fn text(self) -> &'static str {
                match self { $( $name::$item => $text, )* }
            }

            /// The number that HNS takes for the word.
            pub fn number(self) -> u32 {
                self as u32
            }

            /// The word with this name, compared without case.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.text().eq_ignore_ascii_case(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.text())
            }
        }

        impl $crate::field::Shape for $name {
            fn read(value: &serde_json::Value) -> Option<Self> {
                match value {
                    serde_json::Value::String(text) => Self::from_text(text),
                    serde_json::Value::Number(number) => {
                        let number = number.as_u64()?;
                        Self::ALL.iter().copied().find(|word| u64::from(word.number()) == number)
                    }
                    _ => None,
                }
            }
            fn write(&self) -> serde_json::Value {
                serde_json::Value::from(self.text())
            }
        }
    };
}
pub(crate) use words;

/// Declares a bit mask that is read from a number or from names joined by commas, and written as the number.
macro_rules! flags {
    ($(#[$meta:meta])* pub struct $name:ident { $( $(#[$item_meta:meta])* $item:ident = $bit:literal $text:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $( $(#[$item_meta])* pub const $item: $name = $name($bit); )*

            /// Whether all bits of `other` are set.
            pub fn contains(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// The names of the bits that are set and known.
            pub fn names(self) -> Vec<&'static str> {
                [$(($bit, $text)),*].into_iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, text)| text).collect()
            }
        }

        impl std::ops::BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl $crate::field::Shape for $name {
            fn read(value: &serde_json::Value) -> Option<Self> {
                let serde_json::Value::String(text) = value else {
                    return <u32 as $crate::field::Shape>::read(value).map($name);
                };
                if let Ok(number) = text.trim().parse() {
                    return Some($name(number));
                }
                let mut bits = 0;
                for word in text.split(',') {
                    let word = word.trim();
                    bits |= [("None", 0u32), $(($text, $bit)),*].into_iter().find(|(text, _)| text.eq_ignore_ascii_case(word))?.1;
                }
                Some($name(bits))
            }
            fn write(&self) -> serde_json::Value {
                serde_json::Value::from(self.0)
            }
        }
    };
}
pub(crate) use flags;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        field::{Field, Shape},
        network::{NetworkFlags, NetworkType},
    };

    #[test]
    fn a_word_is_read_from_its_name_in_any_case_and_from_its_number() {
        assert_eq!(
            NetworkType::read(&json!("l2bridge")),
            Some(NetworkType::L2Bridge)
        );
        assert_eq!(NetworkType::read(&json!(0)), Some(NetworkType::Nat));
        assert_eq!(
            Field::<NetworkType>::read(&json!("l2bridge")).write(),
            Some(json!("l2bridge"))
        );
    }

    #[test]
    fn an_unknown_word_is_kept() {
        let field = Field::<NetworkType>::read(&json!("Quantum"));
        assert_eq!(field.odd(), Some(&json!("Quantum")));
        assert_eq!(field.write(), Some(json!("Quantum")));
    }

    #[test]
    fn masks_take_numbers_and_names() {
        assert_eq!(
            NetworkFlags::read(&json!("EnableDns, enabledhcp")),
            Some(NetworkFlags(3))
        );
        assert_eq!(
            NetworkFlags::read(&json!("8")),
            Some(NetworkFlags::ENABLE_NON_PERSISTENT)
        );
        assert_eq!(NetworkFlags::read(&json!("Nonsense")), None);
    }
}
