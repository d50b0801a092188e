// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of HTTP: how kinds, failures, events, containers and operations are said between `hcnctl serve` and its clients.
//!
//! Apart because client and server have to agree and neither is above the other. Invariant: whatever one of these functions writes, its
//! neighbour reads back; documents of HNS travel as text, untouched.

use hcn_api::{
    Event, HcnCode, HnsError, Kind, Notification, ObjectId, PortAccess, PortProtocol, PortRange,
    PortRangeEntry, PortReservation,
};
use hcn_schema::Guid;
use hcn_service::{Container, ListenPort, NewContainer, NewEndpoint, Operation, Verb};
use serde_json::{Map, Value, json};

/// Kinds as they stand in paths; those that version 1 has too are called as there.
const KINDS: [(Kind, &str); 6] = [
    (Kind::Network, "networks"),
    (Kind::Endpoint, "endpoints"),
    (Kind::Namespace, "namespaces"),
    (Kind::LoadBalancer, "loadbalancers"),
    (Kind::SdnRoute, "sdnroutes"),
    (Kind::GuestNetworkService, "guestnetworkservices"),
];

/// Kinds as they stand in paths.
pub fn kind_words() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(_, word)| *word)
}

/// Names of notifications.
pub fn notification_words() -> impl Iterator<Item = &'static str> {
    Notification::ALL.into_iter().map(notification_word)
}

/// A kind as it stands in paths.
pub fn kind_word(kind: Kind) -> &'static str {
    KINDS
        .iter()
        .find(|(own, _)| *own == kind)
        .map_or("", |(_, word)| word)
}

/// The kind of a word in a path.
pub fn kind(word: &str) -> Option<Kind> {
    KINDS
        .iter()
        .find(|(_, own)| *own == word)
        .map(|(kind, _)| *kind)
}

/// Name of a notification.
pub fn notification_word(notification: Notification) -> &'static str {
    match notification {
        Notification::NetworkPreCreate => "NetworkPreCreate",
        Notification::NetworkCreate => "NetworkCreate",
        Notification::NetworkPreDelete => "NetworkPreDelete",
        Notification::NetworkDelete => "NetworkDelete",
        Notification::NamespaceCreate => "NamespaceCreate",
        Notification::NamespaceDelete => "NamespaceDelete",
        Notification::GuestNetworkServiceCreate => "GuestNetworkServiceCreate",
        Notification::GuestNetworkServiceDelete => "GuestNetworkServiceDelete",
        Notification::NetworkEndpointAttached => "NetworkEndpointAttached",
        Notification::NetworkEndpointDetached => "NetworkEndpointDetached",
        Notification::GuestNetworkServiceStateChanged => "GuestNetworkServiceStateChanged",
        Notification::GuestNetworkServiceInterfaceStateChanged => {
            "GuestNetworkServiceInterfaceStateChanged"
        }
        Notification::ServiceDisconnect => "ServiceDisconnect",
    }
}

/// A failure: the members of an HNS error record, then all that is known beyond it.
pub fn failure(error: &HnsError) -> Value {
    let record = error.record();
    let text = serde_json::from_str::<Map<String, Value>>(&record)
        .ok()
        .and_then(|mut record| record.shift_remove("Error"));
    json!({
        "Success": false,
        "Error": text.unwrap_or_else(|| error.code.message().unwrap_or_default().into()),
        "ErrorCode": error.code.0,
        "Name": error.code.name(),
        "Record": record,
        "Field": error.field,
        "Detail": error.detail,
    })
}

/// Reads a failure; `None` where the text is none.
pub fn read_failure(text: &str) -> Option<HnsError> {
    let value: Value = serde_json::from_str(text).ok()?;
    let code = number(&value["ErrorCode"])?;
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    let mut error = HnsError::received(HcnCode(code), word("Record")?);
    error.field = word("Field");
    error.detail = word("Detail");
    Some(error)
}

/// An event.
pub fn event(event: &Event) -> Value {
    json!({
        "Type": event.notification as u32,
        "Name": notification_word(event.notification),
        "Kind": kind_word(event.kind),
        "ID": event.id.to_string(),
        "Data": event.data,
    })
}

/// Reads an event; `None` where the text is none.
pub fn read_event(text: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(Event {
        notification: Notification::from_number(number(&value["Type"])?)?,
        kind: kind(value["Kind"].as_str()?)?,
        id: value["ID"].as_str()?.parse().ok()?,
        data: value["Data"].as_str()?.to_owned(),
    })
}

/// A container.
pub fn container(container: &Container) -> Value {
    json!({
        "Name": container.name,
        "ID": container.id,
        "Endpoint": container.endpoint.to_string(),
        "Namespace": container.namespace.map(|namespace| namespace.to_string()),
        "Listeners": listeners(&container.listeners),
        "CreatedMs": container.created_ms,
        "Adopted": container.adopted,
    })
}

/// Reads a container.
pub fn read_container(value: &Value) -> Option<Container> {
    Some(Container {
        name: value["Name"].as_str()?.to_owned(),
        id: value["ID"].as_str()?.to_owned(),
        endpoint: guid(&value["Endpoint"])?,
        namespace: match &value["Namespace"] {
            Value::Null => None,
            namespace => Some(guid(namespace)?),
        },
        listeners: read_listeners(&value["Listeners"])?,
        created_ms: value["CreatedMs"].as_u64()?,
        adopted: value["Adopted"].as_bool()?,
    })
}

/// A container to be made: with the documents of its endpoint and its namespace as text, or with the id of an endpoint that is there.
pub fn new_container(container: &NewContainer) -> Value {
    let mut value = json!({
        "Name": container.name,
        "ID": container.id,
        "Listeners": listeners(&container.listeners),
    });
    match &container.endpoint {
        NewEndpoint::Made {
            network,
            settings,
            namespace,
        } => {
            value["Network"] = network.to_string().into();
            value["Settings"] = settings.as_str().into();
            value["NamespaceSettings"] = namespace.as_deref().into();
        }
        NewEndpoint::Adopted(endpoint) => value["Endpoint"] = endpoint.to_string().into(),
    }
    value
}

/// Reads a container to be made.
pub fn read_new_container(value: &Value) -> Option<NewContainer> {
    let text = |key: &str| match &value[key] {
        Value::Null => Some(None),
        value => value.as_str().map(|text| Some(text.to_owned())),
    };
    let endpoint = match &value["Endpoint"] {
        Value::Null => NewEndpoint::Made {
            network: guid(&value["Network"])?,
            settings: text("Settings")??,
            namespace: text("NamespaceSettings")?,
        },
        endpoint => NewEndpoint::Adopted(guid(endpoint)?),
    };
    Some(NewContainer {
        name: text("Name")??,
        id: text("ID")?,
        endpoint,
        listeners: read_listeners(&value["Listeners"])?,
    })
}

fn listeners(all: &[ListenPort]) -> Value {
    all.iter()
        .map(|one| json!({"Protocol": one.protocol, "Port": one.port}))
        .collect()
}

fn read_listeners(value: &Value) -> Option<Vec<ListenPort>> {
    match value {
        Value::Null => Some(Vec::new()),
        list => list.as_array()?.iter().map(read_listener).collect(),
    }
}

fn read_listener(value: &Value) -> Option<ListenPort> {
    Some(ListenPort {
        protocol: number(&value["Protocol"])?,
        port: number(&value["Port"])?,
    })
}

/// An operation of the log.
pub fn operation(operation: &Operation) -> Value {
    json!({
        "Number": operation.number,
        "TimeMs": operation.time_ms,
        "Actor": operation.actor,
        "Verb": operation.verb.text(),
        "Kind": kind_word(operation.object.kind),
        "ID": operation.object.id.to_string(),
        "Name": operation.name,
        "Request": operation.request,
        "Document": operation.document,
    })
}

/// Reads an operation.
pub fn read_operation(value: &Value) -> Option<Operation> {
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    Some(Operation {
        number: value["Number"].as_u64()?,
        time_ms: value["TimeMs"].as_u64()?,
        actor: word("Actor")?,
        verb: match value["Verb"].as_str()? {
            "create" => Verb::Create,
            "modify" => Verb::Modify,
            "delete" => Verb::Delete,
            _ => return None,
        },
        object: object(value)?,
        name: word("Name")?,
        request: word("Request")?,
        document: word("Document"),
    })
}

/// An object with its document, at a moment.
pub fn keepsake(object: ObjectId, document: &str) -> Value {
    json!({"Kind": kind_word(object.kind), "ID": object.id.to_string(), "Document": document})
}

/// Reads an object with its document.
pub fn read_keepsake(value: &Value) -> Option<(ObjectId, String)> {
    Some((object(value)?, value["Document"].as_str()?.to_owned()))
}

fn object(value: &Value) -> Option<ObjectId> {
    Some(ObjectId {
        kind: kind(value["Kind"].as_str()?)?,
        id: guid(&value["ID"])?,
    })
}

/// A port, or a range of them, to be reserved for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRequest {
    /// One port.
    One {
        /// Its protocol.
        protocol: PortProtocol,
        /// Whether others may have it too.
        access: PortAccess,
        /// The port.
        port: u16,
    },
    /// Ports that follow each other.
    Range {
        /// How many.
        count: u16,
    },
}

/// A request for ports, with the numbers of `HCN_PORT_PROTOCOL` and `HCN_PORT_ACCESS`.
pub fn port_request(request: PortRequest) -> Value {
    match request {
        PortRequest::One {
            protocol,
            access,
            port,
        } => json!({"Protocol": protocol as u32, "Access": access as u32, "Port": port}),
        PortRequest::Range { count } => json!({"Count": count}),
    }
}

/// Reads a request for ports.
pub fn read_port_request(value: &Value) -> Option<PortRequest> {
    if let Some(count) = number(&value["Count"]) {
        return Some(PortRequest::Range { count });
    }
    Some(PortRequest::One {
        protocol: PortProtocol::from_number(number(&value["Protocol"])?)?,
        access: PortAccess::from_number(number(&value["Access"])?)?,
        port: number(&value["Port"])?,
    })
}

/// What was reserved; the range where HNS chose it.
pub fn reserved(reservation: PortReservation, range: Option<PortRange>) -> Value {
    json!({
        "Reservation": reservation.0,
        "StartingPort": range.map(|range| range.first),
        "EndingPort": range.map(|range| range.last),
    })
}

/// Reads what was reserved.
pub fn read_reserved(value: &Value) -> Option<(PortReservation, Option<PortRange>)> {
    let reservation = PortReservation(number(&value["Reservation"])?);
    let range = match (number(&value["StartingPort"]), number(&value["EndingPort"])) {
        (Some(first), Some(last)) => Some(PortRange { first, last }),
        _ => None,
    };
    Some((reservation, range))
}

/// A reservation as others see it, with the members of `HCN_PORT_RANGE_ENTRY`.
pub fn port_entry(entry: &PortRangeEntry) -> Value {
    json!({
        "OwningPartitionId": entry.owning_partition.to_string(),
        "TargetPartitionId": entry.target_partition.to_string(),
        "Protocol": entry.protocol as u32,
        "Priority": entry.priority,
        "ReservationType": entry.reservation_type,
        "SharingFlags": entry.sharing_flags,
        "DeliveryMode": entry.delivery_mode,
        "StartingPort": entry.ports.first,
        "EndingPort": entry.ports.last,
    })
}

/// Reads a reservation as others see it.
pub fn read_port_entry(value: &Value) -> Option<PortRangeEntry> {
    Some(PortRangeEntry {
        owning_partition: guid(&value["OwningPartitionId"])?,
        target_partition: guid(&value["TargetPartitionId"])?,
        protocol: PortProtocol::from_number(number(&value["Protocol"])?)?,
        priority: number(&value["Priority"])?,
        reservation_type: number(&value["ReservationType"])?,
        sharing_flags: number(&value["SharingFlags"])?,
        delivery_mode: number(&value["DeliveryMode"])?,
        ports: PortRange {
            first: number(&value["StartingPort"])?,
            last: number(&value["EndingPort"])?,
        },
    })
}

/// A number of the type that is wanted; `None` where it does not fit.
fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    T::try_from(value.as_u64()?).ok()
}

fn guid(value: &Value) -> Option<Guid> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_notification_has_a_word_of_its_own() {
        for one in Kind::ALL {
            assert_eq!(kind(kind_word(one)), Some(one));
        }
        let words: Vec<&str> = notification_words().collect();
        for (index, word) in words.iter().enumerate() {
            assert!(!words[..index].contains(word), "{word}");
        }
    }

    #[test]
    fn a_failure_keeps_code_record_field_and_detail() {
        let sent = HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "/Policies/0",
            "is \"no\" policy",
        );
        let got = read_failure(&failure(&sent).to_string()).unwrap();
        assert_eq!(
            (got.code, got.record(), &got.field, &got.detail),
            (sent.code, sent.record(), &sent.field, &sent.detail)
        );
        // The first three members are those of a record (hns-behaviour 1.5).
        let text = failure(&HnsError::new(HcnCode::HCN_E_PORT_NOT_FOUND)).to_string();
        let record =
            r#"{"Success":false,"Error":"The switch-port was not found. ","ErrorCode":2151350279,"#;
        assert!(text.starts_with(record), "{text}");
    }

    #[test]
    fn a_foreign_record_in_another_language_passes_untouched() {
        let record = "{\"Success\":false,\"Error\":\"Falscher Parameter. \",\"ErrorCode\":2147942487,\"Data\":7}";
        let sent = HnsError::received(HcnCode::E_INVALIDARG, record);
        let got = read_failure(&failure(&sent).to_string()).unwrap();
        assert_eq!(got.record(), record);
        assert_eq!(failure(&sent)["Error"], "Falscher Parameter. ");
    }

    #[test]
    fn events_containers_and_operations_are_read_back() {
        let id: Guid = "edffc876-3051-46ec-80b3-820dda20aa14".parse().unwrap();
        let object = ObjectId {
            kind: Kind::Endpoint,
            id,
        };
        let told = Event {
            notification: Notification::NetworkEndpointDetached,
            kind: Kind::Endpoint,
            id,
            data: "{\"ID\":1.50}".to_owned(),
        };
        assert_eq!(read_event(&event(&told).to_string()), Some(told));
        for namespace in [None, Some(id)] {
            let made = Container {
                name: "web".to_owned(),
                id: "00ff".to_owned(),
                endpoint: id,
                namespace,
                listeners: vec![ListenPort {
                    protocol: 6,
                    port: 80,
                }],
                created_ms: 1,
                adopted: namespace.is_none(),
            };
            assert_eq!(read_container(&container(&made)), Some(made));
        }
        for (verb, document) in [
            (Verb::Create, Some("{}".to_owned())),
            (Verb::Modify, Some("{ }".to_owned())),
            (Verb::Delete, None),
        ] {
            let done = Operation {
                number: 7,
                time_ms: 9,
                actor: "x".to_owned(),
                verb,
                object,
                name: "web".to_owned(),
                request: "{\"a\": 1}".to_owned(),
                document,
            };
            assert_eq!(read_operation(&operation(&done)), Some(done));
        }
        let kept = (object, "{ \"a\":1.0}".to_owned());
        assert_eq!(read_keepsake(&keepsake(kept.0, &kept.1)), Some(kept));
    }

    #[test]
    fn ports_are_read_back() {
        for request in [
            PortRequest::One {
                protocol: PortProtocol::Both,
                access: PortAccess::Shared,
                port: 0,
            },
            PortRequest::Range { count: 4095 },
        ] {
            assert_eq!(read_port_request(&port_request(request)), Some(request));
        }
        let ports = PortRange { first: 1, last: 9 };
        for range in [None, Some(ports)] {
            let got = read_reserved(&reserved(PortReservation(u64::MAX), range));
            assert_eq!(got, Some((PortReservation(u64::MAX), range)));
        }
        let entry = PortRangeEntry {
            owning_partition: Guid(1),
            target_partition: Guid(2),
            protocol: PortProtocol::Udp,
            priority: 3,
            reservation_type: 4,
            sharing_flags: 5,
            delivery_mode: 6,
            ports,
        };
        assert_eq!(read_port_entry(&port_entry(&entry)), Some(entry));
    }

    #[test]
    fn what_is_no_failure_is_not_taken_for_one() {
        for text in [
            "",
            "no",
            "{}",
            "[]",
            r#"{"ErrorCode": -1, "Record": ""}"#,
            r#"{"ErrorCode": 5}"#,
        ] {
            assert_eq!(read_failure(text), None, "{text}");
        }
    }
}
