// SPDX-License-Identifier: MIT OR Apache-2.0
//! What real clients asked on the wire, asked of the library's own functions: the fourth route of the crate `replay`.
//!
//! Apart from the other three because foreign functions are called, each by its name. Each recording is asked in a process of its own: the library
//! keeps the store and the version that its first call met.

#![allow(
    unsafe_code,
    reason = "the tests call the library as a program that is not Rust does"
)]

mod library;

use std::{env, ffi::c_void, process::Command, ptr};

use hcn_abi::{GUID, types::*};
use hcn_api::{Answer, HcnCode, HnsError, Kind};
use hcn_schema::Guid;
use libloading::Library;
use library::{file, fresh_state, remove, take, wide};
use replay::{Border, Course, Trace, judge, word};

/// The library, by the names of its functions.
struct ByName(Library);

/// Handles are the numbers that they are given as.
fn raw(handle: u64) -> *mut c_void {
    ptr::with_exposed_provenance_mut(handle as usize)
}

fn number(handle: *mut c_void) -> u64 {
    handle.expose_provenance() as u64
}

impl ByName {
    /// The function of this name.
    ///
    /// # Safety
    /// Its type is what the border says.
    unsafe fn function<F: Copy>(&self, name: &str) -> F {
        // SAFETY: as the caller promises.
        *unsafe { self.0.get::<F>(name) }.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A call that gives a record.
    fn told(&self, call: impl FnOnce(*mut PWSTR) -> HRESULT) -> Answer<()> {
        let mut record = ptr::null_mut();
        let code = call(&raw mut record);
        // SAFETY: what the library gave, taken once.
        let record = unsafe { take(record) };
        if code >= 0 {
            assert_eq!(record, None, "the record after a success");
            return Ok(());
        }
        let code = HcnCode(code as u32);
        Err(HnsError::received(code, record.expect("a record")))
    }

    /// A call that gives a text.
    fn text(&self, call: impl FnOnce(*mut PWSTR, *mut PWSTR) -> HRESULT) -> Answer<String> {
        let mut text = ptr::null_mut();
        let answer = self.told(|record| call(&raw mut text, record));
        // SAFETY: what the library gave, taken once.
        let text = unsafe { take(text) };
        answer.map(|()| text.expect("a success gives a text"))
    }

    /// A call that gives a handle.
    fn handle(&self, call: impl FnOnce(*mut *mut c_void, *mut PWSTR) -> HRESULT) -> Answer<u64> {
        let mut handle = ptr::null_mut();
        self.told(|record| call(&raw mut handle, record))?;
        Ok(number(handle))
    }
}

impl Border for ByName {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        type Function = unsafe extern "system" fn(PCWSTR, *mut PWSTR, *mut PWSTR) -> HRESULT;
        let query = wide(query);
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.text(|ids, record| unsafe {
            self.function::<Function>(&format!("HcnEnumerate{}s", word(kind)))(
                query.as_ptr(),
                ids,
                record,
            )
        })
    }

    fn create(&self, kind: Kind, network: Option<u64>, id: Guid, settings: &str) -> Answer<u64> {
        type Function =
            unsafe extern "system" fn(REFGUID, PCWSTR, *mut *mut c_void, *mut PWSTR) -> HRESULT;
        type OfNetwork = unsafe extern "system" fn(
            *mut c_void,
            REFGUID,
            PCWSTR,
            *mut *mut c_void,
            *mut PWSTR,
        ) -> HRESULT;
        let (id, settings) = (GUID::from_number(id.0), wide(settings));
        let name = format!("HcnCreate{}", word(kind));
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.handle(|handle, record| unsafe {
            match kind {
                Kind::Endpoint => self.function::<OfNetwork>(&name)(
                    raw(network.unwrap_or_default()),
                    &id,
                    settings.as_ptr(),
                    handle,
                    record,
                ),
                _ => self.function::<Function>(&name)(&id, settings.as_ptr(), handle, record),
            }
        })
    }

    fn open(&self, kind: Kind, id: Guid) -> Answer<u64> {
        type Function = unsafe extern "system" fn(REFGUID, *mut *mut c_void, *mut PWSTR) -> HRESULT;
        let id = GUID::from_number(id.0);
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.handle(|handle, record| unsafe {
            self.function::<Function>(&format!("HcnOpen{}", word(kind)))(&id, handle, record)
        })
    }

    fn query(&self, kind: Kind, handle: u64, query: &str) -> Answer<String> {
        type Function =
            unsafe extern "system" fn(*mut c_void, PCWSTR, *mut PWSTR, *mut PWSTR) -> HRESULT;
        let query = wide(query);
        let name = format!("HcnQuery{}Properties", word(kind));
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.text(|text, record| unsafe {
            self.function::<Function>(&name)(raw(handle), query.as_ptr(), text, record)
        })
    }

    fn modify(&self, kind: Kind, handle: u64, settings: &str) -> Answer<()> {
        type Function = unsafe extern "system" fn(*mut c_void, PCWSTR, *mut PWSTR) -> HRESULT;
        let settings = wide(settings);
        let name = format!("HcnModify{}", word(kind));
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.told(|record| unsafe {
            self.function::<Function>(&name)(raw(handle), settings.as_ptr(), record)
        })
    }

    fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        type Function = unsafe extern "system" fn(REFGUID, *mut PWSTR) -> HRESULT;
        let id = GUID::from_number(id.0);
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        self.told(|record| unsafe {
            self.function::<Function>(&format!("HcnDelete{}", word(kind)))(&id, record)
        })
    }

    fn close(&self, kind: Kind, handle: u64) -> Answer<()> {
        type Function = unsafe extern "system" fn(*mut c_void) -> HRESULT;
        let name = format!("HcnClose{}", word(kind));
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        match unsafe { self.function::<Function>(&name)(raw(handle)) } {
            0.. => Ok(()),
            code => Err(HnsError::new(HcnCode(code as u32))),
        }
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        type Function = unsafe extern "system" fn(PCWSTR, PCWSTR, PCWSTR, *mut PWSTR) -> HRESULT;
        let (method, path, request) = (wide(method), wide(path), wide(request));
        let mut response = ptr::null_mut();
        // SAFETY: the type is the border's for the name, texts end with a NUL, and everything lives as long as the call.
        let code = unsafe {
            self.function::<Function>("HNSCall")(
                method.as_ptr(),
                path.as_ptr(),
                request.as_ptr(),
                &raw mut response,
            )
        };
        // SAFETY: what the library gave, taken once.
        let response = unsafe { take(response) }.expect("a response");
        match code {
            0.. => Ok(response),
            code => Err(HnsError::received(HcnCode(code as u32), response)),
        }
    }
}

/// Says to the other process which recording it is to ask.
const ASKED: &str = "HCNCTL_TEST_REPLAY";

fn in_a_process_of_its_own(name: &str, test: &str) {
    let trace = Trace::named(name);
    if trace.calls_or_skip(&format!("traces::{test}")).is_none() {
        return;
    }
    let state = fresh_state(name);
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "asked_in_a_process_of_its_own", "--nocapture"])
        .env("HCNCTL_STATE", &state)
        .env("HCNCTL_PROFILE", trace.version)
        .env_remove("HCNCTL_HOST")
        .env(ASKED, name)
        .output()
        .unwrap();
    remove(&state);
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{words}");
    assert!(words.contains(&format!("{name} was asked")), "{words}");
}

/// The other half of the function before; nothing elsewhere.
#[test]
fn asked_in_a_process_of_its_own() {
    let Ok(name) = env::var(ASKED) else { return };
    let trace = Trace::named(&name);
    let calls = trace
        .calls_or_skip("asked_in_a_process_of_its_own")
        .unwrap();
    // SAFETY: loading our own library runs no code of ours.
    let library = ByName(unsafe { Library::new(file()) }.unwrap());
    judge(trace, &Course::run(&library, &calls));
    println!("{name} was asked");
}

#[test]
fn the_library_answers_win_bridge_with_docker() {
    in_a_process_of_its_own(
        "cni-win-bridge-v1",
        "the_library_answers_win_bridge_with_docker",
    );
}

#[test]
fn the_library_answers_win_bridge_with_containerd() {
    in_a_process_of_its_own(
        "cni-win-bridge-v2",
        "the_library_answers_win_bridge_with_containerd",
    );
}

#[test]
fn the_library_answers_win_overlay() {
    in_a_process_of_its_own("cni-win-overlay-v2", "the_library_answers_win_overlay");
}

#[test]
fn the_library_answers_kube_proxy() {
    in_a_process_of_its_own("kube-proxy-l2bridge", "the_library_answers_kube_proxy");
}

#[test]
fn the_library_answers_hcsshims_tests() {
    in_a_process_of_its_own("tests-hcsshim-hcn", "the_library_answers_hcsshims_tests");
}
