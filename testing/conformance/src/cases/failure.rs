// SPDX-License-Identifier: MIT OR Apache-2.0
//! Failures: their records and their codes, sections 1.5 and 3.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "1.5" a_record_has_three_members_in_order;
    S "1.5" a_record_tells_the_code_as_an_unsigned_number;
    S "3.1" an_unknown_network_is_not_found;
    S "3.1" an_unknown_endpoint_is_not_found;
    S "7.6" an_unknown_namespace_is_not_found;
    G "3.1" an_unknown_load_balancer_or_route_is_not_found settles(67);
    S "3.1" settings_that_are_not_json_are_refused;
    I "3.1" an_unknown_network_type_is_refused;
    I "3.1" a_prefix_that_is_none_is_refused;
    I "3.1" an_unknown_policy_type_is_refused;
    G "3.3" bad_json_is_found_before_a_bad_type settles(76);
    I "3.3" a_modify_of_several_policies_is_all_or_nothing;
    I "3.3" a_refused_create_leaves_nothing_behind;
};

fn a_record_has_three_members_in_order(scene: &Scene<'_>) -> Finding {
    let object = ObjectId {
        kind: Kind::Network,
        id: NOBODY,
    };
    let Err(error) = scene.hns().open(object) else {
        return Err("an unknown network opens".to_owned().into());
    };
    let record: Value = serde_json::from_str(&error.record()).map_err(|error| error.to_string())?;
    let keys: Vec<&str> = record
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    equal("members", keys, vec!["Success", "Error", "ErrorCode"])?;
    equal("Success", &record["Success"], &json!(false))?;
    let text = record["Error"].as_str().unwrap_or_default();
    // Windows speaks the language of its user; the end is the same in all.
    holds("the text ends with a blank", text.ends_with(' '))
}

fn a_record_tells_the_code_as_an_unsigned_number(scene: &Scene<'_>) -> Finding {
    let object = ObjectId {
        kind: Kind::Endpoint,
        id: NOBODY,
    };
    let Err(error) = scene.hns().open(object) else {
        return Err("an unknown endpoint opens".to_owned().into());
    };
    let record: Value = serde_json::from_str(&error.record()).map_err(|error| error.to_string())?;
    equal("ErrorCode", &record["ErrorCode"], &json!(0x803b_0002_u32))
}

fn unknown(scene: &Scene<'_>, kind: Kind, code: HcnCode) -> Finding {
    let object = ObjectId { kind, id: NOBODY };
    fails("open", scene.hns().open(object), code)?;
    fails("query", scene.hns().query(object, ""), code)?;
    fails("delete", scene.hns().delete(object), code)
}

fn an_unknown_network_is_not_found(scene: &Scene<'_>) -> Finding {
    unknown(scene, Kind::Network, HcnCode::HCN_E_NETWORK_NOT_FOUND)
}

fn an_unknown_endpoint_is_not_found(scene: &Scene<'_>) -> Finding {
    unknown(scene, Kind::Endpoint, HcnCode::HCN_E_ENDPOINT_NOT_FOUND)
}

fn an_unknown_namespace_is_not_found(scene: &Scene<'_>) -> Finding {
    unknown(scene, Kind::Namespace, HcnCode::ERROR_NOT_FOUND)
}

fn an_unknown_load_balancer_or_route_is_not_found(scene: &Scene<'_>) -> Finding {
    unknown(scene, Kind::LoadBalancer, HcnCode::ERROR_NOT_FOUND)?;
    unknown(scene, Kind::SdnRoute, HcnCode::ERROR_NOT_FOUND)
}

fn settings_that_are_not_json_are_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    for text in ["{", "no json", "{\"Name\": }"] {
        let code = HcnCode::HCN_E_INVALID_JSON;
        let zero = Default::default();
        fails(
            text,
            scene.hns().create(Kind::Network, None, zero, text),
            code,
        )?;
        fails(
            text,
            scene
                .hns()
                .create(Kind::Endpoint, Some(network), zero, text),
            code,
        )?;
        fails(
            text,
            scene.hns().create(Kind::Namespace, None, zero, text),
            code,
        )?;
        let object = ObjectId {
            kind: Kind::Endpoint,
            id: endpoint,
        };
        fails(text, scene.hns().modify(object, text), code)?;
    }
    Ok(())
}

fn an_unknown_network_type_is_refused(scene: &Scene<'_>) -> Finding {
    let made = scene.try_network(json!({"Type": "NoSuchType"}))?;
    fails("create", made, HcnCode::HCN_E_INVALID_NETWORK_TYPE)
}

fn subnet(prefix: &str) -> Value {
    json!({"Ipams": [{"Type": "Static", "Subnets": [{"IpAddressPrefix": prefix}]}]})
}

fn a_prefix_that_is_none_is_refused(scene: &Scene<'_>) -> Finding {
    for prefix in ["192.168.100.0", "192.168.100.0/33", "none"] {
        fails(
            prefix,
            scene.try_network(subnet(prefix))?,
            HcnCode::HCN_E_INVALID_PREFIX,
        )?;
    }
    Ok(())
}

fn an_unknown_policy_type_is_refused(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let made = scene.try_endpoint(
        network,
        json!({"Policies": [{"Type": "NoSuchPolicy", "Settings": {}}]}),
    );
    fails("create", made, HcnCode::HCN_E_INVALID_POLICY_TYPE)
}

fn bad_json_is_found_before_a_bad_type(scene: &Scene<'_>) -> Finding {
    let text = r#"{"Type": "NoSuchType""#;
    let made = scene
        .hns()
        .create(Kind::Network, None, Default::default(), text);
    fails("create", made, HcnCode::HCN_E_INVALID_JSON)
}

fn a_modify_of_several_policies_is_all_or_nothing(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let policies = json!([
        {"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 100}},
        {"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 100, "LocalAddresses": "Any"}},
    ]);
    // LocalAddresses Any is refused: hcsshim#1059.
    fails(
        "add",
        scene.policies(endpoint, "Add", policies),
        HcnCode::HCN_E_INVALID_POLICY,
    )?;
    equal(
        "policies",
        scene.policies_of(Kind::Endpoint, endpoint, "ACL")?.len(),
        0,
    )
}

fn a_refused_create_leaves_nothing_behind(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let bad = json!({"Name": format!("{PREFIX}bad"), "IpConfigurations": [{"IpAddress": "192.168.100.60"}],
        "Policies": [{"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 0, "ExternalPort": 18090}}]});
    fails(
        "create",
        scene.try_endpoint(network, bad),
        HcnCode::HCN_E_INVALID_INTERNAL_PORT,
    )?;
    let filter = json!({"Name": format!("{PREFIX}bad")});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, vec![])?;
    // Its address and its port are free.
    let good = json!({"IpConfigurations": [{"IpAddress": "192.168.100.60"}],
        "Policies": [{"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 18090}}]});
    scene.endpoint(network, good).map(drop)
}
