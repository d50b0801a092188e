// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a field's value to its class: the number of boundaries at or below it.
//!
//! Apart because each kind of field wants another search. Class 0 begins at the lowest value, so there are at most as many classes as values.

use super::{extent::Scalar, ranked::RankedBytes, trie::Trie};

/// A kind of field and how its boundaries are searched.
pub(super) trait Locate: Scalar {
    /// Boundaries, prepared.
    type Boundaries: std::fmt::Debug;

    /// Prepares boundaries: sorted, without repetition, all above the lowest value.
    fn prepare(boundaries: Vec<Self>) -> Self::Boundaries;

    /// The class of a value.
    fn class(self, boundaries: &Self::Boundaries) -> usize;

    /// Bytes on the heap.
    fn bytes(boundaries: &Self::Boundaries) -> usize;
}

/// Protocols: one look into a table.
impl Locate for u8 {
    type Boundaries = Box<[u8; 256]>;

    fn prepare(boundaries: Vec<u8>) -> Self::Boundaries {
        let mut table = Box::new([0; 256]);
        let mut class = 0;
        let mut next = boundaries.into_iter().peekable();
        for value in 0..=u8::MAX {
            if next.next_if_eq(&value).is_some() {
                class += 1;
            }
            table[usize::from(value)] = class;
        }
        table
    }

    #[inline]
    fn class(self, boundaries: &Self::Boundaries) -> usize {
        usize::from(boundaries[usize::from(self)])
    }

    fn bytes(_: &Self::Boundaries) -> usize {
        256
    }
}

/// Ports: a search in a short list, or one look and a count.
#[derive(Debug)]
pub(super) enum PortBoundaries {
    Few(Box<[u16]>),
    /// By high byte: boundaries below, and those among the low bytes.
    Many(Box<[(u16, RankedBytes); 256]>),
}

/// Up to here a search is nearly as fast as the table, which takes ten kilobytes.
const FEW_PORTS: usize = 16;

impl Locate for u16 {
    type Boundaries = PortBoundaries;

    fn prepare(boundaries: Vec<u16>) -> PortBoundaries {
        if boundaries.len() <= FEW_PORTS {
            return PortBoundaries::Few(boundaries.into());
        }
        let mut table = Box::new([(0, RankedBytes::default()); 256]);
        let mut rest = boundaries.as_slice();
        for (high, slot) in table.iter_mut().enumerate() {
            let here = rest.partition_point(|boundary| usize::from(boundary >> 8) == high);
            // Boundaries are above the lowest port, so there are fewer than 65,536.
            let below = (boundaries.len() - rest.len()) as u16;
            let low_bytes = rest[..here].iter().map(|boundary| *boundary as u8);
            *slot = (below, RankedBytes::of(low_bytes));
            rest = &rest[here..];
        }
        PortBoundaries::Many(table)
    }

    #[inline]
    fn class(self, boundaries: &PortBoundaries) -> usize {
        match boundaries {
            PortBoundaries::Few(few) => few.partition_point(|boundary| *boundary <= self),
            PortBoundaries::Many(table) => {
                let [high, low] = self.to_be_bytes();
                let (below, here) = &table[usize::from(high)];
                usize::from(*below) + here.up_to(low)
            }
        }
    }

    fn bytes(boundaries: &PortBoundaries) -> usize {
        match boundaries {
            PortBoundaries::Few(few) => size_of_val(&**few),
            PortBoundaries::Many(table) => size_of_val(&**table),
        }
    }
}

/// IPv4 addresses: a search in a short list, or a walk down a trie.
#[derive(Debug)]
pub(super) enum AddressBoundaries {
    Sorted(Box<[u32]>),
    Trie(Trie),
}

/// Up to here a search is as fast as the trie, which takes some kilobytes.
const FEW_ADDRESSES: usize = 16;

impl Locate for u32 {
    type Boundaries = AddressBoundaries;

    fn prepare(boundaries: Vec<u32>) -> AddressBoundaries {
        if boundaries.len() > FEW_ADDRESSES
            && let Some(trie) = Trie::build(&boundaries)
        {
            return AddressBoundaries::Trie(trie);
        }
        AddressBoundaries::Sorted(boundaries.into())
    }

    #[inline]
    fn class(self, boundaries: &AddressBoundaries) -> usize {
        match boundaries {
            AddressBoundaries::Sorted(sorted) => {
                sorted.partition_point(|boundary| *boundary <= self)
            }
            AddressBoundaries::Trie(trie) => trie.class(self),
        }
    }

    fn bytes(boundaries: &AddressBoundaries) -> usize {
        match boundaries {
            AddressBoundaries::Sorted(sorted) => size_of_val(&**sorted),
            AddressBoundaries::Trie(trie) => trie.bytes(),
        }
    }
}

/// IPv6 addresses: a search.
impl Locate for u128 {
    type Boundaries = Box<[u128]>;

    fn prepare(boundaries: Vec<u128>) -> Self::Boundaries {
        boundaries.into()
    }

    #[inline]
    fn class(self, boundaries: &Self::Boundaries) -> usize {
        boundaries.partition_point(|boundary| *boundary <= self)
    }

    fn bytes(boundaries: &Self::Boundaries) -> usize {
        size_of_val(&**boundaries)
    }
}
