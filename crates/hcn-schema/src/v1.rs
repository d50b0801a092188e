// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shapes of `HNSCall` and of queries with `SchemaVersion` 1.
//!
//! Source: hns-behaviour 1.7 and 2.14. The order of the fields is the order of HNS answers where a listing shows one.

pub mod endpoint;
pub mod envelope;
pub mod namespace;
pub mod network;
pub mod policy_list;

pub use endpoint::{Endpoint, EndpointAttach};
pub use envelope::Envelope;
pub use namespace::Namespace;
pub use network::Network;
pub use policy_list::PolicyList;

use serde_json::{Map, Value};

use crate::document::{Document, document};

document! {
    /// A v1 policy: `Type`, and the settings beside it.
    pub struct Policy {
        /// Name of the type, compared without case.
        policy_type: String = "Type",
    }
}

impl Policy {
    /// The settings read as the document `T`.
    pub fn settings_as<T: Document>(&self) -> T {
        T::from_map(&self.extra)
    }

    /// A policy of a type with its settings.
    pub fn new(policy_type: &str, settings: Map<String, Value>) -> Self {
        Policy {
            policy_type: policy_type.to_owned().into(),
            extra: settings,
            ..Policy::default()
        }
    }
}

document! {
    /// Settings of v1 `NAT`.
    pub struct Nat {
        /// `TCP` or `UDP`.
        protocol: String = "Protocol",
        /// Port of the container.
        internal_port: u16 = "InternalPort",
        /// Port of the host.
        external_port: u16 = "ExternalPort",
        /// Whether the caller reserved it.
        external_port_reserved: bool = "ExternalPortReserved",
    }
}

document! {
    /// Settings of v1 `OutBoundNAT`.
    pub struct OutBoundNat {
        /// Source address.
        vip: String = "VIP",
        /// Destinations that are not translated.
        exception_list: Vec<String> = "ExceptionList",
        /// The only destinations that are translated.
        destinations: Vec<String> = "Destinations",
        /// Share of the port pool.
        max_port_pool_usage: u16 = "MaxPortPoolUsage",
    }
}

document! {
    /// Settings of v1 `PROXY`.
    pub struct Proxy {
        /// Address that is redirected.
        ip: String = "IP",
        /// Port of the proxy.
        port: String = "Port",
        /// Addresses that are not redirected.
        exception_list: Vec<String> = "ExceptionList",
        /// Address of the proxy.
        destination: String = "Destination",
        /// Whether the source is translated.
        outbound_nat: bool = "OutboundNat",
    }
}

document! {
    /// Settings of v1 `ELB`.
    pub struct Elb {
        /// IANA protocol number.
        protocol: u16 = "Protocol",
        /// Port of the backends.
        internal_port: u16 = "InternalPort",
        /// Port of the virtual address.
        external_port: u16 = "ExternalPort",
        /// Source address towards the backends.
        source_vip: String = "SourceVIP",
        /// Virtual addresses.
        vips: Vec<String> = "VIPs",
        /// Internal load balancer.
        ilb: bool = "ILB",
        /// Direct server return.
        is_dsr: bool = "IsDSR",
    }
}
