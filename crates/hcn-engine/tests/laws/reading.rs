// SPDX-License-Identifier: MIT OR Apache-2.0
//! A second reading of the rules: straight from the words of hns-behaviour 2.4, 4.5, 4.7, 4.12, 4.14 and 4.16, as slow and plain as can be.
//!
//! Apart from the engine, of which nothing is used but the types of the question and of the answer. It reads the texts of a rule each time a
//! packet comes.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Flow, Layer, Protocol, Semantics,
    semantics::{DefaultDeny, SeveralSets, Tie},
};
use hcn_schema::policy::AclRuleType;
use serde_json::Value;

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

/// A network; its policies are its sets, then its rules.
#[derive(Clone, Debug)]
pub struct TextNetwork {
    pub network_type: &'static str,
    pub sets: Vec<TextSet>,
    pub rules: Vec<TextRule>,
}

/// An endpoint; its policies are those of other types, then its rules, then its tiers.
#[derive(Clone, Debug)]
pub struct TextEndpoint {
    /// Place of its network.
    pub network: usize,
    pub addresses: Vec<IpAddr>,
    pub other_policies: Vec<Value>,
    pub rules: Vec<TextRule>,
    pub tiers: Vec<TextTier>,
    /// DisableInterComputeCommunication.
    pub isolated: bool,
}

/// Endpoints, their networks, and what holds for them.
#[derive(Clone, Debug)]
pub struct TextHost {
    pub networks: Vec<TextNetwork>,
    pub endpoints: Vec<TextEndpoint>,
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

/// Where a rule stands: the place of its policy, and its own in a tier.
#[derive(Clone, Copy, Debug)]
struct Place(usize, Option<usize>);

type Placed<'a> = (Place, &'a TextRule);

/// Whether it passes, and the rule that said so.
type Said = (bool, Option<(String, bool)>);

/// One endpoint as the reading sees it, under some semantics.
struct Reader<'a> {
    host: &'a TextHost,
    number: usize,
    network: &'a TextNetwork,
    endpoint: &'a TextEndpoint,
    semantics: &'a Semantics,
}

impl TextHost {
    /// What an endpoint's rules say of a packet.
    pub fn answer(&self, endpoint: usize, direction: Direction, flow: &Flow) -> Answer {
        self.answer_by(&self.semantics, endpoint, direction, flow)
    }

    /// As `answer`, under other semantics.
    pub fn answer_by(
        &self,
        semantics: &Semantics,
        number: usize,
        direction: Direction,
        flow: &Flow,
    ) -> Answer {
        let endpoint = &self.endpoints[number];
        let reader = Reader {
            host: self,
            number,
            network: &self.networks[endpoint.network],
            endpoint,
            semantics,
        };
        reader.answer(direction, flow)
    }

    /// Whether the first packet of a flow gets from an end to another, asked by rules alone: each an endpoint, or nobody's port. What an endpoint
    /// sends to itself crosses no port.
    pub fn passes(&self, from: Option<usize>, to: Option<usize>, flow: &Flow) -> bool {
        let crosses = |endpoint: Option<usize>, direction| {
            endpoint.is_none_or(|endpoint| self.answer(endpoint, direction, flow).allowed)
        };
        from == to || (crosses(from, Direction::Out) && crosses(to, Direction::In))
    }

    /// The rule behind a pointer that an answer about an endpoint has; `None` where it is the endpoint's flags.
    pub fn rule_at(&self, endpoint: usize, layer: Layer, pointer: &str) -> Option<&TextRule> {
        let endpoint = &self.endpoints[endpoint];
        let mut numbers = pointer
            .split('/')
            .filter_map(|part| part.parse::<usize>().ok());
        let place = numbers.next()?;
        if layer == Layer::Network {
            let network = &self.networks[endpoint.network];
            return network.rules.get(place - network.sets.len());
        }
        let place = place - endpoint.other_policies.len();
        match numbers.next() {
            Some(number) => endpoint.tiers[place - endpoint.rules.len()]
                .rules
                .get(number),
            None => endpoint.rules.get(place),
        }
    }

    /// The host without a rule, or without the flag, that decided about an endpoint.
    pub fn without(&self, endpoint: usize, layer: Layer, pointer: &str) -> TextHost {
        let mut edited = self.clone();
        let own = &mut edited.endpoints[endpoint];
        let mut numbers = pointer
            .split('/')
            .filter_map(|part| part.parse::<usize>().ok());
        let Some(place) = numbers.next() else {
            own.isolated = false;
            return edited;
        };
        if layer == Layer::Network {
            let network = &mut edited.networks[own.network];
            network.rules.remove(place - network.sets.len());
            return edited;
        }
        let place = place - own.other_policies.len();
        match numbers.next() {
            Some(number) => {
                let rules = own.rules.len();
                own.tiers[place - rules].rules.remove(number);
            }
            None => {
                own.rules.remove(place);
            }
        }
        edited
    }
}

impl<'a> Reader<'a> {
    fn answer(&self, direction: Direction, flow: &Flow) -> Answer {
        if self.endpoint.isolated && self.is_between_endpoints(direction, flow) {
            return Answer {
                allowed: false,
                layer: Some(Layer::Switch),
                rule: Some(("/Flags".to_owned(), false)),
            };
        }
        let nothing = self.network.network_type == "NAT" && !self.semantics.acl_on_nat;
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

    /// Whether the other side has an address of another endpoint.
    fn is_between_endpoints(&self, direction: Direction, flow: &Flow) -> bool {
        let other_side = match direction {
            Direction::In => flow.source,
            Direction::Out => flow.destination,
        };
        let mut others = self.host.endpoints.iter().enumerate();
        others.any(|(number, other)| number != self.number && other.addresses.contains(&other_side))
    }

    /// 4.16, 2: ACLs with RuleType Host of this direction; none: allow; first match decides; else what Windows takes in unasked.
    fn host(&self, direction: Direction, flow: &Flow) -> Option<Said> {
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
    fn without_host_rules(&self, direction: Direction, flow: &Flow) -> Option<Said> {
        let drops = self.semantics.drop_other_protocols_in
            && ["NAT", "Transparent"].contains(&self.network.network_type);
        (drops && direction == Direction::In && !common(flow.protocol)).then_some((false, None))
    }

    /// 4.16, 3: none: pass; otherwise the same with default deny.
    fn network(&self, direction: Direction, flow: &Flow) -> Option<Said> {
        let first = self.network.sets.len();
        let numbered = self.network.rules.iter().zip(first..);
        let rules: Vec<Placed> = numbered
            .map(|(rule, place)| (Place(place, None), rule))
            .collect();
        self.with_default_deny(&rules, false, direction, flow)
    }

    /// 4.16, 4, second half.
    fn switch(&self, direction: Direction, flow: &Flow) -> Option<Said> {
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
        rules: &[Placed<'a>],
        ruled: bool,
        direction: Direction,
        flow: &Flow,
    ) -> Option<Said> {
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
    fn tiers(&self, direction: Direction, flow: &Flow) -> Option<Said> {
        if self.endpoint.tiers.is_empty() {
            return None;
        }
        let first = self.endpoint.other_policies.len() + self.endpoint.rules.len();
        let mut tiers: Vec<(usize, &TextTier)> = (first..).zip(&self.endpoint.tiers).collect();
        tiers.retain(|(_, tier)| tier.direction == direction);
        let ruled = !tiers.is_empty();
        tiers.sort_by_key(|(_, tier)| tier.order);
        for (place, tier) in tiers {
            let rules: Vec<Placed> = tier
                .rules
                .iter()
                .enumerate()
                .map(|(number, rule)| (Place(place, Some(number)), rule))
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

    /// The endpoint's ACLs of a type; Q17 says of which one is that says none.
    fn of_type(&self, rule_type: &str) -> Vec<Placed<'a>> {
        let omitted = match self.semantics.omitted_rule_type {
            AclRuleType::Switch => "Switch",
            AclRuleType::Host => "Host",
        };
        let first = self.endpoint.other_policies.len();
        let all = self.endpoint.rules.iter().zip(first..);
        all.filter(|(rule, _)| rule.rule_type.unwrap_or(omitted) == rule_type)
            .map(|(rule, place)| (Place(place, None), rule))
            .collect()
    }

    fn matching(&self, rules: &[Placed<'a>], direction: Direction, flow: &Flow) -> Vec<Placed<'a>> {
        let mut rules = rules.to_vec();
        rules.retain(|(_, rule)| rule.direction == direction && self.matches(rule, flow));
        rules
    }

    /// 4.4, 4.5: lower number first; on ties Block, then Allow, then Pass, or the first.
    fn order(&self, mut rules: Vec<Placed<'a>>) -> Vec<Placed<'a>> {
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

    fn strongest(&self, matching: Vec<Placed<'a>>) -> Option<Said> {
        let matching = self.order(matching);
        let (place, first) = matching.first()?;
        let tie = matching.iter().any(|(_, rule)| {
            rule.action != first.action && rule.priority.unwrap_or(0) == first.priority.unwrap_or(0)
        });
        let pointer = match place {
            Place(policy, None) => format!("/Policies/{policy}"),
            Place(policy, Some(number)) => {
                format!("/Policies/{policy}/Settings/TierAclRules/{number}")
            }
        };
        Some((first.action == "Allow", Some((pointer, tie))))
    }

    /// 4.7. A rule with an action that nobody knows matches nothing; that it is there counts all the same.
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
        let mut protocols = list(&rule.protocols);
        let any_protocol = protocols.clone().next().is_none();
        let protocol = any_protocol
            || protocols.any(|text| text == "256" || number_of(text) == Some(flow.protocol.0));
        let port = |field: &Option<String>, port: u16| {
            let mut items = list(field);
            items.clone().next().is_none()
                || (has_ports && items.any(|item| port_is_in(item, port)))
        };
        ["Allow", "Block", "Pass"].contains(&rule.action)
            && protocol
            && port(&rule.local_ports, local.1)
            && port(&rule.remote_ports, remote.1)
            && self.address(&rule.local_addresses, local.0, flow.source)
            && self.address(&rule.remote_addresses, remote.0, flow.destination)
    }

    /// Plain addresses are of a side, sets of an end.
    fn address(&self, field: &Option<String>, side: IpAddr, end: IpAddr) -> bool {
        let (sets, plain): (Vec<&str>, Vec<&str>) =
            list(field).partition(|item| self.network.sets.iter().any(|set| set.id == *item));
        let in_plain = plain.is_empty() || plain.iter().any(|item| is_in(item, side));
        let in_set = |id: &&str| self.set_has(id, end);
        let in_sets = match self.semantics.several_sets {
            SeveralSets::Intersection => sets.iter().all(in_set),
            SeveralSets::Union => sets.is_empty() || sets.iter().any(in_set),
        };
        in_plain && in_sets
    }

    /// 4.7, 4.12.
    fn set_has(&self, id: &str, address: IpAddr) -> bool {
        let mut sets = self.network.sets.iter();
        let set = sets.find(|set| set.id == id);
        let set = set.expect("the network names its own sets");
        let mut values = items(&set.values);
        match set.nested {
            true if values.clone().next().is_none() => true,
            true => values.any(|member| self.set_has(member, address)),
            false => values.any(|item| is_in(item, address)),
        }
    }
}

fn common(protocol: Protocol) -> bool {
    [6, 17, 1, 58, 2].contains(&protocol.0)
}

/// The items of a list; none where it is blank or not there.
pub fn list(field: &Option<String>) -> impl Iterator<Item = &str> + Clone {
    items(field.as_deref().unwrap_or(""))
}

/// The items of a text.
pub fn items(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// A protocol by its number, or by the name that HNS would refuse and a dump may have.
fn number_of(text: &str) -> Option<u8> {
    match text {
        "icmp" => Some(1),
        "igmp" => Some(2),
        "TCP" | "tcp" => Some(6),
        "udp" => Some(17),
        "icmpv6" => Some(58),
        "sctp" => Some(132),
        number => number.parse().ok(),
    }
}

fn port_is_in(item: &str, port: u16) -> bool {
    match item.split_once('-') {
        Some((first, last)) => {
            (first.trim().parse().unwrap()..=last.trim().parse().unwrap()).contains(&port)
        }
        None => item.parse() == Ok(port),
    }
}

/// Compares bit by bit, as far as the prefix is long.
fn is_in(item: &str, address: IpAddr) -> bool {
    let (base, length) = prefix(item);
    let (base, own, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(own)) => (u32::from(base).into(), u32::from(own).into(), 32),
        (IpAddr::V6(base), IpAddr::V6(own)) => (u128::from(base), u128::from(own), 128),
        _ => return false,
    };
    (0..width)
        .take(length)
        .all(|bit| bit_of(base, width, bit) == bit_of(own, width, bit))
}

/// The address and the length of a prefix; that of one address is longer than any address.
fn prefix(item: &str) -> (IpAddr, usize) {
    match item.split_once('/') {
        Some((base, length)) => (base.parse().unwrap(), length.parse().unwrap()),
        None => (item.parse().unwrap(), usize::MAX),
    }
}

/// A bit, counted from the front.
fn bit_of(number: u128, width: u32, bit: u32) -> bool {
    number >> (width - 1 - bit) & 1 == 1
}

/// Whether an address has bits behind the length of its prefix, so that HNS would refuse it.
pub fn has_host_bits(item: &str) -> bool {
    if !item.contains('/') {
        return false;
    }
    let (base, length) = prefix(item);
    let (base, width) = match base {
        IpAddr::V4(base) => (u32::from(base).into(), 32),
        IpAddr::V6(base) => (u128::from(base), 128),
    };
    (0..width).skip(length).any(|bit| bit_of(base, width, bit))
}
