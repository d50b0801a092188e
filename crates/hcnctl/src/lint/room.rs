// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an endpoint has beside its rules: its namespace, its exceptions from NAT, the room for encapsulation, its second family.
//!
//! Apart from addresses, which two objects may both claim: here one object leaves something out, or holds on to what is gone.

use std::{collections::HashMap, net::IpAddr};

use hcn_schema::{
    Endpoint, Guid, Id, Policy,
    network::NetworkType::{self, Nat, Overlay, Transparent},
};
use ipnet::IpNet;
use serde_json::Value;

use super::{
    addresses::prefixes,
    finding::{Finding, place, place_of},
    fix::{Edit, Fix},
    policies,
    rules::{self, Ruled},
    subject::{Known, Subject},
};
use crate::listing;

/// Room that VXLAN takes (hns-behaviour 5.5).
const VXLAN: u64 = 50;
/// Destinations that are named one by one.
const SHOWN: usize = 3;

/// Looks at all endpoints.
pub(super) fn check(subject: &Subject, ruled: &[Ruled<'_>], found: &mut Vec<Finding>) {
    namespaces(subject, found);
    overheads(subject, found);
    for known in &subject.endpoints {
        if !known.document.is_remote() && known.is_whole {
            exceptions(subject, known, found);
        }
    }
    for endpoint in ruled {
        families(endpoint, found);
    }
}

/// The namespace that an endpoint says it is in.
fn namespace_of(endpoint: &Endpoint) -> Option<Guid> {
    let id = endpoint.host_compute_namespace.get().and_then(Id::guid)?;
    (!id.is_zero()).then_some(id)
}

/// Namespaces that are gone, and endpoints that are. Both kinds have to be told of; one that is not told of at all is not known.
fn namespaces(subject: &Subject, found: &mut Vec<Finding>) {
    if subject.namespaces.is_empty() {
        return;
    }
    for known in subject.endpoints.iter().filter(|known| !known.is_v1) {
        let Some(id) = namespace_of(&known.document) else {
            continue;
        };
        if !subject.namespaces.iter().any(|other| other.name.id == id) {
            let message = format!("is in the namespace {id}, which is not there");
            let pointer = "/HostComputeNamespace";
            let there = match subject.namespaces.len() {
                1 => "1 other namespace is there".to_owned(),
                count => format!("{count} other namespaces are there"),
            };
            found.push(
                Finding::new("dead-namespace", &known.name, pointer, message)
                    .with([place(pointer, there)]),
            );
        }
    }
    if !subject.tells_endpoints() {
        return;
    }
    for known in &subject.namespaces {
        for (number, resource) in known
            .document
            .resources
            .get()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let value = hcn_schema::Document::to_value(resource);
            let is_endpoint = value.get("Type").and_then(Value::as_str) == Some("Endpoint");
            let id = value.pointer("/Data/Id").and_then(Value::as_str);
            let Some(id) = id
                .and_then(|id| id.parse::<Guid>().ok())
                .filter(|_| is_endpoint)
            else {
                continue;
            };
            if !subject.endpoints.iter().any(|other| other.name.id == id) {
                let message = format!("lists the endpoint {id}, which is not there");
                let pointer = format!("/Resources/{number}");
                found.push(
                    Finding::new("dead-namespace", &known.name, &pointer, message)
                        .with([place(&pointer, crate::render::plain(&value))])
                        .fixed_by(Fix::by(
                            "take it out of the namespace's resources",
                            vec![Edit::Remove(pointer)],
                        )),
                );
            }
        }
    }
}

/// Policies of a type, with their settings.
fn settings_of<'a>(
    endpoint: &'a Endpoint,
    policy_type: &'a str,
) -> impl Iterator<Item = (usize, &'a Policy, Value)> {
    let policies = endpoint.policies.get().into_iter().flatten().enumerate();
    let own = policies.filter(move |(_, policy)| policy.is(policy_type));
    own.map(|(place, policy)| {
        let settings = policy.settings.get().unwrap_or(&policy.extra);
        (place, policy, Value::Object(settings.clone()))
    })
}

/// Room that each endpoint of a network reserves.
fn overheads(subject: &Subject, found: &mut Vec<Finding>) {
    let mut first: HashMap<Guid, (u64, &Known<Endpoint>, String)> = HashMap::new();
    for known in &subject.endpoints {
        for (number, policy, settings) in settings_of(&known.document, "EncapOverhead") {
            let Some(room) = listing::member(&settings, "Overhead").and_then(whole) else {
                continue;
            };
            let pointer = format!("/Policies/{number}{}", rules::settings_at(policy));
            let is_overlay = subject.network_type(&known.document) == Some(Overlay);
            if is_overlay && room < VXLAN {
                let message =
                    format!("reserves {room} bytes for encapsulation; VXLAN takes {VXLAN}");
                found.push(
                    Finding::new("encap-overhead", &known.name, &*pointer, message)
                        .with([place(&pointer, format!("{room} bytes"))]),
                );
                continue;
            }
            let Some(network) = known.document.host_compute_network.get().and_then(Id::guid) else {
                continue;
            };
            match first.get(&network) {
                Some((other_room, other, their)) if *other_room != room => {
                    let message = format!(
                        "reserves {room} bytes for encapsulation, and endpoint {} of the same network {other_room}",
                        other.name
                    );
                    found.push(
                        Finding::new("encap-overhead", &known.name, &*pointer, message)
                            .with([place_of(&other.name, their, format!("{other_room} bytes"))]),
                    );
                }
                Some(_) => {}
                None => {
                    first.insert(network, (room, known, pointer));
                }
            }
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    }
}

/// Destinations that this host knows to be of its own, and that a list of exceptions does not have. IPv4 alone: HNS does not translate IPv6.
fn exceptions(subject: &Subject, known: &Known<Endpoint>, found: &mut Vec<Finding>) {
    let network_type = subject.network_type(&known.document);
    // There everything is translated, or nothing is.
    if matches!(
        network_type,
        None | Some(Nat | Transparent | NetworkType::Internal)
    ) {
        return;
    }
    for (number, policy, settings) in settings_of(&known.document, "OutBoundNAT") {
        let list = ["Exceptions", "ExceptionList"].into_iter().find_map(|key| {
            let items = listing::member(&settings, key)?.as_array()?;
            Some((key, items))
        });
        let Some((key, items)) = list.filter(|(_, items)| !items.is_empty()) else {
            continue;
        };
        let excepted: Vec<IpNet> = items
            .iter()
            .filter_map(|item| net(item.as_str()?))
            .collect();
        let missed: Vec<String> = own_destinations(subject, known)
            .into_iter()
            .filter(|(net, _)| !excepted.iter().any(|own| own.contains(net)))
            .map(|(net, what)| format!("{what} {}", plain(&net)))
            .collect();
        if missed.is_empty() {
            continue;
        }
        let more = match missed.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = &missed[..missed.len().min(SHOWN)];
        let message = format!("{key} leaves out {}{more}", shown.join(", "));
        let pointer = format!("/Policies/{number}{}/{key}", rules::settings_at(policy));
        let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
        found.push(
            Finding::new("nat-exceptions-miss", &known.name, &pointer, message)
                .with([place(&pointer, texts.join(","))]),
        );
    }
}

/// A prefix, or an address as one.
fn net(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let net: IpNet = match text.parse() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    Some(net.trunc())
}

fn plain(net: &IpNet) -> String {
    match net.prefix_len() == net.max_prefix_len() {
        true => net.addr().to_string(),
        false => net.to_string(),
    }
}

/// Where pods and services of IPv4 are, as far as the documents say.
fn own_destinations(subject: &Subject, known: &Known<Endpoint>) -> Vec<(IpNet, &'static str)> {
    let mut all: Vec<(IpNet, &'static str)> = Vec::new();
    let network = subject.network_of(&known.document);
    for (_, prefix, _) in network.map_or_else(Vec::new, |network| prefixes(&network.document)) {
        all.push((prefix, "the own subnet"));
    }
    // Pods of other nodes.
    if let Some(network) = network {
        let routes = policies::of_types(&network.document.policies, "", &["RemoteSubnetRoute"]);
        all.extend(routes.filter_map(|route| {
            let prefix = net(route.text("DestinationPrefix")?)?;
            Some((prefix, "the other node's subnet"))
        }));
    }
    let own = known.document.host_compute_network.get();
    for other in &subject.endpoints {
        if other.document.is_remote() && other.document.host_compute_network.get() == own {
            let addresses = rules::addresses(&other.document).into_iter();
            all.extend(addresses.map(|address| (IpNet::from(address), "the remote endpoint")));
        }
    }
    for service in &subject.load_balancers {
        let vips = service.document.frontend_vips.get().into_iter().flatten();
        all.extend(vips.filter_map(|vip| Some((net(vip)?, "the virtual address"))));
    }
    all.retain(|(net, _)| net.addr().is_ipv4());
    all
}

/// Rules that name addresses of one family, on an endpoint that has both.
fn families(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let is_four = |address: &IpAddr| address.is_ipv4();
    let own = &endpoint.addresses;
    if !own.iter().any(is_four) || own.iter().all(is_four) {
        return;
    }
    let mut first = None;
    let mut named = [false; 2];
    for own in &endpoint.rules {
        let Some(rule) = &own.rule else {
            continue;
        };
        let prefixes = [&rule.local_addresses, &rule.remote_addresses]
            .into_iter()
            .flat_map(|addresses| &addresses.prefixes);
        for prefix in prefixes {
            named[usize::from(prefix.addr().is_ipv4())] = true;
            first = first.or(Some(own));
        }
    }
    if let (Some(first), [true, false] | [false, true]) = (first, named) {
        let (told, other) = match named[1] {
            true => ("IPv4", "IPv6"),
            false => ("IPv6", "IPv4"),
        };
        let message = format!(
            "its rules name addresses of {told} only, and it has an address of {other} too"
        );
        found.push(
            Finding::new("one-family-rules", endpoint.name, &first.pointer, message)
                .with([endpoint.evidence(first)]),
        );
    }
}
