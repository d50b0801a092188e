// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of endpoints: sections 4.9 to 4.14. What they do to packets is not asked here: that needs containers.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "4.9" policies_are_absent_where_there_are_none;
    S "4.9" a_rule_is_kept_as_it_was_sent_with_a_scope;
    S "4.9" what_a_query_returned_can_be_sent_back;
    S "4.10" add_appends_and_does_not_look_for_doubles;
    S "4.10" update_replaces_all_rules;
    S "4.10" update_keeps_what_was_given_at_creation;
    I "4.10" update_with_no_rule_takes_all_rules_away;
    I "4.10" an_unchanged_policy_can_be_sent_again;
    G "4.11" remove_as_it_was_sent_changes_nothing settles(6);
    G "4.11" remove_as_it_is_stored_takes_one_away settles(6);
    S "4.7" lists_of_addresses_and_ports_are_rules;
    S "4.8" an_address_that_is_none_is_refused;
    S "4.14" tiers_are_kept needs(Feature::TierAcl);
    S "6.4" rules_go_with_their_endpoint;
};

fn rule(action: &str, direction: &str) -> Value {
    json!({"Type": "ACL", "Settings": {"Action": action, "Direction": direction, "Protocols": "6", "Priority": 100}})
}

/// The two rules of the walk-through.
fn pair(action: &str) -> Value {
    json!([
        {"Type": "ACL", "Settings": {"Protocols": "6", "Action": action, "Direction": "In",
            "LocalAddresses": "192.168.100.40", "LocalPorts": "80", "Priority": 100}},
        rule(action, "Out"),
    ])
}

fn endpoint(scene: &Scene<'_>) -> Finding<Guid> {
    let network = scene.network(json!({}))?;
    scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.40"}]}),
    )
}

fn policies_are_absent_where_there_are_none(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    let one = scene.shaped(Kind::Endpoint, endpoint, "")?;
    holds("version 1 has no Policies", one.get("Policies").is_none())
}

fn a_rule_is_kept_as_it_was_sent_with_a_scope(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    let found = scene.rules(endpoint)?;
    equal("rules", found.len(), 2)?;
    let mut wanted = pair("Block")[0]["Settings"].clone();
    wanted["Scope"] = json!(0);
    equal("Settings", &found[0]["Settings"], &wanted)
}

fn what_a_query_returned_can_be_sent_back(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    let found = scene.rules(endpoint)?;
    works("update", scene.policies(endpoint, "Update", json!(found)))?;
    equal("rules", scene.rules(endpoint)?, found)
}

fn add_appends_and_does_not_look_for_doubles(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    for count in [2, 4] {
        works("add", scene.policies(endpoint, "Add", pair("Block")))?;
        equal("rules", scene.rules(endpoint)?.len(), count)?;
    }
    Ok(())
}

fn update_replaces_all_rules(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    for _ in 0..2 {
        works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    }
    works("update", scene.policies(endpoint, "Update", pair("Allow")))?;
    let actions: Vec<Value> = scene
        .rules(endpoint)?
        .iter()
        .map(|rule| rule["Settings"]["Action"].clone())
        .collect();
    equal("actions", actions, vec![json!("Allow"), json!("Allow")])
}

/// An endpoint with a policy that is given at creation.
fn with_nat(scene: &Scene<'_>) -> Finding<Guid> {
    let network = scene.network(json!({}))?;
    let nat = json!([{"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}}]);
    scene.endpoint(network, json!({"Policies": nat}))
}

fn update_keeps_what_was_given_at_creation(scene: &Scene<'_>) -> Finding {
    let endpoint = with_nat(scene)?;
    works(
        "update",
        scene.policies(endpoint, "Update", json!([rule("Block", "In")])),
    )?;
    equal("rules", scene.rules(endpoint)?.len(), 1)?;
    equal(
        "OutBoundNAT",
        scene
            .policies_of(Kind::Endpoint, endpoint, "OutBoundNAT")?
            .len(),
        1,
    )
}

fn update_with_no_rule_takes_all_rules_away(scene: &Scene<'_>) -> Finding {
    let endpoint = with_nat(scene)?;
    works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    let others = scene.policies_of(Kind::Endpoint, endpoint, "OutBoundNAT")?;
    works("update", scene.policies(endpoint, "Update", json!(others)))?;
    equal("rules", scene.rules(endpoint)?.len(), 0)
}

fn an_unchanged_policy_can_be_sent_again(scene: &Scene<'_>) -> Finding {
    let endpoint = with_nat(scene)?;
    let mut all = scene.policies_of(Kind::Endpoint, endpoint, "OutBoundNAT")?;
    all.push(rule("Block", "In"));
    works("update", scene.policies(endpoint, "Update", json!(all)))?;
    equal(
        "OutBoundNAT",
        scene
            .policies_of(Kind::Endpoint, endpoint, "OutBoundNAT")?
            .len(),
        1,
    )
}

fn remove_as_it_was_sent_changes_nothing(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    works("remove", scene.policies(endpoint, "Remove", pair("Block")))?;
    equal("rules", scene.rules(endpoint)?.len(), 2)
}

fn remove_as_it_is_stored_takes_one_away(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    for _ in 0..2 {
        works("add", scene.policies(endpoint, "Add", pair("Block")))?;
    }
    let stored = scene.rules(endpoint)?;
    works(
        "remove",
        scene.policies(endpoint, "Remove", json!([stored[0]])),
    )?;
    equal("rules", scene.rules(endpoint)?.len(), 3)
}

fn lists_of_addresses_and_ports_are_rules(scene: &Scene<'_>) -> Finding {
    // TestApplyPolicyOnEndpoint of hnslib.
    let endpoint = endpoint(scene)?;
    let settings = json!({"Protocols": "6", "Action": "Block", "Direction": "Out", "LocalAddresses": "192.168.100.0/24,10.0.0.21",
        "RemoteAddresses": "192.168.100.0/24,10.0.0.21", "LocalPorts": "80,8080", "RemotePorts": "80,8080", "RuleType": "Switch", "Priority": 200});
    works(
        "update",
        scene.policies(
            endpoint,
            "Update",
            json!([{"Type": "ACL", "Settings": settings}]),
        ),
    )?;
    let found = scene.rules(endpoint)?;
    for (key, value) in settings.as_object().into_iter().flatten() {
        equal(key, &found[0]["Settings"][key], value)?;
    }
    Ok(())
}

fn an_address_that_is_none_is_refused(scene: &Scene<'_>) -> Finding {
    let endpoint = endpoint(scene)?;
    for word in ["Any", "10.0.0.300", "10.0.0.0/40"] {
        let settings =
            json!({"Action": "Block", "Direction": "In", "LocalAddresses": word, "Priority": 100});
        let sent = scene.policies(
            endpoint,
            "Add",
            json!([{"Type": "ACL", "Settings": settings}]),
        );
        fails(word, sent, HcnCode::HCN_E_INVALID_POLICY)?;
    }
    Ok(())
}

fn tiers_are_kept(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Type": "L2Bridge"}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let tier = |order: u16, direction: &str| {
        json!({"Type": "TierAcl", "Settings": {"Name": format!("tier{order}"), "Direction": direction, "Order": order, "TierAclRules": [
            {"Id": "pass", "Protocols": "6", "TierAclRuleAction": "Pass", "RemoteAddresses": "10.0.0.0/8", "Priority": 2000},
            {"Id": "block", "TierAclRuleAction": "Block", "Priority": 2100},
        ]}})
    };
    let tiers = json!([tier(1001, "In"), tier(1002, "In"), tier(1001, "Out")]);
    works("update", scene.policies(endpoint, "Update", tiers))?;
    equal(
        "tiers",
        scene
            .policies_of(Kind::Endpoint, endpoint, "TierAcl")?
            .len(),
        3,
    )
}

fn rules_go_with_their_endpoint(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let id = "11111111-2222-4333-8444-666666666666";
    let first = scene.endpoint(
        network,
        json!({"ID": id, "Policies": [rule("Block", "In")]}),
    )?;
    works("delete", scene.delete(Kind::Endpoint, first))?;
    let second = scene.endpoint(network, json!({"ID": id}))?;
    equal("rules", scene.rules(second)?.len(), 0)
}
