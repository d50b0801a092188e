// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenes for tests and benchmarks: documents, the switch made of them, and a network that is as the switch says.

use std::{net::IpAddr, sync::Arc};

use hcn_engine::{
    DataPlane, Documents, Probe, ProbeOutcome, ProbeReport, ProbeSource, Protocol, Semantics,
    Switch,
};
use hcn_schema::{Document, Endpoint, Guid, Network};
use hcn_simulated::{Service, SimulatedNetwork};
use serde_json::{Value, json};

/// What every web server of the tests answers with.
pub const PAGE: &[u8] = b"<h1>Welcome</h1>";

/// A network and its containers.
pub struct Scene {
    networks: Vec<Value>,
    endpoints: Vec<Value>,
    pub switch: Arc<Switch>,
    pub wire: SimulatedNetwork,
}

/// Id of a network.
pub fn network_id(number: u32) -> Guid {
    Guid(0x625d_8985_3f12_469e_a98d_0000_0000_0000 + u128::from(number))
}

/// Id of an endpoint.
pub fn endpoint_id(number: u32) -> Guid {
    Guid(0xedff_c876_3051_46ec_80b3_0000_0000_0000 + u128::from(number))
}

/// A network document; subnets are prefix and gateway, which may be empty.
pub fn network(number: u32, network_type: &str, subnets: &[(&str, &str)]) -> Value {
    let subnets: Vec<Value> = subnets
        .iter()
        .map(|(prefix, gateway)| {
            let default = if prefix.contains(':') {
                "::/0"
            } else {
                "0.0.0.0/0"
            };
            if gateway.is_empty() {
                json!({"IpAddressPrefix": prefix})
            } else {
                json!({
                    "IpAddressPrefix": prefix,
                    "Routes": [{"NextHop": gateway, "DestinationPrefix": default}],
                })
            }
        })
        .collect();
    json!({
        "ID": network_id(number).upper(),
        "Name": format!("network{number}"),
        "Type": network_type,
        "Ipams": [{"Type": "Static", "Subnets": subnets}],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    })
}

/// An endpoint document; addresses are written `172.19.0.10/20`.
pub fn endpoint(number: u32, network: u32, addresses: &[&str]) -> Value {
    let configurations: Vec<Value> = addresses
        .iter()
        .map(|address| {
            let (address, length) = address.split_once('/').expect("address/length");
            let length: u8 = length.parse().expect("a length");
            json!({"IpAddress": address, "PrefixLength": length})
        })
        .collect();
    json!({
        "ID": endpoint_id(number).upper(),
        "Name": format!("endpoint{number}"),
        "HostComputeNetwork": network_id(network).upper(),
        "IpConfigurations": configurations,
        "MacAddress": format!("00-15-5D-00-{:02X}-{:02X}", number >> 8 & 0xff, number & 0xff),
        "Policies": [],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    })
}

/// An ACL policy.
pub fn acl(settings: Value) -> Value {
    json!({"Type": "ACL", "Settings": settings})
}

/// An ACL of one TCP port of the endpoint, inbound.
pub fn acl_in(action: &str, port: &str, priority: u16) -> Value {
    acl(json!({
        "Action": action, "Direction": "In", "Protocols": "6", "LocalPorts": port, "Priority": priority,
    }))
}

/// ACLs that allow everything at the weakest priority, as CNI plugins add them.
pub fn base_allows() -> [Value; 2] {
    ["In", "Out"]
        .map(|direction| acl(json!({"Action": "Allow", "Direction": direction, "Priority": 65500})))
}

/// Publishes a port of the host.
pub fn port_mapping(protocol: Protocol, external: u16, internal: u16) -> Value {
    json!({"Type": "PortMapping", "Settings": {
        "Protocol": protocol.0, "ExternalPort": external, "InternalPort": internal,
    }})
}

impl Scene {
    /// A network that is as the documents say.
    pub fn new(networks: Vec<Value>, endpoints: Vec<Value>) -> Scene {
        let mut scene = Scene {
            networks,
            endpoints,
            switch: Arc::default(),
            wire: SimulatedNetwork::new(),
        };
        scene.converge();
        scene
    }

    /// The walk-through's network: a NAT network with a client (1) and a web server (2) at TCP port 80.
    pub fn nat() -> Scene {
        let mut scene = Scene::new(
            vec![network(1, "NAT", &[("172.19.0.0/20", "172.19.0.1")])],
            vec![
                endpoint(1, 1, &["172.19.3.166/20"]),
                endpoint(2, 1, &["172.19.6.74/20"]),
            ],
        );
        scene.serve_page(2, 80);
        scene
    }

    fn converge(&mut self) {
        let documents = Documents {
            networks: read::<Network>(&self.networks),
            endpoints: read::<Endpoint>(&self.endpoints),
            ..Documents::default()
        };
        let (switch, faults) = Switch::compile(&documents, &Semantics::default());
        assert_eq!(faults, [], "the documents of a test compile");
        self.switch = Arc::new(switch);
        self.wire
            .converge(self.switch.clone())
            .expect("it converges");
    }

    /// Replaces an endpoint's policies.
    pub fn set_policies(&mut self, number: u32, policies: impl IntoIterator<Item = Value>) {
        self.set_all_policies([(number, policies.into_iter().collect())]);
    }

    /// Replaces the policies of several endpoints at once.
    pub fn set_all_policies(&mut self, policies: impl IntoIterator<Item = (u32, Vec<Value>)>) {
        for (number, policies) in policies {
            self.document(number)["Policies"] = Value::Array(policies);
        }
        self.converge();
    }

    /// Replaces an endpoint's MAC address.
    pub fn set_mac_address(&mut self, number: u32, mac: &str) {
        self.document(number)["MacAddress"] = json!(mac);
        self.converge();
    }

    /// Deletes an endpoint.
    pub fn remove(&mut self, number: u32) {
        let id = json!(endpoint_id(number).upper());
        self.endpoints.retain(|endpoint| endpoint["ID"] != id);
        self.converge();
    }

    /// Adds an endpoint.
    pub fn add(&mut self, endpoint: Value) {
        self.endpoints.push(endpoint);
        self.converge();
    }

    fn document(&mut self, number: u32) -> &mut Value {
        let id = json!(endpoint_id(number).upper());
        let found = self
            .endpoints
            .iter_mut()
            .find(|endpoint| endpoint["ID"] == id);
        found.expect("the scene has the endpoint")
    }

    /// Starts a web server.
    pub fn serve_page(&mut self, number: u32, port: u16) {
        let service = Service::Http { body: PAGE.into() };
        self.wire
            .listen(endpoint_id(number), Protocol::TCP, port, service)
            .expect("it listens");
    }

    /// Starts an echo service.
    pub fn serve_echo(&mut self, number: u32, protocol: Protocol, port: u16) {
        self.wire
            .listen(endpoint_id(number), protocol, port, Service::Echo)
            .expect("it listens");
    }

    /// Asks for the page of a web server.
    pub fn get(&mut self, source: ProbeSource, destination: &str, port: u16) -> ProbeReport {
        let request = format!("GET / HTTP/1.1\r\nHost: {destination}\r\n\r\n");
        self.probe(source, destination, Protocol::TCP, port, request.as_bytes())
    }

    /// Sends a probe, with three seconds to answer.
    pub fn probe(
        &mut self,
        source: ProbeSource,
        destination: &str,
        protocol: Protocol,
        port: u16,
        payload: &[u8],
    ) -> ProbeReport {
        let destination: IpAddr = destination.parse().expect("an address");
        let probe = Probe {
            source,
            destination,
            protocol,
            port,
            payload: payload.to_vec(),
            timeout_ms: 3000,
        };
        self.wire.probe(&probe).expect("the probe can be sent")
    }
}

fn read<T: Document>(values: &[Value]) -> Vec<T> {
    values
        .iter()
        .map(|value| T::from_value(value).expect("an object"))
        .collect()
}

/// From a container.
pub fn from(number: u32) -> ProbeSource {
    ProbeSource::Endpoint(endpoint_id(number))
}

/// What was answered.
pub fn answer(report: &ProbeReport) -> &[u8] {
    match &report.outcome {
        ProbeOutcome::Answered { payload, .. } => payload,
        other => panic!("answered, not {other:?}: {report:#?}"),
    }
}
