// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of a flow's first packet: whom it is handed to, where it is translated, which ports judge it, and how it ends.
//!
//! Apart from the switch, which judges at one port: here the ports are found that a packet crosses, as the host routes it, publishes ports and
//! balances loads. Data planes do with packets what is said here. Nothing lies beyond the host: a packet that leaves it is judged no further.
//!
//! Of the record (hns-behaviour 5.1): NAT and ICS networks are entered from outside by published ports alone, Internal and Private ones not at all,
//! and nothing leaves the host from these two.
//!
//! Guesses (hns-behaviour 5.4, 5.6 and Q9 say what is translated, not in which order): a load balancer goes before a published port; one
//! without direct server return translates on the host, with its `SourceVIP` (or the host's address) as source, also where its virtual address is on
//! the sender's own subnet (as those of the recorded swarms are); one with it translates at the sender's port, and its Out rules see the backend.
//! What is sent to a virtual address that no load balancer takes gets nowhere, unless the address is somebody's or an external one. Two networks
//! with one subnet are two wires, as in the data plane: who looks for an address on his own does not find the one who has it on the other.

use std::net::IpAddr;

use hcn_schema::network::NetworkType;
use ipnet::IpNet;

use crate::{
    flow::{Direction, Family, Flow, Protocol},
    semantics::Semantics,
    switch::{Balancer, PortIndex, Switch},
    topology::{self, Topology},
    verdict::{Decision, Ruling},
};

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A container, at this port.
    Port(PortIndex),
    /// The host.
    Host,
    /// Beyond the host.
    Outside,
}

/// Who has a packet in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The container at this port.
    Port(PortIndex),
    /// The host.
    Host,
}

/// Why there is no way to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoWay {
    /// The sender has no route to it.
    NoRoute,
    /// Nobody on the network has this address.
    Nobody(IpAddr),
    /// The sender's router is a container, which forwards nothing.
    NotARouter(PortIndex),
    /// The host has no card on a network that leads there.
    HostKnowsNoWay,
    /// Nothing comes in from outside to a network of this type but by a published port or a load balancer.
    NotLetIn {
        /// Index of the network.
        network: usize,
    },
    /// Nothing leaves the host from a network of this type.
    NotLetOut {
        /// Index of the network.
        network: usize,
    },
    /// A virtual address, of which no load balancer has this protocol and port.
    NotServed,
    /// A load balancer takes it and has no backend to which it could go.
    NoBackend {
        /// Place in [`Switch::balancers`].
        balancer: usize,
    },
}

/// How the way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It gets there.
    Arrives(Receiver),
    /// It leaves the host; nothing is known of what lies beyond.
    Leaves,
    /// The last port dropped it.
    Dropped,
    /// It cannot get there, whatever the rules say.
    Unreachable(NoWay),
    /// It goes to one of several backends; so many of them get it.
    Balanced {
        /// Backends that get it.
        passing: usize,
        /// All backends.
        of: usize,
    },
}

impl Fate {
    /// Whether it surely gets through, as far as this host goes.
    pub fn is_allowed(self) -> bool {
        match self {
            Fate::Arrives(_) | Fate::Leaves => true,
            Fate::Dropped | Fate::Unreachable(_) => false,
            Fate::Balanced { passing, of } => passing == of,
        }
    }
}

/// One thing that happens on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The sender finds the receiver on its own subnet.
    OnLink {
        /// Index of the network.
        network: usize,
    },
    /// The sender hands it to its default router.
    ToRouter {
        /// Index of the network.
        network: usize,
        /// The router's address.
        router: IpAddr,
    },
    /// The host sends it on to a network.
    Routed {
        /// Index of the network.
        network: usize,
    },
    /// A port judges it.
    Judged {
        /// The port.
        port: PortIndex,
        /// The direction in which it crosses the port.
        direction: Direction,
        /// The flow as the port sees it.
        flow: Flow,
        /// What the port says.
        ruling: Ruling,
    },
    /// It was sent to a published port of the host.
    Published {
        /// Place in [`Switch::port_mappings`].
        mapping: usize,
        /// The flow as it goes on.
        flow: Flow,
    },
    /// It leaves the host, by a network that hides it behind an address of the host.
    Hidden {
        /// Index of the network.
        network: usize,
    },
    /// It leaves the host, and a policy of the sender says with which source.
    Outbound {
        /// The sender's port.
        port: PortIndex,
        /// Place in [`Port::outbound_nat`](crate::switch::Port::outbound_nat).
        policy: usize,
        /// Why the source stays; none where it does not.
        kept: Option<Kept>,
    },
    /// It was sent to a load balancer; the last hop, as each backend has a way of its own.
    Balanced {
        /// Place in [`Switch::balancers`].
        balancer: usize,
        /// Place in the balancer's ports.
        port: usize,
        /// The backends.
        branches: Vec<Branch>,
    },
}

/// Why a packet leaves with its own source although its sender has a policy that gives others another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The destination is in this exception.
    Exception(IpNet),
    /// The policy is for other destinations.
    NotADestination,
    /// ICMP is not translated (seen on overlay networks; a guess for the others).
    Icmp,
}

/// The way to one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Place in the balancer's backends.
    pub backend: usize,
    /// The way from the balancer on.
    pub way: Way,
}

/// The way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The flow as it sets out; on the way to a backend, as it goes on from the balancer.
    pub flow: Flow,
    /// What happens, in order.
    pub hops: Vec<Hop>,
    /// How it ends.
    pub fate: Fate,
}

impl Way {
    /// Every judgement on the way, those on the ways to backends included.
    pub fn judgements(&self) -> Vec<(PortIndex, Direction, Flow, Ruling)> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect(&self, all: &mut Vec<(PortIndex, Direction, Flow, Ruling)>) {
        for hop in &self.hops {
            match hop {
                Hop::Judged {
                    port,
                    direction,
                    flow,
                    ruling,
                } => all.push((*port, *direction, *flow, *ruling)),
                Hop::Balanced { branches, .. } => {
                    branches.iter().for_each(|branch| branch.way.collect(all));
                }
                Hop::OnLink { .. }
                | Hop::ToRouter { .. }
                | Hop::Routed { .. }
                | Hop::Hidden { .. }
                | Hop::Outbound { .. }
                | Hop::Published { .. } => {}
            }
        }
    }
}

/// Who says what a port does with a flow.
pub(crate) type Judge<'a> = dyn Fn(PortIndex, Direction, &Flow) -> Ruling + 'a;

/// First source port that the host takes for a flow that it hides behind its own address; data planes may take any from here on.
pub const FIRST_MASQUERADE_PORT: u16 = 32768;

/// A dynamic port (RFC 6335), for whoever asks about a flow without saying from which port.
pub const DYNAMIC_PORT: u16 = 49152;

impl Switch {
    /// The way of the first packet of a flow. The topology is this switch's.
    pub fn way(&self, topology: &Topology, start: Start, flow: &Flow) -> Way {
        let judge = |port, direction, flow: &Flow| self.rule(port, direction, flow);
        self.way_judged_by(topology, start, flow, self.semantics(), &judge)
    }

    pub(crate) fn way_judged_by(
        &self,
        topology: &Topology,
        start: Start,
        flow: &Flow,
        semantics: &Semantics,
        judge: &Judge<'_>,
    ) -> Way {
        let walk = Walk {
            switch: self,
            topology,
            semantics,
            judge,
            sender: None,
            way: Way {
                flow: *flow,
                hops: Vec::new(),
                fate: Fate::Dropped,
            },
        };
        match start {
            Start::Port(port) => walk.leave(port, *flow),
            Start::Host => walk.route(*flow, Origin::Host),
            Start::Outside => walk.route(*flow, Origin::Outside),
        }
    }

    /// The source address that a sender takes for a destination; `None` where it has none of the family.
    pub fn source_towards(
        &self,
        topology: &Topology,
        start: Start,
        destination: IpAddr,
    ) -> Option<IpAddr> {
        match start {
            Start::Port(port) => {
                let port = self.ports.get(port.0 as usize)?;
                topology::address_towards(topology.usable(port), destination)
            }
            Start::Host => topology
                .host_address_towards(destination)
                .or_else(|| topology.first_host_address(destination.into())),
            Start::Outside => None,
        }
    }

    /// Where a packet with this source address comes from.
    pub fn start_of(&self, topology: &Topology, source: IpAddr) -> Start {
        match self.port_with(source) {
            Some(port) => Start::Port(port),
            None if topology.network_of_host_address(source).is_some() => Start::Host,
            None => Start::Outside,
        }
    }

    /// The load balancer that takes a flow: its place, and that of its port. One without a backend takes none.
    pub fn balancer_of(&self, topology: &Topology, flow: &Flow) -> Option<(usize, usize)> {
        self.balancers_at(topology, flow)
            .find(|(place, _)| has_backend(&self.balancers[*place], flow))
    }

    /// The load balancers that have a port for a flow, whether or not they have a backend.
    fn balancers_at<'a>(
        &'a self,
        topology: &'a Topology,
        flow: &'a Flow,
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let is_host = std::cell::LazyCell::new(|| {
            topology.network_of_host_address(flow.destination).is_some()
        });
        let all = self.balancers.iter().enumerate();
        all.filter_map(move |(place, balancer)| {
            let port = balancer.ports.iter().position(|port| port.takes(flow))?;
            let is_meant = match balancer.vips.is_empty() {
                true => *is_host,
                false => balancer.vips.contains(&flow.destination),
            };
            is_meant.then_some((place, port))
        })
    }

    /// Why a flow to a virtual address that nobody here has gets nowhere; `None` where it is to another address, or is taken.
    fn service_gap(&self, topology: &Topology, flow: &Flow) -> Option<NoWay> {
        let mut own = self.balancers.iter();
        let own = own
            .by_ref()
            .filter(|balancer| balancer.vips.contains(&flow.destination));
        let mut is_virtual = false;
        for balancer in own {
            // Beyond the host somebody answers at an external address, e.g. the load balancer of a cloud.
            if balancer.ports.iter().any(|port| port.is_external) {
                return None;
            }
            is_virtual = true;
        }
        if !is_virtual {
            return None;
        }
        let mut taking = self.balancers_at(topology, flow);
        Some(match taking.next() {
            Some((balancer, _)) => NoWay::NoBackend { balancer },
            None => NoWay::NotServed,
        })
    }
}

fn has_backend(balancer: &Balancer, flow: &Flow) -> bool {
    let mut backends = balancer.backends.iter();
    backends.any(|backend| backend.address_like(flow.destination).is_some())
}

/// Whether machines beyond the host are on networks of a type.
pub(crate) fn leads_out(network_type: &NetworkType) -> bool {
    !matches!(
        network_type,
        NetworkType::Nat
            | NetworkType::Ics
            | NetworkType::Internal
            | NetworkType::Private
            | NetworkType::ConstrainedIcs
    )
}

/// Whether what is on networks of a type may leave the host at all (hns-behaviour 5.1, external path).
fn has_external_path(network_type: &NetworkType) -> bool {
    !matches!(
        network_type,
        NetworkType::Internal | NetworkType::Private | NetworkType::ConstrainedIcs
    )
}

/// Where the host has a packet from that it sends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Host,
    Outside,
    /// A container, over this network.
    Network(usize),
}

impl Origin {
    fn network(self) -> Option<usize> {
        match self {
            Origin::Network(network) => Some(network),
            Origin::Host | Origin::Outside => None,
        }
    }
}

/// A way under construction.
struct Walk<'a> {
    switch: &'a Switch,
    topology: &'a Topology,
    semantics: &'a Semantics,
    judge: &'a Judge<'a>,
    /// The container that sends.
    sender: Option<PortIndex>,
    way: Way,
}

impl Walk<'_> {
    fn end(mut self, fate: Fate) -> Way {
        self.way.fate = fate;
        self.way
    }

    fn unreachable(self, reason: NoWay) -> Way {
        self.end(Fate::Unreachable(reason))
    }

    /// Puts the packet to a port's rules; whether it passes.
    fn passes(&mut self, port: PortIndex, direction: Direction, flow: Flow) -> bool {
        let ruling = (self.judge)(port, direction, &flow);
        self.way.hops.push(Hop::Judged {
            port,
            direction,
            flow,
            ruling,
        });
        ruling.decision == Decision::Allow
    }

    /// A container sends a packet.
    fn leave(mut self, number: PortIndex, flow: Flow) -> Way {
        let Some(port) = self.switch.ports.get(number.0 as usize) else {
            return self.unreachable(NoWay::NoRoute);
        };
        self.sender = Some(number);
        let own = self.topology.usable(port);
        let to = flow.destination;
        if to.is_loopback() || own.clone().any(|(address, _)| address == to) {
            return self.end(Fate::Arrives(Receiver::Port(number)));
        }
        let Some(hop) = topology::next_hop(own, &port.gateways, to) else {
            return self.unreachable(NoWay::NoRoute);
        };
        let network = port.network;
        let neighbour = self.topology.port_with_address(network, hop);
        let is_host = self
            .topology
            .host_card(network)
            .is_some_and(|card| card.addresses.iter().any(|(address, _)| *address == hop));
        let chosen = self.switch.balancer_of(self.topology, &flow);
        // Nobody on the subnet has the virtual address, so a load balancer has to answer for it.
        let is_balanced = chosen.is_some() && neighbour.is_none() && hop == to;
        if neighbour.is_none() && !is_host && !is_balanced && !self.leads_out(network) {
            let gap = self.switch.service_gap(self.topology, &flow);
            let gap = gap.filter(|_| hop == to);
            return self.unreachable(gap.unwrap_or(NoWay::Nobody(hop)));
        }
        self.way.hops.push(match hop == to {
            true => Hop::OnLink { network },
            false => Hop::ToRouter {
                network,
                router: hop,
            },
        });
        let direct = chosen.filter(|(place, _)| self.switch.balancers[*place].is_direct);
        if let Some(chosen) = direct {
            return self.balance_at_port(number, network, flow, chosen);
        }
        if !self.passes(number, Direction::Out, flow) {
            return self.end(Fate::Dropped);
        }
        let origin = Origin::Network(network);
        match (neighbour, chosen) {
            (Some(receiver), _) if hop == to => self.deliver(receiver, flow),
            (Some(router), _) => {
                if self.passes(router, Direction::In, flow) {
                    self.unreachable(NoWay::NotARouter(router))
                } else {
                    self.end(Fate::Dropped)
                }
            }
            (None, _) if is_host => self.route(flow, origin),
            (None, Some(chosen)) => self.balance_on_host(flow, origin, chosen),
            (None, None) => self.go_beyond(&flow, origin),
        }
    }

    /// Nobody on this host has the destination: the packet leaves the host, where it may and where that leads somewhere.
    fn go_beyond(mut self, flow: &Flow, origin: Origin) -> Way {
        if let Some(gap) = self.switch.service_gap(self.topology, flow) {
            return self.unreachable(gap);
        }
        // Whoever has the address here is on another network, and nobody beyond has it a second time but who is known to.
        let to = flow.destination;
        let is_remote = |network| self.switch.is_remote(network, to);
        if self.switch.port_with(to).is_some() && !origin.network().is_some_and(is_remote) {
            return self.unreachable(NoWay::Nobody(flow.destination));
        }
        if let Origin::Network(network) = origin
            && let Some(known) = self.switch.networks.get(network)
        {
            if !has_external_path(&known.network_type) {
                return self.unreachable(NoWay::NotLetOut { network });
            }
            let hop = match known.network_type {
                NetworkType::Nat | NetworkType::Ics => Some(Hop::Hidden { network }),
                _ => self.outbound(flow),
            };
            self.way.hops.extend(hop);
        }
        self.end(Fate::Leaves)
    }

    /// What the sender's first policy for the family makes of the source of what leaves the host.
    fn outbound(&self, flow: &Flow) -> Option<Hop> {
        let port = self.sender?;
        let to = flow.destination;
        let mut policies = self
            .switch
            .ports
            .get(port.0 as usize)?
            .outbound_nat
            .iter()
            .enumerate();
        let (policy, own) = policies.find(|(_, own)| own.family == Family::from(to))?;
        let has = |prefixes: &[IpNet]| prefixes.iter().find(|own| own.contains(&to)).copied();
        let kept = match has(&own.exceptions) {
            _ if matches!(flow.protocol, Protocol::ICMP | Protocol::ICMPV6) => Some(Kept::Icmp),
            Some(exception) => Some(Kept::Exception(exception)),
            None if !own.destinations.is_empty() && has(&own.destinations).is_none() => {
                Some(Kept::NotADestination)
            }
            None => None,
        };
        Some(Hop::Outbound { port, policy, kept })
    }

    fn leads_out(&self, network: usize) -> bool {
        let network = self.switch.networks.get(network);
        network.is_some_and(|network| leads_out(&network.network_type))
    }

    fn deliver(mut self, port: PortIndex, flow: Flow) -> Way {
        let passes = self.passes(port, Direction::In, flow);
        self.end(match passes {
            true => Fate::Arrives(Receiver::Port(port)),
            false => Fate::Dropped,
        })
    }

    /// The host has a packet to send on.
    fn route(mut self, flow: Flow, origin: Origin) -> Way {
        if let Some(chosen) = self.switch.balancer_of(self.topology, &flow) {
            return self.balance_on_host(flow, origin, chosen);
        }
        match self.published(&flow) {
            Some((mapping, to)) => {
                self.way.hops.push(Hop::Published { mapping, flow: to });
                self.forward(to, origin, true)
            }
            None => self.forward(flow, origin, false),
        }
    }

    /// The host sends on what needs no translation any more.
    fn forward(mut self, flow: Flow, origin: Origin, is_published: bool) -> Way {
        let to = flow.destination;
        if self.topology.network_of_host_address(to).is_some() {
            return self.end(Fate::Arrives(Receiver::Host));
        }
        let network = self.topology.network_towards(to, origin.network());
        if let Some(network) = network
            && let Some(port) = self.topology.port_with_address(network, to)
        {
            if origin == Origin::Outside && !is_published && !self.leads_out(network) {
                return self.unreachable(NoWay::NotLetIn { network });
            }
            self.way.hops.push(Hop::Routed { network });
            return self.deliver(port, flow);
        }
        let local = self
            .switch
            .networks
            .iter()
            .position(|known| known.subnets.iter().any(|(subnet, _)| subnet.contains(&to)));
        match local {
            Some(network) if self.topology.host_card(network).is_none() => {
                self.unreachable(NoWay::HostKnowsNoWay)
            }
            Some(network) if !self.leads_out(network) => {
                let gap = self.switch.service_gap(self.topology, &flow);
                self.unreachable(gap.unwrap_or(NoWay::Nobody(to)))
            }
            Some(_) | None => self.go_beyond(&flow, origin),
        }
    }

    /// What a flow to a published port goes on as.
    fn published(&self, flow: &Flow) -> Option<(usize, Flow)> {
        if !matches!(flow.protocol, Protocol::TCP | Protocol::UDP) {
            return None;
        }
        self.topology.network_of_host_address(flow.destination)?;
        let place = self
            .topology
            .mapping(flow.protocol, flow.destination_port)?;
        let mapping = self.switch.port_mappings.get(place)?;
        let port = self.switch.ports.get(mapping.port.0 as usize)?;
        let (address, _) = *port
            .addresses
            .iter()
            .find(|(address, _)| address.is_ipv4() == flow.destination.is_ipv4())?;
        let mut to = Flow {
            destination: address,
            destination_port: mapping.internal_port,
            ..*flow
        };
        // A container of the same network is masqueraded: else the answer would go past the host.
        if self
            .topology
            .port_with_address(port.network, flow.source)
            .is_some()
        {
            to.source = self
                .topology
                .host_card(port.network)?
                .address_towards(address)?;
            to.source_port = FIRST_MASQUERADE_PORT;
        }
        Some((place, to))
    }

    /// A load balancer with direct server return takes what a container sends, at the container's own port.
    fn balance_at_port(
        self,
        sender: PortIndex,
        network: usize,
        flow: Flow,
        chosen: (usize, usize),
    ) -> Way {
        let sees_backend = self.semantics.direct_out_sees_backend;
        let mut walk = self;
        if !sees_backend && !walk.passes(sender, Direction::Out, flow) {
            return walk.end(Fate::Dropped);
        }
        walk.balance(flow, chosen, |mut branch, flow, backend| {
            if sees_backend && !branch.passes(sender, Direction::Out, flow) {
                return branch.end(Fate::Dropped);
            }
            branch.reach_backend(flow, Some(network), backend)
        })
    }

    /// A load balancer takes what the host has to send on.
    fn balance_on_host(self, flow: Flow, origin: Origin, chosen: (usize, usize)) -> Way {
        self.balance(flow, chosen, |mut branch, mut flow, backend| {
            let balancer = &branch.switch.balancers[chosen.0];
            if !balancer.is_direct {
                // Towards another host it is an address of the host too.
                let own = || {
                    let family = Family::from(flow.destination);
                    let towards = branch.topology.host_address_towards(flow.destination);
                    towards.or_else(|| branch.topology.first_host_address(family))
                };
                let source = balancer
                    .source_vip
                    .filter(|vip| vip.is_ipv4() == flow.destination.is_ipv4())
                    .or_else(own);
                if let Some(source) = source {
                    flow.source = source;
                    if flow.protocol.has_ports() {
                        flow.source_port = FIRST_MASQUERADE_PORT;
                    }
                    branch.way.flow = flow;
                }
            }
            branch.reach_backend(flow, origin.network(), backend)
        })
    }

    /// Goes on to each backend that has an address of the family.
    fn balance(
        mut self,
        flow: Flow,
        (place, port): (usize, usize),
        go: impl Fn(Self, Flow, Option<PortIndex>) -> Way,
    ) -> Way {
        let balancer = &self.switch.balancers[place];
        let branches: Vec<Branch> = balancer
            .backends
            .iter()
            .enumerate()
            .filter_map(|(backend, known)| {
                let address = known.address_like(flow.destination)?;
                let flow = balancer.ports[port].towards(address, flow);
                let branch = Walk {
                    way: Way {
                        flow,
                        hops: Vec::new(),
                        fate: Fate::Dropped,
                    },
                    switch: self.switch,
                    topology: self.topology,
                    semantics: self.semantics,
                    judge: self.judge,
                    sender: self.sender,
                };
                Some(Branch {
                    backend,
                    way: go(branch, flow, known.port),
                })
            })
            .collect();
        let passing = branches
            .iter()
            .filter(|branch| branch.way.fate.is_allowed())
            .count();
        let of = branches.len();
        self.way.hops.push(Hop::Balanced {
            balancer: place,
            port,
            branches,
        });
        self.end(Fate::Balanced { passing, of })
    }

    /// Hands a balanced packet to its backend, which is on another host where it has no port.
    fn reach_backend(
        mut self,
        flow: Flow,
        came_over: Option<usize>,
        backend: Option<PortIndex>,
    ) -> Way {
        let port = backend.and_then(|port| Some((port, self.switch.ports.get(port.0 as usize)?)));
        match port {
            Some((port, described)) => {
                if came_over != Some(described.network) {
                    self.way.hops.push(Hop::Routed {
                        network: described.network,
                    });
                }
                self.deliver(port, flow)
            }
            None => self.end(Fate::Leaves),
        }
    }
}
