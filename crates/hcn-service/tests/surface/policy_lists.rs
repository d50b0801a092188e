// SPDX-License-Identifier: MIT OR Apache-2.0
//! v1 policy lists (hns-behaviour 1.7, 2.14, 2.15): the same objects as load balancers and SDN routes.

use hcn_api::{HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{code, guid, keys, two},
};

fn elb(pod: Guid) -> Value {
    json!({
        "References": [format!("/endpoints/{}", pod.upper())],
        "Policies": [{
            "Type": "ELB", "Protocol": 6, "InternalPort": 80, "ExternalPort": 8080,
            "SourceVIP": "10.0.0.2", "VIPs": ["10.96.0.10"], "ILB": true, "IsDSR": true,
        }],
    })
}

fn post(host: &Host, document: &Value) -> Value {
    host.call("POST", "/policylists/", &document.to_string())
}

/// The members of the recorded lists, and 2.15 for their v2 names.
#[test]
fn an_elb_list_is_a_load_balancer() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let list = post(&host, &elb(pod));
    let id = guid(list["ID"].as_str().unwrap());
    assert_eq!(
        keys(&list),
        [
            "ActivityId",
            "AdditionalParams",
            "Flags",
            "Health",
            "ID",
            "IsApplied",
            "Policies",
            "References",
            "Resources",
            "State",
            "Version"
        ]
    );
    assert_eq!(list["References"], json!([format!("/endpoints/{pod}")]));
    assert_eq!(
        (&list["State"], &list["IsApplied"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(list["Policies"], elb(pod)["Policies"]);
    let two = host.two(Kind::LoadBalancer, id);
    assert_eq!(two["HostComputeEndpoints"], json!([pod.upper()]));
    assert_eq!(two["SourceVIP"], "10.0.0.2");
    assert_eq!(two["FrontendVIPs"], json!(["10.96.0.10"]));
    assert_eq!(two["Flags"], 1);
    assert_eq!(
        two["PortMappings"],
        json!([{"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080, "Flags": 1}])
    );
    // A NULL query asks for the v1 shape (2.1).
    assert_eq!(host.one(Kind::LoadBalancer, id), list);
    assert_eq!(host.call("GET", &format!("/policylists/{id}"), ""), list);
    host.call("DELETE", &format!("/policylists/{id}"), "");
    assert_eq!(host.call("GET", "/policylists", ""), json!([]));
    let gone = host.service.call("GET", &format!("/policylists/{id}"), "");
    assert_eq!(code(gone), HcnCode::ERROR_NOT_FOUND);
}

/// Docker's swarm balances whole addresses: both ports 0, no protocol, flags 1024, as recorded.
#[test]
fn a_list_of_dockers_swarm_is_taken_and_comes_back() {
    let host = Host::of("9.2");
    let pod = host.pod(host.overlay());
    let policy = json!({"ExternalPort": 0, "ILB": true, "InternalPort": 0, "SourceVIP": "10.0.0.2", "Type": "ELB", "VIPs": ["10.0.0.3"]});
    let document =
        json!({"References": [format!("/endpoints/{pod}")], "Flags": 1024, "Policies": [policy]});
    let list = post(&host, &document);
    assert_eq!(list["Policies"], json!([policy]));
    assert_eq!(list["Flags"], 1024);
}

/// 2.15: an object made by either API is seen by both; the list has load balancers and routes.
#[test]
fn the_list_has_the_objects_of_both_apis() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let balancer = host.balancer(json!({
        "HostComputeEndpoints": [pod.to_string()], "FrontendVIPs": ["1.1.1.1"],
        "PortMappings": [{"Protocol": 17, "InternalPort": 53, "ExternalPort": 53}],
    }));
    let route = host.create(
        Kind::SdnRoute,
        None,
        &two(json!({"HostComputeEndpoints": [pod.to_string()], "Routes": [{"DestinationPrefix": "10.0.0.0/8", "NextHop": "192.168.100.1", "NeedEncap": true}]})),
    );
    let lists = host.call("GET", "/policylists/", "");
    let seen: Vec<(&str, &Value)> = lists
        .as_array()
        .unwrap()
        .iter()
        .map(|list| (list["ID"].as_str().unwrap(), &list["Policies"]))
        .collect();
    let elb = json!([{"ExternalPort": 53, "InternalPort": 53, "Protocol": 17, "Type": "ELB", "VIPs": ["1.1.1.1"]}]);
    let routes = json!([{"DestinationPrefix": "10.0.0.0/8", "NeedEncap": true, "NextHop": "192.168.100.1", "Type": "ROUTE"}]);
    assert_eq!(
        seen,
        [
            (balancer.upper().as_str(), &elb),
            (route.upper().as_str(), &routes)
        ]
    );
    let own = host.call("GET", &format!("/policylists/{route}"), "");
    assert_eq!(own["Policies"], routes);
    host.call("DELETE", &format!("/policylists/{route}"), "");
    assert_eq!(host.count(Kind::SdnRoute), 0);
}

/// 3.1: `HCN_E_INVALID_POLICY_TYPE` on Windows Server 2019 (hcsshim#470).
#[test]
fn a_route_list_is_refused_on_windows_server_2019_only() {
    for (version, taken) in [("9.2", false), ("13.3", true), ("15.0", true)] {
        let host = Host::of(version);
        let pod = host.pod(host.overlay());
        let list = json!({
            "References": [format!("/endpoints/{pod}")],
            "Policies": [{"Type": "ROUTE", "DestinationPrefix": "10.0.0.0/8", "NextHop": "192.168.100.1"}],
        });
        let answer = host.service.call("POST", "/policylists", &list.to_string());
        assert_eq!(answer.is_ok(), taken, "{version}");
        if let Err(error) = answer {
            assert_eq!(error.code.0, 0x803b_000e);
        }
        assert_eq!(host.count(Kind::SdnRoute), usize::from(taken));
    }
}

#[test]
fn a_list_that_is_neither_is_refused() {
    let host = Host::new();
    let pod = host.pod(host.overlay());
    let mut document = elb(pod);
    document["Policies"][0]["Type"] = json!("QOS");
    for (document, number) in [
        (document, 0x803b_000eu32),
        (
            json!({"References": ["pod"], "Policies": elb(pod)["Policies"]}),
            0x803b_001c,
        ),
        (
            json!({"References": [format!("/endpoints/{}", Guid(9))], "Policies": elb(pod)["Policies"]}),
            0x803b_001c,
        ),
        (
            json!({"References": [], "Policies": elb(pod)["Policies"]}),
            0x803b_000d,
        ),
    ] {
        let answer = host
            .service
            .call("POST", "/policylists", &document.to_string());
        assert_eq!(code(answer).0, number, "{document}");
    }
    let object = ObjectId {
        kind: Kind::LoadBalancer,
        id: pod,
    };
    assert_eq!(code(host.service.open(object)), HcnCode::ERROR_NOT_FOUND);
}
