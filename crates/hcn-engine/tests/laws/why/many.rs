// SPDX-License-Identifier: MIT OR Apache-2.0
//! So many rules on two ports that both are read at the same time.
//!
//! Apart from the random hosts, none of which has as many.

use hcn_schema::{Document, Endpoint, Network};
use serde_json::{Value, json};

use super::*;

const NETWORK: &str = "0a000000-0000-4000-8000-000000000001";
/// Bytes of documents from which on each port is read in a thread of its own.
const MANY: usize = 1 << 17;

/// Rules in the spellings that HNS and its clients have, of all kinds of fields; the last two let the rest pass.
fn rules() -> Vec<Value> {
    let open = ["In", "Out"].map(|direction| {
        json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": direction, "RuleType": "Switch", "Priority": 65_000}})
    });
    (0..1_500u32)
        .map(|number| {
            let (high, low) = (number / 200, 1 + number % 200);
            let action = ["Allow", "Block"][number as usize % 2];
            let direction = ["In", "Out"][number as usize / 2 % 2];
            let (addresses, ports) = match number % 5 {
                0 => (format!("10.{high}.{low}.0/24"), String::new()),
                1 => (format!("10.{high}.0.{low},10.0.0.1"), format!("{number}")),
                2 => (format!("fd00::{number:x}"), String::new()),
                3 => (String::new(), format!("{number},8000-{}", 8000 + number)),
                _ => (format!("10.0.0.0/{}", 20 + number % 13), format!("1-{number}")),
            };
            let protocols = ["6", "17", "6,17"][number as usize % 3];
            json!({"Type": "ACL", "Settings": {"Protocols": protocols, "Action": action, "Direction": direction,
                "RemoteAddresses": addresses, "LocalPorts": ports,
                "RuleType": "Switch", "Priority": 100 + number}})
        })
        .chain(open)
        .collect()
}

fn two_endpoints() -> Documents {
    let network = json!({"ID": NETWORK, "Type": "L2Bridge", "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.0.0.0/24"}]}]});
    let endpoint = |number: u32| {
        let document = json!({"ID": format!("0b000000-0000-4000-8000-00000000000{number}"), "HostComputeNetwork": NETWORK,
            "IpConfigurations": [{"IpAddress": format!("10.0.0.{number}")}], "Policies": rules()});
        Endpoint::from_value(&document).unwrap()
    };
    Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints: vec![endpoint(1), endpoint(2)],
        ..Documents::default()
    }
}

#[test]
fn many_rules_of_two_ports_are_told_as_when_all_are_read() {
    let documents = two_endpoints();
    let outlines = outlines_of(&documents);
    let size: usize = outlines.iter().map(|(_, own)| own.text().len()).sum();
    assert!(size > MANY, "{size}");
    let semantics = Semantics::default();
    let whole = Inquiry::new(&documents, &semantics);
    let start = Start::Port(PortIndex(0));
    let mut fates = Vec::new();
    // By hand: 33 and 8,010 are blocked by rule number 33 (In, TCP, 33 and 8,000 to 8,033), as number 8 allows 8,000 to 8,008 alone before it.
    for port in [1, 33, 80, 700, 1_200, 8_000, 8_010, 60_000] {
        let flow = Flow {
            source: "10.0.0.1".parse().unwrap(),
            destination: "10.0.0.2".parse().unwrap(),
            protocol: Protocol::TCP,
            source_port: 50_000,
            destination_port: port,
        };
        let said = sieved(&documents, &outlines, (start, &flow), (&semantics, &[]));
        let all = whole.explain_with(start, &flow, []);
        assert_eq!(without_numbers(&said), without_numbers(&all), "port {port}");
        fates.push(said.0.way.fate);
    }
    let dropped = [1, 6].map(|place| fates[place]);
    assert_eq!(dropped, [Fate::Dropped; 2], "{fates:?}");
    assert_ne!(fates[5], Fate::Dropped, "{fates:?}");
}
