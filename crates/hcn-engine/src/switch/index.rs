// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is where: ports by endpoint and by address.
//!
//! Apart because clones of a switch share it. Ports of one address stand in the order of the switch.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hcn_schema::Guid;

use super::{Port, PortIndex};

/// The indexes.
#[derive(Debug, Default)]
pub(super) struct PortIndexes {
    by_endpoint: HashMap<Guid, PortIndex>,
    by_address: HashMap<IpAddr, Vec<PortIndex>>,
    /// Addresses of endpoints on other hosts, by network.
    remote: HashSet<(usize, IpAddr)>,
}

impl PortIndexes {
    pub(super) fn new(ports: &[Port], remote: HashSet<(usize, IpAddr)>) -> Self {
        let mut indexes = PortIndexes {
            remote,
            ..PortIndexes::default()
        };
        for (port, number) in ports.iter().zip(0..) {
            let number = PortIndex(number);
            indexes.by_endpoint.insert(port.endpoint, number);
            for (address, _) in &port.addresses {
                indexes.by_address.entry(*address).or_default().push(number);
            }
        }
        indexes
    }

    pub(super) fn of(&self, endpoint: Guid) -> Option<PortIndex> {
        self.by_endpoint.get(&endpoint).copied()
    }

    /// Addresses that another port has, be it the only one or not.
    pub(super) fn others(&self, port: PortIndex) -> impl Iterator<Item = IpAddr> {
        self.by_address
            .iter()
            .filter(move |(_, ports)| ports.iter().any(|other| *other != port))
            .map(|(address, _)| *address)
    }

    pub(super) fn is_remote(&self, network: usize, address: IpAddr) -> bool {
        self.remote.contains(&(network, address))
    }

    pub(super) fn with(&self, address: IpAddr) -> &[PortIndex] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }
}
