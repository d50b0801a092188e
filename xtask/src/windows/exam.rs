// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exam of `hcnctl conformance`, sat under Wine by the library that programs load from system32.
//!
//! Apart because it reads the report. An exam of which little was sat is a failure, as is a case that was not possible.

use std::{path::Path, time::Instant};

use serde_json::Value;

use super::{Built, counted};

/// Fewer cases than passed when this was written.
const ENOUGH: u64 = 600;

/// Lets the library sit the exam, through the program's native client.
pub fn test(built: &Built, program: &Path) -> Result<(), String> {
    const STATE: &str = "exam";
    built.prefix.empty_folder(STATE)?;
    println!("== hcnctl.exe --host native conformance");
    let start = Instant::now();
    let output = built
        .prefix
        .run(program)
        // The library reads these too: its HNS is the one that it holds, and not the one that a variable names.
        .env_remove("HCNCTL_HOST")
        .env_remove("HCNCTL_PROFILE")
        .env("HCNCTL_STATE", format!(r"C:\{STATE}"))
        // Its networks take no adapter of Wine's host.
        .args([
            "--host",
            "native",
            "conformance",
            "--external",
            "-o",
            "json",
        ])
        .output()
        .map_err(|error| format!("hcnctl.exe conformance: {error}"))?;
    print!("{}", String::from_utf8_lossy(&output.stderr));
    let result = verdict(
        output.status.success(),
        &String::from_utf8_lossy(&output.stdout),
    );
    println!("exam over after {:.1} s", start.elapsed().as_secs_f64());
    counted(result.map(|passed| println!("{passed} cases passed")))
}

/// How many cases passed, where that is all of them.
fn verdict(ended_well: bool, words: &str) -> Result<u64, String> {
    let report: Value = serde_json::from_str(words)
        .map_err(|error| format!("hcnctl.exe conformance printed no report: {error}"))?;
    for row in report["cases"].as_array().into_iter().flatten() {
        if let "differs" | "not-possible-here" = row["outcome"].as_str().unwrap_or_default() {
            println!("{row}");
        }
    }
    let count = |key: &str| {
        report[key]
            .as_u64()
            .ok_or_else(|| format!("the report of hcnctl.exe conformance does not tell {key:?}"))
    };
    let (passed, differ, impossible) = (
        count("passed")?,
        count("differ")?,
        count("not-possible-here")?,
    );
    match ended_well && passed >= ENOUGH && differ == 0 && impossible == 0 {
        true => Ok(passed),
        false => Err(format!(
            "hcnctl.exe conformance: {passed} cases passed, {ENOUGH} at least are to; {differ} differ and {impossible} were not possible, none is to; it {}",
            if ended_well { "ended well" } else { "failed" }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_an_impossible_case_too_few_and_no_report_are_failures() {
        let report = |passed: u64, differ: u64, impossible: u64| {
            format!(
                r#"{{"passed": {passed}, "differ": {differ}, "not-possible-here": {impossible}, "cases": []}}"#
            )
        };
        assert_eq!(verdict(true, &report(600, 0, 0)), Ok(600));
        for (ended_well, words) in [
            (true, report(600, 1, 0)),
            (true, report(600, 0, 1)),
            (true, report(599, 0, 0)),
            (false, report(600, 0, 0)),
            (true, String::new()),
            (true, r#"{"passed": 600}"#.to_owned()),
        ] {
            assert!(verdict(ended_well, &words).is_err(), "{words}");
        }
    }
}
