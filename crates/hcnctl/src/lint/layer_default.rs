// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the rules of a network, and the tiers of an endpoint, do to the packets that none of them names.
//!
//! Apart from [`super::default_deny`], which asks the same of an endpoint's ACLs: these lists have a default of their own, so that one Block in them
//! cuts off whatever the ACLs say, and for a network every endpoint of it (hns-behaviour 4.12, 4.14, 4.16).

use hcn_engine::{
    Direction, Layer, parts::Part, semantics::DefaultDeny, space::Region, standing::Standing,
};
use hcn_schema::{
    Policy,
    policy::{AclAction, AclDirection, acl::TierAcl},
};
use serde_json::json;

use super::{
    default_deny::{allows_of, dead_allows},
    finding::{Finding, place},
    fix::{Edit, Fix},
    rules::{self, Ruled},
};

/// The weakest priority that works (hns-behaviour 4.4).
const WEAKEST: u16 = 65_500;
const DIRECTIONS: [Direction; 2] = [Direction::In, Direction::Out];

/// Looks at the rules of a network, or at an endpoint's tiers.
pub(super) fn check(holder: &Ruled<'_>, found: &mut Vec<Finding>) {
    let semantics = &holder.subject.profile.semantics;
    let layer = match holder.name.kind {
        "network" => Layer::Network,
        _ => Layer::Tier,
    };
    let is_silent = layer == Layer::Tier && !semantics.tier_default_deny;
    let deny = semantics.default_deny;
    let Some((pointer, what)) = first(holder, layer) else {
        return;
    };
    if deny == DefaultDeny::Never || is_silent {
        return;
    }
    let part = match layer {
        Layer::Network => Part::NetworkAcl,
        _ => Part::TierAcl,
    };
    // What this version of HNS does not have, another check tells.
    if !holder.is_enforced() || semantics.lacked().has(part) {
        return;
    }
    let of = |direction| move |own: &&Standing| own.layer == layer && own.direction == direction;
    let standings = || holder.families.iter().flat_map(|own| &own.standings);
    // An Allow that stronger rules leave no packet opens nothing.
    let allows =
        DIRECTIONS.map(|direction| allows_of(holder, layer, direction).any(|own| own.decides));
    let dropping: Vec<Direction> = DIRECTIONS
        .into_iter()
        .filter(|direction| {
            deny == DefaultDeny::BothDirections || standings().any(|own| of(*direction)(&own))
        })
        .filter(|direction| {
            (0..2).any(|family| undecided(holder, layer, family, *direction) != Region::EMPTY)
        })
        .collect();
    let whom = match layer {
        Layer::Network => "rules of the network",
        _ => "tiers",
    };
    let evidence = |direction: &Direction| {
        let mut families = [0, 1].into_iter();
        families.find_map(|family| {
            let region = undecided(holder, layer, family, *direction);
            holder.packet(family, region, *direction)
        })
    };
    let at = Finding::new;
    match allows {
        [false, false] if !dropping.is_empty() => {
            let directions: Vec<String> = dropping.iter().map(Direction::to_string).collect();
            let whose = match layer {
                Layer::Network => ", of every endpoint",
                _ => "",
            };
            let message = format!(
                "the {whom} allow nothing: what none of them names is dropped too, {}{whose}",
                directions.join(" and ")
            );
            let edits = dropping
                .iter()
                .map(|direction| closing(holder, layer, "Allow", *direction));
            found.push(
                at("lone-block", holder.name, &pointer, message)
                    .with([place(&pointer, what)])
                    .with(dead_allows(holder, layer))
                    .with(dropping.iter().filter_map(evidence))
                    .fixed_by(Fix::by(
                        "add an Allow rule without conditions, priority 65500, for each direction that is to stay open",
                        edits.collect(),
                    )),
            );
        }
        [false, true] | [true, false] => {
            let closed = match allows[0] {
                true => Direction::Out,
                false => Direction::In,
            };
            if dropping.contains(&closed) {
                let message = format!(
                    "the {whom} allow traffic {} only; everything else {closed} is dropped by default",
                    closed.reverse()
                );
                let words = format!(
                    "if that is meant, say so by a Block {closed} rule without conditions, priority 65500; else add an Allow {closed} rule"
                );
                found.push(
                    at("one-way-rules", holder.name, &pointer, message)
                        .with(evidence(&closed))
                        .fixed_by(Fix::by(
                            words,
                            vec![closing(holder, layer, "Block", closed)],
                        )),
                );
            }
        }
        _ => {}
    }
}

/// The first rule of the layer, or else the first tier: one without rules closes the endpoint all the same, and so does a rule that cannot be read.
fn first(holder: &Ruled<'_>, layer: Layer) -> Option<(String, String)> {
    let mut rules = holder.rules.iter().filter(|own| own.layer == layer);
    if let Some(own) = rules.next() {
        return Some((own.pointer.clone(), own.words.clone()));
    }
    let own = holder.endpoint.policies.get().into_iter().flatten();
    let place = own
        .into_iter()
        .position(|policy| layer == Layer::Tier && policy.is("TierAcl"))?;
    Some((
        format!("/Policies/{place}"),
        "a tier without rules".to_owned(),
    ))
}

/// The packets that no rule of the layer allows or blocks. One that a tier passes on is not decided by that.
fn undecided(holder: &Ruled<'_>, layer: Layer, family: usize, direction: Direction) -> Region {
    let rules = &holder.families[family];
    let mut space = rules.space.borrow_mut();
    let decided = rules
        .standings
        .iter()
        .filter(|own| own.layer == layer && own.direction == direction)
        .filter(|own| own.action != AclAction::Pass)
        .fold(Region::EMPTY, |all, own| space.or(all, own.matches));
    space.minus(Region::FULL, decided)
}

/// A rule without conditions at the weakest priority: of the network, or in the last tier of the direction.
fn closing(holder: &Ruled<'_>, layer: Layer, action: &str, direction: Direction) -> Edit {
    let policies = "/Policies".to_owned();
    if layer == Layer::Network {
        let settings =
            json!({"Action": action, "Direction": direction.to_string(), "Priority": WEAKEST});
        return Edit::Append(
            policies,
            json!({"Type": "NetworkACL", "Settings": settings}),
        );
    }
    let rule = json!({"TierAclRuleAction": action, "Priority": WEAKEST});
    let wanted = match direction {
        Direction::In => AclDirection::In,
        Direction::Out => AclDirection::Out,
    };
    let own = holder.endpoint.policies.get().into_iter().flatten();
    let tiers: Vec<(usize, &Policy, TierAcl)> = own
        .enumerate()
        .filter(|(_, policy)| policy.is("TierAcl"))
        .map(|(place, policy)| (place, policy, policy.settings_as()))
        .collect();
    let of_direction = tiers
        .iter()
        .filter(|(_, _, tier)| tier.direction.get() == Some(&wanted));
    // Of two tiers with one order the later one is asked last.
    let last = of_direction.max_by_key(|(place, _, tier)| (tier.order.or_default(), *place));
    match last {
        Some((place, policy, _)) => {
            let at = rules::settings_at(policy);
            Edit::Append(format!("/Policies/{place}{at}/TierAclRules"), rule)
        }
        None => {
            let order = tiers.iter().map(|(_, _, tier)| tier.order.or_default());
            let settings = json!({
                "Name": format!("{direction} rest"), "Direction": direction.to_string(), "Order": order.max().unwrap_or_default(),
                "TierAclRules": [rule],
            });
            Edit::Append(policies, json!({"Type": "TierAcl", "Settings": settings}))
        }
    }
}
