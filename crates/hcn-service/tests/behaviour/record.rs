// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operation log: history, moments, and transcripts that repeat (invariants 7 and 8 of the design).

use hcn_api::{Hns, Kind, ObjectId};
use hcn_service::{Options, Service, Verb};
use serde_json::json;

use crate::scene::{
    Directory, Scene, V2, acl, mapping, parsed, policy_request, repeatable, subnetted, two,
};

#[test]
fn every_change_is_logged_with_who_what_when_and_what_came_of_it() {
    let scene = Scene::new();
    let network = scene.nat();
    let endpoint = scene.endpoint(network, json!({"Name": "a"}));
    let request = policy_request(
        "Add",
        json!([acl(json!({"Action": "Block", "Direction": "In"}))]),
    );
    scene.modify(Kind::Endpoint, endpoint, &request).unwrap();
    let document = scene
        .service
        .query(
            ObjectId {
                kind: Kind::Endpoint,
                id: endpoint,
            },
            V2,
        )
        .unwrap();
    // Reading and being refused leave nothing.
    scene.modify(Kind::Endpoint, network, &request).unwrap_err();
    scene.delete(Kind::Endpoint, endpoint).unwrap();
    let history = scene.service.history(None, 10).unwrap();
    let told: Vec<(Verb, Kind, &str)> = history
        .iter()
        .map(|row| (row.verb, row.object.kind, row.name.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Verb::Create, Kind::Network, "nat"),
            (Verb::Create, Kind::Endpoint, "a"),
            (Verb::Modify, Kind::Endpoint, "a"),
            (Verb::Delete, Kind::Endpoint, "a"),
        ]
    );
    let numbers: Vec<u64> = history.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].time_ms < pair[1].time_ms)
    );
    assert!(history.iter().all(|row| row.actor == "test"));
    assert_eq!(history[2].request, request.to_string());
    assert_eq!(history[2].document.as_deref(), Some(document.as_str()));
    assert_eq!(history[3].document, None);
    assert_eq!(scene.service.last_operation().unwrap(), 4);
    // Of one object, and the last ones only.
    let own = ObjectId {
        kind: Kind::Endpoint,
        id: endpoint,
    };
    assert_eq!(scene.service.history(Some(own), 10).unwrap(), history[1..]);
    assert_eq!(scene.service.history(None, 2).unwrap(), history[2..]);
    assert_eq!(scene.service.history(None, 0).unwrap(), []);
}

#[test]
fn a_moment_is_what_a_list_was_then() {
    let scene = Scene::new();
    let list = || -> Vec<String> {
        [Kind::Network, Kind::Endpoint, Kind::Namespace]
            .into_iter()
            .flat_map(|kind| scene.service.list(kind, V2).unwrap())
            .collect()
    };
    let mut moments = vec![(scene.service.last_operation().unwrap(), list())];
    let mut keep = || {
        let mut sorted = list();
        sorted.sort();
        moments.push((scene.service.last_operation().unwrap(), sorted));
    };
    let network = scene.nat();
    keep();
    let endpoint = scene.endpoint(
        network,
        json!({"ID": "aaaaaaaa-0000-4000-8000-000000000001"}),
    );
    keep();
    let namespace = scene.namespace(json!({}));
    scene.membership(namespace, "Add", endpoint).unwrap();
    keep();
    scene
        .policies(
            endpoint,
            "Add",
            json!([acl(json!({"Action": "Block", "Direction": "In"}))]),
        )
        .unwrap();
    keep();
    scene.delete(Kind::Endpoint, endpoint).unwrap();
    keep();
    // The same id again is another endpoint.
    scene.endpoint(
        network,
        json!({"ID": "aaaaaaaa-0000-4000-8000-000000000001", "Name": "again"}),
    );
    keep();
    scene.delete(Kind::Network, network).unwrap();
    keep();
    for (operation, expected) in &moments {
        let mut moment: Vec<String> = scene
            .service
            .moment(*operation)
            .unwrap()
            .into_iter()
            .map(|(_, document)| document)
            .collect();
        moment.sort();
        assert_eq!(&moment, expected, "after {operation}");
    }
    assert_eq!(scene.service.moment(0).unwrap(), []);
    assert_eq!(scene.service.moment(u64::MAX).unwrap().len(), 1);
}

#[test]
fn a_moment_lists_objects_in_the_order_of_their_making() {
    let scene = Scene::new();
    let network = scene.nat();
    let endpoints: Vec<_> = (0..3).map(|_| scene.endpoint(network, json!({}))).collect();
    scene
        .policies(endpoints[0], "Add", json!([mapping(6, 80, 80)]))
        .unwrap();
    let moment = scene
        .service
        .moment(scene.service.last_operation().unwrap())
        .unwrap();
    let order: Vec<_> = moment.iter().map(|(object, _)| object.id).collect();
    assert_eq!(order, [vec![network], endpoints].concat());
}

/// One story told to a service, every answer written down.
fn transcript(service: &Service) -> String {
    let mut text = String::new();
    let network = service
        .create(
            Kind::Network,
            None,
            hcn_schema::Guid::ZERO,
            &two(json!({"Name": "nat"})).to_string(),
        )
        .unwrap();
    let overlay = subnetted("Overlay", "vxlan0", "10.244.0.0/16", "10.244.0.1");
    let overlay = service
        .create(
            Kind::Network,
            None,
            hcn_schema::Guid::ZERO,
            &two(overlay).to_string(),
        )
        .unwrap();
    for number in 0..20 {
        let network = if number % 3 == 0 { overlay } else { network };
        let endpoint = service
            .create(
                Kind::Endpoint,
                Some(network),
                hcn_schema::Guid::ZERO,
                &two(json!({"Policies": [mapping(6, 80, 0)]})).to_string(),
            )
            .unwrap();
        if number % 4 == 0 {
            service
                .delete(ObjectId {
                    kind: Kind::Endpoint,
                    id: endpoint,
                })
                .unwrap();
        }
        let namespace = service.call("POST", "/namespaces", "").unwrap();
        let id = parsed(&namespace)["Output"]["ID"]
            .as_str()
            .unwrap()
            .to_owned();
        let answer = service.call(
            "POST",
            &format!("/namespaces/{id}/addresource"),
            &json!({"Type": "Endpoint", "Data": {"Id": endpoint.to_string()}}).to_string(),
        );
        text.push_str(&format!("{answer:?}\n"));
    }
    for kind in [Kind::Network, Kind::Endpoint, Kind::Namespace] {
        for query in ["", V2] {
            text.push_str(&format!("{:#?}\n", service.list(kind, query).unwrap()));
        }
    }
    text + &format!("{:#?}", service.history(None, usize::MAX).unwrap())
}

#[test]
fn with_given_ids_and_clock_every_transcript_repeats() {
    let tell = || {
        let directory = Directory::new();
        transcript(&Service::open(repeatable(directory.path())).unwrap())
    };
    let (one, two) = (tell(), tell());
    assert_eq!(one, two);
    // And without them it does not, or the comparison shows nothing.
    let directory = Directory::new();
    let options = Options {
        actor: "test".to_owned(),
        ..Options::new(directory.path())
    };
    assert_ne!(one, transcript(&Service::open(options).unwrap()));
}

#[test]
fn everything_is_there_after_closing_and_opening() {
    let directory = Directory::new();
    let service = Service::open(repeatable(directory.path())).unwrap();
    transcript(&service);
    let see = |service: &Service| {
        let mut all = Vec::new();
        for kind in [Kind::Network, Kind::Endpoint, Kind::Namespace] {
            all.extend(service.list(kind, "").unwrap());
            all.extend(service.list(kind, V2).unwrap());
        }
        (all, service.history(None, usize::MAX).unwrap())
    };
    let before = see(&service);
    drop(service);
    let service = Service::open(repeatable(directory.path())).unwrap();
    assert_eq!(see(&service), before);
}

#[test]
fn two_services_of_one_process_see_one_store() {
    let scene = Scene::new();
    let other = Service::open(Options::new(scene.directory.path())).unwrap();
    let network = scene.nat();
    let endpoint = other
        .create(
            Kind::Endpoint,
            Some(network),
            hcn_schema::Guid::ZERO,
            &two(json!({})).to_string(),
        )
        .unwrap();
    assert_eq!(scene.find(Kind::Endpoint, &json!({})), [endpoint]);
    scene.delete(Kind::Endpoint, endpoint).unwrap();
    assert_eq!(other.enumerate(Kind::Endpoint, "").unwrap(), "[]");
}
