// SPDX-License-Identifier: MIT OR Apache-2.0
//! Published ports of an endpoint against its own rules, and such as HNS does not publish.
//!
//! Apart from [`super::addresses`], where two endpoints claim one port: here an endpoint contradicts itself. Rules see the container's port, since the
//! translation is done before them (hns-behaviour 4.6).

use hcn_engine::{
    Direction, Family, PortIndex, Protocol,
    classifier::{Address, Conditions, Extent, ProtocolSet},
    space::{Region, Space},
};
use hcn_schema::{Endpoint, policy::AclAction};

use super::{
    finding::{Finding, ObjectName, place},
    fix::{Edit, Fix},
    policies,
    rules::Ruled,
    subject::Subject,
};

/// A port of the host that leads to one of an endpoint.
struct Mapping {
    pointer: String,
    protocol: Protocol,
    internal: u16,
    external: u16,
}

impl Mapping {
    fn words(&self) -> String {
        let Mapping {
            protocol,
            internal,
            external,
            ..
        } = self;
        format!("port {external} {protocol} of the host leads to port {internal}")
    }
}

/// Looks at the published ports of all endpoints, and at the rules of those that have any.
pub(super) fn check(subject: &Subject, ruled: &[Ruled<'_>], found: &mut Vec<Finding>) {
    for known in subject.endpoints.iter().filter(|known| known.is_whole) {
        mappings(&known.document, &known.name, found);
    }
    for endpoint in ruled.iter().filter(|own| own.is_enforced()) {
        let mappings = mappings(&endpoint.endpoint, endpoint.name, &mut Vec::new());
        for mapping in &mappings {
            outer_port_named(endpoint, mapping, &mappings, found);
            blocked(endpoint, mapping, found);
        }
    }
}

/// The mappings that HNS makes; what it refuses is found.
fn mappings(endpoint: &Endpoint, object: &ObjectName, found: &mut Vec<Finding>) -> Vec<Mapping> {
    let mut all = Vec::new();
    for policy in policies::of_types(&endpoint.policies, "", &["PortMapping", "NAT"]) {
        let protocol = policy.setting("Protocol").map(crate::render::plain);
        let protocol = match protocol.unwrap_or_default().to_ascii_uppercase().as_str() {
            // Q32: TCP where it is omitted.
            "" | "0" | "6" | "TCP" => Some(Protocol::TCP),
            "17" | "UDP" => Some(Protocol::UDP),
            _ => None,
        };
        let port = |name| {
            let number = policy.number(name).unwrap_or_default();
            u16::try_from(number).unwrap_or_default()
        };
        let (internal, external) = (port("InternalPort"), port("ExternalPort"));
        if policy.number("InternalPort").unwrap_or_default() == 0 {
            let message = "publishes a port and names no port of the container";
            found.push(
                Finding::new(
                    "internal-port-zero",
                    object,
                    policy.member("InternalPort"),
                    message,
                )
                .with([place(
                    &policy.pointer,
                    crate::render::plain(&policy.settings),
                )]),
            );
        }
        if protocol.is_none() {
            let written = policy.setting("Protocol").map(crate::render::plain);
            let message = format!(
                "publishes a port for the protocol {}; only TCP (6) and UDP (17) are published",
                written.unwrap_or_default()
            );
            found.push(
                Finding::new(
                    "mapping-protocol",
                    object,
                    policy.member("Protocol"),
                    message,
                )
                .with([place(
                    &policy.pointer,
                    crate::render::plain(&policy.settings),
                )]),
            );
        }
        if let (Some(protocol), true, true) = (protocol, internal > 0, external > 0) {
            all.push(Mapping {
                pointer: policy.pointer,
                protocol,
                internal,
                external,
            });
        }
    }
    all
}

/// In rules that name the port of the host.
fn outer_port_named(
    endpoint: &Ruled<'_>,
    mapping: &Mapping,
    all: &[Mapping],
    found: &mut Vec<Finding>,
) {
    let (internal, external) = (mapping.internal, mapping.external);
    // A container that listens on that port too is meant.
    let listens = all
        .iter()
        .any(|other| other.internal == external && other.protocol == mapping.protocol);
    if listens {
        return;
    }
    for own in &endpoint.rules {
        let Some(rule) = &own.rule else {
            continue;
        };
        let names = |port: u16| rule.local_ports.contains(&(port, port));
        let covers = |port: u16| {
            let mut ports = rule.local_ports.iter();
            ports.any(|(first, last)| (*first..=*last).contains(&port))
        };
        let is_about =
            rule.direction == Direction::In && rule.protocols.contains(mapping.protocol.0);
        // A range may well hold the port by chance.
        if !is_about || !names(external) || covers(internal) {
            continue;
        }
        let member = own.member("LocalPorts");
        let message = format!(
            "names {external}, the port of the host; what arrives there reaches the rule as port {internal}"
        );
        let text = endpoint.value.pointer(&member).map(crate::render::plain);
        let items = text
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        let items: Vec<String> = items
            .map(|item| match item == external.to_string() {
                true => internal.to_string(),
                false => item.to_owned(),
            })
            .collect();
        let edits = match text.is_some() {
            true => vec![Edit::Set(member.clone(), items.join(",").into())],
            false => Vec::new(),
        };
        found.push(
            Finding::new("outer-port-in-rule", endpoint.name, member, message)
                .with([
                    endpoint.evidence(own),
                    place(&mapping.pointer, mapping.words()),
                ])
                .fixed_by(Fix::by(format!("write {internal}"), edits)),
        );
    }
}

/// A port that is published, and that no packet reaches.
fn blocked(endpoint: &Ruled<'_>, mapping: &Mapping, found: &mut Vec<Finding>) {
    // WinNAT translates IPv4 alone (hns-behaviour 5.1).
    let addresses = endpoint.addresses.iter().filter_map(|own| u32::of(*own));
    let addresses: Vec<(u32, u32)> = addresses.map(|own| (own, own)).collect();
    let (to, passing, is_blocked) = {
        let rules = &endpoint.families[0];
        let mut space = rules.space.borrow_mut();
        let to = arriving(&mut space, mapping, addresses);
        let port = endpoint
            .switch
            .passes(&mut space, PortIndex(0), Direction::In);
        let passing = space.and(to, port);
        let blocks = rules
            .standings
            .iter()
            .filter(|own| own.direction == Direction::In && own.action == AclAction::Block);
        let blocks = blocks.fold(Region::EMPTY, |all, own| space.or(all, own.matches));
        (to, passing, space.minus(to, blocks) == Region::EMPTY)
    };
    if passing != Region::EMPTY {
        return;
    }
    let message = format!("{}, and the rules let nothing in there", mapping.words());
    let finding = Finding::new(
        "published-port-blocked",
        endpoint.name,
        &mapping.pointer,
        message,
    )
    .with(endpoint.packet(0, to, Direction::In));
    found.push(match is_blocked {
        // Somebody says so.
        true => finding.noted(),
        false => finding,
    });
}

fn arriving(space: &mut Space, mapping: &Mapping, addresses: Vec<(u32, u32)>) -> Region {
    debug_assert_eq!(space.family(), Family::V4);
    let mut protocols = ProtocolSet::NONE;
    protocols.insert(mapping.protocol.0);
    let conditions = Conditions::<u32> {
        protocols,
        local: match addresses.is_empty() {
            true => Extent::Any,
            false => Extent::of(addresses),
        },
        local_ports: Extent::of(vec![(mapping.internal, mapping.internal)]),
        ..Conditions::none()
    };
    space.of(&conditions, Direction::In)
}
