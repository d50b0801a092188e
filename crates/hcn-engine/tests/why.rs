// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations against switches compiled from edited documents, on random scenes.
//!
//! What an explanation says of a world without a rule, or of another HNS, it works out from the few policies that matter. Here the rule is taken
//! out of the document, or the other semantics put to all of it, and the whole is compiled anew.

use hcn_engine::{
    Decision, Documents, Flow, Protocol, Semantics, Start, Switch, Topology,
    parts::{Part, Parts},
    way::{Fate, Way},
    why::{Explanation, Inquiry, Otherwise, Outline},
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

const BRIDGE: u128 = 0x0a00_0001;
const NAT: u128 = 0x0a00_0002;
const BALANCER: u128 = 0x0c00_0001;

/// Number of the endpoint, its network, its addresses.
const ENDPOINTS: [(u128, u128, &[&str]); 5] = [
    (1, BRIDGE, &["10.1.0.10", "fd00:1::10"]),
    (2, BRIDGE, &["10.1.0.11", "fd00:1::11"]),
    (3, BRIDGE, &["10.1.0.200"]),
    (4, NAT, &["10.2.0.10", "fd00:2::10"]),
    (5, NAT, &["10.2.0.11"]),
];

/// Whom a flow may be meant for: containers, the host, virtual addresses, addresses outside, nobody.
const DESTINATIONS: [&str; 14] = [
    "10.1.0.10",
    "10.1.0.11",
    "10.1.0.200",
    "10.2.0.10",
    "10.2.0.11",
    "10.1.0.1",
    "10.2.0.1",
    "10.96.0.1",
    "10.96.0.1",
    "10.96.0.1",
    "8.8.8.8",
    "10.2.0.99",
    "fd00:1::11",
    "fd00:2::10",
];

fn texts(items: &'static [&'static str], chance: f64) -> impl Strategy<Value = Option<String>> {
    option::weighted(
        chance,
        vec(select(items), 1..3).prop_map(|items| items.join(",")),
    )
}

const PLACES: [&str; 12] = [
    "10.1.0.10",
    "10.1.0.11",
    "10.1.0.0/24",
    "10.1.0.1",
    "10.2.0.0/16",
    "10.2.0.10",
    "10.96.0.1",
    "10.9.9.9",
    "fd00:1::/64",
    "web",
    "old",
    "0.0.0.0/0",
];

/// The fields that rules of every kind have.
fn fields() -> impl Strategy<Value = Map<String, Value>> {
    (
        select(vec![100u16, 100, 200, 65_500]),
        texts(&["6", "17", "1", "58", "6,17"], 0.4),
        texts(&PLACES, 0.4),
        texts(&PLACES, 0.4),
        texts(&["80", "8080", "1-1023", "49152-65535"], 0.2),
        texts(&["80", "8080", "443", "32768"], 0.2),
    )
        .prop_map(|(priority, protocols, local, remote, one, other)| {
            let mut settings = Map::new();
            settings.insert("Priority".to_owned(), priority.into());
            for (key, text) in [
                ("Protocols", protocols),
                ("LocalAddresses", local),
                ("RemoteAddresses", remote),
                ("LocalPorts", one),
                ("RemotePorts", other),
            ] {
                if let Some(text) = text {
                    settings.insert(key.to_owned(), text.into());
                }
            }
            settings
        })
}

fn rule(kind: &'static str) -> impl Strategy<Value = Value> {
    (
        fields(),
        // A word that nobody knows now and then: dumps may hold anything.
        select(vec!["Allow", "Allow", "Block", "Block", "Maybe"]),
        select(vec!["In", "Out"]),
        option::weighted(0.3, select(vec!["Host", "Switch"])),
    )
        .prop_map(move |(mut settings, action, direction, rule_type)| {
            settings.insert("Action".to_owned(), action.into());
            settings.insert("Direction".to_owned(), direction.into());
            if let Some(rule_type) = rule_type {
                settings.insert("RuleType".to_owned(), rule_type.into());
            }
            json!({"Type": kind, "Settings": settings})
        })
}

fn tier() -> impl Strategy<Value = Value> {
    let one = (fields(), select(vec!["Allow", "Block", "Pass"])).prop_map(|(mut rule, action)| {
        rule.insert("TierAclRuleAction".to_owned(), action.into());
        Value::Object(rule)
    });
    (select(vec!["In", "Out"]), 0..3u16, vec(one, 0..4)).prop_map(|(direction, order, rules)| {
        json!({"Type": "TierAcl", "Settings": {"Direction": direction, "Order": order, "TierAclRules": rules}})
    })
}

/// Policies and flags of an endpoint; most often the rules have allows beneath them, so that not everything is blocked.
fn endpoint_rules() -> impl Strategy<Value = (Vec<Value>, u32)> {
    (
        prop_oneof![2 => Just(Vec::new()), 5 => vec(rule("ACL"), 1..6), 1 => vec(rule("ACL"), 10..30)],
        prop_oneof![4 => Just(Vec::new()), 1 => vec(tier(), 1..3)],
        prop_oneof![1 => Just(false), 2 => Just(true)],
        prop_oneof![3 => Just(false), 1 => Just(true)],
        prop_oneof![15 => Just(0u32), 1 => Just(2u32)],
    )
        .prop_map(|(mut policies, tiers, base, published, flags)| {
            policies.extend(tiers);
            if base && !policies.is_empty() {
                policies.extend(["In", "Out"].map(|direction| {
                    json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": direction, "Priority": 65500}})
                }));
            }
            if published {
                policies.insert(0, json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "ExternalPort": 8080, "InternalPort": 80}}));
            }
            (policies, flags)
        })
}

fn id(number: u128) -> String {
    Guid(number).upper()
}

prop_compose! {
    fn scene()(
        rules in vec(endpoint_rules(), ENDPOINTS.len()),
        of_bridge in prop_oneof![3 => Just(Vec::new()), 1 => vec(rule("NetworkACL"), 1..4)],
        balancer in option::weighted(0.6, (0u32..2, select(vec!["", "10.96.0.200"]), any::<bool>(), select(vec![0u32, 8]))),
    ) -> Documents {
        let network = |number: u128, kind: &str, four: (&str, &str), six: (&str, &str), policies: Vec<Value>| json!({
            "ID": id(number), "Type": kind, "Policies": policies, "Ipams": [{"Subnets": [
                {"IpAddressPrefix": four.0, "Routes": [{"NextHop": four.1, "DestinationPrefix": "0.0.0.0/0"}]},
                {"IpAddressPrefix": six.0, "Routes": [{"NextHop": six.1, "DestinationPrefix": "::/0"}]},
            ]}],
        });
        let mut policies = vec![
            json!({"Type": "SetPolicy", "Settings": {"Id": "web", "Name": "web", "PolicyType": "IPSET", "Values": "10.1.0.10,10.2.0.10"}}),
            json!({"Type": "SetPolicy", "Settings": {"Id": "old", "Name": "old", "PolicyType": "IPSET", "Values": "10.1.0.11"}}),
        ];
        policies.extend(of_bridge);
        let networks = [
            network(BRIDGE, "L2Bridge", ("10.1.0.0/24", "10.1.0.1"), ("fd00:1::/64", "fd00:1::1"), policies),
            network(NAT, "NAT", ("10.2.0.0/16", "10.2.0.1"), ("fd00:2::/64", "fd00:2::1"), Vec::new()),
        ];
        let endpoints = ENDPOINTS.iter().zip(rules).map(|((number, network, addresses), (policies, flags))| {
            let addresses: Vec<Value> = addresses.iter().map(|address| json!({"IpAddress": address})).collect();
            Endpoint::from_value(&json!({
                "ID": id(*number), "Name": format!("e{number}"), "HostComputeNetwork": id(*network), "IpConfigurations": addresses,
                "Policies": policies, "Flags": flags,
            })).unwrap()
        });
        let balancers = balancer.into_iter().map(|(flags, source, node_port, port_flags)| LoadBalancer::from_value(&json!({
            "ID": id(BALANCER), "HostComputeEndpoints": [id(1), id(2), id(4)], "SourceVIP": source, "Flags": flags,
            "FrontendVIPs": if node_port { json!([]) } else { json!(["10.96.0.1"]) },
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80, "Flags": port_flags}],
        })).unwrap());
        Documents {
            networks: networks.iter().map(|network| Network::from_value(network).unwrap()).collect(),
            endpoints: endpoints.collect(),
            load_balancers: balancers.collect(),
        }
    }
}

/// Who sends: a container by its place, the host, or somebody outside; whom to; protocol; port.
fn question() -> impl Strategy<Value = (usize, &'static str, Protocol, u16)> {
    (
        0..ENDPOINTS.len() + 2,
        select(&DESTINATIONS[..]),
        select(vec![
            Protocol::TCP,
            Protocol::TCP,
            Protocol::TCP,
            Protocol::UDP,
            Protocol::ICMP,
        ]),
        select(vec![80u16, 443, 443, 8080, 9]),
    )
}

struct World {
    switch: Switch,
    topology: Topology,
}

impl World {
    fn of(documents: &Documents, semantics: &Semantics) -> World {
        let (switch, _) = Switch::compile(documents, semantics);
        World {
            topology: Topology::of(&switch, usize::MAX),
            switch,
        }
    }

    fn way(&self, start: Start, flow: &Flow) -> Way {
        self.switch.way(&self.topology, start, flow)
    }

    fn asked(
        &self,
        (who, to, protocol, port): (usize, &str, Protocol, u16),
    ) -> Option<(Start, Flow)> {
        let destination = to.parse().unwrap();
        let (start, source) = if who < ENDPOINTS.len() {
            let start = Start::Port(self.switch.port_of(Guid(ENDPOINTS[who].0))?);
            (
                start,
                self.switch
                    .source_towards(&self.topology, start, destination)?,
            )
        } else if who == ENDPOINTS.len() {
            let source = self
                .switch
                .source_towards(&self.topology, Start::Host, destination)?;
            (Start::Host, source)
        } else {
            let outside = if destination.is_ipv4() {
                "203.0.113.9"
            } else {
                "2001:db8::9"
            };
            (Start::Outside, outside.parse().unwrap())
        };
        let (protocol, source_port, destination_port) = match protocol {
            Protocol::ICMP if !destination.is_ipv4() => (Protocol::ICMPV6, 0, 0),
            Protocol::ICMP => (protocol, 0, 0),
            _ => (protocol, 50_000, port),
        };
        Some((
            start,
            Flow {
                source,
                destination,
                protocol,
                source_port,
                destination_port,
            },
        ))
    }
}

/// The documents without what stands at a pointer of an object, by a hand of its own.
fn without(documents: &Documents, object: Guid, pointer: &str) -> Documents {
    fn cut(value: &mut Value, pointer: &str) {
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Array(items) => {
                items.remove(last.parse().unwrap());
            }
            Value::Object(members) => {
                members.shift_remove(last);
            }
            other => panic!("{other}"),
        }
    }
    let mut edited = documents.clone();
    for endpoint in &mut edited.endpoints {
        if endpoint.id.get().and_then(hcn_schema::Id::guid) == Some(object) {
            let mut value = endpoint.to_value();
            cut(&mut value, pointer);
            *endpoint = Endpoint::from_value(&value).unwrap();
        }
    }
    for network in &mut edited.networks {
        if network.id.get().and_then(hcn_schema::Id::guid) == Some(object) {
            let mut value = network.to_value();
            cut(&mut value, pointer);
            *network = Network::from_value(&value).unwrap();
        }
    }
    edited
}

/// What the cases met, so that a law is not kept by never being tried.
#[derive(Debug, Default)]
struct Met {
    questions: u32,
    dropped: u32,
    balanced: u32,
    decisive: u32,
    redundant: u32,
    ties: u32,
    other_semantics: u32,
}

/// The usual semantics with one guess made otherwise, each of them, without rules on NAT networks, and without what came with some version.
fn other_semantics() -> Vec<Semantics> {
    let semantics = Semantics::default();
    let open = semantics.open_questions().into_iter();
    let mut others: Vec<Semantics> = open.map(|open| open.semantics).collect();
    others.push(Semantics {
        acl_on_nat: false,
        ..semantics
    });
    others.extend(without_parts());
    others
}

/// Each part that a version may lack, and all of them.
fn without_parts() -> impl Iterator<Item = Semantics> {
    let one = Part::ALL.iter().map(|part| Parts::from_iter([*part]));
    let all = Parts::from_iter(Part::ALL.iter().copied());
    one.chain([all]).map(|lacks| Semantics {
        lacks,
        ..Semantics::default()
    })
}

/// As many random scenes, and so many questions about each.
fn run(
    (cases, questions): (u32, usize),
    test: impl Fn(Documents, Vec<(usize, &'static str, Protocol, u16)>) -> Result<(), TestCaseError>,
) {
    let mut runner = TestRunner::new(Config {
        cases,
        // The cases repeat, since it is counted what they meet.
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..Config::default()
    });
    let cases = (scene(), vec(question(), questions));
    runner
        .run(&cases, |(documents, questions)| test(documents, questions))
        .unwrap();
}

#[test]
fn the_deciding_rule_removed_changes_the_verdict_or_was_said_to_be_redundant() {
    let met = std::cell::RefCell::new(Met::default());
    run((10_000, 1), |documents, questions| {
        let mut met = met.borrow_mut();
        let semantics = Semantics::default();
        let world = World::of(&documents, &semantics);
        let inquiry = Inquiry::new(&documents, &semantics);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            met.questions += 1;
            let way = world.way(start, &flow);
            let explanation = inquiry.explain(start, &flow);
            prop_assert_eq!(&explanation.way, &way);
            prop_assert_eq!(&inquiry.way(start, &flow), &way);
            met.dropped += u32::from(way.fate == Fate::Dropped);
            met.balanced += u32::from(matches!(way.fate, Fate::Balanced { .. }));
            let judged = way.judgements();
            prop_assert_eq!(explanation.judgements.len(), judged.len());
            for (judgement, (port, direction, flow_there, ruling)) in
                explanation.judgements.iter().zip(judged)
            {
                let cause = world.switch.cause(port, direction, &flow_there, ruling);
                prop_assert_eq!(&judgement.cause, &cause);
                met.ties += u32::from(cause.tie);
                let Some(rule) = &cause.rule else {
                    prop_assert!(judgement.without.is_none());
                    continue;
                };
                let said = judgement.without.as_ref().expect("a rule decided");
                let edited = without(&documents, rule.object, &rule.pointer);
                let then = World::of(&edited, &semantics).way(start, &flow);
                prop_assert_eq!(said.fate, then.fate, "{:?} without {}", flow, rule.pointer);
                prop_assert_eq!(said.is_redundant, then.fate == way.fate);
                match said.is_redundant {
                    true => met.redundant += 1,
                    false => met.decisive += 1,
                }
            }
        }
        Ok(())
    });
    let met = met.into_inner();
    // Otherwise the law above would show little.
    assert!(
        met.questions > 9_000
            && met.dropped > 3_000
            && met.balanced > 150
            && met.decisive > 2_000
            && met.redundant > 1_000
            && met.ties > 100,
        "{met:?}"
    );
}

#[test]
fn other_semantics_say_of_a_flow_what_a_switch_compiled_with_them_says() {
    say_what_a_switch_says(&Semantics::default(), (1_000, 10));
}

#[test]
fn so_they_do_where_it_is_the_own_ones_that_lack_something() {
    for own in without_parts() {
        say_what_a_switch_says(&own, (50, 6));
    }
}

fn say_what_a_switch_says(semantics: &Semantics, cases: (u32, usize)) {
    let met = std::cell::RefCell::new(Met::default());
    run(cases, |documents, questions| {
        let mut met = met.borrow_mut();
        let outlines = outlines_of(&documents);
        let inquiry = Inquiry::new(&documents, semantics);
        let others = other_semantics();
        let worlds: Vec<World> = others
            .iter()
            .map(|other| World::of(&documents, other))
            .collect();
        for question in questions {
            let Some((start, flow)) = worlds[0].asked(question) else {
                continue;
            };
            let own = inquiry.way(start, &flow);
            let said = inquiry.explain_with(start, &flow, &others);
            // With the usual ones, a law of its own says that.
            if *semantics != Semantics::default() {
                let from_text = sieved(&documents, &outlines, (start, &flow), semantics, &others);
                prop_assert_eq!(without_numbers(&said), without_numbers(&from_text));
            }
            for (world, answer) in worlds.iter().zip(said.1) {
                met.questions += 1;
                let way = world.way(start, &flow);
                prop_assert_eq!(answer.fate, way.fate);
                met.other_semantics += u32::from(way.fate != own.fate);
                let last = way.judgements().pop();
                let pointer = last.and_then(|(port, direction, flow, ruling)| {
                    let cause = world.switch.cause(port, direction, &flow, ruling);
                    cause.rule.map(|rule| rule.pointer)
                });
                let said = answer.last.and_then(|(.., cause)| cause.rule);
                prop_assert_eq!(said.map(|rule| rule.pointer), pointer);
            }
        }
        Ok(())
    });
    let met = met.into_inner();
    assert!(
        met.questions > cases.0 * 5 && met.other_semantics > cases.0,
        "{met:?}"
    );
}

/// The texts of endpoints' documents: as HNS writes them, and as people do.
fn outlines_of(documents: &Documents) -> Vec<(Guid, Outline)> {
    let endpoints = documents.endpoints.iter().enumerate();
    let outline = |(place, endpoint): (usize, &Endpoint)| {
        let id = endpoint.id.get().and_then(hcn_schema::Id::guid).unwrap();
        let text = match place % 2 {
            0 => endpoint.to_json(),
            _ => serde_json::to_string_pretty(&endpoint.to_value()).unwrap(),
        };
        (id, Outline::of(text))
    };
    endpoints.map(outline).collect()
}

/// What is said of a question, and under other semantics, where of all rules only those are read that matter.
fn sieved(
    documents: &Documents,
    outlines: &[(Guid, Outline)],
    (start, flow): (Start, &Flow),
    semantics: &Semantics,
    others: &[Semantics],
) -> (Explanation, Vec<Otherwise>) {
    let sketches = outlines.iter().map(|(_, outline)| outline.sketch());
    let sketch = Documents {
        endpoints: sketches.map(Option::unwrap).collect(),
        ..documents.clone()
    };
    let mut inquiry = Inquiry::new(&sketch, semantics);
    inquiry.sieve(start, flow, |id| {
        let mut outlines = outlines.iter();
        outlines.find(|(own, _)| *own == id).map(|(_, own)| own)
    });
    inquiry.explain_with(start, flow, others)
}

/// All that is said, but for the numbers by which a port counts its rules.
fn without_numbers(said: &(Explanation, Vec<Otherwise>)) -> String {
    let text = format!("{said:?}");
    let mut parts = text.split("Rule(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + "Rule(" + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

#[test]
fn rules_put_aside_unread_change_nothing_that_is_said() {
    let met = std::cell::RefCell::new(Met::default());
    let others = other_semantics();
    run((5_000, 2), |documents, questions| {
        let mut met = met.borrow_mut();
        let semantics = Semantics::default();
        let world = World::of(&documents, &semantics);
        let inquiry = Inquiry::new(&documents, &semantics);
        let outlines = outlines_of(&documents);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            met.questions += 1;
            let whole = inquiry.explain_with(start, &flow, &others);
            let from_text = sieved(&documents, &outlines, (start, &flow), &semantics, &others);
            prop_assert_eq!(without_numbers(&whole), without_numbers(&from_text));
        }
        Ok(())
    });
    let met = met.into_inner();
    assert!(met.questions > 9_000, "{met:?}");
}

#[test]
fn every_source_port_fares_as_the_answer_says_of_it() {
    let met = std::cell::RefCell::new((0, 0));
    run((2_000, 3), |documents, questions| {
        let mut met = met.borrow_mut();
        let semantics = Semantics::default();
        let world = World::of(&documents, &semantics);
        let inquiry = Inquiry::new(&documents, &semantics);
        let outlines = outlines_of(&documents);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            if !flow.protocol.has_ports() {
                continue;
            }
            let said = inquiry.explain(start, &flow);
            let (from_text, _) = sieved(&documents, &outlines, (start, &flow), &semantics, &[]);
            prop_assert_eq!(&from_text.source_ports, &said.source_ports);
            let own = said.way.fate;
            // The ends of every range that rules name in here, and their neighbours.
            for port in [
                1, 79, 80, 81, 442, 443, 444, 1023, 1024, 8079, 8080, 8081, 32_767, 32_768, 32_769,
                49_151, 49_152, 65_535,
            ] {
                let from = Flow {
                    source_port: port,
                    ..flow
                };
                let mut sets = said.source_ports.iter();
                let of_port = sets.find(|ports| ports.contains(port));
                prop_assert_eq!(
                    world.way(start, &from).fate,
                    of_port.map_or(own, |ports| ports.fate),
                    "{}",
                    from
                );
                met.0 += 1;
            }
            met.1 += u32::from(!said.source_ports.is_empty());
        }
        Ok(())
    });
    let (asked, differing) = met.into_inner();
    assert!(asked > 50_000 && differing > 100, "{asked} {differing}");
}

#[test]
fn a_report_counts_every_rule_that_was_asked_and_shows_the_one_that_decided() {
    run((500, 6), |documents, questions| {
        let inquiry = Inquiry::new(&documents, &Semantics::default());
        let world = World::of(&documents, &Semantics::default());
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            for judgement in inquiry.explain(start, &flow).judgements {
                for stage in &judgement.stages {
                    let shown = usize::from(stage.decider.is_some())
                        + stage.passed.len()
                        + stage.stronger.count
                        + stage.weaker.count;
                    prop_assert!(shown <= stage.rules, "{stage:?}");
                    for near in &stage.stronger.nearest {
                        prop_assert!(!near.failed.is_empty());
                    }
                    let decided = stage.ruling.map(|(decision, _)| decision);
                    if let Some(rule) = &stage.decider {
                        let allows = rule.action == hcn_schema::policy::AclAction::Allow;
                        prop_assert_eq!(
                            decided,
                            Some(if allows {
                                Decision::Allow
                            } else {
                                Decision::Block
                            })
                        );
                    }
                }
                let deciding = judgement
                    .stages
                    .iter()
                    .rev()
                    .find(|stage| stage.ruling.is_some());
                let pointer = judgement
                    .cause
                    .rule
                    .as_ref()
                    .map(|rule| rule.pointer.clone());
                if let Some(stage) = deciding {
                    prop_assert_eq!(stage.layer, judgement.cause.layer);
                    prop_assert_eq!(
                        stage.decider.as_ref().map(|rule| rule.pointer.clone()),
                        pointer
                    );
                }
            }
        }
        Ok(())
    });
}
