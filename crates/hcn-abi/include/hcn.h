/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The functions of computenetwork.dll, and those of vmcompute.dll that clients of HNS call, for C and C++.
 *
 * On Windows include this instead of computenetwork.h; elsewhere it brings the Windows names that it needs. Texts are NUL-terminated UTF-16.
 * A text that a function gives is the caller's, and is freed with HCN_FREE. ErrorRecord may be NULL; after a success it holds NULL. A query may
 * be NULL. Closing a handle deletes nothing. */
#ifndef HCN_H
#define HCN_H

#include <stdint.h>

#ifdef _WIN32
#include <windows.h>
#include <objbase.h>
#define HCN_CALL WINAPI
#define HCN_FREE(Text) CoTaskMemFree(Text)
#ifdef HCN_EXPORTED_HERE
#define HCN_IMPORT
#else
#define HCN_IMPORT __declspec(dllimport)
#endif
#else
#include <stdlib.h>
#define HCN_CALL
#define HCN_FREE(Text) free(Text)
#define HCN_IMPORT extern
typedef int32_t HRESULT;
typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef uint16_t USHORT;
typedef uint16_t *PWSTR;
typedef const uint16_t *PCWSTR;
typedef void *HANDLE;
typedef struct GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
#ifdef __cplusplus
typedef const GUID &REFGUID;
#else
typedef const GUID *REFGUID;
#endif
#define S_OK ((HRESULT)0)
#define SUCCEEDED(Result) ((HRESULT)(Result) >= 0)
#define FAILED(Result) ((HRESULT)(Result) < 0)
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef void *HCN_NETWORK, **PHCN_NETWORK;
typedef void *HCN_ENDPOINT, **PHCN_ENDPOINT;
typedef void *HCN_NAMESPACE, **PHCN_NAMESPACE;
typedef void *HCN_LOADBALANCER, **PHCN_LOADBALANCER;
typedef void *HCN_SDNROUTE, **PHCN_SDNROUTE;
typedef void *HCN_GUESTNETWORKSERVICE, **PHCN_GUESTNETWORKSERVICE;
typedef void *HCN_CALLBACK;

typedef enum HCN_NOTIFICATIONS {
    HcnNotificationInvalid = 0x00000000,
    HcnNotificationNetworkPreCreate = 0x00000001,
    HcnNotificationNetworkCreate = 0x00000002,
    HcnNotificationNetworkPreDelete = 0x00000003,
    HcnNotificationNetworkDelete = 0x00000004,
    HcnNotificationNamespaceCreate = 0x00000005,
    HcnNotificationNamespaceDelete = 0x00000006,
    HcnNotificationGuestNetworkServiceCreate = 0x00000007,
    HcnNotificationGuestNetworkServiceDelete = 0x00000008,
    HcnNotificationNetworkEndpointAttached = 0x00000009,
    HcnNotificationNetworkEndpointDetached = 0x00000010,
    HcnNotificationGuestNetworkServiceStateChanged = 0x00000011,
    HcnNotificationGuestNetworkServiceInterfaceStateChanged = 0x00000012,
    HcnNotificationServiceDisconnect = 0x01000000,
    HcnNotificationFlagsReserved = 0xF0000000
} HCN_NOTIFICATIONS;

/* NotificationData is valid until the callback returns, and may be NULL. */
typedef void(HCN_CALL *HCN_NOTIFICATION_CALLBACK)(DWORD NotificationType, void *Context, HRESULT NotificationStatus, PCWSTR NotificationData);

typedef enum HCN_PORT_PROTOCOL { HCN_PORT_PROTOCOL_TCP = 1, HCN_PORT_PROTOCOL_UDP = 2, HCN_PORT_PROTOCOL_BOTH = 3 } HCN_PORT_PROTOCOL;

typedef enum HCN_PORT_ACCESS { HCN_PORT_ACCESS_EXCLUSIVE = 1, HCN_PORT_ACCESS_SHARED = 2 } HCN_PORT_ACCESS;

/* Both ends belong to the range. */
typedef struct HCN_PORT_RANGE_RESERVATION {
    USHORT startingPort;
    USHORT endingPort;
} HCN_PORT_RANGE_RESERVATION;

typedef struct HCN_PORT_RANGE_ENTRY {
    GUID OwningPartitionId;
    GUID TargetPartitionId;
    HCN_PORT_PROTOCOL Protocol;
    uint64_t Priority;
    uint32_t ReservationType;
    uint32_t SharingFlags;
    uint32_t DeliveryMode;
    uint16_t StartingPort;
    uint16_t EndingPort;
} HCN_PORT_RANGE_ENTRY;

/* Networks */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateNetworks(PCWSTR Query, PWSTR *Networks, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateNetwork(REFGUID Id, PCWSTR Settings, PHCN_NETWORK Network, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenNetwork(REFGUID Id, PHCN_NETWORK Network, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifyNetwork(HCN_NETWORK Network, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryNetworkProperties(HCN_NETWORK Network, PCWSTR Query, PWSTR *Properties, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteNetwork(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseNetwork(HCN_NETWORK Network);

/* Endpoints */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateEndpoints(PCWSTR Query, PWSTR *Endpoints, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateEndpoint(HCN_NETWORK Network, REFGUID Id, PCWSTR Settings, PHCN_ENDPOINT Endpoint, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenEndpoint(REFGUID Id, PHCN_ENDPOINT Endpoint, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifyEndpoint(HCN_ENDPOINT Endpoint, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryEndpointProperties(HCN_ENDPOINT Endpoint, PCWSTR Query, PWSTR *Properties, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryEndpointStats(HCN_ENDPOINT Endpoint, PCWSTR Query, PWSTR *Stats, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryEndpointAddresses(HCN_ENDPOINT Endpoint, PCWSTR Query, PWSTR *Addresses, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteEndpoint(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseEndpoint(HCN_ENDPOINT Endpoint);

/* Namespaces */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateNamespaces(PCWSTR Query, PWSTR *Namespaces, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateNamespace(REFGUID Id, PCWSTR Settings, PHCN_NAMESPACE Namespace, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenNamespace(REFGUID Id, PHCN_NAMESPACE Namespace, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifyNamespace(HCN_NAMESPACE Namespace, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryNamespaceProperties(HCN_NAMESPACE Namespace, PCWSTR Query, PWSTR *Properties, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteNamespace(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseNamespace(HCN_NAMESPACE Namespace);

/* Load balancers */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateLoadBalancers(PCWSTR Query, PWSTR *LoadBalancers, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateLoadBalancer(REFGUID Id, PCWSTR Settings, PHCN_LOADBALANCER LoadBalancer, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenLoadBalancer(REFGUID Id, PHCN_LOADBALANCER LoadBalancer, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifyLoadBalancer(HCN_LOADBALANCER LoadBalancer, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryLoadBalancerProperties(HCN_LOADBALANCER LoadBalancer, PCWSTR Query, PWSTR *Properties,
    PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteLoadBalancer(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseLoadBalancer(HCN_LOADBALANCER LoadBalancer);

/* SDN routes */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateSdnRoutes(PCWSTR Query, PWSTR *SdnRoutes, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateSdnRoute(REFGUID Id, PCWSTR Settings, PHCN_SDNROUTE SdnRoute, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenSdnRoute(REFGUID Id, PHCN_SDNROUTE SdnRoute, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifySdnRoute(HCN_SDNROUTE SdnRoute, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQuerySdnRouteProperties(HCN_SDNROUTE SdnRoute, PCWSTR Query, PWSTR *Properties, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteSdnRoute(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseSdnRoute(HCN_SDNROUTE SdnRoute);

/* Guest network services */
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateGuestNetworkServices(PCWSTR Query, PWSTR *GuestNetworkServices, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCreateGuestNetworkService(REFGUID Id, PCWSTR Settings, PHCN_GUESTNETWORKSERVICE GuestNetworkService,
    PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnOpenGuestNetworkService(REFGUID Id, PHCN_GUESTNETWORKSERVICE GuestNetworkService, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnModifyGuestNetworkService(HCN_GUESTNETWORKSERVICE GuestNetworkService, PCWSTR Settings, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnQueryGuestNetworkServiceProperties(HCN_GUESTNETWORKSERVICE GuestNetworkService, PCWSTR Query,
    PWSTR *Properties, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnDeleteGuestNetworkService(REFGUID Id, PWSTR *ErrorRecord);
HCN_IMPORT HRESULT HCN_CALL HcnCloseGuestNetworkService(HCN_GUESTNETWORKSERVICE GuestNetworkService);

/* Notifications: the library calls back from a thread of its own. Unregister returns when no call is under way, unless the callback itself calls
 * it. */
HCN_IMPORT HRESULT HCN_CALL HcnRegisterServiceCallback(HCN_NOTIFICATION_CALLBACK Callback, void *Context, HCN_CALLBACK *CallbackHandle);
HCN_IMPORT HRESULT HCN_CALL HcnUnregisterServiceCallback(HCN_CALLBACK CallbackHandle);
HCN_IMPORT HRESULT HCN_CALL HcnRegisterGuestNetworkServiceCallback(HCN_GUESTNETWORKSERVICE GuestNetworkService,
    HCN_NOTIFICATION_CALLBACK Callback, void *Context, HCN_CALLBACK *CallbackHandle);
HCN_IMPORT HRESULT HCN_CALL HcnUnregisterGuestNetworkServiceCallback(HCN_CALLBACK CallbackHandle);

/* Exported without a known signature: they answer E_NOTIMPL. */
HCN_IMPORT HRESULT HCN_CALL HcnRegisterNetworkCallback(void);
HCN_IMPORT HRESULT HCN_CALL HcnUnregisterNetworkCallback(void);

/* Ports. The entries of the listing are freed with HcnFreeGuestNetworkPortReservations. */
HCN_IMPORT HRESULT HCN_CALL HcnReserveGuestNetworkServicePort(HCN_GUESTNETWORKSERVICE GuestNetworkService, HCN_PORT_PROTOCOL Protocol,
    HCN_PORT_ACCESS Access, USHORT Port, HANDLE *PortReservationHandle);
HCN_IMPORT HRESULT HCN_CALL HcnReserveGuestNetworkServicePortRange(HCN_GUESTNETWORKSERVICE GuestNetworkService, USHORT PortCount,
    HCN_PORT_RANGE_RESERVATION *PortRangeReservation, HANDLE *PortReservationHandle);
HCN_IMPORT HRESULT HCN_CALL HcnReleaseGuestNetworkServicePortReservationHandle(HANDLE PortReservationHandle);
HCN_IMPORT HRESULT HCN_CALL HcnEnumerateGuestNetworkPortReservations(ULONG *ReturnCount, HCN_PORT_RANGE_ENTRY **PortEntries);
HCN_IMPORT void HCN_CALL HcnFreeGuestNetworkPortReservations(HCN_PORT_RANGE_ENTRY *PortEntries);

/* Version 1, in vmcompute.dll: Request may be NULL; after a failure Response is the error record. */
HCN_IMPORT HRESULT HCN_CALL HNSCall(PCWSTR Method, PCWSTR Path, PCWSTR Request, PWSTR *Response);

/* Compute systems, in vmcompute.dll: containers that run, and the endpoints on them. Result may be NULL; after a success it holds NULL, after a
 * failure {"Error": number, "ErrorMessage": text}. The callback is never called here. */
HCN_IMPORT HRESULT HCN_CALL HcsOpenComputeSystem(PCWSTR Id, HANDLE *ComputeSystem, PWSTR *Result);
HCN_IMPORT HRESULT HCN_CALL HcsCloseComputeSystem(HANDLE ComputeSystem);
HCN_IMPORT HRESULT HCN_CALL HcsGetComputeSystemProperties(HANDLE ComputeSystem, PCWSTR PropertyQuery, PWSTR *Properties, PWSTR *Result);
HCN_IMPORT HRESULT HCN_CALL HcsModifyComputeSystem(HANDLE ComputeSystem, PCWSTR Configuration, PWSTR *Result);
HCN_IMPORT HRESULT HCN_CALL HcsRegisterComputeSystemCallback(HANDLE ComputeSystem, HCN_NOTIFICATION_CALLBACK Callback, void *Context,
    HANDLE *CallbackHandle);
HCN_IMPORT HRESULT HCN_CALL HcsUnregisterComputeSystemCallback(HANDLE CallbackHandle);

#ifdef __cplusplus
}
#endif

#endif
