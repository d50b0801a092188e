// SPDX-License-Identifier: MIT OR Apache-2.0
//! The envoy: speaks the seam by calling any library that exports the border (the real DLL on Windows, ours anywhere).
//!
//! Loaded at run time, so that a program starts where there is no HNS and can say so. Invariants: a handle closes when it is dropped; the
//! error record is always asked for and always freed; texts pass through untouched.
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

mod callback;
pub mod compartment;
pub mod echo;
mod handle;
mod library;
mod memory;
mod native;

pub use native::Native;
