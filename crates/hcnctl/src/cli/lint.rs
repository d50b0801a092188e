// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of `lint`.
//!
//! Apart because the command line grows by the command. As above, doc comments are help texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct LintArgs {
    /// Only these endpoints, by id, id prefix, name, container or address; everything unless said.
    pub endpoints: Vec<String>,
    /// Examine a listing instead of the open HNS: JSON, -o list, or a capture of Get-HnsEndpoint; - is standard input; may be repeated.
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// End with exit code 1 where there is a finding of this severity or above.
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Print what a check finds, why, and what to do; "all" lists the checks.
    #[arg(long, value_name = "CHECK", conflicts_with_all = ["endpoints", "file"])]
    pub explain: Option<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: LintOutput,
}

/// From which severity on the command fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Refused, without effect, or opens or cuts more than it says.
    #[default]
    Error,
    /// Also what is probably not meant.
    Warning,
    /// Any finding.
    Note,
}

/// How to print findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LintOutput {
    /// For people.
    #[default]
    Text,
    /// For programs; docs/schema/lint.json is its schema.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}
