// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations as text and as JSON (`docs/schema/why.json`).
//!
//! Apart from the command because both are pure functions of a page. What one form says, the other says too.

mod hops;
mod json;
mod text;

use std::collections::HashMap;

use hcn::service::Container;
use hcn_engine::{
    Port, PortIndex, Switch,
    parts::Part,
    semantics::Tie,
    switch::OutboundNat,
    verdict::{Cause, Reason},
    way::{Fate, NoWay, Receiver},
    why::{self, Explanation},
};
use hcn_schema::Guid;

use crate::{
    commands::why::{Question, balancer_label},
    lookup::label,
};

pub(crate) use hops::destination;
pub(crate) use json::{cause_of, flow, json_page};
pub(crate) use text::{summary, text_page};

/// What there is to say of a flow.
pub(crate) struct Page<'a> {
    pub(crate) names: Names<'a>,
    /// The version of HNS that is judged as, and the switches that are set.
    pub(crate) profile: String,
    pub(crate) question: &'a Question,
    pub(crate) explanation: &'a Explanation,
    /// The same question in the other family, where it can be asked there.
    pub(crate) other_family: Option<OtherFamily>,
    /// What a reader has to know beside the answer.
    pub(crate) notes: Vec<String>,
    /// Other versions.
    pub(crate) profiles: Vec<Otherwise>,
    /// Open questions of the record, answered otherwise.
    pub(crate) questions: Vec<Otherwise>,
}

/// A question in another family than the one that is answered, and its answer.
pub(crate) struct OtherFamily {
    pub(crate) question: Question,
    pub(crate) explanation: Explanation,
}

/// How a flow fares where something is otherwise.
pub(crate) struct Otherwise {
    /// A version, or a question's number.
    pub(crate) name: String,
    /// What is otherwise.
    pub(crate) says: String,
    /// What is used on the way and is not in that version.
    pub(crate) lacks: Vec<Part>,
    pub(crate) answer: why::Otherwise,
}

/// What objects are called, and which of them the indexes of a way mean.
pub(crate) struct Names<'a> {
    pub(crate) switch: &'a Switch,
    /// The HNS that is judged as, e.g. "HNS 15.0".
    pub(crate) hns: String,
    pub(crate) containers: Vec<Container>,
    /// Names of endpoints on other hosts.
    pub(crate) remote: HashMap<Guid, String>,
}

impl Names<'_> {
    pub(crate) fn of(&self, id: Guid) -> String {
        let switch = self.switch;
        let port = switch.port_of(id).map(|port| self.port_at(port));
        if let Some(port) = port.flatten() {
            return label(id, &port.name, &self.containers);
        }
        let mut networks = switch.networks.iter();
        let network = networks.find(|network| network.id == id);
        let mut balancers = switch.balancers.iter();
        if let Some(balancer) = balancers.find(|balancer| balancer.id == id) {
            return balancer_label(balancer);
        }
        let name = network
            .map(|network| &network.name)
            .or(self.remote.get(&id));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => label(id, name, &self.containers),
            None => super::short_id(&id.to_string()),
        }
    }

    fn port_at(&self, index: PortIndex) -> Option<&Port> {
        self.switch.ports.get(index.0 as usize)
    }

    fn network(&self, index: usize) -> String {
        let network = self.switch.networks.get(index);
        network.map_or_else(String::new, |network| self.of(network.id))
    }

    fn balancer(&self, index: usize) -> String {
        let balancer = self.switch.balancers.get(index);
        balancer.map_or_else(String::new, |balancer| self.of(balancer.id))
    }

    fn outbound(&self, port: PortIndex, policy: usize) -> Option<&OutboundNat> {
        self.port_at(port)?.outbound_nat.get(policy)
    }

    fn port(&self, index: PortIndex) -> Guid {
        self.port_at(index)
            .map(|port| port.endpoint)
            .unwrap_or_default()
    }
}

/// How a way ends, in one word for programs.
pub(crate) fn outcome(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrives(_) => "arrives",
        Fate::Leaves => "leaves",
        Fate::Dropped => "dropped",
        Fate::Unreachable(_) => "unreachable",
        Fate::Balanced { .. } => "balanced",
    }
}

/// How a way ends, in one word for people.
pub(crate) fn verdict(fate: Fate) -> String {
    match fate {
        Fate::Arrives(_) | Fate::Leaves => "allowed".to_owned(),
        Fate::Dropped => "blocked".to_owned(),
        Fate::Unreachable(_) => "unreachable".to_owned(),
        Fate::Balanced { passing, of } if passing == of => "allowed".to_owned(),
        Fate::Balanced { passing: 0, .. } => "blocked".to_owned(),
        Fate::Balanced { passing, of } => format!("allowed to {passing} of {of} backends"),
    }
}

/// As [`verdict`], where somebody in particular is meant.
pub(crate) fn verdict_of(question: &Question, fate: Fate) -> String {
    match question.is_missed(fate) {
        true => "unreachable".to_owned(),
        false => verdict(fate),
    }
}

/// As [`ending`], where somebody in particular is meant.
pub(crate) fn ending_of(names: &Names<'_>, question: &Question, fate: Fate) -> String {
    let ending = ending(names, fate);
    match question.is_missed(fate) {
        true if fate == Fate::Leaves => format!(
            "it leaves this host, where somebody has the same address, and does not get to {}",
            question.to
        ),
        true => format!(
            "{ending}, which has the same address, and not at {}",
            question.to
        ),
        false => ending,
    }
}

/// From which source ports the answer is another one, where nobody gave the port.
pub(crate) fn other_ports(question: &Question, explanation: &Explanation) -> Option<String> {
    let own = explanation.way.fate;
    if question.is_port_given || explanation.source_ports.is_empty() {
        return None;
    }
    let others = explanation.source_ports.iter();
    let others = others.filter(|ports| ports.fate != own).map(|ports| {
        let ranges = ports
            .ranges
            .iter()
            .map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            });
        let ranges: Vec<String> = ranges.collect();
        format!("{} from {}", verdict(ports.fate), ranges.join(","))
    });
    let others: Vec<String> = others.collect();
    Some(format!(
        "rules ask for the source port, which is taken to be {}: {}",
        explanation.way.flow.source_port,
        others.join("; ")
    ))
}

/// How a way ends, in a sentence.
pub(crate) fn ending(names: &Names<'_>, fate: Fate) -> String {
    match fate {
        Fate::Arrives(Receiver::Port(port)) => {
            format!("it arrives at {}", names.of(names.port(port)))
        }
        Fate::Arrives(Receiver::Host) => "it arrives at the host".to_owned(),
        Fate::Leaves => "it leaves this host; what lies beyond is judged there".to_owned(),
        Fate::Dropped => "it is dropped without a word: the sender times out".to_owned(),
        Fate::Unreachable(NoWay::NoRoute) => "the sender has no route to the address".to_owned(),
        Fate::Unreachable(NoWay::Nobody(address)) => {
            format!("nobody has the address {address} on the network")
        }
        Fate::Unreachable(NoWay::NotARouter(port)) => format!(
            "the sender's router is {}, which forwards nothing",
            names.of(names.port(port))
        ),
        Fate::Unreachable(NoWay::HostKnowsNoWay) => {
            "the host has no card on the network of that address".to_owned()
        }
        Fate::Unreachable(NoWay::NotLetIn { network }) => format!(
            "from outside, published ports and load balancers alone lead into {}",
            names.network(network)
        ),
        Fate::Unreachable(NoWay::NotLetOut { network }) => {
            format!("nothing leaves this host from {}", names.network(network))
        }
        Fate::Unreachable(NoWay::NotServed) => {
            "the address is a virtual one, and no load balancer has this protocol and port of it"
                .to_owned()
        }
        Fate::Unreachable(NoWay::NoBackend { balancer }) => format!(
            "{} has no backend left that could take it",
            names.balancer(balancer)
        ),
        Fate::Balanced { passing, of } => {
            format!("{passing} of {of} backends get it, and the load balancer chooses one")
        }
    }
}

/// Who wins ties, and that nobody knows it.
pub(crate) fn tie_words(names: &Names<'_>) -> &'static str {
    match names.switch.semantics().tie {
        Tie::BlockWins => "Block wins it, which is a guess (open question Q1)",
        Tie::FirstWins => {
            "the one that was added first wins it, which is a guess (open question Q1)"
        }
    }
}

/// A cause without the rule's text.
pub(crate) fn cause_words(names: &Names<'_>, cause: &Cause) -> String {
    match (&cause.rule, cause.reason) {
        (Some(rule), Reason::NoIntercommunication) => {
            let owner = names.of(rule.object);
            format!("{} of {owner}: {}", rule.pointer, rule.text)
        }
        (Some(rule), _) => {
            let owner = names.of(rule.object);
            let tie = if cause.tie { ", in a tie" } else { "" };
            format!("{} rule {} of {owner}{tie}", cause.layer, rule.pointer)
        }
        (None, _) => cause.to_string(),
    }
}
