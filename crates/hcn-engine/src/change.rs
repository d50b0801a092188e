// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change of documents opens and closes: exact sets of packets, per endpoint and direction.
//!
//! Apart from [`crate::space`], which knows sets and no switches, and from [`crate::reach`], which answers for pairs: a change has to be understood at
//! the port where it is made, also for peers that are no port. Invariant: a packet that may cross a port and is
//! judged otherwise there after the change is in one of the two sets, and no other packet is.

use std::{collections::HashSet, net::IpAddr};

use hcn_schema::Guid;

use crate::{
    classifier::Extent,
    flow::{Direction, Family},
    space::{Axis, Region, Space, edge, number_of},
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
                if (opened, closed) != (Region::EMPTY, Region::EMPTY) {
                    changes.push(Change {
                        endpoint: *endpoint,
                        direction,
                        all,
                        opened,
                        closed,
                    });
                }
            }
        }
        Changes { space, changes }
    }
}

/// What changes from one port to another, both of the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairChange {
    /// Who begins, with the address.
    pub from: (Guid, IpAddr),
    /// Whom, with the address.
    pub to: (Guid, IpAddr),
    /// Protocols and ports that get through now and did not before.
    pub opened: Region,
    /// Protocols and ports that got through before and do not now.
    pub closed: Region,
}

/// What changes between ports in one family.
#[derive(Debug)]
pub struct PairChanges {
    /// The space of the sets.
    pub space: Space,
    /// Pairs between which something changes.
    pub changes: Vec<PairChange>,
}

impl PairChanges {
    /// Compares what gets from ports to ports: what the one lets out and the other lets in, where one of the two is among the endpoints.
    ///
    /// The work is a few set operations for each pair of a changed endpoint and a port.
    pub fn between(before: &Switch, after: &Switch, endpoints: &[Guid], family: Family) -> Self {
        let mut space = Space::new(family);
        let ends: Vec<(Guid, IpAddr)> = after
            .ports
            .iter()
            .flat_map(|port| {
                let own = port.addresses.iter();
                own.map(|(address, _)| (port.endpoint, *address))
            })
            .filter(|(_, address)| Family::from(*address) == family)
            .collect();
        // What each end lets out and in, before and after, over the addresses of the other side.
        let mut ways = |switch: &Switch| -> Vec<Option<[Region; 2]>> {
            let both = |(endpoint, address): &(Guid, IpAddr)| {
                let port = switch.port_of(*endpoint)?;
                // Nothing passes between an isolated port and another one.
                if switch.is_isolated(port) {
                    return Some([Region::EMPTY; 2]);
                }
                Some(
                    [Direction::Out, Direction::In]
                        .map(|direction| switch.passes_with(&mut space, port, direction, *address)),
                )
            };
            ends.iter().map(both).collect()
        };
        let (was, is) = (ways(before), ways(after));
        let asked: HashSet<Guid> = endpoints.iter().copied().collect();
        let all: Vec<usize> = (0..ends.len()).collect();
        let of_asked: Vec<usize> = all
            .iter()
            .copied()
            .filter(|place| asked.contains(&ends[*place].0))
            .collect();
        let mut changes = Vec::new();
        for (from, source) in ends.iter().enumerate() {
            let others = match asked.contains(&source.0) {
                true => &all,
                false => &of_asked,
            };
            for to in others.iter().copied() {
                let destination = &ends[to];
                let is_untouched = was[from] == is[from] && was[to] == is[to];
                if source.0 == destination.0 || is_untouched {
                    continue;
                }
                let mut through = |ways: &[Option<[Region; 2]>]| {
                    let (Some([out, _]), Some([_, way_in])) = (ways[from], ways[to]) else {
                        return Region::FULL;
                    };
                    let destinations = space.intervals(out, Axis::Destination);
                    let sources = space.intervals(way_in, Axis::Source);
                    let sent = edge(&destinations, number_of(destination.1));
                    let taken = edge(&sources, number_of(source.1));
                    space.and(sent, taken)
                };
                let (was, is) = (through(&was), through(&is));
                if was != is {
                    changes.push(PairChange {
                        from: *source,
                        to: *destination,
                        opened: space.minus(is, was),
                        closed: space.minus(was, is),
                    });
                }
            }
        }
        PairChanges { space, changes }
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
