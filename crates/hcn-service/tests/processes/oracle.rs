// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a store should hold, by what was asked of it.
//!
//! Apart because it must know nothing of the service but its answers: a few maps, and what each request does to them.

use std::collections::{BTreeMap, BTreeSet};

use hcn_api::{Answer, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::Service;
use serde_json::{Value, json};

use crate::scene::{V2, acl, guid, mapping, parsed, policy_request, random::Random, two};

/// An endpoint, as far as requests determine it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    network: Guid,
    namespace: Option<Guid>,
    /// Ids of its rules and numbers of its ports, in order.
    policies: Vec<String>,
    /// The document that was answered last, where one was.
    address: Option<(String, String)>,
}

/// Everything in a store.
#[derive(Clone, Debug, Default)]
pub struct State {
    networks: BTreeSet<Guid>,
    endpoints: BTreeMap<Guid, Endpoint>,
    namespaces: BTreeMap<Guid, BTreeSet<Guid>>,
}

/// One request; all ids are chosen by who asks, so the request alone tells what will be.
#[derive(Clone, Debug)]
pub enum Ask {
    Network(Guid, u8),
    Endpoint(Guid, Guid),
    Namespace(Guid),
    Delete(Kind, Guid),
    /// Namespace, endpoint, and whether it goes in.
    Member(Guid, Guid, bool),
    /// Endpoint, verb, and the policy: a rule by its id, or a port.
    Policy(Guid, &'static str, String),
}

impl Ask {
    /// Something that the state allows, mostly.
    pub fn choose(random: &mut Random, state: &State) -> Ask {
        let networks: Vec<Guid> = state.networks.iter().copied().collect();
        let endpoints: Vec<Guid> = state.endpoints.keys().copied().collect();
        let namespaces: Vec<Guid> = state.namespaces.keys().copied().collect();
        loop {
            let ask = match random.below(16) {
                0 => (networks.len() < 5)
                    .then(|| Ask::Network(random.guid(), random.below(256) as u8)),
                1..=4 => random
                    .pick(&networks)
                    .map(|network| Ask::Endpoint(random.guid(), network)),
                5 => (namespaces.len() < 6).then(|| Ask::Namespace(random.guid())),
                6 => (networks.len() > 3)
                    .then(|| random.pick(&networks))
                    .flatten()
                    .map(|id| Ask::Delete(Kind::Network, id)),
                7 => random
                    .pick(&endpoints)
                    .map(|id| Ask::Delete(Kind::Endpoint, id)),
                8 => (namespaces.len() > 3)
                    .then(|| random.pick(&namespaces))
                    .flatten()
                    .map(|id| Ask::Delete(Kind::Namespace, id)),
                9..=11 => random.pick(&namespaces).and_then(|namespace| {
                    let endpoint = random.pick(&endpoints)?;
                    Some(Ask::Member(namespace, endpoint, random.below(3) != 0))
                }),
                12..=14 => random.pick(&endpoints).map(|endpoint| {
                    let verb = if random.below(3) == 0 {
                        "Update"
                    } else {
                        "Add"
                    };
                    Ask::Policy(endpoint, verb, format!("rule-{}", random.below(1000)))
                }),
                _ => random.pick(&endpoints).map(|endpoint| {
                    Ask::Policy(endpoint, "Add", (30_000 + random.below(300)).to_string())
                }),
            };
            if let Some(ask) = ask {
                return ask;
            }
        }
    }

    /// Asks; the answer is the endpoint's document where one was made.
    pub fn put(&self, service: &Service) -> Answer<Value> {
        let create = |kind, network, id, document: Value| {
            service.create(kind, network, id, &two(document).to_string())
        };
        match self {
            Ask::Network(id, third) => {
                let prefix = format!("10.50.{third}.0/24");
                let document = json!({"Name": id.to_string(), "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}]});
                create(Kind::Network, None, *id, document)?;
            }
            Ask::Endpoint(id, network) => {
                create(Kind::Endpoint, Some(*network), *id, json!({}))?;
                let object = ObjectId {
                    kind: Kind::Endpoint,
                    id: *id,
                };
                return Ok(parsed(&service.query(object, V2)?));
            }
            Ask::Namespace(id) => {
                create(Kind::Namespace, None, *id, json!({}))?;
            }
            Ask::Delete(kind, id) => service.delete(ObjectId {
                kind: *kind,
                id: *id,
            })?,
            Ask::Member(namespace, endpoint, add) => {
                let verb = if *add { "Add" } else { "Remove" };
                let request = json!({"ResourceType": "Endpoint", "RequestType": verb, "Settings": {"EndpointId": endpoint.to_string()}});
                let object = ObjectId {
                    kind: Kind::Namespace,
                    id: *namespace,
                };
                service.modify(object, &request.to_string())?;
            }
            Ask::Policy(endpoint, verb, name) => {
                let policy = match name.parse() {
                    Ok(port) => mapping(6, 80, port),
                    Err(_) => acl(
                        json!({"Action": "Block", "Direction": "In", "Priority": 100, "Id": name}),
                    ),
                };
                let object = ObjectId {
                    kind: Kind::Endpoint,
                    id: *endpoint,
                };
                service.modify(object, &policy_request(verb, json!([policy])).to_string())?;
            }
        }
        Ok(Value::Null)
    }

    /// As a line that another process can read.
    pub fn write(&self) -> Value {
        match self {
            Ask::Network(id, third) => json!(["network", id.to_string(), third]),
            Ask::Endpoint(id, network) => json!(["endpoint", id.to_string(), network.to_string()]),
            Ask::Namespace(id) => json!(["namespace", id.to_string()]),
            Ask::Delete(kind, id) => json!(["delete", kind.words(), id.to_string()]),
            Ask::Member(namespace, endpoint, add) => {
                json!(["member", namespace.to_string(), endpoint.to_string(), add])
            }
            Ask::Policy(endpoint, verb, name) => {
                json!(["policy", endpoint.to_string(), verb, name])
            }
        }
    }

    /// Reads what [`Ask::write`] wrote.
    pub fn read(line: &Value) -> Ask {
        let text = |index: usize| line[index].as_str().unwrap();
        match text(0) {
            "network" => Ask::Network(guid(text(1)), line[2].as_u64().unwrap() as u8),
            "endpoint" => Ask::Endpoint(guid(text(1)), guid(text(2))),
            "namespace" => Ask::Namespace(guid(text(1))),
            "delete" => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.words() == text(1));
                Ask::Delete(kind.unwrap(), guid(text(2)))
            }
            "member" => Ask::Member(guid(text(1)), guid(text(2)), line[3].as_bool().unwrap()),
            "policy" => {
                let verb = if text(2) == "Update" { "Update" } else { "Add" };
                Ask::Policy(guid(text(1)), verb, text(3).to_owned())
            }
            other => panic!("{other}"),
        }
    }
}

impl State {
    /// What a store holds.
    pub fn of(service: &Service) -> State {
        let list = |kind| -> Vec<(Guid, Value)> {
            let documents = service.list(kind, V2).unwrap();
            documents
                .iter()
                .map(|document| {
                    let document = parsed(document);
                    (guid(document["ID"].as_str().unwrap()), document)
                })
                .collect()
        };
        let members = |document: &Value| {
            let resources = document["Resources"].as_array().into_iter().flatten();
            resources
                .map(|resource| guid(resource["Data"]["Id"].as_str().unwrap()))
                .collect()
        };
        State {
            networks: list(Kind::Network).into_iter().map(|(id, _)| id).collect(),
            endpoints: list(Kind::Endpoint)
                .into_iter()
                .map(|(id, document)| (id, Endpoint::of(&document)))
                .collect(),
            namespaces: list(Kind::Namespace)
                .into_iter()
                .map(|(id, document)| (id, members(&document)))
                .collect(),
        }
    }

    /// Does to the maps what a request that succeeded does to a store.
    pub fn apply(&mut self, ask: &Ask, answer: Option<&Value>) {
        match ask {
            Ask::Network(id, _) => {
                self.networks.insert(*id);
            }
            Ask::Endpoint(id, network) => {
                let endpoint = match answer {
                    Some(document) => Endpoint::of(document),
                    None => Endpoint {
                        network: *network,
                        ..Endpoint::default()
                    },
                };
                self.endpoints.insert(*id, endpoint);
            }
            Ask::Namespace(id) => {
                self.namespaces.insert(*id, BTreeSet::new());
            }
            Ask::Delete(Kind::Network, id) => {
                self.networks.remove(id);
                let gone: Vec<Guid> = self
                    .endpoints
                    .iter()
                    .filter(|(_, endpoint)| endpoint.network == *id)
                    .map(|(id, _)| *id)
                    .collect();
                for id in gone {
                    self.forget(id);
                }
            }
            Ask::Delete(Kind::Endpoint, id) => self.forget(*id),
            Ask::Delete(_, id) => {
                self.namespaces.remove(id);
                for endpoint in self.endpoints.values_mut() {
                    endpoint.namespace = endpoint.namespace.filter(|own| own != id);
                }
            }
            Ask::Member(namespace, endpoint, add) => {
                let members = self.namespaces.get_mut(namespace).unwrap();
                let own = self.endpoints.get_mut(endpoint).unwrap();
                if *add {
                    members.insert(*endpoint);
                    own.namespace = Some(*namespace);
                } else {
                    members.remove(endpoint);
                    own.namespace = None;
                }
            }
            Ask::Policy(endpoint, verb, name) => {
                let own = self.endpoints.get_mut(endpoint).unwrap();
                if *verb == "Update" {
                    // Rules are replaced as a whole, ports stay (hns-behaviour 4.10).
                    own.policies.retain(|policy| !policy.starts_with("rule"));
                }
                own.policies.push(name.clone());
            }
        }
    }

    fn forget(&mut self, endpoint: Guid) {
        self.endpoints.remove(&endpoint);
        for members in self.namespaces.values_mut() {
            members.remove(&endpoint);
        }
    }

    /// Whether a store is as expected; an endpoint that nobody was told of may have any address, but must have one.
    pub fn agrees(&self, expected: &State) -> bool {
        self.networks == expected.networks
            && self.namespaces == expected.namespaces
            && self.endpoints.len() == expected.endpoints.len()
            && self.endpoints.iter().all(|(id, own)| {
                expected.endpoints.get(id).is_some_and(|wanted| {
                    own.network == wanted.network
                        && own.namespace == wanted.namespace
                        && own.policies == wanted.policies
                        && own.address.is_some()
                        && (wanted.address.is_none() || own.address == wanted.address)
                })
            })
    }
}

impl Endpoint {
    fn of(document: &Value) -> Endpoint {
        let policies = document["Policies"].as_array().into_iter().flatten();
        let namespace = document.get("HostComputeNamespace");
        let address = document["IpConfigurations"][0]["IpAddress"].as_str();
        let mac = document["MacAddress"].as_str();
        Endpoint {
            network: guid(document["HostComputeNetwork"].as_str().unwrap()),
            namespace: namespace.map(|id| guid(id.as_str().unwrap())),
            policies: policies
                .map(|policy| match policy["Settings"]["Id"].as_str() {
                    Some(id) => id.to_owned(),
                    None => policy["Settings"]["ExternalPort"].to_string(),
                })
                .collect(),
            address: address
                .zip(mac)
                .map(|(address, mac)| (address.to_owned(), mac.to_owned())),
        }
    }
}
