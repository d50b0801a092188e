// SPDX-License-Identifier: MIT OR Apache-2.0
//! Actions: each one call of the seam, or of what is beside it, for one row of the table of routes.
//!
//! Apart from the table because rows are read together, and actions one at a time.

use std::collections::HashMap;

use hcn::{
    Answer, HcnCode, HnsError, Kind, ObjectId, PortReservation,
    schema::Guid,
    wire::{self, PortRequest},
};
use serde_json::{Value, json};

use super::{answer::Reply, stream::Hall};

/// Operations of the log that are told unless the request says how many.
const MOST: usize = 1000;

/// What was asked.
pub(super) struct Asked {
    /// Of the path, by name.
    pub segments: HashMap<String, String>,
    /// Behind the question mark, by name.
    pub parameters: HashMap<String, String>,
    pub body: String,
}

impl Asked {
    fn segment(&self, name: &str) -> &str {
        self.segments.get(name).map_or("", String::as_str)
    }

    fn kind(&self) -> Answer<Kind> {
        kind(self.segment("kind"))
    }

    fn object(&self) -> Answer<ObjectId> {
        // The path of an endpoint's stats has its kind in the path itself.
        let kind = match self.segments.contains_key("kind") {
            true => self.kind()?,
            false => Kind::Endpoint,
        };
        Ok(ObjectId {
            kind,
            id: guid("id", self.segment("id"))?,
        })
    }

    /// The query of the body, else of the address.
    fn query(&self) -> &str {
        match self.body.as_str() {
            "" => self.parameters.get("query").map_or("", String::as_str),
            body => body,
        }
    }

    fn number(&self, name: &str, text: &str) -> Answer<u64> {
        text.parse().map_err(|_| {
            HnsError::at(
                HcnCode::E_INVALIDARG,
                name,
                format!("{text:?} is not a number"),
            )
        })
    }
}

fn kind(word: &str) -> Answer<Kind> {
    wire::kind(word).ok_or_else(|| {
        let words: Vec<&str> = wire::kind_words().collect();
        HnsError::at(
            HcnCode::HCN_E_REQUEST_UNSUPPORTED,
            "kind",
            format!("{word:?} is not one of {}", words.join(", ")),
        )
    })
}

fn guid(name: &str, text: &str) -> Answer<Guid> {
    text.parse().map_err(|error| {
        HnsError::at(
            HcnCode::HCN_E_GUID_CONVERSION_FAILURE,
            name,
            format!("{text:?} is {error}"),
        )
    })
}

pub(super) fn enumerate(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let ids = hall
        .connection
        .hns()
        .enumerate(asked.kind()?, asked.query())?;
    Ok(Reply::Text(ids))
}

pub(super) fn list(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let documents = hall.connection.hns().list(asked.kind()?, asked.query())?;
    Ok(Reply::Text(format!("[{}]", documents.join(","))))
}

pub(super) fn create(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let given = |name: &str| {
        asked
            .parameters
            .get(name)
            .map(|text| guid(name, text))
            .transpose()
    };
    let made = hall.connection.hns().create(
        asked.kind()?,
        given("network")?,
        given("id")?.unwrap_or(Guid::ZERO),
        &asked.body,
    )?;
    Ok(Reply::Made(json!({"ID": made.to_string()}).to_string()))
}

pub(super) fn query(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let document = hall
        .connection
        .hns()
        .query(asked.object()?, asked.query())?;
    Ok(Reply::Text(document))
}

pub(super) fn open(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    hall.connection.hns().open(asked.object()?)?;
    Ok(Reply::Done)
}

pub(super) fn identity(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let identity = hall.connection.hns().identity(asked.object()?)?;
    Ok(Reply::Text(json!({"Identity": identity}).to_string()))
}

pub(super) fn modify_seen(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let body = body(asked)?;
    let done = hall.connection.hns().modify_seen(
        asked.object()?,
        word(&body, "Seen")?,
        word(&body, "Settings")?,
    )?;
    Ok(Reply::Text(json!({"Done": done}).to_string()))
}

pub(super) fn modify(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    hall.connection.hns().modify(asked.object()?, &asked.body)?;
    Ok(Reply::Done)
}

pub(super) fn delete(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    hall.connection.hns().delete(asked.object()?)?;
    Ok(Reply::Done)
}

pub(super) fn stats(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let stats = hall
        .connection
        .hns()
        .endpoint_stats(asked.object()?.id, asked.query())?;
    Ok(Reply::Text(stats))
}

pub(super) fn addresses(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let id = asked.object()?.id;
    let addresses = hall
        .connection
        .hns()
        .endpoint_addresses(id, asked.query())?;
    Ok(Reply::Text(addresses))
}

pub(super) fn reserve(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let request = wire::read_port_request(&body(asked)?).ok_or_else(|| {
        HnsError::because(
            HcnCode::E_INVALIDARG,
            "give Protocol (1, 2 or 3), Access (1 or 2) and Port, or Count",
        )
    })?;
    let guest = guid("id", asked.segment("id"))?;
    let hns = hall.connection.hns();
    let (reservation, range) = match request {
        PortRequest::One {
            protocol,
            access,
            port,
        } => (hns.reserve_port(guest, protocol, access, port)?, None),
        PortRequest::Range { count } => {
            let (reservation, range) = hns.reserve_port_range(guest, count)?;
            (reservation, Some(range))
        }
    };
    Ok(Reply::Made(wire::reserved(reservation, range).to_string()))
}

pub(super) fn ports(hall: &Hall, _: &Asked) -> Answer<Reply> {
    let entries = hall.connection.hns().port_reservations()?;
    let list: Value = entries.iter().map(wire::port_entry).collect();
    Ok(Reply::Text(list.to_string()))
}

pub(super) fn release(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let number = asked.number("number", asked.segment("number"))?;
    hall.connection
        .hns()
        .release_ports(PortReservation(number))?;
    Ok(Reply::Done)
}

pub(super) fn call(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let body = body(asked)?;
    hall.connection
        .hns()
        .call(
            word(&body, "Method")?,
            word(&body, "Path")?,
            word(&body, "Request")?,
        )
        .map(Reply::Text)
}

pub(super) fn containers(hall: &Hall, _: &Asked) -> Answer<Reply> {
    let containers = hall.connection.lab().containers()?;
    let list: Value = containers.iter().map(wire::container).collect();
    Ok(Reply::Text(list.to_string()))
}

pub(super) fn run_container(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let container = wire::read_new_container(&body(asked)?).ok_or_else(|| {
        HnsError::because(
            HcnCode::E_INVALIDARG,
            "a container has a Name; an Endpoint that is there, or a Network with Settings and, where it likes, NamespaceSettings, documents as text; and where it likes an ID and Listeners of Protocol and Port",
        )
    })?;
    let made = hall.connection.lab().run_container(&container)?;
    Ok(Reply::Made(wire::container(&made).to_string()))
}

pub(super) fn remove_container(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let gone = hall
        .connection
        .lab()
        .remove_container(asked.segment("name"))?;
    Ok(Reply::Text(wire::container(&gone).to_string()))
}

pub(super) fn operations(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let object = match (asked.parameters.get("kind"), asked.parameters.get("id")) {
        (None, None) => None,
        (Some(word), Some(id)) => Some(ObjectId {
            kind: kind(word)?,
            id: guid("id", id)?,
        }),
        _ => {
            return Err(HnsError::because(
                HcnCode::E_INVALIDARG,
                "one object is named by both its kind and its id",
            ));
        }
    };
    let most = match asked.parameters.get("most") {
        Some(text) => usize::try_from(asked.number("most", text)?).unwrap_or(usize::MAX),
        None => MOST,
    };
    let operations = hall.connection.lab().history(object, most)?;
    let list: Value = operations.iter().map(wire::operation).collect();
    Ok(Reply::Text(list.to_string()))
}

pub(super) fn last_operation(hall: &Hall, _: &Asked) -> Answer<Reply> {
    let number = hall.connection.lab().last_operation()?;
    Ok(Reply::Text(json!({"Number": number}).to_string()))
}

pub(super) fn moment(hall: &Hall, asked: &Asked) -> Answer<Reply> {
    let number = asked.number("number", asked.segment("number"))?;
    let moment = hall.connection.lab().moment(number)?;
    let list: Value = moment
        .iter()
        .map(|(object, document)| wire::keepsake(*object, document))
        .collect();
    Ok(Reply::Text(list.to_string()))
}

pub(super) fn openapi(_: &Hall, _: &Asked) -> Answer<Reply> {
    Ok(Reply::Text(super::openapi::text()))
}

fn body(asked: &Asked) -> Answer<Value> {
    serde_json::from_str(&asked.body).map_err(|error| {
        HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the body is not JSON: {error}"),
        )
    })
}

/// A member of a body that has to be a text.
fn word<'a>(body: &'a Value, name: &str) -> Answer<&'a str> {
    body[name].as_str().ok_or_else(|| {
        HnsError::at(
            HcnCode::E_INVALIDARG,
            format!("/{name}"),
            "it has to be a text",
        )
    })
}
