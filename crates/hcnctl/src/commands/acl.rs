// SPDX-License-Identifier: MIT OR Apache-2.0
//! `acl`: the HNS requests as they are.

use std::{fs, io::Read, path::Path};

use hcn::schema::{Endpoint, Guid, Policy, modify::RequestType};
use serde_json::{Map, Value};

use crate::{
    cli::{AclArgs, AclRules, AclVerb, Output},
    commands::intent,
    desk::{Desk, Outcome},
    failure::{Failure, exit},
    lookup::guid,
    render::{
        json as json_text,
        table::{Columns, PolicyRow, policies},
        yaml,
    },
};

/// Carries out a verb.
pub fn run(desk: &mut Desk<'_>, args: &AclArgs) -> Outcome {
    match &args.verb {
        AclVerb::List { endpoint, output } => list(desk, endpoint, *output),
        AclVerb::Add(rules) => send(desk, RequestType::Add, rules),
        AclVerb::Set(rules) => send(desk, RequestType::Update, rules),
        AclVerb::Remove(rules) => send(desk, RequestType::Remove, rules),
        AclVerb::Clear {
            endpoint,
            owned: true,
        } => intent::clear(desk, endpoint),
        AclVerb::Clear {
            endpoint,
            owned: false,
        } => {
            let endpoint = desk.endpoint(endpoint)?;
            request(desk, &endpoint, RequestType::Update, &[])
        }
    }
}

/// Whether a policy is a rule.
fn is_rule(policy: &Policy) -> bool {
    policy.is("ACL") || policy.is("TierAcl")
}

fn rules_of(endpoint: &Endpoint) -> Vec<Policy> {
    endpoint
        .policies
        .get()
        .into_iter()
        .flatten()
        .filter(|policy| is_rule(policy))
        .cloned()
        .collect()
}

fn list(desk: &mut Desk<'_>, name: &str, output: Output) -> Outcome {
    let endpoint = desk.endpoint(name)?;
    let rules = rules_of(&endpoint);
    let documents = || rules.iter().map(hcn::schema::Document::to_json);
    match output {
        Output::Table | Output::Wide => {
            let columns = if output == Output::Wide {
                Columns::Wide
            } else {
                Columns::Table
            };
            let rows: Vec<PolicyRow> = PolicyRow::of_endpoint(&endpoint)
                .into_iter()
                .filter(|row| {
                    ["ACL", "TierAcl"]
                        .iter()
                        .any(|own| own.eq_ignore_ascii_case(&row.policy_type))
                })
                .collect();
            if rules.is_empty() {
                let label = desk.endpoint_label(&endpoint)?;
                desk.say(&format!("{label} has no rules: everything is allowed"))?;
            } else {
                write!(desk.out, "{}", policies(&rows, columns, false))?;
            }
        }
        Output::Json => json_text::write_list(&mut desk.out, documents())?,
        Output::Yaml => {
            let values: Vec<Value> = rules.iter().map(hcn::schema::Document::to_value).collect();
            let text = yaml::document(&Value::from(values)).map_err(|error| {
                Failure::Usage(format!("the rules cannot be written as YAML: {error}"))
            })?;
            write!(desk.out, "{text}")?;
        }
        Output::List | Output::JsonV1 | Output::Name => {
            return Err(Failure::Usage("acl list prints table, wide, json or yaml; hcnctl get endpoints -o list shows rules in v1 form".to_owned()));
        }
    }
    Ok(exit::DONE)
}

fn send(desk: &mut Desk<'_>, verb: RequestType, args: &AclRules) -> Outcome {
    let endpoint = desk.endpoint(&args.endpoint)?;
    let rules = match &args.file {
        Some(path) => rules_in(&read(path)?)?,
        None => args
            .rules
            .iter()
            .map(|text| rule(text))
            .collect::<Result<Vec<Policy>, Failure>>()?,
    };
    request(desk, &endpoint, verb, &rules)
}

/// Sends one request, and says how the list is afterwards, since HNS says nothing.
fn request(
    desk: &mut Desk<'_>,
    endpoint: &Endpoint,
    verb: RequestType,
    rules: &[Policy],
) -> Outcome {
    let id: Guid = guid(endpoint.id.get());
    let label = desk.endpoint_label(endpoint)?;
    desk.client()
        .endpoint_policies(id, verb, rules)
        .map_err(Failure::hns(format!(
            "{} the rules of {label}",
            verb.text().to_lowercase()
        )))?;
    if desk.is_dry_run() {
        return Ok(exit::DONE);
    }
    let after = desk
        .client()
        .endpoint(id)
        .map_err(Failure::hns("read the endpoint back"))?;
    let (before, now) = (rules_of(endpoint), rules_of(&after));
    desk.say(&format!(
        "{label}: {} of {} rule(s) done; it had {} and has {}",
        verb.text(),
        rules.len(),
        before.len(),
        now.len()
    ))?;
    if verb == RequestType::Remove && before == now && !rules.is_empty() {
        desk.say(
            "HNS said yes and took nothing away: it compares every member with what it stores, the Scope that it added included. \
             Send what acl list -o json shows, or use acl set with the rules that shall stay.",
        )?;
    }
    if verb == RequestType::Add
        && rules
            .iter()
            .any(|rule| now.iter().filter(|own| alike(own, rule)).count() > 1)
    {
        desk.say("some rules are there more than once now: HNS does not look for doubles")?;
    }
    Ok(exit::DONE)
}

/// Equal but for what HNS adds.
fn alike(own: &Policy, sent: &Policy) -> bool {
    let strip = |policy: &Policy| {
        let mut settings = policy.settings.or_default();
        settings.shift_remove("Scope");
        settings
    };
    strip(own) == strip(sent)
}

/// A file, or standard input for `-`.
pub fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::File {
        path: path.display().to_string(),
        error,
    };
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(failed)
}

/// A list of rules, or of policies, or one of either.
fn rules_in(text: &str) -> Result<Vec<Policy>, Failure> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Failure::Usage(format!("the file of rules is not JSON: {error}")))?;
    let list = match value {
        Value::Array(list) => list,
        other => vec![other],
    };
    list.into_iter()
        .enumerate()
        .map(|(index, value)| match value {
            Value::Object(map) if map.keys().any(|key| key.eq_ignore_ascii_case("Settings")) => {
                Ok(hcn::schema::Document::from_map(&map))
            }
            Value::Object(map) => Ok(of_settings(map)),
            other => Err(Failure::Usage(format!(
                "item {index} of the file is {other}; a rule is an object"
            ))),
        })
        .collect()
}

fn of_settings(settings: Map<String, Value>) -> Policy {
    let settings = settings
        .into_iter()
        .filter(|(key, _)| !key.eq_ignore_ascii_case("Type"))
        .collect::<Map<_, _>>();
    Policy {
        policy_type: "ACL".to_owned().into(),
        settings: settings.into(),
        ..Policy::default()
    }
}

/// `Action=Block; Direction=In; …`, with or without the `@{…}` of PowerShell.
fn rule(text: &str) -> Result<Policy, Failure> {
    let inner = text.trim();
    let inner = inner
        .strip_prefix("@{")
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(inner);
    let mut settings = Map::new();
    for part in inner
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let Some((key, value)) = part.split_once('=') else {
            return Err(Failure::Usage(format!(
                "{part:?} in the rule {text:?} is not of the form Member=Value"
            )));
        };
        let (key, value) = (key.trim(), value.trim());
        // HNS has these two as numbers; what is no number goes as it is, for HNS to judge.
        let number = ["Priority", "Scope"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(key))
            .then(|| value.parse::<u64>().ok())
            .flatten();
        settings.insert(
            key.to_owned(),
            number.map_or_else(|| Value::from(value), Value::from),
        );
    }
    Ok(of_settings(settings))
}

#[cfg(test)]
mod tests {
    use hcn::schema::Document;
    use serde_json::json;

    use super::*;

    /// A rule of the walk-through's listing, as PowerShell prints it.
    #[test]
    fn a_rule_of_a_listing_can_be_sent() {
        let text = "@{Action=Block; Direction=In; LocalAddresses=172.19.6.74; LocalPorts=80; Priority=100; Protocols=6; Scope=0; Type=ACL}";
        assert_eq!(
            rule(text).unwrap().to_value(),
            json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "LocalAddresses": "172.19.6.74",
                "LocalPorts": "80", "Priority": 100, "Protocols": "6", "Scope": 0}})
        );
        assert!(rule("Action").is_err());
    }

    #[test]
    fn files_hold_rules_or_policies() {
        let rules =
            rules_in(r#"[{"Action": "Block"}, {"Type": "ACL", "Settings": {"Action": "Allow"}}]"#)
                .unwrap();
        assert_eq!(
            rules[0].to_value(),
            json!({"Type": "ACL", "Settings": {"Action": "Block"}})
        );
        assert_eq!(
            rules[1].to_value(),
            json!({"Type": "ACL", "Settings": {"Action": "Allow"}})
        );
        assert!(rules_in("[1]").is_err() && rules_in("").is_err());
    }
}
