// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the strongest of many rules that matches a packet, without looking at every rule.
//!
//! Apart from the rules themselves: here a rule is only its place in an order and the [`Conditions`] on five fields of one address family.
//! [`Classifier::first`] gives the same answer as trying the rules one after the other with [`Conditions::matches`].
//!
//! Each field (protocol, local and remote address, local and remote port) is an axis. The boundaries of all rules' intervals cut an axis
//! into classes; within a class every packet meets the same rules, which are a row of bits in the order of the rules. The rows of a
//! packet's five classes, ANDed, leave the rules that match, and the first bit is the answer. Rows are made of shared chunks of 512 bits, so
//! that ten thousand addresses whose rows differ in one rule cost ten thousand chunks and not ten thousand rows. An axis on which no rule
//! has a condition is not looked at.

mod axis;
mod chunks;
mod delta;
mod extent;
mod index;
mod live;
mod ranked;
mod trie;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::IpNet;

pub use extent::{Extent, Scalar};
pub use live::LiveClassifier;

use crate::flow::{Direction, Flow};
use axis::Locate;
use index::Index;

/// An address of one family as a number.
#[expect(
    private_bounds,
    reason = "how boundaries are searched is the classifier's own business"
)]
pub trait Address: Scalar + Locate {
    /// The address, if it is of this family.
    fn of(address: IpAddr) -> Option<Self>;

    /// First and last address of a prefix, if it is of this family.
    fn span(prefix: &IpNet) -> Option<(Self, Self)>;

    /// The one of this family.
    fn choose<'a>(v4: &'a Extent<u32>, v6: &'a Extent<u128>) -> &'a Extent<Self>;

    /// Whether an interval holds more than a site's addresses: a /16, in IPv6 a /48.
    fn is_wide(first: Self, last: Self) -> bool;

    /// Lengths of prefixes at which addresses are hashed.
    const LENGTHS: [u8; 5];

    /// So many leading bits of it, the others 0.
    #[must_use]
    fn leading(self, bits: u8) -> Self;

    /// How many leading bits two addresses have in common.
    fn in_common(self, other: Self) -> u8;
}

impl Address for u32 {
    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Some(address.into()),
            IpAddr::V6(_) => None,
        }
    }

    fn span(prefix: &IpNet) -> Option<(Self, Self)> {
        match prefix {
            IpNet::V4(prefix) => Some((prefix.network().into(), prefix.broadcast().into())),
            IpNet::V6(_) => None,
        }
    }

    fn choose<'a>(v4: &'a Extent<u32>, _: &'a Extent<u128>) -> &'a Extent<Self> {
        v4
    }

    fn is_wide(first: u32, last: u32) -> bool {
        (last - first) >> 16 != 0
    }

    const LENGTHS: [u8; 5] = [0, 8, 16, 24, 32];

    #[inline]
    fn leading(self, bits: u8) -> u32 {
        self & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
    }

    fn in_common(self, other: u32) -> u8 {
        (self ^ other).leading_zeros() as u8
    }
}

impl Address for u128 {
    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(address.into()),
        }
    }

    fn span(prefix: &IpNet) -> Option<(Self, Self)> {
        match prefix {
            IpNet::V4(_) => None,
            IpNet::V6(prefix) => Some((prefix.network().into(), prefix.broadcast().into())),
        }
    }

    fn choose<'a>(_: &'a Extent<u32>, v6: &'a Extent<u128>) -> &'a Extent<Self> {
        v6
    }

    fn is_wide(first: u128, last: u128) -> bool {
        (last - first) >> 80 != 0
    }

    const LENGTHS: [u8; 5] = [0, 32, 48, 64, 128];

    #[inline]
    fn leading(self, bits: u8) -> u128 {
        self & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
    }

    fn in_common(self, other: u128) -> u8 {
        (self ^ other).leading_zeros() as u8
    }
}

/// A set of protocol numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtocolSet([u64; 4]);

impl ProtocolSet {
    /// No protocol.
    pub const NONE: ProtocolSet = ProtocolSet([0; 4]);
    /// Every protocol.
    pub const ALL: ProtocolSet = ProtocolSet([u64::MAX; 4]);

    /// Puts a protocol in.
    pub fn insert(&mut self, protocol: u8) {
        self.0[usize::from(protocol >> 6)] |= 1 << (protocol & 63);
    }

    /// Whether a protocol is in it.
    pub fn contains(&self, protocol: u8) -> bool {
        self.0[usize::from(protocol >> 6)] & (1 << (protocol & 63)) != 0
    }

    /// The protocols that `keep` says yes to.
    #[must_use]
    pub fn filter(self, keep: impl Fn(u8) -> bool) -> Self {
        let mut kept = ProtocolSet::NONE;
        (0..=u8::MAX)
            .filter(|protocol| self.contains(*protocol) && keep(*protocol))
            .for_each(|protocol| kept.insert(protocol));
        kept
    }
}

/// What a packet must be for a rule to match it, in one family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conditions<A> {
    /// Protocols; only such as have ports where a port is asked for.
    pub protocols: ProtocolSet,
    /// Addresses of the endpoint's side.
    pub local: Extent<A>,
    /// Addresses of the other side.
    pub remote: Extent<A>,
    /// Ports of the endpoint's side.
    pub local_ports: Extent<u16>,
    /// Ports of the other side.
    pub remote_ports: Extent<u16>,
}

impl<A: Address> Conditions<A> {
    /// Which of the conditions a packet does not meet.
    pub fn mismatch(&self, packet: &Packet<A>) -> Mismatch {
        let (local_port, remote_port) = match packet.ports {
            Some((local, remote)) => (
                self.local_ports.contains(local),
                self.remote_ports.contains(remote),
            ),
            None => (
                self.local_ports == Extent::Any,
                self.remote_ports == Extent::Any,
            ),
        };
        let met = [
            (self.protocols.contains(packet.protocol), Mismatch::PROTOCOL),
            (self.local.contains(packet.local), Mismatch::LOCAL),
            (self.remote.contains(packet.remote), Mismatch::REMOTE),
            (local_port, Mismatch::LOCAL_PORT),
            (remote_port, Mismatch::REMOTE_PORT),
        ];
        met.into_iter()
            .filter(|(met, _)| !met)
            .fold(Mismatch::default(), |all, (_, one)| Mismatch(all.0 | one.0))
    }

    /// Conditions that every packet meets.
    pub fn none() -> Self {
        Conditions {
            protocols: ProtocolSet::ALL,
            local: Extent::Any,
            remote: Extent::Any,
            local_ports: Extent::Any,
            remote_ports: Extent::Any,
        }
    }

    /// Whether a packet meets all of them.
    pub fn matches(&self, packet: &Packet<A>) -> bool {
        let ports = match packet.ports {
            Some((local, remote)) => {
                self.local_ports.contains(local) && self.remote_ports.contains(remote)
            }
            None => self.local_ports == Extent::Any && self.remote_ports == Extent::Any,
        };
        ports
            && self.protocols.contains(packet.protocol)
            && self.local.contains(packet.local)
            && self.remote.contains(packet.remote)
    }
}

/// Which conditions of a rule a packet does not meet; none where the rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mismatch(u8);

impl Mismatch {
    /// Protocol.
    pub const PROTOCOL: Mismatch = Mismatch(1);
    /// Address of the endpoint's side.
    pub const LOCAL: Mismatch = Mismatch(2);
    /// Address of the other side.
    pub const REMOTE: Mismatch = Mismatch(4);
    /// Port of the endpoint's side.
    pub const LOCAL_PORT: Mismatch = Mismatch(8);
    /// Port of the other side.
    pub const REMOTE_PORT: Mismatch = Mismatch(16);
    /// No packet of the family can meet the conditions.
    pub const NEVER: Mismatch = Mismatch(32);
    /// No packet of any family can: no address is in the sets that the rule names.
    pub const NO_ADDRESS: Mismatch = Mismatch(64);

    /// Whether the rule matches.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether it has all that another one has.
    pub fn has(self, other: Mismatch) -> bool {
        self.0 & other.0 == other.0
    }

    /// A number under 128, one bit a condition.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// The conditions of such a number.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Mismatch(bits)
    }

    /// As the fields of the document have it, where sets in the one field mean the other side.
    pub(crate) fn named_by(self, sides: Sides) -> Self {
        let moved = |from: Mismatch, to: Mismatch, is_moved| match is_moved && self.has(from) {
            true => (from.0, to.0),
            false => (0, 0),
        };
        let (of_remote, in_local) = moved(Self::REMOTE, Self::LOCAL, sides.local_is_remote);
        let (of_local, in_remote) = moved(Self::LOCAL, Self::REMOTE, sides.remote_is_local);
        Mismatch((self.0 & !(of_remote | of_local)) | in_local | in_remote)
    }

    /// How many conditions are not met.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// Whose addresses a rule's fields name, where that is not what they are called (hns-behaviour 4.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    /// `LocalAddresses` names sets of the other side's, and no other field does.
    pub(crate) local_is_remote: bool,
    /// `RemoteAddresses` names sets of the endpoint's own side, and no other field does.
    pub(crate) remote_is_local: bool,
}

/// A packet as one port sees it: its own side is local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<A> {
    /// IP protocol.
    pub protocol: u8,
    /// Address of the endpoint's side.
    pub local: A,
    /// Address of the other side.
    pub remote: A,
    /// Local and remote port, where the protocol has ports.
    pub ports: Option<(u16, u16)>,
}

impl<A: Address> Packet<A> {
    /// The packet of a flow that crosses a port in a direction; `None` where its addresses are not both of this family.
    #[inline]
    pub fn of(flow: &Flow, direction: Direction) -> Option<Self> {
        let (source, destination) = (A::of(flow.source)?, A::of(flow.destination)?);
        let (local, remote, ports) = match direction {
            Direction::In => (
                destination,
                source,
                (flow.destination_port, flow.source_port),
            ),
            Direction::Out => (
                source,
                destination,
                (flow.source_port, flow.destination_port),
            ),
        };
        Some(Packet {
            protocol: flow.protocol.0,
            local,
            remote,
            ports: flow.protocol.has_ports().then_some(ports),
        })
    }
}

/// Rules of one family, strongest first, ready to be asked.
#[derive(Debug)]
pub struct Classifier<A: Address> {
    conditions: Box<[Conditions<A>]>,
    /// Only where it is faster than trying every rule.
    index: Option<Index<A>>,
}

/// Up to here trying every rule is as fast as the index and costs no memory (`benches/verdict.rs`).
const SCANNED: usize = 6;

impl<A: Address> Classifier<A> {
    /// Prepares rules, given strongest first.
    pub fn compile(conditions: Vec<Conditions<A>>) -> Self {
        let index = (conditions.len() > SCANNED).then(|| {
            let conditions: Vec<&Conditions<A>> = conditions.iter().collect();
            Index::build(&conditions)
        });
        Classifier {
            conditions: conditions.into(),
            index,
        }
    }

    /// Rules that few packets will be put to: they are tried one after the other, which needs no preparation.
    pub fn scan(conditions: Vec<Conditions<A>>) -> Self {
        Classifier {
            conditions: conditions.into(),
            index: None,
        }
    }

    /// Place of the first rule that matches.
    #[inline]
    pub fn first(&self, packet: &Packet<A>) -> Option<u32> {
        match &self.index {
            Some(index) => index.first(packet),
            None => self
                .conditions
                .iter()
                .position(|conditions| conditions.matches(packet))
                .map(|place| place as u32),
        }
    }

    /// The rules, strongest first.
    pub fn conditions(&self) -> &[Conditions<A>] {
        &self.conditions
    }

    /// Whether the rule at a place matches.
    pub fn matches(&self, place: u32, packet: &Packet<A>) -> bool {
        self.conditions
            .get(place as usize)
            .is_some_and(|conditions| conditions.matches(packet))
    }

    /// Bytes of the index; the rules themselves are not counted.
    pub fn index_bytes(&self) -> usize {
        self.index.as_ref().map_or(0, Index::bytes)
    }
}
