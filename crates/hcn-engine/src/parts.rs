// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came to HNS with some version and has a part in verdicts: types of policies, sets in rules, direct server return, IPv6 beside IPv4.
//!
//! Apart from the versions, which the engine does not know: a profile says which parts its HNS has, and here is said which of them a document
//! uses. What stands in a document and is no part of the HNS is left out as if it were not there (Q63), for the default deny too.

use std::{fmt, net::IpAddr};

use hcn_schema::{
    Endpoint, LoadBalancer, Policy,
    load_balancer::LoadBalancerFlags,
    policy::{Acl, acl::TierAcl},
};

use crate::{flow::Flow, sets::Sets};

macro_rules! parts {
    ($( $(#[$meta:meta])* $part:ident $bit:literal $key:literal $words:literal; )*) => {
        /// Something that not every version of HNS has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Part { $( $(#[$meta])* $part, )* }

        impl Part {
            /// Every part.
            pub const ALL: &'static [Part] = &[$(Part::$part),*];

            /// The name of its switch.
            pub fn key(self) -> &'static str {
                match self { $(Part::$part => $key,)* }
            }

            const fn bit(self) -> u8 {
                match self { $(Part::$part => 1 << $bit,)* }
            }
        }

        impl fmt::Display for Part {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Part::$part => $words,)* })
            }
        }
    };
}

parts! {
    /// `TierAcl`.
    TierAcl 0 "tier-acl" "TierAcl";
    /// `NetworkACL`.
    NetworkAcl 1 "network-acl" "NetworkACL";
    /// `SetPolicy`, and rules that name a set.
    SetPolicy 2 "set-policy" "SetPolicy";
    /// Sets of sets, and rules that name one.
    NestedIpSet 3 "nested-ip-set" "a set of sets";
    /// Protocol 252 in a rule.
    Protocol252 4 "protocol-252" "protocol 252 in a rule";
    /// Direct server return of load balancers.
    DirectServerReturn 5 "direct-server-return" "direct server return";
    /// Addresses of an endpoint that has IPv4 ones too.
    Ipv6 6 "ipv6-dual-stack" "IPv6 beside IPv4";
}

/// Some parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Parts(u8);

impl Parts {
    /// None.
    pub const NONE: Parts = Parts(0);

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a part is among them.
    pub fn has(self, part: Part) -> bool {
        self.0 & part.bit() != 0
    }

    /// These, with or without a part.
    #[must_use]
    pub fn with(self, part: Part, is_in: bool) -> Parts {
        match is_in {
            true => Parts(self.0 | part.bit()),
            false => Parts(self.0 & !part.bit()),
        }
    }

    /// Those that are among others too.
    #[must_use]
    pub fn and(self, others: Parts) -> Parts {
        Parts(self.0 & others.0)
    }

    /// Those that are among the one or the other, and not both.
    #[must_use]
    pub fn except_common(self, others: Parts) -> Parts {
        Parts(self.0 ^ others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Part> {
        let all = Part::ALL.iter().copied();
        all.filter(move |part| self.has(*part))
    }

    fn add(&mut self, other: Parts) {
        self.0 |= other.0;
    }
}

impl FromIterator<Part> for Parts {
    fn from_iter<T: IntoIterator<Item = Part>>(parts: T) -> Self {
        let parts = parts.into_iter();
        parts.fold(Parts::NONE, |all, part| all.with(part, true))
    }
}

/// The parts that an `ACL` or `NetworkACL` uses by what it names.
pub(crate) fn of_acl(acl: &Acl, sets: &Sets) -> Parts {
    of_texts(
        acl.protocols.get(),
        [acl.local_addresses.get(), acl.remote_addresses.get()],
        sets,
    )
}

/// The parts that a `TierAcl` uses, itself included.
pub(crate) fn of_tier(tier: &TierAcl, sets: &Sets) -> Parts {
    let mut parts = Parts::NONE.with(Part::TierAcl, true);
    for rule in tier.rules.get().into_iter().flatten() {
        let addresses = [rule.local_addresses.get(), rule.remote_addresses.get()];
        parts.add(of_texts(rule.protocols.get(), addresses, sets));
    }
    parts
}

/// The parts that a policy of an endpoint or network uses, as far as rules go.
pub fn of_policy(policy: &Policy, sets: &Sets) -> Parts {
    if policy.is("ACL") {
        of_acl(&policy.settings_as(), sets)
    } else if policy.is("TierAcl") {
        of_tier(&policy.settings_as(), sets)
    } else if policy.is("NetworkACL") {
        of_acl(&policy.settings_as(), sets).with(Part::NetworkAcl, true)
    } else {
        Parts::NONE
    }
}

fn of_texts(protocols: Option<&String>, addresses: [Option<&String>; 2], sets: &Sets) -> Parts {
    let mut parts = Parts::NONE;
    if protocols.is_some_and(|text| names_protocol_252(text)) {
        parts.add(Parts::NONE.with(Part::Protocol252, true));
    }
    for text in addresses.into_iter().flatten() {
        for item in text.split(',') {
            if let Some(is_nested) = sets.is_nested(item.trim()) {
                let set = Parts::NONE.with(Part::SetPolicy, true);
                parts.add(set.with(Part::NestedIpSet, is_nested));
            }
        }
    }
    parts
}

/// Whether a list of protocols names 252.
pub(crate) fn names_protocol_252(protocols: &str) -> bool {
    protocols.split(',').any(|item| item.trim() == "252")
}

/// Whether a load balancer asks for direct server return.
pub(crate) fn is_direct(balancer: &LoadBalancer) -> bool {
    let flags = balancer.flags.get();
    flags.is_some_and(|flags| flags.contains(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN))
}

/// Whether an endpoint may have addresses of both families: it has several.
pub(crate) fn may_be_dual(endpoint: &Endpoint) -> bool {
    let configurations = endpoint.ip_configurations.get();
    configurations.is_some_and(|own| own.len() > 1)
}

/// Whether an IPv6 flow begins or ends at an address of an endpoint that has an IPv4 one too.
pub(crate) fn is_dual_end(endpoint: &Endpoint, flow: &Flow) -> bool {
    let configurations = endpoint.ip_configurations.get().into_iter().flatten();
    let addresses = configurations.filter_map(|own| own.ip_address.get()?.trim().parse().ok());
    let addresses: Vec<IpAddr> = addresses.collect();
    addresses.iter().any(IpAddr::is_ipv4)
        && addresses
            .iter()
            .any(|own| *own == flow.source || *own == flow.destination)
}

#[cfg(test)]
mod tests {
    use hcn_schema::{Document, policy::network::SetPolicy};
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_use_what_they_name() {
        let set = |id, kind| {
            SetPolicy::from_value(&json!({"Id": id, "PolicyType": kind, "Values": ""})).unwrap()
        };
        let (sets, _) = Sets::of(&[set("flat", "IPSET"), set("deep", "NESTEDIPSET")]);
        let uses = |policy| {
            let policy = Policy::from_value(&policy).unwrap();
            of_policy(&policy, &sets).iter().collect::<Vec<_>>()
        };
        let acl = |settings| json!({"Type": "ACL", "Settings": settings});
        assert_eq!(uses(acl(json!({"RemoteAddresses": "10.0.0.1"}))), []);
        assert_eq!(
            uses(acl(json!({"LocalAddresses": "10.0.0.1, flat"}))),
            [Part::SetPolicy]
        );
        assert_eq!(
            uses(acl(
                json!({"RemoteAddresses": "deep", "Protocols": "6,252"})
            )),
            [Part::SetPolicy, Part::NestedIpSet, Part::Protocol252]
        );
        assert_eq!(
            uses(json!({"Type": "NetworkACL", "Settings": {}})),
            [Part::NetworkAcl]
        );
        let tier =
            json!({"Type": "TierAcl", "Settings": {"TierAclRules": [{"LocalAddresses": "flat"}]}});
        assert_eq!(uses(tier), [Part::TierAcl, Part::SetPolicy]);
    }
}
