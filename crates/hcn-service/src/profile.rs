// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version profiles: how the HNS of a Windows release behaves where releases differ or where the record is silent.
//!
//! A profile is data. Each switch cites the question of hns-behaviour section 8 that it answers; a default marked there as a guess is a
//! guess here too.

mod choice;

use hcn_api::{Answer, Feature, HcnCode, HnsError, HnsVersion};
use hcn_engine::{
    Semantics,
    parts::{Part, Parts},
};

pub use choice::{NoChoice, ProfileChoice, Switch, Switches};

/// What `Remove` of an endpoint's ACL compares (Q6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclRemove {
    /// Every stored member, the `Scope` that HNS added included; what matches nothing is ignored. So the request of the walk-through's
    /// program changes nothing, and sending back what a query returned works.
    Exact,
    /// Members that HNS added are not compared.
    Lenient,
    /// As `Exact`, and `HCN_E_POLICY_NOT_FOUND` where nothing matches.
    Strict,
}

/// What `HcnModifyLoadBalancer` does (Q45, hns-behaviour 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadBalancerModify {
    /// It answers `E_NOTIMPL`.
    Unknown,
    /// It answers that all is well and changes nothing.
    Ignored,
    /// It puts the document in the place of the old one.
    Replaces,
}

/// How one version of HNS behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The version.
    pub version: HnsVersion,
    /// Which Windows it is, for people.
    pub windows: &'static str,
    /// What rules mean.
    pub semantics: Semantics,
    /// Q6.
    pub acl_remove: AclRemove,
    /// Q20: whether a second network of the same name and type is refused.
    pub refuse_duplicate_network_name: bool,
    /// Longest name of an object, in UTF-16 units; the record is silent.
    pub name_limit: usize,
    /// Q29: whether addresses are given out from the lowest up instead of pseudo-randomly.
    pub sequential_addresses: bool,
    /// Q35: state of an endpoint in a namespace before a second container joins.
    pub attached_state: u16,
    /// Q45.
    pub load_balancer_modify: LoadBalancerModify,
    /// Q24: whether load balancers and routes stay when their network is deleted, and cannot be deleted from then on.
    pub keeps_orphaned_policy_lists: bool,
    /// Whether v1 policy lists may hold routes (hns-behaviour 3.1, `HCN_E_INVALID_POLICY_TYPE`).
    pub takes_route_lists: bool,
    /// What a user set otherwise than the version has it; it is set already.
    pub switches: Switches,
}

/// The version of the walk-through.
pub const DEFAULT: HnsVersion = HnsVersion::new(15, 0);

/// Versions that have a profile, with the Windows release that carries them (hns-behaviour 0.4).
pub const KNOWN: &[(HnsVersion, &str)] = &[
    (HnsVersion::new(9, 2), "Windows Server 2019"),
    (HnsVersion::new(13, 3), "Windows Server 2022"),
    (
        DEFAULT,
        "Windows Server 2022 (preview and serviced), Windows 11",
    ),
    (HnsVersion::new(15, 4), "Windows Server 2025"),
    (HnsVersion::new(16, 0), "Windows Server 2025, later"),
];

impl Profile {
    /// The profile for a version that a Windows has, described or not: of the nearest one with the same major number, else of the latest
    /// before it, else of the first.
    pub fn nearest(version: HnsVersion) -> Profile {
        let known = || KNOWN.iter().copied();
        let (near, windows) = known()
            .filter(|(known, _)| known.major == version.major)
            .min_by_key(|(known, _)| known.minor.abs_diff(version.minor))
            .or_else(|| known().filter(|(known, _)| *known < version).max())
            .unwrap_or(KNOWN[0]);
        Profile::described(near, windows).having_parts_of(version)
    }

    /// This profile, with what a version has that may be another than its own.
    #[must_use]
    pub fn having_parts_of(mut self, version: HnsVersion) -> Profile {
        self.semantics.lacks = lacks(version);
        self
    }

    /// This profile, with switches set otherwise.
    #[must_use]
    pub fn with(mut self, switches: &Switches) -> Profile {
        switches.apply(&mut self);
        self.switches.join(switches);
        self
    }

    /// Whether the HNS has a feature: a version near the profile's does, where no switch says otherwise.
    pub fn has(&self, wanted: Feature, version: HnsVersion) -> bool {
        let part = Part::ALL.iter().find(|part| feature(**part) == wanted);
        part.map_or_else(
            || wanted.is_in(version),
            |part| !self.semantics.lacks.has(*part),
        )
    }

    /// The version, and what was set otherwise: `15.0,tie=first-wins`.
    pub fn name(&self) -> String {
        let choice = ProfileChoice {
            version: Some(self.version),
            switches: self.switches.clone(),
        };
        choice.to_string()
    }

    /// The profile of a version.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a version without a profile.
    pub fn of(version: HnsVersion) -> Answer<Profile> {
        let Some((_, windows)) = KNOWN.iter().find(|(known, _)| *known == version) else {
            let known: Vec<String> = KNOWN.iter().map(|(known, _)| known.to_string()).collect();
            return Err(HnsError::at(
                HcnCode::E_INVALIDARG,
                "profile",
                format!(
                    "there is no profile of HNS {version}; choose one of {}",
                    known.join(", ")
                ),
            ));
        };
        Ok(Profile::described(version, windows))
    }

    fn described(version: HnsVersion, windows: &'static str) -> Profile {
        let semantics = Semantics {
            // 4.1: on Windows Server 2025 before April 2026, ACLs on NAT endpoints had no effect.
            acl_on_nat: version != HnsVersion::new(15, 4),
            lacks: lacks(version),
            ..Semantics::default()
        };
        Profile {
            version,
            windows,
            semantics,
            acl_remove: AclRemove::Exact,
            refuse_duplicate_network_name: true,
            name_limit: 512,
            sequential_addresses: false,
            attached_state: 2,
            load_balancer_modify: if Feature::ModifyLoadBalancer.is_in(version) {
                LoadBalancerModify::Replaces
            } else if version >= HnsVersion::new(15, 4) {
                LoadBalancerModify::Ignored
            } else {
                LoadBalancerModify::Unknown
            },
            keeps_orphaned_policy_lists: version.major == 9,
            takes_route_lists: version.major != 9,
            switches: Switches::default(),
        }
    }
}

/// The feature that a part of verdicts is (2.9).
fn feature(part: Part) -> Feature {
    match part {
        Part::TierAcl => Feature::TierAcl,
        Part::NetworkAcl => Feature::NetworkAcl,
        Part::SetPolicy => Feature::SetPolicy,
        Part::NestedIpSet => Feature::NestedIpSet,
        Part::Protocol252 => Feature::AclSupportForProtocol252,
        Part::DirectServerReturn => Feature::Dsr,
        Part::Ipv6 => Feature::Ipv6DualStack,
    }
}

/// What a version does not have of what verdicts hang on.
fn lacks(version: HnsVersion) -> Parts {
    let all = Part::ALL.iter().copied();
    all.filter(|part| !feature(*part).is_in(version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the same major number first, then what came before.
    #[test]
    fn a_version_that_nobody_described_behaves_as_the_nearest() {
        for (version, near) in [
            ((9, 2), (9, 2)),
            ((9, 5), (9, 2)),
            ((10, 2), (9, 2)),
            ((13, 0), (13, 3)),
            ((14, 0), (13, 3)),
            ((15, 1), (15, 0)),
            ((15, 3), (15, 4)),
            ((16, 2), (16, 0)),
            ((17, 0), (16, 0)),
            ((8, 0), (9, 2)),
        ] {
            let of = |(major, minor)| HnsVersion::new(major, minor);
            assert_eq!(Profile::nearest(of(version)).version, of(near));
        }
    }

    /// By hand, from the rows of hns-behaviour 2.9.
    #[test]
    fn a_profile_lacks_what_came_after_its_version() {
        let lacking = |major, minor| {
            let profile = Profile::nearest(HnsVersion::new(major, minor));
            let names = profile.semantics.lacks.iter().map(Part::key);
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            lacking(9, 2),
            "tier-acl network-acl set-policy nested-ip-set protocol-252 direct-server-return ipv6-dual-stack"
        );
        assert_eq!(
            lacking(9, 3),
            "tier-acl network-acl set-policy nested-ip-set protocol-252 ipv6-dual-stack"
        );
        assert_eq!(lacking(13, 3), "tier-acl network-acl nested-ip-set");
        // The nearest that is described is 13.3, which has no tiers.
        assert_eq!(lacking(14, 0), "network-acl nested-ip-set");
        assert_eq!(lacking(15, 0), "");
        assert_eq!(lacking(16, 0), "");
    }
}
