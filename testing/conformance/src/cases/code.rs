// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which failure comes first, and what records say: sections 1.5, 2.9 and 3.3.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "1.5" the_record_of_an_unknown_endpoint_says_so_in_words;
    S "1.5" the_code_of_an_unknown_namespace_is_one_of_windows;
    S "1.5" a_failed_call_of_version_1_has_the_record_too;
    S "1.5" an_unknown_network_is_0x803b0001;
    S "2.9" the_version_is_one_that_is_known;
    G "3.3" a_bad_type_is_found_before_an_id_in_use settles(76);
    G "3.3" an_id_in_use_is_found_before_a_bad_prefix settles(76);
    G "3.3" a_bad_address_is_found_before_a_bad_policy settles(76);
    G "3.3" a_bad_policy_is_found_before_a_taken_port settles(76);
    I "3.3" a_refused_network_leaves_nothing_behind;
    I "3.3" a_refused_update_leaves_the_old_rules;
    G "3.1" json_that_is_no_object_is_refused settles(77);
    S "3.1" an_empty_document_is_refused;
};

fn the_record_of_an_unknown_endpoint_says_so_in_words(scene: &Scene<'_>) -> Finding {
    // NPM looks for these words, on a Windows that speaks English.
    match scene.open(Kind::Endpoint, NOBODY) {
        Ok(()) => Err("an unknown endpoint opens".to_owned().into()),
        Err(error) => holds(
            &format!("{} says that the endpoint was not found", error.record()),
            error.record().contains("endpoint was not found"),
        ),
    }
}

fn the_code_of_an_unknown_namespace_is_one_of_windows(scene: &Scene<'_>) -> Finding {
    // Go makes 0x490 of it.
    match scene.open(Kind::Namespace, NOBODY) {
        Ok(()) => Err("an unknown namespace opens".to_owned().into()),
        Err(error) => {
            let record: Value = serde_json::from_str(&error.record()).unwrap_or_default();
            equal("ErrorCode", &record["ErrorCode"], &json!(0x8007_0490_u32))
        }
    }
}

fn a_failed_call_of_version_1_has_the_record_too(scene: &Scene<'_>) -> Finding {
    match scene.hns().call("GET", &format!("/networks/{NOBODY}"), "") {
        Ok(answer) => Err(format!("an unknown network is told: {answer}").into()),
        Err(error) => {
            let record: Value = serde_json::from_str(&error.record()).unwrap_or_default();
            equal("Success", &record["Success"], &json!(false))?;
            equal("ErrorCode", &record["ErrorCode"], &json!(0x803b_0001_u32))
        }
    }
}

fn an_unknown_network_is_0x803b0001(scene: &Scene<'_>) -> Finding {
    match scene.open(Kind::Network, NOBODY) {
        Ok(()) => Err("an unknown network opens".to_owned().into()),
        // The number itself, and not the name that we have for it.
        Err(error) => equal("code", error.code.0, 0x803b_0001),
    }
}

fn the_version_is_one_that_is_known(scene: &Scene<'_>) -> Finding {
    let version = scene.call("GET", "/globals/version", "")?;
    // 9 is the first with version 2 documents (Windows Server 2019).
    holds(
        "Major is 9 or more",
        version["Major"].as_u64().is_some_and(|major| major >= 9),
    )
}

fn on(prefix: &str) -> Value {
    json!({"Name": format!("{PREFIX}second"), "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}]})
}

fn with(mut members: Value, key: &str, value: Value) -> Value {
    members[key] = value;
    members
}

fn a_bad_type_is_found_before_an_id_in_use(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let again = with(on("192.168.101.0/24"), "ID", json!(network.to_string()));
    let again = with(again, "Type", json!("NoSuchType"));
    fails(
        "create",
        scene.try_network(again)?,
        HcnCode::HCN_E_INVALID_NETWORK_TYPE,
    )
}

fn an_id_in_use_is_found_before_a_bad_prefix(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let again = with(on("none"), "ID", json!(network.to_string()));
    fails(
        "create",
        scene.try_network(again)?,
        HcnCode::HCN_E_NETWORK_ALREADY_EXISTS,
    )
}

fn a_bad_address_is_found_before_a_bad_policy(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let own = json!({"IpConfigurations": [{"IpAddress": "10.99.0.1"}], "Policies": [policy("NoSuchPolicy", json!({}))]});
    fails(
        "create",
        scene.try_endpoint(network, own),
        HcnCode::HCN_E_INVALID_IP,
    )
}

fn a_bad_policy_is_found_before_a_taken_port(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let mapping = policy(
        "PortMapping",
        json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18170}),
    );
    scene.endpoint(network, json!({"Policies": [mapping]}))?;
    let bad = policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "LocalAddresses": "Any", "Priority": 100}),
    );
    let made = scene.try_endpoint(network, json!({"Policies": [bad, mapping]}));
    fails("create", made, HcnCode::HCN_E_INVALID_POLICY)
}

fn a_refused_network_leaves_nothing_behind(scene: &Scene<'_>) -> Finding {
    let bad = json!({"Policies": [policy("NoSuchPolicy", json!({}))]});
    holds("it is refused", scene.try_network(bad)?.is_err())?;
    let filter = json!({"Name": format!("{PREFIX}net")});
    equal("ids", scene.filtered(Kind::Network, &filter)?, vec![])?;
    // Its prefix is free.
    scene.network(json!({})).map(drop)
}

fn a_refused_update_leaves_the_old_rules(scene: &Scene<'_>) -> Finding {
    let good = policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "Priority": 100}),
    );
    let bad = policy(
        "ACL",
        json!({"Action": "Block", "Direction": "In", "LocalAddresses": "Any", "Priority": 100}),
    );
    let endpoint = scene.endpoint_with(json!([good]))?;
    let before = scene.rules(endpoint)?;
    let sent = scene.policies(endpoint, "Update", json!([good, good, bad]));
    fails("update", sent, HcnCode::HCN_E_INVALID_POLICY)?;
    equal("rules", scene.rules(endpoint)?, before)
}

fn json_that_is_no_object_is_refused(scene: &Scene<'_>) -> Finding {
    for document in ["[]", "1", "\"text\"", "null"] {
        let made = scene
            .hns()
            .create(Kind::Network, None, Guid::ZERO, document);
        fails(document, made, HcnCode::HCN_E_INVALID_JSON)?;
    }
    Ok(())
}

fn an_empty_document_is_refused(scene: &Scene<'_>) -> Finding {
    let made = scene.hns().create(Kind::Network, None, Guid::ZERO, "");
    fails("create", made, HcnCode::HCN_E_INVALID_JSON)
}
