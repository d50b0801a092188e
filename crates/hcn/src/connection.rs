// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open HNS, and what the embedded one has beside the seam: containers, history, the documents of a switch.

use std::sync::Arc;

use hcn_api::{Answer, HcnCode, Hns, HnsError, HnsVersion};
use hcn_native::Native;
use hcn_service::{Clock, Ids, Options, Profile, RandomIds, Service, SystemClock};

use crate::{
    client::Client,
    lab::Lab,
    remote::{self, Remote},
    target::{Target, default_state},
};

/// How to connect.
pub struct ConnectOptions {
    /// Version of HNS that an embedded one impersonates; `None` means the store's own. Another HNS has to have it.
    pub version: Option<HnsVersion>,
    /// Who asks, for the operation log.
    pub actor: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// What a server on TCP asks for; `None` means [`remote::token`].
    pub token: Option<String>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        ConnectOptions {
            version: None,
            actor: "hcn".to_owned(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            token: None,
        }
    }
}

/// An open HNS.
pub struct Connection {
    hns: Arc<dyn Hns>,
    lab: Option<Arc<dyn Lab>>,
    inner: Inner,
}

/// What only one sort of target has.
enum Inner {
    Embedded(Arc<Service>),
    Remote,
    Native,
}

/// Opens an HNS.
///
/// # Errors
/// Those of the store; `E_INVALIDARG` where an HNS that has its own version is asked to be another. A server is first asked by the first
/// call.
pub fn connect(target: &Target, options: ConnectOptions) -> Answer<Connection> {
    let token = || options.token.clone().or_else(remote::token);
    let remote = |remote: Remote| {
        let remote = Arc::new(remote);
        Connection {
            hns: remote.clone(),
            lab: Some(remote.clone()),
            inner: Inner::Remote,
        }
    };
    let connection = match target {
        Target::Embedded(folder) => {
            let state = folder.clone().unwrap_or_else(default_state);
            let service = Arc::new(Service::open(Options {
                version: options.version,
                actor: options.actor,
                clock: options.clock,
                ids: options.ids,
                ..Options::new(&state)
            })?);
            return Ok(Connection {
                hns: service.clone(),
                lab: Some(service.clone()),
                inner: Inner::Embedded(service),
            });
        }
        Target::Http(authority) => remote(Remote::tcp(authority, token())),
        Target::Unix(path) => remote(Remote::unix(path)?),
        Target::Native(library) => Connection {
            hns: Arc::new(Native::open(library.as_deref())?),
            lab: None,
            inner: Inner::Native,
        },
    };
    if let Some(wanted) = options.version {
        let own = Client::new(connection.hns()).version()?;
        if own != wanted {
            return Err(HnsError::at(
                HcnCode::E_INVALIDARG,
                "profile",
                format!("{target} is HNS {own} and cannot behave as {wanted}"),
            ));
        }
    }
    Ok(connection)
}

impl Connection {
    /// The seam.
    pub fn hns(&self) -> Arc<dyn Hns> {
        self.hns.clone()
    }

    /// What the HNS has beside the seam, where it has it.
    pub fn lab(&self) -> Option<&Arc<dyn Lab>> {
        self.lab.as_ref()
    }

    /// The embedded HNS, where it is one in this process.
    pub fn embedded(&self) -> Option<&Service> {
        match &self.inner {
            Inner::Embedded(service) => Some(service),
            Inner::Remote | Inner::Native => None,
        }
    }

    /// How the HNS behaves.
    ///
    /// # Errors
    /// Where it does not tell its version, or tells one that has no profile.
    pub fn profile(&self) -> Answer<Profile> {
        match &self.inner {
            Inner::Embedded(service) => Ok(service.profile().clone()),
            Inner::Remote | Inner::Native => Profile::of(Client::new(self.hns()).version()?),
        }
    }
}
