// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people write for ports, traffic and destinations: `80/tcp`, `8080:80/tcp`, `8000-8080/udp`, `nginx:80/tcp`.

use std::{fmt, net::IpAddr, str::FromStr};

use hcn_engine::Protocol;

/// A text is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASpec(String);

impl fmt::Display for NotASpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotASpec {}

fn wrong<T>(text: &str, form: &str) -> Result<T, NotASpec> {
    Err(NotASpec(format!("{text:?} is not of the form {form}")))
}

/// A port from 1 to 65535.
fn port(text: &str) -> Option<u16> {
    // `+80` parses as a number and is no port.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
        .filter(|port| *port != 0)
}

/// A protocol with ports that stacks speak here: tcp or udp.
fn transport(text: &str) -> Option<Protocol> {
    Protocol::from_text(text).filter(|protocol| matches!(*protocol, Protocol::TCP | Protocol::UDP))
}

/// `80/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// The port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

impl FromStr for PortSpec {
    type Err = NotASpec;

    fn from_str(text: &str) -> Result<Self, NotASpec> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        match (port(number), transport(protocol)) {
            (Some(port), Some(protocol)) => Ok(PortSpec { port, protocol }),
            _ => wrong(text, "80/tcp or 53/udp, with a port from 1 to 65535"),
        }
    }
}

/// `8080:80/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishSpec {
    /// Port of the host.
    pub host: u16,
    /// Port of the container.
    pub container: PortSpec,
}

impl FromStr for PublishSpec {
    type Err = NotASpec;

    fn from_str(text: &str) -> Result<Self, NotASpec> {
        let parsed = text
            .split_once(':')
            .and_then(|(host, container)| Some((port(host)?, container.parse().ok()?)));
        match parsed {
            Some((host, container)) => Ok(PublishSpec { host, container }),
            None => wrong(text, "8080:80/tcp, with ports from 1 to 65535"),
        }
    }
}

/// What stands before a number of a [`TrafficSpec`] that means a protocol and no port.
const BY_NUMBER: &str = "protocol/";

/// `80/tcp`, `8000-8080/udp`, `tcp`, `icmp`, `protocol/47`, `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficSpec {
    /// `None` means any.
    pub protocol: Option<Protocol>,
    /// First and last; `None` means any.
    pub ports: Option<(u16, u16)>,
}

impl TrafficSpec {
    /// The forms, for sentences.
    pub const FORM: &str = "80/tcp, 8000-8100/tcp, 53/udp, tcp, udp, sctp, icmp, icmpv6, igmp, gre, esp, ah, protocol/47 (an IP protocol by its number), or any, with ports from 1 to 65535";

    /// What may be meant by a lone number, which is a port to some and a protocol to others.
    pub fn instead_of(number: &str) -> String {
        let port = match port(number) {
            Some(port) => format!("{port}/tcp or {port}/udp for the port"),
            None => String::new(),
        };
        let protocol = match protocol_number(number) {
            Some(Protocol(protocol)) => format!("{BY_NUMBER}{protocol} for the IP protocol"),
            None => String::new(),
        };
        match (port.is_empty(), protocol.is_empty()) {
            (false, false) => format!("write {port}, {protocol}"),
            (true, true) => format!("write {}", TrafficSpec::FORM),
            _ => format!("write {port}{protocol}"),
        }
    }

    fn of_protocol(protocol: Option<Protocol>) -> TrafficSpec {
        TrafficSpec {
            protocol,
            ports: None,
        }
    }
}

/// A protocol by its name. Not by its number: of a lone one nobody can tell whether a port is meant.
fn named_protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "gre" => Some(Protocol(47)),
        "esp" => Some(Protocol(50)),
        "ah" => Some(Protocol(51)),
        number if number.starts_with(|first: char| !first.is_ascii_alphabetic()) => None,
        name => Protocol::from_text(name),
    }
}

/// A protocol from 1 to 255; 0 is an option of IPv6 and means any in old documents.
fn protocol_number(text: &str) -> Option<Protocol> {
    let number = port(text)?;
    u8::try_from(number).ok().map(Protocol)
}

impl FromStr for TrafficSpec {
    type Err = NotASpec;

    fn from_str(text: &str) -> Result<Self, NotASpec> {
        if text.eq_ignore_ascii_case("any") {
            return Ok(TrafficSpec::of_protocol(None));
        }
        let by_number = text
            .get(..BY_NUMBER.len())
            .filter(|head| head.eq_ignore_ascii_case(BY_NUMBER))
            .map(|head| &text[head.len()..]);
        if let Some(number) = by_number {
            return match protocol_number(number) {
                Some(protocol) => Ok(TrafficSpec::of_protocol(Some(protocol))),
                None => wrong(text, "protocol/47, with a number from 1 to 255"),
            };
        }
        let Some((ports, protocol)) = text.split_once('/') else {
            return match named_protocol(text) {
                Some(protocol) => Ok(TrafficSpec::of_protocol(Some(protocol))),
                None if text.parse::<u64>().is_ok() => Err(NotASpec(format!(
                    "{text:?} alone is no port and no protocol; {}",
                    TrafficSpec::instead_of(text)
                ))),
                None => wrong(text, TrafficSpec::FORM),
            };
        };
        let protocol = named_protocol(protocol).filter(|protocol| protocol.has_ports());
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        match (protocol, port(first), port(last)) {
            (Some(protocol), Some(first), Some(last)) if first <= last => Ok(TrafficSpec {
                protocol: Some(protocol),
                ports: Some((first, last)),
            }),
            _ => wrong(text, TrafficSpec::FORM),
        }
    }
}

/// `nginx:80/tcp`, `172.19.6.74:53/udp`, `[fd00::5]:80/tcp`, `nginx/icmp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationSpec {
    /// An address, or the name of an endpoint, container or load balancer, or "host".
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// 0 where the protocol has no ports.
    pub port: u16,
}

impl FromStr for DestinationSpec {
    type Err = NotASpec;

    fn from_str(text: &str) -> Result<Self, NotASpec> {
        const FORM: &str = "nginx:80/tcp, 172.19.6.74:53/udp, [fd00::5]:80/tcp, nginx:5000/sctp, nginx/icmp (or icmpv6, igmp, gre, esp, ah) or nginx/protocol/47 (an IP protocol by its number)";
        let by_number = |target: &str| {
            let name = target.strip_suffix(BY_NUMBER.trim_end_matches('/'))?;
            name.strip_suffix('/').map(str::len)
        };
        let (target, protocol) = match text.rsplit_once('/') {
            Some((target, number)) if by_number(target).is_some() => (
                &target[..by_number(target).unwrap_or(0)],
                protocol_number(number),
            ),
            Some((_, number)) if number.parse::<u64>().is_ok() => {
                return Err(NotASpec(format!(
                    "{text:?}: {number} alone is no port and no protocol; {}",
                    TrafficSpec::instead_of(number)
                )));
            }
            Some((target, protocol)) => (target, named_protocol(protocol)),
            None => (text, Some(Protocol::TCP)),
        };
        let Some(protocol) = protocol else {
            return wrong(text, FORM);
        };
        if protocol.has_ports() && !target.contains(':') && !target.is_empty() {
            return Err(NotASpec(format!(
                "{text:?} names no port, and {protocol} has ports; write {target}:80/{protocol}, with the port that is meant"
            )));
        }
        let (name, port) = match protocol.has_ports() {
            true => match target.rsplit_once(':') {
                Some((name, number)) => (name, port(number)),
                None => ("", None),
            },
            // A colon belongs to an IPv6 address; behind a name it would be a port, which there is none of.
            false => match target.contains(':') && bare(target).parse::<IpAddr>().is_err() {
                true => ("", None),
                false => (target, Some(0)),
            },
        };
        match port {
            Some(port) if !bare(name).is_empty() => Ok(DestinationSpec {
                name: bare(name).to_owned(),
                protocol,
                port,
            }),
            _ => wrong(text, FORM),
        }
    }
}

/// A name, or an address without its brackets.
fn bare(name: &str) -> &str {
    let inner = name.strip_prefix('[');
    inner
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        assert_eq!(
            "80/tcp".parse(),
            Ok(PortSpec {
                port: 80,
                protocol: Protocol::TCP
            })
        );
        assert_eq!(
            "80".parse(),
            Ok(PortSpec {
                port: 80,
                protocol: Protocol::TCP
            })
        );
        let published: PublishSpec = "8080:80/udp".parse().unwrap();
        assert_eq!(
            (
                published.host,
                published.container.port,
                published.container.protocol
            ),
            (8080, 80, Protocol::UDP)
        );
        assert_eq!(
            "8000-8080/tcp".parse(),
            Ok(TrafficSpec {
                protocol: Some(Protocol::TCP),
                ports: Some((8000, 8080))
            })
        );
        assert_eq!(
            "icmp".parse(),
            Ok(TrafficSpec {
                protocol: Some(Protocol::ICMP),
                ports: None
            })
        );
        assert_eq!(
            "any".parse(),
            Ok(TrafficSpec {
                protocol: None,
                ports: None
            })
        );
        let six: DestinationSpec = "[fd00::5]:80/tcp".parse().unwrap();
        assert_eq!((six.name.as_str(), six.port), ("fd00::5", 80));
        let gre = |text: &str| text.parse::<DestinationSpec>().unwrap().protocol;
        assert_eq!(
            (
                gre("nginx/gre"),
                gre("nginx/protocol/47"),
                gre("[fd00::5]/protocol/47")
            ),
            (Protocol(47), Protocol(47), Protocol(47))
        );
        assert_eq!(
            "nginx/icmp".parse(),
            Ok(DestinationSpec {
                name: "nginx".into(),
                protocol: Protocol::ICMP,
                port: 0
            })
        );
    }

    #[test]
    fn a_number_says_whether_it_is_a_port_or_a_protocol() {
        let spec = |text: &str| text.parse::<TrafficSpec>().map(|spec| spec.protocol);
        for (text, number) in [
            ("protocol/47", 47),
            ("protocol/6", 6),
            ("Protocol/255", 255),
            ("gre", 47),
            ("ESP", 50),
            ("ah", 51),
            ("sctp", 132),
            ("igmp", 2),
            ("icmpv6", 58),
        ] {
            assert_eq!(spec(text), Ok(Some(Protocol(number))), "{text}");
        }
        let said = |text: &str| text.parse::<TrafficSpec>().unwrap_err().to_string();
        assert_eq!(
            said("47"),
            "\"47\" alone is no port and no protocol; write 47/tcp or 47/udp for the port, protocol/47 for the IP protocol"
        );
        assert_eq!(
            said("8080"),
            "\"8080\" alone is no port and no protocol; write 8080/tcp or 8080/udp for the port"
        );
        assert!(said("0").contains("write 80/tcp"), "{}", said("0"));
        assert!(said("70000").contains("write 80/tcp"), "{}", said("70000"));
        let said = |text: &str| text.parse::<DestinationSpec>().unwrap_err().to_string();
        for (text, instead) in [
            ("nginx", "write nginx:80/tcp"),
            ("nginx/udp", "write nginx:80/udp"),
            ("nginx/protocol/132", "write nginx:80/sctp"),
        ] {
            assert!(said(text).contains(instead), "{}", said(text));
        }
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for text in ["0/tcp", "70000/tcp", "+80/tcp", "80/icmp", "http/tcp", ""] {
            assert!(text.parse::<PortSpec>().is_err(), "{text}");
        }
        for text in [
            "80",
            "0",
            "6",
            "17",
            "47",
            "58",
            "256",
            "90-80/tcp",
            "80/icmp",
            "80/6",
            "80-/tcp",
            "protocol/0",
            "protocol/256",
            "protocol/+5",
            "protocol/",
            "protocol/tcp",
            "nonsense",
            "",
        ] {
            assert!(text.parse::<TrafficSpec>().is_err(), "{text}");
        }
        for text in [
            "nginx",
            ":80/tcp",
            "nginx:80/icmp",
            "/icmp",
            "nginx/47",
            "nginx/protocol/0",
            "/protocol/47",
        ] {
            assert!(text.parse::<DestinationSpec>().is_err(), "{text}");
        }
    }
}
