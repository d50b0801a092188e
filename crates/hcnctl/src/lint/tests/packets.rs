// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets at the edges of what two states of a port say: the ends of every prefix and of every range of ports, and their neighbours.
//!
//! Apart from the reading, which is asked about them. Half of them are aimed at a rule, most often at one that only one of the two states has,
//! since a fix changes little and chance alone would miss it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hcn_engine::{Direction, Flow, Protocol};

use super::reading::{Port, Rule, bits, ends};

/// The same numbers in every run (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

/// What packets of two states are made of.
pub struct Edges {
    own: Vec<IpAddr>,
    addresses: [Vec<IpAddr>; 2],
    ports: Vec<u16>,
    protocols: Vec<u8>,
    /// Rules that one state has and the other has not; all of them where there is no such rule.
    aims: Vec<Rule>,
}

fn address(value: u128, width: u32) -> IpAddr {
    match width {
        32 => IpAddr::V4(Ipv4Addr::from(value as u32)),
        _ => IpAddr::V6(Ipv6Addr::from(value)),
    }
}

/// The ends of a prefix, and what lies beside.
fn edges(prefix: ((u128, u32), u32), addresses: &mut [Vec<IpAddr>; 2]) {
    let width = prefix.0.1;
    let (first, last) = ends(prefix);
    let most = if width == 32 {
        u128::from(u32::MAX)
    } else {
        u128::MAX
    };
    let beside = [
        first.saturating_sub(1),
        first,
        last,
        last.saturating_add(1).min(most),
    ];
    addresses[usize::from(width != 32)].extend(beside.map(|value| address(value, width)));
}

impl Edges {
    pub fn of(own: &[IpAddr], states: [&Port; 2]) -> Edges {
        let mut addresses = [
            vec![IpAddr::from([192, 0, 2, 1]), IpAddr::from([10, 0, 0, 1])],
            vec![IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])],
        ];
        let mut ports = vec![0, 80, 49_152, u16::MAX];
        let mut protocols = vec![6, 6, 17, 1, 58, 47, 132];
        for state in states {
            for prefix in state.in_sets() {
                edges(prefix, &mut addresses);
            }
            for rule in state.rules() {
                for prefix in rule.local.plain.iter().chain(&rule.remote.plain) {
                    edges(*prefix, &mut addresses);
                }
                for (first, last) in rule.local_ports.iter().chain(&rule.remote_ports) {
                    ports.extend([
                        first.saturating_sub(1),
                        *first,
                        *last,
                        last.saturating_add(1),
                    ]);
                }
                protocols.extend(
                    rule.protocols
                        .iter()
                        .filter_map(|own| u8::try_from(*own).ok()),
                );
            }
        }
        for list in &mut addresses {
            list.sort_unstable();
            list.dedup();
        }
        ports.sort_unstable();
        ports.dedup();
        let [one, other] = states;
        let only = |own: &Port, their: &Port| -> Vec<Rule> {
            let their: Vec<&Rule> = their.rules().collect();
            own.rules()
                .filter(|rule| !their.contains(rule))
                .cloned()
                .collect()
        };
        let mut aims = only(one, other);
        aims.extend(only(other, one));
        if aims.is_empty() {
            aims.extend(one.rules().cloned());
        }
        Edges {
            own: own.to_vec(),
            addresses,
            ports,
            protocols,
            aims,
        }
    }

    /// A packet and which way it crosses the port; and whether it was aimed at a rule.
    pub fn packet(&self, dice: &mut Dice) -> (Direction, Flow) {
        let aim = match self.aims.is_empty() || dice.roll(3) == 0 {
            true => None,
            false => Some(&self.aims[dice.roll(self.aims.len())]),
        };
        let direction = match aim {
            Some(rule) => rule.direction,
            None => dice.one_of(&[Direction::In, Direction::Out]),
        };
        let own = match self.own.is_empty() || dice.roll(5) == 0 {
            true => {
                let family = dice.roll(2);
                dice.one_of(&self.addresses[family])
            }
            false => dice.one_of(&self.own),
        };
        let mut local = own;
        let mut remote = self.addresses[usize::from(own.is_ipv6())][..].to_vec();
        let mut protocol = dice.one_of(&self.protocols);
        let (mut local_port, mut remote_port) =
            (dice.one_of(&self.ports), dice.one_of(&self.ports));
        if let Some(rule) = aim {
            let inside = |plain: &[((u128, u32), u32)]| -> Vec<IpAddr> {
                let mut found = [Vec::new(), Vec::new()];
                for prefix in plain {
                    let width = prefix.0.1;
                    let (first, last) = ends(*prefix);
                    found[usize::from(width != 32)]
                        .extend([address(first, width), address(last, width)]);
                }
                found.concat()
            };
            let locals = inside(&rule.local.plain);
            if !locals.is_empty()
                && !rule.local.plain.iter().any(|prefix| {
                    let (first, last) = ends(*prefix);
                    prefix.0.1 == bits(local).1 && (first..=last).contains(&bits(local).0)
                })
            {
                local = dice.one_of(&locals);
                remote = self.addresses[usize::from(local.is_ipv6())].clone();
            }
            let remotes: Vec<IpAddr> = inside(&rule.remote.plain)
                .into_iter()
                .filter(|address| address.is_ipv4() == local.is_ipv4())
                .collect();
            if !remotes.is_empty() {
                remote = remotes;
            }
            let named: Vec<u8> = rule
                .protocols
                .iter()
                .filter_map(|own| u8::try_from(*own).ok())
                .collect();
            if !named.is_empty() {
                protocol = dice.one_of(&named);
            } else if !(rule.local_ports.is_empty() && rule.remote_ports.is_empty()) {
                protocol = dice.one_of(&[6, 17]);
            }
            let mut port = |spans: &[(u16, u16)], port: &mut u16| {
                if !spans.is_empty() {
                    let (first, last) = dice.one_of(spans);
                    *port = dice.one_of(&[first, last]);
                }
            };
            port(&rule.local_ports, &mut local_port);
            port(&rule.remote_ports, &mut remote_port);
        }
        let remote = dice.one_of(&remote);
        let (source, source_port, destination, destination_port) = match direction {
            Direction::In => (remote, remote_port, local, local_port),
            Direction::Out => (local, local_port, remote, remote_port),
        };
        let flow = Flow {
            source,
            destination,
            protocol: Protocol(protocol),
            source_port,
            destination_port,
        };
        (direction, flow)
    }

    /// Whether a packet meets a rule that one of the states has alone, or any rule where they have the same ones.
    pub fn is_met(&self, port: &Port, direction: Direction, flow: &Flow) -> bool {
        self.aims
            .iter()
            .any(|rule| rule.direction == direction && port.matches(rule, flow))
    }
}
