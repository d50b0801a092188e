// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `ps`.

use super::{Columns, joined, lay_out};

/// One container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerRow {
    /// Its id, whole.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Id of its endpoint.
    pub endpoint: String,
    /// Name of its network.
    pub network: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// What it listens on, e.g. `80/tcp`.
    pub listeners: Vec<String>,
    /// Id of its namespace.
    pub namespace: String,
}

/// The table of containers.
pub fn containers(rows: &[ContainerRow], columns: Columns) -> String {
    let mut header = vec!["ID", "NAME", "NETWORK", "ADDRESS", "LISTENS", "ENDPOINT"];
    if columns.is_wide() {
        header.push("NAMESPACE");
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = vec![
                columns.id(&row.id),
                columns.text(&row.name),
                columns.text(&row.network),
                joined(&row.addresses),
                joined(&row.listeners),
                columns.id(&row.endpoint),
            ];
            if columns.is_wide() {
                cells.push(columns.id(&row.namespace));
            }
            cells
        }),
    )
}
