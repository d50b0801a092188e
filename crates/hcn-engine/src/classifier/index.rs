// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index of a classifier: rows of bits for every class of every axis.
//!
//! Apart from the axes, which know values but no rules. A rule has a bit of its own in every row. Up to 64 rules a row is a word; more rules have rows
//! of chunks. In few chunks the bits stand in the order of the rules, strongest first, so that the first bit that is set in all rows of a packet is the
//! answer. In many, rules for near addresses stand together ([`cluster`]), so that a packet's rows have few chunks in common; then the strongest
//! of the rules that are found there is the answer.

use std::collections::HashMap;

use super::{
    Address, Conditions, Packet, ProtocolSet,
    axis::Locate,
    chunks::{self, Chunks, ChunksBuilder, Ranking},
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
    /// The row of each combination of classes of merged axes.
    merged: Box<[u32]>,
    rows: Rows,
    places: Places,
    /// How many rules there are.
    count: u32,
}

/// Which rule a bit is.
#[derive(Debug)]
enum Places {
    /// The one at the bit's own place.
    InOrder,
    /// By bit, the rule's place; and by chunk, the lowest place in it.
    Clustered(Clustered),
}

#[derive(Debug)]
struct Clustered {
    places: Box<[u32]>,
    least: Box<[u32]>,
}

/// Which of the rules are there.
pub(super) trait Living {
    /// Whether the one at a place is.
    fn lives(&self, place: u32) -> bool;
}

/// All of them.
struct All;

impl Living for All {
    #[inline(always)]
    fn lives(&self, _: u32) -> bool {
        true
    }
}

/// Bits are the places of rules.
struct InOrder<'a, L: ?Sized>(&'a L);

impl<L: Living + ?Sized> Ranking for InOrder<'_, L> {
    #[inline(always)]
    fn rank(&self, bit: u32) -> Option<u32> {
        self.0.lives(bit).then_some(bit)
    }

    #[inline(always)]
    fn least(&self, _: u32) -> u32 {
        0
    }
}

/// Each bit has its place.
struct ByPlace<'a, L: ?Sized>(&'a Clustered, &'a L);

impl<L: Living + ?Sized> Ranking for ByPlace<'_, L> {
    #[inline(always)]
    fn rank(&self, bit: u32) -> Option<u32> {
        let place = self.0.places[bit as usize];
        self.1.lives(place).then_some(place)
    }

    #[inline(always)]
    fn least(&self, chunk: u32) -> u32 {
        self.0.least[chunk as usize]
    }
}

/// The rows that a packet's answer is in all of.
struct Asked {
    rows: [u32; AXES],
    count: usize,
    combination: u32,
}

impl Asked {
    #[inline(always)]
    fn ask<V: Locate>(&mut self, axis: &Option<Axis<V>>, value: Option<V>) {
        if let Some(axis) = axis {
            let class = value.map(|value| value.class(&axis.boundaries));
            let listed = |rows: &[u32]| class.map_or(axis.absent, |class| rows[class]);
            match &axis.rows {
                AxisRows::Merged(rows) => self.combination += listed(rows),
                AxisRows::Listed(rows) => self.add(listed(rows)),
                AxisRows::Apart(first, apart) => {
                    self.add(class.map_or(axis.absent, |class| first + class as u32 * apart));
                }
            }
        }
    }

    #[inline(always)]
    fn add(&mut self, row: u32) {
        self.rows[self.count] = row;
        self.count += 1;
    }
}

/// One axis on which some rule has a condition.
#[derive(Debug)]
struct Axis<V: Locate> {
    boundaries: V::Boundaries,
    rows: AxisRows,
    /// The row, or what is added, for a packet that has no such field: the rules without a condition on it.
    absent: u32,
}

/// From an axis' class to its row.
#[derive(Debug)]
enum AxisRows {
    /// The row of each class.
    Listed(Box<[u32]>),
    /// The first class' row, and how far apart they are.
    Apart(u32, u32),
    /// What each class adds to the number of the combination.
    Merged(Box<[u32]>),
}

/// How many rules are ordered by address at least, and in how many parts all of them at most.
const STRATUM: u32 = 4096;
const STRATA: u32 = 8;

/// Combinations of merged axes at most, and for each rule. Axes of few different rows (protocols, the endpoint's own address, ports) have one row for
/// every combination of theirs, so that one row is looked at instead of one for each.
const MERGED: usize = 8192;
const MERGED_A_RULE: usize = 4;

/// The rows of all axes.
#[derive(Debug)]
enum Rows {
    /// Of at most 64 rules.
    Words(Box<[u64]>),
    Chunks(Chunks),
}

impl Rows {
    #[inline(always)]
    fn first<const N: usize>(
        &self,
        rows: [u32; N],
        places: &Places,
        living: &(impl Living + ?Sized),
    ) -> Option<u32> {
        match self {
            Rows::Words(words) => {
                let mut both = rows
                    .iter()
                    .fold(u64::MAX, |both, row| both & words[*row as usize]);
                while both != 0 {
                    let place = both.trailing_zeros();
                    if living.lives(place) {
                        return Some(place);
                    }
                    both &= both - 1;
                }
                None
            }
            Rows::Chunks(chunks) => match places {
                Places::InOrder => chunks.first(rows, &InOrder(living)),
                Places::Clustered(places) => chunks.first(rows, &ByPlace(places, living)),
            },
        }
    }
}

impl<A: Address> Index<A> {
    /// Indexes rules, given strongest first.
    pub(super) fn build(rules: &[&Conditions<A>]) -> Self {
        let mut rows = match rules.len() {
            0..=64 => RowsBuilder::Words(Vec::new()),
            count => RowsBuilder::Chunks(Box::new(ChunksBuilder::new(count))),
        };
        let places = match rules.len() {
            0..=chunks::PLAIN_BITS => Places::InOrder,
            _ => Places::Clustered(cluster(rules)),
        };
        let in_order: Vec<&Conditions<A>> = match &places {
            Places::InOrder => rules.to_vec(),
            Places::Clustered(Clustered { places, .. }) => {
                places.iter().map(|place| rules[*place as usize]).collect()
            }
        };
        let rules = in_order.as_slice();
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
            protocols.as_mut().map(Made::shape),
            local.as_mut().map(Made::shape),
            remote.as_mut().map(Made::shape),
            local_ports.as_mut().map(Made::shape),
            remote_ports.as_mut().map(Made::shape),
        ];
        let most = MERGED.min(256.max(MERGED_A_RULE * rules.len()));
        Index {
            merged: merge(axes.into_iter().flatten().collect(), most, &mut rows),
            protocols: protocols.map(|made| made.axis),
            local: local.map(|made| made.axis),
            remote: remote.map(|made| made.axis),
            local_ports: local_ports.map(|made| made.axis),
            remote_ports: remote_ports.map(|made| made.axis),
            rows: match rows {
                RowsBuilder::Words(words) => Rows::Words(words.into()),
                RowsBuilder::Chunks(chunks) => Rows::Chunks(chunks.finish()),
            },
            places,
            count: rules.len() as u32,
        }
    }

    /// Place of the first rule that matches.
    #[inline]
    pub(super) fn first(&self, packet: &Packet<A>) -> Option<u32> {
        self.first_living(packet, &All)
    }

    /// As [`Index::first`], of the rules that are there.
    #[inline]
    pub(super) fn first_living(
        &self,
        packet: &Packet<A>,
        living: &(impl Living + ?Sized),
    ) -> Option<u32> {
        let mut asked = Asked {
            rows: [0; AXES],
            count: 0,
            combination: 0,
        };
        asked.ask(&self.protocols, Some(packet.protocol));
        asked.ask(&self.local, Some(packet.local));
        asked.ask(&self.remote, Some(packet.remote));
        let (local, remote) = packet.ports.unzip();
        asked.ask(&self.local_ports, local);
        asked.ask(&self.remote_ports, remote);
        if let Some(row) = self.merged.get(asked.combination as usize) {
            asked.add(*row);
        }
        let [a, b, c, d, e] = asked.rows;
        let places = &self.places;
        match asked.count {
            // No rule has any condition: the first one it is.
            0 => (0..self.count).find(|place| living.lives(*place)),
            1 => self.rows.first([a], places, living),
            2 => self.rows.first([a, b], places, living),
            3 => self.rows.first([a, b, c], places, living),
            4 => self.rows.first([a, b, c, d], places, living),
            _ => self.rows.first([a, b, c, d, e], places, living),
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        fn of<V: Locate>(axis: &Option<Axis<V>>) -> usize {
            axis.as_ref().map_or(0, |axis| {
                let rows = match &axis.rows {
                    AxisRows::Listed(rows) | AxisRows::Merged(rows) => size_of_val(&**rows),
                    AxisRows::Apart(..) => 0,
                };
                V::bytes(&axis.boundaries) + rows
            })
        }
        let rows = match &self.rows {
            Rows::Words(words) => size_of_val(&**words),
            Rows::Chunks(chunks) => chunks.bytes(),
        };
        let places = match &self.places {
            Places::InOrder => 0,
            Places::Clustered(places) => size_of_val(&*places.places) + size_of_val(&*places.least),
        };
        of(&self.protocols)
            + of(&self.local)
            + of(&self.remote)
            + of(&self.local_ports)
            + of(&self.remote_ports)
            + size_of_val(&*self.merged)
            + rows
            + places
    }
}

/// In which order rules have their bits, so that those for near addresses stand together; within a chunk, the stronger first.
///
/// Rules for few addresses of the one side stand in the order of these, those for any in the order of the other side's, and what is left in that of
/// the ports. All that among so many rules that follow on each other, so that what a strong one decides need not be looked for among the weak.
fn cluster<A: Address>(rules: &[&Conditions<A>]) -> Clustered {
    fn side<A: Address>(extent: &Extent<A>) -> (u8, Option<A>) {
        match extent {
            Extent::Any => (2, None),
            Extent::Of(intervals) => match intervals.first() {
                None => (2, None),
                Some((first, last)) => (u8::from(A::is_wide(*first, *last)), Some(*first)),
            },
        }
    }
    let port = |extent: &Extent<u16>| match extent {
        Extent::Any => None,
        Extent::Of(intervals) => intervals.first().copied(),
    };
    let stratum = (rules.len() as u32 / STRATA).max(STRATUM);
    let mut places: Vec<u32> = (0..rules.len() as u32).collect();
    places.sort_by_cached_key(|place| {
        let rule = rules[*place as usize];
        let ((remote_width, remote), (local_width, local)) =
            (side(&rule.remote), side(&rule.local));
        let ordered = match remote_width <= local_width {
            true => (remote, local),
            false => (local, remote),
        };
        let ports = (port(&rule.local_ports), port(&rule.remote_ports));
        (*place / stratum, remote_width, local_width, ordered, ports)
    });
    let mut least = Vec::new();
    for chunk in places.chunks_mut(chunks::BITS) {
        chunk.sort_unstable();
        least.push(chunk[0]);
    }
    Clustered {
        places: places.into(),
        least: least.into(),
    }
}

/// Rows while they are made: the one of the class that the sweep is in, and those before it.
enum RowsBuilder {
    /// The rows, of which the last one is being made.
    Words(Vec<u64>),
    Chunks(Box<ChunksBuilder>),
}

impl RowsBuilder {
    /// Starts the first row of an axis, without any rule.
    fn begin(&mut self) {
        match self {
            RowsBuilder::Words(words) => words.push(0),
            RowsBuilder::Chunks(chunks) => chunks.begin(),
        }
    }

    /// The number of the next row, and how far apart they are, where rows stand one after the other.
    fn apart(&self) -> Option<(u32, u32)> {
        match self {
            RowsBuilder::Words(words) => Some((words.len() as u32 - 1, 1)),
            RowsBuilder::Chunks(chunks) => Some((chunks.next_number(), chunks.apart()?)),
        }
    }

    /// Ends the row, gives its number, and starts the next one as its copy.
    fn next(&mut self) -> u32 {
        match self {
            RowsBuilder::Words(words) => {
                words.extend(words.last().copied());
                words.len() as u32 - 2
            }
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

    /// The row of what is in all of these rows; gives its number.
    fn intersection(&mut self, rows: &[u32]) -> u32 {
        match self {
            RowsBuilder::Words(words) => {
                let all = rows
                    .iter()
                    .fold(u64::MAX, |all, row| all & words[*row as usize]);
                words.push(all);
                words.len() as u32 - 1
            }
            RowsBuilder::Chunks(chunks) => chunks.intersection(rows),
        }
    }
}

/// Makes the rows of one axis by a sweep over its boundaries; nothing where no rule has a condition on it.
fn axis<A: Address, V: Locate>(
    rules: &[&Conditions<A>],
    rows: &mut RowsBuilder,
    mut extent: impl FnMut(&Conditions<A>) -> Extent<V>,
) -> Option<Made<V>> {
    // Rules with the same extent change together.
    let mut extents: HashMap<Extent<V>, Vec<u32>, FastHash> = HashMap::default();
    for (rule, place) in rules.iter().zip(0..) {
        extents.entry(extent(rule)).or_default().push(place);
    }
    let everywhere = extents.remove(&Extent::Any).unwrap_or_default();
    if extents.is_empty() {
        return None;
    }
    rows.begin();
    everywhere.iter().for_each(|rule| rows.set(*rule, true));
    let absent = rows.next();

    let extents: Vec<(Extent<V>, Vec<u32>)> = extents.into_iter().collect();
    let events = events(&extents);
    let mut boundaries = Vec::new();
    let mut of_classes = Vec::new();
    let mut at = V::LOWEST;
    let apart = rows.apart();
    for event in events {
        if event.at != at {
            at = event.at;
            boundaries.push(at);
            of_classes.push(rows.next());
        }
        let (_, rules) = &extents[event.extent];
        rules.iter().for_each(|rule| rows.set(*rule, event.value));
    }
    of_classes.push(rows.next());
    Some(Made {
        axis: Axis {
            boundaries: V::prepare(boundaries),
            rows: match apart {
                Some((first, apart)) => AxisRows::Apart(first, apart),
                None => AxisRows::Listed(of_classes.clone().into()),
            },
            absent,
        },
        of_classes,
    })
}

/// An axis, and the row of each class, where equal rows are one.
struct Made<V: Locate> {
    axis: Axis<V>,
    of_classes: Vec<u32>,
}

/// An axis while axes are merged.
struct Shape<'a> {
    /// Its different rows, sorted.
    different: Vec<u32>,
    of_classes: &'a [u32],
    rows: &'a mut AxisRows,
    absent: &'a mut u32,
}

impl<V: Locate> Made<V> {
    fn shape(&mut self) -> Shape<'_> {
        let mut different = self.of_classes.clone();
        different.push(self.axis.absent);
        different.sort_unstable();
        different.dedup();
        Shape {
            different,
            of_classes: &self.of_classes,
            rows: &mut self.axis.rows,
            absent: &mut self.axis.absent,
        }
    }
}

/// Merges the axes of fewest different rows; gives the row of each combination.
fn merge(mut axes: Vec<Shape<'_>>, most: usize, rows: &mut RowsBuilder) -> Box<[u32]> {
    axes.sort_by_key(|axis| axis.different.len());
    let mut apart = 1;
    axes.retain(|axis| {
        apart *= axis.different.len();
        apart <= most
    });
    if axes.len() < 2 {
        return Box::default();
    }
    let combinations = axes.iter().map(|axis| axis.different.len()).product();
    let mut parts = vec![0; axes.len()];
    let merged = (0..combinations).map(|number| {
        let mut rest: usize = number;
        for (part, axis) in parts.iter_mut().zip(&axes) {
            *part = axis.different[rest % axis.different.len()];
            rest /= axis.different.len();
        }
        rows.intersection(&parts)
    });
    let merged: Box<[u32]> = merged.collect();
    let mut apart = 1;
    for axis in axes {
        let add = |row: &u32| {
            let number = axis.different.partition_point(|other| other < row);
            (number * apart) as u32
        };
        *axis.rows = AxisRows::Merged(axis.of_classes.iter().map(add).collect());
        *axis.absent = add(axis.absent);
        apart *= axis.different.len();
    }
    merged
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
