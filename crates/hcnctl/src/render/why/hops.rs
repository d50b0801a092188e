// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words for what happens on a way, beside what ports say: routes, published ports, NAT, load balancers.
//!
//! Apart from the page because `reach` says the same behind its cells. Invariant: nothing here hangs on who sends, so that the words hold for
//! everybody who has the same way.

use hcn_engine::{
    Flow, PortIndex,
    switch::{Balancer, OutboundNat},
    way::{Hop, Kept},
};

use super::Names;

impl Names<'_> {
    /// A step by a route or a network; `None` for the other ones.
    pub(crate) fn route_words(&self, hop: &Hop) -> Option<String> {
        Some(match hop {
            Hop::OnLink { network } => {
                let network = self.network(*network);
                format!("route: on the sender's own subnet, network {network}")
            }
            Hop::ToRouter { router, .. } => format!("route: by the default router {router}"),
            Hop::Routed { network } => {
                let network = self.network(*network);
                format!("route: the host sends it on to network {network}")
            }
            Hop::Hidden { network } => {
                let network = self.network(*network);
                format!("NAT: network {network} gives it an address of the host as source")
            }
            Hop::Judged { .. }
            | Hop::Published { .. }
            | Hop::Outbound { .. }
            | Hop::Balanced { .. } => return None,
        })
    }

    /// A published port, and as what it goes on.
    pub(crate) fn published_words(&self, mapping: usize, goes_on: &str) -> Option<String> {
        let mapping = self.switch.port_mappings.get(mapping)?;
        Some(format!(
            "published port: {}/{} of the host is {} of {}; it goes on {goes_on}",
            mapping.external_port,
            mapping.protocol,
            mapping.pointer,
            self.of(self.port(mapping.port)),
        ))
    }

    /// What an `OutBoundNAT` does, or why it does not.
    pub(crate) fn outbound_words(
        &self,
        port: PortIndex,
        policy: &OutboundNat,
        kept: Option<Kept>,
    ) -> String {
        let owner = self.of(self.port(port));
        let of = format!("OutBoundNAT {} of {owner}", policy.pointer);
        let source = match policy.source {
            Some(source) => source.to_string(),
            None => "an address of the host".to_owned(),
        };
        match kept {
            None => format!("NAT: {of} gives it {source} as source"),
            Some(Kept::Exception(exception)) => {
                format!("no NAT: {exception} is an exception of {of}; the source stays")
            }
            Some(Kept::NotADestination) => {
                format!("no NAT: {of} is for other destinations; the source stays")
            }
            Some(Kept::Icmp) => {
                format!("no NAT: ICMP is not translated by {of} (a guess); the source stays")
            }
        }
    }

    /// A load balancer, by its place, and the place of its port.
    pub(crate) fn balanced_words(
        &self,
        balancer: &Balancer,
        port: usize,
        backends: usize,
    ) -> String {
        let how = match (balancer.is_direct, balancer.source_vip) {
            (true, _) => "direct server return, the source stays".to_owned(),
            (false, Some(vip)) => {
                format!("the host translates, with source {vip} and a port of its choice")
            }
            (false, None) => {
                "the host translates, with an address and a port of its own as source".to_owned()
            }
        };
        let pointer = balancer.ports.get(port).map_or("", |port| &port.pointer);
        format!(
            "load balancer: {pointer} of {}; {how}; {backends} backend(s)",
            self.of(balancer.id),
        )
    }

    /// The name of a backend, by its place.
    pub(crate) fn backend(&self, balancer: &Balancer, backend: usize) -> String {
        let backend = balancer.backends.get(backend);
        backend.map_or_else(String::new, |backend| self.of(backend.endpoint))
    }
}

/// The end of a flow that is known whoever sends: the address, and the port where it is the same for all.
pub(crate) fn destination(flow: &Flow, has_port: bool) -> String {
    match has_port && flow.protocol.has_ports() {
        true => std::net::SocketAddr::new(flow.destination, flow.destination_port).to_string(),
        false => flow.destination.to_string(),
    }
}
