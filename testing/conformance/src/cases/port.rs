// SPDX-License-Identifier: MIT OR Apache-2.0
//! Published ports, and more of addresses: sections 5.2 to 5.4.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "5.4" a_port_may_be_mapped_for_both_protocols;
    S "5.4" a_port_of_the_host_leads_to_one_network_of_all;
    I "5.4" an_external_port_is_chosen_where_none_is_given;
    I "5.4" external_ports_that_are_chosen_differ;
    G "5.4" a_mapping_without_protocol_is_one_of_tcp settles(32);
    S "5.4" a_port_is_free_again_when_its_endpoint_goes;
    S "5.4" a_port_is_free_again_when_its_network_goes;
    I "5.4" a_port_is_free_again_when_its_mapping_is_removed;
    S "5.4" an_endpoint_may_publish_several_ports;
    I "3.1" a_transparent_network_publishes_no_port;
    I "3.1" an_endpoint_of_a_network_without_subnet_is_refused;
    I "5.2" the_address_of_the_subnet_itself_is_not_for_an_endpoint;
    I "5.2" the_broadcast_address_is_not_for_an_endpoint;
    I "5.2" a_text_that_is_no_address_is_refused;
    S "5.2" a_gateway_that_is_the_second_address_leaves_the_first_free;
    I "5.2" an_address_comes_from_the_range_of_the_subnet;
    S "5.2" an_address_of_a_deleted_network_is_free;
    S "5.2" a_local_and_a_remote_endpoint_may_have_one_address;
    S "5.3" a_chosen_mac_address_is_of_microsoft_and_in_capitals;
    S "5.3" a_mac_address_that_is_given_may_be_outside_the_pool;
    S "5.3" a_pool_may_have_several_ranges;
    G "5.3" a_pool_that_is_used_up_has_no_more settles(75);
    I "5.3" two_networks_have_different_pools;
    I "3.1" a_mac_address_that_is_none_is_refused;
    G "5.3" a_mac_address_in_use_is_refused settles(75);
};

fn mapping(protocol: u32, external: u16) -> Value {
    policy(
        "PortMapping",
        json!({"Protocol": protocol, "InternalPort": 80, "ExternalPort": external}),
    )
}

fn published(scene: &Scene<'_>, network: Guid, own: Value) -> Answer<Guid> {
    scene.try_endpoint(network, json!({"Policies": [own]}))
}

fn a_port_may_be_mapped_for_both_protocols(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    works("tcp", published(scene, network, mapping(6, 18160)))?;
    works("udp", published(scene, network, mapping(17, 18160))).map(drop)
}

fn second(scene: &Scene<'_>) -> Finding<Guid> {
    scene.network(json!({"Name": format!("{PREFIX}second"), "Ipams": [{"Subnets": [{"IpAddressPrefix": "192.168.101.0/24"}]}]}))
}

fn a_port_of_the_host_leads_to_one_network_of_all(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    works("create", published(scene, network, mapping(6, 18161)))?;
    let other = second(scene)?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", published(scene, other, mapping(6, 18161)), code)
}

fn chosen(scene: &Scene<'_>, network: Guid) -> Finding<u64> {
    let own = policy("PortMapping", json!({"Protocol": 6, "InternalPort": 80}));
    let endpoint = works("create", published(scene, network, own))?;
    let stored = scene.settings(Kind::Endpoint, endpoint, "PortMapping")?;
    Ok(stored["ExternalPort"].as_u64().unwrap_or_default())
}

fn an_external_port_is_chosen_where_none_is_given(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let port = chosen(scene, network)?;
    holds(&format!("{port} is a port"), (1..=65535).contains(&port))
}

fn external_ports_that_are_chosen_differ(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let (one, other) = (chosen(scene, network)?, chosen(scene, network)?);
    holds(&format!("{one} is not {other}"), one != other)
}

fn a_mapping_without_protocol_is_one_of_tcp(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = policy(
        "PortMapping",
        json!({"InternalPort": 80, "ExternalPort": 18162}),
    );
    works("create", published(scene, network, own))?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", published(scene, network, mapping(6, 18162)), code)
}

fn a_port_is_free_again_when_its_endpoint_goes(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for _ in 0..2 {
        let endpoint = works("create", published(scene, network, mapping(6, 18163)))?;
        works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    }
    Ok(())
}

fn a_port_is_free_again_when_its_network_goes(scene: &Scene<'_>) -> Finding {
    for _ in 0..2 {
        let network = scene.network(json!({}))?;
        works("create", published(scene, network, mapping(6, 18164)))?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn a_port_is_free_again_when_its_mapping_is_removed(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = works("create", published(scene, network, mapping(6, 18165)))?;
    let stored = scene.policies_of(Kind::Endpoint, endpoint, "PortMapping")?;
    works("remove", scene.policies(endpoint, "Remove", json!(stored)))?;
    works("create", published(scene, network, mapping(6, 18165))).map(drop)
}

fn an_endpoint_may_publish_several_ports(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([
        mapping(6, 18166),
        mapping(6, 18167),
        mapping(17, 18166)
    ]))?;
    equal(
        "mappings",
        scene
            .policies_of(Kind::Endpoint, endpoint, "PortMapping")?
            .len(),
        3,
    )
}

fn a_transparent_network_publishes_no_port(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "Transparent"}))?;
    let code = HcnCode::HCN_E_MAPPING_NOT_SUPPORTED;
    fails("create", published(scene, network, mapping(6, 18168)), code)
}

fn an_endpoint_of_a_network_without_subnet_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": []}))?;
    let made = scene.try_endpoint(network, json!({}));
    fails("create", made, HcnCode::HCN_E_SUBNET_NOT_FOUND)
}

fn at(address: &str) -> Value {
    json!({"IpConfigurations": [{"IpAddress": address}]})
}

fn reserved(scene: &Scene<'_>, address: &str, code: HcnCode) -> Finding {
    let network = scene.network(json!({}))?;
    fails("create", scene.try_endpoint(network, at(address)), code)
}

fn the_address_of_the_subnet_itself_is_not_for_an_endpoint(scene: &Scene<'_>) -> Finding {
    reserved(
        scene,
        "192.168.100.0",
        HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED,
    )
}

fn the_broadcast_address_is_not_for_an_endpoint(scene: &Scene<'_>) -> Finding {
    reserved(
        scene,
        "192.168.100.255",
        HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED,
    )
}

fn a_text_that_is_no_address_is_refused(scene: &Scene<'_>) -> Finding {
    reserved(scene, "192.168.100.256", HcnCode::HCN_E_INVALID_IP)
}

fn a_gateway_that_is_the_second_address_leaves_the_first_free(scene: &Scene<'_>) -> Finding {
    // The convention of win-bridge: the gateway of an L2Bridge is x.x.x.2, and its management endpoint has that.
    let subnet = json!({"IpAddressPrefix": SUBNET, "Routes": [{"NextHop": "192.168.100.2", "DestinationPrefix": "0.0.0.0/0"}]});
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": [subnet]}]}))?;
    let endpoint = scene.endpoint(network, at("192.168.100.1"))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal(
        "NextHop",
        text(&document["Routes"][0], "NextHop"),
        "192.168.100.2",
    )
}

fn an_address_comes_from_the_range_of_the_subnet(scene: &Scene<'_>) -> Finding {
    let subnet = json!({"IpAddressPrefix": SUBNET, "IpSubnets": [{"IpAddressPrefix": "192.168.100.128/25"}],
        "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}]});
    let network = scene.network(json!({"Ipams": [{"Subnets": [subnet]}]}))?;
    for _ in 0..6 {
        let endpoint = scene.endpoint(network, json!({}))?;
        let document = scene.document(Kind::Endpoint, endpoint)?;
        let own = text(&document["IpConfigurations"][0], "IpAddress");
        let last: u16 = own
            .rsplit('.')
            .next()
            .and_then(|last| last.parse().ok())
            .unwrap_or_default();
        holds(&format!("{own} is in 192.168.100.128/25"), last >= 128)?;
    }
    Ok(())
}

fn an_address_of_a_deleted_network_is_free(scene: &Scene<'_>) -> Finding {
    for _ in 0..2 {
        let network = scene.network(json!({}))?;
        scene.endpoint(network, at("192.168.100.9"))?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn a_local_and_a_remote_endpoint_may_have_one_address(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    scene.endpoint(network, at("192.168.100.9"))?;
    let mut remote = at("192.168.100.9");
    remote["Flags"] = json!(1);
    remote["MacAddress"] = json!("02-11-c0-a8-64-09");
    remote["Policies"] = json!([policy(
        "ProviderAddress",
        json!({"ProviderAddress": "10.0.0.5"})
    )]);
    scene.endpoint(network, remote).map(drop)
}

fn mac(scene: &Scene<'_>, endpoint: Guid) -> Finding<String> {
    Ok(text(&scene.document(Kind::Endpoint, endpoint)?, "MacAddress").to_owned())
}

fn a_chosen_mac_address_is_of_microsoft_and_in_capitals(scene: &Scene<'_>) -> Finding {
    let own = mac(scene, scene.any_endpoint()?)?;
    let good = own.starts_with("00-15-5D-") && own.len() == 17 && own == own.to_uppercase();
    holds(&format!("{own} is like 00-15-5D-AB-CD-EF"), good)
}

fn a_mac_address_that_is_given_may_be_outside_the_pool(scene: &Scene<'_>) -> Finding {
    let range =
        json!({"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"});
    let network = scene.network(json!({"MacPool": {"Ranges": [range]}}))?;
    let endpoint = scene.endpoint(network, json!({"MacAddress": "0E-2A-0A-F4-02-03"}))?;
    equal(
        "MacAddress",
        mac(scene, endpoint)?.as_str(),
        "0E-2A-0A-F4-02-03",
    )
}

/// A pool of so many ranges of one address each.
fn pool(ranges: u8) -> Value {
    let range = |last: u8| json!({"StartMacAddress": format!("00-15-5D-52-C0-{last:02X}"), "EndMacAddress": format!("00-15-5D-52-C0-{last:02X}")});
    let ranges: Vec<Value> = (0..ranges).map(|number| range(number * 16)).collect();
    json!({"MacPool": {"Ranges": ranges}})
}

fn a_pool_may_have_several_ranges(scene: &Scene<'_>) -> Finding {
    let network = scene.network(pool(2))?;
    let document = scene.document(Kind::Network, network)?;
    equal("ranges", count(&document["MacPool"]["Ranges"]), 2)?;
    let mut own = vec![
        mac(scene, scene.endpoint(network, json!({}))?)?,
        mac(scene, scene.endpoint(network, json!({}))?)?,
    ];
    own.sort();
    equal(
        "addresses",
        own,
        vec![
            "00-15-5D-52-C0-00".to_owned(),
            "00-15-5D-52-C0-10".to_owned(),
        ],
    )
}

fn a_pool_that_is_used_up_has_no_more(scene: &Scene<'_>) -> Finding {
    let network = scene.network(pool(1))?;
    scene.endpoint(network, json!({}))?;
    let code = HcnCode::ERROR_NO_MORE_ITEMS;
    fails("create", scene.try_endpoint(network, json!({})), code)
}

fn two_networks_have_different_pools(scene: &Scene<'_>) -> Finding {
    let start = |network: Guid| -> Finding<Value> {
        Ok(
            scene.document(Kind::Network, network)?["MacPool"]["Ranges"][0]["StartMacAddress"]
                .clone(),
        )
    };
    let one = scene.network(json!({}))?;
    let (one, other) = (start(one)?, start(second(scene)?)?);
    holds(&format!("{one} is not {other}"), one != other)
}

fn a_mac_address_that_is_none_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let made = scene.try_endpoint(network, json!({"MacAddress": "00-15-5D"}));
    fails("create", made, HcnCode::HCN_E_INVALID_ENDPOINT)
}

fn a_mac_address_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = json!({"MacAddress": "0E-2A-0A-F4-02-03"});
    scene.endpoint(network, own.clone())?;
    fails(
        "create",
        scene.try_endpoint(network, own),
        HcnCode::ERROR_ALREADY_EXISTS,
    )
}
