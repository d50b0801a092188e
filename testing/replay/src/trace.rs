// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was asked: the recorded calls of one run of a client.
//!
//! Apart because the form of the file is the recorder's. Invariant: a line that is not understood ends the replay; none is passed over in silence.

use std::fs;

use hcn_api::Kind;
use serde_json::Value;

use crate::border::word;

/// One recording.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The version of HNS that answers: the one that the recorded responder told.
    pub version: &'static str,
}

/// Every recording.
pub const TRACES: [Trace; 5] = [
    Trace {
        name: "cni-win-bridge-v1",
        version: "15.4",
    },
    Trace {
        name: "cni-win-bridge-v2",
        version: "15.4",
    },
    Trace {
        name: "cni-win-overlay-v2",
        version: "15.4",
    },
    Trace {
        name: "kube-proxy-l2bridge",
        version: "15.4",
    },
    Trace {
        name: "tests-hcsshim-hcn",
        version: "16.0",
    },
];

impl Trace {
    /// The recording of this name.
    pub fn named(name: &str) -> Trace {
        *TRACES
            .iter()
            .find(|trace| trace.name == name)
            .unwrap_or_else(|| panic!("there is no recording {name}"))
    }

    /// Its calls; `None`, with a skip that is counted, where the recordings are not there.
    pub fn calls_or_skip(&self, test: &str) -> Option<Vec<Call>> {
        let file = testkit::traces_or_skip(test)?.join(format!("{}.jsonl", self.name));
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Some(text.lines().map(Call::read).collect())
    }
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `HcnEnumerateX`.
    Enumerate,
    /// `HcnCreateX`.
    Create,
    /// `HcnOpenX`.
    Open,
    /// `HcnQueryXProperties`.
    Query,
    /// `HcnModifyX`.
    Modify,
    /// `HcnDeleteX`.
    Delete,
    /// `HcnCloseX`.
    Close,
}

const VERBS: [(&str, Verb); 7] = [
    ("Enumerate", Verb::Enumerate),
    ("Create", Verb::Create),
    ("Open", Verb::Open),
    ("Query", Verb::Query),
    ("Modify", Verb::Modify),
    ("Delete", Verb::Delete),
    ("Close", Verb::Close),
];

/// Whose function a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Version 2.
    Object(Verb, Kind),
    /// Version 1.
    Call,
    /// The compute service's, which is no part of HNS.
    Compute,
}

/// One recorded call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// What it does.
    pub function: Function,
    /// Handle in hexadecimal, id, and settings or query; of version 1 method, path and request.
    pub arguments: [String; 3],
    /// The handle that was given.
    pub handle: u64,
    /// The document that was given.
    pub answer: Value,
}

impl Call {
    fn read(line: &str) -> Call {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&line["fn"]);
        Call {
            function: function(&name).unwrap_or_else(|| panic!("what is {name:?}?")),
            arguments: [0, 1, 2].map(|at| text(&line["args"][at])),
            handle: line["handle"].as_u64().unwrap_or_default(),
            answer: serde_json::from_str(&text(&line["out"])).unwrap_or_default(),
            name,
        }
    }

    /// The recorded handle that it is about; 0 where none is.
    pub fn about(&self) -> u64 {
        u64::from_str_radix(&self.arguments[0], 16).unwrap_or_default()
    }
}

fn function(name: &str) -> Option<Function> {
    if name == "HNSCall" {
        return Some(Function::Call);
    }
    if name.starts_with("Hcs") {
        return Some(Function::Compute);
    }
    let rest = name.strip_prefix("Hcn")?;
    VERBS.iter().find_map(|(start, verb)| {
        let rest = rest.strip_prefix(start)?;
        let rest = match verb {
            Verb::Enumerate => rest.strip_suffix('s')?,
            Verb::Query => rest.strip_suffix("Properties")?,
            _ => rest,
        };
        let kind = Kind::ALL.into_iter().find(|kind| word(*kind) == rest)?;
        Some(Function::Object(*verb, kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_verb_and_kind() {
        for (name, expected) in [
            (
                "HcnEnumerateNamespaces",
                Some(Function::Object(Verb::Enumerate, Kind::Namespace)),
            ),
            (
                "HcnQueryLoadBalancerProperties",
                Some(Function::Object(Verb::Query, Kind::LoadBalancer)),
            ),
            (
                "HcnCloseSdnRoute",
                Some(Function::Object(Verb::Close, Kind::SdnRoute)),
            ),
            ("HNSCall", Some(Function::Call)),
            ("HcsOpenComputeSystem", Some(Function::Compute)),
            ("HcnCloseService", None),
        ] {
            assert_eq!(function(name), expected, "{name}");
        }
    }
}
