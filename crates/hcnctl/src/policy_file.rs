// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policy files: YAML text to what is declared, every mistake with its place.
//!
//! Apart from [`crate::commands`], because reading a file needs no HNS: [`tree`] is the YAML with places, [`read`] the file's own words, [`problem`] how
//! a mistake is told, [`syntax`] what is missing where it is no YAML. Names are looked up by [`crate::commands::apply`]. `docs/schema/policy.json` is the published form; a test compares. Invariant:
//! all mistakes of a file are told at once, and a file with one is not used.

mod problem;
mod read;
mod syntax;
mod tree;

use ipnet::IpNet;

use hcn::{
    declared::{Rest, Traffic},
    schema::policy::{AclAction, AclDirection},
};

pub use problem::{Place, Problem, nearest, told};
pub use read::{KEYS, is_name, read, read_bytes};
pub use tree::MOST_BYTES;

/// What a file says, as it says it.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyFile {
    /// Name of the policy.
    pub name: String,
    /// Whose rules they are: an endpoint that one of these names.
    pub endpoints: Vec<Named>,
    /// The rules, strongest first.
    pub rules: Vec<FileRule>,
    /// The rest of what comes in.
    pub rest_in: Rest,
    /// The rest of what goes out.
    pub rest_out: Rest,
}

/// A rule of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRule {
    /// Its name.
    pub name: String,
    /// Block or Allow.
    pub action: AclAction,
    /// Seen from the endpoint.
    pub direction: AclDirection,
    /// Any of these; none means any.
    pub traffic: Vec<Traffic>,
    /// The other side; `None` means anybody.
    pub peers: Option<Vec<Named>>,
    /// Lower is stronger.
    pub priority: u16,
}

/// Endpoints or addresses, as a file names them.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Where it says so.
    pub place: Place,
    /// The member that says so, e.g. `rules[0].from`.
    pub field: String,
    /// What it says.
    pub what: What,
}

/// Ways to name endpoints and addresses.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An address, or a CIDR.
    Net(IpNet),
    /// An id, the beginning of one, a name of an endpoint or container, or an address.
    Name(String),
    /// Names with `*` and `?`.
    Glob(String),
    /// Endpoints for which everything holds that is given.
    Selector(Selector),
}

/// What has to hold for an endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// Its name or its container's, with `*` and `?`.
    pub name: Option<String>,
    /// Its id, or the beginning.
    pub id: Option<String>,
    /// Name or id of its network.
    pub network: Option<String>,
    /// One of its addresses is in there.
    pub address: Option<IpNet>,
}

/// Whether a name fits a pattern, in which `*` is any characters and `?` is one.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where the last star stood, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(own) if *own == '?' || *own == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    at = before + 1;
                    in_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|own| *own == '*')
}

#[cfg(test)]
mod tests;
