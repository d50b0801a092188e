// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an embedded HNS has beside the seam: simulated containers, and the log of operations.
//!
//! Apart from the seam because no HNS of Windows has it; a trait because an embedded HNS may be in this process or behind a socket.
//! Invariant: both answer alike.

use hcn_api::{Answer, ObjectId};
use hcn_schema::Guid;
use hcn_service::{Container, ListenPort, Moment, Operation, Service};

/// A container to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContainer {
    /// Its name.
    pub name: String,
    /// Its id, 64 hexadecimal digits; chosen where absent.
    pub id: Option<String>,
    /// Its endpoint.
    pub endpoint: Guid,
    /// Its namespace; none means attached to the endpoint in the v1 way.
    pub namespace: Option<Guid>,
    /// What listens in it.
    pub listeners: Vec<ListenPort>,
}

/// Beside the seam.
pub trait Lab: Send + Sync {
    /// All simulated containers, oldest first.
    ///
    /// # Errors
    /// What the store says.
    fn containers(&self) -> Answer<Vec<Container>>;

    /// Makes a container.
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS` for a name in use; else those of attaching.
    fn add_container(&self, container: NewContainer) -> Answer<Container>;

    /// Removes a container with its endpoint and its namespace.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` where there is none of that name.
    fn remove_container(&self, name: &str) -> Answer<Container>;

    /// The last operations, oldest first; of one object where given.
    ///
    /// # Errors
    /// What the store says.
    fn history(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>>;

    /// Number of the last operation; 0 where there was none.
    ///
    /// # Errors
    /// What the store says.
    fn last_operation(&self) -> Answer<u64>;

    /// What there was right after an operation.
    ///
    /// # Errors
    /// What the store says.
    fn moment(&self, operation: u64) -> Answer<Moment>;
}

impl Lab for Service {
    fn containers(&self) -> Answer<Vec<Container>> {
        Service::containers(self)
    }

    fn add_container(&self, container: NewContainer) -> Answer<Container> {
        Service::add_container(
            self,
            &container.name,
            container.id.as_deref(),
            container.endpoint,
            container.namespace,
            container.listeners,
        )
    }

    fn remove_container(&self, name: &str) -> Answer<Container> {
        Service::remove_container(self, name)
    }

    fn history(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>> {
        Service::history(self, object, most)
    }

    fn last_operation(&self) -> Answer<u64> {
        Service::last_operation(self)
    }

    fn moment(&self, operation: u64) -> Answer<Moment> {
        Service::moment(self, operation)
    }
}
