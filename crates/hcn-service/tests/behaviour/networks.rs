// SPDX-License-Identifier: MIT OR Apache-2.0
//! Networks: types, defaults, both shapes, subnets, policies, deletion (hns-behaviour 2.3, 2.11, 2.12, 2.14, 4.12, 5.1, 6.4).

use hcn_api::{HcnCode, Kind};
use ipnet_like::{inside, prefix};
use serde_json::{Value, json};

use crate::scene::{Scene, code, guid, keys, policy_request, subnetted, two};

/// Just enough of prefixes to check what HNS chose, apart from the code under test.
mod ipnet_like {
    use std::net::Ipv4Addr;

    pub fn prefix(text: &str) -> (u32, u8) {
        let (address, length) = text.split_once('/').unwrap();
        let address: Ipv4Addr = address.parse().unwrap();
        (address.into(), length.parse().unwrap())
    }

    pub fn inside((first, length): (u32, u8), address: &str) -> bool {
        let address: u32 = address.parse::<Ipv4Addr>().unwrap().into();
        address >> (32 - length) == first >> (32 - length)
    }
}

#[test]
fn every_type_of_network_is_made_queried_and_deleted() {
    let scene = Scene::new();
    for (number, name) in [
        "NAT",
        "ICS",
        "Transparent",
        "L2Bridge",
        "L2Tunnel",
        "Overlay",
        "Private",
        "Internal",
    ]
    .into_iter()
    .enumerate()
    {
        let prefix = format!("10.{number}.0.0/16");
        let gateway = format!("10.{number}.0.1");
        let id = scene.network(subnetted(name, name, &prefix, &gateway));
        let two = scene.two(Kind::Network, id);
        // 2.1: NAT is 0 and left out; the others in the case that clients compare with.
        let shown = two.get("Type").map_or("NAT", |word| word.as_str().unwrap());
        assert_eq!(shown, name);
        assert!(name != "NAT" || two.get("Type").is_none());
        assert_eq!(two["ID"], id.upper());
        assert_eq!(two["Ipams"][0]["Subnets"][0]["IpAddressPrefix"], prefix);
        let one = scene.one(Kind::Network, id);
        assert_eq!(one["Type"], if name == "NAT" { "nat" } else { name });
        assert_eq!(one["Subnets"][0]["GatewayAddress"], gateway);
        let endpoint = scene.endpoint(id, json!({}));
        let address = scene.endpoint_two(endpoint)["IpConfigurations"][0].clone();
        assert!(inside(
            self::prefix(&prefix),
            address["IpAddress"].as_str().unwrap()
        ));
        assert_eq!(address["PrefixLength"], 16);
        assert_eq!(
            address["IpSubnetId"],
            two["Ipams"][0]["Subnets"][0]["IpSubnets"][0]["ID"]
        );
        scene.delete(Kind::Network, id).unwrap();
        assert_eq!(
            code(scene.delete(Kind::Network, id)),
            HcnCode::HCN_E_NETWORK_NOT_FOUND
        );
        assert_eq!(
            code(scene.delete(Kind::Endpoint, endpoint)),
            HcnCode::HCN_E_ENDPOINT_NOT_FOUND
        );
    }
}

/// AWS and Azure send "l2bridge", psm1 "ics", the scenarios page a number (hns-behaviour 2.1).
#[test]
fn a_type_is_read_in_any_case_and_by_number_and_answered_canonically() {
    let scene = Scene::new();
    for (name, sent, shown) in [
        ("a", json!("l2bridge"), "L2Bridge"),
        ("b", json!("ics"), "ICS"),
        ("c", json!(2), "Transparent"),
        ("d", json!("OVERLAY"), "Overlay"),
    ] {
        let id = scene.network(json!({"Name": name, "Type": sent}));
        assert_eq!(scene.two(Kind::Network, id)["Type"], shown);
    }
    let id = scene.network(json!({"Name": "e", "Type": 0}));
    assert_eq!(scene.two(Kind::Network, id).get("Type"), None);
}

#[test]
fn a_nat_network_without_subnet_gets_a_20_of_172_16_12_with_the_first_address_as_gateway() {
    let scene = Scene::new();
    let open = [
        two(json!({"Name": "none"})),
        two(json!({"Name": "empty", "Ipams": []})),
        two(
            json!({"Name": "go", "MacPool": {}, "Dns": {}, "Health": {"Extra": {}}, "Ipams": [{"Type": "Static"}]}),
        ),
        // docker's own default network (clients 1.6).
        json!({"Name": "docker", "Type": "nat", "Subnets": [{"AddressPrefix": "0.0.0.0/0"}]}),
        json!({"Name": "ics", "Type": "ICS"}),
    ];
    let mut chosen = Vec::new();
    for document in &open {
        let id = scene.create(Kind::Network, None, document);
        let one = scene.one(Kind::Network, id);
        let subnet = &one["Subnets"][0];
        let text = subnet["AddressPrefix"].as_str().unwrap();
        let (first, length) = prefix(text);
        assert_eq!(length, 20, "{text}");
        assert!(
            inside(prefix("172.16.0.0/12"), text.split('/').next().unwrap()),
            "{text}"
        );
        assert_eq!(first & 0xfff, 0, "{text}");
        let gateway: u32 = subnet["GatewayAddress"]
            .as_str()
            .unwrap()
            .parse::<std::net::Ipv4Addr>()
            .unwrap()
            .into();
        assert_eq!(gateway, first + 1, "{subnet}");
        assert!(!chosen.contains(&first), "{text} was given out twice");
        chosen.push(first);
        let endpoint = scene.endpoint(id, json!({}));
        assert_eq!(
            scene.endpoint_two(endpoint)["Routes"][0]["NextHop"],
            subnet["GatewayAddress"]
        );
    }
}

#[test]
fn a_mac_pool_is_a_block_of_4096_of_hyper_v_and_another_for_each_network() {
    let scene = Scene::new();
    let mut seen = Vec::new();
    for name in ["a", "b", "c"] {
        let id = scene.network(json!({"Name": name, "Type": "Private"}));
        let range = scene.two(Kind::Network, id)["MacPool"]["Ranges"][0].clone();
        let (first, last) = (
            range["StartMacAddress"].as_str().unwrap(),
            range["EndMacAddress"].as_str().unwrap(),
        );
        // 00-15-5D-xx-y0-00 to 00-15-5D-xx-yF-FF.
        assert_eq!(&first[..13], &last[..13]);
        assert!(
            first.starts_with("00-15-5D-") && first.ends_with("0-00") && last.ends_with("F-FF"),
            "{range}"
        );
        assert!(!seen.contains(&range));
        let endpoint = scene.endpoint(id, json!({}));
        let mac = scene.endpoint_two(endpoint)["MacAddress"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(first <= mac.as_str() && mac.as_str() <= last, "{mac}");
        seen.push(range);
    }
}

#[test]
fn a_pool_that_is_used_up_says_so_and_gives_again_what_comes_back() {
    let scene = Scene::new();
    let ranges = json!([
        {"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-C0-01"},
        {"StartMacAddress": "00-15-5D-52-CF-FF", "EndMacAddress": "00-15-5D-52-CF-FF"},
    ]);
    let id =
        scene.network(json!({"Name": "few", "Type": "Private", "MacPool": {"Ranges": ranges}}));
    let mut endpoints: Vec<_> = (0..3).map(|_| scene.endpoint(id, json!({}))).collect();
    let mut macs: Vec<String> = endpoints
        .iter()
        .map(|id| {
            scene.endpoint_two(*id)["MacAddress"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    macs.sort();
    assert_eq!(
        macs,
        [
            "00-15-5D-52-C0-00",
            "00-15-5D-52-C0-01",
            "00-15-5D-52-CF-FF"
        ]
    );
    let put = || {
        use hcn_api::Hns;
        scene.service.create(
            Kind::Endpoint,
            Some(id),
            hcn_schema::Guid::ZERO,
            &two(json!({})).to_string(),
        )
    };
    assert_eq!(code(put()), HcnCode::ERROR_NO_MORE_ITEMS);
    let gone = endpoints.pop().unwrap();
    let freed = scene.endpoint_two(gone)["MacAddress"].clone();
    scene.delete(Kind::Endpoint, gone).unwrap();
    assert_eq!(scene.endpoint_two(put().unwrap())["MacAddress"], freed);
}

#[test]
fn a_subnet_that_is_used_up_says_so_and_gives_again_what_comes_back() {
    let scene = Scene::new();
    // A /29 has 8 addresses; itself, the gateway and the broadcast are kept: 5.
    let id = scene.network(subnetted("L2Bridge", "small", "10.0.0.8/29", "10.0.0.9"));
    let endpoints: Vec<_> = (0..5).map(|_| scene.endpoint(id, json!({}))).collect();
    let address = |id| {
        scene.endpoint_two(id)["IpConfigurations"][0]["IpAddress"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut addresses: Vec<String> = endpoints.iter().map(|id| address(*id)).collect();
    addresses.sort();
    assert_eq!(
        addresses,
        [
            "10.0.0.10",
            "10.0.0.11",
            "10.0.0.12",
            "10.0.0.13",
            "10.0.0.14"
        ]
    );
    let put = || {
        use hcn_api::Hns;
        scene.service.create(
            Kind::Endpoint,
            Some(id),
            hcn_schema::Guid::ZERO,
            &two(json!({})).to_string(),
        )
    };
    assert_eq!(code(put()), HcnCode::ERROR_NO_MORE_ITEMS);
    let freed = address(endpoints[2]);
    scene.delete(Kind::Endpoint, endpoints[2]).unwrap();
    assert_eq!(address(put().unwrap()), freed);
}

/// `DoNotReserveGatewayAddress` is 1 (hns-behaviour 2.3).
#[test]
fn the_gateway_is_for_an_endpoint_where_the_subnet_says_so() {
    let scene = Scene::new();
    let mut document = subnetted("L2Bridge", "open", "10.0.0.0/24", "10.0.0.1");
    document["Ipams"][0]["Subnets"][0]["Flags"] = json!(1);
    let id = scene.network(document);
    let endpoint = scene.endpoint(id, json!({"IpConfigurations": [{"IpAddress": "10.0.0.1"}]}));
    assert_eq!(
        scene.endpoint_two(endpoint)["IpConfigurations"][0]["IpAddress"],
        "10.0.0.1"
    );
}

/// flannel waits for both (clients 1.6), with its own settings kept.
#[test]
fn an_overlay_gains_the_address_of_the_host_and_the_mac_of_its_router() {
    let scene = Scene::new();
    let mut document = subnetted("Overlay", "vxlan0", "10.245.1.0/24", "10.245.1.1");
    document["Flags"] = json!(8);
    document["Ipams"][0]["Subnets"][0]["Policies"] =
        json!([{"Type": "VSID", "Settings": {"IsolationId": 4096}}]);
    let id = scene.network(document.clone());
    let shown = scene.two(Kind::Network, id);
    let policy = |name: &str| {
        let list = shown["Policies"].as_array().unwrap();
        let found: Vec<&Value> = list
            .iter()
            .filter(|policy| policy["Type"] == name)
            .collect();
        assert_eq!(found.len(), 1, "{name} in {list:?}");
        found[0]["Settings"].clone()
    };
    let address = policy("ProviderAddress")["ProviderAddress"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(address.parse::<std::net::Ipv4Addr>().is_ok(), "{address}");
    let mac = policy("DrMacAddress")["Address"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(mac.len() == 17 && mac.starts_with("00-15-5D-"), "{mac}");
    assert_eq!(shown["Flags"], 8);
    assert_eq!(
        shown["Ipams"][0]["Subnets"][0]["Policies"][0]["Settings"]["IsolationId"],
        4096
    );
    let one = scene.one(Kind::Network, id);
    assert_eq!(
        (&one["ManagementIP"], &one["DrMacAddress"]),
        (&json!(address), &json!(mac))
    );
    // What the client gives itself is kept.
    document["Name"] = json!("own");
    document["Policies"] = json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "10.0.0.77"}}, {"Type": "DrMacAddress", "Settings": {"Address": "00-15-5D-00-00-01"}}]);
    let own = scene.network(document.clone());
    assert_eq!(
        scene.two(Kind::Network, own)["Policies"],
        document["Policies"]
    );
}

/// 2.14: members of a recorded `Get-HnsNetwork`, upper-case ids, counts of endpoints.
#[test]
fn a_v1_network_has_the_members_of_a_recorded_one() {
    let scene = Scene::new();
    let posted = scene.call(
        "POST",
        "/networks/",
        &json!({"Name": "cbr0", "Type": "L2Bridge", "NetworkAdapterName": "Ethernet 2", "Subnets": [{"AddressPrefix": "10.244.1.0/24", "GatewayAddress": "10.244.1.1"}], "DNSSuffix": "a.local,b.local", "DNSServerList": "10.0.0.10"}).to_string(),
    );
    let id = guid(posted["ID"].as_str().unwrap());
    assert_eq!(posted["ID"], id.upper());
    for key in [
        "ActivityId",
        "AdditionalParams",
        "CurrentEndpointCount",
        "Extensions",
        "Flags",
        "Health",
        "ID",
        "IPv6",
        "LayeredOn",
        "MacPools",
        "ManagementIP",
        "MaxConcurrentEndpoints",
        "Name",
        "NetworkAdapterName",
        "Policies",
        "Resources",
        "State",
        "Subnets",
        "SwitchGuid",
        "TotalEndpoints",
        "Type",
        "Version",
    ] {
        assert!(posted.get(key).is_some(), "{key} in {posted}");
    }
    assert_eq!(
        (&posted["State"], &posted["Version"]),
        (&json!(1), &json!(64424509440u64))
    );
    assert_eq!(
        (&posted["DNSSuffix"], &posted["DNSServerList"]),
        (&json!("a.local,b.local"), &json!("10.0.0.10"))
    );
    assert_eq!(posted["Subnets"][0]["ObjectType"], 5);
    assert_eq!(posted["Subnets"][0]["IpSubnets"][0]["ObjectType"], 6);
    assert_eq!(keys(&posted["Health"]), ["LastErrorCode", "LastUpdateTime"]);
    // VFP is on where the type of network is one of VFP's.
    let vfp = posted["Extensions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["Id"] == "F74F241B-440F-4433-BB28-00F89EAD20D8");
    assert_eq!(vfp.unwrap()["IsEnabled"], true);
    let two = scene.two(Kind::Network, id);
    assert_eq!(two["Type"], "L2Bridge");
    assert_eq!(
        two["Ipams"][0]["Subnets"][0]["Routes"],
        json!([{"NextHop": "10.244.1.1", "DestinationPrefix": "0.0.0.0/0"}])
    );
    assert_eq!(
        two["Dns"],
        json!({"Search": ["a.local", "b.local"], "ServerList": ["10.0.0.10"]})
    );
    // Counts: two made, one deleted.
    let first = scene.endpoint(id, json!({}));
    scene.endpoint(id, json!({}));
    scene.delete(Kind::Endpoint, first).unwrap();
    let shown = scene.call("GET", &format!("/networks/{id}"), "");
    assert_eq!(
        (
            &shown["CurrentEndpointCount"],
            &shown["MaxConcurrentEndpoints"],
            &shown["TotalEndpoints"]
        ),
        (&json!(1), &json!(2), &json!(2))
    );
    assert_eq!(scene.call("GET", "/networks", "")[0], shown);
}

#[test]
fn dns_subnets_and_ranges_are_changed_by_requests() {
    let scene = Scene::new();
    let id = scene.network(subnetted("L2Bridge", "many", "10.0.0.0/24", "10.0.0.1"));
    let ask = |resource: &str, verb: &str, settings: Value| {
        scene
            .modify(
                Kind::Network,
                id,
                &json!({"ResourceType": resource, "RequestType": verb, "Settings": settings}),
            )
            .unwrap();
        scene.two(Kind::Network, id)
    };
    let dns = json!({"Domain": "example.com", "ServerList": ["10.0.0.10"]});
    assert_eq!(ask("DNS", "Update", dns.clone())["Dns"], dns);
    let shown = ask(
        "Subnet",
        "Add",
        json!({"Subnets": [{"IpAddressPrefix": "10.0.1.0/24"}]}),
    );
    let subnets = &shown["Ipams"][0]["Subnets"];
    assert_eq!(subnets[1]["IpAddressPrefix"], "10.0.1.0/24");
    let endpoint = scene.endpoint(id, json!({"IpConfigurations": [{"IpAddress": "10.0.1.5"}]}));
    assert_eq!(
        scene.endpoint_two(endpoint)["IpConfigurations"][0]["IpSubnetId"],
        subnets[1]["IpSubnets"][0]["ID"]
    );
    let shown = ask(
        "IPSubnet",
        "Add",
        json!({"SubnetId": subnets[1]["ID"], "IpSubnets": [{"IpAddressPrefix": "10.0.1.128/25"}]}),
    );
    let ranges = shown["Ipams"][0]["Subnets"][1]["IpSubnets"].clone();
    assert_eq!(ranges[1]["IpAddressPrefix"], "10.0.1.128/25");
    let shown = ask(
        "IPSubnet",
        "Remove",
        json!({"SubnetId": subnets[1]["ID"], "IpSubnets": [{"ID": ranges[1]["ID"]}]}),
    );
    assert_eq!(
        shown["Ipams"][0]["Subnets"][1]["IpSubnets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    scene.delete(Kind::Endpoint, endpoint).unwrap();
    let shown = ask("Subnet", "Remove", json!({"ID": subnets[1]["ID"]}));
    assert_eq!(shown["Ipams"][0]["Subnets"].as_array().unwrap().len(), 1);
    // hns.psm1 switches extensions over v1.
    let capture = "430BDADD-BAB0-41AB-A369-94B67FA5BE0A";
    let shown = scene.call(
        "POST",
        &format!("/networks/{id}"),
        &json!({"Extensions": [{"Id": capture, "IsEnabled": false}]}).to_string(),
    );
    let own = shown["Extensions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["Id"] == capture);
    assert_eq!(own.unwrap()["IsEnabled"], false);
}

/// The three tests of hcsshim and hnslib (hns-behaviour 7.1).
#[test]
fn network_policies_are_added_and_removed_by_the_same_settings() {
    let scene = Scene::new();
    let id = scene.network(subnetted(
        "Overlay",
        "GoTestOverlay",
        "192.168.100.0/24",
        "192.168.100.1",
    ));
    let before = scene.two(Kind::Network, id);
    for policy in [
        json!({"Type": "RemoteSubnetRoute", "Settings": {"DestinationPrefix": "192.168.2.0/24", "IsolationId": 5000, "ProviderAddress": "1.1.1.1", "DistributedRouterMacAddress": "00-12-34-56-78-9a"}}),
        json!({"Type": "HostRoute", "Settings": {}}),
        json!({"Type": "NetworkACL", "Settings": {"Protocols": "6", "Action": "Allow", "Direction": "In", "LocalAddresses": "192.168.100.0/24,10.0.0.21", "RemoteAddresses": "192.168.100.0/24,10.0.0.21", "LocalPorts": "80,8080", "RemotePorts": "80,8080", "RuleType": "Switch", "Priority": 200}}),
    ] {
        let ask = |verb: &str| {
            scene
                .modify(Kind::Network, id, &policy_request(verb, json!([policy])))
                .unwrap()
        };
        ask("Add");
        let stored = scene.two(Kind::Network, id)["Policies"].clone();
        assert_eq!(stored.as_array().unwrap().last(), Some(&policy));
        ask("Remove");
        assert_eq!(scene.two(Kind::Network, id), before, "{policy}");
    }
}

#[test]
fn a_second_host_route_is_refused() {
    let scene = Scene::new();
    let id = scene.network(subnetted(
        "Overlay",
        "o",
        "192.168.100.0/24",
        "192.168.100.1",
    ));
    let request = policy_request("Add", json!([{"Type": "HostRoute", "Settings": {}}]));
    scene.modify(Kind::Network, id, &request).unwrap();
    assert_eq!(
        code(scene.modify(Kind::Network, id, &request)),
        HcnCode::HCN_E_POLICY_ALREADY_EXISTS
    );
}

/// hns-behaviour 4.12, after Azure NPM's set manager.
#[test]
fn sets_are_made_inner_first_and_removed_outer_first() {
    let scene = Scene::new();
    let id = scene.network(subnetted("L2Bridge", "azure", "10.0.0.0/16", "10.0.0.1"));
    let set = |name: &str, kind: &str, values: &str| json!({"Type": "SetPolicy", "Settings": {"Id": name, "Name": name, "PolicyType": kind, "Values": values}});
    let ask = |verb: &str, policy: &Value| {
        scene.modify(Kind::Network, id, &policy_request(verb, json!([policy])))
    };
    let inner = set("azure-npm-1", "IPSET", "10.0.0.5,10.0.0.6");
    let outer = set("azure-npm-2", "NESTEDIPSET", "azure-npm-1");
    let refused = ask("Add", &outer).unwrap_err();
    assert_eq!(refused.code, HcnCode::HCN_E_INVALID_POLICY);
    assert_eq!(
        refused.field.as_deref(),
        Some("/Settings/Policies/0/Settings/Values")
    );
    ask("Add", &inner).unwrap();
    ask("Add", &outer).unwrap();
    assert_eq!(
        code(ask("Add", &inner)),
        HcnCode::HCN_E_POLICY_ALREADY_EXISTS
    );
    assert_eq!(
        code(ask("Remove", &inner)),
        HcnCode::HCN_E_ENTITY_HAS_REFERENCES
    );
    // An update of a set that does not exist is passed over without a word.
    ask("Update", &set("azure-npm-9", "IPSET", "10.0.0.9")).unwrap();
    ask("Update", &set("azure-npm-1", "IPSET", "10.0.0.7")).unwrap();
    let sets = |scene: &Scene| -> Vec<String> {
        let shown = scene.two(Kind::Network, id);
        let list = shown["Policies"].as_array().into_iter().flatten();
        list.filter(|policy| policy["Type"] == "SetPolicy")
            .map(|policy| {
                format!(
                    "{}={}",
                    policy["Settings"]["Id"].as_str().unwrap(),
                    policy["Settings"]["Values"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        sets(&scene),
        ["azure-npm-1=10.0.0.7", "azure-npm-2=azure-npm-1"]
    );
    // A rule may name a set that exists, and no other.
    let endpoint = scene.endpoint(id, json!({}));
    let rule = |address: &str| json!([{"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "LocalAddresses": address, "Priority": 222}}]);
    scene
        .policies(endpoint, "Add", rule("azure-npm-2"))
        .unwrap();
    assert_eq!(
        code(scene.policies(endpoint, "Add", rule("azure-npm-3"))),
        HcnCode::HCN_E_INVALID_POLICY
    );
    // A set that a rule names stays (hns-behaviour 1.6, HCN_E_ENTITY_HAS_REFERENCES).
    assert_eq!(
        code(ask("Remove", &outer)),
        HcnCode::HCN_E_ENTITY_HAS_REFERENCES
    );
    scene.delete(Kind::Endpoint, endpoint).unwrap();
    ask("Remove", &outer).unwrap();
    ask("Remove", &inner).unwrap();
    assert!(sets(&scene).is_empty());
}

#[test]
fn a_deleted_network_takes_its_endpoints_out_of_their_namespaces_and_frees_everything() {
    let scene = Scene::new();
    let id = scene.nat();
    let namespace = scene.namespace(json!({}));
    let endpoint = scene.endpoint(id, json!({"IpConfigurations": [{"IpAddress": "192.168.100.7"}], "Policies": [crate::scene::mapping(6, 80, 8080)]}));
    scene.membership(namespace, "Add", endpoint).unwrap();
    scene.delete(Kind::Network, id).unwrap();
    assert_eq!(scene.find(Kind::Endpoint, &json!({})), []);
    assert_eq!(scene.two(Kind::Namespace, namespace).get("Resources"), None);
    // The same again: name, subnet, address and port are free.
    let again = scene.nat();
    scene.endpoint(again, json!({"IpConfigurations": [{"IpAddress": "192.168.100.7"}], "Policies": [crate::scene::mapping(6, 80, 8080)]}));
}

/// moby saw the name refused, yet other types may have it (Q20).
#[test]
fn another_type_may_have_the_same_name() {
    let scene = Scene::new();
    scene.nat();
    scene.network(subnetted(
        "L2Bridge",
        "nat",
        "192.168.100.0/24",
        "192.168.100.1",
    ));
    assert_eq!(scene.find(Kind::Network, &json!({"Name": "nat"})).len(), 2);
}

/// WSL sends no schema version, subnets in v1 form and flags as a number, through the v2 call (hns-behaviour 2.1).
#[test]
fn a_v1_document_is_taken_by_the_v2_call() {
    let scene = Scene::new();
    let id = scene.create(Kind::Network, None, &json!({"Name": "WSL", "Flags": 9, "Type": "ICS", "IPv6": false, "IsolateSwitch": true, "MaxConcurrentEndpoints": 1, "Subnets": [{"AddressPrefix": "172.20.0.0/20", "GatewayAddress": "172.20.0.1", "IpSubnets": [{"IpAddressPrefix": "172.20.0.0/20", "Flags": 3}]}]}));
    let shown = scene.two(Kind::Network, id);
    // IsolateVSwitch is 32.
    assert_eq!(
        (&shown["Type"], &shown["Flags"]),
        (&json!("ICS"), &json!(41))
    );
    assert_eq!(
        shown["Ipams"][0]["Subnets"][0]["IpAddressPrefix"],
        "172.20.0.0/20"
    );
}

#[test]
fn unknown_members_are_kept() {
    let scene = Scene::new();
    let id = scene
        .network(json!({"Name": "kept", "Type": "Private", "Owner": "me", "Colour": {"Red": 1}}));
    let shown = scene.two(Kind::Network, id);
    assert_eq!(
        (&shown["Owner"], &shown["Colour"]),
        (&json!("me"), &json!({"Red": 1}))
    );
}
