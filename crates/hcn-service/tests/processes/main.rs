// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many processes on one store, and processes that are killed: nothing is given out twice, nothing acknowledged is lost, nothing is half done.
//!
//! Apart because these tests start themselves again as processes of their own. A worker tells what it does by lines on its output: `@ask` before, and
//! `@ok` or `@refused` after; everything else on the output is the test harness's.

mod oracle;
#[path = "../scene/mod.rs"]
mod scene;

use std::{
    collections::HashSet,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use hcn_api::{HcnCode, Hns, Kind, PortAccess, PortProtocol};
use hcn_schema::Guid;
use hcn_service::{Options, Service};
use oracle::{Ask, State};
use scene::{
    Directory, V2, audit, guid, parsed,
    random::{Random, seed},
    two,
};
use serde_json::{Value, json};

/// Where the store is; set only in a worker.
const STATE: &str = "HCN_SERVICE_TEST_STATE";
/// What a worker's choices follow from.
const SEED: &str = "HCN_SERVICE_TEST_WORKER_SEED";

const NETWORK: &str = "11111111-0000-4000-8000-000000000001";

/// The state directory and the seed, in a worker.
fn worker() -> Option<(PathBuf, u64)> {
    let state = env::var_os(STATE)?;
    Some((state.into(), env::var(SEED).unwrap().parse().unwrap()))
}

/// Starts this program again to run one test as a worker.
fn start(test: &str, state: &Path, seed: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(STATE, state)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Says a line past the harness, in one write.
fn say(word: &str, value: &Value) {
    // The harness leaves its own words without an end before the first one.
    let line = format!("\n@{word} {value}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The lines that a worker said: word and value; a torn last one is nothing.
fn said(output: &str) -> Vec<(String, Value)> {
    output
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| line.strip_prefix('@')?.split_once(' '))
        .map(|(word, value)| (word.to_owned(), parsed(value)))
        .collect()
}

fn open(state: &Path) -> Service {
    Service::open(Options::new(state)).unwrap()
}

#[test]
fn eight_processes_make_2000_endpoints_and_no_address_twice() {
    const TEST: &str = "eight_processes_make_2000_endpoints_and_no_address_twice";
    const PROCESSES: u64 = 8;
    const EACH: usize = 250;
    if let Some((state, _)) = worker() {
        // All of them find no store, and no network in it, at the same time.
        let service = open(&state);
        let network =
            json!({"Name": "nat", "Ipams": [{"Subnets": [{"IpAddressPrefix": "172.20.0.0/20"}]}]});
        match service.create(
            Kind::Network,
            None,
            guid(NETWORK),
            &two(network).to_string(),
        ) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.code, HcnCode::HCN_E_NETWORK_ALREADY_EXISTS, "{error}"),
        }
        for _ in 0..EACH {
            let id = service
                .create(
                    Kind::Endpoint,
                    Some(guid(NETWORK)),
                    Guid::ZERO,
                    &two(json!({})).to_string(),
                )
                .unwrap();
            let object = hcn_api::ObjectId {
                kind: Kind::Endpoint,
                id,
            };
            say("ok", &parsed(&service.query(object, V2).unwrap()));
        }
        return;
    }
    let directory = Directory::new();
    let started = Instant::now();
    let workers: Vec<Child> = (0..PROCESSES)
        .map(|number| start(TEST, directory.path(), number))
        .collect();
    // Read all at once, so that none waits for a full pipe.
    let readers: Vec<_> = workers
        .into_iter()
        .map(|worker| thread::spawn(move || worker.wait_with_output().unwrap()))
        .collect();
    let mut answers = Vec::new();
    for reader in readers {
        let output = reader.join().unwrap();
        assert!(output.status.success());
        answers.extend(said(&String::from_utf8(output.stdout).unwrap()));
    }
    println!("{} endpoints in {:?}", answers.len(), started.elapsed());
    assert_eq!(answers.len(), PROCESSES as usize * EACH);
    let (mut addresses, mut macs) = (HashSet::new(), HashSet::new());
    let service = open(directory.path());
    let now: HashSet<String> = service
        .list(Kind::Endpoint, V2)
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(now.len(), answers.len());
    for (_, answer) in &answers {
        let address = answer["IpConfigurations"][0]["IpAddress"].as_str().unwrap();
        assert!(addresses.insert(address.to_owned()), "{address} twice");
        let mac = answer["MacAddress"].as_str().unwrap();
        assert!(macs.insert(mac.to_owned()), "{mac} twice");
        assert!(
            now.contains(&answer.to_string()),
            "{answer} is not true any more"
        );
    }
    let network = parsed(
        &service
            .query(
                hcn_api::ObjectId {
                    kind: Kind::Network,
                    id: guid(NETWORK),
                },
                "",
            )
            .unwrap(),
    );
    for count in [
        "CurrentEndpointCount",
        "MaxConcurrentEndpoints",
        "TotalEndpoints",
    ] {
        assert_eq!(network[count], PROCESSES * EACH as u64, "{count}");
    }
    // One network and the endpoints, each logged once.
    assert_eq!(
        service.last_operation().unwrap(),
        1 + PROCESSES * EACH as u64
    );
    audit::check(&service, directory.path());
}

/// Whoever comes second finds a store that is half made, one that has just been made, or one that is about to be.
#[test]
fn a_new_store_is_made_once_by_many_who_open_it_at_the_same_time() {
    const ROUNDS: usize = 50;
    const OPENERS: usize = 8;
    for round in 0..ROUNDS {
        let directory = Directory::new();
        let start = Barrier::new(OPENERS);
        thread::scope(|scope| {
            let openers: Vec<_> = (0..OPENERS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        Service::open(Options::new(directory.path())).map(|service| {
                            let namespace = two(json!({})).to_string();
                            service.create(Kind::Namespace, None, Guid::ZERO, &namespace)
                        })
                    })
                })
                .collect();
            for opener in openers {
                let made = opener.join().unwrap();
                made.and_then(|made| made)
                    .unwrap_or_else(|error| panic!("round {round}: {error}"));
            }
        });
        let service = open(directory.path());
        let found = scene::ids(&service.enumerate(Kind::Namespace, "").unwrap());
        assert_eq!(found.len(), OPENERS);
    }
}

/// As commands do: the store is opened and closed for every change, and the last one to close it tidies up while the next one opens it.
#[test]
fn a_store_that_is_opened_and_closed_all_the_time_serves_all() {
    const TEST: &str = "a_store_that_is_opened_and_closed_all_the_time_serves_all";
    const ROUNDS: u64 = 6;
    const PROCESSES: u64 = 6;
    const EACH: u64 = 8;
    if let Some((state, _)) = worker() {
        for _ in 0..EACH {
            let namespace = two(json!({})).to_string();
            let id = open(&state)
                .create(Kind::Namespace, None, Guid::ZERO, &namespace)
                .unwrap();
            say("ok", &json!(id.to_string()));
        }
        return;
    }
    for _ in 0..ROUNDS {
        let directory = Directory::new();
        let workers: Vec<Child> = (0..PROCESSES)
            .map(|number| start(TEST, directory.path(), number))
            .collect();
        let mut answered = HashSet::new();
        for worker in workers {
            let output = worker.wait_with_output().unwrap();
            assert!(output.status.success());
            for (_, id) in said(&String::from_utf8(output.stdout).unwrap()) {
                assert!(answered.insert(guid(id.as_str().unwrap())));
            }
        }
        assert_eq!(answered.len() as u64, PROCESSES * EACH);
        let service = open(directory.path());
        let now = scene::ids(&service.enumerate(Kind::Namespace, "").unwrap());
        assert_eq!(now.into_iter().collect::<HashSet<_>>(), answered);
        audit::check(&service, directory.path());
    }
}

/// Works until it is killed, choosing from what the store has.
fn work(state: &Path, seed: u64) {
    let mut random = Random(seed);
    let service = open(state);
    let mut known = State::of(&service);
    loop {
        let ask = Ask::choose(&mut random, &known);
        say("ask", &ask.write());
        match ask.put(&service) {
            Ok(answer) => {
                say("ok", &answer);
                known.apply(&ask, Some(&answer));
            }
            Err(error) => say("refused", &json!(error.to_string())),
        }
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_nothing_invented() {
    const TEST: &str = "killed_at_any_moment_nothing_is_lost_and_nothing_invented";
    const ROUNDS: u64 = 220;
    /// Fewer acknowledged changes show nothing; on a busy machine more rounds are needed for them.
    const WANTED: u32 = 1100;
    /// Rounds on one store; the first of them is killed while it makes the store, or soon after.
    const SAME_STORE: u64 = 22;
    const LONGEST: Duration = Duration::from_millis(90);
    if let Some((state, seed)) = worker() {
        work(&state, seed);
        return;
    }
    let mut random = Random(seed());
    let mut directory = Directory::new();
    let mut oracle = State::default();
    let (mut acknowledged, mut refused, mut half, mut silent) = (0, 0, 0, 0);
    let mut round = 0;
    while round < ROUNDS || (acknowledged < WANTED || half == 0) && round < 5 * ROUNDS {
        if round % SAME_STORE == 0 {
            directory = Directory::new();
            oracle = State::default();
        }
        let mut child = start(TEST, directory.path(), random.next());
        let mut pipe = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            pipe.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        thread::sleep(Duration::from_micros(
            random.below(LONGEST.as_micros() as u64),
        ));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = said(&reader.join().unwrap());
        silent += u32::from(lines.is_empty());
        let mut open_ask = None;
        for (word, value) in lines {
            if word == "ask" {
                open_ask = Some(Ask::read(&value));
                continue;
            }
            let ask = open_ask.take().unwrap();
            if word == "ok" {
                oracle.apply(&ask, Some(&value));
                acknowledged += 1;
            } else {
                assert_eq!(word, "refused");
                refused += 1;
            }
        }
        let service = open(directory.path());
        let now = State::of(&service);
        // What was asked last and not answered may have happened or not, but as a whole.
        let mut expected = oracle.clone();
        if let Some(ask) = &open_ask
            && !now.agrees(&expected)
        {
            half += 1;
            expected.apply(ask, None);
        }
        assert!(
            now.agrees(&expected),
            "round {round}, not answered: {open_ask:?}\nis {now:#?}\nshould be {expected:#?}"
        );
        oracle = now;
        audit::check(&service, directory.path());
        round += 1;
    }
    println!(
        "{round} kills: {acknowledged} changes acknowledged, {refused} refused, {half} done and not acknowledged, {silent} killed before the first"
    );
    // Otherwise the loop has shown nothing.
    assert!(acknowledged >= WANTED, "{acknowledged}");
    assert!(half > 0);
}

/// Q54: a reservation is a HANDLE and ends with its process. One of these is killed; the other ends as a program does that has its service in a
/// static, which nothing drops.
#[test]
fn a_reservation_ends_with_its_process_however_that_ends() {
    const TEST: &str = "a_reservation_ends_with_its_process_however_that_ends";
    const GUEST: &str = "11111111-0000-4000-8000-000000000002";
    const ENDS_BY_ITSELF: u64 = 1;
    let reserve = |service: &Service, port| {
        service.reserve_port(guid(GUEST), PortProtocol::Tcp, PortAccess::Exclusive, port)
    };
    if let Some((state, ends)) = worker() {
        let service = open(&state);
        reserve(&service, 8080).unwrap();
        service.reserve_port_range(guid(GUEST), 9).unwrap();
        say("ok", &Value::Null);
        // Until the other end has seen enough of it, or is gone itself.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(ends, ENDS_BY_ITSELF);
        std::mem::forget(service);
        return;
    }
    let directory = Directory::new();
    let service = open(directory.path());
    let guest = two(json!({})).to_string();
    service
        .create(Kind::GuestNetworkService, None, guid(GUEST), &guest)
        .unwrap();
    reserve(&service, 80).unwrap();
    let ports = |service: &Service| -> Vec<u16> {
        let entries = service.port_reservations().unwrap();
        entries.iter().map(|entry| entry.ports.first).collect()
    };
    for ends in [0, ENDS_BY_ITSELF] {
        let mut child = start(TEST, directory.path(), ends);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        assert!(lines.any(|line| line == "@ok null"));
        // 49152 is the first of the dynamic ports of Windows.
        assert_eq!(ports(&service), [80, 8080, 49152]);
        let refused = reserve(&service, 8080).unwrap_err();
        assert_eq!(refused.code, HcnCode::HCN_E_PORT_ALREADY_EXISTS);
        if ends == ENDS_BY_ITSELF {
            drop(child.stdin.take());
            lines.for_each(drop);
            assert!(child.wait().unwrap().success());
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(ports(&service), [80]);
        let again = reserve(&service, 8080).unwrap();
        assert_eq!(ports(&service), [80, 8080]);
        service.release_ports(again).unwrap();
    }
    let locks = || {
        let names = fs::read_dir(directory.path()).unwrap();
        names
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().ends_with(".lock")
            })
            .count()
    };
    // Its own; those of the dead went with the next reservation.
    assert_eq!(locks(), 1);
    drop(service);
    assert_eq!(locks(), 0);
}
