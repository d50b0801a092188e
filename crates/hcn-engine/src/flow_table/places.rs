// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a key's hash to the places of entries that may have the key.
//!
//! Apart from the entries, which are large: eight bytes an entry stay in a near cache, so that a hit touches one line of the entries themselves. At
//! most half of the slots are taken; a search ends at the first free one.

/// The slots: high, the hash; low, the place and one; 0 where free.
#[derive(Debug)]
pub(super) struct Places {
    slots: Box<[u64]>,
    taken: usize,
}

/// Slots at least.
const LEAST: usize = 16;

impl Places {
    pub(super) fn new() -> Self {
        Places {
            slots: vec![0; LEAST].into(),
            taken: 0,
        }
    }

    /// How many places are in it.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// The place with this hash of which `is_it` says yes.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return None;
            }
            let place = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && is_it(place) {
                return Some(place);
            }
            at += 1;
        }
    }

    /// Puts a place in. Places are below the highest `u32`.
    pub(super) fn insert(&mut self, hash: u32, place: u32) {
        if 2 * (self.taken + 1) > self.slots.len() {
            let more = vec![0; 2 * self.slots.len()].into();
            let before = std::mem::replace(&mut self.slots, more);
            before
                .into_iter()
                .filter(|slot| *slot != 0)
                .for_each(|slot| self.put(slot));
        }
        self.taken += 1;
        self.put(u64::from(hash) << 32 | u64::from(place + 1));
    }

    fn put(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = (slot >> 32) as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    /// Takes a place out that is in it.
    pub(super) fn remove(&mut self, hash: u32, place: u32) {
        let mask = self.slots.len() - 1;
        let gone = u64::from(hash) << 32 | u64::from(place + 1);
        let mut free = hash as usize & mask;
        while self.slots[free] != gone {
            if self.slots[free] == 0 {
                return;
            }
            free = (free + 1) & mask;
        }
        self.taken -= 1;
        // What stands behind it moves up, unless that would put it before its own first slot.
        let mut at = free;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            let home = (slot >> 32) as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(free) & mask {
                self.slots[free] = slot;
                free = at;
            }
        }
        self.slots[free] = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Few hashes, so that searches run over each other and over the end.
        #[test]
        fn what_was_put_in_is_found_until_it_is_taken_out(
            steps in proptest::collection::vec((0..200u32, any::<bool>()), 1..400),
        ) {
            let hash = |place: u32| if place.is_multiple_of(3) { u32::MAX - place % 5 } else { place % 40 };
            let mut places = Places::new();
            let mut known = HashSet::new();
            for (place, is_in) in steps {
                match is_in {
                    true if known.insert(place) => places.insert(hash(place), place),
                    true => {}
                    false => {
                        places.remove(hash(place), place);
                        known.remove(&place);
                    }
                }
                prop_assert_eq!(places.len(), known.len());
            }
            for place in 0..200 {
                let found = places.find(hash(place), |other| other == place);
                prop_assert_eq!(found, known.contains(&place).then_some(place));
            }
        }
    }
}
