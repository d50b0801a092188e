// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes over the wire: one test program, because its parts share their scenes.

mod host;
mod law;
mod open_flow;
mod probe;
mod scene;
