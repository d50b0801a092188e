// SPDX-License-Identifier: MIT OR Apache-2.0
//! `serve`: answers programs on this machine until it is told to stop.

use std::{fs, io::Write, path::Path};

use hcn::{HnsError, Target, remote::default_token_file};

use crate::{
    cli::ServeArgs,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    serve::{Listen, Options, Server, new_token, openapi as document, private},
};

/// Prints the OpenAPI document.
///
/// # Errors
/// Where the output cannot be written.
pub fn openapi(out: &mut dyn Write) -> Outcome {
    out.write_all(document::text().as_bytes())?;
    Ok(exit::DONE)
}

/// Serves. The first line of standard output is the target by which clients reach it.
///
/// # Errors
/// Where the place to listen on, or the token's file, cannot be had.
pub fn run(desk: &mut Desk<'_>, args: &ServeArgs) -> Outcome {
    if desk.is_dry_run() {
        return Err(Failure::Usage(
            "a dry run sends nothing, so it has nothing to serve".to_owned(),
        ));
    }
    let state = match desk.target() {
        Target::Embedded(_) | Target::Native(_) => desk.state(),
        other => {
            return Err(Failure::Usage(format!(
                "{other} is served already; serve needs an HNS of its own (--host embedded)"
            )));
        }
    };
    let listen = match &args.listen {
        Some(listen) => listen.clone(),
        None => Listen::usual(&state),
    };
    let token = match &listen {
        Listen::Unix(_) => None,
        Listen::Tcp(_) => {
            let token = match std::env::var("HCNCTL_TOKEN") {
                Ok(token) if !token.is_empty() => token,
                _ => new_token(),
            };
            Some(token)
        }
    };
    let starting = || Failure::hns(format!("serve on {listen}"));
    let server = Server::start(
        desk.connection().clone(),
        &Options {
            listen: listen.clone(),
            token: token.clone(),
        },
    )
    .map_err(starting())?;
    let kept = match (&token, port(server.target())) {
        (Some(token), Some(port)) => {
            let usual = || default_token_file(port);
            let path = args.token_file.clone().unwrap_or_else(usual);
            write_token(&path, token)?;
            Some((path, token.clone()))
        }
        _ => None,
    };
    writeln!(desk.out, "{}", server.target())?;
    desk.out.flush()?;
    if let Some((path, _)) = &kept {
        desk.say(&format!("the token is in {}", path.display()))?;
    }
    desk.say(&format!(
        "serving {}; ctrl-c or SIGTERM stops it",
        desk.target()
    ))?;
    let stopped: Result<(), HnsError> = server.wait();
    server.stop();
    // The token is of no more use, unless another server has written its own there; that it stays behind is no failure.
    if let Some((path, token)) = &kept
        && fs::read_to_string(path).is_ok_and(|text| text.trim() == token)
    {
        let _ = fs::remove_file(path);
    }
    stopped.map_err(starting())?;
    desk.say("stopped")?;
    Ok(exit::DONE)
}

/// The port of a server on TCP.
fn port(target: &Target) -> Option<u16> {
    match target {
        Target::Http(authority) => authority.rsplit_once(':')?.1.parse().ok(),
        _ => None,
    }
}

fn write_token(path: &Path, token: &str) -> Result<(), Failure> {
    let failed = |error| Failure::File {
        path: path.display().to_string(),
        error,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    private::write(path, token).map_err(failed)
}
