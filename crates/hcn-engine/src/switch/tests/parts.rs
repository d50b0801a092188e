// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an HNS does not have is left out (hns-behaviour 2.9, Q63).

use super::{Scene, acl_policy, allows, at_one, blocks};
use crate::{
    parts::{Part, Parts},
    semantics::UnknownPolicies,
    verdict::{Decision, Reason},
};

const IN_80: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:80";

fn lacking(scene: Scene, part: Part) -> Scene {
    scene.semantics(|own| own.lacks = Parts::NONE.with(part, true))
}

fn tiers() -> Scene {
    let tier = r#"{"Type":"TierAcl","Settings":{"Direction":"In","Order":1,"TierAclRules":[{"TierAclRuleAction":"Block","Priority":1}]}}"#;
    Scene::new()
        .endpoint(1, vec![tier.to_owned()])
        .endpoint(2, Vec::new())
}

#[test]
fn a_tier_that_the_hns_does_not_have_is_left_out_and_turns_no_default_on() {
    blocks(&tiers().switch(), IN_80);
    let (switch, faults) = lacking(tiers(), Part::TierAcl).compile();
    allows(&switch, IN_80);
    // The tier denied what goes out too, by default.
    allows(&switch, "tcp 10.0.0.1:1 -> 10.0.0.2:80");
    let [fault] = &faults[..] else {
        panic!("{faults:?}");
    };
    assert_eq!(
        (fault.pointer.as_str(), fault.message_of("HNS 9.2").as_str()),
        (
            "/Policies/0",
            "TierAcl is not in HNS 9.2; the policy is left out"
        )
    );
    // Q63 otherwise.
    let followed = lacking(tiers(), Part::TierAcl);
    let followed = followed.semantics(|own| own.unknown_policies = UnknownPolicies::Followed);
    blocks(&followed.switch(), IN_80);
}

#[test]
fn a_rule_that_names_a_set_goes_with_the_sets() {
    let set = |kind: &str, values: &str| {
        format!(
            r#"{{"Type":"SetPolicy","Settings":{{"Id":"s-{kind}","Name":"s","PolicyType":"{kind}","Values":"{values}"}}}}"#
        )
    };
    let scene = |named: &str| {
        let allow = format!(
            r#"{{"Action":"Allow","Direction":"In","LocalAddresses":"{named}","Priority":100}}"#
        );
        let block = r#"{"Action":"Block","Direction":"In","Priority":200}"#;
        let rules = vec![acl_policy(&allow), acl_policy(&allow), acl_policy(block)];
        Scene::new()
            .network_policy(set("IPSET", "10.0.0.2"))
            .network_policy(set("NESTEDIPSET", "s-IPSET"))
            .endpoint(1, rules)
            .endpoint(2, Vec::new())
    };
    for (named, part, decision) in [
        ("s-IPSET", Part::SetPolicy, Decision::Block),
        ("s-IPSET", Part::NestedIpSet, Decision::Allow),
        ("s-NESTEDIPSET", Part::NestedIpSet, Decision::Block),
        ("s-NESTEDIPSET", Part::SetPolicy, Decision::Block),
        ("s-IPSET", Part::TierAcl, Decision::Allow),
    ] {
        let (switch, faults) = lacking(scene(named), part).compile();
        assert_eq!(at_one(&switch, IN_80).0, decision, "{named} {part}");
        let told: Vec<String> = faults.iter().map(|fault| fault.message_of("it")).collect();
        match decision {
            Decision::Allow => assert_eq!(told, [""; 0]),
            Decision::Block => assert_eq!(
                told,
                [format!(
                    "{part} is not in it; this policy and 1 more are left out"
                )]
            ),
        }
    }
}

#[test]
fn rules_of_the_network_and_of_protocol_252_are_left_out() {
    let scene = || {
        Scene::new()
            .network_policy(
                r#"{"Type":"NetworkACL","Settings":{"Action":"Block","Direction":"In","Priority":1}}"#,
            )
            .endpoint(1, Vec::new())
            .endpoint(2, Vec::new())
    };
    blocks(&scene().switch(), IN_80);
    allows(&lacking(scene(), Part::NetworkAcl).compile().0, IN_80);
    let scene = || {
        Scene::with_acls(&[r#"{"Action":"Block","Direction":"In","Protocols":"252","Priority":1}"#])
    };
    blocks(&scene().switch(), IN_80);
    allows(&lacking(scene(), Part::Protocol252).compile().0, IN_80);
}

#[test]
fn an_endpoint_keeps_its_ipv4_addresses_alone() {
    let (switch, faults) = lacking(Scene::with_acls(&[]), Part::Ipv6).compile();
    assert!(switch.port_with("10.0.0.1".parse().unwrap()).is_some());
    assert!(switch.port_with("fd00::1".parse().unwrap()).is_none());
    let told = faults.iter().map(|fault| fault.message_of("HNS 9.2"));
    let words = "IPv6 beside IPv4 is not in HNS 9.2; the IPv6 addresses are left out";
    assert_eq!(told.collect::<Vec<_>>(), [words; 2]);
}

#[test]
fn rules_without_effect_are_not_said_to_be_missing() {
    // 4.1: Windows Server 2025 before April 2026.
    let scene = Scene::with_acls(&[r#"{"Action":"Block","Direction":"In"}"#]);
    let switch = scene
        .network_type("NAT")
        .semantics(|own| own.acl_on_nat = false)
        .switch();
    let (decision, cause) = at_one(&switch, IN_80);
    assert_eq!(
        (decision, cause.reason),
        (Decision::Allow, Reason::WithoutEffect)
    );
    let (_, cause) = at_one(&switch, "tcp 10.0.0.1:1 -> 10.0.0.2:80");
    assert_eq!(cause.reason, Reason::WithoutEffect);
    let of_two = super::flow(IN_80);
    let two = switch.port_with(of_two.source).unwrap();
    let ruling = switch.rule(two, crate::flow::Direction::Out, &of_two);
    let cause = switch.cause(two, crate::flow::Direction::Out, &of_two, ruling);
    assert_eq!(cause.reason, Reason::NoRules);
}
