// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queries: which shape of answer, and which objects a filter finds (hns-behaviour 2.1, 2.10; clients 1.6).

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::scene::{Scene, V2, ids, parsed, subnetted};

/// Two networks of one endpoint each on it, of which one is in a namespace, and a third one on the second.
fn scene() -> (Scene, [Guid; 2], [Guid; 3]) {
    let scene = Scene::new();
    let nat = scene.nat();
    let mut bridge = subnetted("L2Bridge", "cbr0", "10.0.0.0/24", "10.0.0.1");
    bridge["Flags"] = json!(8);
    let bridge = scene.network(bridge);
    let a = scene.endpoint(
        nat,
        json!({"Name": "a", "IpConfigurations": [{"IpAddress": "192.168.100.5"}]}),
    );
    let b = scene.endpoint(bridge, json!({"Name": "b"}));
    let c = scene.endpoint(bridge, json!({"Name": "a"}));
    let namespace = scene.namespace(json!({}));
    scene.membership(namespace, "Add", b).unwrap();
    (scene, [nat, bridge], [a, b, c])
}

#[test]
fn filters_find_what_they_say_and_every_key_must_match() {
    let (scene, [nat, bridge], [a, b, c]) = scene();
    let endpoints: Vec<(Value, Vec<Guid>)> = vec![
        (json!({}), vec![a, b, c]),
        (json!({"Name": "a"}), vec![a, c]),
        // Names are compared with their case, ids without.
        (json!({"Name": "A"}), vec![]),
        (json!({"ID": a.to_string()}), vec![a]),
        (json!({"ID": a.upper()}), vec![a]),
        (json!({"Id": a.upper()}), vec![a]),
        (json!({"ID": nat.to_string()}), vec![]),
        (json!({"VirtualNetwork": bridge.to_string()}), vec![b, c]),
        (json!({"VirtualNetwork": bridge.upper()}), vec![b, c]),
        (
            json!({"HostComputeNetwork": bridge.to_string()}),
            vec![b, c],
        ),
        (
            json!({"VirtualNetwork": bridge.to_string(), "Name": "a"}),
            vec![c],
        ),
        (
            json!({"VirtualNetwork": nat.to_string(), "ID": b.to_string()}),
            vec![],
        ),
        (
            json!({"VirtualNetwork": bridge.to_string(), "ID": b.to_string()}),
            vec![b],
        ),
        (json!({"Name": "x", "ID": b.to_string()}), vec![]),
        (json!({"VirtualNetworkName": "cbr0"}), vec![b, c]),
        (json!({"State": 1}), vec![a, c]),
        (json!({"State": 2}), vec![b]),
        (json!({"State": 3}), vec![]),
        (json!({"State": 2, "Name": "b"}), vec![b]),
        (json!({"IPAddress": "192.168.100.5"}), vec![a]),
        // kube-proxy sends an empty id and wants nothing.
        (json!({"ID": ""}), vec![]),
        (json!({"VirtualNetwork": ""}), vec![]),
        (json!({"ID": "nonsense"}), vec![]),
        (json!({"ID": 7}), vec![]),
        (json!({"Name": 7}), vec![]),
        (json!({"Colour": "red"}), vec![]),
        // An array is compared as a whole: WSL cannot find by address.
        (
            json!({"IpConfigurations": [{"IpAddress": "192.168.100.5"}]}),
            vec![],
        ),
    ];
    for (filter, expected) in endpoints {
        assert_eq!(scene.find(Kind::Endpoint, &filter), expected, "{filter}");
    }
    let networks: Vec<(Value, Vec<Guid>)> = vec![
        (json!({"Name": "cbr0"}), vec![bridge]),
        (json!({"Flags": 8}), vec![bridge]),
        (json!({"Flags": 0}), vec![nat]),
        (json!({"Type": "L2Bridge"}), vec![bridge]),
        (
            json!({"ID": bridge.to_string(), "Name": "cbr0"}),
            vec![bridge],
        ),
        // No network has a network.
        (json!({"VirtualNetwork": bridge.to_string()}), vec![]),
    ];
    for (filter, expected) in networks {
        assert_eq!(scene.find(Kind::Network, &filter), expected, "{filter}");
    }
    let namespaces = scene.find(Kind::Namespace, &json!({}));
    assert_eq!(
        scene.find(Kind::Namespace, &json!({"ID": namespaces[0].upper()})),
        namespaces
    );
    assert_eq!(
        scene.find(Kind::Namespace, &json!({"ID": a.to_string()})),
        []
    );
}

#[test]
fn kinds_without_objects_are_enumerated_as_empty_lists() {
    let scene = Scene::new();
    for kind in Kind::ALL {
        for query in [
            "",
            V2,
            "{}",
            r#"{"Filter":""}"#,
            r#"{"Filter":"{}"}"#,
            r#"{"Filter":"{\"Name\":\"x\"}"}"#,
        ] {
            assert_eq!(
                scene.service.enumerate(kind, query).unwrap(),
                "[]",
                "{kind} {query}"
            );
            assert!(scene.service.list(kind, query).unwrap().is_empty());
        }
    }
}

/// `{"Name":"WDAG"}` as the whole query is a sample of the documents, and no filter (hns-behaviour 2.10).
#[test]
fn unknown_keys_of_a_query_filter_nothing() {
    let (scene, networks, _) = scene();
    assert_eq!(
        ids(&scene
            .service
            .enumerate(Kind::Network, r#"{"Name":"WDAG"}"#)
            .unwrap()),
        networks
    );
}

#[test]
fn the_schema_version_chooses_the_shape() {
    let (scene, [nat, _], _) = scene();
    let object = ObjectId {
        kind: Kind::Network,
        id: nat,
    };
    let ask = |query: &str| parsed(&scene.service.query(object, query).unwrap());
    for query in ["", "  ", "{}", r#"{"SchemaVersion":{"Major":1,"Minor":0}}"#] {
        let one = ask(query);
        assert!(
            one.get("Subnets").is_some() && one.get("Ipams").is_none(),
            "{query}: {one}"
        );
    }
    // Go says 2.0, psm1 2.2, WSL 2.16.
    for minor in [0, 2, 16] {
        let two = ask(&json!({"SchemaVersion": {"Major": 2, "Minor": minor}}).to_string());
        assert!(
            two.get("Ipams").is_some() && two.get("Subnets").is_none(),
            "{two}"
        );
    }
}

/// Flags 1 is Detailed (hns-behaviour 2.2, 2.10).
#[test]
fn a_detailed_query_shows_what_v1_has_inside() {
    let (scene, _, [a, ..]) = scene();
    scene.call(
        "POST",
        &format!("/endpoints/{a}/attach"),
        r#"{"ContainerId":"c1","SystemType":"Container"}"#,
    );
    let object = ObjectId {
        kind: Kind::Endpoint,
        id: a,
    };
    let detailed = parsed(
        &scene
            .service
            .query(
                object,
                r#"{"SchemaVersion":{"Major":2,"Minor":0},"Flags":1}"#,
            )
            .unwrap(),
    );
    assert_eq!(
        detailed["Health"]["Extra"]["SharedContainers"],
        json!(["c1"])
    );
    assert_eq!(
        detailed["Health"]["Extra"]["Resources"]["AllocationOrder"],
        3
    );
    assert_eq!(scene.endpoint_two(a).get("Health"), None);
}

/// The order of making, in one case of letters.
#[test]
fn enumeration_gives_upper_or_lower_36_characters_in_the_order_of_making() {
    let (scene, _, endpoints) = scene();
    let text = scene.service.enumerate(Kind::Endpoint, "").unwrap();
    assert_eq!(ids(&text), endpoints);
    for id in serde_json::from_str::<Vec<String>>(&text).unwrap() {
        assert_eq!(id.len(), 36);
    }
}

#[test]
fn a_list_is_what_enumerate_and_query_give() {
    let (scene, ..) = scene();
    for kind in [Kind::Network, Kind::Endpoint, Kind::Namespace] {
        for query in ["", V2] {
            let one_by_one: Vec<String> = ids(&scene.service.enumerate(kind, query).unwrap())
                .into_iter()
                .map(|id| scene.service.query(ObjectId { kind, id }, query).unwrap())
                .collect();
            assert_eq!(scene.service.list(kind, query).unwrap(), one_by_one);
        }
    }
}

#[test]
fn slashes_at_the_end_and_cases_of_the_method_mean_nothing() {
    let (scene, [nat, _], _) = scene();
    let plain = scene.call("GET", &format!("/networks/{nat}"), "");
    assert_eq!(
        scene.call("get", &format!("networks/{}/", nat.upper()), ""),
        plain
    );
    assert_eq!(
        scene.call("GET", "/networks/", ""),
        scene.call("GET", "/networks", "")
    );
    assert_eq!(
        scene.call("GET", "/globals/version", ""),
        json!({"Major": 15, "Minor": 0})
    );
    assert_eq!(
        scene.call("GET", "/globals/", ""),
        json!({"Version": {"Major": 15, "Minor": 0}})
    );
}
