// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random documents with a trouble of each kind that has a fix: a network of any type with sets and rules of its own, an endpoint of either shape
//! with ACLs and tiers, a neighbour, a load balancer, for any version of HNS and any answer to its open questions.
//!
//! Apart from what is asked of them. Chance makes the background; the trouble is put into it, since chance alone would make some kinds never.

use hcn::HnsVersion;
use hcn_engine::{
    Semantics,
    semantics::{DefaultDeny, SeveralSets, Tie},
};
use hcn_schema::policy::AclRuleType;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{NETWORK, acl, endpoint, network};
use crate::lint::{Subject, table::PATCHED};

const ADDRESSES: [&str; 11] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "10.0.0.1/24",
    "0.0.0.0/0",
    "fd00::1",
    "fd00::/64",
    "set-a",
    "set-none",
    "set-of-sets",
];
const PORTS: [&str; 6] = ["80", "443", "80-90", "0-65535", "53", "1024-65535"];
const PROTOCOLS: [&str; 6] = ["6", "17", "1", "tcp", "256", "58"];

fn list(items: &'static [&'static str], most: usize) -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.5,
        vec(select(items), 1..=most).prop_map(|items| items.join(",")),
    )
}

/// Settings of a rule without a kind.
fn settings() -> impl Strategy<Value = Map<String, Value>> {
    (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        select(vec![0u16, 1, 1, 2, 3, 100, 65_500]),
        list(&PROTOCOLS, 2),
        [list(&ADDRESSES, 3), list(&ADDRESSES, 3)],
        [list(&PORTS, 3), list(&PORTS, 2)],
    )
        .prop_map(
            |(action, direction, priority, protocols, addresses, ports)| {
                let mut settings = Map::new();
                let mut put = |key: &str, value: Option<Value>| {
                    if let Some(value) = value {
                        settings.insert(key.to_owned(), value);
                    }
                };
                let [local, remote] = addresses;
                let [local_ports, remote_ports] = ports;
                put("Action", Some(action.into()));
                put("Direction", Some(direction.into()));
                put("Priority", (priority != 0).then(|| priority.into()));
                put("Protocols", protocols.map(Value::from));
                put("LocalAddresses", local.map(Value::from));
                put("RemoteAddresses", remote.map(Value::from));
                put("LocalPorts", local_ports.map(Value::from));
                put("RemotePorts", remote_ports.map(Value::from));
                settings
            },
        )
}

fn rule() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![5 => Just(Some("Switch")), 1 => Just(Some("Host")), 1 => Just(None)];
    (settings(), kind).prop_map(|(mut settings, kind)| {
        if let Some(kind) = kind {
            settings.insert("RuleType".to_owned(), kind.into());
        }
        json!({"Type": "ACL", "Settings": settings})
    })
}

/// A rule that differs from others of its kind in ports and priority alone, so that they get in each other's way.
fn narrow_rule() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Block"]),
        1..4u16,
        vec(select(&PORTS[..]), 1..=3).prop_map(|items| items.join(",")),
    )
        .prop_map(|(action, priority, ports)| {
            let members = json!({"Protocols": "6", "LocalPorts": ports});
            acl(&format!("{action} In"), priority, members)
        })
}

fn network_rule() -> impl Strategy<Value = Value> {
    settings().prop_map(|settings| json!({"Type": "NetworkACL", "Settings": settings}))
}

fn tier() -> impl Strategy<Value = Value> {
    let one = (settings(), select(vec!["Allow", "Block", "Pass"])).prop_map(|(mut own, action)| {
        own.shift_remove("Direction");
        own.shift_remove("Action");
        own.insert("TierAclRuleAction".to_owned(), action.into());
        Value::Object(own)
    });
    (select(vec!["In", "Out"]), 1001..1004u16, vec(one, 0..4)).prop_map(|(direction, order, rules)| {
        json!({"Type": "TierAcl", "Settings": {
            "Name": format!("t{order}"), "Direction": direction, "Order": order, "TierAclRules": rules,
        }})
    })
}

fn semantics() -> impl Strategy<Value = Semantics> {
    let usual = Semantics::default;
    let odd = (
        select(vec![
            DefaultDeny::BothDirections,
            DefaultDeny::RuledDirections,
            DefaultDeny::Never,
        ]),
        select(vec![Tie::BlockWins, Tie::FirstWins]),
        select(vec![SeveralSets::Intersection, SeveralSets::Union]),
        select(vec![AclRuleType::Switch, AclRuleType::Host]),
        any::<[bool; 3]>(),
    )
        .prop_map(
            move |(default_deny, tie, several_sets, omitted_rule_type, [flips, drops, tiers])| {
                Semantics {
                    default_deny,
                    tie,
                    several_sets,
                    omitted_rule_type,
                    host_rule_flips_switch: flips,
                    drop_other_protocols_in: drops,
                    tier_default_deny: tiers,
                    ..usual()
                }
            },
        );
    prop_oneof![3 => Just(usual()), 1 => odd]
}

/// A scene.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The check that is to find something.
    pub aim: &'static str,
    pub network_type: &'static str,
    pub version: HnsVersion,
    semantics: Semantics,
    /// The endpoint whose rules they are has addresses of both families.
    pub is_dual: bool,
    /// In v1 shape.
    pub is_v1: bool,
    pub documents: Vec<Value>,
    /// For what is drawn from here on.
    pub seed: u64,
}

impl Scene {
    pub fn semantics(&self) -> Semantics {
        Semantics {
            // 4.1.
            acl_on_nat: self.version != HnsVersion::new(15, 4),
            ..self.semantics.clone()
        }
    }

    /// What lint sees of documents that stand for this scene's.
    pub fn subject(&self, documents: &[Value]) -> Subject {
        let mut subject = Subject::of(
            crate::listing::of_values(documents.iter().cloned()),
            Some(self.version),
        );
        subject.profile.semantics = self.semantics();
        subject
    }
}

/// Puts a trouble into the policies of the endpoint, or of the network. `by` is chance.
fn plant(aim: &'static str, by: u64, rules: &mut Vec<Value>, of_network: &mut Vec<Value>) {
    let pick = |some: &[&str]| some[(by % some.len() as u64) as usize].to_owned();
    let direction = pick(&["In", "Out"]);
    let tcp = |what: &str, priority: u16, ports: &str| {
        acl(
            what,
            priority,
            json!({"Protocols": "6", "LocalPorts": ports}),
        )
    };
    let is_acl = |rule: &&mut Value| rule["Type"] == "ACL";
    match aim {
        "lone-block" => {
            rules.push(tcp("Block In", 7, "80"));
            for rule in rules.iter_mut().filter(is_acl) {
                rule["Settings"]["Action"] = "Block".into();
            }
        }
        "one-way-rules" => {
            rules.push(tcp(&format!("Allow {direction}"), 7, "8080"));
            for rule in rules.iter_mut().filter(is_acl) {
                if rule["Settings"]["Direction"] != *direction {
                    rule["Settings"]["Action"] = "Block".into();
                }
            }
        }
        "duplicate-rule" => {
            let own = rules.iter().find(|rule| rule["Type"] == "ACL").cloned();
            let mut own = own.unwrap_or_else(|| tcp("Allow In", 7, "80,443"));
            rules.push(own.clone());
            // 80,443 is 443,80.
            if let Some(ports) = own["Settings"]["LocalPorts"].as_str() {
                let turned: Vec<&str> = ports.split(',').rev().collect();
                own["Settings"]["LocalPorts"] = turned.join(",").into();
            }
            rules.push(own);
        }
        "shadowed-rule" => {
            rules.push(tcp("Allow In", 10, "8000-8100"));
            rules.push(tcp(&pick(&["Allow In", "Block In"]), 20, "8080"));
        }
        "overruled-rule" => match by % 3 {
            0 => {
                let drops = json!({"Action": "Block", "Direction": direction, "Priority": 0, "RemoteAddresses": "10.9.0.0/16"});
                of_network.push(json!({"Type": "NetworkACL", "Settings": drops}));
                let own = json!({"RemoteAddresses": "10.9.8.7", "Protocols": "6"});
                rules.push(acl(&format!("Allow {direction}"), 1, own));
            }
            1 => rules.extend([
                acl("Block In", 0, json!({"RuleType": "Host", "RemoteAddresses": "10.9.0.0/16"})),
                acl("Allow In", 1, json!({"RemoteAddresses": "10.9.8.7"})),
            ]),
            _ => {
                let tier = |order: u16, action: &str| {
                    json!({"Type": "TierAcl", "Settings": {"Name": "own", "Direction": "In", "Order": order, "TierAclRules": [
                        {"TierAclRuleAction": action, "Protocols": "6", "LocalPorts": "8080", "Priority": 0},
                    ]}})
                };
                rules.extend([tier(1000, "Allow"), tier(2000, "Block")]);
            }
        },
        "partly-shadowed-rule" => {
            rules.push(tcp("Block In", 10, "7000-7100"));
            rules.push(tcp(&pick(&["Allow In", "Block In"]), 20, "7050,7200,7060-7070"));
        }
        "tie-decides" => {
            rules.push(tcp("Block In", 40, "9000"));
            rules.push(tcp("Allow In", 40, &pick(&["9000-9010", "9000", "8999,9000"])));
            if by.is_multiple_of(5) {
                rules.push(tcp("Block Out", 41, "9000"));
            }
        }
        "foreign-local-address" => {
            let members = json!({"LocalAddresses": pick(&["10.0.0.9", "10.0.0.8,fd00::8", "10.0.1.0/24"])});
            rules.push(acl(&pick(&["Allow In", "Block Out"]), 7, members));
        }
        "ports-and-portless-protocol" => {
            let members = json!({"Protocols": pick(&["1,6", "6,1,17", "58,17"]), "LocalPorts": "80"});
            rules.push(acl(&pick(&["Allow In", "Block Out"]), 7, members));
        }
        "ports-for-any-protocol" => {
            let key = pick(&["LocalPorts", "RemotePorts"]);
            let mut members = json!({});
            members[key] = "80,443".into();
            rules.push(acl(&pick(&["Allow In", "Block Out"]), 7, members));
        }
        // Two sets in one field mean addresses in both (hns-behaviour 4.7).
        "matches-nothing" => {
            rules.push(acl(&pick(&["Allow In", "Block Out"]), 7, json!({"LocalAddresses": "set-a,set-b"})));
        }
        "priority-zero" => {
            let mut own = tcp(&format!("{} {direction}", pick(&["Allow", "Block"])), 0, "80");
            if by.is_multiple_of(3) {
                own["Settings"].as_object_mut().unwrap().shift_remove("Priority");
            }
            rules.push(own);
        }
        "priority-too-high" => rules.push(tcp(&pick(&["Allow In", "Block In"]), 65_501, "80")),
        "host-bits" => match by % 4 {
            0 => rules.push(json!({"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8", "172.17.0.1/16"]}})),
            1 => of_network.push(json!({"Type": "NetworkACL", "Settings": {
                "Action": "Block", "Direction": direction, "Priority": 7, "RemoteAddresses": "10.7.0.1/16",
            }})),
            _ => rules.push(acl("Block In", 7, json!({"RemoteAddresses": "10.7.0.1/16,10.8.0.1/24,10.8.0.0/24"}))),
        },
        "protocol-name" => {
            let members = json!({"Protocols": pick(&["TCP", "udp,icmp", "6,udp"])});
            rules.push(acl(&pick(&["Allow In", "Block Out"]), 7, members));
        }
        "unreferenced-set" => of_network.push(set("set-left", "IPSET", "10.0.0.9")),
        "misspelt-key" => {
            let mut own = tcp(&pick(&["Allow In", "Block In"]), 7, "80");
            let slips = [("RemotAddresses", "10.0.0.2"), ("RemoteAdresses", "10.0.0.0/24"), ("RemotePrts", "443")];
            let (key, value) = slips[(by % 3) as usize];
            own["Settings"][key] = value.into();
            rules.push(own);
        }
        "key-case" => {
            let mut own = acl(&pick(&["Allow In", "Block In"]), 7, json!({"Protocols": "6"}));
            own["Settings"][pick(&["localports", "ID", "REMOTEPORTS"])] = "80".into();
            rules.push(own);
        }
        "unknown-policy-type" => {
            let mut own = tcp(&pick(&["Allow In", "Block In"]), 7, "80");
            own["Type"] = pick(&["ALC", "ACLS", "PortMaping"]).into();
            rules.push(own);
        }
        other => unreachable!("{other} is put into no scene"),
    }
}

fn set(id: &str, policy_type: &str, values: &str) -> Value {
    json!({"Type": "SetPolicy", "Settings": {"Id": id, "Name": id, "PolicyType": policy_type, "Values": values}})
}

/// An endpoint in the shape of v1.
fn in_v1(endpoint: &Value, network_type: &str, by: u64) -> Value {
    let policies = endpoint["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| {
            let mut flat = policy["Settings"].clone();
            // The list of OutBoundNAT has another name there.
            if let Some(list) = flat.get("Exceptions").cloned() {
                flat = json!({"ExceptionList": list});
            }
            flat["Type"] = policy["Type"].clone();
            // Old clients write one protocol as a number, and HNS adds members that mean any (hns-behaviour 4.9).
            if flat["Protocols"] == "6" && by.is_multiple_of(2) {
                flat.as_object_mut().unwrap().shift_remove("Protocols");
                flat["Protocol"] = 6.into();
                flat["RemotePort"] = "0".into();
            }
            flat
        });
    let mut one = json!({
        "ID": endpoint["ID"], "Name": endpoint["Name"], "VirtualNetwork": NETWORK, "Type": network_type,
        "IPAddress": endpoint["IpConfigurations"][0]["IpAddress"], "PrefixLength": 24,
        "Policies": policies.collect::<Vec<_>>(),
    });
    if let Some(six) = endpoint["IpConfigurations"].get(1) {
        one["IPv6Address"] = six["IpAddress"].clone();
        one["IPv6PrefixLength"] = 64.into();
    }
    one
}

/// Scenes with a trouble of some kind.
pub fn scenes() -> impl Strategy<Value = Scene> {
    let rules = || vec(prop_oneof![3 => rule(), 3 => narrow_rule()], 0..5);
    let documents = (
        rules(),
        option::weighted(0.25, vec(tier(), 1..3)),
        option::weighted(0.25, vec(network_rule(), 1..4)),
        // Most neighbours have none, since each rule is examined.
        option::weighted(0.25, rules()),
        any::<bool>(),
    );
    let host = (
        select(vec![
            "L2Bridge",
            "L2Bridge",
            "NAT",
            "Overlay",
            "Transparent",
        ]),
        select(vec![
            HnsVersion::new(9, 2),
            HnsVersion::new(13, 3),
            HnsVersion::new(15, 0),
            HnsVersion::new(15, 4),
            HnsVersion::new(16, 0),
        ]),
        semantics(),
        any::<bool>(),
        prop::bool::weighted(0.25),
    );
    (select(&PATCHED[..]), documents, host, any::<u64>()).prop_map(
        |(aim, (mut rules, tiers, of_network, theirs, is_first), (network_type, version, semantics, is_dual, v1), seed)| {
            // v1 knows neither tiers nor rules of networks, and its keys have no one spelling.
            let is_v1 = v1 && aim != "key-case";
            let mut on_network = vec![
                set("set-a", "IPSET", "10.0.0.2,10.0.0.3"),
                set("set-b", "IPSET", "10.0.1.0/24"),
                set("set-none", "IPSET", ""),
                set("set-of-sets", "NESTEDIPSET", "set-a,set-b"),
            ];
            on_network.extend(of_network.into_iter().flatten());
            let mut background = std::mem::take(&mut rules);
            background.extend(tiers.into_iter().flatten());
            if is_first {
                plant(aim, seed >> 8, &mut rules, &mut on_network);
                rules.append(&mut background);
            } else {
                rules.append(&mut background);
                plant(aim, seed >> 8, &mut rules, &mut on_network);
            }
            if is_v1 {
                rules.retain(|rule| rule["Type"] != "TierAcl");
            }
            let mut network = network(Value::Array(on_network));
            network["Type"] = network_type.into();
            let mut own = endpoint(1, Value::Array(rules));
            if is_dual {
                own["IpConfigurations"] = json!([{"IpAddress": "10.0.0.1", "PrefixLength": 24}, {"IpAddress": "fd00::1", "PrefixLength": 64}]);
            }
            if is_v1 {
                own = in_v1(&own, network_type, seed >> 16);
            }
            let service = json!({
                "ID": "c0000001-0000-4000-8000-000000000000", "HostComputeEndpoints": [endpoint(2, json!([]))["ID"]], "FrontendVIPs": ["10.96.0.10"],
                "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}], "SchemaVersion": {"Major": 2, "Minor": 0},
            });
            Scene {
                aim,
                network_type,
                version,
                semantics,
                is_dual,
                is_v1,
                documents: vec![network, own, endpoint(2, Value::Array(theirs.unwrap_or_default())), service],
                seed,
            }
        },
    )
}
