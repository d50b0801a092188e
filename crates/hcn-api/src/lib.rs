// SPDX-License-Identifier: MIT OR Apache-2.0
//! The seam: the trait every HNS answers, the codes it may answer with, the events it sends, the features each version has.
//!
//! JSON text crosses the seam in both directions ([`Hns`]), so that bad JSON and unknown members reach whoever answers, and so that the
//! real service's text passes through untouched. The typed client of the crate `hcn` is one thin layer above.

pub mod code;
pub mod error;
pub mod event;
pub mod feature;
pub mod hns;
pub mod port;
pub mod version;

pub use code::HcnCode;
pub use error::{Answer, HnsError};
pub use event::{Event, Listener, Notification, Subscription};
pub use feature::Feature;
pub use hns::{Hns, Kind, ObjectId};
pub use port::{PortAccess, PortProtocol, PortRange, PortRangeEntry, PortReservation};
pub use version::HnsVersion;
