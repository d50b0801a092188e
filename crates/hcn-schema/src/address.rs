// SPDX-License-Identifier: MIT OR Apache-2.0
//! MAC addresses as HNS writes them.

use std::{fmt, str::FromStr};

/// Six bytes; `Display` gives `00-15-5D-90-AD-7C`, the form of HNS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// The address as a number, for ranges.
    pub fn number(self) -> u64 {
        self.0
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The address with this number (the low 48 bits count).
    pub fn from_number(number: u64) -> Self {
        let bytes = number.to_be_bytes();
        MacAddress([bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}-{b:02X}-{c:02X}-{d:02X}-{e:02X}-{g:02X}")
    }
}

/// A text is not a MAC address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAMacAddress;

impl fmt::Display for NotAMacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a MAC address of the form 00-15-5D-01-02-03")
    }
}

impl std::error::Error for NotAMacAddress {}

impl FromStr for MacAddress {
    type Err = NotAMacAddress;

    /// Takes dashes or colons, any case.
    fn from_str(text: &str) -> Result<Self, NotAMacAddress> {
        let separator = if text.contains(':') { ':' } else { '-' };
        let mut bytes = [0; 6];
        let mut parts = text.split(separator);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2)
                .ok_or(NotAMacAddress)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| NotAMacAddress)?;
        }
        if parts.next().is_some() {
            Err(NotAMacAddress)
        } else {
            Ok(MacAddress(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_are_read_and_dashes_written() {
        let mac: MacAddress = "00:15:5d:90:ad:7c".parse().unwrap();
        assert_eq!(mac.to_string(), "00-15-5D-90-AD-7C");
        assert_eq!(MacAddress::from_number(mac.number()), mac);
        assert!("00-15-5D-90-AD".parse::<MacAddress>().is_err());
        assert!("00-15-5D-90-AD-7C-00".parse::<MacAddress>().is_err());
    }
}
