// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modify requests to a network.
//!
//! Source: hns-behaviour 2.11 and 4.12.

use hcn_api::{Answer, HcnCode, HnsError, Kind};
use hcn_schema::{
    Document, Guid, Id, Network, Policy, Shape,
    modify::{
        ExtensionSettings, IpSubnetSettings, ModifyRequest, NetworkResourceType, PolicySettings,
        RequestType, SubnetSettings,
    },
    network::{Dns, Ipam, Subnet},
    policy::{NetworkPolicy, network::SetPolicyType},
};
use serde_json::{Map, Value, json};

use super::{NetworkRecord, address, policies, settle_subnet};
use crate::{
    change::Change,
    document::{object, refuse_odd},
    endpoint::EndpointRecord,
    policy_number::{NETWORK, in_words},
};

/// Carries out a request.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` for what a network cannot do; else those of the policy or subnet.
pub(crate) fn modify(change: &mut Change<'_>, id: Guid, settings: &str) -> Answer<()> {
    let mut record: NetworkRecord = change.view.load(id)?;
    let request = ModifyRequest::from_map(&object(settings)?);
    let resource = request
        .resource_type
        .get()
        .and_then(NetworkResourceType::read);
    let verb = request_type(&request)?;
    let given = request
        .settings
        .get()
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    use {NetworkResourceType as Resource, RequestType as Verb};
    match (resource, verb) {
        (Some(Resource::Policy), Verb::Add) => add_policies(change, &mut record, &given)?,
        (Some(Resource::Policy), Verb::Remove) => remove_policies(change, &mut record, &given)?,
        (Some(Resource::Policy), Verb::Update) => update_policies(change, &mut record, &given)?,
        (Some(Resource::Dns), Verb::Update) => record.document.dns.set(Dns::from_map(&given)),
        (Some(Resource::Extension), Verb::Update) => set_extension(&mut record, &given)?,
        (Some(Resource::Subnet), Verb::Add) => add_subnets(change, &mut record, &given)?,
        (Some(Resource::Subnet), Verb::Remove) => remove_subnets(&mut record, &given)?,
        (Some(Resource::IpSubnet), Verb::Add | Verb::Remove) => {
            change_ranges(change, &mut record, &given, verb)?
        }
        _ => return Err(unsupported("network", &request)),
    }
    change.update(&record)
}

/// The request's verb.
///
/// # Errors
/// `HCN_E_REQUEST_UNSUPPORTED` where there is none or an unknown one.
pub(crate) fn request_type(request: &ModifyRequest) -> Answer<RequestType> {
    request.request_type.get().copied().ok_or_else(|| {
        let detail = match request.request_type.odd() {
            Some(odd) => {
                format!("{odd} is no type of request; Add, Remove, Update, Refresh and Reset are")
            }
            None => "the request has no RequestType".to_owned(),
        };
        HnsError::at(HcnCode::HCN_E_REQUEST_UNSUPPORTED, "/RequestType", detail)
    })
}

/// The failure of a request that an object of the kind cannot do.
pub(crate) fn unsupported(kind: &str, request: &ModifyRequest) -> HnsError {
    let word =
        |value: Option<Value>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    HnsError::at(
        HcnCode::HCN_E_REQUEST_UNSUPPORTED,
        "/ResourceType",
        format!(
            "a {kind} cannot do RequestType {} on ResourceType {}",
            word(request.request_type.write()),
            word(request.resource_type.write())
        ),
    )
}

fn given_policies(given: &Map<String, Value>) -> Answer<Vec<Policy>> {
    let settings = PolicySettings::from_map(given);
    refuse_odd(&settings, HcnCode::HCN_E_INVALID_JSON).map_err(|error| error.below("/Settings"))?;
    Ok(in_words(settings.policies.or_default(), NETWORK))
}

fn at_policy(index: usize) -> impl Fn(HnsError) -> HnsError {
    move |error| error.below(&format!("/Settings/Policies/{index}"))
}

fn add_policies(
    change: &Change<'_>,
    record: &mut NetworkRecord,
    given: &Map<String, Value>,
) -> Answer<()> {
    for (index, policy) in given_policies(given)?.into_iter().enumerate() {
        policies::admit(change.profile, &record.document, &policy).map_err(at_policy(index))?;
        refuse_second(&record.document, &policy).map_err(at_policy(index))?;
        record
            .document
            .policies
            .edit()
            .push(policies::stored_form(policy));
    }
    Ok(())
}

/// One instance only: `HostRoute`, and a set of one id.
pub(super) fn refuse_second(network: &Network, policy: &Policy) -> Answer<()> {
    let known = network.policies.get().into_iter().flatten();
    match NetworkPolicy::of(policy) {
        NetworkPolicy::HostRoute(_) if known.clone().any(|other| other.is("HostRoute")) => {
            Err(HnsError::at(
                HcnCode::HCN_E_POLICY_ALREADY_EXISTS,
                "/Type",
                "the network has a HostRoute already",
            ))
        }
        NetworkPolicy::SetPolicy(set) => {
            let id = set.id.or_default();
            if policies::sets(network).any(|other| other.id.get() == Some(&id)) {
                let detail = format!("the network has a set {id:?} already; use Update");
                return Err(HnsError::at(
                    HcnCode::HCN_E_POLICY_ALREADY_EXISTS,
                    "/Settings/Id",
                    detail,
                ));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Removes the first policy of the same type and settings, each; sets are found by id. What matches nothing is ignored.
fn remove_policies(
    change: &Change<'_>,
    record: &mut NetworkRecord,
    given: &Map<String, Value>,
) -> Answer<()> {
    for (index, policy) in given_policies(given)?.into_iter().enumerate() {
        if let NetworkPolicy::SetPolicy(set) = NetworkPolicy::of(&policy) {
            let id = set.id.or_default();
            refuse_referenced(&record.document, &id).map_err(at_policy(index))?;
            refuse_ruled(change, record, &id).map_err(at_policy(index))?;
        }
        let stored = record.document.policies.edit();
        if let Some(position) = stored.iter().position(|other| same(other, &policy)) {
            stored.remove(position);
        }
    }
    if record.document.policies.get().is_some_and(Vec::is_empty) {
        record.document.policies.clear();
    }
    Ok(())
}

fn refuse_referenced(network: &Network, id: &str) -> Answer<()> {
    let nested = policies::sets(network).find(|set| {
        set.policy_type.get() == Some(&SetPolicyType::NestedIpSet)
            && set
                .values
                .or_default()
                .split(',')
                .any(|inner| inner.trim() == id)
    });
    match nested {
        Some(set) => Err(HnsError::at(
            HcnCode::HCN_E_ENTITY_HAS_REFERENCES,
            "/Settings/Id",
            format!(
                "the set {:?} names {id:?}; remove that one first",
                set.id.or_default()
            ),
        )),
        None => Ok(()),
    }
}

/// Rules that name a set go before it (hns-behaviour 4.12).
fn refuse_ruled(change: &Change<'_>, record: &NetworkRecord, id: &str) -> Answer<()> {
    let named = |owner: String| {
        Err(HnsError::at(
            HcnCode::HCN_E_ENTITY_HAS_REFERENCES,
            "/Settings/Id",
            format!("a rule of {owner} names the set {id:?}; remove that one first"),
        ))
    };
    let own = record.document.policies.get().into_iter().flatten();
    if own.clone().any(|policy| policies::rule_names(policy, id)) {
        return named("the network".to_owned());
    }
    for row in change.view.rows(Kind::Endpoint, None, Some(record.id))? {
        let endpoint: EndpointRecord = row.record()?;
        let mut policies = endpoint.document.policies.get().into_iter().flatten();
        if policies.any(|policy| policies::rule_names(policy, id)) {
            return named(format!("endpoint {}", endpoint.id));
        }
    }
    Ok(())
}

fn same(one: &Policy, other: &Policy) -> bool {
    if let (NetworkPolicy::SetPolicy(one), NetworkPolicy::SetPolicy(other)) =
        (NetworkPolicy::of(one), NetworkPolicy::of(other))
    {
        return one.id == other.id;
    }
    other.policy_type.get().is_some_and(|own| one.is(own))
        && one.settings.or_default() == other.settings.or_default()
}

/// Update writes sets that exist (others are skipped without a word, hns-behaviour 4.12) and replaces policies of the other types sent.
fn update_policies(
    change: &Change<'_>,
    record: &mut NetworkRecord,
    given: &Map<String, Value>,
) -> Answer<()> {
    let given = given_policies(given)?;
    for (index, policy) in given.iter().enumerate() {
        policies::admit(change.profile, &record.document, policy).map_err(at_policy(index))?;
    }
    let mut stored = record.document.policies.or_default();
    let mut cleared: Vec<String> = Vec::new();
    for policy in given.into_iter().map(policies::stored_form) {
        if policy.is("SetPolicy") {
            if let Some(own) = stored.iter_mut().find(|own| same(own, &policy)) {
                *own = policy;
            }
            continue;
        }
        let own_type = policy.policy_type.or_default().to_ascii_lowercase();
        if !cleared.contains(&own_type) {
            stored.retain(|own| !own.is(&own_type));
            cleared.push(own_type);
        }
        stored.push(policy);
    }
    record.document.policies.set(stored);
    Ok(())
}

/// Keeps the switch of an extension in the v1 part, where answers show it.
fn set_extension(record: &mut NetworkRecord, given: &Map<String, Value>) -> Answer<()> {
    let extension = ExtensionSettings::from_map(given);
    let id = extension.id.get().and_then(Id::guid).ok_or_else(|| {
        HnsError::at(
            HcnCode::HCN_E_GUID_CONVERSION_FAILURE,
            "/Settings/Id",
            "the extension's Id is missing or is not a GUID",
        )
    })?;
    let switches = record
        .internal
        .v1
        .entry("ExtensionSwitches")
        .or_insert_with(|| json!({}));
    if let Some(switches) = switches.as_object_mut() {
        switches.insert(id.upper(), Value::Bool(extension.is_enabled.or_default()));
    }
    Ok(())
}

fn add_subnets(
    change: &Change<'_>,
    record: &mut NetworkRecord,
    given: &Map<String, Value>,
) -> Answer<()> {
    let settings = SubnetSettings::from_map(given);
    refuse_odd(&settings, HcnCode::HCN_E_INVALID_SUBNET)
        .map_err(|error| error.below("/Settings"))?;
    for (index, mut subnet) in settings.subnets.or_default().into_iter().enumerate() {
        let field = format!("/Settings/Subnets/{index}");
        let prefix =
            settle_subnet(change, &mut subnet, false).map_err(|error| error.below(&field))?;
        if let Some(clash) = address::subnets(&record.document)
            .into_iter()
            .find(|own| address::overlap(&own.prefix, &prefix))
        {
            let detail = format!("{prefix} overlaps the network's subnet {}", clash.prefix);
            return Err(HnsError::at(HcnCode::HCN_E_INVALID_SUBNET, field, detail));
        }
        let ipams = record.document.ipams.edit();
        if ipams.is_empty() {
            ipams.push(Ipam::default());
        }
        ipams[0].subnets.edit().push(subnet);
    }
    Ok(())
}

fn remove_subnets(record: &mut NetworkRecord, given: &Map<String, Value>) -> Answer<()> {
    // By {ID}, or by a list of subnets with their ids.
    let mut ids: Vec<Guid> = SubnetSettings::from_map(given)
        .subnets
        .or_default()
        .iter()
        .filter_map(|subnet| subnet.id.get()?.guid())
        .collect();
    ids.extend(Subnet::from_map(given).id.get().and_then(Id::guid));
    for id in ids {
        let mut found = false;
        for ipam in record.document.ipams.edit() {
            let subnets = ipam.subnets.edit();
            let before = subnets.len();
            subnets.retain(|subnet| subnet.id.get().and_then(Id::guid) != Some(id));
            found |= subnets.len() < before;
        }
        if !found {
            return Err(HnsError::at(
                HcnCode::HCN_E_SUBNET_NOT_FOUND,
                "/Settings",
                format!("the network has no subnet {id}"),
            ));
        }
    }
    Ok(())
}

fn change_ranges(
    change: &Change<'_>,
    record: &mut NetworkRecord,
    given: &Map<String, Value>,
    verb: RequestType,
) -> Answer<()> {
    let settings = IpSubnetSettings::from_map(given);
    refuse_odd(&settings, HcnCode::HCN_E_INVALID_IP_SUBNET)
        .map_err(|error| error.below("/Settings"))?;
    let id = settings.subnet_id.get().and_then(Id::guid);
    let subnet = record
        .document
        .ipams
        .edit()
        .iter_mut()
        .flat_map(|ipam| ipam.subnets.edit())
        .find(|subnet| id.is_some() && subnet.id.get().and_then(Id::guid) == id)
        .ok_or_else(|| {
            let text = settings.subnet_id.or_default().0;
            HnsError::at(
                HcnCode::HCN_E_SUBNET_NOT_FOUND,
                "/Settings/SubnetId",
                format!("the network has no subnet {text:?}"),
            )
        })?;
    for range in settings.ip_subnets.or_default() {
        let ranges = subnet.ip_subnets.edit();
        match verb {
            RequestType::Add => ranges.push(range),
            _ => ranges
                .retain(|own| own.id.get().and_then(Id::guid) != range.id.get().and_then(Id::guid)),
        }
    }
    settle_subnet(change, subnet, false).map_err(|error| error.below("/Settings"))?;
    Ok(())
}
