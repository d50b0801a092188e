// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service mode as its clients meet it: the same answers as in process, several at once, and nobody else.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use hcn::{
    Client, ConnectOptions, Connection, HcnCode, Kind, Notification, ObjectId, Target, connect,
    schema::{Guid, Query},
};
use hcnctl::serve::{Listen, Options, Server, new_token, openapi};
use serde_json::json;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hcnctl-serve-{name}-{}", std::process::id()));
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

const TOKEN: &str = "a-token-of-the-test";

fn tcp(folder: &Folder) -> Server {
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(TOKEN.to_owned()),
    };
    Server::start(folder.embedded(), &options).unwrap()
}

fn client(server: &Server, token: &str) -> Connection {
    let options = ConnectOptions {
        token: Some(token.to_owned()),
        ..ConnectOptions::default()
    };
    connect(server.target(), options).unwrap()
}

const NETWORK: &str = r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "nat", "Type": "NAT",
    "Ipams": [{"Subnets": [{"IpAddressPrefix": "172.30.0.0/20"}]}]}"#;
const ENDPOINT: &str = r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "web"}"#;

#[test]
fn a_server_answers_as_the_hns_that_it_serves() {
    let folder = Folder::new("same");
    let server = tcp(&folder);
    let (far, near) = (client(&server, TOKEN), folder.embedded());
    let client = Client::new(far.hns());
    let network = client.create_network(NETWORK).unwrap();
    let endpoint = client.create_endpoint(network, ENDPOINT).unwrap();
    let object = ObjectId {
        kind: Kind::Endpoint,
        id: endpoint,
    };
    // A query of a megabyte is longer than any address may be.
    let long = format!(
        r#"{{"SchemaVersion": {{"Major": 2, "Minor": 0}}, "Nothing": "{}"}}"#,
        "é".repeat(500_000)
    );
    for query in ["", "{}", &Query::v2().text(), &Query::v1().text(), &long] {
        assert_eq!(
            far.hns().enumerate(Kind::Endpoint, query),
            near.hns().enumerate(Kind::Endpoint, query)
        );
        assert_eq!(
            far.hns().list(Kind::Network, query),
            near.hns().list(Kind::Network, query)
        );
        assert_eq!(
            far.hns().query(object, query),
            near.hns().query(object, query)
        );
    }
    let stats = |connection: &Connection| {
        let hns = connection.hns();
        let told = [
            hns.endpoint_stats(endpoint, ""),
            hns.endpoint_addresses(endpoint, ""),
        ];
        told.map(|told| told.map_err(|error| (error.code, error.detail)))
    };
    assert_eq!(stats(&far), stats(&near));
    // Paths and methods that HTTP would not take as they are.
    for (method, path) in [
        ("GET", "/networks/"),
        ("get", "endpoints"),
        ("GET", "//networks//"),
        ("G E T", "/ ä?#"),
        ("GET", ""),
    ] {
        let said = |connection: &Connection| {
            connection
                .hns()
                .call(method, path, "")
                .map_err(|error| (error.code, error.record(), error.field, error.detail))
        };
        assert_eq!(said(&far), said(&near), "{method} {path}");
    }
    client.delete(Kind::Endpoint, endpoint).unwrap();
    assert_eq!(
        near.hns().open(object).unwrap_err().code,
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND
    );
    server.stop();
}

#[test]
fn a_failure_arrives_with_its_code_record_field_and_detail() {
    let folder = Folder::new("failure");
    let server = tcp(&folder);
    let (far, near) = (client(&server, TOKEN), folder.embedded());
    for settings in [
        "",
        "no json",
        "[]",
        r#"{"Type": "None", "SchemaVersion": {"Major": 2}}"#,
    ] {
        let said = |connection: &Connection| {
            let error = Client::new(connection.hns())
                .create_network(settings)
                .unwrap_err();
            (error.code, error.record(), error.field, error.detail)
        };
        assert_eq!(said(&far), said(&near), "{settings}");
    }
    server.stop();
}

#[test]
fn tcp_is_closed_to_whoever_does_not_show_the_token() {
    let folder = Folder::new("token");
    let server = tcp(&folder);
    for wrong in ["", "another", "a-token-of-the-tesT"] {
        let error = client(&server, wrong)
            .hns()
            .enumerate(Kind::Network, "")
            .unwrap_err();
        assert_eq!(error.code, HcnCode::E_ACCESSDENIED, "{wrong:?}");
    }
    assert_eq!(
        client(&server, TOKEN)
            .hns()
            .enumerate(Kind::Network, "")
            .unwrap(),
        "[]"
    );
    server.stop();
    let no_token = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: None,
    };
    let refused = Server::start(folder.embedded(), &no_token)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.code, HcnCode::E_INVALIDARG);
}

#[test]
fn clients_at_once_lose_nothing() {
    let folder = Folder::new("many");
    let server = tcp(&folder);
    let network = Client::new(client(&server, TOKEN).hns())
        .create_network(NETWORK)
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            let client = Client::new(client(&server, TOKEN).hns());
            scope.spawn(move || {
                for _ in 0..20 {
                    client.create_endpoint(network, ENDPOINT).unwrap();
                }
            });
        }
    });
    let endpoints = Client::new(folder.embedded().hns())
        .endpoints(&Query::v2())
        .unwrap();
    let mut addresses: Vec<_> = endpoints
        .iter()
        .flat_map(hcnctl::lookup::addresses)
        .collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 160);
    server.stop();
}

#[test]
fn events_arrive_until_the_subscription_or_the_server_ends() {
    let folder = Folder::new("events");
    let server = tcp(&folder);
    let far = client(&server, TOKEN);
    let listen = || {
        let (tell, told) = mpsc::channel();
        let listener: hcn::Listener = Arc::new(move |event| {
            let _ = tell.send((event.notification, event.id));
        });
        (far.hns().subscribe(listener).unwrap(), told)
    };
    let wait = Duration::from_secs(10);
    let (first, told_first) = listen();
    let (_second, told_second) = listen();
    let network = Client::new(far.hns()).create_network(NETWORK).unwrap();
    let created = |told: &mpsc::Receiver<_>| {
        loop {
            let (notification, id) = told.recv_timeout(wait).unwrap();
            assert_eq!(id, network);
            if notification == Notification::NetworkCreate {
                return;
            }
        }
    };
    created(&told_first);
    created(&told_second);
    drop(first);
    Client::new(far.hns())
        .delete(Kind::Network, network)
        .unwrap();
    // Its sender is gone with the listener, and told nothing more.
    assert_eq!(
        told_first.recv_timeout(wait),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    while told_second.recv_timeout(wait).unwrap().0 != Notification::NetworkDelete {}
    server.stop();
    let rest: Vec<Notification> = told_second
        .iter()
        .map(|(notification, _)| notification)
        .collect();
    assert_eq!(rest, [Notification::ServiceDisconnect]);
}

#[test]
fn a_change_is_made_only_to_the_document_that_was_seen() {
    let folder = Folder::new("seen");
    let server = tcp(&folder);
    let (one, other) = (client(&server, TOKEN).hns(), client(&server, TOKEN).hns());
    let id = one
        .create(
            Kind::Namespace,
            None,
            Guid::ZERO,
            r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#,
        )
        .unwrap();
    let object = ObjectId {
        kind: Kind::Namespace,
        id,
    };
    let seen = one
        .query(object, r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#)
        .unwrap();
    let add = |container: &str| {
        json!({"ResourceType": "Container", "RequestType": "Add", "Settings": {"ContainerId": container}}).to_string()
    };
    assert!(other.modify_seen(object, &seen, &add("first")).unwrap());
    assert!(!one.modify_seen(object, &seen, &add("second")).unwrap());
    let now = one.query(object, "").unwrap();
    assert!(now.contains("first") && !now.contains("second"), "{now}");
    server.stop();
}

#[test]
fn a_stopped_server_is_gone_and_says_so() {
    let folder = Folder::new("stopped");
    let server = tcp(&folder);
    let far = client(&server, TOKEN);
    assert!(far.hns().enumerate(Kind::Network, "").is_ok());
    server.stop();
    assert_eq!(
        far.hns().enumerate(Kind::Network, "").unwrap_err().code,
        HcnCode::RPC_S_SERVER_UNAVAILABLE
    );
}

#[test]
fn the_checked_in_openapi_document_is_the_one_that_is_served() {
    let path = testkit::repository().join("docs/openapi.json");
    let kept = fs::read_to_string(path).unwrap();
    assert!(
        kept == openapi::text(),
        "docs/openapi.json is not up to date: cargo run -p hcnctl -- serve --openapi > docs/openapi.json"
    );
}

#[test]
fn every_version_1_path_of_the_document_is_one_of_hns() {
    let folder = Folder::new("version-1");
    let connection = folder.embedded();
    for (method, path, _) in openapi::VERSION_1 {
        let path = path.replace("{id}", "11111111-2222-4333-8444-555555555555");
        let code = connection
            .hns()
            .call(&method.to_uppercase(), &path, "{}")
            .map_or_else(|error| Some(error.code), |_| None);
        assert_ne!(
            code,
            Some(HcnCode::HCN_E_REQUEST_UNSUPPORTED),
            "{method} {path}"
        );
    }
}

#[test]
fn tokens_differ_and_places_outside_are_refused() {
    assert_ne!(new_token(), new_token());
    assert!("0.0.0.0:80".parse::<Listen>().is_err());
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hcnctl"));
    command
        .env("HCNCTL_STATE", folder)
        .env("HCNCTL_TOKEN_FILE", folder.join("token"))
        .env_remove("HCNCTL_HOST")
        .env_remove("HCNCTL_TOKEN");
    command
}

/// A server as a program of its own, and the target that it printed.
fn served(folder: &Path, arguments: &[&str]) -> (Child, String) {
    let mut child = program(folder)
        .arg("serve")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut target = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut target)
        .unwrap();
    (child, target.trim().to_owned())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[cfg(unix)]
#[test]
fn commands_work_over_a_socket_and_sigterm_ends_it_in_order() {
    use std::os::unix::fs::PermissionsExt;
    for (name, arguments) in [("unix", &[][..]), ("tcp", &["--listen", "127.0.0.1:0"][..])] {
        let folder = Folder::new(&format!("program-{name}"));
        let (mut child, target) = served(&folder.0, arguments);
        let private = folder.0.join(match name {
            "unix" => "serve.sock",
            _ => "token",
        });
        let mode = fs::symlink_metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", private.display());
        // With a state directory that is not the server's, so that nothing comes from there.
        let elsewhere = Folder::new(&format!("elsewhere-{name}"));
        fs::copy(folder.0.join("token"), elsewhere.0.join("token")).ok();
        let run = |line: &str| {
            let output = program(&elsewhere.0)
                .args(["--host", &target])
                .args(line.split(' '))
                .output()
                .unwrap();
            (output.status.code().unwrap(), text(&output))
        };
        for (line, code, says) in [
            ("create network nat", 0, "created network nat"),
            ("run --name nginx --listen 80/tcp", 0, "nginx runs"),
            ("run --name client", 0, "client runs"),
            ("run --name client", 4, "already"),
            ("ps", 0, "nginx"),
            ("probe client nginx:80/tcp", 0, "answered"),
            ("block nginx --in 80/tcp", 0, "done"),
            ("probe client nginx:80/tcp", 1, "/Policies/0"),
            ("acl list nginx", 0, "Block"),
            ("history -n 1", 0, "modify"),
            ("diff @0 now", 1, "nginx"),
            ("get endpoints nothing", 3, "HCN_E_ENDPOINT_NOT_FOUND"),
            ("--profile 9.2 get networks", 4, "15.0"),
            ("serve", 2, "served already"),
            ("conformance --only 2.5", 0, "0 otherwise"),
            ("conformance --only nothing-of-this", 2, "no case"),
            ("rm client", 0, "client"),
            ("ps -o name", 0, "container/nginx"),
        ] {
            let (got, output) = run(line);
            assert_eq!(got, code, "{line}: {output}");
            assert!(output.contains(says), "{line}: {output}");
        }
        let killed = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(!private.exists(), "{} is left behind", private.display());
    }
}

#[cfg(unix)]
#[test]
fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = Folder::new("stale");
    let socket = folder.0.join("serve.sock");
    let (mut child, _) = served(&folder.0, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(socket.exists());
    let (mut child, _) = served(&folder.0, &[]);
    let second = program(&folder.0).arg("serve").output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    assert!(
        text(&second).contains("somebody serves"),
        "{}",
        text(&second)
    );
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "a file of somebody's").unwrap();
    let third = program(&folder.0).arg("serve").output().unwrap();
    assert_eq!(third.status.code(), Some(4));
    assert_eq!(fs::read_to_string(&socket).unwrap(), "a file of somebody's");
}

#[cfg(unix)]
#[test]
fn another_user_is_a_stranger_on_a_unix_socket() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    const TEST: &str = "another_user_is_a_stranger_on_a_unix_socket";
    let folder = Folder::new("stranger");
    let (mut child, target) = served(&folder.0, &[]);
    let socket = folder.0.join("serve.sock");
    // Even where the file lets everybody in.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.0.join("hcnctl");
    fs::copy(env!("CARGO_BIN_EXE_hcnctl"), &copy).unwrap();
    let stranger = Command::new(&copy)
        .env("HCNCTL_HOST", &target)
        .args(["get", "networks"])
        .uid(65534)
        .output();
    child.kill().unwrap();
    child.wait().unwrap();
    match stranger {
        Ok(output) => {
            assert_eq!(output.status.code(), Some(4), "{}", text(&output));
            assert!(text(&output).contains("user 65534"), "{}", text(&output));
        }
        Err(error) => testkit::skip(TEST, &format!("cannot be another user: {error}")),
    }
}
