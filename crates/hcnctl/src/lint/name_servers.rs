// SPDX-License-Identifier: MIT OR Apache-2.0
//! DNS servers of endpoints that are service addresses nobody serves.
//!
//! Apart from [`super::services`], which starts from load balancers: here what is missing is the load balancer itself, so that the endpoints are asked.
//! Documents do not tell which addresses are those of services. One is taken for such where virtual addresses of load balancers are its neighbours,
//! and it is nobody's whose address the documents tell.

use std::{collections::HashSet, net::IpAddr};

use ipnet::IpNet;

use super::{
    addresses,
    finding::{Finding, place, place_of},
    frontends, overlay, rules,
    subject::Subject,
};
const DNS: u16 = 53;

/// Looks at the DNS servers of every local endpoint, where there are load balancers at all.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    let balancers = &subject.load_balancers;
    let is_whole = balancers.iter().all(|known| known.is_whole);
    // A list that was cut may be that of the missing one.
    if balancers.is_empty() || !is_whole {
        return;
    }
    let (mut virtual_addresses, mut served) = (Vec::new(), HashSet::new());
    for known in balancers {
        for ((address, _, port), _) in frontends::frontends(known) {
            let Some(address) = address else {
                continue;
            };
            virtual_addresses.push((address, known));
            // Lists of v1 with port 0 are for the whole address.
            if port == DNS || port == 0 {
                served.insert(address);
            }
        }
    }
    let places = Places::of(subject);
    for known in &subject.endpoints {
        if known.document.is_remote() {
            continue;
        }
        let dns = known.document.dns.or_default();
        let servers = dns.server_list.get().into_iter().flatten().enumerate();
        for (number, text) in servers {
            let Ok(server) = text.trim().parse::<IpAddr>() else {
                continue;
            };
            let is_known = served.contains(&server) || places.has(server);
            let own = virtual_addresses
                .iter()
                .find(|(address, _)| *address == server);
            let near = virtual_addresses
                .iter()
                .find(|(address, _)| is_near(*address, server) && !places.has(*address));
            let (message, (_, balancer), shown) = match (own, near) {
                _ if is_known => continue,
                (Some(own), _) => (
                    format!("asks {server} for names, and no load balancer serves port 53 of it"),
                    own,
                    "serves other ports of it".to_owned(),
                ),
                (None, Some(near)) => (
                    format!(
                        "asks {server} for names, an address among those of services, and no load balancer serves it"
                    ),
                    near,
                    format!("serves {}, of the same range", near.0),
                ),
                (None, None) => continue,
            };
            let pointer = match known.is_v1 {
                true => "/DNSServerList".to_owned(),
                false => format!("/Dns/ServerList/{number}"),
            };
            let member = match balancer.is_v1 {
                true => "/Policies",
                false => "/FrontendVIPs",
            };
            found.push(
                Finding::new("dns-server-unserved", &known.name, &pointer, message).with([
                    place(&pointer, text.clone()),
                    place_of(&balancer.name, member, shown),
                ]),
            );
        }
    }
}

/// Whether two addresses are of one range of services, as far as addresses tell: the same first 16 bits, of IPv6 the first 108, which is the largest
/// range that Kubernetes takes.
fn is_near(one: IpAddr, other: IpAddr) -> bool {
    let length = match one {
        IpAddr::V4(_) => 16,
        IpAddr::V6(_) => 108,
    };
    IpNet::new(one, length).is_ok_and(|range| range.contains(&other))
}

/// Where somebody else than a service is: subnets, endpoints, and the surroundings of the host's own addresses, in which resolvers of the site stand.
struct Places {
    subnets: Vec<IpNet>,
    endpoints: HashSet<IpAddr>,
    hosts: Vec<IpAddr>,
}

impl Places {
    fn of(subject: &Subject) -> Places {
        let endpoints = subject.endpoints.iter();
        let endpoints = endpoints.flat_map(|known| rules::addresses(&known.document));
        let networks = subject.networks.iter();
        let prefixes = networks.flat_map(|known| addresses::prefixes(&known.document));
        let hosts = subject.networks.iter();
        let hosts = hosts.flat_map(overlay::management_addresses);
        Places {
            subnets: prefixes.map(|(_, prefix, _)| prefix).collect(),
            endpoints: endpoints.collect(),
            hosts: hosts.map(|(address, _)| address).collect(),
        }
    }

    fn has(&self, address: IpAddr) -> bool {
        self.endpoints.contains(&address)
            || self.subnets.iter().any(|subnet| subnet.contains(&address))
            || self.hosts.iter().any(|host| is_near(*host, address))
    }
}
