// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where time and ids come from: arguments, so that every transcript repeats.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use hcn_schema::Guid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> u64;
}

/// Makes ids that no object has.
pub trait Ids: Send + Sync {
    /// A new id, never zero.
    fn guid(&self) -> Guid;
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }
}

/// Version 4 ids from the operating system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn guid(&self) -> Guid {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system has a random source");
        version_4(u128::from_be_bytes(bytes))
    }
}

/// Ids that follow from a seed, for transcripts.
#[derive(Debug)]
pub struct SequenceIds {
    seed: u64,
    next: AtomicU64,
}

impl SequenceIds {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        SequenceIds {
            seed,
            next: AtomicU64::new(0),
        }
    }
}

impl Ids for SequenceIds {
    fn guid(&self) -> Guid {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let high = mix(self.seed ^ number.rotate_left(32));
        version_4(u128::from(high) << 64 | u128::from(mix(high ^ number)))
    }
}

/// Sets the bits that mark a random GUID.
fn version_4(number: u128) -> Guid {
    Guid(number & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62)
}

/// Spreads a number over 64 bits (the finalizer of SplitMix64): neighbours give unrelated results.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_repeats_and_does_not_repeat_itself() {
        let (one, two) = (SequenceIds::new(7), SequenceIds::new(7));
        let first: Vec<Guid> = (0..100).map(|_| one.guid()).collect();
        let again: Vec<Guid> = (0..100).map(|_| two.guid()).collect();
        assert_eq!(first, again);
        assert_eq!(
            first.iter().collect::<std::collections::HashSet<_>>().len(),
            100
        );
        assert_eq!(first[0].to_string().as_bytes()[14], b'4');
    }
}
