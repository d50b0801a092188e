// SPDX-License-Identifier: MIT OR Apache-2.0
//! `block` and `allow`: what is meant, in words; `hcn::intent` makes rules of it.

use std::net::IpAddr;

use hcn::{
    intent::{Intent, Peer, plan, plan_clear},
    owned::{Plan, carry_out, read_back},
    schema::{
        Endpoint, Query,
        policy::{AclAction, AclDirection},
    },
};

use crate::{
    cli::IntentArgs,
    commands::apply::world,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::{addresses, guid},
    render::rule,
};

/// What is done when rules go, which cannot be without effect.
const CLEAR: &str = "Clear";

/// Blocks or allows.
pub fn run(desk: &mut Desk<'_>, action: AclAction, args: &IntentArgs) -> Outcome {
    let id = guid(desk.endpoint(&args.endpoint)?.id.get());
    let (direction, traffic, peer) = match (args.inbound, args.outbound) {
        (Some(traffic), _) => (AclDirection::In, traffic, &args.from),
        (None, Some(traffic)) => (AclDirection::Out, traffic, &args.to),
        (None, None) => return Err(Failure::Usage("say what: --in or --out".to_owned())),
    };
    let peer = peer
        .as_deref()
        .map(|name| self::peer(desk, name))
        .transpose()?;
    let intent = Intent {
        action,
        direction,
        protocol: traffic.protocol.map(|protocol| protocol.0),
        ports: traffic.ports,
        peer,
    };
    merge(desk, id, |endpoint| plan(endpoint, &intent), action.text())
}

/// Takes away every rule of ours.
pub fn clear(desk: &mut Desk<'_>, name: &str) -> Outcome {
    let id = guid(desk.endpoint(name)?.id.get());
    merge(desk, id, plan_clear, CLEAR)
}

fn merge(
    desk: &mut Desk<'_>,
    id: hcn::schema::Guid,
    make: impl Fn(&Endpoint) -> Plan,
    verb: &str,
) -> Outcome {
    let changing = || Failure::hns("change the rules of the endpoint");
    let (endpoint, plan) = carry_out(desk.client(), id, make).map_err(changing())?;
    if !desk.is_dry_run() {
        read_back(desk.client(), id, &plan).map_err(changing())?;
    }
    let label = desk.endpoint_label(&endpoint)?;
    for acl in &plan.removed {
        writeln!(desk.out, "- {}", rule::words(acl))?;
    }
    for acl in &plan.added {
        writeln!(desk.out, "+ {}", rule::words(acl))?;
    }
    if plan.update.is_none() {
        desk.say(&format!("{label}: {verb}: nothing to change"))?;
    } else {
        desk.say(&format!("{label}: {verb}: done"))?;
    }
    for note in &plan.notes {
        desk.say(&format!("note: {note}"))?;
    }
    let profile = desk
        .connection()
        .profile()
        .map_err(Failure::hns("read the version of HNS"))?;
    if !profile.semantics.acl_on_nat && verb != CLEAR {
        let networks = desk
            .client()
            .networks(&Query::v2())
            .map_err(Failure::hns("list the networks"))?;
        if world::is_idle(&endpoint, &networks, &profile) {
            desk.say(&format!("note: {}", world::no_effect(&label, &profile)))?;
        }
    }
    Ok(exit::DONE)
}

/// An address, a CIDR, or the addresses of an endpoint.
fn peer(desk: &Desk<'_>, name: &str) -> Result<Peer, Failure> {
    if let Some(open_bits) = open_bits(name) {
        return Ok(Peer {
            text: name.to_owned(),
            open_bits,
        });
    }
    let endpoint = desk.endpoint(name)?;
    let text = addresses(&endpoint).join(",");
    if text.is_empty() {
        return Err(Failure::Usage(format!(
            "{name} has no address to name in a rule"
        )));
    }
    Ok(Peer { text, open_bits: 0 })
}

/// Bits that an address or CIDR leaves open; `None` for other texts. What HNS refuses in it, HNS tells.
fn open_bits(text: &str) -> Option<u8> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let bits: u8 = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    bits.checked_sub(length.unwrap_or(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_bits_are_those_behind_the_prefix() {
        assert_eq!(open_bits("10.0.0.1"), Some(0));
        assert_eq!(open_bits("10.0.0.0/24"), Some(8));
        assert_eq!(open_bits("fd00::/8"), Some(120));
        assert_eq!(open_bits("10.0.0.0/33"), None);
        assert_eq!(open_bits("nginx"), None);
    }
}
