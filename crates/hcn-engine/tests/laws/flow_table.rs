// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flow table over random packets, pauses and changes of rules, against a plain list of the flows that are open.
//!
//! Apart from its own tests, which tell one story each: here it is told what was met on the way. The list is searched from end to end, and what is
//! not in it is put to the second reading of the rules (hns-behaviour 4.6, 4.16, section 8 Q10 and Q11).

use std::net::IpAddr;

use hcn_engine::{
    Decision, Direction, Flow, FlowTable, Layer, PortIndex, Protocol, Semantics, Switch,
    flow_table::TcpFlags, verdict::Reason,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    hosts::{self, ALLOW_AND_BLOCK, documents_of, said},
    law::{Dice, Met, try_each},
    reach::{ADDRESSES, WORDS},
    reading::TextHost,
};

/// How long the last packets of a closed connection pass; as the table's own.
const LINGER_MS: u64 = 10_000;

/// Pauses between packets: within a moment, at the edges of both times, past them.
const PAUSES: [u64; 15] = [
    0, 0, 0, 1, 1, 500, 999, 1_000, 2_999, 3_000, 3_001, 9_999, 10_000, 10_001, 240_001,
];

/// Pauses where it is asked which flow was idle longest: a table knows that to within a second.
const LONG_PAUSES: [u64; 6] = [1_000, 1_000, 1_000, 2_000, 3_001, 10_001];

/// Which endpoints there are, as ports are numbered.
const PRESENT: [&[usize]; 6] = [&[0, 1, 2], &[2, 1, 0], &[0, 1], &[1], &[2, 0], &[0, 1, 2]];

/// A flow that the list has.
#[derive(Debug)]
struct Open {
    /// The endpoint, and which one of that id.
    at: (usize, u32),
    /// As its first packet was.
    direction: Direction,
    flow: Flow,
    layer: Layer,
    last_ms: u64,
    /// Directions in which a FIN was seen.
    fins: Vec<Direction>,
    is_closed: bool,
    /// How often the rules had changed when it was judged last.
    judged: u32,
}

impl Open {
    fn is(&self, at: (usize, u32), direction: Direction, flow: &Flow) -> bool {
        let own = match direction == self.direction {
            true => self.flow,
            false => self.flow.reverse(),
        };
        self.at == at && own == *flow
    }

    fn is_over(&self, idle_ms: u64, now_ms: u64) -> bool {
        let most = if self.is_closed { LINGER_MS } else { idle_ms };
        now_ms - self.last_ms > most
    }

    fn note(&mut self, direction: Direction, tcp: TcpFlags, now_ms: u64) {
        if tcp.fin && !self.fins.contains(&direction) {
            self.fins.push(direction);
        }
        self.is_closed = tcp.rst || self.fins.len() == 2;
        self.last_ms = now_ms;
    }
}

/// The endpoints that are there, with the rules that they have now.
struct Present {
    /// Endpoints by port.
    order: &'static [usize],
    host: TextHost,
    switch: Switch,
}

impl Present {
    fn of(host: &TextHost, order: &'static [usize]) -> Present {
        let own = order.iter().map(|place| host.endpoints[*place].clone());
        let documents = documents_of(host, order);
        Present {
            order,
            switch: Switch::compile(&documents, &host.semantics).0,
            host: TextHost {
                endpoints: own.collect(),
                ..host.clone()
            },
        }
    }
}

/// The list, and the table that it is held against.
struct Tables {
    present: Present,
    /// By endpoint: which one of its id this is, where it is there.
    which: [Option<u32>; 3],
    changes: u32,
    list: Vec<Open>,
    table: FlowTable,
    limit: Option<usize>,
    now_ms: u64,
}

impl Tables {
    fn change(&mut self, to: Present, met: &mut Met) {
        met.add("changes");
        self.table.rules_changed(&self.present.switch, &to.switch);
        self.changes += 1;
        for (endpoint, which) in self.which.iter_mut().enumerate() {
            *which = match (to.order.contains(&endpoint), *which) {
                (true, known) => known.or(Some(self.changes)),
                (false, _) => None,
            };
        }
        self.present = to;
    }

    fn semantics(&self) -> &Semantics {
        &self.present.host.semantics
    }

    /// Puts one packet to both.
    fn packet(
        &mut self,
        port: usize,
        direction: Direction,
        flow: &Flow,
        tcp: Option<TcpFlags>,
        met: &mut Met,
    ) -> Result<(), TestCaseError> {
        let number = PortIndex(port as u32);
        let (switch, now_ms) = (&self.present.switch, self.now_ms);
        let found = self
            .table
            .admit(switch, number, direction, flow, tcp, now_ms);
        let idle_ms = self.semantics().flow_idle_ms;
        let endpoint = self.present.order[port];
        let at = (endpoint, self.which[endpoint].expect("it has a port"));
        let tcp = tcp.unwrap_or_default();
        if let Some(place) = self
            .list
            .iter()
            .position(|open| open.is(at, direction, flow))
        {
            let open = &self.list[place];
            let starts_anew = open.is_closed && tcp.syn;
            if !open.is_over(idle_ms, now_ms) && !starts_anew {
                return self.known(place, port, (direction, flow, tcp), found, met);
            }
            met.add(match (open.is_over(idle_ms, now_ms), open.is_closed) {
                (true, true) => "closed too long",
                (true, false) => "idle too long",
                (false, _) => "a new connection on a closed one",
            });
            self.list.remove(place);
        }
        let of_another = self.list.iter().any(|open| {
            let same = (endpoint, open.at.1);
            open.at != at && open.is(same, direction, flow) && !open.is_over(idle_ms, now_ms)
        });
        met.add_if(of_another, "open at an endpoint that is gone");
        let expected = self.present.host.answer(port, direction, flow);
        let answer = said(&self.present.switch, number, direction, flow, found);
        prop_assert_eq!(&answer, &expected, "{} {}", direction, flow);
        prop_assert!(found.reason != Reason::Established);
        met.add(if expected.allowed {
            "opened"
        } else {
            "blocked"
        });
        if !expected.allowed || tcp.rst {
            return Ok(());
        }
        self.list.retain(|open| !open.is_over(idle_ms, now_ms));
        if self.limit.is_some_and(|limit| self.list.len() == limit) {
            let idlest = (0..self.list.len())
                .min_by_key(|place| (!self.list[*place].is_closed, self.list[*place].last_ms));
            let forgotten = self.list.remove(idlest.expect("a limit is one at least"));
            met.add(match forgotten.is_closed {
                true => "a closed flow forgotten",
                false => "an open flow forgotten",
            });
        }
        let mut open = Open {
            at,
            direction,
            flow: *flow,
            layer: expected.layer.unwrap_or(Layer::Switch),
            last_ms: now_ms,
            fins: Vec::new(),
            is_closed: false,
            judged: self.changes,
        };
        open.note(direction, tcp, now_ms);
        self.list.push(open);
        Ok(())
    }

    /// A packet of a flow that is open or closing.
    fn known(
        &mut self,
        place: usize,
        port: usize,
        (direction, flow, tcp): (Direction, &Flow, TcpFlags),
        found: hcn_engine::Ruling,
        met: &mut Met,
    ) -> Result<(), TestCaseError> {
        let rejudges = self.semantics().rejudge_open_flows;
        let open = &mut self.list[place];
        if open.judged != self.changes {
            open.judged = self.changes;
            // In the direction in which it was opened, whichever its packet has.
            let expected = self.present.host.answer(port, open.direction, &open.flow);
            if rejudges && !expected.allowed {
                let number = PortIndex(port as u32);
                let answer = said(&self.present.switch, number, direction, flow, found);
                prop_assert_eq!(&answer, &expected, "{} {}", direction, flow);
                met.add("cut by a change");
                met.add_if(direction != open.direction, "cut at an answer");
                self.list.remove(place);
                return Ok(());
            }
            if rejudges {
                open.layer = expected.layer.unwrap_or(Layer::Switch);
            }
            met.add(match expected.allowed {
                true => "lives through a change",
                false => "left alone by a change",
            });
        }
        prop_assert_eq!(found.decision, Decision::Allow, "{} {}", direction, flow);
        prop_assert_eq!(found.reason, Reason::Established, "{} {}", direction, flow);
        prop_assert_eq!(found.layer, open.layer, "{} {}", direction, flow);
        let reading = &self.present.host;
        met.add(match open.is_closed {
            true => "a last packet passes",
            false => "established",
        });
        let by_itself = reading.answer(port, direction, flow).allowed;
        met.add_if(!by_itself, "passes without a rule of its own");
        if !open.is_closed {
            open.note(direction, tcp, self.now_ms);
            met.add_if(open.is_closed, "closes");
        }
        Ok(())
    }

    /// Both hold what is open; the table also what is over and not yet forgotten.
    fn compare_sizes(&self) -> Result<(), TestCaseError> {
        let idle_ms = self.semantics().flow_idle_ms;
        let own = self.list.iter();
        let open = own
            .filter(|open| !open.is_over(idle_ms, self.now_ms))
            .count();
        let most = self.limit.unwrap_or(usize::MAX);
        prop_assert!((open..=most).contains(&self.table.len()), "{open} are open");
        prop_assert!(open == 0 || !self.table.is_empty());
        Ok(())
    }
}

/// A packet of a flow that is known or of another one among a few.
fn packet(tables: &Tables, dice: &mut Dice) -> (usize, Direction, Flow) {
    let order = tables.present.order;
    let of_known = !tables.list.is_empty() && !dice.one_of(3);
    if of_known {
        let open = &tables.list[dice.below(tables.list.len())];
        if let Some(port) = order.iter().position(|endpoint| *endpoint == open.at.0) {
            return match dice.one_of(2) {
                true => (port, open.direction, open.flow),
                false => (port, open.direction.reverse(), open.flow.reverse()),
            };
        }
    }
    let port = dice.below(order.len());
    let own: Vec<IpAddr> = tables.present.host.endpoints[port].addresses.clone();
    let own = dice.pick(&own);
    let others = hosts::of_family(
        &["10.0.0.2", "10.0.0.3", "10.0.0.99", "fd00::1", "fd00::99"],
        own.into(),
    );
    let protocol = dice.pick(&[6, 6, 6, 17, 1, 58]);
    let identifier = dice.pick(&[7, 8]);
    let (one, other) = match protocol {
        6 | 17 => (dice.pick(&[80, 443]), dice.pick(&[50_000, 50_001])),
        _ => (identifier, identifier),
    };
    let inward = Flow {
        source: dice.pick(&others),
        destination: own,
        protocol: Protocol(protocol),
        source_port: other,
        destination_port: one,
    };
    match dice.below(3) {
        0 => (port, Direction::In, inward),
        1 => (port, Direction::Out, inward.reverse()),
        // A call of its own.
        _ => {
            let outward = Flow {
                source: inward.destination,
                destination: inward.source,
                ..inward
            };
            (port, Direction::Out, outward)
        }
    }
}

fn tcp_flags(dice: &mut Dice) -> TcpFlags {
    let (mut syn, mut ack, mut fin, mut rst) = (false, true, false, false);
    match dice.below(10) {
        0..3 => (syn, ack) = (true, false),
        3 => syn = true,
        4..6 => fin = true,
        6 => rst = true,
        _ => {}
    }
    TcpFlags { syn, ack, fin, rst }
}

/// Three sets of rules for the same three endpoints.
fn hosts_in_turn() -> impl Strategy<Value = Vec<TextHost>> {
    let policies = vec(hosts::policies(&WORDS, ALLOW_AND_BLOCK), 3);
    let network = hosts::network(&WORDS, &["L2Bridge", "NAT", "Transparent"]);
    let semantics = (
        hosts::semantics(),
        select(vec![3_000u64, 240_000]),
        any::<bool>(),
    );
    (vec((network, policies), 3), semantics).prop_map(
        |(hosts, (semantics, flow_idle_ms, rejudge_open_flows))| {
            let semantics = Semantics {
                flow_idle_ms,
                rejudge_open_flows,
                ..semantics
            };
            let one = |(network, policies): (_, Vec<_>)| {
                let endpoints = policies.into_iter().zip(ADDRESSES);
                hosts::host_of(network, endpoints, semantics.clone())
            };
            hosts.into_iter().map(one).collect()
        },
    )
}

#[test]
fn packets_pass_by_the_flows_that_are_open_and_by_the_rules_of_now() {
    let cases = (
        hosts_in_turn(),
        option::of(1..6usize),
        vec(any::<u64>(), 20..60),
    );
    let met = try_each(10_000, &cases, |(hosts, limit, seeds), met| {
        let mut tables = Tables {
            present: Present::of(&hosts[0], PRESENT[0]),
            which: [Some(0); 3],
            changes: 0,
            list: Vec::new(),
            table: limit.map_or_else(FlowTable::default, FlowTable::with_limit),
            limit,
            now_ms: 0,
        };
        for seed in seeds {
            let dice = &mut Dice(seed);
            tables.now_ms += match limit {
                None => dice.pick(&PAUSES),
                Some(_) => dice.pick(&LONG_PAUSES),
            };
            if dice.one_of(12) {
                let host = &hosts[dice.below(hosts.len())];
                tables.change(Present::of(host, dice.pick(&PRESENT)), met);
            }
            let (port, direction, flow) = packet(&tables, dice);
            let tcp = (flow.protocol == Protocol::TCP).then(|| tcp_flags(dice));
            tables.packet(port, direction, &flow, tcp, met)?;
            tables.compare_sizes()?;
        }
        Ok(())
    });
    met.promises(10_000, &["changes", "opened", "blocked", "established"]);
    met.covers(
        1_000,
        &[
            "passes without a rule of its own",
            "lives through a change",
            "cut by a change",
            "cut at an answer",
            "left alone by a change",
            "idle too long",
            "closes",
            "a last packet passes",
            "closed too long",
            "a new connection on a closed one",
            "an open flow forgotten",
            "open at an endpoint that is gone",
        ],
    );
    met.covers(500, &["a closed flow forgotten"]);
}
