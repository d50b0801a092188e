// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach`: who reaches whom, now, at a moment or in a dump; and what changed between two of those.
//!
//! Apart from [`crate::reach`], which works it out, because it fetches. A dump is asked without opening any HNS.

use std::{collections::HashSet, io::Write};

use hcn::{
    schema::{Guid, Id},
    service::{
        Container, Profile,
        profile::{self, ProfileChoice},
    },
};
use hcn_engine::Documents;

use crate::{
    cli::{Globals, ReachArgs, ReachOutput},
    commands::diff::{Scope, Side},
    desk::{Desk, Outcome},
    documents,
    failure::{Failure, exit},
    listing::Listed,
    lookup::{guid, label},
    reach::{
        Matrix, Question,
        compare::{Comparison, compare},
    },
    render::{
        reach::{self as forms, Subject},
        short_id, shown,
    },
};

/// Prints who reaches whom, or what changed; the exit code says whether anything did.
///
/// # Errors
/// Where a name means nothing, a listing cannot be read, or there was no such moment.
pub fn run(desk: &mut Desk<'_>, args: &ReachArgs) -> Outcome {
    let sides = sides(args)?;
    let own = desk
        .connection()
        .profile()
        .map_err(Failure::hns("read the version of HNS"))?;
    let mut known = Vec::with_capacity(sides.len());
    for side in &sides {
        known.push(match side {
            Asked::Side { side, text } => Some(Known::fetch(desk, side, text, &own)?),
            Asked::Version(_) => None,
        });
    }
    let now = match known.iter().all(Option::is_none) {
        true => Some(Known::fetch(desk, &Side::Now, "now", &own)?),
        false => None,
    };
    answer(args, &sides, &known, now.as_ref(), desk.out, desk.words)
}

/// Prints it of files without asking any HNS; `None` where a moment or now is asked for.
///
/// # Errors
/// Where a name means nothing, or a listing cannot be read.
pub fn run_on_files(
    args: &ReachArgs,
    globals: &Globals,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Result<Option<u8>, Failure> {
    let sides = sides(args)?;
    let needs_hns = sides.iter().any(|side| {
        matches!(side, Asked::Side { side, .. } if matches!(side, Side::Now | Side::Moment(_)))
    });
    let has_file = sides.iter().any(|side| matches!(side, Asked::Side { .. }));
    if needs_hns || !has_file {
        return Ok(None);
    }
    let choice = globals.profile.clone().unwrap_or_default();
    let own = described(&choice, &Profile::nearest(profile::DEFAULT))?;
    let mut known = Vec::with_capacity(sides.len());
    for side in &sides {
        known.push(match side {
            Asked::Side { side, text } => {
                let listing = side.kept()?.unwrap_or_default();
                Some(Known::of_listing(&listing, text, &own, words)?)
            }
            Asked::Version(_) => None,
        });
    }
    answer(args, &sides, &known, None, out, words).map(Some)
}

/// What one side of a question is.
enum Asked {
    /// A file, a moment or now.
    Side {
        /// Which.
        side: Side,
        /// As it was written.
        text: String,
    },
    /// The other side, under a version of HNS.
    Version(ProfileChoice),
}

fn sides(args: &ReachArgs) -> Result<Vec<Asked>, Failure> {
    let texts = match &args.compare {
        Some(texts) => texts.clone(),
        None => vec![args.of.clone()],
    };
    let mut sides = Vec::with_capacity(texts.len());
    for text in texts {
        sides.push(match text.strip_prefix("profile:") {
            Some(choice) => Asked::Version(
                crate::cli::profile::read(choice)
                    .map_err(|why| Failure::Usage(format!("{text:?}: {why}")))?,
            ),
            None => Asked::Side {
                side: Side::of(&text)?,
                text,
            },
        });
    }
    let from_input = |side: &&Asked| {
        matches!(
            side,
            Asked::Side {
                side: Side::StandardInput,
                ..
            }
        )
    };
    if sides.iter().filter(from_input).count() > 1 {
        return Err(Failure::Usage(
            "standard input can be read once; give a file or a moment too".to_owned(),
        ));
    }
    if args.compare.is_none() && matches!(sides[..], [Asked::Version(_)]) {
        return Err(Failure::Usage(
            "--of takes now, a moment or a file; --profile chooses the version of HNS".to_owned(),
        ));
    }
    if args.compare.is_some() && matches!(args.output, ReachOutput::Svg | ReachOutput::Html) {
        return Err(Failure::Usage(
            "a comparison is printed as table, json or csv".to_owned(),
        ));
    }
    Ok(sides)
}

/// A profile, with what a choice says otherwise.
pub(super) fn described(choice: &ProfileChoice, usual: &Profile) -> Result<Profile, Failure> {
    let of = match choice.version {
        None => usual.clone(),
        Some(version) => Profile::of(version)
            .map_err(|_| {
                let known: Vec<String> = profile::KNOWN
                    .iter()
                    .map(|(known, _)| known.to_string())
                    .collect();
                Failure::Usage(format!(
                    "there is no profile of HNS {version}; choose one of {}",
                    known.join(", ")
                ))
            })?
            .with(&usual.switches),
    };
    Ok(of.with(&choice.switches))
}

/// Documents, and how they are to be read.
struct Known {
    documents: Documents,
    containers: Vec<Container>,
    of: String,
    profile: Profile,
}

impl Known {
    /// What a side is, asked of the HNS where it has to be.
    fn fetch(
        desk: &mut Desk<'_>,
        side: &Side,
        text: &str,
        own: &Profile,
    ) -> Result<Known, Failure> {
        // Names of containers are those of now; at a moment of this HNS they help to find endpoints, of a file they mean nothing.
        let containers = match side {
            Side::Now | Side::Moment(_) => desk.containers()?,
            Side::StandardInput | Side::File(_) => Vec::new(),
        };
        let mut known = match side {
            Side::Now => Known {
                documents: documents::of_hns(desk)?,
                containers: Vec::new(),
                of: text.to_owned(),
                profile: own.clone(),
            },
            _ => {
                let listing = side.listing(desk, side.kept()?, &Scope::of([].into_iter()))?;
                Known::of_listing(&listing, text, own, desk.words)?
            }
        };
        known.containers = containers;
        Ok(known)
    }

    /// What a listing tells; what it does not is said.
    fn of_listing(
        listing: &[Listed],
        text: &str,
        own: &Profile,
        words: &mut dyn Write,
    ) -> Result<Known, Failure> {
        Ok(Known {
            documents: documents::of_listing(listing, text, words)?,
            containers: Vec::new(),
            of: text.to_owned(),
            profile: own.clone(),
        })
    }

    fn subject(&self) -> Subject {
        Subject {
            of: self.of.clone(),
            hns: self.profile.name(),
        }
    }
}

/// What an object is called, as `why` has it: its name, or its container's, and the beginning of its id.
fn called(known: &Known, id: Guid) -> String {
    let Documents {
        networks,
        endpoints,
        load_balancers,
    } = &known.documents;
    let of = |own: Option<&Id>| guid(own) == id;
    let endpoints = endpoints.iter().map(|own| (own.id.get(), own.name.get()));
    let networks = networks.iter().map(|own| (own.id.get(), own.name.get()));
    let mut all = endpoints.chain(networks);
    let name = all.find(|(own, _)| of(*own)).and_then(|(_, name)| name);
    let mut balancers = load_balancers.iter();
    let balancer = balancers.find(|own| of(own.id.get()));
    let mut containers = known.containers.iter();
    let is_named = containers.any(|container| container.endpoint == id);
    match name.or(balancer.and_then(|own| own.name.get())) {
        None if !is_named => short_id(&id.to_string()),
        Some(name) if name.is_empty() && !is_named => short_id(&id.to_string()),
        name => label(id, name.map_or("", String::as_str), &known.containers),
    }
}

/// Whether the network of an endpoint is not told of.
fn lacks_networks(documents: &Documents) -> bool {
    let networks = documents.networks.iter();
    let known: HashSet<_> = networks.map(|network| guid(network.id.get())).collect();
    let mut endpoints = documents.endpoints.iter();
    endpoints.any(|endpoint| !known.contains(&guid(endpoint.host_compute_network.get())))
}

fn answer(
    args: &ReachArgs,
    sides: &[Asked],
    known: &[Option<Known>],
    now: Option<&Known>,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Outcome {
    // A version is one of the other side, or of now where both are versions.
    let any = known.iter().flatten().next().or(now);
    let mut matrices = Vec::with_capacity(sides.len());
    let mut rules_only = args.rules;
    for known in known.iter().flatten().filter(|_| !args.rules) {
        if lacks_networks(&known.documents) {
            rules_only = true;
            let of = &known.of;
            writeln!(
                words,
                "note: {of}: networks of endpoints are not in it, so ways are not known, and rules alone are asked"
            )?;
        }
    }
    let mut told = HashSet::new();
    for (side, known) in sides.iter().zip(known) {
        let Some(base) = known.as_ref().or(any) else {
            continue;
        };
        let (semantics, subject) = match side {
            Asked::Side { .. } => (base.profile.semantics.clone(), base.subject()),
            Asked::Version(choice) => {
                let profile = described(choice, &base.profile)?;
                let subject = Subject {
                    hns: profile.name(),
                    ..base.subject()
                };
                (profile.semantics, subject)
            }
        };
        let question = Question {
            from: args.from.clone(),
            to: args.to.clone(),
            traffic: args.port.clone(),
            may_miss: args.compare.is_some(),
            rules_only,
        };
        let matrix = Matrix::of(&base.documents, &base.containers, &semantics, &question)?;
        for fault in &matrix.faults {
            let object = called(base, fault.object);
            let message = fault.message_of(&format!("HNS {}", subject.hns));
            let note = format!("note: {object} {}: {message}", fault.pointer);
            // Two versions of one side have the same faults.
            if told.insert(note.clone()) {
                writeln!(words, "{}", shown(&note))?;
            }
        }
        matrices.push((matrix, subject));
    }
    match &mut matrices[..] {
        [(matrix, subject)] => {
            let mut pairs = matrix.from.iter().flat_map(|from| {
                let matrix = &*matrix;
                matrix.to.iter().map(move |to| (matrix, *from, *to))
            });
            if !pairs.any(|(matrix, from, to)| matrix.is_pair(from, to)) {
                writeln!(
                    words,
                    "note: nothing on this host has a say between those that are asked for"
                )?;
            }
            print(args.output, matrix, subject, out)
        }
        [(before, one), (after, other)] => {
            if let Some(name) = before
                .missing
                .iter()
                .find(|name| after.missing.contains(name))
            {
                return Err(Failure::NotFound {
                    kind: hcn::Kind::Endpoint,
                    name: name.clone(),
                });
            }
            let comparison = compare(before, after);
            for (labels, which) in [
                (&comparison.only_before, one.of.as_str()),
                (&comparison.only_after, other.of.as_str()),
            ] {
                for label in labels {
                    let label = shown(label);
                    writeln!(words, "note: {label} is only in {which}")?;
                }
            }
            print_comparison(args.output, &comparison, after, [one, other], out)
        }
        _ => Err(Failure::Usage("there is nothing to look at".to_owned())),
    }
}

fn print(
    output: ReachOutput,
    matrix: &mut Matrix,
    subject: &Subject,
    out: &mut dyn Write,
) -> Outcome {
    match output {
        ReachOutput::Table => out.write_all(forms::table(matrix).as_bytes())?,
        ReachOutput::Json => forms::json(matrix, subject, out)?,
        ReachOutput::Csv => forms::csv(matrix, out)?,
        ReachOutput::Svg => forms::svg(matrix, subject, out)?,
        ReachOutput::Html => forms::html(matrix, subject, out)?,
    }
    Ok(exit::DONE)
}

fn print_comparison(
    output: ReachOutput,
    comparison: &Comparison,
    after: &Matrix,
    subjects: [&Subject; 2],
    out: &mut dyn Write,
) -> Outcome {
    match output {
        ReachOutput::Json => forms::compared_json(comparison, after, subjects, out)?,
        ReachOutput::Csv => forms::compared_csv(comparison, out)?,
        _ => out.write_all(forms::compared_table(comparison).as_bytes())?,
    }
    Ok(match comparison.is_different() {
        true => exit::DENIED,
        false => exit::DONE,
    })
}
