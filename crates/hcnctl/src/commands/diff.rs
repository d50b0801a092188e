// SPDX-License-Identifier: MIT OR Apache-2.0
//! `diff`: two listings, or two moments, or one of each.
//!
//! Apart from [`crate::difference`], which compares, because it fetches: a listing that somebody kept decides what it is compared with,
//! so that a file of endpoints does not differ from now by all networks, nor a v1 listing by all names of v2.

use std::{
    fs,
    io::{self, Read, Write},
};

use hcn::{HcnCode, HnsError, Kind, schema::Query};
use serde_json::Value;

use crate::{
    cli::{DiffArgs, ProbeOutput},
    commands::apply,
    desk::{Desk, Outcome},
    difference::{self, Difference, Options},
    failure::{Failure, exit},
    listing::{self, Listed},
    render::json,
};

/// Prints what differs; the exit code says whether anything does.
///
/// # Errors
/// Where a listing cannot be read, or there was no such moment.
pub fn run(desk: &mut Desk<'_>, args: &DiffArgs) -> Outcome {
    if let Some(file) = &args.file {
        let options = Options { all: args.all };
        return apply::diff(desk, file, options, args.output);
    }
    let sides = sides(args)?;
    if sides == [Side::StandardInput, Side::StandardInput] {
        return Err(Failure::Usage(
            "standard input can be read once; give a file or a moment too".to_owned(),
        ));
    }
    let kept = [sides[0].kept()?, sides[1].kept()?];
    let scope = Scope::of(kept.iter().flatten());
    let [before, after] = kept;
    let before = sides[0].listing(desk, before, &scope)?;
    let after = sides[1].listing(desk, after, &scope)?;
    print(&before, &after, args, desk.out, desk.words)
}

/// Compares two files without asking any HNS; `None` where one side is a moment or now.
///
/// # Errors
/// Where a listing cannot be read.
pub fn run_on_files(
    args: &DiffArgs,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Result<Option<u8>, Failure> {
    if args.file.is_some() {
        return Ok(None);
    }
    let sides = sides(args)?;
    let [Side::File(_), Side::File(_)] = &sides else {
        return Ok(None);
    };
    let [Some(before), Some(after)] = [sides[0].kept()?, sides[1].kept()?] else {
        return Ok(None);
    };
    print(&before, &after, args, out, words).map(Some)
}

fn sides(args: &DiffArgs) -> Result<[Side; 2], Failure> {
    let before = args.before.as_deref().unwrap_or("now");
    Ok([Side::of(before)?, Side::of(&args.after)?])
}

fn print(
    before: &[Listed],
    after: &[Listed],
    args: &DiffArgs,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Outcome {
    let difference = difference::compare(before, after, Options { all: args.all });
    print_difference(&difference, args.output, out, words)
}

/// Prints a difference; the exit code says whether there is one.
///
/// # Errors
/// Where it cannot be written.
pub fn print_difference(
    difference: &Difference,
    output: ProbeOutput,
    mut out: &mut dyn Write,
    words: &mut dyn Write,
) -> Outcome {
    match output {
        ProbeOutput::Text => out.write_all(difference.text().as_bytes())?,
        ProbeOutput::Json => {
            let changes = difference.json();
            let changes = changes.as_array().into_iter().flatten();
            json::write_list(&mut out, changes.map(Value::to_string))?;
            for note in &difference.notes {
                writeln!(words, "note: {note}")?;
            }
        }
    }
    Ok(if difference.is_different() {
        exit::DENIED
    } else {
        exit::DONE
    })
}

/// One side of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Now,
    Moment(u64),
    StandardInput,
    File(String),
}

impl Side {
    pub(crate) fn of(text: &str) -> Result<Side, Failure> {
        Ok(match (text, text.strip_prefix('@')) {
            ("now", _) => Side::Now,
            ("-", _) => Side::StandardInput,
            (_, Some(number)) => Side::Moment(number.parse().map_err(|_| {
                Failure::Usage(format!("{text:?} is no moment; @0 is the beginning, and hcnctl history shows the others"))
            })?),
            (file, None) => Side::File(file.to_owned()),
        })
    }

    /// The listing of a file; `None` where HNS is to be asked.
    pub(crate) fn kept(&self) -> Result<Option<Vec<Listed>>, Failure> {
        let (path, bytes) = match self {
            Side::Now | Side::Moment(_) => return Ok(None),
            Side::StandardInput => {
                let mut bytes = Vec::new();
                let read = io::stdin().read_to_end(&mut bytes);
                ("standard input", read.map(|_| bytes))
            }
            Side::File(path) => (path.as_str(), fs::read(path)),
        };
        let failed = |error| Failure::File {
            path: path.to_owned(),
            error,
        };
        listing::decode(&bytes.map_err(failed)?)
            .and_then(|text| listing::read(&text))
            .map(Some)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    pub(crate) fn listing(
        &self,
        desk: &Desk<'_>,
        kept: Option<Vec<Listed>>,
        scope: &Scope,
    ) -> Result<Vec<Listed>, Failure> {
        let texts = match (self, kept) {
            (_, Some(kept)) => return Ok(kept),
            (Side::Moment(number), None) => moment(desk, *number, scope)?,
            (_, None) => now(desk, scope)?,
        };
        let values: Vec<Value> = texts
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect::<Result<_, _>>()
            .map_err(|error| {
                let detail = format!("the answer is not JSON: {error}");
                Failure::hns("read what HNS answered")(HnsError::because(
                    HcnCode::HCN_E_INVALID_JSON,
                    detail,
                ))
            })?;
        Ok(listing::of_values(values))
    }
}

/// What a kept listing is about, and so what it can be compared with.
pub(crate) struct Scope {
    kinds: Vec<Kind>,
    is_v1: bool,
}

impl Scope {
    /// The scope of kept listings; everything in v2 shape where there is none, or one that does not tell.
    pub(crate) fn of<'a>(kept: impl Iterator<Item = &'a Vec<Listed>>) -> Scope {
        let objects: Vec<&Listed> = kept.flatten().collect();
        let mut kinds = Vec::new();
        for listed in &objects {
            let kind = match listed.kind {
                listing::Kind::Network => Kind::Network,
                listing::Kind::Endpoint => Kind::Endpoint,
                listing::Kind::Namespace => Kind::Namespace,
                listing::Kind::LoadBalancer => Kind::LoadBalancer,
                // An object whose kind is open may be anything.
                listing::Kind::Unknown => continue,
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if kinds.is_empty() {
            kinds = vec![
                Kind::Network,
                Kind::Endpoint,
                Kind::Namespace,
                Kind::LoadBalancer,
            ];
        }
        let is_v1 = !objects.is_empty()
            && !objects
                .iter()
                .any(|listed| difference::is_v2(&listed.value));
        Scope { kinds, is_v1 }
    }
}

/// What there is now, in the shape of the kept listing.
fn now(desk: &Desk<'_>, scope: &Scope) -> Result<Vec<String>, Failure> {
    let query = if scope.is_v1 {
        Query::v1()
    } else {
        Query::v2()
    };
    let mut texts = Vec::new();
    for kind in &scope.kinds {
        let found = desk.client().hns().list(*kind, &query.text());
        let found = match found {
            // One that knows no load balancers has none; v1 has policy lists instead.
            _ if *kind == Kind::LoadBalancer && scope.is_v1 => Ok(Vec::new()),
            Err(error) if *kind == Kind::LoadBalancer && error.code == HcnCode::E_NOTIMPL => {
                Ok(Vec::new())
            }
            found => found,
        };
        texts.extend(found.map_err(Failure::hns(format!("list the {kind}s")))?);
    }
    Ok(texts)
}

/// What there was after an operation. The log keeps v2 documents, so a v1 listing is compared with it by what both shapes say.
fn moment(desk: &Desk<'_>, number: u64, scope: &Scope) -> Result<Vec<String>, Failure> {
    let lab = desk.lab();
    let reading = || Failure::hns(format!("read the moment @{number}"));
    let last = lab.last_operation().map_err(reading())?;
    if number > last {
        let detail = format!("there is no moment @{number}; the last is @{last}");
        return Err(reading()(HnsError::because(
            HcnCode::ERROR_NOT_FOUND,
            detail,
        )));
    }
    let moment = lab.moment(number).map_err(reading())?;
    let wanted = |kind| scope.kinds.contains(&kind);
    Ok(moment
        .into_iter()
        .filter(|(object, _)| wanted(object.kind))
        .map(|(_, text)| text)
        .collect())
}
