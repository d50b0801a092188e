// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations where most rules are put aside unread.

use super::*;

/// All that is said, but for the numbers by which a port counts its rules.
fn without_numbers(said: &Explanation) -> String {
    let text = format!("{said:?}");
    let mut parts = text.split("Rule(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + "Rule(" + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

/// So many rules that the two ports of the flow are read at the same time, in the spellings that HNS and its clients have.
#[test]
fn many_rules_of_two_ports_are_told_as_when_all_are_read() {
    let rules: Vec<Value> = (0..1_500u32)
        .map(|number| {
            let (high, low) = (number / 200, number % 200);
            let action = ["Allow", "Block"][number as usize % 2];
            let direction = ["In", "Out"][number as usize / 2 % 2];
            let (addresses, ports) = match number % 5 {
                0 => (format!("10.{high}.{low}.0/24"), String::new()),
                1 => (format!("10.{high}.0.{low},10.0.0.1"), format!("{number}")),
                2 => (format!("fd00::{number:x}"), String::new()),
                3 => (String::new(), format!("{number},8000-{}", 8000 + number)),
                _ => (format!("10.0.0.0/{}", 20 + number % 13), format!("1-{number}")),
            };
            let protocols = ["6", "17", "6,17"][number as usize % 3];
            json!({"Type": "ACL", "Settings": {"Protocols": protocols, "Action": action, "Direction": direction,
                "RemoteAddresses": addresses, "LocalPorts": ports,
                "RuleType": "Switch", "Priority": 100 + number}})
        })
        .chain([
            acl("Action=Allow Direction=In Priority=65000"),
            acl("Action=Allow Direction=Out Priority=65000"),
        ])
        .collect();
    let documents = documents(&[&rules, &rules]);
    let outlines: Vec<Outline> = documents
        .endpoints
        .iter()
        .map(|endpoint| Outline::of(endpoint.to_json()))
        .collect();
    let size: usize = outlines.iter().map(|outline| outline.text().len()).sum();
    assert!(size > sieve::WORTH_A_THREAD, "{size}");
    let sketch = Documents {
        endpoints: outlines
            .iter()
            .map(|outline| outline.sketch().unwrap())
            .collect(),
        ..documents.clone()
    };
    for port in [1, 80, 700, 1_200, 8_000, 9_000, 60_000] {
        let flow = flow("10.0.0.2", port);
        let mut inquiry = Inquiry::new(&sketch, &Semantics::default());
        inquiry.sieve(Start::Port(PortIndex(0)), &flow, |id| {
            let mut endpoints = documents.endpoints.iter();
            let place = endpoints
                .position(|own| own.id.get().and_then(hcn_schema::Id::guid) == Some(id))?;
            outlines.get(place)
        });
        let sieved = inquiry.explain(Start::Port(PortIndex(0)), &flow);
        assert_eq!(
            without_numbers(&sieved),
            without_numbers(&explained(&documents, &flow)),
            "port {port}"
        );
    }
}
