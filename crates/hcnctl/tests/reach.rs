// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `reach` prints for programs, against the ways of single flows on random switches.
//!
//! Apart from the transcripts, which have few rules: here the CSV is read back by a reader of its own for the words, and the JSON by its
//! published schema and its cells.

#[path = "reach/read.rs"]
mod read;

use std::{collections::HashMap, net::IpAddr};

use hcn::service::{Profile, profile::ProfileChoice};
use hcn_engine::{Documents, Flow, Protocol, Semantics, Switch, Topology};
use hcn_schema::{Document, Endpoint, LoadBalancer, Network};
use hcnctl::{
    reach::{Matrix, Question, compare::compare},
    render::reach::{Subject, compared_csv, compared_json, csv, json},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use read::{Set, cells, lines};
use serde_json::{Map, Value, json};
use testkit::schema::Schema;

/// A page is as its published schema says.
fn check(schema: &str, page: &[u8]) {
    let page: Value = serde_json::from_slice(page).unwrap();
    assert_eq!(Schema::published(schema).faults(&page), [""; 0]);
}

/// Names and addresses of the endpoints.
const ENDPOINTS: [(&str, &[&str]); 4] = [
    ("web", &["10.0.0.1", "fd00::1"]),
    ("api, old", &["10.0.0.2", "10.0.0.3"]),
    ("db", &["10.0.1.1", "fd00::5"]),
    ("six", &["fd00::6"]),
];
const PLACES: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.3",
    "10.0.0.0/30",
    "10.0.0.0/24",
    "192.0.2.7",
    "fd00::1",
    "fd00::/125",
    "0.0.0.0/0",
];
/// Addresses that no endpoint has: some that rules name, beside those of endpoints, and far away.
const OUTSIDE: [&str; 5] = [
    "10.0.0.0",
    "10.0.0.9",
    "192.0.2.7",
    "fd00::2",
    "2001:db8::1",
];

fn texts(items: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    let several = vec(select(items), 1..3);
    option::weighted(0.5, several.prop_map(|items| items.join(",")))
}

fn rule() -> impl Strategy<Value = Value> {
    let ports = (
        texts(&["80", "443", "1-1023", "65535"]),
        texts(&["1024-65535", "53"]),
    );
    let words = (
        select(vec!["Allow", "Block"]),
        select(vec!["In", "Out"]),
        select(vec![100u16, 200, 300]),
    );
    (
        words,
        texts(&["6", "17", "1", "47"]),
        texts(&PLACES),
        texts(&PLACES),
        ports,
    )
        .prop_map(|(words, protocols, local, remote, (one, other))| {
            let (action, direction, priority) = words;
            let (local_ports, remote_ports) = match direction {
                "In" => (one, other),
                _ => (other, one),
            };
            let mut settings = Map::new();
            settings.insert("Action".to_owned(), action.into());
            settings.insert("Direction".to_owned(), direction.into());
            settings.insert("Priority".to_owned(), priority.into());
            for (key, text) in [
                ("Protocols", protocols),
                ("LocalAddresses", local),
                ("RemoteAddresses", remote),
                ("LocalPorts", local_ports),
                ("RemotePorts", remote_ports),
            ] {
                if let Some(text) = text {
                    settings.insert(key.to_owned(), text.into());
                }
            }
            json!({"Type": "ACL", "Settings": settings})
        })
}

fn documents() -> impl Strategy<Value = Documents> {
    let one = (vec(rule(), 0..4), prop::bool::weighted(0.1));
    vec(one, ENDPOINTS.len()).prop_map(|endpoints| {
        let network = json!({"ID": "00000000-0000-0000-0000-00000000000a", "Type": "L2Bridge", "Ipams": [{"Subnets": [
            {"IpAddressPrefix": "10.0.0.0/16", "Routes": [{"NextHop": "10.0.0.254", "DestinationPrefix": "0.0.0.0/0"}]},
            {"IpAddressPrefix": "fd00::/64", "Routes": [{"NextHop": "fd00::fe", "DestinationPrefix": "::/0"}]},
        ]}]});
        // Every backend has to let a flow in.
        let service = json!({"ID": "00000000-0000-0000-0000-00000000000b", "FrontendVIPs": ["10.96.0.1"],
            "HostComputeEndpoints": ["00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000002"],
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]});
        let endpoint = |(number, (policies, isolated)): (usize, (Vec<Value>, bool))| {
            let (name, addresses) = ENDPOINTS[number];
            let addresses = addresses
                .iter()
                .map(|address| json!({"IpAddress": address}));
            let document = json!({
                "ID": format!("00000000-0000-0000-0000-0000000000{number:02}"),
                "Name": name,
                "HostComputeNetwork": "00000000-0000-0000-0000-00000000000a",
                // EndpointFlags: DisableInterComputeCommunication is 2 (hns-behaviour 2.4).
                "Flags": if isolated { 2 } else { 0 },
                "IpConfigurations": addresses.collect::<Vec<Value>>(),
                "Policies": policies,
            });
            Endpoint::from_value(&document).unwrap()
        };
        Documents {
            networks: vec![Network::from_value(&network).unwrap()],
            endpoints: endpoints.into_iter().enumerate().map(endpoint).collect(),
            load_balancers: vec![LoadBalancer::from_value(&service).unwrap()],
        }
    })
}

fn matrix(documents: &Documents) -> Matrix {
    asked(documents, &Question::default())
}

fn asked(documents: &Documents, question: &Question) -> Matrix {
    Matrix::of(documents, &[], &Semantics::default(), question).unwrap()
}

fn subject() -> Subject {
    Subject {
        of: "now".to_owned(),
        hns: "15.0".to_owned(),
    }
}

/// Flows of a pair at the edges of the rules' ports; of several addresses where a side is outside.
fn flows(source: Option<IpAddr>, destination: Option<IpAddr>, family: &str) -> Vec<Flow> {
    let outside = || {
        let all = OUTSIDE.map(|address| address.parse::<IpAddr>().unwrap());
        let own = all
            .into_iter()
            .filter(|address| address.is_ipv4() == (family == "IPv4"));
        own.collect::<Vec<IpAddr>>()
    };
    let mut flows = Vec::new();
    for source in source.map_or_else(outside, |address| vec![address]) {
        for destination in destination.map_or_else(outside, |address| vec![address]) {
            for protocol in [1, 6, 17, 47].map(Protocol) {
                for destination_port in [0, 79, 80, 443, 1_024, 65_535] {
                    for source_port in [0, 53, 1_024, 65_535] {
                        flows.push(Flow {
                            source,
                            destination,
                            protocol,
                            source_port,
                            destination_port,
                        });
                    }
                }
            }
        }
    }
    flows
}

/// A line about a pair of addresses, and its sets.
struct Told {
    ends: (Option<IpAddr>, Option<IpAddr>),
    family: String,
    sets: Vec<Set>,
}

/// Pairs of a CSV whose last columns are sets.
fn told_by_csv(text: &str) -> Vec<Told> {
    let mut lines = lines(text).into_iter();
    let header = lines.next().unwrap();
    assert_eq!(
        header[..5],
        ["from", "to", "family", "source", "destination"]
    );
    lines
        .map(|line| Told {
            ends: (line[3].parse().ok(), line[4].parse().ok()),
            family: line[2].clone(),
            sets: line[5..].iter().map(|words| Set::of(words)).collect(),
        })
        .collect()
}

/// Pairs of a JSON, with the cells of the sets that they name.
fn told_by_json(text: &[u8], list: &str, members: &[&str]) -> Vec<Told> {
    let page: Value = serde_json::from_slice(text).unwrap();
    let pairs = page[list].as_array().unwrap().iter();
    let address = |value: &Value| value.as_str().map(|text| text.parse().unwrap());
    pairs
        .map(|pair| Told {
            ends: (address(&pair["source"]), address(&pair["destination"])),
            family: pair["family"].as_str().unwrap().to_owned(),
            sets: members
                .iter()
                .map(|member| cells(&page["sets"][pair[member].as_str().unwrap()]))
                .collect(),
        })
        .collect()
}

/// Whether the flow gets to its destination.
fn allows(switch: &Switch, flow: &Flow) -> bool {
    let topology = Topology::of(switch, usize::MAX);
    let start = switch.start_of(&topology, flow.source);
    switch.way(&topology, start, flow).fate.is_allowed()
}

/// All pairs of addresses of one family: 2 + 2 + 1 + 1 endpoints' addresses, without those of one endpoint; the host and outside with each of
/// those; the service with each of those of its family, the host and outside; and outside with the host.
fn expected_pairs() -> usize {
    let addresses = || {
        let all = ENDPOINTS.iter().enumerate();
        all.flat_map(|(number, (_, addresses))| {
            addresses
                .iter()
                .map(move |address| (number, address.contains(':')))
        })
    };
    let inside = addresses()
        .flat_map(|one| addresses().map(move |other| (one, other)))
        .filter(|(one, other)| one.0 != other.0 && one.1 == other.1);
    let of_new = addresses().filter(|(_, is_new)| *is_new).count();
    let of_old = addresses().count() - of_new;
    inside.count() + 4 * addresses().count() + (of_old + 2) + 2
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_and_json_tell_of_every_pair_what_a_verdict_says(documents in documents()) {
        let mut matrix = matrix(&documents);
        prop_assert_eq!(&matrix.faults, &[]);
        let (mut as_csv, mut as_json) = (Vec::new(), Vec::new());
        csv(&mut matrix, &mut as_csv).unwrap();
        json(&mut matrix, &subject(), &mut as_json).unwrap();
        check("reach.json", &as_json);
        let by_csv = told_by_csv(&String::from_utf8(as_csv).unwrap());
        let by_json = told_by_json(&as_json, "pairs", &["with"]);
        prop_assert_eq!(by_csv.len(), expected_pairs());
        prop_assert_eq!(by_json.len(), expected_pairs());
        for (csv, json) in by_csv.iter().zip(&by_json) {
            prop_assert_eq!(csv.ends, json.ends);
            for flow in flows(csv.ends.0, csv.ends.1, &csv.family) {
                let allowed = allows(matrix.switch(), &flow);
                prop_assert_eq!(csv.sets[0].contains(&flow, csv.ends), allowed, "{}", flow);
                prop_assert_eq!(json.sets[0].contains(&flow, json.ends), allowed, "{}", flow);
            }
        }
    }

    #[test]
    fn a_comparison_tells_of_every_flow_whether_it_opened_or_closed(one in documents(), other in documents()) {
        let (mut before, mut after) = (matrix(&one), matrix(&other));
        let comparison = compare(&mut before, &mut after);
        let (mut as_csv, mut as_json) = (Vec::new(), Vec::new());
        compared_csv(&comparison, &mut as_csv).unwrap();
        compared_json(&comparison, &after, [&subject(), &subject()], &mut as_json).unwrap();
        check("reach-compare.json", &as_json);
        let by_csv = told_by_csv(&String::from_utf8(as_csv).unwrap());
        let by_json = told_by_json(&as_json, "changes", &["opened", "closed"]);
        prop_assert_eq!(by_csv.len(), by_json.len());
        let changes: HashMap<_, (&Told, &Told)> = by_csv
            .iter()
            .zip(&by_json)
            .map(|(csv, json)| ((csv.ends, csv.family.clone()), (csv, json)))
            .collect();
        prop_assert_eq!(changes.len(), by_csv.len());
        let mut all = Vec::new();
        csv(&mut after, &mut all).unwrap();
        let mut different = 0;
        for pair in told_by_csv(&String::from_utf8(all).unwrap()) {
            let change = changes.get(&(pair.ends, pair.family.clone()));
            different += usize::from(change.is_some());
            for flow in flows(pair.ends.0, pair.ends.1, &pair.family) {
                let (old, new) = (allows(before.switch(), &flow), allows(after.switch(), &flow));
                let expected = [new && !old, old && !new];
                for told in change.iter().flat_map(|(csv, json)| [*csv, *json]) {
                    let said = [0, 1].map(|set| told.sets[set].contains(&flow, told.ends));
                    prop_assert_eq!(said, expected, "{}", flow);
                }
                if change.is_none() {
                    prop_assert_eq!([false, false], expected, "{}", flow);
                }
            }
        }
        prop_assert_eq!(different, changes.len());
    }
}

#[test]
fn what_is_judged_as_a_profile_with_switches_is_as_the_schemas_say() {
    // As a profile writes itself.
    let choice = "15.0,tie=first-wins,default-deny=ruled-directions,flow-idle-ms=5000";
    let choice: ProfileChoice = choice.parse().unwrap();
    let profile = Profile::of(choice.version.unwrap()).unwrap();
    let subject = Subject {
        of: "now".to_owned(),
        hns: profile.with(&choice.switches).name(),
    };
    assert!(subject.hns.contains("first-wins,"), "{}", subject.hns);
    let documents = Documents::default();
    let mut page = Vec::new();
    json(&mut matrix(&documents), &subject, &mut page).unwrap();
    check("reach.json", &page);
    let (mut before, mut after) = (matrix(&documents), matrix(&documents));
    let comparison = compare(&mut before, &mut after);
    let mut page = Vec::new();
    compared_json(&comparison, &after, [&subject, &subject], &mut page).unwrap();
    check("reach-compare.json", &page);
}

#[test]
fn a_changed_address_is_compared_as_the_endpoint_that_has_it() {
    let endpoint = |address: &str, policies: Value| {
        let document = json!({"ID": "00000000-0000-0000-0000-000000000001", "Name": "web", "IpConfigurations": [{"IpAddress": address}], "Policies": policies});
        Endpoint::from_value(&document).unwrap()
    };
    let client = json!({"ID": "00000000-0000-0000-0000-000000000002", "Name": "client", "IpConfigurations": [{"IpAddress": "10.0.0.2"}]});
    let client = Endpoint::from_value(&client).unwrap();
    let of = |web: Endpoint| {
        let documents = Documents {
            networks: Vec::new(),
            endpoints: vec![web, client.clone()],
            ..Documents::default()
        };
        let question = Question {
            rules_only: true,
            ..Question::default()
        };
        asked(&documents, &question)
    };
    let web = json!([{"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 100}}]);
    let mut before = of(endpoint("10.0.0.1", web.clone()));
    let mut moved = of(endpoint("10.0.0.9", web));
    assert!(!compare(&mut before, &mut moved).is_different());
    let mut opened = of(endpoint("10.0.0.9", json!([])));
    let comparison = compare(&mut before, &mut opened);
    let pairs: Vec<(&str, &str, String)> = comparison
        .pairs()
        .into_iter()
        .map(|(from, to, opened, _)| (from, to, opened.to_string()))
        .collect();
    // A port with a rule in one direction denies both.
    let all = "everything".to_owned();
    let rest = "everything but tcp 80".to_owned();
    assert_eq!(
        pairs,
        [
            ("web", "client", all.clone()),
            ("web", "outside", all),
            ("client", "web", rest.clone()),
            ("outside", "web", rest)
        ]
    );
}
