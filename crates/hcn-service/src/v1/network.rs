// SPDX-License-Identifier: MIT OR Apache-2.0
//! Networks between the two shapes.

use hcn_api::HnsVersion;
use hcn_schema::{
    Document, Field, Id, Network, Policy, Shape,
    network::{Dns, IpSubnet, Ipam, MacPool, NetworkFlags, NetworkType, Route, Subnet},
    policy::{
        NetworkPolicy,
        endpoint::ProviderAddress,
        network::{AutomaticDns, NetAdapterName, SourceMacAddress},
    },
    v1,
};
use serde_json::{Map, Value, json};

use super::{health, policy, split};
use crate::{
    network::{NetworkInternal, NetworkRecord},
    store::Count,
};

/// Switch extensions that every recorded network lists: id since 13.x, id before, name, and whether it is on (`None`: on with VFP).
const EXTENSIONS: [(&str, &str, &str, Option<bool>); 3] = [
    (
        "E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A",
        "E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A",
        "Microsoft Windows Filtering Platform",
        Some(false),
    ),
    (
        "F74F241B-440F-4433-BB28-00F89EAD20D8",
        "E9B59CFA-2BE1-4B21-828F-B6FBDBDDC017",
        "Microsoft Azure VFP Switch Extension",
        None,
    ),
    (
        "430BDADD-BAB0-41AB-A369-94B67FA5BE0A",
        "EA24CD6C-D17A-4348-9190-09F0D5BE83DD",
        "Microsoft NDIS Capture",
        Some(true),
    ),
];

/// The v2 document of a v1 one, and what has no place there.
pub(crate) fn to_v2(map: &Map<String, Value>) -> (Network, NetworkInternal) {
    let one = v1::Network::from_map(map);
    // Members that v1 does not know may be v2 ones: clients mix them.
    let mut two = Network::from_map(&one.extra);
    two.id = one.id.clone();
    two.name = one.name.clone();
    let mut internal = NetworkInternal {
        type_text: one.network_type.get().cloned(),
        ..NetworkInternal::default()
    };
    two.network_type = one
        .network_type
        .write()
        .map_or_else(Field::default, |word| Field::read(&word));
    let mut flags =
        NetworkFlags::read(&one.flags.write().unwrap_or(Value::from(0))).unwrap_or_default();
    if one.isolate_switch.or_default() {
        flags = flags | NetworkFlags::ISOLATE_VSWITCH;
    }
    if !one.flags.is_absent() || flags.0 != 0 {
        two.flags.set(flags);
    }
    if let Some(pools) = one.mac_pools.get().filter(|pools| !pools.is_empty()) {
        two.mac_pool.set(MacPool {
            ranges: pools.clone().into(),
            ..MacPool::default()
        });
    }
    let mut dns = Dns::default();
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
    if let Some(subnets) = one.subnets.get().filter(|subnets| !subnets.is_empty()) {
        two.ipams.set(vec![Ipam {
            subnets: subnets.iter().map(subnet_to_v2).collect::<Vec<_>>().into(),
            ..Ipam::default()
        }]);
    }
    two.policies = policies_to_v2(&one);
    for (key, value) in [
        ("AutomaticDNS", one.automatic_dns.write()),
        ("DNSServerCompartment", one.dns_server_compartment.write()),
    ] {
        if let Some(value) = value {
            internal.v1.insert(key.to_owned(), value);
        }
    }
    (two, internal)
}

fn policies_to_v2(one: &v1::Network) -> Field<Vec<Policy>> {
    let mut policies = policy::all_to_v2(one.policies.get().map_or(&[][..], Vec::as_slice));
    if let Some(name) = one
        .network_adapter_name
        .get()
        .filter(|name| !name.is_empty())
    {
        policies.push(Policy::new(
            "NetAdapterName",
            &NetAdapterName {
                network_adapter_name: name.clone().into(),
                ..Default::default()
            },
        ));
    }
    if let Some(mac) = one.source_mac.get().filter(|mac| !mac.is_empty()) {
        policies.push(Policy::new(
            "SourceMacAddress",
            &SourceMacAddress {
                source_mac_address: mac.clone().into(),
                ..Default::default()
            },
        ));
    }
    if let Some(address) = one
        .management_ip
        .get()
        .filter(|address| !address.is_empty())
    {
        policies.push(Policy::new(
            "ProviderAddress",
            &ProviderAddress {
                provider_address: address.clone().into(),
                ..Default::default()
            },
        ));
    }
    if let Some(enable) = one.automatic_dns.get() {
        policies.push(Policy::new(
            "AutomaticDNS",
            &AutomaticDns {
                enable: (*enable).into(),
                ..Default::default()
            },
        ));
    }
    if policies.is_empty() {
        Field::default()
    } else {
        policies.into()
    }
}

fn subnet_to_v2(one: &v1::network::Subnet) -> Subnet {
    let mut two = Subnet {
        id: one.id.clone(),
        ip_address_prefix: one.address_prefix.clone(),
        ..Subnet::default()
    };
    if let Some(gateway) = one
        .gateway_address
        .get()
        .filter(|text| !text.is_empty() && *text != "0.0.0.0")
    {
        let destination = if gateway.contains(':') {
            "::/0"
        } else {
            "0.0.0.0/0"
        };
        two.routes.set(vec![Route {
            next_hop: gateway.clone().into(),
            destination_prefix: destination.to_owned().into(),
            ..Route::default()
        }]);
    }
    if let Some(policies) = one.policies.get().filter(|policies| !policies.is_empty()) {
        two.policies.set(policy::all_to_v2(policies));
    }
    if let Some(ranges) = one.ip_subnets.get().filter(|ranges| !ranges.is_empty()) {
        let ranges = ranges.iter().map(|range| IpSubnet {
            id: range.id.clone(),
            ip_address_prefix: range.ip_address_prefix.clone(),
            flags: range
                .flags
                .write()
                .map_or_else(Field::default, |flags| Field::read(&flags)),
            ..IpSubnet::default()
        });
        two.ip_subnets.set(ranges.collect());
    }
    two
}

/// The v1 answer for a network.
pub(crate) fn to_v1(record: &NetworkRecord, count: Count) -> Value {
    let two = &record.document;
    let own_type = record.network_type();
    let internal = &record.internal;
    let mut one = v1::Network {
        activity_id: Id(hcn_schema::Guid(internal.activity).upper()).into(),
        additional_params: json!({}).into(),
        current_endpoint_count: count.now.into(),
        flags: two.flags.or_default().0.into(),
        health: health(internal.made).into(),
        id: Id::from(record.id).into(),
        ipv6: false.into(),
        layered_on: Id(hcn_schema::Guid(internal.layered_on).upper()).into(),
        mac_pools: two
            .mac_pool
            .get()
            .map(|pool| pool.ranges.or_default())
            .into(),
        max_concurrent_endpoints: count.most.into(),
        name: two.name.or_default().into(),
        state: 1.into(),
        total_endpoints: count.ever.into(),
        network_type: type_text(own_type, internal).into(),
        version: two.version.clone(),
        resources: super::resources(internal.activity, internal.parent, 2, internal.made).into(),
        switch_guid: Id(hcn_schema::Guid(internal.switch).upper()).into(),
        ..v1::Network::default()
    };
    one.extensions.set(extensions(record));
    if own_type == NetworkType::Nat {
        one.nat_name.set(format!(
            "NAT{}",
            hcn_schema::Guid(internal.interface).upper()
        ));
    }
    let mut policies = Vec::new();
    for own in two.policies.get().into_iter().flatten() {
        match NetworkPolicy::of(own) {
            NetworkPolicy::ProviderAddress(own) => one.management_ip = own.provider_address,
            NetworkPolicy::DrMacAddress(own) => one.dr_mac_address = own.address,
            NetworkPolicy::NetAdapterName(own) => {
                one.network_adapter_name = own.network_adapter_name
            }
            NetworkPolicy::SourceMacAddress(own) => one.source_mac = own.source_mac_address,
            NetworkPolicy::AutomaticDns(own) => one.automatic_dns = own.enable,
            _ => policies.push(v1::Policy::from_value(&policy::to_v1(own)).unwrap_or_default()),
        }
    }
    one.policies.set(policies);
    if let Some(dns) = two.dns.get() {
        one.dns_domain = dns.domain.clone();
        let joined = |list: &Field<Vec<String>>| {
            list.get()
                .filter(|list| !list.is_empty())
                .map(|list| list.join(","))
        };
        one.dns_suffix = joined(&dns.search).into();
        one.dns_server_list = joined(&dns.server_list).into();
    }
    let subnets = two
        .ipams
        .get()
        .into_iter()
        .flatten()
        .flat_map(|ipam| ipam.subnets.get().into_iter().flatten());
    one.subnets.set(
        subnets
            .map(|subnet| subnet_to_v1(subnet, internal.made))
            .collect(),
    );
    policy::in_order(one.to_value())
}

/// v1 says `nat`; other types are echoed as the client wrote them.
fn type_text(own: NetworkType, internal: &NetworkInternal) -> String {
    match (own, &internal.type_text) {
        (NetworkType::Nat, _) => "nat".to_owned(),
        (_, Some(text)) if NetworkType::from_text(text) == Some(own) => text.clone(),
        _ => own.text().to_owned(),
    }
}

/// VFP is on only where the type of network needs it (hns-behaviour 2.14).
fn extensions(record: &NetworkRecord) -> Vec<v1::network::Extension> {
    let vfp = matches!(
        record.network_type(),
        NetworkType::L2Bridge | NetworkType::L2Tunnel | NetworkType::Overlay
    );
    let newer =
        HnsVersion::from_number(record.document.version.or_default()) >= HnsVersion::new(13, 0);
    let switched = record.internal.v1.get("ExtensionSwitches");
    EXTENSIONS
        .iter()
        .map(|(new, old, name, on)| {
            let id = if newer { *new } else { *old };
            let asked = switched
                .and_then(|switched| switched.get(id))
                .and_then(Value::as_bool);
            v1::network::Extension {
                id: Id(id.to_owned()).into(),
                is_enabled: asked.unwrap_or(on.unwrap_or(vfp)).into(),
                name: (*name).to_owned().into(),
                ..v1::network::Extension::default()
            }
        })
        .collect()
}

fn subnet_to_v1(two: &Subnet, made: u64) -> v1::network::Subnet {
    let gateway = two
        .routes
        .get()
        .into_iter()
        .flatten()
        .find_map(|route| route.next_hop.get().cloned());
    let ranges = two
        .ip_subnets
        .get()
        .into_iter()
        .flatten()
        .map(|range| v1::network::IpSubnet {
            additional_params: json!({}).into(),
            flags: range.flags.or_default().0.into(),
            health: health(made).into(),
            id: range.id.clone(),
            ip_address_prefix: range.ip_address_prefix.clone(),
            object_type: 6.into(),
            policies: Vec::new().into(),
            state: 0.into(),
            ..v1::network::IpSubnet::default()
        });
    v1::network::Subnet {
        additional_params: json!({}).into(),
        address_prefix: two.ip_address_prefix.clone(),
        flags: two.flags.or_default().0.into(),
        gateway_address: gateway.into(),
        health: health(made).into(),
        id: two.id.clone(),
        ip_subnets: ranges.collect::<Vec<_>>().into(),
        object_type: 5.into(),
        policies: policy::all_to_v1(two.policies.get().map_or(&[][..], Vec::as_slice)).into(),
        state: 0.into(),
        ..v1::network::Subnet::default()
    }
}
