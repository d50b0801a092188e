// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events: which, in which order, with what data, and never of what did not happen (hns-behaviour 1.2.1, 1.9).

use std::sync::{Arc, Mutex};

use hcn_api::{Event, Hns, Kind, Notification, ObjectId, Subscription};
use hcn_schema::Guid;
use serde_json::json;

use crate::scene::{Scene, V2, keys, mapping, parsed, policy_request, subnetted, two};

type Told = Arc<Mutex<Vec<Event>>>;

fn listen(scene: &Scene) -> (Told, Subscription) {
    let told = Told::default();
    let own = told.clone();
    let subscription = scene
        .service
        .subscribe(Arc::new(move |event| {
            own.lock().unwrap().push(event.clone())
        }))
        .unwrap();
    (told, subscription)
}

fn taken(told: &Told) -> Vec<(Notification, Kind, Guid)> {
    told.lock()
        .unwrap()
        .drain(..)
        .map(|event| (event.notification, event.kind, event.id))
        .collect()
}

#[test]
fn events_come_in_order_and_name_their_object() {
    use Notification as N;
    let scene = Scene::new();
    let (told, _subscription) = listen(&scene);
    let network = scene.nat();
    assert_eq!(
        taken(&told),
        [
            (N::NetworkPreCreate, Kind::Network, network),
            (N::NetworkCreate, Kind::Network, network)
        ]
    );
    let namespace = scene.namespace(json!({}));
    assert_eq!(
        taken(&told),
        [(N::NamespaceCreate, Kind::Namespace, namespace)]
    );
    let (first, second) = (
        scene.endpoint(network, json!({})),
        scene.endpoint(network, json!({})),
    );
    assert_eq!(taken(&told), []);
    scene.membership(namespace, "Add", first).unwrap();
    assert_eq!(
        taken(&told),
        [(N::NetworkEndpointAttached, Kind::Endpoint, first)]
    );
    scene.membership(namespace, "Remove", first).unwrap();
    assert_eq!(
        taken(&told),
        [(N::NetworkEndpointDetached, Kind::Endpoint, first)]
    );
    let host = r#"{"SystemType":"Host"}"#;
    scene.call("POST", &format!("/endpoints/{second}/attach"), host);
    assert_eq!(
        taken(&told),
        [(N::NetworkEndpointAttached, Kind::Endpoint, second)]
    );
    // Of the two that go with the network, only one is attached.
    scene.delete(Kind::Network, network).unwrap();
    assert_eq!(
        taken(&told),
        [
            (N::NetworkPreDelete, Kind::Network, network),
            (N::NetworkEndpointDetached, Kind::Endpoint, second),
            (N::NetworkDelete, Kind::Network, network),
        ]
    );
    scene.delete(Kind::Namespace, namespace).unwrap();
    assert_eq!(
        taken(&told),
        [(N::NamespaceDelete, Kind::Namespace, namespace)]
    );
}

/// `NotificationBase`; WSL reads the network's flags in it.
#[test]
fn the_data_is_a_notification_base_with_the_networks_flags() {
    let scene = Scene::new();
    let (told, _subscription) = listen(&scene);
    let mut document = subnetted("ICS", "wsl", "172.20.0.0/20", "172.20.0.1");
    document["Flags"] = json!(64);
    let network = scene.network(document);
    scene.delete(Kind::Network, network).unwrap();
    let events = told.lock().unwrap();
    assert_eq!(events.len(), 4);
    for event in events.iter() {
        let data = parsed(&event.data);
        assert_eq!(keys(&data), ["ID", "Flags", "Data"]);
        assert_eq!(
            (&data["ID"], &data["Flags"]),
            (&json!(network.upper()), &json!(64))
        );
    }
}

#[test]
fn nothing_is_told_of_what_was_refused() {
    let scene = Scene::new();
    let network = scene.nat();
    let endpoint = scene.endpoint(network, json!({"Policies": [mapping(6, 80, 8080)]}));
    let namespace = scene.namespace(json!({}));
    scene.membership(namespace, "Add", endpoint).unwrap();
    let (told, _subscription) = listen(&scene);
    let refused = [
        scene.membership(namespace, "Add", endpoint),
        scene.modify(
            Kind::Endpoint,
            endpoint,
            &policy_request("Add", json!([mapping(6, 80, 8080)])),
        ),
        scene
            .service
            .create(
                Kind::Network,
                None,
                network,
                &two(json!({"Name": "x"})).to_string(),
            )
            .map(|_| ()),
        scene.service.delete(ObjectId {
            kind: Kind::Network,
            id: endpoint,
        }),
    ];
    assert!(refused.iter().all(Result::is_err));
    assert_eq!(taken(&told), []);
}

/// A client that is told of a network can open it at once, on whatever thread it is told.
#[test]
fn a_listener_sees_what_it_is_told_and_may_change_more() {
    let directory = crate::scene::Directory::new();
    let service =
        Arc::new(hcn_service::Service::open(crate::scene::repeatable(directory.path())).unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (inner, own) = (Arc::downgrade(&service), seen.clone());
    let subscription = service
        .subscribe(Arc::new(move |event| {
            if event.notification == Notification::NetworkCreate {
                let service = inner.upgrade().unwrap();
                let object = ObjectId {
                    kind: Kind::Network,
                    id: event.id,
                };
                own.lock().unwrap().push(service.query(object, V2).unwrap());
                service
                    .create(
                        Kind::Endpoint,
                        Some(event.id),
                        Guid::ZERO,
                        &two(json!({})).to_string(),
                    )
                    .unwrap();
            }
        }))
        .unwrap();
    let network = two(subnetted("NAT", "nat", "10.0.0.0/24", "10.0.0.1")).to_string();
    service
        .create(Kind::Network, None, Guid::ZERO, &network)
        .unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(service.list(Kind::Endpoint, V2).unwrap().len(), 1);
    drop(subscription);
    service
        .create(
            Kind::Network,
            None,
            Guid::ZERO,
            &two(json!({"Name": "b", "Type": "Private"})).to_string(),
        )
        .unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
}
