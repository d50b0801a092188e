// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys and types that nobody knows, and how they were probably meant.
//!
//! Apart from the schema, which keeps every key and has no opinion. An unknown key is told where a known one is near and missing; any other only
//! inside settings, since objects get members from every version of HNS.

use hcn_schema::{
    Document, Endpoint, LoadBalancer, Namespace, Network, Policy,
    document::SchemaVersion,
    endpoint::IpConfiguration,
    load_balancer::LoadBalancerPortMapping,
    namespace::{NamespaceResource, NamespaceResourceData},
    network::{Dns, IpSubnet, Ipam, MacPool, MacRange, Route, Subnet},
    policy::{
        EndpointPolicy, NetworkPolicy, SubnetPolicy,
        acl::TierAclRule,
        endpoint::{FilterTuple, ProxyExceptions, Qos},
    },
    v1,
};
use serde_json::{Map, Value};

use super::{
    finding::{self, Finding, ObjectName, escaped},
    fix::{Edit, Fix},
    nearest::nearest,
    subject::Subject,
};

/// The members of an object, and of what is inside them.
struct Shape {
    keys: &'static [&'static str],
    inside: &'static [(&'static str, &'static Shape)],
}

const fn leaf(keys: &'static [&'static str]) -> Shape {
    Shape { keys, inside: &[] }
}

const DNS: Shape = leaf(Dns::KEYS);
const ROUTE: Shape = leaf(Route::KEYS);
const VERSION: Shape = leaf(SchemaVersion::KEYS);
const SUBNET: Shape = Shape {
    keys: Subnet::KEYS,
    inside: &[("Routes", &ROUTE), ("IpSubnets", &leaf(IpSubnet::KEYS))],
};
const NETWORK: Shape = Shape {
    keys: Network::KEYS,
    inside: &[
        ("Dns", &DNS),
        ("SchemaVersion", &VERSION),
        (
            "MacPool",
            &Shape {
                keys: MacPool::KEYS,
                inside: &[("Ranges", &leaf(MacRange::KEYS))],
            },
        ),
        (
            "Ipams",
            &Shape {
                keys: Ipam::KEYS,
                inside: &[("Subnets", &SUBNET)],
            },
        ),
    ],
};
const ENDPOINT: Shape = Shape {
    keys: Endpoint::KEYS,
    inside: &[
        ("Dns", &DNS),
        ("Routes", &ROUTE),
        ("SchemaVersion", &VERSION),
        ("IpConfigurations", &leaf(IpConfiguration::KEYS)),
    ],
};
const BALANCER: Shape = Shape {
    keys: LoadBalancer::KEYS,
    inside: &[
        ("SchemaVersion", &VERSION),
        ("PortMappings", &leaf(LoadBalancerPortMapping::KEYS)),
    ],
};
const NAMESPACE: Shape = Shape {
    keys: Namespace::KEYS,
    inside: &[
        ("SchemaVersion", &VERSION),
        (
            "Resources",
            &Shape {
                keys: NamespaceResource::KEYS,
                inside: &[("Data", &leaf(NamespaceResourceData::KEYS))],
            },
        ),
    ],
};
const V1_NETWORK: Shape = Shape {
    keys: v1::Network::KEYS,
    inside: &[
        ("MacPools", &leaf(MacRange::KEYS)),
        (
            "Subnets",
            &Shape {
                keys: v1::network::Subnet::KEYS,
                inside: &[("IpSubnets", &leaf(v1::network::IpSubnet::KEYS))],
            },
        ),
    ],
};
const V1_NAMESPACE: Shape = leaf(v1::Namespace::KEYS);
const V1_ENDPOINT: Shape = leaf(v1::Endpoint::KEYS);
const V1_BALANCER: Shape = leaf(v1::PolicyList::KEYS);

/// v1 types whose settings are known, with what HNS was seen to add (hns-behaviour 2.15, 4.9).
const V1_POLICIES: [(&str, &[&str], &[&str]); 12] = [
    (
        "ACL",
        hcn_schema::policy::Acl::KEYS,
        &["Protocol", "LocalPort", "RemotePort", "InternalPort"],
    ),
    ("NAT", v1::Nat::KEYS, &[]),
    ("OutBoundNAT", v1::OutBoundNat::KEYS, &["PA", "Exceptions"]),
    ("PROXY", v1::Proxy::KEYS, &["Protocol"]),
    ("ELB", v1::Elb::KEYS, &["LocalRoutedVip"]),
    (
        "ROUTE",
        &["DestinationPrefix", "NextHop", "NeedEncap"],
        &["AutomaticEndpointMonitor"],
    ),
    ("QOS", Qos::KEYS, &[]),
    ("PA", &["PA"], &[]),
    ("VLAN", &["VLAN"], &["IsolationId"]),
    ("VSID", &["VSID"], &["IsolationId"]),
    ("ISOLATION", &["VLAN", "VSID", "InDefaultIsolation"], &[]),
    ("VNET", &[], &[]),
];

/// What types of v1 are called in v2 (hns-behaviour 2.15).
const RENAMED: [(&str, &str); 4] = [
    ("PROXY", "L4Proxy"),
    ("NAT", "PortMapping"),
    ("ROUTE", "SDNRoute"),
    ("PA", "ProviderAddress"),
];

/// Objects inside of settings.
const INSIDE_SETTINGS: [(&str, &[&str]); 3] = [
    ("FilterTuple", FilterTuple::KEYS),
    ("InboundExceptions", ProxyExceptions::KEYS),
    ("OutboundExceptions", ProxyExceptions::KEYS),
];

/// The members of a v2 policy.
const POLICY: &[&str] = Policy::KEYS;

/// Keys that real documents write in either case.
const EITHER_CASE: [&str; 3] = ["ID", "Dns", "IpAddress"];

/// Looks at every key of every document.
pub(super) fn check(subject: &Subject, found: &mut Vec<Finding>) {
    for known in &subject.networks {
        let shape = if known.is_v1 { &V1_NETWORK } else { &NETWORK };
        let mut walk = Walk {
            object: &known.name,
            is_v1: known.is_v1,
            found,
        };
        walk.members(&known.value, "", shape);
        walk.policies(&known.value, "", Holder::Network);
        if known.is_v1 {
            let subnets = crate::listing::member(&known.value, "Subnets").and_then(Value::as_array);
            for (j, subnet) in subnets.into_iter().flatten().enumerate() {
                walk.policies(subnet, &format!("/Subnets/{j}"), Holder::Subnet);
            }
        }
        let ipams = known.document.ipams.get().map_or(0, Vec::len);
        for i in (0..ipams).filter(|_| !known.is_v1) {
            let subnets = known
                .value
                .pointer(&format!("/Ipams/{i}/Subnets"))
                .and_then(Value::as_array);
            for (j, subnet) in subnets.into_iter().flatten().enumerate() {
                walk.policies(subnet, &format!("/Ipams/{i}/Subnets/{j}"), Holder::Subnet);
            }
        }
    }
    for known in &subject.endpoints {
        let shape = if known.is_v1 { &V1_ENDPOINT } else { &ENDPOINT };
        let mut walk = Walk {
            object: &known.name,
            is_v1: known.is_v1,
            found,
        };
        walk.members(&known.value, "", shape);
        walk.policies(&known.value, "", Holder::Endpoint);
    }
    for known in &subject.load_balancers {
        let shape = if known.is_v1 { &V1_BALANCER } else { &BALANCER };
        let mut walk = Walk {
            object: &known.name,
            is_v1: known.is_v1,
            found,
        };
        walk.members(&known.value, "", shape);
        walk.policies(&known.value, "", Holder::Balancer);
    }
    for known in &subject.namespaces {
        let shape = if known.is_v1 {
            &V1_NAMESPACE
        } else {
            &NAMESPACE
        };
        let mut walk = Walk {
            object: &known.name,
            is_v1: known.is_v1,
            found,
        };
        walk.members(&known.value, "", shape);
    }
}

/// What holds policies.
#[derive(Clone, Copy, PartialEq)]
enum Holder {
    Network,
    Subnet,
    Endpoint,
    Balancer,
}

struct Walk<'a> {
    object: &'a ObjectName,
    is_v1: bool,
    found: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    /// The keys of an object, or of each object of a list.
    fn members(&mut self, value: &Value, at: &str, shape: &Shape) {
        match value {
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.members(item, &format!("{at}/{place}"), shape);
                }
            }
            Value::Object(members) => {
                self.keys(members, at, shape.keys, &[], false);
                for (key, value) in members {
                    let inside = shape.inside.iter();
                    let mut inside = inside.filter(|(known, _)| known.eq_ignore_ascii_case(key));
                    if let Some((_, inside)) = inside.next() {
                        self.members(value, &format!("{at}/{}", escaped(key)), inside);
                    }
                }
            }
            _ => {}
        }
    }

    /// The keys of one object against those that are known; `also` are known too, and no correction.
    fn keys(
        &mut self,
        members: &Map<String, Value>,
        at: &str,
        known: &'static [&'static str],
        also: &[&str],
        is_settings: bool,
    ) {
        for (place, (key, value)) in members.iter().enumerate() {
            let pointer = format!("{at}/{}", escaped(key));
            let twin = members
                .keys()
                .take(place)
                .find(|other| other.eq_ignore_ascii_case(key));
            if let Some(twin) = twin {
                let message = format!(
                    "the object has {twin} and {key}, and HNS tells keys apart without case"
                );
                let other = format!("{at}/{}", escaped(twin));
                let values = [(&other, &members[twin]), (&pointer, value)];
                let values = values
                    .map(|(pointer, value)| finding::place(pointer, crate::render::plain(value)));
                self.found
                    .push(Finding::new("key-twice", self.object, &pointer, message).with(values));
                continue;
            }
            let canonical = known.iter().find(|own| own.eq_ignore_ascii_case(key));
            if let Some(canonical) = canonical {
                // Only the Id of a rule is told apart by case (hns-behaviour 2.1).
                let is_exact = is_settings && *canonical == "Id" && known.contains(&"Priority");
                if *canonical != key && (is_exact || !self.may_differ(canonical)) {
                    let message = match is_exact {
                        true => {
                            format!("{key} is not taken for the rule's Id: only {canonical} is")
                        }
                        false => format!("{key} is written {canonical} by HNS"),
                    };
                    let finding = Finding::new("key-case", self.object, &pointer, message)
                        .with([finding::place(&pointer, crate::render::plain(value))]);
                    let finding = match is_exact {
                        true => Finding {
                            severity: super::Severity::Warning,
                            ..finding
                        },
                        false => finding,
                    };
                    self.found
                        .push(finding.fixed_by(renamed(&pointer, canonical)));
                }
                continue;
            }
            if also.iter().any(|own| own.eq_ignore_ascii_case(key)) {
                continue;
            }
            let missing = |own: &&&str| !members.keys().any(|key| key.eq_ignore_ascii_case(own));
            let near = nearest(key, known.iter().filter(missing).copied())
                // A known key may be as near: then this is a member of its own, such as another family's address.
                .filter(|near| nearest(key, known.iter().copied()) == Some(*near));
            if let Some(near) = near {
                let message = format!("{key} is unknown; {near} is near, and missing");
                self.found.push(
                    Finding::new("misspelt-key", self.object, pointer.clone(), message)
                        .with([finding::place(&pointer, crate::render::plain(value))])
                        .fixed_by(renamed(&pointer, near)),
                );
            } else if let Some(plural) = plural_of(key, members, known) {
                let message = format!("{key} is unknown, and {plural} is there beside it");
                self.found.push(
                    Finding::new("unknown-key", self.object, pointer.clone(), message)
                        .with([finding::place(&pointer, crate::render::plain(value))]),
                );
            } else if is_settings {
                let message = format!("{key} is unknown in these settings");
                self.found.push(
                    Finding::new("unknown-key", self.object, pointer.clone(), message)
                        .with([finding::place(&pointer, crate::render::plain(value))]),
                );
            }
        }
    }

    /// Whether the spelling of a key says nothing.
    fn may_differ(&self, canonical: &str) -> bool {
        // v1 has no canonical spelling: Windows itself printed several.
        self.is_v1
            || EITHER_CASE
                .iter()
                .any(|own| own.eq_ignore_ascii_case(canonical))
    }

    fn policies(&mut self, value: &Value, at: &str, holder: Holder) {
        let Some((key, policies)) = value.as_object().and_then(|members| {
            let mut members = members.iter();
            members.find(|(key, _)| key.eq_ignore_ascii_case("Policies"))
        }) else {
            return;
        };
        for (place, value) in policies.as_array().into_iter().flatten().enumerate() {
            let at = format!("{at}/{}/{place}", escaped(key));
            if let (Some(policy), Some(members)) = (Policy::from_value(value), value.as_object()) {
                self.policy(&policy, members, &at, holder);
            }
        }
    }

    fn policy(&mut self, policy: &Policy, members: &Map<String, Value>, at: &str, holder: Holder) {
        let own_type = policy.policy_type.or_default();
        if self.is_v1 && policy.settings.is_absent() {
            self.flat_policy(policy, members, at);
            return;
        }
        // Unknown ones may be settings, which old samples have beside the type.
        self.keys(members, at, POLICY, &[], false);
        if policy.policy_type.is_absent() && self.is_misspelt(members, at, "Type") {
            return;
        }
        let (keys, types): (_, &[&str]) = match holder {
            Holder::Network => (NetworkPolicy::keys(policy), NetworkPolicy::TYPES),
            Holder::Subnet => (SubnetPolicy::keys(policy), SubnetPolicy::TYPES),
            Holder::Endpoint => (EndpointPolicy::keys(policy), EndpointPolicy::TYPES),
            Holder::Balancer => return,
        };
        if let Some(keys) = keys {
            self.settings(policy, members, at, keys);
            return;
        }
        let pointer = format!("{at}/Type");
        let elsewhere = [
            (Holder::Network, NetworkPolicy::keys(policy), "networks"),
            (Holder::Subnet, SubnetPolicy::keys(policy), "subnets"),
            (Holder::Endpoint, EndpointPolicy::keys(policy), "endpoints"),
        ];
        let elsewhere = elsewhere.into_iter().find(|(_, keys, _)| keys.is_some());
        if let Some((_, _, whose)) = elsewhere {
            let message = format!("{own_type} is a policy of {whose}");
            self.found.push(
                Finding::new("misplaced-policy", self.object, &pointer, message)
                    .with([finding::place(&pointer, own_type)]),
            );
        } else if own_type.is_empty() {
            let message = "the policy has no type";
            let text = Value::Object(members.clone()).to_string();
            self.found.push(
                Finding::new("unknown-policy-type", self.object, at, message)
                    .with([finding::place(at, text)]),
            );
        } else {
            let of_v1 = RENAMED.iter().find(|(one, _)| policy.is(one));
            match of_v1.filter(|(_, two)| types.contains(two)) {
                // Its settings have other shapes too, so that the name alone would be no patch.
                Some((one, two)) => {
                    let message = format!("{one} is a type of v1; in v2 it is {two}");
                    let words = format!("write {two}, with the settings that it has in v2");
                    self.found.push(
                        Finding::new("unknown-policy-type", self.object, &pointer, message)
                            .with([finding::place(&pointer, own_type)])
                            .fixed_by(Fix::in_words(words)),
                    );
                }
                None => {
                    let near = nearest(&own_type, types.iter().copied());
                    self.unknown_type(&own_type, pointer, near);
                }
            }
        }
    }

    /// Whether the member is there under a key that was found to be near.
    fn is_misspelt(&self, members: &Map<String, Value>, at: &str, key: &str) -> bool {
        members.keys().any(|own| {
            let pointer = format!("{at}/{}", escaped(own));
            self.found.iter().any(|finding| {
                let renames = [Edit::Rename(pointer.clone(), key.to_owned())];
                finding.object == *self.object && finding.fix.edits == renames
            })
        })
    }

    /// A v1 policy.
    fn flat_policy(&mut self, policy: &Policy, members: &Map<String, Value>, at: &str) {
        let own_type = policy.policy_type.or_default();
        let mut known = V1_POLICIES.iter();
        if let Some((_, keys, also)) = known.find(|(name, _, _)| policy.is(name)) {
            let mut settings = members.clone();
            settings.retain(|key, _| !key.eq_ignore_ascii_case("Type"));
            self.keys(&settings, at, keys, also, true);
            return;
        }
        let types = [
            NetworkPolicy::TYPES,
            SubnetPolicy::TYPES,
            EndpointPolicy::TYPES,
        ];
        let types = types.into_iter().flatten().copied();
        let of_v1 = V1_POLICIES.iter().map(|(name, _, _)| *name);
        let types: Vec<&str> = types.chain(of_v1).collect();
        if own_type.is_empty() {
            self.keys(members, at, &["Type"], &[], false);
        } else if !types.iter().any(|known| policy.is(known))
            && let Some(near) = nearest(&own_type, types.iter().copied())
        {
            // Of v1 there is no list of all types.
            let pointer = format!("{at}/Type");
            self.unknown_type(&own_type, pointer, Some(near));
        }
    }

    fn unknown_type(&mut self, own_type: &str, pointer: String, near: Option<&str>) {
        let (message, fix) = match near {
            Some(near) => (
                format!("the type {own_type} is unknown; {near} is near"),
                Fix::by(
                    format!("write {near}"),
                    vec![Edit::Set(pointer.clone(), near.into())],
                ),
            ),
            None => (
                format!("the type {own_type} is unknown"),
                Fix::in_words("correct the type, or take the policy away"),
            ),
        };
        self.found.push(
            Finding::new("unknown-policy-type", self.object, &pointer, message)
                .with([finding::place(&pointer, own_type)])
                .fixed_by(fix),
        );
    }

    /// The settings of a v2 policy, with the rules of a tier.
    fn settings(
        &mut self,
        policy: &Policy,
        members: &Map<String, Value>,
        at: &str,
        keys: &'static [&'static str],
    ) {
        let own = members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("Settings"));
        // Old samples have the settings beside the type.
        let Some((key, Value::Object(settings))) = own else {
            return;
        };
        let at = format!("{at}/{}", escaped(key));
        self.keys(settings, &at, keys, &[], true);
        let inside = |key: &str| {
            settings
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(key))
        };
        for (key, keys) in INSIDE_SETTINGS {
            if let Some((own, Value::Object(members))) = inside(key) {
                self.keys(members, &format!("{at}/{}", escaped(own)), keys, &[], true);
            }
        }
        if !policy.is("TierAcl") {
            return;
        }
        if let Some((own, Value::Array(rules))) = inside("TierAclRules") {
            for (place, rule) in rules.iter().enumerate() {
                if let Some(rule) = rule.as_object() {
                    let at = format!("{at}/{}/{place}", escaped(own));
                    self.keys(rule, &at, TierAclRule::KEYS, &[], true);
                }
            }
        }
    }
}

/// The known list of the object that an unknown key is the singular of.
fn plural_of(
    key: &str,
    members: &Map<String, Value>,
    known: &'static [&'static str],
) -> Option<&'static str> {
    let plural = format!("{key}s");
    let mut known = known.iter().copied();
    known.find(|own| {
        own.eq_ignore_ascii_case(&plural)
            && members.keys().any(|there| there.eq_ignore_ascii_case(own))
    })
}

/// The member under another key.
fn renamed(pointer: &str, canonical: &str) -> Fix {
    Fix::by(
        format!("write {canonical}"),
        vec![Edit::Rename(pointer.to_owned(), canonical.to_owned())],
    )
}
