// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of each rule among the rules of its list: whether it decides a packet, and which rules decide those that it matches.
//!
//! Apart from the verdict, which knows one packet, and from [`Switch::passes`], which knows no rule: here every rule is asked for all packets at
//! once. A rule that decides nothing can go, and no port lets pass another packet than before, as long as the rules that decide in its place stay.

use hcn_schema::{Guid, policy::AclAction};

use crate::{
    flow::{Direction, Family},
    port_rules::PortRules,
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
    /// Rules that decide packets that this one matches, by their place among the port's standings: all of them where it decides none itself, else
    /// those of its own priority that do something else, so that a tie decided.
    pub deciders: Vec<usize>,
    /// Place of its list's first rule among the standings.
    first: usize,
    /// Which rule of the list decides, of the packets that it matches.
    among: Region,
}

/// What a list says of the packets that a rule does not match.
const ELSEWHERE: Region = Region::end(i32::MAX as u32 - 1);

impl Standing {
    /// The packets that this rule matches and the one at a place among the standings decides.
    pub fn decided_by(&self, space: &mut Space, place: usize) -> Region {
        let Some(place) = place.checked_sub(self.first) else {
            return Region::EMPTY;
        };
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

fn add<A: InList + Into<u128>>(
    rules: &PortRules,
    space: &mut Space,
    direction: Direction,
    standings: &mut Vec<Standing>,
) {
    for (layer, list) in rules.lists_of(direction) {
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
                deciders: Vec::new(),
                first,
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
