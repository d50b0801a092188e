// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entries of a flow table: found by key, and kept in the order in which they were last used.
//!
//! Apart from the judging: in here is only bookkeeping. Every entry is in the map and in exactly one of two lists, of the open and of the closed; a list
//! runs from the oldest entry to the newest, so forgetting never searches.

use std::{
    collections::HashMap,
    ops::{Index, IndexMut},
};

use super::{LINGER_MS, TcpFlags, key::Key};
use crate::{fast_hash::FastHash, flow::Direction, verdict::Layer};

/// Where a flow is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Packets keep it alive.
    Open,
    /// A TCP connection that is over: the last packets pass for a while.
    Closed,
}

/// One flow at one port.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The direction of the packet that opened it.
    pub(super) opened: Direction,
    /// The rules under which it was allowed.
    pub(super) generation: u64,
    /// The layer that allowed it.
    pub(super) layer: Layer,
    /// When it was last used; of a closed one, when it was closed.
    pub(super) last_ms: u64,
    pub(super) stage: Stage,
    fin_in: bool,
    fin_out: bool,
    /// The list that it is in, and when it was put at that list's end.
    listed: Stage,
    listed_ms: u64,
    older: u32,
    newer: u32,
}

/// An entry that is used goes to the end of its list when it was put there so long ago: going there for every packet would touch three other
/// entries each time, and nobody asks which flow was idle some milliseconds longer.
const ORDER_MS: u64 = 1_000;

/// No entry.
const NONE: u32 = u32::MAX;

impl Entry {
    pub(super) fn new(
        key: Key,
        opened: Direction,
        generation: u64,
        layer: Layer,
        now_ms: u64,
    ) -> Self {
        Entry {
            key,
            opened,
            generation,
            layer,
            last_ms: now_ms,
            stage: Stage::Open,
            fin_in: false,
            fin_out: false,
            listed: Stage::Open,
            listed_ms: now_ms,
            older: NONE,
            newer: NONE,
        }
    }

    /// Whether a packet now is still one of this flow. A SYN on a closed connection is the first packet of another one.
    pub(super) fn passes(&self, tcp: TcpFlags, idle_ms: u64, now_ms: u64) -> bool {
        let age = now_ms.saturating_sub(self.last_ms);
        match self.stage {
            Stage::Open => age <= idle_ms,
            Stage::Closed => age <= LINGER_MS && !tcp.syn,
        }
    }

    /// Follows the connection: it is over after a RST, or a FIN from both sides.
    pub(super) fn note(&mut self, direction: Direction, tcp: TcpFlags) {
        match direction {
            Direction::In => self.fin_in |= tcp.fin,
            Direction::Out => self.fin_out |= tcp.fin,
        }
        if tcp.rst || (self.fin_in && self.fin_out) {
            self.stage = Stage::Closed;
        }
    }
}

/// Oldest and newest entry of a stage.
#[derive(Clone, Copy, Debug)]
struct Ends {
    oldest: u32,
    newest: u32,
}

/// The entries.
#[derive(Debug)]
pub(super) struct Entries {
    by_key: HashMap<Key, u32, FastHash>,
    entries: Vec<Entry>,
    /// Places in `entries` that are not used.
    free: Vec<u32>,
    open: Ends,
    closed: Ends,
    limit: usize,
}

impl Index<u32> for Entries {
    type Output = Entry;
    fn index(&self, place: u32) -> &Entry {
        &self.entries[place as usize]
    }
}

impl IndexMut<u32> for Entries {
    fn index_mut(&mut self, place: u32) -> &mut Entry {
        &mut self.entries[place as usize]
    }
}

impl Entries {
    pub(super) fn new(limit: usize) -> Self {
        let empty = Ends {
            oldest: NONE,
            newest: NONE,
        };
        Entries {
            by_key: HashMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            open: empty,
            closed: empty,
            limit,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    #[inline]
    pub(super) fn find(&self, key: &Key) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// Puts in an entry whose key is not there; a full table forgets one first.
    pub(super) fn insert(&mut self, entry: Entry) {
        if self.len() >= self.limit {
            let forgotten = match self.closed.oldest {
                NONE => self.open.oldest,
                closed => closed,
            };
            self.remove(forgotten);
        }
        let key = entry.key;
        let place = match self.free.pop() {
            Some(place) => {
                self[place] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        self.by_key.insert(key, place);
        self.append(place);
    }

    /// Puts an entry where it belongs after it was used or changed its stage.
    pub(super) fn touched(&mut self, place: u32) {
        let entry = &self[place];
        let is_late = entry.last_ms.saturating_sub(entry.listed_ms) >= ORDER_MS;
        if is_late || entry.listed != entry.stage {
            self.unlink(place);
            self.append(place);
        }
    }

    pub(super) fn remove(&mut self, place: u32) {
        self.unlink(place);
        let key = self[place].key;
        self.by_key.remove(&key);
        self.free.push(place);
    }

    /// Forgets some entries whose time is over: a few at each new flow keep the table as small as it can be.
    pub(super) fn forget_expired(&mut self, idle_ms: u64, linger_ms: u64, now_ms: u64) {
        for _ in 0..2 {
            for (oldest, most_ms) in [(self.closed.oldest, linger_ms), (self.open.oldest, idle_ms)]
            {
                if oldest != NONE && now_ms.saturating_sub(self[oldest].last_ms) > most_ms {
                    self.remove(oldest);
                }
            }
        }
    }

    fn ends(&mut self, stage: Stage) -> &mut Ends {
        match stage {
            Stage::Open => &mut self.open,
            Stage::Closed => &mut self.closed,
        }
    }

    /// Puts an entry at the end of the list of its stage.
    fn append(&mut self, place: u32) {
        let Entry { stage, last_ms, .. } = self[place];
        let ends = self.ends(stage);
        let newest = std::mem::replace(&mut ends.newest, place);
        if newest == NONE {
            ends.oldest = place;
        } else {
            self[newest].newer = place;
        }
        let entry = &mut self[place];
        entry.older = newest;
        entry.newer = NONE;
        entry.listed = stage;
        entry.listed_ms = last_ms;
    }

    /// Takes an entry out of the list that it is in.
    fn unlink(&mut self, place: u32) {
        let Entry {
            older,
            newer,
            listed,
            ..
        } = self[place];
        match older {
            NONE => self.ends(listed).oldest = newer,
            older => self[older].newer = newer,
        }
        match newer {
            NONE => self.ends(listed).newest = older,
            newer => self[newer].older = older,
        }
    }
}
