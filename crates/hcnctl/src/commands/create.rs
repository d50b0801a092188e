// SPDX-License-Identifier: MIT OR Apache-2.0
//! `create`: objects from a few words, or from documents.
//!
//! Invariants: a document goes to HNS as it was written, to the byte; what a list would make is looked at as a whole before the first is
//! sent, and after a failure everybody knows what was made.

mod document;
mod file;

use hcn::{Kind, schema::Guid};
use serde_json::{Map, Value, json};

use crate::{
    cli::{CreateArgs, CreateObject, Noun},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid},
    render::shown,
};

/// Creates what the command line or the file says.
///
/// # Errors
/// Those of HNS; usage where a document does not tell its kind or its network.
pub fn run(desk: &mut Desk<'_>, args: &CreateArgs) -> Outcome {
    match (&args.object, &args.file) {
        (Some(_), Some(_)) => Err(Failure::Usage(
            "give the words of an object, or -f FILE, not both".to_owned(),
        )),
        (Some(object), None) => {
            let order = order(desk, object)?;
            order.send(desk, "")?;
            Ok(exit::DONE)
        }
        (None, Some(path)) => {
            let kind = match args.kind {
                None => None,
                Some(Noun::Networks) => Some(Kind::Network),
                Some(Noun::Endpoints) => Some(Kind::Endpoint),
                Some(Noun::Namespaces) => Some(Kind::Namespace),
                Some(Noun::Policies) => {
                    return Err(Failure::Usage(
                        "policies are made with the object that has them, or by hcnctl acl add"
                            .to_owned(),
                    ));
                }
            };
            file::create(desk, path, kind, args.network.as_deref())
        }
        (None, None) => Err(Failure::Usage(
            "say what to create: network, endpoint, namespace, or -f FILE".to_owned(),
        )),
    }
}

/// One object to make.
struct Order {
    kind: Kind,
    /// The network of an endpoint.
    network: Option<Guid>,
    /// The document, as it is sent.
    text: String,
    /// What it is called in messages, e.g. `the network nat`.
    called: String,
}

impl Order {
    /// Makes it, and says so: `kind/id` for programs, a sentence for people. A dry run has nothing to say but the request.
    fn send(&self, desk: &mut Desk<'_>, which: &str) -> Result<Guid, Failure> {
        let id = desk
            .client()
            .hns()
            .create(self.kind, self.network, Guid::ZERO, &self.text)
            .map_err(Failure::hns(format!("create {}{which}", self.called)))?;
        if !desk.is_dry_run() {
            writeln!(desk.out, "{}/{id}", self.kind)?;
            // What is on the screen is true at that moment, also where the next document fails.
            desk.out.flush()?;
            let sentence = sentence(desk, self.kind, id);
            desk.say(&sentence)?;
        }
        Ok(id)
    }
}

/// What was made, with what HNS chose.
fn sentence(desk: &Desk<'_>, kind: Kind, id: Guid) -> String {
    let client = desk.client();
    let told = match kind {
        Kind::Network => client.network(id).ok().map(|network| {
            let row = crate::render::table::NetworkRow::of(&network, 0);
            let mut told = vec![row.network_type];
            told.extend(row.subnets);
            format!("{}: {}", row.name, told.join(", "))
        }),
        Kind::Endpoint => client.endpoint(id).ok().map(|endpoint| {
            let mac = endpoint.mac_address.get().map(ToString::to_string);
            let mut places = addresses(&endpoint);
            places.extend(mac);
            format!(
                "{}: {}",
                shown(&endpoint.name.or_default()),
                places.join(", ")
            )
        }),
        Kind::Namespace => client
            .namespace(id)
            .ok()
            .map(|namespace| format!("in compartment {}", namespace.namespace_id.or_default())),
        _ => None,
    };
    // Another process may have deleted it meanwhile; it was made all the same.
    match told {
        Some(told) => format!("created {kind} {}", told.trim_end().trim_end_matches(':')),
        None => format!("created {kind} {id}"),
    }
}

/// The order that the words of the command line make.
fn order(desk: &Desk<'_>, object: &CreateObject) -> Result<Order, Failure> {
    let mut members = Map::new();
    members.insert("SchemaVersion".to_owned(), json!({"Major": 2, "Minor": 0}));
    let mut put = |key: &str, value: Value| {
        members.insert(key.to_owned(), value);
    };
    let id = match object {
        CreateObject::Network { id, .. }
        | CreateObject::Endpoint { id, .. }
        | CreateObject::Namespace { id, .. } => id,
    };
    if let Some(id) = id {
        put("ID", json!(id.upper()));
    }
    let mut on = None;
    let (kind, called) = match object {
        CreateObject::Network {
            name,
            network_type,
            subnet,
            gateway,
            dns,
            dns_suffix,
            ..
        } => {
            put("Name", json!(name));
            put("Type", json!(network_type));
            if let Some(subnet) = subnet {
                put("Ipams", document::ipams(subnet, gateway.as_deref()));
            }
            if !dns.is_empty() || dns_suffix.is_some() {
                put("Dns", document::dns(dns, dns_suffix.as_deref()));
            }
            (Kind::Network, Some(name))
        }
        CreateObject::Endpoint {
            name,
            network,
            address,
            mac,
            ..
        } => {
            let network = guid(desk.network(network)?.id.get());
            on = Some(network);
            if let Some(name) = name {
                put("Name", json!(name));
            }
            put("HostComputeNetwork", json!(network.upper()));
            if let Some(address) = address {
                put("IpConfigurations", json!([{"IpAddress": address}]));
            }
            if let Some(mac) = mac {
                put("MacAddress", json!(mac));
            }
            (Kind::Endpoint, name.as_ref())
        }
        CreateObject::Namespace { namespace_type, .. } => {
            put("Type", json!(namespace_type));
            (Kind::Namespace, None)
        }
    };
    let called = match called {
        Some(name) => format!("the {kind} {}", shown(&cut(name))),
        None => format!("the {kind}"),
    };
    Ok(Order {
        kind,
        network: on,
        text: Value::Object(members).to_string(),
        called,
    })
}

/// A text short enough for a message.
fn cut(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
