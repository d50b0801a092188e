// SPDX-License-Identifier: MIT OR Apache-2.0
//! `can` and `why`: the judge's answer about one flow, and everything that it hangs on.
//!
//! Apart from `probe`, which sends packets: here nothing is sent, and nobody need listen.

use std::{io::Write, net::IpAddr};

use hcn::{
    Kind,
    schema::{Document, Endpoint, Guid, Query},
    service::{Container, Profile, profile},
};
use hcn_engine::{
    Documents, Flow, PortIndex, Protocol, Semantics, Start, Switch,
    parts::Parts,
    switch::Balancer,
    way::{DYNAMIC_PORT, Fate, Receiver},
    why::{self, Explanation, Inquiry, Outline},
};

use crate::{
    cli::{CanArgs, Globals, ProbeOutput, WhyArgs},
    commands::{
        diff::{Scope, Side},
        spec::DestinationSpec,
    },
    desk::{Desk, Outcome},
    documents,
    failure::{Failure, exit},
    lookup::{addresses, guid, label, one_address, unbracketed},
    reach::participant::{HOST, OUTSIDE},
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
    /// The port that is meant, where an endpoint is named: another one may have its address.
    pub(crate) meant: Option<PortIndex>,
    /// Whether the source port is the asker's and not one that systems choose.
    pub(crate) is_port_given: bool,
}

impl Question {
    /// Whether what fares so gets to whom it is meant for.
    pub(crate) fn is_allowed(&self, fate: Fate) -> bool {
        fate.is_allowed() && !self.is_missed(fate)
    }

    /// Whether somebody else with the same address gets it.
    pub(crate) fn is_missed(&self, fate: Fate) -> bool {
        match (self.meant, fate) {
            (Some(meant), Fate::Arrives(Receiver::Port(port))) => port != meant,
            _ => false,
        }
    }
}

/// Says whether a flow is allowed.
pub fn can(desk: &mut Desk<'_>, args: &CanArgs) -> Outcome {
    let sources = Sources::read(desk, &args.of)?;
    let profile = profile(desk)?;
    can_of(&sources, &profile, args, desk.out)
}

/// Says it of a file without asking any HNS; `None` where a moment or now is asked for.
///
/// # Errors
/// As [`can`].
pub fn can_on_file(
    args: &CanArgs,
    globals: &Globals,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Result<Option<u8>, Failure> {
    match Sources::of_file(&args.of, words)? {
        Some(sources) => can_of(&sources, &profile_of(globals)?, args, out).map(Some),
        None => Ok(None),
    }
}

fn can_of(sources: &Sources, profile: &Profile, args: &CanArgs, out: &mut dyn Write) -> Outcome {
    let mut inquiry = Inquiry::new(&sources.sketch, &profile.semantics);
    let mut question = question(sources, &inquiry, &args.from, &args.to, args.source_port)?;
    let (explanation, _) = explained(sources, &mut inquiry, &mut question, &[]);
    if !args.quiet {
        let names = names_of(
            inquiry.switch(),
            &sources.sketch,
            sources.containers.clone(),
            profile,
        );
        writeln!(out, "{}", summary(&names, &question, &explanation))?;
    }
    Ok(code(&question, &explanation))
}

/// Says why.
pub fn run(desk: &mut Desk<'_>, args: &WhyArgs) -> Outcome {
    let sources = Sources::read(desk, &args.of)?;
    if let Some(path) = &args.packet {
        return super::packets::run(desk, &sources.in_full(), path, args.output);
    }
    let profile = profile(desk)?;
    why_of(&sources, &profile, args, desk.out)
}

/// Says it of a file without asking any HNS; `None` where a moment or now is asked for.
///
/// # Errors
/// As [`run`].
pub fn run_on_file(
    args: &WhyArgs,
    globals: &Globals,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Result<Option<u8>, Failure> {
    if args.packet.is_some() {
        return Ok(None);
    }
    match Sources::of_file(&args.of, words)? {
        Some(sources) => why_of(&sources, &profile_of(globals)?, args, out).map(Some),
        None => Ok(None),
    }
}

fn why_of(
    sources: &Sources,
    profile: &Profile,
    args: &WhyArgs,
    mut out: &mut dyn Write,
) -> Outcome {
    let mut inquiry = Inquiry::new(&sources.sketch, &profile.semantics);
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Failure::Usage(
            "say from whom and to whom, or give a capture with --packet".to_owned(),
        ));
    };
    let mut question = question(sources, &inquiry, from, to, args.source_port)?;
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
    let (explanation, answers) = explained(sources, &mut inquiry, &mut question, &all);
    let mut answers = answers.into_iter();
    let profiles = others
        .iter()
        .zip(answers.by_ref())
        .map(|(other, answer)| of_profile(profile, other, explanation.parts, answer))
        .collect();
    let questions = open.iter().zip(answers).map(|(open, answer)| Otherwise {
        name: open.number.to_owned(),
        says: open.otherwise.to_owned(),
        lacks: Vec::new(),
        answer,
    });
    let page = Page {
        names: names_of(
            inquiry.switch(),
            &sources.sketch,
            sources.containers.clone(),
            profile,
        ),
        profile: profile.name(),
        question: &question,
        explanation: &explanation,
        profiles,
        questions: questions.collect(),
    };
    match args.output {
        ProbeOutput::Text => write!(out, "{}", text_page(&page))?,
        ProbeOutput::Json => {
            crate::render::json::write_object(&mut out, &json_page(&page).to_string())?;
        }
    }
    Ok(code(&question, &explanation))
}

fn code(question: &Question, explanation: &Explanation) -> u8 {
    match question.is_allowed(explanation.way.fate) {
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

/// The profile that a command line without an HNS means.
fn profile_of(globals: &Globals) -> Result<Profile, Failure> {
    let choice = globals.profile.clone().unwrap_or_default();
    super::reach::described(&choice, &Profile::nearest(profile::DEFAULT))
}

/// Everything that a verdict is made from.
pub(crate) struct Sources {
    /// All objects; of endpoints' policies only those that translate, as most endpoints are not on the way and rules are most of a document.
    sketch: Documents,
    /// The endpoints' documents as they came, in the order of the sketch.
    outlines: Vec<Outline>,
    containers: Vec<Container>,
}

impl Sources {
    /// What a side is: now, a moment, or a file.
    fn read(desk: &mut Desk<'_>, of: &str) -> Result<Sources, Failure> {
        let side = Side::of(of)?;
        let containers = desk.containers()?;
        if !matches!(side, Side::Now) {
            let listing = side.listing(desk, side.kept()?, &Scope::of([].into_iter()))?;
            let documents = documents::of_listing(&listing, of, desk.words)?;
            // Names of containers are those of now; of a file they mean nothing.
            let containers = match side {
                Side::Moment(_) => containers,
                Side::Now | Side::StandardInput | Side::File(_) => Vec::new(),
            };
            return Ok(Sources::of_documents(documents, containers));
        }
        let client = desk.client();
        let networks = client
            .networks(&Query::v2())
            .map_err(Failure::hns("list the networks"))?;
        let texts = client
            .hns()
            .list(Kind::Endpoint, &Query::v2().text())
            .map_err(Failure::hns("list the endpoints"))?;
        let mut outlines = Vec::with_capacity(texts.len());
        let mut endpoints = Vec::with_capacity(texts.len());
        for text in texts {
            let outline = Outline::of(text);
            endpoints.push(match outline.sketch() {
                Some(sketch) => sketch,
                None => Endpoint::from_json(outline.text())
                    .map_err(documents::no_document("list the endpoints"))?,
            });
            outlines.push(outline);
        }
        Ok(Sources {
            sketch: Documents {
                networks,
                endpoints,
                load_balancers: documents::load_balancers(desk)?,
            },
            outlines,
            containers,
        })
    }

    /// As [`Sources::read`], of a file without any HNS; `None` where one is needed.
    fn of_file(of: &str, words: &mut dyn Write) -> Result<Option<Sources>, Failure> {
        let Some(listing) = Side::of(of)?.kept()? else {
            return Ok(None);
        };
        let documents = documents::of_listing(&listing, of, words)?;
        Ok(Some(Sources::of_documents(documents, Vec::new())))
    }

    fn of_documents(documents: Documents, containers: Vec<Container>) -> Sources {
        let endpoints = documents.endpoints.iter();
        Sources {
            outlines: endpoints
                .map(|endpoint| Outline::of(endpoint.to_json()))
                .collect(),
            sketch: documents,
            containers,
        }
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
    Ok(names_of(
        switch,
        documents,
        desk.containers()?,
        &profile(desk)?,
    ))
}

fn names_of<'a>(
    switch: &'a Switch,
    documents: &Documents,
    containers: Vec<Container>,
    profile: &Profile,
) -> Names<'a> {
    let remote = documents.endpoints.iter().filter(|own| own.is_remote());
    Names {
        switch,
        hns: format!("HNS {}", profile.version),
        containers,
        remote: remote
            .map(|own| (guid(own.id.get()), own.name.or_default()))
            .collect(),
    }
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
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    from: &str,
    to: &DestinationSpec,
    source_port: Option<u16>,
) -> Result<Question, Failure> {
    let sender = party(sources, inquiry, from)?;
    let (to_label, destination, meant) = destination(sources, inquiry, to, &sender)?;
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
        to: to_label,
        meant,
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
        let mut balancers = switch.balancers.iter();
        if let Some(balancer) = balancers.find(|own| own.vips.contains(&address)) {
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
        let owners = switch.ports_with(address);
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

fn parsed(endpoint: &Endpoint) -> Vec<IpAddr> {
    let texts = addresses(endpoint);
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// What the destination is called, the address that is meant, of the sender's family where there is a choice, and the port, where one is named.
fn destination(
    sources: &Sources,
    inquiry: &Inquiry<'_>,
    to: &DestinationSpec,
    sender: &Party,
) -> Result<(String, IpAddr, Option<PortIndex>), Failure> {
    let switch = inquiry.switch();
    if let Some(address) = one_address(&to.name)? {
        return Ok((named_address(sources, inquiry, address), address, None));
    }
    let like_sender = |all: &[IpAddr]| {
        let own = &sender.addresses;
        let fits = |address: &&IpAddr| {
            own.is_empty() || own.iter().any(|own| own.is_ipv4() == address.is_ipv4())
        };
        all.iter().find(fits).or(all.first()).copied()
    };
    if to.name == HOST {
        let own = host_addresses(inquiry, sender.start);
        return match like_sender(&own) {
            Some(address) => Ok(("the host".to_owned(), address, None)),
            None => Err(Failure::Usage(
                "the host has no address on any network, as no network has a gateway or a management address"
                    .to_owned(),
            )),
        };
    }
    let documents = &sources.sketch;
    let balancers = balancers_named(switch, &to.name);
    let place =
        match crate::lookup::endpoint_among(&to.name, &documents.endpoints, &sources.containers) {
            Err(Failure::NotFound { .. }) if !balancers.is_empty() => {
                let vips = balancers.iter();
                let vips: Vec<IpAddr> = vips.flat_map(|balancer| balancer.vips.clone()).collect();
                let Some(address) = like_sender(&vips) else {
                    return Err(Failure::Usage(format!(
                        "the load balancer {} is at any address of the host; say host:{}/{}",
                        to.name, to.port, to.protocol
                    )));
                };
                return Ok((balancer_label(balancers[0]), address, None));
            }
            found => found.map_err(|failure| not_one_address(&to.name, failure))?,
        };
    let endpoint = &documents.endpoints[place];
    let id = guid(endpoint.id.get());
    let own = label(id, &endpoint.name.or_default(), &sources.containers);
    match like_sender(&parsed(endpoint)) {
        Some(address) => Ok((own, address, switch.port_of(id))),
        None => Err(Failure::Usage(format!("{} has no address", to.name))),
    }
}

/// Addresses of the host, those first by which a sender would ask for it: of its own network, beyond it or on it.
fn host_addresses(inquiry: &Inquiry<'_>, start: Start) -> Vec<IpAddr> {
    let (switch, topology) = (inquiry.switch(), inquiry.topology());
    let families = [hcn_engine::Family::V4, hcn_engine::Family::V6];
    let mut all: Vec<IpAddr> = Vec::new();
    if let Start::Port(port) = start {
        let port = &switch.ports[port.0 as usize];
        let management = families.map(|family| topology.management_address(port.network, family));
        all.extend(management.into_iter().flatten());
        let is_host = |router: &&IpAddr| topology.network_of_host_address(**router).is_some();
        all.extend(port.gateways.iter().filter(is_host));
    }
    all.extend(
        families
            .into_iter()
            .filter_map(|family| topology.first_host_address(family)),
    );
    all
}

/// Load balancers of a name, or of an id or its beginning.
fn balancers_named<'a>(switch: &'a Switch, name: &str) -> Vec<&'a Balancer> {
    let lower = name.to_ascii_lowercase();
    let fits = |balancer: &&Balancer| {
        let id = balancer.id.to_string();
        balancer.name == name || (lower.len() >= 3 && id.to_ascii_lowercase().starts_with(&lower))
    };
    switch.balancers.iter().filter(fits).collect()
}

fn port_label(sources: &Sources, switch: &Switch, port: PortIndex) -> String {
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
