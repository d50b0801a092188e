// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it costs to know every pair: the full sets of protocols and ports from each endpoint to each other one.
//!
//! `cargo bench -p hcn-engine --bench reach`. 300 rule groups, as of 300 deployments: each endpoint of a group has the rules that an agent would
//! write for it, with its own address in them, and the addresses of the two groups that it may talk to.

use std::{hint::black_box, net::Ipv4Addr, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hcn_engine::{
    Decision, Documents, Family, Flow, Protocol, Semantics, Switch, reach::Reach, space::Region,
};
use hcn_schema::{
    Endpoint, Guid, Id, Network, Policy,
    endpoint::IpConfiguration,
    network::{Ipam, NetworkType, Subnet},
    policy::{Acl, AclAction, AclDirection},
};

const GROUPS: usize = 300;

fn address(endpoint: usize) -> String {
    Ipv4Addr::from(0x0a00_0000 + endpoint as u32 + 1).to_string()
}

fn group(group: usize, endpoints: usize) -> String {
    let members = (group..endpoints).step_by(GROUPS);
    members.map(address).collect::<Vec<_>>().join(",")
}

/// What is allowed to an endpoint, and what it may do.
fn policies(number: usize, endpoints: usize) -> Vec<Policy> {
    let own = number % GROUPS;
    let next = |by: usize| group((own + by) % GROUPS, endpoints);
    let acl = |direction: AclDirection, priority: u16, remote: String, ports: String| {
        let mut acl = Acl {
            action: AclAction::Allow.into(),
            direction: direction.into(),
            protocols: "6".to_owned().into(),
            local_addresses: address(number).into(),
            remote_addresses: remote.into(),
            priority: priority.into(),
            ..Acl::default()
        };
        match direction {
            AclDirection::In => acl.local_ports.set(ports),
            AclDirection::Out => acl.remote_ports.set(ports),
        }
        Policy::new("ACL", &acl)
    };
    let port = 8_000 + own;
    vec![
        acl(AclDirection::In, 100, next(1), port.to_string()),
        acl(AclDirection::In, 200, next(2), format!("{port},443")),
        acl(
            AclDirection::In,
            300,
            "10.0.0.0/25".to_owned(),
            "9100".to_owned(),
        ),
        acl(
            AclDirection::Out,
            100,
            next(GROUPS - 1),
            "1-65535".to_owned(),
        ),
        acl(
            AclDirection::Out,
            200,
            next(GROUPS - 2),
            "80,443".to_owned(),
        ),
        acl(
            AclDirection::Out,
            300,
            "10.0.0.0/8".to_owned(),
            "9100".to_owned(),
        ),
    ]
}

fn documents(endpoints: usize) -> Documents {
    let network = Id::from(Guid(1));
    Documents {
        networks: vec![Network {
            id: network.clone().into(),
            network_type: NetworkType::L2Bridge.into(),
            ipams: vec![Ipam {
                subnets: vec![Subnet {
                    ip_address_prefix: "10.0.0.0/8".to_owned().into(),
                    ..Subnet::default()
                }]
                .into(),
                ..Ipam::default()
            }]
            .into(),
            ..Network::default()
        }],
        endpoints: (0..endpoints)
            .map(|number| Endpoint {
                id: Id::from(Guid(number as u128 + 2)).into(),
                host_compute_network: network.clone().into(),
                ip_configurations: vec![IpConfiguration {
                    ip_address: address(number).into(),
                    ..IpConfiguration::default()
                }]
                .into(),
                policies: policies(number, endpoints).into(),
                ..Endpoint::default()
            })
            .collect(),
        ..Documents::default()
    }
}

/// How many pairs reach each other with something.
fn pairs(mut reach: Reach) -> usize {
    (0..reach.ends().len())
        .map(|source| {
            let row = reach.from(source);
            row.iter().filter(|set| **set != Region::EMPTY).count()
        })
        .sum()
}

/// How many pairs reach each other on one port, asked one by one.
fn one_port(switch: &Switch) -> usize {
    let addresses = switch.ports.iter().map(|port| port.addresses[0].0);
    let flows = addresses.clone().flat_map(|source| {
        addresses.clone().map(move |destination| Flow {
            source,
            destination,
            protocol: Protocol::TCP,
            source_port: 49_152,
            destination_port: 443,
        })
    });
    flows
        .filter(|flow| switch.verdict(flow).decision == Decision::Allow)
        .count()
}

fn all_pairs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reach");
    group.sample_size(10);
    for endpoints in [200, 1_000, 10_000] {
        let (switch, faults) = Switch::compile(&documents(endpoints), &Semantics::default());
        assert_eq!(faults, []);
        let by_rules = || pairs(Reach::of(&switch, Family::V4));
        let along_ways = || pairs(Reach::along_ways(&switch, Family::V4));
        assert_eq!(by_rules(), along_ways(), "all are on one subnet");
        println!("{endpoints} endpoints: {} pairs reach", by_rules());
        group.throughput(Throughput::Elements((endpoints * endpoints) as u64));
        group.bench_function(format!("{endpoints}"), |bencher| {
            bencher.iter_batched(|| (), |()| black_box(along_ways()), BatchSize::PerIteration);
        });
        group.bench_function(format!("rules alone/{endpoints}"), |bencher| {
            bencher.iter_batched(|| (), |()| black_box(by_rules()), BatchSize::PerIteration);
        });
    }
    // The peer: one verdict a pair, about one port of 65,536.
    let (switch, _) = Switch::compile(&documents(1_000), &Semantics::default());
    group.throughput(Throughput::Elements(1_000_000));
    group.bench_function("one port by verdicts/1000", |bencher| {
        bencher.iter(|| one_port(&switch));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(5)).warm_up_time(Duration::from_secs(1));
    targets = all_pairs
}
criterion_main!(benches);
