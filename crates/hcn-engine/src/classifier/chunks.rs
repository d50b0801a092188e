// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of many bits whose equal parts are kept once.
//!
//! Apart because it knows neither rules nor axes. A row is cut into pieces of 8192 bits, a piece into chunks of 512. A piece is a list of chunk
//! numbers, and a row a list of pieces; rows that differ in one bit share all other chunks and all other pieces. So what a rule set takes
//! grows with the places where rows differ, and not with rows times rules.

use std::collections::HashMap;

use crate::fast_hash::FastHash;

/// Words of a chunk, which is one cache line.
const WORDS: usize = 16;
/// Bits of a chunk.
const BITS: usize = 32 * WORDS;
/// Chunks of a piece at most.
const CHUNKS: usize = 16;

/// 512 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Chunk([u32; WORDS]);

/// The rows.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Of each row, where its pieces begin.
    rows: Box<[u32]>,
    /// Pieces: a word with a bit for each chunk that is not empty, and the numbers of the chunks.
    pieces: Box<[u32]>,
    chunks: Box<[Chunk]>,
    /// Pieces of a row.
    width: usize,
}

impl Chunks {
    /// The first bit that is set in all of these rows.
    #[inline(always)]
    pub(super) fn first<const N: usize>(&self, rows: [usize; N]) -> Option<u32> {
        for number in 0..self.width {
            let mut candidates = u32::MAX;
            let mut pieces = [&[][..]; N];
            for (piece, row) in pieces.iter_mut().zip(rows) {
                let start = self.rows[row * self.width + number];
                *piece = &self.pieces[start as usize..];
                candidates &= piece[0];
            }
            while candidates != 0 {
                let chunk = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                let mut bits = [u32::MAX; WORDS];
                for piece in pieces {
                    let other = &self.chunks[piece[1 + chunk] as usize].0;
                    for word in 0..WORDS {
                        bits[word] &= other[word];
                    }
                }
                let filled = filled_words(&bits);
                if filled != 0 {
                    let word = filled.trailing_zeros();
                    let bit = word * 32 + bits[word as usize % WORDS].trailing_zeros();
                    return Some(((number * CHUNKS + chunk) * BITS) as u32 + bit);
                }
            }
        }
        None
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.rows) + size_of_val(&*self.pieces) + size_of_val(&*self.chunks)
    }
}

/// A bit for each word that has one.
#[inline]
fn filled_words(bits: &[u32; WORDS]) -> u32 {
    // Without a branch, since nobody can predict which word it is.
    let mut filled = 0;
    for (place, word) in bits.iter().enumerate() {
        filled |= if *word != 0 { 1 << place } else { 0 };
    }
    filled
}

/// The rows while they are made, one after the other.
pub(super) struct ChunksBuilder {
    rows: Vec<u32>,
    pieces: Vec<u32>,
    known_pieces: HashMap<Box<[u32]>, u32, FastHash>,
    chunks: Vec<Chunk>,
    known_chunks: HashMap<Chunk, u32, FastHash>,
    /// The row that is being made: its bits, its pieces, where they begin, and which chunks are to be numbered anew.
    bits: Vec<Chunk>,
    row: Vec<Vec<u32>>,
    starts: Vec<u32>,
    changed: Vec<bool>,
    changes: Vec<usize>,
}

impl ChunksBuilder {
    /// Rows of so many bits.
    pub(super) fn new(bits: usize) -> Self {
        let chunks = bits.div_ceil(BITS);
        let row: Vec<Vec<u32>> = (0..chunks)
            .step_by(CHUNKS)
            .map(|first| vec![0; 1 + CHUNKS.min(chunks - first)])
            .collect();
        ChunksBuilder {
            rows: Vec::new(),
            pieces: Vec::new(),
            known_pieces: HashMap::default(),
            chunks: Vec::new(),
            known_chunks: HashMap::default(),
            bits: vec![Chunk::default(); chunks],
            starts: vec![0; row.len()],
            row,
            changed: vec![false; chunks],
            changes: Vec::new(),
        }
    }

    /// Starts a row without any bit; gives its number.
    pub(super) fn begin(&mut self) -> usize {
        self.bits.fill(Chunk::default());
        for chunk in 0..self.bits.len() {
            self.note(chunk);
        }
        self.rows.len() / self.row.len()
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

    /// Ends the row and starts the next one as its copy.
    pub(super) fn next(&mut self) {
        // Chunks of one piece stand together, so that its place is looked for once.
        self.changes.sort_unstable();
        let mut changes = self.changes.as_slice();
        while let Some(first) = changes.first() {
            let number = first / CHUNKS;
            let of_piece = changes.partition_point(|chunk| chunk / CHUNKS == number);
            let piece = &mut self.row[number];
            for chunk in &changes[..of_piece] {
                self.changed[*chunk] = false;
                let bits = self.bits[*chunk];
                let number = *self.known_chunks.entry(bits).or_insert_with(|| {
                    self.chunks.push(bits);
                    self.chunks.len() as u32 - 1
                });
                let place = chunk % CHUNKS;
                let filled = u32::from(bits != Chunk::default());
                piece[0] = piece[0] & !(1 << place) | filled << place;
                piece[1 + place] = number;
            }
            self.starts[number] = match self.known_pieces.get(piece.as_slice()) {
                Some(start) => *start,
                None => {
                    let start = self.pieces.len() as u32;
                    self.pieces.extend_from_slice(piece);
                    self.known_pieces.insert(piece.as_slice().into(), start);
                    start
                }
            };
            changes = &changes[of_piece..];
        }
        self.changes.clear();
        self.rows.extend_from_slice(&self.starts);
    }

    /// Adds the row of what is in all of these rows; gives its number.
    pub(super) fn push_intersection(&mut self, rows: &[usize]) -> usize {
        let number = self.begin();
        for (place, bits) in self.bits.iter_mut().enumerate() {
            *bits = Chunk([u32::MAX; WORDS]);
            for row in rows {
                let start = self.rows[row * self.row.len() + place / CHUNKS] as usize;
                let other = self.pieces[start + 1 + place % CHUNKS];
                let other = self.chunks[other as usize].0;
                for (word, other) in bits.0.iter_mut().zip(other) {
                    *word &= other;
                }
            }
        }
        self.end();
        number
    }

    /// Ends the row.
    pub(super) fn end(&mut self) {
        self.next();
    }

    pub(super) fn finish(self) -> Chunks {
        Chunks {
            rows: self.rows.into(),
            pieces: self.pieces.into(),
            chunks: self.chunks.into(),
            width: self.row.len(),
        }
    }
}
