// SPDX-License-Identifier: MIT OR Apache-2.0
//! UTF-16 as the border carries it.
//!
//! Nothing is lost and nothing is replaced: what cannot be carried is an error of whoever carries it.

use alloc::{string::String, vec::Vec};

/// The text with its final NUL; `None` where it holds a NUL, at which a reader would end.
pub fn encode(text: &str) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(text.len() + 1);
    units.extend(text.encode_utf16());
    if units.contains(&0) {
        return None;
    }
    units.push(0);
    Some(units)
}

/// The text of these units, without a final NUL; `None` where a surrogate has no partner.
pub fn decode(units: &[u16]) -> Option<String> {
    String::from_utf16(units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_went() {
        for text in ["", "nat", "größe", "容器", "🦀 and 𐐷"] {
            let units = encode(text).unwrap();
            assert_eq!(units.last(), Some(&0));
            assert_eq!(decode(&units[..units.len() - 1]).as_deref(), Some(text));
        }
        // U+10437 is D801 DC37 (RFC 2781, example of section 5).
        assert_eq!(encode("𐐷").unwrap(), [0xd801, 0xdc37, 0]);
    }

    #[test]
    fn half_a_pair_is_not_text() {
        assert_eq!(decode(&[0x61, 0xd801]), None);
        assert_eq!(decode(&[0xdc37, 0x61]), None);
        assert_eq!(decode(&[0xdc37, 0xd801]), None);
    }

    #[test]
    fn a_nul_inside_is_refused() {
        assert_eq!(encode("a\0b"), None);
    }
}
