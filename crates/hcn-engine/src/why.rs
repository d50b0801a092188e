// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a flow fares as it does: the way of its first packet, what each port's layers thought of it, and what would be otherwise.
//!
//! Apart from the switch, which is made to be asked about many packets: an inquiry is about one, so it reads the rules of no port but those
//! on the way, tries them one after the other, and reads them again where a rule or a guess is taken away. What it says of a packet is what
//! [`Switch::way`] says of it.

mod marks;
mod named_sets;
mod outline;
mod sieve;
mod source_ports;
mod stages;
#[cfg(test)]
mod tests;
mod unfollowed;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::OnceLock,
};

use hcn_schema::{Endpoint, Guid, Network, policy::network::SetPolicy};

use sieve::Sieved;

use crate::{
    flow::{Direction, Flow},
    parts::{self, Part, Parts},
    port_rules::PortRules,
    rule_list::How,
    semantics::{Semantics, SeveralSets, UnknownPolicies},
    sets::Sets,
    switch::{Documents, Fault, PortIndex, Switch, compile},
    topology::Topology,
    verdict::{Cause, Decision, Ruling},
    way::{Fate, Hop, Start, Way},
};

pub use named_sets::NamedSet;
pub use outline::Outline;
pub use source_ports::SourcePorts;
pub use stages::{Field, Near, Rule, StageReport, Stronger, Weaker};

/// Documents, ready for questions about single flows.
#[derive(Debug)]
pub struct Inquiry<'a> {
    documents: &'a Documents,
    /// The documents whose rules are read, where they are others.
    sieved: Option<Sieved<'a>>,
    semantics: Semantics,
    own: World,
    /// Where there is something in the documents on which it hangs: the world of an HNS with and without direct server return, and with and
    /// without IPv6 beside IPv4. Made when they are asked for.
    others: [OnceLock<World>; 4],
    has_direct: bool,
    has_dual: bool,
    faults: Vec<Fault>,
}

/// Where packets go.
#[derive(Debug)]
struct World {
    /// Without rules.
    switch: Switch,
    topology: Topology,
}

/// Why a flow fares as it does.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The way of its first packet.
    pub way: Way,
    /// What was judged on the way, in the order of [`Way::judgements`].
    pub judgements: Vec<Judgement>,
    /// How it would fare from other source ports; nothing where it fares the same from all.
    pub source_ports: Vec<SourcePorts>,
    /// What is used on the way and not every version of HNS has.
    pub parts: Parts,
    /// Policies of the endpoints on the way that may make something else of the packet, and are not followed.
    pub unfollowed: Vec<Unfollowed>,
    /// What could not be read of the objects on the way.
    pub faults: Vec<Fault>,
}

/// A policy, or a route of an endpoint's own, that is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfollowed {
    /// The endpoint or network that has it.
    pub object: Guid,
    /// JSON pointer into its document.
    pub pointer: String,
    /// Its type, as the document spells it; of a route `Route`.
    pub policy_type: String,
    /// What it may do, in a sentence without a subject.
    pub does: &'static str,
}

/// One port's judgement.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The endpoint whose port it is.
    pub endpoint: Guid,
    /// The direction in which the packet crosses it.
    pub direction: Direction,
    /// The flow as the port sees it.
    pub flow: Flow,
    /// What the port decides.
    pub decision: Decision,
    /// Why.
    pub cause: Cause,
    /// What its layers thought, up to the one that blocked.
    pub stages: Vec<StageReport>,
    /// What would be without the rule that decided, where one did.
    pub without: Option<Without>,
}

/// What would be without a rule.
#[derive(Clone, Debug)]
pub struct Without {
    /// How the way would end.
    pub fate: Fate,
    /// Whether that is as it ends with the rule: then the rule is redundant for this flow.
    pub is_redundant: bool,
    /// What this port would decide then, where the way still led here.
    pub instead: Option<(Decision, Cause)>,
}

/// How a flow fares under other semantics.
#[derive(Clone, Debug)]
pub struct Otherwise {
    /// How the way ends.
    pub fate: Fate,
    /// The judgement on which that hangs: the endpoint, the direction, and why. Where the way ends otherwise, the one that is another than it
    /// was; else the first that blocks, or the last.
    pub last: Option<(Guid, Direction, Cause)>,
}

/// Rules of the ports on a way.
type Rules = HashMap<PortIndex, PortRules>;

/// Policies that matter for a flow: their places, by object.
type Kept = HashMap<Guid, Vec<usize>>;

/// Policies of one kind that are kept although they do not match, since that there is one turns a default on: one, and another in case the
/// first is taken away.
const WITNESSES: usize = 2;

impl World {
    fn of(documents: &Documents, semantics: &Semantics) -> (World, Vec<Fault>) {
        let (switch, faults) = Switch::without_rules(documents, semantics);
        let topology = Topology::of(&switch, usize::MAX);
        (World { switch, topology }, faults)
    }
}

impl<'a> Inquiry<'a> {
    /// Prepares documents.
    pub fn new(documents: &'a Documents, semantics: &Semantics) -> Self {
        let (own, faults) = World::of(documents, semantics);
        Inquiry {
            documents,
            sieved: None,
            semantics: semantics.clone(),
            own,
            others: Default::default(),
            has_direct: documents.load_balancers.iter().any(parts::is_direct),
            has_dual: documents.endpoints.iter().any(parts::may_be_dual),
            faults,
        }
    }

    /// Where packets go under some semantics.
    fn world(&self, semantics: &Semantics) -> &World {
        let (own, other) = (self.semantics.lacked(), semantics.lacked());
        let differs = |part, is_there: bool| is_there && own.has(part) != other.has(part);
        if !differs(Part::DirectServerReturn, self.has_direct)
            && !differs(Part::Ipv6, self.has_dual)
        {
            return &self.own;
        }
        let number = usize::from(other.has(Part::DirectServerReturn))
            + 2 * usize::from(other.has(Part::Ipv6));
        self.others[number].get_or_init(|| World::of(self.documents, semantics).0)
    }

    /// Reads the rules from other documents: of the endpoints on the way of a flow, which `outline` finds, those that matter for it. Where there are
    /// many rules, that is far less than all of them; it is this flow that one may ask about then.
    pub fn sieve(
        &mut self,
        start: Start,
        flow: &Flow,
        outline: impl Fn(Guid) -> Option<&'a Outline>,
    ) {
        let mut packets: HashMap<PortIndex, Vec<(Direction, Flow)>> = HashMap::new();
        for (port, direction, flow, _) in self.ways(start, flow).iter().flat_map(Way::judgements) {
            let own = packets.entry(port).or_default();
            if !own.contains(&(direction, flow)) {
                own.push((direction, flow));
            }
        }
        let mut sieved = Sieved::default();
        sieved
            .documents
            .networks
            .clone_from(&self.documents.networks);
        let mut sets: HashMap<usize, Sets> = HashMap::new();
        let mut ports = Vec::new();
        for number in self.ports_on_the_way(start, flow) {
            let port = self.own.switch.ports.get(number.0 as usize);
            let Some((port, outline)) = port.and_then(|port| Some((port, outline(port.endpoint)?)))
            else {
                continue;
            };
            sets.entry(port.network).or_insert_with(|| {
                let network = self.own.switch.networks.get(port.network);
                let network = network.and_then(|network| self.network_document(network.id));
                network.map_or_else(Sets::default, sets_of)
            });
            ports.push((port, outline, packets.remove(&number).unwrap_or_default()));
        }
        let size = |(_, outline, _): &(_, &Outline, _)| outline.text().len();
        let read = sieve::at_once(&ports, size, |(port, outline, packets)| {
            let is_set = |id: &str| {
                sets.get(&port.network)
                    .is_some_and(|sets| sets.contains(id))
            };
            sieve::sieve(outline, packets.clone(), &is_set)
        });
        for ((port, ..), read) in ports.iter().zip(read) {
            let Some((document, places, aside)) = read else {
                continue;
            };
            sieved.documents.endpoints.push(document);
            if let Some(places) = places {
                sieved.places.insert(port.endpoint, places);
            }
            sieved.aside.insert(port.endpoint, aside);
        }
        self.sieved = Some(sieved);
    }

    fn network_document(&self, id: Guid) -> Option<&'a Network> {
        let mut networks = self.documents.networks.iter();
        networks.find(|own| own.id.get().and_then(hcn_schema::Id::guid) == Some(id))
    }

    /// Networks, ports, mappings and load balancers; its ports have no rules.
    pub fn switch(&self) -> &Switch {
        &self.own.switch
    }

    /// Who is where.
    pub fn topology(&self) -> &Topology {
        &self.own.topology
    }

    /// What could not be read of networks, ports, mappings and load balancers.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The way of a flow's first packet.
    pub fn way(&self, start: Start, flow: &Flow) -> Way {
        let rules = self.read(start, flow, &self.once(&self.semantics), &mut Vec::new());
        self.way_by(start, flow, &self.semantics, &rules)
    }

    /// Why it fares so.
    pub fn explain(&self, start: Start, flow: &Flow) -> Explanation {
        self.explain_with(start, flow, []).0
    }

    /// How it fares under other semantics, one answer for each.
    pub fn otherwise<'s>(
        &self,
        start: Start,
        flow: &Flow,
        others: impl IntoIterator<Item = &'s Semantics>,
    ) -> Vec<Otherwise> {
        self.explain_with(start, flow, others).1
    }

    /// Both of [`Inquiry::explain`] and [`Inquiry::otherwise`], for one reading of the rules.
    pub fn explain_with<'s>(
        &self,
        start: Start,
        flow: &Flow,
        others: impl IntoIterator<Item = &'s Semantics>,
    ) -> (Explanation, Vec<Otherwise>) {
        let mut faults = self.faults.clone();
        let rules = self.read(start, flow, &self.once(&self.semantics), &mut faults);
        let kept = self.kept(start, flow, &rules);
        let way = self.way_by(start, flow, &self.semantics, &rules);
        let judgements = way
            .judgements()
            .into_iter()
            .filter_map(|judged| self.judgement(start, flow, &way, &rules, &kept, judged))
            .collect();
        let on_the_way: HashSet<Guid> = self.objects(start, flow).collect();
        faults.retain(|fault| {
            let is_of_other_family = matches!(fault.lacks, Some((Part::Ipv6, _))) && is_v4(flow);
            on_the_way.contains(&fault.object) && !is_of_other_family
        });
        // Several versions differ in what no verdict hangs on.
        let mut known: Vec<(Semantics, Otherwise)> = Vec::new();
        let answers = others.into_iter().map(|other| {
            let other = other.for_verdicts();
            if let Some((_, answer)) = known.iter().find(|(own, _)| *own == other) {
                return answer.clone();
            }
            let answer = self.answer(start, flow, &other, &kept, &way);
            known.push((other, answer.clone()));
            answer
        });
        let answers = answers.collect();
        let explanation = Explanation {
            source_ports: self.source_ports(start, flow, &rules),
            parts: self.parts(start, flow),
            unfollowed: self.unfollowed(start, flow, &way),
            way,
            judgements,
            faults,
        };
        (explanation, answers)
    }

    /// Policies of the endpoints whose ports the packet was put to, and of their networks.
    fn unfollowed(&self, start: Start, flow: &Flow, way: &Way) -> Vec<Unfollowed> {
        let judged = way.judgements();
        let how = self.once(&self.semantics);
        let mut found = Vec::new();
        for (number, document, network) in self.documents_on_the_way(start, flow) {
            let own: Vec<(Direction, Flow)> = judged
                .iter()
                .filter(|(port, ..)| *port == number)
                .map(|(_, direction, flow, _)| (*direction, *flow))
                .collect();
            if own.is_empty() {
                continue;
            }
            let of_network =
                network.map(|network| (network.id.get(), network.policies.get(), true));
            let objects = [
                Some((document.id.get(), document.policies.get(), false)),
                of_network,
            ];
            for (id, policies, is_network) in objects.into_iter().flatten() {
                let object = id.and_then(hcn_schema::Id::guid).unwrap_or_default();
                let policies = policies.map_or(&[][..], Vec::as_slice);
                for (place, policy) in how.policies(object, policies) {
                    let does = unfollowed::policy(policy, is_network, &own, way);
                    found.extend(does.map(|does| Unfollowed {
                        object,
                        pointer: format!("/Policies/{place}"),
                        policy_type: policy.policy_type.or_default(),
                        does,
                    }));
                }
            }
            let object = document.id.get().and_then(hcn_schema::Id::guid);
            let routes = document.routes.get().map_or(&[][..], Vec::as_slice);
            for (place, route) in routes.iter().enumerate() {
                let does = unfollowed::route(route, &own);
                found.extend(does.map(|does| Unfollowed {
                    object: object.unwrap_or_default(),
                    pointer: format!("/Routes/{place}"),
                    policy_type: "Route".to_owned(),
                    does,
                }));
            }
        }
        found.extend(self.unfollowed_mappings(start, flow, way));
        found.dedup();
        found
    }

    /// Port mappings, of whichever endpoint, that may take the packet otherwise than the way says.
    fn unfollowed_mappings(&self, start: Start, flow: &Flow, way: &Way) -> Vec<Unfollowed> {
        let taken = way.hops.iter().find_map(|hop| match hop {
            Hop::Published { mapping, .. } => self.own.switch.port_mappings.get(*mapping),
            _ => None,
        });
        let taken = taken.and_then(|mapping| {
            let port = self.own.switch.ports.get(mapping.port.0 as usize)?;
            Some((port.endpoint, mapping.pointer.as_str()))
        });
        let mut found = Vec::new();
        for document in &self.documents.endpoints {
            let object = document.id.get().and_then(hcn_schema::Id::guid);
            let object = object.unwrap_or_default();
            let policies = document.policies.get().map_or(&[][..], Vec::as_slice);
            for (place, policy) in policies.iter().enumerate() {
                let pointer = format!("/Policies/{place}");
                // The switch points at the settings, which v1 has in the policy itself.
                let is_taken = taken.is_some_and(|(owner, at)| {
                    let rest = at.strip_prefix(&pointer);
                    owner == object
                        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                let does = unfollowed::mapping(policy, start, flow, is_taken);
                found.extend(does.map(|does| Unfollowed {
                    object,
                    pointer,
                    policy_type: policy.policy_type.or_default(),
                    does,
                }));
            }
        }
        found
    }

    fn answer(
        &self,
        start: Start,
        flow: &Flow,
        semantics: &Semantics,
        kept: &Kept,
        own: &Way,
    ) -> Otherwise {
        let how = How {
            kept: Some(kept),
            ..self.once(semantics)
        };
        let rules = self.read(start, flow, &how, &mut Vec::new());
        let way = self.way_by(start, flow, semantics, &rules);
        let last = turn(own, &way).and_then(|judged| {
            let (port, direction, flow, ruling) = judged;
            let cause = self.cause(&rules, port, direction, &flow, ruling);
            let endpoint = self.own.switch.ports.get(port.0 as usize)?.endpoint;
            Some((endpoint, direction, cause))
        });
        Otherwise {
            fate: way.fate,
            last,
        }
    }

    /// Rules for one packet.
    fn once<'s>(&'s self, semantics: &'s Semantics) -> How<'s> {
        How {
            is_asked_often: false,
            places: self.sieved.as_ref().map(|sieved| &sieved.places),
            ..How::all(semantics)
        }
    }

    fn way_by(&self, start: Start, flow: &Flow, semantics: &Semantics, rules: &Rules) -> Way {
        let World { switch, topology } = self.world(semantics);
        let judge =
            |port, direction, flow: &Flow| switch.rule_by(rules.get(&port), port, direction, flow);
        switch.way_judged_by(topology, start, flow, semantics, &judge)
    }

    fn cause(
        &self,
        rules: &Rules,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        ruling: Ruling,
    ) -> Cause {
        self.own
            .switch
            .cause_by(rules.get(&port), port, direction, flow, ruling)
    }

    /// Every way that the packet may take, whatever the rules are, whichever translation Out rules see, and whichever of them the HNS has.
    fn ways(&self, start: Start, flow: &Flow) -> Vec<Way> {
        // Without its IPv6 addresses nobody gets anything that he does not get with them.
        let mut lacks = self.semantics.lacked().with(
            Part::Ipv6,
            self.semantics.lacked().has(Part::Ipv6) && is_v4(flow),
        );
        let mut semantics = Vec::with_capacity(4);
        let is_to_direct = self.has_direct && self.balancer_of(flow).is_some();
        for _ in 0..if is_to_direct { 2 } else { 1 } {
            for direct_out_sees_backend in [true, false] {
                semantics.push(Semantics {
                    direct_out_sees_backend,
                    lacks,
                    unknown_policies: UnknownPolicies::LeftOut,
                    ..self.semantics.clone()
                });
            }
            let part = Part::DirectServerReturn;
            lacks = lacks.with(part, !lacks.has(part));
        }
        let way = |semantics| self.way_by(start, flow, semantics, &Rules::new());
        semantics.iter().map(way).collect()
    }

    /// The load balancer that takes a flow.
    fn balancer_of(&self, flow: &Flow) -> Option<usize> {
        let World { switch, topology } = &self.own;
        Some(switch.balancer_of(topology, flow)?.0)
    }

    /// What is used on the way and not every version of HNS has.
    fn parts(&self, start: Start, flow: &Flow) -> Parts {
        let how = self.once(&self.semantics);
        let mut all = Parts::NONE;
        let mut of_network: HashMap<Guid, (Sets, Parts)> = HashMap::new();
        for (_, endpoint, network) in self.documents_on_the_way(start, flow) {
            let id = |id: Option<&hcn_schema::Id>| id.and_then(hcn_schema::Id::guid);
            let network_id = network.and_then(|own| id(own.id.get())).unwrap_or_default();
            let (sets, of_network) = of_network.entry(network_id).or_insert_with(|| {
                let sets = network.map_or_else(Sets::default, sets_of);
                let policies = network.and_then(|own| own.policies.get());
                let policies = policies.into_iter().flatten();
                let rules = policies.filter(|policy| policy.is("NetworkACL"));
                let parts = rules.flat_map(|rule| parts::of_policy(rule, &sets).iter());
                let parts = parts.collect();
                (sets, parts)
            });
            let object = id(endpoint.id.get()).unwrap_or_default();
            let policies = endpoint.policies.get().map_or(&[][..], Vec::as_slice);
            let own = how.policies(object, policies);
            let own = own.flat_map(|(_, policy)| parts::of_policy(policy, sets).iter());
            all = own.chain(of_network.iter()).chain(all.iter()).collect();
        }
        let balancer = self.balancer_of(flow);
        let balancer = balancer.and_then(|place| {
            let id = self.own.switch.balancers.get(place)?.id;
            let mut documents = self.documents.load_balancers.iter();
            documents.find(|own| own.id.get().and_then(hcn_schema::Id::guid) == Some(id))
        });
        let is_direct = balancer.is_some_and(parts::is_direct);
        let mut endpoints = self.documents.endpoints.iter();
        let is_dual =
            self.has_dual && !is_v4(flow) && endpoints.any(|own| parts::is_dual_end(own, flow));
        all.with(Part::DirectServerReturn, is_direct)
            .with(Part::Ipv6, is_dual)
    }

    fn ports_on_the_way(&self, start: Start, flow: &Flow) -> BTreeSet<PortIndex> {
        let ways = self.ways(start, flow);
        let judged = ways.iter().flat_map(Way::judgements);
        judged.map(|(port, ..)| port).collect()
    }

    /// Endpoints, networks and load balancers on the way.
    fn objects(&self, start: Start, flow: &Flow) -> impl Iterator<Item = Guid> {
        let ports = self.ports_on_the_way(start, flow);
        let of_ports = ports.into_iter().flat_map(|port| {
            let port = self.own.switch.ports.get(port.0 as usize);
            let network = port.and_then(|port| self.own.switch.networks.get(port.network));
            let ids = [port.map(|port| port.endpoint), network.map(|own| own.id)];
            ids.into_iter().flatten()
        });
        let balancer = self.own.switch.balancer_of(&self.own.topology, flow);
        let chosen = balancer.map(|(place, _)| self.own.switch.balancers[place].id);
        // One that does not take it may be the one that was to.
        let balancers = self.own.switch.balancers.iter();
        let at_address = balancers.filter(|own| own.vips.contains(&flow.destination));
        of_ports
            .chain(chosen)
            .chain(at_address.map(|balancer| balancer.id))
    }

    /// Reads the rules of the ports on the way.
    fn read(&self, start: Start, flow: &Flow, how: &How<'_>, faults: &mut Vec<Fault>) -> Rules {
        let documents = self.documents_on_the_way(start, flow);
        compile::rules_of_ports(&self.own.switch, &documents, how, faults)
    }

    fn documents_on_the_way(
        &self,
        start: Start,
        flow: &Flow,
    ) -> Vec<(PortIndex, &Endpoint, Option<&Network>)> {
        let ports = self.ports_on_the_way(start, flow);
        ports
            .into_iter()
            .filter_map(|number| {
                let port = self.own.switch.ports.get(number.0 as usize)?;
                let network = self.own.switch.networks.get(port.network)?.id;
                let of = |id: Option<&hcn_schema::Id>, wanted| {
                    id.and_then(hcn_schema::Id::guid) == Some(wanted)
                };
                let documents = self
                    .sieved
                    .as_ref()
                    .map_or(self.documents, |own| &own.documents);
                let mut endpoints = documents.endpoints.iter();
                Some((
                    number,
                    endpoints.find(|own| of(own.id.get(), port.endpoint))?,
                    self.network_document(network),
                ))
            })
            .collect()
    }

    /// The policies that matter for a flow, whatever the semantics: those with a rule that matches, witnesses of every kind, and whatever is no
    /// single rule.
    fn kept(&self, start: Start, flow: &Flow, rules: &Rules) -> Kept {
        let several_sets = match self.semantics.several_sets {
            SeveralSets::Intersection => SeveralSets::Union,
            SeveralSets::Union => SeveralSets::Intersection,
        };
        let documents = self.documents_on_the_way(start, flow);
        let has_sets = documents.iter().any(|(.., network)| {
            let policies = network.and_then(|network| network.policies.get());
            let mut policies = policies.into_iter().flatten();
            policies.any(|policy| policy.is("SetPolicy"))
        });
        // Semantics under which no rule is without effect.
        let widest = |several_sets| Semantics {
            several_sets,
            acl_on_nat: true,
            unknown_policies: UnknownPolicies::Followed,
            ..self.semantics.clone()
        };
        let mut readings = Vec::new();
        if has_sets {
            let other = widest(several_sets);
            readings.push(self.read(start, flow, &self.once(&other), &mut Vec::new()));
        }
        if !self.semantics.acl_on_nat || !self.semantics.lacked().is_empty() {
            let other = widest(self.semantics.several_sets);
            readings.push(self.read(start, flow, &self.once(&other), &mut Vec::new()));
        }
        let mut matching: HashSet<(Guid, usize)> = HashSet::new();
        for (port, direction, flow, _) in self.ways(start, flow).iter().flat_map(Way::judgements) {
            for rules in readings.iter().chain([rules]) {
                if let Some(own) = rules.get(&port) {
                    own.note_matching(direction, &flow, &mut matching);
                }
            }
        }
        let mut kept = Kept::new();
        for (_, endpoint, network) in documents {
            let sets = network.map_or_else(Sets::default, sets_of);
            let of_network = network.map(|network| (network.id.get(), network.policies.get()));
            let objects = [
                Some((endpoint.id.get(), endpoint.policies.get())),
                of_network,
            ];
            for (id, policies) in objects.into_iter().flatten() {
                let id = id.and_then(hcn_schema::Id::guid).unwrap_or_default();
                let policies = policies.map_or(&[][..], Vec::as_slice);
                let how = self.once(&self.semantics);
                kept.entry(id).or_insert_with(|| {
                    stages::kept_places(id, how.policies(id, policies), &sets, &matching)
                });
            }
        }
        kept
    }

    fn judgement(
        &self,
        start: Start,
        flow: &Flow,
        way: &Way,
        rules: &Rules,
        kept: &Kept,
        judged: (PortIndex, Direction, Flow, Ruling),
    ) -> Option<Judgement> {
        let (port, direction, seen, ruling) = judged;
        let cause = self.cause(rules, port, direction, &seen, ruling);
        let without = cause.rule.as_ref().map(|rule| {
            let how = How {
                kept: Some(kept),
                without: Some((rule.object, &rule.pointer)),
                ..self.once(&self.semantics)
            };
            let rules = self.read(start, flow, &how, &mut Vec::new());
            let then = self.way_by(start, flow, &self.semantics, &rules);
            let here = then
                .judgements()
                .into_iter()
                .find(|(own, way, own_flow, _)| (*own, *way, *own_flow) == (port, direction, seen));
            Without {
                fate: then.fate,
                is_redundant: then.fate == way.fate,
                instead: here.map(|(.., ruling)| {
                    let cause = self.cause(&rules, port, direction, &seen, ruling);
                    (ruling.decision, cause)
                }),
            }
        });
        let stages = match rules.get(&port) {
            // Where no rule was asked, no layer has thought anything.
            Some(rules) if cause.reason != crate::verdict::Reason::NoIntercommunication => {
                let number = port;
                let port = self.own.switch.ports.get(port.0 as usize)?.endpoint;
                let aside = self
                    .sieved
                    .as_ref()
                    .and_then(|sieved| sieved.aside.get(&port));
                let mut reports = rules.reports(direction, &seen, |layer| {
                    let of_layer =
                        aside.map(|aside| aside.of(&self.semantics, layer, direction, &seen));
                    let of_layer = of_layer.into_iter().flatten();
                    stages::Others {
                        object: port,
                        tie: self.semantics.tie,
                        rules: of_layer.collect(),
                    }
                });
                self.name_sets((start, flow), number, &seen, &mut reports);
                reports
            }
            Some(_) | None => Vec::new(),
        };
        Some(Judgement {
            endpoint: self.own.switch.ports.get(port.0 as usize)?.endpoint,
            direction,
            flow: seen,
            decision: ruling.decision,
            cause,
            stages,
            without,
        })
    }
}

/// The judgement of a way on which its end hangs, beside the way that the packet takes otherwise.
fn turn(own: &Way, way: &Way) -> Option<(PortIndex, Direction, Flow, Ruling)> {
    let before = own.judgements();
    let judged = way.judgements();
    let turned = |judged: &&(PortIndex, Direction, Flow, Ruling)| {
        let (port, direction, flow, ruling) = **judged;
        before.iter().any(|was| {
            (was.0, was.1, was.2) == (port, direction, flow) && was.3.decision != ruling.decision
        })
    };
    // The one that goes as the answer does, since on the ways to several backends there may be both.
    let goes_along = |judged: &&(PortIndex, Direction, Flow, Ruling)| {
        (judged.3.decision == Decision::Allow) == way.fate.is_allowed()
    };
    let all = || judged.iter().filter(turned);
    let differing = all().find(goes_along).or_else(|| all().next());
    let differing = differing.filter(|_| own.fate != way.fate);
    let blocks = |judged: &&(PortIndex, Direction, Flow, Ruling)| {
        judged.3.decision == Decision::Block && !way.fate.is_allowed()
    };
    let judged = differing.or_else(|| judged.iter().find(blocks));
    judged.copied().or_else(|| way.judgements().pop())
}

fn is_v4(flow: &Flow) -> bool {
    flow.source.is_ipv4()
}

fn sets_of(network: &Network) -> Sets {
    let policies = network.policies.get().into_iter().flatten();
    let sets = policies.filter(|policy| policy.is("SetPolicy"));
    let sets: Vec<SetPolicy> = sets.map(hcn_schema::Policy::settings_as).collect();
    Sets::of(&sets).0
}
