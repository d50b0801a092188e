// SPDX-License-Identifier: MIT OR Apache-2.0
//! What documents look like, networks first: sections 2.1 to 2.3 and 2.12.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.1" the_query_chooses_the_shape;
    S "2.1" a_document_without_schema_version_is_one_of_version_1;
    S "2.1" the_minor_version_is_not_minded;
    S "2.1" a_nat_network_does_not_say_its_type_in_version_2;
    S "2.1" a_type_is_read_in_any_case_and_written_in_its_own;
    S "2.1" a_type_may_be_a_number;
    I "2.1" unknown_members_are_no_error;
    I "2.1" keys_are_read_in_any_case;
    S "2.1" empty_objects_are_as_if_absent;
    S "2.2" an_object_tells_its_version_and_its_owner;
    S "2.3" a_nat_network_without_subnet_gets_one;
    S "2.3" a_mac_pool_has_4096_addresses_unless_said;
    S "2.3" a_mac_pool_that_is_given_is_kept;
    S "2.3" flags_come_back_as_they_were_sent;
    S "2.3" an_overlay_network_tells_its_provider_address;
    S "2.11" dns_of_a_network_can_be_set;
    I "2.11" a_modify_request_of_no_known_sort_is_unsupported;
    S "2.12" a_remote_subnet_route_is_added_and_removed;
    S "2.12" a_host_route_is_added_and_removed;
    S "2.12" a_network_acl_is_added_and_removed needs(Feature::NetworkAcl);
    S "2.12" an_ip_set_is_added_changed_and_removed needs(Feature::SetPolicy);
};

fn the_query_chooses_the_shape(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let one = scene.shaped(
        Kind::Endpoint,
        endpoint,
        r#"{"SchemaVersion":{"Major":1,"Minor":0}}"#,
    )?;
    holds(
        "version 1 has VirtualNetwork",
        one["VirtualNetwork"].is_string(),
    )?;
    let two = scene.shaped(Kind::Endpoint, endpoint, V2)?;
    holds(
        "version 2 has HostComputeNetwork",
        two["HostComputeNetwork"].is_string(),
    )?;
    holds(
        "version 2 has no VirtualNetwork",
        two.get("VirtualNetwork").is_none(),
    )
}

fn a_document_without_schema_version_is_one_of_version_1(scene: &Scene<'_>) -> Finding {
    // TestV1Network and TestV1Endpoint of hnslib.
    let network = json!({
        "Name": format!("{PREFIX}v1"), "Type": "NAT",
        "MacPools": [{"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"}],
        "Subnets": [{"AddressPrefix": SUBNET, "GatewayAddress": "192.168.100.1"}],
    });
    let id = works("network", scene.try_create(Kind::Network, None, &network))?;
    let two = scene.document(Kind::Network, id)?;
    equal(
        "prefix",
        &two["Ipams"][0]["Subnets"][0]["IpAddressPrefix"],
        &json!(SUBNET),
    )?;
    equal(
        "pool",
        &two["MacPool"]["Ranges"][0]["StartMacAddress"],
        &json!("00-15-5D-52-C0-00"),
    )?;
    let endpoint = json!({"Name": "v1", "VirtualNetwork": id.to_string()});
    let id = works(
        "endpoint",
        scene.try_create(Kind::Endpoint, Some(id), &endpoint),
    )?;
    equal(
        "Name",
        &scene.document(Kind::Endpoint, id)?["Name"],
        &json!("v1"),
    )
}

fn the_minor_version_is_not_minded(scene: &Scene<'_>) -> Finding {
    for minor in [0, 2, 16] {
        let network = scene.network(json!({"SchemaVersion": {"Major": 2, "Minor": minor}}))?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn a_nat_network_does_not_say_its_type_in_version_2(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let two = scene.document(Kind::Network, network)?;
    holds("Type is absent", two.get("Type").is_none())?;
    let one = scene.shaped(Kind::Network, network, "")?;
    holds(
        "version 1 says nat",
        one["Type"]
            .as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case("nat")),
    )
}

fn a_type_is_read_in_any_case_and_written_in_its_own(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "l2bridge"}))?;
    equal(
        "Type",
        &scene.document(Kind::Network, network)?["Type"],
        &json!("L2Bridge"),
    )
}

fn a_type_may_be_a_number(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": 0, "Flags": 0}))?;
    let one = scene.shaped(Kind::Network, network, "")?;
    holds(
        "it is a NAT network",
        one["Type"]
            .as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case("nat")),
    )
}

fn unknown_members_are_no_error(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"IPv6": false, "NobodyKnows": {"a": [1, null]}}))?;
    scene
        .endpoint(network, json!({"NobodyKnows": "b"}))
        .map(drop)
}

fn keys_are_read_in_any_case(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let document = json!({"schemaversion": {"major": 2, "minor": 0}, "name": "lower", "ipconfigurations": [{"ipaddress": "192.168.100.77"}]});
    let made = works(
        "create",
        scene.try_create(Kind::Endpoint, Some(network), &document),
    )?;
    let document = scene.document(Kind::Endpoint, made)?;
    equal("Name", &document["Name"], &json!("lower"))?;
    equal(
        "address",
        &document["IpConfigurations"][0]["IpAddress"],
        &json!("192.168.100.77"),
    )
}

fn empty_objects_are_as_if_absent(scene: &Scene<'_>) -> Finding {
    // What Go's encoder always sends (1.6).
    let network = scene
        .network(json!({"MacPool": {}, "Dns": {}, "Health": {"Extra": {}}, "Policies": null}))?;
    let pool = scene.document(Kind::Network, network)?["MacPool"]["Ranges"].clone();
    equal("ranges", pool.as_array().map_or(0, Vec::len), 1)?;
    scene
        .endpoint(network, json!({"Dns": {}, "Health": {"Extra": {}}}))
        .map(drop)
}

fn an_object_tells_its_version_and_its_owner(scene: &Scene<'_>) -> Finding {
    let version = scene.call("GET", "/globals/version", "")?;
    let number = version["Major"].as_u64().unwrap_or_default() << 32
        | version["Minor"].as_u64().unwrap_or_default();
    let network = scene.network(json!({"Owner": "exam"}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Owner", &document["Owner"], &json!("exam"))?;
    equal(
        "Version",
        &scene.shaped(Kind::Network, network, "")?["Version"],
        &json!(number),
    )?;
    equal(
        "SchemaVersion",
        &document["SchemaVersion"]["Major"],
        &json!(2),
    )
}

fn a_nat_network_without_subnet_gets_one(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Ipams": []}))?;
    let subnet = scene.document(Kind::Network, network)?["Ipams"][0]["Subnets"][0].clone();
    holds(
        "it has a prefix",
        subnet["IpAddressPrefix"]
            .as_str()
            .is_some_and(|prefix| prefix.contains('/')),
    )?;
    holds(
        "it has a gateway",
        subnet["Routes"][0]["NextHop"].is_string(),
    )?;
    scene.endpoint(network, json!({})).map(drop)
}

fn mac(value: &Value) -> Option<u64> {
    u64::from_str_radix(&value.as_str()?.replace('-', ""), 16).ok()
}

fn a_mac_pool_has_4096_addresses_unless_said(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let range = scene.document(Kind::Network, network)?["MacPool"]["Ranges"][0].clone();
    let (start, end) = (mac(&range["StartMacAddress"]), mac(&range["EndMacAddress"]));
    let (Some(start), Some(end)) = (start, end) else {
        return Err(format!("no range: {range}").into());
    };
    equal("addresses", end - start + 1, 4096)?;
    equal("vendor", start >> 24, 0x00155d)
}

fn a_mac_pool_that_is_given_is_kept(scene: &Scene<'_>) -> Finding {
    let range =
        json!({"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-C0-0F"});
    let network = scene.network(json!({"MacPool": {"Ranges": [range]}}))?;
    equal(
        "range",
        &scene.document(Kind::Network, network)?["MacPool"]["Ranges"][0],
        &range,
    )?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let own = scene.document(Kind::Endpoint, endpoint)?["MacAddress"].clone();
    holds(
        "the endpoint's is of it",
        own.as_str()
            .is_some_and(|own| own.starts_with("00-15-5D-52-C0-0")),
    )
}

fn flags_come_back_as_they_were_sent(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    equal(
        "Flags",
        scene.document(Kind::Network, network)?["Flags"]
            .as_u64()
            .unwrap_or(0)
            & 8,
        8,
    )
}

fn an_overlay_network_tells_its_provider_address(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let found = scene.policies_of(Kind::Network, network, "ProviderAddress")?;
    equal("policies", found.len(), 1)?;
    holds(
        "it has an address",
        found[0]["Settings"]["ProviderAddress"].is_string(),
    )
}

fn dns_of_a_network_can_be_set(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let dns = json!({"Domain": "a.example", "Search": ["b.example"], "ServerList": ["192.0.2.1"]});
    works(
        "modify",
        scene.modify(Kind::Network, network, "DNS", "Update", dns.clone()),
    )?;
    let got = scene.document(Kind::Network, network)?["Dns"].clone();
    for key in ["Domain", "Search", "ServerList"] {
        equal(key, &got[key], &dns[key])?;
    }
    Ok(())
}

fn a_modify_request_of_no_known_sort_is_unsupported(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    for (kind, id) in [
        (Kind::Network, network),
        (Kind::Endpoint, endpoint),
        (Kind::Namespace, namespace),
    ] {
        let answer = scene.modify(kind, id, "Nothing", "Add", json!({}));
        fails(kind.words(), answer, HcnCode::HCN_E_REQUEST_UNSUPPORTED)?;
    }
    Ok(())
}

/// Adds a policy to a network, sees it, removes it as it was sent, and sees it gone.
fn add_and_remove(scene: &Scene<'_>, network: Guid, word: &str, settings: Value) -> Finding {
    let policies = json!({"Policies": [{"Type": word, "Settings": settings}]});
    works(
        "add",
        scene.modify(Kind::Network, network, "Policy", "Add", policies.clone()),
    )?;
    equal(
        "after Add",
        scene.policies_of(Kind::Network, network, word)?.len(),
        1,
    )?;
    works(
        "remove",
        scene.modify(Kind::Network, network, "Policy", "Remove", policies),
    )?;
    equal(
        "after Remove",
        scene.policies_of(Kind::Network, network, word)?.len(),
        0,
    )
}

fn a_remote_subnet_route_is_added_and_removed(scene: &Scene<'_>) -> Finding {
    let settings = json!({"DestinationPrefix": "192.168.2.0/24", "IsolationId": 5000, "ProviderAddress": "1.1.1.1",
        "DistributedRouterMacAddress": "00-12-34-56-78-9a"});
    add_and_remove(scene, scene.overlay()?, "RemoteSubnetRoute", settings)
}

fn a_host_route_is_added_and_removed(scene: &Scene<'_>) -> Finding {
    add_and_remove(scene, scene.overlay()?, "HostRoute", json!({}))
}

fn a_network_acl_is_added_and_removed(scene: &Scene<'_>) -> Finding {
    let settings = json!({"Action": "Block", "Direction": "In", "LocalAddresses": "192.168.100.0/24,10.0.0.21",
        "RemoteAddresses": "192.168.100.0/24,10.0.0.21", "LocalPorts": "80,8080", "RemotePorts": "80,8080",
        "Protocols": "6", "RuleType": "Switch", "Priority": 200});
    add_and_remove(scene, scene.overlay()?, "NetworkACL", settings)
}

fn an_ip_set_is_added_changed_and_removed(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let set = |values: &str| {
        json!({"Policies": [{"Type": "SetPolicy", "Settings":
            {"Id": "exam-1", "Name": "exam", "PolicyType": "IPSET", "Values": values}}]})
    };
    let send = |verb: &str, values: &str| {
        scene.modify(Kind::Network, network, "Policy", verb, set(values))
    };
    works("add", send("Add", "10.0.0.1"))?;
    works("update", send("Update", "10.0.0.1,10.0.0.2"))?;
    let found = scene.policies_of(Kind::Network, network, "SetPolicy")?;
    equal("sets", found.len(), 1)?;
    equal(
        "Values",
        &found[0]["Settings"]["Values"],
        &json!("10.0.0.1,10.0.0.2"),
    )?;
    works("remove", send("Remove", "10.0.0.1,10.0.0.2"))?;
    equal(
        "sets",
        scene
            .policies_of(Kind::Network, network, "SetPolicy")?
            .len(),
        0,
    )?;
    Ok(())
}
