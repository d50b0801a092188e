// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every method of the seam, through our library.
//!
//! What the service answers is examined elsewhere; here it is seen that each method reaches its function, and that text, ids, numbers, records and
//! events come back whole. One process and one store: each test has its own objects.

#![allow(unsafe_code, reason = "the environment of a process is set")]

mod library;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use hcn_api::{
    Event, HcnCode, Hns, HnsError, Kind, Notification, ObjectId, PortAccess, PortProtocol,
    PortReservation,
};
use hcn_schema::Guid;
use library::HNS;
use serde_json::{Value, json};

const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;
/// The id of no object.
const NOBODY: Guid = Guid(0xffff);

fn two(mut document: Value) -> String {
    document["SchemaVersion"] = json!({"Major": 2, "Minor": 0});
    document.to_string()
}

fn object(kind: Kind, number: u128) -> ObjectId {
    ObjectId {
        kind,
        id: Guid(number),
    }
}

/// A network; `number` is its id, its name and its subnet.
fn network(number: u8) -> ObjectId {
    let settings = two(json!({
        "Name": format!("native-{number}"),
        "Type": "L2Bridge",
        "Ipams": [{"Subnets": [{"IpAddressPrefix": format!("10.81.{number}.0/24")}]}],
    }));
    let own = object(Kind::Network, u128::from(number) << 8);
    let made = HNS.create(Kind::Network, None, own.id, &settings);
    assert_eq!(made, Ok(own.id));
    own
}

fn endpoint(network: ObjectId, number: u8) -> ObjectId {
    let own = object(Kind::Endpoint, network.id.0 + u128::from(number));
    let settings = two(json!({"Name": format!("e{number}")}));
    let made = HNS.create(Kind::Endpoint, Some(network.id), own.id, &settings);
    assert_eq!(made, Ok(own.id));
    own
}

fn document(object: ObjectId) -> Value {
    serde_json::from_str(&HNS.query(object, V2).unwrap()).unwrap()
}

fn ids(kind: Kind, query: &str) -> Vec<Guid> {
    let text = HNS.enumerate(kind, query).unwrap();
    let list: Vec<String> = serde_json::from_str(&text).unwrap();
    list.iter().map(|id| id.parse().unwrap()).collect()
}

/// The record as HNS writes it (hns-behaviour 1.5), by hand.
fn is(error: HnsError, code: HcnCode, message: &str) {
    let record = format!(
        r#"{{"Success":false,"Error":"{message}. ","ErrorCode":{}}}"#,
        code.0
    );
    assert_eq!((error.code, error.record()), (code, record));
}

#[test]
fn each_kind_is_made_found_asked_changed_and_deleted() {
    let net = network(1);
    let pod = endpoint(net, 1);
    let changed =
        json!({"ResourceType": "Policy", "RequestType": "Update", "Settings": {"Policies": []}});
    let namespace_gets = json!({"ResourceType": "Endpoint", "RequestType": "Add", "Settings": {"EndpointId": pod.id.to_string()}});
    let balancer = json!({
        "HostComputeEndpoints": [pod.id.to_string()],
        "FrontendVIPs": ["10.96.0.1"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 8080, "ExternalPort": 80}],
    });
    let mut other_balancer = balancer.clone();
    other_balancer["PortMappings"][0]["InternalPort"] = json!(8081);
    let route = json!({
        "HostComputeEndpoints": [pod.id.to_string()],
        "Routes": [{"DestinationPrefix": "10.9.0.0/16", "NextHop": "10.81.1.1", "NeedEncap": false}],
    });
    let guest = json!({"VirtualMachineId": "8F14E45F-CEEA-467F-A8C7-D1C9B2B0A3E5"});
    let started = json!({"ResourceType": "State", "RequestType": "Update", "Settings": {"State": "Bootstrapping"}});
    // Kind, settings, change, and where the change is seen (hns-behaviour 2.5, 2.6, 2.16).
    let cases = [
        (
            Kind::Namespace,
            json!({"Type": "Host"}),
            Some(namespace_gets.to_string()),
            ("/Resources/0/Type", json!("Endpoint")),
        ),
        (
            Kind::LoadBalancer,
            balancer,
            Some(two(other_balancer)),
            ("/PortMappings/0/InternalPort", json!(8081)),
        ),
        (
            Kind::SdnRoute,
            route,
            None,
            ("/Routes/0/DestinationPrefix", json!("10.9.0.0/16")),
        ),
        (
            Kind::GuestNetworkService,
            guest,
            Some(started.to_string()),
            ("/State", json!(2)),
        ),
    ];
    for (number, (kind, settings, change, (place, value))) in cases.into_iter().enumerate() {
        let own = object(kind, 0x1_0000 + number as u128);
        assert_eq!(HNS.create(kind, None, own.id, &two(settings)), Ok(own.id));
        HNS.open(own).unwrap();
        // A library's handles do not tell which object they are of.
        assert_eq!(HNS.identity(own), Ok(0));
        assert!(ids(kind, "").contains(&own.id), "{kind}");
        if let Some(change) = change {
            HNS.modify(own, &change).unwrap();
        }
        assert_eq!(document(own).pointer(place), Some(&value), "{kind}");
        HNS.delete(own).unwrap();
        is(
            HNS.open(own).unwrap_err(),
            HcnCode::ERROR_NOT_FOUND,
            "Element not found",
        );
    }
    HNS.modify(pod, &changed.to_string()).unwrap();
    assert_eq!(document(pod)["Name"], "e1");
    assert_eq!(
        ids(
            Kind::Endpoint,
            &two(
                json!({"Filter": json!({"Name": "e1", "HostComputeNetwork": net.id.to_string()}).to_string()})
            )
        ),
        [pod.id]
    );
    HNS.delete(pod).unwrap();
    is(
        HNS.query(pod, "").unwrap_err(),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
        "The endpoint was not found",
    );
    HNS.delete(net).unwrap();
}

#[test]
fn an_id_that_hns_or_the_document_chooses_is_told() {
    let net = network(2);
    let settings = two(json!({"Name": "chosen"}));
    let make = |settings: &str| HNS.create(Kind::Endpoint, Some(net.id), Guid::ZERO, settings);
    let first = make(&settings).unwrap();
    assert!(!first.is_zero());
    HNS.open(ObjectId {
        kind: Kind::Endpoint,
        id: first,
    })
    .unwrap();
    let named: Guid = "8f14e45f-ceea-467f-a8c7-d1c9b2b0a3e5".parse().unwrap();
    let settings = two(json!({"Name": "named", "ID": named.to_string()}));
    assert_eq!(make(&settings), Ok(named));
    for kind in [Kind::Namespace, Kind::GuestNetworkService] {
        let id = HNS.create(kind, None, Guid::ZERO, &two(json!({}))).unwrap();
        HNS.delete(ObjectId { kind, id }).unwrap();
    }
    HNS.delete(net).unwrap();
}

#[test]
fn a_failure_comes_with_the_record_of_hns() {
    let no_network = object(Kind::Network, NOBODY.0);
    is(
        HNS.delete(no_network).unwrap_err(),
        HcnCode::HCN_E_NETWORK_NOT_FOUND,
        "The network was not found",
    );
    for settings in ["", "{nonsense"] {
        is(
            HNS.create(Kind::Namespace, None, NOBODY, settings)
                .unwrap_err(),
            HcnCode::HCN_E_INVALID_JSON,
            "Invalid JSON document string",
        );
    }
    is(
        HNS.create(Kind::Endpoint, Some(NOBODY), Guid::ZERO, &two(json!({})))
            .unwrap_err(),
        HcnCode::HCN_E_NETWORK_NOT_FOUND,
        "The network was not found",
    );
    is(
        HNS.create(Kind::Endpoint, None, Guid::ZERO, &two(json!({})))
            .unwrap_err(),
        HcnCode::E_INVALIDARG,
        "The parameter is incorrect",
    );
    is(
        HNS.enumerate(Kind::Network, "{").unwrap_err(),
        HcnCode::HCN_E_INVALID_JSON,
        "Invalid JSON document string",
    );
    is(
        HNS.call("GET", &format!("/endpoints/{NOBODY}"), "")
            .unwrap_err(),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
        "The endpoint was not found",
    );
}

#[test]
fn a_text_that_would_end_early_is_refused_before_hns_sees_it() {
    let error = HNS
        .create(Kind::Namespace, None, NOBODY, "{}\0{}")
        .unwrap_err();
    assert_eq!(error.code, HcnCode::E_INVALIDARG);
    assert!(error.to_string().contains("NUL"), "{error}");
}

#[test]
fn a_name_in_any_script_comes_back_as_it_went() {
    let net = network(3);
    let own = object(Kind::Endpoint, 0x3ff);
    let name = "größe 容器 🦀𐐷";
    HNS.create(
        Kind::Endpoint,
        Some(net.id),
        own.id,
        &two(json!({"Name": name})),
    )
    .unwrap();
    assert_eq!(document(own)["Name"], name);
    HNS.delete(net).unwrap();
}

#[test]
fn version_1_and_the_questions_about_endpoints_are_answered() {
    let net = network(4);
    let pod = endpoint(net, 1);
    let envelope: Value = serde_json::from_str(
        &HNS.call("GET", &format!("/networks/{}", net.id), "")
            .unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&envelope["Success"], &envelope["Output"]["Name"]),
        (&json!(true), &json!("native-4"))
    );
    let stats: Value = serde_json::from_str(&HNS.endpoint_stats(pod.id, "").unwrap()).unwrap();
    assert!(stats.is_object(), "{stats}");
    let addresses = HNS.endpoint_addresses(pod.id, "").unwrap();
    let own = document(pod)["IpConfigurations"][0]["IpAddress"].clone();
    assert!(addresses.contains(own.as_str().unwrap()), "{addresses}");
    for answer in [
        HNS.endpoint_stats(NOBODY, ""),
        HNS.endpoint_addresses(NOBODY, ""),
    ] {
        assert_eq!(answer.unwrap_err().code, HcnCode::HCN_E_ENDPOINT_NOT_FOUND);
    }
    HNS.delete(net).unwrap();
}

#[test]
fn ports_are_reserved_listed_and_released_once() {
    let guest = object(Kind::GuestNetworkService, 0x5_0000);
    let settings = two(json!({"VirtualMachineId": "8F14E45F-CEEA-467F-A8C7-D1C9B2B0A3E5"}));
    HNS.create(guest.kind, None, guest.id, &settings).unwrap();
    let one = HNS
        .reserve_port(guest.id, PortProtocol::Udp, PortAccess::Exclusive, 41_000)
        .unwrap();
    let again = HNS.reserve_port(guest.id, PortProtocol::Udp, PortAccess::Exclusive, 41_000);
    assert_eq!(again.unwrap_err().code, HcnCode::HCN_E_PORT_ALREADY_EXISTS);
    let (many, range) = HNS.reserve_port_range(guest.id, 100).unwrap();
    // One more than was asked for (hns-behaviour 1.2).
    assert_eq!(range.last - range.first, 100);
    let entries = HNS.port_reservations().unwrap();
    let udp = entries
        .iter()
        .find(|entry| entry.ports.first == 41_000)
        .unwrap();
    assert_eq!((udp.protocol, udp.ports.last), (PortProtocol::Udp, 41_000));
    assert!(entries.iter().any(|entry| entry.ports == range));
    for reservation in [one, many] {
        HNS.release_ports(reservation).unwrap();
        // What the library never gave, or has taken back, is not passed on as an address.
        for gone in [reservation, PortReservation(0), PortReservation(u64::MAX)] {
            assert_eq!(HNS.release_ports(gone).unwrap_err().code, HcnCode::E_HANDLE);
        }
    }
    assert_eq!(HNS.port_reservations().unwrap(), []);
    HNS.delete(guest).unwrap();
}

/// Tells the events about one object.
fn told(about: Guid) -> (mpsc::Receiver<Event>, hcn_api::Subscription) {
    let (sender, receiver) = mpsc::channel();
    let subscription = HNS
        .subscribe(Arc::new(move |event: &Event| {
            if event.id == about || event.network() == Some(about) {
                sender.send(event.clone()).unwrap();
            }
        }))
        .unwrap();
    (receiver, subscription)
}

#[test]
fn a_listener_is_told_of_whom_and_what_until_the_subscription_ends() {
    let (events, subscription) = told(Guid(6 << 8));
    let net = network(6);
    let pod = endpoint(net, 1);
    let space = object(Kind::Namespace, 0x6_0000);
    HNS.create(space.kind, None, space.id, &two(json!({"Type": "Host"})))
        .unwrap();
    let add = json!({"ResourceType": "Endpoint", "RequestType": "Add", "Settings": {"EndpointId": pod.id.to_string()}});
    HNS.modify(space, &add.to_string()).unwrap();
    HNS.delete(pod).unwrap();
    HNS.delete(net).unwrap();
    // hns-behaviour 1.2.1 and 1.9; what happens to an endpoint is told of its network.
    let expected = [
        (Notification::NetworkPreCreate, net),
        (Notification::NetworkCreate, net),
        (Notification::NetworkEndpointAttached, pod),
        (Notification::NetworkEndpointDetached, pod),
        (Notification::NetworkPreDelete, net),
        (Notification::NetworkDelete, net),
    ];
    for (notification, object) in expected {
        let event = events.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(
            (event.notification, event.kind, event.id),
            (notification, object.kind, object.id)
        );
    }
    drop(subscription);
    // The listener is gone with the subscription, and the channel's sender with it.
    network(6);
    assert_eq!(
        events.recv_timeout(Duration::from_millis(50)),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    HNS.delete(net).unwrap();
    HNS.delete(space).unwrap();
}

#[test]
fn a_listener_may_end_its_own_subscription_and_use_what_it_holds() {
    let held: Arc<Mutex<Option<hcn_api::Subscription>>> = Arc::default();
    let (slot, calls) = (held.clone(), Arc::new(AtomicUsize::new(0)));
    let count = calls.clone();
    let (ended, wait) = mpsc::channel();
    // Dropped with the listener: what is read after the end would be freed memory if the listener went with its subscription.
    let text = "x".repeat(1000);
    let subscription = HNS
        .subscribe(Arc::new(move |event: &Event| {
            if event.id != Guid(7 << 8) {
                return;
            }
            // The first event may come before the subscription is kept.
            let own = loop {
                match slot.lock().unwrap().take() {
                    Some(own) => break own,
                    None => thread::sleep(Duration::from_millis(1)),
                }
            };
            drop(own);
            assert_eq!(text.len(), 1000);
            count.fetch_add(1, Ordering::SeqCst);
            ended.send(text.bytes().all(|byte| byte == b'x')).unwrap();
        }))
        .unwrap();
    *held.lock().unwrap() = Some(subscription);
    let net = network(7);
    assert_eq!(wait.recv_timeout(Duration::from_secs(30)), Ok(true));
    HNS.delete(net).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_listener_that_panics_is_told_the_next_event_all_the_same() {
    let (sender, receiver) = mpsc::channel();
    let _subscription = HNS
        .subscribe(Arc::new(move |event: &Event| {
            if event.id == Guid(8 << 8) {
                sender.send(event.notification).unwrap();
                // A panic without the message, which would look like a failure of the test.
                std::panic::resume_unwind(Box::new(()));
            }
        }))
        .unwrap();
    let net = network(8);
    for expected in [Notification::NetworkPreCreate, Notification::NetworkCreate] {
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)), Ok(expected));
    }
    HNS.delete(net).unwrap();
}
