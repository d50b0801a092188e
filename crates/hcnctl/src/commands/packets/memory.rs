// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is remembered of the flows of a capture: which are open, in every form that they have, and which were forgotten.
//!
//! Apart from the judging. A flow lives as one of a flow table does ([`Life`]); a table cannot keep it, as it has an entry at each port for
//! one form of a flow, and a capture shows some form of it, somewhere. What was forgotten leaves a trace, so that it is not taken for a flow that
//! was open before the capture began.

use std::collections::HashMap;

use hcn_engine::{
    Direction, Flow,
    flow_table::{Life, Stage, TcpFlags},
    way::FIRST_MASQUERADE_PORT,
};

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

/// A flow that is not remembered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forgotten {
    /// Its first packet.
    pub(super) packet: u64,
    /// Its last packet before it was forgotten; of a connection that was over, the one that ended it.
    pub(super) last: u64,
    /// How long before the packet that is asked about that was.
    pub(super) since_ms: u64,
    pub(super) reason: Reason,
}

/// Why a flow is not remembered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was idle for too long.
    Idle,
    /// Its connection was over.
    Closed,
}

/// Who sent a packet of a flow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one who opened the flow.
    Opener,
    /// The other one.
    Other,
}

impl Side {
    /// In which direction such a packet crosses a port of the opener's; a life does not hang on whose port it is.
    fn direction(self) -> Direction {
        match self {
            Side::Opener => Direction::Out,
            Side::Other => Direction::In,
        }
    }
}

/// What is remembered when a packet comes.
pub(super) enum Recalled {
    /// An open flow to which it is an answer.
    Answers(Known),
    /// It is of an open flow that this very form opened; whether the start of that is missing.
    Own { is_start_missing: bool },
    /// No open flow, though there was one.
    Forgotten(Forgotten),
    /// None of these.
    Nothing,
}

/// One flow, in whatever form.
struct Remembered {
    /// As it was opened.
    flow: Flow,
    first: u64,
    last: u64,
    last_ms: u64,
    life: Life,
    is_forgotten: bool,
    /// Not where only answers of it were seen.
    known: Option<Known>,
}

impl Remembered {
    fn is_closed(&self) -> bool {
        self.life.stage() == Stage::Closed
    }

    fn forgotten(&self, now_ms: u64) -> Forgotten {
        Forgotten {
            packet: self.first,
            last: self.last,
            since_ms: now_ms.saturating_sub(self.last_ms),
            reason: match self.is_closed() {
                true => Reason::Closed,
                false => Reason::Idle,
            },
        }
    }
}

/// Flows that the host hides behind one address, whose ports it chose.
struct Masqueraded {
    /// The flow; where there are several, the first that is open.
    place: usize,
    /// Whether there are several, so that an answer alone does not say which one it is of.
    are_several: bool,
    /// The packet that opened the newest of them.
    opened: u64,
    last_ms: u64,
}

/// The memory.
pub(super) struct Memory {
    idle_ms: u64,
    /// The packet that is asked about.
    number: u64,
    /// Since the first time that the capture says, as that of its packets goes on.
    now_ms: u64,
    first_ms: Option<u64>,
    flows: Vec<Remembered>,
    /// Places of flows by each form that they have on their way, as translated too: a port opens for what it sees.
    forms: HashMap<Flow, usize>,
    /// Of forms with a source that the host chose, whose port it may choose too: with 0 for that port.
    masqueraded: HashMap<Flow, Masqueraded>,
}

impl Memory {
    pub(super) fn new(idle_ms: u64) -> Self {
        Memory {
            idle_ms,
            number: 0,
            now_ms: 0,
            first_ms: None,
            flows: Vec::new(),
            forms: HashMap::new(),
            masqueraded: HashMap::new(),
        }
    }

    /// Goes on to a packet. One without a time, or with one before that of another before it, comes when that did: packets of several cards are not
    /// quite in order, and a flow does not get younger.
    pub(super) fn go_on(&mut self, number: u64, time_ms: Option<u64>) {
        self.number = number;
        if let Some(time_ms) = time_ms {
            let first_ms = *self.first_ms.get_or_insert(time_ms);
            self.now_ms = self.now_ms.max(time_ms.saturating_sub(first_ms));
        }
    }

    /// What is remembered for a packet. An answer to an open flow is noted as a packet of that.
    pub(super) fn recall(&mut self, flow: &Flow, tcp: Option<TcpFlags>) -> Recalled {
        let tcp = tcp.unwrap_or_default();
        let back = flow.reverse();
        // Of a flow and its answers a port has one entry, so that a packet which finds it over ends it for both.
        let own = self.living(flow, tcp);
        let answered = match self.living(&back, tcp) {
            Err(_) => self.unhidden(&back, tcp),
            living => living,
        };
        if let Ok(place) = answered
            && let Some(known) = self.flows[place].known
        {
            self.keep(place, Side::Other, tcp);
            return Recalled::Answers(known);
        }
        match (own, answered) {
            (Ok(place), _) => match self.flows[place].known {
                Some(known) if self.flows[place].flow == *flow => Recalled::Own {
                    is_start_missing: known.is_start_missing,
                },
                _ => Recalled::Nothing,
            },
            (_, Ok(_)) => Recalled::Nothing,
            (Err(own), Err(answered)) => {
                let newest = own.into_iter().chain(answered).max_by_key(|gone| gone.last);
                newest.map_or(Recalled::Nothing, Recalled::Forgotten)
            }
        }
    }

    /// The open flow that has this form, or the one that had it.
    fn living(&mut self, form: &Flow, tcp: TcpFlags) -> Result<usize, Option<Forgotten>> {
        let place = *self.forms.get(form).ok_or(None)?;
        if self.lives(place, tcp) {
            return Ok(place);
        }
        let flow = &mut self.flows[place];
        flow.is_forgotten = true;
        Err(Some(flow.forgotten(self.now_ms)))
    }

    /// Whether a packet with these flags is still one of the flow.
    fn lives(&self, place: usize, tcp: TcpFlags) -> bool {
        let flow = &self.flows[place];
        let passes = flow
            .life
            .passes(tcp, flow.last_ms, self.idle_ms, self.now_ms);
        passes && !flow.is_forgotten
    }

    /// The open flow that may have this form, as the host chose its source and port; asked where none surely has it.
    fn unhidden(&mut self, form: &Flow, tcp: TcpFlags) -> Result<usize, Option<Forgotten>> {
        let before = self.forms.get(form).copied();
        let gone = before.map(|place| self.flows[place].forgotten(self.now_ms));
        let hidden = self.masqueraded.get(&any_port(form));
        let Some(hidden) = hidden.filter(|_| form.source_port >= FIRST_MASQUERADE_PORT) else {
            return Err(gone);
        };
        // Of a port whose connection is over, the next packet is one of a connection that was opened since.
        let is_over = before.is_some_and(|place| {
            let before = &self.flows[place];
            before.is_closed() && before.last >= hidden.opened
        });
        let (place, are_several) = (hidden.place, hidden.are_several);
        let lives = self.lives(place, tcp)
            || are_several && self.now_ms.saturating_sub(hidden.last_ms) <= self.idle_ms;
        if is_over || !lives {
            // One of several is not known to be over by what another one's packet says.
            self.flows[place].is_forgotten |= !are_several;
            return Err(gone.or_else(|| Some(self.flows[place].forgotten(self.now_ms))));
        }
        let place = match are_several {
            false => place,
            // From here on it is followed by itself.
            true => {
                let Remembered { first, known, .. } = self.flows[place];
                self.flows.push(Remembered {
                    first,
                    known,
                    ..self.opened(*form)
                });
                self.flows.len() - 1
            }
        };
        self.forms.insert(*form, place);
        Ok(place)
    }

    /// A flow that the packet which is asked about opens.
    fn opened(&self, flow: Flow) -> Remembered {
        Remembered {
            flow,
            first: self.number,
            last: self.number,
            last_ms: self.now_ms,
            life: Life::opened_by(Side::Opener.direction()),
            is_forgotten: false,
            known: None,
        }
    }

    /// Notes a packet of an open flow.
    fn keep(&mut self, place: usize, side: Side, tcp: TcpFlags) {
        let flow = &mut self.flows[place];
        // What comes after the end does not keep it alive.
        if !flow.is_closed() {
            flow.life.note(side.direction(), tcp);
            flow.last = self.number;
            flow.last_ms = self.now_ms;
        }
    }

    /// Remembers a flow that is allowed by the packet which is asked about, one of this side, with all `forms` that it has on its way.
    ///
    /// A TCP segment in the middle of a connection opens a flow as a SYN does, and a reset opens none: as in the flow table.
    pub(super) fn note(
        &mut self,
        flow: Flow,
        forms: &[Flow],
        (side, tcp): (Side, Option<TcpFlags>),
        is_start_missing: bool,
    ) {
        let tcp = tcp.unwrap_or_default();
        let before = self.forms.get(&flow).copied();
        let living = before.filter(|place| !self.flows[*place].is_forgotten);
        let is_new = living.is_none();
        if is_new && tcp.rst {
            return;
        }
        let place = match (living, before) {
            (Some(place), _) => place,
            (None, Some(place)) => {
                self.flows[place] = self.opened(flow);
                place
            }
            (None, None) => {
                self.flows.push(self.opened(flow));
                self.flows.len() - 1
            }
        };
        self.keep(place, side, tcp);
        if side == Side::Opener {
            let number = self.number;
            self.flows[place].known.get_or_insert(Known {
                packet: number,
                is_start_missing,
                is_error: false,
            });
        }
        for form in [flow].iter().chain(forms) {
            self.note_form(place, &flow, form, is_new);
        }
    }

    fn note_form(&mut self, place: usize, opened: &Flow, form: &Flow, is_new: bool) {
        if (form.source, form.source_port) != (opened.source, opened.source_port) {
            self.note_masqueraded(place, form, is_new);
            return;
        }
        let is_gone = |place: &usize| self.flows[*place].is_forgotten;
        if self.forms.get(form).is_none_or(is_gone) {
            self.forms.insert(*form, place);
        }
        // A flow that is opened from the other side takes the place of the one that was forgotten.
        let back = form.reverse();
        if self.forms.get(&back).is_some_and(is_gone) {
            self.forms.remove(&back);
        }
    }

    fn note_masqueraded(&mut self, place: usize, form: &Flow, is_new: bool) {
        if self.flows[place].known.is_none() {
            return;
        }
        let any = any_port(form);
        let others = self.masqueraded.get(&any).map(|hidden| hidden.place);
        let is_other_gone =
            others.is_some_and(|other| other != place && !self.lives(other, TcpFlags::default()));
        let hidden = self.masqueraded.entry(any).or_insert(Masqueraded {
            place,
            are_several: false,
            opened: self.number,
            last_ms: self.now_ms,
        });
        hidden.are_several |= hidden.place != place;
        if is_other_gone {
            hidden.place = place;
        }
        if is_new {
            hidden.opened = self.number;
        }
        hidden.last_ms = self.now_ms;
    }
}

/// A form with 0 for the port that the host chose.
fn any_port(form: &Flow) -> Flow {
    Flow {
        source_port: 0,
        ..*form
    }
}
