// SPDX-License-Identifier: MIT OR Apache-2.0
//! From an IPv4 address to the number of boundaries at or below it: three looks into tables and one count of bits.
//!
//! Apart from the other searches because it pays with memory for not missing the cache at every halving. The walk is equally long for every address,
//! so there is nothing to predict: where there is no boundary, all ways lead to one shared leaf.

use std::collections::HashMap;

use super::ranked::RankedBytes;
use crate::fast_hash::FastHash;

/// Where the bytes of an address lead: to a slot of the next node, or to a leaf.
///
/// A node has a slot for every byte between the lowest and the highest that have boundaries, one for all bytes below and one for all above;
/// a node without boundaries has one slot.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// The first slot, or the leaf.
    first: u32,
    /// To a node: the lowest byte that has a slot of its own, and above 16 bits the last slot, from the first. To a leaf: the boundaries below it.
    about: u32,
}

/// The trie.
#[derive(Debug)]
pub(super) struct Trie {
    root: Step,
    slots: Box<[Step]>,
    /// The boundaries among 256 addresses each.
    leaves: Box<[RankedBytes]>,
}

/// A trie may take so many bytes for each boundary, and as much as for a thousand boundaries in any case. Addresses that mean to take more
/// (two at the ends of each of many subnets) are searched instead.
const BYTES_A_BOUNDARY: usize = 256;

impl Trie {
    /// Builds the trie of sorted boundaries; `None` where it would be too large.
    pub(super) fn build(boundaries: &[u32]) -> Option<Self> {
        let mut builder = Builder {
            most_bytes: BYTES_A_BOUNDARY * boundaries.len().max(1000),
            slots: Vec::new(),
            leaves: vec![RankedBytes::default()],
            even: HashMap::default(),
        };
        let root = builder.step(0, 0, boundaries)?;
        Some(Trie {
            root,
            slots: builder.slots.into(),
            leaves: builder.leaves.into(),
        })
    }

    /// How many boundaries are at or below an address.
    #[inline]
    pub(super) fn class(&self, address: u32) -> usize {
        let [first, second, third, last] = address.to_be_bytes();
        let mut step = self.root;
        for byte in [first, second, third] {
            let (low, last) = (step.about & 0xffff, step.about >> 16);
            let slot = (u32::from(byte) + 1).saturating_sub(low);
            step = self.slots[(step.first + slot.min(last)) as usize];
        }
        step.about as usize + self.leaves[step.first as usize].up_to(last)
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.leaves)
    }
}

struct Builder {
    most_bytes: usize,
    slots: Vec<Step>,
    leaves: Vec<RankedBytes>,
    /// Steps to nodes and leaves without a boundary inside, by depth and the boundaries below.
    even: HashMap<(u32, u32), Step, FastHash>,
}

/// The leaf without boundaries.
const EMPTY: u32 = 0;

/// Bytes of an address that lead to nodes; the last one is looked up in the leaf.
const NODE_BYTES: u32 = 3;

impl Builder {
    /// The step to the addresses that share their first `depth` bytes, of which `inside` are boundaries.
    fn step(&mut self, depth: u32, below: u32, inside: &[u32]) -> Option<Step> {
        if inside.is_empty()
            && let Some(known) = self.even.get(&(depth, below))
        {
            return Some(*known);
        }
        let step = match depth {
            NODE_BYTES => Step {
                first: self.leaf(inside),
                about: below,
            },
            _ => self.node(depth, below, inside)?,
        };
        if inside.is_empty() {
            self.even.insert((depth, below), step);
        }
        let bytes =
            size_of::<Step>() * self.slots.len() + size_of::<RankedBytes>() * self.leaves.len();
        (bytes <= self.most_bytes).then_some(step)
    }

    fn node(&mut self, depth: u32, below: u32, inside: &[u32]) -> Option<Step> {
        let byte = |boundary: &u32| boundary.to_be_bytes()[depth as usize];
        let mut slots = vec![self.step(depth + 1, below, &[])?];
        let (low, high) = match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => (byte(first), byte(last)),
            _ => return Some(self.put(0, slots)),
        };
        let mut rest = inside;
        for own in low..=high {
            let (inside_slot, after) = rest.split_at(rest.partition_point(|at| byte(at) == own));
            let below_slot = below + (inside.len() - rest.len()) as u32;
            slots.push(self.step(depth + 1, below_slot, inside_slot)?);
            rest = after;
        }
        slots.push(self.step(depth + 1, below + inside.len() as u32, &[])?);
        Some(self.put(low, slots))
    }

    fn put(&mut self, low: u8, slots: Vec<Step>) -> Step {
        let step = Step {
            first: self.slots.len() as u32,
            about: u32::from(low) | (slots.len() as u32 - 1) << 16,
        };
        self.slots.extend(slots);
        step
    }

    fn leaf(&mut self, inside: &[u32]) -> u32 {
        if inside.is_empty() {
            return EMPTY;
        }
        let last_bytes = inside.iter().map(|boundary| boundary.to_be_bytes()[3]);
        self.leaves.push(RankedBytes::of(last_bytes));
        self.leaves.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_near_a_boundary_gets_the_number_of_boundaries_below() {
        // Both ends of a leaf, of a node and of all addresses.
        let boundaries = [
            1,
            255,
            256,
            0x0a00_0000,
            0x0a00_0001,
            0x0a00_00ff,
            0x0a00_ffff,
            0x0aff_ffff,
            0x0b00_0000,
            u32::MAX,
        ];
        let trie = Trie::build(&boundaries).unwrap();
        for boundary in boundaries {
            for address in [
                boundary.saturating_sub(1),
                boundary,
                boundary.saturating_add(1),
            ] {
                let expected = boundaries.iter().filter(|low| **low <= address).count();
                assert_eq!(trie.class(address), expected, "{address:#x}");
            }
        }
        assert_eq!(trie.class(0), 0);
    }

    #[test]
    fn strewn_addresses_are_found_and_take_little() {
        // 20,000 subnets of /16 with one boundary each.
        let strewn: Vec<u32> = (1..=20_000).map(|number| number * 0x0003_0001).collect();
        let trie = Trie::build(&strewn).unwrap();
        for (address, expected) in strewn.iter().zip(1..) {
            assert_eq!(trie.class(*address), expected);
            assert_eq!(trie.class(*address - 1), expected - 1);
        }
    }

    #[test]
    fn a_trie_that_would_be_too_large_is_not_built() {
        // Boundaries in the first and the last /24 of 30,000 subnets of /16: 258 slots of 8 bytes for every two.
        let ends: Vec<u32> = (0..30_000)
            .flat_map(|subnet| [(subnet << 16) + 1, (subnet << 16) + 0xff01])
            .collect();
        assert!(Trie::build(&ends).is_none());
    }
}
