// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of one layer in one direction (of one tier, in the tier layer), strongest first, with what is needed to tell of them.
//!
//! Apart from the port, because the rules of a network are one list for all of its ports. The order of the list is the order of precedence:
//! priority, then the tie order, then the order of the documents.

use std::{collections::HashMap, sync::Arc};

use hcn_schema::{Guid, Policy, policy::AclAction};

use crate::{
    acl::Rule,
    classifier::{Address, Classifier, Conditions, Extent, Mismatch, Packet, Sides},
    flow::Direction,
    semantics::{Semantics, Tie},
    sets::Sets,
    space::{Region, Space},
    switch::Switch,
    verdict::Decision,
};

/// A rule and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) object: Guid,
    /// Place in the object's `Policies`.
    pub(crate) policy: usize,
    /// JSON pointer from the policy to the rule, where the rule is not the whole policy.
    pub(crate) inside: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) rule: Rule,
}

/// What is kept of a rule for its telling.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) object: Guid,
    /// Place in the object's `Policies`.
    pub(crate) policy: usize,
    inside: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) action: AclAction,
    pub(crate) priority: u16,
    pub(crate) sides: Sides,
    /// Whether no address of either family is in the sets that it names.
    has_no_address: bool,
}

impl Entry {
    /// JSON pointer into the object's v2 document.
    pub(crate) fn pointer(&self) -> String {
        format!("/Policies/{}{}", self.policy, self.inside)
    }
}

/// How rules are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    /// What they mean.
    pub(crate) semantics: &'a Semantics,
    /// Whether many packets will be put to them, so that an index is worth its making.
    pub(crate) is_asked_often: bool,
    /// Places in `Policies` that count, in order, of the objects that are in here; of other objects, all.
    pub(crate) kept: Option<&'a HashMap<Guid, Vec<usize>>>,
    /// Which place each policy has, of objects whose documents hold only some of them, in order.
    pub(crate) places: Option<&'a HashMap<Guid, Vec<usize>>>,
    /// A rule, by its object and JSON pointer, that is taken to be not there.
    pub(crate) without: Option<(Guid, &'a str)>,
    /// A switch of earlier documents: what did not change since is taken from it.
    pub(crate) before: Option<&'a Switch>,
}

impl<'a> How<'a> {
    /// All rules, for many packets.
    pub(crate) fn all(semantics: &'a Semantics) -> Self {
        How {
            semantics,
            is_asked_often: true,
            kept: None,
            places: None,
            without: None,
            before: None,
        }
    }

    /// The policies of an object that count, with their places.
    pub(crate) fn policies<'p>(
        &self,
        object: Guid,
        policies: &'p [Policy],
    ) -> impl Iterator<Item = (usize, &'p Policy)> + use<'a, 'p> {
        let kept = self.kept.and_then(|kept| kept.get(&object));
        let places = self.places.and_then(|places| places.get(&object));
        let all = match kept.or(places) {
            Some(_) => 0..0,
            None => 0..policies.len(),
        };
        let wanted = kept.or(places).into_iter().flatten().copied().chain(all);
        let without = self.without.filter(|(owner, _)| *owner == object);
        wanted.filter_map(move |place| {
            let is_out = without.is_some_and(|(_, pointer)| {
                pointer
                    .strip_prefix("/Policies/")
                    .and_then(|text| text.parse().ok())
                    == Some(place)
            });
            let at = match places {
                Some(places) => places.binary_search(&place).ok()?,
                None => place,
            };
            (!is_out).then_some((place, policies.get(at)?))
        })
    }

    /// Whether what stands at a JSON pointer of an object counts.
    pub(crate) fn takes(&self, object: Guid, pointer: &str) -> bool {
        self.without != Some((object, pointer))
    }
}

/// The list.
#[derive(Debug)]
pub(crate) struct RuleList {
    /// Number of its first rule among all rules of the layer.
    pub(crate) base: u32,
    entries: Box<[Entry]>,
    v4: Side<u32>,
    v6: Side<u128>,
}

/// The rules of one family.
#[derive(Debug)]
pub(crate) struct Side<A: Address> {
    classifier: Arc<Classifier<A>>,
    /// By place in the classifier.
    outcomes: Box<[Outcome]>,
}

/// A rule's place in its list, and above it in two bits what the rule does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome(u32);

impl Outcome {
    const BLOCKS: u32 = 1 << 31;
    const PASSES: u32 = 1 << 30;

    fn new(place: u32, action: AclAction) -> Self {
        Outcome(match action {
            AclAction::Allow => place,
            AclAction::Block => place | Self::BLOCKS,
            AclAction::Pass => place | Self::PASSES,
        })
    }

    fn place(self) -> u32 {
        self.0 & !(Self::BLOCKS | Self::PASSES)
    }

    /// Whether the rule leaves the flow to the next tier.
    #[inline]
    pub(crate) fn passes(self) -> bool {
        self.0 & Self::PASSES != 0
    }

    /// What a rule that does not pass decides.
    #[inline]
    pub(crate) fn decision(self) -> Decision {
        if self.0 & Self::BLOCKS == 0 {
            Decision::Allow
        } else {
            Decision::Block
        }
    }
}

/// A family that has a side of a list.
pub(crate) trait InList: Address {
    fn side(list: &RuleList) -> &Side<Self>;
}

impl InList for u32 {
    fn side(list: &RuleList) -> &Side<u32> {
        &list.v4
    }
}

impl InList for u128 {
    fn side(list: &RuleList) -> &Side<u128> {
        &list.v6
    }
}

impl RuleList {
    /// Orders and compiles rules, given in the order of their documents.
    ///
    /// `before` is what the list was in earlier documents: where a family's conditions are still the same, its classifier is shared.
    pub(crate) fn compile(
        base: u32,
        mut sources: Vec<Source>,
        sets: &Sets,
        how: &How<'_>,
        before: Option<&RuleList>,
    ) -> Self {
        let semantics = how.semantics;
        // Cached, because that moves each of these large values once.
        sources.sort_by_cached_key(|source| {
            let tie = match semantics.tie {
                Tie::BlockWins => rank(source.rule.action),
                Tie::FirstWins => 0,
            };
            (source.rule.priority, tie)
        });
        RuleList {
            base,
            v4: Side::compile(&sources, sets, how, before.map(|before| &before.v4)),
            v6: Side::compile(&sources, sets, how, before.map(|before| &before.v6)),
            entries: sources
                .into_iter()
                .map(|source| Entry {
                    sides: source.rule.sides(),
                    has_no_address: source.rule.has_no_address(sets, semantics),
                    object: source.object,
                    policy: source.policy,
                    inside: source.inside,
                    id: source.id,
                    text: source.text,
                    action: source.rule.action,
                    priority: source.rule.priority,
                })
                .collect(),
        }
    }

    /// Whether both families are found by the very classifiers of another list.
    #[cfg(test)]
    pub(crate) fn is_found_as(&self, other: &RuleList) -> bool {
        Arc::ptr_eq(&self.v4.classifier, &other.v4.classifier)
            && Arc::ptr_eq(&self.v6.classifier, &other.v6.classifier)
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    /// What the strongest rule that matches does.
    #[inline]
    pub(crate) fn first<A: InList>(&self, packet: &Packet<A>) -> Option<Outcome> {
        let side = A::side(self);
        Some(side.outcomes[side.classifier.first(packet)? as usize])
    }

    /// The number in the layer of the rule with this outcome.
    #[inline]
    pub(crate) fn number(&self, outcome: Outcome) -> u32 {
        self.base + outcome.place()
    }

    /// A rule by its number in the layer.
    pub(crate) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number.checked_sub(self.base)? as usize)
    }

    /// Every rule in the order of precedence, with what keeps it from matching a packet.
    pub(crate) fn tried<A: InList>(
        &self,
        packet: &Packet<A>,
    ) -> impl Iterator<Item = (&Entry, Mismatch)> {
        let side = A::side(self);
        let mut known = side
            .outcomes
            .iter()
            .zip(side.classifier.conditions())
            .peekable();
        self.entries.iter().zip(0..).map(move |(entry, place)| {
            let of_family = known.next_if(|(outcome, _)| outcome.place() == place);
            let mismatch = match of_family {
                Some((_, conditions)) => conditions.mismatch(packet),
                None if entry.has_no_address => Mismatch::NO_ADDRESS,
                None => Mismatch::NEVER,
            };
            (entry, mismatch)
        })
    }

    /// Whether rules of one priority have different actions.
    pub(crate) fn may_tie(&self) -> bool {
        let mut actions: HashMap<u16, &AclAction> = HashMap::new();
        let mut entries = self.entries.iter();
        entries
            .any(|entry| *actions.entry(entry.priority).or_insert(&entry.action) != &entry.action)
    }

    /// Whether another rule of the same priority with another action matches the packet too.
    pub(crate) fn is_tie<A: InList>(&self, number: u32, packet: &Packet<A>) -> bool {
        let Some(decider) = self.entry(number) else {
            return false;
        };
        let side = A::side(self);
        let entry = |outcome: &Outcome| &self.entries[outcome.place() as usize];
        let from = side
            .outcomes
            .partition_point(|outcome| entry(outcome).priority < decider.priority);
        side.outcomes[from..]
            .iter()
            .map(entry)
            .zip(from as u32..)
            .take_while(|(entry, _)| entry.priority == decider.priority)
            .any(|(entry, place)| {
                entry.action != decider.action && side.classifier.matches(place, packet)
            })
    }

    /// What the list says of every packet of a family that crosses a port in a direction: [`ALLOWS`], [`BLOCKS`], or nothing where no rule
    /// matches or the strongest one passes. Where the port's own address is given, packets have it on the port's side, and the diagram does not
    /// ask for it; ports whose rules differ in that address alone have one diagram then.
    pub(crate) fn decisions<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: Option<A>,
    ) -> Region {
        self.said(space, direction, own, |outcome| match outcome.decision() {
            Decision::Allow => ALLOWS,
            Decision::Block => BLOCKS,
        })
    }

    /// As [`RuleList::decisions`], where a rule that does not pass says what `says` makes of it.
    pub(crate) fn said<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: Option<A>,
        mut says: impl FnMut(Outcome) -> Region,
    ) -> Region {
        let side = A::side(self);
        let rules: Vec<(&Conditions<A>, Region)> = side
            .classifier
            .conditions()
            .iter()
            .zip(&side.outcomes)
            .filter(|(conditions, _)| own.is_none_or(|own| conditions.local.contains(own)))
            .map(|(conditions, outcome)| match outcome.passes() {
                true => (conditions, PASSES),
                false => (conditions, says(*outcome)),
            })
            .collect();
        let all = strongest(space, direction, own.is_some(), &rules);
        space.relabel(all, &|end| match end {
            PASSES => Region::SILENT,
            end => end,
        })
    }

    /// Which rule decides each packet of a family, by its place in the list; silent where none matches.
    pub(crate) fn deciders<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
    ) -> Region {
        let side = A::side(self);
        let rules: Vec<(&Conditions<A>, Region)> = side
            .classifier
            .conditions()
            .iter()
            .zip(&side.outcomes)
            .map(|(conditions, outcome)| (conditions, Region::end(outcome.place())))
            .collect();
        strongest(space, direction, false, &rules)
    }

    /// The rules, in the order of precedence.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// For each rule, what a packet of the family must be to meet it; `None` where none can be.
    pub(crate) fn matching<A: InList>(&self) -> Vec<Option<&Conditions<A>>> {
        let side = A::side(self);
        let mut matching = vec![None; self.entries.len()];
        for (conditions, outcome) in side.classifier.conditions().iter().zip(&side.outcomes) {
            matching[outcome.place() as usize] = Some(conditions);
        }
        matching
    }

    /// Bytes of the indexes of both families.
    pub(crate) fn index_bytes(&self) -> usize {
        self.v4.classifier.index_bytes() + self.v6.classifier.index_bytes()
    }
}

impl<A: Address> Side<A> {
    fn compile(sources: &[Source], sets: &Sets, how: &How<'_>, before: Option<&Self>) -> Self {
        let (outcomes, conditions): (Vec<Outcome>, Vec<Conditions<A>>) = sources
            .iter()
            .zip(0..)
            .filter_map(|(source, place)| {
                let conditions = source.rule.conditions(sets, how.semantics)?;
                Some((Outcome::new(place, source.rule.action), conditions))
            })
            .unzip();
        Side {
            classifier: match before {
                Some(before) if before.classifier.conditions() == conditions => {
                    before.classifier.clone()
                }
                _ if how.is_asked_often => Arc::new(Classifier::compile(conditions)),
                _ => Arc::new(Classifier::scan(conditions)),
            },
            outcomes: outcomes.into(),
        }
    }
}

/// What a list says of a packet that it lets pass.
pub(crate) const ALLOWS: Region = Region::FULL;
/// What a list says of a packet that it drops.
pub(crate) const BLOCKS: Region = Region::EMPTY;
/// A number that nothing else is.
const PASSES: Region = Region::end((1 << 31) - 2);

/// What the first rule that matches says of each packet. Halves are put over each other, so that most work is done on small diagrams.
fn strongest<A: Address + Into<u128>>(
    space: &mut Space,
    direction: Direction,
    own_is_known: bool,
    rules: &[(&Conditions<A>, Region)],
) -> Region {
    match rules {
        [] => Region::SILENT,
        [(conditions, says)] if own_is_known => {
            let conditions = Conditions {
                local: Extent::Any,
                ..(*conditions).clone()
            };
            space.where_met(&conditions, direction, *says, Region::SILENT)
        }
        [(conditions, says)] => space.where_met(conditions, direction, *says, Region::SILENT),
        rules => {
            let (strong, weak) = rules.split_at(rules.len() / 2);
            let strong = strongest(space, direction, own_is_known, strong);
            let weak = strongest(space, direction, own_is_known, weak);
            space.over(strong, weak)
        }
    }
}

/// Order among rules of one priority: what takes away is stronger; Pass decides nothing and comes last (a guess, as no record has it).
pub(crate) fn rank(action: AclAction) -> u8 {
    match action {
        AclAction::Block => 0,
        AclAction::Allow => 1,
        AclAction::Pass => 2,
    }
}
