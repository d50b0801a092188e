// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tiers: hns-behaviour 4.14, section 8 Q13.

use super::*;

fn tier(direction: &str, order: u16, rules: &[&str]) -> String {
    format!(
        r#"{{"Type":"TierAcl","Settings":{{"Name":"tier-{order}","Direction":"{direction}","Order":{order},"TierAclRules":[{}]}}}}"#,
        rules.join(",")
    )
}

fn rule(action: &str, priority: u16, fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!(r#"{{"TierAclRuleAction":"{action}","Priority":{priority}{comma}{fields}}}"#)
}

fn scene(tiers: Vec<String>) -> Scene {
    Scene::new().endpoint(1, tiers).endpoint(2, Vec::new())
}

const IN_80: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:80";
const IN_81: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:81";
const IN_82: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:82";
const OUT_80: &str = "tcp 10.0.0.1:50000 -> 10.0.0.2:80";

/// Three tiers each way as the client library's test has them: specific rules, then a Block of everything.
#[test]
fn tiers_are_asked_by_order_and_pass_goes_on_to_the_next() {
    let first = tier(
        "In",
        1001,
        &[
            &rule("Pass", 2000, r#""LocalPorts":"80,81""#),
            &rule("Allow", 2050, r#""LocalPorts":"82""#),
            &rule("Block", 2100, ""),
        ],
    );
    let second = tier(
        "In",
        1002,
        &[
            &rule("Pass", 3000, r#""LocalPorts":"81""#),
            &rule("Allow", 3010, r#""LocalPorts":"80""#),
            &rule("Block", 3100, ""),
        ],
    );
    let third = tier("In", 1013, &[&rule("Block", 3010, "")]);
    // The order of the policies is not the order of the tiers.
    let switch = scene(vec![third, first, second]).switch();
    allows(&switch, IN_80);
    assert_eq!(
        decider(&switch, IN_80),
        "/Policies/2/Settings/TierAclRules/1"
    );
    blocks(&switch, IN_81);
    assert_eq!(
        decider(&switch, IN_81),
        "/Policies/0/Settings/TierAclRules/0"
    );
    allows(&switch, IN_82);
    assert_eq!(
        decider(&switch, IN_82),
        "/Policies/1/Settings/TierAclRules/1"
    );
    blocks(&switch, "icmp 10.0.0.2 -> 10.0.0.1");
    assert_eq!(
        decider(&switch, "icmp 10.0.0.2 -> 10.0.0.1"),
        "/Policies/1/Settings/TierAclRules/2"
    );
}

#[test]
fn a_tier_without_a_match_goes_on_to_the_next() {
    let first = tier("In", 1, &[&rule("Block", 1, r#""LocalPorts":"81""#)]);
    let second = tier("In", 2, &[&rule("Allow", 1, "")]);
    let switch = scene(vec![first, second]).switch();
    allows(&switch, IN_80);
    blocks(&switch, IN_81);
}

#[test]
fn within_a_tier_the_lower_priority_wins_and_block_wins_a_tie() {
    let rules = [
        rule("Allow", 20, r#""LocalPorts":"80""#),
        rule("Block", 10, r#""LocalPorts":"80""#),
        rule("Allow", 30, r#""LocalPorts":"81""#),
        rule("Block", 30, r#""LocalPorts":"81""#),
        rule("Pass", 40, r#""LocalPorts":"82""#),
        rule("Allow", 40, r#""LocalPorts":"82""#),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let switch = scene(vec![tier("In", 1, &rules)]).switch();
    blocks(&switch, IN_80);
    assert!(!at_one(&switch, IN_80).1.tie);
    blocks(&switch, IN_81);
    assert!(at_one(&switch, IN_81).1.tie);
    allows(&switch, IN_82);
    assert!(at_one(&switch, IN_82).1.tie);
}

#[test]
fn priorities_count_within_their_tier_only() {
    let first = tier("In", 1, &[&rule("Allow", 60_000, "")]);
    let second = tier("In", 2, &[&rule("Block", 1, "")]);
    let switch = scene(vec![first, second]).switch();
    allows(&switch, IN_80);
    assert!(!at_one(&switch, IN_80).1.tie);
}

#[test]
fn what_no_tier_decides_is_blocked_in_both_directions() {
    let only_in = tier(
        "In",
        1,
        &[
            &rule("Allow", 1, r#""LocalPorts":"80""#),
            &rule("Pass", 2, ""),
        ],
    );
    let switch = scene(vec![only_in]).switch();
    allows(&switch, IN_80);
    for text in [IN_81, OUT_80] {
        blocks(&switch, text);
        let (_, cause) = at_one(&switch, text);
        assert_eq!((cause.layer, cause.reason), (Layer::Tier, Reason::Default));
    }
}

#[test]
fn what_no_tier_decides_passes_where_the_semantics_say_so() {
    let only_in = tier("In", 1, &[&rule("Block", 1, r#""LocalPorts":"80""#)]);
    let scene = scene(vec![only_in]).semantics(|semantics| semantics.tier_default_deny = false);
    let switch = scene.switch();
    blocks(&switch, IN_80);
    allows(&switch, IN_81);
    allows(&switch, OUT_80);
    let (_, cause) = at_one(&switch, IN_81);
    assert_eq!(
        (cause.layer, cause.reason),
        (Layer::Tier, Reason::DefaultAllow)
    );
}

#[test]
fn the_default_deny_of_tiers_may_be_of_ruled_directions_only() {
    let only_in = tier("In", 1, &[&rule("Allow", 1, r#""LocalPorts":"80""#)]);
    let switch = scene(vec![only_in])
        .semantics(|semantics| semantics.default_deny = DefaultDeny::RuledDirections)
        .switch();
    blocks(&switch, IN_81);
    allows(&switch, OUT_80);
}

#[test]
fn a_tier_without_rules_turns_on_the_default_deny_all_the_same() {
    let switch = scene(vec![tier("In", 1, &[])]).switch();
    blocks(&switch, IN_80);
    blocks(&switch, OUT_80);
}

#[test]
fn tiers_and_rules_must_both_allow() {
    let tiers = tier("In", 1, &[&rule("Allow", 1, r#""LocalPorts":"80,81""#)]);
    let acl =
        acl_policy(r#"{"Action":"Allow","Direction":"In","LocalPorts":"81,82","Priority":1}"#);
    let switch = scene(vec![acl, tiers]).switch();
    blocks(&switch, IN_80);
    assert_eq!(at_one(&switch, IN_80).1.layer, Layer::Switch);
    allows(&switch, IN_81);
    blocks(&switch, IN_82);
    assert_eq!(at_one(&switch, IN_82).1.layer, Layer::Tier);
}

#[test]
fn the_cause_names_the_tier() {
    let switch = scene(vec![tier(
        "In",
        7,
        &[&rule("Block", 5, r#""Protocols":"6","Id":"r""#)],
    )])
    .switch();
    let rule = at_one(&switch, IN_80).1.rule.unwrap();
    assert_eq!(
        rule.text,
        "TierAclRuleAction=Block; Direction=In; Priority=5; Protocols=6; Tier=tier-7; Order=7"
    );
    assert_eq!(rule.id.as_deref(), Some("r"));
    assert_eq!(rule.action, Decision::Block);
}

#[test]
fn rules_of_both_directions_are_told_apart() {
    let inward = tier("In", 1, &[&rule("Block", 5, ""), &rule("Allow", 6, "")]);
    let outward = tier(
        "Out",
        1,
        &[
            &rule("Allow", 5, r#""RemotePorts":"80""#),
            &rule("Block", 6, ""),
        ],
    );
    let switch = scene(vec![inward, outward]).switch();
    assert_eq!(
        decider(&switch, IN_80),
        "/Policies/0/Settings/TierAclRules/0"
    );
    assert_eq!(
        decider(&switch, OUT_80),
        "/Policies/1/Settings/TierAclRules/0"
    );
    assert_eq!(
        decider(&switch, "icmp 10.0.0.1 -> 10.0.0.2"),
        "/Policies/1/Settings/TierAclRules/1"
    );
}
