// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom, against verdicts of single flows on random switches.

use std::net::IpAddr;

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, Protocol, Ruling, Semantics, Switch,
    reach::{Piece, Reach},
    space::{Cell, Region},
};
use hcn_schema::{Document, Endpoint, Network};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Addresses of the endpoints, in the order of the endpoints: two have an address of each family.
const ADDRESSES: [&[&str]; 5] = [
    &["10.0.0.1", "fd00::1"],
    &["10.0.0.2"],
    &["10.0.0.3", "fd00::3"],
    &["10.0.0.200"],
    &["10.0.1.1", "fd00::5"],
];
const PLACES: [&str; 9] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "10.0.1.1",
    "fd00::1",
    "fd00::/126",
    "0.0.0.0/0",
];

fn texts(items: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.5,
        vec(select(items), 1..3).prop_map(|items| items.join(",")),
    )
}

fn rule() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        option::weighted(0.2, Just("Host")),
        select(vec![100u16, 200, 300]),
        texts(&["6", "17", "1"]),
        (texts(&PLACES), texts(&PLACES)),
        texts(&["80", "443", "1-1023", "65535"]),
        texts(&["1024-65535", "0"]),
    )
        .prop_map(
            |(action, direction, kind, priority, protocols, (local, remote), one, other)| {
                let (local_ports, remote_ports) = match direction {
                    "In" => (one, other),
                    _ => (other, one),
                };
                let mut settings = Map::new();
                settings.insert("Action".to_owned(), action.into());
                settings.insert("Direction".to_owned(), direction.into());
                settings.insert("Priority".to_owned(), priority.into());
                for (key, text) in [
                    ("RuleType", kind.map(str::to_owned)),
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

/// Policies and flags of the endpoints. Some have the same rules, as replicas do.
fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    let lists = vec(vec(rule(), 0..5), 3);
    let which = vec((0usize..3, prop::bool::weighted(0.1)), ADDRESSES.len());
    (lists, which).prop_map(|(lists, which)| {
        let one = |(number, (list, isolated)): (usize, (usize, bool))| {
            let addresses: Vec<Value> = ADDRESSES[number]
                .iter()
                .map(|address| json!({"IpAddress": address}))
                .collect();
            let document = json!({
                "ID": format!("00000000-0000-0000-0000-0000000000{number:02}"),
                "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
                // EndpointFlags: DisableInterComputeCommunication is 2 (hns-behaviour 2.4).
                "Flags": if isolated { 2 } else { 0 },
                "IpConfigurations": addresses,
                "Policies": lists[list],
            });
            Endpoint::from_value(&document).unwrap()
        };
        which.into_iter().enumerate().map(one).collect()
    })
}

fn compile(endpoints: Vec<Endpoint>) -> Switch {
    let network = json!({"ID": "00000000-0000-0000-0000-00000000000a", "Type": "L2Bridge"});
    let documents = Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints,
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, &Semantics::default());
    assert_eq!(faults, []);
    switch
}

/// Flows at the edges of the rules' ports, of every protocol that they name and of one that they do not.
fn flows(source: IpAddr, destination: IpAddr) -> impl Iterator<Item = Flow> {
    const TO: [u16; 9] = [0, 1, 79, 80, 81, 443, 1_023, 1_024, 65_535];
    const FROM: [u16; 5] = [0, 1, 1_023, 1_024, 65_535];
    let ports = TO.into_iter().flat_map(|to| FROM.map(|from| (to, from)));
    ports.flat_map(move |(destination_port, source_port)| {
        [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol(47)].map(|protocol| Flow {
            source,
            destination,
            protocol,
            source_port,
            destination_port,
        })
    })
}

/// A cell of protocols and ports between two addresses, as a flow.
fn at(cell: &Cell, source: IpAddr, destination: IpAddr) -> Flow {
    Flow {
        source,
        destination,
        ..cell.first().unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pair_reaches_with_what_a_verdict_allows_and_with_nothing_else(endpoints in endpoints()) {
        let switch = compile(endpoints);
        for family in [Family::V4, Family::V6] {
            let mut reach = Reach::of(&switch, family);
            let ends = reach.ends().to_vec();
            prop_assert_eq!(ends.len(), if family == Family::V4 { 5 } else { 3 });
            for (place, source) in ends.iter().enumerate() {
                let row = reach.from(place);
                prop_assert_eq!(row.len(), ends.len());
                for (destination, region) in ends.iter().zip(row) {
                    let allows = |flow: &Flow| switch.verdict(flow).decision == Decision::Allow;
                    let space = reach.space();
                    for flow in flows(source.address, destination.address) {
                        prop_assert_eq!(space.contains(region, &flow), allows(&flow), "{}", flow);
                    }
                    for cell in space.cells(region) {
                        let flow = at(&cell, source.address, destination.address);
                        prop_assert!(allows(&flow), "{} of {}", flow, cell);
                    }
                }
            }
            prop_assert!(reach.from(ends.len()).is_empty());
        }
    }
}

/// An address that a rule names and no endpoint has, one beside it, and one far away.
const BEYOND: [&str; 4] = ["10.0.0.99", "10.0.2.1", "fd00::2", "2001:db8::1"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn beyond_the_ports_a_verdict_allows_what_passes_outside(endpoints in endpoints()) {
        let switch = compile(endpoints);
        for family in [Family::V4, Family::V6] {
            let mut reach = Reach::of(&switch, family);
            let beyond = reach.beyond(&["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
            for (place, end) in reach.ends().to_vec().into_iter().enumerate() {
                for direction in [Direction::Out, Direction::In] {
                    let region = reach.outside(place, direction, &beyond);
                    let pieces = reach.pieces_outside(&switch, place, direction, &beyond);
                    for other in BEYOND.map(|address| address.parse::<IpAddr>().unwrap()) {
                        if Family::from(other) != family {
                            continue;
                        }
                        let (source, destination) = match direction {
                            Direction::Out => (end.address, other),
                            Direction::In => (other, end.address),
                        };
                        for flow in flows(source, destination) {
                            let allowed = switch.verdict(&flow).decision == Decision::Allow;
                            prop_assert_eq!(reach.space().contains(region, &flow), allowed, "{}", flow);
                            let ruling = switch.rule(end.port, direction, &flow);
                            let (out, into) = match direction {
                                Direction::Out => (Some(ruling), None),
                                Direction::In => (None, Some(ruling)),
                            };
                            prop_assert_eq!(of(&reach, &pieces, &flow), vec![(out, into)], "{}", flow);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_pieces_of_a_pair_are_decided_by_what_a_verdict_names(endpoints in endpoints()) {
        let switch = compile(endpoints);
        for family in [Family::V4, Family::V6] {
            let mut reach = Reach::of(&switch, family);
            let ends = reach.ends().to_vec();
            for (source, from) in ends.iter().enumerate() {
                for (destination, to) in ends.iter().enumerate() {
                    let pieces = reach.pieces(&switch, source, destination);
                    for flow in flows(from.address, to.address) {
                        let expected = if source == destination {
                            (None, None)
                        } else {
                            let out = switch.rule(from.port, Direction::Out, &flow);
                            let into = switch.rule(to.port, Direction::In, &flow);
                            (Some(out), (out.decision == Decision::Allow).then_some(into))
                        };
                        prop_assert_eq!(of(&reach, &pieces, &flow), vec![expected], "{}", flow);
                    }
                }
            }
        }
    }
}

/// The rulings of the pieces that a flow is in.
fn of(reach: &Reach, pieces: &[Piece], flow: &Flow) -> Vec<(Option<Ruling>, Option<Ruling>)> {
    let holding = pieces
        .iter()
        .filter(|piece| reach.space().contains(piece.packets, flow));
    holding.map(|piece| (piece.out, piece.into)).collect()
}

#[test]
fn beyond_is_what_no_port_has() {
    // Of 10.0.0.0/30 the addresses .1 to .3 are taken.
    let switch = compile(
        (0..3)
            .map(|number| {
                let document = json!({"ID": format!("00000000-0000-0000-0000-0000000000{number:02}"), "IpConfigurations": [{"IpAddress": ADDRESSES[number][0]}],
                    "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a"});
                Endpoint::from_value(&document).unwrap()
            })
            .collect(),
    );
    let mut reach = Reach::of(&switch, Family::V4);
    let all = reach.beyond(&["10.0.0.0/30".parse().unwrap()]);
    assert!(!all.is_empty());
    assert_eq!(reach.outside(0, Direction::Out, &all), Region::FULL);
    let taken = reach.beyond(&["10.0.0.2/31".parse().unwrap()]);
    assert!(taken.is_empty());
    assert_eq!(reach.outside(0, Direction::Out, &taken), Region::EMPTY);
    assert!(reach.beyond(&["fd00::/64".parse().unwrap()]).is_empty());
    assert!(reach.beyond(&[]).is_empty());
}

/// Sets of the pairs are those of the ports: out of the one and into the other, with both addresses.
#[test]
fn a_pair_is_what_goes_out_and_comes_in() {
    let allow = |direction: &str, ports: &str| {
        json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": direction, "Protocols": "6", "Priority": 100,
        (if direction == "In" { "LocalPorts" } else { "RemotePorts" }): ports}})
    };
    let endpoint = |number: usize, policies: Value| {
        let document = json!({"ID": format!("00000000-0000-0000-0000-0000000000{number:02}"), "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
            "IpConfigurations": [{"IpAddress": ADDRESSES[number][0]}], "Policies": policies});
        Endpoint::from_value(&document).unwrap()
    };
    let switch = compile(vec![
        endpoint(0, json!([allow("Out", "80-90")])),
        endpoint(1, json!([allow("In", "85-443")])),
        endpoint(2, json!([])),
    ]);
    let mut reach = Reach::of(&switch, Family::V4);
    let words = |reach: &Reach, region: Region| -> Vec<String> {
        let cells = reach.space().cells(region);
        cells.iter().map(Cell::service).collect()
    };
    let row = reach.from(0);
    let said: Vec<Vec<String>> = row.iter().map(|set| words(&reach, *set)).collect();
    assert_eq!(
        said,
        [
            vec!["every protocol".to_owned()],
            vec!["tcp 85-90".to_owned()],
            vec!["tcp 80-90".to_owned()]
        ]
    );
    // The first lets nothing in.
    let back = reach.from(1);
    assert_eq!(back[0], Region::EMPTY);
}
