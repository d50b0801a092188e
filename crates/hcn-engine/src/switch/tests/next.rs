// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a switch shares with the one that was compiled before it.

use super::*;

const IN: &str = r#"{"Action":"Allow","Direction":"In","Priority":100}"#;
const IN_WEB: &str =
    r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":50}"#;
const OUT: &str = r#"{"Action":"Allow","Direction":"Out","Priority":100}"#;

/// Endpoints 1 and 2 with these ACLs.
fn scene(first: &[&str], second: &[&str]) -> Scene {
    let policies = |acls: &[&str]| acls.iter().map(|acl| acl_policy(acl)).collect();
    let network = |acl: &str| format!(r#"{{"Type":"NetworkACL","Settings":{acl}}}"#);
    Scene::new()
        .network_policy(network(IN))
        .network_policy(network(OUT))
        .endpoint(1, policies(first))
        .endpoint(2, policies(second))
}

/// Which lists of a port the later switch finds as the earlier one: layer, direction and whether so.
fn shared(before: &Switch, after: &Switch, port: u32) -> Vec<(Layer, Direction, bool)> {
    let mut shared = Vec::new();
    for direction in [Direction::In, Direction::Out] {
        let [earlier, later] = [before, after].map(|switch| {
            let rules = switch.port_rules(PortIndex(port)).unwrap();
            rules.lists_of(direction)
        });
        for ((layer, earlier), (_, later)) in earlier.zip(later) {
            shared.push((layer, direction, later.is_found_as(earlier)));
        }
    }
    shared
}

#[test]
fn only_the_rules_that_changed_are_prepared_again() {
    let before = scene(&[IN, OUT], &[IN]).switch();
    // A rule before the others, so that all of them have other places now.
    let after = scene(&[IN_WEB, IN, OUT], &[IN]);
    let (after, faults) = before.compile_next(&after.documents(), &Semantics::default());
    assert_eq!(faults, []);
    assert_eq!(
        shared(&before, &after, 0),
        [
            (Layer::Network, Direction::In, true),
            (Layer::Switch, Direction::In, false),
            (Layer::Network, Direction::Out, true),
            (Layer::Switch, Direction::Out, true),
        ]
    );
    assert!(shared(&before, &after, 1).into_iter().all(|(_, _, is)| is));
    blocks(&after, "tcp 10.0.0.2:50000 -> 10.0.0.1:80");
    assert_eq!(
        decider(&after, "tcp 10.0.0.2:50000 -> 10.0.0.1:81"),
        "/Policies/1"
    );
    assert_eq!(
        decider(&after, "udp 10.0.0.1:1 -> 10.0.0.2:2"),
        "/Policies/2"
    );
}

#[test]
fn rules_follow_their_endpoint_when_ports_are_numbered_anew() {
    let before = scene(&[IN_WEB, IN], &[IN, OUT]).switch();
    let alone = Scene::new().endpoint(2, vec![acl_policy(IN), acl_policy(OUT)]);
    let (after, _) = before.compile_next(&alone.documents(), &Semantics::default());
    let port = after.port_with("10.0.0.2".parse().unwrap()).unwrap();
    let flow = flow("tcp 10.0.0.9:50000 -> 10.0.0.2:80");
    let ruling = after.rule(port, Direction::In, &flow);
    assert_eq!(ruling.decision, Decision::Allow);
}
