// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a packet of an open flow costs, next to a bare map of the same flows.
//!
//! `cargo bench -p hcn-engine --bench flows` prints tab-separated: open flows, a packet in nanoseconds, one after a change of the rules (it is judged again),
//! a look into the map, and bytes a flow. Packets come in an order that is not the one in which the flows were opened.

mod quiet;

use std::{
    collections::HashMap,
    error::Error,
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
    net::{IpAddr, Ipv4Addr},
};

use hcn_engine::{
    Decision, Direction, Documents, Flow, FlowTable, PortIndex, Protocol, Semantics, Switch,
    flow_table::TcpFlags, verdict::Reason,
};
use hcn_schema::{Document, Endpoint, Network};
use quiet::nanoseconds;

const PORT: PortIndex = PortIndex(0);

/// One endpoint, to which TCP is allowed.
fn switch() -> Result<Switch, Box<dyn Error>> {
    let network = r#"{"ID":"00000000-0000-0000-0000-00000000000a","Type":"L2Bridge"}"#;
    let endpoint = r#"{"ID":"00000000-0000-0000-0000-000000000001",
        "HostComputeNetwork":"00000000-0000-0000-0000-00000000000a",
        "IpConfigurations":[{"IpAddress":"10.0.0.1","PrefixLength":24}],
        "Policies":[{"Type":"ACL","Settings":{"Action":"Allow","Direction":"In","Protocols":"6","Priority":100}}]}"#;
    let documents = Documents {
        networks: vec![Network::from_json(network)?],
        endpoints: vec![Endpoint::from_json(endpoint)?],
        ..Documents::default()
    };
    Ok(Switch::compile(&documents, &Semantics::default()).0)
}

fn flow(number: u32) -> Flow {
    // Clients of a few subnets, each from many ports.
    let mixed = number.wrapping_mul(0x9e37_79b9);
    Flow {
        source: Ipv4Addr::from(0x0a00_0000 | mixed >> 12).into(),
        destination: Ipv4Addr::new(10, 0, 0, 1).into(),
        protocol: Protocol::TCP,
        source_port: 1024 + (number % 60_000) as u16,
        destination_port: 80 + (mixed % 7) as u16,
    }
}

/// An IPv4 flow as a key that costs little to compare.
fn two_words(flow: &Flow) -> (u64, u64) {
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(_) => 0,
    };
    let ports = u64::from(flow.source_port) << 16 | u64::from(flow.destination_port);
    let addresses = number(flow.source) << 32 | number(flow.destination);
    (addresses, ports << 8 | u64::from(flow.protocol.0))
}

/// The engine's hash of words.
#[derive(Default)]
struct Words(u64);

impl Hasher for Words {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x5851_f42d_4c95_7f2d)
            * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let switch = switch()?;
    let ack = Some(TcpFlags {
        ack: true,
        ..TcpFlags::default()
    });
    println!("flows\thit ns\tjudged again ns\tbare map ns");
    for count in [1_000u32, 10_000, 46_000, 100_000] {
        let flows: Vec<Flow> = (0..count).map(flow).collect();
        let mut table = FlowTable::default();
        for flow in &flows {
            let ruling = table.admit(&switch, PORT, Direction::In, flow, ack, 0);
            if ruling.decision != Decision::Allow {
                return Err(format!("{flow} is not allowed").into());
            }
        }
        let map: HashMap<(u64, u64), u32, BuildHasherDefault<Words>> =
            flows.iter().map(two_words).zip(0..).collect();
        // Coprime to the counts: every flow once, far from the one before.
        let packets: Vec<Flow> = (0..count)
            .map(|number| flows[(u64::from(number) * 7_919 % u64::from(count)) as usize])
            .collect();
        let established = packets.iter().all(|packet| {
            let ruling = table.admit(&switch, PORT, Direction::In, packet, ack, 1);
            ruling.reason == Reason::Established
        });
        if !established || map.len() != flows.len() {
            return Err("some flow is not open".into());
        }
        let hit = nanoseconds(&packets, |packet| {
            let packet = black_box(packet);
            black_box(table.admit(&switch, PORT, Direction::In, packet, ack, 2));
        });
        let again = nanoseconds(&packets[..1_000], |packet| {
            table.rules_changed(&switch, &switch);
            black_box(table.admit(&switch, PORT, Direction::In, packet, ack, 3));
        });
        let bare = nanoseconds(&packets, |packet| {
            black_box(map.get(&two_words(black_box(packet))));
        });
        println!("{count}\t{hit:.1}\t{again:.1}\t{bare:.1}");
    }
    Ok(())
}
