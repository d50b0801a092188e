// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is examined: networks, endpoints and load balancers of one HNS, in whatever shape they were told.
//!
//! Apart because a listing may hold only some kinds, v1 or v2 shapes, or lists that were cut. What is not known is not judged: [`Subject`] says
//! which kinds are complete. Policies keep their places and their shape, so that a pointer leads into the document as it was read.

use std::collections::HashMap;

use hcn::{HnsVersion, service::Profile};
use hcn_engine::Documents;
use hcn_schema::{
    Document, Endpoint, Guid, Id, LoadBalancer, Namespace, Network, Policy, Shape,
    endpoint::{EndpointFlags, IpConfiguration},
    namespace::NamespaceType,
    network::{Ipam, NetworkType, Route, Subnet},
    policy::Acl,
    v1,
};
use serde_json::Value;

use super::finding::ObjectName;
use crate::{
    difference,
    listing::{self, Listed, Source},
    render,
};

/// The documents of one HNS.
#[derive(Debug)]
pub struct Subject {
    /// How the HNS behaves.
    pub profile: Profile,
    /// The version that features are asked of.
    pub version: HnsVersion,
    /// Networks; those that only endpoints name are not in here.
    pub networks: Vec<Known<Network>>,
    /// Endpoints.
    pub endpoints: Vec<Known<Endpoint>>,
    /// Load balancers.
    pub load_balancers: Vec<Known<LoadBalancer>>,
    /// Namespaces.
    pub namespaces: Vec<Known<Namespace>>,
    /// Sentences about what could not be examined.
    pub notes: Vec<String>,
    /// Whether this is all that HNS has, so that what is not in here is nowhere.
    pub is_all: bool,
    /// Type of a network that only its endpoints tell of.
    told_types: HashMap<Guid, NetworkType>,
}

/// A document in v2 shape, and as it came.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// Kind, id and name.
    pub name: ObjectName,
    /// In v2 shape; policies of a v1 document stay flat.
    pub document: T,
    /// As it came.
    pub value: Value,
    /// Whether it came in v1 shape.
    pub is_v1: bool,
    /// Whether all of it is there, lists included.
    pub is_whole: bool,
    /// What it was read from.
    pub source: Source,
    /// Its place in the listing.
    pub place: usize,
}

impl Subject {
    /// The HNS that is meant: its version, and the switches that are set.
    pub fn hns(&self) -> String {
        match self.profile.switches.is_empty() {
            true => self.version.to_string(),
            false => format!("{},{}", self.version, self.profile.switches),
        }
    }

    /// What a listing holds. The version is the one that is given, else the newest that an object carries, else the usual one.
    pub fn of(listed: Vec<Listed>, version: Option<HnsVersion>) -> Subject {
        let carried = listed.iter().filter_map(|listed| {
            let number = listing::member(&listed.value, "Version")?;
            Some(HnsVersion::from_number(u64::read(number)?))
        });
        let version = version
            .or_else(|| carried.filter(|version| version.major > 0).max())
            .unwrap_or(hcn::service::profile::DEFAULT);
        let mut subject = Subject {
            profile: profile(version),
            version,
            networks: Vec::new(),
            endpoints: Vec::new(),
            load_balancers: Vec::new(),
            namespaces: Vec::new(),
            notes: Vec::new(),
            is_all: false,
            told_types: HashMap::new(),
        };
        for (place, listed) in listed.into_iter().enumerate() {
            subject.add(place, listed);
        }
        subject.join_a_lone_network();
        subject
    }

    fn add(&mut self, place: usize, listed: Listed) {
        let is_v1 = is_v1(&listed);
        let is_whole = !is_cut(&listed.value);
        if !is_whole {
            self.notes.push(format!(
                "{}: the listing cut its lists; its rules are not examined",
                listed.identity
            ));
        }
        let kind = match listed.kind {
            listing::Kind::Unknown if is_policy_holder(&listed.value) => listing::Kind::Endpoint,
            listing::Kind::Unknown if !is_v1 => kind_by_type(&listed.value),
            kind => kind,
        };
        // A document that is not in HNS yet has no id; its place tells it from the others.
        let id = listed.id().and_then(|id| id.parse().ok());
        let id = id
            .filter(|id: &Guid| !id.is_zero() || kind == listing::Kind::Network)
            .unwrap_or(made_up(place));
        let name = |kind| ObjectName {
            kind,
            id,
            name: listed.name().unwrap_or_default().to_owned(),
        };
        let source = listed.source;
        match kind {
            listing::Kind::Network => {
                let mut document = network(&listed.value, is_v1);
                document.id.set(Id::from(id));
                self.networks.push(Known {
                    name: name("network"),
                    document,
                    is_v1,
                    is_whole,
                    source,
                    place,
                    value: listed.value,
                });
            }
            listing::Kind::Endpoint => {
                let mut document = endpoint(&listed.value, is_v1);
                document.id.set(Id::from(id));
                if let Some(told) = listing::member(&listed.value, "Type")
                    .and_then(NetworkType::read)
                    .filter(|_| is_v1)
                {
                    self.told_types.insert(network_id(&document), told);
                }
                self.endpoints.push(Known {
                    name: name("endpoint"),
                    document,
                    is_v1,
                    is_whole,
                    source,
                    place,
                    value: listed.value,
                });
            }
            listing::Kind::LoadBalancer => {
                let document = load_balancer(&listed.value, is_v1);
                self.load_balancers.push(Known {
                    name: name("loadbalancer"),
                    document,
                    is_v1,
                    is_whole: is_whole && source == Source::Json,
                    source,
                    place,
                    value: listed.value,
                });
            }
            listing::Kind::Namespace => {
                let document = Namespace::from_value(&listed.value).unwrap_or_default();
                self.namespaces.push(Known {
                    name: name("namespace"),
                    document,
                    is_v1,
                    is_whole,
                    source,
                    place,
                    value: listed.value,
                });
            }
            listing::Kind::Unknown => self.notes.push(format!(
                "{}: neither network, endpoint, load balancer nor namespace; not examined",
                listed.identity
            )),
        }
    }

    /// Whether an endpoint that is not in here is known to be gone.
    pub fn tells_endpoints(&self) -> bool {
        self.is_all || !self.endpoints.is_empty()
    }

    /// Whether there is nothing in here that a check looks at.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
            && self.endpoints.is_empty()
            && self.load_balancers.is_empty()
            && self.namespaces.is_empty()
    }

    /// An endpoint that names no network is on the only one there is.
    fn join_a_lone_network(&mut self) {
        let [network] = &self.networks[..] else {
            return;
        };
        let id = network.name.id;
        for endpoint in &mut self.endpoints {
            if endpoint.document.host_compute_network.is_absent() {
                endpoint.document.host_compute_network.set(Id::from(id));
            }
        }
    }

    /// The network of an endpoint, where it is known.
    pub fn network_of(&self, endpoint: &Endpoint) -> Option<&Known<Network>> {
        let id = endpoint.host_compute_network.get()?.guid()?;
        self.networks.iter().find(|network| network.name.id == id)
    }

    /// The type of an endpoint's network, where anything tells it.
    pub fn network_type(&self, endpoint: &Endpoint) -> Option<NetworkType> {
        match self.network_of(endpoint) {
            // HNS omits enumerations whose number is 0, and NAT's is 0 (hns-behaviour 2.1).
            Some(network) if network.document.network_type.is_absent() => Some(NetworkType::Nat),
            Some(network) => network.document.network_type.get().copied(),
            None => self.told_types.get(&network_id(endpoint)).copied(),
        }
    }

    /// An endpoint alone on its network. One that nothing is known of is of a type whose ports have no rules but the endpoint's.
    pub(super) fn alone(&self, endpoint: &Endpoint) -> Documents {
        let network = match self.network_of(endpoint) {
            Some(network) => network.document.clone(),
            None => Network {
                id: Id::from(network_id(endpoint)).into(),
                network_type: self
                    .network_type(endpoint)
                    .unwrap_or(NetworkType::L2Bridge)
                    .into(),
                ..Network::default()
            },
        };
        let mut endpoint = endpoint.clone();
        endpoint
            .host_compute_network
            .set(network.id.get().cloned().unwrap_or_default());
        Documents {
            networks: vec![network],
            endpoints: vec![endpoint],
            ..Documents::default()
        }
    }

    /// Whether an endpoint's port lets the same packets pass when its document is another one; `None` where it has no port.
    pub(super) fn same_flows(&self, object: &ObjectName, edited: &Value) -> Option<bool> {
        let known = self.endpoints.iter().find(|known| known.name == *object)?;
        let mut after = endpoint(edited, known.is_v1);
        after.id = known.document.id.clone();
        after.host_compute_network = known.document.host_compute_network.clone();
        super::fix::same_passes(&self.alone(&known.document), &self.alone(&after), self)
    }

    /// The document of an object, as it came.
    pub fn document(&self, object: &ObjectName) -> Option<&Value> {
        fn of<'a, T>(all: &'a [Known<T>], object: &ObjectName) -> Option<&'a Value> {
            let known = all.iter().find(|known| known.name == *object)?;
            Some(&known.value)
        }
        match object.kind {
            "network" => of(&self.networks, object),
            "endpoint" => of(&self.endpoints, object),
            "namespace" => of(&self.namespaces, object),
            _ => of(&self.load_balancers, object),
        }
    }

    /// Whether an object came in v1 shape.
    pub fn is_v1(&self, object: &ObjectName) -> bool {
        fn of<T>(all: &[Known<T>], object: &ObjectName) -> bool {
            all.iter().any(|known| known.name == *object && known.is_v1)
        }
        match object.kind {
            "network" => of(&self.networks, object),
            "endpoint" => of(&self.endpoints, object),
            "namespace" => of(&self.namespaces, object),
            _ => of(&self.load_balancers, object),
        }
    }

    /// Its place in the listing that was read.
    pub(super) fn listed_at(&self, object: &ObjectName) -> Option<usize> {
        fn of<T>(all: &[Known<T>], object: &ObjectName) -> Option<usize> {
            let known = all.iter().find(|known| known.name == *object)?;
            Some(known.place)
        }
        match object.kind {
            "network" => of(&self.networks, object),
            "endpoint" => of(&self.endpoints, object),
            "namespace" => of(&self.namespaces, object),
            _ => of(&self.load_balancers, object),
        }
    }

    /// Where an object stands among all.
    pub(super) fn place(&self, object: &ObjectName) -> (u8, usize) {
        fn of<T>(all: &[Known<T>], object: &ObjectName) -> usize {
            let place = all.iter().position(|known| known.name == *object);
            place.unwrap_or(usize::MAX)
        }
        match object.kind {
            "network" => (0, of(&self.networks, object)),
            "endpoint" => (1, of(&self.endpoints, object)),
            "namespace" => (3, of(&self.namespaces, object)),
            _ => (2, of(&self.load_balancers, object)),
        }
    }
}

/// An id for a document that has none, by its place; no version of GUIDs begins so.
fn made_up(place: usize) -> Guid {
    Guid(u128::MAX - place as u128)
}

/// Whether an id is one of these.
pub(super) fn is_made_up(id: Guid) -> bool {
    id.0 >= u128::MAX - usize::MAX as u128
}

/// The profile of a version; that of the next older one that has any, for a version without.
fn profile(version: HnsVersion) -> Profile {
    use hcn::service::profile::{DEFAULT, KNOWN};
    let known = KNOWN.iter().map(|(known, _)| *known);
    let nearest = known.filter(|known| *known <= version).max();
    let usual = || Profile::of(DEFAULT);
    Profile::of(nearest.unwrap_or(KNOWN[0].0))
        .or_else(|_| usual())
        .unwrap_or_else(|_| unreachable!("the usual version has a profile"))
        .having_parts_of(version)
}

fn network_id(endpoint: &Endpoint) -> Guid {
    let id = endpoint.host_compute_network.get();
    id.and_then(Id::guid).unwrap_or_default()
}

/// Whether an object came in v1 shape. A load balancer whose document leaves SchemaVersion out is told from a policy list by its members.
fn is_v1(listed: &Listed) -> bool {
    let has = |name| listing::member(&listed.value, name).is_some();
    let is_list = || has("References") || has("IsApplied") || has("Policies");
    !difference::is_v2(&listed.value) && (listed.kind != listing::Kind::LoadBalancer || is_list())
}

/// Whether a Format-List left something out that a check would miss.
fn is_cut(value: &Value) -> bool {
    match listing::member(value, "Policies") {
        Some(Value::Array(items)) => items.iter().any(|item| item == listing::CUT),
        Some(hidden) => listing::is_hidden(hidden),
        None => false,
    }
}

/// Whether an object of which little is told has policies of an endpoint.
fn is_policy_holder(value: &Value) -> bool {
    let policies = listing::member(value, "Policies").and_then(Value::as_array);
    policies.into_iter().flatten().any(|policy| {
        let own = listing::member(policy, "Type").and_then(Value::as_str);
        own.is_some_and(|own| {
            let types = hcn_schema::policy::EndpointPolicy::TYPES;
            types.iter().any(|known| known.eq_ignore_ascii_case(own))
        })
    })
}

/// The kind of a v2 object that has nothing but its type to tell it by: types of networks and of namespaces have no name in common.
fn kind_by_type(value: &Value) -> listing::Kind {
    let own = listing::member(value, "Type").filter(|own| own.is_string());
    if own.and_then(NetworkType::read).is_some() {
        listing::Kind::Network
    } else if own.and_then(NamespaceType::read).is_some() {
        listing::Kind::Namespace
    } else {
        listing::Kind::Unknown
    }
}

/// The v2 form of an endpoint.
pub(super) fn endpoint(value: &Value, is_v1: bool) -> Endpoint {
    if !is_v1 {
        return Endpoint::from_value(value).unwrap_or_default();
    }
    let one = v1::Endpoint::from_value(value).unwrap_or_default();
    let mut flags = EndpointFlags(one.flags.or_default());
    for (is_set, flag) in [
        (&one.is_remote_endpoint, EndpointFlags::REMOTE_ENDPOINT),
        (
            &one.disable_icc,
            EndpointFlags::DISABLE_INTER_COMPUTE_COMMUNICATION,
        ),
    ] {
        if is_set.or_default() {
            flags = flags | flag;
        }
    }
    let addresses = [
        (&one.ip_address, &one.prefix_length),
        (&one.ipv6_address, &one.ipv6_prefix_length),
    ];
    let addresses = addresses.into_iter().filter_map(|(address, length)| {
        let address = address.get().filter(|address| !address.is_empty())?;
        Some(IpConfiguration {
            ip_address: address.clone().into(),
            prefix_length: length.clone(),
            ..IpConfiguration::default()
        })
    });
    let gateways = [
        (&one.gateway_address, "0.0.0.0/0"),
        (&one.gateway_address_v6, "::/0"),
    ];
    let routes = gateways.into_iter().filter_map(|(gateway, destination)| {
        let gateway = gateway.get().filter(|gateway| !gateway.is_empty())?;
        Some(Route {
            next_hop: gateway.clone().into(),
            destination_prefix: destination.to_owned().into(),
            ..Route::default()
        })
    });
    let mut two = Endpoint {
        id: one.id.clone(),
        name: one.name.clone(),
        mac_address: one.mac_address.clone(),
        host_compute_network: one.virtual_network.clone(),
        ip_configurations: addresses.collect::<Vec<_>>().into(),
        routes: routes.collect::<Vec<_>>().into(),
        flags: flags.into(),
        policies: policies(one.policies.get()).into(),
        ..Endpoint::default()
    };
    let servers = one.dns_server_list.or_default();
    let servers: Vec<String> = servers
        .split(',')
        .map(|server| server.trim().to_owned())
        .filter(|server| !server.is_empty())
        .collect();
    if !servers.is_empty() {
        two.dns.edit().server_list.set(servers);
    }
    two
}

/// v1 policies, one for one; of rules, what the singular members say is in the plural ones.
fn policies(own: Option<&Vec<v1::Policy>>) -> Vec<Policy> {
    let policies = own.into_iter().flatten().map(|policy| {
        let mut two = Policy {
            policy_type: policy.policy_type.clone(),
            extra: policy.extra.clone(),
            ..Policy::default()
        };
        if let Some(Value::Object(settings)) = two.extra.shift_remove("Settings") {
            // Clients mix the shapes.
            two.settings = settings.into();
        } else if two.is("ACL") {
            two.extra = render::rule::with_plurals(&Acl::from_map(&two.extra)).to_map();
        }
        two
    });
    policies.collect()
}

/// The v2 form of a network.
fn network(value: &Value, is_v1: bool) -> Network {
    if !is_v1 {
        return Network::from_value(value).unwrap_or_default();
    }
    let one = v1::Network::from_value(value).unwrap_or_default();
    let subnets = one.subnets.or_default();
    let subnets = subnets.iter().map(|subnet| Subnet {
        ip_address_prefix: subnet.address_prefix.clone(),
        routes: vec![Route {
            next_hop: subnet.gateway_address.clone(),
            destination_prefix: "0.0.0.0/0".to_owned().into(),
            ..Route::default()
        }]
        .into(),
        policies: policies(subnet.policies.get()).into(),
        ..Subnet::default()
    });
    let network_type = one.network_type.write();
    Network {
        id: one.id.clone(),
        name: one.name.clone(),
        network_type: hcn_schema::Field::read(&network_type.unwrap_or_default()),
        ipams: vec![Ipam {
            subnets: subnets.collect::<Vec<_>>().into(),
            ..Ipam::default()
        }]
        .into(),
        policies: policies(one.policies.get()).into(),
        ..Network::default()
    }
}

/// The v2 form of a load balancer; a v1 list has one for each of its `ELB` policies, which share the backends.
fn load_balancer(value: &Value, is_v1: bool) -> LoadBalancer {
    use hcn_schema::load_balancer::{LoadBalancerFlags, LoadBalancerPortMapping};
    if !is_v1 || listing::member(value, "References").is_none() {
        return LoadBalancer::from_value(value).unwrap_or_default();
    }
    let one = v1::PolicyList::from_value(value).unwrap_or_default();
    let backends = one.references.or_default();
    let backends = backends.iter().map(|reference| {
        // `/endpoints/<id>`; scripts that edit dumps leave the bare id.
        let id = reference.rsplit('/').next().unwrap_or_default();
        Id(id.to_owned())
    });
    let mut two = LoadBalancer {
        id: one.id.clone(),
        host_compute_endpoints: backends.collect::<Vec<_>>().into(),
        ..LoadBalancer::default()
    };
    let mut mappings = Vec::new();
    for policy in one.policies.get().into_iter().flatten() {
        let is_elb = policy.policy_type.get();
        if !is_elb.is_some_and(|own| own.eq_ignore_ascii_case("ELB")) {
            continue;
        }
        let elb: v1::Elb = policy.settings_as();
        mappings.push(LoadBalancerPortMapping {
            protocol: elb.protocol.get().map(|number| u32::from(*number)).into(),
            internal_port: elb.internal_port.clone(),
            external_port: elb.external_port.clone(),
            ..LoadBalancerPortMapping::default()
        });
        if let Some(vips) = elb.vips.get() {
            two.frontend_vips.set(vips.clone());
        }
        two.source_vip = elb.source_vip.clone();
        if elb.is_dsr.or_default() {
            two.flags
                .set(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN);
        }
    }
    two.port_mappings.set(mappings);
    two
}
