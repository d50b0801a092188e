// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every recording by three routes: the service, a server of it, and the envoy to our library. The fourth, the library's own functions, is in the
//! tests of `hcn-dll`, where foreign functions may be called.
//!
//! Each route has a store of its own; the library is in a process of its own, since it keeps the store that its first call met.

use std::{env, fs, path::PathBuf, process::Command, sync::Arc};

use hcn::{ConnectOptions, Connection, Target, connect};
use hcnctl::serve::{Listen, Options, Server};
use replay::{Course, Seam, Trace, expected, judge};

/// A state directory that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(route: &str, trace: Trace) -> Folder {
        let name = format!(
            "hcnctl-replay-{route}-{}-{}",
            trace.name,
            std::process::id()
        );
        let path = env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn embedded(&self, trace: Trace) -> Arc<Connection> {
        let target = Target::Embedded(Some(self.0.clone()));
        let options = ConnectOptions {
            version: Some(trace.version.parse().unwrap()),
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

fn run(connection: &Connection, trace: Trace, test: &str) -> Option<Course> {
    let calls = trace.calls_or_skip(test)?;
    Some(Course::run(&Seam::new(connection.hns()), &calls))
}

fn through_the_service(trace: Trace, test: &str) -> Option<Course> {
    let folder = Folder::new("service", trace);
    let course = run(&folder.embedded(trace), trace, test)?;
    if expected::blesses() {
        expected::bless(trace, &course);
    }
    Some(course)
}

fn through_a_server(trace: Trace, test: &str) -> Option<Course> {
    let folder = Folder::new("serve", trace);
    // Where there are no Unix sockets, the same over TCP.
    let (listen, token) = match Listen::usual(&folder.0) {
        unix @ Listen::Unix(_) => (unix, None),
        tcp @ Listen::Tcp(_) => (tcp, Some("replay".to_owned())),
    };
    let options = Options {
        listen,
        token: token.clone(),
    };
    let server = Server::start(folder.embedded(trace), &options).unwrap();
    let options = ConnectOptions {
        token,
        ..ConnectOptions::default()
    };
    let far = connect(server.target(), options).unwrap();
    let course = run(&far, trace, test);
    server.stop();
    course
}

/// Says to the other process which recording it is to ask.
const ASKED: &str = "HCNCTL_TEST_REPLAY";

/// Our library: built beside the tests, since they depend on its crate.
fn library() -> PathBuf {
    let name = format!(
        "{}computenetwork{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let program = env::current_exe().unwrap();
    program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .expect("the library was built with the tests")
}

/// In a process of its own, which compares by itself.
fn through_the_envoy(trace: Trace, test: &str) {
    if trace.calls_or_skip(test).is_none() {
        return;
    }
    let folder = Folder::new("envoy", trace);
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "asked_in_a_process_of_its_own", "--nocapture"])
        .env("HCNCTL_STATE", &folder.0)
        .env("HCNCTL_PROFILE", trace.version)
        .env_remove("HCNCTL_HOST")
        .env(ASKED, trace.name)
        .output()
        .unwrap();
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{words}");
    assert!(
        words.contains(&format!("{} was asked", trace.name)),
        "{words}"
    );
}

/// The other half of the function before; nothing elsewhere.
#[test]
fn asked_in_a_process_of_its_own() {
    let Ok(name) = env::var(ASKED) else { return };
    let trace = Trace::named(&name);
    let native = connect(&Target::Native(Some(library())), ConnectOptions::default()).unwrap();
    let course = run(&native, trace, "asked_in_a_process_of_its_own").unwrap();
    judge(trace, &course);
    println!("{name} was asked");
}

/// One module a recording, and one test a route.
macro_rules! routes {
    ($($recording:ident $name:literal;)*) => {
        $(
            mod $recording {
                use super::*;

                const NAME: &str = $name;

                fn test(route: &str) -> String {
                    format!("{}::{route}", stringify!($recording))
                }

                #[test]
                fn is_answered_by_the_service() {
                    let trace = Trace::named(NAME);
                    if let Some(course) = through_the_service(trace, &test("is_answered_by_the_service")) {
                        judge(trace, &course);
                    }
                }

                #[test]
                fn is_answered_by_a_server() {
                    let trace = Trace::named(NAME);
                    if let Some(course) = through_a_server(trace, &test("is_answered_by_a_server")) {
                        judge(trace, &course);
                    }
                }

                #[test]
                fn is_answered_through_the_envoy() {
                    through_the_envoy(Trace::named(NAME), &test("is_answered_through_the_envoy"));
                }
            }
        )*
    };
}

routes! {
    win_bridge_with_docker "cni-win-bridge-v1";
    win_bridge_with_containerd "cni-win-bridge-v2";
    win_overlay "cni-win-overlay-v2";
    kube_proxy "kube-proxy-l2bridge";
    hcsshims_tests "tests-hcsshim-hcn";
}
