// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of one endpoint, or those that a network has for all of its endpoints, taken apart once for all checks: what each says, where it stands,
//! and what becomes of it among the others.
//!
//! Apart from the checks, which all look at the same rules. Rules of a listing that was cut are not in here, since what is missing may be the rule
//! that matters; nor are those of remote endpoints, which HNS does not enforce.

use std::{borrow::Cow, fmt::Write, net::IpAddr};

use hcn_engine::{
    Direction, Family, Flow, Layer, PortIndex, Semantics, Switch,
    acl::{self, AclFault, Rule},
    sets::Sets,
    space::{Region, Space},
    standing::Standing,
};
use hcn_schema::{
    Endpoint, Guid, Id, Network, Policy,
    policy::{
        Acl, AclDirection, AclRuleType,
        acl::{TierAcl, TierAclRule},
        network::SetPolicy,
    },
};
use serde_json::Value;

use super::{
    finding::{Evidence, ObjectName, place},
    packets,
    subject::{Known, Subject},
};
use crate::{lookup, render};

/// An endpoint with its rules; or a network with its own, seen from an endpoint that has nothing else.
pub struct Ruled<'a> {
    /// The documents that it is among.
    pub subject: &'a Subject,
    /// Its name in findings.
    pub name: &'a ObjectName,
    /// Its document as it came.
    pub value: &'a Value,
    /// Whether that came in v1 shape.
    pub is_v1: bool,
    /// The endpoint in v2 shape.
    pub endpoint: Cow<'a, Endpoint>,
    /// Its network, where it is known.
    pub network: Option<&'a Known<Network>>,
    /// The IP sets of its network.
    pub sets: Sets,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its rules, in the order of its policies.
    pub rules: Vec<OwnRule>,
    /// The endpoint alone on its network.
    pub switch: Switch,
    /// Addresses of others, for examples.
    pub peers: Vec<IpAddr>,
    /// IPv4 and IPv6.
    pub families: [RulesOfFamily; 2],
}

/// What becomes of the rules for the packets of one family.
pub struct RulesOfFamily {
    /// The packets.
    pub space: std::cell::RefCell<Space>,
    /// The rules of the port, those of its network too; by the same places in both families.
    pub standings: Vec<Standing>,
}

/// A rule of an endpoint.
pub struct OwnRule {
    /// Pointer by which the engine names it: the policy, or the rule inside a tier.
    pub pointer: String,
    /// Pointer to its settings.
    pub settings: String,
    /// Where it is enforced.
    pub layer: Layer,
    /// The policy of a tier's rule; rules of one list have the same.
    pub list: Option<usize>,
    /// What it says, where that can be read.
    pub rule: Option<Rule>,
    /// What HNS would refuse.
    pub faults: Vec<AclFault>,
    /// In words.
    pub words: String,
    /// Priority as it is written.
    pub priority: Option<u16>,
}

impl<'a> Ruled<'a> {
    /// The endpoints whose rules can be examined.
    pub fn endpoints(subject: &'a Subject) -> Vec<Ruled<'a>> {
        let endpoints = subject.endpoints.iter();
        let local = endpoints.filter(|known| known.is_whole && !known.document.is_remote());
        local
            .map(|known| {
                let rules = |sets: &Sets| rules(subject, &known.document, sets);
                Ruled::of(subject, known, Cow::Borrowed(&known.document), rules)
            })
            .collect()
    }

    /// The networks that have rules of their own.
    pub fn networks(subject: &'a Subject) -> Vec<Ruled<'a>> {
        let networks = subject.networks.iter();
        let with_rules = networks.filter(|known| {
            let policies = known.document.policies.get().into_iter().flatten();
            known.is_whole && policies.into_iter().any(|policy| policy.is("NetworkACL"))
        });
        with_rules
            .map(|known| {
                let endpoint = Endpoint {
                    id: Id::from(Guid(u128::MAX)).into(),
                    host_compute_network: Id::from(known.name.id).into(),
                    ..Endpoint::default()
                };
                let rules = |sets: &Sets| network_rules(subject, &known.document, sets);
                Ruled::of(subject, known, Cow::Owned(endpoint), rules)
            })
            .collect()
    }

    fn of<T>(
        subject: &'a Subject,
        known: &'a Known<T>,
        endpoint: Cow<'a, Endpoint>,
        rules: impl FnOnce(&Sets) -> Vec<OwnRule>,
    ) -> Self {
        let network = subject.network_of(&endpoint);
        let sets = network.map_or_else(Sets::default, |network| sets_of(&network.document));
        let documents = subject.alone(&endpoint);
        let (switch, _) = Switch::compile(&documents, &subject.profile.semantics);
        let families = [Family::V4, Family::V6].map(|family| {
            let mut space = Space::new(family);
            let standings = switch.standings(&mut space, PortIndex(0));
            RulesOfFamily {
                space: space.into(),
                standings,
            }
        });
        Ruled {
            rules: rules(&sets),
            peers: peers(subject, &endpoint),
            addresses: addresses(&endpoint),
            name: &known.name,
            value: &known.value,
            is_v1: known.is_v1,
            subject,
            endpoint,
            network,
            sets,
            switch,
            families,
        }
    }

    /// The rule that the engine names so.
    pub fn rule_at(&self, pointer: &str) -> Option<&OwnRule> {
        self.rules.iter().find(|own| own.pointer == pointer)
    }

    /// What becomes of a rule, in each family; `None` where it is not among the compiled ones.
    pub fn standing(&self, rule: &OwnRule) -> Option<[&Standing; 2]> {
        let [four, six] = &self.families;
        let is_it = |standing: &Standing| {
            standing.pointer == rule.pointer
                && standing.layer == rule.layer
                && standing.object == self.name.id
        };
        let place = four.standings.iter().position(is_it)?;
        Some([four.standings.get(place)?, six.standings.get(place)?])
    }

    /// Whether rules are enforced on this port at all.
    pub fn is_enforced(&self) -> bool {
        self.subject.profile.semantics.acl_on_nat
            || self.subject.network_type(&self.endpoint)
                != Some(hcn_schema::network::NetworkType::Nat)
    }

    /// A packet of a region, one that a reader can place, with what becomes of it.
    pub fn packet(&self, family: usize, region: Region, direction: Direction) -> Option<Evidence> {
        let mut space = self.families[family].space.borrow_mut();
        let own = self.own_for_examples();
        let flow = packets::example(&mut space, region, direction, &own, &self.peers)?;
        Some(Evidence::Packet {
            flow,
            direction,
            outcome: self.outcome(&flow, direction),
        })
    }

    /// Its addresses; of an endpoint of which none is told, those that its rules take for its own.
    fn own_for_examples(&self) -> Vec<IpAddr> {
        if !self.addresses.is_empty() {
            return self.addresses.clone();
        }
        let rules = self.rules.iter().filter_map(|own| own.rule.as_ref());
        let prefixes = rules.flat_map(|rule| &rule.local_addresses.prefixes);
        let hosts = prefixes.filter(|net| net.prefix_len() == net.max_prefix_len());
        hosts.map(|net| net.addr()).chain(packets::UNTOLD).collect()
    }

    /// What the port does with a packet, and why.
    pub fn outcome(&self, flow: &Flow, direction: Direction) -> String {
        let ruling = self.switch.rule(PortIndex(0), direction, flow);
        let cause = self.switch.cause(PortIndex(0), direction, flow, ruling);
        let what = match ruling.decision {
            hcn_engine::Decision::Allow => "allowed",
            hcn_engine::Decision::Block => "dropped",
        };
        match &cause.rule {
            Some(rule) => {
                let tie = if cause.tie { ", which wins a tie" } else { "" };
                format!("{what} by {}{tie}", rule.pointer)
            }
            None => format!("{what}: {cause}"),
        }
    }

    /// A rule as evidence.
    pub fn evidence(&self, rule: &OwnRule) -> Evidence {
        place(&rule.pointer, rule.words.clone())
    }
}

impl OwnRule {
    /// Pointer to one of its members.
    pub fn member(&self, name: &str) -> String {
        format!("{}/{name}", self.settings)
    }
}

/// The IP sets of a network.
pub(super) fn sets_of(network: &Network) -> Sets {
    let policies = network.policies.get().into_iter().flatten();
    let sets = policies.filter(|policy| policy.is("SetPolicy"));
    let sets: Vec<SetPolicy> = sets.map(Policy::settings_as).collect();
    Sets::of(&sets).0
}

/// Addresses that can be read.
pub(super) fn addresses(endpoint: &Endpoint) -> Vec<IpAddr> {
    let texts = lookup::addresses(endpoint);
    texts
        .iter()
        .filter_map(|text| text.trim().parse().ok())
        .collect()
}

/// Where a policy has its settings.
pub(super) fn settings_at(policy: &Policy) -> &'static str {
    match policy.settings.get() {
        Some(_) => "/Settings",
        None => "",
    }
}

fn rules(subject: &Subject, endpoint: &Endpoint, sets: &Sets) -> Vec<OwnRule> {
    let semantics = &subject.profile.semantics;
    let is_set = |id: &str| sets.contains(id);
    let mut rules = Vec::new();
    let policies = endpoint.policies.get().into_iter().flatten();
    let has_part = |policy: &&Policy| !semantics.leaves_out(policy, sets);
    let policies = policies.enumerate();
    for (place, policy) in policies.filter(|(_, policy)| has_part(policy)) {
        let pointer = format!("/Policies/{place}");
        let settings = format!("{pointer}{}", settings_at(policy));
        if policy.is("ACL") {
            let own: Acl = policy.settings_as();
            let layer = match own.rule_type.get().unwrap_or(&semantics.omitted_rule_type) {
                AclRuleType::Host => Layer::Host,
                AclRuleType::Switch => Layer::Switch,
            };
            rules.push(of_acl(place, policy, layer, semantics, &is_set));
        } else if policy.is("TierAcl") {
            let tier: TierAcl = policy.settings_as();
            let direction = match tier.direction.get() {
                Some(AclDirection::In) => Direction::In,
                Some(AclDirection::Out) => Direction::Out,
                None => continue,
            };
            let own = tier.rules.get().into_iter().flatten();
            rules.extend(own.enumerate().map(|(number, own)| {
                let pointer = format!("{settings}/TierAclRules/{number}");
                let (rule, faults) = acl::stored_tier_rule(own, direction, &is_set);
                OwnRule {
                    settings: pointer.clone(),
                    pointer,
                    layer: Layer::Tier,
                    list: Some(place),
                    rule,
                    faults,
                    words: tier_words(&tier, own, &is_set),
                    priority: own.priority.get().copied(),
                }
            }));
        }
    }
    rules
}

fn network_rules(subject: &Subject, network: &Network, sets: &Sets) -> Vec<OwnRule> {
    let is_set = |id: &str| sets.contains(id);
    let policies = network.policies.get().into_iter().flatten().enumerate();
    policies
        .filter(|(_, policy)| policy.is("NetworkACL"))
        .filter(|(_, policy)| !subject.profile.semantics.leaves_out(policy, sets))
        .map(|(place, policy)| {
            let semantics = &subject.profile.semantics;
            of_acl(place, policy, Layer::Network, semantics, &is_set)
        })
        .collect()
}

fn of_acl(
    place: usize,
    policy: &Policy,
    layer: Layer,
    semantics: &Semantics,
    is_set: &dyn Fn(&str) -> bool,
) -> OwnRule {
    let own: Acl = policy.settings_as();
    let (rule, faults) = acl::stored(&own, semantics, is_set);
    let pointer = format!("/Policies/{place}");
    OwnRule {
        layer,
        settings: format!("{pointer}{}", settings_at(policy)),
        pointer,
        list: None,
        rule,
        faults,
        words: acl_words(&own, is_set),
        priority: own.priority.get().copied(),
    }
}

/// A rule in words. What members of v1 say where they are not read (`LocalPort` in a v2 rule) is no condition of the rule, and is not told as one.
fn acl_words(own: &Acl, is_set: &dyn Fn(&str) -> bool) -> String {
    const SINGULAR: [&str; 3] = ["Protocol", "LocalPort", "RemotePort"];
    let mut read = own.clone();
    let mut unread = String::new();
    for key in SINGULAR {
        let found = own.extra.keys().find(|own| own.eq_ignore_ascii_case(key));
        if let Some(value) = found.and_then(|found| read.extra.shift_remove(found))
            && !["0", "256", ""].contains(&render::plain(&value).as_str())
        {
            let _ = write!(unread, ", {key}={} (not read)", render::plain(&value));
        }
    }
    render::rule::words_with_sets(&read, is_set) + &unread
}

fn tier_words(tier: &TierAcl, rule: &TierAclRule, is_set: &dyn Fn(&str) -> bool) -> String {
    render::rule::words_with_sets(&render::rule::of_tier(&tier.direction, rule), is_set)
}

/// Addresses of others that a packet may come from: neighbours first, then gateways.
fn peers(subject: &Subject, endpoint: &Endpoint) -> Vec<IpAddr> {
    const SHOWN: usize = 8;
    let network = endpoint.host_compute_network.get();
    let network = network.and_then(Id::guid);
    let own = addresses(endpoint);
    let neighbours = subject.endpoints.iter().filter(|other| {
        let other = other.document.host_compute_network.get();
        other.and_then(Id::guid) == network
    });
    let mut peers: Vec<IpAddr> = Vec::new();
    for address in neighbours.flat_map(|other| addresses(&other.document)) {
        if peers.len() == SHOWN {
            break;
        }
        if !own.contains(&address) && !peers.contains(&address) {
            peers.push(address);
        }
    }
    let routes = endpoint.routes.get().into_iter().flatten();
    peers.extend(routes.filter_map(|route| {
        let hop = route.next_hop.get()?;
        hop.trim().parse::<IpAddr>().ok()
    }));
    peers
}
