// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong, doubtful or without effect in documents of HNS: named checks, each finding with its evidence and a way out.
//!
//! Apart from the command that prints, because a plan asks the same questions of documents that do not exist yet. A check sees nothing but
//! documents, so it never says that something works: only what the documents contradict, leave open, or turn into something else than they seem to
//! say. Invariant: where a fix says that no flow changes, the sets of packets that the port lets pass are the same ones before and after.
//!
//! | module | noun |
//! |---|---|
//! | [`table`] | every check: name, severity, reason, fix, source |
//! | [`subject`] | the documents, from HNS or from a listing |
//! | [`finding`], [`fix`] | what is found, and what to do |
//! | [`rules`] | the rules of one endpoint, taken apart |
//! | `packets` | an example of a set of packets |
//! | `files`, `lines` | the files that were read, and where in them an object or member stands |
//! | the others | the checks, by what they look at |

mod addresses;
mod agents;
mod conditions;
mod default_deny;
mod faults;
mod features;
mod files;
pub mod finding;
pub mod fix;
mod frontends;
mod keys;
mod layer_default;
mod lines;
mod member_types;
mod name_servers;
mod nearest;
mod node_access;
mod overlay;
mod owners;
mod packets;
mod partly;
mod policies;
mod published;
mod room;
pub mod rules;
mod services;
mod sets;
mod standing;
pub mod subject;
pub mod table;
#[cfg(test)]
mod tests;
mod twins;

pub use files::{Files, InFile};
pub use finding::{Evidence, Finding, ObjectName};
pub use fix::{Edit, Fix, Flows};
pub use lines::Place;
pub use subject::Subject;
pub use table::{CHECKS, Check, Severity};

use std::collections::HashSet;

use rules::Ruled;

/// Everything that the checks find, in the order of the objects and of the places in them.
pub fn run(subject: &Subject) -> Vec<Finding> {
    let mut found = findings(subject);
    fix::compare_flows(subject, &mut found);
    found
}

/// The same, without the comparison of what passes before and after each fix.
fn findings(subject: &Subject) -> Vec<Finding> {
    let ruled = Ruled::endpoints(subject);
    let networks = Ruled::networks(subject);
    let mut found = Vec::new();
    for endpoint in ruled.iter().chain(&networks) {
        let mut own = Vec::new();
        faults::check(endpoint, &mut own);
        conditions::check(endpoint, &mut own);
        standing::check(endpoint, &mut own);
        default_deny::check(endpoint, &mut own);
        layer_default::check(endpoint, &mut own);
        agents::soften(endpoint, &mut own);
        owners::respect(endpoint, &mut own);
        without_doubles(&mut own);
        found.append(&mut own);
    }
    sets::check(subject, ruled.iter().chain(&networks), &mut found);
    keys::check(subject, &mut found);
    member_types::check(subject, &mut found);
    features::check(subject, &mut found);
    addresses::check(subject, &mut found);
    services::check(subject, &ruled, &mut found);
    frontends::check(subject, &mut found);
    name_servers::check(subject, &mut found);
    room::check(subject, &ruled, &mut found);
    overlay::check(subject, &mut found);
    published::check(subject, &ruled, &mut found);
    node_access::check(&ruled, &mut found);
    twins::check(subject, &ruled, &mut found);
    for finding in &mut found {
        finding.spell(subject);
        finding.show(subject);
    }
    // The order of a reader: object after object, and in each from top to bottom.
    found.sort_by_cached_key(|finding| {
        let place = subject.place(&finding.object);
        (
            place,
            finding::sort_key(&finding.pointer),
            finding.check.name,
        )
    });
    found
}

/// Takes away what is found in a rule that says the same as an earlier one: it is found there too.
fn without_doubles(found: &mut Vec<Finding>) {
    let of_doubles = |finding: &&Finding| finding.check.name == "duplicate-rule";
    let doubles: HashSet<String> = found
        .iter()
        .filter(of_doubles)
        .map(|finding| finding.pointer.clone())
        .collect();
    found.retain(|finding| {
        let mut above = finding.pointer.as_str();
        while let Some((parent, _)) = above.rsplit_once('/') {
            if doubles.contains(above) {
                return finding.check.name == "duplicate-rule";
            }
            above = parent;
        }
        true
    });
}

/// The name of a check that a misspelt one is nearest to.
pub fn nearest_check<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest::nearest(name, names)
}
