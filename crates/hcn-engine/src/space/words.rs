// SPDX-License-Identifier: MIT OR Apache-2.0
//! Regions in words, for people: `tcp 80,443`, `everything but udp 53`, `to 10.0.0.0/8: tcp 443 / elsewhere: everything`.
//!
//! Apart from the cells, which are for programs. Of a set and what is not in it, the shorter is said. Invariant: regions that differ
//! differ in words, so the words can stand for the region; and what a `but` covers ends with its word, its list or its brackets.

use std::{fmt::Write, net::IpAddr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::{Axis, Cell, PortSpan, Region, Space, cells};
use crate::flow::{Direction, Protocol};

/// Intervals of a protocol or port, and whether they are what is meant or what is not.
struct Spans {
    spans: Vec<(u32, u32)>,
    but: bool,
}

/// How a list of cells is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// With `but` where that is shorter.
    Shortest,
    /// Behind a `but` of its own, where another one could be misread.
    Plain,
}

impl Space {
    /// Protocols and ports of a region in words; its addresses are not told.
    ///
    /// Source ports are told where they matter.
    pub fn services(&mut self, region: Region) -> String {
        match region {
            Region::EMPTY => return "nothing".to_owned(),
            Region::FULL => return "everything".to_owned(),
            _ => {}
        }
        let within = services(&self.cells(region), Style::Shortest);
        let without = self.minus(Region::FULL, region);
        let without = everything_but(&self.cells(without));
        match without.len() < within.len() {
            true => without,
            false => within,
        }
    }

    /// As [`Space::services`], with the addresses of the other side where they matter: the destinations of what goes out, the sources of what
    /// comes in.
    pub fn services_by_address(&mut self, region: Region, direction: Direction) -> String {
        let groups = self.by_address(region, direction);
        if let [(services, _)] = groups[..] {
            return self.services(services);
        }
        let preposition = match direction {
            Direction::Out => "to",
            Direction::In => "from",
        };
        let mut told: Vec<(Region, String)> = Vec::with_capacity(groups.len());
        for (services, addresses) in &groups {
            let addresses: Vec<String> = addresses.iter().map(address_words).collect();
            let text = self.services(*services);
            told.push((
                *services,
                format!("{preposition} {}: {text}", addresses.join(",")),
            ));
        }
        let joined = |left_out: Region, last: Option<String>| {
            let each = told.iter().filter(|(services, _)| *services != left_out);
            let each = each.map(|(_, text)| text.clone()).chain(last);
            each.collect::<Vec<String>>().join(" / ")
        };
        let mut shortest = joined(Region::EMPTY, None);
        for (services, _) in groups {
            if services == Region::EMPTY {
                continue;
            }
            let rest = format!("elsewhere: {}", self.services(services));
            let text = joined(services, Some(rest));
            if text.len() < shortest.len() {
                shortest = text;
            }
        }
        shortest
    }

    /// The different services of a region, each with the addresses of the other side that it holds for.
    pub fn by_address(
        &self,
        region: Region,
        direction: Direction,
    ) -> Vec<(Region, Vec<(IpAddr, IpAddr)>)> {
        let axis = other_side(direction);
        let mut groups: Vec<(Region, Vec<(IpAddr, IpAddr)>)> = Vec::new();
        let mut next = 0u128;
        for (last, services) in self.intervals(region, axis).iter() {
            let span = (self.address(next), self.address(*last));
            next = last.saturating_add(1);
            match groups.iter_mut().find(|(other, _)| other == services) {
                Some((_, spans)) => spans.push(span),
                None => groups.push((*services, vec![span])),
            }
        }
        groups
    }
}

/// The axis of the address that is not the port's own.
pub(crate) fn other_side(direction: Direction) -> Axis {
    match direction {
        Direction::Out => Axis::Destination,
        Direction::In => Axis::Source,
    }
}

/// An interval of addresses: `10.0.0.0/8` where it is one prefix, else `10.0.0.1-10.0.0.9`.
pub fn address_words((first, last): &(IpAddr, IpAddr)) -> String {
    if first == last {
        return first.to_string();
    }
    let prefixes: Vec<IpNet> = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let prefixes = Ipv4Subnets::new(*first, *last, 0);
            prefixes.take(2).map(IpNet::from).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let prefixes = Ipv6Subnets::new(*first, *last, 0);
            prefixes.take(2).map(IpNet::from).collect()
        }
        // No interval reaches from one family into the other.
        _ => Vec::new(),
    };
    match prefixes[..] {
        [prefix] => prefix.to_string(),
        _ => format!("{first}-{last}"),
    }
}

impl Cell {
    /// Protocols and ports in words, e.g. `tcp 80,443`, `udp from source port 53`, `every protocol but icmp`.
    pub fn service(&self) -> String {
        service(self, Style::Shortest)
    }

    /// The same without a `but`, for a place behind one.
    pub fn plain_service(&self) -> String {
        service(self, Style::Plain)
    }
}

fn services(cells: &[Cell], style: Style) -> String {
    let each: Vec<String> = cells.iter().map(|cell| service(cell, style)).collect();
    each.join("; ")
}

/// What is not in these cells; several stand in brackets, so that nobody takes the last for an exception from the exception.
fn everything_but(cells: &[Cell]) -> String {
    let list = services(cells, Style::Plain);
    match cells.len() {
        1 => format!("everything but {list}"),
        _ => format!("everything but ({list})"),
    }
}

fn service(cell: &Cell, style: Style) -> String {
    let mut text = protocols(&cell.protocols, style);
    if let Some(Ports { words, but, .. }) = ports(&cell.destination_ports, style) {
        let word = if but { "every port but " } else { "" };
        let _ = write!(text, " {word}{words}");
    }
    if let Some(Ports { words, is_one, but }) = ports(&cell.source_ports, style) {
        // Behind "from" stand addresses too, so it is said that these are ports.
        let _ = match (but, is_one) {
            (true, _) => write!(text, " from every source port but {words}"),
            (false, true) => write!(text, " from source port {words}"),
            (false, false) => write!(text, " from source ports {words}"),
        };
    }
    text
}

/// `tcp,udp`, `protocols 47,50-51`, `every protocol but icmp`.
fn protocols(spans: &[(u8, u8)], style: Style) -> String {
    let plain = |spans: &[(u32, u32)]| {
        // Names where every protocol of an interval has one, as ICMP and IGMP do: nobody counts from ICMP to TCP.
        let (named, numbered): (Vec<_>, Vec<_>) = spans
            .iter()
            .partition(|(first, last)| (*first..=*last).all(has_name));
        let named = named.iter().flat_map(|(first, last)| *first..=*last);
        let mut texts: Vec<String> = named
            .map(|number| Protocol(number as u8).to_string())
            .collect();
        if !numbered.is_empty() {
            let single = matches!(numbered[..], [(first, last)] if first == last);
            let word = if single { "protocol" } else { "protocols" };
            texts.push(format!("{word} {}", listed(&numbered)));
        }
        texts.join(",")
    };
    let Spans { spans, but } = shorter(spans, u8::MAX, style);
    match (but, spans.is_empty()) {
        (true, true) => "every protocol".to_owned(),
        (true, false) => format!("every protocol but {}", plain(&spans)),
        (false, _) => plain(&spans),
    }
}

fn has_name(protocol: u32) -> bool {
    Protocol(protocol as u8).has_name()
}

/// Ports in words.
struct Ports {
    words: String,
    /// Whether it is a single one.
    is_one: bool,
    /// Whether they are all but these.
    but: bool,
}

/// `80,443`, or what is left out; nothing for all ports.
fn ports(spans: &[PortSpan], style: Style) -> Option<Ports> {
    let Spans { spans, but } = shorter(spans, u16::MAX, style);
    let is_every = but && spans.is_empty();
    (!is_every).then(|| Ports {
        words: listed(&spans),
        is_one: matches!(spans[..], [(first, last)] if first == last),
        but,
    })
}

/// `1,4-5`.
fn listed(spans: &[(u32, u32)]) -> String {
    cells::listed(spans, |number, text| {
        let _ = write!(text, "{number}");
    })
}

/// The intervals, or those between them where they are shorter. The whole axis is always told by what is not in it: nothing.
fn shorter<T: Copy + Into<u32>>(spans: &[(T, T)], highest: T, style: Style) -> Spans {
    let own: Vec<(u32, u32)> = spans
        .iter()
        .map(|(first, last)| ((*first).into(), (*last).into()))
        .collect();
    let mut between = Vec::new();
    let mut next = 0;
    for (first, last) in &own {
        if next < *first {
            between.push((next, first - 1));
        }
        next = last + 1;
    }
    if next <= highest.into() {
        between.push((next, highest.into()));
    }
    // One interval is easy to read however long it is.
    let is_shorter = || own.len() > 1 && listed(&between).len() + "but ".len() < listed(&own).len();
    let but = match style {
        Style::Shortest => between.is_empty() || is_shorter(),
        Style::Plain => between.is_empty(),
    };
    match but {
        true => Spans {
            spans: between,
            but,
        },
        false => Spans { spans: own, but },
    }
}

#[cfg(test)]
mod tests;
