// SPDX-License-Identifier: MIT OR Apache-2.0
//! What answers inside a container: HTTP and echo services on the sockets of its stack.
//!
//! Apart from the stack, because a stack knows nothing of what is said over it. A TCP service always has one listening socket, so that no
//! connection is refused for want of one.

use std::sync::Arc;

use smoltcp::{
    iface::{SocketHandle, SocketSet},
    socket::{tcp, udp},
};

use crate::http::HttpConversation;

/// What answers at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// TCP: answers every GET with a 200 and this body.
    Http {
        /// The body.
        body: Arc<[u8]>,
    },
    /// TCP and UDP: sends back what it gets.
    Echo,
}

/// Room for one direction of a TCP connection, in bytes: several segments, so that a body needs few round trips.
const TCP_BUFFER: usize = 8192;

/// Room for one direction of a UDP socket: datagrams, and bytes for all of them.
const UDP_BUFFER: (usize, usize) = (8, 12_000);

/// A TCP socket as every program in here uses it.
pub(crate) fn tcp_socket() -> tcp::Socket<'static> {
    let mut socket = tcp::Socket::new(
        tcp::SocketBuffer::new(vec![0; TCP_BUFFER]),
        tcp::SocketBuffer::new(vec![0; TCP_BUFFER]),
    );
    // Requests and answers are written whole; waiting for more to send would only add time.
    socket.set_nagle_enabled(false);
    socket
}

/// A UDP socket as every program in here uses it.
pub(crate) fn udp_socket() -> udp::Socket<'static> {
    let (datagrams, bytes) = UDP_BUFFER;
    let buffer =
        || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; datagrams], vec![0; bytes]);
    udp::Socket::new(buffer(), buffer())
}

/// A service at work on a stack.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Udp(SocketHandle),
}

/// A TCP service at work.
#[derive(Debug)]
pub(crate) struct TcpListener {
    port: u16,
    service: Service,
    listening: SocketHandle,
    conversations: Vec<(SocketHandle, Conversation)>,
}

#[derive(Debug)]
enum Conversation {
    Http(HttpConversation),
    Echo,
}

impl Listener {
    /// Starts a TCP service; the port is not 0.
    pub(crate) fn tcp(port: u16, service: Service, sockets: &mut SocketSet<'static>) -> Self {
        Listener::Tcp(TcpListener {
            port,
            service,
            listening: listening_socket(port, sockets),
            conversations: Vec::new(),
        })
    }

    /// Starts a UDP echo service; the port is not 0.
    pub(crate) fn udp_echo(port: u16, sockets: &mut SocketSet<'static>) -> Self {
        let mut socket = udp_socket();
        socket
            .bind(port)
            .expect("a new socket binds to any port but 0");
        Listener::Udp(sockets.add(socket))
    }

    /// Reads what came and answers it; whether anything was done.
    pub(crate) fn serve(&mut self, sockets: &mut SocketSet<'static>) -> bool {
        match self {
            Listener::Tcp(listener) => listener.serve(sockets),
            Listener::Udp(handle) => echo_datagrams(sockets.get_mut(*handle)),
        }
    }

    /// Stops: open conversations are reset.
    pub(crate) fn stop(self, sockets: &mut SocketSet<'static>) -> Vec<SocketHandle> {
        match self {
            Listener::Udp(handle) => {
                sockets.remove(handle);
                Vec::new()
            }
            Listener::Tcp(listener) => {
                sockets.remove(listener.listening);
                let handles: Vec<SocketHandle> = listener
                    .conversations
                    .into_iter()
                    .map(|(handle, _)| handle)
                    .collect();
                for handle in &handles {
                    sockets.get_mut::<tcp::Socket>(*handle).abort();
                }
                handles
            }
        }
    }
}

fn listening_socket(port: u16, sockets: &mut SocketSet<'static>) -> SocketHandle {
    let mut socket = tcp_socket();
    socket
        .listen(port)
        .expect("a new socket listens on any port but 0");
    sockets.add(socket)
}

impl TcpListener {
    fn serve(&mut self, sockets: &mut SocketSet<'static>) -> bool {
        let mut worked = false;
        if sockets.get::<tcp::Socket>(self.listening).state() != tcp::State::Listen {
            let conversation = match &self.service {
                Service::Http { body } => Conversation::Http(HttpConversation::new(body.clone())),
                Service::Echo => Conversation::Echo,
            };
            self.conversations.push((self.listening, conversation));
            self.listening = listening_socket(self.port, sockets);
            worked = true;
        }
        self.conversations.retain_mut(|(handle, conversation)| {
            let socket = sockets.get_mut::<tcp::Socket>(*handle);
            worked |= match conversation {
                Conversation::Http(http) => http.serve(socket),
                Conversation::Echo => echo_bytes(socket),
            };
            // A reset during the handshake makes a socket listen again; the listener has another one by then.
            let over = matches!(socket.state(), tcp::State::Closed | tcp::State::Listen);
            if over {
                sockets.remove(*handle);
            }
            !over
        });
        worked
    }
}

/// Sends back what came, as far as there is room; closes when the peer has.
fn echo_bytes(socket: &mut tcp::Socket) -> bool {
    let mut worked = false;
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity() - socket.send_queue();
        let Ok(bytes) = socket.recv(|bytes| {
            let taken = bytes.len().min(room);
            (taken, bytes[..taken].to_vec())
        }) else {
            break;
        };
        if socket.send_slice(&bytes).is_err() {
            break;
        }
        worked = true;
    }
    if socket.state() == tcp::State::CloseWait && !socket.can_recv() {
        socket.close();
        worked = true;
    }
    worked
}

fn echo_datagrams(socket: &mut udp::Socket) -> bool {
    let mut worked = false;
    while socket.can_recv() && socket.can_send() {
        let Ok((bytes, from)) = socket.recv() else {
            break;
        };
        let bytes = bytes.to_vec();
        // A datagram without room is lost, as datagrams are.
        let _ = socket.send_slice(&bytes, from);
        worked = true;
    }
    worked
}
