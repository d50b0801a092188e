// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP sets of networks: empty ones, such as nobody names, values without a meaning.
//!
//! Apart from the rules, which are an endpoint's: a set is the network's, and what names it is on many endpoints.

use std::collections::HashSet;

use hcn_engine::{acl::Wrong, sets::Sets};
use hcn_schema::{
    Network, Policy,
    policy::{
        Acl, AclAction,
        network::{SetPolicy, SetPolicyType},
    },
};

use super::{
    finding::{Evidence, Finding, place, place_of},
    fix::{Edit, Fix},
    rules::{self, Ruled},
    subject::{Known, Subject},
};

/// Looks at the sets of every network, and at the rules that name them.
pub(super) fn check<'a>(
    subject: &Subject,
    ruled: impl Iterator<Item = &'a Ruled<'a>>,
    found: &mut Vec<Finding>,
) {
    for endpoint in ruled {
        named(endpoint, found);
    }
    for network in subject.networks.iter().filter(|known| known.is_whole) {
        let sets = sets(&network.document);
        values(network, subject, &sets, found);
        unreferenced(network, subject, &sets, found);
    }
}

/// The sets of a network, each with its place among the policies.
fn sets(network: &Network) -> Vec<(usize, &Policy, SetPolicy)> {
    let policies = network.policies.get().into_iter().flatten().enumerate();
    let sets = policies.filter(|(_, policy)| policy.is("SetPolicy"));
    sets.map(|(place, policy)| (place, policy, policy.settings_as()))
        .collect()
}

/// Sets that rules name, and that have nobody in them, or everybody.
fn named(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    let Some(network) = endpoint.network else {
        return;
    };
    let of_network = sets(&network.document);
    for own in &endpoint.rules {
        let Some(rule) = &own.rule else {
            continue;
        };
        let sides = [
            ("LocalAddresses", &rule.local_addresses),
            ("RemoteAddresses", &rule.remote_addresses),
        ];
        for (member, addresses) in sides {
            for id in &addresses.sets {
                let set = of_network
                    .iter()
                    .find(|(_, _, set)| set.id.get() == Some(id));
                let evidence = set.map(|(place, _, _)| {
                    place_of(
                        &network.name,
                        &format!("/Policies/{place}"),
                        format!("the set {id}"),
                    )
                });
                let finding = |check, message: String| {
                    Finding::new(check, endpoint.name, own.member(member), message)
                        .with([endpoint.evidence(own)])
                        .with(evidence.clone())
                };
                if endpoint.sets.is_every(id) == Some(true) {
                    let message =
                        format!("the nested set {id} has no members, so it matches every address");
                    let finding = finding("empty-nested-set", message);
                    found.push(match rule.action {
                        AclAction::Allow => finding,
                        AclAction::Block | AclAction::Pass => finding.noted(),
                    });
                } else if endpoint.sets.is_empty(id) == Some(true)
                    && !set.is_some_and(|(_, _, set)| is_unreadable(set))
                {
                    found.push(finding(
                        "empty-set",
                        format!("the set {id} has no addresses, so the rule matches nothing"),
                    ));
                }
            }
        }
    }
}

/// Whether a set has no addresses only because it cannot be read, which is told of the set itself.
fn is_unreadable(set: &SetPolicy) -> bool {
    // Members of a nested set are other sets, which are not asked here.
    let faults = Sets::of(std::slice::from_ref(set)).1;
    faults
        .iter()
        .any(|(_, fault)| !matches!(fault.reason, Wrong::UnknownSet))
}

/// Values that are no address and no set.
fn values(
    network: &Known<Network>,
    subject: &Subject,
    sets: &[(usize, &Policy, SetPolicy)],
    found: &mut Vec<Finding>,
) {
    let documents: Vec<SetPolicy> = sets.iter().map(|(_, _, set)| set.clone()).collect();
    for (number, fault) in Sets::of(&documents).1 {
        let (own, policy, set) = &sets[number];
        let at = rules::settings_at(policy);
        let pointer = format!("/Policies/{own}{at}{}", fault.pointer());
        let written = network.value.pointer(&pointer).map(crate::render::plain);
        let rules = namers(subject, network, &set.id.or_default());
        found.push(
            Finding::new("unreadable-set", &network.name, &pointer, fault.to_string())
                .with([place(&pointer, written.unwrap_or_default())])
                .with(rules),
        );
    }
}

/// Rules of the network's endpoints that name a set: the first few.
fn namers(subject: &Subject, network: &Known<Network>, id: &str) -> Vec<Evidence> {
    const SHOWN: usize = 3;
    let mut all = Vec::new();
    for endpoint in &subject.endpoints {
        let on = endpoint.document.host_compute_network.get();
        if on.and_then(hcn_schema::Id::guid) != Some(network.name.id) {
            continue;
        }
        let policies = endpoint.document.policies.get().into_iter().flatten();
        for (number, policy) in policies.enumerate().filter(|(_, policy)| policy.is("ACL")) {
            let acl: Acl = policy.settings_as();
            let sides = [&acl.local_addresses, &acl.remote_addresses];
            let names = sides.into_iter().any(|side| {
                let items = side.get().into_iter().flat_map(|text| text.split(','));
                items.into_iter().any(|item| item.trim() == id)
            });
            if names && all.len() < SHOWN {
                let words = crate::render::rule::words(&acl);
                all.push(place_of(
                    &endpoint.name,
                    &format!("/Policies/{number}"),
                    words,
                ));
            }
        }
    }
    all
}

/// Sets that neither a rule nor a nested set names.
fn unreferenced(
    network: &Known<Network>,
    subject: &Subject,
    sets: &[(usize, &Policy, SetPolicy)],
    found: &mut Vec<Finding>,
) {
    let mut named: HashSet<String> = HashSet::new();
    let mut name = |text: Option<&String>| {
        let items = text.into_iter().flat_map(|text| text.split(','));
        named.extend(items.map(|item| item.trim().to_owned()));
    };
    let mut rule = |acl: &Acl| {
        name(acl.local_addresses.get());
        name(acl.remote_addresses.get());
    };
    let mut endpoints = 0;
    for endpoint in &subject.endpoints {
        let on = endpoint.document.host_compute_network.get();
        if on.and_then(hcn_schema::Id::guid) != Some(network.name.id) {
            continue;
        }
        endpoints += 1;
        // What a cut list does not show may name any set.
        if !endpoint.is_whole {
            return;
        }
        for policy in endpoint.document.policies.get().into_iter().flatten() {
            if policy.is("ACL") {
                rule(&policy.settings_as());
            } else if policy.is("TierAcl") {
                let tier: hcn_schema::policy::acl::TierAcl = policy.settings_as();
                for own in tier.rules.get().into_iter().flatten() {
                    rule(&crate::render::rule::of_tier(&tier.direction, own));
                }
            }
        }
    }
    // A listing of networks alone does not tell who names their sets.
    if endpoints == 0 {
        return;
    }
    for policy in network.document.policies.get().into_iter().flatten() {
        if policy.is("NetworkACL") {
            rule(&policy.settings_as());
        }
    }
    for (_, _, set) in sets {
        if set.policy_type.get() == Some(&SetPolicyType::NestedIpSet) {
            name(set.values.get());
        }
    }
    for (number, _, set) in sets {
        let id = set.id.or_default();
        if !id.is_empty() && !named.contains(&id) {
            let pointer = format!("/Policies/{number}");
            let message = format!("no rule and no nested set names the set {id}");
            let values = set.values.or_default();
            let members = values
                .split(',')
                .filter(|item| !item.trim().is_empty())
                .count();
            let text = format!("{members} members; {endpoints} endpoints have no rule with it");
            found.push(
                Finding::new("unreferenced-set", &network.name, &pointer, message)
                    .with([place(&pointer, text)])
                    .fixed_by(Fix::without_effect(
                        "take it away if nobody adds rules for it",
                        vec![Edit::Remove(pointer)],
                    )),
            );
        }
    }
}
