// SPDX-License-Identifier: MIT OR Apache-2.0
//! Front ends of load balancers: addresses, ports and flags that HNS refuses or nobody serves, and such as two objects claim.
//!
//! Apart from [`super::services`], which looks at what stands behind them (hns-behaviour 2.6, 5.6). v1 lists are judged as v1: docker's swarm balances
//! whole addresses by lists with both ports 0, and HNS takes them (Q47).

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hcn_schema::{
    Endpoint, Guid, LoadBalancer,
    load_balancer::{LoadBalancerFlags, LoadBalancerPortMappingFlags},
    network::NetworkType,
};

use super::{
    finding::{Finding, place, place_of},
    overlay::management_addresses,
    policies, rules,
    subject::{Known, Subject},
};

/// What a client asks for: an address (none for any address of the host), protocol and port.
pub(super) type Frontend = (Option<IpAddr>, u32, u16);

/// Looks at every load balancer.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    let by_id: HashMap<Guid, &Known<Endpoint>> = subject
        .endpoints
        .iter()
        .map(|known| (known.name.id, known))
        .collect();
    let held = subject.endpoints.iter();
    let held = held.flat_map(|own| rules::addresses(&own.document));
    let hosts = subject.networks.iter().flat_map(management_addresses);
    let held: HashSet<IpAddr> = held.chain(hosts.map(|(address, _)| address)).collect();
    for known in subject.load_balancers.iter().filter(|own| own.is_whole) {
        addresses(known, found);
        ports(known, found);
        backends(known, &by_id, found);
        source(subject, known, &by_id, &held, found);
    }
    twice(subject, &by_id, found);
    node_ports(subject, found);
}

/// The places of a v2 document; those of a v1 list are inside of its policies, which are not looked up one by one.
fn at(known: &Known<LoadBalancer>, pointer: String) -> String {
    match known.is_v1 {
        true => "/Policies".to_owned(),
        false => pointer,
    }
}

fn vips(known: &Known<LoadBalancer>) -> impl Iterator<Item = (usize, &String)> {
    let vips = known.document.frontend_vips.get();
    let vips = vips.into_iter().flatten().enumerate();
    vips.filter(|(_, vip)| !vip.trim().is_empty())
}

/// Virtual addresses that can be read.
fn read_vips(known: &Known<LoadBalancer>) -> Vec<IpAddr> {
    vips(known)
        .filter_map(|(_, vip)| vip.trim().parse().ok())
        .collect()
}

/// Its front ends, each with its place.
pub(super) fn frontends(known: &Known<LoadBalancer>) -> Vec<(Frontend, String)> {
    let addresses: Vec<Option<IpAddr>> = match vips(known).next() {
        Some(_) => read_vips(known).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let mappings = known.document.port_mappings.get();
    let mappings = mappings.into_iter().flatten().enumerate();
    let mut all = Vec::new();
    for (number, mapping) in mappings {
        let (protocol, port) = (
            mapping.protocol.or_default(),
            mapping.external_port.or_default(),
        );
        for address in &addresses {
            let pointer = at(known, format!("/PortMappings/{number}"));
            all.push(((*address, protocol, port), pointer));
        }
    }
    all
}

/// A front end in words.
pub(super) fn words((address, protocol, port): &Frontend) -> String {
    let port = match (protocol, port) {
        (_, 0) => String::new(),
        (0, port) => format!(" port {port}"),
        (protocol, port) => {
            let protocol = u8::try_from(*protocol).map(hcn_engine::Protocol);
            let name = protocol.map_or_else(|_| "?".to_owned(), |own| own.to_string());
            format!(" port {port}/{name}")
        }
    };
    match address {
        Some(address) => format!("{address}{port}"),
        None => format!("each address of the host{port}"),
    }
}

fn addresses(known: &Known<LoadBalancer>, found: &mut Vec<Finding>) {
    let source = known
        .document
        .source_vip
        .get()
        .map(|text| ("/SourceVIP".to_owned(), text));
    let source = source.filter(|(_, text)| !text.trim().is_empty());
    let vips = vips(known).map(|(number, text)| (format!("/FrontendVIPs/{number}"), text));
    for (pointer, text) in vips.chain(source) {
        if text.trim().parse::<IpAddr>().is_err() {
            let message = format!("{text:?} is no IP address");
            let pointer = at(known, pointer);
            found.push(
                Finding::new("unreadable-vip", &known.name, &pointer, message)
                    .with([place(&pointer, text.clone())]),
            );
        }
    }
}

fn ports(known: &Known<LoadBalancer>, found: &mut Vec<Finding>) {
    let mappings = known.document.port_mappings.get();
    let mappings = mappings.map_or(&[][..], Vec::as_slice);
    // A v1 list without ELB is a route.
    if mappings.is_empty() && !known.is_v1 {
        let message = "has no PortMappings: there is nothing that it could balance";
        let vips: Vec<&str> = vips(known).map(|(_, vip)| vip.as_str()).collect();
        found.push(
            Finding::new("no-service-ports", &known.name, "", message)
                .with([place("/FrontendVIPs", vips.join(","))]),
        );
    }
    let flags = known.document.flags.or_default();
    let is_dsr = flags.contains(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN);
    for (number, mapping) in mappings.iter().enumerate() {
        let (internal, external) = (
            mapping.internal_port.or_default(),
            mapping.external_port.or_default(),
        );
        let is_whole_address = known.is_v1 && internal == 0 && external == 0;
        if (internal == 0 || external == 0) && !is_whole_address {
            let member = match internal {
                0 => "InternalPort",
                _ => "ExternalPort",
            };
            let message = format!("{member} is missing or 0");
            let text = format!("ExternalPort {external}, InternalPort {internal}");
            let pointer = at(known, format!("/PortMappings/{number}/{member}"));
            let mapping = at(known, format!("/PortMappings/{number}"));
            found.push(
                Finding::new("service-port-zero", &known.name, pointer, message)
                    .with([place(&mapping, text)]),
            );
        }
        let own = mapping.flags.or_default();
        if own.contains(LoadBalancerPortMappingFlags::ENABLE_PRESERVE_DIP) && !is_dsr {
            let message =
                "keeps the virtual address as destination, and does not use direct server return";
            let pointer = at(known, format!("/PortMappings/{number}/Flags"));
            found.push(
                Finding::new("preserve-dip-without-dsr", &known.name, &pointer, message).with([
                    place(&pointer, "EnablePreserveDip"),
                    place("/Flags", flags.0.to_string()),
                ]),
            );
        }
    }
}

/// Backends without an address of the virtual address's family.
fn backends(
    known: &Known<LoadBalancer>,
    by_id: &HashMap<Guid, &Known<Endpoint>>,
    found: &mut Vec<Finding>,
) {
    let vips = read_vips(known);
    let Some(vip) = vips.first() else {
        return;
    };
    let ids = known.document.host_compute_endpoints.get();
    for (number, id) in ids.into_iter().flatten().enumerate() {
        let Some(backend) = id.guid().and_then(|id| by_id.get(&id)) else {
            continue;
        };
        let own = rules::addresses(&backend.document);
        let serves = |vip: &IpAddr| own.iter().any(|own| own.is_ipv4() == vip.is_ipv4());
        if own.is_empty() || vips.iter().any(serves) {
            continue;
        }
        let family = if vip.is_ipv4() { "IPv4" } else { "IPv6" };
        let pointer = match known.is_v1 {
            true => format!("/References/{number}"),
            false => format!("/HostComputeEndpoints/{number}"),
        };
        let addresses: Vec<String> = own.iter().map(IpAddr::to_string).collect();
        let message = format!(
            "{vip} is {family}, and the backend {} has no address of {family}",
            backend.name
        );
        found.push(
            Finding::new("backend-family", &known.name, pointer, message).with([place_of(
                &backend.name,
                if backend.is_v1 {
                    "/IPAddress"
                } else {
                    "/IpConfigurations"
                },
                addresses.join(","),
            )]),
        );
    }
}

/// A source address on an overlay that neither an endpoint nor the host has, where the endpoints are known.
fn source(
    subject: &Subject,
    known: &Known<LoadBalancer>,
    by_id: &HashMap<Guid, &Known<Endpoint>>,
    held: &HashSet<IpAddr>,
    found: &mut Vec<Finding>,
) {
    let source = known.document.source_vip.or_default();
    let Ok(source) = source.trim().parse::<IpAddr>() else {
        return;
    };
    let ids = known.document.host_compute_endpoints.get();
    let backends = ids.into_iter().flatten();
    let backend = backends
        .filter_map(|id| by_id.get(&id.guid()?))
        .find(|own| subject.network_type(&own.document) == Some(NetworkType::Overlay));
    let Some(backend) = backend else {
        return;
    };
    if !held.contains(&source) {
        let pointer = at(known, "/SourceVIP".to_owned());
        let message = format!("the source address {source} is no endpoint's");
        found.push(
            Finding::new("source-vip-unknown", &known.name, &pointer, message).with([
                place(&pointer, source.to_string()),
                place_of(
                    &backend.name,
                    "/HostComputeNetwork",
                    "a backend on an overlay network",
                ),
            ]),
        );
    }
}

/// Whether all backends are known to be gone: then the object is a leftover, and says so elsewhere.
pub(super) fn is_dead(
    subject: &Subject,
    by_id: &HashMap<Guid, &Known<Endpoint>>,
    known: &Known<LoadBalancer>,
) -> bool {
    let ids = known.document.host_compute_endpoints.get();
    let mut ids = ids.into_iter().flatten();
    ids.all(|id| match id.guid() {
        Some(id) => subject.tells_endpoints() && !by_id.contains_key(&id),
        None => true,
    })
}

/// Front ends of two load balancers.
fn twice(subject: &Subject, by_id: &HashMap<Guid, &Known<Endpoint>>, found: &mut Vec<Finding>) {
    let mut first: HashMap<Frontend, (&Known<LoadBalancer>, String)> = HashMap::new();
    let live = subject
        .load_balancers
        .iter()
        .filter(|known| known.is_whole && !is_dead(subject, by_id, known));
    for known in live {
        let mut told = HashSet::new();
        for (frontend, pointer) in frontends(known) {
            let Some((other, their)) = first.get(&frontend) else {
                first.insert(frontend, (known, pointer));
                continue;
            };
            // A list of a mapping twice is the object's own affair.
            if other.name == known.name || !told.insert(other.name.id) {
                continue;
            }
            let message = format!(
                "serves {}, as does load balancer {}",
                words(&frontend),
                other.name
            );
            found.push(
                Finding::new("service-twice", &known.name, pointer, message).with([place_of(
                    &other.name,
                    their,
                    words(&frontend),
                )]),
            );
        }
    }
}

/// Load balancers for each address of the host, against ports that endpoints publish.
fn node_ports(subject: &Subject, found: &mut Vec<Finding>) {
    for known in subject.load_balancers.iter().filter(|own| own.is_whole) {
        for ((address, protocol, port), pointer) in frontends(known) {
            if address.is_some() || port == 0 {
                continue;
            }
            for endpoint in &subject.endpoints {
                let own =
                    policies::of_types(&endpoint.document.policies, "", &["PortMapping", "NAT"]);
                let taken = own.into_iter().find(|policy| {
                    let own = policy.setting("Protocol").map(crate::render::plain);
                    let own = match own.unwrap_or_default().to_ascii_uppercase().as_str() {
                        "" | "0" | "6" | "TCP" => 6,
                        "17" | "UDP" => 17,
                        _ => return false,
                    };
                    own == protocol && policy.number("ExternalPort") == Some(u64::from(port))
                });
                if let Some(policy) = taken {
                    let words = words(&(None, protocol, port));
                    let message =
                        format!("serves {words}, which endpoint {} publishes", endpoint.name);
                    found.push(
                        Finding::new("node-port-taken", &known.name, &pointer, message)
                            .with([place_of(&endpoint.name, &policy.pointer, words)]),
                    );
                }
            }
        }
    }
}
