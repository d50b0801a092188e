// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom along ways, against the way of single flows on random hosts: networks of every kind, gateways or none, shared addresses,
//! published ports, load balancers of every kind, isolation, rules of every layer.
//!
//! Apart from `reach.rs`, where nothing but rules is asked. Where a flow goes is what [`Switch::way`] says, as `can` has it; what the ports on the
//! way say of it is held against the second reading.

use std::{collections::HashMap, net::IpAddr};

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, Protocol, Start, Switch, Topology,
    reach::{Beyond, Piece, Reach, Sender, Target},
    space::Region,
    way::{Fate, Hop, Receiver, Way},
};
use hcn_schema::{Document, Endpoint, Guid, LoadBalancer, Network};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    hosts::{
        self, ALLOW_AND_BLOCK, KINDS_OF_RULES, Policies, QUESTIONS, Words, endpoint_id, of_family,
        said,
    },
    law::{Dice, Met, try_each},
    reading::{TextEndpoint, TextHost, TextNetwork},
};

const BALANCER: u128 = 0x0c00_0001;

/// Subnet and gateway of each family of a network.
const NETWORKS: [[(&str, &str); 2]; 3] = [
    [("10.1.0.0/24", "10.1.0.1"), ("fd00:1::/64", "fd00:1::1")],
    [("10.2.0.0/16", "10.2.0.1"), ("fd00:2::/64", "fd00:2::1")],
    // As two NAT networks may: the subnet of the first once more.
    [("10.1.0.0/24", "10.1.0.1"), ("fd00:3::/64", "fd00:3::1")],
];

/// Network and addresses of each endpoint.
const ENDPOINTS: [(usize, &[&str]); 5] = [
    (0, &["10.1.0.10", "fd00:1::10"]),
    (0, &["10.1.0.11", "fd00:1::11"]),
    (1, &["10.2.0.10", "fd00:2::10"]),
    (1, &["10.2.0.11"]),
    // The first endpoint has this address too, and a backend may be asked for another one.
    (2, &["10.1.0.10", "10.9.0.5", "fd00:3::10"]),
];

/// Beyond the ports: on subnets of the networks, inside nobody's subnet, far away.
const BEYOND: [&str; 7] = [
    "10.1.0.99",
    "10.2.7.7",
    "10.9.0.6",
    "8.8.8.8",
    "fd00:1::99",
    "fd00:2::99",
    "2001:db8::1",
];

/// Addresses that are asked for beside those of endpoints: of the host, of services.
const ADDRESSES: [&str; 8] = [
    "10.1.0.1",
    "10.1.0.200",
    "10.2.0.1",
    "10.96.0.1",
    MANAGEMENT,
    "fd00:1::1",
    "fd00:2::1",
    "fd00:96::1",
];

/// The host's address beyond a network.
const MANAGEMENT: &str = "192.168.7.4";

/// Addresses at which the host or a load balancer may take packets.
const SERVED: [&str; 9] = [
    MANAGEMENT,
    "10.1.0.1",
    "10.1.0.200",
    "10.2.0.1",
    "10.96.0.1",
    "10.1.0.11",
    "fd00:1::1",
    "fd00:2::1",
    "fd00:96::1",
];

/// What load balancers take, and what is published.
const SERVICES: [(Protocol, u16); 7] = [
    (Protocol::TCP, 80),
    (Protocol::TCP, 443),
    (Protocol::UDP, 53),
    (Protocol::TCP, 8_080),
    (Protocol::TCP, 8_081),
    (Protocol::TCP, 8_082),
    (Protocol::TCP, 8_083),
];

const WORDS: Words = Words {
    places: &[
        "10.1.0.10",
        "10.1.0.0/24",
        "10.1.0.1",
        "10.2.0.0/16",
        "10.2.0.10",
        "10.96.0.1",
        "10.96.0.200",
        "8.8.8.8",
        "0.0.0.0/0",
        "10.1.0.7/24",
        "fd00:1::/64",
        "fd00:1::10",
        "fd00:2::10",
        "fd00:96::1",
        "fd00:2::7/64",
        "::/0",
    ],
    services: &["80", "80", "443", "53", "8080", "8080-8082", "1-1023"],
    clients: &["32768", "49152-65535", "1024-65535"],
    priorities: &[100, 200, 65_500],
    chance: 0.35,
    chance_of_clients: 0.175,
};

const TYPES: &[&str] = &[
    "NAT",
    "NAT",
    "L2Bridge",
    "L2Bridge",
    "Overlay",
    "Internal",
    "Private",
    "Transparent",
];

/// A random host, compiled.
#[derive(Debug)]
struct Scene {
    read: TextHost,
    switch: Switch,
}

/// Policies, whether a port is published, the default router.
type Own = (Policies, bool, Option<&'static str>);

fn endpoint() -> impl Strategy<Value = Own> {
    let routers = select(vec![
        "10.1.0.1",
        "10.2.0.1",
        "10.1.0.11",
        "10.1.0.2",
        "10.99.0.1",
    ]);
    (
        hosts::policies(&WORDS, ALLOW_AND_BLOCK),
        prop::bool::weighted(0.2),
        option::weighted(0.6, routers),
    )
}

/// The network's document, with its subnets and, where it has gateways, routes to them.
fn network_document(
    read: &TextHost,
    place: usize,
    (has_gateway, is_managed): (bool, bool),
) -> Network {
    let subnets = NETWORKS[place].iter().map(|(subnet, gateway)| {
        let every = if gateway.contains(':') {
            "::/0"
        } else {
            "0.0.0.0/0"
        };
        let routes = match has_gateway {
            true => json!([{"NextHop": gateway, "DestinationPrefix": every}]),
            false => json!([]),
        };
        json!({"IpAddressPrefix": subnet, "Routes": routes})
    });
    let subnets: Vec<Value> = subnets.collect();
    let mut document = hosts::network_document(read, place);
    document["Ipams"] = json!([{"Subnets": subnets}]);
    if is_managed && let Some(policies) = document["Policies"].as_array_mut() {
        policies
            .push(json!({"Type": "ProviderAddress", "Settings": {"ProviderAddress": MANAGEMENT}}));
    }
    Network::from_value(&document).unwrap()
}

fn endpoint_document(read: &TextHost, place: usize, router: Option<&str>) -> Endpoint {
    let (network, _) = ENDPOINTS[place];
    let mut document = hosts::endpoint_document(read, place);
    document["Name"] = format!("e{place}").into();
    document["Routes"] = match router {
        Some(router) => {
            json!([{"NextHop": router, "DestinationPrefix": "0.0.0.0/0"}, {"NextHop": NETWORKS[network][1].1, "DestinationPrefix": "::/0"}])
        }
        None => json!([{"NextHop": NETWORKS[network][0].1, "DestinationPrefix": "0.0.0.0/0"}]),
    };
    Endpoint::from_value(&document).unwrap()
}

/// Flags, source, virtual addresses, flags of the port, the port, backends.
type Service = (
    u32,
    &'static str,
    &'static [&'static str],
    u32,
    (u8, u16, u16),
    Vec<usize>,
);

fn balancers() -> impl Strategy<Value = Vec<LoadBalancer>> {
    let one = (
        // Bit 1 is direct server return.
        0u32..2,
        select(vec!["", "10.96.0.200"]),
        select(vec![
            &[][..],
            &["10.96.0.1"],
            &["10.96.0.1", "fd00:96::1"],
            &["10.2.0.1"],
            &["10.1.0.11"],
            // On the subnet of some, and nobody's.
            &["10.1.0.200"],
        ]),
        // EnablePreserveDip is 8, VipExternalIP 16.
        select(vec![0u32, 0, 8, 16]),
        // Without a port it is for all of the address, or of a protocol.
        select(vec![
            (6u8, 443u16, 80u16),
            (6, 80, 80),
            (17, 53, 53),
            (6, 8080, 443),
            (0, 0, 0),
            (6, 0, 0),
        ]),
        vec(0..ENDPOINTS.len(), 0..4),
    );
    vec(one, 0..3).prop_map(|balancers| {
        let one = |(place, (flags, source, vips, port_flags, (protocol, external, internal), backends)): (usize, Service)| {
            let backends: Vec<String> = backends.iter().map(|backend| endpoint_id(*backend).upper()).collect();
            LoadBalancer::from_value(&json!({
                "ID": Guid(BALANCER + place as u128).upper(), "HostComputeEndpoints": backends, "SourceVIP": source, "Flags": flags, "FrontendVIPs": vips,
                "PortMappings": [{"Protocol": protocol, "ExternalPort": external, "InternalPort": internal, "Flags": port_flags}],
            }))
            .unwrap()
        };
        balancers.into_iter().enumerate().map(one).collect()
    })
}

fn scenes() -> impl Strategy<Value = Scene> {
    let networks = vec(
        (
            hosts::network(&WORDS, TYPES),
            (prop::bool::weighted(0.8), prop::bool::weighted(0.3)),
        ),
        NETWORKS.len(),
    );
    let endpoints = vec(endpoint(), ENDPOINTS.len());
    (networks, endpoints, balancers(), hosts::semantics()).prop_map(
        |(networks, endpoints, load_balancers, semantics)| {
            let (networks, gateways): (Vec<TextNetwork>, Vec<(bool, bool)>) =
                networks.into_iter().unzip();
            let mut routers = Vec::new();
            let one = |(place, ((rules, tiers, isolated), published, router)): (usize, Own)| {
                routers.push(router);
                let (network, addresses) = ENDPOINTS[place];
                let mapping = json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "ExternalPort": 8080 + place, "InternalPort": 80}});
                TextEndpoint {
                    network,
                    addresses: addresses.iter().map(|text| address(text)).collect(),
                    other_policies: published.then_some(mapping).into_iter().collect(),
                    rules,
                    tiers,
                    isolated,
                }
            };
            let endpoints = endpoints.into_iter().enumerate().map(one).collect();
            let read = TextHost {
                networks,
                endpoints,
                semantics,
            };
            let networks = gateways.into_iter().enumerate();
            let endpoints = routers.into_iter().enumerate();
            let documents = Documents {
                networks: networks
                    .map(|(place, has_gateway)| network_document(&read, place, has_gateway))
                    .collect(),
                endpoints: endpoints
                    .map(|(place, router)| endpoint_document(&read, place, router))
                    .collect(),
                load_balancers,
            };
            let (switch, _) = Switch::compile(&documents, &read.semantics);
            Scene { read, switch }
        },
    )
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

struct Host<'a> {
    read: &'a TextHost,
    switch: &'a Switch,
    topology: Topology,
    dice: Dice,
    met: &'a mut Met,
}

impl Host<'_> {
    /// Whether a flow is allowed, and gets to whom it is meant for.
    fn is_allowed(way: &Way, receiver: Option<Receiver>) -> bool {
        let gets_there = match (way.fate, receiver) {
            (Fate::Arrives(got), Some(wanted)) => got == wanted,
            // Who is on this host is not beyond it.
            (Fate::Leaves, Some(_)) => false,
            _ => true,
        };
        way.fate.is_allowed() && gets_there
    }

    /// Flows near the edges of the rules' and of the services' ports, at the corners of a set, and beside those.
    fn flows(
        &mut self,
        reach: &Reach,
        region: Region,
        source: IpAddr,
        destination: IpAddr,
    ) -> Vec<Flow> {
        let dice = &mut self.dice;
        let mut flows: Vec<Flow> = (0..8)
            .map(|_| hosts::between(&WORDS, dice, source, destination))
            .collect();
        if SERVED.iter().any(|served| address(served) == destination) {
            flows.extend(
                SERVICES
                    .into_iter()
                    .cycle()
                    .take(14)
                    .map(|(protocol, port)| Flow {
                        protocol,
                        destination_port: port,
                        ..hosts::between(&WORDS, dice, source, destination)
                    }),
            );
        }
        let cells = reach.space().cells(region);
        for _ in 0..cells.len().min(3) {
            flows.extend(hosts::corner(&cells[dice.below(cells.len())], dice));
        }
        flows.iter_mut().for_each(|flow| {
            (flow.source, flow.destination) = (source, destination);
        });
        flows
    }

    /// What every port on the way says, against the reading.
    fn compare_judgements(&mut self, way: &Way, is_counted: bool) -> Result<(), TestCaseError> {
        for (port, direction, flow, ruling) in way.judgements() {
            let endpoint = port.0 as usize;
            let expected = self.read.answer(endpoint, direction, &flow);
            let found = said(self.switch, port, direction, &flow, ruling);
            prop_assert_eq!(&found, &expected, "{} {}", direction, flow);
            if is_counted {
                self.met.decided(self.read, endpoint, &flow, &expected);
                self.met.hangs_on(self.read, endpoint, direction, &flow);
            }
        }
        Ok(())
    }

    /// Compares a set and its pieces with the way of each flow.
    fn compare(
        &mut self,
        reach: &Reach,
        (start, source, destination): (Start, IpAddr, IpAddr),
        receiver: Option<Receiver>,
        [region, partly]: [Region; 2],
        pieces: &[Piece],
    ) -> Result<(), TestCaseError> {
        let flows = self.flows(reach, region, source, destination);
        for (number, flow) in flows.into_iter().enumerate() {
            let way = self.switch.way(&self.topology, start, &flow);
            self.compare_judgements(&way, number == 0)?;
            let allowed = Self::is_allowed(&way, receiver);
            prop_assert_eq!(
                reach.space().contains(region, &flow),
                allowed,
                "{:?} {} {:?}",
                start,
                flow,
                way
            );
            let to_some = match way.fate {
                Fate::Balanced { passing, of } => passing > 0 && passing < of,
                _ => false,
            };
            prop_assert_eq!(
                reach.space().contains(partly, &flow),
                to_some,
                "{:?} {} {:?}",
                start,
                flow,
                way
            );
            let mut own = pieces
                .iter()
                .filter(|piece| reach.space().contains(piece.packets, &flow));
            let piece = own.next();
            prop_assert!(own.next().is_none(), "{} is in two pieces", flow);
            let Some(piece) = piece else {
                return Err(TestCaseError::fail(format!(
                    "{flow} is in no piece of {pieces:?}"
                )));
            };
            prop_assert_eq!(
                piece.decision() == Decision::Allow,
                allowed,
                "{} {:?} {:?}",
                flow,
                piece,
                way
            );
            let has_published = || {
                let mut hops = way.hops.iter();
                hops.any(|hop| matches!(hop, Hop::Published { .. }))
            };
            let met = &mut self.met;
            met.add_if(allowed, "allowed");
            met.add_if(
                allowed && matches!(way.fate, Fate::Balanced { .. }),
                "balanced",
            );
            met.add_if(allowed && has_published(), "published");
            met.add_if(matches!(way.fate, Fate::Unreachable(_)), "nowhere");
            met.add_if(way.fate == Fate::Dropped, "dropped");
            if let Fate::Balanced { passing, of } = way.fate
                && piece.nowhere.is_none()
            {
                prop_assert_eq!(piece.backends, Some((passing, of)), "{} {:?}", flow, way);
                let all: Vec<_> = way.judgements();
                let all = all
                    .iter()
                    .map(|(port, direction, _, ruling)| (*port, *direction, *ruling));
                let said = piece.said.iter();
                let said = said.map(|said| (said.port, said.direction, said.ruling));
                prop_assert!(all.eq(said), "{} {:?} {:?}", flow, piece, way);
                self.met
                    .add_if(passing > 0 && passing < of, "some backends");
                continue;
            }
            prop_assert_eq!(piece.backends, None, "{} {:?}", flow, way);
            // What blocks first on the way is what the piece names last.
            let blocking = way
                .judgements()
                .into_iter()
                .find(|(.., ruling)| ruling.decision == Decision::Block);
            if piece.nowhere.is_none()
                && let Some((port, direction, _, ruling)) = blocking
            {
                let last = piece
                    .said
                    .last()
                    .map(|said| (said.port, said.direction, said.ruling));
                prop_assert_eq!(last, Some((port, direction, ruling)), "{}", flow);
            }
        }
        Ok(())
    }
}

#[test]
fn a_pair_reaches_with_what_can_allows_and_with_nothing_else() {
    let cases = (
        scenes(),
        any::<bool>(),
        0..ENDPOINTS.len() + 1,
        any::<u64>(),
    );
    let met = try_each(10_000, &cases, |(scene, is_new, who, seed), met| {
        let mut host = Host {
            read: &scene.read,
            switch: &scene.switch,
            topology: Topology::of(&scene.switch, usize::MAX),
            dice: Dice(seed),
            met,
        };
        let family = if is_new { Family::V6 } else { Family::V4 };
        let mut reach = Reach::along_ways(&scene.switch, family);
        match who {
            who if who < reach.ends().len() => {
                pairs(&mut host, &mut reach, who)?;
                outside(&mut host, &mut reach, who)
            }
            _ => of_nobody(&mut host, &mut reach),
        }
    });
    met.promises(10_000, &["allowed", "nowhere", "dropped"]);
    met.covers(5_000, &["balanced", "published"]);
    met.covers(1_000, &["some backends"]);
    met.covers(1_000, &["Host rule Block", "IPv6", "ICMPv6"]);
    met.covers(1_000, &["Network rule Block", "Tier rule Block"]);
    met.covers(1_000, &["Switch tie Block", "isolation"]);
    met.covers(100, &KINDS_OF_RULES);
    met.covers(50, &QUESTIONS);
}

/// From an end to every other one, to the host and to services.
fn pairs(host: &mut Host<'_>, reach: &mut Reach, who: usize) -> Result<(), TestCaseError> {
    let ends = reach.ends().to_vec();
    let source = ends[who];
    let row = reach.from(who);
    let mut alike = HashMap::new();
    for (other, (destination, region)) in ends.iter().zip(row).enumerate() {
        let pieces = reach.pieces(who, other);
        if let Some(decided) = reach.deciding(who, other) {
            let told: Vec<_> = pieces
                .iter()
                .map(|piece| {
                    (
                        piece.packets,
                        piece
                            .said
                            .iter()
                            .map(|said| said.ruling)
                            .collect::<Vec<_>>(),
                    )
                })
                .collect();
            // One handle, one explanation.
            prop_assert_eq!(alike.entry(decided).or_insert_with(|| told.clone()), &told);
        }
        let receiver = Some(Receiver::Port(destination.port));
        let ends = (
            Start::Port(source.port),
            source.address,
            destination.address,
        );
        let to = Target {
            address: destination.address,
            receiver,
        };
        let partly = reach.partly_towards(Sender::End(who), to);
        host.compare(reach, ends, receiver, [region, partly], &pieces)?;
    }
    let is_own = |address: IpAddr| {
        ends.iter()
            .any(|end| end.port == source.port && end.address == address)
    };
    for address in of_family(&ADDRESSES, reach.space().family()) {
        let to = Target {
            address,
            receiver: None,
        };
        if is_own(address) {
            continue;
        }
        let region = reach.towards(Sender::End(who), to);
        let pieces = reach.pieces_towards(Sender::End(who), to);
        let ends = (Start::Port(source.port), source.address, address);
        let partly = reach.partly_towards(Sender::End(who), to);
        prop_assert!(partly == Region::EMPTY || reach.is_balanced(address));
        host.compare(reach, ends, None, [region, partly], &pieces)?;
    }
    Ok(())
}

/// From the host to everybody, and from outside to the host and to services.
fn of_nobody(host: &mut Host<'_>, reach: &mut Reach) -> Result<(), TestCaseError> {
    let family = reach.space().family();
    let places = of_family(&ADDRESSES, family).into_iter();
    let places = places.map(|address| Target {
        address,
        receiver: None,
    });
    let places: Vec<Target> = places.collect();
    let all: Beyond = reach.beyond(&EVERY.map(|prefix| prefix.parse().unwrap()));
    for (to, other) in places.iter().flat_map(|to| {
        of_family(&BEYOND, family)
            .into_iter()
            .map(move |other| (*to, other))
    }) {
        let region = reach.towards(Sender::Beyond(&all), to);
        let partly = reach.partly_towards(Sender::Beyond(&all), to);
        let pieces = reach.pieces_towards(Sender::Beyond(&all), to);
        host.compare(
            reach,
            (Start::Outside, other, to.address),
            None,
            [region, partly],
            &pieces,
        )?;
    }
    let ends = reach.ends().to_vec();
    let ends = ends.iter().map(|end| Target {
        address: end.address,
        receiver: Some(Receiver::Port(end.port)),
    });
    for to in ends.chain(places) {
        let source = host
            .switch
            .source_towards(&host.topology, Start::Host, to.address);
        prop_assert_eq!(reach.host_source(to.address), source);
        let region = reach.towards(Sender::Host, to);
        let Some(source) = source else {
            prop_assert_eq!(region, Region::EMPTY);
            continue;
        };
        let partly = reach.partly_towards(Sender::Host, to);
        let pieces = reach.pieces_towards(Sender::Host, to);
        host.compare(
            reach,
            (Start::Host, source, to.address),
            to.receiver,
            [region, partly],
            &pieces,
        )?;
    }
    Ok(())
}

const EVERY: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// From and to addresses that nobody in particular has.
fn outside(host: &mut Host<'_>, reach: &mut Reach, who: usize) -> Result<(), TestCaseError> {
    let end = reach.ends()[who];
    let all: Beyond = reach.beyond(&EVERY.map(|prefix| prefix.parse().unwrap()));
    for other in of_family(&BEYOND, reach.space().family()) {
        let region = reach.outside(who, Direction::Out, &all);
        let pieces = reach.pieces_outside(who, Direction::Out, &all);
        host.compare(
            reach,
            (Start::Port(end.port), end.address, other),
            None,
            [region, Region::EMPTY],
            &pieces,
        )?;
        let receiver = Some(Receiver::Port(end.port));
        let region = reach.outside(who, Direction::In, &all);
        let pieces = reach.pieces_outside(who, Direction::In, &all);
        let to = Target {
            address: end.address,
            receiver,
        };
        let partly = reach.partly_towards(Sender::Beyond(&all), to);
        host.compare(
            reach,
            (Start::Outside, other, end.address),
            receiver,
            [region, partly],
            &pieces,
        )?;
    }
    Ok(())
}
