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
    /// Its place in its flow.
    pub turn: Turn,
}

/// Which place a packet has in its flow, as far as it says so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It opens the flow, or may do so: a SYN, and everything that says nothing of the kind.
    Opens,
    /// It is of a connection that exists, and either side may have opened that: a TCP segment without SYN, an ICMP error.
    Continues,
    /// The other side opened the flow: a SYN with ACK, an ICMP reply.
    Answers,
}

/// Why there is no [`Packet`] in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is no IP packet, or one that is cut short before its ports.
    CutShort,
    /// It is a fragment that is not the first: its ports are in the first one (Q44).
    LaterFragment,
    /// It is an ICMP error, and what it quotes is no packet of its family, or is cut short before its ports.
    BadQuotation,
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
    /// What is carried; of IPv6, behind the extension headers.
    pub(crate) protocol: Protocol,
    pub(crate) payload: Range<usize>,
    /// Whether the payload is from the middle of what is carried.
    pub(crate) is_later_fragment: bool,
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
                // A card that cuts segments itself is handed packets that say 0 (segmentation offload), and captures have them so.
                let total = match number(bytes, 2)? {
                    0 => bytes.len(),
                    total => usize::from(total),
                };
                Some(Header {
                    source: IpAddr::V4(Ipv4Addr::from(array(bytes, 12)?)),
                    destination: IpAddr::V4(Ipv4Addr::from(array(bytes, 16)?)),
                    protocol: Protocol(*bytes.get(9)?),
                    payload: start..total.clamp(start, bytes.len()),
                    is_later_fragment: number(bytes, 6)? & 0x1fff != 0,
                })
            }
            6 => {
                // As above; a jumbogram says 0 too (RFC 2675).
                let end = match number(bytes, 4)? {
                    0 => bytes.len(),
                    length => (IPV6_HEADER + usize::from(length)).min(bytes.len()),
                };
                let (protocol, start, is_later_fragment) = carried(bytes.get(..end)?)?;
                Some(Header {
                    source: IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 8)?)),
                    destination: IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 24)?)),
                    protocol,
                    payload: start..end,
                    is_later_fragment,
                })
            }
            _ => None,
        }
    }
}

/// What an IPv6 packet carries behind its extension headers: the protocol, where it begins, and whether it is a later fragment. `None` where
/// it is cut short before that.
fn carried(bytes: &[u8]) -> Option<(Protocol, usize, bool)> {
    let mut next = *bytes.get(6)?;
    let mut at = IPV6_HEADER;
    loop {
        // RFC 8200 4: hop-by-hop options, routing, destination options, of so many times 8 bytes, the first not counted; RFC 4302 2.2:
        // authentication, of so many times 4 bytes, the first two not counted.
        let length = match next {
            0 | 43 | 60 => 8 + 8 * usize::from(*bytes.get(at + 1)?),
            51 => 8 + 4 * usize::from(*bytes.get(at + 1)?),
            FRAGMENT => 8,
            _ if at <= bytes.len() => return Some((Protocol(next), at, false)),
            _ => return None,
        };
        // RFC 8200 4.5: the upper 13 bits are the place in the whole packet.
        let is_later_fragment = next == FRAGMENT && number(bytes, at + 2)? >> 3 != 0;
        next = *bytes.get(at)?;
        at += length;
        if is_later_fragment {
            return (at <= bytes.len()).then_some((Protocol(next), at, true));
        }
    }
}

const IPV6_HEADER: usize = 40;

/// Protocol number of the header of an IPv6 fragment.
const FRAGMENT: u8 = 44;

impl Packet {
    /// Reads an IP packet that is judged by itself.
    pub fn read(bytes: &[u8]) -> Option<Packet> {
        Packet::try_read(bytes).ok()
    }

    /// As [`Packet::read`], with the reason where there is none.
    pub fn try_read(bytes: &[u8]) -> Result<Packet, Unread> {
        let header = Header::read(bytes).ok_or(Unread::CutShort)?;
        if header.is_later_fragment {
            return Err(Unread::LaterFragment);
        }
        Packet::of(&header, bytes)
    }

    fn of(header: &Header, bytes: &[u8]) -> Result<Packet, Unread> {
        let payload = bytes.get(header.payload.clone()).ok_or(Unread::CutShort)?;
        if let Some(complaint) = complaint(header.protocol, payload) {
            let quotation = payload.get(ICMP_ERROR_HEADER..);
            let (quoted, _) = quotation
                .and_then(quoted_flow)
                .filter(|(quoted, _)| quoted.source.is_ipv4() == header.source.is_ipv4())
                .ok_or(Unread::BadQuotation)?;
            return Ok(Packet {
                flow: quoted.reverse(),
                // Part of a connection that exists, whatever the quoted segment was.
                tcp: (quoted.protocol == Protocol::TCP).then_some(TcpFlags {
                    ack: true,
                    ..TcpFlags::default()
                }),
                kind: Kind::Error(complaint),
                turn: Turn::Continues,
            });
        }
        let flow = flow(header, payload).ok_or(Unread::CutShort)?;
        let tcp = match header.protocol {
            Protocol::TCP => Some(tcp_flags(payload).ok_or(Unread::CutShort)?),
            _ => None,
        };
        Ok(Packet {
            flow,
            tcp,
            turn: turn(header.protocol, tcp, payload),
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
    if header.is_later_fragment {
        return None;
    }
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

fn turn(protocol: Protocol, tcp: Option<TcpFlags>, payload: &[u8]) -> Turn {
    match (protocol, tcp, payload.first()) {
        (_, Some(flags), _) if flags.syn && flags.ack => Turn::Answers,
        (_, Some(flags), _) if !flags.syn => Turn::Continues,
        // RFC 792: replies to echoes, timestamps and questions for information; RFC 950: for the mask.
        (Protocol::ICMP, _, Some(0 | 14 | 16 | 18)) => Turn::Answers,
        // RFC 4443: replies to echoes.
        (Protocol::ICMPV6, _, Some(129)) => Turn::Answers,
        _ => Turn::Opens,
    }
}

/// What a UDP datagram carries, of which a tunnel is made; `None` where it is none, or a later fragment.
pub fn datagram(bytes: &[u8]) -> Option<&[u8]> {
    const UDP_HEADER: usize = 8;
    let header = Header::read(bytes)?;
    if header.protocol != Protocol::UDP || header.is_later_fragment {
        return None;
    }
    bytes.get(header.payload)?.get(UDP_HEADER..)
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

    // From fd00::1 to fd00::2.
    const ENDS_6: &str = "fd000000000000000000000000000001 fd000000000000000000000000000002";

    // 4660 -> 80, SYN, as above.
    const SYN_6: &str = "1234 0050 00000001 00000000 5002 ffff 0000 0000";

    #[test]
    fn behind_extension_headers_is_the_segment_that_is_judged() {
        let expected = flow(Protocol::TCP, "[fd00::1]:4660", "[fd00::2]:80");
        // RFC 8200 4.3: next header 6, 0 more times 8 bytes; padding of 6 bytes (type 1, 4 bytes). With the segment 28 bytes, 0x1c.
        let hop = format!("6000 0000 001c 0040 {ENDS_6} 0600 010400000000 {SYN_6}");
        // RFC 8200 4.6: destination options of 16 bytes, so 1 more; padding of 14 (type 1, 12 bytes). 36 bytes, 0x24.
        let options =
            format!("6000 0000 0024 3c40 {ENDS_6} 0601 010c 000000000000000000000000 {SYN_6}");
        // RFC 8200 4.5: next header 6, place 0 with more to come (0001), number 7.
        let first = format!("6000 0000 001c 2c40 {ENDS_6} 0600 0001 00000007 {SYN_6}");
        // RFC 4302 2.2: 24 bytes are 6 times 4, without two 4. 44 bytes, 0x2c. After hop-by-hop options (8 more), 0x34.
        let authenticated = format!(
            "6000 0000 0034 0040 {ENDS_6} 3300 010400000000 \
             0604 0000 00000001 00000001 000000000000000000000000 {SYN_6}"
        );
        // Routing (RFC 8200 4.4), type 4 without segments left, 8 bytes.
        let routed = format!("6000 0000 001c 2b40 {ENDS_6} 0600 0400 00000000 {SYN_6}");
        for text in [&hop, &options, &first, &authenticated, &routed] {
            let packet = Packet::try_read(&bytes(text)).unwrap();
            assert_eq!(
                (packet.flow, packet.kind, packet.turn),
                (expected, Kind::Data, Turn::Opens),
                "{text}"
            );
            // Cut anywhere before the flags (six bytes from the end, the last that are read), it is not read, and nothing is wrong with it.
            let whole = bytes(text);
            for length in 0..whole.len() - 6 {
                assert_eq!(Packet::try_read(&whole[..length]), Err(Unread::CutShort));
            }
        }
        // Hop-by-hop options that say that they are longer than the packet: 255 times 8 more.
        let endless = format!("6000 0000 0008 0040 {ENDS_6} 06ff 010400000000");
        assert_eq!(Packet::try_read(&bytes(&endless)), Err(Unread::CutShort));
        // RFC 8200 4.7: no next header, and nothing is behind it.
        let nothing = format!("6000 0000 0008 0040 {ENDS_6} 3b00 010400000000");
        let packet = Packet::try_read(&bytes(&nothing)).unwrap();
        assert_eq!(
            packet.flow,
            flow(Protocol(59), "[fd00::1]:0", "[fd00::2]:0")
        );
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        // RFC 8200 4.5: at byte 80, which is 10 times 8: 10 << 3 is 0x50. RFC 791: the same, as 0x000a.
        let six = format!("6000 0000 001c 2c40 {ENDS_6} 0600 0050 00000007 {SYN_6}");
        let four = SYN.replacen("4000 4006", "000a 4006", 1);
        for text in [&six, &four] {
            assert_eq!(Packet::try_read(&bytes(text)), Err(Unread::LaterFragment));
        }
    }

    #[test]
    fn an_icmp_error_quotes_a_packet_of_its_own_family() {
        // RFC 792 type 3, code 3; what it quotes begins with 6, as an IPv6 header does, and is long enough to be one.
        let quoted = "6000 0050 0008 0640 00010000000000000000000000000001 \
                      00020000000000000000000000000002 0050 0005 0000 0000";
        let text =
            format!("4500 004c 0000 4000 4001 0000 0a000002 0a000001 0303 0000 00000000 {quoted}");
        assert_eq!(Packet::try_read(&bytes(&text)), Err(Unread::BadQuotation));
        // Cut short before the ports of what it quotes.
        let text = "4500 0030 0000 4000 4001 0000 0a000002 0a000001 0303 0000 00000000 \
                    4500 0020 0000 4000 4011 0000 0a000001 0a000002";
        assert_eq!(Packet::try_read(&bytes(text)), Err(Unread::BadQuotation));
    }

    #[test]
    fn a_packet_says_which_turn_it_is() {
        // RFC 9293 3.1: the flags are byte 13 of the segment, FIN 1, SYN 2, RST 4, ACK 0x10.
        for (flags, turn) in [
            ("5002", Turn::Opens),
            ("5012", Turn::Answers),
            ("5010", Turn::Continues),
            ("5011", Turn::Continues),
            ("5004", Turn::Continues),
        ] {
            let text = SYN.replacen("5002", flags, 1);
            assert_eq!(Packet::try_read(&bytes(&text)).unwrap().turn, turn);
        }
        // RFC 792: 8 asks, 0 answers. RFC 4443: 128 and 129.
        let four = |kind: &str| {
            format!("4500 001c 0000 4000 4001 0000 0a000001 0a000002 {kind}00 0000 00ff 0001")
        };
        let six = |kind: &str| format!("6000 0000 0008 3a40 {ENDS_6} {kind}00 0000 00ff 0001");
        for (text, turn) in [
            (four("08"), Turn::Opens),
            (four("00"), Turn::Answers),
            (six("80"), Turn::Opens),
            (six("81"), Turn::Answers),
        ] {
            assert_eq!(Packet::try_read(&bytes(&text)).unwrap().turn, turn);
        }
    }

    #[test]
    fn a_segment_for_a_card_to_cut_is_read_to_its_end() {
        // As SYN and SYN_6, with the length 0.
        let four = SYN.replacen("0028", "0000", 1);
        let six = format!("6000 0000 0000 0640 {ENDS_6} {SYN_6}");
        for text in [&four, &six] {
            let packet = Packet::try_read(&bytes(text)).unwrap();
            assert_eq!(packet.flow.destination_port, 80);
        }
    }

    #[test]
    fn what_a_datagram_carries_is_behind_its_header() {
        // RFC 768: ports, length 12, checksum, and four bytes.
        let text = "4500 0020 0000 4000 4011 0000 0a000001 0a000002 d431 12b5 000c 0000 01020304";
        assert_eq!(datagram(&bytes(text)), Some(&[1, 2, 3, 4][..]));
        assert_eq!(datagram(&bytes(SYN)), None);
        let later = text.replacen("4000 4011", "000a 4011", 1);
        assert_eq!(datagram(&bytes(&later)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..120),
            first in proptest::sample::select(vec![0x45, 0x46, 0x60, 0x6f]),
            next in proptest::sample::select(vec![0, 1, 6, 17, 43, 44, 51, 58, 60]),
        ) {
            // Noise, and noise that is an IP packet at first sight, with extension headers or quotations.
            let _ = Packet::try_read(&noise);
            let mut noise = noise;
            for (at, byte) in [(0, first), (6, next), (9, next), (40, next)] {
                if let Some(place) = noise.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = (Packet::try_read(&noise), datagram(&noise), quoted_flow(&noise));
        }
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
