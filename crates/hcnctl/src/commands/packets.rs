// SPDX-License-Identifier: MIT OR Apache-2.0
//! `why --packet`: the judge's answer for each packet of a capture.
//!
//! Apart from questions about single flows: here many packets are asked about, so all rules are compiled, and an answer to what was allowed
//! before is no question of its own.

mod judge;
mod memory;

use std::{collections::HashSet, path::Path};

use hcn_engine::{Decision, Documents, Switch, Topology, flow_table::LINGER_MS, way::Way};
use hcn_schema::policy::NetworkPolicy;
use serde_json::{Value, json};

use crate::{
    capture::each_packet,
    cli::ProbeOutput,
    commands::why::{names, profile},
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    render::{
        shown,
        why::{Names, cause_of, cause_words, ending, flow, outcome, verdict},
    },
};
use judge::{Answer, Judge, Judgement, Said, StartSeen, Tunnel, VXLAN_PORT};
use memory::{Forgotten, Reason};

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
    let mut judge = Judge::new(&switch, &topology, tunnels(documents));
    let teller = Teller {
        switch: &switch,
        names: names(desk, &switch, documents)?,
    };
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let whole = each_packet(&bytes, |captured| -> Result<(), Failure> {
        let number = captured.number;
        let said = judge.say(captured);
        match said.answer.is_allowed() {
            Some(true) => counts.allowed += 1,
            Some(false) => counts.denied += 1,
            None => counts.unjudged += 1,
        }
        match output {
            ProbeOutput::Text => {
                let line = teller.line(number, &said);
                writeln!(desk.out, "{}", shown(&line))?;
            }
            ProbeOutput::Json => lines.push(teller.value(number, &said)),
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
            let none = match counts.allowed + counts.denied {
                0 => "; no packet of it is judged",
                _ => "",
            };
            desk.say(&format!(
                "{} allowed, {} not, {} unjudged{none}{cut}",
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
    // Where nothing was judged, "done" would be taken for "allowed".
    Ok(match (counts.denied, counts.allowed) {
        (0, 0) => exit::NOT_FOUND,
        (0, _) => exit::DONE,
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

/// The UDP ports of VXLAN: the usual one, and those of networks that say another.
fn tunnels(documents: &Documents) -> HashSet<u16> {
    let networks = documents.networks.iter();
    let policies = networks.flat_map(|network| network.policies.get().into_iter().flatten());
    let ports = policies.filter_map(|policy| match NetworkPolicy::of(policy) {
        NetworkPolicy::VxlanPort(settings) => settings.port.get().copied(),
        _ => None,
    });
    ports.chain([VXLAN_PORT]).collect()
}

/// Tells what a judge said.
struct Teller<'a> {
    switch: &'a Switch,
    names: Names<'a>,
}

impl Teller<'_> {
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

    fn line(&self, number: u64, said: &Said) -> String {
        let tunnel = said.tunnel.as_ref().map_or(String::new(), |tunnel| {
            let Tunnel { network, outer } = tunnel;
            format!(
                " [VXLAN {network}, {} -> {}]",
                outer.source, outer.destination
            )
        });
        let flow = said.flow.map_or(String::new(), |flow| format!(" {flow}:"));
        let says = match &said.answer {
            Answer::Judged(judgement) => self.judged(judgement),
            Answer::Answers(known) => {
                let what = match known.is_error {
                    true => "is an error about the flow of",
                    false => "answers",
                };
                let missing = missing(known.is_start_missing);
                format!("allowed; it {what} packet {}{missing}", known.packet)
            }
            Answer::Unjudged(what) => format!("unjudged; {what}"),
        };
        format!("{number}{tunnel}{flow} {says}")
    }

    fn judged(&self, judgement: &Judgement) -> String {
        let way = &judgement.way;
        let why = match self.cause(way) {
            Some((endpoint, direction, cause)) => format!(
                "{direction} at {}: {}",
                self.names.of(endpoint),
                cause_words(&self.names, &cause)
            ),
            None => ending(&self.names, way.fate),
        };
        let role = match (judgement.start, judgement.is_reverse) {
            (StartSeen::At(packet), _) => format!(" as an answer to packet {packet}"),
            (_, true) => " as an answer".to_owned(),
            (_, false) => String::new(),
        };
        let missing = missing(judgement.start == StartSeen::Missing);
        let forgotten = judgement
            .forgotten
            .map_or(String::new(), |forgotten| self.forgotten(&forgotten));
        format!("{}{role}; {why}{missing}{forgotten}", verdict(way.fate))
    }

    /// Why a packet of a flow that was allowed before is judged by itself.
    fn forgotten(&self, forgotten: &Forgotten) -> String {
        let Forgotten {
            packet,
            last,
            since_ms,
            reason,
        } = *forgotten;
        let what = match reason {
            Reason::Idle => format!(
                "flow of packet {packet} was idle for {}, more than the {} of this profile",
                seconds(since_ms),
                seconds(self.switch.semantics().flow_idle_ms),
            ),
            Reason::Closed if since_ms <= LINGER_MS => {
                format!("connection of packet {packet} ended with packet {last}")
            }
            Reason::Closed => format!(
                "connection of packet {packet} ended {} before, with packet {last}",
                seconds(since_ms)
            ),
        };
        format!("; the {what}, so the rules judge this one")
    }

    fn value(&self, number: u64, said: &Said) -> Value {
        let answer = &said.answer;
        let judgement = match answer {
            Answer::Judged(judgement) => Some(judgement),
            Answer::Answers(_) | Answer::Unjudged(_) => None,
        };
        let last = judgement.and_then(|judgement| self.cause(&judgement.way));
        json!({
            "packet": number,
            "tunnel": said.tunnel.as_ref().map(|tunnel| json!({
                "network": tunnel.network,
                "flow": flow(&tunnel.outer),
            })),
            "flow": said.flow.as_ref().map(flow),
            "allowed": answer.is_allowed(),
            "outcome": judgement.map(|judgement| outcome(judgement.way.fate)),
            "judged": judgement.map(|judgement| match judgement.is_reverse {
                true => "reverse",
                false => "own",
            }),
            "answers": match answer {
                Answer::Answers(known) => Some(known.packet),
                Answer::Judged(_) | Answer::Unjudged(_) => None,
            },
            "startMissing": match answer {
                Answer::Judged(judgement) => Some(judgement.start == StartSeen::Missing),
                Answer::Answers(known) => Some(known.is_start_missing),
                Answer::Unjudged(_) => None,
            },
            "forgotten": judgement.and_then(|judgement| judgement.forgotten).map(|forgotten| json!({
                "packet": forgotten.packet,
                "last": forgotten.last,
                "sinceMs": forgotten.since_ms,
                "reason": match forgotten.reason {
                    Reason::Idle => "idle",
                    Reason::Closed => "closed",
                },
            })),
            "unjudged": match answer {
                Answer::Unjudged(what) => Some(*what),
                Answer::Judged(_) | Answer::Answers(_) => None,
            },
            "last": last.map(|(endpoint, direction, cause)| json!({
                "endpoint": endpoint.to_string(),
                "direction": direction.to_string(),
                "cause": cause_of(&self.names, &cause),
            })),
        })
    }
}

fn missing(is_start_missing: bool) -> &'static str {
    match is_start_missing {
        true => "; the start of the flow is not in the capture",
        false => "",
    }
}

/// A time as people write it: `240 s`, `0.5 s`.
fn seconds(milliseconds: u64) -> String {
    let parts = format!("{:03}", milliseconds % 1_000);
    let parts = parts.trim_end_matches('0');
    let point = if parts.is_empty() { "" } else { "." };
    format!("{}{point}{parts} s", milliseconds / 1_000)
}
