// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies of networks and endpoints beyond rules (hns-behaviour 2.4, 2.12, 2.13, 4.12, 5.7).

use hcn_api::{Answer, Kind};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{acl, code, policy_request, refusal},
};

fn set(id: &str, kind: &str, values: &str) -> Value {
    json!({"Type": "SetPolicy", "Settings": {"Id": id, "Name": id, "PolicyType": kind, "Values": values}})
}

fn ask(host: &Host, network: Guid, verb: &str, policies: Value) -> Answer<()> {
    host.modify(Kind::Network, network, &policy_request(verb, policies))
}

fn types(document: &Value) -> Vec<&str> {
    let policies = document["Policies"].as_array().into_iter().flatten();
    policies
        .map(|policy| policy["Type"].as_str().unwrap())
        .collect()
}

/// 2.4 and 2.12: the numbers that the API's pages and WSL give.
#[test]
fn a_type_given_as_a_number_is_turned_into_its_word() {
    let host = Host::new();
    let network = host.network(json!({
        "Name": "n", "Type": "NAT",
        "Policies": [{"Type": 1, "Settings": {"NetworkAdapterName": "Ethernet 2"}}],
    }));
    assert_eq!(types(&host.two(Kind::Network, network)), ["NetAdapterName"]);
    let pod = host.endpoint(
        network,
        json!({"Policies": [
            {"Type": 0, "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080}},
            {"Type": 9, "Settings": {"Name": "port"}},
        ]}),
    );
    assert_eq!(types(&host.endpoint_two(pod)), ["PortMapping", "PortName"]);
    let rule = json!({"Action": "Allow", "Direction": "In", "Priority": 100});
    host.policies(
        pod,
        "Add",
        json!([{"Type": 1, "Settings": rule}, {"Type": "4", "Settings": {}}]),
    )
    .unwrap();
    assert_eq!(
        types(&host.endpoint_two(pod)),
        ["PortMapping", "PortName", "ACL", "OutBoundNAT"]
    );
    host.policies(
        pod,
        "Update",
        json!([{"Type": 18, "Settings": {"PolicyFlags": 1}}]),
    )
    .unwrap();
    assert_eq!(
        types(&host.endpoint_two(pod)),
        ["PortMapping", "PortName", "OutBoundNAT", "Firewall"]
    );
    assert_eq!(
        code(host.policies(pod, "Add", json!([{"Type": 8, "Settings": {}}]))).0,
        0x803b_000e
    );
}

/// 4.12: first-level sets before a nested one, nested ones removed first, rules before the sets that they name.
#[test]
fn sets_come_and_go_in_the_order_of_their_references() {
    let host = Host::new();
    let network = host.nat();
    let pod = host.pod(network);
    let early = ask(
        &host,
        network,
        "Add",
        json!([set("all", "NESTEDIPSET", "a")]),
    );
    assert_eq!(code(early).0, 0x803b_000d);
    ask(
        &host,
        network,
        "Add",
        json!([
            set("a", "IPSET", "10.0.0.1,10.0.0.0/8"),
            set("all", "NESTEDIPSET", "a")
        ]),
    )
    .unwrap();
    assert_eq!(
        code(ask(&host, network, "Add", json!([set("a", "IPSET", "")]))).0,
        0x803b_0012
    );
    assert_eq!(
        code(ask(
            &host,
            network,
            "Remove",
            json!([set("a", "IPSET", "")])
        ))
        .0,
        0x803b_002c
    );
    let rule = acl(
        json!({"Action": "Allow", "Direction": "In", "LocalAddresses": "all", "Priority": 222}),
    );
    host.policies(pod, "Add", json!([rule])).unwrap();
    let held = refusal(ask(
        &host,
        network,
        "Remove",
        json!([set("all", "NESTEDIPSET", "a")]),
    ));
    assert_eq!(held.code.0, 0x803b_002c);
    assert!(held.to_string().contains(&pod.to_string()), "{held}");
    host.policies(pod, "Update", json!([])).unwrap();
    ask(
        &host,
        network,
        "Remove",
        json!([set("all", "NESTEDIPSET", "")]),
    )
    .unwrap();
    ask(&host, network, "Remove", json!([set("a", "IPSET", "")])).unwrap();
    assert_eq!(types(&host.two(Kind::Network, network)), Vec::<&str>::new());
}

/// 4.12: an Update of a set that is not there is passed over; values are checked as in an Add.
#[test]
fn an_update_writes_the_values_of_a_set() {
    let host = Host::new();
    let network = host.nat();
    ask(
        &host,
        network,
        "Add",
        json!([set("a", "IPSET", "10.0.0.1")]),
    )
    .unwrap();
    ask(
        &host,
        network,
        "Update",
        json!([set("a", "IPSET", "10.0.0.2"), set("b", "IPSET", "10.0.0.3")]),
    )
    .unwrap();
    let policies = host.two(Kind::Network, network)["Policies"].clone();
    assert_eq!(policies, json!([set("a", "IPSET", "10.0.0.2")]));
    let bad = refusal(ask(
        &host,
        network,
        "Update",
        json!([set("a", "IPSET", "10.0.0.2,web")]),
    ));
    assert_eq!(
        (bad.code.0, bad.field.as_deref()),
        (0x803b_000d, Some("/Settings/Policies/0/Settings/Values"))
    );
    assert_eq!(host.two(Kind::Network, network)["Policies"], policies);
}

/// 2.12: one HostRoute a network, also where the network is made with two.
#[test]
fn a_network_has_one_host_route() {
    let host = Host::new();
    let overlay = host.overlay();
    let route = json!({"Type": "HostRoute", "Settings": {}});
    ask(&host, overlay, "Add", json!([route])).unwrap();
    assert_eq!(
        code(ask(&host, overlay, "Add", json!([route]))).0,
        0x803b_0012
    );
    ask(&host, overlay, "Remove", json!([route])).unwrap();
    ask(&host, overlay, "Add", json!([route])).unwrap();
    let twice = json!({"Name": "x", "Type": "Private", "Policies": [route, route], "SchemaVersion": {"Major": 2}});
    let answer = hcn_api::Hns::create(
        &host.service,
        Kind::Network,
        None,
        Guid::ZERO,
        &twice.to_string(),
    );
    assert_eq!(code(answer).0, 0x803b_0012);
}

/// 2.9: SetPolicy from 13, nested sets and NetworkACL from 15, L4Proxy from 13.1.
#[test]
fn network_policies_come_with_their_versions() {
    let rule = json!({"Type": "NetworkACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 200}});
    let proxy = json!({"Type": "L4Proxy", "Settings": {"Port": "8080", "Protocol": 6, "Destination": "10.0.0.1"}});
    for (version, known) in [
        ("9.2", [false; 4]),
        ("13.3", [true, false, false, true]),
        ("15.0", [true; 4]),
    ] {
        let host = Host::of(version);
        let network = host.nat();
        let all = [
            set("a", "IPSET", ""),
            set("n", "NESTEDIPSET", ""),
            rule.clone(),
            proxy.clone(),
        ];
        for (policy, known) in all.into_iter().zip(known) {
            let answer = ask(&host, network, "Add", json!([policy]));
            match known {
                true => answer.unwrap(),
                false => assert_eq!(code(answer).0, 0x803b_000e, "{version} {policy}"),
            }
        }
    }
}

/// hcsshim's `TestAddL4WfpProxyPolicyOnEndpoint`.
fn wfp_proxy() -> Value {
    json!({"Type": "L4WFPPROXY", "Settings": {
        "InboundProxyPort": "80", "OutboundProxyPort": "81",
        "FilterTuple": {"Protocols": "6", "RemoteAddresses": "10.0.0.4", "Priority": 8},
        "InboundExceptions": {"IpAddressExceptions": ["12.0.1.12"], "PortExceptions": ["8181"]},
        "OutboundExceptions": {"IpAddressExceptions": ["10.0.1.12"], "PortExceptions": ["81"]},
    }})
}

/// 5.7: one proxy a pod, TCP, IPv4; 4.11: Remove takes it away exactly as it was read.
#[test]
fn an_endpoint_has_one_wfp_proxy() {
    let host = Host::new();
    let pod = host.pod(host.nat());
    host.policies(pod, "Add", json!([wfp_proxy()])).unwrap();
    assert_eq!(
        code(host.policies(pod, "Add", json!([wfp_proxy()]))).0,
        0x803b_0012
    );
    host.policies(pod, "Update", json!([wfp_proxy()])).unwrap();
    let stored = host.endpoint_two(pod)["Policies"].clone();
    assert_eq!(stored, json!([wfp_proxy()]));
    host.policies(pod, "Remove", stored).unwrap();
    assert_eq!(types(&host.endpoint_two(pod)), Vec::<&str>::new());
    for (pointer, value) in [
        ("/InboundProxyPort", json!("http")),
        ("/FilterTuple/Protocols", json!("17")),
        (
            "/OutboundExceptions/IpAddressExceptions/0",
            json!("fd00::1"),
        ),
        ("/InboundExceptions/PortExceptions/0", json!("70000")),
    ] {
        let mut policy = wfp_proxy();
        *policy["Settings"].pointer_mut(pointer).unwrap() = value;
        let error = refusal(host.policies(pod, "Add", json!([policy])));
        assert_eq!(error.code.0, 0x803b_000d);
        assert_eq!(
            error.field,
            Some(format!("/Settings/Policies/0/Settings{pointer}"))
        );
    }
    // Go sends empty objects where it means nothing (1.6).
    let empty = json!({"Type": "L4WFPPROXY", "Settings": {"OutboundProxyPort": "81", "FilterTuple": {}, "InboundExceptions": {}, "OutboundExceptions": {}}});
    host.policies(pod, "Add", json!([empty])).unwrap();
}

/// 4.3, 3.1 0x803b000f: rules and proxies belong where the endpoint is local.
#[test]
fn a_remote_endpoint_takes_no_rules_and_no_proxies() {
    let host = Host::new();
    let network = host.overlay();
    let remote = host.endpoint(network, json!({
        "Flags": 1, "MacAddress": "02-11-0a-f4-02-14", "IpConfigurations": [{"IpAddress": "10.244.2.20"}],
    }));
    let rule = acl(json!({"Action": "Allow", "Direction": "In"}));
    let tier = json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1, "TierAclRules": []}});
    for policy in [
        rule,
        tier,
        wfp_proxy(),
        json!({"Type": "L4Proxy", "Settings": {"Port": "80"}}),
    ] {
        assert_eq!(
            code(host.policies(remote, "Add", json!([policy]))).0,
            0x803b_000f,
            "{policy}"
        );
    }
}
