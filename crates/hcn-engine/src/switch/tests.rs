// SPDX-License-Identifier: MIT OR Apache-2.0
//! Promises of the switch, by the sections of hns-behaviour that they come from.

mod documents;
mod layers;
mod next;
mod parts;
mod rules;
mod sets;
mod tiers;
mod walk_through;

use hcn_schema::Document;

use super::*;
use crate::{
    flow::Protocol,
    semantics::{DefaultDeny, SeveralSets, Tie},
};

/// Documents for a test: one network and endpoints on it. Endpoint `n` has the addresses 10.0.0.n and fd00::n.
pub(crate) struct Scene {
    network_type: &'static str,
    network_policies: Vec<String>,
    endpoints: Vec<(u128, Vec<String>, u32)>,
    semantics: Semantics,
}

pub(super) const NETWORK: Guid = Guid(0xabc);

impl Scene {
    pub(crate) fn new() -> Self {
        Scene {
            network_type: "L2Bridge",
            network_policies: Vec::new(),
            endpoints: Vec::new(),
            semantics: Semantics::default(),
        }
    }

    /// Endpoint 1 with these ACLs, and endpoint 2 without any.
    pub(crate) fn with_acls(acls: &[&str]) -> Self {
        let acls: Vec<String> = acls.iter().map(|acl| acl_policy(acl)).collect();
        Scene::new().endpoint(1, acls).endpoint(2, Vec::new())
    }

    pub(super) fn network_type(mut self, network_type: &'static str) -> Self {
        self.network_type = network_type;
        self
    }

    pub(super) fn network_policy(mut self, policy: impl Into<String>) -> Self {
        self.network_policies.push(policy.into());
        self
    }

    pub(crate) fn endpoint(mut self, number: u128, policies: Vec<String>) -> Self {
        self.endpoints.push((number, policies, 0));
        self
    }

    pub(super) fn flags(mut self, flags: u32) -> Self {
        self.endpoints.last_mut().expect("an endpoint is there").2 = flags;
        self
    }

    pub(super) fn semantics(mut self, change: impl FnOnce(&mut Semantics)) -> Self {
        change(&mut self.semantics);
        self
    }

    pub(super) fn documents(&self) -> Documents {
        let network = format!(
            r#"{{"ID":"{NETWORK}","Name":"net","Type":"{}","Policies":[{}],
                "Ipams":[{{"Subnets":[{{"IpAddressPrefix":"10.0.0.0/24","Routes":[{{"NextHop":"10.0.0.254","DestinationPrefix":"0.0.0.0/0"}}]}}]}}]}}"#,
            self.network_type,
            self.network_policies.join(",")
        );
        let endpoint = |(number, policies, flags): &(u128, Vec<String>, u32)| {
            let json = format!(
                r#"{{"ID":"{}","Name":"e{number}","HostComputeNetwork":"{NETWORK}","Flags":{flags},"MacAddress":"00-15-5D-00-00-{number:02X}",
                    "IpConfigurations":[{{"IpAddress":"10.0.0.{number}"}},{{"IpAddress":"fd00::{number}","PrefixLength":64}}],
                    "Policies":[{}]}}"#,
                Guid(*number),
                policies.join(",")
            );
            Endpoint::from_json(&json).expect("the test's JSON is good")
        };
        Documents {
            networks: vec![Network::from_json(&network).expect("the test's JSON is good")],
            endpoints: self.endpoints.iter().map(endpoint).collect(),
            ..Documents::default()
        }
    }

    pub(super) fn compile(&self) -> (Switch, Vec<Fault>) {
        Switch::compile(&self.documents(), &self.semantics)
    }

    /// The switch, which has no faults.
    pub(crate) fn switch(&self) -> Switch {
        let (switch, faults) = self.compile();
        assert_eq!(faults, []);
        switch
    }
}

pub(super) fn acl_policy(settings: &str) -> String {
    format!(r#"{{"Type":"ACL","Settings":{settings}}}"#)
}

/// `tcp 10.0.0.2:50000 -> 10.0.0.1:80`
pub(crate) fn flow(text: &str) -> Flow {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [protocol, source, "->", destination] = parts[..] else {
        panic!("{text:?} is no flow");
    };
    let protocol = Protocol::from_text(protocol).expect("a protocol");
    let end = |text: &str| match text.parse::<std::net::SocketAddr>() {
        Ok(end) => (end.ip(), end.port()),
        Err(_) => (text.parse().expect("an address"), 0),
    };
    let ((source, source_port), (destination, destination_port)) = (end(source), end(destination));
    Flow {
        source,
        destination,
        protocol,
        source_port,
        destination_port,
    }
}

pub(super) const ONE: PortIndex = PortIndex(0);

/// What endpoint 1's port does with a flow to it, or from it.
pub(super) fn at_one(switch: &Switch, text: &str) -> (Decision, Cause) {
    let flow = flow(text);
    let direction = match switch.port_with(flow.source) {
        Some(ONE) => Direction::Out,
        _ => Direction::In,
    };
    let ruling = switch.rule(ONE, direction, &flow);
    (ruling.decision, switch.cause(ONE, direction, &flow, ruling))
}

#[track_caller]
pub(super) fn allows(switch: &Switch, text: &str) {
    let (decision, cause) = at_one(switch, text);
    assert_eq!(decision, Decision::Allow, "{text}: {cause}");
}

#[track_caller]
pub(super) fn blocks(switch: &Switch, text: &str) {
    let (decision, cause) = at_one(switch, text);
    assert_eq!(decision, Decision::Block, "{text}: {cause}");
}

/// Pointer of the rule that decided.
#[track_caller]
pub(super) fn decider(switch: &Switch, text: &str) -> String {
    let (_, cause) = at_one(switch, text);
    cause
        .rule
        .unwrap_or_else(|| panic!("{text}: no rule but {:?}", cause.reason))
        .pointer
}
