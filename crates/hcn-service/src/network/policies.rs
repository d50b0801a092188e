// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which network policies are admitted.
//!
//! Source: hns-behaviour 2.9, 2.12 and 4.12.

use std::net::IpAddr;

use hcn_api::{Answer, Feature, HcnCode, HnsError};
use hcn_schema::{
    Field, Network, Policy,
    policy::{
        Acl, NetworkPolicy,
        acl::TierAcl,
        network::{SetPolicy, SetPolicyType},
    },
};

use ipnet::IpNet;

use crate::{
    endpoint::policies::{refuse_bad_acl, refuse_bad_proxy},
    profile::Profile,
};

/// Checks one policy against the version and against itself.
///
/// # Errors
/// `HCN_E_INVALID_POLICY_TYPE` for a type that this HNS does not know, `HCN_E_INVALID_POLICY` for bad settings.
pub(crate) fn admit(profile: &Profile, network: &Network, policy: &Policy) -> Answer<()> {
    let typed = NetworkPolicy::of(policy);
    let feature = match &typed {
        NetworkPolicy::Other(other) => {
            let name = other.policy_type.or_default();
            return Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY_TYPE,
                "/Type",
                if name.is_empty() {
                    "the policy has no Type".to_owned()
                } else if name.eq_ignore_ascii_case("VLAN") {
                    // Newer builds list a VLAN policy on the default nat network (hns-behaviour 2.14).
                    return Ok(());
                } else {
                    format!("{name:?} is no type of network policy")
                },
            ));
        }
        NetworkPolicy::SetPolicy(set)
            if set.policy_type.get() == Some(&SetPolicyType::NestedIpSet) =>
        {
            Some(Feature::NestedIpSet)
        }
        NetworkPolicy::SetPolicy(_) => Some(Feature::SetPolicy),
        NetworkPolicy::NetworkAcl(_) => Some(Feature::NetworkAcl),
        NetworkPolicy::VxlanPort(_) => Some(Feature::VxlanPort),
        NetworkPolicy::L4Proxy(_) => Some(Feature::L4Proxy),
        _ => None,
    };
    refuse_without_feature(profile, policy, feature)?;
    let is_rule = matches!(typed, NetworkPolicy::NetworkAcl(_));
    if let Some((pointer, value)) = NetworkPolicy::odd_fields(policy)
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
    match &typed {
        NetworkPolicy::NetworkAcl(acl) => refuse_bad_acl(profile, acl, &set_ids(network))
            .map_err(|error| error.below("/Settings")),
        NetworkPolicy::SetPolicy(set) if set.id.get().is_none_or(String::is_empty) => {
            Err(HnsError::at(
                HcnCode::HCN_E_INVALID_POLICY,
                "/Settings/Id",
                "the set has no Id, by which rules name it",
            ))
        }
        NetworkPolicy::SetPolicy(set) => refuse_bad_values(network, set),
        NetworkPolicy::L4Proxy(proxy) => {
            refuse_bad_proxy(proxy).map_err(|error| error.below("/Settings"))
        }
        _ => Ok(()),
    }
}

/// Values are addresses and prefixes, or in a set of sets the ids of sets that are there (hns-behaviour 4.12).
fn refuse_bad_values(network: &Network, set: &SetPolicy) -> Answer<()> {
    let nested = set.policy_type.get() == Some(&SetPolicyType::NestedIpSet);
    let values = set.values.or_default();
    for value in values
        .split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty())
    {
        let detail = if nested {
            if sets(network).any(|other| other.id.get().is_some_and(|id| id == value)) {
                continue;
            }
            format!("there is no set {value:?}; make the inner sets first")
        } else {
            if value.parse::<IpAddr>().is_ok() || value.parse::<IpNet>().is_ok() {
                continue;
            }
            format!("{value:?} is neither an address nor a prefix")
        };
        return Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY,
            "/Settings/Values",
            detail,
        ));
    }
    Ok(())
}

/// Whether a policy is a rule that names a set.
pub(crate) fn rule_names(policy: &Policy, id: &str) -> bool {
    const RULES: [&str; 2] = ["ACL", "NetworkACL"];
    let names = |text: &Field<String>| {
        text.get()
            .is_some_and(|text| text.split(',').any(|token| token.trim() == id))
    };
    if RULES.iter().any(|rule| policy.is(rule)) {
        let acl: Acl = policy.settings_as();
        return names(&acl.local_addresses) || names(&acl.remote_addresses);
    }
    if policy.is("TierAcl") {
        let tier: TierAcl = policy.settings_as();
        let mut rules = tier.rules.get().into_iter().flatten();
        return rules.any(|rule| names(&rule.local_addresses) || names(&rule.remote_addresses));
    }
    false
}

/// The form in which a policy is stored: its type by the canonical word, which clients compare (hns-behaviour 2.12).
pub(crate) fn stored_form(mut policy: Policy) -> Policy {
    policy.canonical_keys();
    gather_settings(&mut policy);
    if let Some(word) = NetworkPolicy::TYPES.iter().find(|word| policy.is(word)) {
        policy.policy_type.set((*word).to_owned());
    }
    policy
}

/// Old samples put the settings beside the type (hns-behaviour 2.3); they are kept where all others are.
pub(crate) fn gather_settings(policy: &mut Policy) {
    if policy.settings.is_absent() && !policy.extra.is_empty() {
        policy.settings.set(std::mem::take(&mut policy.extra));
    }
}

/// Refuses what the version does not have.
pub(crate) fn refuse_without_feature(
    profile: &Profile,
    policy: &Policy,
    feature: Option<Feature>,
) -> Answer<()> {
    match feature {
        Some(feature) if !profile.has(feature, profile.version) => Err(HnsError::at(
            HcnCode::HCN_E_INVALID_POLICY_TYPE,
            "/Type",
            format!(
                "HNS {} does not have {} ({})",
                profile.version,
                policy.policy_type.or_default(),
                feature.key()
            ),
        )),
        _ => Ok(()),
    }
}

/// Ids of the sets of a network.
pub(crate) fn set_ids(network: &Network) -> Vec<String> {
    sets(network)
        .filter_map(|set| set.id.get().cloned())
        .collect()
}

/// The sets of a network.
pub(crate) fn sets(network: &Network) -> impl Iterator<Item = SetPolicy> {
    network
        .policies
        .get()
        .into_iter()
        .flatten()
        .filter_map(|policy| match NetworkPolicy::of(policy) {
            NetworkPolicy::SetPolicy(set) => Some(set),
            _ => None,
        })
}
