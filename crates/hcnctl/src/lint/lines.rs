// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in the text of a listing an object or one of its members stands: line and column.
//!
//! Apart from the listing, whose objects have lost their places when they are read. The text has been read as JSON before it comes here, so that only
//! its structure is looked at; and of a text in which other objects are found than were read there, no place is told. Invariant: no text
//! makes it panic.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use super::finding::unescaped;

/// A place in a text; both count from 1, and a column is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A member of an object or an item of a list.
struct Child {
    /// The key; empty of an item.
    key: String,
    /// Where it begins: a member with its key.
    at: usize,
    /// Where its value begins.
    value: usize,
}

/// The objects of a text.
pub struct Lines {
    text: String,
    /// Where lines begin.
    lines: Vec<usize>,
    /// Characters before each block of the text: a listing may be one line of many megabytes.
    characters: Vec<usize>,
    /// Where objects begin, in the order of the listing.
    objects: Vec<usize>,
    /// What is inside of values that were asked for, by where they begin: findings come many from one list.
    inside: RefCell<HashMap<usize, Rc<[Child]>>>,
}

/// Bytes of a block.
const BLOCK: usize = 4096;

impl Lines {
    /// The text of a listing of so many objects; `None` where it is not one of JSON, or not one that is understood here.
    pub fn of(text: String, objects: usize) -> Option<Lines> {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at + 1))
            .collect();
        let mut before = 0;
        let characters = text.as_bytes().chunks(BLOCK).map(|block| {
            let own = before;
            before += count(block);
            own
        });
        let characters = characters.collect();
        let mut all = Lines {
            text,
            lines,
            characters,
            objects: Vec::new(),
            inside: RefCell::default(),
        };
        all.objects = all.outer();
        (all.objects.len() == objects).then_some(all)
    }

    /// The place that a pointer into an object names; of a member that is not there the place where it would be, its object.
    pub fn place(&self, object: usize, pointer: &str) -> Option<Place> {
        let mut value = *self.objects.get(object)?;
        let mut at = value;
        for token in pointer.split('/').skip(1) {
            let inside = self.inside(value);
            let child = match self.byte(value) {
                Some(b'[') => token
                    .parse()
                    .ok()
                    .and_then(|place: usize| inside.get(place)),
                // Of a key that is there twice the last one was read.
                _ => {
                    let key = unescaped(token);
                    inside.iter().rev().find(|child| child.key == key)
                }
            };
            let Some(child) = child else {
                break;
            };
            (at, value) = (child.at, child.value);
        }
        let line = self.lines.partition_point(|start| *start <= at);
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let column = self
            .characters_before(at)
            .checked_sub(self.characters_before(start))?
            + 1;
        Some(Place { line, column })
    }

    fn characters_before(&self, at: usize) -> usize {
        let block = at / BLOCK;
        let before = self.characters.get(block).copied().unwrap_or_default();
        let rest = self.text.as_bytes().get(block * BLOCK..at);
        before + rest.map_or(0, count)
    }

    /// The objects, as [`crate::listing::read`] finds them: alone, one after the other, in lists and in envelopes.
    fn outer(&self) -> Vec<usize> {
        let mut objects = Vec::new();
        // What a console printed before is not JSON.
        let mut lines = self.lines.iter().copied();
        let begins = |at: &usize| matches!(self.byte(self.solid(*at)), Some(b'{' | b'['));
        let Some(mut at) = lines.find(begins).map(|at| self.solid(at)) else {
            return objects;
        };
        while self.byte(at).is_some() {
            match self.byte(at) {
                Some(b'[') => objects.extend(self.inside(at).iter().map(|item| item.value)),
                _ => match self.enveloped(at) {
                    Some(inner) if self.byte(inner) == Some(b'[') => {
                        objects.extend(self.inside(inner).iter().map(|item| item.value));
                    }
                    inner => objects.push(inner.unwrap_or(at)),
                },
            }
            let end = self.end(at);
            if end <= at {
                break;
            }
            at = self.solid(end);
        }
        objects
    }

    /// What is in an envelope of HNS or of Windows PowerShell.
    fn enveloped(&self, at: usize) -> Option<usize> {
        let members = self.inside(at);
        let of = |name: &str| {
            let mut members = members.iter();
            members.find(|member| member.key.eq_ignore_ascii_case(name))
        };
        match (of("Success"), of("Output"), of("value"), of("Count")) {
            (Some(_), Some(output), ..) => Some(output.value),
            (_, _, Some(value), Some(_)) if members.len() == 2 => Some(value.value),
            _ => None,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first place from here on that is no white space.
    fn solid(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        at + blank.count()
    }

    /// Where the value ends that begins here.
    fn end(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        let mut at = at;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => at = self.end_of_text(at),
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' if depth == 0 => return at,
                b'}' | b']' => {
                    depth -= 1;
                    at += 1;
                }
                b',' if depth == 0 => return at,
                byte if depth == 0 && byte.is_ascii_whitespace() => return at,
                _ => {
                    at += 1;
                    continue;
                }
            }
            if depth == 0 {
                return at;
            }
        }
        at
    }

    fn end_of_text(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = at + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => return at + 1,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return bytes.len(),
            }
        }
    }

    /// Members or items of the value that begins here.
    fn inside(&self, at: usize) -> Rc<[Child]> {
        if let Some(known) = self.inside.borrow().get(&at) {
            return Rc::clone(known);
        }
        let found: Rc<[Child]> = self.children(at).into();
        self.inside.borrow_mut().insert(at, Rc::clone(&found));
        found
    }

    fn children(&self, at: usize) -> Vec<Child> {
        let is_object = match self.byte(at) {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return Vec::new(),
        };
        let mut children = Vec::new();
        let mut next = self.solid(at + 1);
        while !matches!(self.byte(next), None | Some(b'}' | b']')) {
            let begin = next;
            let mut key = String::new();
            if is_object {
                let end = self.end_of_text(next);
                let written = self.text.get(next..end).unwrap_or_default();
                key = serde_json::from_str(written).unwrap_or_default();
                // The colon.
                next = self.solid(self.solid(end) + 1);
            }
            children.push(Child {
                key,
                at: begin,
                value: next,
            });
            let end = self.solid(self.end(next));
            next = match self.byte(end) {
                Some(b',') => self.solid(end + 1),
                _ => end,
            };
            if next <= begin {
                break;
            }
        }
        children
    }
}

/// Characters that begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, objects: usize, object: usize, pointer: &str) -> (usize, usize) {
        let lines = Lines::of(text.to_owned(), objects).unwrap();
        let place = lines.place(object, pointer).unwrap();
        (place.line, place.column)
    }

    #[test]
    fn members_and_items_are_found_where_they_begin() {
        let text = "[\n  {\"é\": \"a\\\"}\", \"Policies\": [\n    {\"Type\": \"ACL\"}, {\"Type\": \"QOS\",\n     \"a/b\": 7}]}\n]";
        for (pointer, wanted) in [
            ("", (2, 3)),
            ("/é", (2, 4)),
            ("/Policies", (2, 17)),
            ("/Policies/0", (3, 5)),
            ("/Policies/1/Type", (3, 23)),
            ("/Policies/1/a~1b", (4, 6)),
            // What is not there would be in what is.
            ("/Policies/1/Settings/Priority", (3, 22)),
            ("/Policies/9", (2, 17)),
        ] {
            assert_eq!(place(text, 1, 0, pointer), wanted, "{pointer}");
        }
    }

    #[test]
    fn objects_are_counted_as_the_listing_counts_them() {
        let all = [
            ("{}\n {\"a\": 1}", 2, (2, 2)),
            ("[{},{\"a\": 1}]", 2, (1, 5)),
            ("{\"success\": true, \"Output\": [{}, {}]}", 2, (1, 34)),
            ("{\"value\": {\"a\": 1}, \"Count\": 1} {}", 2, (1, 33)),
            ("PS C:\\> Get-HnsEndpoint\n[{}, {}]", 2, (2, 6)),
        ];
        for (text, objects, wanted) in all {
            assert_eq!(place(text, objects, 1, ""), wanted, "{text}");
            let read = crate::listing::read(text).unwrap();
            assert_eq!(read.len(), objects, "{text}");
        }
        // Where another number was read, places would be those of others.
        assert!(Lines::of("[{}, {}]".to_owned(), 1).is_none());
        assert!(Lines::of("Name : a\n".to_owned(), 1).is_none());
    }

    /// Whatever stands there; the end of the text may come anywhere.
    #[test]
    fn no_text_makes_it_panic() {
        let text = "[{\"a\\u00e9\": [1, {\"b\": \"\\\\\"}], \"é\": nul, : }] } {\"a\" 1,,";
        let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
        for end in ends {
            for objects in 0..4 {
                let lines = Lines::of(text[..end].to_owned(), objects);
                let Some(lines) = lines else {
                    continue;
                };
                for pointer in ["", "/aé/1/b", "/é/0"] {
                    let place = lines.place(0, pointer);
                    assert!(place.is_none_or(|place| place.line == 1 && place.column >= 1));
                }
            }
        }
    }

    /// A long line with letters of several bytes, past the first blocks.
    #[test]
    fn columns_are_characters_on_long_lines() {
        let names = "é".repeat(5_000);
        let text = format!("[{{\"Name\": \"{names}\"}}, {{}}]");
        let before = text.chars().count() - "{}]".len();
        assert_eq!(place(&text, 2, 1, ""), (1, before + 1));
    }
}
