// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a pair reaches with what it does: its packets by what decides on them at each port on the way.
//!
//! Apart from the sets of what passes, since who only wants those need not pay for this. Invariant: the pieces of a pair do not overlap,
//! together they are everything, and the allowed ones are what passes.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{
    Beyond, Reach,
    along::{Nowhere, Sender, Target},
    course::Road,
};
use crate::{
    classifier::Extent,
    fast_hash::FastHash,
    flow::Direction,
    port_rules::Labels,
    space::{Axis, Region, number_of, other_side},
    switch::PortIndex,
    verdict::{Decision, Layer, Reason, Ruling},
    way::{Hop, Receiver},
};

/// Packets of a pair on which the same decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The packets as they set out; with the addresses of the other side where that is no port.
    pub packets: Region,
    /// What each port on the way says, in order, up to the first that blocks; on the ways to several backends up to the first on each.
    pub said: Arc<[Said]>,
    /// Why they get nowhere, where no port is to blame.
    pub nowhere: Option<Nowhere>,
    /// Backends that get them and all backends, where a load balancer has them.
    pub backends: Option<(usize, usize)>,
    /// What happens on the way, to one of those that send; empty where that is not known or not the same for all of the packets.
    pub hops: Arc<[Hop]>,
}

/// What a port says of all packets, on the way to everybody or to one backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) port: PortIndex,
    pub(super) direction: Direction,
    pub(super) diagram: Region,
    /// The backend's place, where a load balancer has several.
    pub(super) fork: Option<usize>,
}

/// Packets on their way, with what was said so far.
#[derive(Clone, Debug)]
struct Open {
    packets: Region,
    said: Vec<Said>,
    /// Backends that do not get them.
    missed: Vec<usize>,
}

impl Open {
    fn ended(self, backends: Option<(usize, usize)>) -> Piece {
        Piece {
            packets: self.packets,
            said: self.said.into(),
            nowhere: None,
            backends,
            hops: [].into(),
        }
    }
}

/// What a port says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The port.
    pub port: PortIndex,
    /// As the port sees it.
    pub direction: Direction,
    /// What it says.
    pub ruling: Ruling,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    labels: Labels,
    /// By port, direction and the address on its side.
    diagrams: HashMap<(PortIndex, bool, IpAddr), Region, FastHash>,
}

impl Found {
    /// The end of a diagram that says a ruling.
    pub(super) fn label(&mut self, ruling: Ruling) -> Region {
        self.labels.of(ruling)
    }
}

/// What an isolated port says to another one.
pub(super) const ISOLATED: Ruling = Ruling {
    decision: Decision::Block,
    layer: Layer::Switch,
    reason: Reason::NoIntercommunication,
};

/// A port that has no backend behind it.
fn step(port: PortIndex, direction: Direction, diagram: Region) -> Step {
    Step {
        port,
        direction,
        diagram,
        fork: None,
    }
}

impl Reach {
    /// The pieces of a pair of ends; none for an index beyond the ends.
    pub fn pieces(&mut self, source: usize, destination: usize) -> Arc<[Piece]> {
        let (Some(from), Some(to)) = (self.ends.get(source), self.ends.get(destination)) else {
            return [].into();
        };
        let (from, to) = (*from, *to);
        if self.courses.is_some() {
            let to = Target {
                address: to.address,
                receiver: Some(Receiver::Port(to.port)),
            };
            return self.pieces_towards(Sender::End(source), to);
        }
        if from.port == to.port {
            return self.divide(Region::FULL, &[], 0);
        }
        let [out, into] = self.decide(source, destination);
        let steps = [
            step(from.port, Direction::Out, out),
            step(to.port, Direction::In, into),
        ];
        self.divide(Region::FULL, &steps, 0)
    }

    /// What decides on a pair of ends that are asked for the rules of both and for nothing else: equal handles for pairs of which the same rules, by
    /// their numbers, decide the same packets. `None` where that is not all.
    pub fn deciding(&mut self, source: usize, destination: usize) -> Option<[Region; 2]> {
        let (from, to) = (self.ends.get(source)?, self.ends.get(destination)?);
        let is_own = from.port == to.port;
        let Reach {
            courses,
            switch,
            ends,
            ..
        } = self;
        if let Some(courses) = courses {
            let roads = courses.roads(switch, ends, source);
            let own = courses.own(ends[source].port);
            if roads[destination] != Road::Plain || own.contains(&destination) {
                return None;
            }
        }
        (!is_own).then(|| self.decide(source, destination))
    }

    /// What one side of [`Reach::deciding`] says of some packet.
    pub fn rulings(&self, diagram: Region) -> Vec<Ruling> {
        let ends = self.space.ends(diagram).into_iter();
        ends.filter_map(|end| self.found.labels.ruling(end))
            .collect()
    }

    fn decide(&mut self, source: usize, destination: usize) -> [Region; 2] {
        let (from, to) = (self.ends[source], self.ends[destination]);
        let isolated = self.found.labels.of(ISOLATED);
        let out = match self.isolated[source] {
            true => isolated,
            false => {
                let diagram = self.diagram_at(from.port, Direction::Out, from.address);
                self.space
                    .at(diagram, Axis::Destination, number_of(to.address))
            }
        };
        let into = match self.isolated[destination] {
            true => isolated,
            false => {
                let diagram = self.diagram_at(to.port, Direction::In, to.address);
                self.space
                    .at(diagram, Axis::Source, number_of(from.address))
            }
        };
        [out, into]
    }

    /// The pieces of an end and the addresses beyond; none for an index beyond the ends.
    pub fn pieces_outside(
        &mut self,
        end: usize,
        direction: Direction,
        beyond: &Beyond,
    ) -> Arc<[Piece]> {
        let Some(own) = self.ends.get(end).copied() else {
            return [].into();
        };
        if direction == Direction::In && self.courses.is_some() {
            let to = Target {
                address: own.address,
                receiver: Some(Receiver::Port(own.port)),
            };
            return self.pieces_towards(Sender::Beyond(beyond), to);
        }
        let diagram = self.diagram_at(own.port, direction, own.address);
        let axis = other_side(direction);
        let Some(passable) = self.passable(end) else {
            let diagram = self.space.only(diagram, axis, &beyond.spans);
            return self.divide(Region::FULL, &[step(own.port, direction, diagram)], 0);
        };
        let gets_there = self
            .space
            .cut(axis, &Extent::Of(passable), Region::FULL, Region::EMPTY);
        let gets_there = self.space.only(gets_there, axis, &beyond.spans);
        let rest = self.space.minus(Region::FULL, gets_there);
        let mut pieces = self
            .divide(gets_there, &[step(own.port, direction, diagram)], 0)
            .to_vec();
        for piece in &mut pieces {
            piece.packets = self.space.only(piece.packets, axis, &beyond.spans);
        }
        pieces.retain(|piece| piece.packets != Region::EMPTY);
        if rest != Region::EMPTY {
            pieces.push(Piece {
                packets: rest,
                said: [].into(),
                nowhere: Some(Nowhere::Beyond),
                backends: None,
                hops: [].into(),
            });
        }
        pieces.into()
    }

    /// What decides at a port, over packets that have an address on its side.
    pub(super) fn diagram_at(
        &mut self,
        port: PortIndex,
        direction: Direction,
        own: IpAddr,
    ) -> Region {
        let key = (port, direction == Direction::In, own);
        if let Some(known) = self.found.diagrams.get(&key) {
            return *known;
        }
        let labels = &mut self.found.labels;
        let diagram = self
            .switch
            .rulings_with(&mut self.space, port, direction, own, labels);
        self.found.diagrams.insert(key, diagram);
        diagram
    }

    /// Packets divided by what port after port says; the last ones on the ways to so many backends, of which each gets what its own ports let pass.
    pub(super) fn divide(
        &mut self,
        packets: Region,
        steps: &[Step],
        backends: usize,
    ) -> Arc<[Piece]> {
        let mut pieces = Vec::new();
        let mut open = vec![Open {
            packets,
            said: Vec::new(),
            missed: Vec::new(),
        }];
        for step in steps {
            let mut passing = Vec::new();
            for own in open {
                // The way to this backend has ended.
                if step.fork.is_some() && own.missed.last() == step.fork.as_ref() {
                    passing.push(own);
                    continue;
                }
                for (packets, ruling) in self.parts(step.diagram, own.packets) {
                    let mut own = own.clone();
                    own.packets = packets;
                    own.said.extend(ruling.map(|ruling| Said {
                        port: step.port,
                        direction: step.direction,
                        ruling,
                    }));
                    let blocks = ruling.is_some_and(|ruling| ruling.decision == Decision::Block);
                    match (blocks, step.fork) {
                        (true, None) => pieces.push(own.ended(None)),
                        (true, Some(fork)) => {
                            own.missed.push(fork);
                            passing.push(own);
                        }
                        (false, _) => passing.push(own),
                    }
                }
            }
            open = passing;
        }
        pieces.extend(open.into_iter().map(|own| {
            let passing = backends - own.missed.len();
            own.ended((backends > 0).then_some((passing, backends)))
        }));
        pieces.into()
    }

    /// Of these packets those of each ruling of a diagram.
    fn parts(&mut self, diagram: Region, packets: Region) -> Vec<(Region, Option<Ruling>)> {
        let within = self.space.within(diagram, packets);
        let parts = self.space.split(within).into_iter();
        parts
            .filter(|(end, _)| *end != Region::OTHERS)
            .map(|(end, packets)| (packets, self.found.labels.ruling(end)))
            .collect()
    }
}
