// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connection tracking of one switch: which flows are open at which port, under which rules.
//!
//! Pure: the time is an argument. A change of the rules (a new generation) does not empty the table; each flow is judged again, in the
//! direction in which it was opened, when its next packet comes (hns-behaviour 4.6, Q11).

use crate::{
    flow::{Direction, Flow},
    switch::{PortIndex, Switch},
    verdict::Ruling,
};

/// What a TCP packet says about its connection, for the lifetime of the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    /// SYN.
    pub syn: bool,
    /// ACK.
    pub ack: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
}

/// The open flows.
#[derive(Debug, Default)]
pub struct FlowTable {}

impl FlowTable {
    /// Judges one packet at one port, and remembers the flow where it is allowed.
    ///
    /// `now_ms` never goes back. `tcp` is `None` for other protocols.
    pub fn admit(
        &mut self,
        switch: &Switch,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        tcp: Option<TcpFlags>,
        now_ms: u64,
    ) -> Ruling {
        let _ = (switch, port, direction, flow, tcp, now_ms);
        unimplemented!()
    }

    /// Says that the rules changed: every flow is judged again at its next packet. Ports are matched by endpoint id.
    pub fn rules_changed(&mut self, from: &Switch, to: &Switch) {
        let _ = (from, to);
        unimplemented!()
    }
}
