// SPDX-License-Identifier: MIT OR Apache-2.0
//! The law of the data plane: what the engine says of a flow is what happens to its packets, on random scenes.

use std::net::IpAddr;

use hcn_engine::{
    Flow, ProbeOutcome, ProbeReport, ProbeSource, Protocol, Start, Switch, Topology, Way,
    way::{Fate, Receiver},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Scene, acl, endpoint, endpoint_id, from, network, port_mapping};

/// Containers of a scene: number, network, IPv4 address, IPv6 address.
const CONTAINERS: [(u32, u32, &str, &str); 4] = [
    (1, 1, "10.1.0.10", "fd00:1::10"),
    (2, 1, "10.1.0.11", "fd00:1::11"),
    (3, 1, "10.1.0.200", "fd00:1::200"),
    (4, 2, "10.2.0.10", "fd00:2::10"),
];

/// What is asked: protocol, port, whether something answers there.
const QUESTIONS: [(Protocol, u16, bool); 5] = [
    (Protocol::TCP, 80, true),
    (Protocol::TCP, 81, false),
    (Protocol::UDP, 7, true),
    (Protocol::UDP, 9, false),
    (Protocol::ICMP, 0, true),
];

/// A dynamic port; no rule of a scene tells one from another.
const DYNAMIC_PORT: u16 = 50_000;

fn addresses() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "10.1.0.10",
        "10.1.0.0/24",
        "10.1.0.0/25,10.2.0.0/16",
        "10.2.0.10",
        "fd00:1::/64",
        "fd00:1::11,10.1.0.11",
        "0.0.0.0/0",
    ])
}

fn ports() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "80",
        "81",
        "7,80",
        "9",
        "1-1023",
        "49152-65535",
    ])
}

/// A random ACL, of which every kind of field is set or left out.
fn rule() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(vec!["Allow", "Allow", "Block"]),
        prop::sample::select(vec!["In", "Out"]),
        prop::sample::select(vec!["", "", "6", "17", "1", "58", "6,17"]),
        (addresses(), addresses(), ports(), ports()),
        prop::sample::select(vec![0, 100, 200, 65500]),
        prop::sample::select(vec!["", "", "Switch", "Host"]),
    )
        .prop_map(
            |(
                action,
                direction,
                protocols,
                (local, remote, local_ports, remote_ports),
                priority,
                kind,
            )| {
                let mut settings = json!({"Action": action, "Direction": direction});
                for (key, value) in [
                    ("Protocols", protocols),
                    ("LocalAddresses", local),
                    ("RemoteAddresses", remote),
                    ("LocalPorts", local_ports),
                    ("RemotePorts", remote_ports),
                    ("RuleType", kind),
                ] {
                    if !value.is_empty() {
                        settings[key] = json!(value);
                    }
                }
                if priority != 0 {
                    settings["Priority"] = json!(priority);
                }
                acl(settings)
            },
        )
}

/// Addresses that no container has: the host's, those of published ports, one that nobody has, one beyond the host.
const PLACES: [&str; 6] = [
    "10.1.0.1",
    "10.2.0.1",
    "fd00:1::1",
    "10.2.0.99",
    "8.8.8.8",
    "fd00:9::9",
];

/// What is asked of them beside the questions to containers: published ports, of which nothing listens behind the last.
const PUBLISHED: [(Protocol, u16); 3] = [
    (Protocol::TCP, 8080),
    (Protocol::UDP, 7007),
    (Protocol::TCP, 8181),
];

/// The rules of every container, and what it publishes; most often with allows beneath, so that not everything is blocked.
fn policies() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let one = (prop::collection::vec(rule(), 0..5), 0..4).prop_map(|(mut rules, base)| {
        if base > 0 && !rules.is_empty() {
            rules.extend(crate::scene::base_allows());
        }
        rules
    });
    prop::collection::vec(one, CONTAINERS.len()).prop_map(|mut policies| {
        policies[1].insert(0, port_mapping(Protocol::TCP, 8080, 80));
        policies[3].push(port_mapping(Protocol::UDP, 7007, 7));
        policies[3].push(port_mapping(Protocol::TCP, 8181, 81));
        policies
    })
}

fn scene() -> Scene {
    let mut scene = Scene::new(
        vec![
            network(
                1,
                "L2Bridge",
                &[("10.1.0.0/24", "10.1.0.1"), ("fd00:1::/64", "fd00:1::1")],
            ),
            network(
                2,
                "NAT",
                &[("10.2.0.0/16", "10.2.0.1"), ("fd00:2::/64", "fd00:2::1")],
            ),
        ],
        CONTAINERS
            .iter()
            .map(|(number, network, four, six)| {
                let length = if *network == 1 { 24 } else { 16 };
                endpoint(
                    *number,
                    *network,
                    &[&format!("{four}/{length}"), &format!("{six}/64")],
                )
            })
            .collect(),
    );
    for (number, ..) in CONTAINERS {
        scene.serve_echo(number, Protocol::TCP, 80);
        scene.serve_echo(number, Protocol::UDP, 7);
    }
    scene
}

/// What the engine says of the packets of a switch.
struct Judge {
    switch: std::sync::Arc<Switch>,
    topology: Topology,
}

impl Judge {
    fn of(scene: &Scene) -> Judge {
        Judge {
            switch: scene.switch.clone(),
            topology: Topology::of(&scene.switch, usize::MAX),
        }
    }

    /// The way of what a sender asks, with a source port that no rule of a scene tells from another; none where the sender has no address.
    fn way(&self, question: &Question) -> Option<Way> {
        let start = match question.sender {
            Some(number) => Start::Port(self.switch.port_of(endpoint_id(number))?),
            None => Start::Host,
        };
        let source = self
            .switch
            .source_towards(&self.topology, start, question.destination)?;
        let flow = Flow {
            source,
            destination: question.destination,
            protocol: question.protocol,
            source_port: DYNAMIC_PORT,
            destination_port: if question.protocol.has_ports() {
                question.port
            } else {
                DYNAMIC_PORT
            },
        };
        Some(self.switch.way(&self.topology, start, &flow))
    }
}

/// What is asked of whom.
#[derive(Clone, Copy, Debug)]
struct Question {
    /// A container's number; none for the host.
    sender: Option<u32>,
    destination: IpAddr,
    protocol: Protocol,
    port: u16,
}

impl Question {
    fn new(sender: Option<u32>, destination: &str, protocol: Protocol, port: u16) -> Self {
        let destination: IpAddr = destination.parse().unwrap();
        let protocol = match (protocol, destination) {
            (Protocol::ICMP, IpAddr::V6(_)) => Protocol::ICMPV6,
            (protocol, _) => protocol,
        };
        Question {
            sender,
            destination,
            protocol,
            port,
        }
    }

    fn source(&self) -> ProbeSource {
        self.sender.map_or(ProbeSource::Host, from)
    }
}

/// Every question of every container and of the host to every container, over IPv4 or IPv6, and to places that are no containers.
fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    let senders = CONTAINERS.iter().map(|(number, ..)| Some(*number));
    for sender in senders.chain([None]) {
        for (to, _, to_four, to_six) in CONTAINERS {
            for (protocol, port, _) in QUESTIONS {
                // One family each, both in turn.
                let turn = sender.unwrap_or(0) + to + u32::from(port);
                let destination = match turn.is_multiple_of(3) {
                    true => to_six,
                    false => to_four,
                };
                questions.push(Question::new(sender, destination, protocol, port));
            }
        }
        for place in PLACES {
            let asked = QUESTIONS.map(|(protocol, port, _)| (protocol, port));
            for (protocol, port) in asked.into_iter().chain(PUBLISHED) {
                questions.push(Question::new(sender, place, protocol, port));
            }
        }
    }
    questions
}

/// Whether a container answers what arrives at it.
fn answers(flow: &Flow) -> bool {
    match flow.protocol {
        Protocol::ICMP | Protocol::ICMPV6 => true,
        protocol => QUESTIONS.contains(&(protocol, flow.destination_port, true)),
    }
}

/// Whether packets fared as the engine says.
fn agrees(way: &Way, report: &ProbeReport) -> Result<(), TestCaseError> {
    let arrived = way.judgements().last().map_or(way.flow, |judged| judged.2);
    match way.fate {
        Fate::Arrives(receiver) => {
            let answers = match receiver {
                Receiver::Port(_) => answers(&arrived),
                // Nothing listens on the host.
                Receiver::Host => !arrived.protocol.has_ports(),
            };
            let as_said = match &report.outcome {
                ProbeOutcome::Answered { payload, .. } => answers && payload == b"hello",
                outcome => !answers && *outcome == ProbeOutcome::Refused,
            };
            prop_assert!(as_said, "{way:#?}\n{report:#?}");
            prop_assert!(report.drops.is_empty(), "{way:#?}\n{report:#?}");
        }
        Fate::Leaves | Fate::Unreachable(_) => {
            prop_assert_eq!(&report.outcome, &ProbeOutcome::Unreachable, "{:#?}", way);
            prop_assert!(report.drops.is_empty(), "{way:#?}\n{report:#?}");
        }
        Fate::Dropped => {
            prop_assert_eq!(&report.outcome, &ProbeOutcome::TimedOut, "{:#?}", way);
        }
        Fate::Balanced { .. } => prop_assert!(false, "no load balancer is in a scene"),
    }
    Ok(())
}

/// Whether the drop that was seen is the one that the engine speaks of.
fn dropped_as_said(judge: &Judge, way: &Way, report: &ProbeReport) -> Result<(), TestCaseError> {
    if way.fate == Fate::Dropped {
        let (port, direction, flow, ruling) = way.judgements().pop().expect("a port that blocked");
        let dropped = report.drops.first().expect("a drop");
        prop_assert_eq!(
            (
                judge.switch.ports[port.0 as usize].endpoint,
                direction,
                &judge.switch.cause(port, direction, &flow, ruling)
            ),
            (dropped.endpoint, dropped.direction, &dropped.cause)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn packets_fare_as_the_engine_says(before in policies(), after in policies()) {
        let mut scene = scene();
        let mut open = Vec::new();
        for (round, policies) in [before, after].into_iter().enumerate() {
            scene.set_all_policies(CONTAINERS.map(|(number, ..)| number).into_iter().zip(policies));
            let judge = Judge::of(&scene);
            // What was open before is judged by the new rules, as if it began now (hns-behaviour 4.6, Q11).
            for (question, handle) in open.drain(..) {
                let report = scene.wire.exchange(handle, b"hello", 500).unwrap();
                let way = judge.way(&question).expect("it had an address");
                agrees(&way, &report)?;
                dropped_as_said(&judge, &way, &report)?;
            }
            for question in questions() {
                let Some(way) = judge.way(&question) else {
                    continue;
                };
                let report = scene.probe(
                    question.source(),
                    &question.destination.to_string(),
                    question.protocol,
                    question.port,
                    b"hello",
                );
                agrees(&way, &report)?;
                dropped_as_said(&judge, &way, &report)?;
                let opens = round == 0
                    && question.protocol == Protocol::TCP
                    && matches!(report.outcome, ProbeOutcome::Answered { .. });
                if opens {
                    let handle = scene
                        .wire
                        .open_flow(question.source(), question.destination, question.port, 1000)
                        .expect("an allowed flow opens");
                    open.push((question, handle));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_payload_and_no_address_makes_a_probe_panic(
        destination in any::<[u8; 16]>(),
        four in any::<bool>(),
        protocol in any::<u8>(),
        port in any::<u16>(),
        payload in prop::collection::vec(any::<u8>(), 0..1600),
    ) {
        let mut scene = scene();
        let destination = if four {
            IpAddr::from([destination[0], destination[1], destination[2], destination[3]])
        } else {
            IpAddr::from(destination)
        };
        for source in [from(1), ProbeSource::Host] {
            let probe = hcn_engine::Probe {
                source,
                destination,
                protocol: Protocol(protocol % 20),
                port,
                payload: payload.clone(),
                timeout_ms: 100,
            };
            // An outcome or an error: both are answers.
            let _ = hcn_engine::DataPlane::probe(&mut scene.wire, &probe);
        }
        // The network is whole afterwards.
        let report = scene.probe(from(1), CONTAINERS[1].2, Protocol::UDP, 7, &payload[..payload.len().min(1400)]);
        prop_assert!(matches!(report.outcome, ProbeOutcome::Answered { .. }), "{report:?}");
    }
}

#[test]
fn random_scenes_are_neither_all_allowed_nor_all_blocked() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut scene = scene();
    let (mut allowed, mut blocked, mut elsewhere) = (0u32, 0u32, 0u32);
    for _ in 0..100 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        scene.set_all_policies(
            CONTAINERS
                .map(|(number, ..)| number)
                .into_iter()
                .zip(policies),
        );
        let judge = Judge::of(&scene);
        for way in questions().iter().filter_map(|asked| judge.way(asked)) {
            match way.fate {
                Fate::Arrives(_) => allowed += 1,
                Fate::Dropped => blocked += 1,
                Fate::Leaves | Fate::Unreachable(_) | Fate::Balanced { .. } => elsewhere += 1,
            }
        }
    }
    // Otherwise the law above would show little.
    assert!(
        allowed > 1000 && blocked > 1000 && elsewhere > 500,
        "{allowed} allowed, {blocked} blocked, {elsewhere} elsewhere"
    );
}
