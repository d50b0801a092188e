// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom with what: the matrix of a switch, row by row.
//!
//! Apart from the engine's sets because people ask about endpoints and not about addresses: here a pair has the sets of all of its
//! addresses, and names. Invariant: a set is never rounded; what is merged for reading is merged only where it is the same.

pub mod compare;
pub mod participant;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use hcn::{schema::Guid, service::Container};
use hcn_engine::{
    Direction, Documents, Family, Protocol, Ruling, Semantics, Switch, Topology,
    classifier::{Conditions, Extent, ProtocolSet},
    reach::{Beyond, Piece, Reach, Sender, Target},
    space::{Region, Space},
    switch::Fault,
    way::{Hop, Receiver},
};

use crate::{commands::spec::TrafficSpec, failure::Failure, lookup::guid};
pub use participant::{Participant, Place};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Names of sources; all where there is none.
    pub from: Vec<String>,
    /// Names of destinations; all where there is none.
    pub to: Vec<String>,
    /// Only this traffic; all where there is none.
    pub traffic: Vec<TrafficSpec>,
    /// Whether a name may mean nothing: of two matrices one may have it alone.
    pub may_miss: bool,
    /// Whether rules alone are asked, as if everybody had a way to everybody.
    pub rules_only: bool,
}

/// The matrix.
#[derive(Debug)]
pub struct Matrix {
    /// Rows and columns, and whoever else has a port.
    pub participants: Vec<Participant>,
    /// The rows.
    pub from: Vec<usize>,
    /// The columns.
    pub to: Vec<usize>,
    /// What could not be compiled.
    pub faults: Vec<Fault>,
    /// Names that mean nothing here.
    pub missing: Vec<String>,
    /// Whether ways are known, and not rules alone.
    pub has_ways: bool,
    switch: Switch,
    containers: Vec<Container>,
    /// Names of endpoints on other hosts.
    pub remote: HashMap<Guid, String>,
    halves: [Half; 2],
}

/// The matrix of one family.
#[derive(Debug)]
struct Half {
    family: Family,
    reach: Reach,
    /// By participant: ends of its port.
    ends: Vec<Vec<usize>>,
    /// By participant: its addresses, where it is beyond the ports.
    beyond: Vec<Option<Beyond>>,
    /// By participant: addresses that have no port, of the host and of services.
    targets: Vec<Vec<IpAddr>>,
    /// By participant: whether it is the host.
    hosts: Vec<bool>,
    /// Addresses of which load balancers take something.
    balanced: HashSet<IpAddr>,
    /// What is asked for.
    asked: Region,
    words: HashMap<(Region, Option<Direction>), Arc<str>>,
}

/// With what one address of a participant reaches one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaching {
    /// The family of both.
    pub family: Family,
    /// The source; `None` for one beyond the ports.
    pub source: Option<IpAddr>,
    /// The destination; `None` for one beyond the ports.
    pub destination: Option<IpAddr>,
    /// Protocols and ports, and the addresses beyond the ports where one side is there.
    pub region: Region,
    /// The same of what gets to some backends of a load balancer and not to all of them; nothing of it is in the region.
    pub partly: Region,
}

impl Reaching {
    /// As the one port that is asked sees it, where only one is.
    pub fn direction(&self) -> Option<Direction> {
        match (self.source, self.destination) {
            (Some(_), None) => Some(Direction::Out),
            (None, Some(_)) => Some(Direction::In),
            _ => None,
        }
    }
}

/// One participant and another.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Place of the source.
    pub from: usize,
    /// Place of the destination.
    pub to: usize,
    /// Address by address; empty where no two are of one family.
    pub reaching: Vec<Reaching>,
}

/// How much passes, for a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// Nothing.
    Nothing,
    /// Nothing that is sure to arrive, and something that some backends of a load balancer let in.
    SomeBackends,
    /// Something, and not all that was asked for.
    Part,
    /// All that was asked for.
    Everything,
}

/// What a pair without addresses of one family is said to reach with.
const NO_COMMON_FAMILY: &str = "nothing (no addresses of one family)";

/// The same of a pair of which one is beyond the ports, at addresses that ports, the host or services have: what is sent there goes to those.
const ADDRESSES_OF_OTHERS: &str = "nothing (others here have its addresses)";

impl Matrix {
    /// Works out what the documents say.
    ///
    /// # Errors
    /// Where a name means nothing, or too much.
    pub fn of(
        documents: &Documents,
        containers: &[Container],
        semantics: &Semantics,
        question: &Question,
    ) -> Result<Matrix, Failure> {
        let (switch, faults) = Switch::compile(documents, semantics);
        let topology = (!question.rules_only).then(|| Topology::of(&switch, usize::MAX));
        let mut participants = participant::all(&switch, containers, topology.as_ref());
        let every = participants.len();
        let mut missing = Vec::new();
        let mut select = |names: &[String]| {
            let mut chosen = Vec::new();
            if names.is_empty() {
                chosen.extend(0..every);
            }
            for name in names {
                let found =
                    participant::named(name, &mut participants, &switch, documents, containers);
                match found {
                    Ok(places) => chosen.extend(places),
                    Err(Failure::NotFound { name, .. }) if question.may_miss => missing.push(name),
                    Err(failure) => return Err(failure),
                }
            }
            let mut seen = HashSet::new();
            chosen.retain(|place| seen.insert(*place));
            Ok(chosen)
        };
        let (mut from, to) = (select(&question.from)?, select(&question.to)?);
        // What a name has added may be called as an endpoint is.
        participant::tell_apart(&mut participants);
        // Nobody sends from the address of a service.
        from.retain(|place| !matches!(participants[*place].place, Place::Service(_)));
        let halves = [Family::V4, Family::V6]
            .map(|family| Half::of(&switch, family, &participants, question));
        let remote = documents.endpoints.iter().filter(|own| own.is_remote());
        Ok(Matrix {
            participants,
            from,
            to,
            faults,
            missing,
            has_ways: !question.rules_only,
            switch,
            containers: containers.to_vec(),
            remote: remote
                .map(|own| (guid(own.id.get()), own.name.or_default()))
                .collect(),
            halves,
        })
    }

    /// The pairs of a source with all columns but itself, and but those that are beyond the ports as it is.
    pub fn row(&mut self, from: usize) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::with_capacity(self.to.len());
        for to in &self.to {
            if self.is_pair(from, *to) {
                pairs.push(Pair {
                    from,
                    to: *to,
                    reaching: Vec::new(),
                });
            }
        }
        for half in &mut self.halves {
            half.fill(from, &mut pairs);
        }
        pairs
    }

    /// Whether anything on this host has a say between two participants.
    pub fn is_pair(&self, from: usize, to: usize) -> bool {
        let place = |place: usize| self.participants.get(place).map(|own| &own.place);
        let (Some(source), Some(destination)) = (place(from), place(to)) else {
            return false;
        };
        from != to
            && match (source, destination) {
                (Place::Service(_), _) => false,
                (Place::Port { .. }, _) | (_, Place::Port { .. } | Place::Service(_)) => true,
                (Place::Beyond(_), Place::Host(_)) => true,
                (Place::Host(_) | Place::Beyond(_), Place::Host(_) | Place::Beyond(_)) => false,
            }
    }

    /// What passes between two addresses, in words.
    pub fn words(&mut self, reaching: &Reaching) -> Arc<str> {
        self.half(reaching.family)
            .words_of(reaching.region, reaching.direction())
    }

    /// What gets to some of the backends and not to all, in words; `None` where nothing does.
    pub fn partly_words(&mut self, reaching: &Reaching) -> Option<Arc<str>> {
        let is_some = reaching.partly != Region::EMPTY;
        is_some.then(|| {
            self.half(reaching.family)
                .words_of(reaching.partly, reaching.direction())
        })
    }

    /// Both in one text.
    pub fn all_words(&mut self, reaching: &Reaching) -> Arc<str> {
        let words = self.words(reaching);
        match self.partly_words(reaching) {
            Some(partly) => with_some_backends(&words, &partly),
            None => words,
        }
    }

    /// What passes between two participants, in words: addresses and families are told apart where they differ.
    pub fn pair_words(&mut self, pair: &Pair) -> Arc<str> {
        match &pair.reaching[..] {
            [] => self.why_no_addresses(pair).into(),
            [one] => self.all_words(one),
            several => {
                let told: Vec<(Reaching, Arc<str>)> = several
                    .iter()
                    .map(|reaching| (*reaching, self.all_words(reaching)))
                    .collect();
                merged(&told)
            }
        }
    }

    /// What is said of a pair without a pair of addresses.
    fn why_no_addresses(&self, pair: &Pair) -> &'static str {
        let has = |place: usize, family: Family| {
            let mut addresses = self.participants[place].addresses();
            addresses.any(|address| Family::from(address) == family)
        };
        let mut families = [Family::V4, Family::V6].into_iter();
        match families.any(|family| has(pair.from, family) && has(pair.to, family)) {
            true => ADDRESSES_OF_OTHERS,
            false => NO_COMMON_FAMILY,
        }
    }

    /// How much passes between two participants.
    pub fn extension(&self, pair: &Pair) -> Extension {
        let all = |is: &dyn Fn(&Reaching) -> bool| pair.reaching.iter().all(is);
        let asked = |reaching: &Reaching| match reaching.family {
            Family::V4 => self.halves[0].asked,
            Family::V6 => self.halves[1].asked,
        };
        if all(&|reaching| reaching.region == Region::EMPTY) {
            match all(&|reaching| reaching.partly == Region::EMPTY) {
                true => Extension::Nothing,
                false => Extension::SomeBackends,
            }
        } else if all(&|reaching| reaching.region == asked(reaching)) {
            Extension::Everything
        } else {
            Extension::Part
        }
    }

    /// The space of a family.
    pub fn space(&self, family: Family) -> &Space {
        match family {
            Family::V4 => self.halves[0].reach.space(),
            Family::V6 => self.halves[1].reach.space(),
        }
    }

    /// The space of a family, to ask it for more.
    pub fn space_mut(&mut self, family: Family) -> &mut Space {
        self.half(family).reach.space_mut()
    }

    /// The packets of a pair by what decides on them, with words for the packets.
    pub fn pieces(&mut self, pair: &Pair, reaching: &Reaching) -> Vec<(Piece, Arc<str>)> {
        let half = self.half(reaching.family);
        let pieces = half.pieces(pair, reaching);
        let asked = half.asked;
        let mut told = Vec::with_capacity(pieces.len());
        for piece in pieces.iter() {
            let packets = half.reach.space_mut().and(piece.packets, asked);
            if packets != Region::EMPTY {
                let words = half.words_of(packets, reaching.direction());
                let piece = piece.clone();
                told.push((Piece { packets, ..piece }, words));
            }
        }
        told
    }

    /// As [`Reach::rulings`], in a family.
    pub fn rulings(&self, family: Family, diagram: Region) -> Vec<Ruling> {
        match family {
            Family::V4 => self.halves[0].reach.rulings(diagram),
            Family::V6 => self.halves[1].reach.rulings(diagram),
        }
    }

    /// As [`Reach::deciding`], of the addresses of a pair.
    pub fn deciding(&mut self, pair: &Pair, reaching: &Reaching) -> Option<[Region; 2]> {
        let half = self.half(reaching.family);
        let source = half.end_at(pair.from, reaching.source)?;
        let destination = half.end_at(pair.to, reaching.destination)?;
        half.reach.deciding(source, destination)
    }

    /// What happens on the way between the addresses of a pair, where it is the same for every packet.
    pub fn hops(&mut self, pair: &Pair, reaching: &Reaching) -> Option<Arc<[Hop]>> {
        let half = self.half(reaching.family);
        let source = half.end_at(pair.from, reaching.source)?;
        let destination = half.end_at(pair.to, reaching.destination)?;
        half.reach.hops_between(source, destination)
    }

    /// The containers whose names participants have.
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The switch.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    fn half(&mut self, family: Family) -> &mut Half {
        match family {
            Family::V4 => &mut self.halves[0],
            Family::V6 => &mut self.halves[1],
        }
    }
}

impl Half {
    fn of(
        switch: &Switch,
        family: Family,
        participants: &[Participant],
        question: &Question,
    ) -> Half {
        let mut reach = match question.rules_only {
            true => Reach::of(switch, family),
            false => Reach::along_ways(switch, family),
        };
        let mut by_port: Vec<Vec<usize>> = vec![Vec::new(); switch.ports.len()];
        for (place, end) in reach.ends().iter().enumerate() {
            by_port[end.port.0 as usize].push(place);
        }
        let ends = participants.iter().map(|participant| {
            let port = participant.port();
            port.map_or_else(Vec::new, |port| by_port[port.0 as usize].clone())
        });
        let beyond = participants
            .iter()
            .map(|participant| match &participant.place {
                Place::Beyond(prefixes) => {
                    let beyond = match participant.label == participant::OUTSIDE {
                        true => reach.outside_all(),
                        false => reach.beyond(prefixes),
                    };
                    Some(beyond).filter(|beyond| !beyond.is_empty())
                }
                Place::Port { .. } | Place::Host(_) | Place::Service(_) => None,
            });
        let targets = participants.iter().map(|participant| {
            let own = participant.targets().iter().copied();
            own.filter(|address| Family::from(*address) == family)
                .collect()
        });
        let hosts = participants
            .iter()
            .map(|participant| matches!(participant.place, Place::Host(_)));
        let targets: Vec<Vec<IpAddr>> = targets.collect();
        let balanced = {
            let own = reach.ends().iter().map(|end| end.address);
            let all = own.chain(targets.iter().flatten().copied());
            all.filter(|address| reach.is_balanced(*address)).collect()
        };
        Half {
            family,
            ends: ends.collect(),
            beyond: beyond.collect(),
            targets,
            balanced,
            hosts: hosts.collect(),
            asked: asked(reach.space_mut(), &question.traffic),
            reach,
            words: HashMap::new(),
        }
    }

    /// Adds what passes from a participant to each of the others.
    fn fill(&mut self, from: usize, pairs: &mut [Pair]) {
        if self.hosts[from] || self.beyond[from].is_some() {
            for pair in pairs {
                self.fill_elsewhere(from, pair);
            }
            return;
        }
        for source in self.ends[from].clone() {
            let address = self.reach.ends()[source].address;
            let row = self.reach.from(source);
            for pair in pairs.iter_mut() {
                let mut add = |destination: Option<IpAddr>,
                               [region, partly]: [Region; 2],
                               space: &mut Space| {
                    pair.reaching.push(Reaching {
                        family: self.family,
                        source: Some(address),
                        destination,
                        region: space.and(region, self.asked),
                        partly: space.and(partly, self.asked),
                    });
                };
                let partly =
                    |reach: &mut Reach, to: Target| match self.balanced.contains(&to.address) {
                        true => reach.partly_towards(Sender::End(source), to),
                        false => Region::EMPTY,
                    };
                if let Some(beyond) = &self.beyond[pair.to] {
                    let region = self.reach.outside(source, Direction::Out, beyond);
                    add(None, [region, Region::EMPTY], self.reach.space_mut());
                }
                for to in &self.targets[pair.to] {
                    let to = target(*to, None);
                    let region = self.reach.towards(Sender::End(source), to);
                    let partly = partly(&mut self.reach, to);
                    add(Some(to.address), [region, partly], self.reach.space_mut());
                }
                for end in &self.ends[pair.to] {
                    let to = self.reach.ends()[*end];
                    let to = target(to.address, Some(Receiver::Port(to.port)));
                    let partly = partly(&mut self.reach, to);
                    add(
                        Some(to.address),
                        [row[*end], partly],
                        self.reach.space_mut(),
                    );
                }
            }
        }
    }

    /// Adds what passes from the host, or from beyond the ports, to another participant.
    fn fill_elsewhere(&mut self, from: usize, pair: &mut Pair) {
        let ends = self.ends[pair.to].iter();
        let ends = ends.map(|end| self.reach.ends()[*end]);
        let ends = ends.map(|end| target(end.address, Some(Receiver::Port(end.port))));
        let others = self.targets[pair.to].iter();
        let others = others.map(|address| target(*address, None));
        let all: Vec<Target> = ends.chain(others).collect();
        for to in all {
            let is_balanced = self.balanced.contains(&to.address);
            let partly = |reach: &mut Reach, sender: Sender<'_>| match is_balanced {
                true => reach.partly_towards(sender, to),
                false => Region::EMPTY,
            };
            let (source, [region, partly]) = match self.beyond[from].clone() {
                Some(beyond) => {
                    let partly = partly(&mut self.reach, Sender::Beyond(&beyond));
                    (None, [self.sent_from(beyond, to), partly])
                }
                None => match self.reach.host_source(to.address) {
                    Some(source) => {
                        let partly = partly(&mut self.reach, Sender::Host);
                        let region = self.reach.towards(Sender::Host, to);
                        (Some(source), [region, partly])
                    }
                    None => continue,
                },
            };
            let asked = self.asked;
            let space = self.reach.space_mut();
            let [region, partly] = [region, partly].map(|region| space.and(region, asked));
            pair.reaching.push(Reaching {
                family: self.family,
                source,
                destination: Some(to.address),
                region,
                partly,
            });
        }
    }

    fn sent_from(&mut self, beyond: Beyond, to: Target) -> Region {
        match self.end_of(to) {
            // By rules alone too.
            Some(end) => self.reach.outside(end, Direction::In, &beyond),
            None => self.reach.towards(Sender::Beyond(&beyond), to),
        }
    }

    fn end_of(&self, to: Target) -> Option<usize> {
        let Some(Receiver::Port(port)) = to.receiver else {
            return None;
        };
        let ends = self.reach.ends();
        let place = ends.partition_point(|end| (end.address, end.port) < (to.address, port));
        let end = ends.get(place)?;
        (end.address == to.address && end.port == port).then_some(place)
    }

    fn words_of(&mut self, region: Region, direction: Option<Direction>) -> Arc<str> {
        if let Some(known) = self.words.get(&(region, direction)) {
            return known.clone();
        }
        let space = self.reach.space_mut();
        let words: Arc<str> = match direction {
            None => space.services(region),
            Some(direction) => space.services_by_address(region, direction),
        }
        .into();
        self.words.insert((region, direction), words.clone());
        words
    }

    fn pieces(&mut self, pair: &Pair, reaching: &Reaching) -> Arc<[Piece]> {
        let source = self.end_at(pair.from, reaching.source);
        let destination = self.end_at(pair.to, reaching.destination);
        let to = |address: IpAddr| match destination {
            Some(end) => target(address, Some(Receiver::Port(self.reach.ends()[end].port))),
            None => target(address, None),
        };
        let address = reaching.destination.map(to);
        let (from_beyond, to_beyond) = (&self.beyond[pair.from], &self.beyond[pair.to]);
        match (source, destination, address) {
            (Some(source), Some(destination), _) => self.reach.pieces(source, destination),
            (Some(source), None, Some(to)) => self.reach.pieces_towards(Sender::End(source), to),
            (Some(source), None, None) => match to_beyond {
                Some(beyond) => self.reach.pieces_outside(source, Direction::Out, beyond),
                None => [].into(),
            },
            (None, end, Some(to)) => match (from_beyond, end) {
                (Some(beyond), Some(end)) => self.reach.pieces_outside(end, Direction::In, beyond),
                (Some(beyond), None) => self.reach.pieces_towards(Sender::Beyond(beyond), to),
                (None, _) => self.reach.pieces_towards(Sender::Host, to),
            },
            (None, _, None) => [].into(),
        }
    }

    /// The end of a participant's port that has an address.
    fn end_at(&self, participant: usize, address: Option<IpAddr>) -> Option<usize> {
        let mut own = self.ends[participant].iter().copied();
        own.find(|end| Some(self.reach.ends()[*end].address) == address)
    }
}

fn target(address: IpAddr, receiver: Option<Receiver>) -> Target {
    Target { address, receiver }
}

/// Packets of any of these kinds; every packet where there is none.
fn asked(space: &mut Space, traffic: &[TrafficSpec]) -> Region {
    if traffic.is_empty() {
        return Region::FULL;
    }
    let mut all = Region::EMPTY;
    for spec in traffic {
        let protocols = match (spec.protocol, space.family()) {
            (None, _) => ProtocolSet::ALL,
            (Some(protocol), family) => {
                let protocol = match (protocol, family) {
                    (Protocol::ICMP, Family::V6) => Protocol::ICMPV6,
                    (protocol, _) => protocol,
                };
                let mut one = ProtocolSet::NONE;
                one.insert(protocol.0);
                one
            }
        };
        let ports = spec.ports.map(|span| Extent::of(vec![span]));
        let ports = ports.unwrap_or(Extent::Any);
        // As the port of the destination sees it.
        let region = match space.family() {
            Family::V4 => space.of(&conditions::<u32>(protocols, ports), Direction::In),
            Family::V6 => space.of(&conditions::<u128>(protocols, ports), Direction::In),
        };
        all = space.or(all, region);
    }
    all
}

fn conditions<A: hcn_engine::classifier::Address>(
    protocols: ProtocolSet,
    local_ports: Extent<u16>,
) -> Conditions<A> {
    Conditions {
        protocols,
        local_ports,
        ..Conditions::none()
    }
}

/// A set, and what gets to some backends alone: `tcp 80, and tcp 8000 to some backends`.
pub(crate) fn with_some_backends(words: &str, partly: &str) -> Arc<str> {
    match words {
        "nothing" => format!("{partly} to some backends"),
        words => format!("{words}, and {partly} to some backends"),
    }
    .into()
}

/// Sets of several pairs of addresses as one text.
pub(crate) fn merged(told: &[(Reaching, Arc<str>)]) -> Arc<str> {
    let same = |told: &[&(Reaching, Arc<str>)]| {
        let first = told.first().map(|(_, words)| words.clone());
        first.filter(|first| told.iter().all(|(_, words)| words == first))
    };
    let every: Vec<&(Reaching, Arc<str>)> = told.iter().collect();
    if let Some(words) = same(&every) {
        return words;
    }
    let mut parts: Vec<String> = Vec::new();
    for (family, name) in [(Family::V4, "IPv4"), (Family::V6, "IPv6")] {
        let own: Vec<&(Reaching, Arc<str>)> = told
            .iter()
            .filter(|(reaching, _)| reaching.family == family)
            .collect();
        if let Some(words) = same(&own) {
            parts.push(format!("{name}: {words}"));
            continue;
        }
        for (reaching, words) in own {
            let address = |address: Option<IpAddr>| {
                address.map_or_else(
                    || participant::OUTSIDE.to_owned(),
                    |address| address.to_string(),
                )
            };
            parts.push(format!(
                "{} -> {}: {words}",
                address(reaching.source),
                address(reaching.destination)
            ));
        }
    }
    parts.join(" | ").into()
}
