// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a replay has to come to, in words of our own: beside the written answers, what each client's own run demands.
//!
//! Apart because it needs no written answer: it holds whatever those say. Each expectation is from the client's requests and hns-behaviour.

use std::collections::{BTreeMap, BTreeSet};

use hcn_api::{HcnCode, Kind};
use serde_json::{Value, json};

use crate::{course::Course, expected, trace::Trace};

/// Panics where an answer, or an object that is left, is not what it has to be.
pub fn judge(trace: Trace, course: &Course) {
    expected::assert_as_written(trace, course);
    assert_eq!(course.lost, [""; 0], "{}", trace.name);
    match trace.name {
        "kube-proxy-l2bridge" => its_services_are_left(course),
        "tests-hcsshim-hcn" => three_calls_fail_and_the_last_test_is_left(course),
        _ => the_scene_is_left_empty(trace, course),
    }
}

fn of(course: &Course, kind: Kind) -> Vec<&Value> {
    let left = course.left.iter();
    left.filter(|(own, _)| *own == kind)
        .map(|(_, document)| document)
        .collect()
}

fn names(course: &Course, kind: Kind) -> Vec<&str> {
    of(course, kind)
        .into_iter()
        .map(|document| word(&document["Name"]))
        .collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn nothing_but(course: &Course, kinds: &[Kind]) {
    for (kind, document) in &course.left {
        assert!(kinds.contains(kind), "{kind} {document}");
    }
}

/// The functions and codes of the calls that failed.
fn failed(course: &Course) -> Vec<(&str, HcnCode)> {
    let codes: Vec<HcnCode> = HcnCode::all().collect();
    course
        .answers
        .iter()
        .filter_map(|line| {
            let (function, answer) = line.split_once(' ')?;
            let code = codes
                .iter()
                .find(|code| answer.starts_with(&code.to_string()))?;
            Some((function, *code))
        })
        .collect()
}

/// A CNI plugin's ADD and DEL: every call succeeds; the two networks and the namespace of the scene are left, and nobody is in it.
fn the_scene_is_left_empty(trace: Trace, course: &Course) {
    assert_eq!(failed(course), []);
    nothing_but(course, &[Kind::Network, Kind::Namespace]);
    assert_eq!(names(course, Kind::Network), ["cbr0", "vxlan0"]);
    for namespace in of(course, Kind::Namespace) {
        assert_eq!(namespace.get("Resources"), None);
    }
    // Opening, watching, asking, changing, unwatching and closing a container, by docker's way alone.
    let passed_over = course
        .answers
        .iter()
        .filter(|line| line.ends_with(" is not of HNS"))
        .count();
    let expected = if trace.name == "cni-win-bridge-v1" {
        6
    } else {
        0
    };
    assert_eq!(passed_over, expected);
    // The overlay names its provider address and its router within the time that flannel waits (clients.md 1.6).
    let overlay = of(course, Kind::Network)[1];
    assert_eq!(
        overlay["Policies"],
        json!([
            {"Type": "ProviderAddress", "Settings": {"ProviderAddress": "10.0.0.4"}},
            {"Type": "DrMacAddress", "Settings": {"Address": "00-15-5D-00-00-01"}},
        ])
    );
}

/// kube-proxy 1.36: two services and a node port come, one service goes, the other loses a backend.
fn its_services_are_left(course: &Course) {
    assert_eq!(failed(course), []);
    assert_eq!(names(course, Kind::Network), ["cbr0", "vxlan0"]);
    let namespaces = of(course, Kind::Namespace);
    assert_eq!(namespaces.len(), 1);
    assert_eq!(namespaces[0]["ID"], "11111111-2222-3333-4444-555555555555");
    let address_of: BTreeMap<&str, &str> = of(course, Kind::Endpoint)
        .into_iter()
        .map(|own| {
            let address = &own["IpConfigurations"][0]["IpAddress"];
            (word(&own["ID"]), word(address))
        })
        .collect();
    let addresses: BTreeSet<&str> = address_of.values().copied().collect();
    assert_eq!(
        addresses,
        BTreeSet::from(["10.244.1.10", "10.244.1.11", "10.245.2.20"])
    );
    let services: BTreeMap<String, Vec<&str>> = of(course, Kind::LoadBalancer)
        .into_iter()
        .map(|own| {
            let port = &own["PortMappings"][0];
            let vip = word(&own["FrontendVIPs"][0]);
            let name = format!("{vip}:{}->{}", port["ExternalPort"], port["InternalPort"]);
            let backends = own["HostComputeEndpoints"].as_array().into_iter().flatten();
            (name, backends.map(|id| address_of[word(id)]).collect())
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

/// hcsshim's own tests: all calls succeed but the two that must not (hns-behaviour 7.6), the port of the host that is taken and the namespace that
/// is not there, and the cleaning up of the endpoint that the recorded responder had made in spite of the port.
fn three_calls_fail_and_the_last_test_is_left(course: &Course) {
    assert_eq!(
        failed(course),
        [
            ("HcnCreateEndpoint", HcnCode::HCN_E_PORT_ALREADY_EXISTS),
            ("HcnDeleteEndpoint", HcnCode::HCN_E_ENDPOINT_NOT_FOUND),
            ("HcnOpenNamespace", HcnCode::ERROR_NOT_FOUND),
        ]
    );
    // The recording ends inside the test of accelnet, which has made a network and given its two addresses.
    nothing_but(course, &[Kind::Network]);
    assert_eq!(names(course, Kind::Network), ["GoTestNat"]);
    let list = course
        .answers
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("HNSCall "))
        .expect("a call of version 1");
    for address in ["00-15-5D-0A-B7-C6", "00-15-5D-38-01-00"] {
        assert!(list.contains(address), "{list}");
    }
}
