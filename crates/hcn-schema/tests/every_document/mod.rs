// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every document type of the crate, behind one trait object, for the laws that hold for each of them.
//!
//! Apart because the recorded documents, the fixtures and the random documents all ask the same laws. The list is whole: a document
//! that is declared in the source and missing here fails [`assert_list_is_whole`].

#![allow(
    dead_code,
    reason = "each test program compiles this module and uses its part"
)]

pub mod places;

use std::{collections::BTreeSet, fs, path::Path};

use hcn_schema::{
    document::{Base, Document, SchemaVersion},
    endpoint, globals, guest_network_service, load_balancer, modify, namespace, network,
    policy::{self, acl, endpoint as endpoint_policy, network as network_policy},
    query, sdn_route, v1,
};
use serde_json::{Map, Value};

/// A JSON object.
type Object = Map<String, Value>;

/// Pointer and value of a member that a type cannot read.
type OddField = (String, Value);

/// One document type.
#[derive(Debug)]
pub struct Kind {
    /// Path of the type inside the crate, e.g. `v1::network::Subnet`.
    pub name: &'static str,
    /// Its known keys.
    pub keys: &'static [&'static str],
    /// Asserts that an object is written back as it was, and that odd members are where the type says.
    pub assert_kept: fn(&Object),
    /// Asserts the same through text.
    pub assert_kept_as_text: fn(&Object),
    /// Pointers and values of the members that the type cannot read.
    pub odd_fields: fn(&Object) -> Vec<OddField>,
    /// Keys that the type has no field for.
    pub extra: fn(&Object) -> Vec<String>,
}

macro_rules! kinds {
    ($($first:ident $(:: $rest:ident)*),* $(,)?) => {
        /// Every document type.
        pub const KINDS: &[Kind] = &[$(
            Kind {
                name: concat!(stringify!($first) $(, "::", stringify!($rest))*),
                keys: <$first $(:: $rest)* as Document>::KEYS,
                assert_kept: assert_kept::<$first $(:: $rest)*>,
                assert_kept_as_text: assert_kept_as_text::<$first $(:: $rest)*>,
                odd_fields: |map| {
                    let document = <$first $(:: $rest)* as Document>::from_map(map);
                    document.odd_fields().into_iter().map(|(at, value)| (at, value.clone())).collect()
                },
                extra: |map| {
                    let document = <$first $(:: $rest)* as Document>::from_map(map);
                    document.extra.keys().cloned().collect()
                },
            }
        ),*];
    };
}

kinds![
    Base,
    SchemaVersion,
    endpoint::Endpoint,
    endpoint::IpConfiguration,
    globals::Globals,
    globals::Version,
    guest_network_service::GnsRpcServerInformation,
    guest_network_service::GuestNetworkService,
    guest_network_service::StateSettings,
    load_balancer::LoadBalancer,
    load_balancer::LoadBalancerPortMapping,
    modify::ExtensionSettings,
    modify::IpSubnetSettings,
    modify::ModifyRequest,
    modify::NamespaceContainerSettings,
    modify::NamespaceEndpointSettings,
    modify::PolicySettings,
    modify::PortSettings,
    modify::SubnetSettings,
    namespace::Namespace,
    namespace::NamespaceResource,
    namespace::NamespaceResourceData,
    network::Dns,
    network::IpSubnet,
    network::Ipam,
    network::MacPool,
    network::MacRange,
    network::Network,
    network::Route,
    network::Subnet,
    policy::Policy,
    acl::Acl,
    acl::TierAcl,
    acl::TierAclRule,
    endpoint_policy::EncapOverhead,
    endpoint_policy::Encryption,
    endpoint_policy::FilterTuple,
    endpoint_policy::Firewall,
    endpoint_policy::InterfaceParameters,
    endpoint_policy::Iov,
    endpoint_policy::Isolation,
    endpoint_policy::L4Proxy,
    endpoint_policy::L4WfpProxy,
    endpoint_policy::NoSettings,
    endpoint_policy::OutBoundNat,
    endpoint_policy::PortMapping,
    endpoint_policy::PortName,
    endpoint_policy::ProviderAddress,
    endpoint_policy::ProxyExceptions,
    endpoint_policy::Qos,
    endpoint_policy::SdnRouteSettings,
    network_policy::AutomaticDns,
    network_policy::DrMacAddress,
    network_policy::InterfaceConstraint,
    network_policy::LayerConstraint,
    network_policy::NeighborDiscovery,
    network_policy::NetAdapterName,
    network_policy::RemoteSubnetRoute,
    network_policy::SetPolicy,
    network_policy::SourceMacAddress,
    network_policy::VSwitchExtension,
    network_policy::VxlanPort,
    query::Query,
    sdn_route::SdnRoute,
    sdn_route::SdnRouteEntry,
    v1::Elb,
    v1::Nat,
    v1::OutBoundNat,
    v1::Policy,
    v1::Proxy,
    v1::endpoint::Endpoint,
    v1::endpoint::EndpointAttach,
    v1::envelope::Envelope,
    v1::namespace::Namespace,
    v1::network::Extension,
    v1::network::IpSubnet,
    v1::network::Network,
    v1::network::Subnet,
    v1::policy_list::PolicyList,
];

/// The type with this name.
pub fn kind(name: &str) -> &'static Kind {
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .unwrap_or_else(|| panic!("no document type is called {name}"))
}

/// Asserts that one type writes one object back as it was, and that its odd members are where it says.
fn assert_kept<T: Document>(map: &Object) {
    let name = std::any::type_name::<T>();
    let document = T::from_map(map);
    let written = document.to_map();
    assert_eq!(written, *map, "{name}: written back as it was read");
    let written = Value::Object(written);
    for (pointer, odd) in document.odd_fields() {
        assert_eq!(
            written.pointer(&pointer),
            Some(odd),
            "{name}: {pointer} leads to the odd member"
        );
    }
}

/// Asserts that one type reads a text like the value it holds, and what it wrote like what it read.
fn assert_kept_as_text<T: Document + PartialEq + std::fmt::Debug>(map: &Object) {
    let name = std::any::type_name::<T>();
    let document = T::from_map(map);
    let text = Value::Object(map.clone()).to_string();
    let parsed = T::from_json(&text).expect("the text of an object parses");
    assert_eq!(parsed, document, "{name}: text and value read alike");
    let again = T::from_json(&parsed.to_json()).expect("what a document writes parses");
    assert_eq!(
        again, document,
        "{name}: what was written reads as the same document"
    );
    assert_eq!(again.to_map(), *map, "{name}: the same as text");
}

/// Asserts that every type writes back every object in the value; gives the count of objects.
pub fn assert_kept_by_every_kind(value: &Value) -> usize {
    let mut objects = 0;
    every_object(value, &mut |map| {
        objects += 1;
        for kind in KINDS {
            (kind.assert_kept)(map);
        }
    });
    objects
}

/// Calls `visit` with every object in the value, outermost first.
pub fn every_object(value: &Value, visit: &mut impl FnMut(&Object)) {
    match value {
        Value::Object(map) => {
            visit(map);
            map.values().for_each(|value| every_object(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| every_object(item, visit)),
        _ => {}
    }
}

/// The fixtures: name of the file without its ending, and what it holds.
pub fn fixtures() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures: Vec<(String, Value)> = fs::read_dir(&folder)
        .expect("the fixtures are beside the tests")
        .map(|entry| {
            let path = entry.expect("the fixtures can be listed").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&path).expect("a fixture is text");
            let value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name.into_owned(), value)
        })
        .collect();
    fixtures.sort_by(|one, other| one.0.cmp(&other.0));
    fixtures
}

/// The fixture of this name.
pub fn fixture(name: &str) -> Value {
    fixtures()
        .into_iter()
        .find(|(own, _)| own == name)
        .unwrap_or_else(|| panic!("no fixture is called {name}"))
        .1
}

/// Asserts that each document which the source declares is in [`KINDS`], as often as it is declared.
pub fn assert_list_is_whole() {
    let mut declared = Vec::new();
    collect_declared(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut declared,
    );
    declared.sort();
    let mut listed: Vec<String> = KINDS
        .iter()
        .map(|kind| kind.name.rsplit("::").next().unwrap_or_default().to_owned())
        .collect();
    listed.sort();
    assert_eq!(listed, declared, "KINDS and the documents of the source");
    let names: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), KINDS.len(), "no type is listed twice");
}

/// Names of the structs that stand in `document! { … }` in the source.
fn collect_declared(folder: &Path, declared: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the source folder is beside the tests") {
        let path = entry.expect("the source folder can be listed").path();
        if path.is_dir() {
            collect_declared(&path, declared);
            continue;
        }
        let text = fs::read_to_string(&path).expect("the source is text");
        let mut inside = false;
        for line in text.lines() {
            if line == "document! {" {
                inside = true;
            } else if inside && let Some(rest) = line.trim().strip_prefix("pub struct ") {
                let name = rest.split([' ', '{']).next().unwrap_or_default();
                declared.push(name.to_owned());
                inside = false;
            }
        }
    }
}
