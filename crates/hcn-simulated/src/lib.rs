// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wire: user-space stacks behind the compiled switch, so that packets need no kernel and no privilege.
//!
//! A probe through a [`SimulatedNetwork`] is a real exchange: a TCP handshake with what is asked and answered over it, UDP datagrams, or
//! ICMP echoes, made by one TCP/IP stack for each container and one for the host. Every packet is put to the rules of every port that it
//! crosses. Time is the network's own and jumps from event to event, so that nobody waits and everything repeats: the same switch and the
//! same calls give the same reports.
//!
//! What an outcome means: answered, as it says; refused, a TCP reset or an ICMP port unreachable came back; timed out, nothing came back,
//! which is what a dropped packet looks like; unreachable, there is no route, the host said that it knows no way, or the neighbour's MAC
//! address was asked for three times in vain (or until the timeout) and so no packet ever left.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hcn_engine::{DataPlane, Documents, Probe, ProbeOutcome, ProbeSource, Protocol, Semantics, Switch};
//! use hcn_schema::{Endpoint, Network, document::Document};
//! use hcn_simulated::{Service, SimulatedNetwork};
//! use serde_json::json;
//!
//! let network = json!({"ID": "5B3E1C4A-0000-4000-8000-000000000001", "Type": "NAT", "Ipams": [{"Subnets": [{
//!     "IpAddressPrefix": "172.20.0.0/16", "Routes": [{"NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0"}]}]}]});
//! let endpoint = |last: u8| json!({"ID": format!("5B3E1C4A-0000-4000-8000-0000000000{last}"),
//!     "HostComputeNetwork": "5B3E1C4A-0000-4000-8000-000000000001", "MacAddress": format!("00-15-5D-00-00-{last}"),
//!     "IpConfigurations": [{"IpAddress": format!("172.20.0.{last}"), "PrefixLength": 16}]});
//! let documents = Documents {
//!     networks: vec![Network::from_value(&network).unwrap()],
//!     endpoints: [10, 11].iter().map(|last| Endpoint::from_value(&endpoint(*last)).unwrap()).collect(),
//!     ..Documents::default()
//! };
//! let (switch, _) = Switch::compile(&documents, &Semantics::default());
//! let (client, server) = (switch.ports[0].endpoint, switch.ports[1].endpoint);
//!
//! let mut wire = SimulatedNetwork::new();
//! wire.converge(Arc::new(switch)).unwrap();
//! wire.listen(server, Protocol::TCP, 80, Service::Http { body: b"<p>It works</p>"[..].into() }).unwrap();
//! let report = wire.probe(&Probe {
//!     source: ProbeSource::Endpoint(client),
//!     destination: "172.20.0.11".parse().unwrap(),
//!     protocol: Protocol::TCP,
//!     port: 80,
//!     payload: b"GET / HTTP/1.1\r\nHost: server\r\n\r\n".to_vec(),
//!     timeout_ms: 3000,
//! }).unwrap();
//! let ProbeOutcome::Answered { payload, .. } = report.outcome else { panic!("{report:?}") };
//! assert!(payload.ends_with(b"<p>It works</p>"));
//! ```
//!
//! | module | noun |
//! |---|---|
//! | [`network`] | the simulated network: machines, time, services |
//! | `probe`, [`open_flow`] | exchanges |
//! | `stack`, `card`, `listener`, `http` | one machine |
//! | `fabric`, `frame`, `ledger` | the switch, what it reads, what it notes |
//! | `router`, `translation` | the host between its networks |
//! | `topology` | who is where |

mod card;
mod fabric;
mod frame;
mod http;
mod ledger;
mod listener;
pub mod network;
pub mod open_flow;
mod probe;
mod router;
mod stack;
mod topology;
mod translation;

pub use frame::{Complaint, Kind, Packet, Turn, Unread, datagram};
pub use listener::Service;
pub use network::SimulatedNetwork;
pub use open_flow::{FlowHandle, FlowNotOpened};
