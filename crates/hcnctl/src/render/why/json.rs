// SPDX-License-Identifier: MIT OR Apache-2.0
//! An explanation for programs. `docs/schema/why.json` describes it; a test holds it to that.
//!
//! Apart from the text because nothing is left out here that a program might ask for.

use hcn_engine::{
    Decision, Flow,
    verdict::{Cause, Reason, RuleReference},
    way::{Hop, Kept, Way},
    why::{Field, Judgement, NamedSet, Near, Rule, StageReport},
};
use serde_json::{Value, json};

use super::{Names, Otherwise, Page, cause_words, ending, ending_of, outcome};

/// The page.
pub(crate) fn json_page(page: &Page<'_>) -> Value {
    let way = &page.explanation.way;
    let mut judgements = page.explanation.judgements.iter();
    let faults = page.explanation.faults.iter().map(|fault| {
        json!({
            "object": fault.object.to_string(), "pointer": fault.pointer, "message": fault.message_of(&page.names.hns),
            "lacks": fault.lacks.map(|(part, _)| part.to_string()),
        })
    });
    let unfollowed = page.explanation.unfollowed.iter().map(|policy| {
        json!({
            "object": policy.object.to_string(), "pointer": policy.pointer, "type": policy.policy_type, "does": policy.does,
        })
    });
    let source_ports = page.explanation.source_ports.iter().map(|ports| {
        let ranges = ports.ranges.iter();
        json!({
            "ranges": ranges.map(|(first, last)| json!({"first": first, "last": last})).collect::<Vec<_>>(),
            "allowed": ports.fate.is_allowed(),
            "outcome": outcome(ports.fate),
        })
    });
    json!({
        "from": page.question.from,
        "to": page.question.to,
        "flow": flow(&way.flow),
        "profile": page.profile,
        "allowed": page.question.is_allowed(way.fate),
        "outcome": outcome(way.fate),
        "ending": ending_of(&page.names, page.question, way.fate),
        "steps": steps(&page.names, way, &mut judgements),
        "sourcePortGiven": page.question.is_port_given,
        "sourcePorts": source_ports.collect::<Vec<_>>(),
        "profiles": answers(page, &page.profiles, "version"),
        "openQuestions": answers(page, &page.questions, "question"),
        "otherFamily": page.other_family.as_ref().map(|other| {
            let fate = other.explanation.way.fate;
            json!({
                "flow": flow(&other.explanation.way.flow),
                "allowed": other.question.is_allowed(fate),
                "outcome": outcome(fate),
                "ending": ending_of(&page.names, &other.question, fate),
            })
        }),
        "notes": page.notes,
        "unfollowed": unfollowed.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
    })
}

fn answers(page: &Page<'_>, others: &[Otherwise], key: &str) -> Vec<Value> {
    let answer = |other: &Otherwise| {
        let last = other.answer.last.as_ref();
        let last = last.map(|(endpoint, direction, cause)| {
            json!({
                "endpoint": endpoint.to_string(),
                "direction": direction.to_string(),
                "cause": cause_of(&page.names, cause),
            })
        });
        let mut answer = json!({
            key: other.name,
            "says": other.says,
            "allowed": other.answer.fate.is_allowed(),
            "outcome": outcome(other.answer.fate),
            "differs": other.answer.fate != page.explanation.way.fate,
            "last": last,
        });
        if key == "version" {
            let lacks = other.lacks.iter().map(ToString::to_string);
            answer["lacks"] = lacks.collect::<Vec<String>>().into();
        }
        answer
    };
    others.iter().map(answer).collect()
}

pub(crate) fn flow(flow: &Flow) -> Value {
    let ports = flow.protocol.has_ports();
    json!({
        "protocol": flow.protocol.0,
        "source": flow.source.to_string(),
        "sourcePort": ports.then_some(flow.source_port),
        "destination": flow.destination.to_string(),
        "destinationPort": ports.then_some(flow.destination_port),
    })
}

fn steps(
    names: &Names<'_>,
    way: &Way,
    judgements: &mut dyn Iterator<Item = &Judgement>,
) -> Vec<Value> {
    let step = |hop: &Hop| step(names, hop, judgements);
    way.hops.iter().filter_map(step).collect()
}

fn step(
    names: &Names<'_>,
    hop: &Hop,
    judgements: &mut dyn Iterator<Item = &Judgement>,
) -> Option<Value> {
    let route = |how: &str, network: usize, router: Option<String>| {
        let network = names.switch.networks.get(network);
        let network = network.map(|network| network.id.to_string());
        json!({"kind": "route", "how": how, "network": network, "router": router})
    };
    Some(match hop {
        Hop::OnLink { network } => route("on-link", *network, None),
        Hop::ToRouter { network, router } => {
            route("default-router", *network, Some(router.to_string()))
        }
        Hop::Routed { network } => route("host", *network, None),
        Hop::Judged { .. } => judged(names, judgements.next()?),
        Hop::Published { mapping, flow: to } => {
            let mapping = names.switch.port_mappings.get(*mapping)?;
            json!({
                "kind": "published",
                "endpoint": names.port(mapping.port).to_string(),
                "pointer": mapping.pointer,
                "flow": flow(to),
            })
        }
        Hop::Hidden { network } => {
            let network = names.switch.networks.get(*network)?;
            json!({
                "kind": "nat",
                "object": network.id.to_string(),
                "pointer": null,
                "translated": true,
                "source": null,
                "exception": null,
            })
        }
        Hop::Outbound { port, policy, kept } => {
            let policy = names.outbound(*port, *policy)?;
            let source = policy.source.filter(|_| kept.is_none());
            let exception = match kept {
                Some(Kept::Exception(exception)) => Some(exception.to_string()),
                Some(Kept::NotADestination | Kept::Icmp) | None => None,
            };
            json!({
                "kind": "nat",
                "object": names.port(*port).to_string(),
                "pointer": policy.pointer,
                "translated": kept.is_none(),
                "source": source.map(|source| source.to_string()),
                "exception": exception,
            })
        }
        Hop::Balanced {
            balancer,
            port,
            branches,
        } => {
            let balancer = names.switch.balancers.get(*balancer)?;
            let mut backends = Vec::with_capacity(branches.len());
            for branch in branches {
                let backend = balancer.backends.get(branch.backend)?;
                backends.push(json!({
                    "endpoint": backend.endpoint.to_string(),
                    "flow": flow(&branch.way.flow),
                    "allowed": branch.way.fate.is_allowed(),
                    "outcome": outcome(branch.way.fate),
                    "ending": ending(names, branch.way.fate),
                    "steps": steps(names, &branch.way, judgements),
                }));
            }
            json!({
                "kind": "balanced",
                "balancer": balancer.id.to_string(),
                "pointer": balancer.ports.get(*port)?.pointer,
                "direct": balancer.is_direct,
                "sourceVip": balancer.source_vip.map(|vip| vip.to_string()),
                "backends": backends,
            })
        }
    })
}

fn judged(names: &Names<'_>, judgement: &Judgement) -> Value {
    let without = judgement.without.as_ref().map(|without| {
        let instead = without.instead.as_ref();
        json!({
            "allowed": without.fate.is_allowed(),
            "outcome": outcome(without.fate),
            "redundant": without.is_redundant,
            "decision": instead.map(|(decision, _)| decision.to_string()),
            "cause": instead.map(|(_, cause)| cause_of(names, cause)),
        })
    });
    json!({
        "kind": "judged",
        "endpoint": judgement.endpoint.to_string(),
        "name": names.of(judgement.endpoint),
        "direction": judgement.direction.to_string(),
        "flow": flow(&judgement.flow),
        "decision": judgement.decision.to_string(),
        "cause": cause_of(names, &judgement.cause),
        "layers": judgement.stages.iter().map(layer).collect::<Vec<_>>(),
        "without": without,
    })
}

pub(crate) fn cause_of(names: &Names<'_>, cause: &Cause) -> Value {
    json!({
        "layer": cause.layer.to_string(),
        "reason": reason_word(cause.reason),
        "rule": cause.rule.as_ref().map(reference),
        "tie": cause.tie,
        "words": cause_words(names, cause),
    })
}

fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Rule(_) => "rule",
        Reason::NoRules => "no-rules",
        Reason::WithoutEffect => "without-effect",
        Reason::Default => "default-deny",
        Reason::DefaultAllow => "default-allow",
        Reason::NoIntercommunication => "flag",
        Reason::Established => "established",
    }
}

fn reference(rule: &RuleReference) -> Value {
    json!({
        "object": rule.object.to_string(),
        "pointer": rule.pointer,
        "id": rule.id,
        "action": rule.action.to_string(),
        "priority": rule.priority,
        "text": rule.text,
    })
}

fn rule_of(rule: &Rule) -> Value {
    let set = |set: &NamedSet| {
        json!({
            "field": set.field.name(),
            "means": match set.field {
                Field::LocalAddresses => "source",
                _ => "destination",
            },
            "id": set.id,
            "name": set.name,
            "nested": set.is_nested,
            "address": set.address.to_string(),
            "holds": set.holds,
            "values": set.values,
        })
    };
    json!({
        "object": rule.object.to_string(),
        "pointer": rule.pointer,
        "id": rule.id,
        "action": rule.action.to_string(),
        "priority": rule.priority,
        "text": rule.text,
        "sets": rule.sets.iter().map(set).collect::<Vec<_>>(),
    })
}

fn layer(stage: &StageReport) -> Value {
    let rules = |rules: &[Rule]| rules.iter().map(rule_of).collect::<Vec<_>>();
    let by_field = stage.stronger.by_field.iter();
    let by_field = by_field.map(|(field, count)| json!({"field": field.name(), "count": count}));
    let near = |near: &Near| {
        let failed: Vec<&str> = near.failed.iter().map(|field| field.name()).collect();
        json!({"rule": rule_of(&near.rule), "failed": failed})
    };
    let decision = |(decision, _): (Decision, Reason)| decision.to_string();
    json!({
        "layer": stage.layer.to_string(),
        "rules": stage.rules,
        "decision": stage.ruling.map(decision),
        "reason": stage.ruling.map(|(_, reason)| reason_word(reason)),
        "decider": stage.decider.as_ref().map(rule_of),
        "ties": rules(&stage.ties),
        "passed": rules(&stage.passed),
        "stronger": {
            "count": stage.stronger.count,
            "byField": by_field.collect::<Vec<_>>(),
            "nearest": stage.stronger.nearest.iter().map(near).collect::<Vec<_>>(),
        },
        "weaker": {
            "count": stage.weaker.count,
            "next": rules(&stage.weaker.next),
            "other": stage.weaker.other.as_ref().map(rule_of),
        },
    })
}
