// SPDX-License-Identifier: MIT OR Apache-2.0
//! Texts that go in and texts that come out.
//!
//! Apart because here alone memory changes hands. Invariant: a text that a call gave is freed once, whatever the call answered and whether or
//! not the text could be read.

use std::{ffi::c_void, ptr};

use hcn_abi::{
    text,
    types::{PCWSTR, PWSTR},
};
use hcn_api::{Answer, HcnCode, HnsError};

#[cfg(windows)]
#[link(name = "ole32")]
unsafe extern "system" {
    #[link_name = "CoTaskMemFree"]
    fn release(memory: *mut c_void);
}

#[cfg(not(windows))]
unsafe extern "C" {
    #[link_name = "free"]
    fn release(memory: *mut c_void);
}

/// A text that a call reads.
pub(crate) fn wide(text: &str) -> Answer<Vec<u16>> {
    text::encode(text).ok_or_else(|| {
        HnsError::because(
            HcnCode::E_INVALIDARG,
            "a text for HNS cannot hold a NUL: it would end there",
        )
    })
}

/// A query, whose absence HNS is told as NULL (hns-behaviour 1.1).
pub(crate) struct Query(Option<Vec<u16>>);

impl Query {
    /// The query; an empty one is none.
    pub fn new(text: &str) -> Answer<Query> {
        if text.is_empty() {
            return Ok(Query(None));
        }
        Ok(Query(Some(wide(text)?)))
    }

    /// For a call, as long as this lives.
    pub fn as_ptr(&self) -> PCWSTR {
        self.0.as_ref().map_or(ptr::null(), |units| units.as_ptr())
    }
}

/// A place into which a call puts a text; freed when it is dropped.
pub(crate) struct Received(PWSTR);

impl Received {
    /// An empty place.
    pub fn new() -> Received {
        Received(ptr::null_mut())
    }

    /// Where the call puts it. Only for calls that have not put anything there before.
    pub fn place(&mut self) -> *mut PWSTR {
        &mut self.0
    }

    /// What was put there; empty where nothing was.
    pub fn text(&self) -> Answer<String> {
        if self.0.is_null() {
            return Ok(String::new());
        }
        let mut length = 0;
        // SAFETY: the library gives NUL-terminated texts, so every unit up to the first NUL can be read, and no other one is.
        while unsafe { *self.0.add(length) } != 0 {
            length += 1;
        }
        // SAFETY: `length` units were read just now, and the text is ours until it is freed.
        let units = unsafe { std::slice::from_raw_parts(self.0, length) };
        text::decode(units).ok_or_else(|| {
            HnsError::because(
                HcnCode::E_UNEXPECTED,
                "HNS answered with half a UTF-16 pair",
            )
        })
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the text is ours, comes from the allocator that the border names, and is freed here alone.
            unsafe { release(self.0.cast()) }
        }
    }
}
