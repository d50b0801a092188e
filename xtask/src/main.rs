// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chores: what is checked before a commit and in CI, written as a program so that it runs alike everywhere.
//!
//! Run as `cargo xtask NAME`. Nothing here is shipped, and nothing here decides what the product does.

mod bench_windows;
mod ci;
mod interop;
mod picture;
mod tidy;
mod windows;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "\
cargo xtask CHORE

tidy    what no compiler checks: crates/README.md, dependency arrows, file heads, words, links
check   rustfmt, clippy, tidy, cargo deny: what holds before a commit
ci      check, then every test
picture draw docs/demo.svg from what the demo prints
windows [--release] [--test]
        hcnctl.exe and the libraries for Windows; with --test, their tests and a program in C under Wine
interop programs that nobody here wrote, under Wine on our libraries (needs Go)
bench-windows
        the list of endpoints under Wine: our client against hcsshim's (needs Go)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let repository = repository();
    let good = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["tidy"] => tidy::report(&repository),
        ["check"] => ci::run(&repository, ci::CHECKS),
        ["ci"] => ci::run(&repository, &[ci::CHECKS, &[ci::Step::Test]].concat()),
        ["picture"] => picture::draw(&repository),
        ["windows", words @ ..] => match windows::Options::parse(words) {
            Some(options) => windows::run(&repository, options),
            None => return usage(),
        },
        ["interop"] => interop::run(&repository),
        ["bench-windows"] => bench_windows::run(&repository),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            true
        }
        _ => return usage(),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Top folder of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
