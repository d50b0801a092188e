// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of routes: what is asked, and which call of the seam answers it.
//!
//! One table from which both the router and the OpenAPI document are made, so that neither has what the other has not.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawPathParams, RawQuery, State, rejection::BytesRejection},
    http::{Method, StatusCode, Uri},
    middleware,
    response::Response,
    routing::{MethodFilter, any, on},
};
use hcn::{Answer, HcnCode, HnsError};
use tokio::task::spawn_blocking;

use super::{
    action::{
        Asked, addresses, call, containers, create, delete, enumerate, identity, last_operation,
        list, modify, modify_seen, moment, open, openapi, operations, ports, query, release,
        remove_container, reserve, run_container, stats,
    },
    answer::{self, Reply},
    guard::{self, Guard},
    stream::{Hall, broken},
};

/// Longest body of a request: HNS has no limit, a server needs one.
const LONGEST: usize = 64 << 20;

/// One row.
pub(super) struct Route {
    pub method: Verb,
    pub path: &'static str,
    /// A sentence for the document.
    pub summary: &'static str,
    /// Parameters behind the question mark.
    pub parameters: &'static [&'static str],
    pub sends: Sends,
    pub answers: Answers,
    pub action: Action,
}

/// Methods of HTTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// What the body of a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sends {
    Nothing,
    /// A `HostComputeQuery` as text; nothing means none.
    Query,
    /// A document of HNS as text.
    Document,
    /// `ModifyRequest` of HNS as text.
    Modify,
    /// The document that was seen, and the `ModifyRequest`, both as text.
    ModifySeen,
    /// Ports to be reserved.
    Ports,
    /// A call of version 1.
    Call,
    /// A container to be made.
    Container,
}

/// What the body of an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    Nothing,
    Ids,
    Documents,
    Document,
    Identity,
    Done,
    MadeId,
    Reserved,
    Ports,
    Envelope,
    Events,
    Containers,
    Container,
    MadeContainer,
    Operations,
    LastOperation,
    Moment,
    OpenApi,
}

/// How a row is answered.
pub(super) enum Action {
    /// By a call that may block.
    Call(fn(&Hall, &Asked) -> Answer<Reply>),
    Events,
}

use Action::{Call, Events};

/// A row in one line.
const fn row(
    method: Verb,
    path: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    sends: Sends,
    answers: Answers,
    action: Action,
) -> Route {
    Route {
        method,
        path,
        summary,
        parameters,
        sends,
        answers,
        action,
    }
}

/// The rows. Queries come in the address or, of any length, in the body of a POST.
pub(super) const ROUTES: &[Route] = &[
    row(
        Verb::Get,
        "/v2/{kind}/ids",
        "HcnEnumerateX",
        &["query"],
        Sends::Nothing,
        Answers::Ids,
        Call(enumerate),
    ),
    row(
        Verb::Post,
        "/v2/{kind}/ids",
        "HcnEnumerateX, the query in the body",
        &[],
        Sends::Query,
        Answers::Ids,
        Call(enumerate),
    ),
    row(
        Verb::Get,
        "/v2/{kind}/documents",
        "HcnEnumerateX, then HcnQueryXProperties of each, as of one moment where the HNS can",
        &["query"],
        Sends::Nothing,
        Answers::Documents,
        Call(list),
    ),
    row(
        Verb::Post,
        "/v2/{kind}/documents",
        "The same, the query in the body",
        &[],
        Sends::Query,
        Answers::Documents,
        Call(list),
    ),
    row(
        Verb::Post,
        "/v2/{kind}",
        "HcnCreateX",
        &["id", "network"],
        Sends::Document,
        Answers::MadeId,
        Call(create),
    ),
    row(
        Verb::Get,
        "/v2/{kind}/{id}",
        "HcnQueryXProperties",
        &["query"],
        Sends::Nothing,
        Answers::Document,
        Call(query),
    ),
    row(
        Verb::Post,
        "/v2/{kind}/{id}/properties",
        "HcnQueryXProperties, the query in the body",
        &[],
        Sends::Query,
        Answers::Document,
        Call(query),
    ),
    row(
        Verb::Get,
        "/v2/{kind}/{id}/open",
        "HcnOpenX: whether the object exists",
        &[],
        Sends::Nothing,
        Answers::Nothing,
        Call(open),
    ),
    row(
        Verb::Get,
        "/v2/{kind}/{id}/identity",
        "A number that no other object has or will have, not even one of the same id; 0 where the HNS cannot tell",
        &[],
        Sends::Nothing,
        Answers::Identity,
        Call(identity),
    ),
    row(
        Verb::Patch,
        "/v2/{kind}/{id}",
        "HcnModifyX",
        &[],
        Sends::Modify,
        Answers::Nothing,
        Call(modify),
    ),
    row(
        Verb::Post,
        "/v2/{kind}/{id}/modify-seen",
        "HcnModifyX, only where the v2 document is still the one that was seen",
        &[],
        Sends::ModifySeen,
        Answers::Done,
        Call(modify_seen),
    ),
    row(
        Verb::Delete,
        "/v2/{kind}/{id}",
        "HcnDeleteX",
        &[],
        Sends::Nothing,
        Answers::Nothing,
        Call(delete),
    ),
    row(
        Verb::Get,
        "/v2/endpoints/{id}/stats",
        "HcnQueryEndpointStats",
        &["query"],
        Sends::Nothing,
        Answers::Document,
        Call(stats),
    ),
    row(
        Verb::Post,
        "/v2/endpoints/{id}/stats",
        "HcnQueryEndpointStats, the query in the body",
        &[],
        Sends::Query,
        Answers::Document,
        Call(stats),
    ),
    row(
        Verb::Get,
        "/v2/endpoints/{id}/addresses",
        "HcnQueryEndpointAddresses",
        &["query"],
        Sends::Nothing,
        Answers::Document,
        Call(addresses),
    ),
    row(
        Verb::Post,
        "/v2/endpoints/{id}/addresses",
        "HcnQueryEndpointAddresses, the query in the body",
        &[],
        Sends::Query,
        Answers::Document,
        Call(addresses),
    ),
    row(
        Verb::Post,
        "/v2/guestnetworkservices/{id}/ports",
        "HcnReserveGuestNetworkServicePort, or, with Count, HcnReserveGuestNetworkServicePortRange",
        &[],
        Sends::Ports,
        Answers::Reserved,
        Call(reserve),
    ),
    row(
        Verb::Get,
        "/v2/ports",
        "HcnEnumerateGuestNetworkPortReservations",
        &[],
        Sends::Nothing,
        Answers::Ports,
        Call(ports),
    ),
    row(
        Verb::Delete,
        "/v2/ports/{number}",
        "HcnReleaseGuestNetworkServicePortReservationHandle",
        &[],
        Sends::Nothing,
        Answers::Nothing,
        Call(release),
    ),
    row(
        Verb::Post,
        "/v2/call",
        "HNSCall with any texts",
        &[],
        Sends::Call,
        Answers::Envelope,
        Call(call),
    ),
    row(
        Verb::Get,
        "/v2/events",
        "HcnRegisterServiceCallback: every event from now on; ServiceDisconnect is the last",
        &[],
        Sends::Nothing,
        Answers::Events,
        Events,
    ),
    row(
        Verb::Get,
        "/lab/containers",
        "All simulated containers, oldest first",
        &[],
        Sends::Nothing,
        Answers::Containers,
        Call(containers),
    ),
    row(
        Verb::Post,
        "/lab/containers",
        "Makes a simulated container: with an endpoint and a namespace of its own, or on an endpoint that is there",
        &[],
        Sends::Container,
        Answers::MadeContainer,
        Call(run_container),
    ),
    row(
        Verb::Delete,
        "/lab/containers/{name}",
        "Removes a simulated container, with its endpoint and its namespace unless it was made on one that was there",
        &[],
        Sends::Nothing,
        Answers::Container,
        Call(remove_container),
    ),
    row(
        Verb::Get,
        "/lab/operations",
        "The last operations, oldest first; of one object where kind and id are given",
        &["kind", "id", "most"],
        Sends::Nothing,
        Answers::Operations,
        Call(operations),
    ),
    row(
        Verb::Get,
        "/lab/operations/last",
        "Number of the last operation; 0 where there was none",
        &[],
        Sends::Nothing,
        Answers::LastOperation,
        Call(last_operation),
    ),
    row(
        Verb::Get,
        "/lab/moments/{number}",
        "What there was right after an operation",
        &[],
        Sends::Nothing,
        Answers::Moment,
        Call(moment),
    ),
    row(
        Verb::Get,
        "/openapi.json",
        "This document",
        &[],
        Sends::Nothing,
        Answers::OpenApi,
        Call(openapi),
    ),
];

impl Verb {
    /// Its name.
    pub fn text(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Patch => MethodFilter::PATCH,
            Verb::Delete => MethodFilter::DELETE,
        }
    }
}

/// All of it behind the guard.
pub(super) fn router(hall: Arc<Hall>, guard: Guard) -> Router {
    let mut router = Router::new().route("/v1/{*path}", any(version_1));
    for route in ROUTES {
        let handler = match &route.action {
            Call(action) => {
                let action = *action;
                on(
                    route.method.filter(),
                    move |State(hall): State<Arc<Hall>>,
                          segments: RawPathParams,
                          RawQuery(query): RawQuery,
                          body: Result<Bytes, BytesRejection>| async move {
                        match asked(&segments, query.as_deref(), body) {
                            Ok(asked) => answered(hall, move |hall| action(hall, &asked)).await,
                            Err((status, error)) => answer::failure(status, &error),
                        }
                    },
                )
            }
            Events => on(
                route.method.filter(),
                |State(hall): State<Arc<Hall>>| async move { hall.events() },
            ),
        };
        router = router.route(route.path, handler);
    }
    router
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(middleware::from_fn(move |request, next| {
            guard::stand(guard.clone(), request, next)
        }))
        .with_state(hall)
}

/// Carries out an action on a thread that may block.
async fn answered(
    hall: Arc<Hall>,
    action: impl FnOnce(&Hall) -> Answer<Reply> + Send + 'static,
) -> Response {
    let answer = spawn_blocking(move || action(&hall)).await;
    answer::respond(answer.unwrap_or_else(|_| Err(broken())))
}

/// `/v1` and then the path as `HNSCall` has it.
async fn version_1(
    State(hall): State<Arc<Hall>>,
    method: Method,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let path = decoded(uri.path().strip_prefix("/v1").unwrap_or_default(), false);
    let body = match text(body) {
        Ok(body) => body,
        Err((status, error)) => return answer::failure(status, &error),
    };
    answered(hall, move |hall| {
        hall.connection
            .hns()
            .call(method.as_str(), &path, &body)
            .map(Reply::Text)
    })
    .await
}

async fn nowhere(method: Method, uri: Uri) -> Response {
    let detail = format!(
        "there is no {method} {}; GET /openapi.json says what there is",
        uri.path()
    );
    let error = HnsError::at(HcnCode::HCN_E_REQUEST_UNSUPPORTED, "path", detail);
    answer::failure(StatusCode::NOT_FOUND, &error)
}

async fn not_so(method: Method, uri: Uri) -> Response {
    let detail = format!(
        "{} does not know {method}; GET /openapi.json says what it knows",
        uri.path()
    );
    let error = HnsError::at(HcnCode::HCN_E_REQUEST_UNSUPPORTED, "method", detail);
    answer::failure(StatusCode::METHOD_NOT_ALLOWED, &error)
}

/// Why a request cannot be read.
type Refusal = (StatusCode, HnsError);

fn asked(
    segments: &RawPathParams,
    query: Option<&str>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Asked, Refusal> {
    let parameters = query
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty());
    Ok(Asked {
        segments: segments
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        parameters: parameters
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                (decoded(name, true), decoded(value, true))
            })
            .collect(),
        body: text(body)?,
    })
}

/// A body as text.
fn text(body: Result<Bytes, BytesRejection>) -> Result<String, Refusal> {
    let refused =
        |status, detail: String| (status, HnsError::because(HcnCode::E_INVALIDARG, detail));
    let body = body.map_err(|error| refused(error.status(), error.body_text()))?;
    String::from_utf8(body.into())
        .map_err(|_| refused(StatusCode::BAD_REQUEST, "the body is not UTF-8".to_owned()))
}

/// Without percent signs; a plus is a blank where forms are written so. What is not well written stays as it is.
fn decoded(text: &str, is_form: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .first_chunk::<2>()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, digits) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) if is_form => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded_and_what_is_not_well_written_stays() {
        assert_eq!(decoded("a%20b+c%2f%C3%A9", true), "a b c/é");
        assert_eq!(decoded("a+b%2", false), "a+b%2");
        assert_eq!(decoded("%zz%+1%", true), "%zz% 1%");
        assert_eq!(decoded("%ff", false), "\u{fffd}");
    }
}
