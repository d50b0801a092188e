// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad inputs: each is refused with its code, its name and a sentence that names the field, and nothing has changed.
//!
//! Apart because it is one table, to be read as such. Codes are those of hns-behaviour 3.1 and 3.3; numbers are written out, so that a wrong
//! table of codes cannot agree with itself.

mod attachments;
mod documents;
mod endpoints;
mod networks;
mod policies;
#[path = "../scene/mod.rs"]
mod scene;
mod store;

use hcn_api::{Answer, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::Service;
use scene::{Scene, acl, mapping, policy_request, refusal, subnetted, two};
use serde_json::{Value, json};

const NETWORK: &str = "11111111-0000-4000-8000-000000000001";
const TRANSPARENT: &str = "11111111-0000-4000-8000-000000000002";
const EXCLUSIVE: &str = "11111111-0000-4000-8000-000000000003";
const TAKEN: &str = "22222222-0000-4000-8000-000000000001";
const FREE: &str = "22222222-0000-4000-8000-000000000002";
const REMOTE: &str = "22222222-0000-4000-8000-000000000003";
const LONELY: &str = "22222222-0000-4000-8000-000000000004";
const BRIDGED: &str = "22222222-0000-4000-8000-000000000005";
const NAMESPACE: &str = "33333333-0000-4000-8000-000000000001";
const UNKNOWN: &str = "99999999-0000-4000-8000-000000000009";

/// One network with endpoints in every state, one that publishes no ports, and one that shares nothing.
fn scene() -> Scene {
    let scene = Scene::new();
    let with_id = |mut document: Value, id: &str| {
        document["ID"] = json!(id);
        document
    };
    let network = scene.network(with_id(
        subnetted("NAT", "nat", "192.168.100.0/24", "192.168.100.1"),
        NETWORK,
    ));
    let transparent = scene.network(with_id(
        subnetted("Transparent", "plain", "10.1.0.0/16", "10.1.0.1"),
        TRANSPARENT,
    ));
    // DisableSharing is 128.
    let mut exclusive = subnetted("L2Bridge", "exclusive", "10.2.0.0/16", "10.2.0.1");
    exclusive["Flags"] = json!(128);
    let exclusive = scene.network(with_id(exclusive, EXCLUSIVE));
    scene.endpoint(
        network,
        json!({
            "ID": TAKEN, "IpConfigurations": [{"IpAddress": "192.168.100.10"}], "MacAddress": "00-15-5D-00-00-10",
            "Policies": [mapping(6, 80, 8080)],
        }),
    );
    scene.endpoint(network, json!({"ID": FREE}));
    scene.endpoint(
        network,
        json!({"ID": REMOTE, "Flags": 1, "IpConfigurations": [{"IpAddress": "10.9.9.9"}], "MacAddress": "02-11-0a-09-09-09"}),
    );
    scene.endpoint(transparent, json!({"ID": LONELY}));
    scene.endpoint(exclusive, json!({"ID": BRIDGED}));
    let namespace = scene.namespace(json!({"ID": NAMESPACE}));
    scene
        .membership(namespace, "Add", scene::guid(TAKEN))
        .unwrap();
    for (system, container) in [("Host", ""), ("Container", "c1")] {
        let body = json!({"SystemType": system, "ContainerId": container}).to_string();
        scene.call("POST", &format!("/endpoints/{TAKEN}/attach"), &body);
    }
    let body = json!({"SystemType": "Container", "ContainerId": "c1"}).to_string();
    scene.call("POST", &format!("/endpoints/{BRIDGED}/attach"), &body);
    scene
}

/// What is asked.
enum Ask {
    Create(Kind, &'static str, &'static str, String),
    Modify(Kind, &'static str, String),
    Delete(Kind, &'static str),
    Open(Kind, &'static str),
    Query(Kind, &'static str, &'static str),
    Enumerate(Kind, &'static str),
    Call(&'static str, &'static str, String),
}

impl Ask {
    fn put(&self, service: &Service) -> Answer<String> {
        let object = |kind: &Kind, id: &str| ObjectId {
            kind: *kind,
            id: scene::guid(id),
        };
        let id = |text: &str| {
            if text.is_empty() {
                Guid::ZERO
            } else {
                scene::guid(text)
            }
        };
        match self {
            Ask::Create(kind, network, own, text) => {
                let network = (!network.is_empty()).then(|| scene::guid(network));
                service
                    .create(*kind, network, id(own), text)
                    .map(|id| id.to_string())
            }
            Ask::Modify(kind, id, text) => service
                .modify(object(kind, id), text)
                .map(|()| String::new()),
            Ask::Delete(kind, id) => service.delete(object(kind, id)).map(|()| String::new()),
            Ask::Open(kind, id) => service.open(object(kind, id)).map(|()| String::new()),
            Ask::Query(kind, id, text) => service.query(object(kind, id), text),
            Ask::Enumerate(kind, text) => service.enumerate(*kind, text),
            Ask::Call(method, path, text) => service.call(method, path, text),
        }
    }
}

/// Name of the row, what is asked, code by name, code by number, the field (none: the request as a whole), words of the sentence.
type Row = (
    &'static str,
    Ask,
    &'static str,
    u32,
    &'static str,
    &'static str,
);

/// A v2 endpoint document on the NAT network.
fn endpoint(document: Value) -> Ask {
    Ask::Create(Kind::Endpoint, NETWORK, "", two(document).to_string())
}

/// A v2 network document.
fn network(document: Value) -> Ask {
    Ask::Create(Kind::Network, "", "", two(document).to_string())
}

/// One policy added to the free endpoint.
fn add(policy: Value) -> Ask {
    Ask::Modify(
        Kind::Endpoint,
        FREE,
        policy_request("Add", json!([policy])).to_string(),
    )
}

/// A rule that is right but for what is given.
fn rule(odd: Value) -> Ask {
    let mut settings =
        json!({"Action": "Block", "Direction": "In", "Protocols": "6", "Priority": 100});
    for (key, value) in odd.as_object().unwrap() {
        settings[key] = value.clone();
    }
    add(acl(settings))
}

fn attach(endpoint: &'static str, body: Value) -> Ask {
    let path = match endpoint {
        TAKEN => "/endpoints/22222222-0000-4000-8000-000000000001/attach",
        REMOTE => "/endpoints/22222222-0000-4000-8000-000000000003/attach",
        BRIDGED => "/endpoints/22222222-0000-4000-8000-000000000005/attach",
        _ => "/endpoints/99999999-0000-4000-8000-000000000009/attach",
    };
    Ask::Call("POST", path, body.to_string())
}

fn long_name() -> String {
    "n".repeat(10_000)
}

fn put_all(rows: Vec<Row>) {
    let scene = scene();
    let before = scene.everything();
    let mut faults = Vec::new();
    for (row, ask, name, number, field, words) in rows {
        let error = match ask.put(&scene.service) {
            Ok(answer) => {
                // What was admitted is undone by nothing, so the rows after it would be judged on another scene.
                panic!("{row}: admitted, {answer}; before it: {faults:#?}");
            }
            Err(error) => error,
        };
        let sentence = error.to_string();
        // What clients of the DLL see ends so: hns-behaviour 1.5.
        let ending = format!("\"ErrorCode\":{number}}}");
        let right = error.code.0 == number
            && error.code.name() == Some(name)
            && error.field.as_deref().unwrap_or("") == field
            && sentence.starts_with(&format!("{name} (0x{number:08x}): "))
            && sentence.contains(words)
            && sentence.len() < 400
            && error.record().ends_with(&ending);
        if !right {
            faults.push(format!("{row}: {sentence} (field {:?})", error.field));
        }
        assert_eq!(scene.everything(), before, "{row}: something changed");
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_text_that_is_no_document_is_refused() {
    put_all(documents::rows());
}

#[test]
fn a_bad_network_is_refused() {
    put_all(networks::rows());
}

#[test]
fn a_bad_endpoint_is_refused() {
    put_all(endpoints::rows());
}

#[test]
fn a_bad_policy_is_refused_with_all_that_came_with_it() {
    put_all(policies::rows());
}

#[test]
fn a_bad_attachment_is_refused() {
    put_all(attachments::rows());
}

#[test]
fn a_refused_create_leaves_its_id_address_and_mac_free() {
    let scene = scene();
    let id = "44444444-0000-4000-8000-000000000001";
    let mut document = two(json!({
        "ID": id, "IpConfigurations": [{"IpAddress": "192.168.100.44"}], "MacAddress": "00-15-5D-44-44-44",
        "Policies": [mapping(6, 80, 4444), {"Type": "Colour"}],
    }));
    let network = scene::guid(NETWORK);
    let put = |document: &Value| {
        scene.service.create(
            Kind::Endpoint,
            Some(network),
            Guid::ZERO,
            &document.to_string(),
        )
    };
    assert_eq!(refusal(put(&document)).code.0, 0x803b_000e);
    document["Policies"].as_array_mut().unwrap().pop();
    assert_eq!(put(&document).unwrap(), scene::guid(id));
}
