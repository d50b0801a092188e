// SPDX-License-Identifier: MIT OR Apache-2.0
//! `GuestNetworkService`: the network of a virtual machine that lives in its guest.
//!
//! Source: hns-behaviour 2.8 and 2.16.

use serde_json::Value;

use crate::{
    Id,
    document::{SchemaVersion, document},
    word::{flags, words},
};

flags! {
    /// `GuestNetworkServiceFlags`.
    pub struct GuestNetworkServiceFlags {
        /// HNS steers flows between host and guest.
        IS_FLOWSTEERED = 1 "IsFlowsteered",
        /// The guest's service steers them itself.
        IS_FLOWSTEERED_SELF_MANAGED = 2 "IsFlowsteeredSelfManaged",
    }
}

words! {
    /// Where a guest network service stands.
    pub enum GuestNetworkServiceState {
        /// Nowhere.
        None = 0 "None",
        /// It was made.
        Created = 1 "Created",
        /// The guest is being told everything.
        Bootstrapping = 2 "Bootstrapping",
        /// The guest knows everything.
        Synchronized = 3 "Synchronized",
        /// The guest does not run.
        Paused = 4 "Paused",
        /// The guest missed something.
        Desynchronized = 5 "Desynchronized",
        /// It is being made again from what was stored.
        Rehydrating = 6 "Rehydrating",
        /// Something failed.
        Degraded = 7 "Degraded",
        /// It is gone.
        Destroyed = 8 "Destroyed",
    }
}

words! {
    /// What a request to a guest network service is about.
    pub enum GuestNetworkServiceResourceType {
        /// Its state.
        State = 0 "State",
    }
}

document! {
    /// `GuestNetworkService`.
    pub struct GuestNetworkService {
        /// The object's id.
        id: Id = "ID",
        /// A free tag.
        owner: String = "Owner",
        /// The name.
        name: String = "Name",
        /// `(Major << 32) | Minor` of the HNS that made it.
        version: u64 = "Version",
        /// The virtual machine.
        virtual_machine_id: Id = "VirtualMachineId",
        /// Whether the guest gets the host's interfaces.
        mirror_host_networking: bool = "MirrorHostNetworking",
        /// How the guest is reached.
        gns_rpc_server_information: GnsRpcServerInformation = "GnsRpcServerInformation",
        /// Flags.
        flags: GuestNetworkServiceFlags = "Flags",
        /// State number; [`GuestNetworkServiceState`].
        state: u16 = "State",
        /// Health.
        health: Value = "Health",
        /// Shape of this document.
        schema_version: SchemaVersion = "SchemaVersion",
    }
}

document! {
    /// How a guest network service is reached.
    pub struct GnsRpcServerInformation {
        /// `HvSocket` or `LRpc`.
        endpoint_type: String = "EndpointType",
        /// Object of the interface.
        object_uuid: Id = "ObjectUuid",
        /// Address of the machine.
        network_address: String = "NetworkAddress",
        /// Address on the machine.
        endpoint_address: String = "EndpointAddress",
    }
}

document! {
    /// Settings of a request about the state.
    pub struct StateSettings {
        /// The new state.
        state: GuestNetworkServiceState = "State",
    }
}
