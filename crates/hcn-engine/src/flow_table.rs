// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connection tracking of one switch: which flows are open at which port, under which rules.
//!
//! Pure: the time is an argument. A change of the rules (a new generation) does not empty the table; each flow is judged again, in the
//! direction in which it was opened, when its next packet comes (hns-behaviour 4.6, Q11).
//!
//! A flow and its answers are one entry, because the key is told by side (local, remote) and not by end (source, destination). The table is
//! bounded: a full one forgets a closed flow, or else the flow that was idle longest (to within a second).

mod entries;
mod key;
mod life;
mod places;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use hcn_schema::Guid;

use crate::{
    flow::{Direction, Flow},
    switch::{PortIndex, Switch},
    verdict::{Decision, Reason, Ruling},
};
use entries::{Entries, Entry};
use key::Key;

pub use life::{LINGER_MS, Life, Stage};

/// What a TCP packet says about its connection, for the lifetime of the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    /// SYN.
    pub syn: bool,
    /// ACK.
    pub ack: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
}

/// The open flows.
#[derive(Debug)]
pub struct FlowTable {
    entries: Entries,
    /// Counts the changes of the rules.
    generation: u32,
    /// By port index of the current switch: the number under which the port's flows are kept, which no other port ever had. Ports behind the
    /// end have their index as number.
    numbers: Vec<u32>,
    /// Above every number that was given out.
    next_number: u32,
}

/// Flows that a table holds at most: some 30 MB; a port that really has more is under attack.
const LIMIT: usize = 1 << 18;

impl Default for FlowTable {
    fn default() -> Self {
        FlowTable::with_limit(LIMIT)
    }
}

impl FlowTable {
    /// A table that holds at most so many flows, one at least.
    pub fn with_limit(limit: usize) -> Self {
        FlowTable {
            entries: Entries::new(limit.clamp(1, u32::MAX as usize - 1)),
            generation: 0,
            numbers: Vec::new(),
            next_number: 0,
        }
    }

    /// How many flows are open or closing.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no flow is open or closing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Judges one packet at one port, and remembers the flow where it is allowed.
    ///
    /// `now_ms` never goes back. `tcp` is `None` for other protocols. A ruling that an open flow is no longer allowed speaks of the direction in
    /// which the flow was opened; [`Switch::cause`] finds the rule all the same.
    pub fn admit(
        &mut self,
        switch: &Switch,
        port: PortIndex,
        direction: Direction,
        flow: &Flow,
        tcp: Option<TcpFlags>,
        now_ms: u64,
    ) -> Ruling {
        let tcp = tcp.unwrap_or_default();
        let key = Key::of(self.number(port), direction, flow);
        if let Some(place) = self.entries.find(&key) {
            let Entry { life, last_ms, .. } = self.entries[place];
            let idle_ms = switch.semantics().flow_idle_ms;
            if life.passes(tcp, last_ms, idle_ms, now_ms) {
                return self.pass(place, switch, port, direction, tcp, now_ms);
            }
            self.entries.remove(place);
        }
        // A TCP packet in the middle of a connection opens an entry like a SYN does: an engine that starts, or that forgot an idle connection, would
        // otherwise cut what the rules allow (a guess: no record says what VFP does).
        let ruling = switch.rule(port, direction, flow);
        if ruling.decision == Decision::Allow && !tcp.rst {
            let mut entry = Entry::new(key, direction, self.generation, ruling.layer, now_ms);
            entry.life.note(direction, tcp);
            let idle_ms = switch.semantics().flow_idle_ms;
            self.entries.forget_expired(idle_ms, LINGER_MS, now_ms);
            self.entries.insert(entry);
        }
        ruling
    }

    /// A packet of an entry that is not expired.
    #[inline(always)]
    fn pass(
        &mut self,
        place: u32,
        switch: &Switch,
        port: PortIndex,
        direction: Direction,
        tcp: TcpFlags,
        now_ms: u64,
    ) -> Ruling {
        if self.entries[place].generation != self.generation
            && let Err(ruling) = self.judge_again(place, switch, port)
        {
            return ruling;
        }
        let entry = &mut self.entries[place];
        let ruling = Ruling {
            decision: Decision::Allow,
            layer: entry.layer,
            reason: Reason::Established,
        };
        if entry.life.stage() == Stage::Open {
            entry.life.note(direction, tcp);
            // Of packets in one millisecond all but the first leave the entry as it is, so that its cache line need not be written back.
            if entry.last_ms != now_ms || entry.life.stage() == Stage::Closed {
                entry.last_ms = now_ms;
                self.entries.touched(place);
            }
        }
        ruling
    }

    /// An entry that older rules allowed is of the new ones now, or is gone, with the ruling against it.
    #[cold]
    fn judge_again(&mut self, place: u32, switch: &Switch, port: PortIndex) -> Result<(), Ruling> {
        let entry = &mut self.entries[place];
        if switch.semantics().rejudge_open_flows {
            let opened = entry.life.opened();
            let flow = entry.key().flow(opened);
            let ruling = switch.rule(port, opened, &flow);
            if ruling.decision == Decision::Block {
                self.entries.remove(place);
                return Err(ruling);
            }
            entry.layer = ruling.layer;
        }
        entry.generation = self.generation;
        Ok(())
    }

    /// Says that the rules changed: every flow is judged again at its next packet. Ports are matched by endpoint id.
    pub fn rules_changed(&mut self, from: &Switch, to: &Switch) {
        self.generation = self.generation.wrapping_add(1);
        self.next_number = self.next_number.max(from.ports.len() as u32);
        let known: HashMap<Guid, u32> = from
            .ports
            .iter()
            .zip(0..)
            .map(|(port, index)| (port.endpoint, self.number(PortIndex(index))))
            .collect();
        let numbers = to.ports.iter().map(|port| {
            known.get(&port.endpoint).copied().unwrap_or_else(|| {
                self.next_number += 1;
                self.next_number - 1
            })
        });
        self.numbers = numbers.collect();
    }

    /// The number under which a port's flows are kept.
    #[inline]
    fn number(&self, port: PortIndex) -> u32 {
        let number = self.numbers.get(port.0 as usize);
        number.copied().unwrap_or(port.0)
    }
}
