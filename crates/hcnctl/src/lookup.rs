// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects by what people call them: id, id prefix, name, container or address.
//!
//! An exact id wins; else every object that fits by any of these is a candidate, and more than one is an error that lists them.

use std::net::IpAddr;

use hcn::{
    Kind,
    schema::{Endpoint, Guid, Id, Namespace, Network, Query},
    service::Container,
};

use crate::{desk::Desk, failure::Failure};

/// Fewest digits of an id that count as a prefix; shorter words are more likely names.
const SHORTEST_PREFIX: usize = 3;

/// What an object is called.
pub(crate) struct Named {
    id: Guid,
    pub(crate) names: Vec<String>,
    addresses: Vec<String>,
    /// Ids of its containers.
    containers: Vec<String>,
}

impl Desk<'_> {
    /// The endpoint of a name.
    ///
    /// # Errors
    /// [`Failure::NotFound`], or [`Failure::Ambiguous`] with the candidates.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, Failure> {
        let reading = || Failure::hns("list the endpoints");
        if let Ok(id) = name.parse::<Guid>() {
            let query = Query::v2().matching("ID", id.to_string());
            let mut found = self.client().endpoints(&query).map_err(reading())?;
            return found.pop().ok_or_else(|| not_found(Kind::Endpoint, name));
        }
        let mut endpoints = self.client().endpoints(&Query::v2()).map_err(reading())?;
        let index = endpoint_among(name, &endpoints, &self.containers()?)?;
        Ok(endpoints.swap_remove(index))
    }

    /// The network of a name.
    ///
    /// # Errors
    /// As [`Desk::endpoint`].
    pub fn network(&self, name: &str) -> Result<Network, Failure> {
        let networks = self
            .client()
            .networks(&Query::v2())
            .map_err(Failure::hns("list the networks"))?;
        let named: Vec<Named> = networks
            .iter()
            .map(|network| Named {
                id: guid(network.id.get()),
                names: network.name.get().cloned().into_iter().collect(),
                addresses: Vec::new(),
                containers: Vec::new(),
            })
            .collect();
        let index = choose(Kind::Network, name, &named)?;
        Ok(networks[index].clone())
    }

    /// The namespace of a name, or of a container.
    ///
    /// # Errors
    /// As [`Desk::endpoint`].
    pub fn namespace(&self, name: &str) -> Result<Namespace, Failure> {
        let namespaces = self
            .client()
            .namespaces(&Query::v2())
            .map_err(Failure::hns("list the namespaces"))?;
        let containers = self.containers()?;
        let named: Vec<Named> = namespaces
            .iter()
            .map(|namespace| {
                let id = guid(namespace.id.get());
                let mut names: Vec<String> = namespace.name.get().cloned().into_iter().collect();
                names.extend(
                    containers
                        .iter()
                        .filter(|container| container.namespace == Some(id))
                        .map(|container| container.name.clone()),
                );
                Named {
                    id,
                    names,
                    addresses: Vec::new(),
                    containers: Vec::new(),
                }
            })
            .collect();
        let index = choose(Kind::Namespace, name, &named)?;
        Ok(namespaces[index].clone())
    }

    /// All simulated containers.
    ///
    /// # Errors
    /// Those of where they are kept.
    pub fn containers(&self) -> Result<Vec<Container>, Failure> {
        self.lab()
            .containers()
            .map_err(Failure::hns("list the containers"))
    }

    /// What an endpoint is called in sentences: its container's name, else its own, with the beginning of its id.
    ///
    /// # Errors
    /// Those of the store.
    pub fn endpoint_label(&self, endpoint: &Endpoint) -> Result<String, Failure> {
        let containers = self.containers()?;
        Ok(label_among(endpoint, &containers))
    }
}

/// An address as people write it, without the brackets that it needs before a port.
pub(crate) fn unbracketed(text: &str) -> &str {
    let inner = text.strip_prefix('[');
    inner
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(text)
}

/// The address that a text is, if one machine may have it.
///
/// # Errors
/// Where nobody in particular has it.
pub(crate) fn one_address(text: &str) -> Result<Option<IpAddr>, Failure> {
    let Ok(address) = unbracketed(text).parse::<IpAddr>() else {
        return Ok(None);
    };
    let v4 = match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    };
    let why = match address {
        IpAddr::V6(_) if v4.is_some() => {
            Some("is an IPv4 address within IPv6; write the IPv4 address")
        }
        _ if address.is_unspecified() => Some("is no machine's address"),
        _ if address.is_multicast() || v4.is_some_and(|own| own.is_broadcast()) => {
            Some("is the address of many, and one machine is asked about")
        }
        _ => None,
    };
    match why {
        Some(why) => Err(Failure::Usage(format!("{address} {why}"))),
        None => Ok(Some(address)),
    }
}

/// [`Desk::endpoint_label`] with the containers at hand.
pub fn label_among(endpoint: &Endpoint, containers: &[Container]) -> String {
    label(
        guid(endpoint.id.get()),
        &endpoint.name.or_default(),
        containers,
    )
}

/// What endpoints are called, in their order.
pub(crate) fn named_endpoints(endpoints: &[Endpoint], containers: &[Container]) -> Vec<Named> {
    let named = endpoints.iter();
    named
        .map(|endpoint| named_endpoint(endpoint, containers))
        .collect()
}

/// The place of the endpoint that a name means among these.
///
/// # Errors
/// As [`Desk::endpoint`].
pub fn endpoint_among(
    name: &str,
    endpoints: &[Endpoint],
    containers: &[Container],
) -> Result<usize, Failure> {
    choose(
        Kind::Endpoint,
        name,
        &named_endpoints(endpoints, containers),
    )
}

/// What an endpoint is called in sentences: its container's name, else its own, with the beginning of its id.
pub fn label(id: Guid, name: &str, containers: &[Container]) -> String {
    let mut containers = containers.iter();
    let container = containers.find(|container| container.endpoint == id);
    let name = container.map_or(name, |container| &container.name);
    format!("{name} ({})", crate::render::short_id(&id.to_string()))
}

/// The id of a document; zero where it has none that can be read.
pub fn guid(id: Option<&Id>) -> Guid {
    id.and_then(Id::guid).unwrap_or_default()
}

/// Addresses of an endpoint, as text.
pub fn addresses(endpoint: &Endpoint) -> Vec<String> {
    let configurations = endpoint.ip_configurations.get().into_iter().flatten();
    configurations
        .filter_map(|configuration| configuration.ip_address.get().cloned())
        .collect()
}

fn named_endpoint(endpoint: &Endpoint, containers: &[Container]) -> Named {
    let id = guid(endpoint.id.get());
    let mut names: Vec<String> = endpoint.name.get().cloned().into_iter().collect();
    for container in containers
        .iter()
        .filter(|container| container.endpoint == id)
    {
        if !names.contains(&container.name) {
            names.push(container.name.clone());
        }
    }
    let own = containers
        .iter()
        .filter(|container| container.endpoint == id);
    Named {
        id,
        names,
        addresses: addresses(endpoint),
        containers: own.map(|container| container.id.clone()).collect(),
    }
}

fn not_found(kind: Kind, name: &str) -> Failure {
    Failure::NotFound {
        kind,
        name: name.to_owned(),
    }
}

/// The one that is meant.
pub(crate) fn choose(kind: Kind, name: &str, all: &[Named]) -> Result<usize, Failure> {
    let exact = name.parse::<Guid>().ok();
    let lower = name.to_ascii_lowercase();
    let is_prefix = lower.len() >= SHORTEST_PREFIX
        && lower
            .chars()
            .all(|digit| digit.is_ascii_hexdigit() || digit == '-');
    let fits = |own: &Named| match exact {
        Some(id) => own.id == id,
        None => {
            own.names.iter().any(|own| own == name)
                || own.addresses.iter().any(|own| own == name)
                || is_prefix && own.id.to_string().starts_with(&lower)
                || is_prefix && own.containers.iter().any(|own| own.starts_with(&lower))
        }
    };
    let found: Vec<usize> = (0..all.len()).filter(|index| fits(&all[*index])).collect();
    match found[..] {
        [] => Err(not_found(kind, name)),
        [one] => Ok(one),
        _ => Err(Failure::Ambiguous {
            kind,
            name: name.to_owned(),
            candidates: found
                .into_iter()
                .map(|index| {
                    let own = &all[index];
                    format!(
                        "{}  {}  {}",
                        own.id,
                        own.names.join(", "),
                        own.addresses.join(", ")
                    )
                    .trim_end()
                    .to_owned()
                })
                .collect(),
        }),
    }
}
