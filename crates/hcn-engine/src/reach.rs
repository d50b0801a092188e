// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom: for every pair of addresses of a switch's ports, the exact set of protocols and ports that pass.
//!
//! Apart from the switch, which answers for one flow: here what each port lets out and lets in is worked out once, as sets, and a pair is an
//! intersection of two of them. Ports whose rules say the same have one set, so the work grows with the number of rule groups and the answer
//! with the number of pairs.

mod pieces;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use ipnet::IpNet;
pub use pieces::Piece;

use crate::{
    classifier::Extent,
    fast_hash::FastHash,
    flow::{Direction, Family},
    space::{Axis, Region, Space, edge, number_of, other_side},
    switch::{PortIndex, Switch},
};

/// An address of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The port.
    pub port: PortIndex,
    /// The address.
    pub address: IpAddr,
}

/// Who reaches whom in one family.
#[derive(Debug)]
pub struct Reach {
    space: Space,
    /// By address, so that what goes out of an end is spread over the others in one walk.
    ends: Vec<End>,
    /// By end: what it lets out, over destinations.
    out: Vec<Region>,
    /// By end: the place of what it lets in among the different ones.
    way_in: Vec<u32>,
    /// What ends let in, over sources; each once.
    ways_in: Vec<Region>,
    isolated: Vec<bool>,
    /// Rows of sources that differ in nothing, by what they let out and what is let in of them.
    rows: HashMap<(Region, Vec<Region>), Arc<[Region]>>,
    found: pieces::Found,
}

/// Addresses that no port has.
#[derive(Clone, Debug)]
pub struct Beyond {
    spans: Vec<(u128, u128)>,
}

impl Beyond {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Beyond) -> Beyond {
        let extent = |beyond: &Beyond| Extent::Of(beyond.spans.as_slice().into());
        match extent(self).intersection(&extent(other)) {
            Extent::Of(spans) => Beyond {
                spans: spans.to_vec(),
            },
            Extent::Any => self.clone(),
        }
    }
}

/// Rows that are kept, since many sources share one: 40 MB at 10,000 ends.
const KEPT_ROWS: usize = 1_024;

impl Reach {
    /// Works out what each port lets out and in.
    pub fn of(switch: &Switch, family: Family) -> Self {
        let mut space = Space::new(family);
        let mut ends: Vec<End> = switch
            .ports
            .iter()
            .zip(0..)
            .flat_map(|(port, number)| {
                let addresses = port.addresses.iter().map(|(address, _)| *address);
                addresses.map(move |address| End {
                    port: PortIndex(number),
                    address,
                })
            })
            .filter(|end| Family::from(end.address) == family)
            .collect();
        ends.sort_by_key(|end| number_of(end.address));
        let out = ends
            .iter()
            .map(|end| switch.passes_with(&mut space, end.port, Direction::Out, end.address))
            .collect();
        let mut places: HashMap<Region, u32> = HashMap::new();
        let mut ways_in = Vec::new();
        let way_in = ends
            .iter()
            .map(|end| {
                let way = switch.passes_with(&mut space, end.port, Direction::In, end.address);
                *places.entry(way).or_insert_with(|| {
                    ways_in.push(way);
                    ways_in.len() as u32 - 1
                })
            })
            .collect();
        let isolated = ends
            .iter()
            .map(|end| switch.is_isolated(end.port))
            .collect();
        Reach {
            space,
            ends,
            out,
            way_in,
            ways_in,
            isolated,
            rows: HashMap::new(),
            found: pieces::Found::default(),
        }
    }

    /// The ends, by address; rows and their items stand in this order.
    pub fn ends(&self) -> &[End] {
        &self.ends
    }

    /// The space of the regions.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The space, to ask it for more.
    pub fn space_mut(&mut self) -> &mut Space {
        &mut self.space
    }

    /// The addresses that no port has, of those in these prefixes.
    pub fn beyond(&self, within: &[IpNet]) -> Beyond {
        let family = self.space.family();
        let own = within
            .iter()
            .filter(|prefix| Family::from(prefix.addr()) == family);
        let wanted = own.map(|prefix| (number_of(prefix.network()), number_of(prefix.broadcast())));
        let Extent::Of(wanted) = Extent::of(wanted.collect()) else {
            return Beyond { spans: Vec::new() };
        };
        let mut spans = Vec::new();
        for (first, last) in wanted.iter() {
            let mut next = Some(*first);
            let from = self
                .ends
                .partition_point(|end| number_of(end.address) < *first);
            for end in &self.ends[from..] {
                let taken = number_of(end.address);
                if taken > *last {
                    break;
                }
                if let Some(start) = next
                    && start < taken
                {
                    spans.push((start, taken - 1));
                }
                next = taken.checked_add(1);
            }
            if let Some(start) = next
                && start <= *last
            {
                spans.push((start, *last));
            }
        }
        Beyond { spans }
    }

    /// What passes between an end and the addresses beyond: out to them, or in from them. Of addresses that are not beyond nothing is meant,
    /// whatever the region holds. Nothing for an index beyond the ends.
    pub fn outside(&mut self, end: usize, direction: Direction, beyond: &Beyond) -> Region {
        let passing = match direction {
            Direction::Out => self.out.get(end).copied(),
            Direction::In => self.way_in.get(end).map(|way| self.ways_in[*way as usize]),
        };
        passing.map_or(Region::EMPTY, |region| self.only(region, direction, beyond))
    }

    /// A region of what goes out or comes in, where only the addresses beyond are meant: regions that agree on those are one then.
    pub fn only(&mut self, region: Region, direction: Direction, beyond: &Beyond) -> Region {
        self.space
            .only(region, other_side(direction), &beyond.spans)
    }

    /// What passes from an end to every other one: protocols and ports of the first packet of a flow. An end reaches its own port with everything,
    /// since that crosses no port.
    ///
    /// An index beyond the ends has an empty row.
    pub fn from(&mut self, source: usize) -> Vec<Region> {
        let Some(end) = self.ends.get(source).copied() else {
            return Vec::new();
        };
        let own = |other: &End| other.port == end.port;
        if self.isolated[source] {
            let reach = |other| match own(other) {
                true => Region::FULL,
                false => Region::EMPTY,
            };
            return self.ends.iter().map(reach).collect();
        }
        let mut row = self.row(source).to_vec();
        for (place, other) in self.ends.iter().enumerate() {
            if own(other) {
                row[place] = Region::FULL;
            } else if self.isolated[place] {
                row[place] = Region::EMPTY;
            }
        }
        row
    }

    /// A row without regard to isolation and to the source itself.
    fn row(&mut self, source: usize) -> Arc<[Region]> {
        let address = number_of(self.ends[source].address);
        let accepted: Vec<Region> = self
            .ways_in
            .iter()
            .map(|way| edge(&self.space.intervals(*way, Axis::Source), address))
            .collect();
        let key = (self.out[source], accepted);
        if let Some(row) = self.rows.get(&key) {
            return row.clone();
        }
        let (out, accepted) = &key;
        // Few different sets meet in a row, so what becomes of two of them is found by their numbers.
        let intervals = self.space.intervals(*out, Axis::Destination);
        let mut sent = Numbers::default();
        let mut taken = Numbers::default();
        let sent_by_interval: Vec<u32> = intervals.iter().map(|(_, set)| sent.of(*set)).collect();
        let taken_by_way: Vec<u32> = accepted.iter().map(|set| taken.of(*set)).collect();
        let width = taken.sets.len();
        let mut both: Vec<Option<Region>> = vec![None; sent.sets.len() * width];
        let mut interval = 0;
        let mut row = Vec::with_capacity(self.ends.len());
        for (end, way) in self.ends.iter().zip(&self.way_in) {
            let to = number_of(end.address);
            while intervals[interval].0 < to {
                interval += 1;
            }
            let (one, other) = (sent_by_interval[interval], taken_by_way[*way as usize]);
            let place = one as usize * width + other as usize;
            let set = match both[place] {
                Some(set) => set,
                None => {
                    let (one, other) = (sent.sets[one as usize], taken.sets[other as usize]);
                    let set = self.space.and(one, other);
                    *both[place].insert(set)
                }
            };
            row.push(set);
        }
        let row: Arc<[Region]> = row.into();
        if self.rows.len() < KEPT_ROWS {
            self.rows.insert(key, row.clone());
        }
        row
    }
}

/// Numbers for sets, in the order in which they come.
#[derive(Default)]
struct Numbers {
    by_set: HashMap<Region, u32, FastHash>,
    sets: Vec<Region>,
}

impl Numbers {
    fn of(&mut self, set: Region) -> u32 {
        *self.by_set.entry(set).or_insert_with(|| {
            self.sets.push(set);
            self.sets.len() as u32 - 1
        })
    }
}
