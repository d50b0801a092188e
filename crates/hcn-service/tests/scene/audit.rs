// SPDX-License-Identifier: MIT OR Apache-2.0
//! The books against the documents: whatever is reserved belongs to a document, and whatever a document has is reserved.
//!
//! Apart because it reads the store past the service, as another program would, and so trusts nothing that the service says of itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
};

use hcn_api::{Hns, Kind};
use hcn_schema::{Guid, MacAddress};
use hcn_service::{STORE_FILE, Service};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{V2, parsed};

/// One address, MAC address or port: its network (none for a port of the host), what it is, whose it is.
type Entry = (Option<Guid>, String, Guid);

/// Checks everything that must be true of a store at any time.
pub fn check(service: &Service, state: &Path) {
    service.check_store().unwrap();
    let books = open(state);
    let networks = documents(service, Kind::Network);
    let endpoints = documents(service, Kind::Endpoint);
    let namespaces = documents(service, Kind::Namespace);
    let mut addresses = BTreeSet::new();
    let mut macs = BTreeSet::new();
    let mut ports = BTreeSet::new();
    let mut counts: BTreeMap<Guid, u32> = BTreeMap::new();
    let mut members: BTreeSet<(Guid, Guid)> = BTreeSet::new();
    for (id, endpoint) in &endpoints {
        let network: Guid = text(endpoint, "HostComputeNetwork").parse().unwrap();
        assert!(
            networks.contains_key(&network),
            "endpoint {id} is on network {network}, which is gone"
        );
        *counts.entry(network).or_default() += 1;
        if let Some(namespace) = endpoint.get("HostComputeNamespace") {
            members.insert((namespace.as_str().unwrap().parse().unwrap(), *id));
        }
        let remote = endpoint["Flags"].as_u64().unwrap_or(0) & 1 != 0;
        if !remote {
            for configuration in list(endpoint, "IpConfigurations") {
                let address: IpAddr = text(configuration, "IpAddress").parse().unwrap();
                let entry = (Some(network), address.to_string(), *id);
                assert!(
                    addresses.insert(entry),
                    "{address} stands twice in {endpoint}"
                );
            }
            let mac: MacAddress = text(endpoint, "MacAddress").parse().unwrap();
            macs.insert((Some(network), mac.to_string(), *id));
        }
        for policy in list(endpoint, "Policies") {
            if policy["Type"] == "PortMapping" {
                let settings = &policy["Settings"];
                // Q32: TCP where none is given.
                let number = |key: &str| match &settings[key] {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_u64(),
                };
                let protocol: u64 = number("Protocol").unwrap_or(6);
                let external = number("ExternalPort").unwrap();
                let entry = (None, format!("{protocol}/{external}"), *id);
                assert!(ports.insert(entry.clone()), "{entry:?} stands twice");
            }
        }
    }
    assert_eq!(addresses, address_rows(&books), "addresses");
    assert_eq!(macs, mac_rows(&books), "MAC addresses");
    assert_eq!(ports, port_rows(&books), "ports of the host");
    let counted: BTreeMap<Guid, u32> =
        rows(&books, "SELECT network, now FROM network_count", |row| {
            Ok((id(row.get(0)?), row.get(1)?))
        })
        .into_iter()
        .filter(|(_, now)| *now != 0)
        .collect();
    assert_eq!(counts, counted, "endpoints a network");
    let mut listed: BTreeSet<(Guid, Guid)> = BTreeSet::new();
    for (namespace, document) in &namespaces {
        for resource in list(document, "Resources") {
            if resource["Type"] == "Endpoint" {
                let id = text(&resource["Data"], "Id").parse().unwrap();
                assert!(
                    listed.insert((*namespace, id)),
                    "{id} is listed twice in {namespace}"
                );
            }
        }
    }
    assert_eq!(members, listed, "endpoints in namespaces");
    // The log alone tells what there is now.
    let last = service.last_operation().unwrap();
    let moment: BTreeSet<(Guid, String)> = service
        .moment(last)
        .unwrap()
        .into_iter()
        .map(|(object, document)| (object.id, document))
        .collect();
    let now: BTreeSet<(Guid, String)> = [Kind::Network, Kind::Endpoint, Kind::Namespace]
        .into_iter()
        .flat_map(|kind| service.list(kind, V2).unwrap())
        .map(|document| (text(&parsed(&document), "ID").parse().unwrap(), document))
        .collect();
    assert_eq!(moment, now, "the log and the objects");
}

/// The books as text.
pub fn reservations(state: &Path) -> String {
    let books = open(state);
    format!(
        "{:?}\n{:?}\n{:?}\n",
        address_rows(&books),
        mac_rows(&books),
        port_rows(&books)
    )
}

fn open(state: &Path) -> Connection {
    Connection::open_with_flags(state.join(STORE_FILE), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn documents(service: &Service, kind: Kind) -> BTreeMap<Guid, Value> {
    service
        .list(kind, V2)
        .unwrap()
        .iter()
        .map(|document| {
            let document = parsed(document);
            (text(&document, "ID").parse().unwrap(), document)
        })
        .collect()
}

fn address_rows(books: &Connection) -> BTreeSet<Entry> {
    rows(
        books,
        "SELECT network, address, endpoint FROM address",
        |row| {
            let octets: Vec<u8> = row.get(1)?;
            let address = match <[u8; 4]>::try_from(octets.as_slice()) {
                Ok(four) => IpAddr::from(four),
                Err(_) => IpAddr::from(<[u8; 16]>::try_from(octets.as_slice()).unwrap()),
            };
            Ok((Some(id(row.get(0)?)), address.to_string(), id(row.get(2)?)))
        },
    )
    .into_iter()
    .collect()
}

fn mac_rows(books: &Connection) -> BTreeSet<Entry> {
    rows(
        books,
        "SELECT network, address, endpoint FROM mac_address",
        |row| {
            let mac = MacAddress::from_number(row.get::<_, i64>(1)? as u64);
            Ok((Some(id(row.get(0)?)), mac.to_string(), id(row.get(2)?)))
        },
    )
    .into_iter()
    .collect()
}

fn port_rows(books: &Connection) -> BTreeSet<Entry> {
    rows(
        books,
        "SELECT protocol, port, endpoint FROM host_port",
        |row| {
            let (protocol, port): (u32, u16) = (row.get(0)?, row.get(1)?);
            Ok((None, format!("{protocol}/{port}"), id(row.get(2)?)))
        },
    )
    .into_iter()
    .collect()
}

fn rows<T>(
    books: &Connection,
    query: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = books.prepare(query).unwrap();
    let rows = statement.query_map([], read).unwrap();
    rows.map(Result::unwrap).collect()
}

fn id(bytes: [u8; 16]) -> Guid {
    Guid(u128::from_be_bytes(bytes))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}
