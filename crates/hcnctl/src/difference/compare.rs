// SPDX-License-Identifier: MIT OR Apache-2.0
//! The comparison of two objects.

use std::collections::HashMap;

use hcn_schema::Guid;
use serde_json::{Map, Value};

use super::{
    Change, Difference, HOUSEKEEPING, Options, What, label,
    policy::Flat,
    shape::{self, Shape},
};
use crate::{
    listing::{CUT, Listed, Source, is_hidden, member},
    render::{plain, rule::is_blank},
};

/// Compares two objects that are one.
pub(super) fn objects(
    before: &Listed,
    after: &Listed,
    options: Options,
    difference: &mut Difference,
) {
    let shapes = (shape::of(&before.value), shape::of(&after.value));
    let mut comparison = Comparison {
        label: label(before, after),
        identity: match before.id() {
            Some(_) => before.identity.clone(),
            None => after.identity.clone(),
        },
        all: options.all,
        shallow: before.source == Source::FormatList || after.source == Source::FormatList,
        rules_only: shapes.0 != shapes.1,
        difference,
    };
    if shapes.0 == shapes.1 {
        comparison.values("", 0, Some(&before.value), Some(&after.value));
        return;
    }
    let named = |listed: &Listed, shape| match shape {
        Shape::V1 => listed.value.clone(),
        Shape::V2 => shape::with_v1_names(&listed.value),
    };
    let (before, after) = shape::common(&named(before, shapes.0), &named(after, shapes.1));
    comparison.note(
        "one listing has it in the v1 shape and the other in v2; compared is what both hold".into(),
    );
    comparison.values("", 0, Some(&before), Some(&after));
}

/// A text that is equal for scalars that say the same: a number and its digits, `True` and true, a GUID in either case.
pub(super) fn scalar_key(value: &Value) -> String {
    let text = plain(value);
    match text.parse::<Guid>() {
        Ok(guid) => guid.to_string(),
        Err(_) if text == "True" || text == "False" => text.to_lowercase(),
        Err(_) => text,
    }
}

struct Comparison<'a> {
    label: String,
    identity: String,
    all: bool,
    /// One side is a capture that does not show what is nested deep.
    shallow: bool,
    /// The sides are of different shapes, in which only filter rules are written alike.
    rules_only: bool,
    difference: &'a mut Difference,
}

impl Comparison<'_> {
    /// Compares one member; `depth` counts the braces round it.
    fn values(
        &mut self,
        pointer: &str,
        depth: usize,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        let nothing = Value::Null;
        let (old, new) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        if is_blank(old) && is_blank(new) {
            return;
        }
        if self.shallow && (is_unseen(old, new, depth) || is_unseen(new, old, depth)) {
            return;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => self.members(pointer, depth, old, new),
            (Value::Array(_) | Value::Null, Value::Array(_)) | (Value::Array(_), Value::Null) => {
                let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
                self.lists(pointer, depth, &list(old), &list(new));
            }
            (old, new)
                if is_scalar(old) && is_scalar(new) && scalar_key(old) == scalar_key(new) => {}
            _ => self.push(pointer, What::Changed, before, after, String::new()),
        }
    }

    fn members(
        &mut self,
        pointer: &str,
        depth: usize,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) {
        let only_new = new.keys().filter(|name| find(old, name).is_none());
        for name in old.keys().chain(only_new) {
            let housekeeping = HOUSEKEEPING
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name));
            if self.all || !housekeeping {
                let pointer = format!("{pointer}/{}", escaped(name));
                self.values(&pointer, depth + 1, find(old, name), find(new, name));
            }
        }
    }

    fn lists(&mut self, pointer: &str, depth: usize, old: &[Value], new: &[Value]) {
        let is_policies = pointer
            .rsplit('/')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("Policies"));
        if is_policies {
            let shallow = self.shallow;
            let rules_only = self.rules_only;
            self.bags(pointer, old, new, |item| match Flat::of(item) {
                Some(flat) if rules_only && !flat.is_rule() => None,
                Some(flat) => Some((flat.key(shallow), flat.words())),
                None => Some((item.to_string(), String::new())),
            });
            return;
        }
        if old.iter().chain(new).all(is_scalar) {
            self.bags(pointer, old, new, |item| {
                Some((scalar_key(item), String::new()))
            });
            return;
        }
        let ids = |items: &[Value]| -> Option<Vec<String>> {
            items
                .iter()
                .map(|item| member(item, "ID").map(scalar_key))
                .collect()
        };
        match (ids(old), ids(new)) {
            (Some(old_ids), Some(new_ids)) => {
                let mut taken = vec![false; new.len()];
                for (index, id) in old_ids.iter().enumerate() {
                    let at = (0..new.len()).find(|at| !taken[*at] && new_ids[*at] == *id);
                    let pointer = format!("{pointer}/{index}");
                    match at {
                        Some(at) => {
                            taken[at] = true;
                            self.values(&pointer, depth + 1, Some(&old[index]), Some(&new[at]));
                        }
                        None => self.push(
                            &pointer,
                            What::Removed,
                            Some(&old[index]),
                            None,
                            String::new(),
                        ),
                    }
                }
                for (index, item) in new.iter().enumerate().filter(|(at, _)| !taken[*at]) {
                    let pointer = format!("{pointer}/{index}");
                    self.push(&pointer, What::Added, None, Some(item), String::new());
                }
            }
            _ if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.values(
                        &format!("{pointer}/{index}"),
                        depth + 1,
                        Some(old),
                        Some(new),
                    );
                }
            }
            _ => self.bags(pointer, old, new, |item| {
                Some((item.to_string(), String::new()))
            }),
        }
    }

    /// Compares lists as bags of keys; an item without a key is not compared.
    fn bags(
        &mut self,
        pointer: &str,
        old: &[Value],
        new: &[Value],
        key: impl Fn(&Value) -> Option<(String, String)>,
    ) {
        let is_cut = |items: &[Value]| items.last().and_then(Value::as_str) == Some(CUT);
        let (old_cut, new_cut) = (is_cut(old), is_cut(new));
        let old = &old[..old.len() - usize::from(old_cut)];
        let new = &new[..new.len() - usize::from(new_cut)];
        let keyed = |items: &[Value]| -> Vec<(usize, String, String)> {
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| key(item).map(|(key, words)| (index, key, words)))
                .collect()
        };
        let (old_keys, new_keys) = (keyed(old), keyed(new));
        let mut balance: HashMap<&str, isize> = HashMap::new();
        for (_, key, _) in &new_keys {
            *balance.entry(key).or_default() += 1;
        }
        let mut gone = Vec::new();
        for (index, key, words) in &old_keys {
            let left = balance.entry(key).or_default();
            if *left > 0 {
                *left -= 1;
            } else {
                gone.push((*index, words.clone()));
            }
        }
        // The later ones of equal items are the new ones.
        let mut come = Vec::new();
        for (index, key, words) in new_keys.iter().rev() {
            let left = balance.entry(key).or_default();
            if *left > 0 {
                *left -= 1;
                come.push((*index, words.clone()));
            }
        }
        come.reverse();
        if old_cut || new_cut {
            let member = pointer.trim_start_matches('/');
            self.note(format!(
                "{member}: PowerShell cut the list after its first items; compared is what it shows"
            ));
        }
        let order = |keys: &[(usize, String, String)]| -> Vec<String> {
            keys.iter().map(|(_, key, _)| key.clone()).collect()
        };
        if gone.is_empty() && come.is_empty() && order(&old_keys) != order(&new_keys) {
            let (old, new) = (Value::from(old.to_vec()), Value::from(new.to_vec()));
            self.push(
                pointer,
                What::Reordered,
                Some(&old),
                Some(&new),
                String::new(),
            );
        }
        // What a cut list does not show may be there all the same.
        for (index, words) in gone.into_iter().filter(|_| !new_cut) {
            let pointer = format!("{pointer}/{index}");
            self.push(&pointer, What::Removed, Some(&old[index]), None, words);
        }
        for (index, words) in come.into_iter().filter(|_| !old_cut) {
            let pointer = format!("{pointer}/{index}");
            self.push(&pointer, What::Added, None, Some(&new[index]), words);
        }
    }

    fn push(
        &mut self,
        pointer: &str,
        what: What,
        before: Option<&Value>,
        after: Option<&Value>,
        words: String,
    ) {
        self.difference.changes.push(Change {
            object: self.label.clone(),
            identity: self.identity.clone(),
            pointer: pointer.to_owned(),
            what,
            words,
            before: before.cloned(),
            after: after.cloned(),
        });
    }

    fn note(&mut self, note: String) {
        self.difference
            .notes
            .push(format!("{}: {note}", self.label));
    }
}

/// Whether `shown` is how a capture prints a list or an object that it does not go into.
fn is_unseen(shown: &Value, real: &Value, depth: usize) -> bool {
    // An object inside `@{…}` prints as nothing.
    const INSIDE: usize = 2;
    match real {
        Value::Array(_) => is_hidden(shown),
        Value::Object(_) => depth >= INSIDE && shown.is_null(),
        _ => is_hidden(shown) && (is_hidden(real) || is_blank(real)),
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn find<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| {
        members
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// A name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
