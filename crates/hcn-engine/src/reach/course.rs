// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where flows go: which ports judge what somebody sends to an address, for all protocols and ports at once.
//!
//! Apart from the sets of what the ports let pass: here nothing is judged. A course is the way ([`crate::way`]) of a flow that every port lets
//! pass, so what is said here and what is said of one flow come from one place. Invariant: a flow is allowed exactly where its course gets there and
//! every crossing of it lets the flow pass.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use super::End;
use crate::{
    classifier::Extent,
    flow::{Direction, Family, Flow, Protocol},
    space::number_of,
    switch::{PortIndex, Switch},
    topology::Topology,
    verdict::{Decision, Layer, Reason, Ruling},
    way::{self, Fate, Hop, NoWay, Receiver, Start, Way},
};

/// A port that judges on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    /// The port; of what goes out the sender's, whoever of its kind sends.
    pub(super) port: PortIndex,
    pub(super) direction: Direction,
    /// The source as the port sees it, where it is another one than the sender.
    pub(super) source: Option<IpAddr>,
    pub(super) destination: IpAddr,
    /// The ports as the port of the switch sees them, where they are other ones.
    pub(super) source_port: Option<u16>,
    pub(super) destination_port: Option<u16>,
}

/// Where a course ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Somebody here has it.
    Received(Receiver),
    /// One of several backends has it, whichever.
    Balanced,
    /// It leaves the host.
    Left,
}

/// What is sent with one protocol to one port of an address; without a port, to all that no other course is about.
pub(super) type Service = (Protocol, Option<u16>);

/// What is sent to a service of an address; without one everything that no course before it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) service: Option<Service>,
    /// The ports that judge, in order; those on the ways to backends last, backend by backend.
    pub(super) crossings: Vec<Crossing>,
    /// How many of the last crossings are on the way to each backend; empty where no load balancer takes it.
    pub(super) forks: Vec<usize>,
    /// What happens on the way, to one of the kind that sends; addresses of the sender in it are that one's.
    pub(super) hops: Arc<[Hop]>,
    /// Where it ends, or why it gets nowhere.
    pub(super) end: Result<Goal, NoWay>,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// An end of a class; all of a class find the same ways.
    Class(u32),
    /// The host, from this address.
    Host(IpAddr),
    /// Addresses beyond.
    Outside,
}

/// How an end is reached by a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// Out of the sender's port and into the end's.
    Plain,
    /// Not at all.
    None,
    /// Otherwise; it has to be asked for by itself.
    Other,
}

/// What decides to whom a port hands what it sends.
type Standpoint = (usize, Vec<(u128, u8)>, Vec<IpAddr>, Vec<usize>);

/// The courses of a switch.
#[derive(Debug)]
pub(super) struct Courses {
    pub(super) topology: Topology,
    /// By end.
    pub(super) classes: Vec<u32>,
    members: Vec<Vec<usize>>,
    /// By port: ends at addresses that are the port's own to itself.
    own: Vec<Vec<usize>>,
    /// A service that no load balancer and no published port has by its number.
    plain: (Protocol, u16),
    /// The like of each protocol that a load balancer takes whatever the port.
    plain_ports: HashMap<Protocol, u16>,
    roads: HashMap<u32, Arc<[Road]>>,
    courses: HashMap<(Kind, IpAddr), Arc<[Course]>>,
    passable: HashMap<u32, Arc<[(u128, u128)]>>,
    /// Addresses that are somebody's in particular: ports', the host's, services', loopback.
    pub(super) taken: Vec<(u128, u128)>,
    /// Where intervals begin in which addresses that nobody has are reached alike.
    steps: Vec<u128>,
}

impl Courses {
    pub(super) fn of(switch: &Switch, family: Family, ends: &[End]) -> Self {
        let topology = Topology::of(switch, usize::MAX);
        let mut numbers: HashMap<Standpoint, u32> = HashMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut steps = Vec::new();
        let mut step = |address: IpAddr, length: u8| {
            let net = ipnet::IpNet::new(address, length).ok();
            if let Some(net) = net.filter(|_| Family::from(address) == family) {
                let (first, last) = (number_of(net.network()), number_of(net.broadcast()));
                steps.extend([Some(first), last.checked_add(1)].into_iter().flatten());
            }
        };
        step(loopback(family).0, loopback(family).1);
        for (address, length) in topology.host_addresses() {
            step(address, length);
        }
        for (subnet, _) in switch.networks.iter().flat_map(|network| &network.subnets) {
            step(subnet.addr(), subnet.prefix_len());
        }
        let mut own: Vec<Vec<usize>> = vec![Vec::new(); switch.ports.len()];
        let mut by_address: HashMap<IpAddr, Vec<usize>> = HashMap::new();
        for (place, end) in ends.iter().enumerate() {
            by_address.entry(end.address).or_default().push(place);
        }
        // Whether a published port is answered through the host hangs on whether the sender is on its network.
        let mut publishing: Vec<usize> = switch
            .port_mappings
            .iter()
            .filter_map(|mapping| Some(switch.ports.get(mapping.port.0 as usize)?.network))
            .collect();
        publishing.sort_unstable();
        publishing.dedup();
        let classes = ends.iter().enumerate().map(|(place, end)| {
            let port = &switch.ports[end.port.0 as usize];
            let usable = topology.usable(port);
            let mut nets: Vec<(u128, u8)> = usable
                .filter(|(address, _)| Family::from(*address) == family)
                .filter_map(|(address, length)| {
                    let net = ipnet::IpNet::new(address, length).ok()?;
                    Some((number_of(net.network()), length))
                })
                .collect();
            nets.sort_unstable();
            nets.dedup();
            let is_there =
                |network: &usize| topology.port_with_address(*network, end.address).is_some();
            let networks = publishing.iter().copied().filter(is_there).collect();
            let standpoint = (port.network, nets, port.gateways.clone(), networks);
            let number = *numbers.entry(standpoint).or_insert_with(|| {
                members.push(Vec::new());
                members.len() as u32 - 1
            });
            members[number as usize].push(place);
            number
        });
        let classes: Vec<u32> = classes.collect();
        for (number, port) in switch.ports.iter().enumerate() {
            for (address, _) in topology.usable(port) {
                own[number].extend(by_address.get(&address).into_iter().flatten());
            }
        }
        for first in members.iter().filter_map(|members| members.first()) {
            for (address, length) in topology.usable(&switch.ports[ends[*first].port.0 as usize]) {
                step(address, length);
            }
        }
        steps.push(0);
        steps.sort_unstable();
        steps.dedup();
        Courses {
            plain: plain_service(switch),
            plain_ports: PORTED.map(|own| (own, plain_port(switch, own))).into(),
            taken: taken(switch, &topology, family, ends),
            topology,
            classes,
            members,
            own,
            roads: HashMap::new(),
            courses: HashMap::new(),
            passable: HashMap::new(),
            steps,
        }
    }

    /// The ends at addresses that a port takes for its own.
    pub(super) fn own(&self, port: PortIndex) -> &[usize] {
        &self.own[port.0 as usize]
    }

    /// How an end's class reaches every end that is not its own.
    pub(super) fn roads(&mut self, switch: &Switch, ends: &[End], source: usize) -> Arc<[Road]> {
        let class = self.classes[source];
        if let Some(known) = self.roads.get(&class) {
            return known.clone();
        }
        let mut roads = Vec::with_capacity(ends.len());
        for end in ends {
            let courses = self.towards(switch, ends, Kind::Class(class), end.address);
            roads.push(match &courses[..] {
                [course] => road(course, end),
                _ => Road::Other,
            });
        }
        // One course an end is no news beside the roads.
        self.courses
            .retain(|(kind, _), courses| *kind != Kind::Class(class) || courses.len() > 1);
        let roads: Arc<[Road]> = roads.into();
        self.roads.insert(class, roads.clone());
        roads
    }

    /// The courses of what is sent to an address, those of its services first. An address of the sender's own is not asked for.
    pub(super) fn towards(
        &mut self,
        switch: &Switch,
        ends: &[End],
        kind: Kind,
        to: IpAddr,
    ) -> Arc<[Course]> {
        if let Some(known) = self.courses.get(&(kind, to)) {
            return known.clone();
        }
        let (start, source) = self.sample(ends, kind, to);
        let services = self.services(switch, to).into_iter().map(Some);
        let courses: Vec<Course> = services
            .chain([None])
            .map(|service| {
                let sample = match service {
                    Some((protocol, Some(port))) => (protocol, port),
                    Some((protocol, None)) => (
                        protocol,
                        self.plain_ports.get(&protocol).copied().unwrap_or(0),
                    ),
                    None => self.plain,
                };
                Course {
                    service,
                    ..self.course(switch, start, source, to, sample)
                }
            })
            .collect();
        let courses: Arc<[Course]> = courses.into();
        self.courses.insert((kind, to), courses.clone());
        courses
    }

    /// Somebody of a kind who does not have the address.
    fn sample(&self, ends: &[End], kind: Kind, to: IpAddr) -> (Start, IpAddr) {
        match kind {
            Kind::Host(address) => (Start::Host, address),
            // No port has it, which is all that matters.
            Kind::Outside => (Start::Outside, unspecified(to.into())),
            Kind::Class(class) => {
                let members = &self.members[class as usize];
                let has = |member: &usize| {
                    let own = &self.own[ends[*member].port.0 as usize];
                    own.iter().any(|end| ends[*end].address == to)
                };
                let member = members.iter().find(|member| !has(member));
                // Where every one of them has it, nobody asks.
                let end = ends[*member.unwrap_or(&members[0])];
                (Start::Port(end.port), end.address)
            }
        }
    }

    /// Services that may be translated on the way to an address: those of one port first.
    fn services(&self, switch: &Switch, to: IpAddr) -> Vec<Service> {
        let is_host = self.topology.network_of_host_address(to).is_some();
        let balancers = switch.balancers.iter();
        let balancers = balancers.filter(|balancer| match balancer.vips.is_empty() {
            true => is_host,
            false => balancer.vips.contains(&to),
        });
        let mut services: Vec<Service> = Vec::new();
        for port in balancers.flat_map(|balancer| &balancer.ports) {
            match (port.protocol, port.external_port) {
                (Some(protocol), external_port) => services.push((protocol, external_port)),
                // What has no ports is translated in nothing but addresses, as what is about nothing else.
                (None, _) => services.extend(PORTED.map(|protocol| (protocol, None))),
            }
        }
        if is_host {
            let mappings = switch.port_mappings.iter();
            services
                .extend(mappings.map(|mapping| (mapping.protocol, Some(mapping.external_port))));
        }
        // A packet without ports has port 0 where it is asked for one.
        services.retain(|(protocol, port)| protocol.has_ports() || matches!(port, None | Some(0)));
        services.sort_unstable_by_key(|(protocol, port)| (port.is_none(), protocol.0, *port));
        services.dedup();
        services
    }

    fn course(
        &self,
        switch: &Switch,
        start: Start,
        source: IpAddr,
        to: IpAddr,
        service: (Protocol, u16),
    ) -> Course {
        let flow = Flow {
            source,
            destination: to,
            protocol: service.0,
            source_port: way::DYNAMIC_PORT,
            destination_port: service.1,
        };
        let pass = |_: PortIndex, _: Direction, _: &Flow| Ruling {
            decision: Decision::Allow,
            layer: Layer::Switch,
            reason: Reason::NoRules,
        };
        let way = switch.way_judged_by(&self.topology, start, &flow, switch.semantics(), &pass);
        let crossings = way
            .judgements()
            .into_iter()
            .map(|(port, direction, seen, _)| Crossing {
                port,
                direction,
                source: (seen.source != flow.source).then_some(seen.source),
                destination: seen.destination,
                source_port: (seen.source_port != flow.source_port).then_some(seen.source_port),
                destination_port: (seen.destination_port != flow.destination_port)
                    .then_some(seen.destination_port),
            });
        let forks = match way.hops.last() {
            Some(Hop::Balanced { branches, .. }) => branches
                .iter()
                .map(|branch| branch.way.judgements().len())
                .collect(),
            _ => Vec::new(),
        };
        Course {
            service: None,
            crossings: crossings.collect(),
            forks,
            end: ending(&way),
            hops: way.hops.into(),
        }
    }

    /// The addresses that nobody in particular has and that get somewhere when a class sends to them.
    pub(super) fn passable(
        &mut self,
        switch: &Switch,
        ends: &[End],
        source: usize,
    ) -> Arc<[(u128, u128)]> {
        let class = self.classes[source];
        if let Some(known) = self.passable.get(&class) {
            return known.clone();
        }
        let family = Family::from(ends[source].address);
        let highest = number_of(highest(family));
        let mut spans = Vec::new();
        for (place, first) in self.steps.iter().enumerate() {
            let last = self.steps.get(place + 1).map_or(highest, |next| next - 1);
            let Some(free) = free(&self.taken, *first, last) else {
                continue;
            };
            let to = address(family, free);
            let (start, from) = self.sample(ends, Kind::Class(class), to);
            let course = self.course(switch, start, from, to, self.plain);
            if course.end.is_ok() {
                spans.push((*first, last));
            }
        }
        let Extent::Of(spans) = Extent::of(spans) else {
            let all: Arc<[(u128, u128)]> = [(0, highest)].into();
            self.passable.insert(class, all.clone());
            return all;
        };
        let spans: Arc<[(u128, u128)]> = spans.to_vec().into();
        self.passable.insert(class, spans.clone());
        spans
    }
}

/// The lowest address of an interval that nobody in particular has.
fn free(taken: &[(u128, u128)], first: u128, last: u128) -> Option<u128> {
    let mut at = first;
    for (begin, end) in &taken[taken.partition_point(|(_, end)| *end < first)..] {
        if *begin > at {
            break;
        }
        at = end.checked_add(1)?;
    }
    (at <= last).then_some(at)
}

fn road(course: &Course, end: &End) -> Road {
    match (&course.end, &course.crossings[..]) {
        (Err(_), _) => Road::None,
        (Ok(Goal::Received(Receiver::Port(port))), [out, into])
            if *port == end.port
                && out.direction == Direction::Out
                && into.direction == Direction::In
                && into.port == end.port
                && out.destination == end.address
                && into.destination == end.address =>
        {
            Road::Plain
        }
        _ => Road::Other,
    }
}

fn ending(way: &Way) -> Result<Goal, NoWay> {
    match &way.fate {
        Fate::Arrives(receiver) => Ok(Goal::Received(*receiver)),
        Fate::Leaves => Ok(Goal::Left),
        Fate::Balanced { passing, of } if passing == of => Ok(Goal::Balanced),
        Fate::Unreachable(reason) => Err(*reason),
        // Every port lets it pass, so a way to a backend is none for another reason.
        Fate::Balanced { .. } | Fate::Dropped => Err(NoWay::NoRoute),
    }
}

/// Protocols with ports.
const PORTED: [Protocol; 3] = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];

/// Services that are balanced or published by their number, and protocols that are balanced whatever the port.
fn named(switch: &Switch) -> (HashSet<(Protocol, u16)>, HashSet<Protocol>) {
    let mut services = HashSet::new();
    let mut protocols = HashSet::new();
    for port in switch.balancers.iter().flat_map(|balancer| &balancer.ports) {
        match (port.protocol, port.external_port) {
            (Some(protocol), Some(port)) => {
                services.insert((protocol, port));
            }
            (Some(protocol), None) => {
                protocols.insert(protocol);
            }
            (None, _) => protocols.extend(PORTED),
        }
    }
    let mappings = switch.port_mappings.iter();
    services.extend(mappings.map(|mapping| (mapping.protocol, mapping.external_port)));
    (services, protocols)
}

/// A service that is like any other: nobody balances it by its number or protocol, and nobody publishes it.
fn plain_service(switch: &Switch) -> (Protocol, u16) {
    let (services, protocols) = named(switch);
    let all = (0..=u16::MAX)
        .flat_map(|port| (0..=u8::MAX).map(move |protocol| (Protocol(255 - protocol), port)));
    let mut all =
        all.filter(|service| !services.contains(service) && !protocols.contains(&service.0));
    all.next().unwrap_or((Protocol(255), 0))
}

/// A port of a protocol that nobody balances by its number, and nobody publishes.
fn plain_port(switch: &Switch, protocol: Protocol) -> u16 {
    let (services, _) = named(switch);
    let mut all = (1..=u16::MAX).rev();
    all.find(|port| !services.contains(&(protocol, *port)))
        .unwrap_or(0)
}

/// Addresses that are somebody's in particular.
fn taken(switch: &Switch, topology: &Topology, family: Family, ends: &[End]) -> Vec<(u128, u128)> {
    let (first, length) = loopback(family);
    let loopback = ipnet::IpNet::new(first, length).ok();
    let loopback = loopback.map(|net| (number_of(net.network()), number_of(net.broadcast())));
    let ports = ends.iter().map(|end| end.address);
    let host = topology.host_addresses().map(|(address, _)| address);
    let vips = switch
        .balancers
        .iter()
        .flat_map(|balancer| balancer.vips.iter().copied());
    let single = ports.chain(host).chain(vips);
    let single = single.filter(|address| Family::from(*address) == family);
    let single = single.map(|address| (number_of(address), number_of(address)));
    match Extent::of(single.chain(loopback).collect()) {
        Extent::Of(spans) => spans.to_vec(),
        Extent::Any => vec![(0, number_of(highest(family)))],
    }
}

/// The addresses of networks that lead nowhere but to their ports and to the host: what no port has there, nobody has.
pub(super) fn closed(switch: &Switch) -> impl Iterator<Item = ipnet::IpNet> + '_ {
    let closed = switch.networks.iter();
    let closed = closed.filter(|network| !way::leads_out(&network.network_type));
    closed.flat_map(|network| network.subnets.iter().map(|(subnet, _)| *subnet))
}

/// The source that a kind of sender has for a destination, where it is one address.
pub(super) fn host_source(topology: &Topology, switch: &Switch, to: IpAddr) -> Option<IpAddr> {
    switch.source_towards(topology, Start::Host, to)
}

fn loopback(family: Family) -> (IpAddr, u8) {
    match family {
        Family::V4 => (std::net::Ipv4Addr::LOCALHOST.into(), 8),
        Family::V6 => (std::net::Ipv6Addr::LOCALHOST.into(), 128),
    }
}

fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

fn highest(family: Family) -> IpAddr {
    match family {
        Family::V4 => std::net::Ipv4Addr::BROADCAST.into(),
        Family::V6 => std::net::Ipv6Addr::from(u128::MAX).into(),
    }
}

fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => std::net::Ipv4Addr::from(number as u32).into(),
        Family::V6 => std::net::Ipv6Addr::from(number).into(),
    }
}
