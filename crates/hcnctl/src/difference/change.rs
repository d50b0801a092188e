// SPDX-License-Identifier: MIT OR Apache-2.0
//! One change, and its line.

use serde_json::Value;

use crate::render::{plain, shown};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The object in words: kind, short id, name.
    pub object: String,
    /// What the object was matched by, e.g. its whole id.
    pub identity: String,
    /// JSON pointer to the member, in the listing that has it; empty for the whole object.
    pub pointer: String,
    /// What happened.
    pub what: What,
    /// An item in words, where it has words better than its JSON.
    pub words: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It, or an item of a list, is new.
    Added,
    /// It, or an item of a list, is gone.
    Removed,
    /// It has another value.
    Changed,
    /// It has the same items in another order.
    Reordered,
}

impl What {
    /// The word of the JSON form.
    pub fn word(self) -> &'static str {
        match self {
            What::Added => "added",
            What::Removed => "removed",
            What::Changed => "changed",
            What::Reordered => "reordered",
        }
    }
}

impl Change {
    /// The member in words: the pointer without the index of an item that came or went.
    pub fn member(&self) -> String {
        let path = match (self.what, self.pointer.rsplit_once('/')) {
            (What::Added | What::Removed, Some((list, index)))
                if index.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                list
            }
            _ => &self.pointer,
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        shown(&path.replace("~1", "/").replace("~0", "~")).into_owned()
    }

    /// The change on one line.
    pub fn line(&self) -> String {
        let said = |value: &Option<Value>| match value {
            None => "(absent)".to_owned(),
            Some(value) => {
                let text = plain(value);
                if text.is_empty() {
                    "(empty)".to_owned()
                } else {
                    shown(&text).into_owned()
                }
            }
        };
        let item = |value: &Option<Value>| {
            if self.words.is_empty() {
                said(value)
            } else {
                self.words.clone()
            }
        };
        let member = self.member();
        let what = match self.what {
            What::Added if self.pointer.is_empty() => "+ only in the second listing".to_owned(),
            What::Removed if self.pointer.is_empty() => "- only in the first listing".to_owned(),
            What::Added => format!("{member}: + {}", item(&self.after)),
            What::Removed => format!("{member}: - {}", item(&self.before)),
            What::Changed => format!("{member}: {} -> {}", said(&self.before), said(&self.after)),
            What::Reordered => format!("{member}: the same items in another order"),
        };
        format!("{}: {what}", self.object)
    }
}
