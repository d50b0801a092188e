// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoint policies: Add, Update, Remove and Reset, over both APIs (hns-behaviour 2.11, 4.9 to 4.11, 7.2).

use hcn_api::{HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::scene::{Scene, V2, acl, code, guid, mapping, policy_request};

/// An endpoint with what a CNI plugin gives it at its making.
fn scene() -> (Scene, Guid) {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(
        network,
        json!({"IpConfigurations": [{"IpAddress": "192.168.100.9"}], "Policies": created()}),
    );
    (scene, id)
}

fn created() -> Value {
    json!([
        {"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8", "192.168.0.1"]}},
        {"Type": "SDNRoute", "Settings": {"DestinationPrefix": "10.96.0.0/12", "NeedEncap": true}},
        mapping(6, 80, 8080),
    ])
}

fn rule(action: &str, priority: u32) -> Value {
    acl(
        json!({"Action": action, "Direction": "In", "Priority": priority, "Id": format!("r{priority}"), "Scope": 0}),
    )
}

fn shown(scene: &Scene, id: Guid) -> Value {
    scene
        .endpoint_two(id)
        .get("Policies")
        .cloned()
        .unwrap_or_default()
}

/// What was created, and then the rules.
fn with(rules: &[Value]) -> Value {
    let mut all = created();
    all.as_array_mut().unwrap().extend(rules.iter().cloned());
    all
}

#[test]
fn what_is_created_is_answered_as_it_was_sent() {
    let (scene, id) = scene();
    assert_eq!(shown(&scene, id), created());
}

#[test]
fn add_appends_and_does_not_look_for_doubles() {
    let (scene, id) = scene();
    for _ in 0..2 {
        scene
            .policies(id, "Add", json!([rule("Block", 100), rule("Allow", 200)]))
            .unwrap();
    }
    let rules = [
        rule("Block", 100),
        rule("Allow", 200),
        rule("Block", 100),
        rule("Allow", 200),
    ];
    assert_eq!(shown(&scene, id), with(&rules));
    // WCN adds a loopback NAT after creation; win-bridge sends two at once (clients 1.6).
    let nat = json!({"Type": "OutBoundNAT", "Settings": {"Destinations": ["10.0.0.1"]}});
    scene.policies(id, "Add", json!([nat])).unwrap();
    assert_eq!(shown(&scene, id)[7], nat);
}

#[test]
fn update_replaces_rules_and_keeps_what_creation_gave() {
    let (scene, id) = scene();
    scene
        .policies(id, "Add", json!([rule("Block", 100), rule("Allow", 200)]))
        .unwrap();
    scene
        .policies(id, "Update", json!([rule("Allow", 300)]))
        .unwrap();
    assert_eq!(shown(&scene, id), with(&[rule("Allow", 300)]));
}

#[test]
fn update_that_sends_creations_policies_again_does_not_double_them() {
    let (scene, id) = scene();
    let others = created().as_array().unwrap().clone();
    // NPM sends the others first, as it read them (hns-behaviour 4.10).
    let mut all = others.clone();
    all.push(rule("Allow", 300));
    for _ in 0..2 {
        scene.policies(id, "Update", json!(all)).unwrap();
        assert_eq!(shown(&scene, id), json!(all));
    }
    // Of a type that is sent, what is sent is what there is.
    let nat = json!({"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}});
    scene.policies(id, "Update", json!([nat])).unwrap();
    assert_eq!(shown(&scene, id), json!([others[1], others[2], nat]));
}

/// NPM's last removal has no `Policies` at all, psm1 sends an empty policy (clients 1.6, hns-behaviour 4.10).
#[test]
fn update_with_nothing_clears_the_rules() {
    let (scene, id) = scene();
    let envelope = |settings: Option<Value>| {
        let mut request = json!({"ResourceType": "Policy", "RequestType": "Update"});
        if let Some(settings) = settings {
            request["Settings"] = settings;
        }
        request
    };
    for settings in [
        Some(json!({})),
        Some(json!({"Policies": []})),
        Some(json!({"Policies": [{}]})),
        Some(json!({"Policies": null})),
        Some(json!(null)),
        None,
    ] {
        scene
            .policies(id, "Add", json!([rule("Block", 100)]))
            .unwrap();
        assert_eq!(shown(&scene, id), with(&[rule("Block", 100)]));
        scene
            .modify(Kind::Endpoint, id, &envelope(settings))
            .unwrap();
        assert_eq!(shown(&scene, id), created());
    }
}

#[test]
fn an_endpoint_without_policies_has_no_such_member() {
    let scene = Scene::new();
    let network = scene.nat();
    let id = scene.endpoint(network, json!({}));
    scene
        .policies(id, "Add", json!([rule("Block", 100)]))
        .unwrap();
    scene.policies(id, "Update", json!([])).unwrap();
    assert_eq!(scene.endpoint_two(id).get("Policies"), None);
    assert_eq!(scene.one(Kind::Endpoint, id).get("Policies"), None);
}

#[test]
fn requests_are_taken_by_number_too() {
    let (scene, id) = scene();
    // Policy is 1, Add 0, Update 2 (hns-behaviour 2.11).
    let ask = |verb: u32, policies: Value| {
        let request =
            json!({"ResourceType": 1, "RequestType": verb, "Settings": {"Policies": policies}});
        scene.modify(Kind::Endpoint, id, &request).unwrap();
    };
    ask(0, json!([rule("Block", 100)]));
    assert_eq!(shown(&scene, id), with(&[rule("Block", 100)]));
    ask(2, json!([]));
    assert_eq!(shown(&scene, id), created());
}

/// 4.11: only what equals the stored settings member for member goes, one instance at a time; the rest is S_OK.
#[test]
fn remove_takes_exactly_what_is_stored() {
    let (scene, id) = scene();
    let sent = acl(json!({"Action": "Block", "Direction": "In", "Priority": 100}));
    scene.policies(id, "Add", json!([sent, sent])).unwrap();
    scene.policies(id, "Remove", json!([sent])).unwrap();
    let stored = acl(json!({"Action": "Block", "Direction": "In", "Priority": 100, "Scope": 0}));
    assert_eq!(shown(&scene, id), with(&[stored.clone(), stored.clone()]));
    scene.policies(id, "Remove", json!([stored])).unwrap();
    assert_eq!(shown(&scene, id), with(std::slice::from_ref(&stored)));
    // Both of a pair in one request, of which one is left.
    scene
        .policies(id, "Remove", json!([stored, stored]))
        .unwrap();
    assert_eq!(shown(&scene, id), created());
}

/// hcnproxyctrl removes what it read (hns-behaviour 4.11).
#[test]
fn a_proxy_goes_by_what_was_read() {
    let (scene, id) = scene();
    let proxy = json!({"Type": "L4WFPPROXY", "Settings": {
        "InboundProxyPort": "80", "OutboundProxyPort": "81", "UserSID": "S-1-5-32-556",
        "FilterTuple": {"Protocols": "6", "RemoteAddresses": "10.0.0.4", "Priority": 8},
        "InboundExceptions": {}, "OutboundExceptions": {"IpAddressExceptions": ["10.0.0.5"]},
    }});
    scene.policies(id, "Add", json!([proxy])).unwrap();
    let stored = shown(&scene, id)[3].clone();
    assert_eq!(stored, proxy);
    scene.policies(id, "Remove", json!([stored])).unwrap();
    assert_eq!(shown(&scene, id), created());
}

#[test]
fn a_removed_port_is_free_and_the_others_stay_taken() {
    let (scene, id) = scene();
    scene
        .policies(id, "Add", json!([mapping(6, 81, 8081)]))
        .unwrap();
    scene
        .policies(id, "Remove", json!([mapping(6, 80, 8080)]))
        .unwrap();
    let network = guid(
        scene.endpoint_two(id)["HostComputeNetwork"]
            .as_str()
            .unwrap(),
    );
    let other = scene.endpoint(network, json!({"Policies": [mapping(6, 80, 8080)]}));
    assert_eq!(
        code(scene.policies(other, "Add", json!([mapping(6, 80, 8081)]))),
        HcnCode::HCN_E_PORT_ALREADY_EXISTS
    );
}

#[test]
fn an_update_moves_a_published_port() {
    let (scene, id) = scene();
    scene
        .policies(id, "Update", json!([mapping(6, 80, 9090)]))
        .unwrap();
    let network = guid(
        scene.endpoint_two(id)["HostComputeNetwork"]
            .as_str()
            .unwrap(),
    );
    let other = scene.endpoint(network, json!({"Policies": [mapping(6, 80, 8080)]}));
    assert_eq!(
        code(scene.policies(other, "Add", json!([mapping(6, 80, 9090)]))),
        HcnCode::HCN_E_PORT_ALREADY_EXISTS
    );
}

/// Q40: back to what was created, and the books with it.
#[test]
fn reset_puts_back_what_was_created() {
    let (scene, id) = scene();
    let reset = || {
        scene.modify(
            Kind::Endpoint,
            id,
            &json!({"ResourceType": "Policy", "RequestType": "Reset"}),
        )
    };
    scene
        .policies(id, "Add", json!([rule("Block", 100)]))
        .unwrap();
    scene
        .policies(id, "Update", json!([mapping(6, 80, 9090)]))
        .unwrap();
    reset().unwrap();
    assert_eq!(shown(&scene, id), created());
    let network = guid(
        scene.endpoint_two(id)["HostComputeNetwork"]
            .as_str()
            .unwrap(),
    );
    let other = scene.endpoint(network, json!({"Policies": [mapping(6, 80, 9090)]}));
    assert_eq!(
        code(scene.policies(other, "Add", json!([mapping(6, 80, 8080)]))),
        HcnCode::HCN_E_PORT_ALREADY_EXISTS
    );
    // Where another endpoint has the port by now, nothing is reset.
    scene
        .policies(id, "Update", json!([mapping(6, 80, 7070)]))
        .unwrap();
    scene
        .policies(other, "Add", json!([mapping(6, 80, 8080)]))
        .unwrap();
    let before = scene.everything();
    assert_eq!(code(reset()), HcnCode::HCN_E_PORT_ALREADY_EXISTS);
    assert_eq!(scene.everything(), before);
}

/// NPM finds its own rules by `Id`; felix's single members come back too (hns-behaviour 4.9; clients 1.6).
#[test]
fn every_member_of_a_rule_comes_back() {
    let (scene, id) = scene();
    let felix = json!({"Action": "Allow", "Direction": "In", "Id": "felix-1", "InternalPort": 0, "LocalAddresses": "", "LocalPort": 0, "Priority": 1000, "Protocol": 256, "RemoteAddresses": "10.0.0.0/8", "RemotePort": 0, "RuleType": "Switch", "Scope": 0, "ServiceName": "", "Type": "ACL"});
    scene.call(
        "POST",
        &format!("/endpoints/{id}"),
        &json!({"Policies": [felix]}).to_string(),
    );
    let one = scene.one(Kind::Endpoint, id);
    assert_eq!(one["Policies"].as_array().unwrap().last(), Some(&felix));
    let unknown = acl(
        json!({"Action": "Block", "Direction": "Out", "Id": "azure-acl-1", "Colour": "red", "Scope": 0}),
    );
    scene.policies(id, "Update", json!([unknown])).unwrap();
    assert_eq!(shown(&scene, id), with(&[unknown]));
}

/// hns-behaviour 1.7 and 4.10, Q42.
#[test]
fn a_v1_post_overwrites_the_rules_and_without_policies_keeps_them() {
    let (scene, id) = scene();
    let post = |body: Value| scene.call("POST", &format!("/endpoints/{id}"), &body.to_string());
    post(
        json!({"Policies": [{"Type": "ACL", "Action": "Block", "Direction": "In", "Priority": 100}]}),
    );
    let blocked = shown(&scene, id);
    assert_eq!(blocked.as_array().unwrap().len(), 4);
    post(json!({"Name": "renamed"}));
    assert_eq!(shown(&scene, id), blocked);
    assert_eq!(scene.endpoint_two(id)["Name"], "renamed");
    // Go reads the endpoint, changes its policies and sends the whole back.
    let whole = scene.one(Kind::Endpoint, id);
    assert_eq!(post(whole.clone())["Policies"], whole["Policies"]);
    assert_eq!(shown(&scene, id), blocked);
    post(json!({"Policies": []}));
    assert_eq!(shown(&scene, id), created());
}

/// TestApplyTierAclPolicyOnEndpoint has six tiers by Update (hns-behaviour 7.2).
#[test]
fn tiers_are_applied_and_cleared_by_update() {
    let (scene, id) = scene();
    let tiers: Vec<Value> = [("In", 1001), ("In", 1002), ("In", 1013), ("Out", 1001), ("Out", 1002), ("Out", 1013)]
        .into_iter()
        .map(|(direction, order)| json!({"Type": "TierAcl", "Settings": {"Name": format!("{direction}{order}"), "Direction": direction, "Order": order, "TierAclRules": [
            {"Id": "pass", "Protocols": "6", "TierAclRuleAction": "Pass", "LocalAddresses": "192.168.100.0/24", "Priority": 2000},
            {"Id": "block", "TierAclRuleAction": "Block", "Priority": 3000},
        ]}}))
        .collect();
    scene.policies(id, "Update", json!(tiers)).unwrap();
    assert_eq!(shown(&scene, id), with(&tiers));
    scene.policies(id, "Update", json!([])).unwrap();
    assert_eq!(shown(&scene, id), created());
}

/// Old samples put settings beside the type (hns-behaviour 2.3); what is read so is stored so that it is read again.
#[test]
fn settings_beside_the_type_are_not_lost() {
    let (scene, id) = scene();
    let flat = json!({"Type": "ACL", "Action": "Block", "Direction": "In", "Priority": 100});
    scene.policies(id, "Update", json!([flat])).unwrap();
    assert_eq!(
        shown(&scene, id),
        with(&[acl(
            json!({"Action": "Block", "Direction": "In", "Priority": 100, "Scope": 0})
        )])
    );
}

#[test]
fn only_one_interface_parameters_policy_is_taken() {
    let (scene, id) = scene();
    let policy = json!({"Type": "InterfaceParameters", "Settings": {"Mtu": 1400}});
    scene.policies(id, "Add", json!([policy])).unwrap();
    // The code has no _E_ in its name (hns-behaviour 3.1).
    assert_eq!(
        code(scene.policies(id, "Add", json!([policy]))).0,
        0x803b_0036
    );
    scene.policies(id, "Update", json!([policy])).unwrap();
    assert_eq!(
        code(scene.policies(id, "Update", json!([policy, policy]))).0,
        0x803b_0036
    );
}

/// NPM sends 30 rules a call and hundreds of calls; nothing limits them (Q41).
#[test]
fn many_rules_are_kept_in_order() {
    let (scene, id) = scene();
    for batch in 0..10 {
        let rules: Vec<Value> = (0..30)
            .map(|number| rule("Block", 1000 + batch * 30 + number))
            .collect();
        scene.policies(id, "Add", json!(rules)).unwrap();
    }
    let rules: Vec<Value> = (0..300)
        .map(|number| rule("Block", 1000 + number))
        .collect();
    assert_eq!(shown(&scene, id), with(&rules));
}

#[test]
fn a_port_request_is_answered() {
    let (scene, id) = scene();
    for (verb, settings) in [
        (
            "Add",
            json!({"PortId": "aaaaaaaa-0000-4000-8000-000000000001", "VirtualNicName": "a--b"}),
        ),
        ("Refresh", json!(null)),
        ("Remove", json!({})),
    ] {
        scene
            .modify(
                Kind::Endpoint,
                id,
                &json!({"ResourceType": "Port", "RequestType": verb, "Settings": settings}),
            )
            .unwrap();
    }
    assert_eq!(
        code(scene.modify(Kind::Endpoint, id, &policy_request("Refresh", json!([])))),
        HcnCode::HCN_E_REQUEST_UNSUPPORTED
    );
}

/// Two clients who both read, and then both write: the second is told, and loses nothing of the first.
#[test]
fn a_change_of_what_was_seen_is_refused_where_another_was_faster() {
    let (scene, id) = scene();
    let object = ObjectId {
        kind: Kind::Endpoint,
        id,
    };
    let seen = scene.service.query(object, V2).unwrap();
    let add = |priority| policy_request("Add", json!([rule("Block", priority)])).to_string();
    assert!(scene.service.modify_seen(object, &seen, &add(100)).unwrap());
    let before = scene.everything();
    assert!(!scene.service.modify_seen(object, &seen, &add(200)).unwrap());
    assert_eq!(scene.everything(), before);
    let seen = scene.service.query(object, V2).unwrap();
    assert!(scene.service.modify_seen(object, &seen, &add(200)).unwrap());
    assert_eq!(
        shown(&scene, id),
        with(&[rule("Block", 100), rule("Block", 200)])
    );
}
