// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as text, as JSON and as SARIF.
//!
//! Apart from the checks, which do not know who reads. Invariant: all three tell every finding, with its place and its fix.

mod sarif;

use std::fmt::Write;

use hcn_schema::{
    Document, Policy,
    modify::{EndpointResourceType, NetworkResourceType, RequestType},
};
use serde_json::{Value, json};

pub use sarif::sarif;

use super::shown;
use crate::lint::{Evidence, Files, Finding, Flows, InFile, ObjectName, Severity, Subject};

/// For people: findings by object, then how many there are.
pub fn text(subject: &Subject, found: &[Finding], files: &Files) -> String {
    let mut page = String::new();
    let mut last: Option<&ObjectName> = None;
    for finding in found {
        if last != Some(&finding.object) {
            let gap = if last.is_some() { "\n" } else { "" };
            let name = finding.object.to_string();
            let _ = writeln!(page, "{gap}{} {}", finding.object.kind, shown(&name));
            last = Some(&finding.object);
        }
        one(&mut page, subject, finding, files);
    }
    if !found.is_empty() {
        page.push('\n');
    }
    let _ = writeln!(page, "{}", summary(subject, found));
    page
}

fn one(page: &mut String, subject: &Subject, finding: &Finding, files: &Files) {
    let mut place = shown(&finding.pointer).to_string();
    // Terminals and editors lead there.
    if let Some(InFile {
        file,
        place: Some(at),
        ..
    }) = files.find(subject, &finding.object, &finding.pointer)
    {
        let gap = if place.is_empty() { "" } else { " " };
        let _ = write!(place, "{gap}({}:{}:{})", shown(file), at.line, at.column);
    }
    if !place.is_empty() {
        place.push_str(": ");
    }
    let _ = writeln!(
        page,
        "  {} {}: {place}{}",
        finding.severity,
        finding.check.name,
        shown(&finding.message)
    );
    for evidence in &finding.evidence {
        let text = match evidence {
            Evidence::Packet {
                flow,
                direction,
                outcome,
            } => format!("{direction} {flow}: {outcome}"),
            Evidence::Place {
                object: None,
                pointer,
                text,
            } if *pointer == finding.pointer => text.clone(),
            Evidence::Place {
                object: None,
                pointer,
                text,
            } => format!("{pointer}: {text}"),
            Evidence::Place {
                object: Some(object),
                pointer,
                text,
            } => format!("{} {object} {pointer}: {text}", object.kind),
        };
        let _ = writeln!(page, "    {}", shown(&text));
    }
    let flows = match finding.fix.flows {
        Flows::Unchanged => " (no flow changes)",
        Flows::Changed => " (changes flows)",
        Flows::Unknown => "",
    };
    let _ = writeln!(page, "    fix: {}{flows}", shown(&finding.fix.words));
}

fn count(found: &[Finding], severity: Severity) -> usize {
    let of_severity = found.iter().filter(|finding| finding.severity == severity);
    of_severity.count()
}

fn summary(subject: &Subject, found: &[Finding]) -> String {
    let number = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let examined = format!(
        "{}, {} and {} examined for HNS {}",
        number(subject.networks.len(), "network"),
        number(subject.endpoints.len(), "endpoint"),
        number(subject.load_balancers.len(), "load balancer"),
        subject.hns()
    );
    if found.is_empty() {
        return format!("nothing found; {examined}");
    }
    format!(
        "{}, {}, {}; {examined}",
        number(count(found, Severity::Error), "error"),
        number(count(found, Severity::Warning), "warning"),
        number(count(found, Severity::Note), "note")
    )
}

/// For programs; docs/schema/lint.json is the schema.
pub fn json(subject: &Subject, found: &[Finding], files: &Files) -> Value {
    let findings: Vec<Value> = found
        .iter()
        .map(|finding| {
            let evidence: Vec<Value> = finding.evidence.iter().map(evidence).collect();
            let mut value = json!({
                "check": finding.check.name,
                "severity": finding.severity.to_string(),
                "object": object(&finding.object),
                "pointer": finding.pointer,
                "message": finding.message,
                "evidence": evidence,
                "fix": fix(subject, finding),
            });
            if let Some(own) = files.find(subject, &finding.object, &finding.pointer) {
                value["location"] = location(&own);
            }
            value
        })
        .collect();
    json!({
        "version": subject.hns(),
        "examined": {
            "networks": subject.networks.len(),
            "endpoints": subject.endpoints.len(),
            "loadBalancers": subject.load_balancers.len(),
        },
        "counts": {
            "error": count(found, Severity::Error),
            "warning": count(found, Severity::Warning),
            "note": count(found, Severity::Note),
        },
        "findings": findings,
        "notExamined": subject.notes,
    })
}

fn location(own: &InFile<'_>) -> Value {
    let mut value = json!({"file": own.file});
    if let Some(at) = own.place {
        value["line"] = at.line.into();
        value["column"] = at.column.into();
    }
    value
}

fn object(object: &ObjectName) -> Value {
    json!({"kind": object.kind, "id": object.id.to_string(), "name": object.name})
}

fn evidence(own: &Evidence) -> Value {
    match own {
        Evidence::Packet {
            flow,
            direction,
            outcome,
        } => json!({
            "packet": {
                "direction": direction.to_string(),
                "protocol": flow.protocol.0,
                "source": flow.source.to_string(),
                "sourcePort": flow.source_port,
                "destination": flow.destination.to_string(),
                "destinationPort": flow.destination_port,
            },
            "text": outcome,
        }),
        Evidence::Place {
            object: own,
            pointer,
            text,
        } => {
            let mut value = json!({"pointer": pointer, "text": text});
            if let Some(own) = own {
                value["object"] = object(own);
            }
            value
        }
    }
}

/// What a patch does to flows, in the word of docs/schema/lint.json.
fn flows(flows: Flows) -> &'static str {
    match flows {
        Flows::Unchanged => "unchanged",
        Flows::Changed => "changed",
        Flows::Unknown => "unknown",
    }
}

/// Policies of an object up to which its requests are written out: they hold all of them.
const WRITTEN: usize = 64;

fn fix(subject: &Subject, finding: &Finding) -> Value {
    let mut value = json!({"text": finding.fix.words});
    if finding.fix.edits.is_empty() {
        return value;
    }
    let Some(document) = subject.document(&finding.object) else {
        return value;
    };
    value["patch"] = finding.fix.patch(document);
    value["flows"] = flows(finding.fix.flows).into();
    let edited = finding.fix.applied(document);
    if let Some(request) = edited.and_then(|edited| request(subject, finding, &edited)) {
        value["request"] = request;
    }
    value
}

/// The request that makes the edits, where policies of a v2 document are edited: HNS replaces an endpoint's rules as a whole, since its Remove of a
/// rule is not to be relied on (hns-behaviour 4.11); of a network it takes single policies away.
fn request(subject: &Subject, finding: &Finding, edited: &Value) -> Option<Value> {
    let policies = |value: &Value| -> Option<Vec<Value>> {
        let policies = crate::listing::member(value, "Policies")?.as_array()?;
        Some(policies.clone())
    };
    let touches = finding
        .pointer
        .to_ascii_lowercase()
        .starts_with("/policies");
    if subject.is_v1(&finding.object) || !touches {
        return None;
    }
    let after = policies(edited)?;
    let of_ours = |policy: &&Value| {
        let policy = Policy::from_value(policy).unwrap_or_default();
        ["ACL", "TierAcl", "L4Proxy", "L4WFPPROXY"]
            .iter()
            .any(|own| policy.is(own))
    };
    let (resource, verb, sent): (_, _, Vec<Value>) = match finding.object.kind {
        // Update leaves the other types as they are (hns-behaviour 4.10).
        "endpoint" => (
            EndpointResourceType::Policy.text(),
            RequestType::Update,
            after.iter().filter(of_ours).cloned().collect(),
        ),
        _ => {
            let before = policies(subject.document(&finding.object)?)?;
            if after.len() >= before.len() {
                return None;
            }
            let gone = before.into_iter().filter(|policy| !after.contains(policy));
            (
                NetworkResourceType::Policy.text(),
                RequestType::Remove,
                gone.collect(),
            )
        }
    };
    (sent.len() <= WRITTEN).then(|| {
        json!({"ResourceType": resource, "RequestType": verb.text(), "Settings": {"Policies": sent}})
    })
}
