// SPDX-License-Identifier: MIT OR Apache-2.0
//! Eight threads of mixed calls, then every invariant of the store.
//!
//! A process of its own: what it leaves is looked at when nobody else is at work. Three seconds, or thirty with `HCNCTL_LONG=1`, as in CI.

#![allow(
    unsafe_code,
    reason = "the tests call the library as a program that is not Rust does"
)]

/// The service's own audit, which reads a store past the service: documents, and what is reserved for them.
#[allow(dead_code, reason = "it has more than the check")]
#[path = "../../hcn-service/tests/scene/audit.rs"]
mod audit;
mod library;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::c_void,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hcn_abi::types::{DWORD, HRESULT, PCWSTR};
use hcn_service::{Options, Service};
use library::{Failure, LIBRARY, guid, remove, wide};
use serde_json::Value;

const THREADS: u64 = 8;
/// Ids of each kind: few, so that threads meet.
const IDS: u64 = 12;
const NETWORKS: u64 = 3;

/// Query for answers in v2 shape.
const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What calls on objects that others delete, make again and fill may answer; anything else is a fault.
const MAY_BE: &[u32] = &[
    0x803b_0001, // HCN_E_NETWORK_NOT_FOUND
    0x803b_0002, // HCN_E_ENDPOINT_NOT_FOUND
    0x8007_0490, // ERROR_NOT_FOUND
    0x803b_0010, // HCN_E_NETWORK_ALREADY_EXISTS
    0x8007_00b7, // ERROR_ALREADY_EXISTS
    0x803b_002b, // HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS
    0x803b_0014, // HCN_E_ENDPOINT_ALREADY_ATTACHED
];

/// Numbers that repeat (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

static CALLED_BACK: AtomicU64 = AtomicU64::new(0);

unsafe extern "system" fn count(_: DWORD, _: *mut c_void, _: HRESULT, _: PCWSTR) {
    CALLED_BACK.fetch_add(1, Ordering::Relaxed);
}

fn network_id(number: u64) -> u128 {
    0x1000 + u128::from(number)
}
fn endpoint_id(number: u64) -> u128 {
    0x2000 + u128::from(number)
}
fn namespace_id(number: u64) -> u128 {
    0x3000 + u128::from(number)
}

fn text_of(id: u128) -> String {
    format!("00000000-0000-0000-0000-{id:012x}")
}

/// One call, perhaps with those around it; answers the code of the one that matters.
fn step(numbers: &mut Numbers) -> Result<(), Failure> {
    let v2 = r#""SchemaVersion":{"Major":2,"Minor":0}"#;
    let (network, endpoint, namespace) = (
        numbers.below(NETWORKS),
        numbers.below(IDS),
        numbers.below(IDS),
    );
    let network_guid = guid(network_id(network));
    let endpoint_guid = guid(endpoint_id(endpoint));
    let namespace_guid = guid(namespace_id(namespace));
    let hcn = &LIBRARY.hcn;
    // SAFETY: everything lives as long as its call.
    unsafe {
        let open_endpoint = || {
            LIBRARY
                .handle(|hcn, handle, record| (hcn.HcnOpenEndpoint)(&endpoint_guid, handle, record))
        };
        let modify_namespace = |verb: &str| {
            let handle = LIBRARY.handle(|hcn, handle, record| {
                (hcn.HcnOpenNamespace)(&namespace_guid, handle, record)
            })?;
            let request = wide(&format!(
                r#"{{"ResourceType":"Endpoint","RequestType":"{verb}","Settings":{{"EndpointId":"{}"}}}}"#,
                text_of(endpoint_id(endpoint))
            ));
            let result = LIBRARY
                .nothing(|hcn, record| (hcn.HcnModifyNamespace)(handle, request.as_ptr(), record));
            assert_eq!((hcn.HcnCloseNamespace)(handle), 0);
            result
        };
        match numbers.below(20) {
            0 => {
                let settings = wide(&format!(
                    r#"{{{v2},"Name":"n{network}","Type":"Internal","Ipams":[{{"Subnets":[{{"IpAddressPrefix":"10.79.{network}.0/24"}}]}}]}}"#
                ));
                let handle = LIBRARY.handle(|hcn, handle, record| {
                    (hcn.HcnCreateNetwork)(&network_guid, settings.as_ptr(), handle, record)
                })?;
                assert_eq!((hcn.HcnCloseNetwork)(handle), 0);
                assert_eq!((hcn.HcnCloseNetwork)(handle) as u32, 0x8007_0006);
            }
            1 if numbers.below(8) == 0 => {
                LIBRARY.nothing(|hcn, record| (hcn.HcnDeleteNetwork)(&network_guid, record))?;
            }
            2..6 => {
                let open = LIBRARY.handle(|hcn, handle, record| {
                    (hcn.HcnOpenNetwork)(&network_guid, handle, record)
                })?;
                let settings = wide(&format!(r#"{{{v2},"Name":"e{endpoint}"}}"#));
                let made = LIBRARY.handle(|hcn, handle, record| {
                    (hcn.HcnCreateEndpoint)(open, &endpoint_guid, settings.as_ptr(), handle, record)
                });
                assert_eq!((hcn.HcnCloseNetwork)(open), 0);
                assert_eq!((hcn.HcnCloseEndpoint)(made?), 0);
            }
            6..8 => {
                LIBRARY.nothing(|hcn, record| (hcn.HcnDeleteEndpoint)(&endpoint_guid, record))?;
            }
            8 => {
                let settings = wide(&format!(r#"{{{v2},"Type":"Host"}}"#));
                let handle = LIBRARY.handle(|hcn, handle, record| {
                    (hcn.HcnCreateNamespace)(&namespace_guid, settings.as_ptr(), handle, record)
                })?;
                assert_eq!((hcn.HcnCloseNamespace)(handle), 0);
            }
            9 if numbers.below(4) == 0 => {
                LIBRARY.nothing(|hcn, record| (hcn.HcnDeleteNamespace)(&namespace_guid, record))?;
            }
            10..12 => modify_namespace("Add")?,
            12 => modify_namespace("Remove")?,
            13..15 => {
                let handle = open_endpoint()?;
                let request = wide(&format!(
                    r#"{{"ResourceType":"Policy","RequestType":"Update","Settings":{{"Policies":[{{"Type":"ACL","Settings":{{"Protocols":"6","Action":"Block","Direction":"In","LocalPorts":"{}","RuleType":"Switch","Priority":200}}}}]}}}}"#,
                    80 + endpoint
                ));
                let result = LIBRARY.nothing(|hcn, record| {
                    (hcn.HcnModifyEndpoint)(handle, request.as_ptr(), record)
                });
                assert_eq!((hcn.HcnCloseEndpoint)(handle), 0);
                result?;
            }
            15 => {
                let mut callback = ptr::null_mut();
                let code = (hcn.HcnRegisterServiceCallback)(
                    Some(count),
                    ptr::null_mut(),
                    &raw mut callback,
                );
                assert_eq!(code, 0);
                thread::sleep(Duration::from_millis(numbers.below(4)));
                assert_eq!((hcn.HcnUnregisterServiceCallback)(callback), 0);
                assert!((hcn.HcnUnregisterServiceCallback)(callback) < 0);
            }
            16 => {
                LIBRARY.call("GET", "/endpoints/", "")?;
            }
            _ => {
                let handle = open_endpoint()?;
                let query = wide(&format!("{{{v2}}}"));
                let answer = LIBRARY.text(|hcn, text, record| {
                    (hcn.HcnQueryEndpointProperties)(handle, query.as_ptr(), text, record)
                });
                assert_eq!((hcn.HcnCloseEndpoint)(handle), 0);
                let answer = parsed(&answer?);
                assert_eq!(
                    answer["ID"].as_str().unwrap().to_ascii_lowercase(),
                    text_of(endpoint_id(endpoint))
                );
            }
        }
    }
    Ok(())
}

/// The ids that version 1 lists.
fn ids(path: &str) -> BTreeSet<String> {
    let answer = LIBRARY.call("GET", path, "").unwrap();
    let answer = parsed(&answer);
    let list = answer["Output"].as_array().unwrap();
    list.iter()
        .map(|object| word(object, "ID").to_ascii_lowercase())
        .collect()
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The document of an object; `None` where there is none.
fn document(
    open: impl FnOnce(&library::computenetwork::Functions, *mut *mut c_void, *mut *mut u16) -> HRESULT,
    query: unsafe extern "system" fn(*mut c_void, PCWSTR, *mut *mut u16, *mut *mut u16) -> HRESULT,
    close: unsafe extern "system" fn(*mut c_void) -> HRESULT,
) -> Option<Value> {
    let handle = LIBRARY.handle(open).ok()?;
    let v2 = wide(V2);
    let text = LIBRARY
        // SAFETY: everything lives as long as its call.
        .text(|_, text, record| unsafe { query(handle, v2.as_ptr(), text, record) })
        .unwrap();
    // SAFETY: a handle is only looked up.
    assert_eq!(unsafe { close(handle) }, 0);
    Some(parsed(&text))
}

/// What must hold whatever happened: each endpoint has a network and an address of its own, and memberships are told alike from both sides.
fn check_listing() -> usize {
    let hcn = &LIBRARY.hcn;
    let networks: BTreeSet<String> = ids("/networks/");
    let mut addresses = BTreeSet::new();
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut endpoints = BTreeSet::new();
    for number in 0..IDS {
        let (endpoint, namespace) = (guid(endpoint_id(number)), guid(namespace_id(number)));
        let endpoint = document(
            // SAFETY: everything lives as long as its call.
            |hcn, handle, record| unsafe { (hcn.HcnOpenEndpoint)(&endpoint, handle, record) },
            hcn.HcnQueryEndpointProperties,
            hcn.HcnCloseEndpoint,
        );
        if let Some(endpoint) = endpoint {
            let id = text_of(endpoint_id(number));
            let network = word(&endpoint, "HostComputeNetwork").to_ascii_lowercase();
            assert!(networks.contains(&network), "{endpoint}");
            let address = word(&endpoint["IpConfigurations"][0], "IpAddress").to_owned();
            assert!(addresses.insert((network, address)), "{endpoint}");
            if let Some(namespace) = endpoint["HostComputeNamespace"].as_str() {
                let namespace = namespace.to_ascii_lowercase();
                members.entry(namespace).or_default().insert(id.clone());
            }
            endpoints.insert(id);
        }
        let namespace = document(
            // SAFETY: everything lives as long as its call.
            |hcn, handle, record| unsafe { (hcn.HcnOpenNamespace)(&namespace, handle, record) },
            hcn.HcnQueryNamespaceProperties,
            hcn.HcnCloseNamespace,
        );
        for resource in namespace
            .iter()
            .flat_map(|document| document["Resources"].as_array())
            .flatten()
        {
            listed
                .entry(text_of(namespace_id(number)))
                .or_default()
                .insert(word(&resource["Data"], "Id").to_ascii_lowercase());
        }
    }
    assert_eq!(endpoints, ids("/endpoints/"), "version 1 against version 2");
    assert_eq!(members, listed, "endpoints against namespaces");
    endpoints.len()
}

#[test]
fn eight_threads_of_mixed_calls_leave_the_store_whole() {
    let long = env::var("HCNCTL_LONG").is_ok_and(|value| value == "1");
    let time = Duration::from_secs(if long { 30 } else { 3 });
    let outcomes: Mutex<BTreeMap<u32, u64>> = Mutex::default();
    let start = Instant::now();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let outcomes = &outcomes;
            scope.spawn(move || {
                let mut numbers = Numbers(number);
                let mut own: BTreeMap<u32, u64> = BTreeMap::new();
                while start.elapsed() < time {
                    let code = match step(&mut numbers) {
                        Ok(()) => 0,
                        Err(failure) => {
                            assert!(MAY_BE.contains(&failure.code), "{failure:?}");
                            failure.code
                        }
                    };
                    *own.entry(code).or_default() += 1;
                }
                let mut all = outcomes.lock().unwrap();
                for (code, count) in own {
                    *all.entry(code).or_default() += count;
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    let endpoints = check_listing();
    println!(
        "{outcomes:x?}, {} callbacks, {endpoints} endpoints at the end",
        CALLED_BACK.load(Ordering::Relaxed)
    );
    assert!(outcomes.get(&0).is_some_and(|count| *count > 100));
    assert!(outcomes.len() > 2, "the threads never met: {outcomes:x?}");
    assert!(CALLED_BACK.load(Ordering::Relaxed) > 0);
    // A second copy of SQLite in this process, which on Unix takes the locks of the first away when it closes; nothing calls that any more.
    let service = Service::open(Options::new(&LIBRARY.state)).unwrap();
    audit::check(&service, &LIBRARY.state);
    drop(service);
    remove(&LIBRARY.state);
}
