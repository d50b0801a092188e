// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of policy files, and of block and allow: a patch takes nothing from an owner, and leaves nothing to one that goes.

use serde_json::{Value, json};

use super::{acl, endpoint, lint, network};
use crate::lint::{Finding, Flows};

fn of(id: Option<&str>, priority: u16, ports: &str) -> Value {
    let mut members = json!({"Protocols": "6", "LocalPorts": ports});
    if let Some(id) = id {
        members["Id"] = id.into();
    }
    acl("Allow In", priority, members)
}

/// The only finding of a check, with everything else open.
fn found(check: &str, rules: [Value; 2]) -> Finding {
    let [one, two] = rules;
    let rest = ["Block In", "Allow Out"].map(|what| acl(what, 65_500, json!({})));
    let [closed, open] = rest;
    let found = lint(&[
        network(json!([])),
        endpoint(1, json!([one, two, closed, open])),
    ]);
    let mut of_check = found
        .into_iter()
        .filter(|finding| finding.check.name == check);
    let finding = of_check.next().unwrap();
    assert!(of_check.next().is_none());
    finding
}

const WEB: Option<&str> = Some("hcnctl:apply:web:http");
const SVC: Option<&str> = Some("hcnctl:apply:svc:http");

#[test]
fn a_double_of_another_owner_stays() {
    let double = |one, other| found("duplicate-rule", [of(one, 100, "80"), of(other, 100, "80")]);
    for (one, other, words) in [
        (WEB, SVC, "belongs to policy svc"),
        (None, SVC, "belongs to policy svc"),
        (
            SVC,
            Some("hcnctl:in:http"),
            "hcnctl block or allow wrote it",
        ),
        (WEB, None, "a rule of policy web decides in its place"),
    ] {
        let finding = double(one, other);
        assert_eq!(
            (&finding.fix.edits[..], finding.fix.flows),
            (&[][..], Flows::Unknown)
        );
        assert!(finding.fix.words.contains(words), "{}", finding.fix.words);
    }
    // Sent twice by one owner, or nobody's: one of them can go.
    for id in [WEB, None, Some("of-somebody-else")] {
        assert_eq!(double(id, id).fix.edits.len(), 1, "{id:?}");
    }
}

#[test]
fn a_rule_that_a_policy_declares_is_changed_in_its_file() {
    let shadowed = |one, other| {
        let rules = [of(one, 100, "80-90"), of(other, 200, "85")];
        found("shadowed-rule", rules)
    };
    for (one, other) in [(None, WEB), (SVC, WEB), (WEB, WEB)] {
        let finding = shadowed(one, other);
        assert_eq!(finding.fix.edits, []);
        assert!(
            finding
                .fix
                .words
                .ends_with("it belongs to policy web, whose file is the place to change it"),
            "{}",
            finding.fix.words
        );
    }
    assert_eq!(shadowed(WEB, None).fix.edits, []);
    assert_eq!(shadowed(None, None).fix.edits.len(), 1);
    // A rule of an owner that meets none of its packets is nobody's concern.
    let items = |ports| {
        let rules = [of(WEB, 100, ports), of(None, 200, "80,443")];
        found("partly-shadowed-rule", rules)
    };
    assert_eq!(items("80").fix.edits, []);
}
