// SPDX-License-Identifier: MIT OR Apache-2.0
//! An endpoint of the v2 API told by the names of the v1 API, so that a Format-List of Windows can be compared with a v2 document.
//!
//! Only members that both shapes have (hns-behaviour 2.15); what is in one shape alone is no difference between the objects.

use hcn_schema::{Document, Endpoint};
use serde_json::{Map, Value, json};

use crate::listing::member;

/// Which API an object was told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    V1,
    V2,
}

/// The shape by members that only v2 objects have.
pub(super) fn of(value: &Value) -> Shape {
    let has = |name| member(value, name).is_some();
    if has("SchemaVersion")
        || has("HostComputeNetwork")
        || has("IpConfigurations")
        || has("Ipams")
        || has("NamespaceGuid")
    {
        Shape::V2
    } else {
        Shape::V1
    }
}

/// A v2 object with what it says under v1 names too.
pub(super) fn with_v1_names(value: &Value) -> Value {
    let Some(endpoint) = Endpoint::from_value(value) else {
        return value.clone();
    };
    let mut members = value.as_object().cloned().unwrap_or_default();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    put("VirtualNetwork", endpoint.host_compute_network.write());
    let configurations = endpoint.ip_configurations.or_default();
    let family = |six: bool| {
        configurations
            .iter()
            .find(|own| own.ip_address.or_default().contains(':') == six)
    };
    if let Some(four) = family(false) {
        put("IPAddress", four.ip_address.write());
        put("PrefixLength", four.prefix_length.write());
        put("IPSubnetId", four.ip_subnet_id.write());
    }
    if let Some(six) = family(true) {
        put("IPv6Address", six.ip_address.write());
        put("IPv6PrefixLength", six.prefix_length.write());
    }
    let routes = endpoint.routes.or_default();
    let gateway = |destination: &str| {
        routes
            .iter()
            .find(|route| route.destination_prefix.get().map(String::as_str) == Some(destination))
            .and_then(|route| route.next_hop.write())
    };
    put("GatewayAddress", gateway("0.0.0.0/0"));
    put("GatewayAddressV6", gateway("::/0"));
    if let Some(dns) = endpoint.dns.get() {
        let list = |items: &hcn_schema::Field<Vec<String>>| {
            items.get().map(|items| json!(items.join(",")))
        };
        put("DNSServerList", list(&dns.server_list));
        put("DNSSuffix", list(&dns.search));
        put("DNSDomain", dns.domain.write());
    }
    Value::Object(members)
}

/// Members of both objects that can be compared though their shapes differ: those that both have, and policies.
pub(super) fn common(before: &Value, after: &Value) -> (Value, Value) {
    let is_common = |name: &str| {
        name.eq_ignore_ascii_case("Policies")
            || (member(before, name).is_some() && member(after, name).is_some())
    };
    let only_common = |value: &Value| {
        let members: Map<String, Value> = value
            .as_object()
            .into_iter()
            .flatten()
            // One word, two meanings: v1 flags are of another enumeration, v1 types are spelt otherwise.
            .filter(|(name, _)| {
                is_common(name)
                    && !["Flags", "Type", "AdditionalParams"]
                        .iter()
                        .any(|own| own.eq_ignore_ascii_case(name))
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Value::Object(members)
    };
    (only_common(before), only_common(after))
}
