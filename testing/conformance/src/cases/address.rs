// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses: sections 5.1 to 5.3.

use std::collections::HashSet;

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "5.2" the_gateway_is_the_first_address_unless_said;
    I "5.2" an_address_outside_the_subnet_is_refused;
    I "5.2" the_gateway_is_not_for_an_endpoint;
    I "5.2" an_address_in_use_is_refused settles(31);
    S "5.2" a_released_address_can_be_used_at_once;
    S "5.2" addresses_of_endpoints_differ;
    S "5.3" mac_addresses_of_endpoints_differ_and_come_from_the_pool;
    I "5.2" a_subnet_that_is_full_has_no_more_addresses;
    S "5.1" a_second_network_on_the_same_prefix_is_refused;
    I "5.1" an_overlay_network_has_several_subnets;
};

fn at(address: &str) -> Value {
    json!({"IpConfigurations": [{"IpAddress": address}]})
}

fn address(scene: &Scene<'_>, endpoint: Guid) -> Finding<String> {
    let document = scene.document(Kind::Endpoint, endpoint)?;
    Ok(document["IpConfigurations"][0]["IpAddress"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

fn subnet(prefix: &str) -> Value {
    json!({"Ipams": [{"Type": "Static", "Subnets": [{"IpAddressPrefix": prefix}]}]})
}

fn the_gateway_is_the_first_address_unless_said(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Ipams": []}))?;
    let subnet = scene.document(Kind::Network, network)?["Ipams"][0]["Subnets"][0].clone();
    let prefix = subnet["IpAddressPrefix"].as_str().unwrap_or_default();
    let base = prefix.split('/').next().unwrap_or_default();
    let Some(start) = base.strip_suffix(".0") else {
        return Err(format!("the prefix {prefix} does not begin at a round address").into());
    };
    equal(
        "NextHop",
        &subnet["Routes"][0]["NextHop"],
        &json!(format!("{start}.1")),
    )
}

fn an_address_outside_the_subnet_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    fails(
        "create",
        scene.try_endpoint(network, at("192.168.101.7")),
        HcnCode::HCN_E_INVALID_IP,
    )
}

fn the_gateway_is_not_for_an_endpoint(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let made = scene.try_endpoint(network, at("192.168.100.1"));
    fails("create", made, HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED)
}

fn an_address_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    scene.endpoint(network, at("192.168.100.30"))?;
    let made = scene.try_endpoint(network, at("192.168.100.30"));
    fails("create", made, HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED)
}

fn a_released_address_can_be_used_at_once(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for _ in 0..2 {
        let endpoint = scene.endpoint(network, at("192.168.100.30"))?;
        works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    }
    Ok(())
}

fn addresses_of_endpoints_differ(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let mut seen = HashSet::from([
        "192.168.100.1".to_owned(),
        "192.168.100.0".to_owned(),
        "192.168.100.255".to_owned(),
    ]);
    for _ in 0..8 {
        let own = address(scene, scene.endpoint(network, json!({}))?)?;
        holds(
            &format!("{own} is in the subnet and nobody else's"),
            own.starts_with("192.168.100.") && seen.insert(own.clone()),
        )?;
    }
    Ok(())
}

fn mac_addresses_of_endpoints_differ_and_come_from_the_pool(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"MacPool": {"Ranges": [{"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"}]}}))?;
    let mut seen = HashSet::new();
    for _ in 0..8 {
        let endpoint = scene.endpoint(network, json!({}))?;
        let own = scene.document(Kind::Endpoint, endpoint)?["MacAddress"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        holds(
            &format!("{own} is of the pool and nobody else's"),
            own.starts_with("00-15-5D-52-C") && seen.insert(own.clone()),
        )?;
    }
    Ok(())
}

fn a_subnet_that_is_full_has_no_more_addresses(scene: &Scene<'_>) -> Finding {
    // A /29 has six hosts, of which the gateway is one.
    let network = scene.network(subnet("192.168.100.0/29"))?;
    for _ in 0..5 {
        scene.endpoint(network, json!({}))?;
    }
    fails(
        "the sixth",
        scene.try_endpoint(network, json!({})),
        HcnCode::ERROR_NO_MORE_ITEMS,
    )
}

fn a_second_network_on_the_same_prefix_is_refused(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    let second = scene.try_network(json!({"Name": "hcnctl-exam-second"}))?;
    holds("the second is refused", second.is_err())
}

fn an_overlay_network_has_several_subnets(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let more = json!({"Subnets": [{"IpAddressPrefix": "192.168.101.0/24",
        "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 5001}}],
        "Routes": [{"NextHop": "192.168.101.1", "DestinationPrefix": "0.0.0.0/0"}]}]});
    works(
        "add",
        scene.modify(Kind::Network, network, "Subnet", "Add", more),
    )?;
    let endpoint = scene.endpoint(network, at("192.168.101.9"))?;
    equal(
        "address",
        address(scene, endpoint)?.as_str(),
        "192.168.101.9",
    )
}
