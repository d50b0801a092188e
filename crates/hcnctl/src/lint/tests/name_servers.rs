// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which DNS servers are taken for services that nobody serves, and which are somebody else's.

use serde_json::{Value, json};

use super::{NETWORK, endpoint, lint, network};

/// What is said of a DNS server, with a load balancer for a port of an address, on a network with a management address.
fn told(server: &str, vip: &str, port: u16, management: &str) -> Vec<String> {
    let mut asking = endpoint(1, json!([]));
    asking["Dns"] = json!({"ServerList": [server]});
    let other = endpoint(2, json!([]));
    let balancer = json!({
        "ID": "c0000001-0000-4000-8000-000000000001", "HostComputeEndpoints": [other["ID"]], "FrontendVIPs": [vip],
        "PortMappings": [
            {"Protocol": 6, "InternalPort": port, "ExternalPort": port}, {"Protocol": 17, "InternalPort": port, "ExternalPort": port},
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    });
    let policy = json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": management}}]);
    of(&[network(policy), asking, other, balancer])
}

fn of(documents: &[Value]) -> Vec<String> {
    let found = lint(documents);
    let of_check = found
        .iter()
        .filter(|found| found.check.name == "dns-server-unserved");
    of_check
        .map(|found| format!("{}: {}", found.pointer, found.message))
        .collect()
}

#[test]
fn a_service_address_without_a_load_balancer_is_told() {
    let missing = told("10.96.0.10", "10.96.0.1", 443, "192.168.1.7");
    assert_eq!(
        missing,
        [
            "/Dns/ServerList/0: asks 10.96.0.10 for names, an address among those of services, and no load balancer serves it"
        ]
    );
    let half = told("10.96.0.10", "10.96.0.10", 9153, "192.168.1.7");
    assert_eq!(
        half,
        ["/Dns/ServerList/0: asks 10.96.0.10 for names, and no load balancer serves port 53 of it"]
    );
    let six = told("fd00:96::a", "fd00:96::1", 443, "192.168.1.7");
    assert_eq!(six.len(), 1);
}

#[test]
fn a_dns_server_that_may_be_somebodys_is_not_told() {
    for (server, vip, port, management, why) in [
        ("10.96.0.10", "10.96.0.10", 53, "192.168.1.7", "served"),
        (
            "8.8.8.8",
            "10.96.0.1",
            443,
            "192.168.1.7",
            "far from the services",
        ),
        (
            "10.0.0.254",
            "10.0.0.9",
            443,
            "192.168.1.7",
            "in the subnet",
        ),
        (
            "192.168.1.1",
            "192.168.9.9",
            443,
            "192.168.1.7",
            "on the host's wire",
        ),
    ] {
        let found = told(server, vip, port, management);
        assert!(found.is_empty(), "{why}: {found:?}");
    }
}

/// Without any load balancer there is no range; and v1 has its servers in one text.
#[test]
fn services_are_known_by_their_load_balancers_alone() {
    let mut asking = endpoint(1, json!([]));
    asking["Dns"] = json!({"ServerList": ["10.96.0.10"]});
    assert!(of(&[network(json!([])), asking]).is_empty());
    let one = json!({"ID": "b0000001-0000-4000-8000-000000000000", "VirtualNetwork": NETWORK, "IPAddress": "10.0.0.1", "DNSServerList": "8.8.8.8,10.96.0.10"});
    let list = json!({
        "ID": "c0000001-0000-4000-8000-000000000001", "References": ["/endpoints/b0000001-0000-4000-8000-000000000000"],
        "Policies": [{"Type": "ELB", "InternalPort": 443, "ExternalPort": 443, "Protocol": 6, "VIPs": ["10.96.0.1"]}],
    });
    let found = of(&[one, list]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("/DNSServerList: asks 10.96.0.10"),
        "{found:?}"
    );
}
