// SPDX-License-Identifier: MIT OR Apache-2.0
//! Enumerate, open and query: sections 1.1 to 1.6 and 2.10.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "1.1" an_enumeration_is_a_json_list_of_plain_ids;
    S "1.1" a_filter_that_matches_nothing_gives_an_empty_list;
    G "1.1" an_empty_query_is_no_query settles(23);
    S "1.1" an_empty_object_is_no_query;
    I "1.3" the_id_of_the_caller_is_used;
    I "1.3" the_id_of_the_document_is_used_where_the_caller_gives_none;
    S "1.3" an_id_is_chosen_where_nobody_gives_one;
    S "1.3" an_id_can_be_used_again_after_delete;
    S "1.3" a_network_id_in_use_is_refused;
    S "1.6" a_query_of_properties_ignores_the_filter;
    S "2.10" a_filter_finds_by_name;
    S "2.10" a_filter_finds_by_id;
    I "2.10" a_filter_by_id_does_not_mind_case;
    I "2.10" a_filter_by_name_minds_case;
    S "2.10" a_filter_finds_endpoints_by_their_network;
    S "2.10" an_empty_filter_matches_all;
    S "2.10" every_key_of_a_filter_has_to_match;
    S "3.1" a_query_that_is_not_json_is_refused;
};

fn an_enumeration_is_a_json_list_of_plain_ids(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let text = works("enumerate", scene.hns().enumerate(Kind::Network, ""))?;
    let ids: Vec<String> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    holds(
        "ids have 36 characters",
        ids.iter().all(|id| id.len() == 36),
    )?;
    holds(
        "the new network is among them",
        ids.iter()
            .any(|id| id.eq_ignore_ascii_case(&network.to_string())),
    )
}

fn a_filter_that_matches_nothing_gives_an_empty_list(scene: &Scene<'_>) -> Finding {
    for kind in [Kind::Network, Kind::Endpoint, Kind::Namespace] {
        let query = v2(json!({"Filter": json!({"ID": NOBODY.to_string()}).to_string()}));
        let text = works("enumerate", scene.hns().enumerate(kind, &query.to_string()))?;
        equal(kind.words(), text.as_str(), "[]")?;
    }
    Ok(())
}

fn an_empty_query_is_no_query(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    holds(
        "it lists all",
        scene.ids(Kind::Network, "")?.contains(&network),
    )?;
    // WSL passes NULL and parses version 1 documents (2.1).
    let document = scene.shaped(Kind::Network, network, "")?;
    holds(
        "the document is one of version 1",
        document.get("Subnets").is_some(),
    )
}

fn an_empty_object_is_no_query(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    holds(
        "it lists all",
        scene.ids(Kind::Network, "{}")?.contains(&network),
    )
}

fn the_id_of_the_caller_is_used(scene: &Scene<'_>) -> Finding {
    let document = v2(
        json!({"Name": format!("{PREFIX}id"), "Type": "NAT", "ID": "11111111-2222-4333-8444-555555555555"}),
    );
    let made = works(
        "create",
        scene.try_create_as(NOBODY, Kind::Network, None, &document),
    )?;
    equal("id", made, NOBODY)
}

fn the_id_of_the_document_is_used_where_the_caller_gives_none(scene: &Scene<'_>) -> Finding {
    let made = scene.network(json!({"ID": NOBODY.to_string()}))?;
    equal("id", made, NOBODY)
}

fn an_id_is_chosen_where_nobody_gives_one(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let (one, other) = (
        scene.endpoint(network, json!({}))?,
        scene.endpoint(network, json!({}))?,
    );
    holds(
        "the ids are not zero",
        one != Guid::ZERO && other != Guid::ZERO,
    )?;
    holds("the ids differ", one != other)
}

fn an_id_can_be_used_again_after_delete(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for _ in 0..2 {
        let endpoint = scene.endpoint(network, json!({"ID": NOBODY.to_string()}))?;
        works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    }
    Ok(())
}

fn a_network_id_in_use_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let document = v2(json!({"Name": format!("{PREFIX}other"), "Type": "NAT"}));
    let again = scene
        .hns()
        .create(Kind::Network, None, network, &document.to_string());
    fails("create", again, HcnCode::HCN_E_NETWORK_ALREADY_EXISTS)
}

fn a_query_of_properties_ignores_the_filter(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let query = v2(json!({"Filter": json!({"ID": NOBODY.to_string()}).to_string()}));
    let document = scene.shaped(Kind::Network, network, &query.to_string())?;
    equal("Name", &document["Name"], &json!(format!("{PREFIX}net")))
}

fn a_filter_finds_by_name(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({"Name": format!("{PREFIX}seldom")}))?;
    scene.endpoint(network, json!({}))?;
    let filter = json!({"Name": format!("{PREFIX}seldom")});
    equal(
        "ids",
        scene.filtered(Kind::Endpoint, &filter)?,
        vec![endpoint],
    )?;
    let filter = json!({"Name": format!("{PREFIX}net")});
    equal(
        "ids",
        scene.filtered(Kind::Network, &filter)?,
        vec![network],
    )
}

fn a_filter_finds_by_id(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    for (kind, id) in [
        (Kind::Network, network),
        (Kind::Endpoint, endpoint),
        (Kind::Namespace, namespace),
    ] {
        // As the document says it.
        let own = scene.document(kind, id)?["ID"].clone();
        equal(
            kind.words(),
            scene.filtered(kind, &json!({"ID": own}))?,
            vec![id],
        )?;
    }
    Ok(())
}

fn a_filter_by_id_does_not_mind_case(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for text in [network.to_string(), network.to_string().to_uppercase()] {
        equal(
            &text,
            scene.filtered(Kind::Network, &json!({"ID": text}))?,
            vec![network],
        )?;
    }
    Ok(())
}

fn a_filter_by_name_minds_case(scene: &Scene<'_>) -> Finding {
    scene.network(json!({}))?;
    let filter = json!({"Name": format!("{PREFIX}net").to_uppercase()});
    equal("ids", scene.filtered(Kind::Network, &filter)?, vec![])
}

fn a_filter_finds_endpoints_by_their_network(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let filter = json!({"VirtualNetwork": network.to_string()});
    equal(
        "ids",
        scene.filtered(Kind::Endpoint, &filter)?,
        vec![endpoint],
    )
}

fn an_empty_filter_matches_all(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    holds(
        "the network is found",
        scene
            .filtered(Kind::Network, &json!({}))?
            .contains(&network),
    )
}

fn every_key_of_a_filter_has_to_match(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let name = format!("{PREFIX}net");
    let both = json!({"Name": name, "ID": network.to_string()});
    equal("both", scene.filtered(Kind::Network, &both)?, vec![network])?;
    let one = json!({"Name": name, "ID": NOBODY.to_string()});
    equal("one", scene.filtered(Kind::Network, &one)?, vec![])
}

fn a_query_that_is_not_json_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for query in ["{", "no", "{\"SchemaVersion\":}"] {
        fails(
            query,
            scene.hns().enumerate(Kind::Network, query),
            HcnCode::HCN_E_INVALID_JSON,
        )?;
        let object = ObjectId {
            kind: Kind::Network,
            id: network,
        };
        fails(
            query,
            scene.hns().query(object, query),
            HcnCode::HCN_E_INVALID_JSON,
        )?;
    }
    scene.document(Kind::Network, network).map(drop)
}
