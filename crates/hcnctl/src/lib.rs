// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desk's paper: documents to text, text to documents, and what changed between two listings.
//!
//! A library target beside the program, so that every page can be tested as a function: nothing in here asks a service, reads a
//! clock or knows a terminal.

pub mod difference;
pub mod listing;
pub mod render;
