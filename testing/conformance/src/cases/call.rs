// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HNSCall`: sections 1.7, 2.14 and 2.15.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "1.7.1" the_version_has_two_numbers;
    S "1.7.1" a_trailing_slash_means_nothing;
    S "1.7.1" networks_and_endpoints_are_listed;
    S "1.7.1" a_network_is_made_queried_and_deleted;
    S "1.7.1" an_endpoint_is_made_and_has_an_address_a_gateway_and_a_mac;
    S "1.7.1" an_endpoint_is_attached_to_the_host_and_detached;
    S "1.7.1" a_namespace_takes_and_gives_back_an_endpoint;
    I "1.7.1" what_is_unknown_is_not_found;
    I "1.7.1" a_method_is_read_in_any_case;
    S "2.14" policies_are_flat_in_version_1;
    S "2.15" what_one_version_made_the_other_sees;
    I "2.15" a_nat_policy_is_a_port_mapping;
    S "5.9" a_second_attach_to_the_host_is_refused;
};

fn the_version_has_two_numbers(scene: &Scene<'_>) -> Finding {
    let version = scene.call("GET", "/globals/version", "")?;
    holds(
        "Major and Minor are numbers",
        version["Major"].is_u64() && version["Minor"].is_u64(),
    )
}

fn a_trailing_slash_means_nothing(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for (one, other) in [
        ("/networks".to_owned(), "/networks/".to_owned()),
        (
            format!("/networks/{network}"),
            format!("/networks/{network}/"),
        ),
    ] {
        equal(
            &one,
            scene.call("GET", &one, "")?,
            scene.call("GET", &other, "")?,
        )?;
    }
    Ok(())
}

fn networks_and_endpoints_are_listed(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    for (path, id) in [("/networks/", network), ("/endpoints/", endpoint)] {
        let list = scene.call("GET", path, "")?;
        let found = list.as_array().into_iter().flatten().any(|one| {
            one["ID"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(&id.to_string()))
        });
        holds(&format!("{path} lists what was made"), found)?;
    }
    Ok(())
}

fn a_network_is_made_queried_and_deleted(scene: &Scene<'_>) -> Finding {
    let made = scene.post_network(json!({}))?;
    let path = format!("/networks/{}", text(&made, "ID"));
    let got = scene.call("GET", &path, "")?;
    equal("ID", text(&got, "ID"), text(&made, "ID"))?;
    equal(
        "Subnets",
        &got["Subnets"][0]["GatewayAddress"],
        &json!("192.168.100.1"),
    )?;
    scene.call("DELETE", &path, "")?;
    fails(
        "GET",
        scene.hns().call("GET", &path, ""),
        HcnCode::HCN_E_NETWORK_NOT_FOUND,
    )
}

fn an_endpoint_is_made_and_has_an_address_a_gateway_and_a_mac(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    holds(
        "the address is in the subnet",
        text(&made, "IPAddress").starts_with("192.168.100."),
    )?;
    equal(
        "GatewayAddress",
        text(&made, "GatewayAddress"),
        "192.168.100.1",
    )?;
    equal("length of MacAddress", text(&made, "MacAddress").len(), 17)?;
    // moby compares them by ==.
    equal(
        "VirtualNetwork",
        text(&made, "VirtualNetwork"),
        text(&network, "ID"),
    )
}

fn an_endpoint_is_attached_to_the_host_and_detached(scene: &Scene<'_>) -> Finding {
    scene.may(HOST)?;
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}", text(&made, "ID"));
    equal("State", &scene.call("GET", &path, "")?["State"], &json!(1))?;
    scene.call(
        "POST",
        &format!("{path}/attach"),
        r#"{"SystemType":"Host","CompartmentId":1}"#,
    )?;
    equal("State", &scene.call("GET", &path, "")?["State"], &json!(2))?;
    scene.call(
        "POST",
        &format!("{path}/detach"),
        r#"{"SystemType":"Host"}"#,
    )?;
    scene.call("DELETE", &path, "").map(drop)
}

fn a_second_attach_to_the_host_is_refused(scene: &Scene<'_>) -> Finding {
    scene.may(HOST)?;
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}/attach", text(&made, "ID"));
    let host = r#"{"SystemType":"Host","CompartmentId":1}"#;
    scene.call("POST", &path, host)?;
    fails(
        "attach",
        scene.hns().call("POST", &path, host),
        HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED,
    )
}

fn a_namespace_takes_and_gives_back_an_endpoint(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let namespace = scene.call("POST", "/namespaces/", "{}")?;
    scene.own(Kind::Namespace, id_of(&namespace)?);
    let path = format!("/namespaces/{}", text(&namespace, "ID"));
    let body = json!({"Type": "Endpoint", "Data": {"Id": made["ID"]}}).to_string();
    scene.call("POST", &format!("{path}/addresource"), &body)?;
    let resources = scene.call("GET", &path, "")?["ResourceList"].clone();
    equal("resources", resources.as_array().map_or(0, Vec::len), 1)?;
    scene.call("POST", &format!("{path}/removeresource"), &body)?;
    let resources = scene.call("GET", &path, "")?["ResourceList"].clone();
    equal("resources", resources.as_array().map_or(0, Vec::len), 0)
}

fn what_is_unknown_is_not_found(scene: &Scene<'_>) -> Finding {
    for (word, code) in [
        ("networks", HcnCode::HCN_E_NETWORK_NOT_FOUND),
        ("endpoints", HcnCode::HCN_E_ENDPOINT_NOT_FOUND),
        ("namespaces", HcnCode::ERROR_NOT_FOUND),
    ] {
        for method in ["GET", "DELETE"] {
            let path = format!("/{word}/{NOBODY}");
            fails(&path, scene.hns().call(method, &path, ""), code)?;
        }
    }
    Ok(())
}

fn a_method_is_read_in_any_case(scene: &Scene<'_>) -> Finding {
    let version = scene.call("get", "/globals/version", "")?;
    holds("it answers", version["Major"].is_u64())
}

fn policies_are_flat_in_version_1(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let settings = json!({"Action": "Block", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 100});
    let endpoint = scene.endpoint(
        network,
        json!({"Policies": [{"Type": "ACL", "Settings": settings}]}),
    )?;
    let one = scene.call("GET", &format!("/endpoints/{endpoint}"), "")?;
    let policy = &one["Policies"][0];
    equal("Type", &policy["Type"], &json!("ACL"))?;
    for (key, value) in settings.as_object().into_iter().flatten() {
        equal(key, &policy[key], value)?;
    }
    holds("there are no Settings", policy.get("Settings").is_none())
}

fn what_one_version_made_the_other_sees(scene: &Scene<'_>) -> Finding {
    let made = scene.post_network(json!({}))?;
    let id = id_of(&made)?;
    let two = scene.document(Kind::Network, id)?;
    equal("Name", &two["Name"], &made["Name"])?;
    equal(
        "prefix",
        &two["Ipams"][0]["Subnets"][0]["IpAddressPrefix"],
        &json!(SUBNET),
    )?;
    let endpoint = scene.endpoint(id, json!({}))?;
    let one = scene.call("GET", &format!("/endpoints/{endpoint}"), "")?;
    let two = scene.document(Kind::Endpoint, endpoint)?;
    equal(
        "address",
        &one["IPAddress"],
        &two["IpConfigurations"][0]["IpAddress"],
    )?;
    equal(
        "prefix",
        &one["PrefixLength"],
        &two["IpConfigurations"][0]["PrefixLength"],
    )?;
    equal(
        "gateway",
        &one["GatewayAddress"],
        &two["Routes"][0]["NextHop"],
    )?;
    equal("MAC", &one["MacAddress"], &two["MacAddress"])
}

fn a_nat_policy_is_a_port_mapping(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({}))?;
    let nat =
        json!([{"Type": "NAT", "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 18081}]);
    let made = scene.post_endpoint(&network, json!({"Policies": nat}))?;
    let id = id_of(&made)?;
    let mapped = scene.policies_of(Kind::Endpoint, id, "PortMapping")?;
    equal("mappings", mapped.len(), 1)?;
    for (key, value) in [
        ("Protocol", 6),
        ("InternalPort", 80),
        ("ExternalPort", 18081),
    ] {
        equal(key, &mapped[0]["Settings"][key], &json!(value))?;
    }
    works("delete", scene.delete(Kind::Endpoint, id))
}
