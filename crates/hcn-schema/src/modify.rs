// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modify requests: what is changed, how, and to what.
//!
//! Source: hns-behaviour 2.11. `ResourceType` is kept as written, since its words differ from kind to kind.

use serde_json::Value;

use crate::{
    Id, Policy,
    document::document,
    network::{Dns, IpSubnet, Subnet},
    word::words,
};

words! {
    /// What a request does with its settings.
    pub enum RequestType {
        /// Append.
        Add = 0 "Add",
        /// Take away.
        Remove = 1 "Remove",
        /// Replace.
        Update = 2 "Update",
        /// Do again what the object says.
        Refresh = 3 "Refresh",
        /// Back to how it was created.
        Reset = 4 "Reset",
    }
}

words! {
    /// What a request to an endpoint is about.
    pub enum EndpointResourceType {
        /// The switch port.
        Port = 0 "Port",
        /// Policies.
        Policy = 1 "Policy",
    }
}

words! {
    /// What a request to a network is about.
    pub enum NetworkResourceType {
        /// Name resolution.
        Dns = 0 "DNS",
        /// A switch extension.
        Extension = 1 "Extension",
        /// Policies.
        Policy = 2 "Policy",
        /// Subnets.
        Subnet = 3 "Subnet",
        /// Ranges of a subnet.
        IpSubnet = 4 "IPSubnet",
    }
}

document! {
    /// The envelope of every modify request.
    pub struct ModifyRequest {
        /// Not used by the clients seen.
        resource_uri: String = "ResourceUri",
        /// What the request is about: a word, or its number.
        resource_type: Value = "ResourceType",
        /// What it does.
        request_type: RequestType = "RequestType",
        /// The settings, by kind and resource.
        settings: Value = "Settings",
    }
}

document! {
    /// Settings of a policy request.
    pub struct PolicySettings {
        /// The policies.
        policies: Vec<Policy> = "Policies",
    }
}

document! {
    /// Settings of a network's extension request.
    pub struct ExtensionSettings {
        /// The extension.
        id: Id = "Id",
        /// On or off.
        is_enabled: bool = "IsEnabled",
    }
}

document! {
    /// Settings of a network's subnet request.
    pub struct SubnetSettings {
        /// The subnets.
        subnets: Vec<Subnet> = "Subnets",
    }
}

document! {
    /// Settings of a network's IP subnet request.
    pub struct IpSubnetSettings {
        /// The subnet that gets or loses the ranges.
        subnet_id: Id = "SubnetId",
        /// The ranges.
        ip_subnets: Vec<IpSubnet> = "IpSubnets",
    }
}

document! {
    /// Settings of a namespace request about an endpoint.
    pub struct NamespaceEndpointSettings {
        /// The endpoint.
        endpoint_id: Id = "EndpointId",
    }
}

document! {
    /// Settings of a namespace request about a container.
    pub struct NamespaceContainerSettings {
        /// The container.
        container_id: String = "ContainerId",
    }
}

document! {
    /// Settings of an endpoint's port request.
    pub struct PortSettings {
        /// The port to make.
        port_id: Id = "PortId",
        /// Name of the virtual NIC.
        virtual_nic_name: String = "VirtualNicName",
        /// The virtual machine.
        virtual_machine_id: Id = "VirtualMachineId",
    }
}

/// Settings of a network's DNS request.
pub type DnsSettings = Dns;
