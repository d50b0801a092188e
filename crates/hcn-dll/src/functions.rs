// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each function does: receives, asks the border, gives.
//!
//! In each the outputs are looked at first, so that nothing is done whose answer could not be given. The order of the checks is then: ids and
//! texts, handle, and what HNS says.

#![allow(non_snake_case, reason = "the names are those that programs import")]

use std::ffi::c_void;

use hcn::compute_system::HCS_E_INVALID_JSON;
use hcn_abi::{
    GUID,
    types::{HCN_NOTIFICATION_CALLBACK, HCN_PORT_RANGE_ENTRY, HCN_PORT_RANGE_RESERVATION, HRESULT},
};
use hcn_api::{
    Answer, HcnCode, Hns, HnsError, Kind, ObjectId, PortAccess, PortProtocol, PortRangeEntry,
};

use crate::{
    answer::{answer, answer_with_record, answer_with_result},
    border::Source,
    hold::border,
    memory,
    received::Received,
    registration::Listener,
};

type Id = Received<*const GUID>;
type Text = Received<*const u16>;
type Handle = Received<*mut c_void>;
type TextOutput = Received<*mut *mut u16>;
type HandleOutput = Received<*mut *mut c_void>;
type Callback = Received<HCN_NOTIFICATION_CALLBACK>;

/// The functions that differ between kinds in nothing but the kind.
macro_rules! objects {
    ($($kind:ident: $enumerate:ident $open:ident $modify:ident $query:ident $delete:ident $close:ident;)*) => {
        $(
            pub fn $enumerate(query: Text, ids: TextOutput, record: TextOutput) -> HRESULT {
                enumerate(Kind::$kind, query, ids, record)
            }
            pub fn $open(id: Id, handle: HandleOutput, record: TextOutput) -> HRESULT {
                open(Kind::$kind, id, handle, record)
            }
            pub fn $modify(handle: Handle, settings: Text, record: TextOutput) -> HRESULT {
                modify(Kind::$kind, handle, settings, record)
            }
            pub fn $query(handle: Handle, query: Text, document: TextOutput, record: TextOutput) -> HRESULT {
                ask(Kind::$kind, handle, query, document, record, |hns, object, query| hns.query(object, query))
            }
            pub fn $delete(id: Id, record: TextOutput) -> HRESULT {
                delete(Kind::$kind, id, record)
            }
            pub fn $close(handle: Handle) -> HRESULT {
                answer(|| border()?.close(Kind::$kind, handle.handle()?))
            }
        )*
    };
}

objects! {
    Network: HcnEnumerateNetworks HcnOpenNetwork HcnModifyNetwork HcnQueryNetworkProperties HcnDeleteNetwork HcnCloseNetwork;
    Endpoint: HcnEnumerateEndpoints HcnOpenEndpoint HcnModifyEndpoint HcnQueryEndpointProperties HcnDeleteEndpoint HcnCloseEndpoint;
    Namespace: HcnEnumerateNamespaces HcnOpenNamespace HcnModifyNamespace HcnQueryNamespaceProperties HcnDeleteNamespace HcnCloseNamespace;
    LoadBalancer: HcnEnumerateLoadBalancers HcnOpenLoadBalancer HcnModifyLoadBalancer HcnQueryLoadBalancerProperties HcnDeleteLoadBalancer
        HcnCloseLoadBalancer;
    SdnRoute: HcnEnumerateSdnRoutes HcnOpenSdnRoute HcnModifySdnRoute HcnQuerySdnRouteProperties HcnDeleteSdnRoute HcnCloseSdnRoute;
    GuestNetworkService: HcnEnumerateGuestNetworkServices HcnOpenGuestNetworkService HcnModifyGuestNetworkService
        HcnQueryGuestNetworkServiceProperties HcnDeleteGuestNetworkService HcnCloseGuestNetworkService;
}

/// Creating is alike for all kinds but endpoints, which need a network.
macro_rules! creators {
    ($($kind:ident: $create:ident;)*) => {
        $(
            pub fn $create(id: Id, settings: Text, handle: HandleOutput, record: TextOutput) -> HRESULT {
                create(Kind::$kind, None, id, settings, handle, record)
            }
        )*
    };
}

creators! {
    Network: HcnCreateNetwork;
    Namespace: HcnCreateNamespace;
    LoadBalancer: HcnCreateLoadBalancer;
    SdnRoute: HcnCreateSdnRoute;
    GuestNetworkService: HcnCreateGuestNetworkService;
}

pub fn HcnCreateEndpoint(
    network: Handle,
    id: Id,
    settings: Text,
    handle: HandleOutput,
    record: TextOutput,
) -> HRESULT {
    create(Kind::Endpoint, Some(network), id, settings, handle, record)
}

pub fn HcnQueryEndpointStats(
    endpoint: Handle,
    query: Text,
    stats: TextOutput,
    record: TextOutput,
) -> HRESULT {
    ask(
        Kind::Endpoint,
        endpoint,
        query,
        stats,
        record,
        |hns, object, query| hns.endpoint_stats(object.id, query),
    )
}

pub fn HcnQueryEndpointAddresses(
    endpoint: Handle,
    query: Text,
    addresses: TextOutput,
    record: TextOutput,
) -> HRESULT {
    ask(
        Kind::Endpoint,
        endpoint,
        query,
        addresses,
        record,
        |hns, object, query| hns.endpoint_addresses(object.id, query),
    )
}

pub fn HcnRegisterServiceCallback(
    callback: Callback,
    context: Handle,
    handle: HandleOutput,
) -> HRESULT {
    answer(|| {
        let handle = handle.output()?;
        let listener = listener(callback, context)?;
        handle.put_handle(border()?.register_service(listener)?);
        Ok(())
    })
}

pub fn HcnUnregisterServiceCallback(handle: Handle) -> HRESULT {
    answer(|| border()?.unregister(Source::Service, handle.handle()?))
}

pub fn HcnRegisterGuestNetworkServiceCallback(
    guest_network_service: Handle,
    callback: Callback,
    context: Handle,
    handle: HandleOutput,
) -> HRESULT {
    answer(|| {
        let handle = handle.output()?;
        let listener = listener(callback, context)?;
        let guest = guest_network_service.handle()?;
        handle.put_handle(border()?.register_guest(guest, listener)?);
        Ok(())
    })
}

pub fn HcnUnregisterGuestNetworkServiceCallback(handle: Handle) -> HRESULT {
    answer(|| border()?.unregister(Source::GuestNetworkService, handle.handle()?))
}

pub fn HcnRegisterNetworkCallback() -> HRESULT {
    answer(no_signature)
}

pub fn HcnUnregisterNetworkCallback() -> HRESULT {
    answer(no_signature)
}

pub fn HcnReserveGuestNetworkServicePort(
    guest_network_service: Handle,
    protocol: Received<u32>,
    access: Received<u32>,
    port: Received<u16>,
    reservation: HandleOutput,
) -> HRESULT {
    answer(|| {
        let reservation = reservation.output()?;
        let guest = guest_network_service.handle()?;
        let protocol = PortProtocol::from_number(protocol.value())
            .ok_or_else(|| no_such("port protocol", protocol.value()))?;
        let access = PortAccess::from_number(access.value())
            .ok_or_else(|| no_such("port access", access.value()))?;
        let handle = border()?.reserve_port(guest, protocol, access, port.value())?;
        reservation.put_handle(handle);
        Ok(())
    })
}

pub fn HcnReserveGuestNetworkServicePortRange(
    guest_network_service: Handle,
    count: Received<u16>,
    range: Received<*mut HCN_PORT_RANGE_RESERVATION>,
    reservation: HandleOutput,
) -> HRESULT {
    answer(|| {
        let (range, reservation) = (range.output()?, reservation.output()?);
        let guest = guest_network_service.handle()?;
        let (handle, ports) = border()?.reserve_port_range(guest, count.value())?;
        range.put(HCN_PORT_RANGE_RESERVATION {
            starting_port: ports.first,
            ending_port: ports.last,
        });
        reservation.put_handle(handle);
        Ok(())
    })
}

pub fn HcnReleaseGuestNetworkServicePortReservationHandle(reservation: Handle) -> HRESULT {
    answer(|| border()?.release_ports(reservation.handle()?))
}

pub fn HcnEnumerateGuestNetworkPortReservations(
    count: Received<*mut u32>,
    entries: Received<*mut *mut HCN_PORT_RANGE_ENTRY>,
) -> HRESULT {
    answer(|| {
        let (count, entries) = (count.output()?, entries.output()?);
        let list: Vec<HCN_PORT_RANGE_ENTRY> =
            border()?.port_reservations()?.iter().map(entry).collect();
        // A host has no more ports than 16 bits count, and each protocol has them once.
        let length = u32::try_from(list.len()).map_err(|_| HnsError::new(HcnCode::E_UNEXPECTED))?;
        entries.put(memory::give_list(&list)?);
        count.put(length);
        Ok(())
    })
}

pub fn HcnFreeGuestNetworkPortReservations(entries: Received<*mut HCN_PORT_RANGE_ENTRY>) {
    // SAFETY: the caller gives back what the function above gave, or NULL.
    unsafe { memory::take_list(entries.value()) };
}

pub fn HNSCall(method: Text, path: Text, request: Text, response: TextOutput) -> HRESULT {
    // A failure's record goes where the response would have gone (hns-behaviour 1.7).
    answer_with_record(response, || {
        let output = response.output()?;
        let method = method.text(HcnCode::E_INVALIDARG)?;
        let path = path.text(HcnCode::E_INVALIDARG)?;
        let request = request.text_or_none(HcnCode::HCN_E_INVALID_JSON)?;
        let text = border()?.hns().call(&method, &path, &request)?;
        output.put(memory::give_text(&text)?);
        Ok(())
    })
}

pub fn HcsOpenComputeSystem(id: Text, handle: HandleOutput, result: TextOutput) -> HRESULT {
    answer_with_result(result, || {
        let handle = handle.output()?;
        let id = id.text(HcnCode::E_INVALIDARG)?;
        handle.put_handle(border()?.open_compute_system(&id)?);
        Ok(())
    })
}

pub fn HcsCloseComputeSystem(handle: Handle) -> HRESULT {
    answer(|| border()?.close_compute_system(handle.handle()?))
}

pub fn HcsGetComputeSystemProperties(
    handle: Handle,
    query: Text,
    properties: TextOutput,
    result: TextOutput,
) -> HRESULT {
    answer_with_result(result, || {
        let properties = properties.output()?;
        let query = query.text_or_none(HCS_E_INVALID_JSON)?;
        let text = border()?.with_compute_system(handle.handle()?, |systems, system| {
            systems.properties(system, &query)
        })?;
        properties.put(memory::give_text(&text)?);
        Ok(())
    })
}

pub fn HcsModifyComputeSystem(handle: Handle, configuration: Text, result: TextOutput) -> HRESULT {
    answer_with_result(result, || {
        let configuration = configuration.text(HCS_E_INVALID_JSON)?;
        border()?.with_compute_system(handle.handle()?, |systems, system| {
            systems.modify(system, &configuration)
        })
    })
}

pub fn HcsRegisterComputeSystemCallback(
    handle: Handle,
    callback: Callback,
    context: Handle,
    registration: HandleOutput,
) -> HRESULT {
    answer(|| {
        let registration = registration.output()?;
        listener(callback, context)?;
        registration.put_handle(border()?.register_compute_system(handle.handle()?)?);
        Ok(())
    })
}

pub fn HcsUnregisterComputeSystemCallback(handle: Handle) -> HRESULT {
    answer(|| border()?.unregister(Source::ComputeSystem, handle.handle()?))
}

fn enumerate(kind: Kind, query: Text, ids: TextOutput, record: TextOutput) -> HRESULT {
    answer_with_record(record, || {
        let ids = ids.output()?;
        let query = query.text_or_none(HcnCode::HCN_E_INVALID_JSON)?;
        let text = border()?.hns().enumerate(kind, &query)?;
        ids.put(memory::give_text(&text)?);
        Ok(())
    })
}

fn create(
    kind: Kind,
    network: Option<Handle>,
    id: Id,
    settings: Text,
    handle: HandleOutput,
    record: TextOutput,
) -> HRESULT {
    answer_with_record(record, || {
        let handle = handle.output()?;
        let id = id.id()?;
        let settings = settings.text(HcnCode::HCN_E_INVALID_JSON)?;
        let network = network.map(Handle::handle).transpose()?;
        handle.put_handle(border()?.create(kind, network, id, &settings)?);
        Ok(())
    })
}

fn open(kind: Kind, id: Id, handle: HandleOutput, record: TextOutput) -> HRESULT {
    answer_with_record(record, || {
        let handle = handle.output()?;
        let id = id.id()?;
        handle.put_handle(border()?.open(ObjectId { kind, id })?);
        Ok(())
    })
}

fn modify(kind: Kind, handle: Handle, settings: Text, record: TextOutput) -> HRESULT {
    answer_with_record(record, || {
        let settings = settings.text(HcnCode::HCN_E_INVALID_JSON)?;
        border()?.modify(kind, handle.handle()?, &settings)
    })
}

fn ask(
    kind: Kind,
    handle: Handle,
    query: Text,
    document: TextOutput,
    record: TextOutput,
    asked: impl FnOnce(&dyn Hns, ObjectId, &str) -> Answer<String>,
) -> HRESULT {
    answer_with_record(record, || {
        let document = document.output()?;
        let query = query.text_or_none(HcnCode::HCN_E_INVALID_JSON)?;
        let text = border()?.query(kind, handle.handle()?, |hns, object| {
            asked(hns, object, &query)
        })?;
        document.put(memory::give_text(&text)?);
        Ok(())
    })
}

fn delete(kind: Kind, id: Id, record: TextOutput) -> HRESULT {
    answer_with_record(record, || {
        let id = id.id()?;
        border()?.hns().delete(ObjectId { kind, id })
    })
}

fn listener(callback: Callback, context: Handle) -> Answer<Listener> {
    let callback = callback
        .value()
        .ok_or_else(|| HnsError::because(HcnCode::E_POINTER, "the callback is NULL"))?;
    Ok(Listener {
        callback,
        context: context.value(),
    })
}

fn no_signature() -> Answer<()> {
    let why = "no public signature of this function is known";
    Err(HnsError::because(HcnCode::E_NOTIMPL, why))
}

fn no_such(what: &str, number: u32) -> HnsError {
    HnsError::because(
        HcnCode::E_INVALIDARG,
        format!("there is no {what} {number}"),
    )
}

fn entry(entry: &PortRangeEntry) -> HCN_PORT_RANGE_ENTRY {
    HCN_PORT_RANGE_ENTRY {
        owning_partition_id: GUID::from_number(entry.owning_partition.0),
        target_partition_id: GUID::from_number(entry.target_partition.0),
        protocol: entry.protocol as u32,
        priority: entry.priority,
        reservation_type: entry.reservation_type,
        sharing_flags: entry.sharing_flags,
        delivery_mode: entry.delivery_mode,
        starting_port: entry.ports.first,
        ending_port: entry.ports.last,
    }
}
