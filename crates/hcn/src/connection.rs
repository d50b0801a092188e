// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open HNS, and what there is beside the seam: containers, history.

use std::{path::PathBuf, sync::Arc};

use hcn_api::{Answer, HcnCode, Hns, HnsError, HnsVersion};
use hcn_native::Native;
use hcn_service::{
    Clock, Ids, Options, Profile, RandomIds, Service, SystemClock, profile::Switches,
};

use crate::{
    client::Client,
    lab::{Lab, NativeLab},
    remote::{self, Remote},
    target::{Target, default_state},
};

/// How to connect.
pub struct ConnectOptions {
    /// Version of HNS that an embedded one impersonates; `None` means the store's own. Another HNS has to have it.
    pub version: Option<HnsVersion>,
    /// Switches of the profile that are set otherwise than the version has them. Those of the judge hold for any HNS, as they say how its
    /// documents are read; those of the service for an embedded one.
    pub switches: Switches,
    /// Who asks, for the operation log.
    pub actor: String,
    /// Where hcnctl keeps what an HNS of its own does not: the containers beside a native one. `None` means
    /// [`default_state`]. An embedded HNS has its directory in the target.
    pub state: Option<PathBuf>,
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
            switches: Switches::default(),
            actor: "hcn".to_owned(),
            state: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            token: None,
        }
    }
}

/// An open HNS.
pub struct Connection {
    hns: Arc<dyn Hns>,
    lab: Arc<dyn Lab>,
    inner: Inner,
    switches: Switches,
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
/// Those of the store; `E_INVALIDARG` where an HNS that has its own version is asked to be another, or to have a switch of the embedded one. A server is first asked by the first
/// call.
pub fn connect(target: &Target, options: ConnectOptions) -> Answer<Connection> {
    let token = |authority: &str| {
        let own = || remote::token(authority);
        options.token.clone().or_else(own)
    };
    let remote = |remote: Remote| {
        let remote = Arc::new(remote);
        Connection {
            hns: remote.clone(),
            lab: remote.clone(),
            inner: Inner::Remote,
            switches: options.switches.clone(),
        }
    };
    let connection = match target {
        Target::Embedded(folder) => {
            let state = folder.clone().unwrap_or_else(default_state);
            let service = Arc::new(Service::open(Options {
                version: options.version,
                switches: options.switches.clone(),
                actor: options.actor,
                clock: options.clock,
                ids: options.ids,
                ..Options::new(&state)
            })?);
            return Ok(Connection {
                hns: service.clone(),
                lab: service.clone(),
                inner: Inner::Embedded(service),
                switches: options.switches,
            });
        }
        Target::Http(authority) => remote(Remote::tcp(authority, token(authority))),
        Target::Unix(path) => remote(Remote::unix(path)?),
        Target::Native(library) => {
            let hns = Arc::new(Native::open(library.as_deref())?);
            let state = options.state.unwrap_or_else(default_state);
            let name = target.absolute().to_string();
            let lab = NativeLab::new(hns.clone(), state, name, options.clock, options.ids);
            Connection {
                hns,
                lab: Arc::new(lab),
                inner: Inner::Native,
                switches: options.switches.clone(),
            }
        }
    };
    if let Some(name) = connection.switches.of_service() {
        return Err(HnsError::at(
            HcnCode::E_INVALIDARG,
            "profile",
            format!("{name} is a switch of an embedded HNS, and {target} is another"),
        ));
    }
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

    /// What there is beside the seam.
    pub fn lab(&self) -> &Arc<dyn Lab> {
        &self.lab
    }

    /// The embedded HNS, where it is one in this process.
    pub fn embedded(&self) -> Option<&Service> {
        match &self.inner {
            Inner::Embedded(service) => Some(service),
            Inner::Remote | Inner::Native => None,
        }
    }

    /// How the HNS behaves; one of Windows, whose version may be any, as the nearest that is described.
    ///
    /// # Errors
    /// Where it does not tell its version.
    pub fn profile(&self) -> Answer<Profile> {
        match &self.inner {
            Inner::Embedded(service) => Ok(service.profile().clone()),
            // Behind a server may be the HNS of a Windows too.
            Inner::Remote | Inner::Native => {
                let nearest = Profile::nearest(Client::new(self.hns()).version()?);
                Ok(nearest.with(&self.switches))
            }
        }
    }
}
