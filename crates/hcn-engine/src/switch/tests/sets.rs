// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP sets: hns-behaviour 4.7 and 4.12, section 8 Q14.

use super::*;

fn set(id: &str, kind: &str, values: &str) -> String {
    format!(
        r#"{{"Type":"SetPolicy","Settings":{{"Id":"{id}","Name":"{id}","PolicyType":"{kind}","Values":"{values}"}}}}"#
    )
}

/// Endpoint 1 with these rules, on a network with the sets `web` (10.0.0.2, fd00::2), `net` (10.0.0.0/30), `none` (nothing).
fn scene(acls: &[&str]) -> Scene {
    Scene::with_acls(acls)
        .network_policy(set("web", "IPSET", "10.0.0.2,fd00::2"))
        .network_policy(set("net", "IPSET", "10.0.0.0/30"))
        .network_policy(set("none", "IPSET", ""))
        .network_policy(set("own", "IPSET", "10.0.0.1"))
}

fn allow(direction: &str, fields: &str) -> String {
    format!(r#"{{"Action":"Allow","Direction":"{direction}","Priority":222,{fields}}}"#)
}

#[test]
fn sets_in_local_are_the_source_and_in_remote_the_destination_in_both_directions() {
    // As Azure's policy agent writes it: source sets in Local, destination sets in Remote, ports by direction.
    let inward = scene(&[&allow(
        "In",
        r#""LocalAddresses":"web","RemoteAddresses":"own","Protocols":"6","LocalPorts":"80""#,
    )])
    .switch();
    allows(&inward, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&inward, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    blocks(&inward, "tcp 10.0.0.2:80 -> 10.0.0.1:50000");
    let outward = scene(&[&allow(
        "Out",
        r#""LocalAddresses":"own","RemoteAddresses":"web","Protocols":"6","RemotePorts":"80""#,
    )])
    .switch();
    allows(&outward, "tcp 10.0.0.1:50000 -> 10.0.0.2:80");
    blocks(&outward, "tcp 10.0.0.1:50000 -> 10.0.0.3:80");
    // Plain addresses in the same places mean the endpoint and the other side.
    let swapped = scene(&[&allow(
        "In",
        r#""LocalAddresses":"10.0.0.2","RemoteAddresses":"10.0.0.1""#,
    )])
    .switch();
    blocks(&swapped, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
}

#[test]
fn sets_have_addresses_of_both_families() {
    let switch = scene(&[&allow("In", r#""LocalAddresses":"web""#)]).switch();
    allows(&switch, "tcp [fd00::2]:50000 -> [fd00::1]:80");
    blocks(&switch, "tcp [fd00::3]:50000 -> [fd00::1]:80");
    // A set without an address of a family matches none of that family.
    let v4 = scene(&[&allow("In", r#""LocalAddresses":"net""#)]).switch();
    allows(&v4, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&v4, "tcp [fd00::2]:50000 -> [fd00::1]:80");
}

#[test]
fn several_sets_in_one_field_must_all_hold_the_address() {
    let rule = allow("In", r#""LocalAddresses":"web,net""#);
    let scene = scene(&[&rule]).network_policy(set("all", "IPSET", "10.0.0.0/8"));
    let switch = scene.switch();
    allows(&switch, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&switch, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    let union = scene
        .semantics(|semantics| semantics.several_sets = SeveralSets::Union)
        .switch();
    allows(&union, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    blocks(&union, "tcp 10.0.0.4:50000 -> 10.0.0.1:80");
}

#[test]
fn sets_and_addresses_in_one_field_must_both_match() {
    // In: the address is the endpoint's, the set is the source.
    let switch = scene(&[&allow("In", r#""LocalAddresses":"10.0.0.1,10.0.0.9,web""#)]).switch();
    allows(&switch, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&switch, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    let foreign = scene(&[&allow("In", r#""LocalAddresses":"10.0.0.9,web""#)]).switch();
    blocks(&foreign, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    // Out: both are the source.
    let outward = scene(&[&allow("Out", r#""RemoteAddresses":"10.0.0.0/24,web""#)]).switch();
    allows(&outward, "tcp 10.0.0.1:50000 -> 10.0.0.2:80");
    blocks(&outward, "tcp 10.0.0.1:50000 -> 10.0.0.3:80");
}

#[test]
fn an_empty_set_matches_no_address() {
    let switch = scene(&[&allow("In", r#""LocalAddresses":"none""#)]).switch();
    blocks(&switch, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
}

#[test]
fn a_nested_set_is_the_union_of_its_members() {
    let rule = allow("In", r#""LocalAddresses":"nested""#);
    let switch = scene(&[&rule])
        .network_policy(set("more", "IPSET", "10.0.0.7"))
        .network_policy(set("nested", "NESTEDIPSET", "web,more"))
        .switch();
    for source in ["10.0.0.2", "10.0.0.7"] {
        allows(&switch, &format!("tcp {source}:50000 -> 10.0.0.1:80"));
    }
    blocks(&switch, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
}

/// Why Azure's policy agent puts a dummy set into empty lists (4.7).
#[test]
fn an_empty_nested_set_matches_every_address_and_one_with_an_empty_member_none() {
    let rule = allow("In", r#""LocalAddresses":"nested""#);
    let empty = scene(&[&rule])
        .network_policy(set("nested", "NESTEDIPSET", ""))
        .switch();
    allows(&empty, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    allows(&empty, "tcp [fd00::3]:50000 -> [fd00::1]:80");
    let dummy = scene(&[&rule])
        .network_policy(set("nested", "NESTEDIPSET", "none"))
        .switch();
    blocks(&dummy, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
}

#[test]
fn a_set_that_changed_takes_effect_on_existing_rules() {
    let rule = allow("In", r#""LocalAddresses":"late""#);
    let with = |values| {
        scene(&[&rule])
            .network_policy(set("late", "IPSET", values))
            .switch()
    };
    blocks(&with("10.0.0.4"), "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    allows(
        &with("10.0.0.4,10.0.0.3"),
        "tcp 10.0.0.3:50000 -> 10.0.0.1:80",
    );
}

#[test]
fn tiers_and_network_rules_know_the_sets_of_their_network() {
    const TIER: &str = r#"{"Type":"TierAcl","Settings":{"Name":"t","Direction":"In","TierAclRules":[{"TierAclRuleAction":"Allow","LocalAddresses":"web"}]}}"#;
    let tier = Scene::new()
        .network_policy(set("web", "IPSET", "10.0.0.2"))
        .endpoint(1, vec![TIER.to_owned()])
        .switch();
    allows(&tier, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&tier, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    const NETWORK_RULE: &str = r#"{"Type":"NetworkACL","Settings":{"Action":"Allow","Direction":"In","LocalAddresses":"web"}}"#;
    let network = scene(&[]).network_policy(NETWORK_RULE).switch();
    allows(&network, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&network, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
}

#[test]
fn members_that_do_not_exist_and_bad_values_are_told() {
    let rule = allow("In", r#""LocalAddresses":"nested""#);
    let (switch, faults) = scene(&[&rule])
        .network_policy(set("nested", "NESTEDIPSET", "web,gone,nested"))
        .network_policy(set("bad", "IPSET", "10.0.0.1,host"))
        .network_policy(set("loose", "IPSET", "10.0.0.1/24"))
        .compile();
    let told: Vec<(&str, bool)> = faults
        .iter()
        .map(|fault| {
            (
                fault.pointer.as_str(),
                fault.message.ends_with("it is left out"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/Policies/4/Settings/Values", true),
            ("/Policies/4/Settings/Values", true),
            ("/Policies/5/Settings/Values", true),
            ("/Policies/6/Settings/Values", false),
        ]
    );
    // What is left of the nested set still works.
    allows(&switch, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    blocks(&switch, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
}
