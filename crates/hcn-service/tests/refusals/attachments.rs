// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of the table: attaching and detaching, and namespaces.
//!
//! Apart from the others only for length; what a row is, and who judges it, stands in `main`.

use hcn_api::Kind;
use serde_json::json;

use crate::{Ask, BRIDGED, FREE, NAMESPACE, REMOTE, Row, TAKEN, UNKNOWN, attach, scene::two};

/// The rows.
pub fn rows() -> Vec<Row> {
    let member = |verb: &str, endpoint: &str| {
        let request = json!({"ResourceType": "Endpoint", "RequestType": verb, "Settings": {"EndpointId": endpoint}});
        Ask::Modify(Kind::Namespace, NAMESPACE, request.to_string())
    };
    vec![
        (
            "attach twice to a namespace",
            member("Add", TAKEN),
            "HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS",
            0x803b_002b,
            "/Settings/EndpointId",
            NAMESPACE,
        ),
        (
            "attach twice to the host",
            attach(TAKEN, json!({"SystemType": "Host", "CompartmentId": 1})),
            "HCN_E_ENDPOINT_ALREADY_ATTACHED",
            0x803b_0014,
            "",
            "the host",
        ),
        (
            "attach twice to a container",
            attach(
                TAKEN,
                json!({"SystemType": "Container", "ContainerId": "c1"}),
            ),
            "HCN_E_ENDPOINT_ALREADY_ATTACHED",
            0x803b_0014,
            "",
            "container c1",
        ),
        (
            "attach a second container where sharing is off",
            attach(
                BRIDGED,
                json!({"SystemType": "Container", "ContainerId": "c2"}),
            ),
            "HCN_E_ENDPOINT_SHARING_DISABLED",
            0x803b_001d,
            "",
            "one container",
        ),
        (
            "attach an unknown endpoint to a namespace",
            member("Add", UNKNOWN),
            "HCN_E_ENDPOINT_NOT_FOUND",
            0x803b_0002,
            "",
            UNKNOWN,
        ),
        (
            "attach no endpoint to a namespace",
            member("Add", ""),
            "HCN_E_GUID_CONVERSION_FAILURE",
            0x803b_0019,
            "/Settings/EndpointId",
            "\"\"",
        ),
        (
            "attach a remote endpoint to a namespace",
            member("Add", REMOTE),
            "HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION",
            0x803b_000f,
            "",
            REMOTE,
        ),
        (
            "attach a remote endpoint to a container",
            attach(REMOTE, json!({"ContainerId": "c1"})),
            "HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION",
            0x803b_000f,
            "",
            REMOTE,
        ),
        (
            "attach no container",
            attach(TAKEN, json!({"SystemType": "Container"})),
            "E_INVALIDARG",
            0x8007_0057,
            "/ContainerId",
            "names no container",
        ),
        (
            "attach an unknown endpoint to a container",
            attach(UNKNOWN, json!({"ContainerId": "c1"})),
            "HCN_E_ENDPOINT_NOT_FOUND",
            0x803b_0002,
            "",
            UNKNOWN,
        ),
        (
            "take out an endpoint that is not in",
            member("Remove", FREE),
            "ERROR_NOT_FOUND",
            0x8007_0490,
            "/Settings/EndpointId",
            FREE,
        ),
        (
            "detach what is not attached",
            Ask::Call(
                "POST",
                "/endpoints/22222222-0000-4000-8000-000000000002/detach",
                json!({"ContainerId": "c1"}).to_string(),
            ),
            "HCN_E_REQUEST_UNSUPPORTED",
            0x803b_0015,
            "",
            "not attached to container \"c1\"",
        ),
        (
            "a container without id in a namespace",
            Ask::Modify(
                Kind::Namespace,
                NAMESPACE,
                json!({"ResourceType": "Container", "RequestType": "Add", "Settings": {}})
                    .to_string(),
            ),
            "E_INVALIDARG",
            0x8007_0057,
            "/Settings/ContainerId",
            "names no container",
        ),
        (
            "a new namespace with something in it",
            Ask::Create(
                Kind::Namespace,
                "",
                "",
                two(json!({"Resources": [{"Type": "Endpoint", "Data": {"Id": FREE}}]})).to_string(),
            ),
            "E_INVALIDARG",
            0x8007_0057,
            "/Resources",
            "empty",
        ),
        (
            "a namespace's type",
            Ask::Create(
                Kind::Namespace,
                "",
                "",
                two(json!({"Type": "Pod"})).to_string(),
            ),
            "E_INVALIDARG",
            0x8007_0057,
            "/Type",
            "Pod",
        ),
        (
            "an unknown namespace over v1",
            Ask::Call(
                "GET",
                "/namespaces/99999999-0000-4000-8000-000000000009",
                String::new(),
            ),
            "ERROR_NOT_FOUND",
            0x8007_0490,
            "",
            UNKNOWN,
        ),
        (
            "a resource without endpoint over v1",
            Ask::Call(
                "POST",
                "/namespaces/33333333-0000-4000-8000-000000000001/addresource",
                json!({"Type": "Endpoint"}).to_string(),
            ),
            "HCN_E_GUID_CONVERSION_FAILURE",
            0x803b_0019,
            "/Data/Id",
            "\"\"",
        ),
    ]
}
