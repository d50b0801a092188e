// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections that stay open while the rules change (hns-behaviour 4.6, Q11: each flow is judged again).

use std::error::Error;

use crate::scene::{PAGE, Scene, acl_in, answer, base_allows, endpoint, endpoint_id, from};
use hcn_engine::{Direction, ProbeOutcome, ProbeSource, Protocol};
use hcn_simulated::FlowNotOpened;

const SERVER: &str = "172.19.6.74";

fn echo() -> Scene {
    let mut scene = Scene::nat();
    scene.serve_echo(2, Protocol::TCP, 7);
    scene
}

fn blocked() -> Vec<serde_json::Value> {
    let [allow_in, allow_out] = base_allows();
    vec![acl_in("Block", "7", 100), allow_in, allow_out]
}

#[test]
fn a_new_block_cuts_a_flow_that_was_open_and_a_new_allow_lets_it_go_on() {
    for source in [from(1), ProbeSource::Host] {
        let mut scene = echo();
        let flow = scene
            .wire
            .open_flow(source, SERVER.parse().unwrap(), 7, 3000)
            .unwrap();
        assert_eq!(
            answer(&scene.wire.exchange(flow, b"one ", 3000).unwrap()),
            b"one "
        );

        scene.set_policies(2, blocked());
        let report = scene.wire.exchange(flow, b"two ", 3000).unwrap();
        assert_eq!(report.outcome, ProbeOutcome::TimedOut);
        let drop = &report.drops[0];
        assert_eq!(
            (drop.endpoint, drop.direction),
            (endpoint_id(2), Direction::In)
        );
        assert_eq!(drop.cause.rule.as_ref().unwrap().pointer, "/Policies/0");
        // A new connection fares no better.
        assert_eq!(scene.get(source, SERVER, 7).outcome, ProbeOutcome::TimedOut);

        scene.set_policies(2, base_allows());
        // What was not delivered is sent again, as TCP does.
        let report = scene.wire.exchange(flow, b"three", 60_000).unwrap();
        assert_eq!(answer(&report), b"two three");
        scene.wire.close_flow(flow).unwrap();
    }
}

#[test]
fn a_rule_that_does_not_concern_a_flow_leaves_it_open() {
    let mut scene = echo();
    let flow = scene
        .wire
        .open_flow(from(1), SERVER.parse().unwrap(), 7, 3000)
        .unwrap();
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(2, [acl_in("Block", "80", 100), allow_in, allow_out]);
    assert_eq!(
        answer(&scene.wire.exchange(flow, b"still", 3000).unwrap()),
        b"still"
    );
    assert_eq!(
        scene.get(from(1), SERVER, 80).outcome,
        ProbeOutcome::TimedOut
    );
}

#[test]
fn requests_follow_each_other_over_one_connection() {
    let mut scene = Scene::nat();
    let flow = scene
        .wire
        .open_flow(from(1), SERVER.parse().unwrap(), 80, 3000)
        .unwrap();
    for _ in 0..3 {
        let report = scene
            .wire
            .exchange(flow, b"GET / HTTP/1.1\r\n\r\n", 3000)
            .unwrap();
        assert!(answer(&report).ends_with(PAGE));
    }
    // The server closes where it is asked to.
    let last = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert!(answer(&scene.wire.exchange(flow, last, 3000).unwrap()).ends_with(PAGE));
    scene.wire.close_flow(flow).unwrap();
}

#[test]
fn a_connection_that_is_not_accepted_tells_why() {
    let mut scene = echo();
    let destination = SERVER.parse().unwrap();
    let refused = scene.wire.open_flow(from(1), destination, 9, 3000);
    let Err(FlowNotOpened::NotAccepted(report)) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(report.outcome, ProbeOutcome::Refused);
    scene.set_policies(2, blocked());
    let Err(FlowNotOpened::NotAccepted(report)) =
        scene.wire.open_flow(from(1), destination, 7, 3000)
    else {
        panic!("it is blocked");
    };
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].endpoint, endpoint_id(2));
    let error = scene
        .wire
        .open_flow(from(9), destination, 7, 3000)
        .unwrap_err();
    assert!(matches!(error, FlowNotOpened::NotTried(_)));
    assert!(
        error
            .source()
            .is_some_and(|cause| cause.to_string().contains("no port"))
    );
    let error = scene
        .wire
        .open_flow(from(1), destination, 0, 3000)
        .unwrap_err();
    assert!(
        error
            .source()
            .is_some_and(|cause| cause.to_string().contains("port 0"))
    );
}

#[test]
fn a_flow_ends_with_its_container() {
    let mut scene = echo();
    let destination = SERVER.parse().unwrap();
    let flow = scene.wire.open_flow(from(1), destination, 7, 3000).unwrap();
    scene.remove(1);
    let error = scene.wire.exchange(flow, b"x", 3000).unwrap_err();
    assert!(
        error.to_string().contains("its container is gone"),
        "{error}"
    );
    assert!(scene.wire.close_flow(flow).is_err());
}

#[test]
fn a_flow_to_a_container_that_was_made_anew_is_reset() {
    let mut scene = echo();
    let destination = SERVER.parse().unwrap();
    let flow = scene.wire.open_flow(from(1), destination, 7, 3000).unwrap();
    scene.remove(2);
    scene.add(endpoint(2, 1, &["172.19.6.74/20"]));
    let report = scene.wire.exchange(flow, b"x", 3000).unwrap();
    assert_eq!(report.outcome, ProbeOutcome::Refused);
}

#[test]
fn stopping_a_service_resets_its_connections() {
    let mut scene = echo();
    let destination = SERVER.parse().unwrap();
    let flow = scene.wire.open_flow(from(1), destination, 7, 3000).unwrap();
    assert!(scene.wire.stop_listening(endpoint_id(2), Protocol::TCP, 7));
    let report = scene.wire.exchange(flow, b"x", 3000).unwrap();
    assert_eq!(report.outcome, ProbeOutcome::Refused);
}

#[test]
fn many_flows_live_side_by_side() {
    let mut scene = echo();
    let destination = SERVER.parse().unwrap();
    let flows: Vec<_> = (0..50)
        .map(|_| scene.wire.open_flow(from(1), destination, 7, 3000).unwrap())
        .collect();
    for (number, flow) in flows.iter().enumerate() {
        let said = format!("flow {number}");
        let report = scene.wire.exchange(*flow, said.as_bytes(), 3000).unwrap();
        assert_eq!(answer(&report), said.as_bytes());
        assert_eq!(report.drops, []);
    }
    // Only the flow that is asked about is counted, though fifty are open and cut.
    scene.set_policies(2, blocked());
    for flow in &flows {
        scene.wire.exchange(*flow, b"x", 10).unwrap();
    }
    let report = scene.get(from(1), SERVER, 7);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!((report.packets, report.drops.len()), (2, 2));
}
