// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps of a way behind a cell: routes, published ports, NAT and load balancers, in the words of `why`, and between them what ports say.
//!
//! Apart from the page because here nothing is shared or numbered. Invariant: a step holds for all of the packets that it is told of, so what only
//! some of them meet is told with whom it is for.

use std::{net::IpAddr, slice};

use hcn::schema::network::NetworkType;
use hcn_engine::{
    Decision, Family, PortIndex,
    reach::{Piece, Said},
    way::Hop,
};

use crate::render::why::{Names, destination};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something that happens; on the way to one of several backends it stands beneath its backend.
    Words { text: String, is_inner: bool },
    /// What a port says.
    Said { said: Said, is_inner: bool },
}

/// The steps of a piece, by a port where one sends.
pub(super) fn steps(names: &Names<'_>, piece: &Piece, sender: Option<PortIndex>) -> Vec<Step> {
    let mut walk = Walk {
        names,
        sender,
        said: piece.said.iter(),
        is_nowhere: piece.nowhere.is_some(),
        source: None,
        steps: Vec::new(),
    };
    walk.all(&piece.hops, false);
    // Where no way is known it is the ports alone; and what leaves the host may come back to a port here.
    let rest: Vec<Said> = walk.said.clone().copied().collect();
    for said in rest {
        walk.steps.push(Step::Said {
            said,
            is_inner: false,
        });
    }
    walk.steps
}

/// What happens on a way on which two ports alone decide; no text where one of them says something.
pub(super) fn template(names: &Names<'_>, hops: &[Hop]) -> Vec<Option<String>> {
    hops.iter().map(|hop| names.route_words(hop)).collect()
}

/// What happens to what a port sends beyond the ports: before it is judged, and after it.
pub(super) fn outwards(names: &Names<'_>, port: PortIndex, family: Family) -> [Option<String>; 2] {
    let Some(own) = names.switch.ports.get(port.0 as usize) else {
        return [None, None];
    };
    let mut gateways = own.gateways.iter();
    let router = gateways.find(|router| Family::from(**router) == family);
    let route = router.map(|router| {
        format!("route: by the default router {router}; to addresses on the sender's own subnet without it")
    });
    let network = &names.switch.networks[own.network];
    let nat = match network.network_type {
        NetworkType::Nat | NetworkType::Ics => names.route_words(&Hop::Hidden {
            network: own.network,
        }),
        _ => outbound(names, port, None, family),
    };
    [route, nat]
}

/// What an `OutBoundNAT` of a port does with whatever leaves the host: the one with a number, or the first of a family.
fn outbound(
    names: &Names<'_>,
    port: PortIndex,
    policy: Option<usize>,
    family: Family,
) -> Option<String> {
    let own = &names.switch.ports.get(port.0 as usize)?.outbound_nat;
    let policy = match policy {
        Some(place) => own.get(place)?,
        None => own.iter().find(|policy| policy.family == family)?,
    };
    let list = |prefixes: &[ipnet::IpNet]| {
        let prefixes: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
        prefixes.join(", ")
    };
    let mut words = names.outbound_words(port, policy, None);
    if !policy.destinations.is_empty() {
        words.push_str(&format!(", to {} alone", list(&policy.destinations)));
    }
    if !policy.exceptions.is_empty() {
        words.push_str(&format!("; not to {}", list(&policy.exceptions)));
    }
    words.push_str("; ICMP keeps its own (a guess)");
    Some(words)
}

struct Walk<'a> {
    names: &'a Names<'a>,
    sender: Option<PortIndex>,
    said: slice::Iter<'a, Said>,
    /// Whether the packets get nowhere, so that nothing is said by ports.
    is_nowhere: bool,
    /// The source by which the one of whom the way is was judged last.
    source: Option<IpAddr>,
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn words(&mut self, text: Option<String>, is_inner: bool) {
        let step = text.map(|text| Step::Words { text, is_inner });
        self.steps.extend(step);
    }

    /// Whether the packets get to the end of these hops.
    fn all(&mut self, hops: &[Hop], is_inner: bool) -> bool {
        for hop in hops {
            match hop {
                Hop::Judged { .. } if self.is_nowhere => {}
                Hop::Judged { flow, .. } => {
                    self.source = Some(flow.source);
                    let Some(said) = self.said.next().copied() else {
                        return false;
                    };
                    self.steps.push(Step::Said { said, is_inner });
                    if said.ruling.decision == Decision::Block {
                        return false;
                    }
                }
                Hop::Published { mapping, flow } => {
                    let to = destination(flow, true);
                    let from = match self.source.is_some_and(|source| source != flow.source) {
                        true => ", from an address of the host and a port of its choice",
                        false => "",
                    };
                    let words = self
                        .names
                        .published_words(*mapping, &format!("to {to}{from}"));
                    self.words(words, is_inner);
                }
                Hop::Outbound { port, policy, .. } => {
                    let port = self.sender.unwrap_or(*port);
                    let words = outbound(self.names, port, Some(*policy), Family::V4);
                    self.words(words, is_inner);
                }
                Hop::Balanced {
                    balancer,
                    port,
                    branches,
                } => {
                    let Some(balancer) = self.names.switch.balancers.get(*balancer) else {
                        continue;
                    };
                    let words = self.names.balanced_words(balancer, *port, branches.len());
                    self.words(Some(words), is_inner);
                    let balanced = balancer.ports.get(*port);
                    let has_port = balanced.is_some_and(|port| {
                        port.internal_port.is_some() || port.external_port.is_some()
                    });
                    for branch in branches {
                        let name = self.names.backend(balancer, branch.backend);
                        let to = destination(&branch.way.flow, has_port);
                        let place = self.steps.len();
                        let verdict = match self.all(&branch.way.hops, true) {
                            true => "allowed",
                            false => "blocked",
                        };
                        let text = format!("backend {name}, {to}: {verdict}");
                        let backend = Step::Words {
                            text,
                            is_inner: false,
                        };
                        self.steps.insert(place, backend);
                    }
                }
                Hop::OnLink { .. }
                | Hop::ToRouter { .. }
                | Hop::Routed { .. }
                | Hop::Hidden { .. } => self.words(self.names.route_words(hop), is_inner),
            }
        }
        true
    }
}
