// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest network services: the network of a virtual machine that lives in its guest.
//!
//! Source: hns-behaviour 1.9, 2.8, 2.11 and 2.16. HNS rules no order of states, so none is ruled here.

use hcn_api::{Answer, HcnCode, HnsError, Kind, Notification, ObjectId};
use hcn_schema::{
    Document, GuestNetworkService, Guid, Id, Shape,
    document::SchemaVersion,
    guest_network_service::{
        GuestNetworkServiceResourceType, GuestNetworkServiceState, StateSettings,
    },
    modify::{ModifyRequest, RequestType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    change::Change,
    document::{chosen_id, object, refuse_long_name, refuse_odd},
    network::{request_type, unsupported},
    store::Record,
};

/// What the service knows of a guest network service beside its document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GuestNetworkServiceInternal {
    /// When it was made, as FILETIME.
    pub made: u64,
}

/// A guest network service.
#[derive(Clone, Debug)]
pub(crate) struct GuestNetworkServiceRecord {
    pub id: Guid,
    pub document: GuestNetworkService,
    pub internal: GuestNetworkServiceInternal,
}

impl Record for GuestNetworkServiceRecord {
    const KIND: Kind = Kind::GuestNetworkService;
    type Document = GuestNetworkService;
    type Internal = GuestNetworkServiceInternal;

    fn new(id: Guid, document: GuestNetworkService, internal: GuestNetworkServiceInternal) -> Self {
        GuestNetworkServiceRecord {
            id,
            document,
            internal,
        }
    }
    fn id(&self) -> Guid {
        self.id
    }
    fn document(&self) -> &GuestNetworkService {
        &self.document
    }
    fn internal(&self) -> &GuestNetworkServiceInternal {
        &self.internal
    }
    fn name(&self) -> &str {
        self.document.name.get().map_or("", String::as_str)
    }
    fn network(&self) -> Option<Guid> {
        None
    }
}

impl GuestNetworkServiceRecord {
    fn flags(&self) -> u32 {
        self.document.flags.or_default().0
    }
}

/// Makes a guest network service.
///
/// # Errors
/// `HCN_E_INVALID_JSON`, `E_INVALIDARG` for members that cannot be read, `ERROR_ALREADY_EXISTS` for an id in use.
pub(crate) fn create(change: &mut Change<'_>, caller: Guid, settings: &str) -> Answer<Guid> {
    let mut document = GuestNetworkService::from_map(&object(settings)?);
    refuse_odd(&document, HcnCode::E_INVALIDARG)?;
    refuse_long_name(
        &document.name.or_default(),
        change.profile.name_limit,
        HcnCode::E_INVALIDARG,
    )?;
    let id = chosen_id(caller, document.id.get(), || change.ids.guid())?;
    if change.view.exists(ObjectId {
        kind: Kind::GuestNetworkService,
        id,
    })? {
        return Err(HnsError::at(
            HcnCode::ERROR_ALREADY_EXISTS,
            "/ID",
            format!("there is a guest network service {id} already; give another ID or none"),
        ));
    }
    document.canonical_keys();
    document.id = Id::from(id).into();
    document.version.set(change.profile.version.number());
    document.schema_version.set(SchemaVersion::new(2, 0));
    set_state(&mut document, GuestNetworkServiceState::Created);
    let internal = GuestNetworkServiceInternal {
        made: change.file_time(),
    };
    let record = GuestNetworkServiceRecord {
        id,
        document,
        internal,
    };
    change.insert(&record)?;
    tell(
        change,
        Notification::GuestNetworkServiceCreate,
        &record,
        &Value::Null,
    );
    Ok(id)
}

/// Carries out a request about the state; the record knows no other.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` for another request, `E_INVALIDARG` for a state that is none.
pub(crate) fn modify(change: &mut Change<'_>, id: Guid, settings: &str) -> Answer<()> {
    let mut record: GuestNetworkServiceRecord = change.view.load(id)?;
    let request = ModifyRequest::from_map(&object(settings)?);
    let resource = request
        .resource_type
        .get()
        .and_then(GuestNetworkServiceResourceType::read);
    let verb = request_type(&request)?;
    let (Some(GuestNetworkServiceResourceType::State), RequestType::Update) = (resource, verb)
    else {
        return Err(unsupported("guest network service", &request));
    };
    let settings: StateSettings = request
        .settings
        .get()
        .and_then(Document::from_value)
        .unwrap_or_default();
    let Some(state) = settings.state.get().copied() else {
        let words: Vec<&str> = GuestNetworkServiceState::ALL
            .iter()
            .map(|state| state.text())
            .collect();
        return Err(HnsError::at(
            HcnCode::E_INVALIDARG,
            "/Settings/State",
            format!("the request names no state; {} are", words.join(", ")),
        ));
    };
    set_state(&mut record.document, state);
    change.update(&record)?;
    tell(
        change,
        Notification::GuestNetworkServiceStateChanged,
        &record,
        &json!({"State": state.text()}),
    );
    Ok(())
}

/// Deletes a guest network service and gives its ports back.
///
/// # Errors
/// `ERROR_NOT_FOUND`.
pub(crate) fn delete(change: &mut Change<'_>, id: Guid) -> Answer<()> {
    let record: GuestNetworkServiceRecord = change.view.load(id)?;
    change.view.release_reserved_of(id)?;
    change.remove(&record)?;
    tell(
        change,
        Notification::GuestNetworkServiceDelete,
        &record,
        &Value::Null,
    );
    Ok(())
}

fn set_state(document: &mut GuestNetworkService, state: GuestNetworkServiceState) {
    document
        .state
        .set(u16::try_from(state.number()).unwrap_or_default());
}

fn tell(
    change: &mut Change<'_>,
    notification: Notification,
    record: &GuestNetworkServiceRecord,
    data: &Value,
) {
    change.tell(
        notification,
        Kind::GuestNetworkService,
        record.id,
        record.flags(),
        data,
    );
}
