// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies between the two shapes: v1 puts the settings beside `Type`, under some other names.

use hcn_schema::{Document, Policy, v1};
use serde_json::{Map, Value};

use super::take;

/// A type that has another name or other members in v1.
struct Names {
    v1: &'static str,
    v2: &'static str,
    /// Members by their v1 and v2 names.
    members: &'static [(&'static str, &'static str)],
}

/// Source: hns-behaviour 2.15.
const NAMES: &[Names] = &[
    Names {
        v1: "NAT",
        v2: "PortMapping",
        members: &[],
    },
    Names {
        v1: "PA",
        v2: "ProviderAddress",
        members: &[("PA", "ProviderAddress")],
    },
    Names {
        v1: "ROUTE",
        v2: "SDNRoute",
        members: &[],
    },
    Names {
        v1: "PROXY",
        v2: "L4Proxy",
        members: &[("OutboundNat", "OutboundNAT")],
    },
    Names {
        v1: "OutBoundNAT",
        v2: "OutBoundNAT",
        members: &[("VIP", "VirtualIP"), ("ExceptionList", "Exceptions")],
    },
    Names {
        v1: "VLAN",
        v2: "VLAN",
        members: &[("VLAN", "IsolationId")],
    },
    Names {
        v1: "VSID",
        v2: "VSID",
        members: &[("VSID", "IsolationId")],
    },
];

/// Members of a v1 ACL that say one value where v2 has a list: v1 name, v2 name, and the value that means any.
const SINGULAR: &[(&str, &str, u64)] = &[
    ("Protocol", "Protocols", 256),
    ("LocalPort", "LocalPorts", 0),
    ("RemotePort", "RemotePorts", 0),
];

/// `NatFlags` bit of v1 `ExternalPortReserved`.
const EXTERNAL_PORT_RESERVED: u64 = 4;

/// The v2 policy of a v1 one.
pub(crate) fn to_v2(policy: &v1::Policy) -> Policy {
    let own = policy.policy_type.or_default();
    let mut settings = policy.extra.clone();
    let names = NAMES
        .iter()
        .find(|names| names.v1.eq_ignore_ascii_case(&own));
    for (one, two) in names.into_iter().flat_map(|names| names.members) {
        if let Some(value) = take(&mut settings, one) {
            settings.insert((*two).to_owned(), value);
        }
    }
    if own.eq_ignore_ascii_case("NAT") {
        port_mapping(&mut settings);
    }
    if own.eq_ignore_ascii_case("ACL") {
        add_lists(&mut settings);
    }
    let mut policy_type = policy.policy_type.clone();
    if let Some(names) = names {
        policy_type.set(names.v2.to_owned());
    }
    Policy {
        policy_type,
        settings: settings.into(),
        ..Policy::default()
    }
}

fn port_mapping(settings: &mut Map<String, Value>) {
    if let Some(name) = settings.get("Protocol").and_then(Value::as_str) {
        let number = match name.to_ascii_uppercase().as_str() {
            "TCP" => Some(6),
            "UDP" => Some(17),
            _ => None,
        };
        if let Some(number) = number {
            settings.insert("Protocol".to_owned(), Value::from(number));
        }
    }
    if let Some(reserved) = take(settings, "ExternalPortReserved")
        && reserved.as_bool() == Some(true)
    {
        let flags = settings.get("Flags").and_then(Value::as_u64).unwrap_or(0);
        settings.insert(
            "Flags".to_owned(),
            Value::from(flags | EXTERNAL_PORT_RESERVED),
        );
    }
}

/// The singular members stay, since v1 reads them back; the lists beside them are what is judged.
fn add_lists(settings: &mut Map<String, Value>) {
    for (one, list, any) in SINGULAR {
        let number = settings
            .get(*one)
            .and_then(<u64 as hcn_schema::Shape>::read);
        if let Some(number) = number.filter(|number| number != any && *number != 0)
            && settings
                .get(*list)
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
        {
            settings.insert((*list).to_owned(), Value::from(number.to_string()));
        }
    }
}

/// The v1 form of a v2 policy, its members in the order of the alphabet, as HNS prints them.
pub(crate) fn to_v1(policy: &Policy) -> Value {
    let own = policy.policy_type.or_default();
    let mut members = policy.settings.or_default();
    let names = NAMES
        .iter()
        .find(|names| names.v2.eq_ignore_ascii_case(&own));
    for (one, two) in names.into_iter().flat_map(|names| names.members) {
        if let Some(value) = take(&mut members, two) {
            members.insert((*one).to_owned(), value);
        }
    }
    if own.eq_ignore_ascii_case("PortMapping") {
        // Clients write the number as a text too, and it is kept so.
        let protocol = members
            .get("Protocol")
            .and_then(<u64 as hcn_schema::Shape>::read);
        match protocol {
            Some(6) | None => members.insert("Protocol".to_owned(), Value::from("TCP")),
            Some(17) => members.insert("Protocol".to_owned(), Value::from("UDP")),
            Some(_) => None,
        };
        let flags = members.get("Flags").and_then(Value::as_u64).unwrap_or(0);
        if flags & EXTERNAL_PORT_RESERVED != 0 {
            members.insert("ExternalPortReserved".to_owned(), Value::Bool(true));
        }
        take(&mut members, "Flags");
    }
    if own.eq_ignore_ascii_case("ACL") {
        for (one, list, _) in SINGULAR {
            if members.contains_key(*one) {
                take(&mut members, list);
            }
        }
    }
    members.insert(
        "Type".to_owned(),
        Value::from(names.map_or(own.as_str(), |names| names.v1)),
    );
    sorted(members)
}

/// An object with its members in the order of the alphabet.
pub(crate) fn sorted(members: Map<String, Value>) -> Value {
    let mut list: Vec<(String, Value)> = members.into_iter().collect();
    list.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Object(list.into_iter().collect())
}

/// v1 policies of a document, in v2 form.
pub(crate) fn all_to_v2(policies: &[v1::Policy]) -> Vec<Policy> {
    policies.iter().map(to_v2).collect()
}

/// v2 policies in v1 form.
pub(crate) fn all_to_v1(policies: &[Policy]) -> Vec<v1::Policy> {
    policies
        .iter()
        .map(|policy| v1::Policy::from_value(&to_v1(policy)).unwrap_or_default())
        .collect()
}

/// An answer with the members of its policies, and of its subnets' ones, in the order of the alphabet.
pub(crate) fn in_order(answer: Value) -> Value {
    match answer {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| match value {
                    Value::Array(list) if key == "Policies" => {
                        (key, list.into_iter().map(each_sorted).collect())
                    }
                    Value::Array(list) if key == "Subnets" => {
                        (key, list.into_iter().map(in_order).collect())
                    }
                    other => (key, other),
                })
                .collect(),
        ),
        other => other,
    }
}

fn each_sorted(policy: Value) -> Value {
    match policy {
        Value::Object(members) => sorted(members),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there_and_back(value: Value) -> (Value, Value) {
        let policy = to_v2(&v1::Policy::from_value(&value).unwrap());
        (policy.to_value(), to_v1(&policy))
    }

    #[test]
    fn a_published_port_has_its_v2_name_and_comes_back() {
        let one = json!({"ExternalPort": 8080, "ExternalPortReserved": true, "InternalPort": 80, "Protocol": "TCP", "Type": "NAT"});
        let (two, back) = there_and_back(one.clone());
        assert_eq!(
            two,
            json!({"Type": "PortMapping", "Settings": {"ExternalPort": 8080, "InternalPort": 80, "Protocol": 6, "Flags": 4}})
        );
        assert_eq!(back, one);
    }

    /// The rule that Calico's felix writes and reads back (hns-behaviour 4.9).
    #[test]
    fn a_rule_with_single_values_is_judged_by_lists_and_comes_back_as_written() {
        let one = json!({"Action": "Allow", "Direction": "In", "LocalAddresses": "", "LocalPort": 80, "Protocol": 6, "Priority": 1000, "Type": "ACL"});
        let (two, back) = there_and_back(one.clone());
        assert_eq!(two["Settings"]["Protocols"], "6");
        assert_eq!(two["Settings"]["LocalPorts"], "80");
        assert_eq!(back, one);
        let (any, _) = there_and_back(
            json!({"Action": "Block", "Direction": "In", "Protocol": 256, "LocalPort": 0, "Type": "ACL"}),
        );
        assert_eq!(any["Settings"].get("Protocols"), None);
    }

    #[test]
    fn members_stand_in_the_order_of_the_alphabet() {
        let policy = to_v2(
            &v1::Policy::from_value(&json!({"Type": "ACL", "Protocols": "6", "Action": "Block"}))
                .unwrap(),
        );
        assert_eq!(
            to_v1(&policy).to_string(),
            r#"{"Action":"Block","Protocols":"6","Type":"ACL"}"#
        );
    }
}
