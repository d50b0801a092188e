// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--host native`: the program over a library that exports the functions of HNS, here our own.
//!
//! Runs on Linux over the `.so` and under Wine over the DLL, the one beside the program and the one of the system. The demo over the library
//! is compared, step by step, with the one on an embedded HNS. Nothing here asks the HNS of a real Windows.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Our library, built with this test.
fn library() -> PathBuf {
    let name = format!(
        "{}computenetwork{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let test = env::current_exe().unwrap();
    test.ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .expect("the library was built with its tests")
}

/// A state directory; gone with the test.
struct Host {
    state: PathBuf,
}

impl Host {
    fn new(name: &str) -> Host {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let state = env::temp_dir().join(format!("hcnctl-native-{process}-{number}-{name}"));
        let _ = fs::remove_dir_all(&state);
        Host { state }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hcnctl"));
        command
            .args(arguments)
            .env("HCNCTL_STATE", &self.state)
            .env_remove("HCNCTL_HOST")
            .env_remove("HCNCTL_PROFILE");
        command
    }

    /// Over our library, which is said as a person would: by a variable that the library sees too.
    fn native(&self, arguments: &[&str]) -> Output {
        let mut target = std::ffi::OsString::from("native:");
        target.push(library());
        self.command(arguments)
            .env("HCNCTL_HOST", target)
            .output()
            .unwrap()
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.native(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout)
    }

    fn assert_empty(&self) {
        for noun in ["networks", "endpoints", "namespaces"] {
            assert_eq!(self.good(&["get", noun, "-o", "name"]), "", "{noun}");
        }
        assert_eq!(self.good(&["ps", "-o", "name"]), "");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.state);
    }
}

/// Windows programs end their lines with what they like.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

/// A command of a story and what it printed.
type Step = (String, Vec<String>);

/// The steps of a story.
fn steps(story: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in story.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push((command.to_owned(), Vec::new()));
        } else if let Some((_, printed)) = steps.last_mut()
            && !line.is_empty()
            && !line.starts_with("# ")
            && line != "Every step ended as it should."
        {
            printed.push(without_new_ids(line));
        }
    }
    steps
}

/// `Resources` has an id that HNS makes up; the rest of the story is told with the ids of the walk-through.
fn without_new_ids(line: &str) -> String {
    line.split("; ")
        .map(|member| match member.split_once('=') {
            Some((key @ ("ID" | "parentId"), value)) => {
                format!("{key}=…{}", if value.ends_with('}') { "}" } else { "" })
            }
            _ => member.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// The walk-through's story, over the library as `host` names it, is that of the embedded HNS but for what has no log there.
fn assert_same_story(own: &Output) {
    assert!(own.status.success(), "{own:?}");
    let own = steps(&text(&own.stdout));
    let embedded = Host::new("embedded");
    let output = embedded
        .command(&["--host", "embedded", "demo", "--seed-ids"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut wanted = steps(&text(&output.stdout));

    let moment = "hcnctl diff @";
    let compared = |step: &Step| step.0.starts_with(moment);
    assert_eq!(wanted.iter().filter(|step| compared(step)).count(), 2);
    for step in wanted.iter_mut().filter(|step| compared(step)) {
        step.0 = "hcnctl diff before.json now".to_owned();
    }
    let place = own
        .iter()
        .position(|step| step.0 == "hcnctl get endpoints -o json > before.json")
        .expect("a listing is kept");
    wanted.insert(place, own[place].clone());
    let history = wanted.pop().unwrap();
    assert!(history.0.starts_with("hcnctl history"), "{history:?}");
    wanted.push((
        "hcnctl diff before.json now".to_owned(),
        vec!["no difference".to_owned()],
    ));

    let commands = |steps: &[Step]| steps.iter().map(|step| step.0.clone()).collect::<Vec<_>>();
    assert_eq!(commands(&own), commands(&wanted));
    for (own, wanted) in own.iter().zip(&wanted) {
        assert_eq!(own, wanted);
    }
    // What the probes say, in order: open, blocked, allowed, ping under default deny, blocked, ping, open.
    let probes: Vec<&str> = own
        .iter()
        .filter(|step| step.0.starts_with("hcnctl probe"))
        .filter_map(|step| step.1[0].split("/tcp: ").last()?.split("/icmp: ").last())
        .map(|what| what.split([':', ' ']).next().unwrap())
        .collect();
    assert_eq!(
        probes,
        [
            "answered", "timed", "answered", "timed", "timed", "echo", "answered"
        ]
    );
}

#[test]
fn the_demo_over_a_library_is_the_one_of_the_embedded_hns_and_leaves_nothing() {
    let host = Host::new("demo");
    assert_same_story(&host.native(&["demo", "--seed-ids"]));
    host.assert_empty();
    // With ids that HNS chooses, the containers have namespaces.
    let output = host.native(&["demo"]);
    assert!(
        text(&output.stdout).ends_with("Every step ended as it should.\n"),
        "{output:?}"
    );
    host.assert_empty();
}

#[test]
fn the_demo_touches_nothing_of_others() {
    let host = Host::new("others");
    host.good(&["create", "network", "nat"]);
    host.good(&["run", "--name", "web"]);
    let before = host.good(&["get", "endpoints", "-o", "json"]);
    for arguments in [&["demo"][..], &["demo", "--seed-ids"]] {
        let output = host.native(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(
            text(&output.stderr).contains("touches nothing of others"),
            "{output:?}"
        );
    }
    assert_eq!(host.good(&["get", "endpoints", "-o", "json"]), before);
    host.good(&["rm", "web"]);
    host.good(&["delete", "networks", "nat"]);
    host.assert_empty();
}

#[test]
fn a_demo_that_nobody_reads_to_the_end_takes_its_things_away_too() {
    let host = Host::new("unread");
    let mut target = std::ffi::OsString::from("native:");
    target.push(library());
    let mut child = host
        .command(&["demo"])
        .env("HCNCTL_HOST", target)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Read until the containers are there, and no further.
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("client runs") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
        assert!(read > 0, "the story has two containers");
    }
    drop(reader);
    child.wait().unwrap();
    host.assert_empty();
}

#[test]
fn a_demo_that_is_kept_can_be_gone_on_with() {
    let host = Host::new("kept");
    let output = host.native(&["demo", "--keep"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stderr).contains("hcnctl rm nginx client"));
    let output = host.native(&["probe", "client", "nginx:80/tcp", "-o", "json"]);
    assert!(text(&output.stdout).contains("\"answered\""), "{output:?}");
    host.good(&["rm", "nginx", "client"]);
    host.good(&["delete", "networks", "nat"]);
    host.assert_empty();
}

#[test]
fn a_machine_without_hns_is_told_so() {
    let host = Host::new("none");
    let missing = host.state.join("computenetwork.dll");
    let mut targets = vec![format!("native:{}", missing.display())];
    if !cfg!(windows) {
        // On Windows the system may have HNS; `cargo xtask windows --test` takes it away from Wine.
        targets.push("native".to_owned());
    }
    for target in targets {
        let output = host
            .command(&["--host", &target, "get", "networks"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let words = text(&output.stderr);
        assert!(words.contains("HNS is not installed"), "{words}");
    }
}

#[test]
fn packets_between_simulated_containers_are_simulated_and_say_so() {
    let host = Host::new("simulated");
    host.good(&["create", "network", "nat"]);
    host.good(&["run", "--name", "web", "--listen", "80/tcp"]);
    host.good(&["run", "--name", "client"]);
    for (from, to) in [("client", "web:80/tcp"), ("host", "web:80/tcp")] {
        let page = json(&host.native(&["probe", from, to, "-o", "json"]));
        assert_eq!(
            (&page["outcome"], &page["wire"]),
            (&"answered".into(), &"simulated".into()),
            "{page}"
        );
    }
}

#[cfg(not(windows))]
#[test]
fn real_packets_are_for_windows_and_that_is_said_in_words() {
    let host = Host::new("real");
    let output = host.native(&["probe", "host", "127.0.0.1:9/tcp", "--packets", "real"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let words = text(&output.stderr);
    assert!(
        words.contains("E_NOTIMPL") && words.contains("not Windows"),
        "{words}"
    );
}

/// Wine 8 has one compartment, the host's, and no function to enter another; Windows itself shows the rest.
#[cfg(windows)]
#[test]
fn real_packets_are_sent_from_the_compartment_that_hns_names() {
    use std::io::{Read, Write};

    let host = Host::new("real");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}/tcp", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut asked = [0; 3];
        peer.read_exact(&mut asked).unwrap();
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    // Neither side is a simulated container, so nothing has to be said.
    let page = json(&host.native(&["probe", "host", &to, "-o", "json"]));
    server.join().unwrap();
    assert_eq!(
        (&page["outcome"], &page["wire"], &page["compartment"]),
        (&"answered".into(), &"real".into(), &1.into()),
        "{page}"
    );
    // The listener is gone.
    let output = host.native(&["probe", "host", &to]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let words = text(&output.stdout);
    assert!(words.contains("refused: it is reached"), "{words}");
    assert!(
        words.contains("real packets, sent from compartment 1"),
        "{words}"
    );

    // Wine pings where the user may, and Windows always.
    let output = host.native(&["probe", "host", "127.0.0.1/icmp"]);
    let words = text(&output.stdout) + &text(&output.stderr);
    match output.status.code() {
        Some(0) => assert!(words.contains("/icmp: echo answered after"), "{words}"),
        Some(4) => assert!(words.contains("no echo request"), "{words}"),
        _ => panic!("{output:?}"),
    }

    // Our HNS numbers compartments from 2 on, and nobody made that one in this Windows.
    host.good(&["create", "network", "nat"]);
    host.good(&["run", "--name", "there"]);
    let endpoint = host.good(&["get", "endpoints", "-o", "name"]);
    let endpoint = endpoint
        .trim()
        .strip_prefix("endpoint/")
        .unwrap()
        .to_owned();
    let output = host.native(&["probe", &endpoint, &to, "--packets", "real"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let words = text(&output.stderr);
    assert!(words.contains("compartment 2"), "{words}");
    // An endpoint that nobody attached is in none.
    host.good(&["create", "endpoint", "loose", "--network", "nat"]);
    let output = host.native(&["probe", "loose", &to]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let words = text(&output.stderr);
    assert!(words.contains("is in no namespace"), "{words}");
}

/// What a command printed.
fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Whether Windows is Wine: its prefix has our library in system32, where a real one would have its own.
#[cfg(windows)]
fn is_wine() -> bool {
    env::var_os("WINEPREFIX").is_some()
}

#[cfg(windows)]
#[test]
fn on_windows_native_needs_no_word() {
    const TEST: &str = "on_windows_native_needs_no_word";
    let system = env::var_os("SystemRoot").unwrap_or_default();
    let installed = std::path::Path::new(&system).join("system32/computenetwork.dll");
    if !is_wine() || !installed.is_file() {
        testkit::skip(TEST, "the HNS of this Windows is not ours to play with");
        return;
    }
    let host = Host::new("default");
    // Without a state directory the library's store is the usual one; only what is read is compared.
    let of = |arguments: &[&str]| {
        let output = host
            .command(arguments)
            .env_remove("HCNCTL_STATE")
            .env("ProgramData", &host.state)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    of(&["--host", "native", "create", "network", "mine"]);
    let listed = of(&["get", "networks"]);
    assert!(listed.contains("mine"), "{listed}");
    // No log: it is not the embedded HNS that answered.
    let output = host
        .command(&["history"])
        .env_remove("HCNCTL_STATE")
        .env("ProgramData", &host.state)
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("keeps no log"), "{output:?}");
    assert_same_story(
        &Host::new("system")
            .command(&["--host", "native", "demo", "--seed-ids"])
            .output()
            .unwrap(),
    );
}
