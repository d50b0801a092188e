// SPDX-License-Identifier: MIT OR Apache-2.0
//! `-o json`: document texts, indented by two blanks, without parsing them.
//!
//! Apart because a listing of 10,000 objects is mostly this: the documents are already JSON text, so one pass over the bytes that
//! knows strings from structure gives the same output as parsing and printing, without a tree. Invariant: the values are not touched;
//! only white space between tokens changes.

use std::io::{self, Write};

/// Writes a list of documents: `[]`, or one indented document after the other between brackets.
///
/// # Errors
/// Those of `out`.
pub fn write_list<W: Write, T: AsRef<str>>(
    out: &mut W,
    documents: impl IntoIterator<Item = T>,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(FLUSH_AT + FLUSH_AT / 4);
    let mut empty = true;
    buffer.push(b'[');
    for document in documents {
        if !empty {
            buffer.push(b',');
        }
        empty = false;
        new_line(&mut buffer, 1);
        indent(&mut buffer, document.as_ref(), 1);
        if buffer.len() >= FLUSH_AT {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    if !empty {
        buffer.push(b'\n');
    }
    buffer.extend_from_slice(b"]\n");
    out.write_all(&buffer)
}

/// Writes one document.
///
/// # Errors
/// Those of `out`.
pub fn write_object<W: Write>(out: &mut W, document: &str) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(document.len() * 2);
    indent(&mut buffer, document, 0);
    buffer.push(b'\n');
    out.write_all(&buffer)
}

/// Bytes that are collected before they are handed on.
const FLUSH_AT: usize = 256 * 1024;

/// Blanks of one step.
const STEP: usize = 2;

/// What a byte outside a string means.
#[derive(Clone, Copy)]
enum Meaning {
    /// Part of a number or a word.
    Plain,
    White,
    Quote,
    Open,
    Close,
    Comma,
    Colon,
}

static MEANINGS: [Meaning; 256] = {
    let mut meanings = [Meaning::Plain; 256];
    meanings[b' ' as usize] = Meaning::White;
    meanings[b'\n' as usize] = Meaning::White;
    meanings[b'\r' as usize] = Meaning::White;
    meanings[b'\t' as usize] = Meaning::White;
    meanings[b'"' as usize] = Meaning::Quote;
    meanings[b'{' as usize] = Meaning::Open;
    meanings[b'[' as usize] = Meaning::Open;
    meanings[b'}' as usize] = Meaning::Close;
    meanings[b']' as usize] = Meaning::Close;
    meanings[b',' as usize] = Meaning::Comma;
    meanings[b':' as usize] = Meaning::Colon;
    meanings
};

/// Appends the document, indented, to the buffer. A text that is no JSON comes out as some text with all its tokens; nothing panics.
fn indent(buffer: &mut Vec<u8>, document: &str, depth: usize) {
    let bytes = document.as_bytes();
    let mut depth = depth;
    let mut at = 0;
    // Bytes from here on are not copied yet: runs are longer than tokens, and copying has a price a piece.
    let mut start = 0;
    while at < bytes.len() {
        match MEANINGS[bytes[at] as usize] {
            Meaning::Plain => at += 1,
            Meaning::Quote => at = string_end(bytes, at),
            Meaning::White => {
                buffer.extend_from_slice(&bytes[start..at]);
                at += 1;
                start = at;
            }
            Meaning::Open => {
                at += 1;
                buffer.extend_from_slice(&bytes[start..at]);
                at = skip_white(bytes, at);
                start = at;
                match bytes.get(at) {
                    Some(b'}' | b']') => at += 1,
                    _ => {
                        depth += 1;
                        new_line(buffer, depth);
                    }
                }
            }
            Meaning::Close => {
                buffer.extend_from_slice(&bytes[start..at]);
                depth = depth.saturating_sub(1);
                new_line(buffer, depth);
                start = at;
                at += 1;
            }
            Meaning::Comma => {
                at += 1;
                buffer.extend_from_slice(&bytes[start..at]);
                new_line(buffer, depth);
                start = at;
            }
            Meaning::Colon => {
                at += 1;
                buffer.extend_from_slice(&bytes[start..at]);
                buffer.push(b' ');
                start = at;
            }
        }
    }
    buffer.extend_from_slice(&bytes[start..]);
}

/// The index after the string that begins at `start`, or the end of the text where it is not closed.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            // The byte after a backslash is never the closing quote.
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn skip_white(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|byte| matches!(MEANINGS[*byte as usize], Meaning::White))
    {
        at += 1;
    }
    at
}

fn new_line(buffer: &mut Vec<u8>, depth: usize) {
    const LINE: &[u8; 65] = b"\n                                                                ";
    let blanks = depth * STEP;
    match LINE.get(..=blanks) {
        Some(line) => buffer.extend_from_slice(line),
        None => {
            buffer.push(b'\n');
            buffer.resize(buffer.len() + blanks, b' ');
        }
    }
}

#[cfg(test)]
mod tests;
