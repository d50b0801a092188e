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
mod endpoint;
mod listeners;
mod load;
mod namespace;
mod network;
pub mod profile;
mod query;
mod service;
pub mod sources;
mod store;
mod v1;

pub use container::{Container, ListenPort, NewContainer};
pub use profile::Profile;
pub use service::{Options, Service};
pub use sources::{Clock, Ids, RandomIds, SequenceIds, SystemClock};
pub use store::{FILE as STORE_FILE, Moment, Operation, Verb};
