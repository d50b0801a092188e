// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies of endpoints, type by type: sections 2.13, 5.5, 5.7 and 5.8; what modify requests do to them: section 4.10.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.13" a_port_mapping_keeps_its_flags_and_its_address;
    S "2.13" a_cap_on_bandwidth_comes_back;
    S "2.13" an_l2_driver_comes_back;
    S "2.13" a_source_nat_keeps_all_of_its_members;
    S "2.13" a_route_comes_back;
    S "2.13" a_proxy_comes_back needs(Feature::L4Proxy);
    S "2.13" a_wfp_proxy_keeps_all_of_its_members needs(Feature::L4WfpProxy);
    S "2.13" a_port_name_may_be_empty;
    S "2.13" an_overhead_comes_back;
    S "2.13" a_provider_address_comes_back;
    S "2.13" an_interface_constraint_in_capitals_comes_back;
    S "2.13" an_encryption_comes_back;
    S "2.13" a_vlan_comes_back;
    S "2.13" interface_parameters_come_back;
    S "2.13" second_interface_parameters_are_refused;
    S "2.13" an_iov_is_set_and_removed;
    S "2.13" a_firewall_policy_as_wsl_sends_it_is_taken;
    S "5.5" a_route_by_the_host_needs_no_next_hop;
    S "5.5" an_exception_may_be_an_address;
    I "5.5" an_exception_with_host_bits_is_refused;
    S "5.5" a_source_nat_without_address_is_taken;
    I "5.5" a_source_nat_of_each_family_is_taken;
    S "5.7" a_wfp_proxy_is_removed_as_it_was_read needs(Feature::L4WfpProxy);
    I "5.7" a_wfp_proxy_takes_tcp_only needs(Feature::L4WfpProxy);
    G "5.7" a_second_wfp_proxy_is_refused needs(Feature::L4WfpProxy) settles(61);
    G "2.9" a_wfp_proxy_is_refused_by_old_versions until(13, 2) settles(63);
    G "2.9" a_proxy_is_refused_by_old_versions until(9, 5) settles(63);
    G "2.9" a_tier_is_refused_by_old_versions until(14, 0) settles(63);
    S "4.10" a_source_nat_can_be_added_to_a_living_endpoint;
    I "4.10" update_keeps_every_policy_of_the_creation;
    I "4.10" update_replaces_the_policies_of_a_type_that_it_sends;
    S "4.10" update_with_an_empty_policy_takes_a_proxy_away needs(Feature::L4Proxy);
    G "4.10" update_with_an_empty_list_takes_rules_away settles(7);
    G "4.10" update_without_a_list_takes_rules_away settles(7);
    S "4.10" thirty_rules_are_added_at_once;
    S "4.10" rules_are_in_the_order_in_which_they_were_sent;
    S "4.10" rules_can_be_given_at_creation;
    S "4.10" rules_can_be_changed_while_the_endpoint_is_attached;
    S "4.11" remove_of_what_is_not_there_changes_nothing;
    G "4.11" remove_of_what_is_not_there_is_no_error settles(6);
    I "2.13" policies_of_several_types_are_listed_in_the_order_sent;
};

/// A policy given at creation comes back with its settings.
fn kept(scene: &Scene<'_>, word: &str, settings: &Value) -> Finding {
    let endpoint = scene.endpoint_with(json!([policy(word, settings.clone())]))?;
    has(
        word,
        &scene.settings(Kind::Endpoint, endpoint, word)?,
        settings,
    )
}

fn a_port_mapping_keeps_its_flags_and_its_address(scene: &Scene<'_>) -> Finding {
    let own = json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18110, "VIP": "10.0.0.4", "Flags": 1});
    kept(scene, "PortMapping", &own)
}

fn a_cap_on_bandwidth_comes_back(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "QOS",
        &json!({"MaximumOutgoingBandwidthInBytes": 1_000_000}),
    )
}

fn an_l2_driver_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, "L2Driver", &json!({}))
}

fn a_source_nat_keeps_all_of_its_members(scene: &Scene<'_>) -> Finding {
    let own = json!({"VirtualIP": "10.0.0.4", "Exceptions": ["10.0.0.0/8", "172.16.0.0/12"], "Destinations": ["198.51.100.0/24"], "MaxPortPoolUsage": 64});
    kept(scene, "OutBoundNAT", &own)
}

fn a_route_comes_back(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "SDNRoute",
        &json!({"DestinationPrefix": "10.96.0.0/12", "NextHop": "192.168.100.1", "NeedEncap": true}),
    )
}

fn proxy() -> Value {
    json!({"IP": "10.0.0.4", "Port": "8080", "Protocol": 6, "Exceptions": ["10.0.0.5"], "Destination": "10.1.0.0/16", "OutboundNAT": true})
}

fn a_proxy_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, "L4Proxy", &proxy())
}

fn wfp_proxy() -> Value {
    json!({"InboundProxyPort": "15006", "OutboundProxyPort": "15001", "UserSID": "S-1-5-32-556",
        "FilterTuple": {"Protocols": "6", "RemoteAddresses": "10.0.0.4", "RemotePorts": "80", "Priority": 8},
        "InboundExceptions": {"PortExceptions": ["22"]},
        "OutboundExceptions": {"IpAddressExceptions": ["10.0.0.5"], "PortExceptions": ["53"]}})
}

fn a_wfp_proxy_keeps_all_of_its_members(scene: &Scene<'_>) -> Finding {
    kept(scene, "L4WFPPROXY", &wfp_proxy())
}

fn a_port_name_may_be_empty(scene: &Scene<'_>) -> Finding {
    kept(scene, "PortName", &json!({"Name": ""}))
}

fn an_overhead_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, "EncapOverhead", &json!({"Overhead": 50}))
}

fn a_provider_address_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"ProviderAddress": "10.0.0.4"});
    let network = scene.overlay()?;
    let endpoint = scene.endpoint(
        network,
        json!({"Policies": [policy("ProviderAddress", own.clone())]}),
    )?;
    has(
        "ProviderAddress",
        &scene.settings(Kind::Endpoint, endpoint, "ProviderAddress")?,
        &own,
    )
}

fn an_interface_constraint_in_capitals_comes_back(scene: &Scene<'_>) -> Finding {
    // hns.v2.psm1 writes it so.
    let own = json!({"InterfaceGuid": Guid::ZERO.to_string()});
    let endpoint = scene.endpoint_with(json!([policy("INTERFACECONSTRAINT", own.clone())]))?;
    has(
        "InterfaceConstraint",
        &scene.settings(Kind::Endpoint, endpoint, "InterfaceConstraint")?,
        &own,
    )
}

fn an_encryption_comes_back(scene: &Scene<'_>) -> Finding {
    let own = json!({"EncryptionMethodType": "Ipsec", "Name": "exam", "AuthenticationMethods": [{"Type": "PresharedKey", "Settings": {"Key": "exam"}}]});
    kept(scene, "Encryption", &own)
}

fn a_vlan_comes_back(scene: &Scene<'_>) -> Finding {
    kept(scene, "VLAN", &json!({"IsolationId": 7}))
}

fn interface_parameters_come_back(scene: &Scene<'_>) -> Finding {
    kept(scene, "InterfaceParameters", &json!({"Mtu": 1400}))
}

fn second_interface_parameters_are_refused(scene: &Scene<'_>) -> Finding {
    let own = policy("InterfaceParameters", json!({"Mtu": 1400}));
    let endpoint = scene.endpoint_with(json!([own]))?;
    let code = HcnCode::HCN_INTERFACEPARAMETERS_ALREADY_APPLIED;
    fails("add", scene.policies(endpoint, "Add", json!([own])), code)
}

fn an_iov_is_set_and_removed(scene: &Scene<'_>) -> Finding {
    // As ncproxy does it.
    let own = policy(
        "Iov",
        json!({"IovOffloadWeight": 100, "QueuePairsRequested": 1, "InterruptModeration": 200}),
    );
    let endpoint = scene.any_endpoint()?;
    works("update", scene.policies(endpoint, "Update", json!([own])))?;
    let stored = scene.policies_of(Kind::Endpoint, endpoint, "Iov")?;
    equal("policies", stored.len(), 1)?;
    works("remove", scene.policies(endpoint, "Remove", json!(stored)))?;
    equal(
        "policies",
        scene.policies_of(Kind::Endpoint, endpoint, "Iov")?.len(),
        0,
    )
}

fn a_firewall_policy_as_wsl_sends_it_is_taken(scene: &Scene<'_>) -> Finding {
    let own = policy(
        "Firewall",
        json!({"VmCreatorId": NOBODY.to_string(), "PolicyFlags": 0}),
    );
    let endpoint = scene.endpoint_with(json!([own]))?;
    scene
        .settings(Kind::Endpoint, endpoint, "Firewall")
        .map(drop)
}

fn a_route_by_the_host_needs_no_next_hop(scene: &Scene<'_>) -> Finding {
    // As AWS sends services to the host.
    kept(
        scene,
        "SDNRoute",
        &json!({"DestinationPrefix": "10.100.0.0/16", "NeedEncap": true}),
    )
}

fn an_exception_may_be_an_address(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "OutBoundNAT",
        &json!({"Exceptions": ["192.168.0.1"]}),
    )
}

fn an_exception_with_host_bits_is_refused(scene: &Scene<'_>) -> Finding {
    // hcsshim#1951, on an overlay network.
    let network = scene.overlay()?;
    let nat = policy("OutBoundNAT", json!({"Exceptions": ["172.17.0.1/16"]}));
    let made = scene.try_endpoint(network, json!({"Policies": [nat]}));
    fails("create", made, HcnCode::HCN_E_INVALID_POLICY)
}

fn a_source_nat_without_address_is_taken(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "OutBoundNAT",
        &json!({"Destinations": ["198.51.100.0/24"]}),
    )
}

fn a_source_nat_of_each_family_is_taken(scene: &Scene<'_>) -> Finding {
    let four = policy("OutBoundNAT", json!({"VirtualIP": "10.0.0.4"}));
    let six = policy("OutBoundNAT", json!({"VirtualIP": "fd00::4", "Flags": 2}));
    let endpoint = scene.endpoint_with(json!([four, six]))?;
    equal(
        "policies",
        scene
            .policies_of(Kind::Endpoint, endpoint, "OutBoundNAT")?
            .len(),
        2,
    )
}

fn a_wfp_proxy_is_removed_as_it_was_read(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([policy("L4WFPPROXY", wfp_proxy())]))?;
    let stored = scene.policies_of(Kind::Endpoint, endpoint, "L4WFPPROXY")?;
    works("remove", scene.policies(endpoint, "Remove", json!(stored)))?;
    equal(
        "policies",
        scene
            .policies_of(Kind::Endpoint, endpoint, "L4WFPPROXY")?
            .len(),
        0,
    )
}

fn a_wfp_proxy_takes_tcp_only(scene: &Scene<'_>) -> Finding {
    let mut own = wfp_proxy();
    own["FilterTuple"]["Protocols"] = json!("17");
    let endpoint = scene.any_endpoint()?;
    let sent = scene.policies(endpoint, "Add", json!([policy("L4WFPPROXY", own)]));
    fails("add", sent, HcnCode::HCN_E_INVALID_POLICY)
}

fn a_second_wfp_proxy_is_refused(scene: &Scene<'_>) -> Finding {
    let own = policy("L4WFPPROXY", wfp_proxy());
    let endpoint = scene.endpoint_with(json!([own]))?;
    let code = HcnCode::HCN_E_POLICY_ALREADY_EXISTS;
    fails("add", scene.policies(endpoint, "Add", json!([own])), code)
}

fn refused(scene: &Scene<'_>, own: Value) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let code = HcnCode::HCN_E_INVALID_POLICY_TYPE;
    fails("add", scene.policies(endpoint, "Add", json!([own])), code)
}

fn a_wfp_proxy_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, policy("L4WFPPROXY", wfp_proxy()))
}

fn a_proxy_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(scene, policy("L4Proxy", proxy()))
}

fn a_tier_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    refused(
        scene,
        policy(
            "TierAcl",
            json!({"Name": "exam", "Direction": "In", "Order": 1001, "TierAclRules": []}),
        ),
    )
}

fn rule(action: &str, priority: u16) -> Value {
    policy(
        "ACL",
        json!({"Action": action, "Direction": "In", "Protocols": "6", "Priority": priority}),
    )
}

fn a_source_nat_can_be_added_to_a_living_endpoint(scene: &Scene<'_>) -> Finding {
    // The plug-ins add the one for a loopback DSR after creation.
    let (_, endpoint) = scene.attached()?;
    let nat = policy("OutBoundNAT", json!({"Destinations": ["192.168.100.9"]}));
    works("add", scene.policies(endpoint, "Add", json!([nat])))?;
    scene
        .settings(Kind::Endpoint, endpoint, "OutBoundNAT")
        .map(drop)
}

fn update_keeps_every_policy_of_the_creation(scene: &Scene<'_>) -> Finding {
    let given = [
        policy("OutBoundNAT", json!({"Exceptions": ["10.0.0.0/8"]})),
        policy(
            "SDNRoute",
            json!({"DestinationPrefix": "10.96.0.0/12", "NeedEncap": true}),
        ),
        policy(
            "PortMapping",
            json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18111}),
        ),
        policy("L2Driver", json!({})),
        policy("PortName", json!({"Name": "exam"})),
        policy("EncapOverhead", json!({"Overhead": 50})),
        policy(
            "InterfaceConstraint",
            json!({"InterfaceGuid": Guid::ZERO.to_string()}),
        ),
    ];
    let endpoint = scene.endpoint_with(json!(given))?;
    works(
        "update",
        scene.policies(endpoint, "Update", json!([rule("Block", 100)])),
    )?;
    for own in given {
        scene.settings(Kind::Endpoint, endpoint, text(&own, "Type"))?;
    }
    Ok(())
}

fn update_replaces_the_policies_of_a_type_that_it_sends(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([policy(
        "OutBoundNAT",
        json!({"Exceptions": ["10.0.0.0/8"]})
    )]))?;
    let other = policy("OutBoundNAT", json!({"Exceptions": ["172.16.0.0/12"]}));
    works("update", scene.policies(endpoint, "Update", json!([other])))?;
    let stored = scene.settings(Kind::Endpoint, endpoint, "OutBoundNAT")?;
    equal(
        "Exceptions",
        &stored["Exceptions"],
        &json!(["172.16.0.0/12"]),
    )
}

fn update_with_an_empty_policy_takes_a_proxy_away(scene: &Scene<'_>) -> Finding {
    // How Remove-HnsProxyPolicy does it.
    let endpoint = scene.any_endpoint()?;
    works(
        "add",
        scene.policies(endpoint, "Add", json!([policy("L4Proxy", proxy())])),
    )?;
    works("update", scene.policies(endpoint, "Update", json!([{}])))?;
    equal(
        "policies",
        scene
            .policies_of(Kind::Endpoint, endpoint, "L4Proxy")?
            .len(),
        0,
    )
}

fn update_with_an_empty_list_takes_rules_away(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([rule("Block", 100)]))?;
    works("update", scene.policies(endpoint, "Update", json!([])))?;
    equal("rules", scene.rules(endpoint)?.len(), 0)
}

fn update_without_a_list_takes_rules_away(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([rule("Block", 100)]))?;
    let sent = scene.modify(Kind::Endpoint, endpoint, "Policy", "Update", json!({}));
    works("update", sent)?;
    equal("rules", scene.rules(endpoint)?.len(), 0)
}

fn thirty_rules_are_added_at_once(scene: &Scene<'_>) -> Finding {
    // The batch of NPM.
    let endpoint = scene.any_endpoint()?;
    let rules: Vec<Value> = (0..30).map(|number| rule("Block", 3000 + number)).collect();
    works("add", scene.policies(endpoint, "Add", json!(rules)))?;
    equal("rules", scene.rules(endpoint)?.len(), 30)
}

fn priorities(scene: &Scene<'_>, endpoint: Guid) -> Finding<Vec<Value>> {
    let rules = scene.rules(endpoint)?;
    Ok(rules
        .iter()
        .map(|rule| rule["Settings"]["Priority"].clone())
        .collect())
}

fn rules_are_in_the_order_in_which_they_were_sent(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    for priority in [300, 100, 200] {
        works(
            "add",
            scene.policies(endpoint, "Add", json!([rule("Block", priority)])),
        )?;
    }
    equal(
        "priorities",
        priorities(scene, endpoint)?,
        vec![json!(300), json!(100), json!(200)],
    )
}

fn rules_can_be_given_at_creation(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([rule("Block", 100), rule("Allow", 200)]))?;
    equal(
        "priorities",
        priorities(scene, endpoint)?,
        vec![json!(100), json!(200)],
    )
}

fn rules_can_be_changed_while_the_endpoint_is_attached(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = scene.attached()?;
    works(
        "add",
        scene.policies(endpoint, "Add", json!([rule("Block", 100)])),
    )?;
    works(
        "update",
        scene.policies(endpoint, "Update", json!([rule("Allow", 100)])),
    )?;
    equal(
        "Action",
        &scene.rules(endpoint)?[0]["Settings"]["Action"],
        &json!("Allow"),
    )
}

fn remove_of_what_is_not_there_changes_nothing(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint_with(json!([rule("Block", 100)]))?;
    // Whether it is an error is another case.
    let _ = scene.policies(endpoint, "Remove", json!([rule("Block", 101)]));
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn remove_of_what_is_not_there_is_no_error(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    works(
        "remove",
        scene.policies(endpoint, "Remove", json!([rule("Block", 101)])),
    )
}

fn policies_of_several_types_are_listed_in_the_order_sent(scene: &Scene<'_>) -> Finding {
    let given = json!([
        policy("OutBoundNAT", json!({"Exceptions": ["10.0.0.0/8"]})),
        rule("Block", 100),
        policy(
            "SDNRoute",
            json!({"DestinationPrefix": "10.96.0.0/12", "NeedEncap": true})
        ),
    ]);
    let endpoint = scene.endpoint_with(given)?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let words: Vec<&Value> = document["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|own| &own["Type"])
        .collect();
    equal(
        "types",
        words,
        vec![&json!("OutBoundNAT"), &json!("ACL"), &json!("SDNRoute")],
    )
}
