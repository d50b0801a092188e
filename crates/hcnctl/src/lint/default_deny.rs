// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an endpoint's rules do to the packets that none of them names.
//!
//! Apart from checks of single rules: here the trouble is what is missing. Asked is what the profile's default does, over all packets.

use hcn_engine::{
    Direction, Family, Layer, PortIndex, Protocol,
    classifier::{Address, Conditions, Extent, ProtocolSet},
    semantics::DefaultDeny,
    space::{Region, Space},
};
use hcn_schema::policy::AclAction;
use serde_json::{Value, json};

use super::{
    finding::Finding,
    fix::{Edit, Fix},
    rules::Ruled,
};

/// The weakest priority that works (hns-behaviour 4.4).
const WEAKEST: u16 = 65_500;
const DIRECTIONS: [Direction; 2] = [Direction::In, Direction::Out];

/// Looks at the layer of Switch rules, whose default is told by the record.
pub(super) fn check(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let semantics = &endpoint.subject.profile.semantics;
    let deny = semantics.default_deny;
    // Which layers' rules turn the default on (Q3).
    let turns_on = |layer: Layer| {
        layer == Layer::Switch || (layer == Layer::Host && semantics.host_rule_flips_switch)
    };
    let first = endpoint
        .rules
        .iter()
        .find(|own| turns_on(own.layer) && own.rule.is_some());
    let (Some(first), true) = (first, deny != DefaultDeny::Never && endpoint.is_enforced()) else {
        return;
    };
    let allows = DIRECTIONS.map(|direction| has_allow(endpoint, direction));
    // Directions in which the default drops something.
    let open: Vec<Direction> = DIRECTIONS
        .into_iter()
        .filter(|direction| {
            let is_ruled = endpoint.rules.iter().any(|own| {
                turns_on(own.layer)
                    && own
                        .rule
                        .as_ref()
                        .is_some_and(|rule| rule.direction == *direction)
            });
            is_ruled || deny == DefaultDeny::BothDirections
        })
        .filter(|direction| {
            (0..2).any(|family| unnamed(endpoint, family, *direction) != Region::EMPTY)
        })
        .collect();
    match allows {
        [false, false] if !open.is_empty() => {
            let directions: Vec<String> = open.iter().map(Direction::to_string).collect();
            let evidence: Vec<_> = open
                .iter()
                .filter_map(|direction| default_drops(endpoint, *direction))
                .collect();
            let edits = open
                .iter()
                .map(|direction| closing(endpoint, "Allow", *direction))
                .collect();
            let message = format!(
                "Block rules alone: what none of them names is dropped too, {}",
                directions.join(" and ")
            );
            let words = "add an Allow rule without conditions, priority 65500, for each direction that is to stay open";
            found.push(
                Finding::new("lone-block", endpoint.name, &first.pointer, message)
                    .with(evidence)
                    .fixed_by(Fix::by(words, edits)),
            );
        }
        [false, true] | [true, false] => {
            let direction = if allows[0] {
                Direction::Out
            } else {
                Direction::In
            };
            if open.contains(&direction) {
                let message = format!(
                    "rules allow traffic {} only; everything else {direction} is dropped by default",
                    direction.reverse()
                );
                let words = format!(
                    "if that is meant, say so by a Block {direction} rule without conditions, priority 65500; else add an Allow {direction} rule"
                );
                let edit = closing(endpoint, "Block", direction);
                found.push(
                    Finding::new("one-way-rules", endpoint.name, &first.pointer, message)
                        .with(default_drops(endpoint, direction))
                        .fixed_by(Fix::by(words, vec![edit])),
                );
            }
        }
        _ => {}
    }
    if allows[1] {
        dns(endpoint, &first.pointer, found);
    }
}

/// Whether a Switch rule lets anything pass in a direction.
fn has_allow(endpoint: &Ruled<'_>, direction: Direction) -> bool {
    endpoint.families.iter().any(|family| {
        family.standings.iter().any(|standing| {
            standing.layer == Layer::Switch
                && standing.direction == direction
                && standing.action == AclAction::Allow
                && standing.matches != Region::EMPTY
        })
    })
}

/// The packets that no Switch rule names.
fn unnamed(endpoint: &Ruled<'_>, family: usize, direction: Direction) -> Region {
    let rules = &endpoint.families[family];
    let mut space = rules.space.borrow_mut();
    let of_layer = rules
        .standings
        .iter()
        .filter(|standing| standing.layer == Layer::Switch && standing.direction == direction);
    let named = of_layer.fold(Region::EMPTY, |named, standing| {
        space.or(named, standing.matches)
    });
    space.minus(Region::FULL, named)
}

/// A packet that is dropped because no rule names it; of a family that the endpoint has.
fn default_drops(endpoint: &Ruled<'_>, direction: Direction) -> Option<super::Evidence> {
    let is_four = |address: &std::net::IpAddr| address.is_ipv4();
    let only_six = !endpoint.addresses.is_empty() && !endpoint.addresses.iter().any(is_four);
    let families = if only_six { [1, 0] } else { [0, 1] };
    families.into_iter().find_map(|family| {
        let region = unnamed(endpoint, family, direction);
        endpoint.packet(family, region, direction)
    })
}

/// A rule without conditions at the weakest priority, in the shape of the endpoint's document.
fn closing(endpoint: &Ruled<'_>, action: &str, direction: Direction) -> Edit {
    let mut settings = json!({
        "Action": action, "Direction": direction.to_string(), "Priority": WEAKEST, "RuleType": "Switch"
    });
    let policy: Value = if endpoint.is_v1 {
        settings["Type"] = "ACL".into();
        settings
    } else {
        json!({"Type": "ACL", "Settings": settings})
    };
    Edit::Append("/Policies".to_owned(), policy)
}

/// Whether an endpoint that may open flows may also ask for names.
fn dns(endpoint: &Ruled<'_>, pointer: &str, found: &mut Vec<Finding>) {
    let servers = endpoint.endpoint.dns.or_default();
    let servers: Vec<std::net::IpAddr> = servers
        .server_list
        .get()
        .into_iter()
        .flatten()
        .filter_map(|server| server.trim().parse().ok())
        .collect();
    for (family, kind) in [Family::V4, Family::V6].into_iter().enumerate() {
        let has_address = endpoint
            .addresses
            .iter()
            .any(|address| Family::from(*address) == kind);
        let asked = servers.iter().any(|server| Family::from(*server) == kind);
        // Nothing tells that it asks a server of this family.
        if !(has_address || endpoint.addresses.is_empty() && family == 0)
            || !servers.is_empty() && !asked
        {
            continue;
        }
        let (queries, blocked_by_rule) = {
            let mut space = endpoint.families[family].space.borrow_mut();
            let queries = match kind {
                Family::V4 => queries::<u32>(&mut space, &servers),
                Family::V6 => queries::<u128>(&mut space, &servers),
            };
            let passing = endpoint
                .switch
                .passes(&mut space, PortIndex(0), Direction::Out);
            if space.and(queries, passing) != Region::EMPTY || passing == Region::EMPTY {
                continue;
            }
            let blocks = endpoint.families[family]
                .standings
                .iter()
                .filter(|standing| {
                    standing.direction == Direction::Out && standing.action == AclAction::Block
                });
            let blocked = blocks.fold(Region::EMPTY, |all, block| space.or(all, block.matches));
            (queries, space.minus(queries, blocked) == Region::EMPTY)
        };
        if blocked_by_rule {
            continue;
        }
        let message =
            "rules allow some traffic Out, and none to a DNS server: names cannot be resolved";
        found.push(
            Finding::new("dns-blocked", endpoint.name, pointer, message).with(endpoint.packet(
                family,
                queries,
                Direction::Out,
            )),
        );
        return;
    }
}

/// Questions to these servers; to any, where none is known.
fn queries<A: Address + Into<u128>>(space: &mut Space, servers: &[std::net::IpAddr]) -> Region {
    let mut udp = ProtocolSet::NONE;
    udp.insert(Protocol::UDP.0);
    let servers: Vec<(A, A)> = servers
        .iter()
        .filter_map(|server| A::of(*server))
        .map(|server| (server, server))
        .collect();
    let conditions = Conditions::<A> {
        protocols: udp,
        remote: match servers.is_empty() {
            true => Extent::Any,
            false => Extent::of(servers),
        },
        remote_ports: Extent::of(vec![(53, 53)]),
        ..Conditions::none()
    };
    space.of(&conditions, Direction::Out)
}
