// SPDX-License-Identifier: MIT OR Apache-2.0
//! `why --packet` as a program meets it, with captures made by hand.
//!
//! Apart because packets are written here byte for byte, from the RFCs that are named.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use serde_json::{Value, json};

use testkit::schema::Schema;

use crate::{Folder, make_load_balancer, scene};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Flags of a TCP segment (RFC 9293 3.1).
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const RST: u8 = 0x04;

/// An IP packet (RFC 791, RFC 8200) that carries a payload.
fn ip(protocol: u8, source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let ends: [IpAddr; 2] = [source.parse().unwrap(), destination.parse().unwrap()];
    let length = payload.len() as u16;
    let mut packet = match ends[0] {
        IpAddr::V4(_) => {
            let total = (20 + length).to_be_bytes();
            vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0]
        }
        IpAddr::V6(_) => {
            let length = length.to_be_bytes();
            vec![0x60, 0, 0, 0, length[0], length[1], protocol, 64]
        }
    };
    for end in ends {
        match end {
            IpAddr::V4(end) => packet.extend(end.octets()),
            IpAddr::V6(end) => packet.extend(end.octets()),
        }
    }
    packet.extend(payload);
    packet
}

/// A TCP segment without data (RFC 9293 3.1): ports, numbers, 5 words of header, flags, window, checksum, urgent.
fn segment(ports: (u16, u16), flags: u8) -> Vec<u8> {
    let mut segment = ports.0.to_be_bytes().to_vec();
    segment.extend(ports.1.to_be_bytes());
    segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment
}

fn tcp(source: &str, destination: &str, flags: u8) -> Vec<u8> {
    let ends: [SocketAddr; 2] = [source.parse().unwrap(), destination.parse().unwrap()];
    let segment = segment((ends[0].port(), ends[1].port()), flags);
    let [source, destination] = ends.map(|end| end.ip().to_string());
    ip(TCP, &source, &destination, &segment)
}

/// A UDP datagram (RFC 768): ports, length, checksum, data.
fn udp(source: &str, destination: &str, data: &[u8]) -> Vec<u8> {
    let ends: [SocketAddr; 2] = [source.parse().unwrap(), destination.parse().unwrap()];
    let mut datagram = ends[0].port().to_be_bytes().to_vec();
    datagram.extend(ends[1].port().to_be_bytes());
    datagram.extend((8 + data.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    let [source, destination] = ends.map(|end| end.ip().to_string());
    ip(UDP, &source, &destination, &datagram)
}

/// A pcap file of raw IP packets, without times.
fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let packets: Vec<_> = packets.iter().map(|packet| (0, packet.clone())).collect();
    timed(&packets)
}

/// A pcap file of raw IP packets, each at so many seconds.
fn timed(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    const RAW: u32 = 101;
    let mut file = Vec::new();
    for value in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, RAW] {
        file.extend(value.to_le_bytes());
    }
    for (seconds, packet) in packets {
        let length = packet.len() as u32;
        for value in [*seconds, 0, length, length] {
            file.extend(u32::to_le_bytes(value));
        }
        file.extend(packet);
    }
    file
}

/// What is said of each packet, and the exit code; the page is as its schema says.
fn asked(folder: &Folder, packets: &[Vec<u8>]) -> (Value, Option<i32>) {
    asked_of(folder, &capture(packets))
}

fn asked_of(folder: &Folder, capture: &[u8]) -> (Value, Option<i32>) {
    fs::write(folder.0.join("trace.pcap"), capture).unwrap();
    let page = folder.json("why --packet trace.pcap -o json");
    let schema = Schema::published("why-packet.json");
    assert_eq!(schema.faults(&page), Vec::<String>::new());
    (page, folder.code("why --packet trace.pcap"))
}

/// A member of every packet of a page.
fn each(page: &Value, key: &str) -> Vec<Value> {
    let packets = page["packets"].as_array().unwrap().iter();
    packets.map(|packet| packet[key].clone()).collect()
}

fn counts(page: &Value) -> [i64; 3] {
    ["allowed", "denied", "unjudged"].map(|key| page[key].as_i64().unwrap())
}

/// A service of the folder's scene at 10.96.0.1, with `one` and perhaps `two` behind it.
fn service(folder: &Folder, backends: &[&str], port: &str, flags: u8) {
    let backends: Vec<String> = backends
        .iter()
        .map(|backend| format!("{backend}-0000-4000-8000-000000000000"))
        .collect();
    let document = json!({
        "SchemaVersion": {"Major": 2, "Minor": 0}, "HostComputeEndpoints": backends, "FrontendVIPs": ["10.96.0.1"], "Flags": flags, "SourceVIP": "10.1.0.50",
        "PortMappings": [serde_json::from_str::<Value>(port).unwrap()],
    });
    fs::write(folder.0.join("service.json"), document.to_string()).unwrap();
    make_load_balancer(folder, "service.json");
}

const HTTPS: &str = r#"{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}"#;

#[test]
fn every_packet_of_a_capture_is_answered() {
    let folder = scene("capture");
    folder.done("block nginx --in 80/tcp");
    let (client, server) = ("172.20.0.8:50000", "172.20.0.9:80");
    let (page, code) = asked(
        &folder,
        &[
            tcp(client, server, SYN),
            tcp(client, "172.20.0.9:81", SYN),
            tcp("172.20.0.9:81", client, SYN_ACK),
            udp("0.0.0.0:68", "255.255.255.255:67", b"offer"),
            tcp(client, server, SYN),
        ],
    );
    assert_eq!(
        each(&page, "outcome"),
        [
            json!("dropped"),
            json!("arrives"),
            Value::Null,
            Value::Null,
            json!("dropped")
        ]
    );
    assert_eq!(each(&page, "answers")[2], 2);
    assert_eq!((counts(&page), code), ([2, 2, 1], Some(1)));
    let (_, code) = asked(&folder, &[tcp(client, "172.20.0.9:81", SYN)]);
    assert_eq!(code, Some(0));
    fs::write(
        folder.0.join("noise.pcap"),
        b"what is this, then? it is no capture",
    )
    .unwrap();
    let output = folder.run("why --packet noise.pcap");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: the capture noise.pcap: it is neither a pcap nor a pcapng file\n"
    );
}

/// Lets `one` and `two` and nginx answer, and nothing else: their only rule is for what comes in.
const IN_ONLY: &str = "Action=Allow;Direction=In;Priority=100";

#[test]
fn an_answer_that_comes_back_from_behind_a_service_is_one() {
    let folder = scene("behind");
    service(&folder, &["b0000001", "b0000002"], HTTPS, 1);
    folder.done(&format!("acl add one {IN_ONLY}"));
    let (pod, vip) = ("10.1.0.20:5000", "10.96.0.1:443");
    let packets = [
        tcp(pod, vip, SYN),
        // With direct server return the backend answers in its own name; the client sees the service's.
        tcp("10.1.0.11:80", pod, SYN_ACK),
        tcp(vip, pod, SYN_ACK),
        tcp(pod, vip, ACK),
        tcp("10.1.0.11:80", pod, ACK),
        // Of no flow that was opened.
        udp("10.1.0.11:80", pod, b"?"),
    ];
    let (page, code) = asked(&folder, &packets);
    let expected = [
        Value::Null,
        json!(1),
        json!(1),
        Value::Null,
        json!(1),
        Value::Null,
    ];
    assert_eq!(each(&page, "answers"), expected);
    assert_eq!((counts(&page), code), ([5, 1, 0], Some(1)));

    // Where one backend is closed, only what the other one sends is an answer.
    folder.done("acl add two Action=Block;Direction=In;Priority=100");
    let packets = [
        tcp(pod, vip, SYN),
        tcp("10.1.0.11:80", pod, SYN_ACK),
        tcp("10.1.0.12:80", pod, SYN_ACK),
    ];
    let (page, _) = asked(&folder, &packets);
    assert_eq!(each(&page, "answers"), [Value::Null, json!(1), Value::Null]);
    assert_eq!(
        each(&page, "allowed"),
        [json!(false), json!(true), json!(false)]
    );
}

#[test]
fn an_answer_goes_back_through_the_hosts_address_and_a_port_that_it_chose() {
    let folder = scene("hidden");
    let dns = r#"{"Protocol": 17, "ExternalPort": 53, "InternalPort": 53}"#;
    service(&folder, &["b0000001"], dns, 0);
    folder.done(&format!("acl add one {IN_ONLY}"));
    // The host hides the client behind the service's SourceVIP and a port of its own choice, from 32768 on (hns-behaviour 5.6).
    let packets = [
        udp("10.1.0.20:5000", "10.96.0.1:53", b"name?"),
        udp("10.1.0.11:53", "10.1.0.50:40001", b"address"),
        udp("10.96.0.1:53", "10.1.0.20:5000", b"address"),
        udp("10.1.0.11:53", "10.1.0.50:500", b"?"),
    ];
    let (page, _) = asked(&folder, &packets);
    assert_eq!(
        each(&page, "answers"),
        [Value::Null, json!(1), json!(1), Value::Null]
    );
    assert_eq!(counts(&page), [3, 1, 0]);
}

#[test]
fn an_answer_of_a_published_port_is_one_before_and_after_translation() {
    let folder = scene("published");
    folder.done(&format!("acl add nginx {IN_ONLY}"));
    let packets = [
        tcp("8.8.8.8:5000", "172.20.0.1:8080", SYN),
        tcp("172.20.0.9:80", "8.8.8.8:5000", SYN_ACK),
        tcp("172.20.0.1:8080", "8.8.8.8:5000", SYN_ACK),
        // A neighbour is hidden behind the host.
        tcp("172.20.0.8:5000", "172.20.0.1:8080", SYN),
        tcp("172.20.0.9:80", "172.20.0.1:33000", SYN_ACK),
        tcp("172.20.0.1:8080", "172.20.0.8:5000", SYN_ACK),
        // To another port of the one who asked, nobody opened a flow; and a SYN is none's answer.
        tcp("172.20.0.9:80", "8.8.8.8:5001", SYN),
    ];
    let (page, code) = asked(&folder, &packets);
    let none = Value::Null;
    let expected = [
        &none,
        &json!(1),
        &json!(1),
        &none,
        &json!(4),
        &json!(4),
        &none,
    ];
    assert_eq!(each(&page, "answers").iter().collect::<Vec<_>>(), expected);
    assert_eq!((counts(&page), code), ([6, 1, 0], Some(1)));
}

#[test]
fn a_capture_that_begins_in_the_middle_of_a_flow_is_judged_by_both_directions() {
    let folder = scene("middle");
    folder.done("acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100");
    let (one, pod) = ("10.1.0.11:80", "10.1.0.20:5000");
    // A SYN with ACK shows who opened the flow.
    let (page, code) = asked(
        &folder,
        &[
            tcp(one, pod, SYN_ACK),
            tcp(pod, one, ACK),
            tcp(one, pod, ACK),
        ],
    );
    assert_eq!(
        each(&page, "judged"),
        [json!("reverse"), json!("own"), Value::Null]
    );
    assert_eq!(each(&page, "answers"), [Value::Null, Value::Null, json!(2)]);
    assert_eq!(each(&page, "startMissing"), [true; 3]);
    assert_eq!((counts(&page), code), ([3, 0, 0], Some(0)));
    let output = folder.run("why --packet trace.pcap");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = text.lines().next().unwrap();
    let expected =
        "1 tcp 10.1.0.11:80 -> 10.1.0.20:5000: allowed as an answer; In at one (b0000001): ";
    assert!(first.starts_with(expected), "{first}");
    assert!(
        first.ends_with("; the start of the flow is not in the capture"),
        "{first}"
    );

    // A segment does not show it; it passes where either side may have opened the flow. From port 81 neither may.
    let (page, _) = asked(
        &folder,
        &[
            tcp(one, pod, ACK),
            tcp("10.1.0.11:81", pod, ACK),
            tcp("10.1.0.11:81", pod, SYN_ACK),
            tcp(pod, "10.1.0.11:80", RST),
        ],
    );
    assert_eq!(
        each(&page, "judged"),
        [
            json!("reverse"),
            json!("own"),
            json!("reverse"),
            json!("own")
        ]
    );
    assert_eq!(
        each(&page, "allowed"),
        [json!(true), json!(false), json!(false), json!(true)]
    );

    // What opens a flow is judged as that.
    let (page, _) = asked(&folder, &[tcp(one, pod, SYN), tcp(one, pod, ACK)]);
    assert_eq!(counts(&page), [0, 2, 0]);
    assert_eq!(each(&page, "startMissing"), [false; 2]);

    // An answer to a packet that was blocked fares as that one.
    let (page, _) = asked(
        &folder,
        &[
            tcp(pod, "10.1.0.11:81", SYN),
            tcp("10.1.0.11:81", pod, SYN_ACK),
        ],
    );
    assert_eq!(each(&page, "judged"), [json!("own"), json!("reverse")]);
    assert_eq!(counts(&page), [0, 2, 0]);
    let output = folder.run("why --packet trace.pcap");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("blocked as an answer to packet 1; In at one"),
        "{text}"
    );
}

#[test]
fn a_flow_is_forgotten_by_the_times_of_the_capture() {
    let folder = scene("forgotten");
    folder.done("acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100");
    let (one, pod) = ("10.1.0.11:80", "10.1.0.20:5000");
    let capture = timed(&[
        (1_700_000_000, tcp(pod, one, SYN)),
        (1_700_000_240, tcp(one, pod, SYN_ACK)),
        (1_700_000_481, tcp(one, pod, ACK)),
        (1_700_000_482, tcp(pod, one, RST)),
        (1_700_000_483, tcp(pod, one, SYN)),
        (1_700_000_484, tcp(pod, one, RST)),
        (1_700_000_484, tcp(one, pod, SYN)),
    ]);
    let (page, code) = asked_of(&folder, &capture);
    let none = Value::Null;
    let idle = |seconds: u64| json!({"packet": 1, "last": 2, "sinceMs": seconds * 1_000, "reason": "idle"});
    assert_eq!(
        each(&page, "forgotten"),
        [
            none.clone(),
            none.clone(),
            idle(241),
            // A reset opens nothing.
            idle(242),
            idle(243),
            none.clone(),
            json!({"packet": 5, "last": 6, "sinceMs": 0, "reason": "closed"}),
        ]
    );
    assert_eq!(each(&page, "answers")[1], 1);
    assert_eq!(each(&page, "judged")[6], "own");
    assert_eq!((counts(&page), code), ([5, 2, 0], Some(1)));
    let page = folder.json("--profile flow-idle-ms=1000 why --packet trace.pcap -o json");
    assert_eq!(each(&page, "forgotten")[1]["sinceMs"], 240_000);
    assert_eq!(each(&page, "allowed")[1], false);
    let page = folder.json("--profile flow-idle-ms=241000 why --packet trace.pcap -o json");
    assert_eq!(each(&page, "answers")[2], 1);
}

#[test]
fn an_icmp_error_about_a_forgotten_flow_is_judged_by_itself() {
    let folder = scene("late-error");
    folder.done("acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100");
    let open = tcp("10.1.0.20:5000", "10.1.0.11:80", SYN);
    // RFC 792, as below.
    let quoted = [&[3, 3, 0, 0, 0, 0, 0, 0], &open[..28]].concat();
    let error = ip(1, "10.1.0.11", "10.1.0.20", &quoted);
    let capture = timed(&[(0, open), (240, error.clone()), (481, error)]);
    let (page, _) = asked_of(&folder, &capture);
    assert_eq!(each(&page, "allowed"), [true, true, false]);
    assert_eq!(each(&page, "answers")[1], 1);
    assert_eq!(each(&page, "forgotten")[2]["last"], 2);
}

#[test]
fn an_icmp_error_passes_where_the_flow_that_it_is_about_does() {
    let folder = scene("error");
    folder.done("acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100");
    let (one, pod) = ("10.1.0.11:80", "10.1.0.20:5000");
    // RFC 792: type 3, code 3, four bytes of nothing, then the packet as far as its ports.
    let error = |about: &[u8]| {
        let quoted = [&[3, 3, 0, 0, 0, 0, 0, 0], &about[..28]].concat();
        ip(1, "10.1.0.11", "10.1.0.20", &quoted)
    };
    let packets = [
        error(&tcp(pod, one, ACK)),
        tcp(pod, one, SYN),
        error(&tcp(pod, one, SYN)),
        error(&tcp(pod, "10.1.0.11:81", SYN)),
        // Begins as an IPv6 header does, and is none that ICMP for IPv4 quotes.
        ip(
            1,
            "10.1.0.11",
            "10.1.0.20",
            &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &[0x60; 60]].concat(),
        ),
    ];
    let (page, _) = asked(&folder, &packets);
    assert_eq!(
        each(&page, "allowed"),
        [
            json!(true),
            json!(true),
            json!(true),
            json!(false),
            Value::Null
        ]
    );
    assert_eq!(each(&page, "answers")[2], 2);
}

#[test]
fn extension_headers_of_ipv6_change_no_verdict() {
    let folder = Folder::new("extensions");
    for line in [
        "create network lan --type L2Bridge --subnet fd00:1::/64",
        "create endpoint one --network lan --address fd00:1::11",
        "create endpoint two --network lan --address fd00:1::12",
        "acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100",
    ] {
        folder.done(line);
    }
    let six = |next: u8, payload: &[u8]| ip(next, "fd00:1::12", "fd00:1::11", payload);
    // RFC 8200 4.3 and 4.5: next header 6, no more times 8 bytes, padding; next header 6, place 0 with more to come; place 10 times 8.
    let open = segment((5000, 80), SYN);
    let closed = segment((5000, 81), SYN);
    let hop = [6, 0, 1, 4, 0, 0, 0, 0];
    let first = [6, 0, 0, 1, 0, 0, 0, 7];
    let later = [6, 0, 0, 80, 0, 0, 0, 7];
    let packets = [
        six(6, &open),
        six(0, &[&hop[..], &open].concat()),
        six(44, &[&first[..], &open].concat()),
        six(0, &[&hop[..], &closed].concat()),
        six(44, &[&later[..], &open].concat()),
    ];
    let (page, _) = asked(&folder, &packets);
    assert_eq!(
        each(&page, "allowed"),
        [
            json!(true),
            json!(true),
            json!(true),
            json!(false),
            Value::Null
        ]
    );
    assert_eq!(each(&page, "flow")[1], each(&page, "flow")[0]);
}

#[test]
fn what_crosses_no_port_is_not_judged_and_not_done() {
    let folder = scene("strangers");
    let packets = [
        tcp("127.0.0.1:5000", "127.0.0.1:80", SYN),
        tcp("10.0.0.4:5000", "10.0.0.5:80", SYN),
        tcp("10.0.0.5:80", "10.0.0.4:5000", SYN_ACK),
        tcp("10.0.0.4:5001", "10.0.0.5:80", ACK),
        tcp("10.1.0.20:5000", "10.1.0.20:80", SYN),
    ];
    let (page, code) = asked(&folder, &packets);
    assert_eq!((counts(&page), code), ([0, 0, 5], Some(3)));
    let strange = "it does not cross this host's ports";
    let own = "loopback, which crosses no port";
    assert_eq!(
        each(&page, "unjudged"),
        [own, strange, strange, strange, own]
    );
    let output = folder.run("why --packet trace.pcap");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.ends_with("0 allowed, 0 not, 5 unjudged; no packet of it is judged\n"),
        "{text}"
    );
    // A capture without packets too.
    assert_eq!(asked(&folder, &[]).1, Some(3));
    // From a stranger to somebody here, it is judged.
    let (page, _) = asked(&folder, &[tcp("10.0.0.4:5000", "10.1.0.20:80", SYN)]);
    assert_eq!(counts(&page), [1, 0, 0]);
}

#[test]
fn a_packet_in_vxlan_is_judged_as_the_one_inside() {
    let folder = scene("tunnel");
    folder.done("acl add one Action=Allow;Direction=In;Protocols=6;LocalPorts=80;Priority=100");
    // RFC 7348 5: flags, network 4096 (0x001000); a frame of Ethernet.
    let inside = |packet: &[u8]| {
        let header = [8, 0, 0, 0, 0, 0x10, 0, 0];
        [&header[..], &[2; 12], &[8, 0], packet].concat()
    };
    let hosts = ("10.0.0.4:55555", "10.0.0.5:4789");
    let open = tcp("10.1.0.20:5000", "10.1.0.11:80", SYN);
    let closed = tcp("10.1.0.20:5000", "10.1.0.11:81", SYN);
    let packets = [
        udp(hosts.0, hosts.1, &inside(&open)),
        udp(
            "10.0.0.5:55556",
            "10.0.0.4:4789",
            &inside(&tcp("10.1.0.11:80", "10.1.0.20:5000", SYN_ACK)),
        ),
        udp(hosts.0, hosts.1, &inside(&closed)),
        // No VXLAN, though to its port; and a tunnel of a container's own, whose port sees the outside.
        udp(hosts.0, hosts.1, b"noise"),
        udp("10.1.0.20:55555", "10.1.0.11:4789", &inside(&open)),
    ];
    let (page, _) = asked(&folder, &packets);
    assert_eq!(
        each(&page, "allowed"),
        [
            json!(true),
            json!(true),
            json!(false),
            Value::Null,
            json!(false)
        ]
    );
    assert_eq!(each(&page, "answers")[1], 1);
    let tunnel = &page["packets"][0]["tunnel"];
    assert_eq!(
        (&tunnel["network"], &tunnel["flow"]["destination"]),
        (&json!(4096), &json!("10.0.0.5"))
    );
    assert_eq!(page["packets"][4]["tunnel"], Value::Null);
    let output = folder.run("why --packet trace.pcap");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first =
        "1 [VXLAN 4096, 10.0.0.4 -> 10.0.0.5] tcp 10.1.0.20:5000 -> 10.1.0.11:80: allowed; ";
    assert!(text.starts_with(first), "{text}");
}

#[test]
fn a_network_may_say_another_port_of_vxlan() {
    let folder = scene("tunnel-port");
    let network = json!({
        "SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "overlay", "Type": "Overlay",
        "Policies": [{"Type": "VxlanPort", "Settings": {"Port": 8472}}],
        "Ipams": [{"Type": "Static", "Subnets": [{
            "IpAddressPrefix": "10.244.1.0/24", "Policies": [{"Type": "VSID", "Settings": {"IsolationId": 4096}}],
            "Routes": [{"NextHop": "10.244.1.1", "DestinationPrefix": "0.0.0.0/0"}],
        }]}],
    });
    fs::write(folder.0.join("overlay.json"), network.to_string()).unwrap();
    folder.done("create -f overlay.json");
    // As above.
    let inside = tcp("10.1.0.20:5000", "10.1.0.11:80", SYN);
    let frame = [&[8, 0, 0, 0, 0, 0x10, 0, 0][..], &[2; 12], &[8, 0], &inside].concat();
    let packets = [8472, 4789, 8473].map(|port| {
        let destination = format!("10.0.0.5:{port}");
        udp("10.0.0.4:55555", &destination, &frame)
    });
    let (page, _) = asked(&folder, &packets);
    assert_eq!(
        each(&page, "allowed"),
        [json!(true), json!(true), Value::Null]
    );
}

#[test]
fn a_damaged_capture_is_a_failure_and_a_cut_one_is_not() {
    let folder = scene("damaged");
    let packet = tcp("10.1.0.20:5000", "10.1.0.11:80", SYN);
    let whole = capture(&[packet.clone(), packet]);
    // The second header is at 24 + 16 + 40 = 80; its length of what is kept at 88.
    let mut damaged = whole.clone();
    damaged[88..92].copy_from_slice(&[0xff; 4]);
    fs::write(folder.0.join("damaged.pcap"), &damaged).unwrap();
    let output = folder.run("why --packet damaged.pcap");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: the capture damaged.pcap: what follows packet 1 is damaged: a packet of 4294967295 bytes\n"
    );
    fs::write(folder.0.join("cut.pcap"), &whole[..100]).unwrap();
    let output = folder.run("why --packet cut.pcap");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.ends_with("; the capture ends in the middle of a packet\n"),
        "{text}"
    );
}
