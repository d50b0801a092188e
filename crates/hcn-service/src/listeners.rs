// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is told of events, and their leaving.
//!
//! Once a subscription is dropped its listener is not called again: a call that is under way on another thread is waited for, since what it
//! uses may be gone right after. A listener that ends its own subscription is not waited for.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

use hcn_api::{Event, Listener, Subscription};

/// The listeners of one service.
#[derive(Clone, Default)]
pub(crate) struct Listeners {
    list: Arc<Mutex<Vec<Arc<Entry>>>>,
}

/// One listener.
struct Entry {
    listener: Listener,
    calls: Mutex<Calls>,
    returned: Condvar,
}

/// The calls of a listener.
#[derive(Default)]
struct Calls {
    ended: bool,
    /// Threads that are in it now.
    threads: Vec<ThreadId>,
}

impl Listeners {
    /// Adds a listener until the subscription is dropped, which then calls `left`.
    pub fn add(&self, listener: Listener, left: impl FnOnce() + Send + 'static) -> Subscription {
        let entry = Arc::new(Entry {
            listener,
            calls: Mutex::default(),
            returned: Condvar::new(),
        });
        self.lock().push(entry.clone());
        let list = Arc::downgrade(&self.list);
        Subscription::new(move || {
            if let Some(list) = list.upgrade() {
                let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
                list.retain(|own| !Arc::ptr_eq(own, &entry));
            }
            entry.end();
            left();
        })
    }

    /// Tells every listener every event.
    pub fn tell(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        // Copied first, so that a listener may subscribe, leave or call the service.
        let entries: Vec<Arc<Entry>> = self.lock().clone();
        for event in events {
            for entry in &entries {
                entry.call(event);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn call(&self, event: &Event) {
        {
            let mut calls = self.lock();
            if calls.ended {
                return;
            }
            calls.threads.push(thread::current().id());
        }
        // Also when the listener panics.
        let _leave = Leave(self);
        (self.listener)(event);
    }

    fn end(&self) {
        let own = thread::current().id();
        let mut calls = self.lock();
        calls.ended = true;
        while calls.threads.iter().any(|thread| *thread != own) {
            calls = self
                .returned
                .wait(calls)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says at its end that a thread has left a listener.
struct Leave<'a>(&'a Entry);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let own = thread::current().id();
        let mut calls = self.0.lock();
        if let Some(position) = calls.threads.iter().position(|thread| *thread == own) {
            calls.threads.swap_remove(position);
        }
        drop(calls);
        self.0.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use hcn_api::{Kind, Notification};
    use hcn_schema::Guid;

    use super::*;

    fn event() -> Event {
        Event {
            notification: Notification::NamespaceCreate,
            kind: Kind::Namespace,
            id: Guid(1),
            data: String::new(),
        }
    }

    #[test]
    fn leaving_waits_for_a_call_that_is_under_way() {
        let listeners = Listeners::default();
        let (inside, finished) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let (own_inside, own_finished) = (inside.clone(), finished.clone());
        let listener: Listener = Arc::new(move |_| {
            own_inside.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(100));
            own_finished.store(true, Ordering::SeqCst);
        });
        let subscription = listeners.add(listener, || {});
        let teller = listeners.clone();
        let thread = thread::spawn(move || teller.tell(&[event()]));
        while !inside.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        drop(subscription);
        assert!(finished.load(Ordering::SeqCst));
        thread.join().unwrap();
    }

    #[test]
    fn a_listener_may_end_its_own_subscription() {
        let listeners = Listeners::default();
        let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
        let taken = own.clone();
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let listener: Listener = Arc::new(move |_| {
            *counted.lock().unwrap() += 1;
            drop(taken.lock().unwrap().take());
        });
        *own.lock().unwrap() = Some(listeners.add(listener, || {}));
        listeners.tell(&[event(), event()]);
        assert_eq!(*count.lock().unwrap(), 1);
    }
}
