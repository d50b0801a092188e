// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of a rule that decide nothing, while the rest of it does.
//!
//! Apart from [`super::standing`], which knows whole rules: here it is decided which parts are worth a word. A stronger rule about something narrower
//! is an exception, and meant. Told are items of a list that are dead as a whole, a protocol with a port that the rule names both, and ports on which
//! a stronger rule reaches into those of this one and beyond, so that neither is an exception from the other.

use hcn_engine::{
    Direction, Family,
    acl::Rule,
    classifier::{Address, Conditions, Extent, ProtocolSet},
    space::{Region, Space},
    standing::Standing,
};
use serde_json::Value;

use super::{
    finding::Finding,
    fix::{Edit, Fix},
    rules::{OwnRule, Ruled},
    standing::{SHOWN, told},
};

/// Items of a list that are asked one by one; a longer list is a machine's, and nobody reads it.
const ITEMS: usize = 64;
/// Protocols that are asked one by one: more are not named but ranged over.
const PROTOCOLS: usize = 8;

/// Looks for parts of a rule that decides something.
pub(super) fn check(
    endpoint: &Ruled<'_>,
    rule: &OwnRule,
    read: &Rule,
    standings: [&Standing; 2],
    found: &mut Vec<Finding>,
) {
    found.extend(dead_items(endpoint, rule, read, standings));
    found.extend(dead_services(endpoint, rule, read, standings));
}

/// Protocols and ports of which a rule decides no packet, and stronger rules decide otherwise.
fn dead_services(
    endpoint: &Ruled<'_>,
    rule: &OwnRule,
    read: &Rule,
    standings: [&Standing; 2],
) -> Option<Finding> {
    let member = match (read.local_ports.is_empty(), read.remote_ports.is_empty()) {
        (false, _) => "LocalPorts",
        (true, false) => "RemotePorts",
        (true, true) => return None,
    };
    let (words, deciders) = [0, 1].into_iter().find_map(|family| {
        let own = standings[family];
        let mut space = endpoint.families[family].space.borrow_mut();
        let space = &mut *space;
        let here = own_traffic(endpoint, space, read.direction);
        let matches = space.and(own.matches, here);
        let decided = own.decided(space);
        let decided = space.and(decided, here);
        let (all, live) = (services(space, matches), services(space, decided));
        if space.minus(all, live) == Region::EMPTY {
            return None;
        }
        // The rules of its list that decide packets of it, and do otherwise.
        let others = endpoint.families[family].standings.iter().enumerate();
        let mut others: Vec<(usize, Region)> = others
            .filter(|(_, other)| {
                other.layer == own.layer
                    && other.direction == own.direction
                    && other.action != own.action
                    && other.matches != Region::EMPTY
            })
            .map(|(place, _)| (place, own.decided_by(space, place)))
            .filter(|(_, region)| *region != Region::EMPTY)
            .collect();
        let lost = others
            .iter()
            .fold(Region::EMPTY, |lost, (_, region)| space.or(lost, *region));
        let kept = space.minus(matches, lost);
        let kept = services(space, kept);
        let dead = space.minus(all, kept);
        let mut exceptions = Region::EMPTY;
        for (place, _) in &others {
            let reach = services(space, endpoint.families[family].standings[*place].matches);
            if space.minus(reach, all) == Region::EMPTY {
                exceptions = space.or(exceptions, reach);
            }
        }
        let mut told = space.minus(dead, exceptions);
        for pair in pairs(read) {
            let pair = region(endpoint, space, &pair);
            let pair = services(space, pair);
            if pair != Region::EMPTY && space.minus(pair, dead) == Region::EMPTY {
                told = space.or(told, pair);
            }
        }
        // What is dead of a list as a whole item is told as that.
        let lists = items(read, 2).into_iter();
        for (_, item) in lists
            .filter(|items| items.member.ends_with("Ports"))
            .flat_map(|items| items.alone)
        {
            let item = region(endpoint, space, &item);
            let item = services(space, item);
            if space.and(item, live) == Region::EMPTY {
                told = space.minus(told, item);
            }
        }
        if told == Region::EMPTY {
            return None;
        }
        others.retain(|(_, region)| {
            let services = services(space, *region);
            space.and(services, told) != Region::EMPTY
        });
        let places = others.into_iter().map(|(place, _)| (family, place));
        Some((space.services(told), places.collect::<Vec<_>>()))
    })?;
    let message = format!("stronger rules decide {words} otherwise");
    let evidence = deciders
        .iter()
        .take(SHOWN)
        .map(|(family, place)| told(endpoint, &endpoint.families[*family].standings[*place]));
    Some(
        Finding::new("partly-shadowed-rule", endpoint.name, rule.member(member), message)
            .with([endpoint.evidence(rule)])
            .with(evidence)
            .fixed_by(Fix::in_words(format!(
                "leave {words} out of it; or, if that is meant, give the rule a lower priority number than those that decide in its place"
            ))),
    )
}

/// The packets that have an address of the endpoint at its end; all, where none of the family is known.
fn own_traffic(endpoint: &Ruled<'_>, space: &mut Space, direction: Direction) -> Region {
    fn of<A: Address + Into<u128>>(
        endpoint: &Ruled<'_>,
        space: &mut Space,
        direction: Direction,
    ) -> Region {
        let own = endpoint.addresses.iter();
        let own: Vec<(A, A)> = own
            .filter_map(|address| A::of(*address))
            .map(|address| (address, address))
            .collect();
        let local = match own.is_empty() {
            true => Extent::Any,
            false => Extent::of(own),
        };
        let conditions = Conditions::<A> {
            local,
            ..Conditions::none()
        };
        space.of(&conditions, direction)
    }
    match space.family() {
        Family::V4 => of::<u32>(endpoint, space, direction),
        Family::V6 => of::<u128>(endpoint, space, direction),
    }
}

/// The protocols and ports of a region, whatever its addresses.
fn services(space: &mut Space, region: Region) -> Region {
    let mut all = Region::EMPTY;
    // A packet is asked for its source first, which is the other side of what comes in; then for its destination.
    for (destinations, _) in space.by_address(region, Direction::In) {
        for (services, _) in space.by_address(destinations, Direction::Out) {
            all = space.or(all, services);
        }
    }
    all
}

/// The rule with one of its protocols and one item of a port list, where it names both.
fn pairs(rule: &Rule) -> Vec<Rule> {
    let protocols: Vec<u8> = (0..=u8::MAX)
        .filter(|number| rule.protocols.contains(*number))
        .take(PROTOCOLS + 1)
        .collect();
    if protocols.len() > PROTOCOLS {
        return Vec::new();
    }
    let ports = items(rule, 1)
        .into_iter()
        .filter(|items| items.member.ends_with("Ports"));
    let alone = ports.flat_map(|items| items.alone);
    let pairs = alone.flat_map(|(_, alone)| {
        let of = |number: &u8| {
            let mut protocols = ProtocolSet::NONE;
            protocols.insert(*number);
            Rule {
                protocols,
                ..alone.clone()
            }
        };
        protocols.iter().map(of).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// One list of a rule: its member, and the rule with one of its items alone.
struct Items {
    member: &'static str,
    /// An item in words, and the rule that has only this item there.
    alone: Vec<(String, Rule)>,
}

/// The lists of a rule that have at least so many items, and no more than can be asked one by one.
fn items(rule: &Rule, least: usize) -> Vec<Items> {
    let mut all = Vec::new();
    for (member, is_local) in [("LocalAddresses", true), ("RemoteAddresses", false)] {
        let addresses = match is_local {
            true => &rule.local_addresses,
            false => &rule.remote_addresses,
        };
        // Sets are intersected, with each other and with addresses beside them: an item of theirs is no part of the rule.
        if !addresses.sets.is_empty() {
            continue;
        }
        let alone = addresses.prefixes.iter().map(|prefix| {
            let mut alone = rule.clone();
            let own = match is_local {
                true => &mut alone.local_addresses,
                false => &mut alone.remote_addresses,
            };
            own.prefixes = vec![*prefix];
            let is_host = prefix.prefix_len() == prefix.max_prefix_len();
            let text = match is_host {
                true => prefix.addr().to_string(),
                false => prefix.to_string(),
            };
            (text, alone)
        });
        all.push(Items {
            member,
            alone: alone.collect(),
        });
    }
    for (member, is_local) in [("LocalPorts", true), ("RemotePorts", false)] {
        let ports = match is_local {
            true => &rule.local_ports,
            false => &rule.remote_ports,
        };
        let alone = ports.iter().map(|span| {
            let mut alone = rule.clone();
            match is_local {
                true => alone.local_ports = vec![*span],
                false => alone.remote_ports = vec![*span],
            }
            let text = match span.0 == span.1 {
                true => span.0.to_string(),
                false => format!("{}-{}", span.0, span.1),
            };
            (text, alone)
        });
        all.push(Items {
            member,
            alone: alone.collect(),
        });
    }
    all.retain(|items| (least..=ITEMS).contains(&items.alone.len()));
    all
}

/// Items of the rule's lists that decide nothing.
fn dead_items(
    endpoint: &Ruled<'_>,
    rule: &OwnRule,
    read: &Rule,
    standings: [&Standing; 2],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let own = own_regions(endpoint, rule, standings);
    for items in items(read, 2) {
        let (dead, live): (Vec<_>, Vec<_>) = items.alone.iter().partition(|(_, alone)| {
            let regions = [0, 1].map(|family| {
                let mut space = endpoint.families[family].space.borrow_mut();
                region(endpoint, &mut space, alone)
            });
            let decided = [0, 1].map(|family| {
                let mut space = endpoint.families[family].space.borrow_mut();
                space.and(regions[family], own[family])
            });
            regions != [Region::EMPTY; 2] && decided == [Region::EMPTY; 2]
        });
        if dead.is_empty() {
            continue;
        }
        let texts = |items: &[&(String, Rule)]| {
            let texts: Vec<&str> = items.iter().map(|(text, _)| text.as_str()).collect();
            texts.join(",")
        };
        let (dead, live) = (texts(&dead), texts(&live));
        let message = format!("stronger rules decide all packets to which {dead} applies");
        let member = rule.member(items.member);
        found.push(
            Finding::new("partly-shadowed-rule", endpoint.name, &member, message)
                .with([endpoint.evidence(rule)])
                .fixed_by(Fix::without_effect(
                    format!("leave {dead} out of {}", items.member),
                    vec![Edit::Set(member.clone(), Value::String(live))],
                )),
        );
    }
    found
}

/// The packets that a rule decides.
fn own_regions(endpoint: &Ruled<'_>, rule: &OwnRule, standings: [&Standing; 2]) -> [Region; 2] {
    [0, 1].map(|family| {
        let all = &endpoint.families[family].standings;
        let is_it =
            |other: &Standing| other.pointer == rule.pointer && other.object == endpoint.name.id;
        let mut space = endpoint.families[family].space.borrow_mut();
        match all.iter().position(is_it) {
            Some(place) => standings[family].decided_by(&mut space, place),
            None => Region::EMPTY,
        }
    })
}

/// The packets that a rule matches.
fn region(endpoint: &Ruled<'_>, space: &mut Space, rule: &Rule) -> Region {
    fn of<A: Address + Into<u128>>(
        endpoint: &Ruled<'_>,
        space: &mut Space,
        rule: &Rule,
        direction: Direction,
    ) -> Region {
        let semantics = &endpoint.subject.profile.semantics;
        match rule.conditions::<A>(&endpoint.sets, semantics) {
            Some(conditions) => space.of(&conditions, direction),
            None => Region::EMPTY,
        }
    }
    match space.family() {
        Family::V4 => of::<u32>(endpoint, space, rule, rule.direction),
        Family::V6 => of::<u128>(endpoint, space, rule, rule.direction),
    }
}
