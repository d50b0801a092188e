// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desk: parses, asks, explains, prints; decides nothing.

use std::process::ExitCode;

use clap::Parser;
use hcnctl::{
    cli::{self, Cli},
    desk,
    failure::Failure,
};

fn main() -> ExitCode {
    if let Some(list) = cli::profile::help(std::env::args().skip(1)) {
        // Whoever closes the pipe early has read enough.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), list.as_bytes());
        return ExitCode::SUCCESS;
    }
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
