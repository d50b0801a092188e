// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed calls: ids and documents instead of text.

use std::sync::Arc;

use hcn_api::{Answer, HcnCode, Hns, HnsError, HnsVersion, Kind, ObjectId};
use hcn_schema::{
    Document, Endpoint, Guid, Namespace, Network, Policy, Query,
    globals::Version,
    modify::{EndpointResourceType, NetworkResourceType, RequestType},
    namespace::NamespaceResourceType,
    v1::Envelope,
};
use serde_json::{Value, json};

/// A client of an HNS.
#[derive(Clone)]
pub struct Client {
    hns: Arc<dyn Hns>,
}

impl Client {
    /// A client of this HNS.
    pub fn new(hns: Arc<dyn Hns>) -> Self {
        Client { hns }
    }

    /// The HNS behind it.
    pub fn hns(&self) -> &dyn Hns {
        &*self.hns
    }

    /// Version of the HNS.
    ///
    /// # Errors
    /// Those of the call.
    pub fn version(&self) -> Answer<HnsVersion> {
        let envelope: Envelope =
            parsed(&self.hns.call("GET", "/globals/version", "")?, "the answer")?;
        let version =
            Version::from_value(envelope.output.get().unwrap_or(&Value::Null)).unwrap_or_default();
        Ok(HnsVersion::new(
            version.major.or_default(),
            version.minor.or_default(),
        ))
    }

    /// All networks that match; [`Query::v2`] asks for all.
    ///
    /// # Errors
    /// Those of [`Hns::list`].
    pub fn networks(&self, query: &Query) -> Answer<Vec<Network>> {
        self.list(Kind::Network, query)
    }

    /// All endpoints that match.
    ///
    /// # Errors
    /// Those of [`Hns::list`].
    pub fn endpoints(&self, query: &Query) -> Answer<Vec<Endpoint>> {
        self.list(Kind::Endpoint, query)
    }

    /// All namespaces that match.
    ///
    /// # Errors
    /// Those of [`Hns::list`].
    pub fn namespaces(&self, query: &Query) -> Answer<Vec<Namespace>> {
        self.list(Kind::Namespace, query)
    }

    /// A network.
    ///
    /// # Errors
    /// `HCN_E_NETWORK_NOT_FOUND`.
    pub fn network(&self, id: Guid) -> Answer<Network> {
        self.one(Kind::Network, id)
    }

    /// An endpoint.
    ///
    /// # Errors
    /// `HCN_E_ENDPOINT_NOT_FOUND`.
    pub fn endpoint(&self, id: Guid) -> Answer<Endpoint> {
        self.one(Kind::Endpoint, id)
    }

    /// A namespace.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND`.
    pub fn namespace(&self, id: Guid) -> Answer<Namespace> {
        self.one(Kind::Namespace, id)
    }

    /// Makes a network.
    ///
    /// # Errors
    /// Those of [`Hns::create`].
    pub fn create_network(&self, settings: &str) -> Answer<Guid> {
        self.hns.create(Kind::Network, None, Guid::ZERO, settings)
    }

    /// Makes an endpoint on a network.
    ///
    /// # Errors
    /// Those of [`Hns::create`].
    pub fn create_endpoint(&self, network: Guid, settings: &str) -> Answer<Guid> {
        self.hns
            .create(Kind::Endpoint, Some(network), Guid::ZERO, settings)
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// Those of [`Hns::create`].
    pub fn create_namespace(&self, settings: &str) -> Answer<Guid> {
        self.hns.create(Kind::Namespace, None, Guid::ZERO, settings)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// [`Kind::not_found`].
    pub fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.hns.delete(ObjectId { kind, id })
    }

    /// Sends policies to an endpoint as they are: Add appends, Update replaces, Remove takes away.
    ///
    /// # Errors
    /// Those of [`Hns::modify`].
    pub fn endpoint_policies(
        &self,
        id: Guid,
        verb: RequestType,
        policies: &[Policy],
    ) -> Answer<()> {
        let request = policy_request(EndpointResourceType::Policy.text(), verb, policies);
        self.hns.modify(
            ObjectId {
                kind: Kind::Endpoint,
                id,
            },
            &request,
        )
    }

    /// Sends policies to a network as they are.
    ///
    /// # Errors
    /// Those of [`Hns::modify`].
    pub fn network_policies(&self, id: Guid, verb: RequestType, policies: &[Policy]) -> Answer<()> {
        let request = policy_request(NetworkResourceType::Policy.text(), verb, policies);
        self.hns.modify(
            ObjectId {
                kind: Kind::Network,
                id,
            },
            &request,
        )
    }

    /// Puts an endpoint into a namespace, or takes it out.
    ///
    /// # Errors
    /// Those of [`Hns::modify`].
    pub fn namespace_endpoint(
        &self,
        namespace: Guid,
        verb: RequestType,
        endpoint: Guid,
    ) -> Answer<()> {
        let request = json!({
            "ResourceType": NamespaceResourceType::Endpoint.text(),
            "RequestType": verb.text(),
            "Settings": {"EndpointId": endpoint.to_string()},
        });
        self.hns.modify(
            ObjectId {
                kind: Kind::Namespace,
                id: namespace,
            },
            &request.to_string(),
        )
    }

    fn list<T: Document>(&self, kind: Kind, query: &Query) -> Answer<Vec<T>> {
        self.hns
            .list(kind, &query.text())?
            .iter()
            .map(|text| parsed(text, kind.words()))
            .collect()
    }

    fn one<T: Document>(&self, kind: Kind, id: Guid) -> Answer<T> {
        parsed(
            &self.hns.query(ObjectId { kind, id }, &Query::v2().text())?,
            kind.words(),
        )
    }
}

/// A modify request about policies.
pub(crate) fn policy_request(resource: &str, verb: RequestType, policies: &[Policy]) -> String {
    let policies: Vec<Value> = policies.iter().map(Document::to_value).collect();
    json!({"ResourceType": resource, "RequestType": verb.text(), "Settings": {"Policies": policies}}).to_string()
}

/// What HNS answered, as a document.
fn parsed<T: Document>(text: &str, what: &str) -> Answer<T> {
    T::from_json(text).map_err(|error| {
        HnsError::because(
            HcnCode::HCN_E_INVALID_JSON,
            format!("HNS answered with a {what} that is not a JSON object: {error}"),
        )
    })
}
