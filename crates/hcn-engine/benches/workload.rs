// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rule sets and packets for the benchmark, the same on every run.
//!
//! The skew is that of rules that agents write for one pod (hns-behaviour 4.15): nearly every rule names a protocol, most name one port or one
//! other address, some a range, a subnet or a list; what names least is weakest.

use std::net::{IpAddr, Ipv4Addr};

use hcn_engine::{
    acl::{self, Rule},
    classifier::{Conditions, Packet},
    flow::{Direction, Flow, Protocol},
    semantics::Semantics,
    sets::Sets,
};
use hcn_schema::policy::{Acl, AclAction, AclDirection};

/// Address of the endpoint that all rules are on.
pub const OWN: Ipv4Addr = Ipv4Addr::new(10, 244, 3, 17);

/// A generator of numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn percent(&mut self) -> u64 {
        self.below(100)
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, limit: u64) -> u64 {
        let bound = self.below(limit) + 1;
        self.below(bound)
    }
}

/// `count` rules of direction In, in the order in which an agent would add them, with a default at the end.
pub fn acls(count: usize) -> Vec<Acl> {
    let random = &mut Random(count as u64);
    let mut acls: Vec<Acl> = (1..count).map(|_| one(random)).collect();
    acls.push(Acl {
        action: AclAction::Allow.into(),
        direction: AclDirection::In.into(),
        priority: 65_500.into(),
        ..Acl::default()
    });
    acls
}

fn one(random: &mut Random) -> Acl {
    let mut acl = Acl {
        action: match random.percent() {
            0..70 => AclAction::Allow,
            _ => AclAction::Block,
        }
        .into(),
        direction: AclDirection::In.into(),
        ..Acl::default()
    };
    match random.percent() {
        0..60 => acl.protocols.set("6".to_owned()),
        60..80 => acl.protocols.set("17".to_owned()),
        80..90 => acl.protocols.set("6,17".to_owned()),
        _ => {}
    }
    if random.percent() < 25 {
        acl.local_addresses.set(OWN.to_string());
    }
    let remotes = match random.percent() {
        0..75 => 1,
        75..90 => 2 + random.below(8),
        90..91 => 100,
        _ => 0,
    };
    if remotes > 0 {
        let list: Vec<String> = (0..remotes).map(|_| prefix(random)).collect();
        acl.remote_addresses.set(list.join(","));
    }
    let ports = match random.percent() {
        0..65 => port(random).to_string(),
        65..80 => format!("{},{},{}", port(random), port(random), port(random)),
        80..88 => {
            let first = port(random);
            format!(
                "{first}-{}",
                first.saturating_add(random.below(1000) as u16)
            )
        }
        _ => String::new(),
    };
    let names_port = !ports.is_empty();
    if names_port {
        acl.local_ports.set(ports);
    }
    if random.percent() < 5 {
        acl.remote_ports.set("1024-65535".to_owned());
    }
    let strongest = match (remotes, names_port) {
        (1.., true) => 100,
        (1.., false) => 40_000,
        (0, true) => 55_000,
        (0, false) => 64_000,
    };
    let weakest = if strongest == 100 { 55_000 } else { 65_000 };
    acl.priority
        .set((strongest + random.below(weakest - strongest)) as u16);
    acl
}

/// Other addresses lie in a few subnets, thickly.
fn address(random: &mut Random) -> u32 {
    let subnet = random.skewed(64) as u32;
    0x0a00_0000 | subnet << 16 | random.below(1 << 16) as u32
}

fn prefix(random: &mut Random) -> String {
    let length = match random.percent() {
        0..60 => 32,
        60..85 => 24,
        85..95 => 25 + random.below(6) as u32,
        _ => 16 + random.below(8) as u32,
    };
    let address = address(random) & u32::MAX << (32 - length);
    match length {
        32 => Ipv4Addr::from(address).to_string(),
        _ => format!("{}/{length}", Ipv4Addr::from(address)),
    }
}

fn port(random: &mut Random) -> u16 {
    const KNOWN: [u16; 16] = [
        80, 443, 8080, 53, 22, 3389, 5985, 9090, 6379, 5432, 3306, 8443, 9100, 10250, 2379, 25,
    ];
    match random.percent() {
        0..70 => KNOWN[random.skewed(16) as usize],
        _ => 1 + random.below(65_535) as u16,
    }
}

/// The same rules, strongest first, for a scan.
pub fn parsed(acls: &[Acl]) -> Vec<Conditions<u32>> {
    let semantics = Semantics::default();
    let mut rules: Vec<Rule> = acls
        .iter()
        .map(|acl| acl::check(acl, &semantics, &|_| false).expect("the workload's rules are good"))
        .collect();
    rules.sort_by_key(|rule| (rule.priority, rule.action != AclAction::Block));
    rules
        .iter()
        .filter_map(|rule| rule.conditions(&Sets::default(), &semantics))
        .collect()
}

/// Different packets, nearly all of them decided by a rule in the weaker three quarters.
pub fn flows(rules: &[Conditions<u32>], count: usize) -> Vec<Flow> {
    let random = &mut Random(!0);
    let mut flows = Vec::with_capacity(count);
    while flows.len() < count {
        let rule = &rules[random.below(rules.len() as u64) as usize];
        let flow = Flow {
            source: IpAddr::V4(
                within(&rule.remote, random)
                    .map_or_else(|| Ipv4Addr::from(address(random)), Ipv4Addr::from),
            ),
            destination: IpAddr::V4(OWN),
            protocol: match rule.protocols.contains(6) {
                true => Protocol::TCP,
                false => Protocol::UDP,
            },
            source_port: 1024 + random.below(64_000) as u16,
            destination_port: within(&rule.local_ports, random).unwrap_or_else(|| port(random)),
        };
        if scan(rules, &flow) >= rules.len() / 4 || random.percent() < 5 {
            flows.push(flow);
        }
    }
    flows
}

/// A value in one of an extent's intervals.
fn within<V>(extent: &hcn_engine::classifier::Extent<V>, random: &mut Random) -> Option<V>
where
    V: Copy + Into<u64> + TryFrom<u64>,
{
    let hcn_engine::classifier::Extent::Of(intervals) = extent else {
        return None;
    };
    let (first, last) = intervals[random.below(intervals.len() as u64) as usize];
    let width = last.into() - first.into() + 1;
    V::try_from(first.into() + random.below(width)).ok()
}

/// Place of the first rule that matches, by trying one after the other.
pub fn scan(rules: &[Conditions<u32>], flow: &Flow) -> usize {
    let packet = Packet::of(flow, Direction::In).expect("an IPv4 flow");
    rules
        .iter()
        .position(|rule| rule.matches(&packet))
        .unwrap_or(rules.len())
}
