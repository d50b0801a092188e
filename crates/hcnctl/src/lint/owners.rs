// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that a policy file declares, or that block and allow wrote: whose they are, and why a patch leaves them alone.
//!
//! Apart from the checks, which look at packets alone. Two rules that say the same are not the same to their owners: each is taken back by its own, and
//! where one of them had been taken away as a double, nothing would be left for the other. Invariant: no patch takes a rule from an owner, nor leaves what
//! somebody else's rule did to a rule that goes with its owner.

use hcn::owned;
use hcn_engine::space::Region;
use hcn_schema::policy::Acl;

use super::{
    finding::{Evidence, Finding},
    fix::{Edit, Flows},
    rules::{OwnRule, Ruled},
};

/// Checks whose edits leave a rule's work to stronger ones.
const LEAVING: [&str; 3] = ["duplicate-rule", "shadowed-rule", "partly-shadowed-rule"];

/// Who of us a rule is of.
#[derive(PartialEq)]
enum Whose {
    Policy(String),
    Hand,
}

impl Whose {
    fn of(endpoint: &Ruled<'_>, rule: &OwnRule) -> Option<(Whose, String)> {
        let place: usize = rule.pointer.strip_prefix("/Policies/")?.parse().ok()?;
        let policy = endpoint.endpoint.policies.get()?.get(place)?;
        let acl: Acl = policy.is("ACL").then(|| policy.settings_as())?;
        let id = acl.id.get()?.clone();
        match owned::policy_of(&acl) {
            Some(name) => Some((Whose::Policy(name.to_owned()), id)),
            None => owned::is_ours(&acl).then_some((Whose::Hand, id)),
        }
    }
}

/// Takes the edits from the fixes that would break into somebody's rules, and says whose they are.
pub(super) fn respect(endpoint: &Ruled<'_>, found: &mut [Finding]) {
    for finding in found {
        let own = finding.fix.edits.iter().find_map(|edit| {
            let (Edit::Remove(pointer) | Edit::Set(pointer, _) | Edit::Rename(pointer, _)) = edit
            else {
                return None;
            };
            let mut rules = endpoint.rules.iter();
            rules.find(|own| is_in(pointer, &own.pointer))
        });
        let Some(own) = own else {
            continue;
        };
        let of = Whose::of(endpoint, own);
        let others = match LEAVING.contains(&finding.check.name) {
            true => stronger(endpoint, own),
            false => Vec::new(),
        };
        let words = match &of {
            // Sent twice by its owner, who has the earlier one left.
            Some(_) if finding.check.name == "duplicate-rule" && of == earlier(endpoint, finding) => {
                continue;
            }
            Some((Whose::Policy(name), _)) => {
                format!("; it belongs to policy {name}, whose file is the place to change it")
            }
            Some((Whose::Hand, _)) => {
                "; hcnctl block or allow wrote it, and the one takes back what the other did"
                    .to_owned()
            }
            None => match &others[..] {
                [] => continue,
                [(Whose::Policy(name), _), ..] => format!(
                    "; a rule of policy {name} decides in its place and goes when that is taken back, so only if this one is to go then too"
                ),
                [(Whose::Hand, _), ..] => {
                    "; a rule of hcnctl block or allow decides in its place and may be taken back, so only if this one is to go then too"
                        .to_owned()
                }
            },
        };
        finding.fix.words.push_str(&words);
        finding.fix.edits.clear();
        finding.fix.flows = Flows::Unknown;
    }
}

/// Owner and id of the rule that a double says the same as.
fn earlier(endpoint: &Ruled<'_>, double: &Finding) -> Option<(Whose, String)> {
    let Some(Evidence::Place { pointer, .. }) = double.evidence.first() else {
        return None;
    };
    Whose::of(endpoint, endpoint.rule_at(pointer)?)
}

/// Whether a pointer is that of a rule, or leads into it.
fn is_in(pointer: &str, rule: &str) -> bool {
    pointer
        .strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Owners of other rules in its list that are as strong or stronger and match packets of it.
fn stronger(endpoint: &Ruled<'_>, rule: &OwnRule) -> Vec<(Whose, String)> {
    let Some(standings) = endpoint.standing(rule) else {
        return Vec::new();
    };
    let others = endpoint
        .rules
        .iter()
        .filter(|other| other.layer == rule.layer && other.pointer != rule.pointer);
    let meeting = others.filter(|other| {
        let Some(theirs) = endpoint.standing(other) else {
            return false;
        };
        let mut both = standings.into_iter().zip(theirs).enumerate();
        both.any(|(family, (own, their))| {
            let mut space = endpoint.families[family].space.borrow_mut();
            their.direction == own.direction
                && their.priority <= own.priority
                && space.and(their.matches, own.matches) != Region::EMPTY
        })
    });
    meeting
        .filter_map(|other| Whose::of(endpoint, other))
        .collect()
}
