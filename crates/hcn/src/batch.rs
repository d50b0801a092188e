// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes of the rules of several endpoints: all of them, or none.
//!
//! Apart from one endpoint's change, because HNS has no transaction over endpoints: what was changed before a failure has to be taken back, and
//! that may fail too. Invariant: an outcome says of every endpoint of the batch what is known of it, and never that something was taken back that
//! was not read back.

use hcn_api::{Answer, HcnCode, HnsError, Kind, ObjectId};
use hcn_schema::{Document, Endpoint, Guid, Policy, Query};
use serde_json::{Value, json};

use crate::{
    client::Client,
    owned::{Owner, Plan, comparable, kept_something_else, merge, replaced, update_request},
};

/// Others that change an endpoint all the time make an undo begin anew this often.
const TRIES: usize = 1000;
/// Endpoints in a row for which a server may leave a request unanswered, each of which may take a minute.
const MOST_UNANSWERED: usize = 2;

/// One endpoint's change.
#[derive(Clone, Debug)]
pub struct Step {
    /// The endpoint.
    pub id: Guid,
    /// Its document, as HNS answered it: it is changed only while it says the same.
    pub seen: String,
    /// The policies that an Update replaces, as they were.
    pub before: Vec<Policy>,
    /// The change.
    pub plan: Plan,
}

impl Step {
    /// The change of an endpoint whose document is this one; `None` where there is nothing to change.
    pub fn of(id: Guid, seen: String, endpoint: &Endpoint, plan: Plan) -> Option<Step> {
        plan.update.is_some().then(|| Step {
            id,
            seen,
            before: replaced(endpoint).cloned().collect(),
            plan,
        })
    }

    /// What it takes to take the change back.
    pub fn undo(&self) -> Undo {
        Undo {
            id: self.id,
            owner: self.plan.owner.clone(),
            before: self.before.clone(),
            sent: self.plan.update.clone().unwrap_or_default(),
        }
    }
}

/// What it takes to take one endpoint's change back; it can be written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The endpoint.
    pub id: Guid,
    /// Whose rules were changed.
    pub owner: Owner,
    /// The policies that an Update replaces, as they were before.
    pub before: Vec<Policy>,
    /// The policies that were sent.
    pub sent: Vec<Policy>,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that change something.
    pub calls: usize,
    /// Policies in them.
    pub rules: usize,
}

/// Why a batch was not carried out.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The endpoint at which it ended.
    pub id: Guid,
    /// What HNS said; `None` where the endpoint was not any more what had been seen.
    pub error: Option<HnsError>,
    /// Steps that may have changed something, the failing one included where HNS said no to it.
    pub begun: usize,
}

/// Carries out all steps, and reads each back.
///
/// # Errors
/// [`Broken`]; the caller takes back what was begun ([`take_back`]).
pub fn carry_out(client: &Client, steps: &[Step]) -> Result<Tally, Broken> {
    let mut tally = Tally::default();
    for (place, step) in steps.iter().enumerate() {
        let Some(request) = step.plan.request() else {
            continue;
        };
        let object = object(step.id);
        let broken = |error, begun| Broken {
            id: step.id,
            error,
            begun,
        };
        match client.hns().modify_seen(object, &step.seen, &request) {
            Ok(true) => {}
            Ok(false) => return Err(broken(None, place)),
            // HNS may have done it and then failed to say so.
            Err(error) => return Err(broken(Some(error), place + 1)),
        }
        tally.calls += 1;
        tally.rules += step.plan.update.as_ref().map_or(0, Vec::len);
    }
    for step in steps {
        if let Err(error) = is_kept(client, step) {
            return Err(Broken {
                id: step.id,
                error: Some(error),
                begun: steps.len(),
            });
        }
    }
    Ok(tally)
}

/// Whether HNS keeps the owner's rules that were sent, and no others of this owner.
fn is_kept(client: &Client, step: &Step) -> Answer<()> {
    let Some(sent) = &step.plan.update else {
        return Ok(());
    };
    let now = client.endpoint(step.id)?;
    let now: Vec<Policy> = replaced(&now).cloned().collect();
    owned_differ(&step.plan.owner, sent, &now)
        .map_or(Ok(()), |rule| Err(kept_something_else(step.id, &rule)))
}

/// A rule of an owner that one of two lists has and the other has not, or not as often.
fn owned_differ(
    owner: &Owner,
    wanted: &[Policy],
    now: &[Policy],
) -> Option<serde_json::Map<String, Value>> {
    let owned = |list: &[Policy]| -> Vec<_> {
        let own = list
            .iter()
            .filter(|policy| policy.is("ACL") && owner.owns(&policy.settings_as()));
        own.map(comparable).collect()
    };
    let mut now = owned(now);
    for rule in owned(wanted) {
        match now.iter().position(|own| *own == rule) {
            Some(place) => {
                now.swap_remove(place);
            }
            None => return Some(rule),
        }
    }
    now.pop()
}

/// What became of taking back one endpoint's change.
#[derive(Clone, Debug)]
pub enum Undone {
    /// The policies that an Update replaces were read back as they were, in their order. Those of other types are never sent; HNS may list them
    /// before these where they came after.
    Back,
    /// Others changed it meanwhile: their rules stay, and the owner's are as they were.
    Merged,
    /// It was as before: the change had not reached it.
    Untouched,
    /// The endpoint is gone, and its rules with it.
    Gone,
    /// It could not be taken back.
    Failed(HnsError),
}

/// Takes changes back, last first, and reads each back. A failure at one endpoint does not keep the others from being taken back; but where nobody
/// answers any more, not all of them are asked in vain.
pub fn take_back(client: &Client, undos: &[Undo]) -> Vec<(Guid, Undone)> {
    let mut unanswered = 0;
    let mut one = |undo: &Undo| {
        if unanswered >= MOST_UNANSWERED {
            return Undone::Failed(HnsError::because(
                HcnCode::RPC_S_SERVER_UNAVAILABLE,
                "it is not asked any more, since it did not answer for the endpoints before",
            ));
        }
        let outcome = undo.carry_out(client);
        unanswered = match &outcome {
            Err(error) if error.code == HcnCode::RPC_S_SERVER_UNAVAILABLE => unanswered + 1,
            _ => 0,
        };
        match outcome {
            Ok(undone) => undone,
            Err(error) if error.code.is_not_found() => Undone::Gone,
            Err(error) => Undone::Failed(error),
        }
    };
    undos
        .iter()
        .rev()
        .map(|undo| (undo.id, one(undo)))
        .collect()
}

impl Undo {
    fn carry_out(&self, client: &Client) -> Answer<Undone> {
        for _ in 0..TRIES {
            let seen = client.hns().query(object(self.id), &Query::v2().text())?;
            let endpoint = endpoint(&seen)?;
            let now: Vec<Policy> = replaced(&endpoint).cloned().collect();
            if alike(&now, &self.before) {
                return Ok(Undone::Untouched);
            }
            let (request, undone) = if alike(&now, &self.sent) {
                (update_request(&self.before), Undone::Back)
            } else {
                let theirs: Vec<_> = self
                    .before
                    .iter()
                    .filter(|policy| policy.is("ACL"))
                    .map(Policy::settings_as)
                    .filter(|acl| self.owner.owns(acl))
                    .collect();
                match merge(&endpoint, &self.owner, &theirs).request() {
                    Some(request) => (request, Undone::Merged),
                    None => return Ok(Undone::Merged),
                }
            };
            if !client.hns().modify_seen(object(self.id), &seen, &request)? {
                continue;
            }
            let now = client.endpoint(self.id)?;
            let now: Vec<Policy> = replaced(&now).cloned().collect();
            return match owned_differ(&self.owner, &self.before, &now) {
                None if matches!(undone, Undone::Back) && !alike(&now, &self.before) => {
                    Ok(Undone::Merged)
                }
                None => Ok(undone),
                Some(rule) => Err(kept_something_else(self.id, &rule)),
            };
        }
        Err(HnsError::because(
            HcnCode::ERROR_SHARING_VIOLATION,
            format!("others change the endpoint {} all the time", self.id),
        ))
    }

    /// As a JSON object.
    pub fn to_value(&self) -> Value {
        let list = |policies: &[Policy]| -> Vec<Value> {
            policies.iter().map(Document::to_value).collect()
        };
        let policy = match &self.owner {
            Owner::Hand => Value::Null,
            Owner::Policy(name) => Value::from(name.as_str()),
        };
        json!({
            "endpoint": self.id.to_string(),
            "policy": policy,
            "before": list(&self.before),
            "sent": list(&self.sent),
        })
    }

    /// From a JSON object; `None` where it is none of these.
    pub fn from_value(value: &Value) -> Option<Undo> {
        let list = |key: &str| -> Option<Vec<Policy>> {
            let items = value.get(key)?.as_array()?.iter();
            items.map(Policy::from_value).collect()
        };
        Some(Undo {
            id: value.get("endpoint")?.as_str()?.parse().ok()?,
            owner: match value.get("policy")? {
                Value::Null => Owner::Hand,
                name => Owner::Policy(name.as_str()?.to_owned()),
            },
            before: list("before")?,
            sent: list("sent")?,
        })
    }
}

/// Whether two lists say the same in the same order, but for what HNS adds.
fn alike(one: &[Policy], other: &[Policy]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| comparable(one) == comparable(other))
}

fn object(id: Guid) -> ObjectId {
    ObjectId {
        kind: Kind::Endpoint,
        id,
    }
}

/// What HNS answered, as an endpoint.
fn endpoint(text: &str) -> Answer<Endpoint> {
    Endpoint::from_json(text).map_err(|error| {
        HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("HNS answered with no endpoint: {error}"),
        )
    })
}

#[cfg(test)]
mod tests;
