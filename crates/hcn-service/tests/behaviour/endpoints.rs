// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints: what HNS fills in, what it keeps, both shapes (hns-behaviour 1.3, 2.4, 2.14, 5.2, 5.3, 7.2).

use hcn_api::{HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::scene::{Scene, V2, code, guid, keys, mapping, parsed, subnetted, two};

#[test]
fn a_name_alone_makes_a_whole_endpoint() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({"Name": "GoTestNatEndpoint"}));
    let shown = scene.endpoint_two(id);
    assert_eq!(
        keys(&shown),
        [
            "ID",
            "Name",
            "Version",
            "State",
            "HostComputeNetwork",
            "IpConfigurations",
            "Routes",
            "MacAddress",
            "SchemaVersion"
        ]
    );
    assert_eq!(shown["ID"], id.upper());
    assert_eq!(shown["HostComputeNetwork"], network.upper());
    assert_eq!(shown["State"], 1);
    assert_eq!(shown["Version"], 64424509440u64);
    assert_eq!(
        shown["Routes"],
        json!([{"NextHop": "192.168.100.1", "DestinationPrefix": "0.0.0.0/0"}])
    );
    assert_eq!(shown["IpConfigurations"][0]["PrefixLength"], 24);
    assert_eq!(shown["SchemaVersion"], json!({"Major": 2, "Minor": 0}));
}

#[test]
fn without_a_name_it_is_ethernet() {
    let scene = Scene::new();
    let network = scene.nat();
    for document in [json!({}), json!({"Name": ""})] {
        let id = scene.endpoint(network, document);
        assert_eq!(scene.endpoint_two(id)["Name"], "Ethernet");
    }
}

/// The document that Go clients send: struct members are never left out (hns-behaviour 1.6).
#[test]
fn empty_objects_mean_nothing() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({"Name": "go", "Dns": {}, "Health": {"Extra": {}}, "Policies": [], "IpConfigurations": [], "Routes": []}));
    let shown = scene.endpoint_two(id);
    for key in ["Dns", "Health", "Policies", "Flags"] {
        assert_eq!(shown.get(key), None, "{shown}");
    }
    assert_eq!(shown["Routes"][0]["NextHop"], "192.168.100.1");
}

#[test]
fn a_given_address_gets_the_subnets_length_and_the_given_mac_is_echoed() {
    let scene = Scene::new();
    let network = scene.nat();
    // Spellings of Calico, kube-proxy and an old dump (hns-behaviour 5.3).
    for (number, mac) in [
        "0E-2A-0a-2a-d5-dd",
        "02-11-0a-f0-00-0b",
        "00:11:22:33:44:55",
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.168.100.{}", 20 + number);
        let id = scene.endpoint(
            network,
            json!({"IpConfigurations": [{"IpAddress": address}], "MacAddress": mac}),
        );
        let shown = scene.endpoint_two(id);
        assert_eq!(shown["MacAddress"], mac);
        assert_eq!(shown["IpConfigurations"][0]["IpAddress"], address);
        assert_eq!(shown["IpConfigurations"][0]["PrefixLength"], 24);
    }
    // /32 is a feature of its own (Slash32EndpointPrefixes).
    let id = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.32", "PrefixLength": 32}]}),
    );
    assert_eq!(
        scene.endpoint_two(id)["IpConfigurations"][0]["PrefixLength"],
        32
    );
}

#[test]
fn given_routes_stay_as_they_are() {
    let scene = Scene::new();
    let network = scene.nat();
    let routes = json!([{"NextHop": "192.168.100.2", "DestinationPrefix": "0.0.0.0/0"}]);
    let id = scene.endpoint(network, json!({"Routes": routes}));
    assert_eq!(scene.endpoint_two(id)["Routes"], routes);
}

#[test]
fn two_families_give_two_addresses_and_two_routes() {
    let scene = Scene::new();
    let mut document = subnetted("L2Bridge", "dual", "10.0.0.0/24", "10.0.0.1");
    document["Ipams"][0]["Subnets"].as_array_mut().unwrap().push(json!({"IpAddressPrefix": "fd00::/64", "Routes": [{"NextHop": "fd00::1", "DestinationPrefix": "::/0"}]}));
    let network = scene.network(document);
    let id = scene.endpoint(network, json!({}));
    let shown = scene.endpoint_two(id);
    let configurations = shown["IpConfigurations"].as_array().unwrap();
    assert_eq!(configurations.len(), 2);
    assert!(
        configurations[0]["IpAddress"]
            .as_str()
            .unwrap()
            .starts_with("10.0.0.")
    );
    assert!(
        configurations[1]["IpAddress"]
            .as_str()
            .unwrap()
            .starts_with("fd00::")
    );
    assert_eq!(configurations[1]["PrefixLength"], 64);
    assert_eq!(
        shown["Routes"],
        json!([{"NextHop": "10.0.0.1", "DestinationPrefix": "0.0.0.0/0"}, {"NextHop": "fd00::1", "DestinationPrefix": "::/0"}])
    );
    let one = scene.one(Kind::Endpoint, id);
    assert_eq!(
        (
            &one["IPv6Address"],
            &one["IPv6PrefixLength"],
            &one["GatewayAddressV6"]
        ),
        (
            &configurations[1]["IpAddress"],
            &json!(64),
            &json!("fd00::1")
        )
    );
}

/// DHCP: no address until the guest has one (hns-behaviour 5.2).
#[test]
fn a_dhcp_network_gives_no_address() {
    let scene = Scene::new();
    let network =
        scene.network(json!({"Name": "dhcp", "Type": "Transparent", "Ipams": [{"Type": "Dhcp"}]}));
    let id = scene.endpoint(network, json!({}));
    let shown = scene.endpoint_two(id);
    assert_eq!(
        (shown.get("IpConfigurations"), shown.get("Routes")),
        (None, None)
    );
    assert_eq!(
        scene.two(Kind::Network, network)["Ipams"][0]["Type"],
        "Dhcp"
    );
}

#[test]
fn names_are_resolved_as_the_network_does_and_by_the_gateway_first_where_docker_asks() {
    let scene = Scene::new();
    let mut document = subnetted("NAT", "nat", "192.168.100.0/24", "192.168.100.1");
    let dns = json!({"Domain": "example.com", "Search": ["a.example.com"], "ServerList": ["10.0.0.10", "10.0.0.11"]});
    document["Dns"] = dns.clone();
    let network = scene.network(document);
    let id = scene.endpoint(network, json!({}));
    assert_eq!(scene.endpoint_two(id)["Dns"], dns);
    let own = scene.endpoint(network, json!({"Dns": {"ServerList": ["1.1.1.1"]}}));
    assert_eq!(
        scene.endpoint_two(own)["Dns"]["ServerList"],
        json!(["1.1.1.1"])
    );
    let docker = scene.call(
        "POST",
        "/endpoints/",
        &json!({"VirtualNetwork": network.to_string(), "EnableInternalDNS": true}).to_string(),
    );
    assert_eq!(docker["DNSServerList"], "192.168.100.1,10.0.0.10,10.0.0.11");
    assert_eq!(
        (&docker["DNSSuffix"], &docker["DNSDomain"]),
        (&json!("a.example.com"), &json!("example.com"))
    );
}

/// hns-behaviour 1.3: the argument, else the document, else a new one; free again after a delete.
#[test]
fn the_caller_chooses_the_id_by_argument_or_document() {
    let scene = Scene::new();
    let network = scene.nat();
    let (argument, document) = (
        guid("aaaaaaaa-0000-4000-8000-000000000001"),
        guid("aaaaaaaa-0000-4000-8000-000000000002"),
    );
    let settings = two(json!({"ID": document.to_string()})).to_string();
    let create = |caller| {
        scene
            .service
            .create(Kind::Endpoint, Some(network), caller, &settings)
            .unwrap()
    };
    assert_eq!(create(argument), argument);
    assert_eq!(create(Guid::ZERO), document);
    scene.delete(Kind::Endpoint, document).unwrap();
    assert_eq!(create(Guid::ZERO), document);
    // The zero id in a document means none, as in an argument.
    let id = scene.endpoint(network, json!({"ID": Guid::ZERO.to_string()}));
    assert!(!id.is_zero());
}

/// Where document and handle disagree, the handle counts (hns-behaviour 1.4).
#[test]
fn the_handle_decides_on_which_network_it_is() {
    let scene = Scene::new();
    let network = scene.nat();
    let other = scene.network(json!({"Name": "other", "Type": "Private"}));
    let id = scene.endpoint(network, json!({"HostComputeNetwork": other.to_string()}));
    assert_eq!(
        scene.endpoint_two(id)["HostComputeNetwork"],
        network.upper()
    );
}

#[test]
fn several_endpoints_may_have_one_name() {
    let scene = Scene::new();
    let network = scene.nat();
    for _ in 0..2 {
        scene.endpoint(network, json!({"Name": "twin"}));
    }
    assert_eq!(
        scene.find(Kind::Endpoint, &json!({"Name": "twin"})).len(),
        2
    );
}

/// kube-proxy's remote endpoints: address outside every subnet, MAC by address, provider address (hns-behaviour 2.4, 5.2).
#[test]
fn a_remote_endpoint_keeps_what_it_is_given_and_takes_nothing_from_the_network() {
    let scene = Scene::new();
    let network = scene.network(subnetted(
        "Overlay",
        "vxlan0",
        "192.168.1.0/24",
        "192.168.1.1",
    ));
    let local = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.1.5"}]}),
    );
    for address in ["192.168.2.3", "192.168.1.5", "192.168.1.5"] {
        let id = scene.endpoint(network, json!({"Flags": 1, "IpConfigurations": [{"IpAddress": address}], "MacAddress": "02-11-c0-a8-02-03", "Policies": [{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "10.123.0.1"}}]}));
        let shown = scene.endpoint_two(id);
        assert_eq!(
            (
                &shown["Flags"],
                &shown["IpConfigurations"][0]["IpAddress"],
                &shown["MacAddress"]
            ),
            (&json!(1), &json!(address), &json!("02-11-c0-a8-02-03"))
        );
        let one = scene.one(Kind::Endpoint, id);
        assert_eq!(one["IsRemoteEndpoint"], true);
        assert_eq!(
            one["Policies"],
            json!([{"PA": "10.123.0.1", "Type": "PA"}, {"Type": "L2Driver"}])
        );
        scene.delete(Kind::Endpoint, id).unwrap();
    }
    // Nothing of the local endpoint went with its namesakes.
    let taken = json!({"IpConfigurations": [{"IpAddress": "192.168.1.5"}]});
    let again = scene.service.create(
        Kind::Endpoint,
        Some(network),
        Guid::ZERO,
        &two(taken).to_string(),
    );
    assert_eq!(code(again), HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED);
    scene.delete(Kind::Endpoint, local).unwrap();
}

/// What moby needs of a POST (hns-behaviour 3.2): MacAddress, IPAddress, GatewayAddress, Policies; and cases of ids (2.1).
#[test]
fn a_v1_endpoint_is_answered_as_its_client_needs_it() {
    let scene = Scene::new();
    let network = scene.nat();
    let nat = json!({"Type": "NAT", "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 8080, "ExternalPortReserved": true});
    for spelling in [network.upper(), network.to_string()] {
        let posted = scene.call(
            "POST",
            "/endpoints/",
            &json!({"VirtualNetwork": spelling, "Policies": [nat]}).to_string(),
        );
        let id = guid(posted["ID"].as_str().unwrap());
        assert_eq!(posted["ID"], id.to_string());
        assert_eq!(posted["VirtualNetwork"], spelling);
        assert_eq!(posted["VirtualNetworkName"], "nat");
        assert_eq!(posted["GatewayAddress"], "192.168.100.1");
        assert_eq!(
            posted["Policies"],
            json!([{"ExternalPort": 8080, "ExternalPortReserved": true, "InternalPort": 80, "Protocol": "TCP", "Type": "NAT"}])
        );
        assert_eq!(
            scene.call("GET", &format!("/endpoints/{}/", id.upper()), ""),
            posted
        );
        // NatFlags: ExternalPortReserved is 4.
        assert_eq!(
            scene.endpoint_two(id)["Policies"],
            json!([{"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080, "Flags": 4}}])
        );
        scene.call("DELETE", &format!("/endpoints/{id}"), "");
    }
}

#[test]
fn the_members_of_v1_have_their_places_in_v2() {
    let scene = Scene::new();
    let network = scene.nat();
    let posted = scene.call("POST", "/endpoints", &json!({
        "VirtualNetworkName": "nat", "Name": "all", "IPAddress": "192.168.100.9", "GatewayAddress": "192.168.100.2", "DNSServerList": "1.1.1.1,8.8.8.8",
        "DNSSuffix": "a,b", "DNSDomain": "c", "DisableICC": true, "EnableLowMetric": true, "EncapOverhead": 50, "PortFriendlyName": "p",
    }).to_string());
    let shown = scene.endpoint_two(guid(posted["ID"].as_str().unwrap()));
    // DisableICC is 2, EnableLowInterfaceMetric 8.
    assert_eq!(shown["Flags"], 10);
    assert_eq!(shown["HostComputeNetwork"], network.upper());
    assert_eq!(
        shown["Dns"],
        json!({"Domain": "c", "Search": ["a", "b"], "ServerList": ["1.1.1.1", "8.8.8.8"]})
    );
    assert_eq!(
        shown["Routes"],
        json!([{"NextHop": "192.168.100.2", "DestinationPrefix": "0.0.0.0/0"}])
    );
    assert_eq!(
        shown["Policies"],
        json!([{"Type": "EncapOverhead", "Settings": {"Overhead": 50}}, {"Type": "PortName", "Settings": {"Name": "p"}}])
    );
    assert_eq!(
        (
            &posted["EncapOverhead"],
            &posted["PortFriendlyName"],
            posted.get("Policies")
        ),
        (&json!(50), &json!("p"), None)
    );
    assert_eq!(
        (&posted["DisableICC"], &posted["EnableLowMetric"]),
        (&json!(true), &json!(true))
    );
}

#[test]
fn an_address_and_a_port_are_free_as_soon_as_their_endpoint_is_gone() {
    let scene = Scene::new();
    let network = scene.nat();
    for _ in 0..3 {
        let id = scene.endpoint(network, json!({"IpConfigurations": [{"IpAddress": "192.168.100.7"}], "MacAddress": "00-15-5D-00-00-07", "Policies": [mapping(17, 53, 53)]}));
        scene.delete(Kind::Endpoint, id).unwrap();
        let object = ObjectId {
            kind: Kind::Endpoint,
            id,
        };
        assert_eq!(
            code(scene.service.open(object)),
            HcnCode::HCN_E_ENDPOINT_NOT_FOUND
        );
    }
}

/// TCP and UDP have ports of their own; without one HNS chooses and tells it (hns-behaviour 5.4).
#[test]
fn published_ports_are_told_apart_by_protocol_and_chosen_where_none_is_given() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(
        network,
        json!({"Policies": [mapping(6, 80, 8080), mapping(17, 80, 8080), mapping(6, 81, 0)]}),
    );
    let chosen = scene.endpoint_two(id)["Policies"][2]["Settings"]["ExternalPort"]
        .as_u64()
        .unwrap();
    assert!((49152..=65535).contains(&chosen), "{chosen}");
    let other = scene.endpoint(network, json!({"Policies": [mapping(6, 81, 0)]}));
    let second = scene.endpoint_two(other)["Policies"][0]["Settings"]["ExternalPort"]
        .as_u64()
        .unwrap();
    assert_ne!(chosen, second);
}

/// hnslib's TestEndpointAlreadyExistsError: the same udp port twice on an overlay.
#[test]
fn the_same_udp_port_twice_is_refused_on_an_overlay() {
    let scene = Scene::new();
    let network = scene.network(subnetted(
        "Overlay",
        "GoTestOverlay",
        "192.168.100.0/24",
        "192.168.100.1",
    ));
    let document =
        two(json!({"Name": "GoTestNatEndpoint", "Policies": [mapping(17, 45678, 56789)]}))
            .to_string();
    let create = || {
        scene
            .service
            .create(Kind::Endpoint, Some(network), Guid::ZERO, &document)
    };
    create().unwrap();
    assert_eq!(code(create()).0, 0x803b_0013);
}

/// Numbers as psm1 writes them, texts, and a policy type in capitals (hns-behaviour 2.1, 2.13).
#[test]
fn numbers_as_texts_and_types_in_any_case_are_taken() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({"Policies": [
        {"Type": "portmapping", "Settings": {"InternalPort": "80", "ExternalPort": "8080", "Protocol": "17"}},
        {"Type": "INTERFACECONSTRAINT", "Settings": {"InterfaceAlias": "Ethernet"}},
    ]}));
    let shown = scene.endpoint_two(id);
    assert_eq!(
        (&shown["Policies"][0]["Type"], &shown["Policies"][1]["Type"]),
        (&json!("PortMapping"), &json!("InterfaceConstraint"))
    );
    assert_eq!(
        scene.one(Kind::Endpoint, id)["Policies"][0]["Protocol"],
        "UDP"
    );
    let other = two(json!({"Policies": [mapping(17, 80, 8080)]})).to_string();
    assert_eq!(
        code(
            scene
                .service
                .create(Kind::Endpoint, Some(network), Guid::ZERO, &other)
        ),
        HcnCode::HCN_E_PORT_ALREADY_EXISTS
    );
}

/// hnslib's TestEndpointStatsAll: every endpoint has them, attached or not (hns-behaviour 1.7).
#[test]
fn every_endpoint_has_statistics() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({}));
    let answer = parsed(&scene.service.endpoint_stats(id, "").unwrap());
    let stats: &Value = &answer;
    for key in [
        "BytesReceived",
        "BytesSent",
        "DroppedPacketsIncoming",
        "DroppedPacketsOutgoing",
        "PacketsReceived",
        "PacketsSent",
    ] {
        assert!(stats[key].is_u64(), "{key} in {answer}");
    }
    assert_eq!(guid(stats["EndpointId"].as_str().unwrap()), id);
    assert!(stats["InstanceId"].is_string());
    scene.delete(Kind::Endpoint, id).unwrap();
    assert_eq!(
        code(scene.service.endpoint_stats(id, "")),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND
    );
}

#[test]
fn a_query_of_an_endpoint_ignores_its_filter() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({"Name": "a"}));
    let query = json!({"SchemaVersion": {"Major": 2, "Minor": 0}, "Filter": "{\"Name\":\"b\"}"})
        .to_string();
    let object = ObjectId {
        kind: Kind::Endpoint,
        id,
    };
    // Go clients send the filter of their list along (hns-behaviour 1.6).
    assert_eq!(
        scene.service.query(object, &query).unwrap(),
        scene.service.query(object, V2).unwrap()
    );
}
