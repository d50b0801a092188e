// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as its callers meet it.
//!
//! One process and one store for all of these tests: each has its own objects.

#![allow(
    unsafe_code,
    reason = "the tests call the library as a program that is not Rust does"
)]

#[path = "../library/mod.rs"]
mod library;

#[cfg(not(windows))]
mod c_program;
#[cfg(windows)]
mod loader;
mod notifications;
mod objects;
