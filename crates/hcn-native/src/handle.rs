// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open object: a handle that closes when it is dropped.

use std::{ffi::c_void, ptr};

use hcn_abi::types::HRESULT;

/// Closes a handle.
pub(crate) type Close = unsafe extern "system" fn(*mut c_void) -> HRESULT;

/// An open object.
pub(crate) struct Handle {
    raw: *mut c_void,
    close: Close,
}

impl Handle {
    /// A place for a handle that this function closes.
    pub fn new(close: Close) -> Handle {
        Handle {
            raw: ptr::null_mut(),
            close,
        }
    }

    /// Where a call puts it. Only for calls that have not put anything there before.
    pub fn place(&mut self) -> *mut *mut c_void {
        &mut self.raw
    }

    /// The handle, for calls.
    pub fn raw(&self) -> *mut c_void {
        self.raw
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: the library gave the handle, `close` is its own function for that kind, and nothing uses the handle afterwards. What it
            // answers is of no use: there is no second way to close.
            unsafe {
                (self.close)(self.raw);
            }
        }
    }
}
