// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom by rules alone, against the second reading of single flows on random hosts.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Family, Flow, PortIndex, Switch,
    reach::{Piece, Reach},
    space::{Cell, Region},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    hosts::{
        self, ALLOW_AND_BLOCK, KINDS_OF_RULES, Policies, QUESTIONS, Words, compile, endpoint_id,
        network_id, said,
    },
    law::{Dice, Met, try_each},
    reading::{Answer, TextHost},
};

/// Addresses of the endpoints, in the order of the endpoints: three have an address of each family.
pub const ADDRESSES: [&[&str]; 5] = [
    &["10.0.0.1", "fd00::1"],
    &["10.0.0.2"],
    &["10.0.0.3", "fd00::3"],
    &["10.0.0.200"],
    &["10.0.1.1", "fd00::5"],
];

/// An address that a rule names and no endpoint has, one beside it, and one far away.
pub const BEYOND: [&str; 5] = [
    "10.0.0.99",
    "10.0.2.1",
    "fd00::2",
    "fd00::99",
    "2001:db8::1",
];

pub const WORDS: Words = Words {
    places: &[
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.0/30",
        "10.0.0.0/24",
        "10.0.0.9/24",
        "10.0.1.1",
        "0.0.0.0/0",
        "fd00::1",
        "fd00::3",
        "fd00::/126",
        "fd00::7/64",
        "::/0",
    ],
    services: &["80", "443", "1-1023", "80 - 90", "65535", "0"],
    clients: &["1024-65535", "0", "49152-65535"],
    priorities: &[100, 200, 300],
    chance: 0.35,
    chance_of_clients: 0.175,
};

/// Five endpoints of one network. Some have the same rules, as replicas do.
pub fn host() -> impl Strategy<Value = TextHost> {
    (
        hosts::network(&WORDS, &["L2Bridge", "L2Bridge", "NAT", "Transparent"]),
        vec(hosts::policies(&WORDS, ALLOW_AND_BLOCK), 3),
        vec(0usize..3, ADDRESSES.len()),
        hosts::semantics(),
    )
        .prop_map(|(network, lists, which, semantics)| {
            let lists = which.into_iter().map(|which| lists[which].clone());
            hosts::host_of(network, lists.zip(ADDRESSES), semantics)
        })
}

/// The endpoint's address of a family.
pub fn own(endpoint: usize, family: Family) -> Option<IpAddr> {
    let own = hosts::of_family(ADDRESSES[endpoint], family);
    own.first().copied()
}

/// Of each of the many cases: one family, and one of the ends.
fn asked(reach: &Reach, who: usize) -> usize {
    who % reach.ends().len()
}

fn reach_of(switch: &Switch, is_new: bool) -> Reach {
    Reach::of(switch, if is_new { Family::V6 } else { Family::V4 })
}

/// Flows between two addresses at the corners of a set, and a step beside them. A corner of a set that has more addresses need not be in it.
fn corners(
    reach: &Reach,
    region: Region,
    dice: &mut Dice,
    source: IpAddr,
    destination: IpAddr,
) -> Vec<Flow> {
    let cells = reach.space().cells(region);
    let some: Vec<&Cell> = (0..cells.len().min(3))
        .map(|_| &cells[dice.below(cells.len())])
        .collect();
    let flows = some.into_iter().flat_map(|cell| hosts::corner(cell, dice));
    let between = flows.map(|flow| Flow {
        source,
        destination,
        ..flow
    });
    between.collect()
}

/// A case: a host, the family, who asks, and a seed.
fn cases() -> impl Strategy<Value = (TextHost, bool, usize, u64)> {
    (host(), any::<bool>(), any::<usize>(), any::<u64>())
}

#[test]
fn a_pair_reaches_with_what_the_reading_allows_and_with_nothing_else() {
    let met = try_each(10_000, &cases(), |(host, is_new, who, seed), met| {
        let switch = compile(&host);
        let mut reach = reach_of(&switch, is_new);
        let dice = &mut Dice(seed);
        let place = asked(&reach, who);
        let ends = reach.ends().to_vec();
        prop_assert_eq!(ends.len(), if is_new { 3 } else { 5 });
        let source = ends[place];
        let from = source.port.0 as usize;
        let row = reach.from(place);
        prop_assert_eq!(row.len(), ends.len());
        for (destination, region) in ends.iter().zip(row) {
            let to = destination.port.0 as usize;
            let own = (source.address, destination.address);
            let mut flows: Vec<Flow> = (0..12)
                .map(|_| hosts::between(&WORDS, dice, own.0, own.1))
                .collect();
            flows.extend(corners(&reach, region, dice, own.0, own.1));
            for flow in &flows {
                let expected = host.passes(Some(from), Some(to), flow);
                let found = reach.space().contains(region, flow);
                prop_assert_eq!(found, expected, "{}", flow);
                met.add(if expected { "allowed" } else { "blocked" });
            }
            if from != to {
                let flow = flows[0];
                met.add("pairs");
                for (endpoint, direction) in [(from, Direction::Out), (to, Direction::In)] {
                    let answer = host.answer(endpoint, direction, &flow);
                    met.decided(&host, endpoint, &flow, &answer);
                    met.hangs_on(&host, endpoint, direction, &flow);
                }
            }
        }
        prop_assert!(reach.from(ends.len()).is_empty());
        Ok(())
    });
    met.promises(10_000, &["allowed", "blocked", "pairs"]);
    covers_all(&met);
    met.covers(40, &QUESTIONS);
}

/// Rules of every layer and kind decided, and both families were asked.
fn covers_all(met: &Met) {
    met.covers(
        100,
        &[
            "Host rule Block",
            "Host default Block",
            "Network rule Block",
            "Tier rule Block",
            "Switch tie Block",
            "isolation",
        ],
    );
    met.covers(100, &KINDS_OF_RULES);
    met.covers(1_000, &["Switch rule Allow", "Switch rule Block"]);
    met.covers(1_000, &["Switch default Block", "IPv6", "ICMPv6"]);
}

#[test]
fn beyond_the_ports_what_the_reading_allows_passes_outside() {
    let met = try_each(10_000, &cases(), |(host, is_new, who, seed), met| {
        let switch = compile(&host);
        let mut reach = reach_of(&switch, is_new);
        let dice = &mut Dice(seed);
        let beyond = reach.beyond(&["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        let place = asked(&reach, who);
        let end = reach.ends()[place];
        let own = end.port.0 as usize;
        for direction in [Direction::Out, Direction::In] {
            let region = reach.outside(place, direction, &beyond);
            let pieces = reach.pieces_outside(place, direction, &beyond);
            for other in hosts::of_family(&BEYOND, end.address.into()) {
                let (source, destination) = match direction {
                    Direction::Out => (end.address, other),
                    Direction::In => (other, end.address),
                };
                let mut flows: Vec<Flow> = (0..8)
                    .map(|_| hosts::between(&WORDS, dice, source, destination))
                    .collect();
                flows.extend(corners(&reach, region, dice, source, destination));
                for flow in flows {
                    let expected = host.answer(own, direction, &flow);
                    let found = reach.space().contains(region, &flow);
                    prop_assert_eq!(found, expected.allowed, "{}", flow);
                    met.add(if found { "allowed" } else { "blocked" });
                    met.decided(&host, own, &flow, &expected);
                    let said = vec![(end.port, direction, expected)];
                    prop_assert_eq!(of(&switch, &reach, &pieces, &flow), vec![said], "{}", flow);
                }
            }
        }
        Ok(())
    });
    met.promises(10_000, &["allowed", "blocked"]);
    covers_all_outside(&met);
}

/// As for pairs, but that no one outside is another container.
fn covers_all_outside(met: &Met) {
    met.covers(100, &["Host rule Block", "Network rule Block"]);
    met.covers(100, &["Tier rule Block", "Switch tie Block"]);
    met.covers(100, &KINDS_OF_RULES);
    met.covers(1_000, &["Switch rule Block", "IPv6", "ICMPv6"]);
}

#[test]
fn the_pieces_of_a_pair_are_decided_by_what_the_reading_names() {
    let met = try_each(10_000, &cases(), |(host, is_new, who, seed), met| {
        let switch = compile(&host);
        let mut reach = reach_of(&switch, is_new);
        let dice = &mut Dice(seed);
        let source = asked(&reach, who);
        let ends = reach.ends().to_vec();
        let from = ends[source];
        for (destination, to) in ends.iter().enumerate() {
            let pieces = reach.pieces(source, destination);
            let mut flows: Vec<Flow> = (0..8)
                .map(|_| hosts::between(&WORDS, dice, from.address, to.address))
                .collect();
            if !pieces.is_empty() {
                let piece = &pieces[dice.below(pieces.len())];
                let of_piece = corners(&reach, piece.packets, dice, from.address, to.address);
                flows.extend(of_piece);
            }
            for flow in flows {
                let mut expected = Vec::new();
                if source != destination {
                    let crossed = [(from.port, Direction::Out), (to.port, Direction::In)];
                    for (port, direction) in crossed {
                        let answer = host.answer(port.0 as usize, direction, &flow);
                        met.decided(&host, port.0 as usize, &flow, &answer);
                        let goes_on = answer.allowed;
                        expected.push((port, direction, answer));
                        if !goes_on {
                            break;
                        }
                    }
                    met.add("pieces");
                }
                prop_assert_eq!(
                    of(&switch, &reach, &pieces, &flow),
                    vec![expected],
                    "{}",
                    flow
                );
            }
        }
        Ok(())
    });
    met.promises(10_000, &["pieces"]);
    covers_all(&met);
}

/// What ports say in the pieces that a flow is in.
fn of(
    switch: &Switch,
    reach: &Reach,
    pieces: &[Piece],
    flow: &Flow,
) -> Vec<Vec<(PortIndex, Direction, Answer)>> {
    let holding = pieces
        .iter()
        .filter(|piece| reach.space().contains(piece.packets, flow));
    let told = |piece: &Piece| {
        let all = piece.said.iter().map(|one| {
            let answer = said(switch, one.port, one.direction, flow, one.ruling);
            (one.port, one.direction, answer)
        });
        all.collect()
    };
    holding.map(told).collect()
}

/// A switch of an L2Bridge network, whose endpoints have these policies.
fn switch_of(policies: &[Value]) -> Switch {
    let network = (Vec::new(), Vec::new(), false);
    let plain = |number: usize| -> (Policies, &'static [&'static str]) {
        (network.clone(), &ADDRESSES[number][..1])
    };
    let mut host = hosts::host_of(
        crate::reading::TextNetwork {
            network_type: "L2Bridge",
            sets: Vec::new(),
            rules: Vec::new(),
        },
        (0..policies.len()).map(plain),
        hcn_engine::Semantics::default(),
    );
    for (endpoint, policies) in host.endpoints.iter_mut().zip(policies) {
        endpoint.other_policies = policies.as_array().unwrap().clone();
    }
    let switch = compile(&host);
    assert_eq!(switch.networks[0].id, network_id(0));
    assert_eq!(switch.ports[0].endpoint, endpoint_id(0));
    switch
}

#[test]
fn beyond_is_what_no_port_has() {
    // Of 10.0.0.0/30 the addresses .1 to .3 are taken.
    let switch = switch_of(&[json!([]), json!([]), json!([])]);
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
    let switch = switch_of(&[
        json!([allow("Out", "80-90")]),
        json!([allow("In", "85-443")]),
        json!([]),
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
