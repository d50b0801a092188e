// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP sets of a network (`SetPolicy`), by the ids that rules name.
//!
//! Apart because sets are looked up while rules are compiled and never after: a switch holds only the addresses that came of them, so a changed
//! set takes effect with the next compilation (hns-behaviour 4.7, 4.12).

use std::{collections::HashMap, net::IpAddr};

use hcn_schema::policy::network::SetPolicy;
use ipnet::IpNet;

use crate::{
    acl::{self, AclFault, Reading, SetValues, Wrong},
    classifier::{Address, Extent},
    semantics::SeveralSets,
};

/// The sets of one network.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    by_id: HashMap<String, Set>,
}

/// The addresses of one set, in each family.
#[derive(Clone, Debug)]
struct Set {
    v4: Extent<u32>,
    v6: Extent<u128>,
    /// Whether it is a set of sets.
    is_nested: bool,
}

impl Set {
    /// A nested set without members: rules that name it take every address.
    const EVERY: Set = Set {
        v4: Extent::Any,
        v6: Extent::Any,
        is_nested: true,
    };

    /// The addresses of these prefixes; none for an empty first-level set, which no address is in.
    fn of<'a>(prefixes: impl Iterator<Item = &'a IpNet> + Clone, is_nested: bool) -> Set {
        Set {
            v4: Extent::of(prefixes.clone().filter_map(u32::span).collect()),
            v6: Extent::of(prefixes.filter_map(u128::span).collect()),
            is_nested,
        }
    }
}

impl Sets {
    /// Reads sets; those that cannot be read are told and known as sets without an address.
    pub fn of(policies: &[SetPolicy]) -> (Sets, Vec<(usize, AclFault)>) {
        let mut faults = Vec::new();
        let mut read: HashMap<&str, (usize, SetValues)> = HashMap::new();
        for (place, set) in policies.iter().enumerate() {
            let mut reading = Reading::Stored(Vec::new());
            let values = acl::read_set(set, &mut reading).unwrap_or_else(|fault| {
                faults.push((place, fault));
                SetValues::Prefixes(Vec::new())
            });
            if let Reading::Stored(told) = reading {
                faults.extend(told.into_iter().map(|fault| (place, fault)));
            }
            let id = set.id.get().map_or("", String::as_str);
            // HNS has one set of an id; what was added last is what an Update would have left.
            read.insert(id, (place, values));
        }
        let mut by_id = HashMap::new();
        for (id, (place, values)) in &read {
            let set = match values {
                SetValues::Prefixes(prefixes) => Set::of(prefixes.iter(), false),
                SetValues::Sets(members) if members.is_empty() => Set::EVERY,
                SetValues::Sets(members) => {
                    let mut prefixes = Vec::new();
                    for member in members {
                        match read.get(member.as_str()) {
                            Some((_, SetValues::Prefixes(own))) => prefixes.extend(own),
                            // Real sets nest once (hns-behaviour 4.12); deeper, a set could hold itself.
                            Some((_, SetValues::Sets(_))) | None => faults.push((
                                *place,
                                AclFault::new("Values", member.clone(), Wrong::UnknownSet),
                            )),
                        }
                    }
                    Set::of(prefixes.into_iter(), true)
                }
            };
            by_id.insert((*id).to_owned(), set);
        }
        faults.sort_by(|(place, fault), (other_place, other)| {
            (place, &fault.value).cmp(&(other_place, &other.value))
        });
        (Sets { by_id }, faults)
    }

    /// Whether there is a set of this id.
    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether a set is one of sets; `None` where there is no set of this id.
    pub fn is_nested(&self, id: &str) -> Option<bool> {
        self.by_id.get(id).map(|set| set.is_nested)
    }

    /// Whether an address is in a set; `None` where there is no set of this id.
    pub(crate) fn holds(&self, id: &str, address: IpAddr) -> Option<bool> {
        let set = self.by_id.get(id)?;
        Some(match address {
            IpAddr::V4(address) => set.v4.contains(address.into()),
            IpAddr::V6(address) => set.v6.contains(address.into()),
        })
    }

    /// Whether no address of either family is in a set; `None` where there is no set of this id.
    pub fn is_empty(&self, id: &str) -> Option<bool> {
        let set = self.by_id.get(id)?;
        Some(set.v4.is_none() && set.v6.is_none())
    }

    /// Whether every address is in a set: a nested one without members. `None` where there is no set of this id.
    pub fn is_every(&self, id: &str) -> Option<bool> {
        let set = self.by_id.get(id)?;
        Some(set.v4 == Extent::Any && set.v6 == Extent::Any)
    }

    /// The addresses of one family that a field means by these sets; any where it names none.
    pub(crate) fn extent<A: Address>(&self, ids: &[String], several: SeveralSets) -> Extent<A> {
        let mut extents = ids.iter().map(|id| match self.by_id.get(id) {
            Some(set) => A::choose(&set.v4, &set.v6).clone(),
            None => Extent::none(),
        });
        let Some(first) = extents.next() else {
            return Extent::Any;
        };
        extents.fold(first, |all, next| match several {
            SeveralSets::Intersection => all.intersection(&next),
            SeveralSets::Union => all.union(&next),
        })
    }
}
