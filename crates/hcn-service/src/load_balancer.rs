// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load balancers: what is admitted, which front ends they take, how they are replaced.
//!
//! Source: hns-behaviour 2.6, 3.1, 5.6, 6.4 and 7.4. No two load balancers have one front end: the store's key on (address, protocol, port)
//! guards it.

use std::net::IpAddr;

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{
    Document, Guid, Id, LoadBalancer, Shape,
    document::SchemaVersion,
    load_balancer::{DistributionType, LoadBalancerFlags, LoadBalancerPortMapping},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    change::Change,
    document::{chosen_id, guid, is_v2, member, object, refuse_long_name, refuse_odd},
    endpoint::EndpointRecord,
    network::NetworkRecord,
    port_reservation,
    profile::LoadBalancerModify,
    store::{Frontend, Record},
    v1,
};

/// What the service knows of a load balancer beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LoadBalancerInternal {
    /// Id of the allocation tree (v1 `ActivityId`).
    pub activity: u128,
    /// When it was made, as FILETIME.
    pub made: u64,
    /// The network of its backends.
    pub network: u128,
    /// v1 `Flags`, where a v1 client sent them.
    pub v1_flags: Option<u32>,
}

/// A load balancer.
#[derive(Clone, Debug)]
pub(crate) struct LoadBalancerRecord {
    pub id: Guid,
    pub document: LoadBalancer,
    pub internal: LoadBalancerInternal,
}

impl Record for LoadBalancerRecord {
    const KIND: Kind = Kind::LoadBalancer;
    type Document = LoadBalancer;
    type Internal = LoadBalancerInternal;

    fn new(id: Guid, document: LoadBalancer, internal: LoadBalancerInternal) -> Self {
        LoadBalancerRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &LoadBalancer {
        &self.document
    }
    fn internal(&self) -> &LoadBalancerInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        Some(Guid(self.internal.network))
    }
}

/// Makes a load balancer.
///
/// # Errors
/// Those of hns-behaviour 3.1, in the order of 3.3.
pub(crate) fn create(change: &mut Change<'_>, caller: Guid, settings: &str) -> Answer<Guid> {
    create_from(change, caller, &object(settings)?)
}

/// Makes a load balancer from a parsed document of either shape.
pub(crate) fn create_from(
    change: &mut Change<'_>,
    caller: Guid,
    map: &Map<String, Value>,
) -> Answer<Guid> {
    let two = is_v2(map);
    let (mut document, mut internal) = if two {
        (LoadBalancer::from_map(map), LoadBalancerInternal::default())
    } else {
        v1::policy_list::to_load_balancer(map)?
    };
    read_words(&mut document);
    refuse_odd(&document, HcnCode::HCN_E_INVALID_POLICY)?;
    refuse_long_name(
        &document.name.or_default(),
        change.profile.name_limit,
        HcnCode::HCN_E_INVALID_POLICY,
    )?;
    let id = chosen_id(caller, document.id.get(), || change.ids.guid())?;
    if change.view.exists(ObjectId {
        kind: Kind::LoadBalancer,
        id,
    })? {
        return Err(HnsError::at(
            HcnCode::HCN_E_POLICY_ALREADY_EXISTS,
            "/ID",
            format!("there is a load balancer {id} already; give another ID or none"),
        ));
    }
    internal.activity = change.ids.guid().0;
    internal.made = change.file_time();
    let record = admit(change, id, document, internal, two)?;
    change.insert(&record)?;
    Ok(id)
}

/// Carries out `HcnModifyLoadBalancer`: the request is the whole document.
///
/// # Errors
/// `E_NOTIMPL` where the version has no such call; else those of [`create`]. Nothing is changed then.
pub(crate) fn modify(change: &mut Change<'_>, id: Guid, settings: &str) -> Answer<()> {
    let record: LoadBalancerRecord = change.view.load(id)?;
    match change.profile.load_balancer_modify {
        LoadBalancerModify::Unknown => {
            return Err(HnsError::because(
                HcnCode::E_NOTIMPL,
                format!(
                    "HNS {} cannot modify load balancers; delete it and make it again with its ID",
                    change.profile.version
                ),
            ));
        }
        LoadBalancerModify::Ignored => return object(settings).map(|_| ()),
        LoadBalancerModify::Replaces => {}
    }
    let map = object(settings)?;
    if member(&map, "RequestType").is_some() {
        return Err(HnsError::at(
            HcnCode::HCN_E_REQUEST_UNSUPPORTED,
            "/RequestType",
            "a load balancer is modified by its whole document, not by a request",
        ));
    }
    let mut document = LoadBalancer::from_map(&map);
    read_words(&mut document);
    refuse_odd(&document, HcnCode::HCN_E_INVALID_POLICY)?;
    refuse_long_name(
        &document.name.or_default(),
        change.profile.name_limit,
        HcnCode::HCN_E_INVALID_POLICY,
    )?;
    change.view.release_frontends(id)?;
    let record = admit(change, id, document, record.internal, true)?;
    change.update(&record)
}

/// Deletes a load balancer; its front ends are free at once (hns-behaviour 7.4).
///
/// # Errors
/// `ERROR_NOT_FOUND`; `HCN_E_NETWORK_NOT_FOUND` where the version needs its network (Q24).
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: LoadBalancerRecord = change.view.load(id)?;
    refuse_orphan(change, record.internal.network)?;
    remove(change, &record)
}

/// Removes a load balancer, whatever became of its network.
pub(crate) fn remove(change: &mut Change<'_>, record: &LoadBalancerRecord) -> Answer<()> {
    change.view.release_frontends(record.id)?;
    change.remove(record)
}

/// Q24: old versions cannot delete a policy list whose network is gone.
pub(crate) fn refuse_orphan(change: &Change<'_>, network: u128) -> Answer<()> {
    if !change.profile.keeps_orphaned_policy_lists {
        return Ok(());
    }
    let object = ObjectId {
        kind: Kind::Network,
        id: Guid(network),
    };
    if change.view.exists(object)? {
        Ok(())
    } else {
        Err(object.not_found())
    }
}

/// Checks a document, takes its front ends and gives it its stored form.
fn admit(
    change: &Change<'_>,
    id: Guid,
    mut document: LoadBalancer,
    mut internal: LoadBalancerInternal,
    two: bool,
) -> Answer<LoadBalancerRecord> {
    document.canonical_keys();
    document.id = Id::from(id).into();
    document.version.set(change.profile.version.number());
    document.schema_version.set(SchemaVersion::new(2, 0));
    if let Some(network) = document
        .host_compute_network
        .get()
        .filter(|text| !text.0.is_empty())
    {
        let network: NetworkRecord = change.view.load(guid(network, "/HostComputeNetwork")?)?;
        document.host_compute_network = Id::from(network.id).into();
    }
    let given = document.host_compute_endpoints.or_default();
    let (backends, network) = backends(change, &given)?;
    document.host_compute_endpoints.set(backends);
    internal.network = network.0;
    refuse_bad_address(&document.source_vip.or_default(), "/SourceVIP")?;
    let mut addresses = Vec::new();
    for (index, text) in document
        .frontend_vips
        .get()
        .into_iter()
        .flatten()
        .enumerate()
    {
        addresses.extend(refuse_bad_address(text, &format!("/FrontendVIPs/{index}"))?);
    }
    let mappings = port_mappings(&document, two)?;
    for frontend in frontends(&document, &addresses, &mappings) {
        take(change, id, &frontend)?;
    }
    document.port_mappings.set(mappings);
    if document
        .flags
        .get()
        .is_some_and(|flags| *flags == LoadBalancerFlags(0))
    {
        // A zero is left out of answers (hns-behaviour 2.1).
        document.flags.clear();
    }
    drop_empty_health(&mut document);
    Ok(LoadBalancerRecord {
        id,
        document,
        internal,
    })
}

/// The endpoints as a set, in upper case as clients compare them (hns-behaviour 2.1), and the network of the first.
///
/// # Errors
/// `HCN_E_INVALID_POLICY` for none, `HCN_E_INVALID_JSON_REFERENCE` for one that does not exist.
pub(crate) fn backends(change: &Change<'_>, given: &[Id]) -> Answer<(Vec<Id>, Guid)> {
    let mut ids: Vec<Id> = Vec::new();
    let mut network = None;
    for (index, text) in given.iter().enumerate() {
        let field = format!("/HostComputeEndpoints/{index}");
        let id = guid(text, &field)?;
        let record: EndpointRecord = match change.view.load(id) {
            Err(error) if error.code.is_not_found() => {
                return Err(HnsError::at(
                    HcnCode::HCN_E_INVALID_JSON_REFERENCE,
                    field,
                    format!("there is no endpoint {id}"),
                ));
            }
            other => other?,
        };
        network.get_or_insert(record.network_id());
        let id = Id::from(id);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match network {
        Some(network) => Ok((ids, network)),
        None => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "/HostComputeEndpoints",
            "no endpoint is named; give one or more",
        )),
    }
}

/// An address, or none for an empty text.
fn refuse_bad_address(text: &str, field: &str) -> Answer<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        HnsError::at(
            HcnCode::HCN_E_INVALID_IP,
            field,
            format!("{text:?} is not an IP address"),
        )
    })
}

/// The ports with their numbers as numbers, which Go clients need (hns-behaviour 2.1).
fn port_mappings(document: &LoadBalancer, two: bool) -> Answer<Vec<LoadBalancerPortMapping>> {
    let mut mappings = document.port_mappings.or_default();
    if mappings.is_empty() {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "/PortMappings",
            "no port is given; clients look at the first one of every load balancer",
        ));
    }
    for (index, mapping) in mappings.iter_mut().enumerate() {
        mapping.canonical_keys();
        let (internal, external) = (
            mapping.internal_port.or_default(),
            mapping.external_port.or_default(),
        );
        // Docker's swarm balances whole addresses by v1 lists with both ports 0, and HNS takes them.
        if internal == 0 && (two || external != 0) {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_INTERNAL_PORT,
                format!("/PortMappings/{index}/InternalPort"),
                "the port of the backends is missing or 0; give 1 to 65535",
            ));
        }
        if external == 0 && internal != 0 {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY,
                format!("/PortMappings/{index}/ExternalPort"),
                "the port of the virtual address is missing or 0; give 1 to 65535",
            ));
        }
        for number in [&mut mapping.internal_port, &mut mapping.external_port] {
            if let Some(value) = number.get().copied() {
                number.set(value);
            }
        }
        for number in [&mut mapping.protocol, &mut mapping.distribution_type] {
            if let Some(value) = number.get().copied() {
                number.set(value);
            }
        }
        if let Some(flags) = mapping.flags.get().copied() {
            mapping.flags.set(flags);
        }
    }
    Ok(mappings)
}

/// A word for the distribution is taken for its number.
fn read_words(document: &mut LoadBalancer) {
    let Some(mappings) = document.port_mappings.get() else {
        return;
    };
    let mut mappings = mappings.clone();
    let mut read = false;
    for mapping in &mut mappings {
        if let Some(word) = mapping
            .distribution_type
            .odd()
            .and_then(DistributionType::read)
        {
            mapping.distribution_type.set(word.number());
            read = true;
        }
    }
    if read {
        document.port_mappings.set(mappings);
    }
}

/// Where the load balancer is reached: each address with each port; without addresses, every address of the host of its family.
fn frontends(
    document: &LoadBalancer,
    addresses: &[IpAddr],
    mappings: &[LoadBalancerPortMapping],
) -> Vec<Frontend> {
    let any = if document
        .flags
        .or_default()
        .contains(LoadBalancerFlags::IPV6)
    {
        Frontend::ANY_V6
    } else {
        Frontend::ANY
    };
    let mut names: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    if names.is_empty() {
        names.push(any.to_owned());
    }
    let mut found: Vec<Frontend> = Vec::new();
    for name in names {
        for mapping in mappings {
            let frontend = Frontend {
                address: name.clone(),
                protocol: mapping.protocol.or_default(),
                port: mapping.external_port.or_default(),
            };
            if !found.contains(&frontend) {
                found.push(frontend);
            }
        }
    }
    found
}

fn take(change: &Change<'_>, id: Guid, frontend: &Frontend) -> Answer<()> {
    let taken = |by: String| {
        Err(HnsError::at(
            HcnCode::HCN_E_PORT_ALREADY_EXISTS,
            "/PortMappings",
            format!(
                "port {} of protocol {} at {} is taken by {by}; choose another",
                frontend.port,
                frontend.protocol,
                if frontend.address.is_empty() {
                    "the host"
                } else {
                    &frontend.address
                }
            ),
        ))
    };
    if let Some(owner) = change.view.frontend_owner(frontend)? {
        return taken(format!("load balancer {owner}"));
    }
    if [Frontend::ANY, Frontend::ANY_V6].contains(&frontend.address.as_str()) {
        let (protocol, port) = (frontend.protocol, frontend.port);
        if let Some(owner) = change.view.host_port_owner(protocol, port)? {
            return taken(format!("endpoint {owner}"));
        }
        port_reservation::refuse_reserved(&change.view, protocol, port, "/PortMappings")?;
    }
    change.view.take_frontend(frontend, id)
}

/// Go clients send empty objects where they mean nothing (hns-behaviour 1.6); answers leave them out.
fn drop_empty_health(document: &mut LoadBalancer) {
    let empty = document.health.get().is_some_and(|health| {
        health.is_null()
            || health.as_object().is_some_and(|map| {
                map.values()
                    .all(|inner| inner.as_object().is_some_and(Map::is_empty))
            })
    });
    if empty {
        document.health.clear();
    }
}
