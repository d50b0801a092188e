// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was seen of the exchange that is under way: its packets, its drops, and what its sender was told.
//!
//! Apart, because many flows may be open at once and only one is asked about: packets of other flows leave no trace in here.

use std::net::IpAddr;

use hcn_engine::{
    Direction, Flow, PortIndex, ProbeOutcome, ProbeReport, Ruling, Switch, data_plane::Drop,
};
use hcn_schema::Guid;

use crate::frame::Complaint;

/// The notes on one exchange.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The flow as its sender sees it first, then as it is behind translations.
    watched: Vec<Flow>,
    /// The asking endpoint and the neighbour through which it sends, while no packet has left.
    awaited: Option<(Guid, IpAddr)>,
    packets: u64,
    drops: Vec<Drop>,
    complaint: Option<Complaint>,
    unanswered: u32,
}

/// Requests for a neighbour's MAC address before a stack gives up, as RFC 4861 has it (MAX_MULTICAST_SOLICIT); for ARP there is no
/// number, and Windows asks as often.
const NEIGHBOUR_REQUESTS: u32 = 3;

impl Ledger {
    /// A ledger of one flow; `awaited` are the asking endpoint and its next hop, where there is one.
    pub(crate) fn of(flow: Flow, awaited: Option<(Guid, IpAddr)>) -> Self {
        Ledger {
            watched: vec![flow],
            awaited,
            ..Ledger::default()
        }
    }

    fn watches(&self, flow: &Flow) -> bool {
        self.watched
            .iter()
            .any(|watched| watched == flow || *watched == flow.reverse())
    }

    /// A packet of a flow went in.
    pub(crate) fn went_in(&mut self, flow: &Flow) {
        if self.watches(flow) {
            self.packets += 1;
            self.awaited = None;
        }
    }

    /// A port dropped a packet.
    pub(crate) fn dropped(
        &mut self,
        switch: &Switch,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        ruling: Ruling,
    ) {
        let Some(endpoint) = switch.ports.get(port.0 as usize).map(|port| port.endpoint) else {
            return;
        };
        if self.watches(flow) {
            self.drops.push(Drop {
                endpoint,
                direction,
                flow: *flow,
                cause: switch.cause(port, direction, flow, ruling),
            });
        }
    }

    /// The flow goes on as another one.
    pub(crate) fn translated(&mut self, from: &Flow, to: &Flow) {
        if self.watches(from) && !self.watches(to) {
            self.watched.push(*to);
        }
    }

    /// A sender is told something of a packet that it sent.
    pub(crate) fn complained(&mut self, of: &Flow, complaint: Complaint) {
        if self.watched.first() == Some(of) {
            self.complaint.get_or_insert(complaint);
        }
    }

    /// An endpoint asked for the MAC address of an address that nobody has.
    pub(crate) fn unanswered(&mut self, endpoint: Guid, address: IpAddr) {
        if self.awaited == Some((endpoint, address)) {
            self.unanswered += 1;
        }
    }

    /// What the sender was told.
    pub(crate) fn complaint(&self) -> Option<Complaint> {
        self.complaint
    }

    /// Whether the sender's stack gives up, because its neighbour did not answer.
    pub(crate) fn gave_up(&self) -> bool {
        self.unanswered > NEIGHBOUR_REQUESTS
    }

    /// Whether nothing could be sent so far, because the neighbour does not answer.
    pub(crate) fn nothing_sent(&self) -> bool {
        self.unanswered > 0 && self.packets == 0
    }

    /// Closes the ledger.
    pub(crate) fn report(&mut self, outcome: ProbeOutcome) -> ProbeReport {
        let ledger = std::mem::take(self);
        ProbeReport {
            outcome,
            packets: ledger.packets,
            drops: ledger.drops,
        }
    }
}
