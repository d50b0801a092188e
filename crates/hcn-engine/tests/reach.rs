// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom, against verdicts of single flows on random switches.

mod scenes;

use std::net::IpAddr;

use hcn_engine::{
    Decision, Direction, Family, Flow, PortIndex, Ruling,
    reach::{Piece, Reach},
    space::{Cell, Region},
};
use hcn_schema::{Document, Endpoint};
use proptest::prelude::*;
use scenes::{ADDRESSES, compile, endpoints, flows};
use serde_json::{Value, json};

/// A cell of protocols and ports between two addresses, as a flow.
fn at(cell: &Cell, source: IpAddr, destination: IpAddr) -> Flow {
    Flow {
        source,
        destination,
        ..cell.first().unwrap()
    }
}

/// Addresses of both families.
const ALL: usize = 8;

/// One of them a case, as its family and its place among the ends: each of the many cases is about one source.
fn asked(who: usize) -> [(Family, usize); 1] {
    match who {
        0..5 => [(Family::V4, who)],
        _ => [(Family::V6, who - 5)],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pair_reaches_with_what_a_verdict_allows_and_with_nothing_else(endpoints in endpoints(), who in 0..ALL) {
        let switch = compile(endpoints);
        for (family, place) in asked(who) {
            let mut reach = Reach::of(&switch, family);
            let ends = reach.ends().to_vec();
            prop_assert_eq!(ends.len(), if family == Family::V4 { 5 } else { 3 });
            for source in &ends[place..=place] {
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
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn beyond_the_ports_a_verdict_allows_what_passes_outside(endpoints in endpoints(), who in 0..ALL) {
        let switch = compile(endpoints);
        for (family, place) in asked(who) {
            let mut reach = Reach::of(&switch, family);
            let beyond = reach.beyond(&["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
            let end = reach.ends()[place];
            for direction in [Direction::Out, Direction::In] {
                let region = reach.outside(place, direction, &beyond);
                let pieces = reach.pieces_outside(place, direction, &beyond);
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
                        let said = vec![(end.port, direction, ruling)];
                        prop_assert_eq!(of(&reach, &pieces, &flow), vec![said], "{}", flow);
                    }
                }
            }
        }
    }

    #[test]
    fn the_pieces_of_a_pair_are_decided_by_what_a_verdict_names(endpoints in endpoints(), who in 0..ALL) {
        let switch = compile(endpoints);
        for (family, source) in asked(who) {
            let mut reach = Reach::of(&switch, family);
            let ends = reach.ends().to_vec();
            for from in &ends[source..=source] {
                for (destination, to) in ends.iter().enumerate() {
                    let pieces = reach.pieces(source, destination);
                    for flow in flows(from.address, to.address) {
                        let mut expected = Vec::new();
                        if source != destination {
                            let out = switch.rule(from.port, Direction::Out, &flow);
                            expected.push((from.port, Direction::Out, out));
                            if out.decision == Decision::Allow {
                                let into = switch.rule(to.port, Direction::In, &flow);
                                expected.push((to.port, Direction::In, into));
                            }
                        }
                        prop_assert_eq!(of(&reach, &pieces, &flow), vec![expected], "{}", flow);
                    }
                }
            }
        }
    }
}

/// What ports say in the pieces that a flow is in.
fn of(reach: &Reach, pieces: &[Piece], flow: &Flow) -> Vec<Vec<(PortIndex, Direction, Ruling)>> {
    let holding = pieces
        .iter()
        .filter(|piece| reach.space().contains(piece.packets, flow));
    let said = |piece: &Piece| {
        let said = piece.said.iter();
        said.map(|said| (said.port, said.direction, said.ruling))
            .collect()
    };
    holding.map(said).collect()
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
