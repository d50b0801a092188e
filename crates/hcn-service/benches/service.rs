// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a durable change costs, next to a bare SQLite insert with the same durability, and what reading 10,000 endpoints costs.
//!
//! `cargo bench -p hcn-service`. The ratio is measured in the same run, one insert and one endpoint in turn on the same disk, because the disk's
//! own speed is most of either and changes by the minute.

#[path = "../tests/scene/mod.rs"]
mod scene;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use hcn_api::{Hns, Kind};
use hcn_schema::Guid;
use hcn_service::{Options, Service};
use rusqlite::{Connection, params};
use scene::{Directory, V2, two};
use serde_json::json;

/// What an endpoint's document has, roughly.
const ROW: usize = 500;

/// A network of 10.0.0.0/8 with as many MAC addresses.
fn network(service: &Service, name: &str, second: u8) -> Guid {
    let document = json!({
        "Name": name, "Type": "L2Bridge",
        "MacPool": {"Ranges": [{"StartMacAddress": format!("00-15-5D-{second:02X}-00-00"), "EndMacAddress": format!("00-15-5D-{second:02X}-FF-FF")}]},
        "Ipams": [{"Subnets": [{"IpAddressPrefix": format!("10.{second}.0.0/16"), "Routes": [{"NextHop": format!("10.{second}.0.1"), "DestinationPrefix": "0.0.0.0/0"}]}]}],
    });
    service
        .create(Kind::Network, None, Guid::ZERO, &two(document).to_string())
        .unwrap()
}

/// A database of one table with the store's durability.
fn bare(directory: &Directory) -> Connection {
    let connection = Connection::open(directory.path().join("bare.sqlite3")).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE row (id BLOB PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID",
        )
        .unwrap();
    connection
}

/// The median of some times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// One durable endpoint against one durable row.
fn durable(criterion: &mut Criterion) {
    const TURNS: usize = 2_000;
    let directory = Directory::new();
    let service = Service::open(Options::new(directory.path())).unwrap();
    let network = network(&service, "bench", 1);
    let settings = two(json!({"Name": "bench"})).to_string();
    let bare = bare(&directory);
    let document = "x".repeat(ROW);
    let mut number = 0u64;
    let insert = |number: u64| {
        let id = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        bare.prepare_cached("INSERT INTO row VALUES (?1, ?2)")
            .unwrap()
            .execute(params![id.to_be_bytes(), document])
            .unwrap();
    };
    let create = || {
        service
            .create(Kind::Endpoint, Some(network), Guid::ZERO, &settings)
            .unwrap()
    };
    let (mut rows, mut endpoints) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        number += 1;
        let start = Instant::now();
        insert(number);
        rows.push(start.elapsed());
        let start = Instant::now();
        create();
        endpoints.push(start.elapsed());
    }
    let total = |times: &[Duration]| times.iter().sum::<Duration>();
    println!(
        "durable endpoint against bare insert, {TURNS} in turn: {:.0} and {:.0} a second, {:.2} times the cost; median {:?} and {:?}, {:.2} times",
        TURNS as f64 / total(&endpoints).as_secs_f64(),
        TURNS as f64 / total(&rows).as_secs_f64(),
        total(&endpoints).as_secs_f64() / total(&rows).as_secs_f64(),
        median(endpoints.clone()),
        median(rows.clone()),
        median(endpoints).as_secs_f64() / median(rows).as_secs_f64(),
    );
    let mut group = criterion.benchmark_group("durable");
    group.bench_function("bare insert", |bencher| {
        bencher.iter(|| {
            number += 1;
            insert(number);
        });
    });
    group.bench_function("endpoint created and deleted", |bencher| {
        bencher.iter(|| {
            let id = create();
            service
                .delete(hcn_api::ObjectId {
                    kind: Kind::Endpoint,
                    id,
                })
                .unwrap();
        });
    });
    group.finish();
}

/// 10,000 endpoints on ten networks.
fn reading(criterion: &mut Criterion) {
    const ENDPOINTS: usize = 10_000;
    const NETWORKS: usize = 10;
    let directory = Directory::new();
    let service = Service::open(Options::new(directory.path())).unwrap();
    let networks: Vec<Guid> = (0..NETWORKS)
        .map(|number| network(&service, &format!("n{number}"), number as u8))
        .collect();
    let settings = two(json!({"Name": "bench"})).to_string();
    for number in 0..ENDPOINTS {
        let network = networks[number % NETWORKS];
        service
            .create(Kind::Endpoint, Some(network), Guid::ZERO, &settings)
            .unwrap();
    }
    let query = |filter: serde_json::Value| {
        json!({"SchemaVersion": {"Major": 2, "Minor": 0}, "Filter": filter.to_string()}).to_string()
    };
    let mut group = criterion.benchmark_group("10,000 endpoints");
    group.sample_size(20);
    let one = networks[3].to_string();
    for (name, query, found) in [
        ("list all", V2.to_owned(), ENDPOINTS),
        ("list all in v1", String::new(), ENDPOINTS),
        (
            "filter by network",
            query(json!({"VirtualNetwork": one})),
            ENDPOINTS / NETWORKS,
        ),
        ("filter by state", query(json!({"State": 2})), 0),
        (
            "filter by network and state",
            query(json!({"VirtualNetwork": one, "State": 1})),
            ENDPOINTS / NETWORKS,
        ),
    ] {
        assert_eq!(service.list(Kind::Endpoint, &query).unwrap().len(), found);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(service.list(Kind::Endpoint, &query).unwrap()));
        });
    }
    group.bench_function("open the store", |bencher| {
        bencher.iter(|| black_box(Service::open(Options::new(directory.path())).unwrap()));
    });
    drop(service);
    group.bench_function("open the store, nobody else has it open", |bencher| {
        bencher.iter(|| black_box(Service::open(Options::new(directory.path())).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, durable, reading);
criterion_main!(benches);
