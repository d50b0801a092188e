// SPDX-License-Identifier: MIT OR Apache-2.0
//! An explanation for people: the answer first, then what happens on the way, then what it hangs on.
//!
//! Apart from the JSON form because it leaves out what nobody reads. Text of documents goes through [`shown`].

use std::{fmt::Write, net::IpAddr};

use hcn_engine::{
    Decision, PortIndex,
    verdict::Cause,
    way::{Branch, Hop, Kept, Way},
    why::{Explanation, Field, Judgement, NamedSet, Rule, StageReport, Unfollowed, Without},
};

use hcn_schema::Guid;

use super::{
    Names, Otherwise, Page, cause_words, ending, ending_of, other_ports, tie_words, verdict,
    verdict_of,
};
use crate::{commands::why::Question, render::shown};

/// What an answer hangs on, in half a sentence.
fn reason(names: &Names<'_>, question: &Question, explanation: &Explanation) -> String {
    let fate = explanation.way.fate;
    let blocked = explanation
        .judgements
        .iter()
        .find(|own| own.decision == Decision::Block);
    match blocked {
        Some(blocked) if !fate.is_allowed() => format!(
            "{} at {}: {}",
            blocked.direction,
            names.of(blocked.endpoint),
            cause_words(names, &blocked.cause)
        ),
        Some(_) | None => ending_of(names, question, fate),
    }
}

/// The answer in the other family, where it is another one.
fn in_other_family(page: &Page<'_>) -> Option<String> {
    let other = page.other_family.as_ref()?;
    let (question, explanation) = (&other.question, &other.explanation);
    let verdict = verdict_of(question, explanation.way.fate);
    if verdict == verdict_of(page.question, page.explanation.way.fate) {
        return None;
    }
    Some(format!(
        "over {} {verdict}: {}: {}",
        family(explanation.way.flow.destination),
        explanation.way.flow,
        reason(&page.names, question, explanation)
    ))
}

fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}

/// One line: who, whom, what, and the cause.
pub(crate) fn summary(page: &Page<'_>) -> String {
    let (names, question, explanation) = (&page.names, page.question, page.explanation);
    let fate = explanation.way.fate;
    let cause = reason(names, question, explanation);
    let ports = other_ports(question, explanation);
    // What was blocked by a rule that ties has another answer where ties go otherwise.
    let is_tie = |own: &&Judgement| own.cause.tie && own.decision == Decision::Block;
    let tie = explanation.judgements.iter().any(|own| is_tie(&own));
    let tie = match tie && !fate.is_allowed() {
        true => format!("; {}", tie_words(names)),
        false => String::new(),
    };
    let lacking = explanation
        .faults
        .iter()
        .filter(|fault| fault.lacks.is_some());
    let lacking = lacking.map(|fault| {
        let owner = names.of(fault.object);
        let message = fault.message_of(&names.hns);
        format!("; {message} ({} of {owner})", fault.pointer)
    });
    let lacking: String = lacking.collect();
    let unfollowed = explanation.unfollowed.iter();
    let unfollowed = unfollowed.map(|policy| unfollowed_words(names, policy));
    let beside = in_other_family(page).into_iter().chain(page.notes.clone());
    let beside: Vec<String> = beside.chain(unfollowed).collect();
    let beside = beside.iter().map(|words| format!("; {words}"));
    let beside: String = beside.collect();
    let line = format!(
        "{}: {} -> {}, {}: {cause}{tie}{lacking}{}{beside}",
        verdict_of(question, fate),
        question.from,
        question.to,
        explanation.way.flow,
        ports.map_or(String::new(), |ports| format!("; {ports}"))
    );
    shown(&line).into_owned()
}

/// The whole page.
pub(crate) fn text_page(page: &Page<'_>) -> String {
    let mut text = Text {
        names: &page.names,
        page: String::new(),
        judgements: page.explanation.judgements.iter(),
        step: 0,
        at: Guid::ZERO,
    };
    let way = &page.explanation.way;
    let words = format!(
        "{} -> {}, {}: {}",
        page.question.from,
        page.question.to,
        way.flow,
        verdict_of(page.question, way.fate)
    );
    text.line(0, &words);
    text.way(0, way);
    if page.question.is_missed(way.fate) {
        let words = ending_of(&page.names, page.question, way.fate);
        text.line(0, &format!("=> {words}"));
    }
    let unfollowed = page.explanation.unfollowed.iter();
    let unfollowed = unfollowed.map(|policy| unfollowed_words(&page.names, policy));
    for words in page.notes.iter().cloned().chain(unfollowed) {
        text.line(0, &format!("note: {words}"));
    }
    for fault in &page.explanation.faults {
        let owner = page.names.of(fault.object);
        let message = fault.message_of(&page.names.hns);
        let words = format!("note: {owner} {}: {message}", fault.pointer);
        text.line(0, &words);
    }
    if let Some(ports) = other_ports(page.question, page.explanation) {
        text.line(0, &ports);
    }
    if let Some(other) = in_other_family(page) {
        text.line(0, &other);
    }
    text.otherwise(page);
    text.page
}

fn unfollowed_words(names: &Names<'_>, policy: &Unfollowed) -> String {
    let owner = names.of(policy.object);
    format!(
        "{} of {owner} ({}) {}; it is not followed",
        policy.pointer, policy.policy_type, policy.does
    )
}

struct Text<'a> {
    names: &'a Names<'a>,
    page: String,
    judgements: std::slice::Iter<'a, Judgement>,
    step: usize,
    /// Whose port it is about; its own rules need not name it.
    at: Guid,
}

impl Text<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.page, "{:1$}{2}", "", depth * 2, shown(text));
    }

    fn step(&mut self, depth: usize, text: &str) {
        self.step += 1;
        let number = self.step;
        self.line(depth, &format!("{number}. {text}"));
    }

    fn way(&mut self, depth: usize, way: &Way) {
        for hop in &way.hops {
            match hop {
                Hop::OnLink { .. }
                | Hop::ToRouter { .. }
                | Hop::Routed { .. }
                | Hop::Hidden { .. } => {
                    if let Some(words) = self.names.route_words(hop) {
                        self.step(depth, &words);
                    }
                }
                Hop::Judged { .. } => {
                    if let Some(judgement) = self.judgements.next() {
                        self.judgement(depth, judgement);
                    }
                }
                Hop::Published { mapping, flow } => {
                    let from = match flow.source == way.flow.source {
                        true => "",
                        false => ", from a port of the host's choice",
                    };
                    let goes_on = format!("as {flow}{from}");
                    if let Some(words) = self.names.published_words(*mapping, &goes_on) {
                        self.step(depth, &words);
                    }
                }
                Hop::Outbound { port, policy, kept } => self.outbound(depth, *port, *policy, *kept),
                Hop::Balanced {
                    balancer,
                    port,
                    branches,
                } => self.balanced(depth, *balancer, *port, branches),
            }
        }
        let words = ending(self.names, way.fate);
        self.line(depth, &format!("=> {words}"));
    }

    fn outbound(&mut self, depth: usize, port: PortIndex, policy: usize, kept: Option<Kept>) {
        let Some(policy) = self.names.outbound(port, policy) else {
            return;
        };
        let words = self.names.outbound_words(port, policy, kept);
        self.step(depth, &words);
    }

    fn balanced(&mut self, depth: usize, balancer: usize, port: usize, branches: &[Branch]) {
        let Some(balancer) = self.names.switch.balancers.get(balancer) else {
            return;
        };
        let words = self.names.balanced_words(balancer, port, branches.len());
        self.step(depth, &words);
        for branch in branches {
            let words = format!(
                "backend {}, {}: {}",
                self.names.backend(balancer, branch.backend),
                branch.way.flow,
                verdict(branch.way.fate)
            );
            self.line(depth + 1, &words);
            self.way(depth + 2, &branch.way);
        }
    }

    fn judgement(&mut self, depth: usize, judgement: &Judgement) {
        let words = format!(
            "{} at {}: {}, as {}",
            judgement.direction,
            self.names.of(judgement.endpoint),
            decided(judgement.decision),
            judgement.flow
        );
        self.step(depth, &words);
        let within = depth + 2;
        if judgement.stages.iter().all(|stage| stage.ruling.is_none()) {
            let words = cause_words(self.names, &judgement.cause);
            self.line(within, &words);
        }
        self.at = judgement.endpoint;
        for stage in &judgement.stages {
            self.stage(within, stage);
        }
        if let Some(without) = &judgement.without {
            let words = self.without(judgement.decision, without);
            self.line(within, &words);
        }
    }

    /// What would be without the rule that decided.
    fn without(&self, decision: Decision, without: &Without) -> String {
        let Some((instead, cause)) = &without.instead else {
            let fate = verdict(without.fate);
            return format!("without this rule: {fate}; the packet would not get here");
        };
        let cause = cause_words(self.names, cause);
        match (without.is_redundant, *instead == decision, *instead) {
            (true, true, _) => format!(
                "without this rule nothing changes for this flow; {} here: {cause}",
                decided(*instead)
            ),
            // The flow fares the same in the end, by another cause and at another place.
            (true, false, Decision::Block) => {
                format!("without this rule it would be dropped here already: {cause}")
            }
            (true, false, Decision::Allow) => {
                format!(
                    "without this rule it would go on from here, and fare the same in the end; allowed here: {cause}"
                )
            }
            (false, ..) => format!(
                "without this rule: {}; {} here: {cause}",
                verdict(without.fate),
                decided(*instead)
            ),
        }
    }

    /// The sets that a rule names, and where the packet's addresses are; a line for each field.
    fn sets(&mut self, depth: usize, rule: &Rule) {
        for (field, means) in [
            (Field::LocalAddresses, "source"),
            (Field::RemoteAddresses, "destination"),
        ] {
            let named = rule.sets.iter().filter(|set| set.field == field);
            let sets: Vec<String> = named.map(set_words).collect();
            if let Some(first) = rule.sets.iter().find(|set| set.field == field) {
                let words = format!(
                    "{} names IP sets, which mean the {means} whatever the direction; {} is {}",
                    field.name(),
                    first.address,
                    sets.join(", ")
                );
                self.line(depth, &words);
            }
        }
    }

    fn stage(&mut self, depth: usize, stage: &StageReport) {
        let layer = stage.layer;
        match (&stage.decider, stage.ruling) {
            (Some(rule), Some((decision, _))) => {
                let words = format!("{layer}: {} by {}", decided(decision), self.rule(rule));
                self.line(depth, &words);
                self.sets(depth + 1, rule);
            }
            (_, Some((decision, reason))) => {
                let cause = Cause {
                    layer,
                    reason,
                    rule: None,
                    tie: false,
                };
                let of_other_direction = match stage.rules {
                    0 => {
                        "; there is none for this direction, and those for the other one turn the default on"
                    }
                    _ => "",
                };
                let words = format!(
                    "{layer}: {} by default: {}{of_other_direction}",
                    decided(decision),
                    cause_words(self.names, &cause)
                );
                self.line(depth, &words);
            }
            (_, None) => self.line(depth, &format!("{layer}: no say")),
        }
        for tie in &stage.ties {
            let words = format!(
                "a tie with {}, of the same priority: {}",
                self.rule(tie),
                tie_words(self.names)
            );
            self.line(depth + 1, &words);
        }
        for passed in &stage.passed {
            let words = format!("left to the next tier by {}", self.rule(passed));
            self.line(depth + 1, &words);
        }
        self.stronger(depth + 1, stage);
        if stage.weaker.count > 0 {
            let words = format!(
                "{} {} too:",
                stage.weaker.count,
                number(
                    stage.weaker.count,
                    "weaker rule matches",
                    "weaker rules match"
                )
            );
            self.line(depth + 1, &words);
            for rule in stage.weaker.next.iter().chain(&stage.weaker.other) {
                let words = self.rule(rule);
                self.line(depth + 2, &words);
            }
            let told = stage.weaker.next.len() + usize::from(stage.weaker.other.is_some());
            self.more(depth + 2, stage.weaker.count - told);
        }
    }

    fn stronger(&mut self, depth: usize, stage: &StageReport) {
        let stronger = &stage.stronger;
        if stronger.count == 0 {
            return;
        }
        let by_field: Vec<String> = stronger
            .by_field
            .iter()
            .map(|(field, count)| format!("{count} by {}", field.name()))
            .collect();
        let what = match stage.decider {
            Some(_) => number(stronger.count, "stronger rule does", "stronger rules do"),
            None => number(stronger.count, "rule does", "rules do"),
        };
        let words = format!(
            "{} {what} not match: {}",
            stronger.count,
            by_field.join(", ")
        );
        self.line(depth, &words);
        for near in &stronger.nearest {
            let failed = near.failed.iter();
            let failed: Vec<&str> = failed.map(|field| fails(*field, &near.rule)).collect();
            let words = format!("{}: {}", self.rule(&near.rule), failed.join(", "));
            self.line(depth + 1, &words);
            self.sets(depth + 2, &near.rule);
        }
        self.more(depth + 1, stronger.count - stronger.nearest.len());
    }

    /// That a list is not all.
    fn more(&mut self, depth: usize, count: usize) {
        if count > 0 {
            self.line(depth, &format!("{count} more"));
        }
    }

    fn rule(&self, rule: &Rule) -> String {
        let owner = match rule.object == self.at {
            true => String::new(),
            false => format!(" of {}", self.names.of(rule.object)),
        };
        format!("{}{owner} ({})", rule.pointer, rule.text)
    }

    fn otherwise(&mut self, page: &Page<'_>) {
        let own = page.explanation.way.fate;
        let differs = |other: &&Otherwise| other.answer.fate != own;
        let equal = page.profiles.iter().filter(|other| !differs(other));
        let equal: Vec<&str> = equal.map(|other| other.name.as_str()).collect();
        let same = match equal.is_empty() {
            true => String::new(),
            false => format!("; the same on {}", equal.join(", ")),
        };
        self.line(0, &format!("judged as HNS {}{same}", page.profile));
        for other in page.profiles.iter().filter(differs) {
            let answer = self.answer(other);
            let words = format!("on HNS {} ({}): {answer}", other.name, other.says);
            self.line(0, &words);
        }
        for other in page.questions.iter().filter(differs) {
            let answer = self.answer(other);
            let words = format!("if {} (open question {}): {answer}", other.says, other.name);
            self.line(0, &words);
        }
    }

    fn answer(&self, other: &Otherwise) -> String {
        let cause = match &other.answer.last {
            Some((endpoint, direction, cause)) => format!(
                "{direction} at {}: {}",
                self.names.of(*endpoint),
                cause_words(self.names, cause)
            ),
            None => ending(self.names, other.answer.fate),
        };
        format!("{}; {cause}", verdict(other.answer.fate))
    }
}

fn decided(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::Block => "blocked",
    }
}

fn number(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

/// Whether an address is in a set, and what that is.
fn set_words(set: &NamedSet) -> String {
    /// So many members of a set are told.
    const TOLD: usize = 3;
    let holds = if set.holds { "in" } else { "not in" };
    let name = match set.name.is_empty() || set.name == set.id {
        true => String::new(),
        false => format!("{}: ", set.name),
    };
    let members = match (set.values.len(), set.is_nested) {
        (0, true) => "without members, so every address is in it".to_owned(),
        (0, false) => "empty".to_owned(),
        (count, _) => {
            let told: Vec<&str> = set.values.iter().take(TOLD).map(String::as_str).collect();
            match count.saturating_sub(TOLD) {
                0 => told.join(","),
                more => format!("{} and {more} more", told.join(",")),
            }
        }
    };
    format!("{holds} {} ({name}{members})", set.id)
}

/// Why a rule does not match, by a field.
fn fails(field: Field, rule: &Rule) -> &'static str {
    let mut sets = rule.sets.iter();
    let by_set = sets.any(|set| set.field == field && !set.holds);
    match field {
        Field::LocalAddresses if by_set => "the source is not in its sets",
        Field::RemoteAddresses if by_set => "the destination is not in its sets",
        Field::Protocols => "another protocol",
        Field::LocalAddresses => "another local address",
        Field::RemoteAddresses => "another remote address",
        Field::LocalPorts => "another local port",
        Field::RemotePorts => "another remote port",
        Field::Family => "nothing of this IP version matches it",
        Field::Sets => "no address is in all that it names",
    }
}
