// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is where: which port has an address on a network, and where the host is.
//!
//! Apart from the switch, because it is about the way of packets and not about rules; data planes and [`crate::way`] share it, so that what is
//! said of a packet and what happens to it come from one place. MAC addresses are the data plane's own business.
//!
//! Guesses (hns-behaviour 5.1 tells the types of networks apart, not how one host joins them):
//! - The host has a virtual card on every network that is not Private and has a gateway; it holds the gateway addresses, as the record
//!   says of NAT. On the other types the gateway is an outside router, which is nowhere else in here.
//! - A default router of a port that no other port has is the host too (CNI plugins name `x.x.x.2` beside a gateway `x.x.x.1`).
//! - The host routes between all networks on which it has a card.
//!
//! On networks with a way out the host has an address beyond them too, the management address; that is the source of what it sends to containers
//! there, as agents allow it by rules (hns-behaviour 4.8).

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hcn_schema::network::NetworkType;
use ipnet::IpNet;

use crate::{
    flow::{Family, Protocol},
    switch::{Port, PortIndex, Switch},
    way::Start,
};

/// The index of a switch.
#[derive(Debug, Default)]
pub struct Topology {
    cards: Vec<Option<HostCard>>,
    /// By network: addresses of the host beyond it.
    management: Vec<Vec<IpAddr>>,
    by_address: HashMap<(usize, IpAddr), PortIndex>,
    /// Places in [`Switch::port_mappings`].
    mappings: HashMap<(Protocol, u16), usize>,
    most: usize,
}

/// The host's card on a network.
#[derive(Debug, Default)]
pub struct HostCard {
    /// Its addresses with the prefix lengths of their subnets.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl HostCard {
    /// The address by which the host talks to `peer` on this network.
    pub fn address_towards(&self, peer: IpAddr) -> Option<IpAddr> {
        let family = Family::from(peer);
        let mut candidates = self
            .addresses
            .iter()
            .filter(|(address, _)| Family::from(*address) == family);
        let first = candidates.clone().next();
        candidates
            .find(|(address, prefix_length)| contains(*address, *prefix_length, peer))
            .or(first)
            .map(|(address, _)| *address)
    }
}

impl Topology {
    /// Indexes a switch. Of each port so many addresses count, since a data plane may have room for no more.
    pub fn of(switch: &Switch, most: usize) -> Self {
        let mut topology = Topology {
            most,
            ..Topology::default()
        };
        topology.by_address.reserve(switch.ports.len());
        for (port, number) in switch.ports.iter().zip(0..) {
            for (address, _) in usable(&port.addresses, most) {
                topology
                    .by_address
                    .entry((port.network, address))
                    .or_insert(PortIndex(number));
            }
        }
        topology.cards = (0..switch.networks.len())
            .map(|network| topology.card(switch, network))
            .collect();
        let networks = switch.networks.iter();
        topology.management = networks.map(|network| network.management.clone()).collect();
        topology.add_routers(switch);
        for (place, mapping) in switch.port_mappings.iter().enumerate() {
            topology
                .mappings
                .entry((mapping.protocol, mapping.external_port))
                .or_insert(place);
        }
        topology
    }

    /// The port with an address on a network.
    pub fn port_with_address(&self, network: usize, address: IpAddr) -> Option<PortIndex> {
        self.by_address.get(&(network, address)).copied()
    }

    /// The host's card on a network.
    pub fn host_card(&self, network: usize) -> Option<&HostCard> {
        self.cards.get(network)?.as_ref()
    }

    /// The host's addresses with the prefix lengths of their subnets; those beyond the networks are alone on theirs.
    pub fn host_addresses(&self) -> impl Iterator<Item = (IpAddr, u8)> {
        let cards = self.cards.iter().flatten();
        let own = cards.flat_map(|card| card.addresses.iter().copied());
        let management = self.management.iter().flatten();
        own.chain(management.map(|address| match address {
            IpAddr::V4(_) => (*address, 32),
            IpAddr::V6(_) => (*address, 128),
        }))
    }

    /// The host's address beyond a network.
    pub fn management_address(&self, network: usize, family: Family) -> Option<IpAddr> {
        let mut own = self.management.get(network)?.iter().copied();
        own.find(|address| Family::from(*address) == family)
    }

    /// The network on which, or beyond which, the host has an address.
    pub fn network_of_host_address(&self, address: IpAddr) -> Option<usize> {
        let on_card = self.cards.iter().position(|card| {
            card.as_ref()
                .is_some_and(|card| card.addresses.iter().any(|(own, _)| *own == address))
        });
        let beyond = || {
            let mut all = self.management.iter();
            all.position(|own| own.contains(&address))
        };
        on_card.or_else(beyond)
    }

    /// The host's first address of a family.
    pub fn first_host_address(&self, family: Family) -> Option<IpAddr> {
        self.host_addresses()
            .map(|(address, _)| address)
            .find(|address| Family::from(*address) == family)
    }

    /// The network over which the host reaches an address: one that has it at a port (the `preferred` one before others), else one whose
    /// subnet it is in.
    pub fn network_towards(&self, address: IpAddr, preferred: Option<usize>) -> Option<usize> {
        let reachable = |network: &usize| {
            self.host_card(*network)
                .is_some_and(|card| card.address_towards(address).is_some())
        };
        let all = || {
            preferred
                .into_iter()
                .chain(0..self.cards.len())
                .filter(reachable)
        };
        all()
            .find(|network| self.port_with_address(*network, address).is_some())
            .or_else(|| {
                all().find(|network| {
                    self.host_card(*network).is_some_and(|card| {
                        card.addresses
                            .iter()
                            .any(|(own, prefix_length)| contains(*own, *prefix_length, address))
                    })
                })
            })
    }

    /// The address by which the host itself talks to `peer`.
    pub fn host_address_towards(&self, peer: IpAddr) -> Option<IpAddr> {
        if self.network_of_host_address(peer).is_some() {
            return Some(peer);
        }
        let network = self.network_towards(peer, None)?;
        let on_card = || self.host_card(network)?.address_towards(peer);
        self.management_address(network, peer.into())
            .or_else(on_card)
    }

    /// The host's addresses, those first by which a sender would ask for it: of the sender's own network, beyond it and then on it; of the
    /// others those beyond networks, by which machines know each other, before gateways, which are there for the containers of one network.
    pub fn host_addresses_for(&self, switch: &Switch, start: Start) -> Vec<IpAddr> {
        let mut all: Vec<IpAddr> = Vec::new();
        if let Start::Port(port) = start
            && let Some(port) = switch.ports.get(port.0 as usize)
        {
            all.extend(self.management.get(port.network).into_iter().flatten());
            let gateways = port.gateways.iter().copied();
            all.extend(gateways.filter(|own| self.network_of_host_address(*own).is_some()));
        }
        all.extend(self.management.iter().flatten());
        all.extend(self.host_addresses().map(|(address, _)| address));
        let mut seen = HashSet::new();
        all.retain(|address| seen.insert(*address));
        all
    }

    /// The published port of the host with this number: its place in [`Switch::port_mappings`].
    pub fn mapping(&self, protocol: Protocol, external_port: u16) -> Option<usize> {
        self.mappings.get(&(protocol, external_port)).copied()
    }

    /// The addresses of a port that count in here.
    pub fn usable<'a>(&self, port: &'a Port) -> impl Iterator<Item = (IpAddr, u8)> + Clone + 'a {
        usable(&port.addresses, self.most)
    }

    fn card(&self, switch: &Switch, network: usize) -> Option<HostCard> {
        let described = switch.networks.get(network)?;
        if described.network_type == NetworkType::Private {
            return None;
        }
        let gateways = described.subnets.iter().filter_map(|(subnet, gateway)| {
            let gateway = gateway.filter(|gateway| {
                is_unicast(*gateway) && self.port_with_address(network, *gateway).is_none()
            })?;
            Some((gateway, subnet.prefix_len()))
        });
        let addresses: Vec<(IpAddr, u8)> = gateways.collect();
        (!addresses.is_empty()).then_some(HostCard { addresses })
    }

    fn add_routers(&mut self, switch: &Switch) {
        let mut seen: HashSet<(usize, IpAddr)> = HashSet::new();
        for port in &switch.ports {
            for gateway in &port.gateways {
                if !seen.insert((port.network, *gateway))
                    || !is_unicast(*gateway)
                    || self.by_address.contains_key(&(port.network, *gateway))
                {
                    continue;
                }
                let (Some(card), Some(network)) = (
                    self.cards.get_mut(port.network),
                    switch.networks.get(port.network),
                ) else {
                    continue;
                };
                if network.network_type == NetworkType::Private {
                    continue;
                }
                let Some((_, prefix_length)) = port
                    .addresses
                    .iter()
                    .find(|(own, prefix_length)| contains(*own, *prefix_length, *gateway))
                else {
                    continue;
                };
                let card = card.get_or_insert_default();
                if card.addresses.iter().all(|(own, _)| own != gateway) {
                    card.addresses.push((*gateway, *prefix_length));
                }
            }
        }
    }
}

/// Whether `address` is in the subnet of `own`.
pub fn contains(own: IpAddr, prefix_length: u8, address: IpAddr) -> bool {
    IpNet::new(own, prefix_length).is_ok_and(|subnet| subnet.contains(&address))
}

/// The addresses that a machine has: those that one machine may have, and only so many.
pub fn usable(
    addresses: &[(IpAddr, u8)],
    most: usize,
) -> impl Iterator<Item = (IpAddr, u8)> + Clone {
    addresses
        .iter()
        .copied()
        .filter(|(own, prefix_length)| is_unicast(*own) && IpNet::new(*own, *prefix_length).is_ok())
        .take(most)
}

/// Whether one machine may have the address.
pub fn is_unicast(address: IpAddr) -> bool {
    !(address.is_multicast()
        || address.is_unspecified()
        || address.is_loopback()
        || address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST))
}

/// The address by which a machine with these addresses talks to `peer`: itself, else one in the peer's subnet, else its first of that family.
pub fn address_towards(
    addresses: impl Iterator<Item = (IpAddr, u8)> + Clone,
    peer: IpAddr,
) -> Option<IpAddr> {
    let family = Family::from(peer);
    let mut own = addresses.filter(|(own, _)| Family::from(*own) == family);
    let first = own.clone().next();
    own.clone()
        .find(|(own, _)| *own == peer)
        .or_else(|| own.find(|(own, length)| contains(*own, *length, peer)))
        .or(first)
        .map(|(own, _)| own)
}

/// To whom a machine with these addresses and default routers hands what it sends to `peer`.
pub fn next_hop(
    addresses: impl Iterator<Item = (IpAddr, u8)> + Clone,
    gateways: &[IpAddr],
    peer: IpAddr,
) -> Option<IpAddr> {
    if is_on_link(addresses.clone(), peer) {
        return Some(peer);
    }
    router(addresses, gateways, Family::from(peer))
}

/// The first of these default routers that a machine with these addresses can reach.
pub fn router(
    addresses: impl Iterator<Item = (IpAddr, u8)> + Clone,
    gateways: &[IpAddr],
    family: Family,
) -> Option<IpAddr> {
    let mut routers = gateways.iter().copied();
    routers.find(|router| Family::from(*router) == family && is_on_link(addresses.clone(), *router))
}

fn is_on_link(mut addresses: impl Iterator<Item = (IpAddr, u8)>, peer: IpAddr) -> bool {
    addresses.any(|(own, length)| contains(own, length, peer))
}
