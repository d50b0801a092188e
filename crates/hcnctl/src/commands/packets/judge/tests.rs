// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets written by hand, and what the judge remembers of their flows: hns-behaviour 4.6, 4.16 and Q10.

use hcn_engine::{
    Decision, Direction, Documents, FlowTable, PortIndex, Protocol, Semantics, flow_table::TcpFlags,
};
use hcn_schema::{Document, Endpoint, LoadBalancer, Network};
use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest, sample::select};
use serde_json::{Value, json};

use super::*;
use crate::commands::packets::memory::Reason;

/// Flags of a TCP segment (RFC 9293 3.1).
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Two endpoints, of which the first has these rules, and a service that both are behind, with direct server return (1) or not (0).
fn documents(flags: u8, rules: &[Value]) -> Documents {
    let id = |kind: u8, number: u8| format!("{kind}0000000-0000-4000-8000-00000000000{number}");
    let endpoint = |number: u8, policies: Value| {
        let document = json!({
            "ID": id(2, number), "HostComputeNetwork": id(1, 1), "Policies": policies,
            "IpConfigurations": [{"IpAddress": format!("10.1.0.{number}"), "PrefixLength": 24}],
            "Routes": [{"NextHop": "10.1.0.254", "DestinationPrefix": "0.0.0.0/0"}],
        });
        Endpoint::from_value(&document).unwrap()
    };
    let rules: Vec<Value> = rules
        .iter()
        .map(|settings| json!({"Type": "ACL", "Settings": settings}))
        .collect();
    let network = json!({"ID": id(1, 1), "Type": "L2Bridge", "Ipams": [{"Subnets": [{
        "IpAddressPrefix": "10.1.0.0/24", "Routes": [{"NextHop": "10.1.0.254", "DestinationPrefix": "0.0.0.0/0"}]}]}]});
    let service = json!({
        "ID": id(3, 1), "HostComputeEndpoints": [id(2, 1), id(2, 2)], "FrontendVIPs": ["10.96.0.1"], "Flags": flags,
        "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}], "SourceVIP": "10.1.0.50",
    });
    Documents {
        networks: vec![Network::from_value(&network).unwrap()],
        endpoints: vec![endpoint(1, json!(rules)), endpoint(2, json!([]))],
        load_balancers: vec![LoadBalancer::from_value(&service).unwrap()],
    }
}

/// Lets in port 80 alone, so that what goes out is an answer.
fn web() -> Value {
    json!({"Action": "Allow", "Direction": "In", "Protocols": "6", "LocalPorts": "80", "Priority": 100})
}

type End = ([u8; 4], u16);

/// An IPv4 packet (RFC 791) with a TCP segment (RFC 9293), or, without flags, a datagram (RFC 768): 20 bytes each, which are enough of both.
fn packet(from: End, to: End, flags: Option<u8>) -> Vec<u8> {
    let protocol = flags.map_or(17, |_| 6);
    let mut bytes = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0];
    bytes.extend(from.0);
    bytes.extend(to.0);
    bytes.extend(from.1.to_be_bytes());
    bytes.extend(to.1.to_be_bytes());
    let flags = flags.unwrap_or(0);
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// A packet at a time.
type Sent = (Option<u64>, End, End, Option<u8>);

/// What a judge says of packets, in few words.
fn said(documents: &Documents, semantics: &Semantics, packets: &[Sent]) -> Vec<String> {
    let (switch, _) = Switch::compile(documents, semantics);
    let topology = Topology::of(&switch, usize::MAX);
    let mut judge = Judge::new(&switch, &topology, HashSet::new());
    let words = (1..)
        .zip(packets)
        .map(|(number, (time_ms, from, to, flags))| {
            let said = judge.say(Captured {
                number,
                time_ms: *time_ms,
                content: Content::Ip(&packet(*from, *to, *flags)),
            });
            words(&said.answer)
        });
    words.collect()
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Answers(known) => format!("answers {}", known.packet),
        Answer::Unjudged(what) => (*what).to_owned(),
        Answer::Judged(judgement) => {
            let verdict = match judgement.way.fate.is_allowed() {
                true => "allowed",
                false => "blocked",
            };
            let role = if judgement.is_reverse { " back" } else { "" };
            let forgotten = judgement.forgotten.map_or(String::new(), |forgotten| {
                let Forgotten {
                    packet,
                    last,
                    since_ms,
                    reason,
                } = forgotten;
                format!(", {reason:?} {packet}..{last} {since_ms}")
            });
            format!("{verdict}{role}{forgotten}")
        }
    }
}

const SERVER: End = ([10, 1, 0, 1], 80);
const CLIENT: End = ([8, 8, 8, 8], 5000);

fn at(time_ms: u64, from: End, to: End, flags: u8) -> Sent {
    (Some(time_ms), from, to, Some(flags))
}

#[test]
fn an_idle_flow_is_forgotten_after_the_time_of_the_profile_and_not_before() {
    let packets = [
        at(1_000_000, CLIENT, SERVER, SYN),
        at(1_240_000, SERVER, CLIENT, ACK),
        // 240 s after the answer, which kept it alive; then a moment too late, and still later.
        at(1_480_000, SERVER, CLIENT, ACK),
        at(1_720_001, SERVER, CLIENT, ACK),
        at(1_730_000, SERVER, CLIENT, ACK),
        // The client may open it anew, in the middle as it is.
        at(1_740_000, CLIENT, SERVER, ACK),
        at(1_741_000, SERVER, CLIENT, ACK),
    ];
    let documents = documents(1, &[web()]);
    assert_eq!(
        said(&documents, &Semantics::default(), &packets),
        [
            "allowed",
            "answers 1",
            "answers 1",
            "blocked, Idle 1..3 240001",
            "blocked, Idle 1..3 250000",
            "allowed, Idle 1..3 260000",
            "answers 6",
        ]
    );
    let short = Semantics {
        flow_idle_ms: 1_000,
        ..Semantics::default()
    };
    let packets = [
        at(0, CLIENT, SERVER, SYN),
        at(1_000, SERVER, CLIENT, ACK),
        at(2_001, SERVER, CLIENT, ACK),
    ];
    assert_eq!(
        said(&documents, &short, &packets),
        ["allowed", "answers 1", "blocked, Idle 1..2 1001"]
    );
}

#[test]
fn a_flow_whose_start_is_missing_is_forgotten_too() {
    let packets = [
        at(0, SERVER, CLIENT, ACK),
        at(10, SERVER, CLIENT, ACK),
        at(240_011, SERVER, CLIENT, ACK),
    ];
    assert_eq!(
        said(&documents(1, &[web()]), &Semantics::default(), &packets),
        ["allowed back", "allowed back", "blocked, Idle 1..2 240001"]
    );
}

#[test]
fn a_new_connection_on_a_closed_one_is_judged_on_its_own() {
    let packets = [
        at(0, CLIENT, SERVER, SYN),
        at(1, CLIENT, SERVER, RST | ACK),
        // A late one passes; the first of another connection is no answer, nor is then what comes late.
        at(2, SERVER, CLIENT, ACK),
        at(3, SERVER, CLIENT, SYN),
        at(4, SERVER, CLIENT, ACK),
        at(5, CLIENT, SERVER, SYN),
        at(6, SERVER, CLIENT, SYN | ACK),
    ];
    let documents = documents(1, &[web()]);
    assert_eq!(
        said(&documents, &Semantics::default(), &packets),
        [
            "allowed",
            "allowed",
            "answers 1",
            "blocked, Closed 1..2 2",
            "blocked, Closed 1..2 3",
            "allowed, Closed 1..2 4",
            "answers 6",
        ]
    );
    // A FIN of both sides ends it as well; its last packets pass for 10 s.
    let packets = [
        at(0, CLIENT, SERVER, SYN),
        at(1, CLIENT, SERVER, FIN | ACK),
        at(2, SERVER, CLIENT, FIN | ACK),
        at(10_002, SERVER, CLIENT, FIN | ACK),
        at(10_003, SERVER, CLIENT, FIN | ACK),
    ];
    assert_eq!(
        said(&documents, &Semantics::default(), &packets),
        [
            "allowed",
            "allowed",
            "answers 1",
            "answers 1",
            "blocked, Closed 1..3 10001"
        ]
    );
}

#[test]
fn a_reset_opens_no_flow() {
    let packets = [
        at(0, CLIENT, SERVER, SYN),
        at(240_001, CLIENT, SERVER, RST),
        at(240_002, SERVER, CLIENT, ACK),
    ];
    assert_eq!(
        said(&documents(1, &[web()]), &Semantics::default(), &packets),
        [
            "allowed",
            "allowed, Idle 1..1 240001",
            "blocked, Idle 1..1 240002"
        ]
    );
}

#[test]
fn without_times_nothing_is_forgotten_for_being_idle() {
    let documents = documents(1, &[web()]);
    for time_ms in [None, Some(0), Some(1_700_000_000_000)] {
        let packets = [
            (time_ms, CLIENT, SERVER, Some(SYN)),
            (time_ms, SERVER, CLIENT, Some(ACK)),
        ];
        assert_eq!(
            said(&documents, &Semantics::default(), &packets),
            ["allowed", "answers 1"]
        );
    }
    // A time comes after packets without one, and one that goes back is that of the packet before.
    let packets = [
        (None, CLIENT, SERVER, Some(SYN)),
        (Some(1_700_000_000_000), SERVER, CLIENT, Some(ACK)),
        (Some(0), SERVER, CLIENT, Some(ACK)),
        (Some(1_700_000_240_000), SERVER, CLIENT, Some(ACK)),
    ];
    assert_eq!(
        said(&documents, &Semantics::default(), &packets)[1..],
        ["answers 1", "answers 1", "answers 1"]
    );
}

#[test]
fn all_forms_of_a_translated_flow_are_forgotten_together() {
    let vip = ([10, 96, 0, 1], 443);
    let pod = ([10, 1, 0, 2], 5000);
    let packets = [
        at(0, pod, vip, SYN),
        at(1, SERVER, pod, SYN | ACK),
        at(200_000, vip, pod, ACK),
        at(400_000, SERVER, pod, ACK),
        at(640_001, SERVER, pod, ACK),
        at(640_002, pod, vip, ACK),
        at(640_003, SERVER, pod, ACK),
    ];
    assert_eq!(
        said(&documents(1, &[web()]), &Semantics::default(), &packets),
        [
            "allowed",
            "answers 1",
            "answers 1",
            "answers 1",
            "blocked, Idle 1..4 240001",
            "allowed, Idle 1..4 240002",
            "answers 6",
        ]
    );
}

#[test]
fn flows_behind_one_address_of_the_host_are_forgotten_each_by_itself() {
    let vip = ([10, 96, 0, 1], 443);
    let pod = |port| ([10, 1, 0, 2], port);
    // The host hides the pod behind the service's SourceVIP and ports of its own choice (hns-behaviour 5.6).
    let host = |port| ([10, 1, 0, 50], port);
    let packets = [
        at(0, pod(5000), vip, SYN),
        at(1, SERVER, host(40_000), SYN | ACK),
        at(2, pod(5001), vip, SYN),
        at(3, SERVER, host(40_001), SYN | ACK),
        at(4, SERVER, host(40_001), RST),
        // The second is over, and the first is not; who has the third port cannot be known.
        at(5, SERVER, host(40_001), SYN),
        at(6, SERVER, host(40_000), ACK),
        at(7, SERVER, host(40_002), ACK),
        // The one over is opened anew by another flow that takes its port.
        at(8, pod(5002), vip, SYN),
        at(9, SERVER, host(40_001), SYN | ACK),
        at(240_010, SERVER, host(40_000), ACK),
    ];
    assert_eq!(
        said(&documents(0, &[web()]), &Semantics::default(), &packets),
        [
            "allowed",
            "answers 1",
            "allowed",
            "answers 1",
            "answers 1",
            "blocked, Closed 1..5 1",
            "answers 1",
            "answers 1",
            "allowed",
            "answers 1",
            "blocked, Idle 1..7 240004",
        ]
    );
}

proptest! {
    /// hns-behaviour 4.6: what is allowed passes back, whatever came before, as long as no connection ends.
    #[test]
    fn whatever_was_allowed_passes_back(
        service in 0u8..2,
        packets in vec((0usize..6, 0usize..6, 0usize..4, 0usize..4, select(vec![0, SYN, ACK, SYN | ACK]), 0usize..24), 1..40),
    ) {
        let (switch, _) = Switch::compile(&documents(service, &[web()]), &Semantics::default());
        let topology = Topology::of(&switch, usize::MAX);
        let mut judge = Judge::new(&switch, &topology, HashSet::from([VXLAN_PORT]));
        let addresses = [[10, 1, 0, 1], [10, 1, 0, 2], [10, 1, 0, 254], [10, 96, 0, 1], [8, 8, 8, 8], [127, 0, 0, 1]];
        let ports = [80_u16, 443, 5000, 40_000];
        let mut allowed = HashSet::new();
        for (number, (from, to, from_port, to_port, flags, cut)) in (1..).zip(packets) {
            let mut bytes = packet((addresses[from], ports[from_port]), (addresses[to], ports[to_port]), Some(flags));
            bytes.truncate(40 - cut.saturating_sub(12));
            let said = judge.say(Captured { number, time_ms: None, content: Content::Ip(&bytes) });
            let Some(flow) = said.flow else { continue };
            let is_allowed = said.answer.is_allowed();
            if allowed.contains(&flow.reverse()) {
                prop_assert_eq!(is_allowed, Some(true), "{}", flow);
            }
            match &said.answer {
                Answer::Judged(judgement) if is_allowed == Some(true) && !judgement.is_reverse => {
                    allowed.insert(flow);
                }
                Answer::Answers(known) => prop_assert!(known.packet < number),
                Answer::Judged(_) | Answer::Unjudged(_) => {}
            }
        }
    }

    /// At one port and without translation, a capture whose connections begin in it is judged as the data plane judges, packet by packet.
    #[test]
    fn a_flow_lives_as_in_the_flow_table(
        lets_out in proptest::bool::ANY,
        packets in vec((
            select(vec![0_u64, 1, 500, 2_999, 3_000, 3_001, 9_999, 10_000, 10_001]),
            0u16..2,
            proptest::bool::ANY,
            select(vec![None, Some(SYN), Some(ACK), Some(ACK), Some(SYN | ACK), Some(FIN | ACK), Some(RST), Some(0)]),
        ), 1..60),
    ) {
        let mut rules = vec![web(), json!({"Action": "Allow", "Direction": "In", "Protocols": "17", "Priority": 100})];
        if lets_out {
            rules.push(json!({"Action": "Allow", "Direction": "Out", "Priority": 100}));
        }
        // Between the moments in which the last packets of a closed connection pass and are too late.
        let semantics = Semantics { flow_idle_ms: 3_000, ..Semantics::default() };
        let (switch, _) = Switch::compile(&documents(1, &rules), &semantics);
        let topology = Topology::of(&switch, usize::MAX);
        let mut judge = Judge::new(&switch, &topology, HashSet::new());
        let mut table = FlowTable::default();
        let client = |port| (CLIENT.0, CLIENT.1 + port);
        let begin = (0..2).map(|port| (0, port, true, Some(SYN)));
        let mut now_ms = 0;
        for (number, (pause_ms, port, is_inward, flags)) in (1..).zip(begin.chain(packets)) {
            now_ms += pause_ms;
            let (from, to) = match is_inward {
                true => (client(port), SERVER),
                false => (SERVER, client(port)),
            };
            let said = judge.say(Captured {
                number,
                time_ms: Some(1_700_000_000_000 + now_ms),
                content: Content::Ip(&packet(from, to, flags)),
            });
            let flow = Flow {
                source: from.0.into(),
                destination: to.0.into(),
                protocol: flags.map_or(Protocol::UDP, |_| Protocol::TCP),
                source_port: from.1,
                destination_port: to.1,
            };
            let tcp = flags.map(|flags| TcpFlags {
                syn: flags & SYN != 0,
                ack: flags & ACK != 0,
                fin: flags & FIN != 0,
                rst: flags & RST != 0,
            });
            let direction = if is_inward { Direction::In } else { Direction::Out };
            let ruling = table.admit(&switch, PortIndex(0), direction, &flow, tcp, now_ms);
            prop_assert_eq!(said.flow, Some(flow));
            prop_assert_eq!(
                said.answer.is_allowed(), Some(ruling.decision == Decision::Allow),
                "packet {}: {}, and the table: {:?}", number, words(&said.answer), ruling
            );
            if let Answer::Judged(Judgement { forgotten: Some(forgotten), .. }) = said.answer {
                let most = match forgotten.reason { Reason::Idle => semantics.flow_idle_ms, Reason::Closed => 0 };
                prop_assert!(forgotten.since_ms >= most, "{:?}", forgotten);
                prop_assert!(forgotten.packet <= forgotten.last && forgotten.last < number, "{:?}", forgotten);
            }
        }
    }
}
