// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong at the desk, and how it is said: what was tried, the HCN code with name and record, and what to do.
//!
//! Invariant: an error of HNS is printed with its code, its name and its record; hints are added here and nowhere below.

use std::{fmt::Write, io};

use hcn::{HcnCode, HnsError, Kind};

/// Exit codes.
pub mod exit {
    /// Done; or allowed, reachable, no difference.
    pub const DONE: u8 = 0;
    /// Denied, unreachable, or different.
    pub const DENIED: u8 = 1;
    /// The command line cannot be understood, or names a file that cannot be used.
    pub const USAGE: u8 = 2;
    /// What was named does not exist; or a capture has no packet that is judged.
    pub const NOT_FOUND: u8 = 3;
    /// HNS said no, or the system did.
    pub const HNS: u8 = 4;
}

/// What goes wrong.
#[derive(Debug)]
pub enum Failure {
    /// HNS said no.
    Hns {
        /// What was tried, e.g. "create the endpoint".
        doing: String,
        /// What HNS said.
        error: HnsError,
    },
    /// Nothing has the name.
    NotFound {
        /// The kind looked for.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// Several have the name.
    Ambiguous {
        /// The kind looked for.
        kind: Kind,
        /// The name.
        name: String,
        /// A line for each that has it.
        candidates: Vec<String>,
    },
    /// The command line says something that cannot be.
    Usage(String),
    /// A file cannot be read or written.
    File {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// What was named, and is no object of HNS, is not there.
    Absent(String),
    /// A file says something that cannot be.
    BadFile {
        /// A line for each mistake, with its place.
        problems: Vec<String>,
        /// Whether all of them are names that nothing has.
        is_unknown: bool,
    },
    /// A change of several endpoints was not made, or is not taken back, or another one is in its way.
    Change {
        /// What is so.
        message: String,
        /// What HNS said.
        error: Option<HnsError>,
    },
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// A failure of HNS while doing something.
    pub fn hns(doing: impl Into<String>) -> impl FnOnce(HnsError) -> Failure {
        let doing = doing.into();
        move |error| Failure::Hns { doing, error }
    }

    /// A change that is in no state in which it could go on.
    pub fn change(message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure::Change {
            message,
            error: None,
        }
    }

    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Hns { error, .. } if error.code.is_not_found() => exit::NOT_FOUND,
            Failure::NotFound { .. }
            | Failure::Absent(_)
            | Failure::BadFile {
                is_unknown: true, ..
            } => exit::NOT_FOUND,
            Failure::Usage(_)
            | Failure::Ambiguous { .. }
            | Failure::File { .. }
            | Failure::BadFile { .. } => exit::USAGE,
            Failure::Hns { .. } | Failure::Change { .. } | Failure::Output(_) => exit::HNS,
        }
    }

    /// The lines for standard error.
    pub fn page(&self) -> String {
        let mut page = String::new();
        // What users wrote comes back in here, so nothing in it may drive the terminal.
        let mut line = |text: String| {
            let _ = writeln!(page, "{}", crate::render::shown(&text));
        };
        match self {
            Failure::Hns { doing, error } => {
                line(format!("error: cannot {doing}"));
                line(format!("  {error}"));
                line(format!("  record: {}", error.record()));
                if let Some(hint) = hint(error) {
                    line(format!("  hint: {hint}"));
                }
            }
            Failure::NotFound { kind, name } => {
                let code = kind.not_found();
                line(format!("error: there is no {kind} {name:?}"));
                line(format!("  {code}"));
                line(format!("  record: {}", HnsError::new(code).record()));
                line(format!(
                    "  hint: hcnctl get {}s lists them",
                    kind.words().replace(' ', "-")
                ));
            }
            Failure::Ambiguous {
                kind,
                name,
                candidates,
            } => {
                line(format!(
                    "error: {name:?} names {} {kind}s; say which by its id:",
                    candidates.len()
                ));
                for candidate in candidates {
                    line(format!("  {candidate}"));
                }
            }
            Failure::Usage(message) | Failure::Absent(message) => {
                line(format!("error: {message}"));
            }
            Failure::Change { message, error } => {
                line(format!("error: {message}"));
                if let Some(error) = error {
                    line(format!("  {error}"));
                    line(format!("  record: {}", error.record()));
                    // Another HNS is of no use to whoever changes this one.
                    let own =
                        hint(error).filter(|_| error.code != HcnCode::RPC_S_SERVER_UNAVAILABLE);
                    if let Some(hint) = own {
                        line(format!("  hint: {hint}"));
                    }
                }
            }
            Failure::BadFile { problems, .. } => {
                for problem in problems {
                    line(format!("error: {problem}"));
                }
                line("nothing was sent".to_owned());
            }
            Failure::File { path, error } => {
                line(format!("error: the file {path} cannot be used: {error}"))
            }
            Failure::Output(error) => line(format!("error: cannot write the output: {error}")),
        }
        page
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// What to do, where more is known than the error's own sentence says.
fn hint(error: &HnsError) -> Option<&'static str> {
    match error.code {
        HcnCode::HCN_E_NETWORK_NOT_FOUND => {
            Some("hcnctl get networks lists the networks; hcnctl create network nat makes one")
        }
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND => Some("hcnctl get endpoints lists the endpoints"),
        HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED => Some(
            "leave the address out and HNS chooses a free one; hcnctl get endpoints shows who has which",
        ),
        HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED
        | HcnCode::HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS => {
            Some("clients of HNS take this as success where the endpoint is where they want it")
        }
        HcnCode::HCN_E_PORT_ALREADY_EXISTS => {
            Some("hcnctl get policies shows who publishes the port")
        }
        // A server says itself what it wants to be shown.
        HcnCode::E_ACCESSDENIED if error.is_received() => None,
        HcnCode::ERROR_WRITE_PROTECT
        | HcnCode::ERROR_DISK_FULL
        | HcnCode::E_ACCESSDENIED
        | HcnCode::ERROR_WRONG_DISK => {
            Some("--state DIR or HCNCTL_STATE chooses another directory for the embedded HNS")
        }
        HcnCode::E_NOTIMPL => Some("README.md, \"Status\", says what there is and what is not"),
        HcnCode::RPC_S_SERVER_UNAVAILABLE => {
            Some("--host embedded needs no HNS and no server: hcnctl brings its own")
        }
        _ => None,
    }
}
