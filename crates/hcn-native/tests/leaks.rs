// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred thousand calls keep memory flat: no handle, text or listener is forgotten.
//!
//! A process of its own, so that the memory of no other test is counted.

#![allow(unsafe_code, reason = "the environment of a process is set")]

mod library;

use std::{fs, sync::Arc};

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use library::HNS;

/// Calls of the library in all.
const CALLS: u32 = 100_000;
/// After so many, caches are as full as they get.
const WARM: u32 = 20_000;
/// What may come on top in the four fifths that follow: a leak of 32 bytes a call would be 2.5 MB.
const MOST_GROWTH_KB: u64 = 1536;

/// Memory of this process that is in use, in kB; `None` where the system does not tell it this way.
fn memory_kb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// One round; answers how many calls of the library it made: opening and closing are calls too.
fn round(network: ObjectId, number: u32) -> u32 {
    const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;
    HNS.enumerate(Kind::Network, V2).unwrap();
    HNS.open(network).unwrap();
    HNS.query(network, V2).unwrap();
    HNS.query(network, "{").unwrap_err();
    HNS.modify(network, "{").unwrap_err();
    HNS.delete(ObjectId {
        id: Guid(99),
        ..network
    })
    .unwrap_err();
    HNS.create(Kind::Network, None, network.id, V2).unwrap_err();
    HNS.call("GET", "/globals/version", "").unwrap();
    HNS.call("GET", "/no/such", "").unwrap_err();
    // Each is two threads made and ended, which Wine does not bear ten thousand times in one process.
    if number.is_multiple_of(8) {
        drop(HNS.subscribe(Arc::new(|_| {})).unwrap());
        return 18;
    }
    16
}

#[test]
fn a_hundred_thousand_calls_keep_memory_flat() {
    const TEST: &str = "native: a_hundred_thousand_calls_keep_memory_flat";
    if memory_kb().is_none() {
        testkit::skip(TEST, "no /proc/self/status");
        return;
    }
    let network = ObjectId {
        kind: Kind::Network,
        id: Guid(1),
    };
    let settings = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"leak","Type":"Internal","Ipams":[{"Subnets":[{"IpAddressPrefix":"10.82.0.0/24"}]}]}"#;
    HNS.create(network.kind, None, network.id, settings)
        .unwrap();
    let mut calls = 0;
    let mut warm = None;
    let mut number = 0;
    while calls < CALLS {
        calls += round(network, number);
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
    HNS.delete(network).unwrap();
    let _ = fs::remove_dir_all(library::fresh_folder("store"));
}
