// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exchanges: one question over TCP, UDP or ICMP, and what came of it.
//!
//! Apart from the network, because it is what a program on a machine does, with sockets. An outcome is what that program would see; the
//! ledger adds what only the network sees.

use std::net::IpAddr;

use hcn_engine::{
    DataPlaneError, Family, Flow, Probe, ProbeOutcome, ProbeReport, ProbeSource, Protocol,
};
use smoltcp::{
    iface::SocketHandle,
    phy::ChecksumCapabilities,
    socket::{icmp, tcp, udp},
    time::{Duration, Instant},
    wire::{Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr},
};

use crate::{
    card::LARGEST_PACKET,
    fabric::Machine,
    frame::Complaint,
    http,
    ledger::Ledger,
    listener::udp_socket,
    network::{SimulatedNetwork, error, no_endpoint},
    topology::is_unicast,
};

/// Where an exchange starts and where it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    pub(crate) machine: Machine,
    source: IpAddr,
    destination: IpAddr,
    /// Whose MAC address the machine needs; the host's is the router's business.
    next_hop: Option<IpAddr>,
}

/// A TCP connection of a machine that asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) machine: Machine,
    pub(crate) handle: SocketHandle,
    pub(crate) flow: Flow,
    /// The neighbour that it sends through.
    next_hop: Option<IpAddr>,
}

/// Silence after which an answer that does not tell its length is taken as whole: five times the longest time for which a stack in here
/// holds an acknowledgement back (10 ms).
const QUIET: Duration = Duration::from_millis(50);

/// Time given to a connection to end in order.
const PARTING: Duration = Duration::from_millis(1000);

/// Longest timeout: a day. A longer one is taken as this.
const LONGEST_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1000;

/// First of the dynamic ports (RFC 6335), from which local ports are taken in turn.
const FIRST_DYNAMIC_PORT: u16 = 49152;

impl SimulatedNetwork {
    pub(crate) fn run_probe(&mut self, probe: &Probe) -> Result<ProbeReport, DataPlaneError> {
        let destination = probe.destination.to_canonical();
        check(probe, destination)?;
        let Some(departure) = self.departure(probe.source, destination)? else {
            return Ok(unreachable());
        };
        let deadline = self.deadline(probe.timeout_ms);
        let (flow, outcome) = match probe.protocol {
            Protocol::TCP => self.ask_tcp(&departure, probe, deadline)?,
            Protocol::UDP => self.ask_udp(&departure, probe, deadline)?,
            _ => self.ask_echo(&departure, probe, deadline)?,
        };
        self.fabric.router.translations.forget(&flow);
        Ok(self.fabric.ledger.report(outcome))
    }

    /// When a timeout that starts now ends.
    pub(crate) fn deadline(&self, timeout_ms: u64) -> Instant {
        self.clock + Duration::from_millis(timeout_ms.min(LONGEST_TIMEOUT_MS))
    }

    /// Where an exchange starts; `None` where there is no way to the destination.
    pub(crate) fn departure(
        &mut self,
        source: ProbeSource,
        destination: IpAddr,
    ) -> Result<Option<Departure>, DataPlaneError> {
        let family = Family::from(destination);
        match source {
            ProbeSource::Endpoint(endpoint) => {
                let machine = Machine::Container(endpoint);
                let stack = self.stack(machine).ok_or_else(|| no_endpoint(endpoint))?;
                let identity = stack.identity();
                let Some(source) = identity.address_towards(destination) else {
                    return Err(error(format!(
                        "endpoint {endpoint} has no {} address",
                        family_name(family)
                    )));
                };
                let destination = if destination.is_loopback() {
                    source
                } else {
                    destination
                };
                let next_hop = identity.next_hop(destination);
                Ok(next_hop.map(|_| Departure {
                    machine,
                    source,
                    destination,
                    next_hop,
                }))
            }
            ProbeSource::Host => {
                let topology = &self.fabric.topology;
                let destination = if destination.is_loopback() {
                    topology.first_host_address(family).ok_or_else(|| {
                        error(format!(
                            "the host has no {} address on any network",
                            family_name(family)
                        ))
                    })?
                } else {
                    destination
                };
                let source = topology.host_address_towards(destination);
                Ok(source.map(|source| Departure {
                    machine: Machine::Host,
                    source,
                    destination,
                    next_hop: None,
                }))
            }
        }
    }

    /// Opens a TCP connection; it is not established yet.
    pub(crate) fn connect(
        &mut self,
        departure: &Departure,
        port: u16,
    ) -> Result<Client, DataPlaneError> {
        let flow = self.begin(departure, Protocol::TCP, port)?;
        let machine = departure.machine;
        let handle = self.with_stack(machine, |stack| {
            stack
                .connect(
                    (flow.source, flow.source_port),
                    (flow.destination, flow.destination_port),
                )
                .map_err(|cause| error(format!("cannot connect to {}: {cause}", flow.destination)))
        })?;
        self.poll(machine);
        Ok(Client {
            machine,
            handle,
            flow,
            next_hop: departure.next_hop,
        })
    }

    /// Waits until a connection is established; else what came of it.
    pub(crate) fn await_connection(
        &mut self,
        client: &Client,
        deadline: Instant,
    ) -> Result<(), ProbeOutcome> {
        let connected = self.run_until(deadline, |network| {
            match network.tcp(client).map(|socket| socket.state()) {
                Some(tcp::State::SynSent | tcp::State::SynReceived) => network.setback().map(Err),
                Some(tcp::State::Closed) | None => Some(Err(ProbeOutcome::Refused)),
                Some(_) => Some(Ok(())),
            }
        });
        connected.unwrap_or_else(|| Err(self.silence()))
    }

    /// Sends bytes over an established connection and reads the answer.
    pub(crate) fn converse(
        &mut self,
        client: &Client,
        bytes: &[u8],
        start: Instant,
        deadline: Instant,
    ) -> ProbeOutcome {
        let mut unsent = bytes;
        let mut answer = Vec::new();
        let mut heard = self.clock;
        loop {
            let Some(socket) = self.tcp(client) else {
                return ProbeOutcome::Refused;
            };
            let mut worked = false;
            while !unsent.is_empty() && socket.can_send() {
                let Ok(sent) = socket.send_slice(unsent) else {
                    break;
                };
                unsent = &unsent[sent..];
                worked = true;
            }
            let mut came = false;
            while socket.can_recv() {
                let read = socket.recv(|bytes| {
                    answer.extend_from_slice(bytes);
                    (bytes.len(), ())
                });
                came |= read.is_ok();
            }
            let (ended, reset) = (
                !socket.may_recv(),
                socket.state() == tcp::State::Closed && answer.is_empty(),
            );
            if came {
                heard = self.clock;
            }
            if reset {
                return ProbeOutcome::Refused;
            }
            let whole = http::is_whole(&answer);
            let quiet = !answer.is_empty() && whole.is_none();
            if ended || whole == Some(true) || quiet && self.clock >= heard + QUIET {
                return answered(answer, heard, start);
            }
            if let Some(setback) = self.setback() {
                return setback;
            }
            if worked || came {
                self.poll(client.machine);
            }
            let limit = if quiet {
                deadline.min(heard + QUIET)
            } else {
                deadline
            };
            if !self.advance(limit) && self.clock >= deadline {
                return if answer.is_empty() {
                    self.silence()
                } else {
                    answered(answer, heard, start)
                };
            }
        }
    }

    /// Ends a connection and lets its last packets go.
    pub(crate) fn part(&mut self, client: &Client, in_order: bool) {
        if let Some(stack) = self.stack(client.machine) {
            stack.let_go(client.handle, in_order);
        }
        self.poll(client.machine);
        let machine = client.machine;
        let deadline = self.clock + PARTING;
        self.run_until(deadline, |network| {
            let settled = network
                .stack(machine)
                .is_none_or(|stack| stack.is_settled());
            (settled && network.fabric.next_arrival().is_none()).then_some(())
        });
    }

    /// Notes anew what is seen of a connection.
    pub(crate) fn watch(&mut self, client: &Client) {
        self.forget_neighbours(client.machine, client.flow.source);
        self.fabric.ledger = Ledger::of(client.flow, awaited(client.machine, client.next_hop));
    }

    fn ask_tcp(
        &mut self,
        departure: &Departure,
        probe: &Probe,
        deadline: Instant,
    ) -> Result<(Flow, ProbeOutcome), DataPlaneError> {
        let start = self.clock;
        let client = self.connect(departure, probe.port)?;
        let outcome = match self.await_connection(&client, deadline) {
            Err(outcome) => outcome,
            Ok(()) if probe.payload.is_empty() => answered(Vec::new(), self.clock, start),
            Ok(()) => self.converse(&client, &probe.payload, start, deadline),
        };
        self.part(&client, matches!(outcome, ProbeOutcome::Answered { .. }));
        Ok((client.flow, outcome))
    }

    fn ask_udp(
        &mut self,
        departure: &Departure,
        probe: &Probe,
        deadline: Instant,
    ) -> Result<(Flow, ProbeOutcome), DataPlaneError> {
        let start = self.clock;
        let flow = self.begin(departure, Protocol::UDP, probe.port)?;
        let machine = departure.machine;
        let handle = self.with_stack(machine, |stack| {
            let mut socket = udp_socket();
            socket
                .bind((flow.source, flow.source_port))
                .map_err(|cause| error(format!("cannot bind a UDP port: {cause}")))?;
            let to = udp::UdpMetadata {
                local_address: Some(flow.source.into()),
                ..udp::UdpMetadata::from((flow.destination, flow.destination_port))
            };
            socket
                .send_slice(&probe.payload, to)
                .map_err(|cause| error(format!("cannot send a datagram: {cause}")))?;
            Ok(stack.sockets().add(socket))
        })?;
        self.poll(machine);
        let outcome = self.run_until(deadline, |network| {
            let socket = network
                .stack(machine)?
                .sockets()
                .get_mut::<udp::Socket>(handle);
            if let Ok((bytes, _)) = socket.recv() {
                let payload = bytes.to_vec();
                return Some(answered(payload, network.clock, start));
            }
            network.setback()
        });
        self.remove(machine, handle);
        Ok((flow, outcome.unwrap_or_else(|| self.silence())))
    }

    fn ask_echo(
        &mut self,
        departure: &Departure,
        probe: &Probe,
        deadline: Instant,
    ) -> Result<(Flow, ProbeOutcome), DataPlaneError> {
        let start = self.clock;
        let flow = self.begin(departure, probe.protocol, 0)?;
        let machine = departure.machine;
        let handle = self.with_stack(machine, |stack| {
            let request = echo_request(&flow, &probe.payload);
            let mut socket = echo_socket();
            socket
                .bind(icmp::Endpoint::Ident(flow.source_port))
                .map_err(|cause| error(format!("cannot take an ICMP identifier: {cause}")))?;
            socket
                .send_slice(&request, flow.destination.into())
                .map_err(|cause| error(format!("cannot send an echo request: {cause}")))?;
            Ok(stack.sockets().add(socket))
        })?;
        self.poll(machine);
        let outcome = self.run_until(deadline, |network| {
            let socket = network
                .stack(machine)?
                .sockets()
                .get_mut::<icmp::Socket>(handle);
            if let Some(payload) = socket
                .recv()
                .ok()
                .and_then(|(bytes, _)| echo_reply(&flow, bytes))
            {
                return Some(answered(payload, network.clock, start));
            }
            network.setback()
        });
        self.remove(machine, handle);
        Ok((flow, outcome.unwrap_or_else(|| self.silence())))
    }

    /// Starts an exchange: neighbours forgotten, a local port taken, a new ledger.
    fn begin(
        &mut self,
        departure: &Departure,
        protocol: Protocol,
        port: u16,
    ) -> Result<Flow, DataPlaneError> {
        let machine = departure.machine;
        self.forget_neighbours(machine, departure.source);
        let source_port = self.local_port(machine, protocol)?;
        let flow = Flow {
            source: departure.source,
            destination: departure.destination,
            protocol,
            source_port,
            destination_port: if protocol.has_ports() {
                port
            } else {
                source_port
            },
        };
        self.fabric.ledger = Ledger::of(flow, awaited(machine, departure.next_hop));
        Ok(flow)
    }

    fn forget_neighbours(&mut self, machine: Machine, source: IpAddr) {
        let now = self.clock;
        self.fabric.router.forget_neighbours();
        if let Some(stack) = self.stack(machine) {
            stack.forget_neighbours(source, now);
        }
    }

    /// The next dynamic port that neither a service nor an open flow of the machine has; an identifier for ICMP.
    fn local_port(&mut self, machine: Machine, protocol: Protocol) -> Result<u16, DataPlaneError> {
        let count = u32::from(u16::MAX - FIRST_DYNAMIC_PORT) + 1;
        for _ in 0..count {
            let port = FIRST_DYNAMIC_PORT + (self.flows_made % count) as u16;
            self.flows_made = (self.flows_made + 1) % count;
            let taken = self.open_flows.has_port(machine, port)
                || self
                    .stack(machine)
                    .is_some_and(|stack| stack.is_taken(protocol, port));
            if !taken {
                return Ok(port);
            }
        }
        Err(error("all dynamic ports are taken".to_owned()))
    }

    fn with_stack<T>(
        &mut self,
        machine: Machine,
        work: impl FnOnce(&mut crate::stack::Stack) -> Result<T, DataPlaneError>,
    ) -> Result<T, DataPlaneError> {
        match (self.stack(machine), machine) {
            (Some(stack), _) => work(stack),
            (None, Machine::Container(endpoint)) => Err(no_endpoint(endpoint)),
            (None, Machine::Host) => Err(error("the host has no stack".to_owned())),
        }
    }

    fn tcp(&mut self, client: &Client) -> Option<&mut tcp::Socket<'static>> {
        let sockets = self.stack(client.machine)?.sockets();
        Some(sockets.get_mut::<tcp::Socket>(client.handle))
    }

    fn remove(&mut self, machine: Machine, handle: SocketHandle) {
        if let Some(stack) = self.stack(machine) {
            stack.sockets().remove(handle);
        }
    }

    /// What ends an exchange before an answer or the timeout does.
    fn setback(&self) -> Option<ProbeOutcome> {
        let ledger = &self.fabric.ledger;
        match ledger.complaint() {
            Some(Complaint::NobodyListens) => Some(ProbeOutcome::Refused),
            Some(Complaint::NoWay) => Some(ProbeOutcome::Unreachable),
            None => ledger.gave_up().then_some(ProbeOutcome::Unreachable),
        }
    }

    /// What a timeout means: silence, or that nothing could be sent.
    fn silence(&self) -> ProbeOutcome {
        if self.fabric.ledger.nothing_sent() {
            ProbeOutcome::Unreachable
        } else {
            ProbeOutcome::TimedOut
        }
    }
}

/// Refuses what cannot be asked.
fn check(probe: &Probe, destination: IpAddr) -> Result<(), DataPlaneError> {
    check_destination(destination)?;
    let family = Family::from(destination);
    let headers = match family {
        Family::V4 => 20 + 8,
        Family::V6 => 40 + 8,
    };
    match (probe.protocol, family) {
        (Protocol::TCP, _) => check_port(probe.port),
        (Protocol::UDP, _) | (Protocol::ICMP, Family::V4) | (Protocol::ICMPV6, Family::V6) => {
            if probe.protocol.has_ports() {
                check_port(probe.port)?;
            }
            let longest = LARGEST_PACKET - headers;
            if probe.payload.len() > longest {
                return Err(error(format!(
                    "{} bytes do not fit into one {} packet; {longest} do",
                    probe.payload.len(),
                    probe.protocol
                )));
            }
            Ok(())
        }
        (Protocol::ICMP, Family::V6) => Err(error(format!(
            "{destination} is asked with icmpv6, not icmp"
        ))),
        (Protocol::ICMPV6, Family::V4) => Err(error(format!(
            "{destination} is asked with icmp, not icmpv6"
        ))),
        (protocol, _) => Err(error(format!(
            "a probe speaks tcp, udp, icmp or icmpv6, not {protocol}"
        ))),
    }
}

/// Refuses what is not the address of one machine.
pub(crate) fn check_destination(destination: IpAddr) -> Result<(), DataPlaneError> {
    if is_unicast(destination) || destination.is_loopback() {
        Ok(())
    } else {
        Err(error(format!(
            "{destination} is not the address of one machine"
        )))
    }
}

/// Refuses the port that no service can have.
pub(crate) fn check_port(port: u16) -> Result<(), DataPlaneError> {
    if port == 0 {
        Err(error("nothing can be asked at port 0".to_owned()))
    } else {
        Ok(())
    }
}

/// A report of an exchange that could not start.
pub(crate) fn unreachable() -> ProbeReport {
    ProbeReport {
        outcome: ProbeOutcome::Unreachable,
        packets: 0,
        drops: Vec::new(),
    }
}

fn awaited(machine: Machine, next_hop: Option<IpAddr>) -> Option<(hcn_schema::Guid, IpAddr)> {
    match machine {
        Machine::Container(endpoint) => next_hop.map(|hop| (endpoint, hop)),
        Machine::Host => None,
    }
}

pub(crate) fn answered(payload: Vec<u8>, at: Instant, start: Instant) -> ProbeOutcome {
    ProbeOutcome::Answered {
        payload,
        round_trip_us: (at - start).total_micros(),
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

fn echo_socket() -> icmp::Socket<'static> {
    let buffer = || {
        icmp::PacketBuffer::new(
            vec![icmp::PacketMetadata::EMPTY; 2],
            vec![0; 2 * LARGEST_PACKET],
        )
    };
    icmp::Socket::new(buffer(), buffer())
}

/// The ICMP part of an echo request; the stack fills in its checksum.
fn echo_request(flow: &Flow, data: &[u8]) -> Vec<u8> {
    let (ident, seq_no) = (flow.source_port, 1);
    let checksums = ChecksumCapabilities::ignored();
    match (flow.source, flow.destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let request = Icmpv6Repr::EchoRequest {
                ident,
                seq_no,
                data,
            };
            let mut bytes = vec![0; request.buffer_len()];
            request.emit(
                &source,
                &destination,
                &mut Icmpv6Packet::new_unchecked(&mut bytes),
                &checksums,
            );
            bytes
        }
        _ => {
            let request = Icmpv4Repr::EchoRequest {
                ident,
                seq_no,
                data,
            };
            let mut bytes = vec![0; request.buffer_len()];
            request.emit(&mut Icmpv4Packet::new_unchecked(&mut bytes), &checksums);
            bytes
        }
    }
}

/// What an echo reply carries; `None` for another message.
fn echo_reply(flow: &Flow, bytes: &[u8]) -> Option<Vec<u8>> {
    let checksums = ChecksumCapabilities::ignored();
    match (flow.source, flow.destination) {
        (IpAddr::V6(own), IpAddr::V6(peer)) => {
            let packet = Icmpv6Packet::new_checked(bytes).ok()?;
            match Icmpv6Repr::parse(&peer, &own, &packet, &checksums).ok()? {
                Icmpv6Repr::EchoReply { data, .. } => Some(data.to_vec()),
                _ => None,
            }
        }
        _ => {
            let packet = Icmpv4Packet::new_checked(bytes).ok()?;
            match Icmpv4Repr::parse(&packet, &checksums).ok()? {
                Icmpv4Repr::EchoReply { data, .. } => Some(data.to_vec()),
                _ => None,
            }
        }
    }
}
