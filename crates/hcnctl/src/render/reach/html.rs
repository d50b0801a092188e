// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o html`: one page that opens from disk, the matrix and behind each cell why it is so.
//!
//! Apart because everything is in it: the style, the script and the data, with each text once, since three hundred endpoints are ninety
//! thousand cells. Invariant: what users wrote gets into the page only as JSON text or escaped, so it is never markup.

use std::{
    collections::HashMap,
    hash::Hash,
    io::{self, Write},
    net::IpAddr,
    sync::Arc,
};

use hcn_engine::{
    Cause, Direction, Flow, PortIndex, Ruling,
    reach::Piece,
    verdict::{Decision, Reason},
};
use serde_json::{Value, json};

use super::{Subject, escaped};
use crate::{
    reach::{Extension, Matrix, Pair, Participant, Place, Reaching},
    render::shown,
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

/// Whether it is allowed, the packets, and the causes at both ports.
type Part = (u8, usize, Maybe, Maybe);

/// Addresses of both by their places, what passes, and the explanation.
type Between = (Maybe, Maybe, usize, usize);

/// What the page knows.
#[derive(Default)]
struct Data {
    texts: Numbered<Arc<str>>,
    causes: Numbered<String>,
    explanations: Numbered<Vec<Part>>,
    pairs: Numbered<(u8, usize, Vec<Between>)>,
    known: HashMap<(PortIndex, bool, Ruling), (String, bool)>,
}

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn html(matrix: &mut Matrix, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let mut data = Data::default();
    let mut cells: Vec<Vec<Maybe>> = Vec::with_capacity(matrix.from.len());
    for from in matrix.from.clone() {
        let pairs = matrix.row(from);
        let mut pairs = pairs.iter().peekable();
        let columns = matrix.to.clone();
        let row = columns.into_iter().map(|to| {
            let pair = pairs.next_if(|pair| pair.to == to);
            pair.map_or(-1, |pair| data.pair(matrix, pair) as Maybe)
        });
        cells.push(row.collect());
    }
    let participants: Vec<Value> = matrix.participants.iter().map(participant).collect();
    let data = json!({
        "participants": participants,
        "rows": matrix.from,
        "columns": matrix.to,
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

fn participant(participant: &Participant) -> Value {
    let addresses: Vec<String> = match &participant.place {
        Place::Port { addresses, .. } => addresses.iter().map(ToString::to_string).collect(),
        Place::Beyond(prefixes) => prefixes.iter().map(ToString::to_string).collect(),
    };
    json!({"label": shown(&participant.label), "addresses": addresses})
}

impl Data {
    fn pair(&mut self, matrix: &mut Matrix, pair: &Pair) -> usize {
        let extension = match matrix.extension(pair) {
            Extension::Nothing => 0,
            Extension::Part => 1,
            Extension::Everything => 2,
        };
        let words = matrix.pair_words(pair);
        let words = self.texts.of(words);
        let mut all = Vec::with_capacity(pair.reaching.len());
        for reaching in &pair.reaching {
            let place = |participant: usize, address: Option<IpAddr>| -> Maybe {
                let Place::Port { addresses, .. } = &matrix.participants[participant].place else {
                    return -1;
                };
                let found = addresses.iter().position(|own| Some(*own) == address);
                found.map_or(-1, |place| place as Maybe)
            };
            let source = place(pair.from, reaching.source);
            let destination = place(pair.to, reaching.destination);
            let words = matrix.words(reaching);
            let explanation = self.explanation(matrix, pair, reaching);
            all.push((source, destination, self.texts.of(words), explanation));
        }
        self.pairs.of((extension, words, all))
    }

    fn explanation(&mut self, matrix: &mut Matrix, pair: &Pair, reaching: &Reaching) -> usize {
        let pieces = matrix.pieces(pair, reaching);
        let mut parts: Vec<Part> = Vec::with_capacity(pieces.len());
        for (piece, words) in pieces {
            let out = self.cause(matrix, pair.from, Direction::Out, &piece, reaching);
            let into = self.cause(matrix, pair.to, Direction::In, &piece, reaching);
            let allowed = u8::from(piece.decision() == Decision::Allow);
            parts.push((allowed, self.texts.of(words), out, into));
        }
        // What is blocked is what people look for.
        parts.sort_by_key(|(allowed, ..)| *allowed);
        self.explanations.of(parts)
    }

    /// What the port of one side says of a piece; -1 where it is not asked.
    fn cause(
        &mut self,
        matrix: &Matrix,
        participant: usize,
        direction: Direction,
        piece: &Piece,
        reaching: &Reaching,
    ) -> Maybe {
        let ruling = match direction {
            Direction::Out => piece.out,
            Direction::In => piece.into,
        };
        let (Some(ruling), Some(port)) = (ruling, matrix.participants[participant].port()) else {
            return -1;
        };
        let is_rule = matches!(ruling.reason, Reason::Rule(_));
        let key = (port, direction == Direction::In, ruling);
        let known = self.known.get(&key).filter(|(_, may_tie)| !may_tie);
        if let Some((text, _)) = known {
            return self.causes.of(text.clone()) as Maybe;
        }
        let Some(flow) = packet(matrix, piece, reaching) else {
            return -1;
        };
        let cause = matrix.switch().cause(port, direction, &flow, ruling);
        let text = told(matrix, &cause, port);
        self.known.insert(key, (text.clone(), is_rule));
        self.causes.of(text) as Maybe
    }
}

/// A packet of a piece, between the addresses of a pair.
fn packet(matrix: &Matrix, piece: &Piece, reaching: &Reaching) -> Option<Flow> {
    let space = matrix.space(reaching.family);
    let first = space.cells(piece.packets).first()?.first()?;
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
