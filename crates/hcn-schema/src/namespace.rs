// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeNamespace`: a network compartment and what is in it.
//!
//! Source: hns-behaviour 2.5.

use serde_json::Value;

use crate::{
    Id,
    document::{SchemaVersion, document},
    word::words,
};

words! {
    /// `NamespaceType`.
    pub enum NamespaceType {
        /// A compartment on the host.
        Host = 0 "Host",
        /// The host's default compartment.
        HostDefault = 1 "HostDefault",
        /// A compartment inside a guest.
        Guest = 2 "Guest",
        /// The guest's default compartment.
        GuestDefault = 3 "GuestDefault",
    }
}

words! {
    /// What a namespace holds.
    pub enum NamespaceResourceType {
        /// A container.
        Container = 0 "Container",
        /// An endpoint.
        Endpoint = 1 "Endpoint",
    }
}

document! {
    /// `HostComputeNamespace`.
    pub struct Namespace {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// Number of the compartment.
        namespace_id: u32 = "NamespaceId",
        /// GUID of the compartment.
        namespace_guid: Id = "NamespaceGuid",
        /// Absent means Host.
        namespace_type: NamespaceType = "Type",
        /// Containers and endpoints in it.
        resources: Vec<NamespaceResource> = "Resources",
        /// Whether the compartment is made at once.
        create_with_compartment: bool = "CreateWithCompartment",
        /// State number.
        state: u16 = "State",
        /// Health and, on detailed queries, v1 internals.
        health: Value = "Health",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// A member of a namespace.
    pub struct NamespaceResource {
        /// Which kind.
        resource_type: NamespaceResourceType = "Type",
        /// Which one.
        data: NamespaceResourceData = "Data",
    }
}

document! {
    /// The id of a member of a namespace.
    pub struct NamespaceResourceData {
        /// Endpoint id, or container id.
        id: Id = "Id",
    }
}
