// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the switch reads of a packet: the flow it belongs to, and whether rules apply to it at all.
//!
//! Apart, because it is the only place that knows where the fields of a packet are. Nothing in here panics on any bytes: what cannot be
//! read is `None`, and the fabric lets it go no further.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use hcn_engine::{Flow, Protocol, flow_table::TcpFlags};

/// An IP packet as a port sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The flow by which it is judged. Of an ICMP error: the answer to the flow that it quotes.
    pub flow: Flow,
    /// The flags of a TCP segment.
    pub tcp: Option<TcpFlags>,
    /// How the switch treats it.
    pub kind: Kind,
}

/// How the switch treats a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Judged by its flow.
    Data,
    /// An ICMP error about a packet that was sent before. It passes where the flow of that packet is allowed.
    Error(Complaint),
    /// Neighbour discovery or DHCP: never filtered (hns-behaviour 4.8, Q34).
    Control,
}

/// What an ICMP error says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The machine is there and nothing listens.
    NobodyListens,
    /// The packet cannot get there.
    NoWay,
}

/// Where the parts of an IP packet are.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: Protocol,
    pub(crate) payload: Range<usize>,
}

/// Bytes of an ICMP error before the packet that it quotes.
pub(crate) const ICMP_ERROR_HEADER: usize = 8;

impl Header {
    /// Reads the IP header at the start of `bytes`; what follows may be cut short, as in a quotation.
    pub(crate) fn read(bytes: &[u8]) -> Option<Header> {
        let first = *bytes.first()?;
        match first >> 4 {
            4 => {
                let start = usize::from(first & 0x0f) * 4;
                if start < 20 || bytes.len() < start {
                    return None;
                }
                let total = usize::from(number(bytes, 2)?);
                Some(Header {
                    source: IpAddr::V4(Ipv4Addr::from(array(bytes, 12)?)),
                    destination: IpAddr::V4(Ipv4Addr::from(array(bytes, 16)?)),
                    protocol: Protocol(*bytes.get(9)?),
                    payload: start..total.clamp(start, bytes.len()),
                })
            }
            6 => {
                let length = usize::from(number(bytes, 4)?);
                Some(Header {
                    source: IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 8)?)),
                    destination: IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 24)?)),
                    protocol: Protocol(*bytes.get(6)?),
                    payload: 40..(40 + length).min(bytes.len()),
                })
            }
            _ => None,
        }
    }
}

impl Packet {
    /// Reads an IP packet; `None` where it is none, or is cut short before its ports.
    pub fn read(bytes: &[u8]) -> Option<Packet> {
        let header = Header::read(bytes)?;
        let payload = bytes.get(header.payload.clone())?;
        if let Some(complaint) = complaint(header.protocol, payload) {
            let (quoted, _) = quoted_flow(payload.get(ICMP_ERROR_HEADER..)?)?;
            return Some(Packet {
                flow: quoted.reverse(),
                // Part of a connection that exists, whatever the quoted segment was.
                tcp: (quoted.protocol == Protocol::TCP).then_some(TcpFlags {
                    ack: true,
                    ..TcpFlags::default()
                }),
                kind: Kind::Error(complaint),
            });
        }
        let flow = flow(&header, payload)?;
        Some(Packet {
            flow,
            tcp: match header.protocol {
                Protocol::TCP => Some(tcp_flags(payload)?),
                _ => None,
            },
            kind: if is_control(&flow, payload) {
                Kind::Control
            } else {
                Kind::Data
            },
        })
    }
}

/// The flow of the packet that an ICMP error quotes, and where its payload is in the quotation.
pub(crate) fn quoted_flow(quotation: &[u8]) -> Option<(Flow, Range<usize>)> {
    let header = Header::read(quotation)?;
    let flow = flow(&header, quotation.get(header.payload.clone())?)?;
    Some((flow, header.payload))
}

fn flow(header: &Header, payload: &[u8]) -> Option<Flow> {
    let (source_port, destination_port) = match header.protocol {
        protocol if protocol.has_ports() => (number(payload, 0)?, number(payload, 2)?),
        Protocol::ICMP if matches!(payload.first(), Some(0 | 8)) => {
            (number(payload, 4)?, number(payload, 4)?)
        }
        Protocol::ICMPV6 if matches!(payload.first(), Some(128 | 129)) => {
            (number(payload, 4)?, number(payload, 4)?)
        }
        _ => (0, 0),
    };
    Some(Flow {
        source: header.source,
        destination: header.destination,
        protocol: header.protocol,
        source_port,
        destination_port,
    })
}

/// What the ICMP message in `payload` complains of; `None` where it is no error.
fn complaint(protocol: Protocol, payload: &[u8]) -> Option<Complaint> {
    let (kind, code) = (*payload.first()?, *payload.get(1)?);
    match (protocol, kind, code) {
        // RFC 792: protocol and port unreachable.
        (Protocol::ICMP, 3, 2 | 3) => Some(Complaint::NobodyListens),
        (Protocol::ICMP, 3 | 11 | 12, _) => Some(Complaint::NoWay),
        // RFC 4443: port unreachable; unrecognized next header.
        (Protocol::ICMPV6, 1, 4) | (Protocol::ICMPV6, 4, 1) => Some(Complaint::NobodyListens),
        (Protocol::ICMPV6, 1..=4, _) => Some(Complaint::NoWay),
        _ => None,
    }
}

fn is_control(flow: &Flow, payload: &[u8]) -> bool {
    match flow.protocol {
        // RFC 4861: router and neighbour messages, redirect.
        Protocol::ICMPV6 => matches!(payload.first(), Some(133..=137)),
        Protocol::UDP => matches!(
            (flow.source_port, flow.destination_port),
            (67, 68) | (68, 67) | (67, 67) | (546, 547) | (547, 546)
        ),
        _ => false,
    }
}

fn tcp_flags(payload: &[u8]) -> Option<TcpFlags> {
    let flags = *payload.get(13)?;
    Some(TcpFlags {
        fin: flags & 0x01 != 0,
        syn: flags & 0x02 != 0,
        rst: flags & 0x04 != 0,
        ack: flags & 0x10 != 0,
    })
}

/// The 16-bit number at `at`, network byte order.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a hexadecimal text.
    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .map(|digit| digit as u8)
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

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

    // Written by hand from RFC 791 and RFC 9293: 10.0.0.1:4660 -> 10.0.0.2:80, SYN.
    const SYN: &str = "4500 0028 0000 4000 4006 0000 0a000001 0a000002 \
                       1234 0050 00000001 00000000 5002 ffff 0000 0000";

    #[test]
    fn a_tcp_segment_is_read_with_its_flags() {
        let packet = Packet::read(&bytes(SYN)).unwrap();
        assert_eq!(
            packet.flow,
            flow(Protocol::TCP, "10.0.0.1:4660", "10.0.0.2:80")
        );
        assert_eq!(packet.kind, Kind::Data);
        assert_eq!(
            packet.tcp,
            Some(TcpFlags {
                syn: true,
                ..TcpFlags::default()
            })
        );
    }

    #[test]
    fn an_icmp_error_is_the_answer_to_what_it_quotes() {
        // RFC 792: type 3, code 3, then the header of the packet and its first eight bytes.
        let text = "4500 0038 0000 4000 4001 0000 0a000002 0a000001 0303 0000 00000000 \
                    4500 0020 0000 4000 4011 0000 0a000001 0a000002 d431 0035 000c 0000";
        let packet = Packet::read(&bytes(text)).unwrap();
        assert_eq!(
            packet.flow,
            flow(Protocol::UDP, "10.0.0.2:53", "10.0.0.1:54321")
        );
        assert_eq!(packet.kind, Kind::Error(Complaint::NobodyListens));
    }

    #[test]
    fn echoes_are_told_apart_by_their_identifier() {
        let text = "6000 0000 0008 3a40 fd000000000000000000000000000001 \
                    fd000000000000000000000000000002 8000 0000 00ff 0001";
        let packet = Packet::read(&bytes(text)).unwrap();
        assert_eq!(
            packet.flow,
            flow(Protocol::ICMPV6, "[fd00::1]:255", "[fd00::2]:255")
        );
        assert_eq!(packet.kind, Kind::Data);
    }

    #[test]
    fn neighbour_discovery_and_dhcp_are_not_judged() {
        let solicitation = "6000 0000 0008 3aff fd000000000000000000000000000001 \
                            ff0200000000000000000001ff000002 8700 0000 0000 0000";
        assert_eq!(
            Packet::read(&bytes(solicitation)).unwrap().kind,
            Kind::Control
        );
        let discover = "4500 001c 0000 4000 4011 0000 00000000 ffffffff 0044 0043 0008 0000";
        assert_eq!(Packet::read(&bytes(discover)).unwrap().kind, Kind::Control);
    }

    #[test]
    fn a_packet_cut_short_is_not_read() {
        let whole = bytes(SYN);
        for length in 0..34 {
            assert_eq!(Packet::read(&whole[..length]), None, "{length}");
        }
        assert_eq!(Packet::read(&[0x4f; 20]), None);
        assert_eq!(Packet::read(&[0x20; 64]), None);
    }
}
