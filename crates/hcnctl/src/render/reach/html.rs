// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o html`: one page that opens from disk, the matrix and behind each cell why it is so.
//!
//! Apart because everything is in it: the style, the script and the data, with each text once, since three hundred endpoints are ninety
//! thousand cells. Invariant: what users wrote gets into the page only as JSON text or escaped, so it is never markup.

mod ways;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use hcn_engine::{
    Cause, Direction, Family, Flow, PortIndex, Protocol, Ruling,
    reach::{Nowhere, Piece, Said},
    space::Region,
    verdict::{Decision, Reason},
    way::{Hop, NoWay},
};
use serde_json::{Map, Value, json};

use super::{Subject, escaped};
use crate::{
    reach::{Extension, Matrix, Pair, Participant, Place, Reaching},
    render::{shown, why::Names},
};

const PAGE: &str = include_str!("page.html");

/// Values that are told once, and by their numbers from then on.
struct Numbered<T> {
    numbers: HashMap<T, usize>,
    all: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered {
            numbers: HashMap::new(),
            all: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn of(&mut self, value: T) -> usize {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        self.all.push(value.clone());
        self.numbers.insert(value, self.all.len() - 1);
        self.all.len() - 1
    }
}

/// Number of something that may be absent; -1 says so to the script.
type Maybe = i64;

/// What happens or a port says, as the script looks it up: 0 and a ruling of the source's port, 1 and one of the destination's, 2 and a text, 3 and
/// one about the backend that was named last.
type Step = (u8, usize);

/// Whether it is allowed (0 no, 1 yes, and from 2 on the number of a text that says to how many backends), the packets, and the steps of the way.
type Part = (usize, usize, Vec<Step>);

/// Addresses of both by their places, what passes, and the explanation.
type Between = (Maybe, Maybe, usize, usize);

/// What a pair of addresses is told by: places of the addresses, what passes, and what decides, where that is said by the two ports alone, with the
/// number of the way.
type Key = (Maybe, Maybe, Family, Region, Option<([Region; 2], usize)>);

/// What the page knows.
#[derive(Default)]
struct Data {
    texts: Numbered<Arc<str>>,
    causes: Numbered<String>,
    explanations: Numbered<Vec<Part>>,
    pairs: Numbered<(u8, usize, Vec<Between>)>,
    rulings: Numbered<(bool, Ruling)>,
    /// Pairs that are told alike, since rules of the same numbers decide on the same packets.
    alike: HashMap<Vec<Key>, usize>,
    noted: HashSet<(usize, Direction, Family, Region)>,
    /// Ways by what happens on them, without what ports say.
    ways: Numbered<Vec<Option<String>>>,
    /// The numbers of ways that were met, by where they are kept; they are kept here too, so that no other one gets their place.
    met: HashMap<*const Hop, (Arc<[Hop]>, usize)>,
    /// By participant and ruling: the cause.
    said: HashMap<(usize, usize), usize>,
    /// By participant: whether it hangs on the packet whether a tie decided.
    may_tie: Vec<bool>,
}

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn html(matrix: &mut Matrix, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let ports = matrix.participants.iter().map(Participant::port);
    let may_tie = ports.map(|port| port.is_some_and(|port| matrix.switch().may_tie(port)));
    // The matrix is worked out further while it is told, so the names have a switch of their own.
    let switch = matrix.switch().clone();
    let names = Names {
        switch: &switch,
        hns: format!("HNS {}", subject.hns),
        containers: matrix.containers().to_vec(),
        remote: matrix.remote.clone(),
    };
    let mut data = Data {
        may_tie: may_tie.collect(),
        ..Data::default()
    };
    // Rows of one kind are told once, and equal neighbours of a row by their number: a matrix of a thousand endpoints has a million cells.
    let mut lines: Numbered<Vec<Maybe>> = Numbered::default();
    let mut cells: Vec<usize> = Vec::with_capacity(matrix.from.len());
    for from in matrix.from.clone() {
        let pairs = matrix.row(from);
        let mut pairs = pairs.iter().peekable();
        let mut line: Vec<Maybe> = Vec::new();
        for to in matrix.to.clone() {
            let pair = pairs.next_if(|pair| pair.to == to);
            let cell = pair.map_or(-1, |pair| data.pair(matrix, &names, pair) as Maybe);
            match line[..] {
                [.., ref mut times, last] if last == cell => *times += 1,
                _ => line.extend([1, cell]),
            }
        }
        cells.push(lines.of(line));
    }
    let mut said: Vec<Map<String, Value>> = vec![Map::new(); matrix.participants.len()];
    for ((participant, ruling), cause) in &data.said {
        said[*participant].insert(ruling.to_string(), json!(cause));
    }
    let participants = matrix.participants.iter().zip(said);
    let participants: Vec<Value> = participants
        .map(|(own, said)| participant(own, said))
        .collect();
    let data = json!({
        "participants": participants,
        "rows": matrix.from,
        "columns": matrix.to,
        "lines": lines.all,
        "cells": cells,
        "pairs": data.pairs.all,
        "texts": data.texts.all.iter().map(|text| &**text).collect::<Vec<&str>>(),
        "causes": data.causes.all,
        "explanations": data.explanations.all,
    });
    // No `<` gets into the page, so no text can end the element that it stands in.
    let data = data.to_string().replace('<', "\\u003c");
    let title = escaped(&format!("{}, HNS {}", subject.of, subject.hns));
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once('{') {
        out.write_all(before.as_bytes())?;
        rest = if let Some(after) = after.strip_prefix("title}") {
            out.write_all(title.as_bytes())?;
            after
        } else if let Some(after) = after.strip_prefix("data}") {
            out.write_all(data.as_bytes())?;
            after
        } else {
            out.write_all(b"{")?;
            after
        };
    }
    out.write_all(rest.as_bytes())
}

fn participant(participant: &Participant, said: Map<String, Value>) -> Value {
    let texts = |addresses: &[IpAddr]| addresses.iter().map(ToString::to_string).collect();
    let addresses: Vec<String> = match &participant.place {
        Place::Port { addresses, .. } => texts(addresses),
        Place::Beyond(prefixes) => prefixes.iter().map(ToString::to_string).collect(),
        Place::Host(_) | Place::Service(_) => texts(participant.targets()),
    };
    json!({"label": shown(&participant.label), "addresses": addresses, "says": said})
}

impl Data {
    fn pair(&mut self, matrix: &mut Matrix, names: &Names<'_>, pair: &Pair) -> usize {
        let place = |participant: usize, address: Option<IpAddr>| -> Maybe {
            let participant = &matrix.participants[participant];
            let own = match &participant.place {
                Place::Port { addresses, .. } => addresses,
                _ => participant.targets(),
            };
            let found = own.iter().position(|own| Some(*own) == address);
            found.map_or(-1, |place| place as Maybe)
        };
        let places: Vec<(Maybe, Maybe)> = pair
            .reaching
            .iter()
            .map(|reaching| {
                let source = place(pair.from, reaching.source);
                (source, place(pair.to, reaching.destination))
            })
            .collect();
        let may_tie = self.may_tie[pair.from] || self.may_tie[pair.to];
        let mut keys: Vec<Key> = Vec::with_capacity(places.len());
        for (reaching, (source, destination)) in pair.reaching.iter().zip(&places) {
            let decided = match may_tie {
                true => None,
                false => matrix.deciding(pair, reaching),
            };
            if let Some(decided) = decided {
                self.note_rulings(matrix, pair, reaching, decided);
            }
            let decided = decided.map(|decided| (decided, self.way(matrix, names, pair, reaching)));
            let family = reaching.family;
            keys.push((*source, *destination, family, reaching.region, decided));
        }
        let is_shared = keys.iter().all(|(.., decided)| decided.is_some());
        if is_shared && let Some(known) = self.alike.get(&keys) {
            return *known;
        }
        let extension = match matrix.extension(pair) {
            Extension::Nothing => 0,
            Extension::Part => 1,
            Extension::Everything => 2,
            Extension::SomeBackends => 3,
        };
        let words = matrix.pair_words(pair);
        let words = self.texts.of(words);
        let mut all = Vec::with_capacity(pair.reaching.len());
        for (reaching, (source, destination, _, _, decided)) in pair.reaching.iter().zip(&keys) {
            let words = matrix.all_words(reaching);
            let explanation = self.explanation(matrix, names, pair, reaching, decided.is_some());
            all.push((*source, *destination, self.texts.of(words), explanation));
        }
        let number = self.pairs.of((extension, words, all));
        if is_shared {
            self.alike.insert(keys, number);
        }
        number
    }

    /// The number of the way of a pair on which the two ports alone decide.
    fn way(
        &mut self,
        matrix: &mut Matrix,
        names: &Names<'_>,
        pair: &Pair,
        reaching: &Reaching,
    ) -> usize {
        let hops = matrix.hops(pair, reaching).unwrap_or_default();
        if let Some((_, number)) = self.met.get(&hops.as_ptr()) {
            return *number;
        }
        let number = self.ways.of(ways::template(names, &hops));
        self.met.insert(hops.as_ptr(), (hops, number));
        number
    }

    /// Keeps what the rulings of a pair are at its two ports.
    fn note_rulings(
        &mut self,
        matrix: &mut Matrix,
        pair: &Pair,
        reaching: &Reaching,
        decided: [Region; 2],
    ) {
        let sides = [
            (pair.from, Direction::Out, decided[0]),
            (pair.to, Direction::In, decided[1]),
        ];
        for (participant, direction, diagram) in sides {
            let key = (participant, direction, reaching.family, diagram);
            if !self.noted.insert(key) {
                continue;
            }
            let Some(port) = matrix.participants[participant].port() else {
                continue;
            };
            for ruling in matrix.rulings(reaching.family, diagram) {
                let number = self.rulings.of((direction == Direction::In, ruling));
                // No rule of the port can tie, so it does not hang on the packet what is told.
                let cause = matrix.switch().cause(port, direction, &ANY, ruling);
                let cause = self.causes.of(told(matrix, &cause, port));
                self.said.insert((participant, number), cause);
            }
        }
    }

    fn explanation(
        &mut self,
        matrix: &mut Matrix,
        names: &Names<'_>,
        pair: &Pair,
        reaching: &Reaching,
        is_shared: bool,
    ) -> usize {
        let sender = matrix.participants[pair.from].port();
        let [route, nat] = match (sender, reaching.destination) {
            (Some(port), None) if matrix.has_ways => ways::outwards(names, port, reaching.family),
            _ => [None, None],
        };
        let pieces = matrix.pieces(pair, reaching);
        let mut parts: Vec<Part> = Vec::with_capacity(pieces.len());
        for (piece, words) in pieces {
            let mut steps: Vec<Step> = Vec::with_capacity(piece.said.len());
            let mut told = |text: &str, is_inner: bool| {
                (
                    2 + u8::from(is_inner),
                    self.causes.of(shown(text).into_owned()),
                )
            };
            if piece.nowhere.is_none() {
                steps.extend(route.iter().map(|text| told(text, false)));
            }
            for step in ways::steps(names, &piece, sender) {
                steps.push(match step {
                    ways::Step::Words { text, is_inner } => told(&text, is_inner),
                    ways::Step::Said { said, .. } if is_shared => {
                        let inward = said.direction == Direction::In;
                        (u8::from(inward), self.rulings.of((inward, said.ruling)))
                    }
                    ways::Step::Said { said, is_inner } => {
                        told(&literal(matrix, &said, &piece, reaching), is_inner)
                    }
                });
            }
            let is_allowed = piece.decision() == Decision::Allow;
            if is_allowed {
                steps.extend(nat.iter().map(|text| told(text, false)));
            }
            if let Some(reason) = &piece.nowhere {
                steps.push(told(nowhere(reason), false));
            }
            let allowed = match piece.backends {
                Some((passing, of)) if passing > 0 && passing < of => {
                    2 + told(&format!("allowed to {passing} of {of} backends"), false).1
                }
                _ => usize::from(is_allowed),
            };
            parts.push((allowed, self.texts.of(words), steps));
        }
        // What is blocked is what people look for.
        parts.sort_by_key(|(allowed, ..)| match allowed {
            0 => 0,
            1 => 2,
            _ => 1,
        });
        self.explanations.of(parts)
    }
}

/// A packet to ask with where it does not matter which.
const ANY: Flow = Flow {
    source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    protocol: Protocol::TCP,
    source_port: 0,
    destination_port: 0,
};

/// Why packets get nowhere, where no port is to blame.
fn nowhere(reason: &Nowhere) -> &'static str {
    match reason {
        Nowhere::NoWay(NoWay::NoRoute) => "the sender has no route to the address",
        Nowhere::NoWay(NoWay::Nobody(_)) => "nobody on the network has this address",
        Nowhere::NoWay(NoWay::NotARouter(_)) => {
            "the sender's router is a container, which forwards nothing"
        }
        Nowhere::NoWay(NoWay::HostKnowsNoWay) => {
            "the host has no card on a network that leads there"
        }
        Nowhere::NoWay(NoWay::NotLetIn { .. }) => {
            "from outside, published ports and load balancers alone lead into this network"
        }
        Nowhere::NoWay(NoWay::NotLetOut { .. }) => "nothing leaves this host from that network",
        Nowhere::NoWay(NoWay::NotServed) => {
            "the address is a virtual one, and no load balancer has this protocol and port of it"
        }
        Nowhere::NoWay(NoWay::NoBackend { .. }) => "the load balancer has no backend left",
        Nowhere::Another => "another one with this address gets it",
        Nowhere::Beyond => "nobody is there, or no route leads there",
    }
}

/// What a port says of a piece, with the port.
fn literal(matrix: &Matrix, said: &Said, piece: &Piece, reaching: &Reaching) -> String {
    let port = said.port;
    let mut participants = matrix.participants.iter();
    let own = participants.find(|participant| participant.port() == Some(port));
    let label = own.map_or("", |participant| participant.label.as_str());
    let direction = match said.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let flow = packet(matrix, piece, reaching).unwrap_or(ANY);
    let cause = matrix
        .switch()
        .cause(port, said.direction, &flow, said.ruling);
    format!(
        "{}, {direction}: {}",
        shown(label),
        told(matrix, &cause, port)
    )
}

/// A packet of a piece, between the addresses of a pair.
fn packet(matrix: &Matrix, piece: &Piece, reaching: &Reaching) -> Option<Flow> {
    let first = matrix.space(reaching.family).example(piece.packets)?;
    Some(Flow {
        source: reaching.source.unwrap_or(first.source),
        destination: reaching.destination.unwrap_or(first.destination),
        ..first
    })
}

/// A cause in a line, without the port that both sides of the page name already.
fn told(matrix: &Matrix, cause: &Cause, port: PortIndex) -> String {
    let Some(rule) = &cause.rule else {
        return cause.to_string();
    };
    let own = &matrix.switch().ports[port.0 as usize];
    let holder = match rule.object == own.endpoint {
        true => String::new(),
        false => format!(" of network {}", matrix.switch().networks[own.network].name),
    };
    let layer = match cause.reason {
        Reason::Rule(_) => format!("{} rule ", cause.layer),
        _ => String::new(),
    };
    let tie = match cause.tie {
        true => {
            "; of some of it another rule of the same priority says otherwise, and this one wins"
        }
        false => "",
    };
    shown(&format!(
        "{layer}{}{holder}: {}{tie}",
        rule.pointer, rule.text
    ))
    .into_owned()
}
