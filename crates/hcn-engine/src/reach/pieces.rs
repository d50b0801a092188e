// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a pair reaches with what it does: its packets by what decides on them at the two ports.
//!
//! Apart from the sets of what passes, since who only wants those need not pay for this. Invariant: the pieces of a pair do not overlap,
//! together they are everything, and the allowed ones are what passes.

use std::{collections::HashMap, sync::Arc};

use super::{Beyond, Reach};
use crate::{
    fast_hash::FastHash,
    flow::Direction,
    port_rules::Labels,
    space::{Axis, Region, edge, number_of, other_side},
    switch::Switch,
    verdict::{Decision, Layer, Reason, Ruling},
};

/// Packets of a pair on which the same decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The packets; with the addresses of the other side where that is no port.
    pub packets: Region,
    /// What the port of the source says, where it is asked.
    pub out: Option<Ruling>,
    /// What the port of the destination says, where it is asked.
    pub into: Option<Ruling>,
}

impl Piece {
    /// What happens to the packets.
    pub fn decision(&self) -> Decision {
        let rulings = [self.out, self.into].into_iter().flatten();
        rulings
            .last()
            .map_or(Decision::Allow, |ruling| ruling.decision)
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    labels: Labels,
    /// By end and direction.
    diagrams: HashMap<(usize, bool), Region, FastHash>,
    /// By the diagrams of both ports.
    pieces: HashMap<Asked, Arc<[Piece]>>,
}

/// What the ports of the source and of the destination say; a port that is not asked says nothing.
type Asked = (Option<Region>, Option<Region>);

/// What an isolated port says to another one.
const ISOLATED: Ruling = Ruling {
    decision: Decision::Block,
    layer: Layer::Switch,
    reason: Reason::NoIntercommunication,
};

impl Reach {
    /// The pieces of a pair of ends of the switch that this was made of; none for an index beyond the ends.
    pub fn pieces(&mut self, switch: &Switch, source: usize, destination: usize) -> Arc<[Piece]> {
        let (Some(from), Some(to)) = (self.ends.get(source), self.ends.get(destination)) else {
            return [].into();
        };
        let (from, to) = (*from, *to);
        if from.port == to.port {
            return self.divide(None, None);
        }
        let isolated = self.found.labels.of(ISOLATED);
        let out = match self.isolated[source] {
            true => isolated,
            false => {
                let diagram = self.diagram(switch, source, Direction::Out);
                let intervals = self.space.intervals(diagram, Axis::Destination);
                edge(&intervals, number_of(to.address))
            }
        };
        let into = match self.isolated[destination] {
            true => isolated,
            false => {
                let diagram = self.diagram(switch, destination, Direction::In);
                let intervals = self.space.intervals(diagram, Axis::Source);
                edge(&intervals, number_of(from.address))
            }
        };
        self.divide(Some(out), Some(into))
    }

    /// The pieces of an end and the addresses beyond; none for an index beyond the ends.
    pub fn pieces_outside(
        &mut self,
        switch: &Switch,
        end: usize,
        direction: Direction,
        beyond: &Beyond,
    ) -> Arc<[Piece]> {
        if end >= self.ends.len() {
            return [].into();
        }
        let diagram = self.diagram(switch, end, direction);
        let diagram = self
            .space
            .only(diagram, other_side(direction), &beyond.spans);
        match direction {
            Direction::Out => self.divide(Some(diagram), None),
            Direction::In => self.divide(None, Some(diagram)),
        }
    }

    /// What decides at the port of an end, over packets that have the end's address on its side.
    fn diagram(&mut self, switch: &Switch, end: usize, direction: Direction) -> Region {
        let key = (end, direction == Direction::In);
        if let Some(known) = self.found.diagrams.get(&key) {
            return *known;
        }
        let (port, address) = (self.ends[end].port, self.ends[end].address);
        let labels = &mut self.found.labels;
        let diagram = switch.rulings_with(&mut self.space, port, direction, address, labels);
        self.found.diagrams.insert(key, diagram);
        diagram
    }

    /// The pieces of what the ports say.
    fn divide(&mut self, out: Option<Region>, into: Option<Region>) -> Arc<[Piece]> {
        let key: Asked = (out, into);
        if let Some(known) = self.found.pieces.get(&key) {
            return known.clone();
        }
        let mut pieces = Vec::new();
        for (packets, out) in self.parts(out) {
            if out.is_some_and(|ruling| ruling.decision == Decision::Block) {
                pieces.push(Piece {
                    packets,
                    out,
                    into: None,
                });
                continue;
            }
            for (others, into) in self.parts(into) {
                let packets = self.space.and(packets, others);
                if packets != Region::EMPTY {
                    pieces.push(Piece { packets, out, into });
                }
            }
        }
        let pieces: Arc<[Piece]> = pieces.into();
        self.found.pieces.insert(key, pieces.clone());
        pieces
    }

    /// The packets of each ruling of a diagram.
    fn parts(&mut self, diagram: Option<Region>) -> Vec<(Region, Option<Ruling>)> {
        let Some(diagram) = diagram else {
            return vec![(Region::FULL, None)];
        };
        let ends = self.space.ends(diagram);
        let mut parts = Vec::with_capacity(ends.len());
        for end in ends {
            let packets = self.space.relabel(diagram, &|other| match other == end {
                true => Region::FULL,
                false => Region::EMPTY,
            });
            parts.push((packets, self.found.labels.ruling(end)));
        }
        parts
    }
}
