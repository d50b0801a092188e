// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents: the parts that a command line says in a word, and what a document that somebody else wrote is about.
//!
//! Apart because these are pure functions of text. Nothing here refuses what HNS should judge.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hcn::{
    Kind,
    schema::{Guid, namespace::NamespaceType, network::NetworkType},
};
use serde_json::{Value, de::Deserializer, json};

use crate::listing::{self, member};

/// `Ipams` with one subnet and its default route.
pub(super) fn ipams(subnet: &str, gateway: Option<&str>) -> Value {
    let gateway = gateway.map(str::to_owned).or_else(|| first_host(subnet));
    let mut entry = json!({"IpAddressPrefix": subnet});
    if let Some(gateway) = gateway {
        let everywhere = if gateway.contains(':') {
            "::/0"
        } else {
            "0.0.0.0/0"
        };
        entry["Routes"] = json!([{"NextHop": gateway, "DestinationPrefix": everywhere}]);
    }
    json!([{"Type": "Static", "Subnets": [entry]}])
}

/// `Dns` with servers and a suffix.
pub(super) fn dns(servers: &[String], suffix: Option<&str>) -> Value {
    let mut dns = json!({});
    if let Some(suffix) = suffix {
        // What version 1, and so Get-HnsEndpoint, calls DNSSuffix.
        dns["Search"] = json!([suffix]);
    }
    if !servers.is_empty() {
        dns["ServerList"] = json!(servers);
    }
    dns
}

/// The first host address of a CIDR; `None` where there is none, or where the text is no CIDR and HNS will say so.
fn first_host(subnet: &str) -> Option<String> {
    let (address, length) = subnet.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(four) if length <= 30 => {
            let network = u32::from(four) & u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Some(Ipv4Addr::from(network | 1).to_string())
        }
        IpAddr::V6(six) if length <= 126 => {
            let network = u128::from(six) & u128::MAX.checked_shl(128 - length).unwrap_or(0);
            Some(Ipv6Addr::from(network | 1).to_string())
        }
        _ => None,
    }
}

/// The kind of a document; `None` where its members leave it open.
pub(super) fn kind(value: &Value) -> Option<Kind> {
    match listing::Kind::of(value) {
        listing::Kind::Network => return Some(Kind::Network),
        listing::Kind::Endpoint => return Some(Kind::Endpoint),
        listing::Kind::Namespace => return Some(Kind::Namespace),
        listing::Kind::LoadBalancer => return Some(Kind::LoadBalancer),
        listing::Kind::Unknown => {}
    }
    // A number is a type of both kinds, so only words tell.
    let word = member(value, "Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if NetworkType::from_text(word).is_some() {
        Some(Kind::Network)
    } else if NamespaceType::from_text(word).is_some() || member(value, "Resources").is_some() {
        Some(Kind::Namespace)
    } else if member(value, "VirtualNetworkName").is_some() {
        Some(Kind::Endpoint)
    } else {
        None
    }
}

/// The network that an endpoint's document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NamedNetwork {
    /// By its id.
    Id(Guid),
    /// By its name, as docker does.
    Name(String),
    /// By a text that should be an id.
    Odd {
        /// The member.
        field: &'static str,
        /// Its text.
        text: String,
    },
}

/// The network that an endpoint's document names; `None` where it names none.
pub(super) fn network(value: &Value) -> Option<NamedNetwork> {
    let text = |field| {
        member(value, field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    for field in ["HostComputeNetwork", "VirtualNetwork"] {
        if let Some(text) = text(field) {
            return Some(match text.parse() {
                Ok(id) => NamedNetwork::Id(id),
                Err(_) => NamedNetwork::Odd {
                    field,
                    text: text.to_owned(),
                },
            });
        }
    }
    text("VirtualNetworkName").map(|name| NamedNetwork::Name(name.to_owned()))
}

/// The documents of a text: those of a list, each as it is written, or the text as a whole.
pub(super) fn split(text: &str) -> Vec<(&str, Value)> {
    let whole: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        // HNS says what is wrong with it.
        Err(_) => return vec![(text, Value::Null)],
    };
    let Value::Array(items) = whole else {
        return vec![(text.trim(), whole)];
    };
    let separators = |character: char| character.is_ascii_whitespace() || character == ',';
    let mut rest = text.trim_start().strip_prefix('[').unwrap_or_default();
    let mut documents = Vec::with_capacity(items.len());
    for item in items {
        rest = rest.trim_start_matches(separators);
        // The list was read as a whole, so each of its items ends where the reader of one says.
        let mut reader = Deserializer::from_str(rest).into_iter::<Value>();
        let length = reader.next().map_or(0, |_| reader.byte_offset());
        documents.push((&rest[..length], item));
        rest = &rest[length..];
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_a_list_are_not_touched() {
        let text = " [ {\"a\" : 1.50,\"b\":\"],\\\"\"} ,7,[1, 2],\n{} ]\n";
        let texts: Vec<&str> = split(text).into_iter().map(|(text, _)| text).collect();
        assert_eq!(
            texts,
            ["{\"a\" : 1.50,\"b\":\"],\\\"\"}", "7", "[1, 2]", "{}"]
        );
        assert_eq!(split("[]"), []);
        assert_eq!(split(""), [("", Value::Null)]);
        assert_eq!(split("[{}, {]"), [("[{}, {]", Value::Null)]);
        assert_eq!(split("\t{ }\n"), [("{ }", json!({}))]);
    }

    #[test]
    fn members_tell_the_kind() {
        for (text, expected) in [
            (r#"{"HostComputeNetwork": "x"}"#, Some(Kind::Endpoint)),
            (r#"{"virtualnetworkname": "nat"}"#, Some(Kind::Endpoint)),
            (r#"{"IPAddress": "10.0.0.1"}"#, Some(Kind::Endpoint)),
            (r#"{"Type": "nat", "Name": "a"}"#, Some(Kind::Network)),
            (r#"{"Ipams": []}"#, Some(Kind::Network)),
            (r#"{"Type": "Host"}"#, Some(Kind::Namespace)),
            (r#"{"Resources": []}"#, Some(Kind::Namespace)),
            (r#"{"HostComputeEndpoints": []}"#, Some(Kind::LoadBalancer)),
            (r#"{"Type": 0, "Name": "a"}"#, None),
            ("{}", None),
            ("7", None),
        ] {
            assert_eq!(
                kind(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn the_gateway_is_the_first_host_of_the_subnet() {
        for (subnet, host) in [
            ("172.20.16.0/20", Some("172.20.16.1")),
            // Host bits: HNS refuses the subnet; here they only must not confuse.
            ("10.0.0.77/24", Some("10.0.0.1")),
            ("0.0.0.0/0", Some("0.0.0.1")),
            ("fd00:1::/64", Some("fd00:1::1")),
            ("10.0.0.0/31", None),
            ("10.0.0.0", None),
            ("nonsense/8", None),
            ("10.0.0.0/99", None),
        ] {
            assert_eq!(first_host(subnet).as_deref(), host, "{subnet}");
        }
    }
}
