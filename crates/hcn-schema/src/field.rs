// SPDX-License-Identifier: MIT OR Apache-2.0
//! One member of a document: absent, readable, or present in a shape that nobody expected.
//!
//! Kept apart because it carries the crate's promise: whatever was read is written back, to the value.

use serde_json::{Map, Value};

/// A Rust type that can be read out of a JSON value.
///
/// `read` may be lenient (HNS takes the number 6 and the text "6" alike); [`Field`] keeps the original where `write` would differ.
pub trait Shape: Sized {
    /// Reads the value, or gives `None` where the value has another shape.
    fn read(value: &Value) -> Option<Self>;
    /// Writes the value in the canonical form.
    fn write(&self) -> Value;
    /// Whether `read` followed by `write` always gives back the very value, so that a field need not compare.
    const LOSSLESS: bool = false;
    /// Adds the JSON pointers of members inside this value that are present and not readable.
    fn odd_fields<'a>(&'a self, at: &str, found: &mut Vec<(String, &'a Value)>) {
        let _ = (at, found);
    }
}

/// One member of a document.
#[derive(Clone, Debug)]
pub struct Field<T> {
    value: Option<T>,
    /// The JSON as it came, kept only where writing `value` would give something else.
    written: Option<Box<Value>>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Field {
            value: None,
            written: None,
        }
    }
}

impl<T: Shape> Field<T> {
    /// Reads one member.
    pub fn read(value: &Value) -> Self {
        let read = T::read(value);
        let exact = match &read {
            Some(read) => T::LOSSLESS || read.write() == *value,
            None => false,
        };
        Field {
            value: read,
            written: (!exact).then(|| Box::new(value.clone())),
        }
    }

    /// The member as JSON: what was read, or the canonical form of what was set; `None` where absent.
    pub fn write(&self) -> Option<Value> {
        match (&self.written, &self.value) {
            (Some(written), _) => Some((**written).clone()),
            (None, Some(value)) => Some(value.write()),
            (None, None) => None,
        }
    }

    /// The readable value.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The readable value, or the type's default.
    pub fn or_default(&self) -> T
    where
        T: Default + Clone,
    {
        self.value.clone().unwrap_or_default()
    }

    /// Gives the member a value; what was read before is forgotten.
    pub fn set(&mut self, value: T) {
        *self = Field {
            value: Some(value),
            written: None,
        };
    }

    /// Removes the member.
    pub fn clear(&mut self) {
        *self = Field::default();
    }

    /// The readable value for a change in place; an unreadable one is replaced by the default.
    pub fn edit(&mut self) -> &mut T
    where
        T: Default,
    {
        self.written = None;
        self.value.get_or_insert_with(T::default)
    }

    /// Whether the document has no such member at all.
    pub fn is_absent(&self) -> bool {
        self.value.is_none() && self.written.is_none()
    }

    /// The value of a member that is present, is not null, and cannot be read as `T`.
    pub fn odd(&self) -> Option<&Value> {
        match (&self.value, &self.written) {
            (None, Some(written)) if !written.is_null() => Some(written),
            _ => None,
        }
    }

    /// Collects this member's pointer if it is odd, else those of the members inside it.
    pub fn odd_fields<'a>(&'a self, at: String, found: &mut Vec<(String, &'a Value)>) {
        if let Some(odd) = self.odd() {
            found.push((at, odd));
        } else if let Some(value) = &self.value {
            value.odd_fields(&at, found);
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Field {
            value: Some(value),
            written: None,
        }
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        Field {
            value,
            written: None,
        }
    }
}

/// Equal when they would be written alike.
impl<T: Shape> PartialEq for Field<T> {
    fn eq(&self, other: &Self) -> bool {
        self.write() == other.write()
    }
}

impl Shape for bool {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            // PowerShell writes booleans of a hashtable as text now and then.
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Shape for String {
    /// Numbers are read as their digits: `Protocols` is met as "6" and as 6.
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
    fn write(&self) -> Value {
        Value::String(self.clone())
    }
}

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Shape for $type {
            /// Digits in a text are read as a number: PowerShell hashtables hold "80" and 80 alike.
            fn read(value: &Value) -> Option<Self> {
                match value {
                    Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                }
            }
            fn write(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
whole_number!(u8, u16, u32, u64);

impl Shape for Value {
    const LOSSLESS: bool = true;
    fn read(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
    fn write(&self) -> Value {
        self.clone()
    }
}

impl Shape for Map<String, Value> {
    const LOSSLESS: bool = true;
    fn read(value: &Value) -> Option<Self> {
        value.as_object().cloned()
    }
    fn write(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl<T: Shape> Shape for Vec<T> {
    const LOSSLESS: bool = T::LOSSLESS;
    /// All or nothing: a list with one unreadable item stays as it came.
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect())
    }
    fn odd_fields<'a>(&'a self, at: &str, found: &mut Vec<(String, &'a Value)>) {
        for (index, item) in self.iter().enumerate() {
            item.odd_fields(&format!("{at}/{index}"), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_that_holds_a_number_is_read_and_written_back_as_text() {
        let field = Field::<u16>::read(&json!("0080"));
        assert_eq!(field.get(), Some(&80));
        assert_eq!(field.write(), Some(json!("0080")));
    }

    #[test]
    fn a_value_of_another_shape_is_kept_and_told() {
        let field = Field::<u16>::read(&json!(70_000));
        assert_eq!(field.get(), None);
        assert_eq!(field.odd(), Some(&json!(70_000)));
        assert_eq!(field.write(), Some(json!(70_000)));
    }

    #[test]
    fn null_is_kept_but_is_not_odd() {
        let field = Field::<String>::read(&Value::Null);
        assert!(!field.is_absent());
        assert_eq!(field.odd(), None);
        assert_eq!(field.write(), Some(Value::Null));
    }

    #[test]
    fn what_is_set_forgets_what_was_read() {
        let mut field = Field::<u16>::read(&json!("80"));
        field.set(81);
        assert_eq!(field.write(), Some(json!(81)));
    }
}
