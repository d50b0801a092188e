// SPDX-License-Identifier: MIT OR Apache-2.0
//! What HNS refuses when a rule is sent to it, or some versions of it do; and rules where no rule is enforced.
//!
//! Apart from [`super::conditions`], which looks at what a rule means: here a field has no meaning, or one that is guessed.

use std::net::IpAddr;

use hcn_engine::acl::{AclFault, Wrong};

use super::{
    finding::{self, Finding, place},
    fix::{Edit, Fix},
    rules::{OwnRule, Ruled},
};

/// Looks at every fault of every rule.
pub(super) fn check(endpoint: &Ruled<'_>, found: &mut Vec<Finding>) {
    for own in &endpoint.rules {
        for fault in &own.faults {
            found.extend(finding(endpoint, own, fault));
        }
    }
    if let (Some(first), false) = (endpoint.rules.first(), endpoint.is_enforced()) {
        let message = format!(
            "has {} rules on a NAT network, and HNS {} enforces none there",
            endpoint.rules.len(),
            endpoint.subject.version
        );
        found.push(
            Finding::new("no-effect-on-nat", endpoint.name, "/Policies", message)
                .with([endpoint.evidence(first)]),
        );
    }
}

fn finding(endpoint: &Ruled<'_>, own: &OwnRule, fault: &AclFault) -> Option<Finding> {
    let member = own.member(fault.field);
    // What is missing is missing from the rule.
    let member = match finding::is_there(endpoint.value, &member) {
        true => member,
        false => own.pointer.clone(),
    };
    let named = |check| Finding::new(check, endpoint.name, member.clone(), fault.to_string());
    let written = || {
        let document = endpoint.value;
        let text = document.pointer(&member)?.as_str()?;
        Some(place(&member, text.to_owned()))
    };
    let replaced = |by: String| {
        let text = endpoint.value.pointer(&member)?.as_str()?.to_owned();
        let items = text.split(',').map(str::trim);
        let items: Vec<&str> = items
            .map(|item| if item == fault.value { &by } else { item })
            .collect();
        Some(Edit::Set(member.clone(), items.join(",").into()))
    };
    Some(match &fault.reason {
        Wrong::HostBits { subnet, address } => {
            named("host-bits").with(written()).fixed_by(Fix::by(
                format!("write {subnet} if the subnet is meant, {address} if the one address is"),
                replaced(subnet.to_string()).into_iter().collect(),
            ))
        }
        Wrong::ProtocolName(number) => named("protocol-name").with(written()).fixed_by(Fix::by(
            format!("write {number}"),
            replaced(number.to_string()).into_iter().collect(),
        )),
        // Where the network is not known, nor are its sets.
        Wrong::UnknownAddress if endpoint.network.is_none() => return None,
        Wrong::UnknownAddress if is_set_id(&fault.value) => {
            let network = endpoint.network?;
            named("unknown-set")
                .with(written())
                .with([finding::place_of(
                    &network.name,
                    "/Policies",
                    "the network's policies have no SetPolicy of this Id",
                )])
        }
        Wrong::UnknownSet => named("unknown-set").with(written()),
        // Told of by the rule's meaning.
        Wrong::PriorityTooHigh | Wrong::PriorityZero => return None,
        _ => named("unreadable-rule").with(written().or_else(|| Some(endpoint.evidence(own)))),
    })
}

/// Whether a value looks more like the id of a set than like an address with a slip in it.
fn is_set_id(value: &str) -> bool {
    let address = |letter: char| letter.is_ascii_hexdigit() || ".:/".contains(letter);
    let has_port = value
        .rsplit_once(':')
        .is_some_and(|(host, _)| host.parse::<IpAddr>().is_ok());
    !value.chars().all(address) && !has_port
}
