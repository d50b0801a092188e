// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an HNS tells unasked.
//!
//! Source: hns-behaviour 1.2.1 and 1.9.

use std::sync::Arc;

use hcn_schema::Guid;

use crate::hns::Kind;

/// `HCN_NOTIFICATIONS`. The step from 9 to 0x10 is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Notification {
    /// Before a network is made.
    NetworkPreCreate = 1,
    /// A network was made.
    NetworkCreate = 2,
    /// Just before a network is deleted, whether or not that then succeeds.
    NetworkPreDelete = 3,
    /// A network was deleted.
    NetworkDelete = 4,
    /// A namespace was made.
    NamespaceCreate = 5,
    /// A namespace was deleted.
    NamespaceDelete = 6,
    /// A guest network service was made.
    GuestNetworkServiceCreate = 7,
    /// A guest network service was deleted.
    GuestNetworkServiceDelete = 8,
    /// An endpoint was attached.
    NetworkEndpointAttached = 9,
    /// An endpoint was detached.
    NetworkEndpointDetached = 0x10,
    /// A guest network service changed its state.
    GuestNetworkServiceStateChanged = 0x11,
    /// An interface of a guest network service changed its state.
    GuestNetworkServiceInterfaceStateChanged = 0x12,
    /// The service went away; the subscription is dead.
    ServiceDisconnect = 0x0100_0000,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub notification: Notification,
    /// To which object.
    pub kind: Kind,
    /// Its id.
    pub id: Guid,
    /// `NotificationBase` as JSON: `{"ID", "Flags", "Data"}`.
    pub data: String,
}

/// Who is told. Called on whatever thread made the change.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// A subscription; dropping it ends it, after a call that is under way has returned.
pub struct Subscription {
    end: Option<Box<dyn FnOnce() + Send>>,
}

impl Subscription {
    /// A subscription that ends by this call.
    pub fn new(end: impl FnOnce() + Send + 'static) -> Self {
        Subscription {
            end: Some(Box::new(end)),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}
