// SPDX-License-Identifier: MIT OR Apache-2.0
//! The seam over the functions of a library.

use std::{ffi::c_void, path::Path, ptr, sync::Arc};

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

use crate::{
    callback,
    handle::{Close, Handle},
    library::Loaded,
    memory::{Received, wide},
};

/// An HNS behind a library.
pub struct Native {
    loaded: Arc<Loaded>,
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

/// What came of a call that gives a record.
fn done(result: HRESULT, record: &Received) -> Answer<()> {
    if hresult::failed(result) {
        // A record that cannot be read is less than the code that can.
        return Err(failure(result, record.text().unwrap_or_default()));
    }
    Ok(())
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
    /// # Errors
    /// `RPC_S_SERVER_UNAVAILABLE` where HNS is not installed.
    pub fn open(path: Option<&Path>) -> Answer<Native> {
        Ok(Native {
            loaded: Arc::new(Loaded::open(path)?),
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
        let mut handle = Handle::new(self.close(object.kind)?);
        let (id, mut record) = (memory(object.id), Received::new());
        // SAFETY: the id outlives the call, and both places are ours and empty.
        let result = unsafe { open(&id, handle.place(), record.place()) };
        done(result, &record)?;
        Ok(handle)
    }

    /// A question about an open object.
    fn ask(&self, function: Ask, handle: &Handle, query: &str) -> Answer<String> {
        let (query, mut answer, mut record) = (wide(query)?, Received::new(), Received::new());
        // SAFETY: the handle is open, the query ends with a NUL and outlives the call, and both places are ours and empty.
        let result =
            unsafe { function(handle.raw(), query.as_ptr(), answer.place(), record.place()) };
        done(result, &record)?;
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
        let (query, mut ids, mut record) = (wide(query)?, Received::new(), Received::new());
        // SAFETY: the query ends with a NUL and outlives the call, and both places are ours and empty.
        let result = unsafe { function(query.as_ptr(), ids.place(), record.place()) };
        done(result, &record)?;
        let ids = ids.text()?;
        Ok(if ids.is_empty() { "[]".to_owned() } else { ids })
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        let mut handle = Handle::new(self.close(kind)?);
        let (given, settings, mut record) = (memory(id), wide(settings)?, Received::new());
        let result = if kind == Kind::Endpoint {
            let function = self
                .loaded
                .need(self.loaded.functions.HcnCreateEndpoint, "HcnCreateEndpoint")?;
            let network = network.ok_or_else(|| {
                HnsError::because(HcnCode::E_INVALIDARG, "an endpoint needs a network")
            })?;
            let network = self.handle(ObjectId {
                kind: Kind::Network,
                id: network,
            })?;
            // SAFETY: the network is open until after the call, id and settings outlive it, and both places are ours and empty.
            unsafe {
                function(
                    network.raw(),
                    &given,
                    settings.as_ptr(),
                    handle.place(),
                    record.place(),
                )
            }
        } else {
            let functions = &self.loaded.functions;
            let (function, name): (Option<Create>, _) = match kind {
                Kind::Network | Kind::Endpoint => (functions.HcnCreateNetwork, "HcnCreateNetwork"),
                Kind::Namespace => (functions.HcnCreateNamespace, "HcnCreateNamespace"),
                Kind::LoadBalancer => (functions.HcnCreateLoadBalancer, "HcnCreateLoadBalancer"),
                Kind::SdnRoute => (functions.HcnCreateSdnRoute, "HcnCreateSdnRoute"),
                Kind::GuestNetworkService => (
                    functions.HcnCreateGuestNetworkService,
                    "HcnCreateGuestNetworkService",
                ),
            };
            let function = self.loaded.need(function, name)?;
            // SAFETY: id and settings outlive the call, and both places are ours and empty.
            unsafe { function(&given, settings.as_ptr(), handle.place(), record.place()) }
        };
        done(result, &record)?;
        if !id.is_zero() {
            return Ok(id);
        }
        // HNS chose the id; only the document of the new handle tells it.
        let text = self.ask(
            self.properties(kind)?,
            &handle,
            r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#,
        )?;
        let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
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
        let (settings, mut record) = (wide(settings)?, Received::new());
        // SAFETY: the handle is open, the settings end with a NUL and outlive the call, and the place is ours and empty.
        let result = unsafe { function(handle.raw(), settings.as_ptr(), record.place()) };
        done(result, &record)
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
        let (id, mut record) = (memory(object.id), Received::new());
        // SAFETY: the id outlives the call, and the place is ours and empty.
        let result = unsafe { function(&id, record.place()) };
        done(result, &record)
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        let function = self.loaded.need(self.loaded.functions.HNSCall, "HNSCall")?;
        let (method, path, request) = (wide(method)?, wide(path)?, wide(request)?);
        let mut response = Received::new();
        // SAFETY: the three texts end with a NUL and outlive the call, and the place is ours and empty.
        let result = unsafe {
            function(
                method.as_ptr(),
                path.as_ptr(),
                request.as_ptr(),
                response.place(),
            )
        };
        // After a failure the response is the record.
        done(result, &response)?;
        response.text()
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
                &mut reservation,
            )
        };
        done(result, &Received::new())?;
        Ok(PortReservation(reservation as usize as u64))
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
        let result = unsafe { function(guest.raw(), count, &mut range, &mut reservation) };
        done(result, &Received::new())?;
        let range = PortRange {
            first: range.starting_port,
            last: range.ending_port,
        };
        Ok((PortReservation(reservation as usize as u64), range))
    }

    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        let function = self.loaded.need(
            self.loaded
                .functions
                .HcnReleaseGuestNetworkServicePortReservationHandle,
            "HcnReleaseGuestNetworkServicePortReservationHandle",
        )?;
        // SAFETY: the number is the address that reserving gave; the library knows its own handles.
        let result = unsafe { function(reservation.0 as usize as *mut c_void) };
        done(result, &Received::new())
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
        let result = unsafe { list(&mut count, &mut entries) };
        done(result, &Received::new())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_said_as_hns_not_installed() {
        let error = Native::open(Some(Path::new("/nowhere/computenetwork.dll")))
            .err()
            .unwrap();
        assert_eq!(error.code, HcnCode::RPC_S_SERVER_UNAVAILABLE);
        assert!(
            error.to_string().contains("HNS is not installed"),
            "{error}"
        );
    }
}
