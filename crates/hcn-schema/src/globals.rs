// SPDX-License-Identifier: MIT OR Apache-2.0
//! `GET /globals/version` and what follows from it.
//!
//! Source: hns-behaviour 2.9.

use crate::document::document;

document! {
    /// Version of HNS, as `GET /globals/version` answers it.
    pub struct Version {
        /// 15 in "15.0".
        major: u32 = "Major",
        /// 0 in "15.0".
        minor: u32 = "Minor",
    }
}

document! {
    /// Answer of `GET /globals`.
    pub struct Globals {
        /// The version.
        version: Version = "Version",
    }
}
