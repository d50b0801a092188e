// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeEndpoint`.
//!
//! Source: hns-behaviour 2.4.

use serde_json::Value;

use crate::{
    Id, Policy,
    document::{SchemaVersion, document},
    network::{Dns, Route},
    word::flags,
};

flags! {
    /// `EndpointFlags`.
    pub struct EndpointFlags {
        /// On another host: no port here, no ACLs.
        REMOTE_ENDPOINT = 1 "RemoteEndpoint",
        /// No traffic between containers.
        DISABLE_INTER_COMPUTE_COMMUNICATION = 2 "DisableInterComputeCommunication",
        /// Port mirroring.
        ENABLE_MIRRORING = 4 "EnableMirroring",
        /// The guest prefers this interface.
        ENABLE_LOW_INTERFACE_METRIC = 8 "EnableLowInterfaceMetric",
        /// The DNS order of the guest is overridden.
        OVERRIDE_DNS_SERVER_ORDER = 16 "OverrideDNSServerOrder",
        /// The guest uses DHCP.
        ENABLE_DHCP = 32 "EnableDhcp",
    }
}

document! {
    /// `HostComputeEndpoint`.
    pub struct Endpoint {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name; "Ethernet" where the client gave none.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Free members of the kind.
        additional_params: Value = "AdditionalParams",
        /// Health and, on detailed queries, v1 internals.
        health: Value = "Health",
        /// State number (hns-behaviour 2.8): 1 created, 2 attached, 3 attached and shared.
        state: u16 = "State",
        /// The network.
        host_compute_network: Id = "HostComputeNetwork",
        /// The namespace it is in; read-only.
        host_compute_namespace: Id = "HostComputeNamespace",
        /// Endpoint policies, in the order they were added.
        policies: Vec<Policy> = "Policies",
        /// Addresses; IPv4 first.
        ip_configurations: Vec<IpConfiguration> = "IpConfigurations",
        /// Name resolution.
        dns: Dns = "Dns",
        /// Routes of the container.
        routes: Vec<Route> = "Routes",
        /// `00-15-5D-01-02-03`.
        mac_address: String = "MacAddress",
        /// Flags.
        flags: EndpointFlags = "Flags",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// One address of an endpoint.
    pub struct IpConfiguration {
        /// The address.
        ip_address: String = "IpAddress",
        /// Length of the subnet's prefix, in bits.
        prefix_length: u8 = "PrefixLength",
        /// The `IpSubnet` it came from.
        ip_subnet_id: Id = "IpSubnetId",
    }
}

impl Endpoint {
    /// Whether the endpoint stands for a container on another host.
    pub fn is_remote(&self) -> bool {
        self.flags
            .or_default()
            .contains(EndpointFlags::REMOTE_ENDPOINT)
    }
}
