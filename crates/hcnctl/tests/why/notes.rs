// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `can` and `why` say beside the answer: what was chosen for the one who asks, and the guesses that it hangs on.
//!
//! Apart because the scenes are listings, in which there may be what no store takes.

use std::fs;

use serde_json::{Value, json};

use super::{Folder, published_schema};

const POD: &str = "a0000001-0000-4000-8000-000000000000";
const OTHER: &str = "a0000002-0000-4000-8000-000000000000";

fn network(id: &str, kind: &str, subnet: &str, policies: Value) -> Value {
    let gateway = format!("{}.1", subnet.rsplit_once('.').unwrap().0);
    json!({"ID": id, "Name": format!("net{}", &id[7..8]), "Type": kind, "SchemaVersion": {"Major": 2, "Minor": 0}, "Policies": policies,
        "Ipams": [{"Subnets": [{"IpAddressPrefix": subnet, "Routes": [{"NextHop": gateway, "DestinationPrefix": "0.0.0.0/0"}]}]}]})
}

fn endpoint(name: &str, network: &str, addresses: &[&str], policies: Value) -> Value {
    let number: u32 = name.bytes().map(u32::from).sum();
    let addresses = addresses.iter().map(|address| {
        let length = if address.contains(':') { 64 } else { 24 };
        json!({"IpAddress": address, "PrefixLength": length})
    });
    let addresses: Vec<Value> = addresses.collect();
    json!({"ID": format!("b{number:07}-0000-4000-8000-000000000000"), "Name": name, "HostComputeNetwork": network,
        "SchemaVersion": {"Major": 2, "Minor": 0}, "IpConfigurations": addresses, "Policies": policies})
}

fn remote(name: &str, network: &str, addresses: &[&str]) -> Value {
    let mut document = endpoint(name, network, addresses, json!([]));
    document["Flags"] = 1.into();
    document
}

fn acl(direction: &str, action: &str, remote: &str) -> Value {
    json!({"Type": "ACL", "Settings": {"Action": action, "Direction": direction, "RemoteAddresses": remote, "Priority": 100}})
}

fn listing(name: &str, documents: Value) -> Folder {
    let folder = Folder::new(name);
    fs::write(folder.0.join("all.json"), documents.to_string()).unwrap();
    folder
}

/// The page of a question about the listing; it is as its schema says, and `can` ends with the same answer.
fn page(folder: &Folder, question: &str) -> Value {
    let page = folder.json(&format!("why {question} --of all.json -o json"));
    assert_eq!(published_schema().faults(&page), Vec::<String>::new());
    let code = folder.code(&format!("can {question} --of all.json"));
    let expected = if page["allowed"] == true { 0 } else { 1 };
    assert_eq!(code, Some(expected), "{question}");
    page
}

fn notes(page: &Value) -> Vec<&str> {
    let notes = page["notes"].as_array().unwrap().iter();
    notes.map(|note| note.as_str().unwrap()).collect()
}

/// hns-behaviour 5.2: Windows Server 2019 makes a local and a remote endpoint with one address.
#[test]
fn what_is_meant_for_a_remote_endpoint_and_arrives_at_a_local_one_is_told() {
    let folder = listing(
        "shared",
        json!([
            network(POD, "Overlay", "10.50.0.0/24", json!([])),
            endpoint("asker", POD, &["10.50.0.11"], json!([])),
            endpoint("here", POD, &["10.50.0.10"], json!([])),
            remote("there", POD, &["10.50.0.10"]),
            remote("alone", POD, &["10.50.0.12"]),
        ]),
    );
    let to_remote = page(&folder, "asker there:80/tcp");
    assert_eq!(to_remote["allowed"], false);
    let ending = to_remote["ending"].as_str().unwrap();
    assert!(ending.contains("arrives at here"), "{ending}");
    let to_local = page(&folder, "asker here:80/tcp");
    assert_eq!(to_local["allowed"], true);
    for page in [&to_remote, &to_local] {
        let [note] = notes(page)[..] else {
            panic!("{page}");
        };
        assert!(note.contains("10.50.0.10") && note.contains("here") && note.contains("there"));
    }
    let alone = page(&folder, "asker alone:80/tcp");
    assert_eq!(
        (&alone["outcome"], notes(&alone).len()),
        (&"leaves".into(), 0)
    );
}

/// As packets of `probe` have it: two networks with one subnet are two wires.
#[test]
fn an_endpoint_of_another_network_with_the_same_subnet_is_not_found() {
    let documents = json!([
        network(POD, "L2Bridge", "10.1.0.0/24", json!([])),
        network(OTHER, "L2Bridge", "10.1.0.0/24", json!([])),
        endpoint("asker", OTHER, &["10.1.0.10"], json!([])),
        endpoint(
            "asked",
            POD,
            &["10.1.0.12"],
            json!([acl("In", "Block", "")])
        ),
    ]);
    let folder = listing("wires", documents);
    let page = page(&folder, "asker asked:80/tcp");
    assert_eq!(page["outcome"], "unreachable");
    let [note] = notes(&page)[..] else {
        panic!("{page}");
    };
    assert!(note.contains("asked") && note.contains("net1"), "{note}");
}

/// hns-behaviour 5.5 has HostRoute for the host and its containers on an overlay.
#[test]
fn an_overlay_without_a_host_route_has_a_note_both_ways() {
    let route = json!([{"Type": "HostRoute", "Settings": {}}]);
    for (policies, count) in [(json!([]), 1), (route, 0)] {
        let folder = listing(
            &format!("route{count}"),
            json!([
                network(POD, "Overlay", "10.50.0.0/24", policies),
                endpoint("one", POD, &["10.50.0.11"], json!([])),
            ]),
        );
        for question in ["host one:80/tcp", "one host:80/tcp"] {
            let page = page(&folder, question);
            assert_eq!(page["allowed"], true);
            let about = notes(&page);
            let about: Vec<&&str> = about
                .iter()
                .filter(|note| note.contains("HostRoute"))
                .collect();
            assert_eq!(about.len(), count, "{page}");
        }
    }
}

fn service(flags: u32, vip: &str, backends: &[&Value]) -> Value {
    let backends: Vec<&Value> = backends.iter().map(|backend| &backend["ID"]).collect();
    json!({"ID": "c0000001-0000-4000-8000-000000000000", "Name": "svc", "SchemaVersion": {"Major": 2, "Minor": 0}, "HostComputeEndpoints": backends,
        "FrontendVIPs": [vip], "Flags": flags, "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]})
}

/// hns-behaviour 4.8: a container needs a policy to reach itself by its service; 5.5: Destinations are what it is for.
#[test]
fn a_backend_that_asks_its_own_service_directly_is_told_what_that_needs() {
    let looped = json!([{"Type": "OutBoundNAT", "Settings": {"Destinations": ["10.1.0.10"]}}]);
    for (name, policies, flags, count) in [
        ("bare", json!([]), 1, 1),
        ("looped", looped, 1, 0),
        // The host translates, source and all.
        ("plain", json!([]), 0, 0),
    ] {
        let one = endpoint("one", POD, &["10.1.0.10"], policies);
        let two = endpoint("two", POD, &["10.1.0.11"], json!([]));
        let service = service(flags, "10.96.0.1", &[&one, &two]);
        let subnet = network(POD, "L2Bridge", "10.1.0.0/24", json!([]));
        let folder = listing(name, json!([subnet, one, two, service]));
        let page = page(&folder, "one svc:443/tcp");
        assert_eq!(notes(&page).len(), count, "{name}: {page}");
    }
}

/// Who has an address sends from it, whatever a load balancer does with what is sent to it.
#[test]
fn an_address_that_is_somebodys_and_a_services_may_send() {
    let managed =
        json!([{"Type": "ProviderAddress", "Settings": {"ProviderAddress": "192.168.7.4"}}]);
    for (vip, from) in [
        ("192.168.7.4", Some("the host")),
        ("10.1.0.10", Some("one")),
        ("10.96.0.1", None),
    ] {
        let one = endpoint("one", POD, &["10.1.0.10"], json!([]));
        let two = endpoint("two", POD, &["10.1.0.11"], json!([]));
        let service = service(0, vip, &[&two]);
        let subnet = network(POD, "L2Bridge", "10.1.0.0/24", managed.clone());
        let folder = listing(&format!("vip{vip}"), json!([subnet, one, two, service]));
        let question = format!("{vip} two:80/tcp");
        match from {
            Some(from) => {
                let page = page(&folder, &question);
                let told = page["from"].as_str().unwrap();
                assert!(told.starts_with(from), "{told}");
                assert_eq!(page["flow"]["source"], vip);
                assert_eq!(page["outcome"], "arrives");
            }
            None => assert_eq!(
                folder.code(&format!("can {question} --of all.json")),
                Some(2)
            ),
        }
    }
}

#[test]
fn dual_stack_endpoints_are_told_where_the_other_family_fares_otherwise() {
    let six = |action| {
        json!([
            acl("In", action, "fd00:1::/64"),
            acl("In", "Allow", "10.0.0.0/8")
        ])
    };
    for (name, policies, differs) in [
        ("six-blocked", six("Block"), true),
        ("six-allowed", six("Allow"), false),
    ] {
        let folder = listing(
            name,
            json!([
                network(POD, "L2Bridge", "10.1.0.0/24", json!([])),
                endpoint("one", POD, &["10.1.0.10", "fd00:1::10"], json!([])),
                endpoint("two", POD, &["10.1.0.11", "fd00:1::11"], policies),
                endpoint("four", POD, &["10.1.0.12"], json!([])),
            ]),
        );
        let page = page(&folder, "one two:80/tcp");
        let other = &page["otherFamily"];
        assert_eq!(
            (&page["allowed"], &other["allowed"]),
            (&true.into(), &(!differs).into())
        );
        assert_eq!(
            (&other["flow"]["source"], &other["flow"]["destination"]),
            (&"fd00:1::10".into(), &"fd00:1::11".into())
        );
        let line = folder.run("can one two:80/tcp --of all.json");
        let line = String::from_utf8(line.stdout).unwrap();
        assert_eq!(line.contains("over IPv6 blocked: "), differs, "{line}");
        // An address is of one family, and so is an endpoint that has no other one.
        for question in ["one 10.1.0.11:80/tcp", "one four:80/tcp"] {
            let page = folder.json(&format!("why {question} --of all.json -o json"));
            assert_eq!(page["otherFamily"], Value::Null, "{question}");
        }
    }
}

#[test]
fn of_a_file_without_networks_only_rules_are_said_to_be_known() {
    let one = endpoint("one", POD, &["10.1.0.10"], json!([]));
    let two = endpoint("two", POD, &["10.1.0.11"], json!([acl("In", "Block", "")]));
    let folder = listing("bare-endpoints", json!([one, two]));
    let page = page(&folder, "one two:80/tcp");
    assert_eq!(page["outcome"], "dropped");
    let [note] = notes(&page)[..] else {
        panic!("{page}");
    };
    assert!(note.contains("only what rules say is known"), "{note}");
    let text = folder.run("why one two:80/tcp --of all.json");
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("network a0000001\n"), "{text}");
}

/// The host is asked for at one address by all, and the one who asks is told which.
#[test]
fn the_host_is_one_address_for_can_and_for_probe() {
    let folder = super::scene("host");
    // Of the bridge, that of the machine beyond it; the network of the sender is not asked about by others.
    let networks = folder.json("get networks -o json");
    let all = networks.as_array().unwrap().iter();
    let mut lan = all.filter(|network| network["Name"] == "lan");
    let management = &lan.next().unwrap()["Policies"][0]["Settings"]["ProviderAddress"];
    let told = |line: &str| folder.json(line);
    for (line, beside) in [
        ("why pod host:8080/tcp -o json", "172.20.0.1"),
        ("why 203.0.113.9 host:8080/tcp -o json", "172.20.0.1"),
    ] {
        let page = told(line);
        assert_eq!(&page["flow"]["destination"], management, "{line}");
        let [note] = notes(&page)[..] else {
            panic!("{page}");
        };
        assert!(note.contains(beside), "{note}");
    }
    let probed = told("probe pod host:8080/tcp -o json");
    let place = format!("{}:8080/tcp", management.as_str().unwrap());
    assert_eq!(probed["destination"], place.as_str());
    assert_eq!(probed["outcome"], "answered");
    let gateway = told("why client host:8080/tcp -o json");
    assert_eq!(gateway["flow"]["destination"], "172.20.0.1");
    let probed = told("probe client host:8080/tcp -o json");
    assert_eq!(probed["destination"], "172.20.0.1:8080/tcp");
}

#[test]
fn what_is_counted_and_not_listed_is_said_to_be_more() {
    let rule = |port: u16| {
        json!({"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Protocols": "6",
        "LocalPorts": port.to_string(), "Priority": 10}})
    };
    let weak = || json!({"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 200}});
    let policies = json!([
        rule(1),
        rule(2),
        rule(3),
        rule(4),
        rule(5),
        acl("In", "Allow", ""),
        weak(),
        weak(),
        weak(),
        weak()
    ]);
    let folder = listing(
        "more",
        json!([
            network(POD, "L2Bridge", "10.1.0.0/24", json!([])),
            endpoint("one", POD, &["10.1.0.10"], json!([])),
            endpoint("two", POD, &["10.1.0.11"], policies),
        ]),
    );
    let text = folder.run("why one two:80/tcp --of all.json");
    let text = String::from_utf8(text.stdout).unwrap();
    let more: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(" more"))
        .collect();
    // Three of each sort are listed: of five stronger rules, and of four weaker ones.
    assert_eq!(more, ["2 more", "1 more"], "{text}");
}

/// Services of one name: at one virtual address they are one that is asked about, at several nobody can tell which.
#[test]
fn a_name_of_several_load_balancers_is_asked_about_where_they_share_an_address() {
    let balancer = |number: u32, vip: &str, port: u16, backend: &Value| {
        json!({"ID": format!("c000000{number}-0000-4000-8000-000000000000"), "Name": "web", "SchemaVersion": {"Major": 2, "Minor": 0},
            "HostComputeEndpoints": [backend["ID"]], "FrontendVIPs": [vip],
            "PortMappings": [{"Protocol": 6, "ExternalPort": port, "InternalPort": 8080}]})
    };
    let client = endpoint("client", POD, &["10.50.0.11"], json!([]));
    let backend = endpoint("backend", POD, &["10.50.0.12"], json!([]));
    let scene = |second: &str| {
        json!([
            network(POD, "L2Bridge", "10.50.0.0/24", json!([])),
            client,
            backend,
            balancer(1, "10.96.0.10", 80, &backend),
            balancer(2, second, 81, &backend),
        ])
    };
    let one = listing("one-vip", scene("10.96.0.10"));
    assert_eq!(page(&one, "client web:81/tcp")["allowed"], true);
    let two = listing("two-vips", scene("10.96.0.11"));
    let output = two.run("can client web:81/tcp --of all.json");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("names 2 load balancers") && said.contains("10.96.0.11"),
        "{said}"
    );
}

/// hns-behaviour 2.15: what v1 lists as a policy list is a load balancer, in a dump too.
#[test]
fn a_policy_list_of_a_v1_dump_serves_its_virtual_address() {
    let backend = "b0000002-0000-4000-8000-000000000000";
    let folder = listing(
        "policy-list",
        json!([
            {"ID": POD, "Name": "lan", "Type": "l2bridge", "Subnets": [{"AddressPrefix": "10.50.0.0/24", "GatewayAddress": "10.50.0.1"}]},
            {"ID": "b0000001-0000-4000-8000-000000000000", "Name": "client", "VirtualNetwork": POD, "IPAddress": "10.50.0.11",
                "PrefixLength": 24, "GatewayAddress": "10.50.0.1", "Policies": []},
            {"ID": backend, "Name": "backend", "VirtualNetwork": POD, "IPAddress": "10.50.0.12",
                "PrefixLength": 24, "GatewayAddress": "10.50.0.1", "Policies": []},
            {"ID": "c0000001-0000-4000-8000-000000000000", "IsApplied": false, "References": [format!("/endpoints/{backend}")],
                "Policies": [{"Type": "ELB", "Protocol": 6, "InternalPort": 8080, "ExternalPort": 80, "VIPs": ["10.96.0.10"]}]},
        ]),
    );
    let page = page(&folder, "client 10.96.0.10:80/tcp");
    assert_eq!(page["allowed"], true);
    let text = folder.run("why client 10.96.0.10:80/tcp --of all.json");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("backend") && text.contains("10.50.0.12"),
        "{text}"
    );
    assert_eq!(
        folder.code("can client 10.96.0.10:81/tcp --of all.json"),
        Some(1)
    );
}
