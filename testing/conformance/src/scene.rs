// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a case makes and asks: objects of its own, which go when the scene does, and answers as JSON.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use hcn_api::{Answer, HcnCode, Hns, Kind, ObjectId};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::finding::{Amiss, Finding};
pub use crate::finding::{equal, fails, has, holds, works};

/// Subnet of a case's network. Windows allows one NAT prefix to be used once, and cases sit one after the other.
pub const SUBNET: &str = "192.168.100.0/24";
/// Its gateway.
pub const GATEWAY: &str = "192.168.100.1";

/// Every name that a case gives begins so, so that what an exam that was killed left behind is found.
pub const PREFIX: &str = "hcnctl-exam-";

/// Upper half of the ids of objects that may lose their name: "hcnexam" and a zero.
const MARK: u128 = 0x6863_6e65_7861_6d00;

/// A query for version 2 documents.
pub const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

/// An id that nothing has.
pub const NOBODY: Guid = Guid(0xd00d_feed_0bad_4bad_8bad_0123_4567_89ab);

/// Why an endpoint is attached to the host only where that may be touched.
pub const HOST: &str = "an endpoint that is attached to the host takes part in its routing";

/// Types of networks that take no adapter of the host.
const INNER: [&str; 5] = ["", "NAT", "Internal", "Private", "ICS"];

/// Where a case takes place.
pub struct Scene<'a> {
    hns: &'a dyn Hns,
    external: bool,
    made: RefCell<Vec<ObjectId>>,
}

/// A version 2 document with these members.
pub fn v2(members: Value) -> Value {
    let mut document = json!({"SchemaVersion": {"Major": 2, "Minor": 0}});
    merge(&mut document, members);
    document
}

/// One policy of a type.
pub fn policy(word: &str, settings: Value) -> Value {
    json!({"Type": word, "Settings": settings})
}

/// A new id that tells that the exam made it.
pub fn marked() -> Guid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Different in each process, so that an exam makes nothing by the id of what a killed one left. Two exams at once disturb each
    // other all the same: the second sweeps away what the first is using.
    let start = now.map_or(0, |time| time.as_nanos() as u64);
    let low = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed) << 40);
    Guid(MARK << 64 | u128::from(low))
}

/// Whether an id is one of [`marked`].
pub fn is_marked(id: Guid) -> bool {
    id.0 >> 64 == MARK
}

/// A text member; empty where there is none.
pub fn text<'v>(document: &'v Value, key: &str) -> &'v str {
    document[key].as_str().unwrap_or_default()
}

/// How many items a list has; none where it is absent.
pub fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// The id that a document tells.
pub fn id_of(document: &Value) -> Finding<Guid> {
    text(document, "ID")
        .parse()
        .map_err(|error| Amiss::from(format!("the ID of {document} is {error}")))
}

impl<'a> Scene<'a> {
    /// A scene on an HNS, which may take adapters of the host or not.
    pub fn new(hns: &'a dyn Hns, external: bool) -> Scene<'a> {
        Scene {
            hns,
            external,
            made: RefCell::default(),
        }
    }

    /// The HNS.
    pub fn hns(&self) -> &dyn Hns {
        self.hns
    }

    /// Goes on only where what follows may touch the host itself.
    ///
    /// # Errors
    /// [`Amiss::Impossible`] with the reason.
    pub fn may(&self, what: &str) -> Finding {
        match self.external {
            true => Ok(()),
            false => Err(Amiss::Impossible(format!(
                "{what}, which --external allows"
            ))),
        }
    }

    /// Lets an object go with the scene.
    pub fn own(&self, kind: Kind, id: Guid) -> Guid {
        self.made.borrow_mut().push(ObjectId { kind, id });
        id
    }

    /// Tries to make an object; HNS chooses the id, unless the document does.
    pub fn try_create(&self, kind: Kind, network: Option<Guid>, document: &Value) -> Answer<Guid> {
        self.try_create_as(Guid::ZERO, kind, network, document)
    }

    /// Tries to make an object by an id.
    pub fn try_create_as(
        &self,
        id: Guid,
        kind: Kind,
        network: Option<Guid>,
        document: &Value,
    ) -> Answer<Guid> {
        let made = self.hns.create(kind, network, id, &document.to_string())?;
        Ok(self.own(kind, made))
    }

    /// Makes a network with these members; a NAT network on [`SUBNET`] where they do not say otherwise.
    pub fn network(&self, members: Value) -> Finding<Guid> {
        works("create a network", self.try_network(members)?)
    }

    /// Tries to make a network.
    ///
    /// # Errors
    /// [`Amiss::Impossible`] where the host has no adapter for it, or it is not to be taken.
    pub fn try_network(&self, members: Value) -> Finding<Answer<Guid>> {
        let mut document = v2(json!({
            "Name": format!("{PREFIX}net"),
            "Type": "NAT",
            "Ipams": [{"Type": "Static", "Subnets": [{
                "IpAddressPrefix": SUBNET,
                "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}],
            }]}],
        }));
        merge(&mut document, members);
        self.try_network_document(&document)
    }

    /// Tries to make a network of a document, of either version.
    ///
    /// # Errors
    /// As [`Scene::try_network`].
    pub fn try_network_document(&self, document: &Value) -> Finding<Answer<Guid>> {
        let word = match &document["Type"] {
            Value::Number(number) => match number.as_u64() {
                Some(0) => "NAT",
                Some(1) => "ICS",
                Some(6) => "Private",
                Some(7) => "Internal",
                _ => "external",
            }
            .to_owned(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let is_known = |words: &[&str]| words.iter().any(|own| own.eq_ignore_ascii_case(&word));
        let is_external = !is_known(&INNER) && !word.starts_with("NoSuch");
        if is_external {
            self.may("its network takes an adapter of the host")?;
        }
        let answer = self.try_create(Kind::Network, None, document);
        match &answer {
            Err(error) if lacks_the_host(error.code, is_external) => Err(Amiss::Impossible(
                format!("a network of type {word}: {error}"),
            )),
            _ => Ok(answer),
        }
    }

    /// The network of the overlay tests: VSID 5000.
    pub fn overlay(&self) -> Finding<Guid> {
        self.overlay_with(json!({}))
    }

    /// An overlay network with these members.
    pub fn overlay_with(&self, members: Value) -> Finding<Guid> {
        let mut overlay = json!({
            "Name": format!("{PREFIX}overlay"),
            "Type": "Overlay",
            "Flags": 8,
            "Ipams": [{"Type": "Static", "Subnets": [{
                "IpAddressPrefix": SUBNET,
                "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 5000}}],
                "Routes": [{"NextHop": GATEWAY, "DestinationPrefix": "0.0.0.0/0"}],
            }]}],
        });
        merge(&mut overlay, members);
        self.network(overlay)
    }

    /// An L2Bridge network.
    pub fn bridge(&self) -> Finding<Guid> {
        self.network(json!({"Type": "L2Bridge", "Flags": 8}))
    }

    /// Makes an endpoint with these members.
    pub fn endpoint(&self, network: Guid, members: Value) -> Finding<Guid> {
        works("create an endpoint", self.try_endpoint(network, members))
    }

    /// Tries to make an endpoint.
    pub fn try_endpoint(&self, network: Guid, members: Value) -> Answer<Guid> {
        let mut document = v2(json!({"Name": format!("{PREFIX}endpoint")}));
        merge(&mut document, members);
        self.try_create(Kind::Endpoint, Some(network), &document)
    }

    /// Makes an endpoint with these policies on a new NAT network.
    pub fn endpoint_with(&self, policies: Value) -> Finding<Guid> {
        let network = self.network(json!({}))?;
        self.endpoint(network, json!({"Policies": policies}))
    }

    /// Makes an endpoint on a new NAT network.
    pub fn any_endpoint(&self) -> Finding<Guid> {
        let network = self.network(json!({}))?;
        self.endpoint(network, json!({}))
    }

    /// Makes a namespace with these members.
    pub fn namespace(&self, members: Value) -> Finding<Guid> {
        works("create a namespace", self.try_namespace(members))
    }

    /// Tries to make a namespace; its id is marked, as HNS may not keep a name.
    pub fn try_namespace(&self, members: Value) -> Answer<Guid> {
        let mut document = v2(json!({"ID": marked().to_string()}));
        merge(&mut document, members);
        self.try_create(Kind::Namespace, None, &document)
    }

    /// An endpoint on a new NAT network in a new namespace: namespace and endpoint.
    pub fn attached(&self) -> Finding<(Guid, Guid)> {
        let endpoint = self.any_endpoint()?;
        let namespace = self.namespace(json!({}))?;
        works("attach", self.attach(namespace, "Add", endpoint))?;
        Ok((namespace, endpoint))
    }

    /// Puts an endpoint into a namespace, or takes it out.
    pub fn attach(&self, namespace: Guid, verb: &str, endpoint: Guid) -> Answer<()> {
        let settings = json!({"EndpointId": endpoint.to_string()});
        self.modify(Kind::Namespace, namespace, "Endpoint", verb, settings)
    }

    /// Puts a container of 64 such digits into a namespace, or takes it out.
    pub fn join(&self, namespace: Guid, verb: &str, digit: &str) -> Answer<()> {
        let settings = json!({"ContainerId": digit.repeat(64)});
        self.modify(Kind::Namespace, namespace, "Container", verb, settings)
    }

    /// The document of an object, in version 2.
    pub fn document(&self, kind: Kind, id: Guid) -> Finding<Value> {
        self.shaped(kind, id, V2)
    }

    /// The document of an object, in version 1.
    pub fn one(&self, kind: Kind, id: Guid) -> Finding<Value> {
        self.shaped(kind, id, "")
    }

    /// The document of an object, as a query asks for it; one that tells another id, or none, is a finding in every case.
    pub fn shaped(&self, kind: Kind, id: Guid, query: &str) -> Finding<Value> {
        let text = works("query", self.hns.query(ObjectId { kind, id }, query))?;
        let document = read("the document", &text)?;
        equal("ID", id_of(&document)?, id)?;
        Ok(document)
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
        self.request(kind, id, &request)
    }

    /// Sends a modify request as it is.
    pub fn request(&self, kind: Kind, id: Guid, request: &Value) -> Answer<()> {
        self.hns.modify(ObjectId { kind, id }, &request.to_string())
    }

    /// Sends policies to an endpoint.
    pub fn policies(&self, endpoint: Guid, verb: &str, policies: Value) -> Answer<()> {
        let settings = json!({"Policies": policies});
        self.modify(Kind::Endpoint, endpoint, "Policy", verb, settings)
    }

    /// Sends policies to a network.
    pub fn network_policies(&self, network: Guid, verb: &str, policies: Value) -> Answer<()> {
        let settings = json!({"Policies": policies});
        self.modify(Kind::Network, network, "Policy", verb, settings)
    }

    /// The policies of one type that an object has.
    pub fn policies_of(&self, kind: Kind, id: Guid, word: &str) -> Finding<Vec<Value>> {
        let document = self.document(kind, id)?;
        let all = document["Policies"].as_array().cloned().unwrap_or_default();
        let wanted = all.into_iter().filter(|policy| policy["Type"] == word);
        Ok(wanted.collect())
    }

    /// The settings of the one policy of a type that an object has.
    pub fn settings(&self, kind: Kind, id: Guid, word: &str) -> Finding<Value> {
        let found = self.policies_of(kind, id, word)?;
        equal(&format!("policies of type {word}"), found.len(), 1)?;
        Ok(found[0]["Settings"].clone())
    }

    /// The rules of an endpoint.
    pub fn rules(&self, endpoint: Guid) -> Finding<Vec<Value>> {
        self.policies_of(Kind::Endpoint, endpoint, "ACL")
    }

    /// Ids that an enumeration tells.
    pub fn ids(&self, kind: Kind, query: &str) -> Finding<Vec<Guid>> {
        let text = works("enumerate", self.hns.enumerate(kind, query))?;
        let ids: Vec<String> = serde_json::from_str(&text)
            .map_err(|error| format!("{text:?} is no list of texts: {error}"))?;
        let id = |id: &String| {
            id.parse()
                .map_err(|error| Amiss::from(format!("the id {id:?} is {error}")))
        };
        ids.iter().map(id).collect()
    }

    /// Ids of the objects that a filter matches.
    pub fn filtered(&self, kind: Kind, filter: &Value) -> Finding<Vec<Guid>> {
        let query = v2(json!({"Flags": 0, "Filter": filter.to_string()}));
        self.ids(kind, &query.to_string())
    }

    /// `Output` of a version 1 call.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Finding<Value> {
        let answer = self.hns.call(method, path, body);
        let text = works(&format!("{method} {path}"), answer)?;
        let mut envelope = read("the envelope", &text)?;
        equal("Success", &envelope["Success"], &json!(true))?;
        Ok(envelope["Output"].take())
    }

    /// Makes an object by version 1 and tells its document.
    pub fn post(&self, kind: Kind, body: &Value) -> Finding<Value> {
        let path = match kind {
            Kind::Network => "/networks/",
            Kind::Endpoint => "/endpoints/",
            Kind::Namespace => "/namespaces/",
            Kind::LoadBalancer | Kind::SdnRoute => "/policylists/",
            Kind::GuestNetworkService => "/guestnetworkservices/",
        };
        let made = self.call("POST", path, &body.to_string())?;
        self.own(kind, id_of(&made)?);
        Ok(made)
    }

    /// A NAT network by version 1.
    pub fn post_network(&self, members: Value) -> Finding<Value> {
        let mut body = json!({
            "Name": format!("{PREFIX}v1"), "Type": "nat",
            "Subnets": [{"AddressPrefix": SUBNET, "GatewayAddress": GATEWAY}],
        });
        merge(&mut body, members);
        self.post(Kind::Network, &body)
    }

    /// An endpoint by version 1 on a network that version 1 told.
    pub fn post_endpoint(&self, network: &Value, members: Value) -> Finding<Value> {
        let mut body = json!({"Name": format!("{PREFIX}v1"), "VirtualNetwork": network["ID"]});
        merge(&mut body, members);
        self.post(Kind::Endpoint, &body)
    }

    /// Deletes an object.
    pub fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.hns.delete(ObjectId { kind, id })
    }

    /// Whether there is such an object.
    pub fn open(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.hns.open(ObjectId { kind, id })
    }
}

/// Codes by which a host says that it lacks what a network of the type needs.
fn lacks_the_host(code: HcnCode, external: bool) -> bool {
    const ADAPTER: [HcnCode; 4] = [
        HcnCode::HCN_E_ADAPTER_NOT_FOUND,
        HcnCode::HCN_E_SWITCH_NOT_FOUND,
        HcnCode::HCN_E_LAYER_NOT_FOUND,
        HcnCode::HCN_E_VFP_NOT_ALLOWED,
    ];
    code == HcnCode::HCN_E_ICS_DISABLED || external && ADAPTER.contains(&code)
}

fn read(what: &str, text: &str) -> Finding<Value> {
    serde_json::from_str(text).map_err(|error| format!("{what} is not JSON: {error}").into())
}

/// Puts members over those of a document.
pub fn merge(document: &mut Value, members: Value) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_ids_differ_and_are_known_again() {
        let (one, other) = (marked(), marked());
        assert_ne!(one, other);
        assert!(is_marked(one) && is_marked(other) && !is_marked(NOBODY));
        assert!(one.to_string().starts_with("68636e65-7861-6d00-"), "{one}");
    }
}
