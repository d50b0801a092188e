// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of the table: policies of endpoints, and requests for them.
//!
//! Apart from the others only for length; what a row is, and who judges it, stands in `main`.

use hcn_api::Kind;
use serde_json::json;

use crate::{
    Ask, FREE, LONELY, NAMESPACE, NETWORK, REMOTE, Row, TAKEN, TRANSPARENT, add, endpoint, rule,
    scene::{acl, mapping, policy_request, two},
};

/// The rows.
pub fn rows() -> Vec<Row> {
    let first = "/Settings/Policies/0";
    let leak =
        |text: &str| -> &'static str { Box::leak(format!("{first}{text}").into_boxed_str()) };
    let bad = "HCN_E_INVALID_POLICY";
    vec![
        ("LocalAddresses Any", rule(json!({"LocalAddresses": "Any"})), bad, 0x803b_000d, leak("/Settings/LocalAddresses"), "Any"),
        ("host bits in an ACL", rule(json!({"RemoteAddresses": "10.0.0.1/8"})), bad, 0x803b_000d, leak("/Settings/RemoteAddresses"), "10.0.0.1/8"),
        ("one of several addresses bad", rule(json!({"RemoteAddresses": "10.0.0.0/8,10.0.0.300"})), bad, 0x803b_000d, leak("/Settings/RemoteAddresses"), "10.0.0.300"),
        ("priority 65501", rule(json!({"Priority": 65501})), bad, 0x803b_000d, leak("/Settings/Priority"), "65501"),
        ("priority 70000", rule(json!({"Priority": 70000})), bad, 0x803b_000d, leak("/Settings/Priority"), "70000"),
        ("priority high", rule(json!({"Priority": "high"})), bad, 0x803b_000d, leak("/Settings/Priority"), "high"),
        ("port 70000", rule(json!({"LocalPorts": "70000"})), bad, 0x803b_000d, leak("/Settings/LocalPorts"), "70000"),
        ("a range of ports backwards", rule(json!({"RemotePorts": "90-80"})), bad, 0x803b_000d, leak("/Settings/RemotePorts"), "90-80"),
        ("protocol tcp", rule(json!({"Protocols": "tcp"})), bad, 0x803b_000d, leak("/Settings/Protocols"), "tcp"),
        ("protocol 300", rule(json!({"Protocols": "300"})), bad, 0x803b_000d, leak("/Settings/Protocols"), "300"),
        ("action Deny", rule(json!({"Action": "Deny"})), bad, 0x803b_000d, leak("/Settings/Action"), "Deny"),
        ("direction Inbound", rule(json!({"Direction": "Inbound"})), bad, 0x803b_000d, leak("/Settings/Direction"), "Inbound"),
        ("no action", add(acl(json!({"Direction": "In"}))), bad, 0x803b_000d, leak("/Settings/Action"), "Allow or Block"),
        ("no direction", add(acl(json!({"Action": "Block"}))), bad, 0x803b_000d, leak("/Settings/Direction"), "In or Out"),
        ("unknown type of policy", add(json!({"Type": "Colour", "Settings": {}})), "HCN_E_INVALID_POLICY_TYPE", 0x803b_000e, leak("/Type"), "Colour"),
        ("policy without type", add(json!({"Settings": {"Action": "Block"}})), "HCN_E_INVALID_POLICY_TYPE", 0x803b_000e, leak("/Type"), "no Type"),
        ("host bits in an OutBoundNAT exception", add(json!({"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.0.0.0/8", "172.17.0.1/16"]}})), bad, 0x803b_000d, leak("/Settings/Exceptions/1"), "172.17.0.0/16"),
        ("an exception that is none", endpoint(json!({"Policies": [{"Type": "OutBoundNAT", "Settings": {"Exceptions": ["all"]}}]})), bad, 0x803b_000d, "/Policies/0/Settings/Exceptions/0", "\"all\""),
        ("an external port of 70000", add(mapping(6, 80, 70000)), bad, 0x803b_000d, leak("/Settings/ExternalPort"), "70000"),
        ("a mapping's protocol as a word", add(json!({"Type": "PortMapping", "Settings": {"Protocol": "tcp", "InternalPort": 80}})), bad, 0x803b_000d, leak("/Settings/Protocol"), "tcp"),
        ("InternalPort 0", add(mapping(6, 0, 8081)), "HCN_E_INVALID_INTERNAL_PORT", 0x803b_002d, leak("/Settings/InternalPort"), "missing or 0"),
        ("no InternalPort", add(json!({"Type": "PortMapping", "Settings": {"ExternalPort": 8081}})), "HCN_E_INVALID_INTERNAL_PORT", 0x803b_002d, leak("/Settings/InternalPort"), "missing or 0"),
        ("duplicate external port", add(mapping(6, 81, 8080)), "HCN_E_PORT_ALREADY_EXISTS", 0x803b_0013, leak("/Settings/ExternalPort"), "8080"),
        ("duplicate external port of a new endpoint", endpoint(json!({"Policies": [mapping(6, 81, 8080)]})), "HCN_E_PORT_ALREADY_EXISTS", 0x803b_0013, "/Policies/0/Settings/ExternalPort", "8080"),
        ("duplicate external port without protocol, which is TCP", add(json!({"Type": "PortMapping", "Settings": {"InternalPort": 81, "ExternalPort": 8080}})), "HCN_E_PORT_ALREADY_EXISTS", 0x803b_0013, leak("/Settings/ExternalPort"), "8080"),
        ("a port on a Transparent network", Ask::Modify(Kind::Endpoint, LONELY, policy_request("Add", json!([mapping(6, 80, 8082)])).to_string()), "HCN_E_MAPPING_NOT_SUPPORTED", 0x803b_0016, leak("/Settings/InternalPort"), "Transparent"),
        ("a port of a new endpoint on a Transparent network", Ask::Create(Kind::Endpoint, TRANSPARENT, "", two(json!({"Policies": [mapping(6, 80, 8082)]})).to_string()), "HCN_E_MAPPING_NOT_SUPPORTED", 0x803b_0016, "/Policies/0/Settings/InternalPort", "Transparent"),
        ("a rule on a remote endpoint", Ask::Modify(Kind::Endpoint, REMOTE, policy_request("Add", json!([acl(json!({"Action": "Block", "Direction": "In"}))])).to_string()), "HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION", 0x803b_000f, leak("/Type"), "remote endpoint"),
        ("the second of three is bad", Ask::Modify(Kind::Endpoint, TAKEN, policy_request("Add", json!([mapping(17, 53, 8053), acl(json!({"Action": "Block", "Direction": "In", "LocalAddresses": "Any"})), mapping(17, 54, 8054)])).to_string()), bad, 0x803b_000d, "/Settings/Policies/1/Settings/LocalAddresses", "Any"),
        ("the last of an Update is bad", Ask::Modify(Kind::Endpoint, TAKEN, policy_request("Update", json!([mapping(17, 53, 8053), acl(json!({"Action": "Block", "Direction": "Sideways"}))])).to_string()), bad, 0x803b_000d, "/Settings/Policies/1/Settings/Direction", "Sideways"),
        ("policies that are no list", Ask::Modify(Kind::Endpoint, TAKEN, policy_request("Update", json!("none")).to_string()), "HCN_E_INVALID_JSON", 0x803b_001b, "/Settings/Policies", "none"),
        ("settings that are no object", Ask::Modify(Kind::Endpoint, TAKEN, json!({"ResourceType": "Policy", "RequestType": "Update", "Settings": [1]}).to_string()), "HCN_E_INVALID_JSON", 0x803b_001b, "/Settings", "[1]"),
        ("a bad rule over v1", Ask::Call("POST", "/endpoints/22222222-0000-4000-8000-000000000001", json!({"Policies": [{"Type": "ACL", "Action": "Block", "Direction": "In", "Priority": 65501}]}).to_string()), bad, 0x803b_000d, leak("/Settings/Priority"), "65501"),
        ("unknown type of request", Ask::Modify(Kind::Endpoint, FREE, policy_request("Append", json!([])).to_string()), "HCN_E_REQUEST_UNSUPPORTED", 0x803b_0015, "/RequestType", "Append"),
        ("no type of request", Ask::Modify(Kind::Endpoint, FREE, json!({"ResourceType": "Policy"}).to_string()), "HCN_E_REQUEST_UNSUPPORTED", 0x803b_0015, "/RequestType", "no RequestType"),
        ("unknown type of resource", Ask::Modify(Kind::Endpoint, FREE, json!({"ResourceType": "Colour", "RequestType": "Add"}).to_string()), "HCN_E_REQUEST_UNSUPPORTED", 0x803b_0015, "/ResourceType", "Colour"),
        ("a namespace's policy", Ask::Modify(Kind::Namespace, NAMESPACE, policy_request("Add", json!([])).to_string()), "HCN_E_REQUEST_UNSUPPORTED", 0x803b_0015, "/ResourceType", "Policy"),
        ("a network's reset", Ask::Modify(Kind::Network, NETWORK, policy_request("Reset", json!([])).to_string()), "HCN_E_REQUEST_UNSUPPORTED", 0x803b_0015, "/ResourceType", "Reset"),
    ]
}
