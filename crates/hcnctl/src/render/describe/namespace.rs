// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page of a namespace.

use hcn_schema::Namespace;

use super::{Section, name_and_id, others, titled_table};
use crate::render::{
    field_text, shown,
    table::{self, NamespaceRow, namespace_type_words},
    word,
};

/// A namespace, and what its document does not say.
#[derive(Clone, Copy, Debug)]
pub struct NamespacePage<'a> {
    /// The document.
    pub namespace: &'a Namespace,
    /// What is known of its members; one that is missing here is shown by its id alone.
    pub members: &'a [NamespaceMember],
}

/// A container or an endpoint of the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceMember {
    /// Its id, compared without case.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// The page of a namespace.
pub fn namespace(page: &NamespacePage<'_>) -> String {
    let namespace = page.namespace;
    let mut text = String::new();
    let mut head = Section::default();
    head.line("ID", name_and_id(None, &namespace.id.or_default().0))
        .line("Name", field_text(&namespace.name))
        .line("Owner", field_text(&namespace.owner))
        .line("Type", namespace_type_words(namespace))
        .line("Compartment", field_text(&namespace.namespace_id))
        .line(
            "Compartment ID",
            name_and_id(None, &namespace.namespace_guid.or_default().0),
        )
        .line(
            "With compartment",
            field_text(&namespace.create_with_compartment),
        )
        .line(
            "State",
            namespace
                .state
                .get()
                .map(|state| format!("{} ({state})", word::object_state(*state)))
                .unwrap_or_default(),
        )
        .line(
            "Version",
            namespace
                .version
                .get()
                .map(|version| word::version(*version))
                .unwrap_or_default(),
        );
    head.write(&mut text, "");

    let row = NamespaceRow::of(namespace);
    let named = |kind: &str, id: &String| {
        let known = page
            .members
            .iter()
            .find(|member| member.id.eq_ignore_ascii_case(id));
        vec![
            kind.to_owned(),
            shown(id).into_owned(),
            known.map_or_else(String::new, |member| shown(&member.name).into_owned()),
            known.map_or_else(String::new, |member| {
                shown(&member.addresses.join(",")).into_owned()
            }),
        ]
    };
    let members: Vec<Vec<String>> = row
        .endpoints
        .iter()
        .map(|id| named("endpoint", id))
        .chain(row.containers.iter().map(|id| named("container", id)))
        .collect();
    let count = members.len();
    let rows = table::lay_out(&["KIND", "ID", "NAME", "ADDRESS"], members);
    titled_table(&mut text, "Members", count, &rows);
    others(
        &mut text,
        namespace,
        &namespace.extra,
        &[("Health", &namespace.health)],
    );
    text
}
