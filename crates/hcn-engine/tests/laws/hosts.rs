// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random networks and endpoints with rules of every kind, as texts for the reading and as documents for the engine; and packets that aim at the
//! edges of what the rules say.
//!
//! Apart because every law is about such hosts. A law gives the words that its rules are made of.

use std::net::IpAddr;

use hcn_engine::{
    Decision, Direction, Documents, Family, Flow, Layer, PortIndex, Protocol, Ruling, Semantics,
    Switch,
    semantics::{DefaultDeny, SeveralSets, Tie},
    space::Cell,
    verdict::Reason,
};
use hcn_schema::{Document, Endpoint, Guid, Network, policy::AclRuleType};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::{
    law::{Dice, Met},
    reading::{
        Answer, TextEndpoint, TextHost, TextNetwork, TextRule, TextSet, TextTier, has_host_bits,
        items, list,
    },
};

/// What rules are made of.
#[derive(Debug)]
pub struct Words {
    /// Addresses and prefixes of both families.
    pub places: &'static [&'static str],
    /// Ports of the one that is called.
    pub services: &'static [&'static str],
    /// Ports of the one that calls.
    pub clients: &'static [&'static str],
    pub priorities: &'static [u16],
    /// How often a rule has each of its conditions.
    pub chance: f64,
    /// How often it has one on the port of the one that calls.
    pub chance_of_clients: f64,
}

const PROTOCOLS: [&str; 12] = [
    "6", "6", "6", "17", "17", "1", "58", "132", "256", "0", "tcp", "icmpv6",
];

const SETS: [&str; 5] = ["set-a", "set-b", "set-empty", "nested", "nested-empty"];

pub const ALLOW_AND_BLOCK: &[&str] = &["Allow", "Block"];
const TIER_ACTIONS: &[&str] = &["Allow", "Block", "Pass"];

/// A list as people write it: now and then with blanks, now and then blank.
fn joined(
    items: Vec<&'static str>,
    most: usize,
    chance: f64,
) -> impl Strategy<Value = Option<String>> {
    let comma = select(vec![",", ",", ",", ", ", " , "]);
    let text =
        (vec(select(items), 0..=most), comma).prop_map(|(items, comma)| match items.is_empty() {
            true => comma.replace(',', ""),
            false => items.join(comma),
        });
    option::weighted(chance, text)
}

fn places(words: &'static Words) -> impl Strategy<Value = Option<String>> {
    let plain = words.places.to_vec();
    let mixed = plain.iter().chain(&SETS).chain(&SETS).copied().collect();
    prop_oneof![3 => joined(plain, 3, words.chance), 2 => joined(mixed, 2, words.chance)]
}

pub fn rule(
    words: &'static Words,
    actions: &'static [&'static str],
) -> impl Strategy<Value = TextRule> {
    (
        select(actions),
        select(vec![Direction::In, Direction::Out]),
        option::of(select(vec!["Switch", "Switch", "Switch", "Host"])),
        option::weighted(0.9, select(words.priorities)),
        joined(PROTOCOLS.to_vec(), 2, words.chance),
        (places(words), places(words)),
        joined(words.services.to_vec(), 2, words.chance),
        joined(words.clients.to_vec(), 1, words.chance_of_clients),
    )
        .prop_map(
            |(
                action,
                direction,
                rule_type,
                priority,
                protocols,
                (local_addresses, remote_addresses),
                service,
                client,
            )| {
                let (local_ports, remote_ports) = match direction {
                    Direction::In => (service, client),
                    Direction::Out => (client, service),
                };
                TextRule {
                    action,
                    direction,
                    rule_type,
                    priority,
                    protocols,
                    local_addresses,
                    remote_addresses,
                    local_ports,
                    remote_ports,
                }
            },
        )
}

pub fn tier(words: &'static Words) -> impl Strategy<Value = TextTier> {
    let direction = select(vec![Direction::In, Direction::Out]);
    (direction, 0..3u16, vec(rule(words, TIER_ACTIONS), 0..4)).prop_map(
        |(direction, order, mut rules)| {
            rules.iter_mut().for_each(|rule| rule.direction = direction);
            TextTier {
                direction,
                order,
                rules,
            }
        },
    )
}

pub fn sets(words: &'static Words) -> impl Strategy<Value = Vec<TextSet>> {
    let values =
        move || joined(words.places.to_vec(), 4, 0.8).prop_map(|text| text.unwrap_or_default());
    let members = joined(vec!["set-a", "set-b", "set-empty"], 2, 0.6);
    (values(), values(), members).prop_map(|(a, b, members)| {
        let set = |id: &str, nested, values: String| TextSet {
            id: id.to_owned(),
            nested,
            values,
        };
        vec![
            set("nested", true, members.unwrap_or_default()),
            set("set-a", false, a),
            set("set-b", false, b),
            set("set-empty", false, String::new()),
            set("nested-empty", true, String::new()),
        ]
    })
}

/// Allows beneath all other rules, so that not everything is blocked.
fn base() -> [TextRule; 2] {
    [Direction::In, Direction::Out].map(|direction| TextRule {
        action: "Allow",
        direction,
        rule_type: Some("Switch"),
        priority: Some(65_500),
        protocols: None,
        local_addresses: None,
        remote_addresses: None,
        local_ports: None,
        remote_ports: None,
    })
}

/// A network of one of these types with sets, and with rules one time of four.
pub fn network(
    words: &'static Words,
    types: &'static [&'static str],
) -> impl Strategy<Value = TextNetwork> {
    let rules = prop_oneof![3 => Just(Vec::new()), 1 => vec(rule(words, ALLOW_AND_BLOCK), 1..4)];
    (select(types), sets(words), rules, prop::bool::weighted(0.8)).prop_map(
        |(network_type, sets, mut rules, has_base)| {
            if has_base && !rules.is_empty() {
                rules.extend(base());
            }
            TextNetwork {
                network_type,
                sets,
                rules,
            }
        },
    )
}

/// Rules and tiers of an endpoint, and whether it is isolated.
pub type Policies = (Vec<TextRule>, Vec<TextTier>, bool);

/// Policies of an endpoint that talks to others: most often it lets them.
pub fn policies(
    words: &'static Words,
    actions: &'static [&'static str],
) -> impl Strategy<Value = Policies> {
    let tiers = prop_oneof![4 => Just(Vec::new()), 1 => vec(tier(words), 1..3)];
    (
        vec(rule(words, actions), 0..5),
        prop::bool::weighted(0.7),
        (tiers, prop::bool::weighted(0.8)),
        prop::bool::weighted(0.08),
    )
        .prop_map(|(mut rules, has_base, (mut tiers, tiers_pass), isolated)| {
            if has_base && !rules.is_empty() {
                rules.extend(base());
            }
            if tiers_pass && !tiers.is_empty() {
                tiers.extend(base().map(|rule| TextTier {
                    direction: rule.direction,
                    order: 9,
                    rules: vec![rule],
                }));
            }
            (rules, tiers, isolated)
        })
}

prop_compose! {
    /// Half of the time as Windows is taken to be, half of the time in any other way.
    pub fn semantics()(
        usual in any::<bool>(),
        default_deny in select(vec![DefaultDeny::BothDirections, DefaultDeny::RuledDirections, DefaultDeny::Never]),
        tie in select(vec![Tie::BlockWins, Tie::FirstWins]),
        (host_rule_flips_switch, drop_other_protocols_in) in any::<(bool, bool)>(),
        (tier_default_deny, acl_on_nat) in any::<(bool, bool)>(),
        several_sets in select(vec![SeveralSets::Intersection, SeveralSets::Union]),
        omitted_rule_type in select(vec![AclRuleType::Switch, AclRuleType::Host]),
        direct_out_sees_backend in any::<bool>(),
    ) -> Semantics {
        if usual {
            return Semantics::default();
        }
        Semantics {
            default_deny, tie, host_rule_flips_switch, drop_other_protocols_in, tier_default_deny, acl_on_nat, several_sets, omitted_rule_type,
            direct_out_sees_backend,
            ..Semantics::default()
        }
    }
}

pub fn endpoint_id(endpoint: usize) -> Guid {
    Guid(endpoint as u128 + 1)
}

pub fn network_id(network: usize) -> Guid {
    Guid(0xa000_0000 + network as u128)
}

/// The endpoint of an id that `endpoint_id` gave.
pub fn endpoint_of(id: Guid) -> usize {
    id.0 as usize - 1
}

fn settings(rule: &TextRule, action_key: &str) -> Value {
    let mut map = Map::new();
    map.insert(action_key.to_owned(), rule.action.into());
    let mut put = |key: &str, value: Option<Value>| {
        map.extend(value.map(|value| (key.to_owned(), value)));
    };
    put("Priority", rule.priority.map(Value::from));
    for (key, text) in [
        ("Protocols", &rule.protocols),
        ("LocalAddresses", &rule.local_addresses),
        ("RemoteAddresses", &rule.remote_addresses),
        ("LocalPorts", &rule.local_ports),
        ("RemotePorts", &rule.remote_ports),
    ] {
        put(key, text.clone().map(Value::from));
    }
    if action_key == "Action" {
        put("Direction", Some(rule.direction.to_string().into()));
        put("RuleType", rule.rule_type.map(Value::from));
    }
    Value::Object(map)
}

/// The network's document.
pub fn network_document(host: &TextHost, number: usize) -> Value {
    let network = &host.networks[number];
    let set = |set: &TextSet| {
        let kind = if set.nested { "NESTEDIPSET" } else { "IPSET" };
        json!({"Type": "SetPolicy", "Settings": {"Id": set.id, "PolicyType": kind, "Values": set.values}})
    };
    let rule =
        |rule: &TextRule| json!({"Type": "NetworkACL", "Settings": settings(rule, "Action")});
    let policies = network.sets.iter().map(set);
    let policies: Vec<Value> = policies.chain(network.rules.iter().map(rule)).collect();
    json!({"ID": network_id(number).upper(), "Type": network.network_type, "Policies": policies})
}

/// The endpoint's document.
pub fn endpoint_document(host: &TextHost, number: usize) -> Value {
    let endpoint = &host.endpoints[number];
    let rule = |rule: &TextRule| json!({"Type": "ACL", "Settings": settings(rule, "Action")});
    let tier = |tier: &TextTier| {
        let rules = tier.rules.iter();
        let rules: Vec<Value> = rules
            .map(|rule| settings(rule, "TierAclRuleAction"))
            .collect();
        json!({"Type": "TierAcl", "Settings": {"Name": "t", "Direction": tier.direction.to_string(), "Order": tier.order, "TierAclRules": rules}})
    };
    let policies = endpoint.other_policies.iter().cloned();
    let policies = policies.chain(endpoint.rules.iter().map(rule));
    let policies: Vec<Value> = policies.chain(endpoint.tiers.iter().map(tier)).collect();
    let addresses: Vec<Value> = endpoint
        .addresses
        .iter()
        .map(|address| json!({"IpAddress": address.to_string()}))
        .collect();
    json!({
        "ID": endpoint_id(number).upper(), "HostComputeNetwork": network_id(endpoint.network).upper(), "IpConfigurations": addresses,
        // EndpointFlags: DisableInterComputeCommunication is 2 (hns-behaviour 2.4).
        "Flags": if endpoint.isolated { 2 } else { 0 },
        "Policies": policies,
    })
}

/// The documents of some of the endpoints, in this order, and of every network.
pub fn documents_of(host: &TextHost, endpoints: &[usize]) -> Documents {
    let networks = (0..host.networks.len()).map(|number| network_document(host, number));
    let endpoints = endpoints
        .iter()
        .map(|number| endpoint_document(host, *number));
    Documents {
        networks: networks
            .map(|document| Network::from_value(&document).unwrap())
            .collect(),
        endpoints: endpoints
            .map(|document| Endpoint::from_value(&document).unwrap())
            .collect(),
        ..Documents::default()
    }
}

/// The documents of all.
pub fn documents(host: &TextHost) -> Documents {
    let all: Vec<usize> = (0..host.endpoints.len()).collect();
    documents_of(host, &all)
}

/// Compiled; what HNS would have refused is told, and nothing else.
pub fn compile(host: &TextHost) -> Switch {
    let (switch, faults) = Switch::compile(&documents(host), &host.semantics);
    let rules = host.networks.iter().flat_map(|network| &network.rules);
    let own = host.endpoints.iter();
    let own = own.flat_map(|endpoint| {
        let of_tiers = endpoint.tiers.iter().flat_map(|tier| &tier.rules);
        endpoint.rules.iter().chain(of_tiers)
    });
    let sets = host.networks.iter().flat_map(|network| &network.sets);
    let is_odd = rules.chain(own).any(|rule| odd(rule).is_some())
        || sets.flat_map(|set| items(&set.values)).any(has_host_bits);
    assert_eq!(is_odd, !faults.is_empty(), "{faults:?}");
    switch
}

/// What HNS would refuse in a rule, of what the random ones have.
fn odd(rule: &TextRule) -> Option<&'static str> {
    let is_name = |item: &str| item.starts_with(|first: char| first.is_ascii_alphabetic());
    let mut places = list(&rule.local_addresses).chain(list(&rule.remote_addresses));
    if rule.action == "Maybe" {
        Some("unknown action")
    } else if list(&rule.protocols).any(is_name) {
        Some("name of a protocol")
    } else if places.any(has_host_bits) {
        Some("host bits")
    } else {
        None
    }
}

/// Whether a layer has spoken; where there is no rule, or none has an effect, none has.
pub fn has_layer(reason: Reason) -> bool {
    !matches!(reason, Reason::NoRules | Reason::WithoutEffect)
}

/// What the engine says, in the shape of what the reading says.
pub fn said(
    switch: &Switch,
    port: PortIndex,
    direction: Direction,
    flow: &Flow,
    ruling: Ruling,
) -> Answer {
    let cause = switch.cause(port, direction, flow, ruling);
    Answer {
        allowed: ruling.decision == Decision::Allow,
        layer: has_layer(ruling.reason).then_some(ruling.layer),
        rule: cause.rule.map(|rule| (rule.pointer, cause.tie)),
    }
}

/// What stands in rules besides plain numbers and addresses, for the counting.
pub const KINDS_OF_RULES: [&str; 6] = [
    "a rule with sets",
    "a rule with two sets in a field",
    "a rule with a name of a protocol",
    "a rule with host bits",
    "a rule with blanks",
    "a rule without RuleType",
];

/// Questions of the record that an answer may hang on.
pub const QUESTIONS: [&str; 7] = [
    "hangs on Q1",
    "hangs on Q2",
    "hangs on Q3",
    "hangs on Q13",
    "hangs on Q14",
    "hangs on Q17",
    "hangs on Q33",
];

impl Met {
    /// Notes by what a packet was decided.
    pub fn decided(&mut self, host: &TextHost, endpoint: usize, flow: &Flow, answer: &Answer) {
        let Some(layer) = answer.layer else {
            return self.add("no rules");
        };
        let what = match &answer.rule {
            Some((_, true)) => "tie",
            Some((_, false)) => "rule",
            None => "default",
        };
        let decision = if answer.allowed { "Allow" } else { "Block" };
        self.add(&format!("{layer} {what} {decision}"));
        self.add_if(flow.protocol == Protocol::ICMPV6, "ICMPv6");
        self.add_if(flow.source.is_ipv6(), "IPv6");
        let Some((pointer, _)) = &answer.rule else {
            return;
        };
        let Some(rule) = host.rule_at(endpoint, layer, pointer) else {
            return self.add("isolation");
        };
        let count_sets = |field| list(field).filter(|item| SETS.contains(item)).count();
        let fields = [&rule.local_addresses, &rule.remote_addresses];
        let most_sets = fields.map(count_sets).into_iter().max();
        self.add_if(most_sets >= Some(1), "a rule with sets");
        self.add_if(most_sets >= Some(2), "a rule with two sets in a field");
        self.add_if(
            odd(rule) == Some("name of a protocol"),
            "a rule with a name of a protocol",
        );
        self.add_if(odd(rule) == Some("host bits"), "a rule with host bits");
        let mut texts = fields
            .into_iter()
            .chain([&rule.protocols, &rule.local_ports, &rule.remote_ports])
            .flatten();
        self.add_if(texts.any(|text| text.contains(' ')), "a rule with blanks");
        self.add_if(
            rule.rule_type.is_none() && matches!(layer, Layer::Host | Layer::Switch),
            "a rule without RuleType",
        );
    }

    /// Notes on which open questions an answer hangs.
    pub fn hangs_on(
        &mut self,
        host: &TextHost,
        endpoint: usize,
        direction: Direction,
        flow: &Flow,
    ) {
        let own = host.answer(endpoint, direction, flow);
        for open in host.semantics.open_questions() {
            let other = host.answer_by(&open.semantics, endpoint, direction, flow);
            self.add_if(
                own.allowed != other.allowed,
                &format!("hangs on {}", open.number),
            );
        }
    }
}

/// Both ends of each item of a list of ports, and what is just beside them.
fn port_near(texts: &[&str], dice: &mut Dice) -> u16 {
    let item = dice.pick(texts);
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let end: u16 = dice.pick(&[first, last]).trim().parse().unwrap();
    end.wrapping_add_signed(dice.pick(&[0, 0, 0, -1, 1]))
}

/// The first or the last address of a prefix, or one beside it.
fn place_near(item: &str, dice: &mut Dice) -> IpAddr {
    let (base, length) = item.split_once('/').unwrap_or((item, "128"));
    let length: u32 = length.parse().unwrap();
    let last = dice.one_of(2);
    let beside = dice.pick(&[0, 0, 0, 0, -1, 1]);
    let end = |base: u128, bits: u32| {
        let after = u128::MAX.checked_shr(128 - bits + length.min(bits));
        let after = after.unwrap_or(0);
        let end = if last { base | after } else { base & !after };
        end.wrapping_add_signed(beside)
    };
    match base.parse::<IpAddr>().unwrap() {
        IpAddr::V4(base) => IpAddr::V4((end(u32::from(base).into(), 32) as u32).into()),
        IpAddr::V6(base) => IpAddr::V6(end(base.into(), 128).into()),
    }
}

/// A protocol that a rule may name, and now and then any.
fn protocol(dice: &mut Dice) -> Protocol {
    let number = match dice.below(8) {
        0 => dice.below(256) as u8,
        _ => dice.pick(&[6, 6, 6, 17, 1, 58, 132, 0]),
    };
    Protocol(number)
}

/// A flow between two addresses, near the edges of what rules say of ports.
pub fn between(words: &Words, dice: &mut Dice, source: IpAddr, destination: IpAddr) -> Flow {
    Flow {
        source,
        destination,
        protocol: protocol(dice),
        source_port: port_near(words.clients, dice),
        destination_port: port_near(words.services, dice),
    }
}

/// A packet that aims at some rule of an endpoint or of its network, or lands just beside.
pub fn aimed(
    words: &Words,
    host: &TextHost,
    endpoint: usize,
    dice: &mut Dice,
) -> (Direction, Flow) {
    let own = &host.endpoints[endpoint];
    let network = &host.networks[own.network];
    let of_tiers = own.tiers.iter().flat_map(|tier| &tier.rules);
    let rules: Vec<&TextRule> = own
        .rules
        .iter()
        .chain(&network.rules)
        .chain(of_tiers)
        .collect();
    let target = match rules.is_empty() {
        true => base()[dice.below(2)].clone(),
        false => dice.pick(&rules).clone(),
    };
    let numbers: Vec<u8> = list(&target.protocols)
        .filter_map(|item| item.parse().ok())
        .collect();
    let protocol = match numbers.is_empty() {
        true => protocol(dice),
        false => Protocol(dice.pick(&numbers)),
    };
    let mut port = |field: &Option<String>, otherwise: &[&str]| {
        let listed: Vec<&str> = list(field).collect();
        let listed = if listed.is_empty() {
            otherwise
        } else {
            &listed
        };
        port_near(listed, dice)
    };
    let local_port = port(&target.local_ports, words.services);
    let remote_port = port(&target.remote_ports, words.clients);
    let v4 = dice.one_of(2);
    let values_of = |id: &str| {
        let set = network.sets.iter().find(|set| set.id == id);
        set.map(|set| items(&set.values).collect::<Vec<_>>())
    };
    let mut place = |field: &Option<String>| {
        // What sets hold, and what nested ones hold.
        let mut listed: Vec<&str> = list(field).collect();
        for _ in 0..2 {
            listed = listed
                .into_iter()
                .flat_map(|item| values_of(item).unwrap_or_else(|| vec![item]))
                .collect();
        }
        listed.retain(|item| item.contains('.') == v4 && !SETS.contains(item));
        if listed.is_empty() {
            listed = words.places.to_vec();
            listed.retain(|item| item.contains('.') == v4);
        }
        place_near(dice.pick(&listed), dice)
    };
    let outward = Flow {
        source: place(&target.local_addresses),
        destination: place(&target.remote_addresses),
        protocol,
        source_port: local_port,
        destination_port: remote_port,
    };
    // Sets are told by end and not by side: aim from the other side now and then.
    let turned = dice.one_of(4);
    match (target.direction, turned) {
        (Direction::Out, false) | (Direction::In, true) => (target.direction, outward),
        (Direction::In, false) | (Direction::Out, true) => (target.direction, outward.reverse()),
    }
}

/// A packet at one of the corners of a cell, low or high on each axis, and one that is a step beside it on one axis.
pub fn corner(cell: &Cell, dice: &mut Dice) -> [Flow; 2] {
    fn end<T: Copy>(spans: &[(T, T)], dice: &mut Dice) -> T {
        let (first, last) = dice.pick(spans);
        dice.pick(&[first, last])
    }
    let flow = Flow {
        source: end(&cell.sources, dice),
        destination: end(&cell.destinations, dice),
        protocol: Protocol(end(&cell.protocols, dice)),
        source_port: end(&cell.source_ports, dice),
        destination_port: end(&cell.destination_ports, dice),
    };
    let step = |address: IpAddr, by: i128| match address {
        IpAddr::V4(own) => IpAddr::V4((u32::from(own).wrapping_add(by as u32)).into()),
        IpAddr::V6(own) => IpAddr::V6((u128::from(own).wrapping_add_signed(by)).into()),
    };
    let by: i16 = dice.pick(&[-1, 1]);
    let mut beside = flow;
    match dice.below(5) {
        0 => beside.source = step(flow.source, by.into()),
        1 => beside.destination = step(flow.destination, by.into()),
        2 => beside.protocol = Protocol(flow.protocol.0.wrapping_add_signed(by as i8)),
        3 => beside.source_port = flow.source_port.wrapping_add_signed(by),
        _ => beside.destination_port = flow.destination_port.wrapping_add_signed(by),
    }
    [flow, beside]
}

/// The addresses of one family.
pub fn of_family(texts: &[&str], family: Family) -> Vec<IpAddr> {
    let all = texts.iter().map(|text| text.parse().unwrap());
    all.filter(|address| Family::from(*address) == family)
        .collect()
}

/// A host with endpoints on its first network.
pub fn host_of(
    network: TextNetwork,
    endpoints: impl Iterator<Item = (Policies, &'static [&'static str])>,
    semantics: Semantics,
) -> TextHost {
    let endpoints = endpoints.map(|((rules, tiers, isolated), addresses)| TextEndpoint {
        network: 0,
        addresses: addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect(),
        other_policies: Vec::new(),
        rules,
        tiers,
        isolated,
    });
    TextHost {
        networks: vec![network],
        endpoints: endpoints.collect(),
        semantics,
    }
}
