// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an object of a listing is, told by its members alone: neither JSON nor Format-List says it.

use std::fmt;

use serde_json::Value;

use super::member;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An endpoint.
    Endpoint,
    /// A network.
    Network,
    /// A namespace.
    Namespace,
    /// A load balancer; v1 calls it a policy list.
    LoadBalancer,
    /// Too few members to tell.
    Unknown,
}

impl Kind {
    /// The kind that only objects with such members have.
    pub fn of(value: &Value) -> Self {
        KINDS
            .iter()
            .find(|(_, names)| names.iter().any(|name| member(value, name).is_some()))
            .map_or(Kind::Unknown, |(kind, _)| *kind)
    }
}

/// Members that one kind alone has, asked from top to bottom: a v2 load balancer names a network as endpoints do.
const KINDS: [(Kind, &[&str]); 4] = [
    (
        Kind::LoadBalancer,
        &[
            "References",
            "IsApplied",
            "PortMappings",
            "FrontendVIPs",
            "HostComputeEndpoints",
        ],
    ),
    (
        Kind::Network,
        &[
            "Ipams",
            "MacPool",
            "MacPools",
            "Subnets",
            "Extensions",
            "CurrentEndpointCount",
            "NetworkAdapterName",
            "ManagementIP",
        ],
    ),
    (
        Kind::Namespace,
        &[
            "NamespaceId",
            "NamespaceGuid",
            "ResourceList",
            "CompartmentGuid",
        ],
    ),
    (
        Kind::Endpoint,
        &[
            "HostComputeNetwork",
            "IpConfigurations",
            "VirtualNetwork",
            "IPAddress",
            "MacAddress",
            "SharedContainers",
        ],
    ),
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Endpoint => "endpoint",
            Kind::Network => "network",
            Kind::Namespace => "namespace",
            Kind::LoadBalancer => "loadbalancer",
            Kind::Unknown => "object",
        })
    }
}
