// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HNSCall`: the v1 API, paths and all.
//!
//! Source: hns-behaviour 1.7. A trailing slash means nothing; answers are `{"Success":true,"Output":…}`.

use hcn_api::{Answer, Feature, HcnCode, Hns, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Guid, Id, MacAddress, modify::NamespaceEndpointSettings, v1};
use serde_json::{Map, Value, json};

use crate::{
    Service,
    document::{guid, member, object},
    endpoint::{self, EndpointRecord, attach},
    load_balancer, namespace,
    network::{self, NetworkRecord},
    query, sdn_route,
    store::View,
    v1::{network::to_v2, policy_list},
};

/// Carries out one call.
pub(crate) fn call(service: &Service, method: &str, path: &str, request: &str) -> Answer<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let method = method.to_ascii_uppercase();
    let output = match (method.as_str(), parts.as_slice()) {
        ("GET", ["globals", "version"]) => version(service),
        ("GET", ["globals"]) => json!({"Version": version(service)}),
        ("GET", ["activities" | "plugins"]) => json!([]),
        ("GET", ["portpools"]) => service.view(port_pools)?,
        ("GET", ["endpointaddresses"]) => service.view(|view| {
            let all = view.all::<EndpointRecord>()?;
            Ok(all.iter().map(addresses).collect())
        })?,
        ("GET", ["endpointaddresses", id]) => {
            let id = path_id(id)?;
            service.view(|view| view.load(id).map(|record| addresses(&record)))?
        }
        ("GET" | "POST" | "DELETE", ["accelnet"])
            if Feature::Accelnet.is_in(service.profile().version) =>
        {
            accelnet(service, &method, request)?
        }
        ("GET", ["policylists"]) => policy_lists(service)?,
        ("GET", ["policylists", id]) => {
            let object = policy_list(service, path_id(id)?)?;
            document(service, object)?
        }
        ("POST", ["policylists"]) => create_policy_list(service, request)?,
        ("DELETE", ["policylists", id]) => {
            service.delete(policy_list(service, path_id(id)?)?)?;
            json!({})
        }
        // v1 documents are whole already: the tree of allocations is in each.
        ("GET", [kind, id, "detailed"]) => one(service, kind_of(kind, path)?, id)?,
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

/// `POST /networks/<id>`: what the document says of extensions, name resolution and policies, each as a modify request says it.
fn update_network(service: &Service, id: Guid, request: &str) -> Answer<()> {
    let map = object(request)?;
    let one = v1::Network::from_map(&map);
    let (two, _) = to_v2(&map);
    service.change(request, |change| {
        // The id is looked up even where nothing is to be changed.
        let _: NetworkRecord = change.view.load(id)?;
        let mut requests = Vec::new();
        for extension in one.extensions.get().into_iter().flatten() {
            let settings = json!({"Id": extension.id.or_default().0, "IsEnabled": extension.is_enabled.or_default()});
            requests.push(json!({"ResourceType": "Extension", "RequestType": "Update", "Settings": settings}));
        }
        if let Some(dns) = two.dns.get() {
            requests.push(json!({"ResourceType": "DNS", "RequestType": "Update", "Settings": dns.to_value()}));
        }
        let policies = two.policies.or_default();
        if !policies.is_empty() {
            let policies: Vec<Value> = policies.iter().map(Document::to_value).collect();
            requests.push(json!({"ResourceType": "Policy", "RequestType": "Update", "Settings": {"Policies": policies}}));
        }
        for request in requests {
            network::modify(change, id, &request.to_string())?;
        }
        Ok(())
    })
}

/// `GET /policylists`: load balancers and routes of both APIs.
fn policy_lists(service: &Service) -> Answer<Value> {
    service.view(|view| {
        let documents = query::V1::of(view);
        let mut lists = Vec::new();
        for kind in [Kind::LoadBalancer, Kind::SdnRoute] {
            for row in view.rows(kind, None, None)? {
                lists.push(documents.answer(kind, &row)?);
            }
        }
        Ok(Value::from(lists))
    })
}

/// Which kind of object a policy list is.
fn policy_list(service: &Service, id: Guid) -> Answer<ObjectId> {
    let route = ObjectId {
        kind: Kind::SdnRoute,
        id,
    };
    let is_route = service.view(|view| view.exists(route))?;
    Ok(if is_route {
        route
    } else {
        ObjectId {
            kind: Kind::LoadBalancer,
            id,
        }
    })
}

fn create_policy_list(service: &Service, request: &str) -> Answer<Value> {
    let map = object(request)?;
    let (kind, id) = service.change(request, |change| {
        if !policy_list::is_route_list(&map) {
            let id = load_balancer::create_from(change, Guid::ZERO, &map)?;
            return Ok((Kind::LoadBalancer, id));
        }
        if !change.profile.takes_route_lists {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY_TYPE,
                "/Policies/0/Type",
                format!(
                    "HNS {} takes no ROUTE lists; make an SDN route",
                    change.profile.version
                ),
            ));
        }
        let id = sdn_route::create_from(change, Guid::ZERO, &map)?;
        Ok((Kind::SdnRoute, id))
    })?;
    created(service, kind, id)
}

/// Where the list of accelerated MAC addresses is kept.
const ACCELNET: &str = "accelnet";

/// `/accelnet`: one list for the host, given whole and taken away whole.
fn accelnet(service: &Service, method: &str, request: &str) -> Answer<Value> {
    const KEY: &str = "MacAddressList";
    let list = match method {
        "POST" => {
            let map = object(request)?;
            let list = member(&map, KEY).and_then(Value::as_array).cloned();
            let list = list.unwrap_or_default();
            for (index, item) in list.iter().enumerate() {
                let text = item
                    .as_object()
                    .and_then(|item| member(item, "MacAddress"))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                text.parse::<MacAddress>().map_err(|error| {
                    HnsError::at(
                        HcnCode::E_INVALIDARG,
                        format!("/{KEY}/{index}/MacAddress"),
                        format!("{text:?} is {error}"),
                    )
                })?;
            }
            Value::from(list)
        }
        "DELETE" => json!([]),
        _ => {
            let kept = service.view(|view| view.note(ACCELNET))?;
            let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
            return Ok(json!({KEY: kept.unwrap_or_else(|| json!([]))}));
        }
    };
    service.change(request, |change| {
        change.view.set_note(ACCELNET, &list.to_string())
    })?;
    Ok(json!({KEY: list}))
}

/// Addresses of an endpoint. The record names the call and not its answer, so this shape is a guess.
fn addresses(record: &EndpointRecord) -> Value {
    let configurations = record
        .document
        .ip_configurations
        .get()
        .into_iter()
        .flatten();
    let configurations = configurations.map(Document::to_value).collect::<Vec<_>>();
    json!({
        "EndpointId": record.id.to_string(),
        "MacAddress": record.document.mac_address.or_default(),
        "IpConfigurations": configurations,
    })
}

/// Ports of the host that are given out: reserved ones and published ones. The keys are those that Azure's clean-up script reads.
fn port_pools(view: &View<'_>) -> Answer<Value> {
    let mut pools = Vec::new();
    for own in view.reserved()? {
        pools.push(pool(own.first, own.last, "False"));
    }
    for (_, port) in view.host_ports()? {
        pools.push(pool(port, port, "True"));
    }
    Ok(json!({"PortPoolAllocations": pools}))
}

fn pool(first: u16, last: u16, reserved_on_host: &str) -> Value {
    json!({
        "RequiresHostPortReservation": reserved_on_host,
        "PortRanges": [{"StartPort": first, "EndPort": last}],
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
