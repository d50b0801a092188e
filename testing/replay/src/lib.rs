// SPDX-License-Identifier: MIT OR Apache-2.0
//! The replay: asks any HNS what real clients asked on the wire, call by call, and holds every answer against a written one.
//!
//! Apart from the exam because the questions are strangers' and lie outside the repository, and because nothing of it is shipped. The recorded
//! responder was no HNS: its answers only lead from its ids and handles to those of here, and are never what is expected.
//!
//! | module | noun |
//! |---|---|
//! | [`border`] | who is asked, handle by handle |
//! | [`trace`] | what was asked |
//! | `marks` | ids and MAC addresses that differ from run to run |
//! | [`course`] | a replay under way, and what came of it |
//! | [`expected`] | what every answer has to be |
//! | `judgement` | what the client's own run demands besides |

pub mod border;
pub mod course;
pub mod expected;
mod judgement;
mod marks;
pub mod trace;

pub use border::{Border, Seam, word};
pub use course::Course;
pub use judgement::judge;
pub use trace::{TRACES, Trace};
