// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk-through at the level of documents: its ids, its addresses, its requests, and its three listings.
//!
//! Apart because it is one story. The listings are those of JungukCho/windows-hcsshim (README at 1d2fb43), field by field in order.

use hcn_api::{Hns, Kind};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::scene::{Scene, acl, guid, keys, policy_request};

const NETWORK: &str = "625d8985-3f12-469e-a98d-2baac83dee45";
const NGINX: &str = "edffc876-3051-46ec-80b3-820dda20aa14";
const CLIENT: &str = "c047102f-2bb1-4f64-8f30-9ede02f464f1";
const NGINX_CONTAINER: &str = "49c836b9725e69736157468f33b2a41b0753609c5d49565b46fb37505a5a3b9f";
const CLIENT_CONTAINER: &str = "49e8cbcc30485056cc3e95a6d39f432a8ec2dda522efaaabb2f8dd513b7a5f9c";

/// As docker's windows driver makes them: network, endpoint, attach, each over v1.
fn scene() -> Scene {
    let scene = Scene::new();
    let network = json!({
        "ID": NETWORK, "Name": "nat", "Type": "nat",
        "Subnets": [{
            "AddressPrefix": "172.19.0.0/20", "GatewayAddress": "172.19.0.1",
            "IpSubnets": [{"ID": "35f30e75-364d-4e6d-a459-4ccdce1077e7", "IpAddressPrefix": "172.19.0.0/20", "Flags": 3}],
        }],
        "DNSSuffix": "uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net",
        "DNSServerList": "168.63.129.16",
    });
    scene.call("POST", "/networks/", &network.to_string());
    for (id, address, mac, container) in [
        (NGINX, "172.19.6.74", "00-15-5D-90-AD-7C", NGINX_CONTAINER),
        (
            CLIENT,
            "172.19.3.166",
            "00-15-5D-90-AD-B2",
            CLIENT_CONTAINER,
        ),
    ] {
        let endpoint = json!({"ID": id, "VirtualNetwork": NETWORK, "IPAddress": address, "MacAddress": mac, "EnableInternalDNS": true});
        scene.call("POST", "/endpoints/", &endpoint.to_string());
        let attach = json!({"ContainerId": container, "SystemType": "Container"});
        scene.call(
            "POST",
            &format!("/endpoints/{id}/attach"),
            &attach.to_string(),
        );
    }
    scene
}

/// The two rules of the program's `main.go`.
fn rules(action: &str) -> Value {
    json!([
        acl(
            json!({"Protocols": "6", "Action": action, "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100})
        ),
        acl(json!({"Protocols": "6", "Action": action, "Direction": "Out", "Priority": 100})),
    ])
}

/// The rules as listed: `@{Action=Block; Direction=In; …}`.
fn listed(action: &str) -> [Value; 2] {
    [
        json!({"Action": action, "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100, "Protocols": "6", "Scope": 0, "Type": "ACL"}),
        json!({"Action": action, "Direction": "Out", "Priority": 100, "Protocols": "6", "Scope": 0, "Type": "ACL"}),
    ]
}

/// One endpoint of a listing; `AdditionalParams` is printed as nothing, and of `Resources` the walk-through's own values cannot be known.
fn endpoint(id: &str, address: &str, mac: &str, container: &str, policies: &[Value]) -> Value {
    let mut listing = json!({
        "ID": id,
        "Name": "Ethernet",
        "Version": 64424509440u64,
        "AdditionalParams": {},
        "Resources": null,
        "State": 2,
        "VirtualNetwork": NETWORK,
        "VirtualNetworkName": "nat",
    });
    if !policies.is_empty() {
        listing["Policies"] = json!(policies);
    }
    listing["MacAddress"] = json!(mac);
    listing["EnableInternalDNS"] = json!(true);
    listing["IPAddress"] = json!(address);
    listing["PrefixLength"] = json!(20);
    listing["GatewayAddress"] = json!("172.19.0.1");
    listing["IPSubnetId"] = json!("35f30e75-364d-4e6d-a459-4ccdce1077e7");
    listing["DNSServerList"] = json!("172.19.0.1,168.63.129.16");
    listing["DNSSuffix"] = json!("uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net");
    listing["SharedContainers"] = json!([container]);
    listing
}

fn nginx(policies: &[Value]) -> Value {
    endpoint(
        NGINX,
        "172.19.6.74",
        "00-15-5D-90-AD-7C",
        NGINX_CONTAINER,
        policies,
    )
}

/// Compares a listing as text, so that the order of members counts; of Resources the keys, and the order of allocation.
fn assert_listing(scene: &Scene, policies: &[Value], order: u64) {
    let listing = scene.call("GET", "/endpoints/", "");
    let expected = [
        nginx(policies),
        endpoint(
            CLIENT,
            "172.19.3.166",
            "00-15-5D-90-AD-B2",
            CLIENT_CONTAINER,
            &[],
        ),
    ];
    let listing = listing.as_array().unwrap();
    assert_eq!(listing.len(), 2);
    for ((own, expected), order) in listing.iter().zip(&expected).zip([order, 3]) {
        let mut own = own.clone();
        let resources = own["Resources"].take();
        assert_eq!(own.to_string(), expected.to_string());
        assert_eq!(
            keys(&resources),
            [
                "AdditionalParams",
                "AllocationOrder",
                "Allocators",
                "CompartmentOperationTime",
                "Flags",
                "Health",
                "ID",
                "PortOperationTime",
                "State",
                "SwitchOperationTime",
                "VfpOperationTime",
                "parentId",
            ]
        );
        assert_eq!(resources["AllocationOrder"], order);
        assert_eq!(resources["State"], 1);
    }
    assert_eq!(
        listing[0]["Resources"]["parentId"],
        listing[1]["Resources"]["parentId"]
    );
    assert_ne!(listing[0]["Resources"]["ID"], listing[1]["Resources"]["ID"]);
    let id = listing[0]["Resources"]["ID"].as_str().unwrap();
    assert_eq!(id, id.to_uppercase());
}

fn ask(scene: &Scene, verb: &str, policies: Value) {
    scene
        .policies(guid(NGINX), verb, policies)
        .unwrap_or_else(|error| panic!("{verb}: {error}"));
}

#[test]
fn the_three_listings_are_the_walk_throughs() {
    let scene = scene();
    assert_listing(&scene, &[], 3);
    ask(&scene, "Add", rules("Block"));
    ask(&scene, "Add", rules("Block"));
    let blocked = [listed("Block"), listed("Block")].concat();
    assert_listing(&scene, &blocked, 6);
    ask(&scene, "Update", rules("Allow"));
    assert_listing(&scene, &listed("Allow"), 7);
}

/// "It does not work": the program's own Remove is answered with S_OK and changes nothing (hns-behaviour 4.11).
#[test]
fn the_programs_remove_changes_nothing() {
    let scene = scene();
    ask(&scene, "Add", rules("Block"));
    let before = scene.call("GET", "/endpoints/", "");
    ask(&scene, "Remove", rules("Block"));
    assert_eq!(scene.call("GET", "/endpoints/", ""), before);
}

#[test]
fn remove_of_what_a_query_returned_removes_one_of_two() {
    let scene = scene();
    ask(&scene, "Add", rules("Block"));
    ask(&scene, "Add", rules("Block"));
    let stored = scene.endpoint_two(guid(NGINX))["Policies"][0].clone();
    assert_eq!(stored["Settings"]["Scope"], 0);
    ask(&scene, "Remove", json!([stored]));
    let [inward, outward] = listed("Block");
    let listing = scene.call("GET", &format!("/endpoints/{NGINX}"), "");
    assert_eq!(listing["Policies"], json!([outward, inward, outward]));
}

/// NPM and the walk-through's README both go this way: read, filter, Update.
#[test]
fn update_with_what_is_left_removes_the_rest() {
    let scene = scene();
    ask(&scene, "Add", rules("Block"));
    let stored = scene.endpoint_two(guid(NGINX))["Policies"].clone();
    ask(&scene, "Update", json!([stored[1]]));
    let listing = scene.call("GET", &format!("/endpoints/{NGINX}"), "");
    assert_eq!(listing["Policies"], json!([listed("Block")[1]]));
}

#[test]
fn the_same_requests_make_the_same_listings_over_v2_creates() {
    let scene = scene();
    let network: Guid = guid(NETWORK);
    let query = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;
    let two = crate::scene::parsed(&scene.service.list(Kind::Endpoint, query).unwrap().remove(0));
    assert_eq!(two["ID"], NGINX.to_uppercase());
    assert_eq!(two["HostComputeNetwork"], network.upper());
    assert_eq!(
        two["Dns"],
        json!({"Search": ["uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net"], "ServerList": ["172.19.0.1", "168.63.129.16"]})
    );
    assert_eq!(
        two["Routes"],
        json!([{"NextHop": "172.19.0.1", "DestinationPrefix": "0.0.0.0/0"}])
    );
    scene
        .modify(
            Kind::Endpoint,
            guid(NGINX),
            &policy_request("Add", rules("Block")),
        )
        .unwrap();
    let stored = scene.endpoint_two(guid(NGINX))["Policies"].clone();
    assert_eq!(
        stored[1],
        json!({"Type": "ACL", "Settings": {"Protocols": "6", "Action": "Block", "Direction": "Out", "Priority": 100, "Scope": 0}})
    );
}
