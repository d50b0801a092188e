// SPDX-License-Identifier: MIT OR Apache-2.0
//! A set of bytes that tells how many of its members are at or below a byte.
//!
//! Apart because ports and IPv4 addresses both end in one: 256 neighbouring values, some of which are boundaries. A count is one look and a few
//! steps of arithmetic, whatever is in the set.

/// The set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RankedBytes {
    bits: [u64; 4],
    /// Members in the words before each word.
    before: [u8; 4],
}

impl RankedBytes {
    /// The set of these bytes.
    pub(super) fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut bits = [0u64; 4];
        for byte in bytes {
            bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        let mut before = [0; 4];
        for word in 1..4 {
            // At most 192 members are in the first three words.
            before[word] = before[word - 1] + bits[word - 1].count_ones() as u8;
        }
        RankedBytes { bits, before }
    }

    /// How many members are at or below a byte.
    #[inline]
    pub(super) fn up_to(&self, byte: u8) -> usize {
        let word = usize::from(byte >> 6);
        let up_to = u64::MAX >> (63 - (byte & 63));
        usize::from(self.before[word]) + (self.bits[word] & up_to).count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_up_to_each_byte_are_counted() {
        let all = RankedBytes::of(0..=255);
        let some = RankedBytes::of([0, 63, 64, 127, 200, 255].into_iter());
        for byte in 0..=255u8 {
            assert_eq!(all.up_to(byte), usize::from(byte) + 1);
            let expected = [0, 63, 64, 127, 200, 255]
                .iter()
                .filter(|member| **member <= byte);
            assert_eq!(some.up_to(byte), expected.count(), "{byte}");
        }
    }
}
