// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which HNS to talk to: a value, chosen at run time.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// An HNS to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The embedded HNS on a state directory; `None` means [`default_state`].
    Embedded(Option<PathBuf>),
    /// A running `hcnctl serve` at `HOST:PORT`.
    Http(String),
    /// A running `hcnctl serve` on a Unix socket.
    Unix(PathBuf),
    /// The HNS of the system, or of a library at a path that exports its functions.
    Native(Option<PathBuf>),
}

impl Target {
    /// The same HNS by the one name that it has from everywhere, however it was spelled: paths without links and dots, the directory that is meant
    /// where none is named, one name for this machine. A library that only the loader finds stays as it is.
    #[must_use]
    pub fn absolute(&self) -> Target {
        match self {
            Target::Embedded(folder) => {
                let folder = folder.clone().unwrap_or_else(default_state);
                Target::Embedded(Some(real(&folder)))
            }
            Target::Http(authority) => Target::Http(one_authority(authority)),
            Target::Unix(path) => Target::Unix(real(path)),
            Target::Native(Some(path)) => {
                Target::Native(Some(path.canonicalize().unwrap_or_else(|_| path.clone())))
            }
            Target::Native(None) => Target::Native(None),
        }
    }
}

/// A path from the root, without links; the last part may be missing, as a socket is while its server is stopped.
fn real(path: &Path) -> PathBuf {
    let of_parent = || {
        let parent = match path.parent()? {
            parent if parent.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        Some(parent.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize()
        .ok()
        .or_else(of_parent)
        .or_else(|| std::path::absolute(path).ok())
        .unwrap_or_else(|| path.to_owned())
}

/// `HOST:PORT` in one spelling. `hcnctl serve` on localhost listens on 127.0.0.1; what listens on [::1] alone is another one.
fn one_authority(authority: &str) -> String {
    let Some((host, port)) = authority.rsplit_once(':') else {
        return authority.to_owned();
    };
    let lower = host.to_ascii_lowercase();
    let inner = lower
        .strip_prefix('[')
        .and_then(|own| own.strip_suffix(']'));
    let host = match inner.and_then(|own| own.parse::<std::net::Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => match lower.strip_suffix('.').unwrap_or(&lower) {
            "localhost" => "127.0.0.1".to_owned(),
            other => other.to_owned(),
        },
    };
    // A port may be written with zeros before it.
    let port = port
        .parse()
        .map_or(port.to_owned(), |port: u16| port.to_string());
    format!("{host}:{port}")
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
            Target::Http(authority) => write!(f, "http://{authority}"),
            Target::Unix(path) => write!(f, "unix:{}", path.display()),
            Target::Native(None) => f.write_str("native"),
            Target::Native(Some(path)) => write!(f, "native:{}", path.display()),
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
            "{:?} is not a target; there are native, native:LIBRARY, embedded, embedded:DIRECTORY, http://HOST:PORT and unix:PATH",
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
            None if text == "native" => Ok(Target::Native(None)),
            Some(("native", path)) if !path.is_empty() => Ok(Target::Native(Some(path.into()))),
            Some(("unix", path)) if !path.is_empty() => Ok(Target::Unix(path.into())),
            Some(("http", rest)) => authority(rest)
                .map(|authority| Target::Http(authority.to_owned()))
                .ok_or_else(|| NotATarget(text.to_owned())),
            _ => Err(NotATarget(text.to_owned())),
        }
    }
}

/// `HOST:PORT` of `//HOST:PORT`; a path behind it, a user before it, or a port that is missing make it something else.
fn authority(rest: &str) -> Option<&str> {
    let authority = rest.strip_prefix("//")?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = authority.rsplit_once(':')?;
    let is_host = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "-._".contains(one))
    };
    let is_ipv6 = |text: &str| {
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let good = (is_host(host) || is_ipv6(host)) && port.parse::<u16>().is_ok_and(|port| port > 0);
    good.then_some(authority)
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
        for text in [
            "embedded",
            "embedded:/var/lib/x",
            "native",
            "native:/usr/lib/libcomputenetwork.so",
            "unix:/run/hcnctl.sock",
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:65535",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!(
            "http://localhost:80/".parse(),
            Ok(Target::Http("localhost:80".to_owned()))
        );
        for text in [
            "",
            "embedded:",
            "ftp:x",
            "unix:",
            "native:",
            "http:",
            "http://",
            "http://localhost",
            "http://localhost:0",
            "http://localhost:65536",
            "http://:80",
            "http://user@localhost:80",
            "http://localhost:80/x",
            "http://[::1:80",
            "https://localhost:80",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
    #[test]
    fn an_hns_has_one_name_however_it_is_spelled() {
        let of = |text: &str| text.parse::<Target>().unwrap().absolute().to_string();
        assert_eq!(of("http://localhost:80"), "http://127.0.0.1:80");
        assert_eq!(of("http://LocalHost.:080/"), "http://127.0.0.1:80");
        assert_eq!(of("http://[0:0::1]:80"), "http://[::1]:80");
        assert_eq!(of("http://Node-1:80"), "http://node-1:80");
        let folder = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("hcn-target-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for sort in ["embedded", "unix"] {
            let plain = format!("{sort}:{}", folder.display());
            assert_eq!(of(&plain), plain);
            for text in [
                format!("{plain}/"),
                format!("{plain}/../{}/.", folder.file_name().unwrap().display()),
            ] {
                assert_eq!(of(&text), plain, "{text}");
            }
            // What is not there yet, or not any more.
            let gone = format!("{plain}/gone");
            assert_eq!(of(&gone), gone);
            assert_eq!(of(&format!("{plain}/./gone")), gone);
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(
            of("unix:gone"),
            format!("unix:{}", here.join("gone").display())
        );
        std::fs::remove_dir(&folder).unwrap();
        assert_eq!(
            Target::Embedded(None).absolute(),
            Target::Embedded(Some(default_state())).absolute()
        );
    }
}
