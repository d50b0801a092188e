// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of both libraries, once.
//!
//! A macro that calls another with the whole table, so that an exporter and an importer make functions from it and not from a copy. Each row is
//! `[ordinal] Name(parameter: Type, …) -> Result;` without an ordinal where the list of Windows 10 19041 lacks the function; the types are
//! those of [`crate::types`]. Names are what programs import by; ordinals are those of 19041, and later builds number anew.

/// Calls the macro of the given name with the 55 functions of `computenetwork.dll`.
///
/// The 48 of Windows 10 19041 and the 7 that came later (hns-behaviour 1.2). Of the two for network callbacks no public signature is known;
/// they have no parameters here, answer `E_NOTIMPL`, and are not to be called with any.
///
/// ```
/// macro_rules! count {
///     ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
///         [$(stringify!($name)),*].len()
///     };
/// }
/// assert_eq!(hcn_abi::computenetwork_exports!(count), 55);
/// ```
#[macro_export]
macro_rules! computenetwork_exports {
    ($with:ident) => {
        $with! {
            [34] HcnEnumerateNetworks(query: PCWSTR, networks: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [26] HcnCreateNetwork(id: REFGUID, settings: PCWSTR, network: PHCN_NETWORK, error_record: *mut PWSTR) -> HRESULT;
            [42] HcnOpenNetwork(id: REFGUID, network: PHCN_NETWORK, error_record: *mut PWSTR) -> HRESULT;
            [38] HcnModifyNetwork(network: HCN_NETWORK, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [46] HcnQueryNetworkProperties(network: HCN_NETWORK, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [30] HcnDeleteNetwork(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [22] HcnCloseNetwork(network: HCN_NETWORK) -> HRESULT;
            [31] HcnEnumerateEndpoints(query: PCWSTR, endpoints: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [23] HcnCreateEndpoint(network: HCN_NETWORK, id: REFGUID, settings: PCWSTR, endpoint: PHCN_ENDPOINT, error_record: *mut PWSTR) -> HRESULT;
            [39] HcnOpenEndpoint(id: REFGUID, endpoint: PHCN_ENDPOINT, error_record: *mut PWSTR) -> HRESULT;
            [35] HcnModifyEndpoint(endpoint: HCN_ENDPOINT, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [43] HcnQueryEndpointProperties(endpoint: HCN_ENDPOINT, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [] HcnQueryEndpointStats(endpoint: HCN_ENDPOINT, query: PCWSTR, stats: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [] HcnQueryEndpointAddresses(endpoint: HCN_ENDPOINT, query: PCWSTR, addresses: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [27] HcnDeleteEndpoint(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [19] HcnCloseEndpoint(endpoint: HCN_ENDPOINT) -> HRESULT;
            [33] HcnEnumerateNamespaces(query: PCWSTR, namespaces: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [25] HcnCreateNamespace(id: REFGUID, settings: PCWSTR, namespace: PHCN_NAMESPACE, error_record: *mut PWSTR) -> HRESULT;
            [41] HcnOpenNamespace(id: REFGUID, namespace: PHCN_NAMESPACE, error_record: *mut PWSTR) -> HRESULT;
            [37] HcnModifyNamespace(namespace: HCN_NAMESPACE, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [45] HcnQueryNamespaceProperties(namespace: HCN_NAMESPACE, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [29] HcnDeleteNamespace(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [21] HcnCloseNamespace(namespace: HCN_NAMESPACE) -> HRESULT;
            [32] HcnEnumerateLoadBalancers(query: PCWSTR, load_balancers: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [24] HcnCreateLoadBalancer(id: REFGUID, settings: PCWSTR, load_balancer: PHCN_LOADBALANCER, error_record: *mut PWSTR) -> HRESULT;
            [40] HcnOpenLoadBalancer(id: REFGUID, load_balancer: PHCN_LOADBALANCER, error_record: *mut PWSTR) -> HRESULT;
            [36] HcnModifyLoadBalancer(load_balancer: HCN_LOADBALANCER, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [44] HcnQueryLoadBalancerProperties(load_balancer: HCN_LOADBALANCER, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [28] HcnDeleteLoadBalancer(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [20] HcnCloseLoadBalancer(load_balancer: HCN_LOADBALANCER) -> HRESULT;
            [8] HcnEnumerateSdnRoutes(query: PCWSTR, sdn_routes: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [4] HcnCreateSdnRoute(id: REFGUID, settings: PCWSTR, sdn_route: PHCN_SDNROUTE, error_record: *mut PWSTR) -> HRESULT;
            [12] HcnOpenSdnRoute(id: REFGUID, sdn_route: PHCN_SDNROUTE, error_record: *mut PWSTR) -> HRESULT;
            [10] HcnModifySdnRoute(sdn_route: HCN_SDNROUTE, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [14] HcnQuerySdnRouteProperties(sdn_route: HCN_SDNROUTE, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [6] HcnDeleteSdnRoute(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [2] HcnCloseSdnRoute(sdn_route: HCN_SDNROUTE) -> HRESULT;
            [7] HcnEnumerateGuestNetworkServices(query: PCWSTR, guest_network_services: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [3] HcnCreateGuestNetworkService(id: REFGUID, settings: PCWSTR, guest_network_service: PHCN_GUESTNETWORKSERVICE, error_record: *mut PWSTR) -> HRESULT;
            [11] HcnOpenGuestNetworkService(id: REFGUID, guest_network_service: PHCN_GUESTNETWORKSERVICE, error_record: *mut PWSTR) -> HRESULT;
            [9] HcnModifyGuestNetworkService(guest_network_service: HCN_GUESTNETWORKSERVICE, settings: PCWSTR, error_record: *mut PWSTR) -> HRESULT;
            [13] HcnQueryGuestNetworkServiceProperties(guest_network_service: HCN_GUESTNETWORKSERVICE, query: PCWSTR, properties: *mut PWSTR, error_record: *mut PWSTR) -> HRESULT;
            [5] HcnDeleteGuestNetworkService(id: REFGUID, error_record: *mut PWSTR) -> HRESULT;
            [1] HcnCloseGuestNetworkService(guest_network_service: HCN_GUESTNETWORKSERVICE) -> HRESULT;
            [47] HcnRegisterServiceCallback(callback: HCN_NOTIFICATION_CALLBACK, context: PVOID, callback_handle: *mut HCN_CALLBACK) -> HRESULT;
            [48] HcnUnregisterServiceCallback(callback_handle: HCN_CALLBACK) -> HRESULT;
            [15] HcnRegisterGuestNetworkServiceCallback(guest_network_service: HCN_GUESTNETWORKSERVICE, callback: HCN_NOTIFICATION_CALLBACK, context: PVOID, callback_handle: *mut HCN_CALLBACK) -> HRESULT;
            [17] HcnUnregisterGuestNetworkServiceCallback(callback_handle: HCN_CALLBACK) -> HRESULT;
            [16] HcnRegisterNetworkCallback() -> HRESULT;
            [18] HcnUnregisterNetworkCallback() -> HRESULT;
            [] HcnReserveGuestNetworkServicePort(guest_network_service: HCN_GUESTNETWORKSERVICE, protocol: HCN_PORT_PROTOCOL, access: HCN_PORT_ACCESS, port: USHORT, port_reservation_handle: *mut HANDLE) -> HRESULT;
            [] HcnReserveGuestNetworkServicePortRange(guest_network_service: HCN_GUESTNETWORKSERVICE, port_count: USHORT, port_range_reservation: *mut HCN_PORT_RANGE_RESERVATION, port_reservation_handle: *mut HANDLE) -> HRESULT;
            [] HcnReleaseGuestNetworkServicePortReservationHandle(port_reservation_handle: HANDLE) -> HRESULT;
            [] HcnEnumerateGuestNetworkPortReservations(return_count: *mut ULONG, port_entries: *mut *mut HCN_PORT_RANGE_ENTRY) -> HRESULT;
            [] HcnFreeGuestNetworkPortReservations(port_entries: *mut HCN_PORT_RANGE_ENTRY) -> ();
        }
    };
}

/// Calls the macro of the given name with the functions of `vmcompute.dll` that clients of HNS call.
///
/// Of `HNSCall`, `method` is GET, POST or DELETE; a request may be NULL or empty; the response is freed as every text. After a failure the
/// response is the error record (hns-behaviour 1.7). The six others belong to the Host Compute Service, and are what a client of version 1 needs
/// to put an endpoint on a container that runs (hns-clients 1.2). Their signatures are those by which hcsshim imports them; their callback is
/// of the same type as HNS's.
#[macro_export]
macro_rules! vmcompute_exports {
    ($with:ident) => {
        $with! {
            [] HNSCall(method: PCWSTR, path: PCWSTR, request: PCWSTR, response: *mut PWSTR) -> HRESULT;
            [] HcsOpenComputeSystem(id: PCWSTR, compute_system: *mut HANDLE, result: *mut PWSTR) -> HRESULT;
            [] HcsCloseComputeSystem(compute_system: HANDLE) -> HRESULT;
            [] HcsGetComputeSystemProperties(compute_system: HANDLE, property_query: PCWSTR, properties: *mut PWSTR, result: *mut PWSTR) -> HRESULT;
            [] HcsModifyComputeSystem(compute_system: HANDLE, configuration: PCWSTR, result: *mut PWSTR) -> HRESULT;
            [] HcsRegisterComputeSystemCallback(compute_system: HANDLE, callback: HCN_NOTIFICATION_CALLBACK, context: PVOID, callback_handle: *mut HANDLE) -> HRESULT;
            [] HcsUnregisterComputeSystemCallback(callback_handle: HANDLE) -> HRESULT;
        }
    };
}

/// One function, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// The name that it is exported under.
    pub name: &'static str,
    /// Its ordinal in Windows 10 19041.
    pub ordinal: Option<u16>,
    /// Name and Rust type of each parameter.
    pub parameters: &'static [(&'static str, &'static str)],
    /// The Rust type of what it answers.
    pub result: &'static str,
}

macro_rules! as_data {
    ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
        &[$(
            Export {
                name: stringify!($name),
                ordinal: as_data!(@ordinal $($ordinal)?),
                parameters: &[$((stringify!($parameter), stringify!($type))),*],
                result: stringify!($result),
            }
        ),*]
    };
    (@ordinal) => { None };
    (@ordinal $ordinal:literal) => { Some($ordinal) };
}

/// The functions of `computenetwork.dll`.
pub const COMPUTENETWORK: &[Export] = computenetwork_exports!(as_data);

/// The functions of `vmcompute.dll` that clients of HNS call.
pub const VMCOMPUTE: &[Export] = vmcompute_exports!(as_data);
