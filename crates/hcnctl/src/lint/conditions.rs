// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one rule says by itself: addresses that mean everybody or nobody, ports without a protocol, priorities.
//!
//! Apart from [`super::faults`]: HNS takes all of this.

use std::net::IpAddr;

use hcn_engine::{Direction, Layer, Protocol, acl::Rule, classifier::ProtocolSet};
use hcn_schema::{load_balancer::LoadBalancerPortMappingFlags, policy::AclAction};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{
    finding::{self, Finding, place},
    fix::{Edit, Fix},
    rules::{OwnRule, Ruled},
};

/// Looks at every rule that can be read.
pub(super) fn check(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    for own in &endpoint.rules {
        let Some(rule) = &own.rule else {
            continue;
        };
        let before = found.len();
        ports(endpoint, own, rule, found);
        families(endpoint, own, rule, found);
        echo_family(endpoint, own, rule, found);
        source_ports(endpoint, own, rule, found);
        whose_addresses(endpoint, own, rule, found);
        any_address(endpoint, own, rule, found);
        priority(endpoint, own, rule, found);
        let is_told = found[before..].iter().any(|finding| {
            ["ports-without-protocol", "mixed-families"].contains(&finding.check.name)
        });
        if !is_told {
            matches_nothing(endpoint, own, rule, found);
        }
    }
}

fn has_ports(rule: &Rule) -> bool {
    !rule.local_ports.is_empty() || !rule.remote_ports.is_empty()
}

/// The first of its port lists that is not empty.
fn port_member(rule: &Rule) -> &'static str {
    match rule.local_ports.is_empty() {
        true => "RemotePorts",
        false => "LocalPorts",
    }
}

fn names(protocols: ProtocolSet) -> String {
    let numbers = (0..=u8::MAX).filter(|number| protocols.contains(*number));
    let names: Vec<String> = numbers.map(|number| Protocol(number).to_string()).collect();
    names.join(", ")
}

fn ports(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    if !has_ports(rule) {
        return;
    }
    let member = own.member(port_member(rule));
    let with = rule.protocols.filter(|number| Protocol(number).has_ports());
    let without = rule
        .protocols
        .filter(|number| !Protocol(number).has_ports());
    if rule.protocols == ProtocolSet::ALL {
        let message = "names ports and no protocol; they mean something for TCP and UDP";
        found.push(
            Finding::new("ports-for-any-protocol", endpoint.name, member, message)
                .with([endpoint.evidence(own)])
                .fixed_by(Fix::by(
                    "name the protocols that are meant: 6 (TCP), 17 (UDP), or both",
                    vec![Edit::Set(own.member("Protocols"), json!("6,17"))],
                )),
        );
    } else if with == ProtocolSet::NONE {
        let message = format!(
            "names ports, and {} has none: no packet meets the rule",
            names(rule.protocols)
        );
        found.push(
            Finding::new("ports-without-protocol", endpoint.name, member, message)
                .with([endpoint.evidence(own)]),
        );
    } else if without != ProtocolSet::NONE {
        let message = format!(
            "names ports, so packets of {} never meet the rule",
            names(without)
        );
        let numbers = (0..=u8::MAX).filter(|number| with.contains(*number));
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        found.push(
            Finding::new("ports-and-portless-protocol", endpoint.name, member, message)
                .with([endpoint.evidence(own)])
                .fixed_by(Fix::by(
                    "leave the protocols without ports out, and write a rule of their own for them if they are meant",
                    vec![Edit::Set(own.member("Protocols"), numbers.join(",").into())],
                )),
        );
    }
}

/// Whether all of a field's addresses are of one family: `Some(true)` for IPv4.
fn family(addresses: &hcn_engine::acl::Addresses) -> Option<bool> {
    let first = addresses.prefixes.first()?.addr().is_ipv4();
    let is_same = |prefix: &IpNet| prefix.addr().is_ipv4() == first;
    (addresses.sets.is_empty() && addresses.prefixes.iter().all(is_same)).then_some(first)
}

fn families(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    let sides = (
        family(&rule.local_addresses),
        family(&rule.remote_addresses),
    );
    let (Some(local), Some(remote)) = sides else {
        return;
    };
    if local != remote {
        let word = |is_four| if is_four { "IPv4" } else { "IPv6" };
        let message = format!(
            "local addresses are {} and remote ones {}: no packet has both",
            word(local),
            word(remote)
        );
        found.push(
            Finding::new("mixed-families", endpoint.name, &own.pointer, message)
                .with([endpoint.evidence(own)]),
        );
    }
}

/// The echo of one family with addresses of the other.
fn echo_family(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    let only = |protocol: Protocol| {
        let others = rule.protocols.filter(|number| number != protocol.0);
        rule.protocols.contains(protocol.0) && others == ProtocolSet::NONE
    };
    let sides = [
        ("LocalAddresses", family(&rule.local_addresses)),
        ("RemoteAddresses", family(&rule.remote_addresses)),
    ];
    for (member, is_four) in sides {
        let (own_protocol, addresses, meant) = match is_four {
            Some(true) if only(Protocol::ICMPV6) => ("58 (ICMPv6)", "IPv4", "1 (ICMP)"),
            Some(false) if only(Protocol::ICMP) => ("1 (ICMP)", "IPv6", "58 (ICMPv6)"),
            _ => continue,
        };
        let message = format!(
            "names protocol {own_protocol} with {addresses} addresses, between which that is {meant}"
        );
        found.push(
            Finding::new(
                "icmp-other-family",
                endpoint.name,
                own.member(member),
                message,
            )
            .with([endpoint.evidence(own)]),
        );
        return;
    }
}

/// Ports from here on are those that systems choose for clients (Linux from 32768, Windows from 49152).
const CHOSEN: u16 = 32_768;

/// Ports of the end that opens the flow, where those of services are meant.
fn source_ports(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    let (member, sources, destinations, whose) = match rule.direction {
        Direction::In => (
            "RemotePorts",
            &rule.remote_ports,
            &rule.local_ports,
            "the port from which the other side sends",
        ),
        Direction::Out => (
            "LocalPorts",
            &rule.local_ports,
            &rule.remote_ports,
            "the port from which the endpoint itself sends",
        ),
    };
    let is_chosen = |(_, last): &(u16, u16)| *last >= CHOSEN;
    if sources.is_empty() || !destinations.is_empty() || sources.iter().any(is_chosen) {
        return;
    }
    if !rule.protocols.contains(Protocol::TCP.0) && !rule.protocols.contains(Protocol::UDP.0) {
        return;
    }
    let message = format!(
        "{member} of an {} rule is {whose}, which a client's system chooses",
        rule.direction
    );
    let finding = Finding::new("source-port", endpoint.name, own.member(member), message)
        .with([endpoint.evidence(own)]);
    // Some services of UDP speak from a port of their own, DHCP for one.
    found.push(match rule.protocols.contains(Protocol::TCP.0) {
        true => finding,
        false => finding.noted(),
    });
}

fn listed(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(",")
}

/// Addresses on the wrong side.
fn whose_addresses(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    if endpoint.addresses.is_empty() {
        return;
    }
    let is_own = |prefix: &IpNet| {
        endpoint
            .addresses
            .iter()
            .any(|address| prefix.contains(address))
    };
    let is_one = |prefix: &IpNet| prefix.prefix_len() == prefix.max_prefix_len();
    let local = &rule.local_addresses;
    let addresses = || {
        place(
            "/IpConfigurations",
            format!("the endpoint has {}", listed(&endpoint.addresses)),
        )
    };
    let kept = kept_destinations(endpoint);
    let is_kept = |prefix: &IpNet| kept.iter().any(|address| prefix.contains(address));
    let is_here = |prefix: &IpNet| is_own(prefix) || is_kept(prefix);
    if local.sets.is_empty() && !local.prefixes.is_empty() && !local.prefixes.iter().any(is_here) {
        let member = own.member("LocalAddresses");
        let message = "names local addresses, and the endpoint has none of them: the rule does not match its traffic";
        let same_family: Vec<IpAddr> = endpoint
            .addresses
            .iter()
            .filter(|address| {
                let mut prefixes = local.prefixes.iter();
                prefixes.any(|prefix| prefix.addr().is_ipv4() == address.is_ipv4())
            })
            .copied()
            .collect();
        let edits = match same_family.is_empty() {
            true => Vec::new(),
            false => vec![Edit::Set(
                member.clone(),
                Value::String(listed(&same_family)),
            )],
        };
        found.push(
            Finding::new("foreign-local-address", endpoint.name, member, message)
                .with([endpoint.evidence(own), addresses()])
                .fixed_by(Fix::by(
                    "write the endpoint's own address; or use RemoteAddresses, if the other side is meant",
                    edits,
                )),
        );
    }
    let remote = &rule.remote_addresses;
    let only_own = |prefix: &IpNet| is_one(prefix) && is_own(prefix);
    if remote.sets.is_empty() && !remote.prefixes.is_empty() && remote.prefixes.iter().all(only_own)
    {
        let message = "names the endpoint's own addresses as the other side: what it sends to itself does not cross its port";
        found.push(
            Finding::new(
                "own-remote-address",
                endpoint.name,
                own.member("RemoteAddresses"),
                message,
            )
            .with([endpoint.evidence(own), addresses()]),
        );
    }
}

/// Virtual addresses with which packets come to the endpoint: those of load balancers that keep the destination and have it for a backend.
fn kept_destinations(endpoint: &Ruled<'_>) -> Vec<IpAddr> {
    let balancers = endpoint.subject.load_balancers.iter();
    let keeping = balancers.filter(|known| {
        let backends = known.document.host_compute_endpoints.get();
        let mut backends = backends.into_iter().flatten();
        let mappings = known.document.port_mappings.get();
        let mut mappings = mappings.into_iter().flatten();
        backends.any(|id| id.guid() == Some(endpoint.name.id))
            && mappings.any(|mapping| {
                let flags = mapping.flags.or_default();
                flags.contains(LoadBalancerPortMappingFlags::ENABLE_PRESERVE_DIP)
            })
    });
    let vips = keeping.flat_map(|known| known.document.frontend_vips.get().into_iter().flatten());
    vips.filter_map(|vip| vip.trim().parse().ok()).collect()
}

/// A rule about everybody: one with some condition, and none on who or which port the other side is; or one whose addresses are written and empty.
fn any_address(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    // Sets mean source and destination whichever the direction, so a set on either side names somebody.
    if !rule.remote_addresses.is_any() || !rule.local_addresses.sets.is_empty() {
        return;
    }
    // A list that came out empty: the other side's, or the one in which sets name the source.
    let mut members = ["RemoteAddresses", "LocalAddresses"].into_iter();
    let is_empty = |member: &&str| is_written_empty(endpoint, own, member);
    let (member, message) = match members.find(is_empty) {
        Some(member) => {
            let whom = match rule.direction {
                Direction::In => "comes from",
                Direction::Out => "goes to",
            };
            let message = format!(
                "{member} is written and empty, which means every address: {} {} is about what {whom} everybody",
                rule.action, rule.direction
            );
            (member, message)
        }
        None => {
            let (ports, side) = match rule.direction {
                Direction::In => (&rule.local_ports, "from everybody, to every port"),
                Direction::Out => (&rule.remote_ports, "to everybody, on every port"),
            };
            let with_ports = rule.protocols.filter(|number| Protocol(number).has_ports());
            // All protocols and no port: the closing rule that people write on purpose, and the baseline of agents and of policy files.
            let is_closing = rule.protocols == ProtocolSet::ALL && !has_ports(rule);
            if !ports.is_empty() || with_ports == ProtocolSet::NONE || is_closing {
                return;
            }
            let message = format!(
                "{} {} has no remote address and no destination port: {}, {side}",
                rule.action,
                rule.direction,
                names(with_ports)
            );
            ("RemoteAddresses", message)
        }
    };
    let member = own.member(member);
    let finding =
        Finding::new("any-address", endpoint.name, member, message).with([endpoint.evidence(own)]);
    found.push(match rule.action {
        AclAction::Allow => finding,
        AclAction::Block | AclAction::Pass => finding.noted(),
    });
}

/// Whether a member of the rule is there with nothing in it, by somebody's hand: HNS fills in what a rule of v1 left out, and `InternalPort` beside
/// it, which nobody writes (hns-behaviour 4.9).
fn is_written_empty(endpoint: &Ruled<'_>, own: &OwnRule, member: &str) -> bool {
    let at = |member: &str| finding::at(endpoint.value, &own.member(member));
    let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    at(member).is_some_and(is_blank) && at("InternalPort").is_none()
}

fn priority(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    let member = own.member("Priority");
    if own.layer == Layer::Switch && rule.priority == 0 {
        let how = match own.priority {
            Some(_) => "has priority 0",
            None => "has no priority",
        };
        let message = format!("{how}, which makes it stronger than every other rule");
        let standings = &endpoint.families[0].standings;
        let is_taken = standings.iter().any(|other| {
            other.layer == Layer::Switch && other.direction == rule.direction && other.priority == 1
        });
        let edits = match is_taken {
            true => Vec::new(),
            false => vec![Edit::Set(member.clone(), json!(1))],
        };
        found.push(
            Finding::new("priority-zero", endpoint.name, member, message)
                .with([endpoint.evidence(own)])
                .fixed_by(Fix::by("write a priority from 1 to 65500", edits)),
        );
    } else if rule.priority > 65_500 {
        let message = format!(
            "priority {} is over 65500, the highest that works",
            rule.priority
        );
        found.push(
            Finding::new("priority-too-high", endpoint.name, &member, message)
                .with([endpoint.evidence(own)])
                .fixed_by(Fix::by(
                    "write 65500 or less",
                    vec![Edit::Set(member.clone(), json!(65_500))],
                )),
        );
    }
}

fn matches_nothing(endpoint: &Ruled<'_>, own: &OwnRule, rule: &Rule, found: &mut Vec<Finding>) {
    let semantics = &endpoint.subject.profile.semantics;
    let is_met = rule.conditions::<u32>(&endpoint.sets, semantics).is_some()
        || rule.conditions::<u128>(&endpoint.sets, semantics).is_some();
    // A set without addresses is told by the checks of sets.
    let sets = rule
        .local_addresses
        .sets
        .iter()
        .chain(&rule.remote_addresses.sets);
    let has_empty_set = sets
        .into_iter()
        .any(|id| endpoint.sets.is_empty(id) == Some(true));
    if !is_met && !has_empty_set {
        let message = "no packet meets its conditions";
        found.push(
            Finding::new("matches-nothing", endpoint.name, &own.pointer, message)
                .with([endpoint.evidence(own)])
                .fixed_by(Fix::by(
                    "correct its conditions, or take it away",
                    vec![Edit::Remove(own.pointer.clone())],
                )),
        );
    }
}
