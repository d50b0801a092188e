// SPDX-License-Identifier: MIT OR Apache-2.0
//! A profile as a user says it: `15.0`, `15.0,tie=first-wins`, or `tie=first-wins` for the version that is there.
//!
//! Apart from the profile, which is complete: a choice names a version or none, and only the switches that are not to be as that version has
//! them. A choice that was read holds known switches with values that they take, the last of each name.

use std::{fmt, str::FromStr};

use hcn_api::{Answer, HcnCode, HnsError, HnsVersion};
use hcn_engine::{
    Semantics,
    setting::{Setting, Values},
    words,
};

use super::{AclRemove, DEFAULT, LoadBalancerModify, Profile};

/// A version, and switches that are set otherwise than it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChoice {
    /// The version; `None` means the one that is there.
    pub version: Option<HnsVersion>,
    /// The switches.
    pub switches: Switches,
}

/// Switches by name, with values that they take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(Vec<(&'static str, String)>);

/// A switch: of what rules mean, or of what the service answers.
#[derive(Clone, Copy, Debug)]
pub enum Switch {
    /// Of the semantics: any HNS can be judged by it.
    Judge(&'static Setting<Semantics>),
    /// Of the service: only the embedded HNS has it.
    Service(&'static Setting<Profile>),
}

/// A text is no choice of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoChoice {
    /// The text is empty.
    Empty,
    /// Neither a version nor `name=value`.
    NotAVersion(String),
    /// There is no such switch.
    NoSwitch(String),
    /// The switch has no such value.
    NoValue {
        /// The switch.
        switch: Switch,
        /// The value.
        value: String,
    },
}

impl PartialEq for Switch {
    fn eq(&self, other: &Switch) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Switch {}

impl Switch {
    /// Every switch: those of the judge first.
    pub fn all() -> impl Iterator<Item = Switch> {
        let judge = Semantics::SETTINGS.iter().map(Switch::Judge);
        judge.chain(Profile::SETTINGS.iter().map(Switch::Service))
    }

    /// The switch of a name.
    pub fn of(name: &str) -> Option<Switch> {
        Switch::all().find(|switch| switch.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Switch::Judge(setting) => setting.name,
            Switch::Service(setting) => setting.name,
        }
    }

    /// The question of hns-behaviour that it answers, or the section that it comes from.
    pub fn question(self) -> &'static str {
        match self {
            Switch::Judge(setting) => setting.question,
            Switch::Service(setting) => setting.question,
        }
    }

    /// What it decides.
    pub fn decides(self) -> &'static str {
        match self {
            Switch::Judge(setting) => setting.decides,
            Switch::Service(setting) => setting.decides,
        }
    }

    /// What it may be.
    pub fn choices(self) -> String {
        match self {
            Switch::Judge(setting) => setting.choices(),
            Switch::Service(setting) => setting.choices(),
        }
    }

    /// What it is in a profile.
    pub fn value(self, profile: &Profile) -> String {
        match self {
            Switch::Judge(setting) => setting.value(&profile.semantics),
            Switch::Service(setting) => setting.value(profile),
        }
    }

    fn set(self, profile: &mut Profile, value: &str) -> bool {
        match self {
            Switch::Judge(setting) => setting.set(&mut profile.semantics, value),
            Switch::Service(setting) => setting.set(profile, value),
        }
    }
}

impl Switches {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first that only the embedded HNS has.
    pub fn of_service(&self) -> Option<&'static str> {
        let mut names = self.0.iter().map(|(name, _)| *name);
        names.find(|name| matches!(Switch::of(name), Some(Switch::Service(_))))
    }

    /// Sets them.
    pub(super) fn apply(&self, profile: &mut Profile) {
        for (name, value) in &self.0 {
            // What was read is a value of the switch.
            let _ = Switch::of(name).is_some_and(|switch| switch.set(profile, value));
        }
    }

    /// Takes others too; of one name, theirs.
    pub(super) fn join(&mut self, others: &Switches) {
        for (name, value) in &others.0 {
            self.put(name, value);
        }
    }

    fn put(&mut self, name: &'static str, value: &str) {
        self.0.retain(|(own, _)| *own != name);
        self.0.push((name, value.to_owned()));
    }
}

impl ProfileChoice {
    /// The profile; of the usual version where the choice names none.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a version without a profile.
    pub fn profile(&self) -> Answer<Profile> {
        Ok(Profile::of(self.version.unwrap_or(DEFAULT))?.with(&self.switches))
    }
}

impl From<HnsVersion> for ProfileChoice {
    fn from(version: HnsVersion) -> Self {
        ProfileChoice {
            version: Some(version),
            switches: Switches::default(),
        }
    }
}

impl FromStr for ProfileChoice {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        let mut choice = ProfileChoice::default();
        let mut usual = Profile::of(DEFAULT).map_err(|_| NoChoice::Empty)?;
        if text.trim().is_empty() {
            return Err(NoChoice::Empty);
        }
        for (place, item) in text.split(',').map(str::trim).enumerate() {
            match item.split_once('=') {
                Some((name, value)) => {
                    let (name, value) = (name.trim(), value.trim());
                    let switch =
                        Switch::of(name).ok_or_else(|| NoChoice::NoSwitch(name.to_owned()))?;
                    if !switch.set(&mut usual, value) {
                        let value = value.to_owned();
                        return Err(NoChoice::NoValue { switch, value });
                    }
                    choice.switches.put(switch.name(), value);
                }
                None if place == 0 => {
                    let version = item.parse();
                    let version = version.map_err(|_| NoChoice::NotAVersion(item.to_owned()))?;
                    choice.version = Some(version);
                }
                None => return Err(NoChoice::NotAVersion(item.to_owned())),
            }
        }
        Ok(choice)
    }
}

impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ProfileChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = self.version {
            let comma = if self.switches.is_empty() { "" } else { "," };
            write!(f, "{version}{comma}")?;
        }
        write!(f, "{}", self.switches)
    }
}

impl fmt::Display for NoChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoChoice::Empty => f.write_str("it names no version and no switch"),
            NoChoice::NotAVersion(text) => {
                write!(
                    f,
                    "{text:?} is no version of the form 15.0 and no name=value"
                )
            }
            NoChoice::NoSwitch(name) => write!(f, "there is no switch {name:?}"),
            NoChoice::NoValue { switch, value } => write!(
                f,
                "{} is not {value:?}; it is {}",
                switch.name(),
                switch.choices()
            ),
        }
    }
}

impl std::error::Error for NoChoice {}

impl From<NoChoice> for HnsError {
    fn from(error: NoChoice) -> Self {
        HnsError::at(HcnCode::E_INVALIDARG, "profile", error.to_string())
    }
}

impl Profile {
    /// The switches of the service by name; those of the judge are [`Semantics::SETTINGS`].
    pub const SETTINGS: &'static [Setting<Profile>] = &[
        Setting {
            name: "acl-remove",
            question: "Q6",
            decides: "what Remove of an ACL compares",
            values: words!(acl_remove:
                "exact" is AclRemove::Exact,
                "lenient" is AclRemove::Lenient,
                "strict" is AclRemove::Strict),
        },
        Setting {
            name: "duplicate-network-name",
            question: "Q20",
            decides: "what becomes of a second network of one name and type",
            values: words!(refuse_duplicate_network_name: "refused" is true, "taken" is false),
        },
        Setting {
            name: "name-limit",
            question: "no record",
            decides: "longest name of an object, in UTF-16 units",
            values: Values::Number {
                within: (1, 65_535),
                read: |own: &Profile| own.name_limit as u64,
                write: |own, number| own.name_limit = number as usize,
            },
        },
        Setting {
            name: "orphaned-policy-lists",
            question: "Q24",
            decides: "what becomes of load balancers and routes of a network that is deleted",
            values: words!(keeps_orphaned_policy_lists: "dropped" is false, "kept" is true),
        },
        Setting {
            name: "addresses",
            question: "Q29",
            decides: "how addresses are given out",
            values: words!(sequential_addresses: "random" is false, "sequential" is true),
        },
        Setting {
            name: "attached-state",
            question: "Q35",
            decides: "State of an endpoint in a namespace before a second container joins",
            values: Values::Number {
                within: (0, 6),
                read: |own: &Profile| u64::from(own.attached_state),
                write: |own, number| own.attached_state = number as u16,
            },
        },
        Setting {
            name: "load-balancer-modify",
            question: "Q45",
            decides: "what HcnModifyLoadBalancer does",
            values: words!(load_balancer_modify:
                "unknown" is LoadBalancerModify::Unknown,
                "ignored" is LoadBalancerModify::Ignored,
                "replaces" is LoadBalancerModify::Replaces),
        },
        Setting {
            name: "route-lists",
            question: "3.1",
            decides: "whether v1 policy lists may hold routes",
            values: words!(takes_route_lists: "taken" is true, "refused" is false),
        },
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(text: &str) -> Result<ProfileChoice, NoChoice> {
        text.parse()
    }

    #[test]
    fn a_choice_is_a_version_switches_or_both() {
        for text in [
            "15.0",
            "9.2,tie=first-wins",
            "tie=first-wins",
            "15.0,default-deny=ruled-directions,acl-remove=lenient,name-limit=100",
        ] {
            let read = choice(text).unwrap();
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(
            choice("15.0, tie = first-wins,tie=block-wins")
                .unwrap()
                .to_string(),
            "15.0,tie=block-wins"
        );
        let profile = choice("9.2,tier-acl=yes,tie=first-wins,addresses=sequential");
        let profile = profile.unwrap().profile().unwrap();
        assert_eq!(
            profile.name(),
            "9.2,tier-acl=yes,tie=first-wins,addresses=sequential"
        );
        let otherwise = choice("tie=block-wins").unwrap().switches;
        assert_eq!(
            profile.clone().with(&otherwise).name(),
            "9.2,tier-acl=yes,addresses=sequential,tie=block-wins"
        );
        assert!(profile.sequential_addresses);
        assert!(
            !profile
                .semantics
                .lacks
                .has(hcn_engine::parts::Part::TierAcl)
        );
        assert!(
            profile
                .semantics
                .lacks
                .has(hcn_engine::parts::Part::SetPolicy)
        );
    }

    #[test]
    fn what_is_no_choice_says_what_is_wrong() {
        for (text, why) in [
            ("", "it names no version and no switch"),
            (
                "new",
                "\"new\" is no version of the form 15.0 and no name=value",
            ),
            (
                "tie=first-wins,15.0",
                "\"15.0\" is no version of the form 15.0 and no name=value",
            ),
            (
                "15.0,",
                "\"\" is no version of the form 15.0 and no name=value",
            ),
            ("15.0,ties=first-wins", "there is no switch \"ties\""),
            (
                "tie=first",
                "tie is not \"first\"; it is block-wins|first-wins",
            ),
            ("name-limit=0", "name-limit is not \"0\"; it is 1..65535"),
        ] {
            assert_eq!(choice(text).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn no_two_switches_have_one_name() {
        let mut names: Vec<&str> = Switch::all().map(Switch::name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        let profile = Profile::of(DEFAULT).unwrap();
        for switch in Switch::all() {
            let value = switch.value(&profile);
            assert!(
                switch.set(&mut profile.clone(), &value),
                "{} {value}",
                switch.name()
            );
        }
    }
}
