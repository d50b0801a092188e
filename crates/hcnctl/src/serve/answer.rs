// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers as HTTP says them: JSON as HNS wrote it, or a failure with its code.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use hcn::{HcnCode, HnsError, wire};

/// What an action answers when it succeeds.
pub(super) enum Reply {
    /// JSON.
    Text(String),
    /// JSON of what was made.
    Made(String),
    /// Nothing.
    Done,
}

/// The response to an action.
pub(super) fn respond(answer: Result<Reply, HnsError>) -> Response {
    match answer {
        Ok(Reply::Text(text)) => json(StatusCode::OK, text),
        Ok(Reply::Made(text)) => json(StatusCode::CREATED, text),
        Ok(Reply::Done) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err(error) => failure(status(error.code), &error),
    }
}

/// A failure.
pub(super) fn failure(status: StatusCode, error: &HnsError) -> Response {
    json(status, wire::failure(error).to_string())
}

fn json(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}

/// The status nearest to a code. Programs go by the code.
fn status(code: HcnCode) -> StatusCode {
    match code {
        code if code.is_not_found() => StatusCode::NOT_FOUND,
        HcnCode::E_ACCESSDENIED => StatusCode::FORBIDDEN,
        HcnCode::E_NOTIMPL => StatusCode::NOT_IMPLEMENTED,
        HcnCode::HCN_E_NETWORK_ALREADY_EXISTS
        | HcnCode::HCN_E_PORT_ALREADY_EXISTS
        | HcnCode::HCN_E_POLICY_ALREADY_EXISTS
        | HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED
        | HcnCode::HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS
        | HcnCode::HCN_E_ENTITY_HAS_REFERENCES
        | HcnCode::ERROR_ALREADY_EXISTS => StatusCode::CONFLICT,
        HcnCode::RPC_S_SERVER_UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        HcnCode::E_FAIL
        | HcnCode::E_UNEXPECTED
        | HcnCode::E_OUTOFMEMORY
        | HcnCode::ERROR_DISK_FULL
        | HcnCode::ERROR_IO_DEVICE
        | HcnCode::ERROR_FILE_CORRUPT
        | HcnCode::ERROR_WRONG_DISK
        | HcnCode::ERROR_WRITE_PROTECT => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
