// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the judge says: a decision with its cause.

use std::fmt;

use hcn_schema::Guid;

use crate::flow::{Direction, Flow};

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It goes on.
    Allow,
    /// It is dropped without a word.
    Block,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Decision::Allow => "Allow",
            Decision::Block => "Block",
        })
    }
}

/// The stages of a port, in the order in which they are asked; all must allow (hns-behaviour 4.16, Q12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// `ACL` of RuleType Host: WFP in the host.
    Host,
    /// `NetworkACL` of the network.
    Network,
    /// `TierAcl` of the endpoint.
    Tier,
    /// `ACL` of RuleType Switch or none: VFP on the port.
    Switch,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Layer::Host => "Host",
            Layer::Network => "Network",
            Layer::Tier => "Tier",
            Layer::Switch => "Switch",
        })
    }
}

/// The decision of one port about one flow in one direction; small, for the packet path.
///
/// [`crate::Switch::cause`] tells what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ruling {
    /// What happens.
    pub decision: Decision,
    /// The layer that decided: the one that blocked, or the last that had a say.
    pub layer: Layer,
    /// What decided in that layer.
    pub reason: Reason,
}

/// What decided inside a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A rule, by its number among the port's rules of that layer; [`crate::Switch::cause`] knows it.
    Rule(u32),
    /// No layer has a rule for the direction: everything passes.
    NoRules,
    /// Rules stand on the port, and on its network this version of HNS gives none of them an effect: everything passes. In causes alone; a
    /// ruling says [`Reason::NoRules`].
    WithoutEffect,
    /// Rules exist, none decided, and the layer drops what none of them allows.
    Default,
    /// Rules exist, none decided, and the layer lets pass what none of them blocks.
    DefaultAllow,
    /// The endpoint's `DisableInterComputeCommunication` flag: nothing passes between containers.
    NoIntercommunication,
    /// The flow, or the one that it answers, was allowed before under the same rules.
    Established,
}

/// Why a port decided as it did, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The layer that decided.
    pub layer: Layer,
    /// What decided.
    pub reason: Reason,
    /// The rule, where one decided.
    pub rule: Option<RuleReference>,
    /// Whether rules of the same priority and another action matched too, so that the tie decided.
    pub tie: bool,
}

/// A rule as its document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReference {
    /// The endpoint or network that holds it.
    pub object: Guid,
    /// JSON pointer into the v2 document of that object, e.g. `/Policies/3`.
    pub pointer: String,
    /// Its `Id`, where it has one.
    pub id: Option<String>,
    /// Its action.
    pub action: Decision,
    /// Its priority; 0 where omitted.
    pub priority: u16,
    /// The rule in one line, in the words of its document.
    pub text: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, &self.rule) {
            (Reason::NoIntercommunication, Some(rule)) => {
                write!(f, "{} of {}: {}", rule.pointer, rule.object, rule.text)
            }
            (_, Some(rule)) => {
                write!(
                    f,
                    "{} rule {} of {}: {}",
                    self.layer, rule.pointer, rule.object, rule.text
                )?;
                if self.tie {
                    write!(f, " (a tie with a rule of the same priority)")
                } else {
                    Ok(())
                }
            }
            (Reason::NoRules, None) => {
                f.write_str("no rule for this direction on this port: everything passes")
            }
            (Reason::WithoutEffect, None) => f.write_str(
                "rules stand here and have no effect, as none has on NAT networks of this version of HNS: everything passes",
            ),
            (Reason::Established, None) => f.write_str("part of a flow that is allowed"),
            (Reason::NoIntercommunication, None) => {
                f.write_str("nothing passes between containers")
            }
            (Reason::Default, None) if self.layer == Layer::Host => f.write_str(
                "no Host rule decides, and the host's firewall takes in only TCP, UDP, ICMP and IGMP",
            ),
            (Reason::DefaultAllow, None) => write!(
                f,
                "no {} rule decides, and the layer lets such a flow pass",
                self.layer
            ),
            (Reason::Default | Reason::Rule(_), None) => write!(
                f,
                "no {} rule decides, and a port with rules drops what none of them allows",
                self.layer
            ),
        }
    }
}

/// One port's part in a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The endpoint whose port it is.
    pub endpoint: Guid,
    /// The direction that was judged there.
    pub direction: Direction,
    /// The flow as that port saw it.
    pub flow: Flow,
    /// What the port decided.
    pub decision: Decision,
    /// Why.
    pub cause: Cause,
}

/// What happens to the first packet of a flow from one end to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happens in the end.
    pub decision: Decision,
    /// The ports on the way, in order; the last one is the one that dropped the packet, if any did.
    pub steps: Vec<Step>,
}
