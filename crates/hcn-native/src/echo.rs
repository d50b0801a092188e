// SPDX-License-Identifier: MIT OR Apache-2.0
//! An echo request as `ping` of Windows sends it, without a raw socket and so without its privilege.
//!
//! Apart from TCP and UDP, which the standard library speaks. It goes out of the calling thread's compartment.

use std::{net::Ipv4Addr, time::Duration};

use hcn_api::Answer;

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The other side answered.
    Answered,
    /// Nothing did.
    TimedOut,
    /// A router, or the system, said that there is no way.
    Unreachable,
}

/// Sends one and waits.
///
/// # Errors
/// `E_NOTIMPL` where the system is not Windows; else what it says, where that is nothing about the way.
pub fn echo(to: Ipv4Addr, payload: &[u8], timeout: Duration) -> Answer<Echo> {
    system::echo(to, payload, timeout)
}

#[cfg(not(windows))]
mod system {
    use hcn_api::{HcnCode, HnsError};

    use super::*;

    pub(super) fn echo(_: Ipv4Addr, _: &[u8], _: Duration) -> Answer<Echo> {
        Err(HnsError::because(
            HcnCode::E_NOTIMPL,
            "this is not Windows, whose ping this is",
        ))
    }
}

#[cfg(windows)]
mod system {
    use std::{ffi::c_void, io, ptr};

    use hcn_api::{HcnCode, HnsError};

    use super::*;

    // ipexport.h
    const IP_SUCCESS: u32 = 0;
    const IP_DEST_NET_UNREACHABLE: u32 = 11002;
    const IP_DEST_PORT_UNREACHABLE: u32 = 11005;
    const IP_REQ_TIMED_OUT: u32 = 11010;
    const IP_TTL_EXPIRED_TRANSIT: u32 = 11013;
    // winerror.h: what a thread is told where there is no route at all.
    const ERROR_NETWORK_UNREACHABLE: u32 = 1231;
    const ERROR_HOST_UNREACHABLE: u32 = 1232;

    /// `ICMP_ECHO_REPLY`, with its options at the end.
    #[repr(C)]
    struct Reply {
        _address: u32,
        status: u32,
        _round_trip_ms: u32,
        _data_size: u16,
        _reserved: u16,
        _data: *const c_void,
        _ttl_tos_flags_size: [u8; 4],
        _options: *const u8,
    }

    #[link(name = "iphlpapi")]
    unsafe extern "system" {
        fn IcmpCreateFile() -> *mut c_void;
        fn IcmpCloseHandle(handle: *mut c_void) -> i32;
        fn IcmpSendEcho(
            handle: *mut c_void,
            to: u32,
            data: *const c_void,
            size: u16,
            options: *const c_void,
            reply: *mut c_void,
            reply_size: u32,
            timeout_ms: u32,
        ) -> u32;
    }

    /// Closes itself.
    struct File(*mut c_void);

    impl Drop for File {
        fn drop(&mut self) {
            // SAFETY: the handle is from `IcmpCreateFile` and closed once.
            unsafe {
                IcmpCloseHandle(self.0);
            }
        }
    }

    pub(super) fn echo(to: Ipv4Addr, payload: &[u8], timeout: Duration) -> Answer<Echo> {
        // SAFETY: the call takes nothing.
        let handle = unsafe { IcmpCreateFile() };
        // INVALID_HANDLE_VALUE
        if handle.is_null() || handle as isize == -1 {
            return Err(failed(&io::Error::last_os_error()));
        }
        let file = File(handle);
        let payload = &payload[..payload.len().min(1024)];
        // Room for the reply, what it echoes, an ICMP error and an IO_STATUS_BLOCK, aligned for all of them.
        let mut room = vec![0_u64; (size_of::<Reply>() + payload.len() + 8 + 16).div_ceil(8)];
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX - 1);
        // SAFETY: the handle is open, `payload` and `room` outlive the call, which waits for its end, and their sizes are as said.
        let count = unsafe {
            IcmpSendEcho(
                file.0,
                u32::from_ne_bytes(to.octets()),
                payload.as_ptr().cast(),
                payload.len() as u16,
                ptr::null(),
                room.as_mut_ptr().cast(),
                (room.len() * 8) as u32,
                timeout_ms,
            )
        };
        let error = io::Error::last_os_error();
        let status = if count == 0 {
            error.raw_os_error().unwrap_or_default() as u32
        } else {
            // SAFETY: the call says that a reply is there, and the room is large enough and aligned for it.
            unsafe { (*room.as_ptr().cast::<Reply>()).status }
        };
        match status {
            IP_SUCCESS => Ok(Echo::Answered),
            IP_REQ_TIMED_OUT => Ok(Echo::TimedOut),
            IP_DEST_NET_UNREACHABLE..=IP_DEST_PORT_UNREACHABLE
            | IP_TTL_EXPIRED_TRANSIT
            | ERROR_NETWORK_UNREACHABLE
            | ERROR_HOST_UNREACHABLE => Ok(Echo::Unreachable),
            _ => Err(failed(&error)),
        }
    }

    fn failed(error: &io::Error) -> HnsError {
        HnsError::because(HcnCode::E_FAIL, format!("no echo request: {error}"))
    }
}
