// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies in words: one line that says what a rule does.
//!
//! Apart because tables, pages, comparisons and the commands that change rules all say it, and must say it alike. Invariant:
//! nothing that the settings say is left out, except empty members and HNS's own `Scope` 0.

use std::fmt::Write;

use hcn_schema::{
    Document, Field, Policy,
    policy::{Acl, AclDirection, acl::TierAclRule},
};
use serde_json::{Map, Value};

use super::{field_text, plain, shown, word};

/// A rule in words, e.g. `Block In tcp to local 172.19.6.74 port 80, priority 100`.
pub fn words(acl: &Acl) -> String {
    words_with_sets(acl, &|_| false)
}

/// As [`words`], where it is known which ids are those of IP sets. In `LocalAddresses` a set means the source and in `RemoteAddresses` the
/// destination, whichever the direction (hns-behaviour 4.7).
pub fn words_with_sets(acl: &Acl, is_set: &dyn Fn(&str) -> bool) -> String {
    let acl = with_plurals(acl);
    let protocols = field_text(&acl.protocols);
    let local_ports = field_text(&acl.local_ports);
    let remote_ports = field_text(&acl.remote_ports);
    let action = field_text(&acl.action);
    let direction = field_text(&acl.direction);
    let mut text = format!(
        "{} {} {}",
        if action.is_empty() {
            "(no action)"
        } else {
            &action
        },
        if direction.is_empty() {
            "(no direction)"
        } else {
            &direction
        },
        any_protocol(&protocols)
    );
    let (source_sets, local) = sets_apart(&field_text(&acl.local_addresses), is_set);
    let (destination_sets, remote) = sets_apart(&field_text(&acl.remote_addresses), is_set);
    let local = place("local", &local, &local_ports);
    let remote = place("remote", &remote, &remote_ports);
    // Destination first: local is the destination of what comes in (hns-behaviour 4.7).
    let (to, from) = if direction.eq_ignore_ascii_case("Out") {
        (remote, local)
    } else {
        (local, remote)
    };
    push_place(&mut text, "to", &to);
    push_place(&mut text, "from", &from);
    push_place(&mut text, "to destinations in", &destination_sets);
    push_place(&mut text, "from sources in", &source_sets);
    push_member(&mut text, "priority", &field_text(&acl.priority));
    push_member(&mut text, "rule type", &field_text(&acl.rule_type));
    push_member(&mut text, "service", &field_text(&acl.service_name));
    push_member(&mut text, "id", &field_text(&acl.id));
    let scope = field_text(&acl.scope);
    if scope != "0" {
        push_member(&mut text, "scope", &scope);
    }
    for (key, value) in &acl.extra {
        if !is_blank(value) {
            let _ = write!(text, ", {}={}", shown(key), shown(&plain(value)));
        }
    }
    text
}

/// The rule with what v1's singular members (`Protocol`, `LocalPort`, `RemotePort`) say moved into the plural ones.
///
/// HNS fills them in with 0 or 256, which mean any (hns-behaviour 4.7, 4.9); a plural member goes before its singular.
pub fn with_plurals(acl: &Acl) -> Acl {
    let mut acl = acl.clone();
    let plurals = [
        ("Protocol", Some(&mut acl.protocols)),
        ("LocalPort", Some(&mut acl.local_ports)),
        ("RemotePort", Some(&mut acl.remote_ports)),
        ("InternalPort", None),
    ];
    for (key, plural) in plurals {
        let Some(own) = acl.extra.keys().find(|own| own.eq_ignore_ascii_case(key)) else {
            continue;
        };
        let own = own.clone();
        let said = acl.extra.get(&own).map(plain).unwrap_or_default();
        if said == "0" || (said == "256" && key == "Protocol") {
            acl.extra.shift_remove(&own);
        } else if let Some(plural) = plural
            && plural.or_default().is_empty()
        {
            acl.extra.shift_remove(&own);
            plural.set(said);
        }
    }
    acl
}

/// A rule of a `TierAcl` as a rule that stands alone, so that it is shown like one.
pub fn of_tier(direction: &Field<AclDirection>, rule: &TierAclRule) -> Acl {
    Acl {
        protocols: rule.protocols.clone(),
        action: rule.action.clone(),
        direction: direction.clone(),
        local_addresses: rule.local_addresses.clone(),
        remote_addresses: rule.remote_addresses.clone(),
        local_ports: rule.local_ports.clone(),
        remote_ports: rule.remote_ports.clone(),
        priority: rule.priority.clone(),
        id: rule.id.clone(),
        extra: rule.extra.clone(),
        ..Acl::default()
    }
}

/// Any policy in words: rules as [`words`], port mappings as `PortMapping tcp 8080 to 80`, others with their settings.
pub fn policy_words(policy: &Policy) -> String {
    let settings = policy.settings.get().unwrap_or(&policy.extra);
    words_of(&field_text(&policy.policy_type), settings)
}

/// [`policy_words`] of a type and settings that stand apart, as in v1 documents.
pub fn words_of(policy_type: &str, settings: &Map<String, Value>) -> String {
    if policy_type.eq_ignore_ascii_case("ACL") {
        return words(&Acl::from_map(settings));
    }
    if policy_type.eq_ignore_ascii_case("NetworkACL") {
        return format!("NetworkACL {}", words(&Acl::from_map(settings)));
    }
    let mut text = if policy_type.is_empty() {
        "(no type)".to_owned()
    } else {
        shown(policy_type).into_owned()
    };
    let mut rest = settings.clone();
    if policy_type.eq_ignore_ascii_case("PortMapping") || policy_type.eq_ignore_ascii_case("NAT") {
        let mut take = |key: &str| {
            let key = rest.keys().find(|own| own.eq_ignore_ascii_case(key))?;
            let key = key.clone();
            rest.shift_remove(&key).map(|value| plain(&value))
        };
        let protocol = take("Protocol").unwrap_or_default();
        let (outside, inside) = (take("ExternalPort"), take("InternalPort"));
        let _ = write!(
            text,
            " {} {} to {}",
            shown(&word::protocols(&protocol)),
            shown(outside.as_deref().unwrap_or("any")),
            shown(inside.as_deref().unwrap_or("any"))
        );
    }
    let members = settings_text(&rest);
    if !members.is_empty() {
        text.push(' ');
        text.push_str(&members);
    }
    text
}

/// Settings as `Key=value; Key=value`, empty ones left out.
pub fn settings_text(settings: &Map<String, Value>) -> String {
    let members: Vec<String> = settings
        .iter()
        .filter(|(_, value)| !is_blank(value))
        .map(|(key, value)| format!("{}={}", shown(key), shown(&plain(value))))
        .collect();
    members.join("; ")
}

/// Addresses and ports in the form `172.19.6.74:80`, `*:80` or `*`, for tables.
pub fn place_cell(addresses: &str, ports: &str) -> String {
    match (addresses.is_empty(), ports.is_empty()) {
        (true, true) => "*".to_owned(),
        (true, false) => format!("*:{ports}"),
        (false, true) => addresses.to_owned(),
        // Colons of an IPv6 address would run into the port's.
        (false, false) if addresses.contains(':') => format!("[{addresses}]:{ports}"),
        (false, false) => format!("{addresses}:{ports}"),
    }
}

/// Whether a member says nothing: null, or an empty text, list or object.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn any_protocol(protocols: &str) -> String {
    match word::protocols_in_words(protocols) {
        any if any == "any" => "any protocol".to_owned(),
        named => named,
    }
}

/// The sets that a field names, and what else it names.
fn sets_apart(field: &str, is_set: &dyn Fn(&str) -> bool) -> (Option<String>, String) {
    let items = field.split(',');
    let (sets, others): (Vec<&str>, Vec<&str>) = items.partition(|item| is_set(item.trim()));
    if sets.is_empty() {
        return (None, field.to_owned());
    }
    let sets: Vec<&str> = sets.into_iter().map(str::trim).collect();
    (Some(sets.join(" and ")), others.join(","))
}

fn place(side: &str, addresses: &str, ports: &str) -> Option<String> {
    if addresses.is_empty() && ports.is_empty() {
        return None;
    }
    let mut text = side.to_owned();
    if !addresses.is_empty() {
        text.push(' ');
        text.push_str(addresses);
    }
    if !ports.is_empty() {
        text.push_str(if ports.contains([',', '-']) {
            " ports "
        } else {
            " port "
        });
        text.push_str(ports);
    }
    Some(text)
}

fn push_place(text: &mut String, preposition: &str, place: &Option<String>) {
    if let Some(place) = place {
        let _ = write!(text, " {preposition} {place}");
    }
}

fn push_member(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(text, ", {name} {value}");
    }
}

#[cfg(test)]
mod tests;
