// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index of a classifier: rows of bits for every class of every axis.
//!
//! Apart from the axes, which know values but no rules. The bits of a row stand in the order of the rules, strongest first, so the first bit
//! that is set in all rows of a packet is the answer. Up to 64 rules a row is a word; more rules have rows of chunks.

use std::collections::HashMap;

use super::{
    Address, Conditions, Packet, ProtocolSet,
    axis::Locate,
    chunks::{Chunks, ChunksBuilder},
    extent::{Extent, Scalar},
};
use crate::fast_hash::FastHash;

/// Protocol, local and remote address, local and remote port.
const AXES: usize = 5;

/// The index.
#[derive(Debug)]
pub(super) struct Index<A: Address> {
    protocols: Option<Axis<u8>>,
    local: Option<Axis<A>>,
    remote: Option<Axis<A>>,
    local_ports: Option<Axis<u16>>,
    remote_ports: Option<Axis<u16>>,
    /// The first of the merged rows.
    merged: Option<usize>,
    rows: Rows,
}

/// The rows that a packet's answer is in all of; the first is the merged one, where there is one.
struct Asked {
    rows: [usize; AXES],
    count: usize,
}

impl Asked {
    #[inline(always)]
    fn ask<V: Locate>(&mut self, axis: &Option<Axis<V>>, value: V) {
        if let Some(axis) = axis {
            let class = value.class(&axis.boundaries);
            match axis.place {
                Place::Own(first) => {
                    self.rows[self.count] = first + class;
                    self.count += 1;
                }
                Place::Merged(apart) => self.rows[0] += class * apart,
            }
        }
    }
}

/// One axis on which some rule has a condition.
#[derive(Debug)]
struct Axis<V: Locate> {
    boundaries: V::Boundaries,
    classes: usize,
    place: Place,
}

/// Where the rows of an axis are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// From here, one for each class.
    Own(usize),
    /// Among the merged rows, so many rows apart.
    Merged(usize),
}

/// Merged rows at most. Axes of few classes (protocols, the endpoint's own address) have one row for every combination of their classes, so
/// that one row is looked at instead of one for each.
const MERGED: usize = 256;

impl<V: Locate> Axis<V> {
    fn shape(&mut self) -> (usize, &mut Place) {
        (self.classes, &mut self.place)
    }
}

/// The rows of all axes.
#[derive(Debug)]
enum Rows {
    /// Of at most 64 rules.
    Words(Box<[u64]>),
    Chunks(Chunks),
}

impl Rows {
    #[inline]
    fn first<const N: usize>(&self, rows: [usize; N]) -> Option<u32> {
        match self {
            Rows::Words(words) => {
                let both = rows.iter().fold(u64::MAX, |both, row| both & words[*row]);
                (both != 0).then(|| both.trailing_zeros())
            }
            Rows::Chunks(chunks) => chunks.first(rows),
        }
    }
}

impl<A: Address> Index<A> {
    /// Indexes rules, given strongest first.
    pub(super) fn build(rules: &[Conditions<A>]) -> Self {
        let mut rows = match rules.len() {
            0..=64 => RowsBuilder::Words(Vec::new()),
            count => RowsBuilder::Chunks(Box::new(ChunksBuilder::new(count))),
        };
        let mut known = HashMap::<ProtocolSet, Extent<u8>, FastHash>::default();
        let mut protocols = axis(rules, &mut rows, |rule| {
            let runs = known.entry(rule.protocols).or_insert_with_key(runs);
            runs.clone()
        });
        let mut local = axis(rules, &mut rows, |rule| rule.local.clone());
        let mut remote = axis(rules, &mut rows, |rule| rule.remote.clone());
        let mut local_ports = axis(rules, &mut rows, |rule| rule.local_ports.clone());
        let mut remote_ports = axis(rules, &mut rows, |rule| rule.remote_ports.clone());
        let axes = [
            protocols.as_mut().map(Axis::shape),
            local.as_mut().map(Axis::shape),
            remote.as_mut().map(Axis::shape),
            local_ports.as_mut().map(Axis::shape),
            remote_ports.as_mut().map(Axis::shape),
        ];
        Index {
            merged: merge(axes.into_iter().flatten().collect(), &mut rows),
            protocols,
            local,
            remote,
            local_ports,
            remote_ports,
            rows: match rows {
                RowsBuilder::Words(words) => Rows::Words(words.into()),
                RowsBuilder::Chunks(chunks) => Rows::Chunks(chunks.finish()),
            },
        }
    }

    /// Place of the first rule that matches.
    #[inline]
    pub(super) fn first(&self, packet: &Packet<A>) -> Option<u32> {
        let mut asked = Asked {
            rows: [self.merged.unwrap_or(0); AXES],
            count: usize::from(self.merged.is_some()),
        };
        asked.ask(&self.protocols, packet.protocol);
        asked.ask(&self.local, packet.local);
        asked.ask(&self.remote, packet.remote);
        // A rule that asks for a port takes only protocols that have ports, so for other packets the protocol's row leaves it out already.
        if let Some((local, remote)) = packet.ports {
            asked.ask(&self.local_ports, local);
            asked.ask(&self.remote_ports, remote);
        }
        let [a, b, c, d, e] = asked.rows;
        match asked.count {
            // No rule has any condition: the first one it is.
            0 => Some(0),
            1 => self.rows.first([a]),
            2 => self.rows.first([a, b]),
            3 => self.rows.first([a, b, c]),
            4 => self.rows.first([a, b, c, d]),
            _ => self.rows.first([a, b, c, d, e]),
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        fn of<V: Locate>(axis: &Option<Axis<V>>) -> usize {
            axis.as_ref().map_or(0, |axis| V::bytes(&axis.boundaries))
        }
        let rows = match &self.rows {
            Rows::Words(words) => size_of_val(&**words),
            Rows::Chunks(chunks) => chunks.bytes(),
        };
        of(&self.protocols)
            + of(&self.local)
            + of(&self.remote)
            + of(&self.local_ports)
            + of(&self.remote_ports)
            + rows
    }
}

/// Rows while they are made: the one of the class that the sweep is in, and those before it.
enum RowsBuilder {
    /// The rows, of which the last one is being made.
    Words(Vec<u64>),
    Chunks(Box<ChunksBuilder>),
}

impl RowsBuilder {
    /// Starts the first row of an axis, without any rule; gives its number.
    fn begin(&mut self) -> usize {
        match self {
            RowsBuilder::Words(words) => {
                words.push(0);
                words.len() - 1
            }
            RowsBuilder::Chunks(chunks) => chunks.begin(),
        }
    }

    /// Starts the next row as a copy of the last.
    fn next(&mut self) {
        match self {
            RowsBuilder::Words(words) => words.extend(words.last().copied()),
            RowsBuilder::Chunks(chunks) => chunks.next(),
        }
    }

    /// Puts a rule into the row, or takes it out.
    fn set(&mut self, rule: u32, value: bool) {
        match self {
            RowsBuilder::Words(words) => {
                if let Some(word) = words.last_mut() {
                    *word = *word & !(1 << rule) | u64::from(value) << rule;
                }
            }
            RowsBuilder::Chunks(chunks) => chunks.set(rule, value),
        }
    }

    /// Adds the row of what is in all of these rows; gives its number.
    fn push_intersection(&mut self, rows: &[usize]) -> usize {
        match self {
            RowsBuilder::Words(words) => {
                let all = rows.iter().fold(u64::MAX, |all, row| all & words[*row]);
                words.push(all);
                words.len() - 1
            }
            RowsBuilder::Chunks(chunks) => chunks.push_intersection(rows),
        }
    }

    /// Ends the last row of an axis.
    fn end(&mut self) {
        if let RowsBuilder::Chunks(chunks) = self {
            chunks.end();
        }
    }
}

/// Makes the rows of one axis by a sweep over its boundaries; nothing where no rule has a condition on it.
fn axis<A: Address, V: Locate>(
    rules: &[Conditions<A>],
    rows: &mut RowsBuilder,
    mut extent: impl FnMut(&Conditions<A>) -> Extent<V>,
) -> Option<Axis<V>> {
    // Rules with the same extent change together.
    let mut extents: HashMap<Extent<V>, Vec<u32>, FastHash> = HashMap::default();
    for (rule, place) in rules.iter().zip(0..) {
        extents.entry(extent(rule)).or_default().push(place);
    }
    let everywhere = extents.remove(&Extent::Any).unwrap_or_default();
    if extents.is_empty() {
        return None;
    }
    let first_row = rows.begin();
    everywhere.iter().for_each(|rule| rows.set(*rule, true));

    let extents: Vec<(Extent<V>, Vec<u32>)> = extents.into_iter().collect();
    let events = events(&extents);
    let mut boundaries = Vec::new();
    let mut at = V::LOWEST;
    for event in events {
        if event.at != at {
            at = event.at;
            boundaries.push(at);
            rows.next();
        }
        let (_, rules) = &extents[event.extent];
        rules.iter().for_each(|rule| rows.set(*rule, event.value));
    }
    rows.end();
    Some(Axis {
        classes: boundaries.len() + 1,
        boundaries: V::prepare(boundaries),
        place: Place::Own(first_row),
    })
}

/// Merges the axes of fewest classes, given by their classes and places; gives the first merged row.
fn merge(mut axes: Vec<(usize, &mut Place)>, rows: &mut RowsBuilder) -> Option<usize> {
    axes.sort_by_key(|(classes, _)| *classes);
    let mut apart = 1;
    let mut chosen = Vec::new();
    for (classes, place) in axes {
        if apart * classes > MERGED {
            break;
        }
        if let Place::Own(first) = *place {
            chosen.push((classes, first, place));
        }
        apart *= classes;
    }
    if chosen.len() < 2 {
        return None;
    }
    let mut parts = vec![0; chosen.len()];
    let merged = (0..apart).map(|number| {
        let mut rest = number;
        for (part, (classes, first, _)) in parts.iter_mut().zip(&chosen) {
            *part = first + rest % classes;
            rest /= classes;
        }
        rows.push_intersection(&parts)
    });
    let merged: Vec<usize> = merged.collect();
    let mut apart = 1;
    for (classes, _, place) in chosen {
        *place = Place::Merged(apart);
        apart *= classes;
    }
    merged.first().copied()
}

/// Where along an axis an extent begins or ends.
struct Event<V> {
    at: V,
    extent: usize,
    value: bool,
}

/// Beginnings and ends of extents in the order of the axis.
fn events<V: Scalar>(extents: &[(Extent<V>, Vec<u32>)]) -> Vec<Event<V>> {
    let mut events = Vec::new();
    for (number, (extent, _)) in extents.iter().enumerate() {
        let Extent::Of(intervals) = extent else {
            continue;
        };
        for (first, last) in intervals.iter() {
            let event = |at, value| Event {
                at,
                extent: number,
                value,
            };
            events.push(event(*first, true));
            events.extend(last.successor().map(|after| event(after, false)));
        }
    }
    // The intervals of one extent do not touch, so no rule changes twice at one place.
    events.sort_unstable_by_key(|event| event.at);
    events
}

/// The runs of numbers in a set of protocols.
fn runs(protocols: &ProtocolSet) -> Extent<u8> {
    if *protocols == ProtocolSet::ALL {
        return Extent::Any;
    }
    Extent::of(
        (0..=u8::MAX)
            .filter(|protocol| protocols.contains(*protocol))
            .map(|protocol| (protocol, protocol))
            .collect(),
    )
}
