// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a rule or a set is refused: the field, its value, the reason, and what to do.
//!
//! Apart because the sentences are read by people; every one names the field and says what would be right.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;

/// A field of an ACL, of a tier or of an IP set that has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct AclFault {
    /// The rule of a tier, by its place in `TierAclRules`.
    pub rule: Option<usize>,
    /// Name of the field, e.g. `LocalAddresses`.
    pub field: &'static str,
    /// What is wrong with it, or with one item of its list; empty where the field is missing.
    pub value: String,
    /// Why.
    pub reason: Wrong,
}

/// Why a value has no meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The field is required.
    Missing {
        /// What it may be.
        expected: &'static str,
    },
    /// The value has another shape, or is out of range.
    Unreadable {
        /// What it may be.
        expected: &'static str,
    },
    /// `Pass` outside a tier.
    PassOutsideTier,
    /// An item of a list is empty.
    EmptyItem,
    /// The name of a protocol, with its number.
    ProtocolName(u8),
    /// Neither a protocol number nor 256.
    NotAProtocol,
    /// Neither a port nor a range of ports.
    NotAPort,
    /// A range whose end is before its start.
    BackwardRange,
    /// A word for every address.
    AnyWord,
    /// `a-b`.
    AddressRange,
    /// A prefix length that the family does not have.
    PrefixLength(u8),
    /// A CIDR with bits set behind its prefix.
    HostBits {
        /// The subnet that may be meant.
        subnet: IpNet,
        /// The address that may be meant.
        address: IpAddr,
    },
    /// Neither an address nor a CIDR nor the id of a set of the network.
    UnknownAddress,
    /// A set that is not there (yet).
    UnknownSet,
    /// A priority over 65500.
    PriorityTooHigh,
    /// A Switch rule with priority 0 or none.
    PriorityZero,
}

impl AclFault {
    pub(crate) fn new(field: &'static str, value: impl Into<String>, reason: Wrong) -> Self {
        AclFault {
            rule: None,
            field,
            value: value.into(),
            reason,
        }
    }

    /// JSON pointer from the policy's settings.
    pub fn pointer(&self) -> String {
        match self.rule {
            Some(rule) => format!("/TierAclRules/{rule}/{}", self.field),
            None => format!("/{}", self.field),
        }
    }

    /// Whether a stored rule still has a meaning with this fault; see [`super`].
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self.reason, Wrong::ProtocolName(_) | Wrong::HostBits { .. })
    }

    fn sentence(&self) -> String {
        let field = match self.rule {
            Some(rule) => format!("rule {rule} of the tier: {}", self.field),
            None => self.field.to_owned(),
        };
        let value = Quoted(&self.value);
        match &self.reason {
            Wrong::Missing { expected } => format!("{field} is missing; it must be {expected}"),
            Wrong::Unreadable { expected } => {
                format!("{field}: {value} cannot be read; it must be {expected}")
            }
            Wrong::PassOutsideTier => {
                format!(
                    "{field}: {value} is for the rules of a TierAcl; here it must be Allow or Block"
                )
            }
            Wrong::EmptyItem => format!(
                "{field} has an empty item; leave the whole field out to mean every value, or take the comma away"
            ),
            Wrong::ProtocolName(number) => {
                format!("{field}: {value} is a name; write the protocol's number, {number}")
            }
            Wrong::NotAProtocol => format!(
                "{field}: {value} is no protocol; write numbers from 0 to 255 joined by commas, or 256 for any"
            ),
            Wrong::NotAPort => format!(
                "{field}: {value} is no port; write numbers from 0 to 65535, or ranges such as 8000-8080, joined by commas"
            ),
            Wrong::BackwardRange => {
                format!(
                    "{field}: the range {value} ends before it starts; write the lower port first"
                )
            }
            Wrong::AnyWord => {
                format!("{field}: {value} is no address; leave the field out to mean every address")
            }
            Wrong::AddressRange => {
                format!(
                    "{field}: {value} looks like a range; write CIDRs such as 10.0.0.0/24 instead"
                )
            }
            Wrong::PrefixLength(length) => {
                format!(
                    "{field}: {value} has a prefix length over {length}, the most that this family has"
                )
            }
            Wrong::HostBits { subnet, address } => {
                format!(
                    "{field}: {value} has host bits set; write {subnet} for the subnet, or {address} for the one address"
                )
            }
            Wrong::UnknownAddress => format!(
                "{field}: {value} is no address, no CIDR and no id of a SetPolicy of the network; correct it, or add the set first"
            ),
            Wrong::UnknownSet => {
                format!(
                    "{field}: {value} is no id of a SetPolicy of the network; add that set first"
                )
            }
            Wrong::PriorityTooHigh => {
                format!(
                    "{field}: {value} is over 65500, the highest number with which a rule works; lower numbers are stronger"
                )
            }
            Wrong::PriorityZero => {
                format!(
                    "{field} is 0 or missing on a Switch rule; write a number from 1 to 65500, lower is stronger"
                )
            }
        }
    }
}

/// A value in quotation marks, cut where it is long: a field may hold megabytes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}
