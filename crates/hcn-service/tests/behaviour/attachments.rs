// SPDX-License-Identifier: MIT OR Apache-2.0
//! Namespaces, attaching and states, and the simulated containers (hns-behaviour 2.5, 2.8, 5.9, 6.4, 7.3).

use hcn_api::{HcnCode, Kind};
use hcn_schema::Guid;
use hcn_service::{ListenPort, NewContainer, NewEndpoint};
use serde_json::{Value, json};

use crate::scene::{Scene, code, guid, keys, refusal, two};

fn state(scene: &Scene, endpoint: Guid) -> (u64, Vec<String>) {
    let one = scene.one(Kind::Endpoint, endpoint);
    let containers = one["SharedContainers"].as_array().into_iter().flatten();
    (
        one["State"].as_u64().unwrap(),
        containers
            .map(|id| id.as_str().unwrap().to_owned())
            .collect(),
    )
}

fn container(scene: &Scene, namespace: Guid, verb: &str, id: &str) {
    let request =
        json!({"ResourceType": "Container", "RequestType": verb, "Settings": {"ContainerId": id}});
    scene.modify(Kind::Namespace, namespace, &request).unwrap();
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// The four types of the hcsshim tests, with the number that they all give (hns-behaviour 7.3).
#[test]
fn a_namespace_of_each_type_is_made_with_the_number_it_asks_for() {
    let scene = Scene::new();
    for (sent, shown) in [
        (json!("Host"), None),
        (json!("HostDefault"), Some("HostDefault")),
        (json!("Guest"), Some("Guest")),
        (json!("GuestDefault"), Some("GuestDefault")),
        (json!(""), None),
        (json!(1), Some("HostDefault")),
    ] {
        let id = scene.namespace(json!({"Type": sent, "NamespaceId": 5}));
        let two = scene.two(Kind::Namespace, id);
        assert_eq!(two["NamespaceId"], 5);
        // Host is 0 and left out (hns-behaviour 2.1).
        assert_eq!(two.get("Type").and_then(Value::as_str), shown);
        assert_eq!(two.get("Resources"), None);
        scene.delete(Kind::Namespace, id).unwrap();
    }
}

#[test]
fn compartments_are_numbered_from_2_and_used_again() {
    let scene = Scene::new();
    let number = |id| {
        scene.two(Kind::Namespace, id)["NamespaceId"]
            .as_u64()
            .unwrap()
    };
    let first = scene.namespace(json!({}));
    let second = scene.namespace(json!({}));
    // 1 is the host's own.
    assert_eq!((number(first), number(second)), (2, 3));
    scene.delete(Kind::Namespace, first).unwrap();
    assert_eq!(number(scene.namespace(json!({}))), 2);
}

#[test]
fn an_endpoint_goes_in_and_out_of_a_namespace() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({}));
    let namespace = scene.namespace(json!({}));
    assert_eq!(state(&scene, endpoint), (1, vec![]));
    scene.membership(namespace, "Add", endpoint).unwrap();
    // AWS compares the resource's id with the endpoint's exactly: upper-case both (hns-behaviour 2.1).
    let two = scene.two(Kind::Namespace, namespace);
    let data = &two["Resources"][0]["Data"];
    assert_eq!(two["Resources"][0]["Type"], "Endpoint");
    assert_eq!(data["Id"], scene.endpoint_two(endpoint)["ID"]);
    assert_eq!(keys(data), ["Id"]);
    assert_eq!(
        scene.endpoint_two(endpoint)["HostComputeNamespace"],
        namespace.upper()
    );
    assert_eq!(state(&scene, endpoint), (2, vec![]));
    let one = scene.one(Kind::Endpoint, endpoint);
    assert_eq!(guid(one["Namespace"]["ID"].as_str().unwrap()), namespace);
    scene.membership(namespace, "Remove", endpoint).unwrap();
    assert_eq!(scene.two(Kind::Namespace, namespace).get("Resources"), None);
    assert_eq!(
        scene.endpoint_two(endpoint).get("HostComputeNamespace"),
        None
    );
    // 4 is Detached.
    assert_eq!(state(&scene, endpoint), (4, vec![]));
    scene.membership(namespace, "Add", endpoint).unwrap();
    assert_eq!(state(&scene, endpoint).0, 2);
}

/// containerd puts the sandbox first and the workload second; NPM looks for state 3 (hns-behaviour 2.8).
#[test]
fn containers_of_a_namespace_share_its_endpoints() {
    let scene = Scene::new();
    let network = scene.nat();
    let endpoint = scene.endpoint(network, json!({}));
    let namespace = scene.namespace(json!({}));
    scene.membership(namespace, "Add", endpoint).unwrap();
    container(&scene, namespace, "Add", "pause");
    assert_eq!(state(&scene, endpoint), (2, names(&["pause"])));
    container(&scene, namespace, "Add", "work");
    assert_eq!(state(&scene, endpoint), (3, names(&["pause", "work"])));
    assert_eq!(scene.find(Kind::Endpoint, &json!({"State": 3})), [endpoint]);
    // One that comes later is shared by both at once; one that is added twice is in once.
    let late = scene.endpoint(network, json!({}));
    container(&scene, namespace, "Add", "work");
    scene.membership(namespace, "Add", late).unwrap();
    assert_eq!(state(&scene, late), (3, names(&["pause", "work"])));
    let one = scene.one(Kind::Namespace, namespace);
    assert_eq!(one["Containers"], json!(["pause", "work"]));
    container(&scene, namespace, "Remove", "work");
    assert_eq!(state(&scene, endpoint), (2, names(&["pause"])));
    container(&scene, namespace, "Remove", "pause");
    assert_eq!(state(&scene, endpoint), (2, vec![]));
}

#[test]
fn containers_stay_with_their_namespace_when_an_endpoint_leaves_it() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({}));
    let namespace = scene.namespace(json!({}));
    let own = json!({"ContainerId": "own", "SystemType": "Container"}).to_string();
    scene.call("POST", &format!("/endpoints/{endpoint}/attach"), &own);
    for deleted in [false, true] {
        scene.membership(namespace, "Add", endpoint).unwrap();
        if !deleted {
            container(&scene, namespace, "Add", "pause");
        }
        assert_eq!(state(&scene, endpoint), (3, names(&["own", "pause"])));
        if deleted {
            scene.delete(Kind::Namespace, namespace).unwrap();
        } else {
            scene.membership(namespace, "Remove", endpoint).unwrap();
        }
        assert_eq!(state(&scene, endpoint), (2, names(&["own"])));
    }
    scene.call("POST", &format!("/endpoints/{endpoint}/detach"), &own);
    assert_eq!(state(&scene, endpoint), (4, vec![]));
}

/// v1 attach with the containers' own verbs (hns-behaviour 1.7, 2.8, 5.9).
#[test]
fn the_state_follows_who_is_attached() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({}));
    let ask = |verb: &str, body: Value| {
        scene.call(
            "POST",
            &format!("/endpoints/{endpoint}/{verb}"),
            &body.to_string(),
        )
    };
    ask("attach", json!({"SystemType": "Host", "CompartmentId": 1}));
    assert_eq!(state(&scene, endpoint), (2, vec![]));
    ask(
        "attach",
        json!({"ContainerId": "a", "SystemType": "Container"}),
    );
    assert_eq!(state(&scene, endpoint), (2, names(&["a"])));
    ask(
        "attach",
        json!({"ContainerId": "b", "SystemType": "VirtualMachine"}),
    );
    assert_eq!(state(&scene, endpoint), (3, names(&["a", "b"])));
    ask(
        "detach",
        json!({"ContainerId": "a", "SystemType": "Container"}),
    );
    ask(
        "detach",
        json!({"ContainerId": "b", "SystemType": "Container"}),
    );
    assert_eq!(state(&scene, endpoint), (2, vec![]));
    ask("detach", json!({"SystemType": "Host"}));
    assert_eq!(state(&scene, endpoint), (4, vec![]));
}

#[test]
fn a_deleted_endpoint_leaves_its_namespace_by_itself() {
    let scene = Scene::new();
    let network = scene.nat();
    let (gone, stays) = (
        scene.endpoint(network, json!({})),
        scene.endpoint(network, json!({})),
    );
    let namespace = scene.namespace(json!({}));
    container(&scene, namespace, "Add", "pause");
    for endpoint in [gone, stays] {
        scene.membership(namespace, "Add", endpoint).unwrap();
    }
    scene.delete(Kind::Endpoint, gone).unwrap();
    let resources = scene.two(Kind::Namespace, namespace)["Resources"].clone();
    let types: Vec<&Value> = resources
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| &resource["Type"])
        .collect();
    assert_eq!(types, ["Container", "Endpoint"]);
    assert_eq!(resources[1]["Data"]["Id"], stays.upper());
}

/// Q26: the endpoints stay and are detached.
#[test]
fn a_deleted_namespace_lets_its_endpoints_go() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({}));
    let namespace = scene.namespace(json!({}));
    scene.membership(namespace, "Add", endpoint).unwrap();
    container(&scene, namespace, "Add", "pause");
    scene.delete(Kind::Namespace, namespace).unwrap();
    assert_eq!(state(&scene, endpoint), (4, vec![]));
    assert_eq!(
        scene.endpoint_two(endpoint).get("HostComputeNamespace"),
        None
    );
    assert_eq!(
        code(scene.delete(Kind::Namespace, namespace)),
        HcnCode::ERROR_NOT_FOUND
    );
    let other = scene.namespace(json!({}));
    scene.membership(other, "Add", endpoint).unwrap();
}

/// hcsshim's v1 namespace calls (hns-behaviour 1.7).
#[test]
fn namespaces_are_made_and_filled_over_v1() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({}));
    let made = scene.call("POST", "/namespaces/", r#"{"IsDefault":true}"#);
    let id = made["ID"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["IsDefault"], &made["ResourceList"], &made["State"]),
        (&json!(true), &json!([]), &json!(1))
    );
    assert_eq!(scene.two(Kind::Namespace, guid(&id))["Type"], "HostDefault");
    let resource = json!({"Type": "Endpoint", "Data": {"Id": endpoint.to_string()}}).to_string();
    let shown = scene.call("POST", &format!("/namespaces/{id}/addresource"), &resource);
    assert_eq!(shown["ResourceList"][0]["Type"], "Endpoint");
    assert_eq!(
        guid(shown["ResourceList"][0]["Data"]["Id"].as_str().unwrap()),
        endpoint
    );
    assert_eq!(scene.call("GET", &format!("/namespaces/{id}"), ""), shown);
    scene.call(
        "POST",
        &format!("/namespaces/{id}/removeresource"),
        &resource,
    );
    scene.call("DELETE", &format!("/namespaces/{id}"), "");
    // A body is not needed.
    let plain = scene.call("POST", "/namespaces", "");
    assert_eq!(plain["IsDefault"], false);
}

fn made(network: Guid, settings: &str, namespace: Option<&str>) -> NewEndpoint {
    NewEndpoint::Made {
        network,
        settings: settings.to_owned(),
        namespace: namespace.map(str::to_owned),
    }
}

/// A container on a network, in a namespace or attached over v1.
fn wanted(network: Guid, name: &str, namespace: bool) -> NewContainer {
    NewContainer {
        name: name.to_owned(),
        id: None,
        endpoint: made(
            network,
            &two(json!({"Name": name})).to_string(),
            namespace.then_some(r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#),
        ),
        listeners: vec![ListenPort {
            protocol: 6,
            port: 80,
        }],
    }
}

#[test]
fn a_simulated_container_comes_and_goes_with_its_endpoint_and_namespace() {
    let scene = Scene::new();
    let network = scene.nat();
    for in_namespace in [true, false] {
        let wanted = wanted(network, "nginx", in_namespace);
        let made = scene.service.run_container(&wanted).unwrap();
        assert!(
            made.id.len() == 64 && made.id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{}",
            made.id
        );
        assert_eq!(
            (made.namespace.is_some(), &made.listeners),
            (in_namespace, &wanted.listeners)
        );
        assert_eq!(
            scene.service.containers().unwrap(),
            std::slice::from_ref(&made)
        );
        assert_eq!(state(&scene, made.endpoint), (2, vec![made.id.clone()]));
        assert_eq!(
            scene.find(Kind::Namespace, &json!({})).first().copied(),
            made.namespace
        );
        assert_eq!(scene.service.remove_container("nginx").unwrap(), made);
        assert_eq!(scene.service.containers().unwrap(), []);
        assert_eq!(scene.find(Kind::Endpoint, &json!({})), []);
        assert_eq!(scene.find(Kind::Namespace, &json!({})), []);
        assert_eq!(
            code(scene.service.remove_container("nginx")),
            HcnCode::ERROR_NOT_FOUND
        );
    }
}

#[test]
fn a_container_whose_endpoint_is_gone_is_removed_all_the_same() {
    let scene = Scene::new();
    let made = scene
        .service
        .run_container(&wanted(scene.nat(), "a", true))
        .unwrap();
    scene.delete(Kind::Endpoint, made.endpoint).unwrap();
    scene
        .delete(Kind::Namespace, made.namespace.unwrap())
        .unwrap();
    scene.service.remove_container("a").unwrap();
}

#[test]
fn who_listens_on_an_endpoint_of_others_comes_and_goes_without_it() {
    let scene = Scene::new();
    let endpoint = scene.endpoint(scene.nat(), json!({"Name": "pod"}));
    let namespace = scene.namespace(json!({}));
    let join = json!({"ResourceType": "Endpoint", "RequestType": "Add", "Settings": {"EndpointId": endpoint.to_string()}});
    scene.modify(Kind::Namespace, namespace, &join).unwrap();
    let before = scene.everything();
    let wanted = NewContainer {
        endpoint: NewEndpoint::Adopted(endpoint),
        ..wanted(Guid::ZERO, "web", false)
    };
    let made = scene.service.run_container(&wanted).unwrap();
    assert_eq!(
        (made.endpoint, made.namespace, made.adopted),
        (endpoint, Some(namespace), true)
    );
    assert_eq!(scene.service.remove_container("web").unwrap(), made);
    assert_eq!(scene.service.containers().unwrap(), []);
    assert_eq!(scene.everything(), before);
}

#[test]
fn a_bad_container_is_refused_and_nothing_has_changed() {
    let scene = Scene::new();
    let network = scene.nat();
    let good = NewContainer {
        id: Some("1".to_owned()),
        ..wanted(network, "nginx", true)
    };
    scene.service.run_container(&good).unwrap();
    let before = scene.everything();
    let other = || NewContainer {
        id: None,
        ..wanted(network, "other", true)
    };
    let unknown = guid("99999999-0000-4000-8000-000000000009");
    let long = "x".repeat(10_000);
    let mut rows = vec![
        (
            NewContainer {
                id: None,
                ..good.clone()
            },
            0x8007_00b7,
            "nginx",
        ),
        (
            NewContainer {
                id: Some("1".to_owned()),
                ..other()
            },
            0x8007_00b7,
            "id",
        ),
        (
            NewContainer {
                endpoint: made(unknown, "{}", None),
                ..other()
            },
            0x803b_0001,
            "network",
        ),
        (
            NewContainer {
                endpoint: made(network, "{", None),
                ..other()
            },
            0x803b_001b,
            "not JSON",
        ),
        (
            NewContainer {
                endpoint: NewEndpoint::Adopted(unknown),
                ..other()
            },
            0x803b_0002,
            "endpoint",
        ),
        // The endpoint is made by then, and goes again.
        (
            NewContainer {
                endpoint: made(network, "{}", Some("{")),
                ..other()
            },
            0x803b_001b,
            "not JSON",
        ),
    ];
    for name in ["", "-rm", "a b", "host", "10.0.0.1", &long] {
        rows.push((
            NewContainer {
                name: name.to_owned(),
                ..other()
            },
            0x8007_0057,
            "name",
        ));
    }
    for (wanted, number, words) in rows {
        let error = refusal(scene.service.run_container(&wanted));
        assert_eq!(error.code.0, number, "{error}");
        assert!(
            error.to_string().contains(words) && error.to_string().len() < 400,
            "{error}"
        );
        assert_eq!(scene.everything(), before, "{error}");
    }
}
