// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host on the wire: its own traffic, the way between networks, and published ports.

use crate::scene::{
    PAGE, Scene, acl, acl_in, answer, base_allows, endpoint, endpoint_id, from, network,
    port_mapping,
};
use hcn_engine::{Direction, ProbeOutcome, ProbeSource, Protocol};
use serde_json::json;

const SERVER: &str = "172.19.6.74";
const GATEWAY: &str = "172.19.0.1";

/// Two NAT networks and a Private one: client 1 and server 2 on the first, 3 on the second, 4 and 5 on the Private one.
fn networks() -> Scene {
    let mut scene = Scene::new(
        vec![
            network(1, "NAT", &[("172.19.0.0/20", GATEWAY)]),
            network(2, "NAT", &[("10.2.0.0/16", "10.2.0.1")]),
            network(3, "Private", &[("10.3.0.0/16", "10.3.0.1")]),
        ],
        vec![
            endpoint(1, 1, &["172.19.3.166/20"]),
            endpoint(2, 1, &["172.19.6.74/20"]),
            endpoint(3, 2, &["10.2.0.5/16"]),
            endpoint(4, 3, &["10.3.0.4/16"]),
            endpoint(5, 3, &["10.3.0.5/16"]),
        ],
    );
    for number in 1..=5 {
        scene.serve_page(number, 80);
    }
    scene
}

#[test]
fn the_host_reaches_its_containers_and_is_subject_to_their_rules() {
    let mut scene = networks();
    for destination in [SERVER, "10.2.0.5"] {
        assert!(answer(&scene.get(ProbeSource::Host, destination, 80)).ends_with(PAGE));
    }
    let refused = scene.get(ProbeSource::Host, SERVER, 81);
    assert_eq!(refused.outcome, ProbeOutcome::Refused);
    let refused = scene.probe(ProbeSource::Host, SERVER, Protocol::UDP, 53, b"");
    assert_eq!(refused.outcome, ProbeOutcome::Refused);
    // hns-behaviour 4.8: what the node asks of a pod is subject to In rules, and comes from the node's address.
    let block = acl(json!({
        "Action": "Block", "Direction": "In", "RemoteAddresses": GATEWAY, "Priority": 100,
    }));
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(2, [block, allow_in, allow_out]);
    let report = scene.get(ProbeSource::Host, SERVER, 80);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].endpoint, endpoint_id(2));
    assert_eq!(report.drops[0].flow.source.to_string(), GATEWAY);
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn the_host_answers_at_its_addresses_and_refuses_what_nobody_published() {
    let mut scene = networks();
    for source in [from(1), from(3), ProbeSource::Host] {
        for destination in [GATEWAY, "10.2.0.1"] {
            let report = scene.probe(source, destination, Protocol::ICMP, 0, b"ping");
            assert_eq!(answer(&report), b"ping");
            let report = scene.get(source, destination, 8080);
            assert_eq!(report.outcome, ProbeOutcome::Refused);
            let report = scene.probe(source, destination, Protocol::UDP, 53, b"name?");
            assert_eq!(report.outcome, ProbeOutcome::Refused);
        }
    }
    let report = scene.probe(ProbeSource::Host, "127.0.0.1", Protocol::ICMP, 0, b"ping");
    assert_eq!(answer(&report), b"ping");
    assert_eq!(report.packets, 0);
}

#[test]
fn networks_are_joined_by_the_host() {
    let mut scene = networks();
    let report = scene.get(from(1), "10.2.0.5", 80);
    assert!(answer(&report).ends_with(PAGE));
    let ProbeOutcome::Answered { round_trip_us, .. } = report.outcome else {
        panic!("{report:?}");
    };
    // ARP for the gateway (2 hops), SYN to the host (1), ARP for the server (2), SYN (1), then three times two hops: SYN-ACK, GET, page.
    assert_eq!(round_trip_us, 12 * 50);
    assert_eq!(
        scene.get(from(1), "10.2.0.5", 81).outcome,
        ProbeOutcome::Refused
    );
    let report = scene.probe(from(1), "10.2.0.5", Protocol::UDP, 53, b"");
    assert_eq!(report.outcome, ProbeOutcome::Refused);
    let report = scene.probe(from(3), SERVER, Protocol::ICMP, 0, b"far");
    assert_eq!(answer(&report), b"far");
}

#[test]
fn a_rule_sees_the_other_network_as_it_is() {
    let mut scene = networks();
    let block = acl(json!({
        "Action": "Block", "Direction": "In", "RemoteAddresses": "172.19.0.0/20", "Priority": 100,
    }));
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(3, [block, allow_in, allow_out]);
    let report = scene.get(from(1), "10.2.0.5", 80);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].endpoint, endpoint_id(3));
    assert_eq!(report.drops[0].direction, Direction::In);
}

#[test]
fn a_private_network_is_for_its_containers_alone() {
    let mut scene = networks();
    assert!(answer(&scene.get(from(4), "10.3.0.5", 80)).ends_with(PAGE));
    for (source, destination) in [
        (from(1), "10.3.0.5"),
        (from(4), SERVER),
        (from(4), "10.3.0.1"),
        (ProbeSource::Host, "10.3.0.5"),
    ] {
        let report = scene.get(source, destination, 80);
        assert_eq!(report.outcome, ProbeOutcome::Unreachable, "{destination}");
    }
}

#[test]
fn the_same_addresses_may_be_on_two_networks() {
    let mut scene = Scene::new(
        vec![
            network(1, "Internal", &[("10.0.0.0/24", "10.0.0.1")]),
            network(2, "Private", &[("10.0.0.0/24", "10.0.0.1")]),
        ],
        vec![
            endpoint(1, 1, &["10.0.0.10/24"]),
            endpoint(2, 1, &["10.0.0.11/24"]),
            endpoint(3, 2, &["10.0.0.10/24"]),
            endpoint(4, 2, &["10.0.0.11/24"]),
        ],
    );
    scene.serve_page(2, 80);
    assert!(answer(&scene.get(from(1), "10.0.0.11", 80)).ends_with(PAGE));
    assert_eq!(
        scene.get(from(3), "10.0.0.11", 80).outcome,
        ProbeOutcome::Refused
    );
}

#[test]
fn subnets_of_one_network_are_joined_by_their_gateway() {
    let mut scene = Scene::new(
        vec![network(
            1,
            "L2Bridge",
            &[("10.0.1.0/24", "10.0.1.1"), ("10.0.2.0/24", "10.0.2.1")],
        )],
        vec![
            endpoint(1, 1, &["10.0.1.10/24"]),
            endpoint(2, 1, &["10.0.2.10/24"]),
        ],
    );
    scene.serve_page(2, 80);
    assert!(answer(&scene.get(from(1), "10.0.2.10", 80)).ends_with(PAGE));
}

#[test]
fn a_container_may_have_a_router_of_its_own() {
    // The gateway of CNI plugins on L2Bridge: x.x.x.2 beside the network's x.x.x.1 (hns-behaviour 5.2).
    let mut client = endpoint(1, 1, &["10.0.1.10/24"]);
    client["Routes"] = json!([{"NextHop": "10.0.1.2", "DestinationPrefix": "0.0.0.0/0"}]);
    let mut scene = Scene::new(
        vec![
            network(1, "L2Bridge", &[("10.0.1.0/24", "10.0.1.1")]),
            network(2, "NAT", &[("172.19.0.0/20", GATEWAY)]),
        ],
        vec![client, endpoint(2, 2, &["172.19.6.74/20"])],
    );
    scene.serve_page(2, 80);
    assert!(answer(&scene.get(from(1), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn a_network_without_gateway_ends_at_its_own_subnet() {
    let mut scene = Scene::new(
        vec![
            network(1, "Internal", &[("10.0.1.0/24", "")]),
            network(2, "NAT", &[("172.19.0.0/20", GATEWAY)]),
        ],
        vec![
            endpoint(1, 1, &["10.0.1.10/24"]),
            endpoint(2, 1, &["10.0.1.11/24"]),
            endpoint(3, 2, &["172.19.6.74/20"]),
        ],
    );
    scene.serve_page(2, 80);
    assert!(answer(&scene.get(from(1), "10.0.1.11", 80)).ends_with(PAGE));
    for (source, destination) in [(from(1), SERVER), (ProbeSource::Host, "10.0.1.11")] {
        let report = scene.get(source, destination, 80);
        assert_eq!(report.outcome, ProbeOutcome::Unreachable, "{destination}");
    }
}

#[test]
fn a_published_port_leads_to_the_container() {
    let mut scene = networks();
    scene.serve_echo(2, Protocol::UDP, 7);
    scene.set_policies(
        2,
        [
            port_mapping(Protocol::TCP, 8080, 80),
            port_mapping(Protocol::UDP, 7007, 7),
            port_mapping(Protocol::UDP, 9009, 9),
        ],
    );
    // From the host, from a container of another network, from one of the same network, and from the container itself.
    for source in [ProbeSource::Host, from(3), from(1), from(2)] {
        let report = scene.get(source, GATEWAY, 8080);
        assert!(answer(&report).ends_with(PAGE), "{source:?}");
        let report = scene.probe(source, GATEWAY, Protocol::UDP, 7007, b"mapped");
        assert_eq!(answer(&report), b"mapped", "{source:?}");
        // Nothing listens behind it: the container's refusal comes back as the host's.
        let report = scene.probe(source, GATEWAY, Protocol::UDP, 9009, b"mapped");
        assert_eq!(report.outcome, ProbeOutcome::Refused, "{source:?}");
        // The same number of another protocol is not published.
        let report = scene.probe(source, GATEWAY, Protocol::UDP, 8080, b"");
        assert_eq!(report.outcome, ProbeOutcome::Refused, "{source:?}");
    }
    assert!(answer(&scene.get(ProbeSource::Host, "10.2.0.1", 8080)).ends_with(PAGE));
    assert!(answer(&scene.get(ProbeSource::Host, "127.0.0.1", 8080)).ends_with(PAGE));
}

#[test]
fn in_rules_see_a_published_port_as_the_containers_own() {
    let mut scene = networks();
    // hns-behaviour 4.6: In rules see traffic after translation, so a rule about the host's port matches nothing.
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(
        2,
        [
            port_mapping(Protocol::TCP, 8080, 80),
            acl_in("Block", "8080", 100),
            allow_in.clone(),
            allow_out.clone(),
        ],
    );
    assert!(answer(&scene.get(from(3), GATEWAY, 8080)).ends_with(PAGE));
    scene.set_policies(
        2,
        [
            port_mapping(Protocol::TCP, 8080, 80),
            acl_in("Block", "80", 100),
            allow_in,
            allow_out,
        ],
    );
    let report = scene.get(from(3), GATEWAY, 8080);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].flow.destination.to_string(), SERVER);
    assert_eq!(report.drops[0].flow.destination_port, 80);
    assert_eq!(report.drops[0].flow.source.to_string(), "10.2.0.5");
}

#[test]
fn out_rules_see_a_published_port_as_the_hosts() {
    let mut scene = networks();
    scene.set_policies(2, [port_mapping(Protocol::TCP, 8080, 80)]);
    let block = acl(json!({
        "Action": "Block", "Direction": "Out", "Protocols": "6", "RemotePorts": "8080", "Priority": 100,
    }));
    let [allow_in, allow_out] = base_allows();
    scene.set_policies(3, [block, allow_in, allow_out]);
    let report = scene.get(from(3), GATEWAY, 8080);
    assert_eq!(report.outcome, ProbeOutcome::TimedOut);
    assert_eq!(report.drops[0].direction, Direction::Out);
    assert!(answer(&scene.get(from(3), SERVER, 80)).ends_with(PAGE));
}

#[test]
fn a_flow_through_a_published_port_ends_with_it() {
    let mut scene = networks();
    scene.serve_echo(2, Protocol::TCP, 7);
    scene.set_policies(2, [port_mapping(Protocol::TCP, 7007, 7)]);
    let flow = scene
        .wire
        .open_flow(from(3), GATEWAY.parse().unwrap(), 7007, 3000)
        .unwrap();
    assert_eq!(
        answer(&scene.wire.exchange(flow, b"one", 3000).unwrap()),
        b"one"
    );
    // The mapping stays although the documents change.
    scene.set_policies(
        2,
        [
            port_mapping(Protocol::TCP, 7007, 7),
            port_mapping(Protocol::TCP, 8080, 80),
        ],
    );
    assert_eq!(
        answer(&scene.wire.exchange(flow, b"two", 3000).unwrap()),
        b"two"
    );
    scene.set_policies(2, []);
    // Now the host itself is asked, which knows of no such connection.
    let report = scene.wire.exchange(flow, b"three", 3000).unwrap();
    assert_eq!(report.outcome, ProbeOutcome::Refused);
}

#[test]
fn a_mapping_that_leads_elsewhere_takes_no_flow_along() {
    let mut scene = networks();
    scene.serve_echo(2, Protocol::TCP, 7);
    scene.serve_echo(2, Protocol::TCP, 8);
    scene.set_policies(2, [port_mapping(Protocol::TCP, 7007, 7)]);
    let flow = scene
        .wire
        .open_flow(from(3), GATEWAY.parse().unwrap(), 7007, 3000)
        .unwrap();
    scene.set_policies(2, [port_mapping(Protocol::TCP, 7007, 8)]);
    let report = scene.wire.exchange(flow, b"x", 3000).unwrap();
    assert_eq!(report.outcome, ProbeOutcome::Refused);
}

#[test]
fn a_router_stays_on_the_network_that_it_was_asked_on() {
    // Two networks with the same two subnets, as two tenants may have.
    let subnets = [("10.0.1.0/24", "10.0.1.1"), ("10.0.2.0/24", "10.0.2.1")];
    let mut scene = Scene::new(
        vec![
            network(1, "L2Bridge", &subnets),
            network(2, "Overlay", &subnets),
        ],
        vec![
            endpoint(1, 1, &["10.0.1.10/24"]),
            endpoint(2, 1, &["10.0.2.10/24"]),
            endpoint(3, 2, &["10.0.1.10/24"]),
            endpoint(4, 2, &["10.0.2.10/24"]),
        ],
    );
    scene.serve_page(4, 80);
    assert_eq!(
        scene.get(from(1), "10.0.2.10", 80).outcome,
        ProbeOutcome::Refused
    );
    assert!(answer(&scene.get(from(3), "10.0.2.10", 80)).ends_with(PAGE));
}

#[test]
fn addresses_beyond_the_eighth_are_nobodys() {
    let addresses: Vec<String> = (10..20).map(|last| format!("10.0.0.{last}/24")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut scene = Scene::new(
        vec![network(1, "Internal", &[("10.0.0.0/24", "10.0.0.1")])],
        vec![endpoint(1, 1, &["10.0.0.2/24"]), endpoint(2, 1, &addresses)],
    );
    let eighth = scene.probe(from(1), "10.0.0.17", Protocol::ICMP, 0, b"8");
    assert_eq!(answer(&eighth), b"8");
    let ninth = scene.probe(from(1), "10.0.0.18", Protocol::ICMP, 0, b"9");
    assert_eq!(ninth.outcome, ProbeOutcome::Unreachable);
}
