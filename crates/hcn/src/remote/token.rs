// SPDX-License-Identifier: MIT OR Apache-2.0
//! The secret that a server on TCP asks for, and where it is kept.

use std::{env, fs, path::PathBuf};

use crate::target::default_state;

/// Where `hcnctl serve` writes its token unless told otherwise: a place that only its user reads.
pub fn default_token_file() -> PathBuf {
    let local = env::var_os("LOCALAPPDATA").filter(|folder| cfg!(windows) && !folder.is_empty());
    match local {
        // The state directory of Windows is readable to every user.
        Some(folder) => PathBuf::from(folder).join("hcnctl").join("serve.token"),
        None => default_state().join("serve.token"),
    }
}

/// The token to show: `HCNCTL_TOKEN`, else what the file says that `HCNCTL_TOKEN_FILE` names, else [`default_token_file`].
pub fn token() -> Option<String> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(token) = variable("HCNCTL_TOKEN") {
        return token.into_string().ok();
    }
    let file = variable("HCNCTL_TOKEN_FILE").map_or_else(default_token_file, PathBuf::from);
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}
