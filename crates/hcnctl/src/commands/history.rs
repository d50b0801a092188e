// SPDX-License-Identifier: MIT OR Apache-2.0
//! `history`: what was changed, by whom, and when; each line is a moment that `diff` can go back to.
//!
//! Apart because it finds objects that are gone, which no other command does.

use hcn::{Kind, Lab, ObjectId, schema::Guid, service::Operation};
use serde_json::{Value, json};

use crate::{
    cli::{HistoryArgs, Output},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::guid,
    render::{
        json, shown,
        table::{self, Columns, HistoryRow},
    },
    time::utc,
};

/// Kinds that have a history.
const KINDS: [Kind; 3] = [Kind::Network, Kind::Endpoint, Kind::Namespace];

/// Fewest digits of an id that count as a prefix, as for objects that exist.
const SHORTEST_PREFIX: usize = 3;

/// Lists operations, oldest first.
///
/// # Errors
/// Where no object, there or gone, has the name, or several have it.
pub fn run(desk: &mut Desk<'_>, args: &HistoryArgs) -> Outcome {
    if !matches!(args.output, Output::Table | Output::Wide | Output::Json) {
        return Err(Failure::Usage(
            "history is printed as table, wide or json".to_owned(),
        ));
    }
    let object = match &args.object {
        Some(name) => {
            // Where there is no log, no name has to be found first.
            desk.lab()
                .last_operation()
                .map_err(Failure::hns("read the history"))?;
            Some(find(desk, name)?)
        }
        None => None,
    };
    let operations = read(desk.lab(), object, args.last)?;
    if args.output == Output::Json {
        json::write_list(
            &mut desk.out,
            operations.iter().map(|own| value(own).to_string()),
        )?;
        return Ok(exit::DONE);
    }
    if operations.is_empty() {
        desk.say("no operations")?;
        return Ok(exit::DONE);
    }
    let rows: Vec<HistoryRow> = operations
        .into_iter()
        .map(|operation| HistoryRow {
            number: operation.number,
            time: utc(operation.time_ms),
            operation: operation.verb.text().to_owned(),
            kind: operation.object.kind.to_string(),
            id: operation.object.id.upper(),
            name: operation.name,
            actor: operation.actor,
            request: operation.request,
        })
        .collect();
    let columns = match args.output {
        Output::Wide => Columns::Wide,
        _ => Columns::Table,
    };
    desk.out
        .write_all(table::history(&rows, columns).as_bytes())?;
    Ok(exit::DONE)
}

fn read(lab: &dyn Lab, object: Option<ObjectId>, most: usize) -> Result<Vec<Operation>, Failure> {
    lab.history(object, most)
        .map_err(Failure::hns("read the history"))
}

/// The object of a name: one that exists, else one of the log.
fn find(desk: &Desk<'_>, name: &str) -> Result<ObjectId, Failure> {
    if let Ok(id) = name.parse::<Guid>() {
        for kind in KINDS {
            let object = ObjectId { kind, id };
            if !read(desk.lab(), Some(object), 1)?.is_empty() {
                return Ok(object);
            }
        }
        return Err(not_found(name));
    }
    let mut found = Vec::new();
    for kind in KINDS {
        let id = match kind {
            Kind::Network => desk.network(name).map(|network| guid(network.id.get())),
            Kind::Endpoint => desk.endpoint(name).map(|endpoint| guid(endpoint.id.get())),
            _ => desk
                .namespace(name)
                .map(|namespace| guid(namespace.id.get())),
        };
        match id {
            Ok(id) => found.push(ObjectId { kind, id }),
            Err(Failure::NotFound { .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    if found.is_empty() {
        found = gone(&read(desk.lab(), None, usize::MAX)?, name);
    }
    match found[..] {
        [] => Err(not_found(name)),
        [one] => Ok(one),
        _ => Err(Failure::Usage(format!(
            "{} names several objects; say which by its id: {}",
            shown(name),
            found
                .iter()
                .map(|object| format!("{} {}", object.kind, object.id))
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

/// Objects of the log that had the name, or whose id begins with it.
fn gone(operations: &[Operation], name: &str) -> Vec<ObjectId> {
    let prefix = name.to_ascii_lowercase();
    let is_prefix = prefix.len() >= SHORTEST_PREFIX
        && prefix
            .chars()
            .all(|digit| digit.is_ascii_hexdigit() || digit == '-');
    let mut found = Vec::new();
    for operation in operations {
        let object = operation.object;
        let fits =
            operation.name == name || is_prefix && object.id.to_string().starts_with(&prefix);
        if fits && !found.contains(&object) {
            found.push(object);
        }
    }
    found
}

/// Nothing, there or gone, has the name. It was most likely meant to be an endpoint's.
fn not_found(name: &str) -> Failure {
    Failure::NotFound {
        kind: Kind::Endpoint,
        name: name.to_owned(),
    }
}

fn value(operation: &Operation) -> Value {
    // A document of the log is one that the service wrote; should it be no JSON, its text is shown.
    let document = operation
        .document
        .as_ref()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())));
    json!({
        "moment": operation.number,
        "time": utc(operation.time_ms),
        "timeMs": operation.time_ms,
        "operation": operation.verb.text(),
        "kind": operation.object.kind.words(),
        "id": operation.object.id.to_string(),
        "name": operation.name,
        "by": operation.actor,
        "request": operation.request,
        "document": document,
    })
}
