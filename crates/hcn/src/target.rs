// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which HNS to talk to: a value, chosen at run time.

use std::{fmt, path::PathBuf, str::FromStr};

/// An HNS to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The embedded HNS on a state directory; `None` means [`default_state`].
    Embedded(Option<PathBuf>),
}

impl Default for Target {
    fn default() -> Self {
        Target::Embedded(None)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Embedded(None) => f.write_str("embedded"),
            Target::Embedded(Some(folder)) => write!(f, "embedded:{}", folder.display()),
        }
    }
}

/// A text is not a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATarget(String);

impl fmt::Display for NotATarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a target that this version has; it has embedded and embedded:DIRECTORY",
            self.0
        )
    }
}

impl std::error::Error for NotATarget {}

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        match text.split_once(':') {
            None if text == "embedded" => Ok(Target::Embedded(None)),
            Some(("embedded", folder)) if !folder.is_empty() => {
                Ok(Target::Embedded(Some(folder.into())))
            }
            _ => Err(NotATarget(text.to_owned())),
        }
    }
}

/// Where the embedded HNS keeps its store unless told otherwise: the state directory of the platform.
///
/// `%ProgramData%\hcnctl` on Windows, `~/Library/Application Support/hcnctl` on macOS, else `$XDG_STATE_HOME/hcnctl` or
/// `~/.local/state/hcnctl`, and `/var/lib/hcnctl` for a user without a home.
pub fn default_state() -> PathBuf {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(windows) {
        return variable("ProgramData")
            .unwrap_or_else(|| PathBuf::from(r"C:\ProgramData"))
            .join("hcnctl");
    }
    let home = variable("HOME");
    if cfg!(target_os = "macos") {
        if let Some(home) = home {
            return home.join("Library/Application Support/hcnctl");
        }
    } else if let Some(state) = variable("XDG_STATE_HOME").filter(|state| state.is_absolute()) {
        return state.join("hcnctl");
    } else if let Some(home) = home {
        return home.join(".local/state/hcnctl");
    }
    PathBuf::from("/var/lib/hcnctl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written_alike() {
        for text in ["embedded", "embedded:/var/lib/x"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in ["", "embedded:", "native", "ftp:x"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
