// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies of networks, type by type: section 2.12; sets of addresses: section 4.12.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.12" a_source_mac_address_comes_back;
    S "2.12" an_interface_constraint_comes_back;
    S "2.12" a_switch_extension_policy_comes_back;
    S "2.12" a_provider_address_that_is_given_is_kept;
    S "2.12" a_router_mac_address_that_is_given_is_kept;
    S "2.12" automatic_dns_comes_back;
    S "2.12" a_vxlan_port_comes_back needs(Feature::VxlanPort);
    S "2.12" a_proxy_for_all_endpoints_comes_back needs(Feature::L4Proxy);
    S "2.12" neighbor_discovery_comes_back;
    S "2.12" a_host_route_given_at_creation_is_kept;
    G "2.12" a_second_host_route_is_refused settles(61);
    S "2.12" several_remote_subnet_routes_live_side_by_side;
    S "2.12" one_of_several_remote_subnet_routes_is_removed;
    S "2.12" a_router_mac_address_with_colons_comes_back_as_sent;
    S "2.12" the_number_of_a_remote_subnet_is_written_as_a_number;
    I "2.12" an_unknown_type_of_network_policy_is_refused;
    G "2.12" a_vlan_of_a_network_is_taken settles(62);
    S "4.12" a_network_acl_keeps_all_of_its_members needs(Feature::NetworkAcl);
    G "2.9" a_network_acl_is_refused_by_old_versions until(15, 0) settles(63);
    G "2.9" a_set_of_addresses_is_refused_by_old_versions until(13, 0) settles(63);
    G "2.9" a_set_of_sets_is_refused_by_old_versions since(13, 0) until(15, 0) settles(63);
    G "2.9" a_vxlan_port_is_refused_by_old_versions until(10, 3) settles(63);
    S "4.12" a_set_of_sets_names_sets_that_are_there needs(Feature::NestedIpSet);
    S "4.12" a_set_of_unknown_sets_is_refused needs(Feature::NestedIpSet);
    S "4.12" a_set_in_a_set_cannot_be_removed needs(Feature::NestedIpSet);
    S "4.12" sets_go_outer_first needs(Feature::NestedIpSet);
    S "4.12" an_update_of_a_set_that_is_not_there_is_skipped needs(Feature::SetPolicy);
    I "4.12" a_rule_may_name_a_set needs(Feature::SetPolicy);
    S "4.12" a_rule_may_name_several_sets needs(Feature::SetPolicy);
    I "4.12" a_set_that_a_rule_names_cannot_be_removed needs(Feature::SetPolicy);
    G "4.12" a_rule_that_names_an_unknown_set_is_refused needs(Feature::SetPolicy) settles(15);
    G "4.12" a_set_of_a_used_id_is_refused needs(Feature::SetPolicy) settles(61);
    S "4.12" an_empty_set_is_taken needs(Feature::SetPolicy);
    S "4.12" a_set_is_removed_by_its_id needs(Feature::SetPolicy);
    G "4.12" a_nat_network_takes_sets needs(Feature::SetPolicy) settles(64);
    S "4.12" sets_belong_to_their_network needs(Feature::SetPolicy);
};

/// A policy given at creation comes back with its settings.
fn kept(scene: &Scene<'_>, members: Value, word: &str, settings: &Value) -> Finding {
    let mut members = members;
    members["Policies"] = json!([policy(word, settings.clone())]);
    let network = scene.network(members)?;
    has(
        word,
        &scene.settings(Kind::Network, network, word)?,
        settings,
    )
}

/// A policy added to an overlay network comes back with its settings.
fn added(scene: &Scene<'_>, word: &str, settings: &Value) -> Finding {
    let network = scene.overlay()?;
    let sent = scene.network_policies(network, "Add", json!([policy(word, settings.clone())]));
    works("add", sent)?;
    has(
        word,
        &scene.settings(Kind::Network, network, word)?,
        settings,
    )
}

fn a_source_mac_address_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"SourceMacAddress": "00-15-5D-01-02-03"});
    kept(scene, json!({"Type": "L2Bridge"}), "SourceMacAddress", &own)
}

fn an_interface_constraint_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"InterfaceGuid": Guid::ZERO.to_string(), "InterfaceIndex": 0});
    kept(scene, json!({}), "InterfaceConstraint", &own)
}

fn a_switch_extension_policy_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"ExtensionID": "430BDADD-BAB0-41AB-A369-94B67FA5BE0A", "Enable": true});
    kept(scene, json!({}), "VSwitchExtension", &own)
}

fn a_provider_address_that_is_given_is_kept(scene: &Scene<'_>) -> Finding {
    let own = json!({"ProviderAddress": "10.9.8.7"});
    kept(
        scene,
        json!({"Type": "Overlay", "Flags": 8}),
        "ProviderAddress",
        &own,
    )
}

fn a_router_mac_address_that_is_given_is_kept(scene: &Scene<'_>) -> Finding {
    let own = json!({"Address": "00-15-5D-0A-0B-0C"});
    kept(
        scene,
        json!({"Type": "Overlay", "Flags": 8}),
        "DrMacAddress",
        &own,
    )
}

fn automatic_dns_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({}), "AutomaticDNS", &json!({"Enable": true}))
}

fn a_vxlan_port_comes_back(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        json!({"Type": "Overlay", "Flags": 8}),
        "VxlanPort",
        &json!({"Port": 4789}),
    )
}

fn a_proxy_for_all_endpoints_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"IP": "10.0.0.4", "Port": "8080", "Protocol": 6, "Exceptions": ["10.0.0.5"], "Destination": "10.1.0.0/16", "OutboundNAT": true});
    added(scene, "L4Proxy", &own)
}

fn neighbor_discovery_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"TargetIpPrefix": "10.1.0.0/16", "SenderIpAddress": "10.0.0.4"});
    added(scene, "NeighborDiscovery", &own)
}

fn a_host_route_given_at_creation_is_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        json!({"Type": "Overlay", "Flags": 8}),
        "HostRoute",
        &json!({}),
    )
}

fn a_second_host_route_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let route = json!([policy("HostRoute", json!({}))]);
    works("add", scene.network_policies(network, "Add", route.clone()))?;
    let again = scene.network_policies(network, "Add", route);
    fails("add again", again, HcnCode::HCN_E_POLICY_ALREADY_EXISTS)
}

fn route(third: u8) -> Value {
    policy(
        "RemoteSubnetRoute",
        json!({"DestinationPrefix": format!("10.244.{third}.0/24"), "IsolationId": 4096,
        "ProviderAddress": format!("10.0.0.{third}"), "DistributedRouterMacAddress": "00-15-5D-0A-0B-0C"}),
    )
}

fn several_remote_subnet_routes_live_side_by_side(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    for third in 1..=3 {
        works(
            "add",
            scene.network_policies(network, "Add", json!([route(third)])),
        )?;
    }
    let found = scene.policies_of(Kind::Network, network, "RemoteSubnetRoute")?;
    equal("routes", found.len(), 3)
}

fn one_of_several_remote_subnet_routes_is_removed(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    works(
        "add",
        scene.network_policies(network, "Add", json!([route(1), route(2)])),
    )?;
    works(
        "remove",
        scene.network_policies(network, "Remove", json!([route(1)])),
    )?;
    let own = scene.settings(Kind::Network, network, "RemoteSubnetRoute")?;
    equal("prefix", text(&own, "DestinationPrefix"), "10.244.2.0/24")
}

fn a_router_mac_address_with_colons_comes_back_as_sent(scene: &Scene<'_>) -> Finding {
    // What flannel sends, and compares when it removes.
    let mut own = route(1)["Settings"].clone();
    own["DistributedRouterMacAddress"] = json!("00:15:5d:0a:0b:0c");
    added(scene, "RemoteSubnetRoute", &own)
}

fn the_number_of_a_remote_subnet_is_written_as_a_number(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    works(
        "add",
        scene.network_policies(network, "Add", json!([route(1)])),
    )?;
    let own = scene.settings(Kind::Network, network, "RemoteSubnetRoute")?;
    equal("IsolationId", &own["IsolationId"], &json!(4096))
}

fn an_unknown_type_of_network_policy_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let sent = scene.network_policies(network, "Add", json!([policy("NoSuchPolicy", json!({}))]));
    fails("add", sent, HcnCode::HCN_E_INVALID_POLICY_TYPE)
}

fn a_vlan_of_a_network_is_taken(scene: &Scene<'_>) -> Finding {
    // Newer builds list one on docker's network, so what they list can be sent.
    let vlan = policy("VLAN", json!({"IsolationId": 1}));
    scene.network(json!({"Policies": [vlan]})).map(drop)
}

fn network_acl() -> Value {
    json!({"Action": "Block", "Direction": "Out", "Protocols": "17", "RemoteAddresses": "10.0.0.0/8", "RemotePorts": "53",
        "RuleType": "Switch", "Priority": 200})
}

fn a_network_acl_keeps_all_of_its_members(scene: &Scene<'_>) -> Finding {
    added(scene, "NetworkACL", &network_acl())
}

fn refused(scene: &Scene<'_>, own: Value) -> Finding {
    let network = scene.overlay()?;
    let sent = scene.network_policies(network, "Add", json!([own]));
    fails("add", sent, HcnCode::HCN_E_INVALID_POLICY_TYPE)
}

fn a_network_acl_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, policy("NetworkACL", network_acl()))
}

fn a_set_of_addresses_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, set("a", "10.0.0.1"))
}

fn a_set_of_sets_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, nested("b", ""))
}

fn a_vxlan_port_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, policy("VxlanPort", json!({"Port": 4789})))
}

fn set(id: &str, values: &str) -> Value {
    let id = format!("exam-{id}");
    policy(
        "SetPolicy",
        json!({"Id": id, "Name": id, "PolicyType": "IPSET", "Values": values}),
    )
}

fn nested(id: &str, values: &str) -> Value {
    let id = format!("exam-{id}");
    policy(
        "SetPolicy",
        json!({"Id": id, "Name": id, "PolicyType": "NESTEDIPSET", "Values": values}),
    )
}

/// A network with these sets.
fn with_sets(scene: &Scene<'_>, sets: &[Value]) -> Finding<Guid> {
    let network = scene.overlay()?;
    for own in sets {
        works(
            "add a set",
            scene.network_policies(network, "Add", json!([own])),
        )?;
    }
    Ok(network)
}

fn sets_of(scene: &Scene<'_>, network: Guid) -> Finding<usize> {
    Ok(scene
        .policies_of(Kind::Network, network, "SetPolicy")?
        .len())
}

fn a_set_of_sets_names_sets_that_are_there(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1"), nested("b", "exam-a")])?;
    equal("sets", sets_of(scene, network)?, 2)
}

fn a_set_of_unknown_sets_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let sent = scene.network_policies(network, "Add", json!([nested("b", "exam-a")]));
    holds("it is refused", sent.is_err())?;
    equal("sets", sets_of(scene, network)?, 0)
}

fn a_set_in_a_set_cannot_be_removed(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1"), nested("b", "exam-a")])?;
    let sent = scene.network_policies(network, "Remove", json!([set("a", "10.0.0.1")]));
    fails("remove", sent, HcnCode::HCN_E_ENTITY_HAS_REFERENCES)
}

fn sets_go_outer_first(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1"), nested("b", "exam-a")])?;
    for own in [nested("b", "exam-a"), set("a", "10.0.0.1")] {
        works(
            "remove",
            scene.network_policies(network, "Remove", json!([own])),
        )?;
    }
    equal("sets", sets_of(scene, network)?, 0)
}

fn an_update_of_a_set_that_is_not_there_is_skipped(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let sent = scene.network_policies(network, "Update", json!([set("a", "10.0.0.1")]));
    works("update", sent)?;
    equal("sets", sets_of(scene, network)?, 0)
}

/// An endpoint with a rule that names these sets as source.
fn ruled(scene: &Scene<'_>, network: Guid, sets: &str) -> Finding<Guid> {
    let endpoint = scene.endpoint(network, json!({}))?;
    let sent = scene.policies(endpoint, "Add", json!([naming(sets)]));
    works("add a rule", sent)?;
    Ok(endpoint)
}

fn naming(sets: &str) -> Value {
    policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "LocalAddresses": sets, "RuleType": "Switch", "Priority": 3000}),
    )
}

fn a_rule_may_name_a_set(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1")])?;
    let endpoint = ruled(scene, network, "exam-a")?;
    let own = scene.settings(Kind::Endpoint, endpoint, "ACL")?;
    equal("LocalAddresses", text(&own, "LocalAddresses"), "exam-a")
}

fn a_rule_may_name_several_sets(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1"), set("b", "10.0.0.2")])?;
    ruled(scene, network, "exam-a,exam-b").map(drop)
}

fn a_set_that_a_rule_names_cannot_be_removed(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1")])?;
    let endpoint = ruled(scene, network, "exam-a")?;
    let remove = || scene.network_policies(network, "Remove", json!([set("a", "10.0.0.1")]));
    fails("remove", remove(), HcnCode::HCN_E_ENTITY_HAS_REFERENCES)?;
    works("update", scene.policies(endpoint, "Update", json!([])))?;
    works("remove then", remove())
}

fn a_rule_that_names_an_unknown_set_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let sent = scene.policies(endpoint, "Add", json!([naming("exam-none")]));
    fails("add", sent, HcnCode::HCN_E_INVALID_POLICY)
}

fn a_set_of_a_used_id_is_refused(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1")])?;
    let again = scene.network_policies(network, "Add", json!([set("a", "10.0.0.2")]));
    fails("add", again, HcnCode::HCN_E_POLICY_ALREADY_EXISTS)
}

fn an_empty_set_is_taken(scene: &Scene<'_>) -> Finding {
    // NPM puts one into lists that would be empty.
    let network = with_sets(scene, &[set("a", "")])?;
    equal("sets", sets_of(scene, network)?, 1)
}

fn a_set_is_removed_by_its_id(scene: &Scene<'_>) -> Finding {
    let network = with_sets(scene, &[set("a", "10.0.0.1")])?;
    let sent = scene.network_policies(network, "Remove", json!([set("a", "10.0.0.9")]));
    works("remove", sent)?;
    equal("sets", sets_of(scene, network)?, 0)
}

fn a_nat_network_takes_sets(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let sent = scene.network_policies(network, "Add", json!([set("a", "10.0.0.1")]));
    works("add", sent)?;
    equal("sets", sets_of(scene, network)?, 1)
}

fn sets_belong_to_their_network(scene: &Scene<'_>) -> Finding {
    with_sets(scene, &[set("a", "10.0.0.1")])?;
    let name = format!("{PREFIX}second");
    let subnet = json!({"IpAddressPrefix": "192.168.101.0/24", "Policies": [policy("VSID", json!({"IsolationId": 5001}))]});
    let other = scene.overlay_with(json!({"Name": name, "Ipams": [{"Subnets": [subnet]}]}))?;
    equal("sets", sets_of(scene, other)?, 0)?;
    let sent = scene.network_policies(other, "Add", json!([set("a", "10.0.0.2")]));
    works("add the same id there", sent)
}
