// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exact sets of packets: which flows a port lets pass, as a set and not one by one.
//!
//! Apart from the classifier, which answers for one packet: here a question is about all packets at once, so that two rule sets can be
//! compared and a rule that never decides can be told. A set is a decision diagram: each node cuts one axis of a packet into intervals, and each
//! interval leads on to the next axis. Nodes are kept once, and neighbours that lead to the same place are one interval; so equal sets have
//! equal handles, and comparing two of them is comparing two numbers.
//!
//! A space holds the packets of one family. The axes are those of the flow and not of a port, so that what a source lets out and what a
//! destination lets in can be intersected as they are.

mod cells;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

pub use cells::{Cell, PortSpan};
pub use words::address_words;
pub(crate) use words::other_side;

use crate::{
    classifier::{Address, Conditions, Extent, Scalar},
    fast_hash::FastHash,
    flow::{Direction, Family, Flow, Protocol},
};

/// A set of packets, or a diagram that says something of each packet; of one [`Space`], to which alone it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(u32);

/// Ends of a diagram have this bit; the rest is what is said of the packets that get there.
const END: u32 = 1 << 31;

impl Region {
    /// No packet.
    pub const EMPTY: Region = Region(END);
    /// Every packet.
    pub const FULL: Region = Region(END | 1);
    /// Nothing is said of any packet.
    pub(crate) const SILENT: Region = Region(u32::MAX);

    /// The packet is none of those that are asked about.
    pub(crate) const OTHERS: Region = Region(u32::MAX - 1);

    /// The same is said of every packet: a number under 2^31 - 2.
    pub(crate) const fn end(number: u32) -> Region {
        Region(END | number)
    }

    /// What is said, where it is the same of every packet.
    pub(crate) fn as_end(self) -> Option<u32> {
        (self.0 & END != 0).then_some(self.0 & !END)
    }
}

/// What a diagram says, and the packets of which it says it.
type Parts = Arc<[(Region, Region)]>;

/// What a node cuts; the order in which a packet is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Axis {
    Source,
    Destination,
    Protocol,
    DestinationPort,
    SourcePort,
}

/// Intervals of an axis, each by its last value, and where it leads; together they are the whole axis.
type Edges = Arc<[(u128, Region)]>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    axis: Axis,
    edges: Edges,
}

/// What becomes of two regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    And,
    Or,
    Minus,
    /// What the first says, and where it is silent what the second says.
    Over,
}

impl Operation {
    /// The result, where it can be told without looking inside.
    fn settled(self, one: Region, other: Region) -> Option<Region> {
        match self {
            Operation::And | Operation::Or if one == other => Some(one),
            Operation::Minus if one == other => Some(Region::EMPTY),
            Operation::And if one == Region::EMPTY || other == Region::EMPTY => Some(Region::EMPTY),
            Operation::And if one == Region::FULL => Some(other),
            Operation::And if other == Region::FULL => Some(one),
            Operation::Or if one == Region::FULL || other == Region::FULL => Some(Region::FULL),
            Operation::Or if one == Region::EMPTY => Some(other),
            Operation::Or if other == Region::EMPTY => Some(one),
            Operation::Minus if one == Region::EMPTY || other == Region::FULL => {
                Some(Region::EMPTY)
            }
            Operation::Minus if other == Region::EMPTY => Some(one),
            Operation::Over if one == Region::SILENT => Some(other),
            Operation::Over
                if one == other || one.as_end().is_some() || other == Region::SILENT =>
            {
                Some(one)
            }
            _ => None,
        }
    }
}

/// The packets of one family, and the diagrams over them.
#[derive(Debug)]
pub struct Space {
    family: Family,
    nodes: Vec<Node>,
    known: HashMap<Node, Region, FastHash>,
    results: HashMap<(Operation, Region, Region), Region, FastHash>,
}

impl Space {
    /// An empty space.
    pub fn new(family: Family) -> Self {
        Space {
            family,
            nodes: Vec::new(),
            known: HashMap::default(),
            results: HashMap::default(),
        }
    }

    /// Whose packets they are.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Packets in both.
    pub fn and(&mut self, one: Region, other: Region) -> Region {
        // One order for both, so that the answer is found again.
        self.apply(Operation::And, one.min(other), one.max(other))
    }

    /// Packets in one of the two, or in both.
    pub fn or(&mut self, one: Region, other: Region) -> Region {
        self.apply(Operation::Or, one.min(other), one.max(other))
    }

    /// Packets of the first that are not in the second.
    pub fn minus(&mut self, one: Region, other: Region) -> Region {
        self.apply(Operation::Minus, one, other)
    }

    /// What the first diagram says, and where it is silent what the second one says.
    pub(crate) fn over(&mut self, strong: Region, weak: Region) -> Region {
        self.apply(Operation::Over, strong, weak)
    }

    /// Whether a packet is in a set; false for a packet of the other family.
    pub fn contains(&self, region: Region, flow: &Flow) -> bool {
        self.find(region, flow) == Some(Region::FULL)
    }

    /// Where a packet ends in a diagram; `None` for a packet of the other family.
    pub(crate) fn find(&self, region: Region, flow: &Flow) -> Option<Region> {
        if Family::from(flow.source) != self.family || Family::from(flow.destination) != self.family
        {
            return None;
        }
        let mut at = region;
        while let Some(node) = self.node(at) {
            let value = match node.axis {
                Axis::Source => number_of(flow.source),
                Axis::Destination => number_of(flow.destination),
                Axis::Protocol => flow.protocol.0.into(),
                // A protocol without ports never gets here.
                Axis::DestinationPort => flow.destination_port.into(),
                Axis::SourcePort => flow.source_port.into(),
            };
            at = edge(&node.edges, value);
        }
        Some(at)
    }

    /// The packets that meet conditions; those of a port, for packets that cross it in a direction.
    pub fn of<A: Address + Into<u128>>(
        &mut self,
        conditions: &Conditions<A>,
        direction: Direction,
    ) -> Region {
        self.where_met(conditions, direction, Region::FULL, Region::EMPTY)
    }

    /// A diagram that says `met` of the packets that meet conditions, and `otherwise` of the others.
    pub(crate) fn where_met<A: Address + Into<u128>>(
        &mut self,
        conditions: &Conditions<A>,
        direction: Direction,
        met: Region,
        otherwise: Region,
    ) -> Region {
        let local = (&conditions.local, &conditions.local_ports);
        let remote = (&conditions.remote, &conditions.remote_ports);
        let (source, destination) = match direction {
            Direction::Out => (local, remote),
            Direction::In => (remote, local),
        };
        let at = self.cut(Axis::SourcePort, source.1, met, otherwise);
        let at = self.cut(Axis::DestinationPort, destination.1, at, otherwise);
        let protocols = (0..=u8::MAX).filter(|number| conditions.protocols.contains(*number));
        let protocols = Extent::of(protocols.map(|number| (number, number)).collect());
        let at = self.cut(Axis::Protocol, &protocols, at, otherwise);
        let at = self.cut(Axis::Destination, destination.0, at, otherwise);
        self.cut(Axis::Source, source.0, at, otherwise)
    }

    /// A diagram that goes on to `inside` for the values of an extent, and to `outside` for all others.
    pub(crate) fn cut<V: Scalar + Into<u128>>(
        &mut self,
        axis: Axis,
        extent: &Extent<V>,
        inside: Region,
        outside: Region,
    ) -> Region {
        let Extent::Of(intervals) = extent else {
            return inside;
        };
        let highest = self.highest(axis);
        let mut edges = Vec::with_capacity(intervals.len() * 2 + 1);
        let mut next = 0u128;
        for (first, last) in intervals.iter() {
            let (first, last): (u128, u128) = ((*first).into(), (*last).into());
            if first > next {
                edges.push((first - 1, outside));
            }
            edges.push((last, inside));
            next = last.saturating_add(1);
        }
        if edges.last().is_none_or(|(last, _)| *last < highest) {
            edges.push((highest, outside));
        }
        self.intern(axis, edges)
    }

    /// A diagram with what it says put in other words.
    pub(crate) fn relabel(&mut self, region: Region, label: &impl Fn(Region) -> Region) -> Region {
        let mut done = HashMap::default();
        self.relabel_node(region, label, &mut done)
    }

    fn relabel_node(
        &mut self,
        region: Region,
        label: &impl Fn(Region) -> Region,
        done: &mut HashMap<Region, Region, FastHash>,
    ) -> Region {
        let Some(node) = self.node(region).cloned() else {
            return label(region);
        };
        if let Some(known) = done.get(&region) {
            return *known;
        }
        let edges = node
            .edges
            .iter()
            .map(|(last, child)| (*last, self.relabel_node(*child, label, done)))
            .collect();
        let result = self.intern(node.axis, edges);
        done.insert(region, result);
        result
    }

    /// The packets of each thing that a diagram says, in the order of [`Space::ends`]; together they are all packets. One walk, whatever the
    /// number of things said: a diagram of ten thousand rules is not walked ten thousand times.
    pub(crate) fn split(&mut self, region: Region) -> Vec<(Region, Region)> {
        let parts = self.split_node(region, &mut HashMap::default());
        let mut parts = parts.to_vec();
        parts.sort_unstable_by_key(|(end, _)| *end);
        parts
    }

    fn split_node(&mut self, region: Region, done: &mut HashMap<Region, Parts, FastHash>) -> Parts {
        let Some(node) = self.node(region).cloned() else {
            return [(region, Region::FULL)].into();
        };
        if let Some(known) = done.get(&region) {
            return known.clone();
        }
        // By end, in the order in which they are met: the intervals that lead to it, and nothing between them.
        let mut places: HashMap<Region, usize, FastHash> = HashMap::default();
        let mut by_end: Vec<(Region, Vec<(u128, Region)>)> = Vec::new();
        let mut first = 0u128;
        for (last, child) in node.edges.iter() {
            for (end, packets) in self.split_node(*child, done).iter() {
                let place = *places.entry(*end).or_insert_with(|| {
                    by_end.push((*end, Vec::new()));
                    by_end.len() - 1
                });
                let edges = &mut by_end[place].1;
                let next = edges.last().map_or(0, |(last, _)| last.saturating_add(1));
                if next < first {
                    edges.push((first - 1, Region::EMPTY));
                }
                edges.push((*last, *packets));
            }
            first = last.saturating_add(1);
        }
        let highest = self.highest(node.axis);
        let parts: Parts = by_end
            .into_iter()
            .map(|(end, mut edges)| {
                if edges.last().is_some_and(|(last, _)| *last < highest) {
                    edges.push((highest, Region::EMPTY));
                }
                (end, self.intern(node.axis, edges))
            })
            .collect();
        done.insert(region, parts.clone());
        parts
    }

    /// What a diagram says of some packets; of all others it says [`Region::OTHERS`].
    pub(crate) fn within(&mut self, diagram: Region, packets: Region) -> Region {
        if packets == Region::FULL {
            return diagram;
        }
        let mask = self.relabel(packets, &|end| match end {
            Region::FULL => Region::SILENT,
            _ => Region::OTHERS,
        });
        self.over(mask, diagram)
    }

    /// Everything that a diagram says of some packet.
    pub(crate) fn ends(&self, region: Region) -> Vec<Region> {
        let mut seen: HashMap<Region, (), FastHash> = HashMap::default();
        let mut open = vec![region];
        let mut ends = Vec::new();
        while let Some(at) = open.pop() {
            if seen.insert(at, ()).is_some() {
                continue;
            }
            match self.node(at) {
                Some(node) => open.extend(node.edges.iter().map(|(_, child)| *child)),
                None => ends.push(at),
            }
        }
        ends.sort_unstable();
        ends
    }

    /// The intervals of the first axis, where the diagram asks for it first; else one that is everything.
    pub(crate) fn intervals(&self, region: Region, axis: Axis) -> Edges {
        match self.node(region) {
            Some(node) if node.axis == axis => node.edges.clone(),
            _ => [(self.highest(axis), region)].into(),
        }
    }

    /// Where a value of the first axis leads, without a copy of its intervals.
    pub(crate) fn at(&self, region: Region, axis: Axis, value: u128) -> Region {
        match self.node(region) {
            Some(node) if node.axis == axis => edge(&node.edges, value),
            _ => region,
        }
    }

    /// A region of another space of the same family, as one of this space.
    pub fn import(&mut self, from: &Space, region: Region) -> Region {
        let mut done = HashMap::default();
        self.import_node(from, region, &mut done)
    }

    fn import_node(
        &mut self,
        from: &Space,
        region: Region,
        done: &mut HashMap<Region, Region, FastHash>,
    ) -> Region {
        let Some(node) = from.node(region) else {
            return region;
        };
        if let Some(known) = done.get(&region) {
            return *known;
        }
        let edges = node.edges.iter();
        let edges = edges
            .map(|(last, child)| (*last, self.import_node(from, *child, done)))
            .collect();
        let result = self.intern(node.axis, edges);
        done.insert(region, result);
        result
    }

    /// A diagram for which only some values of its first axis count: what it says of the others is what it says of the next lower one.
    /// The values stand in intervals that are sorted and do not overlap.
    pub(crate) fn only(&mut self, region: Region, axis: Axis, counting: &[(u128, u128)]) -> Region {
        let mut edges: Vec<(u128, Region)> = Vec::new();
        let mut next = 0;
        for (last, child) in self.intervals(region, axis).iter() {
            let place = counting.partition_point(|(_, end)| *end < next);
            let counts = counting.get(place).is_some_and(|(first, _)| first <= last);
            next = last.saturating_add(1);
            if counts {
                // Up to the next one that counts, so that what does not count makes no difference.
                let after = counting[place..].iter().find(|(_, end)| end > last);
                let end = match after {
                    Some((first, _)) => (*last).max(first.saturating_sub(1)),
                    None => self.highest(axis),
                };
                edges.push((end, *child));
            }
        }
        if edges.is_empty() {
            return Region::EMPTY;
        }
        self.intern(axis, edges)
    }

    /// What a diagram says where an axis has a value; it does not ask for the axis any more.
    pub(crate) fn fix(&mut self, region: Region, axis: Axis, value: u128) -> Region {
        let Some(node) = self.node(region) else {
            return region;
        };
        if node.axis == axis {
            return edge(&node.edges, value);
        }
        if node.axis > axis {
            return region;
        }
        let (first, edges) = (node.axis, node.edges.clone());
        let edges = edges
            .iter()
            .map(|(last, child)| (*last, self.fix(*child, axis, value)))
            .collect();
        self.intern(first, edges)
    }

    fn apply(&mut self, operation: Operation, one: Region, other: Region) -> Region {
        if let Some(result) = operation.settled(one, other) {
            return result;
        }
        if let Some(known) = self.results.get(&(operation, one, other)) {
            return *known;
        }
        let axis_of = |region| self.node(region).map(|node| node.axis);
        let axis = match (axis_of(one), axis_of(other)) {
            (Some(one), Some(other)) => one.min(other),
            (Some(axis), None) | (None, Some(axis)) => axis,
            // Two ends that the operation does not settle have no business together.
            (None, None) => return one,
        };
        let (ours, theirs) = (self.intervals(one, axis), self.intervals(other, axis));
        let mut edges = Vec::with_capacity(ours.len().max(theirs.len()));
        let (mut our, mut their) = (0, 0);
        while let (Some((our_last, our_child)), Some((their_last, their_child))) =
            (ours.get(our), theirs.get(their))
        {
            let child = self.apply(operation, *our_child, *their_child);
            edges.push((*our_last.min(their_last), child));
            our += usize::from(our_last <= their_last);
            their += usize::from(their_last <= our_last);
        }
        let result = self.intern(axis, edges);
        self.results.insert((operation, one, other), result);
        result
    }

    /// The one node of these edges; none where all of them lead to the same place.
    fn intern(&mut self, axis: Axis, mut edges: Vec<(u128, Region)>) -> Region {
        edges.dedup_by(|next, kept| {
            let same = next.1 == kept.1;
            if same {
                kept.0 = next.0;
            }
            same
        });
        if let [(_, child)] = edges[..] {
            return child;
        }
        let node = Node {
            axis,
            edges: edges.into(),
        };
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let region = Region(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.known.insert(node, region);
        region
    }

    fn node(&self, region: Region) -> Option<&Node> {
        self.nodes.get(region.0 as usize)
    }

    fn highest(&self, axis: Axis) -> u128 {
        match (axis, self.family) {
            (Axis::Source | Axis::Destination, Family::V4) => u32::MAX.into(),
            (Axis::Source | Axis::Destination, Family::V6) => u128::MAX,
            (Axis::Protocol, _) => u8::MAX.into(),
            (Axis::DestinationPort | Axis::SourcePort, _) => u16::MAX.into(),
        }
    }
}

/// Where a value leads.
pub(crate) fn edge(edges: &[(u128, Region)], value: u128) -> Region {
    let place = edges.partition_point(|(last, _)| *last < value);
    // The last edge ends with the axis; a value beyond belongs to no packet.
    edges.get(place).map_or(Region::EMPTY, |(_, child)| *child)
}

/// An address as a number of its family.
pub(crate) fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// Protocols for which `keep` says yes.
pub(crate) fn protocols(keep: impl Fn(Protocol) -> bool) -> Extent<u8> {
    let kept = (0..=u8::MAX).filter(|number| keep(Protocol(*number)));
    Extent::of(kept.map(|number| (number, number)).collect())
}
