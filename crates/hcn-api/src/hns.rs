// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trait that every HNS answers: the embedded one, the real one, a dump, one behind a socket.

use std::fmt;

use hcn_schema::Guid;

use crate::{
    HcnCode,
    error::{Answer, HnsError},
    event::{Listener, Subscription},
    port::{PortAccess, PortProtocol, PortRange, PortRangeEntry, PortReservation},
};

/// The kinds of objects of the HCN API; the verbs are the same for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `HostComputeNetwork`.
    Network,
    /// `HostComputeEndpoint`.
    Endpoint,
    /// `HostComputeNamespace`.
    Namespace,
    /// `HostComputeLoadBalancer`.
    LoadBalancer,
    /// `HostComputeRoute`.
    SdnRoute,
    /// Guest network service.
    GuestNetworkService,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [
        Kind::Network,
        Kind::Endpoint,
        Kind::Namespace,
        Kind::LoadBalancer,
        Kind::SdnRoute,
        Kind::GuestNetworkService,
    ];

    /// In words, e.g. "load balancer".
    pub fn words(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Endpoint => "endpoint",
            Kind::Namespace => "namespace",
            Kind::LoadBalancer => "load balancer",
            Kind::SdnRoute => "SDN route",
            Kind::GuestNetworkService => "guest network service",
        }
    }

    /// The code for an object of the kind that does not exist (hns-behaviour 3.1).
    pub fn not_found(self) -> HcnCode {
        match self {
            Kind::Network => HcnCode::HCN_E_NETWORK_NOT_FOUND,
            Kind::Endpoint => HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
            Kind::Namespace | Kind::LoadBalancer | Kind::SdnRoute | Kind::GuestNetworkService => {
                HcnCode::ERROR_NOT_FOUND
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// One object: its kind and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// The kind.
    pub kind: Kind,
    /// The id.
    pub id: Guid,
}

impl ObjectId {
    /// The failure to find it.
    pub fn not_found(self) -> HnsError {
        HnsError::because(
            self.kind.not_found(),
            format!("there is no {} {}", self.kind, self.id),
        )
    }
}

/// An HNS. All calls block until they are done, from any thread.
///
/// Queries are texts: empty means none. Ids in answers are text in the case that the answering HNS uses.
pub trait Hns: Send + Sync {
    /// `HcnEnumerateX`: a JSON array of ids; "[]" where nothing matches.
    ///
    /// # Errors
    /// `HCN_E_INVALID_JSON` for a query that is not JSON.
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String>;

    /// `HcnCreateX`: makes an object and tells its id.
    ///
    /// `network` is the network of an endpoint. A zero `id` leaves the choice to the document, then to HNS.
    ///
    /// # Errors
    /// Those of hns-behaviour 3.1; nothing was made then.
    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid>;

    /// `HcnOpenX`: whether the object exists.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    fn open(&self, object: ObjectId) -> Answer<()>;

    /// A number that this object has, and no other object of this HNS ever had or will have, not even one of the same id.
    ///
    /// By it a handle knows its object from one that took the id later. 0 means that this HNS cannot tell.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    fn identity(&self, object: ObjectId) -> Answer<u64> {
        self.open(object).map(|()| 0)
    }

    /// `HcnQueryXProperties`: the document in the shape that the query asks for.
    ///
    /// # Errors
    /// [`Kind::not_found`], or `HCN_E_INVALID_JSON` for a query that is not JSON.
    fn query(&self, object: ObjectId, query: &str) -> Answer<String>;

    /// `HcnModifyX`.
    ///
    /// # Errors
    /// Those of hns-behaviour 3.1; nothing was changed then.
    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()>;

    /// `HcnModifyX`, only if the object's v2 document is still the one that was seen; false where it is not, and nothing was changed.
    ///
    /// HNS itself has no such call: this default asks and then modifies, and a change between the two is overwritten. An HNS of ours does
    /// both in one step.
    ///
    /// # Errors
    /// As [`Hns::query`] and [`Hns::modify`].
    fn modify_seen(&self, object: ObjectId, seen: &str, settings: &str) -> Answer<bool> {
        if self.query(object, r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#)? != seen {
            return Ok(false);
        }
        self.modify(object, settings).map(|()| true)
    }

    /// `HcnDeleteX`.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    fn delete(&self, object: ObjectId) -> Answer<()>;

    /// `HNSCall`: the v1 API; answers the envelope `{"Success":true,"Output":…}`.
    ///
    /// # Errors
    /// The code; its record is what HNS puts into the response.
    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String>;

    /// `HcnQueryEndpointStats`: the counters of an endpoint.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    fn endpoint_stats(&self, endpoint: Guid, query: &str) -> Answer<String> {
        let _ = query;
        output(&self.call("GET", &format!("/endpointstats/{endpoint}"), "")?)
    }

    /// `HcnQueryEndpointAddresses`: the addresses of an endpoint.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    fn endpoint_addresses(&self, endpoint: Guid, query: &str) -> Answer<String> {
        let _ = query;
        output(&self.call("GET", &format!("/endpointaddresses/{endpoint}"), "")?)
    }

    /// `HcnReserveGuestNetworkServicePort`: keeps one port of the host for the guest.
    ///
    /// # Errors
    /// `HCN_E_PORT_ALREADY_EXISTS` for a port that is taken, `E_NOTIMPL` where the HNS cannot reserve ports.
    fn reserve_port(
        &self,
        guest_network_service: Guid,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<PortReservation> {
        let _ = (guest_network_service, protocol, access, port);
        Err(no_port_reservations())
    }

    /// `HcnReserveGuestNetworkServicePortRange`: keeps ports that follow each other; HNS chooses which.
    ///
    /// The range is one port longer than asked for (hns-behaviour 1.2).
    ///
    /// # Errors
    /// `HCN_E_PORT_ALREADY_EXISTS` where no such range is free, `E_NOTIMPL` where the HNS cannot reserve ports.
    fn reserve_port_range(
        &self,
        guest_network_service: Guid,
        count: u16,
    ) -> Answer<(PortReservation, PortRange)> {
        let _ = (guest_network_service, count);
        Err(no_port_reservations())
    }

    /// `HcnReleaseGuestNetworkServicePortReservationHandle`.
    ///
    /// # Errors
    /// `E_HANDLE` for a reservation that is not there, `E_NOTIMPL` where the HNS cannot reserve ports.
    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        let _ = reservation;
        Err(no_port_reservations())
    }

    /// `HcnEnumerateGuestNetworkPortReservations`: all reservations, oldest first.
    ///
    /// # Errors
    /// `E_NOTIMPL` where the HNS cannot reserve ports.
    fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        Err(no_port_reservations())
    }

    /// The documents of all objects that match, in the order of [`Hns::enumerate`].
    ///
    /// An object that is deleted between the two calls is left out.
    ///
    /// # Errors
    /// As [`Hns::enumerate`] and [`Hns::query`].
    fn list(&self, kind: Kind, query: &str) -> Answer<Vec<String>> {
        let ids = self.enumerate(kind, query)?;
        let ids: Vec<String> = serde_json::from_str(&ids).map_err(|error| {
            HnsError::because(
                HcnCode::HCN_E_INVALID_JSON,
                format!("the list of ids is not readable: {error}"),
            )
        })?;
        let mut documents = Vec::with_capacity(ids.len());
        for id in ids {
            let id = id.parse().map_err(|error| {
                HnsError::because(
                    HcnCode::HCN_E_GUID_CONVERSION_FAILURE,
                    format!("the id {id:?} of a {kind} is {error}"),
                )
            })?;
            match self.query(ObjectId { kind, id }, query) {
                Ok(document) => documents.push(document),
                Err(error) if error.code.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(documents)
    }

    /// `HcnRegisterServiceCallback`: tells the listener of every event until the subscription is dropped.
    ///
    /// # Errors
    /// Where the HNS cannot tell events.
    fn subscribe(&self, listener: Listener) -> Answer<Subscription>;
}

fn no_port_reservations() -> HnsError {
    HnsError::because(HcnCode::E_NOTIMPL, "this HNS does not reserve ports")
}

/// The `Output` of a v1 answer.
fn output(envelope: &str) -> Answer<String> {
    let envelope: serde_json::Value = serde_json::from_str(envelope).map_err(|error| {
        HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("the answer of HNSCall is not JSON: {error}"),
        )
    })?;
    Ok(envelope["Output"].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_call_is_the_document_alone() {
        let envelope = r#"{"Success":true,"Output":{"PacketsSent":0}}"#;
        assert_eq!(output(envelope).unwrap(), r#"{"PacketsSent":0}"#);
        assert_eq!(output("no").unwrap_err().code, HcnCode::HCN_E_INVALID_JSON);
    }
}
