// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types of policies given as numbers, which are turned into their words on admission.
//!
//! Source: hns-behaviour 2.4 and 2.12. Only numbers whose word is certain stand here; another is no type.

use hcn_schema::Policy;

/// Numbers of endpoint policies.
pub(crate) const ENDPOINT: &[(&str, &str)] = &[
    ("0", "PortMapping"),
    ("1", "ACL"),
    ("2", "QOS"),
    ("3", "L2Driver"),
    ("4", "OutBoundNAT"),
    ("5", "SDNRoute"),
    ("6", "L4Proxy"),
    ("7", "L4WFPPROXY"),
    ("9", "PortName"),
    ("18", "Firewall"),
];

/// Numbers of network policies.
pub(crate) const NETWORK: &[(&str, &str)] = &[
    ("0", "SourceMacAddress"),
    ("1", "NetAdapterName"),
    ("2", "InterfaceConstraint"),
];

/// The policies with words for types.
pub(crate) fn in_words(mut policies: Vec<Policy>, words: &[(&str, &str)]) -> Vec<Policy> {
    for policy in &mut policies {
        let number = policy.policy_type.get().map(|own| own.trim());
        if let Some((_, word)) = words.iter().find(|(own, _)| number == Some(own)) {
            policy.policy_type.set((*word).to_owned());
        }
    }
    policies
}
