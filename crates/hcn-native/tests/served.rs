// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our library pointed at a running server: `HCNCTL_HOST` with its token.
//!
//! A process of its own, since the library keeps the HNS that its first call met.

#![allow(unsafe_code, reason = "the environment of a process is set")]

mod library;

use std::{env, fs, sync::Arc, sync::mpsc, time::Duration};

use hcn::{ConnectOptions, Target, connect};
use hcn_api::{Event, HcnCode, Hns, Kind, Notification, ObjectId};
use hcn_native::Native;
use hcn_schema::Guid;
use hcnctl::serve::{Options, Server};

const TOKEN: &str = "a-token-of-the-test";

#[test]
fn the_library_speaks_for_a_server_and_shows_its_token() {
    let state = library::fresh_folder("served");
    let own = Arc::new(
        connect(
            &Target::Embedded(Some(state.clone())),
            ConnectOptions::default(),
        )
        .unwrap(),
    );
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(TOKEN.to_owned()),
    };
    let server = Server::start(own.clone(), &options).unwrap();
    // SAFETY: no other thread of this program reads or writes the environment but through the standard library, whose lock this takes too.
    unsafe {
        env::set_var("HCNCTL_HOST", server.target().to_string());
        env::set_var("HCNCTL_TOKEN", TOKEN);
        env::remove_var("HCNCTL_STATE");
        env::remove_var("HCNCTL_PROFILE");
    }
    let far = Native::open(Some(&library::file())).unwrap();
    let (sender, events) = mpsc::channel();
    let subscription = far
        .subscribe(Arc::new(move |event: &Event| {
            sender.send((event.notification, event.id)).unwrap();
        }))
        .unwrap();

    let network = ObjectId {
        kind: Kind::Network,
        id: Guid(0x77),
    };
    let settings = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"far","Type":"NAT"}"#;
    far.create(network.kind, None, network.id, settings)
        .unwrap();
    // The same object, seen from the server's side and from the library's.
    let near = own.hns();
    assert_eq!(far.query(network, ""), near.query(network, ""));
    assert_eq!(
        far.enumerate(Kind::Network, ""),
        near.enumerate(Kind::Network, "")
    );
    near.delete(network).unwrap();
    let gone = far.query(network, "").unwrap_err();
    assert_eq!(gone.code, HcnCode::HCN_E_NETWORK_NOT_FOUND);
    assert_eq!(gone.record(), near.query(network, "").unwrap_err().record());
    for expected in [
        Notification::NetworkPreCreate,
        Notification::NetworkCreate,
        Notification::NetworkPreDelete,
        Notification::NetworkDelete,
    ] {
        let told = events.recv_timeout(Duration::from_secs(30));
        assert_eq!(told, Ok((expected, network.id)));
    }

    server.stop();
    let absent = far.enumerate(Kind::Network, "").unwrap_err();
    assert_eq!(absent.code, HcnCode::RPC_S_SERVER_UNAVAILABLE);
    drop(subscription);
    drop((near, own));
    let _ = fs::remove_dir_all(state);
}

/// In a process of its own, which the library finds pointed at a server that wants another token.
#[test]
fn a_server_that_does_not_know_the_token_refuses() {
    let state = library::fresh_folder("refused");
    let own = Arc::new(
        connect(
            &Target::Embedded(Some(state.clone())),
            ConnectOptions::default(),
        )
        .unwrap(),
    );
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(TOKEN.to_owned()),
    };
    let server = Server::start(own, &options).unwrap();
    let output = std::process::Command::new(env::current_exe().unwrap())
        .args(["--exact", "refused_in_a_process_of_its_own", "--nocapture"])
        .env("HCNCTL_HOST", server.target().to_string())
        .env("HCNCTL_TOKEN", "another")
        .env(REFUSED, "1")
        .output()
        .unwrap();
    server.stop();
    let _ = fs::remove_dir_all(state);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{words}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(words.contains("refused as it should be"), "{words}");
}

/// Set in the process of the other half.
const REFUSED: &str = "HCN_NATIVE_TEST_REFUSED";

/// The other half of the test before; nothing elsewhere.
#[test]
fn refused_in_a_process_of_its_own() {
    if env::var_os(REFUSED).is_none() {
        return;
    }
    let far = Native::open(Some(&library::file())).unwrap();
    let error = far.enumerate(Kind::Network, "").unwrap_err();
    assert_eq!(error.code, HcnCode::E_ACCESSDENIED);
    println!("refused as it should be");
}
