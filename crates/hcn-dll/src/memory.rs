// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the caller frees.
//!
//! On Windows everything comes from `CoTaskMemAlloc`, which takes it from the heap of the process, so that callers that wrongly use
//! `LocalFree` do no harm (hns-behaviour 1.1). Elsewhere it comes from `malloc`. Nothing is kept or freed here once it was given, but lists.

use std::{ffi::c_void, ptr};

use hcn_abi::text;
use hcn_api::{Answer, HcnCode, HnsError};

#[cfg(windows)]
mod allocator {
    use std::ffi::c_void;

    #[link(name = "ole32")]
    unsafe extern "system" {
        #[link_name = "CoTaskMemAlloc"]
        pub fn allocate(size: usize) -> *mut c_void;
        #[link_name = "CoTaskMemFree"]
        pub fn release(memory: *mut c_void);
    }
}

#[cfg(not(windows))]
mod allocator {
    use std::ffi::c_void;

    unsafe extern "C" {
        #[link_name = "malloc"]
        pub fn allocate(size: usize) -> *mut c_void;
        #[link_name = "free"]
        pub fn release(memory: *mut c_void);
    }
}

/// A text that the caller frees.
///
/// # Errors
/// `E_OUTOFMEMORY`; `E_UNEXPECTED` for a text with a NUL inside, which no JSON has.
pub(crate) fn give_text(answer: &str) -> Answer<*mut u16> {
    let units = text::encode(answer)
        .ok_or_else(|| HnsError::because(HcnCode::E_UNEXPECTED, "an answer has a NUL inside"))?;
    copy(&units)
}

/// A list that the caller gives back with [`take_list`]; NULL for an empty one.
///
/// # Errors
/// `E_OUTOFMEMORY`.
pub(crate) fn give_list<T: Copy>(list: &[T]) -> Answer<*mut T> {
    if list.is_empty() {
        return Ok(ptr::null_mut());
    }
    copy(list)
}

/// Frees a list, or does nothing for NULL.
///
/// # Safety
/// The list is NULL, or was given by [`give_list`] and not yet taken back.
pub(crate) unsafe fn take_list<T>(list: *mut T) {
    // SAFETY: `give_list` got it from the same allocator; both allocators take NULL.
    unsafe { allocator::release(list.cast::<c_void>()) };
}

fn copy<T: Copy>(list: &[T]) -> Answer<*mut T> {
    // SAFETY: allocators take any size.
    let memory = unsafe { allocator::allocate(size_of_val(list)) }.cast::<T>();
    if memory.is_null() {
        return Err(HnsError::new(HcnCode::E_OUTOFMEMORY));
    }
    // SAFETY: fresh memory of that size; both allocators align for every type of the border.
    unsafe { ptr::copy_nonoverlapping(list.as_ptr(), memory, list.len()) };
    Ok(memory)
}
