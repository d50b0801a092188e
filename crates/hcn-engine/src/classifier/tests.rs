// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classifier against trying every rule, on random rules of every size that has a representation of its own.

use std::cell::Cell;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index as Pick, select},
    test_runner::TestRunner,
};

use super::*;

/// Numbers in few places, so that intervals meet, with both ends of the field.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        0..20u32,
        (0..4u32, 0..3u32, 0..4u32)
            .prop_map(|(second, third, last)| { 0x0a00_0000 | second << 16 | third << 8 | last }),
        Just(0x0a00_00ff),
        Just(u32::MAX),
        any::<u32>(),
    ]
}

fn address_extent() -> impl Strategy<Value = Extent<u32>> {
    let interval = (number(), prop_oneof![Just(0u32), Just(255), 0..70_000u32])
        .prop_map(|(first, more)| (first, first.saturating_add(more)));
    prop_oneof![
        2 => Just(Extent::Any),
        5 => vec(interval, 1..4).prop_map(Extent::of),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0..6u16, 250..260u16, Just(65_535), any::<u16>()]
}

fn port_extent() -> impl Strategy<Value = Extent<u16>> {
    let interval = (port(), prop_oneof![Just(0u16), 0..300u16])
        .prop_map(|(first, more)| (first, first.saturating_add(more)));
    prop_oneof![
        3 => Just(Extent::Any),
        3 => vec(interval, 1..4).prop_map(Extent::of),
    ]
}

prop_compose! {
    pub(super) fn conditions()(
        protocols in select(vec![&[][..], &[6], &[17], &[6, 17], &[1], &[0, 255, 58]]),
        local in address_extent(),
        remote in address_extent(),
        local_ports in port_extent(),
        remote_ports in port_extent(),
    ) -> Conditions<u32> {
        let mut set = ProtocolSet::NONE;
        protocols.iter().for_each(|protocol| set.insert(*protocol));
        if protocols.is_empty() {
            set = ProtocolSet::ALL;
        }
        // What `Rule::conditions` promises: a port is asked of protocols that have ports.
        if local_ports != Extent::Any || remote_ports != Extent::Any {
            set = set.filter(|protocol| [6, 17, 132].contains(&protocol));
        }
        Conditions { protocols: set, local, remote, local_ports, remote_ports }
    }
}

pub(super) fn packet() -> impl Strategy<Value = Packet<u32>> {
    let protocol = select(vec![0u8, 1, 6, 6, 6, 17, 17, 58, 132, 255]);
    (protocol, number(), number(), port(), port()).prop_map(
        |(protocol, local, remote, local_port, remote_port)| Packet {
            protocol,
            local,
            remote,
            ports: [6, 17, 132]
                .contains(&protocol)
                .then_some((local_port, remote_port)),
        },
    )
}

/// A packet that meets a rule, at an end of one of its intervals or just beside it.
pub(super) fn aimed(
    rule: &Conditions<u32>,
    by: &Packet<u32>,
    end: bool,
    beside: u32,
) -> Packet<u32> {
    // Which of the intervals hangs on the packet's own address, which is random.
    let which = by.local as usize;
    let pick = |extent: &Extent<u16>, otherwise| pick(extent, otherwise, which, end);
    let pick_address = |extent: &Extent<u32>, otherwise| self::pick(extent, otherwise, which, end);
    let protocol = (0..=255)
        .find(|protocol| rule.protocols.contains(*protocol) && (*protocol == 6) == end)
        .unwrap_or(by.protocol);
    let ports = [6, 17, 132].contains(&protocol).then(|| {
        let (local, remote) = by.ports.unwrap_or((80, 50_000));
        (
            pick(&rule.local_ports, local),
            pick(&rule.remote_ports, remote),
        )
    });
    Packet {
        protocol,
        local: pick_address(&rule.local, by.local),
        remote: pick_address(&rule.remote, by.remote).wrapping_add(beside),
        ports,
    }
}

/// An end of one of the intervals.
fn pick<V: Scalar>(extent: &Extent<V>, otherwise: V, which: usize, end: bool) -> V {
    match extent {
        Extent::Of(intervals) if !intervals.is_empty() => {
            let (first, last) = intervals[which % intervals.len()];
            if end { last } else { first }
        }
        _ => otherwise,
    }
}

/// Whether a packet meets a rule, in words of its own: each part is among what the rule lists, or the rule lists nothing.
fn meets(rule: &Conditions<u32>, packet: &Packet<u32>) -> bool {
    fn lists<V: Scalar>(extent: &Extent<V>, value: Option<V>) -> bool {
        match extent {
            Extent::Any => true,
            Extent::Of(intervals) => value.is_some_and(|value| {
                let mut all = intervals.iter();
                all.any(|(first, last)| *first <= value && value <= *last)
            }),
        }
    }
    lists(&rule.local, Some(packet.local))
        && lists(&rule.remote, Some(packet.remote))
        && lists(&rule.local_ports, packet.ports.map(|(local, _)| local))
        && lists(&rule.remote_ports, packet.ports.map(|(_, remote)| remote))
        && rule.protocols.contains(packet.protocol)
}

pub(super) fn by_scan(rules: &[Conditions<u32>], packet: &Packet<u32>) -> Option<u32> {
    let place = rules.iter().position(|rule| meets(rule, packet));
    place.map(|place| place as u32)
}

/// Packets that met a rule, and those that met none.
#[derive(Debug, Default)]
struct Found {
    some: Cell<u32>,
    none: Cell<u32>,
}

impl Found {
    fn note(&self, place: Option<u32>) {
        let count = if place.is_some() {
            &self.some
        } else {
            &self.none
        };
        count.set(count.get() + 1);
    }

    /// Whatever the seed, so many of each; fewer where `PROPTEST_CASES` makes fewer.
    fn has(&self, least: u32) {
        let is_whole = std::env::var_os("PROPTEST_CASES").is_none();
        let fewest = self.some.get().min(self.none.get());
        assert!(fewest >= least || !is_whole, "{self:?}");
    }
}

/// So many cases, or as many of ten thousand as `PROPTEST_CASES` says.
fn runner(cases: u32) -> TestRunner {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    config.cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => (u64::from(config.cases) * u64::from(cases) / 10_000).max(1) as u32,
        None => cases,
    };
    TestRunner::new(config)
}

/// A packet, which rule to aim at besides, at which end, and how far beside.
type Try = (Packet<u32>, Pick, bool, u32);

fn tries() -> impl Strategy<Value = Try> {
    (
        packet(),
        any::<Pick>(),
        any::<bool>(),
        select(vec![0, 1, u32::MAX]),
    )
}

/// A rule with its remote addresses moved, so that of many rounds of the same rules deep ones match what no earlier one does.
pub(super) fn moved(rule: &Conditions<u32>, round: u32) -> Conditions<u32> {
    let by = round << 20;
    let remote = match &rule.remote {
        Extent::Any => Extent::of(vec![(by, by + 70_000)]),
        Extent::Of(intervals) => Extent::of(
            intervals
                .iter()
                .map(|(first, last)| (first.wrapping_add(by), last.wrapping_add(by)))
                .collect(),
        ),
    };
    Conditions {
        remote,
        ..rule.clone()
    }
}

/// An address of the other family, in the same order.
fn wide(address: u32) -> u128 {
    0xfd00 << 112 | u128::from(address) << 50
}

/// The same addresses in the other family.
pub(super) fn widened(extent: &Extent<u32>) -> Extent<u128> {
    match extent {
        Extent::Any => Extent::Any,
        Extent::Of(intervals) => {
            let ends = intervals
                .iter()
                .map(|(first, last)| (wide(*first), wide(*last)));
            Extent::of(ends.collect())
        }
    }
}

/// The same packet in the other family.
pub(super) fn widened_packet(packet: &Packet<u32>) -> Packet<u128> {
    Packet {
        protocol: packet.protocol,
        local: wide(packet.local),
        remote: wide(packet.remote),
        ports: packet.ports,
    }
}

#[test]
fn few_rules_are_found_as_by_trying_each() {
    let found = Found::default();
    let cases = (vec(conditions(), 0..80), vec(tries(), 1..12));
    let law = |(rules, tries): (Vec<Conditions<u32>>, Vec<Try>)| {
        let classifier = Classifier::compile(rules.clone());
        let as_v6 = |rule: &Conditions<u32>| Conditions {
            protocols: rule.protocols,
            local: widened(&rule.local),
            remote: widened(&rule.remote),
            local_ports: rule.local_ports.clone(),
            remote_ports: rule.remote_ports.clone(),
        };
        let classifier_v6 = Classifier::compile(rules.iter().map(as_v6).collect());
        for (packet, pick, end, beside) in tries {
            let mut tried = vec![packet];
            if !rules.is_empty() {
                tried.push(aimed(pick.get(&rules), &packet, end, beside));
            }
            for packet in tried {
                let scanned = by_scan(&rules, &packet);
                found.note(scanned);
                let wide = widened_packet(&packet);
                prop_assert_eq!(classifier.first(&packet), scanned, "{:?}", packet);
                prop_assert_eq!(classifier_v6.first(&wide), scanned, "{:?}", packet);
            }
        }
        Ok(())
    };
    runner(10_000).run(&cases, law).unwrap();
    found.has(10_000);
}

#[test]
fn many_rules_are_found_as_by_trying_each() {
    let found = Found::default();
    // Sizes around one chunk of bits (512), one piece (8192) and two.
    let size = select(vec![65, 511, 512, 513, 1_500, 8_192, 8_193, 9_000]);
    let cases = (vec(conditions(), 700), size, vec(tries(), 200));
    let law = |(some, size, tries): (Vec<Conditions<u32>>, usize, Vec<Try>)| {
        let rules: Vec<Conditions<u32>> = (0..size)
            .map(|place| moved(&some[place % some.len()], (place / some.len()) as u32))
            .collect();
        let classifier = Classifier::compile(rules.clone());
        for (packet, pick, end, beside) in tries {
            let rule: &Conditions<u32> = pick.get(&rules);
            for packet in [packet, aimed(rule, &packet, end, beside)] {
                let scanned = by_scan(&rules, &packet);
                found.note(scanned);
                prop_assert_eq!(classifier.first(&packet), scanned, "{:?}", packet);
            }
        }
        Ok(())
    };
    runner(50).run(&cases, law).unwrap();
    found.has(500);
}

#[test]
fn rules_without_any_condition_need_no_look_at_the_packet() {
    let rules = vec![Conditions::<u128>::none(); 10];
    let packet = Packet {
        protocol: 6,
        local: 1,
        remote: 2,
        ports: Some((80, 50_000)),
    };
    assert_eq!(Classifier::compile(rules).first(&packet), Some(0));
    assert_eq!(Classifier::<u128>::compile(Vec::new()).first(&packet), None);
}

#[test]
fn the_index_grows_with_the_rules_and_not_with_their_square() {
    // One address and one port each, all different: the worst case for rows of bits, where every class of both axes has a row of its own. Rows that are
    // not shared would take 2 axes x 2n classes x n/8 bytes: 200 MB for 20,000 rules.
    let bytes = |count: u32| {
        let rule = |number: u32| Conditions {
            protocols: ProtocolSet::ALL.filter(|protocol| protocol == 6),
            remote: Extent::of(vec![(number * 7, number * 7)]),
            local_ports: Extent::of(vec![((number * 3) as u16, (number * 3) as u16)]),
            ..Conditions::none()
        };
        Classifier::compile((0..count).map(rule).collect()).index_bytes()
    };
    let (some, many) = (bytes(2_000), bytes(20_000));
    assert!(many < 20_000_000, "{many} bytes for 20,000 rules");
    assert!(
        many < some * 25,
        "{some} bytes for 2,000 rules and {many} for ten times as many"
    );
}
