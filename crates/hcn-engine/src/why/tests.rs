// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explanations of hand-made scenes.

use hcn_schema::{Document, LoadBalancer};
use serde_json::{Value, json};

use super::*;
use crate::{
    flow::Protocol,
    way::{Hop, Kept, NoWay, Receiver},
};

const NETWORK: &str = "0A000000-0000-4000-8000-000000000001";

fn id(number: u32) -> String {
    format!("0B000000-0000-4000-8000-0000000000{number:02}")
}

/// Endpoints 10.0.0.1, 10.0.0.2, … on an L2Bridge network with gateway 10.0.0.254, by their policies.
fn documents(policies: &[&[Value]]) -> Documents {
    let network = json!({"ID": NETWORK, "Type": "L2Bridge", "Ipams": [{"Subnets": [{
        "IpAddressPrefix": "10.0.0.0/24", "Routes": [{"NextHop": "10.0.0.254", "DestinationPrefix": "0.0.0.0/0"}]}]}]});
    let endpoint = |(policies, number): (&&[Value], u32)| {
        let document = json!({"ID": id(number), "HostComputeNetwork": NETWORK,
            "IpConfigurations": [{"IpAddress": format!("10.0.0.{number}")}], "Policies": policies});
        Endpoint::from_value(&document).unwrap()
    };
    Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints: policies.iter().zip(1..).map(endpoint).collect(),
        ..Documents::default()
    }
}

fn acl(text: &str) -> Value {
    let settings = text.split_whitespace().map(|member| {
        let (key, value) = member.split_once('=').unwrap();
        let value = match key {
            "Priority" => json!(value.parse::<u16>().unwrap()),
            _ => json!(value),
        };
        (key.to_owned(), value)
    });
    json!({"Type": "ACL", "Settings": Value::Object(settings.collect())})
}

fn balancer(settings: Value) -> LoadBalancer {
    let mut document = json!({"ID": "0C000000-0000-4000-8000-000000000001", "FrontendVIPs": ["10.96.0.1"],
        "HostComputeEndpoints": [id(2), id(3)], "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]});
    for (key, value) in settings.as_object().unwrap() {
        document[key] = value.clone();
    }
    LoadBalancer::from_value(&document).unwrap()
}

/// A TCP flow from endpoint 1.
fn flow(destination: &str, port: u16) -> Flow {
    Flow {
        source: "10.0.0.1".parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: Protocol::TCP,
        source_port: 50_000,
        destination_port: port,
    }
}

fn explained(documents: &Documents, flow: &Flow) -> Explanation {
    let inquiry = Inquiry::new(documents, &Semantics::default());
    inquiry.explain(Start::Port(PortIndex(0)), flow)
}

#[test]
fn what_kept_stronger_rules_from_matching_is_counted_and_the_nearest_are_shown() {
    let rules = [
        acl("Action=Block Direction=In Protocols=17 LocalPorts=53 Priority=100"),
        acl("Action=Block Direction=In Protocols=6 LocalPorts=81 Priority=110"),
        acl("Action=Block Direction=In Protocols=6 RemoteAddresses=10.0.0.9 Priority=120"),
        acl("Action=Block Direction=In RemoteAddresses=fd00::9 Priority=130"),
        acl("Action=Allow Direction=In Protocols=6 LocalPorts=80 Priority=200"),
        acl("Action=Block Direction=In Priority=300"),
        acl("Action=Allow Direction=In Priority=65500"),
    ];
    let explanation = explained(&documents(&[&[], &rules]), &flow("10.0.0.2", 80));
    assert_eq!(
        explanation.way.fate,
        Fate::Arrives(Receiver::Port(PortIndex(1)))
    );
    let stage = &explanation.judgements[1].stages[0];
    assert_eq!(stage.decider.as_ref().unwrap().pointer, "/Policies/4");
    assert_eq!(stage.stronger.count, 4);
    assert_eq!(
        stage.stronger.by_field,
        [
            (Field::Protocols, 1),
            (Field::RemoteAddresses, 1),
            (Field::LocalPorts, 2),
            (Field::Family, 1)
        ]
    );
    // One field failed before two; of those, the nearer to the decider first.
    let nearest: Vec<(&str, &[Field])> = stage
        .stronger
        .nearest
        .iter()
        .map(|near| (near.rule.pointer.as_str(), &near.failed[..]))
        .collect();
    assert_eq!(
        nearest,
        [
            ("/Policies/2", &[Field::RemoteAddresses][..]),
            ("/Policies/1", &[Field::LocalPorts]),
            ("/Policies/0", &[Field::Protocols, Field::LocalPorts]),
        ]
    );
    assert_eq!(stage.weaker.count, 2);
    let next: Vec<&str> = stage
        .weaker
        .next
        .iter()
        .map(|rule| rule.pointer.as_str())
        .collect();
    assert_eq!(next, ["/Policies/5", "/Policies/6"]);
    // Without the Allow, the Block behind it decides.
    let without = explanation.judgements[1].without.as_ref().unwrap();
    assert_eq!((without.fate, without.is_redundant), (Fate::Dropped, false));
    let (decision, cause) = without.instead.as_ref().unwrap();
    assert_eq!(*decision, Decision::Block);
    assert_eq!(cause.rule.as_ref().unwrap().pointer, "/Policies/5");
}

#[test]
fn a_weaker_rule_that_would_decide_otherwise_is_shown_however_far_it_is() {
    let mut rules: Vec<Value> = (1..=9)
        .map(|number| acl(&format!("Action=Block Direction=In Priority={number}")))
        .collect();
    rules.push(acl("Action=Allow Direction=In Priority=100"));
    let explanation = explained(&documents(&[&[], &rules]), &flow("10.0.0.2", 80));
    let stage = &explanation.judgements[1].stages[0];
    assert_eq!((stage.weaker.count, stage.weaker.next.len()), (9, 3));
    assert_eq!(stage.weaker.other.as_ref().unwrap().pointer, "/Policies/9");
    assert!(
        explanation.judgements[1]
            .without
            .as_ref()
            .unwrap()
            .is_redundant
    );
}

#[test]
fn a_lone_block_that_is_taken_away_takes_the_default_deny_along() {
    // hns-behaviour 4.3: any rule turns the default on, so without the only one everything passes.
    let rules = [acl("Action=Block Direction=Out Protocols=17 Priority=100")];
    let explanation = explained(&documents(&[&[], &rules]), &flow("10.0.0.2", 80));
    assert_eq!(explanation.way.fate, Fate::Dropped);
    let judgement = &explanation.judgements[1];
    assert_eq!(judgement.cause.reason, crate::verdict::Reason::Default);
    assert!(judgement.without.is_none());
    let rules = [acl("Action=Block Direction=In Protocols=6 Priority=100")];
    let explanation = explained(&documents(&[&[], &rules]), &flow("10.0.0.2", 80));
    let without = explanation.judgements[1].without.as_ref().unwrap();
    assert_eq!(without.fate, Fate::Arrives(Receiver::Port(PortIndex(1))));
}

#[test]
fn a_tie_is_told_and_hangs_on_an_open_question() {
    let rules = [
        acl("Action=Allow Direction=In Priority=100"),
        acl("Action=Block Direction=In Priority=100"),
    ];
    let documents = documents(&[&[], &rules]);
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let start = Start::Port(PortIndex(0));
    let flow = flow("10.0.0.2", 80);
    let explanation = inquiry.explain(start, &flow);
    let judgement = &explanation.judgements[1];
    assert_eq!(
        (judgement.decision, judgement.cause.tie),
        (Decision::Block, true)
    );
    assert_eq!(judgement.stages[0].ties[0].pointer, "/Policies/0");
    // What lost the tie is not told once more among what is weaker.
    assert_eq!(judgement.stages[0].weaker, Weaker::default());
    let open = Semantics::default().open_questions();
    let answers = inquiry.otherwise(start, &flow, open.iter().map(|open| &open.semantics));
    let differ: Vec<&str> = open
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.fate != explanation.way.fate)
        .map(|(open, _)| open.number)
        .collect();
    // First added wins (Q1); without RuleType a Host rule (Q17): the same tie there. So only the first question matters.
    assert_eq!(differ, ["Q1"]);
}

#[test]
fn every_backend_of_a_load_balancer_is_judged_as_it_sees_the_flow() {
    let block = [
        acl("Action=Block Direction=In RemoteAddresses=10.0.0.1 Priority=100"),
        acl("Action=Allow Direction=In Priority=65500"),
    ];
    let mut documents = documents(&[&[], &block, &[]]);
    // hns-behaviour 5.6: with direct server return the source is kept; without, it is the SourceVIP.
    documents.load_balancers = vec![balancer(json!({"Flags": 1}))];
    let explanation = explained(&documents, &flow("10.96.0.1", 443));
    assert_eq!(explanation.way.fate, Fate::Balanced { passing: 1, of: 2 });
    assert!(!explanation.way.fate.is_allowed());
    documents.load_balancers = vec![balancer(json!({"Flags": 0, "SourceVIP": "10.0.0.77"}))];
    let explanation = explained(&documents, &flow("10.96.0.1", 443));
    assert_eq!(explanation.way.fate, Fate::Balanced { passing: 2, of: 2 });
    let last = explanation.judgements.last().unwrap();
    assert_eq!(last.flow.source.to_string(), "10.0.0.77");
    assert_eq!(last.flow.destination.to_string(), "10.0.0.3");
    assert_eq!(last.flow.destination_port, 80);
}

#[test]
fn out_rules_see_the_virtual_address_unless_the_load_balancer_is_direct() {
    let rules = [
        acl("Action=Block Direction=Out RemoteAddresses=10.96.0.1 Priority=100"),
        acl("Action=Allow Direction=Out Priority=65500"),
    ];
    let mut documents = documents(&[&rules, &[], &[]]);
    documents.load_balancers = vec![balancer(json!({}))];
    let flow = flow("10.96.0.1", 443);
    assert_eq!(explained(&documents, &flow).way.fate, Fate::Dropped);
    documents.load_balancers = vec![balancer(json!({"Flags": 1}))];
    let explanation = explained(&documents, &flow);
    assert_eq!(explanation.way.fate, Fate::Balanced { passing: 2, of: 2 });
    // Q9.
    let other = Semantics {
        direct_out_sees_backend: false,
        ..Semantics::default()
    };
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let answers = inquiry.otherwise(Start::Port(PortIndex(0)), &flow, [&other]);
    assert_eq!(answers[0].fate, Fate::Dropped);
}

#[test]
fn a_load_balancer_without_backends_takes_nothing_and_says_who_is_missing() {
    let mut documents = documents(&[&[]]);
    documents.load_balancers = vec![balancer(json!({}))];
    let explanation = explained(&documents, &flow("10.96.0.1", 443));
    assert_eq!(
        explanation.way.fate,
        Fate::Unreachable(NoWay::NoBackend { balancer: 0 })
    );
    assert_eq!(explanation.faults.len(), 2);
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let pointers: Vec<&str> = inquiry
        .faults()
        .iter()
        .map(|fault| fault.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/HostComputeEndpoints/0", "/HostComputeEndpoints/1"]
    );
}

#[test]
fn a_backend_on_another_host_is_where_the_packet_leaves_to() {
    let mut documents = documents(&[&[], &[]]);
    let remote = json!({"ID": id(3), "HostComputeNetwork": NETWORK, "Flags": 1,
        "IpConfigurations": [{"IpAddress": "10.7.0.3"}]});
    documents
        .endpoints
        .push(Endpoint::from_value(&remote).unwrap());
    documents.load_balancers = vec![balancer(json!({"Flags": 1}))];
    let explanation = explained(&documents, &flow("10.96.0.1", 443));
    let Some(Hop::Balanced { branches, .. }) = explanation.way.hops.last() else {
        panic!("{:?}", explanation.way);
    };
    let fates: Vec<Fate> = branches.iter().map(|branch| branch.way.fate).collect();
    assert_eq!(
        fates,
        [Fate::Arrives(Receiver::Port(PortIndex(1))), Fate::Leaves]
    );
}

#[test]
fn neighbours_beyond_the_host_are_on_external_networks_alone() {
    let mut documents = documents(&[&[]]);
    assert_eq!(
        explained(&documents, &flow("10.0.0.99", 80)).way.fate,
        Fate::Leaves
    );
    documents.networks[0].network_type = hcn_schema::network::NetworkType::Nat.into();
    assert_eq!(
        explained(&documents, &flow("10.0.0.99", 80)).way.fate,
        Fate::Unreachable(NoWay::Nobody("10.0.0.99".parse().unwrap()))
    );
}

/// Where a way ends, of a packet from endpoint 1.
fn fate(documents: &Documents, flow: &Flow) -> Fate {
    explained(documents, flow).way.fate
}

/// A virtual address is nobody's: what no load balancer takes gets nowhere, of other ports (the DNS half that is missing, user pain 2) and of
/// other protocols. An external one (VipExternalIP is 16 in clients' headers) has others behind it.
#[test]
fn what_no_load_balancer_takes_of_a_virtual_address_gets_nowhere() {
    let mut documents = documents(&[&[], &[], &[]]);
    documents.load_balancers = vec![balancer(json!({}))];
    let unserved = Fate::Unreachable(NoWay::NotServed);
    assert_eq!(fate(&documents, &flow("10.96.0.1", 80)), unserved);
    let udp = Flow {
        protocol: Protocol::UDP,
        ..flow("10.96.0.1", 443)
    };
    assert_eq!(fate(&documents, &udp), unserved);
    documents.load_balancers = vec![balancer(json!({"PortMappings": [
        {"Protocol": 6, "ExternalPort": 443, "InternalPort": 80, "Flags": 16}]}))];
    assert_eq!(fate(&documents, &flow("10.96.0.1", 80)), Fate::Leaves);
}

/// The swarms on record have their virtual addresses on the subnet of the containers, and lists without a port for all of an address (Q47).
#[test]
fn a_load_balancer_answers_for_an_address_on_the_senders_own_subnet() {
    let mut documents = documents(&[
        &[],
        &[
            acl("Action=Block Direction=In Protocols=6 LocalPorts=81 Priority=100"),
            acl("Action=Allow Direction=In Priority=200"),
            acl("Action=Allow Direction=Out Priority=200"),
        ],
    ]);
    let own = |mapping: Value| {
        vec![balancer(
            json!({"FrontendVIPs": ["10.0.0.200"], "HostComputeEndpoints": [id(2)], "PortMappings": [mapping]}),
        )]
    };
    documents.load_balancers = own(json!({"Protocol": 6, "ExternalPort": 443, "InternalPort": 81}));
    let balanced = |passing| Fate::Balanced { passing, of: 1 };
    assert_eq!(fate(&documents, &flow("10.0.0.200", 443)), balanced(0));
    documents.networks[0].network_type = hcn_schema::network::NetworkType::Nat.into();
    assert_eq!(fate(&documents, &flow("10.0.0.200", 443)), balanced(0));
    assert_eq!(
        fate(&documents, &flow("10.0.0.200", 80)),
        Fate::Unreachable(NoWay::NotServed)
    );
    documents.load_balancers = own(json!({"ExternalPort": 0, "InternalPort": 0}));
    assert_eq!(fate(&documents, &flow("10.0.0.200", 80)), balanced(1));
    assert_eq!(fate(&documents, &flow("10.0.0.200", 81)), balanced(0));
    let echo = Flow {
        protocol: Protocol::ICMP,
        source_port: 0,
        destination_port: 0,
        ..flow("10.0.0.200", 0)
    };
    assert_eq!(fate(&documents, &echo), balanced(1));
}

fn with_policies(documents: &mut Documents, policies: Value) {
    let mut network = documents.networks[0].to_value();
    network["Policies"] = policies;
    documents.networks[0] = Network::from_value(&network).unwrap();
}

/// Agents allow probes of the node by its management address (hns-behaviour 4.8), which HNS tells as a policy of the network (2.3).
#[test]
fn the_host_speaks_to_containers_from_its_management_address() {
    let mut documents = documents(&[&[acl(
        "Action=Allow Direction=In RemoteAddresses=192.168.7.4 Priority=201",
    )]]);
    with_policies(
        &mut documents,
        json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "192.168.7.4"}}]),
    );
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let to = "10.0.0.1".parse().unwrap();
    let source = inquiry
        .switch()
        .source_towards(inquiry.topology(), Start::Host, to);
    assert_eq!(source, Some("192.168.7.4".parse().unwrap()));
    let probe = Flow {
        source: source.unwrap(),
        ..flow("10.0.0.1", 80)
    };
    assert_eq!(
        inquiry.way(Start::Host, &probe).fate,
        Fate::Arrives(Receiver::Port(PortIndex(0)))
    );
    // It is the host whoever asks for it, and a port without an address of its own (FrontendVIPs empty) is there too.
    assert_eq!(
        inquiry.way(Start::Outside, &flow("192.168.7.4", 80)).fate,
        Fate::Arrives(Receiver::Host)
    );
}

/// hns-behaviour 5.1, column "external path": NAT has WinNAT, Internal has none.
#[test]
fn networks_without_a_way_in_or_out_are_not_crossed() {
    let mut documents = documents(&[&[], &[]]);
    let from_outside = |documents: &Documents| {
        let inquiry = Inquiry::new(documents, &Semantics::default());
        let flow = Flow {
            source: "8.8.8.8".parse().unwrap(),
            ..flow("10.0.0.2", 80)
        };
        inquiry.way(Start::Outside, &flow).fate
    };
    let arrives = Fate::Arrives(Receiver::Port(PortIndex(1)));
    assert_eq!(from_outside(&documents), arrives);
    use hcn_schema::network::NetworkType;
    let not_in = Fate::Unreachable(NoWay::NotLetIn { network: 0 });
    for network_type in [NetworkType::Nat, NetworkType::Ics, NetworkType::Internal] {
        documents.networks[0].network_type = network_type.into();
        assert_eq!(from_outside(&documents), not_in, "{network_type:?}");
    }
    assert_eq!(
        fate(&documents, &flow("8.8.8.8", 80)),
        Fate::Unreachable(NoWay::NotLetOut { network: 0 })
    );
    documents.networks[0].network_type = NetworkType::Nat.into();
    let way = explained(&documents, &flow("8.8.8.8", 80)).way;
    assert_eq!(way.fate, Fate::Leaves);
    assert_eq!(way.hops.last(), Some(&Hop::Hidden { network: 0 }));
}

/// hns-behaviour 5.5; ICMP is not translated (user pain 28).
#[test]
fn what_leaves_has_the_source_that_outbound_nat_gives_it() {
    let nat = json!({"Type": "OutBoundNAT", "Settings": {"VirtualIP": "192.168.7.9", "Exceptions": ["10.0.0.0/8", "1.1.1.1"]}});
    let documents = documents(&[&[acl("Action=Allow Direction=Out Priority=1"), nat]]);
    let last = |flow: &Flow| explained(&documents, flow).way.hops.pop();
    let hop = |kept| {
        Some(Hop::Outbound {
            port: PortIndex(0),
            policy: 0,
            kept,
        })
    };
    let exception = |text: &str| Some(Kept::Exception(text.parse().unwrap()));
    assert_eq!(last(&flow("8.8.8.8", 80)), hop(None));
    assert_eq!(last(&flow("10.7.0.1", 80)), hop(exception("10.0.0.0/8")));
    assert_eq!(last(&flow("1.1.1.1", 80)), hop(exception("1.1.1.1/32")));
    let echo = Flow {
        protocol: Protocol::ICMP,
        source_port: 0,
        destination_port: 0,
        ..flow("8.8.8.8", 0)
    };
    assert_eq!(last(&echo), hop(Some(Kept::Icmp)));
    assert!(
        explained(&documents, &flow("8.8.8.8", 80))
            .unfollowed
            .is_empty()
    );
}

/// What a policy that is not followed cannot concern is not told.
#[test]
fn policies_that_are_not_followed_are_told_where_they_concern_the_packet() {
    let route = json!({"Type": "SDNRoute", "Settings": {"DestinationPrefix": "10.96.0.0/12", "NeedEncap": true}});
    let proxy = json!({"Type": "L4WFPPROXY", "Settings": {"FilterTuple": {"Protocols": "6"}}});
    let mut documents = documents(&[&[route, proxy]]);
    let told = |documents: &Documents, flow: &Flow| -> Vec<String> {
        let unfollowed = explained(documents, flow).unfollowed;
        unfollowed.into_iter().map(|own| own.policy_type).collect()
    };
    assert_eq!(
        told(&documents, &flow("10.96.0.7", 80)),
        ["SDNRoute", "L4WFPPROXY"]
    );
    assert_eq!(told(&documents, &flow("8.8.8.8", 80)), ["L4WFPPROXY"]);
    let udp = Flow {
        protocol: Protocol::UDP,
        ..flow("8.8.8.8", 80)
    };
    assert_eq!(told(&documents, &udp), [""; 0]);
    with_policies(
        &mut documents,
        json!([{"Type": "L4Proxy", "Settings": {"Protocol": 17, "Destination": "10.0.0.9:1"}}]),
    );
    assert_eq!(told(&documents, &udp), ["L4Proxy"]);
    let mut endpoint = documents.endpoints[0].to_value();
    endpoint["Routes"] = json!([{"DestinationPrefix": "8.8.8.0/24", "NextHop": "10.0.0.2"}]);
    documents.endpoints[0] = Endpoint::from_value(&endpoint).unwrap();
    assert_eq!(told(&documents, &udp), ["L4Proxy", "Route"]);
}

/// hns-behaviour 5.4 has LocalRoutedVip for the host itself, and 2.13 an address (VIP) of which nobody says what it does.
#[test]
fn what_a_published_port_asks_for_and_is_not_followed_is_told() {
    let mapping = |external_port: u16, more: Value| {
        let mut settings =
            json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": external_port});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        json!({"Type": "PortMapping", "Settings": settings})
    };
    let published = [
        mapping(8080, json!({})),
        mapping(8081, json!({"Flags": 1})),
        mapping(8082, json!({"VIP": "192.168.7.9"})),
    ];
    let documents = documents(&[&[], &published]);
    let inquiry = Inquiry::new(&documents, &Semantics::default());
    let told = |start, to: &str, port| {
        let explanation = inquiry.explain(start, &flow(to, port));
        let told = explanation.unfollowed.into_iter();
        let told: Vec<(String, &str)> = told.map(|own| (own.pointer, own.does)).collect();
        (explanation.way.fate, told)
    };
    let arrives = Fate::Arrives(Receiver::Port(PortIndex(1)));
    let container = Start::Port(PortIndex(0));
    let not_local = "may not be for the host itself, as it has no LocalRoutedVip";
    let host = "10.0.0.254";
    assert_eq!(
        told(Start::Host, host, 8080),
        (arrives, vec![("/Policies/0".to_owned(), not_local)])
    );
    assert_eq!(told(Start::Host, host, 8081), (arrives, vec![]));
    assert_eq!(told(container, host, 8080), (arrives, vec![]));
    let other = "may be for its own address (VIP) alone";
    assert_eq!(
        told(container, host, 8082),
        (arrives, vec![("/Policies/2".to_owned(), other)])
    );
    let own = "may take what is sent to its address (VIP)";
    assert_eq!(
        told(container, "192.168.7.9", 8082),
        (Fate::Leaves, vec![("/Policies/2".to_owned(), own)])
    );
    assert_eq!(told(container, "192.168.7.9", 8080), (Fate::Leaves, vec![]));
}

/// Of two L2Bridge networks with one subnet each is a wire of its own, as packets of `probe` have it; the record is silent.
#[test]
fn who_is_on_another_network_of_the_same_subnet_is_not_found() {
    let mut documents = documents(&[&[], &[]]);
    let other = "0A000000-0000-4000-8000-000000000002";
    let mut network = documents.networks[0].to_value();
    network["ID"] = other.into();
    documents
        .networks
        .push(Network::from_value(&network).unwrap());
    let mut endpoint = documents.endpoints[1].to_value();
    endpoint["HostComputeNetwork"] = other.into();
    documents.endpoints[1] = Endpoint::from_value(&endpoint).unwrap();
    let to = "10.0.0.2";
    assert_eq!(
        fate(&documents, &flow(to, 80)),
        Fate::Unreachable(NoWay::Nobody(to.parse().unwrap()))
    );
    // What nobody here has is beyond, and so is what a remote endpoint of the sender's network has as well.
    assert_eq!(fate(&documents, &flow("10.0.0.3", 80)), Fate::Leaves);
    let remote = json!({"ID": id(3), "HostComputeNetwork": NETWORK, "Flags": 1,
        "IpConfigurations": [{"IpAddress": to}]});
    documents
        .endpoints
        .push(Endpoint::from_value(&remote).unwrap());
    assert_eq!(fate(&documents, &flow(to, 80)), Fate::Leaves);
}

/// Of two backends the second lets everything pass, and the answer hangs on the first.
#[test]
fn an_answer_that_is_otherwise_names_the_place_where_it_turns() {
    let tie = [
        acl("Action=Allow Direction=In Priority=100"),
        acl("Action=Block Direction=In Priority=100"),
    ];
    let mut documents = documents(&[&[], &tie, &[]]);
    documents.load_balancers = vec![balancer(json!({"Flags": 1}))];
    let first_wins = Semantics {
        tie: crate::semantics::Tie::FirstWins,
        ..Semantics::default()
    };
    let block_wins = Semantics::default();
    let start = Start::Port(PortIndex(0));
    for (own, other, passing, decision) in [
        (&block_wins, &first_wins, 2, Decision::Allow),
        (&first_wins, &block_wins, 1, Decision::Block),
        // The same answer names what blocks, and not the last that was asked.
        (&block_wins, &block_wins, 1, Decision::Block),
    ] {
        let inquiry = Inquiry::new(&documents, own);
        let answer = inquiry.otherwise(start, &flow("10.96.0.1", 443), [other]);
        assert_eq!(answer[0].fate, Fate::Balanced { passing, of: 2 });
        let (endpoint, direction, cause) = answer[0].last.clone().unwrap();
        let rule = cause.rule.unwrap();
        assert_eq!(
            (endpoint, direction),
            (id(2).parse().unwrap(), Direction::In)
        );
        assert_eq!(rule.action, decision);
    }
}

/// Agents and people know the host by its management address (hns-behaviour 4.8); a gateway is there for one network.
#[test]
fn the_host_is_asked_for_at_its_management_address_first() {
    let mut documents = documents(&[&[]]);
    let addresses = |documents: &Documents, start| -> Vec<String> {
        let inquiry = Inquiry::new(documents, &Semantics::default());
        let all = inquiry
            .topology()
            .host_addresses_for(inquiry.switch(), start);
        all.iter().map(ToString::to_string).collect()
    };
    let nat = json!({"ID": "0A000000-0000-4000-8000-000000000002", "Type": "NAT", "Ipams": [{"Subnets": [{
        "IpAddressPrefix": "172.20.0.0/20", "Routes": [{"NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0"}]}]}]});
    documents
        .networks
        .insert(0, Network::from_value(&nat).unwrap());
    let container = Start::Port(PortIndex(0));
    assert_eq!(
        addresses(&documents, container),
        ["10.0.0.254", "172.20.0.1"]
    );
    assert_eq!(
        addresses(&documents, Start::Outside),
        ["172.20.0.1", "10.0.0.254"]
    );
    let own = json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "192.168.7.4"}}]);
    let mut network = documents.networks[1].to_value();
    network["Policies"] = own;
    documents.networks[1] = Network::from_value(&network).unwrap();
    assert_eq!(
        addresses(&documents, container),
        ["192.168.7.4", "10.0.0.254", "172.20.0.1"]
    );
    assert_eq!(
        addresses(&documents, Start::Outside),
        ["192.168.7.4", "172.20.0.1", "10.0.0.254"]
    );
}

fn with_sets(mut documents: Documents, sets: &[(&str, &str, &str)]) -> Documents {
    let policies = sets.iter().map(|(id, kind, values)| {
        let set = json!({"Type": "SetPolicy", "Settings":
            {"Id": id, "Name": format!("name of {id}"), "PolicyType": kind, "Values": values}});
        hcn_schema::Policy::from_value(&set).unwrap()
    });
    let policies: Vec<hcn_schema::Policy> = policies.collect();
    documents.networks[0].policies = policies.into();
    documents
}

#[test]
fn sets_are_told_by_the_end_that_they_mean_and_the_field_that_names_them() {
    // hns-behaviour 4.7: in LocalAddresses a set means the source, also of what comes in.
    let rules = [
        acl("Action=Allow Direction=In LocalAddresses=ns,app Priority=100"),
        acl("Action=Block Direction=In Priority=200"),
    ];
    let sets = [
        ("ns", "IPSET", "10.0.0.1,10.0.0.3"),
        ("app", "IPSET", "10.0.0.3"),
    ];
    let scene = documents;
    let documents = with_sets(scene(&[&[], &rules, &[]]), &sets);
    let explanation = explained(&documents, &flow("10.0.0.2", 80));
    let near = &explanation.judgements[1].stages[0].stronger.nearest[0];
    assert_eq!(near.failed, [Field::LocalAddresses]);
    let named: Vec<(Field, &str, String, bool)> = near
        .rule
        .sets
        .iter()
        .map(|set| {
            (
                set.field,
                set.id.as_str(),
                set.address.to_string(),
                set.holds,
            )
        })
        .collect();
    let source = || "10.0.0.1".to_owned();
    assert_eq!(
        named,
        [
            (Field::LocalAddresses, "ns", source(), true),
            (Field::LocalAddresses, "app", source(), false)
        ]
    );
    assert_eq!(near.rule.sets[0].name, "name of ns");
    assert_eq!(near.rule.sets[0].values, ["10.0.0.1", "10.0.0.3"]);
    // A plain address in the same place is the endpoint's own; here it is none of the destinations that are meant.
    let rules = [
        acl("Action=Allow Direction=In LocalAddresses=10.0.0.9 RemoteAddresses=app Priority=100"),
        acl("Action=Block Direction=In Priority=200"),
    ];
    let documents = with_sets(scene(&[&[], &rules, &[]]), &sets);
    let explanation = explained(&documents, &flow("10.0.0.2", 80));
    let near = &explanation.judgements[1].stages[0].stronger.nearest[0];
    assert_eq!(near.failed, [Field::Sets]);
    assert_eq!(near.rule.sets[0].address.to_string(), "10.0.0.2");
}

#[test]
fn an_empty_set_is_no_matter_of_the_ip_version() {
    let rules = [
        acl("Action=Allow Direction=In LocalAddresses=none Priority=100"),
        acl("Action=Allow Direction=In RemoteAddresses=fd00::9 Priority=110"),
        acl("Action=Allow Direction=In LocalAddresses=all Priority=120"),
    ];
    let sets = [("none", "IPSET", ""), ("all", "NESTEDIPSET", "")];
    let documents = with_sets(documents(&[&[], &rules]), &sets);
    let explanation = explained(&documents, &flow("10.0.0.2", 80));
    let stage = &explanation.judgements[1].stages[0];
    assert_eq!(
        stage.stronger.by_field,
        [(Field::Family, 1), (Field::Sets, 1)]
    );
    let decider = stage.decider.as_ref().unwrap();
    assert_eq!(decider.pointer, "/Policies/2");
    let set = &decider.sets[0];
    assert!(set.holds && set.is_nested && set.values.is_empty());
}

#[test]
fn what_is_used_on_the_way_and_not_every_version_has_is_told() {
    let tier = json!({"Type": "TierAcl", "Settings": {"Direction": "In", "Order": 1,
        "TierAclRules": [{"TierAclRuleAction": "Block", "Priority": 1}]}});
    let documents = documents(&[
        &[],
        std::slice::from_ref(&tier),
        std::slice::from_ref(&tier),
    ]);
    let semantics = Semantics::default();
    let inquiry = Inquiry::new(&documents, &semantics);
    let start = Start::Port(PortIndex(0));
    let older = Semantics {
        lacks: Parts::NONE.with(Part::TierAcl, true),
        ..semantics
    };
    let (explanation, answers) = inquiry.explain_with(start, &flow("10.0.0.2", 80), [&older]);
    assert_eq!(explanation.way.fate, Fate::Dropped);
    assert_eq!(
        explanation.parts.iter().collect::<Vec<_>>(),
        [Part::TierAcl]
    );
    assert_eq!(answers[0].fate, Fate::Arrives(Receiver::Port(PortIndex(1))));
    let beside = inquiry.explain(start, &flow("10.0.0.99", 80));
    assert_eq!(beside.parts, Parts::NONE);
}
