// SPDX-License-Identifier: MIT OR Apache-2.0
//! From policies of an endpoint to what becomes of the source of its packets: hns-behaviour 2.13 and 5.5.
//!
//! Apart from rules: nothing is allowed or blocked here. What cannot be read is told with the policy and left out.

use hcn_schema::{
    Endpoint,
    policy::endpoint::{NatFlags, OutBoundNat},
};
use ipnet::IpNet;

use super::Faults;
use crate::{flow::Family, switch::OutboundNat};

pub(super) fn outbound(endpoint: &Endpoint, told: &mut Faults<'_>) -> Vec<OutboundNat> {
    // That the list cannot be read is told where its rules are.
    let policies = endpoint.policies.get().map_or(&[][..], Vec::as_slice);
    let mut all = Vec::new();
    for (place, policy) in policies.iter().enumerate() {
        if !policy.is("OutBoundNAT") {
            continue;
        }
        let pointer = format!("/Policies/{place}");
        let settings: OutBoundNat = policy.settings_as();
        let at = format!("{pointer}/Settings/VirtualIP");
        let source = told.field(&at, &settings.virtual_ip);
        let source = source.filter(|text| !text.trim().is_empty());
        let source = source.and_then(|text| {
            let address = text.trim().parse().ok();
            if address.is_none() {
                told.tell(at, format!("{text:?} is no address and is left out"));
            }
            address
        });
        let flags = told.field(&format!("{pointer}/Settings/Flags"), &settings.flags);
        let is_v6 = flags.is_some_and(|flags| flags.contains(NatFlags::IPV6));
        let mut prefixes = |name: &str, field| {
            let at = format!("{pointer}/Settings/{name}");
            let texts: &[String] = told.items(&at, field);
            let texts: Vec<&String> = texts.iter().collect();
            let mut prefixes = Vec::with_capacity(texts.len());
            for (place, text) in texts.into_iter().enumerate() {
                match prefix(text) {
                    Some(prefix) => prefixes.push(prefix),
                    None => told.tell(
                        format!("{at}/{place}"),
                        format!("{text:?} is no address and no CIDR, and is left out"),
                    ),
                }
            }
            prefixes
        };
        all.push(OutboundNat {
            family: match is_v6 {
                true => Family::V6,
                false => Family::V4,
            },
            source,
            exceptions: prefixes("Exceptions", &settings.exceptions),
            destinations: prefixes("Destinations", &settings.destinations),
            pointer,
        });
    }
    all
}

/// A prefix, or the one of a lone address.
fn prefix(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .ok()
        .map(|prefix| prefix.trunc())
        .or_else(|| Some(text.parse::<std::net::IpAddr>().ok()?.into()))
}
