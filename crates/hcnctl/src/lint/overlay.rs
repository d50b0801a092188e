// SPDX-License-Identifier: MIT OR Apache-2.0
//! Networks over the wire: tunnels, virtual subnets, the address of the host that they end at.
//!
//! Apart from [`super::addresses`], which looks at what lies inside of a network: here it is what carries it (hns-behaviour 2.3, 2.12, 5.1;
//! pains 29 and 48).

use std::net::IpAddr;

use hcn_schema::{Endpoint, Network, network::NetworkType};
use ipnet::IpNet;
use serde_json::Value;

use super::{
    addresses::{prefixes, subnet_pointer},
    finding::{Finding, place, place_of},
    policies::{self, Placed},
    rules,
    subject::{Known, Subject},
};
use crate::listing;

/// The lowest virtual subnet that Windows takes (hns-behaviour 2.12, 5.1).
const LOWEST_VSID: u64 = 4096;

/// Looks at every network that is whole, and at the endpoints on overlays.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    for network in &subject.networks {
        management(network, found);
        if !network.is_whole {
            continue;
        }
        let vsids = vsids(network);
        for (vsid, pointer) in &vsids {
            if *vsid < LOWEST_VSID {
                let message = format!("the VSID {vsid} is below {LOWEST_VSID}");
                found.push(
                    Finding::new("vsid-too-low", &network.name, pointer, message)
                        .with([place(pointer, vsid.to_string())]),
                );
            }
        }
        for route in remote_routes(network) {
            self::route(subject, network, &vsids, &route, found);
        }
    }
    for known in &subject.endpoints {
        six(subject, known, found);
    }
}

/// The type of a network; HNS omits enumerations whose number is 0, and NAT's is 0 (hns-behaviour 2.1).
fn network_type(network: &Known<Network>) -> Option<NetworkType> {
    match network.document.network_type.is_absent() {
        true if network.is_v1 => None,
        true => Some(NetworkType::Nat),
        false => network.document.network_type.get().copied(),
    }
}

/// The host's address on a network, with its place: `ManagementIP` in v1, the policy `ProviderAddress` in v2 (hns-behaviour 2.3).
pub(super) fn management_addresses(network: &Known<Network>) -> Vec<(IpAddr, String)> {
    let mut all: Vec<(IpAddr, String)> = Vec::new();
    let management = listing::member(&network.value, "ManagementIP").and_then(Value::as_str);
    if let Some(address) = management.and_then(|text| text.trim().parse().ok()) {
        all.push((address, "/ManagementIP".to_owned()));
    }
    let own = policies::of_types(&network.document.policies, "", &["ProviderAddress"]);
    all.extend(own.filter_map(|policy| {
        let address = policy.text("ProviderAddress")?.parse().ok()?;
        Some((address, policy.member("ProviderAddress")))
    }));
    all.retain(|(address, _)| !address.is_unspecified());
    all
}

/// Link-local addresses, and such as lie elsewhere than the other ends of the tunnels.
fn management(network: &Known<Network>, found: &mut Vec<Finding>) {
    // Of a network that tells it in both ways one is enough.
    let Some((address, pointer)) = management_addresses(network).into_iter().next() else {
        return;
    };
    let IpAddr::V4(four) = address else {
        return;
    };
    if four.is_link_local() {
        let message = format!("the management address {four} is link-local");
        found.push(
            Finding::new("apipa-management-address", &network.name, &pointer, message)
                .with([place(&pointer, four.to_string())]),
        );
        return;
    }
    if network_type(network) != Some(NetworkType::Overlay) || !network.is_whole {
        return;
    }
    // Nodes of one cluster may be in many subnets; that none of them is near this address is what tells of another card.
    let near = |other: IpAddr| match other {
        IpAddr::V4(other) => other.octets()[..2] == four.octets()[..2],
        IpAddr::V6(_) => true,
    };
    let ends: Vec<(IpAddr, Placed<'_>)> = remote_routes(network)
        .into_iter()
        .filter_map(|route| Some((route.text("ProviderAddress")?.parse().ok()?, route)))
        .collect();
    let Some((first, route)) = ends.first() else {
        return;
    };
    if ends.iter().any(|(end, _)| near(*end)) || !are_neighbours(&ends) {
        return;
    }
    let message = format!(
        "the management address {four} is far from all other ends of the tunnels, such as {first}: the network may be bound to another card"
    );
    let other = route.member("ProviderAddress");
    found.push(
        Finding::new("management-address-apart", &network.name, &pointer, message).with([
            place(&pointer, four.to_string()),
            place(&other, first.to_string()),
        ]),
    );
}

/// Whether addresses are near each other: their first two octets.
fn are_neighbours(ends: &[(IpAddr, Placed<'_>)]) -> bool {
    let start = |end: &IpAddr| match end {
        IpAddr::V4(four) => Some([four.octets()[0], four.octets()[1]]),
        IpAddr::V6(_) => None,
    };
    let first = ends.first().and_then(|(end, _)| start(end));
    first.is_some() && ends.iter().all(|(end, _)| start(end) == first)
}

fn remote_routes(network: &Known<Network>) -> Vec<Placed<'_>> {
    policies::of_types(&network.document.policies, "", &["RemoteSubnetRoute"]).collect()
}

/// The virtual subnets of a network, with their places.
fn vsids(network: &Known<Network>) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    let ipams = network.document.ipams.get().into_iter().flatten();
    for (i, ipam) in ipams.enumerate() {
        for (j, subnet) in ipam.subnets.get().into_iter().flatten().enumerate() {
            let at = subnet_pointer(network, &format!("/Ipams/{i}/Subnets/{j}"));
            for policy in policies::of_types(&subnet.policies, &at, &["VSID"]) {
                // v1 calls it as the type is called.
                let own = ["IsolationId", "VSID"];
                let own = own
                    .into_iter()
                    .find_map(|key| Some((policy.number(key)?, key)));
                all.extend(own.map(|(vsid, key)| (vsid, policy.member(key))));
            }
        }
    }
    all
}

/// One way to pods of another node.
fn route(
    subject: &Subject,
    network: &Known<Network>,
    vsids: &[(u64, String)],
    route: &Placed<'_>,
    found: &mut Vec<Finding>,
) {
    let own_type = network_type(network);
    if let Some(other) = own_type.filter(|own| *own != NetworkType::Overlay) {
        let message = format!("a RemoteSubnetRoute has no effect on a network of type {other}");
        found.push(
            Finding::new(
                "remote-route-off-overlay",
                &network.name,
                &route.pointer,
                message,
            )
            .with([place("/Type", other.to_string())]),
        );
        return;
    }
    let Some(prefix) = route.text("DestinationPrefix") else {
        return;
    };
    if let (Some(vsid), false) = (route.number("IsolationId"), vsids.is_empty())
        && vsids.iter().all(|(own, _)| *own != vsid)
    {
        let (own, pointer) = &vsids[0];
        let message = format!(
            "the route to {prefix} has the VSID {vsid}, and the network {own}: the other node takes the packets for another network's"
        );
        found.push(
            Finding::new(
                "remote-route-isolation",
                &network.name,
                route.member("IsolationId"),
                message,
            )
            .with([place(pointer, format!("VSID {own}"))]),
        );
    }
    let Ok(destination) = prefix.parse::<IpNet>() else {
        return;
    };
    let mut own = prefixes(&network.document).into_iter();
    if let Some((at, subnet, _)) = own.find(|(_, subnet, _)| subnet.contains(&destination)) {
        let at = subnet_pointer(network, &at);
        let message = format!(
            "the route sends {prefix} to another node, and the network's own subnet {subnet} has these addresses here"
        );
        let here = subject.endpoints.iter().find(|known| {
            let is_here = !known.document.is_remote()
                && subject
                    .network_of(&known.document)
                    .is_some_and(|own| own.name == network.name);
            let addresses = rules::addresses(&known.document);
            is_here
                && addresses
                    .iter()
                    .any(|address| destination.contains(address))
        });
        let here = here.map(|known| place_of(&known.name, "", "is one of them"));
        found.push(
            Finding::new(
                "remote-route-own-subnet",
                &network.name,
                route.member("DestinationPrefix"),
                message,
            )
            .with([place(&at, subnet.to_string())])
            .with(here),
        );
    }
}

/// IPv6, which an overlay does not carry.
fn six(subject: &Subject, known: &Known<Endpoint>, found: &mut Vec<Finding>) {
    if subject.network_type(&known.document) != Some(NetworkType::Overlay) {
        return;
    }
    let addresses = rules::addresses(&known.document);
    let Some(six) = addresses
        .iter()
        .find(|address| address.is_ipv6() && !address.is_unspecified())
    else {
        return;
    };
    let pointer = match known.is_v1 {
        true => "/IPv6Address",
        false => "/IpConfigurations",
    };
    let message = format!("has the address {six}, and networks of type Overlay carry no IPv6");
    let network = subject.network_of(&known.document);
    found.push(
        Finding::new("unsupported-family", &known.name, pointer, message)
            .with([place(pointer, six.to_string())])
            .with(network.map(|network| place_of(&network.name, "/Type", "Overlay"))),
    );
}
