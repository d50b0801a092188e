// SPDX-License-Identifier: MIT OR Apache-2.0
//! A library that is not ours: an older HNS, and answers that HNS seldom gives.
//!
//! Apart because the library is compiled here, by the C compiler of the system. Invariant: however a call ends, what was opened was closed.

#![cfg(not(windows))]
#![allow(unsafe_code, reason = "a library is loaded")]

use std::{ffi::c_int, path::Path, path::PathBuf, process::Command, sync::Arc, sync::LazyLock};

use hcn_api::{HcnCode, Hns, Kind, ObjectId, PortAccess, PortProtocol};
use hcn_native::Native;
use hcn_schema::Guid;
use libloading::Library;

/// The compiled library; `None` where there is no C compiler.
static LIBRARY: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    if Command::new(&compiler).arg("--version").output().is_err() {
        return None;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libstand_in.so");
    let output = Command::new(&compiler)
        .args([
            "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I",
        ])
        .arg(here.join("../hcn-abi/include"))
        .arg(here.join("tests/stand_in/stand_in.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(library)
});

fn hns(test: &str) -> Option<Native> {
    let Some(library) = &*LIBRARY else {
        testkit::skip(test, "no C compiler (install gcc)");
        return None;
    };
    Some(Native::open(Some(library)).unwrap())
}

/// One of the stand-in's counts; the loader gives the copy that is loaded already.
fn count(name: &str) -> c_int {
    // SAFETY: the library was loaded before; loading it runs no code, and its counting functions take nothing.
    unsafe {
        let library = Library::new(LIBRARY.as_ref().unwrap()).unwrap();
        library
            .get::<unsafe extern "C" fn() -> c_int>(name)
            .unwrap()()
    }
}

fn endpoint(number: u128) -> ObjectId {
    ObjectId {
        kind: Kind::Endpoint,
        id: Guid(number),
    }
}

#[test]
fn a_function_that_an_older_hns_lacks_is_named() {
    let Some(hns) = hns("a_function_that_an_older_hns_lacks_is_named") else {
        return;
    };
    let lacks = [
        (
            hns.endpoint_stats(Guid(3), "").map(drop),
            "HcnQueryEndpointStats",
        ),
        (
            hns.endpoint_addresses(Guid(3), "").map(drop),
            "HcnQueryEndpointAddresses",
        ),
        (
            hns.reserve_port(Guid(3), PortProtocol::Tcp, PortAccess::Shared, 80)
                .map(drop),
            "HcnReserveGuestNetworkServicePort",
        ),
        (
            hns.reserve_port_range(Guid(3), 8).map(drop),
            "HcnReserveGuestNetworkServicePortRange",
        ),
        (
            hns.port_reservations().map(drop),
            "HcnEnumerateGuestNetworkPortReservations",
        ),
        (
            hns.enumerate(Kind::SdnRoute, "").map(drop),
            "HcnEnumerateSdnRoutes",
        ),
        (
            hns.create(Kind::Network, None, Guid(3), "{}").map(drop),
            "HcnCloseNetwork",
        ),
    ];
    for (answer, function) in lacks {
        let error = answer.unwrap_err();
        assert_eq!(error.code, HcnCode::E_NOTIMPL, "{function}");
        assert!(
            error
                .to_string()
                .contains(&format!("does not export {function}:")),
            "{error}"
        );
    }
}

/// One test, since the counts are the library's and tests run at once.
#[test]
fn whatever_is_answered_is_told_and_what_was_opened_is_closed() {
    let Some(hns) = hns("whatever_is_answered_is_told_and_what_was_opened_is_closed") else {
        return;
    };
    // No text is an empty list; an absent query is NULL, and another one is not (hns-behaviour 1.1).
    assert_eq!(hns.enumerate(Kind::Network, "").as_deref(), Ok("[]"));
    assert_eq!(
        hns.enumerate(Kind::Network, "{}").as_deref(),
        Ok(r#"["query"]"#)
    );

    // A record in another language, byte for byte, and nothing closed that was not opened.
    let error = hns.open(endpoint(1)).unwrap_err();
    assert_eq!(error.code, HcnCode::HCN_E_ENDPOINT_NOT_FOUND);
    assert_eq!(
        error.record(),
        r#"{"Success":false,"Error":"Der Endpunkt fehlt. ","ErrorCode":2151350274}"#
    );
    assert_eq!(
        hns.open(endpoint(2)).unwrap_err().code,
        HcnCode::E_UNEXPECTED
    );
    assert_eq!(count("StandInOpened"), 0);

    // A closing that fails is no failure of what was asked.
    hns.open(endpoint(3)).unwrap();
    // A record after a success is a failure (hns-behaviour 1.1, as hcsshim has it).
    let error = hns.modify(endpoint(3), "{}").unwrap_err();
    assert_eq!(error.code, HcnCode::E_INVALIDARG);
    assert!(
        error.to_string().contains("The parameter is incorrect"),
        "{error}"
    );
    assert_eq!(
        hns.query(endpoint(3), "").unwrap_err().code,
        HcnCode::E_UNEXPECTED
    );
    assert_eq!((count("StandInOpened"), count("StandInOpen")), (3, 0));

    // A record that cannot be read, and none: the code is told.
    for number in [1, 3] {
        assert_eq!(
            hns.delete(endpoint(number)).unwrap_err().code,
            HcnCode::E_ACCESSDENIED
        );
    }
    // hns-behaviour 1.7: the code says yes, the envelope no; docker knows the sentence.
    let error = hns.call("GET", "/networks/x", "").unwrap_err();
    assert_eq!(error.code, HcnCode::E_FAIL);
    let sentence = "The object identifier does not represent a valid object";
    assert!(error.to_string().contains(sentence), "{error}");
    assert!(error.record().contains(sentence));
    let version = hns.call("GET", "/globals/version", "");
    assert_eq!(
        version.as_deref(),
        Ok(r#"{"Success":true,"Output":{"Major":9,"Minor":2}}"#)
    );

    // A listener that is refused is dropped.
    let listener = Arc::new(());
    let held = listener.clone();
    let refused = hns.subscribe(Arc::new(move |_| {
        let _ = &held;
    }));
    assert_eq!(
        refused.err().map(|error| error.code),
        Some(HcnCode::E_ACCESSDENIED)
    );
    assert_eq!(Arc::strong_count(&listener), 1);
}
