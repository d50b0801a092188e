// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the layers of a port thought of a packet: which rule decided, what kept the stronger ones from it, which weaker ones wait behind it.
//!
//! Apart from the port's rules, which only decide: here every rule is tried and counted, and the few that a reader wants to see are chosen.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use hcn_schema::{Guid, Policy, policy::AclAction};

use super::{NamedSet, WITNESSES, sieve::Unread};
use crate::{
    classifier::{Mismatch, Packet},
    flow::{Direction, Flow},
    parts::{self, Parts},
    port_rules::{PortRules, Stage},
    rule_list::{Entry, InList, rank},
    semantics::Tie,
    sets::Sets,
    verdict::{Decision, Layer, Reason, Ruling},
};

/// A rule as its document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The endpoint or network that holds it.
    pub object: Guid,
    /// JSON pointer into the v2 document of that object.
    pub pointer: String,
    /// Its `Id`, where it has one.
    pub id: Option<String>,
    /// Its action.
    pub action: AclAction,
    /// Its priority; 0 where omitted.
    pub priority: u16,
    /// The rule in one line, in the words of its document.
    pub text: String,
    /// The IP sets that it names, of the rule that decided and of those that nearly matched.
    pub sets: Vec<NamedSet>,
}

impl From<&Entry> for Rule {
    fn from(entry: &Entry) -> Self {
        Rule {
            object: entry.object,
            pointer: entry.pointer(),
            id: entry.id.clone(),
            action: entry.action,
            priority: entry.priority,
            text: entry.text.clone(),
            sets: Vec::new(),
        }
    }
}

/// A condition that a packet may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `Protocols`.
    Protocols,
    /// `LocalAddresses`.
    LocalAddresses,
    /// `RemoteAddresses`.
    RemoteAddresses,
    /// `LocalPorts`.
    LocalPorts,
    /// `RemotePorts`.
    RemotePorts,
    /// All of them: no packet of this family (IPv4 or IPv6) can meet them.
    Family,
    /// All of them: no address is in the IP sets that the rule names.
    Sets,
}

impl Field {
    /// The name of the field in documents.
    pub fn name(self) -> &'static str {
        match self {
            Field::Protocols => "Protocols",
            Field::LocalAddresses => "LocalAddresses",
            Field::RemoteAddresses => "RemoteAddresses",
            Field::LocalPorts => "LocalPorts",
            Field::RemotePorts => "RemotePorts",
            Field::Family => "Family",
            Field::Sets => "Sets",
        }
    }

    fn of(mismatch: Mismatch) -> Vec<Field> {
        let all = [
            (Mismatch::PROTOCOL, Field::Protocols),
            (Mismatch::LOCAL, Field::LocalAddresses),
            (Mismatch::REMOTE, Field::RemoteAddresses),
            (Mismatch::LOCAL_PORT, Field::LocalPorts),
            (Mismatch::REMOTE_PORT, Field::RemotePorts),
            (Mismatch::NEVER, Field::Family),
            (Mismatch::NO_ADDRESS, Field::Sets),
        ];
        let failed = all.into_iter().filter(|(bit, _)| mismatch.has(*bit));
        failed.map(|(_, field)| field).collect()
    }
}

/// A rule that nearly matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The rule.
    pub rule: Rule,
    /// What kept it from matching.
    pub failed: Vec<Field>,
}

/// Rules that go before the one that decided, and do not match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stronger {
    /// How many there are.
    pub count: usize,
    /// By each field, how many of them the packet fails; a rule that it fails in two counts in both.
    pub by_field: Vec<(Field, usize)>,
    /// Those that came nearest: fewest fields failed, then nearest to the decider.
    pub nearest: Vec<Near>,
}

/// Rules that match too and come after the one that decided, but for those that are told as ties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weaker {
    /// How many there are.
    pub count: usize,
    /// The next of them.
    pub next: Vec<Rule>,
    /// The next one that would decide otherwise, where it is not among those.
    pub other: Option<Rule>,
}

/// What one layer of a port thought of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageReport {
    /// The layer.
    pub layer: Layer,
    /// Its rules for the direction.
    pub rules: usize,
    /// What it said; `None` where it had no say.
    pub ruling: Option<(Decision, Reason)>,
    /// The rule that decided, where one did.
    pub decider: Option<Rule>,
    /// Rules of the decider's priority that match too and do something else: those that lost the tie.
    pub ties: Vec<Rule>,
    /// Rules of tiers that match and leave the packet to the next tier.
    pub passed: Vec<Rule>,
    /// Rules that go before.
    pub stronger: Stronger,
    /// Rules that come after.
    pub weaker: Weaker,
}

/// How many rules a report shows of each sort.
const SHOWN: usize = 3;

impl PortRules {
    /// What the layers of a direction think of a flow, in the order in which they are asked, up to the one that blocks.
    ///
    /// `others` are the rules of a layer that were put aside.
    pub(super) fn reports<'t>(
        &self,
        direction: Direction,
        flow: &Flow,
        others: impl Fn(Layer) -> Others<'t>,
    ) -> Vec<StageReport> {
        let mut reports = Vec::new();
        for stage in self.stages(direction) {
            let others = others(stage.layer);
            let report = if let Some(packet) = Packet::<u32>::of(flow, direction) {
                report(stage, &packet, &others)
            } else if let Some(packet) = Packet::<u128>::of(flow, direction) {
                report(stage, &packet, &others)
            } else {
                continue;
            };
            let blocks = matches!(report.ruling, Some((Decision::Block, _)));
            reports.push(report);
            if blocks {
                break;
            }
        }
        reports
    }

    /// Notes the policies of which a rule matches a flow.
    pub(super) fn note_matching(
        &self,
        direction: Direction,
        flow: &Flow,
        matching: &mut HashSet<(Guid, usize)>,
    ) {
        for list in self.stages(direction).iter().flat_map(|stage| &stage.lists) {
            let mut note = |entry: &Entry, mismatch: Mismatch| {
                if mismatch.is_none() {
                    matching.insert((entry.object, entry.policy));
                }
            };
            if let Some(packet) = Packet::<u32>::of(flow, direction) {
                list.tried(&packet)
                    .for_each(|(entry, miss)| note(entry, miss));
            } else if let Some(packet) = Packet::<u128>::of(flow, direction) {
                list.tried(&packet)
                    .for_each(|(entry, miss)| note(entry, miss));
            }
        }
    }
}

/// Rules of a layer that were put aside, with what each fails in.
pub(super) struct Others<'t> {
    pub(super) object: Guid,
    pub(super) tie: Tie,
    pub(super) rules: Vec<(&'t Unread<'t>, Mismatch)>,
}

/// A rule's place among all rules of a layer: its list, its priority, its rank among those of one priority, its policy, its place in the list.
type Place = (usize, u16, u8, usize, usize);

/// A rule that a packet fails.
#[derive(Clone, Copy)]
enum Missed<'r> {
    Read(&'r Entry),
    Unread(&'r Unread<'r>),
}

fn report<A: InList>(stage: &Stage, packet: &Packet<A>, others: &Others<'_>) -> StageReport {
    let ruling: Option<Ruling> = stage.rule(packet);
    let of_lists: usize = stage.lists.iter().map(|list| list.len() as usize).sum();
    let is_asked = !stage.lists.is_empty();
    let mut report = StageReport {
        layer: stage.layer,
        rules: of_lists + if is_asked { others.rules.len() } else { 0 },
        ruling: ruling.map(|ruling| (ruling.decision, ruling.reason)),
        decider: None,
        ties: Vec::new(),
        passed: Vec::new(),
        stronger: Stronger::default(),
        weaker: Weaker::default(),
    };
    let rank = |action| match others.tie {
        Tie::BlockWins => rank(action),
        Tie::FirstWins => 0,
    };
    let mut decider: Option<(Place, &Entry)> = None;
    let mut missed: Vec<(Place, Missed<'_>, Mismatch)> = Vec::new();
    for (number, list) in stage.lists.iter().enumerate() {
        // Behind a rule that passes, the rest of its tier is not asked.
        let mut is_left = false;
        for (place, (entry, mismatch)) in list.tried(packet).enumerate() {
            let rank = rank(entry.action);
            let place = (number, entry.priority, rank, entry.policy, place);
            match (decider, mismatch.is_none()) {
                (None, false) if !is_left => {
                    let mismatch = mismatch.named_by(entry.sides);
                    missed.push((place, Missed::Read(entry), mismatch));
                }
                (None, true) if !is_left && entry.action == AclAction::Pass => {
                    report.passed.push(entry.into());
                    is_left = true;
                }
                (None, true) if !is_left => decider = Some((place, entry)),
                (Some((_, first)), true) => behind(&mut report, first, entry),
                (None | Some(_), _) => {}
            }
        }
    }
    if is_asked {
        let asked = others.rules.iter().map(|(rule, mismatch)| {
            let place = (0, rule.priority, rank(rule.action), rule.place, 0);
            (place, Missed::Unread(rule), *mismatch)
        });
        missed.extend(asked.filter(|(place, ..)| decider.is_none_or(|(first, _)| *place < first)));
    }
    report.decider = decider.map(|(_, decider)| decider.into());
    report.stronger = stronger(&missed, others.object);
    report
}

/// Notes a rule that matches behind the decider.
fn behind(report: &mut StageReport, decider: &Entry, entry: &Entry) {
    let differs = entry.action != decider.action;
    if differs && entry.priority == decider.priority && report.ties.len() < SHOWN {
        report.ties.push(entry.into());
        return;
    }
    report.weaker.count += 1;
    if report.weaker.next.len() < SHOWN {
        report.weaker.next.push(entry.into());
    } else if differs
        && report.weaker.other.is_none()
        && report
            .weaker
            .next
            .iter()
            .all(|shown| shown.action == decider.action)
    {
        report.weaker.other = Some(entry.into());
    }
}

fn stronger(missed: &[(Place, Missed<'_>, Mismatch)], object: Guid) -> Stronger {
    let mut by_field: HashMap<Field, usize> = HashMap::new();
    // Counted by combination first, of which there are few.
    let mut combinations = [0usize; 128];
    let mut nearest: Vec<((u32, Reverse<Place>), usize)> = Vec::with_capacity(SHOWN + 1);
    for (number, (place, _, mismatch)) in missed.iter().enumerate() {
        combinations[usize::from(mismatch.bits())] += 1;
        // A rule of another family is as far away as one that fails in everything.
        let is_never = mismatch.has(Mismatch::NEVER) || mismatch.has(Mismatch::NO_ADDRESS);
        let failed = match is_never {
            true => u32::MAX,
            false => mismatch.count(),
        };
        // The later of two is nearer to the decider.
        let distance = (failed, Reverse(*place));
        let at = nearest.partition_point(|(other, _)| *other < distance);
        if at < SHOWN {
            nearest.insert(at, (distance, number));
            nearest.truncate(SHOWN);
        }
    }
    for (bits, count) in (0..).zip(combinations).filter(|(_, count)| *count > 0) {
        for field in Field::of(Mismatch::from_bits(bits)) {
            *by_field.entry(field).or_default() += count;
        }
    }
    let mut by_field: Vec<(Field, usize)> = by_field.into_iter().collect();
    by_field.sort_unstable();
    Stronger {
        count: missed.len(),
        by_field,
        nearest: nearest
            .into_iter()
            .map(|(_, number)| {
                let (_, rule, mismatch) = missed[number];
                Near {
                    rule: match rule {
                        Missed::Read(entry) => entry.into(),
                        Missed::Unread(unread) => unread.read(object),
                    },
                    failed: Field::of(mismatch),
                }
            })
            .collect(),
    }
}

/// The places of an object's policies that matter: those that match, everything that is no single rule, and witnesses of every kind of rule.
pub(super) fn kept_places<'p>(
    object: Guid,
    policies: impl Iterator<Item = (usize, &'p Policy)>,
    sets: &Sets,
    matching: &HashSet<(Guid, usize)>,
) -> Vec<usize> {
    let mut witnesses: HashMap<(bool, String, String, Parts), usize> = HashMap::new();
    let mut kept = Vec::new();
    for (place, policy) in policies {
        let of_network = policy.is("NetworkACL");
        let is_rule = of_network || policy.is("ACL");
        if !is_rule || matching.contains(&(object, place)) {
            kept.push(place);
            continue;
        }
        let settings = policy.settings.get().unwrap_or(&policy.extra);
        let word = |key: &str| {
            let mut members = settings.iter();
            let found = members.find(|(own, _)| own.eq_ignore_ascii_case(key));
            found.map_or(String::new(), |(_, value)| {
                value.to_string().to_ascii_lowercase()
            })
        };
        // What a version of HNS leaves out is no witness there.
        let uses = parts::of_policy(policy, sets);
        let kind = (of_network, word("RuleType"), word("Direction"), uses);
        let seen = witnesses.entry(kind).or_default();
        *seen += 1;
        if *seen <= WITNESSES {
            kept.push(place);
        }
    }
    kept
}
