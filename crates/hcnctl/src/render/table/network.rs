// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of `get networks`.

use hcn_schema::{Network, network::NetworkType};

use super::{Columns, joined, lay_out};
use crate::render::{field_text, word};

/// One network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkRow {
    /// Its id, whole.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type in words.
    pub network_type: String,
    /// CIDRs of its subnets.
    pub subnets: Vec<String>,
    /// Gateways of its subnets.
    pub gateways: Vec<String>,
    /// How many endpoints are on it.
    pub endpoints: usize,
    /// `first..last` of its MAC ranges.
    pub mac_ranges: Vec<String>,
    /// DNS servers.
    pub dns_servers: Vec<String>,
    /// Names of its flags.
    pub flags: Vec<&'static str>,
    /// HNS that made it, e.g. `15.0`.
    pub version: String,
}

impl NetworkRow {
    /// The row of a document; how many endpoints there are is not in it.
    pub fn of(network: &Network, endpoints: usize) -> Self {
        let subnets = || {
            network
                .ipams
                .get()
                .into_iter()
                .flatten()
                .filter_map(|ipam| ipam.subnets.get())
                .flatten()
        };
        NetworkRow {
            id: network.id.or_default().0,
            name: field_text(&network.name),
            network_type: type_words(network),
            subnets: subnets()
                .map(|subnet| field_text(&subnet.ip_address_prefix))
                .collect(),
            gateways: subnets()
                .filter_map(|subnet| subnet.routes.get())
                .flatten()
                .filter(|route| {
                    let destination = route.destination_prefix.or_default();
                    matches!(destination.as_str(), "0.0.0.0/0" | "::/0")
                })
                .map(|route| field_text(&route.next_hop))
                .collect(),
            endpoints,
            mac_ranges: network
                .mac_pool
                .get()
                .and_then(|pool| pool.ranges.get())
                .into_iter()
                .flatten()
                .map(|range| {
                    let first = field_text(&range.start_mac_address);
                    format!("{first}..{}", field_text(&range.end_mac_address))
                })
                .collect(),
            dns_servers: network
                .dns
                .get()
                .map(|dns| dns.server_list.or_default())
                .unwrap_or_default(),
            flags: network.flags.or_default().names(),
            version: network
                .version
                .get()
                .map(|version| word::version(*version))
                .unwrap_or_default(),
        }
    }
}

/// The type in words; an absent one is NAT, because HNS omits words whose number is 0.
pub(crate) fn type_words(network: &Network) -> String {
    if network.network_type.is_absent() {
        NetworkType::Nat.text().to_owned()
    } else {
        field_text(&network.network_type)
    }
}

/// The table of networks.
pub fn networks(rows: &[NetworkRow], columns: Columns) -> String {
    let mut header = vec!["ID", "NAME", "TYPE", "SUBNET", "GATEWAY", "ENDPOINTS"];
    if columns.is_wide() {
        header.extend(["MAC RANGE", "DNS", "FLAGS", "VERSION"]);
    }
    lay_out(
        &header,
        rows.iter().map(|row| {
            let mut cells = vec![
                columns.id(&row.id),
                columns.text(&row.name),
                columns.text(&row.network_type),
                joined(&row.subnets),
                joined(&row.gateways),
                row.endpoints.to_string(),
            ];
            if columns.is_wide() {
                cells.extend([
                    joined(&row.mac_ranges),
                    joined(&row.dns_servers),
                    joined(&row.flags),
                    row.version.clone(),
                ]);
            }
            cells
        }),
    )
}
