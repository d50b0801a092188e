// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules: `ACL`, `NetworkACL` and the rules of `TierAcl`, read from their documents into the engine's own type.
//!
//! Apart, because this is the only place that knows both the texts of a rule and what they mean (hns-behaviour 4.7). There are two ways to
//! read. [`check`] and [`check_tier`] are for a rule that is asked for: whatever HNS refuses is a fault. A stored rule of a dump was accepted by some
//! HNS, so the switch reads it as far as it has one meaning: a protocol's name as its number, a CIDR with host bits as its subnet, and a priority as it
//! stands; those readings are guesses and are told as faults all the same.

mod fault;
mod list;
mod plain;
#[cfg(test)]
mod tests;

use hcn_schema::{
    Document,
    policy::{
        Acl, AclAction, AclDirection, AclRuleType,
        acl::{TierAcl, TierAclRule},
        network::{SetPolicy, SetPolicyType},
    },
};
use ipnet::IpNet;

pub use fault::{AclFault, Wrong};
pub use list::Addresses;
pub(crate) use plain::Plain;

use crate::{
    classifier::{Address, Conditions, Extent, ProtocolSet, Sides},
    flow::{Direction, Protocol},
    semantics::Semantics,
    sets::Sets,
};

/// A rule whose every field has a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What to do; `Pass` only in a tier.
    pub action: AclAction,
    /// Which way, as the endpoint sees it.
    pub direction: Direction,
    /// Where it is enforced; no meaning in a tier or on a network.
    pub rule_type: AclRuleType,
    /// Lower is stronger.
    pub priority: u16,
    /// Protocols.
    pub protocols: ProtocolSet,
    /// Addresses of the endpoint; sets in here are those of the source.
    pub local_addresses: Addresses,
    /// Addresses of the other side; sets in here are those of the destination.
    pub remote_addresses: Addresses,
    /// Ports of the endpoint, as ranges; none means any.
    pub local_ports: Vec<(u16, u16)>,
    /// Ports of the other side.
    pub remote_ports: Vec<(u16, u16)>,
}

/// A tier whose every rule has a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Which way.
    pub direction: Direction,
    /// Lower is asked first.
    pub order: u16,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// How a document is read.
pub(crate) enum Reading {
    /// To be admitted: every fault refuses it.
    Admission,
    /// Stored: what still has one meaning is read so, and the fault kept.
    Stored(Vec<AclFault>),
}

impl Reading {
    /// Goes on after a fault that leaves a meaning, where the document is stored.
    pub(crate) fn tolerate(&mut self, fault: AclFault) -> Result<(), AclFault> {
        match self {
            Reading::Stored(told) if fault.is_readable() => {
                told.push(fault);
                Ok(())
            }
            _ => Err(fault),
        }
    }
}

/// Highest priority number that works (hns-behaviour 4.4).
const HIGHEST_PRIORITY: u16 = 65_500;

/// Whether HNS would take this `ACL` or `NetworkACL`, and what it means then.
///
/// `is_set` knows the ids of the network's IP sets.
///
/// # Errors
/// The first field without a meaning; HNS answers `HCN_E_INVALID_POLICY`.
pub fn check(
    acl: &Acl,
    semantics: &Semantics,
    is_set: &dyn Fn(&str) -> bool,
) -> Result<Rule, AclFault> {
    let rule = read(acl, semantics, is_set, &mut Reading::Admission)?;
    let on_switch = rule.rule_type == AclRuleType::Switch;
    if on_switch && rule.priority == 0 && semantics.refuse_switch_priority_zero {
        return Err(AclFault::new("Priority", "", Wrong::PriorityZero));
    }
    check_priority(&rule, semantics)?;
    Ok(rule)
}

/// Whether HNS would take this `TierAcl`, and what it means then.
///
/// # Errors
/// As for [`check`].
pub fn check_tier(
    tier: &TierAcl,
    semantics: &Semantics,
    is_set: &dyn Fn(&str) -> bool,
) -> Result<Tier, AclFault> {
    let head = read_tier(tier)?;
    let rules = tier.rules.get().map_or(&[][..], Vec::as_slice);
    let rules = rules.iter().enumerate().map(|(place, rule)| {
        read_tier_rule(rule, head.direction, is_set, &mut Reading::Admission)
            .and_then(|rule| check_priority(&rule, semantics).map(|()| rule))
            .map_err(|fault| AclFault {
                rule: Some(place),
                ..fault
            })
    });
    Ok(Tier {
        rules: rules.collect::<Result<_, _>>()?,
        ..head
    })
}

/// What a stored `ACL` or `NetworkACL` means, and every fault for which HNS would refuse it if it were sent again.
pub fn stored(
    acl: &Acl,
    semantics: &Semantics,
    is_set: &dyn Fn(&str) -> bool,
) -> (Option<Rule>, Vec<AclFault>) {
    let mut reading = Reading::Stored(Vec::new());
    let read = read(acl, semantics, is_set, &mut reading);
    settle(read, reading)
}

/// As [`stored`], for a rule of a tier.
pub fn stored_tier_rule(
    rule: &TierAclRule,
    direction: Direction,
    is_set: &dyn Fn(&str) -> bool,
) -> (Option<Rule>, Vec<AclFault>) {
    let mut reading = Reading::Stored(Vec::new());
    let read = read_tier_rule(rule, direction, is_set, &mut reading);
    settle(read, reading)
}

fn settle(read: Result<Rule, AclFault>, reading: Reading) -> (Option<Rule>, Vec<AclFault>) {
    let mut faults = match reading {
        Reading::Stored(tolerated) => tolerated,
        Reading::Admission => Vec::new(),
    };
    match read {
        Ok(rule) => (Some(rule), faults),
        Err(fault) => {
            faults.push(fault);
            (None, faults)
        }
    }
}

fn check_priority(rule: &Rule, semantics: &Semantics) -> Result<(), AclFault> {
    if rule.priority > HIGHEST_PRIORITY && semantics.refuse_priority_over_65500 {
        let value = rule.priority.to_string();
        return Err(AclFault::new("Priority", value, Wrong::PriorityTooHigh));
    }
    Ok(())
}

/// What an IP set holds.
pub(crate) enum SetValues {
    /// Addresses and CIDRs.
    Prefixes(Vec<IpNet>),
    /// Ids of other sets.
    Sets(Vec<String>),
}

/// Reads the values of a set.
pub(crate) fn read_set(set: &SetPolicy, reading: &mut Reading) -> Result<SetValues, AclFault> {
    const FIELD: &str = "Values";
    let Some(set_type) = set.policy_type.get() else {
        let expected = "IPSET or NESTEDIPSET";
        return Err(AclFault::new("PolicyType", "", Wrong::Missing { expected }));
    };
    let nested = *set_type == SetPolicyType::NestedIpSet;
    let values = set.values.get().map_or("", String::as_str);
    let values = list::addresses(FIELD, values, &|_| nested, reading)?;
    Ok(match nested {
        true => SetValues::Sets(values.sets),
        false => SetValues::Prefixes(values.prefixes),
    })
}

/// Reads an `ACL` or `NetworkACL`.
pub(crate) fn read(
    acl: &Acl,
    semantics: &Semantics,
    is_set: &dyn Fn(&str) -> bool,
    reading: &mut Reading,
) -> Result<Rule, AclFault> {
    if let Some((pointer, value)) = acl.odd_fields().first() {
        return Err(odd(Acl::KEYS, pointer, value));
    }
    let action = match acl.action.get() {
        Some(AclAction::Pass) => {
            return Err(AclFault::new("Action", "Pass", Wrong::PassOutsideTier));
        }
        Some(action) => *action,
        None => return Err(missing("Action", "Allow or Block")),
    };
    let texts = Texts {
        protocols: acl.protocols.get(),
        local_addresses: acl.local_addresses.get(),
        remote_addresses: acl.remote_addresses.get(),
        local_ports: acl.local_ports.get(),
        remote_ports: acl.remote_ports.get(),
    };
    texts.rule(
        Head {
            action,
            direction: direction(acl.direction.get())?,
            rule_type: *acl.rule_type.get().unwrap_or(&semantics.omitted_rule_type),
            priority: acl.priority.or_default(),
        },
        is_set,
        reading,
    )
}

/// Reads a tier without its rules.
pub(crate) fn read_tier(tier: &TierAcl) -> Result<Tier, AclFault> {
    // The rules' own odd fields are told when the rules are read.
    for (pointer, value) in tier.odd_fields() {
        if !pointer[1..].contains('/') {
            return Err(odd(TierAcl::KEYS, &pointer, value));
        }
    }
    Ok(Tier {
        direction: direction(tier.direction.get())?,
        order: tier.order.or_default(),
        rules: Vec::new(),
    })
}

/// Reads a rule of a tier.
pub(crate) fn read_tier_rule(
    rule: &TierAclRule,
    direction: Direction,
    is_set: &dyn Fn(&str) -> bool,
    reading: &mut Reading,
) -> Result<Rule, AclFault> {
    if let Some((pointer, value)) = rule.odd_fields().first() {
        return Err(odd(TierAclRule::KEYS, pointer, value));
    }
    let texts = Texts {
        protocols: rule.protocols.get(),
        local_addresses: rule.local_addresses.get(),
        remote_addresses: rule.remote_addresses.get(),
        local_ports: rule.local_ports.get(),
        remote_ports: rule.remote_ports.get(),
    };
    texts.rule(
        Head {
            action: *rule
                .action
                .get()
                .ok_or_else(|| missing("TierAclRuleAction", "Allow, Block or Pass"))?,
            direction,
            rule_type: AclRuleType::Switch,
            priority: rule.priority.or_default(),
        },
        is_set,
        reading,
    )
}

/// What a rule says besides its conditions.
struct Head {
    action: AclAction,
    direction: Direction,
    rule_type: AclRuleType,
    priority: u16,
}

/// The lists that both kinds of rule have.
struct Texts<'a> {
    protocols: Option<&'a String>,
    local_addresses: Option<&'a String>,
    remote_addresses: Option<&'a String>,
    local_ports: Option<&'a String>,
    remote_ports: Option<&'a String>,
}

impl Texts<'_> {
    fn rule(
        &self,
        head: Head,
        is_set: &dyn Fn(&str) -> bool,
        reading: &mut Reading,
    ) -> Result<Rule, AclFault> {
        let (local, remote) = (text(self.local_addresses), text(self.remote_addresses));
        Ok(Rule {
            action: head.action,
            direction: head.direction,
            rule_type: head.rule_type,
            priority: head.priority,
            protocols: list::protocols("Protocols", text(self.protocols), reading)?,
            local_addresses: list::addresses("LocalAddresses", local, is_set, reading)?,
            remote_addresses: list::addresses("RemoteAddresses", remote, is_set, reading)?,
            local_ports: list::ports("LocalPorts", text(self.local_ports))?,
            remote_ports: list::ports("RemotePorts", text(self.remote_ports))?,
        })
    }
}

fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

fn direction(word: Option<&AclDirection>) -> Result<Direction, AclFault> {
    match word {
        Some(AclDirection::In) => Ok(Direction::In),
        Some(AclDirection::Out) => Ok(Direction::Out),
        None => Err(missing("Direction", "In or Out")),
    }
}

fn missing(field: &'static str, expected: &'static str) -> AclFault {
    AclFault::new(field, "", Wrong::Missing { expected })
}

/// The fault of a field that has another shape.
fn odd(keys: &'static [&'static str], pointer: &str, value: &serde_json::Value) -> AclFault {
    let key = pointer.trim_start_matches('/');
    let field = keys
        .iter()
        .find(|known| known.eq_ignore_ascii_case(key))
        .unwrap_or(&"Settings");
    let expected = match *field {
        "Action" => "Allow or Block",
        "TierAclRuleAction" => "Allow, Block or Pass",
        "Direction" => "In or Out",
        "RuleType" => "Switch or Host",
        "Priority" | "Order" => "a number from 0 to 65535",
        "Scope" => "a number",
        "TierAclRules" => "a list of rules",
        _ => "a text",
    };
    let value = match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    AclFault::new(field, value, Wrong::Unreadable { expected })
}

impl Rule {
    /// Which fields name sets of the other side than they are called by.
    pub(crate) fn sides(&self) -> Sides {
        let (local, remote) = (&self.local_addresses, &self.remote_addresses);
        let is_in = self.direction == Direction::In;
        Sides {
            local_is_remote: is_in && !local.sets.is_empty() && remote.prefixes.is_empty(),
            remote_is_local: is_in && !remote.sets.is_empty() && local.prefixes.is_empty(),
        }
    }

    /// Whether no address of either family is what its sets leave of an end of the packet.
    pub(crate) fn has_no_address(&self, sets: &Sets, semantics: &Semantics) -> bool {
        let (own_sets, other_sets) = self.sets_by_side();
        let sides = [
            (&self.local_addresses, own_sets),
            (&self.remote_addresses, other_sets),
        ];
        let mut sides = sides.into_iter().filter(|(_, ids)| !ids.is_empty());
        sides.any(|(named, ids)| {
            let v4 = sets.extent(ids, semantics.several_sets);
            let v6 = sets.extent(ids, semantics.several_sets);
            plain::<u32>(named).intersection(&v4).is_none()
                && plain::<u128>(named).intersection(&v6).is_none()
        })
    }

    /// The sets of the endpoint's own side and of the other one. Plain addresses are told by side and sets by end: Local is the endpoint for an
    /// address, and the source for a set, whichever the direction (hns-behaviour 4.7).
    fn sets_by_side(&self) -> (&[String], &[String]) {
        let (local, remote) = (&self.local_addresses.sets, &self.remote_addresses.sets);
        match self.direction {
            Direction::In => (remote, local),
            Direction::Out => (local, remote),
        }
    }

    /// What a packet of one family must be for this rule to match it; `None` where no packet of the family can be.
    pub fn conditions<A: Address>(
        &self,
        sets: &Sets,
        semantics: &Semantics,
    ) -> Option<Conditions<A>> {
        let (own_sets, other_sets) = self.sets_by_side();
        let has_ports = !(self.local_ports.is_empty() && self.remote_ports.is_empty());
        let conditions = Conditions {
            protocols: match has_ports {
                true => self.protocols.filter(|number| Protocol(number).has_ports()),
                false => self.protocols,
            },
            local: plain(&self.local_addresses)
                .intersection(&sets.extent(own_sets, semantics.several_sets)),
            remote: plain(&self.remote_addresses)
                .intersection(&sets.extent(other_sets, semantics.several_sets)),
            local_ports: port_extent(&self.local_ports),
            remote_ports: port_extent(&self.remote_ports),
        };
        let never = conditions.protocols == ProtocolSet::NONE
            || conditions.local.is_none()
            || conditions.remote.is_none();
        (!never).then_some(conditions)
    }
}

/// The addresses of one family that a field names itself.
fn plain<A: Address>(addresses: &Addresses) -> Extent<A> {
    if addresses.prefixes.is_empty() {
        Extent::Any
    } else {
        Extent::of(addresses.prefixes.iter().filter_map(A::span).collect())
    }
}

fn port_extent(ranges: &[(u16, u16)]) -> Extent<u16> {
    if ranges.is_empty() {
        Extent::Any
    } else {
        Extent::of(ranges.to_vec())
    }
}
