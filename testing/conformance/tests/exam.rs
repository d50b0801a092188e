// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exam, sat by every implementation of the seam that we have, with one list of expected results.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use conformance::{Block, Options, Outcome, Report, sit, sweep};
use hcn::{Answer, ConnectOptions, Connection, Hns, HnsVersion, Kind, Target, connect};
use hcnctl::serve::{Listen, Server};

/// Cases that the version of the walk-through passes, at least; other versions lack some features and have others.
const FLOOR: usize = 600;

/// A state directory that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hcnctl-exam-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn embedded(&self, version: Option<HnsVersion>) -> Arc<Connection> {
        let target = Target::Embedded(Some(self.0.clone()));
        let options = ConnectOptions {
            version,
            ..ConnectOptions::default()
        };
        Arc::new(connect(&target, options).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn whole(hns: &dyn Hns) -> Report {
    sit(hns, &Options::default(), &mut |_| {})
}

/// Nothing differs, nothing was impossible, enough passed, and nothing is left of any case.
fn passes(report: &Report, hns: &dyn Hns, floor: usize) {
    let counts = report.counts();
    assert_eq!(counts.differ, 0, "\n{}", report.text(false));
    assert_eq!(counts.impossible, 0, "\n{}", report.text(false));
    assert!(
        counts.passed >= floor,
        "only {} cases passed\n{}",
        counts.passed,
        report.text(false)
    );
    for kind in Kind::ALL {
        let left = hns.list(kind, "").unwrap();
        assert_eq!(left, [""; 0], "a case left a {kind} behind");
    }
    assert_eq!(hns.port_reservations().unwrap(), [], "a port is left");
}

#[test]
fn the_embedded_hns_passes() {
    let folder = Folder::new("service");
    let hns = folder.embedded(None).hns();
    let report = whole(&*hns);
    passes(&report, &*hns, FLOOR);
    assert_eq!(report.version, Some(HnsVersion::new(15, 0)));
}

#[test]
fn every_version_of_the_embedded_hns_passes_what_is_promised_of_it() {
    // Old versions lack load balancer updates, sets of addresses, tiers and so on; those cases are not of them.
    for (version, floor) in [
        ((9, 2), FLOOR - 20),
        ((13, 3), FLOOR),
        ((15, 4), FLOOR),
        ((16, 0), FLOOR),
    ] {
        let version = HnsVersion::new(version.0, version.1);
        let folder = Folder::new(&format!("version-{version}"));
        let hns = folder.embedded(Some(version)).hns();
        let report = whole(&*hns);
        assert_eq!(report.version, Some(version));
        passes(&report, &*hns, floor);
    }
}

#[test]
fn every_case_is_of_some_version_that_we_have() {
    for case in conformance::cases::all() {
        let known = [(9, 2), (13, 3), (15, 0), (15, 4), (16, 0)];
        assert!(
            known
                .iter()
                .any(|(major, minor)| case.holds_in(HnsVersion::new(*major, *minor))),
            "nobody sits {}",
            case.name
        );
    }
}

#[test]
fn a_served_hns_passes() {
    let folder = Folder::new("serve");
    // Where there are no Unix sockets, the same over TCP.
    let (listen, token) = match Listen::usual(&folder.0) {
        unix @ Listen::Unix(_) => (unix, None),
        tcp @ Listen::Tcp(_) => (tcp, Some("exam".to_owned())),
    };
    let options = hcnctl::serve::Options {
        listen,
        token: token.clone(),
    };
    let server = Server::start(folder.embedded(None), &options).unwrap();
    let far = connect(
        server.target(),
        ConnectOptions {
            token,
            ..ConnectOptions::default()
        },
    )
    .unwrap();
    passes(&whole(&*far.hns()), &*far.hns(), FLOOR);
    server.stop();
}

/// Our own library, which is built with the tests, since they depend on its package.
fn library() -> PathBuf {
    let name = format!(
        "{}computenetwork{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let program = std::env::current_exe().unwrap();
    program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .expect("our library is built with the tests")
}

#[test]
fn the_hns_behind_our_library_passes() {
    let folder = Folder::new("library");
    // The library reads its state directory from the environment, and a process that opened the store itself would lose its locks when
    // it closed it; so the exam is sat by a process of its own.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sat_by_the_library", "--nocapture"])
        .env("HCNCTL_STATE", &folder.0)
        .env("HCNCTL_EXAM_LIBRARY", library())
        .env_remove("HCNCTL_HOST")
        .env_remove("HCNCTL_PROFILE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("the library passed"), "{said}");
}

/// The other half of the test before: sits the exam where that one says so, and is empty elsewhere.
#[test]
fn sat_by_the_library() {
    let Some(library) = std::env::var_os("HCNCTL_EXAM_LIBRARY") else {
        return;
    };
    let target = Target::Native(Some(library.into()));
    let connection = connect(&target, ConnectOptions::default()).unwrap();
    passes(&whole(&*connection.hns()), &*connection.hns(), FLOOR);
    println!("the library passed");
}

/// Makes a network and tells its id.
fn network(client: &hcn::Client, name: &str, prefix: &str) -> hcn::schema::Guid {
    let document = serde_json::json!({
        "SchemaVersion": {"Major": 2, "Minor": 0}, "Name": name, "Type": "NAT",
        "Ipams": [{"Subnets": [{"IpAddressPrefix": prefix}]}],
    });
    client.create_network(&document.to_string()).unwrap()
}

#[test]
fn what_a_killed_exam_left_behind_is_swept_away_and_nothing_else() {
    let folder = Folder::new("sweep");
    let hns = folder.embedded(None).hns();
    let client = hcn::Client::new(hns.clone());
    let theirs = network(&client, "hcnctl-exams", "10.1.0.0/16");
    let ours = network(&client, "hcnctl-exam-net", "10.2.0.0/16");
    let make = |kind, network, id, document: serde_json::Value| {
        hns.create(kind, network, id, &document.to_string())
            .unwrap()
    };
    let two = serde_json::json!({"SchemaVersion": {"Major": 2, "Minor": 0}});
    let zero = hcn::schema::Guid::ZERO;
    // An exam's namespace is known by its id, since HNS may not keep a name.
    make(
        Kind::Namespace,
        None,
        conformance::scene::marked(),
        two.clone(),
    );
    let namespace = make(Kind::Namespace, None, zero, two.clone());
    let endpoint = make(Kind::Endpoint, Some(ours), zero, two);
    let balancer = serde_json::json!({
        "SchemaVersion": {"Major": 2, "Minor": 0}, "ID": conformance::scene::marked().to_string(),
        "HostComputeEndpoints": [endpoint.to_string()], "FrontendVIPs": ["10.255.0.1"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}],
    });
    make(Kind::LoadBalancer, None, zero, balancer);
    assert_eq!(sweep(&*hns), Ok(3));
    let left =
        |kind| -> Vec<String> { serde_json::from_str(&hns.enumerate(kind, "").unwrap()).unwrap() };
    assert_eq!(left(Kind::Network), [theirs.to_string()]);
    assert_eq!(left(Kind::Namespace), [namespace.to_string()]);
    assert_eq!(left(Kind::LoadBalancer), [""; 0]);
    assert_eq!(left(Kind::Endpoint), [""; 0]);
}

#[test]
fn an_exam_goes_elsewhere_where_its_addresses_are_in_use_and_finds_the_same() {
    let folder = Folder::new("elsewhere");
    let hns = folder.embedded(None).hns();
    assert_eq!(Block::free(&*hns, None), Ok(Block::WRITTEN));
    let client = hcn::Client::new(hns.clone());
    let theirs = network(&client, "theirs", "192.168.96.0/20");
    // The host itself is in the next candidate.
    let own = Some("10.213.101.9".parse().unwrap());
    let block = Block::free(&*hns, own).unwrap();
    assert_eq!(block.prefix(), "172.29.212.0/23");
    // The part about addresses.
    let options = Options {
        block,
        only: Some("5".to_owned()),
        ..Options::default()
    };
    let report = sit(&*hns, &options, &mut |_| {});
    client.delete(Kind::Network, theirs).unwrap();
    passes(&report, &*hns, 70);
}

#[test]
fn where_every_block_is_taken_no_exam_takes_place() {
    let folder = Folder::new("nowhere");
    let hns = folder.embedded(None).hns();
    let client = hcn::Client::new(hns.clone());
    for prefix in [
        "192.168.96.0/20",
        "10.213.101.0/24",
        "172.16.0.0/12",
        "10.77.164.128/25",
    ] {
        network(&client, prefix, prefix);
    }
    let last = Block::free(&*hns, None).unwrap();
    assert_eq!(last.prefix(), "192.168.212.0/23");
    let own = Some("192.168.213.4".parse().unwrap());
    let error = Block::free(&*hns, own).unwrap_err().to_string();
    assert!(
        error.contains("192.168.100.0/23") && error.contains("192.168.212.0/23"),
        "{error}"
    );
}

/// An HNS that writes down the types of the networks that it is asked for, and what version 1 asks.
struct Watched {
    hns: Arc<dyn Hns>,
    types: Mutex<Vec<String>>,
    bodies: Mutex<Vec<String>>,
}

impl Hns for Watched {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.hns.enumerate(kind, query)
    }
    fn create(
        &self,
        kind: Kind,
        network: Option<hcn::schema::Guid>,
        id: hcn::schema::Guid,
        settings: &str,
    ) -> Answer<hcn::schema::Guid> {
        if kind == Kind::Network {
            let document: serde_json::Value = serde_json::from_str(settings).unwrap_or_default();
            self.types
                .lock()
                .unwrap()
                .push(document["Type"].to_string());
        }
        self.hns.create(kind, network, id, settings)
    }
    fn open(&self, object: hcn::ObjectId) -> Answer<()> {
        self.hns.open(object)
    }
    fn query(&self, object: hcn::ObjectId, query: &str) -> Answer<String> {
        self.hns.query(object, query)
    }
    fn modify(&self, object: hcn::ObjectId, settings: &str) -> Answer<()> {
        self.hns.modify(object, settings)
    }
    fn delete(&self, object: hcn::ObjectId) -> Answer<()> {
        self.hns.delete(object)
    }
    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        self.bodies.lock().unwrap().push(request.to_owned());
        self.hns.call(method, path, request)
    }
    fn subscribe(&self, listener: hcn::Listener) -> Answer<hcn::Subscription> {
        self.hns.subscribe(listener)
    }
}

#[test]
fn an_exam_takes_no_adapter_of_the_host_and_attaches_nothing_to_it_unless_it_may() {
    let folder = Folder::new("adapters");
    let watched = Watched {
        hns: folder.embedded(None).hns(),
        types: Mutex::default(),
        bodies: Mutex::default(),
    };
    let options = Options {
        external: false,
        ..Options::default()
    };
    let report = sit(&watched, &options, &mut |_| {});
    let counts = report.counts();
    assert!(counts.impossible > 50, "{}", report.text(false));
    assert!(counts.passed > 150, "{}", report.text(false));
    let asked = watched.types.lock().unwrap();
    for word in ["Overlay", "L2Bridge", "L2Tunnel", "Transparent", "2", "3"] {
        assert!(
            !asked
                .iter()
                .any(|own| own.trim_matches('"').eq_ignore_ascii_case(word)),
            "a network of type {word} was asked for"
        );
    }
    let bodies = watched.bodies.lock().unwrap();
    assert!(bodies.iter().any(|body| body.contains("SystemType")));
    let host = bodies
        .iter()
        .find(|body| body.contains(r#""SystemType":"Host""#));
    assert_eq!(host, None, "an endpoint was attached to the host");
}

#[test]
fn an_exam_leaves_a_list_of_accelerated_adapters_alone() {
    let folder = Folder::new("accelnet");
    let hns = folder.embedded(Some(HnsVersion::new(16, 0))).hns();
    let own = r#"{"MacAddressList":[{"MacAddress":"00-15-5D-01-02-03"}]}"#;
    hns.call("POST", "/accelnet/", own).unwrap();
    let before = hns.call("GET", "/accelnet/", "").unwrap();
    let options = Options {
        only: Some("accelerated".to_owned()),
        ..Options::default()
    };
    let counts = sit(&*hns, &options, &mut |_| {}).counts();
    assert_eq!((counts.impossible, counts.differ), (3, 0));
    assert_eq!(hns.call("GET", "/accelnet/", "").unwrap(), before);
}

#[test]
fn an_hns_that_answers_otherwise_differs() {
    let folder = Folder::new("other");
    let connection = folder.embedded(None);
    // A dry run makes nothing, so what was made is not there.
    let other = hcn::DryRun::new(connection.hns(), Arc::new(hcn::service::RandomIds));
    let options = Options {
        only: Some("2.5".to_owned()),
        ..Options::default()
    };
    let report = sit(&other, &options, &mut |_| {});
    assert!(report.counts().differ > 0, "{}", report.text(true));
    assert!(
        report.text(true).contains("DIFFERS"),
        "{}",
        report.text(true)
    );
    assert!(
        report.rows.iter().any(
            |(_, outcome)| matches!(outcome, Outcome::Differs(found) if !found.got.is_empty())
        )
    );
}

/// An HNS that gives one answer to everything.
struct Parrot {
    says_yes: bool,
}

impl Parrot {
    fn say<T>(&self, yes: T) -> Answer<T> {
        match self.says_yes {
            true => Ok(yes),
            false => Err(hcn::HnsError::because(hcn::HcnCode::E_FAIL, "no")),
        }
    }
}

impl Hns for Parrot {
    fn enumerate(&self, _: Kind, _: &str) -> Answer<String> {
        self.say("[]".to_owned())
    }
    fn create(
        &self,
        _: Kind,
        _: Option<hcn::schema::Guid>,
        id: hcn::schema::Guid,
        _: &str,
    ) -> Answer<hcn::schema::Guid> {
        self.say(id)
    }
    fn open(&self, _: hcn::ObjectId) -> Answer<()> {
        self.say(())
    }
    fn query(&self, _: hcn::ObjectId, _: &str) -> Answer<String> {
        self.say("{}".to_owned())
    }
    fn modify(&self, _: hcn::ObjectId, _: &str) -> Answer<()> {
        self.say(())
    }
    fn delete(&self, _: hcn::ObjectId) -> Answer<()> {
        self.say(())
    }
    fn call(&self, _: &str, _: &str, _: &str) -> Answer<String> {
        self.say(r#"{"Success":true,"Output":{}}"#.to_owned())
    }
    fn subscribe(&self, _: hcn::Listener) -> Answer<hcn::Subscription> {
        self.say(hcn::Subscription::new(|| {}))
    }
}

#[test]
fn who_only_says_yes_or_no_passes_little() {
    // Cases that promise that something is taken, or is not found, and those that want any failure.
    for (says_yes, most) in [(true, 47), (false, 4)] {
        let report = whole(&Parrot { says_yes });
        let passed: Vec<&str> = report
            .rows
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Passed)
            .map(|(case, _)| case.name)
            .collect();
        assert!(passed.len() <= most, "{} pass: {passed:#?}", passed.len());
    }
}
