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
    /// To which object: for an attachment, the endpoint.
    pub kind: Kind,
    /// Its id.
    pub id: Guid,
    /// `NotificationBase` as JSON: `{"ID", "Flags", "Data"}`.
    pub data: String,
}

impl Notification {
    /// Every notification.
    pub const ALL: [Notification; 13] = [
        Notification::NetworkPreCreate,
        Notification::NetworkCreate,
        Notification::NetworkPreDelete,
        Notification::NetworkDelete,
        Notification::NamespaceCreate,
        Notification::NamespaceDelete,
        Notification::GuestNetworkServiceCreate,
        Notification::GuestNetworkServiceDelete,
        Notification::NetworkEndpointAttached,
        Notification::NetworkEndpointDetached,
        Notification::GuestNetworkServiceStateChanged,
        Notification::GuestNetworkServiceInterfaceStateChanged,
        Notification::ServiceDisconnect,
    ];

    /// The notification with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Notification::ALL
            .into_iter()
            .find(|notification| *notification as u32 == number)
    }
}

impl Event {
    /// The network that the event is about, for callbacks that are registered at one: its own, or that of the endpoint.
    pub fn network(&self) -> Option<Guid> {
        match self.kind {
            Kind::Network => Some(self.id),
            // What happens to an endpoint is told of its network: the base names the network, `Data` the endpoint.
            Kind::Endpoint => {
                let base: serde_json::Value = serde_json::from_str(&self.data).ok()?;
                base["ID"].as_str()?.parse().ok()
            }
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of hns-behaviour 1.2.1, among them the step from 9 to 0x10.
    #[test]
    fn every_notification_has_its_number() {
        let numbers: Vec<u32> = Notification::ALL.map(|own| own as u32).into();
        assert_eq!(
            numbers,
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10, 0x11, 0x12, 0x0100_0000]
        );
        assert_eq!(
            Notification::from_number(0x10),
            Some(Notification::NetworkEndpointDetached)
        );
        assert_eq!(Notification::from_number(10), None);
    }

    #[test]
    fn an_attachment_is_an_event_of_the_endpoint_and_of_its_network() {
        let network: Guid = "edffc876-3051-46ec-80b3-820dda20aa14".parse().unwrap();
        let event = Event {
            notification: Notification::NetworkEndpointAttached,
            kind: Kind::Endpoint,
            id: Guid(7),
            data: format!(r#"{{"ID":"{network}","Flags":8,"Data":{{}}}}"#),
        };
        assert_eq!(event.network(), Some(network));
    }
}
