// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents of a dump, of either API, as v2 documents.
//!
//! Apart from the way that documents of clients take, since nothing is refused here: who kept a dump cannot be asked. What has no place
//! in v2 is left out.

use hcn_schema::{Document, Endpoint, Network};
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
}
