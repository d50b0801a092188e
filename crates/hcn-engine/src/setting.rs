// SPDX-License-Identifier: MIT OR Apache-2.0
//! Switches by name, so that a user can set them.
//!
//! Apart from what they set, since the engine's and the service's are set alike. A name and its values are stable: people keep them in scripts.

/// A switch of a `T`.
#[derive(Debug)]
pub struct Setting<T: 'static> {
    /// Its name.
    pub name: &'static str,
    /// The question of hns-behaviour section 8 that it answers, or the section that says what versions do.
    pub question: &'static str,
    /// What it decides, in a sentence without a full stop.
    pub decides: &'static str,
    /// What it may be.
    pub values: Values<T>,
}

/// What a switch may be.
#[derive(Debug)]
pub enum Values<T: 'static> {
    /// One of these.
    Words(&'static [Word<T>]),
    /// A number.
    Number {
        /// Its least and greatest value.
        within: (u64, u64),
        /// What it is.
        read: fn(&T) -> u64,
        /// Makes it another one of those.
        write: fn(&mut T, u64),
    },
}

/// One of the values of a switch.
#[derive(Debug)]
pub struct Word<T> {
    /// The value.
    pub name: &'static str,
    /// Whether it is that.
    pub is: fn(&T) -> bool,
    /// Makes it that.
    pub choose: fn(&mut T),
}

impl<T> Setting<T> {
    /// Sets it; false where there is no such value.
    #[must_use]
    pub fn set(&self, of: &mut T, value: &str) -> bool {
        match &self.values {
            Values::Words(words) => {
                let word = words.iter().find(|word| word.name == value);
                word.map(|word| (word.choose)(of)).is_some()
            }
            Values::Number { within, write, .. } => {
                let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse().ok().filter(|_| is_plain);
                let number = number.filter(|number| (within.0..=within.1).contains(number));
                number.map(|number| write(of, number)).is_some()
            }
        }
    }

    /// What it is.
    pub fn value(&self, of: &T) -> String {
        match &self.values {
            Values::Words(words) => {
                let word = words.iter().find(|word| (word.is)(of));
                word.map_or_else(String::new, |word| word.name.to_owned())
            }
            Values::Number { read, .. } => read(of).to_string(),
        }
    }

    /// What it may be, for people.
    pub fn choices(&self) -> String {
        match &self.values {
            Values::Words(words) => {
                let names: Vec<&str> = words.iter().map(|word| word.name).collect();
                names.join("|")
            }
            Values::Number { within, .. } => format!("{}..{}", within.0, within.1),
        }
    }
}

/// The words of a switch: each value's name, and the member that it makes something of.
#[macro_export]
macro_rules! words {
    ($field:ident: $($name:literal is $value:expr),+ $(,)?) => {
        $crate::setting::Values::Words(&[$($crate::setting::Word {
            name: $name,
            is: |own| own.$field == $value,
            choose: |own| own.$field = $value,
        }),+])
    };
}
