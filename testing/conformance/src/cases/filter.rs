// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters: section 2.10.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.10" a_filter_finds_endpoints_by_the_name_of_their_network;
    S "2.10" a_filter_by_an_unknown_network_finds_no_endpoint;
    G "2.10" a_filter_by_the_key_of_version_2_finds_endpoints settles(22);
    G "2.10" a_filter_by_flags_wants_just_these settles(22);
    S "2.10" a_filter_by_a_part_of_a_list_finds_nothing;
    I "2.10" a_filter_by_a_key_that_nobody_has_finds_nothing;
    G "2.10" a_filter_that_is_not_json_is_refused settles(23);
    G "2.10" a_filter_beside_the_filter_is_none settles(57);
    S "2.10" a_filter_finds_created_endpoints_by_their_state;
    S "2.10" a_filter_finds_a_namespace_by_its_id_and_no_other;
    I "2.10" a_filter_by_name_wants_the_whole_name;
    S "2.10" a_query_without_filter_lists_all;
    S "2.10" a_detailed_query_has_the_members_of_a_plain_one;
    G "2.10" details_are_in_health_extra_where_they_are_asked_for settles(36);
    G "2.10" without_details_there_is_no_health_extra settles(36);
};

fn a_filter_finds_endpoints_by_the_name_of_their_network(scene: &Scene<'_>) -> Finding {
    let name = format!("{PREFIX}seldom-network");
    let network = scene.network(json!({"Name": name}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let found = scene.filtered(Kind::Endpoint, &json!({"VirtualNetworkName": name}))?;
    equal("ids", found, vec![endpoint])
}

fn a_filter_by_an_unknown_network_finds_no_endpoint(scene: &Scene<'_>) -> Finding {
    scene.any_endpoint()?;
    let filter = json!({"VirtualNetwork": NOBODY.to_string()});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, vec![])
}

fn a_filter_by_the_key_of_version_2_finds_endpoints(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let filter = json!({"HostComputeNetwork": network.to_string()});
    let found = scene.filtered(Kind::Endpoint, &filter)?;
    equal("ids", found, vec![endpoint])
}

fn a_filter_by_flags_wants_just_these(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Flags": 9}))?;
    let found = |flags: u32| scene.filtered(Kind::Network, &json!({"Flags": flags}));
    holds("all flags find it", found(9)?.contains(&network))?;
    holds("some flags do not", !found(8)?.contains(&network))
}

fn a_filter_by_a_part_of_a_list_finds_nothing(scene: &Scene<'_>) -> Finding {
    // Why WSL cannot ask for an endpoint by its address.
    let network = scene.network(json!({}))?;
    scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.44"}]}),
    )?;
    let filter = json!({"IpConfigurations": [{"IpAddress": "192.168.100.44"}]});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, vec![])
}

fn a_filter_by_a_key_that_nobody_has_finds_nothing(scene: &Scene<'_>) -> Finding {
    scene.any_endpoint()?;
    let filter = json!({"NobodyHasThis": "x"});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, vec![])
}

fn a_filter_that_is_not_json_is_refused(scene: &Scene<'_>) -> Finding {
    let query = v2(json!({"Filter": "{\"Name\":"})).to_string();
    let code = HcnCode::HCN_E_INVALID_JSON;
    fails(
        "enumerate",
        scene.hns().enumerate(Kind::Network, &query),
        code,
    )
}

fn a_filter_beside_the_filter_is_none(scene: &Scene<'_>) -> Finding {
    // A sample of Microsoft passes {"Name":"WDAG"} as the query itself.
    let network = scene.network(json!({}))?;
    let found = scene.ids(Kind::Network, r#"{"Name":"nobody-has-this-name"}"#)?;
    holds("all networks are listed", found.contains(&network))
}

fn a_filter_finds_created_endpoints_by_their_state(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let found = |state: u16| scene.filtered(Kind::Endpoint, &json!({"State": state}));
    holds("it is created", found(1)?.contains(&endpoint))?;
    holds("it is not attached", !found(2)?.contains(&endpoint))
}

fn a_filter_finds_a_namespace_by_its_id_and_no_other(scene: &Scene<'_>) -> Finding {
    let namespace = scene.namespace(json!({}))?;
    scene.namespace(json!({}))?;
    let filter = json!({"ID": namespace.to_string()});
    let found = scene.filtered(Kind::Namespace, &filter)?;
    equal("ids", found, vec![namespace])
}

fn a_filter_by_name_wants_the_whole_name(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    let filter = json!({"Name": format!("{PREFIX}ne")});
    equal("ids", scene.filtered(Kind::Network, &filter)?, vec![])
}

fn a_query_without_filter_lists_all(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let found = scene.ids(Kind::Network, V2)?;
    holds("the network is listed", found.contains(&network))
}

const DETAILED: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Flags":1}"#;

fn a_detailed_query_has_the_members_of_a_plain_one(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let plain = scene.document(Kind::Endpoint, endpoint)?;
    let detailed = scene.shaped(Kind::Endpoint, endpoint, DETAILED)?;
    for key in [
        "ID",
        "Name",
        "HostComputeNetwork",
        "MacAddress",
        "IpConfigurations",
    ] {
        equal(key, &detailed[key], &plain[key])?;
    }
    Ok(())
}

fn details_are_in_health_extra_where_they_are_asked_for(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let detailed = scene.shaped(Kind::Endpoint, endpoint, DETAILED)?;
    holds(
        "Health.Extra.Resources is an object",
        detailed["Health"]["Extra"]["Resources"].is_object(),
    )
}

fn without_details_there_is_no_health_extra(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let plain = scene.document(Kind::Endpoint, endpoint)?;
    holds(
        "Health.Extra is absent or empty",
        plain["Health"]["Extra"]
            .as_object()
            .is_none_or(|extra| extra.is_empty()),
    )
}
