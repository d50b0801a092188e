// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of an endpoint's document, as far as it need be read to know where its policies are.
//!
//! Apart from the documents of `hcn-schema`, which are read whole: of a hundred endpoints with a hundred rules each, a question about one flow
//! concerns a few rules of two of them. Text that is not as expected is read whole after all, so that nothing hangs on how it is written.

use std::ops::Range;

use hcn_schema::{Document, Endpoint};

/// The text of an endpoint's document.
#[derive(Clone, Debug)]
pub struct Outline {
    pub(super) text: String,
    /// Where its list of policies is; none where there is none, or none that can be told at a glance.
    pub(super) policies: Option<Range<usize>>,
    /// Whether a policy may translate.
    translates: bool,
}

/// Where a document has its policies, and whether one of them may translate; `None` where only reading all of it can tell.
fn glance(text: &str) -> Option<(Option<Range<usize>>, bool)> {
    let mut reader = Reader::new(text);
    let (mut policies, mut translates) = (None, false);
    reader.members(|reader, key| {
        if !key.eq_ignore_ascii_case("Policies") {
            return reader.skip(|_| {});
        }
        // Of two lists, it is for the document to say which counts.
        if policies.is_some() || reader.next()? != b'[' {
            return None;
        }
        let begin = reader.at;
        reader.skip(|text| translates |= may_translate(text))?;
        policies = Some(begin..reader.at);
        Some(())
    })?;
    reader.next().is_none().then_some((policies, translates))
}

/// Whether a policy that has such a text may translate packets; an escape may stand for anything.
#[inline]
fn may_translate(text: Text<'_>) -> bool {
    // Both names are of one length, so that most texts need no second look.
    const NAMES: [&str; 2] = ["PortMapping", "OutBoundNAT"];
    let is = |name: &str| text.written.eq_ignore_ascii_case(name);
    text.is_escaped || (text.written.len() == NAMES[0].len() && NAMES.into_iter().any(is))
}

/// A text as JSON has it.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    written: &'t str,
    is_escaped: bool,
}

impl Outline {
    /// Looks over a document.
    pub fn of(text: String) -> Self {
        let (policies, translates) = glance(&text).unwrap_or((None, true));
        Outline {
            text,
            policies,
            translates,
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document without its rules: policies that translate (published ports, `OutBoundNAT`) stay, each in its place.
    pub fn sketch(&self) -> Option<Endpoint> {
        let whole = || Endpoint::from_json(&self.text).ok();
        let Some(range) = self.policies.clone() else {
            return whole();
        };
        if !self.translates {
            return self.with_policies(range, "[]");
        }
        let mut reader = Reader::new(&self.text[range.clone()]);
        let mut kept = "[".to_owned();
        let read = reader.items(|reader| {
            reader.next()?;
            let begin = reader.at;
            let mut translates = false;
            reader.skip(|text| translates |= may_translate(text))?;
            if kept.len() > 1 {
                kept.push(',');
            }
            kept.push_str(if translates {
                reader.since(begin)
            } else {
                "{}"
            });
            Some(())
        });
        kept.push(']');
        read.and_then(|()| self.with_policies(range, &kept))
            .or_else(whole)
    }

    /// The document with other policies in place of its own.
    pub(super) fn with_policies(&self, own: Range<usize>, policies: &str) -> Option<Endpoint> {
        let (before, after) = (&self.text[..own.start], &self.text[own.end..]);
        let mut text = String::with_capacity(before.len() + policies.len() + after.len());
        text.push_str(before);
        text.push_str(policies);
        text.push_str(after);
        Endpoint::from_json(&text).ok()
    }
}

/// Reads JSON text so far as it is written plainly.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Reader { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white; it is not taken.
    pub(super) fn next(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes the next byte that is not white, if it is this one.
    pub(super) fn takes(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// The text up to where the reader is.
    pub(super) fn since(&self, begin: usize) -> &'t str {
        &self.text[begin..self.at]
    }

    /// A text without escapes.
    pub(super) fn plain_text(&mut self) -> Option<&'t str> {
        self.takes(b'"')?;
        let begin = self.at;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' | ..0x20 => return None,
                _ => self.at += 1,
            }
        }
        let text = self.since(begin);
        self.at += 1;
        Some(text)
    }

    /// A whole number in plain digits.
    pub(super) fn digits(&mut self) -> Option<u32> {
        let first = self.next()?;
        let begin = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.since(begin);
        let is_plain = first != b'0' || digits.len() == 1;
        let ends = matches!(
            self.byte(),
            Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        );
        (is_plain && ends).then(|| digits.parse().ok()).flatten()
    }

    /// The members of an object; `each` reads a value.
    pub(super) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &'t str) -> Option<()>,
    ) -> Option<()> {
        self.takes(b'{')?;
        if self.takes(b'}').is_some() {
            return Some(());
        }
        loop {
            let key = self.plain_text()?;
            self.takes(b':')?;
            each(self, key)?;
            if self.takes(b'}').is_some() {
                return Some(());
            }
            self.takes(b',')?;
        }
    }

    /// The items of a list; `each` reads one.
    pub(super) fn items(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.takes(b'[')?;
        if self.takes(b']').is_some() {
            return Some(());
        }
        loop {
            each(self)?;
            if self.takes(b']').is_some() {
                return Some(());
            }
            self.takes(b',')?;
        }
    }

    /// Passes over a value of any kind; `note` is told every text in it.
    pub(super) fn skip(&mut self, mut note: impl FnMut(Text<'t>)) -> Option<()> {
        let bytes = self.text.as_bytes();
        let (mut at, mut depth) = (self.at, 0usize);
        loop {
            match *bytes.get(at)? {
                b'"' => {
                    let begin = at + 1;
                    let mut is_escaped = false;
                    at = begin;
                    loop {
                        // Nothing else of a text matters, and most of a document is texts.
                        let rest = bytes.get(at..)?;
                        at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                        if bytes[at] == b'"' {
                            break;
                        }
                        is_escaped = true;
                        at += 2;
                    }
                    let written = &self.text[begin..at];
                    note(Text {
                        written,
                        is_escaped,
                    });
                    at += 1;
                }
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    at += 1;
                    continue;
                }
                b',' | b':' if depth > 0 => {
                    at += 1;
                    continue;
                }
                _ => {
                    let of_scalar = |byte: &u8| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
                    };
                    let rest = &bytes[at..];
                    let length = rest.iter().position(|byte| !of_scalar(byte));
                    // Nothing that JSON has.
                    if length == Some(0) {
                        return None;
                    }
                    at += length.unwrap_or(rest.len());
                }
            }
            if depth == 0 {
                self.at = at;
                return Some(());
            }
        }
    }
}
