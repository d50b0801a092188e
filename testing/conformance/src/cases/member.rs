// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints member by member, and remote ones: section 2.4; what namespaces are made of: section 2.5; attaching: section 5.9.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    I "2.4" an_endpoint_inherits_name_resolution;
    I "2.4" name_resolution_of_its_own_goes_first;
    S "2.4" an_endpoint_that_is_not_attached_has_no_namespace;
    I "2.4" a_namespace_in_a_new_endpoint_is_ignored;
    S "2.4" routes_that_are_given_are_kept;
    S "2.4" a_prefix_length_that_is_given_is_kept;
    S "2.4" a_prefix_of_32_is_kept needs(Feature::Slash32EndpointPrefixes);
    S "2.4" an_address_tells_its_range;
    S "2.4" an_endpoint_has_an_address_of_each_family needs(Feature::Ipv6DualStack);
    S "2.4" flags_of_an_endpoint_come_back;
    I "2.4" a_remote_endpoint_needs_its_address;
    I "2.4" a_remote_endpoint_needs_its_mac_address;
    S "2.4" a_remote_endpoint_keeps_its_mac_address_as_written;
    S "2.4" a_remote_endpoint_keeps_its_provider_address;
    S "2.4" a_remote_endpoint_may_stand_in_a_subnet_of_the_network;
    I "2.4" name_resolution_is_empty_where_nobody_gives_it;
    S "2.5" a_namespace_number_that_is_given_is_kept;
    S "2.5" a_namespace_gets_a_number_and_a_guid;
    I "2.5" namespaces_have_different_numbers;
    G "2.5" two_default_namespaces_live_side_by_side settles(28);
    S "2.5" a_namespace_with_a_compartment_is_made;
    S "2.5" the_types_of_namespaces_come_back;
    S "2.5" a_new_namespace_is_empty;
    S "2.5" the_id_of_a_container_is_among_the_resources;
    I "2.5" an_unknown_type_of_namespace_is_refused;
    G "2.5" a_namespace_that_is_born_with_resources_is_refused settles(74);
    I "5.9" a_remote_endpoint_is_in_no_namespace;
    I "5.9" containers_of_a_namespace_are_on_an_endpoint_that_comes_later;
    I "5.9" a_container_that_leaves_is_on_no_endpoint;
    S "5.9" a_namespace_may_hold_several_endpoints;
    I "5.9" an_endpoint_goes_from_one_namespace_to_another;
    G "5.9" an_unknown_namespace_takes_nothing settles(67);
    I "5.9" an_endpoint_of_a_network_without_sharing_has_one_container;
};

fn endpoint(scene: &Scene<'_>, members: Value) -> Finding<Value> {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, members)?;
    scene.document(Kind::Endpoint, endpoint)
}

fn named(scene: &Scene<'_>, own: Value) -> Finding<Value> {
    let network =
        scene.network(json!({"Dns": {"Domain": "net.example", "ServerList": ["192.0.2.1"]}}))?;
    let endpoint = scene.endpoint(network, own)?;
    Ok(scene.document(Kind::Endpoint, endpoint)?["Dns"].clone())
}

fn an_endpoint_inherits_name_resolution(scene: &Scene<'_>) -> Finding {
    has(
        "Dns",
        &named(scene, json!({}))?,
        &json!({"Domain": "net.example", "ServerList": ["192.0.2.1"]}),
    )
}

fn name_resolution_of_its_own_goes_first(scene: &Scene<'_>) -> Finding {
    let dns = named(scene, json!({"Dns": {"ServerList": ["192.0.2.9"]}}))?;
    equal("ServerList", &dns["ServerList"], &json!(["192.0.2.9"]))
}

fn is_nowhere(document: &Value) -> Finding {
    let own = &document["HostComputeNamespace"];
    holds(
        "HostComputeNamespace is absent or zero",
        own.is_null() || own == &json!(Guid::ZERO.to_string()),
    )
}

fn an_endpoint_that_is_not_attached_has_no_namespace(scene: &Scene<'_>) -> Finding {
    is_nowhere(&endpoint(scene, json!({}))?)
}

fn a_namespace_in_a_new_endpoint_is_ignored(scene: &Scene<'_>) -> Finding {
    is_nowhere(&endpoint(
        scene,
        json!({"HostComputeNamespace": NOBODY.to_string()}),
    )?)
}

fn routes_that_are_given_are_kept(scene: &Scene<'_>) -> Finding {
    let routes =
        json!([{"NextHop": "192.168.100.2", "DestinationPrefix": "0.0.0.0/0", "Metric": 5}]);
    let document = endpoint(scene, json!({"Routes": routes}))?;
    equal("routes", count(&document["Routes"]), 1)?;
    has("route", &document["Routes"][0], &routes[0])
}

fn a_prefix_length_that_is_given_is_kept(scene: &Scene<'_>) -> Finding {
    let own = json!({"IpAddress": "192.168.100.9", "PrefixLength": 24});
    has(
        "IpConfigurations",
        &endpoint(scene, json!({"IpConfigurations": [own]}))?["IpConfigurations"][0],
        &own,
    )
}

fn a_prefix_of_32_is_kept(scene: &Scene<'_>) -> Finding {
    let own = json!({"IpAddress": "192.168.100.9", "PrefixLength": 32});
    let network = scene.overlay()?;
    let endpoint = scene.endpoint(network, json!({"IpConfigurations": [own]}))?;
    has(
        "IpConfigurations",
        &scene.document(Kind::Endpoint, endpoint)?["IpConfigurations"][0],
        &own,
    )
}

fn an_address_tells_its_range(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let range =
        scene.document(Kind::Network, network)?["Ipams"][0]["Subnets"][0]["IpSubnets"][0].clone();
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let own = text(&document["IpConfigurations"][0], "IpSubnetId").to_ascii_lowercase();
    equal("IpSubnetId", own, id_of(&range)?.to_string())
}

fn an_endpoint_has_an_address_of_each_family(scene: &Scene<'_>) -> Finding {
    let subnets = json!([
        {"IpAddressPrefix": SUBNET, "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}]},
        {"IpAddressPrefix": "fd00:100::/64", "Routes": [{"NextHop": "fd00:100::1", "DestinationPrefix": "::/0"}]},
    ]);
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": subnets}]}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("addresses", count(&document["IpConfigurations"]), 2)?;
    holds(
        "the first is of version 4",
        text(&document["IpConfigurations"][0], "IpAddress").contains('.'),
    )?;
    holds(
        "the second is of version 6",
        text(&document["IpConfigurations"][1], "IpAddress").contains(':'),
    )?;
    equal("routes", count(&document["Routes"]), 2)
}

fn flags_of_an_endpoint_come_back(scene: &Scene<'_>) -> Finding {
    equal(
        "Flags",
        &endpoint(scene, json!({"Flags": 10}))?["Flags"],
        &json!(10),
    )
}

/// A remote endpoint with these members; `null` takes one away.
fn remote(scene: &Scene<'_>, members: Value) -> Finding<Answer<Guid>> {
    let network = scene.overlay()?;
    let mut own = json!({"Flags": 1, "IpConfigurations": [{"IpAddress": "10.244.2.3"}], "MacAddress": "02-11-0a-f4-02-03",
        "Policies": [policy("ProviderAddress", json!({"ProviderAddress": "10.0.0.5"}))]});
    for (key, value) in members.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(own.as_object_mut().map(|own| own.shift_remove(key))),
            value => own[key] = value.clone(),
        }
    }
    Ok(scene.try_endpoint(network, own))
}

fn a_remote_endpoint_needs_its_address(scene: &Scene<'_>) -> Finding {
    let made = remote(scene, json!({"IpConfigurations": null}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_ENDPOINT)
}

fn a_remote_endpoint_needs_its_mac_address(scene: &Scene<'_>) -> Finding {
    let made = remote(scene, json!({"MacAddress": null}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_ENDPOINT)
}

fn a_remote_endpoint_keeps_its_mac_address_as_written(scene: &Scene<'_>) -> Finding {
    for own in ["02-11-0a-f4-02-03", "0E-2A-0a-f4-02-03"] {
        let made = works("create", remote(scene, json!({"MacAddress": own}))?)?;
        let document = scene.document(Kind::Endpoint, made)?;
        equal("MacAddress", text(&document, "MacAddress"), own)?;
        let network = id_of(&json!({"ID": document["HostComputeNetwork"]}))?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn a_remote_endpoint_keeps_its_provider_address(scene: &Scene<'_>) -> Finding {
    let made = works("create", remote(scene, json!({}))?)?;
    let own = scene.settings(Kind::Endpoint, made, "ProviderAddress")?;
    equal("ProviderAddress", text(&own, "ProviderAddress"), "10.0.0.5")
}

fn a_remote_endpoint_may_stand_in_a_subnet_of_the_network(scene: &Scene<'_>) -> Finding {
    let own = json!({"IpConfigurations": [{"IpAddress": "192.168.100.77"}]});
    let made = works("create", remote(scene, own)?)?;
    let document = scene.document(Kind::Endpoint, made)?;
    equal(
        "IpAddress",
        text(&document["IpConfigurations"][0], "IpAddress"),
        "192.168.100.77",
    )
}

fn name_resolution_is_empty_where_nobody_gives_it(scene: &Scene<'_>) -> Finding {
    // An Internal network hands on nothing of the host.
    let network = scene.network(json!({"Type": "Internal"}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("ServerList", count(&document["Dns"]["ServerList"]), 0)
}

fn a_namespace_number_that_is_given_is_kept(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({"NamespaceId": 5}))?;
    equal(
        "NamespaceId",
        &scene.document(Kind::Namespace, namespace)?["NamespaceId"],
        &json!(5),
    )
}

fn a_namespace_gets_a_number_and_a_guid(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    let document = scene.document(Kind::Namespace, namespace)?;
    // 1 is the compartment of the host.
    holds(
        "NamespaceId is 2 or more",
        document["NamespaceId"].as_u64().is_some_and(|own| own > 1),
    )?;
    let own = text(&document, "NamespaceGuid").parse::<Guid>();
    holds(
        "NamespaceGuid is an id",
        own.is_ok_and(|own| own != Guid::ZERO),
    )
}

fn namespaces_have_different_numbers(scene: &Scene<'_>) -> Finding {
    let number = || -> Finding<Value> {
        let namespace = scene.namespace(json!({}))?;
        Ok(scene.document(Kind::Namespace, namespace)?["NamespaceId"].clone())
    };
    let (one, other) = (number()?, number()?);
    holds(&format!("{one} is not {other}"), one != other)
}

fn two_default_namespaces_live_side_by_side(scene: &Scene<'_>) -> Finding {
    let own = json!({"Type": "HostDefault", "NamespaceId": 5});
    for _ in 0..2 {
        scene.namespace(own.clone())?;
    }
    Ok(())
}

fn a_namespace_with_a_compartment_is_made(scene: &Scene<'_>) -> Finding {
    // As hns.v2.psm1 asks for it.
    scene
        .namespace(json!({"CreateWithCompartment": true}))
        .map(drop)
}

fn the_types_of_namespaces_come_back(scene: &Scene<'_>) -> Finding {
    for word in ["HostDefault", "Guest", "GuestDefault"] {
        let namespace = scene.namespace(json!({"Type": word}))?;
        equal(
            "Type",
            text(&scene.document(Kind::Namespace, namespace)?, "Type"),
            word,
        )?;
    }
    Ok(())
}

fn a_new_namespace_is_empty(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    equal(
        "resources",
        count(&scene.document(Kind::Namespace, namespace)?["Resources"]),
        0,
    )
}

fn the_id_of_a_container_is_among_the_resources(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    works("join", scene.join(namespace, "Add", "c"))?;
    let own = scene.document(Kind::Namespace, namespace)?["Resources"][0].clone();
    equal("Type", text(&own, "Type"), "Container")?;
    let id = own["Data"]["Id"].as_str().or(own["Data"]["ID"].as_str());
    equal("Id", id.unwrap_or_default(), "c".repeat(64).as_str())
}

fn an_unknown_type_of_namespace_is_refused(scene: &Scene<'_>) -> Finding {
    holds(
        "it is refused",
        scene.try_namespace(json!({"Type": "NoSuchType"})).is_err(),
    )
}

fn a_namespace_that_is_born_with_resources_is_refused(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = json!({"Resources": [{"Type": "Endpoint", "Data": {"Id": endpoint.to_string()}}]});
    fails("create", scene.try_namespace(own), HcnCode::E_INVALIDARG)
}

fn a_remote_endpoint_is_in_no_namespace(scene: &Scene<'_>) -> Finding {
    let made = works("create", remote(scene, json!({}))?)?;
    let namespace = scene.namespace(json!({}))?;
    let code = HcnCode::HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION;
    fails("add", scene.attach(namespace, "Add", made), code)
}

fn shared(scene: &Scene<'_>, endpoint: Guid) -> Finding<Value> {
    Ok(scene.one(Kind::Endpoint, endpoint)?["SharedContainers"].clone())
}

fn containers_of_a_namespace_are_on_an_endpoint_that_comes_later(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let namespace = scene.namespace(json!({}))?;
    works("join", scene.join(namespace, "Add", "c"))?;
    works("add", scene.attach(namespace, "Add", endpoint))?;
    equal(
        "SharedContainers",
        shared(scene, endpoint)?,
        json!(["c".repeat(64)]),
    )
}

fn a_container_that_leaves_is_on_no_endpoint(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("join", scene.join(namespace, "Add", "c"))?;
    works("leave", scene.join(namespace, "Remove", "c"))?;
    equal("SharedContainers", count(&shared(scene, endpoint)?), 0)
}

fn a_namespace_may_hold_several_endpoints(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    for _ in 0..3 {
        let endpoint = scene.endpoint(network, json!({}))?;
        works("add", scene.attach(namespace, "Add", endpoint))?;
    }
    equal(
        "resources",
        count(&scene.document(Kind::Namespace, namespace)?["Resources"]),
        3,
    )
}

fn an_endpoint_goes_from_one_namespace_to_another(scene: &Scene<'_>) -> Finding {
    let (one, endpoint) = scene.attached()?;
    let other = scene.namespace(json!({}))?;
    works("remove", scene.attach(one, "Remove", endpoint))?;
    works("add", scene.attach(other, "Add", endpoint))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let own = text(&document, "HostComputeNamespace").to_ascii_lowercase();
    equal("HostComputeNamespace", own, other.to_string())
}

fn an_unknown_namespace_takes_nothing(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let code = HcnCode::ERROR_NOT_FOUND;
    fails("add", scene.attach(NOBODY, "Add", endpoint), code)
}

fn an_endpoint_of_a_network_without_sharing_has_one_container(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({"Flags": 128}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}/attach", text(&made, "ID"));
    let attach = |digit: &str| {
        let body = json!({"ContainerId": digit.repeat(64), "SystemType": "Container"});
        scene.hns().call("POST", &path, &body.to_string())
    };
    works("attach", attach("a"))?;
    fails(
        "attach another",
        attach("b"),
        HcnCode::HCN_E_ENDPOINT_SHARING_DISABLED,
    )
}
