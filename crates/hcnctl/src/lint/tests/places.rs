// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where findings stand: inside of nested objects, in either shape, and what fixes there do.

use serde_json::{Value, json};

use super::{acl, endpoint, lint, network, told};
use crate::lint::Flows;

/// Keys that are a slip away from known ones, wherever they stand.
#[test]
fn misspelt_keys_are_found_in_nested_objects_of_both_shapes() {
    let tier = |key: &str, rule: Value| json!([{"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1, key: [rule]}}]);
    let proxy = json!([{"Type": "L4WFPPROXY", "Settings": {
        "FilterTuple": {"Protocol": "6"}, "InboundExceptions": {"IpAdressExceptions": []},
    }}]);
    let v1_network = json!({
        "ID": super::NETWORK, "Type": "l2bridge", "MacPools": [{"StartMacAdress": "00-15-5D-00-00-00"}],
        "Subnets": [{"AdressPrefix": "10.0.0.0/24", "Policies": [{"Type": "VSID", "VSIDD": 4096}]}],
    });
    let v1_endpoint = json!({"VirtualNetwork": super::NETWORK, "IPAddress": "10.0.0.1", "Policies": [
        {"Type": "QOS", "MaximumOutgoingBandwithInBytes": 5}, {"Type": "ROUTE", "DestinationPrefx": "10.0.0.0/8"},
        {"Type": "VLAN", "Vlann": 1}, {"Type": "PA", "PAA": "10.0.0.9"},
    ]});
    let balancer = json!({
        "ID": "c0000001-0000-4000-8000-000000000000", "FrontendVIPs": ["10.96.0.1"], "HostComputeEndpoint": [], "PortMapping": [],
    });
    let namespace = json!({
        "ID": "d0000001-0000-4000-8000-000000000000", "Type": "Host", "NamespaceIdd": 5, "Resource": [], "SchemaVersion": {"Major": 2, "Minor": 0},
    });
    let members = json!({"Action": "Allow", "Direction": "In", "Priority": 1});
    let cases: Vec<(Value, Vec<&str>)> = vec![
        (
            endpoint(
                1,
                tier(
                    "tierAclRules",
                    json!({"TierAclRuleAction": "Block", "Protocls": "6", "Priority": 1}),
                ),
            ),
            vec!["/Policies/0/Settings/tierAclRules/0/Protocls"],
        ),
        (
            endpoint(1, proxy),
            vec![
                "/Policies/0/Settings/FilterTuple/Protocol",
                "/Policies/0/Settings/InboundExceptions/IpAdressExceptions",
            ],
        ),
        (
            endpoint(1, json!([{"Type": "ACL", "Setings": members}])),
            vec!["/Policies/0/Setings"],
        ),
        (
            endpoint(1, json!([{"Typ": "ACL", "Settings": members}])),
            vec!["/Policies/0/Typ"],
        ),
        (
            v1_network,
            vec![
                "/MacPools/0/StartMacAdress",
                "/Subnets/0/AdressPrefix",
                "/Subnets/0/Policies/0/VSIDD",
            ],
        ),
        (
            v1_endpoint,
            vec![
                "/Policies/0/MaximumOutgoingBandwithInBytes",
                "/Policies/1/DestinationPrefx",
                "/Policies/2/Vlann",
                "/Policies/3/PAA",
            ],
        ),
        (balancer, vec!["/HostComputeEndpoint", "/PortMapping"]),
        (namespace, vec!["/NamespaceIdd", "/Resource"]),
    ];
    for (document, wanted) in cases {
        let found = lint(std::slice::from_ref(&document));
        let misspelt = found
            .iter()
            .filter(|found| found.check.name == "misspelt-key");
        let places: Vec<&str> = misspelt.map(|found| found.pointer.as_str()).collect();
        assert_eq!(places, wanted, "{document}");
    }
}

/// What stands in a list that is no list is not examined, and that is said.
#[test]
fn a_member_of_another_kind_is_found_where_it_stands() {
    let with = |key: &str, value: Value| {
        let mut document = endpoint(1, json!([]));
        document[key] = value;
        document
    };
    let settings = json!([{"Type": "OutBoundNAT", "Settings": "x"}]);
    let exceptions = json!([{"Type": "OutBoundNAT", "Settings": {"Exceptions": "10.0.0.0/8"}}]);
    for (document, place) in [
        (with("Policies", json!("x")), "/Policies"),
        (with("Policies", json!([null, 5])), "/Policies"),
        (endpoint(1, settings), "/Policies/0/Settings"),
        (endpoint(1, exceptions), "/Policies/0/Settings/Exceptions"),
        (
            with("Routes", json!([{"Metric": "low"}])),
            "/Routes/0/Metric",
        ),
    ] {
        let found = lint(std::slice::from_ref(&document));
        assert_eq!(told(&found), [("unreadable-member", place)], "{document}");
    }
}

/// v2 tells the host's address by a policy (hns-behaviour 2.3).
#[test]
fn a_link_local_management_address_is_found_in_v2_too() {
    let of = |address: &str| {
        let own = json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": address}}]);
        lint(&[network(own)])
    };
    assert_eq!(
        told(&of("169.254.3.4")),
        [(
            "apipa-management-address",
            "/Policies/0/Settings/ProviderAddress"
        )]
    );
    assert!(of("192.168.3.4").is_empty());
}

/// NAT against the LAN (pain 31): another network's subnet, or the host's address there. Two networks on the wire share it.
#[test]
fn the_subnet_of_a_nat_overlaps_those_of_other_types_too() {
    let of = |number: u8, kind: &str, prefix: &str, policies: Value| {
        json!({
            "ID": format!("a00000{number:02x}-0000-4000-8000-000000000000"), "Name": format!("net{number}"), "Type": kind, "Policies": policies,
            "SchemaVersion": {"Major": 2, "Minor": 0}, "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}],
        })
    };
    let host = json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "10.1.7.7"}}]);
    let nat = || of(2, "NAT", "10.1.0.0/16", json!([]));
    for (others, wanted) in [
        (
            vec![nat(), of(3, "L2Bridge", "10.1.0.0/24", json!([]))],
            vec![("overlapping-subnets", "/Ipams/0/Subnets/0")],
        ),
        (
            vec![nat(), of(3, "L2Bridge", "10.2.0.0/24", host)],
            vec![(
                "overlapping-subnets",
                "/Policies/0/Settings/ProviderAddress",
            )],
        ),
        (
            vec![
                of(3, "L2Bridge", "10.1.0.0/24", json!([])),
                of(4, "Transparent", "10.1.0.0/16", json!([])),
            ],
            vec![],
        ),
        (
            vec![nat(), of(3, "Private", "10.1.0.0/24", json!([]))],
            vec![],
        ),
    ] {
        assert_eq!(told(&lint(&others)), wanted);
    }
}

/// A set with one bad value is one finding: it is not also called empty.
#[test]
fn a_set_that_cannot_be_read_is_not_called_empty() {
    let set = json!([{"Type": "SetPolicy", "Settings": {"Id": "s", "Name": "s", "PolicyType": "IPSET", "Values": "10.0.0.9,foo bar"}}]);
    let rules = json!([
        acl("Allow In", 100, json!({"LocalAddresses": "s"})),
        acl("Allow Out", 65_500, json!({})),
        acl("Block In", 65_500, json!({})),
    ]);
    let found = lint(&[network(set), endpoint(1, rules)]);
    assert_eq!(
        told(&found),
        [("unreadable-set", "/Policies/0/Settings/Values")]
    );
    // The value, and the rule that names the set.
    assert_eq!(found[0].evidence.len(), 2);
}

/// What is gone is taken out of the namespace; the namespace stays.
#[test]
fn a_dead_endpoint_is_taken_out_of_its_namespace() {
    let namespace = json!({
        "ID": "d0000001-0000-4000-8000-000000000000", "NamespaceId": 7, "SchemaVersion": {"Major": 2, "Minor": 0},
        "Resources": [{"Type": "Endpoint", "Data": {"Id": "b0000077-0000-4000-8000-000000000000"}}],
    });
    let others = [endpoint(1, json!([])), namespace.clone()];
    let found = lint(&others);
    assert_eq!(told(&found), [("dead-namespace", "/Resources/0")]);
    assert_eq!(found[0].fix.flows, Flows::Unknown);
    let edited = found[0].fix.applied(&namespace).unwrap();
    assert_eq!(edited["Resources"], json!([]));
    assert!(lint(&[endpoint(1, json!([])), edited]).is_empty());
}

/// What is unknown beside the list that it is the singular of, and a type that v1 calls otherwise.
#[test]
fn a_singular_beside_its_plural_and_a_type_of_v1_are_found() {
    let mut net = network(json!([]));
    net["Ipam"] = json!({"Type": "Static"});
    let proxy = json!([{"Type": "PROXY", "Settings": {"Port": "15001"}}]);
    let mut own = endpoint(1, proxy);
    own["IpConfiguration"] = json!({"IpAddress": "10.0.0.9"});
    own["Extension"] = json!(1);
    let found = lint(&[net, own]);
    assert_eq!(
        told(&found),
        [
            ("unknown-key", "/Ipam"),
            ("unknown-key", "/IpConfiguration"),
            ("unknown-policy-type", "/Policies/0/Type"),
        ]
    );
    assert!(
        found[2].message.ends_with("in v2 it is L4Proxy"),
        "{}",
        found[2].message
    );
    assert_eq!(found[2].fix.edits, []);
}
