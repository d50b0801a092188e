// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoints between the two shapes.

use hcn_schema::{
    Document, Endpoint, Field, Id, Policy,
    endpoint::{EndpointFlags, IpConfiguration},
    network::{Dns, Route},
    policy::endpoint::{EncapOverhead, PortName},
    v1,
};
use serde_json::{Map, Value, json};

use super::{policy, split};
use crate::endpoint::{EndpointInternal, EndpointRecord};

/// The v2 document of a v1 one, and what has no place there.
pub(crate) fn to_v2(map: &Map<String, Value>) -> (Endpoint, EndpointInternal) {
    let one = v1::Endpoint::from_map(map);
    // Members that v1 does not know may be v2 ones: clients mix them.
    let mut two = Endpoint::from_map(&one.extra);
    two.id = one.id.clone();
    two.name = one.name.clone();
    two.mac_address = one.mac_address.clone();
    if !one.virtual_network.is_absent() {
        two.host_compute_network = one.virtual_network.clone();
    }
    two.additional_params = one.additional_params.clone();
    let internal = EndpointInternal {
        virtual_network: one.virtual_network.get().map(|id| id.0.clone()),
        enable_internal_dns: one.enable_internal_dns.get().copied(),
        ..EndpointInternal::default()
    };
    let mut flags = two.flags.or_default() | EndpointFlags(one.flags.or_default());
    for (set, bit) in [
        (&one.is_remote_endpoint, EndpointFlags::REMOTE_ENDPOINT),
        (
            &one.disable_icc,
            EndpointFlags::DISABLE_INTER_COMPUTE_COMMUNICATION,
        ),
        (
            &one.enable_low_metric,
            EndpointFlags::ENABLE_LOW_INTERFACE_METRIC,
        ),
        (
            &one.enable_low_interface_metric,
            EndpointFlags::ENABLE_LOW_INTERFACE_METRIC,
        ),
    ] {
        if set.or_default() {
            flags = flags | bit;
        }
    }
    if flags.0 != 0 {
        two.flags.set(flags);
    }
    addresses_to_v2(&one, &mut two);
    dns_to_v2(&one, &mut two);
    let mut policies = policy::all_to_v2(one.policies.get().map_or(&[][..], Vec::as_slice));
    if let Some(overhead) = one.encap_overhead.get() {
        policies.push(Policy::new(
            "EncapOverhead",
            &EncapOverhead {
                overhead: (*overhead).into(),
                ..EncapOverhead::default()
            },
        ));
    }
    if let Some(name) = one.port_friendly_name.get() {
        policies.push(Policy::new(
            "PortName",
            &PortName {
                name: name.clone().into(),
                ..PortName::default()
            },
        ));
    }
    if !policies.is_empty() {
        two.policies.set(policies);
    } else if let Some(odd) = one.policies.odd() {
        two.policies = Field::read(odd);
    }
    (two, internal)
}

fn addresses_to_v2(one: &v1::Endpoint, two: &mut Endpoint) {
    let mut configurations = Vec::new();
    let mut routes = Vec::new();
    let families = [
        (
            &one.ip_address,
            &one.prefix_length,
            &one.gateway_address,
            "0.0.0.0/0",
        ),
        (
            &one.ipv6_address,
            &one.ipv6_prefix_length,
            &one.gateway_address_v6,
            "::/0",
        ),
    ];
    for (address, length, gateway, destination) in families {
        if let Some(address) = address.get().filter(|text| !text.is_empty()) {
            configurations.push(IpConfiguration {
                ip_address: address.clone().into(),
                prefix_length: length.clone(),
                ..IpConfiguration::default()
            });
        }
        if let Some(gateway) = gateway.get().filter(|text| !text.is_empty()) {
            routes.push(Route {
                next_hop: gateway.clone().into(),
                destination_prefix: destination.to_owned().into(),
                ..Route::default()
            });
        }
    }
    if !configurations.is_empty() {
        two.ip_configurations.set(configurations);
    }
    if !routes.is_empty() {
        two.routes.set(routes);
    }
}

fn dns_to_v2(one: &v1::Endpoint, two: &mut Endpoint) {
    let mut dns = two.dns.or_default();
    if let Some(domain) = one.dns_domain.get().filter(|text| !text.is_empty()) {
        dns.domain.set(domain.clone());
    }
    if let Some(search) = one.dns_suffix.get().filter(|text| !text.is_empty()) {
        dns.search.set(split(search));
    }
    if let Some(servers) = one.dns_server_list.get().filter(|text| !text.is_empty()) {
        dns.server_list.set(split(servers));
    }
    if !dns.to_map().is_empty() {
        two.dns.set(dns);
    }
}

/// What a v1 answer needs of the endpoint's network.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfNetwork {
    /// Its name.
    pub name: String,
    /// Its `Resources.parentId` that endpoints share.
    pub tree: u128,
}

/// The v1 answer for an endpoint, in the order of `Get-HnsEndpoint`.
pub(crate) fn to_v1(record: &EndpointRecord, network: &OfNetwork) -> Value {
    let two = &record.document;
    let internal = &record.internal;
    // Without a client's spelling, as the walk-through's listing has it.
    let virtual_network = internal
        .virtual_network
        .clone()
        .filter(|text| text.parse() == Ok(record.network_id()))
        .unwrap_or_else(|| record.network_id().to_string());
    let flags = two.flags.or_default();
    let bit = |bit| flags.contains(bit).then_some(true);
    let mut one = v1::Endpoint {
        id: Id(record.id.to_string()).into(),
        name: two.name.clone(),
        version: two.version.clone(),
        additional_params: two
            .additional_params
            .get()
            .cloned()
            .unwrap_or_else(|| json!({}))
            .into(),
        resources: super::resources(
            internal.activity,
            network.tree,
            internal.allocation_order,
            internal.made,
        )
        .into(),
        state: two.state.clone(),
        virtual_network: Id(virtual_network).into(),
        virtual_network_name: network.name.clone().into(),
        mac_address: two.mac_address.clone(),
        enable_internal_dns: internal.enable_internal_dns.into(),
        disable_icc: bit(EndpointFlags::DISABLE_INTER_COMPUTE_COMMUNICATION).into(),
        is_remote_endpoint: bit(EndpointFlags::REMOTE_ENDPOINT).into(),
        enable_low_metric: bit(EndpointFlags::ENABLE_LOW_INTERFACE_METRIC).into(),
        ..v1::Endpoint::default()
    };
    policies_to_v1(two, &mut one);
    for configuration in two.ip_configurations.get().into_iter().flatten() {
        let address = configuration.ip_address.or_default();
        if address.contains(':') {
            if one.ipv6_address.is_absent() {
                one.ipv6_address.set(address);
                one.ipv6_prefix_length = configuration.prefix_length.clone();
            }
        } else if one.ip_address.is_absent() {
            one.ip_address.set(address);
            one.prefix_length = configuration.prefix_length.clone();
            if let Some(range) = configuration.ip_subnet_id.get().and_then(Id::guid) {
                one.ip_subnet_id.set(Id(range.to_string()));
            }
        }
    }
    for route in two.routes.get().into_iter().flatten() {
        match route.destination_prefix.or_default().as_str() {
            "0.0.0.0/0" if one.gateway_address.is_absent() => {
                one.gateway_address = route.next_hop.clone()
            }
            "::/0" if one.gateway_address_v6.is_absent() => {
                one.gateway_address_v6 = route.next_hop.clone()
            }
            _ => {}
        }
    }
    let dns: Dns = two.dns.or_default();
    let joined = |list: &Field<Vec<String>>| {
        list.get()
            .filter(|list| !list.is_empty())
            .map(|list| list.join(","))
    };
    one.dns_server_list = joined(&dns.server_list).into();
    one.dns_suffix = joined(&dns.search).into();
    one.dns_domain = dns.domain.clone();
    if let Some(namespace) = record.namespace_id() {
        one.namespace.set(json!({"ID": namespace.to_string()}));
    }
    if !internal.containers.is_empty() {
        one.shared_containers.set(internal.containers.clone());
    }
    policy::in_order(one.to_value())
}

/// Two policies of v2 are members in v1; the others are a list, left out where there is none.
fn policies_to_v1(two: &Endpoint, one: &mut v1::Endpoint) {
    let mut policies = Vec::new();
    for own in two.policies.get().into_iter().flatten() {
        if own.is("EncapOverhead") {
            one.encap_overhead = own.settings_as::<EncapOverhead>().overhead;
        } else if own.is("PortName") {
            one.port_friendly_name = own.settings_as::<PortName>().name;
        } else {
            policies.push(own.clone());
        }
    }
    if !policies.is_empty() {
        one.policies.set(policy::all_to_v1(&policies));
    }
}
