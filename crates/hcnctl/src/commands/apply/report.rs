// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan in words, and as JSON (`docs/schema/plan.json`).
//!
//! Apart from making it. Invariant: text and JSON say the same; the text leaves out only families of which an endpoint has no address and that are
//! closed, and of long lists what is beyond the first, never that something opens.

use std::collections::{HashMap, hash_map::Entry};

use hcn::{
    HcnCode,
    schema::{Document, policy::Acl},
};
use hcn_engine::space::Cell;
use serde_json::{Value, json};

use super::{
    draft::{Draft, Effect, Pair, Row},
    pairs,
    world::few,
};
use crate::{
    desk::Desk,
    failure::Failure,
    render::{flows, rule},
};

/// Lines for the flows of one direction; a person reads no more.
const MOST_LINES: usize = 24;
/// Different things that are said of endpoints.
const MOST_GROUPS: usize = 100;
/// Names and addresses in a line.
const MOST_LABELS: usize = 8;

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

/// What is printed of the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Rules and flows.
    Rules,
    /// The requests too.
    Requests,
    /// Only flows: the rules were said otherwise.
    Flows,
}

/// Prints a plan for people.
pub fn print(desk: &mut Desk<'_>, draft: &Draft, detail: Detail) -> Result<(), Failure> {
    writeln!(
        desk.out,
        "policy {}: {} selected, {} to change",
        draft.policy,
        count(draft.selected, "endpoint"),
        draft.steps.len()
    )?;
    let groups = groups(draft, detail);
    for group in groups.iter().take(MOST_GROUPS) {
        let who = few(&group.labels, MOST_LABELS);
        writeln!(desk.out, "{}{}", crate::render::shown(&who), group.why)?;
        for line in &group.lines {
            writeln!(desk.out, "  {line}")?;
        }
    }
    let left_out = groups.iter().skip(MOST_GROUPS);
    if let more @ 1.. = left_out.map(|group| group.labels.len()).sum::<usize>() {
        writeln!(
            desk.out,
            "and {}; -o json lists them",
            count(more, "more endpoint")
        )?;
    }
    if !draft.pairs.is_empty() {
        writeln!(desk.out, "between endpoints, the host and services")?;
    }
    for line in pairs::lines(&draft.pairs) {
        writeln!(desk.out, "  {}", crate::render::shown(&line))?;
    }
    for note in &draft.notes {
        writeln!(desk.out, "note: {}", crate::render::shown(note))?;
    }
    match draft.steps.len() {
        0 => writeln!(desk.out, "nothing to change")?,
        calls => {
            let carried: usize = draft.rows.iter().map(|row| row.plan.carried()).sum();
            let where_to_see = match detail {
                Detail::Requests => "",
                Detail::Rules | Detail::Flows => "; plan --requests prints them",
            };
            writeln!(
                desk.out,
                "to send: {} with {}, of which {} go along as they are{where_to_see}",
                count(calls, "call"),
                count(draft.rules(), "rule"),
                carried
            )?;
        }
    }
    Ok(())
}

pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Endpoints of which the same is to be said.
struct Group {
    labels: Vec<String>,
    why: &'static str,
    lines: Vec<String>,
    opens: bool,
}

/// What is said of each endpoint, once where it is the same; first what opens something.
fn groups(draft: &Draft, detail: Detail) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<(&'static str, Vec<String>), usize> = HashMap::new();
    for row in &draft.rows {
        let why = match row.is_selected {
            true => "",
            false => ": not selected any more",
        };
        let lines = row_lines(row, detail);
        match places.entry((why, lines.clone())) {
            Entry::Occupied(place) => groups[*place.get()].labels.push(row.label.clone()),
            Entry::Vacant(place) => {
                place.insert(groups.len());
                groups.push(Group {
                    labels: vec![row.label.clone()],
                    why,
                    lines,
                    opens: row.effects.iter().any(|effect| effect.opens),
                });
            }
        }
    }
    groups.sort_by_key(|group| !group.opens);
    groups
}

fn row_lines(row: &Row, detail: Detail) -> Vec<String> {
    let mut lines = Vec::new();
    if detail != Detail::Flows {
        let rules = |sign: char, all: &[Acl]| -> Vec<String> {
            all.iter()
                .map(|acl| format!("{sign} {}", words(acl)))
                .collect()
        };
        lines.extend(rules('-', &row.plan.removed));
        lines.extend(rules('+', &row.plan.added));
    }
    for (opens, word) in [(true, "opens"), (false, "closes")] {
        let effects = effect_lines(row, opens);
        if effects.is_empty() && row.plan.update.is_some() {
            lines.push(format!("{word} nothing"));
        }
        for line in effects {
            lines.push(match line.strip_prefix("  ") {
                // One of several things below the line that they belong to.
                Some(thing) => format!("    {thing}"),
                None => format!("{word} {line}"),
            });
        }
    }
    let notes = row.plan.notes.iter();
    lines.extend(notes.map(|note| format!("note: {note}")));
    if let (Detail::Requests, Some(request)) = (detail, row.plan.request()) {
        lines.push(format!("HcnModifyEndpoint {} {request}", row.id));
    }
    lines
}

/// A rule in words; of a long list of addresses the first.
fn words(acl: &Acl) -> String {
    let cut = |addresses: &str| -> Option<String> {
        let all: Vec<&str> = addresses.split(',').collect();
        let more = all
            .len()
            .checked_sub(MOST_LABELS)
            .filter(|more| *more > 0)?;
        Some(format!("{} and {more} more", all[..MOST_LABELS].join(",")))
    };
    let mut acl = acl.clone();
    if let Some(cut) = acl.remote_addresses.get().and_then(|all| cut(all)) {
        acl.remote_addresses.set(cut);
    }
    rule::words(&acl)
}

/// Why a plan is refused: what opens.
pub fn refusal(draft: &Draft) -> Vec<String> {
    let mut lines = vec![
        "refused: flows would become allowed that are blocked now; nothing was sent".to_owned(),
    ];
    let mut more = 0;
    for row in &draft.rows {
        for line in effect_lines(row, true) {
            if lines.len() > MOST_LINES {
                more += 1;
                continue;
            }
            lines.push(match line.strip_prefix("  ") {
                Some(thing) => format!("      {thing}"),
                None => format!("  {} opens {line}", row.label),
            });
        }
    }
    if more > 0 {
        lines.push(format!("  and {more} more; -o json lists them"));
    }
    lines
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
    json!({"from": *pair.from, "to": *pair.to, "opens": pair.opens.as_deref(), "closes": pair.closes.as_deref()})
}

fn row_value(row: &Row) -> Value {
    let rules = |rules: &[Acl]| -> Vec<Value> {
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
