// SPDX-License-Identifier: MIT OR Apache-2.0
//! Notifications: a C callback that tells a listener of the seam.

use std::{
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::Arc,
};

use hcn_abi::types::{DWORD, HRESULT, PCWSTR, PVOID, hresult};
use hcn_api::{Answer, Event, Kind, Listener, Notification, Subscription};
use hcn_schema::Guid;
use serde_json::Value;

use crate::{library::Loaded, native::failure};

/// What the library keeps for us, as an address.
struct Context(Listener);

/// Addresses of a registration, to be given back from whichever thread drops the subscription.
struct Registration {
    callback: *mut c_void,
    context: *mut Context,
}

// SAFETY: both are only addresses here; the library takes its callback handles from any thread (hns-behaviour 1.1), and a listener is Send.
unsafe impl Send for Registration {}

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
    let context = Box::into_raw(Box::new(Context(listener)));
    let mut callback = ptr::null_mut();
    // SAFETY: `tell` has the signature of a callback, `context` lives until the registration ends, and `callback` is a place of ours.
    let result = unsafe { register(Some(tell), context.cast(), &mut callback) };
    if hresult::failed(result) {
        // SAFETY: a registration that failed keeps nothing; the box is ours again.
        drop(unsafe { Box::from_raw(context) });
        return Err(failure(result, String::new()));
    }
    let registration = Registration { callback, context };
    let loaded = loaded.clone();
    Ok(Subscription::new(move || {
        let registration = registration;
        // SAFETY: the handle is from `register` and given back once. The call returns after every running callback has
        // (hns-behaviour 1.9), so nobody reads the context afterwards.
        let result = unsafe { unregister(registration.callback) };
        if !hresult::failed(result) {
            // SAFETY: see above. Where unregistering failed, the context is left to the library for good.
            drop(unsafe { Box::from_raw(registration.context) });
        }
        drop(loaded);
    }))
}

/// What the library calls.
unsafe extern "system" fn tell(number: DWORD, context: PVOID, _: HRESULT, data: PCWSTR) {
    // SAFETY: the library passes on what `register` gave it, and that lives until unregistering has returned.
    let Context(listener) = unsafe { &*context.cast::<Context>() };
    let Some(notification) = Notification::from_number(number) else {
        return;
    };
    // SAFETY: the data is NULL, or a text that is valid until we return.
    let data = unsafe { read(data) };
    let event = Event {
        notification,
        kind: kind(notification),
        id: id(notification, &data),
        data,
    };
    // A panic must not go on into the library; the listener's own message was printed where it happened.
    let _ = catch_unwind(AssertUnwindSafe(|| listener(&event)));
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
