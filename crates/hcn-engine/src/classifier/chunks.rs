// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of many bits whose equal parts are kept once.
//!
//! Apart because it knows neither rules nor axes. A row is a tree of two levels: a node for every 8192 bits with the numbers of 16 chunks of 512 bits.
//! Two rows that differ in one bit share all other chunks and all other nodes, so what a rule set takes grows with the places where
//! rows differ, and not with rows times rules.

use std::collections::HashMap;

use crate::fast_hash::FastHash;

/// Words of a chunk, which is one cache line.
const WORDS: usize = 8;
/// Bits of a chunk.
const BITS: usize = 64 * WORDS;
/// Chunks of a node, which is one cache line.
const CHUNKS: usize = 16;

/// 512 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Chunk([u64; WORDS]);

/// Numbers of chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Node([u32; CHUNKS]);

/// A node of a row.
#[derive(Clone, Copy, Debug)]
struct Link {
    node: u32,
    /// A bit for each chunk that is not empty.
    filled: u32,
}

/// The rows.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Of each row, its nodes.
    links: Box<[Link]>,
    nodes: Box<[Node]>,
    chunks: Box<[Chunk]>,
    nodes_a_row: usize,
}

impl Chunks {
    /// The first bit that is set in all of these rows.
    #[inline]
    pub(super) fn first<const N: usize>(&self, rows: [usize; N]) -> Option<u32> {
        for place in 0..self.nodes_a_row {
            let links = rows.map(|row| self.links[row * self.nodes_a_row + place]);
            let mut candidates = links.iter().fold(u32::MAX, |all, link| all & link.filled);
            let nodes = links.map(|link| &self.nodes[link.node as usize].0);
            while candidates != 0 {
                let chunk = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                let bits = self.intersection(nodes.map(|node| node[chunk % CHUNKS]));
                if bits.iter().fold(0, |any, word| any | word) != 0 {
                    return Some(((place * CHUNKS + chunk) * BITS) as u32 + first_bit(bits));
                }
            }
        }
        None
    }

    #[inline]
    fn intersection<const N: usize>(&self, numbers: [u32; N]) -> [u64; WORDS] {
        let mut bits = [u64::MAX; WORDS];
        for number in numbers {
            let chunk = &self.chunks[number as usize].0;
            for word in 0..WORDS {
                bits[word] &= chunk[word];
            }
        }
        bits
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.links) + size_of_val(&*self.nodes) + size_of_val(&*self.chunks)
    }
}

/// The first of bits of which one is set.
#[inline]
fn first_bit(bits: [u64; WORDS]) -> u32 {
    // Which word it is cannot be predicted: no branch.
    let mut words = 0u32;
    for (place, word) in bits.iter().enumerate() {
        words |= u32::from(*word != 0) << place;
    }
    let word = words.trailing_zeros();
    word * 64 + bits[word as usize % WORDS].trailing_zeros()
}

/// Things that are kept once and known by number.
struct Pool<T> {
    items: Vec<T>,
    numbers: HashMap<T, u32, FastHash>,
}

impl<T: Copy + Eq + std::hash::Hash> Pool<T> {
    fn new() -> Self {
        Pool {
            items: Vec::new(),
            numbers: HashMap::default(),
        }
    }

    fn number(&mut self, item: T) -> u32 {
        *self.numbers.entry(item).or_insert_with(|| {
            self.items.push(item);
            (self.items.len() - 1) as u32
        })
    }
}

/// The number of the chunk without a bit.
const EMPTY: u32 = 0;

/// The rows while they are made, one after the other.
pub(super) struct ChunksBuilder {
    links: Vec<Link>,
    nodes: Pool<Node>,
    chunks: Pool<Chunk>,
    /// The row that is being made: its bits, the numbers of its chunks, and which chunks are to be numbered anew.
    bits: Vec<Chunk>,
    row: Vec<Node>,
    changed: Vec<bool>,
    changes: Vec<usize>,
}

impl ChunksBuilder {
    /// Rows of so many bits.
    pub(super) fn new(bits: usize) -> Self {
        let width = bits.div_ceil(BITS);
        let mut chunks = Pool::new();
        chunks.number(Chunk::default());
        ChunksBuilder {
            links: Vec::new(),
            nodes: Pool::new(),
            chunks,
            bits: vec![Chunk::default(); width],
            row: vec![Node::default(); width.div_ceil(CHUNKS)],
            changed: vec![false; width],
            changes: Vec::new(),
        }
    }

    /// Starts a row without any bit; gives its number.
    pub(super) fn begin(&mut self) -> usize {
        self.bits.fill(Chunk::default());
        for chunk in 0..self.bits.len() {
            self.note(chunk);
        }
        self.links.len() / self.row.len()
    }

    /// Sets a bit of the row.
    pub(super) fn set(&mut self, bit: u32, value: bool) {
        let (chunk, bit) = (bit as usize / BITS, bit as usize % BITS);
        let word = &mut self.bits[chunk].0[bit / 64];
        *word = *word & !(1 << (bit % 64)) | u64::from(value) << (bit % 64);
        self.note(chunk);
    }

    fn note(&mut self, chunk: usize) {
        if !self.changed[chunk] {
            self.changed[chunk] = true;
            self.changes.push(chunk);
        }
    }

    /// Ends the row and starts the next one as its copy.
    pub(super) fn next(&mut self) {
        for chunk in self.changes.drain(..) {
            self.changed[chunk] = false;
            let number = self.chunks.number(self.bits[chunk]);
            self.row[chunk / CHUNKS].0[chunk % CHUNKS] = number;
        }
        for node in &self.row {
            let filled = |(place, number)| u32::from(number != EMPTY) << place;
            self.links.push(Link {
                node: self.nodes.number(*node),
                filled: node.0.into_iter().enumerate().map(filled).sum(),
            });
        }
    }

    /// Ends the row.
    pub(super) fn end(&mut self) {
        self.next();
    }

    pub(super) fn finish(self) -> Chunks {
        Chunks {
            links: self.links.into(),
            nodes: self.nodes.items.into(),
            chunks: self.chunks.items.into(),
            nodes_a_row: self.row.len(),
        }
    }
}
