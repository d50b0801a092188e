// SPDX-License-Identifier: MIT OR Apache-2.0
//! `delete`: objects go, by name.
//!
//! Invariant: one name that fails keeps no other from being deleted; each failure is told, and the first decides the exit code.

use hcn::Kind;

use crate::{
    cli::{DeleteArgs, Noun},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::guid,
    render::shown,
};

/// Deletes all that are named.
///
/// # Errors
/// Where the kind cannot be deleted or the words cannot be written; what HNS refuses is told at once and becomes the exit code.
pub fn run(desk: &mut Desk<'_>, args: &DeleteArgs) -> Outcome {
    let kind = match args.noun {
        Noun::Networks => Kind::Network,
        Noun::Endpoints => Kind::Endpoint,
        Noun::Namespaces => Kind::Namespace,
        Noun::Policies => {
            return Err(Failure::Usage(
                "policies are not deleted by name; hcnctl acl remove and hcnctl acl clear take rules away".to_owned(),
            ));
        }
    };
    let mut code = exit::DONE;
    for name in &args.names {
        match one(desk, kind, name) {
            Ok(()) => {}
            Err(Failure::Output(error)) => return Err(Failure::Output(error)),
            Err(failure) => {
                write!(desk.words, "{}", failure.page())?;
                if code == exit::DONE {
                    code = failure.exit_code();
                }
            }
        }
    }
    Ok(code)
}

fn one(desk: &mut Desk<'_>, kind: Kind, name: &str) -> Result<(), Failure> {
    let (id, own) = match kind {
        Kind::Network => {
            let network = desk.network(name)?;
            (guid(network.id.get()), network.name.or_default())
        }
        Kind::Endpoint => {
            let endpoint = desk.endpoint(name)?;
            (guid(endpoint.id.get()), endpoint.name.or_default())
        }
        _ => {
            let namespace = desk.namespace(name)?;
            (guid(namespace.id.get()), namespace.name.or_default())
        }
    };
    let said = format!("{kind} {} {id}", shown(&own)).replace("  ", " ");
    desk.client()
        .delete(kind, id)
        .map_err(Failure::hns(format!("delete the {said}")))?;
    if desk.is_dry_run() {
        return Ok(());
    }
    desk.say(&format!("deleted {said}"))?;
    let widowed = desk.containers()?.into_iter().find(|container| match kind {
        Kind::Endpoint => container.endpoint == id,
        Kind::Namespace => container.namespace == Some(id),
        _ => false,
    });
    match widowed {
        Some(container) => desk.say(&format!(
            "note: the container {0} had it; hcnctl rm {0} removes the rest",
            container.name
        )),
        None => Ok(()),
    }
}
