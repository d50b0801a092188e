// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lint`: fetches documents, or reads them, and prints what [`crate::lint`] finds in them.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use hcn::{Kind, schema::Query};
use hcn_schema::{Endpoint, Guid};
use serde_json::Value;

use crate::{
    cli::{FailOn, Globals, LintArgs, LintOutput},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lint::{self, CHECKS, Files, Finding, Severity, Subject, subject::Known},
    listing::{self, Listed, ListingError},
    lookup::guid,
    render::lint as render,
};

/// What needs no HNS: an explanation, or a listing; `None` where the open HNS is meant.
///
/// # Errors
/// Where there is no such check, or a file cannot be read.
pub fn run_alone(
    args: &LintArgs,
    globals: &Globals,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Result<Option<u8>, Failure> {
    if let Some(name) = &args.explain {
        return explain(name, out).map(Some);
    }
    if args.file.is_empty() {
        return Ok(None);
    }
    let mut listed = Vec::new();
    let mut files = Files::default();
    for path in &args.file {
        let (text, own) = read(path)?;
        let named = (path != Path::new("-")).then_some(path.as_path());
        files.add(named, text, own.len());
        listed.extend(own);
    }
    let choice = globals.profile.clone().unwrap_or_default();
    let mut subject = Subject::of(listed, choice.version);
    subject.profile = subject.profile.with(&choice.switches);
    if subject.is_empty() {
        return Err(nothing_examined(&args.file, &subject));
    }
    let chosen = chosen(&subject, &args.endpoints)?;
    let mut found = lint::run(&subject);
    narrow(&mut found, &chosen);
    print(args, &subject, &found, &files, out, words).map(Some)
}

/// Examines the open HNS.
///
/// # Errors
/// Where it does not answer, or an endpoint is not there.
pub fn run(desk: &mut Desk<'_>, args: &LintArgs) -> Outcome {
    let mut chosen = Vec::new();
    for name in &args.endpoints {
        chosen.push(guid(desk.endpoint(name)?.id.get()));
    }
    let version = desk
        .client()
        .version()
        .map_err(Failure::hns("ask for the version of HNS"))?;
    let mut values: Vec<Value> = Vec::new();
    for kind in [
        Kind::Network,
        Kind::Endpoint,
        Kind::LoadBalancer,
        Kind::Namespace,
    ] {
        let texts = match desk.client().hns().list(kind, &Query::v2().text()) {
            Ok(texts) => texts,
            // A HNS without load balancers or namespaces has nothing of them that is wrong.
            Err(error)
                if matches!(kind, Kind::LoadBalancer | Kind::Namespace)
                    && error.code == hcn::HcnCode::E_NOTIMPL =>
            {
                continue;
            }
            Err(error) => return Err(Failure::hns(format!("list the {kind}s"))(error)),
        };
        values.extend(
            texts
                .iter()
                .filter_map(|text| serde_json::from_str(text).ok()),
        );
    }
    let own = desk.connection().profile();
    let own = own.map_err(Failure::hns("read the version of HNS"))?;
    let mut subject = Subject::of(listing::of_values(values), Some(version));
    subject.profile = subject.profile.with(&own.switches);
    subject.is_all = true;
    let mut found = lint::run(&subject);
    narrow(&mut found, &chosen);
    print(
        args,
        &subject,
        &found,
        &Files::default(),
        desk.out,
        desk.words,
    )
}

/// What is said where nothing was found because there was nothing to look at: a capture that failed must not pass for a clean one.
fn nothing_examined(files: &[PathBuf], subject: &Subject) -> Failure {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let why = match &subject.notes[..] {
        [] => "no object is in there".to_owned(),
        [note] => note.clone(),
        [note, rest @ ..] => format!("{note}; and {} more", rest.len()),
    };
    let words = format!("{}: nothing to examine: {why}", names.join(", "));
    Failure::Usage(format!(
        "{words}; wanted are networks, endpoints, load balancers or namespaces, such as hcnctl get endpoints -o json or Get-HnsEndpoint | ConvertTo-Json -Depth 20 print"
    ))
}

/// Leaves what is found in these endpoints; everything, where none is named.
fn narrow(found: &mut Vec<Finding>, chosen: &[Guid]) {
    if !chosen.is_empty() {
        found.retain(|finding| {
            finding.object.kind == "endpoint" && chosen.contains(&finding.object.id)
        });
    }
}

/// The endpoints of a listing that are named: by id, the start of an id, name or address.
fn chosen(subject: &Subject, names: &[String]) -> Result<Vec<Guid>, Failure> {
    let mut chosen = Vec::new();
    for name in names {
        let start = name.trim_matches(['{', '}']).to_lowercase();
        let is_exact = |known: &&Known<Endpoint>| {
            known.name.name == *name
                || known.name.id.to_string() == start
                || crate::lookup::addresses(&known.document).contains(name)
        };
        // As with an open HNS, four letters of an id are enough.
        let begins = |known: &&Known<Endpoint>| {
            start.len() >= 4 && known.name.id.to_string().starts_with(&start)
        };
        let exact: Vec<_> = subject.endpoints.iter().filter(is_exact).collect();
        let named = match exact.is_empty() {
            true => subject.endpoints.iter().filter(begins).collect(),
            false => exact,
        };
        match &named[..] {
            [] => {
                return Err(Failure::Absent(format!(
                    "there is no endpoint {name:?} in what was read"
                )));
            }
            [one] => chosen.push(one.name.id),
            several => {
                return Err(Failure::Ambiguous {
                    kind: Kind::Endpoint,
                    name: name.clone(),
                    candidates: several.iter().map(|own| own.name.to_string()).collect(),
                });
            }
        }
    }
    Ok(chosen)
}

fn explain(name: &str, out: &mut dyn Write) -> Outcome {
    if name == "all" {
        for check in CHECKS {
            writeln!(
                out,
                "{:<28} {:<8} {}",
                check.name, check.severity, check.finds
            )?;
        }
        return Ok(exit::DONE);
    }
    let Some(check) = CHECKS.iter().find(|check| check.name == name) else {
        let names = CHECKS.iter().map(|check| check.name);
        let hint = match lint::nearest_check(name, names) {
            Some(near) => format!("; {near} is near"),
            None => String::new(),
        };
        return Err(Failure::Usage(format!(
            "there is no check {name:?}{hint}; hcnctl lint --explain all lists them"
        )));
    };
    writeln!(out, "{}\n\n{}", check.name, check.text().trim_end())?;
    Ok(exit::DONE)
}

/// The text of a file, and the objects in it.
fn read(path: &Path) -> Result<(String, Vec<Listed>), Failure> {
    let is_input = path == Path::new("-");
    let shown = match is_input {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    let bytes = match is_input {
        true => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => fs::read(path),
    };
    let failed = |error| Failure::File {
        path: shown.clone(),
        error,
    };
    let bytes = bytes.map_err(&failed)?;
    let invalid = |error| failed(io::Error::new(io::ErrorKind::InvalidData, error));
    let text = listing::decode(&bytes).map_err(invalid)?;
    let listed = listing::read(&text).map_err(|error| invalid(hinted(error, &text)))?;
    Ok((text, listed))
}

/// What to take instead of the tables of hnsdiag, which name objects and say nothing of them.
fn hinted(error: ListingError, text: &str) -> ListingError {
    let is_table = ["Virtual Network Name", "| Endpoint IDs", "| Virtual IPs"]
        .iter()
        .any(|title| text.contains(title));
    match error {
        ListingError::Neither if is_table => ListingError::Table,
        other => other,
    }
}

fn print(
    args: &LintArgs,
    subject: &Subject,
    found: &[Finding],
    files: &Files,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Outcome {
    match args.output {
        LintOutput::Text => out.write_all(render::text(subject, found, files).as_bytes())?,
        LintOutput::Json => {
            serde_json::to_writer_pretty(&mut *out, &render::json(subject, found, files))
                .map_err(io::Error::from)?;
            writeln!(out)?;
        }
        LintOutput::Sarif => {
            serde_json::to_writer_pretty(&mut *out, &render::sarif(subject, found, files))
                .map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    for note in &subject.notes {
        writeln!(words, "note: {}", crate::render::shown(note))?;
    }
    let least = match args.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
    };
    Ok(
        match found.iter().any(|finding| finding.severity >= least) {
            true => exit::DENIED,
            false => exit::DONE,
        },
    )
}
