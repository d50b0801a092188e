// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of endpoint policies.
//!
//! Source: hns-behaviour 2.13.

use serde_json::Value;

use super::{
    acl::{Acl, TierAcl},
    network::InterfaceConstraint,
    policies,
};
use crate::{Id, document::document, word::flags};

flags! {
    /// `NatFlags`.
    pub struct NatFlags {
        /// The port is reached from the host itself too.
        LOCAL_ROUTED_VIP = 1 "LocalRoutedVip",
        /// IPv6.
        IPV6 = 2 "IPv6",
        /// The caller reserved the external port.
        EXTERNAL_PORT_RESERVED = 4 "ExternalPortReserved",
    }
}

policies! {
    /// An endpoint policy by its type.
    #[expect(clippy::large_enum_variant, reason = "a view is read, looked at and dropped, one at a time")]
    pub enum EndpointPolicy {
        /// A port of the host that leads to one of the container.
        PortMapping(PortMapping) = "PortMapping",
        /// A filter rule.
        Acl(Acl) = "ACL",
        /// A cap on what the endpoint sends.
        Qos(Qos) = "QOS",
        /// MAC rewrite.
        L2Driver(NoSettings) = "L2Driver",
        /// Source NAT of what the endpoint sends.
        OutBoundNat(OutBoundNat) = "OutBoundNAT",
        /// A route on the endpoint's port.
        SdnRoute(SdnRouteSettings) = "SDNRoute",
        /// Redirection to a proxy by VFP.
        L4Proxy(L4Proxy) = "L4Proxy",
        /// Redirection to a proxy by WFP.
        L4WfpProxy(L4WfpProxy) = "L4WFPPROXY",
        /// Name of the port.
        PortName(PortName) = "PortName",
        /// Bytes kept free for encapsulation.
        EncapOverhead(EncapOverhead) = "EncapOverhead",
        /// Address of the host of a remote endpoint.
        ProviderAddress(ProviderAddress) = "ProviderAddress",
        /// The interface to use.
        InterfaceConstraint(InterfaceConstraint) = "InterfaceConstraint",
        /// IPsec.
        Encryption(Encryption) = "Encryption",
        /// VLAN.
        Vlan(Isolation) = "VLAN",
        /// MTU.
        InterfaceParameters(InterfaceParameters) = "InterfaceParameters",
        /// SR-IOV.
        Iov(Iov) = "Iov",
        /// A tier of filter rules.
        TierAcl(TierAcl) = "TierAcl",
        /// Hyper-V firewall.
        Firewall(Firewall) = "Firewall",
    }
}

document! {
    /// Settings of a type that has none.
    pub struct NoSettings {}
}

document! {
    /// Settings of `PortMapping`.
    pub struct PortMapping {
        /// IANA protocol number.
        protocol: u32 = "Protocol",
        /// Port of the container.
        internal_port: u16 = "InternalPort",
        /// Port of the host.
        external_port: u16 = "ExternalPort",
        /// Address of the host; any where absent.
        vip: String = "VIP",
        /// Flags.
        flags: NatFlags = "Flags",
    }
}

document! {
    /// Settings of `QOS`.
    pub struct Qos {
        /// Bytes a second; 0 means no cap.
        maximum_outgoing_bandwidth_in_bytes: u64 = "MaximumOutgoingBandwidthInBytes",
    }
}

document! {
    /// Settings of `OutBoundNAT`.
    pub struct OutBoundNat {
        /// Source address; the host's where absent.
        virtual_ip: String = "VirtualIP",
        /// Destinations that are not translated.
        exceptions: Vec<String> = "Exceptions",
        /// The only destinations that are translated.
        destinations: Vec<String> = "Destinations",
        /// Flags.
        flags: NatFlags = "Flags",
        /// Share of the port pool.
        max_port_pool_usage: u16 = "MaxPortPoolUsage",
    }
}

document! {
    /// Settings of `SDNRoute`.
    pub struct SdnRouteSettings {
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

document! {
    /// Settings of `L4Proxy`.
    pub struct L4Proxy {
        /// Address that is redirected.
        ip: String = "IP",
        /// Port of the proxy.
        port: String = "Port",
        /// IANA protocol number.
        protocol: u32 = "Protocol",
        /// Addresses that are not redirected, as the schema page names them.
        exception_list: Vec<String> = "ExceptionList",
        /// Addresses that are not redirected, as Go clients name them.
        exceptions: Vec<String> = "Exceptions",
        /// Address of the proxy.
        destination: String = "Destination",
        /// Whether the source is translated.
        outbound_nat: bool = "OutboundNAT",
    }
}

document! {
    /// Settings of `L4WFPPROXY`.
    pub struct L4WfpProxy {
        /// Port for what comes in, as a text.
        inbound_proxy_port: String = "InboundProxyPort",
        /// Port for what goes out, as a text.
        outbound_proxy_port: String = "OutboundProxyPort",
        /// What is redirected.
        filter_tuple: FilterTuple = "FilterTuple",
        /// Whose processes are exempt.
        user_sid: String = "UserSID",
        /// What comes in and is not redirected.
        inbound_exceptions: ProxyExceptions = "InboundExceptions",
        /// What goes out and is not redirected.
        outbound_exceptions: ProxyExceptions = "OutboundExceptions",
    }
}

document! {
    /// Which traffic a WFP proxy takes.
    pub struct FilterTuple {
        /// Protocol numbers.
        protocols: String = "Protocols",
        /// Addresses.
        local_addresses: String = "LocalAddresses",
        /// Addresses.
        remote_addresses: String = "RemoteAddresses",
        /// Ports.
        local_ports: String = "LocalPorts",
        /// Ports.
        remote_ports: String = "RemotePorts",
        /// A WFP weight: larger is stronger.
        priority: u16 = "Priority",
    }
}

document! {
    /// What a WFP proxy leaves alone.
    pub struct ProxyExceptions {
        /// Addresses.
        ip_address_exceptions: Vec<String> = "IpAddressExceptions",
        /// Ports, as texts.
        port_exceptions: Vec<String> = "PortExceptions",
    }
}

document! {
    /// Settings of `PortName`.
    pub struct PortName {
        /// The name.
        name: String = "Name",
    }
}

document! {
    /// Settings of `EncapOverhead`.
    pub struct EncapOverhead {
        /// Bytes taken from the MTU.
        overhead: u16 = "Overhead",
    }
}

document! {
    /// Settings of `ProviderAddress`.
    pub struct ProviderAddress {
        /// Address of the host.
        provider_address: String = "ProviderAddress",
    }
}

document! {
    /// Settings of `Encryption`.
    pub struct Encryption {
        /// `Ipsec`.
        encryption_method_type: String = "EncryptionMethodType",
        /// `{Type, Settings}` each.
        authentication_methods: Vec<Value> = "AuthenticationMethods",
        /// The name.
        name: String = "Name",
        /// One side; any where absent.
        endpoints1: String = "Endpoints1",
        /// The other side; any where absent.
        endpoints2: String = "Endpoints2",
        /// Protocol; any where absent.
        protocol_type: String = "ProtocolType",
        /// Ports of one side.
        endpoint1_ports: String = "Endpoint1Ports",
        /// Ports of the other side.
        endpoint2_ports: String = "Endpoint2Ports",
    }
}

document! {
    /// Settings of `VLAN` and `VSID`.
    pub struct Isolation {
        /// VLAN or VSID number.
        isolation_id: u32 = "IsolationId",
    }
}

document! {
    /// Settings of `InterfaceParameters`.
    pub struct InterfaceParameters {
        /// Bytes.
        mtu: u16 = "Mtu",
    }
}

document! {
    /// Settings of `Iov`.
    pub struct Iov {
        /// 0 turns it off.
        iov_offload_weight: u32 = "IovOffloadWeight",
        /// Queue pairs.
        queue_pairs_requested: u32 = "QueuePairsRequested",
        /// Moderation of interrupts.
        interrupt_moderation: u32 = "InterruptModeration",
    }
}

document! {
    /// Settings of `Firewall`; the schema page and WSL disagree on the names, so both are here.
    pub struct Firewall {
        /// WSL: who made the virtual machine.
        vm_creator_id: Id = "VmCreatorId",
        /// WSL: 0 or 1.
        policy_flags: u32 = "PolicyFlags",
        /// Schema page.
        vm_type: Value = "VmType",
        /// Schema page.
        firewall_policy_flags: Value = "FirewallPolicyFlags",
    }
}
