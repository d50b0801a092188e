// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goldens of every table, rows taken from documents where there are documents.

use hcn_schema::{Document, Endpoint, Namespace, Network};
use serde_json::json;

use super::*;

fn endpoint() -> Endpoint {
    Endpoint::from_value(&json!({
        "ID": "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B",
        "Name": "web",
        "State": 2,
        "HostComputeNetwork": "9A1B2C3D-0000-4000-8000-000000000001",
        "HostComputeNamespace": "7C6D5E4F-0000-4000-8000-000000000002",
        "Policies": [
            {"Type": "ACL", "Settings": {
                "Protocols": "6", "Action": "Block", "Direction": "In", "LocalAddresses": "172.20.0.7", "LocalPorts": "80",
                "Priority": 100, "Scope": 0
            }},
            {"Type": "acl", "Settings": {
                "Action": "Allow", "Direction": "Out", "RemoteAddresses": "fd00::/64", "RemotePorts": "443,8443", "Protocols": "6,17",
                "Priority": 65000, "RuleType": "Host", "Id": "out"
            }},
            {"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080, "Flags": 1}},
            {"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8"]}},
            {"Type": "TierAcl", "Settings": {"Name": "base", "Direction": "In", "Order": 1001, "TierAclRules": [
                {"TierAclRuleAction": "Pass", "Protocols": "17", "LocalPorts": "53", "Priority": 2000}
            ]}}
        ],
        "IpConfigurations": [{"IpAddress": "172.20.0.7", "PrefixLength": 20}, {"IpAddress": "fd00::7", "PrefixLength": 64}],
        "MacAddress": "00-15-5D-01-02-03",
        "Flags": 10
    }))
    .unwrap()
}

fn network() -> Network {
    Network::from_value(&json!({
        "ID": "9A1B2C3D-0000-4000-8000-000000000001",
        "Name": "nat",
        "Version": 64_424_509_440u64,
        "Policies": [
            {"Type": "NetworkACL", "Settings": {"Action": "Block", "Direction": "In", "Protocols": "1", "Priority": 7}},
            {"Type": "HostRoute", "Settings": {}}
        ],
        "MacPool": {"Ranges": [{"StartMacAddress": "00-15-5D-01-00-00", "EndMacAddress": "00-15-5D-01-0F-FF"}]},
        "Dns": {"ServerList": ["172.20.0.1", "168.63.129.16"]},
        "Ipams": [{"Subnets": [{
            "IpAddressPrefix": "172.20.0.0/20",
            "Routes": [
                {"NextHop": "172.20.0.9", "DestinationPrefix": "10.0.0.0/8"},
                {"NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0"}
            ]
        }]}],
        "Flags": 8
    }))
    .unwrap()
}

#[test]
fn endpoints_at_a_glance_and_in_full() {
    let bare = Endpoint::from_value(&json!({
        "ID": "11111111-2222-4333-8444-555555555555", "State": "lost", "HostComputeNetwork": "9a1b2c3d-0000-4000-8000-000000000009",
        "HostComputeNamespace": "00000000-0000-0000-0000-000000000000"
    }))
    .unwrap();
    let name = |id: &hcn_schema::Id| {
        (id.0 == "9A1B2C3D-0000-4000-8000-000000000001").then(|| "nat".to_owned())
    };
    let rows = [
        EndpointRow::of(&endpoint(), name),
        EndpointRow::of(&bare, name),
    ];
    assert_eq!(
        endpoints(&rows, Columns::Table),
        "\
ID        NAME  NETWORK                               ADDRESS             MAC                STATE     POLICIES
5B0D3C1E  web   nat                                   172.20.0.7,fd00::7  00-15-5D-01-02-03  Attached  5
11111111  -     9a1b2c3d-0000-4000-8000-000000000009  -                   -                  lost      0
"
    );
    assert_eq!(
        endpoints(&rows[..1], Columns::Wide),
        "\
ID                                    NAME  NETWORK  ADDRESS             MAC                STATE     POLICIES  \
NAMESPACE                             FLAGS
5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B  web   nat      172.20.0.7,fd00::7  00-15-5D-01-02-03  Attached  5         \
7C6D5E4F-0000-4000-8000-000000000002  DisableInterComputeCommunication,EnableLowInterfaceMetric
"
    );
    assert_eq!(
        endpoints(&[], Columns::Table),
        "ID  NAME  NETWORK  ADDRESS  MAC  STATE  POLICIES\n"
    );
}

#[test]
fn a_name_is_one_line_and_does_not_push_the_table_apart() {
    let row = |name: &str| EndpointRow {
        id: "x".to_owned(),
        name: name.to_owned(),
        ..EndpointRow::default()
    };
    let long = "2bd756dfe237f4b71d924c093ebca042c97e9cad9317c24c4be1f1462a96bac5";
    let text = endpoints(&[row("two\nlines"), row(long)], Columns::Table);
    assert_eq!(
        text,
        "\
ID  NAME                                      NETWORK  ADDRESS  MAC  STATE  POLICIES
x   two\\nlines                                -        -        -    -      0
x   2bd756dfe237f4b71d924c093ebca042c97e9ca…  -        -        -    -      0
"
    );
    assert!(endpoints(&[row(long)], Columns::Wide).contains(long));
    let longest = "n".repeat(10_000);
    assert!(endpoints(&[row(&longest)], Columns::Wide).contains(&longest));
}

#[test]
fn a_cell_too_long_for_a_table_is_cut_and_the_row_is_still_one_line() {
    // More than 65,535 characters: a rule with 8,000 addresses.
    let rows = [PolicyRow {
        remote: "10.0.0.1,".repeat(8000),
        ..PolicyRow::default()
    }];
    let text = policies(&rows, Columns::Wide, false);
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains('…'));
}

#[test]
fn networks_at_a_glance_and_in_full() {
    let rows = [NetworkRow::of(&network(), 2)];
    assert_eq!(
        networks(&rows, Columns::Table),
        "\
ID        NAME  TYPE  SUBNET         GATEWAY     ENDPOINTS
9A1B2C3D  nat   NAT   172.20.0.0/20  172.20.0.1  2
"
    );
    assert_eq!(
        networks(&rows, Columns::Wide),
        "\
ID                                    NAME  TYPE  SUBNET         GATEWAY     ENDPOINTS  MAC RANGE                             \
DNS                       FLAGS                VERSION
9A1B2C3D-0000-4000-8000-000000000001  nat   NAT   172.20.0.0/20  172.20.0.1  2          00-15-5D-01-00-00..00-15-5D-01-0F-FF  \
172.20.0.1,168.63.129.16  EnableNonPersistent  15.0
"
    );
}

#[test]
fn namespaces_with_their_members() {
    let namespace = Namespace::from_value(&json!({
        "ID": "7C6D5E4F-0000-4000-8000-000000000002",
        "NamespaceId": 3,
        "Resources": [
            {"Type": "Endpoint", "Data": {"Id": "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B"}},
            {"Type": "Container", "Data": {"Id": "49c836b9725e69736157"}}
        ]
    }))
    .unwrap();
    let rows = [NamespaceRow::of(&namespace)];
    assert_eq!(
        namespaces(&rows, Columns::Table),
        "\
ID        COMPARTMENT  TYPE  ENDPOINTS  CONTAINERS
7C6D5E4F  3            Host  5B0D3C1E   49c836b9
"
    );
    assert_eq!(
        namespaces(&rows, Columns::Wide),
        "\
ID                                    COMPARTMENT  TYPE  ENDPOINTS                             CONTAINERS
7C6D5E4F-0000-4000-8000-000000000002  3            Host  5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B  49c836b9725e69736157
"
    );
}

#[test]
fn policies_of_endpoints_and_networks() {
    let rows = [
        PolicyRow::of_endpoint(&endpoint()),
        PolicyRow::of_network(&network()),
    ]
    .concat();
    assert_eq!(
        policies(&rows, Columns::Table, true),
        "\
OWNER                  #    TYPE         ACTION  DIRECTION  PROTOCOL  LOCAL          REMOTE                PRIORITY  ID
endpoint 5B0D3C1E web  0    ACL          Block   In         tcp       172.20.0.7:80  *                     100       -
endpoint 5B0D3C1E web  1    acl          Allow   Out        tcp,udp   *              [fd00::/64]:443,8443  65000     out
endpoint 5B0D3C1E web  2    PortMapping  -       -          tcp       8080->80       -                     -         -
endpoint 5B0D3C1E web  3    OutBoundNAT  -       -          -         -              -                     -         -
endpoint 5B0D3C1E web  4    TierAcl      -       In         -         -              -                     1001      base
endpoint 5B0D3C1E web  4.0  TierAclRule  Pass    In         udp       *:53           *                     2000      -
network 9A1B2C3D nat   0    NetworkACL   Block   In         icmp      *              *                     7         -
network 9A1B2C3D nat   1    HostRoute    -       -          -         -              -                     -         -
"
    );
    assert_eq!(
        policies(&rows[1..4], Columns::Wide, false),
        "\
#  TYPE         ACTION  DIRECTION  PROTOCOL  LOCAL     REMOTE                PRIORITY  ID   RULE TYPE  SETTINGS
1  acl          Allow   Out        tcp,udp   *         [fd00::/64]:443,8443  65000     out  Host       -
2  PortMapping  -       -          tcp       8080->80  -                     -         -    -          LocalRoutedVip
3  OutBoundNAT  -       -          -         -         -                     -         -    -          Exceptions=[\"10.0.0.0/8\"]
"
    );
}

#[test]
fn containers_as_ps_lists_them() {
    let rows = [ContainerRow {
        id: "49c836b9725e69736157468f33b2a41b".to_owned(),
        name: "nginx".to_owned(),
        endpoint: "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B".to_owned(),
        network: "nat".to_owned(),
        addresses: vec!["172.20.0.7".to_owned()],
        listeners: vec!["80/tcp".to_owned(), "53/udp".to_owned()],
        namespace: "7C6D5E4F-0000-4000-8000-000000000002".to_owned(),
    }];
    assert_eq!(
        containers(&rows, Columns::Table),
        "\
ID        NAME   NETWORK  ADDRESS     LISTENS        ENDPOINT
49c836b9  nginx  nat      172.20.0.7  80/tcp,53/udp  5B0D3C1E
"
    );
    assert_eq!(
        containers(&rows, Columns::Wide),
        "\
ID                                NAME   NETWORK  ADDRESS     LISTENS        ENDPOINT                              NAMESPACE
49c836b9725e69736157468f33b2a41b  nginx  nat      172.20.0.7  80/tcp,53/udp  5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B  \
7C6D5E4F-0000-4000-8000-000000000002
"
    );
}

#[test]
fn history_line_by_line() {
    let rows = [HistoryRow {
        number: 12,
        time: "2026-01-02 03:04:05Z".to_owned(),
        operation: "modify".to_owned(),
        kind: "endpoint".to_owned(),
        id: "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B".to_owned(),
        name: "nginx".to_owned(),
        actor: "hcnctl acl clear nginx".to_owned(),
        request: r#"{"RequestType":"Update"}"#.to_owned(),
    }];
    assert_eq!(
        history(&rows, Columns::Table),
        "\
MOMENT  TIME                  OPERATION  KIND      ID        NAME   BY
@12     2026-01-02 03:04:05Z  modify     endpoint  5B0D3C1E  nginx  hcnctl acl clear nginx
"
    );
    assert_eq!(
        history(&rows, Columns::Wide),
        "\
MOMENT  TIME                  OPERATION  KIND      ID                                    NAME   BY                      REQUEST
@12     2026-01-02 03:04:05Z  modify     endpoint  5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B  nginx  hcnctl acl clear nginx  {\"RequestType\":\"Update\"}
"
    );
}
