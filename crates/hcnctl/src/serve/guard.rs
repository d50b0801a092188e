// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may ask: on a Unix socket the user who serves, on TCP who shows the token.

use std::net::SocketAddr;

use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
    serve::IncomingStream,
};
use hcn::{
    HcnCode, HnsError,
    service::{Ids, RandomIds},
};
use tokio::net::TcpListener;

use super::answer;

/// How much of a request is read from somebody who is not let in.
const POLITE: usize = 1 << 20;

/// A token that nobody guesses: 244 random bits.
pub fn new_token() -> String {
    format!("{:032x}{:032x}", RandomIds.guid().0, RandomIds.guid().0)
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    /// Somebody on TCP.
    Tcp(SocketAddr),
    /// A user on a Unix socket; `None` where the system does not say.
    #[cfg(unix)]
    User(Option<u32>),
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Peer::Tcp(*stream.remote_addr())
    }
}

#[cfg(unix)]
impl Connected<IncomingStream<'_, tokio::net::UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, tokio::net::UnixListener>) -> Self {
        Peer::User(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

/// Lets in, or not.
#[derive(Clone)]
pub(super) struct Guard {
    token: Option<String>,
    /// The user who serves.
    #[cfg(unix)]
    owner: Option<u32>,
}

impl Guard {
    /// A guard that asks for this token.
    pub fn new(token: Option<String>) -> Guard {
        Guard {
            token,
            #[cfg(unix)]
            owner: own_user(),
        }
    }

    /// Why the peer is not let in.
    fn refusal(&self, peer: Peer, shown: Option<&HeaderValue>) -> Option<(StatusCode, HnsError)> {
        let denied = |status, detail: String| {
            Some((status, HnsError::because(HcnCode::E_ACCESSDENIED, detail)))
        };
        match peer {
            // Whoever serves it may bind to loopback only; a peer from elsewhere came by a way that nobody meant.
            Peer::Tcp(address) if !address.ip().is_loopback() => denied(
                StatusCode::FORBIDDEN,
                format!("{} is not this machine", address.ip()),
            ),
            #[cfg(unix)]
            Peer::User(user) if user.is_none() || user != self.owner && user != Some(0) => denied(
                StatusCode::FORBIDDEN,
                match user {
                    Some(user) => format!("user {user} is not the user who serves"),
                    None => "the system does not say which user this is".to_owned(),
                },
            ),
            _ => match &self.token {
                Some(token) if !shows(shown, token) => denied(
                    StatusCode::UNAUTHORIZED,
                    "the request does not show the token: Authorization: Bearer TOKEN (HCNCTL_TOKEN, or the file that hcnctl serve named)"
                        .to_owned(),
                ),
                _ => None,
            },
        }
    }
}

/// Whether a header shows the token; takes as long for a wrong one as for the right one of its length.
fn shows(header: Option<&HeaderValue>, token: &str) -> bool {
    let shown = header
        .and_then(|header| header.to_str().ok())
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, shown)| shown.trim());
    let difference = shown
        .bytes()
        .zip(token.bytes())
        .fold(0, |difference, (one, other)| difference | (one ^ other));
    shown.len() == token.len() && difference == 0
}

/// Stands before every route.
pub(super) async fn stand(guard: Guard, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let Some(ConnectInfo(peer)) = peer.copied() else {
        let error = HnsError::because(HcnCode::E_ACCESSDENIED, "nobody knows who asks");
        return answer::failure(StatusCode::FORBIDDEN, &error);
    };
    match guard.refusal(peer, request.headers().get(header::AUTHORIZATION)) {
        None => next.run(request).await,
        Some((status, error)) => {
            // A client that is still sending would find the connection broken instead of the answer.
            let _ = to_bytes(request.into_body(), POLITE).await;
            let mut response = answer::failure(status, &error);
            if status == StatusCode::UNAUTHORIZED {
                let bearer = HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, bearer);
            }
            response
        }
    }
}

/// The user of this process: the owner of a pipe that it makes.
#[cfg(unix)]
fn own_user() -> Option<u32> {
    let (one, _other) = tokio::net::UnixStream::pair().ok()?;
    one.peer_cred().ok().map(|own| own.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(guard: &Guard, peer: Peer, header: Option<&'static str>) -> Option<u16> {
        let header = header.map(HeaderValue::from_static);
        guard
            .refusal(peer, header.as_ref())
            .map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_the_whole_token_opens_tcp() {
        let guard = Guard {
            token: Some("secret".to_owned()),
            #[cfg(unix)]
            owner: Some(7),
        };
        let here = Peer::Tcp("127.0.0.1:5".parse().unwrap());
        assert_eq!(asks(&guard, here, Some("Bearer secret")), None);
        assert_eq!(asks(&guard, here, Some("bearer  secret ")), None);
        for wrong in [
            "Bearer secre",
            "Bearer secrets",
            "Bearer Secret",
            "Bearer",
            "Bearer ",
            "secret",
            "Basic secret",
            "",
        ] {
            assert_eq!(asks(&guard, here, Some(wrong)), Some(401), "{wrong:?}");
        }
        assert_eq!(asks(&guard, here, None), Some(401));
        let elsewhere = Peer::Tcp("192.168.0.1:5".parse().unwrap());
        assert_eq!(asks(&guard, elsewhere, Some("Bearer secret")), Some(403));
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_for_its_user_and_root() {
        let guard = Guard {
            token: None,
            owner: Some(7),
        };
        assert_eq!(asks(&guard, Peer::User(Some(7)), None), None);
        assert_eq!(asks(&guard, Peer::User(Some(0)), None), None);
        assert_eq!(asks(&guard, Peer::User(Some(8)), None), Some(403));
        assert_eq!(asks(&guard, Peer::User(None), None), Some(403));
    }

    #[test]
    fn no_two_tokens_are_alike() {
        assert_ne!(new_token(), new_token());
        assert_eq!(new_token().len(), 64);
    }
}
