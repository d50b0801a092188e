// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps of CI, in order, each timed.
//!
//! Apart from `.ci/run`, which only prepares a bare machine and counts tests: what is checked is said here once. A step that fails does
//! not hide the ones after it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::tidy;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sources are formatted.
    Format,
    /// No lint of the workspace is broken, in any target.
    Lints,
    /// [`tidy`] finds nothing.
    Tidy,
    /// Licences, sources and bans of the dependencies.
    Dependencies,
    /// Every test of the workspace.
    Test,
}

/// What holds before a commit.
pub const CHECKS: &[Step] = &[Step::Format, Step::Lints, Step::Tidy, Step::Dependencies];

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Bad,
    Skipped,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Format => "fmt",
            Step::Lints => "clippy",
            Step::Tidy => "tidy",
            Step::Dependencies => "deny",
            Step::Test => "test",
        }
    }

    /// Arguments to cargo; `None` for what this program does itself.
    fn cargo(self) -> Option<&'static [&'static str]> {
        match self {
            Step::Format => Some(&["fmt", "--all", "--check"]),
            Step::Lints => Some(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
            Step::Tidy => None,
            // The advisory database is fetched from a git host, which CI machines may not reach.
            Step::Dependencies => Some(&["deny", "check", "bans", "licenses", "sources"]),
            Step::Test => Some(&["test", "--workspace"]),
        }
    }

    fn run(self, repository: &Path) -> Outcome {
        if self == Step::Dependencies && !cargo_deny_is_installed() {
            println!("SKIPPED deny: cargo-deny is not installed");
            return Outcome::Skipped;
        }
        let good = match self.cargo() {
            None => tidy::report(repository),
            Some(arguments) => Command::new("cargo")
                .args(arguments)
                .current_dir(repository)
                .status()
                .is_ok_and(|status| status.success()),
        };
        if good { Outcome::Good } else { Outcome::Bad }
    }
}

/// Runs the steps and prints how each ended; whether none failed.
pub fn run(repository: &Path, steps: &[Step]) -> bool {
    let mut ended = Vec::new();
    for step in steps {
        println!("== {}", step.name());
        let start = Instant::now();
        let outcome = step.run(repository);
        ended.push((step.name(), outcome, start.elapsed().as_secs_f64()));
    }
    print!("{}", summary(&ended));
    ended.iter().all(|(_, outcome, _)| *outcome != Outcome::Bad)
}

fn summary(ended: &[(&str, Outcome, f64)]) -> String {
    ended
        .iter()
        .map(|(name, outcome, seconds)| {
            let word = match outcome {
                Outcome::Good => "ok",
                Outcome::Bad => "FAILED",
                Outcome::Skipped => "skipped",
            };
            format!("== {name} {word} after {seconds:.1} s\n")
        })
        .collect()
}

fn cargo_deny_is_installed() -> bool {
    Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_each_step_and_how_it_ended() {
        assert_eq!(
            summary(&[
                ("fmt", Outcome::Good, 0.44),
                ("clippy", Outcome::Bad, 12.0),
                ("deny", Outcome::Skipped, 0.0)
            ]),
            "== fmt ok after 0.4 s\n== clippy FAILED after 12.0 s\n== deny skipped after 0.0 s\n"
        );
    }

    #[test]
    fn tidy_is_a_check_and_the_tests_are_not() {
        assert!(CHECKS.contains(&Step::Tidy));
        assert!(!CHECKS.contains(&Step::Test));
    }
}
