// SPDX-License-Identifier: MIT OR Apache-2.0
//! The eight checks of section 8.1: what of each a client sees through the API. What packets do is tried by hand (docs/conformance.md).

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    G "8.1.1" remove_without_scope_changes_nothing settles(6);
    G "8.1.1" remove_with_scope_takes_one_rule_of_each_away settles(6);
    I "8.1.2" one_rule_that_blocks_is_the_only_rule_that_is_listed;
    I "8.1.2" an_allowing_rule_beside_it_is_the_second;
    G "8.1.3" opposite_rules_of_one_priority_are_taken_in_both_orders settles(1);
    G "8.1.3" a_switch_rule_may_lack_its_priority_and_may_have_1 settles(4);
    G "8.1.3" priority_65501_is_refused settles(5);
    I "8.1.4" a_rule_of_the_host_alone_is_taken;
    I "8.1.4" an_l2_bridge_takes_a_switch_rule_without_one_of_the_host;
    G "8.1.5" an_update_without_the_source_nat_keeps_it settles(7);
    G "8.1.6" the_spelling_of_ids_is_that_of_the_record settles(21);
    I "8.1.7" a_rule_is_added_to_an_endpoint_that_is_in_use;
    I "8.1.8" an_l2_bridge_takes_a_dsr_load_balancer_and_rules_at_both_of_its_addresses needs(Feature::Dsr);
};

fn rule(action: &str, direction: &str, more: Value) -> Value {
    let mut own =
        json!({"Action": action, "Direction": direction, "Protocols": "6", "Priority": 100});
    if let (Value::Object(own), Value::Object(more)) = (&mut own, more) {
        own.extend(more);
    }
    policy("ACL", own)
}

/// The two rules of the walk-through.
fn pair() -> Value {
    json!([
        rule(
            "Block",
            "In",
            json!({"LocalAddresses": "192.168.100.40", "LocalPorts": "80"})
        ),
        rule("Block", "Out", json!({})),
    ])
}

/// The endpoint of the walk-through, with its rules added twice.
fn walked(scene: &Scene<'_>) -> Finding<Guid> {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.40"}]}),
    )?;
    for _ in 0..2 {
        works("add", scene.policies(endpoint, "Add", pair()))?;
    }
    Ok(endpoint)
}

fn remove_without_scope_changes_nothing(scene: &Scene<'_>) -> Finding {
    let endpoint = walked(scene)?;
    works("remove", scene.policies(endpoint, "Remove", pair()))?;
    equal("rules", scene.rules(endpoint)?.len(), 4)
}

fn remove_with_scope_takes_one_rule_of_each_away(scene: &Scene<'_>) -> Finding {
    let endpoint = walked(scene)?;
    let mut scoped = pair();
    for own in scoped.as_array_mut().into_iter().flatten() {
        own["Settings"]["Scope"] = json!(0);
    }
    works("remove", scene.policies(endpoint, "Remove", scoped))?;
    equal("rules", scene.rules(endpoint)?.len(), 2)
}

fn one_rule_that_blocks_is_the_only_rule_that_is_listed(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = rule(
        "Block",
        "Out",
        json!({"RemoteAddresses": "168.63.129.16/32", "RemotePorts": "80"}),
    );
    works("add", scene.policies(endpoint, "Add", json!([own])))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_allowing_rule_beside_it_is_the_second(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    works(
        "add",
        scene.policies(endpoint, "Add", json!([rule("Block", "Out", json!({}))])),
    )?;
    works(
        "add",
        scene.policies(
            endpoint,
            "Add",
            json!([rule("Allow", "In", json!({"LocalPorts": "80"}))]),
        ),
    )?;
    let actions: Vec<Value> = scene
        .rules(endpoint)?
        .iter()
        .map(|own| own["Settings"]["Action"].clone())
        .collect();
    equal("actions", actions, vec![json!("Block"), json!("Allow")])
}

fn opposite_rules_of_one_priority_are_taken_in_both_orders(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    for order in [["Allow", "Block"], ["Block", "Allow"]] {
        let endpoint = scene.endpoint(network, json!({}))?;
        for action in order {
            works(
                action,
                scene.policies(endpoint, "Add", json!([rule(action, "In", json!({}))])),
            )?;
        }
        let actions: Vec<Value> = scene
            .rules(endpoint)?
            .iter()
            .map(|own| own["Settings"]["Action"].clone())
            .collect();
        equal("actions", actions, order.map(|word| json!(word)).to_vec())?;
    }
    Ok(())
}

fn a_switch_rule_may_lack_its_priority_and_may_have_1(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let without = policy(
        "ACL",
        json!({"Action": "Allow", "Direction": "In", "RuleType": "Switch"}),
    );
    let strongest = rule("Block", "In", json!({"RuleType": "Switch", "Priority": 1}));
    works(
        "add",
        scene.policies(endpoint, "Add", json!([without, strongest])),
    )?;
    let rules = scene.rules(endpoint)?;
    // A priority that was left out is 0, or stays out.
    equal(
        "priority left out",
        rules[0]["Settings"]["Priority"].as_u64().unwrap_or(0),
        0,
    )?;
    equal(
        "priority of the other",
        &rules[1]["Settings"]["Priority"],
        &json!(1),
    )
}

fn priority_65501_is_refused(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = rule("Block", "In", json!({"Priority": 65501}));
    fails(
        "add",
        scene.policies(endpoint, "Add", json!([own])),
        HcnCode::HCN_E_INVALID_POLICY,
    )
}

fn a_rule_of_the_host_alone_is_taken(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let own = rule("Block", "In", json!({"RuleType": "Host"}));
    works("add", scene.policies(endpoint, "Add", json!([own])))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_l2_bridge_takes_a_switch_rule_without_one_of_the_host(scene: &Scene<'_>) -> Finding {
    let endpoint = scene.endpoint(scene.bridge()?, json!({}))?;
    let own = rule("Allow", "In", json!({"RuleType": "Switch"}));
    works("add", scene.policies(endpoint, "Add", json!([own])))?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_update_without_the_source_nat_keeps_it(scene: &Scene<'_>) -> Finding {
    let nat = policy("OutBoundNAT", json!({"Exceptions": ["10.0.0.0/8"]}));
    let endpoint = scene.endpoint_with(json!([nat]))?;
    works("update", scene.policies(endpoint, "Update", pair()))?;
    let one = scene.one(Kind::Endpoint, endpoint)?;
    let words: Vec<&str> = one["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|own| text(own, "Type"))
        .collect();
    equal("types", words, vec!["OutBoundNAT", "ACL", "ACL"])
}

fn the_spelling_of_ids_is_that_of_the_record(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    works("add", scene.attach(namespace, "Add", endpoint))?;
    let two = scene.document(Kind::Endpoint, endpoint)?;
    let one = scene.one(Kind::Endpoint, endpoint)?;
    let resource = scene.document(Kind::Namespace, namespace)?["Resources"][0]["Data"].clone();
    let resource = resource["Id"]
        .as_str()
        .or(resource["ID"].as_str())
        .unwrap_or_default()
        .to_owned();
    let capitals = |id: Guid| id.to_string().to_uppercase();
    equal("version 2 endpoint", text(&two, "ID"), &capitals(endpoint))?;
    equal("resource of a namespace", resource, capitals(endpoint))?;
    equal(
        "version 1 endpoint",
        text(&one, "ID"),
        &endpoint.to_string(),
    )?;
    equal(
        "version 1 network",
        text(&scene.one(Kind::Network, network)?, "ID"),
        &capitals(network),
    )?;
    equal(
        "tree of allocations",
        text(&one["Resources"], "ID"),
        &text(&one["Resources"], "ID").to_uppercase(),
    )
}

fn a_rule_is_added_to_an_endpoint_that_is_in_use(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("join", scene.join(namespace, "Add", "a"))?;
    works(
        "add",
        scene.policies(endpoint, "Add", json!([rule("Block", "In", json!({}))])),
    )?;
    equal(
        "State",
        &scene.one(Kind::Endpoint, endpoint)?["State"],
        &json!(2),
    )?;
    equal("rules", scene.rules(endpoint)?.len(), 1)
}

fn an_l2_bridge_takes_a_dsr_load_balancer_and_rules_at_both_of_its_addresses(
    scene: &Scene<'_>,
) -> Finding {
    let network = scene.bridge()?;
    let server = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.40"}]}),
    )?;
    let client = scene.endpoint(network, json!({}))?;
    let document = v2(
        json!({"ID": marked().to_string(), "HostComputeEndpoints": [server.to_string()], "FrontendVIPs": ["10.255.0.2"], "Flags": 1,
        "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}]}),
    );
    works(
        "create",
        scene.try_create(Kind::LoadBalancer, None, &document),
    )?;
    for address in ["192.168.100.40", "10.255.0.2"] {
        let own = rule("Block", "Out", json!({"RemoteAddresses": address}));
        works(address, scene.policies(client, "Add", json!([own])))?;
    }
    equal("rules", scene.rules(client)?.len(), 2)
}
