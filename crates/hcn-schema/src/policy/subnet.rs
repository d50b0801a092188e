// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of subnet policies.
//!
//! Source: hns-behaviour 2.12, last line.

use super::{endpoint::Isolation, policies};

policies! {
    /// A subnet policy by its type.
    pub enum SubnetPolicy {
        /// VLAN.
        Vlan(Isolation) = "VLAN",
        /// Virtual subnet of an overlay; 4096 and up.
        Vsid(Isolation) = "VSID",
    }
}
