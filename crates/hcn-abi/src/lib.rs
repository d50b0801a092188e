// SPDX-License-Identifier: MIT OR Apache-2.0
//! The border: signatures, strings, handles and memory rules of `computenetwork.dll` and `vmcompute.dll`, written once for importer and exporter.
//!
//! Nothing here calls anything. Whoever exports the border, and whoever imports it, expands the same table ([`computenetwork_exports!`],
//! [`vmcompute_exports!`]); the C header `include/hcn.h` and the export list `exports/computenetwork.def` are compared with it by a test.
//!
//! # The rules of the border
//!
//! Source: hns-behaviour 1.1 and 1.4.
//!
//! - Calling convention: `extern "system"`, on x64 the only one.
//! - Texts are NUL-terminated UTF-16. A text that the library gives belongs to the caller and is freed with `CoTaskMemFree` on Windows and with
//!   `free` elsewhere.
//! - The error record may be declined with NULL. After a success it is NULL; after a failure it is a text, or NULL where there is none.
//! - Handles are opaque; closing one never deletes the object. An object may be deleted behind an open handle.
//! - A query may be NULL or empty, which is the same.
//!
//! | module | noun |
//! |---|---|
//! | [`exports`] | the functions |
//! | [`types`] | what they take and give |
//! | [`guid`] | ids in memory |
//! | [`text`] | UTF-16 |

#![no_std]

extern crate alloc;

pub mod exports;
pub mod guid;
pub mod text;
pub mod types;

pub use exports::{COMPUTENETWORK, Export, VMCOMPUTE};
pub use guid::GUID;
