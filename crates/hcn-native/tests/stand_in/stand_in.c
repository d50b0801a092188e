/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A library that exports a part of the border, as an older HNS does, and answers as HNS seldom does. It counts what is open. */
#include <stdlib.h>
#include <string.h>

#include "hcn.h"

static int opened, closed;

static PWSTR text(const char *ascii)
{
    size_t length = strlen(ascii);
    PWSTR units = malloc((length + 1) * sizeof *units);
    for (size_t at = 0; at <= length; at++)
        units[at] = (unsigned char)ascii[at];
    return units;
}

/* For the test. */
int StandInOpen(void) { return opened - closed; }
int StandInOpened(void) { return opened; }

/* Only NULL and the V2 query are met. Says that nothing matches as the oldest HNS does: without a text. */
HRESULT HcnEnumerateNetworks(PCWSTR Query, PWSTR *Networks, PWSTR *ErrorRecord)
{
    *ErrorRecord = NULL;
    if (Query != NULL)
        *Networks = text("[\"query\"]");
    return 0;
}

/* An endpoint opens; id 1 fails and leaves something in the place that is no handle; id 2 succeeds without a handle. */
HRESULT HcnOpenEndpoint(REFGUID Id, PHCN_ENDPOINT Endpoint, PWSTR *ErrorRecord)
{
    if (Id->Data4[7] == 1) {
        *Endpoint = (void *)0x10;
        *ErrorRecord = text("{\"Success\":false,\"Error\":\"Der Endpunkt fehlt. \",\"ErrorCode\":2151350274}");
        return (HRESULT)0x803b0002;
    }
    if (Id->Data4[7] == 2)
        return 0;
    opened++;
    *Endpoint = malloc(1);
    return 0;
}

/* Frees what it is given: what was not opened here crashes. */
HRESULT HcnCloseEndpoint(HCN_ENDPOINT Endpoint)
{
    closed++;
    free(Endpoint);
    return (HRESULT)0x80004005;
}

/* Succeeds by its code and fails by its record. */
HRESULT HcnModifyEndpoint(HCN_ENDPOINT Endpoint, PCWSTR Settings, PWSTR *ErrorRecord)
{
    (void)Endpoint, (void)Settings;
    *ErrorRecord = text("{\"Success\":false,\"Error\":\"The parameter is incorrect. \",\"ErrorCode\":2147942487}");
    return 0;
}

/* Half a pair. */
HRESULT HcnQueryEndpointProperties(HCN_ENDPOINT Endpoint, PCWSTR Query, PWSTR *Properties, PWSTR *ErrorRecord)
{
    (void)Endpoint, (void)Query;
    *ErrorRecord = NULL;
    *Properties = text("x");
    (*Properties)[0] = 0xd800;
    return 0;
}

/* Fails with a record that is half a pair, and without any. */
HRESULT HcnDeleteEndpoint(REFGUID Id, PWSTR *ErrorRecord)
{
    if (Id->Data4[7] == 1) {
        *ErrorRecord = text("x");
        (*ErrorRecord)[0] = 0xdc00;
    }
    return (HRESULT)0x80070005;
}

/* As before 1803: the code says yes and the envelope no. */
HRESULT HNSCall(PCWSTR Method, PCWSTR Path, PCWSTR Request, PWSTR *Response)
{
    (void)Method, (void)Request;
    if (Path[1] == 'n')
        *Response = text("{\"Success\":false,\"Error\":\"The object identifier does not represent a valid object. \"}");
    else
        *Response = text("{\"Success\":true,\"Output\":{\"Major\":9,\"Minor\":2}}");
    return 0;
}

/* Refuses. */
HRESULT HcnRegisterServiceCallback(HCN_NOTIFICATION_CALLBACK Callback, void *Context, HCN_CALLBACK *CallbackHandle)
{
    (void)Callback, (void)Context, (void)CallbackHandle;
    return (HRESULT)0x80070005;
}

HRESULT HcnUnregisterServiceCallback(HCN_CALLBACK CallbackHandle)
{
    (void)CallbackHandle;
    return 0;
}
