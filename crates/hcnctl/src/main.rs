// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desk: parses, asks, explains, prints; decides nothing.

use std::process::ExitCode;

use clap::Parser;
use hcnctl::{cli::Cli, desk, failure::Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match desk::run(cli) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads us has gone, e.g. `hcnctl get endpoints | head`: nothing is wrong.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprint!("{}", failure.page());
            ExitCode::from(failure.exit_code())
        }
    }
}
