// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP connections that stay open between exchanges, by which one sees that a new rule cuts flows that were open before it.
//!
//! Apart from probes, because they outlive a call. A handle is good until the flow is closed or its container is gone; after that it is an
//! error, never another flow.

use std::{collections::BTreeMap, net::IpAddr};

use hcn_engine::{DataPlaneError, Flow, ProbeReport, ProbeSource};

use crate::{
    fabric::Machine,
    network::{SimulatedNetwork, error},
    probe::{Client, check_destination, check_port, unreachable},
};

/// A connection that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowHandle(u64);

/// A connection could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowNotOpened {
    /// It could not be tried.
    #[error("the connection could not be tried")]
    NotTried(#[source] DataPlaneError),
    /// It was tried; the report tells what came of it.
    #[error("the connection was not accepted")]
    NotAccepted(ProbeReport),
}

/// The connections that are open.
#[derive(Debug, Default)]
pub(crate) struct OpenFlows {
    clients: BTreeMap<FlowHandle, Client>,
    opened: u64,
}

impl OpenFlows {
    /// A machine is gone, and its connections with it; their flows.
    pub(crate) fn machine_gone(&mut self, machine: Machine) -> Vec<Flow> {
        let gone = self
            .clients
            .extract_if(.., |_, client| client.machine == machine);
        gone.map(|(_, client)| client.flow).collect()
    }

    /// Whether a connection of the machine has this local port.
    pub(crate) fn has_port(&self, machine: Machine, port: u16) -> bool {
        self.clients
            .values()
            .any(|client| client.machine == machine && client.flow.source_port == port)
    }

    fn client(&self, handle: FlowHandle) -> Result<Client, DataPlaneError> {
        self.clients
            .get(&handle)
            .copied()
            .ok_or_else(|| error("the flow was closed, or its container is gone".to_owned()))
    }
}

impl SimulatedNetwork {
    /// Opens a TCP connection and keeps it.
    ///
    /// # Errors
    /// Where it cannot be tried, or was tried and not accepted.
    pub fn open_flow(
        &mut self,
        source: ProbeSource,
        destination: IpAddr,
        port: u16,
        timeout_ms: u64,
    ) -> Result<FlowHandle, FlowNotOpened> {
        let destination = destination.to_canonical();
        check_destination(destination)
            .and_then(|()| check_port(port))
            .map_err(FlowNotOpened::NotTried)?;
        let departure = self
            .departure(source, destination)
            .map_err(FlowNotOpened::NotTried)?
            .ok_or_else(|| FlowNotOpened::NotAccepted(unreachable()))?;
        let deadline = self.deadline(timeout_ms);
        let client = self
            .connect(&departure, port)
            .map_err(FlowNotOpened::NotTried)?;
        if let Err(outcome) = self.await_connection(&client, deadline) {
            self.part(&client, false);
            self.fabric.router.translations.forget(&client.flow);
            return Err(FlowNotOpened::NotAccepted(
                self.fabric.ledger.report(outcome),
            ));
        }
        let handle = FlowHandle(self.open_flows.opened);
        self.open_flows.opened += 1;
        self.open_flows.clients.insert(handle, client);
        Ok(handle)
    }

    /// Sends bytes over an open connection and reads the answer. The connection stays open, also after a timeout: its stack goes on sending,
    /// as TCP does.
    ///
    /// # Errors
    /// Where the flow was closed, or its container is gone.
    pub fn exchange(
        &mut self,
        flow: FlowHandle,
        bytes: &[u8],
        timeout_ms: u64,
    ) -> Result<ProbeReport, DataPlaneError> {
        let client = self.open_flows.client(flow)?;
        self.watch(&client);
        let (start, deadline) = (self.clock, self.deadline(timeout_ms));
        let outcome = self.converse(&client, bytes, start, deadline);
        Ok(self.fabric.ledger.report(outcome))
    }

    /// Closes an open connection, in order.
    ///
    /// # Errors
    /// Where the flow was closed before, or its container is gone.
    pub fn close_flow(&mut self, flow: FlowHandle) -> Result<(), DataPlaneError> {
        let client = self.open_flows.client(flow)?;
        self.open_flows.clients.remove(&flow);
        self.part(&client, true);
        self.fabric.router.translations.forget(&client.flow);
        Ok(())
    }
}
