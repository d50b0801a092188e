// SPDX-License-Identifier: MIT OR Apache-2.0
//! `run`, `rm`, `ps`: simulated containers.
//!
//! A container is made by the requests that a runtime sends: containerd's way puts the endpoint into a namespace, docker's attaches it by
//! the v1 API. All of it is one change of an embedded HNS; another HNS gets the requests one by one, and what was made is taken away
//! where one fails. So a container is there as a whole or not at all.

use hcn::{
    Kind,
    lab::Requests,
    schema::{Guid, Id},
    service::{Container, ListenPort, NewContainer, NewEndpoint, RandomIds},
};
use serde_json::{Value, json};

use crate::{
    cli::{Attach, Output, PsArgs, RmArgs, RunArgs},
    commands::spec::PublishSpec,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid},
    render::{
        json as json_text, name, short_id,
        table::{Columns, ContainerRow, containers},
        word,
    },
};

/// Makes a container.
pub fn run(desk: &mut Desk<'_>, args: &RunArgs) -> Outcome {
    let endpoint = match &args.endpoint {
        Some(name) => NewEndpoint::Adopted(guid(desk.endpoint(name)?.id.get())),
        None => made(desk, args)?,
    };
    if desk.is_dry_run() {
        return note(desk, args, &endpoint);
    }
    let wanted = NewContainer {
        name: args.name.clone(),
        id: args.container_id.clone(),
        endpoint,
        listeners: args
            .listen
            .iter()
            .map(|spec| ListenPort {
                protocol: spec.protocol.0,
                port: spec.port,
            })
            .collect(),
    };
    let container = desk
        .lab()
        .run_container(&wanted)
        .map_err(Failure::hns(format!(
            "run the container {:?}",
            cut(&args.name)
        )))?;
    let document = desk
        .client()
        .endpoint(container.endpoint)
        .map_err(Failure::hns("read the endpoint back"))?;
    writeln!(desk.out, "{}", container.id)?;
    desk.say(&format!(
        "{} runs: endpoint {}, address {}, MAC {}",
        container.name,
        short_id(&container.endpoint.to_string()),
        addresses(&document).join(", "),
        document.mac_address.or_default()
    ))?;
    Ok(exit::DONE)
}

/// The documents that a runtime would send.
fn made(desk: &Desk<'_>, args: &RunArgs) -> Result<NewEndpoint, Failure> {
    let network = guid(desk.network(&args.network)?.id.get());
    let endpoint = args.endpoint_id.unwrap_or_else(|| desk.new_id());
    let (settings, namespace) = match args.attach {
        Attach::Namespace => (
            v2_document(args, endpoint, network),
            Some(namespace_document(desk.new_id())),
        ),
        Attach::Docker => (v1_document(args, endpoint, network), None),
    };
    Ok(NewEndpoint::Made {
        network,
        settings,
        namespace,
    })
}

/// A name short enough for a message.
fn cut(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Notes the requests that a runtime would send; none for an endpoint that is there.
fn note(desk: &Desk<'_>, args: &RunArgs, endpoint: &NewEndpoint) -> Outcome {
    if let NewEndpoint::Made {
        network,
        settings,
        namespace,
    } = endpoint
    {
        let noting = || Failure::hns("note the requests");
        let requests =
            Requests::new(*network, settings, namespace.as_deref(), &RandomIds).map_err(noting())?;
        let new = || format!("{:032x}{:032x}", desk.new_id().0, desk.new_id().0);
        let id = args.container_id.clone().unwrap_or_else(new);
        requests
            .make(desk.client().hns(), &id)
            .map_err(|failed| noting()(failed.error))?;
    }
    Ok(exit::DONE)
}

fn namespace_document(id: Guid) -> String {
    json!({"SchemaVersion": {"Major": 2, "Minor": 0}, "ID": id.to_string(), "Type": "Host"})
        .to_string()
}

fn endpoint_name(args: &RunArgs) -> &str {
    args.endpoint_name.as_deref().unwrap_or(&args.name)
}

/// The document that a CNI plugin would send.
fn v2_document(args: &RunArgs, id: Guid, network: Guid) -> String {
    let mut document = json!({
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "ID": id.to_string(),
        "Name": endpoint_name(args),
        "HostComputeNetwork": network.to_string(),
    });
    if let Some(address) = &args.address {
        document["IpConfigurations"] = json!([{"IpAddress": address}]);
    }
    if let Some(mac) = &args.mac {
        document["MacAddress"] = json!(mac);
    }
    if !args.publish.is_empty() {
        document["Policies"] = args
            .publish
            .iter()
            .map(|PublishSpec { host, container }| {
                json!({"Type": "PortMapping", "Settings":
                    {"Protocol": container.protocol.0, "InternalPort": container.port, "ExternalPort": host}})
            })
            .collect::<Value>();
    }
    document.to_string()
}

/// The document that docker would send.
fn v1_document(args: &RunArgs, id: Guid, network: Guid) -> String {
    let mut document = json!({
        "ID": id.to_string(),
        "Name": endpoint_name(args),
        "VirtualNetwork": network.to_string(),
        "EnableInternalDNS": true,
    });
    if let Some(address) = &args.address {
        document["IPAddress"] = json!(address);
    }
    if let Some(mac) = &args.mac {
        document["MacAddress"] = json!(mac);
    }
    if !args.publish.is_empty() {
        document["Policies"] = args
            .publish
            .iter()
            .map(|PublishSpec { host, container }| {
                json!({"Type": "NAT", "Protocol": container.protocol.to_string().to_uppercase(),
                    "InternalPort": container.port, "ExternalPort": host})
            })
            .collect::<Value>();
    }
    document.to_string()
}

/// Removes containers.
pub fn remove(desk: &mut Desk<'_>, args: &RmArgs) -> Outcome {
    let mut code = exit::DONE;
    let all = desk.containers()?;
    for given in &args.names {
        let name = container_name(&all, given);
        let result = if desk.is_dry_run() {
            note_removal(desk, name)
        } else {
            desk.lab()
                .remove_container(name)
                .map(|_| ())
                .map_err(Failure::hns(format!("remove the container {name}")))
        };
        match result {
            Ok(()) if desk.is_dry_run() => {}
            Ok(()) => writeln!(desk.out, "{name}")?,
            // The others are removed all the same; each failure is told.
            Err(failure) => {
                let page = failure.page();
                desk.say(page.trim_end())?;
                if code == exit::DONE {
                    code = failure.exit_code();
                }
            }
        }
    }
    Ok(code)
}

/// The name of a container that is named by its name, its id or the beginning of its id; what fits nothing or several stays as it is.
fn container_name<'a>(all: &'a [Container], given: &'a str) -> &'a str {
    let mut fitting = all.iter().filter(|container| {
        container.name == given
            || given.len() >= 3
                && !all.iter().any(|other| other.name == given)
                && container.id.starts_with(given)
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => &one.name,
        _ => given,
    }
}

fn note_removal(desk: &Desk<'_>, name: &str) -> Result<(), Failure> {
    let containers = desk.containers()?;
    let Some(container) = containers.iter().find(|container| container.name == name) else {
        let detail = format!("there is no container {name:?}");
        return Err(Failure::hns("remove it")(hcn::HnsError::because(
            hcn::HcnCode::ERROR_NOT_FOUND,
            detail,
        )));
    };
    if container.adopted {
        return Ok(());
    }
    let removing = || Failure::hns(format!("remove the container {name}"));
    desk.client()
        .delete(Kind::Endpoint, container.endpoint)
        .map_err(removing())?;
    match container.namespace {
        Some(namespace) => desk
            .client()
            .delete(Kind::Namespace, namespace)
            .map_err(removing()),
        None => Ok(()),
    }
}

/// Lists containers.
pub fn list(desk: &mut Desk<'_>, args: &PsArgs) -> Outcome {
    let all = desk.containers()?;
    let reading = || Failure::hns("list the endpoints");
    let endpoints = desk
        .client()
        .endpoints(&hcn::schema::Query::v2())
        .map_err(reading())?;
    let networks = desk
        .client()
        .networks(&hcn::schema::Query::v2())
        .map_err(reading())?;
    let rows: Vec<ContainerRow> = all
        .iter()
        .map(|container| {
            let endpoint = endpoints
                .iter()
                .find(|endpoint| guid(endpoint.id.get()) == container.endpoint);
            let network_id = endpoint
                .and_then(|endpoint| endpoint.host_compute_network.get())
                .and_then(Id::guid);
            let network = networks
                .iter()
                .find(|network| Some(guid(network.id.get())) == network_id);
            ContainerRow {
                id: container.id.clone(),
                name: container.name.clone(),
                endpoint: if endpoint.is_some() {
                    container.endpoint.to_string()
                } else {
                    "(gone)".to_owned()
                },
                network: network.map_or_else(String::new, |network| network.name.or_default()),
                addresses: endpoint.map(addresses).unwrap_or_default(),
                listeners: listeners(&container.listeners),
                namespace: container
                    .namespace
                    .map_or_else(String::new, |namespace| namespace.to_string()),
            }
        })
        .collect();
    match args.output {
        Output::Table | Output::Wide if rows.is_empty() => desk.say("no containers")?,
        Output::Table => write!(desk.out, "{}", containers(&rows, Columns::Table))?,
        Output::Wide => write!(desk.out, "{}", containers(&rows, Columns::Wide))?,
        Output::Name => write!(
            desk.out,
            "{}",
            name::lines("container", all.iter().map(|container| &container.name))
        )?,
        Output::Json => {
            let texts: Vec<String> = rows
                .iter()
                .map(|row| {
                    json!({"Name": row.name, "ID": row.id, "Endpoint": row.endpoint, "Network": row.network,
                        "Addresses": row.addresses, "Listeners": row.listeners, "Namespace": row.namespace})
                    .to_string()
                })
                .collect();
            json_text::write_list(&mut desk.out, &texts)?;
        }
        Output::List | Output::JsonV1 | Output::Yaml => {
            return Err(Failure::Usage(
                "ps prints table, wide, json or name; HNS has no document of a container"
                    .to_owned(),
            ));
        }
    }
    Ok(exit::DONE)
}

/// Listeners as `80/tcp`.
pub fn listeners(all: &[ListenPort]) -> Vec<String> {
    all.iter()
        .map(|listen| {
            format!(
                "{}/{}",
                listen.port,
                word::protocol(u32::from(listen.protocol))
            )
        })
        .collect()
}
