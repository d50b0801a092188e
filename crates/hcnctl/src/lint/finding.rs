// SPDX-License-Identifier: MIT OR Apache-2.0
//! One finding: which check, where, what it means here, what shows it, and what to do.
//!
//! Apart from the checks because text, JSON and SARIF are made of it. A pointer leads into the document as it was read, spelled as the document
//! spells its keys.

use std::fmt;

use hcn_engine::{Direction, Flow};
use hcn_schema::Guid;
use serde_json::Value;

use super::{
    fix::{Edit, Fix},
    subject::Subject,
    table::{self, Check, Severity},
};

/// An object by its kind, id and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// `network`, `endpoint` or `loadbalancer`.
    pub kind: &'static str,
    /// Its id; one that was made up for a document without any.
    pub id: Guid,
    /// Its name, where it has one.
    pub name: String,
}

/// What shows that a finding is so.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// A packet, and what becomes of it.
    Packet {
        /// The packet.
        flow: Flow,
        /// Which way it crosses the port.
        direction: Direction,
        /// What happens to it, and why.
        outcome: String,
    },
    /// Another place, of the same object unless said.
    Place {
        /// The object, where it is another one.
        object: Option<ObjectName>,
        /// JSON pointer into its document.
        pointer: String,
        /// What stands there, in words.
        text: String,
    },
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// Its severity here: that of the check, or less.
    pub severity: Severity,
    /// Where.
    pub object: ObjectName,
    /// JSON pointer into the object's document; empty for the object as a whole.
    pub pointer: String,
    /// What is so, in a sentence.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub fix: Fix,
}

impl Finding {
    /// A finding with the check's severity and its usual fix in words.
    pub(super) fn new(
        check: &'static str,
        object: &ObjectName,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        let check = table::named(check);
        Finding {
            check,
            severity: check.severity,
            object: object.clone(),
            pointer: pointer.into(),
            message: message.into(),
            evidence: Vec::new(),
            fix: Fix::in_words(clause(check.fix)),
        }
    }

    pub(super) fn noted(mut self) -> Finding {
        self.severity = Severity::Note;
        self
    }

    pub(super) fn with(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Finding {
        self.evidence.extend(evidence);
        self
    }

    pub(super) fn fixed_by(mut self, fix: Fix) -> Finding {
        self.fix = fix;
        self
    }

    /// Spells all pointers as the documents do.
    pub(super) fn spell(&mut self, subject: &Subject) {
        let document = subject.document(&self.object);
        self.pointer = spelled(document, &self.pointer);
        for edit in &mut self.fix.edits {
            let (Edit::Remove(pointer)
            | Edit::Set(pointer, _)
            | Edit::Append(pointer, _)
            | Edit::Rename(pointer, _)) = edit;
            *pointer = spelled(document, pointer);
        }
        for evidence in &mut self.evidence {
            if let Evidence::Place {
                object, pointer, ..
            } = evidence
            {
                let document = subject.document(object.as_ref().unwrap_or(&self.object));
                *pointer = spelled(document, pointer);
            }
        }
    }
}

/// Letters of a document that are shown as evidence.
const SHOWN: usize = 120;

impl Finding {
    /// Where a check has nothing else to show: what stands at the place.
    pub(super) fn show(&mut self, subject: &Subject) {
        if !self.evidence.is_empty() {
            return;
        }
        let Some(document) = subject.document(&self.object) else {
            return;
        };
        let mut pointer = self.pointer.as_str();
        let value = loop {
            match document.pointer(pointer) {
                Some(value) => break value,
                None => pointer = pointer.rsplit_once('/').map_or("", |(above, _)| above),
            }
        };
        let text = crate::render::plain(value);
        let shown: String = text.chars().take(SHOWN).collect();
        let text = match shown.len() == text.len() {
            true => text,
            false => format!("{shown}…"),
        };
        self.evidence = vec![place(pointer, text)];
    }
}

/// A sentence as a part of a line.
fn clause(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// A place of the same document.
pub(super) fn place(pointer: &str, text: impl Into<String>) -> Evidence {
    Evidence::Place {
        object: None,
        pointer: pointer.to_owned(),
        text: text.into(),
    }
}

/// A place of another document.
pub(super) fn place_of(object: &ObjectName, pointer: &str, text: impl Into<String>) -> Evidence {
    Evidence::Place {
        object: Some(object.clone()),
        pointer: pointer.to_owned(),
        text: text.into(),
    }
}

/// What a pointer leads to, in whatever case its keys are.
pub(super) fn at<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    document.pointer(&spelled(Some(document), pointer))
}

/// Whether a pointer leads to something, in whatever case its keys are.
pub(super) fn is_there(document: &Value, pointer: &str) -> bool {
    at(document, pointer).is_some()
}

/// The pointer with every key as the document spells it; from a key on that it does not have, as it was.
fn spelled(document: Option<&Value>, pointer: &str) -> String {
    let mut at = document;
    let mut text = String::with_capacity(pointer.len());
    for token in pointer.split('/').skip(1) {
        let key = unescaped(token);
        let (next, own) = match at {
            Some(Value::Object(members)) => {
                let exact = members.get_key_value(&key);
                let found = exact.or_else(|| {
                    members
                        .iter()
                        .find(|(own, _)| own.eq_ignore_ascii_case(&key))
                });
                match found {
                    Some((own, value)) => (Some(value), escaped(own)),
                    None => (None, token.to_owned()),
                }
            }
            Some(Value::Array(items)) => {
                let item = key.parse().ok().and_then(|place: usize| items.get(place));
                (item, token.to_owned())
            }
            _ => (None, token.to_owned()),
        };
        text.push('/');
        text.push_str(&own);
        at = next;
    }
    text
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The key that a part of a JSON pointer stands for.
pub(super) fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Pointers in the order of the document as far as numbers tell it: `/Policies/9` before `/Policies/10`.
pub(super) fn sort_key(pointer: &str) -> Vec<(u64, String)> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| match token.parse() {
            Ok(number) => (number, String::new()),
            Err(_) => (0, token.to_owned()),
        })
        .collect()
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = match super::subject::is_made_up(self.id) {
            true => "(no id)".to_owned(),
            false => crate::render::short_id(&self.id.upper()),
        };
        match self.name.is_empty() {
            true => f.write_str(&id),
            false => write!(f, "{id} {}", self.name),
        }
    }
}
