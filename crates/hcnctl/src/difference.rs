// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changed between two listings, object by object and member by member.
//!
//! Apart because it compares what listings say, not how they say it: ids in either case, numbers that are texts, members that are absent
//! or empty, policies in any order, and Format-List captures that show only part. Invariant: comparing a listing with itself, in whatever
//! form it was kept, finds no difference.

mod change;
mod compare;
mod policy;
mod shape;

pub use change::{Change, What};

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use crate::{
    listing::{Kind, Listed},
    render::{short_id, shown},
};

/// What to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Also what HNS keeps for itself and changes with every request: allocations, health, times ([`HOUSEKEEPING`]).
    pub all: bool,
}

/// Members that are compared only on demand, at any depth.
pub const HOUSEKEEPING: [&str; 10] = [
    "Resources",
    "Health",
    "ActivityId",
    "CreateProcessingStartTime",
    "RemoveProcessingStartTime",
    "StartTime",
    "LastUpdateTime",
    // PowerShell's own, where the HNS module runs in another session.
    "RunspaceId",
    "PSComputerName",
    "PSShowComputerName",
];

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// What changed, in the order of the first listing; objects that only the second has come last.
    pub changes: Vec<Change>,
    /// What was compared only in part: lists that PowerShell cut, objects told in two shapes.
    pub notes: Vec<String>,
}

/// Compares two listings.
///
/// Objects are matched by id, without case; one without an id by name and kind.
pub fn compare(before: &[Listed], after: &[Listed], options: Options) -> Difference {
    let mut difference = Difference::default();
    let mut partners = vec![None; before.len()];
    let mut taken = vec![false; after.len()];
    let mut by_identity: HashMap<&str, VecDeque<usize>> = HashMap::new();
    let mut by_name: HashMap<(Kind, &str), Vec<usize>> = HashMap::new();
    for (index, listed) in after.iter().enumerate() {
        by_identity
            .entry(&listed.identity)
            .or_default()
            .push_back(index);
        if let Some(name) = listed.name() {
            by_name.entry((listed.kind, name)).or_default().push(index);
        }
    }
    for (listed, partner) in before.iter().zip(&mut partners) {
        *partner = by_identity
            .get_mut(listed.identity.as_str())
            .and_then(VecDeque::pop_front);
        if let Some(index) = *partner {
            taken[index] = true;
        }
    }
    for (listed, partner) in before.iter().zip(&mut partners) {
        let Some(name) = listed.name().filter(|_| partner.is_none()) else {
            continue;
        };
        // Two ids that differ are two objects, whatever they are called.
        *partner = by_name
            .get(&(listed.kind, name))
            .into_iter()
            .flatten()
            .copied()
            .find(|index| {
                !taken[*index] && (listed.id().is_none() || after[*index].id().is_none())
            });
        if let Some(index) = *partner {
            taken[index] = true;
        }
    }
    for (listed, partner) in before.iter().zip(partners) {
        match partner {
            Some(index) => compare::objects(listed, &after[index], options, &mut difference),
            None => difference.changes.push(whole(listed, false)),
        }
    }
    for (listed, taken) in after.iter().zip(taken) {
        if !taken {
            difference.changes.push(whole(listed, true));
        }
    }
    difference
}

/// Whether an object is told by the names of the v2 API.
pub(crate) fn is_v2(value: &Value) -> bool {
    shape::of(value) == shape::Shape::V2
}

/// The change that an object came or went.
fn whole(listed: &Listed, came: bool) -> Change {
    let value = Some(listed.value.clone());
    let (before, after) = if came { (None, value) } else { (value, None) };
    Change {
        object: label(listed, listed),
        identity: listed.identity.clone(),
        pointer: String::new(),
        what: if came { What::Added } else { What::Removed },
        words: String::new(),
        before,
        after,
    }
}

/// `endpoint EDFFC876 nginx`: kind, id and name of an object that two listings have.
fn label(before: &Listed, after: &Listed) -> String {
    let kind = match after.kind {
        Kind::Unknown => before.kind,
        known => known,
    };
    let mut label = kind.to_string();
    if let Some(id) = after.id().or(before.id()) {
        label.push(' ');
        label.push_str(&short_id(id).to_uppercase());
    }
    if let Some(name) = after.name().or(before.name()) {
        label.push(' ');
        label.push_str(&shown(name));
    }
    if label == kind.to_string() {
        label = shown(&after.identity).into_owned();
    }
    label
}

impl Difference {
    /// Whether anything changed.
    pub fn is_different(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The changes for a person: a line each, equal lines counted; `no difference` where there is none.
    pub fn text(&self) -> String {
        let mut lines: Vec<(String, usize)> = Vec::new();
        // Equal lines of one member stand close together, but a change to another rule may be between them.
        let mut start = 0;
        for (index, change) in self.changes.iter().enumerate() {
            let begins_member = index == 0 || {
                let last = &self.changes[index - 1];
                last.object != change.object || last.member() != change.member()
            };
            if begins_member {
                start = lines.len();
            }
            let line = change.line();
            match lines[start..].iter_mut().find(|(own, _)| *own == line) {
                Some((_, count)) => *count += 1,
                None => lines.push((line, 1)),
            }
        }
        let mut text = String::new();
        for (line, count) in lines {
            text.push_str(&line);
            if count > 1 {
                text.push_str(&format!(" (x{count})"));
            }
            text.push('\n');
        }
        if self.changes.is_empty() {
            text.push_str("no difference\n");
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }

    /// The changes for a machine: a list of `{object, id, pointer, change, before, after}`.
    pub fn json(&self) -> Value {
        self.changes
            .iter()
            .map(|change| {
                json!({
                    "object": change.object,
                    "id": change.identity,
                    "pointer": change.pointer,
                    "change": change.what.word(),
                    "before": change.before,
                    "after": change.after,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
