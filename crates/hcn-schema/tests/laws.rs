// SPDX-License-Identifier: MIT OR Apache-2.0
//! Laws that hold for any JSON object whatsoever: nothing is refused, nothing is lost, and a change touches only what it names.
//!
//! Apart from the fixtures because the objects are random: known keys in random case, unknown keys, values of any shape.

mod every_document;

use std::collections::HashSet;

use every_document::{KINDS, assert_kept_by_every_kind, assert_list_is_whole, fixtures};
use hcn_schema::{
    Document, Endpoint, Field, Policy,
    policy::{EndpointPolicy, NetworkPolicy, SubnetPolicy},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value};

/// A known key of any document, or another text, each letter in a random case.
fn key() -> impl Strategy<Value = String> {
    let known: Vec<&'static str> = KINDS
        .iter()
        .flat_map(|kind| kind.keys.iter().copied())
        .collect();
    prop_oneof![
        4 => select(known.clone()).prop_map(str::to_owned),
        3 => (select(known), any::<u64>()).prop_map(|(key, cases)| in_case(key, cases)),
        1 => "[A-Za-z~/ ]{0,6}",
        1 => any::<String>(),
    ]
}

/// The text with letter `n` in upper case where bit `n` of `cases` is set, else in lower case.
fn in_case(text: &str, cases: u64) -> String {
    text.chars()
        .enumerate()
        .map(|(index, letter)| {
            if cases >> (index % 64) & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Texts near those that HNS reads: words, digits, lists, ids, addresses, and anything else.
fn text() -> impl Strategy<Value = String> {
    let near = [
        "",
        "NAT",
        "l2bridge",
        "Overlay",
        "Static",
        "ACL",
        "OutBoundNAT",
        "portmapping",
        "VSID",
        "Allow",
        "block",
        "In",
        "Switch",
        "TRUE",
        "False",
        "Add",
        "0",
        "0080",
        " 80 ",
        "65536",
        "-1",
        "+1",
        "18446744073709551616",
        "EnableDns, EnableDhcp",
        "None",
        "edffc876-3051-46ec-80b3-820dda20aa14",
        "{EDFFC876-3051-46EC-80B3-820DDA20AA14}",
        "10.7.0.0/16",
        "fd00::/64",
        "00-15-5D-01-02-03",
    ];
    prop_oneof![
        3 => select(near.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// A value that is no list and no object.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => (0u64..70_000).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()).prop_map(Value::from),
        3 => text().prop_map(Value::from),
    ]
}

/// Any JSON value, lists and objects inside one another.
fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Any JSON object.
fn object() -> impl Strategy<Value = Map<String, Value>> {
    vec((key(), value()), 0..16).prop_map(|members| members.into_iter().collect())
}

/// Puts `value` at a random place of a document: `way` chooses at each step how deep and where.
fn replace_somewhere(document: &mut Value, way: &[usize], value: Value) {
    let Some((step, rest)) = way.split_first() else {
        *document = value;
        return;
    };
    let inner = match document {
        Value::Object(map) if !map.is_empty() => {
            let index = step % map.len();
            map.values_mut().nth(index)
        }
        Value::Array(items) if !items.is_empty() => {
            let index = step % items.len();
            items.get_mut(index)
        }
        _ => None,
    };
    match inner {
        Some(inner) => replace_somewhere(inner, rest, value),
        None => *document = value,
    }
}

/// The object without members whose key, but for its case, another member before it has.
fn without_second_spellings(map: Map<String, Value>) -> Map<String, Value> {
    let mut keys = HashSet::new();
    map.into_iter()
        .filter(|(key, _)| keys.insert(key.to_ascii_lowercase()))
        .collect()
}

#[test]
fn the_list_of_documents_is_whole() {
    assert_list_is_whole();
}

/// The usual count of cases divided by `divisor`. No file of failures: the failing document is printed, and becomes a fixture.
fn config(divisor: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases / divisor,
        failure_persistence: None,
        ..usual
    }
}

proptest! {
    // Each case asks every document type.
    #![proptest_config(config(4))]

    #[test]
    fn every_document_writes_back_any_object(map in object()) {
        assert_kept_by_every_kind(&Value::Object(map));
    }

    #[test]
    fn every_document_writes_back_a_fixture_with_something_else_in_it(
        (_, mut document) in select(fixtures()),
        way in vec(any::<usize>(), 1..8),
        value in value(),
    ) {
        replace_somewhere(&mut document, &way, value);
        assert_kept_by_every_kind(&document);
    }
}

proptest! {
    #![proptest_config(config(1))]

    #[test]
    fn every_document_is_the_same_as_text(map in object(), kind in select(KINDS.iter().collect::<Vec<_>>())) {
        (kind.assert_kept_as_text)(&map);
    }

    #[test]
    fn order_of_members_means_nothing(map in object()) {
        let map = without_second_spellings(map);
        let reversed: Map<String, Value> = map.clone().into_iter().rev().collect();
        prop_assert_eq!(Endpoint::from_map(&map), Endpoint::from_map(&reversed));
    }

    #[test]
    fn a_change_touches_one_member_and_keeps_its_spelling(map in object(), cases in any::<u64>(), old in scalar(), name in any::<String>()) {
        let mut map = map;
        map.retain(|key, _| !key.eq_ignore_ascii_case("Name"));
        let key = in_case("Name", cases);
        map.insert(key.clone(), old);

        let mut endpoint = Endpoint::from_map(&map);
        endpoint.name.set(name.clone());
        map.insert(key, name.into());
        prop_assert_eq!(endpoint.to_map(), map);
    }

    #[test]
    fn a_member_that_was_absent_is_added_in_its_canonical_spelling(map in object(), name in any::<String>()) {
        let mut map = map;
        map.retain(|key, _| !key.eq_ignore_ascii_case("Name"));
        let mut endpoint = Endpoint::from_map(&map);
        endpoint.name.set(name.clone());
        map.insert("Name".to_owned(), name.into());
        prop_assert_eq!(endpoint.to_map(), map);
    }

    #[test]
    fn canonical_keys_change_spelling_and_nothing_else(map in object()) {
        let mut endpoint = Endpoint::from_map(&map);
        let (name, policies) = (endpoint.name.clone(), endpoint.policies.clone());
        endpoint.canonical_keys();
        let again = Endpoint::from_map(&endpoint.to_map());
        prop_assert_eq!(again.name, name);
        prop_assert_eq!(again.policies, policies);
    }

    #[test]
    fn typed_views_give_the_same_policy_back(settings in object()) {
        let policy = |policy_type: &str| {
            let mut map = Map::new();
            map.insert("Type".to_owned(), policy_type.into());
            map.insert("Settings".to_owned(), Value::Object(settings.clone()));
            Policy::from_map(&map)
        };
        for policy_type in EndpointPolicy::TYPES {
            let policy = policy(policy_type);
            prop_assert_eq!(EndpointPolicy::of(&policy).to_policy(), policy);
        }
        for policy_type in NetworkPolicy::TYPES {
            let policy = policy(policy_type);
            prop_assert_eq!(NetworkPolicy::of(&policy).to_policy(), policy);
        }
        for policy_type in SubnetPolicy::TYPES {
            let policy = policy(policy_type);
            prop_assert_eq!(SubnetPolicy::of(&policy).to_policy(), policy);
        }
    }

    #[test]
    fn odd_settings_are_told_with_a_pointer_that_leads_there(map in object(), policy_type in select(EndpointPolicy::TYPES.to_vec())) {
        let mut map = map;
        map.retain(|key, _| !key.eq_ignore_ascii_case("Type"));
        map.insert("Type".to_owned(), policy_type.into());
        let policy = Policy::from_map(&map);
        let value = policy.to_value();
        for (pointer, odd) in EndpointPolicy::odd_fields(&policy) {
            prop_assert_eq!(value.pointer(&pointer), Some(&odd), "{}", pointer);
        }
    }

    #[test]
    fn a_field_is_absent_only_when_there_is_no_member(read in value()) {
        let field = Field::<u16>::read(&read);
        prop_assert!(!field.is_absent());
        prop_assert_eq!(field.write(), Some(read.clone()));
        // A member is exactly one of: readable, null, odd.
        let states = [field.get().is_some(), read.is_null(), field.odd().is_some()];
        prop_assert_eq!(states.iter().filter(|state| **state).count(), 1);
    }
}
