// SPDX-License-Identifier: MIT OR Apache-2.0
//! From an IPv4 address to the number of boundaries at or below it: three looks into tables and one count of bits.
//!
//! Apart from the other searches because it pays with memory for not missing the cache at every halving. The walk is equally long for every address,
//! so there is nothing to predict: where there is no boundary, all ways lead to one shared leaf.

use std::collections::HashMap;

use crate::fast_hash::FastHash;

/// The boundaries among 256 addresses.
#[derive(Debug)]
struct Leaf {
    /// A bit for each address that is a boundary.
    bits: [u64; 4],
    /// Boundaries below the first address.
    below: u32,
    /// Bits in the words before each word.
    before: [u8; 4],
}

/// The trie.
#[derive(Debug)]
pub(super) struct Trie {
    root: u32,
    /// By one byte of the address each: the next node, or at the third byte the leaf.
    nodes: Box<[[u32; 256]]>,
    leaves: Box<[Leaf]>,
}

/// A trie may take so many bytes for each boundary, and as much as for a thousand boundaries in any case. Boundaries that lie closer together take less;
/// addresses strewn over the whole of IPv4 take more and are searched instead.
const BYTES_A_BOUNDARY: usize = 64;

impl Trie {
    /// Builds the trie of sorted boundaries; `None` where it would be too large.
    pub(super) fn build(boundaries: &[u32]) -> Option<Self> {
        let mut builder = Builder {
            most_bytes: BYTES_A_BOUNDARY * boundaries.len().max(1000),
            nodes: Vec::new(),
            leaves: Vec::new(),
            even: HashMap::default(),
        };
        let root = builder.tree(0, 0, boundaries)?;
        Some(Trie {
            root,
            nodes: builder.nodes.into(),
            leaves: builder.leaves.into(),
        })
    }

    /// How many boundaries are at or below an address.
    #[inline]
    pub(super) fn class(&self, address: u32) -> usize {
        let [first, second, third, last] = address.to_be_bytes();
        let node = self.nodes[self.root as usize][usize::from(first)];
        let node = self.nodes[node as usize][usize::from(second)];
        let leaf = self.nodes[node as usize][usize::from(third)];
        let leaf = &self.leaves[leaf as usize];
        let word = usize::from(last >> 6);
        let up_to = u64::MAX >> (63 - (last & 63));
        leaf.below as usize
            + usize::from(leaf.before[word])
            + (leaf.bits[word] & up_to).count_ones() as usize
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.leaves)
    }
}

struct Builder {
    most_bytes: usize,
    nodes: Vec<[u32; 256]>,
    leaves: Vec<Leaf>,
    /// Nodes and leaves without a boundary inside, by depth and the boundaries below.
    even: HashMap<(u32, u32), u32, FastHash>,
}

/// Bytes of an address that lead to nodes; the last one is looked up in the leaf.
const NODE_BYTES: u32 = 3;

impl Builder {
    /// The node or leaf for the addresses that share their first `depth` bytes, of which `inside` are boundaries.
    fn tree(&mut self, depth: u32, below: u32, inside: &[u32]) -> Option<u32> {
        if inside.is_empty()
            && let Some(known) = self.even.get(&(depth, below))
        {
            return Some(*known);
        }
        let number = match depth {
            NODE_BYTES => self.leaf(below, inside),
            _ => self.node(depth, below, inside)?,
        };
        if inside.is_empty() {
            self.even.insert((depth, below), number);
        }
        let bytes = size_of::<[u32; 256]>() * self.nodes.len() + size_of::<Leaf>() * self.leaves.len();
        (bytes <= self.most_bytes).then_some(number)
    }

    fn node(&mut self, depth: u32, below: u32, inside: &[u32]) -> Option<u32> {
        let mut node = [0; 256];
        let mut rest = inside;
        for (byte, child) in (0u8..).zip(&mut node) {
            let own = |boundary: &u32| boundary.to_be_bytes()[depth as usize] == byte;
            let (inside_child, after) = rest.split_at(rest.partition_point(own));
            let below_child = below + (inside.len() - rest.len()) as u32;
            *child = self.tree(depth + 1, below_child, inside_child)?;
            rest = after;
        }
        self.nodes.push(node);
        Some(self.nodes.len() as u32 - 1)
    }

    fn leaf(&mut self, below: u32, inside: &[u32]) -> u32 {
        let mut bits = [0u64; 4];
        for boundary in inside {
            let last = boundary.to_be_bytes()[3];
            bits[usize::from(last >> 6)] |= 1 << (last & 63);
        }
        let mut before = [0; 4];
        for word in 1..4 {
            before[word] = before[word - 1] + bits[word - 1].count_ones() as u8;
        }
        self.leaves.push(Leaf {
            bits,
            below,
            before,
        });
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
            for address in [boundary.saturating_sub(1), boundary, boundary.saturating_add(1)] {
                let expected = boundaries.iter().filter(|low| **low <= address).count();
                assert_eq!(trie.class(address), expected, "{address:#x}");
            }
        }
        assert_eq!(trie.class(0), 0);
    }

    #[test]
    fn boundaries_all_over_the_place_are_refused_for_their_size() {
        // 20,000 subnets of /16 with one boundary each: at least 20,000 nodes of a kilobyte.
        let strewn: Vec<u32> = (1..=20_000).map(|number| number * 0x0003_0001).collect();
        assert!(Trie::build(&strewn).is_none());
        // As many in a few subnets.
        let dense: Vec<u32> = (1..=20_000).map(|number| 0x0a00_0000 + number * 3).collect();
        assert!(Trie::build(&dense).unwrap().bytes() < 64 * 20_000);
    }
}
