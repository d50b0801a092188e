// SPDX-License-Identifier: MIT OR Apache-2.0
//! From policies to the rules of a port.
//!
//! Apart from the rest of the documents, which say where a port is and not what it lets through. The stages of hns-behaviour 4.16 are put
//! together here, with the defaults that the semantics choose.

use std::sync::Arc;

use hcn_schema::{
    Endpoint, Guid, Network, Policy,
    network::NetworkType,
    policy::{
        Acl, AclDirection, AclRuleType, acl::TierAcl, endpoint::PortMapping, network::SetPolicy,
    },
};

use super::{Faults, PortIndex};
use crate::{
    acl::{self, AclFault, Reading, Rule},
    flow::{Direction, Protocol},
    parts::{self, Part, Parts},
    port_rules::{PortRules, Stage, Undecided},
    rule_list::{How, RuleList, Source},
    rule_text,
    semantics::{DefaultDeny, Semantics},
    sets::Sets,
    verdict::Layer,
};

/// A thing for each direction.
#[derive(Clone, Debug, Default)]
struct Both<T> {
    inward: T,
    outward: T,
}

impl<T> Both<T> {
    fn of(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::In => &mut self.inward,
            Direction::Out => &mut self.outward,
        }
    }

    fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::In => &self.inward,
            Direction::Out => &self.outward,
        }
    }
}

/// Directions that have a rule, also one that cannot be compiled.
type Ruled = Both<bool>;

impl Ruled {
    fn any(&self) -> bool {
        self.inward || self.outward
    }

    /// Notes a rule; one whose direction cannot be read is taken to be of both.
    fn note(&mut self, direction: Option<Direction>) {
        match direction {
            Some(direction) => *self.of(direction) = true,
            None => {
                *self = Ruled {
                    inward: true,
                    outward: true,
                }
            }
        }
    }
}

/// Policies of one object that the HNS does not have, and so has no part in.
struct LeftOut {
    lacked: Parts,
    /// The first of each part, and how many there are.
    found: Vec<(Part, usize, usize)>,
}

impl LeftOut {
    fn of(semantics: &Semantics) -> Self {
        LeftOut {
            lacked: semantics.lacked(),
            found: Vec::new(),
        }
    }

    /// Whether a policy is left out; what it uses is not asked where the HNS has everything.
    fn takes(&mut self, place: usize, uses: impl FnOnce() -> Parts) -> bool {
        if self.lacked.is_empty() {
            return false;
        }
        let Some(part) = uses().and(self.lacked).iter().next() else {
            return false;
        };
        match self.found.iter_mut().find(|(own, ..)| *own == part) {
            Some((.., count)) => *count += 1,
            None => self.found.push((part, place, 1)),
        }
        true
    }

    fn tell(self, told: &mut Faults<'_>) {
        for (part, place, count) in self.found {
            told.lack(format!("/Policies/{place}"), part, count);
        }
    }
}

/// What a network's policies give to its ports.
pub(super) struct NetworkPolicies {
    sets: Sets,
    /// The Network stage of each direction, where the network has one.
    stages: Option<Both<Stage>>,
    /// Whether rules are enforced at all.
    has_effect: bool,
    /// Whether the network has rules.
    has_rules: bool,
}

/// A port mapping that an endpoint asks for.
pub(super) struct Wish {
    pub(super) pointer: String,
    pub(super) protocol: Protocol,
    pub(super) external_port: u16,
    pub(super) internal_port: u16,
}

impl NetworkPolicies {
    /// Those of a network without policies.
    pub(super) fn none(has_effect: bool) -> Self {
        NetworkPolicies {
            sets: Sets::default(),
            stages: None,
            has_effect,
            has_rules: false,
        }
    }

    pub(super) fn of(
        network: &Network,
        has_effect: bool,
        how: &How<'_>,
        told: &mut Faults<'_>,
    ) -> Self {
        let semantics = how.semantics;
        let policies = told.items("/Policies", &network.policies);
        let sets = sets(policies, told);
        let mut rules = Both::<Vec<Source>>::default();
        let mut ruled = Ruled::default();
        let mut left_out = LeftOut::of(semantics);
        for (place, policy) in how.policies(told.object, policies) {
            if policy.is("NetworkACL") {
                let acl = policy.settings_as();
                if left_out.takes(place, || {
                    parts::of_acl(&acl, &sets).with(Part::NetworkAcl, true)
                }) {
                    continue;
                }
                ruled.note(direction_of(&acl));
                if let Some(source) = source(place, policy, &acl, &sets, semantics, told) {
                    rules.of(source.rule.direction).push(source);
                }
            }
        }
        left_out.tell(told);
        let has_stage = ruled.any() && has_effect;
        let stages = has_stage.then(|| {
            let before = Before {
                rules: before_of_network(how, told.object),
                layer: Layer::Network,
            };
            let lists = lists(rules, &sets, how, before);
            let stage = |direction| Stage {
                layer: Layer::Network,
                lists: vec![lists.get(direction).clone()],
                undecided: undecided(semantics.default_deny, &ruled, direction),
            };
            Both {
                inward: stage(Direction::In),
                outward: stage(Direction::Out),
            }
        });
        NetworkPolicies {
            sets,
            stages,
            has_effect,
            has_rules: ruled.any(),
        }
    }
}

/// The network's sets; what cannot be read of them is told.
fn sets(policies: &[Policy], told: &mut Faults<'_>) -> Sets {
    let (places, documents): (Vec<usize>, Vec<SetPolicy>) = policies
        .iter()
        .enumerate()
        .filter(|(_, policy)| policy.is("SetPolicy"))
        .map(|(place, policy)| (place, policy.settings_as::<SetPolicy>()))
        .unzip();
    let (sets, faults) = Sets::of(&documents);
    for (number, fault) in faults {
        let place = places[number];
        tell_fault(place, &policies[place], &fault, told);
    }
    sets
}

/// Rules of an endpoint, in the order of its policies.
#[derive(Default)]
struct Rules {
    host: Both<Vec<Source>>,
    switch: Both<Vec<Source>>,
    /// Order, and rules.
    tiers: Both<Vec<(u16, Vec<Source>)>>,
    host_ruled: Ruled,
    switch_ruled: Ruled,
    tier_ruled: Ruled,
}

/// The port mappings that an endpoint asks for.
pub(super) fn wishes(endpoint: &Endpoint, told: &mut Faults<'_>) -> Vec<Wish> {
    let policies = told.items("/Policies", &endpoint.policies);
    let mappings = policies.iter().enumerate();
    let mappings = mappings.filter(|(_, policy)| policy.is("PortMapping"));
    mappings
        .filter_map(|(place, policy)| wish(place, policy, told))
        .collect()
}

/// The rules of an endpoint's port, and the port mappings that it asks for.
pub(super) fn of_endpoint(
    endpoint: &Endpoint,
    isolated: bool,
    network_type: NetworkType,
    network: &NetworkPolicies,
    how: &How<'_>,
    told: &mut Faults<'_>,
) -> (PortRules, Vec<Wish>) {
    let mut rules = Rules::default();
    let mut wishes = Vec::new();
    let policies = told.items("/Policies", &endpoint.policies);
    let mut left_out = LeftOut::of(how.semantics);
    for (place, policy) in how.policies(told.object, policies) {
        if policy.is("ACL") {
            let acl: Acl = policy.settings_as();
            if !left_out.takes(place, || parts::of_acl(&acl, &network.sets)) {
                rules.add_acl(place, policy, &acl, &network.sets, how.semantics, told);
            }
        } else if policy.is("TierAcl") {
            let tier: TierAcl = policy.settings_as();
            if !left_out.takes(place, || parts::of_tier(&tier, &network.sets)) {
                rules.add_tier(place, policy, &tier, &network.sets, how, told);
            }
        } else if policy.is("PortMapping") {
            wishes.extend(wish(place, policy, told));
        }
    }
    left_out.tell(told);
    let has_rules = rules.any() || network.has_rules;
    if !network.has_effect {
        rules = Rules::default();
    }
    let before = how
        .before
        .and_then(|switch| switch.port_rules(switch.port_of(told.object)?));
    let stages = rules.stages(network_type, network, how, before);
    let mut rules = PortRules::new(stages.inward, stages.outward, isolated);
    rules.without_effect = has_rules && !network.has_effect;
    (rules, wishes)
}

impl Rules {
    fn any(&self) -> bool {
        self.host_ruled.any() || self.switch_ruled.any() || self.tier_ruled.any()
    }

    fn add_acl(
        &mut self,
        place: usize,
        policy: &Policy,
        acl: &Acl,
        sets: &Sets,
        semantics: &Semantics,
        told: &mut Faults<'_>,
    ) {
        let rule_type = acl.rule_type.get();
        let (rules, ruled) = match rule_type.unwrap_or(&semantics.omitted_rule_type) {
            AclRuleType::Host => (&mut self.host, &mut self.host_ruled),
            AclRuleType::Switch => (&mut self.switch, &mut self.switch_ruled),
        };
        ruled.note(direction_of(acl));
        if let Some(source) = source(place, policy, acl, sets, semantics, told) {
            rules.of(source.rule.direction).push(source);
        }
    }

    fn add_tier(
        &mut self,
        place: usize,
        policy: &Policy,
        settings: &TierAcl,
        sets: &Sets,
        how: &How<'_>,
        told: &mut Faults<'_>,
    ) {
        let tier = match acl::read_tier(settings) {
            Ok(tier) => tier,
            Err(fault) => {
                self.tier_ruled.note(None);
                tell_fault(place, policy, &fault, told);
                return;
            }
        };
        self.tier_ruled.note(Some(tier.direction));
        let mut sources = Vec::new();
        let rules = settings.rules.get().map_or(&[][..], Vec::as_slice);
        for (number, rule) in rules.iter().enumerate() {
            let inside = format!("{}/TierAclRules/{number}", settings_at(policy));
            if !how.takes(told.object, &format!("/Policies/{place}{inside}")) {
                continue;
            }
            let mut reading = Reading::Stored(Vec::new());
            let is_set = |id: &str| sets.contains(id);
            let read = acl::read_tier_rule(rule, tier.direction, &is_set, &mut reading);
            let read = settle(read, reading, |fault| {
                let fault = AclFault {
                    rule: Some(number),
                    ..fault
                };
                tell_fault(place, policy, &fault, told);
            });
            sources.extend(read.map(|read| Source {
                object: told.object,
                policy: place,
                inside,
                id: rule.id.get().cloned(),
                text: rule_text::of_tier_rule(settings, rule),
                rule: read,
            }));
        }
        self.tiers.of(tier.direction).push((tier.order, sources));
    }

    fn stages(
        mut self,
        network_type: NetworkType,
        network: &NetworkPolicies,
        how: &How<'_>,
        before: Option<&PortRules>,
    ) -> Both<Vec<Stage>> {
        let before = |layer| Before {
            rules: before,
            layer,
        };
        let semantics = how.semantics;
        let mut stages = Both::<Vec<Stage>>::default();
        let directions = [Direction::In, Direction::Out];

        let host = lists(self.host, &network.sets, how, before(Layer::Host));
        let drops_other_protocols = semantics.drop_other_protocols_in
            && matches!(network_type, NetworkType::Nat | NetworkType::Transparent);
        for direction in directions {
            let has_rules = *self.host_ruled.get(direction);
            if has_rules || (drops_other_protocols && direction == Direction::In) {
                stages.of(direction).push(Stage {
                    layer: Layer::Host,
                    lists: match has_rules {
                        true => vec![host.get(direction).clone()],
                        false => Vec::new(),
                    },
                    // hns-behaviour 4.2: everything may leave.
                    undecided: match direction {
                        Direction::In => Undecided::AllowCommonProtocols,
                        Direction::Out => Undecided::Allow,
                    },
                });
            }
        }

        if let Some(of_network) = &network.stages {
            for direction in directions {
                stages.of(direction).push(of_network.get(direction).clone());
            }
        }

        if self.tier_ruled.any() {
            let default_deny = match semantics.tier_default_deny {
                true => semantics.default_deny,
                false => DefaultDeny::Never,
            };
            let mut base = 0;
            for direction in directions {
                let tiers = self.tiers.of(direction);
                // Tiers of one order stay in the order of the policies (a guess, as no record has two).
                tiers.sort_by_key(|(order, _)| *order);
                let mut lists: Vec<Arc<RuleList>> = Vec::new();
                for (number, (_, sources)) in tiers.drain(..).enumerate() {
                    let before = before(Layer::Tier).list(direction, number);
                    let list = RuleList::compile(base, sources, &network.sets, how, before);
                    base += list.len();
                    lists.push(Arc::new(list));
                }
                if lists.is_empty() {
                    lists.push(empty(how));
                }
                stages.of(direction).push(Stage {
                    layer: Layer::Tier,
                    lists,
                    undecided: undecided(default_deny, &self.tier_ruled, direction),
                });
            }
        }

        let flipped = semantics.host_rule_flips_switch && self.host_ruled.any();
        if self.switch_ruled.any() || flipped {
            if flipped {
                for direction in directions {
                    *self.switch_ruled.of(direction) |= *self.host_ruled.get(direction);
                }
            }
            let switch = lists(self.switch, &network.sets, how, before(Layer::Switch));
            for direction in directions {
                stages.of(direction).push(Stage {
                    layer: Layer::Switch,
                    lists: vec![switch.get(direction).clone()],
                    undecided: undecided(semantics.default_deny, &self.switch_ruled, direction),
                });
            }
        }
        stages
    }
}

/// The lists that a layer of a port had in earlier documents.
#[derive(Clone, Copy)]
struct Before<'a> {
    rules: Option<&'a PortRules>,
    layer: Layer,
}

impl<'a> Before<'a> {
    /// One of them, by its place in the layer.
    fn list(self, direction: Direction, number: usize) -> Option<&'a RuleList> {
        let lists = self.rules?.lists_of(direction);
        let mut of_layer = lists.filter(|(layer, _)| *layer == self.layer);
        of_layer.nth(number).map(|(_, list)| &**list)
    }
}

/// The earlier rules of some port of a network, among which the network's are.
fn before_of_network<'a>(how: &How<'a>, network: Guid) -> Option<&'a PortRules> {
    let switch = how.before?;
    let number = switch
        .networks
        .iter()
        .position(|other| other.id == network)?;
    let port = switch
        .ports
        .iter()
        .position(|port| port.network == number)?;
    switch.port_rules(PortIndex(port as u32))
}

/// Compiles the lists of both directions; numbers go on from the one to the other.
fn lists(
    rules: Both<Vec<Source>>,
    sets: &Sets,
    how: &How<'_>,
    before: Before<'_>,
) -> Both<Arc<RuleList>> {
    let was = |direction| before.list(direction, 0);
    let inward = RuleList::compile(0, rules.inward, sets, how, was(Direction::In));
    let outward = RuleList::compile(inward.len(), rules.outward, sets, how, was(Direction::Out));
    Both {
        inward: Arc::new(inward),
        outward: Arc::new(outward),
    }
}

/// A list without rules: the layer has a say in the direction all the same.
fn empty(how: &How<'_>) -> Arc<RuleList> {
    Arc::new(RuleList::compile(
        0,
        Vec::new(),
        &Sets::default(),
        how,
        None,
    ))
}

/// What a layer that has rules does with what none of them decides.
fn undecided(default_deny: DefaultDeny, ruled: &Ruled, direction: Direction) -> Undecided {
    match default_deny {
        DefaultDeny::BothDirections => Undecided::Block,
        DefaultDeny::RuledDirections if *ruled.get(direction) => Undecided::Block,
        DefaultDeny::RuledDirections | DefaultDeny::Never => Undecided::Allow,
    }
}

/// Reads a stored `ACL` or `NetworkACL`; one that cannot be read is told and left out.
fn source(
    place: usize,
    policy: &Policy,
    acl: &Acl,
    sets: &Sets,
    semantics: &Semantics,
    told: &mut Faults<'_>,
) -> Option<Source> {
    let mut reading = Reading::Stored(Vec::new());
    let is_set = |id: &str| sets.contains(id);
    let read = acl::read(acl, semantics, &is_set, &mut reading);
    let rule = settle(read, reading, |fault| {
        tell_fault(place, policy, &fault, told);
    })?;
    Some(Source {
        object: told.object,
        policy: place,
        inside: String::new(),
        id: acl.id.get().cloned(),
        text: rule_text::of_acl(acl),
        rule,
    })
}

/// Tells the faults of a reading; gives the rule where there is one.
fn settle(
    read: Result<Rule, AclFault>,
    reading: Reading,
    mut tell: impl FnMut(AclFault),
) -> Option<Rule> {
    if let Reading::Stored(tolerated) = reading {
        tolerated.into_iter().for_each(&mut tell);
    }
    read.map_err(tell).ok()
}

fn tell_fault(place: usize, policy: &Policy, fault: &AclFault, told: &mut Faults<'_>) {
    let made = if fault.is_readable() {
        "it is read as that"
    } else {
        "it is left out"
    };
    told.tell(
        format!(
            "/Policies/{place}{}{}",
            settings_at(policy),
            fault.pointer()
        ),
        format!("{fault}; {made}"),
    );
}

/// Where a policy has its settings.
fn settings_at(policy: &Policy) -> &'static str {
    match policy.settings.get() {
        Some(_) => "/Settings",
        None => "",
    }
}

fn direction_of(acl: &Acl) -> Option<Direction> {
    acl.direction.get().map(|direction| match direction {
        AclDirection::In => Direction::In,
        AclDirection::Out => Direction::Out,
    })
}

/// Reads a `PortMapping`.
fn wish(place: usize, policy: &Policy, told: &mut Faults<'_>) -> Option<Wish> {
    let settings: PortMapping = policy.settings_as();
    let at = format!("/Policies/{place}{}", settings_at(policy));
    let mut port = |name: &str, field| {
        let pointer = format!("{at}/{name}");
        let port = told.field(&pointer, field).copied().unwrap_or(0);
        if port == 0 {
            told.tell(
                pointer,
                format!("{name} is 0 or missing; the mapping is left out"),
            );
        }
        (port != 0).then_some(port)
    };
    let external_port = port("ExternalPort", &settings.external_port);
    let internal_port = port("InternalPort", &settings.internal_port);
    let pointer = format!("{at}/Protocol");
    // Q32: TCP where it is omitted.
    let number = told.field(&pointer, &settings.protocol);
    let number = number.copied().unwrap_or(Protocol::TCP.0.into());
    let protocol = u8::try_from(number).ok().map(Protocol);
    if !protocol.is_some_and(Protocol::has_ports) {
        told.tell(
            pointer,
            format!("{number} is no protocol with ports; the mapping is left out"),
        );
    }
    Some(Wish {
        pointer: at,
        protocol: protocol.filter(|protocol| protocol.has_ports())?,
        external_port: external_port?,
        internal_port: internal_port?,
    })
}
