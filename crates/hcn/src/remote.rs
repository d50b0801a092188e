// SPDX-License-Identifier: MIT OR Apache-2.0
//! An HNS behind a socket: the client of `hcnctl serve`.
//!
//! Synchronous like the seam, so that no program that uses this crate gets an async runtime. Invariant: a failure of the other side comes
//! back with its own code and record; a failure to reach it is `RPC_S_SERVER_UNAVAILABLE`, as it is where the service of Windows is stopped.

#[cfg(unix)]
mod socket;
mod subscription;
mod token;

use std::{fmt, io::Read, path::Path, time::Duration};

use hcn_api::{
    Answer, HcnCode, Hns, HnsError, Kind, Listener, ObjectId, PortAccess, PortProtocol, PortRange,
    PortRangeEntry, PortReservation, Subscription,
};
use hcn_schema::Guid;
use hcn_service::{Container, Moment, NewContainer, Operation};
use serde_json::{Value, value::RawValue};
use ureq::{Agent, Body, http};

use crate::{
    lab::Lab,
    wire::{self, PortRequest},
};

pub use token::{default_token_file, token};

/// How long a server may take to accept.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may be silent where an answer is due. HNS of Windows takes seconds to make a network; nobody has told of a minute.
const SILENCE: Duration = Duration::from_secs(60);

/// A running `hcnctl serve`.
pub struct Remote {
    place: Place,
    agent: Agent,
    token: Option<String>,
    silence: Duration,
}

/// Where it is.
#[derive(Clone, Debug)]
enum Place {
    /// `HOST:PORT`.
    Tcp(String),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp(authority) => write!(f, "http://{authority}"),
            #[cfg(unix)]
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Place {
    /// An agent of its own: its connections end with it. Events come when they come: who waits for them bears any silence.
    fn agent(&self, silence: Option<Duration>) -> Agent {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // What answers for the machine itself is not asked through a proxy.
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .max_idle_connections_per_host(16)
            .user_agent(concat!("hcn/", env!("CARGO_PKG_VERSION")))
            .build();
        match self {
            Place::Tcp(_) => config.into(),
            #[cfg(unix)]
            Place::Unix(path) => socket::agent(config, path),
        }
    }

    /// The beginning of every address. A Unix socket has no host; one is needed for the form.
    fn base(&self) -> String {
        match self {
            Place::Tcp(authority) => format!("http://{authority}"),
            #[cfg(unix)]
            Place::Unix(_) => "http://localhost".to_owned(),
        }
    }
}

impl Remote {
    /// The server at `HOST:PORT`.
    pub fn tcp(authority: &str, token: Option<String>) -> Remote {
        Remote::at(Place::Tcp(authority.to_owned()), token, SILENCE)
    }

    /// The server on a Unix socket.
    ///
    /// # Errors
    /// `E_NOTIMPL` where there are none.
    #[cfg(unix)]
    pub fn unix(path: &Path) -> Answer<Remote> {
        Ok(Remote::at(Place::Unix(path.to_owned()), None, SILENCE))
    }

    /// The server on a Unix socket.
    ///
    /// # Errors
    /// `E_NOTIMPL`: this system has none.
    #[cfg(not(unix))]
    pub fn unix(path: &Path) -> Answer<Remote> {
        Err(HnsError::because(
            HcnCode::E_NOTIMPL,
            format!(
                "unix:{}: Unix sockets are not used on this system; serve on 127.0.0.1:PORT and use http://127.0.0.1:PORT",
                path.display()
            ),
        ))
    }

    fn at(place: Place, token: Option<String>, silence: Duration) -> Remote {
        Remote {
            agent: place.agent(Some(silence)),
            place,
            token,
            silence,
        }
    }

    /// Sends a request; the answer is one that says it succeeded.
    fn send(
        &self,
        agent: &Agent,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Answer<http::Response<Body>> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.place.base()));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let sent = match body {
            None => request.body(()).map(|request| agent.run(request)),
            Some(body) => request
                .header("content-type", "application/json")
                .body(body)
                .map(|request| agent.run(request)),
        };
        let mut response = sent
            .map_err(|error| {
                HnsError::because(
                    HcnCode::E_INVALIDARG,
                    format!("{method} {path} cannot be sent: {error}"),
                )
            })?
            .map_err(|error| match error {
                ureq::Error::Timeout(ureq::Timeout::PerRead | ureq::Timeout::PerWrite) => {
                    self.silent()
                }
                error => self.unreachable(&error),
            })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let text = self.text(&mut response)?;
        Err(wire::read_failure(&text).unwrap_or_else(|| {
            HnsError::because(
                HcnCode::RPC_S_SERVER_UNAVAILABLE,
                format!(
                    "{} answers {} to {method} {path}, and not as hcnctl serve does",
                    self.place,
                    response.status()
                ),
            )
        }))
    }

    fn text(&self, response: &mut http::Response<Body>) -> Answer<String> {
        let mut text = String::new();
        response
            .body_mut()
            .as_reader()
            .read_to_string(&mut text)
            .map_err(|error| self.unreachable(&error))?;
        Ok(text)
    }

    /// Sends a request, and reads the answer's text.
    fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Answer<String> {
        let mut response = self.send(&self.agent, method, path, body)?;
        self.text(&mut response)
    }

    fn value(&self, method: &str, path: &str, body: Option<&str>) -> Answer<Value> {
        serde_json::from_str(&self.ask(method, path, body)?).map_err(|_| self.odd(path))
    }

    fn list<T>(&self, path: &str, read: impl Fn(&Value) -> Option<T>) -> Answer<Vec<T>> {
        let value = self.value("GET", path, None)?;
        let list = value.as_array().ok_or_else(|| self.odd(path))?;
        list.iter()
            .map(read)
            .collect::<Option<Vec<T>>>()
            .ok_or_else(|| self.odd(path))
    }

    fn reserve(
        &self,
        guest_network_service: Guid,
        request: PortRequest,
    ) -> Answer<(PortReservation, Option<PortRange>)> {
        let path = format!("/v2/guestnetworkservices/{guest_network_service}/ports");
        let body = wire::port_request(request).to_string();
        wire::read_reserved(&self.value("POST", &path, Some(&body))?).ok_or_else(|| self.odd(&path))
    }

    fn unreachable(&self, error: &dyn fmt::Display) -> HnsError {
        HnsError::because(
            HcnCode::RPC_S_SERVER_UNAVAILABLE,
            format!(
                "there is no answer from {} (is hcnctl serve running there?): {error}",
                self.place
            ),
        )
    }

    /// It took the request, and may do it yet.
    fn silent(&self) -> HnsError {
        HnsError::because(
            HcnCode::RPC_S_SERVER_UNAVAILABLE,
            format!(
                "{} took the request and is silent for {} s; whether it was done is not known",
                self.place,
                self.silence.as_secs()
            ),
        )
    }

    fn odd(&self, path: &str) -> HnsError {
        HnsError::because(
            HcnCode::E_UNEXPECTED,
            format!("{} answered {path} with something else", self.place),
        )
    }
}

/// Path of a kind, or of an object.
fn path_of(kind: Kind) -> String {
    format!("/v2/{}", wire::kind_word(kind))
}

fn object_path(object: ObjectId) -> String {
    format!("{}/{}", path_of(object.kind), object.id)
}

/// A segment of a path: all but the unreserved characters of RFC 3986 by their bytes.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

impl Hns for Remote {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.ask("POST", &format!("{}/ids", path_of(kind)), Some(query))
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        let mut path = format!("{}?id={id}", path_of(kind));
        if let Some(network) = network {
            path.push_str(&format!("&network={network}"));
        }
        let made = self.value("POST", &path, Some(settings))?;
        made["ID"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| self.odd(&path))
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        self.ask("GET", &format!("{}/open", object_path(object)), None)
            .map(drop)
    }

    fn identity(&self, object: ObjectId) -> Answer<u64> {
        let path = format!("{}/identity", object_path(object));
        self.value("GET", &path, None)?["Identity"]
            .as_u64()
            .ok_or_else(|| self.odd(&path))
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        let path = format!("{}/properties", object_path(object));
        self.ask("POST", &path, Some(query))
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.ask("PATCH", &object_path(object), Some(settings))
            .map(drop)
    }

    fn modify_seen(&self, object: ObjectId, seen: &str, settings: &str) -> Answer<bool> {
        let path = format!("{}/modify-seen", object_path(object));
        let body = serde_json::json!({"Seen": seen, "Settings": settings}).to_string();
        self.value("POST", &path, Some(&body))?["Done"]
            .as_bool()
            .ok_or_else(|| self.odd(&path))
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.ask("DELETE", &object_path(object), None).map(drop)
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        // Not by /v1 itself: HNSCall takes any text for a method and a path, HTTP does not.
        let call = serde_json::json!({"Method": method, "Path": path, "Request": request});
        self.ask("POST", "/v2/call", Some(&call.to_string()))
    }

    fn endpoint_stats(&self, endpoint: Guid, query: &str) -> Answer<String> {
        self.ask(
            "POST",
            &format!("/v2/endpoints/{endpoint}/stats"),
            Some(query),
        )
    }

    fn endpoint_addresses(&self, endpoint: Guid, query: &str) -> Answer<String> {
        self.ask(
            "POST",
            &format!("/v2/endpoints/{endpoint}/addresses"),
            Some(query),
        )
    }

    fn reserve_port(
        &self,
        guest_network_service: Guid,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<PortReservation> {
        let request = PortRequest::One {
            protocol,
            access,
            port,
        };
        self.reserve(guest_network_service, request)
            .map(|(reservation, _)| reservation)
    }

    fn reserve_port_range(
        &self,
        guest_network_service: Guid,
        count: u16,
    ) -> Answer<(PortReservation, PortRange)> {
        let (reservation, range) =
            self.reserve(guest_network_service, PortRequest::Range { count })?;
        Ok((reservation, range.ok_or_else(|| self.odd("a range"))?))
    }

    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        let path = format!("/v2/ports/{}", reservation.0);
        self.ask("DELETE", &path, None).map(drop)
    }

    fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        Remote::list(self, "/v2/ports", wire::read_port_entry)
    }

    fn list(&self, kind: Kind, query: &str) -> Answer<Vec<String>> {
        let path = format!("{}/documents", path_of(kind));
        let text = self.ask("POST", &path, Some(query))?;
        let documents: Vec<&RawValue> = serde_json::from_str(&text).map_err(|_| self.odd(&path))?;
        Ok(documents
            .into_iter()
            .map(|document| document.get().to_owned())
            .collect())
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        // A connection of its own, because the subscription ends by cutting it.
        let agent = self.place.agent(None);
        let response = self.send(&agent, "GET", "/v2/events", None)?;
        Ok(subscription::listen(agent, response, listener))
    }
}

impl Lab for Remote {
    fn containers(&self) -> Answer<Vec<Container>> {
        Remote::list(self, "/lab/containers", wire::read_container)
    }

    fn run_container(&self, wanted: &NewContainer) -> Answer<Container> {
        let body = wire::new_container(wanted).to_string();
        let made = self.value("POST", "/lab/containers", Some(&body))?;
        wire::read_container(&made).ok_or_else(|| self.odd("/lab/containers"))
    }

    fn remove_container(&self, name: &str) -> Answer<Container> {
        let path = format!("/lab/containers/{}", escaped(name));
        let gone = self.value("DELETE", &path, None)?;
        wire::read_container(&gone).ok_or_else(|| self.odd(&path))
    }

    fn history(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>> {
        let mut path = format!("/lab/operations?most={most}");
        if let Some(object) = object {
            path.push_str(&format!(
                "&kind={}&id={}",
                wire::kind_word(object.kind),
                object.id
            ));
        }
        Remote::list(self, &path, wire::read_operation)
    }

    fn last_operation(&self) -> Answer<u64> {
        let path = "/lab/operations/last";
        self.value("GET", path, None)?["Number"]
            .as_u64()
            .ok_or_else(|| self.odd(path))
    }

    fn moment(&self, operation: u64) -> Answer<Moment> {
        Remote::list(
            self,
            &format!("/lab/moments/{operation}"),
            wire::read_keepsake,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_there_is_said_as_a_service_that_is_not_available() {
        // Port 1 of this machine: nobody listens there.
        let error = Remote::tcp("127.0.0.1:1", None)
            .enumerate(Kind::Network, "")
            .unwrap_err();
        assert_eq!(error.code, HcnCode::RPC_S_SERVER_UNAVAILABLE);
        assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
    }

    #[test]
    fn who_takes_a_request_and_says_nothing_is_not_waited_for_without_end() {
        // Connections are accepted by the system; nobody ever reads them.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Place::Tcp(listener.local_addr().unwrap().to_string());
        let silence = Duration::from_secs(1);
        let begun = std::time::Instant::now();
        let error = Remote::at(place, None, silence)
            .enumerate(Kind::Network, "")
            .unwrap_err();
        assert_eq!(error.code, HcnCode::RPC_S_SERVER_UNAVAILABLE);
        assert!(error.to_string().contains("silent for 1 s"), "{error}");
        assert!(begun.elapsed() >= silence && begun.elapsed() < silence * 20);
    }

    #[cfg(unix)]
    #[test]
    fn a_silent_socket_is_not_waited_for_without_end() {
        let path = std::env::temp_dir().join(format!("hcn-silent-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let remote = Remote::at(Place::Unix(path.clone()), None, Duration::from_secs(1));
        let error = remote.enumerate(Kind::Network, "").unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.to_string().contains("silent for 1 s"), "{error}");
    }

    #[test]
    fn a_segment_of_a_path_holds_any_text() {
        assert_eq!(escaped("a/b ?%é.~"), "a%2Fb%20%3F%25%C3%A9.~");
    }
}
