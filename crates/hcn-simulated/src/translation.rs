// SPDX-License-Identifier: MIT OR Apache-2.0
//! Address translation on the host: published ports (`PortMapping`), there and back.
//!
//! Apart, because it changes packets, which nothing else on the way does but for the hop limit. Every entry has its way back, so that an
//! answer carries the addresses that were asked.
//!
//! Guesses (hns-behaviour 5.4 says that WinNAT maps a host port to a container port, not who may use it from inside):
//! - A published port is reached at every address of the host, from the host and from containers.
//! - A container of the same network is masqueraded behind the host's address: else the answer would go past the host.

use std::{collections::HashMap, net::IpAddr};

use hcn_engine::{Flow, Protocol};
use smoltcp::wire::{Icmpv4Packet, Icmpv6Packet, Ipv4Packet, TcpPacket, UdpPacket};

use crate::frame::{Header, ICMP_ERROR_HEADER, Kind, Packet, quoted_flow};

/// The translated flows.
#[derive(Debug, Default)]
pub(crate) struct TranslationTable {
    /// From a flow as its sender means it to the flow as it goes on.
    onward: HashMap<Flow, Flow>,
    /// The same for the answers.
    back: HashMap<Flow, Flow>,
    masquerades: u16,
}

/// Source ports of masqueraded flows: below the dynamic ports (RFC 6335), from which the host's own flows take theirs.
const MASQUERADE_PORTS: std::ops::RangeInclusive<u16> = 32768..=49151;

impl TranslationTable {
    /// What a flow, or an answer, goes on as.
    pub(crate) fn translated(&self, flow: &Flow) -> Option<Flow> {
        self.onward
            .get(flow)
            .or_else(|| self.back.get(flow))
            .copied()
    }

    /// Remembers that `outside` goes on as `inside`.
    pub(crate) fn insert(&mut self, outside: Flow, inside: Flow) {
        self.onward.insert(outside, inside);
        self.back.insert(inside.reverse(), outside.reverse());
    }

    /// A source port for a masqueraded flow, by which its answers are found; `None` where all are taken.
    pub(crate) fn masquerade_port(&mut self, flow: Flow) -> Option<u16> {
        let count = MASQUERADE_PORTS.end() - MASQUERADE_PORTS.start() + 1;
        (0..count).find_map(|_| {
            let source_port = MASQUERADE_PORTS.start() + self.masquerades;
            self.masquerades = (self.masquerades + 1) % count;
            let answer = Flow {
                source_port,
                ..flow
            }
            .reverse();
            (!self.back.contains_key(&answer)).then_some(source_port)
        })
    }

    /// Forgets the translation of a flow that is over.
    pub(crate) fn forget(&mut self, outside: &Flow) {
        if let Some(inside) = self.onward.remove(outside) {
            self.back.remove(&inside.reverse());
        }
    }

    /// Forgets the translations for which `stays` is false; it gets the flow as its sender means it and as it goes on.
    pub(crate) fn retain(&mut self, stays: impl Fn(&Flow, &Flow) -> bool) {
        let back = &mut self.back;
        self.onward.retain(|outside, inside| {
            let stays = stays(outside, inside);
            if !stays {
                back.remove(&inside.reverse());
            }
            stays
        });
    }
}

/// Makes a packet one of the flow `to`; of an ICMP error, makes it the error about the answer to `to`.
pub(crate) fn rewrite(bytes: &mut [u8], packet: &Packet, to: &Flow) -> Option<()> {
    let header = Header::read(bytes)?;
    match packet.kind {
        Kind::Data | Kind::Control => {
            set_flow(bytes, &header, to)?;
            let ends = (to.source.into(), to.destination.into());
            let payload = bytes.get_mut(header.payload.clone())?;
            match header.protocol {
                Protocol::TCP => TcpPacket::new_checked(payload)
                    .ok()?
                    .fill_checksum(&ends.0, &ends.1),
                Protocol::UDP => UdpPacket::new_checked(payload)
                    .ok()?
                    .fill_checksum(&ends.0, &ends.1),
                _ => return None,
            }
        }
        Kind::Error(_) => {
            let start = header.payload.start + ICMP_ERROR_HEADER;
            let quotation = bytes.get_mut(start..header.payload.end)?;
            let inner = Header::read(quotation)?;
            let (quoted, _) = quoted_flow(quotation)?;
            set_flow(quotation, &inner, &to.reverse())?;
            // Only the machine that was asked changes its address; a router that complains is who it is.
            let source = if header.source == quoted.destination {
                to.source
            } else {
                header.source
            };
            set_addresses(bytes, source, to.destination)?;
            let payload = bytes.get_mut(header.payload.clone())?;
            match (source, to.destination) {
                (IpAddr::V4(_), IpAddr::V4(_)) => {
                    Icmpv4Packet::new_checked(payload).ok()?.fill_checksum();
                }
                (IpAddr::V6(source), IpAddr::V6(destination)) => {
                    Icmpv6Packet::new_checked(payload)
                        .ok()?
                        .fill_checksum(&source, &destination);
                }
                _ => return None,
            }
        }
    }
    Some(())
}

/// Sets addresses and ports, not the checksum of the payload.
fn set_flow(bytes: &mut [u8], header: &Header, flow: &Flow) -> Option<()> {
    set_addresses(bytes, flow.source, flow.destination)?;
    let payload = bytes.get_mut(header.payload.clone())?;
    payload
        .get_mut(0..2)?
        .copy_from_slice(&flow.source_port.to_be_bytes());
    payload
        .get_mut(2..4)?
        .copy_from_slice(&flow.destination_port.to_be_bytes());
    Some(())
}

fn set_addresses(bytes: &mut [u8], source: IpAddr, destination: IpAddr) -> Option<()> {
    match (source, destination, bytes.first()? >> 4) {
        (IpAddr::V4(source), IpAddr::V4(destination), 4) => {
            bytes.get_mut(12..16)?.copy_from_slice(&source.octets());
            bytes
                .get_mut(16..20)?
                .copy_from_slice(&destination.octets());
            // A quotation is cut short, so the length is not checked; `Header::read` saw that the header is whole.
            Ipv4Packet::new_unchecked(bytes).fill_checksum();
        }
        (IpAddr::V6(source), IpAddr::V6(destination), 6) => {
            bytes.get_mut(8..24)?.copy_from_slice(&source.octets());
            bytes
                .get_mut(24..40)?
                .copy_from_slice(&destination.octets());
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use smoltcp::{
        phy::ChecksumCapabilities,
        wire::{
            Icmpv4DstUnreachable, Icmpv4Repr, IpProtocol, Ipv4Repr, TcpControl, TcpRepr,
            TcpSeqNumber, UdpRepr,
        },
    };

    use super::*;

    fn flow(protocol: Protocol, source: &str, destination: &str) -> Flow {
        let ends: Vec<std::net::SocketAddr> = [source, destination]
            .iter()
            .map(|end| end.parse().unwrap())
            .collect();
        Flow {
            source: ends[0].ip(),
            destination: ends[1].ip(),
            protocol,
            source_port: ends[0].port(),
            destination_port: ends[1].port(),
        }
    }

    /// An IPv4 packet with a payload that `write` writes.
    fn packet(
        source: [u8; 4],
        destination: [u8; 4],
        next_header: IpProtocol,
        payload_len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> Vec<u8> {
        let header = Ipv4Repr {
            src_addr: source.into(),
            dst_addr: destination.into(),
            next_header,
            payload_len,
            hop_limit: 64,
        };
        let mut bytes = vec![0; header.buffer_len() + payload_len];
        header.emit(
            &mut Ipv4Packet::new_unchecked(&mut bytes),
            &ChecksumCapabilities::default(),
        );
        write(&mut bytes[20..]);
        bytes
    }

    // Another implementation reads what was rewritten, and checks the checksums: smoltcp's parsers.
    #[test]
    fn a_rewritten_segment_has_right_checksums() {
        let segment = TcpRepr {
            src_port: 50000,
            dst_port: 8080,
            control: TcpControl::Syn,
            seq_number: TcpSeqNumber(1),
            ack_number: None,
            window_len: 1000,
            window_scale: None,
            max_seg_size: Some(1460),
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload: b"hello",
        };
        let (source, destination) = ([10, 0, 0, 9], [10, 0, 0, 1]);
        let mut bytes = packet(
            source,
            destination,
            IpProtocol::Tcp,
            segment.buffer_len(),
            |payload| {
                segment.emit(
                    &mut TcpPacket::new_unchecked(payload),
                    &std::net::Ipv4Addr::from(source).into(),
                    &std::net::Ipv4Addr::from(destination).into(),
                    &ChecksumCapabilities::default(),
                );
            },
        );
        let read = Packet::read(&bytes).unwrap();
        let to = flow(Protocol::TCP, "10.0.0.1:32768", "10.0.0.5:80");
        rewrite(&mut bytes, &read, &to).unwrap();

        assert_eq!(Packet::read(&bytes).unwrap().flow, to);
        let ip = Ipv4Packet::new_checked(&bytes[..]).unwrap();
        assert!(ip.verify_checksum());
        let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
        assert!(tcp.verify_checksum(&to.source.into(), &to.destination.into()));
        assert_eq!(tcp.payload(), b"hello");
    }

    #[test]
    fn an_error_about_a_translated_datagram_is_about_the_one_that_was_sent() {
        // 10.0.0.9:50000 asked 10.0.0.1:5353; behind the translation 10.0.0.5:53 was asked and complains.
        let quoted = packet(
            [10, 0, 0, 9],
            [10, 0, 0, 5],
            IpProtocol::Udp,
            12,
            |payload| {
                UdpRepr {
                    src_port: 50000,
                    dst_port: 53,
                }
                .emit(
                    &mut UdpPacket::new_unchecked(payload),
                    &std::net::Ipv4Addr::new(10, 0, 0, 9).into(),
                    &std::net::Ipv4Addr::new(10, 0, 0, 5).into(),
                    4,
                    |bytes| bytes.copy_from_slice(b"name"),
                    &ChecksumCapabilities::default(),
                );
            },
        );
        let error = Icmpv4Repr::DstUnreachable {
            reason: Icmpv4DstUnreachable::PortUnreachable,
            header: Ipv4Repr::parse(
                &Ipv4Packet::new_checked(&quoted[..]).unwrap(),
                &ChecksumCapabilities::default(),
            )
            .unwrap(),
            data: &quoted[20..],
        };
        let mut bytes = packet(
            [10, 0, 0, 5],
            [10, 0, 0, 9],
            IpProtocol::Icmp,
            error.buffer_len(),
            |payload| {
                error.emit(
                    &mut Icmpv4Packet::new_unchecked(payload),
                    &ChecksumCapabilities::default(),
                );
            },
        );
        let mut table = TranslationTable::default();
        table.insert(
            flow(Protocol::UDP, "10.0.0.9:50000", "10.0.0.1:5353"),
            flow(Protocol::UDP, "10.0.0.9:50000", "10.0.0.5:53"),
        );
        let read = Packet::read(&bytes).unwrap();
        let to = table.translated(&read.flow).unwrap();
        rewrite(&mut bytes, &read, &to).unwrap();

        let ip = Ipv4Packet::new_checked(&bytes[..]).unwrap();
        assert!(ip.verify_checksum());
        assert_eq!(ip.src_addr(), std::net::Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(ip.dst_addr(), std::net::Ipv4Addr::new(10, 0, 0, 9));
        assert!(
            Icmpv4Packet::new_checked(ip.payload())
                .unwrap()
                .verify_checksum()
        );
        let (about, _) = quoted_flow(&ip.payload()[ICMP_ERROR_HEADER..]).unwrap();
        assert_eq!(
            about,
            flow(Protocol::UDP, "10.0.0.9:50000", "10.0.0.1:5353")
        );
    }

    #[test]
    fn a_forgotten_translation_is_gone_both_ways() {
        let outside = flow(Protocol::TCP, "10.0.0.9:50000", "10.0.0.1:8080");
        let inside = flow(Protocol::TCP, "10.0.0.1:32768", "10.0.0.5:80");
        let mut table = TranslationTable::default();
        table.insert(outside, inside);
        assert_eq!(table.translated(&inside.reverse()), Some(outside.reverse()));
        assert_eq!(table.masquerade_port(inside), Some(32769));
        table.forget(&outside);
        assert_eq!(table.translated(&outside), None);
        assert_eq!(table.translated(&inside.reverse()), None);
    }
}
