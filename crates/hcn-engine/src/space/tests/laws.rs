// SPDX-License-Identifier: MIT OR Apache-2.0
//! The laws of sets on random sets, and each operation against membership of single packets.
//!
//! Apart from the cases that were thought of: sets here are made of random rules, whose conditions say by themselves which packets meet them.

use proptest::{collection::vec, prelude::*, sample::select};

use super::super::*;
use crate::classifier::{Packet, ProtocolSet};

/// Values at which rules begin and end, and those beside them.
const ADDRESSES: [u32; 8] = [
    0,
    1,
    0x0a00_0000,
    0x0a00_0001,
    0x0a00_00ff,
    0x0a00_0100,
    u32::MAX - 1,
    u32::MAX,
];
const PORTS: [u16; 7] = [0, 1, 79, 80, 443, 65_534, 65_535];
const PROTOCOLS: [u8; 5] = [0, 1, 6, 17, 255];

fn extent<V: Scalar>(values: &'static [V]) -> impl Strategy<Value = Extent<V>> {
    let span =
        (select(values), select(values)).prop_map(|(one, other)| (one.min(other), one.max(other)));
    prop_oneof![2 => Just(Extent::Any), 3 => vec(span, 0..3).prop_map(Extent::of)]
}

fn conditions() -> impl Strategy<Value = Conditions<u32>> {
    let protocols = prop_oneof![
        1 => Just(ProtocolSet::ALL),
        3 => vec(select(&PROTOCOLS[..]), 0..3).prop_map(|numbers| {
            let mut set = ProtocolSet::NONE;
            numbers.into_iter().for_each(|number| set.insert(number));
            set
        }),
    ];
    (
        protocols,
        extent(&ADDRESSES),
        extent(&ADDRESSES),
        extent(&PORTS),
        extent(&PORTS),
    )
        .prop_map(|(protocols, local, remote, local_ports, remote_ports)| {
            let names_ports = [&local_ports, &remote_ports]
                .into_iter()
                .any(|ports| *ports != Extent::Any);
            Conditions {
                // As rules are read: one that names ports is about protocols that have them.
                protocols: match names_ports {
                    true => protocols.filter(|number| Protocol(number).has_ports()),
                    false => protocols,
                },
                local,
                remote,
                local_ports,
                remote_ports,
            }
        })
}

/// A set: rules that are put in and taken out, one after the other.
type Recipe = Vec<(bool, bool, Conditions<u32>)>;

fn recipe() -> impl Strategy<Value = Recipe> {
    vec((any::<bool>(), any::<bool>(), conditions()), 0..4)
}

fn direction(inward: bool) -> Direction {
    match inward {
        true => Direction::In,
        false => Direction::Out,
    }
}

fn made(space: &mut Space, recipe: &Recipe) -> Region {
    let mut set = Region::EMPTY;
    for (is_in, inward, conditions) in recipe {
        let rule = space.of(conditions, direction(*inward));
        set = match is_in {
            true => space.or(set, rule),
            false => space.minus(set, rule),
        };
    }
    set
}

/// Whether a packet is in a set, by its recipe alone.
fn holds(recipe: &Recipe, flow: &Flow) -> bool {
    let mut is_in = false;
    for (adds, inward, conditions) in recipe {
        let packet = Packet::<u32>::of(flow, direction(*inward)).unwrap();
        if conditions.matches(&packet) {
            is_in = *adds;
        }
    }
    is_in
}

fn flow() -> impl Strategy<Value = Flow> {
    let address = || select(&ADDRESSES[..]).prop_map(|number| IpAddr::from(number.to_be_bytes()));
    (
        address(),
        address(),
        select(&PROTOCOLS[..]),
        select(&PORTS[..]),
        select(&PORTS[..]),
    )
        .prop_map(
            |(source, destination, protocol, source_port, destination_port)| {
                let protocol = Protocol(protocol);
                // A packet of a protocol without ports has none.
                let port = |port| if protocol.has_ports() { port } else { 0 };
                Flow {
                    source,
                    destination,
                    protocol,
                    source_port: port(source_port),
                    destination_port: port(destination_port),
                }
            },
        )
}

fn value(flow: &Flow, axis: Axis) -> u128 {
    match axis {
        Axis::Source => number_of(flow.source),
        Axis::Destination => number_of(flow.destination),
        Axis::Protocol => flow.protocol.0.into(),
        Axis::DestinationPort => flow.destination_port.into(),
        Axis::SourcePort => flow.source_port.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_say_of_a_packet_what_its_rules_say(one in recipe(), other in recipe(), flows in vec(flow(), 1..8)) {
        let mut space = Space::new(Family::V4);
        let (a, b) = (made(&mut space, &one), made(&mut space, &other));
        let (both, either, rest) = (space.and(a, b), space.or(a, b), space.minus(a, b));
        let mut elsewhere = Space::new(Family::V4);
        let carried = elsewhere.import(&space, a);
        for flow in &flows {
            let (in_one, in_other) = (holds(&one, flow), holds(&other, flow));
            prop_assert_eq!(space.contains(a, flow), in_one, "{}", flow);
            prop_assert_eq!(space.contains(both, flow), in_one && in_other, "{}", flow);
            prop_assert_eq!(space.contains(either, flow), in_one || in_other, "{}", flow);
            prop_assert_eq!(space.contains(rest, flow), in_one && !in_other, "{}", flow);
            prop_assert_eq!(elsewhere.contains(carried, flow), in_one, "{}", flow);
            for axis in [Axis::Source, Axis::Destination, Axis::Protocol, Axis::DestinationPort, Axis::SourcePort] {
                let fixed = space.fix(a, axis, value(flow, axis));
                let is_asked_of_all = flow.protocol.has_ports() || !matches!(axis, Axis::DestinationPort | Axis::SourcePort);
                if is_asked_of_all {
                    prop_assert_eq!(space.contains(fixed, flow), in_one, "{} at {:?}", flow, axis);
                }
            }
        }
        for flow in space.cells(rest).iter().filter_map(Cell::first).take(8) {
            prop_assert!(holds(&one, &flow) && !holds(&other, &flow), "{}", flow);
        }
    }

    #[test]
    fn equal_sets_are_one_however_they_are_put_together(one in recipe(), other in recipe(), third in recipe()) {
        let mut space = Space::new(Family::V4);
        let (a, b, c) = (made(&mut space, &one), made(&mut space, &other), made(&mut space, &third));
        let not = |space: &mut Space, set| space.minus(Region::FULL, set);
        let (not_a, not_b) = (not(&mut space, a), not(&mut space, b));
        prop_assert_eq!(not(&mut space, not_a), a);
        // De Morgan.
        let both = space.and(a, b);
        let neither = space.or(not_a, not_b);
        prop_assert_eq!(not(&mut space, both), neither);
        // What is taken away is what is not in the other one.
        prop_assert_eq!(space.minus(a, b), space.and(a, not_b));
        // Commutative, associative, distributive, absorbing.
        prop_assert_eq!(both, space.and(b, a));
        let (b_and_c, b_or_c) = (space.and(b, c), space.or(b, c));
        prop_assert_eq!(space.and(both, c), space.and(a, b_and_c));
        let (a_and_c, left) = (space.and(a, c), space.and(a, b_or_c));
        prop_assert_eq!(left, space.or(both, a_and_c));
        prop_assert_eq!(space.or(a, both), a);
        // Nothing and everything.
        prop_assert_eq!(space.and(a, not_a), Region::EMPTY);
        prop_assert_eq!(space.or(a, not_a), Region::FULL);
        // In two parts and put together again.
        let rest = space.minus(a, b);
        prop_assert_eq!(space.or(rest, both), a);
        // Through another space and back.
        let mut elsewhere = Space::new(Family::V4);
        let carried = elsewhere.import(&space, a);
        prop_assert_eq!(space.import(&elsewhere, carried), a);
    }

    #[test]
    fn a_diagram_is_split_into_what_it_says(rules in recipe(), among in recipe()) {
        let mut space = Space::new(Family::V4);
        let among = made(&mut space, &among);
        let mut diagram = Region::SILENT;
        for (number, (_, inward, conditions)) in (0..).zip(&rules) {
            // The last rule is the strongest, and some say the same.
            let own = space.where_met(conditions, direction(*inward), Region::end(number % 3), Region::SILENT);
            diagram = space.over(own, diagram);
        }
        let within = space.within(diagram, among);
        let parts = space.split(within);
        prop_assert_eq!(parts.iter().map(|(end, _)| *end).collect::<Vec<Region>>(), space.ends(within));
        let mut all = Region::EMPTY;
        for (end, packets) in parts {
            all = space.or(all, packets);
            // One by one, as a walk for each says it.
            let said = space.relabel(diagram, &|other| if other == end { Region::FULL } else { Region::EMPTY });
            let expected = match end {
                Region::OTHERS => space.minus(Region::FULL, among),
                _ => space.and(said, among),
            };
            prop_assert_eq!(packets, expected, "{:?}", end);
        }
        prop_assert_eq!(all, Region::FULL);
    }

    #[test]
    fn cells_are_the_set_and_do_not_overlap(one in recipe(), flows in vec(flow(), 1..8)) {
        let mut space = Space::new(Family::V4);
        let set = made(&mut space, &one);
        let cells = space.cells(set);
        prop_assert_eq!(cells.is_empty(), set == Region::EMPTY);
        for flow in &flows {
            let within = |spans: &[(IpAddr, IpAddr)], address: IpAddr| spans.iter().any(|(first, last)| *first <= address && address <= *last);
            let port_in = |spans: &[PortSpan], port: u16| spans.iter().any(|(first, last)| (*first..=*last).contains(&port));
            let holding = cells.iter().filter(|cell| {
                within(&cell.sources, flow.source)
                    && within(&cell.destinations, flow.destination)
                    && cell.protocols.iter().any(|(first, last)| (*first..=*last).contains(&flow.protocol.0))
                    && port_in(&cell.destination_ports, flow.destination_port)
                    && port_in(&cell.source_ports, flow.source_port)
            });
            prop_assert_eq!(holding.count(), usize::from(holds(&one, flow)), "{}", flow);
        }
        let example = space.example(set);
        prop_assert_eq!(example.is_some(), set != Region::EMPTY);
        prop_assert!(example.is_none_or(|flow| holds(&one, &flow)));
    }
}
