// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rule sets with the skew of ClassBench's seeds acl1, fw1 and ipc1, and packets for them; the same on every run.
//!
//! Apart from the benchmark, because a test judges the same packets. The code and the shares are ours, after what is published of the seeds; what
//! they have in common with them:
//!
//! - acl1, the access list of a provider: both sides named, the destination mostly as one address; no source ports; half of the destination
//!   ports exact; TCP. Few rules nest.
//! - fw1, a firewall: every third to second address is any, the rest single hosts and subnets; exact ports on both sides, ranges and the high
//!   ports. Nearly everything overlaps.
//! - ipc1, a chain of a host's filter: pairs of hosts, hosts and subnets of every length, and any; most ports any; many protocols. Deep nests.
//!
//! Addresses lie in sites, of which few are named by many rules, and a subnet's hosts stand beside the subnet itself, which makes nests. A rule stands
//! before those that are wider by 16 bits and more, mostly. A packet is a random corner of a random rule, as in ClassBench's traces; an earlier rule may
//! decide it.

use std::collections::HashSet;

use hcn_engine::classifier::{Conditions, Extent, Packet, ProtocolSet};

/// A generator of numbers (splitmix64).
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, limit: u64) -> u64 {
        let bound = self.below(limit) + 1;
        self.below(bound)
    }

    /// One of several, by its share of their sum.
    fn one_of<T: Copy>(&mut self, shares: &[(u64, T)]) -> T {
        let mut at = self.below(shares.iter().map(|(share, _)| share).sum());
        for (share, one) in shares {
            if at < *share {
                return *one;
            }
            at -= share;
        }
        shares[0].1
    }
}

/// How a port is named.
#[derive(Clone, Copy)]
enum Ports {
    Any,
    Exact,
    Range,
    High,
}

/// What a seed's rules name, in shares.
pub struct Skew {
    /// The seed's name.
    pub name: &'static str,
    /// Lengths of prefixes, from and to.
    sources: &'static [(u64, (u64, u64))],
    destinations: &'static [(u64, (u64, u64))],
    source_ports: &'static [(u64, Ports)],
    destination_ports: &'static [(u64, Ports)],
    /// 0: any.
    protocols: &'static [(u64, u8)],
}

/// The three.
pub const SKEWS: [Skew; 3] = [
    Skew {
        name: "acl1",
        sources: &[(2, (0, 0)), (14, (8, 21)), (44, (22, 28)), (40, (32, 32))],
        destinations: &[(1, (0, 0)), (6, (16, 23)), (28, (24, 31)), (65, (32, 32))],
        source_ports: &[(1, Ports::Any)],
        destination_ports: &[
            (30, Ports::Any),
            (52, Ports::Exact),
            (14, Ports::Range),
            (4, Ports::High),
        ],
        protocols: &[(78, 6), (12, 17), (4, 1), (6, 0)],
    },
    Skew {
        name: "fw1",
        sources: &[(42, (0, 0)), (8, (8, 16)), (18, (17, 28)), (32, (32, 32))],
        destinations: &[(32, (0, 0)), (6, (8, 16)), (16, (17, 28)), (46, (32, 32))],
        source_ports: &[
            (68, Ports::Any),
            (18, Ports::Exact),
            (4, Ports::Range),
            (10, Ports::High),
        ],
        destination_ports: &[
            (34, Ports::Any),
            (46, Ports::Exact),
            (12, Ports::Range),
            (8, Ports::High),
        ],
        protocols: &[(62, 6), (24, 17), (5, 1), (2, 47), (2, 50), (5, 0)],
    },
    Skew {
        name: "ipc1",
        sources: &[(10, (0, 0)), (12, (8, 16)), (32, (17, 31)), (46, (32, 32))],
        destinations: &[(12, (0, 0)), (12, (8, 16)), (30, (17, 31)), (46, (32, 32))],
        source_ports: &[
            (82, Ports::Any),
            (10, Ports::Exact),
            (4, Ports::Range),
            (4, Ports::High),
        ],
        destination_ports: &[
            (46, Ports::Any),
            (36, Ports::Exact),
            (12, Ports::Range),
            (6, Ports::High),
        ],
        protocols: &[(44, 6), (20, 17), (7, 1), (2, 2), (3, 89), (24, 0)],
    },
];

/// A prefix.
pub type Prefix = (u32, u8);

/// A rule: five fields of IPv4.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Source addresses.
    pub source: Prefix,
    /// Destination addresses.
    pub destination: Prefix,
    /// Source ports, both ends included.
    pub source_ports: (u16, u16),
    /// Destination ports.
    pub destination_ports: (u16, u16),
    /// Protocol; 0: any.
    pub protocol: u8,
}

const ANY_PORT: (u16, u16) = (0, 65_535);

/// `count` different rules, strongest first.
pub fn filters(skew: &Skew, count: usize) -> Vec<Filter> {
    let random = &mut Random(count as u64 ^ u64::from_le_bytes(*b"classify"));
    // Sites and hosts of a site grow with the set, as in larger networks.
    let sites = 1 + (count as f64).powf(0.6) as u64;
    let mut known = HashSet::with_capacity(count);
    let mut filters = Vec::with_capacity(count);
    while filters.len() < count {
        let protocol = random.one_of(skew.protocols);
        let has_ports = protocol == 6 || protocol == 17;
        let mut ports = |shares| match has_ports {
            true => ports(random, shares),
            false => ANY_PORT,
        };
        let (source_ports, destination_ports) =
            (ports(skew.source_ports), ports(skew.destination_ports));
        let filter = Filter {
            source: prefix(random, skew.sources, sites),
            destination: prefix(random, skew.destinations, sites),
            source_ports,
            destination_ports,
            protocol,
        };
        if known.insert(filter.clone()) {
            filters.push(filter);
        }
    }
    let mut keyed: Vec<(u64, Filter)> = filters
        .into_iter()
        .map(|filter| {
            let width = 64 - u64::from(filter.source.1) - u64::from(filter.destination.1);
            let noise = match random.below(10) {
                0 => random.below(3),
                _ => 0,
            };
            (width / 16 + noise, filter)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, filter)| filter).collect()
}

fn prefix(random: &mut Random, lengths: &[(u64, (u64, u64))], sites: u64) -> Prefix {
    let (shortest, longest) = random.one_of(lengths);
    let length = shortest + random.below(longest - shortest + 1);
    // A site is a /16 somewhere; its subnets are the more often named the lower they lie, and so are a subnet's hosts.
    let site = Random(random.skewed(sites)).next() >> 48;
    let address = site << 16 | random.skewed(256) << 8 | random.skewed(256);
    ((address as u32) & mask(length as u8), length as u8)
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

fn ports(random: &mut Random, shares: &[(u64, Ports)]) -> (u16, u16) {
    match random.one_of(shares) {
        Ports::Any => ANY_PORT,
        Ports::High => (1024, 65_535),
        Ports::Exact => {
            let port = well_known(random);
            (port, port)
        }
        Ports::Range => {
            let first = well_known(random);
            (first, first.saturating_add(1 + random.skewed(1_000) as u16))
        }
    }
}

/// Some hundred ports, few of which are named by most.
fn well_known(random: &mut Random) -> u16 {
    let number = random.skewed(200);
    1 + (Random(number).next() % if number < 60 { 1_023 } else { 65_000 }) as u16
}

/// A packet of IPv4.
#[derive(Clone, Copy)]
pub struct Header {
    /// Source address.
    pub source: u32,
    /// Destination address.
    pub destination: u32,
    /// Source port; 0 where there are none.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Protocol.
    pub protocol: u8,
}

/// Packets, each inside some rule.
pub fn trace(filters: &[Filter], count: usize) -> Vec<Header> {
    let random = &mut Random(filters.len() as u64 ^ u64::from_le_bytes(*b"a packet"));
    (0..count)
        .map(|_| {
            let filter = &filters[random.below(filters.len() as u64) as usize];
            let mut end = || random.below(2) == 0;
            let mut address =
                |(base, length): Prefix| if end() { base } else { base | !mask(length) };
            let (source, destination) = (address(filter.source), address(filter.destination));
            let protocol = match filter.protocol {
                0 => [6, 17, 1, 47][random.below(4) as usize],
                protocol => protocol,
            };
            let mut port = |(first, last): (u16, u16)| match protocol {
                6 | 17 if random.below(2) == 0 => first,
                6 | 17 => last,
                _ => 0,
            };
            Header {
                source,
                destination,
                source_port: port(filter.source_ports),
                destination_port: port(filter.destination_ports),
                protocol,
            }
        })
        .collect()
}

/// Filters and packets as the classifier takes them, for a port that is the destination's; of a wider family, each address is made one of it.
pub trait Skewed: hcn_engine::classifier::Address {
    /// The addresses of a prefix.
    fn addresses(prefix: Prefix) -> (Self, Self);

    /// An address.
    fn one(address: u32) -> Self {
        Self::addresses((address, 32)).0
    }
}

impl Skewed for u32 {
    fn addresses((base, length): Prefix) -> (u32, u32) {
        (base, base | !mask(length))
    }
}

impl Skewed for u128 {
    fn addresses((base, length): Prefix) -> (u128, u128) {
        // The 32 bits become a site's and a subnet's; those of one host are 64 more bits.
        let subnet = |address: u32| 0x2001_0db8u128 << 96 | u128::from(address) << 64;
        match length {
            0 => (0, u128::MAX),
            32 => {
                let host = subnet(base) | u128::from(Random(base.into()).next());
                (host, host)
            }
            _ => (
                subnet(base),
                subnet(base | !mask(length)) | u128::from(u64::MAX),
            ),
        }
    }
}

/// What a packet must be to match a filter.
pub fn conditions<A: Skewed>(filter: &Filter) -> Conditions<A> {
    let address = |prefix: Prefix| match prefix.1 {
        0 => Extent::Any,
        _ => Extent::of(vec![A::addresses(prefix)]),
    };
    let ports = |ports: (u16, u16)| match ports {
        ANY_PORT => Extent::Any,
        ports => Extent::of(vec![ports]),
    };
    let mut protocols = ProtocolSet::NONE;
    match filter.protocol {
        0 => protocols = ProtocolSet::ALL,
        protocol => protocols.insert(protocol),
    }
    Conditions {
        protocols,
        local: address(filter.destination),
        remote: address(filter.source),
        local_ports: ports(filter.destination_ports),
        remote_ports: ports(filter.source_ports),
    }
}

/// A packet as the destination's port sees it.
pub fn packet<A: Skewed>(header: &Header) -> Packet<A> {
    let has_ports = matches!(header.protocol, 6 | 17);
    Packet {
        protocol: header.protocol,
        local: A::one(header.destination),
        remote: A::one(header.source),
        ports: has_ports.then_some((header.destination_port, header.source_port)),
    }
}
