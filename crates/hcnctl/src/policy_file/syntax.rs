// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file that is no YAML, or no JSON: what the parser tells, and what to write.
//!
//! Apart from the tree, because a parser tells where it stopped, and a person has to know what is missing: here the text is looked at again. Invariant:
//! only the words depend on this, never whether a file is taken.

use super::problem::{Place, Problem};

/// Characters of a line that are worth showing.
const MOST_SHOWN: usize = 40;

/// The mistake for what the parser says of a place.
pub fn problem_of(text: &str, at: Place, said: &str, deepest: usize) -> Problem {
    if said.contains("recursion limit") {
        return too_deep(at, deepest);
    }
    let form = if is_json(text) { "JSON" } else { "YAML" };
    Problem {
        place: at,
        field: String::new(),
        message: format!("this is not {form}: {said}"),
        fix: fix(text, at, said),
    }
}

/// The mistake of too many levels.
pub fn too_deep(place: Place, deepest: usize) -> Problem {
    Problem {
        place,
        field: String::new(),
        message: format!("more than {deepest} levels stand in each other"),
        fix: "a policy has at most five".to_owned(),
    }
}

/// Whether the text begins as JSON does.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '[']) || text.starts_with("//") || text.starts_with("/*")
}

fn fix(text: &str, at: Place, said: &str) -> String {
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let here: String = line.chars().skip(at.column - 1).collect();
    let is_json = is_json(text);
    if said.contains("escape") || said.contains("surrogate") || said.contains("hexadecimal") {
        return "a \\ in double quotes begins an escape; write \\\\ for a \\ itself".to_owned();
    }
    if said.contains("anchor or alias") || said.contains("unknown anchor") {
        let word = here
            .split([' ', '\t', ',', ']', '}'])
            .next()
            .unwrap_or_default();
        let key = line.trim_start_matches([' ', '-', '{']);
        return match key.starts_with("ports") {
            true => "write any for all protocols and ports".to_owned(),
            false => format!(
                "* and & have a meaning of their own in YAML; put it in quotes: {:?}",
                cut(word)
            ),
        };
    }
    if said.contains("simple key expected") {
        let key = cut(here.trim_end());
        return match (key.split_once(':'), key.split_once(' ')) {
            (Some((key, value)), _) => {
                format!(
                    "write a space behind the colon: \"{key}: {}\"",
                    value.trim_start()
                )
            }
            (None, Some((key, value))) => {
                format!(
                    "write a colon behind the key: \"{key}: {}\"",
                    value.trim_start()
                )
            }
            (None, None) => format!("write a colon, a space and a value behind {key:?}"),
        };
    }
    if said.contains("quote") && said.contains("unclosed") {
        let quote = here.chars().next().filter(|one| "'\"".contains(*one));
        return format!("close the quote with {}", quote.unwrap_or('"'));
    }
    if said.contains("document") {
        return match is_json {
            true => "take away what stands behind the last bracket".to_owned(),
            false => "keep one policy in a file".to_owned(),
        };
    }
    if said.contains("unexpected character") {
        return "take the character away".to_owned();
    }
    if let Some((bracket, place)) =
        open_bracket(text, at, said.contains("EOF") || said.contains("unclosed"))
    {
        let other = if bracket == '[' { ']' } else { '}' };
        let close = format!("close the {bracket} of line {} with {other}", place.line);
        return match said.contains(&format!("'{other}'")) {
            true => format!("write a comma before this, or {close}"),
            false => close,
        };
    }
    if said.contains("mapping values")
        || said.contains("indentation")
        || said.contains("block mapping")
    {
        return "indent the members of one mapping alike, and put a text with \": \" in quotes"
            .to_owned();
    }
    if said.contains("'-'") || said.contains("block sequence") {
        return "begin each item of a list with \"- \", one below the other".to_owned();
    }
    match at.line {
        1 => "correct the line".to_owned(),
        _ => "correct the line, or the one before it".to_owned(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a character is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    /// Within these quotes.
    Quoted(char),
    /// To the end of the line.
    Comment,
}

/// The characters that stand in no quotes and no comment of YAML, with their places and what is before each in its line.
fn plain(text: &str) -> impl Iterator<Item = (Place, Option<char>, char)> {
    let mut part = Part::Plain;
    let mut place = Place { line: 1, column: 0 };
    let mut before = None;
    let mut is_escaped = false;
    text.chars().filter_map(move |one| {
        place.column += 1;
        let last = before.replace(one);
        let own = place;
        if one == '\n' {
            place = Place {
                line: place.line + 1,
                column: 0,
            };
            before = None;
            if part == Part::Comment {
                part = Part::Plain;
            }
            return None;
        }
        let begins = last.is_none_or(|last| last.is_whitespace() || ",[]{}:".contains(last));
        match part {
            Part::Plain if one == '#' && last.is_none_or(char::is_whitespace) => {
                part = Part::Comment;
                None
            }
            Part::Plain if "'\"".contains(one) && begins => {
                part = Part::Quoted(one);
                None
            }
            Part::Plain => Some((own, last, one)),
            Part::Quoted(quote) => {
                if one == quote && !is_escaped {
                    part = Part::Plain;
                }
                is_escaped = quote == '"' && one == '\\' && !is_escaped;
                None
            }
            Part::Comment => None,
        }
    })
}

/// The innermost bracket that is open at a place, or at the end.
fn open_bracket(text: &str, at: Place, at_end: bool) -> Option<(char, Place)> {
    let mut open = Vec::new();
    for (place, _, one) in plain(text) {
        if place >= at && !at_end {
            break;
        }
        match one {
            '[' | '{' => open.push((one, place)),
            ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

/// A `//` or `/*` where JSON has none.
pub fn json_comment(text: &str) -> Option<Place> {
    if !is_json(text) {
        return None;
    }
    let mut all = plain(text).peekable();
    while let Some((place, last, one)) = all.next() {
        let begins = last.is_none_or(|last| last.is_whitespace() || ",[]{}".contains(last));
        let is_next = |next: &(Place, Option<char>, char)| {
            "/*".contains(next.2) && next.0.line == place.line && next.0.column == place.column + 1
        };
        if one == '/' && begins && all.peek().is_some_and(is_next) {
            return Some(place);
        }
    }
    None
}

/// The last place of a character before another place.
pub fn last_before(text: &str, at: Place, sign: char) -> Option<Place> {
    // The first of several in a row: `!!str` is one tag.
    let before = plain(text).take_while(|(place, ..)| *place < at);
    let signs = before.filter(|(_, last, one)| *one == sign && *last != Some(sign));
    signs.last().map(|(place, ..)| place)
}
