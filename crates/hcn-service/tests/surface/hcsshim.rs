// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of hcsshim's `hcn` package expect of documents (hns-behaviour 7.1 to 7.3 and 7.6 to 7.9; 7.4 and 7.5 are with their objects).
//!
//! Apart from the trace of those tests because a trace says what was asked, and these say what the answer has to be.

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{V2, code, mapping, policy_request, two},
};

fn policies(document: &Value, kind: &str) -> Vec<Value> {
    let all = document["Policies"].as_array().into_iter().flatten();
    all.filter(|policy| policy["Type"] == kind)
        .cloned()
        .collect()
}

/// `TestAddRemoveRemoteSubnetRoutePolicy`, `TestAddRemoveHostRoutePolicy`, `TestAddRemoveNetworACLPolicy`.
#[test]
fn network_policies_are_there_after_add_and_gone_after_remove() {
    let host = Host::new();
    let overlay = host.overlay();
    let lists = "192.168.100.0/24,10.0.0.21";
    for policy in [
        json!({"Type": "RemoteSubnetRoute", "Settings": {
            "DestinationPrefix": "192.168.2.0/24", "IsolationId": 5000, "ProviderAddress": "1.1.1.1",
            "DistributedRouterMacAddress": "00-12-34-56-78-9a",
        }}),
        json!({"Type": "HostRoute", "Settings": {}}),
        json!({"Type": "NetworkACL", "Settings": {
            "Protocols": "6", "Action": "Allow", "Direction": "In", "LocalAddresses": lists, "RemoteAddresses": lists,
            "LocalPorts": "80,8080", "RemotePorts": "80,8080", "RuleType": "Switch", "Priority": 200,
        }}),
    ] {
        let kind = policy["Type"].as_str().unwrap();
        let ask = |verb| {
            host.modify(
                Kind::Network,
                overlay,
                &policy_request(verb, json!([policy])),
            )
        };
        ask("Add").unwrap();
        assert_eq!(
            policies(&host.two(Kind::Network, overlay), kind),
            std::slice::from_ref(&policy)
        );
        ask("Remove").unwrap();
        assert_eq!(
            policies(&host.two(Kind::Network, overlay), kind),
            Vec::<Value>::new()
        );
    }
}

/// `TestCreateDeleteNetworks`, `TestGetNetworkByName`, `TestGetNetworkById`, `TestNetworkFlags`, `TestMissingNetworkByName`.
#[test]
fn networks_are_found_by_what_was_answered() {
    let host = Host::new();
    let overlay = host.overlay();
    let answer = host.two(Kind::Network, overlay);
    assert_eq!(answer["Flags"].as_u64().unwrap() & 8, 8);
    assert_eq!(
        host.find(Kind::Network, &json!({"Name": "GoTestOverlay"})),
        [overlay]
    );
    assert_eq!(
        host.find(Kind::Network, &json!({"ID": answer["ID"]})),
        [overlay]
    );
    assert_eq!(
        host.find(Kind::Network, &json!({"Name": "Not found name"})),
        []
    );
    assert_eq!(
        host.find(
            Kind::Network,
            &json!({"ID": "5f0b1190-63be-4e0c-b974-bd0f55675a42"})
        ),
        []
    );
    assert_eq!(
        host.find(
            Kind::Namespace,
            &json!({"ID": "5f0b1190-63be-4e0c-b974-bd0f55675a42"})
        ),
        []
    );
    // Without Ipams HNS picks a subnet and a gateway.
    let chosen = host.network(json!({"Name": "GoTestNat", "Type": "NAT", "MacPool": {}, "Dns": {}, "Health": {"Extra": {}}}));
    let subnet = host.two(Kind::Network, chosen)["Ipams"][0]["Subnets"][0].clone();
    assert!(
        subnet["IpAddressPrefix"].as_str().unwrap().ends_with("/20"),
        "{subnet}"
    );
    assert_eq!(subnet["Routes"][0]["DestinationPrefix"], "0.0.0.0/0");
}

/// `TestGetEndpointById`, `TestGetEndpointByName`, `TestListEndpointsOfNetwork`, `TestApplyPolicyOnEndpoint`, `TestApplyTierAclPolicyOnEndpoint`.
#[test]
fn endpoints_are_found_and_have_the_policies_applied() {
    let host = Host::new();
    let (nat, bridge) = (host.nat(), host.network(json!({"Name": "GoTestL2Bridge", "Type": "L2Bridge", "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.9.0.0/24", "Routes": [{"NextHop": "10.9.0.1", "DestinationPrefix": "0.0.0.0/0"}]}]}]})));
    let pod = host.pod(nat);
    assert_eq!(
        host.find(Kind::Endpoint, &json!({"Name": "GoTestNatEndpoint"})),
        [pod]
    );
    assert_eq!(
        host.find(Kind::Endpoint, &json!({"ID": host.endpoint_two(pod)["ID"]})),
        [pod]
    );
    assert_eq!(
        host.find(
            Kind::Endpoint,
            &json!({"VirtualNetwork": host.two(Kind::Network, nat)["ID"]})
        ),
        [pod]
    );
    let lists = "192.168.100.0/24,10.0.0.21";
    let rule = |direction: &str| {
        json!({"Type": "ACL", "Settings": {
            "Protocols": "6", "Action": "Allow", "Direction": direction, "LocalAddresses": lists, "RemoteAddresses": lists,
            "LocalPorts": "80,8080", "RemotePorts": "80,8080", "RuleType": "Switch", "Priority": 200,
        }})
    };
    host.policies(pod, "Update", json!([rule("In"), rule("Out")]))
        .unwrap();
    assert_eq!(policies(&host.endpoint_two(pod), "ACL").len(), 2);
    let tier = |direction: &str, order: u16| {
        json!({"Type": "TierAcl", "Settings": {
            "Name": "tier", "Direction": direction, "Order": order,
            "TierAclRules": [
                {"Id": "pass", "Protocols": "6", "TierAclRuleAction": "Pass", "LocalPorts": "80", "Priority": 2000},
                {"Id": "block", "TierAclRuleAction": "Block", "Priority": 2100},
            ],
        }})
    };
    let tiers: Vec<Value> = [
        ("In", 1001),
        ("In", 1002),
        ("In", 1013),
        ("Out", 1001),
        ("Out", 1002),
        ("Out", 1013),
    ]
    .map(|(direction, order)| tier(direction, order))
    .into();
    let bridged = host.pod(bridge);
    host.policies(bridged, "Update", json!(tiers)).unwrap();
    assert_eq!(policies(&host.endpoint_two(bridged), "TierAcl"), tiers);
}

/// `TestGetNamespaceEndpointIds`, `TestGetNamespaceContainers`, `TestSyncNamespace…`; `TestNotFoundError` for the code.
#[test]
fn namespaces_tell_the_endpoints_in_them() {
    let host = Host::new();
    let pod = host.pod(host.nat());
    let namespace = host.namespace(json!({"NamespaceId": 5, "Type": "HostDefault"}));
    host.membership(namespace, "Add", pod).unwrap();
    let resources = host.two(Kind::Namespace, namespace)["Resources"].clone();
    assert_eq!(resources.as_array().unwrap().len(), 1);
    assert_eq!(resources[0]["Type"], "Endpoint");
    // AWS compares with the endpoint's id as it is (2.1).
    assert_eq!(resources[0]["Data"]["Id"], host.endpoint_two(pod)["ID"]);
    host.membership(namespace, "Remove", pod).unwrap();
    assert_eq!(
        host.find(Kind::Namespace, &json!({"ID": namespace.to_string()})),
        [namespace]
    );
    for kind in ["HostDefault", "Host", "Guest", "GuestDefault"] {
        let other = host.namespace(json!({"NamespaceId": 5, "Type": kind}));
        assert_eq!(host.two(Kind::Namespace, other)["NamespaceId"], 5);
        host.delete(Kind::Namespace, other).unwrap();
    }
    let gone = ObjectId {
        kind: Kind::Namespace,
        id: Guid(7),
    };
    assert_eq!(code(host.service.open(gone)).0, 0x8007_0490);
}

/// `TestEndpointAlreadyExistsError`.
#[test]
fn a_port_of_the_host_leads_to_one_endpoint() {
    let host = Host::new();
    let overlay = host.overlay();
    let document = json!({"Name": "GoTestEndpoint", "Policies": [mapping(17, 45678, 56789)]});
    host.endpoint(overlay, document.clone());
    let again = host.service.create(
        Kind::Endpoint,
        Some(overlay),
        Guid::ZERO,
        &two(document).to_string(),
    );
    assert_eq!(code(again).0, 0x803b_0013);
    assert_eq!(host.count(Kind::Endpoint), 1);
}

/// `TestV1Network`, `TestV1Endpoint`, and the v1 tests' attach and detach.
#[test]
fn documents_in_v1_shape_make_the_same_objects() {
    let host = Host::new();
    let network = json!({
        "Name": "GoTestNat", "Type": "NAT",
        "MacPools": [{"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"}],
        "Subnets": [{"AddressPrefix": "192.168.100.0/24", "GatewayAddress": "192.168.100.1"}],
    });
    let network = host.create(Kind::Network, None, &network);
    let answer = host.two(Kind::Network, network);
    assert_eq!(
        answer["Ipams"][0]["Subnets"][0]["IpAddressPrefix"],
        "192.168.100.0/24"
    );
    assert_eq!(
        answer["MacPool"]["Ranges"][0]["EndMacAddress"],
        "00-15-5D-52-CF-FF"
    );
    let pod = host.create(
        Kind::Endpoint,
        Some(network),
        &json!({"Name": "GoTestNatEndpoint", "VirtualNetwork": network.upper()}),
    );
    assert_eq!(host.service.list(Kind::Endpoint, V2).unwrap().len(), 1);
    let mac = host.endpoint_two(pod)["MacAddress"].clone();
    assert!(mac.as_str().unwrap().starts_with("00-15-5D-52-C"), "{mac}");
    let path = |verb: &str| format!("/endpoints/{}/{verb}", pod.upper());
    host.call(
        "POST",
        &path("attach"),
        r#"{"SystemType":"Host","CompartmentId":1}"#,
    );
    assert_eq!(host.one(Kind::Endpoint, pod)["State"], 2);
    host.call("POST", &path("detach"), r#"{"SystemType":"Host"}"#);
    // `TestEndpointStatsAll` deletes the network while the endpoint is there.
    host.call("DELETE", &format!("/networks/{}", network.upper()), "");
    assert_eq!(host.count(Kind::Endpoint), 0);
}
