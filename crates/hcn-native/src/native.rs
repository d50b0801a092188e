// SPDX-License-Identifier: MIT OR Apache-2.0
//! The seam over the functions of a library.
//!
//! Apart because here alone functions are called. Invariant: every pointer that is passed is to something that outlives the call, and every
//! handle that is passed was given by the library and is still open.

use std::{
    collections::BTreeSet,
    ffi::c_void,
    path::Path,
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hcn_abi::{
    GUID,
    types::{
        HCN_PORT_RANGE_ENTRY, HCN_PORT_RANGE_RESERVATION, HRESULT, PCWSTR, PWSTR, REFGUID, hresult,
    },
};
use hcn_api::{
    Answer, HcnCode, Hns, HnsError, Kind, Listener, ObjectId, PortAccess, PortProtocol, PortRange,
    PortRangeEntry, PortReservation, Subscription,
};
use hcn_schema::Guid;
use serde_json::Value;

use crate::{
    callback,
    handle::{Close, Handle},
    library::Loaded,
    memory::{Query, Received, wide},
};

/// An HNS behind a library.
pub struct Native {
    loaded: Arc<Loaded>,
    /// Reservations that the library gave and that were not released: it may take another number for an address.
    reservations: Mutex<BTreeSet<u64>>,
}

/// A failed call with the record that came with it.
pub(crate) fn failure(result: HRESULT, record: String) -> HnsError {
    let code = HcnCode(result as u32);
    if record.is_empty() {
        HnsError::new(code)
    } else {
        HnsError::received(code, record)
    }
}

/// A call that gives a record: it is asked for, read and freed.
fn call(function: impl FnOnce(*mut PWSTR) -> HRESULT) -> Answer<()> {
    let mut record = Received::new();
    let result = function(record.place());
    // A record that cannot be read is less than the code that can.
    let record = record.text().unwrap_or_default();
    if hresult::failed(result) {
        return Err(failure(result, record));
    }
    // Clients take a record for a failure whatever the code says (hns-behaviour 1.1).
    if record.is_empty() {
        Ok(())
    } else {
        Err(told_by(record))
    }
}

/// A call that gives none.
fn call_plain(result: HRESULT) -> Answer<()> {
    if hresult::failed(result) {
        return Err(failure(result, String::new()));
    }
    Ok(())
}

/// The failure that a record alone tells.
fn told_by(record: String) -> HnsError {
    let document: Value = serde_json::from_str(&record).unwrap_or_default();
    let code = document["ErrorCode"]
        .as_u64()
        .and_then(|code| u32::try_from(code).ok())
        .filter(|code| *code != 0);
    let mut error = HnsError::received(code.map_or(HcnCode::E_FAIL, HcnCode), record);
    error.detail = document["Error"]
        .as_str()
        .map(|text| text.trim().trim_end_matches('.').to_owned());
    error
}

fn memory(id: Guid) -> GUID {
    GUID::from_number(id.0)
}

type Enumerate = unsafe extern "system" fn(PCWSTR, *mut PWSTR, *mut PWSTR) -> HRESULT;
type Create = unsafe extern "system" fn(REFGUID, PCWSTR, *mut *mut c_void, *mut PWSTR) -> HRESULT;
type Open = unsafe extern "system" fn(REFGUID, *mut *mut c_void, *mut PWSTR) -> HRESULT;
type Modify = unsafe extern "system" fn(*mut c_void, PCWSTR, *mut PWSTR) -> HRESULT;
type Ask = unsafe extern "system" fn(*mut c_void, PCWSTR, *mut PWSTR, *mut PWSTR) -> HRESULT;
type Delete = unsafe extern "system" fn(REFGUID, *mut PWSTR) -> HRESULT;

/// One function for each kind, in the order of [`Kind`].
macro_rules! of_kind {
    ($self:ident, $kind:expr, $network:ident, $endpoint:ident, $namespace:ident, $load_balancer:ident, $sdn_route:ident, $guest:ident) => {{
        let (function, name) = match $kind {
            Kind::Network => ($self.loaded.functions.$network, stringify!($network)),
            Kind::Endpoint => ($self.loaded.functions.$endpoint, stringify!($endpoint)),
            Kind::Namespace => ($self.loaded.functions.$namespace, stringify!($namespace)),
            Kind::LoadBalancer => (
                $self.loaded.functions.$load_balancer,
                stringify!($load_balancer),
            ),
            Kind::SdnRoute => ($self.loaded.functions.$sdn_route, stringify!($sdn_route)),
            Kind::GuestNetworkService => ($self.loaded.functions.$guest, stringify!($guest)),
        };
        $self.loaded.need(function, name)
    }};
}

impl Native {
    /// The HNS of a library at a path; without one that of the system.
    ///
    /// On Windows a bare name is searched for in system32 alone, elsewhere where the system keeps libraries.
    ///
    /// # Errors
    /// `RPC_S_SERVER_UNAVAILABLE` where HNS is not installed.
    pub fn open(path: Option<&Path>) -> Answer<Native> {
        Ok(Native {
            loaded: Arc::new(Loaded::open(path)?),
            reservations: Mutex::default(),
        })
    }

    fn close(&self, kind: Kind) -> Answer<Close> {
        of_kind!(
            self,
            kind,
            HcnCloseNetwork,
            HcnCloseEndpoint,
            HcnCloseNamespace,
            HcnCloseLoadBalancer,
            HcnCloseSdnRoute,
            HcnCloseGuestNetworkService
        )
    }

    fn handle(&self, object: ObjectId) -> Answer<Handle> {
        let open: Open = of_kind!(
            self,
            object.kind,
            HcnOpenNetwork,
            HcnOpenEndpoint,
            HcnOpenNamespace,
            HcnOpenLoadBalancer,
            HcnOpenSdnRoute,
            HcnOpenGuestNetworkService
        )?;
        let id = memory(object.id);
        Handle::opened(self.close(object.kind)?, |handle| {
            // SAFETY: the id outlives the call, and both places are empty and for it.
            call(|record| unsafe { open(&id, handle, record) })
        })
    }

    /// A question about an open object.
    fn ask(&self, function: Ask, handle: &Handle, query: &str) -> Answer<String> {
        let (query, mut answer) = (Query::new(query)?, Received::new());
        // SAFETY: the handle is open, the query is NULL or ends with a NUL and outlives the call, and both places are empty and for it.
        call(|record| unsafe { function(handle.raw(), query.as_ptr(), answer.place(), record) })?;
        answer.text()
    }
}

impl Hns for Native {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        let function: Enumerate = of_kind!(
            self,
            kind,
            HcnEnumerateNetworks,
            HcnEnumerateEndpoints,
            HcnEnumerateNamespaces,
            HcnEnumerateLoadBalancers,
            HcnEnumerateSdnRoutes,
            HcnEnumerateGuestNetworkServices
        )?;
        let (query, mut ids) = (Query::new(query)?, Received::new());
        // SAFETY: the query is NULL or ends with a NUL and outlives the call, and both places are empty and for it.
        call(|record| unsafe { function(query.as_ptr(), ids.place(), record) })?;
        let ids = ids.text()?;
        Ok(if ids.is_empty() { "[]".to_owned() } else { ids })
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        let functions = &self.loaded.functions;
        let close = self.close(kind)?;
        // Before anything is made: what made it has to be able to tell its id.
        let properties = self.properties(kind)?;
        let (given, settings) = (memory(id), wide(settings)?);
        let plain = |function: Option<Create>, name| -> Answer<Handle> {
            let function = self.loaded.need(function, name)?;
            Handle::opened(close, |handle| {
                // SAFETY: id and settings outlive the call, and both places are empty and for it.
                call(|record| unsafe { function(&given, settings.as_ptr(), handle, record) })
            })
        };
        let handle = match kind {
            Kind::Endpoint => {
                let function = self
                    .loaded
                    .need(functions.HcnCreateEndpoint, "HcnCreateEndpoint")?;
                let network = network.ok_or_else(|| {
                    HnsError::because(HcnCode::E_INVALIDARG, "an endpoint needs a network")
                })?;
                let network = self.handle(ObjectId {
                    kind: Kind::Network,
                    id: network,
                })?;
                Handle::opened(close, |handle| {
                    // SAFETY: the network is open until after the call, id and settings outlive it, and both places are empty and for it.
                    call(|record| unsafe {
                        function(network.raw(), &given, settings.as_ptr(), handle, record)
                    })
                })?
            }
            Kind::Network => plain(functions.HcnCreateNetwork, "HcnCreateNetwork")?,
            Kind::Namespace => plain(functions.HcnCreateNamespace, "HcnCreateNamespace")?,
            Kind::LoadBalancer => plain(functions.HcnCreateLoadBalancer, "HcnCreateLoadBalancer")?,
            Kind::SdnRoute => plain(functions.HcnCreateSdnRoute, "HcnCreateSdnRoute")?,
            Kind::GuestNetworkService => plain(
                functions.HcnCreateGuestNetworkService,
                "HcnCreateGuestNetworkService",
            )?,
        };
        if !id.is_zero() {
            return Ok(id);
        }
        // The document or HNS chose the id; only the document of the new handle tells it.
        let text = self.ask(
            properties,
            &handle,
            r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#,
        )?;
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        document["ID"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| {
                HnsError::because(
                    HcnCode::E_UNEXPECTED,
                    format!("the new {kind} does not tell its id"),
                )
            })
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        self.handle(object).map(drop)
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        let handle = self.handle(object)?;
        self.ask(self.properties(object.kind)?, &handle, query)
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        let function: Modify = of_kind!(
            self,
            object.kind,
            HcnModifyNetwork,
            HcnModifyEndpoint,
            HcnModifyNamespace,
            HcnModifyLoadBalancer,
            HcnModifySdnRoute,
            HcnModifyGuestNetworkService
        )?;
        let handle = self.handle(object)?;
        let settings = wide(settings)?;
        // SAFETY: the handle is open, the settings end with a NUL and outlive the call, and the place is empty and for it.
        call(|record| unsafe { function(handle.raw(), settings.as_ptr(), record) })
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        let function: Delete = of_kind!(
            self,
            object.kind,
            HcnDeleteNetwork,
            HcnDeleteEndpoint,
            HcnDeleteNamespace,
            HcnDeleteLoadBalancer,
            HcnDeleteSdnRoute,
            HcnDeleteGuestNetworkService
        )?;
        let id = memory(object.id);
        // SAFETY: the id outlives the call, and the place is empty and for it.
        call(|record| unsafe { function(&id, record) })
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        let function = self.loaded.need(self.loaded.functions.HNSCall, "HNSCall")?;
        let (method, path, request) = (wide(method)?, wide(path)?, wide(request)?);
        let mut response = Received::new();
        // SAFETY: the three texts end with a NUL and outlive the call, and the place is empty and for it.
        let result = unsafe {
            function(
                method.as_ptr(),
                path.as_ptr(),
                request.as_ptr(),
                response.place(),
            )
        };
        // After a failure the response is the record.
        if hresult::failed(result) {
            return Err(failure(result, response.text().unwrap_or_default()));
        }
        let response = response.text()?;
        // An older HNS says so in the envelope alone (hns-behaviour 1.7).
        let envelope: Value = serde_json::from_str(&response).unwrap_or_default();
        if envelope["Success"] == false {
            return Err(told_by(response));
        }
        Ok(response)
    }

    fn endpoint_stats(&self, endpoint: Guid, query: &str) -> Answer<String> {
        let function = self.loaded.need(
            self.loaded.functions.HcnQueryEndpointStats,
            "HcnQueryEndpointStats",
        )?;
        let handle = self.handle(ObjectId {
            kind: Kind::Endpoint,
            id: endpoint,
        })?;
        self.ask(function, &handle, query)
    }

    fn endpoint_addresses(&self, endpoint: Guid, query: &str) -> Answer<String> {
        let function = self.loaded.need(
            self.loaded.functions.HcnQueryEndpointAddresses,
            "HcnQueryEndpointAddresses",
        )?;
        let handle = self.handle(ObjectId {
            kind: Kind::Endpoint,
            id: endpoint,
        })?;
        self.ask(function, &handle, query)
    }

    fn reserve_port(
        &self,
        guest_network_service: Guid,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<PortReservation> {
        let function = self.loaded.need(
            self.loaded.functions.HcnReserveGuestNetworkServicePort,
            "HcnReserveGuestNetworkServicePort",
        )?;
        let guest = self.handle(ObjectId {
            kind: Kind::GuestNetworkService,
            id: guest_network_service,
        })?;
        let mut reservation = ptr::null_mut();
        // SAFETY: the handle is open, and the place is ours.
        let result = unsafe {
            function(
                guest.raw(),
                protocol as u32,
                access as u32,
                port,
                &raw mut reservation,
            )
        };
        call_plain(result)?;
        Ok(self.keep(reservation))
    }

    fn reserve_port_range(
        &self,
        guest_network_service: Guid,
        count: u16,
    ) -> Answer<(PortReservation, PortRange)> {
        let function = self.loaded.need(
            self.loaded.functions.HcnReserveGuestNetworkServicePortRange,
            "HcnReserveGuestNetworkServicePortRange",
        )?;
        let guest = self.handle(ObjectId {
            kind: Kind::GuestNetworkService,
            id: guest_network_service,
        })?;
        let (mut range, mut reservation) = (HCN_PORT_RANGE_RESERVATION::default(), ptr::null_mut());
        // SAFETY: the handle is open, and both places are ours.
        let result = unsafe { function(guest.raw(), count, &raw mut range, &raw mut reservation) };
        call_plain(result)?;
        let range = PortRange {
            first: range.starting_port,
            last: range.ending_port,
        };
        Ok((self.keep(reservation), range))
    }

    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        let function = self.loaded.need(
            self.loaded
                .functions
                .HcnReleaseGuestNetworkServicePortReservationHandle,
            "HcnReleaseGuestNetworkServicePortReservationHandle",
        )?;
        if !self.kept().remove(&reservation.0) {
            return Err(HnsError::because(
                HcnCode::E_HANDLE,
                "this program holds no such reservation of ports",
            ));
        }
        // SAFETY: the library gave the handle, and it was not released before.
        let result = unsafe { function(ptr::with_exposed_provenance_mut(reservation.0 as usize)) };
        call_plain(result)
    }

    fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        let functions = &self.loaded.functions;
        let list = self.loaded.need(
            functions.HcnEnumerateGuestNetworkPortReservations,
            "HcnEnumerateGuestNetworkPortReservations",
        )?;
        let free = self.loaded.need(
            functions.HcnFreeGuestNetworkPortReservations,
            "HcnFreeGuestNetworkPortReservations",
        )?;
        let (mut count, mut entries) = (0, ptr::null_mut::<HCN_PORT_RANGE_ENTRY>());
        // SAFETY: both places are ours.
        let result = unsafe { list(&raw mut count, &raw mut entries) };
        call_plain(result)?;
        if entries.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: the library says that so many entries are there, and they are ours until they are freed.
        let found = unsafe { std::slice::from_raw_parts(entries, count as usize) };
        let read = found.iter().filter_map(entry).collect();
        // SAFETY: the list is the library's own and is not used afterwards.
        unsafe { free(entries) };
        Ok(read)
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        callback::register(&self.loaded, listener)
    }
}

impl Native {
    fn kept(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.reservations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a reservation, so that it can be released.
    fn keep(&self, reservation: *mut c_void) -> PortReservation {
        let number = reservation.expose_provenance() as u64;
        self.kept().insert(number);
        PortReservation(number)
    }

    fn properties(&self, kind: Kind) -> Answer<Ask> {
        of_kind!(
            self,
            kind,
            HcnQueryNetworkProperties,
            HcnQueryEndpointProperties,
            HcnQueryNamespaceProperties,
            HcnQueryLoadBalancerProperties,
            HcnQuerySdnRouteProperties,
            HcnQueryGuestNetworkServiceProperties
        )
    }
}

/// An entry; one of a protocol that the border does not name is left out.
fn entry(entry: &HCN_PORT_RANGE_ENTRY) -> Option<PortRangeEntry> {
    Some(PortRangeEntry {
        owning_partition: Guid(entry.owning_partition_id.number()),
        target_partition: Guid(entry.target_partition_id.number()),
        protocol: PortProtocol::from_number(entry.protocol)?,
        priority: entry.priority,
        reservation_type: entry.reservation_type,
        sharing_flags: entry.sharing_flags,
        delivery_mode: entry.delivery_mode,
        ports: PortRange {
            first: entry.starting_port,
            last: entry.ending_port,
        },
    })
}
