// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every data plane does: converge to a switch, observe, inject a probe.
//!
//! The trait stands here, beside the switch, so that the service and the data planes need not know each other.

use std::{fmt, net::IpAddr, sync::Arc};

use hcn_schema::Guid;

use crate::{
    flow::{Direction, Flow, Protocol},
    switch::Switch,
    verdict::Cause,
};

/// Something that moves packets as a switch says.
pub trait DataPlane: Send {
    /// Makes the data plane be as the switch says, all or nothing; flows that the new rules forbid end.
    ///
    /// # Errors
    /// Where it cannot; then everything is as it was.
    fn converge(&mut self, switch: Arc<Switch>) -> Result<(), DataPlaneError>;

    /// The switch that the data plane is now as.
    fn observe(&self) -> Option<Arc<Switch>>;

    /// Sends a real exchange through the data plane and tells what came of it.
    ///
    /// # Errors
    /// Where the probe cannot be sent at all: no such endpoint, no address of the family.
    fn probe(&mut self, probe: &Probe) -> Result<ProbeReport, DataPlaneError>;
}

/// Where a probe starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeSource {
    /// From inside a container, at this endpoint.
    Endpoint(Guid),
    /// From the host.
    Host,
}

/// One exchange to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Who asks.
    pub source: ProbeSource,
    /// Whom.
    pub destination: IpAddr,
    /// TCP, UDP, ICMP or ICMPv6.
    pub protocol: Protocol,
    /// Port; 0 where the protocol has none.
    pub port: u16,
    /// TCP: a request to send once connected, e.g. an HTTP one. UDP and ICMP: what to send.
    pub payload: Vec<u8>,
    /// How long to wait, in milliseconds of the data plane's time.
    pub timeout_ms: u64,
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The exchange took place.
    Answered {
        /// What the other side sent; empty for a TCP connection on which nothing was asked.
        payload: Vec<u8>,
        /// Until the answer, in microseconds of the data plane's time.
        round_trip_us: u64,
    },
    /// The other side is there and nothing listens: TCP reset, or ICMP port unreachable.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// There is no way to the address.
    Unreachable,
}

/// What was seen of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// What came of it.
    pub outcome: ProbeOutcome,
    /// Packets that went in at any port on the way, both directions.
    pub packets: u64,
    /// Packets that a port dropped, with the reason, in order; the first explains a timeout.
    pub drops: Vec<Drop>,
}

/// A packet that a port dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// The endpoint whose port dropped it.
    pub endpoint: Guid,
    /// The direction in which it crossed the port.
    pub direction: Direction,
    /// The packet.
    pub flow: Flow,
    /// Why.
    pub cause: Cause,
}

/// A data plane cannot do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPlaneError {
    /// What cannot be done and why, in a sentence.
    pub message: String,
}

impl fmt::Display for DataPlaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DataPlaneError {}
