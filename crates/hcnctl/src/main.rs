// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desk: parses, asks, explains, examines, prints; judges no packet itself.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use hcnctl::{
    cli::{self, Cli},
    desk,
};

fn main() -> ExitCode {
    if let Some(list) = cli::profile::help(std::env::args().skip(1)) {
        // Whoever closes the pipe early has read enough.
        let _ = Write::write_all(&mut io::stdout(), list.as_bytes());
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    match desk::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Where nobody reads it, the exit code has to do.
            let _ = write!(io::stderr(), "{}", failure.page());
            ExitCode::from(failure.exit_code())
        }
    }
}
