// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rule that is plainly written, put to single packets without making anything of it.
//!
//! Apart from [`Rule`](super::Rule), which is made to be kept: of ten thousand rules a question about one flow wants to know only what each fails
//! in. What is said here is what the rule's [`Conditions`](crate::classifier::Conditions) say; texts that need a second look have no answer here.

use hcn_schema::policy::{AclAction, AclRuleType};

use super::{Reading, list};
use crate::{
    classifier::{Address, Mismatch, Packet, ProtocolSet},
    flow::{Direction, Protocol},
};

/// The members of an `ACL`, as they are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<'t> {
    pub(crate) action: AclAction,
    pub(crate) direction: Direction,
    pub(crate) rule_type: Option<AclRuleType>,
    pub(crate) priority: u16,
    pub(crate) protocols: &'t str,
    pub(crate) local_addresses: &'t str,
    pub(crate) remote_addresses: &'t str,
    pub(crate) local_ports: &'t str,
    pub(crate) remote_ports: &'t str,
}

impl Plain<'_> {
    /// What keeps the rule from matching a packet; `None` where a field names a set or is not as HNS would take it.
    pub(crate) fn mismatch<A: Address>(
        &self,
        packet: &Packet<A>,
        is_set: &dyn Fn(&str) -> bool,
    ) -> Option<Mismatch> {
        let mut protocols = list::protocols("", self.protocols, &mut Reading::Admission).ok()?;
        let (local_port, remote_port) = match packet.ports {
            Some((local, remote)) => (Some(local), Some(remote)),
            None => (None, None),
        };
        let local_ports = takes_port(self.local_ports, local_port)?;
        let remote_ports = takes_port(self.remote_ports, remote_port)?;
        if local_ports.is_some() || remote_ports.is_some() {
            protocols = protocols.filter_with_ports();
        }
        let local = takes_address(self.local_addresses, packet.local, is_set)?;
        let remote = takes_address(self.remote_addresses, packet.remote, is_set)?;
        let is_never = protocols == ProtocolSet::NONE
            || local == Takes::NoneOfFamily
            || remote == Takes::NoneOfFamily;
        if is_never {
            return Some(Mismatch::NEVER);
        }
        let failed = [
            (
                !protocols.contains(packet.protocol),
                Mismatch::PROTOCOL.bits(),
            ),
            (local == Takes::Others, Mismatch::LOCAL.bits()),
            (remote == Takes::Others, Mismatch::REMOTE.bits()),
            (local_ports == Some(false), Mismatch::LOCAL_PORT.bits()),
            (remote_ports == Some(false), Mismatch::REMOTE_PORT.bits()),
        ];
        let failed = failed.into_iter().filter(|(fails, _)| *fails);
        Some(Mismatch::from_bits(
            failed.fold(0, |bits, (_, bit)| bits | bit),
        ))
    }
}

/// What an address field does with an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// It takes it.
    It,
    /// It takes others of its family.
    Others,
    /// It takes no address of its family.
    NoneOfFamily,
}

fn takes_address<A: Address>(
    text: &str,
    address: A,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<Takes> {
    let mut takes = None;
    for item in list::items("", text) {
        let item = item.ok()?;
        if is_set(item) {
            return None;
        }
        let prefix = list::prefix("", item, &mut Reading::Admission).ok()?;
        let here = match A::span(&prefix) {
            Some((first, last)) if first <= address && address <= last => Takes::It,
            Some(_) => Takes::Others,
            None => Takes::NoneOfFamily,
        };
        takes = Some(match (takes, here) {
            (Some(Takes::It), _) | (_, Takes::It) => Takes::It,
            (Some(Takes::Others), _) | (_, Takes::Others) => Takes::Others,
            (Some(Takes::NoneOfFamily) | None, Takes::NoneOfFamily) => Takes::NoneOfFamily,
        });
    }
    Some(takes.unwrap_or(Takes::It))
}

/// Whether a port field takes a packet's port, where it names any.
fn takes_port(text: &str, port: Option<u16>) -> Option<Option<bool>> {
    let mut takes = None;
    for item in list::items("", text) {
        let (first, last) = list::port_range("", item.ok()?).ok()?;
        let here = port.is_some_and(|port| first <= port && port <= last);
        takes = Some(takes.unwrap_or(false) | here);
    }
    Some(takes)
}

impl ProtocolSet {
    /// Those of the protocols that have ports.
    fn filter_with_ports(self) -> Self {
        let mut kept = ProtocolSet::NONE;
        [Protocol::TCP, Protocol::UDP, Protocol::SCTP]
            .into_iter()
            .filter(|protocol| self.contains(protocol.0))
            .for_each(|protocol| kept.insert(protocol.0));
        kept
    }
}
