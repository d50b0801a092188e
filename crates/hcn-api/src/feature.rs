// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each version of HNS can do.
//!
//! Source: hns-behaviour 2.9 (hnslib `hcnsupport.go`, `hcnglobals.go`; microsoft/hcsshim). Some features came back to older lines by
//! service updates, so their versions are ranges with gaps.

use crate::HnsVersion;

macro_rules! features {
    ($( $(#[$meta:meta])* $feature:ident $key:literal = $([$from:literal . $from_minor:literal, $to:tt])+; )*) => {
        /// A feature that clients gate on the version of HNS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Feature { $( $(#[$meta])* $feature, )* }

        impl Feature {
            /// Every feature.
            pub const ALL: &'static [Feature] = &[$(Feature::$feature),*];

            /// The JSON key in hcsshim's `SupportedFeatures`.
            pub fn key(self) -> &'static str {
                match self { $(Feature::$feature => $key,)* }
            }

            /// Whether a version has it.
            pub fn is_in(self, version: HnsVersion) -> bool {
                match self { $(Feature::$feature => [$((HnsVersion::new($from, $from_minor), features!(@end $from $to))),+]
                    .iter().any(|(from, to)| *from <= version && version <= *to),)* }
            }
        }
    };
    // "line": to the end of the major version; "on": for good.
    (@end $from:literal line) => { HnsVersion::new($from, u32::MAX) };
    (@end $from:literal on) => { HnsVersion::new(u32::MAX, u32::MAX) };
}

features! {
    /// Lists of addresses in ACLs.
    AclAddressLists "AclAddressLists" = [7 . 2, on];
    /// Host rules without a priority.
    AclNoHostRulePriority "AclHostRulePriority" = [7 . 2, on];
    /// Ranges of ports in ACLs.
    AclPortRanges "AclPortRanges" = [7 . 2, on];
    /// `Id` in ACLs.
    AclRuleId "AclRuleId" = [7 . 2, on];
    /// The HCN API.
    ApiV2 "V2" = [9 . 2, on];
    /// `RemoteSubnetRoute`.
    RemoteSubnet "RemoteSubnet" = [9 . 2, on];
    /// `HostRoute`.
    HostRoute "HostRoute" = [9 . 2, on];
    /// Direct server return.
    Dsr "DSR" = [9 . 3, line] [10 . 2, on];
    /// Endpoints with a /32.
    Slash32EndpointPrefixes "Slash32EndpointPrefixes" = [9 . 3, line] [10 . 4, on];
    /// `VxlanPort`.
    VxlanPort "VxlanPort" = [10 . 3, on];
    /// Protocol 252 in ACLs.
    AclSupportForProtocol252 "AclSupportForProtocol252" = [11 . 0, on];
    /// IPv6 beside IPv4.
    Ipv6DualStack "IPv6DualStack" = [11 . 10, on];
    /// Load balancing by source address.
    SessionAffinity "SessionAffinity" = [12 . 0, on];
    /// `L4Proxy`.
    L4Proxy "L4Proxy" = [9 . 5, line] [10 . 5, line] [11 . 11, line] [12 . 1, line] [13 . 1, on];
    /// `SetPolicy`.
    SetPolicy "SetPolicy" = [13 . 0, on];
    /// `L4WFPPROXY`.
    L4WfpProxy "L4WfpProxy" = [13 . 2, on];
    /// `TierAcl`.
    TierAcl "TierAcl" = [14 . 0, on];
    /// `NetworkACL`.
    NetworkAcl "NetworkACL" = [15 . 0, on];
    /// Sets of sets.
    NestedIpSet "NestedIpSet" = [15 . 0, on];
    /// Networks without a host port.
    DisableHostPort "DisableHostPort" = [15 . 1, on];
    /// Accelerated networking.
    Accelnet "Accelnet" = [15 . 4, on];
    /// `HcnModifyLoadBalancer` changes the backends (hnslib's bound; hcsshim says 15.4, where it changes nothing).
    ModifyLoadBalancer "ModifyLoadbalancer" = [15 . 5, line] [16 . 0, on];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of hns-behaviour 2.9 that have gaps, by hand.
    #[test]
    fn features_with_gaps_are_where_the_record_says() {
        let has = |feature: Feature, text: &str| feature.is_in(text.parse().unwrap());
        assert!(!has(Feature::Dsr, "9.2") && has(Feature::Dsr, "9.3") && has(Feature::Dsr, "9.9"));
        assert!(!has(Feature::Dsr, "10.1") && has(Feature::Dsr, "10.2"));
        assert!(
            !has(Feature::L4Proxy, "11.10")
                && has(Feature::L4Proxy, "11.11")
                && !has(Feature::L4Proxy, "12.0")
        );
        assert!(!has(Feature::L4Proxy, "13.0") && has(Feature::L4Proxy, "13.1"));
        assert!(
            !has(Feature::ModifyLoadBalancer, "15.4") && has(Feature::ModifyLoadBalancer, "15.5")
        );
    }

    #[test]
    fn the_walk_through_version_has_nested_sets_and_no_accelnet() {
        let seed = HnsVersion::new(15, 0);
        assert!(Feature::NestedIpSet.is_in(seed));
        assert!(!Feature::Accelnet.is_in(seed));
    }
}
