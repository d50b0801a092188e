// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rule in one line, in the words of its document.
//!
//! Apart because people read it: the fields stand in the order in which Windows lists them, and a long list is cut, since a field may hold
//! thousands of addresses.

use std::fmt::{Display, Write};

use hcn_schema::policy::{
    Acl,
    acl::{TierAcl, TierAclRule},
};

/// Items of a list that are shown before it is cut.
const SHOWN: usize = 4;

/// One line under construction.
#[derive(Default)]
struct Line(String);

impl Line {
    fn field(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            let separator = if self.0.is_empty() { "" } else { "; " };
            // Writing to a String does not fail.
            let _ = write!(self.0, "{separator}{name}={value}");
        }
    }

    fn list(&mut self, name: &str, value: Option<&String>) {
        let Some(value) = value else {
            return;
        };
        let cut = value.match_indices(',').nth(SHOWN - 1);
        // One item more is no longer than saying so.
        match (cut, value.match_indices(',').nth(SHOWN)) {
            (Some((end, _)), Some(_)) => {
                let count = value.split(',').count();
                self.field(name, Some(format_args!("{},… ({count})", &value[..end])));
            }
            _ => self.field(name, Some(value)),
        }
    }
}

/// An `ACL` or `NetworkACL`.
pub(crate) fn of_acl(acl: &Acl) -> String {
    let mut line = Line::default();
    line.field("Action", acl.action.get());
    line.field("Direction", acl.direction.get());
    line.list("LocalAddresses", acl.local_addresses.get());
    line.list("LocalPorts", acl.local_ports.get());
    line.field("Priority", acl.priority.get());
    line.list("Protocols", acl.protocols.get());
    line.list("RemoteAddresses", acl.remote_addresses.get());
    line.list("RemotePorts", acl.remote_ports.get());
    line.field("RuleType", acl.rule_type.get());
    line.0
}

/// A rule of a tier.
pub(crate) fn of_tier_rule(tier: &TierAcl, rule: &TierAclRule) -> String {
    let mut line = Line::default();
    line.field("TierAclRuleAction", rule.action.get());
    line.field("Direction", tier.direction.get());
    line.list("LocalAddresses", rule.local_addresses.get());
    line.list("LocalPorts", rule.local_ports.get());
    line.field("Priority", rule.priority.get());
    line.list("Protocols", rule.protocols.get());
    line.list("RemoteAddresses", rule.remote_addresses.get());
    line.list("RemotePorts", rule.remote_ports.get());
    line.field("Tier", tier.name.get());
    line.field("Order", tier.order.get());
    line.0
}

#[cfg(test)]
mod tests {
    use hcn_schema::Document;

    use super::*;

    #[test]
    fn a_rule_is_told_as_windows_lists_it() {
        // The first policy of the walk-through's listing, without the Scope and the Type that every rule has.
        let acl = Acl::from_json(
            r#"{"Protocols":"6","Action":"Block","Direction":"In","LocalAddresses":"172.19.6.74","LocalPorts":"80","Priority":100,"Scope":0}"#,
        );
        assert_eq!(
            of_acl(&acl.unwrap()),
            "Action=Block; Direction=In; LocalAddresses=172.19.6.74; LocalPorts=80; Priority=100; Protocols=6"
        );
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let acl = Acl::from_json(r#"{"LocalPorts":"1,2,3,4,5","RemotePorts":"1,2,3,4,5,6"}"#);
        assert_eq!(
            of_acl(&acl.unwrap()),
            "LocalPorts=1,2,3,4,5; RemotePorts=1,2,3,4,… (6)"
        );
    }
}
