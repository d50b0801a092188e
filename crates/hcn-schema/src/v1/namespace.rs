// SPDX-License-Identifier: MIT OR Apache-2.0
//! The namespace of the v1 API.

use serde_json::Value;

use crate::{Id, document::document, namespace::NamespaceResource};

document! {
    /// The namespace of the v1 API.
    pub struct Namespace {
        /// The object's id.
        id: Id = "ID",
        /// Whether it is the host's default one.
        is_default: bool = "IsDefault",
        /// What is in it.
        resource_list: Vec<NamespaceResource> = "ResourceList",
        /// Number of the compartment.
        compartment_id: u32 = "CompartmentId",
        /// GUID of the compartment.
        compartment_guid: Id = "CompartmentGuid",
        /// Ids of containers.
        containers: Vec<String> = "Containers",
        /// Policies.
        policies: Vec<Value> = "Policies",
        /// Flags.
        flags: u32 = "Flags",
        /// Health.
        health: Value = "Health",
        /// State number.
        state: u16 = "State",
        /// Tree of allocations.
        resources: Value = "Resources",
    }
}
