// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oracle of strangers: rule sets that other projects state in their tests, and the verdicts that follow.
//!
//! Apart from recorded data, since these are facts in words of ours (`testing/testkit/oracle/*.json`) that need no licence of others and lie in the
//! repository. Invariant: each part of a case is told to be the other project's own, or to be derived by us and from what; never from an engine of
//! ours. A case whose rules, or whose verdicts, are not the other project's own is derived, and no stranger's statement.

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
    /// Whose it is.
    pub origin: Origin,
    /// The address of the endpoint.
    pub endpoint: String,
    /// Settings of `SetPolicy`, for the network.
    pub sets: Vec<Value>,
    /// Tiers of rules, where the case is about making one list of them; rules of tiers as `TierAclRules` has them, for both directions.
    pub tiers: Vec<Vec<Value>>,
    /// Settings of `ACL`, for the endpoint.
    pub rules: Vec<Value>,
    /// Packets at the endpoint's port, and whether they pass.
    pub packets: Vec<(Packet, bool)>,
}

/// Whether a case is what the other project says, or made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The rules, or the verdicts, are the other project's own.
    Stated,
    /// The rules are ours.
    Derived,
}

/// What of a case is the other project's, and what is ours.
///
/// A part is the name of a member of the case (`endpoint`, `sets`, `tiers`, `rules`, `packets`, or `verdicts`), and after a colon which of it.
#[derive(Debug)]
pub struct Origin {
    /// Whose statement the case is.
    pub standing: Standing,
    /// `owner/name`
    pub repository: String,
    /// A file and its whole commit, or a pull request.
    pub place: String,
    /// The test there, and the case in it, by their own names.
    pub test: [String; 2],
    /// What it expects.
    pub states: String,
    /// Parts that are its own.
    pub own: Vec<String>,
    /// Parts that are ours, and what they are derived from.
    pub ours: Vec<(String, String)>,
    /// What makes it weaker than it looks.
    pub caveats: Vec<String>,
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

/// The cases of every project that stand so.
///
/// # Panics
/// Where a file is not what it should be.
pub fn cases_that_are(standing: Standing) -> Vec<Case> {
    let mut cases = cases();
    cases.retain(|case| case.origin.standing == standing);
    cases
}

impl Case {
    /// Whose word the case is, for a line about its failure.
    pub fn told(&self) -> String {
        let Origin {
            standing, states, ..
        } = &self.origin;
        match standing {
            Standing::Stated => format!("{}, stated ({states})", self.name),
            Standing::Derived => format!(
                "{}, derived by us from what is stated ({states})",
                self.name
            ),
        }
    }
}

fn file(text: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).expect("the file is JSON");
    let of_all = word(&file["repository"]);
    list(&file["cases"])
        .iter()
        .map(|case| {
            let source = &file["sources"][word(&case["source"])];
            let repository = source.get("repository").map(word);
            let origin = origin(repository.as_ref().unwrap_or(&of_all), source, case);
            Case {
                name: format!(
                    "{} {} {}: {}",
                    origin.repository,
                    origin.place,
                    origin.test.join(", "),
                    word(&case["name"])
                ),
                origin,
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
            }
        })
        .collect()
}

/// What a source says of all its cases, and a case of itself: its own parts instead of the source's, and parts of ours beside the source's.
fn origin(repository: &str, source: &Value, case: &Value) -> Origin {
    let place = match source.get("pull request") {
        Some(number) => format!("pull request {}", word(number)),
        None => format!("{}@{}", word(&source["file"]), word(&source["commit"])),
    };
    let mut ours: Vec<(String, String)> = Vec::new();
    for (part, from) in [source, case].iter().flat_map(|of| members(of.get("ours"))) {
        ours.retain(|(said, _)| *said != part);
        ours.push((part, from));
    }
    Origin {
        standing: match word(&case["stands"]).as_str() {
            "stated" => Standing::Stated,
            "derived" => Standing::Derived,
            other => panic!("{other:?} is no standing"),
        },
        repository: repository.to_owned(),
        place,
        test: [word(&case["test"]), word(&case["case"])],
        states: word(&case["states"]),
        own: list(case.get("own").unwrap_or(&source["own"]))
            .iter()
            .map(word)
            .collect(),
        ours,
        caveats: [source, case]
            .iter()
            .filter_map(|of| of.get("caveat").map(word))
            .collect(),
    }
}

fn members(object: Option<&Value>) -> Vec<(String, String)> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), word(value)))
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
mod tests;
