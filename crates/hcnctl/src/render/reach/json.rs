// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o json`: docs/schema/reach.json and docs/schema/reach-compare.json.
//!
//! Apart because it is a contract. Pairs name their sets by the words for them; the sets follow after the pairs, each once, so that a
//! matrix can be written while it is worked out.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::IpAddr,
    sync::Arc,
};

use hcn_engine::{
    Direction,
    space::{Region, Space, address_words},
};
use serde_json::{Map, Value, json};

use super::Subject;
use crate::reach::{
    Matrix, Participant, Place,
    compare::{Comparison, family_word},
};

/// Sets by the words for them.
#[derive(Default)]
struct Sets(BTreeMap<Arc<str>, Value>);

/// Who reaches whom.
///
/// # Errors
/// Those of `out`.
pub fn json(matrix: &mut Matrix, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{")?;
    writeln!(out, "  \"of\": {},", Value::from(subject.of.as_str()))?;
    writeln!(out, "  \"hns\": {},", Value::from(subject.hns.as_str()))?;
    let mut chosen: Vec<usize> = matrix.from.clone();
    chosen.extend(&matrix.to);
    chosen.sort_unstable();
    chosen.dedup();
    let participants = chosen
        .iter()
        .map(|place| participant(&matrix.participants[*place]).to_string());
    list(out, "participants", participants)?;
    writeln!(out, ",")?;
    let mut sets = Sets::default();
    write!(out, "  \"pairs\": [")?;
    let mut first = true;
    for from in matrix.from.clone() {
        for pair in matrix.row(from) {
            for reaching in &pair.reaching {
                let words = matrix.words(reaching);
                let partly = matrix.partly_words(reaching);
                let space = matrix.space(reaching.family);
                let direction = reaching.direction();
                sets.note(&words, space, reaching.region, direction);
                let mut some_backends = String::new();
                if let Some(partly) = partly {
                    sets.note(&partly, space, reaching.partly, direction);
                    some_backends = format!(",\"someBackends\":{}", Value::from(&*partly));
                }
                let label = |place: usize| Value::from(matrix.participants[place].label.as_str());
                write!(
                    out,
                    "{}\n    {{\"from\":{},\"to\":{},\"family\":\"{}\",\"source\":{},\"destination\":{},\"with\":{}{some_backends}}}",
                    if first { "" } else { "," },
                    label(from),
                    label(pair.to),
                    family_word(reaching.family),
                    address(reaching.source),
                    address(reaching.destination),
                    Value::from(&*words),
                )?;
                first = false;
            }
        }
    }
    writeln!(out, "{}],", if first { "" } else { "\n  " })?;
    sets.write(out)?;
    writeln!(out, "}}")
}

/// What changed.
///
/// # Errors
/// Those of `out`.
pub fn compared_json(
    comparison: &Comparison,
    after: &Matrix,
    subjects: [&Subject; 2],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{{")?;
    for (name, subject) in ["before", "after"].into_iter().zip(subjects) {
        let side = json!({"of": subject.of, "hns": subject.hns});
        writeln!(out, "  \"{name}\": {side},")?;
    }
    for (name, labels) in [
        ("onlyBefore", &comparison.only_before),
        ("onlyAfter", &comparison.only_after),
    ] {
        writeln!(out, "  \"{name}\": {},", json!(labels))?;
    }
    let mut sets = Sets::default();
    for change in &comparison.changes {
        let space = after.space(change.at.family);
        sets.note(&change.opened_words, space, change.opened, change.direction);
        sets.note(&change.closed_words, space, change.closed, change.direction);
        for (words, region) in [
            (&change.partly_opened_words, change.partly_opened),
            (&change.partly_closed_words, change.partly_closed),
        ] {
            if let Some(words) = words {
                sets.note(words, space, region, change.direction);
            }
        }
    }
    let changes = comparison.changes.iter().map(|change| {
        let mut own = json!({
            "from": *change.from,
            "to": *change.to,
            "family": family_word(change.at.family),
            "source": address(change.at.source),
            "destination": address(change.at.destination),
            "opened": &*change.opened_words,
            "closed": &*change.closed_words,
        });
        for (member, words) in [
            ("openedToSomeBackends", &change.partly_opened_words),
            ("closedToAllBackends", &change.partly_closed_words),
        ] {
            if let Some(words) = words {
                own[member] = Value::from(&**words);
            }
        }
        own.to_string()
    });
    list(out, "changes", changes)?;
    writeln!(out, ",")?;
    sets.write(out)?;
    writeln!(out, "}}")
}

fn participant(participant: &Participant) -> Value {
    match &participant.place {
        Place::Port {
            id,
            name,
            container,
            network,
            addresses,
            ..
        } => json!({
            "label": participant.label,
            "kind": "endpoint",
            "id": id.to_string(),
            "name": name,
            "container": container,
            "network": network,
            "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<String>>(),
        }),
        Place::Beyond(prefixes) => json!({
            "label": participant.label,
            "kind": "outside",
            "addresses": prefixes.iter().map(ToString::to_string).collect::<Vec<String>>(),
        }),
        Place::Host(addresses) => json!({
            "label": participant.label,
            "kind": "host",
            "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<String>>(),
        }),
        Place::Service(address) => json!({
            "label": participant.label,
            "kind": "service",
            "addresses": [address.to_string()],
        }),
    }
}

fn address(address: Option<IpAddr>) -> Value {
    address.map_or(Value::Null, |address| address.to_string().into())
}

/// A list with a line an item.
fn list(out: &mut dyn Write, name: &str, items: impl Iterator<Item = String>) -> io::Result<()> {
    write!(out, "  \"{name}\": [")?;
    let mut empty = true;
    for item in items {
        write!(out, "{}\n    {item}", if empty { "" } else { "," })?;
        empty = false;
    }
    write!(out, "{}]", if empty { "" } else { "\n  " })
}

impl Sets {
    fn note(
        &mut self,
        words: &Arc<str>,
        space: &Space,
        region: Region,
        direction: Option<Direction>,
    ) {
        if !self.0.contains_key(words) {
            self.0.insert(words.clone(), set(space, region, direction));
        }
    }

    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "  \"sets\": {{")?;
        let mut empty = true;
        for (words, cells) in self.0 {
            let separator = if empty { "" } else { "," };
            write!(out, "{separator}\n    {}: {cells}", Value::from(&*words))?;
            empty = false;
        }
        writeln!(out, "{}}}", if empty { "" } else { "\n  " })
    }
}

/// The cells of a set.
fn set(space: &Space, region: Region, direction: Option<Direction>) -> Value {
    let groups = match direction {
        Some(direction) => space.by_address(region, direction),
        None => vec![(region, Vec::new())],
    };
    // Where all addresses are alike, none is named: the words then stand for the set in both families.
    let are_alike = groups.len() == 1;
    let mut cells = Vec::new();
    for (services, addresses) in groups {
        for cell in space.cells(services) {
            let mut members = Map::new();
            members.insert("protocols".to_owned(), json!(cell.protocols));
            members.insert("destinationPorts".to_owned(), json!(cell.destination_ports));
            members.insert("sourcePorts".to_owned(), json!(cell.source_ports));
            if !are_alike {
                let texts: Vec<String> = addresses.iter().map(address_words).collect();
                members.insert("addresses".to_owned(), json!(texts));
            }
            cells.push(Value::Object(members));
        }
    }
    cells.into()
}
