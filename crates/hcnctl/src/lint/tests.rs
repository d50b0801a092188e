// SPDX-License-Identifier: MIT OR Apache-2.0
//! What lint promises of every finding, on random documents, on the story of the walk-through and on recorded ones.

mod agents;
mod conditions;
mod cut_off;
mod examples;
mod name_servers;
mod owners;
mod packets;
mod partly;
mod places;
mod random;
mod reading;
mod scenes;
mod schema;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::{Value, json};

use super::*;
use crate::listing;

/// A network of the tests.
pub(super) const NETWORK: &str = "a0000001-0000-4000-8000-000000000000";

pub(super) fn lint(documents: &[Value]) -> Vec<Finding> {
    run(&subject(documents))
}

pub(super) fn subject(documents: &[Value]) -> Subject {
    Subject::of(listing::of_values(documents.iter().cloned()), None)
}

/// A network with these policies.
pub(super) fn network(policies: Value) -> Value {
    json!({
        "ID": NETWORK, "Name": "net", "Type": "L2Bridge", "SchemaVersion": {"Major": 2, "Minor": 0}, "Policies": policies,
        "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.0.0.0/24", "Routes": [{"NextHop": "10.0.0.254", "DestinationPrefix": "0.0.0.0/0"}]}]}],
    })
}

/// An endpoint of that network: `10.0.0.N`.
pub(super) fn endpoint(number: u8, policies: Value) -> Value {
    json!({
        "ID": format!("b00000{number:02x}-0000-4000-8000-000000000000"), "Name": format!("e{number}"), "HostComputeNetwork": NETWORK,
        "SchemaVersion": {"Major": 2, "Minor": 0}, "IpConfigurations": [{"IpAddress": format!("10.0.0.{number}"), "PrefixLength": 24}],
        "Policies": policies,
    })
}

/// An ACL from `Action Direction`, a priority and other members.
pub(super) fn acl(what: &str, priority: u16, others: Value) -> Value {
    let (action, direction) = what.split_once(' ').unwrap();
    let mut settings = json!({"Action": action, "Direction": direction, "Priority": priority, "RuleType": "Switch"});
    for (key, value) in others.as_object().unwrap() {
        settings[key] = value.clone();
    }
    json!({"Type": "ACL", "Settings": settings})
}

fn recorded(folder: &std::path::Path, file: &str) -> Vec<listing::Listed> {
    let text = listing::decode(&fs::read(folder.join(file)).unwrap()).unwrap();
    listing::read(&text).unwrap()
}

fn told(found: &[Finding]) -> Vec<(&'static str, &str)> {
    found
        .iter()
        .map(|finding| (finding.check.name, finding.pointer.as_str()))
        .collect()
}

/// The recorded listings of the walk-through: nothing before, a block that was sent twice, the allow that replaced it.
#[test]
fn the_walk_through_has_a_lone_block_doubles_and_a_rule_about_everybody() {
    let Some(corpus) = testkit::corpus_or_skip(
        "the_walk_through_has_a_lone_block_doubles_and_a_rule_about_everybody",
    ) else {
        return;
    };
    let lint = |file| run(&Subject::of(recorded(&corpus, file), None));
    assert_eq!(told(&lint("psobject/01-seed-before.txt")), []);
    assert_eq!(
        told(&lint("psobject/02-seed-after-block.txt")),
        [
            ("lone-block", "/Policies/0"),
            ("any-address", "/Policies/1/RemoteAddresses"),
            ("duplicate-rule", "/Policies/2"),
            ("duplicate-rule", "/Policies/3"),
        ]
    );
    assert_eq!(
        told(&lint("psobject/03-seed-after-allow.txt")),
        [
            ("dns-blocked", "/Policies/0"),
            ("any-address", "/Policies/1/RemoteAddresses"),
        ]
    );
}

/// Every recorded document that is a listing: no panic, every place exists, and no check finds something nearly everywhere.
#[test]
fn recorded_documents_have_findings_at_places_that_exist() {
    let Some(corpus) =
        testkit::corpus_or_skip("recorded_documents_have_findings_at_places_that_exist")
    else {
        return;
    };
    let mut listings = 0;
    let mut files_of: BTreeMap<&str, BTreeSet<PathBuf>> = BTreeMap::new();
    for folder in ["json-v1", "json-v2", "psobject", "requests"] {
        for entry in fs::read_dir(corpus.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            let Ok(text) = listing::decode(&fs::read(&file).unwrap()) else {
                continue;
            };
            let Ok(listed) = listing::read(&text) else {
                continue;
            };
            listings += 1;
            let subject = Subject::of(listed, None);
            for finding in run(&subject) {
                let document = subject.document(&finding.object).unwrap();
                // What these say is that a member is missing.
                let misses_a_member = ["any-address", "source-vip-missing", "priority-zero"];
                assert!(
                    document.pointer(&finding.pointer).is_some()
                        || misses_a_member.contains(&finding.check.name),
                    "{}: {} {}",
                    file.display(),
                    finding.check.name,
                    finding.pointer
                );
                let files = files_of.entry(finding.check.name).or_default();
                files.insert(file.clone());
            }
        }
    }
    assert!(listings > 30, "{listings}");
    for (check, files) in files_of {
        assert!(files.len() < listings / 3, "{check}: {files:?}");
    }
}

/// What the people who recorded these documents say is wrong in them.
#[test]
fn troubles_that_recorded_documents_are_known_for_are_found() {
    let Some(corpus) =
        testkit::corpus_or_skip("troubles_that_recorded_documents_are_known_for_are_found")
    else {
        return;
    };
    let lint = |file| run(&Subject::of(recorded(&corpus, file), None));
    // A proxy policy with OutbountNat.
    let proxy = lint("psobject/22-l2bridge-endpoint-proxy-typo.txt");
    assert_eq!(told(&proxy), [("misspelt-key", "/Policies/1/OutbountNat")]);
    assert_eq!(
        proxy[0].fix.edits,
        [Edit::Rename(
            "/Policies/1/OutbountNat".to_owned(),
            "OutboundNat".to_owned()
        )]
    );
    // Nine policy lists; the script that took them marked six references as invalid.
    let lists = lint("json-v1/18-swarm-old-hns-works-policies.json");
    let dead = lists
        .iter()
        .filter(|found| found.check.name == "dead-backend");
    assert_eq!((lists.len(), dead.count()), (6, 6));
}
