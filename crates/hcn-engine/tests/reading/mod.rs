// SPDX-License-Identifier: MIT OR Apache-2.0
//! A second reading of the rules: straight from the words of hns-behaviour 4.5, 4.7, 4.12, 4.14 and 4.16, as slow and plain as can be.
//!
//! Apart from the engine, of which nothing is used but the types of the question and of the answer. It reads the texts of a rule each time a
//! packet comes.

use hcn_engine::{
    Direction, Flow, Layer, Protocol, Semantics,
    semantics::{DefaultDeny, SeveralSets, Tie},
};

/// A rule in the texts of its document; `None` where a field is not there.
#[derive(Clone, Debug)]
pub struct TextRule {
    pub action: &'static str,
    pub direction: Direction,
    pub rule_type: Option<&'static str>,
    pub priority: Option<u16>,
    pub protocols: Option<String>,
    pub local_addresses: Option<String>,
    pub remote_addresses: Option<String>,
    pub local_ports: Option<String>,
    pub remote_ports: Option<String>,
}

#[derive(Clone, Debug)]
pub struct TextTier {
    pub direction: Direction,
    pub order: u16,
    pub rules: Vec<TextRule>,
}

#[derive(Clone, Debug)]
pub struct TextSet {
    pub id: String,
    pub nested: bool,
    pub values: String,
}

/// An endpoint, its network, and what holds for them.
#[derive(Clone, Debug)]
pub struct TextScene {
    pub network_type: &'static str,
    pub sets: Vec<TextSet>,
    pub network_rules: Vec<TextRule>,
    pub rules: Vec<TextRule>,
    pub tiers: Vec<TextTier>,
    pub semantics: Semantics,
}

/// What the reading says: whether the packet passes, and what decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub allowed: bool,
    /// `None` where no layer had a say.
    pub layer: Option<Layer>,
    /// The rule's pointer, where a rule decided, and whether it decided a tie.
    pub rule: Option<(String, bool)>,
}

impl TextScene {
    pub fn answer(&self, direction: Direction, flow: &Flow) -> Answer {
        let nothing = self.network_type == "NAT" && !self.semantics.acl_on_nat;
        let mut answer = Answer {
            allowed: true,
            layer: None,
            rule: None,
        };
        for layer in [Layer::Host, Layer::Network, Layer::Tier, Layer::Switch] {
            let said = match layer {
                Layer::Host if nothing => self.without_host_rules(direction, flow),
                _ if nothing => None,
                Layer::Host => self.host(direction, flow),
                Layer::Network => self.network(direction, flow),
                Layer::Tier => self.tiers(direction, flow),
                Layer::Switch => self.switch(direction, flow),
            };
            if let Some((allowed, rule)) = said {
                answer = Answer {
                    allowed,
                    layer: Some(layer),
                    rule,
                };
                if !allowed {
                    return answer;
                }
            }
        }
        answer
    }

    /// 4.16, 2: ACLs with RuleType Host of this direction; none: allow; first match decides; else what Windows takes in unasked.
    fn host(&self, direction: Direction, flow: &Flow) -> Option<(bool, Option<(String, bool)>)> {
        let rules = self.of_type("Host");
        if !rules.iter().any(|(_, rule)| rule.direction == direction) {
            return self.without_host_rules(direction, flow);
        }
        let matching = self.matching(&rules, direction, flow);
        Some(
            self.strongest(matching)
                .unwrap_or((direction == Direction::Out || common(flow.protocol), None)),
        )
    }

    /// Q33.
    fn without_host_rules(
        &self,
        direction: Direction,
        flow: &Flow,
    ) -> Option<(bool, Option<(String, bool)>)> {
        let drops = self.semantics.drop_other_protocols_in
            && ["NAT", "Transparent"].contains(&self.network_type);
        (drops && direction == Direction::In && !common(flow.protocol)).then_some((false, None))
    }

    /// 4.16, 3: none: pass; otherwise the same with default deny.
    fn network(&self, direction: Direction, flow: &Flow) -> Option<(bool, Option<(String, bool)>)> {
        let first = self.sets.len();
        let numbered = self.network_rules.iter().zip(first..);
        let rules: Vec<(String, &TextRule)> = numbered
            .map(|(rule, place)| (format!("/Policies/{place}"), rule))
            .collect();
        self.with_default_deny(&rules, false, direction, flow)
    }

    /// 4.16, 4, second half.
    fn switch(&self, direction: Direction, flow: &Flow) -> Option<(bool, Option<(String, bool)>)> {
        let host = self.of_type("Host");
        let rules = self.of_type("Switch");
        if self.semantics.host_rule_flips_switch && !host.is_empty() {
            let ruled = host.iter().any(|(_, rule)| rule.direction == direction);
            return self
                .with_default_deny(&rules, ruled, direction, flow)
                .or_else(|| Some((!self.denies(ruled), None)));
        }
        self.with_default_deny(&rules, false, direction, flow)
    }

    fn with_default_deny(
        &self,
        rules: &[(String, &TextRule)],
        ruled: bool,
        direction: Direction,
        flow: &Flow,
    ) -> Option<(bool, Option<(String, bool)>)> {
        if rules.is_empty() {
            return None;
        }
        let ruled = ruled || rules.iter().any(|(_, rule)| rule.direction == direction);
        let matching = self.matching(rules, direction, flow);
        Some(
            self.strongest(matching)
                .unwrap_or((!self.denies(ruled), None)),
        )
    }

    /// Q2, for a direction that has rules or not.
    fn denies(&self, ruled: bool) -> bool {
        match self.semantics.default_deny {
            DefaultDeny::BothDirections => true,
            DefaultDeny::RuledDirections => ruled,
            DefaultDeny::Never => false,
        }
    }

    /// 4.14: tiers by ascending order; Allow and Block are final, Pass and no match go on; then default deny.
    fn tiers(&self, direction: Direction, flow: &Flow) -> Option<(bool, Option<(String, bool)>)> {
        if self.tiers.is_empty() {
            return None;
        }
        let first = self.rules.len();
        let mut tiers: Vec<(usize, &TextTier)> = self
            .tiers
            .iter()
            .zip(first..)
            .map(|(tier, place)| (place, tier))
            .collect();
        tiers.retain(|(_, tier)| tier.direction == direction);
        let ruled = !tiers.is_empty();
        tiers.sort_by_key(|(_, tier)| tier.order);
        for (place, tier) in tiers {
            let rules: Vec<(String, &TextRule)> = tier
                .rules
                .iter()
                .enumerate()
                .map(|(number, rule)| {
                    (
                        format!("/Policies/{place}/Settings/TierAclRules/{number}"),
                        rule,
                    )
                })
                .collect();
            let matching = self.matching(&rules, direction, flow);
            let passes = self
                .order(matching.clone())
                .first()
                .is_some_and(|(_, rule)| rule.action == "Pass");
            if !passes && let Some(decided) = self.strongest(matching) {
                return Some(decided);
            }
        }
        Some((
            !(self.semantics.tier_default_deny && self.denies(ruled)),
            None,
        ))
    }

    /// The endpoint's ACLs of a type, with their pointers; none said means Switch.
    fn of_type(&self, rule_type: &str) -> Vec<(String, &TextRule)> {
        let all = self.rules.iter().enumerate();
        all.filter(|(_, rule)| rule.rule_type.unwrap_or("Switch") == rule_type)
            .map(|(place, rule)| (format!("/Policies/{place}"), rule))
            .collect()
    }

    fn matching<'a>(
        &self,
        rules: &[(String, &'a TextRule)],
        direction: Direction,
        flow: &Flow,
    ) -> Vec<(String, &'a TextRule)> {
        let mut rules = rules.to_vec();
        rules.retain(|(_, rule)| rule.direction == direction && self.matches(rule, flow));
        rules
    }

    /// 4.4, 4.5: lower number first; on ties Block, then Allow, then Pass, or the first.
    fn order<'a>(&self, mut rules: Vec<(String, &'a TextRule)>) -> Vec<(String, &'a TextRule)> {
        rules.sort_by_key(|(_, rule)| {
            let rank = ["Block", "Allow", "Pass"]
                .iter()
                .position(|action| *action == rule.action);
            let rank = if self.semantics.tie == Tie::BlockWins {
                rank
            } else {
                None
            };
            (rule.priority.unwrap_or(0), rank)
        });
        rules
    }

    fn strongest(
        &self,
        matching: Vec<(String, &TextRule)>,
    ) -> Option<(bool, Option<(String, bool)>)> {
        let matching = self.order(matching);
        let (pointer, first) = matching.first()?;
        let tie = matching.iter().any(|(_, rule)| {
            rule.action != first.action && rule.priority.unwrap_or(0) == first.priority.unwrap_or(0)
        });
        Some((first.action == "Allow", Some((pointer.clone(), tie))))
    }

    /// 4.7.
    fn matches(&self, rule: &TextRule, flow: &Flow) -> bool {
        let has_ports = [6, 17, 132].contains(&flow.protocol.0);
        let (local, remote) = match rule.direction {
            Direction::In => (
                (flow.destination, flow.destination_port),
                (flow.source, flow.source_port),
            ),
            Direction::Out => (
                (flow.source, flow.source_port),
                (flow.destination, flow.destination_port),
            ),
        };
        let protocols = list(&rule.protocols);
        let protocol = protocols.is_empty()
            || protocols
                .iter()
                .any(|text| *text == "256" || text.parse() == Ok(flow.protocol.0));
        let port = |field: &Option<String>, port: u16| {
            let items = list(field);
            items.is_empty() || (has_ports && items.iter().any(|item| port_is_in(item, port)))
        };
        protocol
            && port(&rule.local_ports, local.1)
            && port(&rule.remote_ports, remote.1)
            && self.address(&rule.local_addresses, local.0, flow.source)
            && self.address(&rule.remote_addresses, remote.0, flow.destination)
    }

    /// Plain addresses are of a side, sets of an end.
    fn address(
        &self,
        field: &Option<String>,
        side: std::net::IpAddr,
        end: std::net::IpAddr,
    ) -> bool {
        let (sets, plain): (Vec<&str>, Vec<&str>) = list(field)
            .into_iter()
            .partition(|item| self.sets.iter().any(|set| set.id == *item));
        let in_plain = plain.is_empty() || plain.iter().any(|item| is_in(item, side));
        let in_set = |id: &&str| self.set_has(id, end);
        let in_sets = match self.semantics.several_sets {
            SeveralSets::Intersection => sets.iter().all(in_set),
            SeveralSets::Union => sets.is_empty() || sets.iter().any(in_set),
        };
        in_plain && in_sets
    }

    /// 4.7, 4.12.
    fn set_has(&self, id: &str, address: std::net::IpAddr) -> bool {
        let set = self
            .sets
            .iter()
            .find(|set| set.id == id)
            .expect("the scene names its own sets");
        let values = items(&set.values);
        match set.nested {
            true if values.is_empty() => true,
            true => values.iter().any(|member| self.set_has(member, address)),
            false => values.iter().any(|item| is_in(item, address)),
        }
    }
}

fn common(protocol: Protocol) -> bool {
    [6, 17, 1, 58, 2].contains(&protocol.0)
}

/// The items of a list; none where it is empty or not there.
fn list(field: &Option<String>) -> Vec<&str> {
    items(field.as_deref().unwrap_or(""))
}

fn items(text: &str) -> Vec<&str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

fn port_is_in(item: &str, port: u16) -> bool {
    match item.split_once('-') {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&port),
        None => item.parse() == Ok(port),
    }
}

/// Compares bit by bit.
fn is_in(item: &str, address: std::net::IpAddr) -> bool {
    let (base, length) = match item.split_once('/') {
        Some((base, length)) => (base, length.parse().unwrap()),
        None => (item, usize::MAX),
    };
    let (base, address) = (bits(base.parse().unwrap()), bits(address));
    base.len() == address.len()
        && base
            .iter()
            .zip(&address)
            .take(length)
            .all(|(ours, theirs)| ours == theirs)
}

fn bits(address: std::net::IpAddr) -> Vec<bool> {
    let bytes = match address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    let of_byte = |byte: u8| (0..8).rev().map(move |bit| byte >> bit & 1 == 1);
    bytes.into_iter().flat_map(of_byte).collect()
}
