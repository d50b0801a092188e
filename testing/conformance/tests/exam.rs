// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exam, sat by every implementation of the seam that we have.

use std::{fs, path::PathBuf, sync::Arc};

use conformance::{Outcome, Report, sit, sweep};
use hcn::{ConnectOptions, Connection, Kind, Target, connect};
use hcnctl::serve::{Listen, Options, Server};

/// A state directory that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hcnctl-exam-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn embedded(&self) -> Arc<Connection> {
        let target = Target::Embedded(Some(self.0.clone()));
        Arc::new(connect(&target, ConnectOptions::default()).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every case passed, and nothing is left of any.
fn passes(report: &Report, connection: &Connection) {
    assert_eq!(report.failed().count(), 0, "\n{}", report.text());
    let passed = report.count(|outcome| *outcome == Outcome::Passed);
    assert!(passed >= 100, "only {passed} cases passed");
    for kind in [Kind::Network, Kind::Endpoint, Kind::Namespace] {
        let left = connection.hns().list(kind, "").unwrap();
        assert_eq!(left, [""; 0], "a case left a {kind} behind");
    }
}

#[test]
fn the_embedded_hns_passes() {
    let folder = Folder::new("service");
    let connection = folder.embedded();
    passes(&sit(&*connection.hns(), None), &connection);
}

#[test]
fn a_served_hns_passes() {
    let folder = Folder::new("serve");
    // Where there are no Unix sockets, the same over TCP.
    let (listen, token) = match Listen::usual(&folder.0) {
        unix @ Listen::Unix(_) => (unix, None),
        tcp @ Listen::Tcp(_) => (tcp, Some("exam".to_owned())),
    };
    let options = Options {
        listen,
        token: token.clone(),
    };
    let server = Server::start(folder.embedded(), &options).unwrap();
    let far = connect(
        server.target(),
        ConnectOptions {
            token,
            ..ConnectOptions::default()
        },
    )
    .unwrap();
    passes(&sit(&*far.hns(), None), &far);
    server.stop();
}

/// Our own library, which `cargo test -p hcn-dll` or a build of the workspace makes beside the tests.
#[test]
fn the_hns_behind_our_library_passes() {
    const TEST: &str = "the_hns_behind_our_library_passes";
    let name = match cfg!(windows) {
        true => "computenetwork.dll",
        false => "libcomputenetwork.so",
    };
    let program = std::env::current_exe().unwrap();
    let Some(library) = program
        .ancestors()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
    else {
        testkit::skip(TEST, "our library is not built (cargo build -p hcn-dll)");
        return;
    };
    let folder = Folder::new("library");
    // The library reads its state directory from the environment, so the exam is sat by a process of its own.
    let output = std::process::Command::new(program)
        .args(["--exact", "sat_by_the_library", "--nocapture"])
        .env("HCNCTL_STATE", &folder.0)
        .env("HCNCTL_EXAM_LIBRARY", library)
        .env_remove("HCNCTL_HOST")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The other half of the test before: sits the exam where that one says so, and is empty elsewhere.
#[test]
fn sat_by_the_library() {
    let Some(library) = std::env::var_os("HCNCTL_EXAM_LIBRARY") else {
        return;
    };
    let target = Target::Native(Some(library.into()));
    let connection = connect(&target, ConnectOptions::default()).unwrap();
    passes(&sit(&*connection.hns(), None), &connection);
}

#[test]
fn what_a_killed_exam_left_behind_is_swept_away_and_nothing_else() {
    let folder = Folder::new("sweep");
    let connection = folder.embedded();
    let client = hcn::Client::new(connection.hns());
    let network = |name: &str| {
        let document = format!(
            r#"{{"SchemaVersion": {{"Major": 2, "Minor": 0}}, "Name": "{name}", "Type": "NAT"}}"#
        );
        client.create_network(&document).unwrap()
    };
    let (theirs, _ours) = (network("hcnctl-exams"), network("hcnctl-exam-net"));
    assert_eq!(sweep(&*connection.hns()), Ok(1));
    let left = client.networks(&hcn::schema::Query::v2()).unwrap();
    assert_eq!(left.len(), 1);
    client.delete(Kind::Network, theirs).unwrap();
}

#[test]
fn an_hns_that_answers_otherwise_fails() {
    let folder = Folder::new("other");
    let connection = folder.embedded();
    // A dry run makes nothing, so what was made is not there.
    let other = hcn::DryRun::new(connection.hns(), Arc::new(hcn::service::RandomIds));
    let report = sit(&other, Some("2.5"));
    assert!(report.failed().count() > 0, "{}", report.text());
    assert!(report.text().contains("DIFFERS"), "{}", report.text());
}
