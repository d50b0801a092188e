// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the lists of a rule: texts joined by commas, as hns-behaviour 4.7 has them.
//!
//! Apart from the rule because IP sets hold such lists too. A text that is empty or blank means no condition; an empty item inside a list
//! has no meaning and is a fault, so that a lone comma cannot turn a narrow rule into one for everything.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::{
    Reading,
    fault::{AclFault, Wrong},
};
use crate::{classifier::ProtocolSet, flow::Protocol};

/// Addresses of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Addresses and CIDRs, of both families.
    pub prefixes: Vec<IpNet>,
    /// Ids of IP sets.
    pub sets: Vec<String>,
}

impl Addresses {
    /// Whether the field names nothing and so means every address.
    pub fn is_any(&self) -> bool {
        self.prefixes.is_empty() && self.sets.is_empty()
    }
}

/// The items of a list, each with its fault where it is empty; nothing for a blank text.
pub(super) fn items<'a>(
    field: &'static str,
    text: &'a str,
) -> impl Iterator<Item = Result<&'a str, AclFault>> {
    let text = trimmed(text);
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let list = rest?;
        let comma = list.bytes().position(|byte| byte == b',');
        let item = comma.map_or(list, |comma| &list[..comma]);
        rest = comma.map(|comma| &list[comma + 1..]);
        Some(match trimmed(item) {
            "" => Err(AclFault::new(field, "", Wrong::EmptyItem)),
            item => Ok(item),
        })
    })
}

/// The text without white space around it, of which there is mostly none.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [only] | [only, .., _] if !only.is_ascii_graphic() => text.trim(),
        [.., last] if last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// A number in digits alone: Rust takes a sign, HNS has none.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Protocol numbers; empty or 256 means any.
pub(super) fn protocols(
    field: &'static str,
    text: &str,
    reading: &mut Reading,
) -> Result<ProtocolSet, AclFault> {
    const ANY: u16 = 256;
    let mut set = ProtocolSet::NONE;
    for item in items(field, text) {
        let item = item?;
        match number::<u16>(item) {
            Some(ANY) => set = ProtocolSet::ALL,
            Some(protocol @ 0..=255) => set.insert(protocol as u8),
            _ => match Protocol::from_text(item).filter(|_| !item.starts_with('+')) {
                Some(Protocol(protocol)) => {
                    let reason = Wrong::ProtocolName(protocol);
                    reading.tolerate(AclFault::new(field, item, reason))?;
                    set.insert(protocol);
                }
                None => return Err(AclFault::new(field, item, Wrong::NotAProtocol)),
            },
        }
    }
    Ok(match set {
        ProtocolSet::NONE => ProtocolSet::ALL,
        set => set,
    })
}

/// Ports and ranges of ports.
pub(super) fn ports(field: &'static str, text: &str) -> Result<Vec<(u16, u16)>, AclFault> {
    items(field, text)
        .map(|item| port_range(field, item?))
        .collect()
}

/// One port or range of ports.
pub(super) fn port_range(field: &'static str, item: &str) -> Result<(u16, u16), AclFault> {
    let not_a_port = || AclFault::new(field, item, Wrong::NotAPort);
    let Some((first, last)) = item.split_once('-') else {
        let port = number(trimmed(item)).ok_or_else(not_a_port)?;
        return Ok((port, port));
    };
    let first = number(trimmed(first)).ok_or_else(not_a_port)?;
    let last = number(trimmed(last)).ok_or_else(not_a_port)?;
    if first <= last {
        Ok((first, last))
    } else {
        Err(AclFault::new(field, item, Wrong::BackwardRange))
    }
}

/// Addresses, CIDRs and ids of sets.
pub(super) fn addresses(
    field: &'static str,
    text: &str,
    is_set: &dyn Fn(&str) -> bool,
    reading: &mut Reading,
) -> Result<Addresses, AclFault> {
    let mut addresses = Addresses::default();
    for item in items(field, text) {
        let item = item?;
        if is_set(item) {
            addresses.sets.push(item.to_owned());
        } else {
            addresses.prefixes.push(prefix(field, item, reading)?);
        }
    }
    Ok(addresses)
}

/// An address as the standard library reads it, which takes longer for the most usual ones.
fn address(text: &str) -> Option<IpAddr> {
    match quad(text) {
        Some(address) => Some(address.into()),
        None => text.parse().ok(),
    }
}

/// Four numbers without signs or zeros before them.
fn quad(text: &str) -> Option<Ipv4Addr> {
    let (mut octets, mut place, mut digits) = ([0u8; 4], 0, 0);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits == 0 || octets[place] != 0 => {
                octets[place] = octets[place].checked_mul(10)?.checked_add(byte - b'0')?;
                digits += 1;
            }
            b'.' if digits > 0 && place < 3 => {
                place += 1;
                digits = 0;
            }
            _ => return None,
        }
    }
    (place == 3 && digits > 0).then(|| octets.into())
}

/// One address or CIDR.
pub(super) fn prefix(
    field: &'static str,
    item: &str,
    reading: &mut Reading,
) -> Result<IpNet, AclFault> {
    let fault = |reason| AclFault::new(field, item, reason);
    let Some((address, length)) = item.split_once('/') else {
        if let Some(address) = address(item) {
            return Ok(address.into());
        }
        let is_range = item
            .split_once('-')
            .is_some_and(|(first, _)| first.trim().parse::<IpAddr>().is_ok());
        let reason = if is_range {
            Wrong::AddressRange
        } else if ["any", "all", "*"].contains(&item.to_ascii_lowercase().as_str()) {
            Wrong::AnyWord
        } else {
            Wrong::UnknownAddress
        };
        return Err(fault(reason));
    };
    let (Some(address), Some(length)) = (self::address(address), number::<u32>(length)) else {
        return Err(fault(Wrong::UnknownAddress));
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let Some(network) = u8::try_from(length)
        .ok()
        .and_then(|length| IpNet::new(address, length).ok())
    else {
        return Err(fault(Wrong::PrefixLength(longest)));
    };
    let subnet = network.trunc();
    if subnet != network {
        reading.tolerate(fault(Wrong::HostBits { subnet, address }))?;
    }
    Ok(subnet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn addresses_are_those_of_the_standard_library(
            text in r"([0-9]{1,4}\.){2,4}[0-9]{0,3}|[.0-9+: ]{0,12}",
        ) {
            prop_assert_eq!(quad(&text), text.parse().ok());
        }
    }
}
