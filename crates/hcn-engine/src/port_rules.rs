// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stages of one port and how they decide: hns-behaviour 4.16.
//!
//! Apart from the switch, which knows who is where: in here there is one port, and a packet that is of its family or not. All stages must allow; the
//! first that blocks ends the matter.

use std::{collections::HashMap, sync::Arc};

use crate::{
    classifier::Packet,
    fast_hash::FastHash,
    flow::{Direction, Flow, Protocol},
    rule_list::{ALLOWS, BLOCKS, Entry, InList, RuleList},
    space::{self, Axis, Region, Space},
    verdict::{Decision, Layer, Reason, Ruling},
};

/// The rules of one port.
#[derive(Clone, Debug, Default)]
pub(crate) struct PortRules {
    inward: Arc<[Stage]>,
    outward: Arc<[Stage]>,
    /// Whether nothing passes between this port and another one.
    pub(crate) isolated: bool,
    /// Whether the endpoint or its network has rules that have no effect on this sort of network.
    pub(crate) without_effect: bool,
}

/// One layer in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) layer: Layer,
    /// One list; in the tier layer one a tier, in the order in which they are asked.
    pub(crate) lists: Vec<Arc<RuleList>>,
    /// What happens where no list decides.
    pub(crate) undecided: Undecided,
}

/// What a stage does with a packet that no rule of it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// Allows it.
    Allow,
    /// Blocks it.
    Block,
    /// Allows the protocols that Windows takes in unasked: TCP, UDP, ICMP, IGMP (hns-behaviour 4.2). Without rules it has no say on those.
    AllowCommonProtocols,
}

impl Undecided {
    fn decide(self, protocol: u8) -> Decision {
        let is_common = matches!(
            Protocol(protocol),
            Protocol::TCP | Protocol::UDP | Protocol::ICMP | Protocol::ICMPV6 | Protocol::IGMP
        );
        match self {
            Undecided::Allow => Decision::Allow,
            Undecided::AllowCommonProtocols if is_common => Decision::Allow,
            Undecided::Block | Undecided::AllowCommonProtocols => Decision::Block,
        }
    }
}

impl PortRules {
    pub(crate) fn new(inward: Vec<Stage>, outward: Vec<Stage>, isolated: bool) -> Self {
        PortRules {
            inward: inward.into(),
            outward: outward.into(),
            isolated,
            without_effect: false,
        }
    }

    /// The layers of a direction, in the order in which they are asked.
    pub(crate) fn stages(&self, direction: Direction) -> &[Stage] {
        match direction {
            Direction::In => &self.inward,
            Direction::Out => &self.outward,
        }
    }

    /// What the stages of a direction say about a flow.
    #[inline]
    pub(crate) fn rule(&self, direction: Direction, flow: &Flow) -> Ruling {
        let stages = self.stages(direction);
        if let Some(packet) = Packet::<u32>::of(flow, direction) {
            rule(stages, |stage| stage.rule(&packet))
        } else if let Some(packet) = Packet::<u128>::of(flow, direction) {
            rule(stages, |stage| stage.rule(&packet))
        } else {
            // Addresses of two families are no packet at all; no rule can match them.
            rule(stages, |stage| stage.leave(flow.protocol.0))
        }
    }

    /// The packets of a family that the stages of a direction let pass; of those with the port's own address on its side, where it is given.
    pub(crate) fn passes<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: Option<A>,
    ) -> Region {
        let mut passing = Region::FULL;
        for stage in self.stages(direction) {
            let passes = stage.passes(space, direction, own);
            passing = space.and(passing, passes);
        }
        passing
    }

    /// What decides on each packet of a family that crosses the port in a direction and has the port's own address on its side.
    pub(crate) fn rulings<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: A,
        labels: &mut Labels,
    ) -> Region {
        let mut says = labels.of(NO_RULES);
        let stages = self.stages(direction);
        let rulings: Vec<Region> = stages
            .iter()
            .map(|stage| stage.rulings(space, direction, own, labels))
            .collect();
        // Put on top last is what is asked first: the stages that block in their order, then the last that has a say.
        for rulings in &rulings {
            says = space.over(*rulings, says);
        }
        for rulings in rulings.iter().rev() {
            let blocks = space.relabel(*rulings, &|end| match labels.ruling(end) {
                Some(ruling) if ruling.decision == Decision::Block => end,
                _ => Region::SILENT,
            });
            says = space.over(blocks, says);
        }
        says
    }

    /// The rule of a number in a layer, whether it decided a tie, and the direction whose rule it is.
    ///
    /// A ruling about an open flow that is judged again speaks of the direction in which it was opened, which need not be the packet's.
    pub(crate) fn decider(
        &self,
        layer: Layer,
        number: u32,
        direction: Direction,
        flow: &Flow,
    ) -> Option<(&Entry, bool)> {
        let of_packet = (direction, *flow);
        let of_answer = (direction.reverse(), flow.reverse());
        for (direction, flow) in [of_packet, of_answer] {
            for list in self.lists(layer, direction) {
                let Some(entry) = list.entry(number) else {
                    continue;
                };
                let tie = match (
                    Packet::<u32>::of(&flow, direction),
                    Packet::<u128>::of(&flow, direction),
                ) {
                    (Some(packet), _) => list.is_tie(number, &packet),
                    (_, Some(packet)) => list.is_tie(number, &packet),
                    (None, None) => false,
                };
                return Some((entry, tie));
            }
        }
        None
    }

    fn lists(&self, layer: Layer, direction: Direction) -> impl Iterator<Item = &Arc<RuleList>> {
        self.stages(direction)
            .iter()
            .filter(move |stage| stage.layer == layer)
            .flat_map(|stage| &stage.lists)
    }

    /// The lists of a direction with their layers, in the order in which they are asked.
    pub(crate) fn lists_of(
        &self,
        direction: Direction,
    ) -> impl Iterator<Item = (Layer, &Arc<RuleList>)> {
        let stages = self.stages(direction).iter();
        stages.flat_map(|stage| stage.lists.iter().map(|list| (stage.layer, list)))
    }

    /// Every list once, for counting.
    pub(crate) fn all_lists(&self) -> impl Iterator<Item = &Arc<RuleList>> {
        self.inward
            .iter()
            .chain(self.outward.iter())
            .flat_map(|stage| &stage.lists)
    }
}

/// What is said where no stage has a say.
const NO_RULES: Ruling = Ruling {
    decision: Decision::Allow,
    layer: Layer::Switch,
    reason: Reason::NoRules,
};

/// Numbers for rulings, by which a diagram says them.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    rulings: Vec<Ruling>,
    by_ruling: HashMap<Ruling, u32, FastHash>,
}

impl Labels {
    /// The end of a diagram that says a ruling.
    pub(crate) fn of(&mut self, ruling: Ruling) -> Region {
        let number = *self.by_ruling.entry(ruling).or_insert_with(|| {
            self.rulings.push(ruling);
            self.rulings.len() as u32 - 1
        });
        Region::end(number)
    }

    /// The ruling that an end says.
    pub(crate) fn ruling(&self, end: Region) -> Option<Ruling> {
        self.rulings.get(end.as_end()? as usize).copied()
    }
}

/// Asks stage after stage: the one that blocks, or the last that had a say.
#[inline]
fn rule(stages: &[Stage], ask: impl Fn(&Stage) -> Option<Ruling>) -> Ruling {
    let mut last = NO_RULES;
    let Some((final_stage, earlier)) = stages.split_last() else {
        return last;
    };
    for stage in earlier {
        if let Some(ruling) = ask(stage) {
            if ruling.decision == Decision::Block {
                return ruling;
            }
            last = ruling;
        }
    }
    // After the final stage nothing hangs on its decision, which nobody could predict.
    ask(final_stage).unwrap_or(last)
}

impl Stage {
    /// The packets that this stage lets pass.
    pub(crate) fn passes<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: Option<A>,
    ) -> Region {
        let common = space::protocols(|protocol| {
            Undecided::AllowCommonProtocols.decide(protocol.0) == Decision::Allow
        });
        let mut says = match self.undecided {
            Undecided::Allow => ALLOWS,
            Undecided::Block => BLOCKS,
            Undecided::AllowCommonProtocols => space.cut(Axis::Protocol, &common, ALLOWS, BLOCKS),
        };
        // The list that is asked first is put on top last.
        for list in self.lists.iter().rev() {
            let decisions = list.decisions(space, direction, own);
            says = space.over(decisions, says);
        }
        says
    }

    /// What decides in this stage; nothing where it has no say.
    fn rulings<A: InList + Into<u128>>(
        &self,
        space: &mut Space,
        direction: Direction,
        own: A,
        labels: &mut Labels,
    ) -> Region {
        let common =
            space::protocols(|protocol| self.undecided.decide(protocol.0) == Decision::Allow);
        let mut leave = |decision| {
            let ruling = self.left(decision);
            ruling.map_or(Region::SILENT, |ruling| labels.of(ruling))
        };
        let (allowed, blocked) = (leave(Decision::Allow), leave(Decision::Block));
        let mut says = space.cut(Axis::Protocol, &common, allowed, blocked);
        for list in self.lists.iter().rev() {
            let said = list.said(space, direction, Some(own), |outcome| {
                labels.of(Ruling {
                    decision: outcome.decision(),
                    layer: self.layer,
                    reason: Reason::Rule(list.number(outcome)),
                })
            });
            says = space.over(said, says);
        }
        says
    }

    /// What this stage says; `None` where it has no say.
    #[inline]
    pub(crate) fn rule<A: InList>(&self, packet: &Packet<A>) -> Option<Ruling> {
        for list in &self.lists {
            let Some(outcome) = list.first(packet) else {
                continue;
            };
            if outcome.passes() {
                continue;
            }
            return Some(Ruling {
                decision: outcome.decision(),
                layer: self.layer,
                reason: Reason::Rule(list.number(outcome)),
            });
        }
        self.leave(packet.protocol)
    }

    /// What this stage says where none of its rules decides.
    fn leave(&self, protocol: u8) -> Option<Ruling> {
        self.left(self.undecided.decide(protocol))
    }

    /// The ruling of a stage none of whose rules decides.
    fn left(&self, decision: Decision) -> Option<Ruling> {
        let has_say = decision == Decision::Block || !self.lists.is_empty();
        has_say.then_some(Ruling {
            decision,
            layer: self.layer,
            reason: match decision {
                Decision::Allow => Reason::DefaultAllow,
                Decision::Block => Reason::Default,
            },
        })
    }
}
