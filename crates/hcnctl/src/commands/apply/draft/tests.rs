// SPDX-License-Identifier: MIT OR Apache-2.0
//! Of the pairs that a plan asks for, none is missing: on random hosts it finds what a comparison of every pair finds.

use hcn::schema::{Document, LoadBalancer, Network};
use hcn_engine::Semantics;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};

use super::*;

/// Type, subnet and gateway of each network.
const NETWORKS: [(&str, &str, &str); 3] = [
    ("NAT", "10.1.0.0/24", "10.1.0.1"),
    ("L2Bridge", "10.2.0.0/24", "10.2.0.1"),
    ("Private", "10.3.0.0/24", ""),
];
/// Network and addresses of each endpoint.
const ENDPOINTS: [(usize, &[&str]); 6] = [
    (0, &["10.1.0.10"]),
    (0, &["10.1.0.11"]),
    (1, &["10.2.0.10", "fd00:2::10"]),
    (1, &["10.2.0.11", "fd00:2::11"]),
    (2, &["10.3.0.10"]),
    (2, &["10.3.0.11"]),
];
/// Virtual addresses: of nobody, of the host, of an endpoint.
const VIPS: [&str; 3] = ["10.96.0.1", "10.2.0.1", "10.1.0.11"];
const PEERS: [&str; 6] = [
    "10.1.0.10",
    "10.1.0.0/24",
    "10.2.0.10",
    "10.96.0.1",
    "10.1.0.1",
    "fd00:2::/64",
];

fn id(number: usize) -> String {
    Guid(number as u128 + 1).to_string()
}

type Rule = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    u16,
);

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let one = (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        option::of(select(vec!["80", "443", "8000-8080"])),
        option::of(select(PEERS.to_vec())),
        1u16..4,
    );
    vec(one, 0..4)
}

fn documents(rules: &[Vec<Rule>], vip: Option<&str>, backends: &[usize], flags: u32) -> Documents {
    let networks = NETWORKS.iter().enumerate().map(|(place, (own, subnet, gateway))| {
        let routes = match gateway.is_empty() {
            true => json!([]),
            false => json!([{"NextHop": gateway, "DestinationPrefix": "0.0.0.0/0"}]),
        };
        Network::from_value(&json!({"ID": id(100 + place), "Name": own, "Type": own,
            "Ipams": [{"Type": "Static", "Subnets": [{"IpAddressPrefix": subnet, "Routes": routes}]}]}))
        .unwrap()
    });
    let endpoints = ENDPOINTS.iter().zip(rules).enumerate();
    let endpoints = endpoints.map(|(place, ((network, addresses), rules))| {
        let mut policies: Vec<Value> = rules
            .iter()
            .map(|(action, direction, ports, peer, priority)| {
                let (own, other) = match *direction {
                    "In" => ("LocalPorts", "RemotePorts"),
                    _ => ("RemotePorts", "LocalPorts"),
                };
                json!({"Type": "ACL", "Settings": {"Action": action, "Direction": direction, "Protocols": if ports.is_some() { "6" } else { "" },
                    own: ports.unwrap_or(""), other: "", "RemoteAddresses": peer.unwrap_or(""), "Priority": priority, "RuleType": "Switch"}})
            })
            .collect();
        if place < 2 {
            policies.push(json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "ExternalPort": 8000 + place, "InternalPort": 80}}));
        }
        let gateway = NETWORKS[*network].2;
        let routes = match gateway.is_empty() {
            true => json!([]),
            false => json!([{"NextHop": gateway, "DestinationPrefix": "0.0.0.0/0"}]),
        };
        let addresses: Vec<Value> = addresses.iter().map(|own| json!({"IpAddress": own, "PrefixLength": 24})).collect();
        Endpoint::from_value(&json!({"ID": id(place), "Name": format!("e{place}"), "HostComputeNetwork": id(100 + network),
            "IpConfigurations": addresses, "Routes": routes, "Policies": policies}))
        .unwrap()
    });
    let balancer = vip.map(|vip| {
        let backends: Vec<String> = backends.iter().map(|backend| id(*backend)).collect();
        LoadBalancer::from_value(&json!({"ID": id(200), "HostComputeEndpoints": backends, "FrontendVIPs": [vip], "Flags": flags,
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]}))
        .unwrap()
    });
    Documents {
        networks: networks.collect(),
        endpoints: endpoints.collect(),
        load_balancers: balancer.into_iter().collect(),
    }
}

fn found(documents: [&Documents; 2], changed: &HashSet<Guid>) -> Vec<Pair> {
    let [mut before, mut after] = documents.map(|documents| {
        Matrix::of(documents, &[], &Semantics::default(), &Question::default()).unwrap()
    });
    let mut pairs = pairs(&mut before, &mut after, changed, usize::MAX).unwrap();
    pairs.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_finds_the_pairs_that_a_comparison_of_all_finds(
        old in vec(rules(), ENDPOINTS.len()),
        new in vec(option::weighted(0.3, rules()), ENDPOINTS.len()),
        vip in option::of(select(VIPS.to_vec())),
        backends in subsequence(vec![0, 1, 2, 3, 4, 5], 1..=2),
        flags in 0u32..2,
    ) {
        let changed = new.iter().enumerate().filter(|(_, new)| new.is_some());
        let changed: HashSet<Guid> = changed.map(|(place, _)| Guid(place as u128 + 1)).collect();
        let next: Vec<Vec<Rule>> = new.into_iter().zip(&old).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect();
        let [before, after] = [&old, &next].map(|rules| documents(rules, vip, &backends, flags));
        let every: HashSet<Guid> = (0..ENDPOINTS.len()).map(|place| Guid(place as u128 + 1)).collect();
        let all = found([&before, &after], &every);
        prop_assert_eq!(&found([&before, &after], &changed), &all);
        // And that is what the comparison itself says, but for what goes outside, and what comes from there to an endpoint by its own address.
        let [mut before, mut after] = [&before, &after].map(|documents| {
            Matrix::of(documents, &[], &Semantics::default(), &Question::default()).unwrap()
        });
        let comparison = compare(&mut before, &mut after);
        let is_door = |to: &str| {
            let own = (0..ENDPOINTS.len()).find(|place| *to == format!("e{place}"));
            own.is_none_or(|own| ENDPOINTS[own].1.iter().any(|address| Some(*address) == vip))
        };
        let mut compared: Vec<(String, String, bool, bool)> = comparison
            .pairs()
            .into_iter()
            .filter(|(from, to, ..)| *to != "outside" && (*from != "outside" || is_door(to)))
            .map(|(from, to, opened, closed)| {
                let some = |words: &str| words.split(" | ").any(|part| !part.ends_with("nothing"));
                (from.to_owned(), to.to_owned(), some(&opened), some(&closed))
            })
            .collect();
        compared.sort_unstable();
        let planned: Vec<(String, String, bool, bool)> = all
            .iter()
            .map(|pair| (pair.from.to_string(), pair.to.to_string(), pair.opens.is_some(), pair.closes.is_some()))
            .collect();
        prop_assert_eq!(planned, compared);
    }
}

/// By hand: client and nginx on one network, db on a private one, to which nothing leads. The service in front of nginx changes as nginx does, for all
/// who have a way to it.
#[test]
fn pairs_are_judged_along_ways() {
    let none = || vec![Vec::new(); ENDPOINTS.len()];
    let mut closed = none();
    // A rule of one direction turns on default deny for both.
    closed[0] = vec![("Allow", "Out", None, None, 1)];
    let [before, after] =
        [none(), closed].map(|rules| documents(&rules, Some("10.96.0.1"), &[0], 0));
    let changed = HashSet::from([Guid(1)]);
    let pairs = found([&before, &after], &changed);
    let closes: Vec<(&str, &str, &str)> = pairs
        .iter()
        .map(|pair| {
            assert_eq!(pair.opens, None, "{pair:?}");
            (&*pair.from, &*pair.to, pair.closes.as_deref().unwrap())
        })
        .collect();
    assert!(
        closes.contains(&("e1", "e0", "everything"))
            && closes.contains(&("host", "e0", "everything")),
        "{closes:?}"
    );
    assert!(
        closes.contains(&("e1", "10.96.0.1", "tcp 443")),
        "{closes:?}"
    );
    assert!(
        !closes
            .iter()
            .any(|(from, ..)| *from == "e4" || *from == "e5"),
        "nothing leads from the private network: {closes:?}"
    );
    assert!(
        !closes.iter().any(|(_, to, _)| *to == "outside"),
        "{closes:?}"
    );
}

/// By hand: of the two backends of a service the rule of one closes it; for the other's sake the service still answers, and that is told both ways.
#[test]
fn a_service_that_some_backends_let_in_is_told() {
    let none = || vec![Vec::new(); ENDPOINTS.len()];
    let mut closed = none();
    closed[0] = vec![
        ("Block", "In", Some("80"), None, 1),
        ("Allow", "In", None, None, 2),
        ("Allow", "Out", None, None, 2),
    ];
    closed[1] = closed[0].clone();
    let mut half = none();
    half[0] = closed[0].clone();
    let [open, half, closed] =
        [none(), half, closed].map(|rules| documents(&rules, Some("10.96.0.1"), &[0, 1], 0));
    let changed = HashSet::from([Guid(1), Guid(2)]);
    let of_host = |documents| {
        let pairs = found(documents, &changed);
        let pair = pairs
            .into_iter()
            .find(|pair| (&*pair.from, &*pair.to) == ("host", "10.96.0.1"));
        pair.map(|pair| {
            (
                pair.opens.as_deref().map(str::to_owned),
                pair.closes.as_deref().map(str::to_owned),
            )
        })
    };
    let words = |text: &str| Some(text.to_owned());
    // From all backends to one of them: not any more to every one, as `reach` counts.
    assert_eq!(of_host([&open, &half]), Some((None, words("tcp 443"))));
    assert_eq!(
        of_host([&half, &closed]),
        Some((None, words("tcp 443 to some backends")))
    );
    assert_eq!(
        of_host([&closed, &half]),
        Some((words("tcp 443 to some backends"), None))
    );
}
