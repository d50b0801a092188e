// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `get namespaces`.

use hcn_schema::{
    Namespace,
    namespace::{NamespaceResourceType, NamespaceType},
};

use super::{Columns, joined, lay_out};
use crate::render::field_text;

/// One namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceRow {
    /// Its id, whole.
    pub id: String,
    /// Number of its compartment.
    pub compartment: String,
    /// Its type in words.
    pub namespace_type: String,
    /// Ids of the endpoints in it.
    pub endpoints: Vec<String>,
    /// Ids of the containers in it.
    pub containers: Vec<String>,
}

impl NamespaceRow {
    /// The row of a document.
    pub fn of(namespace: &Namespace) -> Self {
        let members = |kind| {
            namespace
                .resources
                .get()
                .into_iter()
                .flatten()
                .filter(|resource| {
                    // An omitted type is the word whose number is 0: Container.
                    let own = resource.resource_type.get().copied();
                    own.unwrap_or(NamespaceResourceType::Container) == kind
                })
                .filter_map(|resource| resource.data.get())
                .map(|data| data.id.or_default().0)
                .collect()
        };
        NamespaceRow {
            id: namespace.id.or_default().0,
            compartment: field_text(&namespace.namespace_id),
            namespace_type: type_words(namespace),
            endpoints: members(NamespaceResourceType::Endpoint),
            containers: members(NamespaceResourceType::Container),
        }
    }
}

/// The type in words; an absent one is Host, because HNS omits words whose number is 0.
pub(crate) fn type_words(namespace: &Namespace) -> String {
    if namespace.namespace_type.is_absent() {
        NamespaceType::Host.text().to_owned()
    } else {
        field_text(&namespace.namespace_type)
    }
}

/// The table of namespaces.
pub fn namespaces(rows: &[NamespaceRow], columns: Columns) -> String {
    lay_out(
        &["ID", "COMPARTMENT", "TYPE", "ENDPOINTS", "CONTAINERS"],
        rows.iter().map(|row| {
            vec![
                columns.id(&row.id),
                row.compartment.clone(),
                columns.text(&row.namespace_type),
                joined(row.endpoints.iter().map(|id| columns.id(id))),
                joined(row.containers.iter().map(|id| columns.id(id))),
            ]
        }),
    )
}
