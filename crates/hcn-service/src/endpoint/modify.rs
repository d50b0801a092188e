// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modify requests to an endpoint, of both APIs.
//!
//! Source: hns-behaviour 1.7, 2.11, 4.10 and 4.11.

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_schema::{
    Document, Guid, Policy, Shape,
    modify::{EndpointResourceType, ModifyRequest, PolicySettings, RequestType},
};
use serde_json::{Map, Value, json};

use super::{EndpointRecord, policies};
use crate::{
    change::Change,
    document::{member, object, refuse_long_name, refuse_odd},
    network::{NetworkRecord, request_type, unsupported},
    policy_number::{ENDPOINT, in_words},
    v1,
};

/// Carries out a v2 request.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` for what an endpoint cannot do; else those of the policies. Nothing is applied then.
pub(crate) fn modify(change: &mut Change<'_>, id: Guid, settings: &str) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(id)?;
    let request = ModifyRequest::from_map(&object(settings)?);
    let resource = request
        .resource_type
        .get()
        .and_then(EndpointResourceType::read);
    let verb = request_type(&request)?;
    use {EndpointResourceType as Resource, RequestType as Verb};
    match (resource, verb) {
        (Some(Resource::Policy), Verb::Reset) => policies::reset(change, &mut record)?,
        (Some(Resource::Policy), Verb::Add | Verb::Update | Verb::Remove) => {
            let given = given_policies(&request)?;
            let network: NetworkRecord = change.view.load(record.network_id())?;
            match verb {
                Verb::Add => policies::add(change, &network, &mut record, given)?,
                Verb::Update => policies::update(change, &network, &mut record, given)?,
                _ => policies::remove(change, &mut record, given)?,
            }
        }
        (Some(Resource::Port), Verb::Add) => {
            let port = request.settings.get().cloned().unwrap_or_default();
            record.document.additional_params.set(json!({"Port": port}));
        }
        (Some(Resource::Port), Verb::Remove) => record.document.additional_params.clear(),
        // The guest is told to look again; there is nothing to change (hns-behaviour 2.11).
        (Some(Resource::Port), Verb::Refresh) => return Ok(()),
        _ => return Err(unsupported("endpoint", &request)),
    }
    change.update(&record)
}

fn given_policies(request: &ModifyRequest) -> Answer<Vec<Policy>> {
    let empty = Map::new();
    let map = match request.settings.get() {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(map)) => map,
        Some(other) => {
            let detail = format!(
                "{} is not an object with Policies",
                crate::document::cut(&other.to_string())
            );
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_JSON,
                "/Settings",
                detail,
            ));
        }
    };
    let settings = PolicySettings::from_map(map);
    refuse_odd(&settings, HcnCode::HCN_E_INVALID_JSON).map_err(|error| error.below("/Settings"))?;
    Ok(in_words(settings.policies.or_default(), ENDPOINT))
}

/// Carries out a v1 `POST /endpoints/<id>`: the policies sent overwrite those of the modifiable types; without `Policies` all is kept (Q42).
///
/// # Errors
/// As [`modify`].
pub(crate) fn post(change: &mut Change<'_>, id: Guid, map: &Map<String, Value>) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(id)?;
    if member(map, "Policies").is_some() {
        let (given, _) = v1::endpoint::to_v2(map);
        refuse_odd(&given, HcnCode::HCN_E_INVALID_ENDPOINT)?;
        let network: NetworkRecord = change.view.load(record.network_id())?;
        policies::update(change, &network, &mut record, given.policies.or_default())?;
    }
    if let Some(name) = member(map, "Name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
    {
        refuse_long_name(
            name,
            change.profile.name_limit,
            HcnCode::HCN_E_INVALID_ENDPOINT,
        )?;
        record.document.name.set(name.to_owned());
    }
    change.update(&record)
}
