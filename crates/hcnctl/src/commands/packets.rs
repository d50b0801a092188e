// SPDX-License-Identifier: MIT OR Apache-2.0
//! `why --packet`: the judge's answer for each packet of a capture.
//!
//! Apart from questions about single flows: here many packets are asked about, so all rules are compiled, and an answer to what was allowed
//! before is no question of its own.

use std::{collections::HashMap, path::Path};

use hcn_engine::{Decision, Documents, Flow, Switch, Topology, way::Way};
use hcn_simulated::{Kind, Packet};
use serde_json::{Value, json};

use crate::{
    capture::{Content, each_packet},
    cli::ProbeOutput,
    commands::why::{names, profile},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    render::{
        shown,
        why::{Names, cause_of, cause_words, ending, flow, outcome, verdict},
    },
};

/// What there is to say of a packet.
enum Answer {
    /// It is judged by its way.
    Judged(Way),
    /// It answers this packet, which was allowed.
    Answers(u64),
    /// It is not judged, for this reason.
    Unjudged(&'static str),
}

/// Counts of a capture.
#[derive(Default)]
struct Counts {
    allowed: u64,
    denied: u64,
    unjudged: u64,
}

/// Answers for each packet of a capture.
pub(crate) fn run(
    desk: &mut Desk<'_>,
    documents: &Documents,
    path: &Path,
    output: ProbeOutput,
) -> Outcome {
    let bytes = bytes_of(path)?;
    let (switch, _) = Switch::compile(documents, &profile(desk)?.semantics);
    let topology = Topology::of(&switch, usize::MAX);
    let names = names(desk, &switch, documents)?;
    let mut judge = Judge {
        switch: &switch,
        topology: &topology,
        seen: HashMap::new(),
    };
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let whole = each_packet(&bytes, |number, content| -> Result<(), Failure> {
        let (flow, answer) = judge.answer(number, content);
        match &answer {
            Answer::Judged(way) if !way.fate.is_allowed() => counts.denied += 1,
            Answer::Judged(_) | Answer::Answers(_) => counts.allowed += 1,
            Answer::Unjudged(_) => counts.unjudged += 1,
        }
        match output {
            ProbeOutput::Text => {
                let line = judge.line(&names, number, flow.as_ref(), &answer);
                writeln!(desk.out, "{}", shown(&line))?;
            }
            ProbeOutput::Json => lines.push(judge.value(&names, number, flow.as_ref(), &answer)),
        }
        Ok(())
    })
    .map_err(|failure| match failure {
        Failure::Usage(sentence) => {
            Failure::Usage(format!("the capture {}: {sentence}", path.display()))
        }
        other => other,
    })?;
    match output {
        ProbeOutput::Text => {
            let cut = if whole {
                ""
            } else {
                "; the capture ends in the middle of a packet"
            };
            desk.say(&format!(
                "{} allowed, {} not, {} unjudged{cut}",
                counts.allowed, counts.denied, counts.unjudged
            ))?;
        }
        ProbeOutput::Json => {
            let page = json!({
                "packets": lines, "allowed": counts.allowed, "denied": counts.denied, "unjudged": counts.unjudged, "whole": whole,
            });
            crate::render::json::write_object(&mut desk.out, &page.to_string())?;
        }
    }
    Ok(match counts.denied {
        0 => exit::DONE,
        _ => exit::DENIED,
    })
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Failure::Usage(sentence)
    }
}

/// A file, or standard input for `-`.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(|error| Failure::File {
        path: path.display().to_string(),
        error,
    })
}

/// Whether an IPv4 packet has no header of its protocol, as that is in the first fragment (Q44).
fn is_later_fragment(bytes: &[u8]) -> bool {
    const OFFSET: u16 = 0x1fff;
    match bytes {
        [first, _, _, _, _, _, high, low, ..] if first >> 4 == 4 => {
            u16::from_be_bytes([*high, *low]) & OFFSET != 0
        }
        _ => false,
    }
}

struct Judge<'a> {
    switch: &'a Switch,
    topology: &'a Topology,
    /// Flows that were asked about: by which packet first, and whether they are allowed.
    seen: HashMap<Flow, (u64, bool)>,
}

impl Judge<'_> {
    fn answer(&mut self, number: u64, content: Content<'_>) -> (Option<Flow>, Answer) {
        let bytes = match content {
            Content::Ip(bytes) => bytes,
            Content::Other(what) => return (None, Answer::Unjudged(what)),
        };
        if is_later_fragment(bytes) {
            let what = "a later fragment, which fares as the first one does";
            return (None, Answer::Unjudged(what));
        }
        let Some(packet) = Packet::read(bytes) else {
            let what = "an IP packet that is cut short before its ports";
            return (None, Answer::Unjudged(what));
        };
        let flow = packet.flow;
        if packet.kind == Kind::Control {
            let what = "neighbour discovery or DHCP, which no rule judges";
            return (Some(flow), Answer::Unjudged(what));
        }
        if let Some((first, true)) = self.seen.get(&flow.reverse()) {
            return (Some(flow), Answer::Answers(*first));
        }
        let start = self.switch.start_of(self.topology, flow.source);
        let way = self.switch.way(self.topology, start, &flow);
        self.seen
            .entry(flow)
            .or_insert((number, way.fate.is_allowed()));
        (Some(flow), Answer::Judged(way))
    }

    /// The judgement that a way hangs on: the first that blocks, else the last.
    fn cause(
        &self,
        way: &Way,
    ) -> Option<(hcn_schema::Guid, hcn_engine::Direction, hcn_engine::Cause)> {
        let judgements = way.judgements();
        let blocks = judgements
            .iter()
            .find(|(.., ruling)| ruling.decision == Decision::Block);
        let (port, direction, flow, ruling) = blocks.or(judgements.last())?;
        let endpoint = self.switch.ports.get(port.0 as usize)?.endpoint;
        let cause = self.switch.cause(*port, *direction, flow, *ruling);
        Some((endpoint, *direction, cause))
    }

    fn line(&self, names: &Names<'_>, number: u64, flow: Option<&Flow>, answer: &Answer) -> String {
        let flow = flow.map_or(String::new(), |flow| format!(" {flow}:"));
        let says = match answer {
            Answer::Judged(way) => {
                let why = match self.cause(way) {
                    Some((endpoint, direction, cause)) => format!(
                        "{direction} at {}: {}",
                        names.of(endpoint),
                        cause_words(names, &cause)
                    ),
                    None => ending(names, way.fate),
                };
                format!("{}; {why}", verdict(way.fate))
            }
            Answer::Answers(first) => format!("allowed; it answers packet {first}"),
            Answer::Unjudged(what) => format!("unjudged; {what}"),
        };
        format!("{number}{flow} {says}")
    }

    fn value(&self, names: &Names<'_>, number: u64, of: Option<&Flow>, answer: &Answer) -> Value {
        let way = match answer {
            Answer::Judged(way) => Some(way),
            Answer::Answers(_) | Answer::Unjudged(_) => None,
        };
        let last = way.and_then(|way| self.cause(way));
        json!({
            "packet": number,
            "flow": of.map(flow),
            "allowed": match answer {
                Answer::Judged(way) => Some(way.fate.is_allowed()),
                Answer::Answers(_) => Some(true),
                Answer::Unjudged(_) => None,
            },
            "outcome": way.map(|way| outcome(way.fate)),
            "answers": match answer {
                Answer::Answers(first) => Some(*first),
                Answer::Judged(_) | Answer::Unjudged(_) => None,
            },
            "unjudged": match answer {
                Answer::Unjudged(what) => Some(*what),
                Answer::Judged(_) | Answer::Answers(_) => None,
            },
            "last": last.map(|(endpoint, direction, cause)| json!({
                "endpoint": endpoint.to_string(),
                "direction": direction.to_string(),
                "cause": cause_of(names, &cause),
            })),
        })
    }
}
