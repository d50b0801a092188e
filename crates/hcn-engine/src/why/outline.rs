// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of an endpoint's document, as far as it need be read to know where its policies are.
//!
//! Apart from the documents of `hcn-schema`, which are read whole: of a hundred endpoints with a hundred rules each, a question about one flow
//! concerns a few rules of two of them. Text that is not as expected is read whole after all, so that nothing hangs on how it is written.

use std::ops::Range;

use hcn_schema::{Document, Endpoint};

use super::marks::Marks;

/// The text of an endpoint's document.
#[derive(Clone, Debug)]
pub struct Outline {
    pub(super) text: String,
    /// What can be told at a glance; none where only reading all of it can tell.
    glance: Option<Glance>,
}

/// The shape of a document.
#[derive(Clone, Debug)]
struct Glance {
    marks: Marks,
    /// Where its list of policies is.
    policies: Option<Range<usize>>,
    /// Whether a policy may translate.
    translates: bool,
}

impl Glance {
    fn at(text: &str) -> Option<Self> {
        let marks = Marks::of(text)?;
        let mut reader = Reader {
            text,
            marks: &marks,
            at: 0,
        };
        let (mut policies, mut translates) = (None, false);
        reader.members(|reader, key| {
            if !key.eq_ignore_ascii_case("Policies") {
                return reader.skip();
            }
            // Of two lists, it is for the document to say which counts.
            if policies.is_some() || reader.next()? != b'[' {
                return None;
            }
            let begin = reader.at;
            reader.skip()?;
            translates = reader.may_translate(begin);
            policies = Some(begin..reader.at);
            Some(())
        })?;
        reader.next().is_none().then_some(())?;
        Some(Glance {
            policies,
            translates,
            marks,
        })
    }
}

impl Outline {
    /// Looks over a document.
    pub fn of(text: String) -> Self {
        Outline {
            glance: Glance::at(&text),
            text,
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where its list of policies is, and what reads them; none where there is none that can be told at a glance.
    pub(super) fn policies(&self) -> Option<(Range<usize>, Reader<'_>)> {
        let glance = self.glance.as_ref()?;
        let policies = glance.policies.clone()?;
        let reader = Reader {
            text: &self.text,
            marks: &glance.marks,
            at: policies.start,
        };
        Some((policies, reader))
    }

    /// The document without its rules: policies that translate (published ports, `OutBoundNAT`) stay, each in its place.
    pub fn sketch(&self) -> Option<Endpoint> {
        let whole = || Endpoint::from_json(&self.text).ok();
        let Some((range, mut reader)) = self.policies() else {
            return whole();
        };
        if !self.glance.as_ref().is_some_and(|glance| glance.translates) {
            return self.with_policies(range, "[]");
        }
        let mut kept = "[".to_owned();
        let read = reader.items(|reader| {
            reader.next()?;
            let begin = reader.at;
            reader.skip()?;
            if kept.len() > 1 {
                kept.push(',');
            }
            kept.push_str(if reader.may_translate(begin) {
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
    marks: &'t Marks,
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
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
        let end = self.marks.quote(begin)?;
        let text = &self.text[begin..end];
        self.at = end + 1;
        // An escape stands for something else.
        let is_plain = !self.marks.has_escapes() || !text.contains('\\');
        is_plain.then_some(text)
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

    /// Passes over a value of any kind.
    pub(super) fn skip(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => self.at = self.marks.quote(self.at + 1)? + 1,
            b'{' | b'[' => {
                let mut depth = 0usize;
                loop {
                    self.at = self.marks.bracket(self.at)?;
                    match self.byte()? {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => return None,
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                let of_scalar =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let begin = self.at;
                while self.byte().as_ref().is_some_and(of_scalar) {
                    self.at += 1;
                }
                // Nothing that JSON has.
                (self.at > begin).then_some(())?;
            }
        }
        Some(())
    }

    /// Whether a policy from a place up to here may translate packets; an escape may stand for anything.
    fn may_translate(&self, begin: usize) -> bool {
        // Both names are of one length, so that few texts need a look.
        const NAMES: [&str; 2] = ["PortMapping", "OutBoundNAT"];
        const LENGTH: usize = NAMES[0].len();
        let is_name = |quote: usize| {
            let text = self.text.get(quote + 1..=quote + LENGTH);
            // Comparing without case takes a while, and few texts begin like one of them.
            text.filter(|text| matches!(text.as_bytes(), [b'p' | b'P' | b'o' | b'O', ..]))
                .is_some_and(|text| NAMES.iter().any(|name| text.eq_ignore_ascii_case(name)))
        };
        (self.marks.has_escapes() && self.since(begin).contains('\\'))
            || self.marks.any_pair(begin..self.at, LENGTH + 1, is_name)
    }
}
