// SPDX-License-Identifier: MIT OR Apache-2.0
//! `PolicyList`: what v1 calls a load balancer or a route.

use serde_json::Value;

use super::Policy;
use crate::{Id, document::document};

document! {
    /// `PolicyList`.
    pub struct PolicyList {
        /// The object's id.
        id: Id = "ID",
        /// `/endpoints/<id>` each.
        references: Vec<String> = "References",
        /// `ELB` or `ROUTE`.
        policies: Vec<Policy> = "Policies",
        /// The activity that made it.
        activity_id: Id = "ActivityId",
        /// Flags.
        flags: u32 = "Flags",
        /// Health.
        health: Value = "Health",
        /// The network.
        host_compute_network: Id = "HostComputeNetwork",
        /// False even on lists that work.
        is_applied: bool = "IsApplied",
        /// 2.
        state: u16 = "State",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Tree of allocations.
        resources: Value = "Resources",
    }
}
