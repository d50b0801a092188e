// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the functions take and give, under the names of the Windows headers.
//!
//! Source: hns-behaviour 1.2.1. Enumerations are numbers with constants, since a caller may pass any number.

#![allow(
    non_camel_case_types,
    clippy::upper_case_acronyms,
    reason = "the names are those of the Windows headers"
)]

use core::ffi::c_void;

use crate::GUID;

/// Zero or more where a call succeeded, negative where it failed.
pub type HRESULT = i32;
/// NUL-terminated UTF-16 that is read.
pub type PCWSTR = *const u16;
/// NUL-terminated UTF-16 that belongs to whoever received it.
pub type PWSTR = *mut u16;
/// An id, by reference.
pub type REFGUID = *const GUID;
/// 32 bits.
pub type DWORD = u32;
/// 32 bits, whatever the C compiler makes of `long`.
pub type ULONG = u32;
/// 16 bits.
pub type USHORT = u16;
/// Anything: the context of a callback.
pub type PVOID = *mut c_void;
/// A reservation of ports.
pub type HANDLE = *mut c_void;

/// An open network.
pub type HCN_NETWORK = *mut c_void;
/// Where an open network is put.
pub type PHCN_NETWORK = *mut HCN_NETWORK;
/// An open endpoint.
pub type HCN_ENDPOINT = *mut c_void;
/// Where an open endpoint is put.
pub type PHCN_ENDPOINT = *mut HCN_ENDPOINT;
/// An open namespace.
pub type HCN_NAMESPACE = *mut c_void;
/// Where an open namespace is put.
pub type PHCN_NAMESPACE = *mut HCN_NAMESPACE;
/// An open load balancer.
pub type HCN_LOADBALANCER = *mut c_void;
/// Where an open load balancer is put.
pub type PHCN_LOADBALANCER = *mut HCN_LOADBALANCER;
/// An open SDN route; the name is ours, since no header has one.
pub type HCN_SDNROUTE = *mut c_void;
/// Where an open SDN route is put.
pub type PHCN_SDNROUTE = *mut HCN_SDNROUTE;
/// An open guest network service.
pub type HCN_GUESTNETWORKSERVICE = *mut c_void;
/// Where an open guest network service is put.
pub type PHCN_GUESTNETWORKSERVICE = *mut HCN_GUESTNETWORKSERVICE;
/// A registered callback.
pub type HCN_CALLBACK = *mut c_void;

/// Called on a thread of the library: the type of the notification ([`notification`]), the context of the registration, a status, and
/// JSON that is valid until the callback returns, or NULL. The callback itself may be NULL in a call that is refused.
pub type HCN_NOTIFICATION_CALLBACK = Option<
    unsafe extern "system" fn(
        notification_type: DWORD,
        context: PVOID,
        notification_status: HRESULT,
        notification_data: PCWSTR,
    ),
>;

/// Which protocol a port is reserved for: [`port_protocol`].
pub type HCN_PORT_PROTOCOL = u32;
/// How a port is reserved: [`port_access`].
pub type HCN_PORT_ACCESS = u32;

/// A range of reserved ports; both ends belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct HCN_PORT_RANGE_RESERVATION {
    /// The first port.
    pub starting_port: USHORT,
    /// The last port.
    pub ending_port: USHORT,
}

/// One reservation in the listing of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct HCN_PORT_RANGE_ENTRY {
    /// Whose reservation it is.
    pub owning_partition_id: GUID,
    /// Where its traffic goes.
    pub target_partition_id: GUID,
    /// The protocol.
    pub protocol: HCN_PORT_PROTOCOL,
    /// Its priority.
    pub priority: u64,
    /// Its type.
    pub reservation_type: u32,
    /// How it is shared.
    pub sharing_flags: u32,
    /// How its traffic is delivered.
    pub delivery_mode: u32,
    /// The first port.
    pub starting_port: u16,
    /// The last port.
    pub ending_port: u16,
}

/// Values of `HRESULT` that the border itself speaks of.
pub mod hresult {
    use super::HRESULT;

    /// Success.
    pub const S_OK: HRESULT = 0;

    /// Whether a call failed.
    pub fn failed(result: HRESULT) -> bool {
        result < 0
    }
}

/// Values of `HCN_NOTIFICATIONS`. The step from 9 to 0x10 is real.
pub mod notification {
    use super::DWORD;

    /// None.
    pub const INVALID: DWORD = 0;
    /// Before a network is made.
    pub const NETWORK_PRE_CREATE: DWORD = 1;
    /// A network was made.
    pub const NETWORK_CREATE: DWORD = 2;
    /// Just before a network is deleted.
    pub const NETWORK_PRE_DELETE: DWORD = 3;
    /// A network was deleted.
    pub const NETWORK_DELETE: DWORD = 4;
    /// A namespace was made.
    pub const NAMESPACE_CREATE: DWORD = 5;
    /// A namespace was deleted.
    pub const NAMESPACE_DELETE: DWORD = 6;
    /// A guest network service was made.
    pub const GUEST_NETWORK_SERVICE_CREATE: DWORD = 7;
    /// A guest network service was deleted.
    pub const GUEST_NETWORK_SERVICE_DELETE: DWORD = 8;
    /// An endpoint was attached.
    pub const NETWORK_ENDPOINT_ATTACHED: DWORD = 9;
    /// An endpoint was detached.
    pub const NETWORK_ENDPOINT_DETACHED: DWORD = 0x10;
    /// A guest network service changed its state.
    pub const GUEST_NETWORK_SERVICE_STATE_CHANGED: DWORD = 0x11;
    /// An interface of a guest network service changed its state.
    pub const GUEST_NETWORK_SERVICE_INTERFACE_STATE_CHANGED: DWORD = 0x12;
    /// The service went away; the registration is dead.
    pub const SERVICE_DISCONNECT: DWORD = 0x0100_0000;
    /// Bits that are kept for HNS.
    pub const FLAGS_RESERVED: DWORD = 0xf000_0000;
}

/// Values of `HCN_PORT_PROTOCOL`.
pub mod port_protocol {
    use super::HCN_PORT_PROTOCOL;

    /// TCP.
    pub const TCP: HCN_PORT_PROTOCOL = 1;
    /// UDP.
    pub const UDP: HCN_PORT_PROTOCOL = 2;
    /// Both.
    pub const BOTH: HCN_PORT_PROTOCOL = 3;
}

/// Values of `HCN_PORT_ACCESS`.
pub mod port_access {
    use super::HCN_PORT_ACCESS;

    /// For one owner.
    pub const EXCLUSIVE: HCN_PORT_ACCESS = 1;
    /// For several.
    pub const SHARED: HCN_PORT_ACCESS = 2;
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::*;

    /// By hand, with the alignment rules of C: 16 + 16 + 4 + 4 (gap) + 8 + 3 · 4 + 2 · 2 = 64.
    #[test]
    fn the_members_of_an_entry_are_where_c_puts_them() {
        assert_eq!(offset_of!(HCN_PORT_RANGE_ENTRY, target_partition_id), 16);
        assert_eq!(offset_of!(HCN_PORT_RANGE_ENTRY, protocol), 32);
        assert_eq!(offset_of!(HCN_PORT_RANGE_ENTRY, priority), 40);
        assert_eq!(offset_of!(HCN_PORT_RANGE_ENTRY, starting_port), 60);
        assert_eq!(offset_of!(HCN_PORT_RANGE_ENTRY, ending_port), 62);
        assert_eq!(size_of::<HCN_PORT_RANGE_ENTRY>(), 64);
        assert_eq!(size_of::<HCN_PORT_RANGE_RESERVATION>(), 4);
    }

    #[test]
    fn a_callback_is_as_wide_as_a_pointer_and_may_be_null() {
        assert_eq!(size_of::<HCN_NOTIFICATION_CALLBACK>(), size_of::<PVOID>());
    }
}
