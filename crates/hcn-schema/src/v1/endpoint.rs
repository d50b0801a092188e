// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HNSEndpoint`.

use serde_json::Value;

use super::Policy;
use crate::{Id, document::document};

document! {
    /// `HNSEndpoint`, in the order of `Get-HnsEndpoint`.
    pub struct Endpoint {
        /// The object's id.
        id: Id = "ID",
        /// The name.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Free members.
        additional_params: Value = "AdditionalParams",
        /// Tree of allocations.
        resources: Value = "Resources",
        /// State number.
        state: u16 = "State",
        /// The network.
        virtual_network: Id = "VirtualNetwork",
        /// Name of the network.
        virtual_network_name: String = "VirtualNetworkName",
        /// Policies.
        policies: Vec<Policy> = "Policies",
        /// `00-15-5D-01-02-03`.
        mac_address: String = "MacAddress",
        /// Whether the gateway answers DNS.
        enable_internal_dns: bool = "EnableInternalDNS",
        /// No traffic between containers.
        disable_icc: bool = "DisableICC",
        /// IPv4 address.
        ip_address: String = "IPAddress",
        /// Bits.
        prefix_length: u8 = "PrefixLength",
        /// IPv4 gateway.
        gateway_address: String = "GatewayAddress",
        /// IPv6 address.
        ipv6_address: String = "IPv6Address",
        /// Bits.
        ipv6_prefix_length: u8 = "IPv6PrefixLength",
        /// IPv6 gateway.
        gateway_address_v6: String = "GatewayAddressV6",
        /// The range that the address came from.
        ip_subnet_id: Id = "IPSubnetId",
        /// Servers, joined by commas.
        dns_server_list: String = "DNSServerList",
        /// Suffixes, joined by commas.
        dns_suffix: String = "DNSSuffix",
        /// Primary suffix.
        dns_domain: String = "DNSDomain",
        /// On another host.
        is_remote_endpoint: bool = "IsRemoteEndpoint",
        /// The guest prefers this interface.
        enable_low_metric: bool = "EnableLowMetric",
        /// The same by its other name.
        enable_low_interface_metric: bool = "EnableLowInterfaceMetric",
        /// Bytes kept free for encapsulation.
        encap_overhead: u16 = "EncapOverhead",
        /// Name of the port.
        port_friendly_name: String = "PortFriendlyName",
        /// The namespace it is in.
        namespace: Value = "Namespace",
        /// Ids of containers.
        shared_containers: Vec<String> = "SharedContainers",
        /// Flags.
        flags: u32 = "Flags",
        /// Health.
        health: Value = "Health",
    }
}

document! {
    /// Body of `POST /endpoints/<id>/attach` and `/detach`.
    pub struct EndpointAttach {
        /// The container.
        container_id: String = "ContainerId",
        /// `Container`, `VirtualMachine` or `Host`.
        system_type: String = "SystemType",
        /// Compartment; 1 is the host's.
        compartment_id: u32 = "CompartmentId",
        /// Name of the virtual NIC.
        virtual_nic_name: String = "VirtualNicName",
    }
}
