// SPDX-License-Identifier: MIT OR Apache-2.0
//! Members whose JSON value is of a kind that the member cannot have: a text where a list belongs.
//!
//! Apart from [`super::keys`], since the key is right; and important because all other checks take such a member for one that is not there, so that
//! silence about it would be silence about everything inside. What PowerShell printed is left out: it shows no types.

use hcn_schema::{
    Document, Endpoint, Field, LoadBalancer, Namespace, Network, Policy,
    policy::{EndpointPolicy, NetworkPolicy, SubnetPolicy},
    v1,
};
use serde_json::Value;

use super::{
    finding::{Finding, ObjectName, place},
    subject::{Known, Subject},
};
use crate::listing::Source;

/// Types whose settings are told of by what they mean.
const READ_ELSEWHERE: [&str; 3] = ["ACL", "NetworkACL", "TierAcl"];

/// Looks at the members of every document that came as JSON.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    for known in &subject.networks {
        of::<_, Network, v1::Network>(known, found);
        settings(
            known,
            &known.document.policies,
            "",
            NetworkPolicy::odd_fields,
            found,
        );
        let ipams = known.document.ipams.get().into_iter().flatten();
        for (i, ipam) in ipams.enumerate().filter(|_| !known.is_v1) {
            for (j, subnet) in ipam.subnets.get().into_iter().flatten().enumerate() {
                let at = format!("/Ipams/{i}/Subnets/{j}");
                settings(
                    known,
                    &subnet.policies,
                    &at,
                    SubnetPolicy::odd_fields,
                    found,
                );
            }
        }
    }
    for known in &subject.endpoints {
        of::<_, Endpoint, v1::Endpoint>(known, found);
        settings(
            known,
            &known.document.policies,
            "",
            EndpointPolicy::odd_fields,
            found,
        );
    }
    for known in &subject.load_balancers {
        of::<_, LoadBalancer, v1::PolicyList>(known, found);
    }
    for known in &subject.namespaces {
        of::<_, Namespace, v1::Namespace>(known, found);
    }
}

/// The members of one document, in its own shape.
fn of<T, Two: Document, One: Document>(known: &Known<T>, found: &mut Vec<Finding>) {
    if known.source != Source::Json {
        return;
    }
    let odd = |found: &mut Vec<Finding>, odd: Vec<(String, &Value)>| {
        for (pointer, value) in odd {
            tell(&known.name, pointer, value, found);
        }
    };
    match known.is_v1 {
        true => {
            let document = One::from_value(&known.value);
            odd(found, document.iter().flat_map(One::odd_fields).collect());
        }
        false => {
            let document = Two::from_value(&known.value);
            odd(found, document.iter().flat_map(Two::odd_fields).collect());
        }
    }
}

/// The settings of its policies, where they have a shape of their own.
fn settings<T>(
    known: &Known<T>,
    policies: &Field<Vec<Policy>>,
    at: &str,
    odd_fields: fn(&Policy) -> Vec<(String, Value)>,
    found: &mut Vec<Finding>,
) {
    if known.source != Source::Json || known.is_v1 {
        return;
    }
    for (place, policy) in policies.get().into_iter().flatten().enumerate() {
        if READ_ELSEWHERE.iter().any(|own| policy.is(own)) {
            continue;
        }
        for (pointer, value) in odd_fields(policy) {
            let pointer = format!("{at}/Policies/{place}{pointer}");
            tell(&known.name, pointer, &value, found);
        }
    }
}

fn tell(object: &ObjectName, pointer: String, value: &Value, found: &mut Vec<Finding>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list with an item",
        Value::Object(_) => "an object",
    };
    let message = format!("is {kind} that has no meaning here, so nothing in it is examined");
    found.push(
        Finding::new("unreadable-member", object, &pointer, message)
            .with([place(&pointer, value.to_string())]),
    );
}
