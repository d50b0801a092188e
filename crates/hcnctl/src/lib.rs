// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desk: parses, asks, explains, examines, prints; judges no packet itself.
//!
//! A library target beside the program, so that every page can be tested as a function. Data goes to standard output, words about it to
//! standard error, and the exit code tells the rest ([`failure::exit`]).
//!
//! | module | noun |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`desk`] | one run: the connection, the output, the way to the command |
//! | [`commands`] | one module a command |
//! | [`outlet`] | a stream to a reader who may go away |
//! | [`lookup`] | objects by id, prefix, name, container or address |
//! | [`failure`] | what goes wrong, with its code, record and hint |
//! | [`render`] | documents to text |
//! | [`policy_file`] | policy files, every mistake with its place |
//! | [`capture`] | the packets of a capture |
//! | [`serve`] | the counter: HTTP over an open HNS |
//! | [`reach`] | who reaches whom with what, at one time and between two |
//! | [`listing`], [`difference`] | text to documents, and what changed between two listings |
//! | [`lint`] | what is wrong or doubtful in documents |

pub mod capture;
pub mod cli;
pub mod commands;
pub mod desk;
pub mod difference;
mod documents;
pub mod failure;
pub mod lint;
pub mod listing;
pub mod lookup;
pub mod outlet;
pub mod policy_file;
pub mod reach;
pub mod render;
pub mod serve;
pub mod time;
