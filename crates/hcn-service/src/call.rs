// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HNSCall`: the v1 API, paths and all.
//!
//! Source: hns-behaviour 1.7. A trailing slash means nothing; answers are `{"Success":true,"Output":…}`.

use hcn_api::{Answer, HcnCode, Hns, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Guid, Id, modify::NamespaceEndpointSettings, v1};
use serde_json::{Map, Value, json};

use crate::{
    Service,
    document::{guid, member, object},
    endpoint::{self, EndpointRecord, attach},
    namespace,
    network::{self, NetworkRecord},
    query,
};

/// Carries out one call.
pub(crate) fn call(service: &Service, method: &str, path: &str, request: &str) -> Answer<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let method = method.to_ascii_uppercase();
    let output = match (method.as_str(), parts.as_slice()) {
        ("GET", ["globals", "version"]) => version(service),
        ("GET", ["globals"]) => json!({"Version": version(service)}),
        ("GET", ["activities" | "plugins"]) => json!([]),
        ("GET", ["endpointstats"]) => service.view(|view| {
            let all = view.all::<EndpointRecord>()?;
            Ok(all.iter().map(statistics).collect())
        })?,
        ("GET", ["endpointstats", id]) => {
            let id = path_id(id)?;
            service.view(|view| view.load(id).map(|record| statistics(&record)))?
        }
        ("GET", [kind]) => list(service, kind_of(kind, path)?)?,
        ("GET", [kind, id]) => one(service, kind_of(kind, path)?, id)?,
        ("POST", ["networks"]) => created(
            service,
            Kind::Network,
            service.change(request, |change| {
                network::create(change, Guid::ZERO, request)
            })?,
        )?,
        ("POST", ["networks", id]) => {
            let id = path_id(id)?;
            update_network(service, id, request)?;
            document(
                service,
                ObjectId {
                    kind: Kind::Network,
                    id,
                },
            )?
        }
        ("POST", ["endpoints"]) => {
            created(service, Kind::Endpoint, create_endpoint(service, request)?)?
        }
        ("POST", ["endpoints", id]) => {
            let id = path_id(id)?;
            let map = object(request)?;
            service.change(request, |change| endpoint::post(change, id, &map))?;
            document(
                service,
                ObjectId {
                    kind: Kind::Endpoint,
                    id,
                },
            )?
        }
        ("POST", ["endpoints", id, verb @ ("attach" | "detach")]) => {
            let id = path_id(id)?;
            let body = v1::EndpointAttach::from_map(&object(request)?);
            service.change(request, |change| match *verb {
                "attach" => attach::attach(change, id, &body),
                _ => attach::detach(change, id, &body),
            })?;
            json!({})
        }
        ("POST", ["namespaces"]) => {
            let map = if request.trim().is_empty() {
                Map::new()
            } else {
                object(request)?
            };
            created(
                service,
                Kind::Namespace,
                service.change(request, |change| {
                    namespace::create_from(change, Guid::ZERO, &from_v1(&map))
                })?,
            )?
        }
        ("POST", ["namespaces", id, verb @ ("addresource" | "removeresource")]) => {
            let id = path_id(id)?;
            let endpoint = resource_endpoint(request)?;
            service.change(request, |change| match *verb {
                "addresource" => namespace::add_endpoint(change, id, endpoint),
                _ => namespace::remove_endpoint(change, id, endpoint),
            })?;
            document(
                service,
                ObjectId {
                    kind: Kind::Namespace,
                    id,
                },
            )?
        }
        ("DELETE", [kind, id]) => {
            service.delete(ObjectId {
                kind: kind_of(kind, path)?,
                id: path_id(id)?,
            })?;
            json!({})
        }
        _ => return Err(unknown(&method, path)),
    };
    Ok(json!({"Success": true, "Output": output}).to_string())
}

fn unknown(method: &str, path: &str) -> HnsError {
    HnsError::at(
        HcnCode::HCN_E_REQUEST_UNSUPPORTED,
        "path",
        format!("HNS has no {method} {path}, or the embedded one does not have it yet"),
    )
}

fn kind_of(word: &str, path: &str) -> Answer<Kind> {
    match word {
        "networks" => Ok(Kind::Network),
        "endpoints" => Ok(Kind::Endpoint),
        "namespaces" => Ok(Kind::Namespace),
        _ => Err(unknown("call to", path)),
    }
}

fn path_id(text: &str) -> Answer<Guid> {
    guid(&Id(text.to_owned()), "path")
}

fn version(service: &Service) -> Value {
    let version = service.profile().version;
    json!({"Major": version.major, "Minor": version.minor})
}

/// Counters of an endpoint, all of them zero: the service moves no packets.
fn statistics(record: &EndpointRecord) -> Value {
    json!({
        "BytesReceived": 0,
        "BytesSent": 0,
        "DroppedPacketsIncoming": 0,
        "DroppedPacketsOutgoing": 0,
        "EndpointId": record.id.to_string(),
        "InstanceId": Guid(record.internal.activity).to_string(),
        "PacketsReceived": 0,
        "PacketsSent": 0,
    })
}

fn list(service: &Service, kind: Kind) -> Answer<Value> {
    service.view(|view| {
        let rows = view.rows(kind, None, None)?;
        let documents = query::V1::of(view);
        rows.iter()
            .map(|row| documents.answer(kind, row))
            .collect::<Answer<Vec<Value>>>()
            .map(Value::from)
    })
}

fn one(service: &Service, kind: Kind, id: &str) -> Answer<Value> {
    document(
        service,
        ObjectId {
            kind,
            id: path_id(id)?,
        },
    )
}

fn document(service: &Service, object: ObjectId) -> Answer<Value> {
    service.view(|view| query::V1::of(view).answer(object.kind, &view.row(object)?))
}

fn created(service: &Service, kind: Kind, id: Guid) -> Answer<Value> {
    document(service, ObjectId { kind, id })
}

fn create_endpoint(service: &Service, request: &str) -> Answer<Guid> {
    let map = object(request)?;
    let network = member(&map, "VirtualNetwork").or_else(|| member(&map, "HostComputeNetwork"));
    let network = network
        .and_then(Value::as_str)
        .map(|text| Id(text.to_owned()));
    let named = member(&map, "VirtualNetworkName").and_then(Value::as_str);
    service.change(request, |change| {
        let record: NetworkRecord = match (&network, named) {
            (Some(id), _) => change.view.load(guid(id, "/VirtualNetwork")?)?,
            (None, Some(name)) => {
                match change.view.rows(Kind::Network, Some(name), None)?.first() {
                    Some(row) => row.record()?,
                    None => {
                        let detail = format!("there is no network {name:?}");
                        return Err(HnsError::at(
                            HcnCode::HCN_E_NETWORK_NOT_FOUND,
                            "/VirtualNetworkName",
                            detail,
                        ));
                    }
                }
            }
            (None, None) => {
                let detail = "the endpoint names no network; give VirtualNetwork";
                return Err(HnsError::at(
                    HcnCode::HCN_E_NETWORK_NOT_FOUND,
                    "/VirtualNetwork",
                    detail,
                ));
            }
        };
        endpoint::create_from(change, &record, Guid::ZERO, &map)
    })
}

/// `POST /networks/<id>`: switch extensions on and off, each as a modify request says it.
fn update_network(service: &Service, id: Guid, request: &str) -> Answer<()> {
    let one = v1::Network::from_map(&object(request)?);
    service.change(request, |change| {
        // The id is looked up even where nothing is to be changed.
        let _: NetworkRecord = change.view.load(id)?;
        for extension in one.extensions.get().into_iter().flatten() {
            let settings = json!({"Id": extension.id.or_default().0, "IsEnabled": extension.is_enabled.or_default()});
            let request = json!({"ResourceType": "Extension", "RequestType": "Update", "Settings": settings});
            network::modify(change, id, &request.to_string())?;
        }
        Ok(())
    })
}

/// A v1 namespace says `IsDefault` where v2 has a type.
fn from_v1(map: &Map<String, Value>) -> Map<String, Value> {
    let mut two = map.clone();
    if let Some(default) = two.shift_remove("IsDefault")
        && default.as_bool() == Some(true)
    {
        two.insert("Type".to_owned(), Value::from("HostDefault"));
    }
    two
}

/// `{"Type":"Endpoint","Data":{"Id":"…"}}`.
fn resource_endpoint(request: &str) -> Answer<Guid> {
    let map = object(request)?;
    let data = member(&map, "Data")
        .and_then(Value::as_object)
        .and_then(|data| member(data, "Id"))
        .cloned();
    let mut settings = Map::new();
    if let Some(id) = data {
        settings.insert("EndpointId".to_owned(), id);
    }
    guid(
        &NamespaceEndpointSettings::from_map(&settings)
            .endpoint_id
            .or_default(),
        "/Data/Id",
    )
}
