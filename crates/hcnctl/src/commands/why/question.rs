// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions about one flow: who sends and who is asked for, by the words of a command line.
//!
//! Apart from the commands because nothing is judged here. Invariant: a question has one source, one destination and one start.

use std::{collections::HashSet, net::IpAddr};

use hcn::{Kind, schema::Endpoint};
use hcn_engine::{
    Family, Flow, PortIndex, Protocol, Start, Switch,
    switch::Balancer,
    way::{DYNAMIC_PORT, Fate, Receiver},
    why::Inquiry,
};

use super::Sources;
use crate::{
    commands::spec::DestinationSpec,
    failure::Failure,
    lookup::{addresses, guid, label, one_address, unbracketed},
    reach::participant::{HOST, OUTSIDE},
};

/// A question, understood.
pub(crate) struct Question {
    pub(crate) start: Start,
    pub(crate) flow: Flow,
    /// What the sender is called.
    pub(crate) from: String,
    /// What the receiver is called.
    pub(crate) to: String,
    /// Who is meant.
    pub(crate) meant: Meant,
    /// Other addresses of the host, where it is asked for by its name.
    pub(crate) host_beside: Vec<IpAddr>,
    /// Whether the source port is the asker's and not one that systems choose.
    pub(crate) is_port_given: bool,
}

/// Who is meant by a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Whoever has the address.
    Anyone,
    /// The endpoint at this port: another one may have its address.
    Port(PortIndex),
    /// An endpoint on another host.
    Remote,
}

impl Question {
    /// Whether what fares so gets to whom it is meant for.
    pub(crate) fn is_allowed(&self, fate: Fate) -> bool {
        fate.is_allowed() && !self.is_missed(fate)
    }

    /// Whether somebody else with the same address gets it.
    pub(crate) fn is_missed(&self, fate: Fate) -> bool {
        match (self.meant, fate) {
            (Meant::Port(meant), Fate::Arrives(Receiver::Port(port))) => port != meant,
            (Meant::Port(_), Fate::Leaves) | (Meant::Remote, Fate::Arrives(_)) => true,
            _ => false,
        }
    }
}

/// Who takes part.
struct Party {
    label: String,
    start: Start,
    /// Addresses among which one may choose; none where the way decides.
    addresses: Vec<IpAddr>,
}

/// Whom it is sent to.
struct Destination {
    label: String,
    address: IpAddr,
    meant: Meant,
    /// As [`Question::host_beside`].
    host_beside: Vec<IpAddr>,
}

impl Destination {
    fn anyone(label: String, address: IpAddr) -> Self {
        Destination {
            label,
            address,
            meant: Meant::Anyone,
            host_beside: Vec::new(),
        }
    }
}

/// The same question in the other family, where both sides are named and have addresses of it.
pub(super) fn in_other_family(
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    (from, to): (&str, &DestinationSpec),
    own: &Question,
) -> Option<Question> {
    let other = match own.flow.destination {
        IpAddr::V4(_) => Family::V6,
        IpAddr::V6(_) => Family::V4,
    };
    let is_address = |name: &str| unbracketed(name).parse::<IpAddr>().is_ok();
    if is_address(from) || is_address(&to.name) {
        return None;
    }
    let source_port = own.is_port_given.then_some(own.flow.source_port);
    question(sources, inquiry, from, to, source_port, Some(other)).ok()
}

/// Understands a question; of a family where that is given.
pub(super) fn question(
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    from: &str,
    to: &DestinationSpec,
    source_port: Option<u16>,
    family: Option<Family>,
) -> Result<Question, Failure> {
    let sender = party(sources, inquiry, from)?;
    let to_whom = destination(sources, inquiry, to, &sender, family)?;
    let destination = to_whom.address;
    let own = sender
        .addresses
        .iter()
        .find(|own| own.is_ipv4() == destination.is_ipv4());
    let source = match (own, sender.start) {
        (Some(own), _) if unbracketed(from).parse::<IpAddr>().is_ok() => Some(*own),
        (own, start) => inquiry
            .switch()
            .source_towards(inquiry.topology(), start, destination)
            .or(own.copied()),
    };
    let Some(source) = source else {
        let family = if destination.is_ipv4() {
            "IPv4"
        } else {
            "IPv6"
        };
        return Err(Failure::Usage(format!(
            "{} has no {family} address, and {destination} is one",
            sender.label
        )));
    };
    if sender.start == Start::Outside && is_outside(inquiry, destination) {
        return Err(Failure::Usage(format!(
            "neither {source} nor {destination} is on this host, so nothing here judges what goes between them"
        )));
    }
    let protocol = match (to.protocol, destination) {
        (Protocol::ICMP, IpAddr::V6(_)) => Protocol::ICMPV6,
        (protocol, _) => protocol,
    };
    if source_port.is_some() && !protocol.has_ports() {
        return Err(Failure::Usage(format!(
            "{protocol} has no ports; leave --source-port out"
        )));
    }
    Ok(Question {
        start: sender.start,
        flow: Flow {
            source,
            destination,
            protocol,
            source_port: match protocol.has_ports() {
                true => source_port.unwrap_or(DYNAMIC_PORT),
                false => 0,
            },
            destination_port: to.port,
        },
        is_port_given: source_port.is_some(),
        from: sender.label,
        to: to_whom.label,
        meant: to_whom.meant,
        host_beside: to_whom.host_beside,
    })
}

/// Whether nobody and nothing on this host has an address.
fn is_outside(inquiry: &Inquiry<'_>, address: IpAddr) -> bool {
    let switch = inquiry.switch();
    let mut balancers = switch.balancers.iter();
    switch.start_of(inquiry.topology(), address) == Start::Outside
        && !balancers.any(|own| own.vips.contains(&address))
}

fn party(sources: &Sources, inquiry: &Inquiry<'_>, name: &str) -> Result<Party, Failure> {
    if name == HOST {
        return Ok(Party {
            label: "the host".to_owned(),
            start: Start::Host,
            addresses: Vec::new(),
        });
    }
    let switch = inquiry.switch();
    if let Some(address) = one_address(name)? {
        let owners = switch.ports_with(address);
        let mut balancers = switch.balancers.iter();
        // What is sent from an address that somebody has is sent by him, whatever a load balancer does with what is sent to it.
        let is_nobodys = switch.start_of(inquiry.topology(), address) == Start::Outside;
        let balancer = balancers.find(|own| own.vips.contains(&address));
        if let Some(balancer) = balancer.filter(|_| is_nobodys) {
            return Err(Failure::Usage(format!(
                "{address} is a virtual address of {}, which sends nothing of its own; ask from a client, or from one of its backends",
                balancer_label(balancer)
            )));
        }
        if address.is_loopback() {
            return Err(Failure::Usage(format!(
                "{address} is every machine's own address; say who sends"
            )));
        }
        if let [one, other, ..] = owners {
            return Err(Failure::Usage(format!(
                "{address} is an address of {} and of {}; say which of them sends",
                port_label(sources, switch, *one),
                port_label(sources, switch, *other)
            )));
        }
        let start = switch.start_of(inquiry.topology(), address);
        return Ok(Party {
            label: match start {
                Start::Port(port) => port_label(sources, switch, port),
                Start::Host => "the host".to_owned(),
                Start::Outside => address.to_string(),
            },
            start,
            addresses: vec![address],
        });
    }
    let documents = &sources.sketch;
    let place = crate::lookup::endpoint_among(name, &documents.endpoints, &sources.containers)
        .map_err(|failure| not_one_address(name, failure))?;
    let endpoint = &documents.endpoints[place];
    let id = guid(endpoint.id.get());
    Ok(Party {
        label: label(id, &endpoint.name.or_default(), &sources.containers),
        start: match switch.port_of(id) {
            Some(port) => Start::Port(port),
            None => Start::Outside,
        },
        addresses: parsed(endpoint),
    })
}

/// `outside`, which `reach` knows, is many addresses, and here one is asked about.
fn not_one_address(name: &str, failure: Failure) -> Failure {
    match failure {
        Failure::NotFound { .. } if name == OUTSIDE => Failure::Usage(format!(
            "{OUTSIDE} is every address beyond this host; give one, e.g. 8.8.8.8, or ask hcnctl reach, which answers for all of them"
        )),
        other => other,
    }
}

pub(super) fn parsed(endpoint: &Endpoint) -> Vec<IpAddr> {
    let texts = addresses(endpoint);
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Whom a destination means, at an address of the family that is wanted, or else of the sender's where there is a choice.
fn destination(
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    to: &DestinationSpec,
    sender: &Party,
    family: Option<Family>,
) -> Result<Destination, Failure> {
    let switch = inquiry.switch();
    if let Some(address) = one_address(&to.name)? {
        let label = named_address(sources, inquiry, address);
        return Ok(Destination::anyone(label, address));
    }
    let choose = |all: &[IpAddr]| match family {
        Some(family) => {
            let mut all = all.iter();
            all.find(|address| Family::from(**address) == family)
                .copied()
        }
        None => like_sender(&sender.addresses, all),
    };
    if to.name == HOST {
        let all = inquiry.topology().host_addresses_for(switch, sender.start);
        let Some(address) = choose(&all) else {
            return Err(Failure::Usage(NO_HOST_ADDRESS.to_owned()));
        };
        let is_beside = |own: &IpAddr| *own != address && own.is_ipv4() == address.is_ipv4();
        return Ok(Destination {
            host_beside: all.into_iter().filter(is_beside).collect(),
            ..Destination::anyone("the host".to_owned(), address)
        });
    }
    let documents = &sources.sketch;
    let balancers = balancers_named(switch, &to.name);
    let place =
        match crate::lookup::endpoint_among(&to.name, &documents.endpoints, &sources.containers) {
            Err(Failure::NotFound { .. }) if !balancers.is_empty() => {
                let vips = balancers.iter();
                let vips: Vec<IpAddr> = vips.flat_map(|balancer| balancer.vips.clone()).collect();
                // Those of one virtual address are a service of several ports, and it is the address that is asked about.
                let asked: HashSet<IpAddr> = balancers
                    .iter()
                    .filter_map(|balancer| choose(&balancer.vips))
                    .collect();
                if asked.len() > 1 {
                    return Err(Failure::Ambiguous {
                        kind: Kind::LoadBalancer,
                        name: to.name.clone(),
                        candidates: balancers
                            .iter()
                            .map(|balancer| {
                                let vips = balancer.vips.iter().map(ToString::to_string);
                                let vips: Vec<String> = vips.collect();
                                format!("{}, {}", balancer_label(balancer), vips.join(" and "))
                            })
                            .collect(),
                    });
                }
                let Some(address) = choose(&vips) else {
                    return Err(Failure::Usage(format!(
                        "the load balancer {} is at any address of the host; say host:{}/{}",
                        to.name, to.port, to.protocol
                    )));
                };
                let label = balancer_label(balancers[0]);
                return Ok(Destination::anyone(label, address));
            }
            found => found.map_err(|failure| not_one_address(&to.name, failure))?,
        };
    let endpoint = &documents.endpoints[place];
    let id = guid(endpoint.id.get());
    let own = label(id, &endpoint.name.or_default(), &sources.containers);
    match choose(&parsed(endpoint)) {
        Some(address) => Ok(Destination {
            meant: switch.port_of(id).map_or(Meant::Remote, Meant::Port),
            ..Destination::anyone(own, address)
        }),
        None => Err(Failure::Usage(format!("{} has no address", to.name))),
    }
}

/// The first of some addresses that a sender with these has a family for; the first of all where he has none.
pub(crate) fn like_sender(own: &[IpAddr], all: &[IpAddr]) -> Option<IpAddr> {
    let fits = |address: &&IpAddr| {
        own.is_empty() || own.iter().any(|own| own.is_ipv4() == address.is_ipv4())
    };
    all.iter().find(fits).or(all.first()).copied()
}

/// Why the host cannot be asked for.
pub(crate) const NO_HOST_ADDRESS: &str =
    "the host has no address on any network, as no network has a gateway or a management address";

/// Load balancers of a name, or of an id or its beginning.
fn balancers_named<'a>(switch: &'a Switch, name: &str) -> Vec<&'a Balancer> {
    let lower = name.to_ascii_lowercase();
    let fits = |balancer: &&Balancer| {
        let id = balancer.id.to_string();
        balancer.name == name || (lower.len() >= 3 && id.to_ascii_lowercase().starts_with(&lower))
    };
    switch.balancers.iter().filter(fits).collect()
}

pub(super) fn port_label(sources: &Sources, switch: &Switch, port: PortIndex) -> String {
    let port = &switch.ports[port.0 as usize];
    label(port.endpoint, &port.name, &sources.containers)
}

/// What a load balancer is called; those of kube-proxy have no name.
pub(crate) fn balancer_label(balancer: &Balancer) -> String {
    match balancer.name.as_str() {
        "" => format!(
            "load balancer {}",
            crate::render::short_id(&balancer.id.to_string())
        ),
        name => label(balancer.id, name, &[]),
    }
}

/// What an address is called: its endpoint where it is that of one, its load balancer, the host, or itself.
fn named_address(sources: &Sources, inquiry: &Inquiry<'_>, address: IpAddr) -> String {
    let switch = inquiry.switch();
    let mut balancers = switch.balancers.iter();
    if let Some(balancer) = balancers.find(|own| own.vips.contains(&address)) {
        return balancer_label(balancer);
    }
    match switch.start_of(inquiry.topology(), address) {
        Start::Port(port) if switch.ports_with(address).len() == 1 => {
            port_label(sources, switch, port)
        }
        Start::Host => "the host".to_owned(),
        Start::Port(_) | Start::Outside => address.to_string(),
    }
}
