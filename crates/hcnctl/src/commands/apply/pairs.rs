// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changes between endpoints, the host and services, in few lines.
//!
//! Apart from the rest of a report because of two hundred endpoints forty thousand pairs may change, and mostly alike. Invariant: the lines together
//! say of every pair what changes, and of no pair anything else.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{draft::Pair, report::count, world::few};

/// Lines at most, of what opens and of what closes.
const MOST_LINES: usize = 24;
/// Names of a side that a line has at most.
const MOST_NAMES: usize = 8;

/// Pairs that share a line: each of the one side with each of the other.
#[derive(Debug, PartialEq, Eq)]
struct Shared<'a> {
    from: Vec<&'a str>,
    to: Vec<&'a str>,
    /// All of the one side are in the other too, and none is meant with itself.
    but_itself: bool,
    flows: &'a str,
}

impl Shared<'_> {
    fn pairs(&self) -> usize {
        let (from, to) = (self.from.len(), self.to.len());
        from * to - if self.but_itself { from.min(to) } else { 0 }
    }
}

/// What changes, a line each; first what opens.
pub fn lines(pairs: &[Pair]) -> Vec<String> {
    let mut lines = Vec::new();
    let opens: fn(&Pair) -> Option<&Arc<str>> = |pair| pair.opens.as_ref();
    let closes: fn(&Pair) -> Option<&Arc<str>> = |pair| pair.closes.as_ref();
    for (word, of) in [("opens", opens), ("closes", closes)] {
        let told = shared(pairs, of);
        for shared in told.iter().take(MOST_LINES) {
            let (from, to) = (few(&shared.from, MOST_NAMES), few(&shared.to, MOST_NAMES));
            let itself = match shared.but_itself {
                true => ", none to itself",
                false => "",
            };
            lines.push(format!("{from} -> {to}{itself}: {word} {}", shared.flows));
        }
        if let more @ 1.. = told
            .iter()
            .skip(MOST_LINES)
            .map(Shared::pairs)
            .sum::<usize>()
        {
            lines.push(format!(
                "{word} something in {} too; -o json lists them",
                count(more, "more pair")
            ));
        }
    }
    lines
}

/// Pairs of which the same is to be said: those of one source, or those of one destination, whichever is fewer, and then what is alike of them.
fn shared<'a>(pairs: &'a [Pair], of: fn(&Pair) -> Option<&Arc<str>>) -> Vec<Shared<'a>> {
    let mut names: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |name: &'a str| {
        *numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        })
    };
    let numbered: Vec<(u32, u32, &str)> = pairs
        .iter()
        .filter_map(|pair| Some((number(&pair.from), number(&pair.to), &**of(pair)?)))
        .collect();
    let by_source = folded(numbered.iter().copied());
    let turned = numbered
        .iter()
        .map(|(from, to, flows)| (*to, *from, *flows));
    let by_destination = folded(turned);
    let is_by_source = by_source.len() <= by_destination.len();
    let named = |numbers: &[u32]| -> Vec<&'a str> {
        numbers.iter().map(|own| names[*own as usize]).collect()
    };
    let lines = match is_by_source {
        true => by_source,
        false => by_destination,
    };
    lines
        .into_iter()
        .map(|mut line| {
            line.ones.sort_unstable();
            let (ones, others) = (named(&line.ones), named(&line.others));
            let (from, to) = match is_by_source {
                true => (ones, others),
                false => (others, ones),
            };
            Shared {
                from,
                to,
                but_itself: line.but_itself,
                flows: line.flows,
            }
        })
        .collect()
}

/// A line, as yet without names: each of `ones` has to do with each of `others`.
struct Folded<'a> {
    ones: Vec<u32>,
    others: Vec<u32>,
    /// The ones are among the others, and none has to do with itself.
    but_itself: bool,
    flows: &'a str,
}

fn folded<'a>(pairs: impl Iterator<Item = (u32, u32, &'a str)>) -> Vec<Folded<'a>> {
    // What each one has to do with others, in the order of the pairs.
    let mut rows: Vec<(u32, &str, Vec<u32>)> = Vec::new();
    let mut places: HashMap<(u32, &str), usize> = HashMap::new();
    for (one, other, flows) in pairs {
        let place = *places.entry((one, flows)).or_insert(rows.len());
        if place == rows.len() {
            rows.push((one, flows, Vec::new()));
        }
        rows[place].2.push(other);
    }
    let with_itself = |one: u32, others: &[u32]| {
        let mut all = others.to_vec();
        all.push(one);
        all.sort_unstable();
        all
    };
    // How many have to do with exactly these, and with these but themselves.
    let mut counts: HashMap<(&str, bool, Vec<u32>), usize> = HashMap::new();
    for (one, flows, others) in &mut rows {
        others.sort_unstable();
        *counts.entry((*flows, false, others.clone())).or_default() += 1;
        if others.binary_search(one).is_err() {
            let all = with_itself(*one, others);
            *counts.entry((*flows, true, all)).or_default() += 1;
        }
    }
    let mut lines: Vec<Folded<'_>> = Vec::new();
    let mut of_key: HashMap<(&str, bool, Vec<u32>), usize> = HashMap::new();
    for (one, flows, others) in rows {
        let exactly = (flows, false, others.clone());
        let but_itself = (flows, true, with_itself(one, &others));
        let how_many = |key| counts.get(key).copied().unwrap_or(0);
        let key = match how_many(&but_itself) > how_many(&exactly) {
            true => but_itself,
            false => exactly,
        };
        match of_key.entry(key) {
            Entry::Occupied(place) => lines[*place.get()].ones.push(one),
            Entry::Vacant(place) => {
                let (_, but_itself, others) = place.key();
                lines.push(Folded {
                    ones: vec![one],
                    others: others.clone(),
                    but_itself: *but_itself,
                    flows,
                });
                place.insert(lines.len() - 1);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::btree_map, prelude::*, sample::select};

    use super::*;

    fn pair(from: &str, to: &str, opens: Option<&str>, closes: Option<&str>) -> Pair {
        Pair {
            from: from.into(),
            to: to.into(),
            opens: opens.map(Into::into),
            closes: closes.map(Into::into),
        }
    }

    #[test]
    fn what_all_have_to_do_with_each_other_is_one_line() {
        let names = ["a", "b", "c"];
        let mut pairs: Vec<Pair> = Vec::new();
        for from in ["a", "b", "c", "host"] {
            for to in names.into_iter().filter(|to| *to != from) {
                pairs.push(pair(from, to, Some("tcp 80"), None));
            }
        }
        assert_eq!(
            lines(&pairs),
            ["a, b, c, host -> a, b, c, none to itself: opens tcp 80"]
        );
    }

    #[test]
    fn what_two_have_to_do_with_the_same_is_one_line() {
        let pairs = [
            pair("client", "nginx", None, Some("tcp 80")),
            pair("client", "db", None, Some("tcp 80")),
            pair("host", "nginx", None, Some("tcp 80")),
            pair("host", "db", None, Some("tcp 80")),
            pair("host", "other", Some("udp 53"), Some("tcp 80")),
        ];
        assert_eq!(
            lines(&pairs),
            [
                "host -> other: opens udp 53",
                "client -> nginx, db: closes tcp 80",
                "host -> nginx, db, other: closes tcp 80"
            ]
        );
    }

    #[test]
    fn of_long_sides_and_many_lines_the_rest_is_counted() {
        let names: Vec<String> = (0..30).map(|number| format!("n{number}")).collect();
        let alike = names
            .iter()
            .map(|name| pair(name, "db", Some("tcp 1"), None));
        assert_eq!(
            lines(&alike.collect::<Vec<_>>()),
            ["n0, n1, n2, n3, n4, n5, n6, n7 and 22 more -> db: opens tcp 1"]
        );
        let apart: Vec<Pair> = names
            .iter()
            .map(|name| pair(name, name, Some(&format!("tcp {name}")), None))
            .collect();
        let told = lines(&apart);
        assert_eq!(told.len(), MOST_LINES + 1);
        assert_eq!(
            told[MOST_LINES],
            "opens something in 6 more pairs too; -o json lists them"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_say_of_every_pair_what_changes_and_no_more(
            changes in btree_map((0..6usize, 0..6usize), select(vec!["tcp 80", "udp 53"]), 0..36),
        ) {
            const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "host"];
            let pairs: Vec<Pair> = changes
                .iter()
                .map(|((from, to), flows)| pair(NAMES[*from], NAMES[*to], Some(flows), None))
                .collect();
            let told = shared(&pairs, |pair| pair.opens.as_ref());
            let mut said = Vec::new();
            for line in &told {
                let before = said.len();
                for from in &line.from {
                    for to in line.to.iter().filter(|to| !line.but_itself || *to != from) {
                        said.push((*from, *to, line.flows));
                    }
                }
                prop_assert_eq!(said.len() - before, line.pairs());
            }
            let meant: BTreeSet<_> = pairs.iter().map(|pair| (&*pair.from, &*pair.to, &**pair.opens.as_ref().unwrap())).collect();
            prop_assert_eq!(said.len(), meant.len());
            prop_assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), meant);
        }
    }
}
