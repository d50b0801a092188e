// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events of a server: a thread that reads the stream and tells the listener.

use std::{
    io::{BufRead, BufReader},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use hcn_api::{Event, Kind, Listener, Notification, Subscription};
use hcn_schema::Guid;
use ureq::{Agent, Body, http};

use crate::wire;

/// Tells the listener what the stream says, until the subscription is dropped or the server goes away.
pub(super) fn listen(
    agent: Agent,
    response: http::Response<Body>,
    listener: Listener,
) -> Subscription {
    let gate = Arc::new(Gate::default());
    let own = gate.clone();
    let reader = thread::spawn(move || {
        for event in events(BufReader::new(response.into_body().into_reader())) {
            own.tell(&listener, &event);
        }
        own.tell(
            &listener,
            &Event {
                notification: Notification::ServiceDisconnect,
                kind: Kind::Network,
                id: Guid::ZERO,
                data: String::new(),
            },
        );
    });
    let reader = reader.thread().id();
    Subscription::new(move || {
        gate.ended.store(true, Ordering::SeqCst);
        // Wakes the reader, which then ends.
        agent.shutdown();
        if thread::current().id() != reader {
            drop(gate.telling.lock().unwrap_or_else(PoisonError::into_inner));
        }
    })
}

/// Nothing is told once it has ended, and its end waits for what is being told.
#[derive(Default)]
struct Gate {
    ended: AtomicBool,
    telling: Mutex<()>,
}

impl Gate {
    fn tell(&self, listener: &Listener, event: &Event) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.ended.load(Ordering::SeqCst) {
            listener(event);
        }
    }
}

/// The events of a stream (`text/event-stream`); lines of no interest to us are passed over.
fn events(stream: impl BufRead) -> impl Iterator<Item = Event> {
    stream
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| wire::read_event(line.strip_prefix("data:")?.trim_start()))
        .take_while(|event| event.notification != Notification::ServiceDisconnect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_foreign_lines_are_passed_over_and_a_disconnect_ends_it() {
        let id = "edffc876-3051-46ec-80b3-820dda20aa14".parse().unwrap();
        let line = |notification| {
            let event = Event {
                notification,
                kind: Kind::Network,
                id,
                data: "{}".to_owned(),
            };
            format!("event: x\nid: 1\ndata: {}\n\n", wire::event(&event))
        };
        let stream = format!(
            ": hello\n\n{}data: nothing\n\n{}{}",
            line(Notification::NetworkCreate),
            line(Notification::ServiceDisconnect),
            line(Notification::NetworkDelete)
        );
        let told: Vec<Notification> = events(stream.as_bytes())
            .map(|event| event.notification)
            .collect();
        assert_eq!(told, [Notification::NetworkCreate]);
    }
}
