// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a version of HNS does not have, in documents for it.
//!
//! Apart because it is the one check that asks which HNS is meant.

use hcn::Feature;
use hcn_schema::{
    LoadBalancer, Policy,
    load_balancer::LoadBalancerFlags,
    policy::{
        Acl,
        network::{SetPolicy, SetPolicyType},
    },
};

use super::{
    finding::{Finding, ObjectName, place},
    rules,
    subject::Subject,
};

/// Types that came with a version.
const TYPES: [(&str, Feature); 8] = [
    ("RemoteSubnetRoute", Feature::RemoteSubnet),
    ("HostRoute", Feature::HostRoute),
    ("VxlanPort", Feature::VxlanPort),
    ("L4Proxy", Feature::L4Proxy),
    ("SetPolicy", Feature::SetPolicy),
    ("L4WFPPROXY", Feature::L4WfpProxy),
    ("TierAcl", Feature::TierAcl),
    ("NetworkACL", Feature::NetworkAcl),
];

/// Looks at the policies and load balancers of v2 documents; v1 ones are older than all of this.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    for known in subject.networks.iter().filter(|known| !known.is_v1) {
        let policies = known.document.policies.get();
        let policies = policies.map_or(&[][..], Vec::as_slice);
        check_policies(subject, &known.name, policies, found);
    }
    for known in subject.endpoints.iter().filter(|known| !known.is_v1) {
        let policies = known.document.policies.get();
        let policies = policies.map_or(&[][..], Vec::as_slice);
        check_policies(subject, &known.name, policies, found);
        let addresses = rules::addresses(&known.document);
        let is_dual =
            addresses.iter().any(|own| own.is_ipv4()) && addresses.iter().any(|own| own.is_ipv6());
        if is_dual {
            let what = "IPv6 beside IPv4";
            ask(
                subject,
                &known.name,
                "/IpConfigurations".to_owned(),
                Feature::Ipv6DualStack,
                what,
                found,
            );
        }
    }
    for known in subject.load_balancers.iter().filter(|known| !known.is_v1) {
        check_balancer(subject, &known.name, &known.document, found);
    }
}

fn check_policies(
    subject: &Subject,
    object: &ObjectName,
    policies: &[Policy],
    found: &mut Vec<Finding>,
) {
    for (place, policy) in policies.iter().enumerate() {
        let pointer = format!("/Policies/{place}");
        if let Some((name, feature)) = TYPES.iter().find(|(name, _)| policy.is(name)) {
            ask(subject, object, pointer.clone(), *feature, name, found);
        }
        if policy.is("SetPolicy") {
            let set: SetPolicy = policy.settings_as();
            if set.policy_type.get() == Some(&SetPolicyType::NestedIpSet) {
                let what = "a set of sets";
                ask(
                    subject,
                    object,
                    pointer.clone(),
                    Feature::NestedIpSet,
                    what,
                    found,
                );
            }
        }
        if policy.is("ACL") {
            let acl: Acl = policy.settings_as();
            let protocols = acl.protocols.or_default();
            if protocols.split(',').any(|item| item.trim() == "252") {
                let pointer = format!("{pointer}{}/Protocols", rules::settings_at(policy));
                let what = "protocol 252 in a rule";
                ask(
                    subject,
                    object,
                    pointer,
                    Feature::AclSupportForProtocol252,
                    what,
                    found,
                );
            }
        }
    }
}

fn check_balancer(
    subject: &Subject,
    object: &ObjectName,
    balancer: &LoadBalancer,
    found: &mut Vec<Finding>,
) {
    let flags = balancer.flags.or_default();
    if flags.contains(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN) {
        let what = "direct server return";
        ask(
            subject,
            object,
            "/Flags".to_owned(),
            Feature::Dsr,
            what,
            found,
        );
    }
    let mappings = balancer.port_mappings.get().into_iter().flatten();
    for (place, mapping) in mappings.enumerate() {
        if mapping.distribution_type.or_default() != 0 {
            let pointer = format!("/PortMappings/{place}/DistributionType");
            let what = "balancing by source address";
            ask(
                subject,
                object,
                pointer,
                Feature::SessionAffinity,
                what,
                found,
            );
        }
    }
}

fn ask(
    subject: &Subject,
    object: &ObjectName,
    pointer: String,
    feature: Feature,
    what: &str,
    found: &mut Vec<Finding>,
) {
    if !subject.profile.has(feature, subject.version) {
        let message = format!(
            "{what} is not in HNS {} (feature {})",
            subject.version,
            feature.key()
        );
        let text = format!("examined for HNS {}", subject.version);
        found.push(
            Finding::new("needs-newer-hns", object, &pointer, message)
                .with([place(&pointer, text)]),
        );
    }
}
