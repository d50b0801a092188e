// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queries: which shape of answer, and which objects match a filter.
//!
//! Source: hns-behaviour 2.1 and 2.10. A filter is compared with the v1 document, member by member, with the v2 names as aliases.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use hcn_api::{Answer, HcnCode, HnsError, Kind};
use hcn_schema::{Document, Guid, Query, query::QueryFlags};
use serde_json::{Map, Value};

use crate::{
    document::{cut, refuse_odd},
    endpoint::EndpointRecord,
    guest_network_service::GuestNetworkServiceRecord,
    namespace::NamespaceRecord,
    network::NetworkRecord,
    store::{Row, View},
    v1,
};

/// Which shape an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    V1,
    V2,
}

/// A query that is understood.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Shape of the answer; without a schema version, v1 (hns-behaviour 2.1).
    pub shape: Shape,
    /// Whether internals are asked for too.
    pub detailed: bool,
    /// What objects must match.
    pub filter: Map<String, Value>,
}

/// Reads a query; an empty text asks for everything.
///
/// # Errors
/// `HCN_E_INVALID_JSON` for a query, or a filter in it, that is not a JSON object.
pub(crate) fn read(text: &str) -> Answer<Asked> {
    let invalid =
        |field: &str, error: String| HnsError::at(HcnCode::HCN_E_INVALID_JSON, field, error);
    if text.trim().is_empty() {
        return Ok(Asked {
            shape: Shape::V1,
            detailed: false,
            filter: Map::new(),
        });
    }
    let query = Query::from_json(text).map_err(|error| {
        invalid(
            "query",
            format!("the query {:?} is not a JSON object: {error}", cut(text)),
        )
    })?;
    refuse_odd(&query, HcnCode::HCN_E_INVALID_JSON)?;
    let major = query
        .schema_version
        .get()
        .and_then(|version| version.major.get())
        .copied();
    let filter = match query.filter.get().map(|filter| filter.trim()) {
        None | Some("") => Map::new(),
        Some(filter) => serde_json::from_str(filter).map_err(|error| {
            invalid(
                "/Filter",
                format!("the filter {:?} is not a JSON object: {error}", cut(filter)),
            )
        })?,
    };
    Ok(Asked {
        shape: if major.is_some_and(|major| major >= 2) {
            Shape::V2
        } else {
            Shape::V1
        },
        detailed: query.flags.or_default().contains(QueryFlags::DETAILED),
        filter,
    })
}

impl Asked {
    /// Whether every document is asked for as it is stored.
    pub fn is_everything(&self) -> bool {
        self.shape == Shape::V2 && !self.detailed && self.filter.is_empty()
    }

    /// The rows of a kind that match.
    pub fn rows(&self, view: &View<'_>, kind: Kind) -> Answer<Vec<Row>> {
        let mut rest = self.filter.clone();
        // What SQLite can look up is looked up there; the rest is compared with the v1 document.
        let name = text_of(&mut rest, "Name");
        let network = guid_of(&mut rest, &["VirtualNetwork", "HostComputeNetwork"]);
        let id = guid_of(&mut rest, &["ID"]);
        if network == Some(None) || id == Some(None) {
            // An empty or unreadable id is nobody's: kube-proxy sends "" and wants nothing (clients, 1.6).
            return Ok(Vec::new());
        }
        let networked = [Kind::Endpoint, Kind::LoadBalancer, Kind::SdnRoute].contains(&kind);
        if network.is_some() && !networked {
            // The others have no network, and every key must match.
            return Ok(Vec::new());
        }
        let rows = match id.flatten() {
            Some(id) => match view.row(hcn_api::ObjectId { kind, id }) {
                Ok(row) => vec![row],
                Err(error) if error.code.is_not_found() => Vec::new(),
                Err(error) => return Err(error),
            },
            None => view.rows(kind, name.as_deref(), network.flatten())?,
        };
        // With an id, name and network are still to be compared.
        if id.flatten().is_some() {
            if let Some(name) = name {
                rest.insert("Name".to_owned(), Value::from(name));
            }
            if let Some(network) = network.flatten() {
                rest.insert(
                    "VirtualNetwork".to_owned(),
                    Value::from(network.to_string()),
                );
            }
        }
        let mut rows = rows;
        if kind == Kind::Endpoint
            && let Some(wanted) = rest.get("State").and_then(Value::as_u64)
        {
            // Azure NPM asks for a state all the time (clients, 1.6); it stands in the document, so no v1 document has to be made.
            rest.shift_remove("State");
            rows.retain(|row| row.state() == Some(wanted));
        }
        if rest.is_empty() {
            return Ok(rows);
        }
        let documents = V1::of(view);
        let mut matching = Vec::new();
        for row in rows {
            let document = documents.answer(kind, &row)?;
            if rest
                .iter()
                .all(|(key, wanted)| matches(&document, key, wanted))
            {
                matching.push(row);
            }
        }
        Ok(matching)
    }

    /// The answer for one row in the shape asked for.
    pub fn answer(&self, documents: &V1<'_>, kind: Kind, row: Row) -> Answer<String> {
        match self.shape {
            Shape::V1 => Ok(documents.answer(kind, &row)?.to_string()),
            Shape::V2 if self.detailed => detailed(documents, kind, &row),
            Shape::V2 => Ok(row.document),
        }
    }
}

/// Makes v1 documents of rows; what it learns of a network serves all endpoints on it.
pub(crate) struct V1<'a> {
    view: &'a View<'a>,
    networks: RefCell<HashMap<Guid, Rc<v1::endpoint::OfNetwork>>>,
}

impl<'a> V1<'a> {
    /// For the rows of one view.
    pub fn of(view: &'a View<'a>) -> Self {
        V1 {
            view,
            networks: RefCell::default(),
        }
    }

    /// The v1 document of a row.
    pub fn answer(&self, kind: Kind, row: &Row) -> Answer<Value> {
        match kind {
            Kind::Network => {
                let count = self.view.count(row.id)?;
                Ok(v1::network::to_v1(&row.record()?, count))
            }
            Kind::Endpoint => {
                let record: EndpointRecord = row.record()?;
                let network = self.network(record.network_id())?;
                Ok(v1::endpoint::to_v1(&record, &network))
            }
            Kind::Namespace => Ok(v1::namespace::to_v1(&row.record::<NamespaceRecord>()?)),
            Kind::LoadBalancer => Ok(v1::policy_list::from_load_balancer(&row.record()?)),
            Kind::SdnRoute => Ok(v1::policy_list::from_sdn_route(&row.record()?)),
            // v1 knows none; its shape is that of v2.
            Kind::GuestNetworkService => Ok(row
                .record::<GuestNetworkServiceRecord>()?
                .document
                .to_value()),
        }
    }

    fn network(&self, id: Guid) -> Answer<Rc<v1::endpoint::OfNetwork>> {
        if let Some(known) = self.networks.borrow().get(&id) {
            return Ok(known.clone());
        }
        let network = match self.view.load::<NetworkRecord>(id) {
            Ok(network) => v1::endpoint::OfNetwork {
                name: network.document.name.or_default(),
                tree: network.internal.activity,
            },
            Err(error) if error.code.is_not_found() => v1::endpoint::OfNetwork::default(),
            Err(error) => return Err(error),
        };
        let network = Rc::new(network);
        self.networks.borrow_mut().insert(id, network.clone());
        Ok(network)
    }
}

/// The v2 document with `Health.Extra`, through which v2 shows v1 internals (hns-behaviour 2.2, Q36).
fn detailed(documents: &V1<'_>, kind: Kind, row: &Row) -> Answer<String> {
    let one = documents.answer(kind, row)?;
    let mut two: Map<String, Value> = serde_json::from_str(&row.document).map_err(|error| {
        HnsError::because(
            HcnCode::ERROR_FILE_CORRUPT,
            format!("the {} {} in the store is not JSON: {error}", kind, row.id),
        )
    })?;
    let mut extra = Map::new();
    for key in ["Resources", "SharedContainers", "LayeredOn", "SwitchGuid"] {
        if let Some(value) = one.get(key) {
            extra.insert(key.to_owned(), value.clone());
        }
    }
    let mut health = Map::new();
    health.insert("Extra".to_owned(), Value::Object(extra));
    two.insert("Health".to_owned(), Value::Object(health));
    Ok(Value::Object(two).to_string())
}

/// Takes a text member out of the filter.
fn text_of(filter: &mut Map<String, Value>, key: &str) -> Option<String> {
    let text = filter.get(key)?.as_str()?.to_owned();
    filter.shift_remove(key);
    Some(text)
}

/// Takes an id out of the filter; the inner `None` is one that cannot be read.
fn guid_of(filter: &mut Map<String, Value>, keys: &[&str]) -> Option<Option<Guid>> {
    let own = filter
        .keys()
        .find(|own| keys.iter().any(|key| own.eq_ignore_ascii_case(key)))?
        .clone();
    let value = filter.shift_remove(&own)?;
    Some(value.as_str().and_then(|text| text.parse().ok()))
}

/// Whether a v1 document has the member with this value: ids without case, numbers and their digits alike, objects as a whole.
fn matches(document: &Value, key: &str, wanted: &Value) -> bool {
    let Some(own) = document
        .as_object()
        .and_then(|map| crate::document::member(map, key))
    else {
        return false;
    };
    match (own, wanted) {
        (Value::String(own), Value::String(wanted)) => {
            match (own.parse::<Guid>(), wanted.parse::<Guid>()) {
                (Ok(own), Ok(wanted)) => own == wanted,
                _ => own == wanted,
            }
        }
        (Value::Number(own), Value::String(wanted)) => own.to_string() == *wanted,
        _ => own == wanted,
    }
}
