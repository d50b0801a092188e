// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an endpoint's rules do to the packets that none of them names.
//!
//! Apart from checks of single rules: here the trouble is what is missing. Asked is what the profile's default does, over all packets.

use hcn_engine::{
    Direction, Family, Layer, PortIndex, Protocol,
    classifier::{Address, Conditions, Extent, ProtocolSet},
    semantics::DefaultDeny,
    space::{Region, Space},
    standing::Standing,
};
use hcn_schema::policy::AclAction;
use serde_json::{Value, json};

use super::{
    finding::{Evidence, Finding},
    fix::{Edit, Fix},
    rules::{OwnRule, Ruled},
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
    let allows = DIRECTIONS
        .map(|direction| allows_of(endpoint, Layer::Switch, direction).any(|own| own.decides));
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
    // Allow rules may decide packets in their own list, and other lists drop all of these. Where it is the default here that keeps the rest out, it is
    // the same cut-off; where the others let nothing pass at all, it is theirs.
    let cut_off = match allows != [false; 2] && !any_weighs(endpoint) {
        true => {
            lone(endpoint, &first.pointer, &open).filter(|finding| changes_flows(endpoint, finding))
        }
        false => None,
    };
    match allows {
        _ if cut_off.is_some() => found.extend(cut_off),
        [false, false] => found.extend(lone(endpoint, &first.pointer, &open)),
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
        [true, true] => {}
    }
    if allows[1] {
        dns(endpoint, &first.pointer, found);
    }
}

/// The Allow rules of a layer that match anything, in each family.
pub(super) fn allows_of<'a>(
    holder: &'a Ruled<'_>,
    layer: Layer,
    direction: Direction,
) -> impl Iterator<Item = &'a Standing> {
    let all = holder.families.iter().flat_map(|own| &own.standings);
    all.filter(move |own| {
        own.layer == layer
            && own.direction == direction
            && own.action == AclAction::Allow
            && own.matches != Region::EMPTY
    })
}

/// Allow rules that stand beside Block rules and decide nothing, as evidence of what they do not do.
pub(super) fn dead_allows(holder: &Ruled<'_>, layer: Layer) -> Vec<Evidence> {
    const SHOWN: usize = 3;
    let of_layer = |own: &&OwnRule| {
        own.layer == layer
            && own
                .rule
                .as_ref()
                .is_some_and(|rule| rule.action == AclAction::Allow)
    };
    let rules = holder.rules.iter().filter(of_layer).take(SHOWN);
    rules.map(|own| holder.evidence(own)).collect()
}

/// Whether anything hangs on a Switch rule that allows.
pub(super) fn any_weighs(endpoint: &Ruled<'_>) -> bool {
    DIRECTIONS
        .into_iter()
        .any(|direction| allows_of(endpoint, Layer::Switch, direction).any(|own| own.weighs))
}

/// Whether the fix lets other packets pass than the rules as they are.
fn changes_flows(endpoint: &Ruled<'_>, finding: &Finding) -> bool {
    let edited = finding.fix.applied(endpoint.value);
    edited.and_then(|edited| endpoint.subject.same_flows(endpoint.name, &edited)) == Some(false)
}

/// Nothing is allowed, and the default drops what no rule names in these directions.
fn lone(endpoint: &Ruled<'_>, pointer: &str, open: &[Direction]) -> Option<Finding> {
    if open.is_empty() {
        return None;
    }
    let directions: Vec<String> = open.iter().map(Direction::to_string).collect();
    let directions = directions.join(" and ");
    let dead = dead_allows(endpoint, Layer::Switch);
    let message = match dead.len() {
        0 => {
            format!("Block rules alone: what none of them names is dropped too, {directions}")
        }
        _ => format!(
            "no Allow rule lets anything pass: what no rule names is dropped too, {directions}"
        ),
    };
    let evidence = open
        .iter()
        .filter_map(|direction| default_drops(endpoint, *direction));
    let edits = open
        .iter()
        .map(|direction| closing(endpoint, "Allow", *direction));
    let words = "add an Allow rule without conditions, priority 65500, for each direction that is to stay open";
    let finding = Finding::new("lone-block", endpoint.name, pointer, message)
        .with(dead)
        .with(evidence);
    Some(finding.fixed_by(Fix::by(words, edits.collect())))
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
fn default_drops(endpoint: &Ruled<'_>, direction: Direction) -> Option<Evidence> {
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
