// SPDX-License-Identifier: MIT OR Apache-2.0
//! What CNI plugins asked on the wire, asked again of the service, call by call.
//!
//! Apart because the requests are strangers': they lie outside the repository, and each test is a counted skip without them. The recorded responder was no
//! HNS: its answers give ids, handles and counts to follow, and what a request determines (names, addresses), never more.

mod scene;

use std::{collections::BTreeMap, fs};

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use scene::{Scene, guid, parsed};
use serde_json::{Value, json};

struct Replay {
    scene: Scene,
    /// Recorded handles, in hexadecimal without leading zeros, and what they are of here.
    handles: BTreeMap<String, ObjectId>,
    /// Recorded ids and those here.
    ids: BTreeMap<Guid, Guid>,
    /// Calls to the compute service, which is no part of HNS.
    passed_over: u32,
}

impl Replay {
    fn run(test: &str, file: &str) -> Option<Replay> {
        let folder = testkit::traces_or_skip(test)?;
        let mut replay = Replay {
            // The version that the recorded responder told.
            scene: Scene::of(Some("15.4")),
            handles: BTreeMap::new(),
            ids: BTreeMap::new(),
            passed_over: 0,
        };
        for line in fs::read_to_string(folder.join(file)).unwrap().lines() {
            let call = parsed(line);
            assert_eq!(call["hr"], "00000000", "{line}");
            replay.call(&call);
        }
        Some(replay)
    }

    fn call(&mut self, call: &Value) {
        let name = call["fn"].as_str().unwrap();
        let args: Vec<String> = call["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| self.translated(text.as_str().unwrap()))
            .collect();
        let handle = format!("{:x}", call["handle"].as_u64().unwrap());
        let recorded = call["out"].as_str().unwrap();
        let fail = |error| panic!("{name} {args:?}: {error}");
        if name.starts_with("Hcs") {
            self.passed_over += 1;
        } else if name == "HNSCall" {
            let answer = self.scene.call(&args[0], &args[1], &args[2]);
            self.learn(&parsed(recorded)["Output"], &answer);
        } else if let Some(kind) = kind_of(name, "HcnEnumerate", "s") {
            let answer = self.scene.service.enumerate(kind, &args[2]);
            let own = scene::ids(&answer.unwrap_or_else(fail));
            let other = scene::ids(recorded);
            assert_eq!(own.len(), other.len(), "{call}");
            self.ids.extend(other.into_iter().zip(own));
        } else if let Some(kind) = kind_of(name, "HcnCreate", "") {
            let network = self.handles.get(&args[0]).map(|object| object.id);
            let id = args[1].parse().unwrap_or(Guid::ZERO);
            let made = self.scene.service.create(kind, network, id, &args[2]);
            let id = made.unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
            self.handles.insert(handle, ObjectId { kind, id });
        } else if let Some(kind) = kind_of(name, "HcnOpen", "") {
            let object = ObjectId {
                kind,
                id: guid(&args[1]),
            };
            self.scene
                .service
                .open(object)
                .unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
            self.handles.insert(handle, object);
        } else if kind_of(name, "HcnQuery", "Properties").is_some() {
            let answer = self.scene.service.query(self.handles[&args[0]], &args[2]);
            self.learn(&parsed(recorded), &parsed(&answer.unwrap_or_else(fail)));
        } else if kind_of(name, "HcnModify", "").is_some() {
            self.scene
                .service
                .modify(self.handles[&args[0]], &args[2])
                .unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
        } else if let Some(kind) = kind_of(name, "HcnDelete", "") {
            let object = ObjectId {
                kind,
                id: guid(&args[1]),
            };
            self.scene
                .service
                .delete(object)
                .unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
        } else if kind_of(name, "HcnClose", "").is_some() {
            self.handles.remove(&args[0]);
        } else {
            panic!("what is {name}?");
        }
    }

    /// A request with the ids of here for those recorded.
    fn translated(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (other, own) in &self.ids {
            text = text
                .replace(&other.upper(), &own.upper())
                .replace(&other.to_string(), &own.to_string());
        }
        text
    }

    /// Compares what the request alone determines, and takes over which id is which.
    fn learn(&mut self, recorded: &Value, own: &Value) {
        match (recorded, own) {
            (Value::Array(recorded), Value::Array(own)) => {
                assert_eq!(recorded.len(), own.len());
                for (recorded, own) in recorded.iter().zip(own) {
                    self.learn(recorded, own);
                }
            }
            (Value::Object(_), Value::Object(_)) => {
                if let (Some(recorded), Some(own)) = (recorded["ID"].as_str(), own["ID"].as_str()) {
                    self.ids.insert(guid(recorded), guid(own));
                }
                for pointer in [
                    "/Name",
                    "/Major",
                    "/Minor",
                    "/IPAddress",
                    "/GatewayAddress",
                    "/DNSServerList",
                    "/MacAddress",
                    "/IpConfigurations/0/IpAddress",
                    "/Routes/0/NextHop",
                    "/Dns/ServerList",
                    "/Ipams/0/Subnets/0/IpAddressPrefix",
                    "/Ipams/0/Subnets/0/Routes/0/NextHop",
                ] {
                    // The responder answers with empty texts, and makes MAC addresses of its own where none is asked for.
                    let asked = recorded.pointer(pointer).filter(|value| {
                        **value != ""
                            && (pointer != "/MacAddress"
                                || value.as_str().is_some_and(|mac| mac.starts_with("0E-2A")))
                    });
                    if let Some(asked) = asked {
                        assert_eq!(own.pointer(pointer), Some(asked), "{pointer} of {own}");
                    }
                }
            }
            _ => {}
        }
    }

    /// What is left: the two networks and the namespace of the scene, empty.
    fn assert_nothing_left(&self) {
        assert_eq!(self.scene.find(Kind::Endpoint, &json!({})), []);
        assert_eq!(self.scene.find(Kind::Network, &json!({})).len(), 2);
        for namespace in self.scene.find(Kind::Namespace, &json!({})) {
            let document = self.scene.two(Kind::Namespace, namespace);
            assert_eq!(document.get("Resources"), None);
        }
        println!(
            "{} calls of the compute service passed over",
            self.passed_over
        );
    }
}

/// The kind in a function's name.
fn kind_of(name: &str, verb: &str, ending: &str) -> Option<Kind> {
    match name.strip_prefix(verb)?.strip_suffix(ending)? {
        "Network" => Some(Kind::Network),
        "Endpoint" => Some(Kind::Endpoint),
        "Namespace" => Some(Kind::Namespace),
        _ => None,
    }
}

/// The overlay of the scene names its own provider address and router, in v2 form without a schema version.
fn assert_overlay_policies(replay: &Replay) {
    let overlay = replay.scene.find(Kind::Network, &json!({"Name": "vxlan0"}))[0];
    let policies = replay.scene.two(Kind::Network, overlay)["Policies"].clone();
    assert_eq!(
        policies,
        json!([
            {"Type": "ProviderAddress", "Settings": {"ProviderAddress": "10.0.0.4"}},
            {"Type": "DrMacAddress", "Settings": {"Address": "00-15-5D-00-00-01"}},
        ])
    );
}

#[test]
fn win_bridge_adds_and_deletes_over_v2() {
    let test = "win_bridge_adds_and_deletes_over_v2";
    let Some(replay) = Replay::run(test, "cni-win-bridge-v2.jsonl") else {
        return;
    };
    replay.assert_nothing_left();
    assert_overlay_policies(&replay);
    assert_eq!(replay.passed_over, 0);
}

#[test]
fn win_overlay_adds_and_deletes_over_v2() {
    let test = "win_overlay_adds_and_deletes_over_v2";
    let Some(replay) = Replay::run(test, "cni-win-overlay-v2.jsonl") else {
        return;
    };
    replay.assert_nothing_left();
    assert_overlay_policies(&replay);
    assert_eq!(replay.passed_over, 0);
}

#[test]
fn win_bridge_adds_and_deletes_over_v1() {
    let test = "win_bridge_adds_and_deletes_over_v1";
    let Some(replay) = Replay::run(test, "cni-win-bridge-v1.jsonl") else {
        return;
    };
    replay.assert_nothing_left();
    // Opening, watching, asking, changing, unwatching and closing the container.
    assert_eq!(replay.passed_over, 6);
}
