// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of the table: texts that are no documents, and queries that are none.
//!
//! Apart from the others only for length; what a row is, and who judges it, stands in `main`.

use hcn_api::Kind;

use crate::{Ask, FREE, NETWORK, Row};

/// The rows.
pub fn rows() -> Vec<Row> {
    let raw = |text: &str| Ask::Create(Kind::Network, "", "", text.to_owned());
    vec![
        (
            "bad JSON",
            raw(r#"{"Name":"#),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "not JSON: EOF",
        ),
        (
            "bad JSON to an endpoint",
            Ask::Create(Kind::Endpoint, NETWORK, "", "{'Name':1}".to_owned()),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "line 1 column 2",
        ),
        (
            "bad JSON to a namespace",
            Ask::Create(Kind::Namespace, "", "", "}".to_owned()),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "not JSON",
        ),
        (
            "bad JSON in a request",
            Ask::Modify(Kind::Endpoint, FREE, "{".to_owned()),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "not JSON",
        ),
        (
            "a list for an object",
            raw("[1]"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is a list",
        ),
        (
            "null for an object",
            raw("null"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is null",
        ),
        (
            "a number for an object",
            raw("7"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is a number",
        ),
        (
            "a text for an object",
            raw("\"nat\""),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is a text",
        ),
        (
            "an empty text",
            raw(""),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is empty",
        ),
        (
            "blanks",
            raw(" \r\n\t"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is empty",
        ),
        (
            "200 levels of lists",
            raw(&format!("{{\"Name\":{}", "[".repeat(200))),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "recursion limit",
        ),
        (
            "an empty request over v1",
            Ask::Call("POST", "/networks/", String::new()),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "",
            "is empty",
        ),
        (
            "a bad query",
            Ask::Enumerate(Kind::Network, "{"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "query",
            "not a JSON object",
        ),
        (
            "a bad filter",
            Ask::Enumerate(Kind::Network, r#"{"Filter":"{"}"#),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "/Filter",
            "not a JSON object",
        ),
        (
            "a bad query of one object",
            Ask::Query(Kind::Network, NETWORK, "nonsense"),
            "HCN_E_INVALID_JSON",
            0x803b_001b,
            "query",
            "nonsense",
        ),
    ]
}
