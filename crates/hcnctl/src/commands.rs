// SPDX-License-Identifier: MIT OR Apache-2.0
//! One module a command: what it asks, and how it prints the answer.

pub mod acl;
pub mod apply;
pub mod completions;
pub mod conformance;
pub mod create;
pub mod delete;
pub mod demo;
pub mod describe;
pub mod diff;
pub mod get;
pub mod history;
pub mod intent;
pub mod lint;
pub mod packets;
pub mod probe;
pub mod reach;
pub mod run;
pub mod serve;
pub mod spec;
pub mod why;
