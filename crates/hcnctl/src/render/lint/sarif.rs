// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the document.
//!
//! Apart from the JSON of our own, because its shape is somebody else's. A place inside a document is a logical location, since
//! SARIF has no JSON pointers for physical ones; of a file that was read, its line and column are the physical one.

use serde_json::{Map, Value, json};

use super::flows;
use crate::lint::{CHECKS, Evidence, Files, Finding, Flows, ObjectName, Severity, Subject};

/// The log, with what could not be examined.
pub fn sarif(subject: &Subject, found: &[Finding], files: &Files) -> Value {
    let rules: Vec<Value> = CHECKS
        .iter()
        .map(|check| {
            json!({
                "id": check.name,
                "shortDescription": {"text": check.finds},
                "fullDescription": {"text": check.why},
                "help": {"text": format!("{} Source: {}.", check.fix, check.source)},
                "defaultConfiguration": {"level": level(check.severity)},
            })
        })
        .collect();
    let results: Vec<Value> = found
        .iter()
        .map(|finding| result(subject, finding, files))
        .collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "hcnctl",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        }},
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if !subject.notes.is_empty() {
        let notes = subject.notes.iter();
        let notes = notes.map(|note| json!({"level": "warning", "message": {"text": note}}));
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": notes.collect::<Vec<Value>>(),
        }]);
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(subject: &Subject, finding: &Finding, files: &Files) -> Value {
    let index = CHECKS
        .iter()
        .position(|check| check.name == finding.check.name);
    let mut text = format!("{}: {}.", finding.object, finding.message);
    for evidence in &finding.evidence {
        text.push(' ');
        text.push_str(&sentence(evidence));
    }
    text.push_str(&format!(" Fix: {}", finding.fix.words));
    text.push_str(match finding.fix.flows {
        Flows::Unchanged => " (no flow changes).",
        Flows::Changed => " (changes flows).",
        Flows::Unknown => ".",
    });
    let others: Vec<Value> = finding
        .evidence
        .iter()
        .filter_map(|evidence| match evidence {
            Evidence::Place {
                object,
                pointer,
                text,
            } => {
                let object = object.as_ref().unwrap_or(&finding.object);
                let mut location = location(subject, object, pointer, files);
                location.insert("message".to_owned(), json!({"text": text}));
                Some(Value::Object(location))
            }
            Evidence::Packet { .. } => None,
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.check.name,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [location(subject, &finding.object, &finding.pointer, files)],
        "partialFingerprints": {
            "objectPlace/v1": format!("{}/{}{}", finding.object.kind, finding.object.id, finding.pointer),
        },
    });
    if !others.is_empty() {
        result["relatedLocations"] = others.into();
    }
    let document = subject.document(&finding.object);
    if let (Some(document), false) = (document, finding.fix.edits.is_empty()) {
        result["properties"] = json!({
            "patch": finding.fix.patch(document),
            "flows": flows(finding.fix.flows),
        });
    }
    result
}

fn sentence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Packet {
            flow,
            direction,
            outcome,
        } => format!("{direction} {flow}: {outcome}."),
        Evidence::Place { pointer, text, .. } => format!("{pointer}: {text}."),
    }
}

fn location(
    subject: &Subject,
    object: &ObjectName,
    pointer: &str,
    files: &Files,
) -> Map<String, Value> {
    let mut location = Map::new();
    if let Some(own) = files.find(subject, object, pointer) {
        let mut physical = json!({"artifactLocation": {"uri": own.uri}});
        if let Some(at) = own.place {
            physical["region"] = json!({"startLine": at.line, "startColumn": at.column});
        }
        location.insert("physicalLocation".to_owned(), physical);
    }
    location.insert(
        "logicalLocations".to_owned(),
        json!([{
            "name": object.name,
            "kind": "object",
            "fullyQualifiedName": format!("{}/{}#{pointer}", object.kind, object.id),
        }]),
    );
    location
}
