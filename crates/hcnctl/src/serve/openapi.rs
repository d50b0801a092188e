// SPDX-License-Identifier: MIT OR Apache-2.0
//! The OpenAPI document, made from the table of routes.
//!
//! Apart from the table because it is words about it. A copy is checked in as docs/openapi.json, and a test compares the two.

use hcn::wire;
use serde_json::{Map, Value, json};

use super::routes::{Answers, ROUTES, Route, Sends};

/// What `HNSCall` has (hns-behaviour 1.7.1), under /v1. HNS itself decides about these paths; the server passes every path on.
pub const VERSION_1: &[(&str, &str, &str)] = &[
    ("get", "/networks/", "All networks"),
    ("post", "/networks/", "Makes a network"),
    ("get", "/networks/{id}", "One network"),
    (
        "post",
        "/networks/{id}",
        "Changes a network: switch extensions",
    ),
    ("delete", "/networks/{id}", "Deletes a network"),
    ("get", "/endpoints/", "All endpoints"),
    (
        "post",
        "/endpoints/",
        "Makes an endpoint on the network that it names",
    ),
    ("get", "/endpoints/{id}", "One endpoint"),
    (
        "post",
        "/endpoints/{id}",
        "Changes an endpoint: its policies",
    ),
    ("delete", "/endpoints/{id}", "Deletes an endpoint"),
    (
        "post",
        "/endpoints/{id}/attach",
        "Attaches an endpoint to a container",
    ),
    (
        "post",
        "/endpoints/{id}/detach",
        "Detaches an endpoint from a container",
    ),
    ("get", "/endpointstats/{id}", "Statistics of an endpoint"),
    ("get", "/policylists/", "All policy lists"),
    ("post", "/policylists/", "Makes a policy list"),
    ("get", "/policylists/{id}", "One policy list"),
    ("delete", "/policylists/{id}", "Deletes a policy list"),
    ("post", "/namespaces/", "Makes a namespace"),
    ("get", "/namespaces/{id}", "One namespace"),
    ("delete", "/namespaces/{id}", "Deletes a namespace"),
    (
        "post",
        "/namespaces/{id}/addresource",
        "Puts an endpoint into a namespace",
    ),
    (
        "post",
        "/namespaces/{id}/removeresource",
        "Takes an endpoint out of a namespace",
    ),
    ("get", "/globals", "What holds for the whole HNS"),
    ("get", "/globals/version", "Version of HNS"),
    ("get", "/activities", "What HNS is doing"),
    ("get", "/plugins", "Plugins"),
];

/// The document, as it is printed.
pub fn text() -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = crate::render::json::write_object(&mut out, &document().to_string());
    String::from_utf8(out).unwrap_or_default()
}

/// The document.
fn document() -> Value {
    let mut paths = Map::new();
    let mut put = |path: String, method: &str, operation: Value| {
        if let Value::Object(methods) = paths.entry(path).or_insert_with(|| json!({})) {
            methods.insert(method.to_owned(), operation);
        }
    };
    for (method, path, summary) in VERSION_1 {
        put(
            format!("/v1{path}"),
            method,
            version_1(method, path, summary),
        );
    }
    for route in ROUTES {
        put(route.path.to_owned(), route.method.text(), operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hcnctl serve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An HNS (the Host Networking Service of Windows) over HTTP. /v1 has the paths of HNSCall, /v2 the verbs of computenetwork.dll, \
                            /lab what the embedded HNS has beside. Documents of HNS travel as text and are passed on untouched. A failure carries the HRESULT, \
                            the error record of HNS byte for byte, and what is known beyond it.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:{port}", "variables": {"port": {"default": "8080"}}}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer",
                "description": "On TCP. On a Unix socket the user of the peer is asked instead.",
            }},
            "responses": {"Failure": {
                "description": "HNS said no, or the request is none that it could be asked",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
            }},
            "schemas": schemas(),
        },
    })
}

fn version_1(method: &str, path: &str, summary: &str) -> Value {
    let mut operation = json!({"summary": summary, "tags": ["version 1"]});
    let parameters = segments(path);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if method == "post" {
        operation["requestBody"] = body("A document of version 1", json!({"type": "object"}));
    }
    operation["responses"] = responses("200", Some(schema("Envelope")));
    operation
}

fn operation(route: &Route) -> Value {
    let tag = if route.path.starts_with("/v2") {
        "version 2"
    } else {
        "beside"
    };
    let mut operation = json!({"summary": route.summary, "tags": [tag]});
    let mut parameters = segments(route.path);
    for name in route.parameters {
        parameters.push(json!({"name": name, "in": "query", "required": false, "description": about(name), "schema": parameter(name)}));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    match route.sends {
        Sends::Nothing => {}
        Sends::Query => {
            operation["requestBody"] = body(
                "HostComputeQuery; nothing means none",
                json!({"type": "object"}),
            )
        }
        Sends::Document => {
            operation["requestBody"] =
                body("The document, of version 2 or 1", json!({"type": "object"}))
        }
        Sends::Modify => {
            operation["requestBody"] = body(
                "ResourceType, RequestType, Settings",
                json!({"type": "object"}),
            )
        }
        Sends::ModifySeen => {
            operation["requestBody"] = body(
                "The document as it was answered, and ResourceType, RequestType, Settings",
                object(
                    &["Seen", "Settings"],
                    &[
                        ("Seen", json!({"type": "string"})),
                        ("Settings", json!({"type": "string"})),
                    ],
                ),
            )
        }
        Sends::Ports => {
            operation["requestBody"] = body("One port, or how many", schema("PortRequest"))
        }
        Sends::Call => {
            operation["requestBody"] = body("The three texts of HNSCall", schema("Call"))
        }
        Sends::Container => {
            operation["requestBody"] = body("The container", schema("NewContainer"))
        }
    }
    let list = |of: Value| Some(json!({"type": "array", "items": of}));
    let (status, answer) = match route.answers {
        Answers::Nothing => ("204", None),
        Answers::Ids => ("200", list(json!({"type": "string", "format": "uuid"}))),
        Answers::Documents => ("200", list(json!({"type": "object"}))),
        Answers::Document | Answers::OpenApi => ("200", Some(json!({"type": "object"}))),
        Answers::Identity => (
            "200",
            Some(object(
                &["Identity"],
                &[("Identity", json!({"type": "integer", "minimum": 0}))],
            )),
        ),
        Answers::Done => (
            "200",
            Some(object(
                &["Done"],
                &[(
                    "Done",
                    json!({"type": "boolean", "description": "false: it is another document now, and nothing was changed"}),
                )],
            )),
        ),
        Answers::MadeId => (
            "201",
            Some(
                json!({"type": "object", "required": ["ID"], "properties": {"ID": {"type": "string", "format": "uuid"}}}),
            ),
        ),
        Answers::Reserved => ("201", Some(schema("Reserved"))),
        Answers::Ports => (
            "200",
            list(json!({"type": "object", "description": "HCN_PORT_RANGE_ENTRY"})),
        ),
        Answers::Envelope => ("200", Some(schema("Envelope"))),
        Answers::Events => {
            operation["responses"] = json!({
                "200": {"description": "Server-sent events: event is the name, data an Event", "content": {"text/event-stream": {"schema": schema("Event")}}},
                "default": {"$ref": "#/components/responses/Failure"},
            });
            return operation;
        }
        Answers::Containers => ("200", list(schema("Container"))),
        Answers::Container => ("200", Some(schema("Container"))),
        Answers::MadeContainer => ("201", Some(schema("Container"))),
        Answers::Operations => ("200", list(schema("Operation"))),
        Answers::LastOperation => (
            "200",
            Some(
                json!({"type": "object", "required": ["Number"], "properties": {"Number": {"type": "integer"}}}),
            ),
        ),
        Answers::Moment => ("200", list(schema("Keepsake"))),
    };
    operation["responses"] = responses(status, answer);
    operation
}

/// The parameters of a path.
fn segments(path: &str) -> Vec<Value> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| json!({"name": name, "in": "path", "required": true, "description": about(name), "schema": parameter(name)}))
        .collect()
}

fn about(name: &str) -> &'static str {
    match name {
        "id" => "Id of the object",
        "kind" => "Kind of the objects",
        "name" => "Name of the container",
        "network" => "Network of an endpoint that is made",
        "query" => "HostComputeQuery as JSON text; none where absent",
        "most" => "How many; 1000 where absent",
        _ => "Number of the operation, or of the reservation",
    }
}

fn parameter(name: &str) -> Value {
    match name {
        "id" | "network" => json!({"type": "string", "format": "uuid"}),
        "kind" => json!({"type": "string", "enum": wire::kind_words().collect::<Vec<_>>()}),
        "most" | "number" => json!({"type": "integer", "minimum": 0}),
        _ => json!({"type": "string"}),
    }
}

fn body(description: &str, schema: Value) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn responses(status: &str, schema: Option<Value>) -> Value {
    let mut success = json!({"description": "Done"});
    if let Some(schema) = schema {
        success["content"] = json!({"application/json": {"schema": schema}});
    }
    json!({status: success, "default": {"$ref": "#/components/responses/Failure"}})
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The documents that are the server's own; those of HNS are objects whose members HNS decides on.
fn schemas() -> Value {
    let text = json!({"type": "string"});
    let optional = json!({"type": ["string", "null"]});
    let id = json!({"type": "string", "format": "uuid"});
    let optional_id = json!({"type": ["string", "null"], "format": "uuid"});
    let number = json!({"type": "integer", "minimum": 0});
    let kind = parameter("kind");
    let listeners = json!({"type": "array", "items": object(
        &["Protocol", "Port"],
        &[("Protocol", json!({"type": "integer", "minimum": 0, "maximum": 255})), ("Port", json!({"type": "integer", "minimum": 0, "maximum": 65535}))],
    )});
    let container = [
        ("Name", text.clone()),
        ("ID", text.clone()),
        ("Endpoint", id.clone()),
        ("Namespace", optional_id.clone()),
        ("Listeners", listeners.clone()),
        ("CreatedMs", number.clone()),
        (
            "Adopted",
            json!({"type": "boolean", "description": "Whether the endpoint was there before"}),
        ),
    ];
    json!({
        "Failure": object(&["Success", "Error", "ErrorCode", "Record"], &[
            ("Success", json!({"const": false})),
            ("Error", text.clone()),
            ("ErrorCode", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "The HRESULT as an unsigned number"})),
            ("Name", json!({"type": ["string", "null"], "description": "Name of the HRESULT, e.g. HCN_E_NETWORK_NOT_FOUND"})),
            ("Record", json!({"type": "string", "description": "The error record of HNS, byte for byte"})),
            ("Field", json!({"type": ["string", "null"], "description": "The member at fault: a JSON pointer or a word"})),
            ("Detail", json!({"type": ["string", "null"], "description": "What is wrong with it"})),
        ]),
        "Envelope": object(&["Success"], &[("Success", json!({"type": "boolean"})), ("Output", json!({}))]),
        "Call": object(&["Method", "Path", "Request"], &[("Method", text.clone()), ("Path", text.clone()), ("Request", text.clone())]),
        "PortRequest": object(&[], &[
            ("Protocol", json!({"type": "integer", "enum": [1, 2, 3], "description": "HCN_PORT_PROTOCOL"})),
            ("Access", json!({"type": "integer", "enum": [1, 2], "description": "HCN_PORT_ACCESS"})),
            ("Port", number.clone()), ("Count", number.clone()),
        ]),
        "Reserved": object(&["Reservation"], &[
            ("Reservation", number.clone()), ("StartingPort", json!({"type": ["integer", "null"]})), ("EndingPort", json!({"type": ["integer", "null"]})),
        ]),
        "Event": object(&["Type", "Name", "Kind", "ID", "Data"], &[
            ("Type", json!({"type": "integer", "description": "HCN_NOTIFICATIONS"})),
            ("Name", json!({"type": "string", "enum": wire::notification_words().collect::<Vec<_>>()})),
            ("Kind", kind.clone()),
            ("ID", id.clone()),
            ("Data", json!({"type": "string", "description": "NotificationBase as JSON text"})),
        ]),
        "NewContainer": object(&["Name"], &[
            ("Name", text.clone()), ("ID", optional.clone()), ("Listeners", listeners),
            ("Endpoint", json!({"type": ["string", "null"], "format": "uuid", "description": "One that is there; else Network and Settings"})),
            ("Network", optional_id),
            ("Settings", json!({"type": ["string", "null"], "description": "Document of the endpoint to be made, as text"})),
            ("NamespaceSettings", json!({"type": ["string", "null"], "description": "Document of its namespace, as text; without, it is attached by version 1"})),
        ]),
        "Container": object(&["Name", "ID", "Endpoint", "Listeners", "CreatedMs", "Adopted"], &container),
        "Operation": object(&["Number", "TimeMs", "Actor", "Verb", "Kind", "ID", "Name", "Request"], &[
            ("Number", number.clone()), ("TimeMs", number), ("Actor", text.clone()),
            ("Verb", json!({"type": "string", "enum": ["create", "modify", "delete"]})),
            ("Kind", kind.clone()), ("ID", id.clone()), ("Name", text.clone()), ("Request", text.clone()),
            ("Document", json!({"type": ["string", "null"], "description": "The document afterwards as text; null once deleted"})),
        ]),
        "Keepsake": object(&["Kind", "ID", "Document"], &[("Kind", kind), ("ID", id), ("Document", text)]),
    })
}

fn object(required: &[&str], properties: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = properties
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}
