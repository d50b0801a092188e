// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the border costs: a call through the library and its store next to the same call in process, each on a store of its own.
//!
//! `cargo bench -p hcn-dll`. The ratio is measured in the same run, one call of each in turn, because the machine's own speed changes by the
//! minute. The handle is open, as a client's is that asks twice; texts are freed, as every client has to.

#![allow(
    unsafe_code,
    reason = "the bench calls the library as a program that is not Rust does"
)]

#[path = "../tests/library/mod.rs"]
mod library;

use std::{
    ffi::c_void,
    hint::black_box,
    ptr,
    time::{Duration, Instant},
};

use hcn_api::{Hns, Kind, ObjectId};
use hcn_schema::Guid;
use hcn_service::{Options, Service};
use library::{LIBRARY, fresh_state, guid, remove, wide};

const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;
const NETWORK: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"bench","Type":"L2Bridge","Ipams":[{"Subnets":[{"IpAddressPrefix":"10.83.0.0/16","Routes":[{"NextHop":"10.83.0.1","DestinationPrefix":"0.0.0.0/0"}]}]}]}"#;
const ENDPOINT: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"bench"}"#;
/// Endpoints that are there.
const ENDPOINTS: u128 = 1_000;
/// Not among them: made and deleted.
const ANOTHER: u128 = 0xffff;

/// The library's side: handles of the network and of one endpoint.
struct Far {
    network: *mut c_void,
    endpoint: *mut c_void,
}

impl Far {
    fn new() -> Far {
        let settings = wide(NETWORK);
        let network = LIBRARY
            // SAFETY: everything lives as long as the call.
            .handle(|hcn, handle, record| unsafe {
                (hcn.HcnCreateNetwork)(&guid(1), settings.as_ptr(), handle, record)
            })
            .unwrap();
        let mut far = Far {
            network,
            endpoint: ptr::null_mut(),
        };
        for number in 0..ENDPOINTS {
            far.endpoint = far.make(0x100 + number);
        }
        far
    }

    fn make(&self, number: u128) -> *mut c_void {
        let settings = wide(ENDPOINT);
        LIBRARY
            // SAFETY: everything lives as long as the call.
            .handle(|hcn, handle, record| unsafe {
                (hcn.HcnCreateEndpoint)(
                    self.network,
                    &guid(number),
                    settings.as_ptr(),
                    handle,
                    record,
                )
            })
            .unwrap()
    }

    fn query(&self) -> String {
        let query = wide(V2);
        LIBRARY
            // SAFETY: everything lives as long as the call.
            .text(|hcn, text, record| unsafe {
                (hcn.HcnQueryEndpointProperties)(self.endpoint, query.as_ptr(), text, record)
            })
            .unwrap()
    }

    fn enumerate(&self) -> String {
        let query = wide(V2);
        LIBRARY
            // SAFETY: everything lives as long as the call.
            .text(|hcn, text, record| unsafe {
                (hcn.HcnEnumerateEndpoints)(query.as_ptr(), text, record)
            })
            .unwrap()
    }

    fn make_and_delete(&self) {
        let handle = self.make(ANOTHER);
        LIBRARY
            // SAFETY: everything lives as long as the call.
            .nothing(|hcn, record| unsafe { (hcn.HcnDeleteEndpoint)(&guid(ANOTHER), record) })
            .unwrap();
        // SAFETY: a handle is only looked up.
        assert_eq!(unsafe { (LIBRARY.hcn.HcnCloseEndpoint)(handle) }, 0);
    }
}

/// The same in process.
struct Near(Service);

impl Near {
    fn new(service: Service) -> Near {
        let near = Near(service);
        near.0
            .create(Kind::Network, None, Guid(1), NETWORK)
            .unwrap();
        for number in 0..ENDPOINTS {
            near.make(0x100 + number);
        }
        near
    }

    fn make(&self, number: u128) {
        self.0
            .create(Kind::Endpoint, Some(Guid(1)), Guid(number), ENDPOINT)
            .unwrap();
    }

    fn query(&self) -> String {
        let id = Guid(0x100 + ENDPOINTS - 1);
        let kind = Kind::Endpoint;
        self.0.query(ObjectId { kind, id }, V2).unwrap()
    }

    fn enumerate(&self) -> String {
        self.0.enumerate(Kind::Endpoint, V2).unwrap()
    }

    fn make_and_delete(&self) {
        self.make(ANOTHER);
        let (kind, id) = (Kind::Endpoint, Guid(ANOTHER));
        self.0.delete(ObjectId { kind, id }).unwrap();
    }
}

/// The median of some times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Both in turn; prints both medians and their ratio.
fn against<T>(name: &str, turns: u32, far: impl Fn() -> T, near: impl Fn() -> T) {
    let timed = |call: &dyn Fn() -> T| {
        let start = Instant::now();
        black_box(call());
        start.elapsed()
    };
    let (mut fars, mut nears) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        fars.push(timed(&far));
        nears.push(timed(&near));
    }
    let (far, near) = (median(fars), median(nears));
    println!(
        "{name}, {turns} in turn: {far:.1?} through the library, {near:.1?} in process, {:.2} times",
        far.as_secs_f64() / near.as_secs_f64()
    );
}

fn main() {
    let state = fresh_state("near");
    let (far, near) = (
        Far::new(),
        Near::new(Service::open(Options::new(&state)).unwrap()),
    );
    // What is compared is the same, but for what HNS makes up.
    assert_eq!(far.enumerate(), near.enumerate());
    let same = format!(r#""Name":"bench","Version":{}"#, 15_u64 << 32);
    assert!(far.query().contains(&same) && near.query().contains(&same));
    against("query an endpoint", 20_000, || far.query(), || near.query());
    against(
        "list the ids of 1,000 endpoints",
        2_000,
        || far.enumerate(),
        || near.enumerate(),
    );
    against(
        "create and delete an endpoint",
        2_000,
        || far.make_and_delete(),
        || near.make_and_delete(),
    );
    drop(near);
    remove(&state);
    remove(&LIBRARY.state);
}
