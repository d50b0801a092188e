// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of network policies.
//!
//! Source: hns-behaviour 2.12.

use super::{
    acl::Acl,
    endpoint::{L4Proxy, NoSettings, ProviderAddress},
    policies,
};
use crate::{Id, document::document, word::words};

policies! {
    /// A network policy by its type.
    pub enum NetworkPolicy {
        /// Source MAC of the network.
        SourceMacAddress(SourceMacAddress) = "SourceMacAddress",
        /// NIC of an external switch.
        NetAdapterName(NetAdapterName) = "NetAdapterName",
        /// The interface to use.
        InterfaceConstraint(InterfaceConstraint) = "InterfaceConstraint",
        /// A switch extension, on or off.
        VSwitchExtension(VSwitchExtension) = "VSwitchExtension",
        /// Address of the host on the network.
        ProviderAddress(ProviderAddress) = "ProviderAddress",
        /// MAC of the distributed router.
        DrMacAddress(DrMacAddress) = "DrMacAddress",
        /// DNS servers of the host.
        AutomaticDns(AutomaticDns) = "AutomaticDNS",
        /// A subnet that is on another host.
        RemoteSubnetRoute(RemoteSubnetRoute) = "RemoteSubnetRoute",
        /// Port of VXLAN.
        VxlanPort(VxlanPort) = "VxlanPort",
        /// The host reaches its containers.
        HostRoute(NoSettings) = "HostRoute",
        /// A set of addresses that ACLs name.
        SetPolicy(SetPolicy) = "SetPolicy",
        /// Redirection to a proxy by VFP, for all endpoints.
        L4Proxy(L4Proxy) = "L4Proxy",
        /// The layer to build on.
        LayerConstraint(LayerConstraint) = "LayerConstraint",
        /// A filter rule for all endpoints.
        NetworkAcl(Acl) = "NetworkACL",
        /// Answers to neighbour solicitations.
        NeighborDiscovery(NeighborDiscovery) = "NeighborDiscovery",
    }
}

words! {
    /// What the values of a set are.
    pub enum SetPolicyType {
        /// Addresses.
        IpSet = 0 "IPSET",
        /// Ids of other sets.
        NestedIpSet = 1 "NESTEDIPSET",
    }
}

document! {
    /// Settings of `SourceMacAddress`.
    pub struct SourceMacAddress {
        /// The address.
        source_mac_address: String = "SourceMacAddress",
    }
}

document! {
    /// Settings of `NetAdapterName`.
    pub struct NetAdapterName {
        /// Name of the NIC.
        network_adapter_name: String = "NetworkAdapterName",
    }
}

document! {
    /// Settings of `InterfaceConstraint`.
    pub struct InterfaceConstraint {
        /// GUID of the interface.
        interface_guid: Id = "InterfaceGuid",
        /// LUID of the interface.
        interface_luid: u64 = "InterfaceLuid",
        /// Index of the interface.
        interface_index: u32 = "InterfaceIndex",
        /// Media type.
        interface_media_type: u32 = "InterfaceMediaType",
        /// Alias.
        interface_alias: String = "InterfaceAlias",
        /// Description.
        interface_description: String = "InterfaceDescription",
    }
}

document! {
    /// Settings of `VSwitchExtension`.
    pub struct VSwitchExtension {
        /// The extension.
        extension_id: Id = "ExtensionID",
        /// On or off.
        enable: bool = "Enable",
    }
}

document! {
    /// Settings of `DrMacAddress`.
    pub struct DrMacAddress {
        /// The address.
        address: String = "Address",
    }
}

document! {
    /// Settings of `AutomaticDNS`.
    pub struct AutomaticDns {
        /// On or off.
        enable: bool = "Enable",
    }
}

document! {
    /// Settings of `RemoteSubnetRoute`.
    pub struct RemoteSubnetRoute {
        /// CIDR of the subnet.
        destination_prefix: String = "DestinationPrefix",
        /// VSID.
        isolation_id: u16 = "IsolationId",
        /// Address of the host.
        provider_address: String = "ProviderAddress",
        /// MAC of the router there.
        distributed_router_mac_address: String = "DistributedRouterMacAddress",
    }
}

document! {
    /// Settings of `VxlanPort`.
    pub struct VxlanPort {
        /// UDP port.
        port: u16 = "Port",
    }
}

document! {
    /// Settings of `SetPolicy`.
    pub struct SetPolicy {
        /// Id that ACLs name.
        id: String = "Id",
        /// The name.
        name: String = "Name",
        /// What the values are.
        policy_type: SetPolicyType = "PolicyType",
        /// Addresses, or ids of sets, joined by commas.
        values: String = "Values",
    }
}

document! {
    /// Settings of `LayerConstraint`.
    pub struct LayerConstraint {
        /// The layer.
        layer_id: Id = "LayerId",
    }
}

document! {
    /// Settings of `NeighborDiscovery`.
    pub struct NeighborDiscovery {
        /// CIDR.
        target_ip_prefix: String = "TargetIpPrefix",
        /// Who asks.
        sender_ip_address: String = "SenderIpAddress",
        /// Who asks.
        sender_mac_address: String = "SenderMacAddress",
    }
}
