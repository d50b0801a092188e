// SPDX-License-Identifier: MIT OR Apache-2.0
//! The documents: what HCN v2 and HNS v1 JSON can say, kept whole (unknown fields and words survive), with no opinion on what it means.
//!
//! A document is a struct of [`Field`]s plus `extra`, the members that this crate does not know. Reading never fails: a member whose
//! value has another shape than the field's type stays in its field as it came ([`Field::odd`]), and writing gives back what was read,
//! down to the spelling of the keys. Whoever gives a meaning to a document (the service, the engine) asks [`Document::odd_fields`] and
//! decides what to refuse.
//!
//! | module | documents |
//! |---|---|
//! | [`network`], [`endpoint`], [`namespace`], [`load_balancer`], [`sdn_route`], [`guest_network_service`] | the objects of the v2 API |
//! | [`policy`] | `{Type, Settings}` and the typed settings of networks, subnets and endpoints |
//! | [`query`], [`modify`], [`globals`] | what a client sends besides objects |
//! | [`v1`] | the shapes of `HNSCall` and of `SchemaVersion` 1 |

pub mod address;
pub mod document;
pub mod endpoint;
pub mod field;
pub mod globals;
pub mod guest_network_service;
pub mod guid;
pub mod load_balancer;
pub mod modify;
pub mod namespace;
pub mod network;
pub mod policy;
pub mod query;
pub mod sdn_route;
pub mod v1;
pub mod word;

pub use address::MacAddress;
pub use document::{Base, Document};
pub use endpoint::Endpoint;
pub use field::{Field, Shape};
pub use guest_network_service::GuestNetworkService;
pub use guid::{Guid, Id};
pub use load_balancer::LoadBalancer;
pub use namespace::Namespace;
pub use network::Network;
pub use policy::Policy;
pub use query::Query;
pub use sdn_route::SdnRoute;
