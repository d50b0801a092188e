// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints and their policies: sections 2.4, 2.8 and 2.13.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.4" an_endpoint_with_only_a_name_is_made;
    S "2.4" a_nameless_endpoint_is_called_ethernet;
    S "2.4" an_endpoint_has_an_address_and_a_default_route;
    S "2.4" an_address_without_prefix_length_gets_that_of_the_subnet;
    S "2.4" a_mac_address_that_is_given_is_echoed;
    S "2.4" endpoints_of_one_network_may_have_one_name;
    S "2.4" a_remote_endpoint_may_have_an_address_outside;
    I "2.4" policies_that_were_sent_come_back;
    S "2.8" an_endpoint_is_created_before_it_is_attached;
    S "2.13" an_l4_wfp_proxy_is_added needs(Feature::L4WfpProxy);
    I "3.1" an_endpoint_on_an_unknown_network_is_refused;
    I "3.1" an_internal_port_of_zero_is_refused;
    S "7.6" a_port_of_the_host_is_mapped_once;
};

fn an_endpoint_with_only_a_name_is_made(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({"Name": format!("{PREFIX}only")}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("Name", &document["Name"], &json!(format!("{PREFIX}only")))?;
    let own = document["HostComputeNetwork"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_lowercase();
    equal("HostComputeNetwork", own, network.to_string())
}

fn a_nameless_endpoint_is_called_ethernet(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let document = json!({"SchemaVersion": {"Major": 2, "Minor": 0}});
    let made = works(
        "create",
        scene.try_create(Kind::Endpoint, Some(network), &document),
    )?;
    equal(
        "Name",
        &scene.document(Kind::Endpoint, made)?["Name"],
        &json!("Ethernet"),
    )
}

fn an_endpoint_has_an_address_and_a_default_route(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let address = document["IpConfigurations"][0]["IpAddress"]
        .as_str()
        .unwrap_or_default();
    holds(
        "the address is in the subnet",
        address.starts_with("192.168.100."),
    )?;
    equal(
        "NextHop",
        &document["Routes"][0]["NextHop"],
        &json!("192.168.100.1"),
    )?;
    equal(
        "DestinationPrefix",
        &document["Routes"][0]["DestinationPrefix"],
        &json!("0.0.0.0/0"),
    )
}

fn an_address_without_prefix_length_gets_that_of_the_subnet(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.50"}]}),
    )?;
    let own = scene.document(Kind::Endpoint, endpoint)?["IpConfigurations"][0].clone();
    equal("IpAddress", &own["IpAddress"], &json!("192.168.100.50"))?;
    equal("PrefixLength", &own["PrefixLength"], &json!(24))
}

fn a_mac_address_that_is_given_is_echoed(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    // As the test of kube-proxy has it, and as Calico writes its own.
    for mac in ["00-11-22-33-44-55", "0E-2A-0a-2a-d5-dd"] {
        let endpoint = scene.endpoint(network, json!({"MacAddress": mac}))?;
        equal(
            "MacAddress",
            &scene.document(Kind::Endpoint, endpoint)?["MacAddress"],
            &json!(mac),
        )?;
    }
    Ok(())
}

fn endpoints_of_one_network_may_have_one_name(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let one = scene.endpoint(network, json!({}))?;
    let other = scene.endpoint(network, json!({}))?;
    let mut found = scene.filtered(
        Kind::Endpoint,
        &json!({"Name": format!("{PREFIX}endpoint")}),
    )?;
    let mut wanted = vec![one, other];
    found.sort();
    wanted.sort();
    equal("ids", found, wanted)
}

fn a_remote_endpoint_may_have_an_address_outside(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let remote = json!({"Flags": 1, "IpConfigurations": [{"IpAddress": "192.168.2.3"}], "MacAddress": "02-11-c0-a8-02-03",
        "Policies": [{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "1.1.1.1"}}]});
    let endpoint = scene.endpoint(network, remote)?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("Flags", document["Flags"].as_u64().unwrap_or(0) & 1, 1)?;
    equal(
        "IpAddress",
        &document["IpConfigurations"][0]["IpAddress"],
        &json!("192.168.2.3"),
    )
}

fn policies_that_were_sent_come_back(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let policies = json!([
        {"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}},
        {"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 18082}},
    ]);
    let endpoint = scene.endpoint(network, json!({"Policies": policies}))?;
    for policy in policies.as_array().into_iter().flatten() {
        let word = policy["Type"].as_str().unwrap_or_default();
        let found = scene.policies_of(Kind::Endpoint, endpoint, word)?;
        equal(word, found.len(), 1)?;
        for (key, value) in policy["Settings"].as_object().into_iter().flatten() {
            equal(key, &found[0]["Settings"][key], value)?;
        }
    }
    Ok(())
}

fn an_endpoint_is_created_before_it_is_attached(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    equal(
        "State",
        &scene.shaped(Kind::Endpoint, endpoint, "")?["State"],
        &json!(1),
    )
}

fn an_l4_wfp_proxy_is_added(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let settings = json!({"InboundProxyPort": "80", "OutboundProxyPort": "81", "UserSID": "S-1-5-32-556",
        "FilterTuple": {"Protocols": "6", "RemoteAddresses": "10.0.0.4", "Priority": 8},
        "InboundExceptions": {}, "OutboundExceptions": {"IpAddressExceptions": ["10.0.0.5"], "PortExceptions": ["82"]}});
    let policies = json!([{"Type": "L4WFPPROXY", "Settings": settings}]);
    works("add", scene.policies(endpoint, "Add", policies))?;
    equal(
        "policies",
        scene
            .policies_of(Kind::Endpoint, endpoint, "L4WFPPROXY")?
            .len(),
        1,
    )
}

fn an_endpoint_on_an_unknown_network_is_refused(scene: &Scene<'_>) -> Finding {
    fails(
        "create",
        scene.try_endpoint(NOBODY, json!({})),
        HcnCode::HCN_E_NETWORK_NOT_FOUND,
    )
}

fn mapping(internal: u16, external: u16) -> Value {
    json!({"Policies": [{"Type": "PortMapping", "Settings":
        {"Protocol": 17, "InternalPort": internal, "ExternalPort": external}}]})
}

fn an_internal_port_of_zero_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let made = scene.try_endpoint(network, mapping(0, 18083));
    fails("create", made, HcnCode::HCN_E_INVALID_INTERNAL_PORT)
}

fn a_port_of_the_host_is_mapped_once(scene: &Scene<'_>) -> Finding {
    // TestEndpointAlreadyExistsError of hnslib.
    let network = scene.overlay()?;
    let first = scene.endpoint(network, mapping(45678, 56789))?;
    let second = scene.try_endpoint(network, mapping(45678, 56789));
    fails("create", second, HcnCode::HCN_E_PORT_ALREADY_EXISTS)?;
    works("delete", scene.delete(Kind::Endpoint, first))?;
    // It is free again at once, and nothing of the refused one is left.
    scene.endpoint(network, mapping(45678, 56789)).map(drop)
}
