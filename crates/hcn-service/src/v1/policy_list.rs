// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load balancers and SDN routes in v1 shape: both are policy lists, told apart by the type of their policies.
//!
//! Source: hns-behaviour 1.7, 2.14 and 2.15; members and their values are those of recorded lists.

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_schema::{
    Document, Guid, Id, LoadBalancer, SdnRoute,
    load_balancer::{LoadBalancerFlags, LoadBalancerPortMapping, LoadBalancerPortMappingFlags},
    sdn_route::SdnRouteEntry,
    v1,
};
use serde_json::{Map, Value, json};

use super::{health, policy::sorted};
use crate::{
    document::{cut, refuse_odd},
    load_balancer::{LoadBalancerInternal, LoadBalancerRecord},
    sdn_route::{SdnRouteInternal, SdnRouteRecord},
};

/// State of a list that is applied, as recorded.
const APPLIED: u16 = 2;
/// What stands before the id of a reference.
const ENDPOINTS: &str = "/endpoints/";

/// Whether a v1 document is a list of routes.
pub(crate) fn is_route_list(map: &Map<String, Value>) -> bool {
    let list = v1::PolicyList::from_map(map);
    let mut policies = list.policies.get().into_iter().flatten();
    policies.any(|policy| is(policy, "ROUTE"))
}

/// The load balancer of a v1 list of `ELB` policies: one port each.
///
/// # Errors
/// `HCN_E_INVALID_POLICY_TYPE` for another policy, `HCN_E_INVALID_POLICY` for lists that do not agree with themselves.
pub(crate) fn to_load_balancer(
    map: &Map<String, Value>,
) -> Answer<(LoadBalancer, LoadBalancerInternal)> {
    let (list, policies) = read(map, "ELB")?;
    let mut two = LoadBalancer::from_map(&list.extra);
    two.id = list.id.clone();
    two.host_compute_network = list.host_compute_network.clone();
    if let Some(ids) = references(&list)? {
        two.host_compute_endpoints.set(ids);
    }
    let mut mappings = Vec::new();
    let mut flags = two.flags.or_default();
    for (index, policy) in policies.iter().enumerate() {
        let elb: v1::Elb = policy.settings_as();
        refuse_odd(&elb, HcnCode::HCN_E_INVALID_POLICY)
            .map_err(|error| error.below(&format!("/Policies/{index}")))?;
        if index == 0 {
            two.source_vip = elb.source_vip.clone();
            two.frontend_vips = elb.vips.clone();
        } else if two.source_vip != elb.source_vip || two.frontend_vips != elb.vips {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY,
                format!("/Policies/{index}"),
                "the policies of one list name different addresses; make a list of each",
            ));
        }
        if elb.is_dsr.or_default() {
            flags = flags | LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN;
        }
        let mut mapping = LoadBalancerPortMapping {
            protocol: elb.protocol.get().map(|number| u32::from(*number)).into(),
            internal_port: elb.internal_port.or_default().into(),
            external_port: elb.external_port.or_default().into(),
            ..LoadBalancerPortMapping::default()
        };
        if elb.ilb.or_default() {
            mapping
                .flags
                .set(LoadBalancerPortMappingFlags::ENABLE_INTERNAL_LOAD_BALANCER);
        }
        mappings.push(mapping);
    }
    two.flags.set(flags);
    if !mappings.is_empty() {
        two.port_mappings.set(mappings);
    }
    let internal = LoadBalancerInternal {
        v1_flags: list.flags.get().copied(),
        ..LoadBalancerInternal::default()
    };
    Ok((two, internal))
}

/// The SDN route of a v1 list of `ROUTE` policies.
///
/// # Errors
/// As [`to_load_balancer`].
pub(crate) fn to_sdn_route(map: &Map<String, Value>) -> Answer<(SdnRoute, SdnRouteInternal)> {
    let (list, policies) = read(map, "ROUTE")?;
    let mut two = SdnRoute::from_map(&list.extra);
    two.id = list.id.clone();
    two.host_compute_network = list.host_compute_network.clone();
    if let Some(ids) = references(&list)? {
        two.host_compute_endpoints.set(ids);
    }
    let routes: Vec<SdnRouteEntry> = policies.iter().map(v1::Policy::settings_as).collect();
    if !routes.is_empty() {
        two.routes.set(routes);
    }
    let internal = SdnRouteInternal {
        v1_flags: list.flags.get().copied(),
        ..SdnRouteInternal::default()
    };
    Ok((two, internal))
}

fn read(map: &Map<String, Value>, wanted: &str) -> Answer<(v1::PolicyList, Vec<v1::Policy>)> {
    let list = v1::PolicyList::from_map(map);
    refuse_odd(&list, HcnCode::HCN_E_INVALID_POLICY)?;
    let policies = list.policies.or_default();
    let other = policies.iter().position(|policy| !is(policy, wanted));
    if let Some(index) = other {
        let name = policies[index].policy_type.or_default();
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY_TYPE,
            format!("/Policies/{index}/Type"),
            format!(
                "{:?} is no type of this list; a list has ELB policies or ROUTE policies",
                cut(&name)
            ),
        ));
    }
    Ok((list, policies))
}

fn is(policy: &v1::Policy, wanted: &str) -> bool {
    policy
        .policy_type
        .get()
        .is_some_and(|own| own.eq_ignore_ascii_case(wanted))
}

/// The endpoints that a list refers to; none where it has no `References`.
fn references(list: &v1::PolicyList) -> Answer<Option<Vec<Id>>> {
    let Some(references) = list.references.get() else {
        return Ok(None);
    };
    let mut ids = Vec::with_capacity(references.len());
    for (index, text) in references.iter().enumerate() {
        let prefix = text.get(..ENDPOINTS.len());
        if !prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(ENDPOINTS)) {
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_JSON_REFERENCE,
                format!("/References/{index}"),
                format!("{:?} is not of the form {ENDPOINTS}<id>", cut(text)),
            ));
        }
        ids.push(Id(text[ENDPOINTS.len()..].to_owned()));
    }
    Ok(Some(ids))
}

/// The v1 answer for a load balancer.
pub(crate) fn from_load_balancer(record: &LoadBalancerRecord) -> Value {
    let two = &record.document;
    let dsr = two
        .flags
        .or_default()
        .contains(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN);
    let mut policies = Vec::new();
    for mapping in two.port_mappings.get().into_iter().flatten() {
        let ilb = mapping
            .flags
            .or_default()
            .contains(LoadBalancerPortMappingFlags::ENABLE_INTERNAL_LOAD_BALANCER);
        let elb = v1::Elb {
            protocol: mapping
                .protocol
                .get()
                .and_then(|number| u16::try_from(*number).ok())
                .into(),
            internal_port: mapping.internal_port.or_default().into(),
            external_port: mapping.external_port.or_default().into(),
            source_vip: two.source_vip.clone(),
            vips: two
                .frontend_vips
                .get()
                .filter(|list| !list.is_empty())
                .cloned()
                .into(),
            ilb: ilb.then_some(true).into(),
            is_dsr: dsr.then_some(true).into(),
            ..v1::Elb::default()
        };
        policies.push(typed("ELB", elb.to_map()));
    }
    answer(
        Common {
            id: record.id,
            activity: record.internal.activity,
            made: record.internal.made,
            flags: record.internal.v1_flags,
            network: &two.host_compute_network,
            endpoints: two.host_compute_endpoints.get(),
            version: two.version.or_default(),
        },
        policies,
    )
}

/// The v1 answer for an SDN route.
pub(crate) fn from_sdn_route(record: &SdnRouteRecord) -> Value {
    let two = &record.document;
    let routes = two.routes.get().into_iter().flatten();
    let policies = routes.map(|route| typed("ROUTE", route.to_map())).collect();
    answer(
        Common {
            id: record.id,
            activity: record.internal.activity,
            made: record.internal.made,
            flags: record.internal.v1_flags,
            network: &two.host_compute_network,
            endpoints: two.host_compute_endpoints.get(),
            version: two.version.or_default(),
        },
        policies,
    )
}

/// What both kinds of list have.
struct Common<'a> {
    id: Guid,
    activity: u128,
    made: u64,
    flags: Option<u32>,
    network: &'a hcn_schema::Field<Id>,
    endpoints: Option<&'a Vec<Id>>,
    version: u64,
}

/// In the order of the alphabet, as recorded lists are; `IsApplied` is false even on lists that work.
fn answer(common: Common<'_>, policies: Vec<v1::Policy>) -> Value {
    let references = common.endpoints.into_iter().flatten();
    let references = references
        .map(|id| format!("{ENDPOINTS}{}", id.0.to_ascii_lowercase()))
        .collect::<Vec<_>>();
    let mut map = v1::PolicyList {
        id: Id::from(common.id).into(),
        references: references.into(),
        activity_id: Id::from(Guid(common.activity)).into(),
        flags: common.flags.unwrap_or(0).into(),
        health: health(common.made).into(),
        host_compute_network: common.network.clone(),
        is_applied: false.into(),
        state: APPLIED.into(),
        version: common.version.into(),
        resources: super::resources(common.activity, 0, 1, common.made).into(),
        ..v1::PolicyList::default()
    }
    .to_map();
    map.insert("AdditionalParams".to_owned(), json!({}));
    let policies = policies.iter().map(|policy| sorted(policy.to_map()));
    map.insert("Policies".to_owned(), policies.collect());
    sorted(map)
}

fn typed(policy_type: &str, settings: Map<String, Value>) -> v1::Policy {
    v1::Policy::new(policy_type, settings)
}
