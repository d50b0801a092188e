// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the caller passed.
//!
//! A [`Received`] vouches that the caller keeps the border's promises about one parameter: a pointer is NULL or good for its use until the
//! call ends. So reading and writing are safe to call, and every NULL is met here.

use std::{ffi::c_void, ptr};

use hcn::schema::Guid;
use hcn_abi::{GUID, text};
use hcn_api::{Answer, HcnCode, HnsError};

/// One parameter as received.
#[derive(Clone, Copy)]
pub(crate) struct Received<T>(T);

impl<T> Received<T> {
    /// Vouches for a parameter.
    ///
    /// # Safety
    /// A pointer in it is NULL, or valid for reading (`*const`) or writing (`*mut`) what its function reads or writes, for as long as this
    /// value lives; a text ends with a NUL. Alignment is not asked for.
    pub unsafe fn new(value: T) -> Self {
        Received(value)
    }
}

impl<T: Copy> Received<T> {
    /// The parameter as it is, for numbers, and for addresses that are only passed on or compared.
    pub fn value(self) -> T {
        self.0
    }
}

impl Received<*const GUID> {
    /// The id.
    ///
    /// # Errors
    /// `E_POINTER` for NULL.
    pub fn id(self) -> Answer<Guid> {
        if self.0.is_null() {
            return Err(null("the id"));
        }
        // SAFETY: not NULL, so valid for reading a GUID.
        let guid = unsafe { self.0.read_unaligned() };
        Ok(Guid(guid.number()))
    }
}

impl Received<*const u16> {
    /// The text; empty for NULL.
    ///
    /// # Errors
    /// The given code where it is not UTF-16.
    pub fn text_or_none(self, not_text: HcnCode) -> Answer<String> {
        if self.0.is_null() {
            return Ok(String::new());
        }
        self.text(not_text)
    }

    /// The text.
    ///
    /// # Errors
    /// `E_POINTER` for NULL, the given code where it is not UTF-16.
    pub fn text(self, not_text: HcnCode) -> Answer<String> {
        if self.0.is_null() {
            return Err(null("a text"));
        }
        let mut units = Vec::new();
        let mut at = self.0;
        loop {
            // SAFETY: not NULL, and the text ends with a NUL that the loop does not pass.
            let unit = unsafe { at.read_unaligned() };
            if unit == 0 {
                break;
            }
            units.push(unit);
            at = at.wrapping_add(1);
        }
        text::decode(&units).ok_or_else(|| {
            HnsError::because(
                not_text,
                "a text is not UTF-16: half of a surrogate pair stands alone",
            )
        })
    }
}

impl Received<*mut c_void> {
    /// The number of a handle.
    ///
    /// # Errors
    /// `E_INVALIDARG` for NULL (hns-behaviour 1.4).
    pub fn handle(self) -> Answer<u64> {
        if self.0.is_null() {
            return Err(HnsError::because(
                HcnCode::E_INVALIDARG,
                "the handle is NULL",
            ));
        }
        Ok(self.0.addr() as u64)
    }
}

impl<T> Received<*mut T> {
    /// Where an answer goes.
    ///
    /// # Errors
    /// `E_POINTER` for NULL.
    pub fn output(self) -> Answer<Output<T>> {
        if self.0.is_null() {
            return Err(null("an output"));
        }
        Ok(Output(self.0))
    }
}

/// Where an answer goes; never NULL.
pub(crate) struct Output<T>(*mut T);

impl<T> Output<T> {
    /// Gives the answer to the caller.
    pub fn put(self, value: T) {
        // SAFETY: made from a `Received` that is not NULL, so valid for writing a T.
        unsafe { self.0.write_unaligned(value) };
    }
}

impl Output<*mut c_void> {
    /// Gives a handle to the caller.
    pub fn put_handle(self, handle: u64) {
        self.put(ptr::without_provenance_mut(handle as usize));
    }
}

fn null(what: &str) -> HnsError {
    HnsError::because(HcnCode::E_POINTER, format!("{what} is NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_an_odd_address_is_read() {
        // "ok" with its NUL, one byte off any even address.
        let bytes = [0_u8, b'o', 0, b'k', 0, 0, 0, 0];
        for start in [0, 1] {
            let mut room = [0_u8; 9];
            room[start..start + 7].copy_from_slice(&bytes[1..]);
            // SAFETY: seven bytes from there are three units, the last of them NUL.
            let text = unsafe { Received::new(room[start..].as_ptr().cast::<u16>()) };
            assert_eq!(text.text(HcnCode::E_FAIL).unwrap(), "ok");
        }
    }

    #[test]
    fn half_a_surrogate_pair_has_the_code_that_was_asked_for() {
        let units = [0x61, 0xd800, 0];
        // SAFETY: the units end with a NUL.
        let text = unsafe { Received::new(units.as_ptr()) };
        let error = text.text(HcnCode::HCN_E_INVALID_JSON).unwrap_err();
        assert_eq!(error.code, HcnCode::HCN_E_INVALID_JSON);
    }
}
