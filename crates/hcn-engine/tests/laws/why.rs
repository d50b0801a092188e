// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations against switches compiled from edited hosts and against the second reading, on random hosts.
//!
//! What an explanation says of a world without a rule, or of another HNS, it works out from the few policies that matter. Here the rule is taken
//! out of the host, or the other semantics put to all of it, and the whole is compiled anew; what its ports say is read a second time.

use std::collections::HashMap;

use hcn_engine::{
    Decision, Direction, Documents, Flow, Layer, PortIndex, Protocol, Ruling, Semantics, Start,
    Switch, Topology,
    parts::{Part, Parts},
    way::{Fate, Way},
    why::{Explanation, Inquiry, Otherwise, Outline},
};
use hcn_schema::{Document, Endpoint, Guid, LoadBalancer, Network};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use crate::{
    hosts::{self, KINDS_OF_RULES, Policies, QUESTIONS, Words, endpoint_id, endpoint_of, said},
    law::{Met, try_each},
    reading::{TextEndpoint, TextHost, TextNetwork},
};

mod many;

const BALANCER: u128 = 0x0c00_0001;

/// Networks with the subnets and gateways of both families.
const NETWORKS: [(&str, [(&str, &str); 2]); 2] = [
    (
        "L2Bridge",
        [("10.1.0.0/24", "10.1.0.1"), ("fd00:1::/64", "fd00:1::1")],
    ),
    (
        "NAT",
        [("10.2.0.0/16", "10.2.0.1"), ("fd00:2::/64", "fd00:2::1")],
    ),
];

/// Network and addresses of each endpoint.
const ENDPOINTS: [(usize, &[&str]); 5] = [
    (0, &["10.1.0.10", "fd00:1::10"]),
    (0, &["10.1.0.11", "fd00:1::11"]),
    (0, &["10.1.0.200"]),
    (1, &["10.2.0.10", "fd00:2::10"]),
    (1, &["10.2.0.11"]),
];

/// Whom a flow may be meant for: containers, the host, virtual addresses, addresses outside, nobody.
const DESTINATIONS: [&str; 20] = [
    "10.1.0.10",
    "10.1.0.11",
    "10.1.0.200",
    "10.2.0.10",
    "10.2.0.11",
    "10.1.0.1",
    "10.2.0.1",
    "10.96.0.1",
    "10.96.0.1",
    "8.8.8.8",
    "10.2.0.99",
    "fd00:1::10",
    "fd00:1::10",
    "fd00:1::11",
    "fd00:1::11",
    "fd00:2::10",
    "fd00:2::10",
    "fd00:2::1",
    "fd00:96::1",
    "2001:db8::8",
];

const WORDS: Words = Words {
    places: &[
        "10.1.0.10",
        "10.1.0.11",
        "10.1.0.0/24",
        "10.1.0.9/24",
        "10.1.0.1",
        "10.2.0.0/16",
        "10.2.0.10",
        "10.96.0.1",
        "10.9.9.9",
        "0.0.0.0/0",
        "fd00:1::/64",
        "fd00:1::10",
        "fd00:2::10",
        "fd00:2::7/64",
        "::/0",
    ],
    services: &["80", "8080", "443", "1-1023", "1-442"],
    clients: &["49152-65535", "32768", "1024-65535", "443"],
    priorities: &[100, 100, 200, 65_500],
    chance: 0.35,
    chance_of_clients: 0.3,
};

/// A word that nobody knows now and then: dumps may hold anything.
const ACTIONS: &[&str] = &["Allow", "Allow", "Block", "Block", "Maybe"];

/// Policies of an endpoint, few or many, and whether it publishes a port.
fn endpoint() -> impl Strategy<Value = (Policies, bool)> {
    let many = vec(hosts::rule(&WORDS, ACTIONS), 10..30);
    let more = prop_oneof![7 => Just(Vec::new()), 1 => many];
    let own = hosts::policies(&WORDS, ACTIONS);
    (own, more, prop::bool::weighted(0.25)).prop_map(
        |((mut rules, tiers, isolated), more, published)| {
            rules.extend(more);
            ((rules, tiers, isolated), published)
        },
    )
}

/// A random host, with the load balancers that it has.
#[derive(Clone, Debug)]
struct Scene {
    read: TextHost,
    load_balancers: Vec<LoadBalancer>,
}

impl Scene {
    fn network_document(&self, number: usize) -> Network {
        let [four, six] = NETWORKS[number].1;
        let mut document = hosts::network_document(&self.read, number);
        document["Ipams"] = json!([{"Subnets": [
            {"IpAddressPrefix": four.0, "Routes": [{"NextHop": four.1, "DestinationPrefix": "0.0.0.0/0"}]},
            {"IpAddressPrefix": six.0, "Routes": [{"NextHop": six.1, "DestinationPrefix": "::/0"}]},
        ]}]);
        Network::from_value(&document).unwrap()
    }

    fn endpoint_document(&self, number: usize) -> Endpoint {
        let mut document = hosts::endpoint_document(&self.read, number);
        document["Name"] = format!("e{number}").into();
        Endpoint::from_value(&document).unwrap()
    }

    fn documents(&self) -> Documents {
        let networks = 0..NETWORKS.len();
        let endpoints = 0..ENDPOINTS.len();
        Documents {
            networks: networks
                .map(|number| self.network_document(number))
                .collect(),
            endpoints: endpoints
                .map(|number| self.endpoint_document(number))
                .collect(),
            load_balancers: self.load_balancers.clone(),
        }
    }

    /// What is read under other semantics.
    fn under(&self, semantics: &Semantics) -> TextHost {
        TextHost {
            semantics: semantics.clone(),
            ..self.read.clone()
        }
    }

    /// Without the rule or the flag that decided about an endpoint; its own documents are given.
    fn without(
        &self,
        documents: &Documents,
        endpoint: usize,
        layer: Layer,
        pointer: &str,
    ) -> World {
        let edited = Scene {
            read: self.read.without(endpoint, layer, pointer),
            load_balancers: Vec::new(),
        };
        let mut documents = documents.clone();
        if layer == Layer::Network {
            let network = self.read.endpoints[endpoint].network;
            documents.networks[network] = edited.network_document(network);
        } else {
            documents.endpoints[endpoint] = edited.endpoint_document(endpoint);
        }
        World::compile(edited.read, &documents)
    }
}

fn balancer() -> impl Strategy<Value = LoadBalancer> {
    let source = select(vec!["", "10.96.0.200"]);
    (0u32..2, source, any::<bool>(), select(vec![0u32, 8])).prop_map(
        |(flags, source, node_port, port_flags)| {
            let backends = [0, 1, 3].map(|backend| endpoint_id(backend).upper());
            LoadBalancer::from_value(&json!({
                "ID": Guid(BALANCER).upper(), "HostComputeEndpoints": backends, "SourceVIP": source, "Flags": flags,
                "FrontendVIPs": if node_port { json!([]) } else { json!(["10.96.0.1", "fd00:96::1"]) },
                "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80, "Flags": port_flags}],
            }))
            .unwrap()
        },
    )
}

fn scene() -> impl Strategy<Value = Scene> {
    let networks = NETWORKS.map(|(kind, _)| {
        let types: &[&str] = match kind {
            "NAT" => &["NAT"],
            _ => &["L2Bridge"],
        };
        hosts::network(&WORDS, types)
    });
    (
        networks,
        vec(endpoint(), ENDPOINTS.len()),
        option::weighted(0.6, balancer()),
        hosts::semantics(),
    )
        .prop_map(|(networks, endpoints, balancer, semantics)| {
            let networks: [TextNetwork; 2] = networks;
            let one = |((network, addresses), ((rules, tiers, isolated), published)): ((usize, &[&str]), (Policies, bool))| {
                let mapping = json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "ExternalPort": 8080, "InternalPort": 80}});
                TextEndpoint {
                    network,
                    addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
                    other_policies: published.then_some(mapping).into_iter().collect(),
                    rules,
                    tiers,
                    isolated,
                }
            };
            Scene {
                read: TextHost {
                    networks: networks.into(),
                    endpoints: ENDPOINTS.into_iter().zip(endpoints).map(one).collect(),
                    semantics,
                },
                load_balancers: balancer.into_iter().collect(),
            }
        })
}

/// Who sends (a container by its place, the host, or somebody outside), whom to, protocol, port.
type Question = (usize, &'static str, Protocol, u16);

fn question() -> impl Strategy<Value = Question> {
    let protocols = select(vec![
        Protocol::TCP,
        Protocol::TCP,
        Protocol::TCP,
        Protocol::UDP,
        Protocol::ICMP,
        Protocol(47),
    ]);
    let ports = select(vec![80u16, 443, 443, 8080, 9]);
    (
        0..ENDPOINTS.len() + 2,
        select(&DESTINATIONS[..]),
        protocols,
        ports,
    )
}

struct World {
    read: TextHost,
    switch: Switch,
    topology: Topology,
}

impl World {
    fn of(scene: &Scene) -> World {
        World::compile(scene.read.clone(), &scene.documents())
    }

    fn compile(read: TextHost, documents: &Documents) -> World {
        let (switch, _) = Switch::compile(documents, &read.semantics);
        World {
            read,
            topology: Topology::of(&switch, usize::MAX),
            switch,
        }
    }

    /// The way of a flow. What every port on it says is what the reading says.
    fn way(&self, start: Start, flow: &Flow) -> Result<Way, TestCaseError> {
        let way = self.switch.way(&self.topology, start, flow);
        for (port, direction, flow, ruling) in way.judgements() {
            let found = said(&self.switch, port, direction, &flow, ruling);
            let expected = self.read.answer(port.0 as usize, direction, &flow);
            prop_assert_eq!(&found, &expected, "{} {}", direction, flow);
        }
        Ok(way)
    }

    fn asked(&self, (who, to, protocol, port): Question) -> Option<(Start, Flow)> {
        let destination = to.parse().unwrap();
        let (start, source) = if who < ENDPOINTS.len() {
            let start = Start::Port(self.switch.port_of(endpoint_id(who))?);
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
            _ if !protocol.has_ports() => (protocol, 0, 0),
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

/// The semantics with one guess made otherwise, each of them, and with rules on NAT networks or without.
fn others_than(semantics: &Semantics) -> Vec<Semantics> {
    let open = semantics.open_questions().into_iter();
    let mut others: Vec<Semantics> = open.map(|open| open.semantics).collect();
    others.push(Semantics {
        acl_on_nat: !semantics.acl_on_nat,
        ..semantics.clone()
    });
    others
}

/// A case: a host, and so many questions.
fn cases(questions: usize) -> impl Strategy<Value = (Scene, Vec<Question>)> {
    (scene(), vec(question(), questions))
}

#[test]
fn the_deciding_rule_removed_changes_the_verdict_or_was_said_to_be_redundant() {
    let met = try_each(11_000, &cases(2), |(scene, questions), met| {
        let documents = scene.documents();
        let world = World::of(&scene);
        let inquiry = Inquiry::new(&documents, &scene.read.semantics);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            met.add("questions");
            let way = world.way(start, &flow)?;
            let explanation = inquiry.explain(start, &flow);
            prop_assert_eq!(&explanation.way, &way);
            prop_assert_eq!(&inquiry.way(start, &flow), &way);
            met.add_if(way.fate == Fate::Dropped, "dropped");
            met.add_if(matches!(way.fate, Fate::Balanced { .. }), "balanced");
            let judged = way.judgements();
            prop_assert_eq!(explanation.judgements.len(), judged.len());
            for (judgement, (port, direction, there, ruling)) in
                explanation.judgements.iter().zip(judged)
            {
                let cause = world.switch.cause(port, direction, &there, ruling);
                prop_assert_eq!(&judgement.cause, &cause);
                let endpoint = endpoint_of(judgement.endpoint);
                let answer = scene.read.answer(endpoint, direction, &there);
                met.decided(&scene.read, endpoint, &there, &answer);
                met.hangs_on(&scene.read, endpoint, direction, &there);
                let Some(rule) = &cause.rule else {
                    prop_assert!(judgement.without.is_none());
                    continue;
                };
                let told = judgement.without.as_ref().expect("a rule decided");
                let edited = scene.without(&documents, endpoint, cause.layer, &rule.pointer);
                let then = edited.way(start, &flow)?;
                prop_assert_eq!(told.fate, then.fate, "{:?} without {}", flow, rule.pointer);
                prop_assert_eq!(told.is_redundant, then.fate == way.fate);
                met.add("a deciding rule taken away");
                met.add(match told.is_redundant {
                    true => "redundant",
                    false => "decisive",
                });
                // What is said in its place, where the packet still comes here as it is.
                if let Some((decision, instead)) = &told.instead {
                    let answer = edited.read.answer(endpoint, direction, &there);
                    let layer = hosts::has_layer(instead.reason).then_some(instead.layer);
                    prop_assert_eq!(*decision == Decision::Allow, answer.allowed);
                    prop_assert_eq!(layer, answer.layer);
                    prop_assert_eq!(instead.rule.is_some(), answer.rule.is_some());
                    met.add("another decides instead");
                }
            }
        }
        Ok(())
    });
    met.promises(10_000, &["questions", "a deciding rule taken away"]);
    met.covers(3_000, &["decisive", "redundant"]);
    met.covers(3_000, &["another decides instead", "dropped"]);
    met.covers(200, &["balanced"]);
    met.covers(
        100,
        &[
            "Host rule Block",
            "Network rule Block",
            "Tier rule Block",
            "isolation",
        ],
    );
    met.covers(100, &["Switch tie Block", "ICMPv6"]);
    met.covers(2_000, &["IPv6"]);
    met.covers(20, &KINDS_OF_RULES);
    met.covers(10, &QUESTIONS);
}

/// What every port on a flow's own way decides.
fn decisions_on(
    inquiry: &Inquiry<'_>,
    start: Start,
    flow: &Flow,
) -> HashMap<(Guid, Direction, Flow), Decision> {
    let explanation = inquiry.explain(start, flow);
    let all = explanation.judgements.into_iter();
    all.map(|own| ((own.endpoint, own.direction, own.flow), own.decision))
        .collect()
}

/// Holds the judgement on which an answer is said to hang against all of its way; whether it is one that is otherwise on the flow's own way.
///
/// Where the flow fares otherwise and ports that both ways cross decide otherwise, it is one of these, of those that do as the answer does if
/// there are such; of other answers the first that blocks, and of those without it the last.
fn is_told_where_it_hangs(
    world: &World,
    before: &HashMap<(Guid, Direction, Flow), Decision>,
    own: &Way,
    way: &Way,
    answer: Otherwise,
) -> Result<bool, TestCaseError> {
    type Told = (Guid, Direction, Decision, Option<String>);
    let told = |(port, direction, flow, ruling): (PortIndex, Direction, Flow, Ruling)| -> Told {
        let cause = world.switch.cause(port, direction, &flow, ruling);
        let endpoint = world.switch.ports[port.0 as usize].endpoint;
        let pointer = cause.rule.map(|rule| rule.pointer);
        (endpoint, direction, ruling.decision, pointer)
    };
    let is_turned = |judged: &(PortIndex, Direction, Flow, Ruling)| {
        let (port, direction, flow, ruling) = *judged;
        let endpoint = world.switch.ports[port.0 as usize].endpoint;
        let was = before.get(&(endpoint, direction, flow));
        was.is_some_and(|was| *was != ruling.decision)
    };
    let judged = way.judgements();
    let mut turned: Vec<Told> = judged
        .iter()
        .filter(|judged| is_turned(judged))
        .map(|judged| told(*judged))
        .collect();
    let wanted = match way.fate.is_allowed() {
        true => Decision::Allow,
        false => Decision::Block,
    };
    if turned.iter().any(|told| told.2 == wanted) {
        turned.retain(|told| told.2 == wanted);
    }
    let said = answer.last.map(|(endpoint, direction, cause)| {
        let pointer = cause.rule.map(|rule| rule.pointer);
        (endpoint, direction, pointer)
    });
    let is_said = |told: &Told| said == Some((told.0, told.1, told.3.clone()));
    if own.fate != way.fate && !turned.is_empty() {
        prop_assert!(turned.iter().any(is_said), "{said:?} of {turned:?}");
        return Ok(true);
    }
    let mut all = judged.into_iter().map(told);
    let expected = match way.fate.is_allowed() {
        true => all.next_back(),
        false => {
            let all: Vec<Told> = all.collect();
            let blocks = all.iter().find(|told| told.2 == Decision::Block);
            blocks.or(all.last()).cloned()
        }
    };
    match expected {
        Some(expected) => prop_assert!(is_said(&expected), "{said:?} for {expected:?}"),
        None => prop_assert_eq!(said, None),
    }
    Ok(false)
}

#[test]
fn other_semantics_say_of_a_flow_what_a_switch_compiled_with_them_says() {
    let met = try_each(1_000, &cases(10), |(scene, questions), met| {
        let documents = scene.documents();
        let semantics = &scene.read.semantics;
        let inquiry = Inquiry::new(&documents, semantics);
        let others = others_than(semantics);
        let worlds: Vec<World> = others
            .iter()
            .map(|other| World::compile(scene.under(other), &documents))
            .collect();
        for question in questions {
            let Some((start, flow)) = worlds[0].asked(question) else {
                continue;
            };
            let own = inquiry.way(start, &flow);
            for (world, answer) in worlds.iter().zip(inquiry.otherwise(start, &flow, &others)) {
                met.add("questions");
                let way = world.way(start, &flow)?;
                prop_assert_eq!(answer.fate, way.fate);
                met.add_if(way.fate != own.fate, "another answer");
                met.add_if(
                    is_told_where_it_hangs(
                        world,
                        &decisions_on(&inquiry, start, &flow),
                        &own,
                        &way,
                        answer,
                    )?,
                    "another answer by another judgement",
                );
            }
        }
        Ok(())
    });
    met.promises(10_000, &["questions"]);
    met.covers(
        1_000,
        &["another answer", "another answer by another judgement"],
    );
}

/// Semantics without each part that a version may lack, and without all of them.
fn without_parts(semantics: &Semantics) -> Vec<Semantics> {
    let one = Part::ALL.iter().map(|part| Parts::from_iter([*part]));
    let all = Parts::from_iter(Part::ALL.iter().copied());
    let lacking = |lacks| Semantics {
        lacks,
        ..semantics.clone()
    };
    one.chain([all]).map(lacking).collect()
}

/// The reading knows no versions, so here the switch that is compiled with the other semantics is the second opinion.
#[test]
fn what_a_version_lacks_changes_an_answer_as_it_changes_the_switch() {
    let cases = (cases(5), 0..Part::ALL.len() + 2);
    let met = try_each(500, &cases, |((scene, questions), turn), met| {
        let documents = scene.documents();
        let usual = &scene.read.semantics;
        let lacking = without_parts(usual);
        let everybody: Vec<&Semantics> = lacking.iter().chain([usual]).collect();
        let worlds: Vec<(Switch, Topology)> = everybody
            .iter()
            .map(|semantics| {
                let (switch, _) = Switch::compile(&documents, semantics);
                let topology = Topology::of(&switch, usize::MAX);
                (switch, topology)
            })
            .collect();
        let read = World::of(&scene);
        // In turn as the own ones and as others: what is lacked here may be there.
        let turns = everybody.iter().cycle();
        for (question, own) in questions.into_iter().zip(turns.skip(turn)) {
            let Some((start, flow)) = read.asked(question) else {
                continue;
            };
            let inquiry = Inquiry::new(&documents, own);
            let here = inquiry.way(start, &flow).fate;
            let answers = inquiry.otherwise(start, &flow, everybody.iter().copied());
            for ((switch, topology), answer) in worlds.iter().zip(answers) {
                prop_assert_eq!(answer.fate, switch.way(topology, start, &flow).fate);
                met.add("answers");
                met.add_if(answer.fate != here, "another answer");
            }
        }
        Ok(())
    });
    met.promises(10_000, &["answers"]);
    met.covers(100, &["another answer"]);
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
    (semantics, others): (&Semantics, &[Semantics]),
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
    let met = try_each(2_500, &cases(5), |(scene, questions), met| {
        let documents = scene.documents();
        let semantics = &scene.read.semantics;
        let others = others_than(semantics);
        let world = World::of(&scene);
        let inquiry = Inquiry::new(&documents, semantics);
        let outlines = outlines_of(&documents);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            met.add("questions");
            let whole = inquiry.explain_with(start, &flow, &others);
            let read = (semantics, &others[..]);
            let from_text = sieved(&documents, &outlines, (start, &flow), read);
            prop_assert_eq!(without_numbers(&whole), without_numbers(&from_text));
        }
        Ok(())
    });
    met.promises(10_000, &["questions"]);
}

#[test]
fn every_source_port_fares_as_the_answer_says_of_it() {
    let met = try_each(2_500, &cases(4), |(scene, questions), met| {
        let documents = scene.documents();
        let semantics = &scene.read.semantics;
        let world = World::of(&scene);
        let inquiry = Inquiry::new(&documents, semantics);
        let outlines = outlines_of(&documents);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            if !flow.protocol.has_ports() {
                continue;
            }
            let said = inquiry.explain(start, &flow);
            let (from_text, _) = sieved(&documents, &outlines, (start, &flow), (semantics, &[]));
            prop_assert_eq!(&from_text.source_ports, &said.source_ports);
            let own = said.way.fate;
            // The ends of every range that rules name in here, and their neighbours.
            for port in [
                1, 79, 80, 81, 441, 442, 443, 444, 1023, 1024, 8079, 8080, 8081, 32_767, 32_768,
                32_769, 49_151, 49_152, 65_535,
            ] {
                let from = Flow {
                    source_port: port,
                    ..flow
                };
                let mut sets = said.source_ports.iter();
                let of_port = sets.find(|ports| ports.contains(port));
                prop_assert_eq!(
                    world.way(start, &from)?.fate,
                    of_port.map_or(own, |ports| ports.fate),
                    "{}",
                    from
                );
                met.add("source ports");
            }
            met.add_if(!said.source_ports.is_empty(), "hangs on the source port");
        }
        Ok(())
    });
    met.promises(50_000, &["source ports"]);
    met.covers(50, &["hangs on the source port"]);
}

#[test]
fn a_report_counts_every_rule_that_was_asked_and_shows_the_one_that_decided() {
    let met = try_each(2_000, &cases(6), |(scene, questions), met: &mut Met| {
        let documents = scene.documents();
        let inquiry = Inquiry::new(&documents, &scene.read.semantics);
        let world = World::of(&scene);
        for question in questions {
            let Some((start, flow)) = world.asked(question) else {
                continue;
            };
            for judgement in inquiry.explain(start, &flow).judgements {
                met.add("judgements");
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
    met.promises(5_000, &["judgements"]);
}
