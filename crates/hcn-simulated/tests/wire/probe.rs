// SPDX-License-Identifier: MIT OR Apache-2.0
//! Probes inside one network: what is answered, refused, dropped and out of reach, and that these are told apart.

use crate::scene::{
    PAGE, Scene, acl, acl_in, answer, base_allows, endpoint, endpoint_id, from, network,
};
use hcn_engine::{
    DataPlane, Direction, Probe, ProbeOutcome, ProbeSource, Protocol, verdict::Reason,
};
use serde_json::json;

const CLIENT: &str = "172.19.3.166";
const SERVER: &str = "172.19.6.74";

#[test]
fn a_web_server_answers_with_its_page() {
    let mut scene = Scene::nat();
    let report = scene.get(from(1), SERVER, 80);
    let text = String::from_utf8(answer(&report).to_vec()).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n<h1>Welcome</h1>"), "{text}");
    assert_eq!(report.drops, []);
}

#[test]
fn the_round_trip_is_the_hops_that_it_takes() {
    let mut scene = Scene::nat();
    let report = scene.get(from(1), SERVER, 80);
    let ProbeOutcome::Answered { round_trip_us, .. } = report.outcome else {
        panic!("{report:?}");
    };
    // ARP request and reply, SYN and SYN-ACK, GET and page: six hops of 50 µs.
    assert_eq!(round_trip_us, 300);
    // SYN, SYN-ACK, ACK; GET, page; FIN, ACK, FIN, ACK.
    assert_eq!(report.packets, 9);
    // Parting takes three hops more, and nobody waits with an acknowledgement.
    assert_eq!(scene.wire.time_us(), 450);
}

#[test]
fn a_connection_on_which_nothing_is_asked_is_answered_with_nothing() {
    let mut scene = Scene::nat();
    let report = scene.probe(from(1), SERVER, Protocol::TCP, 80, b"");
    assert_eq!(answer(&report), b"");
}

#[test]
fn a_page_of_many_segments_arrives_whole() {
    let mut scene = Scene::nat();
    let body: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
    let service = hcn_simulated::Service::Http {
        body: body.clone().into(),
    };
    scene
        .wire
        .listen(endpoint_id(2), Protocol::TCP, 8080, service)
        .unwrap();
    let report = scene.get(from(1), SERVER, 8080);
    assert!(answer(&report).ends_with(&body));
    assert!(answer(&report).len() < body.len() + 200);
}

#[test]
fn a_blocked_port_is_silent_and_the_drop_names_the_rule() {
    let mut scene = Scene::nat();
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(2, [allow_in, acl_in("Block", "80", 100), allow_out]);
    let report = scene.get(from(1), SERVER, 80);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    let drop = &report.drops[0];
    assert_eq!(drop.endpoint, endpoint_id(2));
    assert_eq!(drop.direction, Direction::In);
    assert_eq!(
        drop.flow.source,
        CLIENT.parse::<std::net::IpAddr>().unwrap()
    );
    assert_eq!(
        drop.flow.destination,
        SERVER.parse::<std::net::IpAddr>().unwrap()
    );
    assert_eq!(drop.flow.destination_port, 80);
    let rule = drop.cause.rule.as_ref().expect("a rule dropped it");
    assert_eq!(rule.object, endpoint_id(2));
    assert_eq!(rule.pointer, "/Policies/1");
}

#[test]
fn a_client_that_may_not_go_out_is_stopped_at_its_own_port() {
    let mut scene = Scene::nat();
    // Any ACL turns on the default deny, also outbound (hns-behaviour 4.3).
    scene.set_policies(1, [acl_in("Allow", "80", 100)]);
    let report = scene.get(from(1), SERVER, 80);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].endpoint, endpoint_id(1));
    assert_eq!(report.drops[0].direction, Direction::Out);
    assert_eq!(report.drops[0].cause.reason, Reason::Default);
}

#[test]
fn a_syn_is_sent_again_as_rfc_9293_has_it_and_every_drop_is_told() {
    let mut scene = Scene::nat();
    scene.set_policies(2, [acl_in("Block", "80", 100)]);
    let before = scene.wire.time_us();
    let report = scene.get(from(1), SERVER, 80);
    // RFC 6298: after one second, then after two more, which is just past the timeout that began before ARP did.
    assert_eq!((report.packets, report.drops.len()), (2, 2));
    assert_eq!(scene.wire.time_us() - before, 3_000_000);
}

#[test]
fn a_port_without_listener_is_refused_and_not_timed_out() {
    let mut scene = Scene::nat();
    let report = scene.get(from(1), SERVER, 81);
    assert_eq!(report.outcome, ProbeOutcome::Refused);
    assert_eq!(report.drops, []);
    let report = scene.probe(from(1), SERVER, Protocol::UDP, 53, b"name?");
    assert_eq!(report.outcome, ProbeOutcome::Refused);
    assert_eq!(report.drops, []);
}

#[test]
fn answers_need_no_rule_of_their_own() {
    let mut scene = Scene::nat();
    // Nothing but TCP 80 may come in, nothing may go out: the page goes out as part of the flow that came in (hns-behaviour 4.6).
    scene.set_policies(2, [acl_in("Allow", "80", 100)]);
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
    // The server itself may ask nobody.
    scene.serve_page(1, 80);
    assert_eq!(
        scene.get(from(2), CLIENT, 80).outcome,
        ProbeOutcome::TimedOut
    );
}

#[test]
fn a_refusal_passes_back_where_the_question_was_allowed() {
    let mut scene = Scene::nat();
    let allow = |protocol: &str| {
        acl(json!({"Action": "Allow", "Direction": "In", "Protocols": protocol, "Priority": 100}))
    };
    scene.set_policies(2, [allow("6"), allow("17")]);
    assert_eq!(
        scene.get(from(1), SERVER, 81).outcome,
        ProbeOutcome::Refused
    );
    // The answer is ICMP, for which there is no rule: it belongs to the datagram that it quotes.
    let report = scene.probe(from(1), SERVER, Protocol::UDP, 53, b"name?");
    assert_eq!(report.outcome, ProbeOutcome::Refused);
    assert_eq!(report.drops, []);
}

#[test]
fn udp_is_echoed_and_blocked_by_its_own_rules() {
    let mut scene = Scene::nat();
    scene.serve_echo(2, Protocol::UDP, 7);
    assert_eq!(
        answer(&scene.probe(from(1), SERVER, Protocol::UDP, 7, b"hello")),
        b"hello"
    );
    assert_eq!(
        answer(&scene.probe(from(1), SERVER, Protocol::UDP, 7, b"")),
        b""
    );
    let [allow_in, allow_out] = base_allows();
    let block = acl(json!({
        "Action": "Block", "Direction": "In", "Protocols": "17", "LocalPorts": "7", "Priority": 100,
    }));
    scene.set_policies(2, [block, allow_in, allow_out]);
    let report = scene.probe(from(1), SERVER, Protocol::UDP, 7, b"hello");
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!((report.packets, report.drops.len()), (1, 1));
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn tcp_is_echoed_as_it_came() {
    let mut scene = Scene::nat();
    scene.serve_echo(2, Protocol::TCP, 7);
    let bytes: Vec<u8> = (0..30_000u32).map(|n| n as u8).collect();
    assert_eq!(
        answer(&scene.probe(from(1), SERVER, Protocol::TCP, 7, &bytes)),
        bytes
    );
}

#[test]
fn every_container_and_the_host_answer_echo_requests() {
    let mut scene = Scene::nat();
    for destination in [SERVER, CLIENT, "172.19.0.1", "127.0.0.1"] {
        let report = scene.probe(from(1), destination, Protocol::ICMP, 0, b"12345678");
        assert_eq!(answer(&report), b"12345678", "{destination}");
    }
    let report = scene.probe(ProbeSource::Host, SERVER, Protocol::ICMP, 0, b"");
    assert_eq!(answer(&report), b"");
}

#[test]
fn an_echo_is_blocked_by_protocol_one() {
    let mut scene = Scene::nat();
    let [allow_in, allow_out] = base_allows();
    let block = acl(json!({
        "Action": "Block", "Direction": "In", "Protocols": "1", "Priority": 100,
    }));
    scene.set_policies(2, [block, allow_in, allow_out]);
    let report = scene.probe(from(1), SERVER, Protocol::ICMP, 0, b"x");
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].flow.protocol, Protocol::ICMP);
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn what_a_container_says_to_itself_never_crosses_its_port() {
    let mut scene = Scene::nat();
    scene.serve_echo(2, Protocol::UDP, 7);
    let block = |direction: &str| acl(json!({"Action": "Block", "Direction": direction}));
    scene.set_policies(2, [block("In"), block("Out")]);
    for destination in [SERVER, "127.0.0.1"] {
        let report = scene.get(from(2), destination, 80);
        assert!(answer(&report).ends_with(PAGE));
        assert_eq!(report.packets, 0);
        let report = scene.probe(from(2), destination, Protocol::UDP, 7, b"me");
        assert_eq!(answer(&report), b"me");
        let report = scene.get(from(2), destination, 81);
        assert_eq!(report.outcome, ProbeOutcome::Refused);
    }
}

#[test]
fn ipv6_is_spoken_like_ipv4_and_judged_by_its_own_rules() {
    let mut scene = Scene::new(
        vec![network(
            1,
            "L2Bridge",
            &[("10.1.0.0/16", "10.1.0.1"), ("fd00:1::/64", "fd00:1::1")],
        )],
        vec![
            endpoint(1, 1, &["10.1.0.10/16", "fd00:1::10/64"]),
            endpoint(2, 1, &["10.1.0.11/16", "fd00:1::11/64"]),
        ],
    );
    scene.serve_page(2, 80);
    scene.serve_echo(2, Protocol::UDP, 7);
    assert!(answer(&scene.get(from(1), "fd00:1::11", 80)).ends_with(PAGE));
    assert_eq!(
        scene.get(from(1), "fd00:1::11", 81).outcome,
        ProbeOutcome::Refused
    );
    assert_eq!(
        answer(&scene.probe(from(1), "fd00:1::11", Protocol::UDP, 7, b"six")),
        b"six"
    );
    let refused = scene.probe(from(1), "fd00:1::11", Protocol::UDP, 8, b"six");
    assert_eq!(refused.outcome, ProbeOutcome::Refused);
    for destination in ["fd00:1::11", "fd00:1::1", "fd00:1::10", "::1"] {
        let report = scene.probe(from(1), destination, Protocol::ICMPV6, 0, b"ping");
        assert_eq!(answer(&report), b"ping", "{destination}");
    }
    assert!(answer(&scene.get(ProbeSource::Host, "fd00:1::11", 80)).ends_with(PAGE));
    assert!(answer(&scene.get(from(2), "fd00:1::11", 80)).ends_with(PAGE));

    let [allow_in, allow_out] = base_allows();
    let block = acl(json!({
        "Action": "Block", "Direction": "In", "RemoteAddresses": "fd00:1::/64", "Priority": 100,
    }));
    scene.set_policies(2, [block, allow_in, allow_out]);
    assert_eq!(
        scene.get(from(1), "fd00:1::11", 80).outcome,
        ProbeOutcome::TimedOut
    );
    assert!(answer(&scene.get(from(1), "10.1.0.11", 80)).ends_with(PAGE));
}

#[test]
fn an_address_that_nobody_has_is_unreachable_after_the_neighbour_does_not_answer() {
    let mut scene = Scene::nat();
    let report = scene.get(from(1), "172.19.9.9", 80);
    assert_eq!(report.outcome, ProbeOutcome::Unreachable);
    assert_eq!((report.packets, report.drops.len()), (0, 0));
    // Off the network the gateway answers for it.
    let report = scene.probe(from(1), "8.8.8.8", Protocol::UDP, 53, b"name?");
    assert_eq!(report.outcome, ProbeOutcome::Unreachable);
    assert_eq!(
        scene.get(ProbeSource::Host, "8.8.8.8", 80).outcome,
        ProbeOutcome::Unreachable
    );
    assert_eq!(
        scene.get(ProbeSource::Host, "172.19.9.9", 80).outcome,
        ProbeOutcome::Unreachable
    );
}

#[test]
fn giving_up_on_a_neighbour_takes_three_requests() {
    let mut scene = Scene::nat();
    let probe = Probe {
        source: from(1),
        destination: "172.19.9.9".parse().unwrap(),
        protocol: Protocol::ICMP,
        port: 0,
        payload: Vec::new(),
        timeout_ms: 60_000,
    };
    let report = scene.wire.probe(&probe).unwrap();
    assert_eq!(report.outcome, ProbeOutcome::Unreachable);
    assert_eq!(scene.wire.time_us(), 3_000_000);
}

#[test]
fn a_probe_that_cannot_be_sent_is_an_error_with_a_sentence() {
    let mut scene = Scene::nat();
    let probe = |source, destination: &str, protocol, port, length| Probe {
        source,
        destination: destination.parse().unwrap(),
        protocol,
        port,
        payload: vec![0; length],
        timeout_ms: 1000,
    };
    for (probe, words) in [
        (
            probe(from(9), SERVER, Protocol::TCP, 80, 0),
            "has no port on this host",
        ),
        (
            probe(from(1), "fd00::1", Protocol::TCP, 80, 0),
            "no IPv6 address",
        ),
        (
            probe(from(1), "224.0.0.1", Protocol::UDP, 80, 0),
            "not the address of one machine",
        ),
        (
            probe(from(1), "255.255.255.255", Protocol::UDP, 80, 0),
            "not the address of one machine",
        ),
        (
            probe(from(1), "::", Protocol::TCP, 80, 0),
            "not the address of one machine",
        ),
        (probe(from(1), SERVER, Protocol::TCP, 0, 0), "port 0"),
        (probe(from(1), SERVER, Protocol::SCTP, 80, 0), "not sctp"),
        (
            probe(from(1), SERVER, Protocol::ICMPV6, 0, 0),
            "asked with icmp",
        ),
        (probe(from(1), SERVER, Protocol::UDP, 80, 1473), "1472 do"),
    ] {
        let error = scene.wire.probe(&probe).unwrap_err();
        assert!(error.to_string().contains(words), "{error} has {words}");
    }
    // The longest datagram and echo that fit are carried.
    scene.serve_echo(2, Protocol::UDP, 7);
    let whole = vec![7; 1472];
    assert_eq!(
        answer(&scene.probe(from(1), SERVER, Protocol::UDP, 7, &whole)),
        whole
    );
    assert_eq!(
        answer(&scene.probe(from(1), SERVER, Protocol::ICMP, 0, &whole)),
        whole
    );
}

#[test]
fn a_service_listens_at_tcp_and_udp_ports_of_endpoints_that_are_there() {
    let mut scene = Scene::nat();
    let page = hcn_simulated::Service::Http { body: PAGE.into() };
    for (number, protocol, port, words) in [
        (9, Protocol::TCP, 80, "has no port on this host"),
        (2, Protocol::TCP, 0, "port 0"),
        (2, Protocol::UDP, 80, "TCP ports only"),
        (2, Protocol::ICMP, 1, "not at icmp"),
    ] {
        let error = scene
            .wire
            .listen(endpoint_id(number), protocol, port, page.clone())
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error} has {words}");
    }
    assert!(scene.wire.stop_listening(endpoint_id(2), Protocol::TCP, 80));
    assert!(!scene.wire.stop_listening(endpoint_id(2), Protocol::TCP, 80));
    assert_eq!(
        scene.get(from(1), SERVER, 80).outcome,
        ProbeOutcome::Refused
    );
    scene.serve_page(2, 80);
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn a_service_ends_with_its_endpoint() {
    let mut scene = Scene::nat();
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
    scene.remove(2);
    assert_eq!(
        scene.get(from(1), SERVER, 80).outcome,
        ProbeOutcome::Unreachable
    );
    scene.add(endpoint(2, 1, &["172.19.6.74/20"]));
    assert_eq!(
        scene.get(from(1), SERVER, 80).outcome,
        ProbeOutcome::Refused
    );
}

#[test]
fn a_service_stays_when_the_card_is_another() {
    let mut scene = Scene::nat();
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
    scene.set_mac_address(2, "00-15-5D-FF-FF-FF");
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn mac_addresses_that_are_no_machines_do_not_hinder() {
    let mut scene = Scene::nat();
    // None, a group's, and the client's own.
    for mac in [
        "00-00-00-00-00-00",
        "01-00-5E-00-00-01",
        "00-15-5D-00-00-01",
    ] {
        scene.set_mac_address(2, mac);
        assert!(
            answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE),
            "{mac}"
        );
    }
}

#[test]
fn the_same_calls_give_the_same_reports() {
    let run = || {
        let mut scene = Scene::nat();
        scene.serve_echo(2, Protocol::UDP, 7);
        let mut reports = vec![
            scene.get(from(1), SERVER, 80),
            scene.get(from(1), SERVER, 81),
            scene.probe(from(1), SERVER, Protocol::UDP, 7, b"x"),
            scene.get(ProbeSource::Host, SERVER, 80),
            scene.get(from(1), "172.19.9.9", 80),
        ];
        scene.set_policies(2, [acl_in("Block", "80", 100)]);
        reports.push(scene.get(from(1), SERVER, 80));
        (reports, scene.wire.time_us())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_probe_does_not_depend_on_those_before_it() {
    let mut scene = Scene::nat();
    let first = scene.get(from(1), SERVER, 80);
    // More neighbours than a stack remembers, and some that do not answer.
    for last in 2..40 {
        scene.add(endpoint(100 + last, 1, &[&format!("172.19.0.{last}/20")]));
    }
    for last in 2..60 {
        scene.probe(from(1), &format!("172.19.0.{last}"), Protocol::ICMP, 0, b"");
        if last < 40 {
            let closed = scene.probe(from(100 + last), SERVER, Protocol::UDP, 9, b"");
            assert_eq!(closed.outcome, ProbeOutcome::Refused, "{last}");
        }
    }
    let again = scene.get(from(1), SERVER, 80);
    assert_eq!(again, first);
}
