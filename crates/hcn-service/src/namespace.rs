// SPDX-License-Identifier: MIT OR Apache-2.0
//! Namespaces: compartments, and the endpoints and containers in them.
//!
//! Source: hns-behaviour 2.5 and 5.9.

use hcn_api::{Answer, HcnCode, HnsError, Kind, Notification, ObjectId};
use hcn_schema::{
    Document, Guid, Id, Namespace, Shape,
    document::SchemaVersion,
    modify::{ModifyRequest, NamespaceContainerSettings, NamespaceEndpointSettings, RequestType},
    namespace::{NamespaceResource, NamespaceResourceData, NamespaceResourceType, NamespaceType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    change::Change,
    document::{chosen_id, guid, object, refuse_long_name, refuse_odd},
    endpoint::attach,
    network::{request_type, unsupported},
    store::Record,
};

/// What the service knows of a namespace beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NamespaceInternal {
    /// When it was made, as FILETIME.
    pub made: u64,
}

/// A namespace.
#[derive(Clone, Debug)]
pub(crate) struct NamespaceRecord {
    pub id: Guid,
    pub document: Namespace,
    pub internal: NamespaceInternal,
}

impl Record for NamespaceRecord {
    const KIND: Kind = Kind::Namespace;
    type Document = Namespace;
    type Internal = NamespaceInternal;

    fn new(id: Guid, document: Namespace, internal: NamespaceInternal) -> Self {
        NamespaceRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &Namespace {
        &self.document
    }
    fn internal(&self) -> &NamespaceInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        None
    }
}

impl NamespaceRecord {
    /// Ids of what is in it, of one type.
    fn resources(&self, wanted: NamespaceResourceType) -> Vec<String> {
        let resources = self.document.resources.get().into_iter().flatten();
        resources
            .filter(|resource| resource.resource_type.get() == Some(&wanted))
            .filter_map(|resource| Some(resource.data.get()?.id.get()?.0.clone()))
            .collect()
    }

    /// Ids of the endpoints in it.
    pub fn endpoints(&self) -> Vec<Guid> {
        self.resources(NamespaceResourceType::Endpoint)
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect()
    }

    /// Ids of the containers in it.
    pub fn containers(&self) -> Vec<String> {
        self.resources(NamespaceResourceType::Container)
    }

    /// Takes an endpoint off the list.
    pub fn drop_endpoint(&mut self, endpoint: Guid) {
        self.drop_resource(NamespaceResourceType::Endpoint, |id| {
            id.guid() == Some(endpoint)
        });
    }

    fn drop_resource(&mut self, unwanted: NamespaceResourceType, is: impl Fn(&Id) -> bool) {
        let resources = self.document.resources.edit();
        resources.retain(|resource| {
            resource.resource_type.get() != Some(&unwanted)
                || !resource
                    .data
                    .get()
                    .and_then(|data| data.id.get())
                    .is_some_and(&is)
        });
        if resources.is_empty() {
            self.document.resources.clear();
        }
    }

    fn add_resource(&mut self, resource_type: NamespaceResourceType, id: Id) {
        self.document.resources.edit().push(NamespaceResource {
            resource_type: resource_type.into(),
            data: NamespaceResourceData {
                id: id.into(),
                ..NamespaceResourceData::default()
            }
            .into(),
            ..NamespaceResource::default()
        });
    }
}

/// Makes a namespace.
///
/// # Errors
/// `HCN_E_INVALID_JSON`, `E_INVALIDARG` for members that cannot be read, `ERROR_ALREADY_EXISTS` for an id in use.
pub(crate) fn create(change: &mut Change<'_>, caller: Guid, settings: &str) -> Answer<Guid> {
    create_from(change, caller, &object(settings)?)
}

/// Makes a namespace from a parsed document.
pub(crate) fn create_from(
    change: &mut Change<'_>,
    caller: Guid,
    map: &Map<String, Value>,
) -> Answer<Guid> {
    let mut namespace = Namespace::from_map(map);
    if namespace.namespace_type.odd() == Some(&Value::from("")) {
        // hcsshim's runtime sends "" and means Host (hns-behaviour 2.5).
        namespace.namespace_type.clear();
    }
    refuse_odd(&namespace, HcnCode::E_INVALIDARG)?;
    refuse_long_name(
        &namespace.name.or_default(),
        change.profile.name_limit,
        HcnCode::E_INVALIDARG,
    )?;
    let id = chosen_id(caller, namespace.id.get(), || change.ids.guid())?;
    if change.view.exists(ObjectId {
        kind: Kind::Namespace,
        id,
    })? {
        return Err(HnsError::at(
            HcnCode::ERROR_ALREADY_EXISTS,
            "/ID",
            format!("there is a namespace {id} already; give another ID or none"),
        ));
    }
    if let Some(resource) = namespace.resources.get().into_iter().flatten().next() {
        let detail = format!(
            "a new namespace is empty; add {} by a modify request",
            Shape::write(resource)
        );
        return Err(HnsError::at(HcnCode::E_INVALIDARG, "/Resources", detail));
    }
    namespace.canonical_keys();
    namespace.resources.clear();
    namespace.id = Id::from(id).into();
    namespace.version.set(change.profile.version.number());
    namespace.schema_version.set(SchemaVersion::new(2, 0));
    // The word for what may have come as a number; none for Host, which is 0 (hns-behaviour 2.1).
    match namespace.namespace_type.get().copied() {
        Some(NamespaceType::Host) => namespace.namespace_type.clear(),
        Some(other) => namespace.namespace_type.set(other),
        None => {}
    }
    if namespace
        .namespace_id
        .get()
        .is_none_or(|number| *number == 0)
    {
        namespace.namespace_id.set(free_compartment(change)?);
    }
    if namespace.namespace_guid.get().and_then(Id::guid).is_none() {
        namespace.namespace_guid = Id::from(change.ids.guid()).into();
    }
    let internal = NamespaceInternal {
        made: change.file_time(),
    };
    change.insert(&NamespaceRecord {
        id,
        document: namespace,
        internal,
    })?;
    change.tell(
        Notification::NamespaceCreate,
        Kind::Namespace,
        id,
        0,
        &Value::Null,
    );
    Ok(id)
}

/// The lowest compartment number that no namespace has; 1 is the host's own.
fn free_compartment(change: &Change<'_>) -> Answer<u32> {
    let taken: Vec<u32> = change
        .view
        .all::<NamespaceRecord>()?
        .iter()
        .filter_map(|own| own.document.namespace_id.get().copied())
        .collect();
    Ok((2..).find(|number| !taken.contains(number)).unwrap_or(2))
}

/// Carries out a request.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` for what a namespace cannot do; else those of attaching.
pub(crate) fn modify(change: &mut Change<'_>, id: Guid, settings: &str) -> Answer<()> {
    let mut record: NamespaceRecord = change.view.load(id)?;
    let request = ModifyRequest::from_map(&object(settings)?);
    let resource = request
        .resource_type
        .get()
        .and_then(NamespaceResourceType::read);
    let verb = request_type(&request)?;
    let given = request
        .settings
        .get()
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    use {NamespaceResourceType as Resource, RequestType as Verb};
    match (resource, verb) {
        (Some(Resource::Endpoint), Verb::Add | Verb::Remove) => {
            let settings = NamespaceEndpointSettings::from_map(&given);
            let endpoint = guid(&settings.endpoint_id.or_default(), "/Settings/EndpointId")?;
            if verb == Verb::Add {
                add_endpoint(change, id, endpoint)
            } else {
                remove_endpoint(change, id, endpoint)
            }
        }
        (Some(Resource::Container), Verb::Add | Verb::Remove) => {
            let container = NamespaceContainerSettings::from_map(&given)
                .container_id
                .or_default();
            if container.is_empty() {
                return Err(HnsError::at(
                    HcnCode::E_INVALIDARG,
                    "/Settings/ContainerId",
                    "the request names no container",
                ));
            }
            record.drop_resource(Resource::Container, |own| own.0 == container);
            if verb == Verb::Add {
                record.add_resource(Resource::Container, Id(container.clone()));
            }
            change.update(&record)?;
            for endpoint in record.endpoints() {
                if verb == Verb::Add {
                    attach::share(change, endpoint, &container)?;
                } else {
                    attach::unshare(change, endpoint, &container)?;
                }
            }
            Ok(())
        }
        _ => Err(unsupported("namespace", &request)),
    }
}

/// Puts an endpoint in, and on it the containers that are in.
pub(crate) fn add_endpoint(change: &mut Change<'_>, id: Guid, endpoint: Guid) -> Answer<()> {
    let mut record: NamespaceRecord = change.view.load(id)?;
    attach::to_namespace(change, id, endpoint)?;
    for container in record.containers() {
        attach::share(change, endpoint, &container)?;
    }
    record.add_resource(NamespaceResourceType::Endpoint, endpoint.into());
    change.update(&record)
}

/// Takes an endpoint out.
pub(crate) fn remove_endpoint(change: &mut Change<'_>, id: Guid, endpoint: Guid) -> Answer<()> {
    let record: NamespaceRecord = change.view.load(id)?;
    attach::from_namespace(change, &record, endpoint)?;
    attach::forget(change, id, endpoint)
}

/// Deletes a namespace; the endpoints in it stay and are detached (Q26).
///
/// # Errors
/// `ERROR_NOT_FOUND`.
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: NamespaceRecord = change.view.load(id)?;
    for endpoint in record.endpoints() {
        attach::from_namespace(change, &record, endpoint)?;
    }
    change.remove(&record)?;
    change.tell(
        Notification::NamespaceDelete,
        Kind::Namespace,
        id,
        0,
        &Value::Null,
    );
    Ok(())
}
