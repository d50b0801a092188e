// SPDX-License-Identifier: MIT OR Apache-2.0
//! The envoy: speaks the seam by calling any library that exports the border (the real DLL on Windows, ours anywhere).
//!
//! Loaded at run time, so that a program starts where there is no HNS and can say so. Invariants: a handle closes when it is dropped; the
//! error record is always asked for and always freed; texts pass through untouched.
//!
//! UNSAFETY: this crate calls functions that are not Rust and reads what they leave behind their pointers. The signatures are the border's
//! own table; `memory` and `handle` own what comes out, and what is made of it beyond is safe code.
//!
//! | module | noun |
//! |---|---|
//! | `library` | the functions of a library |
//! | `memory` | texts that go in and texts that come out |
//! | `handle` | an open object |
//! | `native` | the seam over them |
//! | `callback` | notifications |
//! | [`compartment`] | where a thread looks at the network from |
//! | [`echo`] | a ping of Windows |

#![allow(
    unsafe_code,
    reason = "a library is called through the functions that it exports"
)]

mod callback;
pub mod compartment;
pub mod echo;
mod handle;
mod library;
mod memory;
mod native;

pub use native::Native;
