// SPDX-License-Identifier: MIT OR Apache-2.0
//! `can` and `why`: the judge's answer about one flow, and everything that it hangs on.
//!
//! Apart from `probe`, which sends packets: here nothing is sent, and nobody need listen.

use std::net::IpAddr;

use hcn::{
    Kind,
    schema::{Document, Endpoint, Guid, LoadBalancer, Query},
    service::{Profile, profile},
};
use hcn_engine::{
    Documents, Flow, Protocol, Semantics, Start, Switch,
    parts::Parts,
    switch::Balancer,
    way::DYNAMIC_PORT,
    why::{self, Explanation, Inquiry, Outline},
};

use crate::{
    cli::{CanArgs, ProbeOutput, WhyArgs},
    commands::spec::DestinationSpec,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid, label},
    render::why::{Names, Otherwise, Page, json_page, summary, text_page},
};

/// A question, understood.
pub(crate) struct Question {
    pub(crate) start: Start,
    pub(crate) flow: Flow,
    /// What the sender is called.
    pub(crate) from: String,
    /// What the receiver is called.
    pub(crate) to: String,
    /// Whether the source port is the asker's and not one that systems choose.
    pub(crate) is_port_given: bool,
}

/// Says whether a flow is allowed.
pub fn can(desk: &mut Desk<'_>, args: &CanArgs) -> Outcome {
    let sources = Sources::read(desk)?;
    let profile = profile(desk)?;
    let mut inquiry = Inquiry::new(&sources.sketch, &profile.semantics);
    let mut question = question(
        desk,
        &sources.sketch,
        &inquiry,
        &args.from,
        &args.to,
        args.source_port,
    )?;
    let (explanation, _) = explained(&sources, &mut inquiry, &mut question, &[]);
    if !args.quiet {
        let names = names(desk, inquiry.switch(), &sources.sketch)?;
        writeln!(desk.out, "{}", summary(&names, &question, &explanation))?;
    }
    Ok(code(&explanation))
}

/// Says why.
pub fn run(desk: &mut Desk<'_>, args: &WhyArgs) -> Outcome {
    let sources = Sources::read(desk)?;
    if let Some(path) = &args.packet {
        return super::packets::run(desk, &sources.in_full(), path, args.output);
    }
    let profile = profile(desk)?;
    let mut inquiry = Inquiry::new(&sources.sketch, &profile.semantics);
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Failure::Usage(
            "say from whom and to whom, or give a capture with --packet".to_owned(),
        ));
    };
    let mut question = question(desk, &sources.sketch, &inquiry, from, to, args.source_port)?;
    let others: Vec<Profile> = profile::KNOWN
        .iter()
        .filter(|(version, _)| *version != profile.version)
        .filter_map(|(version, _)| Profile::of(*version).ok())
        .map(|other| other.with(&profile.switches))
        .collect();
    let open = profile.semantics.open_questions();
    let of_profiles = others.iter().map(|profile| &profile.semantics);
    let of_questions = open.iter().map(|open| &open.semantics);
    let all: Vec<&Semantics> = of_profiles.chain(of_questions).collect();
    let (explanation, answers) = explained(&sources, &mut inquiry, &mut question, &all);
    let mut answers = answers.into_iter();
    let profiles = others
        .iter()
        .zip(answers.by_ref())
        .map(|(other, answer)| of_profile(&profile, other, explanation.parts, answer))
        .collect();
    let questions = open.iter().zip(answers).map(|(open, answer)| Otherwise {
        name: open.number.to_owned(),
        says: open.otherwise.to_owned(),
        lacks: Vec::new(),
        answer,
    });
    let page = Page {
        names: names(desk, inquiry.switch(), &sources.sketch)?,
        profile: profile.name(),
        question: &question,
        explanation: &explanation,
        profiles,
        questions: questions.collect(),
    };
    match args.output {
        ProbeOutput::Text => write!(desk.out, "{}", text_page(&page))?,
        ProbeOutput::Json => {
            crate::render::json::write_object(&mut desk.out, &json_page(&page).to_string())?;
        }
    }
    Ok(code(&explanation))
}

fn code(explanation: &Explanation) -> u8 {
    match explanation.way.fate.is_allowed() {
        true => exit::DONE,
        false => exit::DENIED,
    }
}

pub(crate) fn profile(desk: &Desk<'_>) -> Result<Profile, Failure> {
    let profile = desk.connection().profile();
    profile.map_err(Failure::hns("read the version of HNS"))
}

/// Why the flow fares so, and how under other semantics. Where the question names no source port and from some of those that systems choose
/// the flow does not get through, the question is about the first of them: who is told "allowed" relies on it.
fn explained<'a>(
    sources: &'a Sources,
    inquiry: &mut Inquiry<'a>,
    question: &mut Question,
    others: &[&Semantics],
) -> (Explanation, Vec<why::Otherwise>) {
    let explain = |inquiry: &mut Inquiry<'a>, question: &Question| {
        inquiry.sieve(question.start, &question.flow, |id| sources.outline(id));
        inquiry.explain_with(question.start, &question.flow, others.iter().copied())
    };
    let found = explain(inquiry, question);
    if question.is_port_given || !found.0.way.fate.is_allowed() {
        return found;
    }
    let denied = found.0.source_ports.iter();
    let denied = denied.filter(|ports| !ports.fate.is_allowed());
    let ranges = denied.flat_map(|ports| &ports.ranges);
    let chosen = ranges.filter(|(_, last)| *last >= DYNAMIC_PORT);
    match chosen.map(|(first, _)| (*first).max(DYNAMIC_PORT)).min() {
        Some(port) => {
            question.flow.source_port = port;
            explain(inquiry, question)
        }
        None => found,
    }
}

/// How the flow fares in another profile.
fn of_profile(own: &Profile, other: &Profile, used: Parts, answer: why::Otherwise) -> Otherwise {
    let acls = match (own.semantics.acl_on_nat, other.semantics.acl_on_nat) {
        (true, false) => "; there, rules on NAT networks have no effect",
        (false, true) => "; there, rules on NAT networks have an effect",
        _ => "",
    };
    let (here, there) = (own.semantics.lacked(), other.semantics.lacked());
    let differing = used.and(here.except_common(there));
    let words = |is_there: bool| {
        let parts = differing.iter().filter(|part| there.has(*part) != is_there);
        let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
        match (parts.is_empty(), is_there) {
            (true, _) => String::new(),
            (false, true) => format!("; it has {}", parts.join(", ")),
            (false, false) => format!("; {} not in it", is_or_are(&parts)),
        }
    };
    let parts = [words(false), words(true)].concat();
    Otherwise {
        name: other.version.to_string(),
        says: format!("{}{acls}{parts}", other.windows),
        lacks: used.and(there).iter().collect(),
        answer,
    }
}

fn is_or_are(parts: &[String]) -> String {
    let verb = if parts.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", parts.join(", "))
}

/// Everything that a verdict is made from, by the seam.
pub(crate) struct Sources {
    /// All objects; of endpoints' policies only the published ports, as most endpoints are not on the way and rules are most of a document.
    sketch: Documents,
    /// The endpoints' documents as they came, in the order of the sketch.
    outlines: Vec<Outline>,
}

impl Sources {
    fn read(desk: &Desk<'_>) -> Result<Sources, Failure> {
        let client = desk.client();
        let networks = client
            .networks(&Query::v2())
            .map_err(Failure::hns("list the networks"))?;
        let texts = client
            .hns()
            .list(Kind::Endpoint, &Query::v2().text())
            .map_err(Failure::hns("list the endpoints"))?;
        // An HNS without load balancers has none.
        let load_balancers = client
            .hns()
            .list(Kind::LoadBalancer, &Query::v2().text())
            .unwrap_or_default();
        // What is no document has no part in anything.
        let (outlines, endpoints) = texts
            .into_iter()
            .filter_map(|text| {
                let outline = Outline::of(text);
                let sketch = outline.sketch()?;
                Some((outline, sketch))
            })
            .unzip();
        Ok(Sources {
            sketch: Documents {
                networks,
                endpoints,
                load_balancers: load_balancers
                    .iter()
                    .filter_map(|text| LoadBalancer::from_json(text).ok())
                    .collect(),
            },
            outlines,
        })
    }

    /// An endpoint's document.
    fn outline(&self, id: Guid) -> Option<&Outline> {
        let mut endpoints = self.sketch.endpoints.iter().zip(&self.outlines);
        endpoints
            .find(|(own, _)| guid(own.id.get()) == id)
            .map(|(_, outline)| outline)
    }

    /// All documents in full.
    fn in_full(&self) -> Documents {
        let endpoints = self.outlines.iter();
        Documents {
            networks: self.sketch.networks.clone(),
            endpoints: endpoints
                .filter_map(|outline| Endpoint::from_json(outline.text()).ok())
                .collect(),
            load_balancers: self.sketch.load_balancers.clone(),
        }
    }
}

pub(crate) fn names<'a>(
    desk: &Desk<'_>,
    switch: &'a Switch,
    documents: &Documents,
) -> Result<Names<'a>, Failure> {
    let remote = documents.endpoints.iter().filter(|own| own.is_remote());
    Ok(Names {
        switch,
        hns: format!("HNS {}", profile(desk)?.version),
        containers: desk.containers()?,
        remote: remote
            .map(|own| (guid(own.id.get()), own.name.or_default()))
            .collect(),
    })
}

/// Who takes part.
struct Party {
    label: String,
    start: Start,
    /// Addresses among which one may choose; none where the way decides.
    addresses: Vec<IpAddr>,
}

/// Understands a question.
fn question(
    desk: &Desk<'_>,
    documents: &Documents,
    inquiry: &Inquiry<'_>,
    from: &str,
    to: &DestinationSpec,
    source_port: Option<u16>,
) -> Result<Question, Failure> {
    let sender = party(desk, documents, inquiry, from)?;
    let (to_label, destination) = destination(desk, documents, inquiry, to, &sender)?;
    let own = sender
        .addresses
        .iter()
        .find(|own| own.is_ipv4() == destination.is_ipv4());
    let source = match (own, sender.start) {
        (Some(own), _) if from.parse::<IpAddr>().is_ok() => Some(*own),
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
    let protocol = match (to.protocol, destination) {
        (Protocol::ICMP, IpAddr::V6(_)) => Protocol::ICMPV6,
        (protocol, _) => protocol,
    };
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
        to: to_label,
    })
}

fn party(
    desk: &Desk<'_>,
    documents: &Documents,
    inquiry: &Inquiry<'_>,
    name: &str,
) -> Result<Party, Failure> {
    if name == "host" {
        return Ok(Party {
            label: "the host".to_owned(),
            start: Start::Host,
            addresses: Vec::new(),
        });
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        let mut balancers = inquiry.switch().balancers.iter();
        if let Some(balancer) = balancers.find(|own| own.vips.contains(&address)) {
            return Err(Failure::Usage(format!(
                "{address} is a virtual address of {}, which sends nothing of its own; ask from a client, or from one of its backends",
                balancer_label(balancer)
            )));
        }
        let start = inquiry.switch().start_of(inquiry.topology(), address);
        return Ok(Party {
            label: match start {
                Start::Port(port) => {
                    let port = &inquiry.switch().ports[port.0 as usize];
                    label(port.endpoint, &port.name, &desk.containers()?)
                }
                Start::Host => "the host".to_owned(),
                Start::Outside => address.to_string(),
            },
            start,
            addresses: vec![address],
        });
    }
    let place = crate::lookup::endpoint_among(name, &documents.endpoints, &desk.containers()?)?;
    let endpoint = &documents.endpoints[place];
    let id = guid(endpoint.id.get());
    Ok(Party {
        label: label(id, &endpoint.name.or_default(), &desk.containers()?),
        start: match inquiry.switch().port_of(id) {
            Some(port) => Start::Port(port),
            None => Start::Outside,
        },
        addresses: parsed(endpoint),
    })
}

fn parsed(endpoint: &Endpoint) -> Vec<IpAddr> {
    let texts = addresses(endpoint);
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The address that is meant, of the sender's family where there is a choice.
fn destination(
    desk: &Desk<'_>,
    documents: &Documents,
    inquiry: &Inquiry<'_>,
    to: &DestinationSpec,
    sender: &Party,
) -> Result<(String, IpAddr), Failure> {
    let switch = inquiry.switch();
    if let Ok(address) = to.name.parse::<IpAddr>() {
        return Ok((named_address(desk, inquiry, address)?, address));
    }
    let like_sender = |all: &[IpAddr]| {
        let own = &sender.addresses;
        let fits = |address: &&IpAddr| {
            own.is_empty() || own.iter().any(|own| own.is_ipv4() == address.is_ipv4())
        };
        all.iter().find(fits).or(all.first()).copied()
    };
    if to.name == "host" {
        let of_router = match sender.start {
            Start::Port(port) => switch.ports[port.0 as usize].gateways.first().copied(),
            Start::Host | Start::Outside => None,
        };
        let families = [hcn_engine::Family::V4, hcn_engine::Family::V6];
        let topology = inquiry.topology();
        let own: Vec<IpAddr> = families
            .into_iter()
            .filter_map(|family| topology.first_host_address(family))
            .collect();
        let found = of_router
            .filter(|router| topology.network_of_host_address(*router).is_some())
            .or_else(|| like_sender(&own));
        return match found {
            Some(address) => Ok(("the host".to_owned(), address)),
            None => Err(Failure::Usage(
                "the host has no address on any network, as no network has a gateway".to_owned(),
            )),
        };
    }
    let by_name = |balancer: &&Balancer| balancer.name == to.name;
    let place =
        match crate::lookup::endpoint_among(&to.name, &documents.endpoints, &desk.containers()?) {
            Err(Failure::NotFound { .. }) if switch.balancers.iter().any(|own| by_name(&own)) => {
                let vips = switch.balancers.iter().filter(by_name);
                let vips: Vec<IpAddr> = vips.flat_map(|balancer| balancer.vips.clone()).collect();
                let Some(address) = like_sender(&vips) else {
                    return Err(Failure::Usage(format!(
                        "the load balancer {} is at any address of the host; say host:{}/{}",
                        to.name, to.port, to.protocol
                    )));
                };
                return Ok((to.name.clone(), address));
            }
            found => found?,
        };
    let endpoint = &documents.endpoints[place];
    let id = guid(endpoint.id.get());
    let own = label(id, &endpoint.name.or_default(), &desk.containers()?);
    match like_sender(&parsed(endpoint)) {
        Some(address) => Ok((own, address)),
        None => Err(Failure::Usage(format!("{} has no address", to.name))),
    }
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

/// What an address is called: its endpoint, its load balancer, the host, or itself.
fn named_address(
    desk: &Desk<'_>,
    inquiry: &Inquiry<'_>,
    address: IpAddr,
) -> Result<String, Failure> {
    let switch = inquiry.switch();
    let mut balancers = switch.balancers.iter();
    if let Some(balancer) = balancers.find(|own| own.vips.contains(&address)) {
        return Ok(balancer_label(balancer));
    }
    Ok(match switch.start_of(inquiry.topology(), address) {
        Start::Port(port) => {
            let port = &switch.ports[port.0 as usize];
            label(port.endpoint, &port.name, &desk.containers()?)
        }
        Start::Host => "the host".to_owned(),
        Start::Outside => address.to_string(),
    })
}
