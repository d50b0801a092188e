// SPDX-License-Identifier: MIT OR Apache-2.0
//! One packet of a set, chosen so that a reader can place it: the endpoint's own address, a neighbour, a port that is known.
//!
//! Apart from the engine, to which every packet of a set is as good as another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hcn_engine::{
    Direction, Family, Flow, Protocol,
    classifier::{Address, Conditions, Extent, ProtocolSet},
    space::{Region, Space},
};

/// A packet of the region; `None` where it is empty.
pub(super) fn example(
    space: &mut Space,
    region: Region,
    direction: Direction,
    own: &[IpAddr],
    peers: &[IpAddr],
) -> Option<Flow> {
    match space.family() {
        Family::V4 => of_family::<u32>(space, region, direction, own, peers),
        Family::V6 => of_family::<u128>(space, region, direction, own, peers),
    }
}

/// Addresses that belong to nobody (RFC 5737, RFC 3849), for a stranger.
const STRANGERS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];
/// Others of that kind, for an endpoint whose addresses nobody tells.
pub(super) const UNTOLD: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)),
];
/// What people try first.
const PROTOCOLS: [Protocol; 4] = [
    Protocol::TCP,
    Protocol::UDP,
    Protocol::ICMP,
    Protocol::ICMPV6,
];
const SERVER_PORTS: [u16; 4] = [80, 443, 53, 8080];
const CLIENT_PORT: u16 = 49_152;

fn of_family<A: Address + Into<u128>>(
    space: &mut Space,
    region: Region,
    direction: Direction,
    own: &[IpAddr],
    peers: &[IpAddr],
) -> Option<Flow> {
    let address = |address: &IpAddr| Some(one(A::of(*address)?));
    let any = Conditions::<A>::none;
    let own: Vec<Conditions<A>> = own
        .iter()
        .filter_map(address)
        .map(|local| Conditions { local, ..any() })
        .collect();
    let peers: Vec<Conditions<A>> = peers
        .iter()
        .chain(&STRANGERS)
        .filter_map(address)
        .map(|remote| Conditions { remote, ..any() })
        .collect();
    let protocols = PROTOCOLS.map(|protocol| {
        let mut protocols = ProtocolSet::NONE;
        protocols.insert(protocol.0);
        Conditions { protocols, ..any() }
    });
    let ports = |port: u16, is_local: bool| match is_local {
        true => Conditions {
            local_ports: one(port),
            ..any()
        },
        false => Conditions {
            remote_ports: one(port),
            ..any()
        },
    };
    let is_in = direction == Direction::In;
    let servers = SERVER_PORTS.map(|port| ports(port, is_in));
    let clients = [ports(CLIENT_PORT, !is_in)];
    let mut region = region;
    for wishes in [&own[..], &peers, &protocols, &servers, &clients] {
        for wish in wishes {
            let wished = space.of(wish, direction);
            let narrower = space.and(region, wished);
            if narrower != Region::EMPTY {
                region = narrower;
                break;
            }
        }
    }
    space.example(region)
}

fn one<V: hcn_engine::classifier::Scalar>(value: V) -> Extent<V> {
    Extent::of(vec![(value, value)])
}
