// SPDX-License-Identifier: MIT OR Apache-2.0
//! Namespaces in v1 shape.

use hcn_schema::{
    Document, Id,
    namespace::{NamespaceResourceType, NamespaceType},
    v1,
};
use serde_json::{Value, json};

use crate::namespace::NamespaceRecord;

/// The v1 answer for a namespace.
pub(crate) fn to_v1(record: &NamespaceRecord) -> Value {
    let two = &record.document;
    let resources = two.resources.or_default();
    let containers = resources
        .iter()
        .filter(|resource| resource.resource_type.get() == Some(&NamespaceResourceType::Container))
        .filter_map(|resource| Some(resource.data.get()?.id.get()?.0.clone()))
        .collect::<Vec<_>>();
    let own_type = two.namespace_type.get();
    v1::Namespace {
        id: Id(record.id.to_string()).into(),
        is_default: matches!(
            own_type,
            Some(NamespaceType::HostDefault | NamespaceType::GuestDefault)
        )
        .into(),
        resource_list: resources.into(),
        compartment_id: two.namespace_id.clone(),
        compartment_guid: two.namespace_guid.clone(),
        containers: containers.into(),
        policies: Vec::new().into(),
        flags: 0.into(),
        health: super::health(record.internal.made).into(),
        state: 1.into(),
        resources: json!({}).into(),
        ..v1::Namespace::default()
    }
    .to_value()
}
