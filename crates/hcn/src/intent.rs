// SPDX-License-Identifier: MIT OR Apache-2.0
//! Block and allow: what is meant, written as rules of our own among those of others.
//!
//! Our rules carry an `Id` that begins with [`OWNER`]; others are sent back as they were read and never changed. HNS's Remove of an ACL is
//! not to be relied on (hns-behaviour 4.11), so the way is always get, merge, Update, read back.
//!
//! Any rule of the Switch layer turns on default deny (hns-behaviour 4.3). Where the endpoint had none, two baseline rules come along that
//! allow the rest at the weakest priority, so that blocking one port blocks one port; they go when the last rule of ours goes. Where others
//! have rules, the default is theirs and stays as it is.

use std::fmt;

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{
    Document, Endpoint, Guid, Policy, Query,
    modify::{EndpointResourceType, RequestType},
    policy::{Acl, AclAction, AclDirection, AclRuleType},
};
use serde_json::{Map, Value};

use crate::client::{Client, policy_request};

/// Beginning of the `Id` of every rule that is ours.
pub const OWNER: &str = "hcnctl:";
/// `Id` of the baseline rules, before the direction.
const BASELINE: &str = "hcnctl:baseline:";
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
            format!("{OWNER}{}", self.key()),
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

fn rule(action: AclAction, direction: AclDirection, priority: u16, id: String) -> Acl {
    Acl {
        action: action.into(),
        direction: direction.into(),
        priority: priority.into(),
        rule_type: AclRuleType::Switch.into(),
        id: id.into(),
        ..Acl::default()
    }
}

/// What an intent makes of an endpoint's policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The policies to send with Update; `None` where everything is as it should be.
    pub update: Option<Vec<Policy>>,
    /// Rules of ours that come.
    pub added: Vec<Acl>,
    /// Rules of ours that go.
    pub removed: Vec<Acl>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// The text of the Update request, where one is needed.
    pub fn request(&self) -> Option<String> {
        let update = self.update.as_deref()?;
        Some(policy_request(
            EndpointResourceType::Policy.text(),
            RequestType::Update,
            update,
        ))
    }
}

/// Plans an intent on an endpoint; pure.
pub fn plan(endpoint: &Endpoint, intent: &Intent) -> Plan {
    let policies = endpoint.policies.get().map_or(&[][..], Vec::as_slice);
    let rules: Vec<Acl> = policies
        .iter()
        .filter(|policy| policy.is("ACL"))
        .map(Policy::settings_as)
        .collect();
    let (owned, others): (Vec<Acl>, Vec<Acl>) = rules.into_iter().partition(is_owned);
    let tiers = policies
        .iter()
        .filter(|policy| policy.is("TierAcl"))
        .count();
    let deciding = others
        .iter()
        .filter(|acl| acl.rule_type.get() != Some(&AclRuleType::Host))
        .count()
        + tiers;
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
    if !wanted.is_empty() && (deciding == 0 || had_baseline) {
        for direction in [AclDirection::In, AclDirection::Out] {
            let id = format!("{BASELINE}{}", direction.text().to_ascii_lowercase());
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
    let added: Vec<Acl> = wanted
        .iter()
        .filter(|acl| !owned.iter().any(|own| says_the_same(own, acl)))
        .cloned()
        .collect();
    let removed: Vec<Acl> = owned
        .iter()
        .filter(|own| !wanted.iter().any(|acl| says_the_same(own, acl)))
        .cloned()
        .collect();
    if added.is_empty() && removed.is_empty() && owned.len() == wanted.len() {
        return Plan {
            update: None,
            added,
            removed,
            notes,
        };
    }
    // Everything that Update would take away goes along, as it was read, and in its order.
    let mut update: Vec<Policy> = policies
        .iter()
        .filter(|policy| is_replaced(policy) && !is_owned_policy(policy))
        .cloned()
        .collect();
    update.extend(wanted.iter().map(|acl| Policy::new("ACL", acl)));
    Plan {
        update: Some(update),
        added,
        removed,
        notes,
    }
}

/// Plans to take away every rule of ours; pure.
pub fn plan_clear(endpoint: &Endpoint) -> Plan {
    let policies = endpoint.policies.get().map_or(&[][..], Vec::as_slice);
    let removed: Vec<Acl> = policies
        .iter()
        .filter(|policy| is_owned_policy(policy))
        .map(Policy::settings_as)
        .collect();
    if removed.is_empty() {
        return Plan {
            update: None,
            added: Vec::new(),
            removed,
            notes: vec!["the endpoint has no rule of hcnctl's own".to_owned()],
        };
    }
    let update = policies
        .iter()
        .filter(|policy| is_replaced(policy) && !is_owned_policy(policy))
        .cloned()
        .collect();
    Plan {
        update: Some(update),
        added: Vec::new(),
        removed,
        notes: Vec::new(),
    }
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

/// Reads an endpoint, plans, sends the Update, and reads back whether HNS keeps what it was sent; again where somebody was faster.
///
/// The Update replaces rules of others by what was read of them, so it is sent only while the endpoint still is what was read
/// ([`hcn_api::Hns::modify_seen`]).
///
/// # Errors
/// Those of [`hcn_api::Hns::modify`]; `ERROR_SHARING_VIOLATION` where others change the endpoint all the time; `E_UNEXPECTED` where HNS says
/// yes and keeps something else.
pub fn carry_out(
    client: &Client,
    id: Guid,
    make: impl Fn(&Endpoint) -> Plan,
) -> Answer<(Endpoint, Plan)> {
    /// Each try loses against a change of somebody else's that succeeded, so this many in a row do not happen by chance.
    const TRIES: usize = 1000;
    let object = ObjectId {
        kind: Kind::Endpoint,
        id,
    };
    for _ in 0..TRIES {
        let seen = client.hns().query(object, &Query::v2().text())?;
        let endpoint = Endpoint::from_json(&seen).map_err(|error| {
            HnsError::because(
                HcnCode::HCN_E_INVALID_JSON,
                format!("HNS answered with no endpoint: {error}"),
            )
        })?;
        let plan = make(&endpoint);
        let Some(request) = plan.request() else {
            return Ok((endpoint, plan));
        };
        if client.hns().modify_seen(object, &seen, &request)? {
            return Ok((endpoint, plan));
        }
    }
    Err(HnsError::because(
        HcnCode::ERROR_SHARING_VIOLATION,
        format!("others change the endpoint {id} all the time; nothing of ours was changed"),
    ))
}

/// Whether HNS keeps what a plan sent.
///
/// # Errors
/// `E_UNEXPECTED` with the rule of ours that is missing.
pub fn read_back(client: &Client, id: Guid, plan: &Plan) -> Answer<()> {
    let Some(sent) = &plan.update else {
        return Ok(());
    };
    // Others may have added rules since; ours have to be there, each as often as it was sent.
    let mut kept: Vec<Map<String, Value>> = client
        .endpoint(id)?
        .policies
        .get()
        .into_iter()
        .flatten()
        .map(comparable)
        .collect();
    for rule in sent
        .iter()
        .filter(|policy| is_owned_policy(policy))
        .map(comparable)
    {
        match kept.iter().position(|own| *own == rule) {
            Some(position) => {
                kept.remove(position);
            }
            None => return Err(kept_something_else(id, &rule)),
        }
    }
    Ok(())
}

fn kept_something_else(id: Guid, rule: &Map<String, Value>) -> HnsError {
    HnsError::because(
        HcnCode::E_UNEXPECTED,
        format!(
            "HNS took the Update, but the endpoint {id} lacks a rule that was sent: {}",
            Value::Object(rule.clone())
        ),
    )
}

/// A policy without what HNS adds.
fn comparable(policy: &Policy) -> Map<String, Value> {
    let mut map = policy.settings.or_default();
    if policy.is("ACL") {
        map.shift_remove("Scope");
    }
    map.insert(
        "Type".to_owned(),
        Value::from(policy.policy_type.or_default().to_ascii_lowercase()),
    );
    map
}

/// Whether an Update takes away policies of the type that it does not send (hns-behaviour 4.10).
fn is_replaced(policy: &Policy) -> bool {
    ["ACL", "TierAcl", "L4Proxy", "L4WFPPROXY"]
        .iter()
        .any(|own| policy.is(own))
}

fn is_owned_policy(policy: &Policy) -> bool {
    policy.is("ACL") && is_owned(&policy.settings_as())
}

/// Whether a rule is ours.
pub fn is_owned(acl: &Acl) -> bool {
    acl.id.get().is_some_and(|id| id.starts_with(OWNER))
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
    acl.id.get().is_some_and(|id| id.starts_with(BASELINE))
}

/// Equal but for what HNS adds.
fn says_the_same(one: &Acl, other: &Acl) -> bool {
    let strip = |acl: &Acl| {
        let mut acl = acl.clone();
        acl.scope.clear();
        acl.to_map()
    };
    strip(one) == strip(other)
}

#[cfg(test)]
mod tests;
