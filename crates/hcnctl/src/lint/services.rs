// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load balancers: backends that are gone, halves that are missing, and rules that do not hold through them.
//!
//! Apart because a service is three objects at once: the load balancer, its backends, and the endpoints whose rules speak of them. Backends are
//! looked for only where the endpoints are known.

use std::{collections::HashMap, net::IpAddr};

use hcn_engine::{Direction, Protocol};
use hcn_schema::{
    Endpoint, Guid, Id, LoadBalancer, load_balancer::LoadBalancerFlags, network::NetworkType,
};

use super::{
    finding::{Finding, place, place_of},
    frontends,
    rules::{self, Ruled},
    subject::{Known, Subject},
    table::Severity,
};

/// A load balancer with those of its backends that are here.
struct Service<'a> {
    known: &'a Known<LoadBalancer>,
    vips: Vec<IpAddr>,
    backends: Vec<&'a Known<Endpoint>>,
    is_dsr: bool,
}

/// Looks at every load balancer.
pub(super) fn check(subject: &Subject, endpoints: &[Ruled<'_>], found: &mut Vec<Finding>) {
    let by_id: HashMap<Guid, &Known<Endpoint>> = subject
        .endpoints
        .iter()
        .map(|known| (known.name.id, known))
        .collect();
    let services: Vec<Service<'_>> = subject
        .load_balancers
        .iter()
        .map(|known| service(known, &by_id))
        .collect();
    for service in &services {
        backends(subject, service, &by_id, found);
        source_address(subject, service, found);
        proxies(service, found);
    }
    // Few endpoints name destinations at all, and there may be as many services as endpoints.
    let naming: Vec<&Ruled<'_>> = endpoints
        .iter()
        .filter(|own| names_destinations(own))
        .collect();
    for service in services.iter().filter(|service| !service.is_dsr) {
        for endpoint in &naming {
            bypassed(service, endpoint, found);
        }
    }
    name_servers(&services, found);
    port_pool(&services, found);
}

/// Load balancers without direct server return that a node is known to bear (EKS guide).
const POOLED: usize = 100;

/// Each load balancer without direct server return takes a block of the host's ports.
fn port_pool(services: &[Service<'_>], found: &mut Vec<Finding>) {
    let mut taking = services
        .iter()
        .filter(|service| !service.is_dsr && has_ports(service));
    let Some(first) = taking.next() else {
        return;
    };
    let count = 1 + taking.count();
    if count > POOLED {
        let message = format!(
            "is one of {count} load balancers without direct server return, each of which takes a block of the host's ports"
        );
        found.push(
            Finding::new("port-pool", &first.known.name, "", message)
                .with([place("", fronts(first.known))]),
        );
    }
}

fn service<'a>(
    known: &'a Known<LoadBalancer>,
    by_id: &HashMap<Guid, &'a Known<Endpoint>>,
) -> Service<'a> {
    let balancer = &known.document;
    let vips = balancer.frontend_vips.get().into_iter().flatten();
    let backends = balancer.host_compute_endpoints.get().into_iter().flatten();
    Service {
        known,
        vips: vips.filter_map(|vip| vip.trim().parse().ok()).collect(),
        backends: backends
            .filter_map(|id| by_id.get(&id.guid()?).copied())
            .collect(),
        is_dsr: balancer
            .flags
            .or_default()
            .contains(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN),
    }
}

/// Whether the object is a service at all: v1 lists hold routes too.
fn has_ports(service: &Service<'_>) -> bool {
    let mappings = service.known.document.port_mappings.get();
    mappings.is_some_and(|mappings| !mappings.is_empty())
}

fn backends(
    subject: &Subject,
    service: &Service<'_>,
    by_id: &HashMap<Guid, &Known<Endpoint>>,
    found: &mut Vec<Finding>,
) {
    let known = service.known;
    let member = match known.is_v1 {
        true => "/References",
        false => "/HostComputeEndpoints",
    };
    let ids = known.document.host_compute_endpoints.get();
    let ids = ids.map_or(&[][..], Vec::as_slice);
    let fronts = fronts(known);
    if ids.is_empty() && has_ports(service) && known.is_whole {
        let message = "has no endpoint: flows to it go nowhere";
        found.push(
            Finding::new("no-backend", &known.name, member, message).with([place("", &*fronts)]),
        );
    }
    let is_dead = frontends::is_dead(subject, by_id, known);
    let other = match is_dead {
        true => served_elsewhere(subject, by_id, known),
        false => None,
    };
    for (number, id) in ids.iter().enumerate() {
        let message = match id.guid() {
            Some(id) if !subject.tells_endpoints() || by_id.contains_key(&id) => None,
            Some(id) => Some(format!("names the endpoint {id}, which is not there")),
            None => Some(format!("names {:?}, which is no endpoint's id", id.0)),
        };
        let Some(message) = message else {
            continue;
        };
        let message = match (is_dead, other) {
            (false, _) => message,
            (true, None) => format!("{message}; none is left"),
            (true, Some(_)) => {
                format!("{message}; none is left, and another load balancer serves the same")
            }
        };
        let pointer = format!("{member}/{number}");
        let left = match ids.len() {
            1 => "the only endpoint".to_owned(),
            count => format!("one of {count} endpoints"),
        };
        let finding = Finding::new("dead-backend", &known.name, &pointer, message)
            .with([place(&pointer, format!("{left} of {fronts}"))])
            .with(other.map(|other| place_of(&other.name, "", "serves the same")));
        found.push(match (is_dead, other) {
            // Nobody answers there.
            (true, None) => Finding {
                severity: Severity::Error,
                ..finding
            },
            _ => finding,
        });
    }
}

/// Another load balancer that serves all that this one does, with a backend that is there.
fn served_elsewhere<'a>(
    subject: &'a Subject,
    by_id: &HashMap<Guid, &Known<Endpoint>>,
    known: &Known<LoadBalancer>,
) -> Option<&'a Known<LoadBalancer>> {
    let own = frontends::frontends(known);
    subject.load_balancers.iter().find(|other| {
        let theirs = frontends::frontends(other);
        other.name != known.name
            && own
                .iter()
                .all(|(own, _)| theirs.iter().any(|(their, _)| their == own))
            && !frontends::is_dead(subject, by_id, other)
    })
}

/// What it serves, in words.
fn fronts(known: &Known<LoadBalancer>) -> String {
    let fronts = frontends::frontends(known);
    let words: Vec<String> = fronts
        .iter()
        .map(|(own, _)| frontends::words(own))
        .collect();
    words.join(", ")
}

/// Where DNS is served by one protocol only.
fn name_servers(services: &[Service<'_>], found: &mut Vec<Finding>) {
    const DNS: u16 = 53;
    let mut halves: HashMap<IpAddr, Vec<(u32, &Service<'_>, usize)>> = HashMap::new();
    for service in services {
        let mappings = service
            .known
            .document
            .port_mappings
            .get()
            .into_iter()
            .flatten();
        for (number, mapping) in mappings.enumerate() {
            if mapping.external_port.or_default() == DNS {
                for vip in &service.vips {
                    let half = (mapping.protocol.or_default(), service, number);
                    halves.entry(*vip).or_default().push(half);
                }
            }
        }
    }
    for (vip, halves) in halves {
        let has = |protocol: Protocol| {
            let number = u32::from(protocol.0);
            halves.iter().any(|(own, _, _)| *own == number)
        };
        let (tcp, udp) = (has(Protocol::TCP), has(Protocol::UDP));
        if tcp == udp {
            continue;
        }
        let (there, missing) = if tcp { ("TCP", "UDP") } else { ("UDP", "TCP") };
        let (_, service, number) = halves[0];
        let message = format!("{vip} has port 53 for {there} and not for {missing}");
        let pointer = match service.known.is_v1 {
            true => "/Policies".to_owned(),
            false => format!("/PortMappings/{number}"),
        };
        let own = fronts(service.known);
        found.push(
            Finding::new(
                "dns-service-one-protocol",
                &service.known.name,
                &pointer,
                message,
            )
            .with([place(&pointer, own)]),
        );
    }
}

fn source_address(subject: &Subject, service: &Service<'_>, found: &mut Vec<Finding>) {
    let overlay = service
        .backends
        .iter()
        .find(|backend| subject.network_type(&backend.document) == Some(NetworkType::Overlay));
    let source = service.known.document.source_vip.or_default();
    if let Some(backend) = overlay
        && source.trim().is_empty()
        && has_ports(service)
    {
        let message = "has no SourceVIP, and its backends are on an overlay network";
        let network = match backend.is_v1 {
            true => "/VirtualNetwork",
            false => "/HostComputeNetwork",
        };
        found.push(
            Finding::new("source-vip-missing", &service.known.name, "", message).with([place_of(
                &backend.name,
                network,
                "a backend on an overlay network",
            )]),
        );
    }
}

fn proxies(service: &Service<'_>, found: &mut Vec<Finding>) {
    for backend in service.backends.iter().filter(|_| service.is_dsr) {
        let policies = backend.document.policies.get().into_iter().flatten();
        let types = ["L4Proxy", "L4WFPPROXY", "PROXY"];
        let proxy = policies
            .enumerate()
            .find(|(_, policy)| types.iter().any(|own| policy.is(own)));
        if let Some((place, policy)) = proxy {
            let message = format!(
                "has a policy {} and is a backend of load balancer {}, which uses direct server return",
                policy.policy_type.or_default(),
                service.known.name
            );
            let pointer = format!("/Policies/{place}");
            found.push(
                Finding::new("proxy-on-dsr-backend", &backend.name, pointer, message).with([
                    place_of(&service.known.name, "/Flags", "direct server return"),
                ]),
            );
        }
    }
}

/// Whether a rule names addresses that packets go to.
fn names_destinations(endpoint: &Ruled<'_>) -> bool {
    let mut rules = endpoint.rules.iter().filter_map(|own| own.rule.as_ref());
    rules.any(|own| own.direction == Direction::Out && !own.remote_addresses.prefixes.is_empty())
}

/// Out rules that name backends of a service and not its address.
fn bypassed(service: &Service<'_>, endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let network = |document: &Endpoint| document.host_compute_network.get().and_then(Id::guid);
    let own = network(&endpoint.endpoint);
    let addresses: Vec<IpAddr> = service
        .backends
        .iter()
        .filter(|backend| network(&backend.document) == own)
        .flat_map(|backend| rules::addresses(&backend.document))
        .filter(|address| !endpoint.addresses.contains(address))
        .collect();
    for rule in &endpoint.rules {
        let Some(read) = &rule.rule else {
            continue;
        };
        let named = &read.remote_addresses;
        if read.direction != Direction::Out || named.prefixes.is_empty() {
            continue;
        }
        let covers =
            |address: &IpAddr| named.prefixes.iter().any(|prefix| prefix.contains(address));
        let mappings = service
            .known
            .document
            .port_mappings
            .get()
            .into_iter()
            .flatten();
        let is_about = mappings.into_iter().any(|mapping| {
            let protocol = u8::try_from(mapping.protocol.or_default());
            let port = mapping.internal_port.or_default();
            let ports = &read.remote_ports;
            let takes = |(first, last): &(u16, u16)| (*first..=*last).contains(&port);
            protocol.is_ok_and(|protocol| read.protocols.contains(protocol))
                && (ports.is_empty() || ports.iter().any(takes))
        });
        let vip = service.vips.iter().find(|vip| !covers(vip));
        let backend = addresses.iter().find(|address| covers(address));
        if let (Some(vip), Some(backend), true) = (vip, backend, is_about) {
            let message = format!(
                "names {backend}, a backend of load balancer {}; what goes to it through {vip} is not met by the rule",
                service.known.name
            );
            let finding = Finding::new(
                "service-bypasses-rule",
                endpoint.name,
                rule.member("RemoteAddresses"),
                message,
            );
            let balancer = &service.known.name;
            let text = format!("{vip} without direct server return");
            found.push(finding.with([
                endpoint.evidence(rule),
                place_of(balancer, "/FrontendVIPs", text),
            ]));
        }
    }
}
