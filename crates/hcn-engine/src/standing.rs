// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of each rule among the rules of its list: whether it decides a packet, and which rules decide those that it matches.
//!
//! Apart from the verdict, which knows one packet, and from [`Switch::passes`], which knows no rule: here every rule is asked for all packets at
//! once. A rule that decides nothing can go, and no port lets pass another packet than before, as long as the rules that decide in its place stay.

use hcn_schema::{Guid, policy::AclAction};

use crate::{
    flow::{Direction, Family},
    port_rules::{PortRules, Stage},
    rule_list::InList,
    space::{Region, Space},
    switch::{PortIndex, Switch},
    verdict::Layer,
};

/// A rule of a port, as far as packets of one family go.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Where it is enforced.
    pub layer: Layer,
    /// Which way.
    pub direction: Direction,
    /// The endpoint or network that holds it.
    pub object: Guid,
    /// JSON pointer into the document of that object.
    pub pointer: String,
    /// What it does.
    pub action: AclAction,
    /// Lower is stronger.
    pub priority: u16,
    /// The packets that meet its conditions.
    pub matches: Region,
    /// Whether it decides any of them.
    pub decides: bool,
    /// Whether anything hangs on that: one of these packets comes to its list, and the other stages of the port let it pass. A rule can also be of
    /// weight by being there alone, since the first rule of a list turns on default deny.
    pub weighs: bool,
    /// Rules that decide packets that this one matches, by their place among the port's standings: all of them where it decides none itself, else
    /// those of its own priority that do something else, so that a tie decided.
    pub deciders: Vec<usize>,
    /// Place of its list's first rule among the standings.
    first: usize,
    /// Its own place in the list.
    own: usize,
    /// Which rule of the list decides, of the packets that it matches.
    among: Region,
}

/// What a list says of the packets that a rule does not match.
const ELSEWHERE: Region = Region::end(i32::MAX as u32 - 1);

impl Standing {
    /// The packets that this rule matches and the one at a place among the standings decides.
    pub fn decided_by(&self, space: &mut Space, place: usize) -> Region {
        match place.checked_sub(self.first) {
            Some(place) => self.of_place(space, place),
            None => Region::EMPTY,
        }
    }

    /// The packets that this rule decides in its list.
    pub fn decided(&self, space: &mut Space) -> Region {
        self.of_place(space, self.own)
    }

    fn of_place(&self, space: &mut Space, place: usize) -> Region {
        let wanted = Region::end(place as u32);
        space.relabel(self.among, &|end| match end == wanted {
            true => Region::FULL,
            false => Region::EMPTY,
        })
    }
}

impl Switch {
    /// What becomes of each rule of a port, strongest first in each list. Regions are of the space that is given, whose family is asked about.
    pub fn standings(&self, space: &mut Space, port: PortIndex) -> Vec<Standing> {
        let Some(rules) = self.port_rules(port) else {
            return Vec::new();
        };
        let mut standings = Vec::new();
        for direction in [Direction::In, Direction::Out] {
            match space.family() {
                Family::V4 => add::<u32>(rules, space, direction, &mut standings),
                Family::V6 => add::<u128>(rules, space, direction, &mut standings),
            }
        }
        standings
    }
}

/// The packets whose fate hangs on a list of a stage: the lists before it in the stage leave them to it, and all other stages let them pass.
fn open_to<A: InList + Into<u128>>(
    stages: &[Stage],
    stage: usize,
    list: usize,
    space: &mut Space,
    direction: Direction,
) -> Region {
    let mut open = Region::FULL;
    for (place, other) in stages.iter().enumerate() {
        let lets = match place == stage {
            true => {
                let mut left = Region::FULL;
                for earlier in &other.lists[..list] {
                    let decisions = earlier.decisions::<A>(space, direction, None);
                    let silent = space.relabel(decisions, &|end| match end == Region::SILENT {
                        true => Region::FULL,
                        false => Region::EMPTY,
                    });
                    left = space.and(left, silent);
                }
                left
            }
            false => other.passes::<A>(space, direction, None),
        };
        open = space.and(open, lets);
    }
    open
}

fn add<A: InList + Into<u128>>(
    rules: &PortRules,
    space: &mut Space,
    direction: Direction,
    standings: &mut Vec<Standing>,
) {
    let stages = rules.stages(direction);
    let lists = (0..stages.len()).flat_map(|stage| {
        let places = 0..stages[stage].lists.len();
        places.map(move |place| (stage, place))
    });
    for (stage, place) in lists {
        let (layer, list) = (stages[stage].layer, &stages[stage].lists[place]);
        let open = open_to::<A>(stages, stage, place, space, direction);
        let first = standings.len();
        let all = list.deciders::<A>(space, direction);
        let conditions = list.matching::<A>();
        for (place, entry) in list.entries().iter().enumerate() {
            let mut standing = Standing {
                layer,
                direction,
                object: entry.object,
                pointer: entry.pointer(),
                action: entry.action,
                priority: entry.priority,
                matches: Region::EMPTY,
                decides: false,
                weighs: false,
                deciders: Vec::new(),
                first,
                own: place,
                among: ELSEWHERE,
            };
            if let Some(conditions) = conditions[place] {
                standing.matches = space.of(conditions, direction);
                let inside = space.where_met(conditions, direction, Region::SILENT, ELSEWHERE);
                standing.among = space.over(inside, all);
                let ends = space.ends(standing.among);
                let deciders = ends
                    .iter()
                    .filter(|end| **end != ELSEWHERE)
                    .filter_map(|end| Some(end.as_end()? as usize));
                let deciders: Vec<usize> = deciders.collect();
                standing.decides = deciders.contains(&place);
                standing.weighs = standing.decides && {
                    let decided = standing.decided(space);
                    space.and(decided, open) != Region::EMPTY
                };
                let is_tie = |other: &usize| {
                    let other = &list.entries()[*other];
                    other.priority == entry.priority && other.action != entry.action
                };
                standing.deciders = deciders
                    .into_iter()
                    .filter(|other| !standing.decides || is_tie(other))
                    .map(|other| first + other)
                    .collect();
            }
            standings.push(standing);
        }
    }
}
