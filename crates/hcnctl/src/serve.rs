// SPDX-License-Identifier: MIT OR Apache-2.0
//! The counter: HTTP over an open HNS, for programs on this machine.
//!
//! Apart from the commands because tests and other programs serve too. The async runtime lives and ends in here: the seam is synchronous,
//! and every call to it runs on a thread that may block. Invariants: nobody is answered before the guard has let them in; a server that was
//! told to stop answers what it has begun, tells its listeners, and leaves no socket behind.

mod action;
mod answer;
mod guard;
mod listen;
pub mod openapi;
pub mod private;
mod routes;
mod stream;

use std::{sync::Arc, time::Duration};

use hcn::{Answer, Connection, HcnCode, HnsError, Target};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    task::JoinHandle,
};

pub use guard::new_token;
pub use listen::Listen;
pub(crate) use listen::signal;

/// How long a stop waits for what has begun.
const GRACE: Duration = Duration::from_secs(10);

/// How to serve.
pub struct Options {
    /// Where.
    pub listen: Listen,
    /// What every request has to show; `None` where the peer is known otherwise, by its user on a Unix socket.
    pub token: Option<String>,
}

/// A running server.
pub struct Server {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
    target: Target,
    /// Removed at the end.
    _socket: Option<listen::SocketFile>,
}

impl Server {
    /// Serves an HNS from now on.
    ///
    /// # Errors
    /// `E_INVALIDARG` for TCP without a token; else those of the place to listen on.
    pub fn start(connection: Arc<Connection>, options: &Options) -> Answer<Server> {
        if matches!(options.listen, Listen::Tcp(_)) && options.token.is_none() {
            return Err(HnsError::because(
                HcnCode::E_INVALIDARG,
                "TCP is open to every user of the machine; it needs a token",
            ));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(|error| {
                HnsError::because(HcnCode::E_OUTOFMEMORY, format!("no threads: {error}"))
            })?;
        let (stop, stopping) = watch::channel(false);
        // Sockets are made inside the runtime that drives them.
        let inside = runtime.enter();
        let hall = Arc::new(stream::Hall::new(connection, stopping.clone()));
        let router = routes::router(hall, guard::Guard::new(options.token.clone()));
        let bound = listen::bind(&options.listen)?;
        drop(inside);
        let task = runtime.spawn(bound.ear.serve(router, stopping));
        Ok(Server {
            runtime,
            stop,
            task,
            target: bound.target,
            _socket: bound.file,
        })
    }

    /// By which clients reach it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Waits for ctrl-c or SIGTERM.
    ///
    /// # Errors
    /// Where the system does not tell of signals.
    pub fn wait(&self) -> Answer<()> {
        self.runtime
            .block_on(signal())
            .map_err(|error| HnsError::because(HcnCode::E_FAIL, format!("no signals: {error}")))
    }

    /// Stops: takes no more requests, answers those it has, and tells its listeners.
    pub fn stop(self) {
        // Nobody listens any more where the task has ended by itself.
        let _ = self.stop.send(true);
        // What takes longer is cut off.
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(GRACE, self.task).await });
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}
