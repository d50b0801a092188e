// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compute systems: the containers that run, as the Host Compute Service tells of them to programs that put an endpoint on one.
//!
//! Apart from the seam because they belong to another service of Windows (`vmcompute.dll!Hcs…`); here because clients of HNS's version 1
//! reach a container through it (hns-clients 1.2). The containers are the simulated ones of the lab. What
//! changes is the endpoint alone, by the request that a runtime would send to HNS.

use std::sync::Arc;

use hcn_api::{Answer, HcnCode, Hns, HnsError};
use hcn_schema::Guid;
use hcn_service::Container;
use serde_json::{Value, json};

use crate::{connection::Connection, lab::Lab};

/// HCS's "the compute system with the given identifier does not exist", which hcsshim calls `ErrComputeSystemDoesNotExist`.
pub const HCS_E_SYSTEM_NOT_FOUND: HcnCode = HcnCode(0xc037_010e);
/// HCS's "the JSON document is invalid", which hcsshim calls `ErrVmcomputeInvalidJSON`.
pub const HCS_E_INVALID_JSON: HcnCode = HcnCode(0xc037_010d);
/// Windows' "the request is not supported", by which hcsshim knows what a platform does not have.
pub const ERROR_NOT_SUPPORTED: HcnCode = HcnCode(0x8007_0032);

/// The containers of a connection.
#[derive(Clone)]
pub struct ComputeSystems {
    hns: Arc<dyn Hns>,
    lab: Arc<dyn Lab>,
}

/// A container as it was when it was opened: another one of the same id is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputeSystem {
    id: String,
    created_ms: u64,
}

impl ComputeSystems {
    /// Those of a connection.
    pub fn of(connection: &Connection) -> Self {
        ComputeSystems {
            hns: connection.hns(),
            lab: connection.lab().clone(),
        }
    }

    /// Finds a container by its id.
    ///
    /// # Errors
    /// [`HCS_E_SYSTEM_NOT_FOUND`].
    pub fn open(&self, id: &str) -> Answer<ComputeSystem> {
        let container = self.find(|container| container.id == id, id)?;
        Ok(ComputeSystem {
            id: container.id,
            created_ms: container.created_ms,
        })
    }

    /// What HCS tells of a container when it is asked for nothing in particular.
    ///
    /// # Errors
    /// [`HCS_E_SYSTEM_NOT_FOUND`] where it is gone; [`HCS_E_INVALID_JSON`]; [`ERROR_NOT_SUPPORTED`] for properties that only a machine has.
    pub fn properties(&self, system: &ComputeSystem, query: &str) -> Answer<String> {
        let container = self.living(system)?;
        let wanted = match query {
            "" => Value::Null,
            _ => parsed(query)?["PropertyTypes"].take(),
        };
        if wanted.as_array().is_some_and(|types| !types.is_empty()) {
            return Err(HnsError::at(
                ERROR_NOT_SUPPORTED,
                "/PropertyTypes",
                format!("a simulated container has no {wanted}; ask for no types"),
            ));
        }
        Ok(json!({
            "Id": container.id,
            "Name": container.name,
            "SystemType": "Container",
            "RuntimeOsType": "Windows",
            "Owner": "hcnctl",
            "State": "Running",
        })
        .to_string())
    }

    /// Puts an endpoint on a container, or takes it off.
    ///
    /// # Errors
    /// [`HCS_E_SYSTEM_NOT_FOUND`] where it is gone; [`HCS_E_INVALID_JSON`]; [`ERROR_NOT_SUPPORTED`] for another resource or request; those of
    /// HNS.
    pub fn modify(&self, system: &ComputeSystem, configuration: &str) -> Answer<()> {
        let container = self.living(system)?;
        let request = parsed(configuration)?;
        if request["ResourceType"] != "Network" {
            return Err(HnsError::at(
                ERROR_NOT_SUPPORTED,
                "/ResourceType",
                "of a simulated container only a Network resource can be changed",
            ));
        }
        // A guess for an absent one: Add, the first of the enumeration.
        let verb = match request.get("RequestType").map(Value::as_str) {
            None | Some(Some("Add")) => "attach",
            Some(Some("Remove")) => "detach",
            _ => {
                return Err(HnsError::at(
                    ERROR_NOT_SUPPORTED,
                    "/RequestType",
                    "a Network resource can be added (Add) and removed (Remove)",
                ));
            }
        };
        let endpoint: Guid = request["Settings"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| {
                HnsError::at(
                    HCS_E_INVALID_JSON,
                    "/Settings",
                    "the settings of a Network resource are the id of an endpoint",
                )
            })?;
        let body = json!({"ContainerId": container.id, "SystemType": "Container"});
        self.hns
            .call(
                "POST",
                &format!("/endpoints/{endpoint}/{verb}"),
                &body.to_string(),
            )
            .map(drop)
    }

    fn living(&self, system: &ComputeSystem) -> Answer<Container> {
        self.find(
            |container| container.id == system.id && container.created_ms == system.created_ms,
            &system.id,
        )
    }

    fn find(&self, wanted: impl Fn(&Container) -> bool, id: &str) -> Answer<Container> {
        let all = self.lab.containers()?;
        all.into_iter().find(wanted).ok_or_else(|| {
            let short: String = id.chars().take(64).collect();
            HnsError::because(
                HCS_E_SYSTEM_NOT_FOUND,
                format!("no container with the id {short:?} runs; `hcnctl ps` lists those that do"),
            )
        })
    }
}

fn parsed(text: &str) -> Answer<Value> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(HnsError::because(
            HCS_E_INVALID_JSON,
            "the document is no object",
        )),
        Err(error) => Err(HnsError::because(
            HCS_E_INVALID_JSON,
            format!("the document is not readable: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use hcn_service::{NewContainer, NewEndpoint};

    use super::*;
    use crate::{Client, ConnectOptions, Target, connect};

    const ID: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

    /// An HNS with a container on one endpoint, and an endpoint that nobody has.
    struct Scene {
        folder: std::path::PathBuf,
        connection: Connection,
        free: Guid,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir()
                .join(format!("hcn-compute-system-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            let connection = connect(
                &Target::Embedded(Some(folder.clone())),
                ConnectOptions::default(),
            )
            .unwrap();
            let client = Client::new(connection.hns());
            let version = r#""SchemaVersion":{"Major":2,"Minor":0}"#;
            let network = client
                .create_network(&format!(r#"{{{version},"Name":"nat","Type":"NAT"}}"#))
                .unwrap();
            let free = client
                .create_endpoint(network, &format!(r#"{{{version},"Name":"free"}}"#))
                .unwrap();
            let scene = Scene {
                folder,
                connection,
                free,
            };
            scene.run(network);
            scene
        }

        fn run(&self, network: Guid) {
            let settings = json!({"Name": "own", "VirtualNetwork": network.to_string()});
            self.lab()
                .run_container(&NewContainer {
                    name: "pause".to_owned(),
                    id: Some(ID.to_owned()),
                    endpoint: NewEndpoint::Made {
                        network,
                        settings: settings.to_string(),
                        namespace: None,
                    },
                    listeners: Vec::new(),
                })
                .unwrap();
        }

        fn lab(&self) -> &Arc<dyn Lab> {
            self.connection.lab()
        }

        fn systems(&self) -> ComputeSystems {
            ComputeSystems::of(&self.connection)
        }

        /// What hcsshim looks at to know whether a container is on an endpoint.
        fn shared(&self) -> Value {
            let answer = self
                .connection
                .hns()
                .call("GET", &format!("/endpoints/{}", self.free), "")
                .unwrap();
            let mut answer: Value = serde_json::from_str(&answer).unwrap();
            answer["Output"]["SharedContainers"].take()
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn request(verb: &str, endpoint: Guid) -> String {
        // As hcsshim's ResourceModificationRequestResponse is written.
        json!({"ResourceType": "Network", "Settings": endpoint.to_string(), "RequestType": verb})
            .to_string()
    }

    #[test]
    fn an_endpoint_is_put_on_a_container_that_runs_and_taken_off() {
        let scene = Scene::new("attach");
        let systems = scene.systems();
        let system = systems.open(ID).unwrap();
        systems
            .modify(&system, &request("Add", scene.free))
            .unwrap();
        assert_eq!(scene.shared(), json!([ID]));
        // HNS's own code for the second time (hns-behaviour 3.1).
        let again = systems.modify(&system, &request("Add", scene.free));
        assert_eq!(
            again.unwrap_err().code,
            HcnCode::HCN_E_ENDPOINT_ALREADY_ATTACHED
        );
        systems
            .modify(&system, &request("Remove", scene.free))
            .unwrap();
        assert_eq!(scene.shared(), Value::Null);
    }

    #[test]
    fn a_container_that_does_not_run_is_not_found() {
        let scene = Scene::new("unknown");
        let systems = scene.systems();
        // 0xc037010e is what hcsshim compares with (internal/hcs/errors.go).
        assert_eq!(systems.open("none").unwrap_err().code.0, 0xc037_010e);
        let system = systems.open(ID).unwrap();
        scene.lab().remove_container("pause").unwrap();
        for answer in [
            systems.properties(&system, "").map(drop),
            systems.modify(&system, &request("Add", scene.free)),
        ] {
            assert_eq!(answer.unwrap_err().code.0, 0xc037_010e);
        }
        assert_eq!(scene.shared(), Value::Null);
    }

    #[test]
    fn the_properties_are_those_that_hcsshim_reads_when_it_opens_one() {
        let scene = Scene::new("properties");
        let systems = scene.systems();
        let system = systems.open(ID).unwrap();
        for query in ["", "{}", r#"{"PropertyTypes":null}"#] {
            let text = systems.properties(&system, query).unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(document["Id"], ID);
            assert_eq!(document["SystemType"], "Container");
            assert_eq!(document["RuntimeOsType"], "Windows");
        }
        let statistics = systems.properties(&system, r#"{"PropertyTypes":["Statistics"]}"#);
        assert_eq!(statistics.unwrap_err().code, ERROR_NOT_SUPPORTED);
    }

    #[test]
    fn what_cannot_be_done_to_a_container_is_said() {
        let scene = Scene::new("bad");
        let systems = scene.systems();
        let system = systems.open(ID).unwrap();
        let unknown: Guid = "deadbeef-dead-beef-0102-030405060708".parse().unwrap();
        for (configuration, code) in [
            ("{".to_owned(), HCS_E_INVALID_JSON),
            ("[]".to_owned(), HCS_E_INVALID_JSON),
            (
                r#"{"ResourceType":"Network","RequestType":"Add","Settings":{}}"#.to_owned(),
                HCS_E_INVALID_JSON,
            ),
            (
                r#"{"ResourceType":"Memory","RequestType":"Update"}"#.to_owned(),
                ERROR_NOT_SUPPORTED,
            ),
            (request("Update", scene.free), ERROR_NOT_SUPPORTED),
            (request("Add", unknown), HcnCode::HCN_E_ENDPOINT_NOT_FOUND),
            (
                request("Remove", scene.free),
                HcnCode::HCN_E_REQUEST_UNSUPPORTED,
            ),
        ] {
            let error = systems.modify(&system, &configuration).unwrap_err();
            assert_eq!(error.code, code, "{configuration}");
        }
        assert_eq!(scene.shared(), Value::Null);
    }
}
