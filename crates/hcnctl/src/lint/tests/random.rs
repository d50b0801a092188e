// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random endpoints: a fix removes its finding, and where it says that no flow changes, none does.
//!
//! Compared are the sets of packets that the port lets pass, before and after; equal sets have equal handles.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hcn_engine::{Direction, Family, PortIndex, Switch, space::Space};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Map, Value, json};

use super::*;
use crate::lint::subject::Known;

const ADDRESSES: [&str; 9] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "10.0.0.1/24",
    "0.0.0.0/0",
    "fd00::1",
    "set-a",
    "set-none",
];
const PORTS: [&str; 6] = ["80", "443", "80-90", "0-65535", "53", "1024-65535"];
const PROTOCOLS: [&str; 6] = ["6", "17", "1", "tcp", "256", "58"];

fn list(items: &'static [&'static str], most: usize) -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.5,
        vec(select(items), 1..=most).prop_map(|items| items.join(",")),
    )
}

fn rule() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        select(vec![0u16, 1, 1, 2, 3, 100, 65_500]),
        list(&PROTOCOLS, 2),
        [list(&ADDRESSES, 3), list(&ADDRESSES, 3)],
        [list(&PORTS, 3), list(&PORTS, 2)],
        prop_oneof![5 => Just(Some("Switch")), 1 => Just(Some("Host")), 1 => Just(None)],
        prop_oneof![12 => Just(None), 1 => Just(Some("LocalPrts")), 1 => Just(Some("remoteports"))],
    )
        .prop_map(
            |(action, direction, priority, protocols, addresses, ports, rule_type, odd)| {
                let mut settings = Map::new();
                let mut put = |key: &str, value: Option<Value>| {
                    if let Some(value) = value {
                        settings.insert(key.to_owned(), value);
                    }
                };
                let [local, remote] = addresses;
                let [local_ports, remote_ports] = ports;
                put("Action", Some(action.into()));
                put("Direction", Some(direction.into()));
                put("Priority", (priority != 0).then(|| priority.into()));
                put("Protocols", protocols.map(Value::from));
                put("LocalAddresses", local.map(Value::from));
                put("RemoteAddresses", remote.map(Value::from));
                put("LocalPorts", local_ports.map(Value::from));
                match odd {
                    Some(key) => put(key, Some("80".into())),
                    None => put("RemotePorts", remote_ports.map(Value::from)),
                }
                put("RuleType", rule_type.map(Value::from));
                json!({"Type": "ACL", "Settings": settings})
            },
        )
}

/// A rule that differs from others of its kind in ports and priority alone, so that they get in each other's way.
fn narrow_rule() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Block"]),
        1..4u16,
        vec(select(&PORTS[..]), 1..=3).prop_map(|items| items.join(",")),
    )
        .prop_map(|(action, priority, ports)| {
            let members = json!({"Protocols": "6", "LocalPorts": ports});
            acl(&format!("{action} In"), priority, members)
        })
}

fn documents() -> impl Strategy<Value = [Value; 2]> {
    let sets = json!([
        {"Type": "SetPolicy", "Settings": {"Id": "set-a", "Name": "a", "PolicyType": "IPSET", "Values": "10.0.0.2,10.0.0.3"}},
        {"Type": "SetPolicy", "Settings": {"Id": "set-none", "Name": "none", "PolicyType": "IPSET", "Values": ""}},
        {"Type": "SetPolicy", "Settings": {"Id": "set-left", "Name": "left", "PolicyType": "IPSET", "Values": "10.0.0.9"}},
    ]);
    let rules = vec(prop_oneof![rule(), narrow_rule()], 0..7);
    (rules, vec(any::<prop::sample::Index>(), 0..3)).prop_map(move |(mut rules, again)| {
        // Doubles, which chance alone would not make.
        if !rules.is_empty() {
            for index in again {
                rules.push(rules[index.index(rules.len())].clone());
            }
        }
        [network(sets.clone()), endpoint(1, Value::Array(rules))]
    })
}

/// What passes: by family and direction.
fn passes(spaces: &mut [Space; 2], subject: &Subject) -> Vec<hcn_engine::space::Region> {
    fn all<T: Clone>(known: &[Known<T>]) -> Vec<T> {
        known.iter().map(|known| known.document.clone()).collect()
    }
    let documents = hcn_engine::Documents {
        networks: all(&subject.networks),
        endpoints: all(&subject.endpoints),
        ..hcn_engine::Documents::default()
    };
    let (switch, _) = Switch::compile(&documents, &subject.profile.semantics);
    let mut regions = Vec::new();
    for space in spaces {
        for direction in [Direction::In, Direction::Out] {
            regions.push(switch.passes(space, PortIndex(0), direction));
        }
    }
    regions
}

/// Checks of rules on which nothing hangs; where one is taken away, its double may come to stand for it.
const IDLE: [&str; 4] = [
    "duplicate-rule",
    "shadowed-rule",
    "overruled-rule",
    "matches-nothing",
];

/// The policy that a finding is about.
fn policy<'a>(finding: &Finding, document: &'a Value) -> Option<&'a Value> {
    let place = finding.pointer.strip_prefix("/Policies/")?;
    let place = place.split('/').next()?;
    document.pointer(&format!("/Policies/{place}"))
}

/// Whether a finding is there no more. Where a policy is taken away, places shift, so that what is counted is what is found in policies that say the
/// same; what hangs on nothing now that it is gone is another finding.
fn is_gone(
    finding: &Finding,
    [before, after]: [&[Finding]; 2],
    [document, edited]: [&Value; 2],
) -> bool {
    let removes = matches!(&finding.fix.edits[..], [Edit::Remove(_)]);
    let same = |other: &&Finding| {
        other.object == finding.object
            && (other.check.name == finding.check.name
                || removes
                    && [finding, other]
                        .iter()
                        .all(|own| IDLE.contains(&own.check.name)))
    };
    let count = |found: &[Finding], in_document: &Value| {
        let own = policy(finding, document);
        let alike = |other: &&Finding| own.is_none() || policy(other, in_document) == own;
        found.iter().filter(same).filter(alike).count()
    };
    match removes {
        true => count(after, edited) < count(before, document),
        false => !after
            .iter()
            .filter(same)
            .any(|other| other.pointer == finding.pointer),
    }
}

/// The same cases in every run; `PROPTEST_CASES` makes more of them.
fn runner(seed: u64, cases: u32) -> TestRunner {
    let mut config = Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    TestRunner::new(config)
}

#[test]
fn a_fix_removes_its_finding_and_changes_a_flow_only_where_it_says_so() {
    let met = RefCell::new(BTreeMap::<(&str, Flows), u32>::new());
    // One fix of each case is tried: many cases say more than many fixes of one.
    let cases = (documents(), any::<prop::sample::Index>());
    runner(4, 10_000)
        .run(&cases, |(documents, index)| {
            let before = subject(&documents);
            let mut found = findings(&before);
            let mut spaces = [Family::V4, Family::V6].map(Space::new);
            let passing = passes(&mut spaces, &before);
            let with_edits = |(place, finding): (usize, &Finding)| {
                (!finding.fix.edits.is_empty()).then_some(place)
            };
            let edited: Vec<usize> = found.iter().enumerate().filter_map(with_edits).collect();
            if !edited.is_empty() {
                let place = edited[index.index(edited.len())];
                fix::compare_flows(&before, std::slice::from_mut(&mut found[place]));
                let finding = &found[place];
                let document = before.document(&finding.object).unwrap();
                let edited = finding.fix.applied(document).unwrap();
                let all: Vec<Value> = documents
                    .iter()
                    .map(|other| match other == document {
                        true => edited.clone(),
                        false => other.clone(),
                    })
                    .collect();
                let after = subject(&all);
                let left = findings(&after);
                prop_assert!(
                    is_gone(finding, [&found, &left], [document, &edited]),
                    "{} {} stays: {:?}",
                    finding.check.name,
                    finding.pointer,
                    finding.fix
                );
                let same = passes(&mut spaces, &after) == passing;
                let says = finding.fix.flows;
                let holds = match says {
                    Flows::Unchanged => same,
                    Flows::Changed => !same,
                    Flows::Unknown => true,
                };
                prop_assert!(
                    holds,
                    "{} {}: {says:?}, same: {same}: {:?}",
                    finding.check.name,
                    finding.pointer,
                    finding.fix
                );
                *met.borrow_mut()
                    .entry((finding.check.name, says))
                    .or_default() += 1;
            }
            Ok(())
        })
        .unwrap();
    let met = met.into_inner();
    for (check, flows) in [
        ("shadowed-rule", Flows::Unchanged),
        ("duplicate-rule", Flows::Unchanged),
        ("partly-shadowed-rule", Flows::Unchanged),
        ("overruled-rule", Flows::Unchanged),
        ("tie-decides", Flows::Unchanged),
        ("host-bits", Flows::Unchanged),
        ("lone-block", Flows::Changed),
        ("one-way-rules", Flows::Unchanged),
        ("misspelt-key", Flows::Unchanged),
        ("unreferenced-set", Flows::Unchanged),
    ] {
        let times = met.get(&(check, flows)).copied().unwrap_or_default();
        assert!(times > 50, "{check} {flows:?}: {times} of {met:?}");
    }
}

/// All rules that are called shadowed can go at once.
#[test]
fn rules_that_are_called_shadowed_can_go_together() {
    let gone = std::cell::Cell::new(0u32);
    runner(5, 3_000)
        .run(&documents(), |documents| {
            let before = subject(&documents);
            let mut spaces = [Family::V4, Family::V6].map(Space::new);
            let passing = passes(&mut spaces, &before);
            let mut places: Vec<usize> = findings(&before)
                .iter()
                .filter(|finding| ["shadowed-rule", "duplicate-rule"].contains(&finding.check.name))
                .map(|finding| finding.pointer["/Policies/".len()..].parse().unwrap())
                .collect();
            places.sort_unstable();
            let mut fewer = documents.clone();
            let rules = fewer[1]["Policies"].as_array_mut().unwrap();
            for place in places.into_iter().rev() {
                rules.remove(place);
                gone.set(gone.get() + 1);
            }
            prop_assert_eq!(passes(&mut spaces, &subject(&fewer)), passing);
            Ok(())
        })
        .unwrap();
    assert!(gone.get() > 900, "{}", gone.get());
}
