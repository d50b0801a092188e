// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of flows: hns-behaviour 4.6 and 4.16, section 8 Q10 and Q11.

use hcn_schema::{Document, Endpoint, Guid, Network};

use super::*;
use crate::{
    flow::Protocol,
    semantics::Semantics,
    switch::Documents,
    verdict::{Layer, Reason},
};

const SYN: TcpFlags = TcpFlags {
    syn: true,
    ack: false,
    fin: false,
    rst: false,
};
const ACK: TcpFlags = TcpFlags {
    syn: false,
    ack: true,
    fin: false,
    rst: false,
};
const FIN: TcpFlags = TcpFlags { fin: true, ..ACK };
const RST: TcpFlags = TcpFlags { rst: true, ..ACK };

/// Endpoint 1 has 10.0.0.1, endpoint 2 has 10.0.0.2, and so on; ACLs are given as `Settings` objects.
fn switch_of(endpoints: &[(u128, &[&str])], semantics: &Semantics) -> Switch {
    let network = r#"{"ID":"00000000-0000-0000-0000-00000000000a","Type":"L2Bridge"}"#;
    let endpoints = endpoints.iter().map(|(id, acls)| {
        let policies: Vec<String> = acls
            .iter()
            .map(|acl| format!(r#"{{"Type":"ACL","Settings":{acl}}}"#))
            .collect();
        let json = format!(
            r#"{{"ID":"{}","HostComputeNetwork":"00000000-0000-0000-0000-00000000000a",
                "IpConfigurations":[{{"IpAddress":"10.0.0.{id}","PrefixLength":24}}],"Policies":[{}]}}"#,
            Guid(*id),
            policies.join(",")
        );
        Endpoint::from_json(&json).unwrap()
    });
    let documents = Documents {
        endpoints: endpoints.collect(),
        networks: vec![Network::from_json(network).unwrap()],
        ..Documents::default()
    };
    let (switch, faults) = Switch::compile(&documents, semantics);
    assert_eq!(faults, []);
    switch
}

/// Endpoint 1 with these ACLs.
fn switch(acls: &[&str]) -> Switch {
    switch_of(&[(1, acls)], &Semantics::default())
}

const ALLOW_IN_80: &str =
    r#"{"Action":"Allow","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":100}"#;
const ALLOW_IN_UDP: &str = r#"{"Action":"Allow","Direction":"In","Protocols":"17","Priority":100}"#;
const ALLOW_IN_ICMP: &str = r#"{"Action":"Allow","Direction":"In","Protocols":"1","Priority":100}"#;
const BLOCK_IN_80: &str =
    r#"{"Action":"Block","Direction":"In","Protocols":"6","LocalPorts":"80","Priority":50}"#;

const PORT: PortIndex = PortIndex(0);

/// From 10.0.0.99 to endpoint 1.
fn flow(protocol: Protocol, source_port: u16, destination_port: u16) -> Flow {
    Flow {
        source: "10.0.0.99".parse().unwrap(),
        destination: "10.0.0.1".parse().unwrap(),
        protocol,
        source_port,
        destination_port,
    }
}

fn web() -> Flow {
    flow(Protocol::TCP, 50_000, 80)
}

/// A table with what it is asked about.
struct Table {
    switch: Switch,
    flows: FlowTable,
}

impl Table {
    fn new(acls: &[&str]) -> Self {
        Table {
            switch: switch(acls),
            flows: FlowTable::default(),
        }
    }

    fn tcp(&mut self, direction: Direction, flow: Flow, flags: TcpFlags, now_ms: u64) -> Ruling {
        let flags = Some(flags);
        self.flows
            .admit(&self.switch, PORT, direction, &flow, flags, now_ms)
    }

    fn udp(&mut self, direction: Direction, flow: Flow, now_ms: u64) -> Ruling {
        self.flows
            .admit(&self.switch, PORT, direction, &flow, None, now_ms)
    }

    fn change(&mut self, to: Switch) {
        self.flows.rules_changed(&self.switch, &to);
        self.switch = to;
    }
}

#[track_caller]
fn passes(ruling: Ruling) {
    assert_eq!(ruling.decision, Decision::Allow, "{ruling:?}");
    assert_eq!(ruling.reason, Reason::Established, "{ruling:?}");
}

#[track_caller]
fn blocks(ruling: Ruling) {
    assert_eq!(ruling.decision, Decision::Block, "{ruling:?}");
}

#[test]
fn answers_pass_without_a_rule_of_their_own() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    blocks(table.tcp(Direction::Out, web().reverse(), ACK, 0));
    let opened = table.tcp(Direction::In, web(), SYN, 0);
    assert_eq!(opened.decision, Decision::Allow);
    assert_eq!(opened.reason, Reason::Rule(0));
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 1));
    passes(table.tcp(Direction::In, web(), ACK, 2));
    assert_eq!(table.tcp(Direction::In, web(), ACK, 2).layer, Layer::Switch);
}

#[test]
fn only_the_very_flow_is_open() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    let answer = web().reverse();
    for other in [
        Flow {
            destination_port: 50_001,
            ..answer
        },
        Flow {
            source_port: 81,
            ..answer
        },
        Flow {
            destination: "10.0.0.98".parse().unwrap(),
            ..answer
        },
        Flow {
            source: "10.0.0.3".parse().unwrap(),
            ..answer
        },
        Flow {
            protocol: Protocol::SCTP,
            ..answer
        },
    ] {
        blocks(table.tcp(Direction::Out, other, ACK, 0));
    }
    // The same five parts in the same order, but crossing the port the other way: who is local differs.
    blocks(table.tcp(Direction::Out, web(), ACK, 0));
    // At another port nothing is open.
    let two = switch_of(
        &[(1, &[ALLOW_IN_80]), (2, &[ALLOW_IN_80])],
        &Semantics::default(),
    );
    let mut flows = FlowTable::default();
    flows.admit(&two, PORT, Direction::In, &web(), Some(SYN), 0);
    blocks(flows.admit(&two, PortIndex(1), Direction::Out, &answer, Some(ACK), 0));
}

#[test]
fn addresses_that_look_alike_in_two_families_are_told_apart() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    let alike = Flow {
        source: "::a00:1".parse().unwrap(),
        destination: "::a00:63".parse().unwrap(),
        ..web().reverse()
    };
    blocks(table.tcp(Direction::Out, alike, ACK, 0));
}

#[test]
fn blocked_packets_open_nothing() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    blocks(table.tcp(Direction::Out, web().reverse(), SYN, 0));
    assert!(table.flows.is_empty());
    table.tcp(Direction::In, web(), SYN, 0);
    assert_eq!(table.flows.len(), 1);
}

#[test]
fn a_packet_in_the_middle_of_a_connection_is_judged_as_if_it_opened_it() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    assert_eq!(
        table.tcp(Direction::In, web(), ACK, 0).reason,
        Reason::Rule(0)
    );
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 0));
}

#[test]
fn an_idle_flow_is_forgotten_after_its_time_and_not_before() {
    let udp = flow(Protocol::UDP, 5000, 53);
    let mut table = Table::new(&[ALLOW_IN_UDP, ALLOW_IN_80]);
    table.udp(Direction::In, udp, 0);
    passes(table.udp(Direction::Out, udp.reverse(), 240_000));
    // The answer kept it alive.
    passes(table.udp(Direction::Out, udp.reverse(), 480_000));
    blocks(table.udp(Direction::Out, udp.reverse(), 720_001));
    table.tcp(Direction::In, web(), SYN, 0);
    blocks(table.tcp(Direction::Out, web().reverse(), ACK, 240_001));
}

#[test]
fn the_idle_time_is_that_of_the_semantics() {
    let semantics = Semantics {
        flow_idle_ms: 1_000,
        ..Semantics::default()
    };
    let udp = flow(Protocol::UDP, 5000, 53);
    let switch = switch_of(&[(1, &[ALLOW_IN_UDP])], &semantics);
    let mut flows = FlowTable::default();
    flows.admit(&switch, PORT, Direction::In, &udp, None, 0);
    blocks(flows.admit(&switch, PORT, Direction::Out, &udp.reverse(), None, 1_001));
}

#[test]
fn echoes_are_told_apart_by_their_identifier() {
    let echo = flow(Protocol::ICMP, 7, 7);
    let mut table = Table::new(&[ALLOW_IN_ICMP]);
    table.udp(Direction::In, echo, 0);
    passes(table.udp(Direction::Out, echo.reverse(), 0));
    blocks(table.udp(Direction::Out, flow(Protocol::ICMP, 8, 8).reverse(), 0));
}

#[test]
fn a_connection_ends_with_a_fin_of_both_sides_and_its_last_packets_pass() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    passes(table.tcp(Direction::In, web(), FIN, 1));
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 2));
    passes(table.tcp(Direction::Out, web().reverse(), FIN, 1_000));
    passes(table.tcp(Direction::In, web(), ACK, 1_001));
    passes(table.tcp(Direction::Out, web().reverse(), FIN, 11_000));
    // Packets of a closed connection do not keep it alive.
    blocks(table.tcp(Direction::Out, web().reverse(), FIN, 11_001));
}

#[test]
fn one_fin_closes_nothing() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    passes(table.tcp(Direction::In, web(), FIN, 0));
    passes(table.tcp(Direction::In, web(), FIN, 0));
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 200_000));
}

#[test]
fn a_reset_ends_a_connection_at_once() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    passes(table.tcp(Direction::Out, web().reverse(), RST, 0));
    blocks(table.tcp(Direction::Out, web().reverse(), ACK, 10_001));
}

#[test]
fn a_new_connection_on_a_closed_one_is_judged_anew() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    table.tcp(Direction::In, web(), RST, 0);
    // Outward there is no rule: what was allowed inward does not open it.
    blocks(table.tcp(Direction::Out, web().reverse(), SYN, 1));
    table.tcp(Direction::In, web(), SYN, 2);
    table.tcp(Direction::In, web(), RST, 2);
    assert_eq!(
        table.tcp(Direction::In, web(), SYN, 3).reason,
        Reason::Rule(0)
    );
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 200_000));
}

#[test]
fn a_reset_opens_nothing() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    assert_eq!(
        table.tcp(Direction::In, web(), RST, 0).decision,
        Decision::Allow
    );
    assert!(table.flows.is_empty());
}

#[test]
fn a_new_block_cuts_an_open_flow_at_its_next_packet_in_either_direction() {
    for (direction, packet) in [(Direction::In, web()), (Direction::Out, web().reverse())] {
        let mut table = Table::new(&[ALLOW_IN_80]);
        table.tcp(Direction::In, web(), SYN, 0);
        table.change(switch(&[ALLOW_IN_80, BLOCK_IN_80]));
        let cut = table.tcp(direction, packet, ACK, 1);
        blocks(cut);
        // The cause is the rule against the flow as it was opened, whichever packet met it.
        let cause = table.switch.cause(PORT, direction, &packet, cut);
        assert_eq!(cause.rule.unwrap().pointer, "/Policies/1");
        assert!(table.flows.is_empty());
    }
}

#[test]
fn a_flow_that_stays_allowed_lives_through_a_change_of_the_rules() {
    let mut table = Table::new(&[ALLOW_IN_80]);
    table.tcp(Direction::In, web(), SYN, 0);
    table.change(switch(&[ALLOW_IN_UDP, ALLOW_IN_80]));
    // The answer has no rule of its own now either: it was judged as part of the flow that was opened inward.
    passes(table.tcp(Direction::Out, web().reverse(), ACK, 1));
    passes(table.tcp(Direction::In, web(), ACK, 1));
}

#[test]
fn open_flows_are_left_alone_where_the_semantics_say_so() {
    let semantics = Semantics {
        rejudge_open_flows: false,
        ..Semantics::default()
    };
    let before = switch_of(&[(1, &[ALLOW_IN_80])], &semantics);
    let after = switch_of(&[(1, &[BLOCK_IN_80])], &semantics);
    let mut flows = FlowTable::default();
    flows.admit(&before, PORT, Direction::In, &web(), Some(SYN), 0);
    flows.rules_changed(&before, &after);
    passes(flows.admit(&after, PORT, Direction::In, &web(), Some(ACK), 1));
}

#[test]
fn flows_follow_their_endpoint_when_ports_are_numbered_anew() {
    let semantics = Semantics::default();
    let before = switch_of(&[(1, &[ALLOW_IN_80]), (2, &[ALLOW_IN_80])], &semantics);
    let without = switch_of(&[(2, &[ALLOW_IN_80])], &semantics);
    let again = switch_of(&[(1, &[ALLOW_IN_80]), (2, &[ALLOW_IN_80])], &semantics);
    let to = |number: u8| Flow {
        destination: [10, 0, 0, number].into(),
        ..web()
    };
    let mut flows = FlowTable::default();
    for (port, number) in [(0, 1), (1, 2)] {
        flows.admit(
            &before,
            PortIndex(port),
            Direction::In,
            &to(number),
            Some(SYN),
            0,
        );
    }
    flows.rules_changed(&before, &without);
    passes(flows.admit(
        &without,
        PortIndex(0),
        Direction::Out,
        &to(2).reverse(),
        Some(ACK),
        1,
    ));
    blocks(flows.admit(
        &without,
        PortIndex(0),
        Direction::Out,
        &to(1).reverse(),
        Some(ACK),
        1,
    ));
    flows.rules_changed(&without, &again);
    passes(flows.admit(
        &again,
        PortIndex(1),
        Direction::Out,
        &to(2).reverse(),
        Some(ACK),
        2,
    ));
    // Endpoint 1 is a new one: what was open at the old one is not.
    blocks(flows.admit(
        &again,
        PortIndex(0),
        Direction::Out,
        &to(1).reverse(),
        Some(ACK),
        2,
    ));
}

#[test]
fn a_full_table_forgets_the_flow_that_was_idle_longest() {
    let mut table = Table::new(&[ALLOW_IN_UDP]);
    table.flows = FlowTable::with_limit(3);
    let udp = |port| flow(Protocol::UDP, port, 53);
    for (port, now_ms) in [(1, 0), (2, 2_000), (3, 4_000)] {
        table.udp(Direction::In, udp(port), now_ms);
    }
    passes(table.udp(Direction::Out, udp(1).reverse(), 6_000));
    table.udp(Direction::In, udp(4), 8_000);
    assert_eq!(table.flows.len(), 3);
    passes(table.udp(Direction::Out, udp(1).reverse(), 8_000));
    blocks(table.udp(Direction::Out, udp(2).reverse(), 8_000));
    passes(table.udp(Direction::Out, udp(3).reverse(), 8_000));
    passes(table.udp(Direction::Out, udp(4).reverse(), 8_000));
}

#[test]
fn a_full_table_forgets_a_closed_connection_before_an_open_one() {
    let mut table = Table::new(&[ALLOW_IN_80, ALLOW_IN_UDP]);
    table.flows = FlowTable::with_limit(2);
    let udp = flow(Protocol::UDP, 1, 53);
    table.udp(Direction::In, udp, 0);
    table.tcp(Direction::In, web(), SYN, 5_000);
    table.tcp(Direction::In, web(), RST, 5_000);
    table.udp(Direction::In, flow(Protocol::UDP, 2, 53), 6_000);
    passes(table.udp(Direction::Out, udp.reverse(), 6_000));
    blocks(table.tcp(Direction::Out, web().reverse(), ACK, 6_000));
}

#[test]
fn flows_whose_time_is_over_do_not_stay_in_the_table() {
    let mut table = Table::new(&[ALLOW_IN_UDP]);
    for port in 1..=100 {
        table.udp(Direction::In, flow(Protocol::UDP, port, 53), 0);
    }
    // Each new flow takes up to two old ones away.
    for port in 1..=100 {
        table.udp(Direction::In, flow(Protocol::UDP, port, 54), 300_000);
    }
    assert_eq!(table.flows.len(), 100);
}
