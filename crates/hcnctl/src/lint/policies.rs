// SPDX-License-Identifier: MIT OR Apache-2.0
//! The policies of one type among those that an object has, with their settings in whichever shape they are.
//!
//! Apart because v1 has the settings beside the type and v2 inside of it, and no check should care.

use hcn_schema::{Field, Policy};
use serde_json::Value;

use super::rules;

/// A policy with its place.
pub(super) struct Placed<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Pointer to it.
    pub pointer: String,
    /// Its settings.
    pub settings: Value,
}

impl Placed<'_> {
    /// Pointer to one of its settings.
    pub fn member(&self, name: &str) -> String {
        format!("{}{}/{name}", self.pointer, rules::settings_at(self.policy))
    }

    /// One of its settings, by its name in any case.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        crate::listing::member(&self.settings, name)
    }

    /// One of its settings as a number; HNS takes numbers that are written as texts (hns-behaviour 2.1).
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.setting(name)? {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        }
    }

    /// One of its settings as a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.setting(name)?.as_str().map(str::trim)
    }
}

/// The policies of any of these types; `at` is the pointer to the object that has them.
pub(super) fn of_types<'a>(
    policies: &'a Field<Vec<Policy>>,
    at: &str,
    types: &'a [&'a str],
) -> impl Iterator<Item = Placed<'a>> {
    let at = format!("{at}/Policies");
    let all = policies.get().into_iter().flatten().enumerate();
    let own = all.filter(|(_, policy)| types.iter().any(|own| policy.is(own)));
    own.map(move |(place, policy)| {
        let settings = policy.settings.get().unwrap_or(&policy.extra);
        Placed {
            policy,
            pointer: format!("{at}/{place}"),
            settings: Value::Object(settings.clone()),
        }
    })
}
