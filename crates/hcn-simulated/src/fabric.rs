// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switch fabric: takes frames from ports, judges them, carries them, and judges them again where they leave.
//!
//! Apart, because it is where rules meet packets: every IP packet that goes out of a container or into one is put to
//! [`FlowTable::admit`] in here, and nowhere else. Frames that a port drops are gone without a word. ARP, neighbour discovery and DHCP are
//! carried unjudged (hns-behaviour 4.8, Q34), and what a machine says to itself never crosses its port.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use hcn_engine::{Decision, Direction, FlowTable, Port, PortIndex, Switch};
use hcn_schema::Guid;
use smoltcp::{
    time::{Duration, Instant},
    wire::{
        ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
        Icmpv6Message, Icmpv6Packet, Ipv6Packet, NdiscRepr,
    },
};

use crate::{
    frame::{Kind, Packet},
    ledger::Ledger,
    router::Router,
    topology::Topology,
};

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Machine {
    /// The container behind an endpoint.
    Container(Guid),
    /// The host.
    Host,
}

/// Where a frame is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// To a container, through its port.
    Port(Guid),
    /// Back to the container that sent it.
    Itself(Guid),
    /// To the host's card on a network.
    HostCard(usize),
    /// To the host's own stack; an IP packet without a frame.
    Host,
}

/// A frame on the wire.
#[derive(Debug)]
struct Flight {
    arrives: Instant,
    place: Place,
    frame: Vec<u8>,
}

/// Time that a frame takes from one machine to the next: about what a virtual switch takes. It is the same everywhere, so that frames
/// arrive in the order in which they were sent.
pub(crate) const HOP: Duration = Duration::from_micros(50);

/// Bytes of an Ethernet header.
pub(crate) const ETHERNET_HEADER: usize = 14;

/// The fabric.
#[derive(Default)]
pub(crate) struct Fabric {
    pub(crate) switch: Arc<Switch>,
    pub(crate) topology: Topology,
    pub(crate) router: Router,
    pub(crate) ledger: Ledger,
    flows: FlowTable,
    wire: VecDeque<Flight>,
}

impl Fabric {
    /// Becomes as the switch says. Flows stay, to be judged again; frames on the wire stay too.
    pub(crate) fn converge(&mut self, switch: Arc<Switch>) {
        self.flows.rules_changed(&self.switch, &switch);
        self.topology = Topology::of(&switch);
        // Networks are known by index on the wire, and indexes are the switch's.
        self.wire
            .retain(|flight| !matches!(flight.place, Place::HostCard(_)));
        self.router.switch_changed(&self.topology, &switch);
        self.switch = switch;
    }

    /// The endpoint's port.
    pub(crate) fn port(&self, endpoint: Guid) -> Option<(PortIndex, &Port)> {
        let index = self.switch.port_of(endpoint)?;
        Some((index, self.switch.ports.get(index.0 as usize)?))
    }

    /// When the next frame arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.wire.front().map(|flight| flight.arrives)
    }

    /// A container's stack sends a frame.
    pub(crate) fn send(&mut self, endpoint: Guid, frame: Vec<u8>, now: Instant) {
        let Some((port, described)) = self.port(endpoint) else {
            return;
        };
        let network = described.network;
        let Ok(ethernet) = EthernetFrame::new_checked(&frame[..]) else {
            return;
        };
        let receiver = ethernet.dst_addr();
        if self.topology.mac(port) == Some(receiver) {
            return self.fly(Place::Itself(endpoint), frame, now);
        }
        if let Some(sought) = sought_neighbour(&ethernet) {
            return self.ask_neighbour(endpoint, network, sought, frame, now);
        }
        if matches!(
            ethernet.ethertype(),
            EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6
        ) {
            let Some(packet) = Packet::read(ethernet.payload()) else {
                return;
            };
            if packet.kind != Kind::Control {
                self.ledger.went_in(&packet.flow);
                if !self.admit(port, Direction::Out, &packet, now) {
                    return;
                }
            }
        }
        self.carry(network, receiver, frame, now);
    }

    /// Takes the next frame off the wire; the machine that gets it, or `None` where a port dropped it or the router took it.
    pub(crate) fn arrive(&mut self, now: Instant) -> Option<(Machine, Vec<u8>)> {
        let Flight { place, frame, .. } = self.wire.pop_front()?;
        let endpoint = match place {
            Place::Host => {
                self.note_complaint(&frame);
                return Some((Machine::Host, frame));
            }
            Place::HostCard(network) => {
                self.host_card_gets(network, frame, now);
                return None;
            }
            Place::Itself(endpoint) => {
                self.note_complaint(frame.get(ETHERNET_HEADER..)?);
                return Some((Machine::Container(endpoint), frame));
            }
            Place::Port(endpoint) => endpoint,
        };
        let (port, _) = self.port(endpoint)?;
        let ethernet = EthernetFrame::new_checked(&frame[..]).ok()?;
        if ethernet.ethertype() != EthernetProtocol::Arp {
            let packet = Packet::read(ethernet.payload())?;
            if packet.kind != Kind::Control && !self.admit(port, Direction::In, &packet, now) {
                return None;
            }
            self.note_complaint(frame.get(ETHERNET_HEADER..)?);
        }
        Some((Machine::Container(endpoint), frame))
    }

    /// Carries a frame to whoever has its receiver's MAC address on the network. Frames to groups are not carried: neighbour discovery,
    /// the only use of them in here, goes to the one who is sought.
    pub(crate) fn carry(
        &mut self,
        network: usize,
        receiver: EthernetAddress,
        frame: Vec<u8>,
        now: Instant,
    ) {
        if let Some(endpoint) = self.topology.endpoint_with_mac(network, receiver) {
            self.fly(Place::Port(endpoint), frame, now);
        } else if self
            .topology
            .host_card(network)
            .is_some_and(|card| card.mac == receiver)
        {
            self.fly(Place::HostCard(network), frame, now);
        }
    }

    /// Carries a request for a MAC address to the endpoint that is sought, as if all had got it and the others kept silent.
    pub(crate) fn carry_to_endpoint(&mut self, endpoint: Guid, frame: Vec<u8>, now: Instant) {
        self.fly(Place::Port(endpoint), frame, now);
    }

    /// Hands an IP packet to the host's own stack.
    pub(crate) fn carry_to_host(&mut self, packet: Vec<u8>, now: Instant) {
        self.fly(Place::Host, packet, now);
    }

    fn ask_neighbour(
        &mut self,
        endpoint: Guid,
        network: usize,
        sought: IpAddr,
        frame: Vec<u8>,
        now: Instant,
    ) {
        match self.topology.endpoint_with_address(network, sought) {
            Some(owner) if owner == endpoint => self.fly(Place::Itself(endpoint), frame, now),
            Some(owner) => self.fly(Place::Port(owner), frame, now),
            None if self.topology.host_card(network).is_some_and(|card| {
                card.addresses.iter().any(|(address, _)| *address == sought)
            }) =>
            {
                self.fly(Place::HostCard(network), frame, now);
            }
            None => self.ledger.unanswered(endpoint, sought),
        }
    }

    fn fly(&mut self, place: Place, frame: Vec<u8>, now: Instant) {
        self.wire.push_back(Flight {
            arrives: now + HOP,
            place,
            frame,
        });
    }

    /// Puts a packet to the rules of a port.
    ///
    /// An ICMP error is judged as part of the flow that it quotes. Nothing in here sends an error about a packet that did not come, so the
    /// flow is open at the port, or was and is now forbidden.
    fn admit(
        &mut self,
        port: PortIndex,
        direction: Direction,
        packet: &Packet,
        now: Instant,
    ) -> bool {
        let now_ms = u64::try_from(now.total_millis()).unwrap_or(0);
        let ruling = self.flows.admit(
            &self.switch,
            port,
            direction,
            &packet.flow,
            packet.tcp,
            now_ms,
        );
        let allowed = ruling.decision == Decision::Allow;
        if !allowed {
            self.ledger
                .dropped(&self.switch, port, direction, &packet.flow, ruling);
        }
        allowed
    }

    /// Notes what an ICMP error tells the one who gets it.
    fn note_complaint(&mut self, bytes: &[u8]) {
        if let Some(Packet {
            flow,
            kind: Kind::Error(complaint),
            ..
        }) = Packet::read(bytes)
        {
            self.ledger.complained(&flow.reverse(), complaint);
        }
    }
}

/// Whose MAC address a frame asks for: the target of an ARP request or a neighbour solicitation.
fn sought_neighbour(ethernet: &EthernetFrame<&[u8]>) -> Option<IpAddr> {
    match ethernet.ethertype() {
        EthernetProtocol::Arp => {
            let packet = ArpPacket::new_checked(ethernet.payload()).ok()?;
            let ArpRepr::EthernetIpv4 {
                operation: ArpOperation::Request,
                target_protocol_addr,
                ..
            } = ArpRepr::parse(&packet).ok()?
            else {
                return None;
            };
            Some(IpAddr::V4(target_protocol_addr))
        }
        EthernetProtocol::Ipv6 => match neighbour_message(ethernet.payload())?.1 {
            NdiscRepr::NeighborSolicit { target_addr, .. } => Some(IpAddr::V6(target_addr)),
            _ => None,
        },
        _ => None,
    }
}

/// The neighbour solicitation or advertisement in an IPv6 packet, and who sent it.
pub(crate) fn neighbour_message(bytes: &[u8]) -> Option<(IpAddr, NdiscRepr<'_>)> {
    let ip = Ipv6Packet::new_checked(bytes).ok()?;
    if ip.version() != 6 || ip.next_header() != smoltcp::wire::IpProtocol::Icmpv6 {
        return None;
    }
    let packet = Icmpv6Packet::new_checked(ip.payload()).ok()?;
    if !matches!(
        packet.msg_type(),
        Icmpv6Message::NeighborSolicit | Icmpv6Message::NeighborAdvert
    ) {
        return None;
    }
    Some((IpAddr::V6(ip.src_addr()), NdiscRepr::parse(&packet).ok()?))
}
