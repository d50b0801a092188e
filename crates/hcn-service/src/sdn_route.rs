// SPDX-License-Identifier: MIT OR Apache-2.0
//! SDN route objects: routes that several endpoints get.
//!
//! Source: hns-behaviour 2.7, 5.5 and 7.5. Go clients say `Setting` for `Routes`; answers have `Routes`, and `Setting` where it was sent.

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Guid, Id, SdnRoute, document::SchemaVersion, sdn_route::SdnRouteEntry};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    change::Change,
    document::{chosen_id, guid, is_v2, object, refuse_long_name, refuse_odd},
    load_balancer::{backends, refuse_orphan},
    network::NetworkRecord,
    store::Record,
    v1,
};

/// What the service knows of an SDN route beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SdnRouteInternal {
    /// Id of the allocation tree (v1 `ActivityId`).
    pub activity: u128,
    /// When it was made, as FILETIME.
    pub made: u64,
    /// The network of its endpoints.
    pub network: u128,
    /// v1 `Flags`, where a v1 client sent them.
    pub v1_flags: Option<u32>,
}

/// An SDN route.
#[derive(Clone, Debug)]
pub(crate) struct SdnRouteRecord {
    pub id: Guid,
    pub document: SdnRoute,
    pub internal: SdnRouteInternal,
}

impl Record for SdnRouteRecord {
    const KIND: Kind = Kind::SdnRoute;
    type Document = SdnRoute;
    type Internal = SdnRouteInternal;

    fn new(id: Guid, document: SdnRoute, internal: SdnRouteInternal) -> Self {
        SdnRouteRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &SdnRoute {
        &self.document
    }
    fn internal(&self) -> &SdnRouteInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        Some(Guid(self.internal.network))
    }
}

/// Makes an SDN route.
///
/// # Errors
/// Those of hns-behaviour 3.1, in the order of 3.3.
pub(crate) fn create(change: &mut Change<'_>, caller: Guid, settings: &str) -> Answer<Guid> {
    create_from(change, caller, &object(settings)?)
}

/// Makes an SDN route from a parsed document of either shape.
pub(crate) fn create_from(
    change: &mut Change<'_>,
    caller: Guid,
    map: &Map<String, Value>,
) -> Answer<Guid> {
    let (mut document, mut internal) = if is_v2(map) {
        (SdnRoute::from_map(map), SdnRouteInternal::default())
    } else {
        v1::policy_list::to_sdn_route(map)?
    };
    refuse_odd(&document, HcnCode::HCN_E_INVALID_POLICY)?;
    refuse_long_name(
        &document.name.or_default(),
        change.profile.name_limit,
        HcnCode::HCN_E_INVALID_POLICY,
    )?;
    let id = chosen_id(caller, document.id.get(), || change.ids.guid())?;
    if change.view.exists(ObjectId {
        kind: Kind::SdnRoute,
        id,
    })? {
        return Err(HnsError::at(
            HcnCode::HCN_E_POLICY_ALREADY_EXISTS,
            "/ID",
            format!("there is an SDN route {id} already; give another ID or none"),
        ));
    }
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
    let (endpoints, network) = backends(change, &document.host_compute_endpoints.or_default())?;
    document.host_compute_endpoints.set(endpoints);
    let key = if document.routes.get().is_none_or(Vec::is_empty) {
        document.routes = document.setting.clone();
        "Setting"
    } else {
        "Routes"
    };
    for (index, route) in document.routes.get().into_iter().flatten().enumerate() {
        refuse_bad_route(route).map_err(|error| error.below(&format!("/{key}/{index}")))?;
    }
    internal.activity = change.ids.guid().0;
    internal.made = change.file_time();
    internal.network = network.0;
    change.insert(&SdnRouteRecord {
        id,
        document,
        internal,
    })?;
    Ok(id)
}

/// A prefix may have host bits, as hnslib's tests send it (hns-behaviour 5.5).
fn refuse_bad_route(route: &SdnRouteEntry) -> Answer<()> {
    let prefix = route.destination_prefix.or_default();
    if !prefix.is_empty() && prefix.parse::<IpNet>().is_err() {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_PREFIX,
            "/DestinationPrefix",
            format!("{prefix:?} is not a prefix of the form 10.0.0.0/16"),
        ));
    }
    let hop = route.next_hop.or_default();
    if !hop.is_empty() && hop.parse::<std::net::IpAddr>().is_err() {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_IP,
            "/NextHop",
            format!("{hop:?} is not an IP address"),
        ));
    }
    Ok(())
}

/// `HcnModifySdnRoute`: no document says what it takes, and no client calls it.
///
/// # Errors
/// `ERROR_NOT_FOUND`, else `E_NOTIMPL`.
pub(crate) fn modify(change: &Change<'_>, id: Guid) -> Answer<()> {
    let _: SdnRouteRecord = change.view.load(id)?;
    Err(HnsError::because(
        HcnCode::E_NOTIMPL,
        "an SDN route cannot be modified; delete it and make it again with its ID",
    ))
}

/// Deletes an SDN route.
///
/// # Errors
/// `ERROR_NOT_FOUND`; `HCN_E_NETWORK_NOT_FOUND` where the version needs its network (Q24).
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: SdnRouteRecord = change.view.load(id)?;
    refuse_orphan(change, record.internal.network)?;
    change.remove(&record)
}
