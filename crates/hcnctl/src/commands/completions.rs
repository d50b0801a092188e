// SPDX-License-Identifier: MIT OR Apache-2.0
//! `completions`: a script that lets a shell complete the command line.
//!
//! Apart because it needs no HNS, only the grammar of the command line itself.

use std::io::Write;

use clap::CommandFactory;

use crate::{
    cli::{Cli, CompletionsArgs},
    desk::Outcome,
    failure::exit,
};

/// Prints the script of a shell.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(args: &CompletionsArgs, out: &mut dyn Write) -> Outcome {
    // The generator panics on a writer that fails, so it gets one that does not.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hcnctl", &mut script);
    out.write_all(&script)?;
    Ok(exit::DONE)
}
