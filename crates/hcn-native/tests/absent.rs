// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where there is no HNS: it is said in words, with the code of a service that is not there.

use std::path::Path;

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_native::Native;

fn refused(opened: Answer<Native>) -> HnsError {
    let error = opened.err().expect("there is nothing to open");
    assert_eq!(error.code, HcnCode::RPC_S_SERVER_UNAVAILABLE);
    assert!(
        error.to_string().contains("HNS is not installed here"),
        "{error}"
    );
    error
}

#[test]
fn a_library_that_is_not_there_is_named() {
    let error = refused(Native::open(Some(Path::new("/nowhere/computenetwork.dll"))));
    assert!(
        error.to_string().contains("/nowhere/computenetwork.dll"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_library_is_not_taken_for_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    refused(Native::open(Some(&file)));
}

/// A library of the system, with many functions and none of HNS.
#[test]
fn a_library_without_the_functions_is_not_taken_for_hns() {
    let other = match cfg!(windows) {
        true => "kernel32.dll",
        false => "libc.so.6",
    };
    let error = refused(Native::open(Some(Path::new(other))));
    assert!(
        error.to_string().contains("exports none of its functions"),
        "{error}"
    );
}

#[cfg(not(windows))]
#[test]
fn a_system_without_hns_says_so() {
    let error = refused(Native::open(None));
    assert!(error.to_string().contains("computenetwork.dll"), "{error}");
}

/// A name means the system's library and no file that lies in the current folder or beside the program.
#[cfg(windows)]
#[test]
fn a_bare_name_is_not_searched_for_beside_the_program() {
    let program = std::env::current_exe().unwrap();
    let own = program.with_file_name("hcn-native-beside.dll");
    std::fs::copy(program.with_file_name("computenetwork.dll"), &own).unwrap();
    refused(Native::open(Some(Path::new("hcn-native-beside.dll"))));
    assert!(Native::open(Some(&own)).is_ok(), "by its path it is found");
    std::fs::remove_file(own).unwrap();
}

#[cfg(windows)]
#[test]
fn without_a_name_the_library_of_the_system_is_meant() {
    if let Err(error) = Native::open(None) {
        refused(Err(error));
        testkit::skip(
            "without_a_name_the_library_of_the_system_is_meant",
            "this Windows has no HNS",
        );
    }
}
