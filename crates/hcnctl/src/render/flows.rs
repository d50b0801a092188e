// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets of flows in words: `tcp 80 from client 172.19.3.166`, `everything but icmp (closed already)`.
//!
//! Apart from the engine's words for protocols and ports, which these lines use, and from its cells, which are exact lists: here a set is said the
//! shorter way, by itself or by what is missing from it, and of what is missing it is said what becomes of it, since "closes everything but 80" is
//! no good news where 80 was closed already. Invariant: the words stand for exactly the set; only of long lists of addresses the first are named
//! and the others counted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hcn_engine::{
    Direction, Family,
    change::Change,
    space::{Cell, Region, Space},
};

use crate::reach::compare;

/// Names for addresses, where there are any.
pub type Names<'a> = &'a dyn Fn(IpAddr) -> Option<String>;

/// Addresses that are named in a list; a person reads no more.
const MOST_ADDRESSES: usize = 8;
const BUT: &str = "everything but";

/// A set to be told, and what becomes of all that is not in it.
#[derive(Clone, Copy, Debug)]
pub struct Sets {
    /// What opens, or closes.
    pub told: Region,
    /// All that there can be.
    all: Region,
    rest: [(Region, &'static str); 3],
}

impl Sets {
    /// What opens at a port, or closes.
    pub fn of(space: &mut Space, change: &Change, opens: bool) -> Sets {
        let (told, other) = match opens {
            true => (change.opened, change.closed),
            false => (change.closed, change.opened),
        };
        Sets::new(space, change.all, told, other, change.kept, opens)
    }

    /// What opens between two addresses, or closes.
    pub fn between(space: &mut Space, change: &compare::Change, opens: bool) -> Sets {
        let (told, other) = match opens {
            true => (change.opened, change.closed),
            false => (change.closed, change.opened),
        };
        Sets::new(space, Region::FULL, told, other, change.kept, opens)
    }

    fn new(
        space: &mut Space,
        all: Region,
        told: Region,
        other: Region,
        kept: Region,
        opens: bool,
    ) -> Sets {
        let changed = space.or(told, other);
        let passed = space.or(changed, kept);
        let never = space.minus(all, passed);
        let words = match opens {
            true => ["open already", "stays closed", "closes"],
            false => ["stays open", "closed already", "opens"],
        };
        let rest = [kept, never, other];
        let rest = [0, 1, 2].map(|place| (rest[place], words[place]));
        Sets { told, all, rest }
    }

    /// The cells of what is missing, each with what becomes of it.
    fn missing(&self, space: &Space) -> Vec<(Cell, &'static str)> {
        let each = self.rest.iter().flat_map(|(region, word)| {
            let cells = space.cells(*region).into_iter();
            cells.map(|cell| (cell, *word))
        });
        each.collect()
    }
}

/// The lines that say a set of flows at an endpoint.
pub fn lines(
    space: &mut Space,
    sets: &Sets,
    direction: Direction,
    names: Names<'_>,
) -> Vec<String> {
    if sets.told == sets.all {
        return vec!["everything".to_owned()];
    }
    let own_side = space
        .cells(sets.all)
        .first()
        .map(|cell| own(cell, direction).to_vec());
    let place = |cell: &Cell| place(cell, direction, own_side.as_deref(), names);
    let direct: Vec<String> = space
        .cells(sets.told)
        .iter()
        .map(|cell| format!("{}{}", service(cell), place(cell)))
        .collect();
    // What is shorter does not depend on what becomes of the exceptions.
    let rest = space.minus(sets.all, sets.told);
    let plain: Vec<String> = space
        .cells(rest)
        .iter()
        .map(|cell| format!("{}{}", cell.plain_service(), place(cell)))
        .collect();
    let length = |lines: &[String]| lines.iter().map(|line| line.len() + 2).sum::<usize>();
    if direct.len() < plain.len() || length(&direct) <= length(&plain) + BUT.len() {
        return direct;
    }
    let missing: Vec<String> = sets
        .missing(space)
        .iter()
        .map(|(cell, word)| format!("{}{} ({word})", cell.plain_service(), place(cell)))
        .collect();
    match &missing[..] {
        // Below each other it can be told what another "but" is about.
        [one] if !one.contains(" but ") => vec![format!("{BUT} {one}")],
        several => {
            let rest = several.iter().map(|line| format!("  {line}"));
            std::iter::once(format!("{BUT}:")).chain(rest).collect()
        }
    }
}

/// Protocols and ports of a set between two addresses, e.g. `tcp 80; udp 53`, `everything but icmp (closed already)`.
pub fn services(space: &mut Space, sets: &Sets) -> String {
    let text = space.services(sets.told);
    if !text.starts_with(BUT) {
        return text;
    }
    let missing = sets.missing(space);
    let missing = missing.iter();
    let missing: Vec<String> = missing
        .map(|(cell, word)| format!("{} ({word})", cell.plain_service()))
        .collect();
    format!("{BUT} {}", missing.join(", "))
}

fn service(cell: &Cell) -> String {
    match cell.service() {
        every if every == "every protocol" => "everything".to_owned(),
        some => some,
    }
}

/// Addresses of the endpoint's side.
fn own(cell: &Cell, direction: Direction) -> &[(IpAddr, IpAddr)] {
    match direction {
        Direction::In => &cell.destinations,
        Direction::Out => &cell.sources,
    }
}

/// The other side of a cell, and its own side where it is not the one that all have.
fn place(
    cell: &Cell,
    direction: Direction,
    own_side: Option<&[(IpAddr, IpAddr)]>,
    names: Names<'_>,
) -> String {
    let (word, peers) = match direction {
        Direction::In => ("from", &cell.sources),
        Direction::Out => ("to", &cell.destinations),
    };
    let mut text = format!(" {word} {}", addresses(peers, names));
    let own = own(cell, direction);
    if Some(own) != own_side {
        text.push_str(&format!(" at {}", addresses(own, names)));
    }
    text
}

fn addresses(spans: &[(IpAddr, IpAddr)], names: Names<'_>) -> String {
    let is_v4 = spans.first().is_none_or(|(first, _)| first.is_ipv4());
    let whole: (IpAddr, IpAddr) = match is_v4 {
        true => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
        false => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::from(u128::MAX).into(),
        ),
    };
    let numbers: Vec<(u128, u128)> = spans
        .iter()
        .map(|(first, last)| (number(*first), number(*last)))
        .collect();
    let address = |number: u128| -> IpAddr {
        match is_v4 {
            // Numbers of this family come from addresses of it.
            true => Ipv4Addr::from(number as u32).into(),
            false => Ipv6Addr::from(number).into(),
        }
    };
    let say = |(first, last): &(u128, u128)| {
        let (first, last) = (address(*first), address(*last));
        if first != last {
            return prefix(first, last).unwrap_or_else(|| format!("{first}-{last}"));
        }
        match names(first) {
            Some(name) => format!("{name} {first}"),
            None => first.to_string(),
        }
    };
    let joined = |spans: &[(u128, u128)]| {
        let all: Vec<String> = spans.iter().take(MOST_ADDRESSES).map(say).collect();
        let all = all.join(",");
        match spans.len().saturating_sub(MOST_ADDRESSES) {
            0 => all,
            more => format!("{all} and {more} more"),
        }
    };
    let missing = between(&numbers, (number(whole.0), number(whole.1)));
    match (&missing[..], missing.len() < numbers.len()) {
        ([], _) => "anybody".to_owned(),
        (_, true) => format!("anybody but {}", joined(&missing)),
        (_, false) => joined(&numbers),
    }
}

/// What lies between intervals of an axis.
fn between(spans: &[(u128, u128)], (low, high): (u128, u128)) -> Vec<(u128, u128)> {
    let mut missing = Vec::new();
    let mut next = Some(low);
    for (first, last) in spans {
        if let Some(next) = next.filter(|next| next < first) {
            missing.push((next, first - 1));
        }
        next = last.checked_add(1);
    }
    missing.extend(next.filter(|next| *next <= high).map(|next| (next, high)));
    missing
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// First and last address as a prefix, where they are one.
fn prefix(first: IpAddr, last: IpAddr) -> Option<String> {
    let bits: u32 = match first {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let (low, high) = (number(first), number(last));
    let open = 128 - (low ^ high).leading_zeros();
    let mask = 1u128.checked_shl(open).map_or(u128::MAX, |bit| bit - 1);
    (low & mask == 0 && high & mask == mask).then(|| format!("{first}/{}", bits - open))
}

/// The word for a family.
pub fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

#[cfg(test)]
mod tests;
