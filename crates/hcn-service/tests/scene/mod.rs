// SPDX-License-Identifier: MIT OR Apache-2.0
//! A service on a store of its own, and what every test asks of it.
//!
//! Apart because all test programs of this crate start so. A store lies in a temporary directory that goes with its scene.

#![allow(
    dead_code,
    reason = "each test program compiles this file and uses its own part of it"
)]

pub mod audit;
pub mod mounted;
pub mod random;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use hcn_api::{Answer, HcnCode, Hns, HnsError, HnsVersion, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::{Clock, Options, SequenceIds, Service};
use serde_json::{Value, json};

/// Query for answers in v2 shape.
pub const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

/// A directory that is removed with this value.
pub struct Directory(PathBuf);

impl Directory {
    /// A new empty one.
    pub fn new() -> Directory {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("hcn-service-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A clock that stands at a second and steps one on at each look.
pub struct Steps(AtomicU64);

impl Steps {
    /// Starts at a number of milliseconds.
    pub fn from(start: u64) -> Steps {
        Steps(AtomicU64::new(start))
    }
}

impl Clock for Steps {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

/// Options under which every transcript repeats.
pub fn repeatable(state: &Path) -> Options {
    Options {
        clock: Arc::new(Steps::from(1_600_000_000_000)),
        ids: Arc::new(SequenceIds::new(11)),
        actor: "test".to_owned(),
        ..Options::new(state)
    }
}

/// A service and its directory.
pub struct Scene {
    pub service: Service,
    pub directory: Directory,
}

impl Scene {
    /// A new store of the default version.
    pub fn new() -> Scene {
        Scene::of(None)
    }

    /// A new store of a version.
    pub fn of(version: Option<&str>) -> Scene {
        let directory = Directory::new();
        let version = version.map(|text| text.parse::<HnsVersion>().unwrap());
        let options = Options {
            version,
            ..repeatable(directory.path())
        };
        Scene {
            service: Service::open(options).unwrap(),
            directory,
        }
    }

    /// Makes an object that must be admitted.
    pub fn create(&self, kind: Kind, network: Option<Guid>, document: &Value) -> Guid {
        self.service
            .create(kind, network, Guid::ZERO, &document.to_string())
            .unwrap_or_else(|error| panic!("{document}: {error}"))
    }

    /// Makes a network from a v2 document, to which the schema version is added.
    pub fn network(&self, document: Value) -> Guid {
        self.create(Kind::Network, None, &two(document))
    }

    /// The usual NAT network: `nat`, 192.168.100.0/24.
    pub fn nat(&self) -> Guid {
        self.network(subnetted("NAT", "nat", "192.168.100.0/24", "192.168.100.1"))
    }

    /// Makes an endpoint from a v2 document.
    pub fn endpoint(&self, network: Guid, document: Value) -> Guid {
        self.create(Kind::Endpoint, Some(network), &two(document))
    }

    /// Makes a namespace from a v2 document.
    pub fn namespace(&self, document: Value) -> Guid {
        self.create(Kind::Namespace, None, &two(document))
    }

    /// The v2 document of an object.
    pub fn two(&self, kind: Kind, id: Guid) -> Value {
        parsed(&self.service.query(ObjectId { kind, id }, V2).unwrap())
    }

    /// The v1 document of an object.
    pub fn one(&self, kind: Kind, id: Guid) -> Value {
        parsed(&self.service.query(ObjectId { kind, id }, "").unwrap())
    }

    /// The v2 document of an endpoint.
    pub fn endpoint_two(&self, id: Guid) -> Value {
        self.two(Kind::Endpoint, id)
    }

    /// Modifies an object.
    pub fn modify(&self, kind: Kind, id: Guid, request: &Value) -> Answer<()> {
        self.service
            .modify(ObjectId { kind, id }, &request.to_string())
    }

    /// Asks an endpoint for a change of policies.
    pub fn policies(&self, endpoint: Guid, verb: &str, policies: Value) -> Answer<()> {
        let request = policy_request(verb, policies);
        self.modify(Kind::Endpoint, endpoint, &request)
    }

    /// Puts an endpoint into a namespace, or takes it out.
    pub fn membership(&self, namespace: Guid, verb: &str, endpoint: Guid) -> Answer<()> {
        let request = json!({"ResourceType": "Endpoint", "RequestType": verb, "Settings": {"EndpointId": endpoint.to_string()}});
        self.modify(Kind::Namespace, namespace, &request)
    }

    /// Deletes an object.
    pub fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.service.delete(ObjectId { kind, id })
    }

    /// A v1 call that must succeed; its `Output`.
    pub fn call(&self, method: &str, path: &str, request: &str) -> Value {
        let answer = self
            .service
            .call(method, path, request)
            .unwrap_or_else(|error| panic!("{method} {path} {request}: {error}"));
        let answer = parsed(&answer);
        assert_eq!(answer["Success"], true, "{answer}");
        answer["Output"].clone()
    }

    /// Ids that match a filter, given as the object in it.
    pub fn find(&self, kind: Kind, filter: &Value) -> Vec<Guid> {
        let query =
            json!({"SchemaVersion": {"Major": 2, "Minor": 0}, "Filter": filter.to_string()});
        ids(&self.service.enumerate(kind, &query.to_string()).unwrap())
    }

    /// Everything that a client can see, and the operation log: equal before and after where nothing changed.
    pub fn everything(&self) -> String {
        let mut text = String::new();
        for kind in Kind::ALL {
            for query in ["", V2] {
                for document in self.service.list(kind, query).unwrap() {
                    text.push_str(&document);
                    text.push('\n');
                }
            }
        }
        for operation in self.service.history(None, usize::MAX).unwrap() {
            text.push_str(&format!("{operation:?}\n"));
        }
        for container in self.service.containers().unwrap() {
            text.push_str(&format!("{container:?}\n"));
        }
        text + &audit::reservations(self.directory.path())
    }
}

impl Drop for Scene {
    /// Whatever a test did, the store is whole and agrees with itself afterwards.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            audit::check(&self.service, self.directory.path());
        }
    }
}

/// A v2 document.
pub fn two(mut document: Value) -> Value {
    document["SchemaVersion"] = json!({"Major": 2, "Minor": 0});
    document
}

/// A network with one static subnet.
pub fn subnetted(kind: &str, name: &str, prefix: &str, gateway: &str) -> Value {
    json!({
        "Name": name, "Type": kind,
        "Ipams": [{"Type": "Static", "Subnets": [{"IpAddressPrefix": prefix, "Routes": [{"NextHop": gateway, "DestinationPrefix": "0.0.0.0/0"}]}]}],
    })
}

/// A modify request for policies.
pub fn policy_request(verb: &str, policies: Value) -> Value {
    json!({"ResourceType": "Policy", "RequestType": verb, "Settings": {"Policies": policies}})
}

/// An ACL.
pub fn acl(settings: Value) -> Value {
    json!({"Type": "ACL", "Settings": settings})
}

/// A port mapping.
pub fn mapping(protocol: u32, internal: u32, external: u32) -> Value {
    json!({"Type": "PortMapping", "Settings": {"Protocol": protocol, "InternalPort": internal, "ExternalPort": external}})
}

/// JSON that must parse.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A list of ids.
pub fn ids(text: &str) -> Vec<Guid> {
    let list: Vec<String> = serde_json::from_str(text).unwrap();
    list.iter().map(|id| id.parse().unwrap()).collect()
}

/// An id.
pub fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

/// Keys of an object, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// The code of a failure, which it must be.
pub fn code<T: std::fmt::Debug>(answer: Answer<T>) -> HcnCode {
    refusal(answer).code
}

/// A failure, which it must be.
pub fn refusal<T: std::fmt::Debug>(answer: Answer<T>) -> HnsError {
    answer.expect_err("it should have been refused")
}
