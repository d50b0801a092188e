// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is judged: a flow, and the direction in which it crosses a port.

use std::{fmt, net::IpAddr};

/// IPv4 and IPv6 are judged by separate groups of rules (hns-behaviour 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl From<IpAddr> for Family {
    fn from(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Family::V4
        } else {
            Family::V6
        }
    }
}

/// As an endpoint sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the endpoint.
    In,
    /// From the endpoint.
    Out,
}

impl Direction {
    /// The other one.
    pub fn reverse(self) -> Self {
        match self {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Direction::In => "In",
            Direction::Out => "Out",
        })
    }
}

/// IANA protocol number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4.
    pub const ICMP: Protocol = Protocol(1);
    /// IGMP.
    pub const IGMP: Protocol = Protocol(2);
    /// TCP.
    pub const TCP: Protocol = Protocol(6);
    /// UDP.
    pub const UDP: Protocol = Protocol(17);
    /// ICMP for IPv6.
    pub const ICMPV6: Protocol = Protocol(58);
    /// SCTP.
    pub const SCTP: Protocol = Protocol(132);

    /// Whether flows of this protocol have ports.
    #[inline]
    pub fn has_ports(self) -> bool {
        // Without a branch: TCP and UDP come in no order that could be predicted.
        (self == Protocol::TCP) | (self == Protocol::UDP) | (self == Protocol::SCTP)
    }

    /// The protocol with this name (`tcp`) or number (`6`).
    pub fn from_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "icmp" => Some(Protocol::ICMP),
            "igmp" => Some(Protocol::IGMP),
            "tcp" => Some(Protocol::TCP),
            "udp" => Some(Protocol::UDP),
            "icmpv6" => Some(Protocol::ICMPV6),
            "sctp" => Some(Protocol::SCTP),
            number => number.parse().ok().map(Protocol),
        }
    }
}

impl Protocol {
    /// Whether it is told by a name and not by its number.
    pub fn has_name(self) -> bool {
        matches!(
            self,
            Protocol::ICMP
                | Protocol::IGMP
                | Protocol::TCP
                | Protocol::UDP
                | Protocol::ICMPV6
                | Protocol::SCTP
        )
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Protocol::ICMP => f.pad("icmp"),
            Protocol::IGMP => f.pad("igmp"),
            Protocol::TCP => f.pad("tcp"),
            Protocol::UDP => f.pad("udp"),
            Protocol::ICMPV6 => f.pad("icmpv6"),
            Protocol::SCTP => f.pad("sctp"),
            Protocol(number) => f.pad(&number.to_string()),
        }
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The five parts by which a packet is judged. Both addresses are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Who sends this packet.
    pub source: IpAddr,
    /// Who is to receive it.
    pub destination: IpAddr,
    /// IP protocol.
    pub protocol: Protocol,
    /// 0 where the protocol has no ports. ICMP echo: the identifier, so that echoes are told apart.
    pub source_port: u16,
    /// 0 where the protocol has no ports. ICMP echo: the identifier, as above.
    pub destination_port: u16,
}

impl Flow {
    /// The flow of the answers.
    pub fn reverse(self) -> Flow {
        Flow {
            source: self.destination,
            destination: self.source,
            protocol: self.protocol,
            source_port: self.destination_port,
            destination_port: self.source_port,
        }
    }

    /// The family of both addresses.
    pub fn family(&self) -> Family {
        self.destination.into()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protocol.has_ports() {
            let source = std::net::SocketAddr::new(self.source, self.source_port);
            let destination = std::net::SocketAddr::new(self.destination, self.destination_port);
            write!(f, "{} {source} -> {destination}", self.protocol)
        } else {
            // A bare number would be read as a port.
            let word = if self.protocol.has_name() {
                ""
            } else {
                "protocol "
            };
            write!(
                f,
                "{word}{} {} -> {}",
                self.protocol, self.source, self.destination
            )
        }
    }
}
