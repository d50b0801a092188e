// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--profile` and `profile:` of a comparison: a version of HNS with switches, what is wrong with a text that is none, and the list of all switches.
//!
//! Apart from what is chosen, which the service knows: here are the hints.

use std::fmt::Write;

use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};
use hcn::service::{
    Profile,
    profile::{DEFAULT, KNOWN, NoChoice, ProfileChoice, Switch},
};

use crate::lint::nearest_check as nearest;

/// The list of versions and switches, where the words of a command line ask for it.
pub fn help(words: impl Iterator<Item = String>) -> Option<String> {
    let mut before = String::new();
    for word in words {
        if word == "--profile=help" || (before == "--profile" && word == "help") {
            return Some(list());
        }
        before = word;
    }
    None
}

/// Reads a choice.
#[derive(Clone, Debug)]
pub struct Parser;

impl TypedValueParser for Parser {
    type Value = ProfileChoice;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<ProfileChoice, clap::Error> {
        let text = value.to_string_lossy();
        read(&text).map_err(|why| {
            let message = format!("--profile {text:?}: {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// Reads a choice.
///
/// # Errors
/// What is wrong, and what was probably meant.
pub fn read(text: &str) -> Result<ProfileChoice, String> {
    text.parse().map_err(|why: NoChoice| hint(&why))
}

fn hint(why: &NoChoice) -> String {
    let names = || Switch::all().map(Switch::name);
    match why {
        NoChoice::NoSwitch(name) => {
            let near = nearest(name, names());
            let near = near.map_or(String::new(), |near| format!("; {near} is near"));
            let all: Vec<&str> = names().collect();
            format!(
                "{why}{near}; the switches are {} (hcnctl --profile help says what they decide)",
                all.join(", ")
            )
        }
        NoChoice::NoValue { switch, value } => {
            let choices = switch.choices();
            let near = nearest(value, choices.split('|'));
            let near = near.map_or(String::new(), |near| format!("; {near} is near"));
            format!("{why}{near}")
        }
        NoChoice::Empty | NoChoice::NotAVersion(_) => {
            format!("{why}; e.g. 15.0 or 15.0,tie=first-wins (hcnctl --profile help lists all)")
        }
    }
}

/// Every version and every switch.
fn list() -> String {
    let mut text = "Versions of HNS:\n".to_owned();
    // Writing to a String does not fail.
    for (version, windows) in KNOWN {
        let usual = if *version == DEFAULT {
            ", the usual one"
        } else {
            ""
        };
        let _ = writeln!(text, "  {:<6}{windows}{usual}", version.to_string());
    }
    text.push_str(
        "\nSwitches, as NAME=VALUE behind a version or alone, joined by commas: what the record of HNS leaves open (Q: question of\n\
         docs/hns-behaviour.md, section 8), or what versions do differently (by its section). In brackets what it is in 15.0.\n",
    );
    let profile = Profile::of(DEFAULT);
    let mut is_service = false;
    for switch in Switch::all() {
        if !is_service && matches!(switch, Switch::Service(_)) {
            is_service = true;
            text.push_str("\nSwitches of the embedded HNS:\n");
        }
        let usual = profile.as_ref().map(|own| switch.value(own));
        let _ = writeln!(
            text,
            "  {:<23}{} [{}]\n  {:<23}{} ({})",
            switch.name(),
            switch.choices().replace('|', ", "),
            usual.unwrap_or_default(),
            "",
            switch.decides(),
            switch.question(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_switch_is_answered_with_the_nearest_and_the_list() {
        let why = read("15.0,default-dney=never").unwrap_err();
        assert!(why.starts_with(
            "there is no switch \"default-dney\"; default-deny is near; the switches are tie, default-deny, "
        ), "{why}");
        let why = read("tie=first-win").unwrap_err();
        assert_eq!(
            why,
            "tie is not \"first-win\"; it is block-wins|first-wins; first-wins is near"
        );
    }

    #[test]
    fn the_page_about_profiles_has_every_switch_as_it_is() {
        let page = include_str!("../../../../docs/profiles.md");
        for switch in Switch::all() {
            let row = format!(
                "| `{}` | {} | {} | {} |",
                switch.name(),
                switch.choices().replace('|', ", "),
                switch.decides(),
                switch.question()
            );
            assert!(page.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_switch_is_listed() {
        let list = |words: &[&str]| help(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(list(&["--profile", "15.0", "help"]), None);
        assert!(list(&["why", "--profile=help"]).is_some());
        let list = list(&["--profile", "help"]).unwrap();
        for switch in Switch::all() {
            assert!(
                list.contains(&format!("\n  {} ", switch.name())),
                "{}",
                switch.name()
            );
        }
    }
}
