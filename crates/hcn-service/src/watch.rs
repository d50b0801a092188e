// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events of other processes: a thread that looks into the store while anybody listens.
//!
//! Apart from the listeners because it needs a connection of its own: it must not wait for a change that is under way here. Events that this
//! service wrote itself are passed over, since its own listeners were told them at once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use hcn_api::{Answer, Event};

use crate::{
    listeners::Listeners,
    store::{Fresh, Store},
};

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(100);

/// The thread, while it is needed.
pub(crate) struct Watch {
    state: PathBuf,
    fresh: Fresh,
    teller: u64,
    listeners: Listeners,
    running: Arc<Mutex<Running>>,
}

#[derive(Default)]
struct Running {
    /// How many subscriptions there are.
    needed: usize,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// A watch on the store of a state directory, not looking yet.
    pub fn new(state: PathBuf, fresh: Fresh, teller: u64, listeners: Listeners) -> Watch {
        Watch {
            state,
            fresh,
            teller,
            listeners,
            running: Arc::default(),
        }
    }

    /// Looks until as many calls of what is given back have been made.
    ///
    /// # Errors
    /// Where the store cannot be opened a second time.
    pub fn start(&self) -> Answer<impl FnOnce() + Send + 'static> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.thread.is_none() {
            let mut store = Store::open(&self.state, self.fresh)?;
            let mut last = store.read()?.last_event()?;
            let (stop, stopped) = mpsc::channel();
            let (teller, listeners) = (self.teller, self.listeners.clone());
            let thread = thread::spawn(move || {
                while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    // What cannot be read now is read at the next look.
                    let Ok(told) = store.read().and_then(|view| view.told_since(last)) else {
                        continue;
                    };
                    last = told.last().map_or(last, |told| told.number);
                    let events: Vec<Event> = told
                        .into_iter()
                        .filter(|told| told.teller != teller)
                        .map(|told| told.event)
                        .collect();
                    // A listener that panics has said so; the others are told the next events all the same.
                    let _ = catch_unwind(AssertUnwindSafe(|| listeners.tell(&events)));
                }
            });
            running.thread = Some((stop, thread));
        }
        running.needed += 1;
        let own = self.running.clone();
        Ok(move || {
            let mut running = own.lock().unwrap_or_else(PoisonError::into_inner);
            running.needed = running.needed.saturating_sub(1);
            if running.needed == 0 {
                let thread = running.thread.take();
                drop(running);
                end(thread);
            }
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let thread = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .thread
            .take();
        end(thread);
    }
}

/// Stops the thread and waits for it, except from itself: a listener may end the last subscription.
fn end(thread: Option<(Sender<()>, JoinHandle<()>)>) {
    if let Some((stop, thread)) = thread {
        drop(stop);
        if thread.thread().id() != thread::current().id() {
            // It cannot panic: what it calls is caught.
            let _ = thread.join();
        }
    }
}
