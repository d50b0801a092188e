// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output against its schemas: ours, and the part of SARIF's that we write.

use serde_json::{Value, json};
use testkit::schema::Schema;

use super::*;
use crate::render::lint as render;

fn check(schema: &Schema, value: &Value) {
    let faults = schema.faults(value);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The members of SARIF 2.1.0 that we write, each with what its section of the standard says of it.
fn sarif_schema() -> Schema {
    Schema::new(serde_json::from_str(include_str!("sarif.json")).unwrap())
}

/// Documents with packets, places of two objects, patches and requests among their findings.
fn troubled() -> Vec<Value> {
    vec![
        network(
            json!([{"Type": "SetPolicy", "Settings": {"Id": "a", "Name": "a", "PolicyType": "IPSET", "Values": ""}}]),
        ),
        endpoint(
            1,
            json!([
                acl(
                    "Block In",
                    100,
                    json!({"Protocols": "6", "LocalPorts": "80"})
                ),
                acl(
                    "Block In",
                    100,
                    json!({"Protocols": "6", "LocalPorts": "80"})
                ),
                acl(
                    "Block Out",
                    100,
                    json!({"Protocols": "6", "RemoteAddresses": "a"})
                ),
            ]),
        ),
    ]
}

#[test]
fn json_is_as_its_schema_says() {
    let subject = subject(&troubled());
    let found = run(&subject);
    let value = render::json(&subject, &found, &Files::default());
    check(&Schema::published("lint.json"), &value);
    let text = value.to_string();
    for member in [
        "\"packet\"",
        "\"patch\"",
        "\"request\"",
        "\"object\"",
        "\"flows\":\"unchanged\"",
    ] {
        assert!(text.contains(member), "{member}");
    }
    // The request of the double: what is left of the rules.
    let double = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "duplicate-rule")
        .unwrap();
    assert_eq!(
        double["fix"]["patch"],
        json!([{"op": "remove", "path": "/Policies/1"}])
    );
    let sent = double["fix"]["request"]["Settings"]["Policies"]
        .as_array()
        .unwrap();
    assert_eq!(sent.len(), 2);
}

/// The documents as a file of theirs, one member a line, and what is found in them.
fn in_file(name: &str) -> (Subject, Vec<Finding>, Files) {
    let text = serde_json::to_string_pretty(&troubled()).unwrap();
    let listed = listing::read(&text).unwrap();
    let mut files = Files::default();
    files.add(Some(std::path::Path::new(name)), text, listed.len());
    let subject = Subject::of(listed, None);
    let found = run(&subject);
    (subject, found, files)
}

#[test]
fn sarif_is_as_the_standard_says() {
    let (subject, found, files) = in_file("dumps/node 1.json");
    for (files, is_file) in [(Files::default(), false), (files, true)] {
        let log = render::sarif(&subject, &found, &files);
        check(&sarif_schema(), &log);
        let run = &log["runs"][0];
        for (result, finding) in run["results"].as_array().unwrap().iter().zip(&found) {
            // 3.27.6: the index is that of the rule with the id.
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
            let place = &result["locations"][0]["physicalLocation"];
            let uri = &place["artifactLocation"]["uri"];
            assert_eq!(uri.as_str(), is_file.then_some("dumps/node%201.json"));
            assert_eq!(place["region"]["startLine"].is_u64(), is_file);
            // Who reads SARIF alone has to know what the patch does.
            let has_patch = !finding.fix.edits.is_empty();
            assert_eq!(result["properties"]["flows"].is_string(), has_patch);
        }
        assert_eq!(run["invocations"], Value::Null);
    }
}

/// The line that an editor shows is that of the member.
#[test]
fn locations_are_those_of_the_members() {
    let (subject, found, files) = in_file("node.json");
    let value = render::json(&subject, &found, &files);
    check(&Schema::published("lint.json"), &value);
    let text = serde_json::to_string_pretty(&troubled()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut members = 0;
    for finding in value["findings"].as_array().unwrap() {
        let number = |name: &str| finding["location"][name].as_u64().unwrap() as usize;
        let line: String = lines[number("line") - 1]
            .chars()
            .skip(number("column") - 1)
            .collect();
        let last = finding["pointer"].as_str().unwrap().rsplit('/').next();
        match last.unwrap().parse::<usize>() {
            Ok(_) => assert_eq!(line, "{", "{finding}"),
            Err(_) if line.starts_with(&format!("\"{}\": ", last.unwrap())) => members += 1,
            // It says that a member is missing.
            Err(_) => assert!(line.starts_with("\"Settings\": {"), "{line} {finding}"),
        }
    }
    assert!(members > 0, "{value:#}");
    let page = render::text(&subject, &found, &files);
    assert!(
        page.contains("error lone-block: /Policies/0 (node.json:"),
        "{page}"
    );
}

/// A listing whose rules were cut is no clean bill, whatever reads the answer.
#[test]
fn what_could_not_be_examined_is_in_every_form() {
    let mut cut = endpoint(1, json!([]));
    cut["Policies"] = json!(["..."]);
    let subject = subject(&[network(json!([])), cut]);
    let found = run(&subject);
    let files = Files::default();
    let value = render::json(&subject, &found, &files);
    check(&Schema::published("lint.json"), &value);
    let log = render::sarif(&subject, &found, &files);
    check(&sarif_schema(), &log);
    let note = value["notExamined"][0].as_str().unwrap();
    assert!(note.ends_with("its rules are not examined"), "{note}");
    let told = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(
        told,
        &json!([{"level": "warning", "message": {"text": note}}])
    );
}
