// SPDX-License-Identifier: MIT OR Apache-2.0
//! `conformance`: lets an HNS sit the exam that ours sits.
//!
//! Apart because it is the one command that makes objects and takes them away again by itself.

use conformance::{sit, sweep};

use crate::{
    cli::{ConformanceArgs, ProbeOutput},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    render::json,
};

/// Prints the report; the exit code says whether anything differs.
///
/// # Errors
/// Where the HNS cannot be asked at all, or what the exam made does not go.
pub fn run(desk: &mut Desk<'_>, args: &ConformanceArgs) -> Outcome {
    if desk.is_dry_run() {
        return Err(Failure::Usage(
            "an exam makes networks of its own; a dry run makes none".to_owned(),
        ));
    }
    let sweeping = || Failure::hns("take away what an exam left behind");
    let left = sweep(desk.client().hns()).map_err(sweeping())?;
    if left > 0 {
        desk.say(&format!(
            "{left} networks of an exam that did not end are taken away"
        ))?;
    }
    let report = sit(desk.client().hns(), args.only.as_deref());
    sweep(desk.client().hns()).map_err(sweeping())?;
    if report.rows.is_empty() {
        return Err(Failure::Usage(
            "no case has that in its name or section".to_owned(),
        ));
    }
    match args.output {
        ProbeOutput::Text => desk.out.write_all(report.text().as_bytes())?,
        ProbeOutput::Json => json::write_object(&mut desk.out, &report.json().to_string())?,
    }
    Ok(match report.failed().count() {
        0 => exit::DONE,
        _ => exit::DENIED,
    })
}
