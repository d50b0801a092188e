// SPDX-License-Identifier: MIT OR Apache-2.0
//! What HNS has at the moment of a plan, and what the names of a policy file mean in it.
//!
//! Apart from the plan itself: here words become endpoints and addresses, and what means nothing is told with its place in the file. Everything is
//! read once, so that a plan is about one moment and takes three calls. Invariant: a name that means nothing is a mistake; a selector that means
//! nobody on the other side of a rule is none, and is told.

use std::net::IpAddr;

use hcn::{
    Kind,
    declared::{Declared, Rule},
    schema::{Document, Endpoint, Guid, Network, Query, network::NetworkType},
    service::{Container, Profile},
};
use hcn_engine::{Documents, Switch, Topology};
use ipnet::IpNet;

use crate::{
    desk::Desk,
    documents,
    failure::Failure,
    lookup::{self, addresses, choose, guid, label_among, named_endpoints},
    policy_file::{Named, PolicyFile, Problem, Selector, What, fits},
    reach::participant::{HOST, OUTSIDE},
};

/// What there is.
pub struct World {
    /// Networks, endpoints and load balancers.
    pub documents: Documents,
    /// How the HNS that is asked takes them.
    pub profile: Profile,
    /// The document of each endpoint, as HNS answered it.
    pub seen: Vec<String>,
    /// Simulated containers.
    pub containers: Vec<Container>,
    /// What each endpoint is called.
    called: Vec<lookup::Named>,
}

/// What a file means.
pub struct Meaning {
    /// The policy.
    pub declared: Declared,
    /// The places of the endpoints whose rules they are.
    pub selected: Vec<usize>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl World {
    /// Asks the HNS.
    pub fn ask(desk: &Desk<'_>) -> Result<World, Failure> {
        let networks = desk
            .client()
            .networks(&Query::v2())
            .map_err(Failure::hns("list the networks"))?;
        let seen = desk
            .client()
            .hns()
            .list(Kind::Endpoint, &Query::v2().text())
            .map_err(Failure::hns("list the endpoints"))?;
        let read = |text: &String| {
            Endpoint::from_json(text).map_err(documents::no_document("list the endpoints"))
        };
        let endpoints = seen.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let load_balancers = documents::load_balancers(desk)?;
        let profile = desk
            .connection()
            .profile()
            .map_err(Failure::hns("read the version of HNS"))?;
        let containers = desk.containers()?;
        Ok(World {
            called: named_endpoints(&endpoints, &containers),
            documents: Documents {
                networks,
                endpoints,
                load_balancers,
            },
            profile,
            seen,
            containers,
        })
    }

    /// The endpoints.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.documents.endpoints
    }

    /// What is to be said of these endpoints where the version of HNS enforces no rules on their network.
    pub fn note_of_nat(&self, places: impl Iterator<Item = usize>) -> Option<String> {
        let idle = places.filter(|place| {
            let endpoint = &self.documents.endpoints[*place];
            is_idle(endpoint, &self.documents.networks, &self.profile)
        });
        let labels: Vec<String> = idle.map(|place| self.label(place)).collect();
        (!labels.is_empty()).then(|| no_effect(&few(&labels, MOST_NAMED), &self.profile))
    }

    /// What an endpoint is called in sentences.
    pub fn label(&self, place: usize) -> String {
        label_among(&self.documents.endpoints[place], &self.containers)
    }

    /// The id of an endpoint.
    pub fn id(&self, place: usize) -> Guid {
        guid(self.documents.endpoints[place].id.get())
    }

    /// What a file means here.
    ///
    /// # Errors
    /// All names that mean nothing, or more than one thing.
    pub fn meaning(&self, file: &PolicyFile) -> Result<Meaning, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        let mut selected: Vec<usize> = Vec::new();
        for named in &file.endpoints {
            match self.selected(named) {
                Ok(places) => selected.extend(places),
                Err(problem) => problems.push(problem),
            }
        }
        selected.sort_unstable();
        selected.dedup();
        let mut rules = Vec::with_capacity(file.rules.len());
        for rule in &file.rules {
            let peers = rule.peers.as_ref().map(|all| {
                let mut peers: Vec<IpNet> = Vec::new();
                for named in all {
                    match self.peers(named) {
                        Ok(nets) => peers.extend(nets),
                        Err(problem) => problems.push(problem),
                    }
                }
                peers.sort_unstable();
                peers.dedup();
                if peers.is_empty() {
                    notes.push(format!(
                        "the other side of rule {} is nobody now, so it is no rule in HNS",
                        rule.name
                    ));
                }
                peers.iter().map(net_text).collect()
            });
            rules.push(Rule {
                name: rule.name.clone(),
                action: rule.action,
                direction: rule.direction,
                traffic: rule.traffic.clone(),
                peers,
                priority: rule.priority,
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Meaning {
            declared: Declared {
                name: file.name.clone(),
                rules,
                rest_in: file.rest_in,
                rest_out: file.rest_out,
            },
            selected,
            notes,
        })
    }

    /// Endpoints whose rules are meant; remote ones take none (hns-behaviour 4.3).
    fn selected(&self, named: &Named) -> Result<Vec<usize>, Problem> {
        if let What::Name(name) = &named.what {
            let place = self.one(named, name)?;
            if self.documents.endpoints[place].is_remote() {
                return Err(problem(
                    named,
                    format!("{name:?} is a remote endpoint, which takes no rules"),
                    "name an endpoint of this host",
                ));
            }
            return Ok(vec![place]);
        }
        let mut places = self.all(named)?;
        places.retain(|place| !self.documents.endpoints[*place].is_remote());
        if places.is_empty() {
            return Err(problem(
                named,
                "no endpoint of this host fits",
                "hcnctl get endpoints lists them; hcnctl apply --remove NAME takes a policy away",
            ));
        }
        Ok(places)
    }

    /// Addresses of the other side.
    fn peers(&self, named: &Named) -> Result<Vec<IpNet>, Problem> {
        let places = match &named.what {
            What::Net(net) => return Ok(vec![*net]),
            What::Name(name) => match self.one(named, name) {
                Ok(place) => vec![place],
                // An endpoint that is called so goes before.
                Err(_) if name == HOST => return self.host(named),
                Err(problem) if name == OUTSIDE => {
                    return Err(Problem {
                        message: format!("{name:?} is every address that nobody here has, which no list of prefixes says"),
                        fix: "write the prefixes that are meant; or leave the member out, for anybody, and name those here in rules above".to_owned(),
                        ..problem
                    });
                }
                Err(problem) => return Err(problem),
            },
            What::Glob(_) | What::Selector(_) => self.all(named)?,
        };
        let nets: Vec<IpNet> = places
            .iter()
            .flat_map(|place| addresses(&self.documents.endpoints[*place]))
            .filter_map(|text| Some(IpNet::from(text.parse::<IpAddr>().ok()?)))
            .collect();
        match &named.what {
            // A rule without an address would be about everybody.
            What::Name(name) if nets.is_empty() => Err(problem(
                named,
                format!("{name:?} has no address to name in a rule"),
                "write the address",
            )),
            _ => Ok(nets),
        }
    }

    /// The addresses that the host has.
    fn host(&self, named: &Named) -> Result<Vec<IpNet>, Problem> {
        let (switch, _) = Switch::compile(&self.documents, &self.profile.semantics);
        let topology = Topology::of(&switch, usize::MAX);
        let mut own: Vec<IpAddr> = topology.host_addresses().map(|(own, _)| own).collect();
        own.sort_unstable();
        own.dedup();
        match own.is_empty() {
            // A rule without an address would be about everybody.
            true => Err(problem(
                named,
                "no address of the host is known: no network here has a gateway",
                "write the address",
            )),
            false => Ok(own.into_iter().map(IpNet::from).collect()),
        }
    }

    fn one(&self, named: &Named, name: &str) -> Result<usize, Problem> {
        choose(Kind::Endpoint, name, &self.called).map_err(|failure| match failure {
            Failure::Ambiguous { candidates, .. } => problem(
                named,
                format!("{name:?} names {} endpoints", candidates.len()),
                format!("say which by its id: {}", candidates.join("; ")),
            ),
            _ => problem(
                named,
                format!("there is no endpoint {name:?}"),
                self.suggestion(named, name),
            ),
        })
    }

    fn suggestion(&self, named: &Named, name: &str) -> String {
        let names = self.called.iter().flat_map(|called| &called.names);
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        match named.field.starts_with("rules") {
            true => names.extend(["any", HOST, OUTSIDE]),
            false if name.eq_ignore_ascii_case("any") || name.eq_ignore_ascii_case("all") => {
                return "\"*\" is every endpoint".to_owned();
            }
            false => {}
        }
        match crate::policy_file::nearest(name, &names) {
            Some(near) => format!("is {near:?} meant?"),
            None => "hcnctl get endpoints lists them".to_owned(),
        }
    }

    /// All endpoints that a pattern or a selector fits.
    fn all(&self, named: &Named) -> Result<Vec<usize>, Problem> {
        let by_name;
        let selector = match &named.what {
            What::Selector(selector) => selector,
            What::Glob(pattern) => {
                by_name = Selector {
                    name: Some(pattern.clone()),
                    ..Selector::default()
                };
                &by_name
            }
            What::Net(_) | What::Name(_) => return Ok(Vec::new()),
        };
        let network = selector
            .network
            .as_ref()
            .map(|name| self.network(named, name))
            .transpose()?;
        let fitting = |place: &usize| {
            let endpoint = &self.documents.endpoints[*place];
            let name = selector.name.as_ref().is_none_or(|pattern| {
                let mut names = self.called[*place].names.iter();
                names.any(|name| fits(pattern, name))
            });
            let id = selector.id.as_ref().is_none_or(|id| {
                let own = self.id(*place).to_string().to_ascii_lowercase();
                own.starts_with(&id.to_ascii_lowercase())
            });
            let address = selector.address.is_none_or(|net| {
                let own = addresses(endpoint);
                let mut own = own.iter().filter_map(|text| text.parse().ok());
                own.any(|address: IpAddr| net.contains(&address))
            });
            let on_network =
                network.is_none_or(|network| guid(endpoint.host_compute_network.get()) == network);
            name && id && address && on_network
        };
        Ok((0..self.documents.endpoints.len())
            .filter(fitting)
            .collect())
    }

    fn network(&self, named: &Named, name: &str) -> Result<Guid, Problem> {
        let fitting: Vec<Guid> = self
            .documents
            .networks
            .iter()
            .filter(|network| {
                let id = guid(network.id.get());
                network.name.get().is_some_and(|own| own == name)
                    || name.parse::<Guid>().is_ok_and(|wanted| wanted == id)
            })
            .map(|network| guid(network.id.get()))
            .collect();
        match fitting[..] {
            [one] => Ok(one),
            [] => {
                let names: Vec<String> = self
                    .documents
                    .networks
                    .iter()
                    .filter_map(|network| network.name.get().cloned())
                    .collect();
                Err(problem(
                    named,
                    format!("there is no network {name:?}"),
                    format!("there are {}", names.join(", ")),
                ))
            }
            _ => Err(problem(
                named,
                format!("{name:?} names {} networks", fitting.len()),
                "say which by its id",
            )),
        }
    }
}

/// How many names stand in a sentence.
const MOST_NAMED: usize = 8;

/// Whether the version of HNS enforces no rules of an endpoint, for its network.
pub fn is_idle(endpoint: &Endpoint, networks: &[Network], profile: &Profile) -> bool {
    let own = guid(endpoint.host_compute_network.get());
    let mut networks = networks.iter();
    let network = networks.find(|network| guid(network.id.get()) == own);
    // HNS omits enumerations whose number is 0, and NAT's is 0 (hns-behaviour 2.1).
    let is_nat = network.is_some_and(|network| {
        let own = &network.network_type;
        own.is_absent() || own.get() == Some(&NetworkType::Nat)
    });
    is_nat && !profile.semantics.acl_on_nat
}

/// The words for that.
pub fn no_effect(labels: &str, profile: &Profile) -> String {
    format!(
        "HNS {} enforces no rules on a NAT network, so those of {labels} have no effect; hcnctl lint --explain no-effect-on-nat",
        profile.version
    )
}

/// Some texts as one, of many the first.
pub fn few(all: &[impl AsRef<str>], most: usize) -> String {
    let named = all.iter().take(most).map(AsRef::as_ref);
    let named = named.collect::<Vec<&str>>().join(", ");
    match all.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// An address without the prefix of a lone one.
fn net_text(net: &IpNet) -> String {
    match net.prefix_len() == net.max_prefix_len() {
        true => net.addr().to_string(),
        false => net.to_string(),
    }
}

fn problem(named: &Named, message: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        place: named.place,
        field: named.field.clone(),
        message: message.into(),
        fix: fix.into(),
    }
}
