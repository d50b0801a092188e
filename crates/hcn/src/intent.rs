// SPDX-License-Identifier: MIT OR Apache-2.0
//! Block and allow: what is meant, written as rules of our own among those of others.
//!
//! Our rules carry an `Id` of [`Owner::Hand`]; [`crate::owned`] puts them among those of others, and says how they get to HNS.
//!
//! Any rule of the Switch layer turns on default deny (hns-behaviour 4.3). Where the endpoint had none, two baseline rules come along that
//! allow the rest at the weakest priority, so that blocking one port blocks one port; they go when the last rule of ours goes. Where others
//! have rules, the default is theirs and stays as it is.

use std::fmt;

use hcn_schema::{
    Endpoint,
    policy::{Acl, AclAction, AclDirection},
};

use crate::owned::{Owner, Plan, Standing, merge, rule};

/// `Id` of the baseline rules, before the direction.
const BASELINE: &str = "baseline:";
/// The weakest priority that works (hns-behaviour 4.4).
const WEAKEST: u16 = 65_500;
/// The priority of our most specific rules, that of the walk-through.
const STRONGEST: u16 = 100;

/// The other side of a rule: an address with its prefix length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address or CIDR, as it is written into the rule.
    pub text: String,
    /// Bits of the address that the prefix leaves open; 0 for one address.
    pub open_bits: u8,
}

/// Something to block or to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Block or Allow.
    pub action: AclAction,
    /// Seen from the endpoint.
    pub direction: AclDirection,
    /// IANA protocol number; `None` means any.
    pub protocol: Option<u8>,
    /// First and last port of the destination; `None` means any.
    pub ports: Option<(u16, u16)>,
    /// The other side; `None` means anybody.
    pub peer: Option<Peer>,
}

impl Intent {
    /// What is meant, without the action: two intents of one key replace each other.
    pub fn key(&self) -> String {
        let direction = self.direction.text().to_ascii_lowercase();
        let protocol = self
            .protocol
            .map_or_else(|| "any".to_owned(), |number| number.to_string());
        let ports = self.ports_text().unwrap_or_else(|| "any".to_owned());
        let peer = self.peer.as_ref().map_or("any", |peer| peer.text.as_str());
        format!("{direction}:{protocol}:{ports}:{peer}")
    }

    fn ports_text(&self) -> Option<String> {
        self.ports.map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
    }

    /// The narrower what is meant, the stronger the rule: ports before protocols before the other side. Among equals HNS lets Block win.
    fn priority(&self) -> u16 {
        const ANY_PEER: u16 = 129;
        let ports = match (self.protocol, self.ports) {
            (_, Some((first, last))) if first == last => 0,
            (_, Some(_)) => 500,
            (Some(_), None) => 1000,
            (None, None) => 2000,
        };
        STRONGEST
            + ports
            + self
                .peer
                .as_ref()
                .map_or(ANY_PEER, |peer| u16::from(peer.open_bits))
    }

    /// The rule that says it.
    pub fn rule(&self) -> Acl {
        let mut acl = rule(
            self.action,
            self.direction,
            self.priority(),
            Owner::Hand.id(&self.key()),
        );
        if let Some(protocol) = self.protocol {
            acl.protocols.set(protocol.to_string());
        }
        // Local ports follow local addresses: the destination is local on the way in and remote on the way out (hns-behaviour 4.7).
        if let Some(ports) = self.ports_text() {
            match self.direction {
                AclDirection::In => acl.local_ports.set(ports),
                AclDirection::Out => acl.remote_ports.set(ports),
            }
        }
        if let Some(peer) = &self.peer {
            acl.remote_addresses.set(peer.text.clone());
        }
        acl
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.key())
    }
}

/// Plans an intent on an endpoint; pure.
pub fn plan(endpoint: &Endpoint, intent: &Intent) -> Plan {
    let Standing {
        owned,
        others,
        deciding,
        strangers,
    } = Standing::of(endpoint, &Owner::Hand);
    let own = intent.rule();
    let same_key = |acl: &Acl| acl.id.get() == own.id.get();
    let mut wanted: Vec<Acl> = owned
        .iter()
        .filter(|acl| !is_baseline(acl) && !same_key(acl))
        .cloned()
        .collect();
    let mut notes = Vec::new();
    wanted.push(own.clone());
    if deciding == 0 {
        // Among rules of ours alone, the baseline allows the rest: an Allow says something only against a Block that it cuts into.
        let blocks: Vec<Acl> = wanted
            .iter()
            .filter(|acl| acl.action.get() == Some(&AclAction::Block))
            .cloned()
            .collect();
        wanted.retain(|acl| {
            acl.action.get() == Some(&AclAction::Block)
                || blocks.iter().any(|block| overlap(block, acl))
        });
        if intent.action == AclAction::Allow && !wanted.iter().any(same_key) {
            notes.push(
                "nothing blocks it, and what no rule blocks is allowed here: no rule is needed"
                    .to_owned(),
            );
        }
    }
    let had_baseline = owned.iter().any(is_baseline);
    if !wanted.is_empty() && (strangers == 0 || had_baseline) {
        for direction in [AclDirection::In, AclDirection::Out] {
            let name = format!("{BASELINE}{}", direction.text().to_ascii_lowercase());
            let id = Owner::Hand.id(&name);
            wanted.push(rule(AclAction::Allow, direction, WEAKEST, id));
        }
    }
    notes.extend(explain(
        intent,
        &own,
        &others,
        deciding,
        had_baseline,
        &wanted,
    ));
    for acl in &wanted {
        let stronger = acl.priority.or_default() < own.priority.or_default();
        if acl.action.get() != Some(&intent.action) && stronger && overlap(acl, &own) {
            let action = acl.action.get().map_or("", |action| action.text());
            notes.push(format!(
                "a narrower rule of ours still decides before it: {action}, id {}",
                acl.id.or_default()
            ));
        }
    }
    Plan {
        notes,
        ..merge(endpoint, &Owner::Hand, &wanted)
    }
}

/// Plans to take away every rule of ours; pure.
pub fn plan_clear(endpoint: &Endpoint) -> Plan {
    let mut plan = merge(endpoint, &Owner::Hand, &[]);
    if plan.update.is_none() {
        plan.notes
            .push("the endpoint has no rule that block or allow made".to_owned());
    }
    plan
}

fn explain(
    intent: &Intent,
    own: &Acl,
    others: &[Acl],
    deciding: usize,
    had_baseline: bool,
    wanted: &[Acl],
) -> Vec<String> {
    let mut notes = Vec::new();
    if !wanted.is_empty() && deciding == 0 && !had_baseline {
        notes.push(format!(
            "a rule turns on default deny; two baseline rules allow the rest (In and Out, priority {WEAKEST}), and go with the last rule of ours"
        ));
    }
    if deciding > 0 && !had_baseline {
        notes.push(format!(
            "{deciding} rule(s) of others decide about this endpoint too: what no rule allows was dropped before and still is"
        ));
    }
    let stronger = others
        .iter()
        .filter(|acl| {
            acl.direction.get() == Some(&intent.direction)
                && acl.action.get() != Some(&intent.action)
        })
        .filter(|acl| {
            let (theirs, ours) = (acl.priority.or_default(), own.priority.or_default());
            theirs < ours || theirs == ours && acl.action.get() == Some(&AclAction::Block)
        })
        .count();
    if stronger > 0 {
        notes.push(format!(
            "{stronger} rule(s) of others in this direction are stronger than priority {} and may decide first",
            own.priority.or_default()
        ));
    }
    notes
}

/// Whether two rules of ours can match one packet. Addresses are compared only where both name single ones; else they may.
fn overlap(one: &Acl, other: &Acl) -> bool {
    if one.direction.get() != other.direction.get() {
        return false;
    }
    let both =
        |one: String, other: String| (!one.is_empty() && !other.is_empty()).then_some((one, other));
    let protocols = both(one.protocols.or_default(), other.protocols.or_default());
    let ports = |acl: &Acl| {
        if acl.direction.get() == Some(&AclDirection::In) {
            acl.local_ports.or_default()
        } else {
            acl.remote_ports.or_default()
        }
    };
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?))
    };
    let apart = |one: &str, other: &str| match (range(one), range(other)) {
        (Some(one), Some(other)) => one.1 < other.0 || other.1 < one.0,
        _ => false,
    };
    let single = |text: &str| text.parse::<std::net::IpAddr>().ok();
    let peers = both(
        one.remote_addresses.or_default(),
        other.remote_addresses.or_default(),
    );
    protocols.is_none_or(|(one, other)| one == other)
        && both(ports(one), ports(other)).is_none_or(|(one, other)| !apart(&one, &other))
        && peers.is_none_or(|(one, other)| match (single(&one), single(&other)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        })
}

fn is_baseline(acl: &Acl) -> bool {
    let id = acl.id.or_default();
    Owner::Hand
        .name_in(&id)
        .is_some_and(|name| name.starts_with(BASELINE))
}

#[cfg(test)]
mod tests;
