// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of many bits whose equal parts are kept once.
//!
//! Apart because it knows neither rules nor axes. A row is cut into pieces of 16,384 bits, a piece into chunks of 512. Equal chunks and pieces are kept
//! once, so what a rule set takes grows with the places where rows differ, and not with rows times rules. Rows of few chunks are not cut, and equal
//! ones are kept once.

use std::collections::HashMap;

use crate::fast_hash::FastHash;

/// Words of a chunk, which is one cache line.
const WORDS: usize = 16;
/// Bits of a chunk.
pub(super) const BITS: usize = 32 * WORDS;
/// Chunks of a piece at most: there is a bit for each in a word.
const CHUNKS: usize = 32;
/// Rows of so many chunks have them one after the other, without pieces.
const PLAIN: usize = 4;
/// Rows of so many bits have them in order.
pub(super) const PLAIN_BITS: usize = PLAIN * BITS;

/// 512 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Chunk([u32; WORDS]);

impl Chunk {
    const EMPTY: Chunk = Chunk([0; WORDS]);

    #[inline(always)]
    fn and(&mut self, other: &Chunk) {
        for word in 0..WORDS {
            self.0[word] &= other.0[word];
        }
    }

    /// The lowest bit.
    #[inline(always)]
    fn first(&self) -> Option<u32> {
        // A bit for each word that has one, without a branch, since nobody can predict which word it is.
        let mut filled = 0u32;
        for (place, word) in self.0.iter().enumerate() {
            filled |= if *word != 0 { 1 << place } else { 0 };
        }
        let word = filled.trailing_zeros();
        (filled != 0).then(|| word * 32 + self.0[word as usize % WORDS].trailing_zeros())
    }

    fn remove(&mut self, bit: u32) {
        self.0[bit as usize / 32 % WORDS] &= !(1 << (bit % 32));
    }
}

/// The rows.
#[derive(Debug)]
pub(super) struct Chunks {
    /// For each piece of a row: low, a bit for each chunk that is not empty; high, where the numbers of its chunks begin.
    rows: Box<[u64]>,
    /// Numbers of chunks.
    pieces: Box<[u32]>,
    chunks: Box<[Chunk]>,
    /// Chunks of a row.
    width: usize,
}

/// What is looked for in rows: the bit that ranks lowest, where bits of one chunk rank as they stand.
pub(super) trait Ranking {
    /// How a bit ranks; `None` where it does not count.
    fn rank(&self, bit: u32) -> Option<u32>;

    /// Nothing in this chunk ranks lower.
    fn least(&self, chunk: u32) -> u32;
}

impl Chunks {
    /// The lowest rank of the bits that are set in all of these rows.
    #[inline(always)]
    pub(super) fn first<const N: usize>(
        &self,
        rows: [u32; N],
        ranking: &impl Ranking,
    ) -> Option<u32> {
        if self.width <= PLAIN {
            return self.first_plain(rows, ranking);
        }
        let mut best = None;
        for piece in 0..self.width.div_ceil(CHUNKS) {
            let mut candidates = u32::MAX;
            let mut starts = [0; N];
            for (start, row) in starts.iter_mut().zip(rows) {
                let about = self.rows[row as usize + piece];
                candidates &= about as u32;
                *start = (about >> 32) as u32;
            }
            while candidates != 0 {
                let place = candidates.trailing_zeros();
                candidates &= candidates - 1;
                let chunk = (piece * CHUNKS) as u32 + place;
                if let Some(rank) = best
                    && ranking.least(chunk) > rank
                {
                    continue;
                }
                let mut bits = Chunk([u32::MAX; WORDS]);
                for start in starts {
                    bits.and(&self.chunks[self.pieces[(start + place) as usize] as usize]);
                }
                best = better(best, first_that_counts(bits, chunk, ranking));
            }
        }
        best
    }

    #[inline(always)]
    fn first_plain<const N: usize>(&self, rows: [u32; N], ranking: &impl Ranking) -> Option<u32> {
        for chunk in 0..self.width {
            let mut bits = Chunk([u32::MAX; WORDS]);
            for row in rows {
                bits.and(&self.chunks[row as usize + chunk]);
            }
            // Few chunks have their bits in the order of the ranks.
            let first = first_that_counts(bits, chunk as u32, ranking);
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.rows) + size_of_val(&*self.pieces) + size_of_val(&*self.chunks)
    }
}

#[inline(always)]
fn better(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The first bit of a chunk that counts.
#[inline(always)]
fn first_that_counts(mut bits: Chunk, chunk: u32, ranking: &impl Ranking) -> Option<u32> {
    loop {
        let first = bits.first()?;
        let bit = chunk * BITS as u32 + first;
        if let Some(rank) = ranking.rank(bit) {
            return Some(rank);
        }
        bits.remove(first);
    }
}

/// The rows while they are made, one after the other.
pub(super) struct ChunksBuilder {
    rows: Vec<u64>,
    known_rows: HashMap<Box<[u64]>, u32, FastHash>,
    pieces: Vec<u32>,
    known_pieces: HashMap<Box<[u32]>, u32, FastHash>,
    chunks: Vec<Chunk>,
    known_chunks: HashMap<Chunk, u32, FastHash>,
    /// The row that is being made: its bits, its pieces, where they begin, and which chunks are to be numbered anew.
    bits: Vec<Chunk>,
    numbers: Vec<u32>,
    row: Vec<u64>,
    changed: Vec<bool>,
    changes: Vec<usize>,
}

impl ChunksBuilder {
    /// Rows of so many bits.
    pub(super) fn new(bits: usize) -> Self {
        let width = bits.div_ceil(BITS);
        ChunksBuilder {
            rows: Vec::new(),
            known_rows: HashMap::default(),
            pieces: Vec::new(),
            known_pieces: HashMap::default(),
            chunks: Vec::new(),
            known_chunks: HashMap::default(),
            bits: vec![Chunk::EMPTY; width],
            numbers: vec![0; width],
            row: vec![0; width.div_ceil(CHUNKS)],
            changed: vec![false; width],
            changes: Vec::new(),
        }
    }

    /// Starts a row without any bit.
    pub(super) fn begin(&mut self) {
        self.bits.fill(Chunk::EMPTY);
        for chunk in 0..self.bits.len() {
            self.note(chunk);
        }
    }

    /// The number that the next row gets.
    pub(super) fn next_number(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Sets a bit of the row.
    pub(super) fn set(&mut self, bit: u32, value: bool) {
        let (chunk, bit) = (bit as usize / BITS, bit as usize % BITS);
        let word = &mut self.bits[chunk].0[bit / 32];
        *word = *word & !(1 << (bit % 32)) | u32::from(value) << (bit % 32);
        self.note(chunk);
    }

    fn note(&mut self, chunk: usize) {
        if !self.changed[chunk] {
            self.changed[chunk] = true;
            self.changes.push(chunk);
        }
    }

    /// How far apart the numbers of rows are that are made one after the other, where equal rows have numbers of their own.
    pub(super) fn apart(&self) -> Option<u32> {
        (self.bits.len() > PLAIN).then_some(self.row.len() as u32)
    }

    /// Ends the row, gives the number of the first row that is equal to it, and starts the next one as its copy.
    pub(super) fn next(&mut self) -> u32 {
        if self.bits.len() <= PLAIN {
            return self.next_plain();
        }
        // Chunks of one piece stand together, so that its place is looked for once.
        self.changes.sort_unstable();
        let mut changes = self.changes.as_slice();
        while let Some(first) = changes.first() {
            let piece = first / CHUNKS;
            let of_piece = changes.partition_point(|chunk| chunk / CHUNKS == piece);
            let mut filled = self.row[piece] as u32;
            for chunk in &changes[..of_piece] {
                self.changed[*chunk] = false;
                let bits = self.bits[*chunk];
                self.numbers[*chunk] = *self.known_chunks.entry(bits).or_insert_with(|| {
                    self.chunks.push(bits);
                    self.chunks.len() as u32 - 1
                });
                let place = chunk % CHUNKS;
                filled = filled & !(1 << place) | u32::from(bits != Chunk::EMPTY) << place;
            }
            let last = self.numbers.len().min((piece + 1) * CHUNKS);
            let numbers = &self.numbers[piece * CHUNKS..last];
            let start = match self.known_pieces.get(numbers) {
                Some(start) => *start,
                None => {
                    let start = self.pieces.len() as u32;
                    self.pieces.extend_from_slice(numbers);
                    self.known_pieces.insert(numbers.into(), start);
                    start
                }
            };
            self.row[piece] = u64::from(start) << 32 | u64::from(filled);
            changes = &changes[of_piece..];
        }
        self.changes.clear();
        let number = self.rows.len() as u32;
        self.rows.extend_from_slice(&self.row);
        *self
            .known_rows
            .entry(self.row.as_slice().into())
            .or_insert(number)
    }

    fn next_plain(&mut self) -> u32 {
        self.changes.clear();
        self.changed.fill(false);
        let bits: Box<[u32]> = self.bits.iter().flat_map(|chunk| chunk.0).collect();
        *self.known_pieces.entry(bits).or_insert_with(|| {
            self.chunks.extend_from_slice(&self.bits);
            (self.chunks.len() - self.bits.len()) as u32
        })
    }

    /// The row of what is in all of these rows; gives its number.
    pub(super) fn intersection(&mut self, rows: &[u32]) -> u32 {
        self.begin();
        let is_plain = self.bits.len() <= PLAIN;
        for (place, bits) in self.bits.iter_mut().enumerate() {
            *bits = Chunk([u32::MAX; WORDS]);
            for row in rows {
                let row = *row as usize;
                let number = match is_plain {
                    true => row + place,
                    false => {
                        let start = self.rows[row + place / CHUNKS] >> 32;
                        self.pieces[start as usize + place % CHUNKS] as usize
                    }
                };
                bits.and(&self.chunks[number]);
            }
        }
        self.next()
    }

    pub(super) fn finish(self) -> Chunks {
        Chunks {
            rows: self.rows.into(),
            pieces: self.pieces.into(),
            chunks: self.chunks.into(),
            width: self.bits.len(),
        }
    }
}
