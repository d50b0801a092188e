// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judges the packets of a capture one after the other, with what the ones before tell of their flows.
//!
//! Apart from how it is told. Rules are stateful (hns-behaviour 4.6): what was allowed in one direction passes back without a rule. So a packet
//! is judged by the flow that it opens, or by the one that it is of; where the capture begins later than that flow, by both directions.

use std::collections::{HashMap, HashSet};

use hcn_engine::{
    Flow, Start, Switch, Topology,
    way::{FIRST_MASQUERADE_PORT, Fate, Hop, Receiver, Way},
};
use hcn_simulated::{Kind, Packet, Turn, Unread, datagram};

use crate::capture::{Content, vxlan};

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

/// A flow that was allowed.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The first packet by which it was.
    pub(super) packet: u64,
    /// Whether an earlier one opened the flow.
    pub(super) is_start_missing: bool,
    /// Whether the packet that is asked about is an ICMP error about one of the flow.
    pub(super) is_error: bool,
}

/// Judges packets.
pub(super) struct Judge<'a> {
    switch: &'a Switch,
    topology: &'a Topology,
    /// UDP ports of VXLAN.
    tunnels: HashSet<u16>,
    /// Allowed flows in each form that they have on their way, as translated too: a port opens for what it sees.
    allowed: HashMap<Flow, Known>,
    /// As `allowed`, of forms with a source that the host chose, whose port it may choose too: with 0 for that port.
    masqueraded: HashMap<Flow, Known>,
    /// Which packet opened a flow; none where an answer shows that there was one.
    openers: HashMap<Flow, Option<u64>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(switch: &'a Switch, topology: &'a Topology, tunnels: HashSet<u16>) -> Self {
        Judge {
            switch,
            topology,
            tunnels,
            allowed: HashMap::new(),
            masqueraded: HashMap::new(),
            openers: HashMap::new(),
        }
    }

    /// What there is to say of a packet; they are asked about in the order of the capture.
    pub(super) fn say(&mut self, number: u64, content: Content<'_>) -> Said {
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
            return self.error(flow);
        }
        if let Some(known) = self.known(&back) {
            return Answer::Answers(known);
        }
        match packet.turn {
            Turn::Opens => {
                self.openers.entry(flow).or_insert(Some(number));
                self.own(number, flow, StartSeen::Here)
            }
            Turn::Answers => {
                let opener = *self.openers.entry(back).or_insert(None);
                self.judged(back, true, seen_at(opener))
            }
            Turn::Continues => match (self.openers.get(&flow), self.openers.get(&back)) {
                (Some(Some(_)), _) => self.own(number, flow, StartSeen::Here),
                (Some(None), _) => self.own(number, flow, StartSeen::Missing),
                (None, Some(opener)) => self.judged(back, true, seen_at(*opener)),
                (None, None) => self.middle(number, flow),
            },
        }
    }

    /// A packet in the middle of a flow whose first one is not in the capture: it passes where either side may have opened the flow.
    fn middle(&mut self, number: u64, flow: Flow) -> Answer {
        let own = self.own(number, flow, StartSeen::Missing);
        if own.is_allowed() == Some(true) {
            return own;
        }
        let other = self.judged(flow.reverse(), true, StartSeen::Missing);
        match (other.is_allowed(), own.is_allowed()) {
            (Some(true), _) | (_, None) => other,
            _ => own,
        }
    }

    /// An ICMP error; the flow is that of an answer to the packet that it quotes. It passes where that packet's flow does.
    fn error(&self, flow: Flow) -> Answer {
        let quoted = flow.reverse();
        if let Some(known) = self.known(&quoted).or_else(|| self.known(&flow)) {
            return Answer::Answers(Known {
                is_error: true,
                ..known
            });
        }
        let opener = self.openers.get(&quoted).copied();
        let about = self.judged(quoted, true, seen_at(opener.flatten()));
        if opener.is_some() || about.is_allowed() == Some(true) {
            return about;
        }
        let other = self.judged(flow, false, StartSeen::Missing);
        match (other.is_allowed(), about.is_allowed()) {
            (Some(true), _) | (_, None) => other,
            _ => about,
        }
    }

    /// Judges a packet by its own flow, and notes that where it is allowed.
    fn own(&mut self, number: u64, flow: Flow, start: StartSeen) -> Answer {
        let answer = self.judged(flow, false, start);
        if let Answer::Judged(judgement) = &answer {
            let known = Known {
                packet: number,
                is_start_missing: start == StartSeen::Missing,
                is_error: false,
            };
            self.note(known, &judgement.way, &judgement.way);
        }
        answer
    }

    fn judged(&self, flow: Flow, is_reverse: bool, start: StartSeen) -> Answer {
        let from = self.switch.start_of(self.topology, flow.source);
        let way = self.switch.way(self.topology, from, &flow);
        if matches!(from, Start::Outside | Start::Host) && self.passes_by(&way) {
            return Answer::Unjudged("it does not cross this host's ports");
        }
        Answer::Judged(Judgement {
            way,
            is_reverse,
            start,
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

    /// Notes every form in which a flow passes on `way`, a part of the way `whole`.
    fn note(&mut self, known: Known, whole: &Way, way: &Way) {
        let passes = match way.fate {
            // One that passes may be the one that gets it.
            Fate::Balanced { passing, .. } => passing > 0,
            fate => fate.is_allowed(),
        };
        if !passes {
            return;
        }
        self.note_form(known, &whole.flow, way.flow);
        for hop in &way.hops {
            match hop {
                Hop::Judged { flow, .. } | Hop::Published { flow, .. } => {
                    self.note_form(known, &whole.flow, *flow);
                }
                Hop::Balanced { branches, .. } => {
                    for branch in branches {
                        self.note(known, whole, &branch.way);
                    }
                }
                // The others translate nothing.
                _ => {}
            }
        }
    }

    fn note_form(&mut self, known: Known, opened: &Flow, form: Flow) {
        if (form.source, form.source_port) == (opened.source, opened.source_port) {
            self.allowed.entry(form).or_insert(known);
        } else {
            let any = Flow {
                source_port: 0,
                ..form
            };
            self.masqueraded.entry(any).or_insert(known);
        }
    }

    /// The flow that was allowed before, in whatever form.
    fn known(&self, flow: &Flow) -> Option<Known> {
        let masqueraded = || {
            let any = Flow {
                source_port: 0,
                ..*flow
            };
            let found = self.masqueraded.get(&any);
            found.filter(|_| flow.source_port >= FIRST_MASQUERADE_PORT)
        };
        self.allowed.get(flow).or_else(masqueraded).copied()
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
mod tests {
    use hcn_engine::{Documents, Semantics};
    use hcn_schema::{Document, Endpoint, LoadBalancer, Network};
    use serde_json::{Value, json};

    use super::*;

    /// Two endpoints, one of which lets in port 80 alone, and a service that both are behind, with direct server return or not.
    fn documents(flags: u8) -> Documents {
        let id = |kind: u8, number: u8| format!("{kind}0000000-0000-4000-8000-00000000000{number}");
        let rule = json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 100}});
        let endpoint = |number: u8, policies: Value| {
            let document = json!({
                "ID": id(2, number), "HostComputeNetwork": id(1, 1), "Policies": policies,
                "IpConfigurations": [{"IpAddress": format!("10.1.0.{number}"), "PrefixLength": 24}],
                "Routes": [{"NextHop": "10.1.0.254", "DestinationPrefix": "0.0.0.0/0"}],
            });
            Endpoint::from_value(&document).unwrap()
        };
        let network = json!({"ID": id(1, 1), "Type": "L2Bridge", "Ipams": [{"Subnets": [{
            "IpAddressPrefix": "10.1.0.0/24", "Routes": [{"NextHop": "10.1.0.254", "DestinationPrefix": "0.0.0.0/0"}]}]}]});
        let service = json!({
            "ID": id(3, 1), "HostComputeEndpoints": [id(2, 1), id(2, 2)], "FrontendVIPs": ["10.96.0.1"], "Flags": flags,
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}],
        });
        Documents {
            networks: vec![Network::from_value(&network).unwrap()],
            endpoints: vec![endpoint(1, json!([rule])), endpoint(2, json!([]))],
            load_balancers: vec![LoadBalancer::from_value(&service).unwrap()],
        }
    }

    proptest::proptest! {
        /// hns-behaviour 4.6: what is allowed passes back, whatever came before and whatever a segment's flags are.
        #[test]
        fn whatever_was_allowed_passes_back(
            flags in 0u8..2,
            packets in proptest::collection::vec((0usize..6, 0usize..6, 0usize..4, 0usize..4, 0u8..32, 0usize..24), 1..40),
        ) {
            let (switch, _) = Switch::compile(&documents(flags), &Semantics::default());
            let topology = Topology::of(&switch, usize::MAX);
            let mut judge = Judge::new(&switch, &topology, HashSet::from([VXLAN_PORT]));
            let addresses = [[10, 1, 0, 1], [10, 1, 0, 2], [10, 1, 0, 254], [10, 96, 0, 1], [8, 8, 8, 8], [127, 0, 0, 1]];
            let ports = [80_u16, 443, 5000, 40_000];
            let mut allowed = HashSet::new();
            for (number, (from, to, from_port, to_port, flags, cut)) in (1..).zip(packets) {
                // RFC 791 and RFC 9293: 20 bytes each, of which the last few may be cut off.
                let mut bytes = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0];
                bytes.extend(addresses[from]);
                bytes.extend(addresses[to]);
                bytes.extend(ports[from_port].to_be_bytes());
                bytes.extend(ports[to_port].to_be_bytes());
                bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 0, 0, 0, 0, 0]);
                bytes.truncate(40 - cut.saturating_sub(12));
                let said = judge.say(number, Content::Ip(&bytes));
                let Some(flow) = said.flow else { continue };
                let is_allowed = said.answer.is_allowed();
                if allowed.contains(&flow.reverse()) {
                    proptest::prop_assert_eq!(is_allowed, Some(true), "{}", flow);
                }
                match &said.answer {
                    Answer::Judged(judgement) if is_allowed == Some(true) && !judgement.is_reverse => {
                        allowed.insert(flow);
                    }
                    Answer::Answers(known) => proptest::prop_assert!(known.packet < number),
                    Answer::Judged(_) | Answer::Unjudged(_) => {}
                }
            }
        }
    }
}
