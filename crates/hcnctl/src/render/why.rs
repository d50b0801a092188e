// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations as text and as JSON (`docs/schema/why.json`).
//!
//! Apart from the command because both are pure functions of a page. What one form says, the other says too.

mod json;
mod text;

use std::collections::HashMap;

use hcn_engine::{
    Protocol, Switch,
    verdict::{Cause, Reason},
    way::{Fate, NoWay, Receiver},
    why::{self, Explanation},
};
use hcn_schema::Guid;

use crate::commands::why::Question;

pub(crate) use json::{cause_of, flow, json_page};
pub(crate) use text::{summary, text_page};

/// What there is to say of a flow.
pub(crate) struct Page<'a> {
    pub(crate) names: Names,
    /// The version of HNS that is judged as.
    pub(crate) profile: String,
    pub(crate) question: &'a Question,
    pub(crate) explanation: &'a Explanation,
    /// Other versions.
    pub(crate) profiles: Vec<Otherwise>,
    /// Open questions of the record, answered otherwise.
    pub(crate) questions: Vec<Otherwise>,
}

/// How a flow fares where something is otherwise.
pub(crate) struct Otherwise {
    /// A version, or a question's number.
    pub(crate) name: String,
    /// What is otherwise.
    pub(crate) says: String,
    pub(crate) answer: why::Otherwise,
}

/// What objects are called.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_id: HashMap<Guid, String>,
    networks: Vec<Guid>,
    ports: Vec<Guid>,
    mappings: Vec<Mapping>,
    balancers: Vec<hcn_engine::switch::Balancer>,
}

/// A published port.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) endpoint: Guid,
    pub(crate) pointer: String,
    pub(crate) protocol: Protocol,
    pub(crate) external_port: u16,
}

impl Names {
    pub(crate) fn insert(&mut self, id: Guid, name: String) {
        self.by_id.insert(id, name);
    }

    /// Notes which objects the indexes of a switch mean.
    pub(crate) fn read(&mut self, switch: &Switch) {
        self.networks = switch.networks.iter().map(|network| network.id).collect();
        self.ports = switch.ports.iter().map(|port| port.endpoint).collect();
        self.mappings = switch
            .port_mappings
            .iter()
            .filter_map(|mapping| {
                Some(Mapping {
                    endpoint: self.ports.get(mapping.port.0 as usize).copied()?,
                    pointer: mapping.pointer.clone(),
                    protocol: mapping.protocol,
                    external_port: mapping.external_port,
                })
            })
            .collect();
        self.balancers.clone_from(&switch.balancers);
    }

    pub(crate) fn of(&self, id: Guid) -> String {
        let known = self.by_id.get(&id).cloned();
        known.unwrap_or_else(|| super::short_id(&id.to_string()))
    }

    fn network(&self, index: usize) -> String {
        let id = self.networks.get(index);
        id.map_or_else(String::new, |id| self.of(*id))
    }

    fn port(&self, index: hcn_engine::PortIndex) -> Guid {
        let id = self.ports.get(index.0 as usize);
        id.copied().unwrap_or_default()
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

/// How a way ends, in a sentence.
pub(crate) fn ending(names: &Names, fate: Fate) -> String {
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
        Fate::Balanced { passing, of } => {
            format!("{passing} of {of} backends get it, and the load balancer chooses one")
        }
    }
}

/// A cause without the rule's text.
pub(crate) fn cause_words(names: &Names, cause: &Cause) -> String {
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
