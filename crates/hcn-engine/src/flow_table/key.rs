// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tells one flow at one port from every other: the port, and the five parts as that port sees them.
//!
//! Apart because it is hashed for every packet, so it is packed into a few words. A key and a direction give the flow back.

use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::flow::{Direction, Flow, Protocol};

/// The key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    local: u128,
    remote: u128,
    /// From the top: 16 bits of local port, 16 of remote port, 32 of the port of the switch.
    ports: u64,
    protocol: u8,
    local_is_v4: bool,
    remote_is_v4: bool,
}

impl Key {
    #[inline]
    pub(super) fn of(number: u32, direction: Direction, flow: &Flow) -> Self {
        let (local, remote, local_port, remote_port) = match direction {
            Direction::In => (
                flow.destination,
                flow.source,
                flow.destination_port,
                flow.source_port,
            ),
            Direction::Out => (
                flow.source,
                flow.destination,
                flow.source_port,
                flow.destination_port,
            ),
        };
        Key {
            local: packed(local),
            remote: packed(remote),
            ports: u64::from(local_port) << 48 | u64::from(remote_port) << 32 | u64::from(number),
            protocol: flow.protocol.0,
            local_is_v4: local.is_ipv4(),
            remote_is_v4: remote.is_ipv4(),
        }
    }

    /// The flow of a packet in this direction.
    pub(super) fn flow(&self, direction: Direction) -> Flow {
        let outward = Flow {
            source: unpacked(self.local, self.local_is_v4),
            destination: unpacked(self.remote, self.remote_is_v4),
            protocol: Protocol(self.protocol),
            source_port: (self.ports >> 48) as u16,
            destination_port: (self.ports >> 32) as u16,
        };
        match direction {
            Direction::Out => outward,
            Direction::In => outward.reverse(),
        }
    }
}

impl Hash for Key {
    /// Equal keys hash alike; the families are left out, since hardly any two keys differ in them alone.
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.local as u64 ^ (self.local >> 64) as u64);
        hasher.write_u64(self.remote as u64 ^ (self.remote >> 64) as u64);
        hasher.write_u64(self.ports ^ u64::from(self.protocol) << 24);
    }
}

fn packed(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn unpacked(number: u128, is_v4: bool) -> IpAddr {
    if is_v4 {
        Ipv4Addr::from(number as u32).into()
    } else {
        Ipv6Addr::from(number).into()
    }
}
