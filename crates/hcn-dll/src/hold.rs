// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which HNS is behind it all: what the environment names, opened by the first call.
//!
//! One for the life of the process. A failure to open it is the answer to the call that met it, and the next call tries again.

use std::{
    env,
    sync::{Mutex, OnceLock, PoisonError},
};

use hcn::{ComputeSystems, ConnectOptions, Target, connect, service::profile::ProfileChoice};
use hcn_api::{Answer, HcnCode, HnsError};

use crate::border::Border;

static BORDER: OnceLock<Border> = OnceLock::new();
static OPENING: Mutex<()> = Mutex::new(());

/// The border of this process.
///
/// # Errors
/// Those of the target.
pub(crate) fn border() -> Answer<&'static Border> {
    if let Some(border) = BORDER.get() {
        return Ok(border);
    }
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(border) = BORDER.get() {
        return Ok(border); // Another thread was faster.
    }
    let chosen = choose(|name| env::var(name).ok().filter(|value| !value.is_empty()))?;
    let options = ConnectOptions {
        version: chosen.profile.version,
        switches: chosen.profile.switches,
        actor: program(),
        ..ConnectOptions::default()
    };
    let connection = connect(&chosen.target, options)?;
    let border = Border::new(connection.hns(), ComputeSystems::of(&connection));
    Ok(BORDER.get_or_init(|| border))
}

/// What the environment says.
#[derive(Debug, PartialEq)]
struct Chosen {
    target: Target,
    profile: ProfileChoice,
}

/// Reads `HCNCTL_HOST`, `HCNCTL_STATE` and `HCNCTL_PROFILE`.
fn choose(variable: impl Fn(&str) -> Option<String>) -> Answer<Chosen> {
    let bad = |name: &str, why: String| HnsError::at(HcnCode::E_INVALIDARG, name, why);
    let target = match variable("HCNCTL_HOST") {
        None => Target::Embedded(None),
        // Said to hcnctl, or to another program that chose this library by it: the library itself is what native means, and has to stand
        // for something else.
        Some(host) if host == "native" || host.starts_with("native:") => Target::Embedded(None),
        Some(host) => host
            .parse()
            .map_err(|error| bad("HCNCTL_HOST", format!("{error}")))?,
    };
    let target = match (target, variable("HCNCTL_STATE")) {
        (Target::Embedded(None), Some(state)) => Target::Embedded(Some(state.into())),
        (target, _) => target,
    };
    let profile = variable("HCNCTL_PROFILE")
        .map(|text| {
            text.parse::<ProfileChoice>()
                .map_err(|error| bad("HCNCTL_PROFILE", format!("{text:?}: {error}")))
        })
        .transpose()?
        .unwrap_or_default();
    Ok(Chosen { target, profile })
}

/// The program that loaded the library, for the operation log.
fn program() -> String {
    env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "computenetwork".to_owned())
}

#[cfg(test)]
mod tests {
    use hcn_api::HnsVersion;

    use super::*;

    fn choose_with(pairs: &[(&str, &str)]) -> Answer<Chosen> {
        choose(|name| {
            pairs
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_said_means_the_embedded_one() {
        let chosen = choose_with(&[]).unwrap();
        assert_eq!(chosen.target, Target::Embedded(None));
        assert_eq!(chosen.profile, ProfileChoice::default());
    }

    #[test]
    fn the_state_is_that_of_an_embedded_one_without_a_directory() {
        let chosen = choose_with(&[("HCNCTL_STATE", "s"), ("HCNCTL_PROFILE", "13.3")]).unwrap();
        assert_eq!(chosen.target, Target::Embedded(Some("s".into())));
        assert_eq!(chosen.profile, HnsVersion::new(13, 3).into());
        let switched = [("HCNCTL_PROFILE", "13.3,tie=first-wins")];
        let chosen = choose_with(&switched).unwrap();
        assert_eq!(chosen.profile.to_string(), "13.3,tie=first-wins");
        let both = [("HCNCTL_STATE", "s"), ("HCNCTL_HOST", "embedded:t")];
        assert_eq!(
            choose_with(&both).unwrap().target,
            Target::Embedded(Some("t".into()))
        );
    }

    #[test]
    fn a_program_that_chose_the_library_by_native_gets_the_embedded_one_of_it() {
        for host in ["native", "native:computenetwork.dll"] {
            let chosen = choose_with(&[("HCNCTL_HOST", host), ("HCNCTL_STATE", "s")]).unwrap();
            assert_eq!(chosen.target, Target::Embedded(Some("s".into())));
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for pair in [("HCNCTL_HOST", "ftp:x"), ("HCNCTL_PROFILE", "new")] {
            assert_eq!(
                choose_with(&[pair]).unwrap_err().code,
                HcnCode::E_INVALIDARG
            );
        }
    }
}
