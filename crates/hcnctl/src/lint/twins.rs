// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be there once and is there twice: MAC addresses, the gateway's address, ids of sets, translations; and lists that are too long.
//!
//! Apart from [`super::addresses`]: these are no claims on addresses of endpoints, and HNS takes most of them without a word.

use std::collections::HashMap;

use hcn_schema::{Endpoint, Guid, Id, network::NetworkType};

use super::{
    addresses::{prefixes, subnet_pointer},
    finding::{Finding, place, place_of},
    policies,
    rules::{self, Ruled},
    subject::{Known, Subject},
};

/// Addresses or ports of one rule beyond which no user of HNS goes (hns-behaviour 4.13, Q41).
const MOST: usize = 4000;

/// Looks at all objects.
pub(super) fn check(subject: &Subject, ruled: &[Ruled<'_>], found: &mut Vec<Finding>) {
    macs(subject, found);
    gateways(subject, found);
    sets(subject, found);
    for known in &subject.endpoints {
        translations(known, found);
    }
    for endpoint in ruled {
        long_lists(endpoint, found);
    }
}

fn network_of(known: &Known<Endpoint>) -> Option<Guid> {
    let id = known.document.host_compute_network.get();
    id.and_then(Id::guid)
}

/// Local endpoints of one network with one MAC address. A remote one may well have that of the node where it lives.
fn macs(subject: &Subject, found: &mut Vec<Finding>) {
    let mut first: HashMap<(Guid, String), &Known<Endpoint>> = HashMap::new();
    for known in subject
        .endpoints
        .iter()
        .filter(|own| !own.document.is_remote())
    {
        let (Some(network), Some(written)) = (network_of(known), known.document.mac_address.get())
        else {
            continue;
        };
        let digits: String = written
            .chars()
            .filter(char::is_ascii_hexdigit)
            .map(|digit| digit.to_ascii_uppercase())
            .collect();
        if digits.len() != 12 || digits.chars().all(|digit| digit == '0') {
            continue;
        }
        match first.get(&(network, digits.clone())) {
            Some(other) if other.name.id != known.name.id => {
                let message = format!(
                    "has the MAC address {written}, as has endpoint {}",
                    other.name
                );
                let their = other.document.mac_address.or_default();
                found.push(
                    Finding::new("duplicate-mac", &known.name, "/MacAddress", message)
                        .with([place_of(&other.name, "/MacAddress", their)]),
                );
            }
            Some(_) => {}
            None => {
                first.insert((network, digits), known);
            }
        }
    }
}

/// Endpoints with the address of their subnet's gateway.
fn gateways(subject: &Subject, found: &mut Vec<Finding>) {
    for known in subject
        .endpoints
        .iter()
        .filter(|own| !own.document.is_remote())
    {
        let Some(network) = subject.network_of(&known.document) else {
            continue;
        };
        let own = rules::addresses(&known.document);
        for (pointer, _, gateways) in prefixes(&network.document) {
            let Some(taken) = gateways.iter().find(|gateway| own.contains(gateway)) else {
                continue;
            };
            let message = format!("has the address {taken}, which is the gateway of its subnet");
            let member = match (known.is_v1, taken.is_ipv4()) {
                (true, true) => "/IPAddress",
                (true, false) => "/IPv6Address",
                (false, _) => "/IpConfigurations",
            };
            let pointer = subnet_pointer(network, &pointer);
            let finding =
                Finding::new("gateway-address-taken", &known.name, member, message).with([
                    place_of(&network.name, &pointer, format!("gateway {taken}")),
                ]);
            // There plugins give the host an endpoint with it (hns-behaviour 5.2).
            let is_usual = matches!(
                subject.network_type(&known.document),
                Some(NetworkType::L2Bridge | NetworkType::L2Tunnel)
            );
            found.push(match is_usual {
                true => finding.noted(),
                false => finding,
            });
        }
    }
}

/// Sets of one network with one id.
fn sets(subject: &Subject, found: &mut Vec<Finding>) {
    for network in &subject.networks {
        let mut first: HashMap<String, String> = HashMap::new();
        for policy in policies::of_types(&network.document.policies, "", &["SetPolicy"]) {
            let Some(id) = policy.text("Id").map(str::to_owned) else {
                continue;
            };
            let Some(earlier) = first.get(&id) else {
                first.insert(id, policy.pointer);
                continue;
            };
            let message = format!("a second set with the id {id}");
            let text = policy.text("Values").unwrap_or_default();
            found.push(
                Finding::new("set-twice", &network.name, &policy.pointer, message).with([
                    place(earlier, "the first one"),
                    place(&policy.pointer, text),
                ]),
            );
        }
    }
}

/// Translations of one family. One with destinations is for these alone: plugins add such a one for an endpoint's own service (hns-behaviour 4.8).
fn translations(known: &Known<Endpoint>, found: &mut Vec<Finding>) {
    /// `NatFlags` (hns-behaviour 5.5).
    const IPV6: u64 = 2;
    let mut first: HashMap<bool, String> = HashMap::new();
    for policy in policies::of_types(&known.document.policies, "", &["OutBoundNAT"]) {
        let destinations = policy.setting("Destinations");
        if destinations
            .and_then(serde_json::Value::as_array)
            .is_some_and(|own| !own.is_empty())
        {
            continue;
        }
        let is_six = policy.number("Flags").unwrap_or_default() & IPV6 != 0;
        let family = if is_six { "IPv6" } else { "IPv4" };
        let Some(earlier) = first.get(&is_six) else {
            first.insert(is_six, policy.pointer);
            continue;
        };
        let message = format!("a second OutBoundNAT for {family}");
        found.push(
            Finding::new("outbound-nat-twice", &known.name, &policy.pointer, message).with([
                place(earlier, "the first one"),
                place(&policy.pointer, crate::render::plain(&policy.settings)),
            ]),
        );
    }
}

/// Rules that name more addresses or ports than anybody is known to have sent.
fn long_lists(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    for own in &endpoint.rules {
        let Some(rule) = &own.rule else {
            continue;
        };
        let lists = [
            (
                "LocalAddresses",
                rule.local_addresses.prefixes.len(),
                "addresses",
            ),
            (
                "RemoteAddresses",
                rule.remote_addresses.prefixes.len(),
                "addresses",
            ),
            ("LocalPorts", rule.local_ports.len(), "ports"),
            ("RemotePorts", rule.remote_ports.len(), "ports"),
        ];
        for (member, count, what) in lists {
            if count > MOST {
                let message = format!("names {count} {what} in one rule");
                let member = own.member(member);
                found.push(
                    Finding::new("long-list", endpoint.name, &member, message)
                        .with([place(&member, format!("{count} {what}"))]),
                );
            }
        }
    }
}
