// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sentences written by hand for settings in the forms that HNS answers.

use hcn_schema::Document;
use serde_json::json;

use super::*;

fn rule(settings: Value) -> String {
    words(&Acl::from_value(&settings).unwrap())
}

#[test]
fn the_destination_is_said_first_seen_from_the_endpoint() {
    let inbound = json!({
        "Action": "Block", "Direction": "In", "LocalAddresses": "172.19.6.74", "LocalPorts": "80", "Priority": 100,
        "Protocols": "6", "Scope": 0
    });
    assert_eq!(
        rule(inbound),
        "Block In tcp to local 172.19.6.74 port 80, priority 100"
    );
    let outbound = json!({
        "Action": "Allow", "Direction": "Out", "RemoteAddresses": "10.0.0.0/8,192.0.2.1", "RemotePorts": "80,8000-8080",
        "LocalPorts": "1024-65535", "Priority": 200, "Protocols": "6,17", "RuleType": "Switch"
    });
    assert_eq!(
        rule(outbound),
        "Allow Out tcp,udp to remote 10.0.0.0/8,192.0.2.1 ports 80,8000-8080 from local ports 1024-65535, priority 200, \
         rule type Switch"
    );
    let both = json!({"Action": "Allow", "Direction": "In", "RemoteAddresses": "10.0.0.1", "LocalPorts": "80", "Priority": 5});
    assert_eq!(
        rule(both),
        "Allow In any protocol to local port 80 from remote 10.0.0.1, priority 5"
    );
}

#[test]
fn what_nobody_expected_is_said_too() {
    assert_eq!(
        rule(
            json!({"Action": "Deny", "Protocols": 17, "ID": "mine", "Priority": 70_000, "Scope": 1})
        ),
        "Deny (no direction) udp, priority 70000, scope 1, ID=mine"
    );
    assert_eq!(rule(json!({})), "(no action) (no direction) any protocol");
    assert_eq!(
        rule(
            json!({"Action": "Block", "Direction": "In", "Id": "a\u{1b}[1m", "ServiceName": "dns"})
        ),
        "Block In any protocol, service dns, id a\\u{1b}[1m"
    );
}

#[test]
fn singular_members_of_v1_count_unless_they_mean_any() {
    // The form in which rules of Calico's felix are read back (hns-behaviour 4.9), first with defaults, then with values.
    assert_eq!(
        rule(json!({
            "Action": "Allow", "Direction": "In", "Id": "allow-host", "InternalPort": 0, "LocalAddresses": "", "LocalPort": 0,
            "Priority": 900, "Protocol": 256, "RemoteAddresses": "10.0.0.4/32", "RemotePort": 0, "RuleType": "Host", "Scope": 0,
            "ServiceName": ""
        })),
        "Allow In any protocol from remote 10.0.0.4/32, priority 900, rule type Host, id allow-host"
    );
    assert_eq!(
        rule(
            json!({"Action": "Block", "Direction": "In", "Protocol": 6, "LocalPort": 443, "Priority": 1})
        ),
        "Block In tcp to local port 443, priority 1"
    );
}

#[test]
fn other_policies_are_named_with_their_settings() {
    let words = |policy: Value| policy_words(&Policy::from_value(&policy).unwrap());
    assert_eq!(
        words(
            json!({"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080}})
        ),
        "PortMapping tcp 8080 to 80"
    );
    assert_eq!(
        words(
            json!({"Type": "NAT", "Protocol": "UDP", "InternalPort": 53, "ExternalPort": 5353, "ExternalPortReserved": true})
        ),
        "NAT udp 5353 to 53 ExternalPortReserved=true"
    );
    assert_eq!(
        words(
            json!({"Type": "OutBoundNAT", "Settings": {"VirtualIP": "", "Exceptions": ["10.0.0.0/8"]}})
        ),
        "OutBoundNAT Exceptions=[\"10.0.0.0/8\"]"
    );
    assert_eq!(
        words(json!({"Type": "L2Driver", "Settings": {}})),
        "L2Driver"
    );
    assert_eq!(
        words(
            json!({"Type": "NetworkACL", "Settings": {"Action": "Block", "Direction": "Out", "Priority": 9}})
        ),
        "NetworkACL Block Out any protocol, priority 9"
    );
    assert_eq!(words(json!({})), "(no type)");
}

#[test]
fn places_of_tables_keep_ports_apart_from_colons() {
    assert_eq!(place_cell("", ""), "*");
    assert_eq!(place_cell("", "80"), "*:80");
    assert_eq!(place_cell("10.0.0.1", "80"), "10.0.0.1:80");
    assert_eq!(place_cell("fd00::1", "80"), "[fd00::1]:80");
    assert_eq!(place_cell("fd00::/64", ""), "fd00::/64");
}
