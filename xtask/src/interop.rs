// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that nobody here wrote, on our libraries: runs `testing/interop` and counts what it says.
//!
//! Apart from `windows`, which needs no Go. A test that says it was skipped is never counted as passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::windows::{self, Prefix};

/// Runs the tests of `testing/interop` on the libraries built from the workspace; whether none failed.
pub fn run(repository: &Path) -> bool {
    let result = windows::build(repository, false)
        .and_then(|built| test(repository, &built.prefix, &built.folder));
    match result {
        Ok(tally) => {
            print!("{}", tally.summary());
            tally.good()
        }
        Err(error) => {
            println!("interop: {error}");
            false
        }
    }
}

fn test(repository: &Path, prefix: &Prefix, programs: &Path) -> Result<Tally, String> {
    let absolute = |path: &Path| -> Result<PathBuf, String> {
        path.canonicalize()
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut go = Command::new("go");
    go.args(["test", "-json", "-count=1", "-timeout=30m", "./..."])
        .current_dir(repository.join("testing/interop"))
        .env("HCNCTL_WINDOWS_PROGRAMS", absolute(programs)?)
        // The Go that is there, not one fetched because a module asks for it.
        .env("GOTOOLCHAIN", "local")
        .stdout(Stdio::piped());
    for (name, value) in prefix.environment() {
        go.env(name, value);
    }
    let mut child = go.spawn().map_err(|error| format!("go test: {error}"))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| format!("go test: {error}"))?;
            if let Some(words) = tally.read(&line) {
                println!("{words}");
            }
        }
    }
    let status = child.wait().map_err(|error| format!("go test: {error}"))?;
    if !status.success() && tally.good() {
        return Err(format!("go test: {status}"));
    }
    Ok(tally)
}

/// Tests by how they ended. One that has others inside is not counted, unless it failed by itself.
#[derive(Debug, Default)]
struct Tally {
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
    skipped: BTreeSet<String>,
    /// What each printed so far.
    output: BTreeMap<String, String>,
}

impl Tally {
    /// Takes one line of `go test -json`; what a person should see of it.
    fn read(&mut self, line: &str) -> Option<String> {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            return Some(line.to_owned());
        };
        let action = event["Action"].as_str()?;
        let Some(test) = event["Test"].as_str() else {
            return match action {
                // A package that does not build has no tests to fail.
                "build-output" | "output" => event["Output"]
                    .as_str()
                    .map(|text| text.trim_end().to_owned()),
                "fail" if self.failed.is_empty() => {
                    self.failed
                        .insert(event["Package"].as_str().unwrap_or("go test").to_owned());
                    None
                }
                _ => None,
            }
            .filter(|text| !text.is_empty());
        };
        match action {
            "output" => {
                self.output
                    .entry(test.to_owned())
                    .or_default()
                    .push_str(event["Output"].as_str().unwrap_or_default());
                return None;
            }
            "pass" | "fail" | "skip" => {}
            _ => return None,
        }
        let seconds = event["Elapsed"].as_f64().unwrap_or_default();
        let printed = self.output.remove(test).unwrap_or_default();
        let inside = format!("{test}/");
        let has_inside = |set: &BTreeSet<String>| {
            set.range(inside.clone()..)
                .next()
                .is_some_and(|name| name.starts_with(&inside))
        };
        let outer =
            has_inside(&self.passed) || has_inside(&self.failed) || has_inside(&self.skipped);
        match action {
            "pass" if outer => None,
            "pass" => {
                self.passed.insert(test.to_owned());
                Some(format!("ok {test} ({seconds:.2} s)"))
            }
            "skip" => {
                self.skipped.insert(test.to_owned());
                Some(format!("SKIPPED {test}: {}", reason(&printed)))
            }
            _ => {
                if !has_inside(&self.failed) {
                    self.failed.insert(test.to_owned());
                }
                Some(format!("FAILED {test} ({seconds:.2} s)\n{printed}"))
            }
        }
    }

    fn good(&self) -> bool {
        self.failed.is_empty() && !self.passed.is_empty()
    }

    /// In the words of Rust's own harness, which `.ci/run` adds up. The skipped have a line each and no place here.
    fn summary(&self) -> String {
        let word = if self.good() { "ok" } else { "FAILED" };
        format!(
            "test result: {word}. {} passed; {} failed; 0 ignored\n",
            self.passed.len(),
            self.failed.len()
        )
    }
}

/// Why a test says that it was skipped: the last thing that it printed before Go's own words.
fn reason(printed: &str) -> &str {
    printed
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.starts_with("---") && !line.starts_with("==="))
        .unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> (Tally, Vec<String>) {
        let mut tally = Tally::default();
        let seen = lines.iter().filter_map(|line| tally.read(line)).collect();
        (tally, seen)
    }

    // The lines are those of `go test -json` of Go 1.26, shortened.
    const PASS: &str = r#"{"Action":"pass","Package":"p","Test":"TestA/one","Elapsed":0.5}"#;

    #[test]
    fn a_test_that_only_holds_others_is_not_counted() {
        let (tally, seen) = tally(&[
            r#"{"Action":"run","Package":"p","Test":"TestA"}"#,
            PASS,
            r#"{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}"#,
            r#"{"Action":"pass","Package":"p","Elapsed":0.6}"#,
        ]);
        assert_eq!(seen, ["ok TestA/one (0.50 s)"]);
        assert_eq!(
            tally.summary(),
            "test result: ok. 1 passed; 0 failed; 0 ignored\n"
        );
    }

    #[test]
    fn a_skip_is_said_with_its_reason_and_counted_apart() {
        let (tally, seen) = tally(&[
            PASS,
            r#"{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: not here\n"}"#,
            r#"{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}"#,
            r#"{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}"#,
        ]);
        assert_eq!(seen[1], "SKIPPED TestB: b_test.go:7: not here");
        assert!(tally.good());
        assert_eq!(
            tally.summary(),
            "test result: ok. 1 passed; 0 failed; 0 ignored\n"
        );
    }

    #[test]
    fn a_failure_shows_what_was_printed_and_is_counted_once() {
        let (tally, seen) = tally(&[
            PASS,
            r#"{"Action":"output","Package":"p","Test":"TestA/two","Output":"    wrong\n"}"#,
            r#"{"Action":"fail","Package":"p","Test":"TestA/two","Elapsed":0}"#,
            r#"{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0}"#,
            r#"{"Action":"fail","Package":"p","Elapsed":0}"#,
        ]);
        assert!(seen[1].contains("wrong"), "{seen:?}");
        assert_eq!(
            tally.summary(),
            "test result: FAILED. 1 passed; 1 failed; 0 ignored\n"
        );
    }

    #[test]
    fn what_does_not_build_fails_and_nothing_at_all_is_not_good() {
        let (broken, seen) = tally(&[
            r#"{"ImportPath":"p","Action":"build-output","Output":"x.go:1: no\n"}"#,
            r#"{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p"}"#,
        ]);
        assert_eq!(seen, ["x.go:1: no"]);
        assert!(!broken.good());
        assert!(!Tally::default().good());
    }
}
