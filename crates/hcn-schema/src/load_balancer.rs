// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeLoadBalancer`.
//!
//! Source: hns-behaviour 2.6.

use serde_json::Value;

use crate::{
    Id,
    document::{SchemaVersion, document},
    word::{flags, words},
};

flags! {
    /// `LoadBalancerFlags`.
    pub struct LoadBalancerFlags {
        /// Direct server return: answers bypass the balancer.
        ENABLE_DIRECT_SERVER_RETURN = 1 "EnableDirectServerReturn",
        /// The balancer is an IPv6 one.
        IPV6 = 2 "IPv6",
    }
}

flags! {
    /// `LoadBalancerPortMappingFlags`.
    pub struct LoadBalancerPortMappingFlags {
        /// A virtual address inside the cluster.
        ENABLE_INTERNAL_LOAD_BALANCER = 1 "EnableInternalLoadBalancer",
        /// The virtual address is routed locally.
        LOCAL_ROUTED_VIP = 2 "LocalRoutedVip",
        /// Azure's software load balancer.
        USE_MUX = 4 "UseMux",
        /// The destination stays the virtual address.
        ENABLE_PRESERVE_DIP = 8 "EnablePreserveDip",
        /// An external address.
        VIP_EXTERNAL_IP = 16 "VipExternalIP",
    }
}

words! {
    /// Which part of a flow chooses the backend.
    pub enum DistributionType {
        /// All five parts.
        None = 0 "None",
        /// Source address and protocol.
        SourceIpProtocol = 1 "SourceIPProtocol",
        /// Source address (session affinity).
        SourceIp = 2 "SourceIP",
    }
}

document! {
    /// `HostComputeLoadBalancer`.
    pub struct LoadBalancer {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// The network (schema 2.5).
        host_compute_network: Id = "HostComputeNetwork",
        /// Backends.
        host_compute_endpoints: Vec<Id> = "HostComputeEndpoints",
        /// Source address towards the backends.
        source_vip: String = "SourceVIP",
        /// Virtual addresses; empty means any address of the host.
        frontend_vips: Vec<String> = "FrontendVIPs",
        /// Ports.
        port_mappings: Vec<LoadBalancerPortMapping> = "PortMappings",
        /// Flags.
        flags: LoadBalancerFlags = "Flags",
        /// State number.
        state: u16 = "State",
        /// Health and, on detailed queries, v1 internals.
        health: Value = "Health",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// One port of a load balancer.
    pub struct LoadBalancerPortMapping {
        /// IANA protocol number.
        protocol: u32 = "Protocol",
        /// Port of the backends.
        internal_port: u16 = "InternalPort",
        /// Port of the virtual address.
        external_port: u16 = "ExternalPort",
        /// Which part of a flow chooses the backend; written as a number.
        distribution_type: u32 = "DistributionType",
        /// Flags.
        flags: LoadBalancerPortMappingFlags = "Flags",
    }
}
