// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is where: which port has a MAC or an IP address on a network, and where the host is.
//!
//! Apart, because it is made from a switch once and asked for every frame. Every MAC address in here is unicast and stands for one port
//! of its network, whatever the documents say.
//!
//! Guesses (hns-behaviour 5.1 tells the types of networks apart, not how one host joins them):
//! - The host has a virtual card on every network that is not Private and has a gateway; it holds the gateway addresses, as the record
//!   says of NAT. On the other types the gateway is an outside router, which is nowhere else in here.
//! - A default router of a port that no other port has is the host too (CNI plugins name `x.x.x.2` beside a gateway `x.x.x.1`).
//! - The host routes between all networks on which it has a card. There is nothing beyond them.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hcn_engine::{Family, Port, PortIndex, Protocol, Switch};
use hcn_schema::{Guid, MacAddress, network::NetworkType};
use smoltcp::wire::EthernetAddress;

/// The index of a switch.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    links: Vec<Link>,
    macs: Vec<EthernetAddress>,
    by_mac: HashMap<(usize, EthernetAddress), Guid>,
    by_address: HashMap<(usize, IpAddr), Guid>,
    mappings: HashMap<(Protocol, u16), Mapped>,
}

/// One network, as the host sees it.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The host's card on it.
    pub(crate) host: Option<HostCard>,
}

/// The host's card on a network.
#[derive(Debug)]
pub(crate) struct HostCard {
    /// Its MAC address.
    pub(crate) mac: EthernetAddress,
    /// Its addresses with the prefix lengths of their subnets.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
}

impl HostCard {
    /// The address by which the host talks to `peer` on this network.
    pub(crate) fn address_towards(&self, peer: IpAddr) -> Option<IpAddr> {
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

/// Where a published port of the host leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) endpoint: Guid,
    pub(crate) port: PortIndex,
    pub(crate) internal_port: u16,
}

impl Topology {
    /// Indexes a switch.
    pub(crate) fn of(switch: &Switch) -> Self {
        let mut topology = Topology {
            macs: Vec::with_capacity(switch.ports.len()),
            by_mac: HashMap::with_capacity(switch.ports.len()),
            by_address: HashMap::with_capacity(switch.ports.len()),
            ..Topology::default()
        };
        let networks = switch.networks.iter().map(|network| network.id);
        let host_macs: Vec<EthernetAddress> = networks.map(|id| made_up_mac(id.0)).collect();
        for port in &switch.ports {
            let mac = topology.usable_mac(port, host_macs.get(port.network));
            topology.macs.push(mac);
            topology.by_mac.insert((port.network, mac), port.endpoint);
            for (address, _) in usable(&port.addresses) {
                topology
                    .by_address
                    .entry((port.network, address))
                    .or_insert(port.endpoint);
            }
        }
        topology.links = host_macs
            .into_iter()
            .enumerate()
            .map(|(network, mac)| topology.link(switch, network, mac))
            .collect();
        topology.add_routers(switch);
        for mapping in &switch.port_mappings {
            let Some(port) = switch.ports.get(mapping.port.0 as usize) else {
                continue;
            };
            topology
                .mappings
                .entry((mapping.protocol, mapping.external_port))
                .or_insert(Mapped {
                    endpoint: port.endpoint,
                    port: mapping.port,
                    internal_port: mapping.internal_port,
                });
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
        self.by_address.get(&(network, address)).copied()
    }

    /// The host's card on a network.
    pub(crate) fn host_card(&self, network: usize) -> Option<&HostCard> {
        self.links.get(network)?.host.as_ref()
    }

    /// The network on which the host has an address.
    pub(crate) fn network_of_host_address(&self, address: IpAddr) -> Option<usize> {
        self.links.iter().position(|link| {
            link.host
                .as_ref()
                .is_some_and(|card| card.addresses.iter().any(|(own, _)| *own == address))
        })
    }

    /// The host's first address of a family.
    pub(crate) fn first_host_address(&self, family: Family) -> Option<IpAddr> {
        self.links
            .iter()
            .filter_map(|link| link.host.as_ref())
            .flat_map(|card| &card.addresses)
            .map(|(address, _)| *address)
            .find(|address| Family::from(*address) == family)
    }

    /// The network over which the host reaches an address: one that has it at a port (the `preferred` one before others), else one whose
    /// subnet it is in.
    pub(crate) fn network_towards(
        &self,
        address: IpAddr,
        preferred: Option<usize>,
    ) -> Option<usize> {
        let reachable = |network: &usize| {
            self.host_card(*network)
                .is_some_and(|card| card.address_towards(address).is_some())
        };
        let all = || {
            preferred
                .into_iter()
                .chain(0..self.links.len())
                .filter(reachable)
        };
        all()
            .find(|network| self.endpoint_with_address(*network, address).is_some())
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

    /// Where a published port of the host leads.
    pub(crate) fn mapping(&self, protocol: Protocol, external_port: u16) -> Option<Mapped> {
        self.mappings.get(&(protocol, external_port)).copied()
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

    fn link(&self, switch: &Switch, network: usize, mac: EthernetAddress) -> Link {
        let Some(described) = switch.networks.get(network) else {
            return Link::default();
        };
        if described.network_type == NetworkType::Private {
            return Link::default();
        }
        let mut addresses = Vec::new();
        for (subnet, gateway) in &described.subnets {
            if let Some(gateway) = gateway.filter(|gateway| {
                is_unicast(*gateway) && self.endpoint_with_address(network, *gateway).is_none()
            }) {
                addresses.push((gateway, subnet.prefix_len()));
            }
        }
        Link {
            host: (!addresses.is_empty()).then_some(HostCard { mac, addresses }),
        }
    }

    fn add_routers(&mut self, switch: &Switch) {
        let mut seen = HashSet::new();
        for port in &switch.ports {
            for gateway in &port.gateways {
                if !seen.insert((port.network, *gateway))
                    || !is_unicast(*gateway)
                    || self.by_address.contains_key(&(port.network, *gateway))
                {
                    continue;
                }
                let (Some(link), Some(network)) = (
                    self.links.get_mut(port.network),
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
                let card = link.host.get_or_insert_with(|| HostCard {
                    mac: made_up_mac(network.id.0),
                    addresses: Vec::new(),
                });
                if card.addresses.iter().all(|(own, _)| own != gateway) {
                    card.addresses.push((*gateway, *prefix_length));
                }
            }
        }
    }
}

/// Whether `address` is in the subnet of `own`.
pub(crate) fn contains(own: IpAddr, prefix_length: u8, address: IpAddr) -> bool {
    ipnet::IpNet::new(own, prefix_length).is_ok_and(|subnet| subnet.contains(&address))
}

/// The addresses that a machine has in here: those that one machine may have, and only the first eight, for which a stack has room.
pub(crate) fn usable(addresses: &[(IpAddr, u8)]) -> impl Iterator<Item = (IpAddr, u8)> + Clone {
    addresses
        .iter()
        .copied()
        .filter(|(own, prefix_length)| {
            is_unicast(*own) && ipnet::IpNet::new(*own, *prefix_length).is_ok()
        })
        .take(smoltcp::config::IFACE_MAX_ADDR_COUNT)
}

/// Whether one machine may have the address.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    !(address.is_multicast()
        || address.is_unspecified()
        || address.is_loopback()
        || address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST))
}

/// A locally administered unicast address, always the same for one number.
fn made_up_mac(seed: u128) -> EthernetAddress {
    // Folds the whole id, since ids made by hand differ in one digit only.
    let folded = (seed ^ (seed >> 40) ^ (seed >> 80)) as u64;
    let bytes = folded.to_be_bytes();
    EthernetAddress([0x02, bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}
