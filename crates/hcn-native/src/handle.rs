// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open object: a handle that closes when it is dropped.
//!
//! Apart so that no call site closes by itself. Invariant: what a call that failed may have left in the place is nobody's and is not closed.

use std::{ffi::c_void, ptr};

use hcn_abi::types::HRESULT;
use hcn_api::{Answer, HcnCode, HnsError};

/// Closes a handle.
pub(crate) type Close = unsafe extern "system" fn(*mut c_void) -> HRESULT;

/// An open object.
pub(crate) struct Handle {
    raw: *mut c_void,
    close: Close,
}

impl Handle {
    /// The handle that a call puts into the place it is given.
    ///
    /// # Errors
    /// Those of the call; `E_UNEXPECTED` where it succeeds without a handle.
    pub fn opened(
        close: Close,
        call: impl FnOnce(*mut *mut c_void) -> Answer<()>,
    ) -> Answer<Handle> {
        let mut raw = ptr::null_mut();
        call(&raw mut raw)?;
        if raw.is_null() {
            return Err(HnsError::because(
                HcnCode::E_UNEXPECTED,
                "HNS said that it opened an object and gave no handle",
            ));
        }
        Ok(Handle { raw, close })
    }

    /// The handle, for calls.
    pub fn raw(&self) -> *mut c_void {
        self.raw
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the library gave the handle, `close` is its own function for that kind, and nothing uses the handle afterwards. What it
        // answers is of no use: there is no second way to close.
        unsafe {
            (self.close)(self.raw);
        }
    }
}
