// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that go on: events.
//!
//! Invariant: what a client has been granted ends with its connection, however that ends.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use hcn::{
    Answer, Connection, Event, HnsError, Kind, Listener, Notification, Subscription, schema::Guid,
    wire,
};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::answer;

/// Events that a slow client may be behind before it is told that it lost some.
const BEHIND: usize = 4096;

/// How often something is said on a connection on which there is nothing to say.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What all requests share.
pub(super) struct Hall {
    /// The HNS.
    pub connection: Arc<Connection>,
    stopping: watch::Receiver<bool>,
    events: broadcast::Sender<Arc<Event>>,
    /// One for all clients; an HNS that tells no events says why. Ends with the hall.
    subscription: Answer<std::sync::Mutex<Subscription>>,
}

impl Hall {
    /// The hall of an HNS.
    pub fn new(connection: Arc<Connection>, stopping: watch::Receiver<bool>) -> Hall {
        let (events, _) = broadcast::channel(BEHIND);
        let tell = events.clone();
        let listener: Listener = Arc::new(move |event| {
            // Nobody listens: then nobody misses it.
            let _ = tell.send(Arc::new(event.clone()));
        });
        Hall {
            subscription: connection
                .hns()
                .subscribe(listener)
                .map(std::sync::Mutex::new),
            connection,
            stopping,
            events,
        }
    }

    /// Tells events as `text/event-stream`, until the client leaves or the server stops.
    pub fn events(&self) -> Response {
        if let Err(error) = &self.subscription {
            return answer::respond(Err(error.clone()));
        }
        // From here on nothing is missed: the client has its answer after this.
        let mut events = self.events.subscribe();
        let mut stopping = self.stopping.clone();
        let (tell, body) = body(HeaderValue::from_static("text/event-stream"));
        tokio::spawn(async move {
            let mut number = 0u64;
            let mut text = Bytes::from_static(b": from now on\n\n");
            loop {
                if tell.send(text).await.is_err() {
                    return;
                }
                text = tokio::select! {
                    event = events.recv() => match event {
                        Ok(event) => {
                            number += 1;
                            line(number, &event)
                        }
                        // Events were lost. A client that is disconnected lists anew, as after a restart of HNS.
                        Err(_) => break,
                    },
                    _ = stopping.wait_for(|stop| *stop) => break,
                    () = tell.closed() => return,
                    () = tokio::time::sleep(KEEP_ALIVE) => Bytes::from_static(b":\n\n"),
                };
            }
            let last = Event {
                notification: Notification::ServiceDisconnect,
                kind: Kind::Network,
                id: Guid::ZERO,
                data: String::new(),
            };
            // A client that left needs no goodbye.
            let _ = tell.send(line(number + 1, &last)).await;
        });
        body
    }
}

/// A response whose body is what is sent.
fn body(content_type: HeaderValue) -> (mpsc::Sender<Bytes>, Response) {
    let (tell, told) = mpsc::channel(16);
    let stream = ReceiverStream::new(told).map(Ok::<Bytes, Infallible>);
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (tell, response)
}

fn line(number: u64, event: &Event) -> Bytes {
    let name = wire::notification_word(event.notification);
    let data = wire::event(event);
    format!("event: {name}\nid: {number}\ndata: {data}\n\n").into()
}

/// The failure of an action whose thread ended without an answer.
pub(super) fn broken() -> HnsError {
    HnsError::because(
        hcn::HcnCode::E_UNEXPECTED,
        "the call ended without an answer; the service goes on",
    )
}
