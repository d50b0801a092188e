// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of policies, compared as bags: HNS gives a rule no id, and the same rule twice is twice there.

use serde_json::{Map, Value};

use super::HOUSEKEEPING;
use crate::{
    listing::is_hidden,
    render::{
        plain,
        rule::{is_blank, words_of},
    },
};

/// A policy of either API, as a type and its settings.
pub(super) struct Flat {
    policy_type: String,
    settings: Map<String, Value>,
}

impl Flat {
    /// Takes `{Type, Settings}` or `{Type, …}`; `None` for what is no policy.
    pub(super) fn of(policy: &Value) -> Option<Self> {
        let mut settings = policy.as_object()?.clone();
        let mut take = |name: &str| {
            let own = settings
                .keys()
                .find(|own| own.eq_ignore_ascii_case(name))?
                .clone();
            settings.shift_remove(&own)
        };
        let policy_type = plain(&take("Type")?);
        if let Some(Value::Object(inner)) = take("Settings") {
            settings.extend(inner);
        }
        Some(Flat {
            policy_type,
            settings,
        })
    }

    /// Whether it is a filter rule, the one type that both APIs write with the same members.
    pub(super) fn is_rule(&self) -> bool {
        self.policy_type.eq_ignore_ascii_case("ACL")
            || self.policy_type.eq_ignore_ascii_case("NetworkACL")
    }

    /// The policy in words.
    pub(super) fn words(&self) -> String {
        words_of(&self.policy_type, &self.settings)
    }

    /// Equal for policies that say the same: names in any case and order, numbers or their digits, empty members or none.
    ///
    /// HNS adds `Scope` 0 to every rule that it stores (hns-behaviour 4.9), so that says nothing. `shallow` leaves out lists and objects,
    /// for comparing with a capture that does not show them.
    pub(super) fn key(&self, shallow: bool) -> String {
        let mut members: Vec<String> = self
            .settings
            .iter()
            .filter(|(name, value)| {
                let scope = name.eq_ignore_ascii_case("Scope") && plain(value) == "0";
                let hidden = shallow && (is_hidden(value) || value.is_array() || value.is_object());
                !is_blank(value) && !scope && !hidden && !HOUSEKEEPING.contains(&name.as_str())
            })
            .map(|(name, value)| {
                format!(
                    "{}={}",
                    name.to_ascii_lowercase(),
                    super::compare::scalar_key(value)
                )
            })
            .collect();
        members.sort();
        format!(
            "{}\u{0}{}",
            self.policy_type.to_ascii_lowercase(),
            members.join("\u{0}")
        )
    }
}
