// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a field's value to its class: the number of boundaries at or below it.
//!
//! Apart because each kind of field wants another search. Class 0 begins at the lowest value, so there are at most as many classes as values.

use super::{extent::Scalar, trie::Trie};

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

/// Ports: a search in a short list, or two looks into tables whose pages are shared.
#[derive(Debug)]
pub(super) enum PortBoundaries {
    Few(Box<[u16]>),
    /// The page of each high byte, and the pages.
    Many(Box<[u16; 256]>, Box<[[u16; 256]]>),
}

/// Up to here a search is as fast as the tables, which take at least a kilobyte.
const FEW_PORTS: usize = 16;

impl Locate for u16 {
    type Boundaries = PortBoundaries;

    fn prepare(boundaries: Vec<u16>) -> PortBoundaries {
        if boundaries.len() <= FEW_PORTS {
            return PortBoundaries::Few(boundaries.into());
        }
        let mut tops = Box::new([0; 256]);
        let mut pages: Vec<[u16; 256]> = Vec::new();
        let mut class = 0;
        let mut next = boundaries.into_iter().peekable();
        for high in 0..=u8::MAX {
            let mut page = [0; 256];
            for low in 0..=u8::MAX {
                if next.next_if_eq(&u16::from_be_bytes([high, low])).is_some() {
                    class += 1;
                }
                page[usize::from(low)] = class;
            }
            if pages.last() != Some(&page) {
                pages.push(page);
            }
            tops[usize::from(high)] = (pages.len() - 1) as u16;
        }
        PortBoundaries::Many(tops, pages.into())
    }

    #[inline]
    fn class(self, boundaries: &PortBoundaries) -> usize {
        match boundaries {
            PortBoundaries::Few(boundaries) => {
                boundaries.partition_point(|boundary| *boundary <= self)
            }
            PortBoundaries::Many(tops, pages) => {
                let [high, low] = self.to_be_bytes();
                usize::from(pages[usize::from(tops[usize::from(high)])][usize::from(low)])
            }
        }
    }

    fn bytes(boundaries: &PortBoundaries) -> usize {
        match boundaries {
            PortBoundaries::Few(boundaries) => size_of_val(&**boundaries),
            PortBoundaries::Many(_, pages) => 512 + size_of_val(&**pages),
        }
    }
}

/// IPv4 addresses: a search in a short list, or a walk down a trie.
#[derive(Debug)]
pub(super) enum AddressBoundaries {
    Sorted(Box<[u32]>),
    Trie(Trie),
}

/// Up to here a search is nearly as fast as the trie, which takes tens of kilobytes.
const FEW_ADDRESSES: usize = 64;

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
