// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom along ways, against the way of single flows on random hosts: networks of every kind, gateways or none, shared addresses,
//! published ports, load balancers of every kind, isolation.
//!
//! Apart from `reach.rs`, where nothing but rules is asked. What `can` says of a flow is what [`Switch::way`] says.

use std::{collections::HashMap, net::IpAddr};

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, Protocol, Semantics, Start, Switch, Topology,
    reach::{Beyond, Piece, Reach, Sender, Target},
    space::{Cell, Region},
    way::{Fate, Receiver, Way},
};
use hcn_schema::{Document, Endpoint, Guid, LoadBalancer, Network};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Map, Value, json};

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
const ADDRESSES: [&str; 6] = [
    "10.1.0.1",
    "10.2.0.1",
    "10.96.0.1",
    "fd00:1::1",
    "fd00:2::1",
    "fd00:96::1",
];

fn texts(items: &'static [&'static str], chance: f64) -> impl Strategy<Value = Option<String>> {
    let several = vec(select(items), 1..3);
    option::weighted(chance, several.prop_map(|items| items.join(",")))
}

const PLACES: [&str; 10] = [
    "10.1.0.10",
    "10.1.0.0/24",
    "10.1.0.1",
    "10.2.0.0/16",
    "10.96.0.1",
    "10.96.0.200",
    "8.8.8.8",
    "fd00:1::/64",
    "fd00:96::1",
    "0.0.0.0/0",
];

fn rule() -> impl Strategy<Value = Value> {
    (
        (
            select(vec!["Allow", "Block"]),
            select(vec!["In", "Out"]),
            select(vec![100u16, 200, 65_500]),
        ),
        texts(&["6", "17", "1"], 0.4),
        (texts(&PLACES, 0.3), texts(&PLACES, 0.4)),
        texts(&["80", "443", "8080", "1-1023"], 0.3),
        texts(&["32768", "49152-65535", "1024-65535"], 0.2),
    )
        .prop_map(
            |((action, direction, priority), protocols, (local, remote), one, other)| {
                let (local_ports, remote_ports) = match direction {
                    "In" => (one, other),
                    _ => (other, one),
                };
                let mut settings = Map::new();
                settings.insert("Action".to_owned(), action.into());
                settings.insert("Direction".to_owned(), direction.into());
                settings.insert("Priority".to_owned(), priority.into());
                for (key, text) in [
                    ("Protocols", protocols),
                    ("LocalAddresses", local),
                    ("RemoteAddresses", remote),
                    ("LocalPorts", local_ports),
                    ("RemotePorts", remote_ports),
                ] {
                    if let Some(text) = text {
                        settings.insert(key.to_owned(), text.into());
                    }
                }
                json!({"Type": "ACL", "Settings": settings})
            },
        )
}

fn id(number: u128) -> String {
    Guid(number).upper()
}

fn network_id(place: usize) -> String {
    id(0xa000_0000 + place as u128)
}

fn networks() -> impl Strategy<Value = Vec<Network>> {
    let one = (
        select(vec![
            "NAT", "NAT", "L2Bridge", "L2Bridge", "Overlay", "Internal", "Private",
        ]),
        prop::bool::weighted(0.8),
    );
    vec(one, NETWORKS.len()).prop_map(|networks| {
        let one = |(place, (kind, has_gateway)): (usize, (&str, bool))| {
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
            let document =
                json!({"ID": network_id(place), "Type": kind, "Ipams": [{"Subnets": subnets}]});
            Network::from_value(&document).unwrap()
        };
        networks.into_iter().enumerate().map(one).collect()
    })
}

/// Policies; whether what they do not name is allowed, a port published, the endpoint isolated; the default router.
type Rules = (Vec<Value>, bool, bool, bool, Option<&'static str>);

fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    let one = (
        prop_oneof![1 => Just(Vec::new()), 2 => vec(rule(), 0..4)],
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.08),
        option::weighted(
            0.6,
            select(vec![
                "10.1.0.1",
                "10.2.0.1",
                "10.1.0.11",
                "10.1.0.2",
                "10.99.0.1",
            ]),
        ),
    );
    vec(one, ENDPOINTS.len()).prop_map(|endpoints| {
        let one = |(place, (mut policies, base, published, isolated, router)): (usize, Rules)| {
            let (network, addresses) = ENDPOINTS[place];
            if base && !policies.is_empty() {
                policies.extend(["In", "Out"].map(|direction| {
                    json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": direction, "Priority": 65500}})
                }));
            }
            if published {
                policies.push(json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "ExternalPort": 8080 + place, "InternalPort": 80}}));
            }
            let routes = match router {
                Some(router) => json!([{"NextHop": router, "DestinationPrefix": "0.0.0.0/0"}, {"NextHop": NETWORKS[network][1].1, "DestinationPrefix": "::/0"}]),
                None => json!([{"NextHop": NETWORKS[network][0].1, "DestinationPrefix": "0.0.0.0/0"}]),
            };
            let addresses: Vec<Value> = addresses.iter().map(|address| json!({"IpAddress": address})).collect();
            Endpoint::from_value(&json!({
                "ID": id(place as u128 + 1), "Name": format!("e{place}"), "HostComputeNetwork": network_id(network), "IpConfigurations": addresses,
                "Routes": routes, "Policies": policies,
                // EndpointFlags: DisableInterComputeCommunication is 2 (hns-behaviour 2.4).
                "Flags": if isolated { 2 } else { 0 },
            }))
            .unwrap()
        };
        endpoints.into_iter().enumerate().map(one).collect()
    })
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
        ]),
        // EnablePreserveDip is 8.
        select(vec![0u32, 8]),
        select(vec![
            (6u8, 443u16, 80u16),
            (6, 80, 80),
            (17, 53, 53),
            (6, 8080, 443),
        ]),
        vec(0..ENDPOINTS.len(), 0..4),
    );
    vec(one, 0..3).prop_map(|balancers| {
        let one = |(place, (flags, source, vips, port_flags, (protocol, external, internal), backends)): (usize, Service)| {
            let backends: Vec<String> = backends.iter().map(|backend| id(*backend as u128 + 1)).collect();
            LoadBalancer::from_value(&json!({
                "ID": id(BALANCER + place as u128), "HostComputeEndpoints": backends, "SourceVIP": source, "Flags": flags, "FrontendVIPs": vips,
                "PortMappings": [{"Protocol": protocol, "ExternalPort": external, "InternalPort": internal, "Flags": port_flags}],
            }))
            .unwrap()
        };
        balancers.into_iter().enumerate().map(one).collect()
    })
}

prop_compose! {
    fn scenes()(networks in networks(), endpoints in endpoints(), load_balancers in balancers(), sees_backend in any::<bool>()) -> Switch {
        let documents = Documents { networks, endpoints, load_balancers };
        let semantics = Semantics { direct_out_sees_backend: sees_backend, ..Semantics::default() };
        Switch::compile(&documents, &semantics).0
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Whether a flow is allowed, and gets to whom it is meant for. What leaves the host and is meant for a port here has to be let in there too.
fn is_allowed(switch: &Switch, way: &Way, receiver: Option<Receiver>) -> bool {
    let gets_there = match (way.fate, receiver) {
        (Fate::Arrives(got), Some(wanted)) => got == wanted,
        (Fate::Leaves, Some(Receiver::Port(port))) => {
            switch.rule(port, Direction::In, &way.flow).decision == Decision::Allow
        }
        _ => true,
    };
    way.fate.is_allowed() && gets_there
}

/// Flows at the edges of the rules' and of the services' ports.
fn flows(source: IpAddr, destination: IpAddr) -> Vec<Flow> {
    let flow = |protocol, source_port, destination_port| Flow {
        source,
        destination,
        protocol,
        source_port,
        destination_port,
    };
    let mut flows = vec![flow(Protocol::ICMP, 0, 0), flow(Protocol(47), 0, 0)];
    for (protocol, port) in [
        (17, 53),
        (17, 80),
        (6, 80),
        (6, 81),
        (6, 443),
        (6, 1_024),
        (6, 8_080),
        (6, 8_082),
    ] {
        for from in [1_023, 32_768, 49_152] {
            flows.push(flow(Protocol(protocol), from, port));
        }
    }
    flows
}

/// A flow of each cell of a set, between two addresses.
fn corners(reach: &Reach, region: Region, source: IpAddr, destination: IpAddr) -> Vec<Flow> {
    let cells = reach.space().cells(region);
    let first = cells.iter().filter_map(Cell::first).take(6);
    let between = first.map(|flow| Flow {
        source,
        destination,
        ..flow
    });
    // Of a region with addresses of the other side those may not be this one.
    between
        .filter(|flow| reach.space().contains(region, flow))
        .collect()
}

/// What was met, so that the cases are known to be about something.
#[derive(Debug, Default)]
struct Met {
    allowed: u32,
    balanced: u32,
    published: u32,
    nowhere: u32,
    dropped: u32,
}

struct Host<'a> {
    switch: &'a Switch,
    topology: Topology,
    met: &'a mut Met,
}

impl Host<'_> {
    /// Compares a set and its pieces with the way of each flow.
    fn compare(
        &mut self,
        reach: &Reach,
        (start, source, destination): (Start, IpAddr, IpAddr),
        receiver: Option<Receiver>,
        region: Region,
        pieces: &[Piece],
    ) -> Result<(), TestCaseError> {
        let mut all = flows(source, destination);
        all.extend(corners(reach, region, source, destination));
        for flow in all {
            let way = self.switch.way(&self.topology, start, &flow);
            let allowed = is_allowed(self.switch, &way, receiver);
            prop_assert_eq!(
                reach.space().contains(region, &flow),
                allowed,
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
            let met = &mut self.met;
            met.allowed += u32::from(allowed);
            met.balanced += u32::from(allowed && matches!(way.fate, Fate::Balanced { .. }));
            met.published += u32::from(
                allowed
                    && way
                        .hops
                        .iter()
                        .any(|hop| matches!(hop, hcn_engine::way::Hop::Published { .. })),
            );
            met.nowhere += u32::from(matches!(way.fate, Fate::Unreachable(_)));
            met.dropped += u32::from(matches!(way.fate, Fate::Dropped));
        }
        Ok(())
    }
}

fn of_family(texts: &[&str], family: Family) -> Vec<IpAddr> {
    let all = texts.iter().map(|text| address(text));
    all.filter(|address| Family::from(*address) == family)
        .collect()
}

fn runner(cases: u32) -> TestRunner {
    let mut config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(2);
    }
    TestRunner::new(config)
}

#[test]
fn a_pair_reaches_with_what_can_allows_and_with_nothing_else() {
    let met = std::cell::RefCell::new(Met::default());
    let who = (any::<bool>(), 0..ENDPOINTS.len() + 1);
    runner(10_000)
        .run(&(scenes(), who), |(switch, (is_new, who))| {
            let mut host = Host {
                switch: &switch,
                topology: Topology::of(&switch, usize::MAX),
                met: &mut met.borrow_mut(),
            };
            let family = if is_new { Family::V6 } else { Family::V4 };
            let mut reach = Reach::along_ways(&switch, family);
            match who {
                who if who < reach.ends().len() => {
                    pairs(&mut host, &mut reach, who)?;
                    outside(&mut host, &mut reach, who)
                }
                _ => of_nobody(&mut host, &mut reach),
            }
        })
        .unwrap();
    let Met {
        allowed,
        balanced,
        published,
        nowhere,
        dropped,
    } = met.into_inner();
    for count in [allowed, balanced, published, nowhere, dropped] {
        assert!(
            count > 10_000,
            "{allowed} {balanced} {published} {nowhere} {dropped}"
        );
    }
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
        host.compare(reach, ends, receiver, region, &pieces)?;
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
        host.compare(reach, ends, None, region, &pieces)?;
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
        let pieces = reach.pieces_towards(Sender::Beyond(&all), to);
        host.compare(
            reach,
            (Start::Outside, other, to.address),
            None,
            region,
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
        let pieces = reach.pieces_towards(Sender::Host, to);
        host.compare(
            reach,
            (Start::Host, source, to.address),
            to.receiver,
            region,
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
            region,
            &pieces,
        )?;
        let receiver = Some(Receiver::Port(end.port));
        let region = reach.outside(who, Direction::In, &all);
        let pieces = reach.pieces_outside(who, Direction::In, &all);
        host.compare(
            reach,
            (Start::Outside, other, end.address),
            receiver,
            region,
            &pieces,
        )?;
    }
    Ok(())
}
