// SPDX-License-Identifier: MIT OR Apache-2.0
//! Networks: their types, subnets and what HNS fills in: sections 2.3 and 5.1.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "5.1" an_internal_network_is_made_without_a_subnet;
    S "5.1" a_private_network_is_made_without_a_subnet;
    S "5.1" an_ics_network_is_made_and_told;
    S "5.1" a_transparent_network_is_made_and_told;
    S "5.1" an_l2_tunnel_is_made_and_told;
    S "5.1" an_l2_bridge_is_made_without_an_adapter_policy;
    S "5.1" an_l2_bridge_has_several_subnets;
    I "5.1" an_endpoint_takes_an_address_of_a_second_subnet;
    S "5.1" an_ics_network_without_subnet_gets_one;
    S "5.1" a_subnet_that_hns_picks_is_a_20_of_private_space;
    I "5.1" two_nat_networks_without_subnets_get_different_ones;
    I "5.1" nat_networks_on_different_prefixes_live_side_by_side;
    G "5.1" a_nat_network_on_a_part_of_another_is_refused settles(30);
    S "5.1" a_network_with_dhcp_gives_its_endpoints_no_address;
    I "2.3" a_nat_subnet_without_route_gets_a_gateway;
    S "2.3" routes_of_a_subnet_come_back;
    S "2.3" a_vsid_of_a_subnet_comes_back;
    S "2.3" a_vlan_of_a_subnet_comes_back;
    S "2.3" an_isolation_id_beside_its_type_is_read;
    I "2.3" a_subnet_without_ip_subnets_gets_one_like_itself;
    S "2.3" an_ip_subnet_that_hns_makes_has_both_flags;
    S "2.3" ip_subnets_that_are_given_are_kept;
    S "2.3" a_subnet_has_an_id_of_its_own;
    S "2.3" name_resolution_given_at_creation_is_kept;
    S "2.3" an_overlay_network_tells_the_mac_address_of_its_router;
    G "2.3" an_l2_bridge_tells_its_provider_address settles(60);
    S "2.3" a_nat_network_has_no_provider_address;
    S "2.3" all_flags_of_wsl_come_back;
    S "2.3" an_ipam_may_lack_its_type;
    S "2.3" a_gateway_that_is_not_reserved_is_for_an_endpoint;
    I "3.1" a_range_outside_its_subnet_is_refused;
    I "3.1" a_subnet_without_prefix_is_refused;
    I "3.1" a_gateway_that_is_no_address_is_refused;
    I "3.1" a_mac_pool_that_is_none_is_refused;
    S "3.1" a_network_of_a_name_in_use_is_refused;
    G "3.3" a_network_of_another_type_may_have_the_name settles(20);
};

fn told(scene: &Scene<'_>, network: Guid, wanted: &str) -> Finding {
    let document = scene.document(Kind::Network, network)?;
    equal("Type", text(&document, "Type"), wanted)
}

fn an_internal_network_is_made_without_a_subnet(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "Internal", "Ipams": []}))?;
    told(scene, network, "Internal")
}

fn a_private_network_is_made_without_a_subnet(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "Private", "Ipams": []}))?;
    told(scene, network, "Private")
}

fn an_ics_network_is_made_and_told(scene: &Scene<'_>) -> Finding {
    // hns.v2.psm1 writes "ics".
    let network = scene.network(json!({"Type": "ics"}))?;
    told(scene, network, "ICS")
}

fn a_transparent_network_is_made_and_told(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "Transparent"}))?;
    told(scene, network, "Transparent")
}

fn an_l2_tunnel_is_made_and_told(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "l2tunnel"}))?;
    told(scene, network, "L2Tunnel")
}

fn an_l2_bridge_is_made_without_an_adapter_policy(scene: &Scene<'_>) -> Finding {
    // The networks of hnslib's tests have none.
    told(scene, scene.bridge()?, "L2Bridge")
}

fn two_subnets(scene: &Scene<'_>) -> Finding<Guid> {
    let subnet = |stem: &str| json!({"IpAddressPrefix": format!("{stem}.0/24"), "Routes": [{"NextHop": format!("{stem}.1"), "DestinationPrefix": "0.0.0.0/0"}]});
    scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": [subnet("192.168.100"), subnet("192.168.101")]}]}))
}

fn an_l2_bridge_has_several_subnets(scene: &Scene<'_>) -> Finding {
    let network = two_subnets(scene)?;
    let document = scene.document(Kind::Network, network)?;
    equal("subnets", count(&document["Ipams"][0]["Subnets"]), 2)
}

fn an_endpoint_takes_an_address_of_a_second_subnet(scene: &Scene<'_>) -> Finding {
    let network = two_subnets(scene)?;
    let own = json!({"IpConfigurations": [{"IpAddress": "192.168.101.9"}]});
    let endpoint = scene.endpoint(network, own)?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let wanted = json!({"IpAddress": "192.168.101.9", "PrefixLength": 24});
    has(
        "IpConfigurations",
        &document["IpConfigurations"][0],
        &wanted,
    )
}

/// The subnet that a network has.
fn subnet_of(scene: &Scene<'_>, network: Guid) -> Finding<Value> {
    let document = scene.document(Kind::Network, network)?;
    Ok(document["Ipams"][0]["Subnets"][0].clone())
}

fn prefix_of(scene: &Scene<'_>, network: Guid) -> Finding<String> {
    Ok(text(&subnet_of(scene, network)?, "IpAddressPrefix").to_owned())
}

fn an_ics_network_without_subnet_gets_one(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "ICS", "Ipams": []}))?;
    holds("it has a prefix", prefix_of(scene, network)?.contains('/'))
}

fn a_subnet_that_hns_picks_is_a_20_of_private_space(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Ipams": []}))?;
    let prefix = prefix_of(scene, network)?;
    let Some((address, length)) = prefix.split_once('/') else {
        return Err(format!("{prefix:?} is no prefix").into());
    };
    equal("length", length, "20")?;
    let numbers: Vec<u8> = address
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    let private = matches!(
        numbers.as_slice(),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..]
    );
    holds(&format!("{prefix} is private"), private)
}

fn two_nat_networks_without_subnets_get_different_ones(scene: &Scene<'_>) -> Finding {
    let one = scene.network(json!({"Ipams": []}))?;
    let name = format!("{PREFIX}second");
    let other = scene.network(json!({"Name": name, "Ipams": []}))?;
    let (one, other) = (prefix_of(scene, one)?, prefix_of(scene, other)?);
    holds(&format!("{one} is not {other}"), one != other)
}

fn on(prefix: &str) -> Value {
    json!({"Name": format!("{PREFIX}second"), "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}]})
}

fn nat_networks_on_different_prefixes_live_side_by_side(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    scene.network(on("192.168.101.0/24")).map(drop)
}

fn a_nat_network_on_a_part_of_another_is_refused(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    let second = scene.try_network(on("192.168.100.128/25"))?;
    fails("create", second, HcnCode::E_INVALIDARG)
}

fn a_network_with_dhcp_gives_its_endpoints_no_address(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "Transparent", "Ipams": [{"Type": "Dhcp"}]}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Ipam", text(&document["Ipams"][0], "Type"), "Dhcp")?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let address = text(&document["IpConfigurations"][0], "IpAddress");
    equal("address", address, "")
}

fn a_nat_subnet_without_route_gets_a_gateway(scene: &Scene<'_>) -> Finding {
    let network = scene.network(on(SUBNET))?;
    let subnet = subnet_of(scene, network)?;
    equal("NextHop", text(&subnet["Routes"][0], "NextHop"), GATEWAY)
}

fn routes_of_a_subnet_come_back(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let wanted = json!({"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"});
    has("route", &subnet_of(scene, network)?["Routes"][0], &wanted)
}

fn a_vsid_of_a_subnet_comes_back(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let own = subnet_of(scene, network)?["Policies"][0].clone();
    equal("Type", text(&own, "Type"), "VSID")?;
    equal("IsolationId", &own["Settings"]["IsolationId"], &json!(5000))
}

fn with_subnet_policy(scene: &Scene<'_>, own: Value) -> Finding<Value> {
    let subnet = json!({"IpAddressPrefix": SUBNET, "Policies": [own], "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}]});
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": [subnet]}]}))?;
    Ok(subnet_of(scene, network)?["Policies"][0].clone())
}

fn a_vlan_of_a_subnet_comes_back(scene: &Scene<'_>) -> Finding {
    let own = with_subnet_policy(scene, policy("VLAN", json!({"IsolationId": 100})))?;
    equal("Type", text(&own, "Type"), "VLAN")?;
    equal("IsolationId", &own["Settings"]["IsolationId"], &json!(100))
}

fn an_isolation_id_beside_its_type_is_read(scene: &Scene<'_>) -> Finding {
    // As a sample of Microsoft writes it.
    let own = with_subnet_policy(scene, json!({"Type": "VLAN", "IsolationId": 100}))?;
    equal("Type", text(&own, "Type"), "VLAN")
}

fn a_subnet_without_ip_subnets_gets_one_like_itself(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let ranges = subnet_of(scene, network)?["IpSubnets"].clone();
    equal("IpSubnets", count(&ranges), 1)?;
    equal("prefix", text(&ranges[0], "IpAddressPrefix"), SUBNET)
}

fn an_ip_subnet_that_hns_makes_has_both_flags(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let one = scene.one(Kind::Network, network)?;
    equal(
        "Flags",
        &one["Subnets"][0]["IpSubnets"][0]["Flags"],
        &json!(3),
    )
}

fn ip_subnets_that_are_given_are_kept(scene: &Scene<'_>) -> Finding {
    let subnet = json!({"IpAddressPrefix": SUBNET, "IpSubnets": [{"IpAddressPrefix": "192.168.100.128/25"}],
        "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}]});
    let network = scene.network(json!({"Ipams": [{"Subnets": [subnet]}]}))?;
    let ranges = subnet_of(scene, network)?["IpSubnets"].clone();
    equal("IpSubnets", count(&ranges), 1)?;
    equal(
        "prefix",
        text(&ranges[0], "IpAddressPrefix"),
        "192.168.100.128/25",
    )
}

fn a_subnet_has_an_id_of_its_own(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let subnet = subnet_of(scene, network)?;
    let (own, range) = (id_of(&subnet)?, id_of(&subnet["IpSubnets"][0])?);
    holds(
        "all three ids differ",
        own != range && own != network && range != network,
    )
}

fn name_resolution_given_at_creation_is_kept(scene: &Scene<'_>) -> Finding {
    let dns = json!({"Domain": "exam.example", "Search": ["a.example", "b.example"], "ServerList": ["192.0.2.1", "192.0.2.2"]});
    let network = scene.network(json!({"Dns": dns}))?;
    has("Dns", &scene.document(Kind::Network, network)?["Dns"], &dns)
}

fn an_overlay_network_tells_the_mac_address_of_its_router(scene: &Scene<'_>) -> Finding {
    let own = scene.settings(Kind::Network, scene.overlay()?, "DrMacAddress")?;
    equal("length of Address", text(&own, "Address").len(), 17)
}

fn an_l2_bridge_tells_its_provider_address(scene: &Scene<'_>) -> Finding {
    let own = scene.settings(Kind::Network, scene.bridge()?, "ProviderAddress")?;
    holds("it has an address", own["ProviderAddress"].is_string())
}

fn a_nat_network_has_no_provider_address(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let found = scene.policies_of(Kind::Network, network, "ProviderAddress")?;
    equal("policies", found.len(), 0)
}

fn all_flags_of_wsl_come_back(scene: &Scene<'_>) -> Finding {
    // EnableDns and EnableNonPersistent, as recorded of WSL's network.
    let network = scene.network(json!({"Type": "ICS", "Flags": 9}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Flags", &document["Flags"], &json!(9))
}

fn an_ipam_may_lack_its_type(scene: &Scene<'_>) -> Finding {
    // As AWS sends it.
    let network = scene.network(on(SUBNET))?;
    equal("prefix", prefix_of(scene, network)?.as_str(), SUBNET)
}

fn a_gateway_that_is_not_reserved_is_for_an_endpoint(scene: &Scene<'_>) -> Finding {
    let subnet = json!({"IpAddressPrefix": SUBNET, "Flags": 1, "Routes": [{"NextHop": "192.168.100.2", "DestinationPrefix": "0.0.0.0/0"}]});
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": [subnet]}]}))?;
    let own = json!({"IpConfigurations": [{"IpAddress": "192.168.100.2"}]});
    scene.endpoint(network, own).map(drop)
}

fn a_range_outside_its_subnet_is_refused(scene: &Scene<'_>) -> Finding {
    let subnet =
        json!({"IpAddressPrefix": SUBNET, "IpSubnets": [{"IpAddressPrefix": "192.168.101.0/25"}]});
    let made = scene.try_network(json!({"Ipams": [{"Subnets": [subnet]}]}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_IP_SUBNET)
}

fn a_subnet_without_prefix_is_refused(scene: &Scene<'_>) -> Finding {
    let subnets = json!([{"IpAddressPrefix": SUBNET}, {"Routes": []}]);
    let made = scene.try_network(json!({"Ipams": [{"Subnets": subnets}]}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_SUBNET)
}

fn a_gateway_that_is_no_address_is_refused(scene: &Scene<'_>) -> Finding {
    let subnet = json!({"IpAddressPrefix": SUBNET, "Routes": [{"NextHop": "192.168.100.300", "DestinationPrefix": "0.0.0.0/0"}]});
    let made = scene.try_network(json!({"Ipams": [{"Subnets": [subnet]}]}))?;
    holds("it is refused", made.is_err())
}

fn a_mac_pool_that_is_none_is_refused(scene: &Scene<'_>) -> Finding {
    let range = json!({"StartMacAddress": "no", "EndMacAddress": "00-15-5D-52-CF-FF"});
    let made = scene.try_network(json!({"MacPool": {"Ranges": [range]}}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_NETWORK)
}

fn a_network_of_a_name_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    let second = json!({"Ipams": [{"Subnets": [{"IpAddressPrefix": "192.168.101.0/24"}]}]});
    let code = HcnCode::HCN_E_NETWORK_ALREADY_EXISTS;
    fails("create", scene.try_network(second)?, code)
}

fn a_network_of_another_type_may_have_the_name(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    scene
        .network(json!({"Type": "Internal", "Ipams": []}))
        .map(drop)
}
