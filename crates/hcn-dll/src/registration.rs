// SPDX-License-Identifier: MIT OR Apache-2.0
//! A callback and its thread.
//!
//! Events wait in a queue between the thread that made the change and the thread that calls back, so that no caller of HNS ever runs the code
//! of a listener. When [`Registration::end`] returns, no call is under way and none follows; the callback itself may end its registration.

use std::{
    collections::VecDeque,
    ffi::c_void,
    ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use hcn_abi::{
    text,
    types::{DWORD, HRESULT, PCWSTR, hresult::S_OK},
};
use hcn_api::{Answer, Event, HcnCode, Hns, HnsError, Subscription};

/// A callback that is not NULL.
pub(crate) type Callback = unsafe extern "system" fn(DWORD, *mut c_void, HRESULT, PCWSTR);

/// Whom to call, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    pub callback: Callback,
    pub context: *mut c_void,
}

// SAFETY: the border promises callers that callbacks come from any thread, so theirs and their context have to bear it; here the context is
// only passed on.
unsafe impl Send for Listener {}

/// A running registration.
pub(crate) struct Registration {
    queue: Arc<Queue>,
    subscription: Subscription,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    ended: bool,
}

impl Registration {
    /// Calls back for every event that is wanted.
    ///
    /// # Errors
    /// Those of the HNS; `E_OUTOFMEMORY` where there is no thread.
    pub fn start(
        hns: &dyn Hns,
        listener: Listener,
        wanted: impl Fn(&Event) -> bool + Send + Sync + 'static,
    ) -> Answer<Registration> {
        stay_loaded();
        let queue = Arc::new(Queue::default());
        let shared = queue.clone();
        let subscription = hns.subscribe(Arc::new(move |event: &Event| {
            if wanted(event) {
                shared.add(event.clone());
            }
        }))?;
        let shared = queue.clone();
        let thread = thread::Builder::new()
            .name("hns-notification".to_owned())
            .spawn(move || call_back(&shared, listener))
            .map_err(|error| {
                HnsError::because(
                    HcnCode::E_OUTOFMEMORY,
                    format!("no thread for callbacks: {error}"),
                )
            })?;
        Ok(Registration {
            queue,
            subscription,
            thread,
        })
    }

    /// Ends it, after a call that is under way has returned, unless this is within that call.
    pub fn end(self) {
        self.queue.end();
        drop(self.subscription);
        if self.thread.thread().id() != thread::current().id() {
            // The thread does not panic, and if it did there would be no call under way either.
            let _ = self.thread.join();
        }
    }
}

impl Queue {
    fn add(&self, event: Event) {
        let mut waiting = self.lock();
        if !waiting.ended {
            waiting.events.push_back(event);
            self.changed.notify_one();
        }
    }

    fn end(&self) {
        let mut waiting = self.lock();
        waiting.ended = true;
        waiting.events.clear();
        self.changed.notify_one();
    }

    /// The next event; `None` after the end.
    fn next(&self) -> Option<Event> {
        let mut waiting = self.lock();
        loop {
            if waiting.ended {
                return None;
            }
            if let Some(event) = waiting.events.pop_front() {
                return Some(event);
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn call_back(queue: &Queue, listener: Listener) {
    while let Some(event) = queue.next() {
        let data = text::encode(&event.data);
        let address = data.as_ref().map_or(ptr::null(), |units| units.as_ptr());
        // SAFETY: the caller registered a function of this type with this context, and neither is gone before `end` has returned; the
        // text lives until the callback returns.
        unsafe {
            (listener.callback)(event.notification as DWORD, listener.context, S_OK, address);
        }
    }
}

/// Keeps the library in the process, since the thread may still be returning into it after the registration's end.
#[cfg(windows)]
fn stay_loaded() {
    const FROM_ADDRESS: u32 = 4;
    const PIN: u32 = 1;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }
    let mut module = ptr::null_mut();
    // SAFETY: the address is one of this library, the output a local variable. A failure leaves everything as it was before this call.
    let _ = unsafe {
        GetModuleHandleExW(
            PIN | FROM_ADDRESS,
            stay_loaded as *const c_void,
            &raw mut module,
        )
    };
}

/// The linker was told so: see `build.rs`.
#[cfg(not(windows))]
fn stay_loaded() {}
