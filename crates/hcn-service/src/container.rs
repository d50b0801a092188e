// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated containers: a name, an endpoint, and what listens in it.
//!
//! HNS knows no containers, only their ids; these are kept beside it so that a probe has somebody to answer.

use hcn_api::{Answer, HcnCode, HnsError};
use hcn_schema::Guid;
use serde::{Deserialize, Serialize};

/// A port on which a container listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenPort {
    /// IANA protocol number: 6 or 17.
    pub protocol: u8,
    /// The port.
    pub port: u16,
}

/// A simulated container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name; unique.
    pub name: String,
    /// 64 hexadecimal digits; unique.
    pub id: String,
    /// Its endpoint.
    pub endpoint: Guid,
    /// Its namespace, where it has one.
    pub namespace: Option<Guid>,
    /// What listens in it.
    pub listeners: Vec<ListenPort>,
    /// When it was made, in milliseconds since 1970, UTC.
    pub created_ms: u64,
    /// Whether the endpoint was there before, made by somebody else, who is to delete it.
    pub adopted: bool,
}

/// A container to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContainer {
    /// Its name; unique.
    pub name: String,
    /// 64 hexadecimal digits; chosen where absent.
    pub id: Option<String>,
    /// Its endpoint.
    pub endpoint: NewEndpoint,
    /// What listens in it.
    pub listeners: Vec<ListenPort>,
}

/// Where the endpoint of a new container comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewEndpoint {
    /// It is made, and the container attached to it.
    Made {
        /// The network.
        network: Guid,
        /// Document of the endpoint, v1 or v2.
        settings: String,
        /// Document of the namespace, as containerd makes one; without, the container is attached by the v1 API, as docker does.
        namespace: Option<String>,
    },
    /// It is there: a CNI plugin or a runtime made it and attached what it wanted. HNS is asked for nothing.
    Adopted(Guid),
}

impl Container {
    /// The failure to find one by name.
    pub(crate) fn not_found(name: &str) -> HnsError {
        HnsError::because(
            HcnCode::ERROR_NOT_FOUND,
            format!("there is no container {name:?}"),
        )
    }
}

impl NewContainer {
    /// Refuses a name that a command line could not name again.
    ///
    /// # Errors
    /// `E_INVALIDARG`.
    pub fn refuse_bad_name(&self) -> Answer<()> {
        let name = self.name.as_str();
        let good = !name.is_empty()
        && name.len() <= 128
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "_.-".contains(character))
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        // These would be taken for the host, or for an address, wherever a container can be named.
        && name != "host"
        && name.parse::<std::net::IpAddr>().is_err();
        if good {
            return Ok(());
        }
        Err(HnsError::at(
            HcnCode::E_INVALIDARG,
            "name",
            format!(
                "{:?} is no name of a container; use up to 128 letters, digits, '_', '.' and '-', start with a letter or digit, and leave \"host\" and addresses alone",
                crate::document::cut(name)
            ),
        ))
    }
}
