// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules, member by member: sections 4.1, 4.4, 4.7, 4.9, 4.13 and 4.14.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "4.1" a_rule_of_the_switch_says_so;
    S "4.1" a_rule_of_the_host_says_so;
    S "4.1" a_rule_without_type_is_stored_without;
    S "4.4" the_highest_priority_that_works_is_65500;
    G "4.4" a_priority_over_65500_is_refused settles(5);
    I "4.4" a_priority_over_16_bits_is_refused;
    S "4.4" a_rule_of_the_host_may_have_priority_0 needs(Feature::AclNoHostRulePriority);
    G "4.4" a_rule_of_the_switch_may_have_priority_0 settles(4);
    G "4.4" a_rule_may_lack_its_priority settles(4);
    S "4.7" any_protocol_is_256;
    S "4.7" any_protocol_may_be_an_empty_text;
    S "4.7" protocols_are_a_list_of_numbers;
    I "4.7" the_name_of_a_protocol_is_refused;
    S "4.7" vxlan_is_a_protocol needs(Feature::AclSupportForProtocol252);
    S "4.7" ports_may_be_ranges needs(Feature::AclPortRanges);
    I "4.7" a_port_over_16_bits_is_refused;
    S "4.7" addresses_may_be_of_version_6;
    S "4.7" a_range_of_addresses_is_refused;
    S "4.7" an_empty_address_is_any;
    I "4.7" an_unknown_action_is_refused;
    I "4.7" pass_is_for_tiers_alone;
    I "4.7" a_rule_without_action_is_refused;
    I "4.7" a_rule_without_direction_is_refused;
    I "4.7" an_unknown_direction_is_refused;
    S "4.7" rules_may_share_an_id needs(Feature::AclRuleId);
    G "4.7" an_id_in_capitals_is_ignored settles(18);
    I "4.7" the_name_of_a_service_is_kept;
    S "4.9" protocols_stay_a_text;
    S "4.9" optional_texts_that_were_left_out_stay_out;
    S "4.9" version_1_writes_the_members_of_a_rule_by_the_alphabet;
    S "4.9" a_rule_of_version_1_reads_back_with_all_of_its_members;
    S "4.9" a_scope_need_not_be_sent_back;
    G "4.9" a_scope_that_is_sent_is_kept settles(8);
    I "4.9" rules_of_version_1_are_seen_in_version_2;
    S "4.13" a_rule_may_have_4000_addresses;
    S "4.14" a_tier_keeps_its_rules needs(Feature::TierAcl);
    S "4.14" a_tier_may_allow_block_and_pass needs(Feature::TierAcl);
    I "4.14" a_tier_of_an_unknown_action_is_refused needs(Feature::TierAcl);
    I "4.14" update_replaces_all_tiers needs(Feature::TierAcl);
    G "4.14" tiers_and_rules_live_side_by_side needs(Feature::TierAcl) settles(12);
    I "4.3" a_remote_endpoint_takes_no_rules;
    S "4.2" an_endpoint_without_rules_lists_none_of_its_own;
};

/// Adds one rule to an endpoint and tells its stored settings.
fn stored(scene: &Scene<'_>, settings: &Value) -> Finding<Value> {
    let endpoint = scene.any_endpoint()?;
    let sent = scene.policies(endpoint, "Add", json!([policy("ACL", settings.clone())]));
    works("add", sent)?;
    scene.settings(Kind::Endpoint, endpoint, "ACL")
}

/// A rule with these members beside an action, a direction and a priority; `null` takes one away.
fn rule(members: Value) -> Value {
    let mut rule = json!({"Action": "Block", "Direction": "In", "Priority": 100});
    for (key, value) in members.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(rule.as_object_mut().map(|rule| rule.shift_remove(key))),
            value => rule[key] = value.clone(),
        }
    }
    rule
}

/// A rule is stored with these members as they were sent.
fn kept(scene: &Scene<'_>, members: Value) -> Finding {
    let sent = rule(members);
    has("ACL", &stored(scene, &sent)?, &sent)
}

/// A rule with these members is refused, and nothing of it stays.
fn refused(scene: &Scene<'_>, members: Value) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = policy("ACL", rule(members));
    let code = HcnCode::HCN_E_INVALID_POLICY;
    fails("add", scene.policies(endpoint, "Add", json!([own])), code)?;
    equal("rules", scene.rules(endpoint)?.len(), 0)
}

fn a_rule_of_the_switch_says_so(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RuleType": "Switch"}))
}

fn a_rule_of_the_host_says_so(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RuleType": "Host"}))
}

fn a_rule_without_type_is_stored_without(scene: &Scene<'_>) -> Finding {
    let own = stored(scene, &rule(json!({})))?;
    equal("RuleType", own.get("RuleType"), None)
}

fn the_highest_priority_that_works_is_65500(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Priority": 65500}))
}

fn a_priority_over_65500_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Priority": 65501}))
}

fn a_priority_over_16_bits_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Priority": 65536}))
}

fn a_rule_of_the_host_may_have_priority_0(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RuleType": "Host", "Priority": 0}))
}

fn a_rule_of_the_switch_may_have_priority_0(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RuleType": "Switch", "Priority": 0}))
}

fn a_rule_may_lack_its_priority(scene: &Scene<'_>) -> Finding {
    let own = stored(scene, &rule(json!({"Priority": null})))?;
    equal("Action", text(&own, "Action"), "Block")
}

fn any_protocol_is_256(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Protocols": "256"}))
}

fn any_protocol_may_be_an_empty_text(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Protocols": ""}))
}

fn protocols_are_a_list_of_numbers(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Protocols": "6,17,1,58,2,132"}))
}

fn the_name_of_a_protocol_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Protocols": "TCP"}))
}

fn vxlan_is_a_protocol(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Protocols": "252"}))
}

fn ports_may_be_ranges(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        json!({"Protocols": "6", "LocalPorts": "80,100-200", "RemotePorts": "1024-65535"}),
    )
}

fn a_port_over_16_bits_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Protocols": "6", "LocalPorts": "65536"}))
}

fn addresses_may_be_of_version_6(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RemoteAddresses": "fd00::/64,fd01::5"}))
}

fn a_range_of_addresses_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"RemoteAddresses": "10.0.0.1-10.0.0.9"}))
}

fn an_empty_address_is_any(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"LocalAddresses": "", "RemoteAddresses": ""}))
}

fn an_unknown_action_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Action": "Deny"}))
}

fn pass_is_for_tiers_alone(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Action": "Pass"}))
}

fn a_rule_without_action_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Action": null}))
}

fn a_rule_without_direction_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Direction": null}))
}

fn an_unknown_direction_is_refused(scene: &Scene<'_>) -> Finding {
    refused(scene, json!({"Direction": "Both"}))
}

fn rules_may_share_an_id(scene: &Scene<'_>) -> Finding {
    // NPM gives all rules of a policy one.
    let endpoint = scene.any_endpoint()?;
    let own = policy("ACL", rule(json!({"Id": "azure-acl-exam"})));
    works("add", scene.policies(endpoint, "Add", json!([own, own])))?;
    let ids: Vec<Value> = scene
        .rules(endpoint)?
        .iter()
        .map(|rule| rule["Settings"]["Id"].clone())
        .collect();
    equal(
        "Ids",
        ids,
        vec![json!("azure-acl-exam"), json!("azure-acl-exam")],
    )
}

fn an_id_in_capitals_is_ignored(scene: &Scene<'_>) -> Finding {
    let own = stored(scene, &rule(json!({"ID": "exam"})))?;
    equal("Action", text(&own, "Action"), "Block")
}

fn the_name_of_a_service_is_kept(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"RuleType": "Host", "ServiceName": "exam"}))
}

fn protocols_stay_a_text(scene: &Scene<'_>) -> Finding {
    let own = stored(scene, &rule(json!({"Protocols": "6"})))?;
    equal("Protocols", &own["Protocols"], &json!("6"))
}

fn optional_texts_that_were_left_out_stay_out(scene: &Scene<'_>) -> Finding {
    let own = stored(scene, &rule(json!({})))?;
    for key in [
        "Protocols",
        "LocalAddresses",
        "RemoteAddresses",
        "LocalPorts",
        "RemotePorts",
        "Id",
    ] {
        equal(key, own.get(key), None)?;
    }
    Ok(())
}

fn version_1_writes_the_members_of_a_rule_by_the_alphabet(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own =
        rule(json!({"Protocols": "6", "LocalAddresses": "192.168.100.9", "LocalPorts": "80"}));
    works(
        "add",
        scene.policies(endpoint, "Add", json!([policy("ACL", own)])),
    )?;
    let one = scene.one(Kind::Endpoint, endpoint)?;
    let keys: Vec<&str> = one["Policies"][0]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let wanted = [
        "Action",
        "Direction",
        "LocalAddresses",
        "LocalPorts",
        "Priority",
        "Protocols",
        "Scope",
        "Type",
    ];
    equal("members", keys, wanted.to_vec())
}

/// A rule as Calico sends it by version 1.
fn felix() -> Value {
    json!({"Type": "ACL", "Action": "Allow", "Direction": "In", "Id": "API-exam", "InternalPort": 0, "LocalAddresses": "", "LocalPort": 0,
        "Priority": 1000, "Protocol": 256, "RemoteAddresses": "10.0.0.0/8", "RemotePort": 0, "RuleType": "Switch", "Scope": 0, "ServiceName": ""})
}

fn posted(scene: &Scene<'_>) -> Finding<Value> {
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}", text(&made, "ID"));
    let body = json!({"Policies": [felix()]}).to_string();
    scene.call("POST", &path, &body)?;
    scene.call("GET", &path, "")
}

fn a_rule_of_version_1_reads_back_with_all_of_its_members(scene: &Scene<'_>) -> Finding {
    has("ACL", &posted(scene)?["Policies"][0], &felix())
}

fn rules_of_version_1_are_seen_in_version_2(scene: &Scene<'_>) -> Finding {
    let endpoint = id_of(&posted(scene)?)?;
    let own = scene.settings(Kind::Endpoint, endpoint, "ACL")?;
    has(
        "ACL",
        &own,
        &json!({"Action": "Allow", "Direction": "In", "Priority": 1000, "RemoteAddresses": "10.0.0.0/8"}),
    )
}

fn a_scope_need_not_be_sent_back(scene: &Scene<'_>) -> Finding {
    // NPM reads rules into a struct without Scope and sends them again.
    let endpoint = scene.any_endpoint()?;
    let own = policy("ACL", rule(json!({})));
    for _ in 0..2 {
        works("update", scene.policies(endpoint, "Update", json!([own])))?;
    }
    let rules = scene.rules(endpoint)?;
    equal("rules", rules.len(), 1)?;
    equal("Scope", &rules[0]["Settings"]["Scope"], &json!(0))
}

fn a_scope_that_is_sent_is_kept(scene: &Scene<'_>) -> Finding {
    kept(scene, json!({"Scope": 0}))
}

fn a_rule_may_have_4000_addresses(scene: &Scene<'_>) -> Finding {
    // Where Calico cuts.
    let addresses: Vec<String> = (0..4000)
        .map(|number| format!("10.{}.{}.1", number / 250, number % 250))
        .collect();
    let own = stored(
        scene,
        &rule(json!({"RemoteAddresses": addresses.join(",")})),
    )?;
    equal(
        "addresses",
        text(&own, "RemoteAddresses").split(',').count(),
        4000,
    )
}

fn tier(rules: Value) -> Value {
    policy(
        "TierAcl",
        json!({"Name": "exam", "Direction": "In", "Order": 1001, "TierAclRules": rules}),
    )
}

fn with_tiers(scene: &Scene<'_>, tiers: Value) -> Finding<Guid> {
    let endpoint = scene.any_endpoint()?;
    works("update", scene.policies(endpoint, "Update", tiers))?;
    Ok(endpoint)
}

fn a_tier_keeps_its_rules(scene: &Scene<'_>) -> Finding {
    let own = tier(
        json!([{"Id": "a", "Protocols": "6", "TierAclRuleAction": "Allow", "LocalAddresses": "192.168.100.0/24",
        "RemoteAddresses": "10.0.0.0/8", "LocalPorts": "80", "RemotePorts": "1024-65535", "Priority": 2000}]),
    );
    let endpoint = with_tiers(scene, json!([own]))?;
    has(
        "TierAcl",
        &scene.settings(Kind::Endpoint, endpoint, "TierAcl")?,
        &own["Settings"],
    )
}

fn a_tier_may_allow_block_and_pass(scene: &Scene<'_>) -> Finding {
    let rules: Vec<Value> = ["Allow", "Block", "Pass"]
        .iter()
        .map(|word| json!({"TierAclRuleAction": word, "Priority": 2000}))
        .collect();
    let endpoint = with_tiers(scene, json!([tier(json!(rules))]))?;
    let own = scene.settings(Kind::Endpoint, endpoint, "TierAcl")?;
    equal("rules", count(&own["TierAclRules"]), 3)
}

fn a_tier_of_an_unknown_action_is_refused(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = tier(json!([{"TierAclRuleAction": "Deny", "Priority": 2000}]));
    fails(
        "update",
        scene.policies(endpoint, "Update", json!([own])),
        HcnCode::HCN_E_INVALID_POLICY,
    )
}

fn update_replaces_all_tiers(scene: &Scene<'_>) -> Finding {
    let own = || tier(json!([{"TierAclRuleAction": "Block", "Priority": 2000}]));
    let endpoint = with_tiers(scene, json!([own(), own()]))?;
    works("update", scene.policies(endpoint, "Update", json!([own()])))?;
    equal(
        "tiers",
        scene
            .policies_of(Kind::Endpoint, endpoint, "TierAcl")?
            .len(),
        1,
    )
}

fn tiers_and_rules_live_side_by_side(scene: &Scene<'_>) -> Finding {
    let own = tier(json!([{"TierAclRuleAction": "Block", "Priority": 2000}]));
    let endpoint = with_tiers(scene, json!([own, policy("ACL", rule(json!({})))]))?;
    equal(
        "tiers",
        scene
            .policies_of(Kind::Endpoint, endpoint, "TierAcl")?
            .len(),
        1,
    )?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn a_remote_endpoint_takes_no_rules(scene: &Scene<'_>) -> Finding {
    let network = scene.overlay()?;
    let remote = json!({"Flags": 1, "IpConfigurations": [{"IpAddress": "10.244.2.3"}], "MacAddress": "02-11-0a-f4-02-03",
        "Policies": [policy("ProviderAddress", json!({"ProviderAddress": "10.0.0.5"}))]});
    let endpoint = scene.endpoint(network, remote)?;
    let sent = scene.policies(endpoint, "Add", json!([policy("ACL", rule(json!({})))]));
    fails(
        "add",
        sent,
        HcnCode::HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
    )
}

fn an_endpoint_without_rules_lists_none_of_its_own(scene: &Scene<'_>) -> Finding {
    // The two rules that HNS works by are in its tree of allocations and not among the policies.
    let endpoint = scene.any_endpoint()?;
    equal("rules", scene.rules(endpoint)?.len(), 0)
}
