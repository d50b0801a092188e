// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules among each other: doubles, rules and items that decide nothing, and ties that decide.
//!
//! Apart from the engine, which knows what becomes of a rule: here it is decided what of that is worth a word. A rule that gives way to stronger
//! ones in part is how exceptions are written; which parts are told all the same, [`partly`] decides.

use std::collections::HashMap;

use hcn_engine::{Direction, acl::Rule, space::Region, standing::Standing, verdict::Layer};
use hcn_schema::policy::AclAction;

use super::{
    default_deny::{allows_of, any_weighs},
    finding::{Evidence, Finding, place},
    fix::{Edit, Fix},
    partly,
    rules::{OwnRule, Ruled},
};

/// Stronger rules that are named one by one.
pub(super) const SHOWN: usize = 3;

/// Looks at every rule among the others.
pub(super) fn check(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let doubles = doubles(endpoint);
    for (own, rule) in endpoint.rules.iter().enumerate() {
        if let Some(first) = doubles.get(&own) {
            let first = &endpoint.rules[*first];
            let message = format!("says the same as {}", first.pointer);
            found.push(
                Finding::new("duplicate-rule", endpoint.name, &rule.pointer, message)
                    .with([endpoint.evidence(first)])
                    .fixed_by(Fix::without_effect(
                        "take it away; the earlier one stays",
                        vec![Edit::Remove(rule.pointer.clone())],
                    )),
            );
            continue;
        }
        if !endpoint.is_enforced() {
            continue;
        }
        let (Some(standings), Some(read)) = (endpoint.standing(rule), &rule.rule) else {
            continue;
        };
        let ties = ties(endpoint, standings);
        if !ties.is_empty() {
            found.push(tie(endpoint, rule, read, standings, &ties));
        }
        let matches = standings.iter().any(|own| own.matches != Region::EMPTY);
        let decides = standings.iter().any(|own| own.decides);
        if matches && !decides && ties.is_empty() {
            found.push(shadowed(endpoint, rule, standings));
        } else if matches && decides && !standings.iter().any(|own| own.weighs) {
            found.push(overruled(endpoint, rule, standings));
        } else if matches && decides {
            partly::check(endpoint, rule, read, standings, found);
        }
    }
}

/// A rule that decides in its own list, and nothing hangs on it.
fn overruled(endpoint: &Ruled<'_>, rule: &OwnRule, standings: [&Standing; 2]) -> Finding {
    let packet = standings.iter().enumerate().find_map(|(family, own)| {
        let region = {
            let mut space = endpoint.families[family].space.borrow_mut();
            own.decided(&mut space)
        };
        endpoint.packet(family, region, own.direction)
    });
    let message = match rule.layer {
        Layer::Tier => {
            "changes nothing: an earlier tier, or rules of another kind, settle all that it decides"
        }
        _ => "changes nothing: rules of another kind drop all packets that it decides",
    };
    // Without its last Allow a list is Block rules alone, which would be the next trouble once the other list is put right. And where nothing hangs
    // on any Switch rule that allows, a Block that goes may leave the default of the Switch layer as the only thing that cuts the endpoint off.
    let is_block = |own: &Rule| own.action == AclAction::Block;
    let allows = [Direction::In, Direction::Out].into_iter();
    let mut allows = allows.flat_map(|direction| allows_of(endpoint, Layer::Switch, direction));
    let leaves_the_default = rule.rule.as_ref().is_some_and(is_block)
        && allows.any(|own| own.decides)
        && !any_weighs(endpoint);
    let edits = match is_last_allow(endpoint, rule) || leaves_the_default {
        true => Vec::new(),
        false => vec![Edit::Remove(rule.pointer.clone())],
    };
    Finding::new("overruled-rule", endpoint.name, &rule.pointer, message)
        .with(packet)
        .fixed_by(Fix::by(
            "take it away; or, if it is meant, change what settles these packets before",
            edits,
        ))
}

/// Whether no other Allow of its layer decides anything.
fn is_last_allow(endpoint: &Ruled<'_>, rule: &OwnRule) -> bool {
    let others = [Direction::In, Direction::Out].into_iter();
    let mut others = others.flat_map(|direction| allows_of(endpoint, rule.layer, direction));
    rule.rule
        .as_ref()
        .is_some_and(|own| own.action == AclAction::Allow)
        && !others.any(|own| own.decides && own.pointer != rule.pointer)
}

/// Rules that say the same as an earlier one, with that one.
fn doubles(endpoint: &Ruled<'_>) -> HashMap<usize, usize> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut doubles = HashMap::new();
    for (own, rule) in endpoint.rules.iter().enumerate() {
        let Some(read) = &rule.rule else {
            continue;
        };
        let key = format!("{:?} {:?} {:?}", rule.layer, rule.list, in_order(read));
        match first.get(&key) {
            Some(earlier) => {
                doubles.insert(own, *earlier);
            }
            None => {
                first.insert(key, own);
            }
        }
    }
    doubles
}

/// The rule with its lists in an order of their own: `80,443` is `443,80`.
fn in_order(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    for addresses in [&mut rule.local_addresses, &mut rule.remote_addresses] {
        addresses.prefixes.sort();
        addresses.prefixes.dedup();
        addresses.sets.sort();
        addresses.sets.dedup();
    }
    for ports in [&mut rule.local_ports, &mut rule.remote_ports] {
        ports.sort_unstable();
        ports.dedup();
    }
    rule
}

/// Rules of the same priority that win packets of this one: family and place.
fn ties(endpoint: &Ruled<'_>, standings: [&Standing; 2]) -> Vec<(usize, usize)> {
    let mut ties: Vec<(usize, usize)> = Vec::new();
    for (family, own) in standings.into_iter().enumerate() {
        for place in &own.deciders {
            let other = &endpoint.families[family].standings[*place];
            let is_tie = other.priority == own.priority && other.action != own.action;
            if is_tie && !ties.iter().any(|(_, known)| known == place) {
                ties.push((family, *place));
            }
        }
    }
    ties
}

fn tie(
    endpoint: &Ruled<'_>,
    rule: &OwnRule,
    read: &Rule,
    standings: [&Standing; 2],
    ties: &[(usize, usize)],
) -> Finding {
    let (family, winner) = ties[0];
    let region = {
        let mut space = endpoint.families[family].space.borrow_mut();
        standings[family].decided_by(&mut space, winner)
    };
    let other = &endpoint.families[family].standings[winner];
    let more = match ties.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let message = format!(
        "{} at priority {} loses packets to {} at the same priority, {}{more}",
        read.action, read.priority, other.action, other.pointer
    );
    let own: Vec<Evidence> = [told(endpoint, other)]
        .into_iter()
        .chain(endpoint.packet(family, region, read.direction))
        .collect();
    let words = "give the two rules different priorities; lower is stronger";
    let next = read.priority.checked_add(1).filter(|next| {
        let list = endpoint.families[family].standings.iter();
        let mut list = list.filter(|other| {
            other.layer == standings[0].layer && other.direction == standings[0].direction
        });
        *next <= 65_500 && !list.any(|other| other.priority == *next)
    });
    let finding = Finding::new("tie-decides", endpoint.name, &rule.pointer, message).with(own);
    match next {
        Some(next) => finding.fixed_by(Fix::by(
            format!("if the other is to win, give this one priority {next}; if this one is to win, a number below {}", read.priority),
            vec![Edit::Set(rule.member("Priority"), next.into())],
        )),
        None => finding.fixed_by(Fix::in_words(words)),
    }
}

/// Another rule of the port as evidence; one of the network stands in another document.
pub(super) fn told(endpoint: &Ruled<'_>, standing: &Standing) -> Evidence {
    let network = endpoint
        .network
        .filter(|network| network.name.id == standing.object && network.name != *endpoint.name);
    match (endpoint.rule_at(&standing.pointer), network) {
        (_, Some(network)) => super::finding::place_of(
            &network.name,
            &standing.pointer,
            format!("{} {}", standing.action, standing.direction),
        ),
        (Some(own), None) => endpoint.evidence(own),
        (None, None) => place(&standing.pointer, standing.action.to_string()),
    }
}

fn shadowed(endpoint: &Ruled<'_>, rule: &OwnRule, standings: [&Standing; 2]) -> Finding {
    let mut deciders: Vec<&Standing> = Vec::new();
    for (family, own) in standings.into_iter().enumerate() {
        for place in &own.deciders {
            let other = &endpoint.families[family].standings[*place];
            if !deciders.iter().any(|known| known.pointer == other.pointer) {
                deciders.push(other);
            }
        }
    }
    let own = standings[0].action;
    let others = deciders.iter().filter(|other| other.action != own).count();
    let message = match (deciders.len(), others) {
        (1, 0) => {
            "a stronger rule decides all packets that it matches, and does the same".to_owned()
        }
        (1, _) => {
            "a stronger rule decides all packets that it matches, and does otherwise".to_owned()
        }
        (count, 0) => {
            format!("{count} stronger rules decide all packets that it matches, and do the same")
        }
        (count, others) => format!(
            "{count} stronger rules decide all packets that it matches, {others} of them otherwise"
        ),
    };
    let message = format!("decides nothing: {message}");
    Finding::new("shadowed-rule", endpoint.name, &rule.pointer, message)
        .with(
            deciders
                .into_iter()
                .take(SHOWN)
                .map(|other| told(endpoint, other)),
        )
        .fixed_by(Fix::without_effect(
            "take it away; or, if it is meant, give it a lower priority number than the rules that decide in its place",
            vec![Edit::Remove(rule.pointer.clone())],
        ))
}
