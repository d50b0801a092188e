// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who reaches whom: for every pair of addresses of a switch's ports, the exact set of protocols and ports that pass.
//!
//! Apart from the switch, which answers for one flow: here what each port lets out and lets in is worked out once, as sets, and a pair is an
//! intersection of two of them. Ports whose rules say the same have one set, so the work grows with the number of rule groups and the answer
//! with the number of pairs.
//!
//! Asked by rules alone, everybody has a way to everybody. Asked along ways, what passes is what gets there: along the routes that the host and
//! the containers have, and to services as they are balanced and published.

mod along;
mod course;
mod pieces;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

pub use along::{Nowhere, Sender, Target};
use course::{Courses, Road};
use ipnet::IpNet;
pub use pieces::{Piece, Said};

use crate::{
    classifier::Extent,
    fast_hash::FastHash,
    flow::{Direction, Family},
    space::{Axis, Region, Space, number_of, other_side},
    switch::{PortIndex, Switch},
    way::Receiver,
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
    isolated_ends: Vec<usize>,
    /// Rows of sources that differ in nothing, by what they let out and what is let in of them.
    rows: HashMap<RowKey, Arc<[Region]>>,
    found: pieces::Found,
    switch: Switch,
    /// Where flows go; none where only rules are asked.
    courses: Option<Courses>,
    /// What ports let pass, by the address on their side, of services.
    passing: HashMap<(PortIndex, bool, IpAddr), Region>,
}

/// What a source lets out, what is let in of it, and the class whose ways it has.
type RowKey = (Region, Vec<Region>, Option<u32>);

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

    /// Those that are not in these intervals.
    fn without(self, taken: &[(u128, u128)]) -> Beyond {
        let mut spans = Vec::new();
        for (first, last) in self.spans {
            let mut next = Some(first);
            for (begin, end) in &taken[taken.partition_point(|(_, end)| *end < first)..] {
                if *begin > last {
                    break;
                }
                if let Some(start) = next
                    && start < *begin
                {
                    spans.push((start, begin - 1));
                }
                next = end.checked_add(1);
            }
            if let Some(start) = next
                && start <= last
            {
                spans.push((start, last));
            }
        }
        Beyond { spans }
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
    /// Works out what each port lets out and in, and the ways to everybody.
    pub fn along_ways(switch: &Switch, family: Family) -> Self {
        let mut reach = Reach::of(switch, family);
        reach.courses = Some(Courses::of(switch, family, &reach.ends));
        reach
    }

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
        ends.sort_by_key(|end| (number_of(end.address), end.port.0));
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
        let isolated: Vec<bool> = isolated;
        let isolated_ends = (0..ends.len()).filter(|place| isolated[*place]).collect();
        Reach {
            space,
            ends,
            out,
            way_in,
            ways_in,
            isolated,
            isolated_ends,
            rows: HashMap::new(),
            found: pieces::Found::default(),
            switch: switch.clone(),
            courses: None,
            passing: HashMap::new(),
        }
    }

    /// The host's addresses, where this was made with ways.
    pub fn host_addresses(&self) -> Vec<IpAddr> {
        let courses = self.courses.iter();
        let all = courses.flat_map(|courses| courses.topology.host_addresses());
        let mut all: Vec<IpAddr> = all.map(|(address, _)| address).collect();
        all.retain(|address| Family::from(*address) == self.space.family());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The address from which the host sends to another one; `None` where it has none, and where this was made without ways.
    pub fn host_source(&self, to: IpAddr) -> Option<IpAddr> {
        let courses = self.courses.as_ref()?;
        course::host_source(&courses.topology, &self.switch, to)
    }

    /// The addresses outside: those that no port has, nor the host, nor a service, nor anybody on a network that leads nowhere.
    pub fn outside_all(&self) -> Beyond {
        let every = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix"));
        let all = self.beyond(&every);
        if self.courses.is_none() {
            return all;
        }
        let closed: Vec<IpNet> = course::closed(&self.switch).collect();
        all.without(&self.spans_of(&closed))
    }

    /// The intervals of prefixes of this family.
    fn spans_of(&self, prefixes: &[IpNet]) -> Vec<(u128, u128)> {
        let family = self.space.family();
        let own = prefixes
            .iter()
            .filter(|prefix| Family::from(prefix.addr()) == family);
        let spans = own.map(|prefix| (number_of(prefix.network()), number_of(prefix.broadcast())));
        match Extent::of(spans.collect()) {
            Extent::Of(spans) => spans.to_vec(),
            Extent::Any => Vec::new(),
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

    /// The addresses that no port has, of those in these prefixes; along ways also not the host nor a service.
    pub fn beyond(&self, within: &[IpNet]) -> Beyond {
        let wanted = Beyond {
            spans: self.spans_of(within),
        };
        match &self.courses {
            Some(courses) => wanted.without(&courses.taken),
            None => {
                let own = self.ends.iter().map(|end| number_of(end.address));
                match Extent::of(own.map(|number| (number, number)).collect()) {
                    Extent::Of(own) => wanted.without(&own),
                    Extent::Any => wanted,
                }
            }
        }
    }

    /// What passes between an end and the addresses beyond: out to them, or in from them. Of addresses that are not beyond nothing is meant,
    /// whatever the region holds. Nothing for an index beyond the ends.
    pub fn outside(&mut self, end: usize, direction: Direction, beyond: &Beyond) -> Region {
        let Some(own) = self.ends.get(end).copied() else {
            return Region::EMPTY;
        };
        if direction == Direction::In && self.courses.is_some() {
            let to = Target {
                address: own.address,
                receiver: Some(Receiver::Port(own.port)),
            };
            return self.towards(Sender::Beyond(beyond), to);
        }
        if let Some(passable) = self.passable(end) {
            let axis = other_side(direction);
            let gets_there =
                self.space
                    .cut(axis, &Extent::Of(passable), Region::FULL, Region::EMPTY);
            let region = self.space.and(self.out[end], gets_there);
            return self.only(region, direction, beyond);
        }
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

    /// Addresses that nobody in particular has and to which an end's way leads.
    fn passable(&mut self, end: usize) -> Option<Arc<[(u128, u128)]>> {
        let Reach {
            courses,
            switch,
            ends,
            ..
        } = self;
        let courses = courses.as_mut()?;
        Some(courses.passable(switch, ends, end))
    }

    /// What passes from an end to every other one: protocols and ports of the first packet of a flow. An end reaches its own port with everything,
    /// since that crosses no port.
    ///
    /// An index beyond the ends has an empty row.
    pub fn from(&mut self, source: usize) -> Vec<Region> {
        let Some(end) = self.ends.get(source).copied() else {
            return Vec::new();
        };
        let mut row = match self.isolated[source] {
            true => vec![Region::EMPTY; self.ends.len()],
            false => self.row(source).to_vec(),
        };
        for place in &self.isolated_ends {
            row[*place] = Region::EMPTY;
        }
        let Reach {
            courses,
            switch,
            ends,
            ..
        } = self;
        let Some(courses) = courses else {
            for (place, other) in ends.iter().enumerate() {
                if other.port == end.port {
                    row[place] = Region::FULL;
                }
            }
            return row;
        };
        let roads = courses.roads(switch, ends, source);
        let special = roads.iter().enumerate();
        let special = special.filter(|(_, road)| **road == Road::Other);
        let mut special: Vec<usize> = special.map(|(place, _)| place).collect();
        special.extend(courses.own(end.port));
        for place in special {
            let to = Target {
                address: self.ends[place].address,
                receiver: Some(Receiver::Port(self.ends[place].port)),
            };
            row[place] = self.towards(Sender::End(source), to);
        }
        row
    }

    /// A row without regard to isolation and to the source itself.
    fn row(&mut self, source: usize) -> Arc<[Region]> {
        let address = number_of(self.ends[source].address);
        let accepted: Vec<Region> = self
            .ways_in
            .iter()
            .map(|way| self.space.at(*way, Axis::Source, address))
            .collect();
        let Reach {
            courses,
            switch,
            ends,
            ..
        } = self;
        let courses = courses.as_mut();
        let (class, roads) = courses
            .map(|courses| (courses.classes[source], courses.roads(switch, ends, source)))
            .unzip();
        let key = (self.out[source], accepted, class);
        if let Some(row) = self.rows.get(&key) {
            return row.clone();
        }
        let (out, accepted, _) = &key;
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
        for (set, road) in row.iter_mut().zip(roads.as_deref().unwrap_or_default()) {
            if *road == Road::None {
                *set = Region::EMPTY;
            }
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
