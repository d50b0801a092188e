// SPDX-License-Identifier: MIT OR Apache-2.0
//! Captures of PowerShell's Format-List, and `-o list`.
//!
//! What a capture may hold besides `Name : value` lines: prompts, indentation by whoever pasted it, values that go on in the next lines
//! with or without indentation, words broken at the console's width, objects without an empty line between them. Where a line break
//! may have been a blank or nothing, [`Widths::is_broken_word`] decides.

use serde_json::{Map, Value};

use super::{ListingError, structure};

/// Reads the objects of a capture.
pub(super) fn read(text: &str) -> Result<Vec<Value>, ListingError> {
    let blocks = blocks(text);
    if blocks.is_empty() {
        return Err(ListingError::Neither);
    }
    let widths = Widths::of(&blocks);
    Ok(blocks
        .iter()
        .map(|block| {
            let mut members = Map::new();
            for field in &block.fields {
                members.insert(field.name.to_owned(), structure::read(&field.text(&widths)));
            }
            Value::Object(members)
        })
        .collect())
}

/// The text from its first line that is neither empty nor a prompt.
pub(super) fn without_prompts(text: &str) -> &str {
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        if !line.trim().is_empty() && !is_prompt(line) {
            break;
        }
        rest = after;
    }
    rest
}

/// An object: fields that follow each other.
#[derive(Default)]
struct Block<'a> {
    fields: Vec<Field<'a>>,
}

/// A field: its name and the lines of its value.
struct Field<'a> {
    name: &'a str,
    /// Characters before the name.
    indent: usize,
    /// Characters before the value.
    column: usize,
    /// The lines that the value stands on; the first begins after the colon.
    lines: Vec<Line<'a>>,
}

/// A line of a value.
struct Line<'a> {
    text: &'a str,
    /// Characters of the whole line, without blanks at its end.
    length: usize,
    /// Whether there are blanks at its end.
    ends_blank: bool,
}

impl<'a> Line<'a> {
    fn new(line: &'a str, text: &'a str) -> Self {
        Line {
            text: text.trim(),
            length: line.trim_end().chars().count(),
            ends_blank: line.ends_with([' ', '\t', '\u{a0}']),
        }
    }
}

/// Sorts lines into objects and fields; drops what stands outside.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.trim().is_empty() || is_prompt(line) || line.trim_start().starts_with("```") {
            open = false;
            continue;
        }
        let current = blocks.last_mut().filter(|_| open);
        match (field(line), current) {
            (Some(field), Some(block))
                if field.indent <= block.fields[0].indent
                    && !block.fields.iter().any(|own| own.name == field.name) =>
            {
                block.fields.push(field);
            }
            // A name that the object already has begins the next object, where an author cut the empty line.
            (Some(field), current)
                if current
                    .as_ref()
                    .is_none_or(|block| field.indent <= block.fields[0].indent) =>
            {
                blocks.push(Block {
                    fields: vec![field],
                });
                open = true;
            }
            (_, Some(block)) => {
                if let Some(field) = block.fields.last_mut() {
                    field.lines.push(Line::new(line, line));
                }
            }
            (_, None) => {}
        }
    }
    blocks
}

/// A line `Name : value`, where at least one blank stands before the colon, as in every Format-List.
fn field(line: &str) -> Option<Field<'_>> {
    let start = line.find(|character: char| !character.is_whitespace())?;
    let rest = &line[start..];
    let length = rest
        .find(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '-')))?;
    let (name, rest) = rest.split_at(length);
    let padded = rest.trim_start();
    let value = padded.strip_prefix(':')?;
    if !name.starts_with(char::is_alphabetic)
        || padded.len() == rest.len()
        || !(value.is_empty() || value.starts_with(char::is_whitespace))
    {
        return None;
    }
    Some(Field {
        name,
        indent: line[..start].chars().count(),
        column: line[..line.len() - value.len()].chars().count() + 1,
        lines: vec![Line::new(line, value)],
    })
}

/// Whether a line is a prompt with the command after it.
fn is_prompt(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with("PS ") && line.contains('>'))
        || line.starts_with("$ ")
        || line.starts_with("> ")
        || line.starts_with("# ")
}

impl Field<'_> {
    /// The value on one line.
    fn text(&self, widths: &Widths) -> String {
        let mut text = String::new();
        let mut lines = self.lines.iter().peekable();
        while let Some(line) = lines.next() {
            text.push_str(line.text);
            if let Some(next) = lines.peek()
                && !text.is_empty()
                && !widths.is_broken_word(&text, line, next, self.column)
            {
                text.push(' ');
            }
        }
        text
    }
}

/// What the line lengths of a capture tell about the console.
struct Widths {
    /// Characters of the longest line.
    widest: usize,
    /// Whether at least two lines go on in the next, and all such lines fill the console, but for a blank at the end that a paste may
    /// have lost: a console that breaks at the last column, whatever stands there (as PowerShell does in languages without blanks).
    breaks_anywhere: bool,
}

impl Widths {
    fn of(blocks: &[Block<'_>]) -> Self {
        let fields = || blocks.iter().flat_map(|block| &block.fields);
        let widest = fields()
            .flat_map(|field| &field.lines)
            .map(|line| line.length)
            .max()
            .unwrap_or(0);
        let mut count = 0;
        let mut all_full = true;
        for line in fields().flat_map(|field| &field.lines[..field.lines.len() - 1]) {
            count += 1;
            all_full &= line.length + 1 >= widest;
        }
        Widths {
            widest,
            breaks_anywhere: count >= 2 && all_full,
        }
    }

    /// Whether the break between two lines fell inside a word, so that no blank belongs there.
    ///
    /// PowerShell moves a word that does not fit to the next line, unless it is longer than a line; then it fills this line to the last
    /// column first.
    fn is_broken_word(
        &self,
        so_far: &str,
        line: &Line<'_>,
        next: &Line<'_>,
        column: usize,
    ) -> bool {
        let between_items = so_far.starts_with(['@', '{']) && so_far.ends_with([';', ',']);
        if line.ends_blank || line.length < self.widest || between_items {
            return false;
        }
        let last = so_far.rsplit(' ').next().unwrap_or_default();
        let first = next.text.split(' ').next().unwrap_or_default();
        let word = last.chars().count() + first.chars().count();
        self.breaks_anywhere || word > self.widest.saturating_sub(column)
    }
}
