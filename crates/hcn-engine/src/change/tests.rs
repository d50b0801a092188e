// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changes open and close, by hand; and that the sets are those of the packets that are judged otherwise.

use super::*;
use crate::{
    space::Cell,
    switch::tests::{Scene, flow},
    verdict::Decision,
};

const ONE: Guid = Guid(1);

fn texts(changes: &Changes, pick: impl Fn(&Change) -> Region) -> Vec<String> {
    let all = changes.changes.iter();
    all.flat_map(|change| {
        let cells = changes.space.cells(pick(change));
        cells
            .iter()
            .map(|cell: &Cell| format!("{} {cell}", change.direction))
            .collect::<Vec<_>>()
    })
    .collect()
}

const REST: [&str; 2] = [
    r#"{"Action":"Allow","Direction":"In","Priority":65500}"#,
    r#"{"Action":"Allow","Direction":"Out","Priority":65500}"#,
];

#[test]
fn a_block_closes_what_it_names_at_the_addresses_of_the_endpoint() {
    let before = Scene::with_acls(&[]).switch();
    let block = r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80","RemoteAddresses":"10.0.0.2","Priority":100}"#;
    let after = Scene::with_acls(&[block, REST[0], REST[1]]).switch();
    let changes = Changes::between(&before, &after, &[ONE], Family::V4);
    assert_eq!(texts(&changes, |change| change.opened), [""; 0]);
    assert_eq!(
        texts(&changes, |change| change.closed),
        ["In 10.0.0.2 -> 10.0.0.1 tcp 80"]
    );
    let changes = Changes::between(&after, &before, &[ONE], Family::V4);
    assert_eq!(
        texts(&changes, |change| change.opened),
        ["In 10.0.0.2 -> 10.0.0.1 tcp 80"]
    );
    let changes = Changes::between(&before, &after, &[ONE], Family::V6);
    assert_eq!(changes.changes, []);
}

#[test]
fn a_lone_block_closes_everything() {
    let before = Scene::with_acls(&[]).switch();
    let block =
        r#"{"Action":"Block","Direction":"Out","Protocols":"6","RemotePorts":"80","Priority":100}"#;
    let after = Scene::with_acls(&[block]).switch();
    let changes = Changes::between(&before, &after, &[ONE], Family::V6);
    let closed: Vec<_> = changes
        .changes
        .iter()
        .map(|change| (change.direction, change.closed == change.all))
        .collect();
    assert_eq!(closed, [(Direction::In, true), (Direction::Out, true)]);
}

#[test]
fn rules_that_decide_alike_change_nothing() {
    let one = Scene::with_acls(&[
        r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80-81","Priority":100}"#,
        REST[0],
        REST[1],
    ]);
    let two = Scene::with_acls(&[
        r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"81","Priority":7}"#,
        r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":9}"#,
        REST[0],
        REST[1],
        // About an address that the endpoint does not have.
        r#"{"Action":"Block","Direction":"In","LocalAddresses":"10.0.0.77","Priority":1}"#,
    ]);
    for family in [Family::V4, Family::V6] {
        let changes = Changes::between(&one.switch(), &two.switch(), &[ONE, Guid(2)], family);
        assert_eq!(changes.changes, []);
    }
}

#[test]
fn a_packet_is_in_a_set_exactly_where_the_ports_judge_it_otherwise() {
    let acl = |action: &str, ports: &str, peer: &str, priority: u32| {
        format!(
            r#"{{"Action":"{action}","Direction":"In","Protocols":"6","LocalPorts":"{ports}","RemoteAddresses":"{peer}","Priority":{priority}}}"#
        )
    };
    let lists: [&[String]; 5] = [
        &[],
        &[acl("Allow", "80", "10.0.0.2", 100)],
        &[acl("Block", "80-90", "", 100), acl("Allow", "", "", 200)],
        &[
            acl("Block", "85", "10.0.0.0/31", 100),
            acl("Allow", "80-89", "", 100),
        ],
        &[
            acl("Allow", "", "10.0.0.2,10.0.0.9", 50),
            acl("Block", "443", "10.0.0.2", 50),
        ],
    ];
    let switches: Vec<Switch> = lists
        .iter()
        .map(|list| {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            Scene::with_acls(&list).switch()
        })
        .collect();
    let mut differing = 0;
    for before in &switches {
        for after in &switches {
            let changes = Changes::between(before, after, &[ONE], Family::V4);
            for source in ["10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.0.10", "192.0.2.1"] {
                for port in [79, 80, 81, 85, 89, 90, 91, 443, 444] {
                    let flow = flow(&format!("tcp {source}:5000 -> 10.0.0.1:{port}"));
                    let judged = |switch: &Switch| {
                        let port = switch.port_of(ONE).unwrap();
                        switch.rule(port, Direction::In, &flow).decision == Decision::Allow
                    };
                    let (was, is) = (judged(before), judged(after));
                    let among = |pick: &dyn Fn(&Change) -> Region| {
                        let mut own = changes
                            .changes
                            .iter()
                            .filter(|change| change.direction == Direction::In);
                        own.any(|change| changes.space.contains(pick(change), &flow))
                    };
                    assert_eq!(among(&|change| change.opened), !was && is, "{flow}");
                    assert_eq!(among(&|change| change.closed), was && !is, "{flow}");
                    if among(&|change| change.all) {
                        assert_eq!(among(&|change| change.kept), was && is, "{flow}");
                    }
                    differing += usize::from(was != is);
                }
            }
        }
    }
    assert!(differing > 100, "the cases meet changes: {differing}");
}
