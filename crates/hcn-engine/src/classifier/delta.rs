// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that are found by hash, so that one more costs no more than any before it.
//!
//! Apart from the index, which is faster to ask and slow to make. A rule stands in the table of its shape: how many leading bits of each address it
//! fixes, rounded down to one of five lengths, and whether it fixes a port. In a table the fixed parts are the key (tuple space search, with
//! few tuples as in TupleMerge); whatever else a rule asks is asked of the rules with that key one by one, strongest first.

use std::collections::HashMap;

use super::{Address, Conditions, Extent, Packet, Scalar};
use crate::fast_hash::FastHash;

/// What the rules of one table fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// Leading bits.
    local: u8,
    remote: u8,
    local_port: bool,
    remote_port: bool,
}

/// The fixed parts; 0 for what is not fixed.
type Key<A> = (A, A, u32);

/// Rules that fix the same parts in the same way, strongest first, with their ranks.
type Alike<A> = Vec<(u64, Conditions<A>)>;

/// The rules of one shape.
#[derive(Clone, Debug)]
struct Table<A: Address> {
    shape: Shape,
    by_key: HashMap<Key<A>, Alike<A>, FastHash>,
    /// No rule in it is stronger.
    strongest: u64,
}

/// The rules.
#[derive(Clone, Debug)]
pub(super) struct Delta<A: Address> {
    tables: Vec<Table<A>>,
    len: usize,
}

impl<A: Address> Default for Delta<A> {
    fn default() -> Self {
        Delta {
            tables: Vec::new(),
            len: 0,
        }
    }
}

impl Shape {
    fn of<A: Address>(rule: &Conditions<A>) -> Self {
        Shape {
            local: fixed_bits(&rule.local),
            remote: fixed_bits(&rule.remote),
            local_port: one(&rule.local_ports).is_some(),
            remote_port: one(&rule.remote_ports).is_some(),
        }
    }

    fn key<A: Address>(self, local: A, remote: A, ports: (u16, u16)) -> Key<A> {
        let port = |is_fixed, port: u16| if is_fixed { u32::from(port) } else { 0 };
        let ports = port(self.local_port, ports.0) << 16 | port(self.remote_port, ports.1);
        (
            local.leading(self.local),
            remote.leading(self.remote),
            ports,
        )
    }

    fn key_of<A: Address>(self, rule: &Conditions<A>) -> Key<A> {
        let ports = (one(&rule.local_ports), one(&rule.remote_ports));
        let ports = (ports.0.unwrap_or(0), ports.1.unwrap_or(0));
        self.key(lowest(&rule.local), lowest(&rule.remote), ports)
    }
}

fn lowest<A: Address>(extent: &Extent<A>) -> A {
    match extent {
        Extent::Of(intervals) => intervals.first().map_or(A::LOWEST, |(first, _)| *first),
        Extent::Any => A::LOWEST,
    }
}

/// How many leading bits all addresses have in common, rounded down.
fn fixed_bits<A: Address>(extent: &Extent<A>) -> u8 {
    let Extent::Of(intervals) = extent else {
        return 0;
    };
    let (Some((first, _)), Some((_, last))) = (intervals.first(), intervals.last()) else {
        return 0;
    };
    let common = A::in_common(*first, *last);
    let fitting = A::LENGTHS.into_iter().filter(|length| *length <= common);
    fitting.max().unwrap_or(0)
}

/// The only value of an extent.
fn one<V: Scalar>(extent: &Extent<V>) -> Option<V> {
    match extent {
        Extent::Of(intervals) => match **intervals {
            [(first, last)] if first == last => Some(first),
            _ => None,
        },
        Extent::Any => None,
    }
}

impl<A: Address> Delta<A> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts a rule in; gives how many have its key.
    pub(super) fn insert(&mut self, rank: u64, rule: Conditions<A>) -> usize {
        self.len += 1;
        let shape = Shape::of(&rule);
        let known = self.tables.iter().position(|table| table.shape == shape);
        let number = known.unwrap_or_else(|| {
            self.tables.push(Table {
                shape,
                by_key: HashMap::default(),
                strongest: rank,
            });
            self.tables.len() - 1
        });
        let table = &mut self.tables[number];
        table.strongest = table.strongest.min(rank);
        let alike = table.by_key.entry(shape.key_of(&rule)).or_default();
        let at = alike.partition_point(|(other, _)| *other < rank);
        alike.insert(at, (rank, rule));
        alike.len()
    }

    /// Takes a rule out that is in it.
    pub(super) fn remove(&mut self, rank: u64, rule: &Conditions<A>) {
        let shape = Shape::of(rule);
        let key = shape.key_of(rule);
        let Some(number) = self.tables.iter().position(|table| table.shape == shape) else {
            return;
        };
        let table = &mut self.tables[number];
        let Some(alike) = table.by_key.get_mut(&key) else {
            return;
        };
        let before = alike.len();
        alike.retain(|(other, _)| *other != rank);
        self.len -= before - alike.len();
        if alike.is_empty() {
            table.by_key.remove(&key);
        }
        if table.by_key.is_empty() {
            self.tables.swap_remove(number);
        }
    }

    /// Rank of the strongest rule that matches and is stronger than one that is known to; else that one.
    #[inline]
    pub(super) fn stronger(&self, packet: &Packet<A>, known: Option<u64>) -> Option<u64> {
        let mut best = known;
        for table in &self.tables {
            if best.is_some_and(|best| best < table.strongest) {
                continue;
            }
            let ports = match packet.ports {
                Some(ports) => ports,
                None if table.shape.local_port || table.shape.remote_port => continue,
                None => (0, 0),
            };
            let key = table.shape.key(packet.local, packet.remote, ports);
            let alike = table.by_key.get(&key).map_or(&[][..], Vec::as_slice);
            let found = alike
                .iter()
                .take_while(|(rank, _)| best.is_none_or(|best| *rank < best))
                .find(|(_, rule)| rule.matches(packet));
            best = found.map(|(rank, _)| *rank).or(best);
        }
        best
    }
}
