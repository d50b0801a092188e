// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeRoute`, the SDN route object.
//!
//! Source: hns-behaviour 2.7. Go clients write `Setting` where the schema says `Routes`; both are kept.

use crate::{
    Id,
    document::{SchemaVersion, document},
};

document! {
    /// `HostComputeRoute`.
    pub struct SdnRoute {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// The network.
        host_compute_network: Id = "HostComputeNetwork",
        /// Endpoints that get the routes.
        host_compute_endpoints: Vec<Id> = "HostComputeEndpoints",
        /// The routes.
        routes: Vec<SdnRouteEntry> = "Routes",
        /// The routes as Go clients send them.
        setting: Vec<SdnRouteEntry> = "Setting",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// One route of an SDN route object.
    pub struct SdnRouteEntry {
        /// CIDR.
        destination_prefix: String = "DestinationPrefix",
        /// Address of the next router.
        next_hop: String = "NextHop",
        /// Whether traffic is encapsulated.
        need_encap: bool = "NeedEncap",
        /// Whether HNS watches the next hop.
        automatic_endpoint_monitor: bool = "AutomaticEndpointMonitor",
    }
}
