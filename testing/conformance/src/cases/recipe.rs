// SPDX-License-Identifier: MIT OR Apache-2.0
//! What big users program: the rule sets of section 4.15, sent as they send them and read back whole.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "4.15" the_rules_of_the_walk_through_are_kept;
    S "4.15" the_base_rules_of_npm_are_kept;
    S "4.15" a_policy_of_npm_is_kept;
    S "4.15" the_rules_of_azure_cni_are_kept;
    S "4.15" the_rules_of_azure_cns_are_kept;
    S "4.15" the_default_deny_of_swift_is_kept;
    S "4.15" the_default_deny_of_calico_is_kept;
    S "4.15" the_rules_of_felix_are_kept;
    S "4.15" the_rules_of_windows_container_networking_are_kept;
    S "4.10" npm_takes_one_policy_out_by_sending_the_rest;
};

/// Rules are sent by a verb, and read back with every member that was sent, in their order.
fn kept(scene: &Scene<'_>, verb: &str, rules: &[Value]) -> Finding {
    let endpoint = scene.any_endpoint()?;
    let policies: Vec<Value> = rules.iter().map(|own| policy("ACL", own.clone())).collect();
    works(verb, scene.policies(endpoint, verb, json!(policies)))?;
    let found = scene.rules(endpoint)?;
    equal("rules", found.len(), rules.len())?;
    for (found, sent) in found.iter().zip(rules) {
        has("ACL", &found["Settings"], sent)?;
    }
    Ok(())
}

fn the_rules_of_the_walk_through_are_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Add",
        &[
            json!({"Protocols": "6", "Action": "Block", "Direction": "In", "LocalAddresses": "192.168.100.40", "LocalPorts": "80", "Priority": 100}),
            json!({"Protocols": "6", "Action": "Block", "Direction": "Out", "Priority": 100}),
        ],
    )
}

fn the_base_rules_of_npm_are_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Update",
        &[
            json!({"Id": "azure-acl-baseazurewireserver", "Action": "Block", "Direction": "Out", "Priority": 200, "RemoteAddresses": "168.63.129.16/32",
            "RemotePorts": "80", "Protocols": "6", "RuleType": "Switch"}),
            json!({"Id": "azure-acl-baseallowinswitch", "Action": "Allow", "Direction": "In", "Priority": 65499}),
            json!({"Id": "azure-acl-baseallowoutswitch", "Action": "Allow", "Direction": "Out", "Priority": 65499}),
            json!({"Id": "azure-acl-baseallowinhost", "Action": "Allow", "Direction": "In", "LocalAddresses": "", "RemoteAddresses": "", "RuleType": "Host", "Priority": 0}),
            json!({"Id": "azure-acl-baseallowouthost", "Action": "Allow", "Direction": "Out", "RuleType": "Host", "Priority": 0}),
        ],
    )
}

/// What NPM makes of one policy.
fn npm(id: &str) -> [Value; 2] {
    let own = |action: &str, priority: u16| json!({"Id": id, "Action": action, "Direction": "In", "Protocols": "", "RemoteAddresses": "10.224.0.0/12", "RuleType": "Switch", "Priority": priority});
    [own("Allow", 222), own("Block", 3000)]
}

fn a_policy_of_npm_is_kept(scene: &Scene<'_>) -> Finding {
    kept(scene, "Add", &npm("azure-acl-exam-web"))
}

fn the_rules_of_azure_cni_are_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Add",
        &[
            json!({"Action": "Block", "Direction": "Out", "Protocols": "6", "RemoteAddresses": "168.63.129.16/32", "RemotePorts": "80", "Priority": 200, "RuleType": "Switch"}),
            json!({"Action": "Allow", "Direction": "In", "Priority": 65500}),
            json!({"Action": "Allow", "Direction": "Out", "Priority": 65500}),
        ],
    )
}

fn the_rules_of_azure_cns_are_kept(scene: &Scene<'_>) -> Finding {
    let mut rules = Vec::new();
    for (action, priority) in [("Block", 2000), ("Allow", 1000)] {
        for protocol in ["1", "6", "17"] {
            rules.push(json!({"Action": action, "Direction": "In", "Protocols": protocol, "LocalAddresses": "169.254.128.10", "RuleType": "Switch", "Priority": priority}));
        }
    }
    kept(scene, "Add", &rules)
}

fn the_default_deny_of_swift_is_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Add",
        &[
            json!({"Action": "Block", "Direction": "In", "Priority": 10_000}),
            json!({"Action": "Block", "Direction": "Out", "Priority": 10_000}),
        ],
    )
}

fn the_default_deny_of_calico_is_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Update",
        &[
            json!({"Id": "CNIDefaultDenyAllPolicy", "Action": "Block", "Direction": "In", "Protocols": "256", "RuleType": "Switch", "Priority": 65500}),
        ],
    )
}

fn the_rules_of_felix_are_kept(scene: &Scene<'_>) -> Finding {
    // Felix writes by version 1, one number a protocol.
    let own = |id: &str, direction: &str, kind: &str, priority: u16| json!({"Type": "ACL", "Id": id, "Action": "Allow", "Direction": direction, "Protocol": 256, "RuleType": kind, "Priority": priority});
    let rules = json!([
        own("allow-host-to-endpoint", "In", "Switch", 900),
        own("API-exam", "In", "Switch", 1000),
        own("allow-all-in-host", "In", "Host", 0),
        own("allow-all-out-host", "Out", "Host", 0),
    ]);
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}", text(&made, "ID"));
    scene.call("POST", &path, &json!({"Policies": rules}).to_string())?;
    let found = scene.call("GET", &path, "")?["Policies"].clone();
    equal("rules", count(&found), 4)?;
    for (found, sent) in found
        .as_array()
        .into_iter()
        .flatten()
        .zip(rules.as_array().into_iter().flatten())
    {
        has("ACL", found, sent)?;
    }
    Ok(())
}

fn the_rules_of_windows_container_networking_are_kept(scene: &Scene<'_>) -> Finding {
    kept(
        scene,
        "Add",
        &[
            json!({"Action": "Block", "Direction": "Out", "RemoteAddresses": "168.63.129.16/32,169.254.169.254", "Priority": 49}),
            json!({"Action": "Allow", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 1000}),
            json!({"Action": "Allow", "Direction": "Out", "Priority": 5000}),
        ],
    )
}

fn npm_takes_one_policy_out_by_sending_the_rest(scene: &Scene<'_>) -> Finding {
    // Get, filter by Id, Update: the one way that shipping code relies on.
    let endpoint = scene.any_endpoint()?;
    for id in ["azure-acl-exam-web", "azure-acl-exam-db"] {
        let policies: Vec<Value> = npm(id).into_iter().map(|own| policy("ACL", own)).collect();
        works("add", scene.policies(endpoint, "Add", json!(policies)))?;
    }
    let mut rest = scene.rules(endpoint)?;
    rest.retain(|own| own["Settings"]["Id"] != "azure-acl-exam-web");
    works("update", scene.policies(endpoint, "Update", json!(rest)))?;
    let ids: Vec<Value> = scene
        .rules(endpoint)?
        .iter()
        .map(|own| own["Settings"]["Id"].clone())
        .collect();
    equal(
        "Ids",
        ids,
        vec![json!("azure-acl-exam-db"), json!("azure-acl-exam-db")],
    )
}
