// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do about a finding: in words, and where the words leave no choice as edits of the document.
//!
//! Apart because what an edit does to the flows is not believed but compared: the port is compiled before and after, and equal sets of packets
//! have equal handles.

use std::collections::HashMap;

use hcn_engine::{Direction, Documents, Family, Switch, space::Space};
use hcn_schema::Guid;
use serde_json::{Value, json};

use super::{
    finding::{Finding, escaped, unescaped},
    subject::Subject,
};

/// One change of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Takes away what a pointer leads to.
    Remove(String),
    /// Gives a member a value, also one that is not there yet, or an item of a list that is there.
    Set(String, Value),
    /// Puts a value at the end of a list, also of one that is not there yet.
    Append(String, Value),
    /// Gives a member another key: the pointer to it, and the key.
    Rename(String, String),
}

/// What the edits of a fix do to the packets that the port lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flows {
    /// The same packets pass.
    Unchanged,
    /// Other packets pass.
    Changed,
    /// Not compared: no edits, no port, or too many rules.
    Unknown,
}

/// A way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// In words.
    pub words: String,
    /// As edits of the object's document, made one after the other; none where it takes a decision.
    pub edits: Vec<Edit>,
    /// What the edits do to flows.
    pub flows: Flows,
}

/// Rules that are compiled for comparing, all fixes of one endpoint together; beyond, only what cannot change a flow says so.
const COMPARED: usize = 50_000;

impl Fix {
    pub(super) fn in_words(words: impl Into<String>) -> Fix {
        Fix {
            words: words.into(),
            edits: Vec::new(),
            flows: Flows::Unknown,
        }
    }

    pub(super) fn by(words: impl Into<String>, edits: Vec<Edit>) -> Fix {
        Fix {
            edits,
            ..Fix::in_words(words)
        }
    }

    /// Edits that cannot change a flow, by what the check has shown.
    pub(super) fn without_effect(words: impl Into<String>, edits: Vec<Edit>) -> Fix {
        Fix {
            flows: Flows::Unchanged,
            ..Fix::by(words, edits)
        }
    }

    /// The edits as a JSON Patch (RFC 6902).
    pub fn patch(&self, document: &Value) -> Value {
        let operations = self.edits.iter().map(|edit| match edit {
            Edit::Remove(pointer) => json!({"op": "remove", "path": pointer}),
            Edit::Set(pointer, value) => match document.pointer(pointer) {
                Some(_) => json!({"op": "replace", "path": pointer, "value": value}),
                None => json!({"op": "add", "path": pointer, "value": value}),
            },
            Edit::Append(pointer, value) => match document.pointer(pointer) {
                Some(_) => json!({"op": "add", "path": format!("{pointer}/-"), "value": value}),
                None => json!({"op": "add", "path": pointer, "value": [value]}),
            },
            Edit::Rename(pointer, key) => {
                let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                json!({"op": "move", "from": pointer, "path": format!("{parent}/{}", escaped(key))})
            }
        });
        operations.collect()
    }

    /// The document with the edits made; `None` where one of them leads nowhere.
    pub fn applied(&self, document: &Value) -> Option<Value> {
        let mut edited = document.clone();
        for edit in &self.edits {
            match edit {
                Edit::Remove(pointer) => {
                    let (parent, key) = pointer.rsplit_once('/')?;
                    match edited.pointer_mut(parent)? {
                        Value::Array(items) => {
                            let place = key.parse().ok().filter(|place| *place < items.len())?;
                            items.remove(place);
                        }
                        Value::Object(members) => {
                            members.shift_remove(&unescaped(key))?;
                        }
                        _ => return None,
                    }
                }
                Edit::Set(pointer, value) => {
                    if let Some(there) = edited.pointer_mut(pointer) {
                        *there = value.clone();
                        continue;
                    }
                    let (parent, key) = pointer.rsplit_once('/')?;
                    let members = edited.pointer_mut(parent)?.as_object_mut()?;
                    members.insert(unescaped(key), value.clone());
                }
                Edit::Append(pointer, value) => {
                    if let Some(list) = edited.pointer_mut(pointer) {
                        list.as_array_mut()?.push(value.clone());
                    } else {
                        let (parent, key) = pointer.rsplit_once('/')?;
                        let members = edited.pointer_mut(parent)?.as_object_mut()?;
                        members.insert(unescaped(key), json!([value]));
                    }
                }
                Edit::Rename(pointer, to) => {
                    let (parent, key) = pointer.rsplit_once('/')?;
                    let members = edited.pointer_mut(parent)?.as_object_mut()?;
                    let value = members.shift_remove(&unescaped(key))?;
                    members.insert(to.clone(), value);
                }
            }
        }
        Some(edited)
    }
}

/// Finds out what the fixes of endpoints do to flows, where it is open.
pub(super) fn compare_flows(subject: &Subject, found: &mut [Finding]) {
    let mut compiled: HashMap<Guid, usize> = HashMap::new();
    for finding in found {
        let is_open = finding.fix.flows == Flows::Unknown && !finding.fix.edits.is_empty();
        if !is_open || finding.object.kind != "endpoint" {
            continue;
        }
        let Some(document) = subject.document(&finding.object) else {
            continue;
        };
        let rules = document
            .pointer("/Policies")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let so_far = compiled.entry(finding.object.id).or_default();
        *so_far += rules;
        if *so_far > COMPARED {
            continue;
        }
        let edited = finding.fix.applied(document);
        if let Some(same) = edited.and_then(|edited| subject.same_flows(&finding.object, &edited)) {
            finding.fix.flows = match same {
                true => Flows::Unchanged,
                false => Flows::Changed,
            };
        }
    }
}

/// Whether the only port of two sets of documents lets the same packets pass.
pub(super) fn same_passes(
    before: &Documents,
    after: &Documents,
    subject: &Subject,
) -> Option<bool> {
    let compile = |documents| Switch::compile(documents, &subject.profile.semantics).0;
    let (before, after) = (compile(before), compile(after));
    let port = |switch: &Switch| (switch.ports.len() == 1).then_some(hcn_engine::PortIndex(0));
    let (one, other) = (port(&before)?, port(&after)?);
    let families = [Family::V4, Family::V6];
    Some(families.into_iter().all(|family| {
        let mut space = Space::new(family);
        [Direction::In, Direction::Out]
            .into_iter()
            .all(|direction| {
                before.passes(&mut space, one, direction)
                    == after.passes(&mut space, other, direction)
            })
    }))
}
