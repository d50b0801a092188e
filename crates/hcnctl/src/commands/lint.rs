// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lint`: fetches documents, or reads them, and prints what [`crate::lint`] finds in them.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use hcn::{Kind, schema::Query};
use serde_json::Value;

use crate::{
    cli::{FailOn, Globals, LintArgs, LintOutput},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lint::{self, CHECKS, Finding, Severity, Subject},
    listing::{self, Listed},
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
    for path in &args.file {
        listed.extend(read(path)?);
    }
    let choice = globals.profile.clone().unwrap_or_default();
    let mut subject = Subject::of(listed, choice.version);
    subject.profile = subject.profile.with(&choice.switches);
    let found = lint::run(&subject);
    let source = match &args.file[..] {
        [file] => Some(file.to_string_lossy().replace('\\', "/")),
        _ => None,
    };
    print(args, &subject, &found, source.as_deref(), out, words).map(Some)
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
    let mut found = lint::run(&subject);
    if !chosen.is_empty() {
        found.retain(|finding| {
            finding.object.kind == "endpoint" && chosen.contains(&finding.object.id)
        });
    }
    print(args, &subject, &found, None, desk.out, desk.words)
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

fn read(path: &Path) -> Result<Vec<Listed>, Failure> {
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
    listing::decode(&bytes.map_err(failed)?)
        .and_then(|text| listing::read(&text))
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn print(
    args: &LintArgs,
    subject: &Subject,
    found: &[Finding],
    source: Option<&str>,
    out: &mut dyn Write,
    words: &mut dyn Write,
) -> Outcome {
    match args.output {
        LintOutput::Text => out.write_all(render::text(subject, found).as_bytes())?,
        LintOutput::Json => {
            serde_json::to_writer_pretty(&mut *out, &render::json(subject, found))
                .map_err(io::Error::from)?;
            writeln!(out)?;
        }
        LintOutput::Sarif => {
            serde_json::to_writer_pretty(&mut *out, &render::sarif(subject, found, source))
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
