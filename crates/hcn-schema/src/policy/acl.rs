// SPDX-License-Identifier: MIT OR Apache-2.0
//! ACL rules: `ACL` on endpoints, `NetworkACL` on networks, and the tiers of `TierAcl`.
//!
//! Source: hns-behaviour 4.7 and 4.14. Lists are texts joined by commas, in HNS and here.

use crate::{document::document, word::words};

words! {
    /// What a rule does with a packet.
    pub enum AclAction {
        /// Lets it go on.
        Allow = 0 "Allow",
        /// Drops it without a word.
        Block = 1 "Block",
        /// Asks the next tier (`TierAcl` only).
        Pass = 2 "Pass",
    }
}

words! {
    /// Seen from the endpoint.
    pub enum AclDirection {
        /// To the endpoint.
        In = 0 "In",
        /// From the endpoint.
        Out = 1 "Out",
    }
}

words! {
    /// Where a rule is enforced.
    pub enum AclRuleType {
        /// Windows Filtering Platform, in the host.
        Host = 0 "Host",
        /// VFP, on the switch port. What an omitted type means.
        Switch = 1 "Switch",
    }
}

document! {
    /// Settings of an `ACL` or `NetworkACL` policy.
    pub struct Acl {
        /// Protocol numbers, e.g. `6,17`; empty or `256` means any.
        protocols: String = "Protocols",
        /// What to do.
        action: AclAction = "Action",
        /// Which way.
        direction: AclDirection = "Direction",
        /// Addresses and CIDRs; empty means any.
        local_addresses: String = "LocalAddresses",
        /// Addresses and CIDRs; empty means any.
        remote_addresses: String = "RemoteAddresses",
        /// Ports and ranges, e.g. `80,8000-8080`; empty means any.
        local_ports: String = "LocalPorts",
        /// Ports and ranges; empty means any.
        remote_ports: String = "RemotePorts",
        /// Where; omitted means Switch.
        rule_type: AclRuleType = "RuleType",
        /// Lower is stronger.
        priority: u16 = "Priority",
        /// A free text, need not be unique. Only this spelling counts: `ID` is not taken (hns-behaviour 2.1).
        id: String = exact "Id",
        /// Added by HNS, always 0.
        scope: u32 = "Scope",
        /// A service of Windows, for Host rules.
        service_name: String = "ServiceName",
    }
}

document! {
    /// Settings of a `TierAcl` policy: one tier.
    pub struct TierAcl {
        /// Name of the tier.
        name: String = "Name",
        /// Which way.
        direction: AclDirection = "Direction",
        /// Lower is asked first.
        order: u16 = "Order",
        /// The rules.
        rules: Vec<TierAclRule> = "TierAclRules",
    }
}

document! {
    /// One rule of a tier.
    pub struct TierAclRule {
        /// A free text.
        id: String = exact "Id",
        /// Protocol numbers.
        protocols: String = "Protocols",
        /// What to do.
        action: AclAction = "TierAclRuleAction",
        /// Addresses and CIDRs; empty means any.
        local_addresses: String = "LocalAddresses",
        /// Addresses and CIDRs; empty means any.
        remote_addresses: String = "RemoteAddresses",
        /// Ports and ranges; empty means any.
        local_ports: String = "LocalPorts",
        /// Ports and ranges; empty means any.
        remote_ports: String = "RemotePorts",
        /// Lower is stronger.
        priority: u16 = "Priority",
    }
}
