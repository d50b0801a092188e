// SPDX-License-Identifier: MIT OR Apache-2.0
//! Examples of checks that look at objects beside rules: mappings, tunnels, load balancers, what is there twice.

use serde_json::{Value, json};

use super::{Example, endpoint, network, open, policies, rule, service, set, with};
use crate::lint::{
    Severity,
    tests::{acl, lint},
};

fn published(internal: u16, external: u16, protocol: u8) -> Value {
    json!({"Type": "PortMapping", "Settings": {"Protocol": protocol, "InternalPort": internal, "ExternalPort": external}})
}

/// An endpoint with a mapping, and rules beside it.
fn mapped(check: &'static str, bad: (Value, Vec<Value>), good: (Value, Vec<Value>)) -> Example {
    let of = |(mapping, rules): (Value, Vec<Value>)| {
        let mut all = vec![mapping];
        all.extend(rules);
        Value::Array(all)
    };
    policies(check, of(bad), of(good))
}

fn to_port(what: &str, port: u16) -> Value {
    let port = port.to_string();
    acl(what, 100, json!({"Protocols": "6", "LocalPorts": port}))
}

pub(super) fn of_mappings() -> Vec<Example> {
    let beside = |own: Value| vec![own, open("Out"), acl("Block In", 65_500, json!({}))];
    let many = |count: u32| {
        let all = (0..count).map(|number| format!("10.{}.{}.1", number >> 8, number & 255));
        json!({"RemoteAddresses": all.collect::<Vec<_>>().join(",")})
    };
    vec![
        mapped(
            "internal-port-zero",
            (published(0, 8080, 6), vec![]),
            (published(80, 0, 6), vec![]),
        ),
        mapped(
            "mapping-protocol",
            (published(80, 8080, 1), vec![]),
            (published(80, 8080, 17), vec![]),
        ),
        mapped(
            "outer-port-in-rule",
            (published(80, 8080, 6), beside(to_port("Allow In", 8080))),
            (published(80, 8080, 17), beside(to_port("Allow In", 8080))),
        ),
        mapped(
            "published-port-blocked",
            (published(80, 8080, 6), beside(to_port("Allow In", 443))),
            (published(80, 8080, 6), beside(to_port("Allow In", 80))),
        ),
        rule("long-list", "Allow In", many(4001), many(4000)),
    ]
}

/// The node has 10.0.0.254, the gateway of its network.
pub(super) fn of_nodes() -> Vec<Example> {
    let from = |remote: &str| {
        let own = acl("Allow In", 100, json!({"RemoteAddresses": remote}));
        let rest = acl("Block In", 65_500, json!({}));
        endpoint(1, json!([own, rest, open("Out")]))
    };
    vec![(
        "node-shut-out",
        vec![network(json!([])), from("10.0.0.2")],
        vec![network(json!([])), from("10.0.0.2,10.0.0.254")],
    )]
}

fn overlay(policies: Value, vsid: u32) -> Value {
    let mut overlay = with(network(policies), "Type", json!("Overlay"));
    overlay["Ipams"][0]["Subnets"][0]["Policies"] =
        json!([{"Type": "VSID", "Settings": {"IsolationId": vsid}}]);
    overlay
}

fn route(prefix: &str, vsid: u32) -> Value {
    json!({"Type": "RemoteSubnetRoute", "Settings": {
        "DestinationPrefix": prefix, "IsolationId": vsid, "ProviderAddress": "192.168.7.2", "DistributedRouterMacAddress": "00-11-22-33-44-55",
    }})
}

pub(super) fn of_overlays() -> Vec<Example> {
    let own = |address: &str| json!({"Type": "ProviderAddress", "Settings": {"ProviderAddress": address}});
    let away = || route("10.0.1.0/24", 4096);
    let six = |address: &str| {
        let both = json!([{"IpAddress": "10.0.0.1", "PrefixLength": 24}, {"IpAddress": address, "PrefixLength": 24}]);
        with(endpoint(1, json!([])), "IpConfigurations", both)
    };
    vec![
        (
            "management-address-apart",
            vec![overlay(json!([own("10.0.2.15"), away()]), 4096)],
            // Nodes in other subnets of one plan.
            vec![overlay(json!([own("192.168.200.1"), away()]), 4096)],
        ),
        (
            "vsid-too-low",
            vec![overlay(json!([]), 4095)],
            vec![overlay(json!([]), 4096)],
        ),
        (
            "remote-route-off-overlay",
            vec![network(json!([away()]))],
            vec![overlay(json!([away()]), 4096)],
        ),
        (
            "remote-route-isolation",
            vec![overlay(json!([route("10.0.1.0/24", 4097)]), 4096)],
            vec![overlay(json!([away()]), 4096)],
        ),
        (
            "remote-route-own-subnet",
            vec![overlay(json!([route("10.0.0.128/25", 4096)]), 4096)],
            // The cluster's prefix: the own subnet is the narrower one, and wins.
            vec![overlay(json!([route("10.0.0.0/16", 4096)]), 4096)],
        ),
        (
            "unsupported-family",
            vec![overlay(json!([]), 4096), six("fd00::1")],
            vec![network(json!([])), six("fd00::1")],
        ),
    ]
}

pub(super) fn of_twins() -> Vec<Example> {
    let card = |number: u8, mac: &str| with(endpoint(number, json!([])), "MacAddress", json!(mac));
    let at = |address: &str| {
        let own = json!([{"IpAddress": address, "PrefixLength": 24}]);
        with(endpoint(1, json!([])), "IpConfigurations", own)
    };
    let nat = |settings: Value| json!({"Type": "OutBoundNAT", "Settings": settings});
    vec![
        (
            "duplicate-mac",
            vec![card(1, "00-15-5D-00-00-01"), card(2, "00:15:5d:00:00:01")],
            // A remote endpoint may have the MAC of its node.
            vec![
                card(1, "00-15-5D-00-00-01"),
                with(card(2, "00-15-5D-00-00-01"), "Flags", json!(1)),
            ],
        ),
        (
            "gateway-address-taken",
            vec![network(json!([])), at("10.0.0.254")],
            vec![network(json!([])), at("10.0.0.253")],
        ),
        (
            "set-twice",
            vec![network(json!([
                set("a", "IPSET", "10.0.0.9"),
                set("a", "IPSET", "10.0.0.8")
            ]))],
            vec![network(json!([
                set("a", "IPSET", "10.0.0.9"),
                set("A", "IPSET", "10.0.0.9")
            ]))],
        ),
        policies(
            "outbound-nat-twice",
            json!([
                nat(json!({"Exceptions": ["10.0.0.0/8"]})),
                nat(json!({"Exceptions": ["10.0.0.0/8"]}))
            ]),
            // What win-bridge adds for loopbackDSR, and the one of the other family.
            json!([
                nat(json!({"Exceptions": ["10.0.0.0/8"]})),
                nat(json!({"Destinations": ["10.0.0.1"]})),
                nat(json!({"Flags": 2}))
            ]),
        ),
    ]
}

pub(super) fn of_frontends() -> Vec<Example> {
    let plain = |number| endpoint(number, json!([]));
    let web = || service("10.96.0.10", 80, 6, &[2], 0);
    let mapping = |key: &str, value: u32| {
        let mut service = web();
        service["PortMappings"][0][key] = value.into();
        service
    };
    let other = |vip: &str| {
        let other = with(web(), "ID", json!("c0000002-0000-4000-8000-000000000000"));
        with(other, "FrontendVIPs", json!([vip]))
    };
    let overlay = |source: &str| {
        vec![
            with(network(json!([])), "Type", json!("Overlay")),
            plain(2),
            plain(3),
            with(web(), "SourceVIP", json!(source)),
        ]
    };
    let node_port = |port: u16| {
        let any = with(
            service("10.96.0.10", port, 6, &[2], 0),
            "FrontendVIPs",
            json!([]),
        );
        vec![endpoint(2, json!([published(80, 8080, 6)])), any]
    };
    let of_many = |number: u16| service("10.96.0.10", 1000 + number, 6, &[2], 0);
    let asking = |server: &str| with(plain(1), "Dns", json!({"ServerList": ["8.8.8.8", server]}));
    vec![
        (
            "port-pool",
            (0..101).map(of_many).collect(),
            (0..100).map(of_many).collect(),
        ),
        // A resolver of the site is not among the services' addresses.
        (
            "dns-server-unserved",
            vec![network(json!([])), plain(2), web(), asking("10.96.0.11")],
            vec![network(json!([])), plain(2), web(), asking("10.97.0.11")],
        ),
        (
            "no-service-ports",
            vec![plain(2), with(web(), "PortMappings", json!([]))],
            vec![plain(2), web()],
        ),
        (
            "service-port-zero",
            vec![plain(2), mapping("InternalPort", 0)],
            // Docker's swarm balances a whole address so.
            vec![json!({
                "ID": "c0000003-0000-4000-8000-000000000000", "References": ["/endpoints/b0000002-0000-4000-8000-000000000000"],
                "Policies": [{"Type": "ELB", "ExternalPort": 0, "InternalPort": 0, "VIPs": ["10.0.0.3"], "ILB": true}],
            })],
        ),
        (
            "unreadable-vip",
            vec![plain(2), service("10.96.0.300", 80, 6, &[2], 0)],
            vec![plain(2), with(web(), "FrontendVIPs", json!([""]))],
        ),
        (
            "backend-family",
            vec![plain(2), service("fd00::10", 80, 6, &[2], 2)],
            vec![
                plain(2),
                with(web(), "FrontendVIPs", json!(["fd00::10", "10.96.0.10"])),
            ],
        ),
        (
            "preserve-dip-without-dsr",
            vec![plain(2), mapping("Flags", 8)],
            vec![plain(2), with(mapping("Flags", 8), "Flags", json!(1))],
        ),
        (
            "service-twice",
            vec![plain(2), web(), other("10.96.0.10")],
            vec![plain(2), web(), other("10.96.0.11")],
        ),
        ("node-port-taken", node_port(8080), node_port(8081)),
        (
            "source-vip-unknown",
            overlay("10.0.0.200"),
            overlay("10.0.0.3"),
        ),
    ]
}

/// Of a load balancer with no endpoint left nobody answers, unless another one serves the same.
#[test]
fn a_load_balancer_without_a_living_backend_is_an_error_unless_another_one_serves_the_same() {
    let plain = || endpoint(1, json!([]));
    let other = with(
        service("10.96.0.10", 80, 6, &[1], 0),
        "ID",
        json!("c0000002-0000-4000-8000-000000000000"),
    );
    let of = |documents: &[Value]| -> Vec<_> {
        lint(documents)
            .iter()
            .map(|found| (found.check.name, found.severity))
            .collect()
    };
    let dead = || service("10.96.0.10", 80, 6, &[2, 3], 0);
    assert_eq!(
        of(&[plain(), dead()]),
        [("dead-backend", Severity::Error); 2]
    );
    assert_eq!(
        of(&[plain(), dead(), other]),
        [("dead-backend", Severity::Warning); 2]
    );
    let half = service("10.96.0.10", 80, 6, &[1, 2], 0);
    assert_eq!(of(&[plain(), half]), [("dead-backend", Severity::Warning)]);
}

/// One Block among a network's rules, or in a tier, cuts off what none of them names; the fix opens it again.
#[test]
fn a_lone_block_of_a_network_or_tier_is_found_and_its_fix_undoes_it() {
    let mut block = acl(
        "Block In",
        100,
        json!({"Protocols": "6", "LocalPorts": "81"}),
    );
    block["Type"] = "NetworkACL".into();
    block["Settings"]
        .as_object_mut()
        .unwrap()
        .shift_remove("RuleType");
    let rule =
        json!({"TierAclRuleAction": "Block", "Protocols": "6", "LocalPorts": "81", "Priority": 1});
    let tier = json!([{"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1, "TierAclRules": [rule]}}]);
    for (documents, place) in [
        ([network(json!([block])), endpoint(1, json!([]))], 0),
        ([network(json!([])), endpoint(1, tier)], 1),
    ] {
        let found = lint(&documents);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].check.name, "lone-block");
        // The rule, and a packet for each direction.
        assert_eq!(found[0].evidence.len(), 3);
        let mut edited = documents.clone();
        edited[place] = found[0].fix.applied(&documents[place]).unwrap();
        let left = lint(&edited);
        assert!(left.is_empty(), "{left:#?}");
    }
}
