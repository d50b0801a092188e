// SPDX-License-Identifier: MIT OR Apache-2.0
//! `describe`: one object with what its document alone does not say: names, the container, what listens in it.

use std::fmt::Write;

use hcn::{
    Kind,
    schema::{Endpoint, Query},
    service::{Container, ListenPort},
};

use crate::{
    cli::{DescribeArgs, Noun},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid},
    render::{
        describe::{
            self, EndpointPage, NamespaceMember, NamespacePage, NetworkEndpoint, NetworkPage,
        },
        rule, word,
    },
};

/// Prints the page of an object.
///
/// # Errors
/// Where nothing or several have the name.
pub fn run(desk: &mut Desk<'_>, args: &DescribeArgs) -> Outcome {
    let page = match args.noun {
        Noun::Networks => network(desk, &args.name)?,
        Noun::Endpoints => endpoint(desk, &args.name)?,
        Noun::Namespaces => namespace(desk, &args.name)?,
        Noun::Policies => policies(desk, &args.name)?,
    };
    desk.out.write_all(page.as_bytes())?;
    Ok(exit::DONE)
}

/// The policies of an endpoint or a network, a sentence each, and what they leave to the default.
fn policies(desk: &Desk<'_>, name: &str) -> Result<String, Failure> {
    let (kind, id) = super::get::owner(desk, name)?;
    let reading = || Failure::hns(format!("read the {kind} {id}"));
    let (label, policies) = match kind {
        Kind::Network => {
            let network = desk.client().network(id).map_err(reading())?;
            (network.name.or_default(), network.policies.or_default())
        }
        _ => {
            let endpoint = desk.client().endpoint(id).map_err(reading())?;
            (
                desk.endpoint_label(&endpoint)?,
                endpoint.policies.or_default(),
            )
        }
    };
    let mut page = format!("Policies of {kind} {label}, {id}:\n");
    for (index, policy) in policies.iter().enumerate() {
        let _ = writeln!(page, "  /Policies/{index}  {}", rule::policy_words(policy));
    }
    if policies.is_empty() {
        page.push_str("  none\n");
    }
    if policies
        .iter()
        .any(|policy| policy.is("ACL") || policy.is("TierAcl"))
    {
        page.push_str("With any ACL present, what no rule allows is dropped (default deny); the lower priority number wins, and Block wins a tie.\n");
    } else if kind == Kind::Endpoint {
        page.push_str("There is no rule: everything is allowed.\n");
    }
    Ok(page)
}

fn endpoint(desk: &Desk<'_>, name: &str) -> Result<String, Failure> {
    let endpoint = desk.endpoint(name)?;
    let id = guid(endpoint.id.get());
    let containers = desk.containers()?;
    let container = containers.iter().find(|container| container.endpoint == id);
    let listeners = container.map(|container| ports(&container.listeners));
    let query = Query::v2().matching("ID", guid(endpoint.host_compute_network.get()).to_string());
    let networks = desk
        .client()
        .networks(&query)
        .map_err(Failure::hns("read the endpoint's network"))?;
    Ok(describe::endpoint(&EndpointPage {
        endpoint: &endpoint,
        network: networks
            .first()
            .and_then(|network| network.name.get())
            .map(String::as_str),
        container: container.map(|container| container.name.as_str()),
        listeners: listeners.as_deref(),
    }))
}

fn network(desk: &Desk<'_>, name: &str) -> Result<String, Failure> {
    let network = desk.network(name)?;
    let containers = desk.containers()?;
    let query = Query::v2().matching("VirtualNetwork", guid(network.id.get()).to_string());
    let endpoints: Vec<NetworkEndpoint> = desk
        .client()
        .endpoints(&query)
        .map_err(Failure::hns("list the network's endpoints"))?
        .iter()
        .map(|endpoint| NetworkEndpoint {
            id: endpoint.id.or_default().0,
            name: called(endpoint, &containers),
            addresses: addresses(endpoint),
        })
        .collect();
    Ok(describe::network(&NetworkPage {
        network: &network,
        endpoints: &endpoints,
    }))
}

fn namespace(desk: &Desk<'_>, name: &str) -> Result<String, Failure> {
    let namespace = desk.namespace(name)?;
    let containers = desk.containers()?;
    let mut members = Vec::new();
    for resource in namespace.resources.get().into_iter().flatten() {
        let Some(id) = resource.data.get().and_then(|data| data.id.get()) else {
            continue;
        };
        if let Some(container) = containers.iter().find(|container| container.id == id.0) {
            members.push(NamespaceMember {
                id: id.0.clone(),
                name: container.name.clone(),
                addresses: Vec::new(),
            });
        } else if let Some(own) = id.guid() {
            let query = Query::v2().matching("ID", own.to_string());
            let found = desk
                .client()
                .endpoints(&query)
                .map_err(Failure::hns(format!("read the {} {own}", Kind::Endpoint)))?;
            members.extend(found.iter().map(|endpoint| NamespaceMember {
                id: id.0.clone(),
                name: called(endpoint, &containers),
                addresses: addresses(endpoint),
            }));
        }
    }
    Ok(describe::namespace(&NamespacePage {
        namespace: &namespace,
        members: &members,
    }))
}

/// The name of an endpoint's container, else its own.
fn called(endpoint: &Endpoint, containers: &[Container]) -> String {
    let id = guid(endpoint.id.get());
    containers
        .iter()
        .find(|container| container.endpoint == id)
        .map_or_else(
            || endpoint.name.or_default(),
            |container| container.name.clone(),
        )
}

/// `80/tcp`, one for each.
fn ports(listeners: &[ListenPort]) -> Vec<String> {
    listeners
        .iter()
        .map(|listener| {
            format!(
                "{}/{}",
                listener.port,
                word::protocol(listener.protocol.into())
            )
        })
        .collect()
}
