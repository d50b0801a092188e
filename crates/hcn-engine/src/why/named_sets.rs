// SPDX-License-Identifier: MIT OR Apache-2.0
//! The IP sets that a rule names, and whether the packet's addresses are in them.
//!
//! Apart because a rule is kept without its sets, only with the addresses that came of them: what a reader asks about a set is read again from
//! the documents, of the few rules that are shown.

use std::{collections::HashMap, net::IpAddr};

use hcn_schema::{
    Guid, Policy,
    policy::{Acl, acl::TierAcl, network::SetPolicy},
};

use super::{
    Inquiry, sets_of,
    stages::{Rule, StageReport},
};
use crate::{flow::Flow, sets::Sets, switch::PortIndex, way::Start};

/// An IP set that a rule names. In `LocalAddresses` it means the packet's source, in `RemoteAddresses` its destination, whichever the direction
/// (hns-behaviour 4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSet {
    /// The field that names it.
    pub field: super::Field,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The address of the packet that it is asked for.
    pub address: IpAddr,
    /// Whether the address is in it.
    pub holds: bool,
    /// Whether it is a set of sets.
    pub is_nested: bool,
    /// What its document says that it holds: addresses, or ids of sets.
    pub values: Vec<String>,
}

impl Inquiry<'_> {
    /// Notes the sets of rules that are shown.
    pub(super) fn name_sets(
        &self,
        (start, flow): (Start, &Flow),
        port: PortIndex,
        seen: &Flow,
        reports: &mut [StageReport],
    ) {
        let documents = self.documents_on_the_way(start, flow);
        let own = documents.iter().find(|(number, ..)| *number == port);
        let Some((_, endpoint, Some(network))) = own else {
            return;
        };
        let of_network: &[Policy] = network.policies.get().map_or(&[], Vec::as_slice);
        if !of_network.iter().any(|policy| policy.is("SetPolicy")) {
            return;
        }
        let sets = sets_of(network);
        let by_id: HashMap<String, SetPolicy> = of_network
            .iter()
            .filter(|policy| policy.is("SetPolicy"))
            .map(|policy| policy.settings_as::<SetPolicy>())
            .map(|set| (set.id.or_default(), set))
            .collect();
        let id = |id: Option<&hcn_schema::Id>| id.and_then(hcn_schema::Id::guid);
        let of_endpoint: &[Policy] = endpoint.policies.get().map_or(&[], Vec::as_slice);
        let objects = [
            (id(endpoint.id.get()), of_endpoint),
            (id(network.id.get()), of_network),
        ];
        let how = self.once(&self.semantics);
        let named = |rule: &Rule| {
            let pointer = rule.pointer.strip_prefix("/Policies/")?;
            let (place, inside) = pointer.split_once('/').unwrap_or((pointer, ""));
            let place: usize = place.parse().ok()?;
            let inside = inside.rsplit('/').next().and_then(|own| own.parse().ok());
            let (_, policies) = objects.iter().find(|(own, _)| *own == Some(rule.object))?;
            let object: Guid = rule.object;
            let (_, policy) = how
                .policies(object, policies)
                .find(|(own, _)| *own == place)?;
            Some(of_rule(policy, inside, seen, &sets, &by_id))
        };
        for report in reports {
            let nearest = report.stronger.nearest.iter_mut();
            let nearest = nearest.map(|near| &mut near.rule);
            for rule in report.decider.iter_mut().chain(nearest) {
                rule.sets = named(rule).unwrap_or_default();
            }
        }
    }
}

fn of_rule(
    policy: &Policy,
    inside: Option<usize>,
    seen: &Flow,
    sets: &Sets,
    by_id: &HashMap<String, SetPolicy>,
) -> Vec<NamedSet> {
    let (local, remote) = match inside {
        Some(number) => {
            let tier: TierAcl = policy.settings_as();
            let rules = tier.rules.get().map_or(&[][..], Vec::as_slice);
            let rule = rules.get(number);
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            (
                text(rule.and_then(|rule| rule.local_addresses.get())),
                text(rule.and_then(|rule| rule.remote_addresses.get())),
            )
        }
        None => {
            let acl: Acl = policy.settings_as();
            (
                acl.local_addresses.or_default(),
                acl.remote_addresses.or_default(),
            )
        }
    };
    let fields = [
        (super::Field::LocalAddresses, local, seen.source),
        (super::Field::RemoteAddresses, remote, seen.destination),
    ];
    let mut named = Vec::new();
    for (field, text, address) in fields {
        for id in text.split(',').map(str::trim) {
            let (Some(holds), Some(is_nested)) = (sets.holds(id, address), sets.is_nested(id))
            else {
                continue;
            };
            let document = by_id.get(id);
            let values = document.map(|set| set.values.or_default());
            let values = values.unwrap_or_default();
            let values = values.split(',').map(str::trim);
            named.push(NamedSet {
                field,
                id: id.to_owned(),
                name: document
                    .map(|set| set.name.or_default())
                    .unwrap_or_default(),
                address,
                holds,
                is_nested,
                values: values
                    .filter(|own| !own.is_empty())
                    .map(str::to_owned)
                    .collect(),
            });
        }
    }
    named
}
