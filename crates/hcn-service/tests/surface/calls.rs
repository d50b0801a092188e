// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths of `HNSCall` that are not about one kind of object (hns-behaviour 1.7).

use hcn_api::{HcnCode, Hns, Kind};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{code, keys, mapping, parsed},
};

/// 1.7.1, and 7.9 `TestEndpointStatsAll`: every endpoint has counters, attached or not. No packet was counted.
#[test]
fn every_endpoint_has_counters() {
    let host = Host::new();
    let nat = host.nat();
    let (one, other) = (host.pod(nat), host.pod(nat));
    let stats = host.call("GET", &format!("/endpointstats/{one}"), "");
    for key in [
        "BytesReceived",
        "BytesSent",
        "DroppedPacketsIncoming",
        "DroppedPacketsOutgoing",
        "PacketsReceived",
        "PacketsSent",
    ] {
        assert_eq!(stats[key], 0, "{key}");
    }
    assert_eq!(stats["EndpointId"], one.to_string());
    assert!(stats["InstanceId"].is_string());
    let all = host.call("GET", "/endpointstats/", "");
    let ids: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|stats| &stats["EndpointId"])
        .collect();
    assert_eq!(ids, [&json!(one.to_string()), &json!(other.to_string())]);
    let typed = host.service.endpoint_stats(one, "").unwrap();
    assert_eq!(parsed(&typed), stats);
    assert_eq!(
        code(host.service.endpoint_stats(Guid(3), "")),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND
    );
}

#[test]
fn an_endpoint_tells_its_addresses() {
    let host = Host::new();
    let nat = host.nat();
    let pod = host.endpoint(nat, json!({"IpConfigurations": [{"IpAddress": "192.168.100.7"}], "MacAddress": "00-15-5D-00-00-01"}));
    let addresses = parsed(&host.service.endpoint_addresses(pod, "").unwrap());
    assert_eq!(addresses["MacAddress"], "00-15-5D-00-00-01");
    assert_eq!(
        addresses["IpConfigurations"][0]["IpAddress"],
        "192.168.100.7"
    );
    assert_eq!(
        host.call("GET", "/endpointaddresses/", ""),
        json!([addresses])
    );
}

/// 7.9: two addresses, two addresses, none, none; 2.9: from HNS 15.4 on.
#[test]
fn accelnet_keeps_one_list_from_15_4_on() {
    let host = Host::of("15.4");
    let list = json!({"MacAddressList": [{"MacAddress": "00-15-5D-0A-B7-C6"}, {"MacAddress": "00-15-5D-38-01-00"}]});
    assert_eq!(host.call("POST", "/accelnet/", &list.to_string()), list);
    assert_eq!(host.call("GET", "/accelnet/", ""), list);
    let bad = r#"{"MacAddressList":[{"MacAddress":"x"}]}"#;
    assert_eq!(
        code(host.service.call("POST", "/accelnet", bad)),
        HcnCode::E_INVALIDARG
    );
    let none = json!({"MacAddressList": []});
    assert_eq!(host.call("DELETE", "/accelnet/", ""), none);
    assert_eq!(host.call("GET", "/accelnet/", ""), none);
    let older = Host::of("15.0");
    for (method, body) in [
        ("GET", String::new()),
        ("POST", list.to_string()),
        ("DELETE", String::new()),
    ] {
        assert_eq!(
            code(older.service.call(method, "/accelnet/", &body)),
            HcnCode::HCN_E_REQUEST_UNSUPPORTED
        );
    }
}

/// The keys that Azure's clean-up script reads.
#[test]
fn port_pools_have_the_ports_that_are_given_out() {
    let host = Host::new();
    assert_eq!(
        host.call("GET", "/portpools", ""),
        json!({"PortPoolAllocations": []})
    );
    let nat = host.nat();
    let pod = host.endpoint(nat, json!({"Policies": [mapping(6, 80, 8080)]}));
    let pools = host.call("GET", "/portpools/", "");
    assert_eq!(
        pools,
        json!({"PortPoolAllocations": [{"RequiresHostPortReservation": "True", "PortRanges": [{"StartPort": 8080, "EndPort": 8080}]}]})
    );
    host.delete(Kind::Endpoint, pod).unwrap();
    assert_eq!(
        host.call("GET", "/portpools", ""),
        json!({"PortPoolAllocations": []})
    );
}

#[test]
fn lists_that_are_empty_here_answer_all_the_same() {
    let host = Host::new();
    for path in [
        "/activities",
        "/activities/",
        "/plugins/",
        "/policylists/",
        "/endpointstats",
    ] {
        assert_eq!(host.call("GET", path, ""), json!([]), "{path}");
    }
    assert_eq!(
        host.call("GET", "/globals", ""),
        json!({"Version": {"Major": 15, "Minor": 0}})
    );
}

/// 1.7.1: `detailed` adds the tree of resources.
#[test]
fn detailed_has_the_tree_of_resources() {
    let host = Host::new();
    let nat = host.nat();
    let pod = host.pod(nat);
    let detailed = host.call("GET", &format!("/endpoints/{pod}/detailed"), "");
    assert_eq!(detailed["ID"], pod.to_string());
    assert!(keys(&detailed["Resources"]).contains(&"Allocators"));
    assert!(host.call("GET", &format!("/networks/{nat}/detailed"), "")["Resources"].is_object());
}

/// 1.7.1: `POST /networks/<id>` takes extensions or a part of a network.
#[test]
fn a_part_of_a_network_is_put_into_it() {
    let host = Host::new();
    let nat = host.nat();
    let capture = "430BDADD-BAB0-41AB-A369-94B67FA5BE0A";
    let part = json!({"DNSServerList": "1.1.1.1,8.8.8.8", "Extensions": [{"Id": capture, "IsEnabled": true}]});
    let answer = host.call("POST", &format!("/networks/{nat}"), &part.to_string());
    assert_eq!(answer["DNSServerList"], "1.1.1.1,8.8.8.8");
    let extensions = answer["Extensions"].as_array().unwrap();
    let own = extensions.iter().find(|own| own["Id"] == capture).unwrap();
    assert_eq!(own["IsEnabled"], true);
    let two = host.two(Kind::Network, nat);
    assert_eq!(two["Dns"]["ServerList"], json!(["1.1.1.1", "8.8.8.8"]));
    assert_eq!(
        two["Ipams"][0]["Subnets"][0]["IpAddressPrefix"],
        "192.168.100.0/24"
    );
}
