// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses, subnets and published ports: what two objects both claim, and what lies outside.
//!
//! Apart from the rules: this is wrong whatever they say.

use std::{collections::HashMap, net::IpAddr};

use hcn_schema::{Endpoint, Guid, Id, Network, policy::endpoint::PortMapping};
use ipnet::IpNet;
use serde_json::Value;

use super::{
    finding::{Finding, place, place_of},
    fix::{Edit, Fix},
    overlay::management_addresses,
    rules,
    subject::{Known, Subject},
};
use crate::listing;

/// Looks at all networks and endpoints.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    duplicates(subject, found);
    outside(subject, found);
    subnets(subject, found);
    published(subject, found);
    exceptions(subject, found);
    for known in &subject.endpoints {
        if known.document.is_remote() {
            let policies = known.document.policies.get().into_iter().flatten();
            let first = policies
                .enumerate()
                .find(|(_, policy)| policy.is("ACL") || policy.is("TierAcl"));
            if let Some((number, _)) = first {
                let message = "a remote endpoint has rules, and no port here that enforces them";
                let pointer = format!("/Policies/{number}");
                found.push(
                    Finding::new("remote-endpoint-rules", &known.name, &pointer, message)
                        .with([place("/Flags", "a remote endpoint")]),
                );
            }
        }
    }
}

/// One address on one network, held twice.
fn duplicates(subject: &Subject, found: &mut Vec<Finding>) {
    let mut holders: HashMap<(Guid, IpAddr), usize> = HashMap::new();
    for (place, known) in subject.endpoints.iter().enumerate() {
        let network = known.document.host_compute_network.get();
        // Endpoints that name no network may be on any.
        let Some(network) = network.and_then(Id::guid) else {
            continue;
        };
        for address in rules::addresses(&known.document) {
            if address.is_unspecified() {
                continue;
            }
            let Some(other) = holders.insert((network, address), place) else {
                continue;
            };
            let other = &subject.endpoints[other];
            if other.name.id == known.name.id {
                continue;
            }
            let (stale, kept) = match other.document.is_remote() {
                true => (other, known),
                false => (known, other),
            };
            let message = format!("has the address {address}, as has endpoint {}", kept.name);
            let words = match stale.document.is_remote() && !kept.document.is_remote() {
                true => "delete this one: it is remote, and the other one is here",
                false => "find out which of the two a container uses, and delete the other one",
            };
            let pointer = match stale.is_v1 {
                true => "/IPAddress",
                false => "/IpConfigurations",
            };
            found.push(
                Finding::new("duplicate-address", &stale.name, pointer, message)
                    .with([place_of(&kept.name, pointer, format!("{address}"))])
                    .fixed_by(Fix::in_words(words)),
            );
        }
    }
}

/// Subnets with their places and gateways.
pub(super) fn prefixes(network: &Network) -> Vec<(String, IpNet, Vec<IpAddr>)> {
    let mut all = Vec::new();
    for (i, ipam) in network.ipams.get().into_iter().flatten().enumerate() {
        for (j, subnet) in ipam.subnets.get().into_iter().flatten().enumerate() {
            let prefix = subnet.ip_address_prefix.get();
            let Some(prefix) = prefix.and_then(|prefix| prefix.trim().parse::<IpNet>().ok()) else {
                continue;
            };
            let routes = subnet.routes.get().into_iter().flatten();
            let gateways = routes.filter_map(|route| {
                let destination: IpNet = route.destination_prefix.get()?.trim().parse().ok()?;
                let hop: IpAddr = route.next_hop.get()?.trim().parse().ok()?;
                (destination.prefix_len() == 0 && !hop.is_unspecified()).then_some(hop)
            });
            all.push((
                format!("/Ipams/{i}/Subnets/{j}"),
                prefix.trunc(),
                gateways.collect(),
            ));
        }
    }
    all
}

/// Where a subnet stands in the document as it came.
pub(super) fn subnet_pointer(network: &Known<Network>, pointer: &str) -> String {
    match network.is_v1 {
        true => pointer.replacen("/Ipams/0", "", 1),
        false => pointer.to_owned(),
    }
}

/// Endpoints outside of their subnets, and gateways outside of theirs.
fn outside(subject: &Subject, found: &mut Vec<Finding>) {
    for network in &subject.networks {
        for (pointer, prefix, gateways) in prefixes(&network.document) {
            let of_family = gateways
                .into_iter()
                .filter(|gateway| gateway.is_ipv4() == prefix.addr().is_ipv4());
            for gateway in of_family.filter(|gateway| !prefix.contains(gateway)) {
                // The fabric's gateway of an L2Tunnel, and link-local ones of IPv6, need not be inside.
                let is_link_local =
                    matches!(gateway, IpAddr::V6(six) if six.is_unicast_link_local());
                if !is_link_local {
                    let message = format!("the gateway {gateway} is not in the subnet {prefix}");
                    let pointer = subnet_pointer(network, &pointer);
                    found.push(
                        Finding::new("gateway-outside-subnet", &network.name, &pointer, message)
                            .with([place(&pointer, format!("{prefix}, gateway {gateway}"))]),
                    );
                }
            }
        }
    }
    for known in &subject.endpoints {
        let Some(network) = subject.network_of(&known.document) else {
            continue;
        };
        let prefixes = prefixes(&network.document);
        // A remote endpoint stands for an address anywhere; without subnets the addresses are somebody else's.
        if known.document.is_remote() || prefixes.is_empty() {
            continue;
        }
        for address in rules::addresses(&known.document) {
            let of_family = || {
                let same = |net: &IpNet| net.addr().is_ipv4() == address.is_ipv4();
                prefixes.iter().filter(move |(_, net, _)| same(net))
            };
            if of_family().count() > 0 && !of_family().any(|(_, net, _)| net.contains(&address)) {
                let subnets: Vec<String> = of_family().map(|(_, net, _)| net.to_string()).collect();
                let message = format!(
                    "the address {address} is in no subnet of network {}: {}",
                    network.name,
                    subnets.join(", ")
                );
                let pointer = if known.is_v1 {
                    "/IPAddress"
                } else {
                    "/IpConfigurations"
                };
                found.push(
                    Finding::new("address-outside-subnet", &known.name, pointer, message).with([
                        place_of(
                            &network.name,
                            &subnet_pointer(network, &prefixes[0].0),
                            subnets.join(", "),
                        ),
                    ]),
                );
            }
        }
    }
}

/// Subnets of two networks that overlap, of which the host's own stack has one: it routes to that. Networks on external switches alone may share the
/// subnet of the wire.
fn subnets(subject: &Subject, found: &mut Vec<Finding>) {
    use hcn_schema::network::NetworkType::{ConstrainedIcs, Ics, Internal, Nat, Private};
    struct Claim<'a> {
        network: &'a Known<Network>,
        pointer: String,
        net: IpNet,
        is_hosts: bool,
    }
    let mut seen: Vec<Claim<'_>> = Vec::new();
    for network in &subject.networks {
        let own_type = network.document.network_type.get().copied();
        let own_type = match network.document.network_type.is_absent() {
            true => Some(Nat),
            false => own_type,
        };
        // Nothing is routed to a private one.
        let Some(own_type) = own_type.filter(|own| *own != Private) else {
            continue;
        };
        let is_hosts = matches!(own_type, Nat | Ics | Internal | ConstrainedIcs);
        let subnets = prefixes(&network.document);
        let subnets = subnets.into_iter().map(|(pointer, net, _)| (pointer, net));
        // The host's address on the wire stands for a subnet whose length nobody tells.
        let wire = management_addresses(network)
            .into_iter()
            .filter(|_| !is_hosts)
            .map(|(address, pointer)| (pointer, IpNet::from(address)));
        for (pointer, net) in subnets.chain(wire) {
            let is_address = net.prefix_len() == net.max_prefix_len();
            let other = seen.iter().find(|other| {
                other.network.name.id != network.name.id
                    && (is_hosts || other.is_hosts)
                    && (other.net.contains(&net) || net.contains(&other.net))
            });
            if let Some(other) = other {
                let plain = |net: &IpNet| match net.prefix_len() == net.max_prefix_len() {
                    true => format!("the host's address {}", net.addr()),
                    false => format!("the subnet {net}"),
                };
                let message = format!(
                    "{} overlaps {} of network {}",
                    plain(&net),
                    plain(&other.net),
                    other.network.name
                );
                let pointer = subnet_pointer(network, &pointer);
                let their = subnet_pointer(other.network, &other.pointer);
                found.push(
                    Finding::new("overlapping-subnets", &network.name, pointer, message)
                        .with([place_of(&other.network.name, &their, plain(&other.net))]),
                );
                if is_address {
                    continue;
                }
            }
            seen.push(Claim {
                network,
                pointer,
                net,
                is_hosts,
            });
        }
    }
}

/// One port of the host that two endpoints publish.
fn published(subject: &Subject, found: &mut Vec<Finding>) {
    type Claim<'a> = (&'a Known<Endpoint>, String);
    let mut taken: HashMap<(String, u16, String), Claim<'_>> = HashMap::new();
    for known in &subject.endpoints {
        for (place, policy) in known
            .document
            .policies
            .get()
            .into_iter()
            .flatten()
            .enumerate()
        {
            if !policy.is("PortMapping") && !policy.is("NAT") {
                continue;
            }
            let own: PortMapping = policy.settings_as();
            let settings = policy.settings.get().unwrap_or(&policy.extra);
            let protocol = listing::member(&Value::Object(settings.clone()), "Protocol")
                .map(crate::render::plain)
                .unwrap_or_default();
            let protocol = match protocol.to_ascii_uppercase().as_str() {
                // Q32: TCP where it is omitted.
                "" | "6" => "TCP".to_owned(),
                "17" => "UDP".to_owned(),
                other => other.to_owned(),
            };
            let port = own.external_port.or_default();
            // 0 lets HNS choose.
            if port == 0 {
                continue;
            }
            let key = (protocol, port, own.vip.or_default());
            let pointer = format!("/Policies/{place}");
            match taken.get(&key) {
                Some((other, their)) => {
                    let message = format!(
                        "publishes port {port} {} of the host, as does endpoint {}",
                        key.0, other.name
                    );
                    found.push(
                        Finding::new("port-published-twice", &known.name, pointer, message).with([
                            place_of(&other.name, their, format!("port {port} {}", key.0)),
                        ]),
                    );
                }
                None => {
                    taken.insert(key, (known, pointer));
                }
            }
        }
    }
}

/// CIDRs of OutBoundNAT with bits behind their prefix: the field of which the refusal by Windows Server 2022 is on record.
fn exceptions(subject: &Subject, found: &mut Vec<Finding>) {
    const LISTS: [&str; 3] = ["Exceptions", "ExceptionList", "Destinations"];
    for known in &subject.endpoints {
        let policies = known.document.policies.get().into_iter().flatten();
        for (own, policy) in policies.enumerate() {
            if !policy.is("OutBoundNAT") {
                continue;
            }
            let settings = policy.settings.get().unwrap_or(&policy.extra);
            let settings = Value::Object(settings.clone());
            for list in LISTS {
                let items = listing::member(&settings, list).and_then(Value::as_array);
                for (number, item) in items.into_iter().flatten().enumerate() {
                    let net = item
                        .as_str()
                        .and_then(|item| item.trim().parse::<IpNet>().ok());
                    let Some(net) = net.filter(|net| net.addr() != net.network()) else {
                        continue;
                    };
                    let at = rules::settings_at(policy);
                    let pointer = format!("/Policies/{own}{at}/{list}/{number}");
                    let message = format!("{list}: {net} has host bits set");
                    let subnet = net.trunc().to_string();
                    let finding = Finding::new("host-bits", &known.name, &pointer, message)
                        .with([place(&pointer, net.to_string())]);
                    found.push(finding.fixed_by(Fix::by(
                        format!("write {subnet}"),
                        vec![Edit::Set(pointer, subnet.into())],
                    )));
                }
            }
        }
    }
}
