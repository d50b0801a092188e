// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents of a dump, of either API, as v2 documents.
//!
//! Apart from the way that documents of clients take, since nothing is refused here: who kept a dump cannot be asked. What has no place
//! in v2 is left out.

use hcn_api::HnsError;
use hcn_schema::{Document, Endpoint, LoadBalancer, Network};
use serde_json::{Map, Value};

use crate::{document::is_v2, v1};

/// An endpoint of a dump.
pub fn endpoint(members: &Map<String, Value>) -> Endpoint {
    match is_v2(members) {
        true => Endpoint::from_map(members),
        false => v1::endpoint::to_v2(members).0,
    }
}

/// A network of a dump.
pub fn network(members: &Map<String, Value>) -> Network {
    match is_v2(members) {
        true => Network::from_map(members),
        false => v1::network::to_v2(members).0,
    }
}

/// A load balancer of a dump, v1's policy list among them; `None` for a policy list of routes.
///
/// # Errors
/// What HNS would say to a policy list that it could not make a load balancer of.
pub fn load_balancer(members: &Map<String, Value>) -> Result<Option<LoadBalancer>, HnsError> {
    // Only a policy list refers; listings of v2 objects may be without their version.
    let is_list = members
        .keys()
        .any(|key| key.eq_ignore_ascii_case("References") || key.eq_ignore_ascii_case("IsApplied"));
    if is_v2(members) || !is_list {
        return Ok(Some(LoadBalancer::from_map(members)));
    }
    if v1::policy_list::is_route_list(members) {
        return Ok(None);
    }
    let (balancer, _) = v1::policy_list::to_load_balancer(members)?;
    Ok(Some(balancer))
}

#[cfg(test)]
mod tests {
    use hcn_schema::policy::Acl;
    use serde_json::json;

    use super::*;

    #[test]
    fn either_api_tells_of_the_same_endpoint() {
        let one = json!({"ID": "b0000001-0000-4000-8000-000000000000", "IPAddress": "10.0.0.7",
            "Policies": [{"Type": "ACL", "Action": "Block", "Direction": "In", "Protocol": 6, "LocalPort": 80}]});
        let two = json!({"ID": "b0000001-0000-4000-8000-000000000000", "IpConfigurations": [{"IpAddress": "10.0.0.7"}],
            "Policies": [{"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Protocols": "6", "LocalPorts": "80"}}],
            "SchemaVersion": {"Major": 2, "Minor": 0}});
        let [one, two] = [one, two].map(|value| endpoint(value.as_object().unwrap()));
        assert_eq!(one.ip_configurations, two.ip_configurations);
        let rule = |endpoint: &Endpoint| {
            let rule: Acl = endpoint.policies.get().unwrap()[0].settings_as();
            (
                rule.action,
                rule.direction,
                rule.protocols,
                rule.local_ports,
            )
        };
        assert_eq!(rule(&one), rule(&two));
    }

    #[test]
    fn either_api_tells_of_the_same_network() {
        let one = json!({"Name": "lan", "Type": "l2bridge"});
        let two =
            json!({"Name": "lan", "Type": "L2Bridge", "SchemaVersion": {"Major": 2, "Minor": 0}});
        let [one, two] = [one, two].map(|value| network(value.as_object().unwrap()));
        assert_eq!(one.name, two.name);
        assert_eq!(one.network_type.get(), two.network_type.get());
    }

    #[test]
    fn either_api_tells_of_the_same_load_balancer() {
        let id = "b0000001-0000-4000-8000-000000000000";
        // hns-behaviour 2.15: a policy list of one ELB is what v2 calls a load balancer.
        let one = json!({"ID": "c0000001-0000-4000-8000-000000000000", "IsApplied": false, "References": [format!("/endpoints/{id}")],
            "Policies": [{"Type": "ELB", "Protocol": 6, "InternalPort": 8080, "ExternalPort": 80, "VIPs": ["10.96.0.1"]}]});
        let two = json!({"ID": "c0000001-0000-4000-8000-000000000000", "HostComputeEndpoints": [id], "FrontendVIPs": ["10.96.0.1"],
            "PortMappings": [{"Protocol": 6, "InternalPort": 8080, "ExternalPort": 80}], "SchemaVersion": {"Major": 2, "Minor": 0}});
        let versionless = {
            let mut members = two.as_object().unwrap().clone();
            members.remove("SchemaVersion");
            Value::Object(members)
        };
        let [one, two, versionless] = [one, two, versionless]
            .map(|value| load_balancer(value.as_object().unwrap()).unwrap().unwrap());
        assert_eq!(one.host_compute_endpoints, two.host_compute_endpoints);
        assert_eq!(one.frontend_vips, two.frontend_vips);
        let ports = |balancer: &LoadBalancer| {
            let mapping = &balancer.port_mappings.get().unwrap()[0];
            (
                mapping.protocol.get().copied(),
                mapping.internal_port.get().copied(),
                mapping.external_port.get().copied(),
            )
        };
        assert_eq!(ports(&one), (Some(6), Some(8080), Some(80)));
        assert_eq!(ports(&two), ports(&one));
        assert_eq!(ports(&versionless), ports(&one));
    }

    #[test]
    fn a_policy_list_of_routes_is_no_load_balancer() {
        let routes = json!({"ID": "c0000001-0000-4000-8000-000000000000", "References": [],
            "Policies": [{"Type": "ROUTE", "DestinationPrefix": "10.1.0.0/16", "NextHop": "10.0.0.9"}]});
        assert!(
            load_balancer(routes.as_object().unwrap())
                .unwrap()
                .is_none()
        );
        let odd = json!({"ID": "c0000001-0000-4000-8000-000000000000", "References": ["nonsense"],
            "Policies": [{"Type": "ELB", "VIPs": ["10.96.0.1"]}]});
        assert!(load_balancer(odd.as_object().unwrap()).is_err());
    }
}
