// SPDX-License-Identifier: MIT OR Apache-2.0
//! The judge: compiles documents into a switch of ports, layers and rules, and says what happens to a flow and why; pure.
//!
//! There is no clock, no I/O and no randomness in here: the same documents give the same switch, the same verdict and the same cause.
//! Data planes ([`data_plane::DataPlane`]) and the service meet in this crate without knowing each other.
//!
//! From document to decision: [`acl`] reads a rule, [`sets`] the IP sets that it names, [`classifier`] finds the strongest rule that matches,
//! [`switch`] knows the ports and their stages, [`flow_table`] the flows that are open. For questions about all packets at once, [`space`] has exact
//! sets of them, [`reach`] who reaches whom, [`standing`] what becomes of each rule among the others, and [`change`] what other documents open
//! and close. For questions about one packet, [`way`] finds the ports it crosses, with what [`topology`] knows of the host between them, and
//! [`why`] tells what its fate hangs on.

pub mod acl;
pub mod change;
pub mod classifier;
pub mod data_plane;
mod fast_hash;
pub mod flow;
pub mod flow_table;
pub mod parts;
mod port_rules;
pub mod reach;
mod rule_list;
mod rule_text;
pub mod semantics;
pub mod sets;
pub mod setting;
pub mod space;
pub mod standing;
pub mod switch;
pub mod topology;
pub mod verdict;
pub mod way;
pub mod why;

pub use data_plane::{DataPlane, DataPlaneError, Probe, ProbeOutcome, ProbeReport, ProbeSource};
pub use flow::{Direction, Family, Flow, Protocol};
pub use flow_table::FlowTable;
pub use semantics::Semantics;
pub use switch::{Documents, Port, PortIndex, Switch};
pub use topology::Topology;
pub use verdict::{Cause, Decision, Layer, Ruling, Verdict};
pub use way::{Start, Way};
