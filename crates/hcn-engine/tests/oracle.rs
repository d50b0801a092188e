// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Calico's and Azure NPM's tests state of their rules for HNS, and what is derived from it, judged by the engine.

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, PortIndex, Protocol, Semantics, Switch,
    space::{Region, Space},
};
use hcn_schema::{Document, Endpoint, Network};
use serde_json::{Value, json};
use testkit::oracle::{Case, Packet, Standing, cases, cases_that_are};

fn flow(packet: &Packet) -> (Direction, Flow) {
    let direction = match packet.is_in {
        true => Direction::In,
        false => Direction::Out,
    };
    let flow = Flow {
        source: packet.source.0,
        destination: packet.destination.0,
        protocol: Protocol::from_text(&packet.protocol).expect("a protocol"),
        source_port: packet.source.1,
        destination_port: packet.destination.1,
    };
    (direction, flow)
}

fn typed(policy_type: &str, settings: &Value) -> Value {
    json!({"Type": policy_type, "Settings": settings})
}

/// The case's endpoint with these policies, and its sets on the network.
fn switch(case: &Case, policies: &[Value]) -> Switch {
    let sets: Vec<Value> = case
        .sets
        .iter()
        .map(|set| typed("SetPolicy", set))
        .collect();
    let network =
        json!({"ID": "00000000-0000-0000-0000-00000000000a", "Type": "L2Bridge", "Policies": sets});
    let endpoint = json!({
        "ID": "00000000-0000-0000-0000-000000000001", "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
        "IpConfigurations": [{"IpAddress": case.endpoint, "PrefixLength": 8}], "Policies": policies,
    });
    let documents = Documents {
        networks: vec![Network::from_json(&network.to_string()).unwrap()],
        endpoints: vec![Endpoint::from_json(&endpoint.to_string()).unwrap()],
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, &Semantics::default());
    assert_eq!(faults, [], "{}", case.name);
    switch
}

fn as_rules(case: &Case) -> Switch {
    let rules: Vec<Value> = case.rules.iter().map(|rule| typed("ACL", rule)).collect();
    switch(case, &rules)
}

/// Calico ends each tier with a drop; without it, what HNS does with a packet that no rule of a tier meets is a guess (hns-behaviour 4.14).
fn as_tiers(case: &Case) -> Switch {
    let tier = |rules: &[Value], order: u16, direction: &str| {
        let drop = json!({"TierAclRuleAction": "Block"});
        let rules: Vec<Value> = rules
            .iter()
            .chain([&drop])
            .zip(2000..)
            .map(|(rule, priority)| {
                let mut rule = rule.clone();
                rule["Priority"] = priority.into();
                rule
            })
            .collect();
        let name = format!("t{order}{direction}");
        let settings =
            json!({"Name": name, "Direction": direction, "Order": order, "TierAclRules": rules});
        typed("TierAcl", &settings)
    };
    let tiers: Vec<Value> = (case.tiers.iter().zip(1001..))
        .flat_map(|(rules, order)| ["In", "Out"].map(|direction| tier(rules, order, direction)))
        .collect();
    switch(case, &tiers)
}

/// Packets of a case that fare otherwise than it states, one by one and in the set of all that pass.
fn otherwise(case: &Case, switch: &Switch, shape: &str) -> Vec<String> {
    let port = PortIndex(0);
    let mut lines = Vec::new();
    for (packet, passes) in &case.packets {
        let (direction, flow) = flow(packet);
        let ruling = switch.rule(port, direction, &flow);
        let mut space = Space::new(Family::from(flow.source));
        let region = switch.passes(&mut space, port, direction);
        let judged = [
            ruling.decision == Decision::Allow,
            space.contains(region, &flow),
        ];
        if judged != [*passes; 2] {
            let cause = switch.cause(port, direction, &flow, ruling);
            lines.push(format!(
                "{} as {shape}: {} should {}pass: {judged:?}, {cause}",
                case.told(),
                packet.text,
                if *passes { "" } else { "not " },
            ));
        }
    }
    lines
}

fn as_rules_otherwise(standing: Standing) -> String {
    let cases = cases_that_are(standing);
    let lines: Vec<String> = cases
        .iter()
        .flat_map(|case| otherwise(case, &as_rules(case), "rules"))
        .collect();
    lines.join("\n")
}

#[test]
fn every_case_of_a_stranger_is_judged_as_it_states() {
    assert_eq!(as_rules_otherwise(Standing::Stated), "");
}

#[test]
fn every_case_that_is_derived_from_a_strangers_is_judged_as_it_follows() {
    assert_eq!(as_rules_otherwise(Standing::Derived), "");
}

const DIRECTIONS: [Direction; 2] = [Direction::In, Direction::Out];
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// A direction without a packet that passes lets none pass, and one without a packet that is blocked blocks none; so that no case looks at one side
/// of its rules only. As sets of all packets; a direction without rules is not looked at, since the case says nothing of it.
#[test]
fn every_case_has_a_packet_that_passes_and_one_that_does_not_where_its_rules_have() {
    let mut lines = Vec::new();
    for case in cases() {
        let switch = as_rules(&case);
        for direction in DIRECTIONS {
            let packets = (case.packets.iter())
                .filter(|(packet, _)| packet.is_in == (direction == Direction::In));
            let (pass, blocked): (Vec<_>, Vec<_>) = packets.partition(|(_, passes)| *passes);
            let of_rule = |rule: &Value| rule["Direction"] == direction.to_string();
            if pass.is_empty() && blocked.is_empty() && !case.rules.iter().any(of_rule) {
                continue;
            }
            let regions = FAMILIES.map(|family| {
                let mut space = Space::new(family);
                switch.passes(&mut space, PortIndex(0), direction)
            });
            if pass.is_empty() && regions != [Region::EMPTY; 2] {
                lines.push(format!("{}: {direction:?} lets some pass", case.name));
            }
            if blocked.is_empty() && regions != [Region::FULL; 2] {
                lines.push(format!("{}: {direction:?} blocks some", case.name));
            }
        }
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// What Calico's flattener states: tiers, and the one list of rules that it makes of them, are the same. As sets of all packets, and not by samples.
#[test]
fn tiers_and_what_calico_makes_of_them_let_the_same_packets_pass() {
    let cases = cases();
    let tiered: Vec<&Case> = cases.iter().filter(|case| !case.tiers.is_empty()).collect();
    let stated = |case: &&&Case| case.origin.standing == Standing::Stated;
    assert_eq!(
        (tiered.len(), tiered.iter().filter(stated).count()),
        (14, 12)
    );
    let mut lines = Vec::new();
    for case in tiered {
        let (tiers, rules) = (as_tiers(case), as_rules(case));
        lines.extend(otherwise(case, &tiers, "tiers"));
        for (family, direction) in FAMILIES
            .iter()
            .flat_map(|family| DIRECTIONS.map(|of| (*family, of)))
        {
            let mut space = Space::new(family);
            let [of_tiers, of_rules] =
                [&tiers, &rules].map(|switch| switch.passes(&mut space, PortIndex(0), direction));
            if of_tiers != of_rules {
                lines.push(format!("{}: {family:?} {direction:?} differs", case.told()));
            }
        }
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
