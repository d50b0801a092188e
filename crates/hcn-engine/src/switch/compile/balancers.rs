// SPDX-License-Identifier: MIT OR Apache-2.0
//! From load balancer documents to balancers: hns-behaviour 2.6 and 5.6.
//!
//! Apart from ports and rules: a balancer has neither, it names them. A backend that is nowhere among the documents is told and left out, as a
//! balancer may outlive its endpoints.

use std::{collections::HashMap, net::IpAddr};

use hcn_schema::{
    Endpoint, Guid, LoadBalancer,
    load_balancer::{LoadBalancerPortMapping, LoadBalancerPortMappingFlags},
};

use super::{Fault, Faults, identity};
use crate::{
    flow::Protocol,
    parts::{self, Part},
    semantics::Semantics,
    switch::{Backend, BalancedPort, Balancer, Port, PortIndexes},
};

pub(super) fn compile(
    documents: &[LoadBalancer],
    ports: &[Port],
    indexes: &PortIndexes,
    remote: &[(Guid, &Endpoint)],
    semantics: &Semantics,
    faults: &mut Vec<Fault>,
) -> Vec<Balancer> {
    if documents.is_empty() {
        return Vec::new();
    }
    let remote: HashMap<Guid, &Endpoint> = remote.iter().copied().collect();
    let mut balancers = Vec::with_capacity(documents.len());
    for document in documents {
        let Some(id) = identity(faults, document.id.get().and_then(|id| id.guid())) else {
            continue;
        };
        let mut told = Faults {
            object: id,
            all: faults,
        };
        told.field("/Flags", &document.flags);
        let mut is_direct = parts::is_direct(document);
        if is_direct && semantics.lacked().has(Part::DirectServerReturn) {
            // A guess: the bit is kept and means nothing, as any that HNS does not know.
            told.lack("/Flags".to_owned(), Part::DirectServerReturn, 1);
            is_direct = false;
        }
        let vips = told.items("/FrontendVIPs", &document.frontend_vips);
        let vips: Vec<(usize, Option<IpAddr>)> = vips
            .iter()
            .enumerate()
            .map(|(place, text)| {
                (
                    place,
                    address(&format!("/FrontendVIPs/{place}"), text, &mut told),
                )
            })
            .collect();
        // Without a readable one of those that it names, it is not for every address of the host.
        if !vips.is_empty() && vips.iter().all(|(_, vip)| vip.is_none()) {
            continue;
        }
        let source_vip = told.field("/SourceVIP", &document.source_vip).cloned();
        let mappings = told.items("/PortMappings", &document.port_mappings);
        balancers.push(Balancer {
            id,
            name: told
                .field("/Name", &document.name)
                .cloned()
                .unwrap_or_default(),
            vips: vips.into_iter().filter_map(|(_, vip)| vip).collect(),
            source_vip: source_vip
                .filter(|text| !text.trim().is_empty())
                .and_then(|text| address("/SourceVIP", &text, &mut told)),
            is_direct,
            ports: mappings
                .iter()
                .enumerate()
                .filter_map(|(place, mapping)| balanced_port(place, mapping, &mut told))
                .collect(),
            backends: backends(document, ports, indexes, &remote, &mut told),
        });
    }
    balancers
}

fn address(pointer: &str, text: &str, told: &mut Faults<'_>) -> Option<IpAddr> {
    let address = text.trim().parse().ok();
    if address.is_none() {
        told.tell(pointer, format!("{text:?} is no address and is left out"));
    }
    address
}

fn balanced_port(
    place: usize,
    mapping: &LoadBalancerPortMapping,
    told: &mut Faults<'_>,
) -> Option<BalancedPort> {
    let pointer = format!("/PortMappings/{place}");
    let flags = told.field(&format!("{pointer}/Flags"), &mapping.flags);
    let flags = flags.copied().unwrap_or_default();
    let mut port = |name: &str, field| {
        let port = told.field(&format!("{pointer}/{name}"), field);
        port.copied().filter(|port| *port != 0)
    };
    let external_port = port("ExternalPort", &mapping.external_port);
    // Every port of the address goes to the same port of a backend.
    let internal_port =
        port("InternalPort", &mapping.internal_port).filter(|_| external_port.is_some());
    let at = format!("{pointer}/Protocol");
    let number = told.field(&at, &mapping.protocol).copied();
    let protocol = match number {
        // Without ports all of the address is meant, as in the policy lists of swarms (Q47).
        None | Some(0) if external_port.is_none() => None,
        number => {
            let number = number.unwrap_or(Protocol::TCP.0.into());
            let protocol = u8::try_from(number).ok().map(Protocol);
            let Some(protocol) = protocol.filter(|protocol| protocol.has_ports()) else {
                told.tell(
                    at,
                    format!("{number} is no protocol with ports; the port is left out"),
                );
                return None;
            };
            Some(protocol)
        }
    };
    if external_port.is_some() && internal_port.is_none() {
        told.tell(
            format!("{pointer}/InternalPort"),
            "InternalPort is 0 or missing; the port is left out",
        );
        return None;
    }
    Some(BalancedPort {
        protocol,
        external_port,
        internal_port,
        keeps_destination: flags.contains(LoadBalancerPortMappingFlags::ENABLE_PRESERVE_DIP),
        is_external: flags.contains(LoadBalancerPortMappingFlags::VIP_EXTERNAL_IP),
        pointer,
    })
}

/// Addresses of an endpoint on another host.
pub(super) fn addresses_of(remote: &Endpoint) -> impl Iterator<Item = IpAddr> {
    let own = remote.ip_configurations.get().into_iter().flatten();
    own.filter_map(|own| own.ip_address.get()?.trim().parse().ok())
}

fn backends(
    document: &LoadBalancer,
    ports: &[Port],
    indexes: &PortIndexes,
    remote: &HashMap<Guid, &Endpoint>,
    told: &mut Faults<'_>,
) -> Vec<Backend> {
    let mut backends: Vec<Backend> = Vec::new();
    let ids = told.items("/HostComputeEndpoints", &document.host_compute_endpoints);
    for (place, id) in ids.iter().enumerate() {
        let endpoint = id.guid().unwrap_or(Guid::ZERO);
        let port = indexes.of(endpoint);
        let addresses: Vec<IpAddr> = match (port, remote.get(&endpoint)) {
            (Some(port), _) => {
                let own = ports[port.0 as usize].addresses.iter();
                own.map(|(address, _)| *address).collect()
            }
            (None, Some(remote)) => addresses_of(remote).collect(),
            (None, None) => {
                told.tell(
                    format!("/HostComputeEndpoints/{place}"),
                    "there is no such endpoint; the backend is left out",
                );
                continue;
            }
        };
        // The list is a set (hns-behaviour 5.6).
        if backends.iter().all(|known| known.endpoint != endpoint) {
            backends.push(Backend {
                endpoint,
                port,
                addresses,
            });
        }
    }
    backends
}
