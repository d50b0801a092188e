// SPDX-License-Identifier: MIT OR Apache-2.0
//! From documents to a switch.
//!
//! Apart because it never refuses: a dump may hold anything, so whatever has no meaning becomes a fault with its place, and the rest is compiled.

mod balancers;
mod policies;
mod translation;

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
};

use hcn_schema::{
    Endpoint, Field, Guid, MacAddress, Network,
    endpoint::EndpointFlags,
    endpoint::IpConfiguration,
    field::Shape,
    network::{NetworkType, Route},
    policy::endpoint::ProviderAddress,
};
use ipnet::IpNet;

use super::{
    Documents, Fault, Port, PortIndex, PortIndexes, PortMapping, Switch, SwitchNetwork, lack_words,
};
use crate::{
    flow::Family, parts::Part, port_rules::PortRules, rule_list::How, semantics::Semantics,
    topology::is_unicast,
};
use policies::{NetworkPolicies, Wish};

/// Faults of one object.
pub(super) struct Faults<'a> {
    object: Guid,
    all: &'a mut Vec<Fault>,
}

impl Faults<'_> {
    fn tell(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.all.push(Fault {
            object: self.object,
            pointer: pointer.into(),
            message: message.into(),
            lacks: None,
        });
    }

    /// Tells that something has no part in anything, as the HNS does not have it.
    fn lack(&mut self, pointer: String, part: Part, count: usize) {
        self.all.push(Fault {
            object: self.object,
            pointer,
            message: lack_words(part, "this HNS", count),
            lacks: Some((part, count)),
        });
    }

    /// The readable value of a field; an odd one is told.
    fn field<'f, T: Shape>(&mut self, pointer: &str, field: &'f Field<T>) -> Option<&'f T> {
        if let Some(odd) = field.odd() {
            self.tell(pointer, format!("{odd} cannot be read and is left out"));
        }
        field.get()
    }

    /// The items of a list; an odd list is told.
    fn items<'f, T: Shape>(&mut self, pointer: &str, field: &'f Field<Vec<T>>) -> &'f [T] {
        self.field(pointer, field).map_or(&[], Vec::as_slice)
    }
}

/// A network that is compiled, with what its endpoints need of it.
struct Compiled {
    network: SwitchNetwork,
    policies: NetworkPolicies,
}

pub(super) fn compile(
    documents: &Documents,
    semantics: &Semantics,
    rules_count: bool,
    before: Option<&Switch>,
) -> (Switch, Vec<Fault>) {
    let how = How {
        before,
        ..How::all(semantics)
    };
    let mut faults = Vec::new();
    let mut networks: Vec<Compiled> = Vec::new();
    let mut by_id: HashMap<Guid, usize> = HashMap::new();
    for document in &documents.networks {
        let Some(id) = identity(&mut faults, document.id.get().and_then(|id| id.guid())) else {
            continue;
        };
        match by_id.entry(id) {
            Entry::Occupied(_) => duplicate(&mut faults, id),
            Entry::Vacant(vacant) => {
                vacant.insert(networks.len());
                networks.push(compile_network(
                    id,
                    document,
                    rules_count.then_some(&how),
                    &mut faults,
                ));
            }
        }
    }
    let mut ports = Vec::new();
    let mut rules = Vec::new();
    let mut wishes = Vec::new();
    let mut remote = Vec::new();
    let mut endpoints: HashMap<Guid, ()> = HashMap::new();
    for document in &documents.endpoints {
        let Some(id) = identity(&mut faults, document.id.get().and_then(|id| id.guid())) else {
            continue;
        };
        if endpoints.insert(id, ()).is_some() {
            duplicate(&mut faults, id);
            continue;
        }
        if document.is_remote() {
            remote.push((id, document));
            continue;
        }
        let mut told = Faults {
            object: id,
            all: &mut faults,
        };
        let network = network_of(document, &mut networks, &mut by_id, semantics, &mut told);
        let compiled = &networks[network];
        let port = compile_port(
            id,
            document,
            network,
            &compiled.network,
            semantics,
            &mut told,
        );
        let number = PortIndex(ports.len() as u32);
        let (port_rules, port_wishes) = match rules_count {
            true => rules_of(
                document,
                compiled.network.network_type,
                &compiled.policies,
                &how,
                &mut told,
            ),
            false => (PortRules::default(), policies::wishes(document, &mut told)),
        };
        ports.push(port);
        rules.push(port_rules);
        wishes.extend(port_wishes.into_iter().map(|wish| (id, number, wish)));
    }
    let of_network = |document: &Endpoint| {
        let id = document.host_compute_network.get()?.guid()?;
        by_id.get(&id).copied()
    };
    let placed = remote
        .iter()
        .filter_map(|(_, document)| Some((of_network(document)?, *document)));
    let addresses = placed.flat_map(|(network, document)| {
        let own = balancers::addresses_of(document);
        own.map(move |address| (network, address))
    });
    let indexes = PortIndexes::new(&ports, addresses.collect());
    let balancers = balancers::compile(
        &documents.load_balancers,
        &ports,
        &indexes,
        &remote,
        semantics,
        &mut faults,
    );
    let switch = Switch {
        networks: networks
            .into_iter()
            .map(|compiled| compiled.network)
            .collect(),
        indexes: Arc::new(indexes),
        ports,
        port_mappings: port_mappings(wishes, &mut faults),
        balancers,
        rules: rules.into(),
        semantics: semantics.clone(),
    };
    (switch, faults)
}

fn identity(faults: &mut Vec<Fault>, id: Option<Guid>) -> Option<Guid> {
    if id.is_none() {
        faults.push(Fault {
            object: Guid::ZERO,
            pointer: "/ID".to_owned(),
            message: "the object has no readable ID and is left out".to_owned(),
            lacks: None,
        });
    }
    id
}

fn duplicate(faults: &mut Vec<Fault>, object: Guid) {
    faults.push(Fault {
        object,
        pointer: "/ID".to_owned(),
        message: "another object has this ID already; the later one is left out".to_owned(),
        lacks: None,
    });
}

fn compile_network(
    id: Guid,
    document: &Network,
    how: Option<&How<'_>>,
    faults: &mut Vec<Fault>,
) -> Compiled {
    let mut told = Faults {
        object: id,
        all: faults,
    };
    // HNS omits enumerations whose number is 0, and NAT's is 0 (hns-behaviour 2.1).
    let network_type = told
        .field("/Type", &document.network_type)
        .copied()
        .unwrap_or(NetworkType::Nat);
    let mut subnets = Vec::new();
    for (i, ipam) in told.items("/Ipams", &document.ipams).iter().enumerate() {
        let at = format!("/Ipams/{i}/Subnets");
        for (j, subnet) in told.items(&at, &ipam.subnets).iter().enumerate() {
            let at = format!("{at}/{j}");
            let pointer = format!("{at}/IpAddressPrefix");
            let Some(text) = told.field(&pointer, &subnet.ip_address_prefix) else {
                continue;
            };
            let Ok(prefix) = text.trim().parse::<IpNet>() else {
                told.tell(
                    pointer,
                    format!("{text:?} is no CIDR; the subnet is left out"),
                );
                continue;
            };
            let routes = told.items(&format!("{at}/Routes"), &subnet.routes);
            let gateway = default_routers(routes, &format!("{at}/Routes"), &mut told)
                .into_iter()
                .find(|router| Family::from(*router) == Family::from(prefix.addr()));
            subnets.push((prefix.trunc(), gateway));
        }
    }
    let name = told.field("/Name", &document.name).cloned();
    let management = management(document, &mut told);
    Compiled {
        policies: match how {
            Some(how) => network_policies(document, network_type, how, &mut told),
            None => NetworkPolicies::none(false),
        },
        network: SwitchNetwork {
            id,
            name: name.unwrap_or_default(),
            network_type,
            subnets,
            management,
        },
    }
}

/// Addresses of the host that a network has in its policies (hns-behaviour 2.3).
fn management(document: &Network, told: &mut Faults<'_>) -> Vec<IpAddr> {
    let policies = document.policies.get().map_or(&[][..], Vec::as_slice);
    let policies = policies.iter().enumerate();
    let own = policies.filter(|(_, policy)| policy.is("ProviderAddress"));
    own.filter_map(|(place, policy)| {
        let settings: ProviderAddress = policy.settings_as();
        let pointer = format!("/Policies/{place}/Settings/ProviderAddress");
        let text = told.field(&pointer, &settings.provider_address)?;
        let address = text.trim().parse::<IpAddr>().ok();
        if address.is_none() {
            told.tell(pointer, format!("{text:?} is no address and is left out"));
        }
        address.filter(|address| is_unicast(*address))
    })
    .collect()
}

fn network_policies(
    document: &Network,
    network_type: NetworkType,
    how: &How<'_>,
    told: &mut Faults<'_>,
) -> NetworkPolicies {
    let has_effect = network_type != NetworkType::Nat || how.semantics.acl_on_nat;
    NetworkPolicies::of(document, has_effect, how, told)
}

fn rules_of(
    document: &Endpoint,
    network_type: NetworkType,
    network: &NetworkPolicies,
    how: &How<'_>,
    told: &mut Faults<'_>,
) -> (PortRules, Vec<Wish>) {
    let flags = told.field("/Flags", &document.flags).copied();
    let isolates = flags
        .is_some_and(|flags| flags.contains(EndpointFlags::DISABLE_INTER_COMPUTE_COMMUNICATION));
    let isolated = isolates && how.takes(told.object, "/Flags");
    policies::of_endpoint(document, isolated, network_type, network, how, told)
}

/// The rules of some ports of a switch that was compiled without rules; each comes with its endpoint's document, and with its network's where
/// there is one.
pub(crate) fn rules_of_ports(
    switch: &Switch,
    ports: &[(PortIndex, &Endpoint, Option<&Network>)],
    how: &How<'_>,
    faults: &mut Vec<Fault>,
) -> HashMap<PortIndex, PortRules> {
    let mut networks: HashMap<usize, NetworkPolicies> = HashMap::new();
    let mut rules = HashMap::new();
    for (number, document, of_network) in ports {
        let Some(port) = switch.ports.get(number.0 as usize) else {
            continue;
        };
        let Some(network) = switch.networks.get(port.network) else {
            continue;
        };
        let policies = networks.entry(port.network).or_insert_with(|| {
            let mut told = Faults {
                object: network.id,
                all: faults,
            };
            match of_network {
                Some(document) => network_policies(document, network.network_type, how, &mut told),
                None => NetworkPolicies::none(
                    network.network_type != NetworkType::Nat || how.semantics.acl_on_nat,
                ),
            }
        });
        let mut told = Faults {
            object: port.endpoint,
            all: faults,
        };
        let (own, _) = rules_of(document, network.network_type, policies, how, &mut told);
        rules.insert(*number, own);
    }
    rules
}

/// Next hops of the default routes.
fn default_routers(routes: &[Route], at: &str, told: &mut Faults<'_>) -> Vec<IpAddr> {
    let mut routers = Vec::new();
    for (place, route) in routes.iter().enumerate() {
        let destination = route.destination_prefix.get();
        let is_default = destination.is_some_and(|text| {
            text.trim()
                .parse::<IpNet>()
                .is_ok_and(|prefix| prefix.prefix_len() == 0)
        });
        let pointer = format!("{at}/{place}/NextHop");
        let Some(text) = told.field(&pointer, &route.next_hop) else {
            continue;
        };
        match text.trim().parse() {
            Ok(router) if is_default && !routers.contains(&router) => routers.push(router),
            Err(_) if is_default => {
                told.tell(
                    pointer,
                    format!("{text:?} is no address; the route is left out"),
                );
            }
            Ok(_) | Err(_) => {}
        }
    }
    routers
}

/// The index of an endpoint's network. A dump may hold endpoints alone: their network is made up, of the type that an absent type means.
fn network_of(
    document: &Endpoint,
    networks: &mut Vec<Compiled>,
    by_id: &mut HashMap<Guid, usize>,
    semantics: &Semantics,
    told: &mut Faults<'_>,
) -> usize {
    let field = &document.host_compute_network;
    let id = told
        .field("/HostComputeNetwork", field)
        .and_then(|id| id.guid())
        .unwrap_or(Guid::ZERO);
    match by_id.entry(id) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(vacant) => {
            told.tell(
                "/HostComputeNetwork",
                "the network is not among the documents; one of type NAT without subnets and policies stands for it",
            );
            networks.push(Compiled {
                network: SwitchNetwork {
                    id,
                    name: String::new(),
                    network_type: NetworkType::Nat,
                    subnets: Vec::new(),
                    management: Vec::new(),
                },
                policies: NetworkPolicies::none(semantics.acl_on_nat),
            });
            *vacant.insert(networks.len() - 1)
        }
    }
}

fn compile_port(
    endpoint: Guid,
    document: &Endpoint,
    network: usize,
    on: &SwitchNetwork,
    semantics: &Semantics,
    told: &mut Faults<'_>,
) -> Port {
    let mut addresses = Vec::new();
    let configurations = told.items("/IpConfigurations", &document.ip_configurations);
    for (place, configuration) in configurations.iter().enumerate() {
        let at = format!("/IpConfigurations/{place}");
        addresses.extend(address(configuration, &at, on, told));
    }
    if semantics.lacked().has(Part::Ipv6) {
        leave_out_ipv6(&mut addresses, told);
    }
    let routes = told.items("/Routes", &document.routes);
    let mut gateways = default_routers(routes, "/Routes", told);
    // A family without a default route of the endpoint's own has the gateway of its subnet.
    for (address, _) in &addresses {
        let family = Family::from(*address);
        if gateways
            .iter()
            .all(|router| Family::from(*router) != family)
        {
            let subnet = on.subnets.iter().find(|(net, _)| net.contains(address));
            gateways.extend(subnet.and_then(|(_, gateway)| *gateway));
        }
    }
    Port {
        endpoint,
        name: told
            .field("/Name", &document.name)
            .cloned()
            .unwrap_or_default(),
        network,
        mac_address: mac_address(document, told),
        addresses,
        gateways,
        outbound_nat: translation::outbound(document, told),
    }
}

/// Of addresses of both families, IPv4 ones stay.
fn leave_out_ipv6(addresses: &mut Vec<(IpAddr, u8)>, told: &mut Faults<'_>) {
    let all = addresses.len();
    if addresses.iter().any(|(address, _)| address.is_ipv4()) {
        addresses.retain(|(address, _)| address.is_ipv4());
    }
    if addresses.len() < all {
        told.lack(
            "/IpConfigurations".to_owned(),
            Part::Ipv6,
            all - addresses.len(),
        );
    }
}

fn mac_address(document: &Endpoint, told: &mut Faults<'_>) -> MacAddress {
    const POINTER: &str = "/MacAddress";
    let Some(text) = told.field(POINTER, &document.mac_address) else {
        return MacAddress::default();
    };
    text.trim().parse().unwrap_or_else(|_| {
        told.tell(
            POINTER,
            format!("{text:?} is no MAC address; the port has none"),
        );
        MacAddress::default()
    })
}

fn address(
    configuration: &IpConfiguration,
    at: &str,
    on: &SwitchNetwork,
    told: &mut Faults<'_>,
) -> Option<(IpAddr, u8)> {
    let pointer = format!("{at}/IpAddress");
    let text = told.field(&pointer, &configuration.ip_address)?;
    let Ok(address) = text.trim().parse::<IpAddr>() else {
        told.tell(pointer, format!("{text:?} is no address and is left out"));
        return None;
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let pointer = format!("{at}/PrefixLength");
    let length = match told.field(&pointer, &configuration.prefix_length) {
        Some(length) if *length > longest => {
            told.tell(
                pointer,
                format!(
                    "{length} is over {longest}, the most that the family has, and is left out"
                ),
            );
            None
        }
        length => length.copied(),
    };
    let of_subnet = || {
        let subnet = on.subnets.iter().find(|(net, _)| net.contains(&address));
        subnet.map(|(net, _)| net.prefix_len())
    };
    Some((address, length.or_else(of_subnet).unwrap_or(longest)))
}

/// The mappings that endpoints wish for; of two for one port of the host, the first.
fn port_mappings(
    wishes: Vec<(Guid, PortIndex, Wish)>,
    faults: &mut Vec<Fault>,
) -> Vec<PortMapping> {
    let mut taken = HashMap::new();
    let mut mappings = Vec::new();
    for (endpoint, port, wish) in wishes {
        match taken.entry((wish.protocol, wish.external_port)) {
            Entry::Occupied(_) => faults.push(Fault {
                object: endpoint,
                pointer: wish.pointer,
                message: format!(
                    "{}/{} of the host is mapped already; the mapping is left out",
                    wish.external_port, wish.protocol
                ),
                lacks: None,
            }),
            Entry::Vacant(vacant) => {
                vacant.insert(());
                mappings.push(PortMapping {
                    port,
                    protocol: wish.protocol,
                    external_port: wish.external_port,
                    internal_port: wish.internal_port,
                    pointer: wish.pointer,
                });
            }
        }
    }
    mappings
}
