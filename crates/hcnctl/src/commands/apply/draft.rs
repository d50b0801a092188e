// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan: which endpoints change how, and which flows that opens and closes.
//!
//! Apart from saying it ([`super::report`]) and from doing it. What changes is worked out from the documents before and after: at an endpoint by the
//! switch that judges packets, between two by the matrices that `reach --compare` compares. Invariant: a plan whose steps are carried out leaves the
//! documents that its effects were worked out from.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use hcn::{
    batch::Step,
    declared::Declared,
    owned::{Owner, Plan, merge},
    schema::{Endpoint, Guid},
};
use hcn_engine::{
    Direction, Documents, Family, Switch,
    change::Changes,
    semantics::Tie,
    space::{Cell, Region},
};

use super::world::{Meaning, World};
use crate::{
    failure::Failure,
    lookup::addresses,
    reach::{
        Matrix, Place, Question, Reaching,
        compare::{self, compare},
        merged, with_some_backends,
    },
    render::flows::{self, Sets},
};

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
    /// What changes between endpoints, the host and services, in words.
    pub pairs: Vec<Pair>,
    /// What the user should know of the whole.
    pub notes: Vec<String>,
}

/// Pairs that are looked at, at most: some seconds' work, and every pair of a thousand endpoints.
const MOST_PAIRS: usize = 1_200_000;

/// What changes from one endpoint, or the host, to another one or a service, along the way that packets take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Who begins.
    pub from: Arc<str>,
    /// Whom.
    pub to: Arc<str>,
    /// Protocols and ports, where some open.
    pub opens: Option<Arc<str>>,
    /// Protocols and ports, where some close.
    pub closes: Option<Arc<str>>,
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
    ///
    /// # Errors
    /// Those of [`Matrix::of`].
    pub fn of(world: &World, meaning: Meaning) -> Result<Draft, Failure> {
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
        draft.judge(world)?;
        draft.warn_of_other_policies(&declared, world.profile.semantics.tie);
        draft
            .notes
            .extend(world.note_of_nat(selected.iter().copied()));
        Ok(draft)
    }

    /// Plans to take a policy away.
    ///
    /// # Errors
    /// Those of [`Matrix::of`].
    pub fn removal(world: &World, name: &str) -> Result<Draft, Failure> {
        let owner = Owner::Policy(name.to_owned());
        let mut draft = Draft::new(world, name, 0, |_, endpoint| {
            (false, merge(endpoint, &owner, &[]))
        });
        draft.judge(world)?;
        Ok(draft)
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
        for (place, endpoint) in world.endpoints().iter().enumerate() {
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
        effects.any(|effect| effect.opens) || self.pairs.iter().any(|pair| pair.opens.is_some())
    }

    /// Works out what opens and closes.
    fn judge(&mut self, world: &World) -> Result<(), Failure> {
        let changed: Vec<Guid> = self.steps.iter().map(|step| step.id).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let touched: HashSet<Guid> = changed.iter().copied().collect();
        let mut documents = world.documents.clone();
        let rows: HashMap<Guid, &Row> = self.rows.iter().map(|row| (row.id, row)).collect();
        for (place, endpoint) in documents.endpoints.iter_mut().enumerate() {
            if let Some(row) = rows.get(&world.id(place)) {
                *endpoint = row.plan.outcome(&row.before);
            }
        }
        let semantics = &world.profile.semantics;
        let (before, _) = Switch::compile(&world.documents, semantics);
        let (after, faults) = Switch::compile(&documents, semantics);
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
        self.judge_ports(world, &before, &after, &changed);
        let question = Question::default();
        let matrix =
            |documents: &Documents| Matrix::of(documents, &world.containers, semantics, &question);
        let (mut before, mut after) = (matrix(&world.documents)?, matrix(&documents)?);
        match pairs(&mut before, &mut after, &touched, MOST_PAIRS) {
            Some(pairs) => self.pairs = pairs,
            None => self.notes.push(
                "what changes between endpoints is not worked out for so many; reach --compare does, of two moments"
                    .to_owned(),
            ),
        }
        Ok(())
    }

    /// What each port lets pass otherwise, whoever is on the other side.
    fn judge_ports(&mut self, world: &World, before: &Switch, after: &Switch, changed: &[Guid]) {
        let by_address: HashMap<IpAddr, usize> = world
            .endpoints()
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
        for family in [Family::V4, Family::V6] {
            let Changes { mut space, changes } = Changes::between(before, after, changed, family);
            for change in changes {
                let Some(place) = places.get(&change.endpoint) else {
                    continue;
                };
                let row = &mut self.rows[*place];
                let has_address = row.families.contains(&family);
                for opens in [true, false] {
                    let sets = Sets::of(&mut space, &change, opens);
                    if sets.told == Region::EMPTY {
                        continue;
                    }
                    row.effects.push(Effect {
                        direction: change.direction,
                        family,
                        has_address,
                        opens,
                        lines: flows::lines(&mut space, &sets, change.direction, &names),
                        cells: space.cells(sets.told),
                    });
                }
            }
        }
    }

    /// Rules of other policies on the same endpoints decide too, by their priorities.
    fn warn_of_other_policies(&mut self, declared: &Declared, tie: Tie) {
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
            let have = match count {
                1 => "1 endpoint has".to_owned(),
                _ => format!("{count} endpoints have"),
            };
            let wins = match tie {
                Tie::BlockWins => "Block wins",
                Tie::FirstWins => "the one that was added first wins",
            };
            self.notes.push(format!(
                "{have} rules of other policies too; among equal priorities {wins}"
            ));
        }
    }
}

/// What changes between participants of two matrices, where these endpoints change; `None` for too many to look at.
///
/// A pair is asked for where one of the two changes, and where there may be a changed one behind the destination: a service, the host that
/// publishes a port, an address that a load balancer has. Of the outside only what comes in by such a one is: the rest is as each endpoint's own
/// rules say, of which the rows tell.
fn pairs(
    before: &mut Matrix,
    after: &mut Matrix,
    changed: &HashSet<Guid>,
    most: usize,
) -> Option<Vec<Pair>> {
    let vips: HashSet<IpAddr> = after
        .switch()
        .balancers
        .iter()
        .flat_map(|balancer| balancer.vips.iter().copied())
        .collect();
    // Both matrices have the same participants in the same order, since only rules change.
    let (mut all, mut own, mut others, mut fronts) = (vec![], vec![], vec![], vec![]);
    let (mut beyond, mut doors) = (vec![], vec![]);
    for (place, participant) in after.participants.iter().enumerate() {
        let is_front = match &participant.place {
            Place::Beyond(_) => {
                beyond.push(place);
                continue;
            }
            Place::Host(_) | Place::Service(_) => true,
            Place::Port { addresses, .. } => addresses.iter().any(|own| vips.contains(own)),
        };
        if is_front {
            doors.push(place);
        }
        let is_own = participant.id().is_some_and(|id| changed.contains(&id));
        all.push(place);
        match (&participant.place, is_own) {
            (Place::Service(_), _) => {}
            (_, true) => own.push(place),
            (_, false) => others.push(place),
        }
        if is_own || is_front {
            fronts.push(place);
        }
    }
    let count = own.len() * all.len() + others.len() * fronts.len() + beyond.len() * doors.len();
    if count > most {
        return None;
    }
    // Few different changes meet in many pairs.
    let mut known: HashMap<(Family, bool, [Region; 3]), Option<Arc<str>>> = HashMap::new();
    let mut pairs = Vec::new();
    for (from, to) in [(&own, &all), (&others, &fronts), (&beyond, &doors)] {
        for matrix in [&mut *before, &mut *after] {
            matrix.from.clone_from(from);
            matrix.to.clone_from(to);
        }
        let changes = compare(before, after).changes;
        let same = |one: &compare::Change, other: &compare::Change| {
            one.from == other.from && one.to == other.to
        };
        for changes in changes.chunk_by(same) {
            let mut told = [true, false].map(|opens| {
                let told = changes.iter().filter_map(|change| {
                    let family = change.at.family;
                    let key = (family, opens, [change.opened, change.closed, change.kept]);
                    let said = known.entry(key).or_insert_with(|| {
                        let space = after.space_mut(family);
                        let sets = Sets::between(space, change, opens);
                        let is_some = sets.told != Region::EMPTY;
                        is_some.then(|| flows::services(space, &sets).into())
                    });
                    let partly = match opens {
                        true => &change.partly_opened_words,
                        false => &change.partly_closed_words,
                    };
                    let said = match (said, partly) {
                        (said, None) => said.clone(),
                        (said, Some(partly)) => Some(with_some_backends(
                            said.as_deref().unwrap_or("nothing"),
                            partly,
                        )),
                    };
                    said.map(|said| (change.at, said))
                });
                let told: Vec<(Reaching, Arc<str>)> = told.collect();
                (!told.is_empty()).then(|| merged(&told))
            });
            pairs.push(Pair {
                from: changes[0].from.clone(),
                to: changes[0].to.clone(),
                opens: told[0].take(),
                closes: told[1].take(),
            });
        }
    }
    Some(pairs)
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

#[cfg(test)]
mod tests;
