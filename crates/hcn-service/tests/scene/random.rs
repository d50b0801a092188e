// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random choices that follow from a seed, so that a failure can be repeated.
//!
//! Apart because the seed must be told wherever it is used; it is fixed, so that a red run is red again, and
//! `HCN_SERVICE_TEST_SEED` gives another one: a number, or `clock` to look further.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

use hcn_schema::Guid;

/// SplitMix64.
pub struct Random(pub u64);

/// The seed of this run, printed.
pub fn seed() -> u64 {
    let seed = match env::var("HCN_SERVICE_TEST_SEED") {
        Ok(text) if text == "clock" => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |since| since.as_nanos() as u64),
        Ok(text) => text
            .parse()
            .expect("HCN_SERVICE_TEST_SEED is a number or clock"),
        // Found containers of the v1 API that a namespace did not count.
        Err(_) => 1_795_481_681_932_939_226,
    };
    println!("HCN_SERVICE_TEST_SEED={seed}");
    seed
}

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of a list; `None` of an empty one.
    pub fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        if list.is_empty() {
            return None;
        }
        Some(list[self.below(list.len() as u64) as usize].clone())
    }

    /// An id.
    pub fn guid(&mut self) -> Guid {
        Guid(u128::from(self.next()) << 64 | u128::from(self.next() | 1))
    }
}
