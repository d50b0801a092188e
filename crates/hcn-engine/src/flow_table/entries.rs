// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entries of a flow table: found by key, and kept in the order in which they were last used.
//!
//! Apart from the judging: in here is only bookkeeping. Every entry is found by its hash and is in exactly one of two lists, of the open and of the closed; a list
//! runs from the oldest entry to the newest, so forgetting never searches.

use std::ops::{Index, IndexMut};

use super::{
    key::Key,
    life::{Life, Stage},
    places::Places,
};
use crate::{flow::Direction, verdict::Layer};

/// One flow at one port: what a packet of it needs is one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    words: [u64; 5],
    /// When it was last used; of a closed one, when it was closed.
    pub(super) last_ms: u64,
    /// When it was put at the end of the list that it is in.
    listed_ms: u64,
    /// The rules under which it was allowed. A flow would have to be idle through four thousand million changes to be taken for a fresh one.
    pub(super) generation: u32,
    rest: u16,
    /// The layer that allowed it.
    pub(super) layer: Layer,
    pub(super) life: Life,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// An entry's neighbours in its list.
#[derive(Clone, Copy, Debug)]
struct Links {
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
        generation: u32,
        layer: Layer,
        now_ms: u64,
    ) -> Self {
        Entry {
            words: key.words,
            rest: key.rest,
            generation,
            layer,
            last_ms: now_ms,
            listed_ms: now_ms,
            life: Life::opened_by(opened),
        }
    }

    pub(super) fn key(&self) -> Key {
        Key {
            words: self.words,
            rest: self.rest,
        }
    }

    #[inline(always)]
    fn is_of(&self, key: &Key) -> bool {
        // Without a branch for each word, and without a call.
        let words = self.words.iter().zip(&key.words);
        let differences = words.fold(0, |all, (own, other)| all | (own ^ other));
        differences | u64::from(self.rest ^ key.rest) == 0
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
    by_hash: Places,
    entries: Vec<Entry>,
    /// By place.
    links: Vec<Links>,
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
            by_hash: Places::new(),
            entries: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            open: empty,
            closed: empty,
            limit,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    #[inline]
    pub(super) fn find(&self, key: &Key) -> Option<u32> {
        self.by_hash
            .find(key.hash(), |place| self.entries[place as usize].is_of(key))
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
        let hash = entry.key().hash();
        let place = match self.free.pop() {
            Some(place) => {
                self[place] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                self.links.push(Links {
                    older: NONE,
                    newer: NONE,
                });
                (self.entries.len() - 1) as u32
            }
        };
        self.by_hash.insert(hash, place);
        self.append(place);
    }

    /// Puts an entry where it belongs after it was used or changed its stage.
    #[inline]
    pub(super) fn touched(&mut self, place: u32) {
        let entry = &self[place];
        let is_late = entry.last_ms.saturating_sub(entry.listed_ms) >= ORDER_MS;
        if is_late || entry.life.listed() != entry.life.stage() {
            self.unlink(place);
            self.append(place);
        }
    }

    pub(super) fn remove(&mut self, place: u32) {
        self.unlink(place);
        let hash = self[place].key().hash();
        self.by_hash.remove(hash, place);
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
        let stage = self[place].life.stage();
        let ends = self.ends(stage);
        let newest = std::mem::replace(&mut ends.newest, place);
        if newest == NONE {
            ends.oldest = place;
        } else {
            self.links[newest as usize].newer = place;
        }
        self.links[place as usize] = Links {
            older: newest,
            newer: NONE,
        };
        let entry = &mut self[place];
        entry.listed_ms = entry.last_ms;
        entry.life.list(stage);
    }

    /// Takes an entry out of the list that it is in.
    fn unlink(&mut self, place: u32) {
        let Links { older, newer } = self.links[place as usize];
        let listed = self[place].life.listed();
        match older {
            NONE => self.ends(listed).oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
        match newer {
            NONE => self.ends(listed).newest = older,
            newer => self.links[newer as usize].older = older,
        }
    }
}
