// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service: keeps documents, allocates addresses, rules lifecycles, tells listeners.
//!
//! [`Service`] is the embedded HNS behind the seam. Every change goes the same way (`change`): load, admit, plan, let the data plane
//! converge, commit, tell listeners; a failure at any step leaves everything as it was.

mod address;
mod call;
mod change;
mod container;
mod document;
pub mod dump;
mod endpoint;
mod guest_network_service;
mod listeners;
mod load;
mod load_balancer;
mod namespace;
mod network;
mod policy_number;
mod port_reservation;
pub mod profile;
mod query;
mod sdn_route;
mod service;
pub mod sources;
mod store;
mod v1;
mod watch;

pub use container::{Container, ListenPort, NewContainer, NewEndpoint};
pub use profile::Profile;
pub use service::{Options, Service};
pub use sources::{Clock, Ids, RandomIds, SequenceIds, SystemClock};
pub use store::{FILE as STORE_FILE, Moment, Operation, Verb};
