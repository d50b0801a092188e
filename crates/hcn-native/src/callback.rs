// SPDX-License-Identifier: MIT OR Apache-2.0
//! Notifications: a C callback that tells a listener of the seam.
//!
//! Apart because the library calls here, from threads of its own. Invariant: what the library keeps for us is a number and no address, so that
//! a call that comes late, or while the listener ends its own subscription, finds no listener and never freed memory.

use std::{
    collections::BTreeMap,
    ffi::c_void,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use hcn_abi::types::{DWORD, HRESULT, PCWSTR, PVOID, hresult};
use hcn_api::{Answer, Event, Kind, Listener, Notification, Subscription};
use hcn_schema::Guid;
use serde_json::Value;

use crate::{library::Loaded, native::failure};

/// Who listens, by the number that the library passes to [`tell`] as its context.
static LISTENERS: Mutex<BTreeMap<usize, Listener>> = Mutex::new(BTreeMap::new());
/// The next number; 0 would be NULL.
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn listeners() -> MutexGuard<'static, BTreeMap<usize, Listener>> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A callback handle of the library.
struct Callback(*mut c_void);

// SAFETY: only an address here; the library takes its handles from any thread (hns-behaviour 1.1).
unsafe impl Send for Callback {}

/// Registers a listener for everything.
pub(crate) fn register(loaded: &Arc<Loaded>, listener: Listener) -> Answer<Subscription> {
    let functions = &loaded.functions;
    let register = loaded.need(
        functions.HcnRegisterServiceCallback,
        "HcnRegisterServiceCallback",
    )?;
    let unregister = loaded.need(
        functions.HcnUnregisterServiceCallback,
        "HcnUnregisterServiceCallback",
    )?;
    // From here on the library stays loaded for good: a thread of its own may still be on its way back into it when the last call that
    // ends a registration has returned.
    mem::forget(loaded.clone());
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    listeners().insert(number, listener);
    let mut callback = Callback(ptr::null_mut());
    // SAFETY: `tell` has the signature of a callback and takes any context; the place is ours. The functions stay loaded.
    let result = unsafe {
        register(
            Some(tell),
            ptr::without_provenance_mut(number),
            &raw mut callback.0,
        )
    };
    if hresult::failed(result) {
        listeners().remove(&number);
        return Err(failure(result, String::new()));
    }
    Ok(Subscription::new(move || {
        let callback = callback;
        // SAFETY: the handle is from `register` and given back once. The call returns after every running callback has
        // (hns-behaviour 1.9); where it fails there is nothing else to do, and the listener is gone all the same.
        unsafe {
            unregister(callback.0);
        }
        listeners().remove(&number);
    }))
}

/// What the library calls.
unsafe extern "system" fn tell(number: DWORD, context: PVOID, _: HRESULT, data: PCWSTR) {
    // A panic must not go on into the library; the listener's own message was printed where it happened.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // Out of the lock: the listener may subscribe, or end its own subscription.
        let listener = listeners().get(&context.addr()).cloned();
        let (Some(listener), Some(notification)) = (listener, Notification::from_number(number))
        else {
            return;
        };
        // SAFETY: the data is NULL, or a text that is valid until we return.
        let data = unsafe { read(data) };
        listener(&Event {
            notification,
            kind: kind(notification),
            id: id(notification, &data),
            data,
        });
    }));
}

/// A text of the library; empty for NULL and for what is not Unicode.
///
/// # Safety
/// NULL, or NUL-terminated.
unsafe fn read(text: PCWSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    let mut length = 0;
    // SAFETY: every unit up to the first NUL can be read.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: `length` units were read just now.
    hcn_abi::text::decode(unsafe { std::slice::from_raw_parts(text, length) }).unwrap_or_default()
}

/// What a notification is about.
fn kind(notification: Notification) -> Kind {
    match notification {
        Notification::NamespaceCreate | Notification::NamespaceDelete => Kind::Namespace,
        Notification::GuestNetworkServiceCreate
        | Notification::GuestNetworkServiceDelete
        | Notification::GuestNetworkServiceStateChanged
        | Notification::GuestNetworkServiceInterfaceStateChanged => Kind::GuestNetworkService,
        Notification::NetworkEndpointAttached | Notification::NetworkEndpointDetached => {
            Kind::Endpoint
        }
        _ => Kind::Network,
    }
}

/// Whom a notification is about: `ID` of its `NotificationBase`, or for what happens to an endpoint that of its `Data`. Zero where
/// neither is.
fn id(notification: Notification, data: &str) -> Guid {
    let base: Value = serde_json::from_str(data).unwrap_or_default();
    let word = |value: &Value| value.as_str().and_then(|id| id.parse().ok());
    match kind(notification) {
        Kind::Endpoint => word(&base["Data"]["ID"]),
        _ => None,
    }
    .or_else(|| word(&base["ID"]))
    .unwrap_or_default()
}
