// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modify requests, resource by resource and verb by verb: section 2.11.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.11" a_port_of_a_virtual_machine_is_added_to_an_endpoint_and_removed;
    S "2.11" the_port_of_an_endpoint_can_be_refreshed;
    G "2.11" reset_brings_back_the_policies_of_the_creation settles(40);
    I "2.11" name_resolution_is_replaced_as_a_whole;
    S "2.11" an_extension_of_a_switch_can_be_switched;
    S "2.11" a_subnet_is_added_and_removed_by_its_id;
    I "2.11" a_subnet_that_is_not_there_cannot_be_removed;
    I "2.11" a_subnet_that_overlaps_cannot_be_added;
    S "2.11" a_range_is_added_to_a_subnet_and_removed;
    I "2.11" a_range_of_an_unknown_subnet_is_refused;
    S "2.11" a_container_is_put_into_a_namespace_and_taken_out;
    S "2.11" an_endpoint_is_put_into_a_namespace_and_taken_out;
    I "2.11" a_request_without_verb_is_unsupported;
    I "2.11" a_request_of_an_unknown_verb_is_unsupported;
    I "2.11" policies_of_an_endpoint_cannot_be_refreshed;
    I "2.11" policies_of_a_network_cannot_be_reset;
    I "2.11" name_resolution_cannot_be_added;
    I "2.11" endpoints_of_a_namespace_cannot_be_updated;
    S "2.11" a_resource_uri_does_not_matter;
    I "2.11" an_endpoint_of_nowhere_cannot_be_put_into_a_namespace;
    S "2.11" a_modify_that_fails_changes_nothing_of_a_network;
};

fn a_port_of_a_virtual_machine_is_added_to_an_endpoint_and_removed(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let machine = marked();
    let port = json!({"PortId": marked().to_string(), "VirtualNicName": format!("{machine}--{endpoint}"), "VirtualMachineId": machine.to_string()});
    works(
        "add",
        scene.modify(Kind::Endpoint, endpoint, "Port", "Add", port),
    )?;
    let removed = scene.modify(Kind::Endpoint, endpoint, "Port", "Remove", json!({}));
    works("remove", removed)
}

fn the_port_of_an_endpoint_can_be_refreshed(scene: &Scene<'_>) -> Finding {
    // WSL sends no Settings.
    let (_, endpoint) = scene.attached()?;
    let request = json!({"ResourceType": "Port", "RequestType": "Refresh"});
    works("refresh", scene.request(Kind::Endpoint, endpoint, &request))
}

fn block() -> Value {
    policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "Priority": 100}),
    )
}

fn reset_brings_back_the_policies_of_the_creation(scene: &Scene<'_>) -> Finding {
    let nat = policy("OutBoundNAT", json!({"Exceptions": ["10.0.0.0/8"]}));
    let endpoint = scene.endpoint_with(json!([nat]))?;
    works("add", scene.policies(endpoint, "Add", json!([block()])))?;
    works("reset", scene.policies(endpoint, "Reset", json!([])))?;
    equal("rules", scene.rules(endpoint)?.len(), 0)?;
    scene
        .settings(Kind::Endpoint, endpoint, "OutBoundNAT")
        .map(drop)
}

fn name_resolution_is_replaced_as_a_whole(scene: &Scene<'_>) -> Finding {
    let network =
        scene.network(json!({"Dns": {"Domain": "a.example", "ServerList": ["192.0.2.1"]}}))?;
    let update = scene.modify(
        Kind::Network,
        network,
        "DNS",
        "Update",
        json!({"Domain": "b.example"}),
    );
    works("update", update)?;
    let dns = scene.document(Kind::Network, network)?["Dns"].clone();
    equal("Domain", text(&dns, "Domain"), "b.example")?;
    equal("ServerList", count(&dns["ServerList"]), 0)
}

fn an_extension_of_a_switch_can_be_switched(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let listed = || -> Finding<Value> {
        let one = scene.one(Kind::Network, network)?;
        let all = one["Extensions"].as_array().cloned().unwrap_or_default();
        let capture = all
            .into_iter()
            .find(|own| text(own, "Name").contains("NDIS Capture"));
        capture.ok_or_else(|| {
            "the network lists no extension for capturing"
                .to_owned()
                .into()
        })
    };
    let before = listed()?;
    equal("before", &before["IsEnabled"], &json!(true))?;
    let off = json!({"Id": before["Id"], "IsEnabled": false});
    works(
        "update",
        scene.modify(Kind::Network, network, "Extension", "Update", off),
    )?;
    equal("after", &listed()?["IsEnabled"], &json!(false))
}

fn more(prefix: &str) -> Value {
    json!({"Subnets": [{"IpAddressPrefix": prefix, "Routes": [{"NextHop": "192.168.101.1", "DestinationPrefix": "0.0.0.0/0"}]}]})
}

fn subnets(scene: &Scene<'_>, network: Guid) -> Finding<Value> {
    Ok(scene.document(Kind::Network, network)?["Ipams"][0]["Subnets"].clone())
}

fn a_subnet_is_added_and_removed_by_its_id(scene: &Scene<'_>) -> Finding {
    let network = scene.bridge()?;
    let added = scene.modify(
        Kind::Network,
        network,
        "Subnet",
        "Add",
        more("192.168.101.0/24"),
    );
    works("add", added)?;
    let listed = subnets(scene, network)?;
    equal("subnets", count(&listed), 2)?;
    let own = json!({"ID": listed[1]["ID"]});
    works(
        "remove",
        scene.modify(Kind::Network, network, "Subnet", "Remove", own),
    )?;
    equal("subnets", count(&subnets(scene, network)?), 1)
}

fn a_subnet_that_is_not_there_cannot_be_removed(scene: &Scene<'_>) -> Finding {
    let network = scene.bridge()?;
    let own = json!({"ID": NOBODY.to_string()});
    let removed = scene.modify(Kind::Network, network, "Subnet", "Remove", own);
    fails("remove", removed, HcnCode::HCN_E_SUBNET_NOT_FOUND)
}

fn a_subnet_that_overlaps_cannot_be_added(scene: &Scene<'_>) -> Finding {
    let network = scene.bridge()?;
    let added = scene.modify(
        Kind::Network,
        network,
        "Subnet",
        "Add",
        more("192.168.100.0/25"),
    );
    fails("add", added, HcnCode::HCN_E_INVALID_SUBNET)
}

fn a_range_is_added_to_a_subnet_and_removed(scene: &Scene<'_>) -> Finding {
    let subnet = json!({"IpAddressPrefix": SUBNET, "IpSubnets": [{"IpAddressPrefix": "192.168.100.128/26"}]});
    let network = scene.network(json!({"Type": "L2Bridge", "Ipams": [{"Subnets": [subnet]}]}))?;
    let own = subnets(scene, network)?[0]["ID"].clone();
    let added = json!({"SubnetId": own, "IpSubnets": [{"IpAddressPrefix": "192.168.100.192/26"}]});
    works(
        "add",
        scene.modify(Kind::Network, network, "IPSubnet", "Add", added),
    )?;
    let ranges = subnets(scene, network)?[0]["IpSubnets"].clone();
    equal("ranges", count(&ranges), 2)?;
    let removed = json!({"SubnetId": own, "IpSubnets": [{"ID": ranges[1]["ID"]}]});
    works(
        "remove",
        scene.modify(Kind::Network, network, "IPSubnet", "Remove", removed),
    )?;
    equal(
        "ranges",
        count(&subnets(scene, network)?[0]["IpSubnets"]),
        1,
    )
}

fn a_range_of_an_unknown_subnet_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.bridge()?;
    let added = json!({"SubnetId": NOBODY.to_string(), "IpSubnets": [{"IpAddressPrefix": "192.168.100.192/26"}]});
    let answer = scene.modify(Kind::Network, network, "IPSubnet", "Add", added);
    fails("add", answer, HcnCode::HCN_E_SUBNET_NOT_FOUND)
}

fn a_container_is_put_into_a_namespace_and_taken_out(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    for (verb, then) in [("Add", 1), ("Remove", 0)] {
        works(verb, scene.join(namespace, verb, "c"))?;
        let document = scene.document(Kind::Namespace, namespace)?;
        equal("resources", count(&document["Resources"]), then)?;
    }
    Ok(())
}

fn an_endpoint_is_put_into_a_namespace_and_taken_out(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let document = scene.document(Kind::Namespace, namespace)?;
    equal("Type", text(&document["Resources"][0], "Type"), "Endpoint")?;
    works("remove", scene.attach(namespace, "Remove", endpoint))?;
    let own = scene.document(Kind::Endpoint, endpoint)?["HostComputeNamespace"].clone();
    let is_none = own.is_null() || own == json!(Guid::ZERO.to_string());
    holds("HostComputeNamespace is absent or zero", is_none)
}

fn unsupported(scene: &Scene<'_>, kind: Kind, id: Guid, request: Value) -> Finding {
    let code = HcnCode::HCN_E_REQUEST_UNSUPPORTED;
    fails("modify", scene.request(kind, id, &request), code)
}

fn a_request_without_verb_is_unsupported(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let request = json!({"ResourceType": "Policy", "Settings": {"Policies": []}});
    unsupported(scene, Kind::Endpoint, endpoint, request)
}

fn a_request_of_an_unknown_verb_is_unsupported(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let request =
        json!({"ResourceType": "Policy", "RequestType": "Replace", "Settings": {"Policies": []}});
    unsupported(scene, Kind::Endpoint, endpoint, request)
}

fn policies_of_an_endpoint_cannot_be_refreshed(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let request = json!({"ResourceType": "Policy", "RequestType": "Refresh"});
    unsupported(scene, Kind::Endpoint, endpoint, request)
}

fn policies_of_a_network_cannot_be_reset(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let request = json!({"ResourceType": "Policy", "RequestType": "Reset", "Settings": {}});
    unsupported(scene, Kind::Network, network, request)
}

fn name_resolution_cannot_be_added(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let request =
        json!({"ResourceType": "DNS", "RequestType": "Add", "Settings": {"Domain": "a.example"}});
    unsupported(scene, Kind::Network, network, request)
}

fn endpoints_of_a_namespace_cannot_be_updated(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let request = json!({"ResourceType": "Endpoint", "RequestType": "Update", "Settings": {"EndpointId": endpoint.to_string()}});
    unsupported(scene, Kind::Namespace, namespace, request)
}

fn a_resource_uri_does_not_matter(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let request = json!({"ResourceUri": "", "ResourceType": "Policy", "RequestType": "Add", "Settings": {"Policies": [block()]}});
    works("modify", scene.request(Kind::Endpoint, endpoint, &request))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_endpoint_of_nowhere_cannot_be_put_into_a_namespace(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    let code = HcnCode::HCN_E_ENDPOINT_NOT_FOUND;
    fails("add", scene.attach(namespace, "Add", NOBODY), code)
}

fn a_modify_that_fails_changes_nothing_of_a_network(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let before = scene.document(Kind::Network, network)?;
    let policies = json!([
        policy("AutomaticDNS", json!({"Enable": true})),
        policy("NoSuchPolicy", json!({}))
    ]);
    let sent = scene.network_policies(network, "Add", policies);
    holds("it is refused", sent.is_err())?;
    equal("document", scene.document(Kind::Network, network)?, before)
}
