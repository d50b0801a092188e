// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `get policies` and `acl list`: one a policy of every endpoint and network, and one a rule of a tier.

use hcn_schema::{
    Endpoint, Network, Policy,
    policy::{Acl, EndpointPolicy, NetworkPolicy, acl::TierAcl, endpoint::PortMapping},
};

use super::{Columns, joined, lay_out};
use crate::render::{field_text, rule, short_id, shown, word};

/// Whose policies they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `endpoint` or `network`.
    pub kind: &'static str,
    /// Its id, whole.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// One policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRow {
    /// Who has it.
    pub owner: Owner,
    /// Its index among the policies of its owner; `2.0` is the first rule of the tier with index 2.
    pub number: String,
    /// Its type.
    pub policy_type: String,
    /// What a rule does.
    pub action: String,
    /// Which way a rule looks.
    pub direction: String,
    /// Protocols in words.
    pub protocol: String,
    /// Local addresses and ports; for a port mapping, the host's port and the container's.
    pub local: String,
    /// Remote addresses and ports.
    pub remote: String,
    /// Priority of a rule, order of a tier.
    pub priority: String,
    /// `Id` of a rule.
    pub id: String,
    /// Where a rule is enforced.
    pub rule_type: String,
    /// Settings of a policy that is no rule.
    pub settings: String,
}

impl PolicyRow {
    /// The rows of an endpoint's policies.
    pub fn of_endpoint(endpoint: &Endpoint) -> Vec<PolicyRow> {
        let owner = Owner {
            kind: "endpoint",
            id: endpoint.id.or_default().0,
            name: field_text(&endpoint.name),
        };
        rows(
            &owner,
            endpoint.policies.get(),
            |policy| match EndpointPolicy::of(policy) {
                EndpointPolicy::Acl(acl) => View::Rule(Box::new(acl)),
                EndpointPolicy::TierAcl(tier) => View::Tier(Box::new(tier)),
                EndpointPolicy::PortMapping(mapping) => View::PortMapping(Box::new(mapping)),
                _ => View::Other,
            },
        )
    }

    /// The rows of a network's policies.
    pub fn of_network(network: &Network) -> Vec<PolicyRow> {
        let owner = Owner {
            kind: "network",
            id: network.id.or_default().0,
            name: field_text(&network.name),
        };
        rows(
            &owner,
            network.policies.get(),
            |policy| match NetworkPolicy::of(policy) {
                NetworkPolicy::NetworkAcl(acl) => View::Rule(Box::new(acl)),
                _ => View::Other,
            },
        )
    }
}

/// What a row shows of a policy.
enum View {
    Rule(Box<Acl>),
    Tier(Box<TierAcl>),
    PortMapping(Box<PortMapping>),
    Other,
}

fn rows(
    owner: &Owner,
    policies: Option<&Vec<Policy>>,
    view: impl Fn(&Policy) -> View,
) -> Vec<PolicyRow> {
    let mut rows = Vec::new();
    for (index, policy) in policies.into_iter().flatten().enumerate() {
        let row = PolicyRow {
            owner: owner.clone(),
            number: index.to_string(),
            policy_type: field_text(&policy.policy_type),
            ..PolicyRow::default()
        };
        match view(policy) {
            View::Rule(acl) => rows.push(with_rule(row, &acl)),
            View::Tier(tier) => {
                rows.push(PolicyRow {
                    direction: field_text(&tier.direction),
                    priority: field_text(&tier.order),
                    id: field_text(&tier.name),
                    ..row
                });
                for (inner, tier_rule) in tier.rules.get().into_iter().flatten().enumerate() {
                    let row = PolicyRow {
                        owner: owner.clone(),
                        number: format!("{index}.{inner}"),
                        policy_type: "TierAclRule".to_owned(),
                        ..PolicyRow::default()
                    };
                    rows.push(with_rule(row, &rule::of_tier(&tier.direction, tier_rule)));
                }
            }
            View::PortMapping(mapping) => {
                let vip = field_text(&mapping.vip);
                let outside = field_text(&mapping.external_port);
                let inside = field_text(&mapping.internal_port);
                rows.push(PolicyRow {
                    protocol: word::protocols(&field_text(&mapping.protocol)),
                    local: if vip.is_empty() {
                        format!("{outside}->{inside}")
                    } else {
                        format!("{}->{inside}", rule::place_cell(&vip, &outside))
                    },
                    settings: joined(mapping.flags.or_default().names()),
                    ..row
                });
            }
            View::Other => rows.push(PolicyRow {
                settings: rule::settings_text(policy.settings.get().unwrap_or(&policy.extra)),
                ..row
            }),
        }
    }
    rows
}

fn with_rule(row: PolicyRow, acl: &Acl) -> PolicyRow {
    let acl = rule::with_plurals(acl);
    PolicyRow {
        action: field_text(&acl.action),
        direction: field_text(&acl.direction),
        protocol: word::protocols(&field_text(&acl.protocols)),
        local: rule::place_cell(
            &field_text(&acl.local_addresses),
            &field_text(&acl.local_ports),
        ),
        remote: rule::place_cell(
            &field_text(&acl.remote_addresses),
            &field_text(&acl.remote_ports),
        ),
        priority: field_text(&acl.priority),
        id: field_text(&acl.id),
        rule_type: field_text(&acl.rule_type),
        ..row
    }
}

/// The table of policies; `owners` prints whose they are, and is left out where the reader asked about one object.
pub fn policies(rows: &[PolicyRow], columns: Columns, owners: bool) -> String {
    let mut header = Vec::new();
    if owners {
        header.push("OWNER");
    }
    header.extend([
        "#",
        "TYPE",
        "ACTION",
        "DIRECTION",
        "PROTOCOL",
        "LOCAL",
        "REMOTE",
        "PRIORITY",
        "ID",
    ]);
    if columns.is_wide() {
        header.extend(["RULE TYPE", "SETTINGS"]);
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = Vec::with_capacity(header.len());
            if owners {
                cells.push(owner_cell(&row.owner, columns));
            }
            cells.extend([
                row.number.clone(),
                columns.text(&row.policy_type),
                columns.text(&row.action),
                columns.text(&row.direction),
                columns.text(&row.protocol),
                columns.text(&row.local),
                columns.text(&row.remote),
                columns.text(&row.priority),
                columns.text(&row.id),
            ]);
            if columns.is_wide() {
                cells.extend([columns.text(&row.rule_type), columns.text(&row.settings)]);
            }
            cells
        }),
    )
}

/// `endpoint EDFFC876 nginx`: kind, id and name, because every endpoint that nobody named is called "Ethernet".
fn owner_cell(owner: &Owner, columns: Columns) -> String {
    let id = match columns {
        Columns::Table => short_id(&owner.id),
        Columns::Wide => shown(&owner.id).into_owned(),
    };
    let name = columns.text(&owner.name);
    format!("{} {id} {name}", owner.kind).trim_end().to_owned()
}
