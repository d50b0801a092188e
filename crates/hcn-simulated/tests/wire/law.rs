// SPDX-License-Identifier: MIT OR Apache-2.0
//! The law of the data plane: what the engine says of a flow is what happens to its packets, on random scenes.

use std::net::IpAddr;

use hcn_engine::{Decision, Flow, ProbeOutcome, ProbeReport, Protocol, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Scene, acl, endpoint, endpoint_id, from, network};

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

/// The rules of every container; most often with allows beneath, so that not everything is blocked.
fn policies() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let one = (prop::collection::vec(rule(), 0..5), 0..4).prop_map(|(mut rules, base)| {
        if base > 0 && !rules.is_empty() {
            rules.extend(crate::scene::base_allows());
        }
        rules
    });
    prop::collection::vec(one, CONTAINERS.len())
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

/// A flow as a container starts it.
fn flow(source: &str, destination: &str, protocol: Protocol, port: u16) -> Flow {
    let (source, destination): (IpAddr, IpAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let (protocol, port) = match (protocol, source) {
        (Protocol::ICMP, IpAddr::V6(_)) => (Protocol::ICMPV6, DYNAMIC_PORT),
        (Protocol::ICMP, IpAddr::V4(_)) => (Protocol::ICMP, DYNAMIC_PORT),
        _ => (protocol, port),
    };
    Flow {
        source,
        destination,
        protocol,
        source_port: DYNAMIC_PORT,
        destination_port: port,
    }
}

/// Every question of every container to every other, over IPv4 or IPv6.
fn flows() -> Vec<(u32, u32, Flow, bool)> {
    let mut flows = Vec::new();
    for (from, _, four, six) in CONTAINERS {
        for (to, _, to_four, to_six) in CONTAINERS.iter().filter(|other| other.0 != from) {
            for (protocol, port, answers) in QUESTIONS {
                // One family each, both in turn.
                let (source, destination) = if (from + to + u32::from(port)).is_multiple_of(3) {
                    (six, *to_six)
                } else {
                    (four, *to_four)
                };
                flows.push((
                    from,
                    *to,
                    flow(source, destination, protocol, port),
                    answers,
                ));
            }
        }
    }
    flows
}

/// Whether packets fared as the verdict says.
fn agrees(verdict: &Verdict, answers: bool, report: &ProbeReport) -> Result<(), TestCaseError> {
    match verdict.decision {
        Decision::Allow => {
            let as_said = match &report.outcome {
                ProbeOutcome::Answered { payload, .. } => answers && payload == b"hello",
                outcome => !answers && *outcome == ProbeOutcome::Refused,
            };
            prop_assert!(as_said, "{verdict:#?}\n{report:#?}");
            prop_assert!(report.drops.is_empty(), "{verdict:#?}\n{report:#?}");
        }
        Decision::Block => {
            prop_assert_eq!(&report.outcome, &ProbeOutcome::TimedOut, "{:#?}", verdict);
            let said = verdict.steps.last().expect("a port that blocked");
            let dropped = report.drops.first().expect("a drop");
            prop_assert_eq!(
                (said.endpoint, said.direction, &said.cause),
                (dropped.endpoint, dropped.direction, &dropped.cause)
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn packets_fare_as_the_engine_says(before in policies(), after in policies()) {
        let mut scene = scene();
        let mut open = Vec::new();
        for (round, policies) in [before, after].into_iter().enumerate() {
            scene.set_all_policies(CONTAINERS.map(|(number, ..)| number).into_iter().zip(policies));
            let switch = scene.switch.clone();
            // What was open before is judged by the new rules, as if it began now (hns-behaviour 4.6, Q11).
            for (flow, handle) in open.drain(..) {
                let report = scene.wire.exchange(handle, b"hello", 500).unwrap();
                agrees(&switch.verdict(&flow), true, &report)?;
            }
            for (number, _, flow, answers) in flows() {
                let report = scene.probe(
                    from(number),
                    &flow.destination.to_string(),
                    flow.protocol,
                    flow.destination_port,
                    b"hello",
                );
                let verdict = switch.verdict(&flow);
                agrees(&verdict, answers, &report)?;
                if round == 0 && flow.protocol == Protocol::TCP && answers && verdict.decision == Decision::Allow {
                    let handle = scene
                        .wire
                        .open_flow(from(number), flow.destination, flow.destination_port, 1000)
                        .expect("an allowed flow opens");
                    open.push((flow, handle));
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
        for source in [from(1), hcn_engine::ProbeSource::Host] {
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
    let (mut allowed, mut blocked) = (0u32, 0u32);
    for _ in 0..100 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        scene.set_all_policies(
            CONTAINERS
                .map(|(number, ..)| number)
                .into_iter()
                .zip(policies),
        );
        for (_, to, flow, _) in flows() {
            assert_ne!(scene.switch.port_of(endpoint_id(to)), None);
            match scene.switch.verdict(&flow).decision {
                Decision::Allow => allowed += 1,
                Decision::Block => blocked += 1,
            }
        }
    }
    // Otherwise the law above would show little.
    assert!(
        allowed > 1000 && blocked > 1000,
        "{allowed} allowed, {blocked} blocked"
    );
}
