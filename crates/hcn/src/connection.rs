// SPDX-License-Identifier: MIT OR Apache-2.0
//! An open HNS, and what the embedded one has beside the seam: containers, history, the documents of a switch.

use std::sync::Arc;

use hcn_api::{Answer, Hns, HnsVersion};
use hcn_service::{Clock, Ids, Options, RandomIds, Service, SystemClock};

use crate::target::{Target, default_state};

/// How to connect.
pub struct ConnectOptions {
    /// Version of HNS that an embedded one impersonates; `None` means the store's own.
    pub version: Option<HnsVersion>,
    /// Who asks, for the operation log.
    pub actor: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        ConnectOptions {
            version: None,
            actor: "hcn".to_owned(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }
}

/// An open HNS.
pub struct Connection {
    service: Arc<Service>,
}

/// Opens an HNS.
///
/// # Errors
/// Those of the store.
pub fn connect(target: &Target, options: ConnectOptions) -> Answer<Connection> {
    let Target::Embedded(folder) = target;
    let state = folder.clone().unwrap_or_else(default_state);
    let service = Service::open(Options {
        version: options.version,
        actor: options.actor,
        clock: options.clock,
        ids: options.ids,
        ..Options::new(&state)
    })?;
    Ok(Connection {
        service: Arc::new(service),
    })
}

impl Connection {
    /// The seam.
    pub fn hns(&self) -> Arc<dyn Hns> {
        self.service.clone()
    }

    /// The embedded HNS, where it is one.
    pub fn embedded(&self) -> Option<&Service> {
        Some(&self.service)
    }
}
