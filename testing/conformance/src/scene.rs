// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a case makes and asks: objects of its own, which go when the scene does, and answers as JSON.

use std::{cell::RefCell, fmt::Debug};

use hcn_api::{Answer, HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

/// Subnet of a case's network. Windows allows one NAT prefix to be used once, and cases sit one after the other.
pub const SUBNET: &str = "192.168.100.0/24";

/// Every name that a case gives begins so, so that what an exam that was killed left behind is found.
pub const PREFIX: &str = "hcnctl-exam-";

/// A query for version 2 documents.
pub const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

/// Where a case takes place.
pub struct Scene<'a> {
    hns: &'a dyn Hns,
    made: RefCell<Vec<ObjectId>>,
}

/// A version 2 document with these members.
pub fn v2(members: Value) -> Value {
    let mut document = json!({"SchemaVersion": {"Major": 2, "Minor": 0}});
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    document
}

/// Two values are alike, or a finding.
pub fn equal<T: PartialEq + Debug>(what: &str, got: T, wanted: T) -> Result<(), String> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{what}: {got:?}, not {wanted:?}"))
}

/// Something holds, or a finding.
pub fn holds(what: &str, holds: bool) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    Err(format!("it does not hold that {what}"))
}

/// A call fails with a code, or a finding.
pub fn fails<T: Debug>(what: &str, answer: Answer<T>, code: HcnCode) -> Result<(), String> {
    match answer {
        Err(error) if error.code == code => Ok(()),
        Err(error) => Err(format!("{what}: fails with {error}, not with {code}")),
        Ok(value) => Err(format!(
            "{what}: succeeds with {value:?}, and should fail with {code}"
        )),
    }
}

/// A call succeeds, or a finding.
pub fn works<T>(what: &str, answer: Answer<T>) -> Result<T, String> {
    answer.map_err(|error| format!("{what}: {error}"))
}

impl<'a> Scene<'a> {
    /// A scene on an HNS.
    pub fn new(hns: &'a dyn Hns) -> Scene<'a> {
        Scene {
            hns,
            made: RefCell::default(),
        }
    }

    /// The HNS.
    pub fn hns(&self) -> &dyn Hns {
        self.hns
    }

    /// Lets an object go with the scene.
    pub fn own(&self, kind: Kind, id: Guid) -> Guid {
        self.made.borrow_mut().push(ObjectId { kind, id });
        id
    }

    /// Tries to make an object.
    pub fn try_create(
        &self,
        kind: Kind,
        network: Option<Guid>,
        id: Guid,
        document: &Value,
    ) -> Answer<Guid> {
        let made = self.hns.create(kind, network, id, &document.to_string())?;
        Ok(self.own(kind, made))
    }

    /// Makes a network with these members; a NAT network on [`SUBNET`] where they do not say otherwise.
    pub fn network(&self, members: Value) -> Result<Guid, String> {
        works("create a network", self.try_network(members))
    }

    /// Tries to make a network.
    pub fn try_network(&self, members: Value) -> Answer<Guid> {
        let mut document = v2(json!({
            "Name": format!("{PREFIX}net"),
            "Type": "NAT",
            "Ipams": [{"Type": "Static", "Subnets": [{
                "IpAddressPrefix": SUBNET,
                "Routes": [{"NextHop": "192.168.100.1", "DestinationPrefix": "0.0.0.0/0"}],
            }]}],
        }));
        merge(&mut document, members);
        self.try_create(Kind::Network, None, Guid::ZERO, &document)
    }

    /// The network of the overlay tests: VSID 5000.
    pub fn overlay(&self) -> Result<Guid, String> {
        self.network(json!({
            "Name": format!("{PREFIX}overlay"),
            "Type": "Overlay",
            "Flags": 8,
            "Ipams": [{"Type": "Static", "Subnets": [{
                "IpAddressPrefix": SUBNET,
                "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 5000}}],
                "Routes": [{"NextHop": "192.168.100.1", "DestinationPrefix": "0.0.0.0/0"}],
            }]}],
        }))
    }

    /// Makes an endpoint with these members.
    pub fn endpoint(&self, network: Guid, members: Value) -> Result<Guid, String> {
        works("create an endpoint", self.try_endpoint(network, members))
    }

    /// Tries to make an endpoint.
    pub fn try_endpoint(&self, network: Guid, members: Value) -> Answer<Guid> {
        let mut document = v2(json!({"Name": format!("{PREFIX}endpoint")}));
        merge(&mut document, members);
        self.try_create(Kind::Endpoint, Some(network), Guid::ZERO, &document)
    }

    /// Makes a namespace with these members.
    pub fn namespace(&self, members: Value) -> Result<Guid, String> {
        let made = self.try_create(Kind::Namespace, None, Guid::ZERO, &v2(members));
        works("create a namespace", made)
    }

    /// The document of an object, in version 2.
    pub fn document(&self, kind: Kind, id: Guid) -> Result<Value, String> {
        self.shaped(kind, id, V2)
    }

    /// The document of an object, as a query asks for it.
    pub fn shaped(&self, kind: Kind, id: Guid, query: &str) -> Result<Value, String> {
        let text = works("query", self.hns.query(ObjectId { kind, id }, query))?;
        serde_json::from_str(&text).map_err(|error| format!("the document is not JSON: {error}"))
    }

    /// Sends a modify request.
    pub fn modify(
        &self,
        kind: Kind,
        id: Guid,
        resource: &str,
        verb: &str,
        settings: Value,
    ) -> Answer<()> {
        let request = json!({"ResourceType": resource, "RequestType": verb, "Settings": settings});
        self.hns.modify(ObjectId { kind, id }, &request.to_string())
    }

    /// Sends policies to an endpoint.
    pub fn policies(&self, endpoint: Guid, verb: &str, policies: Value) -> Answer<()> {
        self.modify(
            Kind::Endpoint,
            endpoint,
            "Policy",
            verb,
            json!({"Policies": policies}),
        )
    }

    /// The policies of one type that an object has.
    pub fn policies_of(&self, kind: Kind, id: Guid, word: &str) -> Result<Vec<Value>, String> {
        let document = self.document(kind, id)?;
        let all = document["Policies"].as_array().cloned().unwrap_or_default();
        Ok(all
            .into_iter()
            .filter(|policy| policy["Type"] == word)
            .collect())
    }

    /// Ids that an enumeration tells.
    pub fn ids(&self, kind: Kind, query: &str) -> Result<Vec<Guid>, String> {
        let text = works("enumerate", self.hns.enumerate(kind, query))?;
        let ids: Vec<String> = serde_json::from_str(&text)
            .map_err(|error| format!("{text:?} is no list of texts: {error}"))?;
        ids.iter()
            .map(|id| {
                id.parse()
                    .map_err(|error| format!("the id {id:?} is {error}"))
            })
            .collect()
    }

    /// Ids of the objects that a filter matches.
    pub fn filtered(&self, kind: Kind, filter: &Value) -> Result<Vec<Guid>, String> {
        let query = v2(json!({"Flags": 0, "Filter": filter.to_string()}));
        self.ids(kind, &query.to_string())
    }

    /// `Output` of a version 1 call.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let text = works(
            &format!("{method} {path}"),
            self.hns.call(method, path, body),
        )?;
        let mut envelope: Value = serde_json::from_str(&text)
            .map_err(|error| format!("the envelope is not JSON: {error}"))?;
        equal("Success", &envelope["Success"], &json!(true))?;
        Ok(envelope["Output"].take())
    }

    /// Deletes an object.
    pub fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.hns.delete(ObjectId { kind, id })
    }
}

/// Puts members over those of a document.
fn merge(document: &mut Value, members: Value) {
    if let (Value::Object(document), Value::Object(members)) = (document, members) {
        for (key, value) in members {
            document.insert(key, value);
        }
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        // In reverse order. What the case deleted itself, or what went with its network, is gone: that is no failure.
        for object in self.made.borrow().iter().rev() {
            let _ = self.hns.delete(*object);
        }
    }
}
