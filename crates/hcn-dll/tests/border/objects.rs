// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects and handles.

use std::{ffi::c_void, ptr};

use hcn_abi::{COMPUTENETWORK, VMCOMPUTE};
use libloading::Library;
use serde_json::Value;

use crate::library::{Failure, LIBRARY, file, guid, wide};

/// Makes a network; `number` is its id and its subnet.
pub fn network(number: u8, name: &str) -> Result<*mut c_void, Failure> {
    let settings = wide(&format!(
        r#"{{"SchemaVersion":{{"Major":2,"Minor":0}},"Name":"{name}","Type":"Internal","Ipams":[{{"Subnets":[{{"IpAddressPrefix":"10.77.{number}.0/24"}}]}}]}}"#
    ));
    let id = guid(u128::from(number));
    // SAFETY: everything lives as long as the call.
    LIBRARY.handle(|hcn, handle, record| unsafe {
        (hcn.HcnCreateNetwork)(&id, settings.as_ptr(), handle, record)
    })
}

/// Deletes it.
pub fn delete_network(number: u8) -> Result<(), Failure> {
    let id = guid(u128::from(number));
    // SAFETY: everything lives as long as the call.
    LIBRARY.nothing(|hcn, record| unsafe { (hcn.HcnDeleteNetwork)(&id, record) })
}

fn query_network(handle: *mut c_void) -> Result<Value, Failure> {
    let query = wide(r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#);
    LIBRARY
        // SAFETY: everything lives as long as the call.
        .text(|hcn, text, record| unsafe {
            (hcn.HcnQueryNetworkProperties)(handle, query.as_ptr(), text, record)
        })
        .map(|text| serde_json::from_str(&text).unwrap())
}

fn close_network(handle: *mut c_void) -> u32 {
    // SAFETY: a handle is only looked up.
    unsafe { (LIBRARY.hcn.HcnCloseNetwork)(handle) as u32 }
}

#[test]
fn the_library_exports_every_function() {
    // SAFETY: loading our own library runs no code of ours.
    let library = unsafe { Library::new(file()) }.unwrap();
    for export in COMPUTENETWORK.iter().chain(VMCOMPUTE) {
        // SAFETY: the symbol is not called.
        let symbol = unsafe { library.get::<*const c_void>(export.name) };
        assert!(symbol.is_ok(), "{}", export.name);
    }
}

#[test]
fn a_name_in_any_script_comes_back_as_it_went() {
    // Two units of UTF-16 for the last two.
    let name = "größe 容器 🦀𐐷";
    let handle = network(1, name).unwrap();
    assert_eq!(query_network(handle).unwrap()["Name"], name);
    assert_eq!(close_network(handle), 0);
    delete_network(1).unwrap();
}

#[test]
fn a_handle_does_not_come_back_to_life_with_its_id() {
    let first = network(2, "first").unwrap();
    delete_network(2).unwrap();
    let second = network(2, "second").unwrap();
    // HCN_E_NETWORK_NOT_FOUND, as logged in aks-engine's pull request 3956 (hns-behaviour 1.5).
    let failure = Failure {
        code: 0x803b_0001,
        record: Some(
            r#"{"Success":false,"Error":"The network was not found. ","ErrorCode":2151350273}"#
                .to_owned(),
        ),
    };
    assert_eq!(query_network(first), Err(failure));
    assert_eq!(query_network(second).unwrap()["Name"], "second");
    let settings = wide(r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"late"}"#);
    // SAFETY: everything lives as long as the call.
    let endpoint = LIBRARY.handle(|hcn, handle, record| unsafe {
        (hcn.HcnCreateEndpoint)(first, &guid(0), settings.as_ptr(), handle, record)
    });
    assert_eq!(endpoint.unwrap_err().code, 0x803b_0001);
    assert_eq!((close_network(first), close_network(second)), (0, 0));
    assert_eq!(close_network(first), 0x8007_0006);
    delete_network(2).unwrap();
}

#[test]
fn a_used_id_is_refused_and_its_object_can_be_opened() {
    let first = network(3, "used").unwrap();
    assert_eq!(network(3, "other").unwrap_err().code, 0x803b_0010);
    let id = guid(3);
    let again = LIBRARY
        // SAFETY: everything lives as long as the call.
        .handle(|hcn, handle, record| unsafe { (hcn.HcnOpenNetwork)(&id, handle, record) })
        .unwrap();
    assert_ne!(first, again);
    assert_eq!(close_network(first), 0);
    assert_eq!(query_network(again).unwrap()["Name"], "used");
    assert_eq!(close_network(again), 0);
    delete_network(3).unwrap();
}

#[test]
fn version_1_sees_what_version_2_made() {
    let handle = network(4, "both").unwrap();
    let answer = LIBRARY
        .call("GET", "/networks/00000000-0000-0000-0000-000000000004", "")
        .unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["Success"], true);
    assert_eq!(answer["Output"]["Name"], "both");
    LIBRARY
        .call(
            "DELETE",
            "/networks/00000000-0000-0000-0000-000000000004",
            "",
        )
        .unwrap();
    assert_eq!(query_network(handle).unwrap_err().code, 0x803b_0001);
    assert_eq!(close_network(handle), 0);
}

#[test]
fn a_failure_of_version_1_puts_the_record_into_the_response() {
    let failure = LIBRARY
        .call("GET", "/endpoints/00000000-0000-0000-0000-0000000000ff", "")
        .unwrap_err();
    assert_eq!(failure.code, 0x803b_0002);
    let record: Value = serde_json::from_str(&failure.record.unwrap()).unwrap();
    assert_eq!(record["Success"], false);
    assert_eq!(record["ErrorCode"], 0x803b_0002_u32);
}

#[test]
fn queries_by_pointer_none_and_empty_are_alike() {
    let handle = network(5, "asked").unwrap();
    let empty = wide("");
    let answers = [ptr::null(), empty.as_ptr()].map(|query| {
        LIBRARY
            // SAFETY: everything lives as long as the call.
            .text(|hcn, text, record| unsafe {
                (hcn.HcnQueryNetworkProperties)(handle, query, text, record)
            })
            .unwrap()
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(close_network(handle), 0);
    delete_network(5).unwrap();
}
