// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports of the host that a guest network service keeps for its guest.
//!
//! Apart from the objects because a reservation is no object: it has no document, and a number leads to it where Windows has a `HANDLE`.
//! Source: hns-behaviour 1.2 and 1.2.1.

use hcn_schema::Guid;

/// `HCN_PORT_PROTOCOL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PortProtocol {
    /// TCP.
    Tcp = 1,
    /// UDP.
    Udp = 2,
    /// TCP and UDP.
    Both = 3,
}

impl PortProtocol {
    /// The protocol with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Both]
            .into_iter()
            .find(|protocol| *protocol as u32 == number)
    }

    /// IANA numbers of the protocols.
    pub fn iana(self) -> &'static [u32] {
        match self {
            PortProtocol::Tcp => &[6],
            PortProtocol::Udp => &[17],
            PortProtocol::Both => &[6, 17],
        }
    }
}

/// `HCN_PORT_ACCESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PortAccess {
    /// Nobody else gets the port.
    Exclusive = 1,
    /// Others that ask for shared access get the port too.
    Shared = 2,
}

impl PortAccess {
    /// The access with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        [PortAccess::Exclusive, PortAccess::Shared]
            .into_iter()
            .find(|access| *access as u32 == number)
    }
}

/// `HCN_PORT_RANGE_RESERVATION`: both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

/// What leads to a reservation again; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortReservation(pub u64);

/// `HCN_PORT_RANGE_ENTRY`: a reservation as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRangeEntry {
    /// Whose it is: the guest network service's partition.
    pub owning_partition: Guid,
    /// Where the traffic goes.
    pub target_partition: Guid,
    /// Of which protocol.
    pub protocol: PortProtocol,
    /// Lower is stronger.
    pub priority: u64,
    /// Type number.
    pub reservation_type: u32,
    /// Sharing bits.
    pub sharing_flags: u32,
    /// How traffic is delivered.
    pub delivery_mode: u32,
    /// The ports.
    pub ports: PortRange,
}
