// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions of HNS: what each has and what it says of itself (hns-behaviour 0.4, 2.9).

use hcn_api::Kind;
use serde_json::{Value, json};

use crate::scene::{Scene, policy_request, subnetted};

const VERSIONS: [&str; 5] = ["9.2", "13.3", "15.0", "15.4", "16.0"];

#[test]
fn every_version_tells_itself_and_marks_its_objects() {
    // Numbers of recorded objects (hns-behaviour 0.4), 15.4 by (Major << 32) + Minor.
    for (version, number) in VERSIONS.into_iter().zip([
        38654705666u64,
        55834574851,
        64424509440,
        64424509444,
        68719476736,
    ]) {
        let scene = Scene::of(Some(version));
        let told = scene.call("GET", "/globals/version", "");
        assert_eq!(format!("{}.{}", told["Major"], told["Minor"]), version);
        let network = scene.nat();
        let endpoint = scene.endpoint(network, json!({}));
        let namespace = scene.namespace(json!({}));
        for document in [
            scene.one(Kind::Network, network),
            scene.two(Kind::Endpoint, endpoint),
            scene.two(Kind::Namespace, namespace),
        ] {
            assert_eq!(document["Version"], number, "{document}");
        }
    }
}

/// Who has what: the table of 2.9, one column a version.
#[test]
fn policies_are_taken_where_the_version_has_them() {
    let tier = json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": "In", "Order": 1001, "TierAclRules": []}});
    let wfp = json!({"Type": "L4WFPPROXY", "Settings": {"OutboundProxyPort": "81"}});
    let proxy = json!({"Type": "L4Proxy", "Settings": {"IP": "10.0.0.5", "Port": "8080"}});
    let set = |kind: &str| json!({"Type": "SetPolicy", "Settings": {"Id": kind, "Name": kind, "PolicyType": kind, "Values": ""}});
    let acl = json!({"Type": "NetworkACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 200}});
    let port = json!({"Type": "VxlanPort", "Settings": {"Port": 4790}});
    let table: [(Kind, Value, [bool; 5]); 7] = [
        (Kind::Endpoint, tier, [false, false, true, true, true]),
        (Kind::Endpoint, wfp, [false, true, true, true, true]),
        (Kind::Endpoint, proxy, [false, true, true, true, true]),
        (Kind::Network, set("IPSET"), [false, true, true, true, true]),
        (
            Kind::Network,
            set("NESTEDIPSET"),
            [false, false, true, true, true],
        ),
        (Kind::Network, acl, [false, false, true, true, true]),
        (Kind::Network, port, [false, true, true, true, true]),
    ];
    for (column, version) in VERSIONS.into_iter().enumerate() {
        let scene = Scene::of(Some(version));
        let network = scene.network(subnetted("Overlay", "o", "10.0.0.0/24", "10.0.0.1"));
        let endpoint = scene.endpoint(network, json!({}));
        for (kind, policy, has) in &table {
            let id = if *kind == Kind::Network {
                network
            } else {
                endpoint
            };
            let answer = scene.modify(*kind, id, &policy_request("Add", json!([policy])));
            match answer {
                Ok(()) => assert!(has[column], "{version} took {policy}"),
                Err(error) => {
                    assert!(!has[column], "{version}: {error}");
                    assert_eq!(error.code.0, 0x803b_000e, "{error}");
                    assert_eq!(error.field.as_deref(), Some("/Settings/Policies/0/Type"));
                    assert!(error.to_string().contains(version), "{error}");
                }
            }
        }
    }
}

/// Extensions have other ids before 13 (hns-behaviour 2.14).
#[test]
fn older_versions_list_the_older_extensions() {
    for (version, vfp) in [
        ("9.2", "E9B59CFA-2BE1-4B21-828F-B6FBDBDDC017"),
        ("15.0", "F74F241B-440F-4433-BB28-00F89EAD20D8"),
    ] {
        let scene = Scene::of(Some(version));
        let network = scene.nat();
        let shown = scene.one(Kind::Network, network);
        let ids: Vec<&Value> = shown["Extensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["Id"])
            .collect();
        assert!(ids.contains(&&json!(vfp)), "{ids:?}");
    }
}
