// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulated network: the fabric, the machines on it, and the time in which they live.
//!
//! Apart from the exchanges that run over it, because it only knows events: a frame arrives, or a stack wants to be called. Machines are
//! made when something first concerns them, so that a switch of a thousand ports costs what its index costs. Nothing in here reads a clock,
//! sleeps or is random.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use hcn_engine::{DataPlane, DataPlaneError, Probe, ProbeReport, Protocol, Switch};
use hcn_schema::Guid;
use smoltcp::time::Instant;

use crate::{
    fabric::{Fabric, Machine},
    listener::Service,
    open_flow::OpenFlows,
    stack::{Identity, Stack},
};

/// A data plane of user-space stacks behind a switch.
///
/// A container is an endpoint: endpoints that one container has on several networks are machines of their own in here.
pub struct SimulatedNetwork {
    pub(crate) fabric: Fabric,
    pub(crate) clock: Instant,
    pub(crate) open_flows: OpenFlows,
    /// Flows made so far, from which local ports are counted.
    pub(crate) flows_made: u32,
    observed: Option<Arc<Switch>>,
    host: Stack,
    containers: BTreeMap<Guid, Stack>,
    services: BTreeMap<Guid, BTreeMap<(Protocol, u16), Service>>,
    wakes: BTreeSet<(Instant, Machine)>,
    wake_of: HashMap<Machine, Instant>,
}

impl Default for SimulatedNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedNetwork {
    /// A network of nothing, to be converged to a switch.
    pub fn new() -> Self {
        let clock = Instant::from_micros(0);
        SimulatedNetwork {
            fabric: Fabric::default(),
            clock,
            open_flows: OpenFlows::default(),
            flows_made: 0,
            observed: None,
            host: Stack::new(Identity::host(), clock),
            containers: BTreeMap::new(),
            services: BTreeMap::new(),
            wakes: BTreeSet::new(),
            wake_of: HashMap::new(),
        }
    }

    /// Starts a service in a container, in place of one that is at this port already. It stays until the endpoint is gone.
    ///
    /// # Errors
    /// Where there is no such endpoint, the port is 0, or the service does not speak the protocol.
    pub fn listen(
        &mut self,
        endpoint: Guid,
        protocol: Protocol,
        port: u16,
        service: Service,
    ) -> Result<(), DataPlaneError> {
        if self.fabric.port(endpoint).is_none() {
            return Err(no_endpoint(endpoint));
        }
        if port == 0 {
            return Err(error("nothing can listen at port 0".to_owned()));
        }
        match (protocol, &service) {
            (Protocol::TCP, _) | (Protocol::UDP, Service::Echo) => {}
            (Protocol::UDP, Service::Http { .. }) => {
                return Err(error("HTTP listens at TCP ports only".to_owned()));
            }
            _ => {
                return Err(error(format!(
                    "a service can listen at TCP and UDP ports, not at {protocol}"
                )));
            }
        }
        if let Some(stack) = self.containers.get_mut(&endpoint) {
            stack.listen(protocol, port, service.clone());
            self.poll(Machine::Container(endpoint));
        }
        self.services
            .entry(endpoint)
            .or_default()
            .insert((protocol, port), service);
        Ok(())
    }

    /// Stops a service; connections to it are reset. Whether there was one.
    pub fn stop_listening(&mut self, endpoint: Guid, protocol: Protocol, port: u16) -> bool {
        let known = self
            .services
            .get_mut(&endpoint)
            .is_some_and(|services| services.remove(&(protocol, port)).is_some());
        if let Some(stack) = self.containers.get_mut(&endpoint).filter(|_| known) {
            stack.stop_listening(protocol, port);
            self.poll(Machine::Container(endpoint));
        }
        known
    }

    /// The network's own time, in microseconds since it was made.
    pub fn time_us(&self) -> u64 {
        u64::try_from(self.clock.total_micros()).unwrap_or(0)
    }

    /// The stack of a machine, made where it is not there yet; `None` where there is no such endpoint.
    pub(crate) fn stack(&mut self, machine: Machine) -> Option<&mut Stack> {
        let endpoint = match machine {
            Machine::Host => return Some(&mut self.host),
            Machine::Container(endpoint) => endpoint,
        };
        if !self.containers.contains_key(&endpoint) {
            let mut stack = Stack::new(self.identity(endpoint)?, self.clock);
            for ((protocol, port), service) in self.services.get(&endpoint).into_iter().flatten() {
                stack.listen(*protocol, *port, service.clone());
            }
            self.containers.insert(endpoint, stack);
        }
        self.containers.get_mut(&endpoint)
    }

    /// Lets a machine do what there is to do now.
    pub(crate) fn poll(&mut self, machine: Machine) {
        let now = self.clock;
        let Some(stack) = self.stack(machine) else {
            return;
        };
        let (frames, wake) = stack.poll(now);
        for frame in frames {
            match machine {
                Machine::Container(endpoint) => self.fabric.send(endpoint, frame, now),
                Machine::Host => self.fabric.host_sends(frame, now),
            }
        }
        self.set_wake(machine, wake);
    }

    /// Goes on to the next event, at `until` at the latest; whether there was one.
    pub(crate) fn advance(&mut self, until: Instant) -> bool {
        let arrival = self.fabric.next_arrival();
        let wake = self.wakes.first().copied();
        let next = match (arrival, wake) {
            (Some(arrival), Some((wake, _))) => arrival.min(wake),
            (Some(at), None) | (None, Some((at, _))) => at,
            (None, None) => until,
        };
        if arrival.is_none() && wake.is_none() || next > until {
            self.clock = self.clock.max(until);
            return false;
        }
        self.clock = self.clock.max(next);
        if arrival == Some(next) {
            if let Some((machine, frame)) = self.fabric.arrive(self.clock) {
                if let Some(stack) = self.stack(machine) {
                    stack.deliver(frame);
                }
                self.poll(machine);
            }
        } else if let Some((_, machine)) = wake {
            self.poll(machine);
        }
        true
    }

    /// Goes on until `found` finds something, or until `deadline`.
    pub(crate) fn run_until<T>(
        &mut self,
        deadline: Instant,
        mut found: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        loop {
            if let Some(result) = found(self) {
                return Some(result);
            }
            if !self.advance(deadline) {
                return None;
            }
        }
    }

    fn set_wake(&mut self, machine: Machine, wake: Option<Instant>) {
        if let Some(old) = self.wake_of.remove(&machine) {
            self.wakes.remove(&(old, machine));
        }
        if let Some(at) = wake {
            self.wake_of.insert(machine, at);
            self.wakes.insert((at, machine));
        }
    }

    fn identity(&self, endpoint: Guid) -> Option<Identity> {
        let (index, port) = self.fabric.port(endpoint)?;
        Some(Identity {
            mac: Some(self.fabric.topology.mac(index)?),
            addresses: port.addresses.clone(),
            gateways: port.gateways.clone(),
            seed: (endpoint.0 ^ (endpoint.0 >> 64)) as u64,
        })
    }
}

impl DataPlane for SimulatedNetwork {
    /// Becomes as the switch says, at once. A machine whose addresses stay keeps its services and its connections, to be judged again; one
    /// whose addresses change is another machine, with the same services.
    fn converge(&mut self, switch: Arc<Switch>) -> Result<(), DataPlaneError> {
        self.fabric.converge(switch.clone());
        self.observed = Some(switch);
        let gone: Vec<Guid> = self
            .containers
            .iter()
            .filter(|(endpoint, stack)| {
                self.identity(**endpoint).as_ref() != Some(stack.identity())
            })
            .map(|(endpoint, _)| *endpoint)
            .collect();
        for endpoint in gone {
            let machine = Machine::Container(endpoint);
            self.containers.remove(&endpoint);
            self.set_wake(machine, None);
            for flow in self.open_flows.machine_gone(machine) {
                self.fabric.router.translations.forget(&flow);
            }
        }
        let fabric = &self.fabric;
        self.services
            .retain(|endpoint, _| fabric.port(*endpoint).is_some());
        Ok(())
    }

    fn observe(&self) -> Option<Arc<Switch>> {
        self.observed.clone()
    }

    /// Sends a real exchange through the network; it starts with nobody knowing anybody's MAC address, so that it does not depend on the
    /// exchanges before it.
    fn probe(&mut self, probe: &Probe) -> Result<ProbeReport, DataPlaneError> {
        self.run_probe(probe)
    }
}

/// An error with its sentence.
pub(crate) fn error(message: String) -> DataPlaneError {
    DataPlaneError { message }
}

/// There is no such endpoint.
pub(crate) fn no_endpoint(endpoint: Guid) -> DataPlaneError {
    error(format!("endpoint {endpoint} has no port on this host"))
}
