// SPDX-License-Identifier: MIT OR Apache-2.0
//! Intents on endpoints with and without rules of others; expectations are the rules as HNS words them, by hand.

use hcn_schema::Document;
use serde_json::{Value, json};

use super::*;

fn endpoint(policies: &Value) -> Endpoint {
    Endpoint::from_value(
        &json!({"ID": "edffc876-3051-46ec-80b3-820dda20aa14", "Policies": policies}),
    )
    .unwrap()
}

fn intent(action: AclAction) -> Intent {
    Intent {
        action,
        direction: AclDirection::In,
        protocol: Some(6),
        ports: Some((80, 80)),
        peer: None,
    }
}

/// The endpoint after a plan, as HNS would keep it.
fn after(endpoint: &Endpoint, plan: &Plan) -> Endpoint {
    plan.outcome(endpoint)
}

fn rules(plan: &Plan) -> Vec<Value> {
    plan.update
        .as_ref()
        .unwrap()
        .iter()
        .map(|policy| Value::Object(policy.settings.or_default()))
        .collect()
}

#[test]
fn the_first_block_brings_the_baseline() {
    let plan = plan(&endpoint(&json!([])), &intent(AclAction::Block));
    assert_eq!(
        rules(&plan),
        [
            json!({"Protocols": "6", "Action": "Block", "Direction": "In", "LocalPorts": "80", "RuleType": "Switch", "Priority": 229, "Id": "hcnctl:in:6:80:any"}),
            json!({"Action": "Allow", "Direction": "In", "RuleType": "Switch", "Priority": 65500, "Id": "hcnctl:baseline:in"}),
            json!({"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500, "Id": "hcnctl:baseline:out"}),
        ]
    );
    assert!(plan.notes[0].contains("baseline"), "{:?}", plan.notes);
}

#[test]
fn the_same_block_again_changes_nothing() {
    let before = endpoint(&json!([]));
    let next = after(&before, &plan(&before, &intent(AclAction::Block)));
    assert_eq!(plan(&next, &intent(AclAction::Block)).update, None);
}

#[test]
fn allowing_what_was_blocked_leaves_no_rule_behind() {
    let before = endpoint(&json!([{"Type": "OutBoundNAT", "Settings": {}}]));
    let blocked = after(&before, &plan(&before, &intent(AclAction::Block)));
    let allowed = plan(&blocked, &intent(AclAction::Allow));
    assert_eq!(allowed.update, Some(Vec::new()));
    assert_eq!(allowed.removed.len(), 3);
    assert_eq!(after(&blocked, &allowed), before);
    assert_eq!(plan(&before, &intent(AclAction::Allow)).update, None);
}

#[test]
fn rules_of_others_are_sent_back_as_they_were_and_the_default_stays_theirs() {
    let theirs = json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Protocols": "17", "Priority": 300, "Scope": 0, "Mystery": "kept"}});
    let before = endpoint(&json!([theirs]));
    let plan = plan(&before, &intent(AclAction::Block));
    let sent = plan.update.clone().unwrap();
    assert_eq!(sent[0].to_value(), theirs);
    assert_eq!(
        sent.len(),
        2,
        "no baseline: it would open what their rules leave closed"
    );
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("of others decide")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn an_allow_beside_rules_of_others_is_a_rule() {
    let before = endpoint(
        &json!([{"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 50}}]),
    );
    let plan = plan(&before, &intent(AclAction::Allow));
    assert_eq!(plan.added.len(), 1);
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("1 rule(s) of others in this direction are stronger")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn the_narrower_intent_is_the_stronger_rule() {
    let address = Peer {
        text: "10.0.0.1".into(),
        open_bits: 0,
    };
    let subnet = Peer {
        text: "10.0.0.0/24".into(),
        open_bits: 8,
    };
    let of = |ports, protocol, peer: Option<&Peer>| {
        Intent {
            protocol,
            ports,
            peer: peer.cloned(),
            ..intent(AclAction::Block)
        }
        .priority()
    };
    let order = [
        of(Some((80, 80)), Some(6), Some(&address)),
        of(Some((80, 80)), Some(6), Some(&subnet)),
        of(Some((80, 80)), Some(6), None),
        of(Some((80, 90)), Some(6), Some(&address)),
        of(None, Some(6), Some(&address)),
        of(None, Some(6), None),
        of(None, None, Some(&address)),
        of(None, None, None),
    ];
    assert_eq!(order[0], 100);
    assert!(
        order.is_sorted() && order.windows(2).all(|pair| pair[0] != pair[1]),
        "{order:?}"
    );
}

#[test]
fn out_rules_name_the_port_of_the_other_side() {
    let out = Intent {
        direction: AclDirection::Out,
        peer: Some(Peer {
            text: "10.0.0.1".into(),
            open_bits: 0,
        }),
        ..intent(AclAction::Block)
    };
    let rule = out.rule().to_map();
    assert_eq!(
        (rule.get("RemotePorts"), rule.get("LocalPorts")),
        (Some(&json!("80")), None)
    );
    assert_eq!(rule.get("RemoteAddresses"), Some(&json!("10.0.0.1")));
}

#[test]
fn clearing_takes_only_what_is_ours() {
    let theirs =
        json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 300}});
    let before = endpoint(&json!([theirs]));
    let blocked = after(&before, &plan(&before, &intent(AclAction::Block)));
    assert_eq!(after(&blocked, &plan_clear(&blocked)), before);
    assert_eq!(plan_clear(&before).update, None);
}

#[test]
fn blocking_and_allowing_in_any_order_leaves_nothing_once_all_is_allowed() {
    let ports = [80, 81, 443, 8080];
    // Every order of blocks and allows of a counter's bits, then an allow of each.
    for pattern in 0..256u32 {
        let mut now = endpoint(&json!([]));
        let steps = (0..8).map(|step| (pattern >> step & 1 == 0, ports[step % 4]));
        let last = ports.iter().map(|port| (false, *port));
        for (block, port) in steps.chain(last) {
            let action = if block {
                AclAction::Block
            } else {
                AclAction::Allow
            };
            now = after(
                &now,
                &plan(
                    &now,
                    &Intent {
                        ports: Some((port, port)),
                        ..intent(action)
                    },
                ),
            );
        }
        assert_eq!(now.policies.or_default(), [], "{pattern:08b}");
    }
}

#[test]
fn an_allow_inside_a_wider_block_is_a_rule_and_goes_with_the_block() {
    let wide = Intent {
        ports: None,
        ..intent(AclAction::Block)
    };
    let before = endpoint(&json!([]));
    let blocked = after(&before, &plan(&before, &wide));
    let allowed = plan(&blocked, &intent(AclAction::Allow));
    assert_eq!(allowed.added.len(), 1, "{allowed:?}");
    let allowed = after(&blocked, &allowed);
    let opened = plan(
        &allowed,
        &Intent {
            action: AclAction::Allow,
            ..wide
        },
    );
    assert_eq!(opened.update, Some(Vec::new()));
}

#[test]
fn a_narrower_block_of_ours_that_still_decides_is_told() {
    let before = endpoint(&json!([]));
    let one = Intent {
        peer: Some(Peer {
            text: "10.0.0.1".into(),
            open_bits: 0,
        }),
        ..intent(AclAction::Block)
    };
    let blocked = after(&before, &plan(&before, &one));
    let allowed = plan(&blocked, &intent(AclAction::Allow));
    assert!(
        allowed
            .notes
            .iter()
            .any(|note| note.contains("still decides before it")),
        "{:?}",
        allowed.notes
    );
}
