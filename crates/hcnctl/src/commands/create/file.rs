// SPDX-License-Identifier: MIT OR Apache-2.0
//! `create -f`: documents that somebody wrote, one or a list.
//!
//! Apart because other people's documents leave questions open: their kind, their network, and what to do when the third of five fails.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use hcn::{HcnCode, HnsError, Kind, schema::Guid};
use serde_json::Value;

use super::{
    Order, cut,
    document::{self, NamedNetwork},
};
use crate::{
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    listing::{self, member},
    render::shown,
};

/// Creates what the file says.
///
/// # Errors
/// Where the file cannot be read, a document does not tell its kind or network, or HNS refuses one; the ones after it are not sent.
pub(super) fn create(
    desk: &mut Desk<'_>,
    path: &Path,
    kind: Option<Kind>,
    network: Option<&str>,
) -> Outcome {
    let (name, text) = read(path)?;
    let documents = document::split(&text);
    if documents.is_empty() {
        desk.say(&format!("{name} is an empty list; nothing to create"))?;
        return Ok(exit::DONE);
    }
    let count = documents.len();
    let kinds: Vec<Kind> = documents
        .iter()
        .enumerate()
        .map(|(index, (_, value))| kind_of(value, kind, network, index, count))
        .collect::<Result<_, _>>()?;
    let mut made = Vec::new();
    for (index, ((text, value), kind)) in documents.into_iter().zip(kinds).enumerate() {
        let which = if count == 1 {
            String::new()
        } else {
            format!(" (document {} of {count})", index + 1)
        };
        let order = Order {
            kind,
            network: None,
            text: text.to_owned(),
            called: match member(&value, "Name").and_then(Value::as_str) {
                Some(own) => format!("the {kind} {}", shown(&cut(own))),
                None if value.is_object() => format!("the {kind} of {name}"),
                None => format!("what {name} says"),
            },
        };
        let sent = with_network(desk, order, &value, network, &which)
            .and_then(|order| order.send(desk, &which));
        match sent {
            Ok(id) => made.push(format!("{kind}/{id}")),
            Err(failure) => {
                if !made.is_empty() && !desk.is_dry_run() {
                    desk.say(&format!(
                        "made before the failure, and kept: {}",
                        made.join(" ")
                    ))?;
                }
                if index + 1 < count {
                    desk.say(&format!(
                        "not sent: the rest, {} of {count}",
                        count - index - 1
                    ))?;
                }
                return Err(failure);
            }
        }
    }
    Ok(exit::DONE)
}

/// The file's name for messages, and its text.
fn read(path: &Path) -> Result<(String, String), Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let failed = |error| Failure::File {
        path: name.clone(),
        error,
    };
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        bytes
    } else {
        fs::read(path).map_err(failed)?
    };
    match listing::decode(&bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(failed(io::Error::new(io::ErrorKind::InvalidData, error))),
    }
}

fn kind_of(
    value: &Value,
    asked: Option<Kind>,
    network: Option<&str>,
    index: usize,
    count: usize,
) -> Result<Kind, Failure> {
    if let Some(kind) = asked {
        return Ok(kind);
    }
    if !value.is_object() {
        // Whatever it is taken for, HNS refuses it in the same words.
        return Ok(Kind::Network);
    }
    match (document::kind(value), network) {
        (Some(kind), _) => Ok(kind),
        (None, Some(_)) => Ok(Kind::Endpoint),
        (None, None) => Err(Failure::Usage(format!(
            "document {} of {count} does not tell its kind; say --kind network, --kind endpoint or --kind namespace",
            index + 1
        ))),
    }
}

/// The order with the network of an endpoint: the document's own, else that of the command line.
fn with_network(
    desk: &Desk<'_>,
    order: Order,
    value: &Value,
    network: Option<&str>,
    which: &str,
) -> Result<Order, Failure> {
    if order.kind != Kind::Endpoint {
        return Ok(order);
    }
    let by_name = |name: &str| {
        desk.network(name)
            .map(|network| crate::lookup::guid(network.id.get()))
    };
    let id = match (document::network(value), network) {
        (Some(NamedNetwork::Id(id)), _) => id,
        (_, Some(name)) => by_name(name)?,
        (Some(NamedNetwork::Name(name)), None) => by_name(&name)?,
        (Some(NamedNetwork::Odd { field, text }), None) => {
            let detail = format!(
                "{:?} is not a GUID; give the network's id, or its name by --network",
                cut(&text)
            );
            let error = HnsError::at(
                HcnCode::HCN_E_GUID_CONVERSION_FAILURE,
                format!("/{field}"),
                detail,
            );
            return Err(Failure::hns(format!("create {}{which}", order.called))(
                error,
            ));
        }
        // No document at all: HNS says so before it asks for the network.
        (None, None) if !value.is_object() => Guid::ZERO,
        (None, None) => {
            return Err(Failure::Usage(format!(
                "{}{which} names no network; give --network, or HostComputeNetwork in the document",
                order.called
            )));
        }
    };
    Ok(Order {
        network: Some(id),
        ..order
    })
}
