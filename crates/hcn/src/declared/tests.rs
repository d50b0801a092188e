// SPDX-License-Identifier: MIT OR Apache-2.0
//! Declared policies on endpoints with and without rules of others; expectations are the rules as HNS words them, by hand.

use hcn_schema::Document;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn endpoint(policies: &Value) -> Endpoint {
    Endpoint::from_value(
        &json!({"ID": "edffc876-3051-46ec-80b3-820dda20aa14", "Policies": policies}),
    )
    .unwrap()
}

fn tcp(first: u16, last: u16) -> Traffic {
    Traffic {
        protocol: Some(6),
        ports: Some((first, last)),
    }
}

fn no_http() -> Declared {
    Declared {
        name: "web".to_owned(),
        rules: vec![Rule {
            name: "no-http".to_owned(),
            action: AclAction::Block,
            direction: AclDirection::In,
            traffic: vec![tcp(80, 80)],
            peers: None,
            priority: 2500,
        }],
        rest_in: Rest::Allow,
        rest_out: Rest::Allow,
    }
}

fn sent(plan: &Plan) -> Vec<Value> {
    let policies = plan.update.iter().flatten();
    policies
        .map(|policy| Value::Object(policy.settings.or_default()))
        .collect()
}

#[test]
fn a_block_comes_with_what_allows_the_rest() {
    let plan = no_http().plan(&endpoint(&json!([])));
    assert_eq!(
        sent(&plan),
        [
            json!({"Protocols": "6", "Action": "Block", "Direction": "In", "LocalPorts": "80", "RuleType": "Switch", "Priority": 2500, "Id": "hcnctl:apply:web:no-http"}),
            json!({"Action": "Allow", "Direction": "In", "RuleType": "Switch", "Priority": 65500, "Id": "hcnctl:apply:web:otherwise:in"}),
            json!({"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500, "Id": "hcnctl:apply:web:otherwise:out"}),
        ]
    );
}

/// A selector on the other side may fit the endpoint itself, in whatever spelling; rules about nobody else are none, and never about everybody.
#[test]
fn an_endpoint_is_not_named_in_rules_of_its_own() {
    let mut own = endpoint(&json!([])).to_value();
    own["IpConfigurations"] = json!([{"IpAddress": "10.0.0.7"}, {"IpAddress": "FD00:0::7"}]);
    let own = Endpoint::from_value(&own).unwrap();
    let of = |peers: &[&str]| {
        let mut policy = no_http();
        policy.rules[0].peers = Some(peers.iter().map(|peer| (*peer).to_owned()).collect());
        let plan = policy.plan(&own);
        let named = sent(&plan).into_iter();
        let named = named.filter(|acl| acl["Priority"] == 2500);
        named
            .map(|acl| acl["RemoteAddresses"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&["10.0.0.6", "10.0.0.7", "fd00::7", "fd00::8"]),
        [Some("10.0.0.6,fd00::8".to_owned())]
    );
    assert_eq!(of(&["10.0.0.7", "fd00::7"]), []);
    // A prefix is about others too.
    assert_eq!(of(&["10.0.0.0/24"]), [Some("10.0.0.0/24".to_owned())]);
}

#[test]
fn what_is_denied_is_blocked_stronger_than_any_rest_is_allowed() {
    let policy = Declared {
        rules: Vec::new(),
        rest_in: Rest::Deny,
        ..no_http()
    };
    assert_eq!(
        sent(&policy.plan(&endpoint(&json!([])))),
        [
            json!({"Action": "Block", "Direction": "In", "RuleType": "Switch", "Priority": 65499, "Id": "hcnctl:apply:web:otherwise:in"}),
            json!({"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500, "Id": "hcnctl:apply:web:otherwise:out"}),
        ]
    );
}

#[test]
fn the_rest_is_not_opened_among_rules_of_strangers() {
    let theirs =
        json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 300}});
    let plan = no_http().plan(&endpoint(&json!([theirs])));
    assert_eq!(sent(&plan).len(), 2, "theirs and the block");
    assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);
    assert!(
        plan.notes[0].contains("1 rule(s) of others"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn the_rest_stays_open_when_strangers_come_later() {
    let before = endpoint(&json!([]));
    let mut after = no_http().plan(&before).outcome(&before);
    let theirs =
        json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 300}});
    after
        .policies
        .edit()
        .push(hcn_schema::Policy::from_value(&theirs).unwrap());
    let plan = no_http().plan(&after);
    assert_eq!(plan.update, None);
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
    assert!(
        plan.notes[0].contains("was written before 1 rule(s) of others came"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_policy_without_rules_leaves_nothing_behind() {
    let before = endpoint(&json!([{"Type": "OutBoundNAT", "Settings": {}}]));
    let applied = no_http().plan(&before).outcome(&before);
    let empty = Declared {
        rules: Vec::new(),
        ..no_http()
    };
    assert_eq!(empty.plan(&applied).outcome(&applied), before);
    assert_eq!(empty.plan(&before).update, None);
}

#[test]
fn policies_and_block_leave_each_other_alone() {
    let before = endpoint(&json!([]));
    let other = Declared {
        name: "web2".to_owned(),
        ..no_http()
    };
    let both = no_http().plan(&before).outcome(&before);
    let both = other.plan(&both).outcome(&both);
    assert_eq!(no_http().plan(&both).update, None);
    assert_eq!(other.plan(&both).update, None);
    assert_eq!(crate::intent::plan_clear(&both).update, None);
}

#[test]
fn nobody_is_no_rule_and_not_everybody() {
    let mut policy = no_http();
    policy.rules[0].peers = Some(Vec::new());
    assert_eq!(policy.plan(&endpoint(&json!([]))).update, None);
}

#[test]
fn the_fewest_rules_say_it() {
    let mut policy = no_http();
    policy.rules[0].traffic = vec![
        tcp(8000, 8100),
        tcp(80, 80),
        tcp(81, 81),
        Traffic {
            protocol: Some(17),
            ports: Some((53, 53)),
        },
        Traffic {
            protocol: Some(1),
            ports: None,
        },
        Traffic {
            protocol: Some(2),
            ports: None,
        },
    ];
    let rules: Vec<(Value, Value)> = sent(&policy.plan(&endpoint(&json!([]))))
        .iter()
        .take(3)
        .map(|rule| (rule["Protocols"].clone(), rule["LocalPorts"].clone()))
        .collect();
    assert_eq!(
        rules,
        [
            (json!("1,2"), Value::Null),
            (json!("6"), json!("80-81,8000-8100")),
            (json!("17"), json!("53")),
        ]
    );
    // One protocol as a whole swallows its ports, and any swallows everything.
    policy.rules[0].traffic.push(Traffic {
        protocol: Some(6),
        ports: None,
    });
    assert_eq!(
        sent(&policy.plan(&endpoint(&json!([]))))[0]["Protocols"],
        "1,2,6"
    );
    policy.rules[0].traffic.push(Traffic {
        protocol: None,
        ports: None,
    });
    assert_eq!(
        sent(&policy.plan(&endpoint(&json!([]))))[0].get("Protocols"),
        None
    );
}

/// 4000 addresses are known to go into one rule (hns-behaviour 4.13).
#[test]
fn more_addresses_than_a_rule_takes_are_more_rules() {
    let mut policy = no_http();
    let peers = (0..4001u32).map(|number| std::net::Ipv4Addr::from(0x0a00_0000 + number));
    policy.rules[0].peers = Some(peers.map(|address| address.to_string()).collect());
    let sent = sent(&policy.plan(&endpoint(&json!([]))));
    let count = |rule: &Value| {
        rule["RemoteAddresses"]
            .as_str()
            .map_or(0, |all| all.split(',').count())
    };
    assert_eq!(
        (count(&sent[0]), count(&sent[1]), count(&sent[2])),
        (4000, 1, 0)
    );
}

/// Addresses of the endpoint, which its own rules leave out.
const OWN: [&str; 2] = ["10.0.0.7", "fd00::7"];

fn some_rule() -> impl Strategy<Value = Rule> {
    let traffic = (
        prop::option::of(prop::sample::select(vec![1u8, 6, 17])),
        prop::option::of((1u16..200, 1u16..200)),
    )
        .prop_map(|(protocol, ports)| Traffic {
            protocol,
            ports: ports
                .filter(|_| protocol.is_some_and(|number| number != 1))
                .map(|(one, other)| (one.min(other), one.max(other))),
        });
    (
        0..4u8,
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(traffic, 0..3),
        prop::option::of(prop::collection::vec(
            prop::sample::select(vec![
                OWN[0],
                OWN[1],
                "10.0.0.1",
                "10.0.0.2",
                "10.0.0.0/24",
                "fd00::1",
                "fd00::/64",
                "0.0.0.0/0",
            ])
            .prop_map(str::to_owned),
            0..4,
        )),
        1..=LAST_PRIORITY,
    )
        .prop_map(|(name, allows, is_in, traffic, peers, priority)| Rule {
            name: format!("rule{name}"),
            action: if allows {
                AclAction::Allow
            } else {
                AclAction::Block
            },
            direction: if is_in {
                AclDirection::In
            } else {
                AclDirection::Out
            },
            traffic,
            peers,
            priority,
        })
}

fn some_policy() -> impl Strategy<Value = Declared> {
    let rest = || any::<bool>().prop_map(|allows| if allows { Rest::Allow } else { Rest::Deny });
    (
        prop::sample::select(vec!["web", "web2", "we"]),
        prop::collection::vec(some_rule(), 0..4),
        rest(),
        rest(),
    )
        .prop_map(|(name, rules, rest_in, rest_out)| Declared {
            name: name.to_owned(),
            rules,
            rest_in,
            rest_out,
        })
}

/// Policies of strangers, some with an `Id` that looks almost like ours.
fn strangers() -> impl Strategy<Value = Vec<Value>> {
    let one = (0..7u8, 1..=65_500u16).prop_map(|(sort, priority)| match sort {
        0 => json!({"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}}),
        1 => json!({"Type": "TierAcl", "Settings": {"Direction": "In", "Order": priority, "TierAclRules": []}}),
        2 => json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "Out", "RuleType": "Host", "Priority": priority, "Scope": 0}}),
        3 => json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": priority, "Id": "hcnctl:in:6:80:any", "Scope": 0}}),
        4 => json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": priority, "Id": "apply:web:x", "Mystery": 1}}),
        5 => json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "RuleType": "Switch", "Priority": priority, "Protocols": "6", "LocalPorts": "80", "Scope": 0}}),
        _ => json!({"Type": "L4Proxy", "Settings": {"Port": priority.to_string()}}),
    });
    prop::collection::vec(one, 0..4)
}

/// The endpoint as HNS tells it after an Update: with what it adds to each rule (hns-behaviour 4.9).
fn told(mut endpoint: Endpoint) -> Endpoint {
    for policy in endpoint.policies.edit() {
        if policy.is("ACL") {
            let settings = policy.settings.edit();
            settings.entry("Scope").or_insert(json!(0));
        }
    }
    endpoint
}

/// `apply` then `plan` is empty, in any order of policies; what is not a policy's stays, in its order; and taking it away restores the endpoint.
///
/// The plan alone; through a policy file, a store and a batch it is asked where those are, in `hcnctl`.
#[test]
fn what_is_applied_needs_no_change() {
    use proptest::test_runner::{Config, RngSeed, TestRunner};
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 10_000;
    }
    // The same cases in every run, since what has to be met is counted.
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(6);
    }
    let met = std::cell::RefCell::new(std::collections::BTreeMap::<&str, u32>::new());
    let cases = (strangers(), prop::collection::vec(some_policy(), 1..3));
    TestRunner::new(config)
        .run(&cases, |(strangers, policies)| {
            let mut met = met.borrow_mut();
            let mut note = |what, is_so: bool| *met.entry(what).or_default() += u32::from(is_so);
            let mut before = endpoint(&Value::from(strangers)).to_value();
            before["IpConfigurations"] = json!([{"IpAddress": OWN[0]}, {"IpAddress": OWN[1]}]);
            let before = told(Endpoint::from_value(&before).unwrap());
            let mut now = before.clone();
            for policy in &policies {
                let owner = policy.owner();
                let plan = policy.plan(&now);
                let next = told(plan.outcome(&now));
                prop_assert_eq!(policy.plan(&next).update, None);
                // Each sort in its order: an Update leaves those of one sort alone and takes those of the other along.
                let others = |endpoint: &Endpoint| {
                    let all = endpoint.policies.or_default().into_iter();
                    let all = all
                        .filter(|policy| !(policy.is("ACL") && owner.owns(&policy.settings_as())));
                    all.partition::<Vec<_>, _>(crate::owned::is_replaced)
                };
                prop_assert_eq!(others(&now), others(&next));
                for rule in sent(&plan) {
                    let peers = rule["RemoteAddresses"].as_str().unwrap_or_default();
                    prop_assert!(
                        !peers.split(',').any(|peer| OWN.contains(&peer)),
                        "{}",
                        rule
                    );
                }
                let peers = policy.rules.iter().filter_map(|rule| rule.peers.as_ref());
                let is_own = |peer: &String| OWN.contains(&peer.as_str());
                note(
                    "a rule that names the endpoint itself",
                    peers.flatten().any(is_own),
                );
                note("a change", plan.update.is_some());
                note("rules of others that go along", plan.carried() > 0);
                note("the rest is left to others", !plan.notes.is_empty());
                now = next;
            }
            note(
                "two policies",
                policies.len() == 2 && policies[0].name != policies[1].name,
            );
            note(
                "one policy that changes",
                policies.len() == 2 && policies[0].name == policies[1].name,
            );
            for policy in &policies {
                now = told(merge(&now, &policy.owner(), &[]).outcome(&now));
            }
            let sorted = |endpoint: &Endpoint| {
                let all = endpoint.policies.or_default().into_iter();
                all.partition::<Vec<_>, _>(crate::owned::is_replaced)
            };
            prop_assert_eq!(sorted(&before), sorted(&now));
            Ok(())
        })
        .unwrap();
    let met = met.into_inner();
    for (what, least) in [
        ("a rule that names the endpoint itself", 2_000),
        ("a change", 8_000),
        ("rules of others that go along", 5_000),
        ("the rest is left to others", 2_000),
        ("two policies", 2_000),
        ("one policy that changes", 1_000),
    ] {
        let times = met.get(what).copied().unwrap_or_default();
        assert!(times >= least, "{what}: {times} of {met:?}");
    }
}
