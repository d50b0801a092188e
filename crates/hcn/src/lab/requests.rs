// SPDX-License-Identifier: MIT OR Apache-2.0
//! The requests by which a runtime makes a container, and takes it away again, for an HNS that does not do it in one step.
//!
//! Apart because a dry run sends them too. Invariant: where a request fails, what those before it made is gone again, or the failure says
//! what is left.

use hcn_api::{Answer, HcnCode, Hns, HnsError, Kind, ObjectId};
use hcn_schema::{Guid, modify::RequestType, namespace::NamespaceResourceType};
use hcn_service::Ids;
use serde_json::{Map, Value, json};

/// What a runtime sends, with the ids of what it makes.
///
/// The ids are chosen before anything is sent, so that whoever is interrupted knows afterwards what to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    network: Guid,
    settings: String,
    /// Id of the endpoint.
    pub endpoint: Guid,
    namespace: Option<(Guid, String)>,
}

/// A container that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotMade {
    /// Why.
    pub error: HnsError,
    /// Whether something of it is still there; the error says what.
    pub has_left: bool,
}

impl Requests {
    /// From the documents of an endpoint, v1 or v2, and of a namespace, as containerd makes one; without, the container is attached by the
    /// v1 API, as docker does. A document without an id gets one.
    ///
    /// # Errors
    /// `HCN_E_INVALID_JSON` for a document that is none; `E_INVALIDARG` for an id that is none.
    pub fn new(
        network: Guid,
        settings: &str,
        namespace: Option<&str>,
        ids: &dyn Ids,
    ) -> Answer<Requests> {
        let (endpoint, settings) = with_id(settings, "the endpoint", ids)?;
        let namespace = namespace
            .map(|document| with_id(document, "the namespace", ids))
            .transpose()?;
        Ok(Requests {
            network,
            settings,
            endpoint,
            namespace,
        })
    }

    /// Id of the namespace, where there is to be one.
    pub fn namespace(&self) -> Option<Guid> {
        self.namespace.as_ref().map(|(id, _)| *id)
    }

    /// Refuses ids that are in use.
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS`.
    pub fn refuse_taken(&self, hns: &dyn Hns) -> Answer<()> {
        for object in objects(self.endpoint, self.namespace()) {
            match hns.open(object) {
                Ok(()) => {
                    return Err(HnsError::at(
                        HcnCode::ERROR_ALREADY_EXISTS,
                        "/ID",
                        format!("there is the {} {} already", object.kind, object.id),
                    ));
                }
                Err(error) if error.code.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes endpoint and namespace, and attaches the container.
    ///
    /// # Errors
    /// That of the request that failed. What was made before it is deleted; where that fails too, both are told.
    pub fn make(&self, hns: &dyn Hns, container: &str) -> Result<(), NotMade> {
        let mut made = Vec::new();
        let Err(mut error) = self.send(hns, container, &mut made) else {
            return Ok(());
        };
        let mut left = Vec::new();
        for object in made {
            if let Err(second) = delete(hns, object) {
                let ObjectId { kind, id } = object;
                left.push(format!(
                    "the {kind} {id} that was made for it could not be deleted again ({second})"
                ));
            }
        }
        let has_left = !left.is_empty();
        if has_left {
            let own = error
                .detail
                .take()
                .unwrap_or_else(|| error.code.message().unwrap_or("HNS said no").to_owned());
            error.detail = Some(format!("{own}; {}", left.join("; ")));
        }
        Err(NotMade { error, has_left })
    }

    fn send(&self, hns: &dyn Hns, container: &str, made: &mut Vec<ObjectId>) -> Answer<()> {
        let endpoint = self.endpoint;
        let Some((namespace, document)) = &self.namespace else {
            hns.call("POST", "/endpoints/", &self.settings)?;
            made.extend(objects(endpoint, None));
            let request = json!({"ContainerId": container, "SystemType": "Container"});
            let path = format!("/endpoints/{}/attach", endpoint.upper());
            return hns.call("POST", &path, &request.to_string()).map(|_| ());
        };
        hns.create(Kind::Endpoint, Some(self.network), endpoint, &self.settings)?;
        made.extend(objects(endpoint, None));
        hns.create(Kind::Namespace, None, *namespace, document)?;
        let namespace = ObjectId {
            kind: Kind::Namespace,
            id: *namespace,
        };
        made.push(namespace);
        let add = |resource: NamespaceResourceType, settings: Value| {
            let request = json!({"ResourceType": resource.text(), "RequestType": RequestType::Add.text(), "Settings": settings});
            hns.modify(namespace, &request.to_string())
        };
        add(
            NamespaceResourceType::Endpoint,
            json!({"EndpointId": endpoint.to_string()}),
        )?;
        add(
            NamespaceResourceType::Container,
            json!({"ContainerId": container}),
        )
    }
}

/// Deletes the endpoint and the namespace of a container; what is gone already is no error.
///
/// # Errors
/// The first that is met; the other one is deleted all the same.
pub fn take_away(hns: &dyn Hns, endpoint: Guid, namespace: Option<Guid>) -> Answer<()> {
    objects(endpoint, namespace)
        .map(|object| delete(hns, object))
        .fold(Ok(()), Result::and)
}

/// In the order in which they are deleted.
fn objects(endpoint: Guid, namespace: Option<Guid>) -> impl Iterator<Item = ObjectId> {
    let endpoint = ObjectId {
        kind: Kind::Endpoint,
        id: endpoint,
    };
    let namespace = namespace.map(|id| ObjectId {
        kind: Kind::Namespace,
        id,
    });
    [endpoint].into_iter().chain(namespace)
}

fn delete(hns: &dyn Hns, object: ObjectId) -> Answer<()> {
    match hns.delete(object) {
        Err(error) if error.code.is_not_found() => Ok(()),
        other => other,
    }
}

/// A document with the id that it has, or with a new one.
fn with_id(text: &str, what: &str, ids: &dyn Ids) -> Answer<(Guid, String)> {
    let mut document: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the document of {what} is not JSON: {error}"),
        )
    })?;
    match document.get("ID") {
        None | Some(Value::Null) => {
            let id = ids.guid();
            document.insert("ID".to_owned(), id.to_string().into());
            Ok((id, Value::Object(document).to_string()))
        }
        Some(given) => match given.as_str().and_then(|id| id.parse().ok()) {
            Some(id) => Ok((id, text.to_owned())),
            None => Err(HnsError::at(
                HcnCode::E_INVALIDARG,
                "/ID",
                format!("the id of {what} is no GUID"),
            )),
        },
    }
}
