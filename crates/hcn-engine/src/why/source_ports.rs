// SPDX-License-Identifier: MIT OR Apache-2.0
//! From which source ports a flow fares otherwise.
//!
//! Apart because nobody asks for it and whoever names no source port has to know: systems choose that port, and a rule may name it. Every port
//! at which a rule that otherwise matches begins or ends is tried, so the answer is about all of them. A port that the host chooses when it
//! translates is not among them.

use std::collections::BTreeSet;

use super::{Inquiry, Rules};
use crate::{
    classifier::{Extent, Mismatch, Packet},
    flow::{Direction, Flow},
    port_rules::PortRules,
    rule_list::InList,
    way::{Fate, Start, Way},
};

/// Source ports from which a flow fares alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePorts {
    /// The ports, as ranges.
    pub ranges: Vec<(u16, u16)>,
    /// How it fares from them.
    pub fate: Fate,
}

impl SourcePorts {
    /// Whether a port is among them.
    pub fn contains(&self, port: u16) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&port))
    }
}

impl Inquiry<'_> {
    /// All source ports but 0, by how the flow fares from them; nothing where that is the same.
    pub(super) fn source_ports(
        &self,
        start: Start,
        flow: &Flow,
        rules: &Rules,
    ) -> Vec<SourcePorts> {
        if !flow.protocol.has_ports() {
            return Vec::new();
        }
        // First ports of intervals within which all rules say the same.
        let mut firsts = BTreeSet::from([1]);
        for (port, direction, seen, _) in self.ways(start, flow).iter().flat_map(Way::judgements) {
            if let Some(rules) = rules.get(&port) {
                rules.source_port_cuts(direction, &seen, &mut firsts);
            }
        }
        firsts.remove(&0);
        if firsts.len() == 1 {
            return Vec::new();
        }
        let ends = firsts.iter().skip(1).map(|next| next - 1);
        let mut all: Vec<SourcePorts> = Vec::new();
        for (first, last) in firsts.iter().copied().zip(ends.chain([u16::MAX])) {
            let from = Flow {
                source_port: first,
                ..*flow
            };
            let fate = self.way_by(start, &from, &self.semantics, rules).fate;
            match all.iter_mut().find(|known| known.fate == fate) {
                Some(known) => match known.ranges.last_mut() {
                    Some((_, end)) if *end + 1 == first => *end = last,
                    Some(_) | None => known.ranges.push((first, last)),
                },
                None => all.push(SourcePorts {
                    ranges: vec![(first, last)],
                    fate,
                }),
            }
        }
        if all.len() == 1 {
            all.clear();
        }
        all
    }
}

impl PortRules {
    /// Notes the first source ports of intervals in which the rules that a flow meets but for its source port say the same.
    fn source_port_cuts(&self, direction: Direction, flow: &Flow, firsts: &mut BTreeSet<u16>) {
        if let Some(packet) = Packet::<u32>::of(flow, direction) {
            self.cuts(direction, &packet, firsts);
        } else if let Some(packet) = Packet::<u128>::of(flow, direction) {
            self.cuts(direction, &packet, firsts);
        }
    }

    fn cuts<A: InList>(
        &self,
        direction: Direction,
        packet: &Packet<A>,
        firsts: &mut BTreeSet<u16>,
    ) {
        let own = match direction {
            Direction::In => Mismatch::REMOTE_PORT,
            Direction::Out => Mismatch::LOCAL_PORT,
        };
        let lists = self.lists_of(direction);
        for conditions in lists.flat_map(|(_, list)| list.matching::<A>()).flatten() {
            let ports = match direction {
                Direction::In => &conditions.remote_ports,
                Direction::Out => &conditions.local_ports,
            };
            let Extent::Of(ranges) = ports else {
                continue;
            };
            if conditions.mismatch(packet).bits() & !own.bits() == 0 {
                for (first, last) in ranges.iter() {
                    firsts.insert(*first);
                    firsts.extend(last.checked_add(1));
                }
            }
        }
    }
}
