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
