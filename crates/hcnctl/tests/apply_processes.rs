// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a change where processes end, pipes close, and servers go away in the middle of it.
//!
//! Apart from the transcripts, because here several processes take part and some of them are killed. Each test has a directory with stores, sockets and
//! state of its own.
#![cfg(unix)]

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// A policy that blocks port 80 of nginx.
const BLOCK: &str = "
apiVersion: hcnctl/v1
name: web
endpoints: nginx
otherwise: allow
rules: [{name: no-http, action: block, direction: in, ports: 80/tcp}]
";
/// One that blocks a port of another endpoint.
const OTHER: &str = "
apiVersion: hcnctl/v1
name: oth
endpoints: db
otherwise: allow
rules: [{name: a, action: block, direction: in, ports: 99/tcp}]
";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

struct Scene {
    folder: PathBuf,
}

impl Scene {
    /// nginx, client and db on a network, in the store `state`; and policy files.
    fn new(name: &str) -> Scene {
        let folder =
            std::env::temp_dir().join(format!("hcnctl-apply-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let scene = Scene { folder };
        scene.write("web.yaml", BLOCK);
        scene.write("oth.yaml", OTHER);
        scene.people("state");
        scene
    }

    fn people(&self, state: &str) {
        let output = self.sh(&format!(
            "export HCNCTL_STATE={state}; hcnctl create network nat && for name in nginx client db; do hcnctl run --name $name --network nat --listen 80/tcp || exit; done"
        ));
        assert!(output.status.success(), "{output:?}");
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_hcnctl")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HCNCTL_STATE", "state")
            // Where journals of servers lie.
            .env("XDG_STATE_HOME", self.folder.join("xdg"))
            .env("HOME", &self.folder)
            .env_remove("HCNCTL_HOST")
            .env_remove("HCNCTL_PROFILE")
            .stdin(Stdio::null());
        command
    }

    fn sh(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The exit code of a command line.
    #[track_caller]
    fn code(&self, line: &str) -> i32 {
        let output = self.sh(line);
        output
            .status
            .code()
            .unwrap_or_else(|| panic!("{line}: {output:?}"))
    }

    /// The exit code of the first of two programs in a pipe of which the second ends at once.
    fn code_unread(&self, line: &str) -> i32 {
        // The reader is gone before the first word.
        let output = self.sh(&format!(
            "{{ (sleep 0.3; {line}); echo $? > code; }} | true; cat code"
        ));
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    fn words(&self, line: &str) -> (i32, String) {
        let output = self.sh(line);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), words)
    }

    /// Whether client reaches port 80 of nginx.
    fn is_open(&self) -> bool {
        self.code("hcnctl can -q client nginx:80/tcp") == 0
    }

    /// Journals of an HNS, by their names, wherever they lie.
    fn journals(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.extension().and_then(|own| own.to_str()) {
                    _ if path.is_dir() => folders.push(path),
                    Some("pending" | "undoing") => found.push(path),
                    _ => {}
                }
            }
        }
        found
    }

    /// Starts an apply that waits to be confirmed, and kills it while it waits. The guard lives, where it is not killed too.
    fn killed_while_it_waits(&self, line: &str) {
        let mut apply = self
            .command(&format!("exec {line}"))
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.until(|| {
            let journals = self.journals();
            journals.iter().any(|path| {
                fs::read_to_string(path).is_ok_and(|text| text.contains("\"deadline\":1"))
            })
        });
        apply.kill().unwrap();
        apply.wait().unwrap();
    }

    /// Leaves a change half done as a machine does that goes down: applied, with its journal, and no process.
    fn half_done(&self) {
        self.killed_while_it_waits("hcnctl apply -f web.yaml --confirm-within 1h");
        let journal = self.folder.join("state/apply/web.pending");
        let text = fs::read(&journal).unwrap();
        assert_eq!(self.code("hcnctl confirm web"), 0);
        // The guard ends where there is no journal.
        let lock = self.folder.join("state/apply/web.guard-lock");
        self.until(|| fs::File::open(&lock).unwrap().try_lock().is_ok());
        fs::write(&journal, text).unwrap();
        assert!(!self.is_open());
    }

    #[track_caller]
    fn until(&self, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(
                Instant::now() < end,
                "it does not come: {:?}",
                self.journals()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Serves a store on a socket.
    fn serve(&self, state: &str, socket: &str) -> Served {
        let line = format!("exec hcnctl --state {state} serve --listen unix:{socket}");
        let child = self
            .command(&line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.until(|| UnixStream::connect(self.folder.join(socket)).is_ok());
        Served(child)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_change_that_is_made_is_kept_whether_or_not_anybody_reads_of_it() {
    let scene = Scene::new("unread");
    for apply in [
        "hcnctl apply -f web.yaml 2>&1 > o",
        "hcnctl apply -f web.yaml 2>&1",
        "hcnctl apply -f web.yaml -o json 2>/dev/full",
    ] {
        assert_eq!(scene.code_unread(apply), 0, "{apply}");
        assert_eq!(scene.journals(), [] as [PathBuf; 0], "{apply}");
        assert!(!scene.is_open(), "{apply}");
        assert_eq!(
            scene.code("hcnctl apply -f oth.yaml --expect-no-new-access"),
            0
        );
        assert!(!scene.is_open(), "{apply}");
        assert_eq!(
            scene.code("hcnctl apply --remove web && hcnctl apply --remove oth"),
            0
        );
    }
    // Nor is it made where the plan cannot be shown.
    assert_eq!(scene.code("hcnctl apply -f web.yaml > /dev/full"), 4);
    assert!(scene.is_open());
}

#[test]
fn a_change_to_be_confirmed_is_waited_for_and_taken_back_where_nobody_reads() {
    let scene = Scene::new("unread-wait");
    let begun = Instant::now();
    let apply = "hcnctl apply -f web.yaml --confirm-within 2s 2>&1";
    assert_eq!(scene.code_unread(apply), 1);
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert!(scene.is_open());
    assert_eq!(scene.journals(), [] as [PathBuf; 0]);
}

#[test]
fn an_exit_code_is_the_answer_whether_or_not_anybody_reads_it() {
    let scene = Scene::new("answer");
    scene.write(
        "typo.yaml",
        &BLOCK.replace("block", "blok").replace("80/tcp", "80"),
    );
    assert_eq!(scene.code("hcnctl apply -f web.yaml"), 0);
    for (line, code) in [
        (
            "hcnctl plan --remove web --expect-no-new-access 2>/dev/null",
            1,
        ),
        ("hcnctl plan --remove web --expect-no-new-access 2>&1", 1),
        ("hcnctl apply --remove web --expect-no-new-access 2>&1", 1),
        (
            "hcnctl apply --remove web --expect-no-new-access -o json 2>&1 >/dev/null",
            1,
        ),
        ("hcnctl can client nginx:80/tcp", 1),
        ("hcnctl why client nginx:80/tcp", 1),
        ("hcnctl diff -f web.yaml", 0),
        ("hcnctl reach --compare @1 now", 1),
        ("hcnctl plan -f typo.yaml 2>&1", 2),
        ("hcnctl can nginx nope:80/tcp 2>&1", 3),
        ("hcnctl get endpoints", 0),
    ] {
        assert_eq!(scene.code_unread(line), code, "{line}");
        assert!(!scene.is_open(), "{line}");
    }
}

#[test]
fn a_change_of_one_hns_is_taken_back_whatever_is_applied_to_another() {
    let scene = Scene::new("two");
    scene.people("other");
    let _a = scene.serve("state", "a.sock");
    let _b = scene.serve("other", "b.sock");
    scene.killed_while_it_waits("hcnctl --host unix:a.sock apply -f web.yaml --confirm-within 5s");
    assert_eq!(scene.code("hcnctl --host unix:b.sock apply -f web.yaml"), 0);
    scene.until(|| scene.journals().is_empty());
    assert!(scene.is_open(), "the guard of one took its change back");
    assert_eq!(
        scene.code("hcnctl --state other can -q client nginx:80/tcp"),
        1
    );
}

#[test]
fn a_guard_that_cannot_reach_the_hns_takes_the_change_back_once_it_can() {
    let scene = Scene::new("cut-off");
    let served = scene.serve("state", "a.sock");
    scene.killed_while_it_waits("hcnctl --host unix:a.sock apply -f web.yaml --confirm-within 1s");
    drop(served);
    // What it could not take back is marked.
    scene.until(|| {
        let journals = scene.journals();
        journals.iter().any(|path| path.ends_with("web.undoing"))
    });
    assert!(!scene.is_open());
    let (code, words) = scene.words("hcnctl --host unix:a.sock apply --recover");
    assert_eq!(code, 4, "{words}");
    let _served = scene.serve("state", "a.sock");
    scene.until(|| scene.journals().is_empty());
    assert!(scene.is_open());
}

#[test]
fn a_pending_change_is_found_however_its_hns_is_spelled() {
    let scene = Scene::new("spelled");
    let here = scene.folder.display().to_string();
    std::os::unix::fs::symlink("state", scene.folder.join("link")).unwrap();
    scene.half_done();
    for state in [
        "./state",
        "state/",
        "link",
        &format!("{here}/state"),
        &format!(
            "{here}/../{}/state",
            scene.folder.file_name().unwrap().display()
        ),
    ] {
        let (code, words) = scene.words(&format!("hcnctl --state {state} plan -f web.yaml"));
        assert_eq!(code, 0, "{state}: {words}");
        assert!(
            words.contains("a change of policy web waits to be confirmed"),
            "{state}: {words}"
        );
    }
    // Its journal is of the directory, and goes where it goes.
    fs::rename(scene.folder.join("state"), scene.folder.join("elsewhere")).unwrap();
    assert_eq!(scene.code("hcnctl --state elsewhere apply --recover"), 0);
    assert_eq!(
        scene.code("hcnctl --state elsewhere can -q client nginx:80/tcp"),
        0
    );

    let _served = scene.serve("elsewhere", "a.sock");
    scene.killed_while_it_waits("hcnctl --host unix:a.sock apply -f web.yaml --confirm-within 1h");
    let (code, words) = scene.words(&format!("hcnctl --host unix:{here}/./a.sock confirm web"));
    assert_eq!(code, 0, "{words}");
    assert_eq!(
        scene.code("hcnctl --state elsewhere can -q client nginx:80/tcp"),
        1
    );
}

#[test]
fn what_is_left_of_a_policy_is_undone_only_where_that_is_asked_for() {
    let scene = Scene::new("left");
    scene.half_done();
    // Not in passing, by an apply of another policy; it is told.
    let (code, words) = scene.words("hcnctl apply -f oth.yaml --expect-no-new-access");
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains("hcnctl confirm web keeps it, hcnctl apply --recover takes it back now"),
        "{words}"
    );
    assert!(!scene.is_open());
    // Not where it would open what may not be opened.
    let (code, words) = scene.words("hcnctl apply -f web.yaml --expect-no-new-access");
    assert_eq!(code, 1, "{words}");
    assert!(
        words.contains("refused: a change of policy web waits"),
        "{words}"
    );
    let (code, _) = scene.words("hcnctl apply --remove web --expect-no-new-access");
    assert_eq!(code, 1);
    assert!(!scene.is_open());
    // Nor before the names of the file are understood.
    scene.write("missing.yaml", &BLOCK.replace("nginx", "ngnix"));
    let (code, words) = scene.words("hcnctl apply -f missing.yaml");
    assert_eq!(code, 3);
    assert!(
        words.ends_with("nothing was sent\n") && !words.contains("taking it back"),
        "{words}"
    );
    assert!(!scene.is_open());
    // A dry run and a diff look, and do nothing.
    for line in [
        "hcnctl --dry-run apply --recover",
        "hcnctl --dry-run apply -f web.yaml",
        "hcnctl diff -f web.yaml",
        "hcnctl --dry-run apply --discard web",
        "hcnctl --dry-run confirm web",
    ] {
        let (code, words) = scene.words(line);
        assert_eq!(code, 0, "{line}: {words}");
        assert_ne!(words, "", "{line}");
        assert!(!scene.is_open() && scene.journals().len() == 1, "{line}");
    }
    // An apply of the policy takes it back, and begins from there.
    let (code, words) = scene.words("hcnctl apply -f web.yaml");
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains("taking it back") && words.contains("sent: 1 call(s)"),
        "{words}"
    );
    assert_eq!(scene.journals(), [] as [PathBuf; 0]);
}

#[test]
fn a_journal_that_cannot_be_read_stops_its_own_policy_and_no_other() {
    let scene = Scene::new("torn");
    fs::create_dir_all(scene.folder.join("state/apply")).unwrap();
    scene.write("state/apply/web.pending", "");
    let (code, words) = scene.words("hcnctl plan -f web.yaml");
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("hcnctl apply --discard web"), "{words}");
    assert_eq!(scene.code("hcnctl apply -f oth.yaml"), 0);
    for line in ["hcnctl apply -f web.yaml", "hcnctl apply --recover"] {
        let (code, words) = scene.words(line);
        assert_eq!(code, 4, "{line}: {words}");
        assert!(
            words.contains("hcnctl apply --discard web forgets it"),
            "{line}: {words}"
        );
        assert!(scene.is_open(), "{line}");
    }
    assert_eq!(scene.code("hcnctl confirm"), 3);
    assert_eq!(scene.code("hcnctl apply --discard oth"), 3);
    // Names become names of files.
    scene.write("state/there.pending", "");
    for line in ["hcnctl confirm ../there", "hcnctl apply --discard ../there"] {
        assert_eq!(scene.code(line), 2, "{line}");
    }
    assert_eq!(scene.code("hcnctl apply --discard web"), 0);
    assert_eq!(scene.code("hcnctl apply -f web.yaml"), 0);
    assert!(!scene.is_open());
}

#[test]
fn who_is_at_work_is_not_disturbed() {
    let scene = Scene::new("at-work");
    let apply = "exec hcnctl apply -f web.yaml --confirm-within 1h";
    let mut apply = scene
        .command(apply)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    scene.until(|| {
        scene
            .words("hcnctl plan -f oth.yaml")
            .1
            .contains("waits to be confirmed")
    });
    for line in [
        "hcnctl apply -f web.yaml",
        "hcnctl apply --remove web",
        "hcnctl apply --discard web",
    ] {
        let (code, words) = scene.words(line);
        assert_eq!(code, 4, "{line}: {words}");
        assert!(
            words.contains("hcnctl confirm web keeps it"),
            "{line}: {words}"
        );
    }
    let (code, words) = scene.words("hcnctl apply --recover");
    assert_eq!(code, 0);
    assert!(words.contains("hcnctl confirm web keeps it"), "{words}");
    assert!(!scene.is_open());
    assert_eq!(scene.code("hcnctl confirm web"), 0);
    assert_eq!(apply.wait().unwrap().code(), Some(0));
    assert!(!scene.is_open());
}

#[test]
fn a_name_of_no_policy_is_told_with_the_names_that_there_are() {
    let scene = Scene::new("names");
    let (code, words) = scene.words("hcnctl apply --remove web");
    assert_eq!(
        (code, words.as_str()),
        (
            3,
            "error: no endpoint has rules of a policy \"web\"; no policy is applied\n"
        )
    );
    assert_eq!(
        scene.code("hcnctl apply -f web.yaml && hcnctl apply -f oth.yaml"),
        0
    );
    for (name, hint) in [
        ("wbe", "is \"web\" meant?"),
        ("production", "applied are oth, web"),
    ] {
        for command in ["apply", "plan"] {
            let (code, words) = scene.words(&format!("hcnctl {command} --remove {name}"));
            assert_eq!(code, 3, "{words}");
            assert!(words.ends_with(&format!("{hint}\n")), "{words}");
        }
    }
}

/// What a proxy does with a change, of which it has seen so many before.
type Fault = fn(usize) -> Option<Does>;

/// What a proxy does instead of passing a request on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Answers that HNS failed.
    Fails,
    /// Closes the connection.
    Closes,
}

/// Passes requests on to a server, but for the changes that it has its own way with. Ends with the test.
fn proxy(listen: &Path, to: PathBuf, fault: Fault) {
    let listener = UnixListener::bind(listen).unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (to, seen) = (to.clone(), seen.clone());
            thread::spawn(move || pass_on(client, &to, &seen, fault));
        }
    });
}

fn pass_on(mut client: UnixStream, to: &Path, seen: &AtomicUsize, fault: Fault) -> io::Result<()> {
    // One request a connection: the server is told to close it.
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.split("content-length:").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body)?;
    if head.contains("/modify-seen ") {
        match fault(seen.fetch_add(1, Ordering::SeqCst)) {
            Some(Does::Fails) => {
                let body = r#"{"ErrorCode":2151350292,"Record":"{}"}"#;
                let length = body.len();
                return write!(
                    client,
                    "HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
            }
            Some(Does::Closes) => return Ok(()),
            None => {}
        }
    }
    let mut server = UnixStream::connect(to)?;
    let line = request.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    server.write_all(&request[..line])?;
    server.write_all(b"connection: close\r\n")?;
    server.write_all(&request[line..])?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client).map(drop)
}

#[test]
fn a_program_is_told_what_was_taken_back_and_what_was_not() {
    let scene = Scene::new("json");
    let _served = scene.serve("state", "a.sock");
    scene.write("all.yaml", &BLOCK.replace("nginx", "\"*\""));
    let to = scene.folder.join("a.sock");
    // The second change fails.
    proxy(&scene.folder.join("p1.sock"), to.clone(), |seen| {
        (seen == 1).then_some(Does::Fails)
    });
    // The second change fails, and then one of those that take back.
    proxy(&scene.folder.join("p2.sock"), to.clone(), |seen| {
        [1, 2].contains(&seen).then_some(Does::Fails)
    });
    // Nobody answers any more.
    proxy(&scene.folder.join("p3.sock"), to, |seen| {
        (seen >= 2).then_some(Does::Closes)
    });
    let apply = |socket: &str| {
        let output = scene.sh(&format!(
            "hcnctl --host unix:{socket} apply -f all.yaml -o json"
        ));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{words}");
        assert!(!words.contains("--host embedded"), "{words}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["state"], "failed");
        let became: Vec<String> = value["undone"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["became"].as_str().unwrap().to_owned())
            .collect();
        (became, value, words)
    };
    let (became, value, _) = apply("p1.sock");
    assert_eq!(became, ["untouched", "back"]);
    assert!(
        value["error"].as_str().unwrap().contains("0x803b0014"),
        "{value}"
    );
    assert_eq!(scene.journals(), [] as [PathBuf; 0]);

    let (became, value, words) = apply("p2.sock");
    assert_eq!(became, ["untouched", "not-back"]);
    assert!(
        value["undone"][1]["error"]
            .as_str()
            .unwrap()
            .contains("0x803b0014"),
        "{value}"
    );
    assert!(words.contains("a part of it stayed"), "{words}");
    // Only what is left is written down, and is taken back once HNS does it.
    let (code, words) = scene.words("hcnctl --host unix:p2.sock apply --recover");
    assert_eq!(code, 0, "{words}");
    assert_eq!(
        words.matches("read back as they were").count(),
        1,
        "{words}"
    );
    assert_eq!(words.lines().count(), 2, "{words}");
    assert_eq!(scene.journals(), [] as [PathBuf; 0]);

    let (became, ..) = apply("p3.sock");
    assert_eq!(became.last().map(String::as_str), Some("not-back"));
    let (code, words) = scene.words("hcnctl --host unix:p3.sock apply --recover");
    assert_eq!(code, 4, "{words}");
    let journals = scene.journals();
    assert_eq!(journals.len(), 1, "{journals:?}");
    assert_eq!(
        scene.code("hcnctl --host unix:p3.sock apply --discard web"),
        0
    );
    assert_eq!(scene.journals(), [] as [PathBuf; 0]);
}
