// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan: which endpoints change how, and which flows that opens and closes.
//!
//! Apart from saying it ([`super::report`]) and from doing it. What changes is worked out from the documents before and after, by the switch that
//! judges packets. Invariant: a plan whose steps are carried out leaves the documents that its effects were worked out from.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use hcn::{
    batch::Step,
    declared::Declared,
    owned::{Owner, Plan, merge},
    schema::{Endpoint, Guid},
};
use hcn_engine::{
    Direction, Documents, Family, Semantics, Switch,
    change::{Change, Changes, PairChanges},
    space::{Cell, Region},
};

use super::world::{Meaning, World};
use crate::{lookup::addresses, render::flows};

/// A plan for all endpoints.
pub struct Draft {
    /// Name of the policy.
    pub policy: String,
    /// How many endpoints the policy selects.
    pub selected: usize,
    /// Endpoints that change, or of which there is something to say.
    pub rows: Vec<Row>,
    /// What to send.
    pub steps: Vec<Step>,
    /// What changes between endpoints of this host, in words.
    pub pairs: Vec<Pair>,
    /// What the user should know of the whole.
    pub notes: Vec<String>,
}

/// Pairs of a changed endpoint and another one that are looked at, at most: a second's work.
const MOST_PAIRS: usize = 200_000;

/// What changes from one endpoint of the host to another: what the one lets out and the other lets in.
pub struct Pair {
    /// Who begins: name and address.
    pub from: String,
    /// Whom.
    pub to: String,
    /// Protocols and ports, where some open.
    pub opens: Option<String>,
    /// Protocols and ports, where some close.
    pub closes: Option<String>,
}

/// One endpoint.
pub struct Row {
    /// Its id.
    pub id: Guid,
    /// What it is called.
    pub label: String,
    /// Whether the policy selects it; else it has rules from an earlier time, which go.
    pub is_selected: bool,
    /// The document as it is.
    pub before: Endpoint,
    /// The change.
    pub plan: Plan,
    /// Families of which it has addresses.
    pub families: Vec<Family>,
    /// What the change does.
    pub effects: Vec<Effect>,
}

/// Flows of one family in one direction that a change opens or closes.
pub struct Effect {
    /// As the endpoint sees it.
    pub direction: Direction,
    /// Whose flows.
    pub family: Family,
    /// Whether the endpoint has an address of the family.
    pub has_address: bool,
    /// Whether they are opened, or closed.
    pub opens: bool,
    /// The flows in words.
    pub lines: Vec<String>,
    /// The flows, exactly.
    pub cells: Vec<Cell>,
}

impl Draft {
    /// Plans what a file means.
    pub fn of(world: &World, meaning: Meaning, semantics: &Semantics) -> Draft {
        let Meaning {
            declared,
            selected,
            notes,
        } = meaning;
        let owner = declared.owner();
        let mut draft =
            Draft::new(
                world,
                &declared.name,
                selected.len(),
                |place, endpoint| match selected.binary_search(&place) {
                    Ok(_) => (true, declared.plan(endpoint)),
                    Err(_) => (false, merge(endpoint, &owner, &[])),
                },
            );
        draft.notes.splice(0..0, notes);
        draft.judge(world, semantics);
        draft.warn_of_other_policies(&declared);
        draft
    }

    /// Plans to take a policy away.
    pub fn removal(world: &World, name: &str, semantics: &Semantics) -> Draft {
        let owner = Owner::Policy(name.to_owned());
        let mut draft = Draft::new(world, name, 0, |_, endpoint| {
            (false, merge(endpoint, &owner, &[]))
        });
        draft.judge(world, semantics);
        draft
    }

    fn new(
        world: &World,
        policy: &str,
        selected: usize,
        plan: impl Fn(usize, &Endpoint) -> (bool, Plan),
    ) -> Draft {
        let mut draft = Draft {
            policy: policy.to_owned(),
            selected,
            rows: Vec::new(),
            steps: Vec::new(),
            pairs: Vec::new(),
            notes: Vec::new(),
        };
        for (place, endpoint) in world.endpoints.iter().enumerate() {
            let (is_selected, plan) = plan(place, endpoint);
            let id = world.id(place);
            let seen = world.seen[place].clone();
            if let Some(step) = Step::of(id, seen, endpoint, plan.clone()) {
                draft.steps.push(step);
            } else if plan.notes.is_empty() {
                continue;
            }
            draft.rows.push(Row {
                id,
                label: world.label(place),
                is_selected,
                families: families(endpoint),
                before: endpoint.clone(),
                plan,
                effects: Vec::new(),
            });
        }
        draft
    }

    /// How many policies are sent.
    pub fn rules(&self) -> usize {
        let sent = self.rows.iter().filter_map(|row| row.plan.update.as_ref());
        sent.map(Vec::len).sum()
    }

    /// Whether any flow becomes allowed.
    pub fn opens(&self) -> bool {
        let mut effects = self.rows.iter().flat_map(|row| &row.effects);
        effects.any(|effect| effect.opens)
    }

    /// Works out what opens and closes.
    fn judge(&mut self, world: &World, semantics: &Semantics) {
        let changed: Vec<Guid> = self.steps.iter().map(|step| step.id).collect();
        if changed.is_empty() {
            return;
        }
        let touched: HashSet<Guid> = changed.iter().copied().collect();
        let before = Documents {
            networks: world.networks.clone(),
            endpoints: world.endpoints.clone(),
            // Rules of ports are compared, whatever leads to them.
            ..Documents::default()
        };
        let mut after = before.clone();
        let rows: HashMap<Guid, &Row> = self.rows.iter().map(|row| (row.id, row)).collect();
        for (place, endpoint) in after.endpoints.iter_mut().enumerate() {
            if let Some(row) = rows.get(&world.id(place)) {
                *endpoint = row.plan.outcome(&row.before);
            }
        }
        let (before, _) = Switch::compile(&before, semantics);
        let (after, faults) = Switch::compile(&after, semantics);
        for fault in faults {
            if touched.contains(&fault.object) {
                self.notes.push(format!(
                    "{} {} is left out: {}",
                    crate::render::short_id(&fault.object.to_string()),
                    fault.pointer,
                    fault.message
                ));
            }
        }
        let by_address: HashMap<IpAddr, usize> = world
            .endpoints
            .iter()
            .enumerate()
            .flat_map(|(place, endpoint)| {
                let own = addresses(endpoint).into_iter();
                own.filter_map(move |text| Some((text.parse().ok()?, place)))
            })
            .collect();
        let names = |address: IpAddr| {
            let label = world.label(*by_address.get(&address)?);
            label.split(" (").next().map(str::to_owned)
        };
        let places: HashMap<Guid, usize> = self
            .rows
            .iter()
            .enumerate()
            .map(|(place, row)| (row.id, place))
            .collect();
        let is_few = changed.len().saturating_mul(after.ports.len()) <= MOST_PAIRS;
        if !is_few {
            self.notes.push(
                "what changes between endpoints of this host is not worked out for so many"
                    .to_owned(),
            );
        }
        for family in [Family::V4, Family::V6] {
            if is_few {
                let PairChanges { mut space, changes } =
                    PairChanges::between(&before, &after, &changed, family);
                let name = |address: IpAddr| match names(address) {
                    Some(name) => format!("{name} {address}"),
                    None => address.to_string(),
                };
                for change in changes {
                    let mut said = |region: Region| {
                        (region != Region::EMPTY).then(|| flows::services(&mut space, region))
                    };
                    self.pairs.push(Pair {
                        from: name(change.from.1),
                        to: name(change.to.1),
                        opens: said(change.opened),
                        closes: said(change.closed),
                    });
                }
            }
            let Changes { mut space, changes } =
                Changes::between(&before, &after, &changed, family);
            for change in changes {
                let Change {
                    endpoint,
                    direction,
                    all,
                    opened,
                    closed,
                } = change;
                let Some(place) = places.get(&endpoint) else {
                    continue;
                };
                let row = &mut self.rows[*place];
                let has_address = row.families.contains(&family);
                for (region, opens) in [(opened, true), (closed, false)] {
                    if region == Region::EMPTY {
                        continue;
                    }
                    row.effects.push(Effect {
                        direction,
                        family,
                        has_address,
                        opens,
                        lines: flows::lines(&mut space, region, all, direction, &names),
                        cells: space.cells(region),
                    });
                }
            }
        }
    }

    /// Rules of other policies on the same endpoints decide too, by their priorities.
    fn warn_of_other_policies(&mut self, declared: &Declared) {
        let own = declared.owner();
        let others = self.rows.iter().filter(|row| {
            let policies = row.before.policies.get().into_iter().flatten();
            let mut rules = policies
                .filter(|policy| policy.is("ACL"))
                .map(hcn::schema::Policy::settings_as);
            row.is_selected
                && rules.any(|acl: hcn::schema::policy::Acl| {
                    hcn::owned::is_ours(&acl) && !own.owns(&acl) && !Owner::Hand.owns(&acl)
                })
        });
        let count = others.count();
        if count > 0 {
            self.notes.push(format!(
                "{count} of the endpoints have rules of other policies too; among equal priorities HNS lets Block win"
            ));
        }
    }
}

/// Families of which an endpoint has addresses.
fn families(endpoint: &Endpoint) -> Vec<Family> {
    let own = addresses(endpoint);
    let own: Vec<Family> = own
        .iter()
        .filter_map(|text| text.parse::<IpAddr>().ok())
        .map(Family::from)
        .collect();
    let mut both = vec![Family::V4, Family::V6];
    both.retain(|family| own.contains(family));
    both
}
