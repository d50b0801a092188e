// SPDX-License-Identifier: MIT OR Apache-2.0
//! The secret that a server on TCP asks for, and where it is kept.

use std::{env, fs, path::PathBuf};

use crate::target::default_state;

/// Where `hcnctl serve` writes the token for a port unless told otherwise: a place that only its user reads. Each port has its own, because
/// several servers may run at once.
pub fn default_token_file(port: u16) -> PathBuf {
    let name = format!("serve-{port}.token");
    let local = env::var_os("LOCALAPPDATA").filter(|folder| cfg!(windows) && !folder.is_empty());
    match local {
        // The state directory of Windows is readable to every user.
        Some(folder) => PathBuf::from(folder).join("hcnctl").join(name),
        None => default_state().join(name),
    }
}

/// The token to show a server at `HOST:PORT`: `HCNCTL_TOKEN`, else what the file says that `HCNCTL_TOKEN_FILE` names, else
/// [`default_token_file`].
pub fn token(authority: &str) -> Option<String> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(token) = variable("HCNCTL_TOKEN") {
        return token.into_string().ok();
    }
    let file = match variable("HCNCTL_TOKEN_FILE") {
        Some(file) => PathBuf::from(file),
        None => default_token_file(authority.rsplit_once(':')?.1.parse().ok()?),
    };
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_on_two_ports_have_two_files() {
        assert_ne!(default_token_file(8080), default_token_file(8081));
    }
}
