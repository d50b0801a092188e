// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that come and go one by one, without an index of all of them being made each time.
//!
//! Apart from [`Classifier`](super::Classifier), which never changes. The rules that were there when the index was made are its base; those that went
//! since are crossed out, those that came since are found by hash ([`Delta`]). When these have become many, a new base is made of all. At any time
//! the answer is that of a scan over the rules that are there.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Address, Conditions, Packet, SCANNED,
    delta::Delta,
    index::{Index, Living},
};

/// The rules, each with a rank of its own: the lower, the stronger.
#[derive(Clone, Debug)]
pub struct LiveClassifier<A: Address> {
    rules: BTreeMap<u64, Conditions<A>>,
    base: Base<A>,
    delta: Delta<A>,
}

/// What the index was made of.
#[derive(Clone, Debug)]
struct Base<A: Address> {
    index: Option<Arc<Index<A>>>,
    /// Ranks by place in the index; ascending.
    ranks: Arc<[u64]>,
    /// A bit for each place whose rule is still there.
    living: Vec<u64>,
    gone: usize,
}

impl<A: Address> Base<A> {
    fn of(rules: &BTreeMap<u64, Conditions<A>>) -> Self {
        let conditions: Vec<&Conditions<A>> = rules.values().collect();
        Base {
            index: Some(Arc::new(Index::build(&conditions))),
            ranks: rules.keys().copied().collect(),
            living: vec![u64::MAX; rules.len().div_ceil(64)],
            gone: 0,
        }
    }

    /// A base without rules.
    fn none() -> Self {
        Base {
            index: None,
            ranks: Arc::default(),
            living: Vec::new(),
            gone: 0,
        }
    }

    fn place(&self, rank: u64) -> Option<u32> {
        let place = self.ranks.binary_search(&rank).ok()? as u32;
        self.living.as_slice().lives(place).then_some(place)
    }
}

impl Living for [u64] {
    #[inline(always)]
    fn lives(&self, place: u32) -> bool {
        self[place as usize / 64] >> (place % 64) & 1 != 0
    }
}

/// The base is made anew when so many rules came since, one for every so many of its own. Making it costs about as much as that many changes
/// one by one.
const AT_LEAST: usize = 64;
const BASE_A_CAME: usize = 4;
/// Or when so many came that no hash tells apart: looking at each takes as long as a verdict by the index then.
const BASE_ALIKE: usize = 256;

impl<A: Address> LiveClassifier<A> {
    /// Prepares rules with their ranks; of several with one rank, the last is taken.
    pub fn compile(rules: impl IntoIterator<Item = (u64, Conditions<A>)>) -> Self {
        let mut live = LiveClassifier {
            rules: rules.into_iter().collect(),
            base: Base::none(),
            delta: Delta::default(),
        };
        if live.rules.len() > SCANNED {
            live.base = Base::of(&live.rules);
        } else {
            for (rank, conditions) in &live.rules {
                live.delta.insert(*rank, conditions.clone());
            }
        }
        live
    }

    /// Puts a rule in; `false`, and nothing is changed, where another one has its rank.
    pub fn insert(&mut self, rank: u64, conditions: Conditions<A>) -> bool {
        if self.rules.contains_key(&rank) {
            return false;
        }
        self.rules.insert(rank, conditions.clone());
        let alike = self.delta.insert(rank, conditions);
        let base = self.base.ranks.len();
        if self.delta.len() > AT_LEAST + base / BASE_A_CAME || alike > AT_LEAST + base / BASE_ALIKE
        {
            self.rebuild();
        }
        true
    }

    /// Takes the rule of a rank out, and gives it, where there is one.
    pub fn remove(&mut self, rank: u64) -> Option<Conditions<A>> {
        let conditions = self.rules.remove(&rank)?;
        match self.base.place(rank) {
            Some(place) => {
                self.base.living[place as usize / 64] &= !(1 << (place % 64));
                self.base.gone += 1;
            }
            None => self.delta.remove(rank, &conditions),
        }
        // Rows of rules that are gone would be looked at for nothing.
        if self.base.gone > AT_LEAST + self.base.ranks.len() / 2 {
            self.rebuild();
        }
        Some(conditions)
    }

    fn rebuild(&mut self) {
        self.base = Base::of(&self.rules);
        self.delta = Delta::default();
    }

    /// Rank of the strongest rule that matches.
    #[inline]
    pub fn first(&self, packet: &Packet<A>) -> Option<u64> {
        let base = match &self.base.index {
            Some(index) if self.base.gone == 0 => index.first(packet),
            Some(index) => index.first_living(packet, self.base.living.as_slice()),
            None => None,
        };
        let base = base.map(|place| self.base.ranks[place as usize]);
        self.delta.stronger(packet, base)
    }

    /// The rules with their ranks, strongest first.
    pub fn rules(&self) -> impl Iterator<Item = (u64, &Conditions<A>)> {
        self.rules.iter().map(|(rank, rule)| (*rank, rule))
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

#[cfg(test)]
mod tests;
