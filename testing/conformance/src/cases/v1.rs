// SPDX-License-Identifier: MIT OR Apache-2.0
//! What version 1 documents say, and how they and version 2 documents become each other: sections 2.8, 2.14 and 2.15.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.8" a_network_is_created;
    S "2.8" a_subnet_and_its_range_have_state_0;
    S "2.8" a_namespace_has_state_1;
    S "2.8" the_tree_of_allocations_has_state_1;
    G "2.8" a_detached_endpoint_has_state_4 settles(72);
    S "2.14" a_network_counts_its_endpoints;
    S "2.14" a_network_lists_three_extensions;
    S "2.14" the_filter_extension_of_vfp_is_off_on_nat;
    S "2.14" the_filter_extension_of_vfp_is_on_on_an_l2_bridge;
    S "2.14" extensions_have_their_new_ids since(13, 0);
    S "2.14" extensions_have_their_old_ids until(13, 0);
    S "2.14" a_nat_network_has_a_nat_name;
    S "2.14" a_network_names_its_switch_its_layer_and_its_activity;
    S "2.14" a_network_tells_its_pool_of_mac_addresses;
    S "2.14" a_network_says_nat_in_small_letters;
    S "2.3" a_subnet_and_its_range_tell_what_they_are;
    S "2.14" an_endpoint_tells_the_name_of_its_network;
    S "2.14" a_new_endpoint_has_allocation_order_3;
    G "2.14" the_allocation_order_counts_rules_that_were_applied settles(73);
    S "2.14" endpoints_of_one_network_share_a_parent;
    S "2.14" an_endpoint_names_the_range_of_its_address;
    S "2.14" internal_dns_is_kept;
    I "2.14" internal_dns_puts_the_gateway_first;
    S "2.14" an_endpoint_without_containers_lists_none;
    S "2.14" the_overhead_of_an_endpoint_is_a_member;
    S "2.14" the_name_of_a_port_is_a_member;
    S "2.14" a_mac_address_without_dashes_of_its_own_is_echoed;
    S "2.15" remote_endpoints_say_so;
    S "2.15" a_remote_endpoint_has_the_policy_of_the_l2_driver;
    S "2.15" endpoints_that_may_not_meet_say_so;
    S "2.15" a_low_metric_is_said;
    S "2.15" name_resolution_is_comma_joined;
    S "2.15" comma_joined_name_resolution_is_a_list;
    S "2.15" addresses_of_both_families_have_members_of_their_own needs(Feature::Ipv6DualStack);
    S "2.15" an_address_of_version_1_is_an_ip_configuration;
    S "2.15" the_namespace_of_an_endpoint_is_told;
    S "2.15" a_port_mapping_is_a_nat_policy_by_the_name_of_its_protocol;
    S "2.15" a_provider_address_is_a_pa_policy;
    S "2.15" a_source_nat_has_its_short_names;
    S "2.15" a_source_nat_of_version_1_has_its_long_names;
    S "2.15" a_route_is_a_route_policy;
    S "2.15" a_proxy_is_a_proxy_policy needs(Feature::L4Proxy);
    S "2.15" a_cap_on_bandwidth_is_flat;
    S "2.15" a_reserved_external_port_is_said;
    S "2.15" the_provider_address_of_a_network_is_its_management_address;
    S "2.15" the_router_mac_address_of_a_network_is_a_member;
    S "2.15" a_vsid_of_a_subnet_is_flat;
    S "2.15" a_pool_of_version_1_is_a_pool_of_version_2;
    S "2.15" the_gateway_of_a_subnet_is_a_member;
    S "2.15" a_namespace_tells_its_compartment;
    S "2.15" a_default_namespace_says_so;
};

fn net(scene: &Scene<'_>) -> Finding<Value> {
    let network = scene.network(json!({}))?;
    scene.one(Kind::Network, network)
}

fn end(scene: &Scene<'_>) -> Finding<Value> {
    let endpoint = scene.any_endpoint()?;
    scene.one(Kind::Endpoint, endpoint)
}

fn a_network_is_created(scene: &Scene<'_>) -> Finding {
    equal("State", &net(scene)?["State"], &json!(1))
}

fn a_subnet_and_its_range_have_state_0(scene: &Scene<'_>) -> Finding {
    let subnet = net(scene)?["Subnets"][0].clone();
    equal("State", &subnet["State"], &json!(0))?;
    equal(
        "State of IpSubnets",
        &subnet["IpSubnets"][0]["State"],
        &json!(0),
    )
}

fn a_namespace_has_state_1(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    equal(
        "State",
        &scene.one(Kind::Namespace, namespace)?["State"],
        &json!(1),
    )
}

fn the_tree_of_allocations_has_state_1(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    for (kind, id) in [(Kind::Network, network), (Kind::Endpoint, endpoint)] {
        let tree = scene.one(kind, id)?["Resources"].clone();
        equal(kind.words(), &tree["State"], &json!(1))?;
    }
    Ok(())
}

fn a_detached_endpoint_has_state_4(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("remove", scene.attach(namespace, "Remove", endpoint))?;
    equal(
        "State",
        &scene.one(Kind::Endpoint, endpoint)?["State"],
        &json!(4),
    )
}

fn a_network_counts_its_endpoints(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let counts = || -> Finding<Vec<Value>> {
        let one = scene.one(Kind::Network, network)?;
        Ok([
            "CurrentEndpointCount",
            "MaxConcurrentEndpoints",
            "TotalEndpoints",
        ]
        .map(|key| one[key].clone())
        .to_vec())
    };
    let wanted = |numbers: [u64; 3]| numbers.map(|number| json!(number)).to_vec();
    equal("counts", counts()?, wanted([0, 0, 0]))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    scene.endpoint(network, json!({}))?;
    equal("counts", counts()?, wanted([2, 2, 2]))?;
    works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    equal("counts", counts()?, wanted([1, 2, 2]))
}

/// Id and switch of the extension whose name holds a word.
fn extension(one: &Value, word: &str) -> Finding<(String, bool)> {
    let found = one["Extensions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|own| text(own, "Name").contains(word));
    let found = found.ok_or_else(|| format!("no extension is called {word}"))?;
    Ok((
        text(found, "Id").to_uppercase(),
        found["IsEnabled"].as_bool().unwrap_or_default(),
    ))
}

fn a_network_lists_three_extensions(scene: &Scene<'_>) -> Finding {
    let one = net(scene)?;
    equal("Extensions", count(&one["Extensions"]), 3)?;
    let (_, filtering) = extension(&one, "Filtering Platform")?;
    let (_, capture) = extension(&one, "NDIS Capture")?;
    equal("Filtering Platform is on", filtering, false)?;
    equal("NDIS Capture is on", capture, true)
}

fn the_filter_extension_of_vfp_is_off_on_nat(scene: &Scene<'_>) -> Finding {
    equal("VFP is on", extension(&net(scene)?, "VFP")?.1, false)
}

fn the_filter_extension_of_vfp_is_on_on_an_l2_bridge(scene: &Scene<'_>) -> Finding {
    let one = scene.one(Kind::Network, scene.bridge()?)?;
    equal("VFP is on", extension(&one, "VFP")?.1, true)
}

fn ids(scene: &Scene<'_>, vfp: &str, capture: &str) -> Finding {
    let one = net(scene)?;
    equal(
        "Filtering Platform",
        extension(&one, "Filtering Platform")?.0.as_str(),
        "E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A",
    )?;
    equal("VFP", extension(&one, "VFP")?.0.as_str(), vfp)?;
    equal(
        "NDIS Capture",
        extension(&one, "NDIS Capture")?.0.as_str(),
        capture,
    )
}

fn extensions_have_their_new_ids(scene: &Scene<'_>) -> Finding {
    ids(
        scene,
        "F74F241B-440F-4433-BB28-00F89EAD20D8",
        "430BDADD-BAB0-41AB-A369-94B67FA5BE0A",
    )
}

fn extensions_have_their_old_ids(scene: &Scene<'_>) -> Finding {
    ids(
        scene,
        "E9B59CFA-2BE1-4B21-828F-B6FBDBDDC017",
        "EA24CD6C-D17A-4348-9190-09F0D5BE83DD",
    )
}

fn a_nat_network_has_a_nat_name(scene: &Scene<'_>) -> Finding {
    let one = net(scene)?;
    let id = text(&one, "NatName")
        .strip_prefix("NAT")
        .map(|rest| rest.trim_matches(['{', '}']).parse::<Guid>());
    holds("NatName is NAT and an id", matches!(id, Some(Ok(_))))
}

fn a_network_names_its_switch_its_layer_and_its_activity(scene: &Scene<'_>) -> Finding {
    let one = net(scene)?;
    for key in ["SwitchGuid", "LayeredOn", "ActivityId"] {
        let id = text(&one, key).parse::<Guid>();
        holds(
            &format!("{key} is an id"),
            id.is_ok_and(|id| id != Guid::ZERO),
        )?;
    }
    Ok(())
}

fn a_network_tells_its_pool_of_mac_addresses(scene: &Scene<'_>) -> Finding {
    let one = net(scene)?;
    equal("MacPools", count(&one["MacPools"]), 1)?;
    holds(
        "its start is of Microsoft",
        text(&one["MacPools"][0], "StartMacAddress").starts_with("00-15-5D-"),
    )
}

fn a_network_says_nat_in_small_letters(scene: &Scene<'_>) -> Finding {
    equal("Type", text(&net(scene)?, "Type"), "nat")
}

fn a_subnet_and_its_range_tell_what_they_are(scene: &Scene<'_>) -> Finding {
    let subnet = net(scene)?["Subnets"][0].clone();
    equal("ObjectType", &subnet["ObjectType"], &json!(5))?;
    equal(
        "ObjectType of IpSubnets",
        &subnet["IpSubnets"][0]["ObjectType"],
        &json!(6),
    )
}

fn an_endpoint_tells_the_name_of_its_network(scene: &Scene<'_>) -> Finding {
    equal(
        "VirtualNetworkName",
        text(&end(scene)?, "VirtualNetworkName"),
        &format!("{PREFIX}net"),
    )
}

fn a_new_endpoint_has_allocation_order_3(scene: &Scene<'_>) -> Finding {
    // As the listing of the walk-through has it.
    equal(
        "AllocationOrder",
        &end(scene)?["Resources"]["AllocationOrder"],
        &json!(3),
    )
}

fn the_allocation_order_counts_rules_that_were_applied(scene: &Scene<'_>) -> Finding {
    // The walk-through's listings: 3, then 6 after two Adds, then 7 after an Update.
    let endpoint = scene.any_endpoint()?;
    let rules = json!([
        policy(
            "ACL",
            json!({"Action": "Block", "Direction": "In", "Priority": 100})
        ),
        policy(
            "ACL",
            json!({"Action": "Block", "Direction": "Out", "Priority": 100})
        )
    ]);
    for (verb, wanted) in [("Add", 5), ("Add", 6), ("Update", 7)] {
        works(verb, scene.policies(endpoint, verb, rules.clone()))?;
        let order = scene.one(Kind::Endpoint, endpoint)?["Resources"]["AllocationOrder"].clone();
        equal(verb, order, json!(wanted))?;
    }
    Ok(())
}

fn endpoints_of_one_network_share_a_parent(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let parent = || -> Finding<Value> {
        let endpoint = scene.endpoint(network, json!({}))?;
        Ok(scene.one(Kind::Endpoint, endpoint)?["Resources"]["parentId"].clone())
    };
    let (one, other) = (parent()?, parent()?);
    holds("it is a text", one.is_string())?;
    equal("parentId", one, other)
}

fn an_endpoint_names_the_range_of_its_address(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let range = scene.one(Kind::Network, network)?["Subnets"][0]["IpSubnets"][0].clone();
    let own = text(&scene.one(Kind::Endpoint, endpoint)?, "IPSubnetId").to_ascii_lowercase();
    equal("IPSubnetId", own, id_of(&range)?.to_string())
}

/// An endpoint by version 1 with these members.
fn posted(scene: &Scene<'_>, members: Value) -> Finding<Value> {
    let network = scene.post_network(json!({}))?;
    scene.post_endpoint(&network, members)
}

fn internal_dns_is_kept(scene: &Scene<'_>) -> Finding {
    let one = posted(scene, json!({"EnableInternalDNS": true}))?;
    equal("EnableInternalDNS", &one["EnableInternalDNS"], &json!(true))
}

fn internal_dns_puts_the_gateway_first(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({"DNSServerList": "192.0.2.53"}))?;
    let one = scene.post_endpoint(&network, json!({"EnableInternalDNS": true}))?;
    let servers = text(&one, "DNSServerList");
    equal(
        "first",
        servers.split(',').next().unwrap_or_default(),
        GATEWAY,
    )?;
    holds(
        "the network's server comes after it",
        servers.ends_with(",192.0.2.53"),
    )
}

fn an_endpoint_without_containers_lists_none(scene: &Scene<'_>) -> Finding {
    equal(
        "SharedContainers",
        count(&end(scene)?["SharedContainers"]),
        0,
    )
}

fn endpoint_with(scene: &Scene<'_>, word: &str, settings: Value) -> Finding<Value> {
    let endpoint = scene.endpoint_with(json!([policy(word, settings)]))?;
    scene.one(Kind::Endpoint, endpoint)
}

fn the_overhead_of_an_endpoint_is_a_member(scene: &Scene<'_>) -> Finding {
    let one = endpoint_with(scene, "EncapOverhead", json!({"Overhead": 50}))?;
    equal("EncapOverhead", &one["EncapOverhead"], &json!(50))
}

fn the_name_of_a_port_is_a_member(scene: &Scene<'_>) -> Finding {
    let one = endpoint_with(scene, "PortName", json!({"Name": "exam"}))?;
    equal("PortFriendlyName", text(&one, "PortFriendlyName"), "exam")
}

fn a_mac_address_without_dashes_of_its_own_is_echoed(scene: &Scene<'_>) -> Finding {
    // SDN#227 has one with colons.
    let one = posted(scene, json!({"MacAddress": "00:11:22:33:44:55"}))?;
    equal("MacAddress", text(&one, "MacAddress"), "00:11:22:33:44:55")
}

fn remote(scene: &Scene<'_>) -> Finding<Value> {
    let network = scene.overlay()?;
    let endpoint = scene.endpoint(network, json!({"Flags": 1, "IpConfigurations": [{"IpAddress": "10.244.2.3"}], "MacAddress": "02-11-0a-f4-02-03",
        "Policies": [policy("ProviderAddress", json!({"ProviderAddress": "10.0.0.5"}))]}))?;
    scene.one(Kind::Endpoint, endpoint)
}

fn remote_endpoints_say_so(scene: &Scene<'_>) -> Finding {
    equal(
        "IsRemoteEndpoint",
        &remote(scene)?["IsRemoteEndpoint"],
        &json!(true),
    )
}

/// The one policy of a type in a version 1 document.
fn one_policy(one: &Value, word: &str) -> Finding<Value> {
    let found = one["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|own| own["Type"] == word);
    found
        .cloned()
        .ok_or_else(|| format!("there is no policy of type {word} in {}", one["Policies"]).into())
}

fn a_remote_endpoint_has_the_policy_of_the_l2_driver(scene: &Scene<'_>) -> Finding {
    one_policy(&remote(scene)?, "L2Driver").map(drop)
}

fn flagged(scene: &Scene<'_>, flags: u32) -> Finding<Value> {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({"Flags": flags}))?;
    scene.one(Kind::Endpoint, endpoint)
}

fn endpoints_that_may_not_meet_say_so(scene: &Scene<'_>) -> Finding {
    equal(
        "DisableICC",
        &flagged(scene, 2)?["DisableICC"],
        &json!(true),
    )
}

fn a_low_metric_is_said(scene: &Scene<'_>) -> Finding {
    let one = flagged(scene, 8)?;
    let said = one["EnableLowMetric"] == true || one["EnableLowInterfaceMetric"] == true;
    holds("EnableLowMetric or EnableLowInterfaceMetric", said)
}

fn name_resolution_is_comma_joined(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let dns = json!({"Domain": "exam.example", "Search": ["a.example", "b.example"], "ServerList": ["192.0.2.1", "192.0.2.2"]});
    let endpoint = scene.endpoint(network, json!({"Dns": dns}))?;
    let wanted = json!({"DNSDomain": "exam.example", "DNSSuffix": "a.example,b.example", "DNSServerList": "192.0.2.1,192.0.2.2"});
    has("endpoint", &scene.one(Kind::Endpoint, endpoint)?, &wanted)
}

fn comma_joined_name_resolution_is_a_list(scene: &Scene<'_>) -> Finding {
    let one = posted(
        scene,
        json!({"DNSSuffix": "a.example,b.example", "DNSServerList": "192.0.2.1,192.0.2.2"}),
    )?;
    let two = scene.document(Kind::Endpoint, id_of(&one)?)?;
    has(
        "Dns",
        &two["Dns"],
        &json!({"Search": ["a.example", "b.example"], "ServerList": ["192.0.2.1", "192.0.2.2"]}),
    )
}

fn addresses_of_both_families_have_members_of_their_own(scene: &Scene<'_>) -> Finding {
    let subnets = json!([
        {"IpAddressPrefix": SUBNET, "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}]},
        {"IpAddressPrefix": "fd00:100::/64", "Routes": [{"NextHop": "fd00:100::1", "DestinationPrefix": "::/0"}]},
    ]);
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": subnets}]}))?;
    let own =
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.9"}, {"IpAddress": "fd00:100::9"}]});
    let endpoint = scene.endpoint(network, own)?;
    let wanted = json!({"IPAddress": "192.168.100.9", "PrefixLength": 24, "GatewayAddress": GATEWAY,
        "IPv6Address": "fd00:100::9", "IPv6PrefixLength": 64, "GatewayAddressV6": "fd00:100::1"});
    has("endpoint", &scene.one(Kind::Endpoint, endpoint)?, &wanted)
}

fn an_address_of_version_1_is_an_ip_configuration(scene: &Scene<'_>) -> Finding {
    let one = posted(scene, json!({"IPAddress": "192.168.100.9"}))?;
    let two = scene.document(Kind::Endpoint, id_of(&one)?)?;
    has(
        "IpConfigurations",
        &two["IpConfigurations"][0],
        &json!({"IpAddress": "192.168.100.9", "PrefixLength": 24}),
    )
}

fn the_namespace_of_an_endpoint_is_told(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let one = scene.one(Kind::Endpoint, endpoint)?;
    equal("Namespace", id_of(&one["Namespace"])?, namespace)
}

fn a_port_mapping_is_a_nat_policy_by_the_name_of_its_protocol(scene: &Scene<'_>) -> Finding {
    let one = endpoint_with(
        scene,
        "PortMapping",
        json!({"Protocol": 17, "InternalPort": 53, "ExternalPort": 18150}),
    )?;
    has(
        "policy",
        &one_policy(&one, "NAT")?,
        &json!({"Protocol": "UDP", "InternalPort": 53, "ExternalPort": 18150}),
    )
}

fn a_provider_address_is_a_pa_policy(scene: &Scene<'_>) -> Finding {
    has(
        "policy",
        &one_policy(&remote(scene)?, "PA")?,
        &json!({"PA": "10.0.0.5"}),
    )
}

fn a_source_nat_has_its_short_names(scene: &Scene<'_>) -> Finding {
    let one = endpoint_with(
        scene,
        "OutBoundNAT",
        json!({"VirtualIP": "10.0.0.4", "Exceptions": ["10.0.0.0/8"]}),
    )?;
    has(
        "policy",
        &one_policy(&one, "OutBoundNAT")?,
        &json!({"VIP": "10.0.0.4", "ExceptionList": ["10.0.0.0/8"]}),
    )
}

fn a_source_nat_of_version_1_has_its_long_names(scene: &Scene<'_>) -> Finding {
    let one = posted(
        scene,
        json!({"Policies": [{"Type": "OutBoundNAT", "VIP": "10.0.0.4", "ExceptionList": ["10.0.0.0/8"]}]}),
    )?;
    let own = scene.settings(Kind::Endpoint, id_of(&one)?, "OutBoundNAT")?;
    has(
        "OutBoundNAT",
        &own,
        &json!({"VirtualIP": "10.0.0.4", "Exceptions": ["10.0.0.0/8"]}),
    )
}

fn a_route_is_a_route_policy(scene: &Scene<'_>) -> Finding {
    let own =
        json!({"DestinationPrefix": "10.96.0.0/12", "NextHop": "192.168.100.1", "NeedEncap": true});
    has(
        "policy",
        &one_policy(&endpoint_with(scene, "SDNRoute", own.clone())?, "ROUTE")?,
        &own,
    )
}

fn a_proxy_is_a_proxy_policy(scene: &Scene<'_>) -> Finding {
    let one = endpoint_with(scene, "L4Proxy", json!({"IP": "10.0.0.4", "Port": "8080"}))?;
    has(
        "policy",
        &one_policy(&one, "PROXY")?,
        &json!({"IP": "10.0.0.4", "Port": "8080"}),
    )
}

fn a_cap_on_bandwidth_is_flat(scene: &Scene<'_>) -> Finding {
    let own = json!({"MaximumOutgoingBandwidthInBytes": 1_000_000});
    has(
        "policy",
        &one_policy(&endpoint_with(scene, "QOS", own.clone())?, "QOS")?,
        &own,
    )
}

fn a_reserved_external_port_is_said(scene: &Scene<'_>) -> Finding {
    // As docker sends it.
    let nat = json!({"Type": "NAT", "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 18151, "ExternalPortReserved": true});
    let one = posted(scene, json!({"Policies": [nat]}))?;
    has("policy", &one_policy(&one, "NAT")?, &nat)
}

fn the_provider_address_of_a_network_is_its_management_address(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let own = scene.settings(Kind::Network, network, "ProviderAddress")?;
    equal(
        "ManagementIP",
        &scene.one(Kind::Network, network)?["ManagementIP"],
        &own["ProviderAddress"],
    )
}

fn the_router_mac_address_of_a_network_is_a_member(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let own = scene.settings(Kind::Network, network, "DrMacAddress")?;
    equal(
        "DrMacAddress",
        &scene.one(Kind::Network, network)?["DrMacAddress"],
        &own["Address"],
    )
}

fn a_vsid_of_a_subnet_is_flat(scene: &Scene<'_>) -> Finding {
    let one = scene.one(Kind::Network, scene.overlay()?)?;
    has(
        "policy",
        &one["Subnets"][0]["Policies"][0],
        &json!({"Type": "VSID", "VSID": 5000}),
    )
}

fn a_pool_of_version_1_is_a_pool_of_version_2(scene: &Scene<'_>) -> Finding {
    let range =
        json!({"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"});
    let one = scene.post_network(json!({"MacPools": [range]}))?;
    let two = scene.document(Kind::Network, id_of(&one)?)?;
    has("range", &two["MacPool"]["Ranges"][0], &range)
}

fn the_gateway_of_a_subnet_is_a_member(scene: &Scene<'_>) -> Finding {
    let wanted = json!({"AddressPrefix": SUBNET, "GatewayAddress": GATEWAY});
    has("subnet", &net(scene)?["Subnets"][0], &wanted)
}

fn a_namespace_tells_its_compartment(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    let (one, two) = (
        scene.one(Kind::Namespace, namespace)?,
        scene.document(Kind::Namespace, namespace)?,
    );
    equal("CompartmentId", &one["CompartmentId"], &two["NamespaceId"])?;
    equal(
        "CompartmentGuid",
        &one["CompartmentGuid"],
        &two["NamespaceGuid"],
    )
}

fn a_default_namespace_says_so(scene: &Scene<'_>) -> Finding {
    for (word, wanted) in [("HostDefault", true), ("Host", false)] {
        let namespace = scene.namespace(json!({"Type": word}))?;
        let one = scene.one(Kind::Namespace, namespace)?;
        equal(word, &one["IsDefault"], &json!(wanted))?;
    }
    Ok(())
}
