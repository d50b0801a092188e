// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated containers beside an HNS that keeps none.
//!
//! Apart from the seam's own lab because it can make a container only by the requests that a runtime sends, one after the other. Invariants: a
//! container is listed when all of it is there; one that was being made when its maker died is taken away by the next change.

use std::{path::PathBuf, sync::Arc};

use hcn_api::{Answer, HcnCode, Hns, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Endpoint, Guid, Id, Query};
use hcn_service::{Clock, Container, Ids, Moment, NewContainer, NewEndpoint, Operation};

use super::{
    Lab,
    kept::{Change, Entry, Kept},
    requests::{Requests, take_away},
};

/// Containers beside an HNS, kept in a file of a state directory.
pub struct NativeLab {
    hns: Arc<dyn Hns>,
    kept: Kept,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl NativeLab {
    /// Beside an HNS, which has a name in the state directory so that the containers of several are told apart.
    pub fn new(
        hns: Arc<dyn Hns>,
        state: PathBuf,
        name: String,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> NativeLab {
        NativeLab {
            hns,
            kept: Kept::new(state, name),
            clock,
            ids,
        }
    }

    /// Takes away what others began to make and left. What does not go now stays on the list for the next one.
    fn clear_up(&self, change: &mut Change<'_>) {
        change.entries.retain(|entry| {
            !entry.unfinished || remove_objects(&*self.hns, &entry.container).is_err()
        });
    }

    fn make(
        &self,
        change: &mut Change<'_>,
        mut container: Container,
        requests: &Requests,
    ) -> Answer<Container> {
        requests.refuse_taken(&*self.hns)?;
        container.endpoint = requests.endpoint;
        container.namespace = requests.namespace();
        // On the disk before anything is sent: whoever comes after a crash knows what to take away.
        change.entries.push(Entry {
            container: container.clone(),
            unfinished: true,
        });
        change.write()?;
        let name = &container.name;
        if let Err(failed) = requests.make(&*self.hns, &container.id) {
            // What could not be taken away now stays on the list, for the next change to try again.
            if !failed.has_left {
                change.entries.retain(|entry| entry.container.name != *name);
                change.write()?;
            }
            return Err(failed.error);
        }
        for entry in &mut change.entries {
            if entry.container.name == *name {
                entry.unfinished = false;
            }
        }
        change.write()?;
        Ok(container)
    }

    /// The namespace of an endpoint that is there.
    fn namespace_of(&self, endpoint: Guid) -> Answer<Option<Guid>> {
        let object = ObjectId {
            kind: Kind::Endpoint,
            id: endpoint,
        };
        let text = self.hns.query(object, &Query::v2().text())?;
        let document = Endpoint::from_json(&text).map_err(|error| {
            HnsError::because(
                HcnCode::HCN_E_INVALID_JSON,
                format!("HNS answered with an endpoint that is not JSON: {error}"),
            )
        })?;
        let namespace = document.host_compute_namespace.get().and_then(Id::guid);
        Ok(namespace.filter(|id| !id.is_zero()))
    }
}

impl Lab for NativeLab {
    fn containers(&self) -> Answer<Vec<Container>> {
        let entries = self.kept.read()?;
        Ok(entries
            .into_iter()
            .filter(|entry| !entry.unfinished)
            .map(|entry| entry.container)
            .collect())
    }

    fn run_container(&self, wanted: &NewContainer) -> Answer<Container> {
        wanted.refuse_bad_name()?;
        let mut change = self.kept.change()?;
        self.clear_up(&mut change);
        let taken = |field: &str, detail: String| {
            Err(HnsError::at(HcnCode::ERROR_ALREADY_EXISTS, field, detail))
        };
        let others = || change.entries.iter().map(|entry| &entry.container);
        if others().any(|other| other.name == wanted.name) {
            let detail = format!("there is a container {:?} already", wanted.name);
            return taken("name", detail);
        }
        let id = wanted
            .id
            .clone()
            .unwrap_or_else(|| format!("{:032x}{:032x}", self.ids.guid().0, self.ids.guid().0));
        if others().any(|other| other.id == id) {
            let detail = format!("there is a container with the id {id:?} already");
            return taken("id", detail);
        }
        let container = Container {
            name: wanted.name.clone(),
            id,
            endpoint: Guid::ZERO,
            namespace: None,
            listeners: wanted.listeners.clone(),
            created_ms: self.clock.now_ms(),
            adopted: matches!(wanted.endpoint, NewEndpoint::Adopted(_)),
        };
        match &wanted.endpoint {
            NewEndpoint::Made {
                network,
                settings,
                namespace,
            } => {
                let requests = Requests::new(*network, settings, namespace.as_deref(), &*self.ids)?;
                self.make(&mut change, container, &requests)
            }
            NewEndpoint::Adopted(endpoint) => {
                let container = Container {
                    endpoint: *endpoint,
                    namespace: self.namespace_of(*endpoint)?,
                    ..container
                };
                change.entries.push(Entry {
                    container: container.clone(),
                    unfinished: false,
                });
                change.write()?;
                Ok(container)
            }
        }
    }

    fn remove_container(&self, name: &str) -> Answer<Container> {
        let mut change = self.kept.change()?;
        let place = change
            .entries
            .iter()
            .position(|entry| entry.container.name == name)
            .ok_or_else(|| {
                HnsError::because(
                    HcnCode::ERROR_NOT_FOUND,
                    format!("there is no container {name:?}"),
                )
            })?;
        // It stays on the list until all of it is gone, so that removing can be repeated.
        remove_objects(&*self.hns, &change.entries[place].container)?;
        let gone = change.entries.remove(place).container;
        self.clear_up(&mut change);
        change.write()?;
        Ok(gone)
    }

    fn history(&self, _: Option<ObjectId>, _: usize) -> Answer<Vec<Operation>> {
        Err(no_log())
    }

    fn last_operation(&self) -> Answer<u64> {
        Err(no_log())
    }

    fn moment(&self, _: u64) -> Answer<Moment> {
        Err(no_log())
    }
}

/// Deletes endpoint and namespace of a container, unless they are somebody else's.
fn remove_objects(hns: &dyn Hns, container: &Container) -> Answer<()> {
    if container.adopted {
        return Ok(());
    }
    take_away(hns, container.endpoint, container.namespace)
}

fn no_log() -> HnsError {
    HnsError::because(
        HcnCode::E_NOTIMPL,
        "this HNS keeps no log, so there is no history and no moment to go back to; keep a listing (hcnctl get endpoints -o json > before.json) and compare it later (hcnctl diff before.json)",
    )
}
