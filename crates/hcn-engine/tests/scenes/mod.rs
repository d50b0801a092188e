// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random switches of one network, and flows at the edges of their rules.
//!
//! Apart because what pairs reach and what changes open is asked of the same ones.

use std::net::IpAddr;

use hcn_engine::{Documents, Flow, Protocol, Semantics, Switch};
use hcn_schema::{Document, Endpoint, Network};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Addresses of the endpoints, in the order of the endpoints: two have an address of each family.
pub const ADDRESSES: [&[&str]; 5] = [
    &["10.0.0.1", "fd00::1"],
    &["10.0.0.2"],
    &["10.0.0.3", "fd00::3"],
    &["10.0.0.200"],
    &["10.0.1.1", "fd00::5"],
];
const PLACES: [&str; 9] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "10.0.1.1",
    "fd00::1",
    "fd00::/126",
    "0.0.0.0/0",
];

fn texts(items: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.5,
        vec(select(items), 1..3).prop_map(|items| items.join(",")),
    )
}

pub fn rule() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        option::weighted(0.2, Just("Host")),
        select(vec![100u16, 200, 300]),
        texts(&["6", "17", "1"]),
        (texts(&PLACES), texts(&PLACES)),
        texts(&["80", "443", "1-1023", "65535"]),
        texts(&["1024-65535", "0"]),
    )
        .prop_map(
            |(action, direction, kind, priority, protocols, (local, remote), one, other)| {
                let (local_ports, remote_ports) = match direction {
                    "In" => (one, other),
                    _ => (other, one),
                };
                let mut settings = Map::new();
                settings.insert("Action".to_owned(), action.into());
                settings.insert("Direction".to_owned(), direction.into());
                settings.insert("Priority".to_owned(), priority.into());
                for (key, text) in [
                    ("RuleType", kind.map(str::to_owned)),
                    ("Protocols", protocols),
                    ("LocalAddresses", local),
                    ("RemoteAddresses", remote),
                    ("LocalPorts", local_ports),
                    ("RemotePorts", remote_ports),
                ] {
                    if let Some(text) = text {
                        settings.insert(key.to_owned(), text.into());
                    }
                }
                json!({"Type": "ACL", "Settings": settings})
            },
        )
}

/// Policies and flags of the endpoints. Some have the same rules, as replicas do.
pub fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    let lists = vec(vec(rule(), 0..5), 3);
    let which = vec((0usize..3, prop::bool::weighted(0.1)), ADDRESSES.len());
    (lists, which).prop_map(|(lists, which)| {
        let one = |(number, (list, isolated)): (usize, (usize, bool))| {
            let addresses: Vec<Value> = ADDRESSES[number]
                .iter()
                .map(|address| json!({"IpAddress": address}))
                .collect();
            let document = json!({
                "ID": format!("00000000-0000-0000-0000-0000000000{number:02}"),
                "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
                // EndpointFlags: DisableInterComputeCommunication is 2 (hns-behaviour 2.4).
                "Flags": if isolated { 2 } else { 0 },
                "IpConfigurations": addresses,
                "Policies": lists[list],
            });
            Endpoint::from_value(&document).unwrap()
        };
        which.into_iter().enumerate().map(one).collect()
    })
}

pub fn compile(endpoints: Vec<Endpoint>) -> Switch {
    let network = json!({"ID": "00000000-0000-0000-0000-00000000000a", "Type": "L2Bridge"});
    let documents = Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints,
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, &Semantics::default());
    assert_eq!(faults, []);
    switch
}

/// Flows at the edges of the rules' ports, of every protocol that they name and of one that they do not.
pub fn flows(source: IpAddr, destination: IpAddr) -> impl Iterator<Item = Flow> {
    const TO: [u16; 9] = [0, 1, 79, 80, 81, 443, 1_023, 1_024, 65_535];
    const FROM: [u16; 5] = [0, 1, 1_023, 1_024, 65_535];
    let ports = TO.into_iter().flat_map(|to| FROM.map(|from| (to, from)));
    ports.flat_map(move |(destination_port, source_port)| {
        [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol(47)].map(|protocol| Flow {
            source,
            destination,
            protocol,
            source_port,
            destination_port,
        })
    })
}
