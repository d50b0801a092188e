// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judges the packets of a capture one after the other, with what the ones before tell of their flows.
//!
//! Apart from how it is told. Rules are stateful (hns-behaviour 4.6): what was allowed in one direction passes back without a rule. So a packet
//! is judged by the flow that it opens, or by the one that it is of; where the capture begins later than that flow, by both directions; and where
//! that flow is forgotten (4.16), by itself.

use std::collections::{HashMap, HashSet};

use hcn_engine::{
    Flow, Start, Switch, Topology,
    flow_table::TcpFlags,
    way::{Fate, Hop, Receiver, Way},
};
use hcn_simulated::{Kind, Packet, Turn, Unread, datagram};

use super::memory::{Forgotten, Known, Memory, Recalled, Side};
use crate::capture::{Captured, Content, vxlan};

/// UDP port of VXLAN where no policy says another (hns-behaviour 2.12: `VxlanPort`).
pub(super) const VXLAN_PORT: u16 = 4789;

/// What there is to say of a packet.
pub(super) struct Said {
    /// In which tunnel it came.
    pub(super) tunnel: Option<Tunnel>,
    pub(super) flow: Option<Flow>,
    pub(super) answer: Answer,
}

/// A tunnel: VXLAN.
pub(super) struct Tunnel {
    /// Number of the network.
    pub(super) network: u32,
    /// The flow of the outer packet.
    pub(super) outer: Flow,
}

/// How a packet fares.
pub(super) enum Answer {
    /// It is judged by a way.
    Judged(Judgement),
    /// It is of a flow that was allowed before.
    Answers(Known),
    /// It is not judged, for this reason.
    Unjudged(&'static str),
}

/// By what a packet is judged.
pub(super) struct Judgement {
    pub(super) way: Way,
    /// Whether the way is that of the other direction: the packet is an answer, or passes as one.
    pub(super) is_reverse: bool,
    pub(super) start: StartSeen,
    /// The flow that the packet was of, where it is judged by itself for its being forgotten.
    pub(super) forgotten: Option<Forgotten>,
}

/// Where the flow's first packet is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StartSeen {
    /// It is this packet, or one before, in this direction.
    Here,
    /// It is this packet, in the other direction.
    At(u64),
    /// It is not in the capture.
    Missing,
}

/// Judges packets.
pub(super) struct Judge<'a> {
    switch: &'a Switch,
    topology: &'a Topology,
    /// UDP ports of VXLAN.
    tunnels: HashSet<u16>,
    memory: Memory,
    /// Which packet opened a flow; none where an answer shows that there was one.
    openers: HashMap<Flow, Option<u64>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(switch: &'a Switch, topology: &'a Topology, tunnels: HashSet<u16>) -> Self {
        Judge {
            switch,
            topology,
            tunnels,
            memory: Memory::new(switch.semantics().flow_idle_ms),
            openers: HashMap::new(),
        }
    }

    /// What there is to say of a packet; they are asked about in the order of the capture.
    pub(super) fn say(&mut self, captured: Captured<'_>) -> Said {
        let Captured {
            number,
            time_ms,
            content,
        } = captured;
        self.memory.go_on(number, time_ms);
        let (content, tunnel) = self.unwrapped(content);
        let (flow, answer) = match content {
            Content::Other(what) => (None, Answer::Unjudged(what)),
            Content::Ip(bytes) => match Packet::try_read(bytes) {
                Ok(packet) => (Some(packet.flow), self.answer(number, &packet)),
                Err(unread) => (None, Answer::Unjudged(reason(unread))),
            },
        };
        Said {
            tunnel,
            flow,
            answer,
        }
    }

    /// The content of a tunnel between hosts. What a container puts into a tunnel of its own is judged as it is, since its port sees the outside.
    fn unwrapped<'b>(&self, content: Content<'b>) -> (Content<'b>, Option<Tunnel>) {
        let inner = || {
            let Content::Ip(bytes) = content else {
                return None;
            };
            let payload = datagram(bytes)?;
            let outer = Packet::read(bytes)?.flow;
            let is_tunnel = self.tunnels.contains(&outer.destination_port);
            if !is_tunnel
                || [outer.source, outer.destination].map(|end| self.is_port(end)) != [false; 2]
            {
                return None;
            }
            let (network, inner) = vxlan(payload)?;
            Some((inner, Tunnel { network, outer }))
        };
        match inner() {
            Some((inner, tunnel)) => (inner, Some(tunnel)),
            None => (content, None),
        }
    }

    fn is_port(&self, address: std::net::IpAddr) -> bool {
        matches!(self.switch.start_of(self.topology, address), Start::Port(_))
    }

    fn answer(&mut self, number: u64, packet: &Packet) -> Answer {
        let flow = packet.flow;
        let back = flow.reverse();
        if packet.kind == Kind::Control {
            return Answer::Unjudged("neighbour discovery or DHCP, which no rule judges");
        }
        if flow.source == flow.destination
            || [flow.source, flow.destination]
                .iter()
                .any(|end| end.is_loopback())
        {
            return Answer::Unjudged("loopback, which crosses no port");
        }
        if matches!(packet.kind, Kind::Error(_)) {
            return self.error(packet);
        }
        let tcp = packet.tcp;
        match (self.memory.recall(&flow, tcp), packet.turn) {
            (Recalled::Answers(known), _) => return Answer::Answers(known),
            // HNS knows no more of it than what it says itself.
            (Recalled::Forgotten(forgotten), _) => {
                return self.own(flow, tcp, StartSeen::Here, Some(forgotten));
            }
            (Recalled::Own { is_start_missing }, Turn::Answers | Turn::Continues) => {
                let start = match is_start_missing {
                    true => StartSeen::Missing,
                    false => StartSeen::Here,
                };
                return self.own(flow, tcp, start, None);
            }
            (Recalled::Own { .. }, Turn::Opens) | (Recalled::Nothing, _) => {}
        }
        match packet.turn {
            Turn::Opens => {
                self.openers.entry(flow).or_insert(Some(number));
                self.own(flow, tcp, StartSeen::Here, None)
            }
            Turn::Answers => {
                let opener = *self.openers.entry(back).or_insert(None);
                self.reverse(back, tcp, seen_at(opener))
            }
            Turn::Continues => match (self.openers.get(&flow), self.openers.get(&back)) {
                (Some(Some(_)), _) => self.own(flow, tcp, StartSeen::Here, None),
                (Some(None), _) => self.own(flow, tcp, StartSeen::Missing, None),
                (None, Some(opener)) => self.reverse(back, tcp, seen_at(*opener)),
                (None, None) => self.middle(flow, tcp),
            },
        }
    }

    /// A packet in the middle of a flow whose first one is not in the capture: it passes where either side may have opened the flow.
    fn middle(&mut self, flow: Flow, tcp: Option<TcpFlags>) -> Answer {
        let own = self.own(flow, tcp, StartSeen::Missing, None);
        if own.is_allowed() == Some(true) {
            return own;
        }
        let other = self.judged(flow.reverse(), true, StartSeen::Missing, None);
        match (other.is_allowed(), own.is_allowed()) {
            (Some(true), _) => {
                self.note(&other, Side::Other, tcp);
                other
            }
            (_, None) => other,
            _ => own,
        }
    }

    /// An ICMP error; its flow is that of an answer to the packet that it quotes. It passes where that packet's flow does.
    fn error(&mut self, packet: &Packet) -> Answer {
        let flow = packet.flow;
        let quoted = flow.reverse();
        let forgotten = match self.memory.recall(&flow, packet.tcp) {
            Recalled::Answers(known) => return error_about(known),
            Recalled::Forgotten(forgotten) => Some(forgotten),
            Recalled::Own { .. } | Recalled::Nothing => None,
        };
        if let Recalled::Answers(known) = self.memory.recall(&quoted, packet.tcp) {
            return error_about(known);
        }
        if forgotten.is_some() {
            return self.judged(flow, false, StartSeen::Here, forgotten);
        }
        let opener = self.openers.get(&quoted).copied();
        let about = self.judged(quoted, true, seen_at(opener.flatten()), None);
        if opener.is_some() || about.is_allowed() == Some(true) {
            return about;
        }
        let other = self.judged(flow, false, StartSeen::Missing, None);
        match (other.is_allowed(), about.is_allowed()) {
            (Some(true), _) | (_, None) => other,
            _ => about,
        }
    }

    /// Judges a packet by its own flow, and notes that where it is allowed.
    fn own(
        &mut self,
        flow: Flow,
        tcp: Option<TcpFlags>,
        start: StartSeen,
        forgotten: Option<Forgotten>,
    ) -> Answer {
        let answer = self.judged(flow, false, start, forgotten);
        self.note(&answer, Side::Opener, tcp);
        answer
    }

    /// Judges an answer by the flow that it answers, `back`, and notes that where it is allowed.
    fn reverse(&mut self, back: Flow, tcp: Option<TcpFlags>, start: StartSeen) -> Answer {
        let answer = self.judged(back, true, start, None);
        self.note(&answer, Side::Other, tcp);
        answer
    }

    fn judged(
        &self,
        flow: Flow,
        is_reverse: bool,
        start: StartSeen,
        forgotten: Option<Forgotten>,
    ) -> Answer {
        let from = self.switch.start_of(self.topology, flow.source);
        let way = self.switch.way(self.topology, from, &flow);
        if matches!(from, Start::Outside | Start::Host) && self.passes_by(&way) {
            return Answer::Unjudged("it does not cross this host's ports");
        }
        Answer::Judged(Judgement {
            way,
            is_reverse,
            start,
            forgotten,
        })
    }

    /// Whether a way from outside, or from the host itself, has nothing to do with this host's ports.
    fn passes_by(&self, way: &Way) -> bool {
        let touches = |hop: &Hop| {
            matches!(
                hop,
                Hop::Judged { .. } | Hop::Published { .. } | Hop::Balanced { .. }
            )
        };
        if way.hops.iter().any(touches) {
            return false;
        }
        match way.fate {
            Fate::Leaves | Fate::Arrives(Receiver::Host) => true,
            // What cannot get to an address of a network of this host is told; nobody knows what becomes of others.
            Fate::Unreachable(_) => {
                let mut subnets = self.switch.networks.iter().flat_map(|own| &own.subnets);
                !subnets.any(|(subnet, _)| subnet.contains(&way.flow.destination))
            }
            Fate::Arrives(_) | Fate::Dropped | Fate::Balanced { .. } => false,
        }
    }

    /// Notes the flow by which a packet from this side of it is judged, where that passes.
    fn note(&mut self, answer: &Answer, side: Side, tcp: Option<TcpFlags>) {
        let Answer::Judged(Judgement { way, start, .. }) = answer else {
            return;
        };
        let mut forms = Vec::new();
        passing_forms(way, &mut forms);
        if !forms.is_empty() {
            let is_start_missing = *start == StartSeen::Missing;
            self.memory
                .note(way.flow, &forms, (side, tcp), is_start_missing);
        }
    }
}

/// Every form in which a flow passes on a way; none where it does not pass.
fn passing_forms(way: &Way, forms: &mut Vec<Flow>) {
    let passes = match way.fate {
        // One that passes may be the one that gets it.
        Fate::Balanced { passing, .. } => passing > 0,
        fate => fate.is_allowed(),
    };
    if !passes {
        return;
    }
    forms.push(way.flow);
    for hop in &way.hops {
        match hop {
            Hop::Judged { flow, .. } | Hop::Published { flow, .. } => forms.push(*flow),
            Hop::Balanced { branches, .. } => {
                for branch in branches {
                    passing_forms(&branch.way, forms);
                }
            }
            // The others translate nothing.
            _ => {}
        }
    }
}

impl Answer {
    /// Whether the packet passes; `None` where it is not judged.
    pub(super) fn is_allowed(&self) -> Option<bool> {
        match self {
            Answer::Judged(judgement) => Some(judgement.way.fate.is_allowed()),
            Answer::Answers(_) => Some(true),
            Answer::Unjudged(_) => None,
        }
    }
}

fn error_about(known: Known) -> Answer {
    Answer::Answers(Known {
        is_error: true,
        ..known
    })
}

fn seen_at(opener: Option<u64>) -> StartSeen {
    opener.map_or(StartSeen::Missing, StartSeen::At)
}

fn reason(unread: Unread) -> &'static str {
    match unread {
        Unread::CutShort => "an IP packet that is cut short before its ports",
        Unread::LaterFragment => "a later fragment, which fares as the first one does",
        Unread::BadQuotation => {
            "an ICMP error that quotes no packet of its family, or not as far as its ports"
        }
    }
}

#[cfg(test)]
mod tests;
