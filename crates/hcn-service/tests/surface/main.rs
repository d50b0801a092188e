// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rest of HNS's surface: load balancers, routes, policy lists, guest network services, ports, sets, v1 calls, and events of other
//! processes.
//!
//! Apart from the other tests because most of it is of objects that a walk-through never makes. Expectations are the record's.

mod calls;
mod events;
mod guest_network_services;
mod hcsshim;
mod host;
mod load_balancers;
mod policies;
mod policy_lists;
#[path = "../scene/mod.rs"]
mod scene;
mod sdn_routes;
