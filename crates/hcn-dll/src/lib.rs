// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mask: exports the border over any implementation of the seam; holds no decision.
//!
//! A program that was built for `computenetwork.dll` loads this instead. It talks to the HNS that `HCNCTL_HOST`, `HCNCTL_STATE` and
//! `HCNCTL_PROFILE` name, which is the embedded one unless they say otherwise.
//!
//! UNSAFETY: this crate is called by programs that are not Rust and hand it addresses. Every address comes in through `received`, whose
//! types vouch that the caller keeps the border's promises; what is made of them beyond is safe code.
//!
//! | module | noun |
//! |---|---|
//! | `exported` | the functions under their names |
//! | `functions` | what each of them does |
//! | `border` | the seam behind handles |
//! | `handles` | the table of handles |
//! | `registration` | a callback and its thread |
//! | `answer` | the one wrapper: error record, panics |
//! | `received` | what the caller passed |
//! | `memory` | what the caller frees |
//! | `hold` | which HNS is behind it all |

#![allow(
    unsafe_code,
    reason = "a library for callers that are not Rust reads and writes through their pointers"
)]

mod answer;
mod border;
pub mod exported;
mod functions;
mod handles;
mod hold;
mod memory;
mod received;
mod registration;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a handle holds 64 bits, and HNS exists for 64-bit programs only");
