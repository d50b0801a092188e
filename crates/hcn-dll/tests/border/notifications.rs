// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callbacks: on a thread of the library, and none after unregistering.

use std::{
    ffi::c_void,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use hcn_abi::types::{DWORD, HCN_NOTIFICATION_CALLBACK, HRESULT, PCWSTR, notification};
use serde_json::Value;

use crate::{
    library::{LIBRARY, read},
    objects::{delete_network, network},
};

/// What one callback saw, and what it is to do.
#[derive(Default)]
struct Listener {
    events: Mutex<Vec<(DWORD, String, ThreadId)>>,
    /// Unregistered by the callback itself, where it is not NULL.
    own: AtomicPtr<c_void>,
    result_of_own: AtomicU32,
    /// How long each call lasts.
    slow: Duration,
    within: AtomicBool,
}

unsafe extern "system" fn listen(kind: DWORD, context: *mut c_void, status: HRESULT, data: PCWSTR) {
    // SAFETY: each test passes its listener, and unregisters before that is gone.
    let listener = unsafe { &*context.cast::<Listener>() };
    listener.within.store(true, Ordering::SeqCst);
    assert_eq!(status, 0);
    // SAFETY: the text ends with a NUL and lives until the callback returns.
    let data = unsafe { read(data) };
    thread::sleep(listener.slow);
    listener
        .events
        .lock()
        .unwrap()
        .push((kind, data, thread::current().id()));
    let own = listener.own.swap(ptr::null_mut(), Ordering::SeqCst);
    if !own.is_null() {
        listener
            .result_of_own
            .store(unregister(own), Ordering::SeqCst);
    }
    listener.within.store(false, Ordering::SeqCst);
}

fn register(listener: &Listener) -> *mut c_void {
    let callback: HCN_NOTIFICATION_CALLBACK = Some(listen);
    let context = ptr::from_ref(listener).cast_mut().cast();
    let mut handle = ptr::null_mut();
    // SAFETY: the tests keep their listeners until they are unregistered.
    let code =
        unsafe { (LIBRARY.hcn.HcnRegisterServiceCallback)(callback, context, &raw mut handle) };
    assert_eq!(code, 0);
    handle
}

fn unregister(handle: *mut c_void) -> u32 {
    // SAFETY: a handle is only looked up.
    unsafe { (LIBRARY.hcn.HcnUnregisterServiceCallback)(handle) as u32 }
}

impl Listener {
    /// The events about one network, by number.
    fn about(&self, number: u8) -> Vec<(DWORD, ThreadId)> {
        let id = format!("00000000-0000-0000-0000-{number:012X}");
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|(_, data, _)| {
                let data: Value = serde_json::from_str(data).unwrap();
                data["ID"] == id.as_str()
            })
            .map(|(kind, _, thread)| (*kind, *thread))
            .collect()
    }

    fn wait(&self, number: u8, count: usize) -> Vec<(DWORD, ThreadId)> {
        let start = Instant::now();
        loop {
            let events = self.about(number);
            if events.len() >= count {
                return events;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{events:?} instead of {count} events"
            );
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn make_and_delete(number: u8) {
    // A name of its own: HNS refuses a second network of one name and type (hns-behaviour 3.3), and the tests run at once.
    let handle = network(number, &format!("told-{number}")).unwrap();
    // SAFETY: a handle is only looked up.
    assert_eq!(unsafe { (LIBRARY.hcn.HcnCloseNetwork)(handle) }, 0);
    delete_network(number).unwrap();
}

#[test]
fn a_network_is_told_from_birth_to_end_on_another_thread() {
    let listener = Listener::default();
    let handle = register(&listener);
    make_and_delete(20);
    let events = listener.wait(20, 4);
    // hns-behaviour 1.2.1 and 1.9: each has its "pre".
    let kinds: Vec<DWORD> = events.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        kinds,
        [
            notification::NETWORK_PRE_CREATE,
            notification::NETWORK_CREATE,
            notification::NETWORK_PRE_DELETE,
            notification::NETWORK_DELETE
        ]
    );
    assert!(
        events
            .iter()
            .all(|(_, thread)| *thread != thread::current().id() && *thread == events[0].1)
    );
    assert_eq!(unregister(handle), 0);
}

#[test]
fn no_call_is_under_way_when_unregister_returns_and_none_follows() {
    let listener = Listener {
        slow: Duration::from_millis(3),
        ..Listener::default()
    };
    for _ in 0..20 {
        let handle = register(&listener);
        make_and_delete(21);
        assert_eq!(unregister(handle), 0);
        assert!(!listener.within.load(Ordering::SeqCst));
        let seen = listener.events.lock().unwrap().len();
        make_and_delete(21);
        thread::sleep(Duration::from_millis(5));
        assert_eq!(listener.events.lock().unwrap().len(), seen);
    }
}

#[test]
fn a_callback_may_end_its_own_registration() {
    let listener = Listener::default();
    listener.result_of_own.store(99, Ordering::SeqCst);
    let handle = register(&listener);
    listener.own.store(handle, Ordering::SeqCst);
    make_and_delete(22);
    let start = Instant::now();
    while listener.result_of_own.load(Ordering::SeqCst) == 99
        || listener.within.load(Ordering::SeqCst)
    {
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(listener.result_of_own.load(Ordering::SeqCst), 0);
    let seen = listener.events.lock().unwrap().len();
    make_and_delete(22);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(listener.events.lock().unwrap().len(), seen);
    assert_eq!(unregister(handle), 0x8007_0006);
}

#[test]
fn a_slow_listener_does_not_hold_up_who_makes_the_change() {
    let listener = Listener {
        slow: Duration::from_secs(1),
        ..Listener::default()
    };
    let handle = register(&listener);
    let start = Instant::now();
    make_and_delete(23);
    let four_calls = Duration::from_secs(4);
    assert!(start.elapsed() < four_calls, "{:?}", start.elapsed());
    assert_eq!(unregister(handle), 0);
}
