// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random sequences of requests against a model of a few maps: the same answers, the same codes, the same state after every step.
//!
//! Apart because the model is a second implementation, written from hns-behaviour 2.8, 3.3, 4.10, 4.11, 5.2, 5.9 and 6.4 alone. Networks are small and ids
//! few, so that requests meet: addresses run out, ids are used again, ports clash.

mod scene;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use hcn_api::{Answer, HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::Service;
use scene::{
    Directory, V2, acl, audit, guid, mapping, parsed, policy_request,
    random::{Random, seed},
    repeatable, two,
};
use serde_json::{Value, json};

#[derive(Clone, Debug, Default)]
struct Endpoint {
    network: Guid,
    address: String,
    mac: String,
    namespace: Option<Guid>,
    containers: Vec<String>,
    host: bool,
    /// Whether it ever was attached.
    was_attached: bool,
    /// Ids of rules and numbers of ports.
    policies: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    /// The third byte of 10.60.x.0/29.
    networks: BTreeMap<Guid, u8>,
    endpoints: BTreeMap<Guid, Endpoint>,
    /// Containers in each.
    namespaces: BTreeMap<Guid, Vec<String>>,
}

#[derive(Clone, Debug)]
enum Ask {
    Network(Guid, u8),
    /// Id, network, last byte of the address, MAC, port of the host.
    Endpoint(Guid, Guid, Option<u8>, Option<u8>, Option<u16>),
    Namespace(Guid),
    Delete(Kind, Guid),
    Member(Guid, Guid, bool),
    Container(Guid, String, bool),
    /// Over v1; an empty container is the host.
    Attach(Guid, String, bool),
    Policy(Guid, &'static str, String),
}

/// Few ids, so that they meet.
const fn id(kind: u64, number: u64) -> Guid {
    Guid((kind as u128) << 96 | (number as u128 + 1))
}

fn choose(random: &mut Random) -> Ask {
    // Mostly the first one, so that its addresses run out.
    let network = |random: &mut Random| id(1, [0, 0, 0, 1, 1, 2][random.below(6) as usize]);
    let endpoint = |random: &mut Random| id(2, random.below(9));
    let namespace = |random: &mut Random| id(3, random.below(3));
    let container = |random: &mut Random| format!("c{}", random.below(3));
    match random.below(20) {
        0..=1 => Ask::Network(network(random), random.below(3) as u8),
        2..=6 => {
            let address = (random.below(3) == 0).then(|| random.below(10) as u8);
            let mac = (random.below(4) == 0).then(|| random.below(4) as u8);
            let port = (random.below(4) == 0).then(|| 8000 + random.below(3) as u16);
            Ask::Endpoint(endpoint(random), network(random), address, mac, port)
        }
        7 => Ask::Namespace(namespace(random)),
        8 => match random.below(6) {
            0 => Ask::Delete(Kind::Network, network(random)),
            1 => Ask::Delete(Kind::Namespace, namespace(random)),
            _ => Ask::Delete(Kind::Endpoint, endpoint(random)),
        },
        9..=11 => Ask::Member(namespace(random), endpoint(random), random.below(3) != 0),
        12..=13 => Ask::Container(namespace(random), container(random), random.below(3) != 0),
        14..=15 => {
            let who = if random.below(3) == 0 {
                String::new()
            } else {
                container(random)
            };
            Ask::Attach(endpoint(random), who, random.below(3) != 0)
        }
        _ => {
            let verb = ["Add", "Add", "Update", "Remove"][random.below(4) as usize];
            let what = if random.below(3) == 0 {
                (8000 + random.below(3)).to_string()
            } else {
                format!("rule-{}", random.below(3))
            };
            Ask::Policy(endpoint(random), verb, what)
        }
    }
}

fn policy(name: &str) -> Value {
    match name.parse() {
        Ok(port) => mapping(6, 80, port),
        // As it is stored, so that Remove finds it.
        Err(_) => acl(
            json!({"Action": "Block", "Direction": "In", "Priority": 100, "Id": name, "Scope": 0}),
        ),
    }
}

fn put(service: &Service, ask: &Ask) -> Answer<()> {
    let create = |kind, network, id, document: Value| {
        service
            .create(kind, network, id, &two(document).to_string())
            .map(|_| ())
    };
    let modify =
        |kind, id, request: Value| service.modify(ObjectId { kind, id }, &request.to_string());
    let verb = |add: &bool| if *add { "Add" } else { "Remove" };
    match ask {
        Ask::Network(id, third) => create(
            Kind::Network,
            None,
            *id,
            json!({"Name": id.to_string(), "Ipams": [{"Subnets": [{"IpAddressPrefix": format!("10.60.{third}.0/29")}]}]}),
        ),
        Ask::Endpoint(id, network, address, mac, port) => {
            let third = third_of(service, *network);
            let mut document = json!({});
            if let Some(address) = address {
                document["IpConfigurations"] =
                    json!([{"IpAddress": format!("10.60.{third}.{address}")}]);
            }
            if let Some(mac) = mac {
                document["MacAddress"] = json!(format!("02-00-00-00-00-{mac:02X}"));
            }
            if let Some(port) = port {
                document["Policies"] = json!([mapping(6, 80, u32::from(*port))]);
            }
            create(Kind::Endpoint, Some(*network), *id, document)
        }
        Ask::Namespace(id) => create(Kind::Namespace, None, *id, json!({})),
        Ask::Delete(kind, id) => service.delete(ObjectId {
            kind: *kind,
            id: *id,
        }),
        Ask::Member(namespace, endpoint, add) => modify(
            Kind::Namespace,
            *namespace,
            json!({"ResourceType": "Endpoint", "RequestType": verb(add), "Settings": {"EndpointId": endpoint.to_string()}}),
        ),
        Ask::Container(namespace, container, add) => modify(
            Kind::Namespace,
            *namespace,
            json!({"ResourceType": "Container", "RequestType": verb(add), "Settings": {"ContainerId": container}}),
        ),
        Ask::Attach(endpoint, container, add) => {
            let verb = if *add { "attach" } else { "detach" };
            let system = if container.is_empty() {
                "Host"
            } else {
                "Container"
            };
            let body = json!({"ContainerId": container, "SystemType": system}).to_string();
            service
                .call("POST", &format!("/endpoints/{endpoint}/{verb}"), &body)
                .map(|_| ())
        }
        Ask::Policy(endpoint, verb, name) => modify(
            Kind::Endpoint,
            *endpoint,
            policy_request(verb, json!([policy(name)])),
        ),
    }
}

/// The subnet of a network, as a client would look it up; any for one that does not exist.
fn third_of(service: &Service, network: Guid) -> u8 {
    let object = ObjectId {
        kind: Kind::Network,
        id: network,
    };
    service.query(object, "").map_or(0, |document| {
        let prefix = parsed(&document)["Subnets"][0]["AddressPrefix"].clone();
        let third = prefix
            .as_str()
            .unwrap()
            .split('.')
            .nth(2)
            .unwrap()
            .to_owned();
        third.parse().unwrap()
    })
}

impl Model {
    /// What must come of a request; where it succeeds the model has changed, but for what HNS chooses itself.
    fn put(&mut self, ask: &Ask) -> Result<(), HcnCode> {
        match ask {
            Ask::Network(id, third) => {
                if self.networks.contains_key(id) {
                    return Err(HcnCode::HCN_E_NETWORK_ALREADY_EXISTS);
                }
                if self.networks.values().any(|own| own == third) {
                    // NAT subnets must not overlap (hns-behaviour 3.3).
                    return Err(HcnCode::E_INVALIDARG);
                }
                self.networks.insert(*id, *third);
            }
            Ask::Endpoint(id, network, address, mac, port) => {
                return self.put_endpoint(*id, *network, *address, *mac, *port);
            }
            Ask::Namespace(id) => {
                if self.namespaces.contains_key(id) {
                    return Err(HcnCode::ERROR_ALREADY_EXISTS);
                }
                self.namespaces.insert(*id, Vec::new());
            }
            Ask::Delete(Kind::Network, id) => {
                self.networks
                    .remove(id)
                    .ok_or(HcnCode::HCN_E_NETWORK_NOT_FOUND)?;
                self.endpoints.retain(|_, endpoint| endpoint.network != *id);
            }
            Ask::Delete(Kind::Endpoint, id) => {
                self.endpoints
                    .remove(id)
                    .ok_or(HcnCode::HCN_E_ENDPOINT_NOT_FOUND)?;
            }
            Ask::Delete(_, id) => {
                let containers = self.namespaces.remove(id).ok_or(HcnCode::ERROR_NOT_FOUND)?;
                for endpoint in self.endpoints.values_mut() {
                    endpoint.leave(*id, &containers);
                }
            }
            Ask::Member(namespace, endpoint, add) => {
                let containers = self
                    .namespaces
                    .get(namespace)
                    .ok_or(HcnCode::ERROR_NOT_FOUND)?;
                let own = self
                    .endpoints
                    .get_mut(endpoint)
                    .ok_or(HcnCode::HCN_E_ENDPOINT_NOT_FOUND)?;
                if *add {
                    if own.namespace.is_some() {
                        return Err(HcnCode::HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS);
                    }
                    own.namespace = Some(*namespace);
                    own.was_attached = true;
                    for container in containers {
                        own.share(container);
                    }
                } else {
                    if own.namespace != Some(*namespace) {
                        return Err(HcnCode::ERROR_NOT_FOUND);
                    }
                    own.leave(*namespace, containers);
                }
            }
            Ask::Container(namespace, container, add) => {
                let containers = self
                    .namespaces
                    .get_mut(namespace)
                    .ok_or(HcnCode::ERROR_NOT_FOUND)?;
                containers.retain(|own| own != container);
                if *add {
                    containers.push(container.clone());
                }
                for endpoint in self.endpoints.values_mut() {
                    if endpoint.namespace == Some(*namespace) {
                        if *add {
                            endpoint.share(container);
                        } else {
                            endpoint.containers.retain(|own| own != container);
                        }
                    }
                }
            }
            Ask::Attach(endpoint, container, add) => {
                let own = self
                    .endpoints
                    .get_mut(endpoint)
                    .ok_or(HcnCode::HCN_E_ENDPOINT_NOT_FOUND)?;
                let is = if container.is_empty() {
                    own.host
                } else {
                    own.containers.contains(container)
                };
                match (is, add) {
                    (true, true) => return Err(HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED),
                    (false, false) => return Err(HcnCode::HCN_E_REQUEST_UNSUPPORTED),
                    _ if container.is_empty() => own.host = *add,
                    (false, true) => own.containers.push(container.clone()),
                    (true, false) => own.containers.retain(|other| other != container),
                }
                own.was_attached = true;
            }
            Ask::Policy(endpoint, verb, name) => return self.put_policy(*endpoint, verb, name),
        }
        Ok(())
    }

    fn put_endpoint(
        &mut self,
        id: Guid,
        network: Guid,
        address: Option<u8>,
        mac: Option<u8>,
        port: Option<u16>,
    ) -> Result<(), HcnCode> {
        let third = *self
            .networks
            .get(&network)
            .ok_or(HcnCode::HCN_E_NETWORK_NOT_FOUND)?;
        if self.endpoints.contains_key(&id) {
            return Err(HcnCode::ERROR_ALREADY_EXISTS);
        }
        let on_network = || {
            self.endpoints
                .values()
                .filter(|other| other.network == network)
        };
        let mut endpoint = Endpoint {
            network,
            ..Endpoint::default()
        };
        match address {
            // 10.60.x.0/29: 0 is the subnet, 1 the gateway, 7 the broadcast; 8 and 9 are outside.
            Some(8..) => return Err(HcnCode::HCN_E_INVALID_IP),
            Some(0 | 1 | 7) => return Err(HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED),
            Some(last) => {
                endpoint.address = format!("10.60.{third}.{last}");
                if on_network().any(|other| other.address == endpoint.address) {
                    return Err(HcnCode::HCN_E_ADDR_INVALID_OR_RESERVED);
                }
            }
            None if on_network().count() == 5 => return Err(HcnCode::ERROR_NO_MORE_ITEMS),
            None => {}
        }
        if let Some(mac) = mac {
            endpoint.mac = format!("02-00-00-00-00-{mac:02X}");
            if on_network().any(|other| other.mac == endpoint.mac) {
                return Err(HcnCode::ERROR_ALREADY_EXISTS);
            }
        }
        if let Some(port) = port {
            endpoint.policies.push(port.to_string());
            if self.is_published(&port.to_string(), None) {
                return Err(HcnCode::HCN_E_PORT_ALREADY_EXISTS);
            }
        }
        self.endpoints.insert(id, endpoint);
        Ok(())
    }

    /// Whether a port of the host is taken, by an endpoint other than one.
    fn is_published(&self, port: &str, but: Option<Guid>) -> bool {
        self.endpoints
            .iter()
            .any(|(id, other)| Some(*id) != but && other.policies.iter().any(|own| own == port))
    }

    fn put_policy(&mut self, endpoint: Guid, verb: &str, name: &str) -> Result<(), HcnCode> {
        let is_port = |name: &str| !name.starts_with("rule");
        let update = verb == "Update";
        if !self.endpoints.contains_key(&endpoint) {
            return Err(HcnCode::HCN_E_ENDPOINT_NOT_FOUND);
        }
        if verb != "Remove" && is_port(name) && self.is_published(name, update.then_some(endpoint))
        {
            return Err(HcnCode::HCN_E_PORT_ALREADY_EXISTS);
        }
        let own = self.endpoints.get_mut(&endpoint).unwrap();
        if update {
            // Rules go in any case; ports, a type of creation's, only where ports are sent.
            own.policies
                .retain(|other| is_port(other) && !is_port(name));
        }
        if verb == "Remove" {
            if let Some(place) = own.policies.iter().position(|other| other == name) {
                own.policies.remove(place);
            }
        } else {
            own.policies.push(name.to_owned());
        }
        Ok(())
    }

    /// Compares everything, and takes over what HNS has chosen.
    fn compare(&mut self, service: &Service) {
        let list = |kind| -> BTreeMap<Guid, Value> {
            let query = if kind == Kind::Endpoint { "" } else { V2 };
            let documents = service.list(kind, query).unwrap();
            documents
                .iter()
                .map(|document| {
                    let document = parsed(document);
                    (guid(document["ID"].as_str().unwrap()), document)
                })
                .collect()
        };
        let known: BTreeSet<Guid> = list(Kind::Network).into_keys().collect();
        assert_eq!(known, self.networks.keys().copied().collect());
        for (id, document) in list(Kind::Namespace) {
            let resources = document["Resources"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let of = |kind: &str| -> BTreeSet<String> {
                resources
                    .iter()
                    .filter(|resource| resource["Type"] == kind)
                    .map(|resource| resource["Data"]["Id"].as_str().unwrap().to_lowercase())
                    .collect()
            };
            let members = self
                .endpoints
                .iter()
                .filter(|(_, endpoint)| endpoint.namespace == Some(id))
                .map(|(id, _)| id.to_string())
                .collect();
            assert_eq!(of("Endpoint"), members);
            assert_eq!(
                of("Container"),
                self.namespaces[&id].iter().cloned().collect()
            );
        }
        let shown = list(Kind::Endpoint);
        assert_eq!(shown.len(), self.endpoints.len());
        for (id, own) in &mut self.endpoints {
            let document = &shown[id];
            own.agree(document);
        }
    }
}

impl Endpoint {
    fn share(&mut self, container: &str) {
        if !self.containers.iter().any(|own| own == container) {
            self.containers.push(container.to_owned());
        }
    }

    fn leave(&mut self, namespace: Guid, containers: &[String]) {
        if self.namespace == Some(namespace) {
            self.namespace = None;
            self.containers.retain(|own| !containers.contains(own));
        }
    }

    fn state(&self) -> u64 {
        match self.containers.len() {
            0 if self.namespace.is_none() && !self.host => {
                if self.was_attached {
                    4
                } else {
                    1
                }
            }
            0 | 1 => 2,
            _ => 3,
        }
    }

    fn agree(&mut self, document: &Value) {
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
        if self.address.is_empty() {
            self.address = text("IPAddress");
        }
        if self.mac.is_empty() {
            self.mac = text("MacAddress");
        }
        assert_eq!(text("IPAddress"), self.address);
        assert_eq!(text("MacAddress"), self.mac);
        assert_eq!(document["PrefixLength"], 29);
        assert_eq!(guid(&text("VirtualNetwork")), self.network);
        let namespace = document["Namespace"]["ID"].as_str();
        assert_eq!(namespace.map(guid), self.namespace);
        assert_eq!(document["State"], self.state(), "{document}\n{self:?}");
        let containers: Vec<String> = list("SharedContainers")
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(containers, self.containers);
        let policies: Vec<String> = list("Policies")
            .iter()
            .map(|policy| match policy["Id"].as_str() {
                Some(id) => id.to_owned(),
                None => policy["ExternalPort"].to_string(),
            })
            .collect();
        assert_eq!(policies, self.policies);
    }
}

/// The model needs no disk: memory where there is a file system of it.
fn state(directory: &Directory) -> (PathBuf, bool) {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        (memory.join(directory.path().file_name().unwrap()), true)
    } else {
        (directory.path().to_owned(), false)
    }
}

#[test]
fn the_service_does_what_the_model_does() {
    const SEQUENCES: u64 = 320;
    const STEPS: usize = 32;
    /// Something to meet.
    const OPENING: [Ask; 7] = [
        Ask::Network(id(1, 0), 0),
        Ask::Network(id(1, 1), 1),
        Ask::Namespace(id(3, 0)),
        Ask::Namespace(id(3, 1)),
        Ask::Endpoint(id(2, 0), id(1, 0), None, None, None),
        Ask::Endpoint(id(2, 1), id(1, 0), Some(4), None, Some(8000)),
        Ask::Endpoint(id(2, 2), id(1, 1), None, Some(1), None),
    ];
    let mut random = Random(seed());
    let (mut done, mut refused) = (0, BTreeMap::new());
    for sequence in 0..SEQUENCES {
        let directory = Directory::new();
        let (state, is_memory) = state(&directory);
        let service = Service::open(repeatable(&state)).unwrap();
        let mut model = Model::default();
        let mut story = Vec::new();
        for step in 0..STEPS {
            let ask = match OPENING.get(step) {
                Some(ask) => ask.clone(),
                None => choose(&mut random),
            };
            story.push(ask.clone());
            let before = service.last_operation().unwrap();
            let answer = put(&service, &ask);
            let expected = model.clone().put(&ask);
            let code = answer.as_ref().map_err(|error| error.code).copied();
            assert_eq!(
                code, expected,
                "sequence {sequence}: {story:#?}\n{answer:?}"
            );
            match expected {
                Ok(()) => {
                    model.put(&ask).unwrap();
                    model.compare(&service);
                    done += 1;
                }
                Err(code) => {
                    // Every change is logged, so where nothing is logged nothing has changed.
                    assert_eq!(service.last_operation().unwrap(), before, "{story:#?}");
                    *refused.entry(code.to_string()).or_insert(0) += 1;
                }
            }
        }
        model.compare(&service);
        audit::check(&service, &state);
        drop(service);
        if is_memory {
            std::fs::remove_dir_all(&state).unwrap();
        }
    }
    println!("{done} done, refused: {refused:#?}");
    // Every kind of meeting has happened, or the sequences show too little.
    assert!(refused.len() >= 10, "{refused:?}");
}
