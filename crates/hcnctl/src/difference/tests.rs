// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk-through's comparison, recorded listings that differ in what the index says they do, and one case a rule of comparing.

use serde_json::json;

use super::*;
use crate::{
    listing::{self, of_values},
    render::list::list,
};

fn rules(action: &str, twice: bool) -> Value {
    let rules = [
        json!({
            "Action": action, "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100,
            "Protocols": "6", "Scope": 0, "Type": "ACL"
        }),
        json!({"Action": action, "Direction": "Out", "Priority": 100, "Protocols": "6", "Scope": 0, "Type": "ACL"}),
    ];
    if twice {
        [rules.clone(), rules].concat().into()
    } else {
        rules.to_vec().into()
    }
}

fn endpoint(order: u32, state: u16, policies: Option<Value>) -> Value {
    let mut endpoint = json!({
        "ID": "edffc876-3051-46ec-80b3-820dda20aa14", "Name": "nginx", "Version": 64_424_509_440u64,
        "Resources": {"AllocationOrder": order, "Health": {"LastErrorCode": 0}}, "State": state,
        "VirtualNetwork": "625d8985-3f12-469e-a98d-2baac83dee45", "MacAddress": "00-15-5D-90-AD-7C",
        "IPAddress": "172.19.6.74", "PrefixLength": 20, "GatewayAddress": "172.19.0.1", "SharedContainers": ["49c836b9"]
    });
    if let Some(policies) = policies {
        endpoint["Policies"] = policies;
    }
    endpoint
}

fn between(before: Value, after: Value) -> Difference {
    compare(
        &of_values([before]),
        &of_values([after]),
        Options::default(),
    )
}

#[test]
fn the_walk_through_in_three_listings() {
    let fresh = endpoint(3, 1, None);
    let blocked = endpoint(6, 2, Some(rules("Block", true)));
    let allowed = endpoint(7, 2, Some(rules("Allow", false)));

    let difference = between(fresh, blocked.clone());
    assert_eq!(
        difference.text(),
        "\
endpoint EDFFC876 nginx: State: 1 -> 2
endpoint EDFFC876 nginx: Policies: + Block In tcp to local 172.19.6.74 port 80, priority 100 (x2)
endpoint EDFFC876 nginx: Policies: + Block Out tcp, priority 100 (x2)
"
    );
    assert!(difference.is_different());

    let difference = between(blocked.clone(), allowed.clone());
    assert_eq!(
        difference.text(),
        "\
endpoint EDFFC876 nginx: Policies: - Block In tcp to local 172.19.6.74 port 80, priority 100 (x2)
endpoint EDFFC876 nginx: Policies: - Block Out tcp, priority 100 (x2)
endpoint EDFFC876 nginx: Policies: + Allow In tcp to local 172.19.6.74 port 80, priority 100
endpoint EDFFC876 nginx: Policies: + Allow Out tcp, priority 100
"
    );
    assert_eq!(
        difference.json()[5],
        json!({
            "object": "endpoint EDFFC876 nginx",
            "id": "edffc876-3051-46ec-80b3-820dda20aa14",
            "pointer": "/Policies/1",
            "change": "added",
            "before": null,
            "after": {"Action": "Allow", "Direction": "Out", "Priority": 100, "Protocols": "6", "Scope": 0, "Type": "ACL"}
        })
    );
    assert_eq!(difference.json().as_array().unwrap().len(), 6);

    let all = compare(
        &of_values([blocked.clone()]),
        &of_values([allowed]),
        Options { all: true },
    );
    assert_eq!(
        all.text().lines().next(),
        Some("endpoint EDFFC876 nginx: Resources/AllocationOrder: 6 -> 7")
    );

    let same = between(blocked.clone(), blocked);
    assert_eq!(same.text(), "no difference\n");
    assert_eq!(same.json(), json!([]));
    assert!(!same.is_different());
}

#[test]
fn objects_that_come_and_go_are_named() {
    let before = of_values([
        json!({"ID": "AAAAAAAA-0000-4000-8000-000000000001", "Name": "Ethernet", "MacAddress": "m"}),
        json!({"Name": "nat", "Subnets": []}),
    ]);
    let after = of_values([
        json!({"ID": "BBBBBBBB-0000-4000-8000-000000000002", "Name": "Ethernet", "MacAddress": "m"}),
        json!({"ID": "CCCCCCCC-0000-4000-8000-000000000003", "Name": "nat", "Subnets": []}),
    ]);
    let difference = compare(&before, &after, Options::default());
    // Two endpoints of one name are two, because both have ids; the network without an id is the one of its name.
    assert_eq!(
        difference.text(),
        "\
endpoint AAAAAAAA Ethernet: - only in the first listing
network CCCCCCCC nat: ID: (absent) -> CCCCCCCC-0000-4000-8000-000000000003
endpoint BBBBBBBB Ethernet: + only in the second listing
"
    );
    assert_eq!(difference.json()[0]["pointer"], "");
    assert_eq!(difference.json()[2]["after"]["Name"], "Ethernet");
}

#[test]
fn the_same_said_otherwise_is_no_difference() {
    let before = json!({
        "ID": "edffc876-3051-46ec-80b3-820dda20aa14", "policies": [{"Type": "ACL", "Settings": {"Protocols": "6", "Priority": 1}}],
        "State": 2, "HostComputeNetwork": "625d8985-3f12-469e-a98d-2baac83dee45", "Flags": null, "Dns": {}
    });
    let after = json!({
        "ID": "EDFFC876-3051-46EC-80B3-820DDA20AA14", "State": "2", "Owner": "", "Routes": [],
        "Policies": [{"Type": "acl", "Settings": {"priority": "1", "Protocols": 6, "LocalPorts": "", "Scope": 0}}],
        "HostComputeNetwork": "625D8985-3F12-469E-A98D-2BAAC83DEE45"
    });
    assert_eq!(between(before, after).text(), "no difference\n");
}

#[test]
fn order_is_told_apart_from_content() {
    let with = |policies: Value, servers: Value| json!({"ID": "x", "MacAddress": "m", "Policies": policies, "Dns": {"ServerList": servers}});
    let before = with(
        json!([{"Type": "L2Driver"}, {"Type": "PA", "PA": "1"}]),
        json!(["a", "b"]),
    );
    let after = with(
        json!([{"Type": "PA", "PA": "1"}, {"Type": "L2Driver"}]),
        json!(["b", "a"]),
    );
    let difference = between(before, after);
    assert_eq!(
        difference.text(),
        "\
endpoint X: Policies: the same items in another order
endpoint X: Dns/ServerList: the same items in another order
"
    );
    assert_eq!(difference.json()[1]["change"], "reordered");
    assert_eq!(difference.json()[1]["before"], json!(["a", "b"]));
}

#[test]
fn lists_are_matched_by_id_then_by_place_then_by_content() {
    let before = json!({
        "ID": "n",
        "Subnets": [{"ID": "s1", "GatewayAddress": "10.0.0.1"}, {"ID": "s2", "GatewayAddress": "10.1.0.1"}],
        "MacPools": [{"StartMacAddress": "a"}],
        "Routes": [{"NextHop": "r"}],
        "A/B": {"c~d": 1}
    });
    let after = json!({
        "ID": "n",
        "Subnets": [{"ID": "s3"}, {"ID": "s2", "GatewayAddress": "10.1.0.2"}],
        "MacPools": [{"StartMacAddress": "b"}],
        "Routes": [{"NextHop": "q"}, {"NextHop": "r"}],
        "A/B": {"c~d": 2}
    });
    let difference = between(before, after);
    assert_eq!(
        difference.text(),
        "\
network N: Subnets: - {\"ID\":\"s1\",\"GatewayAddress\":\"10.0.0.1\"}
network N: Subnets/1/GatewayAddress: 10.1.0.1 -> 10.1.0.2
network N: Subnets: + {\"ID\":\"s3\"}
network N: MacPools/0/StartMacAddress: a -> b
network N: Routes: + {\"NextHop\":\"q\"}
network N: A/B/c~d: 1 -> 2
"
    );
    assert_eq!(difference.json()[5]["pointer"], "/A~1B/c~0d");
}

#[test]
fn a_listing_compares_with_its_own_format_list() {
    let full = json!({
        "ID": "edffc876-3051-46ec-80b3-820dda20aa14", "Name": "nginx", "MacAddress": "m",
        "Resources": {"Allocators": [{"Tag": "x"}], "Health": {"LastErrorCode": 0}, "State": 1},
        "Policies": [{"Type": "OutBoundNAT", "ExceptionList": ["10.0.0.0/8"]}, {"Type": "L2Driver"}],
        "Namespace": {"ID": "n", "CompartmentGuid": {"a": 1}}
    });
    let text = list(std::slice::from_ref(&full), Some(100));
    let shown = listing::read(&text).unwrap();
    let full = of_values([full]);
    for all in [false, true] {
        let options = Options { all };
        assert_eq!(compare(&full, &shown, options).text(), "no difference\n");
        assert_eq!(compare(&shown, &full, options).text(), "no difference\n");
    }
}

#[test]
fn what_powershell_cut_off_is_not_called_missing() {
    let capture =
        "ID : e\nMacAddress : m\nPolicies : {@{Type=A}, @{Type=B}, @{Type=C}, @{Type=D}...}\n";
    let before = listing::read(capture).unwrap();
    let after = of_values([json!({
        "ID": "e", "MacAddress": "m", "Policies": [{"Type": "A"}, {"Type": "B"}, {"Type": "C"}, {"Type": "E"}, {"Type": "F"}]
    })]);
    assert_eq!(
        compare(&before, &after, Options::default()).text(),
        "\
endpoint E: Policies: - D
note: endpoint E: Policies: PowerShell cut the list after its first items; compared is what it shows
"
    );
    assert_eq!(
        compare(&after, &before, Options::default()).text(),
        "\
endpoint E: Policies: + D
note: endpoint E: Policies: PowerShell cut the list after its first items; compared is what it shows
"
    );
}

#[test]
fn a_v1_listing_compares_with_a_v2_document() {
    let v2 = |action: &str, address: &str| {
        json!({
            "ID": "EDFFC876-3051-46EC-80B3-820DDA20AA14", "Name": "nginx", "State": 2, "Flags": 8, "Version": 64_424_509_440u64,
            "HostComputeNetwork": "625D8985-3F12-469E-A98D-2BAAC83DEE45", "MacAddress": "00-15-5D-90-AD-7C",
            "IpConfigurations": [{"IpAddress": address, "PrefixLength": 20}],
            "Routes": [{"NextHop": "172.19.0.1", "DestinationPrefix": "0.0.0.0/0"}],
            "Policies": [
                {"Type": "ACL", "Settings": {
                    "Action": action, "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100,
                    "Protocols": "6"
                }},
                {"Type": "ACL", "Settings": {"Action": action, "Direction": "Out", "Priority": 100, "Protocols": "6"}},
                {"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080}}
            ],
            "SchemaVersion": {"Major": 2, "Minor": 0}
        })
    };
    let v1 = endpoint(7, 2, Some(rules("Allow", false)));
    let note = "note: endpoint EDFFC876 nginx: one listing has it in the v1 shape and the other in v2; compared is what both hold\n";
    assert_eq!(
        between(v1.clone(), v2("Allow", "172.19.6.74")).text(),
        format!("no difference\n{note}")
    );
    let expected = "\
endpoint EDFFC876 nginx: Policies: - Allow Out tcp, priority 100
endpoint EDFFC876 nginx: Policies: + Block Out tcp, priority 100
";
    let text = between(v1, v2("Block", "172.19.6.75")).text();
    for line in expected.lines() {
        assert!(text.contains(line), "{text}");
    }
    assert!(
        text.contains("IPAddress: 172.19.6.74 -> 172.19.6.75"),
        "{text}"
    );
}

#[test]
fn recorded_listings_differ_in_what_happened_between_them() {
    let Some(corpus) =
        testkit::corpus_or_skip("recorded_listings_differ_in_what_happened_between_them")
    else {
        return;
    };
    let read = |file: &str| {
        let bytes = std::fs::read(corpus.join("psobject").join(file)).unwrap();
        listing::read(&listing::decode(&bytes).unwrap()).unwrap()
    };
    let lines =
        |before: &str, after: &str| compare(&read(before), &read(after), Options::default()).text();
    // One container was started.
    assert_eq!(
        lines("06-nat-empty.txt", "07-nat-one-container.txt"),
        "\
network 0F82BC87 nat: CurrentEndpointCount: 0 -> 1
network 0F82BC87 nat: MaxConcurrentEndpoints: 0 -> 1
network 0F82BC87 nat: TotalEndpoints: 0 -> 1
"
    );
    // A third container was started and the other network removed.
    assert_eq!(
        lines(
            "10-nat-two-containers-and-l2bridge.txt",
            "11-nat-after-l2bridge-removed.txt"
        ),
        "\
network 0F82BC87 nat: CurrentEndpointCount: 2 -> 3
network 0F82BC87 nat: MaxConcurrentEndpoints: 2 -> 3
network 0F82BC87 nat: TotalEndpoints: 2 -> 3
network 544A3CAB External: - only in the first listing
"
    );
    // The walk-through's block, and its allow.
    assert_eq!(
        lines("02-seed-after-block.txt", "03-seed-after-allow.txt"),
        "\
object EDFFC876: Policies: - Block In tcp to local 172.19.6.74 port 80, priority 100 (x2)
object EDFFC876: Policies: - Block Out tcp, priority 100 (x2)
object EDFFC876: Policies: + Allow In tcp to local 172.19.6.74 port 80, priority 100
object EDFFC876: Policies: + Allow Out tcp, priority 100
"
    );
    for entry in std::fs::read_dir(corpus.join("psobject")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let text = lines(&name, &name);
        assert!(text.starts_with("no difference\n"), "{name}: {text}");
    }
}
