// SPDX-License-Identifier: MIT OR Apache-2.0
//! A declared policy: which rules an endpoint shall have, whatever it has now.
//!
//! Apart from [`crate::intent`], which adds one wish to earlier ones: here the policy says everything, so a rule that is no longer declared
//! goes. Its rules are told by the policy's name ([`Owner::Policy`]). Invariant: an endpoint that was made as declared needs no change.

use std::net::IpAddr;

use hcn_schema::{
    Endpoint,
    policy::{Acl, AclAction, AclDirection},
};

use crate::owned::{Owner, Plan, Standing, merge, rule};

/// The weakest priority that works (hns-behaviour 4.4).
const WEAKEST: u16 = 65_500;
/// What forbids the rest is one stronger than what allows it, so that no tie decides between policies.
const CLOSING: u16 = WEAKEST - 1;
/// Addresses that go into one rule (hns-behaviour 4.13).
const MOST_ADDRESSES: usize = 4000;

/// Priority of the first rule, unless it says another: weaker than all that block and allow write, so that what is done by hand holds.
pub const FIRST_PRIORITY: u16 = 2500;
/// The weakest priority that a declared rule may have.
pub const LAST_PRIORITY: u16 = CLOSING - 1;

/// Protocol and ports of what goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// IANA protocol number; `None` means any.
    pub protocol: Option<u8>,
    /// First and last port of the destination; `None` means any.
    pub ports: Option<(u16, u16)>,
}

/// A rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which is in the `Id`.
    pub name: String,
    /// Block or Allow.
    pub action: AclAction,
    /// Seen from the endpoint.
    pub direction: AclDirection,
    /// Any of these; none means any.
    pub traffic: Vec<Traffic>,
    /// Addresses and CIDRs of the other side; `None` means anybody, and an empty list nobody.
    pub peers: Option<Vec<String>>,
    /// Lower is stronger.
    pub priority: u16,
}

/// What becomes of traffic that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It is allowed as far as rules of others leave it so.
    Allow,
    /// It is blocked.
    Deny,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name, which tells its rules.
    pub name: String,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The rest of what comes in.
    pub rest_in: Rest,
    /// The rest of what goes out.
    pub rest_out: Rest,
}

impl Declared {
    /// Whose the rules are.
    pub fn owner(&self) -> Owner {
        Owner::Policy(self.name.clone())
    }

    /// Plans that an endpoint has the rules of the policy; pure.
    pub fn plan(&self, endpoint: &Endpoint) -> Plan {
        let owner = self.owner();
        let standing = Standing::of(endpoint, &owner);
        let configurations = endpoint.ip_configurations.get().into_iter().flatten();
        let own_addresses: Vec<IpAddr> = configurations
            .filter_map(|own| own.ip_address.get()?.trim().parse().ok())
            .collect();
        let mut wanted: Vec<Acl> = self
            .rules
            .iter()
            .flat_map(|rule| rule.acls(&owner, &own_addresses))
            .collect();
        let directions = [
            (AclDirection::In, self.rest_in),
            (AclDirection::Out, self.rest_out),
        ];
        // A rule turns on default deny in both directions; so does the rest of the other direction where that is denied.
        let flips = !wanted.is_empty() || directions.iter().any(|(_, rest)| *rest == Rest::Deny);
        let mut notes = Vec::new();
        for rule in &self.rules {
            let is_itself = |peers: &Vec<String>| {
                !peers.is_empty() && peers.iter().all(|peer| is_own(peer, &own_addresses))
            };
            if rule.peers.as_ref().is_some_and(is_itself) {
                notes.push(format!(
                    "the other side of rule {} is this endpoint itself, and what it sends to itself crosses no port, so it is no rule here",
                    rule.name
                ));
            }
        }
        for (direction, rest) in directions {
            let id = owner.id(&baseline(direction));
            match rest {
                Rest::Deny => wanted.push(rule(AclAction::Block, direction, CLOSING, id)),
                Rest::Allow => {
                    let had = standing.owned.iter().any(|acl| {
                        acl.id.get() == Some(&id) && acl.action.get() == Some(&AclAction::Allow)
                    });
                    // One that was written stays: without it the rules of others that came later would close what the file leaves open.
                    if flips && (standing.strangers == 0 || had) {
                        if standing.strangers > 0 {
                            notes.push(format!(
                                "\"otherwise: allow\" was written before {} rule(s) of others came, and stays: the rest is not left to them",
                                standing.strangers
                            ));
                        }
                        wanted.push(rule(AclAction::Allow, direction, WEAKEST, id));
                    } else if flips {
                        notes.push(format!(
                            "{} rule(s) of others decide here too, so \"otherwise: allow\" leaves the rest of {} to them",
                            standing.strangers,
                            direction.text()
                        ));
                    }
                }
            }
        }
        notes.dedup();
        Plan {
            notes,
            ..merge(endpoint, &owner, &wanted)
        }
    }
}

/// Whether the other side of a rule is an address of the endpoint.
fn is_own(peer: &str, own_addresses: &[IpAddr]) -> bool {
    let address = peer.parse::<IpAddr>();
    address.is_ok_and(|address| own_addresses.contains(&address))
}

/// Name of the rule for the rest of a direction; no rule of a policy can be called so, for the colon.
fn baseline(direction: AclDirection) -> String {
    format!("otherwise:{}", direction.text().to_ascii_lowercase())
}

impl Rule {
    /// The fewest rules of HNS that say it on an endpoint of these addresses.
    fn acls(&self, owner: &Owner, own_addresses: &[IpAddr]) -> Vec<Acl> {
        let head = rule(
            self.action,
            self.direction,
            self.priority,
            owner.id(&self.name),
        );
        let by_peer: Vec<Acl> = match &self.peers {
            None => vec![head],
            // No addresses would mean every address; nobody is no rule. What an endpoint sends to itself crosses no port (hns-behaviour 4.8), and a
            // selector that fits the endpoint itself need not say so in a rule of it.
            Some(peers) => {
                let others: Vec<&str> = peers
                    .iter()
                    .filter(|peer| !is_own(peer, own_addresses))
                    .map(String::as_str)
                    .collect();
                let chunks = others.chunks(MOST_ADDRESSES);
                chunks
                    .map(|peers| {
                        let mut acl = head.clone();
                        acl.remote_addresses.set(peers.join(","));
                        acl
                    })
                    .collect()
            }
        };
        let services = services(&self.traffic);
        let mut acls = Vec::with_capacity(by_peer.len() * services.len());
        for acl in by_peer {
            for (protocols, ports) in &services {
                let mut acl = acl.clone();
                if !protocols.is_empty() {
                    acl.protocols.set(protocols.clone());
                }
                // Local ports follow local addresses: the destination is local on the way in and remote on the way out (hns-behaviour 4.7).
                if !ports.is_empty() {
                    match self.direction {
                        AclDirection::In => acl.local_ports.set(ports.clone()),
                        AclDirection::Out => acl.remote_ports.set(ports.clone()),
                    }
                }
                acls.push(acl);
            }
        }
        acls
    }
}

/// Protocols and ports as texts of a rule, each pair a rule: protocols without ports share one, and each with ports has its own.
fn services(traffic: &[Traffic]) -> Vec<(String, String)> {
    if traffic.is_empty() || traffic.iter().any(|own| own.protocol.is_none()) {
        return vec![(String::new(), String::new())];
    }
    let mut protocols: Vec<u8> = traffic.iter().filter_map(|own| own.protocol).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let mut whole: Vec<String> = Vec::new();
    let mut parts = Vec::new();
    for protocol in protocols {
        let own = traffic.iter().filter(|own| own.protocol == Some(protocol));
        let spans: Option<Vec<(u16, u16)>> = own.map(|own| own.ports).collect();
        match spans {
            None => whole.push(protocol.to_string()),
            Some(spans) => parts.push((protocol.to_string(), ports_text(spans))),
        }
    }
    if !whole.is_empty() {
        parts.insert(0, (whole.join(","), String::new()));
    }
    parts
}

/// Ports in order, what touches joined.
fn ports_text(mut spans: Vec<(u16, u16)>) -> String {
    spans.sort_unstable();
    let mut joined: Vec<(u16, u16)> = Vec::new();
    for (first, last) in spans {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    let one = |(first, last): &(u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let texts: Vec<String> = joined.iter().map(one).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests;
