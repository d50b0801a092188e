// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load balancers: sections 2.6, 5.6 and what 2.9, 3.1 and 6.4 say of them. They take VFP, so their networks are overlay ones.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.6" a_load_balancer_comes_back_as_it_was_sent;
    S "2.6" the_numbers_of_a_port_mapping_are_numbers;
    S "2.6" the_source_address_need_not_be_in_a_subnet;
    S "2.6" direct_server_return_comes_back needs(Feature::Dsr);
    S "2.6" an_internal_load_balancer_comes_back;
    S "2.6" a_local_routed_address_comes_back;
    S "2.6" a_preserved_destination_comes_back needs(Feature::Dsr);
    S "2.6" use_mux_comes_back;
    S "2.6" the_mark_of_an_external_address_comes_back;
    S "2.6" session_affinity_comes_back needs(Feature::SessionAffinity);
    S "2.6" distribution_by_source_and_protocol_comes_back;
    S "2.6" the_flag_of_version_6_comes_back needs(Feature::Ipv6DualStack);
    S "2.6" a_load_balancer_may_lack_its_addresses;
    S "2.6" a_load_balancer_may_have_several_addresses;
    S "2.6" learn_names_of_old_do_not_matter;
    S "2.6" a_load_balancer_may_name_its_network;
    G "2.1" the_backends_of_a_load_balancer_are_written_in_capitals settles(21);
    I "1.3" a_load_balancer_gets_the_id_of_its_document;
    G "1.3" a_load_balancer_id_in_use_is_refused settles(48);
    S "1.6" a_load_balancer_as_go_sends_it_is_taken;
    S "2.10" a_filter_finds_a_load_balancer_by_its_id;
    S "2.10" a_load_balancer_is_listed;
    S "7.4" a_load_balancer_is_made_again_with_its_id_and_more_backends;
    S "5.6" an_address_and_port_are_free_at_once_after_delete;
    I "5.6" an_address_and_port_are_balanced_once;
    I "5.6" the_same_port_of_another_protocol_is_another;
    I "5.6" the_same_port_of_another_address_is_another;
    S "5.6" backends_are_a_set;
    S "5.6" a_remote_endpoint_may_be_a_backend;
    S "5.6" one_endpoint_may_be_behind_several_load_balancers;
    G "5.6" sctp_is_taken settles(65);
    G "5.6" an_endpoint_behind_a_load_balancer_can_be_deleted settles(25);
    I "3.1" a_load_balancer_of_an_unknown_endpoint_is_refused;
    G "3.1" a_load_balancer_without_backends_is_refused settles(66);
    I "3.1" a_load_balancer_to_port_0_is_refused;
    G "3.1" a_load_balancer_without_ports_is_refused settles(46);
    G "3.1" a_load_balancer_of_both_ports_0_is_refused settles(47);
    I "3.1" a_load_balancer_at_no_address_is_refused;
    G "3.1" a_port_of_the_host_is_balanced_or_mapped settles(49);
    G "3.1" two_load_balancers_of_one_port_of_the_host_are_refused settles(49);
    G "3.1" an_unknown_load_balancer_is_not_found_by_any_call settles(67);
    S "2.9" a_load_balancer_is_replaced_by_modify needs(Feature::ModifyLoadBalancer);
    I "2.9" modify_takes_the_new_address_and_frees_the_old_one needs(Feature::ModifyLoadBalancer);
    I "2.9" a_modify_of_unknown_backends_changes_nothing needs(Feature::ModifyLoadBalancer);
    G "2.9" modify_is_taken_and_changes_nothing since(15, 4) until(15, 5) settles(45);
    S "2.9" modify_is_not_implemented until(15, 4);
    G "6.4" load_balancers_go_with_their_network since(10, 0) settles(24);
    G "6.4" load_balancers_outlive_their_network until(10, 0) settles(24);
};

/// An endpoint on a new overlay network.
fn backend(scene: &Scene<'_>) -> Finding<(Guid, Guid)> {
    let network = scene.overlay()?;
    Ok((network, scene.endpoint(network, json!({}))?))
}

/// The document of a load balancer in front of endpoints, with these members.
fn document(endpoints: &[Guid], members: Value) -> Value {
    let ids: Vec<String> = endpoints.iter().map(Guid::to_string).collect();
    let mut document = v2(json!({
        "ID": marked().to_string(),
        "HostComputeEndpoints": ids,
        "SourceVIP": "10.0.0.1",
        "FrontendVIPs": ["10.255.0.2"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8090}],
    }));
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    document
}

fn try_create(scene: &Scene<'_>, endpoints: &[Guid], members: Value) -> Answer<Guid> {
    scene.try_create(Kind::LoadBalancer, None, &document(endpoints, members))
}

fn create(scene: &Scene<'_>, endpoints: &[Guid], members: Value) -> Finding<Guid> {
    works(
        "create a load balancer",
        try_create(scene, endpoints, members),
    )
}

/// A load balancer with these members comes back with them.
fn kept(scene: &Scene<'_>, members: Value) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], members.clone())?;
    has(
        "load balancer",
        &scene.document(Kind::LoadBalancer, made)?,
        &members,
    )
}

/// A port mapping with this member comes back with it.
fn mapping_kept(scene: &Scene<'_>, key: &str, value: u32) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let mut mapping = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 8090});
    mapping[key] = json!(value);
    let made = create(scene, &[endpoint], json!({"PortMappings": [mapping]}))?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    equal(key, &document["PortMappings"][0][key], &json!(value))
}

fn at(address: &str, port: u16) -> Value {
    json!({"FrontendVIPs": [address], "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": port}]})
}

fn backends(scene: &Scene<'_>, balancer: Guid) -> Finding<usize> {
    let document = scene.document(Kind::LoadBalancer, balancer)?;
    Ok(count(&document["HostComputeEndpoints"]))
}

fn a_load_balancer_comes_back_as_it_was_sent(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        json!({"FrontendVIPs": ["10.255.0.2"], "SourceVIP": "192.168.100.200"}),
    )
}

fn the_numbers_of_a_port_mapping_are_numbers(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    let mapping = scene.document(Kind::LoadBalancer, made)?["PortMappings"][0].clone();
    has(
        "PortMapping",
        &mapping,
        &json!({"Protocol": 6, "InternalPort": 8080, "ExternalPort": 8090}),
    )
}

fn the_source_address_need_not_be_in_a_subnet(scene: &Scene<'_>) -> Finding {
    // TestCreateDeleteLoadBalancer of hnslib: 10.0.0.1 on 192.168.100.0/24.
    kept(scene, json!({"SourceVIP": "10.0.0.1"}))
}

fn direct_server_return_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Flags": 1}))
}

fn an_internal_load_balancer_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "Flags", 1)
}

fn a_local_routed_address_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "Flags", 2)
}

fn a_preserved_destination_comes_back(scene: &Scene<'_>) -> Finding {
    let mapping = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 80, "Flags": 8});
    let (_, endpoint) = backend(scene)?;
    let made = create(
        scene,
        &[endpoint],
        json!({"Flags": 1, "PortMappings": [mapping]}),
    )?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    equal("Flags", &document["PortMappings"][0]["Flags"], &json!(8))
}

fn use_mux_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "Flags", 4)
}

fn the_mark_of_an_external_address_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "Flags", 16)
}

fn session_affinity_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "DistributionType", 2)
}

fn distribution_by_source_and_protocol_comes_back(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "DistributionType", 1)
}

fn the_flag_of_version_6_comes_back(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        json!({"Flags": 2, "SourceVIP": "fd00::1", "FrontendVIPs": ["fd00:1::2"]}),
    )
}

fn a_load_balancer_may_lack_its_addresses(scene: &Scene<'_>) -> Finding {
    // A node port.
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"FrontendVIPs": []}))?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    equal("addresses", count(&document["FrontendVIPs"]), 0)
}

fn a_load_balancer_may_have_several_addresses(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"FrontendVIPs": ["10.255.0.2", "10.255.0.3"]}))
}

fn learn_names_of_old_do_not_matter(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let old = json!({"VirtualIPs": ["10.255.0.9"], "EnableDirectServerReturn": true, "InternalLoadBalancer": true});
    let made = create(scene, &[endpoint], old)?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    equal(
        "FrontendVIPs",
        &document["FrontendVIPs"],
        &json!(["10.255.0.2"]),
    )?;
    equal("Flags", document["Flags"].as_u64().unwrap_or(0), 0)
}

fn a_load_balancer_may_name_its_network(scene: &Scene<'_>) -> Finding {
    let (network, endpoint) = backend(scene)?;
    let made = create(
        scene,
        &[endpoint],
        json!({"HostComputeNetwork": network.to_string()}),
    )?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    let own = text(&document, "HostComputeNetwork").to_ascii_lowercase();
    equal("HostComputeNetwork", own, network.to_string())
}

fn the_backends_of_a_load_balancer_are_written_in_capitals(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    let document = scene.document(Kind::LoadBalancer, made)?;
    let wanted = json!([endpoint.to_string().to_uppercase()]);
    equal(
        "HostComputeEndpoints",
        &document["HostComputeEndpoints"],
        &wanted,
    )
}

fn a_load_balancer_gets_the_id_of_its_document(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = marked();
    let made = create(scene, &[endpoint], json!({"ID": own.to_string()}))?;
    equal("id", made, own)
}

fn a_load_balancer_id_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    let mut again = at("10.255.0.3", 8091);
    again["ID"] = json!(made.to_string());
    let code = HcnCode::HCN_E_POLICY_ALREADY_EXISTS;
    fails("create", try_create(scene, &[endpoint], again), code)
}

fn a_load_balancer_as_go_sends_it_is_taken(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    create(
        scene,
        &[endpoint],
        json!({"Health": {"Extra": {}}, "Flags": 0}),
    )
    .map(drop)
}

fn a_filter_finds_a_load_balancer_by_its_id(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    create(scene, &[endpoint], at("10.255.0.3", 80))?;
    let found = scene.filtered(Kind::LoadBalancer, &json!({"ID": made.to_string()}))?;
    equal("ids", found, vec![made])
}

fn a_load_balancer_is_listed(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    holds(
        "it is listed",
        scene.ids(Kind::LoadBalancer, V2)?.contains(&made),
    )
}

fn a_load_balancer_is_made_again_with_its_id_and_more_backends(scene: &Scene<'_>) -> Finding {
    // TestLoadBalancerAddRemoveEndpoint of hnslib.
    let (network, one) = backend(scene)?;
    let other = scene.endpoint(network, json!({}))?;
    let own = json!({"ID": marked().to_string()});
    for (endpoints, wanted) in [(vec![one], 1), (vec![one, other], 2), (vec![other], 1)] {
        let made = create(scene, &endpoints, own.clone())?;
        equal("backends", backends(scene, made)?, wanted)?;
        works("delete", scene.delete(Kind::LoadBalancer, made))?;
    }
    Ok(())
}

fn an_address_and_port_are_free_at_once_after_delete(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    for _ in 0..2 {
        let made = create(scene, &[endpoint], json!({}))?;
        works("delete", scene.delete(Kind::LoadBalancer, made))?;
    }
    Ok(())
}

fn an_address_and_port_are_balanced_once(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    create(scene, &[endpoint], json!({}))?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", try_create(scene, &[endpoint], json!({})), code)
}

fn the_same_port_of_another_protocol_is_another(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    create(scene, &[endpoint], json!({}))?;
    let udp =
        json!({"PortMappings": [{"Protocol": 17, "InternalPort": 8080, "ExternalPort": 8090}]});
    create(scene, &[endpoint], udp).map(drop)
}

fn the_same_port_of_another_address_is_another(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    create(scene, &[endpoint], at("10.255.0.2", 80))?;
    create(scene, &[endpoint], at("10.255.0.3", 80)).map(drop)
}

fn backends_are_a_set(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint, endpoint], json!({}))?;
    equal("backends", backends(scene, made)?, 1)
}

fn a_remote_endpoint_may_be_a_backend(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let remote = scene.endpoint(network, json!({"Flags": 1, "IpConfigurations": [{"IpAddress": "10.244.2.3"}], "MacAddress": "02-11-0a-f4-02-03",
        "Policies": [policy("ProviderAddress", json!({"ProviderAddress": "10.0.0.5"}))]}))?;
    create(scene, &[remote], json!({})).map(drop)
}

fn one_endpoint_may_be_behind_several_load_balancers(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    for last in 2..6 {
        create(scene, &[endpoint], at(&format!("10.255.0.{last}"), 80))?;
    }
    Ok(())
}

fn sctp_is_taken(scene: &Scene<'_>) -> Finding {
    mapping_kept(scene, "Protocol", 132)
}

fn an_endpoint_behind_a_load_balancer_can_be_deleted(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    equal("backends", backends(scene, made)?, 1)?;
    works(
        "delete the load balancer",
        scene.delete(Kind::LoadBalancer, made),
    )
}

fn a_load_balancer_of_an_unknown_endpoint_is_refused(scene: &Scene<'_>) -> Finding {
    backend(scene)?;
    let code = HcnCode::HCN_E_INVALID_JSON_REFERENCE;
    fails("create", try_create(scene, &[NOBODY], json!({})), code)
}

fn a_load_balancer_without_backends_is_refused(scene: &Scene<'_>) -> Finding {
    backend(scene)?;
    fails(
        "create",
        try_create(scene, &[], json!({})),
        HcnCode::HCN_E_INVALID_POLICY,
    )
}

fn with_ports(scene: &Scene<'_>, mappings: Value, code: HcnCode) -> Finding {
    let (_, endpoint) = backend(scene)?;
    fails(
        "create",
        try_create(scene, &[endpoint], json!({"PortMappings": mappings})),
        code,
    )
}

fn a_load_balancer_to_port_0_is_refused(scene: &Scene<'_>) -> Finding {
    let mapping = json!([{"Protocol": 6, "InternalPort": 0, "ExternalPort": 8090}]);
    with_ports(scene, mapping, HcnCode::HCN_E_INVALID_INTERNAL_PORT)
}

fn a_load_balancer_without_ports_is_refused(scene: &Scene<'_>) -> Finding {
    with_ports(scene, json!([]), HcnCode::HCN_E_INVALID_POLICY)
}

fn a_load_balancer_of_both_ports_0_is_refused(scene: &Scene<'_>) -> Finding {
    let mapping = json!([{"Protocol": 6, "InternalPort": 0, "ExternalPort": 0}]);
    with_ports(scene, mapping, HcnCode::HCN_E_INVALID_INTERNAL_PORT)
}

fn a_load_balancer_at_no_address_is_refused(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = try_create(scene, &[endpoint], at("10.255.0.300", 80));
    fails("create", made, HcnCode::HCN_E_INVALID_IP)
}

fn a_port_of_the_host_is_balanced_or_mapped(scene: &Scene<'_>) -> Finding {
    let (network, endpoint) = backend(scene)?;
    let mapping = policy(
        "PortMapping",
        json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18120}),
    );
    scene.endpoint(network, json!({"Policies": [mapping]}))?;
    let mut own = at("", 18120);
    own["FrontendVIPs"] = json!([]);
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", try_create(scene, &[endpoint], own), code)
}

fn two_load_balancers_of_one_port_of_the_host_are_refused(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = json!({"FrontendVIPs": []});
    create(scene, &[endpoint], own.clone())?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("create", try_create(scene, &[endpoint], own), code)
}

fn an_unknown_load_balancer_is_not_found_by_any_call(scene: &Scene<'_>) -> Finding {
    let code = HcnCode::ERROR_NOT_FOUND;
    fails("open", scene.open(Kind::LoadBalancer, NOBODY), code)?;
    fails("delete", scene.delete(Kind::LoadBalancer, NOBODY), code)?;
    fails(
        "modify",
        scene.request(Kind::LoadBalancer, NOBODY, &json!({})),
        code,
    )
}

fn a_load_balancer_is_replaced_by_modify(scene: &Scene<'_>) -> Finding {
    // TestCreateUpdateDeleteLoadBalancer of hnslib.
    let (network, one) = backend(scene)?;
    let other = scene.endpoint(network, json!({}))?;
    let made = create(scene, &[one], json!({}))?;
    for (endpoints, wanted) in [(vec![one, other], 2), (vec![other], 1)] {
        let whole = document(&endpoints, json!({"ID": made.to_string()}));
        works("modify", scene.request(Kind::LoadBalancer, made, &whole))?;
        equal("backends", backends(scene, made)?, wanted)?;
    }
    Ok(())
}

fn modify_takes_the_new_address_and_frees_the_old_one(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], at("10.255.0.2", 80))?;
    let mut whole = document(&[endpoint], at("10.255.0.3", 80));
    whole["ID"] = json!(made.to_string());
    works("modify", scene.request(Kind::LoadBalancer, made, &whole))?;
    create(scene, &[endpoint], at("10.255.0.2", 80))?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails(
        "create",
        try_create(scene, &[endpoint], at("10.255.0.3", 80)),
        code,
    )
}

fn a_modify_of_unknown_backends_changes_nothing(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    let before = scene.document(Kind::LoadBalancer, made)?;
    let whole = document(&[NOBODY], json!({"ID": made.to_string()}));
    holds(
        "it is refused",
        scene.request(Kind::LoadBalancer, made, &whole).is_err(),
    )?;
    equal(
        "document",
        scene.document(Kind::LoadBalancer, made)?,
        before,
    )
}

fn modify_is_taken_and_changes_nothing(scene: &Scene<'_>) -> Finding {
    let (network, one) = backend(scene)?;
    let other = scene.endpoint(network, json!({}))?;
    let made = create(scene, &[one], json!({}))?;
    let whole = document(&[one, other], json!({"ID": made.to_string()}));
    works("modify", scene.request(Kind::LoadBalancer, made, &whole))?;
    equal("backends", backends(scene, made)?, 1)
}

fn modify_is_not_implemented(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    let whole = document(&[endpoint], json!({"ID": made.to_string()}));
    fails(
        "modify",
        scene.request(Kind::LoadBalancer, made, &whole),
        HcnCode::E_NOTIMPL,
    )
}

fn load_balancers_go_with_their_network(scene: &Scene<'_>) -> Finding {
    let (network, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({}))?;
    works("delete the network", scene.delete(Kind::Network, network))?;
    fails(
        "open",
        scene.open(Kind::LoadBalancer, made),
        HcnCode::ERROR_NOT_FOUND,
    )
}

fn load_balancers_outlive_their_network(scene: &Scene<'_>) -> Finding {
    let id = marked();
    let network = scene.overlay_with(json!({"ID": id.to_string()}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let made = create(scene, &[endpoint], json!({}))?;
    works("delete the network", scene.delete(Kind::Network, network))?;
    let code = HcnCode::HCN_E_NETWORK_NOT_FOUND;
    fails("delete", scene.delete(Kind::LoadBalancer, made), code)?;
    // With a network of that id it can go.
    scene.overlay_with(json!({"ID": id.to_string()}))?;
    works("delete then", scene.delete(Kind::LoadBalancer, made))
}
