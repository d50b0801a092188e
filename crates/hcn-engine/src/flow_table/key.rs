// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tells one flow at one port from every other: the port, and the five parts as that port sees them.
//!
//! Apart because it is hashed and compared for every packet, so it is packed into a few words. A key and a direction give the flow back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    fast_hash::fold,
    flow::{Direction, Flow, Protocol},
};

/// The key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Low and high half of the local and of the remote address; then, from the top, 16 bits of local port, 16 of remote port, 32 of the port of the
    /// switch.
    pub(super) words: [u64; 5],
    /// The protocol, and a bit for each address that is of IPv4.
    pub(super) rest: u16,
}

const LOCAL_IS_V4: u16 = 1 << 8;
const REMOTE_IS_V4: u16 = 1 << 9;

impl Key {
    #[inline]
    pub(super) fn of(number: u32, direction: Direction, flow: &Flow) -> Self {
        let source = (packed(flow.source), flow.source_port);
        let destination = (packed(flow.destination), flow.destination_port);
        let ((local, local_port), (remote, remote_port)) = match direction {
            Direction::In => (destination, source),
            Direction::Out => (source, destination),
        };
        let families = (local.1 * LOCAL_IS_V4) | (remote.1 * REMOTE_IS_V4);
        Key {
            words: [
                local.0 as u64,
                (local.0 >> 64) as u64,
                remote.0 as u64,
                (remote.0 >> 64) as u64,
                u64::from(local_port) << 48 | u64::from(remote_port) << 32 | u64::from(number),
            ],
            rest: u16::from(flow.protocol.0) | families,
        }
    }

    /// The flow of a packet in this direction.
    pub(super) fn flow(&self, direction: Direction) -> Flow {
        let [local, local_high, remote, remote_high, ports] = self.words;
        let outward = Flow {
            source: unpacked(local, local_high, self.rest & LOCAL_IS_V4 != 0),
            destination: unpacked(remote, remote_high, self.rest & REMOTE_IS_V4 != 0),
            protocol: Protocol(self.rest as u8),
            source_port: (ports >> 48) as u16,
            destination_port: (ports >> 32) as u16,
        };
        match direction {
            Direction::Out => outward,
            Direction::In => outward.reverse(),
        }
    }

    /// A hash of all of it: two multiplications deep, however long the addresses are.
    #[inline]
    pub(super) fn hash(&self) -> u32 {
        let [local, local_high, remote, remote_high, ports] = self.words;
        let low = fold(
            local ^ 0x5851_f42d_4c95_7f2d,
            remote ^ 0x1405_7b7e_f767_814f,
        );
        let high = fold(
            local_high ^ 0xd6e8_feb8_6659_fd93,
            remote_high ^ 0xa076_1d64_78bd_642f,
        );
        let rest = ports.rotate_left(16) ^ u64::from(self.rest) << 40;
        fold(low ^ high ^ rest, 0x9e37_79b9_7f4a_7c15) as u32
    }
}

/// The address as a number, and whether it is of IPv4.
#[inline]
fn packed(address: IpAddr) -> (u128, u16) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 1),
        IpAddr::V6(address) => (address.into(), 0),
    }
}

fn unpacked(low: u64, high: u64, is_v4: bool) -> IpAddr {
    if is_v4 {
        Ipv4Addr::from(low as u32).into()
    } else {
        Ipv6Addr::from(u128::from(high) << 64 | u128::from(low)).into()
    }
}
