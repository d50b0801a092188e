// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of one endpoint, taken apart once for all checks: what each says, where it stands, and what becomes of it among the others.
//!
//! Apart from the checks, which all look at the same rules. Rules of a listing that was cut are not in here, since what is missing may be the rule
//! that matters; nor are those of remote endpoints, which HNS does not enforce.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Family, Flow, Layer, PortIndex, Switch,
    acl::{self, AclFault, Rule},
    sets::Sets,
    space::{Region, Space},
    standing::Standing,
};
use hcn_schema::{
    Endpoint, Network, Policy,
    policy::{
        Acl, AclDirection, AclRuleType,
        acl::{TierAcl, TierAclRule},
        network::SetPolicy,
    },
};

use super::{
    finding::{Evidence, ObjectName, place},
    packets,
    subject::{Known, Subject},
};
use crate::{lookup, render};

/// An endpoint with its rules.
pub struct Ruled<'a> {
    /// The documents that it is among.
    pub subject: &'a Subject,
    /// The endpoint.
    pub endpoint: &'a Known<Endpoint>,
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
    pub fn all(subject: &'a Subject) -> Vec<Ruled<'a>> {
        let endpoints = subject.endpoints.iter();
        let local = endpoints.filter(|known| known.is_whole && !known.document.is_remote());
        local.map(|known| Ruled::of(subject, known)).collect()
    }

    fn of(subject: &'a Subject, endpoint: &'a Known<Endpoint>) -> Self {
        let network = subject.network_of(&endpoint.document);
        let sets = network.map_or_else(Sets::default, |network| sets_of(&network.document));
        let documents = subject.alone(&endpoint.document);
        let (switch, _) = Switch::compile(&documents, &subject.profile.semantics);
        let addresses = addresses(&endpoint.document);
        let families = [Family::V4, Family::V6].map(|family| {
            let mut space = Space::new(family);
            let standings = switch.standings(&mut space, PortIndex(0));
            RulesOfFamily {
                space: space.into(),
                standings,
            }
        });
        Ruled {
            rules: rules(subject, endpoint, &sets),
            peers: peers(subject, endpoint),
            subject,
            endpoint,
            network,
            sets,
            addresses,
            switch,
            families,
        }
    }

    /// Its name in findings.
    pub fn name(&self) -> &'a ObjectName {
        &self.endpoint.name
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
                && standing.object == self.name().id
        };
        let place = four.standings.iter().position(is_it)?;
        Some([four.standings.get(place)?, six.standings.get(place)?])
    }

    /// Whether rules are enforced on this port at all.
    pub fn is_enforced(&self) -> bool {
        self.subject.profile.semantics.acl_on_nat
            || self.subject.network_type(&self.endpoint.document)
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

fn rules(subject: &Subject, endpoint: &Known<Endpoint>, sets: &Sets) -> Vec<OwnRule> {
    let semantics = &subject.profile.semantics;
    let is_set = |id: &str| sets.contains(id);
    let mut rules = Vec::new();
    let policies = endpoint.document.policies.get().into_iter().flatten();
    for (place, policy) in policies.enumerate() {
        let pointer = format!("/Policies/{place}");
        let settings = format!("{pointer}{}", settings_at(policy));
        if policy.is("ACL") {
            let own: Acl = policy.settings_as();
            let (rule, faults) = acl::stored(&own, semantics, &is_set);
            let rule_type = own.rule_type.get().unwrap_or(&semantics.omitted_rule_type);
            rules.push(OwnRule {
                layer: match rule_type {
                    AclRuleType::Host => Layer::Host,
                    AclRuleType::Switch => Layer::Switch,
                },
                pointer,
                settings,
                list: None,
                rule,
                faults,
                words: render::rule::words(&own),
                priority: own.priority.get().copied(),
            });
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
                    words: tier_words(&tier, own),
                    priority: own.priority.get().copied(),
                }
            }));
        }
    }
    rules
}

fn tier_words(tier: &TierAcl, rule: &TierAclRule) -> String {
    render::rule::words(&render::rule::of_tier(&tier.direction, rule))
}

/// Addresses of others that a packet may come from: neighbours first, then gateways.
fn peers(subject: &Subject, endpoint: &Known<Endpoint>) -> Vec<IpAddr> {
    const SHOWN: usize = 8;
    let network = endpoint.document.host_compute_network.get();
    let network = network.and_then(hcn_schema::Id::guid);
    let own = addresses(&endpoint.document);
    let neighbours = subject.endpoints.iter().filter(|other| {
        let other = other.document.host_compute_network.get();
        other.and_then(hcn_schema::Id::guid) == network
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
    let routes = endpoint.document.routes.get().into_iter().flatten();
    peers.extend(routes.filter_map(|route| {
        let hop = route.next_hop.get()?;
        hop.trim().parse::<IpAddr>().ok()
    }));
    peers
}
