// SPDX-License-Identifier: MIT OR Apache-2.0
//! What became reachable between two matrices and what not any more, as exact sets.
//!
//! Apart because two matrices have participants and spaces of their own. Endpoints are matched by id, else by what they are called; who is
//! in one matrix alone reaches nothing in the other.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use hcn_engine::{Direction, Family, space::Region};

use super::{Half, Matrix, Pair, Participant, Place, Reaching, merged, with_some_backends};

/// The outcome.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Pairs of addresses with a difference.
    pub changes: Vec<Change>,
    /// Labels of those that only the first matrix has.
    pub only_before: Vec<String>,
    /// Labels of those that only the second matrix has.
    pub only_after: Vec<String>,
}

/// A difference between two addresses, or between two endpoints in one family where their addresses changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Label of the source.
    pub from: Arc<str>,
    /// Label of the destination.
    pub to: Arc<str>,
    /// The addresses and the family; the region is empty.
    pub at: Reaching,
    /// Which address beyond the ports the sets are about.
    pub direction: Option<Direction>,
    /// What passes only in the second matrix, in the second matrix's space.
    pub opened: Region,
    /// What passes only in the first.
    pub closed: Region,
    /// What passes in both.
    pub kept: Region,
    /// What gets to some backends of a load balancer in the second matrix, and to none in the first. How many they are is not compared.
    pub partly_opened: Region,
    /// What got to some backends in the first matrix, and gets to none in the second.
    pub partly_closed: Region,
    /// The same in words.
    pub opened_words: Arc<str>,
    /// The same in words.
    pub closed_words: Arc<str>,
    /// The same in words; `None` for nothing.
    pub partly_opened_words: Option<Arc<str>>,
    /// The same in words; `None` for nothing.
    pub partly_closed_words: Option<Arc<str>>,
}

/// What is said of one side of a change, and of its backends.
type BothWords = fn(&Change) -> (&Arc<str>, &Option<Arc<str>>);

/// A participant in both matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Match {
    before: Option<usize>,
    after: Option<usize>,
}

/// Compares; the second matrix's space takes the differences.
pub fn compare(before: &mut Matrix, after: &mut Matrix) -> Comparison {
    let mut comparison = Comparison::default();
    let partners = partners(&before.participants, &after.participants);
    let rows = matches(&before.from, &after.from, &partners);
    let columns = matches(&before.to, &after.to, &partners);
    let mut told = HashSet::new();
    for party in rows
        .iter()
        .chain(&columns)
        .filter(|party| told.insert(**party))
    {
        match party {
            Match {
                before: Some(place),
                after: None,
            } => comparison
                .only_before
                .push(before.participants[*place].label.clone()),
            Match {
                before: None,
                after: Some(place),
            } => comparison
                .only_after
                .push(after.participants[*place].label.clone()),
            _ => {}
        }
    }
    let label = |party: &Match| -> Arc<str> {
        match (party.after, party.before) {
            (Some(place), _) => after.participants[place].label.as_str().into(),
            (None, Some(place)) => before.participants[place].label.as_str().into(),
            (None, None) => Arc::default(),
        }
    };
    let row_labels: Vec<Arc<str>> = rows.iter().map(label).collect();
    let column_labels: Vec<Arc<str>> = columns.iter().map(label).collect();
    let mut imported = [HashMap::new(), HashMap::new()];
    for (row, from) in rows.into_iter().zip(row_labels) {
        let pairs = |matrix: &mut Matrix, place: Option<usize>| -> HashMap<usize, Pair> {
            let pairs = place.map(|place| matrix.row(place)).unwrap_or_default();
            pairs.into_iter().map(|pair| (pair.to, pair)).collect()
        };
        let mut old = pairs(before, row.before);
        let mut new = pairs(after, row.after);
        for (column, to) in columns.iter().zip(&column_labels) {
            let old = column.before.and_then(|place| old.remove(&place));
            let new = column.after.and_then(|place| new.remove(&place));
            if old.is_none() && new.is_none() {
                continue;
            }
            for (place, imported) in imported.iter_mut().enumerate() {
                let mut sides = Sides {
                    before: &before.halves[place],
                    after: &mut after.halves[place],
                    imported,
                    row,
                    column: *column,
                };
                let changes = sides.changes(old.as_ref(), new.as_ref());
                let changes = changes.into_iter().map(|change| Change {
                    from: from.clone(),
                    to: to.clone(),
                    ..change
                });
                comparison.changes.extend(changes);
            }
        }
    }
    comparison
}

impl Comparison {
    /// Whether anything passes in one of the two alone.
    pub fn is_different(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The changes of each pair of participants: source, destination, what opened and what closed, merged where addresses do not differ.
    pub fn pairs(&self) -> Vec<(&str, &str, Arc<str>, Arc<str>)> {
        let mut pairs = Vec::new();
        let same = |one: &Change, other: &Change| one.from == other.from && one.to == other.to;
        for changes in self.changes.chunk_by(same) {
            let all = |words: BothWords| {
                let told = changes.iter().map(|change| {
                    let (words, partly) = words(change);
                    let words = match partly {
                        Some(partly) => with_some_backends(words, partly),
                        None => words.clone(),
                    };
                    (change.at, words)
                });
                let told: Vec<(Reaching, Arc<str>)> = told.collect();
                merged(&told)
            };
            pairs.push((
                &*changes[0].from,
                &*changes[0].to,
                all(|change| (&change.opened_words, &change.partly_opened_words)),
                all(|change| (&change.closed_words, &change.partly_closed_words)),
            ));
        }
        pairs
    }
}

/// One pair of participants in one family of both matrices.
struct Sides<'a> {
    before: &'a Half,
    after: &'a mut Half,
    /// Regions of the first space by those of the second.
    imported: &'a mut HashMap<Region, Region>,
    row: Match,
    column: Match,
}

impl Sides<'_> {
    fn changes(&mut self, old: Option<&Pair>, new: Option<&Pair>) -> Vec<Change> {
        let family = self.after.family;
        let own = |pair: Option<&Pair>| -> Vec<Reaching> {
            let all = pair.into_iter().flat_map(|pair| &pair.reaching);
            all.filter(|reaching| reaching.family == family)
                .copied()
                .collect()
        };
        let (mut old, new) = (own(old), own(new));
        for reaching in &mut old {
            for region in [&mut reaching.region, &mut reaching.partly] {
                let own = *region;
                let space = self.after.reach.space_mut();
                let from = self.before.reach.space();
                let imported = self.imported.entry(own);
                *region = *imported.or_insert_with(|| space.import(from, own));
            }
        }
        let ends = |all: &[Reaching]| -> Vec<(Option<IpAddr>, Option<IpAddr>)> {
            let ends = all.iter();
            ends.map(|reaching| (reaching.source, reaching.destination))
                .collect()
        };
        if ends(&old) == ends(&new) {
            let both = old.iter().zip(&new);
            let changes = both.map(|(old, new)| self.change(*new, sets(old), sets(new)));
            return changes.collect::<Vec<_>>().into_iter().flatten().collect();
        }
        // Addresses changed, so the pair is asked as a whole, unless one side has no address that could be compared.
        let Some(some) = new.first().or(old.first()).copied() else {
            return Vec::new();
        };
        let mut union = |all: &[Reaching]| {
            let space = self.after.reach.space_mut();
            all.iter().map(sets).fold([Region::EMPTY; 2], |union, one| {
                [0, 1].map(|place| space.or(union[place], one[place]))
            })
        };
        let (before, after) = (union(&old), union(&new));
        let known = |all: &[Reaching], address: fn(&Reaching) -> Option<IpAddr>| {
            let first = all.first().and_then(address);
            first.filter(|_| all.iter().all(|one| address(one) == first))
        };
        let all: Vec<Reaching> = old.iter().chain(&new).copied().collect();
        let at = Reaching {
            source: known(&all, |one| one.source),
            destination: known(&all, |one| one.destination),
            ..some
        };
        let change = self.change(some, before, after);
        change
            .map(|change| Change { at, ..change })
            .into_iter()
            .collect()
    }

    /// The difference of two regions of the second space; `None` where there is none.
    fn change(
        &mut self,
        at: Reaching,
        [before, partly_before]: [Region; 2],
        [after, partly_after]: [Region; 2],
    ) -> Option<Change> {
        let direction = at.direction();
        let space = self.after.reach.space_mut();
        // What gets somewhere at all, so that nothing is told twice.
        let somewhere = [
            space.or(before, partly_before),
            space.or(after, partly_after),
        ];
        let mut partly_opened = space.minus(partly_after, somewhere[0]);
        let mut partly_closed = space.minus(partly_before, somewhere[1]);
        let [mut opened, mut closed] = [(after, before), (before, after)].map(|(one, other)| {
            let space = self.after.reach.space_mut();
            space.minus(one, other)
        });
        let mut kept = self.after.reach.space_mut().and(before, after);
        if let Some(direction) = direction {
            let party = match direction {
                Direction::Out => self.column,
                Direction::In => self.row,
            };
            let beyond = |half: &Half, place: Option<usize>| {
                place.and_then(|place| half.beyond[place].clone())
            };
            let both = match (
                beyond(self.before, party.before),
                beyond(self.after, party.after),
            ) {
                (Some(one), Some(other)) => Some(one.and(&other)),
                (one, other) => one.or(other),
            }?;
            for region in [
                &mut opened,
                &mut closed,
                &mut kept,
                &mut partly_opened,
                &mut partly_closed,
            ] {
                *region = self.after.reach.only(*region, direction, &both);
            }
        }
        let changed = [opened, closed, partly_opened, partly_closed];
        if changed.iter().all(|region| *region == Region::EMPTY) {
            return None;
        }
        let partly_words = [partly_opened, partly_closed].map(|region| {
            (region != Region::EMPTY).then(|| self.after.words_of(region, direction))
        });
        let [partly_opened_words, partly_closed_words] = partly_words;
        Some(Change {
            from: Arc::default(),
            to: Arc::default(),
            at: Reaching {
                region: Region::EMPTY,
                partly: Region::EMPTY,
                ..at
            },
            direction,
            opened,
            closed,
            kept,
            partly_opened,
            partly_closed,
            opened_words: self.after.words_of(opened, direction),
            closed_words: self.after.words_of(closed, direction),
            partly_opened_words,
            partly_closed_words,
        })
    }
}

/// What passes, and what gets to some backends.
fn sets(reaching: &Reaching) -> [Region; 2] {
    [reaching.region, reaching.partly]
}

/// By place in the first matrix, the place in the second.
fn partners(before: &[Participant], after: &[Participant]) -> HashMap<usize, usize> {
    let mut partners = HashMap::new();
    let mut taken = HashSet::new();
    let is_same: [fn(&Participant, &Participant) -> bool; 2] = [
        |one, other| match (&one.place, &other.place) {
            (Place::Port { id: one, .. }, Place::Port { id: other, .. }) => one == other,
            (Place::Beyond(_), Place::Beyond(_))
            | (Place::Host(_), Place::Host(_))
            | (Place::Service(_), Place::Service(_)) => one.label == other.label,
            _ => false,
        },
        |one, other| one.id().is_some() && other.id().is_some() && one.label == other.label,
    ];
    let key: [fn(&Participant) -> String; 2] = [
        |one| {
            one.id()
                .map_or_else(|| one.label.clone(), |id| id.to_string())
        },
        |one| one.label.clone(),
    ];
    for (is_same, key) in is_same.iter().zip(key) {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, participant) in after.iter().enumerate() {
            by_key.entry(key(participant)).or_default().push(place);
        }
        for (place, one) in before.iter().enumerate() {
            if partners.contains_key(&place) {
                continue;
            }
            let candidates = by_key.get(&key(one)).into_iter().flatten();
            let free = candidates.filter(|other| !taken.contains(*other));
            let mut fitting = free.filter(|other| is_same(one, &after[**other]));
            if let Some(other) = fitting.next().copied() {
                partners.insert(place, other);
                taken.insert(other);
            }
        }
    }
    partners
}

/// Rows or columns of both matrices: those of the first, then what only the second has.
fn matches(before: &[usize], after: &[usize], partners: &HashMap<usize, usize>) -> Vec<Match> {
    let wanted: HashSet<usize> = after.iter().copied().collect();
    let mut seen = HashSet::new();
    let mut matches = Vec::new();
    for place in before {
        let partner = partners.get(place).copied();
        let partner = partner.filter(|partner| wanted.contains(partner));
        seen.extend(partner);
        matches.push(Match {
            before: Some(*place),
            after: partner,
        });
    }
    for place in after.iter().filter(|place| !seen.contains(*place)) {
        matches.push(Match {
            before: None,
            after: Some(*place),
        });
    }
    matches
}

/// The family of a change, as a word.
pub fn family_word(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
