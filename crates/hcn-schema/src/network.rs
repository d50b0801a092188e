// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeNetwork` and what is inside it.
//!
//! Source: hns-behaviour 2.3 (Virtualization-Documentation HNS_Schema.md, hnslib, WSL).

use serde_json::Value;

use crate::{
    Id, Policy,
    document::{SchemaVersion, document},
    word::{flags, words},
};

words! {
    /// `NetworkMode`.
    pub enum NetworkType {
        /// Internal switch behind WinNAT.
        Nat = 0 "NAT",
        /// Internet Connection Sharing: the "Default Switch", WSL.
        Ics = 1 "ICS",
        /// External switch, addresses of the physical network.
        Transparent = 2 "Transparent",
        /// External switch with MAC rewrite.
        L2Bridge = 3 "L2Bridge",
        /// As L2Bridge, hair-pinned to the Azure fabric.
        L2Tunnel = 4 "L2Tunnel",
        /// External switch with VXLAN.
        Overlay = 5 "Overlay",
        /// Containers only.
        Private = 6 "Private",
        /// Containers and the host.
        Internal = 7 "Internal",
        /// WSL mirrored networking.
        Mirrored = 8 "Mirrored",
        /// RDMA fabric.
        Infiniband = 9 "Infiniband",
        /// ICS with constraints.
        ConstrainedIcs = 10 "ConstrainedICS",
    }
}

words! {
    /// How addresses of an IPAM come about.
    pub enum IpamType {
        /// HNS assigns them.
        Static = 0 "Static",
        /// The guest asks a DHCP server.
        Dhcp = 1 "Dhcp",
    }
}

flags! {
    /// `NetworkFlags`.
    pub struct NetworkFlags {
        /// The service answers DNS on the gateway.
        ENABLE_DNS = 1 "EnableDns",
        /// The service answers DHCP.
        ENABLE_DHCP = 2 "EnableDhcp",
        /// Port mirroring.
        ENABLE_MIRRORING = 4 "EnableMirroring",
        /// Gone after a reboot.
        ENABLE_NON_PERSISTENT = 8 "EnableNonPersistent",
        /// Kept over a reboot.
        ENABLE_PERSISTENT = 16 "EnablePersistent",
        /// A switch of its own.
        ISOLATE_VSWITCH = 32 "IsolateVSwitch",
        /// WSL mirrored networking.
        ENABLE_FLOW_STEERING = 64 "EnableFlowSteering",
        /// Endpoints cannot be shared.
        DISABLE_SHARING = 128 "DisableSharing",
        /// Hyper-V firewall.
        ENABLE_FIREWALL = 256 "EnableFirewall",
        /// Media disconnects are hidden.
        SUPPRESS_MEDIA_DISCONNECT = 512 "SuppressMediaDisconnect",
        /// No host port (HNS 15.1 and later).
        DISABLE_HOST_PORT = 1024 "DisableHostPort",
        /// Weak host model, receiving.
        WEAK_HOST_RECEIVE_ADAPTER = 2048 "WeakHostReceiveAdapter",
        /// Weak host model, sending.
        WEAK_HOST_SEND_ADAPTER = 4096 "WeakHostSendAdapter",
        /// SR-IOV.
        ENABLE_IOV = 8192 "EnableIov",
    }
}

flags! {
    /// `SubnetFlags`.
    pub struct SubnetFlags {
        /// The gateway address may be given to an endpoint.
        DO_NOT_RESERVE_GATEWAY_ADDRESS = 1 "DoNotReserveGatewayAddress",
    }
}

flags! {
    /// `IPSubnetFlags`.
    pub struct IpSubnetFlags {
        /// The last address is the broadcast address.
        ENABLE_BROADCAST = 1 "EnableBroadcast",
        /// The first address is not given to an endpoint.
        RESERVE_NETWORK_ADDRESS = 2 "ReserveNetworkAddress",
    }
}

document! {
    /// `HostComputeNetwork`.
    pub struct Network {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name; need not be unique.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Free members of the kind.
        additional_params: Value = "AdditionalParams",
        /// Health and, on detailed queries, v1 internals.
        health: Value = "Health",
        /// State number.
        state: u16 = "State",
        /// Absent means NAT: HNS omits enumerations whose number is 0.
        network_type: NetworkType = "Type",
        /// Network policies.
        policies: Vec<Policy> = "Policies",
        /// Where MAC addresses come from.
        mac_pool: MacPool = "MacPool",
        /// Name resolution that endpoints inherit.
        dns: Dns = "Dns",
        /// Subnets.
        ipams: Vec<Ipam> = "Ipams",
        /// Flags.
        flags: NetworkFlags = "Flags",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// Ranges of MAC addresses.
    pub struct MacPool {
        /// The ranges.
        ranges: Vec<MacRange> = "Ranges",
    }
}

document! {
    /// One range of MAC addresses, both ends included.
    pub struct MacRange {
        /// First address.
        start_mac_address: String = "StartMacAddress",
        /// Last address.
        end_mac_address: String = "EndMacAddress",
    }
}

document! {
    /// Name resolution.
    pub struct Dns {
        /// Primary suffix.
        domain: String = "Domain",
        /// Suffixes to try.
        search: Vec<String> = "Search",
        /// Servers, first asked first.
        server_list: Vec<String> = "ServerList",
        /// Resolver options.
        options: Vec<String> = "Options",
    }
}

document! {
    /// Address management of a network.
    pub struct Ipam {
        /// Absent means static.
        ipam_type: IpamType = "Type",
        /// Subnets.
        subnets: Vec<Subnet> = "Subnets",
    }
}

document! {
    /// A subnet.
    pub struct Subnet {
        /// The subnet's id.
        id: Id = "ID",
        /// CIDR.
        ip_address_prefix: String = "IpAddressPrefix",
        /// VLAN or VSID.
        policies: Vec<Policy> = "Policies",
        /// The default route names the gateway.
        routes: Vec<Route> = "Routes",
        /// Ranges that endpoints get addresses from.
        ip_subnets: Vec<IpSubnet> = "IpSubnets",
        /// Flags.
        flags: SubnetFlags = "Flags",
    }
}

document! {
    /// A range inside a subnet that endpoints get addresses from.
    pub struct IpSubnet {
        /// The range's id, to which an endpoint's `IpSubnetId` refers.
        id: Id = "ID",
        /// CIDR.
        ip_address_prefix: String = "IpAddressPrefix",
        /// Flags.
        flags: IpSubnetFlags = "Flags",
    }
}

document! {
    /// A route.
    pub struct Route {
        /// Address of the next router.
        next_hop: String = "NextHop",
        /// CIDR.
        destination_prefix: String = "DestinationPrefix",
        /// Lower is preferred.
        metric: u16 = "Metric",
    }
}
