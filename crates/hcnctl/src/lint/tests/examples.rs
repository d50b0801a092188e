// SPDX-License-Identifier: MIT OR Apache-2.0
//! For every check, documents in which it finds something, and nearly the same ones in which it does not.

mod objects;

use serde_json::{Value, json};

use super::{NETWORK, acl, endpoint, lint, network};
use crate::lint::CHECKS;

/// Name of the check; documents with the trouble; documents without.
type Example = (&'static str, Vec<Value>, Vec<Value>);

/// One endpoint whose policies differ.
fn policies(check: &'static str, bad: Value, good: Value) -> Example {
    (check, vec![endpoint(1, bad)], vec![endpoint(1, good)])
}

/// One rule beside rules that leave everything else open.
fn rule(check: &'static str, what: &str, bad: Value, good: Value) -> Example {
    let of = |members| json!([acl(what, 100, members), open("In"), open("Out")]);
    policies(check, of(bad), of(good))
}

fn open(direction: &str) -> Value {
    acl(&format!("Allow {direction}"), 65_500, json!({}))
}

fn set(id: &str, policy_type: &str, values: &str) -> Value {
    json!({"Type": "SetPolicy", "Settings": {"Id": id, "Name": id, "PolicyType": policy_type, "Values": values}})
}

/// A load balancer for 10.0.0.N, by their numbers.
fn service(vip: &str, port: u16, protocol: u8, backends: &[u8], flags: u32) -> Value {
    let backends: Vec<Value> = backends
        .iter()
        .map(|number| endpoint(*number, json!([]))["ID"].clone())
        .collect();
    json!({
        "ID": format!("c0000001-0000-4000-8000-0000000{port:05}"), "HostComputeEndpoints": backends, "FrontendVIPs": [vip], "Flags": flags,
        "PortMappings": [{"Protocol": protocol, "InternalPort": port, "ExternalPort": port}], "SchemaVersion": {"Major": 2, "Minor": 0},
    })
}

/// A network that nobody of its own subnet gets into; everything else stays open.
fn closed() -> Value {
    let own = acl("Block In", 100, json!({"RemoteAddresses": "10.0.0.0/24"}));
    let rules = [own, open("In"), open("Out")].map(|mut rule| {
        rule["Type"] = "NetworkACL".into();
        rule
    });
    network(json!(rules))
}

fn from(remote: &str) -> Value {
    acl("Allow In", 100, json!({"RemoteAddresses": remote}))
}

fn of_rules() -> Vec<Example> {
    let block = || {
        acl(
            "Block In",
            100,
            json!({"Protocols": "6", "LocalPorts": "80"}),
        )
    };
    let allow = || {
        acl(
            "Allow In",
            200,
            json!({"Protocols": "6", "LocalPorts": "443"}),
        )
    };
    vec![
        policies(
            "lone-block",
            json!([block()]),
            json!([block(), open("In"), open("Out")]),
        ),
        policies(
            "one-way-rules",
            json!([allow()]),
            json!([allow(), acl("Block Out", 65_500, json!({}))]),
        ),
        policies(
            "dns-blocked",
            json!([acl("Allow Out", 100, json!({"Protocols": "6"}))]),
            json!([
                acl("Allow Out", 100, json!({"Protocols": "6"})),
                acl(
                    "Allow Out",
                    100,
                    json!({"Protocols": "17", "RemotePorts": "53"})
                ),
            ]),
        ),
        policies(
            "duplicate-rule",
            json!([allow(), allow()]),
            json!([allow(), block()]),
        ),
        // Port 443 is in 400-500.
        policies(
            "shadowed-rule",
            json!([
                acl(
                    "Block In",
                    100,
                    json!({"Protocols": "6", "LocalPorts": "400-500"})
                ),
                allow()
            ]),
            json!([
                acl(
                    "Block In",
                    300,
                    json!({"Protocols": "6", "LocalPorts": "400-500"})
                ),
                allow()
            ]),
        ),
        policies(
            "partly-shadowed-rule",
            json!([
                block(),
                acl(
                    "Allow In",
                    200,
                    json!({"Protocols": "6", "LocalPorts": "80,443"})
                )
            ]),
            json!([
                block(),
                acl(
                    "Allow In",
                    200,
                    json!({"Protocols": "6", "LocalPorts": "80-90,443"})
                )
            ]),
        ),
        // The network drops what the endpoint's own rule would let in.
        (
            "overruled-rule",
            vec![
                closed(),
                endpoint(1, json!([from("10.0.0.7"), open("In"), open("Out")])),
            ],
            vec![
                closed(),
                endpoint(1, json!([from("10.0.1.7"), open("In"), open("Out")])),
            ],
        ),
        policies(
            "tie-decides",
            json!([block(), acl("Allow In", 100, json!({"Protocols": "6"}))]),
            json!([block(), acl("Allow In", 101, json!({"Protocols": "6"}))]),
        ),
        rule(
            "any-address",
            "Allow Out",
            json!({"Protocols": "6"}),
            json!({"Protocols": "6", "RemoteAddresses": "0.0.0.0/0"}),
        ),
        rule(
            "foreign-local-address",
            "Allow In",
            json!({"LocalAddresses": "10.0.0.2"}),
            json!({"LocalAddresses": "10.0.0.0/30"}),
        ),
        rule(
            "icmp-other-family",
            "Allow In",
            json!({"Protocols": "58", "RemoteAddresses": "10.0.0.7"}),
            json!({"Protocols": "58", "RemoteAddresses": "fd00::7"}),
        ),
        rule(
            "source-port",
            "Allow In",
            json!({"Protocols": "6", "RemotePorts": "80", "RemoteAddresses": "10.0.0.7"}),
            json!({"Protocols": "6", "LocalPorts": "80", "RemoteAddresses": "10.0.0.7"}),
        ),
        rule(
            "own-remote-address",
            "Allow In",
            json!({"RemoteAddresses": "10.0.0.1"}),
            json!({"RemoteAddresses": "10.0.0.0/24"}),
        ),
        rule(
            "ports-without-protocol",
            "Allow In",
            json!({"Protocols": "1", "LocalPorts": "80"}),
            json!({"Protocols": "6", "LocalPorts": "80"}),
        ),
        rule(
            "ports-and-portless-protocol",
            "Allow In",
            json!({"Protocols": "1,6", "LocalPorts": "80"}),
            json!({"Protocols": "6,17", "LocalPorts": "80"}),
        ),
        rule(
            "ports-for-any-protocol",
            "Allow In",
            json!({"LocalPorts": "80"}),
            json!({"LocalPorts": "80", "Protocols": "6"}),
        ),
        rule(
            "mixed-families",
            "Allow In",
            json!({"LocalAddresses": "10.0.0.1", "RemoteAddresses": "fd00::/64"}),
            json!({"LocalAddresses": "10.0.0.1", "RemoteAddresses": "10.0.0.0/24,fd00::/64"}),
        ),
        rule(
            "priority-zero",
            "Allow In",
            json!({"Priority": 0}),
            json!({"Priority": 0, "RuleType": "Host"}),
        ),
        rule(
            "priority-too-high",
            "Allow In",
            json!({"Priority": 65_501}),
            json!({"Priority": 65_500}),
        ),
        rule(
            "host-bits",
            "Allow In",
            json!({"RemoteAddresses": "10.0.0.5/24"}),
            json!({"RemoteAddresses": "10.0.0.0/24"}),
        ),
        rule(
            "protocol-name",
            "Allow In",
            json!({"Protocols": "TCP"}),
            json!({"Protocols": "6"}),
        ),
        rule(
            "unreadable-rule",
            "Allow In",
            json!({"RemoteAddresses": "Any"}),
            json!({"RemoteAddresses": ""}),
        ),
        (
            "remote-endpoint-rules",
            vec![with(endpoint(1, json!([block()])), "Flags", json!(1))],
            vec![with(endpoint(1, json!([])), "Flags", json!(1))],
        ),
        (
            "no-effect-on-nat",
            // 15.4 is Windows Server 2025 before April 2026 (hns-behaviour 4.1).
            vec![nat_of(15, 4), endpoint(1, json!([block()]))],
            vec![nat_of(15, 0), endpoint(1, json!([block()]))],
        ),
    ]
}

/// A NAT network made by a version of HNS.
fn nat_of(major: u64, minor: u64) -> Value {
    let nat = with(network(json!([])), "Type", json!("NAT"));
    with(nat, "Version", json!(major << 32 | minor))
}

fn with(mut document: Value, key: &str, value: Value) -> Value {
    document[key] = value;
    document
}

fn of_sets() -> Vec<Example> {
    let named = |id: &str| {
        endpoint(
            1,
            json!([
                acl("Allow In", 100, json!({"LocalAddresses": id})),
                open("Out")
            ]),
        )
    };
    let full = || set("full", "IPSET", "10.0.0.9");
    let twice = |members: Value| endpoint(1, json!([acl("Allow In", 100, members), open("Out")]));
    let two = || network(json!([full(), set("other", "IPSET", "10.0.0.8")]));
    vec![
        (
            "matches-nothing",
            // Two sets in one field mean addresses in both (hns-behaviour 4.7).
            vec![two(), twice(json!({"LocalAddresses": "full,other"}))],
            vec![two(), twice(json!({"LocalAddresses": "full"}))],
        ),
        (
            "unknown-set",
            vec![network(json!([])), named("full")],
            vec![network(json!([full()])), named("full")],
        ),
        (
            "empty-set",
            vec![network(json!([set("none", "IPSET", "")])), named("none")],
            vec![network(json!([full()])), named("full")],
        ),
        (
            "empty-nested-set",
            vec![
                network(json!([set("none", "NESTEDIPSET", "")])),
                named("none"),
            ],
            vec![
                network(json!([full(), set("some", "NESTEDIPSET", "full")])),
                named("some"),
            ],
        ),
        (
            "unreferenced-set",
            vec![network(json!([full()])), endpoint(1, json!([]))],
            vec![network(json!([full()])), named("full")],
        ),
        (
            "unreadable-set",
            vec![network(json!([set("odd", "IPSET", "10.0.0.300")]))],
            vec![network(json!([full()]))],
        ),
    ]
}

fn of_keys() -> Vec<Example> {
    let version = |major: u64| json!(major << 32);
    let tier = json!([{"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1, "TierAclRules": []}}]);
    vec![
        rule(
            "misspelt-key",
            "Allow In",
            json!({"LocalPort": "80", "Protocols": "6"}),
            json!({"LocalPorts": "80", "Protocols": "6"}),
        ),
        rule(
            "unknown-key",
            "Allow In",
            json!({"Comment": "web"}),
            json!({"Id": "web"}),
        ),
        rule(
            "key-case",
            "Allow In",
            json!({"ID": "web"}),
            json!({"Id": "web"}),
        ),
        (
            "key-twice",
            vec![with(endpoint(1, json!([])), "policies", json!([]))],
            vec![endpoint(1, json!([]))],
        ),
        (
            "unreadable-member",
            vec![with(
                endpoint(1, json!([])),
                "IpConfigurations",
                json!("10.0.0.1"),
            )],
            // HNS takes numbers that are written as texts (hns-behaviour 2.1).
            vec![with(endpoint(1, json!([])), "Flags", json!("0"))],
        ),
        policies(
            "unknown-policy-type",
            json!([{"Type": "ALC", "Settings": {}}]),
            json!([{"Type": "L2Driver"}]),
        ),
        policies(
            "misplaced-policy",
            json!([{"Type": "NetworkACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 1}}]),
            json!([acl("Block In", 1, json!({}))]),
        ),
        (
            "needs-newer-hns",
            // TierAcl came with 14.0 (hns-behaviour 2.9).
            vec![with(endpoint(1, tier.clone()), "Version", version(13))],
            vec![with(endpoint(1, tier), "Version", version(14))],
        ),
    ]
}

fn of_addresses() -> Vec<Example> {
    let twin = |address: &str| {
        let mut twin = with(endpoint(2, json!([])), "Flags", json!(1));
        twin["IpConfigurations"][0]["IpAddress"] = address.into();
        twin
    };
    let gateway = |hop: &str| {
        let mut network = network(json!([]));
        network["Ipams"][0]["Subnets"][0]["Routes"][0]["NextHop"] = hop.into();
        network
    };
    let nat = |number: u8, prefix: &str| {
        json!({
            "ID": format!("a00000{number:02x}-0000-4000-8000-000000000000"), "Name": format!("nat{number}"), "Type": "NAT",
            "SchemaVersion": {"Major": 2, "Minor": 0}, "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}],
        })
    };
    let managed = |address: &str| json!({"ID": NETWORK, "Name": "overlay", "Type": "overlay", "ManagementIP": address, "Subnets": []});
    let published = |port: u16| json!([{"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": port}}]);
    vec![
        (
            "duplicate-address",
            vec![network(json!([])), twin("10.0.0.1"), endpoint(1, json!([]))],
            vec![network(json!([])), twin("10.0.0.2"), endpoint(1, json!([]))],
        ),
        (
            "address-outside-subnet",
            vec![
                network(json!([])),
                with(
                    endpoint(1, json!([])),
                    "IpConfigurations",
                    json!([{"IpAddress": "10.0.1.1"}]),
                ),
            ],
            vec![network(json!([])), endpoint(1, json!([]))],
        ),
        (
            "gateway-outside-subnet",
            vec![gateway("10.0.1.1")],
            vec![gateway("10.0.0.1")],
        ),
        (
            "overlapping-subnets",
            vec![nat(2, "172.20.0.0/16"), nat(3, "172.20.16.0/20")],
            vec![nat(2, "172.20.0.0/20"), nat(3, "172.20.16.0/20")],
        ),
        (
            "apipa-management-address",
            vec![managed("169.254.7.7")],
            vec![managed("192.168.1.7")],
        ),
        (
            "port-published-twice",
            vec![endpoint(1, published(8080)), endpoint(2, published(8080))],
            vec![endpoint(1, published(8080)), endpoint(2, published(8081))],
        ),
    ]
}

fn of_services() -> Vec<Example> {
    let plain = |number| endpoint(number, json!([]));
    let overlay = || with(network(json!([])), "Type", json!("Overlay"));
    let web = |flags| service("10.96.0.10", 80, 6, &[2], flags);
    let to = |addresses: &str| {
        let members = json!({"Protocols": "6", "RemoteAddresses": addresses});
        endpoint(
            1,
            json!([acl("Block Out", 100, members), open("In"), open("Out")]),
        )
    };
    let proxy = json!([{"Type": "L4Proxy", "Settings": {"Port": "15001", "Protocol": 6}}]);
    vec![
        (
            "dead-backend",
            vec![plain(1), web(0)],
            vec![plain(2), web(0)],
        ),
        (
            "no-backend",
            vec![service("10.96.0.10", 80, 6, &[], 0)],
            vec![web(0)],
        ),
        (
            "dns-service-one-protocol",
            vec![service("10.96.0.10", 53, 17, &[2], 1)],
            vec![
                service("10.96.0.10", 53, 17, &[2], 1),
                service("10.96.0.10", 53, 6, &[2], 1),
            ],
        ),
        (
            "source-vip-missing",
            vec![overlay(), plain(2), web(1)],
            vec![
                overlay(),
                plain(2),
                with(web(1), "SourceVIP", json!("10.0.0.100")),
            ],
        ),
        (
            "service-bypasses-rule",
            vec![network(json!([])), to("10.0.0.2"), plain(2), web(0)],
            vec![
                network(json!([])),
                to("10.0.0.2,10.96.0.10"),
                plain(2),
                web(0),
            ],
        ),
        (
            "proxy-on-dsr-backend",
            vec![endpoint(2, proxy.clone()), web(1)],
            vec![endpoint(2, proxy), web(0)],
        ),
    ]
}

/// What an endpoint has beside its rules.
fn of_room() -> Vec<Example> {
    const NAMESPACE: &str = "d0000001-0000-4000-8000-000000000000";
    let dual = |rules: Value| {
        let both = json!([{"IpAddress": "10.0.0.1", "PrefixLength": 24}, {"IpAddress": "fd00::1", "PrefixLength": 64}]);
        with(endpoint(1, rules), "IpConfigurations", both)
    };
    let six = || acl("Allow In", 100, json!({"RemoteAddresses": "fd00::/64"}));
    let nat = |items: Value| json!([{"Type": "OutBoundNAT", "Settings": {"Exceptions": items}}]);
    let room = |number: u8, bytes: u16| {
        let policies = json!([{"Type": "EncapOverhead", "Settings": {"Overhead": bytes}}]);
        endpoint(number, policies)
    };
    let inside = |namespace: &str| {
        with(
            endpoint(1, json!([])),
            "HostComputeNamespace",
            json!(namespace),
        )
    };
    let namespace = || json!({"ID": NAMESPACE, "NamespaceId": 7, "Type": "Guest", "Resources": [], "SchemaVersion": {"Major": 2, "Minor": 0}});
    vec![
        (
            "one-family-rules",
            vec![dual(json!([from("10.0.0.7"), open("In"), open("Out")]))],
            vec![dual(json!([
                from("10.0.0.7"),
                six(),
                open("In"),
                open("Out")
            ]))],
        ),
        (
            "nat-exceptions-miss",
            vec![network(json!([])), endpoint(1, nat(json!(["10.1.0.0/16"])))],
            vec![network(json!([])), endpoint(1, nat(json!(["10.0.0.0/16"])))],
        ),
        (
            "dead-namespace",
            vec![inside("d0000002-0000-4000-8000-000000000000"), namespace()],
            vec![inside(NAMESPACE), namespace()],
        ),
        (
            "encap-overhead",
            vec![network(json!([])), room(1, 50), room(2, 0)],
            vec![network(json!([])), room(1, 50), room(2, 50)],
        ),
    ]
}

/// What documents tell of pods and services, and a list of exceptions does not have.
#[test]
fn exceptions_of_nat_are_held_against_pods_elsewhere_and_virtual_addresses() {
    let nat = json!([{"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/24"]}}]);
    let mut away = with(endpoint(9, json!([])), "Flags", json!(1));
    away["IpConfigurations"][0]["IpAddress"] = "10.0.9.9".into();
    let found = lint(&[
        network(json!([])),
        endpoint(1, nat),
        endpoint(2, json!([])),
        away,
        service("10.96.0.10", 80, 6, &[2], 1),
    ]);
    let missed: Vec<&str> = found
        .iter()
        .filter(|found| found.check.name == "nat-exceptions-miss")
        .map(|found| found.message.as_str())
        .collect();
    assert_eq!(
        missed,
        ["Exceptions leaves out the remote endpoint 10.0.9.9, the virtual address 10.96.0.10"]
    );
}

/// Every finding of every example shows something.
#[test]
fn every_finding_has_evidence() {
    for (name, bad, _) in examples() {
        for found in lint(&bad) {
            assert!(!found.evidence.is_empty(), "{name}: {found:?}");
        }
    }
}

/// Rules of three kinds, of which one settles what the others say; the fix changes no flow, and says so.
#[test]
fn a_rule_that_another_kind_of_rules_settles_is_found_and_can_go() {
    let tier = |order: u16, rules: Value| json!({"Type": "TierAcl", "Settings": {"Name": format!("t{order}"), "Direction": "In", "Order": order, "TierAclRules": rules}});
    let drop = json!({"TierAclRuleAction": "Block", "Priority": 3});
    let web = |action: &str| json!({"TierAclRuleAction": action, "Protocols": "6", "LocalPorts": "80", "Priority": 1});
    // The first tier settles port 80 itself; the second one hears of 443 alone.
    let pass =
        json!({"TierAclRuleAction": "Pass", "Protocols": "6", "LocalPorts": "443", "Priority": 2});
    let last = json!({"TierAclRuleAction": "Block", "Priority": 3});
    let policies = json!([
        tier(1001, json!([web("Allow"), pass, last])),
        tier(
            1002,
            json!([web("Block"), {"TierAclRuleAction": "Allow", "Protocols": "6", "Priority": 2}, drop])
        ),
    ]);
    let found = lint(&[network(json!([])), endpoint(1, policies)]);
    let told: Vec<_> = found
        .iter()
        .filter(|found| found.check.name == "overruled-rule")
        .map(|found| (found.pointer.as_str(), found.fix.flows))
        .collect();
    assert_eq!(
        told,
        [
            (
                "/Policies/1/Settings/TierAclRules/0",
                crate::lint::Flows::Unchanged
            ),
            (
                "/Policies/1/Settings/TierAclRules/2",
                crate::lint::Flows::Unchanged
            ),
        ]
    );
}

/// The exception of hcsshim#1951, in both shapes.
#[test]
fn an_exception_of_nat_with_host_bits_is_found_and_put_right() {
    let two = json!([{"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8", "172.17.0.1/16"]}}]);
    let one = json!({"ID": NETWORK, "IPAddress": "10.0.0.1", "Policies": [
        {"Type": "OutBoundNAT", "ExceptionList": ["10.0.0.0/8", "172.17.0.1/16"]},
    ]});
    for (document, place) in [
        (endpoint(1, two), "/Policies/0/Settings/Exceptions/1"),
        (one, "/Policies/0/ExceptionList/1"),
    ] {
        let found = lint(std::slice::from_ref(&document));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].check.name, found[0].pointer.as_str()),
            ("host-bits", place)
        );
        let edited = found[0].fix.applied(&document).unwrap();
        assert_eq!(edited.pointer(place), Some(&json!("172.17.0.0/16")));
        assert!(lint(&[edited]).is_empty());
    }
}

/// Rules that a network has for all of its endpoints.
#[test]
fn rules_of_a_network_are_examined_like_those_of_an_endpoint() {
    let of = |what: &str, priority: u16, members: Value| {
        let mut policy = acl(what, priority, members);
        policy["Type"] = "NetworkACL".into();
        policy["Settings"]
            .as_object_mut()
            .unwrap()
            .shift_remove("RuleType");
        policy
    };
    let web = || json!({"Protocols": "6", "LocalPorts": "80"});
    let policies = json!([
        of(
            "Block In",
            100,
            json!({"Protocols": "6", "LocalPorts": "1-1023"})
        ),
        of("Allow In", 200, web()),
        of(
            "Allow In",
            65_500,
            json!({"RemoteAddresses": "10.9.9.9/24"})
        ),
        of("Allow Out", 65_500, json!({})),
        of("Allow Out", 65_500, json!({})),
    ]);
    let found = lint(&[network(policies), endpoint(1, json!([]))]);
    let told: Vec<_> = found
        .iter()
        .map(|found| (found.object.kind, found.check.name, found.pointer.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("network", "shadowed-rule", "/Policies/1"),
            (
                "network",
                "host-bits",
                "/Policies/2/Settings/RemoteAddresses"
            ),
            ("network", "duplicate-rule", "/Policies/4"),
        ]
    );
}

fn examples() -> Vec<Example> {
    [
        of_rules(),
        of_sets(),
        of_keys(),
        of_addresses(),
        of_services(),
        of_room(),
        objects::of_mappings(),
        objects::of_nodes(),
        objects::of_overlays(),
        objects::of_twins(),
        objects::of_frontends(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_check_finds_its_trouble_and_nothing_where_there_is_none() {
    let examples = examples();
    for check in CHECKS {
        let own = examples.iter().filter(|(name, _, _)| *name == check.name);
        assert_eq!(own.count(), 1, "{}", check.name);
    }
    for (name, bad, good) in examples {
        let names = |documents: &[Value]| -> Vec<&str> {
            lint(documents)
                .iter()
                .map(|found| found.check.name)
                .collect()
        };
        let (bad, good) = (names(&bad), names(&good));
        assert!(bad.contains(&name), "{name} is not among {bad:?}");
        assert!(!good.contains(&name), "{name} is among {good:?}");
    }
}
