// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP over a Unix socket: the connector that the HTTP library leaves to its users.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ureq::{
    Agent, Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{
            Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, ShutdownHandle,
            Transport,
        },
    },
};

/// An agent all of whose requests go to one socket.
pub(super) fn agent(config: Config, path: &Path) -> Agent {
    Agent::with_parts(config, ToSocket(path.to_owned()), Nowhere)
}

/// A socket has a path and no address.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}

#[derive(Debug)]
struct ToSocket(PathBuf);

impl Connector for ToSocket {
    type Out = Wire;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Wire>, Error> {
        let stream = Arc::new(UnixStream::connect(&self.0)?);
        let handle: Arc<dyn ShutdownHandle> = Arc::new(End(stream.try_clone()?));
        (details.register_shutdown)(Arc::downgrade(&handle))?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Wire {
            stream,
            _handle: handle,
            buffers,
        }))
    }
}

/// A second handle on the socket, by which another thread ends what goes on there.
struct End(UnixStream);

impl ShutdownHandle for End {
    fn shutdown(&self) {
        // An error says that it is closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

struct Wire {
    stream: Arc<UnixStream>,
    /// The library keeps a weak one: it lives as long as the connection.
    _handle: Arc<dyn ShutdownHandle>,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stream.fmt(f)
    }
}

/// The rest of a time limit, as sockets want it.
fn rest(timeout: NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|rest| *rest)
}

fn timed(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(rest(timeout))?;
        (&*self.stream)
            .write_all(&self.buffers.output()[..amount])
            .map_err(|error| timed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(rest(timeout))?;
        let amount = loop {
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| timed(error, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Between two requests nothing is to be read; an end of file or a stray byte says that the connection is of no more use.
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && matches!((&*self.stream).read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        quiet && self.stream.set_nonblocking(false).is_ok()
    }
}
