// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reading of the rules of one port that owes the engine nothing: from the JSON of the documents, in either shape, and the words of hns-behaviour
//! 4.4, 4.5, 4.7, 4.9, 4.12, 4.14 and 4.16.
//!
//! Apart from lint, which asks the engine what its fixes do. Texts are taken apart once, since thousands of packets are put to one reading; a
//! packet goes rule by rule.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Flow, Semantics,
    semantics::{DefaultDeny, SeveralSets, Tie},
};
use serde_json::{Map, Value};

/// An address as bits, and how many there are.
type Bits = (u128, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    // In the order in which they win a tie (4.5).
    Block,
    Allow,
    Pass,
}

/// The addresses that a field names: some address of these, and what the sets say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    pub plain: Vec<(Bits, u32)>,
    sets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub action: Action,
    pub direction: Direction,
    pub priority: u64,
    pub protocols: Vec<u16>,
    pub local: Field,
    pub remote: Field,
    pub local_ports: Vec<(u16, u16)>,
    pub remote_ports: Vec<(u16, u16)>,
}

/// Rules of one list, and the directions that have any, readable or not.
#[derive(Clone, Debug, Default)]
struct List {
    rules: Vec<Rule>,
    ruled: Vec<Option<Direction>>,
}

struct Set {
    id: String,
    is_nested: bool,
    plain: Vec<(Bits, u32)>,
    members: Vec<String>,
}

/// A port.
pub struct Port {
    semantics: Semantics,
    has_effect: bool,
    drops_others: bool,
    sets: Vec<Set>,
    host: List,
    network: List,
    tiers: Vec<(u64, Direction, List)>,
    has_tiers: bool,
    switch: List,
}

/// A member, whatever the case of its key.
pub fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let mut members = value.as_object()?.iter();
    members
        .find(|(own, _)| own.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

fn text(value: &Value, key: &str) -> String {
    match member(value, key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn is_of_type(policy: &Value, wanted: &str) -> bool {
    text(policy, "Type").eq_ignore_ascii_case(wanted)
}

fn policies(document: &Value) -> &[Value] {
    let policies = member(document, "Policies").and_then(Value::as_array);
    policies.map_or(&[], Vec::as_slice)
}

/// v2 has the settings in a member, v1 beside the type.
fn settings(policy: &Value) -> Value {
    member(policy, "Settings").unwrap_or(policy).clone()
}

fn items(text: &str) -> Vec<&str> {
    match text.trim() {
        "" => Vec::new(),
        text => text.split(',').map(str::trim).collect(),
    }
}

pub fn bits(address: IpAddr) -> Bits {
    match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    }
}

/// An address or CIDR; what stands behind the prefix does not count (4.7, a guess).
fn prefix(item: &str) -> Option<(Bits, u32)> {
    let (address, length) = match item.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (item, None),
    };
    let bits = bits(address.parse().ok()?);
    let length = length.unwrap_or(bits.1);
    (length <= bits.1).then_some((bits, length))
}

/// First and last address of a prefix.
pub fn ends(((value, width), length): (Bits, u32)) -> (u128, u128) {
    let behind = match width - length {
        128 => u128::MAX,
        free => (1 << free) - 1,
    };
    (value & !behind, value | behind)
}

fn is_in(prefix: (Bits, u32), address: Bits) -> bool {
    let (first, last) = ends(prefix);
    prefix.0.1 == address.1 && (first..=last).contains(&address.0)
}

fn span(item: &str) -> Option<(u16, u16)> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let span = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (span.0 <= span.1).then_some(span)
}

fn direction(settings: &Value) -> Option<Direction> {
    match text(settings, "Direction").to_ascii_lowercase().as_str() {
        "in" => Some(Direction::In),
        "out" => Some(Direction::Out),
        _ => None,
    }
}

/// A rule; `None` where a field has no meaning, and so the rule none.
fn rule(
    settings: &Value,
    action: &str,
    direction: Option<Direction>,
    sets: &[Set],
) -> Option<Rule> {
    let action = match text(settings, action).to_ascii_lowercase().as_str() {
        "block" => Action::Block,
        "allow" => Action::Allow,
        "pass" => Action::Pass,
        _ => return None,
    };
    // 4.9: v1 has singular members, in which 0 and 256 mean any; the plural ones go before.
    let list = |plural: &str, singular: &str| {
        let own = text(settings, plural);
        match text(settings, singular).as_str() {
            said if own.is_empty() && said != "0" && !(said == "256" && singular == "Protocol") => {
                said.to_owned()
            }
            _ => own,
        }
    };
    let protocols = list("Protocols", "Protocol");
    let protocols =
        items(&protocols)
            .into_iter()
            .map(|item| match item.to_ascii_lowercase().as_str() {
                "tcp" => Some(6),
                "udp" => Some(17),
                "icmp" => Some(1),
                number => number.parse::<u16>().ok().filter(|number| *number <= 256),
            });
    let addresses = |key: &str| -> Option<Field> {
        let mut field = Field::default();
        for item in items(&text(settings, key)) {
            match sets.iter().any(|set| set.id == item) {
                true => field.sets.push(item.to_owned()),
                false => field.plain.push(prefix(item)?),
            }
        }
        Some(field)
    };
    let ports =
        |text: String| -> Option<Vec<(u16, u16)>> { items(&text).into_iter().map(span).collect() };
    Some(Rule {
        action,
        direction: direction?,
        priority: member(settings, "Priority")
            .and_then(Value::as_u64)
            .unwrap_or(0),
        protocols: protocols.collect::<Option<_>>()?,
        local: addresses("LocalAddresses")?,
        remote: addresses("RemoteAddresses")?,
        local_ports: ports(list("LocalPorts", "LocalPort"))?,
        remote_ports: ports(list("RemotePorts", "RemotePort"))?,
    })
}

impl List {
    fn push(&mut self, direction: Option<Direction>, rule: Option<Rule>) {
        self.ruled.push(direction);
        self.rules.extend(rule);
    }

    fn is_ruled(&self, direction: Direction) -> bool {
        self.ruled.contains(&Some(direction))
    }
}

impl Port {
    /// The port of an endpoint on a network; of one whose network is not told, the type of the network.
    pub fn of(
        endpoint: &Value,
        network: Option<&Value>,
        network_type: &str,
        semantics: &Semantics,
    ) -> Port {
        let network = network
            .cloned()
            .unwrap_or_else(|| Value::Object(Map::new()));
        let sets = policies(&network)
            .iter()
            .filter(|policy| is_of_type(policy, "SetPolicy"));
        let sets: Vec<Set> = sets
            .map(|policy| {
                let settings = settings(policy);
                let values = text(&settings, "Values");
                let is_nested = text(&settings, "PolicyType").eq_ignore_ascii_case("NESTEDIPSET");
                Set {
                    id: text(&settings, "Id"),
                    is_nested,
                    plain: items(&values)
                        .into_iter()
                        .filter(|_| !is_nested)
                        .filter_map(prefix)
                        .collect(),
                    members: items(&values).into_iter().map(str::to_owned).collect(),
                }
            })
            .collect();
        let mut port = Port {
            semantics: semantics.clone(),
            has_effect: network_type != "NAT" || semantics.acl_on_nat,
            drops_others: semantics.drop_other_protocols_in
                && ["NAT", "Transparent"].contains(&network_type),
            host: List::default(),
            network: List::default(),
            tiers: Vec::new(),
            has_tiers: false,
            switch: List::default(),
            sets,
        };
        for policy in policies(&network)
            .iter()
            .filter(|policy| is_of_type(policy, "NetworkACL"))
        {
            let own = settings(policy);
            let direction = direction(&own);
            port.network
                .push(direction, rule(&own, "Action", direction, &port.sets));
        }
        for policy in policies(endpoint) {
            let own = settings(policy);
            let direction = direction(&own);
            if is_of_type(policy, "ACL") {
                let omitted = match semantics.omitted_rule_type {
                    hcn_schema::policy::AclRuleType::Host => "Host",
                    hcn_schema::policy::AclRuleType::Switch => "Switch",
                };
                let said = text(&own, "RuleType");
                let rule_type = if said.is_empty() { omitted } else { &said };
                let read = rule(&own, "Action", direction, &port.sets);
                match rule_type.eq_ignore_ascii_case("Host") {
                    true => port.host.push(direction, read),
                    false => port.switch.push(direction, read),
                }
            } else if is_of_type(policy, "TierAcl") {
                port.has_tiers = true;
                let Some(direction) = direction else { continue };
                let mut list = List::default();
                let rules = member(&own, "TierAclRules").and_then(Value::as_array);
                for one in rules.into_iter().flatten() {
                    let read = rule(one, "TierAclRuleAction", Some(direction), &port.sets);
                    list.push(Some(direction), read);
                }
                let order = member(&own, "Order").and_then(Value::as_u64).unwrap_or(0);
                port.tiers.push((order, direction, list));
            }
        }
        // Stable: tiers of one order are asked in the order of the policies.
        port.tiers.sort_by_key(|(order, _, _)| *order);
        port
    }

    /// Every rule of the port.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let tiers = self.tiers.iter().map(|(_, _, list)| list);
        let lists = [&self.host, &self.network, &self.switch]
            .into_iter()
            .chain(tiers);
        lists.flat_map(|list| &list.rules)
    }

    /// Every prefix that a set of the network holds.
    pub fn in_sets(&self) -> impl Iterator<Item = (Bits, u32)> {
        self.sets.iter().flat_map(|set| set.plain.iter().copied())
    }

    /// Whether the port lets a packet pass: every layer has to (4.16).
    pub fn passes(&self, direction: Direction, flow: &Flow) -> bool {
        if !self.has_effect {
            return self.lets_in_unasked(direction, flow);
        }
        self.host(direction, flow)
            && self.list(&self.network, false, direction, flow)
            && self.in_tiers(direction, flow)
            && self.switch(direction, flow)
    }

    fn lets_in_unasked(&self, direction: Direction, flow: &Flow) -> bool {
        !self.drops_others || direction == Direction::Out || is_common(flow)
    }

    fn host(&self, direction: Direction, flow: &Flow) -> bool {
        if !self.host.is_ruled(direction) {
            return self.lets_in_unasked(direction, flow);
        }
        match self.decided(&self.host, direction, flow) {
            Some(action) => action == Action::Allow,
            None => direction == Direction::Out || is_common(flow),
        }
    }

    fn switch(&self, direction: Direction, flow: &Flow) -> bool {
        let flipped = self.semantics.host_rule_flips_switch && !self.host.ruled.is_empty();
        if flipped && self.switch.ruled.is_empty() {
            return !self.denies(self.host.is_ruled(direction));
        }
        let by_host = flipped && self.host.is_ruled(direction);
        self.list(&self.switch, by_host, direction, flow)
    }

    fn list(&self, list: &List, by_others: bool, direction: Direction, flow: &Flow) -> bool {
        if list.ruled.is_empty() {
            return true;
        }
        match self.decided(list, direction, flow) {
            Some(action) => action == Action::Allow,
            None => !self.denies(by_others || list.is_ruled(direction)),
        }
    }

    fn in_tiers(&self, direction: Direction, flow: &Flow) -> bool {
        if !self.has_tiers {
            return true;
        }
        let own = || {
            self.tiers
                .iter()
                .filter(|(_, whose, _)| *whose == direction)
        };
        for (_, _, list) in own() {
            match self.decided(list, direction, flow) {
                Some(Action::Allow) => return true,
                Some(Action::Block) => return false,
                Some(Action::Pass) | None => {}
            }
        }
        !(self.semantics.tier_default_deny && self.denies(own().count() > 0))
    }

    /// Q2.
    fn denies(&self, is_ruled: bool) -> bool {
        match self.semantics.default_deny {
            DefaultDeny::BothDirections => true,
            DefaultDeny::RuledDirections => is_ruled,
            DefaultDeny::Never => false,
        }
    }

    /// What the strongest rule that matches does: the lowest number; of one number Block, or the first (Q1).
    fn decided(&self, list: &List, direction: Direction, flow: &Flow) -> Option<Action> {
        let mut best: Option<&Rule> = None;
        for rule in &list.rules {
            if rule.direction != direction || !self.matches(rule, flow) {
                continue;
            }
            let wins = best.is_none_or(|best| {
                rule.priority < best.priority
                    || rule.priority == best.priority
                        && self.semantics.tie == Tie::BlockWins
                        && (rule.action as u8) < best.action as u8
            });
            if wins {
                best = Some(rule);
            }
        }
        best.map(|rule| rule.action)
    }

    /// 4.7: addresses and ports are of the endpoint's side and of the other; sets are of the source and of the destination.
    pub fn matches(&self, rule: &Rule, flow: &Flow) -> bool {
        let source = (bits(flow.source), flow.source_port);
        let destination = (bits(flow.destination), flow.destination_port);
        let (local, remote) = match rule.direction {
            Direction::In => (destination, source),
            Direction::Out => (source, destination),
        };
        let number = flow.protocol.0;
        let has_ports = [6, 17, 132].contains(&number);
        let protocol = rule.protocols.is_empty()
            || rule
                .protocols
                .iter()
                .any(|own| *own == 256 || *own == u16::from(number));
        let port = |spans: &[(u16, u16)], port: u16| {
            let is_in = |(first, last): &(u16, u16)| (*first..=*last).contains(&port);
            spans.is_empty() || has_ports && spans.iter().any(is_in)
        };
        protocol
            && port(&rule.local_ports, local.1)
            && port(&rule.remote_ports, remote.1)
            && self.names(&rule.local, local.0, source.0)
            && self.names(&rule.remote, remote.0, destination.0)
    }

    fn names(&self, field: &Field, side: Bits, end: Bits) -> bool {
        let has = |id: &String| self.set_has(id, end);
        let in_sets = match self.semantics.several_sets {
            SeveralSets::Intersection => field.sets.iter().all(has),
            SeveralSets::Union => field.sets.is_empty() || field.sets.iter().any(has),
        };
        let in_plain = || field.plain.iter().any(|prefix| is_in(*prefix, side));
        in_sets && (field.plain.is_empty() || in_plain())
    }

    /// 4.7, 4.12: an empty set has nobody in it, and an empty set of sets everybody.
    fn set_has(&self, id: &str, address: Bits) -> bool {
        let Some(set) = self.sets.iter().find(|set| set.id == id) else {
            return false;
        };
        match set.is_nested {
            true if set.members.is_empty() => true,
            true => set
                .members
                .iter()
                .any(|member| self.set_has(member, address)),
            false => set.plain.iter().any(|prefix| is_in(*prefix, address)),
        }
    }
}

/// 4.2: what Windows takes in unasked.
fn is_common(flow: &Flow) -> bool {
    [6, 17, 1, 58, 2].contains(&flow.protocol.0)
}
