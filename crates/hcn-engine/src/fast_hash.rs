// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hash for keys that are looked up for every packet: a few multiplications, no defence against chosen keys.
//!
//! Apart because the flow table and the classifier both use it. Whoever can choose the keys can make them collide; tables that use it are
//! bounded, so that this costs time and not memory.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Mixer`]s.
pub(crate) type FastHash = BuildHasherDefault<Mixer>;

/// One word of two: the high half of their product depends on all bits, the low half is spread, and their XOR has both.
#[inline]
pub(crate) fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// Folds one word after the other into the hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.write_u64(u64::from_le_bytes(
                word.try_into().expect("chunks of eight bytes"),
            ));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        // The constant is the golden ratio in 64 bits, which is odd and has no pattern.
        self.0 = fold(self.0 ^ word ^ 0x5851_f42d_4c95_7f2d, 0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
