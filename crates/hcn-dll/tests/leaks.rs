// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred thousand calls keep memory flat.
//!
//! A process of its own, so that the memory of no other test is counted.

#![allow(
    unsafe_code,
    reason = "the tests call the library as a program that is not Rust does"
)]

mod library;

use std::{ffi::c_void, ptr};

use hcn_abi::types::{DWORD, HRESULT, PCWSTR};
use library::{LIBRARY, guid, remove, wide};

/// Calls in all.
const CALLS: u32 = 100_000;
/// After so many, caches are as full as they get.
const WARM: u32 = 20_000;
/// What may come on top in the four fifths that follow: a leak of 32 bytes a call would be 2.5 MB.
const MOST_GROWTH_KB: u64 = 1536;

unsafe extern "system" fn ignore(_: DWORD, _: *mut c_void, _: HRESULT, _: PCWSTR) {}

/// One round; answers how many calls it made.
fn round(number: u32) -> u32 {
    let v2 = wide(r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#);
    let bad = wide("{nonsense");
    let network = guid(1);
    let mut calls = 0;
    // SAFETY: everything lives as long as its call.
    unsafe {
        for _ in 0..4 {
            LIBRARY
                .text(|hcn, text, record| (hcn.HcnEnumerateNetworks)(v2.as_ptr(), text, record))
                .unwrap();
            let handle = LIBRARY
                .handle(|hcn, handle, record| (hcn.HcnOpenNetwork)(&network, handle, record))
                .unwrap();
            LIBRARY
                .text(|hcn, text, record| {
                    (hcn.HcnQueryNetworkProperties)(handle, v2.as_ptr(), text, record)
                })
                .unwrap();
            LIBRARY
                .text(|hcn, text, record| {
                    (hcn.HcnQueryNetworkProperties)(handle, bad.as_ptr(), text, record)
                })
                .unwrap_err();
            LIBRARY
                .nothing(|hcn, record| (hcn.HcnModifyNetwork)(handle, bad.as_ptr(), record))
                .unwrap_err();
            assert_eq!((LIBRARY.hcn.HcnCloseNetwork)(handle), 0);
            assert!((LIBRARY.hcn.HcnCloseNetwork)(handle) < 0);
            LIBRARY
                .nothing(|hcn, record| (hcn.HcnDeleteNetwork)(&guid(99), record))
                .unwrap_err();
            LIBRARY.call("GET", "/globals/version", "").unwrap();
            LIBRARY.call("GET", "/no/such", "").unwrap_err();
            calls += 10;
        }
        if number.is_multiple_of(8) {
            let settings = wide(r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"leak"}"#);
            let mut callback = ptr::null_mut();
            let registered = (LIBRARY.hcn.HcnRegisterServiceCallback)(
                Some(ignore),
                ptr::null_mut(),
                &raw mut callback,
            );
            assert_eq!(registered, 0);
            let open = LIBRARY
                .handle(|hcn, handle, record| (hcn.HcnOpenNetwork)(&network, handle, record))
                .unwrap();
            let endpoint = LIBRARY
                .handle(|hcn, handle, record| {
                    (hcn.HcnCreateEndpoint)(open, &guid(2), settings.as_ptr(), handle, record)
                })
                .unwrap();
            LIBRARY
                .text(|hcn, text, record| {
                    (hcn.HcnQueryEndpointProperties)(endpoint, v2.as_ptr(), text, record)
                })
                .unwrap();
            LIBRARY
                .nothing(|hcn, record| (hcn.HcnDeleteEndpoint)(&guid(2), record))
                .unwrap();
            assert_eq!((LIBRARY.hcn.HcnCloseEndpoint)(endpoint), 0);
            assert_eq!((LIBRARY.hcn.HcnCloseNetwork)(open), 0);
            assert_eq!((LIBRARY.hcn.HcnUnregisterServiceCallback)(callback), 0);
            calls += 8;
        }
    }
    calls
}

/// Memory of this process that is in use, in kB; `None` where the system does not tell it this way.
fn memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn a_hundred_thousand_calls_keep_memory_flat() {
    if memory_kb().is_none() {
        testkit::skip(
            "a_hundred_thousand_calls_keep_memory_flat",
            "no /proc/self/status",
        );
        return;
    }
    let settings = wide(
        r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"leak","Type":"Internal","Ipams":[{"Subnets":[{"IpAddressPrefix":"10.78.0.0/24"}]}]}"#,
    );
    let handle = LIBRARY
        // SAFETY: everything lives as long as the call.
        .handle(|hcn, handle, record| unsafe {
            (hcn.HcnCreateNetwork)(&guid(1), settings.as_ptr(), handle, record)
        })
        .unwrap();
    let mut calls = 0;
    let mut number = 0;
    let mut warm = None;
    while calls < CALLS {
        calls += round(number);
        number += 1;
        if calls >= WARM && warm.is_none() {
            warm = memory_kb();
        }
    }
    let (warm, end) = (warm.unwrap(), memory_kb().unwrap());
    println!("{calls} calls: {warm} kB after {WARM}, {end} kB at the end");
    assert!(
        end <= warm + MOST_GROWTH_KB,
        "{warm} kB after {WARM} calls, {end} kB after {calls}"
    );
    // SAFETY: a handle is only looked up.
    assert_eq!(unsafe { (LIBRARY.hcn.HcnCloseNetwork)(handle) }, 0);
    remove(&LIBRARY.state);
}
