// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules of an owner among those of others: whose a rule is, what is to be sent, and whether HNS keeps it.
//!
//! Apart from those who decide which rules there shall be ([`crate::intent`], [`crate::declared`]), because all of them write in one way. HNS's
//! Remove of an ACL is not to be relied on (hns-behaviour 4.11), so the way is always get, merge, Update, read back. Invariant: rules of others are
//! sent back as they were read.

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{
    Document, Endpoint, Guid, Policy, Query,
    modify::{EndpointResourceType, RequestType},
    policy::{Acl, AclAction, AclDirection, AclRuleType},
};
use serde_json::{Map, Value};

use crate::client::{Client, policy_request};

/// Beginning of the `Id` of every rule that is ours, whoever of us made it.
const OURS: &str = "hcnctl:";
/// The same, of rules that a policy declares.
const DECLARED: &str = "hcnctl:apply:";

/// Who of us made a rule. The `Id` of the rule tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Block and allow.
    Hand,
    /// The policy of this name, which has no colon.
    Policy(String),
}

impl Owner {
    /// The `Id` of a rule of this owner.
    pub fn id(&self, name: &str) -> String {
        match self {
            Owner::Hand => format!("{OURS}{name}"),
            Owner::Policy(policy) => format!("{DECLARED}{policy}:{name}"),
        }
    }

    /// The name of a rule, where the `Id` is one of this owner.
    pub fn name_in<'a>(&self, id: &'a str) -> Option<&'a str> {
        match self {
            Owner::Hand => id.strip_prefix(OURS).filter(|_| !id.starts_with(DECLARED)),
            Owner::Policy(policy) => id
                .strip_prefix(DECLARED)?
                .strip_prefix(policy.as_str())?
                .strip_prefix(':'),
        }
    }

    /// Whether a rule is this owner's.
    pub fn owns(&self, acl: &Acl) -> bool {
        acl.id.get().is_some_and(|id| self.name_in(id).is_some())
    }

    fn owns_policy(&self, policy: &Policy) -> bool {
        policy.is("ACL") && self.owns(&policy.settings_as())
    }
}

/// Whether a rule is ours, whoever of us made it.
pub fn is_ours(acl: &Acl) -> bool {
    acl.id.get().is_some_and(|id| id.starts_with(OURS))
}

/// The policy that a rule is of, where a policy declares it.
pub fn policy_of(acl: &Acl) -> Option<&str> {
    let (policy, _) = acl.id.get()?.strip_prefix(DECLARED)?.split_once(':')?;
    Some(policy)
}

/// A Switch rule with nothing but its head.
pub(crate) fn rule(action: AclAction, direction: AclDirection, priority: u16, id: String) -> Acl {
    Acl {
        action: action.into(),
        direction: direction.into(),
        priority: priority.into(),
        rule_type: AclRuleType::Switch.into(),
        id: id.into(),
        ..Acl::default()
    }
}

/// What an owner meets on an endpoint.
pub(crate) struct Standing {
    /// Rules of the owner.
    pub owned: Vec<Acl>,
    /// Rules of everybody else.
    pub others: Vec<Acl>,
    /// How many rules and tiers of everybody else decide in the Switch layer.
    pub deciding: usize,
    /// How many of those are of nobody of us, and so bring no baseline of ours.
    pub strangers: usize,
}

impl Standing {
    pub fn of(endpoint: &Endpoint, owner: &Owner) -> Standing {
        let policies = endpoint.policies.get().map_or(&[][..], Vec::as_slice);
        let rules = policies.iter().filter(|policy| policy.is("ACL"));
        let (owned, others): (Vec<Acl>, Vec<Acl>) = rules
            .map(Policy::settings_as)
            .partition(|acl| owner.owns(acl));
        let tiers = policies
            .iter()
            .filter(|policy| policy.is("TierAcl"))
            .count();
        let on_switch = |acl: &&Acl| acl.rule_type.get() != Some(&AclRuleType::Host);
        let deciding = others.iter().filter(on_switch).count() + tiers;
        let strangers = others
            .iter()
            .filter(on_switch)
            .filter(|acl| !is_ours(acl))
            .count()
            + tiers;
        Standing {
            owned,
            others,
            deciding,
            strangers,
        }
    }
}

/// What an owner's wish makes of an endpoint's policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whose rules it is about.
    pub owner: Owner,
    /// The policies to send with Update; `None` where everything is as it should be.
    pub update: Option<Vec<Policy>>,
    /// Rules of the owner that come.
    pub added: Vec<Acl>,
    /// Rules of the owner that go.
    pub removed: Vec<Acl>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// The text of the Update request, where one is needed.
    pub fn request(&self) -> Option<String> {
        self.update.as_deref().map(update_request)
    }

    /// How many policies the Update carries that are not the owner's and go along.
    pub fn carried(&self) -> usize {
        let sent = self.update.iter().flatten();
        sent.filter(|policy| !self.owner.owns_policy(policy))
            .count()
    }

    /// The endpoint's document as it will be.
    pub fn outcome(&self, endpoint: &Endpoint) -> Endpoint {
        let mut next = endpoint.clone();
        if let Some(update) = &self.update {
            let kept = endpoint.policies.or_default().into_iter();
            let kept = kept.filter(|policy| !is_replaced(policy));
            next.policies
                .set(kept.chain(update.iter().cloned()).collect());
        }
        next
    }
}

/// An Update of policies.
pub(crate) fn update_request(policies: &[Policy]) -> String {
    policy_request(
        EndpointResourceType::Policy.text(),
        RequestType::Update,
        policies,
    )
}

/// Plans that an owner has these rules and no others; pure.
pub fn merge(endpoint: &Endpoint, owner: &Owner, wanted: &[Acl]) -> Plan {
    let owned = Standing::of(endpoint, owner).owned;
    let said = |all: &[Acl]| -> Vec<Map<String, Value>> { all.iter().map(what_it_says).collect() };
    let (said_now, said_then) = (said(&owned), said(wanted));
    let without = |some: &[Acl], said: &[Map<String, Value>], all: &[Map<String, Value>]| {
        let rest = some.iter().zip(said).filter(|(_, own)| !all.contains(own));
        rest.map(|(acl, _)| acl.clone()).collect::<Vec<Acl>>()
    };
    let added = without(wanted, &said_then, &said_now);
    let removed = without(&owned, &said_now, &said_then);
    let is_there = added.is_empty() && removed.is_empty() && owned.len() == wanted.len();
    let update = (!is_there).then(|| {
        // Everything that Update would take away goes along, as it was read, and in its order.
        let mut update: Vec<Policy> = replaced(endpoint)
            .filter(|policy| !owner.owns_policy(policy))
            .cloned()
            .collect();
        update.extend(wanted.iter().map(|acl| Policy::new("ACL", acl)));
        update
    });
    Plan {
        owner: owner.clone(),
        update,
        added,
        removed,
        notes: Vec::new(),
    }
}

/// The policies that an Update takes away where it does not send them, in their order.
pub(crate) fn replaced(endpoint: &Endpoint) -> impl Iterator<Item = &Policy> {
    let policies = endpoint.policies.get().into_iter().flatten();
    policies.filter(|policy| is_replaced(policy))
}

/// Reads an endpoint, plans, sends the Update, and reads back whether HNS keeps what it was sent; again where somebody was faster.
///
/// The Update replaces rules of others by what was read of them, so it is sent only while the endpoint still is what was read
/// ([`hcn_api::Hns::modify_seen`]).
///
/// # Errors
/// Those of [`hcn_api::Hns::modify`]; `ERROR_SHARING_VIOLATION` where others change the endpoint all the time; `E_UNEXPECTED` where HNS says
/// yes and keeps something else.
pub fn carry_out(
    client: &Client,
    id: Guid,
    make: impl Fn(&Endpoint) -> Plan,
) -> Answer<(Endpoint, Plan)> {
    /// Each try loses against a change of somebody else's that succeeded, so this many in a row do not happen by chance.
    const TRIES: usize = 1000;
    let object = ObjectId {
        kind: Kind::Endpoint,
        id,
    };
    for _ in 0..TRIES {
        let seen = client.hns().query(object, &Query::v2().text())?;
        let endpoint = Endpoint::from_json(&seen).map_err(|error| {
            HnsError::because(
                HcnCode::HCN_E_INVALID_JSON,
                format!("HNS answered with no endpoint: {error}"),
            )
        })?;
        let plan = make(&endpoint);
        let Some(request) = plan.request() else {
            return Ok((endpoint, plan));
        };
        if client.hns().modify_seen(object, &seen, &request)? {
            return Ok((endpoint, plan));
        }
    }
    Err(HnsError::because(
        HcnCode::ERROR_SHARING_VIOLATION,
        format!("others change the endpoint {id} all the time; nothing of ours was changed"),
    ))
}

/// Whether HNS keeps what a plan sent.
///
/// # Errors
/// `E_UNEXPECTED` with the rule of ours that is missing.
pub fn read_back(client: &Client, id: Guid, plan: &Plan) -> Answer<()> {
    let Some(sent) = &plan.update else {
        return Ok(());
    };
    // Others may have added rules since; ours have to be there, each as often as it was sent.
    let mut kept: Vec<Map<String, Value>> = client
        .endpoint(id)?
        .policies
        .get()
        .into_iter()
        .flatten()
        .map(comparable)
        .collect();
    for rule in sent
        .iter()
        .filter(|policy| plan.owner.owns_policy(policy))
        .map(comparable)
    {
        match kept.iter().position(|own| *own == rule) {
            Some(position) => {
                kept.remove(position);
            }
            None => return Err(kept_something_else(id, &rule)),
        }
    }
    Ok(())
}

pub(crate) fn kept_something_else(id: Guid, rule: &Map<String, Value>) -> HnsError {
    HnsError::because(
        HcnCode::E_UNEXPECTED,
        format!(
            "HNS took the Update, but the endpoint {id} lacks a rule that was sent: {}",
            Value::Object(rule.clone())
        ),
    )
}

/// A policy without what HNS adds.
pub(crate) fn comparable(policy: &Policy) -> Map<String, Value> {
    let mut map = policy.settings.or_default();
    if policy.is("ACL") {
        map.shift_remove("Scope");
    }
    map.insert(
        "Type".to_owned(),
        Value::from(policy.policy_type.or_default().to_ascii_lowercase()),
    );
    map
}

/// Whether an Update takes away policies of the type that it does not send (hns-behaviour 4.10).
pub(crate) fn is_replaced(policy: &Policy) -> bool {
    ["ACL", "TierAcl", "L4Proxy", "L4WFPPROXY"]
        .iter()
        .any(|own| policy.is(own))
}

/// A rule without what HNS adds.
fn what_it_says(acl: &Acl) -> Map<String, Value> {
    let mut acl = acl.clone();
    acl.scope.clear();
    acl.to_map()
}
