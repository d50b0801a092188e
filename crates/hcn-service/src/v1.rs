// SPDX-License-Identifier: MIT OR Apache-2.0
//! The v1 API beside v2: documents that come in v1 shape, and answers in v1 shape.
//!
//! Source: hns-behaviour 2.14 and 2.15. An object made by either API is seen by both.

pub(crate) mod endpoint;
pub(crate) mod namespace;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod policy_list;

use hcn_schema::Guid;
use serde_json::{Map, Value, json};

/// The v1 `Health` of an object in order.
pub(crate) fn health(file_time: u64) -> Value {
    json!({"LastErrorCode": 0, "LastUpdateTime": file_time})
}

/// The v1 `Resources` tree (hns-behaviour 2.14); its allocators are not modelled, and times are 0 as in every recorded tree.
pub(crate) fn resources(id: u128, parent: u128, order: u32, file_time: u64) -> Value {
    json!({
        "AdditionalParams": {},
        "AllocationOrder": order,
        "Allocators": [],
        "CompartmentOperationTime": 0,
        "Flags": 0,
        "Health": health(file_time),
        "ID": Guid(id).upper(),
        "PortOperationTime": 0,
        "State": 1,
        "SwitchOperationTime": 0,
        "VfpOperationTime": 0,
        "parentId": Guid(parent).upper(),
    })
}

/// A comma-joined text as a list.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether two JSON objects agree in a member that both have.
pub(crate) fn take(map: &mut Map<String, Value>, key: &str) -> Option<Value> {
    map.shift_remove(key)
}
