// SPDX-License-Identifier: MIT OR Apache-2.0
//! What somebody who reads an answer about one flow has to know beside it: what was chosen for him, and which guess it hangs on.
//!
//! Apart from the answer, of which none of this is a part. A note is one sentence; what does not concern the packet has none.

use std::net::IpAddr;

use hcn::schema::{Endpoint, Network, network::NetworkType};
use hcn_engine::{
    Documents, PortIndex, Start, Switch,
    way::{Fate, Hop, NoWay, Receiver},
    why::{Explanation, Inquiry},
};

use super::{
    Sources,
    question::{Meant, Question, parsed, port_label},
};
use crate::lookup::{guid, label};

/// So many addresses of the host, or endpoints, are told.
const TOLD: usize = 3;

/// The notes, in the order of the way.
pub(super) fn notes(
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    question: &Question,
    explanation: &Explanation,
) -> Vec<String> {
    let about = About {
        sources,
        switch: inquiry.switch(),
        question,
        explanation,
    };
    let notes = [
        about.no_networks(),
        host_words(question.flow.destination, &question.host_beside),
        about.shared_address(),
        about.other_network(),
        about.host_route(),
        about.hairpin(),
    ];
    notes.into_iter().flatten().collect()
}

struct About<'a> {
    sources: &'a Sources,
    switch: &'a Switch,
    question: &'a Question,
    explanation: &'a Explanation,
}

impl About<'_> {
    fn documents(&self) -> &Documents {
        &self.sources.sketch
    }

    fn port(&self, port: PortIndex) -> String {
        port_label(self.sources, self.switch, port)
    }

    fn endpoint(&self, endpoint: &Endpoint) -> String {
        let name = endpoint.name.or_default();
        label(guid(endpoint.id.get()), &name, &self.sources.containers)
    }

    /// The ports that take part: the sender's, those that judge, and the one that is meant.
    fn ports(&self) -> Vec<PortIndex> {
        let sender = match self.question.start {
            Start::Port(port) => Some(port),
            Start::Host | Start::Outside => None,
        };
        let meant = match self.question.meant {
            Meant::Port(port) => Some(port),
            Meant::Anyone | Meant::Remote => None,
        };
        let judged = self.explanation.way.judgements();
        let judged = judged.into_iter().map(|(port, ..)| port);
        let mut ports: Vec<PortIndex> = sender.into_iter().chain(judged).chain(meant).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    fn network_of(&self, port: PortIndex) -> Option<&Network> {
        let port = self.switch.ports.get(port.0 as usize)?;
        let id = self.switch.networks.get(port.network)?.id;
        let mut networks = self.documents().networks.iter();
        networks.find(|network| guid(network.id.get()) == id)
    }

    /// A listing of endpoints alone tells rules, and hardly where packets go.
    fn no_networks(&self) -> Option<String> {
        let ports = self.ports().into_iter();
        let without: Vec<String> = ports
            .filter(|port| self.network_of(*port).is_none())
            .map(|port| self.port(port))
            .collect();
        (!without.is_empty()).then(|| {
            format!(
                "the network of {} is not among the documents, so only what rules say is known: it is taken for a NAT network, and the host to be at the endpoint's default router",
                listed(&without)
            )
        })
    }

    /// Endpoints of one network with the destination's address (hns-behaviour 5.2 has a local and a remote one on Windows Server 2019).
    fn shared_address(&self) -> Option<String> {
        let to = self.question.flow.destination;
        let endpoints = self.documents().endpoints.iter();
        let owners: Vec<&Endpoint> = endpoints
            .filter(|endpoint| parsed(endpoint).contains(&to))
            .collect();
        let network = |endpoint: &Endpoint| guid(endpoint.host_compute_network.get());
        let is_shared = |own: &&&Endpoint| {
            let others = owners.iter().filter(|other| network(other) == network(own));
            others.count() > 1
        };
        let shared: Vec<String> = owners
            .iter()
            .filter(is_shared)
            .map(|own| self.endpoint(own))
            .collect();
        let is_about = matches!(
            self.explanation.way.fate,
            Fate::Arrives(Receiver::Port(_)) | Fate::Dropped
        );
        (is_about && !shared.is_empty()).then(|| {
            format!(
                "{to} is the address of each of {} on one network; that the first of those on this host gets what is sent there is a guess",
                listed(&shared)
            )
        })
    }

    /// Somebody here has the address, on a network to which nothing leads from the sender.
    fn other_network(&self) -> Option<String> {
        let Fate::Unreachable(NoWay::Nobody(address)) = self.explanation.way.fate else {
            return None;
        };
        let port = self.switch.port_with(address)?;
        let network = self.switch.ports.get(port.0 as usize)?.network;
        let network = self.switch.networks.get(network)?;
        let network = label(network.id, &network.name, &[]);
        Some(format!(
            "{} has {address} on network {network}, and that nothing leads there although it looks like the sender's own subnet is a guess",
            self.port(port)
        ))
    }

    /// hns-behaviour 5.5 has the policy as what enables the host and its containers on an overlay to talk, and not what becomes of them without it.
    fn host_route(&self) -> Option<String> {
        let way = &self.explanation.way;
        let port = match (self.question.start, way.fate) {
            (Start::Host, Fate::Arrives(Receiver::Port(port)))
            | (Start::Port(port), Fate::Arrives(Receiver::Host)) => port,
            _ => return None,
        };
        let network = self.network_of(port)?;
        let has_route = || {
            let mut policies = network.policies.get().into_iter().flatten();
            policies.any(|policy| policy.is("HostRoute"))
        };
        let is_overlay = network.network_type.get() == Some(&NetworkType::Overlay);
        (is_overlay && !has_route()).then(|| {
            format!(
                "network {} has no HostRoute, which is what enables the host and its containers on an overlay to talk; that they do without it is a guess",
                label(guid(network.id.get()), &network.name.or_default(), &[])
            )
        })
    }

    /// A backend that asks its own service: hns-behaviour 4.8 says what it needs, and not what becomes of the packet without that.
    fn hairpin(&self) -> Option<String> {
        let Start::Port(sender) = self.question.start else {
            return None;
        };
        let port = self.switch.ports.get(sender.0 as usize)?;
        for hop in &self.explanation.way.hops {
            let Hop::Balanced {
                balancer, branches, ..
            } = hop
            else {
                continue;
            };
            let balancer = self.switch.balancers.get(*balancer)?;
            let own = branches.iter().find(|branch| {
                let backend = balancer.backends.get(branch.backend);
                backend.is_some_and(|backend| backend.port == Some(sender))
            });
            let Some(own) = own.filter(|_| balancer.is_direct) else {
                continue;
            };
            let to = own.way.flow.destination;
            let mut policies = port.outbound_nat.iter();
            let is_looped =
                policies.any(|policy| policy.destinations.iter().any(|own| own.contains(&to)));
            if !is_looped {
                return Some(format!(
                    "{} is a backend of the service that it asks; what it sends to itself gets there by an OutBoundNAT that has {to} in its Destinations (loopback DSR), and it has none; that is not followed",
                    self.port(sender)
                ));
            }
        }
        None
    }
}

/// Which of the host's addresses is asked for, where it has others.
pub(crate) fn host_words(chosen: IpAddr, beside: &[IpAddr]) -> Option<String> {
    let beside: Vec<String> = beside.iter().map(ToString::to_string).collect();
    (!beside.is_empty()).then(|| {
        format!(
            "the host is asked for at {chosen}; it is at {} too",
            listed(&beside)
        )
    })
}

/// The first few of a list, and how many more there are.
fn listed(all: &[String]) -> String {
    let told = &all[..all.len().min(TOLD)];
    match all.len() - told.len() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}
