// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attaching endpoints: to a namespace, to a container, to the host.
//!
//! Source: hns-behaviour 2.8, 5.9 and 6.4.

use hcn_api::{Answer, HcnCode, HnsError, Notification};
use hcn_schema::{Guid, Id, network::NetworkFlags, v1::EndpointAttach};

use super::{EndpointRecord, state};
use crate::{change::Change, namespace::NamespaceRecord, network::NetworkRecord};

/// Puts an endpoint into a namespace.
///
/// # Errors
/// `HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS` where it is in one, `HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION` for a remote one.
pub(crate) fn to_namespace(change: &mut Change<'_>, namespace: Guid, endpoint: Guid) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    refuse_remote(&record)?;
    if let Some(other) = record.namespace_id() {
        return Err(HnsError::at(
            HcnCode::HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS,
            "/Settings/EndpointId",
            format!("the endpoint is in namespace {other} already; remove it there first"),
        ));
    }
    record.document.host_compute_namespace = Id::from(namespace).into();
    // Containers that were attached by the v1 API count here too.
    settle_state(change, &mut record);
    change.update(&record)?;
    change.tell_of_endpoint(Notification::NetworkEndpointAttached, &record)
}

/// Takes an endpoint out of a namespace; the containers that are in it stay behind.
///
/// # Errors
/// `ERROR_NOT_FOUND` where it is not in that namespace.
pub(crate) fn from_namespace(
    change: &mut Change<'_>,
    namespace: &NamespaceRecord,
    endpoint: Guid,
) -> Answer<()> {
    refuse_outside(change, namespace.id, endpoint)?;
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    record.document.host_compute_namespace.clear();
    let staying = namespace.containers();
    record
        .internal
        .containers
        .retain(|own| !staying.contains(own));
    settle_state(change, &mut record);
    change.update(&record)?;
    change.tell_of_endpoint(Notification::NetworkEndpointDetached, &record)
}

/// Refuses an endpoint that is not in a namespace.
///
/// # Errors
/// `ERROR_NOT_FOUND` where it is not, or where there is no such namespace; `HCN_E_ENDPOINT_NOT_FOUND`.
pub(crate) fn refuse_outside(change: &Change<'_>, namespace: Guid, endpoint: Guid) -> Answer<()> {
    let namespace: NamespaceRecord = change.view.load(namespace)?;
    let record: EndpointRecord = change.view.load(endpoint)?;
    if record.namespace_id() == Some(namespace.id) {
        return Ok(());
    }
    Err(HnsError::at(
        HcnCode::ERROR_NOT_FOUND,
        "/Settings/EndpointId",
        format!(
            "the endpoint {endpoint} is not in namespace {}",
            namespace.id
        ),
    ))
}

/// Takes an endpoint off the list of its namespace, as when it is deleted.
pub(crate) fn forget(change: &mut Change<'_>, namespace: Guid, endpoint: Guid) -> Answer<()> {
    match change.view.load::<NamespaceRecord>(namespace) {
        Ok(mut record) => {
            record.drop_endpoint(endpoint);
            change.update(&record)
        }
        Err(error) if error.code.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Carries out a v1 `POST /endpoints/<id>/attach`.
///
/// # Errors
/// `HCN_E_ENDPOINT_ALREADY_ATTACHED` the second time, `HCN_E_ENDPOINT_SHARING_DISABLED` where the network forbids sharing.
pub(crate) fn attach(
    change: &mut Change<'_>,
    endpoint: Guid,
    request: &EndpointAttach,
) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    refuse_remote(&record)?;
    let container = request.container_id.or_default();
    let again = |what: &str| {
        HnsError::because(
            HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED,
            format!("the endpoint {endpoint} is attached to {what} already"),
        )
    };
    if request
        .system_type
        .get()
        .is_some_and(|system| system.eq_ignore_ascii_case("Host"))
    {
        if record.internal.host_attached {
            return Err(again("the host"));
        }
        record.internal.host_attached = true;
    } else {
        if container.is_empty() {
            return Err(HnsError::at(
                HcnCode::E_INVALIDARG,
                "/ContainerId",
                "the request names no container; give its ContainerId",
            ));
        }
        if record.internal.containers.contains(&container) {
            return Err(again(&format!("container {container}")));
        }
        let network: NetworkRecord = change.view.load(record.network_id())?;
        if !record.internal.containers.is_empty()
            && network
                .document
                .flags
                .or_default()
                .contains(NetworkFlags::DISABLE_SHARING)
        {
            return Err(HnsError::because(
                HcnCode::HCN_E_ENDPOINT_SHARING_DISABLED,
                format!(
                    "the network {:?} lets one container have an endpoint",
                    hcn_schema::Field::or_default(&network.document.name)
                ),
            ));
        }
        record.internal.containers.push(container);
    }
    settle_state(change, &mut record);
    change.update(&record)?;
    change.tell_of_endpoint(Notification::NetworkEndpointAttached, &record)
}

/// Carries out a v1 `POST /endpoints/<id>/detach`.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` where it is not attached so (hns-behaviour 3.1: detach in the wrong state).
pub(crate) fn detach(
    change: &mut Change<'_>,
    endpoint: Guid,
    request: &EndpointAttach,
) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    let container = request.container_id.or_default();
    let host = request
        .system_type
        .get()
        .is_some_and(|system| system.eq_ignore_ascii_case("Host"));
    let attached = if host {
        record.internal.host_attached
    } else {
        record.internal.containers.contains(&container)
    };
    if !attached {
        let what = if host {
            "the host".to_owned()
        } else {
            format!("container {container:?}")
        };
        return Err(HnsError::because(
            HcnCode::HCN_E_REQUEST_UNSUPPORTED,
            format!("the endpoint {endpoint} is not attached to {what}"),
        ));
    }
    if host {
        record.internal.host_attached = false;
    } else {
        record.internal.containers.retain(|own| *own != container);
    }
    settle_state(change, &mut record);
    change.update(&record)?;
    change.tell_of_endpoint(Notification::NetworkEndpointDetached, &record)
}

/// Puts a container on an endpoint that is in the container's namespace.
pub(crate) fn share(change: &mut Change<'_>, endpoint: Guid, container: &str) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    if !record
        .internal
        .containers
        .iter()
        .any(|own| own == container)
    {
        record.internal.containers.push(container.to_owned());
    }
    settle_state(change, &mut record);
    change.update(&record)
}

/// Takes a container off an endpoint.
pub(crate) fn unshare(change: &mut Change<'_>, endpoint: Guid, container: &str) -> Answer<()> {
    let mut record: EndpointRecord = change.view.load(endpoint)?;
    record.internal.containers.retain(|own| own != container);
    settle_state(change, &mut record);
    change.update(&record)
}

fn refuse_remote(record: &EndpointRecord) -> Answer<()> {
    if record.document.is_remote() {
        return Err(HnsError::because(
            HcnCode::HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
            format!(
                "the endpoint {} is on another host and cannot be attached here",
                record.id
            ),
        ));
    }
    Ok(())
}

/// The state that follows from who is attached (hns-behaviour 2.8, Q35).
fn settle_state(change: &Change<'_>, record: &mut EndpointRecord) {
    let in_namespace = record.namespace_id().is_some();
    let new = match record.internal.containers.len() {
        0 if in_namespace => change.profile.attached_state,
        0 if record.internal.host_attached => state::ATTACHED,
        0 => state::DETACHED,
        1 if in_namespace => change.profile.attached_state,
        1 => state::ATTACHED,
        _ => state::ATTACHED_SHARING,
    };
    record.document.state.set(new);
}
