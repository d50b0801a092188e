// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that let somebody in and not the node itself, whose probes then fail.
//!
//! Apart because it asks about one sender that no rule has to name (pain 15; hns-behaviour 4.8): node to pod crosses the pod's port, and its In rules
//! hold for it.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Family, PortIndex,
    classifier::{Address, Conditions, Extent},
    space::{Region, Space},
};
use hcn_schema::network::NetworkType;

use super::{
    addresses::{prefixes, subnet_pointer},
    finding::{Evidence, Finding, place_of},
    overlay::management_addresses,
    rules::Ruled,
};

/// Looks at endpoints of the networks on which nodes probe pods.
pub(super) fn check(ruled: &[Ruled<'_>], found: &mut Vec<Finding>) {
    use NetworkType::{L2Bridge, L2Tunnel, Overlay, Transparent};
    for endpoint in ruled.iter().filter(|own| own.is_enforced()) {
        let own = endpoint.subject.network_type(&endpoint.endpoint);
        if matches!(own, Some(L2Bridge | L2Tunnel | Overlay | Transparent)) {
            of_endpoint(endpoint, found);
        }
    }
}

fn of_endpoint(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let Some(network) = endpoint.network else {
        return;
    };
    // From which of them it comes depends on the plugin (hns-behaviour 5.2), so that any will do.
    let mut nodes: Vec<(IpAddr, Evidence)> = Vec::new();
    for (address, pointer) in management_addresses(network) {
        let text = format!("{address} is the node's address");
        nodes.push((address, place_of(&network.name, &pointer, text)));
    }
    for (pointer, _, gateways) in prefixes(&network.document) {
        let pointer = subnet_pointer(network, &pointer);
        for gateway in gateways {
            let text = format!("{gateway} is the gateway, which is the node's on many networks");
            nodes.push((gateway, place_of(&network.name, &pointer, text)));
        }
    }
    let first = endpoint.rules.iter().find(|own| {
        let rule = own.rule.as_ref();
        rule.is_some_and(|rule| rule.direction == Direction::In)
    });
    let Some(first) = first else {
        return;
    };
    for (place, family) in [Family::V4, Family::V6].into_iter().enumerate() {
        let of_family = |address: &&IpAddr| Family::from(**address) == family;
        let own: Vec<IpAddr> = endpoint
            .addresses
            .iter()
            .filter(of_family)
            .copied()
            .collect();
        let theirs: Vec<IpAddr> = nodes
            .iter()
            .map(|(address, _)| address)
            .filter(of_family)
            .copied()
            .collect();
        if own.is_empty() || theirs.is_empty() {
            continue;
        }
        let shut = {
            let mut space = endpoint.families[place].space.borrow_mut();
            let passing = endpoint
                .switch
                .passes(&mut space, PortIndex(0), Direction::In);
            let to = met(&mut space, family, &own, &[]);
            let from = met(&mut space, family, &own, &theirs);
            // An endpoint that nobody gets into is closed on purpose.
            let lets_in = space.and(passing, to) != Region::EMPTY;
            (lets_in && space.and(passing, from) == Region::EMPTY).then_some(from)
        };
        let Some(from) = shut else {
            continue;
        };
        let texts: Vec<String> = theirs.iter().map(IpAddr::to_string).collect();
        let message = format!(
            "rules let others in and not the node ({}): its probes fail",
            texts.join(", ")
        );
        let told = nodes.iter().filter(|(address, _)| theirs.contains(address));
        found.push(
            Finding::new("node-shut-out", endpoint.name, &first.pointer, message)
                .with(endpoint.packet(place, from, Direction::In))
                .with(told.map(|(_, evidence)| evidence.clone())),
        );
        return;
    }
}

/// Packets to these addresses from those; from any, where none is named.
fn met(space: &mut Space, family: Family, own: &[IpAddr], theirs: &[IpAddr]) -> Region {
    fn of<A: Address + Into<u128>>(space: &mut Space, own: &[IpAddr], theirs: &[IpAddr]) -> Region {
        let extent = |addresses: &[IpAddr]| {
            let numbers = addresses.iter().filter_map(|address| A::of(*address));
            let spans: Vec<(A, A)> = numbers.map(|number| (number, number)).collect();
            match spans.is_empty() {
                true => Extent::Any,
                false => Extent::of(spans),
            }
        };
        let conditions = Conditions::<A> {
            local: extent(own),
            remote: extent(theirs),
            ..Conditions::none()
        };
        space.of(&conditions, Direction::In)
    }
    match family {
        Family::V4 => of::<u32>(space, own, theirs),
        Family::V6 => of::<u128>(space, own, theirs),
    }
}
