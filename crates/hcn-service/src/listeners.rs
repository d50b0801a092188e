// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is told of events, and their leaving.

use std::sync::{Arc, Mutex, PoisonError};

use hcn_api::{Event, Listener, Subscription};

/// The listeners of one service.
#[derive(Clone, Default)]
pub(crate) struct Listeners {
    list: Arc<Mutex<List>>,
}

#[derive(Default)]
struct List {
    next: u64,
    listeners: Vec<(u64, Listener)>,
}

impl Listeners {
    /// Adds a listener until the subscription is dropped.
    pub fn add(&self, listener: Listener) -> Subscription {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let number = list.next;
        list.next += 1;
        list.listeners.push((number, listener));
        let shared = Arc::downgrade(&self.list);
        Subscription::new(move || {
            if let Some(list) = shared.upgrade() {
                list.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .listeners
                    .retain(|(own, _)| *own != number);
            }
        })
    }

    /// Tells every listener every event.
    pub fn tell(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        // Copied first, so that a listener may subscribe, leave or call the service.
        let listeners: Vec<Listener> = {
            let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            list.listeners
                .iter()
                .map(|(_, listener)| listener.clone())
                .collect()
        };
        for event in events {
            for listener in &listeners {
                listener(event);
            }
        }
    }
}
