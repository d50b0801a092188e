// SPDX-License-Identifier: MIT OR Apache-2.0
//! How JSON is read and written: sections 2.1 and 2.2.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.1" an_ics_network_may_be_asked_for_by_number;
    S "2.1" a_transparent_network_may_be_asked_for_by_number;
    I "2.1" a_private_network_may_be_asked_for_by_number;
    S "2.1" a_namespace_type_may_be_a_number;
    S "2.1" a_modify_request_may_be_in_numbers;
    I "2.1" the_words_of_a_modify_request_are_read_in_any_case;
    S "2.1" a_port_mapping_may_be_asked_for_by_number;
    I "2.1" a_rule_may_be_asked_for_by_number;
    I "2.1" numbers_may_be_texts;
    G "2.1" flags_may_be_words settles(58);
    S "2.1" flags_are_written_as_a_number;
    S "2.1" the_protocol_of_a_port_mapping_is_written_as_a_number;
    I "2.1" zero_flags_are_left_out;
    I "2.1" a_namespace_of_the_host_does_not_say_its_type;
    I "2.1" a_static_ipam_does_not_say_its_type;
    S "2.1" the_learn_spelling_of_addresses_is_read;
    S "2.1" the_learn_spelling_of_name_resolution_is_read;
    S "2.1" a_policy_type_is_read_in_any_case;
    S "2.1" an_overlay_network_in_small_letters_is_written_as_overlay;
    G "2.1" version_2_writes_the_id_of_an_endpoint_in_capitals settles(21);
    G "2.1" version_1_writes_the_id_of_an_endpoint_in_small_letters settles(21);
    G "2.1" version_1_writes_the_id_of_a_network_in_capitals settles(21);
    S "2.1" version_1_answers_with_one_spelling_of_an_id;
    G "2.1" version_1_echoes_the_network_of_an_endpoint_as_it_was_sent settles(21);
    S "2.1" a_query_without_version_is_one_for_version_1;
    S "2.1" a_document_of_major_version_1_is_one_of_version_1;
    I "2.1" learn_data_beside_a_policy_type_is_no_settings;
    S "2.2" an_endpoint_and_a_namespace_tell_their_version;
    S "2.2" an_owner_comes_back_on_every_object;
    G "2.2" a_network_without_name_has_an_empty_one settles(59);
    S "2.2" version_1_tells_the_health_of_a_network;
    I "2.2" version_2_answers_say_that_they_are;
};

fn kind_of(scene: &Scene<'_>, network: Guid) -> Finding<String> {
    let one = scene.one(Kind::Network, network)?;
    Ok(text(&one, "Type").to_ascii_lowercase())
}

fn an_ics_network_may_be_asked_for_by_number(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": 1}))?;
    equal("Type", kind_of(scene, network)?.as_str(), "ics")
}

fn a_transparent_network_may_be_asked_for_by_number(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": 2}))?;
    equal("Type", kind_of(scene, network)?.as_str(), "transparent")
}

fn a_private_network_may_be_asked_for_by_number(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": 6}))?;
    equal("Type", kind_of(scene, network)?.as_str(), "private")
}

fn a_namespace_type_may_be_a_number(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({"Type": 2}))?;
    let document = scene.document(Kind::Namespace, namespace)?;
    equal("Type", text(&document, "Type"), "Guest")
}

fn a_modify_request_may_be_in_numbers(scene: &Scene<'_>) -> Finding {
    // Namespace, Endpoint 1, Add 0, then Remove 1.
    let endpoint = scene.any_endpoint()?;
    let namespace = scene.namespace(json!({}))?;
    for (verb, count_then) in [(0, 1), (1, 0)] {
        let request = json!({"ResourceType": 1, "RequestType": verb, "Settings": {"EndpointId": endpoint.to_string()}});
        works(
            "modify",
            scene.request(Kind::Namespace, namespace, &request),
        )?;
        let document = scene.document(Kind::Namespace, namespace)?;
        equal("resources", count(&document["Resources"]), count_then)?;
    }
    Ok(())
}

fn the_words_of_a_modify_request_are_read_in_any_case(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let rule = policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "Priority": 100}),
    );
    let request =
        json!({"resourcetype": "policy", "requesttype": "ADD", "settings": {"policies": [rule]}});
    works("modify", scene.request(Kind::Endpoint, endpoint, &request))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn a_port_mapping_may_be_asked_for_by_number(scene: &Scene<'_>) -> Finding {
    let settings = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18101});
    let endpoint = scene.endpoint_with(json!([{"Type": 0, "Settings": settings}]))?;
    let stored = scene.settings(Kind::Endpoint, endpoint, "PortMapping")?;
    has("PortMapping", &stored, &settings)
}

fn a_rule_may_be_asked_for_by_number(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let rule =
        json!({"Type": 1, "Settings": {"Action": "Block", "Direction": "In", "Priority": 100}});
    works("add", scene.policies(endpoint, "Add", json!([rule])))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn numbers_may_be_texts(scene: &Scene<'_>) -> Finding {
    let settings = json!({"Protocol": "6", "InternalPort": "80", "ExternalPort": "18102"});
    let endpoint = scene.endpoint_with(json!([policy("PortMapping", settings)]))?;
    // The port is taken, so it was understood.
    let network =
        id_of(&json!({"ID": scene.document(Kind::Endpoint, endpoint)?["HostComputeNetwork"]}))?;
    let again = json!({"Policies": [policy("PortMapping", json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18102}))]});
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", scene.try_endpoint(network, again), code)
}

fn flags_may_be_words(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Flags": "EnableDns, EnableDhcp"}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Flags", &document["Flags"], &json!(3))
}

fn flags_are_written_as_a_number(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Flags": 8}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Flags", &document["Flags"], &json!(8))
}

fn the_protocol_of_a_port_mapping_is_written_as_a_number(scene: &Scene<'_>) -> Finding {
    let settings = json!({"Protocol": 17, "InternalPort": 53, "ExternalPort": 18103});
    let endpoint = scene.endpoint_with(json!([policy("PortMapping", settings)]))?;
    let stored = scene.settings(Kind::Endpoint, endpoint, "PortMapping")?;
    equal("Protocol", &stored["Protocol"], &json!(17))
}

fn zero_flags_are_left_out(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Flags": 0}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Flags", document.get("Flags"), None)
}

fn a_namespace_of_the_host_does_not_say_its_type(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({"Type": "Host"}))?;
    let document = scene.document(Kind::Namespace, namespace)?;
    equal("Type", document.get("Type"), None)
}

fn a_static_ipam_does_not_say_its_type(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Type", document["Ipams"][0].get("Type"), None)
}

fn the_learn_spelling_of_addresses_is_read(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = json!({"IPConfigurations": [{"IPAddress": "192.168.100.61"}]});
    let endpoint = scene.endpoint(network, own)?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let address = &document["IpConfigurations"][0]["IpAddress"];
    equal("IpAddress", address, &json!("192.168.100.61"))
}

fn the_learn_spelling_of_name_resolution_is_read(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"DNS": {"Domain": "exam.example"}}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Domain", &document["Dns"]["Domain"], &json!("exam.example"))
}

fn a_policy_type_is_read_in_any_case(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let rule = policy(
        "acl",
        json!({"Action": "Block", "Direction": "In", "Priority": 100}),
    );
    works("add", scene.policies(endpoint, "Add", json!([rule])))?;
    // And written as others compare it.
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_overlay_network_in_small_letters_is_written_as_overlay(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay_with(json!({"Type": "overlay"}))?;
    let document = scene.document(Kind::Network, network)?;
    equal("Type", text(&document, "Type"), "Overlay")
}

fn version_2_writes_the_id_of_an_endpoint_in_capitals(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal(
        "ID",
        text(&document, "ID"),
        &endpoint.to_string().to_uppercase(),
    )
}

fn version_1_writes_the_id_of_an_endpoint_in_small_letters(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let one = scene.one(Kind::Endpoint, endpoint)?;
    equal("ID", text(&one, "ID"), &endpoint.to_string())
}

fn version_1_writes_the_id_of_a_network_in_capitals(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let one = scene.one(Kind::Network, network)?;
    equal("ID", text(&one, "ID"), &network.to_string().to_uppercase())
}

fn version_1_answers_with_one_spelling_of_an_id(scene: &Scene<'_>) -> Finding {
    // moby looks for stored ids in the list by ==.
    let made = scene.post_network(json!({}))?;
    let listed = scene.call("GET", "/networks/", "")?;
    let found = listed
        .as_array()
        .is_some_and(|list| list.iter().any(|one| one["ID"] == made["ID"]));
    holds("the list has the id as POST answered it", found)
}

fn version_1_echoes_the_network_of_an_endpoint_as_it_was_sent(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({}))?;
    let own = text(&network, "ID");
    for spelling in [own.to_lowercase(), own.to_uppercase()] {
        let endpoint = scene.post_endpoint(&network, json!({"VirtualNetwork": spelling}))?;
        equal(
            "VirtualNetwork",
            text(&endpoint, "VirtualNetwork"),
            &spelling,
        )?;
    }
    Ok(())
}

fn a_query_without_version_is_one_for_version_1(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for query in ["", "{}", r#"{"Flags":0}"#] {
        let document = scene.shaped(Kind::Network, network, query)?;
        holds("it has Subnets", document["Subnets"].is_array())?;
        holds("it has no Ipams", document.get("Ipams").is_none())?;
    }
    Ok(())
}

fn a_document_of_major_version_1_is_one_of_version_1(scene: &Scene<'_>) -> Finding {
    let network = json!({
        "SchemaVersion": {"Major": 1, "Minor": 0}, "Name": format!("{PREFIX}v1"), "Type": "nat",
        "Subnets": [{"AddressPrefix": SUBNET, "GatewayAddress": GATEWAY}],
    });
    let made = works("create", scene.try_network_document(&network)?)?;
    let two = scene.document(Kind::Network, made)?;
    let prefix = &two["Ipams"][0]["Subnets"][0]["IpAddressPrefix"];
    equal("prefix", prefix, &json!(SUBNET))
}

fn learn_data_beside_a_policy_type_is_no_settings(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let data = json!({"Type": "PortMapping", "Data": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 18104}});
    let made = scene.try_endpoint(network, json!({"Policies": [data]}));
    holds("a mapping without Settings is refused", made.is_err())
}

fn an_endpoint_and_a_namespace_tell_their_version(scene: &Scene<'_>) -> Finding {
    let version = scene.call("GET", "/globals/version", "")?;
    let part = |key: &str| version[key].as_u64().unwrap_or_default();
    let number = json!(part("Major") << 32 | part("Minor"));
    let (namespace, endpoint) = scene.attached()?;
    for (kind, id) in [(Kind::Endpoint, endpoint), (Kind::Namespace, namespace)] {
        let document = scene.document(kind, id)?;
        equal(kind.words(), &document["Version"], &number)?;
    }
    Ok(())
}

fn an_owner_comes_back_on_every_object(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Owner": "exam"}))?;
    let endpoint = scene.endpoint(network, json!({"Owner": "exam"}))?;
    let namespace = scene.namespace(json!({"Owner": "exam"}))?;
    for (kind, id) in [
        (Kind::Network, network),
        (Kind::Endpoint, endpoint),
        (Kind::Namespace, namespace),
    ] {
        let document = scene.document(kind, id)?;
        equal(kind.words(), text(&document, "Owner"), "exam")?;
    }
    Ok(())
}

fn a_network_without_name_has_an_empty_one(scene: &Scene<'_>) -> Finding {
    let document = v2(
        json!({"ID": marked().to_string(), "Type": "NAT", "Ipams": [{"Subnets": [{"IpAddressPrefix": SUBNET}]}]}),
    );
    let network = works("create", scene.try_network_document(&document)?)?;
    equal(
        "Name",
        text(&scene.one(Kind::Network, network)?, "Name"),
        "",
    )
}

fn version_1_tells_the_health_of_a_network(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let health = scene.one(Kind::Network, network)?["Health"].clone();
    equal("LastErrorCode", &health["LastErrorCode"], &json!(0))?;
    holds(
        "LastUpdateTime is a number",
        health["LastUpdateTime"].is_u64(),
    )
}

fn version_2_answers_say_that_they_are(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("Major", &document["SchemaVersion"]["Major"], &json!(2))
}
