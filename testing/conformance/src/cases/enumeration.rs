// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ids and who chooses them, and more of enumerations: sections 1.1, 1.3, 1.4 and 1.6.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "1.1" every_kind_of_object_is_enumerated;
    S "1.1" a_filter_that_matches_no_object_of_a_later_kind_gives_an_empty_list;
    S "1.1" the_ids_of_an_enumeration_have_no_braces_and_small_letters;
    G "1.1" an_enumeration_is_in_the_order_of_creation settles(55);
    S "1.3" the_id_of_the_caller_goes_before_that_of_the_document;
    S "1.3" an_endpoint_gets_the_id_of_the_caller;
    S "1.3" a_namespace_gets_the_id_of_the_caller;
    I "1.3" an_endpoint_gets_the_id_of_its_document;
    I "1.3" a_namespace_gets_the_id_of_its_document;
    I "1.3" a_zero_id_in_a_document_is_none;
    S "1.3" a_network_id_in_use_is_refused_in_a_document_too;
    G "1.3" an_endpoint_id_in_use_is_refused settles(19);
    G "1.3" a_namespace_id_in_use_is_refused settles(19);
    I "1.3" a_network_id_can_be_used_again_after_delete;
    I "3.1" an_id_that_is_no_guid_is_refused;
    G "1.4" the_network_of_the_call_counts_and_not_that_of_the_document settles(56);
    S "1.4" a_deleted_endpoint_cannot_be_modified;
    I "1.4" a_deleted_network_cannot_be_modified;
    S "1.6" an_endpoint_as_go_sends_it_is_taken needs(Feature::L4WfpProxy);
    S "1.6" health_data_of_any_sort_is_taken;
    S "1.6" what_was_listed_can_be_opened_and_queried;
};

fn every_kind_of_object_is_enumerated(scene: &Scene<'_>) -> Finding {
    for kind in Kind::ALL {
        scene.ids(kind, "").map(drop)?;
    }
    Ok(())
}

fn a_filter_that_matches_no_object_of_a_later_kind_gives_an_empty_list(
    scene: &Scene<'_>,
) -> Finding {
    let query = v2(json!({"Filter": json!({"ID": NOBODY.to_string()}).to_string()})).to_string();
    for kind in [Kind::LoadBalancer, Kind::SdnRoute] {
        let text = works("enumerate", scene.hns().enumerate(kind, &query))?;
        equal(kind.words(), text.as_str(), "[]")?;
    }
    Ok(())
}

fn the_ids_of_an_enumeration_have_no_braces_and_small_letters(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let listed = works("enumerate", scene.hns().enumerate(Kind::Endpoint, ""))?;
    holds(
        "the id is there in the plain form",
        listed.contains(&format!("\"{endpoint}\"")),
    )
}

fn an_enumeration_is_in_the_order_of_creation(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(scene.endpoint(network, json!({}))?);
    }
    let filter = json!({"VirtualNetwork": network.to_string()});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, made)
}

fn the_id_of_the_caller_goes_before_that_of_the_document(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let (caller, document) = (marked(), marked());
    let settings = v2(json!({"Name": format!("{PREFIX}id"), "ID": document.to_string()}));
    let made = scene.try_create_as(caller, Kind::Endpoint, Some(network), &settings);
    equal("id", works("create", made)?, caller)?;
    let own = scene.open(Kind::Endpoint, document);
    fails(
        "open by the other id",
        own,
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
    )
}

fn an_endpoint_gets_the_id_of_the_caller(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = marked();
    let settings = v2(json!({"Name": format!("{PREFIX}id")}));
    let made = scene.try_create_as(own, Kind::Endpoint, Some(network), &settings);
    works("create", made)?;
    works("open", scene.open(Kind::Endpoint, own))
}

fn a_namespace_gets_the_id_of_the_caller(scene: &Scene<'_>) -> Finding {
    let own = marked();
    let made = scene.try_create_as(own, Kind::Namespace, None, &v2(json!({})));
    works("create", made)?;
    works("open", scene.open(Kind::Namespace, own))
}

fn an_endpoint_gets_the_id_of_its_document(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = marked();
    let made = scene.endpoint(network, json!({"ID": own.to_string()}))?;
    equal("id", made, own)
}

fn a_namespace_gets_the_id_of_its_document(scene: &Scene<'_>) -> Finding {
    let own = marked();
    let made = scene.namespace(json!({"ID": own.to_string()}))?;
    equal("id", made, own)
}

fn a_zero_id_in_a_document_is_none(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"ID": Guid::ZERO.to_string()}))?;
    holds("HNS chooses another", network != Guid::ZERO)?;
    let endpoint = scene.endpoint(network, json!({"ID": ""}))?;
    holds("HNS chooses one for an empty text", endpoint != Guid::ZERO)
}

fn a_network_id_in_use_is_refused_in_a_document_too(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let again = json!({"ID": network.to_string(), "Name": format!("{PREFIX}other"), "Type": "Internal", "Ipams": []});
    let code = HcnCode::HCN_E_NETWORK_ALREADY_EXISTS;
    fails("create", scene.try_network(again)?, code)
}

fn an_endpoint_id_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = json!({"ID": marked().to_string()});
    scene.endpoint(network, own.clone())?;
    let again = scene.try_endpoint(network, own);
    fails("create", again, HcnCode::ERROR_ALREADY_EXISTS)
}

fn a_namespace_id_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let own = json!({"ID": marked().to_string()});
    scene.namespace(own.clone())?;
    fails(
        "create",
        scene.try_namespace(own),
        HcnCode::ERROR_ALREADY_EXISTS,
    )
}

fn a_network_id_can_be_used_again_after_delete(scene: &Scene<'_>) -> Finding {
    let own = json!({"ID": marked().to_string()});
    for _ in 0..2 {
        let network = scene.network(own.clone())?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn an_id_that_is_no_guid_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let made = scene.try_endpoint(network, json!({"ID": "no-guid"}));
    fails("create", made, HcnCode::HCN_E_GUID_CONVERSION_FAILURE)
}

fn the_network_of_the_call_counts_and_not_that_of_the_document(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({"HostComputeNetwork": NOBODY.to_string()}))?;
    let document = scene.document(Kind::Endpoint, endpoint)?;
    let own = text(&document, "HostComputeNetwork").to_ascii_lowercase();
    equal("HostComputeNetwork", own, network.to_string())
}

fn a_deleted_endpoint_cannot_be_modified(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    let sent = scene.policies(endpoint, "Add", json!([]));
    fails("modify", sent, HcnCode::HCN_E_ENDPOINT_NOT_FOUND)
}

fn a_deleted_network_cannot_be_modified(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    works("delete", scene.delete(Kind::Network, network))?;
    let sent = scene.modify(Kind::Network, network, "DNS", "Update", json!({}));
    fails("modify", sent, HcnCode::HCN_E_NETWORK_NOT_FOUND)
}

fn an_endpoint_as_go_sends_it_is_taken(scene: &Scene<'_>) -> Finding {
    // Go leaves no object out, whatever omitempty says.
    let network = scene.network(json!({}))?;
    let proxy = policy(
        "L4WFPPROXY",
        json!({"InboundProxyPort": "80", "FilterTuple": {}, "InboundExceptions": {}, "OutboundExceptions": {}}),
    );
    let endpoint = scene.endpoint(
        network,
        json!({"Dns": {}, "Health": {"Extra": {}}, "SchemaVersion": {"Major": 2, "Minor": 0},
            "HostComputeNetwork": network.to_string()}),
    )?;
    works("add", scene.policies(endpoint, "Update", json!([proxy])))
}

fn health_data_of_any_sort_is_taken(scene: &Scene<'_>) -> Finding {
    for data in [json!(null), json!("text"), json!([1]), json!({"a": 1})] {
        let network = scene.network(json!({"Health": {"Data": data, "Extra": {}}}))?;
        works("delete", scene.delete(Kind::Network, network))?;
    }
    Ok(())
}

fn what_was_listed_can_be_opened_and_queried(scene: &Scene<'_>) -> Finding {
    // The way of hnslib: enumerate, then open and query each with the same query, the filter in it.
    let endpoint = scene.any_endpoint()?;
    let filter = json!({"Name": format!("{PREFIX}endpoint")});
    let query = v2(json!({"Flags": 0, "Filter": filter.to_string()})).to_string();
    let ids = scene.ids(Kind::Endpoint, &query)?;
    equal("ids", ids.clone(), vec![endpoint])?;
    for id in ids {
        works("open", scene.open(Kind::Endpoint, id))?;
        let document = scene.shaped(Kind::Endpoint, id, &query)?;
        equal("Name", &document["Name"], &filter["Name"])?;
    }
    Ok(())
}
