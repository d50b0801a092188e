// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine against a second reading of the rules, on random scenes and packets that aim at the rules' edges.

mod reading;

use std::{collections::BTreeMap, net::IpAddr};

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, Layer, PortIndex, Protocol, Semantics, Switch,
    semantics::{DefaultDeny, SeveralSets, Tie},
    space::{Cell, Region, Space},
    standing::Standing,
    verdict::Reason,
};
use hcn_schema::{Document, Endpoint, Network};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Map, Value, json};

use reading::{TextRule, TextScene, TextSet, TextTier};

const ADDRESSES: [&str; 12] = [
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
];
const PREFIXES: [&str; 11] = [
    "10.0.0.0/31",
    "10.0.0.2/31",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "10.0.0.0/16",
    "0.0.0.0/0",
    "128.0.0.0/1",
    "fd00::/127",
    "fd00::/64",
    "::/0",
    "fd00::2/128",
];
const PORTS: [&str; 10] = [
    "0",
    "1",
    "79",
    "80",
    "81",
    "443",
    "65535",
    "80-81",
    "1-79",
    "1024-65535",
];
const SETS: [&str; 5] = ["set-a", "set-b", "set-empty", "nested", "nested-empty"];

fn joined(items: &[&'static str], most: usize) -> impl Strategy<Value = Option<String>> + use<> {
    let items = items.to_vec();
    option::weighted(
        0.6,
        vec(select(items), 0..=most).prop_map(|items| items.join(",")),
    )
}

fn addresses() -> impl Strategy<Value = Option<String>> {
    let plain: Vec<&str> = ADDRESSES.iter().chain(&PREFIXES).copied().collect();
    let mixed: Vec<&str> = plain.iter().chain(&SETS).chain(&SETS).copied().collect();
    prop_oneof![3 => joined(&plain, 3), 2 => joined(&mixed, 2)]
}

fn rule(actions: &[&'static str]) -> impl Strategy<Value = TextRule> + use<> {
    (
        select(actions.to_vec()),
        prop_oneof![Just(Direction::In), Just(Direction::Out)],
        option::of(prop_oneof![3 => Just("Switch"), 1 => Just("Host")]),
        option::of(select(vec![0u16, 1, 2, 3, 65_500])),
        joined(&["6", "6", "17", "1", "58", "132", "256", "0", "255"], 2),
        addresses(),
        addresses(),
        joined(&PORTS, 2),
        joined(&PORTS, 1),
    )
        .prop_map(
            |(
                action,
                direction,
                rule_type,
                priority,
                protocols,
                local_addresses,
                remote_addresses,
                local_ports,
                remote_ports,
            )| TextRule {
                action,
                direction,
                rule_type,
                priority,
                protocols,
                local_addresses,
                remote_addresses,
                local_ports,
                remote_ports,
            },
        )
}

fn tier() -> impl Strategy<Value = TextTier> {
    let direction = prop_oneof![Just(Direction::In), Just(Direction::Out)];
    (
        direction,
        0..3u16,
        vec(rule(&["Allow", "Block", "Pass"]), 0..4),
    )
        .prop_map(|(direction, order, mut rules)| {
            rules.iter_mut().for_each(|rule| rule.direction = direction);
            TextTier {
                direction,
                order,
                rules,
            }
        })
}

fn sets() -> impl Strategy<Value = Vec<TextSet>> {
    let plain: Vec<&str> = ADDRESSES.iter().chain(&PREFIXES).copied().collect();
    let values = move || joined(&plain, 4).prop_map(Option::unwrap_or_default);
    let members = joined(&["set-a", "set-b", "set-empty"], 2).prop_map(Option::unwrap_or_default);
    (values(), values(), members).prop_map(|(a, b, members)| {
        let set = |id: &str, nested, values: String| TextSet {
            id: id.to_owned(),
            nested,
            values,
        };
        vec![
            set("nested", true, members),
            set("set-a", false, a),
            set("set-b", false, b),
            set("set-empty", false, String::new()),
            set("nested-empty", true, String::new()),
        ]
    })
}

prop_compose! {
    /// Half of the time as Windows is taken to be, half of the time in any other way.
    fn semantics()(
        usual in any::<bool>(),
        default_deny in select(vec![DefaultDeny::BothDirections, DefaultDeny::RuledDirections, DefaultDeny::Never]),
        tie in select(vec![Tie::BlockWins, Tie::FirstWins]),
        host_rule_flips_switch in any::<bool>(),
        drop_other_protocols_in in any::<bool>(),
        tier_default_deny in any::<bool>(),
        acl_on_nat in any::<bool>(),
        several_sets in select(vec![SeveralSets::Intersection, SeveralSets::Union]),
    ) -> Semantics {
        if usual {
            return Semantics::default();
        }
        Semantics {
            default_deny, tie, host_rule_flips_switch, drop_other_protocols_in, tier_default_deny, acl_on_nat, several_sets,
            ..Semantics::default()
        }
    }
}

fn scene(rules: impl Strategy<Value = Vec<TextRule>>) -> impl Strategy<Value = TextScene> {
    (
        select(vec!["L2Bridge", "NAT", "Transparent"]),
        sets(),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(rule(&["Allow", "Block"]), 1..4)],
        rules,
        prop_oneof![2 => Just(Vec::new()), 1 => vec(tier(), 1..5)],
        semantics(),
    )
        .prop_map(
            |(network_type, sets, network_rules, rules, tiers, semantics)| TextScene {
                network_type,
                sets,
                network_rules,
                rules,
                tiers,
                semantics,
            },
        )
}

/// Which rule a packet aims at, and how far beside it each part lands.
#[derive(Clone, Debug)]
struct Aim {
    rule: prop::sample::Index,
    picks: [prop::sample::Index; 5],
    beside: [i8; 4],
    direction: bool,
    v4: bool,
}

fn aim() -> impl Strategy<Value = Aim> {
    let beside = prop_oneof![4 => Just(0i8), 1 => -1..=1i8];
    (
        any::<prop::sample::Index>(),
        prop::array::uniform5(any::<prop::sample::Index>()),
        prop::array::uniform4(beside),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(rule, picks, beside, direction, v4)| Aim {
            rule,
            picks,
            beside,
            direction,
            v4,
        })
}

impl Aim {
    fn packet(&self, scene: &TextScene) -> (Direction, Flow) {
        let rules: Vec<&TextRule> = scene
            .rules
            .iter()
            .chain(&scene.network_rules)
            .chain(scene.tiers.iter().flat_map(|tier| &tier.rules))
            .collect();
        let target = (!rules.is_empty()).then(|| *self.rule.get(&rules));
        let direction = match target {
            Some(rule) => rule.direction,
            None if self.direction => Direction::In,
            None => Direction::Out,
        };
        let items = |field: Option<&Option<String>>| -> Vec<String> {
            let text = field.and_then(|field| field.clone()).unwrap_or_default();
            text.split(',')
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let protocol = match items(target.map(|rule| &rule.protocols)) {
            listed if listed.is_empty() => *self.picks[0].get(&[6, 17, 1, 58, 2, 50, 132]),
            listed => self.picks[0].get(&listed).parse().unwrap_or(0),
        };
        let port = |pick: usize, field: Option<&Option<String>>| {
            let listed = items(field);
            let text = match listed.is_empty() {
                true => self.picks[pick].get(&PORTS).to_string(),
                false => self.picks[pick].get(&listed).clone(),
            };
            let ends: Vec<u16> = text.split('-').map(|end| end.parse().unwrap()).collect();
            let end = ends[usize::from(self.direction) % ends.len()];
            end.wrapping_add_signed(self.beside[pick].into())
        };
        let address = |pick: usize, field: Option<&Option<String>>| {
            let mut listed: Vec<String> = items(field)
                .into_iter()
                .flat_map(|item| match scene.sets.iter().find(|set| set.id == item) {
                    Some(set) => items(Some(&Some(set.values.clone()))),
                    None => vec![item],
                })
                .collect();
            listed.retain(|item| item.contains(['.', ':']) && item.contains('.') == self.v4);
            let own: Vec<&str> = ADDRESSES
                .iter()
                .copied()
                .filter(|item| item.contains('.') == self.v4)
                .collect();
            let text = match listed.is_empty() {
                true => (*self.picks[pick].get(&own)).to_owned(),
                false => self.picks[pick].get(&listed).clone(),
            };
            end_of(&text, self.direction, self.beside[pick].into())
        };
        let local = address(1, target.map(|rule| &rule.local_addresses));
        let remote = address(2, target.map(|rule| &rule.remote_addresses));
        let local_port = port(3, target.map(|rule| &rule.local_ports));
        let remote_port = port(0, target.map(|rule| &rule.remote_ports));
        let outward = Flow {
            source: local,
            destination: remote,
            protocol: Protocol(protocol),
            source_port: local_port,
            destination_port: remote_port,
        };
        // Sets are told by end and not by side: aim from the other side now and then.
        let turned = self.picks[4].index(4) == 0;
        match (direction, turned) {
            (Direction::Out, false) | (Direction::In, true) => (direction, outward),
            (Direction::In, false) | (Direction::Out, true) => (direction, outward.reverse()),
        }
    }
}

/// The first or the last address of a prefix, or one beside it.
fn end_of(text: &str, last: bool, beside: i128) -> IpAddr {
    let (base, length) = text.split_once('/').unwrap_or((text, "200"));
    let length: u32 = length.parse().unwrap();
    let after = |bits: u32| {
        if last {
            u128::MAX.checked_shr(128 - bits + length).unwrap_or(0)
        } else {
            0
        }
    };
    match base.parse::<IpAddr>().unwrap() {
        IpAddr::V4(base) => {
            let number = u128::from(u32::from(base)) | after(32);
            IpAddr::V4((number.wrapping_add_signed(beside) as u32).into())
        }
        IpAddr::V6(base) => IpAddr::V6(
            (u128::from(base) | after(128))
                .wrapping_add_signed(beside)
                .into(),
        ),
    }
}

fn settings(rule: &TextRule, action_key: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert(action_key.to_owned(), rule.action.into());
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(key.to_owned(), value);
        }
    };
    put("Priority", rule.priority.map(Value::from));
    put("Protocols", rule.protocols.clone().map(Value::from));
    put(
        "LocalAddresses",
        rule.local_addresses.clone().map(Value::from),
    );
    put(
        "RemoteAddresses",
        rule.remote_addresses.clone().map(Value::from),
    );
    put("LocalPorts", rule.local_ports.clone().map(Value::from));
    put("RemotePorts", rule.remote_ports.clone().map(Value::from));
    if action_key == "Action" {
        put("Direction", Some(rule.direction.to_string().into()));
        put("RuleType", rule.rule_type.map(Value::from));
    }
    map
}

fn documents(scene: &TextScene) -> Documents {
    let acl =
        |kind: &str, rule: &TextRule| json!({"Type": kind, "Settings": settings(rule, "Action")});
    let set = |set: &TextSet| {
        let kind = if set.nested { "NESTEDIPSET" } else { "IPSET" };
        json!({"Type": "SetPolicy", "Settings": {"Id": set.id, "PolicyType": kind, "Values": set.values}})
    };
    let tier = |tier: &TextTier| {
        let rules: Vec<Value> = tier
            .rules
            .iter()
            .map(|rule| settings(rule, "TierAclRuleAction").into())
            .collect();
        json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": tier.direction.to_string(), "Order": tier.order, "TierAclRules": rules}})
    };
    let network_policies: Vec<Value> = scene
        .sets
        .iter()
        .map(set)
        .chain(
            scene
                .network_rules
                .iter()
                .map(|rule| acl("NetworkACL", rule)),
        )
        .collect();
    let policies: Vec<Value> = scene
        .rules
        .iter()
        .map(|rule| acl("ACL", rule))
        .chain(scene.tiers.iter().map(tier))
        .collect();
    let network = json!({"ID": "00000000-0000-0000-0000-00000000000a", "Type": scene.network_type, "Policies": network_policies});
    let endpoint = json!({"ID": "00000000-0000-0000-0000-00000000000b", "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a", "Policies": policies});
    Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints: vec![Endpoint::from_value(&endpoint).unwrap()],
        ..Documents::default()
    }
}

fn compile(scene: &TextScene) -> Switch {
    let (switch, faults) = Switch::compile(&documents(scene), &scene.semantics);
    assert_eq!(faults, []);
    switch
}

/// How often each way to decide was met, so that a generator that tests nothing is noticed.
type Met = BTreeMap<String, u32>;

/// Compares engine and reading for one packet.
fn compare(
    switch: &Switch,
    scene: &TextScene,
    direction: Direction,
    flow: &Flow,
    met: &mut Met,
) -> Result<(), TestCaseError> {
    let expected = scene.answer(direction, flow);
    let ruling = switch.rule(PortIndex(0), direction, flow);
    let cause = switch.cause(PortIndex(0), direction, flow, ruling);
    let layer = (ruling.reason != Reason::NoRules).then_some(ruling.layer);
    let found = reading::Answer {
        allowed: ruling.decision == Decision::Allow,
        layer,
        rule: cause
            .rule
            .as_ref()
            .map(|rule| (rule.pointer.clone(), cause.tie)),
    };
    prop_assert_eq!(&found, &expected, "{} {}", direction, flow);
    let what = match (&expected.rule, expected.layer) {
        (Some((_, true)), _) => "tie",
        (Some(_), _) => "rule",
        (None, Some(_)) => "default",
        (None, None) => "nothing",
    };
    let layer = expected.layer.unwrap_or(Layer::Switch);
    *met.entry(format!("{layer} {what} {}", ruling.decision))
        .or_default() += 1;
    Ok(())
}

/// Repeats its cases from run to run, since what has to be met is counted;
/// `PROPTEST_RNG_SEED` gives others, `PROPTEST_CASES` more.
fn runner(cases: u32) -> TestRunner {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(2);
    }
    TestRunner::new(config)
}

#[test]
fn the_engine_decides_as_a_second_reading_of_the_rules_does() {
    let met = std::cell::RefCell::new(Met::new());
    let rules = vec(rule(&["Allow", "Block"]), 0..14);
    runner(10_000)
        .run(&(scene(rules), vec(aim(), 1..24)), |(scene, aims)| {
            // Compiled after the same scene without one of its rules, with which it shares what that rule does not change.
            let mut without = scene.clone();
            if !without.rules.is_empty() {
                without.rules.remove(scene.rules.len() / 2);
            }
            let before = compile(&without);
            let (switch, _) = before.compile_next(&documents(&scene), &scene.semantics);
            aims.iter().try_for_each(|aim| {
                let (direction, flow) = aim.packet(&scene);
                compare(&switch, &scene, direction, &flow, &mut met.borrow_mut())
            })
        })
        .unwrap();
    let met = met.into_inner();
    for layer in [Layer::Host, Layer::Network, Layer::Tier, Layer::Switch] {
        for what in ["rule", "tie", "default"] {
            let count = |decision| {
                met.get(&format!("{layer} {what} {decision}"))
                    .copied()
                    .unwrap_or(0)
            };
            assert!(
                count(Decision::Block) >= 10,
                "{layer} {what} Block was hardly met: {met:#?}"
            );
            if layer == Layer::Switch {
                assert!(
                    count(Decision::Allow) >= 10,
                    "{layer} {what} Allow was hardly met: {met:#?}"
                );
            }
        }
    }
}

#[test]
fn the_engine_decides_large_rule_sets_as_a_second_reading_does() {
    let rules = vec(rule(&["Allow", "Block"]), 1_000..1_400);
    let scenes = (scene(rules), vec(aim(), 60)).prop_map(|(mut scene, aims)| {
        // Rules spread over many priorities and addresses, so that also deep ones decide.
        for (place, rule) in scene.rules.iter_mut().enumerate() {
            rule.priority = Some((place as u16).wrapping_mul(47) % 1_000);
            let own = format!("10.{}.{}.0/26", place % 11, place % 97);
            match place % 3 {
                0 => rule.remote_addresses = Some(own),
                1 => rule.local_ports = Some(format!("{}-{}", place * 40, place * 40 + 60)),
                _ => rule.local_addresses = Some(format!("{own},fd00::{place:x}")),
            }
            rule.rule_type = None;
        }
        scene.network_rules.clear();
        scene.tiers.clear();
        (scene, aims)
    });
    runner(8)
        .run(&scenes, |(scene, aims)| {
            let switch = compile(&scene);
            let mut met = Met::new();
            aims.iter().try_for_each(|aim| {
                let (direction, flow) = aim.packet(&scene);
                compare(&switch, &scene, direction, &flow, &mut met)
            })
        })
        .unwrap();
}

/// The set of what passes against the second reading, packet by packet: those that rules aim at, and those at the corners of the set.
#[test]
fn the_set_of_packets_that_pass_is_the_one_that_the_reading_lets_pass() {
    let rules = vec(rule(&["Allow", "Block"]), 0..10);
    let met = std::cell::RefCell::new([0u32; 3]);
    runner(10_000)
        .run(&(scene(rules), vec(aim(), 1..16)), |(scene, aims)| {
            let switch = compile(&scene);
            let mut spaces = [Family::V4, Family::V6].map(Space::new);
            let passing = [Direction::In, Direction::Out].map(|direction| {
                spaces
                    .each_mut()
                    .map(|space| switch.passes(space, PortIndex(0), direction))
            });
            let idle = spaces
                .each_mut()
                .map(|space| switch.idle_rules(space, PortIndex(0)));
            let standings = spaces
                .each_mut()
                .map(|space| switch.standings(space, PortIndex(0)));
            for aim in &aims {
                let (direction, flow) = aim.packet(&scene);
                if Family::from(flow.source) != Family::from(flow.destination) {
                    continue;
                }
                let family = usize::from(flow.source.is_ipv6());
                let region = passing[usize::from(direction == Direction::Out)][family];
                let found = spaces[family].contains(region, &flow);
                let expected = scene.answer(direction, &flow).allowed;
                prop_assert_eq!(found, expected, "{} {}", direction, flow);
                met.borrow_mut()[usize::from(found)] += 1;
                // A rule that decides a packet is none that never decides.
                let ruling = switch.rule(PortIndex(0), direction, &flow);
                if let Reason::Rule(number) = ruling.reason {
                    prop_assert!(!idle[family].contains(&(ruling.layer, direction, number)));
                    met.borrow_mut()[2] += 1;
                    let cause = switch.cause(PortIndex(0), direction, &flow, ruling);
                    let pointer = &cause.rule.as_ref().unwrap().pointer;
                    let standings = &standings[family];
                    let is_it = |standing: &Standing| {
                        standing.layer == ruling.layer && standing.pointer == *pointer
                    };
                    let decider = standings.iter().position(is_it).unwrap();
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
            for (direction, regions) in [Direction::In, Direction::Out].into_iter().zip(passing) {
                for (space, region) in spaces.iter_mut().zip(regions) {
                    let blocked = space.minus(Region::FULL, region);
                    for (region, expected) in [(region, true), (blocked, false)] {
                        let cells = space.cells(region);
                        for flow in cells.iter().take(8).filter_map(Cell::first) {
                            let found = scene.answer(direction, &flow).allowed;
                            prop_assert_eq!(found, expected, "{} {}", direction, flow);
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let met = met.into_inner();
    assert!(met.iter().all(|count| *count > 2_500), "{met:?}");
}

/// A rule that never decides can go, and a rule that decides something cannot without a packet meeting another rule.
#[test]
fn a_rule_that_never_decides_can_go() {
    let rules = vec(rule(&["Allow", "Block"]), 2..10);
    let met = std::cell::Cell::new(0u32);
    runner(1_000)
        .run(&scene(rules), |scene| {
            let switch = compile(&scene);
            let mut spaces = [Family::V4, Family::V6].map(Space::new);
            let idle = spaces
                .each_mut()
                .map(|space| switch.idle_rules(space, PortIndex(0)));
            // Idle in both families, and one of the endpoint's own ACLs.
            let both = idle[0].iter().filter(|rule| idle[1].contains(*rule));
            for (layer, direction, number) in both {
                let flow = "10.0.0.1".parse().map(|address: IpAddr| Flow {
                    source: address,
                    destination: address,
                    protocol: Protocol::TCP,
                    source_port: 1,
                    destination_port: 1,
                });
                let ruling = hcn_engine::Ruling {
                    decision: Decision::Allow,
                    layer: *layer,
                    reason: Reason::Rule(*number),
                };
                let cause = switch.cause(PortIndex(0), *direction, &flow.unwrap(), ruling);
                let rule = cause.rule.unwrap();
                let Some(place) = rule.pointer.strip_prefix("/Policies/") else {
                    continue;
                };
                let is_acl = matches!(layer, Layer::Host | Layer::Switch);
                let (true, Ok(place)) = (is_acl, place.parse::<usize>()) else {
                    continue;
                };
                let mut without = scene.clone();
                let gone = without.rules.remove(place);
                // The last rule of its direction or type takes the default deny along: then the rule did something.
                let alike = |rule: &&TextRule| {
                    rule.direction == gone.direction && rule.rule_type == gone.rule_type
                };
                if !without.rules.iter().any(|rule| alike(&rule)) {
                    continue;
                }
                let switch_without = compile(&without);
                for direction in [Direction::In, Direction::Out] {
                    for space in &mut spaces {
                        let before = switch.passes(space, PortIndex(0), direction);
                        let after = switch_without.passes(space, PortIndex(0), direction);
                        prop_assert_eq!(before, after, "{:?}", gone);
                    }
                }
                met.set(met.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    assert!(met.get() > 300, "{}", met.get());
}
