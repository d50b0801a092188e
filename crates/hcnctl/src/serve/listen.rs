// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a server listens: a Unix socket that only its owner opens, or a port of the loopback address.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use axum::Router;
use hcn::{Answer, HcnCode, HnsError, Target};
use tokio::sync::watch;

use super::guard::Peer;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A Unix socket.
    Unix(PathBuf),
    /// A loopback address with a port; port 0 lets the system choose.
    Tcp(SocketAddr),
}

impl Listen {
    /// A socket in the state directory; where the system has none, a port of its choice.
    pub fn usual(state: &Path) -> Listen {
        if cfg!(unix) {
            Listen::Unix(state.join("serve.sock"))
        } else {
            Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
            Listen::Tcp(address) => address.fmt(f),
        }
    }
}

/// A text is no place to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPlace(String);

impl fmt::Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAPlace {}

impl FromStr for Listen {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(NotAPlace("unix: needs a path".to_owned())),
                path => Ok(Listen::Unix(path.into())),
            };
        }
        let address = text
            .strip_prefix("localhost:")
            .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        let address: SocketAddr = address.parse().map_err(|_| {
            NotAPlace(
                "not unix:PATH and not an address with a port, e.g. 127.0.0.1:8080".to_owned(),
            )
        })?;
        if address.ip().is_loopback() {
            Ok(Listen::Tcp(address))
        } else {
            Err(NotAPlace(format!(
                "{} is not a loopback address; other machines are not served, because nothing is encrypted. 127.0.0.1:PORT is",
                address.ip()
            )))
        }
    }
}

/// A socket's file; dropping it removes the file.
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What listens.
pub(super) enum Ear {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

/// A place that is ours.
pub(super) struct Bound {
    pub ear: Ear,
    pub target: Target,
    pub file: Option<SocketFile>,
}

/// Takes the place.
pub(super) fn bind(listen: &Listen) -> Answer<Bound> {
    match listen {
        Listen::Tcp(address) => {
            let failed = |error: io::Error| failed(listen, &error);
            let listener = std::net::TcpListener::bind(address).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            Ok(Bound {
                ear: Ear::Tcp(listener),
                target: Target::Http(address.to_string()),
                file: None,
            })
        }
        Listen::Unix(path) => bind_unix(listen, path),
    }
}

#[cfg(unix)]
fn bind_unix(listen: &Listen, path: &Path) -> Answer<Bound> {
    use std::os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream,
    };
    let failed = |error: io::Error| failed(listen, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(HnsError::because(
                HcnCode::ERROR_ALREADY_EXISTS,
                format!("{} is there, and is no socket", path.display()),
            ));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(HnsError::because(
                HcnCode::ERROR_SHARING_VIOLATION,
                format!("somebody serves on {} already", path.display()),
            ));
        }
        // One that was killed left it behind.
        Ok(_) => std::fs::remove_file(path).map_err(failed)?,
    }
    let listener = tokio::net::UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile(path.to_owned());
    // Whoever was faster than this is asked who it is, as everybody is.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(Bound {
        ear: Ear::Unix(listener),
        target: Target::Unix(path.to_owned()),
        file: Some(file),
    })
}

#[cfg(not(unix))]
fn bind_unix(listen: &Listen, _: &Path) -> Answer<Bound> {
    let error = io::Error::new(
        io::ErrorKind::Unsupported,
        "Unix sockets are not used on this system; 127.0.0.1:PORT is",
    );
    Err(failed(listen, &error))
}

fn failed(listen: &Listen, error: &io::Error) -> HnsError {
    let code = match error.kind() {
        io::ErrorKind::AddrInUse => HcnCode::ERROR_SHARING_VIOLATION,
        io::ErrorKind::PermissionDenied => HcnCode::E_ACCESSDENIED,
        io::ErrorKind::Unsupported => HcnCode::E_NOTIMPL,
        io::ErrorKind::InvalidInput => HcnCode::E_INVALIDARG,
        _ => HcnCode::E_FAIL,
    };
    HnsError::because(code, format!("cannot listen on {listen}: {error}"))
}

impl Ear {
    /// Serves until told to stop, and then what has begun.
    pub async fn serve(
        self,
        router: Router,
        mut stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let told = async move {
            // A sender that is gone says the same.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let service = router.into_make_service_with_connect_info::<Peer>();
        match self {
            Ear::Tcp(listener) => {
                axum::serve(listener, service)
                    .with_graceful_shutdown(told)
                    .await
            }
            #[cfg(unix)]
            Ear::Unix(listener) => {
                axum::serve(listener, service)
                    .with_graceful_shutdown(told)
                    .await
            }
        }
    }
}

/// Waits for what a person or the system says to stop a program.
#[cfg(unix)]
pub(crate) async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for what a person says to stop a program.
#[cfg(not(unix))]
pub(crate) async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_served() {
        for good in ["unix:/x", "127.0.0.1:0", "127.9.9.9:1", "[::1]:80"] {
            assert_eq!(good.parse::<Listen>().unwrap().to_string(), good);
        }
        assert_eq!(
            "localhost:8080".parse::<Listen>().unwrap().to_string(),
            "127.0.0.1:8080"
        );
        for bad in [
            "0.0.0.0:80",
            "[::]:80",
            "10.0.0.1:80",
            "127.0.0.1",
            "host:80",
            "unix:",
            "",
            "80",
        ] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
