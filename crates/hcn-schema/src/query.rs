// SPDX-License-Identifier: MIT OR Apache-2.0
//! `HostComputeQuery`: which shape of answer, how much of it, and which objects.
//!
//! Source: hns-behaviour 2.10.

use serde_json::{Map, Value};

use crate::{
    document::{Document, SchemaVersion, document},
    word::flags,
};

flags! {
    /// `HostComputeQueryFlags`.
    pub struct QueryFlags {
        /// The object with all its properties.
        DETAILED = 1 "Detailed",
    }
}

document! {
    /// `HostComputeQuery`.
    pub struct Query {
        /// Shape of the answer.
        schema_version: SchemaVersion = "SchemaVersion",
        /// How much to answer.
        flags: QueryFlags = "Flags",
        /// A text that holds a JSON object.
        filter: String = "Filter",
    }
}

impl Query {
    /// A query that asks for the v2 shape of everything.
    pub fn v2() -> Self {
        Query {
            schema_version: SchemaVersion::new(2, 0).into(),
            ..Query::default()
        }
    }

    /// A query that asks for the v1 shape of everything.
    pub fn v1() -> Self {
        Query {
            schema_version: SchemaVersion::new(1, 0).into(),
            ..Query::default()
        }
    }

    /// Adds one equality to the filter.
    #[must_use]
    pub fn matching(mut self, key: &str, value: impl Into<Value>) -> Self {
        let mut filter: Map<String, Value> = self
            .filter
            .get()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        filter.insert(key.to_owned(), value.into());
        self.filter.set(Value::Object(filter).to_string());
        self
    }

    /// The text to send.
    pub fn text(&self) -> String {
        self.to_json()
    }
}
