// SPDX-License-Identifier: MIT OR Apache-2.0
//! What there is beside the seam: simulated containers, and the log of operations.
//!
//! Apart from the seam because no HNS of Windows has it; a trait because an embedded HNS may be in this process or behind a socket, and
//! another HNS gets its containers from [`NativeLab`]. Invariant: all answer alike, but that only an embedded HNS has a log.

mod kept;
mod native;
mod requests;

pub use native::NativeLab;
pub use requests::{NotMade, Requests};

use hcn_api::{Answer, ObjectId};
use hcn_service::{Container, Moment, NewContainer, Operation, Service};

/// Beside the seam.
pub trait Lab: Send + Sync {
    /// All simulated containers, oldest first.
    ///
    /// # Errors
    /// What the store says.
    fn containers(&self) -> Answer<Vec<Container>>;

    /// Makes a container as a whole, or nothing of it.
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS` for a name or an id in use; else those of creating and attaching.
    fn run_container(&self, wanted: &NewContainer) -> Answer<Container>;

    /// Removes a container with its endpoint and its namespace.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` where there is none of that name.
    fn remove_container(&self, name: &str) -> Answer<Container>;

    /// The last operations, oldest first; of one object where given.
    ///
    /// # Errors
    /// `E_NOTIMPL` where there is no log; else what the store says.
    fn history(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>>;

    /// Number of the last operation; 0 where there was none.
    ///
    /// # Errors
    /// As [`Lab::history`].
    fn last_operation(&self) -> Answer<u64>;

    /// What there was right after an operation.
    ///
    /// # Errors
    /// As [`Lab::history`].
    fn moment(&self, operation: u64) -> Answer<Moment>;
}

impl Lab for Service {
    fn containers(&self) -> Answer<Vec<Container>> {
        Service::containers(self)
    }

    fn run_container(&self, wanted: &NewContainer) -> Answer<Container> {
        Service::run_container(self, wanted)
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
