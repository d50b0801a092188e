// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page of an endpoint.

use hcn_schema::{Endpoint, policy::EndpointPolicy};

use super::{Section, default_deny, dns, name_and_id, others, policies, titled_table};
use crate::render::{
    field_text,
    table::{self, PolicyRow},
    word,
};

/// An endpoint, and what its document does not say.
#[derive(Clone, Copy, Debug)]
pub struct EndpointPage<'a> {
    /// The document.
    pub endpoint: &'a Endpoint,
    /// Name of its network, where known.
    pub network: Option<&'a str>,
    /// Name of its container, where it has one.
    pub container: Option<&'a str>,
    /// What its container listens on, e.g. `80/tcp`; `None` where nobody knows.
    pub listeners: Option<&'a [String]>,
}

/// The page of an endpoint.
pub fn endpoint(page: &EndpointPage<'_>) -> String {
    let endpoint = page.endpoint;
    let network = endpoint.host_compute_network.or_default();
    let namespace = endpoint.host_compute_namespace.or_default();
    let detached = namespace.guid().is_some_and(|guid| guid.is_zero());
    let mut text = String::new();
    let mut head = Section::default();
    head.line("Name", field_text(&endpoint.name))
        .line("ID", name_and_id(None, &endpoint.id.or_default().0))
        .line("Owner", field_text(&endpoint.owner))
        .line("Network", name_and_id(page.network, &network.0))
        .line(
            "Namespace",
            if detached || namespace.0.is_empty() {
                "(none)".to_owned()
            } else {
                name_and_id(None, &namespace.0)
            },
        )
        .line("Container", name_and_id(page.container, ""))
        .line(
            "State",
            endpoint
                .state
                .get()
                .map(|state| format!("{} ({state})", word::endpoint_state(*state)))
                .unwrap_or_default(),
        )
        .line("MAC", field_text(&endpoint.mac_address))
        .line("Flags", endpoint.flags.or_default().names().join(", "))
        .line(
            "Version",
            endpoint
                .version
                .get()
                .map(|version| word::version(*version))
                .unwrap_or_default(),
        );
    if let Some(listeners) = page.listeners {
        head.line(
            "Listens",
            if listeners.is_empty() {
                "(nothing)".to_owned()
            } else {
                listeners.join(", ")
            },
        );
    }
    head.write(&mut text, "");

    let addresses: Vec<Vec<String>> = endpoint
        .ip_configurations
        .get()
        .into_iter()
        .flatten()
        .map(|configuration| {
            let length = field_text(&configuration.prefix_length);
            let address = field_text(&configuration.ip_address);
            let address = if length.is_empty() {
                address
            } else {
                format!("{address}/{length}")
            };
            vec![
                address,
                name_and_id(None, &configuration.ip_subnet_id.or_default().0),
            ]
        })
        .collect();
    let count = addresses.len();
    let rows = table::lay_out(&["ADDRESS", "SUBNET"], addresses);
    titled_table(&mut text, "Addresses", count, &rows);
    let routes = table::routes(endpoint.routes.get().into_iter().flatten());
    titled_table(&mut text, "Routes", routes.0, &routes.1);
    dns(&mut text, &endpoint.dns);
    policies(&mut text, &PolicyRow::of_endpoint(endpoint));
    let has_rules = endpoint.policies.get().into_iter().flatten().any(|policy| {
        matches!(
            EndpointPolicy::of(policy),
            EndpointPolicy::Acl(_) | EndpointPolicy::TierAcl(_)
        )
    });
    if has_rules {
        default_deny(&mut text);
    }
    others(
        &mut text,
        endpoint,
        &endpoint.extra,
        &[
            ("AdditionalParams", &endpoint.additional_params),
            ("Health", &endpoint.health),
        ],
    );
    text
}
