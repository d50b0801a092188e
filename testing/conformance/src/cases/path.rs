// SPDX-License-Identifier: MIT OR Apache-2.0
//! The paths of `HNSCall`: the rest of section 1.7.1; the HCN functions that answer the same: section 1.2.

use super::kit::*;
use crate::finding::Amiss;

pub(super) const CASES: &[Case] = table! {
    I "1.7.1" the_globals_hold_the_version;
    S "1.7.1" activities_are_a_list;
    S "1.7.1" plugins_are_a_list;
    S "1.7.1" the_pools_of_ports_are_listed;
    G "1.7.1" a_mapped_port_is_in_a_pool settles(51);
    S "1.7.1" an_endpoint_that_is_not_attached_has_statistics;
    S "1.7.1" the_statistics_of_an_endpoint_are_numbers;
    S "1.7.1" the_statistics_of_all_endpoints_are_a_list;
    I "1.7.1" an_unknown_endpoint_has_no_statistics;
    S "1.2" the_statistics_function_answers_as_the_path_does;
    G "1.7.1" the_addresses_of_an_endpoint_are_told settles(51);
    G "1.2" the_addresses_function_answers_as_the_path_does settles(51);
    I "1.7.1" details_have_the_tree_of_allocations;
    S "1.7.1" a_post_to_an_endpoint_overwrites_its_rules;
    G "1.7.1" a_post_without_policies_keeps_the_rules settles(42);
    S "1.7.1" a_post_to_an_endpoint_answers_with_the_endpoint;
    S "1.7.1" a_post_to_a_network_switches_an_extension;
    I "1.7.1" a_post_to_nowhere_is_not_found;
    S "1.7.1" an_endpoint_is_deleted;
    S "1.7.1" a_namespace_is_deleted;
    S "1.7.1" a_namespace_may_be_the_default;
    S "1.7.1" an_endpoint_is_attached_to_a_container;
    I "1.7.1" a_container_is_attached_once;
    S "1.7.1" an_endpoint_that_is_not_attached_cannot_be_detached;
    I "1.7.1" a_body_that_is_not_json_is_refused;
    G "1.7.1" an_unknown_path_is_unsupported settles(71);
    S "1.7" a_deleted_object_answers_with_success;
    S "1.7.1" a_list_of_accelerated_adapters_is_set_and_told needs(Feature::Accelnet);
    S "1.7.1" a_list_of_accelerated_adapters_is_taken_away needs(Feature::Accelnet);
    G "1.7.1" a_second_list_of_accelerated_adapters_replaces_the_first needs(Feature::Accelnet) settles(52);
    G "1.7.1" old_versions_know_no_accelerated_adapters until(15, 4) settles(63);
    S "1.7.1" policy_lists_are_a_list;
    S "1.7.1" a_policy_list_is_made_queried_and_deleted;
    S "2.15" load_balancers_of_version_2_are_policy_lists;
    S "2.15" a_policy_list_of_version_1_is_a_load_balancer;
    S "2.14" a_policy_list_is_applied_and_refers_to_its_endpoints;
    G "3.1" an_unknown_policy_list_is_not_found settles(67);
    S "3.1" a_policy_list_of_routes_is_refused_by_old_versions until(10, 0);
    S "2.15" a_policy_list_of_routes_is_an_sdn_route since(10, 0);
    G "2.6" a_policy_list_of_both_ports_0_is_taken settles(47);
    I "3.1" a_policy_list_of_no_known_policy_is_refused;
    I "3.1" a_policy_list_that_refers_to_no_endpoint_is_refused;
};

fn the_globals_hold_the_version(scene: &Scene<'_>) -> Finding {
    let version = scene.call("GET", "/globals/version", "")?;
    equal(
        "Version",
        &scene.call("GET", "/globals", "")?["Version"],
        &version,
    )
}

fn is_list(scene: &Scene<'_>, path: &str) -> Finding {
    holds(
        "the answer is a list",
        scene.call("GET", path, "")?.is_array(),
    )
}

fn activities_are_a_list(scene: &Scene<'_>) -> Finding {
    is_list(scene, "/activities")
}

fn plugins_are_a_list(scene: &Scene<'_>) -> Finding {
    is_list(scene, "/plugins")
}

fn pools(scene: &Scene<'_>) -> Finding<Value> {
    Ok(scene.call("GET", "/portpools", "")?["PortPoolAllocations"].clone())
}

fn the_pools_of_ports_are_listed(scene: &Scene<'_>) -> Finding {
    holds("PortPoolAllocations is a list", pools(scene)?.is_array())
}

fn a_mapped_port_is_in_a_pool(scene: &Scene<'_>) -> Finding {
    let mapping = policy(
        "PortMapping",
        json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18140}),
    );
    scene.endpoint_with(json!([mapping]))?;
    let found = pools(scene)?.as_array().into_iter().flatten().any(|pool| {
        pool["PortRanges"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|range| range["StartPort"] == 18140 && range["EndPort"] == 18140)
    });
    holds("a range is the port", found)
}

/// The eight members of statistics; the two that are not numbers first.
const STATISTICS: [&str; 8] = [
    "EndpointId",
    "InstanceId",
    "BytesReceived",
    "BytesSent",
    "DroppedPacketsIncoming",
    "DroppedPacketsOutgoing",
    "PacketsReceived",
    "PacketsSent",
];

fn an_endpoint_that_is_not_attached_has_statistics(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = scene.call("GET", &format!("/endpointstats/{endpoint}"), "")?;
    let id = text(&own, "EndpointId").to_ascii_lowercase();
    equal("EndpointId", id, endpoint.to_string())
}

fn the_statistics_of_an_endpoint_are_numbers(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = scene.call("GET", &format!("/endpointstats/{endpoint}"), "")?;
    for key in &STATISTICS[2..] {
        holds(&format!("{key} is a number"), own[*key].is_u64())?;
    }
    Ok(())
}

fn the_statistics_of_all_endpoints_are_a_list(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let all = scene.call("GET", "/endpointstats/", "")?;
    let found = all
        .as_array()
        .into_iter()
        .flatten()
        .any(|own| text(own, "EndpointId").eq_ignore_ascii_case(&endpoint.to_string()));
    holds("the endpoint is among them", found)
}

fn an_unknown_endpoint_has_no_statistics(scene: &Scene<'_>) -> Finding {
    let code = HcnCode::HCN_E_ENDPOINT_NOT_FOUND;
    fails(
        "GET",
        scene
            .hns()
            .call("GET", &format!("/endpointstats/{NOBODY}"), ""),
        code,
    )
}

fn read(what: &str, answer: Answer<String>) -> Finding<Value> {
    let text = works(what, answer)?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{what}: {text:?} is not JSON: {error}").into())
}

fn the_statistics_function_answers_as_the_path_does(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = read("query", scene.hns().endpoint_stats(endpoint, ""))?;
    let id = text(&own, "EndpointId").to_ascii_lowercase();
    equal("EndpointId", id, endpoint.to_string())?;
    for key in STATISTICS {
        holds(&format!("{key} is there"), own.get(key).is_some())?;
    }
    Ok(())
}

fn the_addresses_of_an_endpoint_are_told(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = scene.call("GET", &format!("/endpointaddresses/{endpoint}"), "")?;
    holds("MacAddress is a text", own["MacAddress"].is_string())?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    equal("MacAddress", &own["MacAddress"], &document["MacAddress"])?;
    equal(
        "IpAddress",
        &own["IpConfigurations"][0]["IpAddress"],
        &document["IpConfigurations"][0]["IpAddress"],
    )
}

fn the_addresses_function_answers_as_the_path_does(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let by_path = scene.call("GET", &format!("/endpointaddresses/{endpoint}"), "")?;
    holds(
        "the path tells an endpoint",
        by_path["EndpointId"].is_string(),
    )?;
    equal(
        "answer",
        read("query", scene.hns().endpoint_addresses(endpoint, ""))?,
        by_path,
    )
}

fn details_have_the_tree_of_allocations(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = scene.call("GET", &format!("/endpoints/{endpoint}/detailed"), "")?;
    holds("Resources is an object", own["Resources"].is_object())
}

/// A network and an endpoint of version 1, and the path of the endpoint.
fn made(scene: &Scene<'_>) -> Finding<(Value, Value, String)> {
    let network = scene.post_network(json!({}))?;
    let endpoint = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}", text(&endpoint, "ID"));
    Ok((network, endpoint, path))
}

fn rule(action: &str) -> Value {
    json!({"Type": "ACL", "Action": action, "Direction": "In", "Protocols": "6", "Priority": 100})
}

fn a_post_to_an_endpoint_overwrites_its_rules(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    for action in ["Block", "Allow"] {
        scene.call(
            "POST",
            &path,
            &json!({"Policies": [rule(action)]}).to_string(),
        )?;
        let policies = scene.call("GET", &path, "")?["Policies"].clone();
        equal("policies", count(&policies), 1)?;
        equal("Action", text(&policies[0], "Action"), action)?;
    }
    Ok(())
}

fn a_post_without_policies_keeps_the_rules(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    scene.call(
        "POST",
        &path,
        &json!({"Policies": [rule("Block")]}).to_string(),
    )?;
    scene.call(
        "POST",
        &path,
        &json!({"Name": format!("{PREFIX}renamed")}).to_string(),
    )?;
    let policies = scene.call("GET", &path, "")?["Policies"].clone();
    equal("policies", count(&policies), 1)
}

fn a_post_to_an_endpoint_answers_with_the_endpoint(scene: &Scene<'_>) -> Finding {
    let (_, endpoint, path) = made(scene)?;
    let answer = scene.call(
        "POST",
        &path,
        &json!({"Policies": [rule("Block")]}).to_string(),
    )?;
    equal("ID", &answer["ID"], &endpoint["ID"])?;
    equal("policies", count(&answer["Policies"]), 1)
}

fn a_post_to_a_network_switches_an_extension(scene: &Scene<'_>) -> Finding {
    let network = scene.post_network(json!({}))?;
    let own = network["Extensions"][0].clone();
    let before = own["IsEnabled"].as_bool().unwrap_or_default();
    let path = format!("/networks/{}", text(&network, "ID"));
    let body = json!({"Extensions": [{"Id": own["Id"], "IsEnabled": !before}]});
    scene.call("POST", &path, &body.to_string())?;
    let after = scene.call("GET", &path, "")?["Extensions"][0].clone();
    equal("Id", &after["Id"], &own["Id"])?;
    equal("IsEnabled", &after["IsEnabled"], &json!(!before))
}

fn a_post_to_nowhere_is_not_found(scene: &Scene<'_>) -> Finding {
    let call = |path: &str| scene.hns().call("POST", path, "{}");
    fails(
        "networks",
        call(&format!("/networks/{NOBODY}")),
        HcnCode::HCN_E_NETWORK_NOT_FOUND,
    )?;
    fails(
        "endpoints",
        call(&format!("/endpoints/{NOBODY}")),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
    )
}

fn an_endpoint_is_deleted(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    scene.call("DELETE", &path, "")?;
    fails(
        "GET",
        scene.hns().call("GET", &path, ""),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
    )
}

/// A namespace of version 1 with an id that a sweep knows.
fn namespace(scene: &Scene<'_>, members: Value) -> Finding<Value> {
    let mut body = json!({"ID": marked().to_string()});
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    scene.post(Kind::Namespace, &body)
}

fn a_namespace_is_deleted(scene: &Scene<'_>) -> Finding {
    let path = format!("/namespaces/{}", text(&namespace(scene, json!({}))?, "ID"));
    scene.call("DELETE", &path, "")?;
    fails(
        "GET",
        scene.hns().call("GET", &path, ""),
        HcnCode::ERROR_NOT_FOUND,
    )
}

fn a_namespace_may_be_the_default(scene: &Scene<'_>) -> Finding {
    let own = namespace(scene, json!({"IsDefault": true}))?;
    equal("IsDefault", &own["IsDefault"], &json!(true))
}

fn attach(scene: &Scene<'_>, path: &str, verb: &str, digit: &str) -> Answer<String> {
    let body = json!({"ContainerId": digit.repeat(64), "SystemType": "Container"});
    scene
        .hns()
        .call("POST", &format!("{path}/{verb}"), &body.to_string())
}

fn an_endpoint_is_attached_to_a_container(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    works("attach", attach(scene, &path, "attach", "a"))?;
    let one = scene.call("GET", &path, "")?;
    equal(
        "SharedContainers",
        &one["SharedContainers"],
        &json!(["a".repeat(64)]),
    )?;
    equal("State", &one["State"], &json!(2))?;
    works("detach", attach(scene, &path, "detach", "a"))?;
    let one = scene.call("GET", &path, "")?;
    equal("SharedContainers", count(&one["SharedContainers"]), 0)
}

fn a_container_is_attached_once(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    works("attach", attach(scene, &path, "attach", "a"))?;
    let code = HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED;
    fails("attach again", attach(scene, &path, "attach", "a"), code)
}

fn an_endpoint_that_is_not_attached_cannot_be_detached(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    let code = HcnCode::HCN_E_REQUEST_UNSUPPORTED;
    fails("detach", attach(scene, &path, "detach", "a"), code)
}

fn a_body_that_is_not_json_is_refused(scene: &Scene<'_>) -> Finding {
    for path in ["/networks/", "/endpoints/"] {
        let code = HcnCode::HCN_E_INVALID_JSON;
        fails(path, scene.hns().call("POST", path, "{"), code)?;
    }
    Ok(())
}

fn an_unknown_path_is_unsupported(scene: &Scene<'_>) -> Finding {
    let code = HcnCode::HCN_E_REQUEST_UNSUPPORTED;
    fails("GET", scene.hns().call("GET", "/no-such-path", ""), code)
}

fn a_deleted_object_answers_with_success(scene: &Scene<'_>) -> Finding {
    let (_, _, path) = made(scene)?;
    let envelope = read("DELETE", scene.hns().call("DELETE", &path, ""))?;
    equal("Success", &envelope["Success"], &json!(true))
}

/// Goes on where the host has no list of its own, since there is one list for the whole host.
fn unaccelerated(scene: &Scene<'_>) -> Finding {
    match accelerated(scene)? {
        0 => Ok(()),
        _ => Err(Amiss::Impossible(
            "the host has accelerated adapters of its own".to_owned(),
        )),
    }
}

/// Sets a list of so many adapters.
fn accelerate(scene: &Scene<'_>, count: usize) -> Finding<Value> {
    let list: Vec<Value> = (0..count)
        .map(|last| json!({"MacAddress": format!("00-15-5D-0A-0B-{last:02X}")}))
        .collect();
    scene.call(
        "POST",
        "/accelnet/",
        &json!({"MacAddressList": list}).to_string(),
    )
}

fn accelerated(scene: &Scene<'_>) -> Finding<usize> {
    Ok(count(
        &scene.call("GET", "/accelnet/", "")?["MacAddressList"],
    ))
}

fn a_list_of_accelerated_adapters_is_set_and_told(scene: &Scene<'_>) -> Finding {
    unaccelerated(scene)?;
    let answer = accelerate(scene, 2)?;
    equal("answer", count(&answer["MacAddressList"]), 2)?;
    let told = accelerated(scene)?;
    scene.call("DELETE", "/accelnet/", "")?;
    equal("told", told, 2)
}

fn a_list_of_accelerated_adapters_is_taken_away(scene: &Scene<'_>) -> Finding {
    unaccelerated(scene)?;
    accelerate(scene, 2)?;
    equal("told before", accelerated(scene)?, 2)?;
    let answer = scene.call("DELETE", "/accelnet/", "")?;
    equal("answer", count(&answer["MacAddressList"]), 0)?;
    equal("told", accelerated(scene)?, 0)
}

fn a_second_list_of_accelerated_adapters_replaces_the_first(scene: &Scene<'_>) -> Finding {
    unaccelerated(scene)?;
    accelerate(scene, 2)?;
    accelerate(scene, 1)?;
    let told = accelerated(scene)?;
    scene.call("DELETE", "/accelnet/", "")?;
    equal("told", told, 1)
}

fn old_versions_know_no_accelerated_adapters(scene: &Scene<'_>) -> Finding {
    let answer = scene.hns().call("GET", "/accelnet/", "");
    holds("the path is refused", answer.is_err())
}

fn policy_lists_are_a_list(scene: &Scene<'_>) -> Finding {
    is_list(scene, "/policylists/")
}

fn backend(scene: &Scene<'_>) -> Finding<Guid> {
    let network = scene.overlay()?;
    scene.endpoint(network, json!({}))
}

/// A list of one policy that refers to an endpoint.
fn list(endpoint: Guid, own: Value) -> Value {
    json!({"ID": marked().to_string(), "References": [format!("/endpoints/{endpoint}")], "Policies": [own]})
}

fn elb(internal: u16, external: u16) -> Value {
    json!({"Type": "ELB", "Protocol": 6, "InternalPort": internal, "ExternalPort": external, "SourceVIP": "10.0.0.1", "VIPs": ["10.255.0.2"]})
}

fn a_policy_list_is_made_queried_and_deleted(scene: &Scene<'_>) -> Finding {
    let endpoint = backend(scene)?;
    let made = scene.post(Kind::LoadBalancer, &list(endpoint, elb(8080, 80)))?;
    let path = format!("/policylists/{}", text(&made, "ID"));
    let got = scene.call("GET", &path, "")?;
    has(
        "policy",
        &got["Policies"][0],
        &json!({"Type": "ELB", "InternalPort": 8080, "ExternalPort": 80, "VIPs": ["10.255.0.2"]}),
    )?;
    scene.call("DELETE", &path, "")?;
    fails(
        "GET",
        scene.hns().call("GET", &path, ""),
        HcnCode::ERROR_NOT_FOUND,
    )
}

fn load_balancers_of_version_2_are_policy_lists(scene: &Scene<'_>) -> Finding {
    let endpoint = backend(scene)?;
    let own = marked();
    let document = v2(
        json!({"ID": own.to_string(), "HostComputeEndpoints": [endpoint.to_string()], "SourceVIP": "10.0.0.1", "FrontendVIPs": ["10.255.0.2"],
        "PortMappings": [{"Protocol": 17, "InternalPort": 53, "ExternalPort": 53}]}),
    );
    works(
        "create",
        scene.try_create(Kind::LoadBalancer, None, &document),
    )?;
    let lists = scene.call("GET", "/policylists/", "")?;
    let found = lists
        .as_array()
        .into_iter()
        .flatten()
        .find(|list| text(list, "ID").eq_ignore_ascii_case(&own.to_string()));
    let found = found.ok_or_else(|| "the load balancer is not among the lists".to_owned())?;
    has(
        "policy",
        &found["Policies"][0],
        &json!({"Type": "ELB", "Protocol": 17, "InternalPort": 53, "ExternalPort": 53}),
    )
}

fn a_policy_list_of_version_1_is_a_load_balancer(scene: &Scene<'_>) -> Finding {
    let endpoint = backend(scene)?;
    let made = scene.post(Kind::LoadBalancer, &list(endpoint, elb(8080, 80)))?;
    let two = scene.document(Kind::LoadBalancer, id_of(&made)?)?;
    has(
        "load balancer",
        &two,
        &json!({"SourceVIP": "10.0.0.1", "FrontendVIPs": ["10.255.0.2"]}),
    )?;
    has(
        "mapping",
        &two["PortMappings"][0],
        &json!({"Protocol": 6, "InternalPort": 8080, "ExternalPort": 80}),
    )
}

fn a_policy_list_is_applied_and_refers_to_its_endpoints(scene: &Scene<'_>) -> Finding {
    let endpoint = backend(scene)?;
    let made = scene.post(Kind::LoadBalancer, &list(endpoint, elb(8080, 80)))?;
    equal("State", &made["State"], &json!(2))?;
    equal(
        "References",
        &made["References"],
        &json!([format!("/endpoints/{endpoint}")]),
    )
}

fn an_unknown_policy_list_is_not_found(scene: &Scene<'_>) -> Finding {
    for method in ["GET", "DELETE"] {
        let answer = scene
            .hns()
            .call(method, &format!("/policylists/{NOBODY}"), "");
        fails(method, answer, HcnCode::ERROR_NOT_FOUND)?;
    }
    Ok(())
}

fn route() -> Value {
    json!({"Type": "ROUTE", "DestinationPrefix": "10.96.0.0/12", "NextHop": "192.168.100.1", "NeedEncap": true})
}

fn a_policy_list_of_routes_is_refused_by_old_versions(scene: &Scene<'_>) -> Finding {
    // hcsshim#470.
    let body = list(backend(scene)?, route()).to_string();
    let code = HcnCode::HCN_E_INVALID_POLICY_TYPE;
    fails(
        "POST",
        scene.hns().call("POST", "/policylists/", &body),
        code,
    )
}

fn a_policy_list_of_routes_is_an_sdn_route(scene: &Scene<'_>) -> Finding {
    let made = scene.post(Kind::SdnRoute, &list(backend(scene)?, route()))?;
    let two = scene.document(Kind::SdnRoute, id_of(&made)?)?;
    has(
        "route",
        &two["Routes"][0],
        &json!({"DestinationPrefix": "10.96.0.0/12", "NextHop": "192.168.100.1"}),
    )
}

fn a_policy_list_of_both_ports_0_is_taken(scene: &Scene<'_>) -> Finding {
    // Docker's swarm balances whole addresses so.
    scene
        .post(Kind::LoadBalancer, &list(backend(scene)?, elb(0, 0)))
        .map(drop)
}

fn a_policy_list_of_no_known_policy_is_refused(scene: &Scene<'_>) -> Finding {
    let body = list(backend(scene)?, json!({"Type": "NoSuchPolicy"})).to_string();
    let code = HcnCode::HCN_E_INVALID_POLICY_TYPE;
    fails(
        "POST",
        scene.hns().call("POST", "/policylists/", &body),
        code,
    )
}

fn a_policy_list_that_refers_to_no_endpoint_is_refused(scene: &Scene<'_>) -> Finding {
    backend(scene)?;
    let body = list(NOBODY, elb(8080, 80)).to_string();
    let code = HcnCode::HCN_E_INVALID_JSON_REFERENCE;
    fails(
        "POST",
        scene.hns().call("POST", "/policylists/", &body),
        code,
    )
}
