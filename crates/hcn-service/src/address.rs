// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subnets of a network, and which of their addresses an endpoint may have.
//!
//! Source: hns-behaviour 5.2 and 5.3. Choices are pseudo-random from the store's seed and the endpoint's id, as real HNS does not count up.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_schema::{
    Guid, MacAddress, Network,
    network::{IpSubnetFlags, SubnetFlags},
};
use ipnet::{IpNet, Ipv4Net};

use crate::{change::Change, sources::mix};

/// A subnet that is understood.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    /// The whole subnet.
    pub prefix: IpNet,
    /// Its gateway.
    pub gateway: Option<IpAddr>,
    /// Whether the gateway's address is kept from endpoints.
    gateway_reserved: bool,
    /// The ranges that endpoints get addresses from, with their ids.
    ranges: Vec<(Option<Guid>, IpNet, IpSubnetFlags)>,
}

/// An address that an endpoint gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// The address.
    pub address: IpAddr,
    /// Length of the subnet's prefix.
    pub prefix_length: u8,
    /// The range it is from.
    pub range: Option<Guid>,
}

/// The subnets of a network that can be understood; the network was admitted, so all can.
pub(crate) fn subnets(network: &Network) -> Vec<Subnet> {
    let mut found = Vec::new();
    for ipam in network.ipams.get().into_iter().flatten() {
        for subnet in ipam.subnets.get().into_iter().flatten() {
            let Some(prefix) = subnet
                .ip_address_prefix
                .get()
                .and_then(|text| text.parse::<IpNet>().ok())
            else {
                continue;
            };
            let default = if prefix.addr().is_ipv4() {
                "0.0.0.0/0"
            } else {
                "::/0"
            };
            let gateway = subnet
                .routes
                .get()
                .into_iter()
                .flatten()
                .find(|route| {
                    route
                        .destination_prefix
                        .get()
                        .is_none_or(|to| to == default)
                })
                .and_then(|route| route.next_hop.get()?.parse().ok());
            let ranges = subnet
                .ip_subnets
                .get()
                .into_iter()
                .flatten()
                .filter_map(|range| {
                    let prefix = range.ip_address_prefix.get()?.parse().ok()?;
                    Some((
                        range.id.get().and_then(hcn_schema::Id::guid),
                        prefix,
                        range.flags.or_default(),
                    ))
                })
                .collect();
            let gateway_reserved = !subnet
                .flags
                .or_default()
                .contains(SubnetFlags::DO_NOT_RESERVE_GATEWAY_ADDRESS);
            found.push(Subnet {
                prefix: prefix.trunc(),
                gateway,
                gateway_reserved,
                ranges,
            });
        }
    }
    found
}

impl Subnet {
    /// Why an address of this subnet is not for endpoints, if so.
    fn reserved(&self, address: IpAddr) -> Option<&'static str> {
        if self.gateway_reserved && self.gateway == Some(address) {
            return Some("is the gateway of the subnet");
        }
        let single = self.prefix.prefix_len() >= self.prefix.max_prefix_len() - 1;
        if single {
            return None;
        }
        let flags = self
            .range_of(address)
            .map_or(IpSubnetFlags(3), |range| range.2);
        if flags.contains(IpSubnetFlags::RESERVE_NETWORK_ADDRESS)
            && address == self.prefix.network()
        {
            return Some("is the address of the subnet itself");
        }
        if flags.contains(IpSubnetFlags::ENABLE_BROADCAST)
            && address.is_ipv4()
            && address == self.prefix.broadcast()
        {
            return Some("is the broadcast address of the subnet");
        }
        None
    }

    fn range_of(&self, address: IpAddr) -> Option<&(Option<Guid>, IpNet, IpSubnetFlags)> {
        self.ranges
            .iter()
            .find(|(_, prefix, _)| prefix.contains(&address))
    }

    fn assigned(&self, address: IpAddr) -> Assigned {
        Assigned {
            address,
            prefix_length: self.prefix.prefix_len(),
            range: self.range_of(address).and_then(|range| range.0),
        }
    }
}

/// Reserves the address that a client asks for.
///
/// # Errors
/// `HCN_E_INVALID_IP` outside every subnet, `HCN_E_ADDR_INVALID_OR_RESERVED` where it is reserved or taken.
pub(crate) fn reserve(
    change: &Change<'_>,
    network: Guid,
    subnets: &[Subnet],
    address: IpAddr,
    endpoint: Guid,
    field: &str,
) -> Answer<Assigned> {
    let Some(subnet) = subnets
        .iter()
        .find(|subnet| subnet.prefix.contains(&address))
    else {
        let known: Vec<String> = subnets
            .iter()
            .map(|subnet| subnet.prefix.to_string())
            .collect();
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_IP,
            field,
            format!(
                "{address} is in no subnet of the network (it has {})",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ),
        ));
    };
    if let Some(why) = subnet.reserved(address) {
        return Err(HnsError::at(
            HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED,
            field,
            format!("{address} {why} {}", subnet.prefix),
        ));
    }
    if !change.view.reserve_address(network, address, endpoint)? {
        let owner = change.view.address_owner(network, address)?;
        let owner = owner.map_or_else(String::new, |owner| format!(" by endpoint {owner}"));
        return Err(HnsError::at(
            HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED,
            field,
            format!("{address} is taken{owner}"),
        ));
    }
    Ok(subnet.assigned(address))
}

/// Reserves an address that nobody has, of a subnet.
///
/// # Errors
/// `ERROR_NO_MORE_ITEMS` where all are taken.
pub(crate) fn allocate(
    change: &Change<'_>,
    network: Guid,
    subnet: &Subnet,
    endpoint: Guid,
) -> Answer<Assigned> {
    /// Random tries before looking for the gaps; at half full, 64 misses in a row do not happen.
    const TRIES: u64 = 64;
    let (_, prefix, _) =
        subnet
            .ranges
            .first()
            .copied()
            .unwrap_or((None, subnet.prefix, IpSubnetFlags(3)));
    let size = size(&prefix);
    let start = mix(change.seed ^ endpoint.0 as u64 ^ (endpoint.0 >> 64) as u64);
    if !change.profile.sequential_addresses {
        for attempt in 0..TRIES {
            let address = nth(&prefix, mix(start.wrapping_add(attempt)) % size);
            if subnet.reserved(address).is_none()
                && change.view.reserve_address(network, address, endpoint)?
            {
                return Ok(subnet.assigned(address));
            }
        }
    }
    let taken = change.view.addresses(network)?;
    let free = (0..size.min(1 << 24))
        .map(|index| nth(&prefix, index))
        .find(|address| subnet.reserved(*address).is_none() && !taken.contains(address));
    match free {
        Some(address) if change.view.reserve_address(network, address, endpoint)? => {
            Ok(subnet.assigned(address))
        }
        _ => Err(HnsError::at(
            HcnCode::ERROR_NO_MORE_ITEMS,
            "/IpConfigurations",
            format!(
                "every address of the subnet {prefix} is taken; delete endpoints or use a larger subnet"
            ),
        )),
    }
}

/// Reserves a MAC address of the pool that nobody has.
///
/// # Errors
/// `ERROR_NO_MORE_ITEMS` where all are taken.
pub(crate) fn allocate_mac(
    change: &Change<'_>,
    network: Guid,
    pool: &[(MacAddress, MacAddress)],
    endpoint: Guid,
) -> Answer<MacAddress> {
    const TRIES: u64 = 64;
    let size: u64 = pool
        .iter()
        .map(|(first, last)| last.number() - first.number() + 1)
        .sum();
    let nth = |mut index: u64| {
        for (first, last) in pool {
            let length = last.number() - first.number() + 1;
            if index < length {
                return MacAddress::from_number(first.number() + index);
            }
            index -= length;
        }
        MacAddress::default()
    };
    let exhausted = || {
        HnsError::at(
            HcnCode::ERROR_NO_MORE_ITEMS,
            "/MacAddress",
            format!(
                "every address of the network's MAC pool ({size}) is taken; delete endpoints or give the network more Ranges"
            ),
        )
    };
    if size == 0 {
        return Err(exhausted());
    }
    let start = mix(change.seed ^ (endpoint.0 >> 32) as u64);
    for attempt in 0..TRIES {
        let address = nth(mix(start.wrapping_add(attempt)) % size);
        if change
            .view
            .reserve_mac_address(network, address, endpoint)?
        {
            return Ok(address);
        }
    }
    let taken: BTreeSet<u64> = change.view.mac_addresses(network)?;
    let free = (0..size)
        .map(nth)
        .find(|address| !taken.contains(&address.number()))
        .ok_or_else(exhausted)?;
    change.view.reserve_mac_address(network, free, endpoint)?;
    Ok(free)
}

/// A free /20 of 172.16.0.0/12, the size that HNS picks for a NAT network (hns-behaviour 5.1).
pub(crate) fn free_block(seed: u64, taken: &[IpNet]) -> Option<Ipv4Net> {
    const BLOCKS: u64 = 256;
    let start = mix(seed) % BLOCKS;
    (0..BLOCKS)
        .map(|step| (start + step) % BLOCKS)
        .find_map(|block| {
            let octets = [172, 16 + (block >> 4) as u8, ((block & 0xf) << 4) as u8, 0];
            let prefix = Ipv4Net::new(Ipv4Addr::from(octets), 20).ok()?;
            (!taken.iter().any(|other| overlap(other, &IpNet::V4(prefix)))).then_some(prefix)
        })
}

/// A free block of 4096 MAC addresses below Hyper-V's 00-15-5D, the size of HNS's own pools (hns-behaviour 2.3).
pub(crate) fn free_mac_block(seed: u64, taken: &BTreeSet<u64>) -> (MacAddress, MacAddress) {
    const HYPER_V: u64 = 0x0015_5d00_0000;
    const BLOCKS: u64 = 4096;
    let start = mix(seed) % BLOCKS;
    let block = (0..BLOCKS)
        .map(|step| (start + step) % BLOCKS)
        .find(|block| !taken.contains(&(HYPER_V | block << 12)))
        .unwrap_or(start);
    let first = HYPER_V | block << 12;
    (
        MacAddress::from_number(first),
        MacAddress::from_number(first | 0xfff),
    )
}

/// Whether two subnets share an address.
pub(crate) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// How many addresses there are to choose from; of IPv6 the first 2^32 are plenty.
fn size(prefix: &IpNet) -> u64 {
    1u64 << u32::from(prefix.max_prefix_len() - prefix.prefix_len()).min(32)
}

/// The address at an index of a subnet.
fn nth(prefix: &IpNet, index: u64) -> IpAddr {
    match prefix.network() {
        IpAddr::V4(first) => Ipv4Addr::from(u32::from(first).wrapping_add(index as u32)).into(),
        IpAddr::V6(first) => {
            Ipv6Addr::from(u128::from(first).wrapping_add(u128::from(index))).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_in_the_private_range_and_do_not_overlap() {
        let mut taken = Vec::new();
        while let Some(block) = free_block(5, &taken) {
            let block = IpNet::V4(block);
            assert!(
                "172.16.0.0/12".parse::<IpNet>().unwrap().contains(&block),
                "{block}"
            );
            assert!(!taken.iter().any(|other| overlap(other, &block)));
            taken.push(block);
        }
        // 172.16.0.0/12 has 2^(20-12) blocks of /20.
        assert_eq!(taken.len(), 256);
    }

    #[test]
    fn a_mac_block_is_4096_addresses_of_hyper_v() {
        let (first, last) = free_mac_block(1, &BTreeSet::new());
        assert!(first.to_string().starts_with("00-15-5D-") && first.to_string().ends_with("0-00"));
        assert_eq!(last.number() - first.number() + 1, 4096);
        let next = free_mac_block(1, &BTreeSet::from([first.number()])).0;
        assert_ne!(next, first);
    }
}
