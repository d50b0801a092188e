// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest network services and their ports (hns-behaviour 1.2, 1.9, 2.8, 2.11, 2.16).

use std::sync::{Arc, Mutex};

use hcn_api::{
    HcnCode, Hns, Kind, Notification, ObjectId, PortAccess, PortProtocol, PortRange,
    PortReservation,
};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    host::Host,
    scene::{code, guid, mapping, parsed, two},
};

const KIND: Kind = Kind::GuestNetworkService;
const ID: &str = "c0ffee00-1234-4567-89ab-cdef01234567";

/// What WSL sends.
fn document() -> Value {
    json!({
        "VirtualMachineId": "8F14E45F-CEEA-467F-A8C7-D1C9B2B0A3E5",
        "MirrorHostNetworking": true,
        "Flags": 1,
        "SchemaVersion": {"Major": 2, "Minor": 16},
    })
}

fn make(host: &Host) -> Guid {
    let id = guid(ID);
    assert_eq!(
        host.service
            .create(KIND, None, id, &document().to_string())
            .unwrap(),
        id
    );
    id
}

fn state(host: &Host, id: Guid, word: Value) -> hcn_api::Answer<()> {
    let request =
        json!({"ResourceType": "State", "RequestType": "Update", "Settings": {"State": word}});
    host.modify(KIND, id, &request)
}

/// 2.16: WSL passes the id, then moves the state to Bootstrapping and on; numbers are those of 2.8.
#[test]
fn a_guest_network_service_lives_from_created_to_deleted() {
    let host = Host::new();
    let told: Arc<Mutex<Vec<(Notification, Value)>>> = Arc::default();
    let own = told.clone();
    let _subscription = host
        .service
        .subscribe(Arc::new(move |event| {
            own.lock()
                .unwrap()
                .push((event.notification, parsed(&event.data)));
        }))
        .unwrap();
    let id = make(&host);
    assert_eq!(
        host.service.enumerate(KIND, "").unwrap(),
        format!("[\"{id}\"]")
    );
    host.service.open(ObjectId { kind: KIND, id }).unwrap();
    assert_eq!(
        host.two(KIND, id),
        json!({
            "ID": id.upper(),
            "Version": 64424509440u64,
            "VirtualMachineId": "8F14E45F-CEEA-467F-A8C7-D1C9B2B0A3E5",
            "MirrorHostNetworking": true,
            "Flags": 1,
            "State": 1,
            "SchemaVersion": {"Major": 2, "Minor": 0},
        })
    );
    state(&host, id, json!("Bootstrapping")).unwrap();
    assert_eq!(host.two(KIND, id)["State"], 2);
    state(&host, id, json!(3)).unwrap();
    assert_eq!(host.two(KIND, id)["State"], 3);
    host.delete(KIND, id).unwrap();
    let base = |data: Value| json!({"ID": id.upper(), "Flags": 1, "Data": data});
    assert_eq!(
        *told.lock().unwrap(),
        [
            (Notification::GuestNetworkServiceCreate, base(Value::Null)),
            (
                Notification::GuestNetworkServiceStateChanged,
                base(json!({"State": "Bootstrapping"}))
            ),
            (
                Notification::GuestNetworkServiceStateChanged,
                base(json!({"State": "Synchronized"}))
            ),
            (Notification::GuestNetworkServiceDelete, base(Value::Null)),
        ]
    );
}

#[test]
fn what_a_guest_network_service_cannot_do_has_its_code() {
    let host = Host::new();
    let id = make(&host);
    assert_eq!(
        code(host.service.create(KIND, None, id, &document().to_string())),
        HcnCode::ERROR_ALREADY_EXISTS
    );
    assert_eq!(
        code(state(&host, id, json!("Flying"))),
        HcnCode::E_INVALIDARG
    );
    let request = json!({"ResourceType": "State", "RequestType": "Add", "Settings": {}});
    assert_eq!(
        code(host.modify(KIND, id, &request)),
        HcnCode::HCN_E_REQUEST_UNSUPPORTED
    );
    assert_eq!(code(host.delete(KIND, Guid(1))), HcnCode::ERROR_NOT_FOUND);
    assert_eq!(host.two(KIND, id)["State"], 1);
}

/// 1.2: WSL asks for 4095 and asserts that the last port is the first plus 4095.
#[test]
fn a_range_is_one_port_longer_than_asked_for() {
    let host = Host::new();
    let id = make(&host);
    let (first, range) = host.service.reserve_port_range(id, 4095).unwrap();
    assert_eq!(range.last - range.first, 4095);
    let (second, other) = host.service.reserve_port_range(id, 4095).unwrap();
    assert!(
        other.first > range.last || other.last < range.first,
        "{range:?} {other:?}"
    );
    let entries = host.service.port_reservations().unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.ports).collect::<Vec<_>>(),
        [range, other]
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry.protocol == PortProtocol::Both)
    );
    assert_eq!(
        entries[0].owning_partition,
        guid("8f14e45f-ceea-467f-a8c7-d1c9b2b0a3e5")
    );
    host.service.release_ports(first).unwrap();
    assert_eq!(code(host.service.release_ports(first)), HcnCode::E_HANDLE);
    // 49152 to 65535 are four ranges of 4096 ports; one is taken.
    for _ in 0..3 {
        host.service.reserve_port_range(id, 4095).unwrap();
    }
    assert_eq!(
        code(host.service.reserve_port_range(id, 4095)),
        HcnCode::HCN_E_PORT_ALREADY_EXISTS
    );
    host.service.release_ports(second).unwrap();
    host.service.reserve_port_range(id, 4095).unwrap();
}

#[test]
fn a_port_is_kept_from_others_as_its_access_says() {
    use {PortAccess as Access, PortProtocol as Protocol};
    let host = Host::new();
    let id = make(&host);
    let reserve = |protocol, access, port| host.service.reserve_port(id, protocol, access, port);
    let kept = reserve(Protocol::Tcp, Access::Exclusive, 8080).unwrap();
    let taken = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    assert_eq!(code(reserve(Protocol::Tcp, Access::Exclusive, 8080)), taken);
    assert_eq!(code(reserve(Protocol::Both, Access::Shared, 8080)), taken);
    reserve(Protocol::Udp, Access::Shared, 8080).unwrap();
    reserve(Protocol::Udp, Access::Shared, 8080).unwrap();
    assert_eq!(code(reserve(Protocol::Udp, Access::Exclusive, 8080)), taken);
    assert_eq!(
        code(reserve(Protocol::Tcp, Access::Exclusive, 0)),
        HcnCode::E_INVALIDARG
    );
    assert_eq!(
        code(
            host.service
                .reserve_port(Guid(1), Protocol::Tcp, Access::Exclusive, 1)
        ),
        HcnCode::ERROR_NOT_FOUND
    );
    // A published port meets the reservation, but not where its maker made that too (2.13, `ExternalPortReserved`).
    let nat = host.nat();
    let publish = |flags: u32| {
        let mut policy = mapping(6, 80, 8080);
        policy["Settings"]["Flags"] = json!(flags);
        let document = two(json!({"Policies": [policy]})).to_string();
        host.service
            .create(Kind::Endpoint, Some(nat), Guid::ZERO, &document)
    };
    assert_eq!(code(publish(0)), taken);
    let endpoint = publish(4).unwrap();
    host.delete(Kind::Endpoint, endpoint).unwrap();
    host.service.release_ports(kept).unwrap();
    publish(0).unwrap();
    assert_eq!(code(reserve(Protocol::Tcp, Access::Exclusive, 8080)), taken);
}

/// Two processes on one store never get one port; a reservation ends with the process that holds it, or with its service.
#[test]
fn reservations_hold_across_processes_and_end_with_their_holder() {
    let host = Host::new();
    let id = make(&host);
    let neighbour = host.neighbour();
    let (_, theirs) = neighbour.reserve_port_range(id, 9).unwrap();
    let (_, ours) = host.service.reserve_port_range(id, 9).unwrap();
    assert_eq!(
        ours,
        PortRange {
            first: theirs.last + 1,
            last: theirs.last + 10
        }
    );
    assert_eq!(host.service.port_reservations().unwrap().len(), 2);
    drop(neighbour);
    let left: Vec<PortRange> = host
        .service
        .port_reservations()
        .unwrap()
        .iter()
        .map(|entry| entry.ports)
        .collect();
    assert_eq!(left, [ours]);
    host.delete(KIND, id).unwrap();
    assert_eq!(host.service.port_reservations().unwrap(), []);
    assert_eq!(
        code(host.service.release_ports(PortReservation(2))),
        HcnCode::E_HANDLE
    );
}
