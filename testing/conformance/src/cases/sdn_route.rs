// SPDX-License-Identifier: MIT OR Apache-2.0
//! SDN routes: sections 2.7, 5.5 and 7.5.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.7" an_sdn_route_comes_back_as_it_was_sent;
    S "7.5" an_sdn_route_of_a_go_client_is_made_without_routes;
    G "2.7" the_setting_of_a_go_client_is_echoed settles(68);
    S "2.7" an_sdn_route_may_have_several_endpoints;
    S "5.5" the_prefix_of_an_sdn_route_may_have_host_bits;
    I "1.3" an_sdn_route_gets_the_id_of_its_document;
    G "1.3" an_sdn_route_id_in_use_is_refused settles(48);
    S "2.10" a_filter_finds_an_sdn_route_by_its_id;
    S "7.5" an_sdn_route_is_made_again_with_its_id;
    I "3.1" an_sdn_route_of_an_unknown_endpoint_is_refused;
    I "3.1" an_sdn_route_to_no_prefix_is_refused;
    G "2.7" an_sdn_route_cannot_be_modified settles(50);
    G "6.4" sdn_routes_go_with_their_network since(10, 0) settles(24);
    S "2.15" an_sdn_route_is_a_policy_list_of_version_1;
};

fn backend(scene: &Scene<'_>) -> Finding<(Guid, Guid)> {
    let network = scene.overlay()?;
    Ok((network, scene.endpoint(network, json!({}))?))
}

fn routes() -> Value {
    json!([{"DestinationPrefix": "169.254.169.254/32", "NextHop": "127.10.0.34", "NeedEncap": false}])
}

fn try_create(scene: &Scene<'_>, endpoints: &[Guid], members: Value) -> Answer<Guid> {
    let ids: Vec<String> = endpoints.iter().map(Guid::to_string).collect();
    let mut document = v2(json!({"ID": marked().to_string(), "HostComputeEndpoints": ids}));
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    scene.try_create(Kind::SdnRoute, None, &document)
}

fn create(scene: &Scene<'_>, endpoints: &[Guid], members: Value) -> Finding<Guid> {
    works("create an SDN route", try_create(scene, endpoints, members))
}

fn an_sdn_route_comes_back_as_it_was_sent(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Routes": routes()}))?;
    let document = scene.document(Kind::SdnRoute, made)?;
    has("route", &document["Routes"][0], &routes()[0])?;
    equal("endpoints", count(&document["HostComputeEndpoints"]), 1)
}

fn an_sdn_route_of_a_go_client_is_made_without_routes(scene: &Scene<'_>) -> Finding {
    // hnslib's structure calls them Setting.
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Setting": routes()}))?;
    let document = scene.document(Kind::SdnRoute, made)?;
    equal("endpoints", count(&document["HostComputeEndpoints"]), 1)
}

fn the_setting_of_a_go_client_is_echoed(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Setting": routes()}))?;
    let document = scene.document(Kind::SdnRoute, made)?;
    has("Setting", &document["Setting"][0], &routes()[0])
}

fn an_sdn_route_may_have_several_endpoints(scene: &Scene<'_>) -> Finding {
    let (network, one) = backend(scene)?;
    let other = scene.endpoint(network, json!({}))?;
    let made = create(scene, &[one, other], json!({"Routes": routes()}))?;
    let document = scene.document(Kind::SdnRoute, made)?;
    equal("endpoints", count(&document["HostComputeEndpoints"]), 2)
}

fn the_prefix_of_an_sdn_route_may_have_host_bits(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = json!([{"DestinationPrefix": "169.254.169.254/24", "NextHop": "127.10.0.34"}]);
    create(scene, &[endpoint], json!({"Routes": own})).map(drop)
}

fn an_sdn_route_gets_the_id_of_its_document(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = marked();
    let made = create(
        scene,
        &[endpoint],
        json!({"ID": own.to_string(), "Routes": routes()}),
    )?;
    equal("id", made, own)
}

fn an_sdn_route_id_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = json!({"ID": marked().to_string(), "Routes": routes()});
    create(scene, &[endpoint], own.clone())?;
    let code = HcnCode::HCN_E_POLICY_ALREADY_EXISTS;
    fails("create", try_create(scene, &[endpoint], own), code)
}

fn a_filter_finds_an_sdn_route_by_its_id(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Routes": routes()}))?;
    let found = scene.filtered(Kind::SdnRoute, &json!({"ID": made.to_string()}))?;
    equal("ids", found, vec![made])
}

fn an_sdn_route_is_made_again_with_its_id(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = json!({"ID": marked().to_string(), "Routes": routes()});
    for _ in 0..2 {
        let made = create(scene, &[endpoint], own.clone())?;
        works("delete", scene.delete(Kind::SdnRoute, made))?;
    }
    Ok(())
}

fn an_sdn_route_of_an_unknown_endpoint_is_refused(scene: &Scene<'_>) -> Finding {
    backend(scene)?;
    let made = try_create(scene, &[NOBODY], json!({"Routes": routes()}));
    fails("create", made, HcnCode::HCN_E_INVALID_JSON_REFERENCE)
}

fn an_sdn_route_to_no_prefix_is_refused(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let own = json!([{"DestinationPrefix": "169.254.169.254/33", "NextHop": "127.10.0.34"}]);
    let made = try_create(scene, &[endpoint], json!({"Routes": own}));
    fails("create", made, HcnCode::HCN_E_INVALID_PREFIX)
}

fn an_sdn_route_cannot_be_modified(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Routes": routes()}))?;
    let sent = scene.request(Kind::SdnRoute, made, &json!({"Routes": []}));
    fails("modify", sent, HcnCode::E_NOTIMPL)
}

fn sdn_routes_go_with_their_network(scene: &Scene<'_>) -> Finding {
    let (network, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Routes": routes()}))?;
    works("delete the network", scene.delete(Kind::Network, network))?;
    fails(
        "open",
        scene.open(Kind::SdnRoute, made),
        HcnCode::ERROR_NOT_FOUND,
    )
}

fn an_sdn_route_is_a_policy_list_of_version_1(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = backend(scene)?;
    let made = create(scene, &[endpoint], json!({"Routes": routes()}))?;
    let list = scene.call("GET", &format!("/policylists/{made}"), "")?;
    let wanted = json!({"Type": "ROUTE", "DestinationPrefix": "169.254.169.254/32", "NextHop": "127.10.0.34"});
    has("policy", &list["Policies"][0], &wanted)
}
