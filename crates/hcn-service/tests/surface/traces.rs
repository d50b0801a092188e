// SPDX-License-Identifier: MIT OR Apache-2.0
//! The requests of real clients, call by call.
//!
//! The recorded answers came from a stand-in and are no truth; they only lead from the ids and handles of the recording to ours. What is
//! expected is what hns-behaviour says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hcn_api::{Answer, Hns, HnsError, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{ids, parsed},
};

/// Words of the functions' names.
const WORDS: [(&str, Kind); 5] = [
    ("Network", Kind::Network),
    ("Endpoint", Kind::Endpoint),
    ("Namespace", Kind::Namespace),
    ("LoadBalancer", Kind::LoadBalancer),
    ("SdnRoute", Kind::SdnRoute),
];

/// A replay under way.
struct Replay<'a> {
    host: &'a Host,
    /// Ids of the recording in lower case, and ours.
    known: BTreeMap<String, Guid>,
    handles: HashMap<u64, ObjectId>,
    done: usize,
    /// Calls on what we had refused to make.
    passed_over: usize,
    /// Function and code of each failure.
    failed: Vec<(String, u32)>,
}

impl Replay<'_> {
    fn run(host: &Host, text: &str) -> (usize, usize, Vec<(String, u32)>) {
        let mut replay = Replay {
            host,
            known: BTreeMap::new(),
            handles: HashMap::new(),
            done: 0,
            passed_over: 0,
            failed: Vec::new(),
        };
        for line in text.lines() {
            replay.line(&parsed(line));
        }
        (replay.done, replay.passed_over, replay.failed)
    }

    fn line(&mut self, line: &Value) {
        let name = line["fn"].as_str().unwrap();
        let args: Vec<String> = (0..3)
            .map(|at| self.ours(line["args"][at].as_str().unwrap()))
            .collect();
        let out = line["out"].as_str().unwrap();
        if name == "HNSCall" {
            let answer = self.host.service.call(&args[0], &args[1], &args[2]);
            let output = |text: &str| parsed(text)["Output"].clone();
            if let Some(answer) = self.told(name, answer) {
                self.learn(&output(out), &output(&answer));
            }
            return;
        }
        let (verb, kind) = WORDS
            .iter()
            .find_map(|(word, kind)| Some((name.strip_prefix("Hcn")?.split_once(word)?.0, *kind)))
            .unwrap_or_else(|| panic!("{name}"));
        let handle = u64::from_str_radix(&args[0], 16).unwrap();
        let opened = line["handle"].as_u64().unwrap();
        let service = &self.host.service;
        match verb {
            "Enumerate" => {
                if let Some(answer) = self.told(name, service.enumerate(kind, &args[2])) {
                    self.learn(
                        &parsed(out),
                        &json!(ids(&answer).iter().map(Guid::to_string).collect::<Vec<_>>()),
                    );
                }
            }
            "Create" => {
                let network = self.handles.get(&handle).map(|object| object.id);
                let id = args[1].parse().unwrap_or_default();
                if let Some(id) = self.told(name, service.create(kind, network, id, &args[2])) {
                    self.handles.insert(opened, ObjectId { kind, id });
                }
            }
            "Open" => {
                let object = ObjectId {
                    kind,
                    id: args[1].parse().unwrap(),
                };
                if self.told(name, service.open(object)).is_some() {
                    self.handles.insert(opened, object);
                }
            }
            "Delete" => {
                let object = ObjectId {
                    kind,
                    id: args[1].parse().unwrap(),
                };
                if service.open(object).is_err() {
                    self.passed_over += 1;
                } else {
                    self.told(name, service.delete(object));
                }
            }
            _ => {
                let Some(object) = self.handles.get(&handle).copied() else {
                    self.passed_over += 1;
                    return;
                };
                match verb {
                    "Query" => {
                        if let Some(answer) = self.told(name, service.query(object, &args[2])) {
                            self.learn(&parsed(out), &parsed(&answer));
                        }
                    }
                    "Modify" => {
                        self.told(name, service.modify(object, &args[2]));
                    }
                    "Close" => {
                        self.handles.remove(&handle);
                        self.done += 1;
                    }
                    other => panic!("{other}"),
                }
            }
        }
    }

    fn told<T>(&mut self, name: &str, answer: Answer<T>) -> Option<T> {
        self.done += 1;
        let failed = |error: &HnsError| (name.to_owned(), error.code.0);
        answer
            .inspect_err(|error| self.failed.push(failed(error)))
            .ok()
    }

    /// Ids that stand in the same place mean the same object.
    fn learn(&mut self, theirs: &Value, ours: &Value) {
        match (theirs, ours) {
            (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
                for (theirs, ours) in theirs.iter().zip(ours) {
                    self.learn(theirs, ours);
                }
            }
            (Value::Object(theirs), Value::Object(ours)) => {
                if let (Some(theirs), Some(ours)) = (theirs.get("ID"), ours.get("ID")) {
                    self.learn(theirs, ours);
                }
            }
            (Value::String(theirs), Value::String(ours)) if theirs.parse::<Guid>().is_ok() => {
                self.known
                    .entry(theirs.to_ascii_lowercase())
                    .or_insert(ours.parse().unwrap());
            }
            _ => {}
        }
    }

    /// A text with our ids.
    fn ours(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (theirs, ours) in &self.known {
            for spelling in [theirs.clone(), theirs.to_ascii_uppercase()] {
                text = text.replace(&spelling, &ours.upper());
            }
        }
        text
    }
}

fn trace(test: &str, file: &str) -> Option<String> {
    let folder = testkit::traces_or_skip(test)?;
    Some(std::fs::read_to_string(folder.join(file)).unwrap())
}

fn documents(host: &Host, kind: Kind) -> Vec<Value> {
    let query = crate::scene::V2;
    host.service
        .list(kind, query)
        .unwrap()
        .iter()
        .map(|text| parsed(text))
        .collect()
}

/// kube-proxy 1.36: two services and a node port come, one service goes, the other loses a backend.
#[test]
fn kube_proxys_calls_succeed_and_leave_its_services() {
    let Some(text) = trace(
        "kube_proxys_calls_succeed_and_leave_its_services",
        "kube-proxy-l2bridge.jsonl",
    ) else {
        return;
    };
    let host = Host::of("15.4");
    let (done, passed_over, failed) = Replay::run(&host, &text);
    assert_eq!(failed, []);
    assert_eq!((done, passed_over), (211, 0));
    let names: Vec<Value> = documents(&host, Kind::Network)
        .iter()
        .map(|network| network["Name"].clone())
        .collect();
    assert_eq!(names, ["cbr0", "vxlan0"]);
    let namespaces = documents(&host, Kind::Namespace);
    assert_eq!(namespaces.len(), 1);
    assert_eq!(namespaces[0]["ID"], "11111111-2222-3333-4444-555555555555");
    let endpoints = documents(&host, Kind::Endpoint);
    let address_of: HashMap<&str, &str> = endpoints
        .iter()
        .map(|own| {
            (
                own["ID"].as_str().unwrap(),
                own["IpConfigurations"][0]["IpAddress"].as_str().unwrap(),
            )
        })
        .collect();
    let addresses: BTreeSet<&str> = address_of.values().copied().collect();
    assert_eq!(
        addresses,
        BTreeSet::from(["10.244.1.10", "10.244.1.11", "10.245.2.20"])
    );
    let services: BTreeMap<String, Vec<&str>> = documents(&host, Kind::LoadBalancer)
        .iter()
        .map(|own| {
            let port = &own["PortMappings"][0];
            let name = format!(
                "{}:{}->{}",
                own["FrontendVIPs"][0].as_str().unwrap(),
                port["ExternalPort"],
                port["InternalPort"]
            );
            let backends = own["HostComputeEndpoints"].as_array().unwrap();
            (
                name,
                backends
                    .iter()
                    .map(|id| address_of[id.as_str().unwrap()])
                    .collect(),
            )
        })
        .collect();
    assert_eq!(
        services,
        BTreeMap::from([
            ("10.96.0.50:80->8080".to_owned(), vec!["10.244.1.10"]),
            ("10.96.0.60:80->8080".to_owned(), vec!["10.245.2.20"]),
        ])
    );
}

/// hcsshim's own tests: all calls succeed but the two that must not (hns-behaviour 7.6), and only what the last test had made is left.
#[test]
fn hcsshims_tests_get_the_answers_that_they_expect() {
    let Some(text) = trace(
        "hcsshims_tests_get_the_answers_that_they_expect",
        "tests-hcsshim-hcn.jsonl",
    ) else {
        return;
    };
    let host = Host::of("16.0");
    let (done, passed_over, failed) = Replay::run(&host, &text);
    // The port of the host that is taken, and the namespace that is not there.
    let expected = [
        ("HcnCreateEndpoint".to_owned(), 0x803b_0013),
        ("HcnOpenNamespace".to_owned(), 0x8007_0490),
    ];
    assert_eq!(failed, expected);
    assert_eq!(done + passed_over, 717);
    // The recording ends inside the test of accelnet, which has made a network and given its two addresses.
    let networks = documents(&host, Kind::Network);
    assert_eq!(networks.len(), 1);
    assert_eq!(networks[0]["Name"], "GoTestNat");
    let list = &host.call("GET", "/accelnet", "")["MacAddressList"];
    let expected =
        json!([{"MacAddress": "00-15-5D-0A-B7-C6"}, {"MacAddress": "00-15-5D-38-01-00"}]);
    assert_eq!(*list, expected);
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Network) {
        assert_eq!(documents(&host, kind), Vec::<Value>::new(), "{kind}");
    }
}
