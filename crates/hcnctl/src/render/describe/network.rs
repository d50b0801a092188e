// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page of a network.

use hcn_schema::{Network, policy::NetworkPolicy};

use super::{Section, default_deny, dns, name_and_id, others, policies, titled_table};
use crate::render::{
    field_text, short_id, shown,
    table::{self, PolicyRow, network_type_words},
    word,
};

/// A network, and what its document does not say.
#[derive(Clone, Copy, Debug)]
pub struct NetworkPage<'a> {
    /// The document.
    pub network: &'a Network,
    /// The endpoints on it.
    pub endpoints: &'a [NetworkEndpoint],
}

/// An endpoint on the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkEndpoint {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// The page of a network.
pub fn network(page: &NetworkPage<'_>) -> String {
    let network = page.network;
    let mut text = String::new();
    let mut head = Section::default();
    head.line("Name", field_text(&network.name))
        .line("ID", name_and_id(None, &network.id.or_default().0))
        .line("Owner", field_text(&network.owner))
        .line("Type", network_type_words(network))
        .line(
            "State",
            network
                .state
                .get()
                .map(|state| format!("{} ({state})", word::object_state(*state)))
                .unwrap_or_default(),
        )
        .line("Flags", network.flags.or_default().names().join(", "))
        .line(
            "Version",
            network
                .version
                .get()
                .map(|version| word::version(*version))
                .unwrap_or_default(),
        );
    for range in network
        .mac_pool
        .get()
        .and_then(|pool| pool.ranges.get())
        .into_iter()
        .flatten()
    {
        let first = field_text(&range.start_mac_address);
        let last = field_text(&range.end_mac_address);
        head.line("MAC range", format!("{first} to {last}"));
    }
    head.write(&mut text, "");

    let mut subnets = Vec::new();
    let mut routes = Vec::new();
    for subnet in network
        .ipams
        .get()
        .into_iter()
        .flatten()
        .filter_map(|ipam| ipam.subnets.get())
        .flatten()
    {
        let ranges: Vec<String> = subnet
            .ip_subnets
            .get()
            .into_iter()
            .flatten()
            .map(|range| field_text(&range.ip_address_prefix))
            .collect();
        let policies: Vec<String> = subnet
            .policies
            .get()
            .into_iter()
            .flatten()
            .map(crate::render::rule::policy_words)
            .collect();
        subnets.push(vec![
            field_text(&subnet.ip_address_prefix),
            ranges.join(","),
            policies.join(", "),
            shown(&subnet.id.or_default().0).into_owned(),
        ]);
        routes.extend(subnet.routes.get().into_iter().flatten());
    }
    let count = subnets.len();
    let rows = table::lay_out(&["SUBNET", "RANGES", "POLICIES", "ID"], subnets);
    titled_table(&mut text, "Subnets", count, &rows);
    let routes = table::routes(routes);
    titled_table(&mut text, "Routes", routes.0, &routes.1);
    dns(&mut text, &network.dns);

    policies(&mut text, &PolicyRow::of_network(network));
    let has_rules = network
        .policies
        .get()
        .into_iter()
        .flatten()
        .any(|policy| matches!(NetworkPolicy::of(policy), NetworkPolicy::NetworkAcl(_)));
    if has_rules {
        default_deny(&mut text);
    }

    let endpoints = page.endpoints.iter().map(|endpoint| {
        vec![
            short_id(&endpoint.id),
            shown(&endpoint.name).into_owned(),
            shown(&endpoint.addresses.join(",")).into_owned(),
        ]
    });
    let rows = table::lay_out(&["ID", "NAME", "ADDRESS"], endpoints);
    titled_table(&mut text, "Endpoints", page.endpoints.len(), &rows);
    others(
        &mut text,
        network,
        &network.extra,
        &[
            ("AdditionalParams", &network.additional_params),
            ("Health", &network.health),
        ],
    );
    text
}
