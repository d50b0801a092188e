// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan in words, and as JSON (`docs/schema/plan.json`).
//!
//! Apart from making it. Invariant: text and JSON say the same; the text leaves out only families of which an endpoint has no address and that are
//! closed, and flows beyond the first [`MOST_LINES`].

use hcn::{HcnCode, schema::Document};
use hcn_engine::space::Cell;
use serde_json::{Value, json};

use super::draft::{Draft, Effect, Pair, Row};
use crate::{
    desk::Desk,
    failure::Failure,
    render::{flows, rule},
};

/// Lines for the flows of one direction; a person reads no more.
const MOST_LINES: usize = 24;

/// What became of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Only planned.
    Planned,
    /// Sent and read back.
    Applied,
    /// Not sent, since it would open something.
    Refused,
    /// Sent and taken back.
    TakenBack,
    /// HNS failed; what was sent is taken back as far as it is said.
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Applied => "applied",
            State::Refused => "refused",
            State::TakenBack => "taken-back",
            State::Failed => "failed",
        }
    }
}

/// Prints a plan for people.
pub fn print(desk: &mut Desk<'_>, draft: &Draft, requests: bool) -> Result<(), Failure> {
    let count = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    writeln!(
        desk.out,
        "policy {}: {} selected, {} to change",
        draft.policy,
        count(draft.selected, "endpoint"),
        draft.steps.len()
    )?;
    for row in &draft.rows {
        let why = match row.is_selected {
            true => "",
            false => ": not selected any more",
        };
        writeln!(desk.out, "{}{why}", crate::render::shown(&row.label))?;
        for acl in &row.plan.removed {
            writeln!(desk.out, "  - {}", rule::words(acl))?;
        }
        for acl in &row.plan.added {
            writeln!(desk.out, "  + {}", rule::words(acl))?;
        }
        for (opens, word) in [(true, "opens"), (false, "closes")] {
            let lines = effect_lines(row, opens);
            if lines.is_empty() && row.plan.update.is_some() {
                writeln!(desk.out, "  {word} nothing")?;
            }
            for line in lines {
                match line.strip_prefix("  ") {
                    // One of several things below the line that they belong to.
                    Some(thing) => writeln!(desk.out, "      {thing}")?,
                    None => writeln!(desk.out, "  {word} {line}")?,
                }
            }
        }
        for note in &row.plan.notes {
            writeln!(desk.out, "  note: {note}")?;
        }
        if let (true, Some(request)) = (requests, row.plan.request()) {
            writeln!(desk.out, "  HcnModifyEndpoint {} {request}", row.id)?;
        }
    }
    if !draft.pairs.is_empty() {
        writeln!(desk.out, "between endpoints of this host")?;
    }
    for pair in draft.pairs.iter().take(MOST_LINES) {
        let said = |word: &str, flows: &Option<String>| {
            flows.as_ref().map(|flows| format!(" {word} {flows}"))
        };
        let what = [said("opens", &pair.opens), said("closes", &pair.closes)];
        let what: Vec<String> = what.into_iter().flatten().collect();
        let line = format!("{} -> {}:{}", pair.from, pair.to, what.join(","));
        writeln!(desk.out, "  {}", crate::render::shown(&line))?;
    }
    if let Some(more @ 1..) = draft.pairs.len().checked_sub(MOST_LINES) {
        writeln!(desk.out, "  and {more} more pairs; -o json lists them")?;
    }
    for note in &draft.notes {
        writeln!(desk.out, "note: {}", crate::render::shown(note))?;
    }
    match draft.steps.len() {
        0 => writeln!(desk.out, "nothing to change")?,
        calls => {
            let carried: usize = draft.rows.iter().map(|row| row.plan.carried()).sum();
            writeln!(
                desk.out,
                "to send: {} with {}, of which {} go along as they are",
                count(calls, "call"),
                count(draft.rules(), "rule"),
                carried
            )?;
        }
    }
    Ok(())
}

/// The flows that a row opens or closes, each a line that begins with the direction.
fn effect_lines(row: &Row, opens: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for direction in [hcn_engine::Direction::In, hcn_engine::Direction::Out] {
        let effects: Vec<&Effect> = row
            .effects
            .iter()
            .filter(|effect| effect.direction == direction && effect.opens == opens)
            .filter(|effect| opens || effect.has_address)
            .collect();
        let word = direction.to_string().to_ascii_lowercase();
        let mut said = |prefix: &str, flows: &[String]| {
            let more = flows.len().saturating_sub(MOST_LINES);
            let shown = flows.iter().take(MOST_LINES);
            lines.extend(shown.map(|line| match line.starts_with("  ") {
                true => line.clone(),
                false => format!("{word}: {prefix}{line}"),
            }));
            if more > 0 {
                lines.push(format!(
                    "{word}: {prefix}and {more} more; -o json lists them"
                ));
            }
        };
        match effects[..] {
            [one, other] if one.lines == other.lines => said("", &one.lines),
            _ => {
                for effect in effects {
                    // An endpoint with addresses of one family is about that one.
                    let prefix = match row.families[..] == [effect.family] {
                        true => String::new(),
                        false => format!("{}: ", flows::family(effect.family)),
                    };
                    said(&prefix, &effect.lines);
                }
            }
        }
    }
    lines
}

/// The plan as JSON.
pub fn to_value(draft: &Draft, state: State) -> Value {
    let endpoints: Vec<Value> = draft.rows.iter().map(row_value).collect();
    let pairs: Vec<Value> = draft.pairs.iter().map(pair_value).collect();
    json!({
        "policy": draft.policy,
        "state": state.word(),
        "selected": draft.selected,
        "endpoints": endpoints,
        "calls": draft.steps.len(),
        "rules": draft.rules(),
        "opensAccess": draft.opens(),
        "pairs": pairs,
        "notes": draft.notes,
    })
}

fn pair_value(pair: &Pair) -> Value {
    json!({"from": pair.from, "to": pair.to, "opens": pair.opens, "closes": pair.closes})
}

fn row_value(row: &Row) -> Value {
    let rules = |rules: &[hcn::schema::policy::Acl]| -> Vec<Value> {
        rules
            .iter()
            .map(|acl| Value::Object(acl.to_map()))
            .collect()
    };
    let effects = |opens: bool| -> Vec<Value> {
        let own = row.effects.iter().filter(|effect| effect.opens == opens);
        own.map(effect_value).collect()
    };
    let request: Option<Value> = row
        .plan
        .request()
        .and_then(|text| serde_json::from_str(&text).ok());
    json!({
        "id": row.id.to_string(),
        "label": row.label,
        "selected": row.is_selected,
        "added": rules(&row.plan.added),
        "removed": rules(&row.plan.removed),
        "carriedAlong": row.plan.carried(),
        "opens": effects(true),
        "closes": effects(false),
        "notes": row.plan.notes,
        "request": request,
    })
}

fn effect_value(effect: &Effect) -> Value {
    let cells: Vec<Value> = effect.cells.iter().map(cell_value).collect();
    json!({
        "direction": effect.direction.to_string(),
        "family": flows::family(effect.family),
        "endpointHasAddress": effect.has_address,
        "words": effect.lines,
        "flows": cells,
    })
}

/// A cell: every combination of a value of each list is a flow of the set.
fn cell_value(cell: &Cell) -> Value {
    let addresses = |spans: &[(std::net::IpAddr, std::net::IpAddr)]| -> Vec<Value> {
        let spans = spans.iter();
        spans
            .map(|(first, last)| json!([first.to_string(), last.to_string()]))
            .collect()
    };
    json!({
        "sources": addresses(&cell.sources),
        "destinations": addresses(&cell.destinations),
        "protocols": cell.protocols,
        "destinationPorts": cell.destination_ports,
        "sourcePorts": cell.source_ports,
    })
}

/// What became of an undo, a line each.
pub fn undone_line(label: &str, undone: &hcn::batch::Undone) -> String {
    use hcn::batch::Undone;
    match undone {
        Undone::Back => format!("{label}: taken back, and its rules read back as they were"),
        Undone::Merged => format!(
            "{label}: others changed it meanwhile; their rules stay, and those of the policy are as they were"
        ),
        Undone::Untouched => format!("{label}: as it was; the change had not reached it"),
        Undone::Gone => format!("{label}: the endpoint is gone, and its rules with it"),
        Undone::Failed(error) => format!(
            "{label}: NOT taken back: {error}{}",
            match error.code {
                HcnCode::ERROR_SHARING_VIOLATION => "",
                _ => "; look at it with hcnctl acl list",
            }
        ),
    }
}
