// SPDX-License-Identifier: MIT OR Apache-2.0
//! One port against the second reading: packets, sets of packets, and what becomes of rules.

use hcn_engine::{
    Direction, Family, Flow, Layer, PortIndex, Switch,
    space::{Region, Space},
    standing::Standing,
    verdict::Reason,
};
use proptest::{collection::vec, prelude::*};

use crate::{
    hosts::{self, ALLOW_AND_BLOCK, KINDS_OF_RULES, QUESTIONS, Words, compile, documents, said},
    law::{Dice, Met, try_each},
    reading::{TextEndpoint, TextHost, TextRule},
};

const PORTS: &[&str] = &[
    "0",
    "1",
    "79",
    "80",
    "81",
    "443",
    "65535",
    "80-81",
    "1 - 79",
    "1024-65535",
];

const WORDS: Words = Words {
    places: &[
        "10.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.255",
        "10.0.1.0",
        "10.1.0.0",
        "255.255.255.255",
        "fd00::",
        "fd00::1",
        "fd00::2",
        "fd00:0:0:1::",
        "10.0.0.0/31",
        "10.0.0.2/31",
        "10.0.0.0/30",
        "10.0.0.0/24",
        "10.0.0.77/24",
        "10.0.0.0/16",
        "0.0.0.0/0",
        "128.0.0.0/1",
        "fd00::/127",
        "fd00::/64",
        "fd00::5/126",
        "::/0",
        "fd00::2/128",
    ],
    services: PORTS,
    clients: PORTS,
    priorities: &[0, 1, 2, 3, 65_500],
    chance: 0.6,
    chance_of_clients: 0.3,
};

/// One endpoint with such rules.
fn scene(rules: impl Strategy<Value = Vec<TextRule>>) -> impl Strategy<Value = TextHost> {
    let tiers = prop_oneof![2 => Just(Vec::new()), 1 => vec(hosts::tier(&WORDS), 1..5)];
    (
        hosts::network(&WORDS, &["L2Bridge", "NAT", "Transparent"]),
        rules,
        tiers,
        hosts::semantics(),
    )
        .prop_map(|(network, rules, tiers, semantics)| TextHost {
            networks: vec![network],
            endpoints: vec![TextEndpoint {
                network: 0,
                addresses: Vec::new(),
                other_policies: Vec::new(),
                rules,
                tiers,
                isolated: false,
            }],
            semantics,
        })
}

fn few_rules() -> impl Strategy<Value = Vec<TextRule>> {
    vec(hosts::rule(&WORDS, ALLOW_AND_BLOCK), 0..14)
}

const PORT: PortIndex = PortIndex(0);

/// Compares engine and reading for one packet.
fn compare(
    switch: &Switch,
    scene: &TextHost,
    direction: Direction,
    flow: &Flow,
    met: &mut Met,
) -> Result<(), TestCaseError> {
    let expected = scene.answer(0, direction, flow);
    let ruling = switch.rule(PORT, direction, flow);
    let found = said(switch, PORT, direction, flow, ruling);
    prop_assert_eq!(&found, &expected, "{} {}", direction, flow);
    met.add("packets");
    met.decided(scene, 0, flow, &expected);
    Ok(())
}

/// Layers and what decides in them.
fn ways_to_decide(decision: &str) -> Vec<String> {
    let layers = [Layer::Host, Layer::Network, Layer::Tier, Layer::Switch];
    let whats = ["rule", "tie", "default"];
    let all = layers
        .iter()
        .flat_map(|layer| whats.map(|what| format!("{layer} {what} {decision}")));
    all.collect()
}

#[test]
fn the_engine_decides_as_a_second_reading_of_the_rules_does() {
    let cases = (scene(few_rules()), vec(any::<u64>(), 1..24));
    let met = try_each(10_000, &cases, |(scene, seeds), met| {
        // Compiled after the same scene without one of its rules, with which it shares what that rule does not change.
        let mut without = scene.clone();
        let rules = &mut without.endpoints[0].rules;
        if !rules.is_empty() {
            rules.remove(rules.len() / 2);
        }
        let before = compile(&without);
        let (switch, _) = before.compile_next(&documents(&scene), &scene.semantics);
        for (number, seed) in seeds.into_iter().enumerate() {
            let (direction, flow) = hosts::aimed(&WORDS, &scene, 0, &mut Dice(seed));
            compare(&switch, &scene, direction, &flow, met)?;
            if number < 4 {
                met.hangs_on(&scene, 0, direction, &flow);
            }
        }
        Ok(())
    });
    met.promises(100_000, &["packets"]);
    for way in ways_to_decide("Block") {
        met.covers(50, &[&way]);
    }
    met.covers(
        50,
        &[
            "Host rule Allow",
            "Network rule Allow",
            "Tier rule Allow",
            "Switch tie Allow",
            "Switch default Allow",
        ],
    );
    met.covers(10_000, &["Switch rule Allow", "IPv6"]);
    met.covers(1_000, &["ICMPv6"]);
    met.covers(100, &KINDS_OF_RULES);
    met.covers(25, &QUESTIONS);
}

#[test]
fn the_engine_decides_large_rule_sets_as_a_second_reading_does() {
    let rules = vec(hosts::rule(&WORDS, ALLOW_AND_BLOCK), 1_000..1_400);
    let scenes = (scene(rules), vec(any::<u64>(), 60)).prop_map(|(mut scene, seeds)| {
        // Rules spread over many priorities and addresses, so that also deep ones decide.
        for (place, rule) in scene.endpoints[0].rules.iter_mut().enumerate() {
            rule.priority = Some((place as u16).wrapping_mul(47) % 1_000);
            let own = format!("10.{}.{}.0/26", place % 11, place % 97);
            match place % 3 {
                0 => rule.remote_addresses = Some(own),
                1 => {
                    rule.local_ports = Some(format!("{}-{}", place * 40, place * 40 + 60));
                }
                _ => rule.local_addresses = Some(format!("{own},fd00::{place:x}")),
            }
            rule.rule_type = None;
        }
        scene.networks[0].rules.clear();
        scene.endpoints[0].tiers.clear();
        (scene, seeds)
    });
    let met = try_each(170, &scenes, |(scene, seeds), met| {
        let switch = compile(&scene);
        seeds.into_iter().try_for_each(|seed| {
            let (direction, flow) = hosts::aimed(&WORDS, &scene, 0, &mut Dice(seed));
            compare(&switch, &scene, direction, &flow, met)
        })
    });
    met.promises(10_000, &["packets"]);
    met.covers(500, &["Switch rule Allow", "Switch rule Block"]);
    met.covers(100, &["Switch default Block"]);
}

/// The set of what passes against the second reading, packet by packet: those that rules aim at, and those at the corners of the set and of what is
/// not in it, and just beside.
#[test]
fn the_set_of_packets_that_pass_is_the_one_that_the_reading_lets_pass() {
    let rules = vec(hosts::rule(&WORDS, ALLOW_AND_BLOCK), 0..10);
    let cases = (scene(rules), vec(any::<u64>(), 1..16));
    let met = try_each(10_000, &cases, |(scene, seeds), met| {
        let switch = compile(&scene);
        let mut spaces = [Family::V4, Family::V6].map(Space::new);
        let passing = [Direction::In, Direction::Out].map(|direction| {
            spaces
                .each_mut()
                .map(|space| switch.passes(space, PORT, direction))
        });
        let standings = spaces.each_mut().map(|space| switch.standings(space, PORT));
        for seed in &seeds {
            let (direction, flow) = hosts::aimed(&WORDS, &scene, 0, &mut Dice(*seed));
            let family = usize::from(flow.source.is_ipv6());
            let region = passing[usize::from(direction == Direction::Out)][family];
            let found = spaces[family].contains(region, &flow);
            let expected = scene.answer(0, direction, &flow);
            prop_assert_eq!(found, expected.allowed, "{} {}", direction, flow);
            met.add(if found { "passes" } else { "blocked" });
            met.decided(&scene, 0, &flow, &expected);
            let ruling = switch.rule(PORT, direction, &flow);
            if let Reason::Rule(_) = ruling.reason {
                met.add("decided by a rule");
                let cause = switch.cause(PORT, direction, &flow, ruling);
                let pointer = &cause.rule.as_ref().unwrap().pointer;
                let standings = &standings[family];
                let is_it = |standing: &Standing| {
                    standing.layer == ruling.layer && standing.pointer == *pointer
                };
                let decider = standings.iter().position(is_it).unwrap();
                // A rule that decides a packet is none that never decides.
                prop_assert!(standings[decider].decides);
                // What one rule lets pass, in spite of all others, hangs on it.
                prop_assert!(!found || standings[decider].weighs);
                prop_assert!(spaces[family].contains(standings[decider].matches, &flow));
                let tied = |standing: &&Standing| standing.deciders.contains(&decider);
                let ties: Vec<&Standing> = standings.iter().filter(tied).collect();
                let space = &mut spaces[family];
                let is_tie = ties.into_iter().any(|standing| {
                    let packets = standing.decided_by(space, decider);
                    standing.priority == standings[decider].priority
                        && standing.action != standings[decider].action
                        && space.contains(packets, &flow)
                });
                prop_assert_eq!(is_tie, cause.tie, "{} {}", direction, flow);
            }
        }
        let dice = &mut Dice(seeds[0]);
        for (direction, regions) in [Direction::In, Direction::Out].into_iter().zip(passing) {
            for (space, passes) in spaces.iter_mut().zip(regions) {
                let blocked = space.minus(Region::FULL, passes);
                for (region, is_in) in [(passes, true), (blocked, false)] {
                    let cells = space.cells(region);
                    for _ in 0..cells.len().min(8) {
                        let [flow, beside] = hosts::corner(&cells[dice.below(cells.len())], dice);
                        for flow in [flow, beside] {
                            let expected = scene.answer(0, direction, &flow).allowed;
                            let found = space.contains(passes, &flow);
                            prop_assert_eq!(found, expected, "{} {}", direction, flow);
                        }
                        prop_assert_eq!(space.contains(passes, &flow), is_in);
                        let crosses = space.contains(passes, &beside) != is_in;
                        met.add(if is_in { "corner" } else { "corner outside" });
                        met.add_if(crosses, "a step across the edge");
                    }
                }
            }
        }
        Ok(())
    });
    met.promises(10_000, &["passes", "blocked", "decided by a rule"]);
    met.promises(
        10_000,
        &["corner", "corner outside", "a step across the edge"],
    );
    met.covers(100, &KINDS_OF_RULES);
    met.covers(1_000, &["ICMPv6"]);
}

/// A rule that never decides can go, and a rule that decides something cannot without a packet meeting another rule.
#[test]
fn a_rule_that_never_decides_can_go() {
    let rules = vec(hosts::rule(&WORDS, ALLOW_AND_BLOCK), 3..14);
    let met = try_each(10_000, &scene(rules), |scene, met| {
        let switch = compile(&scene);
        let mut spaces = [Family::V4, Family::V6].map(Space::new);
        let idle = spaces.each_mut().map(|space| {
            let standings = switch.standings(space, PORT).into_iter();
            let idle = standings.filter(|standing| !standing.decides);
            let rules = idle.map(|standing| (standing.layer, standing.pointer));
            rules.collect::<Vec<_>>()
        });
        // Idle in both families, and one of the endpoint's own ACLs.
        let is_acl = |layer: &Layer| matches!(layer, Layer::Host | Layer::Switch);
        let both = idle[0]
            .iter()
            .filter(|rule| is_acl(&rule.0) && idle[1].contains(*rule));
        for (layer, pointer) in both {
            let gone = scene.rule_at(0, *layer, pointer).unwrap();
            let without = scene.without(0, *layer, pointer);
            // The last rule of its direction or type takes the default deny along: then the rule did something.
            let alike = |rule: &TextRule| {
                rule.direction == gone.direction && rule.rule_type == gone.rule_type
            };
            if !without.endpoints[0].rules.iter().any(alike) {
                continue;
            }
            let switch_without = compile(&without);
            for direction in [Direction::In, Direction::Out] {
                for space in &mut spaces {
                    let before = switch.passes(space, PORT, direction);
                    let after = switch_without.passes(space, PORT, direction);
                    prop_assert_eq!(before, after, "{:?}", gone);
                }
            }
            met.add("gone");
        }
        Ok(())
    });
    met.promises(10_000, &["gone"]);
}
