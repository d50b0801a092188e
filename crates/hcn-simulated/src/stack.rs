// SPDX-License-Identifier: MIT OR Apache-2.0
//! One machine on the wire: a TCP/IP stack with its card, its sockets and its services.
//!
//! Apart, because it is the only place that drives smoltcp. A stack never crosses a port by itself: what it sends is taken from it, and
//! what it gets is given to it.

use std::{collections::BTreeMap, net::IpAddr};

use hcn_engine::{Family, Protocol, topology};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::Medium,
    socket::tcp,
    time::{Duration, Instant},
    wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr},
};

use crate::{
    card::Card,
    listener::{Listener, Service},
    topology::usable,
};

/// Addresses of a machine, by which it is known to be the same one after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `None` for the host, whose cards are the router's.
    pub(crate) mac: Option<EthernetAddress>,
    /// Addresses with the prefix lengths of their subnets.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
    /// Default routers; the first of each family is used.
    pub(crate) gateways: Vec<IpAddr>,
    /// From which sequence numbers are made.
    pub(crate) seed: u64,
}

impl Identity {
    /// The host. It has no address of its own: it takes what the router gives it, which knows the addresses.
    pub(crate) fn host() -> Self {
        Identity {
            mac: None,
            addresses: Vec::new(),
            gateways: Vec::new(),
            seed: 0,
        }
    }

    /// The address by which the machine talks to `peer`: itself, else one in the peer's subnet, else its first of that family.
    pub(crate) fn address_towards(&self, peer: IpAddr) -> Option<IpAddr> {
        topology::address_towards(self.usable(), peer)
    }

    /// Whose MAC address the machine needs to send to `peer`.
    pub(crate) fn next_hop(&self, peer: IpAddr) -> Option<IpAddr> {
        topology::next_hop(self.usable(), &self.gateways, peer)
    }

    fn usable(&self) -> impl Iterator<Item = (IpAddr, u8)> + Clone {
        usable(&self.addresses)
    }

    fn gateway(&self, family: Family) -> Option<IpAddr> {
        topology::router(self.usable(), &self.gateways, family)
    }
}

fn longest_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The machine.
pub(crate) struct Stack {
    identity: Identity,
    interface: Interface,
    card: Card,
    sockets: SocketSet<'static>,
    listeners: BTreeMap<(Protocol, u16), Listener>,
    /// Sockets that are closing and nobody needs any more.
    closing: Vec<SocketHandle>,
}

impl Stack {
    pub(crate) fn new(identity: Identity, now: Instant) -> Self {
        let mut card = Card::new(match identity.mac {
            Some(_) => Medium::Ethernet,
            None => Medium::Ip,
        });
        Stack {
            interface: interface(&identity, &mut card, None, now),
            identity,
            card,
            sockets: SocketSet::new(Vec::new()),
            listeners: BTreeMap::new(),
            closing: Vec::new(),
        }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Forgets the neighbours, so that an exchange does not depend on those before it; `source` is the address that the host uses.
    ///
    /// The interface is made anew, because smoltcp asks for one neighbour a second at most and cannot be told otherwise.
    pub(crate) fn forget_neighbours(&mut self, source: IpAddr, now: Instant) {
        self.interface = interface(&self.identity, &mut self.card, Some(source), now);
    }

    /// Starts a service, in place of one that is there already.
    pub(crate) fn listen(&mut self, protocol: Protocol, port: u16, service: Service) {
        self.stop_listening(protocol, port);
        let listener = if protocol == Protocol::UDP {
            Listener::udp_echo(port, &mut self.sockets)
        } else {
            Listener::tcp(port, service, &mut self.sockets)
        };
        self.listeners.insert((protocol, port), listener);
    }

    /// Stops a service.
    pub(crate) fn stop_listening(&mut self, protocol: Protocol, port: u16) {
        if let Some(listener) = self.listeners.remove(&(protocol, port)) {
            self.closing.extend(listener.stop(&mut self.sockets));
        }
    }

    /// Gives the stack a frame, or the host's stack a packet.
    pub(crate) fn deliver(&mut self, frame: Vec<u8>) {
        self.card.deliver(frame);
    }

    /// Lets the stack and its services do what there is to do now; what it sent, and when it wants to be called next.
    pub(crate) fn poll(&mut self, now: Instant) -> (Vec<Vec<u8>>, Option<Instant>) {
        loop {
            self.interface.poll(now, &mut self.card, &mut self.sockets);
            let mut worked = false;
            for listener in self.listeners.values_mut() {
                worked |= listener.serve(&mut self.sockets);
            }
            if !worked {
                break;
            }
        }
        let sockets = &mut self.sockets;
        self.closing.retain(|handle| {
            // Closed, with the reset sent, which takes the peer's address from the socket.
            let socket = sockets.get::<tcp::Socket>(*handle);
            let over = match socket.state() {
                tcp::State::Closed => socket.remote_endpoint().is_none(),
                tcp::State::TimeWait => true,
                _ => false,
            };
            if over {
                sockets.remove(*handle);
            }
            !over
        });
        let wake = self
            .interface
            .poll_at(now, &self.sockets)
            // A socket may want to go on at once and not be able to; time has to pass all the same.
            .map(|at| at.max(now + Duration::from_millis(1)));
        (self.card.take_sent(), wake)
    }

    /// Opens a TCP connection.
    pub(crate) fn connect(
        &mut self,
        from: (IpAddr, u16),
        to: (IpAddr, u16),
    ) -> Result<SocketHandle, tcp::ConnectError> {
        let mut socket = crate::listener::tcp_socket();
        socket.connect(self.interface.context(), to, from)?;
        Ok(self.sockets.add(socket))
    }

    /// Ends a connection for which nobody waits any more: in order where it is established, else with a reset.
    pub(crate) fn let_go(&mut self, handle: SocketHandle, in_order: bool) {
        let socket = self.sockets.get_mut::<tcp::Socket>(handle);
        match socket.state() {
            // Nothing was heard from the peer, so that there is nothing to tell it.
            tcp::State::SynSent | tcp::State::Closed => {
                self.sockets.remove(handle);
            }
            _ => {
                if in_order {
                    // The last acknowledgement goes out at once, so that the socket need not stay for it.
                    socket.set_ack_delay(None);
                    socket.close();
                } else {
                    socket.abort();
                }
                self.closing.push(handle);
            }
        }
    }

    /// Whether all connections that were let go have ended.
    pub(crate) fn is_settled(&self) -> bool {
        self.closing.is_empty()
    }

    pub(crate) fn sockets(&mut self) -> &mut SocketSet<'static> {
        &mut self.sockets
    }

    /// Whether a service of the machine has this port.
    pub(crate) fn is_taken(&self, protocol: Protocol, port: u16) -> bool {
        self.listeners.contains_key(&(protocol, port))
    }
}

/// An interface with the machine's addresses; of the host, with the one that it uses now.
fn interface(
    identity: &Identity,
    card: &mut Card,
    source: Option<IpAddr>,
    now: Instant,
) -> Interface {
    let mut config = Config::new(match identity.mac {
        Some(mac) => HardwareAddress::Ethernet(mac),
        None => HardwareAddress::Ip,
    });
    config.random_seed = identity.seed;
    let mut interface = Interface::new(config, card, now);
    match identity.mac {
        Some(_) => {
            interface.update_ip_addrs(|addresses| {
                for (own, prefix_length) in identity.usable() {
                    let room = addresses.push(IpCidr::new(IpAddress::from(own), prefix_length));
                    debug_assert!(room.is_ok(), "no more addresses than there is room for");
                }
            });
            if let Some(IpAddr::V4(gateway)) = identity.gateway(Family::V4) {
                let room = interface.routes_mut().add_default_ipv4_route(gateway);
                debug_assert!(room.is_ok(), "one route of each family");
            }
            if let Some(IpAddr::V6(gateway)) = identity.gateway(Family::V6) {
                let room = interface.routes_mut().add_default_ipv6_route(gateway);
                debug_assert!(room.is_ok(), "one route of each family");
            }
        }
        None => {
            interface.set_any_ip(true);
            if let Some(source) = source {
                interface.update_ip_addrs(|addresses| {
                    let room = addresses
                        .push(IpCidr::new(IpAddress::from(source), longest_prefix(source)));
                    debug_assert!(room.is_ok(), "one address");
                });
            }
        }
    }
    interface
}
