// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HNSNetwork`.

use serde_json::Value;

use super::Policy;
use crate::{Id, document::document, network::MacRange};

document! {
    /// `HNSNetwork`.
    pub struct Network {
        /// The activity that made it.
        activity_id: Id = "ActivityId",
        /// Free members.
        additional_params: Value = "AdditionalParams",
        /// Whether the host's DNS servers are used.
        automatic_dns: bool = "AutomaticDNS",
        /// Endpoints now.
        current_endpoint_count: u32 = "CurrentEndpointCount",
        /// Primary suffix.
        dns_domain: String = "DNSDomain",
        /// Compartment of the DNS server.
        dns_server_compartment: u32 = "DNSServerCompartment",
        /// Servers, joined by commas.
        dns_server_list: String = "DNSServerList",
        /// Suffixes, joined by commas.
        dns_suffix: String = "DNSSuffix",
        /// MAC of the distributed router.
        dr_mac_address: String = "DrMacAddress",
        /// Switch extensions.
        extensions: Vec<Extension> = "Extensions",
        /// Flags.
        flags: u32 = "Flags",
        /// Health.
        health: Value = "Health",
        /// The object's id.
        id: Id = "ID",
        /// Whether it is an IPv6 network.
        ipv6: bool = "IPv6",
        /// A switch of its own.
        isolate_switch: bool = "IsolateSwitch",
        /// The layer beneath.
        layered_on: Id = "LayeredOn",
        /// Ranges of MAC addresses.
        mac_pools: Vec<MacRange> = "MacPools",
        /// Address of the host on it.
        management_ip: String = "ManagementIP",
        /// Most endpoints at one time.
        max_concurrent_endpoints: u32 = "MaxConcurrentEndpoints",
        /// The name.
        name: String = "Name",
        /// Name of the WinNAT instance.
        nat_name: String = "NatName",
        /// NIC of the external switch.
        network_adapter_name: String = "NetworkAdapterName",
        /// Policies.
        policies: Vec<Policy> = "Policies",
        /// Source MAC.
        source_mac: String = "SourceMac",
        /// State number.
        state: u16 = "State",
        /// Subnets.
        subnets: Vec<Subnet> = "Subnets",
        /// The switch.
        switch_guid: Id = "SwitchGuid",
        /// Endpoints ever.
        total_endpoints: u32 = "TotalEndpoints",
        /// Type, e.g. `nat`.
        network_type: String = "Type",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Tree of allocations.
        resources: Value = "Resources",
    }
}

document! {
    /// A switch extension.
    pub struct Extension {
        /// The extension.
        id: Id = "Id",
        /// On or off.
        is_enabled: bool = "IsEnabled",
        /// The name.
        name: String = "Name",
    }
}

document! {
    /// A v1 subnet.
    pub struct Subnet {
        /// Free members.
        additional_params: Value = "AdditionalParams",
        /// CIDR.
        address_prefix: String = "AddressPrefix",
        /// Flags.
        flags: u32 = "Flags",
        /// The gateway.
        gateway_address: String = "GatewayAddress",
        /// Health.
        health: Value = "Health",
        /// The subnet's id.
        id: Id = "ID",
        /// Ranges that endpoints get addresses from.
        ip_subnets: Vec<IpSubnet> = "IpSubnets",
        /// 5.
        object_type: u32 = "ObjectType",
        /// VLAN or VSID.
        policies: Vec<Policy> = "Policies",
        /// State number.
        state: u16 = "State",
    }
}

document! {
    /// A v1 range inside a subnet.
    pub struct IpSubnet {
        /// Free members.
        additional_params: Value = "AdditionalParams",
        /// Flags.
        flags: u32 = "Flags",
        /// Health.
        health: Value = "Health",
        /// The range's id.
        id: Id = "ID",
        /// CIDR.
        ip_address_prefix: String = "IpAddressPrefix",
        /// 6.
        object_type: u32 = "ObjectType",
        /// Policies.
        policies: Vec<Policy> = "Policies",
        /// State number.
        state: u16 = "State",
    }
}
