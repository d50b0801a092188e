// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who can be asked for: the ports of a switch, and places beyond them.
//!
//! Apart from the matrix because names are found here. Invariant: no two participants of a matrix have one label.

use std::{collections::HashMap, net::IpAddr};

use hcn::{schema::Guid, service::Container};
use hcn_engine::{Documents, PortIndex, Switch, Topology, switch::Balancer};
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
    /// The host, at these addresses.
    Host(Vec<IpAddr>),
    /// A service that load balancers have at an address: a destination and never a source.
    Service(IpAddr),
}

impl Participant {
    /// The endpoint's id, where it is at a port.
    pub fn id(&self) -> Option<Guid> {
        match &self.place {
            Place::Port { id, .. } => Some(*id),
            Place::Beyond(_) | Place::Host(_) | Place::Service(_) => None,
        }
    }

    /// The port, where it is at one.
    pub fn port(&self) -> Option<PortIndex> {
        match &self.place {
            Place::Port { port, .. } => Some(*port),
            Place::Beyond(_) | Place::Host(_) | Place::Service(_) => None,
        }
    }

    /// Its addresses; the first ones of the prefixes that it is in, where it is beyond the ports.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let (own, prefixes): (&[IpAddr], &[IpNet]) = match &self.place {
            Place::Port { addresses, .. } | Place::Host(addresses) => (addresses, &[]),
            Place::Service(address) => (std::slice::from_ref(address), &[]),
            Place::Beyond(prefixes) => (&[], prefixes),
        };
        own.iter()
            .copied()
            .chain(prefixes.iter().map(IpNet::network))
    }

    /// Addresses that are destinations as they are, without a port of their own.
    pub fn targets(&self) -> &[IpAddr] {
        match &self.place {
            Place::Host(addresses) => addresses,
            Place::Service(address) => std::slice::from_ref(address),
            Place::Port { .. } | Place::Beyond(_) => &[],
        }
    }
}

/// The label of the host.
pub const HOST: &str = "host";

/// All ports of a switch in its order; after them, where ways are asked, the host and the services; and what is outside.
pub fn all(
    switch: &Switch,
    containers: &[Container],
    topology: Option<&Topology>,
) -> Vec<Participant> {
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
    if let Some(topology) = topology {
        let mut addresses: Vec<IpAddr> = topology
            .host_addresses()
            .map(|(address, _)| address)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let services = services(switch, &addresses);
        if !addresses.is_empty() {
            participants.push(Participant {
                label: HOST.to_owned(),
                place: Place::Host(addresses),
            });
        }
        participants.extend(services);
    }
    let every = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix"));
    participants.push(Participant {
        label: OUTSIDE.to_owned(),
        place: Place::Beyond(every.to_vec()),
    });
    tell_apart(&mut participants);
    participants
}

/// A service for each virtual address that nobody else has, by the name of its load balancer where that is the only one.
fn services(switch: &Switch, host: &[IpAddr]) -> Vec<Participant> {
    let vips = switch.balancers.iter().flat_map(|balancer| &balancer.vips);
    let mut vips: Vec<IpAddr> = vips.copied().collect();
    vips.sort_unstable();
    vips.dedup();
    vips.retain(|vip| !host.contains(vip) && switch.port_with(*vip).is_none());
    let service = |vip: IpAddr| {
        let all = switch.balancers.iter();
        let mut own = all.filter(|balancer| balancer.vips.contains(&vip));
        let name = match (own.next(), own.next()) {
            (Some(one), None) if !one.name.is_empty() && one.vips.len() == 1 => {
                let mut named = switch.balancers.iter();
                let is_only = named.all(|other| other.id == one.id || other.name != one.name);
                is_only.then(|| one.name.clone())
            }
            _ => None,
        };
        Participant {
            label: name.unwrap_or_else(|| vip.to_string()),
            place: Place::Service(vip),
        }
    };
    vips.into_iter().map(service).collect()
}

/// Gives those of one label the beginning of their id too, or all of it where that is no help.
pub(super) fn tell_apart(participants: &mut [Participant]) {
    type Longer = fn(Guid) -> String;
    let longer: [Longer; 2] = [|id| short_id(&id.to_string()), |id| id.to_string()];
    let plain: Vec<String> = participants.iter().map(|own| own.label.clone()).collect();
    for longer in longer {
        let mut times: HashMap<String, usize> = HashMap::new();
        for participant in participants.iter() {
            *times.entry(participant.label.clone()).or_default() += 1;
        }
        for (participant, plain) in participants.iter_mut().zip(&plain) {
            // The words for the host and for what is outside mean nobody else, also where they stand for no row.
            let is_word =
                participant.id().is_some() && [HOST, OUTSIDE].contains(&participant.label.as_str());
            if times[&participant.label] < 2 && !is_word {
                continue;
            }
            if let Some(id) = participant.id() {
                participant.label = format!("{plain} ({})", longer(id));
            } else if let Place::Service(address) = &participant.place {
                participant.label = address.to_string();
            }
        }
    }
}

/// The places that a name means; one beyond the ports is added where it is not there. The words host and outside mean those, as everywhere: an
/// endpoint that is called so has its id.
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
    match name {
        OUTSIDE => {
            let is_outside = |own: &Participant| own.label == OUTSIDE && own.port().is_none();
            return Ok(participants
                .iter()
                .position(is_outside)
                .into_iter()
                .collect());
        }
        HOST => return host(participants, switch).map(|place| vec![place]),
        _ => {}
    }
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
    let services: Vec<usize> = services_named(name, participants, switch);
    if !services.is_empty() {
        return Ok(services);
    }
    if let Some(address) = lookup::one_address(name)? {
        if address.is_loopback() {
            return Err(Failure::Usage(format!(
                "{address} is every machine's own address, and what goes there crosses no port"
            )));
        }
        let is_host = participants.iter().any(
            |participant| matches!(&participant.place, Place::Host(own) if own.contains(&address)),
        );
        if is_host {
            let host = Place::Host(vec![address]);
            return Ok(vec![add_at(participants, name, host)]);
        }
        return Ok(vec![add(participants, name, vec![address.into()])]);
    }
    if let Ok(prefix) = name.parse::<IpNet>() {
        if prefix != prefix.trunc() {
            return Err(Failure::Usage(format!(
                "{prefix} has bits set behind its prefix; write {} if the subnet is meant, {} if the one address is",
                prefix.trunc(),
                prefix.addr()
            )));
        }
        let has = |participant: &Participant| match &participant.place {
            Place::Port { addresses, .. } => {
                addresses.iter().any(|address| prefix.contains(address))
            }
            Place::Service(address) => prefix.contains(address),
            Place::Host(addresses) => addresses.iter().any(|address| prefix.contains(address)),
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

/// Services by the name of a load balancer, or by address.
fn services_named(name: &str, participants: &[Participant], switch: &Switch) -> Vec<usize> {
    let address = name.parse::<IpAddr>().ok();
    let is_meant = |vip: &IpAddr| {
        let by_name = |own: &Balancer| own.name == name && own.vips.contains(vip);
        address == Some(*vip) || (!name.is_empty() && switch.balancers.iter().any(by_name))
    };
    let all = participants.iter().enumerate();
    let meant = all.filter(|(_, participant)| match &participant.place {
        Place::Service(vip) => is_meant(vip),
        _ => false,
    });
    meant.map(|(place, _)| place).collect()
}

/// The place of a participant beyond the ports, a new one unless it is there.
fn add(participants: &mut Vec<Participant>, label: &str, beyond: Vec<IpNet>) -> usize {
    add_at(participants, label, Place::Beyond(beyond))
}

fn add_at(participants: &mut Vec<Participant>, label: &str, place: Place) -> usize {
    let wanted = Participant {
        label: label.to_owned(),
        place,
    };
    if let Some(place) = participants.iter().position(|own| *own == wanted) {
        return place;
    }
    participants.push(wanted);
    participants.len() - 1
}

/// The place of the host. Where rules alone are asked it is as good as any other place beyond the ports.
fn host(participants: &mut Vec<Participant>, switch: &Switch) -> Result<usize, Failure> {
    let is_host = |own: &Participant| own.label == HOST && matches!(own.place, Place::Host(_));
    if let Some(place) = participants.iter().position(is_host) {
        return Ok(place);
    }
    let topology = Topology::of(switch, usize::MAX);
    let mut addresses: Vec<IpNet> = topology
        .host_addresses()
        .map(|(address, _)| address.into())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(Failure::Usage(
            "no network here says which address the host has: the gateway of a NAT, ICS or Internal network is one, and so is a management address; give its address"
                .to_owned(),
        )),
        false => Ok(add(participants, HOST, addresses)),
    }
}
