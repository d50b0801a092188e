/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Goes through every export with good input, NULL in each pointer, a closed handle, a handle of another kind, an address that never was a
 * handle, bad JSON and 1 MB of JSON, and looks at code, output and error record of each answer.
 *
 * Prints what was not as expected, and the number of checks; exits 1 where anything was wrong.
 * Built on Linux against the .so and on Windows against the .dll. Expects an empty store and HCNCTL_PROFILE=16.0, since older versions do not
 * modify load balancers. */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#endif

#include "hcn.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#ifdef _WIN32
#define pause_ms(Milliseconds) Sleep(Milliseconds)
#else
#include <time.h>
static void pause_ms(unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    nanosleep(&time, NULL);
}
#endif

/* u"" is char16_t; the border's texts are 16 bits wide on every system. */
#define T(Literal) ((PCWSTR)(Literal))

/* Codes, from the published lists. */
#define OK 0u
#define NOT_IMPLEMENTED 0x80004001u
#define POINTER 0x80004003u
#define HANDLE_BAD 0x80070006u
#define ARGUMENT 0x80070057u
#define NOT_FOUND 0x80070490u
#define NETWORK_NOT_FOUND 0x803b0001u
#define ENDPOINT_NOT_FOUND 0x803b0002u
#define BAD_JSON 0x803b001bu
/* Of HCS, as hcsshim has them. */
#define SYSTEM_NOT_FOUND 0xc037010eu
#define HCS_BAD_JSON 0xc037010du

static unsigned checks, faults;

static void check(int good, int line, const char *what, unsigned long long is, unsigned long long expected)
{
    checks++;
    if (!good) {
        faults++;
        printf("line %d: %s is 0x%llx, expected 0x%llx\n", line, what, is, expected);
    }
}

#define EQUAL(Is, Expected) check((Is) == (Expected), __LINE__, #Is, (unsigned long long)(Is), (unsigned long long)(Expected))
#define CODE(Call, Expected)                                                                                                               \
    do {                                                                                                                                   \
        uint32_t code_ = (uint32_t)(Call);                                                                                                 \
        check(code_ == (Expected), __LINE__, #Call, code_, (Expected));                                                                    \
    } while (0)

static size_t length(PCWSTR text)
{
    size_t count = 0;
    while (text[count] != 0)
        count++;
    return count;
}

/* Whether an ASCII word stands in a text. */
static int holds(PCWSTR text, const char *word)
{
    size_t size = strlen(word);
    for (; *text != 0; text++) {
        size_t at = 0;
        while (at < size && text[at] == (unsigned char)word[at])
            at++;
        if (at == size)
            return 1;
    }
    return 0;
}

/* The outputs of one call. They begin as what no call gives, so that a write is seen. */
static void *const untouched = (void *)(uintptr_t)0x5a5a5a5a;
static PWSTR text, record;
static void *handle;

static void reset(void)
{
    text = untouched;
    record = untouched;
    handle = untouched;
}

/* Looks at the outputs of a call that gives a text, and frees them. */
static void text_given(uint32_t code, uint32_t expected, int line, const char *call)
{
    check(code == expected, line, call, code, expected);
    if (code == OK) {
        check(text != untouched && text != NULL, line, "the text", (uintptr_t)text, 1);
        check(record == NULL, line, "the record after a success", (uintptr_t)record, 0);
        if (text != untouched)
            HCN_FREE(text);
    } else {
        char number[32];
        check(text == untouched, line, "the text after a failure", (uintptr_t)text, (uintptr_t)untouched);
        sprintf(number, "\"ErrorCode\":%lu}", (unsigned long)code);
        check(record != NULL && record != untouched && holds(record, number), line, "the record", (uintptr_t)record, 1);
        if (record != untouched)
            HCN_FREE(record);
    }
}

/* The same of a call that gives a handle; the handle is the caller's to close. */
static void handle_given(uint32_t code, uint32_t expected, int line, const char *call)
{
    if (code == OK) {
        check(code == expected, line, call, code, expected);
        check(handle != untouched && handle != NULL, line, "the handle", (uintptr_t)handle, 1);
        check(record == NULL, line, "the record after a success", (uintptr_t)record, 0);
    } else {
        check(handle == untouched, line, "the handle after a failure", (uintptr_t)handle, (uintptr_t)untouched);
        text_given(code, expected, line, call);
    }
}

/* And of a call that gives nothing but a record. */
static void nothing_given(uint32_t code, uint32_t expected, int line, const char *call)
{
    if (code == OK) {
        check(code == expected, line, call, code, expected);
        check(record == NULL, line, "the record after a success", (uintptr_t)record, 0);
    } else {
        text_given(code, expected, line, call);
    }
}

#define ANSWERS(Call, Expected) (reset(), text_given((uint32_t)(Call), (Expected), __LINE__, #Call))
#define GIVES(Call, Expected) (reset(), handle_given((uint32_t)(Call), (Expected), __LINE__, #Call))
#define DOES(Call, Expected) (reset(), nothing_given((uint32_t)(Call), (Expected), __LINE__, #Call))

/* 1 MB of JSON that is deeper than any reader goes, and 1 MB that is good: a member that HNS does not know. Less, where the program is told
 * so, for runs under a tool that slows everything. */
static PWSTR deep, padding;
static size_t large_size = 1024 * 1024;

static void make_large(void)
{
    deep = malloc((large_size + 1) * sizeof *deep);
    padding = malloc((large_size + 1) * sizeof *padding);
    for (size_t at = 0; at < large_size; at++) {
        deep[at] = '[';
        padding[at] = 'a';
    }
    deep[large_size] = padding[large_size] = 0;
}

/* A document with 1 MB more in it: {"Padding":"aaa…", and what follows the first brace of the document. */
static PWSTR padded(PCWSTR document)
{
    PCWSTR start = T(u"{\"Padding\":\""), middle = T(u"\",");
    size_t sizes[] = {length(start), large_size, length(middle), length(document)};
    PWSTR whole = malloc((sizes[0] + sizes[1] + sizes[2] + sizes[3] + 1) * sizeof *whole), at = whole;
    memcpy(at, start, sizes[0] * sizeof *at), at += sizes[0];
    memcpy(at, padding, sizes[1] * sizeof *at), at += sizes[1];
    memcpy(at, middle, sizes[2] * sizeof *at), at += sizes[2];
    memcpy(at, document + 1, sizes[3] * sizeof *at);
    return whole;
}

/* Half of a surrogate pair within what would be JSON. */
static const uint16_t half[] = {'{', '"', 0xd800, '"', ':', '1', '}', 0};

static const GUID zero = {0, 0, 0, {0}};
static const GUID unknown = {0xdeadbeef, 0xdead, 0xbeef, {1, 2, 3, 4, 5, 6, 7, 8}};

static HCN_NETWORK network;

/* One kind of object. */
typedef struct Kind {
    const char *name;
    HRESULT(HCN_CALL *enumerate)(PCWSTR, PWSTR *, PWSTR *);
    HRESULT(HCN_CALL *create)(REFGUID, PCWSTR, void **, PWSTR *);
    HRESULT(HCN_CALL *open)(REFGUID, void **, PWSTR *);
    HRESULT(HCN_CALL *modify)(void *, PCWSTR, PWSTR *);
    HRESULT(HCN_CALL *query)(void *, PCWSTR, PWSTR *, PWSTR *);
    HRESULT(HCN_CALL *delete)(REFGUID, PWSTR *);
    HRESULT(HCN_CALL *close)(void *);
    uint32_t not_found;
    PCWSTR settings;
    /* A good request to modify; NULL where HNS cannot modify the kind. */
    PCWSTR change;
    GUID id;
} Kind;

static HRESULT HCN_CALL create_endpoint(REFGUID id, PCWSTR settings, void **endpoint, PWSTR *error_record)
{
    return HcnCreateEndpoint(network, id, settings, endpoint, error_record);
}

#define KIND(Name, Names, Create)                                                                                                          \
    #Name, HcnEnumerate##Names, Create, HcnOpen##Name, HcnModify##Name, HcnQuery##Name##Properties, HcnDelete##Name, HcnClose##Name
#define V2 u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},"
#define ENDPOINT u"11111111-2222-4333-8444-555555555501"

static const Kind kinds[] = {
    {KIND(Network, Networks, HcnCreateNetwork), NETWORK_NOT_FOUND,
        T(V2 u"\"Name\":\"exam\",\"Type\":\"NAT\",\"Ipams\":[{\"Type\":\"Static\",\"Subnets\":[{\"IpAddressPrefix\":\"192.168.44.0/24\","
             u"\"Routes\":[{\"NextHop\":\"192.168.44.1\",\"DestinationPrefix\":\"0.0.0.0/0\"}]}]}]}"),
        T(u"{\"ResourceType\":\"DNS\",\"RequestType\":\"Update\",\"Settings\":{\"Domain\":\"example.org\"}}"),
        {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x00}}},
    {KIND(Endpoint, Endpoints, create_endpoint), ENDPOINT_NOT_FOUND, T(V2 u"\"Name\":\"exam\"}"),
        T(u"{\"ResourceType\":\"Policy\",\"RequestType\":\"Add\",\"Settings\":{\"Policies\":[{\"Type\":\"ACL\",\"Settings\":{\"Protocols\":\"6\","
          u"\"Action\":\"Block\",\"Direction\":\"In\",\"LocalPorts\":\"80\",\"RuleType\":\"Switch\",\"Priority\":200}}]}}"),
        {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x01}}},
    {KIND(Namespace, Namespaces, HcnCreateNamespace), NOT_FOUND, T(V2 u"\"Type\":\"Host\"}"),
        T(u"{\"ResourceType\":\"Endpoint\",\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":\"" ENDPOINT u"\"}}"),
        {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x02}}},
    {KIND(LoadBalancer, LoadBalancers, HcnCreateLoadBalancer), NOT_FOUND,
        T(V2 u"\"HostComputeEndpoints\":[\"" ENDPOINT u"\"],\"SourceVIP\":\"10.0.0.1\",\"FrontendVIPs\":[\"1.1.1.2\"],\"PortMappings\":[{"
             u"\"Protocol\":6,\"InternalPort\":8080,\"ExternalPort\":8090}]}"),
        T(V2 u"\"HostComputeEndpoints\":[\"" ENDPOINT u"\"],\"SourceVIP\":\"10.0.0.1\",\"FrontendVIPs\":[\"1.1.1.2\"],\"PortMappings\":[{"
             u"\"Protocol\":6,\"InternalPort\":8080,\"ExternalPort\":8090}]}"),
        {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x03}}},
    {KIND(SdnRoute, SdnRoutes, HcnCreateSdnRoute), NOT_FOUND,
        T(V2 u"\"HostComputeEndpoints\":[\"" ENDPOINT u"\"],\"Routes\":[{\"DestinationPrefix\":\"10.9.0.0/16\",\"NextHop\":\"192.168.44.1\","
             u"\"NeedEncap\":false}]}"),
        NULL, {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x04}}},
    {KIND(GuestNetworkService, GuestNetworkServices, HcnCreateGuestNetworkService), NOT_FOUND,
        T(V2 u"\"VirtualMachineId\":\"11111111-2222-4333-8444-5555555555ff\",\"MirrorHostNetworking\":true}"),
        T(u"{\"ResourceType\":\"State\",\"RequestType\":\"Update\",\"Settings\":{\"State\":\"Bootstrapping\"}}"),
        {0x11111111, 0x2222, 0x4333, {0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x05}}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The open objects of the exam. */
static void *opened[KINDS];

static void enumerate(const Kind *kind)
{
    ANSWERS(kind->enumerate(NULL, &text, &record), OK);
    ANSWERS(kind->enumerate(T(u""), &text, &record), OK);
    ANSWERS(kind->enumerate(T(u"{}"), &text, &record), OK);
    ANSWERS(kind->enumerate(T(u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},\"Flags\":0}"), &text, &record), OK);
    ANSWERS(kind->enumerate(T(u"{nonsense"), &text, &record), BAD_JSON);
    ANSWERS(kind->enumerate(half, &text, &record), BAD_JSON);
    ANSWERS(kind->enumerate(deep, &text, &record), BAD_JSON);
    PWSTR large = padded(T(u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"));
    ANSWERS(kind->enumerate(large, &text, &record), OK);
    free(large);
    reset();
    CODE(kind->enumerate(NULL, NULL, &record), POINTER);
    HCN_FREE(record);
    CODE(kind->enumerate(NULL, NULL, NULL), POINTER);
    CODE(kind->enumerate(NULL, &text, NULL), OK);
    HCN_FREE(text);
}

/* Handles that never were: small numbers, addresses of the program, all bits. */
static void no_handles(const Kind *kind)
{
    int local = 0;
    void *odd[] = {(void *)1, (void *)(uintptr_t)0x1000001, &local, (void *)&zero, (void *)(intptr_t)-1};
    for (size_t at = 0; at < sizeof odd / sizeof *odd; at++) {
        ANSWERS(kind->query(odd[at], NULL, &text, &record), HANDLE_BAD);
        DOES(kind->modify(odd[at], T(u"{}"), &record), HANDLE_BAD);
        CODE(kind->close(odd[at]), HANDLE_BAD);
    }
    ANSWERS(kind->query(NULL, NULL, &text, &record), ARGUMENT);
    DOES(kind->modify(NULL, T(u"{}"), &record), ARGUMENT);
    CODE(kind->close(NULL), ARGUMENT);
}

static void make(int index)
{
    const Kind *kind = &kinds[index];
    GIVES(kind->create(&kind->id, kind->settings, &handle, &record), OK);
    if (faults != 0) {
        printf("no %s to go on with\n", kind->name);
        exit(1);
    }
    opened[index] = handle;
    if (index == 0)
        network = handle;
    GIVES(kind->create(NULL, kind->settings, &handle, &record), POINTER);
    GIVES(kind->create(&zero, NULL, &handle, &record), POINTER);
    reset();
    CODE(kind->create(&zero, kind->settings, NULL, &record), POINTER);
    HCN_FREE(record);
    CODE(kind->create(NULL, NULL, NULL, NULL), POINTER);
    GIVES(kind->create(&zero, T(u""), &handle, &record), BAD_JSON);
    GIVES(kind->create(&zero, T(u"{nonsense"), &handle, &record), BAD_JSON);
    GIVES(kind->create(&zero, half, &handle, &record), BAD_JSON);
    GIVES(kind->create(&zero, deep, &handle, &record), BAD_JSON);
}

static void use(int index)
{
    const Kind *kind = &kinds[index];
    void *own = opened[index], *other = opened[index == 0 ? 1 : 0], *second;
    ANSWERS(kind->query(own, NULL, &text, &record), OK);
    ANSWERS(kind->query(own, T(u""), &text, &record), OK);
    ANSWERS(kind->query(own, T(u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"), &text, &record), OK);
    ANSWERS(kind->query(own, T(u"{nonsense"), &text, &record), BAD_JSON);
    ANSWERS(kind->query(own, half, &text, &record), BAD_JSON);
    ANSWERS(kind->query(own, deep, &text, &record), BAD_JSON);
    ANSWERS(kind->query(other, NULL, &text, &record), HANDLE_BAD);
    reset();
    CODE(kind->query(own, NULL, NULL, &record), POINTER);
    HCN_FREE(record);
    CODE(kind->query(own, NULL, NULL, NULL), POINTER);
    CODE(kind->query(own, NULL, &text, NULL), OK);
    HCN_FREE(text);

    uint32_t bad = kind->change != NULL ? BAD_JSON : NOT_IMPLEMENTED;
    DOES(kind->modify(own, kind->change != NULL ? kind->change : T(u"{}"), &record), kind->change != NULL ? OK : NOT_IMPLEMENTED);
    DOES(kind->modify(own, NULL, &record), POINTER);
    DOES(kind->modify(own, half, &record), BAD_JSON);
    DOES(kind->modify(own, T(u"{nonsense"), &record), bad);
    DOES(kind->modify(own, deep, &record), bad);
    DOES(kind->modify(other, T(u"{}"), &record), HANDLE_BAD);
    CODE(kind->modify(own, T(u"{nonsense"), NULL), bad);

    GIVES(kind->open(&unknown, &handle, &record), kind->not_found);
    GIVES(kind->open(NULL, &handle, &record), POINTER);
    reset();
    CODE(kind->open(&kind->id, NULL, &record), POINTER);
    HCN_FREE(record);
    CODE(kind->open(&unknown, &handle, NULL), kind->not_found);
    GIVES(kind->open(&kind->id, &handle, &record), OK);
    second = handle;
    EQUAL(second == own, 0);
    CODE(kinds[index == 0 ? 1 : 0].close(second), HANDLE_BAD);
    CODE(kind->close(second), OK);
    CODE(kind->close(second), HANDLE_BAD);
    ANSWERS(kind->query(second, NULL, &text, &record), HANDLE_BAD);
    DOES(kind->modify(second, T(u"{}"), &record), HANDLE_BAD);
    ANSWERS(kind->query(own, NULL, &text, &record), OK);
}

/* Makes one object with 1 MB more in its document, reads it back whole, and deletes it behind its handle; then another takes its id. */
static void large_and_gone(int index, PCWSTR settings)
{
    const Kind *kind = &kinds[index];
    GUID id = unknown;
    PWSTR large = padded(settings);
    GIVES(kind->create(&id, large, &handle, &record), OK);
    void *first = handle;
    reset();
    CODE(kind->query(first, T(u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"), &text, &record), OK);
    EQUAL(length(text) > large_size, 1);
    HCN_FREE(text);
    free(large);
    DOES(kind->delete(&id, &record), OK);
    ANSWERS(kind->query(first, NULL, &text, &record), kind->not_found);
    GIVES(kind->create(&id, settings, &handle, &record), OK);
    void *second = handle;
    ANSWERS(kind->query(first, NULL, &text, &record), kind->not_found);
    DOES(kind->modify(first, kind->change, &record), kind->not_found);
    ANSWERS(kind->query(second, NULL, &text, &record), OK);
    CODE(kind->close(first), OK);
    CODE(kind->close(first), HANDLE_BAD);
    DOES(kind->delete(&id, &record), OK);
    CODE(kind->close(second), OK);
}

static void remove_unknown(const Kind *kind)
{
    DOES(kind->delete(&unknown, &record), kind->not_found);
    DOES(kind->delete(NULL, &record), POINTER);
    CODE(kind->delete(&unknown, NULL), kind->not_found);
    CODE(kind->delete(NULL, NULL), POINTER);
}

/* What only endpoints have. */
static void endpoints(void)
{
    HCN_NETWORK closed;
    void *own = opened[1];
    HRESULT(HCN_CALL * asks[])(HCN_ENDPOINT, PCWSTR, PWSTR *, PWSTR *) = {HcnQueryEndpointStats, HcnQueryEndpointAddresses};
    GIVES(HcnCreateEndpoint(NULL, &zero, kinds[1].settings, &handle, &record), ARGUMENT);
    GIVES(HcnCreateEndpoint(own, &zero, kinds[1].settings, &handle, &record), HANDLE_BAD);
    GIVES(HcnOpenNetwork(&kinds[0].id, &handle, &record), OK);
    closed = handle;
    CODE(HcnCloseNetwork(closed), OK);
    GIVES(HcnCreateEndpoint(closed, &zero, kinds[1].settings, &handle, &record), HANDLE_BAD);
    for (int at = 0; at < 2; at++) {
        ANSWERS(asks[at](own, NULL, &text, &record), OK);
        ANSWERS(asks[at](NULL, NULL, &text, &record), ARGUMENT);
        ANSWERS(asks[at](network, NULL, &text, &record), HANDLE_BAD);
        ANSWERS(asks[at](own, half, &text, &record), BAD_JSON);
        reset();
        CODE(asks[at](own, NULL, NULL, &record), POINTER);
        HCN_FREE(record);
        CODE(asks[at](own, NULL, NULL, NULL), POINTER);
    }
}

/* What a callback saw. Written by one thread and read by another after it was unregistered, or polled. */
typedef struct Seen {
    volatile unsigned networks;
    volatile unsigned states;
    volatile int bad;
    volatile HCN_CALLBACK own;
} Seen;

static void HCN_CALL see(DWORD type, void *context, HRESULT status, PCWSTR data)
{
    Seen *seen = context;
    if (status != S_OK || data == NULL || !holds(data, "\"ID\":\""))
        seen->bad = 1;
    if (type == HcnNotificationNetworkCreate)
        seen->networks++;
    if (type == HcnNotificationGuestNetworkServiceStateChanged)
        seen->states++;
}

static void HCN_CALL see_once(DWORD type, void *context, HRESULT status, PCWSTR data)
{
    Seen *seen = context;
    (void)status, (void)data;
    if (type != HcnNotificationNetworkCreate)
        return;
    seen->networks++;
    if (HcnUnregisterServiceCallback(seen->own) != S_OK)
        seen->bad = 1;
}

static void add_and_remove_network(void)
{
    PCWSTR settings = T(V2 u"\"Name\":\"seen\",\"Type\":\"Internal\",\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":\"192.168.45.0/24\"}]}]}");
    GIVES(HcnCreateNetwork(&unknown, settings, &handle, &record), OK);
    CODE(HcnCloseNetwork(handle), OK);
    DOES(HcnDeleteNetwork(&unknown, &record), OK);
}

static void notifications(void)
{
    Seen seen = {0}, once = {0};
    HCN_CALLBACK first, second;
    CODE(HcnRegisterServiceCallback(NULL, &seen, &first), POINTER);
    CODE(HcnRegisterServiceCallback(see, &seen, NULL), POINTER);
    CODE(HcnRegisterServiceCallback(see, &seen, &first), OK);
    CODE(HcnRegisterServiceCallback(see_once, &once, &second), OK);
    once.own = second;
    add_and_remove_network();
    for (int wait = 0; wait < 1000 && (seen.networks < 1 || once.networks < 1); wait++)
        pause_ms(10);
    add_and_remove_network();
    for (int wait = 0; wait < 1000 && seen.networks < 2; wait++)
        pause_ms(10);
    EQUAL(seen.networks, 2u);
    EQUAL(once.networks, 1u);
    CODE(HcnUnregisterServiceCallback(second), HANDLE_BAD);
    CODE(HcnUnregisterGuestNetworkServiceCallback(first), HANDLE_BAD);
    CODE(HcnCloseNetwork(first), HANDLE_BAD);
    CODE(HcnUnregisterServiceCallback(first), OK);
    add_and_remove_network();
    pause_ms(50);
    EQUAL(seen.networks, 2u);
    EQUAL(seen.bad, 0);
    EQUAL(once.bad, 0);
    CODE(HcnUnregisterServiceCallback(first), HANDLE_BAD);
    CODE(HcnUnregisterServiceCallback(NULL), ARGUMENT);
    CODE(HcnUnregisterServiceCallback(network), HANDLE_BAD);
    CODE(HcnRegisterServiceCallback(see, NULL, &first), OK);
    CODE(HcnUnregisterServiceCallback(first), OK);
    CODE(HcnRegisterNetworkCallback(), NOT_IMPLEMENTED);
    CODE(HcnUnregisterNetworkCallback(), NOT_IMPLEMENTED);
}

static void guest_network_service(void)
{
    HCN_GUESTNETWORKSERVICE guest = opened[5];
    HCN_CALLBACK callback = untouched;
    HANDLE reservation = untouched;
    HCN_PORT_RANGE_RESERVATION range = {0xffff, 0};
    HCN_PORT_RANGE_ENTRY *entries = untouched;
    ULONG count = 99;
    Seen seen = {0};

    CODE(HcnRegisterGuestNetworkServiceCallback(NULL, see, &seen, &callback), ARGUMENT);
    CODE(HcnRegisterGuestNetworkServiceCallback(network, see, &seen, &callback), HANDLE_BAD);
    CODE(HcnRegisterGuestNetworkServiceCallback(network, NULL, &seen, &callback), POINTER);
    CODE(HcnRegisterGuestNetworkServiceCallback(network, see, &seen, NULL), POINTER);
    EQUAL(callback == untouched, 1);
    CODE(HcnUnregisterGuestNetworkServiceCallback(NULL), ARGUMENT);
    CODE(HcnUnregisterGuestNetworkServiceCallback(network), HANDLE_BAD);
    CODE(HcnReserveGuestNetworkServicePort(NULL, HCN_PORT_PROTOCOL_TCP, HCN_PORT_ACCESS_EXCLUSIVE, 8080, &reservation), ARGUMENT);
    CODE(HcnReserveGuestNetworkServicePort(network, HCN_PORT_PROTOCOL_TCP, HCN_PORT_ACCESS_EXCLUSIVE, 8080, &reservation), HANDLE_BAD);
    CODE(HcnReserveGuestNetworkServicePort(network, (HCN_PORT_PROTOCOL)9, HCN_PORT_ACCESS_EXCLUSIVE, 8080, &reservation), ARGUMENT);
    CODE(HcnReserveGuestNetworkServicePort(network, HCN_PORT_PROTOCOL_TCP, (HCN_PORT_ACCESS)9, 8080, &reservation), ARGUMENT);
    CODE(HcnReserveGuestNetworkServicePort(network, HCN_PORT_PROTOCOL_TCP, HCN_PORT_ACCESS_EXCLUSIVE, 8080, NULL), POINTER);
    CODE(HcnReserveGuestNetworkServicePortRange(NULL, 3, &range, &reservation), ARGUMENT);
    CODE(HcnReserveGuestNetworkServicePortRange(network, 3, &range, &reservation), HANDLE_BAD);
    CODE(HcnReserveGuestNetworkServicePortRange(network, 3, NULL, &reservation), POINTER);
    CODE(HcnReserveGuestNetworkServicePortRange(network, 3, &range, NULL), POINTER);
    EQUAL(reservation == untouched, 1);
    EQUAL(range.startingPort, 0xffff);
    CODE(HcnReleaseGuestNetworkServicePortReservationHandle(NULL), ARGUMENT);
    CODE(HcnReleaseGuestNetworkServicePortReservationHandle(network), HANDLE_BAD);
    CODE(HcnEnumerateGuestNetworkPortReservations(NULL, &entries), POINTER);
    CODE(HcnEnumerateGuestNetworkPortReservations(&count, NULL), POINTER);
    EQUAL(entries == untouched, 1);
    EQUAL(count, 99u);
    HcnFreeGuestNetworkPortReservations(NULL);

    CODE(HcnRegisterGuestNetworkServiceCallback(guest, see, &seen, &callback), OK);
    DOES(HcnModifyGuestNetworkService(guest, kinds[5].change, &record), OK);
    add_and_remove_network();
    for (int wait = 0; wait < 1000 && seen.states < 1; wait++)
        pause_ms(10);
    EQUAL(seen.states, 1u);
    EQUAL(seen.networks, 0u);
    EQUAL(seen.bad, 0);
    CODE(HcnUnregisterServiceCallback(callback), HANDLE_BAD);
    CODE(HcnUnregisterGuestNetworkServiceCallback(callback), OK);
    CODE(HcnUnregisterGuestNetworkServiceCallback(callback), HANDLE_BAD);

    CODE(HcnReserveGuestNetworkServicePort(guest, HCN_PORT_PROTOCOL_TCP, HCN_PORT_ACCESS_EXCLUSIVE, 8080, &reservation), OK);
    HANDLE ports = untouched;
    CODE(HcnReserveGuestNetworkServicePortRange(guest, 3, &range, &ports), OK);
    /* One port more than asked for, as WSL asserts. */
    EQUAL(range.endingPort - range.startingPort, 3);
    CODE(HcnEnumerateGuestNetworkPortReservations(&count, &entries), OK);
    EQUAL(count >= 2, 1);
    EQUAL(entries[0].StartingPort, 8080);
    EQUAL(entries[0].EndingPort, 8080);
    HcnFreeGuestNetworkPortReservations(entries);
    CODE(HcnReleaseGuestNetworkServicePortReservationHandle(reservation), OK);
    CODE(HcnReleaseGuestNetworkServicePortReservationHandle(reservation), HANDLE_BAD);
    CODE(HcnReleaseGuestNetworkServicePortReservationHandle(ports), OK);
    CODE(HcnEnumerateGuestNetworkPortReservations(&count, &entries), OK);
    EQUAL(count, 0u);
    HcnFreeGuestNetworkPortReservations(entries);
}

/* One call of version 1; its record stands where the response would. */
static void version_1(PCWSTR method, PCWSTR path, PCWSTR request, uint32_t expected, int line)
{
    PWSTR response = untouched;
    uint32_t code = (uint32_t)HNSCall(method, path, request, &response);
    check(code == expected, line, "HNSCall", code, expected);
    check(response != untouched && response != NULL && holds(response, code == OK ? "{\"Success\":true" : "{\"Success\":false"), line,
        "the response", (uintptr_t)response, 1);
    if (response != untouched)
        HCN_FREE(response);
}

static void call(void)
{
    version_1(T(u"GET"), T(u"/globals/version"), T(u""), OK, __LINE__);
    version_1(T(u"GET"), T(u"/networks/"), NULL, OK, __LINE__);
    version_1(T(u"POST"), T(u"/networks/"), T(u"{nonsense"), BAD_JSON, __LINE__);
    version_1(T(u"POST"), T(u"/networks/"), deep, BAD_JSON, __LINE__);
    version_1(T(u"POST"), T(u"/networks/"), half, BAD_JSON, __LINE__);
    version_1(half, T(u"/networks/"), T(u""), ARGUMENT, __LINE__);
    version_1(T(u"GET"), half, T(u""), ARGUMENT, __LINE__);
    version_1(T(u"GET"), T(u"/networks/deadbeef-dead-beef-0102-030405060708"), T(u""), NETWORK_NOT_FOUND, __LINE__);
    version_1(NULL, T(u"/networks/"), T(u""), POINTER, __LINE__);
    version_1(T(u"GET"), NULL, T(u""), POINTER, __LINE__);
    CODE(HNSCall(T(u"GET"), T(u"/networks/"), T(u""), NULL), POINTER);
}

/* A result of HCS, which has a shape of its own: the number is a signed one. */
static void result_given(uint32_t code, uint32_t expected, int line, const char *call)
{
    char number[32];
    check(code == expected, line, call, code, expected);
    check(text == untouched && handle == untouched, line, "an output after a failure", 0, 1);
    sprintf(number, "{\"Error\":%ld,", (long)(int32_t)code);
    check(record != NULL && record != untouched && holds(record, number), line, "the result", (uintptr_t)record, 1);
    if (record != untouched)
        HCN_FREE(record);
}

#define HCS(Call, Expected) (reset(), result_given((uint32_t)(Call), (Expected), __LINE__, #Call))

/* Containers cannot be made through the border: what there is to see is how each function refuses. */
static void compute_systems(void)
{
    HANDLE network = opened[0], closed, callback = untouched;
    Seen seen = {0};
    PCWSTR unknown = T(u"5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed");
    PCWSTR add = T(u"{\"ResourceType\":\"Network\",\"RequestType\":\"Add\",\"Settings\":\"00000000-0000-0000-0000-000000000001\"}");

    reset();
    CODE(HcnOpenNetwork(&kinds[0].id, &closed, NULL), OK);
    CODE(HcnCloseNetwork(closed), OK);
    HCS(HcsOpenComputeSystem(unknown, &handle, &record), SYSTEM_NOT_FOUND);
    HCS(HcsOpenComputeSystem(deep, &handle, &record), SYSTEM_NOT_FOUND);
    HCS(HcsOpenComputeSystem(T(u""), &handle, &record), SYSTEM_NOT_FOUND);
    HCS(HcsOpenComputeSystem(half, &handle, &record), ARGUMENT);
    HCS(HcsOpenComputeSystem(NULL, &handle, &record), POINTER);
    HCS(HcsOpenComputeSystem(unknown, NULL, &record), POINTER);
    CODE(HcsOpenComputeSystem(unknown, &handle, NULL), SYSTEM_NOT_FOUND);
    HANDLE none[] = {network, closed, untouched};
    for (size_t index = 0; index < sizeof none / sizeof *none; index++) {
        HCS(HcsGetComputeSystemProperties(none[index], T(u"{}"), &text, &record), HANDLE_BAD);
        HCS(HcsGetComputeSystemProperties(none[index], NULL, &text, &record), HANDLE_BAD);
        CODE(HcsGetComputeSystemProperties(none[index], NULL, &text, NULL), HANDLE_BAD);
        HCS(HcsModifyComputeSystem(none[index], add, &record), HANDLE_BAD);
        HCS(HcsModifyComputeSystem(none[index], deep, &record), HANDLE_BAD);
        CODE(HcsModifyComputeSystem(none[index], add, NULL), HANDLE_BAD);
        CODE(HcsRegisterComputeSystemCallback(none[index], see, &seen, &callback), HANDLE_BAD);
        CODE(HcsUnregisterComputeSystemCallback(none[index]), HANDLE_BAD);
        CODE(HcsCloseComputeSystem(none[index]), HANDLE_BAD);
    }
    HCS(HcsGetComputeSystemProperties(NULL, T(u"{}"), &text, &record), ARGUMENT);
    HCS(HcsGetComputeSystemProperties(network, T(u"{}"), NULL, &record), POINTER);
    HCS(HcsGetComputeSystemProperties(network, half, &text, &record), HCS_BAD_JSON);
    HCS(HcsModifyComputeSystem(NULL, add, &record), ARGUMENT);
    HCS(HcsModifyComputeSystem(network, NULL, &record), POINTER);
    HCS(HcsModifyComputeSystem(network, half, &record), HCS_BAD_JSON);
    CODE(HcsRegisterComputeSystemCallback(NULL, see, &seen, &callback), ARGUMENT);
    CODE(HcsRegisterComputeSystemCallback(network, NULL, &seen, &callback), POINTER);
    CODE(HcsRegisterComputeSystemCallback(network, see, &seen, NULL), POINTER);
    EQUAL(callback == untouched, 1);
    CODE(HcsUnregisterComputeSystemCallback(NULL), ARGUMENT);
    CODE(HcsCloseComputeSystem(NULL), ARGUMENT);
    /* A network's handle was refused, and is still open. */
    ANSWERS(HcnQueryNetworkProperties(network, NULL, &text, &record), OK);
}

int main(int count, char **words)
{
    if (count > 1)
        large_size = strtoul(words[1], NULL, 10);

    /* Where the members are: hns-behaviour 1.2.1, by hand. */
    EQUAL(sizeof(GUID), 16u);
    EQUAL(offsetof(HCN_PORT_RANGE_ENTRY, Priority), 40u);
    EQUAL(offsetof(HCN_PORT_RANGE_ENTRY, EndingPort), 62u);
    EQUAL(sizeof(HCN_PORT_RANGE_ENTRY), 64u);
    EQUAL(sizeof(HCN_PORT_RANGE_RESERVATION), 4u);

    make_large();
    for (int index = 0; index < KINDS; index++) {
        enumerate(&kinds[index]);
        no_handles(&kinds[index]);
        make(index);
        remove_unknown(&kinds[index]);
    }
    for (int index = 0; index < KINDS; index++)
        use(index);
    large_and_gone(0, T(V2 u"\"Name\":\"large\",\"Type\":\"Internal\",\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":\"192.168.46.0/24\"}]}]}"));
    large_and_gone(1, T(V2 u"\"Name\":\"large\"}"));
    large_and_gone(2, T(V2 u"\"Type\":\"Host\"}"));
    endpoints();
    notifications();
    guest_network_service();
    call();
    compute_systems();
    for (int index = KINDS - 1; index >= 0; index--) {
        DOES(kinds[index].delete(&kinds[index].id, &record), OK);
        ANSWERS(kinds[index].query(opened[index], NULL, &text, &record), kinds[index].not_found);
        CODE(kinds[index].close(opened[index]), OK);
        CODE(kinds[index].close(opened[index]), HANDLE_BAD);
    }
    free(deep);
    free(padding);
    printf("%u checks, %u faults\n", checks, faults);
    return faults != 0;
}
