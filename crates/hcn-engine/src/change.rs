// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change of documents opens and closes: exact sets of packets, per endpoint and direction.
//!
//! Apart from [`crate::space`], which knows sets and no switches, and from [`crate::reach`], which answers for pairs: a change has to be understood at
//! the port where it is made, also for peers that are no port. Invariant: a packet that may cross a port and is
//! judged otherwise there after the change is in one of the two sets, and no other packet is.

use std::net::IpAddr;

use hcn_schema::Guid;

use crate::{
    classifier::Extent,
    flow::{Direction, Family},
    space::{Axis, Region, Space, number_of},
    switch::Switch,
};

/// What changes at an endpoint, in one direction and family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The endpoint.
    pub endpoint: Guid,
    /// As the endpoint sees it.
    pub direction: Direction,
    /// The packets that may cross the port at all: they have one of its addresses, where it has one of the family.
    pub all: Region,
    /// What passes now and did not before.
    pub opened: Region,
    /// What passed before and does not now.
    pub closed: Region,
    /// What passed before and does now.
    pub kept: Region,
}

/// What changes in one family.
#[derive(Debug)]
pub struct Changes {
    /// The space of the sets.
    pub space: Space,
    /// What changes; nothing stands here of what stays as it is.
    pub changes: Vec<Change>,
}

impl Changes {
    /// Compares what the ports of some endpoints let pass. An endpoint without a port before or after lets everything pass.
    pub fn between(before: &Switch, after: &Switch, endpoints: &[Guid], family: Family) -> Self {
        let mut space = Space::new(family);
        let mut changes = Vec::new();
        for endpoint in endpoints {
            for direction in [Direction::In, Direction::Out] {
                let mut passes = |switch: &Switch| match switch.port_of(*endpoint) {
                    Some(port) => switch.passes(&mut space, port, direction),
                    None => Region::FULL,
                };
                let (was, is) = (passes(before), passes(after));
                if was == is {
                    continue;
                }
                let all = own_side(&mut space, after, *endpoint, direction);
                let (was, is) = (space.and(was, all), space.and(is, all));
                let opened = space.minus(is, was);
                let closed = space.minus(was, is);
                let kept = space.and(was, is);
                if (opened, closed) != (Region::EMPTY, Region::EMPTY) {
                    changes.push(Change {
                        endpoint: *endpoint,
                        direction,
                        all,
                        opened,
                        closed,
                        kept,
                    });
                }
            }
        }
        Changes { space, changes }
    }
}

/// The packets that have an address of the endpoint on its side; all where it has none of the family.
fn own_side(space: &mut Space, switch: &Switch, endpoint: Guid, direction: Direction) -> Region {
    let port = switch.port_of(endpoint);
    let port = port.and_then(|port| switch.ports.get(port.0 as usize));
    let family = space.family();
    let addresses = port.into_iter().flat_map(|port| &port.addresses);
    let own: Vec<(u128, u128)> = addresses
        .map(|(address, _)| *address)
        .filter(|address: &IpAddr| Family::from(*address) == family)
        .map(|address| (number_of(address), number_of(address)))
        .collect();
    if own.is_empty() {
        return Region::FULL;
    }
    let axis = match direction {
        Direction::In => Axis::Destination,
        Direction::Out => Axis::Source,
    };
    space.cut(axis, &Extent::of(own), Region::FULL, Region::EMPTY)
}

#[cfg(test)]
mod tests;
