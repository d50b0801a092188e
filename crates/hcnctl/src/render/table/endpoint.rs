// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `get endpoints`.

use hcn_schema::{Endpoint, Id};

use super::{Columns, joined, lay_out};
use crate::render::{field_text, word};

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointRow {
    /// Its id, whole.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Name of its network, or the network's id.
    pub network: String,
    /// Addresses with their prefix lengths.
    pub addresses: Vec<String>,
    /// `00-15-5D-01-02-03`.
    pub mac: String,
    /// The state in words.
    pub state: String,
    /// How many policies it has.
    pub policies: usize,
    /// The namespace it is in; empty for none.
    pub namespace: String,
    /// Names of its flags.
    pub flags: Vec<&'static str>,
}

impl EndpointRow {
    /// The row of a document; `network_name` says what a network is called, where that is known.
    pub fn of(endpoint: &Endpoint, network_name: impl Fn(&Id) -> Option<String>) -> Self {
        let network = endpoint.host_compute_network.or_default();
        let namespace = endpoint.host_compute_namespace.or_default();
        EndpointRow {
            id: endpoint.id.or_default().0,
            name: field_text(&endpoint.name),
            network: network_name(&network).unwrap_or(network.0),
            addresses: endpoint
                .ip_configurations
                .get()
                .into_iter()
                .flatten()
                .map(|configuration| field_text(&configuration.ip_address))
                .collect(),
            mac: field_text(&endpoint.mac_address),
            state: match endpoint.state.get() {
                Some(state) => word::endpoint_state(*state).into_owned(),
                None => field_text(&endpoint.state),
            },
            policies: endpoint.policies.get().map_or(0, Vec::len),
            // HNS writes zeros for a detached endpoint (hns-behaviour 2.4).
            namespace: match namespace.guid() {
                Some(guid) if guid.is_zero() => String::new(),
                _ => namespace.0,
            },
            flags: endpoint.flags.or_default().names(),
        }
    }
}

/// The table of endpoints.
pub fn endpoints(rows: &[EndpointRow], columns: Columns) -> String {
    let mut header = vec![
        "ID", "NAME", "NETWORK", "ADDRESS", "MAC", "STATE", "POLICIES",
    ];
    if columns.is_wide() {
        header.extend(["NAMESPACE", "FLAGS"]);
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = vec![
                columns.id(&row.id),
                columns.text(&row.name),
                columns.text(&row.network),
                joined(&row.addresses),
                columns.text(&row.mac),
                columns.text(&row.state),
                row.policies.to_string(),
            ];
            if columns.is_wide() {
                cells.extend([columns.id(&row.namespace), joined(&row.flags)]);
            }
            cells
        }),
    )
}
