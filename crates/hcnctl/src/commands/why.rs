// SPDX-License-Identifier: MIT OR Apache-2.0
//! `can` and `why`: the judge's answer about one flow, and everything that it hangs on.
//!
//! Apart from `probe`, which sends packets: here nothing is sent, and nobody need listen.

mod notes;
mod question;

use std::io::Write;

use hcn::{
    Kind,
    schema::{Document, Endpoint, Guid, Query},
    service::{Container, Profile, profile},
};
use hcn_engine::{
    Documents, Semantics, Switch,
    parts::Parts,
    way::DYNAMIC_PORT,
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
    lookup::guid,
    render::why::{Names, OtherFamily, Otherwise, Page, json_page, summary, text_page},
};

pub(crate) use notes::host_words;
pub(crate) use question::{NO_HOST_ADDRESS, Question, balancer_label, like_sender};

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
    let (from, to) = (args.from.as_str(), &args.to);
    let mut question = question::question(sources, &inquiry, from, to, args.source_port, None)?;
    let other_family = match args.quiet {
        true => None,
        false => of_other_family(sources, &mut inquiry, (from, to), &question),
    };
    let (explanation, _) = explained(sources, &mut inquiry, &mut question, &[]);
    if !args.quiet {
        let page = Page {
            other_family,
            ..page(sources, profile, &inquiry, &question, &explanation)
        };
        writeln!(out, "{}", summary(&page))?;
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
    let mut question = question::question(sources, &inquiry, from, to, args.source_port, None)?;
    let other_family = of_other_family(sources, &mut inquiry, (from, to), &question);
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
        other_family,
        profiles,
        questions: questions.collect(),
        ..page(sources, profile, &inquiry, &question, &explanation)
    };
    match args.output {
        ProbeOutput::Text => write!(out, "{}", text_page(&page))?,
        ProbeOutput::Json => {
            crate::render::json::write_object(&mut out, &json_page(&page).to_string())?;
        }
    }
    Ok(code(&question, &explanation))
}

/// What `can` and `why` both say of an answer.
fn page<'a>(
    sources: &'a Sources,
    profile: &Profile,
    inquiry: &'a Inquiry<'_>,
    question: &'a Question,
    explanation: &'a Explanation,
) -> Page<'a> {
    Page {
        names: names_of(
            inquiry.switch(),
            &sources.sketch,
            sources.containers.clone(),
            profile,
        ),
        profile: profile.name(),
        notes: notes::notes(sources, inquiry, question, explanation),
        question,
        explanation,
        other_family: None,
        profiles: Vec::new(),
        questions: Vec::new(),
    }
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

/// How the same question fares in the other family, where it can be asked there.
fn of_other_family<'a>(
    sources: &'a Sources,
    inquiry: &mut Inquiry<'a>,
    words: (&str, &DestinationSpec),
    own: &Question,
) -> Option<OtherFamily> {
    let mut question = question::in_other_family(sources, inquiry, words, own)?;
    let (explanation, _) = explained(sources, inquiry, &mut question, &[]);
    Some(OtherFamily {
        question,
        explanation,
    })
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
