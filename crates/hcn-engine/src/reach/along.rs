// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gets through along a course, as a set: where somebody sends to an address, what every port on the way lets pass.
//!
//! Apart from the rows, which are for the many pairs with one port at each end: here a service is translated on the way, and each port judges the
//! packet as it is by then. Invariant: what is said is about the packet as it sets out.

use std::{net::IpAddr, sync::Arc};

use super::{
    Beyond, Reach,
    course::{self, Course, Crossing, Goal, Kind},
    pieces::{ISOLATED, Piece, Said, Step},
};
use crate::{
    classifier::{Conditions, Extent, ProtocolSet},
    flow::{Direction, Family},
    space::{Axis, Region, number_of, other_side},
    switch::PortIndex,
    verdict::Decision,
    way::{Hop, NoWay, Receiver},
};

/// Who sends something.
#[derive(Clone, Copy, Debug)]
pub enum Sender<'a> {
    /// An end, by its place.
    End(usize),
    /// The host.
    Host,
    /// Addresses beyond.
    Beyond(&'a Beyond),
}

/// To whom it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: IpAddr,
    /// Who has to get it, where somebody in particular has to.
    pub receiver: Option<Receiver>,
}

impl Reach {
    /// What gets from somebody to an address: protocols and ports of the first packet of a flow, and the sources where those are beyond. Nothing for
    /// an index beyond the ends, and where this was made without ways.
    pub fn towards(&mut self, sender: Sender<'_>, to: Target) -> Region {
        let Some((courses, source)) = self.asked_courses(sender, to) else {
            return self.at_home(sender, to);
        };
        let mut all = Region::EMPTY;
        let mut rest = Region::FULL;
        for course in courses.iter() {
            let about = self.about(course, &mut rest);
            let through = self.through(course, source, to).all;
            let through = self.space.and(through, about);
            all = self.space.or(all, through);
        }
        match sender {
            Sender::Beyond(beyond) => self.only(all, Direction::In, beyond),
            Sender::End(_) | Sender::Host => all,
        }
    }

    /// What gets from somebody to some of the backends of an address's load balancers, and not to all of them: whether it arrives hangs on the one
    /// that is chosen. Nothing of it is in [`Reach::towards`].
    pub fn partly_towards(&mut self, sender: Sender<'_>, to: Target) -> Region {
        let Some((courses, source)) = self.asked_courses(sender, to) else {
            return Region::EMPTY;
        };
        let mut partly = Region::EMPTY;
        let mut rest = Region::FULL;
        for course in courses.iter() {
            let about = self.about(course, &mut rest);
            if course.forks.is_empty() {
                continue;
            }
            let through = self.through(course, source, to);
            let own = self.space.minus(through.some, through.all);
            let own = self.space.and(own, about);
            partly = self.space.or(partly, own);
        }
        match sender {
            Sender::Beyond(beyond) => self.only(partly, Direction::In, beyond),
            Sender::End(_) | Sender::Host => partly,
        }
    }

    /// Whether a load balancer takes something that is sent to an address, whoever sends it.
    pub fn is_balanced(&self, address: IpAddr) -> bool {
        let Some(courses) = &self.courses else {
            return false;
        };
        let mut balancers = self.switch.balancers.iter();
        balancers.any(|balancer| match balancer.vips.is_empty() {
            true => courses.topology.network_of_host_address(address).is_some(),
            false => balancer.vips.contains(&address),
        })
    }

    /// What happens on the way from an end to another one, where it is the same for every packet.
    pub fn hops_between(&mut self, source: usize, destination: usize) -> Option<Arc<[Hop]>> {
        let to = Target {
            address: self.ends.get(destination)?.address,
            receiver: None,
        };
        let (courses, _) = self.asked_courses(Sender::End(source), to)?;
        match &courses[..] {
            [course] => Some(course.hops.clone()),
            _ => None,
        }
    }

    /// As [`Reach::towards`], by what decides.
    pub fn pieces_towards(&mut self, sender: Sender<'_>, to: Target) -> Arc<[Piece]> {
        let Some((courses, source)) = self.asked_courses(sender, to) else {
            return match (self.at_home(sender, to), sender) {
                (Region::FULL, _) => self.divide(Region::FULL, &[], 0),
                (_, Sender::End(_)) => [Piece::nowhere(Region::FULL, Nowhere::Another)].into(),
                _ => [Piece::nowhere(Region::FULL, Nowhere::NoWay(NoWay::NoRoute))].into(),
            };
        };
        let mut pieces = Vec::new();
        let mut rest = Region::FULL;
        for course in courses.iter() {
            let about = self.about(course, &mut rest);
            if let Some(reason) = course.refusal(to) {
                pieces.push(Piece {
                    hops: course.hops.clone(),
                    ..Piece::nowhere(about, reason)
                });
                continue;
            }
            let crossings = &course.crossings;
            let mut steps = Vec::with_capacity(crossings.len());
            for (crossing, fork) in crossings.iter().zip(course.fork_of_each()) {
                let port = self.port_of(crossing, sender);
                let diagram = self.said_at(crossing, course, source, port);
                let diagram = match sender {
                    Sender::Beyond(beyond) => self.space.only(diagram, Axis::Source, &beyond.spans),
                    Sender::End(_) | Sender::Host => diagram,
                };
                steps.push(Step {
                    port,
                    direction: crossing.direction,
                    diagram,
                    fork,
                });
            }
            let own = self.divide(about, &steps, course.forks.len());
            pieces.extend(own.iter().map(|piece| Piece {
                hops: course.hops.clone(),
                ..piece.clone()
            }));
        }
        pieces.into()
    }

    /// The courses, and the sender's address where it is one; `None` where nothing is sent anywhere.
    fn asked_courses(&mut self, sender: Sender<'_>, to: Target) -> Option<(Arc<[Course]>, Source)> {
        let Reach {
            courses,
            switch,
            ends,
            ..
        } = self;
        let courses = courses.as_mut()?;
        let (kind, source) = match sender {
            Sender::End(place) => {
                let end = ends.get(place)?;
                let own = courses.own(end.port).iter();
                if own.clone().any(|own| ends[*own].address == to.address) {
                    return None;
                }
                let source = Source {
                    address: Some(end.address),
                    port: Some(end.port),
                };
                (Kind::Class(courses.classes[place]), source)
            }
            Sender::Host => {
                let address = course::host_source(&courses.topology, switch, to.address)?;
                let source = Source {
                    address: Some(address),
                    port: None,
                };
                (Kind::Host(address), source)
            }
            Sender::Beyond(_) => (Kind::Outside, Source::default()),
        };
        Some((courses.towards(switch, ends, kind, to.address), source))
    }

    /// What is said of what has no course: an end reaches itself with everything.
    fn at_home(&self, sender: Sender<'_>, to: Target) -> Region {
        match sender {
            Sender::End(place) if self.courses.is_some() => {
                let port = self.ends.get(place).map(|end| end.port);
                let is_home = match to.receiver {
                    Some(Receiver::Port(receiver)) => port == Some(receiver),
                    _ => false,
                };
                match is_home {
                    true => Region::FULL,
                    false => Region::EMPTY,
                }
            }
            _ => Region::EMPTY,
        }
    }

    /// The packets that a course is about; they are taken out of the rest.
    fn about(&mut self, course: &Course, rest: &mut Region) -> Region {
        let Some((protocol, port)) = course.service else {
            return *rest;
        };
        let mut protocols = ProtocolSet::NONE;
        protocols.insert(protocol.0);
        let ports = match port {
            Some(port) if protocol.has_ports() => Extent::Of([(port, port)].into()),
            Some(_) | None => Extent::Any,
        };
        let about = match self.space.family() {
            Family::V4 => self
                .space
                .of(&conditions::<u32>(protocols, ports), Direction::In),
            Family::V6 => self
                .space
                .of(&conditions::<u128>(protocols, ports), Direction::In),
        };
        let own = self.space.and(about, *rest);
        *rest = self.space.minus(*rest, about);
        own
    }

    fn through(&mut self, course: &Course, source: Source, to: Target) -> Through {
        if course.refusal(to).is_some() {
            return Through {
                all: Region::EMPTY,
                some: Region::EMPTY,
            };
        }
        let branched: usize = course.forks.iter().sum();
        let (common, mut rest) = course.crossings.split_at(course.crossings.len() - branched);
        let common = self.past(common, course, source);
        if course.forks.is_empty() {
            return Through {
                all: common,
                some: common,
            };
        }
        let (mut all, mut some) = (common, Region::EMPTY);
        for length in &course.forks {
            let (own, others) = rest.split_at(*length);
            rest = others;
            let own = self.past(own, course, source);
            all = self.space.and(all, own);
            some = self.space.or(some, own);
        }
        let some = self.space.and(some, common);
        Through { all, some }
    }

    /// What every one of some crossings lets pass.
    fn past(&mut self, crossings: &[Crossing], course: &Course, source: Source) -> Region {
        let mut through = Region::FULL;
        for crossing in crossings {
            let port = source.port_at(crossing);
            let passing = match self.between_ports(crossing, source, port) {
                true => Region::EMPTY,
                false => {
                    let passing = self.passing(port, crossing.direction, source.own(crossing));
                    self.as_sent(passing, crossing, course, source)
                }
            };
            through = self.space.and(through, passing);
        }
        through
    }

    /// What decides at a crossing.
    fn said_at(
        &mut self,
        crossing: &Crossing,
        course: &Course,
        source: Source,
        port: PortIndex,
    ) -> Region {
        if self.between_ports(crossing, source, port) {
            return self.found.label(ISOLATED);
        }
        let diagram = self.diagram_at(port, crossing.direction, source.own(crossing));
        self.as_sent(diagram, crossing, course, source)
    }

    /// Whether an isolated port sees another port on the other side.
    fn between_ports(&self, crossing: &Crossing, source: Source, port: PortIndex) -> bool {
        let other = source.other(crossing);
        self.switch.is_isolated(port)
            && other.is_some_and(|other| self.switch.is_of_another(port, other))
    }

    /// What a port says of packets that it sees otherwise than they set out.
    fn as_sent(
        &mut self,
        region: Region,
        crossing: &Crossing,
        course: &Course,
        source: Source,
    ) -> Region {
        let axis = other_side(crossing.direction);
        let mut region = match source.other(crossing) {
            Some(other) => self.space.at(region, axis, number_of(other)),
            None => region,
        };
        let Some((protocol, port)) = course.service else {
            return region;
        };
        region = self.space.fix(region, Axis::Protocol, protocol.0.into());
        if protocol.has_ports() {
            if let Some(port) = crossing.destination_port.or(port) {
                region = self.space.fix(region, Axis::DestinationPort, port.into());
            }
            if let Some(port) = crossing.source_port {
                region = self.space.fix(region, Axis::SourcePort, port.into());
            }
        }
        region
    }

    fn port_of(&self, crossing: &Crossing, sender: Sender<'_>) -> PortIndex {
        match (crossing.direction, sender) {
            (Direction::Out, Sender::End(place)) => self.ends[place].port,
            _ => crossing.port,
        }
    }

    /// What a port lets pass of the packets with an address on its side.
    fn passing(&mut self, port: PortIndex, direction: Direction, own: IpAddr) -> Region {
        let key = (port, direction == Direction::In, own);
        if let Some(known) = self.passing.get(&key) {
            return *known;
        }
        let passing = self
            .switch
            .passes_with(&mut self.space, port, direction, own);
        self.passing.insert(key, passing);
        passing
    }
}

/// What gets along a course.
#[derive(Clone, Copy, Debug)]
struct Through {
    /// Whichever backend is chosen, where there are several.
    all: Region,
    /// Where the right one is.
    some: Region,
}

/// Who sends, as a crossing needs it.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    address: Option<IpAddr>,
    port: Option<PortIndex>,
}

impl Source {
    fn port_at(self, crossing: &Crossing) -> PortIndex {
        match crossing.direction {
            Direction::Out => self.port.unwrap_or(crossing.port),
            Direction::In => crossing.port,
        }
    }

    /// The source as the port sees it; `None` for many.
    fn seen(self, crossing: &Crossing) -> Option<IpAddr> {
        crossing.source.or(self.address)
    }

    /// The address on the port's side.
    fn own(self, crossing: &Crossing) -> IpAddr {
        match crossing.direction {
            // Only ports send out, each from one address.
            Direction::Out => self.seen(crossing).unwrap_or(crossing.destination),
            Direction::In => crossing.destination,
        }
    }

    /// The address on the other side; `None` for many.
    fn other(self, crossing: &Crossing) -> Option<IpAddr> {
        match crossing.direction {
            Direction::Out => Some(crossing.destination),
            Direction::In => self.seen(crossing),
        }
    }
}

/// Why nothing gets along a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nowhere {
    /// There is no way.
    NoWay(NoWay),
    /// Somebody else with the address gets it.
    Another,
    /// Nobody is at these addresses, or no route leads there.
    Beyond,
}

impl Course {
    /// Of the ports that judge, those on the way to a backend with its place among the backends.
    fn fork_of_each(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        let branched: usize = self.forks.iter().sum();
        let common = std::iter::repeat_n(None, self.crossings.len() - branched);
        let forks = self.forks.iter().enumerate();
        common.chain(forks.flat_map(|(fork, length)| std::iter::repeat_n(Some(fork), *length)))
    }

    /// Why what is sent along here does not get to whom it should.
    fn refusal(&self, to: Target) -> Option<Nowhere> {
        match (self.end, to.receiver) {
            (Err(reason), _) => Some(Nowhere::NoWay(reason)),
            (Ok(Goal::Received(got)), Some(wanted)) if got != wanted => Some(Nowhere::Another),
            // Who is on this host is not beyond it.
            (Ok(Goal::Left), Some(_)) => Some(Nowhere::Another),
            _ => None,
        }
    }
}

fn conditions<A: crate::classifier::Address>(
    protocols: ProtocolSet,
    local_ports: Extent<u16>,
) -> Conditions<A> {
    Conditions {
        protocols,
        local_ports,
        ..Conditions::none()
    }
}

impl Piece {
    fn nowhere(packets: Region, reason: Nowhere) -> Piece {
        Piece {
            packets,
            said: [].into(),
            nowhere: Some(reason),
            backends: None,
            hops: [].into(),
        }
    }

    /// What happens to the packets: they are blocked too where some backend does not get them.
    pub fn decision(&self) -> Decision {
        let last = self
            .said
            .last()
            .map_or(Decision::Allow, |said: &Said| said.ruling.decision);
        match (self.nowhere, self.backends) {
            (Some(_), _) => Decision::Block,
            (None, Some((passing, of))) if passing == of => Decision::Allow,
            (None, Some(_)) => Decision::Block,
            (None, None) => last,
        }
    }
}
