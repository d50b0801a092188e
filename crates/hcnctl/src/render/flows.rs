// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets of flows in words: `tcp 80 from client 172.19.3.166`, `everything but icmp`.
//!
//! Apart from the engine's cells, which are exact lists: here a set is said the shorter way, by itself or by what is missing from it, on each axis and
//! as a whole. Invariant: the words stand for exactly the set.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hcn_engine::{
    Direction, Family, Protocol,
    space::{Cell, Region, Space},
};

/// Names for addresses, where there are any.
pub type Names<'a> = &'a dyn Fn(IpAddr) -> Option<String>;

/// The lines that say a set of flows at an endpoint, of which `all` are the ones that can be there.
pub fn lines(
    space: &mut Space,
    region: Region,
    all: Region,
    direction: Direction,
    names: Names<'_>,
) -> Vec<String> {
    if region == all {
        return vec!["everything".to_owned()];
    }
    let own_side = space
        .cells(all)
        .first()
        .map(|cell| own(cell, direction).to_vec());
    let say = |space: &Space, region: Region| -> Vec<String> {
        space
            .cells(region)
            .iter()
            .map(|cell| line(cell, direction, own_side.as_deref(), names))
            .collect()
    };
    let rest = space.minus(all, region);
    let (direct, missing) = (say(space, region), say(space, rest));
    let length = |lines: &[String]| lines.iter().map(|line| line.len() + 2).sum::<usize>();
    const BUT: &str = "everything but";
    if direct.len() < missing.len() || length(&direct) <= length(&missing) + BUT.len() {
        return direct;
    }
    match &missing[..] {
        [one] => vec![format!("{BUT} {one}")],
        several => {
            let rest = several.iter().map(|line| format!("  {line}"));
            std::iter::once(format!("{BUT}:")).chain(rest).collect()
        }
    }
}

/// Protocols and ports of a set between two addresses, e.g. `tcp 80; udp 53`, `everything but icmp`.
pub fn services(space: &mut Space, region: Region) -> String {
    if region == Region::FULL {
        return "everything".to_owned();
    }
    let say = |space: &Space, region: Region| {
        let cells = space.cells(region);
        cells
            .iter()
            .map(service)
            .collect::<Vec<String>>()
            .join("; ")
    };
    let rest = space.minus(Region::FULL, region);
    let (direct, missing) = (say(space, region), say(space, rest));
    const BUT: &str = "everything but ";
    match direct.len() <= missing.len() + BUT.len() {
        true => direct,
        false => format!("{BUT}{missing}"),
    }
}

/// Addresses of the endpoint's side.
fn own(cell: &Cell, direction: Direction) -> &[(IpAddr, IpAddr)] {
    match direction {
        Direction::In => &cell.destinations,
        Direction::Out => &cell.sources,
    }
}

fn line(
    cell: &Cell,
    direction: Direction,
    own_side: Option<&[(IpAddr, IpAddr)]>,
    names: Names<'_>,
) -> String {
    let mut text = service(cell);
    let (word, peers) = match direction {
        Direction::In => ("from", &cell.sources),
        Direction::Out => ("to", &cell.destinations),
    };
    text.push_str(&format!(" {word} {}", addresses(peers, names)));
    let own = own(cell, direction);
    if Some(own) != own_side {
        text.push_str(&format!(" at {}", addresses(own, names)));
    }
    text
}

/// Protocols and ports.
fn service(cell: &Cell) -> String {
    let is_all = cell.protocols == [(0, u8::MAX)];
    let mut text = match is_all {
        true => "all".to_owned(),
        false => spans(
            &cell.protocols,
            (0, u8::MAX),
            "all protocols",
            |(first, last)| match first == last {
                true => Protocol(first).to_string(),
                false => format!("protocols {first}-{last}"),
            },
        ),
    };
    let every = (0, u16::MAX);
    let port = |(first, last): (u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    if cell.destination_ports != [every] {
        let ports = spans(&cell.destination_ports, every, "every port", port);
        text.push_str(&format!(" {ports}"));
    }
    if cell.source_ports != [every] {
        let ports = spans(&cell.source_ports, every, "every port", port);
        text.push_str(&format!(" with source port {ports}"));
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
    self::spans(
        &numbers,
        (number(whole.0), number(whole.1)),
        "anybody",
        |(first, last)| {
            let (first, last) = (address(first), address(last));
            if first != last {
                return prefix(first, last).unwrap_or_else(|| format!("{first}-{last}"));
            }
            match names(first) {
                Some(name) => format!("{name} {first}"),
                None => first.to_string(),
            }
        },
    )
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

/// Values of an axis: by themselves, or by those that are missing where these are fewer.
fn spans<T: Copy + PartialEq + Into<u128> + TryFrom<u128>>(
    spans: &[(T, T)],
    whole: (T, T),
    every: &str,
    say: impl Fn((T, T)) -> String,
) -> String {
    let joined = |spans: &[(T, T)]| {
        let all: Vec<String> = spans.iter().map(|span| say(*span)).collect();
        all.join(",")
    };
    if *spans == [whole] {
        return every.to_owned();
    }
    let mut missing: Vec<(T, T)> = Vec::new();
    let mut next: Option<u128> = Some(whole.0.into());
    let mut gap = |from: Option<u128>, to: Option<u128>| {
        if let (Some(from), Some(to)) = (from, to)
            && from <= to
            && let (Ok(from), Ok(to)) = (T::try_from(from), T::try_from(to))
        {
            missing.push((from, to));
        }
    };
    for (first, last) in spans {
        gap(next, Into::<u128>::into(*first).checked_sub(1));
        next = Into::<u128>::into(*last).checked_add(1);
    }
    gap(next, Some(whole.1.into()));
    match missing.len() < spans.len() {
        true => format!("{every} but {}", joined(&missing)),
        false => joined(spans),
    }
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
