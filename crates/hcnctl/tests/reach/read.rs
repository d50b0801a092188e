// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what `reach` prints: CSV, the words for sets, and the cells of sets.
//!
//! Apart from the code that writes it: nothing of that is used, so a set is what its words say to whoever knows only the documentation.

use std::{net::IpAddr, ops::RangeInclusive};

use hcn_engine::Flow;
use serde_json::Value;

/// Fields of the lines of a CSV (RFC 4180).
pub fn lines(text: &str) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            let field = fields.last_mut().unwrap();
            match character {
                '"' if is_quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    field.push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                other => field.push(other),
            }
        }
        lines.push(fields);
    }
    lines
}

/// A set: the services of some addresses of the other side, and of all others.
pub struct Set {
    groups: Vec<(Vec<RangeInclusive<u128>>, Services)>,
    elsewhere: Services,
}

/// Services, or all but those.
#[derive(Default)]
struct Services {
    but: bool,
    items: Vec<Item>,
}

/// Protocols, destination ports and source ports.
struct Item([Values; 3]);

/// Numbers, or all but those.
#[derive(Default)]
struct Values {
    but: bool,
    ranges: Vec<RangeInclusive<u32>>,
}

impl Set {
    /// The set of some words.
    pub fn of(words: &str) -> Set {
        let mut set = Set {
            groups: Vec::new(),
            elsewhere: Services::default(),
        };
        for group in words.split(" / ") {
            if let Some(services) = group.strip_prefix("elsewhere: ") {
                set.elsewhere = Services::of(services);
                continue;
            }
            let addressed = group.strip_prefix("to ").or(group.strip_prefix("from "));
            match addressed.and_then(|group| group.split_once(": ")) {
                Some((addresses, services)) => set.groups.push((
                    addresses.split(',').map(addresses_of).collect(),
                    Services::of(services),
                )),
                None => set.elsewhere = Services::of(group),
            }
        }
        set
    }

    /// Whether a flow is in it; of the two ends the one that is absent is told by address.
    pub fn contains(&self, flow: &Flow, ends: (Option<IpAddr>, Option<IpAddr>)) -> bool {
        let other = match ends {
            (None, _) => number(flow.source),
            _ => number(flow.destination),
        };
        let group = self
            .groups
            .iter()
            .find(|(addresses, _)| addresses.iter().any(|range| range.contains(&other)));
        group
            .map_or(&self.elsewhere, |(_, services)| services)
            .contain(flow)
    }
}

impl Services {
    fn of(words: &str) -> Services {
        let (but, list) = match words {
            "nothing" => return Services::default(),
            "everything" => (true, ""),
            words => match words.strip_prefix("everything but ") {
                Some(list) => match list.strip_prefix('(') {
                    Some(several) => (true, several.strip_suffix(')').unwrap()),
                    None => (true, list),
                },
                None => (false, words),
            },
        };
        let items = list.split("; ").filter(|item| !item.is_empty());
        Services {
            but,
            items: items.map(Item::of).collect(),
        }
    }

    fn contain(&self, flow: &Flow) -> bool {
        self.but != self.items.iter().any(|item| item.contains(flow))
    }
}

impl Item {
    /// `tcp,udp every port but 80 from source port 53`, `every protocol but tcp,protocols 4-5`.
    fn of(words: &str) -> Item {
        let (words, from) = match words.split_once(" from ") {
            Some((words, from)) => {
                let from = match from.strip_prefix("every source port ") {
                    Some(but) => but,
                    None => from
                        .strip_prefix("source port ")
                        .or(from.strip_prefix("source ports "))
                        .unwrap_or_else(|| panic!("{from}")),
                };
                (words, Values::of(from))
            }
            None => (words, Values::all()),
        };
        let mut tokens = words.split(' ').peekable();
        let mut protocols = Values::default();
        if tokens.next_if_eq(&"every").is_some() {
            assert_eq!(tokens.next(), Some("protocol"));
            protocols.but = true;
            if tokens.peek().is_some() {
                assert_eq!(tokens.next(), Some("but"));
            }
        }
        if let Some(names) = tokens.next() {
            for name in names.split(',') {
                match name {
                    "protocol" | "protocols" => {
                        let numbers = tokens.next().unwrap();
                        protocols.ranges.extend(numbers.split(',').map(range));
                    }
                    name => {
                        let names = ["icmp", "igmp", "tcp", "udp", "icmpv6", "sctp"];
                        let place = names.iter().position(|own| *own == name);
                        let number =
                            [1, 2, 6, 17, 58, 132][place.unwrap_or_else(|| panic!("{name}"))];
                        protocols.ranges.push(number..=number);
                    }
                }
            }
        }
        let ports: Vec<&str> = tokens.collect();
        let to = match ports[..] {
            [] => Values::all(),
            _ => {
                let ports = ports.join(" ");
                Values::of(ports.strip_prefix("every port ").unwrap_or(&ports))
            }
        };
        Item([protocols, to, from])
    }

    fn contains(&self, flow: &Flow) -> bool {
        let has_ports = flow.protocol.has_ports();
        let numbers = [
            flow.protocol.0.into(),
            u32::from(flow.destination_port),
            u32::from(flow.source_port),
        ];
        let asked = if has_ports { 3 } else { 1 };
        self.0
            .iter()
            .zip(numbers)
            .take(asked)
            .all(|(values, number)| values.contain(number))
    }
}

impl Values {
    fn all() -> Values {
        Values {
            but: true,
            ranges: Vec::new(),
        }
    }

    fn of(words: &str) -> Values {
        let (but, list) = match words.strip_prefix("but ") {
            Some(list) => (true, list),
            None => (false, words),
        };
        Values {
            but,
            ranges: list.split(',').map(range).collect(),
        }
    }

    fn contain(&self, number: u32) -> bool {
        self.but != self.ranges.iter().any(|range| range.contains(&number))
    }
}

fn range(words: &str) -> RangeInclusive<u32> {
    let (first, last) = words.split_once('-').unwrap_or((words, words));
    first.parse().unwrap()..=last.parse().unwrap()
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// An address, a prefix, or the first and the last address.
fn addresses_of(words: &str) -> RangeInclusive<u128> {
    let parse = |text: &str| number(text.parse().unwrap_or_else(|_| panic!("{text}")));
    if let Some((first, last)) = words.split_once('-') {
        return parse(first)..=parse(last);
    }
    let Some((address, length)) = words.split_once('/') else {
        return parse(words)..=parse(words);
    };
    let bits = if address.contains(':') { 128 } else { 32 };
    let free = bits - length.parse::<u32>().unwrap();
    let size = u128::MAX.checked_shr(128 - free).unwrap_or(0);
    parse(address)..=parse(address) + size
}

/// The set of the cells that a JSON has for it.
pub fn cells(cells: &Value) -> Set {
    let mut set = Set {
        groups: Vec::new(),
        elsewhere: Services::default(),
    };
    for cell in cells.as_array().unwrap() {
        let values = |member: &str| Values {
            but: false,
            ranges: cell[member]
                .as_array()
                .unwrap()
                .iter()
                .map(|span| span[0].as_u64().unwrap() as u32..=span[1].as_u64().unwrap() as u32)
                .collect(),
        };
        let item = Item(["protocols", "destinationPorts", "sourcePorts"].map(values));
        match cell.get("addresses") {
            None => set.elsewhere.items.push(item),
            Some(addresses) => {
                let texts = addresses.as_array().unwrap().iter();
                let ranges: Vec<_> = texts
                    .map(|text| addresses_of(text.as_str().unwrap()))
                    .collect();
                match set.groups.iter_mut().find(|(own, _)| *own == ranges) {
                    Some((_, services)) => services.items.push(item),
                    None => set.groups.push((
                        ranges,
                        Services {
                            but: false,
                            items: vec![item],
                        },
                    )),
                }
            }
        }
    }
    set
}
