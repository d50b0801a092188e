// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o table`: a line for those that one source reaches with the same.
//!
//! Apart because it shortens: who needs every pair takes a form for programs.

use std::{collections::HashMap, sync::Arc};

use crate::{
    reach::{Matrix, compare::Comparison},
    render::{shown, table::lay_out},
};

/// Characters of a list of names, beyond which the rest is counted.
const LONGEST_LIST: usize = 60;

/// Characters of a set, beyond which it is cut: one with a thousand addresses would fill screens.
const LONGEST_SET: usize = 160;

/// Who reaches whom.
pub fn table(matrix: &mut Matrix) -> String {
    let mut rows = Vec::new();
    for from in matrix.from.clone() {
        let mut groups = Groups::default();
        for pair in matrix.row(from) {
            let words = matrix.pair_words(&pair);
            groups.add(words, &matrix.participants[pair.to].label);
        }
        let source = shown(&matrix.participants[from].label);
        for (words, labels) in groups.all {
            rows.push(vec![source.to_string(), list(&labels), cut(&words)]);
        }
    }
    lay_out(&["FROM", "TO", "WITH"], rows)
}

/// What changed.
pub fn compared_table(comparison: &Comparison) -> String {
    if !comparison.is_different() {
        return "no difference\n".to_owned();
    }
    let pairs = comparison.pairs();
    let mut rows = Vec::new();
    for own in pairs.chunk_by(|one, other| one.0 == other.0) {
        let mut groups = Groups::default();
        for (_, to, opened, closed) in own {
            groups.add((opened.clone(), closed.clone()), to);
        }
        for ((opened, closed), labels) in groups.all {
            // An empty cell is a dash, which is easier on the eye than a word.
            let cell = |words: &Arc<str>| match &**words {
                "nothing" => String::new(),
                words => cut(words),
            };
            rows.push(vec![
                shown(own[0].0).into_owned(),
                list(&labels),
                cell(&opened),
                cell(&closed),
            ]);
        }
    }
    lay_out(&["FROM", "TO", "OPENED", "CLOSED"], rows)
}

/// Labels by what is said of them, in the order in which it is said first.
struct Groups<K> {
    all: Vec<(K, Vec<String>)>,
    places: HashMap<K, usize>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Groups {
            all: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<K: Clone + Eq + std::hash::Hash> Groups<K> {
    fn add(&mut self, said: K, label: &str) {
        let place = *self.places.entry(said.clone()).or_insert_with(|| {
            self.all.push((said, Vec::new()));
            self.all.len() - 1
        });
        self.all[place].1.push(shown(label).into_owned());
    }
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(LONGEST_SET) {
        Some((at, _)) => format!("{}… (-o csv has all of it)", &words[..at]),
        None => words.to_owned(),
    }
}

/// `web,api`, `web,api and 12 more`.
fn list(labels: &[String]) -> String {
    let mut text = String::new();
    for (place, label) in labels.iter().enumerate() {
        let length = text.chars().count() + label.chars().count();
        if place > 0 && length > LONGEST_LIST {
            text.push_str(&format!(" and {} more", labels.len() - place));
            break;
        }
        if place > 0 {
            text.push(',');
        }
        text.push_str(label);
    }
    text
}
