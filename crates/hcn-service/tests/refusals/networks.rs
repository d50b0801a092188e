// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of the table: networks.
//!
//! Apart from the others only for length; what a row is, and who judges it, stands in `main`.

use hcn_api::Kind;
use serde_json::json;

use crate::{
    Ask, NETWORK, Row, UNKNOWN, long_name, network,
    scene::{subnetted, two},
};

/// The rows.
pub fn rows() -> Vec<Row> {
    let subnet = |prefix: &str| {
        let mut document = subnetted("L2Bridge", "new", prefix, "10.3.0.1");
        document["Name"] = json!("new");
        network(document)
    };
    vec![
        ("unknown type of network", network(json!({"Name": "new", "Type": "Bridge"})), "HCN_E_INVALID_NETWORK_TYPE", 0x803b_000b, "/Type", "Bridge"),
        ("duplicate network id by argument", Ask::Create(Kind::Network, "", NETWORK, two(json!({"Name": "new"})).to_string()), "HCN_E_NETWORK_ALREADY_EXISTS", 0x803b_0010, "/ID", NETWORK),
        ("duplicate network id by document, in capitals", network(json!({"Name": "new", "ID": NETWORK.to_uppercase()})), "HCN_E_NETWORK_ALREADY_EXISTS", 0x803b_0010, "/ID", NETWORK),
        ("duplicate network name and type", network(subnetted("NAT", "nat", "192.168.101.0/24", "192.168.101.1")), "HCN_E_NETWORK_ALREADY_EXISTS", 0x803b_0010, "/Name", "\"nat\""),
        ("duplicate network name over v1", Ask::Call("POST", "/networks/", json!({"Name": "nat", "Type": "nat"}).to_string()), "HCN_E_NETWORK_ALREADY_EXISTS", 0x803b_0010, "/Name", "\"nat\""),
        ("an id that is none", network(json!({"Name": "new", "ID": "12"})), "HCN_E_GUID_CONVERSION_FAILURE", 0x803b_0019, "/ID", "\"12\""),
        ("a network's name of 10,000 characters", network(json!({"Name": long_name()})), "HCN_E_INVALID_NETWORK", 0x803b_000a, "/Name", "10000 characters"),
        ("a name that is a list", network(json!({"Name": ["new"]})), "HCN_E_INVALID_NETWORK", 0x803b_000a, "/Name", "new"),
        ("host bits in a subnet", subnet("10.3.0.5/24"), "HCN_E_INVALID_PREFIX", 0x803b_0030, "/Ipams/0/Subnets/0/IpAddressPrefix", "10.3.0.0/24"),
        ("a prefix of 33", subnet("10.3.0.0/33"), "HCN_E_INVALID_PREFIX", 0x803b_0030, "/Ipams/0/Subnets/0/IpAddressPrefix", "10.3.0.0/33"),
        ("a prefix without length", subnet("10.3.0.0"), "HCN_E_INVALID_PREFIX", 0x803b_0030, "/Ipams/0/Subnets/0/IpAddressPrefix", "10.3.0.0"),
        ("a subnet without prefix", network(json!({"Name": "new", "Type": "L2Bridge", "Ipams": [{"Subnets": [{}]}]})), "HCN_E_INVALID_SUBNET", 0x803b_0032, "/Ipams/0/Subnets/0/IpAddressPrefix", "no prefix"),
        ("a gateway that is no address", network(subnetted("L2Bridge", "new", "10.3.0.0/24", "router")), "HCN_E_INVALID_SUBNET", 0x803b_0032, "/Ipams/0/Subnets/0/Routes/0/NextHop", "router"),
        ("overlapping NAT subnets", network(subnetted("NAT", "other", "192.168.0.0/16", "192.168.0.1")), "E_INVALIDARG", 0x8007_0057, "/Ipams/0/Subnets/0/IpAddressPrefix", "192.168.100.0/24"),
        ("a pool that ends before it starts", network(json!({"Name": "new", "Type": "Private", "MacPool": {"Ranges": [{"StartMacAddress": "00-15-5D-00-00-02", "EndMacAddress": "00-15-5D-00-00-01"}]}})), "HCN_E_INVALID_NETWORK", 0x803b_000a, "/MacPool/Ranges/0", "ends before it starts"),
        ("a pool of no address", network(json!({"Name": "new", "Type": "Private", "MacPool": {"Ranges": [{"StartMacAddress": "00-15", "EndMacAddress": "00-15-5D-00-00-01"}]}})), "HCN_E_INVALID_NETWORK", 0x803b_000a, "/MacPool/Ranges/0/StartMacAddress", "00-15"),
        ("unknown type of network policy", network(json!({"Name": "new", "Type": "Private", "Policies": [{"Type": "Colour"}]})), "HCN_E_INVALID_POLICY_TYPE", 0x803b_000e, "/Policies/0/Type", "Colour"),
        ("unknown type of subnet policy", network(json!({"Name": "new", "Type": "Private", "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.3.0.0/24", "Policies": [{"Type": "Colour"}]}]}]})), "HCN_E_INVALID_POLICY_TYPE", 0x803b_000e, "/Ipams/0/Subnets/0/Policies/0/Type", "Colour"),
        ("deleting an unknown network", Ask::Delete(Kind::Network, UNKNOWN), "HCN_E_NETWORK_NOT_FOUND", 0x803b_0001, "", UNKNOWN),
        ("opening an unknown network", Ask::Open(Kind::Network, UNKNOWN), "HCN_E_NETWORK_NOT_FOUND", 0x803b_0001, "", UNKNOWN),
        ("an unknown network over v1", Ask::Call("GET", "/networks/99999999-0000-4000-8000-000000000009", String::new()), "HCN_E_NETWORK_NOT_FOUND", 0x803b_0001, "", UNKNOWN),
        ("removing an unknown subnet", Ask::Modify(Kind::Network, NETWORK, json!({"ResourceType": "Subnet", "RequestType": "Remove", "Settings": {"ID": UNKNOWN}}).to_string()), "HCN_E_SUBNET_NOT_FOUND", 0x803b_0005, "/Settings", UNKNOWN),
        ("a subnet that the network has", Ask::Modify(Kind::Network, NETWORK, json!({"ResourceType": "Subnet", "RequestType": "Add", "Settings": {"Subnets": [{"IpAddressPrefix": "192.168.100.128/25"}]}}).to_string()), "HCN_E_INVALID_SUBNET", 0x803b_0032, "/Settings/Subnets/0", "192.168.100.0/24"),
    ]
}
