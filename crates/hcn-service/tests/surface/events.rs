// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events across processes, and what a network's own callback is told (hns-behaviour 1.2.1, 1.9, Q39).

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use hcn_api::{Event, Hns, Kind, Notification, Subscription};
use serde_json::json;

use crate::{
    host::Host,
    scene::{parsed, two},
};

type Told = Arc<Mutex<Vec<Event>>>;

fn listen(hns: &dyn Hns) -> (Told, Subscription) {
    let told = Told::default();
    let own = told.clone();
    let subscription = hns.subscribe(Arc::new(move |event| {
        own.lock().unwrap().push(event.clone())
    }));
    (told, subscription.unwrap())
}

fn wait(told: &Told, count: usize) -> Vec<Event> {
    let end = Instant::now() + Duration::from_secs(20);
    while told.lock().unwrap().len() < count && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    told.lock().unwrap().clone()
}

/// Q39: the base names the network and has its flags, the data names the endpoint.
#[test]
fn an_attachment_is_told_of_its_network() {
    let host = Host::new();
    let network = host.overlay();
    let pod = host.pod(network);
    let namespace = host.namespace(json!({}));
    let (told, _subscription) = listen(&host.service);
    host.membership(namespace, "Add", pod).unwrap();
    host.membership(namespace, "Remove", pod).unwrap();
    let told = told.lock().unwrap();
    let kinds: Vec<Notification> = told.iter().map(|event| event.notification).collect();
    assert_eq!(
        kinds,
        [
            Notification::NetworkEndpointAttached,
            Notification::NetworkEndpointDetached
        ]
    );
    for event in told.iter() {
        assert_eq!(
            (event.kind, event.id, event.network()),
            (Kind::Endpoint, pod, Some(network))
        );
        assert_eq!(
            parsed(&event.data),
            json!({"ID": network.upper(), "Flags": 8, "Data": {"ID": pod.upper()}})
        );
    }
}

#[test]
fn what_another_process_does_is_told_once_and_in_order() {
    let host = Host::new();
    let neighbour = host.neighbour();
    let (ours, _one) = listen(&host.service);
    let (theirs, other) = listen(&neighbour);
    let network = host.nat();
    let namespace = neighbour
        .create(
            Kind::Namespace,
            None,
            hcn_schema::Guid::ZERO,
            &two(json!({})).to_string(),
        )
        .unwrap();
    let seen = |told: &Told| {
        let mut events: Vec<(Notification, Kind, hcn_schema::Guid)> = wait(told, 3)
            .iter()
            .map(|event| (event.notification, event.kind, event.id))
            .collect();
        // Own events are told at once, others' at the next look; among each the order is kept.
        events.sort_by_key(|event| event.1);
        events
    };
    let expected = [
        (Notification::NetworkPreCreate, Kind::Network, network),
        (Notification::NetworkCreate, Kind::Network, network),
        (Notification::NamespaceCreate, Kind::Namespace, namespace),
    ];
    assert_eq!(seen(&ours), expected);
    assert_eq!(seen(&theirs), expected);
    // After leaving nothing is told, however long one waits; the service goes on.
    drop(other);
    drop(neighbour);
    host.delete(Kind::Namespace, namespace).unwrap();
    wait(&ours, 4);
    assert_eq!(theirs.lock().unwrap().len(), 3);
    assert_eq!(ours.lock().unwrap().len(), 4);
}

/// For those who ask instead of listening, such as a server with clients that come back.
#[test]
fn events_can_be_read_from_where_one_left_off() {
    let host = Host::new();
    assert_eq!(host.service.last_event().unwrap(), 0);
    let network = host.nat();
    let after = host.service.last_event().unwrap();
    assert_eq!(after, 2);
    let neighbour = host.neighbour();
    host.delete(Kind::Network, network).unwrap();
    let events = neighbour.events_since(after).unwrap();
    let seen: Vec<(u64, Notification)> = events
        .iter()
        .map(|(number, event)| (*number, event.notification))
        .collect();
    assert_eq!(
        seen,
        [
            (3, Notification::NetworkPreDelete),
            (4, Notification::NetworkDelete)
        ]
    );
    assert_eq!(neighbour.events_since(4).unwrap(), []);
    assert_eq!(neighbour.events_since(0).unwrap().len(), 4);
}

/// What was refused was not told, not even to others.
#[test]
fn a_refused_change_leaves_no_event() {
    let host = Host::new();
    let network = host.nat();
    let before = host.service.last_event().unwrap();
    let again = two(json!({"Name": "other"})).to_string();
    assert!(
        host.service
            .create(Kind::Network, None, network, &again)
            .is_err()
    );
    assert_eq!(host.service.last_event().unwrap(), before);
}

/// A listener that fails takes neither the others nor the later events with it.
#[test]
fn a_listener_that_panics_is_told_of_other_processes_again() {
    let host = Host::new();
    let neighbour = host.neighbour();
    let count = Arc::new(Mutex::new(0));
    let own = count.clone();
    let _subscription = host
        .service
        .subscribe(Arc::new(move |_| {
            *own.lock().unwrap() += 1;
            // Not `panic!`, which would print a report into the tests' own.
            std::panic::resume_unwind(Box::new("listener"));
        }))
        .unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    for expected in [1, 2] {
        let namespace = two(json!({})).to_string();
        neighbour
            .create(Kind::Namespace, None, hcn_schema::Guid::ZERO, &namespace)
            .unwrap();
        while *count.lock().unwrap() < expected {
            assert!(Instant::now() < end);
            thread::sleep(Duration::from_millis(5));
        }
    }
}
