// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which rule wins and what it matches: hns-behaviour 4.4 to 4.7, and section 8 Q1, Q4, Q16.

use super::*;

/// A rule of direction In with these fields, and an allow of everything behind it.
fn blocking(fields: &str) -> Switch {
    directed("In", fields)
}

fn directed(direction: &str, fields: &str) -> Switch {
    let rule = format!(r#"{{"Action":"Block","Direction":"{direction}","Priority":100,{fields}}}"#);
    Scene::with_acls(&[
        &rule,
        r#"{"Action":"Allow","Direction":"In","Priority":65500}"#,
        r#"{"Action":"Allow","Direction":"Out","Priority":65500}"#,
    ])
    .switch()
}

#[test]
fn the_lower_priority_number_wins_whatever_the_order_of_the_rules() {
    const STRONG: &str = r#"{"Action":"Allow","Direction":"In","Priority":100}"#;
    const WEAK: &str = r#"{"Action":"Block","Direction":"In","Priority":101}"#;
    const IN: &str = "udp 10.0.0.2:1 -> 10.0.0.1:2";
    for (acls, pointer) in [
        ([STRONG, WEAK], "/Policies/0"),
        ([WEAK, STRONG], "/Policies/1"),
    ] {
        let switch = Scene::with_acls(&acls).switch();
        allows(&switch, IN);
        assert_eq!(decider(&switch, IN), pointer);
        assert!(!at_one(&switch, IN).1.tie);
    }
}

#[test]
fn a_rule_without_priority_is_the_strongest() {
    const NONE: &str = r#"{"Action":"Block","Direction":"In"}"#;
    const ONE: &str = r#"{"Action":"Allow","Direction":"In","Priority":1}"#;
    let switch = Scene::with_acls(&[ONE, NONE]).switch();
    blocks(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:2");
    let (_, cause) = at_one(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:2");
    assert_eq!(cause.rule.unwrap().priority, 0);
}

#[test]
fn block_wins_a_tie_and_the_cause_says_that_it_was_one() {
    const ALLOW: &str = r#"{"Action":"Allow","Direction":"In","Priority":100}"#;
    const BLOCK_80: &str =
        r#"{"Action":"Block","Direction":"In","Priority":100,"Protocols":"6","LocalPorts":"80"}"#;
    let switch = Scene::with_acls(&[ALLOW, BLOCK_80]).switch();
    const TIED: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:80";
    blocks(&switch, TIED);
    let (_, cause) = at_one(&switch, TIED);
    assert!(cause.tie);
    assert_eq!(
        cause.to_string(),
        "Switch rule /Policies/1 of 00000000-0000-0000-0000-000000000001: \
         Action=Block; Direction=In; LocalPorts=80; Priority=100; Protocols=6 (a tie with a rule of the same priority)"
    );
    // Where only one of the two matches there is no tie.
    const ALONE: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:81";
    allows(&switch, ALONE);
    assert!(!at_one(&switch, ALONE).1.tie);
}

#[test]
fn rules_of_one_action_are_no_tie() {
    const ALLOW: &str = r#"{"Action":"Allow","Direction":"In","Priority":100}"#;
    let switch = Scene::with_acls(&[ALLOW, ALLOW]).switch();
    let (_, cause) = at_one(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:2");
    assert!(!cause.tie);
    assert_eq!(cause.rule.unwrap().pointer, "/Policies/0");
}

#[test]
fn the_first_rule_wins_a_tie_where_the_semantics_say_so() {
    const ALLOW: &str = r#"{"Action":"Allow","Direction":"In","Priority":100}"#;
    const BLOCK: &str = r#"{"Action":"Block","Direction":"In","Priority":100}"#;
    for (acls, decision) in [
        ([ALLOW, BLOCK], Decision::Allow),
        ([BLOCK, ALLOW], Decision::Block),
    ] {
        let switch = Scene::with_acls(&acls)
            .semantics(|semantics| semantics.tie = Tie::FirstWins)
            .switch();
        let (decided, cause) = at_one(&switch, "udp 10.0.0.2:1 -> 10.0.0.1:2");
        assert_eq!(decided, decision);
        assert!(cause.tie);
        assert_eq!(cause.rule.unwrap().pointer, "/Policies/0");
    }
}

#[test]
fn a_rule_without_addresses_is_one_for_both_families() {
    let switch = blocking(r#""Protocols":"6""#);
    blocks(&switch, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    blocks(&switch, "tcp [fd00::2]:1 -> [fd00::1]:80");
}

#[test]
fn a_rule_with_addresses_is_one_for_their_family() {
    let v4 = blocking(r#""RemoteAddresses":"0.0.0.0/0""#);
    blocks(&v4, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    allows(&v4, "tcp [fd00::2]:1 -> [fd00::1]:80");
    let v6 = blocking(r#""LocalAddresses":"fd00::1""#);
    allows(&v6, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    blocks(&v6, "tcp [fd00::2]:1 -> [fd00::1]:80");
    let both = blocking(r#""RemoteAddresses":"fd00::2,10.0.0.2""#);
    blocks(&both, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    blocks(&both, "tcp [fd00::2]:1 -> [fd00::1]:80");
    allows(&both, "tcp [fd00::3]:1 -> [fd00::1]:80");
    let crossed = blocking(r#""LocalAddresses":"10.0.0.1","RemoteAddresses":"fd00::2""#);
    allows(&crossed, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
    allows(&crossed, "tcp [fd00::2]:1 -> [fd00::1]:80");
}

#[test]
fn local_is_the_endpoint_in_both_directions_and_ports_follow_the_side() {
    let inward = directed(
        "In",
        r#""LocalAddresses":"10.0.0.1","RemoteAddresses":"10.0.0.2","Protocols":"6","LocalPorts":"80","RemotePorts":"50000""#,
    );
    blocks(&inward, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    allows(&inward, "tcp 10.0.0.2:80 -> 10.0.0.1:50000");
    allows(&inward, "tcp 10.0.0.3:50000 -> 10.0.0.1:80");
    allows(&inward, "tcp 10.0.0.1:80 -> 10.0.0.2:50000");
    let outward = directed(
        "Out",
        r#""LocalAddresses":"10.0.0.1","RemoteAddresses":"10.0.0.2","Protocols":"6","LocalPorts":"50000","RemotePorts":"80""#,
    );
    blocks(&outward, "tcp 10.0.0.1:50000 -> 10.0.0.2:80");
    allows(&outward, "tcp 10.0.0.1:80 -> 10.0.0.2:50000");
    allows(&outward, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    // A rule for another local address than the endpoint's never matches.
    let foreign = directed("In", r#""LocalAddresses":"10.0.0.9""#);
    allows(&foreign, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
}

#[test]
fn a_list_matches_any_of_its_items() {
    let switch = blocking(
        r#""RemoteAddresses":"10.0.0.2,10.1.0.0/16","Protocols":"6,17","LocalPorts":"80,8000-8002""#,
    );
    for text in [
        "tcp 10.0.0.2:1 -> 10.0.0.1:80",
        "udp 10.1.0.0:1 -> 10.0.0.1:8000",
        "udp 10.1.255.255:1 -> 10.0.0.1:8002",
    ] {
        blocks(&switch, text);
    }
    for text in [
        "tcp 10.0.0.3:1 -> 10.0.0.1:80",
        "tcp 10.0.255.255:1 -> 10.0.0.1:80",
        "tcp 10.2.0.0:1 -> 10.0.0.1:80",
        "tcp 10.0.0.2:1 -> 10.0.0.1:79",
        "tcp 10.0.0.2:1 -> 10.0.0.1:7999",
        "tcp 10.0.0.2:1 -> 10.0.0.1:8003",
        "sctp 10.0.0.2:1 -> 10.0.0.1:80",
    ] {
        allows(&switch, text);
    }
}

#[test]
fn an_empty_field_and_256_mean_any() {
    let switch = blocking(
        r#""Protocols":"256","LocalAddresses":"","RemoteAddresses":"","LocalPorts":"","RemotePorts":"""#,
    );
    for text in [
        "tcp 10.0.0.2:1 -> 10.0.0.1:80",
        "icmp 10.0.0.2 -> 10.0.0.1",
        "252 10.0.0.2 -> 10.0.0.1",
    ] {
        blocks(&switch, text);
    }
}

#[test]
fn a_port_is_matched_only_by_protocols_that_have_ports() {
    let switch = blocking(r#""LocalPorts":"0-65535""#);
    for text in [
        "tcp 10.0.0.2:1 -> 10.0.0.1:80",
        "udp 10.0.0.2:1 -> 10.0.0.1:0",
        "sctp 10.0.0.2:1 -> 10.0.0.1:65535",
    ] {
        blocks(&switch, text);
    }
    allows(&switch, "icmp 10.0.0.2 -> 10.0.0.1");
    let of_icmp = blocking(r#""Protocols":"1","RemotePorts":"0""#);
    allows(&of_icmp, "icmp 10.0.0.2 -> 10.0.0.1");
    let echo = Flow {
        source_port: 80,
        destination_port: 80,
        ..flow("icmp 10.0.0.2 -> 10.0.0.1")
    };
    let of_80 = blocking(r#""Protocols":"1,6","LocalPorts":"80""#);
    // An echo's identifier is no port.
    let ruling = of_80.rule(ONE, Direction::In, &echo);
    assert_eq!(ruling.decision, Decision::Allow);
    blocks(&of_80, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
}

#[test]
fn addresses_of_two_families_match_no_rule() {
    let switch = Scene::with_acls(&[r#"{"Action":"Allow","Direction":"In"}"#]).switch();
    blocks(&switch, "tcp 10.0.0.2:1 -> [fd00::1]:80");
    let (_, cause) = at_one(&switch, "tcp 10.0.0.2:1 -> [fd00::1]:80");
    assert_eq!(cause.reason, Reason::Default);
}

#[test]
fn the_key_id_is_told_and_other_spellings_of_it_are_not() {
    let acls = [
        r#"{"Action":"Block","Direction":"In","Protocols":"6","Id":"azure-acl-7"}"#,
        r#"{"Action":"Block","Direction":"In","Protocols":"17","ID":"azure-acl-8"}"#,
    ];
    let switch = Scene::with_acls(&acls).switch();
    let id = |text| at_one(&switch, text).1.rule.unwrap().id;
    assert_eq!(
        id("tcp 10.0.0.2:1 -> 10.0.0.1:80").as_deref(),
        Some("azure-acl-7")
    );
    assert_eq!(id("udp 10.0.0.2:1 -> 10.0.0.1:80"), None);
}

#[test]
fn scope_means_nothing() {
    let with_scope = blocking(r#""Protocols":"6","Scope":7"#);
    blocks(&with_scope, "tcp 10.0.0.2:1 -> 10.0.0.1:80");
}
