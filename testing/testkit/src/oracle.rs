// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oracle of strangers: rule sets that other projects state in their tests, and the verdicts that follow.
//!
//! Apart from recorded data, since these are facts in words of ours (`testing/testkit/oracle/*.json`) that need no licence of others and lie in the
//! repository. Invariant: expectations come from what the other project says a case means, and never from an engine of ours.

use serde_json::Value;

/// What one project states.
const FILES: [&str; 2] = [
    include_str!("../oracle/calico.json"),
    include_str!("../oracle/azure-npm.json"),
];

/// A case.
pub struct Case {
    /// The project, where in it, and what it is about.
    pub name: String,
    /// What is stated.
    pub says: String,
    /// The address of the endpoint.
    pub endpoint: String,
    /// Settings of `SetPolicy`, for the network.
    pub sets: Vec<Value>,
    /// Tiers of rules, where the case is about making one list of them; rules of tiers as `TierAclRules` has them.
    pub tiers: Vec<Vec<Value>>,
    /// Settings of `ACL`, for the endpoint.
    pub rules: Vec<Value>,
    /// Packets at the endpoint's port, and whether they pass.
    pub packets: Vec<(Packet, bool)>,
}

/// `in tcp 10.0.0.2:50000 -> 10.0.0.1:80`
#[derive(Clone, Debug)]
pub struct Packet {
    /// The text.
    pub text: String,
    /// To the endpoint, as the endpoint sees it.
    pub is_in: bool,
    /// A name or a number.
    pub protocol: String,
    /// Address and port; 0 where the protocol has none.
    pub source: (std::net::IpAddr, u16),
    /// Address and port; 0 where the protocol has none.
    pub destination: (std::net::IpAddr, u16),
}

/// Every case of every project.
///
/// # Panics
/// Where a file is not what it should be.
pub fn cases() -> Vec<Case> {
    FILES.iter().flat_map(|text| file(text)).collect()
}

fn file(text: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).expect("the file is JSON");
    let repository = word(&file["repository"]);
    list(&file["cases"])
        .iter()
        .map(|case| Case {
            name: format!(
                "{repository} {} {}: {}",
                word(&case["file"]),
                word(&case["test"]),
                word(&case["name"])
            ),
            says: word(&case["says"]),
            endpoint: word(&case["endpoint"]),
            sets: case.get("sets").map(list).unwrap_or_default(),
            tiers: case
                .get("tiers")
                .map(|tiers| list(tiers).iter().map(list).collect())
                .unwrap_or_default(),
            rules: list(&case["rules"]),
            packets: [("allow", true), ("block", false)]
                .into_iter()
                .flat_map(|(key, passes)| {
                    let packets = list(&case[key]);
                    packets
                        .into_iter()
                        .map(move |text| (packet(&word(&text)), passes))
                })
                .collect(),
        })
        .collect()
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
        .clone()
}

fn packet(text: &str) -> Packet {
    let parts: Vec<&str> = text.split(' ').collect();
    let [
        direction @ ("in" | "out"),
        protocol,
        source,
        "->",
        destination,
    ] = parts[..]
    else {
        panic!("{text:?} is no packet");
    };
    let end = |text: &str| match text.parse::<std::net::SocketAddr>() {
        Ok(end) => (end.ip(), end.port()),
        Err(_) => (text.parse().expect("an address"), 0),
    };
    Packet {
        text: text.to_owned(),
        is_in: direction == "in",
        protocol: protocol.to_owned(),
        source: end(source),
        destination: end(destination),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_says_what_it_means_and_has_a_name_of_its_own() {
        let cases = cases();
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len());
        assert!(cases.len() >= 40, "{}", cases.len());
        for case in &cases {
            assert!(
                !case.says.is_empty() && !case.packets.is_empty(),
                "{}",
                case.name
            );
        }
    }
}
