// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is where on the wire: the engine's topology, and which port has a MAC address on a network.
//!
//! Apart, because it is made from a switch once and asked for every frame. Every MAC address in here is unicast and stands for one port
//! of its network, whatever the documents say. Where the host is and what it routes is the engine's opinion ([`hcn_engine::topology`]), so that
//! what it says of a flow is what happens to packets; there is nothing beyond the host's networks in here.

use std::{collections::HashMap, net::IpAddr, ops::Deref};

use hcn_engine::{Port, PortIndex, Switch, topology};
use hcn_schema::{Guid, MacAddress};
use smoltcp::wire::EthernetAddress;

pub(crate) use hcn_engine::topology::is_unicast;

/// The index of a switch.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    places: topology::Topology,
    host_macs: Vec<EthernetAddress>,
    macs: Vec<EthernetAddress>,
    by_mac: HashMap<(usize, EthernetAddress), Guid>,
    /// By port index.
    endpoints: Vec<Guid>,
}

/// The host's card on a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostCard<'a> {
    /// Its MAC address.
    pub(crate) mac: EthernetAddress,
    card: &'a topology::HostCard,
}

impl Deref for HostCard<'_> {
    type Target = topology::HostCard;

    fn deref(&self) -> &topology::HostCard {
        self.card
    }
}

/// A stack has room for so many addresses.
const MOST_ADDRESSES: usize = smoltcp::config::IFACE_MAX_ADDR_COUNT;

impl Deref for Topology {
    type Target = topology::Topology;

    fn deref(&self) -> &topology::Topology {
        &self.places
    }
}

impl Topology {
    /// Indexes a switch.
    pub(crate) fn of(switch: &Switch) -> Self {
        let networks = switch.networks.iter().map(|network| network.id);
        let mut topology = Topology {
            places: topology::Topology::of(switch, MOST_ADDRESSES),
            host_macs: networks.map(|id| made_up_mac(id.0)).collect(),
            macs: Vec::with_capacity(switch.ports.len()),
            by_mac: HashMap::with_capacity(switch.ports.len()),
            endpoints: switch.ports.iter().map(|port| port.endpoint).collect(),
        };
        for port in &switch.ports {
            let mac = topology.usable_mac(port, topology.host_macs.get(port.network));
            topology.macs.push(mac);
            topology.by_mac.insert((port.network, mac), port.endpoint);
        }
        topology
    }

    /// The MAC address that a port has on the wire.
    pub(crate) fn mac(&self, port: PortIndex) -> Option<EthernetAddress> {
        self.macs.get(port.0 as usize).copied()
    }

    /// The endpoint with a MAC address on a network.
    pub(crate) fn endpoint_with_mac(&self, network: usize, mac: EthernetAddress) -> Option<Guid> {
        self.by_mac.get(&(network, mac)).copied()
    }

    /// The endpoint with an address on a network.
    pub(crate) fn endpoint_with_address(&self, network: usize, address: IpAddr) -> Option<Guid> {
        let port = self.places.port_with_address(network, address)?;
        self.endpoints.get(port.0 as usize).copied()
    }

    /// The host's card on a network.
    pub(crate) fn host_card(&self, network: usize) -> Option<HostCard<'_>> {
        Some(HostCard {
            mac: *self.host_macs.get(network)?,
            card: self.places.host_card(network)?,
        })
    }

    /// The port's own MAC address, or a made-up one where the documents give none, no unicast one, or one that is taken.
    fn usable_mac(&self, port: &Port, host: Option<&EthernetAddress>) -> EthernetAddress {
        let MacAddress(bytes) = port.mac_address;
        let mut mac = EthernetAddress(bytes);
        let mut seed = port.endpoint.0;
        while bytes == [0; 6] && mac.0 == bytes
            || !mac.is_unicast()
            || Some(&mac) == host
            || self.by_mac.contains_key(&(port.network, mac))
        {
            mac = made_up_mac(seed);
            seed = seed.wrapping_add(1);
        }
        mac
    }
}

/// The addresses that a machine has in here.
pub(crate) fn usable(addresses: &[(IpAddr, u8)]) -> impl Iterator<Item = (IpAddr, u8)> + Clone {
    topology::usable(addresses, MOST_ADDRESSES)
}

/// A locally administered unicast address, always the same for one number.
fn made_up_mac(seed: u128) -> EthernetAddress {
    // Folds the whole id, since ids made by hand differ in one digit only.
    let folded = (seed ^ (seed >> 40) ^ (seed >> 80)) as u64;
    let bytes = folded.to_be_bytes();
    EthernetAddress([0x02, bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}
