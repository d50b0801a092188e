// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints: what is admitted, what HNS fills in, how they come and go.
//!
//! Source: hns-behaviour 2.4, 2.8, 3.3, 5.2, 5.3 and 6.4.

pub(crate) mod attach;
mod modify;
pub(crate) mod policies;

use std::net::IpAddr;

use hcn_api::{Answer, HcnCode, HnsError, Kind, Notification, ObjectId};
use hcn_schema::{
    Endpoint, Field, Guid, Id, MacAddress, Policy,
    document::SchemaVersion,
    endpoint::IpConfiguration,
    network::{Dns, IpamType, NetworkType, Route},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    address::{self, Assigned},
    change::Change,
    document::{chosen_id, is_v2, object, refuse_long_name, refuse_odd},
    network::NetworkRecord,
    policy_number::{ENDPOINT, in_words},
    store::Record,
    v1,
};

pub(crate) use modify::{modify, post};

/// States of an endpoint (hns-behaviour 2.8).
pub(crate) mod state {
    pub const CREATED: u16 = 1;
    pub const ATTACHED: u16 = 2;
    pub const ATTACHED_SHARING: u16 = 3;
    pub const DETACHED: u16 = 4;
}

/// What the service knows of an endpoint beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EndpointInternal {
    /// Id of the allocation tree (v1 `Resources.ID`).
    pub activity: u128,
    /// When it was made, as FILETIME.
    pub made: u64,
    /// v1 `Resources.AllocationOrder`: 3 at first, 2 more with the first ACLs, 1 more with each later change of policies
    /// (hns-behaviour 4.10: the numbers are the walk-through's, the rule is a guess that fits them).
    pub allocation_order: u32,
    /// Whether ACLs were applied before.
    pub acl_applied: bool,
    /// The network's id as a v1 client wrote it, which v1 answers echo.
    pub virtual_network: Option<String>,
    /// v1 `EnableInternalDNS`.
    pub enable_internal_dns: Option<bool>,
    /// Ids of the containers that share it.
    pub containers: Vec<String>,
    /// Whether the host itself is attached.
    pub host_attached: bool,
    /// Policies as created, for Reset.
    pub created_policies: Vec<Value>,
    /// Members of a v1 document that have no place in v2.
    pub v1: Map<String, Value>,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub(crate) struct EndpointRecord {
    pub id: Guid,
    pub document: Endpoint,
    pub internal: EndpointInternal,
}

impl Record for EndpointRecord {
    const KIND: Kind = Kind::Endpoint;
    type Document = Endpoint;
    type Internal = EndpointInternal;

    fn new(id: Guid, document: Endpoint, internal: EndpointInternal) -> Self {
        EndpointRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &Endpoint {
        &self.document
    }
    fn internal(&self) -> &EndpointInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        Some(self.network_id())
    }
}

impl EndpointRecord {
    /// The network that it is on.
    pub fn network_id(&self) -> Guid {
        self.document
            .host_compute_network
            .get()
            .and_then(Id::guid)
            .unwrap_or_default()
    }

    /// The namespace that it is in.
    pub fn namespace_id(&self) -> Option<Guid> {
        self.document
            .host_compute_namespace
            .get()
            .and_then(Id::guid)
            .filter(|id| !id.is_zero())
    }

    /// Its addresses.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let configurations = self.document.ip_configurations.get().into_iter().flatten();
        configurations
            .filter_map(|configuration| configuration.ip_address.get()?.parse().ok())
            .collect()
    }
}

/// Makes an endpoint on a network.
///
/// # Errors
/// Those of hns-behaviour 3.1, in the order of 3.3.
pub(crate) fn create(
    change: &mut Change<'_>,
    network: Guid,
    caller: Guid,
    settings: &str,
) -> Answer<Guid> {
    let map = object(settings)?;
    let network: NetworkRecord = change.view.load(network)?;
    create_from(change, &network, caller, &map)
}

/// Makes an endpoint from a parsed document of either shape.
pub(crate) fn create_from(
    change: &mut Change<'_>,
    network: &NetworkRecord,
    caller: Guid,
    map: &Map<String, Value>,
) -> Answer<Guid> {
    let (mut endpoint, mut internal) = if is_v2(map) {
        (
            hcn_schema::Document::from_map(map),
            EndpointInternal::default(),
        )
    } else {
        v1::endpoint::to_v2(map)
    };
    refuse_odd(&endpoint, HcnCode::HCN_E_INVALID_ENDPOINT)?;
    refuse_long_name(
        &endpoint.name.or_default(),
        change.profile.name_limit,
        HcnCode::HCN_E_INVALID_ENDPOINT,
    )?;
    let id = chosen_id(caller, endpoint.id.get(), || change.ids.guid())?;
    if change.view.exists(ObjectId {
        kind: Kind::Endpoint,
        id,
    })? {
        // Q19: the table of HNS has no code for it.
        return Err(HnsError::at(
            HcnCode::ERROR_ALREADY_EXISTS,
            "/ID",
            format!("there is an endpoint {id} already; give another ID or none"),
        ));
    }
    endpoint.canonical_keys();
    endpoint.id = Id::from(id).into();
    if endpoint.name.get().is_none_or(String::is_empty) {
        endpoint.name.set("Ethernet".to_owned());
    }
    endpoint.version.set(change.profile.version.number());
    endpoint.schema_version.set(SchemaVersion::new(2, 0));
    // Where document and handle disagree, the handle counts (hns-behaviour 1.4).
    endpoint.host_compute_network = Id::from(network.id).into();
    endpoint.host_compute_namespace.clear();
    endpoint.state.set(state::CREATED);
    settle_addresses(change, &mut endpoint, network, id)?;
    settle_dns(&mut endpoint, network, &internal);
    settle_mac_address(change, &mut endpoint, network, id)?;
    let given = in_words(endpoint.policies.or_default(), ENDPOINT);
    let mut stored = Vec::with_capacity(given.len());
    for (index, policy) in given.into_iter().enumerate() {
        let at = |error: HnsError| error.below(&format!("/Policies/{index}"));
        policies::put(change, network, (id, &endpoint), &mut stored, policy).map_err(at)?;
    }
    if endpoint.is_remote() && !stored.iter().any(|policy| policy.is("L2Driver")) {
        // Seen on remote endpoints (hns-behaviour 2.4).
        stored.push(Policy {
            policy_type: "L2Driver".to_owned().into(),
            settings: Map::new().into(),
            ..Policy::default()
        });
    }
    drop_empty(&mut endpoint);
    internal.activity = change.ids.guid().0;
    internal.made = change.file_time();
    internal.allocation_order = 3;
    internal.created_policies = stored.iter().map(hcn_schema::Shape::write).collect();
    internal.acl_applied = stored.iter().any(|policy| policy.is("ACL"));
    endpoint.policies = if stored.is_empty() {
        Field::default()
    } else {
        stored.into()
    };
    change.view.count_up(network.id)?;
    change.insert(&EndpointRecord {
        id,
        document: endpoint,
        internal,
    })?;
    Ok(id)
}

/// Deletes an endpoint; it leaves its namespace by itself (hns-behaviour 6.4).
///
/// # Errors
/// `HCN_E_ENDPOINT_NOT_FOUND`.
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: EndpointRecord = change.view.load(id)?;
    if let Some(namespace) = record.namespace_id() {
        attach::forget(change, namespace, id)?;
    }
    let network = record.network_id();
    for address in record.addresses() {
        change.view.release_address(network, address, id)?;
    }
    if let Some(mac) = record
        .document
        .mac_address
        .get()
        .and_then(|text| text.parse().ok())
    {
        change.view.release_mac_address(network, mac, id)?;
    }
    change.view.release_host_ports(id)?;
    change.view.count_down(network)?;
    change.remove(&record)?;
    let was = record.document.state.or_default();
    if matches!(was, state::ATTACHED | state::ATTACHED_SHARING) {
        change.tell_of_endpoint(Notification::NetworkEndpointDetached, &record)?;
    }
    Ok(())
}

/// Reserves the addresses asked for, or chooses one a family, and fills in prefix lengths and routes.
fn settle_addresses(
    change: &Change<'_>,
    endpoint: &mut Endpoint,
    network: &NetworkRecord,
    id: Guid,
) -> Answer<()> {
    let subnets = address::subnets(&network.document);
    let asked = endpoint.ip_configurations.or_default();
    let mut configurations = Vec::new();
    for (index, configuration) in asked.iter().enumerate() {
        let field = format!("/IpConfigurations/{index}/IpAddress");
        let text = configuration.ip_address.or_default();
        if text.is_empty() {
            continue;
        }
        let wanted: IpAddr = text.parse().map_err(|_| {
            HnsError::at(
                HcnCode::HCN_E_INVALID_IP,
                field.as_str(),
                format!("{text:?} is not an IP address"),
            )
        })?;
        refuse_long_prefix(configuration, wanted, index)?;
        if endpoint.is_remote() {
            // Remote addresses may lie outside every subnet (hns-behaviour 5.2) and are not ours to give out.
            let inside = subnets
                .iter()
                .find(|subnet| subnet.prefix.contains(&wanted));
            let length = inside.map_or(if wanted.is_ipv4() { 32 } else { 128 }, |subnet| {
                subnet.prefix.prefix_len()
            });
            let length = configuration.prefix_length.get().copied().unwrap_or(length);
            configurations.push(IpConfiguration {
                prefix_length: length.into(),
                ..configuration.clone()
            });
            continue;
        }
        let assigned = address::reserve(change, network.id, &subnets, wanted, id, &field)?;
        configurations.push(configured(assigned, Some(configuration)));
    }
    if endpoint.is_remote() {
        if configurations.is_empty() {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_ENDPOINT,
                "/IpConfigurations",
                "a remote endpoint needs its IpAddress, since it lives on another host",
            ));
        }
        endpoint.ip_configurations.set(configurations);
        return Ok(());
    }
    if configurations.is_empty() && !is_dhcp(network) {
        for family in [true, false] {
            if let Some(subnet) = subnets
                .iter()
                .find(|subnet| subnet.prefix.addr().is_ipv4() == family)
            {
                configurations.push(configured(
                    address::allocate(change, network.id, subnet, id)?,
                    None,
                ));
            }
        }
        if configurations.is_empty()
            && !matches!(
                network.network_type(),
                NetworkType::Private | NetworkType::Internal | NetworkType::Transparent
            )
        {
            return Err(HnsError::because(
                HcnCode::HCN_E_SUBNET_NOT_FOUND,
                format!(
                    "the network {:?} has no subnet to take an address from; give the network one",
                    network.name()
                ),
            ));
        }
    }
    if endpoint.routes.get().is_none_or(Vec::is_empty) {
        let has = |family: bool| {
            configurations.iter().any(|own| {
                own.ip_address
                    .get()
                    .and_then(|text| text.parse().ok())
                    .is_some_and(|own: IpAddr| own.is_ipv4() == family)
            })
        };
        let routes: Vec<Route> = [true, false]
            .into_iter()
            .filter(|family| has(*family))
            .filter_map(|family| {
                subnets
                    .iter()
                    .filter_map(|subnet| subnet.gateway)
                    .find(|gateway| gateway.is_ipv4() == family)
            })
            .map(|gateway| Route {
                next_hop: gateway.to_string().into(),
                destination_prefix: if gateway.is_ipv4() {
                    "0.0.0.0/0"
                } else {
                    "::/0"
                }
                .to_owned()
                .into(),
                ..Route::default()
            })
            .collect();
        if !routes.is_empty() {
            endpoint.routes.set(routes);
        }
    }
    endpoint.ip_configurations = if configurations.is_empty() {
        Field::default()
    } else {
        configurations.into()
    };
    Ok(())
}

/// A prefix has no more bits than its address.
fn refuse_long_prefix(
    configuration: &IpConfiguration,
    address: IpAddr,
    index: usize,
) -> Answer<()> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    match configuration.prefix_length.get() {
        Some(length) if *length > most => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_PREFIX,
            format!("/IpConfigurations/{index}/PrefixLength"),
            format!("{length} is over {most}, the number of bits of {address}"),
        )),
        _ => Ok(()),
    }
}

fn configured(assigned: Assigned, asked: Option<&IpConfiguration>) -> IpConfiguration {
    let mut configuration = asked.cloned().unwrap_or_default();
    configuration.canonical_keys();
    configuration.ip_address.set(assigned.address.to_string());
    if configuration
        .prefix_length
        .get()
        .is_none_or(|length| *length == 0)
    {
        configuration.prefix_length.set(assigned.prefix_length);
    }
    if let Some(range) = assigned.range {
        configuration.ip_subnet_id.set(range.into());
    }
    configuration
}

fn is_dhcp(network: &NetworkRecord) -> bool {
    network
        .document
        .ipams
        .get()
        .into_iter()
        .flatten()
        .any(|ipam| ipam.ipam_type.get() == Some(&IpamType::Dhcp))
}

/// Takes over the network's name resolution; with internal DNS the gateway is asked first (hns-behaviour 2.14).
fn settle_dns(endpoint: &mut Endpoint, network: &NetworkRecord, internal: &EndpointInternal) {
    let mut dns: Dns = endpoint.dns.or_default();
    if let Some(inherited) = network.document.dns.get() {
        if dns.server_list.get().is_none_or(Vec::is_empty) {
            dns.server_list = inherited.server_list.clone();
        }
        if dns.search.get().is_none_or(Vec::is_empty) {
            dns.search = inherited.search.clone();
        }
        if dns.domain.get().is_none_or(String::is_empty) {
            dns.domain = inherited.domain.clone();
        }
    }
    if internal.enable_internal_dns == Some(true) {
        let gateway = address::subnets(&network.document)
            .into_iter()
            .find_map(|subnet| subnet.gateway);
        if let Some(gateway) = gateway.map(|gateway| gateway.to_string()) {
            let servers = dns.server_list.edit();
            if !servers.contains(&gateway) {
                servers.insert(0, gateway);
            }
        }
    }
    if hcn_schema::Document::to_map(&dns)
        .values()
        .any(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    {
        endpoint.dns.set(dns);
    } else {
        endpoint.dns.clear();
    }
}

/// Keeps the MAC address asked for as it is written, or takes one of the pool.
fn settle_mac_address(
    change: &Change<'_>,
    endpoint: &mut Endpoint,
    network: &NetworkRecord,
    id: Guid,
) -> Answer<()> {
    let text = endpoint.mac_address.or_default();
    if text.is_empty() {
        if endpoint.is_remote() {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_ENDPOINT,
                "/MacAddress",
                "a remote endpoint needs its MacAddress, since it lives on another host",
            ));
        }
        let mac = address::allocate_mac(change, network.id, &network.mac_pool(), id)?;
        endpoint.mac_address.set(mac.to_string());
        return Ok(());
    }
    let mac: MacAddress = text.parse().map_err(|error| {
        HnsError::at(
            HcnCode::HCN_E_INVALID_ENDPOINT,
            "/MacAddress",
            format!("{text:?} is {error}"),
        )
    })?;
    if !endpoint.is_remote() && !change.view.reserve_mac_address(network.id, mac, id)? {
        // The table of HNS has no code for it; a switch cannot tell two ports of one address apart.
        return Err(HnsError::at(
            HcnCode::ERROR_ALREADY_EXISTS,
            "/MacAddress",
            format!(
                "{text} is the address of another endpoint of the network; give another or none"
            ),
        ));
    }
    Ok(())
}

/// Go clients send empty objects where they mean nothing (hns-behaviour 1.6); answers leave them out.
fn drop_empty(endpoint: &mut Endpoint) {
    let empty = |value: Option<&Value>| {
        value.is_none_or(|value| {
            value.is_null()
                || value.as_object().is_some_and(|map| {
                    map.values()
                        .all(|inner| inner.as_object().is_some_and(Map::is_empty))
                })
        })
    };
    if empty(endpoint.health.get()) {
        endpoint.health.clear();
    }
    if empty(endpoint.additional_params.get()) {
        endpoint.additional_params.clear();
    }
    // A number whatever the client wrote; none for 0 (hns-behaviour 2.1).
    match endpoint.flags.get().copied() {
        Some(flags) if flags.0 == 0 => endpoint.flags.clear(),
        Some(flags) => endpoint.flags.set(flags),
        None => {}
    }
}
