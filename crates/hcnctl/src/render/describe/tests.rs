// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goldens of every page.

use hcn_schema::{Endpoint, Namespace, Network};
use serde_json::json;

use super::*;

#[test]
fn page_of_an_endpoint_with_rules() {
    let document = Endpoint::from_value(&json!({
        "ID": "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B",
        "Name": "web",
        "Version": 64_424_509_440u64,
        "State": 2,
        "HostComputeNetwork": "9A1B2C3D-0000-4000-8000-000000000001",
        "HostComputeNamespace": "7C6D5E4F-0000-4000-8000-000000000002",
        "Policies": [
            {"Type": "OutBoundNAT", "Settings": {}},
            {"Type": "ACL", "Settings": {
                "Protocols": "6", "Action": "Block", "Direction": "In", "LocalAddresses": "172.20.0.7", "LocalPorts": "80",
                "Priority": 100, "Scope": 0
            }}
        ],
        "IpConfigurations": [{"IpAddress": "172.20.0.7", "PrefixLength": 20, "IpSubnetId": "35F30E75-0000-4000-8000-000000000003"}],
        "Dns": {"Domain": "corp.example", "Search": ["a.example", "b.example"], "ServerList": ["172.20.0.1", "168.63.129.16"]},
        "Routes": [{"NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0", "Metric": 0}],
        "MacAddress": "00-15-5D-01-02-03",
        "Flags": 8,
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Health": {},
        "Surprise": {"a": 1}
    }))
    .unwrap();
    let listeners = ["80/tcp".to_owned()];
    let page = endpoint(&EndpointPage {
        endpoint: &document,
        network: Some("nat"),
        container: Some("nginx"),
        listeners: Some(&listeners),
    });
    let expected = "\
Name:       web
ID:         5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B
Network:    nat (9A1B2C3D-0000-4000-8000-000000000001)
Namespace:  7C6D5E4F-0000-4000-8000-000000000002
Container:  nginx
State:      Attached (2)
MAC:        00-15-5D-01-02-03
Flags:      EnableLowInterfaceMetric
Version:    15.0
Listens:    80/tcp

Addresses:
  ADDRESS        SUBNET
  172.20.0.7/20  35F30E75-0000-4000-8000-000000000003

Routes:
  DESTINATION  NEXT HOP    METRIC
  0.0.0.0/0    172.20.0.1  0

DNS:
  Domain:   corp.example
  Servers:  172.20.0.1, 168.63.129.16
  Search:   a.example, b.example

Policies:
  #  TYPE         ACTION  DIRECTION  PROTOCOL  LOCAL          REMOTE  PRIORITY  ID  RULE TYPE  SETTINGS
  0  OutBoundNAT  -       -          -         -              -       -         -   -          -
  1  ACL          Block   In         tcp       172.20.0.7:80  *       100       -   -          -
  Note: With any ACL present, what no rule allows is dropped (default deny).

Other:
  Surprise:  {\"a\":1}
";
    assert_eq!(page, expected);
}

#[test]
fn page_of_an_endpoint_that_says_little_and_oddly() {
    let document = Endpoint::from_value(&json!({
        "ID": "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B", "Name": "x\u{1b}[2J", "State": "lost", "Policies": "none",
        "HostComputeNamespace": "00000000-0000-0000-0000-000000000000"
    }))
    .unwrap();
    let page = endpoint(&EndpointPage {
        endpoint: &document,
        network: None,
        container: None,
        listeners: Some(&[]),
    });
    let expected = "\
Name:       x\\u{1b}[2J
ID:         5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B
Namespace:  (none)
Listens:    (nothing)

Addresses:
  (none)

Routes:
  (none)

Policies:
  (none)

Unreadable:
  /State:     lost
  /Policies:  none
";
    assert_eq!(page, expected);
}

#[test]
fn page_of_a_network() {
    let document = Network::from_value(&json!({
        "ID": "9A1B2C3D-0000-4000-8000-000000000001",
        "Name": "nat",
        "Version": 38_654_705_667u64,
        "Type": "Overlay",
        "Policies": [{"Type": "NetworkACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 7}}],
        "MacPool": {"Ranges": [{"StartMacAddress": "00-15-5D-01-00-00", "EndMacAddress": "00-15-5D-01-0F-FF"}]},
        "Dns": {},
        "Ipams": [{"Type": "Static", "Subnets": [{
            "ID": "35F30E75-0000-4000-8000-000000000003",
            "IpAddressPrefix": "172.20.0.0/20",
            "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 4096}}],
            "Routes": [{"NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0"}],
            "IpSubnets": [{"IpAddressPrefix": "172.20.1.0/24"}]
        }]}],
        "Flags": 9
    }))
    .unwrap();
    let endpoints = [NetworkEndpoint {
        id: "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B".to_owned(),
        name: "web".to_owned(),
        addresses: vec!["172.20.1.7".to_owned()],
    }];
    let page = network(&NetworkPage {
        network: &document,
        endpoints: &endpoints,
    });
    let expected = "\
Name:       nat
ID:         9A1B2C3D-0000-4000-8000-000000000001
Type:       Overlay
Flags:      EnableDns, EnableNonPersistent
Version:    9.3
MAC range:  00-15-5D-01-00-00 to 00-15-5D-01-0F-FF

Subnets:
  SUBNET         RANGES         POLICIES               ID
  172.20.0.0/20  172.20.1.0/24  VSID IsolationId=4096  35F30E75-0000-4000-8000-000000000003

Routes:
  DESTINATION  NEXT HOP    METRIC
  0.0.0.0/0    172.20.0.1  -

Policies:
  #  TYPE        ACTION  DIRECTION  PROTOCOL  LOCAL  REMOTE  PRIORITY  ID  RULE TYPE  SETTINGS
  0  NetworkACL  Allow   In         any       *      *       7         -   -          -
  Note: With any ACL present, what no rule allows is dropped (default deny).

Endpoints:
  ID        NAME  ADDRESS
  5B0D3C1E  web   172.20.1.7
";
    assert_eq!(page, expected);
}

#[test]
fn page_of_a_namespace() {
    let document = Namespace::from_value(&json!({
        "ID": "7C6D5E4F-0000-4000-8000-000000000002",
        "NamespaceId": 3,
        "NamespaceGuid": "AAAAAAAA-0000-4000-8000-000000000004",
        "State": 1,
        "Resources": [
            {"Type": "Endpoint", "Data": {"Id": "5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B"}},
            {"Type": "Container", "Data": {"Id": "49c836b9725e"}}
        ]
    }))
    .unwrap();
    let members = [NamespaceMember {
        id: "5b0d3c1e-9f64-4b0e-8a77-0c1d2e3f4a5b".to_owned(),
        name: "web".to_owned(),
        addresses: vec!["172.20.0.7".to_owned()],
    }];
    let page = namespace(&NamespacePage {
        namespace: &document,
        members: &members,
    });
    let expected = "\
ID:              7C6D5E4F-0000-4000-8000-000000000002
Type:            Host
Compartment:     3
Compartment ID:  AAAAAAAA-0000-4000-8000-000000000004
State:           Created (1)

Members:
  KIND       ID                                    NAME  ADDRESS
  endpoint   5B0D3C1E-9F64-4B0E-8A77-0C1D2E3F4A5B  web   172.20.0.7
  container  49c836b9725e                          -     -
";
    assert_eq!(page, expected);
}
