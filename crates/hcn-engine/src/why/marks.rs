// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the marks are that give a text of JSON its shape.
//!
//! Apart from what reads it: found once for a whole document, eight bytes at a time, they let a reader step from mark to mark, where most of
//! a document is texts that do not matter.

use std::ops::Range;

/// A bit for each byte of a document, sixty-four bytes a word.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// Quotation marks that begin or end a text.
    quotes: Vec<u64>,
    /// Brackets, square and curly, that stand in no text.
    brackets: Vec<u64>,
    /// Whether there is a backslash anywhere.
    has_escapes: bool,
}

const WORD: usize = u64::BITS as usize;

/// Sixty-four bytes, as eight numbers.
type Block = [u64; 8];

const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The bytes that are nothing, by their highest bits.
fn zeros(eight: u64) -> u64 {
    !((eight & all(0x7F)).wrapping_add(all(0x7F)) | eight | all(0x7F))
}

/// A bit for each byte of a block of which `wanted` makes nothing.
fn bits(block: &Block, wanted: impl Fn(u64) -> u64) -> u64 {
    // Brings the lowest bit of byte number i to bit 56 + i; no two bits meet on the way.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    block.iter().rev().fold(0, |bits, eight| {
        let found = zeros(wanted(*eight)) >> 7;
        bits << 8 | found.wrapping_mul(GATHER) >> 56
    })
}

/// Whether a block has a byte that is below another.
fn any_below(block: &Block, bound: u8, of: impl Fn(u64) -> u64) -> bool {
    // What a subtraction borrows reaches only bytes above one that is below the bound itself.
    let below = |eight: u64| eight.wrapping_sub(all(bound)) & !eight & all(0x80);
    block
        .iter()
        .fold(0, |found, eight| found | below(of(*eight)))
        != 0
}

/// The bits from an odd one to the next, the first with them; `is_open` where one is open from before.
fn between(marks: u64, is_open: bool) -> u64 {
    let inside = [1, 2, 4, 8, 16, 32]
        .into_iter()
        .fold(marks, |bits, far| bits ^ bits << far);
    if is_open { !inside } else { inside }
}

impl Marks {
    /// Finds the marks; `None` where a text is not ended, or has a control character, which JSON does not allow.
    pub(super) fn of(text: &str) -> Option<Self> {
        let words = text.len().div_ceil(WORD);
        let mut marks = Marks {
            quotes: Vec::with_capacity(words),
            brackets: Vec::with_capacity(words),
            has_escapes: false,
        };
        let (mut is_open, mut is_escaped) = (false, false);
        let mut take = |bytes: &[u8; WORD]| {
            let (eights, _) = bytes.as_chunks::<8>();
            let block: Block = std::array::from_fn(|number| u64::from_le_bytes(eights[number]));
            let mut quotes = bits(&block, |eight| eight ^ all(b'"'));
            if is_escaped || any_below(&block, 1, |eight| eight ^ all(b'\\')) {
                marks.has_escapes = true;
                for (at, byte) in bytes.iter().enumerate() {
                    if is_escaped {
                        quotes &= !(1 << at);
                    }
                    is_escaped = *byte == b'\\' && !is_escaped;
                }
            }
            let inside = between(quotes, is_open);
            is_open = inside >> (WORD - 1) == 1;
            if any_below(&block, 0x20, |eight| eight) {
                let controls = bits(&block, |eight| eight & all(!0x1F));
                if controls & inside != 0 {
                    return None;
                }
            }
            // `[`, `]`, `{`, `}`, and four others that JSON has in texts alone.
            let brackets = bits(&block, |eight| (eight & all(0xD9)) ^ all(0x59));
            marks.quotes.push(quotes);
            marks.brackets.push(brackets & !inside);
            Some(())
        };
        let (blocks, rest) = text.as_bytes().as_chunks::<WORD>();
        blocks.iter().try_for_each(&mut take)?;
        if !rest.is_empty() {
            let mut last = [b' '; WORD];
            last[..rest.len()].copy_from_slice(rest);
            take(&last)?;
        }
        (!is_open).then_some(marks)
    }

    /// Whether a text may hold an escape, which stands for something else than is written.
    pub(super) fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// Where the next quotation mark is, from a place on.
    #[inline]
    pub(super) fn quote(&self, from: usize) -> Option<usize> {
        next(&self.quotes, from)
    }

    /// Where the next bracket is, from a place on.
    #[inline]
    pub(super) fn bracket(&self, from: usize) -> Option<usize> {
        next(&self.brackets, from)
    }

    /// Whether `is_wanted` is true of a quotation mark of the places that has another one so far after it; `far` is below 64.
    pub(super) fn any_pair(
        &self,
        within: Range<usize>,
        far: usize,
        mut is_wanted: impl FnMut(usize) -> bool,
    ) -> bool {
        for number in within.start / WORD..within.end.div_ceil(WORD).min(self.quotes.len()) {
            let after = self.quotes.get(number + 1).copied().unwrap_or(0);
            let mut found =
                self.quotes[number] & (self.quotes[number] >> far | after << (WORD - far));
            while found != 0 {
                let at = number * WORD + found.trailing_zeros() as usize;
                if within.contains(&at) && is_wanted(at) {
                    return true;
                }
                found &= found - 1;
            }
        }
        false
    }
}

#[inline]
fn next(words: &[u64], from: usize) -> Option<usize> {
    let mut number = from / WORD;
    let mut word = words.get(number)? & (u64::MAX << (from % WORD));
    while word == 0 {
        number += 1;
        word = *words.get(number)?;
    }
    Some(number * WORD + word.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The marks, a byte at a time.
    fn plainly(text: &str) -> Option<(Vec<usize>, Vec<usize>)> {
        let (mut quotes, mut brackets) = (Vec::new(), Vec::new());
        let (mut is_open, mut is_escaped) = (false, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'"' if !is_escaped => {
                    quotes.push(at);
                    is_open = !is_open;
                }
                b'[' | b']' | b'{' | b'}' if !is_open => brackets.push(at),
                _ => {}
            }
            if is_open && byte < 0x20 {
                return None;
            }
            is_escaped = byte == b'\\' && !is_escaped;
        }
        (!is_open).then_some((quotes, brackets))
    }

    fn every(next: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
        std::iter::successors(next(0), |last| next(last + 1)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn marks_are_those_that_a_byte_at_a_time_finds(
            text in r#"([\[\]{}"":, a0é]|\\\\|\\"|\\|\n){0,200}"#,
            far in 1..WORD,
            ends in (0..250usize, 0..250usize),
        ) {
            let found = Marks::of(&text);
            let expected = plainly(&text);
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some((quotes, brackets))) = (found, expected) {
                prop_assert_eq!(every(|from| found.quote(from)), quotes.clone());
                prop_assert_eq!(every(|from| found.bracket(from)), brackets);
                prop_assert_eq!(found.has_escapes(), text.contains('\\'));
                let within = ends.0.min(ends.1)..ends.0.max(ends.1);
                let mut pairs = Vec::new();
                found.any_pair(within.clone(), far, |at| {
                    pairs.push(at);
                    false
                });
                let expected = quotes.iter().filter(|at| within.contains(at) && quotes.contains(&(**at + far)));
                prop_assert_eq!(pairs, expected.copied().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn marks_at_the_ends_of_blocks_are_found() {
        for length in 60..70 {
            let text = format!(r#"["{}"]"#, "x".repeat(length));
            let marks = Marks::of(&text).unwrap();
            assert_eq!(every(|from| marks.quote(from)), [1, length + 2]);
            assert_eq!(every(|from| marks.bracket(from)), [0, length + 3]);
        }
    }
}
