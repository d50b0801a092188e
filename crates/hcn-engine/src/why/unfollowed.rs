// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which policies and routes may make something else of a packet than the way says: hns-behaviour 2.12, 2.13, 5.4, 5.5 and 5.7.
//!
//! Apart from the way, which follows none of these. What cannot concern the packet is not told, so that what is told is worth reading.

use std::net::IpAddr;

use hcn_schema::{
    Policy,
    network::Route,
    policy::endpoint::{L4Proxy, NatFlags, PortMapping, SdnRouteSettings},
};
use ipnet::IpNet;

use crate::{
    flow::{Direction, Flow, Protocol},
    way::{Hop, Start, Way},
};

/// What a policy may do to the packet at a port that it crosses so, in a sentence without a subject; `None` where it does nothing to it.
pub(super) fn policy(
    policy: &Policy,
    is_network: bool,
    crossed: &[(Direction, Flow)],
    way: &Way,
) -> Option<&'static str> {
    let mut out = crossed
        .iter()
        .filter(|(direction, _)| *direction == Direction::Out)
        .map(|(_, flow)| flow);
    if policy.is("OutBoundNAT") && !is_network {
        // What leaves the host has a step of its own, and what the sender hands over itself crosses no router.
        let is_told = |hop: &Hop| {
            matches!(
                hop,
                Hop::Outbound { .. } | Hop::Hidden { .. } | Hop::OnLink { .. }
            )
        };
        let is_about = |flow: &Flow| {
            !matches!(flow.protocol, Protocol::ICMP | Protocol::ICMPV6)
                && !excepted(policy, flow.destination)
        };
        return (!way.hops.iter().any(is_told) && out.any(is_about))
            .then_some("may give packets another source that a router has to send on");
    }
    if policy.is("SDNRoute") && !is_network {
        let settings: SdnRouteSettings = policy.settings_as();
        let prefix = settings.destination_prefix.get();
        return out
            .any(|flow| prefix.is_none_or(|text| may_hold(text, flow.destination)))
            .then_some("may send packets to another next hop");
    }
    if policy.is("L4Proxy") {
        let settings: L4Proxy = policy.settings_as();
        let wanted = settings.protocol.get().copied().unwrap_or(6);
        let exceptions = [&settings.exception_list, &settings.exceptions];
        let is_about = |flow: &Flow| {
            let mut exceptions = exceptions
                .iter()
                .flat_map(|own| own.get())
                .flatten()
                .filter_map(|text| prefix(text));
            u32::from(flow.protocol.0) == wanted
                && !exceptions.any(|own| own.contains(&flow.destination))
        };
        return out
            .any(is_about)
            .then_some("may send the connection to a proxy instead");
    }
    if policy.is("L4WFPPROXY") && !is_network {
        // TCP over IPv4 alone (hns-behaviour 5.7).
        let is_about = |(_, flow): &(Direction, Flow)| {
            flow.protocol == Protocol::TCP && flow.destination.is_ipv4()
        };
        return crossed
            .iter()
            .any(is_about)
            .then_some("may send the connection to a proxy in the container instead");
    }
    None
}

/// What a `PortMapping` may do to a packet that is sent so: the record has its fields (2.13) and that `LocalRoutedVip` is for the host itself (5.4),
/// not what becomes of the others.
pub(super) fn mapping(
    policy: &Policy,
    start: Start,
    flow: &Flow,
    is_taken: bool,
) -> Option<&'static str> {
    if !policy.is("PortMapping") {
        return None;
    }
    let settings: PortMapping = policy.settings_as();
    let vip = settings.vip.get().map(|text| text.trim());
    let vip = vip.filter(|text| !text.is_empty());
    // One that cannot be read may be any.
    let vip = vip.map(|text| text.parse::<IpAddr>().ok());
    let is_at = |address: Option<IpAddr>| address.is_none_or(|own| own == flow.destination);
    if is_taken {
        let flags = settings.flags.get().copied().unwrap_or_default();
        return match vip {
            Some(vip) if vip != Some(flow.destination) => {
                Some("may be for its own address (VIP) alone")
            }
            _ if start == Start::Host && !flags.contains(NatFlags::LOCAL_ROUTED_VIP) => {
                Some("may not be for the host itself, as it has no LocalRoutedVip")
            }
            _ => None,
        };
    }
    let protocol = settings.protocol.get().copied();
    let is_meant = settings.external_port.get().copied() == Some(flow.destination_port)
        && protocol.unwrap_or(Protocol::TCP.0.into()) == u32::from(flow.protocol.0);
    (is_meant && vip.is_some_and(is_at)).then_some("may take what is sent to its address (VIP)")
}

/// As [`policy`], of a route of the endpoint's own that is no default route.
pub(super) fn route(route: &Route, crossed: &[(Direction, Flow)]) -> Option<&'static str> {
    let prefix = prefix(route.destination_prefix.get()?)?;
    let mut out = crossed
        .iter()
        .filter(|(direction, _)| *direction == Direction::Out);
    (prefix.prefix_len() != 0 && out.any(|(_, flow)| prefix.contains(&flow.destination)))
        .then_some("may send packets to another next hop")
}

/// Whether an `OutBoundNAT` leaves what goes to an address alone.
fn excepted(policy: &Policy, to: IpAddr) -> bool {
    let settings: hcn_schema::policy::endpoint::OutBoundNat = policy.settings_as();
    let exceptions = settings.exceptions.get().into_iter().flatten();
    exceptions
        .filter_map(|text| prefix(text))
        .any(|own| own.contains(&to))
}

/// Whether a prefix holds an address; one that cannot be read may.
fn may_hold(text: &str, address: IpAddr) -> bool {
    prefix(text).is_none_or(|prefix| prefix.contains(&address))
}

/// A prefix, host bits and all, or the one of a lone address.
fn prefix(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .ok()
        .or_else(|| Some(text.parse::<IpAddr>().ok()?.into()))
}
