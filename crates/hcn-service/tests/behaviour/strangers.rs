// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rule sets that Calico and Azure NPM state, or that are derived from what they state, sent as each of them sends rules, and judged by the
//! documents that HNS gives back.

use hcn_api::{Hns, Kind};
use hcn_engine::{Decision, Direction, Documents, Flow, Protocol, Semantics, Switch};
use hcn_schema::{Document, Endpoint, Guid, Network};
use serde_json::{Value, json};
use testkit::oracle::{Case, Packet, Standing, cases_that_are};

use crate::scene::{Scene, V2, acl, subnetted};

/// A network with the case's sets, and its endpoint without rules.
fn scene(case: &Case) -> (Scene, Guid) {
    let scene = Scene::new();
    let network = scene.network(subnetted("L2Bridge", "n", "0.0.0.0/0", "10.255.255.254"));
    for set in &case.sets {
        let policies = json!([{"Type": "SetPolicy", "Settings": set}]);
        let request = json!({"ResourceType": "Policy", "RequestType": "Add", "Settings": {"Policies": policies}});
        scene.modify(Kind::Network, network, &request).unwrap();
    }
    let document = json!({"IpConfigurations": [{"IpAddress": case.endpoint}]});
    let endpoint = scene.endpoint(network, document);
    (scene, endpoint)
}

/// Azure NPM's way: v2 requests of type Add, of at most thirty rules.
fn add(scene: &Scene, endpoint: Guid, case: &Case) {
    for rules in case.rules.chunks(30) {
        let rules: Vec<Value> = rules.iter().map(|rule| acl(rule.clone())).collect();
        scene.policies(endpoint, "Add", rules.into()).unwrap();
    }
}

/// Calico's way: a v1 request that says one protocol in a number, 256 for any.
fn post(scene: &Scene, endpoint: Guid, case: &Case) {
    let rules = case.rules.iter().map(|rule| {
        let mut rule = rule.clone();
        let members = rule.as_object_mut().unwrap();
        let protocol = members.remove("Protocols");
        let protocol = protocol.as_ref().and_then(Value::as_str).unwrap_or("256");
        let protocol = protocol.parse::<u16>().unwrap_or(256);
        members.insert("Protocol".to_owned(), protocol.into());
        members.insert("Type".to_owned(), "ACL".into());
        rule
    });
    let request = json!({"Policies": rules.collect::<Vec<Value>>()});
    scene.call(
        "POST",
        &format!("/endpoints/{endpoint}"),
        &request.to_string(),
    );
}

/// Packets that fare otherwise than the case states, by the documents of the service.
fn otherwise(scene: &Scene, endpoint: Guid, case: &Case, way: &str) -> Vec<String> {
    let list = |kind| scene.service.list(kind, V2).unwrap();
    let documents = Documents {
        networks: list(Kind::Network)
            .iter()
            .map(|text| Network::from_json(text).unwrap())
            .collect(),
        endpoints: list(Kind::Endpoint)
            .iter()
            .map(|text| Endpoint::from_json(text).unwrap())
            .collect(),
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, &Semantics::default());
    assert_eq!(faults, [], "{} {way}", case.name);
    let port = switch.port_of(endpoint).unwrap();
    let fares_otherwise = |(packet, passes): &&(Packet, bool)| {
        let direction = match packet.is_in {
            true => Direction::In,
            false => Direction::Out,
        };
        let flow = Flow {
            source: packet.source.0,
            destination: packet.destination.0,
            protocol: Protocol::from_text(&packet.protocol).unwrap(),
            source_port: packet.source.1,
            destination_port: packet.destination.1,
        };
        (switch.rule(port, direction, &flow).decision == Decision::Allow) != *passes
    };
    let otherwise = case.packets.iter().filter(fares_otherwise);
    otherwise
        .map(|(packet, _)| format!("{} {way}: {}", case.told(), packet.text))
        .collect()
}

fn all_otherwise(standing: Standing) -> String {
    let mut lines = Vec::new();
    for case in cases_that_are(standing) {
        let (scene, endpoint) = scene(&case);
        add(&scene, endpoint, &case);
        lines.extend(otherwise(&scene, endpoint, &case, "by v2 Add"));
        // A v1 request replaces the rules. It is Calico's way, and Calico knows no sets.
        if case.sets.is_empty() {
            post(&scene, endpoint, &case);
            lines.extend(otherwise(&scene, endpoint, &case, "by v1"));
        }
    }
    lines.join("\n")
}

#[test]
fn rules_of_strangers_mean_through_the_service_what_they_state() {
    assert_eq!(all_otherwise(Standing::Stated), "");
}

#[test]
fn rules_that_are_derived_from_strangers_mean_through_the_service_what_follows() {
    assert_eq!(all_otherwise(Standing::Derived), "");
}
