// SPDX-License-Identifier: MIT OR Apache-2.0
//! Endpoint policies: which are admitted, in what form they are stored, and how Add, Update, Remove and Reset change the list.
//!
//! Source: hns-behaviour 2.13 and 4.7 to 4.11.

use std::net::Ipv4Addr;

use hcn_api::{Answer, Feature, HcnCode, HnsError};
use hcn_engine::acl;
use hcn_schema::{
    Endpoint, Field, Guid, Policy,
    network::NetworkType,
    policy::{
        Acl, EndpointPolicy,
        endpoint::{L4Proxy, L4WfpProxy, NatFlags, PortMapping},
    },
};
use ipnet::{IpNet, Ipv4Net};
use serde_json::{Map, Value};

use super::EndpointRecord;
use crate::{
    change::Change,
    network::{NetworkRecord, gather_settings, set_ids},
    port_reservation,
    profile::{AclRemove, Profile},
    sources::mix,
};

/// Types that an Update replaces even where it does not send them; the others are of the endpoint's making (hns-behaviour 4.10).
const MODIFIABLE: [&str; 4] = ["ACL", "TierAcl", "L4Proxy", "L4WFPPROXY"];

/// Whether an Update replaces policies of this type in any case.
fn is_modifiable(policy: &Policy) -> bool {
    MODIFIABLE.iter().any(|own| policy.is(own))
}

/// Checks one policy against the version, the network, the endpoint and itself.
///
/// # Errors
/// `HCN_E_INVALID_POLICY_TYPE`, `HCN_E_INVALID_POLICY` and those of port mappings.
fn admit(
    profile: &Profile,
    network: &NetworkRecord,
    endpoint: &Endpoint,
    policy: &Policy,
) -> Answer<()> {
    let typed = EndpointPolicy::of(policy);
    let feature = match &typed {
        EndpointPolicy::Other(other) => {
            let name = other.policy_type.or_default();
            let detail = if name.is_empty() {
                "the policy has no Type".to_owned()
            } else {
                format!("{name:?} is no type of endpoint policy")
            };
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY_TYPE,
                "/Type",
                detail,
            ));
        }
        EndpointPolicy::TierAcl(_) => Some(Feature::TierAcl),
        EndpointPolicy::L4WfpProxy(_) => Some(Feature::L4WfpProxy),
        EndpointPolicy::L4Proxy(_) => Some(Feature::L4Proxy),
        _ => None,
    };
    crate::network::refuse_without_feature(profile, policy, feature)?;
    // A rule tells its own members better.
    let is_rule = matches!(typed, EndpointPolicy::Acl(_) | EndpointPolicy::TierAcl(_));
    if let Some((pointer, value)) = EndpointPolicy::odd_fields(policy)
        .into_iter()
        .next()
        .filter(|_| !is_rule)
    {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            pointer,
            format!("{value} cannot be read here"),
        ));
    }
    let remote_rule = || {
        let detail = "a remote endpoint takes no rules; put them on the endpoint where it is local";
        Err(HnsError::at(
            HcnCode::HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
            "/Type",
            detail,
        ))
    };
    match &typed {
        EndpointPolicy::Acl(_)
        | EndpointPolicy::TierAcl(_)
        | EndpointPolicy::L4Proxy(_)
        | EndpointPolicy::L4WfpProxy(_)
            if endpoint.is_remote() =>
        {
            remote_rule()
        }
        EndpointPolicy::L4Proxy(proxy) => {
            refuse_bad_proxy(proxy).map_err(|error| error.below("/Settings"))
        }
        EndpointPolicy::L4WfpProxy(proxy) => {
            refuse_bad_wfp_proxy(proxy).map_err(|error| error.below("/Settings"))
        }
        EndpointPolicy::Acl(acl) => refuse_bad_acl(profile, acl, &set_ids(&network.document))
            .map_err(|error| error.below("/Settings")),
        EndpointPolicy::TierAcl(tier) => {
            let sets = set_ids(&network.document);
            acl::check_tier(tier, &profile.semantics, &|id| {
                sets.iter().any(|set| set == id)
            })
            .map(|_| ())
            .map_err(|fault| bad_acl(&fault).below("/Settings"))
        }
        EndpointPolicy::OutBoundNat(nat) => {
            for (index, text) in nat.exceptions.get().into_iter().flatten().enumerate() {
                refuse_host_bits(text)
                    .map_err(|error| error.below(&format!("/Settings/Exceptions/{index}")))?;
            }
            Ok(())
        }
        EndpointPolicy::PortMapping(mapping) => {
            refuse_bad_mapping(network, mapping).map_err(|error| error.below("/Settings"))
        }
        _ => Ok(()),
    }
}

/// Checks one rule.
///
/// # Errors
/// `HCN_E_INVALID_POLICY` at the member.
pub(crate) fn refuse_bad_acl(profile: &Profile, acl: &Acl, sets: &[String]) -> Answer<()> {
    acl::check(acl, &profile.semantics, &|id| {
        sets.iter().any(|set| set == id)
    })
    .map(|_| ())
    .map_err(|fault| bad_acl(&fault))
}

fn bad_acl(fault: &acl::AclFault) -> HnsError {
    HnsError::at(
        HcnCode::HCN_E_INVALID_POLICY,
        fault.pointer(),
        fault.to_string(),
    )
}

/// Exceptions are addresses or prefixes; prefixes with host bits are refused (hns-behaviour 5.5).
fn refuse_host_bits(text: &str) -> Answer<()> {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    match text.parse::<IpNet>() {
        Ok(prefix) if prefix.trunc() == prefix => Ok(()),
        Ok(prefix) => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "",
            format!("{text} has host bits set; the prefix is {}", prefix.trunc()),
        )),
        Err(_) => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "",
            format!("{text:?} is neither an address nor a prefix"),
        )),
    }
}

/// Checks a VFP proxy of an endpoint or a network.
///
/// # Errors
/// `HCN_E_INVALID_POLICY` for a port that is none.
pub(crate) fn refuse_bad_proxy(proxy: &L4Proxy) -> Answer<()> {
    refuse_bad_port(&proxy.port, "/Port")
}

/// Ports are texts, TCP is the only protocol and IPv4 the only family (hns-behaviour 5.7).
fn refuse_bad_wfp_proxy(proxy: &L4WfpProxy) -> Answer<()> {
    let invalid =
        |field: String, detail: String| HnsError::at(HcnCode::HCN_E_INVALID_POLICY, field, detail);
    refuse_bad_port(&proxy.inbound_proxy_port, "/InboundProxyPort")?;
    refuse_bad_port(&proxy.outbound_proxy_port, "/OutboundProxyPort")?;
    let tuple = proxy.filter_tuple.get();
    let protocols = tuple.map(|tuple| tuple.protocols.or_default());
    if let Some(protocols) = protocols.filter(|text| !text.is_empty() && text != "6") {
        return Err(invalid(
            "/FilterTuple/Protocols".to_owned(),
            format!("{protocols:?} is not \"6\"; a WFP proxy takes TCP only"),
        ));
    }
    for (key, exceptions) in [
        ("InboundExceptions", &proxy.inbound_exceptions),
        ("OutboundExceptions", &proxy.outbound_exceptions),
    ] {
        let Some(exceptions) = exceptions.get() else {
            continue;
        };
        let addresses = exceptions.ip_address_exceptions.get().into_iter().flatten();
        for (index, text) in addresses.enumerate() {
            let four = text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv4Net>().is_ok();
            if !four {
                return Err(invalid(
                    format!("/{key}/IpAddressExceptions/{index}"),
                    format!("{text:?} is neither an IPv4 address nor a prefix of them"),
                ));
            }
        }
        let ports = exceptions.port_exceptions.get().into_iter().flatten();
        for (index, text) in ports.enumerate() {
            let field = format!("/{key}/PortExceptions/{index}");
            refuse_bad_port(&text.clone().into(), &field)?;
        }
    }
    Ok(())
}

fn refuse_bad_port(text: &Field<String>, field: &str) -> Answer<()> {
    match text.get().filter(|text| !text.is_empty()) {
        Some(text) if !text.parse::<u16>().is_ok_and(|port| port != 0) => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            field,
            format!("{text:?} is no port; give 1 to 65535"),
        )),
        _ => Ok(()),
    }
}

fn refuse_bad_mapping(network: &NetworkRecord, mapping: &PortMapping) -> Answer<()> {
    if network.network_type() == NetworkType::Transparent {
        return Err(HnsError::at(
            HcnCode::HCN_E_MAPPING_NOT_SUPPORTED,
            "/InternalPort",
            "a Transparent network publishes no ports; its endpoints are reached on their own addresses",
        ));
    }
    if mapping.internal_port.or_default() == 0 {
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_INTERNAL_PORT,
            "/InternalPort",
            "the port of the container is missing or 0; give 1 to 65535",
        ));
    }
    Ok(())
}

/// The form in which HNS stores a policy: an ACL gets `Scope` 0 (hns-behaviour 4.9), a port mapping its port of the host.
///
/// # Errors
/// `HCN_E_PORT_ALREADY_EXISTS` where the port of the host is taken.
fn stored_form(change: &Change<'_>, endpoint: Guid, mut policy: Policy) -> Answer<Policy> {
    policy.canonical_keys();
    gather_settings(&mut policy);
    if policy.is("ACL") {
        let settings = policy.settings.edit();
        if !settings.keys().any(|key| key.eq_ignore_ascii_case("Scope")) {
            settings.insert("Scope".to_owned(), Value::from(0));
        }
    }
    // Clients compare the type with its canonical word, whatever another one wrote (hns-behaviour 2.13).
    if let Some(word) = EndpointPolicy::TYPES.iter().find(|word| policy.is(word)) {
        policy.policy_type.set((*word).to_owned());
    }
    if let EndpointPolicy::PortMapping(mapping) = EndpointPolicy::of(&policy) {
        reserve_port(change, endpoint, &mapping, &mut policy)?;
    }
    Ok(policy)
}

/// Checks one policy and puts it into the list in its stored form.
///
/// # Errors
/// Those of [`admit`], `HCN_INTERFACEPARAMETERS_ALREADY_APPLIED` for a second one, `HCN_E_PORT_ALREADY_EXISTS`.
pub(crate) fn put(
    change: &Change<'_>,
    network: &NetworkRecord,
    (id, endpoint): (Guid, &Endpoint),
    stored: &mut Vec<Policy>,
    policy: Policy,
) -> Answer<()> {
    admit(change.profile, network, endpoint, &policy)?;
    const ONCE: &str = "InterfaceParameters";
    if policy.is(ONCE) && stored.iter().any(|own| own.is(ONCE)) {
        return Err(HnsError::at(
            HcnCode::HCN_INTERFACEPARAMETERS_ALREADY_APPLIED,
            "/Type",
            "the endpoint has an InterfaceParameters policy already; send it by Update",
        ));
    }
    // One proxy a pod (hns-behaviour 5.7); the code is a guess.
    const PROXY: &str = "L4WFPPROXY";
    if policy.is(PROXY) && stored.iter().any(|own| own.is(PROXY)) {
        return Err(HnsError::at(
            HcnCode::HCN_E_POLICY_ALREADY_EXISTS,
            "/Type",
            "the endpoint has an L4WFPPROXY policy already; send it by Update",
        ));
    }
    stored.push(stored_form(change, id, policy)?);
    Ok(())
}

/// Q32: a mapping without a protocol is a TCP one.
fn protocol(mapping: &PortMapping) -> u32 {
    const TCP: u32 = 6;
    mapping
        .protocol
        .get()
        .copied()
        .filter(|protocol| *protocol != 0)
        .unwrap_or(TCP)
}

fn reserve_port(
    change: &Change<'_>,
    endpoint: Guid,
    mapping: &PortMapping,
    policy: &mut Policy,
) -> Answer<()> {
    let protocol = protocol(mapping);
    let asked = mapping.external_port.or_default();
    if asked != 0 {
        let flags = mapping.flags.or_default();
        refuse_taken(
            change,
            protocol,
            asked,
            flags.contains(NatFlags::EXTERNAL_PORT_RESERVED),
        )?;
        if change.view.reserve_host_port(protocol, asked, endpoint)? {
            return Ok(());
        }
        return Err(HnsError::at(
            HcnCode::HCN_E_PORT_ALREADY_EXISTS,
            "/Settings/ExternalPort",
            format!("port {asked} of the host leads to another endpoint already; choose another"),
        ));
    }
    // HNS may choose a free port of the host and tells it (hns-behaviour 5.4); these are the dynamic ports of Windows.
    const FIRST: u64 = 49152;
    const COUNT: u64 = 65536 - FIRST;
    let start = mix(change.seed ^ endpoint.0 as u64);
    for step in 0..COUNT {
        let port = (FIRST + (start + step) % COUNT) as u16;
        if refuse_taken(change, protocol, port, false).is_ok()
            && change.view.reserve_host_port(protocol, port, endpoint)?
        {
            policy
                .settings
                .edit()
                .insert("ExternalPort".to_owned(), Value::from(port));
            return Ok(());
        }
    }
    Err(HnsError::at(
        HcnCode::HCN_E_PORT_ALREADY_EXISTS,
        "/Settings/ExternalPort",
        "no dynamic port of the host is free",
    ))
}

/// Refuses a port of the host that a load balancer without addresses has, or one that is reserved and not by the caller.
fn refuse_taken(change: &Change<'_>, protocol: u32, port: u16, by_caller: bool) -> Answer<()> {
    const FIELD: &str = "/Settings/ExternalPort";
    if let Some(owner) = change.view.any_frontend_owner(protocol, port)? {
        return Err(HnsError::at(
            HcnCode::HCN_E_PORT_ALREADY_EXISTS,
            FIELD,
            format!("port {port} of the host is taken by load balancer {owner}; choose another"),
        ));
    }
    if by_caller {
        return Ok(());
    }
    port_reservation::refuse_reserved(&change.view, protocol, port, FIELD)
}

/// Appends policies; there is no check for doubles (hns-behaviour 4.10).
pub(crate) fn add(
    change: &Change<'_>,
    network: &NetworkRecord,
    record: &mut EndpointRecord,
    given: Vec<Policy>,
) -> Answer<()> {
    let with_rules = given.iter().any(is_modifiable);
    let mut stored = record.document.policies.or_default();
    for (index, policy) in given.into_iter().enumerate() {
        let at = |error: HnsError| error.below(&format!("/Settings/Policies/{index}"));
        let own = (record.id, &record.document);
        put(change, network, own, &mut stored, policy).map_err(at)?;
    }
    settle(record, stored, with_rules);
    Ok(())
}

/// Replaces the modifiable types as a whole, and of the others those that are sent (hns-behaviour 4.10).
pub(crate) fn update(
    change: &Change<'_>,
    network: &NetworkRecord,
    record: &mut EndpointRecord,
    given: Vec<Policy>,
) -> Answer<()> {
    // `Policies: [{}]` is how hns.v2.psm1 says "none".
    let given: Vec<(usize, Policy)> = given
        .into_iter()
        .enumerate()
        .filter(|(_, policy)| {
            !(policy.policy_type.is_absent()
                && policy.settings.is_absent()
                && policy.extra.is_empty())
        })
        .collect();
    let mut stored = record.document.policies.or_default();
    stored.retain(|own| {
        let sent = || {
            own.policy_type
                .get()
                .is_some_and(|name| given.iter().any(|(_, policy)| policy.is(name)))
        };
        !is_modifiable(own) && !sent()
    });
    if given.iter().any(|(_, policy)| policy.is("PortMapping")) {
        change.view.release_host_ports(record.id)?;
    }
    for (index, policy) in given {
        let at = |error: HnsError| error.below(&format!("/Settings/Policies/{index}"));
        let own = (record.id, &record.document);
        put(change, network, own, &mut stored, policy).map_err(at)?;
    }
    settle(record, stored, true);
    Ok(())
}

/// Removes one stored instance of each policy sent; what "the same" means is the profile's (Q6).
pub(crate) fn remove(
    change: &Change<'_>,
    record: &mut EndpointRecord,
    given: Vec<Policy>,
) -> Answer<()> {
    let mut stored = record.document.policies.or_default();
    let before = stored.len();
    for (index, policy) in given.into_iter().enumerate() {
        let rule = change.profile.acl_remove;
        match stored.iter().position(|own| same(own, &policy, rule)) {
            Some(position) => {
                let gone = stored.remove(position);
                if gone.is("PortMapping") {
                    reserve_again(change, record.id, &stored)?;
                }
            }
            None if rule == AclRemove::Strict => {
                return Err(HnsError::at(
                    HcnCode::HCN_E_POLICY_NOT_FOUND,
                    format!("/Settings/Policies/{index}"),
                    "the endpoint has no such policy; send it as a query returns it, Scope included",
                ));
            }
            None => {}
        }
    }
    if stored.len() != before {
        settle(record, stored, true);
    }
    Ok(())
}

/// Puts the policies back as they were created (Q40).
///
/// # Errors
/// `HCN_E_PORT_ALREADY_EXISTS` where another endpoint has taken a port of the host that this one had given up.
pub(crate) fn reset(change: &Change<'_>, record: &mut EndpointRecord) -> Answer<()> {
    let created: Vec<Policy> = record
        .internal
        .created_policies
        .iter()
        .filter_map(hcn_schema::Shape::read)
        .collect();
    reserve_again(change, record.id, &created)?;
    settle(record, created, true);
    Ok(())
}

/// Gives the ports of the host back and takes those that a list publishes.
fn reserve_again(change: &Change<'_>, endpoint: Guid, policies: &[Policy]) -> Answer<()> {
    change.view.release_host_ports(endpoint)?;
    for policy in policies {
        if let EndpointPolicy::PortMapping(mapping) = EndpointPolicy::of(policy) {
            reserve_port(change, endpoint, &mapping, &mut policy.clone())?;
        }
    }
    Ok(())
}

fn same(own: &Policy, other: &Policy, rule: AclRemove) -> bool {
    let Some(name) = own.policy_type.get() else {
        return false;
    };
    if !other.is(name) {
        return false;
    }
    let (mut own, mut other): (Map<String, Value>, Map<String, Value>) =
        (own.settings.or_default(), other.settings.or_default());
    if rule == AclRemove::Lenient {
        for settings in [&mut own, &mut other] {
            settings.remove("Scope");
        }
    }
    own == other
}

/// Stores the list and counts the allocation (hns-behaviour 4.10).
fn settle(record: &mut EndpointRecord, stored: Vec<Policy>, with_rules: bool) {
    if with_rules {
        record.internal.allocation_order += if record.internal.acl_applied { 1 } else { 2 };
        record.internal.acl_applied = true;
    }
    if stored.is_empty() {
        record.document.policies.clear();
    } else {
        record.document.policies.set(stored);
    }
}
