// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who can be asked for: the ports of a switch, and places beyond them.
//!
//! Apart from the matrix because names are found here. Invariant: no two participants of a matrix have one label.

use std::{collections::HashMap, net::IpAddr};

use hcn::{
    schema::{Guid, network::NetworkType},
    service::Container,
};
use hcn_engine::{Documents, PortIndex, Switch};
use ipnet::IpNet;

use crate::{
    failure::Failure,
    lookup::{self, guid},
    render::short_id,
};

/// The label of everything that no port has.
pub const OUTSIDE: &str = "outside";

/// A row or column.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// What it is called.
    pub label: String,
    /// Where it is.
    pub place: Place,
}

/// Where a participant is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// At a port of the switch.
    Port {
        /// Which.
        port: PortIndex,
        /// The endpoint's id.
        id: Guid,
        /// The endpoint's name.
        name: String,
        /// Name of the container that has the endpoint.
        container: Option<String>,
        /// Name of the network.
        network: String,
        /// Addresses.
        addresses: Vec<IpAddr>,
    },
    /// At addresses that no port has, of those in these prefixes.
    Beyond(Vec<IpNet>),
}

impl Participant {
    /// The endpoint's id, where it is at a port.
    pub fn id(&self) -> Option<Guid> {
        match &self.place {
            Place::Port { id, .. } => Some(*id),
            Place::Beyond(_) => None,
        }
    }

    /// The port, where it is at one.
    pub fn port(&self) -> Option<PortIndex> {
        match &self.place {
            Place::Port { port, .. } => Some(*port),
            Place::Beyond(_) => None,
        }
    }
}

/// All ports of a switch in its order, and after them what is outside.
pub fn all(switch: &Switch, containers: &[Container]) -> Vec<Participant> {
    let by_endpoint: HashMap<Guid, &str> = containers
        .iter()
        .rev()
        .map(|container| (container.endpoint, container.name.as_str()))
        .collect();
    let ports = switch.ports.iter().zip(0..);
    let mut participants: Vec<Participant> = ports
        .map(|(port, number)| {
            let container = by_endpoint.get(&port.endpoint);
            let label = container.copied().unwrap_or(&port.name);
            Participant {
                label: match label {
                    "" => short_id(&port.endpoint.to_string()),
                    label => label.to_owned(),
                },
                place: Place::Port {
                    port: PortIndex(number),
                    id: port.endpoint,
                    name: port.name.clone(),
                    container: container.map(|name| (*name).to_owned()),
                    network: switch.networks[port.network].name.clone(),
                    addresses: port.addresses.iter().map(|(address, _)| *address).collect(),
                },
            }
        })
        .collect();
    let every = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix"));
    participants.push(Participant {
        label: OUTSIDE.to_owned(),
        place: Place::Beyond(every.to_vec()),
    });
    tell_apart(&mut participants);
    participants
}

/// Gives those of one label the beginning of their id too, or all of it where that is no help.
fn tell_apart(participants: &mut [Participant]) {
    type Longer = fn(Guid) -> String;
    let longer: [Longer; 2] = [|id| short_id(&id.to_string()), |id| id.to_string()];
    for longer in longer {
        let mut times: HashMap<String, usize> = HashMap::new();
        for participant in participants.iter() {
            *times.entry(participant.label.clone()).or_default() += 1;
        }
        for participant in participants.iter_mut() {
            if times[&participant.label] > 1
                && let Some(id) = participant.id()
            {
                participant.label = format!("{} ({})", participant.label, longer(id));
            }
        }
    }
}

/// The places that a name means; one beyond the ports is added where it is not there.
///
/// # Errors
/// Those of [`lookup::endpoint_among`].
pub fn named(
    name: &str,
    participants: &mut Vec<Participant>,
    switch: &Switch,
    documents: &Documents,
    containers: &[Container],
) -> Result<Vec<usize>, Failure> {
    let missing = match lookup::endpoint_among(name, &documents.endpoints, containers) {
        Ok(index) => {
            let endpoint = &documents.endpoints[index];
            let id = guid(endpoint.id.get());
            if let Some(place) = place_of(participants, id) {
                return Ok(vec![place]);
            }
            // A remote endpoint has no port here.
            let addresses = lookup::addresses(endpoint);
            let addresses = addresses.iter().filter_map(|text| text.parse().ok());
            let beyond = addresses.map(|address: IpAddr| address.into()).collect();
            return Ok(vec![add(participants, name, beyond)]);
        }
        Err(failure @ Failure::NotFound { .. }) => failure,
        Err(other) => return Err(other),
    };
    if name == OUTSIDE {
        let is_outside = |participant: &Participant| {
            participant.label == OUTSIDE && participant.port().is_none()
        };
        return Ok(participants
            .iter()
            .position(is_outside)
            .into_iter()
            .collect());
    }
    if name == "host" {
        let gateways = hosts(switch);
        return match gateways.is_empty() {
            true => Err(Failure::Usage(
                "the host has an address of its own only on a NAT, ICS or Internal network with a gateway, and there is none; give its address"
                    .to_owned(),
            )),
            false => Ok(vec![add(participants, name, gateways)]),
        };
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![add(participants, name, vec![address.into()])]);
    }
    if let Ok(prefix) = name.parse::<IpNet>() {
        let has = |participant: &Participant| match &participant.place {
            Place::Port { addresses, .. } => {
                addresses.iter().any(|address| prefix.contains(address))
            }
            Place::Beyond(_) => false,
        };
        let inside = (0..participants.len()).filter(|place| has(&participants[*place]));
        let mut places: Vec<usize> = inside.collect();
        let label = format!("outside in {}", prefix.trunc());
        places.push(add(participants, &label, vec![prefix.trunc()]));
        return Ok(places);
    }
    Err(missing)
}

fn place_of(participants: &[Participant], id: Guid) -> Option<usize> {
    participants
        .iter()
        .position(|participant| participant.id() == Some(id))
}

/// The place of a participant beyond the ports, a new one unless it is there.
fn add(participants: &mut Vec<Participant>, label: &str, beyond: Vec<IpNet>) -> usize {
    let wanted = Participant {
        label: label.to_owned(),
        place: Place::Beyond(beyond),
    };
    if let Some(place) = participants.iter().position(|own| *own == wanted) {
        return place;
    }
    participants.push(wanted);
    participants.len() - 1
}

/// Addresses of the host: gateways of the networks whose gateway it is.
fn hosts(switch: &Switch) -> Vec<IpNet> {
    let own = switch.networks.iter().filter(|network| {
        matches!(
            network.network_type,
            NetworkType::Nat | NetworkType::Ics | NetworkType::Internal
        )
    });
    own.flat_map(|network| &network.subnets)
        .filter_map(|(_, gateway)| Some((*gateway)?.into()))
        .collect()
}
