// SPDX-License-Identifier: MIT OR Apache-2.0
//! `get`: what there is, in every form.
//!
//! Invariants: what HNS can filter is filtered by HNS; documents that are printed as JSON are not parsed; no row asks HNS again.

use std::collections::HashMap;

use hcn::{
    Kind, ObjectId,
    schema::{Document, Endpoint, Guid, Id, Namespace, Network, Query, v1},
};
use serde_json::{Map, Value, json};

use crate::{
    cli::{GetArgs, Noun, Output},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::guid,
    render::{
        json, list, name,
        table::{self, Columns, EndpointRow, NamespaceRow, NetworkRow, PolicyRow},
        yaml,
    },
};

/// Lists objects or policies.
///
/// # Errors
/// Those of HNS, e.g. for a filter that is no JSON; usage for what cannot be combined.
pub fn run(desk: &mut Desk<'_>, args: &GetArgs) -> Outcome {
    if !args.names.is_empty() && (args.filter.is_some() || args.network.is_some()) {
        return Err(Failure::Usage(
            "give names, or choose by --network and --filter, not both".to_owned(),
        ));
    }
    if args
        .filter
        .as_ref()
        .is_some_and(|filter| filter.trim().is_empty())
    {
        // To HNS it means everything, which is not what a shell variable without a value was to mean.
        return Err(Failure::Usage(
            "--filter is empty; leave it out to list everything".to_owned(),
        ));
    }
    match args.noun {
        Noun::Networks => objects(desk, args, Kind::Network),
        Noun::Endpoints => objects(desk, args, Kind::Endpoint),
        Noun::Namespaces => objects(desk, args, Kind::Namespace),
        Noun::Policies => policies(desk, args),
    }
}

fn objects(desk: &mut Desk<'_>, args: &GetArgs, kind: Kind) -> Outcome {
    if args.network.is_some() && kind != Kind::Endpoint {
        return Err(Failure::Usage(format!(
            "--network chooses endpoints and policies, not {kind}s"
        )));
    }
    let network = match &args.network {
        Some(name) => Some(guid(desk.network(name)?.id.get())),
        None => None,
    };
    let shape = match args.output {
        Output::List | Output::JsonV1 => Query::v1(),
        _ => Query::v2(),
    };
    let only = network.map(|id| ("VirtualNetwork", id));
    let query = chosen(shape, args.filter.as_deref(), only);
    let wanted = Wanted {
        kind,
        names: &args.names,
        query: &query,
    };
    let texts = match args.output {
        Output::Name => {
            let ids = wanted.ids(desk)?;
            let lines = name::lines(kind.words(), ids.iter().map(Guid::to_string));
            desk.out.write_all(lines.as_bytes())?;
            return Ok(exit::DONE);
        }
        _ => wanted.texts(desk)?,
    };
    match args.output {
        Output::Json | Output::JsonV1 => match texts.as_slice() {
            [one] if args.names.len() == 1 => json::write_object(&mut desk.out, one)?,
            all => json::write_list(&mut desk.out, all)?,
        },
        Output::List => {
            let text = list::list(&values(&texts)?, desk.width);
            desk.out.write_all(text.as_bytes())?;
        }
        Output::Yaml => write_yaml(desk, values(&texts)?, args.names.len() == 1)?,
        Output::Table | Output::Wide => {
            if texts.is_empty() {
                desk.say(&format!("no {kind}s"))?;
                return Ok(exit::DONE);
            }
            let columns = columns(args.output);
            let text = match kind {
                Kind::Network => network_table(desk, &texts, columns)?,
                Kind::Endpoint => endpoint_table(desk, &texts, columns)?,
                _ => namespace_table(&texts, columns)?,
            };
            desk.out.write_all(text.as_bytes())?;
        }
        Output::Name => {}
    }
    Ok(exit::DONE)
}

/// The objects that are asked for.
struct Wanted<'a> {
    kind: Kind,
    /// Names; none for all that the query chooses.
    names: &'a [String],
    query: &'a Query,
}

impl Wanted<'_> {
    /// Their ids, each once.
    fn ids(&self, desk: &Desk<'_>) -> Result<Vec<Guid>, Failure> {
        if !self.names.is_empty() {
            return named(desk, self.kind, self.names);
        }
        let text = desk
            .client()
            .hns()
            .enumerate(self.kind, &self.query.text())
            .map_err(Failure::hns(format!("list the {}s", self.kind)))?;
        let ids: Vec<String> = serde_json::from_str(&text).map_err(unreadable)?;
        Ok(ids.into_iter().map(|id| guid(Some(&Id(id)))).collect())
    }

    /// Their documents.
    fn texts(&self, desk: &Desk<'_>) -> Result<Vec<String>, Failure> {
        let hns = desk.client().hns();
        let query = self.query.text();
        if self.names.is_empty() {
            return hns
                .list(self.kind, &query)
                .map_err(Failure::hns(format!("list the {}s", self.kind)));
        }
        let kind = self.kind;
        named(desk, kind, self.names)?
            .into_iter()
            .map(|id| {
                hns.query(ObjectId { kind, id }, &query)
                    .map_err(Failure::hns(format!("read the {kind} {id}")))
            })
            .collect()
    }
}

/// The query with the filter of the command line. A filter that cannot be read goes to HNS as it is, for HNS to say so.
fn chosen(mut query: Query, filter: Option<&str>, only: Option<(&str, Guid)>) -> Query {
    let members = match filter {
        None => Some(Map::new()),
        Some(text) => serde_json::from_str::<Map<String, Value>>(text).ok(),
    };
    match (members, only) {
        (Some(mut members), Some((key, id))) => {
            members.insert(key.to_owned(), Value::from(id.to_string()));
            query.filter.set(Value::Object(members).to_string());
        }
        _ => {
            if let Some(text) = filter {
                query.filter.set(text.to_owned());
            }
        }
    }
    query
}

/// Ids of the objects with these names, each once.
fn named(desk: &Desk<'_>, kind: Kind, names: &[String]) -> Result<Vec<Guid>, Failure> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let id = match kind {
            Kind::Network => guid(desk.network(name)?.id.get()),
            Kind::Endpoint => guid(desk.endpoint(name)?.id.get()),
            _ => guid(desk.namespace(name)?.id.get()),
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn columns(output: Output) -> Columns {
    match output {
        Output::Wide => Columns::Wide,
        _ => Columns::Table,
    }
}

fn network_table(desk: &Desk<'_>, texts: &[String], columns: Columns) -> Result<String, Failure> {
    // Only v1 documents say how many endpoints there are, and asking for them is cheaper than listing the endpoints.
    let counted: Vec<v1::Network> = desk
        .client()
        .hns()
        .list(Kind::Network, &Query::v1().text())
        .map_err(Failure::hns("count the endpoints"))?
        .iter()
        .map(|text| document(text))
        .collect::<Result<_, _>>()?;
    let counts: HashMap<Guid, u32> = counted
        .iter()
        .map(|network| {
            (
                guid(network.id.get()),
                network.current_endpoint_count.or_default(),
            )
        })
        .collect();
    let rows = texts
        .iter()
        .map(|text| {
            let network: Network = document(text)?;
            let count = counts
                .get(&guid(network.id.get()))
                .copied()
                .unwrap_or_default();
            Ok(NetworkRow::of(&network, count as usize))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(table::networks(&rows, columns))
}

fn endpoint_table(desk: &Desk<'_>, texts: &[String], columns: Columns) -> Result<String, Failure> {
    let names: HashMap<Guid, String> = desk
        .client()
        .networks(&Query::v2())
        .map_err(Failure::hns("list the networks"))?
        .iter()
        .filter_map(|network| Some((network.id.get()?.guid()?, network.name.get()?.clone())))
        .collect();
    let rows = texts
        .iter()
        .map(|text| {
            let endpoint: Endpoint = document(text)?;
            Ok(EndpointRow::of(&endpoint, |id| {
                names.get(&id.guid()?).cloned()
            }))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(table::endpoints(&rows, columns))
}

fn namespace_table(texts: &[String], columns: Columns) -> Result<String, Failure> {
    let rows = texts
        .iter()
        .map(|text| Ok(NamespaceRow::of(&document::<Namespace>(text)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(table::namespaces(&rows, columns))
}

fn policies(desk: &mut Desk<'_>, args: &GetArgs) -> Outcome {
    let shape = match args.output {
        Output::List | Output::JsonV1 => Query::v1(),
        _ => Query::v2(),
    };
    let owners = owners(desk, args, shape)?;
    match args.output {
        Output::Table | Output::Wide => {
            let mut rows = Vec::new();
            for (kind, text) in &owners {
                match kind {
                    Kind::Network => rows.extend(PolicyRow::of_network(&document(text)?)),
                    _ => rows.extend(PolicyRow::of_endpoint(&document(text)?)),
                }
            }
            if rows.is_empty() {
                desk.say("no policies")?;
            } else {
                let text = table::policies(&rows, columns(args.output), args.names.len() != 1);
                desk.out.write_all(text.as_bytes())?;
            }
        }
        _ => {
            let mut found = Vec::new();
            for (kind, text) in &owners {
                found.extend(policies_of(*kind, &value(text)?));
            }
            match args.output {
                Output::Yaml => write_yaml(desk, found, false)?,
                Output::List => {
                    let flat: Vec<Value> = found.iter().map(with_owner).collect();
                    let text = list::list(&flat, desk.width);
                    desk.out.write_all(text.as_bytes())?;
                }
                Output::Name => {
                    for policy in &found {
                        writeln!(desk.out, "{}", policy_name(policy))?;
                    }
                }
                _ => json::write_list(&mut desk.out, found.iter().map(Value::to_string))?,
            }
        }
    }
    Ok(exit::DONE)
}

/// The documents of the networks and endpoints whose policies are asked for.
fn owners(desk: &Desk<'_>, args: &GetArgs, shape: Query) -> Result<Vec<(Kind, String)>, Failure> {
    let mut owners = Vec::new();
    if args.names.is_empty() {
        let network = match &args.network {
            Some(name) => Some(guid(desk.network(name)?.id.get())),
            None => None,
        };
        for (kind, key) in [(Kind::Network, "ID"), (Kind::Endpoint, "VirtualNetwork")] {
            let query = chosen(
                shape.clone(),
                args.filter.as_deref(),
                network.map(|id| (key, id)),
            );
            let wanted = Wanted {
                kind,
                names: &[],
                query: &query,
            };
            let texts = wanted.texts(desk)?;
            owners.extend(texts.into_iter().map(|text| (kind, text)));
        }
        return Ok(owners);
    }
    for name in &args.names {
        let (kind, id) = owner(desk, name)?;
        let text = desk
            .client()
            .hns()
            .query(ObjectId { kind, id }, &shape.text())
            .map_err(Failure::hns(format!("read the {kind} {id}")))?;
        owners.push((kind, text));
    }
    Ok(owners)
}

/// The endpoint or the network of a name.
pub(crate) fn owner(desk: &Desk<'_>, name: &str) -> Result<(Kind, Guid), Failure> {
    let network = match desk.network(name) {
        Ok(network) => Some(guid(network.id.get())),
        Err(Failure::NotFound { .. }) => None,
        Err(failure) => return Err(failure),
    };
    match (desk.endpoint(name), network) {
        (Ok(endpoint), None) => Ok((Kind::Endpoint, guid(endpoint.id.get()))),
        (Ok(endpoint), Some(network)) => Err(Failure::Usage(format!(
            "{name:?} is the endpoint {} and the network {network}; say which by its id",
            guid(endpoint.id.get())
        ))),
        (Err(Failure::NotFound { .. }), Some(network)) => Ok((Kind::Network, network)),
        (Err(failure), _) => Err(failure),
    }
}

/// `{owner, kind, pointer, policy}` for each policy of a document.
fn policies_of(kind: Kind, document: &Value) -> Vec<Value> {
    let owner = ["ID", "Id"]
        .into_iter()
        .find_map(|key| document.get(key))
        .cloned();
    let policies = document.get("Policies").and_then(Value::as_array);
    policies
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, policy)| {
            json!({
                "owner": owner,
                "kind": kind.words(),
                "pointer": format!("/Policies/{index}"),
                "policy": policy,
            })
        })
        .collect()
}

/// A policy as a listing shows it: whose it is, then its own members.
fn with_owner(found: &Value) -> Value {
    let mut members = Map::new();
    members.insert("Policy".to_owned(), Value::from(policy_name(found)));
    for (key, value) in found["policy"].as_object().into_iter().flatten() {
        members.insert(key.clone(), value.clone());
    }
    Value::Object(members)
}

/// `endpoint/<id>/Policies/<n>`.
fn policy_name(found: &Value) -> String {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    format!(
        "{}/{}{}",
        text("kind"),
        text("owner").to_ascii_lowercase(),
        text("pointer")
    )
}

fn write_yaml(desk: &mut Desk<'_>, mut values: Vec<Value>, single: bool) -> Result<(), Failure> {
    let value = match values.pop() {
        Some(one) if single && values.is_empty() => one,
        last => {
            values.extend(last);
            Value::Array(values)
        }
    };
    let text = yaml::document(&value)
        .map_err(|error| Failure::Output(std::io::Error::other(error.to_string())))?;
    desk.out.write_all(text.as_bytes())?;
    Ok(())
}

fn values(texts: &[String]) -> Result<Vec<Value>, Failure> {
    texts.iter().map(|text| value(text)).collect()
}

fn document<T: Document>(text: &str) -> Result<T, Failure> {
    T::from_json(text).map_err(unreadable)
}

fn value(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::hns("read what HNS answered")(hcn::HnsError::because(
        hcn::HcnCode::HCN_E_INVALID_JSON,
        format!("the answer is not JSON: {error}"),
    ))
}
