// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one verdict costs, next to trying the same rules one after the other, and what compiling costs.
//!
//! `cargo bench -p hcn-engine`. Every packet of a pass is another one, so that neither a cache of verdicts nor the branch predictor can learn
//! the answers.

mod workload;

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hcn_engine::{
    Direction, Documents, Flow, FlowTable, PortIndex, Semantics, Switch, flow_table::TcpFlags,
};
use hcn_schema::{Endpoint, Guid, Id, Network, Policy, endpoint::IpConfiguration, policy::Acl};

const COUNTS: [usize; 3] = [10, 1_000, 10_000];
const PACKETS: usize = 1 << 16;
const PORT: PortIndex = PortIndex(0);

fn documents(acls: &[Acl]) -> Documents {
    let network = Id::from(Guid(1));
    Documents {
        networks: vec![Network {
            id: network.clone().into(),
            ..Network::default()
        }],
        endpoints: vec![Endpoint {
            id: Id::from(Guid(2)).into(),
            host_compute_network: network.into(),
            ip_configurations: vec![IpConfiguration {
                ip_address: workload::OWN.to_string().into(),
                ..IpConfiguration::default()
            }]
            .into(),
            policies: acls
                .iter()
                .map(|acl| Policy::new("ACL", acl))
                .collect::<Vec<_>>()
                .into(),
            ..Endpoint::default()
        }],
        ..Documents::default()
    }
}

fn verdict(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verdict");
    group.throughput(Throughput::Elements(1));
    for count in COUNTS {
        let acls = workload::acls(count);
        let rules = workload::parsed(&acls);
        let flows = workload::flows(&rules, PACKETS);
        let depths = flows.iter().map(|flow| workload::scan(&rules, flow));
        let (switch, _) = Switch::compile(&documents(&acls), &Semantics::default());
        println!(
            "{count} ACLs: {} bytes of index; rule {} decides on average",
            switch.index_bytes(),
            depths.sum::<usize>() / flows.len()
        );
        let mut packets = flows.iter().cycle();
        group.bench_function(format!("compiled/{count}"), |bencher| {
            bencher.iter(|| switch.rule(PORT, Direction::In, next(&mut packets)));
        });
        group.bench_function(format!("scan/{count}"), |bencher| {
            bencher.iter(|| workload::scan(&rules, next(&mut packets)));
        });
    }
    group.finish();
}

fn next<'a>(packets: &mut impl Iterator<Item = &'a Flow>) -> &'a Flow {
    black_box(packets.next().expect("an endless iterator"))
}

fn open_flow(criterion: &mut Criterion) {
    let acls = workload::acls(1_000);
    let rules = workload::parsed(&acls);
    let (switch, _) = Switch::compile(&documents(&acls), &Semantics::default());
    let mut group = criterion.benchmark_group("flow table");
    group.throughput(Throughput::Elements(1));
    for count in [1_000, PACKETS] {
        let flows = workload::flows(&rules, count);
        let mut table = FlowTable::default();
        let ack = Some(TcpFlags {
            ack: true,
            ..TcpFlags::default()
        });
        for flow in &flows {
            table.admit(&switch, PORT, Direction::In, flow, ack, 0);
        }
        let open: Vec<Flow> = flows
            .into_iter()
            .filter(|flow| {
                let ruling = table.admit(&switch, PORT, Direction::Out, &flow.reverse(), ack, 1);
                ruling.reason == hcn_engine::verdict::Reason::Established
            })
            .collect();
        let mut packets = open.iter().cycle();
        group.bench_function(format!("hit/{}", open.len()), |bencher| {
            bencher.iter(|| table.admit(&switch, PORT, Direction::In, next(&mut packets), ack, 2));
        });
    }
    group.finish();
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(20);
    for count in COUNTS {
        let documents = documents(&workload::acls(count));
        group.bench_function(format!("{count}"), |bencher| {
            bencher.iter_batched(
                || (),
                |()| Switch::compile(&documents, &Semantics::default()),
                BatchSize::PerIteration,
            );
        });
        // What another endpoint's change costs here: nothing of these rules is another.
        let (switch, _) = Switch::compile(&documents, &Semantics::default());
        group.bench_function(format!("{count}, none changed"), |bencher| {
            bencher.iter_batched(
                || (),
                |()| switch.compile_next(&documents, &Semantics::default()),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = verdict, open_flow, compile
}
criterion_main!(benches);
