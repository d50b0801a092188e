// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host between its networks: its cards on them, the way of packets from one to another, and published ports.
//!
//! Apart from the fabric, because it is a machine on the wire like any other: it asks for MAC addresses and answers such requests, and its
//! packets are judged at the ports they go to. It never waits: the switch knows all addresses, so an address that no port has is
//! unreachable at once, where a real router would first ask for it three times.

use std::{collections::HashMap, net::IpAddr};

use hcn_engine::{Protocol, Switch};
use smoltcp::{
    phy::ChecksumCapabilities,
    time::Instant,
    wire::{
        ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
        Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, Icmpv6DstUnreachable, Icmpv6Packet,
        Icmpv6Repr, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Address, Ipv6Packet, Ipv6Repr,
        NdiscNeighborFlags, NdiscRepr,
    },
};

use crate::{
    fabric::{ETHERNET_HEADER, Fabric, neighbour_message},
    frame::{Header, Kind, Packet},
    topology::Topology,
    translation::{TranslationTable, rewrite},
};

/// What the host remembers as a router.
#[derive(Debug, Default)]
pub(crate) struct Router {
    neighbours: HashMap<(usize, IpAddr), Neighbour>,
    pub(crate) translations: TranslationTable,
}

/// What is known of a neighbour's MAC address.
#[derive(Debug)]
enum Neighbour {
    Known(EthernetAddress),
    /// Asked for; these packets wait.
    Asked(Vec<Vec<u8>>),
}

/// Hop limit of neighbour discovery, which may not have crossed a router (RFC 4861).
const LINK_ONLY: u8 = 255;

/// Hop limit of other packets that the host makes.
const HOP_LIMIT: u8 = 64;

impl Router {
    /// Forgets the neighbours, so that an exchange does not depend on those before it.
    pub(crate) fn forget_neighbours(&mut self) {
        self.neighbours.clear();
    }

    /// Drops what is no longer so: neighbours, and translations of mappings that went or lead elsewhere.
    pub(crate) fn switch_changed(&mut self, topology: &Topology, switch: &Switch) {
        self.forget_neighbours();
        self.translations.retain(|outside, inside| {
            topology
                .mapping(outside.protocol, outside.destination_port)
                .and_then(|place| switch.port_mappings.get(place))
                .is_some_and(|mapped| {
                    mapped.internal_port == inside.destination_port
                        && switch
                            .ports
                            .get(mapped.port.0 as usize)
                            .is_some_and(|port| {
                                port.addresses
                                    .iter()
                                    .any(|(address, _)| *address == inside.destination)
                            })
                })
        });
    }
}

impl Fabric {
    /// The host's card on a network gets a frame.
    pub(crate) fn host_card_gets(&mut self, network: usize, mut frame: Vec<u8>, now: Instant) {
        let Ok(ethernet) = EthernetFrame::new_checked(&frame[..]) else {
            return;
        };
        match ethernet.ethertype() {
            EthernetProtocol::Arp => {
                let Ok(request) =
                    ArpPacket::new_checked(ethernet.payload()).and_then(|arp| ArpRepr::parse(&arp))
                else {
                    return;
                };
                self.host_card_gets_arp(network, request, now);
            }
            EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6 => {
                match neighbour_message(ethernet.payload()) {
                    Some((sender, message)) => {
                        let mac = ethernet.src_addr();
                        self.host_card_gets_neighbour_message(network, sender, mac, message, now);
                    }
                    None => self.route(frame.split_off(ETHERNET_HEADER), Some(network), now),
                }
            }
            EthernetProtocol::Unknown(_) => {}
        }
    }

    /// The host's own stack sends an IP packet.
    pub(crate) fn host_sends(&mut self, packet: Vec<u8>, now: Instant) {
        self.route(packet, None, now);
    }

    /// Sends an IP packet on; `came_over` is `None` where the host itself made it.
    fn route(&mut self, mut bytes: Vec<u8>, came_over: Option<usize>, now: Instant) {
        let Some(packet) = Packet::read(&bytes) else {
            return;
        };
        if let Some(to) = self.translation(&packet) {
            if rewrite(&mut bytes, &packet, &to).is_none() {
                return;
            }
            self.ledger.translated(&packet.flow, &to);
        }
        let Some(Header { destination, .. }) = Header::read(&bytes) else {
            return;
        };
        if self.topology.network_of_host_address(destination).is_some() {
            return self.carry_to_host(bytes, now);
        }
        if came_over.is_none() {
            self.ledger.went_in(&packet.flow);
        } else if !spend_hop(&mut bytes) {
            return;
        }
        let way = self
            .topology
            .network_towards(destination, came_over)
            .filter(|network| {
                self.topology
                    .endpoint_with_address(*network, destination)
                    .is_some()
            });
        match way {
            Some(network) => self.send_to_neighbour(network, destination, bytes, now),
            None => {
                if let Some(error) = self.unreachable(&bytes, &packet, came_over) {
                    self.route(error, None, now);
                }
            }
        }
    }

    /// What a packet's flow goes on as, where it goes on as another.
    fn translation(&mut self, packet: &Packet) -> Option<hcn_engine::Flow> {
        let flow = packet.flow;
        if !matches!(flow.protocol, Protocol::TCP | Protocol::UDP) {
            return None;
        }
        if let Some(to) = self.router.translations.translated(&flow) {
            return Some(to);
        }
        if packet.kind != Kind::Data {
            return None;
        }
        self.topology.network_of_host_address(flow.destination)?;
        let place = self
            .topology
            .mapping(flow.protocol, flow.destination_port)?;
        let mapped = self.switch.port_mappings.get(place)?;
        let port = self.switch.ports.get(mapped.port.0 as usize)?;
        let (address, _) = *port
            .addresses
            .iter()
            .find(|(address, _)| address.is_ipv4() == flow.destination.is_ipv4())?;
        let mut to = hcn_engine::Flow {
            destination: address,
            destination_port: mapped.internal_port,
            ..flow
        };
        if self
            .topology
            .endpoint_with_address(port.network, flow.source)
            .is_some()
        {
            to.source = self
                .topology
                .host_card(port.network)?
                .address_towards(address)?;
            to.source_port = self.router.translations.masquerade_port(to)?;
        }
        self.router.translations.insert(flow, to);
        Some(to)
    }

    /// Sends an IP packet to a machine on a network, after asking for its MAC address where that is not known.
    fn send_to_neighbour(&mut self, network: usize, to: IpAddr, packet: Vec<u8>, now: Instant) {
        match self.router.neighbours.get_mut(&(network, to)) {
            Some(Neighbour::Asked(waiting)) => waiting.push(packet),
            Some(Neighbour::Known(mac)) => {
                let mac = *mac;
                self.send_framed(network, mac, &packet, now);
            }
            None => {
                let Some(request) = self.neighbour_request(network, to) else {
                    return;
                };
                self.router
                    .neighbours
                    .insert((network, to), Neighbour::Asked(vec![packet]));
                if let Some(endpoint) = self.topology.endpoint_with_address(network, to) {
                    self.carry_to_endpoint(endpoint, request, now);
                }
            }
        }
    }

    /// A neighbour's MAC address is known now: what waited for it goes.
    fn learn(&mut self, network: usize, address: IpAddr, mac: EthernetAddress, now: Instant) {
        let known = Neighbour::Known(mac);
        if let Some(Neighbour::Asked(waiting)) =
            self.router.neighbours.insert((network, address), known)
        {
            for packet in waiting {
                self.send_framed(network, mac, &packet, now);
            }
        }
    }

    fn send_framed(&mut self, network: usize, to: EthernetAddress, packet: &[u8], now: Instant) {
        let Some(card) = self.topology.host_card(network) else {
            return;
        };
        let kind = match packet.first().map(|first| first >> 4) {
            Some(4) => EthernetProtocol::Ipv4,
            _ => EthernetProtocol::Ipv6,
        };
        let frame = framed(card.mac, to, kind, packet);
        self.carry(network, to, frame, now);
    }

    fn host_card_gets_arp(&mut self, network: usize, arp: ArpRepr, now: Instant) {
        let ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr,
            source_protocol_addr,
            target_protocol_addr,
            ..
        } = arp
        else {
            return;
        };
        let sender = IpAddr::V4(source_protocol_addr);
        self.learn(network, sender, source_hardware_addr, now);
        let Some(card) = self.topology.host_card(network) else {
            return;
        };
        if operation != ArpOperation::Request {
            return;
        }
        let answer = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: card.mac,
            source_protocol_addr: target_protocol_addr,
            target_hardware_addr: source_hardware_addr,
            target_protocol_addr: source_protocol_addr,
        };
        let frame = framed_arp(card.mac, source_hardware_addr, &answer);
        self.carry(network, source_hardware_addr, frame, now);
    }

    fn host_card_gets_neighbour_message(
        &mut self,
        network: usize,
        sender: IpAddr,
        mac: EthernetAddress,
        message: NdiscRepr<'_>,
        now: Instant,
    ) {
        self.learn(network, sender, mac, now);
        let (NdiscRepr::NeighborSolicit { target_addr, .. }, IpAddr::V6(asker)) = (message, sender)
        else {
            return;
        };
        let Some(card) = self.topology.host_card(network) else {
            return;
        };
        let advertisement = NdiscRepr::NeighborAdvert {
            flags: NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE,
            target_addr,
            lladdr: Some(card.mac.into()),
        };
        let packet = neighbour_packet(target_addr, asker, advertisement);
        let frame = framed(card.mac, mac, EthernetProtocol::Ipv6, &packet);
        self.carry(network, mac, frame, now);
    }

    /// The frame by which the host asks for a MAC address.
    fn neighbour_request(&self, network: usize, sought: IpAddr) -> Option<Vec<u8>> {
        let card = self.topology.host_card(network)?;
        match (card.address_towards(sought)?, sought) {
            (IpAddr::V4(own), IpAddr::V4(sought)) => {
                let request = ArpRepr::EthernetIpv4 {
                    operation: ArpOperation::Request,
                    source_hardware_addr: card.mac,
                    source_protocol_addr: own,
                    target_hardware_addr: EthernetAddress::BROADCAST,
                    target_protocol_addr: sought,
                };
                Some(framed_arp(card.mac, EthernetAddress::BROADCAST, &request))
            }
            (IpAddr::V6(own), IpAddr::V6(sought)) => {
                // RFC 4291: ff02::1:ff00:0/104 with the last 24 bits of the address.
                let [.., a, b, c] = sought.octets();
                let group =
                    Ipv6Address::from([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, a, b, c]);
                let solicitation = NdiscRepr::NeighborSolicit {
                    target_addr: sought,
                    lladdr: Some(card.mac.into()),
                };
                let packet = neighbour_packet(own, group, solicitation);
                let to = EthernetAddress([0x33, 0x33, 0xff, a, b, c]);
                Some(framed(card.mac, to, EthernetProtocol::Ipv6, &packet))
            }
            _ => None,
        }
    }

    /// The ICMP error by which the host says that it knows no way; `None` about an error, of which none is sent (RFC 1122).
    fn unreachable(
        &self,
        bytes: &[u8],
        packet: &Packet,
        came_over: Option<usize>,
    ) -> Option<Vec<u8>> {
        if packet.kind != Kind::Data {
            return None;
        }
        let Header {
            source, payload, ..
        } = Header::read(bytes)?;
        let own = match came_over {
            Some(network) => self.topology.host_card(network)?.address_towards(source)?,
            None => source,
        };
        match (own, source) {
            (IpAddr::V4(own), IpAddr::V4(source)) => {
                let checksums = ChecksumCapabilities::ignored();
                let header = Ipv4Repr::parse(&Ipv4Packet::new_checked(bytes).ok()?, &checksums);
                let payload = bytes.get(payload)?;
                let error = Icmpv4Repr::DstUnreachable {
                    reason: Icmpv4DstUnreachable::HostUnreachable,
                    header: header.ok()?,
                    // RFC 1812: as much as fits into 576 bytes with both headers.
                    data: &payload[..payload.len().min(576 - 20 - 8 - 20)],
                };
                let ip = Ipv4Repr {
                    src_addr: own,
                    dst_addr: source,
                    next_header: IpProtocol::Icmp,
                    payload_len: error.buffer_len(),
                    hop_limit: HOP_LIMIT,
                };
                let mut bytes = vec![0; ip.buffer_len() + ip.payload_len];
                let mut whole = Ipv4Packet::new_unchecked(&mut bytes);
                let checksums = ChecksumCapabilities::default();
                ip.emit(&mut whole, &checksums);
                error.emit(
                    &mut Icmpv4Packet::new_unchecked(whole.payload_mut()),
                    &checksums,
                );
                Some(bytes)
            }
            (IpAddr::V6(own), IpAddr::V6(source)) => {
                let header = Ipv6Repr::parse(&Ipv6Packet::new_checked(bytes).ok()?);
                let payload = bytes.get(payload)?;
                let error = Icmpv6Repr::DstUnreachable {
                    reason: Icmpv6DstUnreachable::AddrUnreachable,
                    header: header.ok()?,
                    // RFC 4443: as much as fits into 1280 bytes with both headers.
                    data: &payload[..payload.len().min(1280 - 40 - 8 - 40)],
                };
                Some(icmpv6_packet(own, source, HOP_LIMIT, &error))
            }
            _ => None,
        }
    }
}

/// Takes one from the hop limit; false where the packet has none left.
fn spend_hop(bytes: &mut [u8]) -> bool {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => {
            let mut packet = Ipv4Packet::new_unchecked(bytes);
            let left = packet.hop_limit().saturating_sub(1);
            packet.set_hop_limit(left);
            packet.fill_checksum();
            left > 0
        }
        _ => {
            let mut packet = Ipv6Packet::new_unchecked(bytes);
            let left = packet.hop_limit().saturating_sub(1);
            packet.set_hop_limit(left);
            left > 0
        }
    }
}

fn framed(
    from: EthernetAddress,
    to: EthernetAddress,
    kind: EthernetProtocol,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![0; ETHERNET_HEADER + payload.len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_src_addr(from);
    frame.set_dst_addr(to);
    frame.set_ethertype(kind);
    frame.payload_mut().copy_from_slice(payload);
    bytes
}

fn framed_arp(from: EthernetAddress, to: EthernetAddress, arp: &ArpRepr) -> Vec<u8> {
    let mut bytes = vec![0; arp.buffer_len()];
    arp.emit(&mut ArpPacket::new_unchecked(&mut bytes));
    framed(from, to, EthernetProtocol::Arp, &bytes)
}

fn neighbour_packet(from: Ipv6Address, to: Ipv6Address, message: NdiscRepr<'_>) -> Vec<u8> {
    icmpv6_packet(from, to, LINK_ONLY, &Icmpv6Repr::Ndisc(message))
}

fn icmpv6_packet(
    from: Ipv6Address,
    to: Ipv6Address,
    hop_limit: u8,
    message: &Icmpv6Repr<'_>,
) -> Vec<u8> {
    let ip = Ipv6Repr {
        src_addr: from,
        dst_addr: to,
        next_header: IpProtocol::Icmpv6,
        payload_len: message.buffer_len(),
        hop_limit,
    };
    let mut bytes = vec![0; ip.buffer_len() + ip.payload_len];
    let mut packet = Ipv6Packet::new_unchecked(&mut bytes);
    ip.emit(&mut packet);
    message.emit(
        &from,
        &to,
        &mut Icmpv6Packet::new_unchecked(packet.payload_mut()),
        &ChecksumCapabilities::default(),
    );
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_spent_and_the_last_one_ends_the_way() {
        let header = Ipv4Repr {
            src_addr: [10, 0, 0, 1].into(),
            dst_addr: [10, 0, 0, 2].into(),
            next_header: IpProtocol::Udp,
            payload_len: 0,
            hop_limit: 2,
        };
        let mut bytes = vec![0; header.buffer_len()];
        let checksums = ChecksumCapabilities::default();
        header.emit(&mut Ipv4Packet::new_unchecked(&mut bytes), &checksums);
        assert!(spend_hop(&mut bytes));
        let packet = Ipv4Packet::new_checked(&bytes[..]).unwrap();
        assert_eq!(packet.hop_limit(), 1);
        assert!(packet.verify_checksum());
        assert!(!spend_hop(&mut bytes));
        let mut six = icmpv6_packet(
            Ipv6Address::LOCALHOST,
            Ipv6Address::LOCALHOST,
            1,
            &Icmpv6Repr::EchoRequest {
                ident: 1,
                seq_no: 1,
                data: b"",
            },
        );
        assert!(!spend_hop(&mut six));
        assert_eq!(six[7], 0);
    }
}
