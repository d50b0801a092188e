// SPDX-License-Identifier: MIT OR Apache-2.0
//! The compiled switch: networks, ports and their rules, made from documents.
//!
//! Apart from the rules of a port: here it is known who is where. A switch never changes; cloning one shares the compiled rules.

pub(crate) mod compile;
mod index;
#[cfg(test)]
pub(crate) mod tests;

use std::{net::IpAddr, sync::Arc};

use hcn_schema::{Endpoint, Guid, LoadBalancer, MacAddress, Network, network::NetworkType};
use ipnet::IpNet;

use crate::{
    classifier::Extent,
    flow::{Direction, Family, Flow, Protocol},
    parts::Part,
    port_rules::{Labels, PortRules},
    semantics::Semantics,
    space::{self, Axis, Region, Space},
    verdict::{Cause, Decision, Layer, Reason, RuleReference, Ruling, Step, Verdict},
};
use index::PortIndexes;

/// The documents that a switch is made from: everything that one HNS knows, in v2 shape.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Networks.
    pub networks: Vec<Network>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Load balancers.
    pub load_balancers: Vec<LoadBalancer>,
}

/// A network as the data plane needs it.
#[derive(Clone, Debug)]
pub struct SwitchNetwork {
    /// The network's id.
    pub id: Guid,
    /// Its name.
    pub name: String,
    /// Its type.
    pub network_type: NetworkType,
    /// Subnet and its gateway, where it has one.
    pub subnets: Vec<(IpNet, Option<IpAddr>)>,
    /// Addresses of the host beyond the network (`ProviderAddress`; `ManagementIP` in v1).
    pub management: Vec<IpAddr>,
}

/// A port of the host that leads to a container (`PortMapping` of an endpoint on a NAT network).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMapping {
    /// The port that it leads to.
    pub port: PortIndex,
    /// IP protocol.
    pub protocol: Protocol,
    /// Port of the host.
    pub external_port: u16,
    /// Port of the container.
    pub internal_port: u16,
    /// JSON pointer to the policy's settings in the endpoint's v2 document.
    pub pointer: String,
}

/// A load balancer: ports of virtual addresses that lead to one of several endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Its id.
    pub id: Guid,
    /// Its name.
    pub name: String,
    /// Its virtual addresses; none means any address of the host.
    pub vips: Vec<IpAddr>,
    /// Source address towards the backends, where it is no direct one.
    pub source_vip: Option<IpAddr>,
    /// Direct server return: the sender's own port translates, and the source stays.
    pub is_direct: bool,
    /// Its ports.
    pub ports: Vec<BalancedPort>,
    /// Its backends, of which a flow gets one.
    pub backends: Vec<Backend>,
}

/// A port of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancedPort {
    /// IP protocol; none means every protocol.
    pub protocol: Option<Protocol>,
    /// Port of the virtual address; none means every port.
    pub external_port: Option<u16>,
    /// Port of the backends; none means the one that was asked for.
    pub internal_port: Option<u16>,
    /// Whether backends get packets with the virtual address (`EnablePreserveDip`).
    pub keeps_destination: bool,
    /// Whether others beyond this host answer at the virtual address too (`VipExternalIP`).
    pub is_external: bool,
    /// JSON pointer into the load balancer's v2 document.
    pub pointer: String,
}

impl BalancedPort {
    /// Whether a flow to the virtual address is for this port.
    pub fn takes(&self, flow: &Flow) -> bool {
        self.protocol
            .is_none_or(|protocol| protocol == flow.protocol)
            && self
                .external_port
                .is_none_or(|port| port == flow.destination_port)
    }

    /// The flow as it goes on to a backend with an address.
    pub fn towards(&self, address: IpAddr, flow: Flow) -> Flow {
        match self.keeps_destination {
            true => flow,
            false => Flow {
                destination: address,
                destination_port: self.internal_port.unwrap_or(flow.destination_port),
                ..flow
            },
        }
    }
}

/// An endpoint behind a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The endpoint's id.
    pub endpoint: Guid,
    /// Its port; none where it is on another host.
    pub port: Option<PortIndex>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

impl Backend {
    /// Its first address of the family of another one.
    pub fn address_like(&self, other: IpAddr) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter();
        addresses
            .find(|address| address.is_ipv4() == other.is_ipv4())
            .copied()
    }
}

/// Index of a port in [`Switch::ports`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortIndex(pub u32);

/// A port of the switch: one local endpoint.
#[derive(Clone, Debug)]
pub struct Port {
    /// The endpoint's id.
    pub endpoint: Guid,
    /// The endpoint's name.
    pub name: String,
    /// Index of its network in [`Switch::networks`].
    pub network: usize,
    /// Its MAC address.
    pub mac_address: MacAddress,
    /// Its addresses with the prefix length of their subnets.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Its default routers.
    pub gateways: Vec<IpAddr>,
    /// What becomes of the source of what leaves the host from here.
    pub outbound_nat: Vec<OutboundNat>,
}

/// Which packets leave the host with another source (`OutBoundNAT` of an endpoint; hns-behaviour 5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundNat {
    /// The family that it is for.
    pub family: Family,
    /// The source then; none means an address of the host.
    pub source: Option<IpAddr>,
    /// Destinations to which the source stays.
    pub exceptions: Vec<IpNet>,
    /// The only destinations to which it does not stay; none means all.
    pub destinations: Vec<IpNet>,
    /// JSON pointer to the policy in the endpoint's v2 document.
    pub pointer: String,
}

/// The compiled switch.
#[derive(Clone, Debug, Default)]
pub struct Switch {
    /// Networks.
    pub networks: Vec<SwitchNetwork>,
    /// Ports; remote endpoints have none.
    pub ports: Vec<Port>,
    /// Published ports of the host.
    pub port_mappings: Vec<PortMapping>,
    /// Load balancers.
    pub balancers: Vec<Balancer>,
    /// By port index.
    rules: Arc<[PortRules]>,
    indexes: Arc<PortIndexes>,
    semantics: Semantics,
}

/// Something in a document that cannot be compiled as it stands; the rest of the document is.
///
/// A rule that is left out still counts as a rule for the default deny, since HNS counted it; but not one that the HNS does not have ([`Fault::lacks`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The endpoint or network.
    pub object: Guid,
    /// JSON pointer into its v2 document.
    pub pointer: String,
    /// What is wrong and what was made of it, in a sentence.
    pub message: String,
    /// What the HNS does not have, where that is all that is wrong, and how many there are of it in the object.
    pub lacks: Option<(Part, usize)>,
}

impl Fault {
    /// The sentence, with a name for the HNS, e.g. "HNS 9.2".
    pub fn message_of(&self, hns: &str) -> String {
        match self.lacks {
            Some((part, count)) => lack_words(part, hns, count),
            None => self.message.clone(),
        }
    }
}

fn lack_words(part: Part, hns: &str, count: usize) -> String {
    let what = match (part, count) {
        (Part::DirectServerReturn, _) => "the host translates".to_owned(),
        (Part::Ipv6, _) => "the IPv6 addresses are left out".to_owned(),
        (_, 1) => "the policy is left out".to_owned(),
        (_, count) => format!("this policy and {} more are left out", count - 1),
    };
    format!("{part} is not in {hns}; {what}")
}

impl Switch {
    /// Compiles documents. What cannot be compiled is left out and told, since a dump may hold anything.
    pub fn compile(documents: &Documents, semantics: &Semantics) -> (Switch, Vec<Fault>) {
        compile::compile(documents, semantics, true, None)
    }

    /// As [`Switch::compile`], of documents that are hardly others than those of this switch: the classifiers of rules that are still the same are
    /// shared, and only what changed is prepared.
    pub fn compile_next(
        &self,
        documents: &Documents,
        semantics: &Semantics,
    ) -> (Switch, Vec<Fault>) {
        compile::compile(documents, semantics, true, Some(self))
    }

    /// As [`Switch::compile`], without the rules: every port lets everything pass.
    pub(crate) fn without_rules(
        documents: &Documents,
        semantics: &Semantics,
    ) -> (Switch, Vec<Fault>) {
        compile::compile(documents, semantics, false, None)
    }

    /// The semantics that it was compiled with.
    pub fn semantics(&self) -> &Semantics {
        &self.semantics
    }

    /// The port of an endpoint.
    pub fn port_of(&self, endpoint: Guid) -> Option<PortIndex> {
        self.indexes.of(endpoint)
    }

    /// The port that has an address; of several networks, any.
    pub fn port_with(&self, address: IpAddr) -> Option<PortIndex> {
        self.indexes.with(address).first().copied()
    }

    /// The ports that have an address, of whichever networks.
    pub fn ports_with(&self, address: IpAddr) -> &[PortIndex] {
        self.indexes.with(address)
    }

    /// Whether an endpoint of a network, on another host, has an address.
    pub fn is_remote(&self, network: usize, address: IpAddr) -> bool {
        self.indexes.is_remote(network, address)
    }

    /// What a port's rules say about a flow, without regard to flows allowed before. The packet path.
    ///
    /// An index that this switch does not have is taken as a port without rules.
    #[inline]
    pub fn rule(&self, port: PortIndex, direction: Direction, flow: &Flow) -> Ruling {
        self.rule_by(self.rules.get(port.0 as usize), port, direction, flow)
    }

    /// As [`Switch::rule`], by rules that are given for the port.
    #[inline]
    pub(crate) fn rule_by(
        &self,
        rules: Option<&PortRules>,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
    ) -> Ruling {
        let Some(rules) = rules else {
            return Ruling {
                decision: Decision::Allow,
                layer: Layer::Switch,
                reason: Reason::NoRules,
            };
        };
        if rules.isolated && self.is_between_ports(port, direction, flow) {
            return Ruling {
                decision: Decision::Block,
                layer: Layer::Switch,
                reason: Reason::NoIntercommunication,
            };
        }
        rules.rule(direction, flow)
    }

    /// Whether the other side of a flow is another port.
    fn is_between_ports(&self, port: PortIndex, direction: Direction, flow: &Flow) -> bool {
        let other_side = match direction {
            Direction::In => flow.source,
            Direction::Out => flow.destination,
        };
        self.is_of_another(port, other_side)
    }

    /// Whether another port than this has an address.
    pub(crate) fn is_of_another(&self, port: PortIndex, address: IpAddr) -> bool {
        let others = self.indexes.with(address);
        others.iter().any(|other| *other != port)
    }

    /// What stands behind a ruling about this flow.
    pub fn cause(
        &self,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        ruling: Ruling,
    ) -> Cause {
        let rules = self.rules.get(port.0 as usize);
        self.cause_by(rules, port, direction, flow, ruling)
    }

    /// As [`Switch::cause`], by rules that are given for the port.
    pub(crate) fn cause_by(
        &self,
        rules: Option<&PortRules>,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        ruling: Ruling,
    ) -> Cause {
        let mut cause = Cause {
            layer: ruling.layer,
            reason: ruling.reason,
            rule: None,
            tie: false,
        };
        if ruling.reason == Reason::NoIntercommunication {
            cause.rule = self.ports.get(port.0 as usize).map(flag_reference);
        }
        if ruling.reason == Reason::NoRules && rules.is_some_and(|rules| rules.without_effect) {
            cause.reason = Reason::WithoutEffect;
        }
        let (Reason::Rule(number), Some(rules)) = (ruling.reason, rules) else {
            return cause;
        };
        if let Some((entry, tie)) = rules.decider(ruling.layer, number, direction, flow) {
            cause.tie = tie;
            cause.rule = Some(RuleReference {
                object: entry.object,
                pointer: entry.pointer(),
                id: entry.id.clone(),
                action: ruling.decision,
                priority: entry.priority,
                text: entry.text.clone(),
            });
        }
        cause
    }

    /// What happens to the first packet of a flow: out of the source's port, into the destination's, where they have one.
    ///
    /// What an endpoint sends to itself crosses no port.
    pub fn verdict(&self, flow: &Flow) -> Verdict {
        let mut verdict = Verdict {
            decision: Decision::Allow,
            steps: Vec::new(),
        };
        let (source, destination) = self.ends(flow);
        if source == destination {
            return verdict;
        }
        for (port, direction) in [(source, Direction::Out), (destination, Direction::In)] {
            let Some(port) = port else {
                continue;
            };
            let ruling = self.rule(port, direction, flow);
            verdict.decision = ruling.decision;
            verdict.steps.push(Step {
                endpoint: self.ports[port.0 as usize].endpoint,
                direction,
                flow: *flow,
                decision: ruling.decision,
                cause: self.cause(port, direction, flow, ruling),
            });
            if ruling.decision == Decision::Block {
                break;
            }
        }
        verdict
    }

    /// The ports of both ends. Where networks share addresses, one port for both, then two of one network.
    fn ends(&self, flow: &Flow) -> (Option<PortIndex>, Option<PortIndex>) {
        let sources = self.indexes.with(flow.source);
        let destinations = self.indexes.with(flow.destination);
        let network = |port: &PortIndex| self.ports[port.0 as usize].network;
        let pairs = || {
            let with_all = |source| destinations.iter().map(move |other| (source, other));
            sources.iter().flat_map(with_all)
        };
        pairs()
            .find(|(source, destination)| source == destination)
            .or_else(|| pairs().find(|(source, other)| network(source) == network(other)))
            .map_or(
                (sources.first().copied(), destinations.first().copied()),
                |(source, destination)| (Some(*source), Some(*destination)),
            )
    }

    /// The packets of the space's family that a port lets pass in a direction: those of which [`Switch::rule`] says Allow.
    pub fn passes(&self, space: &mut Space, port: PortIndex, direction: Direction) -> Region {
        let Some(rules) = self.rules.get(port.0 as usize) else {
            return Region::FULL;
        };
        let passing = match space.family() {
            Family::V4 => rules.passes::<u32>(space, direction, None),
            Family::V6 => rules.passes::<u128>(space, direction, None),
        };
        if !rules.isolated {
            return passing;
        }
        let family = space.family();
        let others = self.indexes.others(port);
        let others = others.filter(|address| Family::from(*address) == family);
        let others = others.map(space::number_of);
        let others = Extent::of(others.map(|number| (number, number)).collect());
        let axis = match direction {
            Direction::In => Axis::Source,
            Direction::Out => Axis::Destination,
        };
        let between = space.cut(axis, &others, Region::FULL, Region::EMPTY);
        space.minus(passing, between)
    }

    /// As [`Switch::passes`], of the packets that have this address on the port's side, and without regard to isolation.
    pub(crate) fn passes_with(
        &self,
        space: &mut Space,
        port: PortIndex,
        direction: Direction,
        own: IpAddr,
    ) -> Region {
        match (self.rules.get(port.0 as usize), own) {
            (None, _) => Region::FULL,
            (Some(rules), IpAddr::V4(own)) => rules.passes(space, direction, Some(u32::from(own))),
            (Some(rules), IpAddr::V6(own)) => rules.passes(space, direction, Some(u128::from(own))),
        }
    }

    /// The stages of a port.
    pub(crate) fn port_rules(&self, port: PortIndex) -> Option<&PortRules> {
        self.rules.get(port.0 as usize)
    }

    /// What decides on the packets that have this address on the port's side, without regard to isolation.
    pub(crate) fn rulings_with(
        &self,
        space: &mut Space,
        port: PortIndex,
        direction: Direction,
        own: IpAddr,
        labels: &mut Labels,
    ) -> Region {
        let none = PortRules::default();
        let rules = self.rules.get(port.0 as usize).unwrap_or(&none);
        match own {
            IpAddr::V4(own) => rules.rulings(space, direction, u32::from(own), labels),
            IpAddr::V6(own) => rules.rulings(space, direction, u128::from(own), labels),
        }
    }

    /// Whether nothing passes between a port and another one.
    pub(crate) fn is_isolated(&self, port: PortIndex) -> bool {
        let rules = self.rules.get(port.0 as usize);
        rules.is_some_and(|rules| rules.isolated)
    }

    /// Whether rules of a port have one priority and do different things, so that it hangs on the packet whether a tie decides it.
    pub fn may_tie(&self, port: PortIndex) -> bool {
        let rules = self.rules.get(port.0 as usize);
        rules.is_some_and(|rules| rules.all_lists().any(|list| list.may_tie()))
    }

    /// Bytes of the indexes in which rules are looked up; lists that ports share count once.
    pub fn index_bytes(&self) -> usize {
        let mut lists: Vec<_> = self.rules.iter().flat_map(PortRules::all_lists).collect();
        lists.sort_unstable_by_key(|list| Arc::as_ptr(list));
        lists.dedup_by_key(|list| Arc::as_ptr(list));
        lists.into_iter().map(|list| list.index_bytes()).sum()
    }
}

/// The flag that forbids traffic between containers, told like a rule.
fn flag_reference(port: &Port) -> RuleReference {
    RuleReference {
        object: port.endpoint,
        pointer: "/Flags".to_owned(),
        id: None,
        action: Decision::Block,
        priority: 0,
        text: "DisableInterComputeCommunication, nothing passes between containers".to_owned(),
    }
}
