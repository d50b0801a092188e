// SPDX-License-Identifier: MIT OR Apache-2.0
//! The compiled switch: networks, ports and their rules, made from documents.

use std::net::IpAddr;

use hcn_schema::{Endpoint, Guid, MacAddress, Network, network::NetworkType};
use ipnet::IpNet;

use crate::{
    flow::{Direction, Flow},
    semantics::Semantics,
    verdict::{Cause, Ruling, Verdict},
};

/// The documents that a switch is made from: everything that one HNS knows, in v2 shape.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Networks.
    pub networks: Vec<Network>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// A network as the data plane needs it.
#[derive(Clone, Debug)]
pub struct SwitchNetwork {
    /// The network's id.
    pub id: Guid,
    /// Its name.
    pub name: String,
    /// Its type.
    pub network_type: NetworkType,
    /// Subnet and its gateway, where it has one.
    pub subnets: Vec<(IpNet, Option<IpAddr>)>,
}

/// A port of the host that leads to a container (`PortMapping` of an endpoint on a NAT network).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMapping {
    /// The port that it leads to.
    pub port: PortIndex,
    /// IP protocol.
    pub protocol: crate::flow::Protocol,
    /// Port of the host.
    pub external_port: u16,
    /// Port of the container.
    pub internal_port: u16,
}

/// Index of a port in [`Switch::ports`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortIndex(pub u32);

/// A port of the switch: one local endpoint.
#[derive(Clone, Debug)]
pub struct Port {
    /// The endpoint's id.
    pub endpoint: Guid,
    /// The endpoint's name.
    pub name: String,
    /// Index of its network in [`Switch::networks`].
    pub network: usize,
    /// Its MAC address.
    pub mac_address: MacAddress,
    /// Its addresses with the prefix length of their subnets.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Its default routers.
    pub gateways: Vec<IpAddr>,
}

/// The compiled switch.
#[derive(Clone, Debug, Default)]
pub struct Switch {
    /// Networks.
    pub networks: Vec<SwitchNetwork>,
    /// Ports; remote endpoints have none.
    pub ports: Vec<Port>,
    /// Published ports of the host.
    pub port_mappings: Vec<PortMapping>,
}

/// Something in a document that cannot be compiled; the rest of the document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The endpoint or network.
    pub object: Guid,
    /// JSON pointer into its v2 document.
    pub pointer: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

impl Switch {
    /// Compiles documents. What cannot be compiled is left out and told, since a dump may hold anything.
    pub fn compile(documents: &Documents, semantics: &Semantics) -> (Switch, Vec<Fault>) {
        let _ = (documents, semantics);
        unimplemented!()
    }

    /// The port of an endpoint.
    pub fn port_of(&self, endpoint: Guid) -> Option<PortIndex> {
        let _ = endpoint;
        unimplemented!()
    }

    /// The port that has an address; of several networks, any.
    pub fn port_with(&self, address: IpAddr) -> Option<PortIndex> {
        let _ = address;
        unimplemented!()
    }

    /// What a port's rules say about a flow, without regard to flows allowed before. The packet path.
    pub fn rule(&self, port: PortIndex, direction: Direction, flow: &Flow) -> Ruling {
        let _ = (port, direction, flow);
        unimplemented!()
    }

    /// What stands behind a ruling about this flow.
    pub fn cause(
        &self,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        ruling: Ruling,
    ) -> Cause {
        let _ = (port, direction, flow, ruling);
        unimplemented!()
    }

    /// What happens to the first packet of a flow: out of the source's port, into the destination's, where they have one.
    pub fn verdict(&self, flow: &Flow) -> Verdict {
        let _ = flow;
        unimplemented!()
    }
}
