// SPDX-License-Identifier: MIT OR Apache-2.0
//! Defaults and the order of the stages: hns-behaviour 4.1 to 4.3, 4.12, 4.16, and section 8 Q2, Q3, Q12, Q33.

use super::*;

const ALLOW_IN_TCP: &str = r#"{"Action":"Allow","Direction":"In","Protocols":"6","Priority":100}"#;
const ALLOW_IN: &str = r#"{"Action":"Allow","Direction":"In","Priority":65500}"#;
const ALLOW_OUT: &str = r#"{"Action":"Allow","Direction":"Out","Priority":65500}"#;
const HOST_BLOCK_IN_80: &str = r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":100,"RuleType":"Host"}"#;
const HOST_ALLOW_IN_80: &str = r#"{"Action":"Allow","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":100,"RuleType":"Host"}"#;

const IN_80: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:80";
const IN_81: &str = "tcp 10.0.0.2:50000 -> 10.0.0.1:81";
const OUT_80: &str = "tcp 10.0.0.1:50000 -> 10.0.0.2:80";
const IN_PING: &str = "icmp 10.0.0.2 -> 10.0.0.1";
const OUT_PING: &str = "icmp 10.0.0.1 -> 10.0.0.2";
/// ESP: neither TCP nor UDP, ICMP or IGMP.
const IN_OTHER: &str = "50 10.0.0.2 -> 10.0.0.1";
const OUT_OTHER: &str = "50 10.0.0.1 -> 10.0.0.2";

fn reason(switch: &Switch, text: &str) -> (Layer, Reason) {
    let (_, cause) = at_one(switch, text);
    (cause.layer, cause.reason)
}

#[test]
fn without_any_rule_everything_passes_both_ways() {
    let switch = Scene::with_acls(&[]).switch();
    for text in [IN_80, OUT_80, IN_PING, OUT_PING, IN_OTHER, OUT_OTHER] {
        allows(&switch, text);
        assert_eq!(reason(&switch, text), (Layer::Switch, Reason::NoRules));
    }
    let (_, cause) = at_one(&switch, IN_80);
    assert_eq!(
        cause.to_string(),
        "no rule for this direction on this port: everything passes"
    );
}

#[test]
fn one_rule_turns_everything_else_off_in_both_directions() {
    let switch = Scene::with_acls(&[ALLOW_IN_TCP]).switch();
    allows(&switch, IN_80);
    for text in [
        IN_PING,
        OUT_80,
        OUT_PING,
        "tcp [fd00::1]:50000 -> [fd00::2]:80",
    ] {
        blocks(&switch, text);
        assert_eq!(reason(&switch, text), (Layer::Switch, Reason::Default));
    }
    let (_, cause) = at_one(&switch, OUT_80);
    assert_eq!(
        cause.to_string(),
        "no Switch rule decides, and a port with rules drops what none of them allows"
    );
}

/// Azure's rule against its wire server broke all connectivity until both of these stood beside it (4.3).
#[test]
fn weak_allows_undo_the_default_deny() {
    const BLOCK: &str = r#"{"Protocols":"6","Action":"Block","Direction":"Out","RemoteAddresses":"168.63.129.16/32","RemotePorts":"80","Priority":200,"RuleType":"Switch"}"#;
    let alone = Scene::with_acls(&[BLOCK]).switch();
    for text in [
        IN_80,
        OUT_80,
        OUT_PING,
        "udp 10.0.0.1:50000 -> 10.0.0.254:53",
    ] {
        blocks(&alone, text);
    }
    let with_allows = Scene::with_acls(&[BLOCK, ALLOW_IN, ALLOW_OUT]).switch();
    for text in [
        IN_80,
        OUT_80,
        OUT_PING,
        "udp 10.0.0.1:50000 -> 10.0.0.254:53",
    ] {
        allows(&with_allows, text);
    }
    blocks(&with_allows, "tcp 10.0.0.1:50000 -> 168.63.129.16:80");
    allows(&with_allows, "tcp 10.0.0.1:50000 -> 168.63.129.16:443");
}

#[test]
fn default_deny_may_be_of_ruled_directions_only() {
    let switch = Scene::with_acls(&[ALLOW_IN_TCP])
        .semantics(|semantics| semantics.default_deny = DefaultDeny::RuledDirections)
        .switch();
    blocks(&switch, IN_PING);
    allows(&switch, OUT_PING);
    assert_eq!(
        reason(&switch, OUT_PING),
        (Layer::Switch, Reason::DefaultAllow)
    );
}

#[test]
fn default_deny_may_be_turned_off() {
    const BLOCK: &str = r#"{"Action":"Block","Direction":"In","Protocols":"6"}"#;
    let switch = Scene::with_acls(&[BLOCK])
        .semantics(|semantics| semantics.default_deny = DefaultDeny::Never)
        .switch();
    blocks(&switch, IN_80);
    allows(&switch, IN_PING);
    allows(&switch, OUT_80);
    let (_, cause) = at_one(&switch, IN_PING);
    assert_eq!(
        cause.to_string(),
        "no Switch rule decides, and the layer lets such a flow pass"
    );
}

#[test]
fn a_host_rule_does_not_turn_on_the_default_deny_of_the_switch() {
    let switch = Scene::with_acls(&[HOST_BLOCK_IN_80]).switch();
    blocks(&switch, IN_80);
    assert_eq!(reason(&switch, IN_80), (Layer::Host, Reason::Rule(0)));
    for text in [IN_81, IN_PING, OUT_80, OUT_OTHER] {
        allows(&switch, text);
    }
    assert_eq!(reason(&switch, IN_81), (Layer::Host, Reason::DefaultAllow));
    assert_eq!(reason(&switch, OUT_80), (Layer::Switch, Reason::NoRules));
}

#[test]
fn a_host_rule_turns_it_on_where_the_semantics_say_so() {
    let flipped = Scene::with_acls(&[HOST_ALLOW_IN_80])
        .semantics(|semantics| semantics.host_rule_flips_switch = true)
        .switch();
    for text in [IN_80, OUT_80] {
        blocks(&flipped, text);
        assert_eq!(reason(&flipped, text), (Layer::Switch, Reason::Default));
    }
    let only_in = Scene::with_acls(&[HOST_ALLOW_IN_80])
        .semantics(|semantics| {
            semantics.host_rule_flips_switch = true;
            semantics.default_deny = DefaultDeny::RuledDirections;
        })
        .switch();
    blocks(&only_in, IN_80);
    allows(&only_in, OUT_80);
}

#[test]
fn the_host_takes_in_common_protocols_that_no_host_rule_decides_and_lets_out_all() {
    let switch = Scene::with_acls(&[HOST_ALLOW_IN_80]).switch();
    for text in [
        IN_80,
        IN_81,
        IN_PING,
        "udp 10.0.0.2:53 -> 10.0.0.1:53",
        "igmp 10.0.0.2 -> 10.0.0.1",
        "icmpv6 fd00::2 -> fd00::1",
        OUT_OTHER,
    ] {
        allows(&switch, text);
    }
    blocks(&switch, IN_OTHER);
    let (_, cause) = at_one(&switch, IN_OTHER);
    assert_eq!(
        cause.to_string(),
        "no Host rule decides, and the host's firewall takes in only TCP, UDP, ICMP and IGMP"
    );
}

#[test]
fn other_protocols_may_be_dropped_inward_on_nat_and_transparent_networks() {
    for (network_type, dropped) in [
        ("NAT", true),
        ("Transparent", true),
        ("L2Bridge", false),
        ("Overlay", false),
    ] {
        let scene = Scene::with_acls(&[]).network_type(network_type);
        allows(&scene.switch(), IN_OTHER);
        let switch = scene
            .semantics(|semantics| semantics.drop_other_protocols_in = true)
            .switch();
        let decision = if dropped {
            Decision::Block
        } else {
            Decision::Allow
        };
        assert_eq!(at_one(&switch, IN_OTHER).0, decision, "{network_type}");
        allows(&switch, OUT_OTHER);
        allows(&switch, IN_PING);
        assert_eq!(reason(&switch, IN_PING), (Layer::Switch, Reason::NoRules));
    }
    const HOST_ALLOW: &str =
        r#"{"Action":"Allow","Direction":"In","RuleType":"Host","Priority":0}"#;
    let decided = Scene::with_acls(&[HOST_ALLOW])
        .network_type("NAT")
        .semantics(|semantics| semantics.drop_other_protocols_in = true)
        .switch();
    allows(&decided, IN_OTHER);
}

/// Calico appends Host allows to its Switch rules, because a packet must get through both (4.1).
#[test]
fn host_and_switch_must_both_allow() {
    let only_switch_allows = Scene::with_acls(&[HOST_BLOCK_IN_80, ALLOW_IN_TCP]).switch();
    blocks(&only_switch_allows, IN_80);
    assert_eq!(reason(&only_switch_allows, IN_80).0, Layer::Host);
    allows(&only_switch_allows, IN_81);

    const BLOCK_IN: &str =
        r#"{"Action":"Block","Direction":"In","Priority":1,"RuleType":"Switch"}"#;
    let only_host_allows = Scene::with_acls(&[HOST_ALLOW_IN_80, BLOCK_IN]).switch();
    blocks(&only_host_allows, IN_80);
    assert_eq!(reason(&only_host_allows, IN_80).0, Layer::Switch);

    let both = Scene::with_acls(&[HOST_ALLOW_IN_80, ALLOW_IN_TCP]).switch();
    allows(&both, IN_80);
    assert_eq!(decider(&both, IN_80), "/Policies/1");
}

#[test]
fn the_network_stage_has_its_own_default_deny_and_holds_for_every_endpoint() {
    const NETWORK_ALLOW: &str = r#"{"Type":"NetworkACL","Settings":{"Action":"Allow","Direction":"In","Protocols":"6","Priority":200,"Id":"net-1"}}"#;
    let switch = Scene::with_acls(&[]).network_policy(NETWORK_ALLOW).switch();
    allows(&switch, IN_80);
    for text in [IN_PING, OUT_80] {
        blocks(&switch, text);
        assert_eq!(reason(&switch, text), (Layer::Network, Reason::Default));
    }
    let two = PortIndex(1);
    let flow = flow("tcp 10.0.0.1:50000 -> 10.0.0.2:80");
    let ruling = switch.rule(two, Direction::In, &flow);
    let rule = switch
        .cause(two, Direction::In, &flow, ruling)
        .rule
        .unwrap();
    assert_eq!(
        (rule.object, rule.pointer.as_str()),
        (NETWORK, "/Policies/0")
    );
    assert_eq!(rule.id.as_deref(), Some("net-1"));
}

#[test]
fn network_and_endpoint_must_both_allow() {
    const NETWORK_ALLOW_80: &str = r#"{"Type":"NetworkACL","Settings":{"Action":"Allow","Direction":"In","Protocols":"6","LocalPorts":"80"}}"#;
    let switch = Scene::with_acls(&[ALLOW_IN_TCP])
        .network_policy(NETWORK_ALLOW_80)
        .switch();
    allows(&switch, IN_80);
    assert_eq!(reason(&switch, IN_80).0, Layer::Switch);
    blocks(&switch, IN_81);
    assert_eq!(reason(&switch, IN_81), (Layer::Network, Reason::Default));
}

#[test]
fn a_rule_type_on_a_network_rule_means_nothing() {
    const HOST: &str =
        r#"{"Type":"NetworkACL","Settings":{"Action":"Block","Direction":"In","RuleType":"Host"}}"#;
    let switch = Scene::with_acls(&[]).network_policy(HOST).switch();
    blocks(&switch, IN_80);
    assert_eq!(reason(&switch, IN_80).0, Layer::Network);
    blocks(&switch, OUT_80);
}

#[test]
fn stages_are_asked_from_host_to_switch() {
    const HOST: &str = r#"{"Action":"Block","Direction":"In","RuleType":"Host","LocalPorts":"1"}"#;
    const NETWORK: &str = r#"{"Type":"NetworkACL","Settings":{"Action":"Block","Direction":"In","LocalPorts":"1-2","Priority":1}}"#;
    const NETWORK_REST: &str =
        r#"{"Type":"NetworkACL","Settings":{"Action":"Allow","Direction":"In","Priority":2}}"#;
    const TIER: &str = r#"{"Type":"TierAcl","Settings":{"Name":"t","Direction":"In","Order":1,"TierAclRules":[
        {"TierAclRuleAction":"Block","LocalPorts":"1-3","Priority":1},{"TierAclRuleAction":"Allow","Priority":2}]}}"#;
    const SWITCH: &str = r#"{"Action":"Block","Direction":"In","LocalPorts":"1-4","Priority":1}"#;
    let policies = vec![
        acl_policy(SWITCH),
        TIER.to_owned(),
        acl_policy(HOST),
        acl_policy(ALLOW_IN),
    ];
    let switch = Scene::new()
        .endpoint(1, policies)
        .network_policy(NETWORK)
        .network_policy(NETWORK_REST)
        .switch();
    for (port, layer) in [
        (1, Layer::Host),
        (2, Layer::Network),
        (3, Layer::Tier),
        (4, Layer::Switch),
    ] {
        let text = format!("tcp 10.0.0.2:50000 -> 10.0.0.1:{port}");
        blocks(&switch, &text);
        assert_eq!(reason(&switch, &text).0, layer, "{text}");
    }
    allows(&switch, "tcp 10.0.0.2:50000 -> 10.0.0.1:5");
}

#[test]
fn rules_on_nat_networks_have_an_effect_unless_the_semantics_say_no() {
    const BLOCK_IN: &str = r#"{"Action":"Block","Direction":"In"}"#;
    let scene = Scene::with_acls(&[BLOCK_IN, HOST_BLOCK_IN_80]).network_type("NAT");
    blocks(&scene.switch(), IN_80);
    let scene = scene.semantics(|semantics| semantics.acl_on_nat = false);
    allows(&scene.switch(), IN_80);
    allows(&scene.switch(), OUT_80);
    // Other types are not concerned.
    blocks(&scene.network_type("L2Bridge").switch(), IN_80);
}

#[test]
fn nothing_passes_between_containers_where_one_forbids_it() {
    let scene = Scene::new()
        .endpoint(1, Vec::new())
        .flags(2)
        .endpoint(2, Vec::new());
    let switch = scene.switch();
    for text in [IN_80, OUT_80] {
        blocks(&switch, text);
        let (_, cause) = at_one(&switch, text);
        assert_eq!(cause.reason, Reason::NoIntercommunication);
        let rule = cause.rule.unwrap();
        assert_eq!((rule.object, rule.pointer.as_str()), (Guid(1), "/Flags"));
    }
    // To and from others it passes.
    allows(&switch, "tcp 10.0.0.254:50000 -> 10.0.0.1:80");
    allows(&switch, "tcp 10.0.0.1:50000 -> 8.8.8.8:53");
    // The port of the other side does not drop it a second time.
    assert_eq!(switch.verdict(&flow(OUT_80)).steps.len(), 1);
    assert_eq!(switch.verdict(&flow(IN_80)).steps.len(), 2);
}
