// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a probe through the simulated switch costs, and what a change of the switch does.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use hcn_engine::{DataPlane, ProbeOutcome, Protocol};
use hcn_simulated::SimulatedNetwork;

#[path = "../tests/wire/scene.rs"]
#[expect(dead_code, reason = "benchmarks need part of what tests need")]
mod scene;

use scene::{Scene, acl, acl_in, base_allows, endpoint, from, network};

/// Two containers of two hundred rules each on a network of `ports` containers.
fn crowd(ports: u32) -> Scene {
    let address = |number: u32| format!("172.19.{}.{}/20", number / 250, number % 250 + 2);
    let policies: Vec<serde_json::Value> = (0..200)
        .map(|number| {
            acl(serde_json::json!({
                "Action": "Block", "Direction": "In", "Protocols": "6",
                "RemoteAddresses": format!("10.{number}.0.0/16"), "Priority": 100 + number,
            }))
        })
        .chain(base_allows())
        .collect();
    let mut endpoints: Vec<serde_json::Value> = (0..ports)
        .map(|number| endpoint(number, 1, &[&address(number)]))
        .collect();
    for endpoint in &mut endpoints[..2] {
        endpoint["Policies"] = serde_json::Value::Array(policies.clone());
    }
    Scene::new(
        vec![network(1, "NAT", &[("172.19.0.0/20", "172.19.15.254")])],
        endpoints,
    )
}

fn probes(criterion: &mut Criterion) {
    for ports in [2, 1000] {
        let mut scene = crowd(ports);
        scene.serve_page(1, 80);
        scene.serve_echo(1, Protocol::UDP, 7);
        let mut group = criterion.benchmark_group(format!("probe among {ports} ports"));
        group.bench_function("TCP and HTTP", |bencher| {
            bencher.iter(|| {
                let report = scene.get(from(0), "172.19.0.3", 80);
                assert!(matches!(report.outcome, ProbeOutcome::Answered { .. }));
            });
        });
        group.bench_function("UDP", |bencher| {
            bencher.iter(|| {
                let report = scene.probe(from(0), "172.19.0.3", Protocol::UDP, 7, b"hello");
                assert!(matches!(report.outcome, ProbeOutcome::Answered { .. }));
            });
        });
        group.bench_function("ICMP echo", |bencher| {
            bencher.iter(|| {
                let report = scene.probe(from(0), "172.19.0.3", Protocol::ICMP, 0, b"hello");
                assert!(matches!(report.outcome, ProbeOutcome::Answered { .. }));
            });
        });
        group.finish();
    }
}

fn timeouts(criterion: &mut Criterion) {
    let mut scene = Scene::nat();
    scene.set_policies(2, [acl_in("Block", "80", 100)]);
    criterion.bench_function("probe that is blocked, 3 s of its own time", |bencher| {
        bencher.iter(|| {
            let report = scene.get(from(1), "172.19.6.74", 80);
            assert_eq!(report.outcome, ProbeOutcome::TimedOut);
        });
    });
}

fn changes(criterion: &mut Criterion) {
    let scene = crowd(1000);
    let mut wire = SimulatedNetwork::new();
    criterion.bench_function("converge to 1000 ports", |bencher| {
        bencher.iter(|| wire.converge(black_box(Arc::clone(&scene.switch))));
    });
    criterion.bench_function(
        "new network, converge, first probe of 1000 ports",
        |bencher| {
            bencher.iter(|| {
                let mut wire = SimulatedNetwork::new();
                wire.converge(Arc::clone(&scene.switch))
                    .expect("it converges");
                let probe = hcn_engine::Probe {
                    source: from(0),
                    destination: std::net::IpAddr::from([172, 19, 0, 3]),
                    protocol: Protocol::ICMP,
                    port: 0,
                    payload: Vec::new(),
                    timeout_ms: 1000,
                };
                wire.probe(&probe).expect("the probe can be sent")
            });
        },
    );
}

criterion_group!(benches, probes, timeouts, changes);
criterion_main!(benches);
