// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions of HNS.

use std::{fmt, str::FromStr};

/// A version of HNS, e.g. 15.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HnsVersion {
    /// 15 in "15.0".
    pub major: u32,
    /// 0 in "15.0".
    pub minor: u32,
}

impl HnsVersion {
    /// The version by its two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        HnsVersion { major, minor }
    }

    /// The number that objects carry as `Version`: `(Major << 32) | Minor`.
    pub fn number(self) -> u64 {
        u64::from(self.major) << 32 | u64::from(self.minor)
    }

    /// The version of an object's `Version`.
    pub fn from_number(number: u64) -> Self {
        HnsVersion {
            major: (number >> 32) as u32,
            minor: number as u32,
        }
    }
}

impl fmt::Display for HnsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A text is not a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAVersion;

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a version of the form 15.0")
    }
}

impl std::error::Error for NotAVersion {}

impl FromStr for HnsVersion {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let (major, minor) = text.split_once('.').ok_or(NotAVersion)?;
        Ok(HnsVersion {
            major: major.parse().map_err(|_| NotAVersion)?,
            minor: minor.parse().map_err(|_| NotAVersion)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers seen on real objects (hns-behaviour 0.4).
    #[test]
    fn numbers_of_real_objects_are_versions() {
        for (number, text) in [
            (38654705666, "9.2"),
            (55834574851, "13.3"),
            (64424509440, "15.0"),
            (68719476736, "16.0"),
        ] {
            assert_eq!(HnsVersion::from_number(number).to_string(), text);
            assert_eq!(text.parse::<HnsVersion>().unwrap().number(), number);
        }
    }
}
