// SPDX-License-Identifier: MIT OR Apache-2.0
//! Laws over random hosts: what the engine says of packets, sets of packets, pairs, ways and open flows, against a second reading of the rules.
//!
//! One program, because all laws are about the same hosts and the same reading.

mod brute_force;
mod change;
mod flow_table;
mod hosts;
mod law;
mod reach;
mod reach_ways;
mod reading;
mod why;
