// SPDX-License-Identifier: MIT OR Apache-2.0
//! A scene with the objects of this program's tests, and the books that go with them.
//!
//! Apart from the scene because its audit knows networks, endpoints and namespaces: this one looks at the others, then takes them away.

use std::{collections::BTreeSet, ops::Deref};

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::{Options, STORE_FILE, Service};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::scene::{Scene, V2, parsed, two};

/// Kinds beyond those that a scene audits.
pub const KINDS: [Kind; 3] = [
    Kind::LoadBalancer,
    Kind::SdnRoute,
    Kind::GuestNetworkService,
];

/// A scene and its further objects.
pub struct Host(Scene);

impl Host {
    /// A new store of the default version.
    pub fn new() -> Host {
        Host(Scene::new())
    }

    /// A new store of a version.
    pub fn of(version: &str) -> Host {
        Host(Scene::of(Some(version)))
    }

    /// The overlay of hcsshim's tests (hns-behaviour 7).
    pub fn overlay(&self) -> Guid {
        self.network(json!({
            "Name": "GoTestOverlay", "Type": "Overlay", "Flags": 8,
            "MacPool": {"Ranges": [{"StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF"}]},
            "Ipams": [{"Type": "Static", "Subnets": [{
                "IpAddressPrefix": "192.168.100.0/24",
                "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 5000}}],
                "Routes": [{"NextHop": "192.168.100.1", "DestinationPrefix": "0.0.0.0/0"}],
            }]}],
        }))
    }

    /// The endpoint of hcsshim's tests.
    pub fn pod(&self, network: Guid) -> Guid {
        self.endpoint(network, json!({"Name": "GoTestNatEndpoint"}))
    }

    /// Makes a load balancer.
    pub fn balancer(&self, document: Value) -> Guid {
        self.create(Kind::LoadBalancer, None, &two(document))
    }

    /// A second service on the same store, as another process has it.
    pub fn neighbour(&self) -> Service {
        Service::open(Options::new(self.directory.path())).unwrap()
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.service.list(kind, V2).unwrap().len()
    }
}

impl Deref for Host {
    type Target = Scene;
    fn deref(&self) -> &Scene {
        &self.0
    }
}

impl Drop for Host {
    /// The books agree with the documents; then everything goes in a way that every version allows, and the scene's own audit follows.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.audit_front_ends();
        self.audit_log();
        let options = Options {
            version: Some("16.0".parse().unwrap()),
            ..Options::new(self.directory.path())
        };
        let service = Service::open(options).unwrap();
        for kind in KINDS {
            for document in service.list(kind, V2).unwrap() {
                let id = parsed(&document)["ID"].as_str().unwrap().parse().unwrap();
                service.delete(ObjectId { kind, id }).unwrap();
            }
        }
        assert_eq!(front_ends(self), BTreeSet::new());
        assert_eq!(service.port_reservations().unwrap(), []);
    }
}

impl Host {
    /// Every address with every port of every load balancer stands in the books once, and nothing else does.
    fn audit_front_ends(&self) {
        let mut expected = BTreeSet::new();
        for document in self.service.list(Kind::LoadBalancer, V2).unwrap() {
            let document = parsed(&document);
            let mut addresses: Vec<String> = document["FrontendVIPs"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|address| address.as_str().unwrap().to_owned())
                .collect();
            if addresses.is_empty() {
                let v6 = document["Flags"].as_u64().unwrap_or(0) & 2 != 0;
                addresses.push(if v6 { "::" } else { "" }.to_owned());
            }
            for address in addresses {
                for mapping in document["PortMappings"].as_array().unwrap() {
                    let port = mapping["ExternalPort"].as_u64().unwrap_or(0);
                    let protocol = mapping["Protocol"].as_u64().unwrap_or(0);
                    expected.insert((address.clone(), protocol, port));
                }
            }
        }
        assert_eq!(expected, front_ends(self));
    }

    /// The log alone tells what there is now.
    fn audit_log(&self) {
        let last = self.service.last_operation().unwrap();
        let moment: BTreeSet<String> = self
            .service
            .moment(last)
            .unwrap()
            .into_iter()
            .filter(|(object, _)| KINDS.contains(&object.kind))
            .map(|(_, document)| document)
            .collect();
        let now: BTreeSet<String> = KINDS
            .into_iter()
            .flat_map(|kind| self.service.list(kind, V2).unwrap())
            .collect();
        assert_eq!(moment, now);
    }
}

fn front_ends(host: &Host) -> BTreeSet<(String, u64, u64)> {
    let file = host.directory.path().join(STORE_FILE);
    let books = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = books
        .prepare("SELECT address, protocol, port FROM frontend")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get::<_, u32>(1)?.into(),
            row.get::<_, u16>(2)?.into(),
        ))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
