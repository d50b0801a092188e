// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that do not matter for a flow, told from the text of the documents on its way.
//!
//! Apart from the reports, which tell of all rules: here each rule that fails in anything but the source port is put aside with what it fails in,
//! unread, and the documents are made without it. Under no semantics does a verdict hang on such a rule but by there being a rule of its kind,
//! so of each kind some stay.

use std::{collections::HashMap, thread};

use hcn_schema::{
    Document, Endpoint, Guid, Policy,
    policy::{Acl, AclAction, AclRuleType},
};

use super::{
    WITNESSES,
    outline::{Outline, Reader},
    stages::Rule,
};
use crate::{
    acl::Plain,
    classifier::{Mismatch, Packet},
    flow::{Direction, Flow},
    parts, rule_text,
    semantics::Semantics,
    switch::Documents,
    verdict::Layer,
};

/// Documents without the rules that do not matter for a flow.
#[derive(Debug, Default)]
pub(super) struct Sieved<'t> {
    /// The documents of the endpoints on its way, and all networks.
    pub(super) documents: Documents,
    /// Which place each policy had in the whole document.
    pub(super) places: HashMap<Guid, Vec<usize>>,
    pub(super) aside: HashMap<Guid, Aside<'t>>,
}

/// Rules of one endpoint that were put aside.
#[derive(Debug, Default)]
pub(super) struct Aside<'t> {
    /// What crosses the endpoint's port.
    packets: Vec<(Direction, Flow)>,
    rules: Vec<Unread<'t>>,
    /// What rules fail in, by rule and packet of its direction.
    mismatches: Vec<Mismatch>,
}

/// A rule that was put aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread<'t> {
    /// Place in `Policies`.
    pub(super) place: usize,
    pub(super) action: AclAction,
    pub(super) priority: u16,
    direction: Direction,
    rule_type: Option<AclRuleType>,
    /// Place of its first mismatch.
    first: usize,
    text: &'t str,
}

impl Unread<'_> {
    /// The rule, read after all.
    pub(super) fn read(&self, object: Guid) -> Rule {
        let policy = Policy::from_json(self.text).unwrap_or_default();
        let acl: Acl = policy.settings_as();
        Rule {
            object,
            pointer: format!("/Policies/{}", self.place),
            id: acl.id.get().cloned(),
            action: self.action,
            priority: self.priority,
            text: rule_text::of_acl(&acl),
            sets: Vec::new(),
        }
    }
}

impl<'t> Aside<'t> {
    /// The rules of a layer that a packet was put to, with what each fails in.
    pub(super) fn of(
        &self,
        semantics: &Semantics,
        layer: Layer,
        direction: Direction,
        flow: &Flow,
    ) -> impl Iterator<Item = (&Unread<'t>, Mismatch)> {
        let mut packets = self.packets.iter().filter(|(own, _)| *own == direction);
        let packet = packets.position(|(_, own)| own == flow);
        let usual = semantics.omitted_rule_type;
        let of_layer = move |rule: &&Unread<'t>| {
            let own = match rule.rule_type.unwrap_or(usual) {
                AclRuleType::Host => Layer::Host,
                AclRuleType::Switch => Layer::Switch,
            };
            rule.direction == direction && own == layer
        };
        let rules = packet.map(|packet| self.rules.iter().map(move |rule| (rule, packet)));
        rules
            .into_iter()
            .flatten()
            .filter(move |(rule, _)| of_layer(rule))
            .map(|(rule, packet)| (rule, self.mismatches[rule.first + packet]))
    }
}

/// A kind of rules of which some are kept: direction, type, and whether they name protocol 252, which not every HNS has.
type Kind = (Direction, Option<AclRuleType>, bool);

/// Bytes of documents that take longer to read than a thread to start.
const WORTH_A_THREAD: usize = 1 << 17;

/// What `read` makes of each, in order; `size` is what has to be read of one, in bytes. Where that is much, all but the first are read in threads
/// of their own: a flow crosses few ports, and each may have thousands of rules.
pub(super) fn at_once<T: Sync, R: Send>(
    each: &[T],
    size: impl Fn(&T) -> usize,
    read: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let is_much = each.iter().map(size).sum::<usize>() >= WORTH_A_THREAD;
    let Some((first, others)) = each.split_first().filter(|_| is_much) else {
        return each.iter().map(read).collect();
    };
    thread::scope(|scope| {
        let read = &read;
        let others: Vec<_> = others
            .iter()
            .map(|own| {
                let thread = thread::Builder::new().spawn_scoped(scope, move || read(own));
                (own, thread)
            })
            .collect();
        let others = others.into_iter().map(|(own, thread)| {
            // Without a thread it takes longer, and that is all.
            thread.map_or_else(
                |_| read(own),
                |thread| {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                },
            )
        });
        std::iter::once(read(first)).chain(others).collect()
    })
}

/// An endpoint's document without the rules that do not matter for what crosses its port.
pub(super) fn sieve<'t>(
    outline: &'t Outline,
    packets: Vec<(Direction, Flow)>,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<(Endpoint, Option<Vec<usize>>, Aside<'t>)> {
    let Some((range, mut reader)) = outline.policies() else {
        let whole = Endpoint::from_json(&outline.text).ok()?;
        return Some((whole, None, Aside::default()));
    };
    let mut aside = Aside {
        packets,
        ..Aside::default()
    };
    let mut witnesses: Vec<(Kind, usize)> = Vec::new();
    let mut places = Vec::new();
    let mut kept = "[".to_owned();
    let mut place = 0;
    let read = reader.items(|reader| {
        reader.next()?;
        let begin = reader.at;
        let plain = plain(reader);
        if plain.is_none() {
            reader.at = begin;
            reader.skip()?;
        }
        let text = reader.since(begin);
        let is_aside = plain.is_some_and(|rule| {
            let first = aside.mismatches.len();
            if !aside.put(&rule, is_set) {
                aside.mismatches.truncate(first);
                return false;
            }
            let names_252 = parts::names_protocol_252(rule.protocols);
            let kind = (rule.direction, rule.rule_type, names_252);
            let known = witnesses.iter().position(|(own, _)| *own == kind);
            let known = known.unwrap_or_else(|| {
                witnesses.push((kind, 0));
                witnesses.len() - 1
            });
            witnesses[known].1 += 1;
            if witnesses[known].1 <= WITNESSES {
                aside.mismatches.truncate(first);
                return false;
            }
            aside.rules.push(Unread {
                place,
                action: rule.action,
                priority: rule.priority,
                direction: rule.direction,
                rule_type: rule.rule_type,
                first,
                text,
            });
            true
        });
        if !is_aside {
            if !places.is_empty() {
                kept.push(',');
            }
            kept.push_str(text);
            places.push(place);
        }
        place += 1;
        Some(())
    });
    kept.push(']');
    match read.and_then(|()| outline.with_policies(range, &kept)) {
        Some(endpoint) => Some((endpoint, Some(places), aside)),
        None => {
            let whole = Endpoint::from_json(&outline.text).ok()?;
            Some((whole, None, Aside::default()))
        }
    }
}

impl Aside<'_> {
    /// Notes what a rule fails in; false where it may matter to a packet, or has to be read to know.
    fn put(&mut self, rule: &Plain<'_>, is_set: &dyn Fn(&str) -> bool) -> bool {
        let own = || {
            self.packets
                .iter()
                .filter(|(own, _)| *own == rule.direction)
        };
        if own().next().is_none() {
            // No packet is put to it, but what cannot be read of it is to be told.
            let mut others = self.packets.iter();
            return others.next().is_none_or(|(direction, flow)| {
                mismatch(rule, *direction, flow, is_set).is_some()
            });
        }
        for (direction, flow) in own() {
            let mismatch = mismatch(rule, *direction, flow, is_set);
            let of_source_port = match direction {
                Direction::In => Mismatch::REMOTE_PORT,
                Direction::Out => Mismatch::LOCAL_PORT,
            };
            match mismatch {
                Some(mismatch) if mismatch.bits() & !of_source_port.bits() != 0 => {
                    self.mismatches.push(mismatch);
                }
                Some(_) | None => return false,
            }
        }
        true
    }
}

fn mismatch(
    rule: &Plain<'_>,
    direction: Direction,
    flow: &Flow,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<Mismatch> {
    if let Some(packet) = Packet::<u32>::of(flow, direction) {
        rule.mismatch(&packet, is_set)
    } else {
        rule.mismatch(&Packet::<u128>::of(flow, direction)?, is_set)
    }
}

/// A rule that is written as HNS and its clients write it; anything else is to be read as a document.
fn plain<'t>(reader: &mut Reader<'t>) -> Option<Plain<'t>> {
    let (mut has_type, mut rule) = (false, None);
    reader.members(|reader, key| {
        match key {
            "Type" if !has_type => has_type = reader.plain_text()? == "ACL",
            "Settings" if rule.is_none() => rule = Some(settings(reader)?),
            _ => return None,
        }
        Some(())
    })?;
    rule.filter(|_| has_type)
}

fn settings<'t>(reader: &mut Reader<'t>) -> Option<Plain<'t>> {
    let (mut texts, mut numbers) = ([None; 10], [None; 2]);
    reader.members(|reader, key| {
        let text = match key {
            "Protocols" => 0,
            "LocalAddresses" => 1,
            "RemoteAddresses" => 2,
            "LocalPorts" => 3,
            "RemotePorts" => 4,
            "Action" => 5,
            "Direction" => 6,
            "RuleType" => 7,
            "Id" => 8,
            "ServiceName" => 9,
            "Priority" | "Scope" => {
                let number = &mut numbers[usize::from(key == "Scope")];
                return number.replace(reader.digits()?).is_none().then_some(());
            }
            _ => return None,
        };
        let is_first = texts[text].replace(reader.plain_text()?).is_none();
        is_first.then_some(())
    })?;
    let [
        protocols,
        local_addresses,
        remote_addresses,
        local_ports,
        remote_ports,
        action,
        direction,
        rule_type,
        ..,
    ] = texts;
    Some(Plain {
        action: match action? {
            "Allow" => AclAction::Allow,
            "Block" => AclAction::Block,
            _ => return None,
        },
        direction: match direction? {
            "In" => Direction::In,
            "Out" => Direction::Out,
            _ => return None,
        },
        rule_type: match rule_type {
            None => None,
            Some("Switch") => Some(AclRuleType::Switch),
            Some("Host") => Some(AclRuleType::Host),
            Some(_) => return None,
        },
        priority: u16::try_from(numbers[0].unwrap_or(0)).ok()?,
        protocols: protocols.unwrap_or_default(),
        local_addresses: local_addresses.unwrap_or_default(),
        remote_addresses: remote_addresses.unwrap_or_default(),
        local_ports: local_ports.unwrap_or_default(),
        remote_ports: remote_ports.unwrap_or_default(),
    })
}
