// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of one layer in one direction (of one tier, in the tier layer), strongest first, with what is needed to tell of them.
//!
//! Apart from the port, because the rules of a network are one list for all of its ports. The order of the list is the order of precedence:
//! priority, then the tie order, then the order of the documents.

use hcn_schema::{Guid, policy::AclAction};

use crate::{
    acl::Rule,
    classifier::{Address, Classifier, Conditions, Packet},
    semantics::{Semantics, Tie},
    sets::Sets,
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
    pub(crate) pointer: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) action: AclAction,
    pub(crate) priority: u16,
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
    classifier: Classifier<A>,
    /// By place in the classifier: place in the list, and the action in the two low bits.
    outcomes: Box<[u32]>,
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
    pub(crate) fn compile(
        base: u32,
        mut sources: Vec<Source>,
        sets: &Sets,
        semantics: &Semantics,
    ) -> Self {
        sources.sort_by_key(|source| {
            let tie = match semantics.tie {
                Tie::BlockWins => rank(source.rule.action),
                Tie::FirstWins => 0,
            };
            (source.rule.priority, tie)
        });
        RuleList {
            base,
            v4: Side::compile(&sources, sets, semantics),
            v6: Side::compile(&sources, sets, semantics),
            entries: sources
                .into_iter()
                .map(|source| Entry {
                    object: source.object,
                    pointer: format!("/Policies/{}{}", source.policy, source.inside),
                    id: source.id,
                    text: source.text,
                    action: source.rule.action,
                    priority: source.rule.priority,
                })
                .collect(),
        }
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    /// The strongest rule that matches: its number in the layer, and its action.
    #[inline]
    pub(crate) fn first<A: InList>(&self, packet: &Packet<A>) -> Option<(u32, AclAction)> {
        let side = A::side(self);
        let outcome = side.outcomes[side.classifier.first(packet)? as usize];
        let action = match outcome & 3 {
            0 => AclAction::Allow,
            1 => AclAction::Block,
            _ => AclAction::Pass,
        };
        Some((self.base + (outcome >> 2), action))
    }

    /// A rule by its number in the layer.
    pub(crate) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number.checked_sub(self.base)? as usize)
    }

    /// Whether another rule of the same priority with another action matches the packet too.
    pub(crate) fn is_tie<A: InList>(&self, number: u32, packet: &Packet<A>) -> bool {
        let Some(decider) = self.entry(number) else {
            return false;
        };
        let side = A::side(self);
        let from = side.outcomes.partition_point(|outcome| {
            self.entries[(outcome >> 2) as usize].priority < decider.priority
        });
        side.outcomes[from..]
            .iter()
            .map(|outcome| &self.entries[(outcome >> 2) as usize])
            .zip(from..)
            .take_while(|(entry, _)| entry.priority == decider.priority)
            .any(|(entry, place)| {
                entry.action != decider.action && side.classifier.matches(place as u32, packet)
            })
    }

    /// Bytes of the indexes of both families.
    pub(crate) fn index_bytes(&self) -> usize {
        self.v4.classifier.index_bytes() + self.v6.classifier.index_bytes()
    }
}

impl<A: Address> Side<A> {
    fn compile(sources: &[Source], sets: &Sets, semantics: &Semantics) -> Self {
        let (outcomes, conditions): (Vec<u32>, Vec<Conditions<A>>) = sources
            .iter()
            .zip(0u32..)
            .filter_map(|(source, place)| {
                let conditions = source.rule.conditions(sets, semantics)?;
                let action = match source.rule.action {
                    AclAction::Allow => 0,
                    AclAction::Block => 1,
                    AclAction::Pass => 2,
                };
                Some((place << 2 | action, conditions))
            })
            .unzip();
        Side {
            classifier: Classifier::compile(conditions),
            outcomes: outcomes.into(),
        }
    }
}

/// Order among rules of one priority: what takes away is stronger; Pass decides nothing and comes last (a guess, as no record has it).
fn rank(action: AclAction) -> u8 {
    match action {
        AclAction::Block => 0,
        AclAction::Allow => 1,
        AclAction::Pass => 2,
    }
}
