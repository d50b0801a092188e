// SPDX-License-Identifier: MIT OR Apache-2.0
//! An HNS that reads through to another one and notes changes instead of making them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use hcn_api::{Answer, Hns, Kind, Listener, ObjectId, Subscription};
use hcn_schema::Guid;
use hcn_service::Ids;

/// A change that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `HcnCreateX`.
    Create {
        /// The kind.
        kind: Kind,
        /// The network of an endpoint.
        network: Option<Guid>,
        /// The id that the caller gave; zero where HNS chooses.
        id: Guid,
        /// The document.
        settings: String,
    },
    /// `HcnModifyX`.
    Modify {
        /// The object.
        object: ObjectId,
        /// The request.
        settings: String,
    },
    /// `HcnDeleteX`.
    Delete {
        /// The object.
        object: ObjectId,
    },
    /// `HNSCall` with another method than GET.
    Call {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The body.
        request: String,
    },
}

/// Name of a kind in the functions of the DLL, e.g. `LoadBalancer`.
fn function_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Network => "Network",
        Kind::Endpoint => "Endpoint",
        Kind::Namespace => "Namespace",
        Kind::LoadBalancer => "LoadBalancer",
        Kind::SdnRoute => "SdnRoute",
        Kind::GuestNetworkService => "GuestNetworkService",
    }
}

/// The function of the DLL with its arguments, e.g. `HcnModifyEndpoint EDFFC876-… {…}`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Create {
                kind,
                network,
                id,
                settings,
            } => {
                write!(f, "HcnCreate{}", function_word(*kind))?;
                if let Some(network) = network {
                    write!(f, " on network {network}")?;
                }
                if !id.is_zero() {
                    write!(f, " {id}")?;
                }
                write!(f, " {settings}")
            }
            Request::Modify { object, settings } => write!(
                f,
                "HcnModify{} {} {settings}",
                function_word(object.kind),
                object.id
            ),
            Request::Delete { object } => {
                write!(f, "HcnDelete{} {}", function_word(object.kind), object.id)
            }
            Request::Call {
                method,
                path,
                request,
            } => write!(f, "HNSCall {method} {path} {request}"),
        }
    }
}

/// An HNS that makes no change.
///
/// An object that a dry run "created" cannot be queried afterwards: it is nowhere.
pub struct DryRun {
    inner: Arc<dyn Hns>,
    ids: Arc<dyn Ids>,
    noted: Mutex<Vec<Request>>,
}

impl DryRun {
    /// Reads through to this HNS.
    pub fn new(inner: Arc<dyn Hns>, ids: Arc<dyn Ids>) -> Self {
        DryRun {
            inner,
            ids,
            noted: Mutex::default(),
        }
    }

    /// The changes that would have been made, in order.
    pub fn noted(&self) -> Vec<Request> {
        self.noted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, request: Request) {
        self.noted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
    }
}

impl Hns for DryRun {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.inner.enumerate(kind, query)
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        self.note(Request::Create {
            kind,
            network,
            id,
            settings: settings.to_owned(),
        });
        Ok(if id.is_zero() { self.ids.guid() } else { id })
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        self.inner.open(object)
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        self.inner.query(object, query)
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.note(Request::Modify {
            object,
            settings: settings.to_owned(),
        });
        Ok(())
    }

    fn modify_seen(&self, object: ObjectId, _seen: &str, settings: &str) -> Answer<bool> {
        self.modify(object, settings).map(|()| true)
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.inner.open(object)?;
        self.note(Request::Delete { object });
        Ok(())
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        if method.eq_ignore_ascii_case("GET") {
            return self.inner.call(method, path, request);
        }
        self.note(Request::Call {
            method: method.to_owned(),
            path: path.to_owned(),
            request: request.to_owned(),
        });
        Ok(r#"{"Success":true,"Output":{}}"#.to_owned())
    }

    fn list(&self, kind: Kind, query: &str) -> Answer<Vec<String>> {
        self.inner.list(kind, query)
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        self.inner.subscribe(listener)
    }
}
