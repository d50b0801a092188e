// SPDX-License-Identifier: MIT OR Apache-2.0
//! Newly written documents of every kind and policy, read by hand: what each field must say.
//!
//! Apart from the laws because these say what a document means to the typed view, where the laws only say that it is kept. Each document
//! type, each of its keys and each policy type occurs in a fixture.

mod every_document;

use std::collections::{BTreeMap, BTreeSet};

use every_document::{KINDS, assert_kept_by_every_kind, fixture, fixtures, kind, places::PLACES};
use hcn_schema::{
    Document, Endpoint, Guid, LoadBalancer, MacAddress, Namespace, Network, Policy, Query,
    SdnRoute,
    endpoint::EndpointFlags,
    globals::Globals,
    load_balancer::{DistributionType, LoadBalancerFlags, LoadBalancerPortMappingFlags},
    modify::{ModifyRequest, PolicySettings, PortSettings, RequestType},
    namespace::{NamespaceResourceType, NamespaceType},
    network::{IpSubnetFlags, IpamType, NetworkFlags, NetworkType, SubnetFlags},
    policy::{
        Acl, AclAction, AclDirection, AclRuleType, EndpointPolicy, NetworkPolicy, SubnetPolicy,
        endpoint::{NatFlags, PortMapping, Qos, SdnRouteSettings},
        network::SetPolicyType,
    },
    query::QueryFlags,
    v1,
};
use serde_json::{Value, json};

/// Shorthand for the text of a field.
macro_rules! said {
    ($field:expr) => {
        $field.get().map(String::as_str)
    };
}

/// The policies of an object of a fixture.
fn policies(name: &str) -> Vec<Policy> {
    let value = &fixture(name)["Policies"];
    let items = value.as_array().expect("a list of policies");
    items.iter().filter_map(Policy::from_value).collect()
}

/// The typed view of the policy of a fixture at this place.
macro_rules! view {
    ($view:ident :: $variant:ident, $name:literal, $index:literal) => {
        match $view::of(&policies($name)[$index]) {
            $view::$variant(settings) => settings,
            other => panic!("{other:?} is no {}", stringify!($variant)),
        }
    };
}

#[test]
fn every_fixture_is_written_back_as_it_was() {
    let mut objects = 0;
    for (_, document) in fixtures() {
        objects += assert_kept_by_every_kind(&document);
    }
    assert!(objects > 200, "{objects} objects");
}

#[test]
fn every_document_type_and_every_key_occurs() {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = KINDS
        .iter()
        .map(|kind| (kind.name, kind.keys.iter().copied().collect()))
        .collect();
    for (name, file, pointer) in PLACES {
        let document = fixture(file);
        let map = document
            .pointer(pointer)
            .and_then(Value::as_object)
            .unwrap_or_else(|| panic!("no object at {file}{pointer}"));
        assert_eq!(
            (kind(name).odd_fields)(map),
            [],
            "{file}{pointer} is {name}"
        );
        let keys = missing.get_mut(name).expect("a document type");
        keys.retain(|key| !map.contains_key(*key));
    }
    missing.retain(|_, keys| !keys.is_empty());
    assert_eq!(missing, BTreeMap::new(), "keys that no fixture has");
    let placed: BTreeSet<_> = PLACES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(placed.len(), KINDS.len(), "types that no fixture has");
}

#[test]
fn every_policy_type_occurs_and_its_view_gives_the_policy_back() {
    fn check<T>(
        policies: &[Policy],
        types: &[&str],
        of: impl Fn(&Policy) -> T,
        back: impl Fn(&T) -> Policy,
    ) {
        for policy_type in types {
            let own: Vec<_> = policies
                .iter()
                .filter(|policy| policy.is(policy_type))
                .collect();
            assert!(!own.is_empty(), "no fixture has a {policy_type}");
            for policy in own {
                assert_eq!(back(&of(policy)), *policy);
            }
        }
    }
    check(
        &policies("endpoint-policies"),
        EndpointPolicy::TYPES,
        EndpointPolicy::of,
        EndpointPolicy::to_policy,
    );
    check(
        &policies("network-overlay"),
        NetworkPolicy::TYPES,
        NetworkPolicy::of,
        NetworkPolicy::to_policy,
    );
    let subnet_policies: Vec<Policy> = ["network-nat", "network-overlay"]
        .iter()
        .flat_map(|name| {
            let network = Network::from_value(&fixture(name)).expect("an object");
            let ipams = network.ipams.get().expect("ipams").clone();
            ipams
                .iter()
                .flat_map(|ipam| ipam.subnets.or_default())
                .flat_map(|subnet| subnet.policies.or_default())
                .collect::<Vec<_>>()
        })
        .collect();
    check(
        &subnet_policies,
        SubnetPolicy::TYPES,
        SubnetPolicy::of,
        SubnetPolicy::to_policy,
    );
}

#[test]
fn a_network_says_what_was_written() {
    let network = Network::from_value(&fixture("network-nat")).expect("an object");
    assert_eq!(
        network.id.get().and_then(|id| id.guid()),
        Some(Guid(0x4B1D0E6C_5A0B_4F0E_9C37_2D7E5A11C0DE))
    );
    assert_eq!(said!(network.name), Some("orchard"));
    assert_eq!(network.version.get(), Some(&(15 << 32)));
    assert_eq!(network.network_type.get(), Some(&NetworkType::Nat));
    // 9 = 1 + 8.
    assert_eq!(
        network.flags.get(),
        Some(&(NetworkFlags::ENABLE_DNS | NetworkFlags::ENABLE_NON_PERSISTENT))
    );
    let ranges = network.mac_pool.or_default().ranges.or_default();
    let last: MacAddress = said!(ranges[0].end_mac_address)
        .and_then(|text| text.parse().ok())
        .expect("a MAC address");
    assert_eq!(last, MacAddress([0x00, 0x15, 0x5D, 0x0A, 0x1F, 0xFF]));
    assert_eq!(
        said!(ranges[1].start_mac_address),
        Some("00-15-5D-0A-30-00")
    );
    let dns = network.dns.or_default();
    assert_eq!(said!(dns.domain), Some("orchard.test"));
    assert_eq!(dns.server_list.or_default(), ["10.77.0.1", "10.77.255.254"]);
    assert_eq!(dns.options.or_default(), ["ndots:5"]);

    let ipams = network.ipams.or_default();
    assert_eq!(ipams[0].ipam_type.get(), Some(&IpamType::Static));
    assert_eq!(ipams[1].ipam_type.get(), Some(&IpamType::Dhcp));
    let subnets = ipams[0].subnets.or_default();
    assert_eq!(said!(subnets[0].ip_address_prefix), Some("10.77.0.0/16"));
    assert_eq!(
        subnets[0].flags.get(),
        Some(&SubnetFlags::DO_NOT_RESERVE_GATEWAY_ADDRESS)
    );
    let routes = subnets[0].routes.or_default();
    assert_eq!(said!(routes[0].next_hop), Some("10.77.0.1"));
    assert_eq!(said!(routes[0].destination_prefix), Some("0.0.0.0/0"));
    assert_eq!(routes[0].metric.get(), Some(&256));
    let ranges = subnets[0].ip_subnets.or_default();
    assert_eq!(said!(ranges[0].ip_address_prefix), Some("10.77.8.0/21"));
    assert_eq!(
        ranges[0].flags.get(),
        Some(&(IpSubnetFlags::ENABLE_BROADCAST | IpSubnetFlags::RESERVE_NETWORK_ADDRESS))
    );
}

#[test]
fn any_case_numbers_for_words_and_texts_for_numbers_are_read() {
    let network = Network::from_value(&fixture("network-spelling")).expect("an object");
    assert_eq!(network.odd_fields(), []);
    assert_eq!(
        network.id.get().and_then(|id| id.guid()),
        Some(Guid(0x1C7E5A70_2B3C_4D5E_8F90_A1B2C3D4E5F6))
    );
    assert_eq!(said!(network.name), Some("brook"));
    assert_eq!(network.network_type.get(), Some(&NetworkType::L2Bridge));
    // 5 = EnableDns 1 + EnableMirroring 4.
    assert_eq!(network.flags.get(), Some(&NetworkFlags(5)));
    assert_eq!(network.version.get(), Some(&55_834_574_851));
    assert_eq!(
        network.dns.or_default().server_list.or_default(),
        ["10.79.0.53"]
    );
    assert_eq!(
        network.dns.or_default().extra["Suffix"],
        json!("brook.test")
    );
    let range = &network.mac_pool.or_default().ranges.or_default()[0];
    assert_eq!(said!(range.end_mac_address), Some("00-15-5d-0d-0f-ff"));
    let ipam = &network.ipams.or_default()[0];
    assert_eq!(ipam.ipam_type.get(), Some(&IpamType::Dhcp));
    let subnet = &ipam.subnets.or_default()[0];
    assert_eq!(said!(subnet.ip_address_prefix), Some("10.79.0.0/20"));
    assert_eq!(
        subnet.flags.get(),
        Some(&SubnetFlags::DO_NOT_RESERVE_GATEWAY_ADDRESS)
    );
    let SubnetPolicy::Vlan(vlan) = SubnetPolicy::of(&subnet.policies.or_default()[0]) else {
        panic!("the type is compared without case");
    };
    assert_eq!(vlan.isolation_id.get(), Some(&100));
    assert_eq!(subnet.routes.or_default()[0].metric.get(), Some(&10));
    assert_eq!(
        subnet.ip_subnets.or_default()[0].flags.get(),
        Some(&IpSubnetFlags(3))
    );
    let version = network.schema_version.or_default();
    assert_eq!(
        (version.major.get(), version.minor.get()),
        (Some(&2), Some(&0))
    );
}

#[test]
fn what_cannot_be_read_is_told_and_kept() {
    let document = fixture("network-odd");
    let network = Network::from_value(&document).expect("an object");
    let odd: Vec<_> = network
        .odd_fields()
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(
        odd,
        [
            "/Name",
            "/Version",
            "/State",
            "/Type",
            "/MacPool/Ranges",
            "/Dns",
            "/Ipams/0/Subnets/0/Flags",
            "/Flags",
            "/SchemaVersion/Major",
            "/SchemaVersion/Minor",
        ]
    );
    // Null is neither odd nor absent.
    assert!(!network.id.is_absent());
    assert_eq!(network.id.get(), None);
    // A number where a text belongs is read as its digits.
    let subnet = network.ipams.or_default()[0].subnets.or_default()[0].clone();
    assert_eq!(said!(subnet.ip_address_prefix), Some("10"));
    assert_eq!(
        network.extra["name"],
        json!("the second spelling is kept too")
    );
    assert_eq!(network.extra["CompartmendId"], json!(4));
    assert_eq!(network.extra["Subnetz"], json!([]));

    let policies = network.policies.or_default();
    assert_eq!(
        NetworkPolicy::of(&policies[0]),
        NetworkPolicy::Other(policies[0].clone())
    );
    assert_eq!(
        NetworkPolicy::odd_fields(&policies[1]),
        [("/Settings/Port".to_owned(), json!(70000))]
    );
}

#[test]
fn network_policies_say_what_was_written() {
    let constraint = view!(NetworkPolicy::InterfaceConstraint, "network-overlay", 2);
    assert_eq!(
        constraint.interface_luid.get(),
        Some(&1_689_399_649_632_256)
    );
    assert_eq!(constraint.interface_index.get(), Some(&14));
    let extension = view!(NetworkPolicy::VSwitchExtension, "network-overlay", 3);
    assert_eq!(extension.enable.get(), Some(&true));
    let route = view!(NetworkPolicy::RemoteSubnetRoute, "network-overlay", 7);
    assert_eq!(route.isolation_id.get(), Some(&4107));
    assert_eq!(said!(route.provider_address), Some("192.0.2.18"));
    let port = view!(NetworkPolicy::VxlanPort, "network-overlay", 8);
    assert_eq!(port.port.get(), Some(&8472));
    let set = view!(NetworkPolicy::SetPolicy, "network-overlay", 10);
    assert_eq!(set.policy_type.get(), Some(&SetPolicyType::IpSet));
    assert_eq!(said!(set.values), Some("10.78.4.7,10.78.4.9"));
    let nested = view!(NetworkPolicy::SetPolicy, "network-overlay", 11);
    assert_eq!(nested.policy_type.get(), Some(&SetPolicyType::NestedIpSet));
    let proxy = view!(NetworkPolicy::L4Proxy, "network-overlay", 12);
    assert_eq!(proxy.exception_list.or_default(), ["10.78.4.1"]);
    assert_eq!(proxy.exceptions.or_default(), ["10.78.4.2", "10.78.4.3"]);
    let acl = view!(NetworkPolicy::NetworkAcl, "network-overlay", 14);
    assert_eq!(acl.action.get(), Some(&AclAction::Block));
    assert_eq!(acl.direction.get(), Some(&AclDirection::Out));
    assert_eq!(acl.rule_type.get(), Some(&AclRuleType::Host));
    assert_eq!(said!(acl.remote_ports), Some("53,5353"));
    let discovery = view!(NetworkPolicy::NeighborDiscovery, "network-overlay", 15);
    assert_eq!(said!(discovery.target_ip_prefix), Some("10.78.4.0/24"));
}

#[test]
fn an_endpoint_says_what_was_written() {
    let endpoint = Endpoint::from_value(&fixture("endpoint-policies")).expect("an object");
    assert_eq!(endpoint.odd_fields(), []);
    assert_eq!(said!(endpoint.name), Some("pear"));
    assert_eq!(endpoint.version.get(), Some(&(16 << 32)));
    assert_eq!(endpoint.state.get(), Some(&3));
    assert_eq!(said!(endpoint.mac_address), Some("00-15-5D-0A-10-2B"));
    assert_eq!(
        endpoint.flags.get(),
        Some(&EndpointFlags::ENABLE_LOW_INTERFACE_METRIC)
    );
    assert!(!endpoint.is_remote());
    let addresses = endpoint.ip_configurations.or_default();
    assert_eq!(said!(addresses[0].ip_address), Some("10.77.8.11"));
    assert_eq!(addresses[0].prefix_length.get(), Some(&16));
    assert_eq!(said!(addresses[1].ip_address), Some("2001:db8:77::11"));
    assert_eq!(addresses[1].prefix_length.get(), Some(&64));
    assert!(addresses[1].ip_subnet_id.is_absent());
    let routes = endpoint.routes.or_default();
    assert_eq!(routes[1].metric.get(), Some(&5));
}

#[test]
fn endpoint_policies_say_what_was_written() {
    let mapping = view!(EndpointPolicy::PortMapping, "endpoint-policies", 0);
    assert_eq!(mapping.protocol.get(), Some(&132));
    assert_eq!(mapping.internal_port.get(), Some(&3868));
    assert_eq!(mapping.external_port.get(), Some(&13868));
    // 5 = 1 + 4.
    assert_eq!(
        mapping.flags.get(),
        Some(&(NatFlags::LOCAL_ROUTED_VIP | NatFlags::EXTERNAL_PORT_RESERVED))
    );
    let acl = view!(EndpointPolicy::Acl, "endpoint-policies", 1);
    assert_eq!(said!(acl.protocols), Some("6,17"));
    assert_eq!(acl.action.get(), Some(&AclAction::Allow));
    assert_eq!(acl.direction.get(), Some(&AclDirection::In));
    assert_eq!(said!(acl.local_ports), Some("80,8000-8080"));
    assert_eq!(said!(acl.remote_ports), Some("1024-65535"));
    assert_eq!(acl.priority.get(), Some(&220));
    assert_eq!(said!(acl.id), Some("allow-orchard"));
    // `ID` is not the key of an ACL's id (hns-behaviour 2.1).
    let acl = view!(EndpointPolicy::Acl, "endpoint-policies", 2);
    assert!(acl.id.is_absent());
    assert_eq!(acl.extra["ID"], json!("not the key that HNS takes"));
    let qos = view!(EndpointPolicy::Qos, "endpoint-policies", 3);
    assert_eq!(
        qos.maximum_outgoing_bandwidth_in_bytes.get(),
        Some(&12_500_000_000)
    );
    let nat = view!(EndpointPolicy::OutBoundNat, "endpoint-policies", 5);
    assert_eq!(
        nat.exceptions.or_default(),
        ["10.77.0.0/16", "10.78.0.0/16"]
    );
    assert_eq!(nat.flags.get(), Some(&NatFlags::IPV6));
    assert_eq!(nat.max_port_pool_usage.get(), Some(&512));
    let route = view!(EndpointPolicy::SdnRoute, "endpoint-policies", 6);
    assert_eq!(route.need_encap.get(), Some(&true));
    assert_eq!(route.automatic_endpoint_monitor.get(), Some(&false));
    let proxy = view!(EndpointPolicy::L4WfpProxy, "endpoint-policies", 8);
    assert_eq!(said!(proxy.inbound_proxy_port), Some("15006"));
    assert_eq!(proxy.filter_tuple.or_default().priority.get(), Some(&9));
    assert_eq!(
        proxy
            .outbound_exceptions
            .or_default()
            .port_exceptions
            .or_default(),
        ["53", "123"]
    );
    let overhead = view!(EndpointPolicy::EncapOverhead, "endpoint-policies", 10);
    assert_eq!(overhead.overhead.get(), Some(&50));
    let encryption = view!(EndpointPolicy::Encryption, "endpoint-policies", 13);
    assert_eq!(said!(encryption.encryption_method_type), Some("Ipsec"));
    let parameters = view!(EndpointPolicy::InterfaceParameters, "endpoint-policies", 15);
    assert_eq!(parameters.mtu.get(), Some(&1380));
    let iov = view!(EndpointPolicy::Iov, "endpoint-policies", 16);
    assert_eq!(iov.iov_offload_weight.get(), Some(&100));
    let tier = view!(EndpointPolicy::TierAcl, "endpoint-policies", 17);
    assert_eq!(tier.order.get(), Some(&1500));
    let rules = tier.rules.or_default();
    assert_eq!(rules[0].action.get(), Some(&AclAction::Pass));
    assert_eq!(said!(rules[0].remote_ports), Some("53"));
    assert_eq!(rules[1].action.get(), Some(&AclAction::Block));
    let firewall = view!(EndpointPolicy::Firewall, "endpoint-policies", 18);
    assert_eq!(firewall.policy_flags.get(), Some(&1));
}

#[test]
fn policies_as_people_write_them_are_read() {
    let acl = view!(EndpointPolicy::Acl, "endpoint-odd", 0);
    assert_eq!(said!(acl.protocols), Some("6"));
    assert_eq!(acl.action.get(), Some(&AclAction::Block));
    assert_eq!(acl.direction.get(), Some(&AclDirection::In));
    assert_eq!(said!(acl.local_ports), Some("80"));
    assert_eq!(acl.priority.get(), Some(&200));
    assert_eq!(acl.rule_type.get(), Some(&AclRuleType::Switch));
    assert!(acl.id.is_absent());
    let misspelt = policies("endpoint-odd")[1].clone();
    assert_eq!(
        EndpointPolicy::of(&misspelt),
        EndpointPolicy::Other(misspelt)
    );
    let constraint = view!(EndpointPolicy::InterfaceConstraint, "endpoint-odd", 2);
    assert_eq!(constraint.interface_index.get(), Some(&14));
    let mapping = view!(EndpointPolicy::PortMapping, "endpoint-odd", 3);
    assert_eq!(mapping.protocol.odd(), Some(&json!("TCP")));
    assert_eq!(mapping.internal_port.get(), Some(&80));
    assert_eq!(mapping.flags.get(), Some(&NatFlags(3)));
    let empty = policies("endpoint-odd")[5].clone();
    assert_eq!(
        EndpointPolicy::of(&empty),
        EndpointPolicy::Other(Policy::default())
    );

    let endpoint = Endpoint::from_value(&fixture("endpoint-odd")).expect("an object");
    assert!(endpoint.is_remote());
    assert_eq!(endpoint.id.get().and_then(|id| id.guid()), None);
    assert_eq!(
        endpoint.host_compute_network.get().and_then(|id| id.guid()),
        Some(Guid(0x4B1D0E6C_5A0B_4F0E_9C37_2D7E5A11C0DE))
    );
    assert_eq!(
        endpoint.ip_configurations.or_default()[0]
            .prefix_length
            .get(),
        Some(&16)
    );
}

#[test]
fn a_namespace_says_what_was_written() {
    let namespace = Namespace::from_value(&fixture("namespace")).expect("an object");
    assert_eq!(namespace.namespace_id.get(), Some(&9));
    assert_eq!(
        namespace.namespace_type.get(),
        Some(&NamespaceType::HostDefault)
    );
    assert_eq!(namespace.create_with_compartment.get(), Some(&true));
    let resources = namespace.resources.or_default();
    assert_eq!(
        resources[0].resource_type.get(),
        Some(&NamespaceResourceType::Container)
    );
    assert_eq!(
        resources[0]
            .data
            .or_default()
            .id
            .get()
            .map(|id| id.0.as_str()),
        Some("pear-worker")
    );
    assert_eq!(
        resources[1].resource_type.get(),
        Some(&NamespaceResourceType::Endpoint)
    );
    assert_eq!(
        resources[1]
            .data
            .or_default()
            .id
            .get()
            .and_then(|id| id.guid()),
        Some(Guid(0xE1B8B2D4_6B0A_4C9F_A0D3_6C5B4A392817))
    );
}

#[test]
fn a_load_balancer_says_what_was_written() {
    let balancer = LoadBalancer::from_value(&fixture("load-balancer")).expect("an object");
    assert_eq!(
        balancer.frontend_vips.or_default(),
        ["192.0.2.80", "2001:db8:77::80"]
    );
    assert_eq!(balancer.host_compute_endpoints.or_default().len(), 2);
    assert_eq!(
        balancer.flags.get(),
        Some(&(LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN | LoadBalancerFlags::IPV6))
    );
    let port = &balancer.port_mappings.or_default()[0];
    assert_eq!(port.protocol.get(), Some(&17));
    assert_eq!(port.internal_port.get(), Some(&5353));
    assert_eq!(port.external_port.get(), Some(&53));
    assert_eq!(port.distribution_type.get(), Some(&1));
    // 25 = 1 + 8 + 16.
    let flags = port.flags.get().copied().expect("flags");
    assert_eq!(
        flags.names(),
        [
            "EnableInternalLoadBalancer",
            "EnablePreserveDip",
            "VipExternalIP"
        ]
    );
    assert!(!flags.contains(LoadBalancerPortMappingFlags::USE_MUX));
    assert!(!balancer.health.is_absent(), "null was written");
}

#[test]
fn a_route_says_what_was_written_under_both_keys() {
    let route = SdnRoute::from_value(&fixture("sdn-route")).expect("an object");
    let entry = &route.routes.or_default()[0];
    assert_eq!(said!(entry.destination_prefix), Some("198.51.100.0/25"));
    assert_eq!(entry.automatic_endpoint_monitor.get(), Some(&true));
    let entry = &route.setting.or_default()[0];
    assert_eq!(said!(entry.destination_prefix), Some("198.51.100.128/25"));
    assert_eq!(entry.need_encap.get(), Some(&true));
}

#[test]
fn queries_say_what_was_written() {
    let queries = fixture("queries");
    let query = |index: usize| Query::from_value(&queries[index]).expect("an object");
    assert_eq!(query(0).flags.get(), Some(&QueryFlags::DETAILED));
    assert_eq!(
        said!(query(0).filter),
        Some("{\"Name\":\"orchard\",\"State\":3}")
    );
    assert_eq!(query(1).flags.get(), Some(&QueryFlags::DETAILED));
    assert_eq!(query(1).schema_version.or_default().major.get(), Some(&1));
    assert_eq!(
        query(2).filter.odd(),
        Some(&json!({"Name": "a filter is a text"}))
    );
    assert!(query(3).filter.is_absent());
    assert_eq!(
        query(3).extra["Name"],
        json!("a filter in place of a query")
    );
}

#[test]
fn a_filter_grows_by_one_equality() {
    let queries = fixture("queries");
    let query = Query::from_value(&queries[0]).expect("an object");
    let filter = query.matching("VirtualNetwork", "x").filter.or_default();
    assert_eq!(
        serde_json::from_str::<Value>(&filter).expect("a filter is JSON"),
        json!({"Name": "orchard", "State": 3, "VirtualNetwork": "x"})
    );
}

#[test]
fn modify_requests_say_what_was_written() {
    let requests = fixture("modify-requests");
    let request = |index: usize| ModifyRequest::from_value(&requests[index]).expect("an object");
    assert_eq!(request(0).request_type.get(), Some(&RequestType::Update));
    let settings = request(0).settings.or_default();
    let settings = PolicySettings::from_value(&settings).expect("an object");
    let EndpointPolicy::Acl(acl) = EndpointPolicy::of(&settings.policies.or_default()[0]) else {
        panic!("the request sends an ACL");
    };
    assert_eq!(said!(acl.local_ports), Some("22"));
    let settings = PortSettings::from_value(&request(1).settings.or_default()).expect("an object");
    assert_eq!(
        said!(settings.virtual_nic_name).map(str::len),
        Some(36 + 2 + 36)
    );
    assert_eq!(request(2).resource_type.get(), Some(&json!(0)));
    assert_eq!(request(2).request_type.get(), Some(&RequestType::Update));
    assert_eq!(request(3).request_type.get(), Some(&RequestType::Update));
    assert_eq!(request(5).request_type.get(), Some(&RequestType::Remove));
    assert_eq!(request(7).request_type.get(), Some(&RequestType::Remove));
    assert_eq!(request(8).request_type.get(), Some(&RequestType::Refresh));
    assert!(request(8).settings.is_absent());
    assert_eq!(request(9).request_type.get(), Some(&RequestType::Reset));
    assert_eq!(request(9).settings.get(), Some(&Value::Null));
    assert_eq!(request(10).request_type.odd(), Some(&json!("Predict")));
}

#[test]
fn the_version_says_what_was_written() {
    let version = Globals::from_value(&fixture("globals"))
        .expect("an object")
        .version
        .or_default();
    assert_eq!(
        (version.major.get(), version.minor.get()),
        (Some(&13), Some(&3))
    );
}

#[test]
fn a_v1_network_says_what_was_written() {
    let network = v1::Network::from_value(&fixture("v1-network")).expect("an object");
    assert_eq!(network.odd_fields(), []);
    assert_eq!(said!(network.network_type), Some("nat"));
    assert_eq!(said!(network.dns_suffix), Some("orchard.test,garden.test"));
    assert_eq!(network.total_endpoints.get(), Some(&19));
    assert_eq!(network.isolate_switch.get(), Some(&true));
    assert_eq!(said!(network.network_adapter_name), Some("Ethernet 3"));
    // A FILETIME needs all its digits.
    assert_eq!(
        network.health.or_default()["LastUpdateTime"].as_u64(),
        Some(133_801_234_567_890_123)
    );
    assert_eq!(
        network.extensions.or_default()[1].is_enabled.get(),
        Some(&false)
    );
    let types: Vec<_> = network
        .policies
        .or_default()
        .iter()
        .map(|policy| policy.policy_type.or_default())
        .collect();
    assert_eq!(types, ["VLAN", "VSID", "ISOLATION", "VNET"]);
    let range = network.subnets.or_default()[0].ip_subnets.or_default()[0].clone();
    assert_eq!(range.object_type.get(), Some(&6));
    assert_eq!(network.extra["GatewayMac"], json!("00-15-5D-0A-10-01"));
}

#[test]
fn a_v1_endpoint_says_what_was_written() {
    let endpoint = v1::Endpoint::from_value(&fixture("v1-endpoint")).expect("an object");
    assert_eq!(endpoint.odd_fields(), []);
    assert_eq!(said!(endpoint.ip_address), Some("10.77.8.11"));
    assert_eq!(said!(endpoint.ipv6_address), Some("2001:db8:77::11"));
    assert_eq!(endpoint.ipv6_prefix_length.get(), Some(&64));
    assert_eq!(said!(endpoint.gateway_address_v6), Some("2001:db8:77::1"));
    assert_eq!(endpoint.version.get(), Some(&38_654_705_669)); // 9.5
    assert_eq!(
        endpoint.extra["CreateProcessingStartTime"],
        json!(133_801_234_567_890_126_u64)
    );
    let policies = endpoint.policies.or_default();
    let nat: v1::Nat = policies[0].settings_as();
    assert_eq!(said!(nat.protocol), Some("UDP"));
    assert_eq!(nat.external_port_reserved.get(), Some(&true));
    let acl: Acl = policies[1].settings_as();
    assert_eq!(said!(acl.protocols), Some("6"));
    assert_eq!(said!(acl.id), Some("hand-written"));
    assert_eq!(acl.rule_type.get(), Some(&AclRuleType::Host));
    assert_eq!(acl.extra["Protocol"], json!(256));
    let qos: Qos = policies[4].settings_as();
    assert_eq!(
        qos.maximum_outgoing_bandwidth_in_bytes.get(),
        Some(&125_000)
    );
    let nat: v1::OutBoundNat = policies[5].settings_as();
    assert_eq!(nat.exception_list.or_default(), ["10.77.0.0/16"]);
    let route: SdnRouteSettings = policies[6].settings_as();
    assert_eq!(said!(route.next_hop), Some("10.77.0.9"));
    let proxy: v1::Proxy = policies[7].settings_as();
    assert_eq!(proxy.outbound_nat.get(), Some(&true));
    assert_eq!(
        proxy.extra["OutbountNat"],
        json!(true),
        "a misspelt key is not the key"
    );
}

#[test]
fn other_v1_documents_say_what_was_written() {
    let list = v1::PolicyList::from_value(&fixture("v1-policy-list")).expect("an object");
    assert_eq!(list.references.or_default().len(), 2);
    let elb: v1::Elb = list.policies.or_default()[0].settings_as();
    assert_eq!(elb.vips.or_default(), ["192.0.2.80"]);
    assert_eq!(
        (elb.ilb.get(), elb.is_dsr.get()),
        (Some(&true), Some(&false))
    );

    let namespace = v1::Namespace::from_value(&fixture("v1-namespace")).expect("an object");
    assert_eq!(namespace.is_default.get(), Some(&true));
    assert_eq!(namespace.compartment_id.get(), Some(&1));
    assert_eq!(
        namespace.resource_list.or_default()[0].resource_type.get(),
        Some(&NamespaceResourceType::Endpoint)
    );

    let calls = fixture("v1-calls");
    let envelope = |index: usize| v1::Envelope::from_value(&calls[index]).expect("an object");
    assert_eq!(envelope(1).success.get(), Some(&true));
    assert_eq!(envelope(1).output.get(), Some(&json!([])));
    assert_eq!(envelope(2).success.get(), Some(&false));
    assert_eq!(envelope(2).error_code.get(), Some(&0x8007_0057));
    let attach = v1::EndpointAttach::from_value(&calls[3]).expect("an object");
    assert_eq!(said!(attach.system_type), Some("Container"));
    assert_eq!(attach.compartment_id.get(), Some(&3));
}

/// The words of an enumeration in the order of their numbers, and the bits of a mask, as hns-behaviour 2.3 to 2.13 records them.
#[test]
fn words_and_bits_have_the_recorded_numbers() {
    macro_rules! words {
        ($type:ty, $($text:literal),*) => {
            let texts: Vec<_> = <$type>::ALL.iter().map(|word| (word.number(), word.text())).collect();
            assert_eq!(texts, (0..).zip([$($text),*]).collect::<Vec<_>>());
        };
    }
    words!(
        NetworkType,
        "NAT",
        "ICS",
        "Transparent",
        "L2Bridge",
        "L2Tunnel",
        "Overlay",
        "Private",
        "Internal",
        "Mirrored",
        "Infiniband",
        "ConstrainedICS"
    );
    words!(
        NamespaceType,
        "Host",
        "HostDefault",
        "Guest",
        "GuestDefault"
    );
    words!(NamespaceResourceType, "Container", "Endpoint");
    words!(DistributionType, "None", "SourceIPProtocol", "SourceIP");
    words!(RequestType, "Add", "Remove", "Update", "Refresh", "Reset");

    // Of 14 bits of a network, 1 + 2 + 8 is what the "Default Switch" has.
    assert_eq!(
        NetworkFlags(11).names(),
        ["EnableDns", "EnableDhcp", "EnableNonPersistent"]
    );
    assert_eq!(NetworkFlags(1024).names(), ["DisableHostPort"]);
    assert_eq!(NetworkFlags(8192).names(), ["EnableIov"]);
    assert_eq!(NetworkFlags(u32::MAX).names().len(), 14);
    assert_eq!(
        EndpointFlags(63).names(),
        [
            "RemoteEndpoint",
            "DisableInterComputeCommunication",
            "EnableMirroring",
            "EnableLowInterfaceMetric",
            "OverrideDNSServerOrder",
            "EnableDhcp"
        ]
    );
    assert_eq!(
        NatFlags(7).names(),
        ["LocalRoutedVip", "IPv6", "ExternalPortReserved"]
    );
}

#[test]
fn a_document_made_in_code_is_written_in_canonical_spelling() {
    let policy = EndpointPolicy::PortMapping(PortMapping {
        protocol: 6.into(),
        internal_port: 80.into(),
        external_port: 8080.into(),
        ..PortMapping::default()
    })
    .to_policy();
    assert_eq!(
        policy.to_value(),
        json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080}})
    );
}
