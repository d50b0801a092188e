// SPDX-License-Identifier: MIT OR Apache-2.0
//! YAML as a tree whose every node knows its place.
//!
//! Apart from the file's own words, because here it is only known what YAML is. A policy file is data that people write: one document, no anchors,
//! no tags, each key once. Invariant: depth and size of the tree are bounded whatever the text is.

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::{
    problem::{Place, Problem},
    syntax::{self, json_comment},
};

/// No policy needs more; ten thousand rules are about 1 MB.
pub const MOST_BYTES: usize = 8 << 20;
/// No policy needs more than five levels.
const DEEPEST: usize = 16;

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text or number; whether it was quoted.
    Text(String, bool),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub place: Place,
    pub text: String,
}

impl Value {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(text, false) if is_nothing(text) => "nothing",
            Value::Text(text, false) if is_number(text) => "a number",
            Value::Text(text, false) if is_truth(text) => "true or false",
            Value::Text(..) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Whether a plain text is YAML's null.
pub fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether a plain text is a number to YAML.
pub fn is_number(text: &str) -> bool {
    let has_digit = text.contains(|one: char| one.is_ascii_digit());
    has_digit && text.parse::<f64>().is_ok() || of_another_base(text).is_some()
}

/// The value of a number that YAML reads to the base 16 or 8: `0x50`, `0o17`.
pub fn of_another_base(text: &str) -> Option<u64> {
    let digits = |prefix: &str, base: u32| {
        let digits = text.strip_prefix(prefix)?;
        let is_one = digits.chars().all(|one| one.is_digit(base));
        is_one.then(|| u64::from_str_radix(digits, base).ok())?
    };
    digits("0x", 16).or_else(|| digits("0o", 8))
}

/// Whether a plain text is a truth value to YAML.
pub fn is_truth(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

fn place(mark: &Marker) -> Place {
    Place {
        line: mark.line().max(1),
        column: mark.col() + 1,
    }
}

fn problem(place: Place, message: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        place,
        field: String::new(),
        message: message.into(),
        fix: fix.into(),
    }
}

/// The bytes of a file as a text: UTF-8, or UTF-16 as PowerShell's `>` writes it.
///
/// # Errors
/// The place of the first byte that is neither.
pub fn decode(bytes: &[u8]) -> Result<String, Problem> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return crate::listing::decode(bytes).map_err(|_| {
            problem(
                Place { line: 1, column: 1 },
                "the file begins as UTF-16 does, and is none",
                "save it as UTF-8",
            )
        });
    }
    str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let good = String::from_utf8_lossy(good);
        let line = good.matches('\n').count() + 1;
        let column = good
            .rsplit('\n')
            .next()
            .map_or(0, |last| last.chars().count())
            + 1;
        problem(
            Place { line, column },
            format!(
                "the byte 0x{:02x} is no UTF-8",
                bad.first().copied().unwrap_or_default()
            ),
            "save the file as UTF-8",
        )
    })
}

/// Reads the one document of a text.
///
/// # Errors
/// The first mistake: what follows it cannot be trusted.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let top = Place { line: 1, column: 1 };
    if text.len() > MOST_BYTES {
        return Err(problem(
            top,
            format!("the file is too large: the most is {MOST_BYTES} bytes"),
            "divide it into policies of different names",
        ));
    }
    if let Some(tab) = tab_in_indentation(text) {
        return Err(problem(
            tab,
            "a tab stands in the indentation, which YAML does not allow",
            "indent with spaces",
        ));
    }
    if let Some(comment) = json_comment(text) {
        return Err(problem(
            comment,
            "a comment stands here, which JSON does not have",
            "take it away; in YAML a comment begins with #",
        ));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        text,
        last: top,
    };
    loop {
        match reader.next()? {
            (Event::DocumentStart(..), _) => break,
            (Event::StreamEnd, _) => {
                return Err(problem(
                    top,
                    "the file is empty",
                    "begin with \"apiVersion: hcnctl/v1\"; docs/apply.md has an example",
                ));
            }
            _ => {}
        }
    }
    let first = reader.next()?;
    let node = reader.node(first, 0)?;
    loop {
        match reader.next()? {
            (Event::DocumentStart(..), span) => {
                return Err(problem(
                    place(&span.start),
                    "a second document begins",
                    "keep one policy in a file, and leave out the line ---",
                ));
            }
            (Event::StreamEnd, _) => return Ok(node),
            _ => {}
        }
    }
}

/// A tab before the first character of a line that is no comment and not within a block of text.
fn tab_in_indentation(text: &str) -> Option<Place> {
    text.lines().enumerate().find_map(|(line, text)| {
        let content = text.trim_start();
        let indentation = &text[..text.len() - content.len()];
        let column = indentation.find('\t')?;
        (!content.is_empty() && !content.starts_with('#')).then_some(Place {
            line: line + 1,
            column: column + 1,
        })
    })
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
    last: Place,
}

impl<'a> Reader<'a> {
    /// The next event that is data.
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                self.last = place(&span.start);
                Ok((event, span))
            }
            Some(Err(error)) => Err(syntax::problem_of(
                self.text,
                place(error.marker()),
                &error.info().to_string(),
                DEEPEST,
            )),
            None => Ok((
                Event::StreamEnd,
                Span::empty(Marker::new(0, self.last.line, 0)),
            )),
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Node, Problem> {
        let at = place(&span.start);
        if depth > DEEPEST {
            return Err(syntax::too_deep(at, DEEPEST));
        }
        let text = self.text;
        // The event stands at the value, and what is not used before it.
        let unused = |what: &str, sign: Option<char>| {
            let place = sign.and_then(|sign| syntax::last_before(text, at, sign));
            problem(
                place.unwrap_or(at),
                format!("{what} are not used in policy files"),
                "write the value itself",
            )
        };
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(_, anchor, tag)
            | Event::MappingStart(_, anchor, tag) => (*anchor, tag.is_some()),
            _ => return Err(unused("anchors and aliases", None)),
        };
        if anchor != 0 {
            return Err(unused("anchors and aliases", Some('&')));
        }
        if tag {
            return Err(unused("tags", Some('!')));
        }
        let value = match event {
            Event::SequenceStart(..) => Value::List(self.list(depth)?),
            Event::MappingStart(..) => Value::Map(self.map(depth)?),
            Event::Scalar(text, style, ..) => {
                Value::Text(text.into_owned(), style != ScalarStyle::Plain)
            }
            _ => return Err(unused("anchors and aliases", None)),
        };
        Ok(Node { place: at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Problem> {
        let mut members: Vec<(Key, Node)> = Vec::new();
        loop {
            let event = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(members),
                event => event,
            };
            let key = self.node(event, depth + 1)?;
            let Value::Text(text, _) = key.value else {
                return Err(problem(
                    key.place,
                    format!("{} stands where a key should", key.value.kind()),
                    "keys are words",
                ));
            };
            if let Some((first, _)) = members.iter().find(|(own, _)| own.text == text) {
                return Err(problem(
                    key.place,
                    format!(
                        "the key {text:?} stands in line {} already",
                        first.place.line
                    ),
                    "keep one of the two",
                ));
            }
            let key = Key {
                place: key.place,
                text,
            };
            let event = self.next()?;
            let node = self.node(event, depth + 1)?;
            members.push((key, node));
        }
    }
}
