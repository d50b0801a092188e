// SPDX-License-Identifier: MIT OR Apache-2.0
//! Block and allow while others change the same endpoint: nothing that anybody was told is done gets lost.

use std::{sync::Arc, thread};

use hcn::{
    Client, ConnectOptions, Target, connect,
    intent::{Intent, plan},
    owned::{carry_out, read_back},
    schema::{
        Guid, Policy,
        modify::RequestType,
        policy::{Acl, AclAction, AclDirection},
    },
};

const EACH: u16 = 40;

#[test]
fn rules_that_others_add_meanwhile_are_not_lost() {
    let folder = std::env::temp_dir().join(format!("hcn-intent-{}", std::process::id()));
    // A connection each, as processes have.
    let client = || {
        let connection = connect(
            &Target::Embedded(Some(folder.clone())),
            ConnectOptions::default(),
        )
        .unwrap();
        Client::new(connection.hns())
    };
    let setup = client();
    let network = setup
        .create_network(r#"{"SchemaVersion": {"Major": 2}, "Name": "nat"}"#)
        .unwrap();
    let endpoint = setup
        .create_endpoint(network, r#"{"SchemaVersion": {"Major": 2}}"#)
        .unwrap();

    let clients: [Arc<Client>; 3] = std::array::from_fn(|_| Arc::new(client()));
    thread::scope(|scope| {
        scope.spawn(|| (0..EACH).for_each(|number| add(&clients[0], endpoint, number)));
        scope.spawn(|| (0..EACH).for_each(|number| block(&clients[1], endpoint, 1000 + number)));
        scope.spawn(|| (0..EACH).for_each(|number| block(&clients[2], endpoint, 2000 + number)));
    });

    let rules: Vec<Acl> = setup
        .endpoint(endpoint)
        .unwrap()
        .policies
        .or_default()
        .iter()
        .map(Policy::settings_as)
        .collect();
    let ids: Vec<String> = rules.iter().map(|rule| rule.id.or_default()).collect();
    for number in 0..EACH {
        for wanted in [
            format!("theirs-{number}"),
            format!("hcnctl:in:6:{}:any", 1000 + number),
            format!("hcnctl:in:6:{}:any", 2000 + number),
        ] {
            assert_eq!(
                ids.iter().filter(|id| **id == wanted).count(),
                1,
                "{wanted} in {ids:?}"
            );
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn add(client: &Client, endpoint: Guid, number: u16) {
    let rule = Acl {
        action: AclAction::Block.into(),
        direction: AclDirection::In.into(),
        priority: 300.into(),
        id: format!("theirs-{number}").into(),
        ..Acl::default()
    };
    client
        .endpoint_policies(endpoint, RequestType::Add, &[Policy::new("ACL", &rule)])
        .unwrap();
}

fn block(client: &Client, endpoint: Guid, port: u16) {
    let intent = Intent {
        action: AclAction::Block,
        direction: AclDirection::In,
        protocol: Some(6),
        ports: Some((port, port)),
        peer: None,
    };
    let (_, plan) = carry_out(client, endpoint, |endpoint| plan(endpoint, &intent)).unwrap();
    read_back(client, endpoint, &plan).unwrap();
}
