// SPDX-License-Identifier: MIT OR Apache-2.0
//! The front door: what a Rust program imports: typed client over the seam, `connect()`.
//!
//! ```
//! # fn main() -> hcn::Answer<()> {
//! # let folder = std::env::temp_dir().join(format!("hcn-doc-{}", std::process::id()));
//! let connection = hcn::connect(&hcn::Target::Embedded(Some(folder.clone())), hcn::ConnectOptions::default())?;
//! let client = hcn::Client::new(connection.hns());
//! let network = client.create_network(r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "nat", "Type": "NAT"}"#)?;
//! let endpoint = client.create_endpoint(network, r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "web"}"#)?;
//! assert_eq!(client.endpoint(endpoint)?.name.get().map(String::as_str), Some("web"));
//! # drop(connection);
//! # let _ = std::fs::remove_dir_all(folder);
//! # Ok(())
//! # }
//! ```
//!
//! | module | noun |
//! |---|---|
//! | [`target`] | which HNS |
//! | [`connection`] | an open HNS, and what there is beside it |
//! | [`client`] | typed calls |
//! | [`compute_system`] | containers that run, as HCS tells of them |
//! | [`dry_run`] | an HNS that notes changes instead of making them |
//! | [`lab`] | what there is beside the seam: simulated containers, the log |
//! | [`remote`], [`wire`] | an HNS behind a socket, and the words that travel |
//! | [`compartment`], [`echo`] | the network as a container of Windows sees it, and its ping |
//! | [`intent`] | block and allow: what is meant, as rules |
//! | [`declared`] | a policy: which rules an endpoint shall have |
//! | [`owned`] | rules of an owner among those of others |
//! | [`batch`] | changes of several endpoints, all or nothing |

pub mod batch;
pub mod client;
pub mod compute_system;
pub mod connection;
pub mod declared;
pub mod dry_run;
pub mod intent;
pub mod lab;
pub mod owned;
pub mod remote;
pub mod target;
pub mod wire;

pub use client::Client;
pub use compute_system::{ComputeSystem, ComputeSystems};
pub use connection::{ConnectOptions, Connection, connect};
pub use dry_run::{DryRun, Request};
pub use hcn_api::{
    Answer, Event, Feature, HcnCode, Hns, HnsError, HnsVersion, Kind, Listener, Notification,
    ObjectId, PortReservation, Subscription,
};
pub use hcn_native::{compartment, echo};
pub use hcn_schema as schema;
pub use hcn_service as service;
pub use lab::Lab;
pub use target::Target;
